/*
 * Compaction of one slab that a long history has left half full: how far the free memory comes together,
 * in how many frames, and whether each keeps to its budget. On the simulator, which counts what is copied.
 */
#include "bench_mesh.h"

#include <stdlib.h>
#include <string.h>

#define COMPACT_SLAB   (UINT64_C(256) << 20)
#define COMPACT_BUDGET (UINT64_C(1) << 20)
#define COMPACT_LEAST  64.0
#define COMPACT_MOST   262144.0
#define COMPACT_CALLS  256u /* creates and destroys between two frames, in which memory comes back */
#define COMPACT_TOTAL  1000000u
#define COMPACT_IDLE   16u /* frames without a move after which it is over */
#define COMPACT_SLOTS  65536u
#define COMPACT_QUICK  16u /* a quick run has slab, meshes and budget so much smaller */

typedef struct compact_state {
    gpool *pool;
    gpool_heap heap;
    gpool_mesh meshes[COMPACT_SLOTS];
    uint64_t sizes[COMPACT_SLOTS];
    uint32_t count;
    uint64_t live_bytes;
    uint64_t slab_size;
    double most;      /* bytes of a mesh */
    uint64_t budget;  /* of a frame */
    uint64_t percent; /* of it that is full during most of the calls */
    uint64_t random;
} compact_state;

static gpool_heap_info compact_info(const compact_state *c)
{
    gpool_heap_info info;
    bench_require(gpool_heap_get_info(c->pool, c->heap, &info) == GPOOL_OK, "there is no heap");
    return info;
}

/* Zeros: what the bytes are does not matter here, and moves copy them all the same. */
static void compact_make(compact_state *c)
{
    const uint64_t size = bench_mesh_size(&c->random, COMPACT_LEAST, c->most);
    const gpool_mesh mesh =
        gpool_mesh_create(c->pool, &(gpool_mesh_desc){ .heap = c->heap,
                                                       .vertex_count = (uint32_t)(size / 4),
                                                       .vertex_stride = 4,
                                                       .keep = GPOOL_KEEP_DROP });
    bench_require(mesh.id != 0 && c->count < COMPACT_SLOTS, "a mesh is not made");
    c->meshes[c->count] = mesh;
    c->sizes[c->count] = size / 4 * 4;
    c->live_bytes += c->sizes[c->count];
    c->count += 1;
}

static void compact_destroy(compact_state *c)
{
    const uint32_t at = (uint32_t)(bench_random(&c->random) % c->count);
    bench_require(gpool_mesh_destroy(c->pool, c->meshes[at]) == GPOOL_OK, "a destroy is refused");
    c->live_bytes -= c->sizes[at];
    c->count -= 1;
    c->meshes[at] = c->meshes[c->count];
    c->sizes[at] = c->sizes[c->count];
}

/* So many creates and destroys in random order, of which the last ones bring the slab down to a half: an
 * allocator that fills the lowest holes first must have been fuller to leave many. */
static void compact_scatter(compact_state *c, uint64_t calls)
{
    for (uint64_t i = 0; i < calls; ++i) {
        const uint64_t full =
            i < calls - calls / 16 ? c->slab_size / 100 * c->percent : c->slab_size / 2;
        const bool fill = c->live_bytes < full;
        const bool grow = bench_random(&c->random) % 4 != 0 ? fill : !fill;
        if (c->count == 0 || grow) {
            compact_make(c);
        } else {
            compact_destroy(c);
        }
        if (i % COMPACT_CALLS == 0) {
            bench_on_frame(c->pool);
        }
    }
    for (int i = 0; i < 8; ++i) { /* what was destroyed last is free, too */
        bench_on_frame(c->pool);
    }
}

typedef struct compact_result {
    uint64_t frames; /* until the last move */
    uint64_t enough; /* until nine tenths of the free bytes are together */
    uint64_t moved;
    uint64_t copied;
    uint64_t copied_enough; /* until then */
    uint64_t most;          /* copied in one frame */
    uint64_t ns;            /* CPU time of the frames */
    uint64_t longest_ns;
} compact_result;

static double compact_share(const gpool_heap_info *info)
{
    return (double)info->largest_free / (double)info->free_bytes;
}

static compact_result compact_run(compact_state *c)
{
    compact_result result = { 0 };
    gpool_heap_info before = compact_info(c);
    for (uint64_t frame = 1, last = 0; frame - last <= COMPACT_IDLE; ++frame) {
        bench_require(gpool_heap_compact(c->pool, c->heap, c->budget) == GPOOL_OK,
                      "a heap cannot be compacted");
        const uint64_t begin = bench_cpu_ns();
        bench_on_frame(c->pool);
        const uint64_t ns = bench_cpu_ns() - begin;
        const gpool_heap_info info = compact_info(c);
        const uint64_t copied = info.copied_bytes - before.copied_bytes;
        if (copied > 0) {
            last = frame;
            result.frames = frame;
            result.ns += ns;
            result.longest_ns = ns > result.longest_ns ? ns : result.longest_ns;
        }
        result.moved += info.moved_bytes - before.moved_bytes;
        result.copied += copied;
        if (result.enough == 0 && compact_share(&info) >= 0.9) {
            result.enough = frame;
            result.copied_enough = result.copied;
        }
        result.most = copied > result.most ? copied : result.most;
        before = info;
    }
    for (int i = 0; i < 8; ++i) { /* the last sources are free */
        bench_on_frame(c->pool);
    }
    return result;
}

void bench_heap_compact(bench_run *run, bench_row *row, uint64_t argument)
{
    const uint64_t calls = bench_repeats(run, COMPACT_TOTAL);
    compact_state *c = bench_alloc(1, sizeof *c);
    bench_sim on;
    bench_sim_open(&on);
    c->random = 1;
    c->percent = argument;
    const uint64_t part = run->quick ? COMPACT_QUICK : 1;
    c->slab_size = COMPACT_SLAB / part;
    c->budget = COMPACT_BUDGET / part;
    c->most = COMPACT_MOST / (double)part;
    bench_require(gpool_create(on.device, &(gpool_desc){ .label = "bench" }, &c->pool) == GPOOL_OK,
                  "the pool is not made");
    c->heap = gpool_heap_create(
        c->pool,
        &(gpool_heap_desc){ .slab_size = c->slab_size, .budget = c->slab_size, .label = "bench" });
    compact_scatter(c, calls);
    const gpool_heap_info before = compact_info(c);
    const compact_result result = compact_run(c);
    const gpool_heap_info after = compact_info(c);
    const double frames_of_copies = (double)result.copied / (double)c->budget;
    bench_set_ours(row, (double)result.frames);
    bench_add_counter(row, "calls", (double)calls);
    bench_add_counter(row, "meshes", (double)after.mesh_count);
    bench_add_counter(row, "live_part", (double)after.live_bytes / (double)after.bytes);
    bench_add_counter(row, "largest_of_free_before", compact_share(&before));
    bench_add_counter(row, "largest_of_free", compact_share(&after));
    bench_add_counter(row, "free_ranges_before", before.free_ranges);
    bench_add_counter(row, "free_ranges", after.free_ranges);
    bench_add_counter(row, "frames_until_nine_tenths", (double)result.enough);
    bench_add_counter(row, "bytes_moved", (double)result.moved);
    bench_add_counter(row, "bytes_copied", (double)result.copied);
    bench_add_counter(row, "moved_of_live", (double)result.moved / (double)after.live_bytes);
    bench_add_counter(row, "ms_a_frame", (double)result.ns * 1e-6 / (double)result.frames);
    bench_add_counter(row, "ms_longest_frame", (double)result.longest_ns * 1e-6);
    bench_add_limited(row, "not_together", 1.0 - compact_share(&after), 0.1);
    /* What is wanted is nine tenths; where little moves, most frames after it are those in which sources
     * wait to be free. */
    bench_add_limited(row, "frames_until_nine_tenths_by_copies",
                      (double)result.enough * (double)c->budget / (double)result.copied_enough,
                      1.5);
    bench_add_counter(row, "frames_by_copies", (double)result.frames / frames_of_copies);
    bench_add_limited(row, "most_bytes_in_a_frame", (double)result.most, (double)c->budget);
    bench_add_limited(row, "meshes_lost", (double)c->count - (double)after.mesh_count, 0);
    bench_require(gpool_heap_destroy(c->pool, c->heap) == GPOOL_OK, "the heap is not destroyed");
    gpool_destroy(c->pool);
    bench_sim_close(&on, row);
    free(c);
}
