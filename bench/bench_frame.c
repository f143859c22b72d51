/* The pool's frame, destruction and memory, on the simulator. */
#include "bench.h"
#include "bench_sim.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_ITEMS       2000u
#define FRAME_BUFFER_SIZE 64u
#define FRAME_MAP_HEAD    16u /* sizeof(gpool_dirty_map), which the bench does not see */
#define FRAME_LABEL       "bench"

/* Bytes that are out of the allocator. */
typedef struct frame_memory {
    uint64_t bytes;
    uint64_t blocks;
} frame_memory;

/* A pool with live buffers. */
typedef struct frame_pool {
    bench_sim on;
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

static void frame_open(frame_pool *f)
{
    *f = (frame_pool){ 0 };
    bench_sim_open(&f->on);
    const gpool_desc desc = {
        .label = "bench",
        .recycle = { .off = true }, /* what is freed is gone, and counted */
        .allocator = { .resize = frame_resize, .user = &f->memory },
    };
    bench_require(gpool_create(f->on.device, &desc, &f->pool) == GPOOL_OK, "the pool is not made");
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

static void frame_close(frame_pool *f, bench_row *row)
{
    for (uint64_t i = 0; i < f->count; ++i) {
        (void)gpool_buffer_destroy(f->pool, f->buffers[i]); /* else each is logged as a leak */
    }
    gpool_destroy(f->pool);
    bench_sim_close(&f->on, row);
    free(f->buffers);
    bench_add_limited(row, "cpu_bytes_left", (double)f->memory.bytes, 0);
}

static void frame_idle_work(void *state, uint64_t count)
{
    const frame_pool *f = state;
    for (uint64_t i = 0; i < count; ++i) {
        frame_run(f->pool);
    }
}

/* What an idle frame asks of the simulator, called straight. */
static void frame_poll_work(void *state, uint64_t count)
{
    const frame_pool *f = state;
    WGPUInstance instance = gpool_device_raw_instance(f->on.device);
    for (uint64_t i = 0; i < count; ++i) {
        f->on.table.InstanceProcessEvents(instance);
    }
}

/* The simulator was measured as the peer, pair by pair; it is a part of ours. */
static void frame_take_part(bench_row *row, double polls)
{
    const double simulator = polls * row->peer_spread.median;
    bench_add_counter(row, "ns_of_the_simulator", simulator);
    bench_add_counter(row, "ns_of_gpool", row->ours.median - simulator);
    if (isfinite(row->peer_instructions)) {
        bench_add_counter(row, "instructions_of_the_simulator", polls * row->peer_instructions);
    }
    row->peer = NULL;
    row->ratio = NAN;
    row->ratio_p10 = NAN;
    row->ratio_p90 = NAN;
    row->peer_instructions = NAN;
}

void bench_frame_idle(bench_run *run, bench_row *row, uint64_t argument)
{
    frame_pool f;
    frame_open(&f);
    frame_fill(&f, bench_objects(run, argument));
    const gpool_stats before = bench_sim_stats(f.pool);
    bench_measure(run, row, (bench_side){ .work = frame_idle_work, .state = &f },
                  &(bench_side){ .name = "simulator", .work = frame_poll_work, .state = &f },
                  FRAME_ITEMS);
    const gpool_stats after = bench_sim_stats(f.pool);
    const double frames = (double)(after.frame - before.frame);
    const double polls = (double)(after.gpu_calls - before.gpu_calls) / frames;
    bench_add_counter(row, "live", (double)after.live_count[GPOOL_KIND_BUFFER]);
    bench_add_counter(row, "frames", frames);
    bench_add_limited(row, "visited", (double)(after.visited - before.visited), 0);
    bench_add_limited(row, "allocations", (double)(after.allocations - before.allocations), 0);
    bench_add_limited(row, "submits", (double)(after.submits - before.submits), 0);
    bench_add_limited(row, "polls_per_frame", polls, 1);
    frame_take_part(row, polls);
    frame_close(&f, row);
}

/* What a burst of destroys did. */
typedef struct frame_burst {
    uint64_t destroyed;
    uint64_t freed;
    uint64_t gpu_buffers_left;
    uint64_t left;
    uint64_t frames;
    uint64_t most;     /* freed in one frame */
    double share;      /* largest part of a frame's budget that was used */
    double destroy_ns; /* of one call */
    double longest_ns; /* of a frame */
    double frames_ns;  /* of all frames */
} frame_burst;

/* Objects that a frame may free: those of a burst of any size are gone after a few dozen frames. */
static uint64_t frame_budget(uint64_t retired)
{
    return retired / 4 > 1024 ? retired / 4 : 1024;
}

static void frame_burst_frames(frame_pool *f, frame_burst *burst)
{
    gpool_stats last = bench_sim_stats(f->pool);
    const uint64_t enough = f->count; /* frames: a budget of one would still end here */
    bool open = true;
    while (last.retired_count > 0 && burst->frames < enough) {
        const uint64_t begin = bench_cpu_ns();
        if (!open) {
            bench_require(gpool_begin_frame(f->pool) == GPOOL_OK, "a frame fails");
        }
        bench_require(gpool_end_frame(f->pool) == GPOOL_OK, "a frame fails");
        open = false;
        const double taken = (double)(bench_cpu_ns() - begin);
        const gpool_stats now = bench_sim_stats(f->pool);
        const uint64_t freed = now.freed - last.freed;
        const double share = (double)freed / (double)frame_budget(last.retired_count);
        burst->share = share > burst->share ? share : burst->share;
        burst->most = freed > burst->most ? freed : burst->most;
        burst->longest_ns = taken > burst->longest_ns ? taken : burst->longest_ns;
        burst->frames_ns += taken;
        burst->freed += freed;
        burst->frames += 1;
        last = now;
    }
    burst->left = last.retired_count;
}

static frame_burst frame_run_burst(uint64_t count, bench_row *row)
{
    frame_pool f;
    frame_burst burst = { .destroyed = count };
    frame_open(&f);
    const uint64_t gpu_before = sim_kept(f.on.sim, SIM_KIND_BUFFER);
    frame_fill(&f, count);
    bench_require(gpool_begin_frame(f.pool) == GPOOL_OK, "a frame fails");
    const uint64_t begin = bench_cpu_ns();
    for (uint64_t i = 0; i < count; ++i) {
        bench_require(gpool_buffer_destroy(f.pool, f.buffers[i]) == GPOOL_OK,
                      "a destroy is refused");
    }
    burst.destroy_ns = (double)(bench_cpu_ns() - begin) / (double)count;
    frame_burst_frames(&f, &burst);
    burst.gpu_buffers_left = sim_kept(f.on.sim, SIM_KIND_BUFFER) - gpu_before;
    f.count = 0;
    frame_close(&f, row);
    return burst;
}

void bench_destroy_burst(bench_run *run, bench_row *row, uint64_t argument)
{
    const frame_burst burst = frame_run_burst(bench_objects(run, argument), row);
    bench_set_ours(row, burst.share);
    bench_add_counter(row, "destroyed", (double)burst.destroyed);
    bench_add_counter(row, "most_freed_in_a_frame", (double)burst.most);
    bench_add_limited(row, "not_freed", (double)(burst.destroyed - burst.freed), 0);
    bench_add_limited(row, "left", (double)burst.left, 0);
    bench_add_limited(row, "gpu_buffers_left", (double)burst.gpu_buffers_left, 0);
    bench_add_counter(row, "frames_until_all_freed", (double)burst.frames);
    bench_add_counter(row, "destroy_ns_each", burst.destroy_ns);
    bench_add_counter(row, "free_ns_each_with_the_simulator",
                      burst.frames_ns / (double)burst.freed);
    bench_add_counter(row, "longest_frame_ns_with_the_simulator", burst.longest_ns);
}

void bench_memory_buffer(bench_run *run, bench_row *row, uint64_t argument)
{
    (void)run; /* few buffers would each bear more of what is taken in blocks */
    frame_pool f;
    frame_open(&f);
    const uint64_t bytes_before = f.memory.bytes;
    const uint64_t blocks_before = f.memory.blocks;
    frame_fill(&f, argument);
    const double count = (double)f.count;
    const double all = (double)(f.memory.bytes - bytes_before);
    /* Known from the descriptor: the shadow, the dirty map (its head and a word for each 4096 bytes),
     * the label. */
    const double shadow = FRAME_BUFFER_SIZE;
    const double map =
        (double)(FRAME_MAP_HEAD + (FRAME_BUFFER_SIZE + 4095) / 4096 * sizeof(uint64_t));
    const double label = (double)(strlen(FRAME_LABEL) + 1);
    bench_set_ours(row, all / count - shadow - map - label);
    bench_add_counter(row, "buffers", count);
    bench_add_counter(row, "bytes_in_all_each", all / count);
    bench_add_counter(row, "shadow_each", shadow);
    bench_add_counter(row, "dirty_map_each", map);
    bench_add_counter(row, "label_each", label);
    bench_add_counter(row, "blocks_each", (double)(f.memory.blocks - blocks_before) / count);
    frame_close(&f, row);
}
