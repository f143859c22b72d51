/* Numbers of the disk store. */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "bounds.h"

#include <gpool/store.h>

#include <ftw.h>
#include <sys/stat.h>

static char folder[200];

static int remove_one(const char *path, const struct stat *state, int type, struct FTW *place)
{
    (void)state;
    (void)type;
    (void)place;
    return remove(path);
}

static int open_folder(void **state)
{
    (void)state;
    const char *parent = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/gpool-bounds-XXXXXX",
                   parent != NULL ? parent : "/tmp");
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int close_folder(void **state)
{
    (void)state;
    return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void ignore(void *user, const gpool_log_record *record)
{
    (void)user;
    (void)record;
}

static uint64_t saves(const gpool_store *store)
{
    gpool_store_stats stats;
    gpool_store_get_stats(store, &stats);
    return stats.saves;
}

/* An entry of a key of one byte and a payload of 36 has 32 + 16 + 36 + 16 bytes. */
static void caps_and_modes_of_stores(void **state)
{
    (void)state;
    const char payload[36] = "payload";
    bounds_set values = bounds_values(100);
    for (uint32_t i = 0; i < values.count; ++i) {
        for (uint32_t k = 0; k < values.count; ++k) {
            const uint64_t most = values.v[i] != 0 ? values.v[i] : UINT64_C(256) << 20;
            const uint64_t entry = values.v[k] != 0 ? values.v[k] : UINT64_C(16) << 20;
            const gpool_store_desc desc = { .directory = folder,
                                            .max_bytes = values.v[i],
                                            .max_entry_bytes = values.v[k],
                                            .log = ignore };
            gpool_store *store = NULL;
            assert_same(gpool_store_open(&desc, &store), GPOOL_OK);
            assert_same(gpool_store_clear(store), GPOOL_OK);
            assert_same(gpool_store_save(store, "k", 1, payload, sizeof payload), GPOOL_OK);
            bool fits = most >= 100 && entry >= 100;
            assert_same(saves(store), fits);
            void *data;
            size_t size;
            gpool_result result = gpool_store_load(store, "k", 1, &data, &size);
            assert_same(result, fits ? GPOOL_OK : GPOOL_NOT_FOUND);
            assert_same(size, fits ? sizeof payload : 0);
            gpool_store_free_data(store, data);
            gpool_store_close(store);
        }
        gpool_store *store = NULL;
        const gpool_store_desc desc = { .directory = folder,
                                        .mode = (gpool_store_mode)(uint32_t)values.v[i] };
        bool known = (uint32_t)values.v[i] <= GPOOL_STORE_MODE_OFF;
        assert_same(gpool_store_open(&desc, &store),
                    known ? GPOOL_OK : GPOOL_ERROR_INVALID_ARGUMENT);
        assert_same(store != NULL, known);
        gpool_store_close(store);
    }
}

/* Sizes that there is no memory for are refused before a byte is read. */
static void sizes_of_keys_and_payloads(void **state)
{
    (void)state;
    const gpool_store_desc desc = {
        .directory = folder, .max_bytes = 4096, .max_entry_bytes = 2048, .log = ignore
    };
    gpool_store *store = NULL;
    assert_same(gpool_store_open(&desc, &store), GPOOL_OK);
    static const char bytes[4096] = "bytes";
    bounds_set values = bounds_values(1000);
    for (uint32_t i = 0; i < values.count; ++i) {
        for (uint32_t k = 0; k < values.count; ++k) {
            const size_t key_size = (size_t)values.v[i];
            const size_t size = (size_t)values.v[k];
            bool fits = key_size <= 2048 && size <= 2048 &&
                        32 + (key_size + 15) / 16 * 16 + size + 16 <= 2048;
            const uint64_t before = saves(store);
            assert_same(gpool_store_clear(store), GPOOL_OK);
            gpool_result result = gpool_store_save(store, bytes, key_size, bytes, size);
            assert_same(result, key_size == 0 ? GPOOL_ERROR_INVALID_ARGUMENT : GPOOL_OK);
            assert_same(saves(store) - before, fits && key_size != 0);
            if (!fits || key_size == 0) {
                continue;
            }
            void *data;
            size_t got;
            assert_same(gpool_store_load(store, bytes, key_size, &data, &got), GPOOL_OK);
            assert_same(got, size);
            gpool_store_free_data(store, data);
            assert_same(gpool_store_remove(store, bytes, key_size), GPOOL_OK);
            assert_same(gpool_store_load(store, bytes, key_size, &data, &got), GPOOL_NOT_FOUND);
        }
    }
    void *data;
    size_t got;
    assert_same(gpool_store_load(store, bytes, 0, &data, &got), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_store_remove(store, bytes, 0), GPOOL_ERROR_INVALID_ARGUMENT);
    gpool_store_close(store);
}

static void names_of_reasons(void **state)
{
    (void)state;
    bounds_set values = bounds_values32(GPOOL_STORE_REASON_COUNT);
    for (uint32_t i = 0; i < values.count; ++i) {
        int v = (int)(uint32_t)values.v[i];
        assert_true(strlen(gpool_store_reason_text((gpool_store_reason)v)) > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(caps_and_modes_of_stores, open_folder, close_folder),
        cmocka_unit_test_setup_teardown(sizes_of_keys_and_payloads, open_folder, close_folder),
        cmocka_unit_test(names_of_reasons),
    };
    return cmocka_run_group_tests_name("bounds of stores", tests, NULL, NULL);
}
