/* Handles that must be refused: all that were destroyed, of other pools and kinds, forged ones. */
#include "bench.h"
#include "bench_table.h"
#include "peers/peers.h"

#include <stdlib.h>

#define STALE_TAGS   16u
#define STALE_FORGED UINT64_C(100000000)
#define STALE_LIVE   10000u
#define STALE_SEED   20260102u

/* Reuses one slot again and again; how often is its first handle accepted? */
static uint64_t stale_reuse(uint64_t reuses)
{
    bench_table *table = bench_table_new(GPOOL_KIND_BUFFER, 0, 1);
    const uint64_t first = bench_table_create(table, 0);
    uint64_t id = first;
    uint64_t accepted = 0;
    for (uint64_t i = 0; i < reuses; ++i) {
        bench_require(bench_table_destroy(table, id), "a live handle is refused");
        id = bench_table_create(table, i);
        bench_require(gpool_handle_slot(id) == gpool_handle_slot(first), "the slot is not reused");
        accepted += bench_table_get(table, first) != NULL;
    }
    bench_table_delete(table);
    return accepted;
}

static uint64_t stale_reuse_of_peer(uint64_t reuses)
{
    peer_slots16 *slots = bench_alloc(1, sizeof *slots);
    const uint32_t first = peer_slots16_create(slots);
    uint32_t id = first;
    uint64_t accepted = 0;
    for (uint64_t i = 0; i < reuses; ++i) {
        bench_require(peer_slots16_destroy(slots, id), "a live handle of the peer is refused");
        id = peer_slots16_create(slots);
        accepted += peer_slots16_is_alive(slots, first);
    }
    free(slots);
    return accepted;
}

/* Runs a slot of each kind into its last generation and beyond. */
static uint64_t stale_last_generation(uint64_t *spent)
{
    uint64_t accepted = 0;
    for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
        enum {
            STEPS = 16,
            BEFORE = 8
        };
        uint64_t ids[STEPS];
        bench_table *table = bench_table_new((gpool_kind)kind, 5, UINT32_MAX - BEFORE);
        for (int i = 0; i < STEPS; ++i) {
            ids[i] = bench_table_create(table, (uint64_t)i);
            for (int j = 0; j < i; ++j) {
                accepted += bench_table_get(table, ids[j]) != NULL;
            }
            bench_require(bench_table_destroy(table, ids[i]), "a live handle is refused");
            accepted += bench_table_get(table, ids[i]) != NULL;
        }
        *spent += bench_table_spent(table);
        bench_table_delete(table);
    }
    return accepted;
}

/* One handle from each pair of kind and pool, tried on every other. */
static uint64_t stale_foreign(uint64_t *tried)
{
    bench_table *tables[GPOOL_KIND_COUNT * STALE_TAGS];
    uint64_t ids[GPOOL_KIND_COUNT * STALE_TAGS];
    uint64_t accepted = 0;
    size_t count = 0;
    for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
        for (uint32_t tag = 0; tag < STALE_TAGS; ++tag) {
            tables[count] = bench_table_new((gpool_kind)kind, tag, 1);
            ids[count] = bench_table_create(tables[count], 0);
            count += 1;
        }
    }
    for (size_t i = 0; i < count; ++i) {
        for (size_t j = 0; j < count; ++j) {
            const bool is_accepted = bench_table_get(tables[i], ids[j]) != NULL;
            if (i == j) {
                bench_require(is_accepted, "a live handle is refused");
            } else {
                accepted += is_accepted;
                *tried += 1;
            }
        }
    }
    for (size_t i = 0; i < count; ++i) {
        bench_table_delete(tables[i]);
    }
    return accepted;
}

/* Random bits, half of them made to look much like a handle of the table. */
static uint64_t stale_forge(uint64_t *random)
{
    const uint64_t bits = bench_random(random);
    if ((bits & 1u) == 0) {
        return bench_random(random);
    }
    const uint64_t slot = (bits >> 8) % (STALE_LIVE + STALE_LIVE / 8);
    return (bits >> 60) << 32 | 7u << 28 | (uint64_t)GPOOL_KIND_TEXTURE << 24 | slot;
}

static uint64_t stale_forged(uint64_t tries, uint64_t *alive)
{
    uint64_t random = STALE_SEED;
    uint64_t *live = bench_alloc(STALE_LIVE, sizeof *live); /* by slot; 0 = none */
    bench_table *table = bench_table_new(GPOOL_KIND_TEXTURE, 7, 1);
    for (uint64_t i = 0; i < STALE_LIVE; ++i) {
        live[i] = bench_table_create(table, i);
    }
    /* Slots get generations from 1 to about 10, and some stay dead. */
    for (uint64_t i = 0; i < 5 * STALE_LIVE; ++i) {
        const uint64_t slot = bench_random(&random) % STALE_LIVE;
        if (live[slot] != 0) {
            (void)bench_table_destroy(table, live[slot]);
            live[slot] = 0;
            if (i % 16 != 0) {
                const uint64_t id = bench_table_create(table, i);
                live[gpool_handle_slot(id)] = id;
            }
        }
    }
    uint64_t accepted = 0;
    for (uint64_t forged = 0; forged < tries;) {
        const uint64_t id = stale_forge(&random);
        const uint32_t slot = gpool_handle_slot(id);
        const bool is_alive = slot < STALE_LIVE && live[slot] == id;
        const bool is_accepted = bench_table_get(table, id) != NULL;
        if (is_alive) {
            bench_require(is_accepted, "a live handle is refused");
            *alive += 1; /* it hit a handle that is alive: no forgery */
        } else {
            accepted += is_accepted;
            forged += 1;
        }
    }
    bench_table_delete(table);
    free(live);
    return accepted;
}

void bench_handle_stale(bench_run *run, bench_row *row, uint64_t argument)
{
    uint64_t spent = 0;
    uint64_t foreign = 0;
    uint64_t alive = 0;
    const uint64_t forged = bench_repeats(run, STALE_FORGED);
    const uint64_t by_reuse = stale_reuse(argument);
    const uint64_t by_generation = stale_last_generation(&spent);
    const uint64_t by_foreign = stale_foreign(&foreign);
    const uint64_t by_forgery = stale_forged(forged, &alive);
    bench_set_ours(row, (double)(by_reuse + by_generation + by_foreign + by_forgery));
    bench_set_peer(row, PEER_SLOTS16_NAME, (double)stale_reuse_of_peer(argument));
    bench_add_counter(row, "reuses", (double)argument);
    bench_add_counter(row, "accepted_after_reuse", (double)by_reuse);
    /* One of each kind, or else generations begin anew. */
    bench_add_limited(row, "slots_not_spent", (double)(GPOOL_KIND_COUNT - 1 - spent), 0);
    bench_add_counter(row, "accepted_after_last_generation", (double)by_generation);
    bench_add_counter(row, "foreign", (double)foreign);
    bench_add_counter(row, "accepted_foreign", (double)by_foreign);
    bench_add_counter(row, "forged", (double)forged);
    bench_add_counter(row, "accepted_forged", (double)by_forgery);
    bench_add_counter(row, "forged_that_were_alive", (double)alive);
}
