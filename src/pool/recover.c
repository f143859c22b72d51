/*
 * Recovery: a pool on another device. Everything is made aside on the new one, which may fail and
 * then leaves no trace; the swap and all that follows it cannot fail.
 */
#include <gpool/recover.h>

#include "pool/buffer_keep.h"
#include "pool/heap_state.h"
#include "pool/rebuild.h"
#include "pool/scatter.h"
#include "pool/ticket.h"

#include <string.h>

/* Looks whether the new device is alive: creates on a lost one may say nothing at all; an adopted one
 * may tell at a poll only, wgpu-native in an encoder. Lack of memory for the look is no loss. */
static gpool_result recover_look(gpool *pool)
{
    gpool__device_process(pool->device, &pool->seam);
    atomic_store(&pool->device->events->suspect, true);
    if (gpool__device_check(pool->device, &pool->seam) != GPOOL_ERROR_DEVICE_LOST) {
        return GPOOL_OK;
    }
    return GPOOL__FAIL(pool, DEVICE_LOST, DEVICE_LOST, "The new device \"%s\" is lost",
                       pool->device->info.label);
}

static gpool_result recover_check(gpool *pool, gpool_device *device)
{
    if (pool->recovering || pool->warming) {
        return GPOOL__FAIL(pool, PHASE, WRONG_PHASE, "A %s of pool \"%s\" runs already",
                           pool->recovering ? "recovery" : "warm-up", pool->label);
    }
    if (device == NULL) {
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT, "The device [NULL] is null");
    }
    if (pool->in_frame) {
        return GPOOL__FAIL(pool, PHASE, WRONG_PHASE,
                           "Frame [%llu] is open: end it before the recovery",
                           (unsigned long long)pool->frame);
    }
    return GPOOL_OK;
}

/* Makes everything, with the pool pointing at the new device. */
static gpool_result recover_make(gpool *pool, gpool__rebuild *rebuild)
{
    pool->rebuild_pass += 1;
    for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
        const gpool__table *table = &pool->tables[kind];
        for (uint32_t i = 0; i < table->slot_count && pool->rebuild[kind] != NULL; ++i) {
            gpool__resource *resource = (gpool__resource *)gpool__table_at(table, i);
            if (!gpool__resource_is_held(resource)) {
                continue;
            }
            gpool_result result = pool->rebuild[kind](pool, rebuild, resource);
            bool layout = resource->own && kind == GPOOL_KIND_LAYOUT; /* nothing goes without it */
            if (gpool__rebuild_ends(result) || (result != GPOOL_OK && layout)) {
                return result;
            }
            result = gpool__rebuild_note(pool, rebuild, resource, result);
            if (result != GPOOL_OK) {
                return result;
            }
        }
    }
    return recover_look(pool);
}

static const char *recover_reason(const gpool__resource *resource, gpool_result result)
{
    bool imported = (resource->kind == GPOOL_KIND_BUFFER &&
                     ((const gpool__buffer *)(const void *)resource)->imported) ||
                    (resource->kind == GPOOL_KIND_TEXTURE &&
                     ((const gpool__texture *)(const void *)resource)->imported);
    if (resource->kind == GPOOL_KIND_MESH) {
        return "the slab that it lies in could not";
    }
    return imported ? "it is a foreign object of the old device" : gpool_result_text(result);
}

/* Settles one resource after the swap, with the pool pointing at the old device. */
static void recover_settle(gpool *pool, const gpool__outcome *outcome, const gpool_device *device,
                           gpool_recover_report *report)
{
    gpool__resource *resource = outcome->resource;
    gpool_kind kind = (gpool_kind)resource->kind;
    bool was_failed = resource->failed;
    uint64_t bytes = gpool__resource_bytes(resource);
    resource->failed = outcome->result != GPOOL_OK;
    if (pool->rebuilt[kind] != NULL) {
        pool->rebuilt[kind](pool, resource, outcome->result);
    }
    gpool__resource_count_bytes(pool, resource, bytes, gpool__resource_bytes(resource));
    if (resource->own) {
        return;
    }
    if (!resource->failed) {
        report->rebuilt[kind] += 1;
    } else if (!was_failed) {
        report->failed[kind] += 1;
        gpool__note(&pool->log, GPOOL_LOG_NOT_REBUILT,
                    "The %s \"%s\" of [%llu] bytes could not be made again on device \"%s\": %s",
                    gpool_kind_name(kind), resource->label, (unsigned long long)bytes,
                    device->info.label, recover_reason(resource, outcome->result));
    }
}

/* Releases what the retired still have of the old device. Their slots go back later, with those that
 * another thread killed meanwhile: they have objects of the new device. */
static void recover_release_retired(gpool *pool)
{
    gpool__retire_close(&pool->retire, 0);
    for (gpool__retired *each = pool->retire.ready.first; each != NULL; each = each->next) {
        gpool__resource *resource = gpool__resource_of(each);
        pool->release[resource->kind](pool, resource);
    }
}

/* Leaves the old device for the new one, whose objects are all made. */
static void recover_swap(gpool *pool, gpool__rebuild *rebuild, gpool_device *old,
                         gpool_device *device, gpool_recover_report *report)
{
    /* What is released from here on is the old device's. A retired pipeline may share a module with
     * a live one, so the retired go before the swap. */
    gpool__pool_point_at(pool, old);
    bool scatters = pool->scatter.pipeline != NULL || pool->scatter.refused;
    pool->leave_device(pool);
    pool->shaders_hooks->leave_device(pool);
    gpool__batch_leave_device(pool);
    gpool__tickets_leave_device(pool);
    recover_release_retired(pool);
    gpool__rebuild_swap(rebuild);
    for (uint32_t i = 0; i < rebuild->outcome_count; ++i) {
        recover_settle(pool, &rebuild->outcomes[i], device, report);
    }
    gpool__rebuild_cut(pool, rebuild, 0);
    gpool__pool_point_at(pool, device);
    /* Serials of the old device mean nothing on the new one. */
    pool->last_serial = 0;
    memset(pool->frame_serials, 0, sizeof pool->frame_serials);
    gpool__upload_choose_costs(pool);
    if (scatters) {
        gpool__scatter_prepare(pool);
    }
    gpool__remote_take(pool);
    gpool__free_all_retired(pool);
}

/* Asks the callback of a resource's kind; GPOOL_ERROR_UNSUPPORTED when there is none, or the handle was
 * killed just now. It runs outside the call of gpool_recover(), as any code of the user's. */
static gpool_result recover_ask(gpool *pool, const gpool_recover_desc *desc, uint64_t id,
                                const gpool__call *call)
{
    gpool_result result = GPOOL_ERROR_UNSUPPORTED;
    gpool__leave(pool, call);
    gpool_buffer_info buffer = { 0 };
    gpool_texture_info texture = { 0 };
    bool is_buffer = gpool_handle_kind(id) == GPOOL_KIND_BUFFER && desc->refill_buffer != NULL &&
                     gpool_buffer_get_info(pool, (gpool_buffer){ id }, &buffer) == GPOOL_OK;
    bool is_texture = gpool_handle_kind(id) == GPOOL_KIND_TEXTURE && desc->refill_texture != NULL &&
                      gpool_texture_get_info(pool, (gpool_texture){ id }, &texture) == GPOOL_OK;
    if (is_buffer) {
        result = desc->refill_buffer(desc->user, pool, (gpool_buffer){ id }, &buffer);
    } else if (is_texture) {
        result = desc->refill_texture(desc->user, pool, (gpool_texture){ id }, &texture);
    }
    return result;
}

/* A resource that is a buffer; NULL for others. */
static gpool__buffer *recover_buffer(gpool__resource *resource)
{
    return resource != NULL && resource->kind == GPOOL_KIND_BUFFER
               ? (gpool__buffer *)(void *)resource
               : NULL;
}

/* True when only the GPU had the bytes. */
static bool recover_needs_refill(gpool__resource *resource)
{
    const gpool__buffer *buffer = recover_buffer(resource);
    if (resource->own) {
        return false; /* slabs: their meshes are asked */
    }
    return (buffer != NULL && (buffer->gpu_written || buffer->dropped)) ||
           (resource->kind == GPOOL_KIND_MESH &&
            ((const gpool__mesh *)(const void *)resource)->drops) ||
           (resource->kind == GPOOL_KIND_TEXTURE &&
            ((const gpool__texture *)(const void *)resource)->shadow == NULL);
}

/* Brings one content: by the buffer's own refill, or by the callback. *back tells a pool that is the
 * thread's no more. */
static gpool_result recover_bring(gpool *pool, const gpool_recover_desc *desc, uint64_t id,
                                  gpool__call *call, gpool_result *back)
{
    const gpool__table *table = &pool->tables[gpool_handle_kind(id)];
    if (gpool_handle_kind(id) == GPOOL_KIND_MESH) {
        return gpool__mesh_refill_now(pool, (gpool__mesh *)(void *)gpool__table_get(table, id));
    }
    gpool__buffer *buffer = recover_buffer((gpool__resource *)gpool__table_get(table, id));
    if (buffer != NULL && gpool__buffer_refill(pool, buffer) == GPOOL_OK) {
        return GPOOL_OK;
    }
    buffer = recover_buffer((gpool__resource *)gpool__table_get(table, id));
    bool dropped = buffer != NULL && buffer->dropped;
    if (dropped) {
        buffer->dropped = false; /* it is zeros now: any part may be written */
    }
    gpool_result result = recover_ask(pool, desc, id, call);
    *back = gpool__enter(pool, "gpool_recover", call);
    if (*back != GPOOL_OK) {
        return *back;
    }
    buffer = recover_buffer((gpool__resource *)gpool__table_get(table, id));
    if (dropped && buffer != NULL && buffer->shadow == NULL && !buffer->gpu_written) {
        buffer->dropped = true; /* nobody wrote it: asked for again where it is needed */
    }
    return result;
}

/* Goes through what lost its content. Callbacks may create and destroy: handles are looked up. */
static gpool_result recover_refill(gpool *pool, const gpool__rebuild *rebuild,
                                   const gpool_recover_desc *desc, gpool_recover_report *report,
                                   gpool__call *call)
{
    for (uint32_t i = 0; i < rebuild->outcome_count; ++i) {
        uint64_t id = rebuild->outcomes[i].id;
        const gpool__table *table = &pool->tables[gpool_handle_kind(id)];
        gpool__resource *resource = (gpool__resource *)gpool__table_get(table, id);
        if (resource == NULL || resource->failed || !recover_needs_refill(resource)) {
            continue;
        }
        gpool_result back = GPOOL_OK;
        gpool_result result = recover_bring(pool, desc, id, call, &back);
        if (back != GPOOL_OK) {
            return back; /* a callback gave the pool to another thread */
        }
        if (gpool__device_is_lost(pool->device)) {
            break;
        }
        resource = (gpool__resource *)gpool__table_get(table, id);
        if (result == GPOOL_OK) {
            report->refilled += 1;
        } else if (resource != NULL) {
            uint64_t bytes = gpool__resource_bytes(resource);
            report->lost += 1;
            report->lost_bytes += bytes;
            gpool__note(&pool->log, GPOOL_LOG_CONTENT_LOST,
                        "The content of the %s \"%s\", [%llu] bytes, is lost with its device",
                        gpool_kind_name((gpool_kind)resource->kind), resource->label,
                        (unsigned long long)bytes);
        }
    }
    return recover_look(pool);
}

static gpool_result recover_run(gpool *pool, gpool_device *device, const gpool_recover_desc *desc,
                                gpool_recover_report *report, gpool__call *call)
{
    gpool_device *old = pool->device;
    bool queue_dirty = pool->queue_dirty;
    gpool__rebuild rebuild = { 0 };
    gpool__remote_take(pool);
    (void)gpool__recycle_drop(pool);
    pool->shaders_hooks->pause(pool, true);
    gpool__pool_point_at(pool, device);
    pool->queue_dirty = false;
    gpool_result result = recover_look(pool);
    if (result == GPOOL_OK) {
        result = recover_make(pool, &rebuild);
    }
    if (result != GPOOL_OK) {
        gpool__rebuild_cut(pool, &rebuild, 0);
        gpool__rebuild_fini(pool, &rebuild);
        gpool__pool_point_at(pool, old);
        pool->queue_dirty = queue_dirty;
        pool->shaders_hooks->pause(pool, false);
        return result;
    }
    (void)gpool_device_retain(device);
    recover_swap(pool, &rebuild, old, device, report);
    pool->shaders_hooks->pause(pool, false);
    gpool_device_release(old);
    result = recover_refill(pool, &rebuild, desc, report, call);
    gpool__rebuild_fini(pool, &rebuild);
    return result;
}

gpool_result gpool_recover(gpool *pool, gpool_device *device, const gpool_recover_desc *desc,
                           gpool_recover_report *report)
{
    static const gpool_recover_desc defaults = { 0 };
    gpool_recover_report own = { 0 };
    gpool__call call;
    if (report != NULL) {
        *report = own;
    }
    gpool_result result = gpool__enter(pool, "gpool_recover", &call);
    if (result != GPOOL_OK) {
        return result;
    }
    result = recover_check(pool, device);
    if (result == GPOOL_OK) {
        pool->recovering = true;
        result = recover_run(pool, device, desc != NULL ? desc : &defaults, &own, &call);
        pool->recovering = false;
    }
    if (result == GPOOL_OK) {
        gpool__note(&pool->log, GPOOL_LOG_RECOVERED, "The pool \"%s\" is on device \"%s\" now",
                    pool->label, pool->device->info.label);
        if (report != NULL) {
            *report = own;
        }
    }
    if (result != GPOOL_ERROR_WRONG_THREAD) {
        gpool__leave(pool, &call);
    }
    return result;
}
