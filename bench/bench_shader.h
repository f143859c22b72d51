/*
 * What the rows of shaders share: WGSL of an ordinary kind, of which no two are alike, and the device of
 * the run, or the simulator where there is none.
 *
 * A source holds a salt in its constants. Salts are new for each sample, side and run: no cache of the
 * library, the implementation or the driver knows such a source.
 */
#ifndef GPOOL_BENCH_SHADER_H
#define GPOOL_BENCH_SHADER_H

#include "bench_gpu.h"
#include "bench_sim.h"

/* Bytes that a source needs at most, with its zero byte. */
#define BENCH_WGSL_SIZE 8192u
/* Functions of a source of about 100 lines; a quick run takes fewer. */
#define BENCH_WGSL_OCTAVES       7u
#define BENCH_WGSL_QUICK_OCTAVES 2u

/** A salt that nothing had before, neither in this run nor in another. */
uint64_t bench_wgsl_salt(void);

/** Writes a compute shader; its only entry point is "main". Returns its length. */
size_t bench_wgsl_compute(char text[BENCH_WGSL_SIZE], uint64_t salt, uint32_t octaves);

/** A place in a grid. */
typedef struct bench_cell {
    uint32_t column;
    uint32_t row;
    uint32_t columns;
    uint32_t rows;
} bench_cell;

/** Writes a vertex and a fragment shader that fill a cell by a draw of 6 vertices. */
size_t bench_wgsl_render(char text[BENCH_WGSL_SIZE], uint64_t salt, uint32_t octaves,
                         bench_cell cell);

typedef struct bench_on {
    bench_gpu *gpu; /* NULL = the simulator */
    bench_sim sim;
    gpool_device *device;
} bench_on;

void bench_on_open(bench_on *on, bench_row *row);
void bench_on_close(bench_on *on, bench_row *row);

/** A frame in which nothing is drawn. */
void bench_on_frame(gpool *pool);

/** Sleeps until the wall clock (bench_wall_ns()) says so. */
void bench_sleep_until(uint64_t ns);

#endif
