/*
 * Caches that are asked for new keys without end: what an insert takes, first and last, and that the
 * caps hold. Times are of single inserts on the thread's CPU clock, and hold a read of it.
 *
 * The bar is on growth: the 99th percentile of the last tenth of the inserts divided by that of the first.
 * An insert that has to clean the disk store is one in some hundred, and in `us_most`.
 */
#if !defined(_XOPEN_SOURCE)
#define _XOPEN_SOURCE 700 /* mkdtemp() */
#endif
#include "bench_sim.h"

#include <gpool/store.h>

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define GROWTH_FRAME   64u  /* shaders of a frame, destroyed at its end */
#define GROWTH_UNFREED 5u   /* frames until what was destroyed is freed, at most */
#define GROWTH_IDLE    512u /* modules that nobody uses, kept by a pool: docs/shaders.md */
/* Four thousand entries: a directory with all of them is read at each cleaning. */
#define GROWTH_PAYLOAD   1000u
#define GROWTH_CAP       (UINT64_C(4) << 20)
#define GROWTH_QUICK_CAP (UINT64_C(1) << 18)

/* The 99th percentile; sorts the samples. */
static double growth_p99(double *samples, size_t count)
{
    (void)bench_spread_of(samples, count);
    return samples[count - 1 - count / 100];
}

/* Of a tenth of the run: the median of ten, as another program disturbs one or two. Sorts the samples. */
static double growth_p99_of_a_tenth(double *samples, size_t count)
{
    double parts[10];
    const size_t part = count / 10;
    for (size_t i = 0; i < 10; ++i) {
        parts[i] = growth_p99(samples + i * part, part);
    }
    return bench_spread_of(parts, 10).median;
}

/* `samples` are microseconds, in order of time. */
static void growth_report(bench_row *row, double *samples, size_t count)
{
    const size_t tenth = count / 10;
    double *copy = bench_alloc(tenth, sizeof *copy);
    memcpy(copy, samples, tenth * sizeof *copy);
    const double first = growth_p99_of_a_tenth(copy, tenth);
    memcpy(copy, samples + count - tenth, tenth * sizeof *copy);
    const double last = growth_p99_of_a_tenth(copy, tenth);
    free(copy);
    double sum = 0;
    for (size_t i = 0; i < count; ++i) {
        sum += samples[i];
    }
    const bench_spread all = bench_spread_of(samples, count);
    row->ours = (bench_spread){ last / first, last / first, last / first };
    row->pairs = 1; /* a time: not judged in quick runs */
    bench_add_counter(row, "inserts", (double)count);
    bench_add_counter(row, "us_mean", sum / (double)count);
    bench_add_counter(row, "us_median", all.median);
    bench_add_counter(row, "us_p99", growth_p99(samples, count));
    bench_add_counter(row, "us_p99_of_the_first_tenth", first);
    bench_add_counter(row, "us_p99_of_the_last_tenth", last);
    bench_add_counter(row, "us_most", samples[count - 1]);
}

static double growth_shader(gpool *pool, uint64_t key, gpool_shader *made)
{
    char source[80];
    (void)snprintf(source, sizeof source,
                   "@compute @workgroup_size(1) fn main() { let key = %lluu; }",
                   (unsigned long long)key);
    const gpool_shader_desc desc = { .wgsl = source };
    const uint64_t begin = bench_cpu_ns();
    *made = gpool_shader_create(pool, &desc);
    return (double)(bench_cpu_ns() - begin) / 1e3;
}

/* The cache of modules in memory. The pool has no workers: creating is all that there is to it. */
void bench_shader_growth(bench_run *run, bench_row *row, uint64_t argument)
{
    const uint64_t frames = bench_repeats(run, argument) / GROWTH_FRAME;
    double *samples = bench_alloc(frames * GROWTH_FRAME, sizeof *samples);
    gpool_shader made[GROWTH_FRAME];
    bench_sim b;
    gpool *pool = NULL;
    bench_sim_open(&b);
    const gpool_desc desc = { .compile_workers = GPOOL_WORKERS_NONE };
    bench_require(gpool_create(b.device, &desc, &pool) == GPOOL_OK, "there is no pool");
    uint64_t most = 0;
    uint64_t bytes = 0;
    for (uint64_t frame = 0; frame < frames; ++frame) {
        bench_require(gpool_begin_frame(pool) == GPOOL_OK, "a frame fails");
        for (uint32_t i = 0; i < GROWTH_FRAME; ++i) {
            const uint64_t key = frame * GROWTH_FRAME + i;
            samples[key] = growth_shader(pool, key, &made[i]);
        }
        for (uint32_t i = 0; i < GROWTH_FRAME; ++i) {
            bench_require(gpool_shader_destroy(pool, made[i]) == GPOOL_OK, "a shader is not made");
        }
        bench_require(gpool_end_frame(pool) == GPOOL_OK, "a frame fails");
        const uint64_t entries = sim_live(b.sim, SIM_KIND_SHADER_MODULE);
        most = most > entries ? most : entries;
        bytes = frame == frames / 10 ? bench_sim_stats(pool).cpu_bytes : bytes;
    }
    const gpool_stats stats = bench_sim_stats(pool);
    growth_report(row, samples, (size_t)(frames * GROWTH_FRAME));
    bench_add_limited(row, "entries_most", (double)most,
                      GROWTH_IDLE + (double)GROWTH_FRAME * GROWTH_UNFREED);
    for (uint32_t i = 0; i < GROWTH_UNFREED; ++i) {
        bench_require(gpool_begin_frame(pool) == GPOOL_OK && gpool_end_frame(pool) == GPOOL_OK,
                      "a frame fails");
    }
    bench_add_limited(row, "entries_unused", (double)sim_live(b.sim, SIM_KIND_SHADER_MODULE),
                      GROWTH_IDLE);
    bench_add_limited(row, "found", (double)stats.shader_hits, 0);
    if (!run->quick) { /* at a tenth of a quick run the cache is not full yet */
        const double grown = stats.cpu_bytes > bytes ? (double)(stats.cpu_bytes - bytes) : 0;
        /* Keys of the last shaders have some digits more. */
        bench_add_limited(row, "bytes_grown_since_a_tenth", grown,
                          2.0 * (GROWTH_IDLE + GROWTH_FRAME * GROWTH_UNFREED));
    }
    gpool_destroy(pool);
    bench_sim_close(&b, row);
    free(samples);
}

/* Bytes of the entries that are there, as the files say. */
static double growth_bytes(gpool_store *store)
{
    gpool_store_report report;
    bench_require(gpool_store_verify(store, &report) == GPOOL_OK && report.bad == 0,
                  "an entry is bad");
    return (double)report.good_bytes;
}

static uint64_t growth_evictions(const gpool_store *store)
{
    gpool_store_stats stats;
    gpool_store_get_stats(store, &stats);
    return stats.evictions;
}

/* The disk store. It is at its cap from the start: file systems are faster while nothing was deleted. */
void bench_store_growth(bench_run *run, bench_row *row, uint64_t argument)
{
    const uint64_t count = bench_repeats(run, argument);
    const uint64_t cap = run->quick ? GROWTH_QUICK_CAP : GROWTH_CAP;
    double *samples = bench_alloc((size_t)count, sizeof *samples);
    uint8_t payload[GROWTH_PAYLOAD];
    char folder[128];
    const char *parent = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%.60s/gpool-bench-XXXXXX",
                   parent != NULL ? parent : "/tmp");
    bench_require(mkdtemp(folder) != NULL, "no folder");
    gpool_store *store = NULL;
    const gpool_store_desc desc = { .directory = folder, .max_bytes = cap };
    bench_require(gpool_store_open(&desc, &store) == GPOOL_OK, "no store");
    memset(payload, 7, sizeof payload);
    uint64_t before = 0;
    for (; growth_evictions(store) == 0; ++before) {
        const uint64_t key = UINT64_MAX - before;
        bench_require(gpool_store_save(store, &key, sizeof key, payload, sizeof payload) ==
                              GPOOL_OK &&
                          before < cap,
                      "the store is never full");
    }
    double most = 0;
    for (uint64_t key = 0; key < count; ++key) {
        memcpy(payload, &key, sizeof key);
        const uint64_t begin = bench_cpu_ns();
        const gpool_result result =
            gpool_store_save(store, &key, sizeof key, payload, sizeof payload);
        samples[key] = (double)(bench_cpu_ns() - begin) / 1e3;
        bench_require(result == GPOOL_OK, "a save fails");
        if (key % (count / 10) == count / 10 - 1) {
            const double bytes = growth_bytes(store);
            most = most > bytes ? most : bytes;
        }
    }
    gpool_store_stats stats;
    gpool_store_get_stats(store, &stats);
    growth_report(row, samples, (size_t)count);
    bench_add_limited(row, "bytes_most", most, (double)cap);
    bench_add_counter(row, "entries", (double)stats.entries);
    bench_add_counter(row, "cleanings", (double)stats.cleanings);
    bench_add_limited(row, "not_saved", (double)(before + count - stats.saves), 0);
    (void)gpool_store_clear(store);
    gpool_store_close(store);
    static const char *const own[] = { "/ledger", "/cleaner.lock", "" };
    for (size_t i = 0; i < sizeof own / sizeof own[0]; ++i) {
        char path[160];
        (void)snprintf(path, sizeof path, "%s%s", folder, own[i]);
        (void)remove(path);
    }
    free(samples);
}
