/* A long run of the sketch: what is alive after it is what was alive after its first tenth. */
#define _POSIX_C_SOURCE 200809L

#include "bench_sketch.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

/* Growth of the process that counts as flat: the C library's heap breathes. */
#define SOAK_BREATH (UINT64_C(1) << 20)

typedef struct soak_sample {
    gpool_stats pool;
    uint64_t live[SIM_KIND_COUNT]; /* on the simulator */
    uint64_t kept[SIM_KIND_COUNT];
    uint64_t gpu_bytes;
    uint64_t process_bytes; /* in memory */
} soak_sample;

static double soak_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Resident memory of this process; 0 where the system does not tell. */
static uint64_t soak_process_bytes(void)
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

static void soak_take(sketch *s, soak_sample *sample)
{
    sketch_settle(s);
    sample->pool = bench_sim_stats(s->pool);
    for (int kind = 0; kind < SIM_KIND_COUNT; ++kind) {
        sample->live[kind] = sim_live(s->on.sim, (sim_kind)kind);
        sample->kept[kind] = sim_kept(s->on.sim, (sim_kind)kind);
    }
    sample->gpu_bytes = sim_kept_bytes(s->on.sim);
    sample->process_bytes = soak_process_bytes();
}

/* How many of the pool's sums differ. */
static unsigned soak_pool_differs(const gpool_stats *a, const gpool_stats *b)
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

static unsigned soak_simulator_differs(const soak_sample *a, const soak_sample *b)
{
    unsigned differ = a->gpu_bytes != b->gpu_bytes;
    for (int kind = 0; kind < SIM_KIND_COUNT; ++kind) {
        differ += a->live[kind] != b->live[kind];
        differ += a->kept[kind] != b->kept[kind];
    }
    return differ;
}

static uint64_t soak_live(const gpool_stats *stats)
{
    uint64_t live = 0;
    for (int kind = 0; kind < GPOOL_KIND_COUNT; ++kind) {
        live += stats->live_count[kind];
    }
    return live;
}

static void soak_fill_row(const bench_run *run, bench_row *row, const soak_sample *first,
                          const soak_sample *last)
{
    const double grown = (double)last->process_bytes - (double)first->process_bytes;
    bench_set_ours(row, soak_pool_differs(&first->pool, &last->pool) +
                            soak_simulator_differs(first, last));
    bench_add_counter(row, "live_at_a_tenth", (double)soak_live(&first->pool));
    bench_add_counter(row, "live", (double)soak_live(&last->pool));
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
        bench_add_limited(row, "process_bytes_grown", grown, SOAK_BREATH);
    }
}

void bench_soak(bench_run *run, bench_row *row, uint64_t argument)
{
    const uint64_t frames = bench_repeats(run, argument);
    sketch *s = bench_alloc(1, sizeof *s);
    soak_sample first;
    soak_sample last;
    const double begin = soak_seconds();
    sketch_open(s);
    while (s->frame < frames) {
        sketch_run(s);
        if (s->frame == frames / 10) {
            soak_take(s, &first);
        }
    }
    soak_take(s, &last);
    soak_fill_row(run, row, &first, &last);
    bench_add_limited(row, "retired_at_rest",
                      (double)(first.pool.retired_count + last.pool.retired_count), 0);
    bench_add_counter(row, "frames", (double)s->frame);
    bench_add_counter(row, "created", (double)last.pool.created);
    bench_add_counter(row, "draws", (double)last.pool.draws);
    bench_add_counter(row, "gpu_calls", (double)last.pool.gpu_calls);
    bench_add_counter(row, "reads", (double)s->reads);
    bench_add_limited(row, "wrong_reads", (double)s->wrong, 0);
    bench_add_limited(row, "errors", (double)(s->errors + last.pool.errors), 0);
    bench_add_counter(row, "seconds", soak_seconds() - begin);
    sketch_close(s, row);
    free(s);
}
