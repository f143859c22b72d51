/*
 * The whole pool against a plain model. Bytes are read as a list of operations with arguments; each
 * is done to a pool on the simulator and to the model: arrays of bytes and a state per handle, never
 * reused. Result codes, bytes, counters and the simulator's objects must agree after every step. A
 * difference is printed and ends the process by abort(), so that a fuzz engine sees it too.
 */
#ifndef GPOOL_TESTS_MODEL_POOL_MODEL_H
#define GPOOL_TESTS_MODEL_POOL_MODEL_H

#include <stddef.h>
#include <stdint.h>

/** What runs did, added up. */
typedef struct pool_model_totals {
    uint64_t runs;       /**< pools made */
    uint64_t steps;      /**< operations */
    uint64_t faults;     /**< calls and allocations that were made to fail */
    uint64_t losses;     /**< runs that ended with a lost device */
    uint64_t recoveries; /**< moves to another device, from a lost or a good one */
    uint64_t good;       /**< results that were GPOOL_OK */
    uint64_t refused;    /**< results that were errors */
    uint64_t commands;   /**< recorded commands that ran */
    uint64_t tickets;    /**< tickets taken */
    uint64_t recycled;   /**< GPU objects used again */
    uint64_t compared;   /**< bytes compared */
} pool_model_totals;

/** Runs one list of operations; adds to `totals`. */
void pool_model_run(const uint8_t *bytes, size_t size, pool_model_totals *totals);

#endif
