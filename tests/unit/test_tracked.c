#include <gpool/dirty.h>

#include "unit/unit.h"

typedef GPOOL_TRACKED(int) tracked_int;

/* What the compute function does and saw. */
typedef struct work {
    int calls;
    bool fails;
    gpool_tracked *mark_inside; /* marked in `frame` during the work */
    gpool_tracked *set_inside;  /* set in `frame` during the work */
    uint64_t frame;
    const void *value;
} work;

static bool compute(void *value, void *user)
{
    work *w = user;
    w->calls += 1;
    w->value = value;
    if (w->mark_inside != NULL) {
        gpool_tracked_mark(w->mark_inside, w->frame);
    }
    if (w->fails) {
        return false;
    }
    *(int *)value += 1;
    if (w->set_inside != NULL) {
        const int set = 100;
        assert_same(gpool_tracked_set(w->set_inside, value, &set, sizeof set, w->frame), GPOOL_OK);
    }
    return true;
}

static gpool_result update(tracked_int *t, uint64_t frame, work *w, bool *computed)
{
    return gpool_tracked_update(&t->tracked, &t->value, frame, compute, w, computed);
}

static bool look(gpool_dirty_view *view, tracked_int *t)
{
    const bool dirty = gpool_dirty_view_is(view, &t->tracked.changed);
    const uint64_t target = gpool_dirty_view_begin(view, &t->tracked.changed);
    gpool_dirty_view_clear(view, target);
    return dirty;
}

static void fresh_value_is_computed_once(void **state)
{
    (void)state;
    tracked_int t = { 0 };
    work w = { 0 };
    bool computed = false;
    assert_same(update(&t, 1, &w, &computed), GPOOL_OK);
    assert_same(computed, true);
    assert_ptr_equal(w.value, &t.value);
    assert_same(update(&t, 1, &w, &computed), GPOOL_OK);
    assert_same(computed, false);
    assert_same(update(&t, 2, &w, NULL), GPOOL_OK);
    assert_int_equal(w.calls, 1);
    assert_int_equal(t.value, 1);
}

static void mark_makes_the_next_update_compute(void **state)
{
    (void)state;
    tracked_int t = { 0 };
    work w = { 0 };
    assert_same(update(&t, 1, &w, NULL), GPOOL_OK);
    gpool_tracked_mark(&t.tracked, 1);
    gpool_tracked_mark(&t.tracked, 1);
    assert_same(update(&t, 1, &w, NULL), GPOOL_OK);
    assert_same(update(&t, 1, &w, NULL), GPOOL_OK);
    assert_int_equal(w.calls, 2);
}

static void mark_alone_is_no_change_for_consumers(void **state)
{
    (void)state;
    tracked_int t = { 0 };
    gpool_dirty_view view = { 0 };
    assert_same(look(&view, &t), true);
    gpool_tracked_mark(&t.tracked, 4);
    assert_same(look(&view, &t), false);
}

static void set_copies_the_value_and_raises_both_counters(void **state)
{
    (void)state;
    tracked_int t = { 0 };
    work w = { 0 };
    gpool_dirty_view view = { 0 };
    assert_same(update(&t, 1, &w, NULL), GPOOL_OK);
    assert_same(look(&view, &t), true);
    const int value = 42;
    assert_same(gpool_tracked_set(&t.tracked, &t.value, &value, sizeof value, 2), GPOOL_OK);
    assert_int_equal(t.value, 42);
    assert_same(gpool_dirty_is(&t.tracked.input), true);
    assert_same(look(&view, &t), true);
    assert_same(look(&view, &t), false);
}

static void set_to_an_equal_value_is_a_change_too(void **state)
{
    (void)state;
    tracked_int t = { .value = 5 };
    gpool_dirty_view view = { 0 };
    (void)look(&view, &t);
    const int value = 5;
    assert_same(gpool_tracked_set(&t.tracked, &t.value, &value, sizeof value, 0), GPOOL_OK);
    assert_same(look(&view, &t), true);
}

static void set_of_no_bytes_is_a_change_too(void **state)
{
    (void)state;
    tracked_int t = { .value = 5 };
    gpool_dirty_view view = { 0 };
    (void)look(&view, &t);
    const int value = 6;
    assert_same(gpool_tracked_set(&t.tracked, &t.value, &value, 0, 0), GPOOL_OK);
    assert_int_equal(t.value, 5);
    assert_same(look(&view, &t), true);
}

static void set_may_overlap_its_source(void **state)
{
    (void)state;
    gpool_tracked tracked = { 0 };
    char text[] = "abcdef";
    assert_same(gpool_tracked_set(&tracked, text + 1, text, 4, 0), GPOOL_OK);
    assert_string_equal(text, "aabcdf");
}

static void failed_compute_leaves_input_dirty_and_changed_alone(void **state)
{
    (void)state;
    tracked_int t = { 0 };
    work w = { .fails = true };
    gpool_dirty_view view = { 0 };
    (void)look(&view, &t);
    bool computed = true;
    assert_same(update(&t, 1, &w, &computed), GPOOL_ERROR_FAILED_RESOURCE);
    assert_same(computed, false);
    assert_same(gpool_dirty_is(&t.tracked.input), true);
    assert_same(look(&view, &t), false);
    w.fails = false;
    assert_same(update(&t, 1, &w, &computed), GPOOL_OK);
    assert_same(computed, true);
    assert_int_equal(w.calls, 2);
    assert_same(look(&view, &t), true);
}

static void mark_inside_compute_makes_the_next_update_compute_again(void **state)
{
    (void)state;
    tracked_int t = { 0 };
    gpool_tracked_mark(&t.tracked, 3);
    work w = { .mark_inside = &t.tracked, .frame = 3 };
    assert_same(update(&t, 3, &w, NULL), GPOOL_OK);
    assert_same(gpool_dirty_is(&t.tracked.input), true);
    w.mark_inside = NULL;
    assert_same(update(&t, 3, &w, NULL), GPOOL_OK);
    assert_same(gpool_dirty_is(&t.tracked.input), false);
    assert_int_equal(w.calls, 2);
}

static void set_inside_compute_is_seen_by_consumers_and_the_next_update(void **state)
{
    (void)state;
    tracked_int t = { 0 };
    gpool_dirty_view view = { 0 };
    (void)look(&view, &t);
    work w = { .set_inside = &t.tracked, .frame = 3 };
    assert_same(update(&t, 3, &w, NULL), GPOOL_OK);
    assert_int_equal(t.value, 100);
    assert_same(look(&view, &t), true);
    assert_same(gpool_dirty_is(&t.tracked.input), true);
}

static void every_view_of_changed_sees_each_new_value_once(void **state)
{
    (void)state;
    tracked_int t = { 0 };
    work w = { 0 };
    gpool_dirty_view views[3] = { 0 };
    for (uint64_t frame = 0; frame < 4; ++frame) {
        gpool_tracked_mark(&t.tracked, frame);
        assert_same(update(&t, frame, &w, NULL), GPOOL_OK);
        assert_same(look(&views[0], &t), true);
        assert_same(look(&views[0], &t), false);
        /* The second computation of the same frame is a new value for those who have looked. */
        gpool_tracked_mark(&t.tracked, frame);
        assert_same(update(&t, frame, &w, NULL), GPOOL_OK);
        assert_same(look(&views[0], &t), true);
        assert_same(look(&views[1], &t), true);
        assert_same(look(&views[1], &t), false);
    }
    assert_same(look(&views[2], &t), true);
    assert_same(look(&views[2], &t), false);
}

static void null_pointers_are_refused_and_change_nothing(void **state)
{
    (void)state;
    tracked_int t = { .value = 3 };
    work w = { 0 };
    bool computed = true;
    const int value = 4;
    const gpool_result bad = GPOOL_ERROR_INVALID_ARGUMENT;
    assert_same(gpool_tracked_set(NULL, &t.value, &value, sizeof value, 1), bad);
    assert_same(gpool_tracked_set(&t.tracked, NULL, &value, sizeof value, 1), bad);
    assert_same(gpool_tracked_set(&t.tracked, &t.value, NULL, sizeof value, 1), bad);
    assert_same(gpool_tracked_update(NULL, &t.value, 1, compute, &w, &computed), bad);
    assert_same(computed, false);
    assert_same(gpool_tracked_update(&t.tracked, &t.value, 1, NULL, &w, NULL), bad);
    assert_int_equal(t.value, 3);
    assert_int_equal(w.calls, 0);
    assert_int_equal(gpool_dirty_lag(&t.tracked.input), 1);
    assert_int_equal(gpool_dirty_lag(&t.tracked.changed), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fresh_value_is_computed_once),
        cmocka_unit_test(mark_makes_the_next_update_compute),
        cmocka_unit_test(mark_alone_is_no_change_for_consumers),
        cmocka_unit_test(set_copies_the_value_and_raises_both_counters),
        cmocka_unit_test(set_to_an_equal_value_is_a_change_too),
        cmocka_unit_test(set_of_no_bytes_is_a_change_too),
        cmocka_unit_test(set_may_overlap_its_source),
        cmocka_unit_test(failed_compute_leaves_input_dirty_and_changed_alone),
        cmocka_unit_test(mark_inside_compute_makes_the_next_update_compute_again),
        cmocka_unit_test(set_inside_compute_is_seen_by_consumers_and_the_next_update),
        cmocka_unit_test(every_view_of_changed_sees_each_new_value_once),
        cmocka_unit_test(null_pointers_are_refused_and_change_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
