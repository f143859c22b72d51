/* The dirty map compiled so that it counts the words it looks at. */
static unsigned long long visits;
#define GPOOL__DIRTY_MAP_VISIT()     ((void)++visits)
#define gpool_dirty_map_create       cost_create
#define gpool_dirty_map_destroy      cost_destroy
#define gpool_dirty_map_mark         cost_mark
#define gpool_dirty_map_mark_shared  cost_mark_shared
#define gpool_dirty_map_mark_all     cost_mark_all
#define gpool_dirty_map_mark_from    cost_mark_from
#define gpool_dirty_map_clear        cost_clear
#define gpool_dirty_map_clear_range  cost_clear_range
#define gpool_dirty_map_state        cost_state
#define gpool_dirty_map_next         cost_next
#define gpool_dirty_map_count        cost_count
#define gpool__dirty_map_create      cost__create
#define gpool__dirty_map_destroy     cost__destroy
#define gpool__dirty_map_mark        cost__mark
#define gpool__dirty_map_mark_shared cost__mark_shared
#define gpool__dirty_map_any         cost__any
#define gpool__dirty_map_validate    cost__validate
#include "track/dirty_map.c"

#include "unit/unit.h"

/* 2^40 bytes in granules of 64 KiB: 2^24 bits, 2^18 words, and levels of 4096, 64 and 1 words. */
#define HUGE_SIZE    (UINT64_C(1) << 40)
#define HUGE_GRANULE 65536u
#define HUGE_WORD    (UINT64_C(64) * HUGE_GRANULE)
#define HUGE_LEVELS  4u

static gpool_dirty_map *huge_map(void)
{
    const gpool_dirty_map_desc desc = { .size = HUGE_SIZE, .granule = HUGE_GRANULE };
    gpool_dirty_map *map = NULL;
    assert_same(gpool_dirty_map_create(&desc, &map), GPOOL_OK);
    visits = 0;
    return map;
}

/* Words that were looked at since the last call. */
static uint64_t visited(void)
{
    const uint64_t count = visits;
    visits = 0;
    return count;
}

static uint64_t scan(const gpool_dirty_map *map)
{
    uint64_t ranges = 0;
    uint64_t cursor = 0;
    gpool_range range;
    while (gpool_dirty_map_next(map, 0, 1, &cursor, &range)) {
        ranges += 1;
    }
    return ranges;
}

static void scan_of_a_huge_map_costs_what_is_marked(void **state)
{
    (void)state;
    gpool_dirty_map *map = huge_map();
    assert_int_equal(scan(map), 0);
    assert_in_range(visited(), 0, HUGE_LEVELS);
    assert_same(gpool_dirty_map_mark(map, 0, 1), GPOOL_OK);
    assert_same(gpool_dirty_map_mark(map, HUGE_SIZE / 3, 1), GPOOL_OK);
    assert_same(gpool_dirty_map_mark(map, HUGE_SIZE - 1, 1), GPOOL_OK);
    /* The first of a word of level 1 looks there before. */
    assert_in_range(visited(), 3, 3 * (1 + HUGE_LEVELS));
    assert_int_equal(scan(map), 3);
    /* For each: up and down to it, its word, and once more up and down to the one behind. */
    assert_in_range(visited(), 3, 3 * (4 * HUGE_LEVELS + 1) + HUGE_LEVELS);
    gpool_dirty_count count;
    assert_same(gpool_dirty_map_count(map, 0, 1, &count), GPOOL_OK);
    assert_int_equal(count.granules, 3);
    assert_in_range(visited(), 3, 3 * (4 * HUGE_LEVELS + 1) + HUGE_LEVELS);
    assert_same(gpool_dirty_map_clear(map), GPOOL_OK);
    assert_in_range(visited(), 3, 3 * 4 * HUGE_LEVELS);
    assert_same(gpool_dirty_map_state(map), GPOOL_DIRTY_NONE);
    gpool_dirty_map_destroy(map);
}

static void scan_costs_no_more_for_a_gap_that_joins_everything(void **state)
{
    (void)state;
    gpool_dirty_map *map = huge_map();
    assert_same(gpool_dirty_map_mark(map, 0, 1), GPOOL_OK);
    assert_same(gpool_dirty_map_mark(map, HUGE_SIZE - 1, 1), GPOOL_OK);
    (void)visited();
    gpool_dirty_count count;
    assert_same(gpool_dirty_map_count(map, UINT64_MAX, 1, &count), GPOOL_OK);
    assert_int_equal(count.ranges, 1);
    assert_int_equal(count.range_bytes, HUGE_SIZE);
    assert_in_range(visited(), 2, 2 * (4 * HUGE_LEVELS + 1));
    gpool_dirty_map_destroy(map);
}

static void mark_costs_a_word_for_each_64_granules(void **state)
{
    (void)state;
    gpool_dirty_map *map = huge_map();
    /* The first of a word of level 1, which is looked at to know that. */
    assert_same(gpool_dirty_map_mark(map, 5 * HUGE_WORD, HUGE_WORD), GPOOL_OK);
    assert_int_equal(visited(), 1 + HUGE_LEVELS);
    /* What is there already has its bits above; of a single word the next level is written, too. */
    assert_same(gpool_dirty_map_mark(map, 5 * HUGE_WORD, 1), GPOOL_OK);
    assert_int_equal(visited(), 2);
    assert_same(gpool_dirty_map_mark(map, 5 * HUGE_WORD - 1, 2), GPOOL_OK);
    assert_int_equal(visited(), 2 + 1);
    assert_same(gpool_dirty_map_mark(map, 5 * HUGE_WORD - 1, 2), GPOOL_OK);
    assert_int_equal(visited(), 2);
    assert_same(gpool_dirty_map_mark_shared(map, 5 * HUGE_WORD, 1), GPOOL_OK);
    assert_int_equal(visited(), HUGE_LEVELS);
    assert_same(gpool_dirty_map_mark(map, 64 * HUGE_WORD, 6400 * HUGE_WORD), GPOOL_OK);
    assert_int_equal(visited(), 6400 + 100 + 2 + 1);
    gpool_dirty_map_destroy(map);
}

static void whole_map_is_marked_read_and_cleared_by_a_flag(void **state)
{
    (void)state;
    gpool_dirty_map *map = huge_map();
    assert_same(gpool_dirty_map_mark_all(map), GPOOL_OK);
    assert_same(gpool_dirty_map_mark(map, 1, HUGE_SIZE - 2), GPOOL_OK);
    assert_same(gpool_dirty_map_mark_shared(map, 0, HUGE_SIZE), GPOOL_OK);
    assert_int_equal(scan(map), 1);
    gpool_dirty_count count;
    assert_same(gpool_dirty_map_count(map, 0, 1, &count), GPOOL_OK);
    assert_int_equal(count.dirty_bytes, HUGE_SIZE);
    assert_same(gpool_dirty_map_clear_range(map, 0, HUGE_SIZE), GPOOL_OK);
    assert_same(gpool_dirty_map_state(map), GPOOL_DIRTY_NONE);
    assert_same(gpool_dirty_map_mark(map, 0, HUGE_SIZE), GPOOL_OK);
    assert_same(gpool_dirty_map_clear(map), GPOOL_OK);
    assert_in_range(visited(), 0, 3); /* the top: is anything dirty but for the flag? */
    gpool_dirty_map_destroy(map);
}

static void clearing_a_range_costs_what_is_marked_in_it(void **state)
{
    (void)state;
    gpool_dirty_map *map = huge_map();
    for (uint64_t i = 0; i < 1000; ++i) {
        assert_same(gpool_dirty_map_mark(map, i * HUGE_SIZE / 1000, 1), GPOOL_OK);
    }
    (void)visited();
    assert_same(gpool_dirty_map_clear_range(map, 1, HUGE_SIZE / 100), GPOOL_OK);
    assert_in_range(visited(), 10, 12 * 4 * HUGE_LEVELS);
    assert_int_equal(scan(map), 989);
    assert_in_range(visited(), 989, 990 * (4 * HUGE_LEVELS + 1));
    gpool_dirty_map_destroy(map);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scan_of_a_huge_map_costs_what_is_marked),
        cmocka_unit_test(scan_costs_no_more_for_a_gap_that_joins_everything),
        cmocka_unit_test(mark_costs_a_word_for_each_64_granules),
        cmocka_unit_test(whole_map_is_marked_read_and_cleared_by_a_flag),
        cmocka_unit_test(clearing_a_range_costs_what_is_marked_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
