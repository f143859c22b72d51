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

/** Ways that uploads are forced to, in turn; the last two choose by a table where all of them win. */
#define POOL_MODEL_WAYS 7u

/** What runs did, added up. */
typedef struct pool_model_totals {
    uint64_t runs;          /**< pools made */
    uint64_t steps;         /**< operations */
    uint64_t faults;        /**< calls and allocations that were made to fail */
    uint64_t losses;        /**< runs that ended with a lost device */
    uint64_t recoveries;    /**< moves to another device, from a lost or a good one */
    uint64_t good;          /**< results that were GPOOL_OK */
    uint64_t refused;       /**< results that were errors */
    uint64_t commands;      /**< recorded commands that ran */
    uint64_t record_writes; /**< of those, gpool_record_write() */
    uint64_t gpu_writes;    /**< and dispatches that write a buffer */
    uint64_t imports;       /**< buffers imported */
    uint64_t edits;         /**< good gpool_buffer_edit() */
    uint64_t resizes;       /**< good resizes of buffers that changed their size */
    uint64_t explained;     /**< buffers with dirty bytes that were explained */
    uint64_t tickets;       /**< tickets taken */
    uint64_t recycled;      /**< GPU objects used again */
    uint64_t compared;      /**< bytes compared */
    /** calls of uploads, by what the pool was forced to (AUTO: it chose), then by way */
    uint64_t uploads[POOL_MODEL_WAYS][POOL_MODEL_WAYS];
} pool_model_totals;

/**
 * Runs one list of operations; adds to `totals`. Its size, modulo POOL_MODEL_WAYS, is the way that
 * uploads are forced to.
 */
void pool_model_run(const uint8_t *bytes, size_t size, pool_model_totals *totals);

#endif
