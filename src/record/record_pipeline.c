/*
 * Pipelines of a pass: set by handle, which may wait for a compile, or raw.
 */
#include "record/recording.h"

void gpool_skip_not_ready(gpool_recorder rec)
{
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_skip_not_ready", &call);
    if (state != NULL) {
        gpool_result result;
        if (gpool__record_needs_pass(state, true, true, &result)) {
            state->pass.skips = true;
        }
        gpool__record_leave(state, &call, result);
    }
}

/* Waits for a program, unless the pass would rather do without: then *ready is false. A failure that
 * was not `known` before this call is told by it. */
static gpool_result bind_await(struct gpool_recorder_state *state, const gpool__pipeline *pipeline,
                               gpool__program *program, bool known, bool *ready)
{
    gpool *pool = state->pool;
    *ready = true;
    if (!gpool__made_is_done(&program->base)) {
        gpool__compiler_collect(pool);
    }
    if (!gpool__made_is_done(&program->base)) {
        if (state->pass.skips) {
            *ready = false;
            return GPOOL_OK;
        }
        pool->stats.compile_waits += 1;
        if (gpool__compiler_finish(pool, &program->base, pool->wait_timeout_ns) != GPOOL_OK) {
            return GPOOL__FAIL(
                pool, TIMEOUT, TIMEOUT, "The pipeline \"%s\" is not compiled after [%llu] ms",
                pipeline->base.label, (unsigned long long)(pool->wait_timeout_ns / 1000000u));
        }
    }
    if (program->base.gpu == NULL && !known) {
        return program->base.result; /* told just now */
    }
    if (program->base.gpu == NULL) {
        return GPOOL__FAIL(pool, RESOURCE_FAILED, FAILED_RESOURCE,
                           "The pipeline \"%s\" failed for pass \"%s\"", pipeline->base.label,
                           state->pass_label);
    }
    return GPOOL_OK;
}

static gpool_result bind_pipeline(struct gpool_recorder_state *state, gpool_pipeline handle,
                                  bool *ready)
{
    gpool *pool = state->pool;
    gpool_result result;
    *ready = true;
    if (!gpool__record_needs_pass(state, true, true, &result)) {
        return result;
    }
    /* Whatever happens, draws that follow must not run with the pipeline set before. */
    const void *before =
        !state->pass.raw && state->pass.known_pipeline != NULL ? state->pass.pipeline : NULL;
    state->pass.pipeline = NULL;
    state->pass.known_pipeline = NULL;
    gpool__pipeline *pipeline =
        (gpool__pipeline *)gpool__resolve_good(pool, handle.id, GPOOL_KIND_PIPELINE, &result);
    if (pipeline == NULL) {
        return result;
    }
    if (pipeline->compute != (state->compute != NULL)) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "The %s pipeline \"%s\" does not fit the %s pass \"%s\"",
                           pipeline->compute ? "compute" : "render", pipeline->base.label,
                           state->compute != NULL ? "compute" : "render", state->pass_label);
    }
    static const gpool__targets none = { 0 };
    const gpool__targets *targets = pipeline->compute ? &none : &state->targets;
    uint32_t found = gpool__variant_find(pipeline, targets);
    bool known =
        found != UINT32_MAX && gpool__made_is_done(&pipeline->variants[found].program->base);
    gpool__program *program = gpool__pipeline_variant(pool, pipeline, targets, &result);
    if (program != NULL) {
        result = bind_await(state, pipeline, program, known, ready);
    }
    if (result != GPOOL_OK) {
        return result;
    }
    state->pass.known_pipeline = pipeline; /* also without it: its groups are known */
    if (!*ready) {
        return GPOOL_OK;
    }
    void *gpu = program->base.gpu;
    gpool__resource_record(pool, &pipeline->base);
    state->pass.pipeline = gpu;
    if (gpu == before) {
        pool->stats.redundant += 1;
    } else if (pipeline->compute) {
        GPOOL__GPU(&pool->seam, ComputePassEncoderSetPipeline)(state->compute, gpu);
    } else {
        GPOOL__GPU(&pool->seam, RenderPassEncoderSetPipeline)(state->render, gpu);
    }
    return GPOOL_OK;
}

void gpool_set_pipeline(gpool_recorder rec, gpool_pipeline pipeline)
{
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_set_pipeline", &call);
    if (state != NULL) {
        bool ready = true;
        gpool_result result = bind_pipeline(state, pipeline, &ready);
        state->pass.refused_pipeline = result != GPOOL_OK;
        state->pass.unready_pipeline = !ready;
        gpool__record_leave(state, &call, result);
    }
}

static gpool_result bind_raw(struct gpool_recorder_state *state, WGPURenderPipeline render,
                             WGPUComputePipeline compute)
{
    gpool *pool = state->pool;
    gpool_result result;
    bool for_render = state->render != NULL || (state->compute == NULL && render != NULL);
    if (!gpool__record_needs_pass(state, for_render, !for_render, &result)) {
        return result;
    }
    if ((for_render && render == NULL) || (!for_render && compute == NULL)) {
        state->pass.pipeline = NULL;
        state->pass.known_pipeline = NULL;
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT,
                           "The raw pipeline [NULL] is null or not of the pass's kind");
    }
    state->pass.known_pipeline = NULL;
    if (for_render) {
        state->pass.pipeline = render;
        GPOOL__GPU(&pool->seam, RenderPassEncoderSetPipeline)(state->render, render);
    } else {
        state->pass.pipeline = compute;
        GPOOL__GPU(&pool->seam, ComputePassEncoderSetPipeline)(state->compute, compute);
    }
    return GPOOL_OK;
}

static gpool_result bind_raw_pipeline(struct gpool_recorder_state *state, WGPURenderPipeline render,
                                      WGPUComputePipeline compute)
{
    gpool_result result = bind_raw(state, render, compute);
    state->pass.refused_pipeline = result != GPOOL_OK;
    return result;
}

void gpool_set_raw_render_pipeline(gpool_recorder rec, WGPURenderPipeline pipeline)
{
    gpool__call call;
    struct gpool_recorder_state *state =
        gpool__record_enter(rec, "gpool_set_raw_render_pipeline", &call);
    if (state != NULL) {
        gpool__record_leave(state, &call, bind_raw_pipeline(state, pipeline, NULL));
    }
}

void gpool_set_raw_compute_pipeline(gpool_recorder rec, WGPUComputePipeline pipeline)
{
    gpool__call call;
    struct gpool_recorder_state *state =
        gpool__record_enter(rec, "gpool_set_raw_compute_pipeline", &call);
    if (state != NULL) {
        gpool__record_leave(state, &call, bind_raw_pipeline(state, NULL, pipeline));
    }
}
