/*
 * Pipelines on another device: modules, group layouts and programs are shared with whoever uses them,
 * and made once; then every variant that worked, so that no frame compiles afterwards.
 */
#include "shader/shader_state.h"

/* The modules that new variants will be made of: GPOOL_ERROR_FAILED_RESOURCE when one cannot be. */
static gpool_result rebuild_codes(gpool *pool, gpool__rebuild *rebuild,
                                  const gpool__pipeline *pipeline)
{
    gpool__code *const codes[2] = { pipeline->vertex, pipeline->fragment };
    gpool_result status = GPOOL_OK;
    for (int i = 0; i < 2; ++i) {
        gpool_result result = GPOOL_OK;
        if (codes[i] != NULL && codes[i]->module != NULL) {
            (void)gpool__module_rebuild(pool, rebuild, codes[i]->module, &result);
        } else if (codes[i] != NULL) {
            result = GPOOL_ERROR_FAILED_RESOURCE;
        }
        if (gpool__rebuild_ends(result)) {
            return result;
        }
        status = result != GPOOL_OK ? GPOOL_ERROR_FAILED_RESOURCE : status;
    }
    return status;
}

/* Group layouts, also those of a pipeline that has no variant yet. */
static gpool_result rebuild_groups(gpool *pool, gpool__rebuild *rebuild,
                                   const gpool__pipeline *pipeline)
{
    gpool_result result = GPOOL_OK;
    for (uint32_t i = 0; i < pipeline->groups.count && !gpool__rebuild_ends(result); ++i) {
        if (pipeline->groups.groups[i] != NULL) {
            (void)gpool__group_layout_rebuild(pool, rebuild, pipeline->groups.groups[i],
                                              pipeline->base.label, &result);
        }
    }
    return gpool__rebuild_ends(result) ? result : GPOOL_OK;
}

static gpool_result pipeline_rebuild(gpool *pool, gpool__rebuild *rebuild,
                                     gpool__resource *resource)
{
    gpool__pipeline *pipeline = (gpool__pipeline *)resource;
    (void)gpool__pipeline_look(pipeline);
    gpool_result status = rebuild_codes(pool, rebuild, pipeline);
    gpool_result result = status;
    if (!gpool__rebuild_ends(result)) {
        result = rebuild_groups(pool, rebuild, pipeline);
    }
    if (gpool__rebuild_ends(result)) {
        return result;
    }
    gpool_result able = GPOOL_OK;
    if (!pipeline->compute) {
        /* Another implementation may know less, and end the process over it. */
        gpool_render_pipeline_desc desc = *pipeline->desc;
        desc.label = resource->label;
        able = gpool__pipeline_check_desc(pool, &desc);
    }
    /* The variant of the descriptor's own targets decides about the pipeline, as at creation; another
     * one that fails is left out, and tried again at its next use. */
    uint32_t own = gpool__pipeline_own_variant(pipeline);
    for (uint32_t i = 0; i < pipeline->variant_count; ++i) {
        result =
            gpool__program_rebuild(pool, rebuild, pipeline->variants[i].program, able == GPOOL_OK);
        if (gpool__rebuild_ends(result)) {
            return result;
        }
        status = i == own ? result : status;
    }
    return able != GPOOL_OK ? able : status;
}

static void rebuilt_code(gpool *pool, gpool__code *code)
{
    if (code != NULL && code->module != NULL) {
        gpool__made_rebuilt(pool, &code->module->base);
    }
}

static void pipeline_rebuilt(gpool *pool, gpool__resource *resource, gpool_result result)
{
    gpool__pipeline *pipeline = (gpool__pipeline *)resource;
    (void)result;
    rebuilt_code(pool, pipeline->vertex);
    rebuilt_code(pool, pipeline->fragment);
    uint32_t own = gpool__pipeline_own_variant(pipeline);
    uint32_t kept = 0;
    for (uint32_t i = 0; i < pipeline->variant_count; ++i) {
        gpool__variant variant = pipeline->variants[i];
        gpool__made *made = &variant.program->base;
        gpool__made_rebuilt(pool, &variant.program->recipe.vertex->base);
        if (variant.program->recipe.fragment != NULL) {
            gpool__made_rebuilt(pool, &variant.program->recipe.fragment->base);
        }
        gpool__made_rebuilt(pool, made);
        if (i != own && made->collected && made->result != GPOOL_OK) {
            gpool__program_release(pool, variant.program);
        } else {
            pipeline->variants[kept++] = variant;
        }
    }
    pipeline->variant_count = kept;
}

void gpool__pipelines_init_rebuild(gpool *pool)
{
    pool->rebuild[GPOOL_KIND_PIPELINE] = pipeline_rebuild;
    pool->rebuilt[GPOOL_KIND_PIPELINE] = pipeline_rebuilt;
}
