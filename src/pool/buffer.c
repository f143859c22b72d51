#include "pool/buffer_keep.h"
#include "pool/make.h"
#include "pool/plan.h"
#include "pool/rebuild.h"
#include "pool/scatter.h"

#include <string.h>

/* Usages through which commands change bytes: the buffer may become gpu-written. */
#define BUFFER_WRITABLE                                                                            \
    ((gpool_buffer_usage)(GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_COPY_TARGET |                  \
                          GPOOL_BUFFER_QUERY_TARGET))

/* From this size on a recycled buffer is cleared by the GPU rather than sent zeros. */
#define BUFFER_CLEAR 65536u

static gpool__buffer *buffer_of(gpool__resource *resource)
{
    return (gpool__buffer *)resource;
}

static void buffer_drop(gpool__seam *seam, void *gpu)
{
    GPOOL__GPU(seam, BufferRelease)(gpu);
}

static void buffer_release(gpool *pool, gpool__resource *resource)
{
    gpool__buffer *buffer = buffer_of(resource);
    if (buffer->gpu != NULL) {
        if (buffer->scatters) {
            gpool__scatter_forget(pool, buffer->gpu);
        }
        if (!gpool__recycle_keep_buffer(pool, buffer)) {
            buffer_drop(&pool->seam, buffer->gpu);
        }
        buffer->gpu = NULL;
    }
    gpool__recycle_forget(pool, resource);
    gpool__buffer_free_shadow(pool, buffer);
    gpool__buffer_free_refill(pool, buffer);
}

/* Dirty bytes still go out when a recording or a raw holder may read them. Nobody else can: then
 * they are dropped with the buffer. */
static void buffer_retiring(gpool *pool, gpool__resource *resource)
{
    gpool__buffer *buffer = (gpool__buffer *)resource;
    if (buffer->in_dirty_list && !pool->recording) {
        if (buffer->raw) {
            /* An error is logged; the buffer goes all the same. */
            (void)gpool__upload_flush_queue(pool, buffer);
        }
        gpool__upload_delist(pool, buffer);
    }
    if (!pool->recording) {
        gpool__recycle_retiring(pool, resource);
    }
}

/* Large buffers with a shadow may be scattered to, which takes a storage binding. */
static bool buffer_scatters(uint64_t size, gpool_buffer_usage usage)
{
    return (usage & GPOOL_BUFFER_STORAGE_WRITE) == 0 && size >= GPOOL__SCATTER_LEAST;
}

static WGPUBufferUsage buffer_gpu_usage(gpool_buffer_usage usage)
{
    /* CopyDst always, for queue writes; CopySrc also where a resize must copy on the GPU. */
    WGPUBufferUsage gpu = WGPUBufferUsage_CopyDst;
    gpu |= (usage & GPOOL_BUFFER_VERTEX) != 0 ? WGPUBufferUsage_Vertex : 0;
    gpu |= (usage & GPOOL_BUFFER_INDEX) != 0 ? WGPUBufferUsage_Index : 0;
    gpu |= (usage & GPOOL_BUFFER_UNIFORM) != 0 ? WGPUBufferUsage_Uniform : 0;
    gpu |= (usage & (GPOOL_BUFFER_STORAGE | GPOOL_BUFFER_STORAGE_WRITE)) != 0
               ? WGPUBufferUsage_Storage
               : 0;
    gpu |= (usage & GPOOL_BUFFER_INDIRECT) != 0 ? WGPUBufferUsage_Indirect : 0;
    gpu |= (usage & GPOOL_BUFFER_QUERY_TARGET) != 0 ? WGPUBufferUsage_QueryResolve : 0;
    gpu |= (usage & (GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_READ_BACK | BUFFER_WRITABLE)) != 0
               ? WGPUBufferUsage_CopySrc
               : 0;
    return gpu;
}

/* A resize copies on the GPU what only the GPU has. */
static WGPUBufferUsage buffer_full_usage(uint64_t size, const gpool__buffer *buffer)
{
    return buffer_gpu_usage(buffer->usage) |
           (buffer_scatters(size, buffer->usage) ? WGPUBufferUsage_Storage : 0) |
           (buffer->drops ? WGPUBufferUsage_CopySrc : 0);
}

WGPUBufferUsage gpool__buffer_gpu_usage(const gpool__buffer *buffer)
{
    return buffer_full_usage(buffer->size, buffer);
}

static gpool_result buffer_check_size(gpool *pool, uint64_t size, gpool_buffer_usage usage,
                                      const char *label)
{
    if (size == 0) {
        return GPOOL__FAIL(pool, RANGE, OUT_OF_RANGE, "The size [0] of buffer \"%s\" is zero",
                           label);
    }
    uint64_t limit = pool->device->info.limits.maxBufferSize;
    /* The GPU object is whole words; some devices have an odd limit (2^31 - 1). */
    if (size > SIZE_MAX - 8 || gpool__round_up(size, 4) > limit) {
        return GPOOL__FAIL(pool, LIMIT, LIMIT,
                           "The size [%llu] of buffer \"%s\", in whole words, is over the device's "
                           "maxBufferSize [%llu]",
                           (unsigned long long)size, label, (unsigned long long)limit);
    }
    /* Commands change whole words: bytes behind an odd size could not be kept at zero. */
    if ((usage & BUFFER_WRITABLE) != 0 && size % 4 != 0) {
        return GPOOL__FAIL(pool, ALIGNMENT, MISALIGNED,
                           "The size [%llu] of buffer \"%s\", which commands may write, is no "
                           "multiple of 4",
                           (unsigned long long)size, label);
    }
    return GPOOL_OK;
}

/* Makes the GPU object of a size; *gpu is NULL on an error. */
static gpool_result buffer_make_gpu(gpool *pool, uint64_t size, const gpool__buffer *buffer,
                                    WGPUBuffer *gpu)
{
    WGPUBufferDescriptor desc = {
        .label = gpool__view(buffer->base.label),
        .usage = buffer_full_usage(size, buffer),
        .size = gpool__round_up(size, 4),
    };
    gpool_result result = gpool__try_buffer(pool, &desc, gpu);
    return result == GPOOL_OK ? result
                              : gpool__fail_gpu(pool, result, "Making buffer", buffer->base.label);
}

/* The same for a new buffer, or a recycled object: then all of it is sent or cleared. */
static gpool_result buffer_get_gpu(gpool *pool, gpool__buffer *buffer, bool has_data)
{
    bool clear =
        !has_data && (buffer->gpu_written || buffer->drops || buffer->size >= BUFFER_CLEAR);
    buffer->gpu = gpool__recycle_take_buffer(pool, gpool__buffer_gpu_size(buffer),
                                             gpool__buffer_gpu_usage(buffer), clear);
    if (buffer->gpu == NULL) {
        return buffer_make_gpu(pool, buffer->size, buffer, &buffer->gpu);
    }
    if (clear) {
        gpool__recycle_clear_later(pool, &buffer->base);
    } else if (!buffer->gpu_written) {
        gpool__dirty_map_mark_all(buffer->dirty);
        gpool__upload_enlist(pool, buffer);
    }
    return GPOOL_OK;
}

static gpool_result buffer_rebuild(gpool *pool, gpool__rebuild *rebuild, gpool__resource *resource)
{
    gpool__buffer *buffer = buffer_of(resource);
    WGPUBuffer gpu = NULL;
    /* The foreign object was of the old device, and only its owner can make another. */
    gpool_result result = GPOOL_ERROR_FAILED_RESOURCE;
    if (!buffer->imported) {
        result = buffer_check_size(pool, buffer->size, buffer->usage, resource->label);
    }
    if (result == GPOOL_OK) {
        result = buffer_make_gpu(pool, buffer->size, buffer, &gpu);
    }
    return gpool__rebuild_add(pool, rebuild, buffer_drop, &buffer->gpu, gpu, result);
}

/* The shadow goes out with the next submit; that of a failed buffer waits for a better device. */
static void buffer_rebuilt(gpool *pool, gpool__resource *resource, gpool_result result)
{
    gpool__buffer *buffer = buffer_of(resource);
    buffer->version += 1;
    buffer->raw = false;
    buffer->batch = 0;
    if (buffer->shadow == NULL) {
        return;
    }
    if (result == GPOOL_OK) {
        gpool__dirty_map_mark_all(buffer->dirty);
        gpool__upload_enlist(pool, buffer);
    } else {
        (void)gpool_dirty_map_clear(buffer->dirty);
        gpool__upload_delist(pool, buffer);
    }
}

void gpool__buffers_init(gpool *pool)
{
    gpool__kind_init(pool, GPOOL_KIND_BUFFER, sizeof(gpool__buffer), buffer_release);
    pool->retiring[GPOOL_KIND_BUFFER] = buffer_retiring;
    pool->rebuild[GPOOL_KIND_BUFFER] = buffer_rebuild;
    pool->rebuilt[GPOOL_KIND_BUFFER] = buffer_rebuilt;
}

static gpool_result buffer_check_desc(gpool *pool, const gpool_buffer_desc *desc)
{
    if (desc == NULL) {
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT, "The descriptor [NULL] is null");
    }
    const char *label = desc->label != NULL ? desc->label : "";
    if ((desc->usage & ~GPOOL__BUFFER_USAGES) != 0) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "The usage [0x%x] of buffer \"%s\" has unknown flags", desc->usage,
                           label);
    }
    if (desc->usage == 0) {
        return GPOOL__FAIL(pool, USAGE, MISSING_USAGE, "The usage [0] of buffer \"%s\" is empty",
                           label);
    }
    if ((unsigned)desc->keep > GPOOL_KEEP_DROP ||
        (desc->keep == GPOOL_KEEP_SHADOW && (desc->usage & GPOOL_BUFFER_STORAGE_WRITE) != 0)) {
        return GPOOL__FAIL(
            pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
            "The keep policy [%d] of buffer \"%s\" with usage [0x%x] is unknown, or a "
            "shadow of what commands write",
            (int)desc->keep, label, desc->usage);
    }
    return buffer_check_size(pool, desc->size, desc->usage, label);
}

gpool_result gpool__buffer_send(gpool *pool, gpool__buffer *buffer, uint64_t offset,
                                const void *data, uint64_t size)
{
    gpool_result result = gpool__batch_settle(pool, buffer);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__capture_begin(pool->device, &pool->seam);
    GPOOL__GPU(&pool->seam, QueueWriteBuffer)
    (pool->device->queue, buffer->gpu, offset, data, (size_t)size);
    result = gpool__capture_end(pool->device, &pool->seam);
    if (result != GPOOL_OK) {
        return gpool__fail_gpu(pool, result, "Write to buffer", buffer->base.label);
    }
    pool->queue_dirty = true;
    pool->stats.sent_bytes += size;
    return GPOOL_OK;
}

/* Makes the buffer behind a slot that was taken; NULL, with the slot given back, without memory. */
static gpool__buffer *buffer_make(gpool *pool, const gpool_buffer_desc *desc,
                                  gpool__resource *resource)
{
    gpool__buffer *buffer = buffer_of(resource);
    if (buffer == NULL) {
        return NULL;
    }
    buffer->size = desc->size;
    buffer->usage = desc->usage;
    buffer->version = 1;
    buffer->gpu_written = (desc->usage & GPOOL_BUFFER_STORAGE_WRITE) != 0;
    buffer->scatters = buffer_scatters(desc->size, desc->usage);
    buffer->drops = desc->keep == GPOOL_KEEP_DROP;
    gpool_result result = gpool__buffer_set_refill(pool, buffer, desc);
    if (result == GPOOL_OK && !buffer->gpu_written && (!buffer->drops || desc->data != NULL)) {
        result = gpool__buffer_make_shadow(pool, buffer);
    }
    if (result != GPOOL_OK) {
        gpool__buffer_free_refill(pool, buffer);
        gpool__resource_cancel(pool, &buffer->base);
        return NULL;
    }
    if (!buffer->gpu_written && desc->data != NULL) {
        memcpy(buffer->shadow, desc->data, (size_t)desc->size);
    }
    if (buffer->scatters) {
        /* Here, where programs load, rather than in the frame that first needs it. */
        gpool__scatter_prepare(pool);
    }
    result = buffer_get_gpu(pool, buffer, desc->data != NULL);
    if (result == GPOOL_OK && desc->data != NULL) {
        if (buffer->gpu_written) {
            result = gpool__buffer_send(pool, buffer, 0, desc->data, desc->size);
        } else {
            gpool__dirty_map_mark_all(buffer->dirty);
            gpool__upload_enlist(pool, buffer);
        }
        pool->stats.written_bytes += result == GPOOL_OK ? desc->size : 0;
    }
    if (result != GPOOL_OK) {
        /* The shadow stays: gpool_recover() tries again with it. */
        if (buffer->gpu != NULL) {
            buffer_drop(&pool->seam, buffer->gpu);
            buffer->gpu = NULL;
        }
        buffer->base.failed = true;
    }
    gpool__resource_count_bytes(pool, &buffer->base, 0, gpool__resource_bytes(&buffer->base));
    return buffer;
}

static gpool_buffer buffer_create(gpool *pool, const gpool_buffer_desc *desc)
{
    gpool_buffer none = { 0 };
    if (buffer_check_desc(pool, desc) != GPOOL_OK) {
        return none;
    }
    const gpool__buffer *buffer = buffer_make(
        pool, desc, gpool__resource_take(pool, GPOOL_KIND_BUFFER, desc->label, desc->scope));
    return buffer != NULL ? (gpool_buffer){ gpool__handle_of(pool, &buffer->base) } : none;
}

gpool__buffer *gpool__buffer_create_own(gpool *pool, const gpool_buffer_desc *desc,
                                        gpool_result *result)
{
    *result = buffer_check_desc(pool, desc);
    if (*result != GPOOL_OK) {
        return NULL;
    }
    gpool__buffer *buffer =
        buffer_make(pool, desc, gpool__resource_take_own(pool, GPOOL_KIND_BUFFER, desc->label));
    if (buffer == NULL || buffer->base.failed) {
        *result = gpool_last_error(pool)->code;
        if (buffer != NULL) {
            gpool__resource_retire(pool, &buffer->base);
        }
        return NULL;
    }
    return buffer;
}

gpool_buffer gpool_buffer_create(gpool *pool, const gpool_buffer_desc *desc)
{
    gpool_buffer buffer = { 0 };
    gpool__call call;
    if (gpool__enter(pool, "gpool_buffer_create", &call) == GPOOL_OK) {
        buffer = buffer_create(pool, desc);
        gpool__leave(pool, &call);
    }
    return buffer;
}

gpool_result gpool__buffer_check_range(gpool *pool, const gpool__buffer *buffer, uint64_t offset,
                                       uint64_t size)
{
    if (!gpool__range_inside(offset, size, buffer->size)) {
        return GPOOL__FAIL(
            pool, RANGE, OUT_OF_RANGE,
            "Offset [%llu] and size [%llu] lie outside buffer \"%s\" of [%llu] bytes",
            (unsigned long long)offset, (unsigned long long)size, buffer->base.label,
            (unsigned long long)buffer->size);
    }
    return GPOOL_OK;
}

/* Copies the kept content of a buffer without a shadow on the GPU, in order with everything else, and
 * clears what lies behind it up to `end`. */
static gpool_result buffer_copy_gpu(gpool *pool, gpool__buffer *from, WGPUBuffer to, uint64_t size,
                                    uint64_t end)
{
    gpool_result result;
    WGPUCommandEncoder encoder = gpool__make_encoder(pool, "Copy of a resized buffer in pool",
                                                     "Copy of a resized buffer in pool", &result);
    if (encoder == NULL) {
        return result;
    }
    GPOOL__GPU(&pool->seam, CommandEncoderCopyBufferToBuffer)(encoder, from->gpu, 0, to, 0, size);
    if (size < end) {
        GPOOL__GPU(&pool->seam, CommandEncoderClearBuffer)(encoder, to, size, end - size);
    }
    return gpool__submit_internal(pool, encoder, "Copy of a resized buffer in pool");
}

/* New shadow and map of another size, with the old content; the buffer is untouched. */
static gpool_result buffer_grow_shadow(gpool *pool, const gpool__buffer *buffer, uint64_t size,
                                       gpool__buffer *fresh)
{
    *fresh = (gpool__buffer){ .base = { .label = buffer->base.label }, .size = size };
    gpool_result result = gpool__buffer_make_shadow(pool, fresh);
    if (result == GPOOL_OK) {
        memcpy(fresh->shadow, buffer->shadow, (size_t)gpool__min(size, buffer->size));
        gpool__dirty_map_mark_all(fresh->dirty);
    }
    return result;
}

static gpool_result buffer_check_resize(gpool *pool, gpool__buffer *buffer, uint64_t size)
{
    gpool_result result = gpool__refuse_own(pool, &buffer->base);
    if (result != GPOOL_OK) {
        return result;
    }
    if (buffer->imported) {
        return GPOOL__FAIL(pool, UNSUPPORTED, UNSUPPORTED,
                           "The imported buffer \"%s\" cannot be resized", buffer->base.label);
    }
    result = buffer_check_size(pool, size, buffer->usage, buffer->base.label);
    if (result == GPOOL_OK && size != buffer->size &&
        gpool__resource_is_recorded(pool, &buffer->base)) {
        result = GPOOL__FAIL(pool, RECORDED, RECORDED,
                             "Resize of buffer \"%s\" to [%llu] while a recorder names it",
                             buffer->base.label, (unsigned long long)size);
    }
    /* Copies and clears are of whole words: bytes behind the end could not be made zero. */
    if (result == GPOOL_OK && buffer->dropped && size < buffer->size && size % 4 != 0) {
        result = GPOOL__FAIL(pool, ALIGNMENT, MISALIGNED,
                             "The size [%llu] to which buffer \"%s\" of [%llu] bytes, whose shadow "
                             "was dropped, is to shrink is no multiple of 4",
                             (unsigned long long)size, buffer->base.label,
                             (unsigned long long)buffer->size);
    }
    return result;
}

static gpool_result buffer_resize(gpool *pool, gpool_buffer handle, uint64_t size)
{
    gpool_result result;
    gpool__buffer *buffer =
        buffer_of(gpool__resolve_good(pool, handle.id, GPOOL_KIND_BUFFER, &result));
    if (buffer == NULL) {
        return result;
    }
    result = buffer_check_resize(pool, buffer, size);
    if (result != GPOOL_OK || size == buffer->size) {
        return result;
    }
    /* The old GPU object moves into a slot of its own, which retires like any other. */
    gpool__buffer *old = buffer_of(gpool__resource_take_spare(pool, GPOOL_KIND_BUFFER));
    if (old == NULL) {
        return gpool_last_error(pool)->code;
    }
    gpool__buffer fresh = { 0 };
    /* A recycled object is covered by the shadow, or by the copy and a clear of the rest. */
    WGPUBuffer gpu = gpool__recycle_take_buffer(pool, gpool__round_up(size, 4),
                                                buffer_full_usage(size, buffer), false);
    uint64_t end = gpu != NULL ? gpool__round_up(size, 4) : 0;
    uint64_t kept = gpool__round_up(gpool__min(size, buffer->size), 4);
    if (gpu == NULL) {
        result = buffer_make_gpu(pool, size, buffer, &gpu);
    }
    if (result == GPOOL_OK) {
        result = buffer->shadow == NULL ? buffer_copy_gpu(pool, buffer, gpu, kept, end)
                                        : buffer_grow_shadow(pool, buffer, size, &fresh);
    }
    if (result != GPOOL_OK) {
        if (gpu != NULL) {
            GPOOL__GPU(&pool->seam, BufferRelease)(gpu);
        }
        gpool__resource_cancel(pool, &old->base);
        return result;
    }
    old->gpu = buffer->gpu;
    old->size = buffer->size;
    old->usage = buffer->usage;
    old->batch = gpool__buffer_is_in_batch(pool, buffer) ? pool->batch.number : 0;
    old->raw = buffer->raw;
    old->scatters = buffer->scatters;
    old->drops = buffer->drops;
    old->gpu_written = true;
    gpool__resource_count_bytes(pool, &old->base, 0, gpool__buffer_gpu_size(old));
    gpool__resource_count_bytes(pool, &buffer->base, gpool__buffer_gpu_size(old),
                                gpool__round_up(size, 4));
    buffer->gpu = gpu;
    if (buffer->shadow != NULL) {
        gpool__buffer_free_shadow(pool, buffer);
        buffer->shadow = fresh.shadow;
        buffer->dirty = fresh.dirty;
        gpool__upload_enlist(pool, buffer);
    }
    buffer->size = size;
    buffer->scatters = buffer_scatters(size, buffer->usage);
    buffer->batch = 0;
    buffer->raw = false;
    gpool__recycle_forget(pool, &buffer->base);
    buffer->version += 1;
    if (buffer->scatters) {
        gpool__scatter_prepare(pool);
    }
    if (buffer->base.bind_uses != NULL) {
        pool->drop_bind_uses(pool, &buffer->base);
    }
    gpool__resource_retire(pool, &old->base);
    return GPOOL_OK;
}

gpool_result gpool_buffer_resize(gpool *pool, gpool_buffer buffer, uint64_t size)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_buffer_resize", &call);
    if (result == GPOOL_OK) {
        result = buffer_resize(pool, buffer, size);
        gpool__leave(pool, &call);
    }
    return result;
}

gpool_result gpool_buffer_destroy(gpool *pool, gpool_buffer handle)
{
    return gpool__destroy_handle(pool, handle.id, GPOOL_KIND_BUFFER, "gpool_buffer_destroy");
}

gpool_buffer_info gpool__buffer_info_of(gpool *pool, const gpool__buffer *buffer)
{
    /* A buffer without a map has nothing dirty. */
    gpool_dirty_count dirty;
    (void)gpool_dirty_map_count(buffer->dirty, 0, 1, &dirty);
    return (gpool_buffer_info){
        .size = buffer->size,
        .gpu_size = gpool__buffer_gpu_size(buffer),
        .usage = buffer->usage,
        .gpu_usage = buffer->imported && buffer->gpu != NULL
                         ? GPOOL__GPU(&pool->seam, BufferGetUsage)(buffer->gpu)
                         : gpool__buffer_gpu_usage(buffer),
        .version = buffer->version,
        .created_frame = buffer->base.alive.created_frame,
        .dirty_bytes = dirty.dirty_bytes,
        .shadow_bytes = buffer->shadow != NULL ? gpool__buffer_gpu_size(buffer) : 0,
        .keep = buffer->drops || buffer->gpu_written ? GPOOL_KEEP_DROP : GPOOL_KEEP_SHADOW,
        .dropped = buffer->dropped,
        .gpu_written = buffer->gpu_written,
        .imported = buffer->imported,
        .failed = buffer->base.failed,
        .label = buffer->base.label,
    };
}

static gpool_result buffer_get_info(gpool *pool, gpool_buffer handle, gpool_buffer_info *info)
{
    gpool_result result;
    gpool__buffer *buffer = buffer_of(gpool__resolve(pool, handle.id, GPOOL_KIND_BUFFER, &result));
    if (buffer == NULL) {
        return result;
    }
    if (info == NULL) {
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT, "The info [NULL] is null");
    }
    *info = gpool__buffer_info_of(pool, buffer);
    return GPOOL_OK;
}

gpool_result gpool_buffer_get_info(gpool *pool, gpool_buffer buffer, gpool_buffer_info *info)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_buffer_get_info", &call);
    if (result == GPOOL_OK) {
        result = buffer_get_info(pool, buffer, info);
        gpool__leave(pool, &call);
    }
    return result;
}

static WGPUBuffer buffer_gpu(gpool *pool, gpool_buffer handle, gpool_access access)
{
    gpool_result result;
    if (!gpool__check_access(pool, access)) {
        return NULL;
    }
    gpool__buffer *buffer =
        buffer_of(gpool__resolve_good(pool, handle.id, GPOOL_KIND_BUFFER, &result));
    if (buffer == NULL) {
        return NULL;
    }
    if (access == GPOOL_ACCESS_WRITE && !buffer->imported &&
        (buffer->usage & BUFFER_WRITABLE) == 0) {
        (void)GPOOL__FAIL(pool, USAGE, MISSING_USAGE,
                          "The usage [0x%x] of buffer \"%s\" lets no command write it",
                          buffer->usage, buffer->base.label);
        return NULL;
    }
    if (access == GPOOL_ACCESS_WRITE) {
        result = gpool__buffer_become_gpu_written(pool, buffer);
    } else {
        result = gpool__upload_flush_buffer(pool, buffer);
    }
    if (result == GPOOL_OK) {
        /* The caller may submit by itself: what is sent must be on the queue. */
        result = gpool__batch_settle(pool, buffer);
    }
    if (result != GPOOL_OK) {
        return NULL;
    }
    buffer->raw = true;
    gpool__resource_record(pool, &buffer->base);
    return buffer->gpu;
}

WGPUBuffer gpool_buffer_gpu(gpool *pool, gpool_buffer buffer, gpool_access access)
{
    WGPUBuffer gpu = NULL;
    gpool__call call;
    if (gpool__enter(pool, "gpool_buffer_gpu", &call) == GPOOL_OK) {
        gpu = buffer_gpu(pool, buffer, access);
        gpool__leave(pool, &call);
    }
    return gpu;
}
