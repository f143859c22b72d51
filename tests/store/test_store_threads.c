/* Many threads on one store, and on a second one of the same directory; most worth under TSan. */
#include "store_world.h"

#include <pthread.h>

#define KEYS    UINT64_C(30)
#define THREADS 8

typedef struct shared {
    gpool_store *stores[2];
    _Atomic uint64_t right;
    _Atomic uint64_t wrong;
    _Atomic uint64_t errors;
} shared;

typedef struct worker {
    shared *all;
    uint64_t random;
    uint32_t operations;
} worker;

static bool on_entry(void *user, const gpool_store_entry *entry)
{
    *(uint64_t *)user += entry->size;
    return true;
}

static void *work(void *user)
{
    worker *me = user;
    for (uint32_t i = 0; i < me->operations; ++i) {
        gpool_store *store = me->all->stores[unit_random_below(&me->random, 4) == 0];
        uint64_t key = unit_random_below(&me->random, KEYS);
        uint64_t what = unit_random_below(&me->random, 100);
        world_loaded got = WORLD_MISS;
        gpool_result result = GPOOL_OK;
        uint64_t sum = 0;
        gpool_store_stats stats;
        char bytes[WORLD_KEY_SIZE];
        if (what < 50) {
            got = world_load(store, key);
        } else if (what < 90) {
            result = world_save(store, key, what % 3, 1000 + (size_t)key * 50);
        } else if (what < 94) {
            (void)gpool_store_remove(store, bytes, world_key(key, bytes));
        } else if (what < 96) {
            result = gpool_store_verify(store, NULL);
        } else if (what < 98) {
            result = gpool_store_list(store, on_entry, &sum);
        } else {
            gpool_store_get_stats(store, &stats);
            me->all->errors += stats.memory_bytes == 0 || gpool_store_directory(store)[0] != '/';
        }
        atomic_fetch_add(&me->all->right, got == WORLD_RIGHT);
        atomic_fetch_add(&me->all->wrong, got == WORLD_WRONG);
        atomic_fetch_add(&me->all->errors,
                         got == WORLD_ERROR || got == WORLD_NO_MEMORY || result != GPOOL_OK);
    }
    return NULL;
}

static void threads_share_stores(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store_desc desc = world_desc(&w);
    desc.max_bytes = 40000;
    shared all = { { world_store_of(&desc, NULL), NULL }, 0, 0, 0 };
    /* Its hooks are called by the same threads, under another lock: it needs its own. */
    unit_allocator second = { 0 };
    desc.allocator = unit_hooks(&second);
    all.stores[1] = world_store_of(&desc, NULL);
    pthread_t threads[THREADS];
    worker workers[THREADS];
    const uint32_t operations = (uint32_t)world_number("GPOOL_STORE_OPERATIONS", 4000) / THREADS;
    for (uint32_t i = 0; i < THREADS; ++i) {
        workers[i] = (worker){ &all, 1 + i, operations };
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
    for (uint32_t i = 0; i < THREADS; ++i) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    gpool_store_stats a = world_stats(all.stores[0]);
    gpool_store_stats b = world_stats(all.stores[1]);
    assert_int_equal(atomic_load(&all.wrong), 0);
    assert_int_equal(atomic_load(&all.errors), 0);
    assert_int_equal(atomic_load(&all.right), a.hits + b.hits);
    assert_true(atomic_load(&all.right) > operations);
    assert_int_equal(a.bad_entries + b.bad_entries + a.failed_loads + b.failed_loads, 0);
    assert_true(a.evictions + b.evictions > 0);
    assert_true(a.failed_saves + b.failed_saves <= (a.saves + b.saves) / 4);
    gpool_store_close(all.stores[0]);
    gpool_store_close(all.stores[1]);
    assert_int_equal(second.blocks, 0);
    assert_int_equal(second.wrong_sizes, 0);
    assert_true(world_count(w.path).bytes <= 40000);
    assert_int_equal(world_count(w.path).temps, 0);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(threads_share_stores) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
