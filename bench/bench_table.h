/*
 * Our handle table behind one call boundary, as the public functions have it: the same shape as the
 * peers in peers/peers.h. A library of its own, so that nothing is inlined into the bench.
 */
#ifndef GPOOL_BENCH_TABLE_H
#define GPOOL_BENCH_TABLE_H

#include <gpool/handle.h>

typedef struct bench_table bench_table;

bench_table *bench_table_new(gpool_kind kind, uint32_t tag, uint32_t first_generation);
void bench_table_delete(bench_table *table);

/** Stores a value; returns its handle, 0 without memory. */
uint64_t bench_table_create(bench_table *table, uint64_t value);

/** False when the handle is not alive. */
bool bench_table_destroy(bench_table *table, uint64_t id);

/** Value behind a handle, NULL when it is not alive. */
const uint64_t *bench_table_get(const bench_table *table, uint64_t id);

/** Slots whose generations ran out. */
uint32_t bench_table_spent(const bench_table *table);

#endif
