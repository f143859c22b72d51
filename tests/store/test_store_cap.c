/* Row 39: the cap, and clocks that jump. */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "store_world.h"

#include "faulty_files.h"

#include <errno.h>

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
    gpool_store *store = faulty_open(&faulty, &desc);
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
        gpool_store *store = faulty_open(&faulty, &desc);
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

/* A ledger that knows nothing of the files, and a first look that fails at any step: a later one is right. */
static void look_that_fails_is_done_again(void **state)
{
    (void)state;
    uint64_t calls = 1;
    uint64_t failed = 0;
    for (uint64_t at = 1; at <= calls; ++at) {
        store_world w;
        world_open(&w);
        const gpool_store_desc desc = world_desc(&w);
        gpool_store *store = world_store_of(&desc, NULL);
        assert_same(world_save(store, 1, 1, 1000), GPOOL_OK);
        gpool_store_close(store);
        uint8_t junk[1000] = { 1 };
        for (uint64_t i = 100; i < 110; ++i) {
            world_write_file(world_entry_path(&w, i), junk, sizeof junk);
        }
        assert_int_equal(world_check_ledger(&w), -1);
        faulty_files faulty;
        store = faulty_open(&faulty, &desc);
        faulty.error = -EIO;
        atomic_store(&faulty.calls, 0);
        faulty.fail_at = at;
        assert_same(world_save(store, 2, 1, 1000), GPOOL_OK);
        const uint64_t made = atomic_load(&faulty.calls);
        calls = made > calls ? made : calls;
        faulty.fail_at = 0;
        failed += world_stats(store).failed_saves;
        assert_same(world_save(store, 3, 1, 1000), GPOOL_OK);
        assert_same(world_load(store, 3), WORLD_RIGHT);
        assert_int_equal(world_check_ledger(&w), 1);
        gpool_store_close(store);
        world_close(&w);
    }
    assert_true(calls > 30 && failed > 10);
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
    const gpool_store_desc desc = world_desc(&w);
    gpool_store *store = faulty_open(&faulty, &desc);
    faulty.on_list = save_five;
    faulty.on_user = other;
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

/* A disk that is full, while there is something of ours to delete, and while there is not. */
static void full_disk_costs_the_entries_used_least_recently_at_the_cap_only(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store_desc desc = world_desc(&w);
    desc.max_bytes = 8 * file_size(1000);
    faulty_files faulty;
    gpool_store *store = faulty_open(&faulty, &desc);
    for (uint64_t i = 0; i < 6; ++i) {
        assert_same(world_save(store, i, 1, 1000), GPOOL_OK);
        world_set_time(world_entry_path(&w, i), world_now() - DAY * (int64_t)(10 - i));
    }
    faulty.full = true;
    assert_same(world_save(store, 6, 1, 1000), GPOOL_OK);
    assert_int_equal(world_stats(store).failed_saves, 1);
    assert_int_equal(world_count(w.path).entries, 6);
    assert_int_equal(world_stats(store).evictions, 0);
    faulty.full = false;
    assert_same(world_save(store, 6, 1, 1000), GPOOL_OK);
    assert_same(world_save(store, 7, 1, 1000), GPOOL_OK);
    faulty.full = true;
    assert_same(world_save(store, 8, 1, 1000), GPOOL_OK);
    assert_int_equal(world_stats(store).failed_saves, 1);
    assert_int_equal(world_stats(store).evictions, 1);
    assert_false(world_exists(world_entry_path(&w, 0)));
    assert_same(world_load(store, 8), WORLD_RIGHT);
    assert_int_equal(world_count(w.path).temps, 0);
    /* The ledger has no block either: neither a save nor a clear needs one. */
    for (int i = 0; i < 2; ++i) {
        while (world_ledger(&w) + file_size(1000) <= desc.max_bytes) {
            assert_same(world_save(store, 9, world_ledger(&w), 1000), GPOOL_OK);
        }
        world_write_file(world_path(&w, "store/ledger"), "", 0);
        faulty.full = true;
        const uint64_t evictions = world_stats(store).evictions;
        assert_same(i == 0 ? world_save(store, 10, 1, 1000) : gpool_store_clear(store), GPOOL_OK);
        assert_true(world_stats(store).evictions > evictions);
        assert_same(world_load(store, 10), i == 0 ? WORLD_RIGHT : WORLD_MISS);
        faulty.full = false;
        assert_int_equal(world_check_ledger(&w), 1);
    }
    assert_int_equal(world_count(w.path).entries, 0);
    gpool_store_close(store);
    world_close(&w);
}

/* Whoever stops while it holds a lock holds nobody up for long. */
static void lock_that_is_never_given_back_costs_saves_only(void **state)
{
    (void)state;
    static const char *const names[] = { "ledger", "cleaner.lock" };
    for (size_t i = 0; i < UNIT_COUNT(names); ++i) {
        store_world w;
        world_open(&w);
        const gpool_store_desc desc = world_desc(&w);
        gpool_store *store = world_store_of(&desc, NULL);
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
        /* A first save would look; that it cannot is no reason to save nothing, nor to wait again. */
        faulty_files faulty;
        gpool_store *first = faulty_open(&faulty, &desc);
        assert_same(world_save(first, 3, 1, 1000), GPOOL_OK);
        assert_same(world_load(first, 3), saved ? WORLD_RIGHT : WORLD_MISS);
        const uint64_t calls = atomic_load(&faulty.calls);
        assert_same(world_save(first, 4, 1, 1000), GPOOL_OK);
        assert_true(!saved || atomic_load(&faulty.calls) - calls <= 15);
        gpool_store_close(first);
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
        cmocka_unit_test(look_that_fails_is_done_again),
        cmocka_unit_test(oversize_file_goes_before_anything_useful),
        cmocka_unit_test(ledger_that_lies_is_put_right),
        cmocka_unit_test(saves_beside_a_cleaning_are_counted),
        cmocka_unit_test(full_disk_costs_the_entries_used_least_recently_at_the_cap_only),
        cmocka_unit_test(lock_that_is_never_given_back_costs_saves_only),
        cmocka_unit_test(temporary_files_of_dead_writers_go_and_those_of_live_ones_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
