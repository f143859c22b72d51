#define _POSIX_C_SOURCE 200809L

#include "bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* What callgrind looks for: it counts inside this function only. */
void bench_counted_calls(const bench_side *side);

__attribute__((noinline)) void bench_counted_calls(const bench_side *side)
{
    side->work(side->state, BENCH_COUNTED_ITEMS);
}

uint64_t bench_cpu_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t bench_random(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

void *bench_alloc(size_t count, size_t size)
{
    void *block = calloc(count, size);
    bench_require(block != NULL, "there is no memory");
    return block;
}

void bench_require(bool good, const char *what)
{
    if (!good) {
        fprintf(stderr, "gpool-bench: %s\n", what);
        exit(2);
    }
}

volatile uint64_t bench_sink;

uint64_t bench_objects(const bench_run *run, uint64_t wanted)
{
    if (run->counted != NULL && wanted > BENCH_COUNTED_OBJECTS) {
        return BENCH_COUNTED_OBJECTS;
    }
    return run->quick && wanted > BENCH_QUICK_OBJECTS ? BENCH_QUICK_OBJECTS : wanted;
}

uint64_t bench_repeats(const bench_run *run, uint64_t wanted)
{
    return run->quick ? wanted / 100 : wanted;
}

void bench_set_ours(bench_row *row, double value)
{
    row->ours = (bench_spread){ value, value, value };
}

void bench_set_peer(bench_row *row, const char *peer, double value)
{
    row->peer = peer;
    row->peer_spread = (bench_spread){ value, value, value };
    if (row->ours.median != 0) {
        row->ratio = value / row->ours.median;
    }
}

void bench_add_counter(bench_row *row, const char *name, double value)
{
    bench_add_limited(row, name, value, INFINITY);
}

void bench_add_limited(bench_row *row, const char *name, double value, double most)
{
    bench_require(row->counter_count < BENCH_MAX_COUNTERS, "a row has too many counters");
    row->counters[row->counter_count++] = (bench_counter){ name, value, most };
}

void bench_add_detail(bench_row *row, const char *name, double value)
{
    bench_require(row->detail_count < BENCH_MAX_DETAILS, "a row has too many details");
    row->details[row->detail_count++] = (bench_counter){ name, value, INFINITY };
}

static int timing_compare(const void *a, const void *b)
{
    const double x = *(const double *)a;
    const double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double timing_quantile(const double *sorted, size_t count, double part)
{
    const double position = part * (double)(count - 1);
    const size_t below = (size_t)position;
    const size_t above = below + 1 < count ? below + 1 : below;
    return sorted[below] + (sorted[above] - sorted[below]) * (position - (double)below);
}

uint64_t bench_wall_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bench_spread bench_spread_of(double *samples, size_t count)
{
    qsort(samples, count, sizeof *samples, timing_compare);
    return (bench_spread){
        .median = timing_quantile(samples, count, 0.5),
        .p10 = timing_quantile(samples, count, 0.1),
        .p90 = timing_quantile(samples, count, 0.9),
    };
}

/*
 * Instructions of a work item: runs this program again under callgrind, which prints
 * "Collected : <number>" in the end. NAN when valgrind is missing or says something else.
 */
static double timing_count_instructions(const bench_run *run, const char *side)
{
    char program[4096];
    const ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0 || memchr(program, '\'', (size_t)length) != NULL) {
        return NAN;
    }
    program[length] = '\0';
    char command[5000];
    (void)snprintf(command, sizeof command,
                   "valgrind --tool=callgrind --callgrind-out-file=/dev/null"
                   " --toggle-collect=bench_counted_calls '%s' --case %s --counted %s 2>&1",
                   program, run->case_name, side);
    FILE *pipe = popen(command, "r");
    if (pipe == NULL) {
        return NAN;
    }
    double collected = NAN;
    char line[1024];
    while (fgets(line, sizeof line, pipe) != NULL) {
        const char *found = strstr(line, "Collected : ");
        if (found != NULL) {
            collected = strtod(found + strlen("Collected : "), NULL) / BENCH_COUNTED_ITEMS;
        }
    }
    (void)pclose(pipe);
    return collected;
}

/* Timings of nothing, of which the mean is what a timing costs: the counter's steps are coarse, so that a median
 * would be one of two. Those that were interrupted are left out. */
#define TIMING_EMPTY 50000u
#define TIMING_GOOD  49750u
/* Nanoseconds over which the counter is compared with the clock. */
#define TIMING_COMPARED 20000000u

double bench_timer_ns(const bench_timer *timer)
{
    static double cost;    /* ticks that a timing adds */
    static double tick_ns; /* 0 = not known yet */
    if (tick_ns == 0) {
        double *empty = bench_alloc(TIMING_EMPTY, sizeof *empty);
        const uint64_t clock = bench_wall_ns();
        const uint64_t first = bench_tick();
        for (size_t i = 0; i < TIMING_EMPTY; ++i) {
            const uint64_t begin = bench_tick();
            empty[i] = (double)(bench_tick() - begin);
        }
        while (bench_wall_ns() - clock < TIMING_COMPARED) {
        }
        tick_ns = (double)(bench_wall_ns() - clock) / (double)(bench_tick() - first);
        (void)bench_spread_of(empty, TIMING_EMPTY); /* sorts them */
        for (size_t i = 0; i < TIMING_GOOD; ++i) {
            cost += empty[i] / TIMING_GOOD;
        }
        free(empty);
    }
    return ((double)timer->ticks / (double)timer->calls - cost) * tick_ns;
}

double bench_sample(const bench_side *side, uint64_t count)
{
    if (side->timer != NULL) {
        *side->timer = (bench_timer){ 0 };
        side->work(side->state, count);
        return bench_timer_ns(side->timer);
    }
    const uint64_t begin = bench_cpu_ns();
    side->work(side->state, count);
    return (double)(bench_cpu_ns() - begin) / (double)count;
}

void bench_measure(bench_run *run, bench_row *row, bench_side ours, const bench_side *peer,
                   uint64_t count)
{
    if (run->counted != NULL) {
        const bool is_ours = strcmp(run->counted, "ours") == 0;
        bench_require(is_ours || peer != NULL, "the case has no peer");
        bench_counted_calls(is_ours ? &ours : peer);
        return;
    }
    const unsigned pairs = run->pairs;
    count = run->quick && count > BENCH_QUICK_ITEMS ? BENCH_QUICK_ITEMS : count;
    double *samples = bench_alloc((size_t)pairs * 3, sizeof *samples);
    double *peer_samples = samples + pairs;
    double *ratios = peer_samples + pairs;
    (void)bench_sample(&ours, count); /* warms caches and branch predictors */
    if (peer != NULL) {
        (void)bench_sample(peer, count);
    }
    for (unsigned i = 0; i < pairs; ++i) {
        samples[i] = bench_sample(&ours, count);
        if (peer != NULL) {
            peer_samples[i] = bench_sample(peer, count);
            ratios[i] = peer_samples[i] / samples[i];
        }
    }
    row->pairs = pairs;
    row->ours = bench_spread_of(samples, pairs);
    if (peer != NULL) {
        const bench_spread ratio = bench_spread_of(ratios, pairs);
        row->peer = peer->name;
        row->peer_spread = bench_spread_of(peer_samples, pairs);
        row->ratio = row->peer_spread.median / row->ours.median;
        row->ratio_p10 = ratio.p10;
        row->ratio_p90 = ratio.p90;
    }
    free(samples);
    if (run->instructions) {
        row->our_instructions = timing_count_instructions(run, "ours");
        row->peer_instructions = peer != NULL ? timing_count_instructions(run, "peer") : NAN;
    }
}
