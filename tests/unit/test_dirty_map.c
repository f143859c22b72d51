#include "unit/dirty_map_model.h"
#include "unit/unit.h"

static uint64_t seed;

static const uint32_t all_granules[] = { 4, 8, 64, 1024, 65536 };

/* Sizes around the ends of granules, words and levels, in units of `granule`. */
static uint64_t edge_size(size_t i, uint64_t granule)
{
    static const uint64_t counts[] = { 1, 2, 63, 64, 65, 128, 4095, 4096, 4097, 5000, 262145 };
    const uint64_t whole = counts[i / 3] * granule;
    return whole + i % 3 - 1;
}

#define EDGE_SIZES (11u * 3u)

/* --- create --- */

static void new_map_is_clean(void **state)
{
    (void)state;
    for (size_t g = 0; g < UNIT_COUNT(all_granules); ++g) {
        for (size_t i = 0; i < EDGE_SIZES; ++i) {
            dirty_model m;
            dirty_model_open(&m, edge_size(i, all_granules[g]), all_granules[g]);
            assert_same(gpool_dirty_map_state(m.map), GPOOL_DIRTY_NONE);
            dirty_model_compare(&m, 0, 1);
            dirty_model_close(&m);
        }
    }
}

static void granule_of_zero_is_one_of_64_bytes(void **state)
{
    (void)state;
    dirty_model m;
    dirty_model_open(&m, 1000, 0);
    dirty_model_mark(&m, 130, 1, false);
    gpool_dirty_count count;
    assert_same(gpool_dirty_map_count(m.map, 0, 1, &count), GPOOL_OK);
    assert_int_equal(count.dirty_bytes, 64);
    dirty_model_close(&m);
}

static void sizes_and_granules_outside_their_limits_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint64_t size;
        uint32_t granule;
        gpool_result result;
    } tried[] = {
        { 0, 64, GPOOL_ERROR_OUT_OF_RANGE },
        { (UINT64_C(1) << 44) + 1, 65536, GPOOL_ERROR_OUT_OF_RANGE },
        { UINT64_MAX, 64, GPOOL_ERROR_OUT_OF_RANGE },
        { 100, 1, GPOOL_ERROR_INVALID_ARGUMENT },
        { 100, 2, GPOOL_ERROR_INVALID_ARGUMENT },
        { 100, 3, GPOOL_ERROR_INVALID_ARGUMENT },
        { 100, 48, GPOOL_ERROR_INVALID_ARGUMENT },
        { 100, 131072, GPOOL_ERROR_INVALID_ARGUMENT },
        { 100, UINT32_MAX, GPOOL_ERROR_INVALID_ARGUMENT },
        { 100, 1u << 31, GPOOL_ERROR_INVALID_ARGUMENT },
        { 100, 4, GPOOL_OK },
        { 100, 65536, GPOOL_OK },
    };
    for (size_t i = 0; i < UNIT_COUNT(tried); ++i) {
        const gpool_dirty_map_desc desc = { .size = tried[i].size, .granule = tried[i].granule };
        gpool_dirty_map *map = (gpool_dirty_map *)&desc;
        assert_same(gpool_dirty_map_create(&desc, &map), tried[i].result);
        assert_same(map != NULL, tried[i].result == GPOOL_OK);
        gpool_dirty_map_destroy(map);
    }
}

/* Words of all levels, added up plainly. */
static uint64_t words_of(uint64_t granules)
{
    uint64_t sum = 0;
    do {
        granules = (granules + 63) / 64;
        sum += granules;
    } while (granules > 1);
    return sum;
}

static void map_is_one_block_of_a_bit_for_each_granule_and_its_levels(void **state)
{
    (void)state;
    for (size_t g = 0; g < UNIT_COUNT(all_granules); ++g) {
        for (size_t i = 0; i < EDGE_SIZES; ++i) {
            unit_allocator allocator = { 0 };
            const gpool_dirty_map_desc desc = { .size = edge_size(i, all_granules[g]),
                                                .granule = all_granules[g],
                                                .allocator = unit_hooks(&allocator) };
            gpool_dirty_map *map = NULL;
            assert_same(gpool_dirty_map_create(&desc, &map), GPOOL_OK);
            assert_int_equal(allocator.calls, 1);
            const uint64_t granules = (desc.size + desc.granule - 1) / desc.granule;
            assert_in_range(allocator.last_new_size, words_of(granules) * 8,
                            words_of(granules) * 8 + 64);
            assert_same(gpool_dirty_map_state(map), GPOOL_DIRTY_NONE);
            assert_same(gpool_dirty_map_mark(map, desc.size - 1, 1), GPOOL_OK);
            assert_same(gpool__dirty_map_validate(map), true);
            gpool_dirty_map_destroy(map);
            assert_int_equal(allocator.blocks, 0);
            assert_int_equal(allocator.wrong_sizes, 0);
        }
    }
}

static void map_without_memory_is_refused(void **state)
{
    (void)state;
    static const uint64_t sizes[] = { 1, 4096, UINT64_C(1) << 44 };
    for (size_t i = 0; i < UNIT_COUNT(sizes); ++i) {
        unit_allocator allocator = { .fail_at = 1, .fail_for_ever = true };
        const gpool_dirty_map_desc desc = { .size = sizes[i],
                                            .granule = 4,
                                            .allocator = unit_hooks(&allocator) };
        gpool_dirty_map *map = (gpool_dirty_map *)&allocator;
        assert_same(gpool_dirty_map_create(&desc, &map), GPOOL_ERROR_OUT_OF_MEMORY);
        assert_null(map);
        assert_int_equal(allocator.calls, 1);
        assert_in_range(allocator.last_new_size, words_of((sizes[i] + 3) / 4) * 8, SIZE_MAX);
        const gpool_allocator hooks = unit_hooks(&allocator);
        gpool__memory memory;
        gpool__memory_init(&memory, &hooks);
        assert_null(gpool__dirty_map_create(&memory, sizes[i], 4));
        assert_int_equal(memory.bytes, 0);
        assert_int_equal(allocator.frees, 0);
    }
}

static void pools_map_is_one_block_of_the_pools_memory(void **state)
{
    (void)state;
    unit_allocator allocator = { 0 };
    const gpool_allocator hooks = unit_hooks(&allocator);
    gpool__memory memory;
    gpool__memory_init(&memory, &hooks);
    gpool_dirty_map *map = gpool__dirty_map_create(&memory, 300000, 64);
    assert_non_null(map);
    assert_same(gpool__dirty_map_any(map), false);
    gpool__dirty_map_mark(map, 299999, 1);
    assert_same(gpool__dirty_map_any(map), true);
    assert_in_range(memory.bytes, words_of(4688) * 8, words_of(4688) * 8 + 32);
    gpool__dirty_map_destroy(map, &memory);
    gpool__dirty_map_destroy(NULL, &memory);
    assert_int_equal(memory.bytes, 0);
    assert_int_equal(allocator.blocks, 0);
    assert_int_equal(allocator.wrong_sizes, 0);
}

/* --- bad arguments --- */

static void null_pointers_are_refused(void **state)
{
    (void)state;
    dirty_model m;
    dirty_model_open(&m, 1000, 64);
    dirty_model_mark(&m, 0, 1, false);
    const gpool_dirty_map_desc desc = { .size = 1000 };
    gpool_dirty_map *none = (gpool_dirty_map *)&desc;
    assert_same(gpool_dirty_map_create(&desc, NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_dirty_map_create(NULL, &none), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_null(none);
    gpool_dirty_map_destroy(NULL);
    assert_same(gpool_dirty_map_mark(NULL, 0, 1), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_dirty_map_mark_shared(NULL, 0, 1), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_dirty_map_mark_all(NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_dirty_map_mark_from(NULL, m.map), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_dirty_map_mark_from(m.map, NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_dirty_map_clear(NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_dirty_map_clear_range(NULL, 0, 1), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_dirty_map_state(NULL), GPOOL_DIRTY_NONE);
    uint64_t cursor = 0;
    gpool_range range;
    assert_same(gpool_dirty_map_next(NULL, 0, 1, &cursor, &range), false);
    assert_same(gpool_dirty_map_next(m.map, 0, 1, NULL, &range), false);
    assert_same(gpool_dirty_map_next(m.map, 0, 1, &cursor, NULL), false);
    assert_int_equal(cursor, 0);
    gpool_dirty_count count = { .ranges = 7 };
    assert_same(gpool_dirty_map_count(m.map, 0, 1, NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_dirty_map_count(NULL, 0, 1, &count), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_int_equal(count.ranges, 0);
    dirty_model_compare(&m, 0, 1);
    dirty_model_close(&m);
}

static void alignments_that_are_no_power_of_two_are_refused(void **state)
{
    (void)state;
    static const uint64_t aligns[] = { 0, 3, 6, 96, UINT64_MAX, (UINT64_C(1) << 63) + 1 };
    dirty_model m;
    dirty_model_open(&m, 1000, 64);
    dirty_model_mark(&m, 0, 1, false);
    for (size_t i = 0; i < UNIT_COUNT(aligns); ++i) {
        uint64_t cursor = 0;
        gpool_range range = { .offset = 5, .size = 6 };
        gpool_dirty_count count = { .ranges = 7 };
        assert_same(gpool_dirty_map_next(m.map, 0, aligns[i], &cursor, &range), false);
        assert_true(cursor == 0 && range.offset == 5 && range.size == 6);
        assert_same(gpool_dirty_map_count(m.map, 0, aligns[i], &count),
                    GPOOL_ERROR_INVALID_ARGUMENT);
        assert_int_equal(count.ranges, 0);
    }
    dirty_model_close(&m);
}

__extension__ typedef unsigned __int128 wide;

/* What a mark should do, in numbers that cannot wrap. */
static void expect_mark(gpool_dirty_map *map, wide map_size, uint64_t offset, uint64_t size)
{
    const wide granule = 65536;
    const bool inside = (wide)offset + size <= map_size;
    assert_same(gpool_dirty_map_mark(map, offset, size),
                inside ? GPOOL_OK : GPOOL_ERROR_OUT_OF_RANGE);
    gpool_dirty_count count;
    assert_same(gpool_dirty_map_count(map, 0, 1, &count), GPOOL_OK);
    if (!inside || size == 0) {
        assert_int_equal(count.ranges, 0);
        return;
    }
    const wide begin = offset / granule * granule;
    wide end = ((wide)offset + size + granule - 1) / granule * granule;
    end = end < map_size ? end : map_size;
    uint64_t cursor = 0;
    gpool_range range;
    assert_same(gpool_dirty_map_next(map, 0, 1, &cursor, &range), true);
    assert_true(range.offset == begin && range.size == end - begin);
    assert_int_equal(count.ranges, 1);
    assert_true(count.dirty_bytes == end - begin);
    assert_same(gpool_dirty_map_next(map, 0, 1, &cursor, &range), false);
    assert_same(gpool_dirty_map_clear_range(map, offset, size), GPOOL_OK);
    assert_same(gpool_dirty_map_state(map), GPOOL_DIRTY_NONE);
}

static void offsets_and_sizes_at_all_boundaries_agree_with_wide_integers(void **state)
{
    (void)state;
    static const uint64_t near[] = { 0,
                                     65536,
                                     UINT64_C(64) * 65536,
                                     UINT64_C(4096) * 65536,
                                     UINT64_C(1) << 31,
                                     UINT64_C(1) << 32,
                                     UINT64_C(1) << 38,
                                     (UINT64_C(1) << 40) - 77,
                                     UINT64_C(1) << 44,
                                     UINT64_C(1) << 63,
                                     UINT64_MAX };
    uint64_t values[UNIT_COUNT(near) * 3];
    for (size_t i = 0; i < UNIT_COUNT(values); ++i) {
        values[i] = near[i / 3] + i % 3 - 1; /* also across the wrap */
    }
    const gpool_dirty_map_desc desc = { .size = (UINT64_C(1) << 40) - 77, .granule = 65536 };
    gpool_dirty_map *map = NULL;
    assert_same(gpool_dirty_map_create(&desc, &map), GPOOL_OK);
    for (size_t i = 0; i < UNIT_COUNT(values); ++i) {
        for (size_t k = 0; k < UNIT_COUNT(values); ++k) {
            const uint64_t span = values[k] > desc.size / 64 && values[k] < desc.size - 1
                                      ? desc.size - values[k]
                                      : values[k]; /* few of the long ones that cost time */
            expect_mark(map, desc.size, values[i], span);
        }
    }
    gpool_dirty_map_destroy(map);
}

static void refused_ranges_mark_and_clear_nothing(void **state)
{
    (void)state;
    static const gpool_range bad[] = { { 1001, 0 },       { 1000, 1 },          { 999, 2 },
                                       { 0, 1001 },       { 1, UINT64_MAX },    { UINT64_MAX, 1 },
                                       { UINT64_MAX, 0 }, { 2, UINT64_MAX - 1 } };
    dirty_model m;
    dirty_model_open(&m, 1000, 64);
    for (size_t i = 0; i < UNIT_COUNT(bad); ++i) {
        dirty_model_mark(&m, bad[i].offset, bad[i].size, false);
        dirty_model_mark(&m, bad[i].offset, bad[i].size, true);
    }
    assert_same(gpool_dirty_map_state(m.map), GPOOL_DIRTY_NONE);
    dirty_model_mark(&m, 0, 1, false);
    dirty_model_mark(&m, 999, 1, false);
    for (size_t i = 0; i < UNIT_COUNT(bad); ++i) {
        dirty_model_clear_range(&m, bad[i].offset, bad[i].size);
    }
    dirty_model_compare(&m, 0, 1);
    dirty_model_close(&m);
}

/* --- marks and ranges --- */

static void one_marked_byte_is_its_granule_up_to_the_end_of_the_map(void **state)
{
    (void)state;
    for (uint64_t size = 1; size <= 700; size += 1 + size / 50) {
        dirty_model m;
        dirty_model_open(&m, size, 64);
        for (uint64_t at = 0; at < size; ++at) {
            dirty_model_mark(&m, at, 1, at % 2 != 0);
            dirty_model_compare(&m, 0, 1);
            dirty_model_clear(&m);
            dirty_model_compare(&m, 0, 1);
        }
        dirty_model_close(&m);
    }
}

static void mark_of_nothing_marks_nothing(void **state)
{
    (void)state;
    dirty_model m;
    dirty_model_open(&m, 128, 64);
    for (uint64_t at = 0; at <= 128; at += 32) {
        dirty_model_mark(&m, at, 0, false);
        dirty_model_mark(&m, at, 0, true);
    }
    assert_same(gpool_dirty_map_state(m.map), GPOOL_DIRTY_NONE);
    dirty_model_close(&m);
}

static void random_scripts_agree_with_a_flag_for_each_granule(void **state)
{
    (void)state;
    uint64_t random = seed;
    uint64_t steps = 0;
    for (int run = 0; run < 1500; ++run) {
        uint8_t script[600];
        for (size_t i = 0; i < sizeof script; ++i) {
            script[i] = (uint8_t)unit_random(&random);
        }
        steps += dirty_model_run(script, 20 + unit_random_below(&random, sizeof script - 20));
    }
    assert_in_range(steps, 10000, UINT64_MAX);
}

static void random_marks_of_every_size_of_map_agree(void **state)
{
    (void)state;
    uint64_t random = seed + 1;
    for (size_t g = 0; g < UNIT_COUNT(all_granules); ++g) {
        for (size_t i = 0; i < EDGE_SIZES; ++i) {
            dirty_model m;
            dirty_model_open(&m, edge_size(i, all_granules[g]), all_granules[g]);
            for (int k = 0; k < 20; ++k) {
                const uint64_t offset = unit_random_below(&random, m.size + 1);
                const uint64_t most = k < 15 ? m.granule * 3 : m.size;
                const uint64_t left = m.size - offset < most ? m.size - offset : most;
                dirty_model_mark(&m, offset, unit_random_below(&random, left + 1), k % 2 != 0);
            }
            dirty_model_compare(&m, 0, 1);
            dirty_model_compare(&m, m.granule * 5, m.granule / 2);
            dirty_model_drain(&m, m.granule * 3, m.granule * 2, 4);
            dirty_model_compare(&m, 0, 1);
            dirty_model_clear(&m);
            dirty_model_compare(&m, 0, 1);
            dirty_model_close(&m);
        }
    }
}

static void marks_around_every_word_boundary_touch_no_other_granule(void **state)
{
    (void)state;
    static const uint64_t word = UINT64_C(64) * 64;
    dirty_model m;
    dirty_model_open(&m, 4 * word + 1, 64);
    for (uint64_t boundary = word; boundary <= 4 * word; boundary += word) {
        for (uint64_t before = 0; before <= 130; before += 13) {
            for (uint64_t after = 0; after <= 130 && boundary + after <= m.size; after += 13) {
                dirty_model_mark(&m, boundary - before, before + after, after % 2 != 0);
                dirty_model_compare(&m, 0, 1);
                dirty_model_clear(&m);
            }
        }
    }
    dirty_model_close(&m);
}

static void range_exactly_one_gap_away_stays_apart(void **state)
{
    (void)state;
    dirty_model m;
    dirty_model_open(&m, 1024, 64);
    dirty_model_mark(&m, 0, 64, false);
    dirty_model_mark(&m, 192, 64, false);
    uint64_t cursor = 0;
    gpool_range range;
    assert_same(gpool_dirty_map_next(m.map, 129, 1, &cursor, &range), true);
    assert_int_equal(range.size, 256);
    cursor = 0;
    assert_same(gpool_dirty_map_next(m.map, 128, 1, &cursor, &range), true);
    assert_int_equal(range.size, 64);
    dirty_model_close(&m);
}

static void aligned_ranges_that_overlap_or_touch_come_as_one(void **state)
{
    (void)state;
    static const struct {
        uint64_t second; /* marked beside byte 300 */
        uint64_t align;
        uint64_t ranges;
        uint64_t offset;
        uint64_t size; /* of the first */
    } tried[] = {
        { 700, 1, 2, 296, 8 },
        { 700, 8, 2, 296, 8 },
        { 700, 256, 1, 256, 512 },
        { 511, 256, 1, 256, 256 },
        { 512, 256, 1, 256, 512 },
        { 768, 256, 2, 256, 256 },
        { 900, 512, 1, 0, 1003 },
        { 1002, 1024, 1, 0, 1003 },
        { 700, UINT64_C(1) << 63, 1, 0, 1003 },
        { 1002, 16, 2, 288, 16 },
    };
    for (size_t i = 0; i < UNIT_COUNT(tried); ++i) {
        dirty_model m;
        dirty_model_open(&m, 1003, 8);
        dirty_model_mark(&m, 300, 1, false);
        dirty_model_mark(&m, tried[i].second, 1, false);
        dirty_model_compare(&m, 0, tried[i].align);
        gpool_dirty_count count;
        assert_same(gpool_dirty_map_count(m.map, 0, tried[i].align, &count), GPOOL_OK);
        assert_int_equal(count.ranges, tried[i].ranges);
        assert_int_equal(count.granules, 2);
        uint64_t cursor = 0;
        gpool_range range;
        assert_same(gpool_dirty_map_next(m.map, 0, tried[i].align, &cursor, &range), true);
        assert_int_equal(range.offset, tried[i].offset);
        assert_int_equal(range.size, tried[i].size);
        dirty_model_close(&m);
    }
}

static void search_from_any_cursor_finds_the_next_range(void **state)
{
    (void)state;
    uint64_t random = seed + 3;
    dirty_model m;
    dirty_model_open(&m, 9000, 64);
    for (int round = 0; round < 20; ++round) {
        dirty_model_clear(&m);
        for (int i = 0; i < 10; ++i) {
            dirty_model_mark(&m, unit_random_below(&random, 8850),
                             1 + unit_random_below(&random, 150), false);
        }
        for (uint64_t from = 0; from < 9500; from += 31) {
            uint64_t cursor = from;
            uint64_t at = from / 64;
            gpool_range range = { .offset = 77, .size = 78 };
            gpool_range wanted;
            const bool found = gpool_dirty_map_next(m.map, 0, 1, &cursor, &range);
            assert_same(found, dirty_model_next(&m, 0, 1, &at, &wanted));
            assert_int_equal(range.offset, found ? wanted.offset : 77);
            assert_int_equal(range.size, found ? wanted.size : 78);
            assert_int_equal(cursor, found ? (range.offset + range.size + 63) / 64 * 64 : from);
        }
    }
    uint64_t cursor = UINT64_MAX;
    gpool_range range;
    assert_same(gpool_dirty_map_next(m.map, 0, 1, &cursor, &range), false);
    dirty_model_mark_all(&m);
    assert_same(gpool_dirty_map_next(m.map, 0, 1, &cursor, &range), false);
    dirty_model_close(&m);
}

static void mark_between_two_steps_of_a_scan_is_seen_when_it_lies_ahead(void **state)
{
    (void)state;
    dirty_model m;
    dirty_model_open(&m, 100000, 64);
    dirty_model_mark(&m, 5000, 1, false);
    uint64_t cursor = 0;
    gpool_range range;
    assert_same(gpool_dirty_map_next(m.map, 0, 1, &cursor, &range), true);
    dirty_model_mark(&m, 0, 1, false);
    dirty_model_mark(&m, 90000, 1, false);
    assert_same(gpool_dirty_map_next(m.map, 0, 1, &cursor, &range), true);
    assert_int_equal(range.offset, 89984);
    assert_same(gpool_dirty_map_next(m.map, 0, 1, &cursor, &range), false);
    dirty_model_close(&m);
}

/* --- the whole --- */

static void whole_map_is_one_range_and_a_flag(void **state)
{
    (void)state;
    for (size_t i = 0; i < EDGE_SIZES; ++i) {
        for (int way = 0; way < 3; ++way) {
            dirty_model m;
            dirty_model_open(&m, edge_size(i, 64), 64);
            if (way == 0) {
                dirty_model_mark_all(&m);
            } else {
                dirty_model_mark(&m, 0, m.size, way == 2);
            }
            dirty_model_mark(&m, m.size / 2, 1, false);
            assert_same(gpool_dirty_map_state(m.map), GPOOL_DIRTY_ALL);
            dirty_model_compare(&m, 0, 1);
            dirty_model_compare(&m, 100, 4096);
            dirty_model_clear(&m);
            dirty_model_compare(&m, 0, 1);
            dirty_model_close(&m);
        }
    }
}

static void map_marked_piece_by_piece_does_not_know_that_it_is_whole(void **state)
{
    (void)state;
    dirty_model m;
    dirty_model_open(&m, 1000, 64);
    for (uint64_t at = 0; at < 1000; at += 50) {
        dirty_model_mark(&m, at, 50, false);
    }
    assert_same(gpool_dirty_map_state(m.map), GPOOL_DIRTY_SOME);
    dirty_model_compare(&m, 0, 1);
    dirty_model_close(&m);
}

static void range_cleared_of_a_whole_map_leaves_the_rest(void **state)
{
    (void)state;
    for (size_t i = 6; i < EDGE_SIZES; ++i) {
        dirty_model m;
        dirty_model_open(&m, edge_size(i, 64), 64);
        dirty_model_mark(&m, m.size - 1, 1, false);
        dirty_model_mark_all(&m);
        dirty_model_clear_range(&m, m.size / 2, m.size / 4);
        assert_same(gpool_dirty_map_state(m.map), GPOOL_DIRTY_SOME);
        dirty_model_compare(&m, 0, 1);
        dirty_model_mark_all(&m);
        dirty_model_clear_range(&m, 0, m.size);
        assert_same(gpool_dirty_map_state(m.map), GPOOL_DIRTY_NONE);
        dirty_model_compare(&m, 0, 1);
        dirty_model_close(&m);
    }
}

static void cleared_marks_never_come_back(void **state)
{
    (void)state;
    dirty_model m;
    dirty_model_open(&m, 1000000, 64);
    dirty_model_mark(&m, 0, 1, false);
    dirty_model_mark(&m, 999999, 1, false);
    dirty_model_mark_all(&m);
    dirty_model_mark(&m, 500000, 1, false);
    dirty_model_clear(&m);
    dirty_model_compare(&m, 0, 1);
    dirty_model_mark(&m, 1, 1, false);
    dirty_model_mark(&m, 999990, 1, false);
    dirty_model_compare(&m, 0, 1);
    dirty_model_close(&m);
}

static void range_that_ends_inside_a_granule_clears_all_of_it(void **state)
{
    (void)state;
    dirty_model m;
    dirty_model_open(&m, 1000, 64);
    dirty_model_mark(&m, 0, 256, false);
    dirty_model_clear_range(&m, 127, 2);
    gpool_dirty_count count;
    assert_same(gpool_dirty_map_count(m.map, 0, 1, &count), GPOOL_OK);
    assert_int_equal(count.granules, 2);
    assert_int_equal(count.ranges, 2);
    dirty_model_compare(&m, 0, 1);
    dirty_model_close(&m);
}

static void marks_move_to_a_map_of_another_size_and_granule(void **state)
{
    (void)state;
    static const uint64_t sizes[] = { 1, 999, 5000, 70000, 300001 };
    for (size_t s = 0; s < UNIT_COUNT(sizes); ++s) {
        for (size_t g = 0; g < UNIT_COUNT(all_granules); ++g) {
            for (int whole = 0; whole < 2; ++whole) {
                dirty_model m;
                dirty_model_open(&m, 70000, 64);
                dirty_model_mark(&m, 100, 30, false);
                dirty_model_mark(&m, 4000, 2000, false);
                dirty_model_mark(&m, 69999, 1, false);
                if (whole != 0) {
                    dirty_model_mark_all(&m);
                }
                dirty_model_move(&m, sizes[s], all_granules[g]);
                dirty_model_compare(&m, 0, 1);
                dirty_model_close(&m);
            }
        }
    }
}

int main(int argc, char **argv)
{
    seed = unit_seed(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_map_is_clean),
        cmocka_unit_test(granule_of_zero_is_one_of_64_bytes),
        cmocka_unit_test(sizes_and_granules_outside_their_limits_are_refused),
        cmocka_unit_test(map_is_one_block_of_a_bit_for_each_granule_and_its_levels),
        cmocka_unit_test(map_without_memory_is_refused),
        cmocka_unit_test(pools_map_is_one_block_of_the_pools_memory),
        cmocka_unit_test(null_pointers_are_refused),
        cmocka_unit_test(alignments_that_are_no_power_of_two_are_refused),
        cmocka_unit_test(offsets_and_sizes_at_all_boundaries_agree_with_wide_integers),
        cmocka_unit_test(refused_ranges_mark_and_clear_nothing),
        cmocka_unit_test(one_marked_byte_is_its_granule_up_to_the_end_of_the_map),
        cmocka_unit_test(mark_of_nothing_marks_nothing),
        cmocka_unit_test(random_scripts_agree_with_a_flag_for_each_granule),
        cmocka_unit_test(random_marks_of_every_size_of_map_agree),
        cmocka_unit_test(marks_around_every_word_boundary_touch_no_other_granule),
        cmocka_unit_test(range_exactly_one_gap_away_stays_apart),
        cmocka_unit_test(aligned_ranges_that_overlap_or_touch_come_as_one),
        cmocka_unit_test(search_from_any_cursor_finds_the_next_range),
        cmocka_unit_test(mark_between_two_steps_of_a_scan_is_seen_when_it_lies_ahead),
        cmocka_unit_test(whole_map_is_one_range_and_a_flag),
        cmocka_unit_test(map_marked_piece_by_piece_does_not_know_that_it_is_whole),
        cmocka_unit_test(range_cleared_of_a_whole_map_leaves_the_rest),
        cmocka_unit_test(cleared_marks_never_come_back),
        cmocka_unit_test(range_that_ends_inside_a_granule_clears_all_of_it),
        cmocka_unit_test(marks_move_to_a_map_of_another_size_and_granule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
