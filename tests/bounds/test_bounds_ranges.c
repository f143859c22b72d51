/* Boundary values of every number that the range allocator takes. */
#include "bounds.h"

#define RANGES_SIZE 100001u

static void sizes_and_nodes_of_range_allocators(void **state)
{
    (void)state;
    const uint64_t most = (uint64_t)1 << 56;
    const uint64_t most_nodes = 0x7ffffffe;
    bounds_set sizes = bounds_values(most);
    bounds_set nodes = bounds_values32(most_nodes);
    static char memory[40000];
    for (uint32_t i = 0; i < sizes.count * nodes.count; ++i) {
        const uint64_t size = sizes.v[i / nodes.count];
        const uint32_t count = (uint32_t)nodes.v[i % nodes.count];
        const uint64_t bytes = gpool_range_allocator_memory(count);
        assert_same(bytes != 0, count != 0 && count <= most_nodes);
        assert_true(bytes == 0 || bytes >= (uint64_t)count * 32);
        for (int inside = 0; inside < 2; ++inside) {
            const gpool_range_allocator_desc desc = { .size = size,
                                                      .max_nodes = count,
                                                      .memory = inside ? memory : NULL,
                                                      .memory_size = inside ? sizeof memory : 0 };
            const gpool_result expected = count > most_nodes ? GPOOL_ERROR_INVALID_ARGUMENT
                                          : size > most      ? GPOOL_ERROR_OUT_OF_RANGE
                                          : inside && bytes > sizeof memory
                                              ? GPOOL_ERROR_OUT_OF_MEMORY
                                              : GPOOL_OK;
            gpool_range_allocator *a = NULL;
            assert_same(gpool_range_allocator_create(&desc, &a), expected);
            assert_same(a != NULL, expected == GPOOL_OK);
            assert_true(a == NULL || gpool_range_allocator_validate(a));
            gpool_range_allocator_destroy(a);
        }
    }
    for (uint32_t i = 0; i < sizes.count; ++i) {
        const gpool_range_allocator_desc desc = { .size = 10,
                                                  .memory = memory,
                                                  .memory_size = sizes.v[i] < sizeof memory
                                                                     ? sizes.v[i]
                                                                     : sizeof memory };
        gpool_range_allocator *a = NULL;
        assert_same(gpool_range_allocator_create(&desc, &a) == GPOOL_OK,
                    desc.memory_size >= gpool_range_allocator_memory(1));
        gpool_range_allocator_destroy(a);
    }
}

static void sizes_alignments_and_growth_of_ranges(void **state)
{
    (void)state;
    bounds_set values = bounds_values(RANGES_SIZE);
    for (uint32_t i = 0; i < values.count * values.count; ++i) {
        const uint64_t size = values.v[i / values.count];
        const uint64_t align = values.v[i % values.count];
        gpool_range_allocator *a = NULL;
        const gpool_range_allocator_desc desc = { .size = RANGES_SIZE };
        assert_same(gpool_range_allocator_create(&desc, &a), GPOOL_OK);
        const gpool_result expected = align == 0 ? GPOOL_ERROR_INVALID_ARGUMENT
                                      : size == 0 || size > RANGES_SIZE ? GPOOL_ERROR_OUT_OF_RANGE
                                                                        : GPOOL_OK;
        gpool_allocation first;
        gpool_allocation second;
        gpool_range range;
        uint32_t user = 0;
        assert_same(gpool_range_alloc(a, size, align, UINT32_MAX, &first), expected);
        if (expected == GPOOL_OK) {
            assert_same(gpool_range_get(a, first, &range, &user), GPOOL_OK);
            assert_true(range.offset == 0 && range.size == size && user == UINT32_MAX);
            const gpool_result again = gpool_range_alloc(a, size, align, 0, &second);
            const uint64_t behind = size % align == 0 ? size : size - size % align + align;
            const bool fits = behind >= size && behind <= RANGES_SIZE - size && size <= RANGES_SIZE;
            assert_same(again, fits ? GPOOL_OK : GPOOL_ERROR_FULL);
            assert_true(!fits || second.offset == behind);
            assert_same(gpool_range_free(a, first), GPOOL_OK);
        }
        const gpool_result grown = gpool_range_allocator_grow(a, size);
        assert_same(grown, size < RANGES_SIZE || size > (uint64_t)1 << 56 ? GPOOL_ERROR_OUT_OF_RANGE
                                                                          : GPOOL_OK);
        assert_true(gpool_range_allocator_validate(a));
        gpool_range_allocator_destroy(a);
    }
}

static void offsets_nodes_and_stamps_of_ranges(void **state)
{
    (void)state;
    gpool_range_allocator *a = NULL;
    const gpool_range_allocator_desc desc = { .size = RANGES_SIZE };
    assert_same(gpool_range_allocator_create(&desc, &a), GPOOL_OK);
    gpool_allocation live;
    for (int i = 0; i < 3; ++i) {
        assert_same(gpool_range_alloc(a, 10, 1, 5, &live), GPOOL_OK);
    }
    bounds_set offsets = bounds_values(live.offset);
    bounds_set nodes = bounds_values32(live.node);
    bounds_set stamps = bounds_values32(live.stamp);
    for (uint32_t i = 0; i < offsets.count * nodes.count; ++i) {
        for (uint32_t k = 0; k < stamps.count; ++k) {
            const gpool_allocation forged = { offsets.v[i / nodes.count],
                                              (uint32_t)nodes.v[i % nodes.count],
                                              (uint32_t)stamps.v[k] };
            if (forged.offset == live.offset && forged.node == live.node &&
                forged.stamp == live.stamp) {
                continue;
            }
            const gpool_result result = gpool_range_free(a, forged);
            const bool null = forged.offset == 0 && forged.node == 0 && forged.stamp == 0;
            assert_true(null ? result == GPOOL_ERROR_NULL_HANDLE
                             : result == GPOOL_ERROR_INVALID_HANDLE ||
                                   result == GPOOL_ERROR_STALE_HANDLE);
            assert_same(gpool_range_get(a, forged, NULL, NULL), result);
        }
    }
    bounds_set ends = bounds_values(RANGES_SIZE);
    for (uint32_t i = 0; i < ends.count * nodes.count; ++i) {
        gpool_range_cursor cursor = { ends.v[i / nodes.count], (uint32_t)nodes.v[i % nodes.count] };
        gpool_range_cursor same = cursor;
        gpool_live_range range;
        gpool_range free_range;
        uint32_t steps = 0;
        while (gpool_range_allocator_next(a, &cursor, &range)) {
            assert_true(++steps <= 3);
        }
        while (gpool_range_allocator_next_free(a, &same, &free_range)) {
            assert_true(++steps <= 4);
        }
    }
    assert_same(gpool_range_free(a, live), GPOOL_OK);
    assert_true(gpool_range_allocator_validate(a));
    gpool_range_allocator_destroy(a);
}

static bool align_as_asked(void *context, uint32_t user, uint64_t *align)
{
    (void)user;
    *align = *(const uint64_t *)context;
    return true;
}

static void budgets_and_alignments_of_moves(void **state)
{
    (void)state;
    bounds_set values = bounds_values(640);
    for (uint32_t i = 0; i < values.count * values.count; ++i) {
        const uint64_t budget = values.v[i / values.count];
        uint64_t align = values.v[i % values.count];
        gpool_range_allocator *a = NULL;
        const gpool_range_allocator_desc desc = { .size = 6400 };
        assert_same(gpool_range_allocator_create(&desc, &a), GPOOL_OK);
        gpool_allocation handles[100];
        for (int k = 0; k < 100; ++k) {
            assert_same(gpool_range_alloc(a, 64, 1, 0, &handles[k]), GPOOL_OK);
        }
        for (int k = 0; k < 100; k += 2) {
            assert_same(gpool_range_free(a, handles[k]), GPOOL_OK);
        }
        gpool_range_move moves[4];
        for (uint32_t capacity = 0; capacity <= 4; ++capacity) {
            uint32_t count = 99;
            const gpool_result result =
                gpool_range_plan_moves(a, budget, align_as_asked, &align, moves, capacity, &count);
            assert_true(result == GPOOL_OK || result == GPOOL_NOT_READY);
            assert_true(count <= capacity && count * 64 <= budget);
            for (uint32_t k = 0; k < count; ++k) {
                assert_true(align != 0 && moves[k].to.offset % align == 0);
            }
        }
        assert_true(gpool_range_allocator_validate(a));
        gpool_range_allocator_destroy(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_and_nodes_of_range_allocators),
        cmocka_unit_test(sizes_alignments_and_growth_of_ranges),
        cmocka_unit_test(offsets_nodes_and_stamps_of_ranges),
        cmocka_unit_test(budgets_and_alignments_of_moves),
    };
    return cmocka_run_group_tests_name("bounds of ranges", tests, NULL, NULL);
}
