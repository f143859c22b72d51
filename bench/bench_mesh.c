/*
 * Meshes of the heap: creates and destroys through handles, and draws that share slabs, beside draws of
 * which each has a vertex and an index buffer of its own.
 */
#include "bench_mesh.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

uint64_t bench_mesh_size(uint64_t *random, double least, double most)
{
    const double u = (double)(bench_random(random) >> 11) * (1.0 / 9007199254740992.0);
    return (uint64_t)(least * exp(u * log(most / least)));
}

/* --- creates and destroys --- */

#define MESH_CHURN_LIVE   10000u
#define MESH_CHURN_FRAME  1000u /* pairs between two frames, in which memory comes back */
#define MESH_CHURN_STRIDE 16u
#define MESH_CHURN_LEAST  64.0 /* bytes of vertices; of indices it is a quarter */
#define MESH_CHURN_MOST   4096.0

typedef struct mesh_churn {
    gpool *pool;
    gpool_heap heap;
    gpool_mesh *meshes;
    uint64_t count;
    uint64_t random;
    uint64_t calls_ns; /* of creates and destroys */
    uint64_t all_ns;   /* with the frames */
    uint8_t data[8192];
} mesh_churn;

static gpool_mesh mesh_churn_make(mesh_churn *c)
{
    const uint64_t size = bench_mesh_size(&c->random, MESH_CHURN_LEAST, MESH_CHURN_MOST);
    const gpool_mesh_desc desc = {
        .heap = c->heap,
        .vertices = c->data,
        .vertex_count = (uint32_t)(size / MESH_CHURN_STRIDE),
        .vertex_stride = MESH_CHURN_STRIDE,
        .indices = c->data,
        .index_count = (uint32_t)(size / 16),
    };
    const gpool_mesh mesh = gpool_mesh_create(c->pool, &desc);
    bench_require(mesh.id != 0, "a mesh is not made");
    return mesh;
}

static void mesh_churn_pairs(mesh_churn *c, uint64_t count)
{
    c->calls_ns = 0;
    const uint64_t begin = bench_cpu_ns();
    for (uint64_t done = 0; done < count;) {
        const uint64_t calls = bench_cpu_ns();
        for (uint64_t i = 0; i < MESH_CHURN_FRAME && done < count; ++i, ++done) {
            gpool_mesh *mesh = &c->meshes[bench_random(&c->random) % c->count];
            bench_require(gpool_mesh_destroy(c->pool, *mesh) == GPOOL_OK, "a destroy is refused");
            *mesh = mesh_churn_make(c);
        }
        c->calls_ns += bench_cpu_ns() - calls;
        bench_on_frame(c->pool);
    }
    c->all_ns = bench_cpu_ns() - begin;
}

static void mesh_churn_report(mesh_churn *c, bench_row *row, const gpool_stats *before)
{
    gpool_heap_info info;
    gpool_stats after;
    bench_require(gpool_heap_get_info(c->pool, c->heap, &info) == GPOOL_OK &&
                      gpool_get_stats(c->pool, &after) == GPOOL_OK,
                  "there are no counters");
    bench_add_counter(row, "live", (double)info.mesh_count);
    bench_add_counter(row, "live_bytes", (double)info.live_bytes);
    bench_add_counter(row, "slabs", (double)info.slab_count);
    bench_add_limited(row, "meshes_lost", (double)c->count - (double)info.mesh_count, 0);
    bench_add_limited(row, "errors", (double)(after.errors - before->errors), 0);
}

void bench_mesh_churn(bench_run *run, bench_row *row, uint64_t argument)
{
    const uint64_t pairs = bench_repeats(run, argument);
    bench_on on;
    bench_on_open(&on, row);
    mesh_churn c = { .count = bench_repeats(run, MESH_CHURN_LIVE), .random = 1 };
    bench_require(gpool_create(on.device, &(gpool_desc){ .label = "bench" }, &c.pool) == GPOOL_OK,
                  "the pool is not made");
    c.heap = gpool_heap_create(c.pool, &(gpool_heap_desc){ .label = "bench" });
    c.meshes = bench_alloc(c.count, sizeof *c.meshes);
    for (uint64_t i = 0; i < c.count; ++i) {
        c.meshes[i] = mesh_churn_make(&c);
    }
    bench_on_frame(c.pool);
    mesh_churn_pairs(&c, pairs); /* sizes settle */
    gpool_stats before;
    bench_require(gpool_get_stats(c.pool, &before) == GPOOL_OK, "there are no counters");
    double *samples = bench_alloc((size_t)run->pairs * 2, sizeof *samples);
    double *with_frames = samples + run->pairs;
    for (unsigned i = 0; i < run->pairs; ++i) {
        mesh_churn_pairs(&c, pairs);
        samples[i] = (double)c.calls_ns * 1e-6;
        with_frames[i] = (double)c.all_ns * 1e-6;
    }
    gpool_stats after;
    bench_require(gpool_get_stats(c.pool, &after) == GPOOL_OK, "there are no counters");
    row->ours = bench_spread_of(samples, run->pairs);
    row->pairs = run->pairs;
    const double calls = 2.0 * (double)pairs;
    bench_add_counter(row, "calls", calls);
    bench_add_counter(row, "ns_a_call", row->ours.median * 1e6 / calls);
    bench_add_counter(row, "ms_with_frames", bench_spread_of(with_frames, run->pairs).median);
    bench_add_counter(row, "allocations_a_sample",
                      (double)(after.allocations - before.allocations) / (double)run->pairs);
    mesh_churn_report(&c, row, &before);
    free(samples);
    free(c.meshes);
    bench_require(gpool_heap_destroy(c.pool, c.heap) == GPOOL_OK, "the heap is not destroyed");
    gpool_destroy(c.pool);
    bench_on_close(&on, row);
}
