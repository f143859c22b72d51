/*
 * The seam to webgpu.h: a table of functions and a count of calls for each user of it.
 *
 * Every call of libgpool into an implementation is written GPOOL__GPU(seam, Name)(arguments), which
 * counts it. A seam belongs to one thread at a time.
 */
#ifndef GPOOL_GPU_SEAM_H
#define GPOOL_GPU_SEAM_H

#include <gpool/gpu.h>

typedef struct gpool__seam {
    const gpool_gpu *table; /* the device's, or a timing one above it */
    uint64_t calls[GPOOL_GPU_COUNT];
} gpool__seam;

#define GPOOL__GPU(seam, name) ((seam)->calls[GPOOL_GPU_##name] += 1, (seam)->table->name)

/**
 * Returns the timing table: every function adds the thread CPU time of the real call to the current
 * operation's `gpu_ns`. The operation's `timed_table` names the real one.
 */
const gpool_gpu *gpool__timing_table(void);

/** Least cost of one read of the thread's CPU clock, in nanoseconds. */
uint64_t gpool__clock_cost_ns(void);

/** Sum of all calls. */
uint64_t gpool__seam_total(const gpool__seam *seam);

#endif
