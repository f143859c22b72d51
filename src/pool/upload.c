/*
 * Uploads. The contract is section "Uploads" of docs/frame.md: bytes written before a submit are
 * seen by every command of that submit.
 *
 * A flush takes the dirty buffers, some at a time, plans a way for each (plan.h), sends those that go
 * by queue writes at once and records the others into one encoder, which goes into the batch that
 * leads the next submit. Dirty marks are cleared when that is certain: after the writes without an
 * error, after the encoder's Finish.
 *
 * Queue writes run before the commands of the next submit, also before the batch. So a buffer that the
 * batch already writes takes no queue write; its `batch` number says so.
 */
#include "pool/flush.h"

#include "pool/buffer_keep.h"
#include "pool/make.h"
#include "pool/scatter.h"
#include "pool/staging.h"

#include <string.h>

/* Buffers that are planned together. */
#define UPLOAD_ITEMS 64u

static gpool__buffer *upload_at(const gpool *pool, gpool__place place)
{
    return place != 0 ? (gpool__buffer *)gpool__resource_at(pool, place) : NULL;
}

static void upload_link(gpool *pool, gpool__place *list, gpool__buffer *buffer)
{
    gpool__place place = gpool__place_of(&buffer->base);
    gpool__buffer *first = upload_at(pool, *list);
    buffer->dirty_previous = 0;
    buffer->dirty_next = *list;
    if (first != NULL) {
        first->dirty_previous = place;
    }
    *list = place;
}

void gpool__upload_enlist(gpool *pool, gpool__buffer *buffer)
{
    if (!buffer->in_dirty_list) {
        gpool__upload_delist(pool, buffer);
        buffer->in_dirty_list = true;
        upload_link(pool, &pool->dirty_buffers, buffer);
    }
}

void gpool__upload_enlist_sent(gpool *pool, gpool__buffer *buffer)
{
    gpool__upload_delist(pool, buffer);
    buffer->in_sent_list = true;
    upload_link(pool, &pool->sent_buffers, buffer);
}

void gpool__upload_delist(gpool *pool, gpool__buffer *buffer)
{
    if (!buffer->in_dirty_list && !buffer->in_sent_list) {
        return;
    }
    gpool__place *list = buffer->in_dirty_list ? &pool->dirty_buffers : &pool->sent_buffers;
    gpool__buffer *previous = upload_at(pool, buffer->dirty_previous);
    gpool__buffer *next = upload_at(pool, buffer->dirty_next);
    buffer->in_dirty_list = false;
    buffer->in_sent_list = false;
    if (previous != NULL) {
        previous->dirty_next = buffer->dirty_next;
    } else {
        *list = buffer->dirty_next;
    }
    if (next != NULL) {
        next->dirty_previous = buffer->dirty_previous;
    }
    buffer->dirty_next = 0;
    buffer->dirty_previous = 0;
}

static gpool__plan_input upload_input(const gpool *pool, const gpool__buffer *buffer)
{
    return (gpool__plan_input){
        .dirty = buffer->dirty,
        .size = gpool__buffer_gpu_size(buffer),
        .window = gpool__scatter_window(pool, buffer),
        .small = buffer->size < GPOOL__WHOLE_BELOW,
        .by_queue = !gpool__buffer_is_in_batch(pool, buffer),
        .force = pool->upload_force,
    };
}

gpool__plan gpool__upload_plan(gpool *pool, const gpool__buffer *buffer)
{
    gpool__plan_input input = upload_input(pool, buffer);
    gpool__plan plan = gpool__plan_buffer(&pool->upload_costs, &input);
    gpool__plan *one = &plan;
    gpool__plan_settle(&pool->upload_costs, &one, 1);
    return plan;
}

/* One piece by a queue write or by a copy. */
static gpool_result upload_piece(gpool *pool, WGPUCommandEncoder encoder, gpool__upload_item *item,
                                 uint64_t offset, uint64_t size)
{
    const gpool__buffer *buffer = item->buffer;
    if (encoder == NULL) {
        GPOOL__GPU(&pool->seam, QueueWriteBuffer)
        (pool->device->queue, buffer->gpu, offset, buffer->shadow + offset, (size_t)size);
    } else {
        gpool__staged staged;
        gpool_result result = gpool__staging_take(pool, GPOOL__STAGE_BATCH, size, &staged);
        if (result != GPOOL_OK) {
            return result;
        }
        memcpy(staged.bytes, buffer->shadow + offset, (size_t)size);
        GPOOL__GPU(&pool->seam, CommandEncoderCopyBufferToBuffer)
        (encoder, staged.gpu, staged.offset, buffer->gpu, offset, size);
        item->recorded = true;
    }
    item->sent += size;
    item->calls += 1;
    return GPOOL_OK;
}

/* All pieces of an item. A repeat after GPOOL_ERROR_BUDGET writes again what was recorded. */
static gpool_result upload_pieces(gpool *pool, WGPUCommandEncoder encoder, gpool__upload_item *item)
{
    const gpool__buffer *buffer = item->buffer;
    if (item->plan.way == GPOOL_UPLOAD_WHOLE) {
        return upload_piece(pool, encoder, item, 0, gpool__buffer_gpu_size(buffer));
    }
    uint64_t cursor = 0;
    gpool_range range;
    while (gpool_dirty_map_next(buffer->dirty, item->plan.gap, 4, &cursor, &range)) {
        gpool_result result = upload_piece(pool, encoder, item, range.offset, range.size);
        if (result != GPOOL_OK) {
            return result;
        }
    }
    return GPOOL_OK;
}

/* What is dirty is on its way now. */
static void upload_done(gpool *pool, gpool__upload_item *item)
{
    gpool__buffer *buffer = item->buffer;
    buffer->upload.sent = item->sent;
    buffer->upload.calls = item->calls;
    buffer->upload.predicted_ns = item->plan.ns[item->plan.way];
    buffer->way = (uint8_t)(item->plan.way & 15u);
    buffer->reason = (uint8_t)(item->plan.reason & 15u);
    pool->stats.sent_bytes += item->sent;
    pool->stats.upload_calls[item->plan.way] += item->calls;
    pool->stats.upload_bytes[item->plan.way] += item->sent;
    (void)gpool_dirty_map_clear(buffer->dirty);
    buffer->edited = false;
    gpool__upload_delist(pool, buffer);
    if (buffer->drops) {
        gpool__upload_enlist_sent(pool, buffer);
    }
}

/* Queue writes of one item, under capture; cleared when they are made. */
static gpool_result upload_by_queue(gpool *pool, gpool__upload_item *item)
{
    gpool_result result = gpool__batch_settle(pool, item->buffer);
    if (result != GPOOL_OK) {
        return result;
    }
    item->sent = 0;
    item->calls = 0;
    gpool__capture_begin(pool->device, &pool->seam);
    (void)upload_pieces(pool, NULL, item);
    pool->queue_dirty = true;
    result = gpool__capture_end(pool->device, &pool->seam);
    if (result != GPOOL_OK) {
        return gpool__fail_gpu(pool, result, "Upload of buffer", item->buffer->base.label);
    }
    upload_done(pool, item);
    return GPOOL_OK;
}

/* Records one item; under a lack of staging it goes by the queue instead. What the encoder may hold of
 * it already is harmless, as the bytes are the same, until later bytes go by the queue. */
static gpool_result upload_by_encoder(gpool *pool, WGPUCommandEncoder encoder,
                                      gpool__upload_item *item)
{
    gpool_result result = upload_pieces(pool, encoder, item);
    if (result == GPOOL_ERROR_BUDGET && !gpool__buffer_is_in_batch(pool, item->buffer)) {
        if (item->plan.way == GPOOL_UPLOAD_MERGED) {
            item->plan.way = GPOOL_UPLOAD_DIRECT;
        }
        item->plan.reason = GPOOL_UPLOAD_REASON_BUDGET;
        item->plan.staged = false;
        result = upload_by_queue(pool, item);
    }
    return result;
}

static gpool_result upload_scatter(gpool *pool, WGPUCommandEncoder encoder,
                                   gpool__upload_item *items, uint32_t count)
{
    gpool_result result = gpool__scatter_record(pool, encoder, items, count);
    if (result != GPOOL_ERROR_BUDGET) {
        return result;
    }
    result = GPOOL_OK;
    for (uint32_t i = 0; i < count && result == GPOOL_OK; ++i) {
        gpool__upload_item *item = &items[i];
        if (item->plan.way == GPOOL_UPLOAD_SCATTER && item->plan.staged) {
            if (gpool__buffer_is_in_batch(pool, item->buffer)) {
                return GPOOL_ERROR_BUDGET;
            }
            item->plan.way = GPOOL_UPLOAD_DIRECT;
            item->plan.reason = GPOOL_UPLOAD_REASON_BUDGET;
            item->plan.staged = false;
            result = upload_by_queue(pool, item);
        }
    }
    return result;
}

static gpool_result upload_record(gpool *pool, WGPUCommandEncoder encoder,
                                  gpool__upload_item *items, uint32_t count)
{
    gpool_result result = GPOOL_OK;
    bool scatters = false;
    for (uint32_t i = 0; i < count && result == GPOOL_OK; ++i) {
        if (!items[i].plan.staged) {
            continue;
        }
        if (items[i].plan.way == GPOOL_UPLOAD_SCATTER) {
            scatters = true;
        } else {
            result = upload_by_encoder(pool, encoder, &items[i]);
        }
    }
    return result == GPOOL_OK && scatters ? upload_scatter(pool, encoder, items, count) : result;
}

/* Sends the staged ones of some buffers by one encoder. */
static gpool_result upload_staged(gpool *pool, gpool__upload_item *items, uint32_t count)
{
    gpool_result result;
    WGPUCommandEncoder encoder =
        gpool__make_encoder(pool, "gpool uploads", "gpool uploads", &result);
    if (encoder == NULL) {
        return result;
    }
    /* A new encoder tells a loss: mapped ranges may be asked for. */
    pool->staging.looked = true;
    result = upload_record(pool, encoder, items, count);
    pool->staging.looked = false;
    if (result == GPOOL_OK) {
        result = gpool__batch_add(pool, encoder, "Uploads of pool");
    } else {
        GPOOL__GPU(&pool->seam, CommandEncoderRelease)(encoder);
    }
    if (result != GPOOL_OK && pool->batch.count == 0) {
        /* Nothing copies from what was taken. */
        gpool__staging_end(pool, GPOOL__STAGE_BATCH);
    }
    for (uint32_t i = 0; i < count && result == GPOOL_OK; ++i) {
        if (items[i].recorded) {
            items[i].buffer->batch = pool->batch.number;
        }
        if (items[i].plan.staged) {
            upload_done(pool, &items[i]);
        }
    }
    return result;
}

static gpool_result upload_some(gpool *pool, gpool__upload_item *items, uint32_t count)
{
    gpool__plan *plans[UPLOAD_ITEMS] = { NULL };
    bool staged = false;
    for (uint32_t i = 0; i < count; ++i) {
        gpool__plan_input input = upload_input(pool, items[i].buffer);
        items[i].plan = gpool__plan_buffer(&pool->upload_costs, &input);
        items[i].sent = 0;
        items[i].calls = 0;
        items[i].recorded = false;
        plans[i] = &items[i].plan;
    }
    gpool__plan_settle(&pool->upload_costs, plans, count);
    pool->stats.visited += count;
    for (uint32_t i = 0; i < count; ++i) {
        staged |= items[i].plan.staged;
        if (!items[i].plan.staged) {
            gpool_result result = upload_by_queue(pool, &items[i]);
            if (result != GPOOL_OK) {
                return result;
            }
        }
    }
    return staged ? upload_staged(pool, items, count) : GPOOL_OK;
}

/* The same, and when the budget is full of what the batch holds, once more after its submit: then
 * queue writes are allowed. */
static gpool_result upload_all(gpool *pool, gpool__upload_item *items, uint32_t count)
{
    gpool_result result = upload_some(pool, items, count);
    if (result != GPOOL_ERROR_BUDGET) {
        return result;
    }
    result = gpool__batch_submit(pool, NULL, 0, false, "Submit of uploads of pool");
    uint32_t left = 0;
    for (uint32_t i = 0; i < count; ++i) {
        if (items[i].buffer->in_dirty_list) {
            items[left++] = items[i];
        }
    }
    return result == GPOOL_OK ? upload_some(pool, items, left) : result;
}

void gpool__upload_again(gpool *pool, uint32_t number)
{
    const gpool__table *table = &pool->tables[GPOOL_KIND_BUFFER];
    for (uint32_t i = 0; i < table->slot_count; ++i) {
        gpool__buffer *buffer = (gpool__buffer *)(void *)gpool__table_at(table, i);
        /* Also one that is destroyed: a recording may still read it. What is freed has no map. */
        if (buffer->gpu != NULL && buffer->batch == number && buffer->dirty != NULL) {
            gpool__dirty_map_mark_all(buffer->dirty);
            gpool__upload_enlist(pool, buffer);
            buffer->edited = true; /* who has its memory may go on: nothing was sent */
        }
    }
}

gpool_result gpool__upload_flush_buffer(gpool *pool, gpool__buffer *buffer)
{
    if (!buffer->in_dirty_list) {
        return GPOOL_OK;
    }
    gpool__upload_item item = { .buffer = buffer };
    return upload_all(pool, &item, 1);
}

gpool_result gpool__upload_flush_queue(gpool *pool, gpool__buffer *buffer)
{
    if (!buffer->in_dirty_list) {
        return GPOOL_OK;
    }
    gpool__upload_item item = { .buffer = buffer, .plan = gpool__upload_plan(pool, buffer) };
    item.plan.way = item.plan.way == GPOOL_UPLOAD_WHOLE ? GPOOL_UPLOAD_WHOLE : GPOOL_UPLOAD_DIRECT;
    item.plan.staged = false;
    return upload_by_queue(pool, &item);
}

gpool_result gpool__upload_flush(gpool *pool)
{
    gpool_result cleared = gpool__recycle_clear(pool);
    if (cleared != GPOOL_OK) {
        return cleared;
    }
    while (pool->dirty_buffers != 0) {
        gpool__upload_item items[UPLOAD_ITEMS];
        uint32_t count = 0;
        for (gpool__buffer *buffer = upload_at(pool, pool->dirty_buffers);
             buffer != NULL && count < UPLOAD_ITEMS; buffer = upload_at(pool, buffer->dirty_next)) {
            items[count++] = (gpool__upload_item){ .buffer = buffer };
        }
        gpool_result result = upload_all(pool, items, count);
        if (result != GPOOL_OK) {
            return result;
        }
    }
    return gpool__textures_flush(pool);
}
