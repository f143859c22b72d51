#include "unit.h"

#include "track/rect_set.h"

#define SIDE 40u

static uint64_t seed;

static uint32_t below(uint64_t limit)
{
    return (uint32_t)unit_random_below(&seed, limit);
}

/* A naive model: every cell that was marked. */
typedef struct plane {
    bool marked[SIDE][SIDE];
    gpool__rect_set set;
    uint64_t slack;
} plane;

static uint64_t cost_of(const plane *p)
{
    return p->set.count * p->slack + gpool__rect_set_area(&p->set);
}

static void mark(plane *p, gpool__rect rect)
{
    uint32_t before = p->set.count;
    uint64_t area = (uint64_t)rect.width * rect.height;
    uint64_t separate = cost_of(p) + p->slack + area;
    gpool__rect_set_mark(&p->set, rect, p->slack);
    for (uint32_t y = rect.y; y < rect.y + rect.height; ++y) {
        for (uint32_t x = rect.x; x < rect.x + rect.width; ++x) {
            p->marked[y][x] = true;
        }
    }
    /* With room, no mark makes the set dearer than it and the mark apart. */
    if (before < GPOOL__RECTS) {
        assert_true(cost_of(p) <= separate);
    }
}

static bool covers(gpool__rect rect, uint32_t x, uint32_t y)
{
    return x >= rect.x && x - rect.x < rect.width && y >= rect.y && y - rect.y < rect.height;
}

static gpool__rect both(gpool__rect a, gpool__rect b)
{
    uint32_t right = a.x + a.width > b.x + b.width ? a.x + a.width : b.x + b.width;
    uint32_t bottom = a.y + a.height > b.y + b.height ? a.y + a.height : b.y + b.height;
    gpool__rect u = { a.x < b.x ? a.x : b.x, a.y < b.y ? a.y : b.y, 0, 0 };
    u.width = right - u.x;
    u.height = bottom - u.y;
    return u;
}

static void check(const plane *p)
{
    assert_true(p->set.count <= GPOOL__RECTS);
    uint64_t area = 0;
    for (uint32_t i = 0; i < p->set.count; ++i) {
        gpool__rect a = p->set.rects[i];
        assert_true(a.width > 0 && a.height > 0);
        assert_true(a.x + a.width <= SIDE && a.y + a.height <= SIDE);
        area += (uint64_t)a.width * a.height;
        /* Each edge touches a cell that was marked: it is no larger than it must be. */
        bool left = false, right = false, top = false, bottom = false;
        for (uint32_t y = a.y; y < a.y + a.height; ++y) {
            left = left || p->marked[y][a.x];
            right = right || p->marked[y][a.x + a.width - 1];
        }
        for (uint32_t x = a.x; x < a.x + a.width; ++x) {
            top = top || p->marked[a.y][x];
            bottom = bottom || p->marked[a.y + a.height - 1][x];
        }
        assert_true(left && right && top && bottom);
        for (uint32_t j = i + 1; j < p->set.count; ++j) {
            gpool__rect b = p->set.rects[j];
            gpool__rect u = both(a, b);
            /* No two would be cheaper as one; so none lies inside another. */
            assert_true((uint64_t)u.width * u.height >
                        (uint64_t)a.width * a.height + (uint64_t)b.width * b.height + p->slack);
        }
    }
    assert_true(area == gpool__rect_set_area(&p->set));
    for (uint32_t y = 0; y < SIDE; ++y) {
        for (uint32_t x = 0; x < SIDE; ++x) {
            bool covered = false;
            for (uint32_t i = 0; i < p->set.count; ++i) {
                covered = covered || covers(p->set.rects[i], x, y);
            }
            assert_true(covered || !p->marked[y][x]);
        }
    }
}

static gpool__rect random_rect(uint32_t largest)
{
    gpool__rect rect = { .x = below(SIDE), .y = below(SIDE) };
    uint32_t wide = SIDE - rect.x < largest ? SIDE - rect.x : largest;
    uint32_t high = SIDE - rect.y < largest ? SIDE - rect.y : largest;
    rect.width = 1 + below(wide);
    rect.height = 1 + below(high);
    return rect;
}

static void random_marks_are_all_covered_by_few_rectangles(void **state)
{
    (void)state;
    uint32_t full = 0;
    for (uint32_t round = 0; round < 1500; ++round) {
        plane p = { .slack = round % 3 == 0 ? 0 : below(60) };
        uint32_t largest = 1 + below(round % 5 == 0 ? SIDE : 6);
        uint32_t marks = 1 + below(40);
        for (uint32_t i = 0; i < marks; ++i) {
            mark(&p, random_rect(largest));
            check(&p);
        }
        full += p.set.count == GPOOL__RECTS;
    }
    assert_true(full > 50); /* the bound was reached often enough to be tested */
}

static void same_mark_again_changes_nothing(void **state)
{
    (void)state;
    gpool__rect_set set = { .count = 0 };
    for (int i = 0; i < 1000; ++i) {
        gpool__rect_set_mark(&set, (gpool__rect){ 3, 4, 5, 6 }, 0);
    }
    assert_int_equal(set.count, 1);
    assert_int_equal(gpool__rect_set_area(&set), 30);
    /* Inside it: nothing. Around it: the larger one alone. */
    gpool__rect_set_mark(&set, (gpool__rect){ 4, 5, 4, 5 }, 0);
    assert_int_equal(gpool__rect_set_area(&set), 30);
    gpool__rect_set_mark(&set, (gpool__rect){ 0, 0, 20, 20 }, 0);
    assert_int_equal(set.count, 1);
    assert_int_equal(gpool__rect_set_area(&set), 400);
}

static void neighbours_become_one_and_strangers_stay_two(void **state)
{
    (void)state;
    gpool__rect_set set = { .count = 0 };
    gpool__rect_set_mark(&set, (gpool__rect){ 0, 0, 4, 4 }, 0);
    gpool__rect_set_mark(&set, (gpool__rect){ 4, 0, 4, 4 }, 0);
    assert_int_equal(set.count, 1);
    assert_int_equal(gpool__rect_set_area(&set), 32);
    gpool__rect_set_mark(&set, (gpool__rect){ 9, 0, 4, 4 }, 3);
    assert_int_equal(set.count, 2); /* one column of 4 is between them */
    gpool__rect_set_mark(&set, (gpool__rect){ 9, 0, 5, 4 }, 4);
    assert_int_equal(set.count, 1);
    assert_int_equal(gpool__rect_set_area(&set), 56);
}

static void one_too_many_merges_the_two_that_add_least(void **state)
{
    (void)state;
    gpool__rect_set set = { .count = 0 };
    /* On a diagonal, so that all pairs are far apart but the fourth and the fifth. */
    for (uint32_t i = 0; i < GPOOL__RECTS; ++i) {
        uint32_t at = i * 1000 + (i >= 4 ? 0 : 990);
        gpool__rect_set_mark(&set, (gpool__rect){ at, at, 2, 2 }, 0);
    }
    assert_int_equal(set.count, GPOOL__RECTS);
    gpool__rect_set_mark(&set, (gpool__rect){ 9000, 0, 2, 2 }, 0);
    assert_int_equal(set.count, GPOOL__RECTS);
    bool merged = false;
    bool fresh = false;
    for (uint32_t i = 0; i < set.count; ++i) {
        merged = merged || (set.rects[i].x == 3990 && set.rects[i].width == 12);
        fresh = fresh || (set.rects[i].x == 9000 && set.rects[i].width == 2);
    }
    assert_true(merged);
    assert_true(fresh);
    assert_int_equal(gpool__rect_set_area(&set), 7 * 4 + 12 * 12);
}

static void equality_is_of_live_rectangles_only(void **state)
{
    (void)state;
    gpool__rect_set a = { .count = 0 };
    gpool__rect_set b = { .count = 0 };
    gpool__rect_set_mark(&a, (gpool__rect){ 0, 0, 1, 1 }, 0);
    gpool__rect_set_mark(&a, (gpool__rect){ 10, 0, 1, 1 }, 0);
    assert_false(gpool__rect_set_equal(&a, &b));
    a.count = 0;
    assert_true(gpool__rect_set_equal(&a, &b));
    gpool__rect_set_mark(&a, (gpool__rect){ 5, 5, 2, 2 }, 0);
    gpool__rect_set_mark(&b, (gpool__rect){ 5, 5, 2, 2 }, 0);
    assert_true(gpool__rect_set_equal(&a, &b));
    gpool__rect_set_mark(&b, (gpool__rect){ 5, 5, 2, 3 }, 0);
    assert_false(gpool__rect_set_equal(&a, &b));
}

int main(int argc, char **argv)
{
    seed = unit_seed(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_marks_are_all_covered_by_few_rectangles),
        cmocka_unit_test(same_mark_again_changes_nothing),
        cmocka_unit_test(neighbours_become_one_and_strangers_stay_two),
        cmocka_unit_test(one_too_many_merges_the_two_that_add_least),
        cmocka_unit_test(equality_is_of_live_rectangles_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
