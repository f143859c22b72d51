/*
 * Pipelines on another device: modules and group layouts are shared with whoever uses them, and made
 * once; then the layout and every variant that worked, so that no frame compiles afterwards.
 */
#include "shader/shader_state.h"

static void rebuild_drop_layout(gpool__seam *seam, void *gpu)
{
    GPOOL__GPU(seam, PipelineLayoutRelease)(gpu);
}

static void rebuild_drop_compute(gpool__seam *seam, void *gpu)
{
    GPOOL__GPU(seam, ComputePipelineRelease)(gpu);
}

static void rebuild_drop_render(gpool__seam *seam, void *gpu)
{
    GPOOL__GPU(seam, RenderPipelineRelease)(gpu);
}

/* Modules and group layouts, all of them, whatever the first says. */
static gpool_result rebuild_parts(gpool *pool, gpool__rebuild *rebuild,
                                  const gpool__pipeline *pipeline, gpool__pipeline_parts *parts,
                                  WGPUBindGroupLayout groups[GPOOL_MAX_GROUPS])
{
    gpool_result result = GPOOL_OK;
    gpool_result each;
    parts->vertex = gpool__module_rebuild(pool, rebuild, pipeline->vertex, &each);
    result = each;
    if (pipeline->fragment != NULL && !gpool__rebuild_ends(result)) {
        parts->fragment = gpool__module_rebuild(pool, rebuild, pipeline->fragment, &each);
        result = each != GPOOL_OK ? each : result;
    }
    for (uint32_t i = 0; i < pipeline->group_count && !gpool__rebuild_ends(result); ++i) {
        if (pipeline->groups[i] != NULL) {
            groups[i] = gpool__group_layout_rebuild(pool, rebuild, pipeline->groups[i],
                                                    pipeline->base.label, &each);
            result = each != GPOOL_OK ? each : result;
        }
    }
    if (result != GPOOL_OK && !gpool__rebuild_ends(result)) {
        result = GPOOL_ERROR_FAILED_RESOURCE;
        gpool__pipeline_tell(pool, pipeline, result, "its shader or one of its layouts failed");
    }
    return result;
}

/* The variant of the descriptor's own targets decides about the pipeline, as at creation; another
 * one that fails is left out, and tried again at its next use. */
static gpool_result rebuild_variants(gpool *pool, gpool__rebuild *rebuild,
                                     gpool__pipeline *pipeline, const gpool__pipeline_parts *parts,
                                     uint32_t own)
{
    for (uint32_t i = 0; i < pipeline->variant_count; ++i) {
        gpool__variant *variant = &pipeline->variants[i];
        if (variant->gpu == NULL && i != own) {
            continue;
        }
        gpool_result result;
        WGPURenderPipeline gpu =
            gpool__variant_make(pool, pipeline, parts, &variant->targets, &result);
        result = gpool__rebuild_add(pool, rebuild, rebuild_drop_render, &variant->gpu, gpu, result);
        if (result != GPOOL_OK && (i == own || gpool__rebuild_ends(result))) {
            return result;
        }
    }
    return GPOOL_OK;
}

static gpool_result rebuild_objects(gpool *pool, gpool__rebuild *rebuild, gpool__pipeline *pipeline,
                                    gpool__pipeline_parts *parts,
                                    const WGPUBindGroupLayout groups[GPOOL_MAX_GROUPS])
{
    uint32_t own = UINT32_MAX;
    gpool__targets targets;
    if (!pipeline->compute && gpool__pipeline_own_targets(pipeline->desc, &targets)) {
        own = gpool__variant_find(pipeline, &targets);
        if (own == UINT32_MAX) {
            /* A pipeline that failed has no variants. An empty one changes nothing. */
            own = pipeline->variant_count;
            if (!gpool__variant_add(pool, pipeline, &targets, NULL)) {
                return GPOOL_ERROR_OUT_OF_MEMORY;
            }
        }
    }
    gpool_result result;
    parts->layout = gpool__pipeline_make_layout(pool, pipeline, groups, &result);
    result = gpool__rebuild_add(pool, rebuild, rebuild_drop_layout, &pipeline->layout,
                                parts->layout, result);
    if (result != GPOOL_OK) {
        return result;
    }
    if (!pipeline->compute) {
        return rebuild_variants(pool, rebuild, pipeline, parts, own);
    }
    WGPUComputePipeline gpu = gpool__pipeline_make_compute(pool, pipeline, parts, &result);
    return gpool__rebuild_add(pool, rebuild, rebuild_drop_compute, &pipeline->compute_gpu, gpu,
                              result);
}

/* The old objects go, and none come. */
static gpool_result rebuild_nothing(gpool *pool, gpool__rebuild *rebuild, gpool__pipeline *pipeline)
{
    gpool_result result =
        gpool__rebuild_add(pool, rebuild, rebuild_drop_layout, &pipeline->layout, NULL, GPOOL_OK);
    if (result == GPOOL_OK) {
        result = gpool__rebuild_add(pool, rebuild, rebuild_drop_compute, &pipeline->compute_gpu,
                                    NULL, GPOOL_OK);
    }
    for (uint32_t i = 0; i < pipeline->variant_count && result == GPOOL_OK; ++i) {
        result = gpool__rebuild_add(pool, rebuild, rebuild_drop_render, &pipeline->variants[i].gpu,
                                    NULL, GPOOL_OK);
    }
    return result;
}

static gpool_result pipeline_rebuild(gpool *pool, gpool__rebuild *rebuild,
                                     gpool__resource *resource)
{
    gpool__pipeline *pipeline = (gpool__pipeline *)resource;
    bool has_sources =
        pipeline->vertex != NULL &&
        (pipeline->compute || pipeline->desc->no_fragment || pipeline->fragment != NULL);
    if (!has_sources) {
        return pipeline->status; /* failed at creation, and there is nothing to make it of */
    }
    gpool__pipeline_parts parts = { 0 };
    WGPUBindGroupLayout groups[GPOOL_MAX_GROUPS] = { NULL };
    gpool_result result = rebuild_parts(pool, rebuild, pipeline, &parts, groups);
    if (result == GPOOL_OK && !pipeline->compute) {
        /* Another implementation may know less, and end the process over it. */
        gpool_render_pipeline_desc desc = *pipeline->desc;
        desc.label = resource->label;
        result = gpool__pipeline_check_desc(pool, &desc);
    }
    uint32_t before = rebuild->object_count;
    if (result == GPOOL_OK) {
        result = rebuild_objects(pool, rebuild, pipeline, &parts, groups);
    }
    if (result != GPOOL_OK && !gpool__rebuild_ends(result)) {
        gpool__rebuild_cut(pool, rebuild, before);
        gpool_result added = rebuild_nothing(pool, rebuild, pipeline);
        result = added != GPOOL_OK ? added : result;
    }
    return result;
}

static void pipeline_rebuilt(gpool *pool, gpool__resource *resource, gpool_result result)
{
    gpool__pipeline *pipeline = (gpool__pipeline *)resource;
    uint32_t count = 0;
    (void)pool;
    pipeline->status = result;
    for (uint32_t i = 0; i < pipeline->variant_count; ++i) {
        if (pipeline->variants[i].gpu != NULL) {
            pipeline->variants[count++] = pipeline->variants[i];
        }
    }
    pipeline->variant_count = count;
}

void gpool__pipelines_init_rebuild(gpool *pool)
{
    pool->rebuild[GPOOL_KIND_PIPELINE] = pipeline_rebuild;
    pool->rebuilt[GPOOL_KIND_PIPELINE] = pipeline_rebuilt;
}
