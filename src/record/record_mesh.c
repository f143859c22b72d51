/* Draws of meshes: the slabs they lie in are bound whole, so that meshes of the same slabs rebind nothing. */
#include "pool/heap_state.h"
#include "record/recording.h"

/* A mesh that can be drawn in the open pass; NULL with the error recorded. */
static gpool__mesh *record_mesh_resolve(struct gpool_recorder_state *state, gpool_mesh handle,
                                        gpool_result *result)
{
    if (!gpool__record_needs_pass(state, true, false, result)) {
        return NULL;
    }
    return (gpool__mesh *)(void *)gpool__resolve_good(state->pool, handle.id, GPOOL_KIND_MESH,
                                                      result);
}

/* Counts a setting, and whether it was dropped. */
static void record_mesh_count(gpool *pool, uint64_t redundant)
{
    uint64_t dropped = pool->stats.redundant - redundant;
    pool->stats.mesh_shared += dropped;
    pool->stats.mesh_binds += 1 - dropped;
}

static void record_mesh_set(struct gpool_recorder_state *state, uint32_t slot, gpool__mesh *mesh)
{
    gpool *pool = state->pool;
    const gpool__slab *vertices = mesh->parts[GPOOL_MESH_VERTICES].slab;
    const gpool__slab *indices = mesh->parts[GPOOL_MESH_INDICES].slab;
    gpool__resource_record(pool, &mesh->base);
    if (vertices != NULL) {
        uint64_t redundant = pool->stats.redundant;
        gpool__resource_record(pool, &vertices->buffer->base);
        gpool__record_set_vertices(state, slot, vertices->buffer, 0);
        record_mesh_count(pool, redundant);
    }
    if (indices != NULL) {
        uint64_t redundant = pool->stats.redundant;
        gpool__resource_record(pool, &indices->buffer->base);
        gpool__record_set_indices(state, indices->buffer, mesh->format, 0);
        record_mesh_count(pool, redundant);
    }
}

/* A part's begin in elements of so many words: 32 bits are enough, and fast to divide. */
static uint32_t record_mesh_first(const gpool__mesh_place *place, uint32_t words)
{
    return (uint32_t)place->at.offset / words;
}

static gpool_result record_mesh_set_checked(struct gpool_recorder_state *state, uint32_t slot,
                                            gpool_mesh handle)
{
    gpool_result result;
    if (slot >= GPOOL_MAX_VERTEX_BUFFERS) {
        return GPOOL__FAIL(state->pool, RANGE, OUT_OF_RANGE, "The vertex slot [%u] is over [%d]",
                           slot, GPOOL_MAX_VERTEX_BUFFERS - 1);
    }
    gpool__mesh *mesh = record_mesh_resolve(state, handle, &result);
    if (mesh != NULL) {
        record_mesh_set(state, slot, mesh);
    } else if (result != GPOOL_OK) {
        state->pass.vertices[slot].gpu = NULL;
        state->pass.refused_vertices |= 1u << slot;
        state->pass.index.gpu = NULL;
        state->pass.refused_index = true;
    }
    return result;
}

void gpool_set_mesh(gpool_recorder rec, uint32_t slot, gpool_mesh mesh)
{
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_set_mesh", &call);
    if (state != NULL) {
        gpool__record_leave(state, &call, record_mesh_set_checked(state, slot, mesh));
    }
}

static gpool_result record_mesh_draw(struct gpool_recorder_state *state, gpool_mesh handle,
                                     const gpool_draw_mesh_args *args)
{
    static const gpool_draw_mesh_args all = { 0 };
    gpool_result result;
    gpool__mesh *mesh = record_mesh_resolve(state, handle, &result);
    if (mesh == NULL) {
        return result;
    }
    args = args != NULL ? args : &all;
    bool indexed = mesh->index_count > 0;
    uint32_t elements = indexed ? mesh->index_count : mesh->vertex_count;
    if (!gpool__range_inside(args->first, args->count, elements)) {
        return GPOOL__FAIL(state->pool, RANGE, OUT_OF_RANGE,
                           "Elements [%u+%u] lie outside the [%u] of mesh \"%s\"", args->first,
                           args->count, elements, mesh->base.label);
    }
    record_mesh_set(state, 0, mesh);
    uint32_t count = args->count != 0 ? args->count : elements - args->first;
    const gpool__mesh_place *vertices = &mesh->parts[GPOOL_MESH_VERTICES];
    uint32_t base =
        vertices->slab != NULL ? record_mesh_first(vertices, mesh->stride / GPOOL__WORD) : 0;
    gpool_draw_args draw = { .instance_count = args->instance_count,
                             .first_instance = args->first_instance };
    if (indexed) {
        uint32_t in_word = mesh->format == WGPUIndexFormat_Uint16 ? 2 : 1;
        draw.index_count = count;
        draw.first_index =
            (uint32_t)mesh->parts[GPOOL_MESH_INDICES].at.offset * in_word + args->first;
        draw.base_vertex = (int32_t)base;
    } else {
        draw.vertex_count = count;
        draw.first_vertex = base + args->first;
    }
    uint64_t draws = state->pool->stats.draws;
    result = gpool__record_draw(state, &draw);
    state->pool->stats.mesh_draws += state->pool->stats.draws - draws;
    return result;
}

void gpool_draw_mesh(gpool_recorder rec, gpool_mesh mesh, const gpool_draw_mesh_args *args)
{
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_draw_mesh", &call);
    if (state != NULL) {
        gpool__record_leave(state, &call, record_mesh_draw(state, mesh, args));
    }
}
