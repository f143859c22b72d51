/*
 * What goes out before the commands of the next submit: finished command buffers of the pool's own, in
 * the order they were finished in. Each was checked when it was finished, so the submit of a batch can
 * only fail with its device, or with a recording that goes along. Queue writes overtake a batch: see
 * gpool__batch_settle().
 */
#include "pool/buffer_keep.h"
#include "pool/heap_state.h"
#include "pool/scatter.h"
#include "pool/staging.h"

/* Room for `more` command buffers; what is finished must not be lost for lack of it. */
static gpool_result batch_reserve(gpool *pool, uint32_t more)
{
    void *commands = pool->batch.commands;
    bool good = gpool__reserve(&pool->memory, &commands, &pool->batch.capacity,
                               pool->batch.count + more, sizeof *pool->batch.commands);
    pool->batch.commands = commands;
    return good ? GPOOL_OK
                : GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for command buffers");
}

gpool_result gpool__batch_add_finished(gpool *pool, WGPUCommandBuffer buffer)
{
    gpool_result result = batch_reserve(pool, 1);
    if (result != GPOOL_OK) {
        GPOOL__GPU(&pool->seam, CommandBufferRelease)(buffer);
        return result;
    }
    pool->batch.commands[pool->batch.count++] = buffer;
    return GPOOL_OK;
}

gpool_result gpool__batch_add(gpool *pool, WGPUCommandEncoder encoder, const char *what)
{
    gpool_result result = batch_reserve(pool, 1);
    if (result != GPOOL_OK) {
        GPOOL__GPU(&pool->seam, CommandEncoderRelease)(encoder);
        return result;
    }
    gpool__capture_begin(pool->device, &pool->seam);
    WGPUCommandBuffer buffer = GPOOL__GPU(&pool->seam, CommandEncoderFinish)(encoder, NULL);
    result = gpool__capture_end(pool->device, &pool->seam);
    GPOOL__GPU(&pool->seam, CommandEncoderRelease)(encoder);
    if (result == GPOOL_OK && buffer == NULL) {
        result = GPOOL_ERROR_GPU;
    }
    if (result != GPOOL_OK) {
        if (buffer != NULL) {
            GPOOL__GPU(&pool->seam, CommandBufferRelease)(buffer);
        }
        return gpool__fail_gpu(pool, result, what, pool->label);
    }
    pool->batch.commands[pool->batch.count++] = buffer;
    return GPOOL_OK;
}

/* Releases what a submit took, or what will never be submitted. */
static void batch_drop(gpool *pool)
{
    for (uint32_t i = 0; i < pool->batch.count; ++i) {
        GPOOL__GPU(&pool->seam, CommandBufferRelease)(pool->batch.commands[i]);
    }
    pool->batch.count = 0;
    pool->batch.number += 1;
}

gpool_result gpool__batch_submit(gpool *pool, const WGPUCommandBuffer *parts, uint32_t part_count,
                                 bool recording, const char *what)
{
    gpool_result result = gpool__recycle_clear(pool);
    uint32_t own = pool->batch.count;
    if (result == GPOOL_OK) {
        result = batch_reserve(pool, part_count);
    }
    if (result != GPOOL_OK) {
        return result;
    }
    for (uint32_t i = 0; i < part_count; ++i) {
        pool->batch.commands[own + i] = parts[i];
    }
    bool unmapped = gpool__staging_unmap(pool, GPOOL__STAGE_BATCH);
    if (recording) {
        unmapped |= gpool__staging_unmap(pool, GPOOL__STAGE_RECORD);
    }
    if (unmapped) {
        /* Calls since the last look: the canary looks again. */
        atomic_store(&pool->device->events->suspect, true);
    }
    uint64_t serial = 0;
    result = gpool__device_submit(pool->device, &pool->seam, own + part_count, pool->batch.commands,
                                  &serial);
    if (serial != 0) {
        pool->last_serial = serial;
        pool->queue_dirty = result != GPOOL_OK;
        pool->stats.submits += 1;
    }
    if (serial != 0 || result == GPOOL_ERROR_DEVICE_LOST) {
        if (result != GPOOL_OK && result != GPOOL_ERROR_DEVICE_LOST && own > 0) {
            /* What the recording had wrong took the uploads with it. */
            gpool__upload_again(pool, pool->batch.number);
        }
        batch_drop(pool);
        gpool__recycle_submitted(pool, result, part_count > 0);
        gpool__staging_end(pool, GPOOL__STAGE_BATCH);
    }
    if (result == GPOOL_OK) {
        gpool__buffers_drop_sent(pool);
    }
    return result == GPOOL_OK ? result : gpool__fail_gpu(pool, result, what, pool->label);
}

gpool_result gpool__batch_settle(gpool *pool, const gpool__buffer *buffer)
{
    if (!gpool__buffer_is_in_batch(pool, buffer)) {
        return GPOOL_OK;
    }
    return gpool__batch_submit(pool, NULL, 0, false, "Submit of uploads of pool");
}

gpool_result gpool__submit_writes(gpool *pool)
{
    return gpool__batch_submit(pool, NULL, 0, false, "Flush of pool");
}

gpool_result gpool__submit_internal(gpool *pool, WGPUCommandEncoder encoder, const char *what)
{
    gpool_result result = gpool__batch_add(pool, encoder, what);
    return result == GPOOL_OK ? gpool__batch_submit(pool, NULL, 0, false, what) : result;
}

void gpool__batch_leave_device(gpool *pool)
{
    batch_drop(pool);
    gpool__recycle_leave_device(pool);
    gpool__bounce_drop(pool);
    gpool__staging_fini(pool);
    gpool__scatter_fini(pool);
}

void gpool__batch_fini(gpool *pool)
{
    gpool__batch_leave_device(pool);
    gpool__free(&pool->memory, pool->batch.commands,
                pool->batch.capacity * sizeof *pool->batch.commands);
    pool->batch.commands = NULL;
}
