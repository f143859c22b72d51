#include <gpool/dirty.h>

#include "unit/unit.h"

static uint64_t seed;

static void consume(gpool_dirty_flag *flag)
{
    const uint64_t target = gpool_dirty_begin(flag);
    gpool_dirty_clear(flag, target);
}

static void consume_view(gpool_dirty_view *view, gpool_dirty_flag *flag)
{
    const uint64_t target = gpool_dirty_view_begin(view, flag);
    gpool_dirty_view_clear(view, target);
}

static void zeroed_flag_and_view_start_dirty_by_one(void **state)
{
    (void)state;
    const gpool_dirty_flag flag = { 0 };
    const gpool_dirty_view view = { 0 };
    assert_same(gpool_dirty_is(&flag), true);
    assert_int_equal(gpool_dirty_lag(&flag), 1);
    assert_same(gpool_dirty_view_is(&view, &flag), true);
    assert_int_equal(gpool_dirty_view_lag(&view, &flag), 1);
}

static void consumed_flag_is_clean_until_marked(void **state)
{
    (void)state;
    gpool_dirty_flag flag = { 0 };
    consume(&flag);
    assert_same(gpool_dirty_is(&flag), false);
    assert_int_equal(gpool_dirty_lag(&flag), 0);
    gpool_dirty_mark(&flag, 7);
    assert_same(gpool_dirty_is(&flag), true);
    assert_int_equal(gpool_dirty_lag(&flag), 1);
    consume(&flag);
    assert_same(gpool_dirty_is(&flag), false);
}

static void begin_alone_leaves_the_flag_dirty(void **state)
{
    (void)state;
    gpool_dirty_flag flag = { 0 };
    (void)gpool_dirty_begin(&flag);
    assert_same(gpool_dirty_is(&flag), true);
    assert_int_equal(gpool_dirty_lag(&flag), 1);
}

static void marks_within_a_frame_count_once(void **state)
{
    (void)state;
    gpool_dirty_flag flag = { 0 };
    consume(&flag);
    for (int i = 0; i < 5; ++i) {
        gpool_dirty_mark(&flag, 3);
    }
    assert_int_equal(gpool_dirty_lag(&flag), 1);
    for (uint64_t frame = 4; frame < 8; ++frame) {
        gpool_dirty_mark(&flag, frame);
        gpool_dirty_mark(&flag, frame);
    }
    assert_int_equal(gpool_dirty_lag(&flag), 5);
}

static void target_differs_after_every_counted_mark(void **state)
{
    (void)state;
    gpool_dirty_flag flag = { 0 };
    const uint64_t before = gpool_dirty_target(&flag);
    gpool_dirty_mark(&flag, 1);
    const uint64_t after = gpool_dirty_target(&flag);
    assert_int_not_equal(after, before);
    gpool_dirty_mark(&flag, 1);
    assert_int_equal(gpool_dirty_target(&flag), after);
    assert_int_equal(gpool_dirty_begin(&flag), after);
}

static void mark_after_begin_in_the_same_frame_survives_the_clear(void **state)
{
    (void)state;
    gpool_dirty_flag flag = { 0 };
    gpool_dirty_mark(&flag, 9);
    const uint64_t target = gpool_dirty_begin(&flag);
    gpool_dirty_mark(&flag, 9);
    gpool_dirty_clear(&flag, target);
    assert_same(gpool_dirty_is(&flag), true);
    assert_int_equal(gpool_dirty_lag(&flag), 1);
}

static void mark_after_clear_in_the_same_frame_is_seen(void **state)
{
    (void)state;
    gpool_dirty_flag flag = { 0 };
    gpool_dirty_mark(&flag, 9);
    consume(&flag);
    gpool_dirty_mark(&flag, 9);
    assert_same(gpool_dirty_is(&flag), true);
}

static void frame_zero_and_the_last_frame_are_ordinary(void **state)
{
    (void)state;
    static const uint64_t frames[] = { 0, UINT64_MAX, 0, 1, UINT64_MAX - 1 };
    gpool_dirty_flag flag = { 0 };
    consume(&flag);
    for (size_t i = 0; i < UNIT_COUNT(frames); ++i) {
        gpool_dirty_mark(&flag, frames[i]);
        gpool_dirty_mark(&flag, frames[i]);
        assert_int_equal(gpool_dirty_lag(&flag), i + 1);
    }
    consume(&flag);
    gpool_dirty_mark(&flag, UINT64_MAX - 1);
    assert_int_equal(gpool_dirty_lag(&flag), 1);
}

static void one_consumers_clear_hides_nothing_from_another(void **state)
{
    (void)state;
    gpool_dirty_flag flag = { 0 };
    gpool_dirty_view left = { 0 };
    gpool_dirty_view right = { 0 };
    consume(&flag);
    consume_view(&left, &flag);
    assert_same(gpool_dirty_view_is(&left, &flag), false);
    assert_same(gpool_dirty_view_is(&right, &flag), true);
    gpool_dirty_mark(&flag, 2);
    consume_view(&right, &flag);
    assert_same(gpool_dirty_view_is(&right, &flag), false);
    assert_same(gpool_dirty_view_is(&left, &flag), true);
    assert_same(gpool_dirty_is(&flag), true);
}

static void begin_of_one_view_makes_the_next_mark_count_for_all(void **state)
{
    (void)state;
    gpool_dirty_flag flag = { 0 };
    gpool_dirty_view left = { 0 };
    gpool_dirty_view right = { 0 };
    gpool_dirty_mark(&flag, 5);
    const uint64_t seen = gpool_dirty_view_begin(&left, &flag);
    consume_view(&right, &flag);
    gpool_dirty_mark(&flag, 5);
    gpool_dirty_view_clear(&left, seen);
    assert_int_equal(gpool_dirty_view_lag(&left, &flag), 1);
    assert_int_equal(gpool_dirty_view_lag(&right, &flag), 1);
    assert_int_equal(gpool_dirty_lag(&flag), 3);
}

/*
 * The naive model: a list of marks and begins, and for each consumer how much of it was there when
 * it began the work that it cleared last. Consumer 0 is the flag's own, the others are views.
 */
#define CONSUMERS 5u
#define EVENTS    512u

typedef struct event {
    bool is_mark;
    bool counts;
    uint64_t frame;
} event;

typedef struct model {
    event events[EVENTS];
    size_t count;
    bool fresh[CONSUMERS];      /* never cleared */
    size_t seen[CONSUMERS];     /* events in the list at the begin that was cleared last */
    bool working[CONSUMERS];    /* between begin and clear */
    size_t started[CONSUMERS];  /* events in the list at the begin of the work */
    uint64_t target[CONSUMERS]; /* what begin returned */
} model;

static void model_add(model *m, event e)
{
    assert_in_range(m->count, 0, EVENTS - 1);
    if (e.is_mark) {
        const event *last = m->count > 0 ? &m->events[m->count - 1] : NULL;
        e.counts = last == NULL || !last->is_mark || last->frame != e.frame;
    }
    m->events[m->count++] = e;
}

static uint64_t model_lag(const model *m, size_t consumer)
{
    uint64_t lag = m->fresh[consumer] ? 1 : 0;
    const size_t first = m->fresh[consumer] ? 0 : m->seen[consumer];
    for (size_t i = first; i < m->count; ++i) {
        lag += m->events[i].counts;
    }
    return lag;
}

static bool model_dirty(const model *m, size_t consumer)
{
    bool dirty = m->fresh[consumer];
    for (size_t i = m->count; i > m->seen[consumer] && !dirty; --i) {
        dirty = m->events[i - 1].is_mark;
    }
    return dirty;
}

static void compare(const model *m, const gpool_dirty_flag *flag, const gpool_dirty_view *views)
{
    assert_same(gpool_dirty_is(flag), model_dirty(m, 0));
    assert_int_equal(gpool_dirty_lag(flag), model_lag(m, 0));
    for (size_t i = 1; i < CONSUMERS; ++i) {
        assert_same(gpool_dirty_view_is(&views[i - 1], flag), model_dirty(m, i));
        assert_int_equal(gpool_dirty_view_lag(&views[i - 1], flag), model_lag(m, i));
    }
}

static void step(model *m, gpool_dirty_flag *flag, gpool_dirty_view *views, uint64_t *random,
                 uint64_t *frame)
{
    const size_t consumer = (size_t)unit_random_below(random, CONSUMERS);
    switch (unit_random_below(random, 8)) {
    case 0:
        *frame += unit_random_below(random, 4) == 0 ? unit_random(random) : 1;
        break;
    case 1:
    case 2:
    case 3:
        gpool_dirty_mark(flag, *frame);
        model_add(m, (event){ .is_mark = true, .frame = *frame });
        break;
    case 4: /* a mark in another frame than the current one */
        gpool_dirty_mark(flag, *frame - 1);
        model_add(m, (event){ .is_mark = true, .frame = *frame - 1 });
        break;
    case 5:
    case 6:
        m->target[consumer] = consumer == 0 ? gpool_dirty_begin(flag)
                                            : gpool_dirty_view_begin(&views[consumer - 1], flag);
        model_add(m, (event){ .is_mark = false });
        m->started[consumer] = m->count;
        m->working[consumer] = true;
        break;
    default:
        if (m->working[consumer]) { /* else the work failed: no clear */
            if (consumer == 0) {
                gpool_dirty_clear(flag, m->target[consumer]);
            } else {
                gpool_dirty_view_clear(&views[consumer - 1], m->target[consumer]);
            }
            m->seen[consumer] = m->started[consumer];
            m->fresh[consumer] = false;
            m->working[consumer] = false;
        }
        break;
    }
}

static void random_work_never_loses_a_mark(void **state)
{
    (void)state;
    static model m;
    uint64_t random = seed;
    for (int round = 0; round < 100; ++round) {
        m = (model){ .fresh = { true, true, true, true, true } };
        gpool_dirty_flag flag = { 0 };
        gpool_dirty_view views[CONSUMERS - 1] = { 0 };
        uint64_t frame = unit_random_below(&random, 3) - 1;
        compare(&m, &flag, views);
        for (int i = 0; i < 300; ++i) {
            step(&m, &flag, views, &random, &frame);
            compare(&m, &flag, views);
        }
    }
}

static void random_work_never_loses_a_mark_while_the_counters_wrap(void **state)
{
    (void)state;
    static model m;
    uint64_t random = seed + 1;
    for (int round = 0; round < 100; ++round) {
        m = (model){ 0 };
        gpool_dirty_flag flag = { .marks = UINT64_MAX - unit_random_below(&random, 40) };
        gpool_dirty_view views[CONSUMERS - 1] = { 0 };
        consume(&flag);
        for (size_t i = 0; i + 1 < CONSUMERS; ++i) {
            consume_view(&views[i], &flag);
        }
        uint64_t frame = UINT64_MAX - unit_random_below(&random, 20);
        for (int i = 0; i < 300; ++i) {
            step(&m, &flag, views, &random, &frame);
            compare(&m, &flag, views);
        }
        assert_in_range(flag.marks, 0, 300);
    }
}

int main(int argc, char **argv)
{
    seed = unit_seed(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zeroed_flag_and_view_start_dirty_by_one),
        cmocka_unit_test(consumed_flag_is_clean_until_marked),
        cmocka_unit_test(begin_alone_leaves_the_flag_dirty),
        cmocka_unit_test(marks_within_a_frame_count_once),
        cmocka_unit_test(target_differs_after_every_counted_mark),
        cmocka_unit_test(mark_after_begin_in_the_same_frame_survives_the_clear),
        cmocka_unit_test(mark_after_clear_in_the_same_frame_is_seen),
        cmocka_unit_test(frame_zero_and_the_last_frame_are_ordinary),
        cmocka_unit_test(one_consumers_clear_hides_nothing_from_another),
        cmocka_unit_test(begin_of_one_view_makes_the_next_mark_count_for_all),
        cmocka_unit_test(random_work_never_loses_a_mark),
        cmocka_unit_test(random_work_never_loses_a_mark_while_the_counters_wrap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
