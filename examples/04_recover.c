/* 04_recover: loses its device on purpose, and goes on with the same handles on another one. */
#include <gpool/gpool.h>

#include <stdio.h>

static const char wgsl[] =
    "@group(0) @binding(0) var<uniform> shade: vec4f;\n"
    "@group(1) @binding(0) var photo: texture_2d<f32>;\n"
    "@vertex fn vs(@location(0) position: vec2f) -> @builtin(position) vec4f {\n"
    "    return vec4f(position, 0.0, 1.0);\n"
    "}\n"
    "@fragment fn fs() -> @location(0) vec4f {\n"
    "    return shade * textureLoad(photo, vec2u(0, 0), 0);\n"
    "}\n";

/* What the program holds: handles only, so a recovery changes nothing here but the device. */
typedef struct app {
    gpool_device *device;
    gpool *pool;
    gpool_buffer points;
    gpool_texture photo;
    gpool_texture picture;
    gpool_layout layout;
    gpool_pipeline pipeline;
    uint32_t refills;
} app;

static const uint8_t photo_texel[4] = { 255, 128, 64, 255 };

static gpool_result draw(app *a, float shade)
{
    gpool_result result = gpool_begin_frame(a->pool);
    if (result != GPOOL_OK) {
        return result;
    }
    const float uniforms[4] = { shade, shade, shade, 1.0f };
    gpool_recorder rec = gpool_frame_recorder(a->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = a->picture } });
    gpool_set_pipeline(rec, a->pipeline);
    gpool_set_vertex_buffer(rec, 0, a->points, 0);
    gpool_set_uniforms(rec, 0, uniforms, sizeof uniforms);
    gpool_set_bindings(rec, 1, a->layout, &(gpool_binding){ .texture = a->photo }, 1, NULL, 0);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    return gpool_end_frame(a->pool);
}

/* Only the GPU had the texels: we have them again, from a file or, as here, a constant. */
static gpool_result refill_texture(void *user, gpool *pool, gpool_texture texture,
                                   const gpool_texture_info *info)
{
    app *a = user;
    (void)info;
    if (texture.id != a->photo.id) {
        return GPOOL_OK; /* the picture is drawn anew in each frame */
    }
    a->refills += 1;
    return gpool_texture_write(pool, texture, NULL, photo_texel, sizeof photo_texel, 0);
}

static gpool_result recover(app *a)
{
    gpool_device *device = NULL;
    gpool_result result = gpool_device_open(NULL, &device);
    if (result != GPOOL_OK) {
        return result; /* no GPU at the moment: try again later */
    }
    gpool_recover_report report;
    result = gpool_recover(a->pool, device,
                           &(gpool_recover_desc){ .user = a, .refill_texture = refill_texture },
                           &report);
    gpool_device_release(result == GPOOL_OK ? a->device : device);
    a->device = result == GPOOL_OK ? device : a->device;
    printf("recovered: %u refilled, %u lost\n", report.refilled, report.lost);
    return result;
}

static void make(app *a)
{
    const float points[6] = { -1.0f, -1.0f, 3.0f, -1.0f, -1.0f, 3.0f };
    gpool *pool = a->pool;
    a->points = gpool_buffer_create(pool, &(gpool_buffer_desc){ .data = points,
                                                                .size = sizeof points,
                                                                .usage = GPOOL_BUFFER_VERTEX,
                                                                .label = "points" });
    a->photo =
        gpool_texture_create(pool, &(gpool_texture_desc){ .width = 1,
                                                          .format = WGPUTextureFormat_RGBA8Unorm,
                                                          .usage = GPOOL_TEXTURE_SAMPLED,
                                                          .data = photo_texel,
                                                          .data_size = sizeof photo_texel,
                                                          .label = "photo" });
    a->picture = gpool_texture_create(
        pool, &(gpool_texture_desc){ .width = 64,
                                     .height = 64,
                                     .format = WGPUTextureFormat_RGBA8Unorm,
                                     .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK,
                                     .label = "picture" });
    const gpool_layout_entry entry = { .type = GPOOL_BINDING_TEXTURE };
    a->layout = gpool_layout_create(
        pool, &(gpool_layout_desc){ .entries = &entry, .entry_count = 1, .label = "photo" });
    gpool_shader shader = gpool_shader_create(pool, &(gpool_shader_desc){ .wgsl = wgsl });
    a->pipeline = gpool_render_pipeline_create(
        pool, &(gpool_render_pipeline_desc){
                  .shader = shader,
                  .layouts = { gpool_uniform_layout(pool), a->layout },
                  .vertex_buffers[0] = { .attributes[0] = { WGPUVertexFormat_Float32x2, 0, 0 } } });
    gpool_shader_destroy(pool, shader); /* the pipeline keeps what it needs, also to recover */
}

int main(void)
{
    app a = { 0 };
    if (gpool_device_open(NULL, &a.device) != GPOOL_OK ||
        gpool_create(a.device, NULL, &a.pool) != GPOOL_OK) {
        return 1; /* the log said why */
    }
    make(&a);
    for (int i = 1; i <= 6; ++i) {
        if (i == 3) { /* a driver does it without being asked */
            gpool_device_gpu(a.device)->DeviceDestroy(gpool_device_raw(a.device));
        }
        gpool_result result = draw(&a, (float)i / 6.0f);
        if (result == GPOOL_ERROR_DEVICE_LOST && recover(&a) == GPOOL_OK) {
            result = draw(&a, (float)i / 6.0f);
        }
        printf("frame %d: %s\n", i, gpool_result_name(result));
    }
    uint8_t pixels[64 * 64][4] = { { 0 } };
    gpool_texture_read(a.pool, a.picture, NULL, pixels, sizeof pixels);
    printf("pixel %d %d %d\n", pixels[0][0], pixels[0][1], pixels[0][2]);
    bool right = pixels[0][0] == 255 && pixels[0][1] == 128 && pixels[0][2] == 64;

    gpool_pipeline_destroy(a.pool, a.pipeline);
    gpool_layout_destroy(a.pool, a.layout);
    gpool_texture_destroy(a.pool, a.picture);
    gpool_texture_destroy(a.pool, a.photo);
    gpool_buffer_destroy(a.pool, a.points);
    gpool_destroy(a.pool);
    gpool_device_release(a.device);
    return right && a.refills == 1 ? 0 : 1;
}
