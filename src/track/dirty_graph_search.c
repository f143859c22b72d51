#include "track/dirty_graph_state.h"

/*
 * Breadth first from both ends along edges of either strength, always on the side that has seen
 * fewer edges: the search for a way that is not there costs about twice its smaller side. Keeping a
 * topological order of all nodes would answer faster in large graphs but must be repaired at each
 * edge, and most edges join a new node, where one side is empty.
 */
typedef struct graph_search_side {
    uint64_t walk;  /* nodes entered from this side carry it */
    uint32_t first; /* queue of entered nodes whose edges were not looked at, linked by `cursor` */
    uint32_t last;
    uint64_t edges; /* looked at so far */
    bool forward;   /* along edges, else against them */
} graph_search_side;

static gpool__graph_node *graph_search_at(const gpool_dirty_graph *graph, uint32_t slot)
{
    return gpool__graph_node_at(graph, slot);
}

static void graph_search_enter(gpool_dirty_graph *graph, graph_search_side *side, uint32_t slot,
                               uint32_t parent)
{
    gpool__graph_node *node = graph_search_at(graph, slot);
    node->walk = side->walk;
    node->parent = parent;
    node->cursor = GPOOL__GRAPH_NONE;
    if (side->first == GPOOL__GRAPH_NONE) {
        side->first = slot;
    } else {
        graph_search_at(graph, side->last)->cursor = slot;
    }
    side->last = slot;
}

/* Expands one node; true when an edge leads to the other side: from `*here` to `*there`. */
static bool graph_search_step(gpool_dirty_graph *graph, graph_search_side *side,
                              const graph_search_side *other, uint32_t *here, uint32_t *there)
{
    uint32_t slot = side->first;
    const gpool__graph_node *node = graph_search_at(graph, slot);
    graph->stats.searched += 1;
    uint32_t at = side->forward ? node->first_out : node->first_in;
    while (at != GPOOL__GRAPH_NONE) {
        const gpool__graph_edge *edge = &graph->edges[at];
        uint32_t next = side->forward ? edge->consumer : edge->source;
        uint64_t walk = graph_search_at(graph, next)->walk;
        side->edges += 1;
        if (walk == other->walk) {
            *here = slot;
            *there = next;
            return true;
        }
        if (walk != side->walk) {
            graph_search_enter(graph, side, next, slot);
        }
        at = side->forward ? edge->out_next : edge->in_next;
    }
    side->first = node->cursor;
    return false;
}

/* Writes the nodes from `middle` back to the start, then those from `behind` to the end. */
static size_t graph_search_write(const gpool_dirty_graph *graph, uint32_t middle, uint32_t behind,
                                 gpool_dirty_node *nodes, size_t capacity)
{
    size_t length = 0;
    for (uint32_t i = middle; i != GPOOL__GRAPH_NONE; i = graph_search_at(graph, i)->parent) {
        length += 1;
    }
    size_t position = length;
    for (uint32_t i = middle; i != GPOOL__GRAPH_NONE; i = graph_search_at(graph, i)->parent) {
        position -= 1;
        if (position < capacity) {
            nodes[position] = gpool__graph_node_id(graph, i);
        }
    }
    for (uint32_t i = behind; i != GPOOL__GRAPH_NONE; i = graph_search_at(graph, i)->parent) {
        if (length < capacity) {
            nodes[length] = gpool__graph_node_id(graph, i);
        }
        length += 1;
    }
    return length;
}

size_t gpool__graph_search(gpool_dirty_graph *graph, uint32_t from, uint32_t to,
                           gpool_dirty_node *nodes, size_t capacity)
{
    graph_search_side ahead = { .walk = graph->walk + 1,
                                .first = GPOOL__GRAPH_NONE,
                                .forward = true };
    graph_search_side back = { .walk = graph->walk + 2, .first = GPOOL__GRAPH_NONE };
    graph->walk += 2;
    graph_search_enter(graph, &ahead, from, GPOOL__GRAPH_NONE);
    if (from == to) {
        return graph_search_write(graph, from, GPOOL__GRAPH_NONE, nodes, capacity);
    }
    graph_search_enter(graph, &back, to, GPOOL__GRAPH_NONE);
    uint32_t here = GPOOL__GRAPH_NONE;
    uint32_t there = GPOOL__GRAPH_NONE;
    while (ahead.first != GPOOL__GRAPH_NONE && back.first != GPOOL__GRAPH_NONE) {
        if (ahead.edges <= back.edges) {
            if (graph_search_step(graph, &ahead, &back, &here, &there)) {
                return graph_search_write(graph, here, there, nodes, capacity);
            }
        } else if (graph_search_step(graph, &back, &ahead, &here, &there)) {
            return graph_search_write(graph, there, here, nodes, capacity);
        }
    }
    return 0;
}
