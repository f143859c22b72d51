/*
 * The frame: begin, submit, end; and the pool's own begin and end, which need every folder.
 */
#include "record/recording.h"

#include "pool/buffer_keep.h"
#include "pool/heap_state.h"
#include "pool/staging.h"
#include "pool/ticket.h"

#define FRAME_MAX_IN_FLIGHT 8u

static uint32_t frame_workers(const gpool_desc *desc)
{
    return desc->compile_workers == GPOOL_WORKERS_NONE ? 0
           : desc->compile_workers != 0                ? desc->compile_workers
                                                       : 1;
}

gpool_result gpool_create(gpool_device *device, const gpool_desc *desc, gpool **out)
{
    static const gpool_desc defaults = { 0 };
    if (out == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    *out = NULL;
    if (desc == NULL) {
        desc = &defaults;
    }
    if (gpool__is_inside()) {
        return GPOOL_ERROR_WRONG_PHASE; /* a callback inside a call of gpool */
    }
    gpool__operation *now = gpool__current();
    now->name = "gpool_create";
    if (device == NULL || desc->frames_in_flight > FRAME_MAX_IN_FLIGHT ||
        frame_workers(desc) > GPOOL__MAX_WORKERS) {
        gpool__log log;
        gpool__log_init(&log, desc->log, desc->log_user, "no pool");
        gpool_result refused = gpool__fail(
            &log, device == NULL ? GPOOL_LOG_ARGUMENT_NULL : GPOOL_LOG_ARGUMENT_VALUE,
            GPOOL_ERROR_INVALID_ARGUMENT,
            "The device is %s, or frames_in_flight [%u] is over [%u], or compile_workers [%u] over "
            "[%u]",
            device == NULL ? "null" : "there", desc->frames_in_flight, FRAME_MAX_IN_FLIGHT,
            desc->compile_workers, GPOOL__MAX_WORKERS);
        now->name = NULL;
        return refused;
    }
    gpool *pool = NULL;
    gpool_result result = gpool__pool_open(device, desc, &pool);
    if (result == GPOOL_OK) {
        result = gpool__shaders_init(pool, frame_workers(desc), desc->shader_watch_ms);
        if (result == GPOOL_OK) {
            gpool__pipelines_init(pool);
            result = gpool__persist_init(pool, desc);
        }
        if (result == GPOOL_OK) {
            result = gpool__recording_init(pool);
        }
        if (result != GPOOL_OK) {
            gpool__pool_close(pool);
            pool = NULL;
        }
    }
    now->name = NULL;
    gpool__log_flush();
    *out = pool;
    return result;
}

static void frame_report_leaks(gpool *pool)
{
    for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
        const gpool__table *table = &pool->tables[kind];
        for (uint32_t i = 0; i < table->slot_count; ++i) {
            gpool__resource *resource = (gpool__resource *)gpool__table_at(table, i);
            if (!gpool__table_is_live(table, &resource->head) || resource->own) {
                continue;
            }
            /* The list is told in full, however long. */
            pool->log.counts[GPOOL_LOG_LEAK] = 0;
            char path[GPOOL__MESSAGE_SIZE / 2];
            gpool__note(
                &pool->log, GPOOL_LOG_LEAK,
                "The %s \"%s\" of [%llu] bytes in scope \"%s\", created in frame [%llu], was "
                "never %s",
                gpool_kind_name((gpool_kind)kind), resource->label,
                (unsigned long long)gpool__resource_bytes(resource),
                gpool__scope_path(pool, resource, path, sizeof path),
                (unsigned long long)resource->alive.created_frame,
                kind == GPOOL_KIND_SCOPE ? "ended" : "destroyed");
        }
    }
}

void gpool_destroy(gpool *pool)
{
    if (pool == NULL) {
        return;
    }
    if (!gpool__is_owner(pool)) {
        (void)gpool__refuse_thread(pool, "gpool_destroy");
        return;
    }
    if (gpool__is_inside()) {
        (void)GPOOL__FAIL(pool, PHASE, WRONG_PHASE,
                          "The pool \"%s\" cannot be destroyed by a callback inside a call of "
                          "gpool",
                          pool->label);
        return;
    }
    if (pool->recovering || pool->warming) {
        (void)GPOOL__FAIL(pool, PHASE, WRONG_PHASE,
                          "The pool \"%s\" cannot be destroyed by a callback of %s", pool->label,
                          pool->recovering ? "gpool_recover()" : "gpool_warm_up()");
        return;
    }
    gpool__operation *now = gpool__current();
    now->name = "gpool_destroy";
    now->timed_table = &pool->device->table;
    gpool__writes_finish(pool);
    gpool__remote_drain(pool);
    gpool__record_reset(&pool->record->frame);
    gpool__frame_imports_end(pool);
    (void)gpool__device_wait_serial(pool->device, &pool->seam, pool->last_serial,
                                    pool->wait_timeout_ns);
    gpool__persist_close(pool);
    frame_report_leaks(pool);
    gpool__recording_fini(pool);
    gpool__pool_close(pool);
    now->name = NULL;
    gpool__log_flush();
}

/* Lost comes before any phase: one code from then on. */
static gpool_result frame_check(gpool *pool, bool wants_frame)
{
    if (gpool__device_is_lost(pool->device)) {
        return GPOOL__FAIL(pool, DEVICE_LOST, DEVICE_LOST, "The device \"%s\" is lost",
                           pool->device->info.label);
    }
    if (pool->in_frame != wants_frame) {
        return GPOOL__FAIL(pool, PHASE, WRONG_PHASE, "%s",
                           wants_frame ? "No frame is open" : "A frame is open already");
    }
    return GPOOL_OK;
}

static gpool_result frame_begin(gpool *pool)
{
    gpool_result result = frame_check(pool, false);
    if (result != GPOOL_OK) {
        return result;
    }
    uint64_t next = pool->frame + 1;
    uint64_t serial = 0;
    if (next > pool->frames_in_flight) {
        serial = pool->frame_serials[(next - pool->frames_in_flight) % FRAME_MAX_IN_FLIGHT];
    }
    result = gpool__device_wait_serial(pool->device, &pool->seam, serial, pool->wait_timeout_ns);
    if (result == GPOOL_ERROR_TIMEOUT) {
        return GPOOL__FAIL(pool, TIMEOUT, TIMEOUT,
                           "The GPU did not finish frame [%llu] within [%llu] ms",
                           (unsigned long long)(next - pool->frames_in_flight),
                           (unsigned long long)(pool->wait_timeout_ns / 1000000u));
    }
    if (result != GPOOL_OK) {
        return GPOOL__FAIL(pool, DEVICE_LOST, DEVICE_LOST, "The device \"%s\" is lost",
                           pool->device->info.label);
    }
    gpool__compiler_collect(pool);
    gpool__reload(pool);
    pool->frame = next;
    gpool__heaps_compact(pool);
    pool->in_frame = true;
    pool->frame_error = GPOOL_OK;
    return GPOOL_OK;
}

gpool_result gpool_begin_frame(gpool *pool)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_begin_frame", &call);
    if (result == GPOOL_OK) {
        gpool__remote_drain(pool);
        result = frame_begin(pool);
        gpool__leave(pool, &call);
    }
    return result;
}

/* Ends the recording after its submit, or its drop. */
static void frame_close_recording(gpool *pool)
{
    gpool__record_reset(&pool->record->frame);
    gpool__retire_close(&pool->retire, pool->last_serial);
}

/* Uploads, finishes, submits. `*sent` is false when nothing was submitted for an upload error. */
static gpool_result frame_submit(gpool *pool, bool *sent)
{
    struct gpool_recorder_state *state = &pool->record->frame;
    *sent = false;
    gpool_result result = gpool__upload_flush(pool);
    if (result == GPOOL_OK) {
        result = gpool__stream_flush(pool, &pool->record->stream);
    }
    if (result == GPOOL_OK) {
        /* A look that finds no memory comes before the recording is finished, which so can wait. */
        result = gpool__device_check(pool->device, &pool->seam);
        result = result == GPOOL_ERROR_OUT_OF_GPU_MEMORY
                     ? gpool__fail_gpu(pool, result, "Submit of pool", pool->label)
                     : GPOOL_OK;
    }
    if (result != GPOOL_OK) {
        return result;
    }
    *sent = true;
    if (state->encoder == NULL && (state->part_count > 0 || gpool__batch_waits(pool))) {
        /* No encoder is finished now that would tell a loss before the submit: the canary must. */
        atomic_store(&pool->device->events->suspect, true);
    }
    /* Before the Finish, which tells a loss: nothing then comes between it and the submit. */
    (void)gpool__staging_unmap(pool, GPOOL__STAGE_BATCH);
    (void)gpool__staging_unmap(pool, GPOOL__STAGE_RECORD);
    gpool_result finished = gpool__record_finish(state);
    if (finished != GPOOL_OK) {
        pool->stats.dropped_recorders += 1;
    }
    uint32_t count = finished == GPOOL_OK ? state->part_count : 0;
    if (count > 0 || gpool__batch_waits(pool)) {
        result = gpool__batch_submit(pool, state->parts, count, true, "Submit of pool");
        if (count > 0) {
            gpool__tickets_submitted(pool, result);
        }
    }
    frame_close_recording(pool);
    /* One code from a loss on, whatever the recorder met before. */
    return finished != GPOOL_OK && result != GPOOL_ERROR_DEVICE_LOST ? finished : result;
}

gpool_result gpool_submit(gpool *pool)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_submit", &call);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__remote_drain(pool);
    result = frame_check(pool, true);
    if (result == GPOOL_OK) {
        bool sent = false;
        result = frame_submit(pool, &sent);
        if (sent && pool->frame_error != GPOOL_OK && result != GPOOL_ERROR_DEVICE_LOST) {
            /* Latched while recording: told once, by the submit that ends the recording. */
            result = gpool__record_take_latched(pool);
        }
    }
    gpool__leave(pool, &call);
    return result;
}

static gpool_result frame_end(gpool *pool)
{
    gpool_result result = frame_check(pool, true);
    if (result == GPOOL_ERROR_WRONG_PHASE) {
        return result;
    }
    bool sent = false;
    if (result == GPOOL_OK) {
        result = frame_submit(pool, &sent);
    }
    if (!sent) {
        pool->stats.dropped_recorders += pool->recording;
        frame_close_recording(pool);
    }
    if (pool->frame_error != GPOOL_OK && result != GPOOL_ERROR_DEVICE_LOST) {
        result = gpool__record_take_latched(pool);
    }
    pool->frame_error = GPOOL_OK;
    pool->frame_serials[pool->frame % FRAME_MAX_IN_FLIGHT] = pool->last_serial;
    gpool__frame_imports_end(pool);
    pool->in_frame = false;
    gpool__staging_trim(pool);
    gpool__stream_trim(pool, &pool->record->stream);
    (void)gpool__free_retired(pool, false);
    gpool__heaps_trim(pool);
    gpool__landing_trim(pool);
    gpool__recycle_trim(pool);
    gpool__persist_tick(pool);
    return result;
}

gpool_result gpool_end_frame(gpool *pool)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_end_frame", &call);
    if (result == GPOOL_OK) {
        gpool__remote_drain(pool);
        result = frame_end(pool);
        gpool__leave(pool, &call);
    }
    return result;
}

gpool_result gpool_process_uploads(gpool *pool)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_process_uploads", &call);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__remote_drain(pool);
    result = frame_check(pool, pool->in_frame);
    if (result == GPOOL_OK) {
        result = gpool__upload_flush(pool);
    }
    if (result == GPOOL_OK && gpool__batch_waits(pool)) {
        result = gpool__submit_writes(pool);
    }
    gpool__leave(pool, &call);
    return result;
}

gpool_result gpool_process_deletions(gpool *pool)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_process_deletions", &call);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__remote_drain(pool);
    (void)gpool__free_retired(pool, false);
    gpool__heaps_trim(pool);
    gpool__leave(pool, &call);
    return GPOOL_OK;
}

gpool_result gpool_tick(gpool *pool)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_tick", &call);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__remote_drain(pool);
    result = frame_check(pool, pool->in_frame);
    if (result == GPOOL_OK) {
        result = gpool__recycle_clear(pool);
    }
    if (result == GPOOL_OK && gpool__batch_waits(pool)) {
        /* Until a submit, implementations keep what was written, and what it was written to. */
        result = gpool__submit_writes(pool);
    }
    gpool__device_process(pool->device, &pool->seam);
    (void)gpool__free_retired(pool, true);
    gpool__heaps_trim(pool);
    if (result == GPOOL_OK) {
        result = frame_check(pool, pool->in_frame);
    }
    gpool__leave(pool, &call);
    return result;
}

gpool_result gpool_wait_idle(gpool *pool)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_wait_idle", &call);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__remote_drain(pool);
    result = frame_check(pool, pool->in_frame);
    if (result == GPOOL_OK) {
        result = gpool__device_wait_serial(pool->device, &pool->seam, pool->last_serial,
                                           pool->wait_timeout_ns);
        if (result == GPOOL_ERROR_TIMEOUT) {
            (void)GPOOL__FAIL(pool, TIMEOUT, TIMEOUT, "The GPU is not idle after [%llu] ms",
                              (unsigned long long)(pool->wait_timeout_ns / 1000000u));
        } else if (result != GPOOL_OK) {
            result = frame_check(pool, pool->in_frame);
        }
    }
    gpool__leave(pool, &call);
    return result;
}

gpool_result gpool_note_external_submit(gpool *pool)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_note_external_submit", &call);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__remote_drain(pool);
    result = frame_check(pool, pool->in_frame);
    if (result == GPOOL_OK) {
        pool->last_serial = gpool__device_note_submit(pool->device, &pool->seam);
        pool->queue_dirty = false; /* the batch is gpool's own and waits for its submit */
        if (pool->batch.count == 0) {
            gpool__buffers_drop_sent(pool); /* by queue writes, which went with it */
        }
    }
    gpool__leave(pool, &call);
    return result;
}
