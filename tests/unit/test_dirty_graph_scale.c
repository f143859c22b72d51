#include "unit/graph_work.h"

/* What follows is for big graphs: each node may be computed once, after its inputs. */
typedef struct big {
    gpool_dirty_graph *graph;
    uint8_t *calls;
    const gpool_dirty_node *nodes;
    uint32_t columns; /* of the lattice; 0 = no lattice */
    uint64_t count;
} big;

static gpool_dirty_outcome compute_big(void *user, gpool_dirty_node node)
{
    big *b = user;
    const uint32_t index = gpool_dirty_node_index(node);
    assert_int_equal(b->calls[index], 0);
    if (b->columns != 0 && index >= b->columns) {
        const uint32_t left = index - b->columns;
        const uint32_t right =
            index % b->columns + 1 == b->columns ? left + 1 - b->columns : left + 1;
        assert_same(gpool_dirty_graph_is_clean(b->graph, b->nodes[left]), true);
        assert_same(gpool_dirty_graph_is_clean(b->graph, b->nodes[right]), true);
    }
    b->calls[index] = 1;
    b->count += 1;
    return GPOOL_DIRTY_CHANGED;
}

/* Rows of diamonds: each node feeds the one below it and the one below to the left, round about. */
static void lattice_of_100000_nodes_computes_each_once(void **state)
{
    (void)state;
    enum {
        COLUMNS = 250,
        ROWS = 400,
        COUNT = COLUMNS * ROWS
    };
    big b = { .columns = COLUMNS };
    gpool_dirty_node *nodes = calloc(COUNT, sizeof *nodes);
    b.calls = calloc(COUNT, 1);
    b.nodes = nodes;
    assert_same(gpool_dirty_graph_create(NULL, &b.graph), GPOOL_OK);
    for (uint32_t i = 0; i < COUNT; ++i) {
        assert_same(gpool_dirty_graph_add(b.graph, GPOOL_DIRTY_TRIGGER_NEVER, &nodes[i]), GPOOL_OK);
        assert_int_equal(gpool_dirty_node_index(nodes[i]), i);
        if (i >= COLUMNS) {
            const uint32_t left = i - COLUMNS;
            const uint32_t right = i % COLUMNS + 1 == COLUMNS ? left + 1 - COLUMNS : left + 1;
            assert_same(
                gpool_dirty_graph_connect(b.graph, nodes[left], nodes[i], GPOOL_DIRTY_STRONG, NULL),
                GPOOL_OK);
            assert_same(gpool_dirty_graph_connect(b.graph, nodes[right], nodes[i],
                                                  GPOOL_DIRTY_STRONG, NULL),
                        GPOOL_OK);
        }
    }
    assert_same(gpool_dirty_graph_update_all(b.graph, compute_big, &b), GPOOL_OK);
    assert_int_equal(b.count, COUNT);
    /* Row r of what one source reaches has r + 1 nodes, up to all columns. */
    const uint64_t reached = COLUMNS * (COLUMNS + 1) / 2 + (ROWS - COLUMNS) * COLUMNS;
    gpool_dirty_graph_stats before;
    gpool_dirty_graph_stats after;
    for (int all = 0; all < 2; ++all) {
        memset(b.calls, 0, COUNT);
        b.count = 0;
        gpool_dirty_graph_get_stats(b.graph, &before);
        assert_same(gpool_dirty_graph_mark(b.graph, nodes[COLUMNS / 2]), GPOOL_OK);
        gpool_dirty_graph_get_stats(b.graph, &after);
        assert_int_equal(after.visited - before.visited, reached);
        assert_int_equal(after.stale, reached);
        if (all == 0) {
            assert_same(gpool_dirty_graph_update_all(b.graph, compute_big, &b), GPOOL_OK);
        } else {
            for (uint32_t i = COUNT - COLUMNS; i < COUNT; ++i) {
                assert_same(gpool_dirty_graph_update(b.graph, nodes[i], compute_big, &b), GPOOL_OK);
            }
        }
        assert_int_equal(b.count, reached);
        gpool_dirty_graph_get_stats(b.graph, &after);
        assert_int_equal(after.visited - before.visited, 2 * reached);
        assert_int_equal(after.allocations, before.allocations);
        assert_int_equal(after.rested, 0);
    }
    before = after;
    assert_same(gpool_dirty_graph_is_clean(b.graph, nodes[COUNT - 1]), true);
    assert_same(gpool_dirty_graph_all_clean(b.graph), true);
    assert_same(gpool_dirty_graph_update_all(b.graph, compute_big, &b), GPOOL_OK);
    assert_same(gpool_dirty_graph_update(b.graph, nodes[COUNT - 1], compute_big, &b), GPOOL_OK);
    gpool_dirty_graph_get_stats(b.graph, &after);
    assert_int_equal(after.visited, before.visited);
    assert_same(gpool__graph_validate(b.graph), true);
    gpool_dirty_graph_destroy(b.graph);
    free(b.calls);
    free(nodes);
}

/* Built from its end, its start and its middle: the cycle check looks at the smaller side. */
static void chain_of_a_million_nodes_needs_no_stack(void **state)
{
    (void)state;
    enum {
        COUNT = 1000000
    };
    big b = { 0 };
    gpool_dirty_node *nodes = calloc(COUNT, sizeof *nodes);
    b.calls = calloc(COUNT, 1);
    assert_same(gpool_dirty_graph_create(NULL, &b.graph), GPOOL_OK);
    for (uint32_t i = 0; i < COUNT; ++i) {
        assert_same(gpool_dirty_graph_add(b.graph, GPOOL_DIRTY_TRIGGER_NEVER, &nodes[i]), GPOOL_OK);
    }
    for (uint32_t i = COUNT / 2; i > 0; --i) {
        assert_same(
            gpool_dirty_graph_connect(b.graph, nodes[i - 1], nodes[i], GPOOL_DIRTY_STRONG, NULL),
            GPOOL_OK);
    }
    for (uint32_t i = COUNT / 2; i + 1 < COUNT; ++i) {
        assert_same(
            gpool_dirty_graph_connect(b.graph, nodes[i], nodes[i + 1], GPOOL_DIRTY_STRONG, NULL),
            GPOOL_OK);
    }
    gpool_dirty_graph_stats stats;
    gpool_dirty_graph_get_stats(b.graph, &stats);
    assert_in_range(stats.searched, 0, 4 * COUNT);
    assert_same(gpool_dirty_graph_update(b.graph, nodes[COUNT - 1], compute_big, &b), GPOOL_OK);
    assert_int_equal(b.count, COUNT);
    assert_same(gpool_dirty_graph_all_clean(b.graph), true);
    assert_same(gpool_dirty_graph_mark(b.graph, nodes[0]), GPOOL_OK);
    assert_same(gpool_dirty_graph_is_clean(b.graph, nodes[COUNT - 1]), false);
    memset(b.calls, 0, COUNT);
    assert_same(gpool_dirty_graph_update_all(b.graph, compute_big, &b), GPOOL_OK);
    assert_int_equal(b.count, 2 * COUNT);
    size_t count = 0;
    assert_same(
        gpool_dirty_graph_connect(b.graph, nodes[COUNT - 1], nodes[0], GPOOL_DIRTY_STRONG, NULL),
        GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(
        gpool_dirty_graph_find_path(b.graph, nodes[0], nodes[COUNT - 1], nodes, COUNT, &count),
        GPOOL_OK);
    assert_int_equal(count, COUNT);
    assert_int_equal(gpool_dirty_node_index(nodes[COUNT / 3]), COUNT / 3);
    gpool_dirty_graph_destroy(b.graph);
    free(b.calls);
    free(nodes);
}

/* Builds, updates and cuts; false as soon as memory runs out, with the graph checked as it was. */
static bool build_under_pressure(work *w)
{
    gpool_dirty_node nodes[200];
    for (uint32_t i = 0; i < UNIT_COUNT(nodes); ++i) {
        gpool_dirty_graph_stats before;
        gpool_dirty_graph_stats after;
        gpool_dirty_graph_get_stats(w->graph, &before);
        gpool_result result = gpool_dirty_graph_add(w->graph, GPOOL_DIRTY_TRIGGER_NEVER, &nodes[i]);
        for (uint32_t input = 1; result == GPOOL_OK && input <= 3 && input <= i; ++input) {
            gpool_dirty_graph_get_stats(w->graph, &before);
            gpool_dirty_edge edge = { 3 };
            result = gpool_dirty_graph_connect(w->graph, nodes[i - input], nodes[i],
                                               GPOOL_DIRTY_STRONG, &edge);
            assert_same(edge.id != 0, result == GPOOL_OK);
        }
        assert_same(gpool__graph_validate(w->graph), true);
        if (result != GPOOL_OK) {
            assert_same(result, GPOOL_ERROR_OUT_OF_MEMORY);
            gpool_dirty_graph_get_stats(w->graph, &after);
            assert_int_equal(after.nodes, before.nodes);
            assert_int_equal(after.edges, before.edges);
            assert_int_equal(after.stale, before.stale);
            return false;
        }
    }
    return true;
}

static void failed_allocation_leaves_the_graph_as_it_was(void **state)
{
    (void)state;
    for (int for_ever = 0; for_ever < 2; ++for_ever) {
        uint64_t k = 1;
        bool clean = false;
        for (; !clean; ++k) {
            work *w = calloc(1, sizeof *w);
            w->allocator = (unit_allocator){ .fail_at = k, .fail_for_ever = for_ever == 1 };
            for (size_t i = 0; i < WORK_NODES; ++i) {
                w->outcome[i] = GPOOL_DIRTY_CHANGED;
            }
            const gpool_allocator hooks = unit_hooks(&w->allocator);
            const gpool_result made = gpool_dirty_graph_create(&hooks, &w->graph);
            if (made != GPOOL_OK) {
                assert_same(made, GPOOL_ERROR_OUT_OF_MEMORY);
                assert_null(w->graph);
                assert_int_equal(w->allocator.blocks, 0);
                free(w);
                continue;
            }
            clean = build_under_pressure(w);
            gpool_dirty_graph_stats stats;
            gpool_dirty_graph_get_stats(w->graph, &stats);
            const uint64_t asked = w->allocator.calls;
            settle(w); /* what is there works, and needs no memory */
            assert_int_equal(w->allocator.calls, asked);
            if (for_ever == 0) {
                w->allocator.fail_at = 0;
                assert_same(build_under_pressure(w), true);
                update_all(w, GPOOL_OK);
                assert_int_equal(w->count, 200);
            }
            close_graph(w);
        }
        assert_in_range(k, 10, 1000);
        printf("allocation sweep: %u points\n", (unsigned)(k - 2));
    }
}

static void steady_state_allocates_nothing(void **state)
{
    (void)state;
    work *w = open_graph();
    gpool_dirty_node n[20];
    add_chain(w, n, 20);
    settle(w);
    const uint64_t asked = w->allocator.calls;
    for (uint64_t pass = 0; pass < 100; ++pass) {
        assert_same(gpool_dirty_graph_begin_pass(w->graph, pass, (double)pass), GPOOL_OK);
        mark(w, n[pass % 20]);
        settle(w);
        const gpool_dirty_node extra = add(w, GPOOL_DIRTY_TRIGGER_ALWAYS);
        const gpool_dirty_edge edge = join(w, extra, n[5], GPOOL_DIRTY_STRONG);
        assert_same(gpool_dirty_graph_disconnect(w->graph, edge), GPOOL_OK);
        assert_same(gpool_dirty_graph_remove(w->graph, extra), GPOOL_OK);
    }
    /* One block of edges may have had room for one more only. */
    assert_in_range(w->allocator.calls, asked, asked + 1);
    close_graph(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lattice_of_100000_nodes_computes_each_once),
        cmocka_unit_test(chain_of_a_million_nodes_needs_no_stack),
        cmocka_unit_test(failed_allocation_leaves_the_graph_as_it_was),
        cmocka_unit_test(steady_state_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
