/* Marks of many threads at once; most worth under -DGPOOL_SANITIZE=thread. */
#include "unit/dirty_map_model.h"
#include "unit/unit.h"

#include <pthread.h>
#include <sched.h>

static uint64_t seed;

#define THREADS 4u

typedef struct marker {
    gpool_dirty_map *map;
    uint64_t size;
    uint64_t number;
    bool neighbours;           /* marks granules of the same words as the others, else anywhere */
    _Atomic uint32_t *waiting; /* threads that are not there yet: all begin at once */
} marker;

static gpool_range marker_range(const marker *m, uint64_t *random, uint64_t i)
{
    if (m->neighbours) {
        const uint64_t granule = i * THREADS + m->number;
        return (gpool_range){ .offset = granule * 64, .size = 1 };
    }
    const uint64_t offset = unit_random_below(random, m->size - 300);
    return (gpool_range){ .offset = offset, .size = 1 + unit_random_below(random, 300) };
}

static uint64_t marker_count(const marker *m)
{
    return m->neighbours ? m->size / 64 / THREADS : 3000;
}

static void *mark_many(void *user)
{
    const marker *m = user;
    uint64_t random = seed + m->number;
    *m->waiting -= 1;
    while (*m->waiting > 0) {
        (void)sched_yield();
    }
    for (uint64_t i = 0; i < marker_count(m); ++i) {
        const gpool_range range = marker_range(m, &random, i);
        if (gpool_dirty_map_mark_shared(m->map, range.offset, range.size) != GPOOL_OK) {
            return user;
        }
    }
    return NULL;
}

static void marks_of_many_threads_are_all_there(void **state)
{
    (void)state;
    for (int round = 0; round < 40; ++round) {
        dirty_model m;
        dirty_model_open(&m, round % 4 < 2 ? 65536 * 64 : 64 * 4097, 64);
        _Atomic uint32_t waiting = THREADS;
        marker markers[THREADS];
        pthread_t threads[THREADS];
        for (uint64_t t = 0; t < THREADS; ++t) {
            markers[t] = (marker){ m.map, m.size, t, round % 2 == 0, &waiting };
            assert_int_equal(pthread_create(&threads[t], NULL, mark_many, &markers[t]), 0);
        }
        for (uint64_t t = 0; t < THREADS; ++t) {
            void *failed = NULL;
            assert_int_equal(pthread_join(threads[t], &failed), 0);
            assert_null(failed);
            uint64_t random = seed + t;
            for (uint64_t i = 0; i < marker_count(&markers[t]); ++i) {
                const gpool_range range = marker_range(&markers[t], &random, i);
                assert_same(dirty_model_set(&m, range.offset, range.size, true), true);
            }
        }
        dirty_model_compare(&m, 0, 1);
        dirty_model_clear(&m);
        dirty_model_compare(&m, 0, 1);
        dirty_model_close(&m);
    }
}

static void *mark_whole(void *user)
{
    marker *m = user;
    *m->waiting -= 1;
    return gpool_dirty_map_mark_shared(m->map, 0, m->size) == GPOOL_OK ? NULL : user;
}

static void whole_marked_beside_other_marks_is_whole(void **state)
{
    (void)state;
    dirty_model m;
    dirty_model_open(&m, 65536 * 8, 64);
    _Atomic uint32_t waiting = THREADS;
    marker markers[THREADS];
    pthread_t threads[THREADS];
    for (uint64_t t = 0; t < THREADS; ++t) {
        markers[t] = (marker){ m.map, m.size, t, false, &waiting };
        assert_int_equal(
            pthread_create(&threads[t], NULL, t < 2 ? mark_many : mark_whole, &markers[t]), 0);
    }
    for (uint64_t t = 0; t < THREADS; ++t) {
        assert_int_equal(pthread_join(threads[t], NULL), 0);
    }
    assert_same(dirty_model_set(&m, 0, m.size, true), true);
    assert_same(gpool_dirty_map_state(m.map), GPOOL_DIRTY_ALL);
    dirty_model_compare(&m, 0, 1);
    dirty_model_clear(&m);
    dirty_model_compare(&m, 0, 1);
    dirty_model_close(&m);
}

int main(int argc, char **argv)
{
    seed = unit_seed(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(marks_of_many_threads_are_all_there),
        cmocka_unit_test(whole_marked_beside_other_marks_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
