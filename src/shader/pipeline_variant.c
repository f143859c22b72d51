/*
 * Variants of pipelines: the program for the formats and samples of a pass. A compute pipeline has one.
 */
#include "shader/shader_state.h"

#include <string.h>

static bool variant_equal(const gpool__targets *a, const gpool__targets *b)
{
    return a->depth == b->depth && a->samples == b->samples && a->color_count == b->color_count &&
           memcmp(a->colors, b->colors, sizeof a->colors) == 0;
}

/* The descriptor's formats must be the pass's where it names them. */
static bool variant_matches(const gpool_render_pipeline_desc *desc, const gpool__targets *targets)
{
    if (desc == NULL) {
        return true;
    }
    for (int i = 0; i < GPOOL_MAX_COLORS; ++i) {
        if (desc->colors[i].format != 0 && desc->colors[i].format != targets->colors[i]) {
            return false;
        }
    }
    return (desc->depth.format == 0 || desc->depth.format == targets->depth) &&
           (desc->samples == 0 || desc->samples == targets->samples);
}

uint32_t gpool__variant_find(const gpool__pipeline *pipeline, const gpool__targets *targets)
{
    for (uint32_t i = 0; i < pipeline->variant_count; ++i) {
        if (variant_equal(&pipeline->variants[i].targets, targets)) {
            return i;
        }
    }
    return UINT32_MAX;
}

uint32_t gpool__pipeline_own_variant(const gpool__pipeline *pipeline)
{
    gpool__targets targets = { 0 };
    bool own = pipeline->compute || gpool__pipeline_own_targets(pipeline->desc, &targets);
    return own ? gpool__variant_find(pipeline, &targets) : UINT32_MAX;
}

/* What failed for want of memory or with a device is worth another try: not this. */
static bool variant_is_settled(const gpool__program *program)
{
    gpool_result status = gpool__made_status(&program->base);
    return status == GPOOL_OK || status == GPOOL_NOT_READY || status == GPOOL_ERROR_GPU ||
           status == GPOOL_ERROR_FAILED_RESOURCE;
}

/* Asks for a program and adds it; NULL with the error recorded. */
static gpool__program *variant_add(gpool *pool, gpool__pipeline *pipeline,
                                   const gpool__targets *targets, gpool_result *result)
{
    void *variants = pipeline->variants;
    bool good = gpool__reserve(&pool->memory, &variants, &pipeline->variant_capacity,
                               pipeline->variant_count + 1, sizeof *pipeline->variants);
    pipeline->variants = variants;
    gpool__program *program = good ? gpool__program_get(pool, pipeline, targets, false) : NULL;
    if (program == NULL) {
        *result = GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for a variant of \"%s\"",
                              pipeline->base.label);
        return NULL;
    }
    pipeline->variants[pipeline->variant_count++] = (gpool__variant){ *targets, program, NULL };
    if (!pipeline->compute && targets->depth == 0 &&
        (pipeline->desc->depth.compare != 0 || pipeline->desc->depth.write)) {
        gpool__note(&pool->log, GPOOL_LOG_FALLBACK,
                    "The pipeline \"%s\" tests or writes depth, but its pass has no depth "
                    "attachment: it draws without",
                    pipeline->base.label);
    }
    return program;
}

gpool__program *gpool__pipeline_variant(gpool *pool, gpool__pipeline *pipeline,
                                        const gpool__targets *targets, gpool_result *result)
{
    *result = GPOOL_OK;
    uint32_t found = gpool__variant_find(pipeline, targets);
    if (found != UINT32_MAX) {
        gpool__program *program = pipeline->variants[found].program;
        if (variant_is_settled(program)) {
            return program;
        }
        gpool__program_release(pool, pipeline->variants[found].fresh);
        pipeline->variants[found] = pipeline->variants[--pipeline->variant_count];
        gpool__program_release(pool, program);
    }
    if (!variant_matches(pipeline->desc, targets)) {
        *result = GPOOL__FAIL(pool, PIPELINE_CREATE, INVALID_ARGUMENT,
                              "The pipeline \"%s\" names formats or samples that differ from those "
                              "of the pass [color 0x%x, depth 0x%x, samples %u]",
                              pipeline->base.label, (unsigned)targets->colors[0],
                              (unsigned)targets->depth, targets->samples);
        return NULL;
    }
    return variant_add(pool, pipeline, targets, result);
}

void gpool__pipeline_forget_failed(gpool *pool, gpool__pipeline *pipeline)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < pipeline->variant_count; ++i) {
        gpool__program *program = pipeline->variants[i].program;
        if (program->base.collected && program->base.result != GPOOL_OK) {
            gpool__program_release(pool, pipeline->variants[i].fresh);
            gpool__program_release(pool, program);
        } else {
            pipeline->variants[kept++] = pipeline->variants[i];
        }
    }
    pipeline->variant_count = kept;
}
