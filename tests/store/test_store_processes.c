/*
 * Row 35: many processes on the same keys, with a cap so small that they clean all the time.
 * GPOOL_STORE_OPERATIONS gives another number of operations than 20,000; the first argument is the seed.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1 /* MAP_ANONYMOUS */
#endif
#include "store_world.h"

#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define KEYS      UINT64_C(60)
#define MOST_SIZE 6000u

static uint64_t seed;

/* Shared by all processes. */
typedef struct totals {
    _Atomic uint64_t operations;
    _Atomic uint64_t right;
    _Atomic uint64_t wrong;
    _Atomic uint64_t errors;
    _Atomic uint64_t saves;
    _Atomic uint64_t failed_saves;
    _Atomic uint64_t bad_entries;
    _Atomic uint64_t cleanings;
    _Atomic uint64_t evictions;
    _Atomic uint64_t over_cap; /* looks at the directory that found too many bytes */
    _Atomic uint32_t running;
} totals;

static void work(totals *t, const gpool_store_desc *desc, uint64_t random, uint64_t operations)
{
    gpool_store *store = world_store_of(desc, NULL);
    for (uint64_t i = 0; i < operations; ++i) {
        uint64_t key = unit_random_below(&random, KEYS);
        uint64_t what = unit_random_below(&random, 100);
        world_loaded got = WORLD_MISS;
        gpool_result result = GPOOL_OK;
        if (what < 50) {
            got = world_load(store, key);
        } else if (what < 96) {
            /* Few variants, so that some are there already. */
            uint64_t variant = unit_random_below(&random, 3);
            result = world_save(store, key, variant, 16 + (size_t)(key * 97 % (MOST_SIZE - 100)));
        } else if (what < 98) {
            char bytes[WORLD_KEY_SIZE];
            (void)gpool_store_remove(store, bytes, world_key(key, bytes));
        } else if (what == 98) {
            result = gpool_store_verify(store, NULL);
        } else {
            /* A process of a short life. */
            gpool_store *other = world_store_of(desc, NULL);
            got = world_load(other, key);
            result = world_save(other, key, 1, 100);
            gpool_store_close(other);
        }
        atomic_fetch_add(&t->right, got == WORLD_RIGHT);
        atomic_fetch_add(&t->wrong, got == WORLD_WRONG);
        atomic_fetch_add(&t->errors,
                         got == WORLD_ERROR || got == WORLD_NO_MEMORY || result != GPOOL_OK);
        atomic_fetch_add(&t->operations, 1);
    }
    gpool_store_stats stats = world_stats(store);
    atomic_fetch_add(&t->saves, stats.saves);
    atomic_fetch_add(&t->failed_saves, stats.failed_saves);
    atomic_fetch_add(&t->bad_entries, stats.bad_entries);
    atomic_fetch_add(&t->cleanings, stats.cleanings);
    atomic_fetch_add(&t->evictions, stats.evictions);
    gpool_store_close(store);
}

static void run_processes(uint32_t processes, uint64_t operations)
{
    store_world w;
    world_open(&w);
    gpool_store_desc desc = world_desc(&w);
    desc.max_bytes = 100000;
    desc.max_entry_bytes = MOST_SIZE + 100;
    totals *t = mmap(NULL, sizeof *t, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(t != MAP_FAILED);
    atomic_store(&t->running, processes);
    for (uint32_t i = 0; i < processes; ++i) {
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            work(t, &desc, seed + i, operations / processes);
            atomic_fetch_sub(&t->running, 1);
            _exit(0);
        }
    }
    uint64_t looks = 0;
    uint64_t most = 0;
    uint64_t ledgers = 0;
    uint64_t lies = 0;
    while (atomic_load(&t->running) > 0) {
        int status = 0;
        pid_t ended = waitpid(-1, &status, WNOHANG);
        assert_true(ended <= 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
        uint64_t bytes = world_count(w.path).bytes;
        most = most > bytes ? most : bytes;
        /* What is renamed while we look may be seen twice: allow that one more. */
        uint64_t allowed = desc.max_bytes + 2 * processes * desc.max_entry_bytes;
        atomic_fetch_add(&t->over_cap, bytes > allowed);
        looks += 1;
        int ledger = world_check_ledger(&w);
        ledgers += ledger > 0;
        lies += ledger < 0;
        (void)usleep(1000);
    }
    int status = 0;
    while (waitpid(-1, &status, 0) > 0) {
        assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    printf("%2u processes: %llu operations, %llu right loads, %llu wrong, %llu saves, %llu failed, "
           "%llu cleanings, %llu evictions, at most %llu bytes in %llu looks, "
           "%llu ledgers compared\n",
           (unsigned)processes, (unsigned long long)t->operations, (unsigned long long)t->right,
           (unsigned long long)t->wrong, (unsigned long long)t->saves,
           (unsigned long long)t->failed_saves, (unsigned long long)t->cleanings,
           (unsigned long long)t->evictions, (unsigned long long)most, (unsigned long long)looks,
           (unsigned long long)ledgers);
    (void)fflush(stdout);
    assert_int_equal(t->wrong, 0);
    assert_int_equal(t->errors, 0);
    assert_int_equal(t->bad_entries, 0);
    assert_int_equal(t->over_cap, 0);
    assert_true(t->cleanings > processes && t->evictions > 0);
    assert_true(t->right > t->operations / 20);
    /* A save comes to nothing when others fill what it made room for, or clean for too long. */
    assert_true(t->failed_saves <= t->saves / 4);
    world_census census = world_count(w.path);
    assert_true(census.bytes <= desc.max_bytes);
    /* Whatever came between the steps of whom: the ledger tells no byte too few. */
    assert_int_equal(world_check_ledger(&w), 1);
    assert_int_equal(lies, 0);
    assert_true(ledgers > 0);
    assert_int_equal(census.temps, 0);
    (void)munmap(t, sizeof *t);
    world_close(&w);
}

static void processes_never_load_what_nobody_saved(void **state)
{
    (void)state;
    const uint64_t operations = world_number("GPOOL_STORE_OPERATIONS", 20000);
    static const uint32_t counts[] = { 2, 4, 8, 16 };
    for (size_t i = 0; i < UNIT_COUNT(counts); ++i) {
        run_processes(counts[i], operations / UNIT_COUNT(counts));
    }
}

int main(int argc, char **argv)
{
    seed = unit_seed(argc, argv);
    const struct CMUnitTest tests[] = { cmocka_unit_test(processes_never_load_what_nobody_saved) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
