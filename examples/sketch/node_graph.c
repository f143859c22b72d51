#include "node_graph.h"

#include "noise.h"
#include "palette.h"
#include "vector.h"

#include <stdlib.h>

#define MAX_NODES 64

typedef struct graph_node {
    node_desc desc;
    float output;
    gpool_texture texture;
} graph_node;

struct node_graph {
    gpool *pool;
    gpool_dirty_graph *dirty;
    graph_node nodes[MAX_NODES]; /* at gpool_dirty_node_index() */
    float seconds;
    bool broken; /* a node could not be added */
};

static graph_node *find_node(node_graph *graph, node_id id)
{
    return &graph->nodes[gpool_dirty_node_index(id)];
}

static uint32_t inputs_of(node_type type)
{
    switch (type) {
    case NODE_TIME:
    case NODE_CONSTANT:
        return 0;
    case NODE_MIX:
    case NODE_SUM:
        return 2;
    default:
        return 1;
    }
}

node_graph *node_graph_create(gpool *pool)
{
    node_graph *graph = calloc(1, sizeof *graph);
    if (graph == NULL) {
        return NULL;
    }
    graph->pool = pool;
    if (gpool_dirty_graph_create(NULL, &graph->dirty) != GPOOL_OK) {
        free(graph);
        return NULL;
    }
    return graph;
}

void node_graph_destroy(node_graph *graph)
{
    if (graph == NULL) {
        return;
    }
    for (uint32_t i = 0; i < MAX_NODES; ++i) {
        gpool_texture_destroy(graph->pool, graph->nodes[i].texture);
    }
    gpool_dirty_graph_destroy(graph->dirty);
    free(graph);
}

static bool add_node(node_graph *graph, const node_desc *desc, node_id *id)
{
    gpool_dirty_trigger trigger =
        desc->type == NODE_TIME ? GPOOL_DIRTY_TRIGGER_ANIMATED : GPOOL_DIRTY_TRIGGER_NEVER;
    if (gpool_dirty_graph_add(graph->dirty, trigger, id) != GPOOL_OK ||
        gpool_dirty_node_index(*id) >= MAX_NODES) {
        return false;
    }
    graph_node *node = find_node(graph, *id);
    node->desc = *desc;
    for (uint32_t i = 0; i < inputs_of(desc->type); ++i) {
        if (gpool_dirty_graph_connect(graph->dirty, desc->inputs[i], *id, GPOOL_DIRTY_STRONG,
                                      NULL) != GPOOL_OK) {
            return false;
        }
    }
    if (desc->type == NODE_PALETTE) {
        node->texture = palette_create(graph->pool);
        return node->texture.id != 0;
    }
    return true;
}

node_id node_graph_add(node_graph *graph, const node_desc *desc)
{
    node_id id = NODE_NONE;
    graph->broken = graph->broken || !add_node(graph, desc, &id);
    return graph->broken ? NODE_NONE : id;
}

gpool_result node_graph_set(node_graph *graph, node_id id, float value)
{
    gpool_result result = gpool_dirty_graph_check(graph->dirty, id);
    if (result != GPOOL_OK || find_node(graph, id)->desc.a == value) {
        return result;
    }
    find_node(graph, id)->desc.a = value;
    return gpool_dirty_graph_mark(graph->dirty, id);
}

static float node_result(const node_graph *graph, const node_desc *desc)
{
    float in[NODE_INPUTS] = { 0 };
    for (uint32_t i = 0; i < inputs_of(desc->type); ++i) {
        in[i] = node_graph_value(graph, desc->inputs[i]);
    }
    switch (desc->type) {
    case NODE_TIME:
        return graph->seconds;
    case NODE_LINEAR:
        return desc->a * in[0] + desc->b;
    case NODE_OSCILLATOR: {
        float wave = sinf(2.0f * SKETCH_PI * (desc->c * in[0] + desc->d));
        return mixf(desc->a, desc->b, 0.5f + 0.5f * wave);
    }
    case NODE_NOISE: {
        float wave = noise_gradient(desc->c * in[0], desc->d, 0.5f);
        return mixf(desc->a, desc->b, clampf(0.5f + 0.5f * wave, 0.0f, 1.0f));
    }
    case NODE_MIX:
        return mixf(in[0], in[1], desc->a);
    case NODE_SUM:
        return desc->a * in[0] + desc->b * in[1];
    case NODE_STEP:
        return in[0] < desc->c ? desc->a : desc->b;
    case NODE_FLOOR:
        return desc->a * floorf(in[0] / desc->a);
    case NODE_FRACTION:
        return in[0] - floorf(in[0]);
    case NODE_PALETTE:
        return in[0];
    case NODE_CONSTANT:
        break;
    }
    return desc->a;
}

static gpool_dirty_outcome compute_node(void *user, gpool_dirty_node id)
{
    node_graph *graph = user;
    graph_node *node = find_node(graph, id);
    float result = node_result(graph, &node->desc);
    if (node->desc.type == NODE_PALETTE &&
        palette_write(graph->pool, node->texture, result) != GPOOL_OK) {
        return GPOOL_DIRTY_FAILED;
    }
    bool same = result == node->output;
    node->output = result;
    return same ? GPOOL_DIRTY_UNCHANGED : GPOOL_DIRTY_CHANGED;
}

gpool_result node_graph_update(node_graph *graph, uint64_t frame, double seconds)
{
    if (graph->broken) {
        return GPOOL_ERROR_FAILED_RESOURCE;
    }
    graph->seconds = (float)seconds;
    gpool_result result = gpool_dirty_graph_begin_pass(graph->dirty, frame, seconds);
    return result == GPOOL_OK ? gpool_dirty_graph_update_all(graph->dirty, compute_node, graph)
                              : result;
}

float node_graph_value(const node_graph *graph, node_id id)
{
    return graph->nodes[gpool_dirty_node_index(id)].output;
}

gpool_texture node_graph_texture(const node_graph *graph, node_id id)
{
    return graph->nodes[gpool_dirty_node_index(id)].texture;
}

bool node_watch_begin(node_graph *graph, node_watch *watch)
{
    gpool_dirty_flag *changed = gpool_dirty_graph_flag(graph->dirty, watch->node);
    if (changed == NULL) {
        return false; /* nothing to watch */
    }
    bool dirty = gpool_dirty_view_is(&watch->seen, changed);
    watch->target = gpool_dirty_view_begin(&watch->seen, changed);
    return dirty;
}

void node_watch_clear(node_watch *watch)
{
    gpool_dirty_view_clear(&watch->seen, watch->target);
}

void node_graph_counts(const node_graph *graph, uint64_t *computed, uint64_t *rested)
{
    gpool_dirty_graph_stats stats;
    gpool_dirty_graph_get_stats(graph->dirty, &stats);
    *computed = stats.computed;
    *rested = stats.rested;
}
