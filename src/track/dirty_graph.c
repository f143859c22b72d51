#include "track/dirty_graph_state.h"

#define DIRTY_GRAPH_GENERATION(id) ((uint32_t)((id) >> 32))

static gpool__graph_node *dirty_graph_at(const gpool_dirty_graph *graph, uint32_t slot)
{
    return gpool__graph_node_at(graph, slot);
}

/* What is wrong with an id whose slot holds `generation` and is dead or of that generation. */
static gpool_result dirty_graph_judge(uint64_t id, uint32_t generation, bool live)
{
    if (DIRTY_GRAPH_GENERATION(id) == 0 || DIRTY_GRAPH_GENERATION(id) > generation) {
        return GPOOL_ERROR_INVALID_HANDLE;
    }
    return live && DIRTY_GRAPH_GENERATION(id) == generation ? GPOOL_OK : GPOOL_ERROR_STALE_HANDLE;
}

gpool_result gpool__graph_find(const gpool_dirty_graph *graph, gpool_dirty_node id,
                               gpool__graph_node **node)
{
    *node = NULL;
    if (graph == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (id.id == 0) {
        return GPOOL_ERROR_NULL_HANDLE;
    }
    if ((uint32_t)id.id >= graph->slot_count) {
        return GPOOL_ERROR_INVALID_HANDLE;
    }
    gpool__graph_node *found = dirty_graph_at(graph, (uint32_t)id.id);
    gpool_result result = dirty_graph_judge(id.id, found->generation, found->live);
    if (result == GPOOL_OK) {
        *node = found;
    }
    return result;
}

gpool_result gpool_dirty_graph_create(const gpool_allocator *allocator, gpool_dirty_graph **graph)
{
    if (graph == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    gpool__memory memory;
    gpool__memory_init(&memory, allocator);
    *graph = gpool__alloc(&memory, sizeof **graph);
    if (*graph == NULL) {
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    gpool_dirty_graph *made = *graph;
    made->memory = memory;
    made->free_nodes = (gpool__graph_free){ GPOOL__GRAPH_NONE, GPOOL__GRAPH_NONE };
    made->free_edges = made->free_nodes;
    made->stale_first = made->stale_last = GPOOL__GRAPH_NONE;
    made->next_root = GPOOL__GRAPH_NONE;
    for (size_t i = 0; i < sizeof made->triggered / sizeof made->triggered[0]; ++i) {
        made->triggered[i] = GPOOL__GRAPH_NONE;
    }
    return GPOOL_OK;
}

void gpool_dirty_graph_destroy(gpool_dirty_graph *graph)
{
    if (graph == NULL || graph->walking) {
        return;
    }
    gpool__memory memory = graph->memory;
    for (uint32_t i = 0; i < graph->page_count; ++i) {
        gpool__free(&memory, graph->pages[i], GPOOL__GRAPH_PAGE_NODES * sizeof **graph->pages);
    }
    gpool__free(&memory, graph->pages, graph->page_capacity * sizeof *graph->pages);
    gpool__free(&memory, graph->edges, graph->edge_capacity * sizeof *graph->edges);
    gpool__free(&memory, graph, sizeof *graph);
}

/* --- slots --- */

/* A dead slot for a node, still in the free list when there is one. */
static gpool_result dirty_graph_node_slot(gpool_dirty_graph *graph, uint32_t *slot)
{
    *slot = graph->free_nodes.first;
    if (*slot != GPOOL__GRAPH_NONE) {
        return GPOOL_OK;
    }
    if (graph->slot_count == GPOOL__GRAPH_NONE) {
        return GPOOL_ERROR_LIMIT;
    }
    if (graph->slot_count == graph->page_count * GPOOL__GRAPH_PAGE_NODES) {
        void *pages = graph->pages;
        if (!gpool__reserve(&graph->memory, &pages, &graph->page_capacity, graph->page_count + 1,
                            sizeof *graph->pages)) {
            return GPOOL_ERROR_OUT_OF_MEMORY;
        }
        graph->pages = pages;
        gpool__graph_node *page =
            gpool__alloc(&graph->memory, GPOOL__GRAPH_PAGE_NODES * sizeof *page);
        if (page == NULL) {
            return GPOOL_ERROR_OUT_OF_MEMORY;
        }
        graph->pages[graph->page_count++] = page;
    }
    *slot = graph->slot_count;
    return GPOOL_OK;
}

/* The same for an edge. */
static gpool_result dirty_graph_edge_slot(gpool_dirty_graph *graph, uint32_t *slot)
{
    *slot = graph->free_edges.first;
    if (*slot != GPOOL__GRAPH_NONE) {
        return GPOOL_OK;
    }
    if (graph->edge_count == GPOOL__GRAPH_NONE) {
        return GPOOL_ERROR_LIMIT;
    }
    void *edges = graph->edges;
    if (!gpool__reserve(&graph->memory, &edges, &graph->edge_capacity, graph->edge_count + 1,
                        sizeof *graph->edges)) {
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    graph->edges = edges;
    *slot = graph->edge_count;
    return GPOOL_OK;
}

/* Takes the first slot of a free list, whose successor is `next`. */
static void dirty_graph_free_take(gpool__graph_free *list, uint32_t next)
{
    list->first = next;
    if (next == GPOOL__GRAPH_NONE) {
        list->last = GPOOL__GRAPH_NONE;
    }
}

/* Appends a slot; returns the slot before it, which must point to it, or GPOOL__GRAPH_NONE. */
static uint32_t dirty_graph_free_give(gpool__graph_free *list, uint32_t slot)
{
    uint32_t before = list->last;
    list->last = slot;
    if (before == GPOOL__GRAPH_NONE) {
        list->first = slot;
    }
    return before;
}

/* --- triggers --- */

static void dirty_graph_link_trigger(gpool_dirty_graph *graph, uint32_t slot, uint8_t trigger)
{
    gpool__graph_node *node = dirty_graph_at(graph, slot);
    node->trigger = trigger;
    node->trigger_prev = GPOOL__GRAPH_NONE;
    node->trigger_next = GPOOL__GRAPH_NONE;
    if (trigger != GPOOL_DIRTY_TRIGGER_NEVER) {
        node->trigger_next = graph->triggered[trigger];
        if (node->trigger_next != GPOOL__GRAPH_NONE) {
            dirty_graph_at(graph, node->trigger_next)->trigger_prev = slot;
        }
        graph->triggered[trigger] = slot;
    }
}

static void dirty_graph_unlink_trigger(gpool_dirty_graph *graph, uint32_t slot)
{
    gpool__graph_node *node = dirty_graph_at(graph, slot);
    if (node->trigger == GPOOL_DIRTY_TRIGGER_NEVER) {
        return;
    }
    if (node->trigger_next != GPOOL__GRAPH_NONE) {
        dirty_graph_at(graph, node->trigger_next)->trigger_prev = node->trigger_prev;
    }
    if (node->trigger_prev != GPOOL__GRAPH_NONE) {
        dirty_graph_at(graph, node->trigger_prev)->trigger_next = node->trigger_next;
    } else {
        graph->triggered[node->trigger] = node->trigger_next;
    }
    node->trigger = GPOOL_DIRTY_TRIGGER_NEVER;
}

static bool dirty_graph_is_trigger(gpool_dirty_trigger trigger)
{
    return trigger == GPOOL_DIRTY_TRIGGER_NEVER || trigger == GPOOL_DIRTY_TRIGGER_ALWAYS ||
           trigger == GPOOL_DIRTY_TRIGGER_ANIMATED;
}

gpool_result gpool_dirty_graph_set_trigger(gpool_dirty_graph *graph, gpool_dirty_node node,
                                           gpool_dirty_trigger trigger)
{
    gpool__graph_node *found = NULL;
    gpool_result result = gpool__graph_find(graph, node, &found);
    if (result != GPOOL_OK) {
        return result;
    }
    if (!dirty_graph_is_trigger(trigger)) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (graph->walking) {
        return GPOOL_ERROR_WRONG_PHASE;
    }
    if (found->trigger == trigger) {
        return GPOOL_OK;
    }
    uint32_t slot = gpool_dirty_node_index(node);
    dirty_graph_unlink_trigger(graph, slot);
    dirty_graph_link_trigger(graph, slot, (uint8_t)trigger);
    if (trigger != GPOOL_DIRTY_TRIGGER_NEVER) {
        gpool__graph_mark(graph, slot);
    }
    return GPOOL_OK;
}

/* --- nodes --- */

gpool_result gpool_dirty_graph_add(gpool_dirty_graph *graph, gpool_dirty_trigger trigger,
                                   gpool_dirty_node *node)
{
    if (node == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    node->id = 0;
    if (graph == NULL || !dirty_graph_is_trigger(trigger)) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (graph->walking) {
        return GPOOL_ERROR_WRONG_PHASE;
    }
    uint32_t slot = GPOOL__GRAPH_NONE;
    gpool_result result = dirty_graph_node_slot(graph, &slot);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__graph_node *made = dirty_graph_at(graph, slot);
    if (slot == graph->slot_count) {
        graph->slot_count += 1;
    } else {
        dirty_graph_free_take(&graph->free_nodes, made->stale_next);
    }
    made->live = true;
    made->generation += 1;
    made->first_in = made->last_in = made->first_out = GPOOL__GRAPH_NONE;
    dirty_graph_link_trigger(graph, slot, (uint8_t)trigger);
    graph->stats.nodes += 1;
    gpool__graph_mark(graph, slot);
    *node = gpool__graph_node_id(graph, slot);
    return GPOOL_OK;
}

static void dirty_graph_cut(gpool_dirty_graph *graph, uint32_t slot);

gpool_result gpool_dirty_graph_remove(gpool_dirty_graph *graph, gpool_dirty_node node)
{
    gpool__graph_node *found = NULL;
    gpool_result result = gpool__graph_find(graph, node, &found);
    if (result != GPOOL_OK) {
        return result;
    }
    if (graph->walking) {
        return GPOOL_ERROR_WRONG_PHASE;
    }
    uint32_t slot = gpool_dirty_node_index(node);
    while (found->first_in != GPOOL__GRAPH_NONE) {
        dirty_graph_cut(graph, found->first_in);
    }
    while (found->first_out != GPOOL__GRAPH_NONE) {
        uint32_t consumer = graph->edges[found->first_out].consumer;
        dirty_graph_cut(graph, found->first_out);
        gpool__graph_mark(graph, consumer);
    }
    gpool__graph_unstale(graph, slot);
    dirty_graph_unlink_trigger(graph, slot);
    /* A view that outlives the node sees a change in whoever takes the slot. */
    uint64_t marks = found->changed.marks + 1;
    found->changed = (gpool_dirty_flag){ .reference = marks, .marks = marks };
    found->live = false;
    found->marked = false;
    graph->stats.nodes -= 1;
    if (found->generation < GPOOL__GRAPH_GENERATION_MAX) {
        found->stale_next = GPOOL__GRAPH_NONE;
        uint32_t before = dirty_graph_free_give(&graph->free_nodes, slot);
        if (before != GPOOL__GRAPH_NONE) {
            dirty_graph_at(graph, before)->stale_next = slot;
        }
    }
    return GPOOL_OK;
}

/* --- edges --- */

static void dirty_graph_link_edge(gpool_dirty_graph *graph, uint32_t slot)
{
    gpool__graph_edge *edge = &graph->edges[slot];
    gpool__graph_node *source = dirty_graph_at(graph, edge->source);
    gpool__graph_node *consumer = dirty_graph_at(graph, edge->consumer);
    edge->out_prev = GPOOL__GRAPH_NONE;
    edge->out_next = source->first_out;
    if (edge->out_next != GPOOL__GRAPH_NONE) {
        graph->edges[edge->out_next].out_prev = slot;
    }
    source->first_out = slot;
    edge->in_next = GPOOL__GRAPH_NONE;
    edge->in_prev = consumer->last_in;
    if (edge->in_prev != GPOOL__GRAPH_NONE) {
        graph->edges[edge->in_prev].in_next = slot;
    } else {
        consumer->first_in = slot;
    }
    consumer->last_in = slot;
}

/* Takes an edge out of its lists and gives its slot back. Marks nobody. */
static void dirty_graph_cut(gpool_dirty_graph *graph, uint32_t slot)
{
    gpool__graph_edge *edges = graph->edges;
    gpool__graph_edge *edge = &edges[slot];
    gpool__graph_node *source = dirty_graph_at(graph, edge->source);
    gpool__graph_node *consumer = dirty_graph_at(graph, edge->consumer);
    if (edge->out_next != GPOOL__GRAPH_NONE) {
        edges[edge->out_next].out_prev = edge->out_prev;
    }
    if (edge->out_prev != GPOOL__GRAPH_NONE) {
        edges[edge->out_prev].out_next = edge->out_next;
    } else {
        source->first_out = edge->out_next;
    }
    if (edge->in_next != GPOOL__GRAPH_NONE) {
        edges[edge->in_next].in_prev = edge->in_prev;
    } else {
        consumer->last_in = edge->in_prev;
    }
    if (edge->in_prev != GPOOL__GRAPH_NONE) {
        edges[edge->in_prev].in_next = edge->in_next;
    } else {
        consumer->first_in = edge->in_next;
    }
    edge->source = GPOOL__GRAPH_NONE;
    edge->in_next = GPOOL__GRAPH_NONE;
    graph->stats.edges -= 1;
    if (edge->generation < GPOOL__GRAPH_GENERATION_MAX) {
        uint32_t before = dirty_graph_free_give(&graph->free_edges, slot);
        if (before != GPOOL__GRAPH_NONE) {
            edges[before].in_next = slot;
        }
    }
}

gpool_result gpool_dirty_graph_connect(gpool_dirty_graph *graph, gpool_dirty_node source,
                                       gpool_dirty_node consumer, gpool_dirty_strength strength,
                                       gpool_dirty_edge *edge)
{
    if (edge != NULL) {
        edge->id = 0;
    }
    gpool__graph_node *found = NULL;
    gpool_result result = gpool__graph_find(graph, source, &found);
    if (result == GPOOL_OK) {
        result = gpool__graph_find(graph, consumer, &found);
    }
    if (result != GPOOL_OK) {
        return result;
    }
    if (strength != GPOOL_DIRTY_STRONG && strength != GPOOL_DIRTY_WEAK) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (graph->walking) {
        return GPOOL_ERROR_WRONG_PHASE;
    }
    uint32_t from = gpool_dirty_node_index(source);
    uint32_t to = gpool_dirty_node_index(consumer);
    if (gpool__graph_search(graph, to, from, NULL, 0) != 0) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    uint32_t slot = GPOOL__GRAPH_NONE;
    result = dirty_graph_edge_slot(graph, &slot);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__graph_edge *made = &graph->edges[slot];
    if (slot == graph->edge_count) {
        graph->edge_count += 1;
    } else {
        dirty_graph_free_take(&graph->free_edges, made->in_next);
    }
    *made = (gpool__graph_edge){ .source = from,
                                 .consumer = to,
                                 .generation = made->generation + 1,
                                 .weak = strength == GPOOL_DIRTY_WEAK };
    dirty_graph_link_edge(graph, slot);
    graph->stats.edges += 1;
    gpool__graph_mark(graph, to);
    if (edge != NULL) {
        edge->id = (uint64_t)made->generation << 32 | slot;
    }
    return GPOOL_OK;
}

gpool_result gpool_dirty_graph_disconnect(gpool_dirty_graph *graph, gpool_dirty_edge edge)
{
    if (graph == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (edge.id == 0) {
        return GPOOL_ERROR_NULL_HANDLE;
    }
    uint32_t slot = (uint32_t)edge.id;
    if (slot >= graph->edge_count) {
        return GPOOL_ERROR_INVALID_HANDLE;
    }
    const gpool__graph_edge *found = &graph->edges[slot];
    gpool_result result =
        dirty_graph_judge(edge.id, found->generation, found->source != GPOOL__GRAPH_NONE);
    if (result != GPOOL_OK) {
        return result;
    }
    if (graph->walking) {
        return GPOOL_ERROR_WRONG_PHASE;
    }
    uint32_t consumer = found->consumer;
    dirty_graph_cut(graph, slot);
    gpool__graph_mark(graph, consumer);
    return GPOOL_OK;
}

/* --- questions --- */

bool gpool_dirty_graph_is_clean(const gpool_dirty_graph *graph, gpool_dirty_node node)
{
    gpool__graph_node *found = NULL;
    return gpool__graph_find(graph, node, &found) == GPOOL_OK && !found->stale;
}

bool gpool_dirty_graph_all_clean(const gpool_dirty_graph *graph)
{
    return graph == NULL || graph->stats.stale == 0;
}

gpool_result gpool_dirty_graph_check(const gpool_dirty_graph *graph, gpool_dirty_node node)
{
    gpool__graph_node *found = NULL;
    return gpool__graph_find(graph, node, &found);
}

gpool_dirty_flag *gpool_dirty_graph_flag(gpool_dirty_graph *graph, gpool_dirty_node node)
{
    gpool__graph_node *found = NULL;
    return gpool__graph_find(graph, node, &found) == GPOOL_OK ? &found->changed : NULL;
}

gpool_result gpool_dirty_graph_find_path(gpool_dirty_graph *graph, gpool_dirty_node from,
                                         gpool_dirty_node to, gpool_dirty_node *nodes,
                                         size_t capacity, size_t *count)
{
    if (count == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    *count = 0;
    gpool__graph_node *found = NULL;
    gpool_result result = gpool__graph_find(graph, from, &found);
    if (result == GPOOL_OK) {
        result = gpool__graph_find(graph, to, &found);
    }
    if (result != GPOOL_OK) {
        return result;
    }
    if (nodes == NULL && capacity != 0) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (graph->walking) {
        return GPOOL_ERROR_WRONG_PHASE;
    }
    *count = gpool__graph_search(graph, gpool_dirty_node_index(from), gpool_dirty_node_index(to),
                                 nodes, capacity);
    return GPOOL_OK;
}

void gpool_dirty_graph_get_stats(const gpool_dirty_graph *graph, gpool_dirty_graph_stats *stats)
{
    if (stats == NULL) {
        return;
    }
    *stats = (gpool_dirty_graph_stats){ 0 };
    if (graph != NULL) {
        *stats = graph->stats;
        stats->bytes = graph->memory.bytes;
        stats->allocations = graph->memory.allocations;
    }
}
