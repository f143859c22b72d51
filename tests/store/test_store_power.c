/*
 * Row 34: power loss. The operations of a store are recorded; then, for every prefix of them, the
 * directory is made as a disk might hold it: changes of names up to some point, or with some lost, and
 * of the bytes, which nobody synced, any pages written, empty, torn or rubbish, and any length.
 * GPOOL_STORE_DISKS gives another number of disks for each prefix than 8; the first argument is the seed.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "store_world.h"

#include "faulty_files.h"

#include <sys/stat.h>
#include <unistd.h>

#define KEYS       UINT64_C(6)
#define PAGE       4096u
#define MOST_BYTES 40000u
#define MOST_NAMES 200u

static uint64_t seed;

/* A name of the disk, and the number of the file behind it. */
typedef struct disk_name {
    char name[64];
    uint32_t file;
} disk_name;

typedef struct disk {
    disk_name names[MOST_NAMES];
    uint32_t count;
} disk;

static disk_name *disk_find(disk *d, const char *name)
{
    for (uint32_t i = 0; i < d->count; ++i) {
        if (strcmp(d->names[i].name, name) == 0) {
            return &d->names[i];
        }
    }
    return NULL;
}

static void disk_remove(disk *d, const char *name)
{
    disk_name *found = disk_find(d, name);
    if (found != NULL) {
        *found = d->names[--d->count];
    }
}

/* What the store did, as far as names go. */
static void disk_apply(disk *d, const faulty_record *record)
{
    disk_name *from = disk_find(d, record->name);
    if (record->kind == FAULTY_CREATE) {
        if (from == NULL) {
            assert_true(d->count < MOST_NAMES);
            from = &d->names[d->count++];
            (void)snprintf(from->name, sizeof from->name, "%s", record->name);
        }
        from->file = record->file;
    } else if (record->kind == FAULTY_UNLINK) {
        disk_remove(d, record->name);
    } else if (record->kind == FAULTY_RENAME && from != NULL) {
        disk_remove(d, record->to);
        from = disk_find(d, record->name);
        (void)snprintf(from->name, sizeof from->name, "%s", record->to);
    }
}

/* Bytes of a file after the first `prefix` operations, as the disk has them. Returns the length. */
static size_t disk_bytes(const faulty_files *log, uint32_t prefix, uint32_t file, uint64_t *random,
                         uint8_t *bytes)
{
    size_t size = 0;
    memset(bytes, 0, MOST_BYTES);
    for (uint32_t i = 0; i < prefix; ++i) {
        const faulty_record *record = &log->records[i];
        if (record->kind == FAULTY_WRITE && record->file == file) {
            assert_true(record->offset + record->size <= MOST_BYTES);
            memcpy(bytes + record->offset, record->data, record->size);
            size_t end = (size_t)record->offset + record->size;
            size = size > end ? size : end;
        }
    }
    if (size == 0 || unit_random_below(random, 4) == 0) {
        return size; /* all of it was written */
    }
    for (size_t at = 0; at < size; at += PAGE) {
        size_t part = size - at < PAGE ? size - at : PAGE;
        size_t cut = (size_t)unit_random_below(random, part + 1);
        switch (unit_random_below(random, 6)) {
        case 0:
            memset(bytes + at, 0, part);
            break;
        case 1: /* sectors of a page */
            memset(bytes + at + cut, 0, part - cut);
            break;
        case 2: /* what was there before */
            for (size_t i = 0; i < part; ++i) {
                bytes[at + i] = (uint8_t)unit_random(random);
            }
            break;
        default:
            break;
        }
    }
    switch (unit_random_below(random, 4)) {
    case 0:
        return (size_t)unit_random_below(random, size + 1);
    case 1:
        return size / PAGE * PAGE;
    default:
        return size;
    }
}

/* Makes the directory of one disk. */
static void disk_make(const store_world *w, const faulty_files *log, uint32_t prefix,
                      uint64_t *random)
{
    disk d = { .count = 0 };
    /* The journal of names may end earlier, and where there is none it has gaps. */
    uint32_t end = unit_random_below(random, 2) == 0
                       ? prefix
                       : (uint32_t)unit_random_below(random, (uint64_t)prefix + 1);
    uint64_t gaps = unit_random_below(random, 3) == 0 ? 10 : 0;
    for (uint32_t i = 0; i < end; ++i) {
        bool lost = gaps > 0 && unit_random_below(random, gaps) == 0;
        if (log->records[i].kind != FAULTY_WRITE && !lost) {
            disk_apply(&d, &log->records[i]);
        }
    }
    world_remove_all(w->path);
    assert_int_equal(mkdir(w->path, 0700), 0);
    static uint8_t bytes[MOST_BYTES];
    for (uint32_t i = 0; i < d.count; ++i) {
        char inside[80];
        (void)snprintf(inside, sizeof inside, "store/%s", d.names[i].name);
        world_write_file(world_path(w, inside), bytes,
                         disk_bytes(log, prefix, d.names[i].file, random, bytes));
    }
}

static gpool_store_desc power_desc(store_world *w)
{
    gpool_store_desc desc = world_desc(w);
    desc.max_bytes = 60000;
    return desc;
}

static size_t power_size(uint64_t key)
{
    return 100 + (size_t)key * 3500;
}

/* Saves, replaces, removes, and cleans. */
static void record_work(store_world *w, faulty_files *log)
{
    faulty_record_begin(log);
    const gpool_store_desc desc = power_desc(w);
    gpool_store *store = world_store_of(&desc, &(gpool__store_hooks){ .files = &log->table });
    for (uint64_t variant = 0; variant < 4; ++variant) {
        for (uint64_t key = 0; key < KEYS; ++key) {
            assert_same(world_save(store, key, variant, power_size(key)), GPOOL_OK);
        }
        char key[WORLD_KEY_SIZE];
        (void)gpool_store_remove(store, key, world_key(variant, key));
    }
    assert_true(world_stats(store).evictions > 0);
    gpool_store_close(store);
}

static void no_disk_after_a_power_failure_gives_a_wrong_payload(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    static faulty_files log;
    faulty_init(&log);
    record_work(&w, &log);
    const uint64_t disks = world_number("GPOOL_STORE_DISKS", 8);
    uint64_t random = seed;
    uint64_t counts[WORLD_ERROR + 1] = { 0 };
    uint64_t bad = 0;
    for (uint32_t prefix = 0; prefix <= log.record_count; ++prefix) {
        for (uint64_t i = 0; i < disks; ++i) {
            disk_make(&w, &log, prefix, &random);
            const gpool_store_desc desc = power_desc(&w);
            gpool_store *store = world_store_of(&desc, NULL);
            for (uint64_t key = 0; key < KEYS; ++key) {
                counts[world_load(store, key)] += 1;
            }
            bad += world_stats(store).bad_entries;
            /* And it goes on as if nothing had been. */
            uint64_t key = unit_random_below(&random, KEYS);
            assert_same(world_save(store, key, 9, power_size(key)), GPOOL_OK);
            assert_same(world_load(store, key), WORLD_RIGHT);
            assert_int_equal(world_stats(store).failed_saves, 0);
            world_census census = world_count(w.path);
            assert_int_equal(census.temps, 0);
            assert_true(census.bytes <= desc.max_bytes);
            gpool_store_close(store);
        }
    }
    printf(
        "%u operations, %llu disks, loads: %llu right, %llu missed, %llu wrong; %llu bad entries\n",
        (unsigned)log.record_count, (unsigned long long)(disks * (log.record_count + 1)),
        (unsigned long long)counts[WORLD_RIGHT], (unsigned long long)counts[WORLD_MISS],
        (unsigned long long)counts[WORLD_WRONG], (unsigned long long)bad);
    assert_int_equal(counts[WORLD_WRONG] + counts[WORLD_ERROR] + counts[WORLD_NO_MEMORY], 0);
    assert_true(log.record_count > 100);
    assert_true(counts[WORLD_RIGHT] > 100 && bad > 100);
    faulty_fini(&log);
    world_close(&w);
}

int main(int argc, char **argv)
{
    seed = unit_seed(argc, argv);
    const struct CMUnitTest tests[] = { cmocka_unit_test(
        no_disk_after_a_power_failure_gives_a_wrong_payload) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
