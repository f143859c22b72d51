/*
 * A GPU that does nothing: every function returns at once, creates answer with a dummy object,
 * finished work is reported at the next InstanceProcessEvents. What is measured on it is gpool's own
 * work. One device at a time.
 */
#ifndef GPOOL_BENCH_STUB_GPU_H
#define GPOOL_BENCH_STUB_GPU_H

#include <gpool/device.h>

/** Opens the device; ends the program when that fails. */
gpool_device *bench_stub_open(void);

/** Buffers made less buffers released so far. */
int64_t bench_stub_live_buffers(void);

#endif
