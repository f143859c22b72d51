#include "track/dirty_map.h"

#include "unit/unit.h"

static uint64_t seed;

/* The naive model: one flag for each byte. */
typedef struct model {
    uint64_t size;
    bool *marked;
} model;

static model model_make(uint64_t size)
{
    model m = { .size = size, .marked = calloc(size, 1) };
    assert_non_null(m.marked);
    return m;
}

static void model_mark(model *m, uint64_t offset, uint64_t size)
{
    assert_true(offset <= m->size && size <= m->size - offset);
    memset(m->marked + offset, true, size);
}

static void model_clear(model *m)
{
    memset(m->marked, false, m->size);
}

/* Whether a byte of the granule that begins at `at` is marked; false past the end. */
static bool model_granule(const model *m, uint64_t at)
{
    const uint64_t left = at < m->size ? m->size - at : 0;
    return left > 0 && memchr(m->marked + at, true, left < 64 ? left : 64) != NULL;
}

/* First range at or after the granule of `from`; false when there is none. */
static bool model_next(const model *m, uint64_t from, uint64_t gap, uint64_t *offset, uint64_t *end)
{
    uint64_t at = from / 64 * 64;
    while (at < m->size && !model_granule(m, at)) {
        at += 64;
    }
    if (at >= m->size) {
        return false;
    }
    *offset = at;
    uint64_t past = at;
    for (; at < m->size && (at == past || at - past < gap); at += 64) {
        if (model_granule(m, at)) {
            past = at + 64;
        }
    }
    *end = past < m->size ? past : m->size;
    return true;
}

/* Compares all ranges; also checks without the model that every marked byte is in one range. */
static void compare_ranges(const gpool__dirty_map *map, const model *m, uint64_t gap)
{
    uint64_t cursor = 0;
    uint64_t from = 0;
    uint64_t offset = 0;
    uint64_t size = 0;
    uint64_t wanted_offset = 0;
    uint64_t wanted_end = 0;
    uint64_t last_end = 0;
    while (gpool__dirty_map_next(map, &cursor, gap, &offset, &size)) {
        assert_same(model_next(m, from, gap, &wanted_offset, &wanted_end), true);
        assert_int_equal(offset, wanted_offset);
        assert_int_equal(offset + size, wanted_end);
        assert_in_range(offset, last_end, m->size - 1);
        assert_in_range(size, 1, m->size - offset);
        assert_null(memchr(m->marked + last_end, true, offset - last_end));
        last_end = offset + size;
        from = last_end + 63;
        assert_in_range(cursor, last_end, last_end + 63);
    }
    assert_same(model_next(m, from, gap, &wanted_offset, &wanted_end), false);
    assert_null(memchr(m->marked + last_end, true, m->size - last_end));
}

static void compare(const gpool__dirty_map *map, const model *m)
{
    uint64_t bytes = 0;
    for (uint64_t at = 0; at < m->size; at += 64) {
        const uint64_t left = m->size - at;
        bytes += model_granule(m, at) ? (left < 64 ? left : 64) : 0;
    }
    assert_int_equal(gpool__dirty_map_bytes(map), bytes);
    assert_same(gpool__dirty_map_any(map), bytes > 0);
    compare_ranges(map, m, 0);
}

typedef struct fixture {
    unit_allocator allocator;
    gpool_allocator hooks;
    gpool__memory memory;
    gpool__dirty_map map;
    model m;
} fixture;

static void open_fixture(fixture *f, uint64_t size)
{
    f->allocator = (unit_allocator){ 0 };
    f->hooks = unit_hooks(&f->allocator);
    gpool__memory_init(&f->memory, &f->hooks);
    assert_same(gpool__dirty_map_init(&f->map, &f->memory, size), true);
    f->m = model_make(size);
}

static void close_fixture(fixture *f)
{
    gpool__dirty_map_fini(&f->map, &f->memory);
    assert_int_equal(f->memory.bytes, 0);
    assert_int_equal(f->allocator.calls, 1);
    assert_int_equal(f->allocator.blocks, 0);
    assert_int_equal(f->allocator.wrong_sizes, 0);
    free(f->m.marked);
}

static void mark(fixture *f, uint64_t offset, uint64_t size)
{
    gpool__dirty_map_mark(&f->map, offset, size);
    model_mark(&f->m, offset, size);
}

static void clear(fixture *f)
{
    gpool__dirty_map_clear(&f->map);
    model_clear(&f->m);
}

static void mark_randomly(fixture *f, uint64_t *random, uint64_t longest)
{
    const uint64_t offset = unit_random_below(random, f->m.size + 1);
    const uint64_t left = f->m.size - offset;
    const uint64_t most = left < longest ? left : longest;
    mark(f, offset, unit_random_below(random, most + 1));
}

static void new_map_is_clean(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f, 100000);
    compare(&f.map, &f.m);
    close_fixture(&f);
}

static void one_marked_byte_is_its_granule_up_to_the_end_of_the_map(void **state)
{
    (void)state;
    for (uint64_t size = 1; size <= 700; size += 1 + size / 50) {
        fixture f;
        open_fixture(&f, size);
        for (uint64_t at = 0; at < size; ++at) {
            mark(&f, at, 1);
            compare(&f.map, &f.m);
            clear(&f);
            compare(&f.map, &f.m);
        }
        close_fixture(&f);
    }
}

static void mark_of_nothing_marks_nothing(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f, 128);
    mark(&f, 0, 0);
    mark(&f, 64, 0);
    mark(&f, 128, 0);
    compare(&f.map, &f.m);
    close_fixture(&f);
}

static void random_marks_of_small_maps_agree_with_a_byte_map(void **state)
{
    (void)state;
    uint64_t random = seed;
    for (uint64_t size = 1; size <= 700; ++size) {
        fixture f;
        open_fixture(&f, size);
        for (int i = 0; i < 12; ++i) {
            mark_randomly(&f, &random, 1 + size / 3);
            compare(&f.map, &f.m);
            if (unit_random_below(&random, 6) == 0) {
                clear(&f);
                compare(&f.map, &f.m);
            }
        }
        close_fixture(&f);
    }
}

static void random_marks_of_big_maps_agree_with_a_byte_map(void **state)
{
    (void)state;
    static const uint64_t sizes[] = { 4095, 4096, 4097, 8191, 8192, 8193, 40960, 100001, 262144 };
    uint64_t random = seed + 1;
    for (size_t s = 0; s < UNIT_COUNT(sizes); ++s) {
        fixture f;
        open_fixture(&f, sizes[s]);
        for (int i = 0; i < 60; ++i) {
            mark_randomly(&f, &random, unit_random_below(&random, 8) == 0 ? sizes[s] : 300);
            compare(&f.map, &f.m);
            if (unit_random_below(&random, 20) == 0) {
                clear(&f);
                compare(&f.map, &f.m);
            }
        }
        close_fixture(&f);
    }
}

static void marks_around_every_word_boundary_touch_no_other_granule(void **state)
{
    (void)state;
    static const uint64_t word = UINT64_C(64) * 64;
    fixture f;
    open_fixture(&f, 4 * word + 1);
    for (uint64_t boundary = word; boundary <= 4 * word; boundary += word) {
        for (uint64_t before = 0; before <= 130; before += 13) {
            for (uint64_t after = 0; after <= 130 && boundary + after <= f.m.size; after += 13) {
                mark(&f, boundary - before, before + after);
                compare(&f.map, &f.m);
                clear(&f);
            }
        }
    }
    compare(&f.map, &f.m);
    close_fixture(&f);
}

static void whole_map_is_one_range(void **state)
{
    (void)state;
    static const uint64_t sizes[] = { 1, 64, 65, 4096, 4097, 1000000 };
    for (size_t s = 0; s < UNIT_COUNT(sizes); ++s) {
        fixture f;
        open_fixture(&f, sizes[s]);
        mark(&f, 0, sizes[s]);
        uint64_t cursor = 0;
        uint64_t offset = 1;
        uint64_t size = 0;
        assert_same(gpool__dirty_map_next(&f.map, &cursor, 0, &offset, &size), true);
        assert_int_equal(offset, 0);
        assert_int_equal(size, sizes[s]);
        assert_same(gpool__dirty_map_next(&f.map, &cursor, 0, &offset, &size), false);
        close_fixture(&f);
    }
}

static void ranges_nearer_than_the_gap_come_as_one(void **state)
{
    (void)state;
    static const uint64_t gaps[] = { 0, 1, 63, 64, 65, 127, 128, 129, 1000, 5000, UINT64_MAX };
    uint64_t random = seed + 2;
    for (int round = 0; round < 40; ++round) {
        fixture f;
        open_fixture(&f, 1 + unit_random_below(&random, 30000));
        for (int i = 0; i < 20; ++i) {
            mark_randomly(&f, &random, 200);
            for (size_t g = 0; g < UNIT_COUNT(gaps); ++g) {
                compare_ranges(&f.map, &f.m, gaps[g]);
            }
        }
        close_fixture(&f);
    }
}

static void range_exactly_one_gap_away_stays_apart(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f, 1024);
    mark(&f, 0, 64);
    mark(&f, 192, 64);
    uint64_t cursor = 0;
    uint64_t offset = 0;
    uint64_t size = 0;
    assert_same(gpool__dirty_map_next(&f.map, &cursor, 129, &offset, &size), true);
    assert_int_equal(size, 256);
    cursor = 0;
    assert_same(gpool__dirty_map_next(&f.map, &cursor, 128, &offset, &size), true);
    assert_int_equal(size, 64);
    close_fixture(&f);
}

static void search_from_any_cursor_finds_the_next_range(void **state)
{
    (void)state;
    uint64_t random = seed + 3;
    fixture f;
    open_fixture(&f, 9000);
    for (int round = 0; round < 20; ++round) {
        clear(&f);
        for (int i = 0; i < 10; ++i) {
            mark_randomly(&f, &random, 150);
        }
        for (uint64_t from = 0; from < 9500; from += 31) {
            uint64_t cursor = from;
            uint64_t offset = 0;
            uint64_t size = 0;
            uint64_t wanted_offset = 0;
            uint64_t wanted_end = 0;
            const bool wanted = model_next(&f.m, from, 0, &wanted_offset, &wanted_end);
            const bool found = gpool__dirty_map_next(&f.map, &cursor, 0, &offset, &size);
            assert_same(found, wanted);
            assert_int_equal(offset, wanted_offset);
            assert_int_equal(offset + size, wanted_end);
        }
    }
    uint64_t cursor = UINT64_MAX;
    uint64_t offset = 0;
    uint64_t size = 0;
    assert_same(gpool__dirty_map_next(&f.map, &cursor, 0, &offset, &size), false);
    close_fixture(&f);
}

static void cleared_marks_never_come_back(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f, 1000000);
    mark(&f, 0, 1);
    mark(&f, 999999, 1);
    mark(&f, 500000, 1);
    clear(&f);
    compare(&f.map, &f.m);
    mark(&f, 1, 1);
    mark(&f, 999990, 1);
    compare(&f.map, &f.m);
    close_fixture(&f);
}

static void map_without_memory_is_refused(void **state)
{
    (void)state;
    unit_allocator allocator = { .fail_at = 1 };
    const gpool_allocator hooks = unit_hooks(&allocator);
    gpool__memory memory;
    gpool__memory_init(&memory, &hooks);
    gpool__dirty_map map;
    assert_same(gpool__dirty_map_init(&map, &memory, 4096), false);
    assert_same(gpool__dirty_map_any(&map), false);
    assert_int_equal(memory.bytes, 0);
    gpool__dirty_map_fini(&map, &memory);
    assert_int_equal(allocator.frees, 0);
    assert_int_equal(memory.bytes, 0);
}

static void greatest_map_asks_for_a_bit_for_each_granule(void **state)
{
    (void)state;
    static const uint64_t greatest = (UINT64_C(1) << 44) - 4096;
    unit_allocator allocator = { .fail_at = 1 };
    const gpool_allocator hooks = unit_hooks(&allocator);
    gpool__memory memory;
    gpool__memory_init(&memory, &hooks);
    gpool__dirty_map map;
    assert_same(gpool__dirty_map_init(&map, &memory, greatest), false);
    assert_int_equal(allocator.last_new_size, greatest / 64 / 8);
}

int main(int argc, char **argv)
{
    seed = unit_seed(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(new_map_is_clean),
        cmocka_unit_test(one_marked_byte_is_its_granule_up_to_the_end_of_the_map),
        cmocka_unit_test(mark_of_nothing_marks_nothing),
        cmocka_unit_test(random_marks_of_small_maps_agree_with_a_byte_map),
        cmocka_unit_test(random_marks_of_big_maps_agree_with_a_byte_map),
        cmocka_unit_test(marks_around_every_word_boundary_touch_no_other_granule),
        cmocka_unit_test(whole_map_is_one_range),
        cmocka_unit_test(ranges_nearer_than_the_gap_come_as_one),
        cmocka_unit_test(range_exactly_one_gap_away_stays_apart),
        cmocka_unit_test(search_from_any_cursor_finds_the_next_range),
        cmocka_unit_test(cleared_marks_never_come_back),
        cmocka_unit_test(map_without_memory_is_refused),
        cmocka_unit_test(greatest_map_asks_for_a_bit_for_each_granule),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
