/* What a store is for: saves, loads, lists; its arguments; its counters. */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "store_world.h"

#include "faulty_files.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static void what_was_saved_is_loaded_byte_for_byte(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store *store = world_store(&w);
    static const size_t sizes[] = { 16, 17, 31, 32, 4095, 8192, 100003 };
    for (size_t i = 0; i < UNIT_COUNT(sizes); ++i) {
        assert_same(world_load(store, i), WORLD_MISS);
        assert_same(world_save(store, i, 1, sizes[i]), GPOOL_OK);
        assert_same(world_load(store, i), WORLD_RIGHT);
    }
    gpool_store_stats stats = world_stats(store);
    assert_int_equal(stats.hits, UNIT_COUNT(sizes));
    assert_int_equal(stats.misses, UNIT_COUNT(sizes));
    assert_int_equal(stats.saves, UNIT_COUNT(sizes));
    assert_int_equal(stats.entries, UNIT_COUNT(sizes));
    assert_int_equal(stats.bytes, world_count(w.path).bytes);
    assert_int_equal(stats.bad_entries + stats.failed_saves + stats.failed_loads, 0);
    gpool_store_close(store);
    store = world_store(&w);
    for (size_t i = 0; i < UNIT_COUNT(sizes); ++i) {
        assert_same(world_load(store, i), WORLD_RIGHT);
    }
    gpool_store_close(store);
    assert_int_equal(world_count(w.path).temps, 0);
    assert_int_equal(atomic_load(&w.records), 0);
    world_close(&w);
}

/* Keys and payloads of every small size, none a prefix's mistake for another. */
static void every_small_key_and_payload_has_its_own_entry(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store *store = world_store(&w);
    uint8_t bytes[40];
    for (size_t i = 0; i < sizeof bytes; ++i) {
        bytes[i] = (uint8_t)(i % 3 == 0 ? 0 : i);
    }
    for (size_t key_size = 1; key_size <= sizeof bytes; ++key_size) {
        size_t size = (key_size * 7) % 20;
        assert_same(gpool_store_save(store, bytes, key_size, size > 0 ? bytes : NULL, size),
                    GPOOL_OK);
    }
    for (size_t key_size = 1; key_size <= sizeof bytes; ++key_size) {
        void *data = NULL;
        size_t size = 0;
        assert_same(gpool_store_load(store, bytes, key_size, &data, &size), GPOOL_OK);
        assert_non_null(data);
        assert_int_equal((uintptr_t)data % 16, 0);
        assert_int_equal(size, (key_size * 7) % 20);
        assert_memory_equal(data, bytes, size);
        memset(data, 0xee, size); /* may be written to */
        gpool_store_free_data(store, data);
    }
    assert_int_equal(world_count(w.path).entries, sizeof bytes);
    gpool_store_close(store);
    world_close(&w);
}

static void equal_payload_is_not_written_again(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store *store = world_store(&w);
    assert_same(world_save(store, 1, 1, 5000), GPOOL_OK);
    struct stat before;
    struct stat after;
    assert_int_equal(stat(world_entry_path(&w, 1), &before), 0);
    assert_same(world_save(store, 1, 1, 5000), GPOOL_OK);
    assert_int_equal(stat(world_entry_path(&w, 1), &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(world_stats(store).saves, 1);
    assert_int_equal(world_stats(store).same_saves, 1);
    /* Another payload of that size and key replaces it. */
    assert_same(world_save(store, 1, 2, 5000), GPOOL_OK);
    assert_int_equal(world_stats(store).saves, 2);
    assert_same(world_load(store, 1), WORLD_RIGHT);
    assert_int_equal(world_count(w.path).entries, 1);
    gpool_store_close(store);
    world_close(&w);
}

static void remove_and_clear_delete_what_they_name(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store *store = world_store(&w);
    for (uint64_t i = 0; i < 5; ++i) {
        assert_same(world_save(store, i, 1, 100), GPOOL_OK);
    }
    char key[WORLD_KEY_SIZE];
    assert_same(gpool_store_remove(store, key, world_key(3, key)), GPOOL_OK);
    assert_same(gpool_store_remove(store, key, world_key(3, key)), GPOOL_NOT_FOUND);
    assert_same(world_load(store, 3), WORLD_MISS);
    assert_same(world_load(store, 2), WORLD_RIGHT);
    world_write_file(world_path(&w, "store/README"), "mine", 4);
    assert_same(gpool_store_clear(store), GPOOL_OK);
    world_census census = world_count(w.path);
    assert_int_equal(census.entries, 0);
    assert_int_equal(census.others, 3); /* the README, ledger and lock */
    assert_true(world_exists(world_path(&w, "store/README")));
    for (uint64_t i = 0; i < 5; ++i) {
        assert_same(world_load(store, i), WORLD_MISS);
    }
    assert_same(world_save(store, 3, 1, 100), GPOOL_OK);
    assert_same(world_load(store, 3), WORLD_RIGHT);
    gpool_store_close(store);
    world_close(&w);
}

typedef struct listing {
    gpool_store *store;
    uint32_t count;
    uint32_t bad;
    uint64_t sizes;
    uint32_t stop_after;
    char last[64];
} listing;

static bool on_entry(void *user, const gpool_store_entry *entry)
{
    listing *l = user;
    assert_true(strcmp(entry->name, l->last) > 0);
    (void)snprintf(l->last, sizeof l->last, "%s", entry->name);
    l->count += 1;
    l->bad += !entry->good;
    l->sizes += entry->size;
    assert_same(entry->key != NULL, entry->good);
    assert_same(entry->key_size != 0, entry->good);
    int64_t age = world_now() - entry->used_ns;
    assert_true(age >= -INT64_C(60000000000) && age < INT64_C(60000000000));
    if (entry->good) {
        /* The store may be called from here. */
        void *data;
        size_t size;
        assert_same(gpool_store_load(l->store, entry->key, entry->key_size, &data, &size),
                    GPOOL_OK);
        assert_int_equal(size, entry->size);
        gpool_store_free_data(l->store, data);
    }
    return l->count != l->stop_after;
}

static void list_tells_every_entry_once(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store *store = world_store(&w);
    uint64_t sum = 0;
    for (uint64_t i = 0; i < 50; ++i) {
        assert_same(world_save(store, i, 1, 100 + i), GPOOL_OK);
        sum += 100 + i;
    }
    listing all = { .store = store };
    assert_same(gpool_store_list(store, on_entry, &all), GPOOL_OK);
    assert_int_equal(all.count, 50);
    assert_int_equal(all.bad, 0);
    assert_int_equal(all.sizes, sum);
    listing some = { .store = store, .stop_after = 7 };
    assert_same(gpool_store_list(store, on_entry, &some), GPOOL_OK);
    assert_int_equal(some.count, 7);
    world_write_file(world_entry_path(&w, 9), "torn", 4);
    listing torn = { .store = store };
    assert_same(gpool_store_list(store, on_entry, &torn), GPOOL_OK);
    assert_int_equal(torn.count, 50);
    assert_int_equal(torn.bad, 1);
    assert_true(world_exists(world_entry_path(&w, 9)));
    gpool_store_close(store);
    world_close(&w);
}

static void verify_counts_all_and_deletes_the_bad(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store *store = world_store(&w);
    for (uint64_t i = 0; i < 10; ++i) {
        assert_same(world_save(store, i, 1, 1000), GPOOL_OK);
    }
    const uint64_t each = world_count(w.path).bytes / 10;
    world_write_file(world_entry_path(&w, 2), "torn", 4);
    assert_int_equal(chmod(world_entry_path(&w, 3), 0620), 0);
    /* The entry of 4 under the name of 5: nobody asked for 5, and it is found all the same. */
    assert_int_equal(rename(world_entry_path(&w, 4), world_entry_path(&w, 5)), 0);
    world_write_file(world_path(&w, "store/foreign"), "mine", 4);
    gpool_store_report report;
    assert_same(gpool_store_verify(store, &report), GPOOL_OK);
    assert_int_equal(report.good, 6);
    assert_int_equal(report.good_bytes, 6 * each);
    assert_int_equal(report.bad, 3);
    assert_int_equal(report.removed, 3);
    assert_int_equal(report.unread, 0);
    assert_int_equal(report.foreign_files, 1);
    assert_int_equal(world_stats(store).bad_entries, 3);
    assert_same(gpool_store_verify(store, &report), GPOOL_OK);
    assert_int_equal(report.good, 6);
    assert_int_equal(report.bad, 0);
    assert_same(gpool_store_verify(store, NULL), GPOOL_OK);
    gpool_store_close(store);
    world_close(&w);
}

static void arguments_without_sense_are_refused(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store *store = world_store(&w);
    assert_same(world_save(store, 1, 1, 100), GPOOL_OK);
    void *data = &w;
    size_t size = 9;
    assert_same(gpool_store_load(NULL, "k", 1, &data, &size), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_null(data);
    assert_int_equal(size, 0);
    assert_same(gpool_store_load(store, NULL, 1, &data, &size), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_store_load(store, "k", 0, &data, &size), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_store_load(store, "k", 1, NULL, &size), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_store_load(store, "k", 1, &data, NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_store_save(NULL, "k", 1, "d", 1), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_store_save(store, NULL, 1, "d", 1), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_store_save(store, "k", 0, "d", 1), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_store_save(store, "k", 1, NULL, 1), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_store_remove(NULL, "k", 1), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_store_remove(store, NULL, 1), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_store_remove(store, "k", 0), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_store_clear(NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    gpool_store_report report = { .good = 7 };
    assert_same(gpool_store_verify(NULL, &report), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_int_equal(report.good, 0);
    assert_same(gpool_store_list(NULL, on_entry, NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_store_list(store, NULL, NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_store_open(NULL, NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    gpool_store_desc wrong = world_desc(&w);
    wrong.mode = (gpool_store_mode)3;
    gpool_store *none = store;
    assert_same(gpool_store_open(&wrong, &none), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_null(none);
    gpool_store_stats stats = { .hits = 7 };
    gpool_store_get_stats(NULL, &stats);
    assert_int_equal(stats.hits, 0);
    gpool_store_get_stats(store, NULL);
    assert_string_equal(gpool_store_directory(NULL), "");
    gpool_store_free_data(NULL, NULL);
    gpool_store_free_data(store, NULL);
    gpool_store_close(NULL);
    assert_int_equal(world_count(w.path).entries, 1);
    assert_same(world_load(store, 1), WORLD_RIGHT);
    gpool_store_close(store);
    world_close(&w);
}

/* A hash of so few bytes makes all keys fight for one file; the full key tells them apart. */
static void keys_with_one_hash_are_told_apart_by_the_full_key(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    const gpool_store_desc desc = world_desc(&w);
    gpool_store *store = world_store_of(&desc, &(gpool__store_hooks){ .hash_bytes = 1 });
    uint32_t right = 0;
    for (uint64_t i = 0; i < 2000; ++i) {
        assert_same(world_save(store, i, 1, 64), GPOOL_OK);
        for (uint64_t back = 0; back < 20 && back <= i; ++back) {
            world_loaded got = world_load(store, i - back);
            assert_true(got == WORLD_RIGHT || (got == WORLD_MISS && back > 0));
            right += got == WORLD_RIGHT;
        }
    }
    assert_true(right > 2000);
    assert_true(world_stats(store).bad_entries > 100); /* the other key's, met and deleted */
    assert_true(world_count(w.path).entries <= 256);
    gpool_store_close(store);
    world_close(&w);
}

static void two_stores_of_one_directory_see_each_others_entries(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store *first = world_store(&w);
    gpool_store *second = world_store(&w);
    for (uint64_t i = 0; i < 20; ++i) {
        assert_same(world_save(i % 2 ? first : second, i, 1, 500), GPOOL_OK);
        assert_same(world_load(i % 2 ? second : first, i), WORLD_RIGHT);
    }
    gpool_store_close(first);
    for (uint64_t i = 0; i < 20; ++i) {
        assert_same(world_load(second, i), WORLD_RIGHT);
    }
    gpool_store_close(second);
    world_close(&w);
}

static void entry_over_the_limit_is_not_saved(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store_desc desc = world_desc(&w);
    desc.max_entry_bytes = 1000;
    gpool_store *store = world_store_of(&desc, NULL);
    char key[WORLD_KEY_SIZE];
    const size_t frame = 32 + (world_key(1, key) + 15) / 16 * 16 + 16;
    assert_same(world_save(store, 1, 1, 1000 - frame + 1), GPOOL_OK);
    assert_int_equal(world_stats(store).failed_saves, 1);
    assert_int_equal(atomic_load(&w.records), 1);
    assert_same(world_load(store, 1), WORLD_MISS);
    assert_same(world_save(store, 1, 1, 1000 - frame), GPOOL_OK);
    assert_same(world_load(store, 1), WORLD_RIGHT);
    assert_int_equal(world_count(w.path).bytes, 1000);
    /* Sizes that no sum holds. */
    assert_same(gpool_store_save(store, "k", 1, "d", SIZE_MAX), GPOOL_OK);
    assert_same(gpool_store_save(store, "k", SIZE_MAX, "d", 1), GPOOL_OK);
    assert_int_equal(world_stats(store).failed_saves, 3);
    gpool_store_close(store);
    /* What a store with a smaller limit finds is deleted. */
    desc.max_entry_bytes = 999;
    store = world_store_of(&desc, NULL);
    assert_same(world_load(store, 1), WORLD_MISS);
    assert_int_equal(world_stats(store).bad_entries, 1);
    assert_false(world_exists(world_entry_path(&w, 1)));
    gpool_store_close(store);
    /* The cap is a limit of each, too. */
    desc.max_entry_bytes = 1000;
    store = world_store_of(&desc, NULL);
    assert_same(world_save(store, 1, 1, 800), GPOOL_OK);
    gpool_store_close(store);
    desc.max_bytes = 500;
    store = world_store_of(&desc, NULL);
    assert_same(world_load(store, 1), WORLD_MISS);
    assert_int_equal(world_stats(store).bad_entries, 1);
    gpool_store_close(store);
    world_close(&w);
}

/* The seam: a device of 30 bytes at a time works as well. */
static void reads_and_writes_by_halves_are_put_together(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    faulty_files faulty;
    const gpool_store_desc desc = world_desc(&w);
    gpool_store *store = faulty_open(&faulty, &desc);
    faulty.halves = true;
    /* The ledger is written at once or not at all; so its store never knows what it has. */
    for (uint64_t i = 0; i < 5; ++i) {
        assert_same(world_save(store, i, 1, 5000), GPOOL_OK);
    }
    gpool_store_close(store);
    faulty.halves = false;
    store = world_store_of(&desc, &(gpool__store_hooks){ .files = &faulty.table });
    for (uint64_t i = 0; i < 5; ++i) {
        assert_same(world_save(store, i, 1, 5000), GPOOL_OK);
    }
    faulty.halves = true;
    for (uint64_t i = 0; i < 5; ++i) {
        assert_same(world_load(store, i), WORLD_RIGHT);
        assert_same(world_save(store, i, 1, 5000), GPOOL_OK);
    }
    assert_int_equal(world_stats(store).same_saves, 5);
    gpool_store_close(store);
    world_close(&w);
}

static void interrupted_reads_and_writes_go_on(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    faulty_files faulty;
    const gpool_store_desc desc = world_desc(&w);
    gpool_store *store = faulty_open(&faulty, &desc);
    for (uint64_t i = 0; i < 5; ++i) {
        faulty.interrupts = false;
        assert_same(world_save(store, i, 1, 5000), GPOOL_OK);
        faulty.interrupts = true;
        assert_same(world_load(store, i), WORLD_RIGHT);
        assert_same(world_save(store, i, 1, 5000), GPOOL_OK);
        assert_int_equal(world_stats(store).same_saves, i + 1);
    }
    faulty.interrupts = false;
    faulty.turns = 0; /* the entry's write */
    faulty.interrupts = true;
    assert_same(world_save(store, 9, 1, 5000), GPOOL_OK);
    assert_same(world_load(store, 9), WORLD_RIGHT);
    assert_int_equal(world_stats(store).failed_saves, 0);
    gpool_store_close(store);
    world_close(&w);
}

static void error_of_the_close_is_an_error_of_the_write(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    faulty_files faulty;
    const gpool_store_desc desc = world_desc(&w);
    gpool_store *store = faulty_open(&faulty, &desc);
    assert_same(world_save(store, 1, 1, 5000), GPOOL_OK);
    faulty.close_error = -ENOSPC; /* as with a quota on a network */
    assert_same(world_save(store, 1, 2, 5000), GPOOL_OK);
    assert_same(world_save(store, 2, 1, 5000), GPOOL_OK);
    assert_int_equal(world_stats(store).failed_saves, 2);
    assert_same(world_load(store, 1), WORLD_RIGHT);
    assert_same(world_load(store, 2), WORLD_MISS);
    assert_int_equal(world_count(w.path).temps, 0);
    gpool_store_close(store);
    world_close(&w);
}

/* A cleaner that comes before a writer has its lock takes its file. */
static void file_that_a_cleaner_took_is_written_again(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    faulty_files faulty;
    const gpool_store_desc desc = world_desc(&w);
    gpool_store *store = faulty_open(&faulty, &desc);
    faulty.steals = 2;
    assert_same(world_save(store, 1, 1, 5000), GPOOL_OK);
    assert_int_equal(faulty.steals, 0);
    assert_int_equal(world_stats(store).saves, 1);
    assert_same(world_load(store, 1), WORLD_RIGHT);
    faulty.steals = 1000; /* not for ever */
    assert_same(world_save(store, 1, 2, 5000), GPOOL_OK);
    assert_true(faulty.steals > 900);
    assert_int_equal(world_stats(store).failed_saves, 1);
    assert_same(world_load(store, 1), WORLD_RIGHT);
    gpool_store_close(store);
    world_close(&w);
}

static void everything_written_is_locked_meanwhile(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    faulty_files faulty;
    gpool_store_desc desc = world_desc(&w);
    desc.max_bytes = 20000;
    gpool_store *store = faulty_open(&faulty, &desc);
    faulty.watch_locks = true;
    for (uint64_t i = 0; i < 10; ++i) {
        assert_same(world_save(store, i, 1, 5000), GPOOL_OK);
    }
    assert_int_equal(faulty.unlocked, 0);
    assert_int_equal(world_stats(store).saves, 10);
    gpool_store_close(store);
    world_close(&w);
}

static void save_again(void *user)
{
    assert_same(world_save(user, 1, 2, 700), GPOOL_OK);
}

/* Between reading a bad entry and deleting it, another process may have put a good one there. */
static void bad_entry_that_was_replaced_meanwhile_is_left_alone(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store *other = world_store(&w);
    assert_same(world_save(other, 1, 1, 700), GPOOL_OK);
    uint8_t junk[300] = { 1 };
    world_write_file(world_entry_path(&w, 1), junk, sizeof junk);
    faulty_files faulty;
    const gpool_store_desc desc = world_desc(&w);
    gpool_store *store = faulty_open(&faulty, &desc);
    faulty.on_read = save_again;
    faulty.on_user = other;
    assert_same(world_load(store, 1), WORLD_MISS);
    assert_null(faulty.on_read);
    assert_int_equal(world_stats(store).bad_entries, 1);
    assert_same(world_load(store, 1), WORLD_RIGHT);
    gpool_store_close(store);
    gpool_store_close(other);
    world_close(&w);
}

static void memory_is_counted_and_given_back(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store *store = world_store(&w);
    const uint64_t empty = world_stats(store).memory_bytes;
    assert_true(empty > 0);
    assert_same(world_save(store, 1, 1, 5000), GPOOL_OK);
    assert_int_equal(world_stats(store).memory_bytes, empty);
    char key[WORLD_KEY_SIZE];
    void *data[2];
    size_t size;
    for (int i = 0; i < 2; ++i) {
        assert_same(gpool_store_load(store, key, world_key(1, key), &data[i], &size), GPOOL_OK);
    }
    assert_true(world_stats(store).memory_bytes >= empty + 10000);
    assert_true(world_stats(store).memory_bytes <= empty + 10200);
    gpool_store_free_data(store, data[0]);
    gpool_store_free_data(store, data[1]);
    assert_int_equal(world_stats(store).memory_bytes, empty);
    gpool_store_close(store);
    world_close(&w);
}

static void reasons_have_texts(void **state)
{
    (void)state;
    for (int i = 0; i < GPOOL_STORE_REASON_COUNT; ++i) {
        assert_true(strlen(gpool_store_reason_text((gpool_store_reason)i)) > 4);
        for (int j = 0; j < i; ++j) {
            assert_string_not_equal(gpool_store_reason_text((gpool_store_reason)i),
                                    gpool_store_reason_text((gpool_store_reason)j));
        }
    }
    assert_string_equal(gpool_store_reason_text((gpool_store_reason)-1), "unknown reason");
    assert_string_equal(gpool_store_reason_text(GPOOL_STORE_REASON_COUNT), "unknown reason");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_saved_is_loaded_byte_for_byte),
        cmocka_unit_test(every_small_key_and_payload_has_its_own_entry),
        cmocka_unit_test(equal_payload_is_not_written_again),
        cmocka_unit_test(remove_and_clear_delete_what_they_name),
        cmocka_unit_test(list_tells_every_entry_once),
        cmocka_unit_test(verify_counts_all_and_deletes_the_bad),
        cmocka_unit_test(arguments_without_sense_are_refused),
        cmocka_unit_test(keys_with_one_hash_are_told_apart_by_the_full_key),
        cmocka_unit_test(two_stores_of_one_directory_see_each_others_entries),
        cmocka_unit_test(entry_over_the_limit_is_not_saved),
        cmocka_unit_test(reads_and_writes_by_halves_are_put_together),
        cmocka_unit_test(interrupted_reads_and_writes_go_on),
        cmocka_unit_test(error_of_the_close_is_an_error_of_the_write),
        cmocka_unit_test(file_that_a_cleaner_took_is_written_again),
        cmocka_unit_test(everything_written_is_locked_meanwhile),
        cmocka_unit_test(bad_entry_that_was_replaced_meanwhile_is_left_alone),
        cmocka_unit_test(memory_is_counted_and_given_back),
        cmocka_unit_test(reasons_have_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
