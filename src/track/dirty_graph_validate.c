#include "track/dirty_graph_state.h"

static bool graph_validate_in(const gpool_dirty_graph *graph, uint32_t slot, uint64_t *edges)
{
    const gpool__graph_node *node = gpool__graph_node_at(graph, slot);
    uint32_t before = GPOOL__GRAPH_NONE;
    for (uint32_t in = node->first_in; in != GPOOL__GRAPH_NONE; in = graph->edges[in].in_next) {
        if (in >= graph->edge_count || *edges == graph->edge_count) {
            return false;
        }
        const gpool__graph_edge *edge = &graph->edges[in];
        const gpool__graph_node *source = gpool__graph_node_at(graph, edge->source);
        if (edge->consumer != slot || edge->in_prev != before || !source->live) {
            return false;
        }
        bool unseen = source->stale || gpool_dirty_view_is(&edge->seen, &source->changed);
        if (!edge->weak && unseen && !node->stale) {
            return false;
        }
        before = in;
        *edges += 1;
    }
    return node->last_in == before;
}

static bool graph_validate_out(const gpool_dirty_graph *graph, uint32_t slot, uint64_t *edges)
{
    uint32_t before = GPOOL__GRAPH_NONE;
    uint32_t out = gpool__graph_node_at(graph, slot)->first_out;
    for (; out != GPOOL__GRAPH_NONE; out = graph->edges[out].out_next) {
        if (out >= graph->edge_count || *edges == graph->edge_count ||
            graph->edges[out].source != slot || graph->edges[out].out_prev != before) {
            return false;
        }
        before = out;
        *edges += 1;
    }
    return true;
}

static bool graph_validate_stale(const gpool_dirty_graph *graph)
{
    uint64_t count = 0;
    uint32_t before = GPOOL__GRAPH_NONE;
    uint32_t slot = graph->stale_first;
    while (slot != GPOOL__GRAPH_NONE) {
        const gpool__graph_node *node = gpool__graph_node_at(graph, slot);
        if (!node->live || !node->stale || node->stale_prev != before ||
            count == graph->slot_count) {
            return false;
        }
        count += 1;
        before = slot;
        slot = node->stale_next;
    }
    return graph->stale_last == before && count == graph->stats.stale;
}

static bool graph_validate_triggers(const gpool_dirty_graph *graph, uint64_t triggered)
{
    uint64_t count = 0;
    for (uint8_t trigger = 1; trigger < 3; ++trigger) {
        uint32_t before = GPOOL__GRAPH_NONE;
        uint32_t slot = graph->triggered[trigger];
        while (slot != GPOOL__GRAPH_NONE) {
            const gpool__graph_node *node = gpool__graph_node_at(graph, slot);
            if (!node->live || node->trigger != trigger || node->trigger_prev != before ||
                count == graph->slot_count) {
                return false;
            }
            count += 1;
            before = slot;
            slot = node->trigger_next;
        }
    }
    return count == triggered;
}

bool gpool__graph_validate(const gpool_dirty_graph *graph)
{
    uint64_t nodes = 0;
    uint64_t stale = 0;
    uint64_t triggered = 0;
    uint64_t in_edges = 0;
    uint64_t out_edges = 0;
    for (uint32_t slot = 0; slot < graph->slot_count; ++slot) {
        const gpool__graph_node *node = gpool__graph_node_at(graph, slot);
        if (!node->live) {
            continue;
        }
        nodes += 1;
        stale += node->stale;
        triggered += node->trigger != GPOOL_DIRTY_TRIGGER_NEVER;
        if ((node->marked && !node->stale) || !graph_validate_in(graph, slot, &in_edges) ||
            !graph_validate_out(graph, slot, &out_edges)) {
            return false;
        }
    }
    return !graph->walking && nodes == graph->stats.nodes && stale == graph->stats.stale &&
           in_edges == graph->stats.edges && out_edges == graph->stats.edges &&
           graph_validate_stale(graph) && graph_validate_triggers(graph, triggered);
}
