/*
 * The device is lost again and again, and the sketch goes on with the next one: handles stay, contents
 * stay, and memory does not grow. Refill callbacks give back what only the GPU had.
 */
#include "bench_sketch.h"

#include <stdlib.h>
#include <string.h>

/* Frames between two losses. */
#define RECOVER_FRAMES 2u

static gpool_result recover_fill_buffer(void *user, gpool *pool, gpool_buffer buffer,
                                        const gpool_buffer_info *info)
{
    const sketch *s = user;
    for (uint32_t i = 0; i < SKETCH_BUFFERS; ++i) {
        const sketch_buffer *b = &s->buffers[i];
        if (b->buffer.id == buffer.id && b->size == info->size) {
            return gpool_buffer_write(pool, buffer, 0, b->bytes, b->size);
        }
    }
    return GPOOL_ERROR_STALE_HANDLE;
}

static gpool_result recover_fill_texture(void *user, gpool *pool, gpool_texture texture,
                                         const gpool_texture_info *info)
{
    const sketch *s = user;
    for (uint32_t i = 0; i < SKETCH_PICTURES; ++i) {
        const sketch_picture *p = &s->pictures[i];
        if (p->texture.id == texture.id && p->width == info->width && p->height == info->height) {
            return gpool_texture_write(pool, texture, NULL, p->texels,
                                       (size_t)p->width * p->height * 4, 0);
        }
    }
    /* Targets are drawn anew in each frame. */
    return texture.id == s->target.id || texture.id == s->depth.id ? GPOOL_OK
                                                                   : GPOOL_ERROR_STALE_HANDLE;
}

/* Every buffer and picture is read and compared through the handle of before. */
static void recover_read_all(sketch *s)
{
    for (uint32_t i = 0; i < SKETCH_BUFFERS; ++i) {
        sketch_read_buffer(s, i);
    }
    for (uint32_t i = 0; i < SKETCH_PICTURES; ++i) {
        sketch_read_picture(s, i);
    }
}

/* A frame on a lost device: wgpu-native tells a loss only in an encoder. True when it was told. */
static bool recover_is_told(sketch *s)
{
    gpool_result result = gpool_begin_frame(s->pool);
    if (result == GPOOL_OK) {
        gpool_push_group(gpool_frame_recorder(s->pool), "lost");
        result = gpool_end_frame(s->pool);
    }
    return result == GPOOL_ERROR_DEVICE_LOST;
}

static uint64_t recover_once(sketch *s)
{
    gpool_device *next = NULL;
    const gpool_device_desc device = { .gpu = &s->on.table, .label = "simulator" };
    gpool_recover_report report;
    sim_lose(s->on.sim);
    uint64_t wrong = !recover_is_told(s);
    bench_require(gpool_device_open(&device, &next) == GPOOL_OK, "the simulator does not open");
    const gpool_recover_desc desc = { .user = s,
                                      .refill_buffer = recover_fill_buffer,
                                      .refill_texture = recover_fill_texture };
    bench_require(gpool_recover(s->pool, next, &desc, &report) == GPOOL_OK, "no recovery");
    wrong += report.lost;
    for (int kind = 0; kind < GPOOL_KIND_COUNT; ++kind) {
        wrong += report.failed[kind];
    }
    gpool_device_release(s->on.device);
    s->on.device = next;
    /* The window's picture is a program's own object, of the device it was made on. */
    sketch_renew_surface(s);
    return wrong;
}

void bench_recover(bench_run *run, bench_row *row, uint64_t argument)
{
    const uint64_t losses = bench_repeats(run, argument);
    sketch *s = bench_alloc(1, sizeof *s);
    sketch_sample first;
    sketch_sample last;
    uint64_t wrong = 0;
    uint64_t handles = 0;
    sketch_open(s);
    const uint64_t begin = bench_wall_ns();
    for (uint64_t i = 1; i <= losses; ++i) {
        for (uint32_t frame = 0; frame < RECOVER_FRAMES; ++frame) {
            sketch_run(s);
        }
        sketch_buffer before[SKETCH_BUFFERS];
        memcpy(before, s->buffers, sizeof before);
        wrong += recover_once(s);
        for (uint32_t b = 0; b < SKETCH_BUFFERS; ++b) {
            gpool_buffer_info info;
            handles += gpool_buffer_get_info(s->pool, before[b].buffer, &info) != GPOOL_OK;
        }
        recover_read_all(s);
        if (i == losses / 10) {
            sketch_take(s, &first);
        }
    }
    const double seconds = (double)(bench_wall_ns() - begin) * 1e-9;
    sketch_take(s, &last);
    sketch_compare(run, row, &first, &last);
    bench_add_limited(row, "wrong_reads", (double)s->wrong, 0);
    bench_add_limited(row, "handles_gone", (double)handles, 0);
    bench_add_limited(row, "lost_or_failed", (double)wrong, 0);
    bench_add_counter(row, "losses", (double)losses);
    bench_add_counter(row, "reads", (double)s->reads);
    bench_add_counter(row, "seconds", seconds);
    sketch_close(s, row);
    bench_add_limited(row, "errors", (double)s->errors, 0);
    free(s);
}
