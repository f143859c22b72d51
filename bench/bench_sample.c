/* What is alive in a sketch at two moments, compared. */
#define _POSIX_C_SOURCE 200809L

#include "bench_sketch.h"

#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

/* Growth of the process that counts as flat: the C library's heap breathes. */
#define SAMPLE_BREATH (UINT64_C(1) << 20)

uint64_t bench_process_bytes(void)
{
#ifdef __GLIBC__
    (void)malloc_trim(0); /* else memory that earlier cases gave back would hide a leak */
#endif
    unsigned long long size = 0;
    unsigned long long resident = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file == NULL) {
        return 0;
    }
    if (fscanf(file, "%llu %llu", &size, &resident) != 2) {
        resident = 0;
    }
    (void)fclose(file);
    return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

void sketch_take(sketch *s, sketch_sample *sample)
{
    sketch_settle(s);
    sample->pool = bench_sim_stats(s->pool);
    for (int kind = 0; kind < SIM_KIND_COUNT; ++kind) {
        sample->live[kind] = sim_live(s->on.sim, (sim_kind)kind);
        sample->kept[kind] = sim_kept(s->on.sim, (sim_kind)kind);
    }
    sample->gpu_bytes = sim_kept_bytes(s->on.sim);
    sample->process_bytes = bench_process_bytes();
}

/* How many of the pool's sums differ. */
static unsigned sample_pool_differs(const gpool_stats *a, const gpool_stats *b)
{
    unsigned differ = 0;
    for (int kind = 0; kind < GPOOL_KIND_COUNT; ++kind) {
        differ += a->live_count[kind] != b->live_count[kind];
        differ += a->live_bytes[kind] != b->live_bytes[kind];
    }
    differ += a->internal_bytes != b->internal_bytes;
    differ += a->bind_groups != b->bind_groups;
    differ += a->cpu_bytes != b->cpu_bytes;
    return differ;
}

static unsigned sample_simulator_differs(const sketch_sample *a, const sketch_sample *b)
{
    unsigned differ = a->gpu_bytes != b->gpu_bytes;
    for (int kind = 0; kind < SIM_KIND_COUNT; ++kind) {
        differ += a->live[kind] != b->live[kind];
        differ += a->kept[kind] != b->kept[kind];
    }
    return differ;
}

static uint64_t sample_live(const gpool_stats *stats)
{
    uint64_t live = 0;
    for (int kind = 0; kind < GPOOL_KIND_COUNT; ++kind) {
        live += stats->live_count[kind];
    }
    return live;
}

void sketch_compare(const bench_run *run, bench_row *row, const sketch_sample *first,
                    const sketch_sample *last)
{
    const double grown = (double)last->process_bytes - (double)first->process_bytes;
    bench_set_ours(row, sample_pool_differs(&first->pool, &last->pool) +
                            sample_simulator_differs(first, last));
    bench_add_counter(row, "live_at_a_tenth", (double)sample_live(&first->pool));
    bench_add_counter(row, "live", (double)sample_live(&last->pool));
    bench_add_counter(row, "gpu_objects_at_a_tenth", (double)first->kept[SIM_KIND_NONE]);
    bench_add_counter(row, "gpu_objects", (double)last->kept[SIM_KIND_NONE]);
    bench_add_counter(row, "gpu_bytes_at_a_tenth", (double)first->gpu_bytes);
    bench_add_counter(row, "gpu_bytes", (double)last->gpu_bytes);
    bench_add_counter(row, "cpu_bytes_at_a_tenth", (double)first->pool.cpu_bytes);
    bench_add_counter(row, "cpu_bytes", (double)last->pool.cpu_bytes);
    bench_add_counter(row, "process_bytes_at_a_tenth", (double)first->process_bytes);
    if (run->quick) {
        bench_add_counter(row, "process_bytes_grown", grown); /* still warming up, or a sanitizer */
    } else {
        bench_add_limited(row, "process_bytes_grown", grown, SAMPLE_BREATH);
    }
}
