/*
 * Writes into shadows. Scattered small ones are what is slow of an upload: each waits for its memory and
 * its page. So a small write asks for the memory and waits in a short queue with its data; the one that
 * came GPOOL__WRITES calls before it is made. Any other call of the pool makes what waits first, so
 * that nobody can tell.
 */
#include "pool/buffer_keep.h"

#include <string.h>

/* So many elements of a list are asked for ahead: memory's latency by the time of one. */
#define WRITE_AHEAD 64u

/* Slabs are written by their heap: see gpool_mesh_write(). */
static gpool__buffer *write_resolve(gpool *pool, gpool_buffer handle, gpool_result *result)
{
    gpool__buffer *buffer =
        (gpool__buffer *)gpool__resolve_good(pool, handle.id, GPOOL_KIND_BUFFER, result);
    if (buffer != NULL) {
        *result = gpool__refuse_own(pool, &buffer->base);
    }
    return *result == GPOOL_OK ? buffer : NULL;
}

/* A small copy between memory that does not overlap; true when that changes bytes. */
static inline bool write_copy(uint8_t *restrict target, const uint8_t *restrict data, uint64_t size)
{
    uint64_t changed = 0;
    for (; size >= 16; size -= 16, target += 16, data += 16) {
        uint64_t old[2];
        uint64_t fresh[2];
        memcpy(old, target, 16);
        memcpy(fresh, data, 16);
        memcpy(target, fresh, 16);
        changed |= (old[0] ^ fresh[0]) | (old[1] ^ fresh[1]);
    }
    if (size > 0) {
        changed |= (uint64_t)(memcmp(target, data, (size_t)size) != 0);
        memcpy(target, data, (size_t)size);
    }
    return changed != 0;
}

static inline void write_mark(gpool *pool, gpool__buffer *buffer, _Atomic uint64_t *above,
                              uint64_t offset, uint64_t size)
{
    if (!gpool__dirty_map_mark_word(buffer->dirty, above, offset, size)) {
        gpool__dirty_map_mark(buffer->dirty, offset, size);
    }
    if (!buffer->in_dirty_list) {
        gpool__upload_enlist(pool, buffer);
    }
}

/* Brings bytes, which may lie in the shadow too, into it; small ones that change nothing mark nothing. */
static void write_make(gpool *pool, gpool__buffer *buffer, uint64_t offset, const void *data,
                       uint64_t size)
{
    uint8_t *target = buffer->shadow + offset;
    if (size <= GPOOL__SMALL_WRITE && memcmp(target, data, (size_t)size) == 0) {
        return;
    }
    memmove(target, data, (size_t)size);
    write_mark(pool, buffer, gpool__dirty_map_above(buffer->dirty), offset, size);
}

/* Asks for the shadow's memory of a small write. */
GPOOL__ALWAYS_INLINE void write_prefetch(const gpool__buffer *buffer, uint64_t offset,
                                         uint64_t size)
{
    const uint8_t *target = buffer->shadow + offset;
    gpool__prefetch(target);
    gpool__prefetch(target + size - 1);
    for (uint64_t at = 64; at + 1 < size; at += 64) {
        gpool__prefetch(target + at);
    }
}

/* Makes the write that waits longest. */
static void write_make_oldest(gpool *pool)
{
    uint32_t place = pool->writes.made++ % GPOOL__WRITES;
    const gpool__write *write = &pool->writes.waiting[place];
    if (write_copy(write->buffer->shadow + write->offset, pool->writes.data[place], write->size)) {
        write_mark(pool, write->buffer, gpool__dirty_map_above(write->buffer->dirty), write->offset,
                   write->size);
    }
}

void gpool__writes_finish(gpool *pool)
{
    while (pool->writes.made != pool->writes.begun) {
        write_make_oldest(pool);
    }
}

/*
 * The common case, in as few instructions as it takes: a good small write to a shadow. False, with
 * nothing done, for all else. Who has the shadow's memory from gpool_buffer_edit() sees it at once.
 */
static inline bool write_begin(gpool *pool, gpool_buffer handle, uint64_t offset, const void *data,
                               uint64_t size)
{
    if (pool == NULL || data == NULL || size - 1 >= GPOOL__SMALL_WRITE) {
        return false;
    }
    const gpool__operation *now = gpool__current();
    if (!gpool__is_owned_by(pool, now) || gpool__is_inside_of(now) || pool->measure) {
        return false;
    }
    gpool__buffer *buffer =
        (gpool__buffer *)gpool__table_get(&pool->tables[GPOOL_KIND_BUFFER], handle.id);
    if (buffer == NULL || buffer->base.failed || buffer->base.own || buffer->shadow == NULL ||
        buffer->edited || !gpool__range_inside(offset, size, buffer->size)) {
        return false;
    }
    if (pool->writes.begun - pool->writes.made == GPOOL__WRITES) {
        write_make_oldest(pool);
    }
    uint32_t place = pool->writes.begun++ % GPOOL__WRITES;
    pool->writes.waiting[place] = (gpool__write){ buffer, offset, size };
    write_prefetch(buffer, offset, size);
    memcpy(pool->writes.data[place], data, (size_t)size);
    pool->stats.written_bytes += size;
    return true;
}

static gpool_result write_check_data(gpool *pool, const gpool__buffer *buffer, const void *data,
                                     uint64_t size)
{
    if (data == NULL && size > 0) {
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT,
                           "The data [NULL] for buffer \"%s\" is null", buffer->base.label);
    }
    return GPOOL_OK;
}

/* What must be true of a write that is not empty, beside its range. */
static gpool_result write_check_way(gpool *pool, const gpool__buffer *buffer, uint64_t offset,
                                    uint64_t size)
{
    if (buffer->imported && (buffer->usage & GPOOL_BUFFER_COPY_TARGET) == 0) {
        return GPOOL__FAIL(pool, USAGE, MISSING_USAGE,
                           "The usage [0x%x] of imported buffer \"%s\" lacks COPY_TARGET",
                           buffer->usage, buffer->base.label);
    }
    if (buffer->gpu_written && (offset % 4 != 0 || size % 4 != 0)) {
        return GPOOL__FAIL(pool, ALIGNMENT, MISALIGNED,
                           "Offset [%llu] and size [%llu] of a write to gpu-written buffer "
                           "\"%s\" are not multiples of 4",
                           (unsigned long long)offset, (unsigned long long)size,
                           buffer->base.label);
    }
    return GPOOL_OK;
}

/* Sees to a shadow for a write: only a buffer that drops it may have none. */
static gpool_result write_need_shadow(gpool *pool, gpool__buffer *buffer, uint64_t offset,
                                      uint64_t size)
{
    return buffer->shadow != NULL ? GPOOL_OK : gpool__buffer_get_shadow(pool, buffer, offset, size);
}

gpool_result gpool__buffer_write_to(gpool *pool, gpool__buffer *buffer, uint64_t offset,
                                    const void *data, uint64_t size)
{
    gpool_result result = gpool__buffer_check_range(pool, buffer, offset, size);
    if (result == GPOOL_OK) {
        result = write_check_data(pool, buffer, data, size);
    }
    if (result != GPOOL_OK || size == 0) {
        return result;
    }
    result = write_check_way(pool, buffer, offset, size);
    if (result != GPOOL_OK) {
        return result;
    }
    if (buffer->gpu_written) {
        result = gpool__buffer_send(pool, buffer, offset, data, size);
    } else {
        result = write_need_shadow(pool, buffer, offset, size);
        if (result == GPOOL_OK) {
            write_make(pool, buffer, offset, data, size);
        }
    }
    pool->stats.written_bytes += result == GPOOL_OK ? size : 0;
    return result;
}

gpool_result gpool__buffer_write(gpool *pool, gpool_buffer handle, uint64_t offset,
                                 const void *data, uint64_t size)
{
    gpool_result result;
    gpool__buffer *buffer = write_resolve(pool, handle, &result);
    return buffer != NULL ? gpool__buffer_write_to(pool, buffer, offset, data, size) : result;
}

gpool_result gpool_buffer_write(gpool *pool, gpool_buffer buffer, uint64_t offset, const void *data,
                                uint64_t size)
{
    if (write_begin(pool, buffer, offset, data, size)) {
        return GPOOL_OK;
    }
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_buffer_write", &call);
    if (result == GPOOL_OK) {
        result = gpool__buffer_write(pool, buffer, offset, data, size);
        gpool__leave(pool, &call);
    }
    return result;
}

static gpool_result write_elements(gpool *pool, gpool_buffer handle, uint64_t first, uint64_t count,
                                   uint64_t stride, const void *data)
{
    gpool_result result;
    const gpool__buffer *buffer = write_resolve(pool, handle, &result);
    uint64_t offset = 0;
    uint64_t size = 0;
    if (buffer == NULL) {
        return result;
    }
    if (stride == 0) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "The stride [0] of elements of buffer \"%s\" is zero",
                           buffer->base.label);
    }
    if (!gpool__multiply(first, stride, &offset) || !gpool__multiply(count, stride, &size)) {
        return GPOOL__FAIL(pool, RANGE, OUT_OF_RANGE,
                           "Elements [%llu] to [%llu] more of [%llu] bytes lie outside buffer "
                           "\"%s\" of [%llu] bytes",
                           (unsigned long long)first, (unsigned long long)count,
                           (unsigned long long)stride, buffer->base.label,
                           (unsigned long long)buffer->size);
    }
    return gpool__buffer_write(pool, handle, offset, data, size);
}

gpool_result gpool_buffer_write_elements(gpool *pool, gpool_buffer buffer, uint64_t first,
                                         uint64_t count, uint64_t stride, const void *data)
{
    uint64_t offset = 0;
    uint64_t size = 0;
    if (stride > 0 && gpool__multiply(first, stride, &offset) &&
        gpool__multiply(count, stride, &size) && write_begin(pool, buffer, offset, data, size)) {
        return GPOOL_OK;
    }
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_buffer_write_elements", &call);
    if (result == GPOOL_OK) {
        result = write_elements(pool, buffer, first, count, stride, data);
        gpool__leave(pool, &call);
    }
    return result;
}

/* True when no byte of some memory of the user's lies in the shadow. */
static bool write_is_apart(const gpool__buffer *buffer, const void *memory, uint64_t size)
{
    uintptr_t from = (uintptr_t)memory;
    uintptr_t shadow = (uintptr_t)buffer->shadow;
    return buffer->shadow == NULL ||
           (from < shadow ? size <= shadow - from
                          : from - shadow >= gpool__buffer_gpu_size(buffer));
}

/* Elements into a shadow; they are asked for some ahead. */
static void write_scattered_shadow(gpool *pool, gpool__buffer *buffer, const uint32_t *indices,
                                   uint64_t count, uint64_t stride, const uint8_t *data)
{
    bool small = stride <= GPOOL__SMALL_WRITE;
    /* The data may lie in the shadow: then each copy is made as if it were alone. */
    bool apart = write_is_apart(buffer, data, count * stride);
    _Atomic uint64_t *above = gpool__dirty_map_above(buffer->dirty);
    for (uint64_t i = 0; small && i < gpool__min(count, WRITE_AHEAD); ++i) {
        write_prefetch(buffer, indices[i] * stride, stride);
    }
    for (uint64_t i = 0; i < count; ++i, data += stride) {
        uint64_t offset = indices[i] * stride;
        if (!small || !apart) {
            write_make(pool, buffer, offset, data, stride);
            continue;
        }
        if (i + WRITE_AHEAD < count) {
            write_prefetch(buffer, indices[i + WRITE_AHEAD] * stride, stride);
        }
        if (write_copy(buffer->shadow + offset, data, stride)) {
            write_mark(pool, buffer, above, offset, stride);
        }
    }
}

/* Elements straight to the queue, neighbours together. */
static gpool_result write_scattered_queue(gpool *pool, gpool__buffer *buffer,
                                          const uint32_t *indices, uint64_t count, uint64_t stride,
                                          const uint8_t *data)
{
    gpool_result result = GPOOL_OK;
    for (uint64_t i = 0; i < count && result == GPOOL_OK;) {
        uint64_t next = i + 1;
        while (next < count && indices[next] == indices[i] + (next - i)) {
            next += 1;
        }
        result = gpool__buffer_send(pool, buffer, indices[i] * stride, data + i * stride,
                                    (next - i) * stride);
        i = next;
    }
    return result;
}

/* The indices of a list that is not empty. They are looked at once here and once when their elements are
 * written, so they must not lie where these are written to. */
static gpool_result write_check_indices(gpool *pool, const gpool__buffer *buffer,
                                        const uint32_t *indices, uint64_t count, uint64_t stride)
{
    uint64_t size = 0;
    if (indices == NULL) {
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT,
                           "The indices [NULL] of elements of buffer \"%s\" are null",
                           buffer->base.label);
    }
    uint64_t elements = buffer->size / stride;
    for (uint64_t i = 0; i < count; ++i) {
        if (indices[i] >= elements) {
            return GPOOL__FAIL(pool, RANGE, OUT_OF_RANGE,
                               "Element [%u] at place [%llu] of [%llu] bytes lies outside buffer "
                               "\"%s\" of [%llu] bytes",
                               indices[i], (unsigned long long)i, (unsigned long long)stride,
                               buffer->base.label, (unsigned long long)buffer->size);
        }
    }
    if (!gpool__multiply(count, sizeof *indices, &size) || !write_is_apart(buffer, indices, size)) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "The [%llu] indices of elements of buffer \"%s\" lie in its own shadow",
                           (unsigned long long)count, buffer->base.label);
    }
    return GPOOL_OK;
}

static gpool_result write_scattered(gpool *pool, gpool_buffer handle, const uint32_t *indices,
                                    uint64_t count, uint64_t stride, const void *data)
{
    gpool_result result;
    uint64_t size = 0;
    gpool__buffer *buffer = write_resolve(pool, handle, &result);
    if (buffer == NULL) {
        return result;
    }
    if (stride == 0 || !gpool__multiply(count, stride, &size)) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "The stride [%llu] of [%llu] elements of buffer \"%s\" is zero or too "
                           "large",
                           (unsigned long long)stride, (unsigned long long)count,
                           buffer->base.label);
    }
    result = write_check_data(pool, buffer, data, size);
    if (result != GPOOL_OK || count == 0) {
        return result;
    }
    result = write_check_way(pool, buffer, stride, stride);
    if (result == GPOOL_OK) {
        result = write_check_indices(pool, buffer, indices, count, stride);
    }
    if (result != GPOOL_OK) {
        return result;
    }
    if (buffer->gpu_written) {
        result = write_scattered_queue(pool, buffer, indices, count, stride, data);
    } else {
        bool asks = buffer->shadow == NULL;
        result = write_need_shadow(pool, buffer, indices[0] * stride, stride);
        if (result == GPOOL_OK && asks) {
            /* A refill may have run, which is the user's code and has the shadow's memory. */
            result = write_check_indices(pool, buffer, indices, count, stride);
        }
        if (result == GPOOL_OK) {
            write_scattered_shadow(pool, buffer, indices, count, stride, data);
        }
    }
    pool->stats.written_bytes += result == GPOOL_OK ? size : 0;
    return result;
}

gpool_result gpool_buffer_write_scattered(gpool *pool, gpool_buffer buffer, const uint32_t *indices,
                                          uint64_t count, uint64_t stride, const void *data)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_buffer_write_scattered", &call);
    if (result == GPOOL_OK) {
        result = write_scattered(pool, buffer, indices, count, stride, data);
        gpool__leave(pool, &call);
    }
    return result;
}
