/*
 * What a dirty graph is made of. Nodes live in pages and never move (their flags are handed out),
 * edges in one array; both are named by slot number, and their lists are linked through the slots,
 * so that marks, updates and searches need no memory of their own.
 *
 * Words: a node is *marked* when it must be computed whatever its inputs say; *stale* when it is
 * marked, or an input changed, or something upstream is stale; *settled* in a walk (one call of
 * update) when the walk is done with it.
 *
 * Invariants: every strong consumer of a stale node is stale; a marked node is stale; a node that
 * is not stale has seen the target of each strong source. The stale list holds the stale nodes.
 * There is no cycle. Owned by one thread.
 */
#ifndef GPOOL_TRACK_DIRTY_GRAPH_STATE_H
#define GPOOL_TRACK_DIRTY_GRAPH_STATE_H

#include "base/memory.h"

#include <gpool/dirty_graph.h>

#define GPOOL__GRAPH_NONE       UINT32_MAX
#define GPOOL__GRAPH_PAGE_NODES 64u

/* Tests build the graph with few generations so that they run out all the time. */
#ifndef GPOOL__GRAPH_GENERATION_MAX
#define GPOOL__GRAPH_GENERATION_MAX UINT32_MAX
#endif

typedef struct gpool__graph_node {
    gpool_dirty_flag changed; /* rises with each new output */
    uint64_t walk;            /* last walk or search that entered the node */
    uint32_t generation;      /* of the live node, or the last one used */
    uint32_t first_in;        /* edges from its sources, oldest first */
    uint32_t last_in;
    uint32_t first_out;  /* edges to its consumers, in no order */
    uint32_t stale_prev; /* stale list */
    uint32_t stale_next; /* dead: next free slot */
    uint32_t trigger_prev;
    uint32_t trigger_next;
    uint32_t parent; /* walk: who waits for this node; search: the node before */
    uint32_t cursor; /* walk: next edge to look at; search: next in the queue */
    uint8_t trigger; /* gpool_dirty_trigger */
    bool live;
    bool stale;
    bool marked;
    bool failed; /* settled in `walk` without being computed or rested */
} gpool__graph_node;

typedef struct gpool__graph_edge {
    gpool_dirty_view seen; /* what the consumer last consumed of the source */
    uint32_t source;       /* GPOOL__GRAPH_NONE = dead */
    uint32_t consumer;
    uint32_t in_prev;  /* among the edges of the consumer */
    uint32_t in_next;  /* dead: next free slot */
    uint32_t out_prev; /* among the edges of the source */
    uint32_t out_next;
    uint32_t generation;
    bool weak;
} gpool__graph_edge;

/* Free slots, oldest first. */
typedef struct gpool__graph_free {
    uint32_t first;
    uint32_t last;
} gpool__graph_free;

struct gpool_dirty_graph {
    gpool__memory memory;
    gpool__graph_node **pages;
    uint32_t page_count;
    uint32_t page_capacity;
    uint32_t slot_count; /* node slots ever used */
    gpool__graph_edge *edges;
    uint32_t edge_count; /* edge slots ever used */
    uint32_t edge_capacity;
    gpool__graph_free free_nodes;
    gpool__graph_free free_edges;
    uint32_t stale_first;
    uint32_t stale_last;
    uint32_t next_root;    /* update_all: the stale node to look at next */
    uint32_t triggered[3]; /* first node of each trigger; that of `never` is not kept */
    uint64_t walk;         /* number of the last walk or search */
    uint64_t pass;
    double time;
    bool has_pass; /* a pass has begun: `pass` and `time` mean something */
    bool walking;  /* an update runs */
    bool draining; /* it is update_all */
    gpool_dirty_graph_stats stats;
};

static inline gpool__graph_node *gpool__graph_node_at(const gpool_dirty_graph *graph, uint32_t slot)
{
    return &graph->pages[slot / GPOOL__GRAPH_PAGE_NODES][slot % GPOOL__GRAPH_PAGE_NODES];
}

/** Finds a live node, or says what is wrong with graph or id. */
gpool_result gpool__graph_find(const gpool_dirty_graph *graph, gpool_dirty_node id,
                               gpool__graph_node **node);

/** Full id of a live slot. */
static inline gpool_dirty_node gpool__graph_node_id(const gpool_dirty_graph *graph, uint32_t slot)
{
    uint64_t generation = gpool__graph_node_at(graph, slot)->generation;
    return (gpool_dirty_node){ generation << 32 | slot };
}

/** Makes a live node marked, and it and what is behind it stale. */
void gpool__graph_mark(gpool_dirty_graph *graph, uint32_t slot);

/** Takes a node off the stale list; silent when it is not stale. */
void gpool__graph_unstale(gpool_dirty_graph *graph, uint32_t slot);

/**
 * Finds a way from one slot to another and writes as much of it as fits; returns the length of the
 * whole way, 0 = none.
 */
size_t gpool__graph_search(gpool_dirty_graph *graph, uint32_t from, uint32_t to,
                           gpool_dirty_node *nodes, size_t capacity);

/** Checks every invariant; false when one is broken. Not inside a walk. Cost: the whole graph. */
bool gpool__graph_validate(const gpool_dirty_graph *graph);

#endif
