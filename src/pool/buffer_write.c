/*
 * Writes into shadows. Scattered small ones are what is slow of an upload: each waits for its memory and
 * its page. So a small write asks for the memory and waits in a short queue with its data; the one that
 * came GPOOL__WRITES calls before it is made. Any other call of the pool makes what waits first, so
 * that nobody can tell.
 */
#include "pool/pool_state.h"

#include <string.h>

static gpool__buffer *write_resolve(gpool *pool, gpool_buffer handle, gpool_result *result)
{
    return (gpool__buffer *)gpool__resolve_good(pool, handle.id, GPOOL_KIND_BUFFER, result);
}

/* Brings bytes into the shadow; small writes that change nothing mark nothing. */
static void write_make(gpool *pool, gpool__buffer *buffer, uint64_t offset, const void *data,
                       uint64_t size)
{
    uint8_t *target = buffer->shadow + offset;
    if (size <= GPOOL__SMALL_WRITE && memcmp(target, data, (size_t)size) == 0) {
        return;
    }
    memmove(target, data, (size_t)size);
    gpool__dirty_map_mark(buffer->dirty, offset, size);
    gpool__upload_enlist(pool, buffer);
}

/* Makes the write that waits longest. */
static void write_make_oldest(gpool *pool)
{
    uint32_t place = pool->writes.made++ % GPOOL__WRITES;
    const gpool__write *write = &pool->writes.waiting[place];
    write_make(pool, write->buffer, write->offset, pool->writes.data[place], write->size);
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
    if (buffer == NULL || buffer->base.failed || buffer->shadow == NULL || buffer->edited ||
        !gpool__range_inside(offset, size, buffer->size)) {
        return false;
    }
    if (pool->writes.begun - pool->writes.made == GPOOL__WRITES) {
        write_make_oldest(pool);
    }
    uint8_t *target = buffer->shadow + offset;
    uint32_t place = pool->writes.begun++ % GPOOL__WRITES;
    pool->writes.waiting[place] = (gpool__write){ buffer, offset, size };
    for (uint64_t at = 0; at < size; at += 64) {
        gpool__prefetch(target + at);
    }
    gpool__prefetch(target + size - 1);
    memcpy(pool->writes.data[place], data, (size_t)size);
    pool->stats.written_bytes += size;
    return true;
}

static gpool_result write_check(gpool *pool, const gpool__buffer *buffer, uint64_t offset,
                                const void *data, uint64_t size)
{
    gpool_result result = gpool__buffer_check_range(pool, buffer, offset, size);
    if (result == GPOOL_OK && data == NULL && size > 0) {
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT,
                           "The data [NULL] for buffer \"%s\" is null", buffer->base.label);
    }
    return result;
}

gpool_result gpool__buffer_write(gpool *pool, gpool_buffer handle, uint64_t offset,
                                 const void *data, uint64_t size)
{
    gpool_result result;
    gpool__buffer *buffer = write_resolve(pool, handle, &result);
    if (buffer == NULL) {
        return result;
    }
    result = write_check(pool, buffer, offset, data, size);
    if (result != GPOOL_OK || size == 0) {
        return result;
    }
    if (buffer->imported && (buffer->usage & GPOOL_BUFFER_COPY_TARGET) == 0) {
        return GPOOL__FAIL(pool, USAGE, MISSING_USAGE,
                           "The usage [0x%x] of imported buffer \"%s\" lacks COPY_TARGET",
                           buffer->usage, buffer->base.label);
    }
    if (buffer->gpu_written) {
        if (offset % 4 != 0 || size % 4 != 0) {
            return GPOOL__FAIL(pool, ALIGNMENT, MISALIGNED,
                               "Offset [%llu] and size [%llu] of a write to gpu-written buffer "
                               "\"%s\" are not multiples of 4",
                               (unsigned long long)offset, (unsigned long long)size,
                               buffer->base.label);
        }
        result = gpool__buffer_send(pool, buffer, offset, data, size);
        pool->stats.written_bytes += result == GPOOL_OK ? size : 0;
        return result;
    }
    pool->stats.written_bytes += size;
    write_make(pool, buffer, offset, data, size);
    return GPOOL_OK;
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
