/* 01_triangle: moves a point, draws 60 frames, reads a pixel back. */
#include <gpool/gpool.h>

#include <stdio.h>

static const char wgsl[] =
    "struct Uniforms { color: vec4f, offset: vec2f }\n"
    "@group(0) @binding(0) var<uniform> uniforms: Uniforms;\n"
    "@vertex fn vs(@location(0) position: vec2f) -> @builtin(position) vec4f {\n"
    "    return vec4f(position + uniforms.offset, 0.0, 1.0);\n"
    "}\n"
    "@fragment fn fs() -> @location(0) vec4f { return uniforms.color; }\n";

int main(void)
{
    gpool_device *device = NULL;
    gpool *pool = NULL;
    if (gpool_device_open(NULL, &device) != GPOOL_OK ||
        gpool_create(device, NULL, &pool) != GPOOL_OK) {
        return 1; /* the log said why */
    }
    float points[3][2] = { { -0.6f, -0.6f }, { 0.6f, -0.6f }, { 0.0f, -0.6f } };
    gpool_texture picture = gpool_texture_create(
        pool, &(gpool_texture_desc){ .width = 640,
                                     .height = 480,
                                     .format = WGPUTextureFormat_RGBA8Unorm,
                                     .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK,
                                     .label = "picture" });
    gpool_buffer buffer =
        gpool_buffer_create(pool, &(gpool_buffer_desc){ .data = points,
                                                        .size = sizeof points,
                                                        .usage = GPOOL_BUFFER_VERTEX,
                                                        .label = "points" });
    gpool_shader shader = gpool_shader_create(pool, &(gpool_shader_desc){ .wgsl = wgsl });
    gpool_pipeline pipeline = gpool_render_pipeline_create(
        pool, &(gpool_render_pipeline_desc){
                  .shader = shader,
                  .vertex_buffers[0] = { .attributes[0] = { WGPUVertexFormat_Float32x2, 0, 0 } } });

    int failures = 0;
    for (int i = 1; i <= 60; ++i) {
        gpool_begin_frame(pool);
        points[2][1] = -0.6f + 0.02f * (float)i; /* the tip rises */
        gpool_buffer_write(pool, buffer, sizeof points[0] * 2, points[2], sizeof points[2]);
        const float uniforms[8] = { 1.0f, 0.4f, 0.0f, 1.0f, 0.0f, (float)(i - 60) / 60.0f };
        gpool_recorder rec = gpool_frame_recorder(pool);
        gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = picture } });
        gpool_set_pipeline(rec, pipeline);
        gpool_set_vertex_buffer(rec, 0, buffer, 0);
        gpool_set_uniforms(rec, 0, uniforms, sizeof uniforms);
        gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
        gpool_end_pass(rec);
        if (gpool_end_frame(pool) != GPOOL_OK) {
            puts(gpool_last_error(pool)->message);
            failures += 1;
        }
    }

    uint8_t middle[4] = { 0 };
    gpool_texture_region region = { .x = 320, .y = 240, .width = 1, .height = 1 };
    gpool_texture_read(pool, picture, &region, middle, sizeof middle);
    printf("middle %d %d %d %d\n", middle[0], middle[1], middle[2], middle[3]);
    bool right = middle[0] == 255 && middle[1] == 102 && middle[2] == 0 && middle[3] == 255;

    gpool_pipeline_destroy(pool, pipeline);
    gpool_shader_destroy(pool, shader);
    gpool_buffer_destroy(pool, buffer);
    gpool_texture_destroy(pool, picture);
    gpool_destroy(pool); /* names every leak */
    gpool_device_release(device);
    return failures == 0 && right ? 0 : 1;
}
