/* Edits in place, and what is told of uploads. */
#include "pool/buffer_keep.h"
#include "pool/flush.h"

static gpool__buffer *edit_resolve(gpool *pool, gpool_buffer handle, gpool_result *result)
{
    return (gpool__buffer *)gpool__resolve_good(pool, handle.id, GPOOL_KIND_BUFFER, result);
}

static void *buffer_edit(gpool *pool, gpool_buffer handle, uint64_t offset, uint64_t size)
{
    gpool_result result;
    gpool__buffer *buffer = edit_resolve(pool, handle, &result);
    if (buffer == NULL || gpool__refuse_own(pool, &buffer->base) != GPOOL_OK) {
        return NULL;
    }
    if (!gpool__range_inside(offset, size, buffer->size)) {
        (void)GPOOL__FAIL(
            pool, RANGE, OUT_OF_RANGE,
            "Offset [%llu] and size [%llu] of an edit lie outside buffer \"%s\" of [%llu] bytes",
            (unsigned long long)offset, (unsigned long long)size, buffer->base.label,
            (unsigned long long)buffer->size);
        return NULL;
    }
    if (buffer->gpu_written) {
        (void)GPOOL__FAIL(pool, NO_SHADOW, NO_SHADOW,
                          "The buffer \"%s\" has no shadow that could be edited: commands write it",
                          buffer->base.label);
        return NULL;
    }
    if (size == 0) {
        return NULL;
    }
    if (buffer->shadow == NULL &&
        gpool__buffer_get_shadow(pool, buffer, offset, size) != GPOOL_OK) {
        return NULL;
    }
    pool->stats.written_bytes += size;
    buffer->edited = true;
    gpool__dirty_map_mark(buffer->dirty, offset, size);
    gpool__upload_enlist(pool, buffer);
    return buffer->shadow + offset;
}

void *gpool_buffer_edit(gpool *pool, gpool_buffer buffer, uint64_t offset, uint64_t size)
{
    void *memory = NULL;
    gpool__call call;
    if (gpool__enter(pool, "gpool_buffer_edit", &call) == GPOOL_OK) {
        memory = buffer_edit(pool, buffer, offset, size);
        gpool__leave(pool, &call);
    }
    return memory;
}

static void explain_next(gpool *pool, const gpool__buffer *buffer, gpool_upload_info *info)
{
    gpool__plan plan = gpool__upload_plan(pool, buffer);
    info->dirty_bytes = plan.dirty_bytes;
    info->dirty_ranges = plan.ranges;
    info->next = plan.way;
    info->why = plan.reason;
    for (int way = GPOOL_UPLOAD_DIRECT; way < GPOOL_UPLOAD_COUNT; ++way) {
        info->ns[way] = gpool__plan_alone(&pool->upload_costs, &plan, (gpool_upload_way)way);
    }
    info->ns[GPOOL_UPLOAD_AUTO] = info->ns[plan.way];
}

static gpool_result upload_explain(gpool *pool, gpool_buffer handle, gpool_upload_info *info)
{
    gpool_result result;
    const gpool__buffer *buffer =
        (gpool__buffer *)gpool__resolve(pool, handle.id, GPOOL_KIND_BUFFER, &result);
    if (buffer == NULL) {
        return result;
    }
    if (info == NULL) {
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT, "The info [NULL] is null");
    }
    *info = (gpool_upload_info){ .way = (gpool_upload_way)buffer->way,
                                 .reason = (gpool_upload_reason)buffer->reason,
                                 .sent_bytes = buffer->upload.sent,
                                 .calls = buffer->upload.calls,
                                 .predicted_ns = buffer->upload.predicted_ns };
    if (buffer->in_dirty_list) {
        explain_next(pool, buffer, info);
    }
    return GPOOL_OK;
}

gpool_result gpool_upload_explain(gpool *pool, gpool_buffer buffer, gpool_upload_info *info)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_upload_explain", &call);
    if (result == GPOOL_OK) {
        result = upload_explain(pool, buffer, info);
        gpool__leave(pool, &call);
    }
    return result;
}

const char *gpool_upload_way_name(gpool_upload_way way)
{
    static const char *const names[GPOOL_UPLOAD_COUNT] = { "auto", "direct", "merged", "scatter",
                                                           "whole" };
    return (unsigned)way < GPOOL_UPLOAD_COUNT ? names[way] : "unknown";
}

const char *gpool_upload_reason_name(gpool_upload_reason reason)
{
    static const char *const names[] = { "none", "small", "fastest", "forced", "budget" };
    return (unsigned)reason < sizeof names / sizeof names[0] ? names[reason] : "unknown";
}
