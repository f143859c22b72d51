#include "track/dirty_graph_state.h"

#include <string.h>

static gpool__graph_node *graph_update_at(const gpool_dirty_graph *graph, uint32_t slot)
{
    return gpool__graph_node_at(graph, slot);
}

/* --- marks --- */

/* Appends a node to the stale list. */
static void graph_update_stale(gpool_dirty_graph *graph, uint32_t slot)
{
    gpool__graph_node *node = graph_update_at(graph, slot);
    node->stale = true;
    node->stale_prev = graph->stale_last;
    node->stale_next = GPOOL__GRAPH_NONE;
    if (graph->stale_last != GPOOL__GRAPH_NONE) {
        graph_update_at(graph, graph->stale_last)->stale_next = slot;
    } else {
        graph->stale_first = slot;
    }
    graph->stale_last = slot;
    graph->stats.stale += 1;
    if (graph->draining && graph->next_root == GPOOL__GRAPH_NONE) {
        graph->next_root = slot;
    }
}

void gpool__graph_unstale(gpool_dirty_graph *graph, uint32_t slot)
{
    gpool__graph_node *node = graph_update_at(graph, slot);
    if (!node->stale) {
        return;
    }
    node->stale = false;
    if (graph->next_root == slot) {
        graph->next_root = node->stale_next;
    }
    if (node->stale_next != GPOOL__GRAPH_NONE) {
        graph_update_at(graph, node->stale_next)->stale_prev = node->stale_prev;
    } else {
        graph->stale_last = node->stale_prev;
    }
    if (node->stale_prev != GPOOL__GRAPH_NONE) {
        graph_update_at(graph, node->stale_prev)->stale_next = node->stale_next;
    } else {
        graph->stale_first = node->stale_next;
    }
    graph->stats.stale -= 1;
}

/*
 * Nodes that become stale are appended to the stale list; what was appended since the first of them
 * is the queue of a breadth-first walk, so that it needs no memory of its own.
 */
void gpool__graph_mark(gpool_dirty_graph *graph, uint32_t slot)
{
    gpool__graph_node *first = graph_update_at(graph, slot);
    first->marked = true;
    if (first->stale) {
        return; /* and so is all behind it */
    }
    graph_update_stale(graph, slot);
    for (uint32_t i = slot; i != GPOOL__GRAPH_NONE; i = graph_update_at(graph, i)->stale_next) {
        graph->stats.visited += 1;
        uint32_t out = graph_update_at(graph, i)->first_out;
        for (; out != GPOOL__GRAPH_NONE; out = graph->edges[out].out_next) {
            const gpool__graph_edge *edge = &graph->edges[out];
            if (!edge->weak && !graph_update_at(graph, edge->consumer)->stale) {
                graph_update_stale(graph, edge->consumer);
            }
        }
    }
}

gpool_result gpool_dirty_graph_mark(gpool_dirty_graph *graph, gpool_dirty_node node)
{
    gpool__graph_node *found = NULL;
    gpool_result result = gpool__graph_find(graph, node, &found);
    if (result == GPOOL_OK) {
        gpool__graph_mark(graph, gpool_dirty_node_index(node));
    }
    return result;
}

static void graph_update_fire(gpool_dirty_graph *graph, gpool_dirty_trigger trigger)
{
    uint32_t slot = graph->triggered[trigger];
    for (; slot != GPOOL__GRAPH_NONE; slot = graph_update_at(graph, slot)->trigger_next) {
        gpool__graph_mark(graph, slot);
    }
}

gpool_result gpool_dirty_graph_begin_pass(gpool_dirty_graph *graph, uint64_t pass, double time)
{
    if (graph == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (graph->walking) {
        return GPOOL_ERROR_WRONG_PHASE;
    }
    if (graph->has_pass && graph->pass == pass) {
        return GPOOL_OK;
    }
    graph_update_fire(graph, GPOOL_DIRTY_TRIGGER_ALWAYS);
    /* As bits: a time that is not a number still equals itself. */
    if (!graph->has_pass || memcmp(&graph->time, &time, sizeof time) != 0) {
        graph_update_fire(graph, GPOOL_DIRTY_TRIGGER_ANIMATED);
    }
    graph->has_pass = true;
    graph->pass = pass;
    graph->time = time;
    return GPOOL_OK;
}

/* --- updates --- */

typedef struct graph_update_work {
    gpool_dirty_compute_fn compute;
    void *user;
    bool failed;
} graph_update_work;

/* What the inputs of a node say when the walk is done with them. */
typedef struct graph_update_inputs {
    uint32_t waiting; /* first edge to a stale source that the walk did not enter yet */
    bool blocked;     /* a strong source is settled as failed */
    bool differ;      /* a strong source has another target than the one consumed last */
    bool stale;       /* a strong source is stale */
} graph_update_inputs;

static void graph_update_enter(gpool_dirty_graph *graph, uint32_t slot, uint32_t parent)
{
    gpool__graph_node *node = graph_update_at(graph, slot);
    node->walk = graph->walk;
    node->failed = false;
    node->parent = parent;
    node->cursor = node->first_in;
    graph->stats.visited += 1;
}

static bool graph_update_waits(const gpool_dirty_graph *graph, const gpool__graph_node *source)
{
    return source->stale && source->walk != graph->walk;
}

/* The next source that must be settled before `node`, or GPOOL__GRAPH_NONE. */
static uint32_t graph_update_next_source(gpool_dirty_graph *graph, gpool__graph_node *node)
{
    while (node->cursor != GPOOL__GRAPH_NONE) {
        const gpool__graph_edge *edge = &graph->edges[node->cursor];
        node->cursor = edge->in_next;
        if (graph_update_waits(graph, graph_update_at(graph, edge->source))) {
            return edge->source;
        }
    }
    return GPOOL__GRAPH_NONE;
}

static graph_update_inputs graph_update_look(const gpool_dirty_graph *graph,
                                             const gpool__graph_node *node)
{
    graph_update_inputs inputs = { .waiting = GPOOL__GRAPH_NONE };
    for (uint32_t in = node->first_in; in != GPOOL__GRAPH_NONE; in = graph->edges[in].in_next) {
        const gpool__graph_edge *edge = &graph->edges[in];
        const gpool__graph_node *source = graph_update_at(graph, edge->source);
        if (graph_update_waits(graph, source)) {
            inputs.waiting = in;
            break;
        }
        if (!edge->weak) {
            inputs.blocked |= source->walk == graph->walk && source->failed;
            inputs.differ |= gpool_dirty_view_is(&edge->seen, &source->changed);
            inputs.stale |= source->stale;
        }
    }
    return inputs;
}

static void graph_update_compute(gpool_dirty_graph *graph, uint32_t slot, graph_update_work *work)
{
    gpool__graph_node *node = graph_update_at(graph, slot);
    for (uint32_t in = node->first_in; in != GPOOL__GRAPH_NONE; in = graph->edges[in].in_next) {
        gpool__graph_edge *edge = &graph->edges[in];
        gpool_dirty_flag *changed = &graph_update_at(graph, edge->source)->changed;
        gpool_dirty_view_clear(&edge->seen, gpool_dirty_view_begin(&edge->seen, changed));
    }
    graph->stats.computed += 1;
    switch (work->compute(work->user, gpool__graph_node_id(graph, slot))) {
    case GPOOL_DIRTY_CHANGED:
        gpool_dirty_mark(&node->changed, graph->pass);
        graph->stats.changed += 1;
        break;
    case GPOOL_DIRTY_UNCHANGED:
        break;
    case GPOOL_DIRTY_FAILED:
    default:
        /* What was consumed is worth nothing; the mark makes good for it. */
        node->marked = true;
        node->failed = true;
        if (!node->stale) {
            graph_update_stale(graph, slot); /* all behind it still is */
        }
        work->failed = true;
        graph->stats.failed += 1;
        break;
    }
}

/*
 * Ends the visit of a node whose sources are settled. False when a compute function marked a source
 * that the walk did not enter yet: the walk goes there first.
 *
 * The node leaves the stale list before its compute function runs, so that a mark raised in there
 * puts it back like any other. It stays when a strong source, already settled, was marked again:
 * then it computes with what there is and once more in the next walk. Waiting instead would starve
 * the consumers of a node that marks itself each time.
 */
static bool graph_update_settle(gpool_dirty_graph *graph, uint32_t slot, graph_update_work *work)
{
    gpool__graph_node *node = graph_update_at(graph, slot);
    graph_update_inputs inputs = graph_update_look(graph, node);
    if (inputs.waiting != GPOOL__GRAPH_NONE) {
        node->cursor = inputs.waiting;
        return false;
    }
    if (inputs.blocked) {
        node->failed = true;
        graph->stats.blocked += 1;
        return true;
    }
    if (!inputs.stale) {
        gpool__graph_unstale(graph, slot);
    }
    if (node->marked || inputs.differ) {
        node->marked = false;
        graph_update_compute(graph, slot, work);
    } else {
        graph->stats.rested += 1;
    }
    return true;
}

/* Settles a stale node and all stale ones upstream, depth first, sources before consumers. */
static void graph_update_walk(gpool_dirty_graph *graph, uint32_t root, graph_update_work *work)
{
    graph_update_enter(graph, root, GPOOL__GRAPH_NONE);
    uint32_t slot = root;
    while (slot != GPOOL__GRAPH_NONE) {
        gpool__graph_node *node = graph_update_at(graph, slot);
        uint32_t source = graph_update_next_source(graph, node);
        if (source != GPOOL__GRAPH_NONE) {
            graph_update_enter(graph, source, slot);
            slot = source;
        } else if (graph_update_settle(graph, slot, work)) {
            slot = node->parent;
        }
    }
}

gpool_result gpool_dirty_graph_update(gpool_dirty_graph *graph, gpool_dirty_node target,
                                      gpool_dirty_compute_fn compute, void *user)
{
    gpool__graph_node *node = NULL;
    gpool_result result = gpool__graph_find(graph, target, &node);
    if (result != GPOOL_OK) {
        return result;
    }
    if (compute == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (graph->walking) {
        return GPOOL_ERROR_WRONG_PHASE;
    }
    if (!node->stale) {
        return GPOOL_OK;
    }
    graph_update_work work = { .compute = compute, .user = user };
    graph->walk += 1;
    graph->walking = true;
    graph_update_walk(graph, gpool_dirty_node_index(target), &work);
    graph->walking = false;
    return work.failed ? GPOOL_ERROR_FAILED_RESOURCE : GPOOL_OK;
}

gpool_result gpool_dirty_graph_update_all(gpool_dirty_graph *graph, gpool_dirty_compute_fn compute,
                                          void *user)
{
    if (graph == NULL || compute == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (graph->walking) {
        return GPOOL_ERROR_WRONG_PHASE;
    }
    graph_update_work work = { .compute = compute, .user = user };
    graph->walk += 1;
    graph->walking = true;
    graph->draining = true;
    graph->next_root = graph->stale_first;
    /* Each node is entered once; nodes that become stale on the way come behind. */
    while (graph->next_root != GPOOL__GRAPH_NONE) {
        uint32_t root = graph->next_root;
        const gpool__graph_node *node = graph_update_at(graph, root);
        graph->next_root = node->stale_next;
        if (node->walk != graph->walk) {
            graph_update_walk(graph, root, &work);
        }
    }
    graph->walking = false;
    graph->draining = false;
    return work.failed ? GPOOL_ERROR_FAILED_RESOURCE : GPOOL_OK;
}
