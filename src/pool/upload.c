/*
 * Uploads. The contract is section "Uploads" of docs/frame.md: bytes written before a submit are
 * seen by every command of that submit. Queue writes run before the command buffers of the submit
 * that follows them, and in order, so the simplest correct strategy is one queue write for each
 * dirty range.
 */
#include "pool/pool_state.h"

/* A queue write costs about as much as this many bytes, so nearer ranges go as one. */
#define UPLOAD_GAP 4096u
/* Buffers below this many bytes are always sent whole. */
#define UPLOAD_WHOLE 256u

void gpool__upload_enlist(gpool *pool, gpool__buffer *buffer)
{
    if (buffer->in_dirty_list) {
        return;
    }
    buffer->in_dirty_list = true;
    buffer->dirty_previous = NULL;
    buffer->dirty_next = pool->dirty_buffers;
    if (pool->dirty_buffers != NULL) {
        pool->dirty_buffers->dirty_previous = buffer;
    }
    pool->dirty_buffers = buffer;
}

void gpool__upload_delist(gpool *pool, gpool__buffer *buffer)
{
    if (!buffer->in_dirty_list) {
        return;
    }
    buffer->in_dirty_list = false;
    if (buffer->dirty_previous != NULL) {
        buffer->dirty_previous->dirty_next = buffer->dirty_next;
    } else {
        pool->dirty_buffers = buffer->dirty_next;
    }
    if (buffer->dirty_next != NULL) {
        buffer->dirty_next->dirty_previous = buffer->dirty_previous;
    }
    buffer->dirty_next = NULL;
    buffer->dirty_previous = NULL;
}

static void upload_send(gpool *pool, const gpool__buffer *buffer, uint64_t offset, uint64_t size)
{
    GPOOL__GPU(&pool->seam, QueueWriteBuffer)
    (pool->device->queue, buffer->gpu, offset, buffer->shadow + offset, (size_t)size);
    pool->stats.sent_bytes += size;
}

gpool_result gpool__upload_flush_buffer(gpool *pool, gpool__buffer *buffer)
{
    if (buffer->dirty == NULL || !gpool__dirty_map_any(buffer->dirty)) {
        gpool__upload_delist(pool, buffer);
        return GPOOL_OK;
    }
    uint64_t sent_before = pool->stats.sent_bytes;
    gpool__capture_begin(pool->device, &pool->seam);
    if (gpool__buffer_gpu_size(buffer) < UPLOAD_WHOLE) {
        upload_send(pool, buffer, 0, gpool__buffer_gpu_size(buffer));
    } else {
        uint64_t cursor = 0;
        gpool_range range;
        while (gpool_dirty_map_next(buffer->dirty, UPLOAD_GAP, 4, &cursor, &range)) {
            upload_send(pool, buffer, range.offset, range.size);
        }
    }
    pool->queue_dirty = true;
    pool->stats.visited += 1;
    gpool_result result = gpool__capture_end(pool->device, &pool->seam);
    if (result != GPOOL_OK) {
        pool->stats.sent_bytes = sent_before;
        return gpool__fail_gpu(pool, result, "Upload of buffer", buffer->base.label);
    }
    (void)gpool_dirty_map_clear(buffer->dirty);
    gpool__upload_delist(pool, buffer);
    return GPOOL_OK;
}

gpool_result gpool__upload_flush(gpool *pool)
{
    while (pool->dirty_buffers != NULL) {
        gpool_result result = gpool__upload_flush_buffer(pool, pool->dirty_buffers);
        if (result != GPOOL_OK) {
            return result;
        }
    }
    return GPOOL_OK;
}
