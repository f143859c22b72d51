/* A program that uses an installed gpool: 60 frames of a moving triangle. */
#include <gpool/gpool.h>

#include <stdio.h>

static const char wgsl[] =
    "@group(0) @binding(0) var<uniform> color: vec4f;\n"
    "@vertex fn vs(@location(0) p: vec2f) -> @builtin(position) vec4f { return vec4f(p, 0, 1); }\n"
    "@fragment fn fs() -> @location(0) vec4f { return color; }\n";

int main(void)
{
    gpool_device *device = NULL;
    gpool *pool = NULL;
    if (gpool_device_open(NULL, &device) != GPOOL_OK ||
        gpool_create(device, NULL, &pool) != GPOOL_OK) {
        return 1; /* the log said why */
    }
    float points[3][2] = { { -1, -1 }, { 3, -1 }, { -1, 3 } };
    const float green[4] = { 0, 1, 0, 1 };
    gpool_texture picture = gpool_texture_create(
        pool, &(gpool_texture_desc){ .width = 64,
                                     .height = 64,
                                     .format = WGPUTextureFormat_RGBA8Unorm,
                                     .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK });
    gpool_buffer buffer = gpool_buffer_create(
        pool, &(gpool_buffer_desc){ .size = sizeof points, .usage = GPOOL_BUFFER_VERTEX });
    gpool_shader shader = gpool_shader_create(pool, &(gpool_shader_desc){ .wgsl = wgsl });
    gpool_pipeline pipeline = gpool_render_pipeline_create(
        pool, &(gpool_render_pipeline_desc){
                  .shader = shader,
                  .vertex_buffers[0] = { .attributes[0] = { WGPUVertexFormat_Float32x2, 0, 0 } } });
    for (int i = 0; i < 60; ++i) {
        points[1][0] += 0.01f;
        gpool_begin_frame(pool);
        gpool_buffer_write(pool, buffer, 0, points, sizeof points);
        gpool_recorder rec = gpool_frame_recorder(pool);
        gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = picture } });
        gpool_set_pipeline(rec, pipeline);
        gpool_set_vertex_buffer(rec, 0, buffer, 0);
        gpool_set_uniforms(rec, 0, green, sizeof green);
        gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
        gpool_end_pass(rec);
        if (gpool_end_frame(pool) != GPOOL_OK) {
            puts(gpool_last_error(pool)->message);
            return 1;
        }
    }
    static uint8_t pixels[64 * 64 * 4];
    gpool_result read = gpool_texture_read(pool, picture, NULL, pixels, sizeof pixels);
    bool right = read == GPOOL_OK && pixels[0] == 0 && pixels[1] == 255 && pixels[2] == 0;
    gpool_pipeline_destroy(pool, pipeline);
    gpool_shader_destroy(pool, shader);
    gpool_buffer_destroy(pool, buffer);
    gpool_texture_destroy(pool, picture);
    gpool_destroy(pool); /* names every leak */
    gpool_device_release(device);
    return right ? 0 : 1;
}
