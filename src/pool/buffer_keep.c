#include "pool/buffer_keep.h"

#include "pool/plan.h"

/* The program's way to bring a buffer's content; few buffers have one. */
typedef struct gpool__refill {
    gpool_fill_buffer_fn fn;
    void *user;
} gpool__refill;

gpool_result gpool__buffer_make_shadow(gpool *pool, gpool__buffer *buffer)
{
    size_t bytes = (size_t)gpool__buffer_gpu_size(buffer);
    buffer->shadow = gpool__alloc(&pool->memory, bytes);
    if (buffer->shadow != NULL) {
        buffer->dirty = gpool__dirty_map_create(&pool->memory, bytes, GPOOL__GRANULE);
    }
    if (buffer->dirty == NULL) {
        gpool__free(&pool->memory, buffer->shadow, bytes);
        buffer->shadow = NULL;
        return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY,
                           "No memory for the shadow of buffer \"%s\", [%llu] bytes",
                           buffer->base.label, (unsigned long long)bytes);
    }
    return GPOOL_OK;
}

void gpool__buffer_free_shadow(gpool *pool, gpool__buffer *buffer)
{
    gpool__upload_delist(pool, buffer);
    gpool__dirty_map_destroy(buffer->dirty, &pool->memory);
    buffer->dirty = NULL;
    gpool__free(&pool->memory, buffer->shadow, (size_t)gpool__buffer_gpu_size(buffer));
    buffer->shadow = NULL;
}

void gpool__buffers_drop_sent(gpool *pool)
{
    while (pool->sent_buffers != 0) {
        gpool__buffer *buffer = (gpool__buffer *)gpool__resource_at(pool, pool->sent_buffers);
        gpool__buffer_free_shadow(pool, buffer);
        buffer->dropped = true;
    }
}

gpool_result gpool__buffer_become_gpu_written(gpool *pool, gpool__buffer *buffer)
{
    if (buffer->gpu_written) {
        return GPOOL_OK;
    }
    gpool_result result = gpool__refuse_own(pool, &buffer->base);
    if (result == GPOOL_OK) {
        result = gpool__upload_flush_buffer(pool, buffer);
    }
    if (result == GPOOL_OK) {
        /* Without the shadow, what a refused submit loses could not be sent again. */
        result = gpool__batch_settle(pool, buffer);
    }
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__buffer_free_shadow(pool, buffer);
    buffer->dropped = false;
    buffer->gpu_written = true;
    return GPOOL_OK;
}

/* --- refills --- */

gpool_result gpool__buffer_set_refill(gpool *pool, gpool__buffer *buffer,
                                      const gpool_buffer_desc *desc)
{
    if (desc->refill == NULL) {
        return GPOOL_OK;
    }
    buffer->refill = gpool__alloc(&pool->memory, sizeof *buffer->refill);
    if (buffer->refill == NULL) {
        return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for the buffer \"%s\"",
                           buffer->base.label);
    }
    *buffer->refill = (gpool__refill){ desc->refill, desc->refill_user };
    return GPOOL_OK;
}

void gpool__buffer_free_refill(gpool *pool, gpool__buffer *buffer)
{
    gpool__free(&pool->memory, buffer->refill, sizeof *buffer->refill);
    buffer->refill = NULL;
}

/* Calls the program. It is inside a call of gpool, so it can change nothing but kill handles. */
static gpool_result keep_ask(gpool *pool, const gpool__buffer *buffer, void *bytes)
{
    gpool_buffer handle = { gpool__handle_of(pool, &buffer->base) };
    gpool_buffer_info info = gpool__buffer_info_of(pool, buffer);
    gpool_result result = buffer->refill->fn(buffer->refill->user, pool, handle, &info, bytes);
    if (result != GPOOL_OK) {
        return gpool__fail(&pool->log, GPOOL_LOG_NO_SHADOW, result,
                           "The refill of buffer \"%s\" of [%llu] bytes answered [%d], %s",
                           buffer->base.label, (unsigned long long)buffer->size, (int)result,
                           gpool_result_text(result));
    }
    (void)gpool__resolve(pool, handle.id, GPOOL_KIND_BUFFER, &result);
    return result;
}

gpool_result gpool__buffer_get_shadow(gpool *pool, gpool__buffer *buffer, uint64_t offset,
                                      uint64_t size)
{
    bool asks = buffer->dropped && size < buffer->size;
    if (asks && buffer->refill == NULL) {
        return GPOOL__FAIL(pool, NO_SHADOW, NO_SHADOW,
                           "Offset [%llu] and size [%llu] are a part of buffer \"%s\" of [%llu] "
                           "bytes, whose shadow was dropped: change all of it, or give it a refill",
                           (unsigned long long)offset, (unsigned long long)size, buffer->base.label,
                           (unsigned long long)buffer->size);
    }
    gpool_result result = gpool__buffer_make_shadow(pool, buffer);
    if (result == GPOOL_OK && asks) {
        result = keep_ask(pool, buffer, buffer->shadow);
    }
    if (result != GPOOL_OK) {
        gpool__buffer_free_shadow(pool, buffer);
        return result;
    }
    if (buffer->dropped) {
        /* What the GPU has may be another content than the refill's. */
        gpool__dirty_map_mark_all(buffer->dirty);
    } else {
        gpool__dirty_map_mark(buffer->dirty, offset, size);
    }
    buffer->dropped = false;
    gpool__upload_enlist(pool, buffer);
    return GPOOL_OK;
}

gpool_result gpool__buffer_refill(gpool *pool, gpool__buffer *buffer)
{
    if (buffer->refill == NULL) {
        return GPOOL_ERROR_UNSUPPORTED;
    }
    if (!buffer->gpu_written) {
        return gpool__buffer_get_shadow(pool, buffer, 0, 0);
    }
    uint64_t size = gpool__buffer_gpu_size(buffer);
    void *bytes = gpool__alloc(&pool->memory, (size_t)size);
    if (bytes == NULL) {
        return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY,
                           "No memory for the refill of buffer \"%s\", [%llu] bytes",
                           buffer->base.label, (unsigned long long)size);
    }
    gpool_result result = keep_ask(pool, buffer, bytes);
    if (result == GPOOL_OK) {
        result = gpool__buffer_send(pool, buffer, 0, bytes, size);
    }
    gpool__free(&pool->memory, bytes, (size_t)size);
    return result;
}
