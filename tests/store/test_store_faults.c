/* Row 36: every file operation fails, and every allocation, once and for ever. */
#include "store_world.h"

#include "faulty_files.h"

#include <errno.h>

#define KEYS UINT64_C(8)

/* What a run of the script gave. */
typedef struct outcome {
    uint32_t wrong;     /* loads with a payload that is not the key's */
    uint32_t errors;    /* results that no caller may see */
    uint32_t no_memory; /* results OUT_OF_MEMORY */
    uint32_t right;
} outcome;

static void take_result(outcome *o, gpool_result result)
{
    o->no_memory += result == GPOOL_ERROR_OUT_OF_MEMORY;
    o->errors +=
        result != GPOOL_OK && result != GPOOL_NOT_FOUND && result != GPOOL_ERROR_OUT_OF_MEMORY;
}

static void take_load(outcome *o, gpool_store *store, uint64_t key)
{
    world_loaded got = world_load(store, key);
    o->right += got == WORLD_RIGHT;
    o->wrong += got == WORLD_WRONG;
    o->errors += got == WORLD_ERROR;
    o->no_memory += got == WORLD_NO_MEMORY;
}

static bool count_entry(void *user, const gpool_store_entry *entry)
{
    *(uint32_t *)user += entry->good;
    return true;
}

/* Everything that a store does: makes its directory, saves beyond the cap, replaces, finds bad ones. `slack`:
 * bytes that there may be beyond the cap. */
static outcome run_script(store_world *w, const gpool__files *files, uint64_t slack)
{
    outcome o = { 0 };
    gpool_store_desc desc = world_desc(w);
    desc.seed = world_path(w, "seed");
    desc.max_bytes = 4000;
    gpool_store *store = NULL;
    gpool_result opened = gpool__store_open(&desc, &(gpool__store_hooks){ .files = files }, &store);
    take_result(&o, opened);
    if (opened != GPOOL_OK) {
        assert_null(store);
        return o;
    }
    for (uint64_t i = 0; i < KEYS; ++i) {
        take_result(&o, world_save(store, i, 1, 700));
        take_load(&o, store, i);
        /* The cap holds whatever fails; what cannot be deleted any more is half an entry. */
        world_census census = world_count(w->path);
        assert_true(census.bytes <= 4000 + 800 * (uint64_t)census.temps + slack);
        assert_true(slack > 0 || world_check_ledger(w) == 1);
    }
    take_result(&o, world_save(store, KEYS - 1, 1, 700));
    take_result(&o, world_save(store, KEYS - 1, 2, 300));
    world_set_time(w->folder, world_now());
    if (world_exists(world_entry_path(w, KEYS - 2))) {
        world_write_file(world_entry_path(w, KEYS - 2), "torn", 4);
        world_write_file(world_path(w, "store/temp-0123456789abcdef0123456789abcdef"), "x", 1);
    }
    for (uint64_t i = 0; i < KEYS + 2; ++i) {
        take_load(&o, store, i);
    }
    if (world_exists(world_entry_path(w, KEYS - 1))) {
        world_set_time(world_entry_path(w, KEYS - 1), 1);
        take_load(&o, store, KEYS - 1);
    }
    char key[WORLD_KEY_SIZE];
    take_result(&o, gpool_store_remove(store, key, world_key(KEYS - 1, key)));
    uint32_t count = 0;
    take_result(&o, gpool_store_list(store, count_entry, &count));
    gpool_store_report report;
    take_result(&o, gpool_store_verify(store, &report));
    take_result(&o, gpool_store_clear(store));
    take_result(&o, world_save(store, 1, 3, 700));
    take_load(&o, store, 1);
    gpool_store_stats stats = world_stats(store);
    assert_true(stats.hits == o.right);
    gpool_store_close(store);
    return o;
}

/* With no faults any more all is right again, and nothing is left of them. */
static void expect_healed(store_world *w)
{
    gpool_store_desc desc = world_desc(w);
    desc.max_bytes = 4000;
    gpool_store *store = world_store_of(&desc, NULL);
    for (uint64_t i = 0; i < KEYS; ++i) {
        assert_int_not_equal(world_load(store, i), WORLD_WRONG);
    }
    for (uint64_t i = 0; i < 3; ++i) {
        assert_same(world_save(store, i, 9, 500), GPOOL_OK);
        assert_same(world_load(store, i), WORLD_RIGHT);
    }
    gpool_store_report report;
    assert_same(gpool_store_verify(store, &report), GPOOL_OK);
    assert_int_equal(report.bad, 0);
    gpool_store_close(store);
    assert_int_equal(world_count(w->path).temps, 0);
    assert_true(world_count(w->path).bytes <= 4000);
}

static void make_seed(store_world *w)
{
    gpool_store_desc desc = world_desc(w);
    desc.directory = world_path(w, "seed");
    gpool_store *store = world_store_of(&desc, NULL);
    assert_same(world_save(store, KEYS, 1, 100), GPOOL_OK);
    gpool_store_close(store);
}

/* One run with operation k failing; false when the script has fewer operations. */
static bool run_faulty(uint64_t k, bool for_ever, int error)
{
    store_world w;
    world_open(&w);
    make_seed(&w);
    faulty_files faulty;
    faulty_init(&faulty);
    faulty.fail_at = k;
    faulty.for_ever = for_ever;
    faulty.error = error;
    /* A file that is said not to be there does not count. */
    outcome o = run_script(&w, &faulty.table, error == -ENOENT ? 800 : 0);
    bool hit = atomic_load(&faulty.failed) > 0;
    if (o.wrong > 0 || o.errors > 0 || (o.no_memory > 0 && error != -ENOMEM)) {
        fail_msg("operation %llu failing %s with %d: %u wrong payloads, %u errors, %u no memory",
                 (unsigned long long)k, for_ever ? "for ever" : "once", error, o.wrong, o.errors,
                 o.no_memory);
    }
    assert_true(hit || o.right > KEYS);
    expect_healed(&w);
    world_close(&w);
    return hit;
}

static void every_file_operation_may_fail(void **state)
{
    (void)state;
    static const struct {
        int error;
        bool once;
        bool for_ever;
    } rows[] = {
        { -ENOSPC, true, true }, { -EIO, true, true },          { -EMFILE, true, true },
        { -EACCES, true, true }, { -ENOMEM, true, false },      { -EINTR, true, false },
        { -ENOENT, true, true }, { -EWOULDBLOCK, true, false },
    };
    uint64_t runs = 0;
    for (size_t i = 0; i < UNIT_COUNT(rows); ++i) {
        for (int for_ever = 0; for_ever <= 1; ++for_ever) {
            if (for_ever ? !rows[i].for_ever : !rows[i].once) {
                continue;
            }
            uint64_t k = 1;
            while (run_faulty(k, for_ever != 0, rows[i].error)) {
                k += 1;
            }
            assert_true(k > 100);
            runs += k - 1;
        }
    }
    printf("%llu runs with a fault\n", (unsigned long long)runs);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    uint64_t runs = 0;
    for (int for_ever = 0; for_ever <= 1; ++for_ever) {
        for (uint64_t k = 1;; ++k) {
            store_world w;
            world_open(&w);
            make_seed(&w);
            w.allocator.calls = 0;
            w.allocator.fail_at = k;
            w.allocator.fail_for_ever = for_ever != 0;
            outcome o = run_script(&w, NULL, 0);
            bool hit = w.allocator.calls >= k;
            w.allocator.fail_at = 0;
            assert_int_equal(o.wrong + o.errors, 0);
            assert_same(o.no_memory > 0, hit);
            assert_int_equal(w.allocator.blocks, 0);
            expect_healed(&w);
            world_close(&w);
            if (!hit) {
                assert_true(k > 20);
                break;
            }
            runs += 1;
        }
    }
    printf("%llu runs with a failing allocation\n", (unsigned long long)runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_file_operation_may_fail),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
