/* 03_textures: writes rectangles out of a larger picture, grows the texture, draws it magnified. */
#include <gpool/gpool.h>

#include <stdio.h>
#include <string.h>

#define SHEET 16u /* texels along the CPU's picture */

static const char wgsl[] =
    "@group(0) @binding(0) var nearest: sampler;\n"
    "@group(0) @binding(1) var tiles: texture_2d<f32>;\n"
    "struct Varying { @builtin(position) clip: vec4f, @location(0) uv: vec2f }\n"
    "@vertex fn vs(@builtin(vertex_index) i: u32) -> Varying {\n"
    "    let uv = vec2f(f32(i & 1u), f32(i >> 1u)) * 2.0;\n"
    "    return Varying(vec4f(uv.x * 2.0 - 1.0, 1.0 - uv.y * 2.0, 0.0, 1.0), uv);\n"
    "}\n"
    "@fragment fn fs(in: Varying) -> @location(0) vec4f {\n"
    "    return textureSample(tiles, nearest, in.uv);\n"
    "}\n";

/* Texel x, y of the CPU's picture: every one is different. */
static void color_of(uint32_t x, uint32_t y, uint8_t texel[4])
{
    texel[0] = (uint8_t)(x * 16u);
    texel[1] = (uint8_t)(y * 16u);
    texel[2] = (uint8_t)(255u - x * y);
    texel[3] = 255;
}

/* Fills the window of 64 x 64 pixels with the 8 x 8 texels of `tiles`. */
static gpool_result draw(gpool *pool, gpool_pipeline pipeline, gpool_layout layout,
                         gpool_sampler sampler, gpool_texture tiles, gpool_texture picture)
{
    gpool_begin_frame(pool);
    gpool_recorder rec = gpool_frame_recorder(pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = picture } });
    gpool_set_pipeline(rec, pipeline);
    const gpool_binding bindings[] = { { .binding = 0, .sampler = sampler },
                                       { .binding = 1, .texture = tiles } };
    gpool_set_bindings(rec, 0, layout, bindings, 2, NULL, 0);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    return gpool_end_frame(pool);
}

/* Texel x, y of the texture should be: top left quarter the sheet's (4, 2), bottom right (9, 7). */
static uint32_t count_wrong(gpool *pool, gpool_texture picture)
{
    static uint8_t pixels[64][64][4];
    if (gpool_texture_read(pool, picture, NULL, pixels, sizeof pixels) != GPOOL_OK) {
        return 64;
    }
    uint32_t wrong = 0;
    for (uint32_t y = 0; y < 8; ++y) {
        for (uint32_t x = 0; x < 8; ++x) {
            uint8_t expected[4] = { 0 }; /* what resize() added is zero */
            if (x < 4 && y < 4) {
                color_of(x + 4u, y + 2u, expected);
            } else if (x >= 4 && y >= 4) {
                color_of(x - 4u + 9u, y - 4u + 7u, expected);
            }
            wrong += memcmp(pixels[y * 8u + 4u][x * 8u + 4u], expected, 4) != 0;
        }
    }
    return wrong;
}

int main(void)
{
    gpool_device *device = NULL;
    gpool *pool = NULL;
    if (gpool_device_open(NULL, &device) != GPOOL_OK ||
        gpool_create(device, NULL, &pool) != GPOOL_OK) {
        return 1; /* the log said why */
    }
    static uint8_t sheet[SHEET][SHEET][4];
    for (uint32_t y = 0; y < SHEET; ++y) {
        for (uint32_t x = 0; x < SHEET; ++x) {
            color_of(x, y, sheet[y][x]);
        }
    }
    gpool_texture tiles = gpool_texture_create(
        pool, &(gpool_texture_desc){ .width = 4,
                                     .height = 4,
                                     .format = WGPUTextureFormat_RGBA8Unorm,
                                     .usage = GPOOL_TEXTURE_SAMPLED,
                                     .data = sheet[2][4], /* rows of 4 texels, 16 apart */
                                     .data_size = 3u * sizeof sheet[0] + 4u * 4u,
                                     .bytes_per_row = sizeof sheet[0],
                                     .label = "tiles" });
    gpool_texture picture = gpool_texture_create(
        pool, &(gpool_texture_desc){ .width = 64,
                                     .height = 64,
                                     .format = WGPUTextureFormat_RGBA8Unorm,
                                     .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK,
                                     .label = "picture" });
    gpool_sampler sampler =
        gpool_sampler_create(pool, &(gpool_sampler_desc){ 0 }); /* nearest, clamped */
    const gpool_layout_entry entries[] = { { .binding = 0, .type = GPOOL_BINDING_SAMPLER },
                                           { .binding = 1, .type = GPOOL_BINDING_TEXTURE } };
    gpool_layout layout = gpool_layout_create(
        pool, &(gpool_layout_desc){ .entries = entries, .entry_count = 2, .label = "tiles" });
    gpool_shader shader = gpool_shader_create(pool, &(gpool_shader_desc){ .wgsl = wgsl });
    gpool_pipeline pipeline = gpool_render_pipeline_create(
        pool, &(gpool_render_pipeline_desc){ .shader = shader, .layouts[0] = layout });

    /* The handle stays the same; what it held is kept in the upper left corner. */
    uint32_t wrong = gpool_texture_resize(pool, tiles, 8, 8, 0) != GPOOL_OK;
    wrong += gpool_texture_write(
                 pool, tiles, &(gpool_texture_region){ .x = 4, .y = 4, .width = 4, .height = 4 },
                 sheet[7][9], 3u * sizeof sheet[0] + 4u * 4u, sizeof sheet[0]) != GPOOL_OK;
    wrong += draw(pool, pipeline, layout, sampler, tiles, picture) != GPOOL_OK;
    wrong += count_wrong(pool, picture);
    printf("%u of 64 texels wrong\n", wrong);

    gpool_pipeline_destroy(pool, pipeline);
    gpool_shader_destroy(pool, shader);
    gpool_layout_destroy(pool, layout);
    gpool_sampler_destroy(pool, sampler);
    gpool_texture_destroy(pool, picture);
    gpool_texture_destroy(pool, tiles);
    gpool_destroy(pool);
    gpool_device_release(device);
    return wrong == 0 ? 0 : 1;
}
