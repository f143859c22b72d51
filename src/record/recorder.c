#include "record/recording.h"

#include "pool/make.h"
#include "pool/staging.h"
#include "pool/ticket.h"

#include <string.h>

gpool_result gpool__record_take_latched(gpool *pool)
{
    gpool_result result = pool->frame_error;
    if (result != GPOOL_OK) {
        memcpy(pool->log.message, pool->record->latched, GPOOL__MESSAGE_SIZE);
        pool->log.last = (gpool_error){ result, pool->frame_error_id, pool->log.message };
        pool->frame_error = GPOOL_OK;
    }
    return result;
}

/* Recordings are closed, as there is no frame; bind groups and stream blocks are of the device. */
static void recorder_leave_device(gpool *pool)
{
    gpool__record_reset(&pool->record->frame);
    gpool__bind_drop_all(pool, &pool->record->binds);
    gpool__mips_fini(pool, &pool->record->mips);
    gpool__stream_fini(pool, &pool->record->stream);
}

gpool_result gpool__recording_init(gpool *pool)
{
    pool->record = gpool__alloc(&pool->memory, sizeof *pool->record);
    if (pool->record == NULL) {
        return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for the recorder");
    }
    pool->record->frame.pool = pool;
    pool->record->frame.generation = 1;
    pool->drop_bind_uses = gpool__bind_drop_uses;
    pool->leave_device = recorder_leave_device;
    return GPOOL_OK;
}

void gpool__recording_fini(gpool *pool)
{
    if (pool->record == NULL) {
        return;
    }
    struct gpool_recorder_state *state = &pool->record->frame;
    gpool__record_reset(state);
    gpool__free(&pool->memory, state->parts, state->part_capacity * sizeof *state->parts);
    gpool__bind_fini(pool, &pool->record->binds);
    gpool__mips_fini(pool, &pool->record->mips);
    gpool__stream_fini(pool, &pool->record->stream);
    gpool__free(&pool->memory, pool->record, sizeof *pool->record);
    pool->record = NULL;
}

void gpool__record_latch(gpool *pool, gpool_result result)
{
    if (pool->frame_error == GPOOL_OK) {
        pool->frame_error = result;
        pool->frame_error_id = pool->log.last.id;
        memcpy(pool->record->latched, pool->log.message, GPOOL__MESSAGE_SIZE);
    }
}

struct gpool_recorder_state *gpool__record_enter(gpool_recorder rec, const char *name,
                                                 gpool__call *call)
{
    struct gpool_recorder_state *state = rec.state;
    if (state == NULL || gpool__enter(state->pool, name, call) != GPOOL_OK) {
        return NULL;
    }
    if (rec.generation == state->generation && state->open) {
        return state;
    }
    gpool__record_latch(state->pool,
                        GPOOL__FAIL(state->pool, PHASE, WRONG_PHASE,
                                    "The recorder [%llu] was submitted or dropped, the open one is "
                                    "[%llu]",
                                    (unsigned long long)rec.generation,
                                    (unsigned long long)state->generation));
    state->pool->stats.skipped += 1;
    gpool__leave(state->pool, call);
    return NULL;
}

void gpool__record_leave(struct gpool_recorder_state *state, const gpool__call *call,
                         gpool_result result)
{
    gpool *pool = state->pool;
    if (result != GPOOL_OK) {
        gpool__record_latch(pool, result);
        pool->stats.skipped += 1;
    }
    gpool__leave(pool, call);
}

gpool_recorder gpool_frame_recorder(gpool *pool)
{
    gpool_recorder none = { 0 };
    gpool__call call;
    if (gpool__enter(pool, "gpool_frame_recorder", &call) != GPOOL_OK) {
        return none;
    }
    struct gpool_recorder_state *state = &pool->record->frame;
    gpool_recorder rec = { state, state->generation };
    if (gpool__device_is_lost(pool->device)) {
        gpool__record_latch(pool,
                            GPOOL__FAIL(pool, DEVICE_LOST, DEVICE_LOST, "The device \"%s\" is lost",
                                        pool->device->info.label));
        rec = none;
    } else if (!pool->in_frame) {
        (void)GPOOL__FAIL(pool, PHASE, WRONG_PHASE, "No frame is open in pool \"%s\"", pool->label);
        rec = none;
    } else if (!state->open) {
        state->open = true;
        pool->recording = true;
    }
    gpool__leave(pool, &call);
    return rec;
}

WGPUCommandEncoder gpool__record_encoder(struct gpool_recorder_state *state, gpool_result *result)
{
    gpool *pool = state->pool;
    *result = GPOOL_OK;
    if (state->render != NULL || state->compute != NULL || state->skip_pass) {
        *result =
            GPOOL__FAIL(pool, PHASE, WRONG_PHASE,
                        "The pass \"%s\" is open; this belongs outside passes", state->pass_label);
        return NULL;
    }
    if (state->encoder == NULL) {
        state->encoder = gpool__make_encoder(pool, pool->label, "Encoder of pool", result);
    }
    return state->encoder;
}

void gpool__record_end_pass(struct gpool_recorder_state *state)
{
    gpool__seam *seam = &state->pool->seam;
    if (state->render != NULL) {
        for (; state->pass_groups > 0; --state->pass_groups) {
            GPOOL__GPU(seam, RenderPassEncoderPopDebugGroup)(state->render);
        }
        GPOOL__GPU(seam, RenderPassEncoderEnd)(state->render);
        GPOOL__GPU(seam, RenderPassEncoderRelease)(state->render);
    } else if (state->compute != NULL) {
        for (; state->pass_groups > 0; --state->pass_groups) {
            GPOOL__GPU(seam, ComputePassEncoderPopDebugGroup)(state->compute);
        }
        GPOOL__GPU(seam, ComputePassEncoderEnd)(state->compute);
        GPOOL__GPU(seam, ComputePassEncoderRelease)(state->compute);
    }
    state->render = NULL;
    state->compute = NULL;
    state->skip_pass = false;
    state->pass_groups = 0;
}

/* Finishes an encoder under capture into the parts; releases it in any case. */
static gpool_result recorder_finish_encoder(struct gpool_recorder_state *state,
                                            WGPUCommandEncoder encoder, const char *what)
{
    gpool *pool = state->pool;
    void *parts = state->parts;
    if (!gpool__reserve(&pool->memory, &parts, &state->part_capacity, state->part_count + 1,
                        sizeof *state->parts)) {
        GPOOL__GPU(&pool->seam, CommandEncoderRelease)(encoder);
        return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for a command buffer");
    }
    state->parts = parts;
    gpool__capture_begin(pool->device, &pool->seam);
    WGPUCommandBuffer buffer = GPOOL__GPU(&pool->seam, CommandEncoderFinish)(encoder, NULL);
    gpool_result result = gpool__capture_end(pool->device, &pool->seam);
    GPOOL__GPU(&pool->seam, CommandEncoderRelease)(encoder);
    if (result == GPOOL_OK && buffer != NULL) {
        state->parts[state->part_count++] = buffer;
        return GPOOL_OK;
    }
    if (buffer != NULL) {
        GPOOL__GPU(&pool->seam, CommandBufferRelease)(buffer);
    }
    if (result == GPOOL_OK) {
        result = GPOOL_ERROR_GPU;
    }
    return gpool__fail(&pool->log,
                       result == GPOOL_ERROR_DEVICE_LOST ? GPOOL_LOG_DEVICE_LOST
                                                         : GPOOL_LOG_RECORDER_DROPPED,
                       result, "%s, with passes [%s], was dropped: %s", what, state->pass_list,
                       gpool__current()->error);
}

gpool_result gpool__record_finish_part(struct gpool_recorder_state *state)
{
    if (state->encoder == NULL) {
        return GPOOL_OK;
    }
    gpool__seam *seam = &state->pool->seam;
    for (; state->encoder_groups > 0; --state->encoder_groups) {
        GPOOL__GPU(seam, CommandEncoderPopDebugGroup)(state->encoder);
        state->closed_groups += 1;
    }
    WGPUCommandEncoder encoder = state->encoder;
    state->encoder = NULL;
    gpool_result result = recorder_finish_encoder(state, encoder, "The frame recorder");
    if (result != GPOOL_OK) {
        state->broken = true;
    }
    return result;
}

gpool_result gpool__record_finish(struct gpool_recorder_state *state)
{
    if (state->render != NULL || state->compute != NULL || state->skip_pass) {
        gpool__record_latch(state->pool, GPOOL__FAIL(state->pool, PASS_OPEN, WRONG_PHASE,
                                                     "The pass \"%s\" is still open and was ended",
                                                     state->pass_label));
        gpool__record_end_pass(state);
    }
    gpool_result result = gpool__record_finish_part(state);
    if (state->broken && result == GPOOL_OK) {
        result = GPOOL_ERROR_GPU;
    }
    return result;
}

void gpool__record_reset(struct gpool_recorder_state *state)
{
    gpool *pool = state->pool;
    gpool__tickets_dropped(pool);
    gpool__record_end_pass(state);
    if (state->encoder != NULL) {
        /* Releasing an unfinished encoder drops its commands without an error. */
        GPOOL__GPU(&pool->seam, CommandEncoderRelease)(state->encoder);
        state->encoder = NULL;
    }
    for (uint32_t i = 0; i < state->part_count; ++i) {
        GPOOL__GPU(&pool->seam, CommandBufferRelease)(state->parts[i]);
    }
    state->part_count = 0;
    state->encoder_groups = 0;
    state->closed_groups = 0;
    state->broken = false;
    state->pass_label[0] = '\0';
    state->pass_list[0] = '\0';
    gpool__stream_reset(pool, &pool->record->stream);
    gpool__staging_end(pool, GPOOL__STAGE_RECORD);
    /* Also without a recorder: what was handed out raw is named until the next submit only. */
    pool->record_epoch += 1;
    if (state->open) {
        state->open = false;
        state->generation += 1;
        pool->recording = false;
    }
}

WGPUCommandEncoder gpool_recorder_encoder(gpool_recorder rec)
{
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_recorder_encoder", &call);
    if (state == NULL) {
        return NULL;
    }
    gpool_result result;
    WGPUCommandEncoder encoder = gpool__record_encoder(state, &result);
    gpool__record_leave(state, &call, result);
    return encoder;
}

static gpool_result recorder_finish_raw(struct gpool_recorder_state *state,
                                        WGPUCommandEncoder encoder)
{
    gpool *pool = state->pool;
    if (encoder == NULL) {
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT, "The encoder [NULL] is null");
    }
    if (encoder == state->encoder) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "The encoder is the recorder's own, which finishes it itself");
    }
    if (state->render != NULL || state->compute != NULL || state->skip_pass) {
        GPOOL__GPU(&pool->seam, CommandEncoderRelease)(encoder);
        return GPOOL__FAIL(pool, PHASE, WRONG_PHASE,
                           "The pass \"%s\" is open; raw work belongs outside passes",
                           state->pass_label);
    }
    /* What is recorded so far comes first; if that breaks, the recording is lost anyway. */
    gpool_result own = gpool__record_finish_part(state);
    if (own != GPOOL_OK) {
        gpool__record_latch(pool, own);
    }
    gpool_result raw = recorder_finish_encoder(state, encoder, "The raw encoder");
    return raw != GPOOL_OK ? raw : own;
}

gpool_result gpool_recorder_finish_raw(gpool_recorder rec, WGPUCommandEncoder encoder)
{
    if (rec.state == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (!gpool__is_owner(rec.state->pool)) {
        return gpool__refuse_thread(rec.state->pool, "gpool_recorder_finish_raw");
    }
    gpool__call call;
    struct gpool_recorder_state *state =
        gpool__record_enter(rec, "gpool_recorder_finish_raw", &call);
    if (state == NULL) {
        if (encoder != NULL && encoder != rec.state->encoder) {
            GPOOL__GPU(&rec.state->pool->seam, CommandEncoderRelease)(encoder);
        }
        return GPOOL_ERROR_WRONG_PHASE;
    }
    gpool_result result = recorder_finish_raw(state, encoder);
    /* The caller sees the result here; it is not latched a second time. */
    gpool__leave(state->pool, &call);
    return result;
}
