/*
 * Group layouts of pipelines whose descriptor gives none: what the entry points bind, read from the
 * source. Layouts are never left to WebGPU's "auto": those are exclusive to one pipeline.
 */
#include "shader/shader_state.h"

/* Layouts given by the descriptor stay as they are. */
static void groups_copy(const gpool__pipeline_groups *from, gpool__pipeline_groups *to)
{
    *to = *from;
    for (uint32_t i = 0; i < from->count; ++i) {
        (void)gpool__group_layout_retain(from->groups[i]);
    }
}

static gpool_result groups_of_source(gpool *pool, const gpool__pipeline *pipeline,
                                     const gpool__bindings_groups *found,
                                     gpool__pipeline_groups *groups)
{
    if (found->group_count > pool->device->info.limits.maxBindGroups) {
        return GPOOL__FAIL(
            pool, LIMIT, LIMIT, "The groups [%u] of pipeline \"%s\" are over maxBindGroups [%u]",
            found->group_count, pipeline->base.label, pool->device->info.limits.maxBindGroups);
    }
    groups->count = found->group_count;
    gpool_result result = GPOOL_OK;
    for (uint32_t i = 0; i < found->group_count && result == GPOOL_OK; ++i) {
        if (found->counts[i] > 0) {
            groups->groups[i] = gpool__group_layout_get(pool, found->entries[i], found->counts[i],
                                                        pipeline->base.label, &result);
        }
    }
    return result;
}

gpool_result gpool__pipeline_find_groups(gpool *pool, const gpool__pipeline *pipeline, bool newest,
                                         gpool__pipeline_groups *groups)
{
    if (pipeline->own_layouts) {
        groups_copy(&pipeline->groups, groups);
        return GPOOL_OK;
    }
    *groups = (gpool__pipeline_groups){ .status = GPOOL_OK };
    gpool__code *const codes[2] = { pipeline->vertex, pipeline->fragment };
    const char *const entries[2] = { pipeline->compute ? pipeline->compute_entry
                                                       : pipeline->desc->vertex_entry,
                                     pipeline->compute ? NULL : pipeline->desc->fragment_entry };
    const WGPUShaderStage stages[2] = { pipeline->compute ? WGPUShaderStage_Compute
                                                          : WGPUShaderStage_Vertex,
                                        WGPUShaderStage_Fragment };
    gpool__bindings_stage parts[2];
    uint32_t count = 0;
    gpool_result result = GPOOL_OK;
    for (int i = 0; i < 2 && codes[i] != NULL; ++i) {
        gpool__module *module = newest ? gpool__code_newest(codes[i]) : codes[i]->module;
        const gpool__bindings *scan = gpool__module_bindings(pool, module, &result);
        if (scan == NULL) {
            return result;
        }
        if (gpool__bindings_entry(scan, stages[i], entries[i]) == NULL) {
            /* The compiler has better words for it. */
            return GPOOL_OK;
        }
        parts[count++] = (gpool__bindings_stage){ scan, entries[i], stages[i] };
    }
    gpool__bindings_groups found;
    gpool__bindings_error error;
    result = gpool__bindings_layouts(&pool->memory, parts, count, &pool->device->info.limits,
                                     &found, &error);
    if (result == GPOOL_ERROR_OUT_OF_MEMORY) {
        return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for the layouts of \"%s\"",
                           pipeline->base.label);
    }
    if (result == GPOOL_OK) {
        result = groups_of_source(pool, pipeline, &found, groups);
    } else {
        result = gpool__pipeline_tell(pool, pipeline->base.label, result, error.message);
    }
    if (result != GPOOL_OK) {
        for (uint32_t i = 0; i < GPOOL_MAX_GROUPS; ++i) {
            gpool__group_layout_release(pool, groups->groups[i]);
        }
        *groups = (gpool__pipeline_groups){ .status = result };
    }
    return result;
}
