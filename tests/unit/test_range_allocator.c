#include "alloc/range_allocator.h"

#include "unit/range_model.h"
#include "unit/unit.h"

static uint64_t seed;

static gpool_range_allocator *open_space(uint64_t size)
{
    gpool_range_allocator *a = NULL;
    const gpool_range_allocator_desc desc = { .size = size };
    assert_same(gpool_range_allocator_create(&desc, &a), GPOOL_OK);
    return a;
}

static gpool_allocation take(gpool_range_allocator *a, uint64_t size, uint64_t align)
{
    gpool_allocation handle;
    assert_same(gpool_range_alloc(a, size, align, 7, &handle), GPOOL_OK);
    return handle;
}

static void refuse(gpool_range_allocator *a, uint64_t size, uint64_t align, gpool_result wanted)
{
    gpool_allocation handle = { 1, 2, 3 };
    assert_same(gpool_range_alloc(a, size, align, 7, &handle), wanted);
    assert_true(handle.offset == 0 && handle.node == 0 && handle.stamp == 0);
}

static gpool_range_report report_of(const gpool_range_allocator *a)
{
    gpool_range_report report;
    assert_same(gpool_range_allocator_report(a, &report), GPOOL_OK);
    assert_true(gpool_range_allocator_validate(a));
    return report;
}

/* --- bins --- */

static void bins_rise_with_sizes_and_are_exact_below_128(void **state)
{
    (void)state;
    uint32_t before = 0;
    for (uint64_t size = 1; size < 1000000; ++size) {
        const uint32_t bin = gpool__range_bin(size);
        assert_true(bin == before || bin == before + 1);
        assert_true(size >= 128 || bin == size);
        before = bin;
    }
    for (uint32_t power = 6; power <= 56; ++power) {
        const uint64_t size = UINT64_C(1) << power;
        assert_int_equal(gpool__range_bin(size), (power - 5) * 64);
        assert_int_equal(gpool__range_bin(size - 1), (power - 5) * 64 - 1);
        assert_true(gpool__range_bin(size) < GPOOL__RANGE_BINS);
        if (power > 6 && power < 56) {
            assert_int_equal(gpool__range_bin(size + (size >> 6)), (power - 5) * 64 + 1);
            assert_int_equal(gpool__range_bin(size + (size >> 6) - 1), (power - 5) * 64);
        }
    }
}

/* --- create --- */

static void new_space_is_one_free_range(void **state)
{
    (void)state;
    static const uint64_t sizes[] = { 1, 63, 64, 127, 128, 1000, UINT64_C(1) << 56 };
    for (size_t i = 0; i < UNIT_COUNT(sizes); ++i) {
        gpool_range_allocator *a = open_space(sizes[i]);
        const gpool_range_report report = report_of(a);
        assert_int_equal(report.size, sizes[i]);
        assert_int_equal(report.free_size, sizes[i]);
        assert_int_equal(report.largest_free, sizes[i]);
        assert_int_equal(report.free_count, 1);
        assert_true(report.fragmentation == 0);
        refuse(a, sizes[i] + 1, 1, GPOOL_ERROR_OUT_OF_RANGE);
        const gpool_allocation all = take(a, sizes[i], 1);
        assert_int_equal(all.offset, 0);
        refuse(a, 1, 1, GPOOL_ERROR_FULL);
        assert_int_equal(report_of(a).free_count, 0);
        assert_same(gpool_range_free(a, all), GPOOL_OK);
        assert_int_equal(report_of(a).largest_free, sizes[i]);
        gpool_range_allocator_destroy(a);
    }
}

static void descriptions_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    static char memory[64];
    static const struct {
        gpool_range_allocator_desc desc;
        gpool_result result;
    } tried[] = {
        { { .size = (UINT64_C(1) << 56) + 1 }, GPOOL_ERROR_OUT_OF_RANGE },
        { { .size = UINT64_MAX }, GPOOL_ERROR_OUT_OF_RANGE },
        { { .size = 1, .max_nodes = 0x7fffffffu }, GPOOL_ERROR_INVALID_ARGUMENT },
        { { .size = 1, .memory_size = 1 }, GPOOL_ERROR_INVALID_ARGUMENT },
        { { .size = 1, .memory = memory }, GPOOL_ERROR_OUT_OF_MEMORY },
        { { .size = 1, .memory = memory, .memory_size = sizeof memory },
          GPOOL_ERROR_OUT_OF_MEMORY },
        { { .size = 0 }, GPOOL_OK },
    };
    for (size_t i = 0; i < UNIT_COUNT(tried); ++i) {
        gpool_range_allocator *a = (gpool_range_allocator *)memory;
        assert_same(gpool_range_allocator_create(&tried[i].desc, &a), tried[i].result);
        assert_same(a != NULL, tried[i].result == GPOOL_OK);
        gpool_range_allocator_destroy(a);
    }
    assert_same(gpool_range_allocator_create(&tried[0].desc, NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    gpool_range_allocator *a = (gpool_range_allocator *)memory;
    assert_same(gpool_range_allocator_create(NULL, &a), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_null(a);
    gpool_range_allocator_destroy(NULL);
}

static void null_pointers_are_refused(void **state)
{
    (void)state;
    gpool_range_allocator *a = open_space(10);
    gpool_allocation handle = { 1, 2, 3 };
    gpool_range_report report;
    gpool_range_cursor cursor = { 0 };
    gpool_range range;
    gpool_live_range live;
    uint32_t count = 5;
    assert_same(gpool_range_alloc(NULL, 1, 1, 0, &handle), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_int_equal(handle.node, 0);
    assert_same(gpool_range_alloc(a, 1, 1, 0, NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    refuse(a, 1, 0, GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_range_free(NULL, handle), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_range_free(a, handle), GPOOL_ERROR_NULL_HANDLE);
    assert_same(gpool_range_get(NULL, handle, &range, NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_range_get(a, handle, &range, NULL), GPOOL_ERROR_NULL_HANDLE);
    assert_same(gpool_range_allocator_grow(NULL, 1), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_range_allocator_report(a, NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    report.size = 4;
    assert_same(gpool_range_allocator_report(NULL, &report), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_int_equal(report.size, 0);
    assert_false(gpool_range_allocator_validate(NULL));
    assert_false(gpool_range_allocator_next(NULL, &cursor, &live));
    assert_false(gpool_range_allocator_next(a, NULL, &live));
    assert_false(gpool_range_allocator_next(a, &cursor, NULL));
    assert_false(gpool_range_allocator_next_free(NULL, &cursor, &range));
    assert_false(gpool_range_allocator_next_free(a, NULL, &range));
    assert_false(gpool_range_allocator_next_free(a, &cursor, NULL));
    assert_same(gpool_range_plan_moves(NULL, 1, NULL, NULL, NULL, 0, &count),
                GPOOL_ERROR_INVALID_ARGUMENT);
    assert_int_equal(count, 0);
    assert_same(gpool_range_plan_moves(a, 1, NULL, NULL, NULL, 0, NULL),
                GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_range_plan_moves(a, 1, NULL, NULL, NULL, 1, &count),
                GPOOL_ERROR_INVALID_ARGUMENT);
    gpool_range_allocator_destroy(a);
}

/* --- memory --- */

static void allocator_in_memory_of_the_caller_allocates_nothing(void **state)
{
    (void)state;
    assert_int_equal(gpool_range_allocator_memory(0), 0);
    assert_int_equal(gpool_range_allocator_memory(0x7fffffffu), 0);
    for (uint32_t nodes = 1; nodes < 40; ++nodes) {
        const uint64_t size = gpool_range_allocator_memory(nodes);
        for (uint32_t shift = 0; shift < 64; shift += 7) {
            unit_allocator hooks = { 0 };
            char *memory = malloc(size + shift + 1);
            assert_non_null(memory);
            memory[size + shift] = 0x5a; /* nobody writes behind */
            gpool_range_allocator_desc desc = { .size = 1000,
                                                .max_nodes = nodes,
                                                .memory = memory + shift,
                                                .memory_size = size - 1,
                                                .allocator = unit_hooks(&hooks) };
            gpool_range_allocator *a = NULL;
            assert_same(gpool_range_allocator_create(&desc, &a), GPOOL_ERROR_OUT_OF_MEMORY);
            desc.memory_size = size;
            assert_same(gpool_range_allocator_create(&desc, &a), GPOOL_OK);
            for (uint32_t i = 1; i < nodes; ++i) {
                (void)take(a, 1, 1);
            }
            refuse(a, 1, 1, GPOOL_ERROR_OUT_OF_MEMORY);
            assert_int_equal(report_of(a).live_count, nodes - 1);
            (void)take(a, 1000 - (nodes - 1), 1); /* a whole piece needs no other */
            assert_int_equal(report_of(a).live_count, nodes);
            assert_same(gpool_range_allocator_grow(a, 1001), GPOOL_ERROR_OUT_OF_MEMORY);
            gpool_range_allocator_destroy(a);
            assert_int_equal(hooks.calls, 0);
            assert_int_equal(memory[size + shift], 0x5a);
            free(memory);
        }
    }
}

static void memory_without_a_limit_holds_as_many_pieces_as_fit(void **state)
{
    (void)state;
    const uint64_t size = gpool_range_allocator_memory(100) + 31;
    void *memory = malloc(size);
    const gpool_range_allocator_desc desc = { .size = 1000, .memory = memory, .memory_size = size };
    gpool_range_allocator *a = NULL;
    assert_same(gpool_range_allocator_create(&desc, &a), GPOOL_OK);
    for (uint32_t i = 1; i < 100; ++i) {
        (void)take(a, 1, 1);
    }
    refuse(a, 1, 1, GPOOL_ERROR_OUT_OF_MEMORY);
    gpool_range_allocator_destroy(a);
    free(memory);
}

/* With allocation k failing nothing changes, and the next try works. */
static void failing_allocations_leave_everything_as_it_was(void **state)
{
    (void)state;
    for (uint64_t k = 1; k <= 2; ++k) {
        unit_allocator hooks = { .fail_at = k };
        const gpool_range_allocator_desc desc = { .size = 10, .allocator = unit_hooks(&hooks) };
        gpool_range_allocator *a = NULL;
        assert_same(gpool_range_allocator_create(&desc, &a), GPOOL_ERROR_OUT_OF_MEMORY);
        assert_null(a);
        assert_int_equal(hooks.blocks, 0);
        assert_int_equal(hooks.wrong_sizes, 0);
    }
    for (uint64_t k = 3; k < 8; ++k) {
        unit_allocator hooks = { .fail_at = k };
        const gpool_range_allocator_desc desc = { .size = 10000, .allocator = unit_hooks(&hooks) };
        gpool_range_allocator *a = NULL;
        assert_same(gpool_range_allocator_create(&desc, &a), GPOOL_OK);
        uint32_t failed = 0;
        for (uint32_t i = 0; i < 2000; ++i) {
            gpool_allocation handle;
            const gpool_range_report before = report_of(a);
            const gpool_result result = gpool_range_alloc(a, 3, 1 + i % 5, i, &handle);
            if (result != GPOOL_OK) {
                assert_same(result, GPOOL_ERROR_OUT_OF_MEMORY);
                const gpool_range_report after = report_of(a);
                assert_int_equal(after.live_count, before.live_count);
                assert_int_equal(after.free_size, before.free_size);
                failed += 1;
            }
        }
        assert_int_equal(failed, 1);
        gpool_range_allocator_destroy(a);
        assert_int_equal(hooks.blocks, 0);
        assert_int_equal(hooks.wrong_sizes, 0);
    }
}

/* --- handles --- */

static void freed_range_is_refused_though_its_place_and_node_are_used_again(void **state)
{
    (void)state;
    gpool_range_allocator *a = open_space(100);
    const gpool_allocation old = take(a, 10, 1);
    assert_same(gpool_range_free(a, old), GPOOL_OK);
    assert_same(gpool_range_free(a, old), GPOOL_ERROR_STALE_HANDLE);
    for (int i = 0; i < 100; ++i) {
        const gpool_allocation now = take(a, 10, 1);
        assert_int_equal(now.offset, old.offset);
        assert_same(gpool_range_free(a, old), GPOOL_ERROR_STALE_HANDLE);
        assert_same(gpool_range_get(a, old, NULL, NULL), GPOOL_ERROR_STALE_HANDLE);
        assert_same(gpool_range_free(a, now), GPOOL_OK);
    }
    assert_int_equal(report_of(a).largest_free, 100);
    gpool_range_allocator_destroy(a);
}

static void handles_of_another_allocator_and_forged_ones_are_refused(void **state)
{
    (void)state;
    gpool_range_allocator *a = open_space(1000);
    gpool_range_allocator *b = open_space(1000);
    for (int i = 0; i < 20; ++i) {
        const gpool_allocation in_a = take(a, 10, 1);
        const gpool_allocation in_b = take(b, 10, 1);
        assert_int_equal(in_a.node, in_b.node);
        assert_int_equal(in_a.offset, in_b.offset);
        assert_same(gpool_range_free(a, in_b), GPOOL_ERROR_INVALID_HANDLE);
        assert_same(gpool_range_free(b, in_a), GPOOL_ERROR_INVALID_HANDLE);
        gpool_allocation forged = in_a;
        forged.offset += 1;
        assert_same(gpool_range_free(a, forged), GPOOL_ERROR_INVALID_HANDLE);
        forged = in_a;
        forged.node = UINT32_MAX;
        assert_same(gpool_range_free(a, forged), GPOOL_ERROR_INVALID_HANDLE);
        forged.node = 0;
        assert_same(gpool_range_free(a, forged), GPOOL_ERROR_INVALID_HANDLE);
        forged = in_a;
        forged.stamp += 1; /* not given out yet */
        assert_same(gpool_range_free(a, forged), GPOOL_ERROR_INVALID_HANDLE);
    }
    assert_int_equal(report_of(a).live_count, 20);
    gpool_range_allocator_destroy(a);
    gpool_range_allocator_destroy(b);
}

static void handles_stay_good_when_stamps_begin_anew(void **state)
{
    (void)state;
    gpool_range_allocator *a = open_space(1000);
    const gpool_allocation first = take(a, 1, 1);
    a->stamp = a->first_stamp - 2; /* as after 2^32 - 2 calls */
    for (int i = 0; i < 5; ++i) {
        const gpool_allocation now = take(a, 1, 1);
        assert_same(gpool_range_get(a, now, NULL, NULL), GPOOL_OK);
        assert_same(gpool_range_free(a, now), GPOOL_OK);
        assert_same(gpool_range_free(a, now), GPOOL_ERROR_STALE_HANDLE);
    }
    assert_true(a->stamps_wrapped);
    assert_same(gpool_range_free(a, first), GPOOL_OK);
    gpool_range_allocator_destroy(a);
}

/* --- what others failed at --- */

/* An allocator took the hole before a live tail for the tail when it grew. */
static void growth_behind_a_live_tail_leaves_it_and_the_hole_before_it(void **state)
{
    (void)state;
    gpool_range_allocator *a = open_space(100);
    const gpool_allocation hole = take(a, 60, 1);
    const gpool_allocation tail = take(a, 40, 1);
    assert_same(gpool_range_free(a, hole), GPOOL_OK);
    assert_same(gpool_range_allocator_grow(a, 150), GPOOL_OK);
    gpool_range_cursor cursor = { 0 };
    gpool_range range;
    assert_true(gpool_range_allocator_next_free(a, &cursor, &range));
    assert_true(range.offset == 0 && range.size == 60);
    assert_true(gpool_range_allocator_next_free(a, &cursor, &range));
    assert_true(range.offset == 100 && range.size == 50);
    refuse(a, 61, 1, GPOOL_ERROR_FULL);
    assert_int_equal(take(a, 50, 1).offset, 100);
    assert_int_equal(take(a, 60, 1).offset, 0);
    assert_same(gpool_range_get(a, tail, &range, NULL), GPOOL_OK);
    assert_true(range.offset == 60 && range.size == 40);
    gpool_range_allocator_destroy(a);
}

static void growth_behind_a_free_tail_makes_it_longer(void **state)
{
    (void)state;
    gpool_range_allocator *a = open_space(0);
    refuse(a, 1, 1, GPOOL_ERROR_OUT_OF_RANGE);
    assert_same(gpool_range_allocator_grow(a, 0), GPOOL_OK);
    for (uint64_t size = 1; size < 3000; size += 1 + size / 3) {
        assert_same(gpool_range_allocator_grow(a, size), GPOOL_OK);
        assert_same(gpool_range_allocator_grow(a, size - 1), GPOOL_ERROR_OUT_OF_RANGE);
        const gpool_range_report report = report_of(a);
        assert_int_equal(report.free_count, 1);
        assert_int_equal(report.largest_free, size);
    }
    assert_same(gpool_range_allocator_grow(a, (UINT64_C(1) << 56) + 1), GPOOL_ERROR_OUT_OF_RANGE);
    assert_same(gpool_range_allocator_grow(a, UINT64_C(1) << 56), GPOOL_OK);
    assert_int_equal(take(a, UINT64_C(1) << 56, 1).offset, 0);
    gpool_range_allocator_destroy(a);
}

/* Allocators that round a request up refuse the last range of exactly its size. */
static void range_of_exactly_the_size_is_found_for_every_size(void **state)
{
    (void)state;
    for (uint64_t size = 1; size < 5000; ++size) {
        gpool_range_allocator *a = open_space(size + 2);
        const gpool_allocation first = take(a, 1, 1);
        const gpool_allocation fit = take(a, size, 1);
        (void)take(a, 1, 1);
        assert_same(gpool_range_free(a, fit), GPOOL_OK);
        refuse(a, size + 1, 1, GPOOL_ERROR_FULL);
        assert_int_equal(take(a, size, 1).offset, 1);
        assert_same(gpool_range_free(a, first), GPOOL_OK);
        gpool_range_allocator_destroy(a);
    }
}

static void fifty_thousand_ranges_are_freed_and_taken_again(void **state)
{
    (void)state;
    enum {
        COUNT = 50000
    };
    gpool_allocation *handles = calloc(COUNT, sizeof *handles);
    gpool_range_allocator *a = open_space(COUNT * UINT64_C(16));
    for (int round = 0; round < 3; ++round) {
        for (int i = 0; i < COUNT; ++i) {
            handles[i] = take(a, 16, 1);
        }
        assert_int_equal(report_of(a).free_count, 0);
        refuse(a, 1, 1, GPOOL_ERROR_FULL);
        for (int i = COUNT - 1; i > 0; --i) {
            const uint64_t other = unit_random_below(&seed, (uint64_t)i + 1);
            const gpool_allocation swapped = handles[i];
            handles[i] = handles[other];
            handles[other] = swapped;
        }
        for (int i = 0; i < COUNT; ++i) {
            assert_same(gpool_range_free(a, handles[i]), GPOOL_OK);
        }
        assert_int_equal(report_of(a).largest_free, COUNT * 16);
    }
    gpool_range_allocator_destroy(a);
    free(handles);
}

/* --- alignment --- */

static void every_alignment_is_kept(void **state)
{
    (void)state;
    for (uint64_t align = 1; align < 300; ++align) {
        gpool_range_allocator *a = open_space(100000);
        for (uint64_t i = 0; i < 40; ++i) {
            (void)take(a, 1 + unit_random_below(&seed, 50), 1);
            assert_int_equal(take(a, 1 + unit_random_below(&seed, 50), align).offset % align, 0);
        }
        assert_true(gpool_range_allocator_validate(a));
        gpool_range_allocator_destroy(a);
    }
}

static void front_of_an_unaligned_range_is_given_back(void **state)
{
    (void)state;
    gpool_range_allocator *a = open_space(200);
    (void)take(a, 7, 1);
    assert_int_equal(take(a, 20, 20).offset, 20);
    assert_int_equal(take(a, 13, 1).offset, 7);
    assert_int_equal(take(a, 160, 20).offset, 40);
    refuse(a, 1, 1, GPOOL_ERROR_FULL);
    gpool_range_allocator_destroy(a);
}

static void only_the_beginning_is_aligned_to_more_than_the_space(void **state)
{
    (void)state;
    gpool_range_allocator *a = open_space(200);
    const gpool_allocation first = take(a, 10, UINT64_MAX);
    assert_int_equal(first.offset, 0);
    refuse(a, 10, UINT64_C(1) << 63, GPOOL_ERROR_FULL);
    (void)take(a, 100, 1);
    assert_same(gpool_range_free(a, first), GPOOL_OK);
    assert_int_equal(take(a, 10, UINT64_C(1) << 63).offset, 0);
    gpool_range_allocator_destroy(a);
}

/* --- walks and cost --- */

static void walk_ends_whatever_happens_between_its_steps(void **state)
{
    (void)state;
    gpool_range_allocator *a = open_space(10000);
    gpool_allocation handles[100];
    for (uint32_t i = 0; i < 100; ++i) {
        assert_same(gpool_range_alloc(a, 10, 1, i, &handles[i]), GPOOL_OK);
    }
    gpool_range_cursor cursor = { 0 };
    gpool_live_range live;
    for (uint32_t i = 0; i < 100; ++i) {
        assert_true(gpool_range_allocator_next(a, &cursor, &live));
        assert_int_equal(live.user, i);
        assert_int_equal(live.allocation.offset, 10 * i);
        assert_int_equal(live.size, 10);
        assert_false(live.moving);
    }
    assert_false(gpool_range_allocator_next(a, &cursor, &live));
    for (uint32_t tried = 0; tried < 1000; ++tried) {
        cursor = (gpool_range_cursor){ 0 };
        uint32_t steps = 0;
        uint64_t end = 0;
        while (gpool_range_allocator_next(a, &cursor, &live)) {
            assert_true(live.allocation.offset >= end);
            end = live.allocation.offset + live.size;
            const uint64_t at = unit_random_below(&seed, 100);
            if (gpool_range_free(a, handles[at]) != GPOOL_OK) {
                (void)gpool_range_alloc(a, 1 + at, 1, 0, &handles[at]);
            }
            assert_true(++steps < 10000);
        }
        cursor = (gpool_range_cursor){ unit_random(&seed) % 10000, (uint32_t)tried };
        while (gpool_range_allocator_next(a, &cursor, &live)) {
            assert_true(++steps < 20000);
        }
    }
    gpool_range_allocator_destroy(a);
}

static void walk_whose_piece_is_somewhere_else_by_now_ends(void **state)
{
    (void)state;
    gpool_range_allocator *a = open_space(1000);
    gpool_allocation handles[4];
    for (int i = 0; i < 4; ++i) {
        handles[i] = take(a, 10, 1);
    }
    gpool_range_cursor cursor = { 0 };
    gpool_live_range live;
    for (int i = 0; i < 3; ++i) {
        assert_true(gpool_range_allocator_next(a, &cursor, &live));
    }
    assert_int_equal(cursor.node, handles[2].node);
    for (int i = 0; i < 3; ++i) {
        assert_same(gpool_range_free(a, handles[i]), GPOOL_OK);
    }
    for (int i = 0; i < 3; ++i) {
        assert_int_equal(take(a, 5, 1).offset, 5 * i);
    }
    assert_false(gpool_range_allocator_next(a, &cursor, &live));
    gpool_range_allocator_destroy(a);
}

static void steps_of_a_call_are_bounded_however_many_ranges_there_are(void **state)
{
    (void)state;
    gpool_range_allocator *a = open_space(UINT64_C(1) << 24);
    gpool_allocation handles[4096];
    for (uint32_t i = 0; i < 4096; ++i) {
        handles[i] = take(a, 1000, 1);
        (void)take(a, 1, 1);
    }
    for (uint32_t i = 0; i < 4096; ++i) {
        assert_same(gpool_range_free(a, handles[i]), GPOOL_OK);
    }
    gpool_allocation rest = take(a, report_of(a).largest_free, 1);
    refuse(a, 1001, 1, GPOOL_ERROR_FULL); /* a bin of 4,096 ranges, none of which fits */
    for (uint64_t align = 2; align < 3000; ++align) {
        gpool_allocation handle;
        if (gpool_range_alloc(a, 990 + align % 12, align, 0, &handle) == GPOOL_OK) {
            assert_int_equal(handle.offset % align, 0);
            assert_same(gpool_range_free(a, handle), GPOOL_OK);
        }
    }
    assert_same(gpool_range_free(a, rest), GPOOL_OK);
    const gpool_range_report report = report_of(a);
    assert_in_range(report.alloc_steps, 8, 18);
    assert_in_range(report.free_steps, 3, 3);
    gpool_range_allocator_destroy(a);
}

/* The trace of the bench at 90 and 95 %: refusals repeat exactly. */
static void few_requests_are_refused_while_enough_is_free(void **state)
{
    (void)state;
    static const struct {
        uint32_t fill;
        double most; /* percent */
    } bars[] = { { 90, 0.05 }, { 95, 13 } };
    enum {
        SPACE = 1 << 24,
        STEPS = 100000
    };
    for (size_t b = 0; b < UNIT_COUNT(bars); ++b) {
        gpool_range_allocator *a = open_space(SPACE);
        gpool_allocation *live = calloc(SPACE / 4, sizeof *live);
        uint64_t random = 1;
        uint64_t count = 0;
        uint64_t requests = 0;
        uint64_t refused = 0;
        for (uint32_t i = 0; i < STEPS; ++i) {
            while (a->live_size < (uint64_t)SPACE / 100 * bars[b].fill) {
                /* roughly log-uniform, 4 to 16,384 */
                const uint64_t octave = unit_random_below(&random, 12);
                const uint64_t size =
                    (UINT64_C(4) << octave) + unit_random_below(&random, UINT64_C(4) << octave);
                requests += 1;
                if (gpool_range_alloc(a, size, 1, 0, &live[count]) != GPOOL_OK) {
                    refused += SPACE - a->live_size >= size;
                    break;
                }
                count += 1;
            }
            const uint64_t at = unit_random_below(&random, count);
            assert_same(gpool_range_free(a, live[at]), GPOOL_OK);
            live[at] = live[--count];
        }
        assert_true(100.0 * (double)refused <= bars[b].most * (double)requests);
        assert_true(gpool_range_allocator_validate(a));
        gpool_range_allocator_destroy(a);
        free(live);
    }
}

static void broken_space_is_noticed(void **state)
{
    (void)state;
    for (int how = 0; how < 16; ++how) {
        gpool_range_allocator *a = open_space(1000);
        const gpool_allocation first = take(a, 10, 1);
        const gpool_allocation second = take(a, 10, 1);
        const gpool_allocation third = take(a, 10, 1);
        assert_same(gpool_range_free(a, second), GPOOL_OK);
        assert_true(gpool_range_allocator_validate(a));
        gpool__range_node *live = &a->nodes[first.node];
        gpool__range_node *gap = &a->nodes[second.node];
        switch (how) {
        case 0:
            live->size += 1;
            break;
        case 1:
            live->offset += 1;
            break;
        case 2:
            live->size &= ~GPOOL__RANGE_LIVE;
            break;
        case 3:
            gap->size |= GPOOL__RANGE_LIVE;
            break;
        case 4:
            live->prev = second.node;
            break;
        case 5:
            live->next = 1u << 30;
            break;
        case 6:
            gap->of.bin.prev = first.node;
            break;
        case 7:
            a->heads[10] = 0;
            break;
        case 8:
            a->rows[0] |= 2;
            break;
        case 9:
            a->top = 0;
            break;
        case 10:
            a->live_size += 1;
            break;
        case 11:
            live->next &= ~GPOOL__RANGE_FREE;
            a->nodes[third.node].prev &= ~GPOOL__RANGE_FREE;
            break;
        case 12:
            gap->next |= GPOOL__RANGE_FREE;
            break;
        case 13:
            a->nodes[0].prev &= ~GPOOL__RANGE_FREE;
            break;
        case 14:
            a->nodes[0].offset = 0;
            break;
        default:
            live->size |= GPOOL__RANGE_MOVING;
            break;
        }
        assert_false(gpool_range_allocator_validate(a));
        gpool_range_allocator_destroy(a);
    }
}

int main(int argc, char **argv)
{
    seed = unit_seed(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bins_rise_with_sizes_and_are_exact_below_128),
        cmocka_unit_test(new_space_is_one_free_range),
        cmocka_unit_test(descriptions_that_make_no_sense_are_refused),
        cmocka_unit_test(null_pointers_are_refused),
        cmocka_unit_test(allocator_in_memory_of_the_caller_allocates_nothing),
        cmocka_unit_test(memory_without_a_limit_holds_as_many_pieces_as_fit),
        cmocka_unit_test(failing_allocations_leave_everything_as_it_was),
        cmocka_unit_test(freed_range_is_refused_though_its_place_and_node_are_used_again),
        cmocka_unit_test(handles_of_another_allocator_and_forged_ones_are_refused),
        cmocka_unit_test(handles_stay_good_when_stamps_begin_anew),
        cmocka_unit_test(growth_behind_a_live_tail_leaves_it_and_the_hole_before_it),
        cmocka_unit_test(growth_behind_a_free_tail_makes_it_longer),
        cmocka_unit_test(range_of_exactly_the_size_is_found_for_every_size),
        cmocka_unit_test(fifty_thousand_ranges_are_freed_and_taken_again),
        cmocka_unit_test(every_alignment_is_kept),
        cmocka_unit_test(front_of_an_unaligned_range_is_given_back),
        cmocka_unit_test(only_the_beginning_is_aligned_to_more_than_the_space),
        cmocka_unit_test(walk_ends_whatever_happens_between_its_steps),
        cmocka_unit_test(walk_whose_piece_is_somewhere_else_by_now_ends),
        cmocka_unit_test(steps_of_a_call_are_bounded_however_many_ranges_there_are),
        cmocka_unit_test(few_requests_are_refused_while_enough_is_free),
        cmocka_unit_test(broken_space_is_noticed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
