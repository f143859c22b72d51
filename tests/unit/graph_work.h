/*
 * A dirty graph under test with a compute function that counts, notes the order, and does what each
 * node was told to do.
 */
#ifndef GPOOL_TESTS_GRAPH_WORK_H
#define GPOOL_TESTS_GRAPH_WORK_H

#include "track/dirty_graph_state.h"

#include "unit/unit.h"

#define WORK_NODES 4096u

/* What the compute function does and saw; arrays by node index. */
typedef struct work {
    gpool_dirty_graph *graph;
    unit_allocator allocator;
    uint32_t calls[WORK_NODES];
    gpool_dirty_outcome outcome[WORK_NODES];
    gpool_dirty_node mark_inside[WORK_NODES]; /* marked while the node is computed */
    gpool_dirty_node order[WORK_NODES];
    size_t count;
} work;

static inline gpool_dirty_outcome compute(void *user, gpool_dirty_node node)
{
    work *w = user;
    const uint32_t index = gpool_dirty_node_index(node);
    assert_in_range(index, 0, WORK_NODES - 1);
    assert_in_range(w->count, 0, WORK_NODES - 1);
    w->calls[index] += 1;
    w->order[w->count++] = node;
    if (w->mark_inside[index].id != 0) {
        assert_same(gpool_dirty_graph_mark(w->graph, w->mark_inside[index]), GPOOL_OK);
    }
    return w->outcome[index];
}

static inline void forget(work *w)
{
    memset(w->calls, 0, sizeof w->calls);
    w->count = 0;
}

static inline work *open_graph(void)
{
    work *w = calloc(1, sizeof *w);
    assert_non_null(w);
    const gpool_allocator hooks = unit_hooks(&w->allocator);
    assert_same(gpool_dirty_graph_create(&hooks, &w->graph), GPOOL_OK);
    for (size_t i = 0; i < WORK_NODES; ++i) {
        w->outcome[i] = GPOOL_DIRTY_CHANGED;
    }
    return w;
}

static inline void close_graph(work *w)
{
    assert_same(gpool__graph_validate(w->graph), true);
    gpool_dirty_graph_destroy(w->graph);
    assert_int_equal(w->allocator.blocks, 0);
    assert_int_equal(w->allocator.wrong_sizes, 0);
    free(w);
}

static inline gpool_dirty_node add(work *w, gpool_dirty_trigger trigger)
{
    gpool_dirty_node node = { 0 };
    assert_same(gpool_dirty_graph_add(w->graph, trigger, &node), GPOOL_OK);
    return node;
}

static inline gpool_dirty_edge join(work *w, gpool_dirty_node source, gpool_dirty_node consumer,
                                    gpool_dirty_strength strength)
{
    gpool_dirty_edge edge = { 0 };
    assert_same(gpool_dirty_graph_connect(w->graph, source, consumer, strength, &edge), GPOOL_OK);
    assert_int_not_equal(edge.id, 0);
    return edge;
}

/* As many nodes as asked for, in one line. */
static inline void add_chain(work *w, gpool_dirty_node *nodes, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        nodes[i] = add(w, GPOOL_DIRTY_TRIGGER_NEVER);
        if (i > 0) {
            (void)join(w, nodes[i - 1], nodes[i], GPOOL_DIRTY_STRONG);
        }
    }
}

static inline void update_all(work *w, gpool_result expected)
{
    assert_same(gpool_dirty_graph_update_all(w->graph, compute, w), expected);
    assert_same(gpool__graph_validate(w->graph), true);
}

static inline void update(work *w, gpool_dirty_node target, gpool_result expected)
{
    assert_same(gpool_dirty_graph_update(w->graph, target, compute, w), expected);
    assert_same(gpool__graph_validate(w->graph), true);
}

/* Everything is clean and nothing is counted yet. */
static inline void settle(work *w)
{
    update_all(w, GPOOL_OK);
    assert_same(gpool_dirty_graph_all_clean(w->graph), true);
    forget(w);
}

static inline void mark(work *w, gpool_dirty_node node)
{
    assert_same(gpool_dirty_graph_mark(w->graph, node), GPOOL_OK);
}

static inline uint32_t calls(const work *w, gpool_dirty_node node)
{
    return w->calls[gpool_dirty_node_index(node)];
}

static inline bool is_clean(const work *w, gpool_dirty_node node)
{
    return gpool_dirty_graph_is_clean(w->graph, node);
}

static inline gpool_dirty_outcome *outcome(work *w, gpool_dirty_node node)
{
    return &w->outcome[gpool_dirty_node_index(node)];
}

static inline uint64_t visited(const work *w)
{
    gpool_dirty_graph_stats stats;
    gpool_dirty_graph_get_stats(w->graph, &stats);
    return stats.visited;
}

#endif
