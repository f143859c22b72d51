/*
 * The plan against every strategy that gpool can be forced to, over counts, sizes and patterns: is
 * what it chooses near the best of them? A cell is good when the planned time is at most 1.2 times
 * the best forced one.
 */
#include "bench_upload.h"

#include <math.h>
#include <stdio.h>

#define GRID_COUNTS       6u
#define GRID_SIZES        3u
#define GRID_PATTERNS     3u
#define GRID_CELLS        (GRID_COUNTS * GRID_SIZES * GRID_PATTERNS)
#define GRID_LEAST        ((uint64_t)16 << 20)
#define GRID_MOST         ((uint64_t)128 << 20)
#define GRID_QUICK        1000u
#define GRID_SAMPLES      7u
#define GRID_MOST_SAMPLES 35u
#define GRID_FRAMES       3u
/* A sample takes about so long. */
#define GRID_SAMPLE_NS 3e6
/* A strategy that takes so many times the best one's time is not measured again. */
#define GRID_FAR  2.0
#define GRID_GOOD 1.2
#define GRID_TIE  1.1

typedef struct grid_cell {
    double ms[GPOOL_UPLOAD_COUNT]; /* a frame, by strategy, the planned one first */
    double best;                   /* of the forced ones */
} grid_cell;

static const uint32_t grid_counts[GRID_COUNTS] = { 1, 10, 100, 1000, 10000, 100000 };
static const uint32_t grid_sizes[GRID_SIZES] = { 4, 64, 1024 };

static double grid_sample(upload_side *side, const upload_load *load, uint32_t frames)
{
    const uint64_t begin = bench_wall_ns();
    for (uint32_t i = 0; i < frames; ++i) {
        (void)upload_frame(side, load);
    }
    side->wait(side->state, 0);
    return (double)(bench_wall_ns() - begin) * 1e-6 / frames;
}

/* The best time of the forced strategies; INFINITY when there are none. */
static double grid_best(const double *times, uint32_t count)
{
    double best = INFINITY;
    for (uint32_t i = 1; i < count; ++i) {
        best = fmin(best, times[i]);
    }
    return best;
}

/*
 * Measures the sides in turn; each has its first frames verified. Takes the least of the samples:
 * few are affordable in so many cells, and what else runs here only adds to them. A cell that is not
 * good gets more of them, of all that are near.
 */
static void grid_measure(upload_side *sides, uint32_t count, const upload_load *load, bool quick,
                         double *times)
{
    bool near[GPOOL_UPLOAD_COUNT] = { false };
    double best = INFINITY;
    for (uint32_t i = 0; i < count; ++i) {
        (void)grid_sample(&sides[i], load, UPLOAD_SETS);
        upload_verify(&sides[i], load);
        (void)grid_sample(&sides[i], load, GRID_FRAMES); /* what the reading left is tidied up */
        times[i] = grid_sample(&sides[i], load, GRID_FRAMES);
        best = fmin(best, times[i]);
    }
    if (quick) {
        return;
    }
    const double fit = GRID_SAMPLE_NS * 1e-6 / best;
    const uint32_t frames = fit < GRID_FRAMES ? GRID_FRAMES : fit > 32 ? 32 : (uint32_t)fit;
    for (uint32_t i = 0; i < count; ++i) {
        near[i] = i == 0 || times[i] <= GRID_FAR * best; /* the plan always */
    }
    for (uint32_t k = 0; k < GRID_MOST_SAMPLES; ++k) {
        if (k >= GRID_SAMPLES && grid_best(times, count) * GRID_GOOD >= times[0]) {
            return;
        }
        for (uint32_t i = 0; i < count; ++i) {
            if (near[i]) {
                times[i] = fmin(times[i], grid_sample(&sides[i], load, frames));
            }
        }
    }
}

static grid_cell grid_run_cell(bench_gpu *gpu, const upload_load *load, bool quick)
{
    upload_side sides[GPOOL_UPLOAD_COUNT];
    grid_cell cell = { { 0 }, 0 };
    for (int way = GPOOL_UPLOAD_AUTO; way < GPOOL_UPLOAD_COUNT; ++way) {
        upload_open_ours(&sides[way], gpu, load, (gpool_upload_way)way);
    }
    grid_measure(sides, GPOOL_UPLOAD_COUNT, load, quick, cell.ms);
    cell.best = grid_best(cell.ms, GPOOL_UPLOAD_COUNT);
    for (uint32_t i = 0; i < GPOOL_UPLOAD_COUNT; ++i) {
        upload_close(&sides[i]);
    }
    return cell;
}

static const char *const grid_patterns[GRID_PATTERNS] = { "scattered", "clustered", "sequential" };

/* A value's name, which lives as long as the rows: `what` 0 to 4 are strategies, then the ratio. */
static const char *grid_name(uint32_t cell, int what, uint32_t count, uint32_t size,
                             upload_pattern pattern)
{
    static char names[GRID_CELLS][GPOOL_UPLOAD_COUNT + 1][40];
    static const char *const kinds[GPOOL_UPLOAD_COUNT + 1] = { "ms_planned", "ms_direct",
                                                               "ms_merged",  "ms_scatter",
                                                               "ms_whole",   "by_best" };
    char *name = names[cell][what];
    (void)snprintf(name, sizeof names[cell][what], "%s_%ux%u_%s", kinds[what], count, size,
                   grid_patterns[pattern]);
    return name;
}

/* Buffers hold all elements, with room where they can. */
static grid_cell grid_run_load(bench_gpu *gpu, bool quick, uint32_t count, uint32_t size,
                               upload_pattern pattern)
{
    upload_load load;
    uint64_t buffer_size = quick ? (uint64_t)1 << 20 : GRID_LEAST;
    if ((uint64_t)count * size > buffer_size) {
        buffer_size = GRID_MOST;
    }
    upload_load_init(&load, buffer_size, count, size, pattern);
    const grid_cell cell = grid_run_cell(gpu, &load, quick);
    upload_load_fini(&load);
    return cell;
}

void bench_upload_grid(bench_run *run, bench_row *row, uint64_t argument)
{
    (void)argument;
    uint32_t cells = 0;
    uint32_t good = 0;
    uint32_t ties = 0;
    double worst = 0;
    bench_gpu *gpu = bench_gpu_open(row);
    if (gpu == NULL) {
        return;
    }
    for (uint32_t i = 0; i < GRID_CELLS; ++i) {
        const uint32_t count = grid_counts[i % GRID_COUNTS];
        const uint32_t size = grid_sizes[i / GRID_COUNTS % GRID_SIZES];
        const upload_pattern pattern = (upload_pattern)(i / GRID_COUNTS / GRID_SIZES);
        if (run->quick && count > GRID_QUICK) {
            continue;
        }
        const grid_cell cell = grid_run_load(gpu, run->quick, count, size, pattern);
        if (isinf(cell.best)) {
            row->absent = "gpool cannot be forced to a strategy";
            return;
        }
        const double ratio = cell.ms[GPOOL_UPLOAD_AUTO] / cell.best;
        bench_add_counter(row, grid_name(i, GPOOL_UPLOAD_COUNT, count, size, pattern), ratio);
        for (int way = GPOOL_UPLOAD_AUTO; way < GPOOL_UPLOAD_COUNT; ++way) {
            bench_add_detail(row, grid_name(i, way, count, size, pattern), cell.ms[way]);
        }
        cells += 1;
        good += ratio <= GRID_GOOD;
        ties += ratio <= GRID_TIE;
        worst = fmax(worst, ratio);
    }
    bench_set_ours(row, 100.0 * good / cells);
    row->pairs = run->quick ? 1 : GRID_SAMPLES;
    row->bar = (bench_bar){ BENCH_BAR_OURS_LEAST, 95 };
    bench_add_counter(row, "cells", cells);
    bench_add_counter(row, "cells_within_a_tenth", ties);
    bench_add_counter(row, "worst", worst);
}
