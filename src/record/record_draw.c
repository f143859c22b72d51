/*
 * Draws and dispatches. What we own is checked before the call: a draw that WebGPU would refuse is
 * skipped and named here, instead of spoiling the whole recording at Finish.
 */
#include "record/recording.h"

/* True when a draw needs what was refused before. It is counted only: the refusal was told. */
static bool draw_is_spoiled(struct gpool_recorder_state *state, bool indexed)
{
    const gpool__pass_state *pass = &state->pass;
    if (pass->unready_pipeline) {
        state->pool->stats.unready_draws += 1;
        return true;
    }
    const gpool__pipeline *pipeline = pass->raw ? NULL : pass->known_pipeline;
    uint32_t groups = pass->refused_groups;
    uint32_t slots = pass->refused_vertices;
    bool others = pass->refused_pipeline || (indexed && pass->refused_index);
    if (groups == 0 && slots == 0 && !others) {
        return false;
    }
    if (pipeline != NULL) {
        /* What the pipeline does not use does not matter; of a raw one nothing is known. */
        for (uint32_t i = 0; i < GPOOL_MAX_GROUPS; ++i) {
            groups &=
                i < pipeline->groups.count && pipeline->groups.groups[i] != NULL ? ~0u : ~(1u << i);
        }
        for (uint32_t i = 0; i < GPOOL_MAX_VERTEX_BUFFERS; ++i) {
            slots &= i < pipeline->slot_count && pipeline->slots[i].stride != 0 ? ~0u : ~(1u << i);
        }
    }
    bool spoiled = others || groups != 0 || slots != 0;
    state->pool->stats.skipped += spoiled ? 1 : 0;
    return spoiled;
}

/* Groups the pipeline needs must be bound with its layouts. */
static gpool_result draw_check_groups(struct gpool_recorder_state *state)
{
    gpool *pool = state->pool;
    const gpool__pipeline *pipeline = state->pass.known_pipeline;
    if (state->pass.pipeline == NULL && !state->pass.raw) {
        return GPOOL__FAIL(pool, PHASE, WRONG_PHASE, "No pipeline is set in pass \"%s\"",
                           state->pass_label);
    }
    if (pipeline == NULL || state->pass.raw) {
        return GPOOL_OK;
    }
    for (uint32_t i = 0; i < pipeline->groups.count; ++i) {
        const gpool__group_layout *group = pipeline->groups.groups[i];
        if (group == NULL) {
            continue;
        }
        WGPUBindGroup bound = state->pass.groups[i].gpu;
        /* Layouts fit when their entries are equal; by hash, as WebGPU looks again at Finish. */
        uint64_t layout = state->pass.groups[i].layout;
        if (bound == NULL || (layout != 0 && layout != group->hash)) {
            return GPOOL__FAIL(
                pool, PHASE, WRONG_PHASE, "Group [%u] of pipeline \"%s\" is %s in pass \"%s\"", i,
                pipeline->base.label, bound == NULL ? "not set" : "set with another layout",
                state->pass_label);
        }
    }
    return GPOOL_OK;
}

/* One vertex slot holds elements [first, first + count). */
static gpool_result draw_check_slot(struct gpool_recorder_state *state, uint32_t slot,
                                    uint64_t first, uint64_t count)
{
    gpool *pool = state->pool;
    const gpool__vertex_slot *needs = &state->pass.known_pipeline->slots[slot];
    if (needs->stride == 0) {
        return GPOOL_OK;
    }
    const char *label = state->pass.known_pipeline->base.label;
    if (state->pass.vertices[slot].gpu == NULL) {
        return GPOOL__FAIL(pool, PHASE, WRONG_PHASE,
                           "Vertex slot [%u] of pipeline \"%s\" is not set in pass \"%s\"", slot,
                           label, state->pass_label);
    }
    uint64_t end = count == 0 ? 0 : (first + count - 1) * needs->stride + needs->last_bytes;
    if (end > state->pass.vertices[slot].size) {
        return GPOOL__FAIL(
            pool, RANGE, OUT_OF_RANGE,
            "Elements [%llu+%llu] of vertex slot [%u] of pipeline \"%s\" need [%llu] "
            "bytes, bound are [%llu]",
            (unsigned long long)first, (unsigned long long)count, slot, label,
            (unsigned long long)end, (unsigned long long)state->pass.vertices[slot].size);
    }
    return GPOOL_OK;
}

static gpool_result draw_check_index(struct gpool_recorder_state *state, uint64_t first,
                                     uint64_t count)
{
    if (state->pass.raw) {
        return GPOOL_OK;
    }
    gpool *pool = state->pool;
    if (state->pass.index.gpu == NULL) {
        return GPOOL__FAIL(pool, PHASE, WRONG_PHASE, "No index buffer is set in pass \"%s\"",
                           state->pass_label);
    }
    uint64_t unit = state->pass.index.format == WGPUIndexFormat_Uint16 ? 2 : 4;
    first += state->pass.index.bias;
    if ((first + count) * unit > state->pass.index.size) {
        return GPOOL__FAIL(pool, RANGE, OUT_OF_RANGE,
                           "Indices [%llu+%llu] need [%llu] bytes, bound are [%llu]",
                           (unsigned long long)first, (unsigned long long)count,
                           (unsigned long long)((first + count) * unit),
                           (unsigned long long)state->pass.index.size);
    }
    return GPOOL_OK;
}

/* Strips drawn indexed need the format that the pipeline was made with. */
static gpool_result draw_check_strip(struct gpool_recorder_state *state)
{
    const gpool__pipeline *pipeline = state->pass.known_pipeline;
    if (pipeline == NULL || state->pass.raw) {
        return GPOOL_OK;
    }
    bool strip = pipeline->desc->topology == WGPUPrimitiveTopology_LineStrip ||
                 pipeline->desc->topology == WGPUPrimitiveTopology_TriangleStrip;
    if (strip && pipeline->desc->strip_index_format != state->pass.index.format) {
        return GPOOL__FAIL(state->pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "Pipeline \"%s\" draws strips with index format [%d], bound is [%d]",
                           pipeline->base.label, (int)pipeline->desc->strip_index_format,
                           (int)state->pass.index.format);
    }
    return GPOOL_OK;
}

static gpool_result draw_check(struct gpool_recorder_state *state, const gpool_draw_args *args,
                               uint32_t instances)
{
    bool indexed = args->index_count != 0;
    gpool_result result = draw_check_groups(state);
    const gpool__pipeline *pipeline = state->pass.raw ? NULL : state->pass.known_pipeline;
    for (uint32_t i = 0; result == GPOOL_OK && pipeline != NULL && i < pipeline->slot_count; ++i) {
        bool per_instance = pipeline->slots[i].per_instance;
        /* Which vertices an indexed draw reads is in the index buffer: only presence is checked. */
        uint64_t first = per_instance ? args->first_instance : args->first_vertex;
        uint64_t count = per_instance ? instances : indexed ? 0 : args->vertex_count;
        result = draw_check_slot(state, i, first, count);
    }
    if (result == GPOOL_OK && indexed) {
        result = draw_check_index(state, args->first_index, args->index_count);
        if (result == GPOOL_OK) {
            result = draw_check_strip(state);
        }
    }
    return result;
}

gpool_result gpool__record_draw(struct gpool_recorder_state *state, const gpool_draw_args *args)
{
    gpool *pool = state->pool;
    if (args == NULL || (args->index_count != 0 && args->vertex_count != 0)) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "The draw is null, or has both vertices and indices");
    }
    if (args->vertex_count == 0 && args->index_count == 0) {
        return GPOOL_OK;
    }
    if (draw_is_spoiled(state, args->index_count != 0)) {
        return GPOOL_OK;
    }
    uint32_t instances = args->instance_count != 0 ? args->instance_count : 1;
    gpool_result result = draw_check(state, args, instances);
    if (result != GPOOL_OK) {
        return result;
    }
    pool->stats.draws += 1;
    if (args->index_count != 0) {
        GPOOL__GPU(&pool->seam, RenderPassEncoderDrawIndexed)
        (state->render, args->index_count, instances, args->first_index + state->pass.index.bias,
         args->base_vertex, args->first_instance);
    } else {
        GPOOL__GPU(&pool->seam, RenderPassEncoderDraw)
        (state->render, args->vertex_count, instances, args->first_vertex, args->first_instance);
    }
    return GPOOL_OK;
}

void gpool_draw(gpool_recorder rec, const gpool_draw_args *args)
{
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_draw", &call);
    if (state != NULL) {
        gpool_result result;
        if (gpool__record_needs_pass(state, true, false, &result)) {
            result = gpool__record_draw(state, args);
        }
        gpool__record_leave(state, &call, result);
    }
}

/* Buffer of indirect arguments, checked. */
static gpool__buffer *draw_indirect_buffer(struct gpool_recorder_state *state, gpool_buffer handle,
                                           uint64_t offset, uint64_t size, gpool_result *result)
{
    gpool *pool = state->pool;
    gpool__buffer *buffer = gpool__record_source(pool, handle, result);
    if (buffer == NULL) {
        return NULL;
    }
    if ((buffer->usage & GPOOL_BUFFER_INDIRECT) == 0) {
        *result = GPOOL__FAIL(pool, USAGE, MISSING_USAGE,
                              "The usage [0x%x] of buffer \"%s\" lacks INDIRECT", buffer->usage,
                              buffer->base.label);
        return NULL;
    }
    if (offset % 4 != 0) {
        *result = GPOOL__FAIL(pool, ALIGNMENT, MISALIGNED,
                              "The offset [%llu] of arguments in buffer \"%s\" is no multiple of 4",
                              (unsigned long long)offset, buffer->base.label);
        return NULL;
    }
    if (!gpool__range_inside(offset, size, buffer->size)) {
        *result = GPOOL__FAIL(pool, RANGE, OUT_OF_RANGE,
                              "Arguments at [%llu] lie outside buffer \"%s\" of [%llu] bytes",
                              (unsigned long long)offset, buffer->base.label,
                              (unsigned long long)buffer->size);
        return NULL;
    }
    return buffer;
}

static gpool_result draw_indirect(struct gpool_recorder_state *state, gpool_buffer handle,
                                  uint64_t offset, bool indexed)
{
    gpool *pool = state->pool;
    gpool_result result;
    if (!gpool__record_needs_pass(state, true, false, &result)) {
        return result;
    }
    gpool__buffer *buffer = draw_indirect_buffer(state, handle, offset, indexed ? 20 : 16, &result);
    if (buffer == NULL) {
        return result;
    }
    if (draw_is_spoiled(state, indexed)) {
        return GPOOL_OK;
    }
    /* Counts come from the GPU: presence is all that can be checked here. */
    result = draw_check_groups(state);
    const gpool__pipeline *pipeline = state->pass.raw ? NULL : state->pass.known_pipeline;
    for (uint32_t i = 0; result == GPOOL_OK && pipeline != NULL && i < pipeline->slot_count; ++i) {
        result = draw_check_slot(state, i, 0, 0);
    }
    if (result == GPOOL_OK && indexed) {
        result = draw_check_index(state, 0, 0);
        if (result == GPOOL_OK && state->pass.index.bias != 0) {
            result =
                GPOOL__FAIL(pool, ALIGNMENT, MISALIGNED,
                            "The index buffer's offset [%llu] is no multiple of 4, as indirect "
                            "draws need",
                            (unsigned long long)state->pass.index.offset);
        }
        if (result == GPOOL_OK) {
            result = draw_check_strip(state);
        }
    }
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__resource_record(pool, &buffer->base);
    pool->stats.draws += 1;
    if (indexed) {
        GPOOL__GPU(&pool->seam, RenderPassEncoderDrawIndexedIndirect)
        (state->render, buffer->gpu, offset);
    } else {
        GPOOL__GPU(&pool->seam, RenderPassEncoderDrawIndirect)(state->render, buffer->gpu, offset);
    }
    return GPOOL_OK;
}

void gpool_draw_indirect(gpool_recorder rec, gpool_buffer buffer, uint64_t offset, bool indexed)
{
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_draw_indirect", &call);
    if (state != NULL) {
        gpool__record_leave(state, &call, draw_indirect(state, buffer, offset, indexed));
    }
}

static gpool_result dispatch(struct gpool_recorder_state *state, uint32_t x, uint32_t y, uint32_t z)
{
    gpool *pool = state->pool;
    gpool_result result;
    if (!gpool__record_needs_pass(state, false, true, &result) || x == 0 || y == 0 || z == 0) {
        return result;
    }
    uint32_t limit = pool->device->info.limits.maxComputeWorkgroupsPerDimension;
    if (x > limit || y > limit || z > limit) {
        return GPOOL__FAIL(pool, LIMIT, LIMIT,
                           "The dispatch [%u x %u x %u] is over maxComputeWorkgroupsPerDimension "
                           "[%u]",
                           x, y, z, limit);
    }
    if (draw_is_spoiled(state, false)) {
        return GPOOL_OK;
    }
    result = draw_check_groups(state);
    if (result == GPOOL_OK) {
        pool->stats.draws += 1;
        GPOOL__GPU(&pool->seam, ComputePassEncoderDispatchWorkgroups)(state->compute, x, y, z);
    }
    return result;
}

void gpool_dispatch(gpool_recorder rec, uint32_t x, uint32_t y, uint32_t z)
{
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_dispatch", &call);
    if (state != NULL) {
        gpool__record_leave(state, &call, dispatch(state, x, y, z));
    }
}

static gpool_result dispatch_indirect(struct gpool_recorder_state *state, gpool_buffer handle,
                                      uint64_t offset)
{
    gpool *pool = state->pool;
    gpool_result result;
    if (!gpool__record_needs_pass(state, false, true, &result)) {
        return result;
    }
    gpool__buffer *buffer = draw_indirect_buffer(state, handle, offset, 12, &result);
    if (buffer == NULL) {
        return result;
    }
    if (draw_is_spoiled(state, false)) {
        return GPOOL_OK;
    }
    result = draw_check_groups(state);
    if (result == GPOOL_OK) {
        gpool__resource_record(pool, &buffer->base);
        pool->stats.draws += 1;
        GPOOL__GPU(&pool->seam, ComputePassEncoderDispatchWorkgroupsIndirect)
        (state->compute, buffer->gpu, offset);
    }
    return result;
}

void gpool_dispatch_indirect(gpool_recorder rec, gpool_buffer buffer, uint64_t offset)
{
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_dispatch_indirect", &call);
    if (state != NULL) {
        gpool__record_leave(state, &call, dispatch_indirect(state, buffer, offset));
    }
}
