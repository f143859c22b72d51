#include "pool/make.h"
#include "pool/map.h"
#include "pool/read_part.h"

#include <string.h>

WGPUBuffer gpool__make_staging(gpool *pool, uint64_t size, gpool_result *result)
{
    WGPUBufferDescriptor desc = {
        .label = gpool__view("gpool read staging"),
        .usage = WGPUBufferUsage_MapRead | WGPUBufferUsage_CopyDst,
        .size = size,
    };
    if (size > pool->device->info.limits.maxBufferSize || size > SIZE_MAX) {
        *result = GPOOL__FAIL(pool, LIMIT, LIMIT, "Reading [%llu] bytes is over maxBufferSize",
                              (unsigned long long)size);
        return NULL;
    }
    return gpool__make_buffer(pool, &desc, "Staging of pool", result);
}

gpool_result gpool__buffer_read_part(gpool *pool, const gpool__buffer *buffer, uint64_t offset,
                                     uint64_t size, uint64_t *first, uint64_t *bytes)
{
    if ((buffer->usage & GPOOL_BUFFER_READ_BACK) == 0) {
        return GPOOL__FAIL(pool, USAGE, MISSING_USAGE,
                           "The usage [0x%x] of buffer \"%s\" lacks READ_BACK", buffer->usage,
                           buffer->base.label);
    }
    gpool_result result = gpool__buffer_check_range(pool, buffer, offset, size);
    *first = 0;
    *bytes = 0;
    if (result != GPOOL_OK || size == 0) {
        return result;
    }
    const uint64_t last = gpool__round_up(offset + size, 4);
    if (last > gpool__buffer_gpu_size(buffer)) {
        return GPOOL__FAIL(pool, ALIGNMENT, MISALIGNED,
                           "The last bytes of import \"%s\" of [%llu] bytes cannot be read: copies "
                           "are multiples of 4",
                           buffer->base.label, (unsigned long long)buffer->size);
    }
    *first = gpool__round_down(offset, 4);
    *bytes = last - *first;
    return GPOOL_OK;
}

static void readback_copy(const uint8_t *range, gpool__rows rows, uint8_t *target)
{
    for (uint64_t row = 0; row < rows.count; ++row) {
        memcpy(target + row * rows.bytes, range + rows.offset + row * rows.stride,
               (size_t)rows.bytes);
    }
}

gpool_result gpool__read_mapped(gpool *pool, WGPUBuffer staging, uint64_t size, gpool__rows rows,
                                void *target)
{
    /* On a lost wgpu-native device the map reports success and the range then ends the process, so
     * the canary looks first. */
    atomic_store(&pool->device->events->suspect, true);
    gpool_result result = gpool__device_check(pool->device, &pool->seam);
    if (result != GPOOL_OK) {
        return result;
    }
    const void *range =
        GPOOL__GPU(&pool->seam, BufferGetConstMappedRange)(staging, 0, (size_t)size);
    if (range == NULL) {
        /* A loss that no poll has told yet looks so on Dawn. */
        gpool__device_process(pool->device, &pool->seam);
        return gpool__device_is_lost(pool->device) ? GPOOL_ERROR_DEVICE_LOST : GPOOL_ERROR_GPU;
    }
    readback_copy(range, rows, target);
    return GPOOL_OK;
}

gpool_result gpool__read_staging(gpool *pool, WGPUBuffer staging, uint64_t size, gpool__rows rows,
                                 void *target)
{
    gpool__map *map = gpool__map_create();
    if (map == NULL) {
        return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for a read");
    }
    gpool_result result = gpool__map_begin(pool, map, staging, WGPUMapMode_Read, size);
    if (result == GPOOL_OK) {
        result = gpool__map_wait(pool, map, pool->wait_timeout_ns);
    }
    if (result == GPOOL_OK) {
        result = gpool__read_mapped(pool, staging, size, rows, target);
        if (result == GPOOL_OK || result == GPOOL_ERROR_GPU) {
            GPOOL__GPU(&pool->seam, BufferUnmap)(staging);
        }
    }
    gpool__map_release(map);
    if (result == GPOOL_ERROR_TIMEOUT) {
        return GPOOL__FAIL(pool, TIMEOUT, TIMEOUT, "The GPU did not finish a read within [%llu] ms",
                           (unsigned long long)(pool->wait_timeout_ns / 1000000u));
    }
    return result == GPOOL_OK ? result
                              : gpool__fail_gpu(pool, result, "Read through pool", pool->label);
}

static gpool_result readback_buffer(gpool *pool, gpool_buffer handle, uint64_t offset, void *target,
                                    uint64_t size)
{
    gpool_result result;
    gpool__buffer *buffer =
        (gpool__buffer *)gpool__resolve_good(pool, handle.id, GPOOL_KIND_BUFFER, &result);
    if (buffer == NULL) {
        return result;
    }
    uint64_t first = 0;
    uint64_t bytes = 0;
    result = gpool__buffer_read_part(pool, buffer, offset, size, &first, &bytes);
    if (result != GPOOL_OK || size == 0) {
        return result;
    }
    if (target == NULL) {
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT,
                           "The target [NULL] for buffer \"%s\" is null", buffer->base.label);
    }
    result = gpool__upload_flush_buffer(pool, buffer);
    if (result != GPOOL_OK) {
        return result;
    }
    WGPUBuffer staging = gpool__make_staging(pool, bytes, &result);
    if (staging == NULL) {
        return result;
    }
    WGPUCommandEncoder encoder =
        gpool__make_encoder(pool, "Read of a buffer in pool", "Read of a buffer in pool", &result);
    if (encoder == NULL) {
        GPOOL__GPU(&pool->seam, BufferRelease)(staging);
        return result;
    }
    GPOOL__GPU(&pool->seam, CommandEncoderCopyBufferToBuffer)
    (encoder, buffer->gpu, first, staging, 0, bytes);
    result = gpool__submit_internal(pool, encoder, "Read of a buffer in pool");
    if (result == GPOOL_OK) {
        gpool__rows rows = { .offset = offset - first, .bytes = size, .stride = size, .count = 1 };
        result = gpool__read_staging(pool, staging, bytes, rows, target);
    }
    GPOOL__GPU(&pool->seam, BufferRelease)(staging);
    return result;
}

gpool_result gpool_buffer_read(gpool *pool, gpool_buffer buffer, uint64_t offset, void *target,
                               uint64_t size)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_buffer_read", &call);
    if (result == GPOOL_OK) {
        result = readback_buffer(pool, buffer, offset, target, size);
        gpool__leave(pool, &call);
    }
    return result;
}
