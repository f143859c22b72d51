/*
 * gpool's own side: gpool_buffer_write_scattered(), gpool_buffer_edit() or a gpool_buffer_write() each, and
 * the frame.
 */
#include "bench_upload.h"

#include <stdlib.h>
#include <string.h>

typedef struct ours_state {
    bench_gpu *gpu;
    gpool *pool;
    gpool_buffer buffer;
    gpool_buffer used; /* what each frame copies four bytes to */
    WGPUBuffer raw;
    WGPUBuffer raw_used;
    uint64_t serial; /* of the last frame */
    uint64_t frames;
    bool busy;
    bool each;
    bool made;
} ours_state;

static void ours_frame(void *state, const upload_writes *writes)
{
    ours_state *s = state;
    bool good = gpool_begin_frame(s->pool) == GPOOL_OK;
    if (s->busy) {
        bench_gpu_use(s->gpu, s->raw, s->raw_used);
    }
    if (s->made) {
        uint8_t *bytes = gpool_buffer_edit(s->pool, s->buffer, 0, writes->size);
        bench_require(bytes != NULL, "a buffer cannot be edited");
        memcpy(bytes, writes->data, writes->size);
    } else if (!s->each) {
        good = gpool_buffer_write_scattered(s->pool, s->buffer, writes->indices, writes->count,
                                            writes->size, writes->data) == GPOOL_OK &&
               good;
    }
    for (uint32_t i = 0; s->each && i < writes->count; ++i) {
        good =
            gpool_buffer_write(s->pool, s->buffer, writes->offsets[i],
                               writes->data + (size_t)i * writes->size, writes->size) == GPOOL_OK &&
            good;
    }
    gpool_copy_buffer(gpool_frame_recorder(s->pool), s->buffer, 0, s->used, 0, 4);
    good = gpool_end_frame(s->pool) == GPOOL_OK && good;
    s->serial = gpool_device_submitted(s->gpu->device);
    s->frames += 1;
    bench_require(good, "a frame fails");
}

/* With a frame out it is gpool_begin_frame() that waits: another look before it would be ours to pay. */
static void ours_wait(void *state, uint64_t most)
{
    ours_state *s = state;
    if (most == 0 && s->frames > 0) {
        const uint64_t serial = s->serial;
        bench_require(gpool_device_wait(s->gpu->device, serial, 10000) == GPOOL_OK, "a wait fails");
    }
}

/* Reads the object itself: gpool_buffer_read() would send what the frames forgot. */
static void ours_read(void *state, uint8_t *target)
{
    ours_state *s = state;
    bench_gpu_read(s->gpu, s->raw, target, gpool_device_gpu(s->gpu->device)->BufferGetSize(s->raw));
}

static uint64_t ours_calls(void *state)
{
    gpool_stats stats;
    bench_require(gpool_get_stats(((ours_state *)state)->pool, &stats) == GPOOL_OK,
                  "there are no counters");
    return stats.gpu_calls;
}

static void ours_close(void *state)
{
    ours_state *s = state;
    (void)gpool_buffer_destroy(s->pool, s->buffer);
    (void)gpool_buffer_destroy(s->pool, s->used);
    gpool_destroy(s->pool);
    free(s);
}

void upload_open_ours(upload_side *side, bench_gpu *gpu, const upload_load *load,
                      gpool_upload_way way)
{
    static const char *const names[GPOOL_UPLOAD_COUNT] = { "gpool", "gpool direct", "gpool merged",
                                                           "gpool scatter", "gpool whole" };
    const gpool_desc desc = { .frames_in_flight = 2, .label = names[way], .upload.force = way };
    const gpool_buffer_desc buffer_desc = {
        .size = load->buffer_size,
        .usage = GPOOL_BUFFER_STORAGE | GPOOL_BUFFER_COPY_SOURCE,
        .label = "bench",
    };
    const gpool_buffer_desc used_desc = {
        .size = 4,
        .usage = GPOOL_BUFFER_COPY_TARGET,
        .label = "used",
    };
    ours_state *s = bench_alloc(1, sizeof *s);
    s->gpu = gpu;
    bench_require(gpool_create(gpu->device, &desc, &s->pool) == GPOOL_OK, "the pool is not made");
    s->buffer = gpool_buffer_create(s->pool, &buffer_desc);
    s->used = gpool_buffer_create(s->pool, &used_desc);
    s->raw = gpool_buffer_gpu(s->pool, s->buffer, GPOOL_ACCESS_READ);
    s->raw_used = gpool_buffer_gpu(s->pool, s->used, GPOOL_ACCESS_WRITE);
    s->busy = load->pace == UPLOAD_BUSY;
    s->made = load->made;
    const bool idle = load->pace == UPLOAD_IDLE;
    bench_require(s->raw != NULL && s->raw_used != NULL, "a buffer is not made");
    *side = (upload_side){
        .name = names[way],
        .total_name = idle ? "total_ms_ours_idle" : "total_ms_ours",
        .cpu_name = idle ? "cpu_ms_ours_idle" : "cpu_ms_ours",
        .calls_name = idle ? NULL : "calls_ours",
        .most = idle ? 0 : 1,
        .state = s,
        .frame = ours_frame,
        .wait = ours_wait,
        .read = ours_read,
        .calls = ours_calls,
        .close = ours_close,
    };
}

void upload_open_ours_each(upload_side *side, bench_gpu *gpu, const upload_load *load)
{
    upload_open_ours(side, gpu, load, GPOOL_UPLOAD_AUTO);
    ours_state *s = side->state;
    s->each = true;
    s->made = false;
    side->name = "gpool, a call each";
    side->total_name = "total_ms_ours_each";
    side->cpu_name = "cpu_ms_ours_each";
    side->calls_name = NULL;
}
