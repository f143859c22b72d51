/*
 * node_graph.h: a small node graph that drives the sketch's parameters, on a gpool_dirty_graph.
 * That knows who is stale and in which order to work; here are the nodes' parameters, what they
 * compute, and what came out: a number each, and for a palette a texture of the pool as well.
 * A result that stays the same, as of a step or floor node, lets all behind it rest.
 */
#ifndef SKETCH_NODE_GRAPH_H
#define SKETCH_NODE_GRAPH_H

#include <gpool/gpool.h>

typedef struct node_graph node_graph;

/* Names a node; NODE_NONE where there is none. */
typedef gpool_dirty_node node_id;
#define NODE_NONE   ((node_id){ 0 })
#define NODE_INPUTS 2

typedef enum node_type {
    NODE_TIME,       /* seconds handed to node_graph_update() */
    NODE_CONSTANT,   /* a, until node_graph_set() says otherwise */
    NODE_LINEAR,     /* a x in0 + b */
    NODE_OSCILLATOR, /* between a and b, c turns for each unit of in0, shifted by d turns */
    NODE_NOISE,      /* between a and b, c noise cells for each unit of in0, row d */
    NODE_MIX,        /* in0 x (1 - a) + in1 x a */
    NODE_SUM,        /* a x in0 + b x in1 */
    NODE_STEP,       /* a where in0 < c, else b */
    NODE_FLOOR,      /* largest multiple of a that is not above in0 */
    NODE_FRACTION,   /* in0 - floor(in0) */
    NODE_PALETTE     /* colours of the sky, from day (in0 = 0) to dusk (in0 = 1), as a texture */
} node_type;

typedef struct node_desc {
    node_type type;
    node_id inputs[NODE_INPUTS]; /* as many as the type reads; the others NODE_NONE */
    float a, b, c, d;            /* see node_type */
} node_desc;

/* A consumer outside the graph: what it last saw of one node. Fresh = sees a change. */
typedef struct node_watch {
    node_id node;
    gpool_dirty_view seen;
    uint64_t target; /* what node_watch_clear() will have seen */
} node_watch;

/* Returns an empty graph, or NULL without memory. The pool must outlive it. */
node_graph *node_graph_create(gpool *pool);

/* Frees the graph and destroys its textures. NULL is fine. */
void node_graph_destroy(node_graph *graph);

/*
 * Adds a node, or returns NODE_NONE: the graph is full, an input is missing, memory or the pool
 * failed. A graph that lost a node takes no more, so that the last one tells about all.
 */
node_id node_graph_add(node_graph *graph, const node_desc *desc);

/* Sets a constant, for the next update; an equal value is no change. */
gpool_result node_graph_set(node_graph *graph, node_id node, float value);

/* Moves the time and computes what is stale, inputs first. A node that failed stays stale. */
gpool_result node_graph_update(node_graph *graph, uint64_t frame, double seconds);

/* What came out of a node; 0 before the first update. */
float node_graph_value(const node_graph *graph, node_id node);

/* Texture of a palette node: 64 x 2 texels, from horizon to zenith, away from and towards the sun. */
gpool_texture node_graph_texture(const node_graph *graph, node_id node);

/* True when the node changed since the last node_watch_clear(); begins consuming. */
bool node_watch_begin(node_graph *graph, node_watch *watch);

/* What node_watch_begin() saw is dealt with. Leave it out when the work failed. */
void node_watch_clear(node_watch *watch);

/* How many nodes behind a change were computed, and how many could rest, since creation. */
void node_graph_counts(const node_graph *graph, uint64_t *computed, uint64_t *rested);

#endif
