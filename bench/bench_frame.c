/* The pool's frame, destruction and memory, on a GPU that does nothing. */
#include "bench.h"
#include "bench_stub_gpu.h"

#include <gpool/gpool.h>

#include <stdlib.h>
#include <string.h>

#define FRAME_ITEMS       2000u
#define FRAME_BUFFER_SIZE 64u
#define FRAME_LABEL       "bench"

/* Bytes that are out of the allocator. */
typedef struct frame_memory {
    uint64_t bytes;
    uint64_t blocks;
} frame_memory;

/* A pool with live buffers. */
typedef struct frame_pool {
    gpool_device *device;
    gpool *pool;
    gpool_buffer *buffers;
    uint64_t count;
    frame_memory memory;
} frame_pool;

static void *frame_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    frame_memory *memory = user;
    void *moved = NULL;
    if (new_size == 0) {
        free(block);
    } else {
        moved = realloc(block, new_size);
        if (moved == NULL) {
            return NULL;
        }
    }
    memory->bytes += new_size;
    memory->bytes -= old_size;
    memory->blocks += block == NULL;
    memory->blocks -= new_size == 0;
    return moved;
}

static void frame_run(gpool *pool)
{
    bench_require(gpool_begin_frame(pool) == GPOOL_OK && gpool_end_frame(pool) == GPOOL_OK,
                  "a frame fails");
}

static gpool_stats frame_stats(const gpool *pool)
{
    gpool_stats stats;
    bench_require(gpool_get_stats(pool, &stats) == GPOOL_OK, "there are no counters");
    return stats;
}

static void frame_open(frame_pool *f)
{
    *f = (frame_pool){ .device = bench_stub_open() };
    const gpool_desc desc = {
        .label = "bench",
        .allocator = { .resize = frame_resize, .user = &f->memory },
    };
    bench_require(gpool_create(f->device, &desc, &f->pool) == GPOOL_OK, "the pool is not made");
}

/* Makes buffers with data; frames afterwards bring it all to the GPU and let things settle. */
static void frame_fill(frame_pool *f, uint64_t count)
{
    static const uint8_t data[FRAME_BUFFER_SIZE] = { 1 };
    const gpool_buffer_desc desc = {
        .data = data,
        .size = sizeof data,
        .usage = GPOOL_BUFFER_VERTEX,
        .label = FRAME_LABEL,
    };
    f->count = count;
    f->buffers = bench_alloc(count, sizeof *f->buffers);
    for (uint64_t i = 0; i < count; ++i) {
        f->buffers[i] = gpool_buffer_create(f->pool, &desc);
        bench_require(f->buffers[i].id != 0, "a buffer is not made");
    }
    for (int i = 0; i < 4; ++i) {
        frame_run(f->pool);
    }
}

static void frame_close(frame_pool *f)
{
    for (uint64_t i = 0; i < f->count; ++i) {
        (void)gpool_buffer_destroy(f->pool, f->buffers[i]); /* else each is logged as a leak */
    }
    gpool_destroy(f->pool);
    gpool_device_release(f->device);
    free(f->buffers);
    bench_require(f->memory.blocks == 0 && f->memory.bytes == 0, "the pool leaks memory");
}

static void frame_idle_work(void *state, uint64_t count)
{
    const frame_pool *f = state;
    for (uint64_t i = 0; i < count; ++i) {
        frame_run(f->pool);
    }
}

void bench_frame_idle(bench_run *run, bench_row *row, uint64_t argument)
{
    frame_pool f;
    frame_open(&f);
    frame_fill(&f, bench_objects(run, argument));
    const gpool_stats before = frame_stats(f.pool);
    bench_measure(run, row, (bench_side){ .work = frame_idle_work, .state = &f }, NULL,
                  FRAME_ITEMS);
    const gpool_stats after = frame_stats(f.pool);
    const double frames = (double)(after.frame - before.frame);
    row->implementation = "stub";
    bench_add_counter(row, "live", (double)after.live_count[GPOOL_KIND_BUFFER]);
    bench_add_counter(row, "frames", frames);
    bench_add_counter(row, "visited", (double)(after.visited - before.visited));
    bench_add_counter(row, "allocations", (double)(after.allocations - before.allocations));
    bench_add_counter(row, "submits", (double)(after.submits - before.submits));
    bench_add_counter(row, "gpu_calls_per_frame",
                      (double)(after.gpu_calls - before.gpu_calls) / frames);
    frame_close(&f);
}

void bench_destroy_burst(bench_run *run, bench_row *row, uint64_t argument)
{
    frame_pool f;
    frame_open(&f);
    frame_fill(&f, bench_objects(run, argument));
    const int64_t live_before = bench_stub_live_buffers();
    bench_require(gpool_begin_frame(f.pool) == GPOOL_OK, "a frame fails");
    const uint64_t begin = bench_cpu_ns();
    for (uint64_t i = 0; i < f.count; ++i) {
        bench_require(gpool_buffer_destroy(f.pool, f.buffers[i]) == GPOOL_OK,
                      "a destroy is refused");
    }
    const double destroy_ns = (double)(bench_cpu_ns() - begin) / (double)f.count;
    gpool_stats last = frame_stats(f.pool);
    const uint64_t freed_before = last.freed;
    uint64_t most = 0;
    uint64_t most_ns = 0;
    uint64_t frames = 0;
    const uint64_t enough = f.count; /* frames: a budget of one would still end here */
    bool open = true;
    while (last.retired_count > 0 && frames < enough) {
        const uint64_t frame_begin = bench_cpu_ns();
        if (!open) {
            bench_require(gpool_begin_frame(f.pool) == GPOOL_OK, "a frame fails");
        }
        bench_require(gpool_end_frame(f.pool) == GPOOL_OK, "a frame fails");
        open = false;
        const uint64_t taken = bench_cpu_ns() - frame_begin;
        const gpool_stats now = frame_stats(f.pool);
        most = now.freed - last.freed > most ? now.freed - last.freed : most;
        most_ns = taken > most_ns ? taken : most_ns;
        frames += 1;
        last = now;
    }
    row->implementation = "stub";
    bench_set_ours(row, (double)most);
    bench_add_counter(row, "destroyed", (double)f.count);
    bench_add_counter(row, "freed", (double)(last.freed - freed_before));
    bench_add_counter(row, "gpu_buffers_released",
                      (double)(live_before - bench_stub_live_buffers()));
    bench_add_counter(row, "left", (double)last.retired_count);
    bench_add_counter(row, "frames_until_all_freed", (double)frames);
    bench_add_counter(row, "destroy_ns_each", destroy_ns);
    bench_add_counter(row, "longest_frame_ns", (double)most_ns);
    f.count = 0;
    frame_close(&f);
}

void bench_memory_buffer(bench_run *run, bench_row *row, uint64_t argument)
{
    frame_pool f;
    frame_open(&f);
    const uint64_t bytes_before = f.memory.bytes;
    const uint64_t blocks_before = f.memory.blocks;
    frame_fill(&f, bench_objects(run, argument));
    const double count = (double)f.count;
    const double all = (double)(f.memory.bytes - bytes_before);
    /* Known from the descriptor: the shadow, one word of dirty map for each 4096 bytes, the label. */
    const double shadow = FRAME_BUFFER_SIZE;
    const double map = (double)((FRAME_BUFFER_SIZE + 4095) / 4096 * 8);
    const double label = (double)(strlen(FRAME_LABEL) + 1);
    row->implementation = "stub";
    bench_set_ours(row, all / count - shadow - map - label);
    bench_add_counter(row, "buffers", count);
    bench_add_counter(row, "bytes_in_all_each", all / count);
    bench_add_counter(row, "shadow_each", shadow);
    bench_add_counter(row, "dirty_map_each", map);
    bench_add_counter(row, "label_each", label);
    bench_add_counter(row, "blocks_each", (double)(f.memory.blocks - blocks_before) / count);
    frame_close(&f);
}
