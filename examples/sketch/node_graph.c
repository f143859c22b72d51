#include "node_graph.h"

#include "noise.h"
#include "palette.h"
#include "vector.h"

#include <stdlib.h>

#define MAX_NODES 64

typedef struct graph_node {
    node_desc desc;
    uint32_t input_count;
    gpool_dirty_view seen[NODE_INPUTS]; /* what this node saw of each input */
    GPOOL_TRACKED(float) output;
    gpool_texture texture;
} graph_node;

struct node_graph {
    gpool *pool;
    graph_node nodes[MAX_NODES];
    uint32_t count;
    uint64_t computed, rested;
};

/* What compute_node() works on. */
typedef struct node_work {
    node_graph *graph;
    graph_node *node;
} node_work;

static uint32_t inputs_of(node_type type)
{
    switch (type) {
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
    if (graph != NULL) {
        graph->pool = pool;
    }
    return graph;
}

void node_graph_destroy(node_graph *graph)
{
    if (graph == NULL) {
        return;
    }
    for (uint32_t i = 0; i < graph->count; ++i) {
        gpool_texture_destroy(graph->pool, graph->nodes[i].texture);
    }
    free(graph);
}

node_id node_graph_add(node_graph *graph, const node_desc *desc)
{
    uint32_t input_count = inputs_of(desc->type);
    if (graph->count == MAX_NODES) {
        return NODE_NONE;
    }
    for (uint32_t i = 0; i < input_count; ++i) {
        if (desc->inputs[i] >= graph->count) {
            return NODE_NONE;
        }
    }
    graph_node added = { .desc = *desc, .input_count = input_count };
    if (desc->type == NODE_CONSTANT) {
        added.output.value = desc->a;
    }
    if (desc->type == NODE_PALETTE) {
        added.texture = palette_create(graph->pool);
        if (added.texture.id == 0) {
            return NODE_NONE;
        }
    }
    graph->nodes[graph->count] = added;
    return graph->count++;
}

void node_graph_set(node_graph *graph, node_id id, float value, uint64_t frame)
{
    graph_node *node = &graph->nodes[id];
    if (node->output.value != value) {
        gpool_tracked_set(&node->output.tracked, &node->output.value, &value, sizeof value, frame);
    }
}

static float node_result(const node_graph *graph, const graph_node *node)
{
    const node_desc *desc = &node->desc;
    float in[NODE_INPUTS] = { 0 };
    for (uint32_t i = 0; i < node->input_count; ++i) {
        in[i] = graph->nodes[desc->inputs[i]].output.value;
    }
    switch (desc->type) {
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
    return node->output.value;
}

static bool compute_node(void *value, void *user)
{
    node_work *work = user;
    float result = node_result(work->graph, work->node);
    if (work->node->desc.type == NODE_PALETTE &&
        palette_write(work->graph->pool, work->node->texture, result) != GPOOL_OK) {
        return false;
    }
    *(float *)value = result;
    return true;
}

/*
 * Steps and floors compare before they tell: gpool_tracked_update() takes every success for a new
 * value, and behind these nodes stand the expensive consumers.
 */
static bool node_cuts_off(node_type type)
{
    return type == NODE_STEP || type == NODE_FLOOR;
}

static bool update_node(node_graph *graph, graph_node *node, uint64_t frame)
{
    uint64_t targets[NODE_INPUTS] = { 0 };
    bool stale = false;
    for (uint32_t i = 0; i < node->input_count; ++i) {
        gpool_dirty_flag *changed = &graph->nodes[node->desc.inputs[i]].output.tracked.changed;
        stale = stale || gpool_dirty_view_is(&node->seen[i], changed);
        targets[i] = gpool_dirty_view_begin(&node->seen[i], changed);
    }
    if (!stale) {
        graph->rested += 1;
        return true;
    }
    gpool_tracked *tracked = &node->output.tracked;
    if (node_cuts_off(node->desc.type)) {
        float result = node_result(graph, node);
        if (result != node->output.value) {
            gpool_tracked_set(tracked, &node->output.value, &result, sizeof result, frame);
        }
    } else {
        gpool_tracked_mark(tracked, frame);
        node_work work = { graph, node };
        if (gpool_tracked_update(tracked, &node->output.value, frame, compute_node, &work, NULL) !=
            GPOOL_OK) {
            return false;
        }
    }
    graph->computed += 1;
    for (uint32_t i = 0; i < node->input_count; ++i) {
        gpool_dirty_view_clear(&node->seen[i], targets[i]);
    }
    return true;
}

bool node_graph_update(node_graph *graph, uint64_t frame)
{
    bool ok = true;
    for (uint32_t i = 0; i < graph->count; ++i) {
        if (graph->nodes[i].desc.type != NODE_CONSTANT) {
            ok = update_node(graph, &graph->nodes[i], frame) && ok;
        }
    }
    return ok;
}

float node_graph_value(const node_graph *graph, node_id id)
{
    return graph->nodes[id].output.value;
}

gpool_texture node_graph_texture(const node_graph *graph, node_id id)
{
    return graph->nodes[id].texture;
}

bool node_watch_begin(node_graph *graph, node_watch *watch)
{
    gpool_dirty_flag *changed = &graph->nodes[watch->node].output.tracked.changed;
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
    *computed = graph->computed;
    *rested = graph->rested;
}
