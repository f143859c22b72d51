/* 06_meshes: polygons come and go in a heap, which is put in order while it is drawn. */
#include <gpool/gpool.h>

#include <math.h>
#include <stdio.h>

#define SIDE   256u
#define SHAPES 100u /* a grid of ten by ten */
#define FRAMES 400u
#define MOST   384u /* corners of a polygon */

static const char wgsl[] =
    "struct Uniforms { scale: f32, grid: f32 }\n"
    "@group(0) @binding(0) var<uniform> uniforms: Uniforms;\n"
    "struct Corner { @builtin(position) position: vec4f, @location(0) color: vec4f }\n"
    "@vertex fn vs(@location(0) position: vec2f, @location(1) color: vec4f,\n"
    "              @builtin(instance_index) cell: u32) -> Corner {\n"
    "    let at = vec2f(f32(cell % 10u), f32(cell / 10u)) * uniforms.grid - 0.9;\n"
    "    return Corner(vec4f(position * uniforms.scale + at, 0.0, 1.0), color);\n"
    "}\n"
    "@fragment fn fs(in: Corner) -> @location(0) vec4f { return in.color; }\n";

typedef struct corner {
    float position[2];
    uint8_t color[4];
} corner;

/* A polygon of so many corners around its middle: one triangle for each. */
static gpool_mesh make_polygon(gpool *pool, gpool_heap heap, uint32_t cell, uint32_t corners)
{
    static corner vertices[MOST + 1u];
    static uint16_t indices[3u * MOST];
    const uint8_t color[4] = { (uint8_t)(55 + 2 * cell), 200, (uint8_t)(255 - 2 * cell), 255 };
    for (uint32_t i = 0; i < corners; ++i) {
        float angle = 6.2831853f * (float)i / (float)corners;
        vertices[i + 1u] =
            (corner){ { cosf(angle), sinf(angle) }, { color[0], color[1], color[2], color[3] } };
        indices[3u * i] = 0;
        indices[3u * i + 1u] = (uint16_t)(i + 1u);
        indices[3u * i + 2u] = (uint16_t)((i + 1u) % corners + 1u);
    }
    vertices[0] = (corner){ { 0, 0 }, { color[0], color[1], color[2], color[3] } };
    return gpool_mesh_create(pool, &(gpool_mesh_desc){ .heap = heap,
                                                       .vertices = vertices,
                                                       .vertex_count = corners + 1u,
                                                       .vertex_stride = sizeof(corner),
                                                       .indices = indices,
                                                       .index_count = 3u * corners,
                                                       .index_format = WGPUIndexFormat_Uint16,
                                                       .label = "polygon" });
}

static void tell(gpool *pool, gpool_heap heap, const char *when)
{
    gpool_heap_info info;
    if (gpool_heap_get_info(pool, heap, &info) == GPOOL_OK) {
        printf("%s: %u meshes in %u slabs, %llu bytes live, %llu free in %u ranges, "
               "the largest %llu, %llu moved\n",
               when, info.mesh_count, info.slab_count, (unsigned long long)info.live_bytes,
               (unsigned long long)info.free_bytes, info.free_ranges,
               (unsigned long long)info.largest_free, (unsigned long long)info.moved_bytes);
    }
}

/* Draws all polygons, each in its cell. */
static gpool_result draw(gpool *pool, gpool_pipeline pipeline, gpool_texture picture,
                         const gpool_mesh *shapes)
{
    const float uniforms[4] = { 0.09f, 0.2f };
    gpool_recorder rec = gpool_frame_recorder(pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = picture } });
    gpool_set_pipeline(rec, pipeline);
    gpool_set_uniforms(rec, 0, uniforms, sizeof uniforms);
    for (uint32_t i = 0; i < SHAPES; ++i) {
        gpool_draw_mesh(rec, shapes[i], &(gpool_draw_mesh_args){ .first_instance = i });
    }
    gpool_end_pass(rec);
    return gpool_end_frame(pool);
}

/* Cells whose middle does not have its polygon's color. */
static uint32_t count_wrong(gpool *pool, gpool_texture picture)
{
    uint32_t wrong = 0;
    for (uint32_t cell = 0; cell < SHAPES; ++cell) {
        uint8_t pixel[4] = { 0 };
        const uint32_t x = (uint32_t)((0.1f + 0.2f * (float)(cell % 10u)) / 2.0f * SIDE);
        const uint32_t y = (uint32_t)((1.9f - 0.2f * (float)(cell / 10u)) / 2.0f * SIDE);
        const gpool_texture_region region = { .x = x, .y = y, .width = 1, .height = 1 };
        wrong += gpool_texture_read(pool, picture, &region, pixel, sizeof pixel) != GPOOL_OK ||
                 pixel[0] != 55u + 2u * cell || pixel[1] != 200u || pixel[2] != 255u - 2u * cell;
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
    gpool_texture picture = gpool_texture_create(
        pool, &(gpool_texture_desc){ .width = SIDE,
                                     .height = SIDE,
                                     .format = WGPUTextureFormat_RGBA8Unorm,
                                     .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK,
                                     .label = "picture" });
    gpool_shader shader = gpool_shader_create(pool, &(gpool_shader_desc){ .wgsl = wgsl });
    gpool_pipeline pipeline = gpool_render_pipeline_create(
        pool, &(gpool_render_pipeline_desc){
                  .shader = shader,
                  .vertex_buffers[0] = { .stride = sizeof(corner),
                                         .attributes = { { WGPUVertexFormat_Float32x2, 0, 0 },
                                                         { WGPUVertexFormat_Unorm8x4, 8, 1 } } } });
    gpool_heap heap =
        gpool_heap_create(pool, &(gpool_heap_desc){ .slab_size = 65536, .label = "polygons" });
    gpool_mesh shapes[SHAPES];
    uint32_t random = 1;
    for (uint32_t i = 0; i < SHAPES; ++i) {
        shapes[i] = make_polygon(pool, heap, i, 3u + i % 40u);
    }
    uint32_t failures = 0;
    for (uint32_t frame = 0; frame < FRAMES; ++frame) {
        if (frame == FRAMES / 2u) {
            tell(pool, heap, "after 200 frames");
        }
        if (frame >= FRAMES / 2u) {
            gpool_heap_compact(pool, heap, 32768); /* bytes that this frame may copy */
        }
        gpool_begin_frame(pool);
        for (uint32_t i = 0; i < 10u && frame < FRAMES / 2u; ++i) {
            random = random * 1664525u + 1013904223u;
            const uint32_t cell = (random >> 8) % SHAPES;
            const uint32_t corners = 3u + (random >> 16) % (MOST - 2u) / (1u + (random >> 5) % 16u);
            gpool_mesh_destroy(pool, shapes[cell]); /* what was drawn with it goes on */
            shapes[cell] = make_polygon(pool, heap, cell, corners);
        }
        failures += draw(pool, pipeline, picture, shapes) != GPOOL_OK;
    }
    tell(pool, heap, "after 200 more");
    failures += count_wrong(pool, picture);

    gpool_heap_info info = { 0 };
    failures += gpool_heap_get_info(pool, heap, &info) != GPOOL_OK || info.moves == 0;
    gpool_heap_destroy(pool, heap); /* and all its meshes */
    gpool_pipeline_destroy(pool, pipeline);
    gpool_shader_destroy(pool, shader);
    gpool_texture_destroy(pool, picture);
    gpool_destroy(pool);
    gpool_device_release(device);
    return failures == 0 ? 0 : 1;
}
