/* Buffers: every usage, contents through writes and resizes, imports, bursts. */
#include "fault.h"

#include <string.h>

/* Buffers with a shadow: odd sizes, partial writes, growing and shrinking. */
static gpool_result scenario_buffers(fault_world *w)
{
    static fault_buffer a;
    static fault_buffer b;
    uint8_t bytes[2000];
    fault_pattern(bytes, sizeof bytes, 3);
    fault_buffer_make(w, &a, GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_INDEX | GPOOL_BUFFER_READ_BACK, 103,
                      bytes);
    fault_buffer_make(w, &b, GPOOL_BUFFER_UNIFORM | GPOOL_BUFFER_STORAGE | GPOOL_BUFFER_READ_BACK,
                      1024, NULL);
    (void)fault_buffer_write(w, &a, 5, bytes + 7, 50);
    (void)fault_buffer_write(w, &b, 900, bytes, 100);
    static const uint32_t few[] = { 9, 2, 9, 3 };
    (void)fault_buffer_scattered(w, &a, few, 4, 7, bytes + 200);
    (void)fault_buffer_scattered(w, &b, few, 4, 64, bytes + 300);
    fault_buffer_check(w, &a);
    (void)FAULT_DO(w, 0, gpool_process_uploads(w->pool));
    (void)fault_buffer_resize(w, &a, 2000);
    (void)fault_buffer_write(w, &a, 1000, bytes, 1000);
    fault_buffer_check(w, &b);
    fault_buffer_check(w, &a);
    (void)fault_buffer_resize(w, &a, 33);
    (void)fault_buffer_write(w, &a, 0, bytes + 1, 33);
    (void)fault_buffer_resize(w, &a, 70);
    fault_buffer_check(w, &a);
    WGPUBuffer raw =
        FAULT_GET(w, b.handle.id, gpool_buffer_gpu(w->pool, b.handle, GPOOL_ACCESS_READ));
    gpool_buffer_info info;
    FAULT_EXPECT(w, raw == NULL || (gpool_buffer_get_info(w->pool, b.handle, &info) == GPOOL_OK &&
                                    info.dirty_bytes == 0));
    fault_destroy(w, b.handle.id);
    fault_buffer_check(w, &a);
    return fault_end(w);
}

/* Buffers that commands may write: bytes go to the queue at once, a resize copies on the GPU. */
static gpool_result scenario_gpu_written(fault_world *w)
{
    static fault_buffer a;
    static fault_buffer b;
    uint8_t bytes[512];
    fault_pattern(bytes, sizeof bytes, 4);
    fault_buffer_make(w, &a,
                      GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_INDIRECT | GPOOL_BUFFER_READ_BACK,
                      256, bytes);
    fault_buffer_make(w, &b,
                      GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_QUERY_TARGET | GPOOL_BUFFER_READ_BACK,
                      64, bytes);
    (void)fault_buffer_write(w, &a, 8, bytes + 100, 24);
    (void)fault_buffer_resize(w, &a, 400);
    (void)fault_buffer_write(w, &a, 300, bytes, 100);
    fault_buffer_check(w, &a);
    static const uint32_t few[] = { 3, 4, 1, 3 };
    (void)fault_buffer_scattered(w, &a, few, 4, 16, bytes + 200);
    fault_buffer_check(w, &a);
    /* Handed out for writing, it becomes gpu-written; what was dirty is sent first. */
    (void)fault_buffer_write(w, &b, 4, bytes + 50, 8);
    WGPUBuffer raw =
        FAULT_GET(w, b.handle.id, gpool_buffer_gpu(w->pool, b.handle, GPOOL_ACCESS_WRITE));
    gpool_buffer_info info = { 0 };
    FAULT_EXPECT(w, raw == NULL || (gpool_buffer_get_info(w->pool, b.handle, &info) == GPOOL_OK &&
                                    info.gpu_written));
    (void)fault_buffer_write(w, &b, 0, bytes + 60, 4);
    (void)FAULT_DO(w, 0, gpool_process_uploads(w->pool));
    (void)fault_buffer_resize(w, &b, 128);
    (void)fault_buffer_resize(w, &a, 100);
    fault_buffer_check(w, &b);
    fault_buffer_check(w, &a);
    return fault_end(w);
}

/* Foreign buffers and textures, for this frame and for longer. */
static gpool_result scenario_imports(fault_world *w)
{
    uint8_t bytes[64] = { 0 };
    uint8_t texels[64];
    fault_pattern(texels, sizeof texels, 5);
    gpool_buffer_import_desc buffer = { .buffer = w->raw.buffer,
                                        .usage = GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_READ_BACK |
                                                 GPOOL_BUFFER_COPY_TARGET,
                                        .label = "import" };
    gpool_texture_import_desc texture = { .texture = w->raw.texture,
                                          .usage = GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_TARGET |
                                                   GPOOL_TEXTURE_READ_BACK |
                                                   GPOOL_TEXTURE_COPY_TARGET,
                                          .label = "import" };
    gpool_buffer kept = FAULT_MAKE(w, gpool_buffer, gpool_buffer_import(w->pool, &buffer));
    gpool_texture seen = FAULT_MAKE(w, gpool_texture, gpool_texture_import(w->pool, &texture));
    bool read = FAULT_DO(w, kept.id, gpool_buffer_read(w->pool, kept, 0, bytes, sizeof bytes));
    for (uint8_t i = 0; read && i < 64; ++i) {
        FAULT_EXPECT(w, bytes[i] == i);
    }
    if (FAULT_DO(w, seen.id, gpool_texture_write(w->pool, seen, NULL, texels, 64, 0)) &&
        FAULT_DO(w, seen.id, gpool_texture_read(w->pool, seen, NULL, bytes, sizeof bytes))) {
        FAULT_EXPECT(w, memcmp(bytes, texels, sizeof bytes) == 0);
    }
    (void)FAULT_DO(w, 0, gpool_begin_frame(w->pool));
    buffer.this_frame = true;
    texture.this_frame = true;
    gpool_buffer soon = { 0 };
    for (int i = 0; i < 10; ++i) {
        soon = FAULT_MAKE_BRIEF(w, gpool_buffer, gpool_buffer_import(w->pool, &buffer));
    }
    gpool_texture picture =
        FAULT_MAKE_BRIEF(w, gpool_texture, gpool_texture_import(w->pool, &texture));
    (void)FAULT_GET(w, picture.id,
                    gpool_texture_gpu_view(w->pool, picture, NULL, GPOOL_ACCESS_READ));
    (void)FAULT_GET(w, picture.id, gpool_texture_gpu(w->pool, picture, GPOOL_ACCESS_READ));
    fault_destroy(w, soon.id);
    gpool_recorder rec = gpool_frame_recorder(w->pool);
    gpool_render_desc pass = { .color[0] = { .texture = picture,
                                             .clear = { 1.0, 0.0, 0.0, 1.0 } } };
    gpool_begin_render(rec, &pass);
    gpool_end_pass(rec);
    bool drawn = FAULT_DO(w, 0, gpool_end_frame(w->pool));
    FAULT_EXPECT(w, picture.id == 0 ||
                        gpool_texture_get_info(w->pool, picture, &(gpool_texture_info){ 0 }) ==
                            GPOOL_ERROR_STALE_HANDLE);
    if (drawn && FAULT_DO(w, seen.id, gpool_texture_read(w->pool, seen, NULL, bytes, 64))) {
        FAULT_EXPECT(w, !fault_is_whole(w) || (bytes[0] == 255 && bytes[1] == 0));
    }
    /* The next world expects the bytes as they were made. */
    return fault_end(w);
}

/* Many short lives over many frames: slots and retired objects are reused. */
static gpool_result scenario_bursts(fault_world *w)
{
    gpool_buffer_desc buffer = { .size = 64, .usage = GPOOL_BUFFER_VERTEX, .label = "short" };
    gpool_texture_desc texture = { .width = 2,
                                   .height = 2,
                                   .format = WGPUTextureFormat_R8Unorm,
                                   .usage = GPOOL_TEXTURE_SAMPLED,
                                   .label = "short" };
    uint8_t bytes[64] = { 1 };
    for (int frame = 0; frame < 4; ++frame) {
        (void)FAULT_DO(w, 0, gpool_begin_frame(w->pool));
        gpool_buffer buffers[18];
        gpool_texture textures[4];
        for (int i = 0; i < 18; ++i) {
            buffers[i] = FAULT_MAKE(w, gpool_buffer, gpool_buffer_create(w->pool, &buffer));
        }
        for (int i = 0; i < 4; ++i) {
            textures[i] = FAULT_MAKE(w, gpool_texture, gpool_texture_create(w->pool, &texture));
        }
        (void)FAULT_DO(w, buffers[0].id, gpool_buffer_write(w->pool, buffers[0], 0, bytes, 64));
        for (int i = 0; i < 18; ++i) {
            fault_destroy(w, buffers[i].id);
        }
        for (int i = 0; i < 4; ++i) {
            fault_destroy(w, textures[i].id);
        }
        (void)FAULT_DO(w, 0, gpool_end_frame(w->pool));
    }
    (void)FAULT_DO(w, 0, gpool_process_deletions(w->pool));
    (void)FAULT_DO(w, 0, gpool_wait_idle(w->pool));
    (void)FAULT_DO(w, 0, gpool_tick(w->pool));
    return fault_end(w);
}

FAULT_SWEEP(buffers, scenario_buffers)
FAULT_SWEEP(gpu_written, scenario_gpu_written)
FAULT_SWEEP(imports, scenario_imports)
FAULT_SWEEP(bursts, scenario_bursts)
