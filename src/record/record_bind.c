/*
 * What a pass binds: bind groups, uniforms, vertex and index buffers. Calls that set what is set already
 * are dropped.
 */
#include "record/recording.h"

#include <string.h>

void gpool__record_bind(struct gpool_recorder_state *state, uint32_t group, WGPUBindGroup gpu,
                        uint64_t unique, uint64_t layout, const uint32_t *offsets, uint32_t count)
{
    gpool__seam *seam = &state->pool->seam;
    state->pass.refused_groups &= ~(1u << group);
    bool same = !state->pass.raw && unique != 0 && state->pass.groups[group].unique == unique &&
                state->pass.groups[group].offset_count == count;
    for (uint32_t i = 0; same && i < count; ++i) {
        same = state->pass.groups[group].offsets[i] == offsets[i];
    }
    if (same) {
        state->pool->stats.redundant += 1;
        return;
    }
    state->pass.groups[group].gpu = gpu;
    state->pass.groups[group].unique = unique;
    state->pass.groups[group].layout = layout;
    state->pass.groups[group].offset_count = count;
    for (uint32_t i = 0; i < count; ++i) {
        state->pass.groups[group].offsets[i] = offsets[i];
    }
    if (state->render != NULL) {
        GPOOL__GPU(seam, RenderPassEncoderSetBindGroup)(state->render, group, gpu, count, offsets);
    } else {
        GPOOL__GPU(seam, ComputePassEncoderSetBindGroup)
        (state->compute, group, gpu, count, offsets);
    }
}

static gpool_result bind_check_group(struct gpool_recorder_state *state, uint32_t group,
                                     const uint32_t *offsets, uint32_t count)
{
    gpool *pool = state->pool;
    gpool_result result;
    if (!gpool__record_needs_pass(state, true, true, &result)) {
        return result == GPOOL_OK ? GPOOL_ERROR_WRONG_PHASE : result;
    }
    uint32_t limit = pool->device->info.limits.maxBindGroups;
    if (group >= GPOOL_MAX_GROUPS || group >= limit || count > GPOOL__MAX_DYNAMIC) {
        return GPOOL__FAIL(pool, RANGE, OUT_OF_RANGE,
                           "Group [%u] or its [%u] dynamic offsets are out of range", group, count);
    }
    if (count > 0 && offsets == NULL) {
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT,
                           "The [%u] dynamic offsets of group [%u] are [NULL]", count, group);
    }
    return GPOOL_OK;
}

/* Resolves one buffer entry into key and WebGPU entry. */
static gpool_result bind_buffer_entry(gpool *pool, const gpool_layout_entry *entry,
                                      const gpool_binding *binding, gpool__bind_key *key,
                                      WGPUBindGroupEntry *gpu, gpool__resource **resource)
{
    static const gpool_buffer_usage usages[] = { GPOOL_BUFFER_UNIFORM,
                                                 GPOOL_BUFFER_STORAGE | GPOOL_BUFFER_STORAGE_WRITE,
                                                 GPOOL_BUFFER_STORAGE_WRITE };
    const WGPULimits *limits = &pool->device->info.limits;
    gpool_result result;
    gpool__buffer *buffer = gpool__record_source(pool, binding->buffer, &result);
    if (buffer == NULL) {
        return result;
    }
    const char *label = buffer->base.label;
    if ((buffer->usage & usages[entry->type]) == 0) {
        return GPOOL__FAIL(pool, USAGE, MISSING_USAGE,
                           "The usage [0x%x] of buffer \"%s\" does not allow binding [%u]",
                           buffer->usage, label, entry->binding);
    }
    bool uniform = entry->type == GPOOL_BINDING_UNIFORM;
    uint32_t alignment =
        uniform ? limits->minUniformBufferOffsetAlignment : limits->minStorageBufferOffsetAlignment;
    if (binding->offset % alignment != 0) {
        return GPOOL__FAIL(pool, ALIGNMENT, MISALIGNED,
                           "The offset [%llu] of buffer \"%s\" is no multiple of [%u]",
                           (unsigned long long)binding->offset, label, alignment);
    }
    uint64_t whole = gpool__buffer_gpu_size(buffer);
    /* Bindings are multiples of 4; the last bytes of an import may be out of their reach. */
    uint64_t rest = gpool__round_down(whole - gpool__min(binding->offset, whole), 4);
    uint64_t size =
        binding->size != 0 ? gpool__round_up(gpool__min(binding->size, whole), 4) : rest;
    uint64_t most =
        uniform ? limits->maxUniformBufferBindingSize : limits->maxStorageBufferBindingSize;
    if (size == 0 || binding->size > whole || !gpool__range_inside(binding->offset, size, whole) ||
        size > most) {
        return GPOOL__FAIL(
            pool, RANGE, OUT_OF_RANGE,
            "Offset [%llu] and size [%llu] lie outside buffer \"%s\" of [%llu] bytes "
            "or over the binding limit [%llu]",
            (unsigned long long)binding->offset, (unsigned long long)binding->size, label,
            (unsigned long long)buffer->size, (unsigned long long)most);
    }
    key->version = buffer->version;
    key->offset = binding->offset;
    key->size = size;
    gpu->buffer = buffer->gpu;
    gpu->offset = binding->offset;
    gpu->size = size;
    *resource = &buffer->base;
    return GPOOL_OK;
}

static gpool_result bind_texture_entry(gpool *pool, const gpool_layout_entry *entry,
                                       const gpool_binding *binding, gpool__bind_key *key,
                                       WGPUBindGroupEntry *gpu, gpool__resource **resource)
{
    gpool_result result;
    gpool__texture *texture = (gpool__texture *)gpool__resolve_good(pool, binding->texture.id,
                                                                    GPOOL_KIND_TEXTURE, &result);
    if (texture == NULL) {
        return result;
    }
    gpool_texture_usage needed =
        entry->type == GPOOL_BINDING_TEXTURE ? GPOOL_TEXTURE_SAMPLED : GPOOL_TEXTURE_STORAGE;
    if ((texture->usage & needed) == 0) {
        return GPOOL__FAIL(pool, USAGE, MISSING_USAGE,
                           "The usage [0x%x] of texture \"%s\" does not allow binding [%u]",
                           texture->usage, texture->base.label, entry->binding);
    }
    /* The layout knows the dimension and, for storage, that there is one level. */
    gpool_view_desc view = binding->view;
    if (view.dimension == 0) {
        view.dimension = entry->dimension;
    }
    if (entry->type == GPOOL_BINDING_STORAGE_TEXTURE && view.mip_level_count == 0) {
        view.mip_level_count = 1;
    }
    gpu->textureView = gpool__texture_view_get(pool, texture, &view, &result);
    key->version = texture->version;
    key->view[0] = (uint32_t)view.dimension;
    key->view[1] = (uint32_t)view.format;
    key->view[2] = view.base_mip_level;
    key->view[3] = view.mip_level_count;
    key->view[4] = view.base_layer;
    key->view[5] = view.layer_count;
    key->view[6] = (uint32_t)view.aspect;
    *resource = &texture->base;
    return result;
}

static gpool_result bind_entry(gpool *pool, const gpool_layout_entry *entry,
                               const gpool_binding *binding, gpool__bind_key *key,
                               WGPUBindGroupEntry *gpu, gpool__resource **resource)
{
    memset(key, 0, sizeof *key);
    memset(gpu, 0, sizeof *gpu);
    key->binding = entry->binding;
    gpu->binding = entry->binding;
    gpool_result result;
    if (entry->type <= GPOOL_BINDING_STORAGE_WRITE) {
        key->id = binding->buffer.id;
        if ((uint32_t)gpool_handle_kind(key->id) == GPOOL__KIND_STREAM) {
            /* The block without the recording, so that every frame finds the same group. */
            key->id &= UINT32_MAX;
        }
        result = bind_buffer_entry(pool, entry, binding, key, gpu, resource);
    } else if (entry->type <= GPOOL_BINDING_STORAGE_TEXTURE) {
        key->id = binding->texture.id;
        result = bind_texture_entry(pool, entry, binding, key, gpu, resource);
    } else {
        key->id = binding->sampler.id;
        gpool__sampler *sampler = (gpool__sampler *)gpool__resolve_good(
            pool, binding->sampler.id, GPOOL_KIND_SAMPLER, &result);
        if (sampler != NULL) {
            gpu->sampler = sampler->gpu;
            *resource = &sampler->base;
        }
    }
    return result;
}

static const gpool_binding *bind_find_entry(const gpool_binding *entries, uint32_t count,
                                            uint32_t binding)
{
    for (uint32_t i = 0; i < count; ++i) {
        if (entries[i].binding == binding) {
            return &entries[i];
        }
    }
    return NULL;
}

/* Dynamic offsets: as many as dynamic entries, aligned, and inside the buffers. */
static gpool_result bind_check_offsets(gpool *pool, const gpool__bind_layout *layout,
                                       const gpool__bind_key *keys,
                                       gpool__resource *const *resources, const uint32_t *offsets,
                                       uint32_t count)
{
    uint32_t needed = 0;
    for (uint32_t i = 0; i < layout->group->entry_count; ++i) {
        needed += layout->group->entries[i].dynamic_offset ? 1 : 0;
    }
    if (needed != count) {
        return GPOOL__FAIL(pool, RANGE, OUT_OF_RANGE,
                           "[%u] dynamic offsets are given, layout \"%s\" has [%u] dynamic entries",
                           count, layout->label, needed);
    }
    uint32_t used = 0;
    for (uint32_t i = 0; i < layout->group->entry_count; ++i) {
        const gpool_layout_entry *entry = &layout->group->entries[i];
        if (!entry->dynamic_offset) {
            continue;
        }
        uint32_t offset = offsets[used++];
        uint32_t alignment = entry->type == GPOOL_BINDING_UNIFORM
                                 ? pool->device->info.limits.minUniformBufferOffsetAlignment
                                 : pool->device->info.limits.minStorageBufferOffsetAlignment;
        if (offset % alignment != 0) {
            return GPOOL__FAIL(pool, ALIGNMENT, MISALIGNED,
                               "The dynamic offset [%u] for binding [%u] of layout \"%s\" is no "
                               "multiple of [%u]",
                               offset, entry->binding, layout->label, alignment);
        }
        const gpool__buffer *buffer = (const gpool__buffer *)resources[i];
        if (!gpool__range_inside(keys[i].offset + offset, keys[i].size,
                                 gpool__buffer_gpu_size(buffer))) {
            return GPOOL__FAIL(
                pool, RANGE, OUT_OF_RANGE,
                "The dynamic offset [%u] for binding [%u] of layout \"%s\" leads out "
                "of buffer \"%s\": [%llu] bytes are bound at [%llu]",
                offset, entry->binding, layout->label, buffer->base.label,
                (unsigned long long)keys[i].size, (unsigned long long)keys[i].offset);
        }
    }
    return GPOOL_OK;
}

/* The layout of a handle, or for null that of the group in the pipeline that is set. */
static gpool_result bind_layout(struct gpool_recorder_state *state, uint32_t group,
                                gpool_layout handle, gpool__bind_layout *layout)
{
    gpool *pool = state->pool;
    gpool_result result = GPOOL_OK;
    const gpool__pipeline *pipeline = state->pass.raw ? NULL : state->pass.known_pipeline;
    *layout = (gpool__bind_layout){ .label = "" };
    if (handle.id == 0 && pipeline != NULL && group < pipeline->groups.count) {
        layout->group = pipeline->groups.groups[group];
        layout->label = pipeline->base.label;
    } else if (handle.id != 0) {
        layout->handle =
            (gpool__layout *)gpool__resolve_good(pool, handle.id, GPOOL_KIND_LAYOUT, &result);
        if (layout->handle != NULL) {
            layout->group = layout->handle->group;
            layout->label = layout->handle->base.label;
        }
    }
    if (layout->group == NULL && result == GPOOL_OK) {
        result =
            GPOOL__FAIL(pool, HANDLE_NULL, NULL_HANDLE,
                        "The layout of group [%u] is null, and %s in pass \"%s\"", group,
                        pipeline != NULL ? "the pipeline has no such group" : "no pipeline is set",
                        state->pass_label);
    }
    return result;
}

static gpool_result bind_set(struct gpool_recorder_state *state, uint32_t group,
                             gpool_layout handle, const gpool_binding *entries,
                             uint32_t entry_count, const uint32_t *offsets, uint32_t offset_count)
{
    gpool *pool = state->pool;
    gpool__bind_layout layout;
    gpool_result result = bind_layout(state, group, handle, &layout);
    if (result != GPOOL_OK) {
        return result;
    }
    if (entry_count != layout.group->entry_count || (entries == NULL && entry_count > 0)) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "[%u] resources are given, layout \"%s\" has [%u] entries", entry_count,
                           layout.label, layout.group->entry_count);
    }
    gpool__bind_key keys[GPOOL_MAX_BINDINGS];
    WGPUBindGroupEntry gpu[GPOOL_MAX_BINDINGS];
    gpool__resource *resources[GPOOL_MAX_BINDINGS];
    uint32_t dynamic = 0;
    for (uint32_t i = 0; i < entry_count; ++i) {
        const gpool_layout_entry *entry = &layout.group->entries[i];
        const gpool_binding *binding = bind_find_entry(entries, entry_count, entry->binding);
        if (binding == NULL) {
            return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                               "Binding [%u] of layout \"%s\" is not given", entry->binding,
                               layout.label);
        }
        dynamic += entry->dynamic_offset ? 1 : 0;
        result = bind_entry(pool, entry, binding, &keys[i], &gpu[i], &resources[i]);
        if (result != GPOOL_OK) {
            return result;
        }
    }
    static const uint32_t none[GPOOL__MAX_DYNAMIC] = { 0 };
    if (offset_count == 0) {
        offsets = none;
        offset_count = dynamic;
    }
    result = bind_check_offsets(pool, &layout, keys, resources, offsets, offset_count);
    if (result != GPOOL_OK) {
        return result;
    }
    const gpool__bind_group *found = gpool__bind_find_or_create(pool, &pool->record->binds, &layout,
                                                                keys, gpu, resources, &result);
    if (found != NULL) {
        for (uint32_t i = 0; i < entry_count; ++i) {
            gpool__resource_record(pool, resources[i]);
        }
        if (layout.handle != NULL) {
            gpool__resource_record(pool, &layout.handle->base);
        }
        gpool__record_bind(state, group, found->gpu, found->unique, layout.group->hash, offsets,
                           offset_count);
    }
    return result;
}

/* Forgets a group whose new content could not be set: draws that need it are skipped. */
static void bind_forget(struct gpool_recorder_state *state, uint32_t group)
{
    if (group < GPOOL_MAX_GROUPS) {
        memset(&state->pass.groups[group], 0, sizeof state->pass.groups[group]);
        state->pass.refused_groups |= 1u << group;
    }
}

void gpool_set_bindings(gpool_recorder rec, uint32_t group, gpool_layout layout,
                        const gpool_binding *entries, uint32_t entry_count,
                        const uint32_t *dynamic_offsets, uint32_t dynamic_offset_count)
{
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_set_bindings", &call);
    if (state == NULL) {
        return;
    }
    gpool_result result = GPOOL_OK;
    if (!state->skip_pass) {
        result = bind_check_group(state, group, dynamic_offsets, dynamic_offset_count);
        if (result == GPOOL_OK) {
            result = bind_set(state, group, layout, entries, entry_count, dynamic_offsets,
                              dynamic_offset_count);
        }
        if (result != GPOOL_OK) {
            bind_forget(state, group);
        }
    } else {
        state->pool->stats.skipped += 1;
    }
    gpool__record_leave(state, &call, result);
}

static gpool_result bind_uniforms(struct gpool_recorder_state *state, uint32_t group,
                                  const void *data, uint64_t size)
{
    gpool *pool = state->pool;
    /* Bound is a multiple of 16, which must be within the limit too. */
    uint64_t limit = gpool__round_down(
        gpool__min(pool->device->info.limits.maxUniformBufferBindingSize, UINT64_C(64) << 10), 16);
    if (data == NULL) {
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT,
                           "The uniforms [NULL] of group [%u] are null", group);
    }
    if (size == 0 || size > limit) {
        return GPOOL__FAIL(
            pool, RANGE, OUT_OF_RANGE,
            "Uniforms of [%llu] bytes for group [%u]: 1 to [%llu] bytes are possible",
            (unsigned long long)size, group, (unsigned long long)limit);
    }
    WGPUBindGroup gpu = NULL;
    uint64_t unique = 0;
    uint32_t offset = 0;
    gpool_result result =
        gpool__stream_push(pool, &pool->record->stream, data, size, &gpu, &unique, &offset);
    if (result == GPOOL_OK) {
        const gpool__layout *layout = (const gpool__layout *)gpool__table_get(
            &pool->tables[GPOOL_KIND_LAYOUT], pool->uniform_layout.id);
        gpool__record_bind(state, group, gpu, unique, layout->hash, &offset, 1);
    }
    return result;
}

void gpool_set_uniforms(gpool_recorder rec, uint32_t group, const void *data, uint64_t size)
{
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_set_uniforms", &call);
    if (state == NULL) {
        return;
    }
    gpool_result result = GPOOL_OK;
    if (!state->skip_pass) {
        result = bind_check_group(state, group, NULL, 0);
        if (result == GPOOL_OK) {
            result = bind_uniforms(state, group, data, size);
        }
        if (result != GPOOL_OK) {
            bind_forget(state, group);
        }
    } else {
        state->pool->stats.skipped += 1;
    }
    gpool__record_leave(state, &call, result);
}

void gpool_set_raw_bind_group(gpool_recorder rec, uint32_t group, WGPUBindGroup bind_group,
                              const uint32_t *dynamic_offsets, uint32_t dynamic_offset_count)
{
    gpool__call call;
    struct gpool_recorder_state *state =
        gpool__record_enter(rec, "gpool_set_raw_bind_group", &call);
    if (state == NULL) {
        return;
    }
    gpool_result result = GPOOL_OK;
    if (!state->skip_pass) {
        result = bind_check_group(state, group, dynamic_offsets, dynamic_offset_count);
        if (result == GPOOL_OK && bind_group == NULL) {
            result = GPOOL__FAIL(state->pool, ARGUMENT_NULL, INVALID_ARGUMENT,
                                 "The bind group [NULL] is null");
        }
        if (result == GPOOL_OK) {
            gpool__record_bind(state, group, bind_group, 0, 0, dynamic_offsets,
                               dynamic_offset_count);
        } else {
            bind_forget(state, group);
        }
    } else {
        state->pool->stats.skipped += 1;
    }
    gpool__record_leave(state, &call, result);
}

/* A buffer to bind in a render pass from an offset to its end. */
static gpool__buffer *bind_pass_buffer(struct gpool_recorder_state *state, gpool_buffer handle,
                                       gpool_buffer_usage usage, uint64_t offset, uint32_t unit,
                                       gpool_result *result)
{
    gpool *pool = state->pool;
    if (!gpool__record_needs_pass(state, true, false, result)) {
        return NULL;
    }
    gpool__buffer *buffer = gpool__record_source(pool, handle, result);
    if (buffer == NULL) {
        return NULL;
    }
    if ((buffer->usage & usage) == 0) {
        *result = GPOOL__FAIL(
            pool, USAGE, MISSING_USAGE, "The usage [0x%x] of buffer \"%s\" lacks %s", buffer->usage,
            buffer->base.label, usage == GPOOL_BUFFER_VERTEX ? "VERTEX" : "INDEX");
        return NULL;
    }
    if (offset % unit != 0 || offset >= buffer->size) {
        *result = gpool__fail(
            &pool->log, offset % unit != 0 ? GPOOL_LOG_ALIGNMENT : GPOOL_LOG_RANGE,
            offset % unit != 0 ? GPOOL_ERROR_MISALIGNED : GPOOL_ERROR_OUT_OF_RANGE,
            "The offset [%llu] into buffer \"%s\" of [%llu] bytes is no multiple "
            "of [%u] or outside",
            (unsigned long long)offset, buffer->base.label, (unsigned long long)buffer->size, unit);
        return NULL;
    }
    gpool__resource_record(pool, &buffer->base);
    return buffer;
}

void gpool__record_set_vertices(struct gpool_recorder_state *state, uint32_t slot,
                                const gpool__buffer *buffer, uint64_t offset)
{
    gpool *pool = state->pool;
    state->pass.refused_vertices &= ~(1u << slot);
    if (!state->pass.raw && state->pass.vertices[slot].gpu == buffer->gpu &&
        state->pass.vertices[slot].offset == offset) {
        pool->stats.redundant += 1;
        return;
    }
    uint64_t size = gpool__buffer_gpu_size(buffer) - offset;
    state->pass.vertices[slot].gpu = buffer->gpu;
    state->pass.vertices[slot].offset = offset;
    state->pass.vertices[slot].size = size;
    GPOOL__GPU(&pool->seam, RenderPassEncoderSetVertexBuffer)
    (state->render, slot, buffer->gpu, offset, size);
}

void gpool__record_set_indices(struct gpool_recorder_state *state, const gpool__buffer *buffer,
                               WGPUIndexFormat format, uint64_t offset)
{
    gpool *pool = state->pool;
    state->pass.refused_index = false;
    if (!state->pass.raw && state->pass.index.gpu == buffer->gpu &&
        state->pass.index.offset == offset && state->pass.index.format == format) {
        pool->stats.redundant += 1;
        return;
    }
    /* wgpu-native ends the process when a buffer is first read from an offset that is no multiple of
     * 4; the odd index is skipped by the draws instead. */
    uint64_t start = gpool__round_down(offset, 4);
    uint64_t size = gpool__buffer_gpu_size(buffer) - start;
    state->pass.index.gpu = buffer->gpu;
    state->pass.index.offset = offset;
    state->pass.index.size = size;
    state->pass.index.format = format;
    state->pass.index.bias = start < offset ? 1 : 0;
    GPOOL__GPU(&pool->seam, RenderPassEncoderSetIndexBuffer)
    (state->render, buffer->gpu, format, start, size);
}

void gpool_set_vertex_buffer(gpool_recorder rec, uint32_t slot, gpool_buffer handle,
                             uint64_t offset)
{
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_set_vertex_buffer", &call);
    if (state == NULL) {
        return;
    }
    gpool *pool = state->pool;
    gpool_result result = GPOOL_OK;
    if (slot >= GPOOL_MAX_VERTEX_BUFFERS) {
        result = GPOOL__FAIL(pool, RANGE, OUT_OF_RANGE, "The vertex slot [%u] is over [%d]", slot,
                             GPOOL_MAX_VERTEX_BUFFERS - 1);
    } else {
        gpool__buffer *buffer =
            bind_pass_buffer(state, handle, GPOOL_BUFFER_VERTEX, offset, 4, &result);
        if (buffer == NULL) {
            state->pass.vertices[slot].gpu = NULL;
            state->pass.refused_vertices |= 1u << slot;
        } else {
            gpool__record_set_vertices(state, slot, buffer, offset);
        }
    }
    gpool__record_leave(state, &call, result);
}

void gpool_set_index_buffer(gpool_recorder rec, gpool_buffer handle, WGPUIndexFormat format,
                            uint64_t offset)
{
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_set_index_buffer", &call);
    if (state == NULL) {
        return;
    }
    gpool *pool = state->pool;
    gpool_result result = GPOOL_OK;
    if (!gpool__is_enum((unsigned)format, WGPUIndexFormat_Uint32, false)) {
        state->pass.index.gpu = NULL;
        state->pass.refused_index = true;
        result = GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                             "The index format [%d] is unknown", (int)format);
    } else {
        uint32_t unit = format == WGPUIndexFormat_Uint16 ? 2 : 4;
        gpool__buffer *buffer =
            bind_pass_buffer(state, handle, GPOOL_BUFFER_INDEX, offset, unit, &result);
        if (buffer == NULL) {
            state->pass.index.gpu = NULL;
            state->pass.refused_index = true;
        } else {
            gpool__record_set_indices(state, buffer, format, offset);
        }
    }
    gpool__record_leave(state, &call, result);
}
