/* The handle table against the crate slotmap: look-up, destroy + create. */
#include "bench.h"
#include "bench_table.h"
#include "peers/peers.h"

#include <stdlib.h>

#define HANDLE_QUERIES (UINT64_C(1) << 20)
#define HANDLE_SEED    20260101u

/* The same content on both sides: value `i` behind the handle `i` of each. The peer may be missing. */
typedef struct handle_pair {
    uint64_t count;
    bench_table *table;
    peer_slotmap *map;
    uint64_t *ids;
    uint64_t *keys;
    uint32_t *order; /* HANDLE_QUERIES random positions */
    uint64_t *id_queries;
    uint64_t *key_queries;
} handle_pair;

static void handle_open(handle_pair *pair, uint64_t count)
{
    uint64_t random = HANDLE_SEED;
    *pair = (handle_pair){
        .count = count,
        .table = bench_table_new(GPOOL_KIND_BUFFER, 3, 1),
        .map = peer_slotmap_new(),
        .ids = bench_alloc(count, sizeof *pair->ids),
        .keys = bench_alloc(count, sizeof *pair->keys),
        .order = bench_alloc(HANDLE_QUERIES, sizeof *pair->order),
        .id_queries = bench_alloc(HANDLE_QUERIES, sizeof *pair->id_queries),
        .key_queries = bench_alloc(HANDLE_QUERIES, sizeof *pair->key_queries),
    };
    bench_require(pair->table != NULL, "there is no memory");
    for (uint64_t i = 0; i < count; ++i) {
        pair->ids[i] = bench_table_create(pair->table, i);
        pair->keys[i] = peer_slotmap_create(pair->map, i);
    }
    /* A tenth is destroyed together and made anew, then each in turn: slots are no longer in the
     * order of their making. */
    const uint64_t tenth = count / 10;
    for (uint64_t i = 0; i < tenth; ++i) {
        bench_require(bench_table_destroy(pair->table, pair->ids[i * 10]) &&
                          peer_slotmap_destroy(pair->map, pair->keys[i * 10]),
                      "a live handle is refused");
    }
    for (uint64_t i = 0; i < tenth; ++i) {
        pair->ids[i * 10] = bench_table_create(pair->table, i * 10);
        pair->keys[i * 10] = peer_slotmap_create(pair->map, i * 10);
    }
    for (uint64_t i = 0; i < HANDLE_QUERIES; ++i) {
        pair->order[i] = (uint32_t)(bench_random(&random) % count);
    }
    for (uint64_t i = 0; i < HANDLE_QUERIES; ++i) {
        pair->id_queries[i] = pair->ids[pair->order[i]];
        pair->key_queries[i] = pair->keys[pair->order[i]];
    }
}

static void handle_close(handle_pair *pair)
{
    bench_table_delete(pair->table);
    peer_slotmap_delete(pair->map);
    free(pair->ids);
    free(pair->keys);
    free(pair->order);
    free(pair->id_queries);
    free(pair->key_queries);
}

static void handle_get_ours(void *state, uint64_t count)
{
    const handle_pair *pair = state;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < count; ++i) {
        sum += *bench_table_get(pair->table, pair->id_queries[i % HANDLE_QUERIES]);
    }
    bench_sink = sum;
}

static void handle_get_peer(void *state, uint64_t count)
{
    const handle_pair *pair = state;
    uint64_t sum = 0;
    for (uint64_t i = 0; i < count; ++i) {
        sum += *peer_slotmap_get(pair->map, pair->key_queries[i % HANDLE_QUERIES]);
    }
    bench_sink = sum;
}

static void handle_measure(bench_run *run, bench_row *row, handle_pair *pair, bench_work_fn ours,
                           bench_work_fn peer)
{
    const bench_side other = { .name = PEER_SLOTMAP_NAME, .work = peer, .state = pair };
    bench_measure(run, row, (bench_side){ .work = ours, .state = pair },
                  pair->map != NULL ? &other : NULL, HANDLE_QUERIES);
    bench_add_counter(row, "live", (double)pair->count);
}

void bench_handle_get(bench_run *run, bench_row *row, uint64_t argument)
{
    handle_pair pair;
    handle_open(&pair, bench_objects(run, argument));
    for (uint64_t i = 0; i < pair.count; ++i) {
        bench_require(*bench_table_get(pair.table, pair.ids[i]) == i &&
                          (pair.map == NULL || *peer_slotmap_get(pair.map, pair.keys[i]) == i),
                      "a handle gives another value");
    }
    handle_measure(run, row, &pair, handle_get_ours, handle_get_peer);
    handle_close(&pair);
}

static void handle_churn_ours(void *state, uint64_t count)
{
    const handle_pair *pair = state;
    bool good = true;
    for (uint64_t i = 0; i < count; ++i) {
        const uint32_t at = pair->order[i % HANDLE_QUERIES];
        good = bench_table_destroy(pair->table, pair->ids[at]) && good;
        pair->ids[at] = bench_table_create(pair->table, at);
    }
    bench_require(good, "a live handle is refused");
}

static void handle_churn_peer(void *state, uint64_t count)
{
    const handle_pair *pair = state;
    bool good = true;
    for (uint64_t i = 0; i < count; ++i) {
        const uint32_t at = pair->order[i % HANDLE_QUERIES];
        good = peer_slotmap_destroy(pair->map, pair->keys[at]) && good;
        pair->keys[at] = peer_slotmap_create(pair->map, at);
    }
    bench_require(good, "a live handle is refused");
}

void bench_handle_churn(bench_run *run, bench_row *row, uint64_t argument)
{
    handle_pair pair;
    handle_open(&pair, bench_objects(run, argument));
    handle_measure(run, row, &pair, handle_churn_ours, handle_churn_peer);
    handle_close(&pair);
}
