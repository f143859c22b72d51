#include "record/recording.h"

gpool_result gpool_get_stats(const gpool *pool, gpool_stats *stats)
{
    if (pool == NULL || stats == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (!gpool__is_owner(pool)) {
        return GPOOL_ERROR_WRONG_THREAD;
    }
    const uint64_t *calls = pool->seam.calls;
    *stats = pool->stats;
    stats->frame = pool->frame;
    for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
        stats->live_count[kind] = pool->tables[kind].live_count;
    }
    /* The pool's own layout is not the user's. */
    stats->live_count[GPOOL_KIND_LAYOUT] -= 1;
    stats->live_count[GPOOL_KIND_HEAP] -= pool->default_heap.id != 0 ? 1 : 0;
    stats->staging_bytes = pool->staging.bytes;
    stats->recycled_bytes = pool->recycle.bytes;
    stats->recycled_count = pool->recycle.count;
    stats->cpu_bytes = pool->memory.bytes;
    stats->allocations = pool->memory.allocations;
    stats->gpu_calls = gpool__seam_total(&pool->seam);
    stats->gpu_objects =
        calls[GPOOL_GPU_DeviceCreateBindGroup] + calls[GPOOL_GPU_DeviceCreateBindGroupLayout] +
        calls[GPOOL_GPU_DeviceCreateBuffer] + calls[GPOOL_GPU_DeviceCreateComputePipeline] +
        calls[GPOOL_GPU_DeviceCreatePipelineLayout] + calls[GPOOL_GPU_DeviceCreateRenderPipeline] +
        calls[GPOOL_GPU_DeviceCreateSampler] + calls[GPOOL_GPU_DeviceCreateShaderModule] +
        calls[GPOOL_GPU_DeviceCreateTexture] + calls[GPOOL_GPU_TextureCreateView];
    stats->compiles_pending = pool->shaders->compiler.pending;
    stats->bind_groups = pool->record->binds.count;
    stats->errors = pool->log.errors;
    return GPOOL_OK;
}

uint64_t gpool_gpu_call_count(const gpool *pool, int function)
{
    if (pool == NULL || !gpool__is_owner(pool) || function < 0 || function >= GPOOL_GPU_COUNT) {
        return 0;
    }
    return pool->seam.calls[function];
}
