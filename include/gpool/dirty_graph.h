/* gpool/dirty_graph.h: who must be computed again after a change. Needs no pool, no webgpu.h. */
#ifndef GPOOL_DIRTY_GRAPH_H
#define GPOOL_DIRTY_GRAPH_H

#include <gpool/base.h>
#include <gpool/dirty.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Nodes and directed edges from source to consumer, without cycles. Knows which nodes are stale and
 * has each computed once, inputs first, whatever the number of paths or consumers.
 *
 * A mark makes a node and all behind it stale; it visits nobody who is stale already. An update
 * goes through stale nodes only. A node is then computed when it was marked itself or when one of
 * its strong inputs changed since it last consumed it; else it rests. Each edge keeps what its
 * consumer last saw of its source, so that no consumer hides a change from another.
 * Values belong to the caller: gpool_dirty_node_index() finds them in an array. Ids are checked
 * (generation), but an id of another graph is not told from an own one. Nothing recurses.
 * All functions below: Thread: the one that owns the graph, one at a time.
 */
typedef struct gpool_dirty_graph gpool_dirty_graph;

/** Names a node of a graph. */
typedef struct gpool_dirty_node {
    uint64_t id; /**< slot in bits 0..31, generation in 32..63; zero is null */
} gpool_dirty_node;

/** Names an edge of a graph. */
typedef struct gpool_dirty_edge {
    uint64_t id; /**< slot in bits 0..31, generation in 32..63; zero is null */
} gpool_dirty_edge;

/** When a node is evaluated without being marked: at most once a pass, by its own property. */
typedef enum gpool_dirty_trigger {
    GPOOL_DIRTY_TRIGGER_NEVER,   /**< only when marked or when a strong input changed */
    GPOOL_DIRTY_TRIGGER_ALWAYS,  /**< in each pass */
    GPOOL_DIRTY_TRIGGER_ANIMATED /**< in each pass whose time is not that of the pass before */
} gpool_dirty_trigger;

/** What an edge carries. Either kind orders the work, source first, and counts for cycles. */
typedef enum gpool_dirty_strength {
    GPOOL_DIRTY_STRONG, /**< data and dirtiness */
    GPOOL_DIRTY_WEAK /**< data only: a change or failure of the source does not reach beyond it */
} gpool_dirty_strength;

/** What became of a node's output; anything outside counts as failed. `bool` converts to it. */
typedef enum gpool_dirty_outcome {
    GPOOL_DIRTY_FAILED,   /**< no new output: the node stays stale, and all behind it */
    GPOOL_DIRTY_CHANGED,  /**< a new output: consumers must compute */
    GPOOL_DIRTY_UNCHANGED /**< the output is what it was: consumers may rest */
} gpool_dirty_outcome;

/**
 * Computes one node. Called once for each node that must be computed, when its inputs are done.
 *
 * May ask the graph anything and may mark any node, also itself or one upstream: a node whose turn
 * is still to come is computed by the same update, any other by the next. Must not change the
 * graph: everything else returns GPOOL_ERROR_WRONG_PHASE.
 */
typedef gpool_dirty_outcome (*gpool_dirty_compute_fn)(void *user, gpool_dirty_node node);

/** Sizes and counters of a graph; all but the first three count since its creation. */
typedef struct gpool_dirty_graph_stats {
    uint64_t nodes;       /**< alive now */
    uint64_t edges;       /**< alive now */
    uint64_t stale;       /**< nodes that are stale now */
    uint64_t visited;     /**< nodes that marks and updates went through */
    uint64_t computed;    /**< calls of compute functions */
    uint64_t changed;     /**< of these: new output */
    uint64_t failed;      /**< of these: failed */
    uint64_t rested;      /**< stale nodes that turned out to need no compute */
    uint64_t blocked;     /**< stale nodes left alone because a strong input failed */
    uint64_t searched;    /**< nodes that cycle checks and path searches went through */
    uint64_t bytes;       /**< memory taken now */
    uint64_t allocations; /**< calls that asked for memory */
} gpool_dirty_graph_stats;

/** Returns a small number, dense from 0, that no other live node has: an index for arrays. */
static inline uint32_t gpool_dirty_node_index(gpool_dirty_node node)
{
    return (uint32_t)node.id;
}

/**
 * Makes an empty graph.
 *
 * @param allocator copied; NULL or all zero = malloc
 * @param graph     set to the graph, or to NULL on failure
 * @return GPOOL_OK, GPOOL_ERROR_INVALID_ARGUMENT (`graph` is NULL) or GPOOL_ERROR_OUT_OF_MEMORY.
 * Allocates: yes.
 */
GPOOL_API gpool_result gpool_dirty_graph_create(const gpool_allocator *allocator,
                                                gpool_dirty_graph **graph);

/**
 * Frees a graph. NULL is silent; inside a compute function it does nothing. Cost: its memory
 * blocks, one for 64 nodes.
 */
GPOOL_API void gpool_dirty_graph_destroy(gpool_dirty_graph *graph);

/**
 * Adds a node without edges. It starts stale and marked: the next update computes it.
 *
 * @param node set to the new node, or to null on failure
 * @return GPOOL_OK; GPOOL_ERROR_INVALID_ARGUMENT (null pointer or trigger outside its enumeration);
 *         GPOOL_ERROR_WRONG_PHASE; GPOOL_ERROR_LIMIT (2^32 - 1 slots); GPOOL_ERROR_OUT_OF_MEMORY,
 *         with the graph as it was.
 * Allocates: now and then.
 */
GPOOL_API gpool_result gpool_dirty_graph_add(gpool_dirty_graph *graph, gpool_dirty_trigger trigger,
                                             gpool_dirty_node *node);

/**
 * Removes a node with its edges and marks those who consumed it. Its id, the ids of its edges and
 * its flag are dead afterwards.
 *
 * @return GPOOL_OK, GPOOL_ERROR_INVALID_ARGUMENT (null graph), GPOOL_ERROR_NULL_HANDLE,
 *         GPOOL_ERROR_INVALID_HANDLE, GPOOL_ERROR_STALE_HANDLE or GPOOL_ERROR_WRONG_PHASE.
 * Allocates: never. Cost: its edges, and the marks.
 */
GPOOL_API gpool_result gpool_dirty_graph_remove(gpool_dirty_graph *graph, gpool_dirty_node node);

/**
 * Lets `consumer` depend on `source` and marks the consumer. Several edges between two nodes are
 * legal. Inputs are computed in the order in which they were connected.
 *
 * @param edge set to the new edge, or to null on failure; may be NULL
 * @return GPOOL_OK; GPOOL_ERROR_INVALID_ARGUMENT for a null graph, a strength outside its
 *         enumeration, or an edge that closes a cycle: gpool_dirty_graph_find_path() from `consumer`
 *         to `source` names it; GPOOL_ERROR_NULL_HANDLE, GPOOL_ERROR_INVALID_HANDLE or
 *         GPOOL_ERROR_STALE_HANDLE; GPOOL_ERROR_WRONG_PHASE; GPOOL_ERROR_LIMIT (2^32 - 1 slots);
 *         GPOOL_ERROR_OUT_OF_MEMORY, with the graph as it was.
 * Allocates: now and then. Cost: a search from both ends that stops when the smaller side is
 * exhausted (nothing when the consumer has no consumer or the source no input), and the mark.
 */
GPOOL_API gpool_result gpool_dirty_graph_connect(gpool_dirty_graph *graph, gpool_dirty_node source,
                                                 gpool_dirty_node consumer,
                                                 gpool_dirty_strength strength,
                                                 gpool_dirty_edge *edge);

/**
 * Removes an edge and marks its consumer, whatever the edge's strength.
 *
 * @return as gpool_dirty_graph_remove(): GPOOL_OK or what is wrong with graph, id or phase.
 * Allocates: never. Cost: the mark.
 */
GPOOL_API gpool_result gpool_dirty_graph_disconnect(gpool_dirty_graph *graph,
                                                    gpool_dirty_edge edge);

/**
 * Finds a way along edges of either strength.
 *
 * @param nodes    receives the way, `from` first and `to` last: as many nodes as fit
 * @param capacity nodes that fit into `nodes`, which may be NULL when this is 0
 * @param count    set to the nodes on the whole way (1 when `from` is `to`), 0 when there is none
 * @return GPOOL_OK, also when there is no way; GPOOL_ERROR_INVALID_ARGUMENT for a null pointer;
 *         GPOOL_ERROR_NULL_HANDLE, GPOOL_ERROR_INVALID_HANDLE or GPOOL_ERROR_STALE_HANDLE;
 *         GPOOL_ERROR_WRONG_PHASE.
 * Allocates: never. Cost: as the search in gpool_dirty_graph_connect().
 */
GPOOL_API gpool_result gpool_dirty_graph_find_path(gpool_dirty_graph *graph, gpool_dirty_node from,
                                                   gpool_dirty_node to, gpool_dirty_node *nodes,
                                                   size_t capacity, size_t *count);

/**
 * Gives a node another trigger. A trigger other than `never` that is new to it marks the node.
 *
 * @return GPOOL_OK; GPOOL_ERROR_INVALID_ARGUMENT (null graph or trigger outside its enumeration);
 *         else as gpool_dirty_graph_remove().
 * Allocates: never. Cost: the mark.
 */
GPOOL_API gpool_result gpool_dirty_graph_set_trigger(gpool_dirty_graph *graph,
                                                     gpool_dirty_node node,
                                                     gpool_dirty_trigger trigger);

/**
 * Notes that a node must be computed anew: a parameter of it, or what it reads outside the graph,
 * changed. Makes it and everything behind it along strong edges stale.
 *
 * Legal inside a compute function. Never lost: a mark raised while the node is computed, or after
 * that, makes the next update compute it again.
 * @return GPOOL_OK, GPOOL_ERROR_INVALID_ARGUMENT (null graph), GPOOL_ERROR_NULL_HANDLE,
 *         GPOOL_ERROR_INVALID_HANDLE or GPOOL_ERROR_STALE_HANDLE.
 * Allocates: never. Cost: the nodes that were not stale yet, and their edges.
 */
GPOOL_API gpool_result gpool_dirty_graph_mark(gpool_dirty_graph *graph, gpool_dirty_node node);

/**
 * Begins a pass: marks each node whose trigger says so. The same `pass` again does nothing, so that
 * every part of a program may call it before it looks at the graph.
 *
 * @param pass any number but that of the pass before, such as the frame; compared for equality only
 * @param time time that animated nodes show in this pass; its bits are compared with those of the
 *             pass before
 * @return GPOOL_OK, GPOOL_ERROR_INVALID_ARGUMENT (null graph) or GPOOL_ERROR_WRONG_PHASE.
 * Allocates: never. Cost: the nodes with trigger `always`, those with `animated` when the time
 * differs, and their marks.
 */
GPOOL_API gpool_result gpool_dirty_graph_begin_pass(gpool_dirty_graph *graph, uint64_t pass,
                                                    double time);

/**
 * Brings one node up to date: computes what is stale among it and what it depends on, each node at
 * most once, inputs first. Everything else stays as it is.
 *
 * After a failure all that does not depend on the failed node along strong edges is still computed;
 * the next update tries again.
 * @param user handed to `compute`
 * @return GPOOL_OK, also when nothing was to do; GPOOL_ERROR_FAILED_RESOURCE when a compute failed;
 *         GPOOL_ERROR_INVALID_ARGUMENT (graph or `compute` is NULL), GPOOL_ERROR_NULL_HANDLE,
 *         GPOOL_ERROR_INVALID_HANDLE or GPOOL_ERROR_STALE_HANDLE; GPOOL_ERROR_WRONG_PHASE.
 * Allocates: never itself. Cost: stale nodes and their edges; O(1) when `target` is clean.
 */
GPOOL_API gpool_result gpool_dirty_graph_update(gpool_dirty_graph *graph, gpool_dirty_node target,
                                                gpool_dirty_compute_fn compute, void *user);

/**
 * Brings all nodes up to date, as gpool_dirty_graph_update() does for one.
 *
 * @return GPOOL_OK, GPOOL_ERROR_FAILED_RESOURCE when a compute failed,
 *         GPOOL_ERROR_INVALID_ARGUMENT (graph or `compute` is NULL) or GPOOL_ERROR_WRONG_PHASE.
 * Allocates: never itself. Cost: stale nodes and their edges; O(1) when the graph is clean.
 */
GPOOL_API gpool_result gpool_dirty_graph_update_all(gpool_dirty_graph *graph,
                                                    gpool_dirty_compute_fn compute, void *user);

/**
 * True when a node is up to date in the pass that has begun: nothing it depends on along strong
 * edges is marked, failed or changed. A node that is being computed counts as up to date unless
 * something in it was marked since. False for an id that is not alive.
 */
GPOOL_API bool gpool_dirty_graph_is_clean(const gpool_dirty_graph *graph, gpool_dirty_node node);

/** True when all nodes are up to date; true for NULL. */
GPOOL_API bool gpool_dirty_graph_all_clean(const gpool_dirty_graph *graph);

/**
 * Tells what is wrong with a node's id.
 *
 * @return GPOOL_OK when it is alive, GPOOL_ERROR_INVALID_ARGUMENT (null graph),
 *         GPOOL_ERROR_NULL_HANDLE, GPOOL_ERROR_INVALID_HANDLE (never given out) or
 *         GPOOL_ERROR_STALE_HANDLE (removed).
 */
GPOOL_API gpool_result gpool_dirty_graph_check(const gpool_dirty_graph *graph,
                                               gpool_dirty_node node);

/**
 * Returns the flag that rises with each new output of a node, or NULL for an id that is not alive.
 *
 * Consumers outside the graph hold a gpool_dirty_view of it and look after an update. Valid until
 * the node is removed or the graph destroyed. Do not mark it; mark the node.
 */
GPOOL_API gpool_dirty_flag *gpool_dirty_graph_flag(gpool_dirty_graph *graph, gpool_dirty_node node);

/** Copies the counters; all zero for a null graph. A null `stats` is ignored. */
GPOOL_API void gpool_dirty_graph_get_stats(const gpool_dirty_graph *graph,
                                           gpool_dirty_graph_stats *stats);

#ifdef __cplusplus
}
#endif
#endif
