/*
 * A device on the simulator of tests/sim: GPU objects are real and counted there, work done is told
 * at the next poll. What is measured on it is gpool's work and the simulator's.
 */
#ifndef GPOOL_BENCH_SIM_H
#define GPOOL_BENCH_SIM_H

#include "bench.h"
#include "sim.h"

#include <gpool/gpool.h>

typedef struct bench_sim {
    sim *sim;
    gpool_gpu table;
    gpool_device *device;
} bench_sim;

/** Makes a simulator and opens its device; ends the program when that fails. */
void bench_sim_open(bench_sim *b);

/** The same with a table that `change` changed before. */
void bench_sim_open_with(bench_sim *b, void (*change)(gpool_gpu *table));

/** Ends both; the row says what it ran on, and misses its bar when GPU objects are left. */
void bench_sim_close(bench_sim *b, bench_row *row);

/** Counters of a pool; ends the program when there are none. */
gpool_stats bench_sim_stats(const gpool *pool);

#endif
