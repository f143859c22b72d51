/* `gpool-bench --calibrate`: what sending costs on the device that scripts/run-gpu chose. */
#ifndef GPOOL_BENCH_CALIBRATE_H
#define GPOOL_BENCH_CALIBRATE_H

#include <stdbool.h>
#include <stdio.h>

/** Prints a gpool_upload_costs table as C source; false without a device. Takes some ten seconds. */
bool bench_calibrate(FILE *file);

#endif
