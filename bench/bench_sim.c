#include "bench_sim.h"

void bench_sim_open_with(bench_sim *b, void (*change)(gpool_gpu *table))
{
    *b = (bench_sim){ .sim = sim_create(NULL) };
    bench_require(b->sim != NULL, "there is no simulator");
    sim_table(b->sim, &b->table);
    if (change != NULL) {
        change(&b->table);
    }
    const gpool_device_desc desc = { .gpu = &b->table, .label = "simulator" };
    bench_require(gpool_device_open(&desc, &b->device) == GPOOL_OK, "the simulator does not open");
}

void bench_sim_open(bench_sim *b)
{
    bench_sim_open_with(b, NULL);
}

void bench_sim_close(bench_sim *b, bench_row *row)
{
    gpool_device_release(b->device);
    row->adapter = "simulator";
    row->implementation = "simulator";
    bench_add_limited(row, "gpu_objects_left", (double)sim_kept(b->sim, SIM_KIND_NONE), 0);
    bench_require(sim_fatal_count(b->sim) == 0, "a call into webgpu.h was fatal");
    sim_destroy(b->sim);
}

gpool_stats bench_sim_stats(const gpool *pool)
{
    gpool_stats stats;
    bench_require(gpool_get_stats(pool, &stats) == GPOOL_OK, "there are no counters");
    return stats;
}
