#include "unit/graph_work.h"

static void triggered_nodes_run_once_a_pass_whatever_the_consumers(void **state)
{
    (void)state;
    work *w = open_graph();
    const gpool_dirty_node source = add(w, GPOOL_DIRTY_TRIGGER_ALWAYS);
    gpool_dirty_node n[5];
    for (size_t i = 0; i < 5; ++i) {
        n[i] = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
        (void)join(w, source, n[i], GPOOL_DIRTY_STRONG);
    }
    settle(w);
    static const uint64_t passes[] = { 0, UINT64_MAX, 0, 5, 4 };
    for (uint32_t pass = 0; pass < UNIT_COUNT(passes); ++pass) {
        for (size_t i = 0; i < 5; ++i) {
            assert_same(gpool_dirty_graph_begin_pass(w->graph, passes[pass], 0), GPOOL_OK);
            update(w, n[i], GPOOL_OK);
            assert_int_equal(calls(w, n[i]), pass + 1);
            assert_int_equal(calls(w, source), pass + 1);
        }
    }
    *outcome(w, source) = GPOOL_DIRTY_UNCHANGED;
    assert_same(gpool_dirty_graph_begin_pass(w->graph, 99, 0), GPOOL_OK);
    assert_same(is_clean(w, n[0]), false);
    update_all(w, GPOOL_OK);
    assert_int_equal(calls(w, source), UNIT_COUNT(passes) + 1);
    assert_int_equal(calls(w, n[0]), UNIT_COUNT(passes));
    close_graph(w);
}

static void animated_nodes_run_when_the_time_differs(void **state)
{
    (void)state;
    work *w = open_graph();
    const gpool_dirty_node clock = add(w, GPOOL_DIRTY_TRIGGER_ANIMATED);
    settle(w);
    static const struct {
        double time;
        uint32_t calls;
    } passes[] = { { 1.0, 1 }, { 1.0, 1 }, { 2.0, 2 }, { 1.0, 3 }, { 0.0, 4 }, { 0.0, 4 } };
    for (size_t i = 0; i < UNIT_COUNT(passes); ++i) {
        assert_same(gpool_dirty_graph_begin_pass(w->graph, i, passes[i].time), GPOOL_OK);
        update_all(w, GPOOL_OK);
        assert_int_equal(calls(w, clock), passes[i].calls);
    }
    /* A time that is not a number is a time like any other. */
    uint64_t bits = UINT64_C(0x7ff8000000000001);
    double nan;
    memcpy(&nan, &bits, sizeof nan);
    for (uint64_t pass = 100; pass < 103; ++pass) {
        assert_same(gpool_dirty_graph_begin_pass(w->graph, pass, nan), GPOOL_OK);
        update_all(w, GPOOL_OK);
        assert_int_equal(calls(w, clock), 5);
    }
    /* Another time in a pass that has begun waits for the next. */
    assert_same(gpool_dirty_graph_begin_pass(w->graph, 102, 3.0), GPOOL_OK);
    assert_same(is_clean(w, clock), true);
    assert_same(gpool_dirty_graph_begin_pass(w->graph, 103, 3.0), GPOOL_OK);
    assert_same(is_clean(w, clock), false);
    close_graph(w);
}

static void trigger_can_be_changed(void **state)
{
    (void)state;
    work *w = open_graph();
    gpool_dirty_node n[4];
    for (size_t i = 0; i < 4; ++i) {
        n[i] = add(w, GPOOL_DIRTY_TRIGGER_ALWAYS);
    }
    settle(w);
    assert_same(gpool_dirty_graph_set_trigger(w->graph, n[1], GPOOL_DIRTY_TRIGGER_NEVER), GPOOL_OK);
    assert_same(gpool_dirty_graph_set_trigger(w->graph, n[2], GPOOL_DIRTY_TRIGGER_ANIMATED),
                GPOOL_OK);
    assert_same(gpool_dirty_graph_set_trigger(w->graph, n[3], GPOOL_DIRTY_TRIGGER_ALWAYS),
                GPOOL_OK);
    assert_same(gpool__graph_validate(w->graph), true);
    assert_same(is_clean(w, n[1]), true);
    assert_same(is_clean(w, n[2]), false);
    assert_same(is_clean(w, n[3]), true);
    assert_same(gpool_dirty_graph_begin_pass(w->graph, 1, 1), GPOOL_OK);
    settle(w);
    assert_same(gpool_dirty_graph_begin_pass(w->graph, 2, 1), GPOOL_OK);
    update_all(w, GPOOL_OK);
    assert_int_equal(calls(w, n[0]), 1);
    assert_int_equal(calls(w, n[1]), 0);
    assert_int_equal(calls(w, n[2]), 0);
    assert_int_equal(calls(w, n[3]), 1);
    assert_same(gpool_dirty_graph_remove(w->graph, n[3]), GPOOL_OK);
    assert_same(gpool_dirty_graph_remove(w->graph, n[2]), GPOOL_OK);
    assert_same(gpool_dirty_graph_begin_pass(w->graph, 3, 2), GPOOL_OK);
    close_graph(w);
}

static void removed_edges_and_nodes_mark_their_consumers(void **state)
{
    (void)state;
    work *w = open_graph();
    gpool_dirty_node n[4];
    add_chain(w, n, 4);
    const gpool_dirty_edge edge = join(w, n[0], n[2], GPOOL_DIRTY_STRONG);
    settle(w);
    assert_same(gpool_dirty_graph_disconnect(w->graph, edge), GPOOL_OK);
    assert_same(is_clean(w, n[1]), true);
    assert_same(is_clean(w, n[2]), false);
    assert_same(is_clean(w, n[3]), false);
    settle(w);
    assert_same(gpool_dirty_graph_remove(w->graph, n[1]), GPOOL_OK);
    assert_same(is_clean(w, n[0]), true);
    assert_same(is_clean(w, n[3]), false);
    update_all(w, GPOOL_OK);
    assert_int_equal(w->count, 2);
    mark(w, n[0]);
    assert_same(is_clean(w, n[2]), true);
    gpool_dirty_graph_stats stats;
    gpool_dirty_graph_get_stats(w->graph, &stats);
    assert_int_equal(stats.nodes, 3);
    assert_int_equal(stats.edges, 1);
    assert_int_equal(stats.stale, 1);
    assert_same(gpool_dirty_graph_remove(w->graph, n[0]), GPOOL_OK); /* while stale */
    assert_same(gpool_dirty_graph_all_clean(w->graph), true);
    close_graph(w);
}

static void stale_and_forged_ids_are_refused(void **state)
{
    (void)state;
    work *w = open_graph();
    gpool_dirty_graph *g = w->graph;
    gpool_dirty_node n[2];
    add_chain(w, n, 2);
    const gpool_dirty_edge edge = join(w, n[0], n[1], GPOOL_DIRTY_STRONG);
    const gpool_dirty_node dead = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    assert_same(gpool_dirty_graph_remove(g, dead), GPOOL_OK);
    const struct {
        gpool_dirty_node node;
        gpool_result result;
    } ids[] = {
        { { 0 }, GPOOL_ERROR_NULL_HANDLE },
        { { 1 }, GPOOL_ERROR_INVALID_HANDLE }, /* generation 0 */
        { { n[0].id + (UINT64_C(1) << 32) }, GPOOL_ERROR_INVALID_HANDLE },
        { { UINT64_MAX }, GPOOL_ERROR_INVALID_HANDLE },
        { { n[0].id + 1000 }, GPOOL_ERROR_INVALID_HANDLE },
        { dead, GPOOL_ERROR_STALE_HANDLE },
    };
    for (int round = 0; round < 2; ++round) {
        for (size_t i = 0; i < UNIT_COUNT(ids); ++i) {
            const gpool_dirty_node bad = ids[i].node;
            const gpool_result r = ids[i].result;
            size_t count = 9;
            assert_same(gpool_dirty_graph_check(g, bad), r);
            assert_same(gpool_dirty_graph_mark(g, bad), r);
            assert_same(gpool_dirty_graph_remove(g, bad), r);
            assert_same(gpool_dirty_graph_set_trigger(g, bad, GPOOL_DIRTY_TRIGGER_ALWAYS), r);
            assert_same(gpool_dirty_graph_connect(g, bad, n[0], GPOOL_DIRTY_WEAK, NULL), r);
            assert_same(gpool_dirty_graph_connect(g, n[0], bad, GPOOL_DIRTY_WEAK, NULL), r);
            assert_same(gpool_dirty_graph_find_path(g, bad, n[0], NULL, 0, &count), r);
            assert_same(gpool_dirty_graph_find_path(g, n[0], bad, NULL, 0, &count), r);
            assert_int_equal(count, 0);
            assert_same(gpool_dirty_graph_update(g, bad, compute, w), r);
            assert_same(gpool_dirty_graph_is_clean(g, bad), false);
            assert_null(gpool_dirty_graph_flag(g, bad));
        }
        const gpool_dirty_node again = add(w, GPOOL_DIRTY_TRIGGER_NEVER); /* the slot of `dead` */
        assert_int_equal(gpool_dirty_node_index(again), round == 0 ? 2 : 3);
    }
    assert_same(gpool_dirty_graph_disconnect(g, (gpool_dirty_edge){ 0 }), GPOOL_ERROR_NULL_HANDLE);
    assert_same(gpool_dirty_graph_disconnect(g, (gpool_dirty_edge){ UINT64_MAX }),
                GPOOL_ERROR_INVALID_HANDLE);
    assert_same(gpool_dirty_graph_disconnect(g, edge), GPOOL_OK);
    assert_same(gpool_dirty_graph_disconnect(g, edge), GPOOL_ERROR_STALE_HANDLE);
    const gpool_dirty_edge reused = join(w, n[0], n[1], GPOOL_DIRTY_STRONG);
    assert_int_equal((uint32_t)reused.id, (uint32_t)edge.id);
    assert_same(gpool_dirty_graph_disconnect(g, edge), GPOOL_ERROR_STALE_HANDLE);
    assert_same(gpool_dirty_graph_remove(g, n[1]), GPOOL_OK);
    assert_same(gpool_dirty_graph_disconnect(g, reused), GPOOL_ERROR_STALE_HANDLE);
    close_graph(w);
}

static void bad_arguments_are_refused(void **state)
{
    (void)state;
    work *w = open_graph();
    gpool_dirty_graph *g = w->graph;
    const gpool_dirty_node a = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    const gpool_dirty_node b = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    const gpool_result bad = GPOOL_ERROR_INVALID_ARGUMENT;
    gpool_dirty_node none = { 7 };
    size_t count = 0;
    assert_same(gpool_dirty_graph_create(NULL, NULL), bad);
    assert_same(gpool_dirty_graph_add(g, GPOOL_DIRTY_TRIGGER_NEVER, NULL), bad);
    assert_same(gpool_dirty_graph_add(NULL, GPOOL_DIRTY_TRIGGER_NEVER, &none), bad);
    assert_int_equal(none.id, 0);
    assert_same(gpool_dirty_graph_add(g, (gpool_dirty_trigger)3, &none), bad);
    assert_same(gpool_dirty_graph_set_trigger(g, a, (gpool_dirty_trigger)3), bad);
    assert_same(gpool_dirty_graph_connect(g, a, b, (gpool_dirty_strength)2, NULL), bad);
    assert_same(gpool_dirty_graph_find_path(g, a, b, NULL, 0, NULL), bad);
    assert_same(gpool_dirty_graph_find_path(g, a, b, NULL, 1, &count), bad);
    assert_same(gpool_dirty_graph_update(g, a, NULL, NULL), bad);
    assert_same(gpool_dirty_graph_update_all(g, NULL, NULL), bad);
    assert_same(gpool_dirty_graph_update(NULL, a, compute, w), bad);
    assert_same(gpool_dirty_graph_update_all(NULL, compute, w), bad);
    assert_same(gpool_dirty_graph_mark(NULL, a), bad);
    assert_same(gpool_dirty_graph_remove(NULL, a), bad);
    assert_same(gpool_dirty_graph_connect(NULL, a, b, GPOOL_DIRTY_STRONG, NULL), bad);
    assert_same(gpool_dirty_graph_disconnect(NULL, (gpool_dirty_edge){ 1 }), bad);
    assert_same(gpool_dirty_graph_begin_pass(NULL, 0, 0), bad);
    assert_same(gpool_dirty_graph_check(NULL, a), bad);
    assert_same(gpool_dirty_graph_all_clean(NULL), true);
    assert_null(gpool_dirty_graph_flag(NULL, a));
    gpool_dirty_graph_stats stats = { .nodes = 3 };
    gpool_dirty_graph_get_stats(NULL, &stats);
    assert_int_equal(stats.nodes, 0);
    gpool_dirty_graph_get_stats(g, NULL);
    gpool_dirty_graph_destroy(NULL);
    gpool_dirty_graph *with_malloc = NULL;
    assert_same(gpool_dirty_graph_create(NULL, &with_malloc), GPOOL_OK);
    assert_same(gpool_dirty_graph_add(with_malloc, GPOOL_DIRTY_TRIGGER_NEVER, &none), GPOOL_OK);
    gpool_dirty_graph_destroy(with_malloc);
    close_graph(w);
}

static gpool_dirty_outcome try_everything(void *user, gpool_dirty_node node)
{
    work *w = user;
    gpool_dirty_graph *g = w->graph;
    const gpool_result bad = GPOOL_ERROR_WRONG_PHASE;
    gpool_dirty_node none;
    size_t count = 0;
    assert_same(gpool_dirty_graph_add(g, GPOOL_DIRTY_TRIGGER_NEVER, &none), bad);
    assert_same(gpool_dirty_graph_remove(g, node), bad);
    assert_same(gpool_dirty_graph_connect(g, w->order[0], node, GPOOL_DIRTY_STRONG, NULL), bad);
    assert_same(gpool_dirty_graph_disconnect(g, (gpool_dirty_edge){ UINT64_C(1) << 32 }), bad);
    assert_same(gpool_dirty_graph_find_path(g, node, node, NULL, 0, &count), bad);
    assert_same(gpool_dirty_graph_set_trigger(g, node, GPOOL_DIRTY_TRIGGER_ALWAYS), bad);
    assert_same(gpool_dirty_graph_begin_pass(g, 55, 0), bad);
    assert_same(gpool_dirty_graph_update(g, node, compute, w), bad);
    assert_same(gpool_dirty_graph_update_all(g, compute, w), bad);
    assert_same(gpool_dirty_graph_check(g, node), GPOOL_OK);
    assert_same(gpool_dirty_graph_is_clean(g, node), true);
    gpool_dirty_graph_destroy(g);
    w->count += 1;
    return GPOOL_DIRTY_CHANGED;
}

static void graph_cannot_be_changed_inside_compute(void **state)
{
    (void)state;
    work *w = open_graph();
    gpool_dirty_node n[2];
    add_chain(w, n, 2);
    w->order[0] = n[0];
    assert_same(gpool_dirty_graph_update(w->graph, n[0], try_everything, w), GPOOL_OK);
    assert_same(gpool_dirty_graph_update_all(w->graph, try_everything, w), GPOOL_OK);
    assert_int_equal(w->count, 2);
    assert_same(gpool_dirty_graph_all_clean(w->graph), true);
    close_graph(w);
}

static void cycle_is_refused_and_its_path_is_told(void **state)
{
    (void)state;
    work *w = open_graph();
    gpool_dirty_graph *g = w->graph;
    gpool_dirty_node n[6];
    add_chain(w, n, 6);
    (void)join(w, n[1], add(w, GPOOL_DIRTY_TRIGGER_NEVER), GPOOL_DIRTY_STRONG);
    (void)join(w, add(w, GPOOL_DIRTY_TRIGGER_NEVER), n[4], GPOOL_DIRTY_WEAK);
    settle(w);
    const gpool_result bad = GPOOL_ERROR_INVALID_ARGUMENT;
    gpool_dirty_edge edge = { 5 };
    assert_same(gpool_dirty_graph_connect(g, n[5], n[0], GPOOL_DIRTY_STRONG, &edge), bad);
    assert_int_equal(edge.id, 0);
    assert_same(gpool_dirty_graph_connect(g, n[5], n[0], GPOOL_DIRTY_WEAK, NULL), bad);
    assert_same(gpool_dirty_graph_connect(g, n[3], n[2], GPOOL_DIRTY_STRONG, NULL), bad);
    assert_same(gpool_dirty_graph_connect(g, n[2], n[2], GPOOL_DIRTY_STRONG, NULL), bad);
    assert_same(gpool_dirty_graph_all_clean(g), true);
    assert_same(gpool__graph_validate(g), true);
    for (size_t capacity = 0; capacity <= 8; ++capacity) {
        gpool_dirty_node path[8] = { 0 };
        size_t count = 0;
        assert_same(gpool_dirty_graph_find_path(g, n[0], n[5], path, capacity, &count), GPOOL_OK);
        assert_int_equal(count, 6);
        for (size_t i = 0; i < 8; ++i) {
            assert_int_equal(path[i].id, i < capacity && i < 6 ? n[i].id : 0);
        }
    }
    gpool_dirty_node alone = { 0 };
    size_t count = 0;
    assert_same(gpool_dirty_graph_find_path(g, n[2], n[2], &alone, 1, &count), GPOOL_OK);
    assert_int_equal(count, 1);
    assert_int_equal(alone.id, n[2].id);
    assert_same(gpool_dirty_graph_find_path(g, n[5], n[0], &alone, 1, &count), GPOOL_OK);
    assert_int_equal(count, 0);
    close_graph(w);
}

static void weak_edges_close_cycles_too(void **state)
{
    (void)state;
    work *w = open_graph();
    const gpool_dirty_node a = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    const gpool_dirty_node b = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    (void)join(w, a, b, GPOOL_DIRTY_WEAK);
    assert_same(gpool_dirty_graph_connect(w->graph, b, a, GPOOL_DIRTY_STRONG, NULL),
                GPOOL_ERROR_INVALID_ARGUMENT);
    close_graph(w);
}

static void consumers_outside_hold_views_of_a_nodes_flag(void **state)
{
    (void)state;
    work *w = open_graph();
    gpool_dirty_node n[2];
    add_chain(w, n, 2);
    gpool_dirty_flag *flag = gpool_dirty_graph_flag(w->graph, n[1]);
    gpool_dirty_view left = { 0 };
    gpool_dirty_view right = { 0 };
    for (uint32_t i = 0; i < 1000; ++i) { /* the flag does not move */
        (void)add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    }
    settle(w);
    assert_ptr_equal(gpool_dirty_graph_flag(w->graph, n[1]), flag);
    gpool_dirty_view_clear(&left, gpool_dirty_view_begin(&left, flag));
    mark(w, n[0]);
    assert_same(gpool_dirty_view_is(&left, flag), false); /* nothing new yet */
    update_all(w, GPOOL_OK);
    assert_same(gpool_dirty_view_is(&left, flag), true);
    gpool_dirty_view_clear(&right, gpool_dirty_view_begin(&right, flag));
    assert_same(gpool_dirty_view_is(&left, flag), true);
    gpool_dirty_view_clear(&left, gpool_dirty_view_begin(&left, flag));
    *outcome(w, n[1]) = GPOOL_DIRTY_UNCHANGED;
    mark(w, n[0]);
    update_all(w, GPOOL_OK);
    assert_same(gpool_dirty_view_is(&left, flag), false);
    *outcome(w, n[1]) = GPOOL_DIRTY_CHANGED;
    mark(w, n[0]);
    update_all(w, GPOOL_OK);
    assert_same(gpool_dirty_view_is(&left, flag), true);
    assert_same(gpool_dirty_view_is(&right, flag), true);
    /* A view kept beyond the node's life sees the next one in its slot as new. */
    gpool_dirty_view_clear(&left, gpool_dirty_view_begin(&left, flag));
    assert_same(gpool_dirty_graph_remove(w->graph, n[1]), GPOOL_OK);
    const gpool_dirty_node next = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    assert_ptr_equal(gpool_dirty_graph_flag(w->graph, next), flag);
    assert_same(gpool_dirty_view_is(&left, flag), true);
    assert_same(gpool_dirty_is(flag), true);
    close_graph(w);
}

static void spent_slot_is_never_given_out_again(void **state)
{
    (void)state;
    work *w = open_graph();
    gpool_dirty_node n[2];
    add_chain(w, n, 2);
    const gpool_dirty_edge edge = join(w, n[0], n[1], GPOOL_DIRTY_STRONG);
    gpool__graph_node_at(w->graph, 0)->generation = UINT32_MAX;
    w->graph->edges[(uint32_t)edge.id].generation = UINT32_MAX;
    const gpool_dirty_node last = gpool__graph_node_id(w->graph, 0);
    assert_same(gpool_dirty_graph_check(w->graph, n[0]), GPOOL_ERROR_STALE_HANDLE);
    assert_same(gpool_dirty_graph_remove(w->graph, last), GPOOL_OK);
    assert_same(gpool_dirty_graph_check(w->graph, last), GPOOL_ERROR_STALE_HANDLE);
    const gpool_dirty_node next = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
    assert_int_equal(gpool_dirty_node_index(next), 2);
    const gpool_dirty_edge other = join(w, next, n[1], GPOOL_DIRTY_STRONG);
    assert_int_not_equal((uint32_t)other.id, (uint32_t)edge.id);
    close_graph(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(triggered_nodes_run_once_a_pass_whatever_the_consumers),
        cmocka_unit_test(animated_nodes_run_when_the_time_differs),
        cmocka_unit_test(trigger_can_be_changed),
        cmocka_unit_test(removed_edges_and_nodes_mark_their_consumers),
        cmocka_unit_test(stale_and_forged_ids_are_refused),
        cmocka_unit_test(bad_arguments_are_refused),
        cmocka_unit_test(graph_cannot_be_changed_inside_compute),
        cmocka_unit_test(cycle_is_refused_and_its_path_is_told),
        cmocka_unit_test(weak_edges_close_cycles_too),
        cmocka_unit_test(consumers_outside_hold_views_of_a_nodes_flag),
        cmocka_unit_test(spent_slot_is_never_given_out_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
