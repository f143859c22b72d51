#include "unit/graph_work.h"

static void fresh_nodes_are_computed_once_in_order(void **state)
{
    (void)state;
    work *w = open_graph();
    gpool_dirty_node n[4];
    for (size_t i = 0; i < 4; ++i) {
        n[i] = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
        assert_int_equal(gpool_dirty_node_index(n[i]), i);
        assert_same(is_clean(w, n[i]), false);
    }
    (void)join(w, n[3], n[2], GPOOL_DIRTY_STRONG);
    (void)join(w, n[2], n[0], GPOOL_DIRTY_STRONG);
    (void)join(w, n[0], n[1], GPOOL_DIRTY_STRONG);
    update_all(w, GPOOL_OK);
    static const uint32_t order[] = { 3, 2, 0, 1 };
    assert_int_equal(w->count, 4);
    for (size_t i = 0; i < 4; ++i) {
        assert_int_equal(gpool_dirty_node_index(w->order[i]), order[i]);
        assert_same(is_clean(w, n[i]), true);
    }
    update_all(w, GPOOL_OK);
    assert_int_equal(w->count, 4);
    close_graph(w);
}

static void inputs_are_computed_in_the_order_of_their_edges(void **state)
{
    (void)state;
    work *w = open_graph();
    gpool_dirty_node n[6];
    for (size_t i = 0; i < 6; ++i) {
        n[i] = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    }
    static const size_t order[] = { 3, 1, 4, 2, 5 };
    for (size_t i = 0; i < 5; ++i) {
        (void)join(w, n[order[i]], n[0], i % 2 == 0 ? GPOOL_DIRTY_STRONG : GPOOL_DIRTY_WEAK);
    }
    update(w, n[0], GPOOL_OK);
    assert_int_equal(w->count, 6);
    for (size_t i = 0; i < 5; ++i) {
        assert_int_equal(w->order[i].id, n[order[i]].id);
    }
    close_graph(w);
}

static void diamond_computes_each_node_once(void **state)
{
    (void)state;
    work *w = open_graph();
    const gpool_dirty_node top = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    const gpool_dirty_node left = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    const gpool_dirty_node right = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    const gpool_dirty_node bottom = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    (void)join(w, top, left, GPOOL_DIRTY_STRONG);
    (void)join(w, top, right, GPOOL_DIRTY_STRONG);
    (void)join(w, left, bottom, GPOOL_DIRTY_STRONG);
    (void)join(w, right, bottom, GPOOL_DIRTY_STRONG);
    (void)join(w, top, bottom, GPOOL_DIRTY_STRONG);
    settle(w);
    mark(w, left);
    update(w, bottom, GPOOL_OK);
    assert_int_equal(w->count, 2);
    assert_int_equal(calls(w, left), 1);
    assert_int_equal(calls(w, bottom), 1);
    forget(w);
    mark(w, top);
    mark(w, right);
    mark(w, top);
    update(w, bottom, GPOOL_OK);
    assert_int_equal(w->count, 4);
    assert_int_equal(w->order[0].id, top.id);
    assert_int_equal(w->order[3].id, bottom.id);
    assert_same(gpool_dirty_graph_all_clean(w->graph), true);
    close_graph(w);
}

static void mark_visits_only_who_is_not_stale(void **state)
{
    (void)state;
    work *w = open_graph();
    gpool_dirty_node n[10];
    add_chain(w, n, 10);
    settle(w);
    uint64_t before = visited(w);
    mark(w, n[5]);
    assert_int_equal(visited(w) - before, 5);
    mark(w, n[5]);
    mark(w, n[7]);
    assert_int_equal(visited(w) - before, 5);
    mark(w, n[0]);
    assert_int_equal(visited(w) - before, 10);
    before = visited(w);
    update_all(w, GPOOL_OK);
    assert_int_equal(visited(w) - before, 10);
    assert_int_equal(w->count, 10);
    close_graph(w);
}

static void clean_graph_answers_without_a_visit(void **state)
{
    (void)state;
    work *w = open_graph();
    gpool_dirty_node n[100];
    add_chain(w, n, 100);
    settle(w);
    const uint64_t before = visited(w);
    assert_same(is_clean(w, n[99]), true);
    assert_same(gpool_dirty_graph_all_clean(w->graph), true);
    update(w, n[99], GPOOL_OK);
    update_all(w, GPOOL_OK);
    assert_same(gpool_dirty_graph_begin_pass(w->graph, 1, 1.0), GPOOL_OK);
    assert_same(gpool_dirty_graph_begin_pass(w->graph, 2, 2.0), GPOOL_OK);
    update_all(w, GPOOL_OK);
    assert_int_equal(visited(w), before);
    assert_int_equal(w->count, 0);
    close_graph(w);
}

static void update_of_a_target_leaves_the_rest_stale(void **state)
{
    (void)state;
    work *w = open_graph();
    gpool_dirty_node n[3];
    add_chain(w, n, 3);
    const gpool_dirty_node other = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    (void)join(w, n[0], other, GPOOL_DIRTY_STRONG);
    update(w, n[1], GPOOL_OK);
    assert_int_equal(w->count, 2);
    assert_same(is_clean(w, n[1]), true);
    assert_same(is_clean(w, n[2]), false);
    assert_same(is_clean(w, other), false);
    assert_same(gpool_dirty_graph_all_clean(w->graph), false);
    update(w, other, GPOOL_OK);
    update(w, n[2], GPOOL_OK);
    assert_int_equal(w->count, 4);
    assert_int_equal(calls(w, n[0]), 1);
    close_graph(w);
}

static void unchanged_output_lets_consumers_rest(void **state)
{
    (void)state;
    work *w = open_graph();
    gpool_dirty_node n[5];
    add_chain(w, n, 5);
    settle(w);
    *outcome(w, n[1]) = GPOOL_DIRTY_UNCHANGED;
    mark(w, n[0]);
    assert_same(is_clean(w, n[4]), false);
    update_all(w, GPOOL_OK);
    assert_int_equal(w->count, 2);
    assert_same(gpool_dirty_graph_all_clean(w->graph), true);
    *outcome(w, n[1]) = GPOOL_DIRTY_CHANGED;
    mark(w, n[0]);
    update_all(w, GPOOL_OK);
    assert_int_equal(w->count, 7);
    close_graph(w);
}

static void marked_node_is_computed_although_its_inputs_rest(void **state)
{
    (void)state;
    work *w = open_graph();
    gpool_dirty_node n[3];
    add_chain(w, n, 3);
    settle(w);
    *outcome(w, n[0]) = GPOOL_DIRTY_UNCHANGED;
    mark(w, n[0]);
    mark(w, n[1]); /* stale already */
    update_all(w, GPOOL_OK);
    assert_int_equal(calls(w, n[0]), 1);
    assert_int_equal(calls(w, n[1]), 1);
    assert_int_equal(calls(w, n[2]), 1);
    close_graph(w);
}

/* tixl adds up its inputs' targets: two changes of one sum can look like none. */
static void fan_in_is_compared_per_edge(void **state)
{
    (void)state;
    work *w = open_graph();
    const gpool_dirty_node a = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    const gpool_dirty_node b = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    const gpool_dirty_node sum = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    const gpool_dirty_edge edge = join(w, a, sum, GPOOL_DIRTY_STRONG);
    for (uint64_t pass = 0; pass < 3; ++pass) { /* a is 3 changes ahead of b */
        assert_same(gpool_dirty_graph_begin_pass(w->graph, pass, 0), GPOOL_OK);
        mark(w, a);
        update(w, a, GPOOL_OK);
        (void)gpool_dirty_begin(gpool_dirty_graph_flag(w->graph, a));
    }
    settle(w);
    /* The sum over all inputs stays the same when a goes and b catches up. */
    for (uint64_t pass = 3; pass < 6; ++pass) {
        assert_same(gpool_dirty_graph_begin_pass(w->graph, pass, 0), GPOOL_OK);
        mark(w, b);
        update(w, b, GPOOL_OK);
        (void)gpool_dirty_begin(gpool_dirty_graph_flag(w->graph, b));
    }
    assert_same(gpool_dirty_graph_disconnect(w->graph, edge), GPOOL_OK);
    (void)join(w, b, sum, GPOOL_DIRTY_STRONG);
    forget(w);
    update(w, sum, GPOOL_OK);
    assert_int_equal(calls(w, sum), 1);
    /* One input up while the other rests, in turn: each is seen. */
    (void)join(w, a, sum, GPOOL_DIRTY_STRONG);
    settle(w);
    for (int i = 0; i < 4; ++i) {
        mark(w, i % 2 == 0 ? a : b);
        update(w, sum, GPOOL_OK);
        assert_int_equal(calls(w, sum), i + 1);
    }
    close_graph(w);
}

static void every_edge_of_a_pair_counts(void **state)
{
    (void)state;
    work *w = open_graph();
    const gpool_dirty_node a = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    const gpool_dirty_node b = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    const gpool_dirty_edge first = join(w, a, b, GPOOL_DIRTY_STRONG);
    const gpool_dirty_edge second = join(w, a, b, GPOOL_DIRTY_STRONG);
    assert_int_not_equal(first.id, second.id);
    settle(w);
    mark(w, a);
    update(w, b, GPOOL_OK);
    assert_int_equal(calls(w, b), 1);
    assert_same(gpool_dirty_graph_disconnect(w->graph, first), GPOOL_OK);
    settle(w);
    mark(w, a);
    update(w, b, GPOOL_OK);
    assert_int_equal(calls(w, b), 1);
    close_graph(w);
}

/* tixl: the first of two outputs clears the input that they share. */
static void outputs_that_share_an_input_each_see_every_change(void **state)
{
    (void)state;
    work *w = open_graph();
    const gpool_dirty_node input = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    const gpool_dirty_node colour = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    const gpool_dirty_node depth = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    (void)join(w, input, colour, GPOOL_DIRTY_STRONG);
    (void)join(w, input, depth, GPOOL_DIRTY_STRONG);
    settle(w);
    for (uint32_t i = 1; i <= 5; ++i) {
        mark(w, input);
        update(w, colour, GPOOL_OK);
        assert_int_equal(calls(w, colour), i);
        assert_same(is_clean(w, depth), false);
        if (i % 2 == 0) {
            update(w, depth, GPOOL_OK);
            assert_int_equal(calls(w, depth), i / 2);
        }
    }
    assert_int_equal(calls(w, input), 5);
    update(w, depth, GPOOL_OK);
    assert_int_equal(calls(w, depth), 3);
    close_graph(w);
}

/* tixl: a value set after the pass has visited a clean slot gets no bump. */
static void mark_after_the_update_of_the_same_pass_is_seen(void **state)
{
    (void)state;
    work *w = open_graph();
    gpool_dirty_node n[3];
    add_chain(w, n, 3);
    assert_same(gpool_dirty_graph_begin_pass(w->graph, 7, 0), GPOOL_OK);
    settle(w);
    for (uint32_t i = 1; i <= 3; ++i) {
        mark(w, n[0]);
        assert_same(gpool_dirty_graph_begin_pass(w->graph, 7, 0), GPOOL_OK);
        update(w, n[2], GPOOL_OK);
        assert_int_equal(calls(w, n[2]), i);
    }
    close_graph(w);
}

static void weak_edge_carries_no_dirtiness(void **state)
{
    (void)state;
    work *w = open_graph();
    const gpool_dirty_node a = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    const gpool_dirty_node b = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    const gpool_dirty_edge edge = join(w, a, b, GPOOL_DIRTY_WEAK);
    settle(w);
    mark(w, a);
    assert_same(is_clean(w, b), true);
    update(w, b, GPOOL_OK);
    assert_int_equal(w->count, 0);
    update_all(w, GPOOL_OK);
    assert_int_equal(calls(w, a), 1);
    assert_int_equal(calls(w, b), 0);
    assert_same(gpool_dirty_graph_disconnect(w->graph, edge), GPOOL_OK);
    assert_same(is_clean(w, b), false);
    close_graph(w);
}

static void weak_source_is_computed_before_its_consumer(void **state)
{
    (void)state;
    work *w = open_graph();
    const gpool_dirty_node b = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    const gpool_dirty_node a = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    (void)join(w, a, b, GPOOL_DIRTY_WEAK);
    settle(w);
    mark(w, a);
    mark(w, b);
    update(w, b, GPOOL_OK);
    assert_int_equal(w->count, 2);
    assert_int_equal(w->order[0].id, a.id);
    *outcome(w, a) = GPOOL_DIRTY_FAILED;
    mark(w, a);
    mark(w, b);
    update(w, b, GPOOL_ERROR_FAILED_RESOURCE);
    assert_int_equal(calls(w, b), 2);
    assert_same(is_clean(w, b), true);
    assert_same(is_clean(w, a), false);
    close_graph(w);
}

static void failure_blocks_only_what_depends_on_it(void **state)
{
    (void)state;
    work *w = open_graph();
    gpool_dirty_node n[4];
    add_chain(w, n, 4);
    gpool_dirty_node free_nodes[3];
    add_chain(w, free_nodes, 3);
    *outcome(w, n[1]) = GPOOL_DIRTY_FAILED;
    update_all(w, GPOOL_ERROR_FAILED_RESOURCE);
    assert_int_equal(w->count, 5);
    assert_same(is_clean(w, n[0]), true);
    for (size_t i = 1; i < 4; ++i) {
        assert_same(is_clean(w, n[i]), false);
        assert_int_equal(calls(w, n[i]), i == 1);
    }
    assert_same(is_clean(w, free_nodes[2]), true);
    update(w, free_nodes[2], GPOOL_OK);
    update(w, n[3], GPOOL_ERROR_FAILED_RESOURCE);
    assert_int_equal(calls(w, n[1]), 2);
    assert_int_equal(calls(w, n[0]), 1);
    *outcome(w, n[1]) = GPOOL_DIRTY_CHANGED;
    update(w, n[3], GPOOL_OK);
    assert_int_equal(calls(w, n[1]), 3);
    assert_int_equal(calls(w, n[3]), 1);
    assert_same(gpool_dirty_graph_all_clean(w->graph), true);
    gpool_dirty_graph_stats stats;
    gpool_dirty_graph_get_stats(w->graph, &stats);
    assert_int_equal(stats.failed, 2);
    assert_int_equal(stats.blocked, 4);
    close_graph(w);
}

static void failed_compute_consumes_no_input(void **state)
{
    (void)state;
    work *w = open_graph();
    gpool_dirty_node n[2];
    add_chain(w, n, 2);
    settle(w);
    mark(w, n[0]);
    *outcome(w, n[1]) = GPOOL_DIRTY_FAILED;
    update(w, n[1], GPOOL_ERROR_FAILED_RESOURCE);
    update(w, n[1], GPOOL_ERROR_FAILED_RESOURCE);
    *outcome(w, n[1]) = GPOOL_DIRTY_UNCHANGED;
    update(w, n[1], GPOOL_OK);
    assert_int_equal(calls(w, n[1]), 3);
    assert_int_equal(calls(w, n[0]), 1);
    *outcome(w, n[1]) = (gpool_dirty_outcome)77; /* no outcome at all */
    mark(w, n[1]);
    update(w, n[1], GPOOL_ERROR_FAILED_RESOURCE);
    assert_same(is_clean(w, n[1]), false);
    close_graph(w);
}

static void node_that_marks_itself_runs_once_an_update_and_feeds_its_consumers(void **state)
{
    (void)state;
    work *w = open_graph();
    gpool_dirty_node n[3];
    add_chain(w, n, 3);
    w->mark_inside[gpool_dirty_node_index(n[0])] = n[0];
    for (uint32_t i = 1; i <= 4; ++i) {
        update(w, n[2], GPOOL_OK);
        assert_int_equal(calls(w, n[0]), i);
        assert_int_equal(calls(w, n[2]), i);
        assert_same(is_clean(w, n[2]), false);
    }
    for (uint32_t i = 5; i <= 8; ++i) {
        update_all(w, GPOOL_OK);
        assert_int_equal(calls(w, n[0]), i);
        assert_int_equal(calls(w, n[2]), i);
    }
    w->mark_inside[gpool_dirty_node_index(n[0])].id = 0;
    update(w, n[2], GPOOL_OK);
    assert_same(is_clean(w, n[2]), true);
    assert_int_equal(calls(w, n[2]), 9);
    close_graph(w);
}

static void node_that_marks_itself_and_fails_stays_stale(void **state)
{
    (void)state;
    work *w = open_graph();
    gpool_dirty_node n[2];
    add_chain(w, n, 2);
    w->mark_inside[gpool_dirty_node_index(n[0])] = n[0];
    *outcome(w, n[0]) = GPOOL_DIRTY_FAILED;
    update_all(w, GPOOL_ERROR_FAILED_RESOURCE);
    assert_int_equal(calls(w, n[0]), 1);
    assert_int_equal(calls(w, n[1]), 0);
    close_graph(w);
}

static void mark_of_a_settled_source_is_kept_for_the_next_update(void **state)
{
    (void)state;
    work *w = open_graph();
    gpool_dirty_node n[4];
    add_chain(w, n, 4);
    settle(w);
    mark(w, n[0]);
    w->mark_inside[gpool_dirty_node_index(n[2])] = n[0];
    update_all(w, GPOOL_OK);
    assert_int_equal(w->count, 4);
    for (size_t i = 0; i < 4; ++i) {
        assert_same(is_clean(w, n[i]), false);
    }
    w->mark_inside[gpool_dirty_node_index(n[2])].id = 0;
    update_all(w, GPOOL_OK);
    assert_int_equal(w->count, 8);
    assert_same(gpool_dirty_graph_all_clean(w->graph), true);
    close_graph(w);
}

static void mark_of_a_node_whose_turn_is_to_come_is_handled_at_once(void **state)
{
    (void)state;
    work *w = open_graph();
    const gpool_dirty_node early = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    const gpool_dirty_node late = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    const gpool_dirty_node end = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    const gpool_dirty_node aside = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    (void)join(w, early, end, GPOOL_DIRTY_STRONG);
    (void)join(w, late, end, GPOOL_DIRTY_STRONG);
    settle(w);
    /* `early` is clean when the walk goes by; `late` marks it. */
    w->mark_inside[gpool_dirty_node_index(late)] = early;
    mark(w, late);
    update(w, end, GPOOL_OK);
    assert_int_equal(w->count, 3);
    assert_int_equal(w->order[1].id, early.id);
    assert_int_equal(w->order[2].id, end.id);
    assert_same(gpool_dirty_graph_all_clean(w->graph), true);
    /* The last stale node of the list marks one that was clean. */
    forget(w);
    w->mark_inside[gpool_dirty_node_index(late)] = aside;
    mark(w, late);
    update(w, end, GPOOL_OK);
    assert_int_equal(calls(w, aside), 0);
    assert_same(is_clean(w, aside), false);
    w->mark_inside[gpool_dirty_node_index(end)] = aside;
    update(w, aside, GPOOL_OK);
    forget(w);
    mark(w, end);
    update_all(w, GPOOL_OK);
    assert_int_equal(calls(w, aside), 1);
    assert_same(gpool_dirty_graph_all_clean(w->graph), true);
    close_graph(w);
}

static void nodes_that_mark_each_other_do_not_spin(void **state)
{
    (void)state;
    work *w = open_graph();
    gpool_dirty_node n[3];
    add_chain(w, n, 3);
    for (size_t i = 0; i < 3; ++i) {
        w->mark_inside[gpool_dirty_node_index(n[i])] = n[(i + 1) % 3];
    }
    for (uint32_t i = 1; i <= 5; ++i) {
        update_all(w, GPOOL_OK);
        assert_int_equal(w->count, 3 * i);
    }
    close_graph(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fresh_nodes_are_computed_once_in_order),
        cmocka_unit_test(inputs_are_computed_in_the_order_of_their_edges),
        cmocka_unit_test(diamond_computes_each_node_once),
        cmocka_unit_test(mark_visits_only_who_is_not_stale),
        cmocka_unit_test(clean_graph_answers_without_a_visit),
        cmocka_unit_test(update_of_a_target_leaves_the_rest_stale),
        cmocka_unit_test(unchanged_output_lets_consumers_rest),
        cmocka_unit_test(marked_node_is_computed_although_its_inputs_rest),
        cmocka_unit_test(fan_in_is_compared_per_edge),
        cmocka_unit_test(every_edge_of_a_pair_counts),
        cmocka_unit_test(outputs_that_share_an_input_each_see_every_change),
        cmocka_unit_test(mark_after_the_update_of_the_same_pass_is_seen),
        cmocka_unit_test(weak_edge_carries_no_dirtiness),
        cmocka_unit_test(weak_source_is_computed_before_its_consumer),
        cmocka_unit_test(failure_blocks_only_what_depends_on_it),
        cmocka_unit_test(failed_compute_consumes_no_input),
        cmocka_unit_test(node_that_marks_itself_runs_once_an_update_and_feeds_its_consumers),
        cmocka_unit_test(node_that_marks_itself_and_fails_stays_stale),
        cmocka_unit_test(mark_of_a_settled_source_is_kept_for_the_next_update),
        cmocka_unit_test(mark_of_a_node_whose_turn_is_to_come_is_handled_at_once),
        cmocka_unit_test(nodes_that_mark_each_other_do_not_spin),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
