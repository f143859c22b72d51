/* Row 39: the cap, and clocks that jump. */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "store_world.h"

#include "faulty_files.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOUR INT64_C(3600000000000)
#define DAY  (24 * HOUR)

/* Bytes of the file of a key below 10 with so large a payload. */
static uint64_t file_size(size_t payload)
{
    return 32 + 16 + payload + 16;
}

static void sum_of_the_files_never_exceeds_the_cap(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store_desc desc = world_desc(&w);
    desc.max_bytes = 50000;
    gpool_store *store = world_store_of(&desc, NULL);
    uint64_t random = 3;
    for (uint64_t i = 0; i < 1000; ++i) {
        size_t size = 16 + (size_t)unit_random_below(&random, 5000);
        assert_same(world_save(store, i % 300, i, size), GPOOL_OK);
        assert_same(world_load(store, i % 300), WORLD_RIGHT);
        assert_true(world_count(w.path).bytes <= desc.max_bytes);
    }
    gpool_store_stats stats = world_stats(store);
    assert_int_equal(stats.saves, 1000);
    assert_int_equal(stats.failed_saves, 0);
    assert_true(stats.evictions > 800);
    /* Looking through the directory is for one save in many: an eighth of the cap lies between. */
    assert_true(stats.cleanings > 100 && stats.cleanings < 600);
    gpool_store_close(store);
    world_close(&w);
}

static void save_below_the_cap_does_not_look_through_the_directory(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store_desc desc = world_desc(&w);
    faulty_files faulty;
    faulty_init(&faulty);
    gpool_store *store = world_store_of(&desc, &(gpool__store_hooks){ .files = &faulty.table });
    assert_same(world_save(store, 0, 1, 1000), GPOOL_OK);
    assert_int_equal(world_stats(store).cleanings, 1);
    uint64_t first = 0;
    for (uint64_t i = 1; i < 200; ++i) {
        uint64_t before = atomic_load(&faulty.calls);
        assert_same(world_save(store, i, 1, 1000), GPOOL_OK);
        uint64_t calls = atomic_load(&faulty.calls) - before;
        first = i == 1 ? calls : first;
        assert_int_equal(calls, first);
    }
    assert_true(first <= 15);
    assert_int_equal(world_stats(store).cleanings, 1);
    gpool_store_close(store);
    world_close(&w);
}

static void what_was_used_least_recently_goes_first(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store_desc desc = world_desc(&w);
    desc.max_bytes = 8 * file_size(1000);
    gpool_store *store = world_store_of(&desc, NULL);
    const int64_t now = world_now();
    for (uint64_t i = 0; i < 8; ++i) {
        assert_same(world_save(store, i, 1, 1000), GPOOL_OK);
        world_set_time(world_entry_path(&w, i), now - DAY * (int64_t)(10 - i));
    }
    assert_int_equal(world_count(w.path).entries, 8);
    /* A load and a save of what is there both count as use. */
    assert_same(world_load(store, 0), WORLD_RIGHT);
    assert_same(world_save(store, 1, 1, 1000), GPOOL_OK);
    assert_int_equal(world_stats(store).same_saves, 1);
    assert_true(world_get_time(world_entry_path(&w, 0)) >= now);
    assert_true(world_get_time(world_entry_path(&w, 1)) >= now);
    assert_same(world_save(store, 8, 1, 1000), GPOOL_OK);
    static const bool stays[] = { true, true, false, true, true, true, true, true, true };
    for (uint64_t i = 0; i < UNIT_COUNT(stays); ++i) {
        assert_same(world_exists(world_entry_path(&w, i)), stays[i]);
    }
    gpool_store_close(store);
    world_close(&w);
}

static void stamp_is_refreshed_once_an_hour(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    const gpool_store_desc desc = world_desc(&w);
    gpool_store *store = world_store_of(&desc, NULL);
    assert_same(world_save(store, 1, 1, 1000), GPOOL_OK);
    const char *path = world_entry_path(&w, 1);
    const int64_t now = world_now();
    const int64_t minute = HOUR / 60;
    const struct {
        int64_t stamp;
        bool refreshed;
    } rows[] = {
        { now - 55 * minute, false },
        { now - 65 * minute, true },
        { now + 55 * minute, false },
        { now + 65 * minute, true },
        { 0, true },
        { now + 50000 * DAY, true },
    };
    for (size_t i = 0; i < UNIT_COUNT(rows); ++i) {
        for (int save = 0; save <= 1; ++save) {
            world_set_time(path, rows[i].stamp);
            if (save) {
                assert_same(world_save(store, 1, 1, 1000), GPOOL_OK);
            } else {
                assert_same(world_load(store, 1), WORLD_RIGHT);
            }
            int64_t after = world_get_time(path);
            assert_same(after != rows[i].stamp, rows[i].refreshed);
            assert_true(!rows[i].refreshed || (after >= now && after < now + HOUR / 2));
        }
    }
    gpool_store_close(store);
    world_close(&w);
}

/* Entries of a time to come are no reason to keep them for ever, nor to delete what is in use. */
static void clock_that_was_ahead_keeps_nothing_for_ever(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store_desc desc = world_desc(&w);
    desc.max_bytes = 8 * file_size(1000);
    gpool_store *store = world_store_of(&desc, NULL);
    for (uint64_t i = 0; i < 7; ++i) {
        assert_same(world_save(store, i, 1, 1000), GPOOL_OK);
        world_set_time(world_entry_path(&w, i), world_now() + (100 + (int64_t)i) * DAY);
    }
    /* Used since: counts as new again. */
    assert_same(world_load(store, 2), WORLD_RIGHT);
    for (uint64_t i = 7; i < 10; ++i) {
        assert_same(world_save(store, i, 1, 1000), GPOOL_OK);
    }
    assert_true(world_count(w.path).bytes <= desc.max_bytes);
    static const bool stays[] = { false, false, true, true, true, true, true, true, true, true };
    for (uint64_t i = 0; i < UNIT_COUNT(stays); ++i) {
        assert_same(world_exists(world_entry_path(&w, i)), stays[i]);
    }
    for (uint64_t i = 10; i < 20; ++i) {
        assert_same(world_save(store, i, 1, 1000), GPOOL_OK);
        assert_same(world_load(store, i), WORLD_RIGHT);
    }
    for (uint64_t i = 0; i < 7; ++i) {
        assert_false(world_exists(world_entry_path(&w, i)));
    }
    gpool_store_close(store);
    world_close(&w);
}

/* A clock that says 1970, and one that is a century ahead: the cap holds, and use is still what counts. */
static void clock_that_jumps_does_not_break_the_cap(void **state)
{
    (void)state;
    static const int64_t shifts[] = { -20000 * DAY, 36500 * DAY };
    for (size_t k = 0; k < UNIT_COUNT(shifts); ++k) {
        store_world w;
        world_open(&w);
        gpool_store_desc desc = world_desc(&w);
        desc.max_bytes = 8 * file_size(1000);
        faulty_files faulty;
        faulty_init(&faulty);
        gpool_store *store = world_store_of(&desc, &(gpool__store_hooks){ .files = &faulty.table });
        for (uint64_t i = 0; i < 8; ++i) {
            assert_same(world_save(store, i, 1, 1000), GPOOL_OK);
            world_set_time(world_entry_path(&w, i), world_now() - HOUR * 2 + (int64_t)i);
        }
        faulty.clock_shift_ns = shifts[k];
        assert_same(world_load(store, 0), WORLD_RIGHT);
        assert_same(world_load(store, 1), WORLD_RIGHT);
        for (uint64_t i = 8; i < 40; ++i) {
            assert_same(world_save(store, i, 1, 1000), GPOOL_OK);
            assert_same(world_load(store, i), WORLD_RIGHT); /* sets its stamp by the wrong clock */
            assert_true(world_count(w.path).bytes <= desc.max_bytes);
            if (i == 9) {
                assert_true(world_exists(world_entry_path(&w, 0)));
                assert_true(world_exists(world_entry_path(&w, 1)));
                assert_false(world_exists(world_entry_path(&w, 2)));
                assert_false(world_exists(world_entry_path(&w, 3)));
            }
        }
        faulty.clock_shift_ns = 0;
        assert_same(world_load(store, 39), WORLD_RIGHT);
        for (uint64_t i = 40; i < 60; ++i) {
            assert_same(world_save(store, i, 1, 1000), GPOOL_OK);
            assert_same(world_load(store, i), WORLD_RIGHT);
            assert_true(world_count(w.path).bytes <= desc.max_bytes);
            assert_same(world_load(store, i - 1), WORLD_RIGHT);
        }
        assert_int_equal(world_stats(store).failed_saves, 0);
        gpool_store_close(store);
        world_close(&w);
    }
}

static void files_that_others_put_there_count(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store_desc desc = world_desc(&w);
    desc.max_bytes = 50000;
    gpool_store *store = world_store_of(&desc, NULL);
    assert_same(world_save(store, 1, 1, 1000), GPOOL_OK);
    gpool_store_close(store);
    uint8_t junk[1000] = { 1 };
    for (uint64_t i = 100; i < 200; ++i) {
        world_write_file(world_entry_path(&w, i), junk, sizeof junk);
        world_set_time(world_entry_path(&w, i), 1);
    }
    assert_true(world_count(w.path).bytes > desc.max_bytes);
    store = world_store_of(&desc, NULL);
    assert_same(world_save(store, 2, 1, 1000), GPOOL_OK); /* the first save looks */
    assert_true(world_count(w.path).bytes <= desc.max_bytes);
    assert_same(world_load(store, 1), WORLD_RIGHT);
    assert_same(world_load(store, 2), WORLD_RIGHT);
    gpool_store_close(store);
    world_close(&w);
}

static void oversize_file_goes_before_anything_useful(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store_desc desc = world_desc(&w);
    desc.max_bytes = 50000;
    desc.max_entry_bytes = 5000;
    gpool_store *store = world_store_of(&desc, NULL);
    for (uint64_t i = 0; i < 10; ++i) {
        assert_same(world_save(store, i, 1, 1000), GPOOL_OK);
        world_set_time(world_entry_path(&w, i), 1000 + (int64_t)i);
    }
    gpool_store_close(store);
    uint8_t *junk = calloc(1, 60000);
    assert_non_null(junk);
    world_write_file(world_entry_path(&w, 100), junk, 60000);
    free(junk);
    store = world_store_of(&desc, NULL);
    assert_same(world_save(store, 10, 1, 1000), GPOOL_OK);
    assert_false(world_exists(world_entry_path(&w, 100)));
    for (uint64_t i = 0; i <= 10; ++i) {
        assert_same(world_load(store, i), WORLD_RIGHT);
    }
    assert_int_equal(world_stats(store).evictions, 1);
    gpool_store_close(store);
    world_close(&w);
}

static void ledger_that_lies_is_put_right(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store_desc desc = world_desc(&w);
    desc.max_bytes = 20000;
    gpool_store *store = world_store_of(&desc, NULL);
    static const struct {
        const char *bytes;
        size_t size;
    } ledgers[] = {
        { "", 0 },
        { "short", 5 },
        { "0123456789abcdef", 16 },
        { "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16 },
        { "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 16 },
        /* A right one that says far too much: 2^62. */
        { "\0\0\0\0\0\0\0\x40\x64\x65\x6c\x6c\x6f\x6f\x70\x27", 16 },
    };
    for (uint64_t i = 0; i < 60; ++i) {
        size_t k = i % UNIT_COUNT(ledgers);
        world_write_file(world_path(&w, "store/ledger"), ledgers[k].bytes, ledgers[k].size);
        assert_same(world_save(store, i, 1, 1000), GPOOL_OK);
        assert_same(world_load(store, i), WORLD_RIGHT);
        assert_true(world_count(w.path).bytes <= desc.max_bytes);
    }
    assert_int_equal(world_stats(store).failed_saves, 0);
    assert_int_equal(world_stats(store).cleanings, 60);
    gpool_store_close(store);
    world_close(&w);
}

static void save_five(void *user)
{
    for (uint64_t i = 10; i < 15; ++i) {
        assert_same(world_save(user, i, 1, 1000), GPOOL_OK);
    }
}

/* What others save while the cleaner looks, and does not see, is in the ledger all the same. */
static void saves_beside_a_cleaning_are_counted(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store *other = world_store(&w);
    assert_same(world_save(other, 0, 1, 1000), GPOOL_OK);
    faulty_files faulty;
    faulty_init(&faulty);
    faulty.on_list = save_five;
    faulty.on_user = other;
    const gpool_store_desc desc = world_desc(&w);
    gpool_store *store = world_store_of(&desc, &(gpool__store_hooks){ .files = &faulty.table });
    assert_same(world_save(store, 1, 1, 1000), GPOOL_OK);
    assert_int_equal(world_stats(store).cleanings, 1);
    assert_null(faulty.on_list);
    uint64_t told = world_ledger(&w);
    assert_int_equal(world_count(w.path).entries, 7);
    assert_true(told >= world_count(w.path).bytes);
    assert_true(told <= 2 * world_count(w.path).bytes);
    gpool_store_close(store);
    gpool_store_close(other);
    world_close(&w);
}

/* What another store does between two steps of a save. */
typedef struct beside {
    store_world *w;
    gpool_store_desc desc;
    gpool_store *open; /* NULL = one is opened, whose first save looks through the directory */
    uint64_t key;
    uint64_t saved;
} beside;

static void save_beside(void *user)
{
    beside *b = user;
    gpool_store *store = b->open != NULL ? b->open : world_store_of(&b->desc, NULL);
    uint64_t before = world_stats(store).saves;
    assert_same(world_save(store, b->key, 1, 1000), GPOOL_OK);
    b->saved = world_stats(store).saves - before;
    if (b->open == NULL) {
        gpool_store_close(store);
    }
}

/*
 * One save comes between any two steps of another, each of them with a cleaning or without: the ledger
 * tells no byte too few after it, so that the cap holds whatever comes later.
 */
static void no_step_of_a_save_lets_the_ledger_forget(void **state)
{
    (void)state;
    for (uint32_t kind = 0; kind < 8; ++kind) {
        const bool looks = (kind & 1) != 0;       /* the outer save looks through the directory */
        const bool other_looks = (kind & 2) != 0; /* the inner one does */
        const bool replaces = (kind & 4) != 0;    /* both save the same key */
        uint64_t calls = 1;
        uint32_t saved = 0;
        for (uint64_t at = 1; at <= calls; ++at) {
            store_world w;
            world_open(&w);
            gpool_store_desc desc = world_desc(&w);
            faulty_files faulty;
            faulty_init(&faulty);
            const gpool__store_hooks hooks = { .files = &faulty.table };
            gpool_store *store = world_store_of(&desc, &hooks);
            beside b = { .w = &w, .desc = desc, .key = replaces ? 3 : 4 };
            b.open = other_looks ? NULL : world_store_of(&desc, NULL);
            assert_same(world_save(b.open != NULL ? b.open : store, 1, 1, 1000), GPOOL_OK);
            if (!looks) {
                assert_same(world_save(store, 2, 1, 1000), GPOOL_OK);
            }
            const uint64_t before = atomic_load(&faulty.calls);
            faulty.call_at = before + at;
            faulty.on_call = save_beside;
            faulty.on_user = &b;
            assert_same(world_save(store, 3, 2, 1000), GPOOL_OK);
            calls = atomic_load(&faulty.calls) - before;
            saved += b.saved == 1;
            assert_same(world_load(store, 3), WORLD_RIGHT);
            assert_true(world_ledger(&w) >= world_count(w.path).bytes);
            assert_int_equal(world_count(w.path).temps, 0);
            gpool_store_close(b.open);
            gpool_store_close(store);
            world_close(&w);
        }
        assert_true(saved > calls / 4); /* while others hold a lock it comes to nothing */
    }
}

/* Whoever stops while it holds a lock holds nobody up for long. */
static void lock_that_is_never_given_back_costs_saves_only(void **state)
{
    (void)state;
    static const char *const names[] = { "ledger", "cleaner.lock" };
    for (size_t i = 0; i < UNIT_COUNT(names); ++i) {
        store_world w;
        world_open(&w);
        gpool_store *store = world_store(&w);
        assert_same(world_save(store, 1, 1, 1000), GPOOL_OK);
        const gpool__files *files = gpool__system_files();
        int directory = files->open_directory(files->user, w.path);
        int lock = files->open_write(files->user, directory, names[i], false);
        assert_true(directory >= 0 && lock >= 0);
        assert_int_equal(files->lock(files->user, lock), 0);
        uint64_t begin = gpool__now_ns();
        assert_same(world_save(store, 2, 1, 1000), GPOOL_OK);
        assert_true(gpool__now_ns() - begin < UINT64_C(5000000000));
        bool saved = i == 1; /* below the cap nobody asks for the cleaner */
        assert_int_equal(world_stats(store).failed_saves, !saved);
        assert_same(world_load(store, 1), WORLD_RIGHT);
        assert_same(world_load(store, 2), saved ? WORLD_RIGHT : WORLD_MISS);
        assert_same(gpool_store_clear(store), GPOOL_OK);
        assert_true(gpool__now_ns() - begin < UINT64_C(10000000000));
        assert_int_equal(files->close(files->user, lock), 0);
        assert_int_equal(files->close(files->user, directory), 0);
        assert_same(world_save(store, 2, 1, 1000), GPOOL_OK);
        assert_same(world_load(store, 2), WORLD_RIGHT);
        gpool_store_close(store);
        world_close(&w);
    }
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
            faulty_init(&faulty);
            const gpool_store_desc desc = world_desc(&w);
            const gpool__store_hooks hooks = { .files = &faulty.table };
            gpool_store *store = world_store_of(&desc, &hooks);
            if (looks == 0) {
                assert_same(world_save(store, 0, 1, 1000), GPOOL_OK);
            }
            pid_t child = 0;
            const uint64_t before = atomic_load(&faulty.calls);
            faulty.call_at = before + at;
            faulty.on_call = fork_one;
            faulty.on_user = &child;
            assert_same(world_save(store, 1, 1, 1000), GPOOL_OK);
            calls = atomic_load(&faulty.calls) - before;
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

/* A temporary file belongs to whoever holds its lock, whatever its time says. */
static void temporary_files_of_dead_writers_go_and_those_of_live_ones_stay(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store *store = world_store(&w);
    const char *dead = strdup(world_path(&w, "store/temp-00000000000000000000000000000001"));
    const char *live = strdup(world_path(&w, "store/temp-00000000000000000000000000000002"));
    world_write_file(dead, "half an ent", 11);
    world_write_file(live, "half an ent", 11);
    world_set_time(live, 1);
    world_set_time(dead, world_now() + 100 * DAY);
    const gpool__files *files = gpool__system_files();
    int directory = files->open_directory(files->user, w.path);
    int writer =
        files->open_write(files->user, directory, "temp-00000000000000000000000000000002", false);
    assert_true(writer >= 0);
    assert_int_equal(files->lock(files->user, writer), 0);
    assert_same(world_save(store, 1, 1, 1000), GPOOL_OK);
    assert_false(world_exists(dead));
    assert_true(world_exists(live));
    assert_int_equal(world_stats(store).temp_files, 1);
    assert_int_equal(files->close(files->user, writer), 0);
    assert_same(gpool_store_clear(store), GPOOL_OK);
    assert_false(world_exists(live));
    assert_int_equal(files->close(files->user, directory), 0);
    gpool_store_close(store);
    free((char *)dead);
    free((char *)live);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sum_of_the_files_never_exceeds_the_cap),
        cmocka_unit_test(save_below_the_cap_does_not_look_through_the_directory),
        cmocka_unit_test(what_was_used_least_recently_goes_first),
        cmocka_unit_test(stamp_is_refreshed_once_an_hour),
        cmocka_unit_test(clock_that_was_ahead_keeps_nothing_for_ever),
        cmocka_unit_test(clock_that_jumps_does_not_break_the_cap),
        cmocka_unit_test(files_that_others_put_there_count),
        cmocka_unit_test(oversize_file_goes_before_anything_useful),
        cmocka_unit_test(ledger_that_lies_is_put_right),
        cmocka_unit_test(saves_beside_a_cleaning_are_counted),
        cmocka_unit_test(no_step_of_a_save_lets_the_ledger_forget),
        cmocka_unit_test(lock_that_is_never_given_back_costs_saves_only),
        cmocka_unit_test(process_forked_during_a_save_holds_nobody_up),
        cmocka_unit_test(temporary_files_of_dead_writers_go_and_those_of_live_ones_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
