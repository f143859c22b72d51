/* Who owns what: scopes, references, moves; and the dirty graph of the program. */
#include "fault.h"

/* Scopes in scopes; what lies in them goes with them, what was moved or retained stays. */
static gpool_result scenario_scopes(fault_world *w)
{
    gpool_scope_desc desc = { .label = "outer" };
    gpool_scope outer = FAULT_MAKE(w, gpool_scope, gpool_scope_create(w->pool, &desc));
    desc = (gpool_scope_desc){ .parent = outer, .label = "inner" };
    gpool_scope inner = FAULT_MAKE_BRIEF(w, gpool_scope, gpool_scope_create(w->pool, &desc));
    gpool_buffer_desc buffer = { .size = 64,
                                 .usage = GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_READ_BACK,
                                 .label = "owned",
                                 .scope = inner };
    gpool_texture_desc texture = { .width = 4,
                                   .height = 4,
                                   .format = WGPUTextureFormat_RGBA8Unorm,
                                   .usage = GPOOL_TEXTURE_SAMPLED,
                                   .scope = inner };
    gpool_sampler_desc sampler = { .scope = outer };
    gpool_layout_desc layout = { .label = "empty", .scope = inner };
    gpool_shader_desc shader = { .wgsl = fault_double_wgsl, .scope = outer };
    gpool_buffer kept = FAULT_MAKE_BRIEF(w, gpool_buffer, gpool_buffer_create(w->pool, &buffer));
    (void)FAULT_MAKE_BRIEF(w, gpool_buffer, gpool_buffer_create(w->pool, &buffer));
    (void)FAULT_MAKE_BRIEF(w, gpool_texture, gpool_texture_create(w->pool, &texture));
    (void)FAULT_MAKE_BRIEF(w, gpool_sampler, gpool_sampler_create(w->pool, &sampler));
    (void)FAULT_MAKE_BRIEF(w, gpool_layout, gpool_layout_create(w->pool, &layout));
    (void)FAULT_MAKE_BRIEF(w, gpool_shader, gpool_shader_create(w->pool, &shader));
    gpool_scope_info info = { .child_count = 0 };
    if (FAULT_DO(w, outer.id, gpool_scope_get_info(w->pool, outer, &info)) && fault_is_whole(w)) {
        FAULT_EXPECT(w, info.child_count == 1 && info.subtree.count[GPOOL_KIND_BUFFER] == 2);
        FAULT_EXPECT(w, info.own.count[GPOOL_KIND_SHADER] == 1);
        FAULT_EXPECT(w, info.subtree.bytes[GPOOL_KIND_TEXTURE] == 64);
    }
    (void)FAULT_DO(w, kept.id, gpool_retain(w->pool, kept.id));
    (void)FAULT_DO(w, kept.id, gpool_release(w->pool, kept.id));
    (void)FAULT_DO(w, kept.id, gpool_move(w->pool, kept.id, (gpool_scope){ 0 }));
    (void)FAULT_DO(w, 0, gpool_begin_frame(w->pool));
    (void)FAULT_DO(w, kept.id, gpool_buffer_write(w->pool, kept, 0, "1234", 4));
    gpool_recorder rec = gpool_frame_recorder(w->pool);
    gpool_push_group(rec, "while a recorder is open");
    (void)FAULT_DO(w, inner.id, gpool_scope_end(w->pool, inner));
    (void)FAULT_DO(w, 0, gpool_end_frame(w->pool));
    fault_destroy(w, outer.id);
    gpool_buffer_info left;
    if (fault_is_whole(w)) {
        FAULT_EXPECT(w, gpool_buffer_get_info(w->pool, kept, &left) == GPOOL_OK);
        FAULT_EXPECT(w, gpool_scope_get_info(w->pool, inner, &info) == GPOOL_ERROR_STALE_HANDLE);
    }
    return fault_end(w);
}

static gpool_dirty_outcome graph_compute(void *user, gpool_dirty_node node)
{
    (void)node;
    *(uint32_t *)user += 1;
    return GPOOL_DIRTY_CHANGED;
}

static uint64_t graph_size(const gpool_dirty_graph *graph)
{
    gpool_dirty_graph_stats stats;
    gpool_dirty_graph_get_stats(graph, &stats);
    return stats.nodes * 1000 + stats.edges;
}

/* A chain longer than a block of nodes, and edges across it. */
static gpool_result scenario_dirty_graph(fault_world *w)
{
    gpool_allocator hooks = fault_hooks(&w->device_memory);
    gpool_dirty_graph *graph = NULL;
    gpool_dirty_node nodes[70];
    uint32_t computed = 0;
    if (!FAULT_DO(w, 0, gpool_dirty_graph_create(&hooks, &graph))) {
        FAULT_EXPECT(w, graph == NULL);
        return fault_end(w);
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < 70; ++i) {
        uint64_t size = graph_size(graph);
        bool added =
            FAULT_DO(w, 0, gpool_dirty_graph_add(graph, GPOOL_DIRTY_TRIGGER_NEVER, &nodes[count]));
        FAULT_EXPECT(w, added || graph_size(graph) == size);
        count += added;
    }
    for (uint32_t i = 1; i < count; ++i) {
        uint64_t size = graph_size(graph);
        bool connected = FAULT_DO(
            w, 0,
            gpool_dirty_graph_connect(graph, nodes[i / 2], nodes[i], GPOOL_DIRTY_STRONG, NULL));
        FAULT_EXPECT(w, connected || graph_size(graph) == size);
    }
    (void)FAULT_DO(w, 0, gpool_dirty_graph_update_all(graph, graph_compute, &computed));
    FAULT_EXPECT(w, computed == count && gpool_dirty_graph_all_clean(graph));
    if (count > 2) {
        (void)FAULT_DO(w, 0, gpool_dirty_graph_remove(graph, nodes[1]));
    }
    (void)FAULT_DO(w, 0, gpool_dirty_graph_update_all(graph, graph_compute, &computed));
    gpool_dirty_graph_destroy(graph);
    return fault_end(w);
}

FAULT_SWEEP(dirty_graph, scenario_dirty_graph)
FAULT_SWEEP(scopes, scenario_scopes)
