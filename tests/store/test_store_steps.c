/* What may happen between any two steps of a save: another save, a cleaning, a fork, the end of the process. */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "store_world.h"

#include "faulty_files.h"

#include <errno.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* What another store does between two steps of a save. */
typedef struct beside {
    gpool_store_desc desc;
    gpool_store *open; /* NULL = one is opened, whose first save looks through the directory */
    uint64_t key;
    uint64_t saved;
    uint64_t temp_files;
} beside;

static void save_beside(void *user)
{
    beside *b = user;
    gpool_store *store = b->open != NULL ? b->open : world_store_of(&b->desc, NULL);
    const gpool_store_stats before = world_stats(store);
    assert_same(world_save(store, b->key, 1, 1000), GPOOL_OK);
    const gpool_store_stats after = world_stats(store);
    b->saved += after.saves - before.saves;
    b->temp_files += after.temp_files - before.temp_files;
    if (b->open == NULL) {
        gpool_store_close(store);
    }
}

/* Two saves, one of them between two steps of the other. */
typedef struct two_saves {
    bool looks;       /* the outer save looks through the directory */
    bool inner_looks; /* the inner one does */
    bool replaces;    /* both save the same key */
    bool full;        /* there is room for two entries */
} two_saves;

/* Does the inner save before call `at` of the outer one; returns the calls that this makes. */
static uint64_t run_two_saves(const two_saves *kind, uint64_t at, beside *b)
{
    store_world w;
    world_open(&w);
    b->desc = world_desc(&w);
    b->desc.max_bytes = kind->full ? 2300 : 0;
    b->key = kind->replaces ? 3 : 4;
    gpool_store *first = world_store_of(&b->desc, NULL);
    assert_same(world_save(first, 1, 1, 1000), GPOOL_OK);
    faulty_files faulty;
    gpool_store *store = faulty_open(&faulty, &b->desc);
    if (!kind->looks) {
        assert_same(world_save(store, 2, 1, 1000), GPOOL_OK);
    }
    b->open = kind->inner_looks ? NULL : first;
    atomic_store(&faulty.calls, 0);
    faulty.call_at = at;
    faulty.on_call = save_beside;
    faulty.on_user = b;
    assert_same(world_save(store, 3, 2, 1000), GPOOL_OK);
    const uint64_t calls = atomic_load(&faulty.calls);
    /* The inner one may take the room that the outer one made. */
    assert_true(kind->full || world_load(store, 3) == WORLD_RIGHT);
    assert_int_equal(world_check_ledger(&w), 1);
    assert_int_equal(world_count(w.path).temps, 0);
    assert_true(!kind->full || world_count(w.path).bytes <= b->desc.max_bytes);
    gpool_store_close(first);
    gpool_store_close(store);
    world_close(&w);
    return calls;
}

/*
 * One save comes between any two steps of another, each of them with a cleaning or without: the ledger
 * tells no byte too few after it, so that the cap holds whatever comes later.
 */
static void no_step_of_a_save_lets_the_ledger_forget(void **state)
{
    (void)state;
    static const two_saves kinds[] = {
        { 0 },
        { .inner_looks = true },
        { .looks = true },
        { .looks = true, .inner_looks = true },
        { .replaces = true },
        { .replaces = true, .inner_looks = true },
        { .full = true },
    };
    for (size_t i = 0; i < UNIT_COUNT(kinds); ++i) {
        beside b = { 0 };
        uint64_t calls = 1;
        for (uint64_t at = 1; at <= calls; ++at) {
            calls = run_two_saves(&kinds[i], at, &b);
        }
        assert_true(calls >= 15);
        /* While others hold a lock it comes to nothing. */
        assert_true(b.saved > calls / 4);
        /* A writer's file is safe but for the instant between its making and its lock. */
        assert_true(b.temp_files <= 1);
    }
}

static void kill_oneself(void *user)
{
    (void)user;
    (void)raise(SIGKILL);
}

/* Saves once, in a process of its own that is killed before call `at`; true when it was. */
static bool save_until_killed(const gpool_store_desc *desc, uint64_t at, uint64_t key)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        faulty_files faulty;
        gpool_store *store = faulty_open(&faulty, desc);
        atomic_store(&faulty.calls, 0);
        faulty.call_at = at;
        faulty.on_call = kill_oneself;
        (void)world_save(store, key, 1, 1000);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
    return WIFSIGNALED(status);
}

/* A program that is killed at the same step of its first save, start after start. */
static void first_saves_that_are_killed_pile_nothing_up(void **state)
{
    (void)state;
    bool killed = true;
    uint32_t temps = 0;
    uint64_t at = 1;
    for (; killed; ++at) {
        store_world w;
        world_open(&w);
        const gpool_store_desc desc = world_desc(&w);
        for (uint64_t start = 0; start < 4 && killed; ++start) {
            killed = save_until_killed(&desc, at, start);
            const world_census census = world_count(w.path);
            assert_true(census.temps <= 1);
            temps += census.temps;
            assert_int_equal(world_check_ledger(&w), 1);
        }
        world_close(&w);
    }
    assert_true(at > 25 && temps > 10);
}

/* A process that has what its parent had open, and lives on. */
static void fork_one(void *user)
{
    pid_t *child = user;
    *child = fork();
    if (*child == 0) {
        (void)alarm(60); /* also when the test fails */
        for (;;) {
            (void)pause();
        }
    }
}

/* Whoever forks at any step of a save: the child must not keep the locks for as long as it lives. */
static void process_forked_during_a_save_holds_nobody_up(void **state)
{
    (void)state;
    for (uint64_t looks = 0; looks <= 1; ++looks) {
        uint64_t calls = 1;
        for (uint64_t at = 1; at <= calls; ++at) {
            store_world w;
            world_open(&w);
            faulty_files faulty;
            const gpool_store_desc desc = world_desc(&w);
            gpool_store *store = faulty_open(&faulty, &desc);
            if (looks == 0) {
                assert_same(world_save(store, 0, 1, 1000), GPOOL_OK);
            }
            pid_t child = 0;
            atomic_store(&faulty.calls, 0);
            faulty.call_at = at;
            faulty.on_call = fork_one;
            faulty.on_user = &child;
            assert_same(world_save(store, 1, 1, 1000), GPOOL_OK);
            calls = atomic_load(&faulty.calls);
            assert_true(child > 0);
            assert_same(world_save(store, 2, 1, 1000), GPOOL_OK);
            assert_int_equal(world_stats(store).saves, 3 - looks);
            assert_same(gpool_store_clear(store), GPOOL_OK);
            assert_int_equal(world_stats(store).failed_saves, 0);
            assert_int_equal(world_count(w.path).entries + world_count(w.path).temps, 0);
            assert_int_equal(kill(child, SIGKILL), 0);
            assert_int_equal(waitpid(child, NULL, 0), child);
            gpool_store_close(store);
            world_close(&w);
        }
        assert_true(calls >= 15);
    }
}

/* A network does the rename and tells of an error: the entry is there, and so it is in the ledger. */
static void rename_that_is_done_all_the_same_counts(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    faulty_files faulty;
    const gpool_store_desc desc = world_desc(&w);
    gpool_store *store = faulty_open(&faulty, &desc);
    assert_same(world_save(store, 1, 1, 1000), GPOOL_OK);
    const uint64_t told = world_ledger(&w);
    faulty.rename_error = -EIO;
    assert_same(world_save(store, 2, 1, 1000), GPOOL_OK);
    assert_int_equal(world_stats(store).failed_saves, 1);
    assert_int_equal(world_count(w.path).entries, 2);
    assert_int_equal(world_check_ledger(&w), 1);
    faulty.rename_error = 0;
    /* And one that is refused, by a directory in the entry's place, takes nothing away. */
    assert_int_equal(mkdir(world_entry_path(&w, 3), 0700), 0);
    for (uint64_t i = 0; i < 5; ++i) {
        assert_same(world_save(store, 3, i, 1000), GPOOL_OK);
    }
    assert_int_equal(world_stats(store).failed_saves, 6);
    assert_true(world_ledger(&w) == 2 * told);
    gpool_store_close(store);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_step_of_a_save_lets_the_ledger_forget),
        cmocka_unit_test(first_saves_that_are_killed_pile_nothing_up),
        cmocka_unit_test(process_forked_during_a_save_holds_nobody_up),
        cmocka_unit_test(rename_that_is_done_all_the_same_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
