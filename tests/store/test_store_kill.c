/*
 * Row 33: writers killed at random times. GPOOL_STORE_KILLS gives another number of kills than 300;
 * the first argument is the seed.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "store_world.h"

#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KEYS UINT64_C(40)

static uint64_t seed;

/* Saves, loads and cleans for ever. */
static void write_until_killed(const gpool_store_desc *desc, uint64_t random)
{
    gpool_store *store = world_store_of(desc, NULL);
    for (;;) {
        uint64_t key = unit_random_below(&random, KEYS);
        size_t size = 16 + (size_t)unit_random_below(&random, 20000);
        if (world_save(store, key, unit_random(&random), size) != GPOOL_OK ||
            world_load(store, unit_random_below(&random, KEYS)) == WORLD_WRONG) {
            _exit(3);
        }
        if (unit_random_below(&random, 200) == 0) {
            (void)gpool_store_verify(store, NULL);
        }
    }
}

static void killed_writers_leave_nothing_wrong_behind(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store_desc desc = world_desc(&w);
    desc.max_bytes = 200000;
    desc.max_entry_bytes = 30000;
    const uint64_t kills = world_number("GPOOL_STORE_KILLS", 300);
    uint64_t random = seed;
    uint64_t loads = 0;
    uint64_t right = 0;
    uint64_t temps = 0;
    for (uint64_t i = 0; i < kills; ++i) {
        uint64_t work = unit_random(&random);
        /* Most of them when it is at work, some while it starts. */
        uint64_t pause_ns = unit_random_below(&random, 4000000);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            write_until_killed(&desc, work);
        }
        const struct timespec pause = { 0, (long)pause_ns };
        (void)nanosleep(&pause, NULL);
        assert_int_equal(kill(child, SIGKILL), 0);
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        temps += world_count(w.path).temps;
        assert_int_equal(world_check_ledger(&w), 1);
        if (i % 10 != 9 && i + 1 < kills) {
            continue;
        }
        /* A fresh store loads all, and its first save finds no lock held and leaves no leftover. */
        gpool_store *store = world_store_of(&desc, NULL);
        for (uint64_t key = 0; key < KEYS; ++key) {
            world_loaded got = world_load(store, key);
            assert_true(got == WORLD_RIGHT || got == WORLD_MISS);
            loads += 1;
            right += got == WORLD_RIGHT;
        }
        assert_same(world_save(store, i % KEYS, i, 5000), GPOOL_OK);
        assert_same(world_load(store, i % KEYS), WORLD_RIGHT);
        gpool_store_stats stats = world_stats(store);
        assert_int_equal(stats.saves, 1);
        assert_int_equal(stats.failed_saves + stats.failed_loads + stats.bad_entries, 0);
        gpool_store_close(store);
        world_census census = world_count(w.path);
        assert_int_equal(census.temps, 0);
        assert_true(census.bytes <= desc.max_bytes + desc.max_entry_bytes);
    }
    printf("%llu kills, %llu temporary files seen after them, %llu loads, %llu right, 0 wrong\n",
           (unsigned long long)kills, (unsigned long long)temps, (unsigned long long)loads,
           (unsigned long long)right);
    assert_true(right > loads / 10); /* the writers got far enough to be worth killing */
    assert_true(kills < 200 || temps > 0);
    world_close(&w);
}

int main(int argc, char **argv)
{
    seed = unit_seed(argc, argv);
    const struct CMUnitTest tests[] = { cmocka_unit_test(
        killed_writers_leave_nothing_wrong_behind) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
