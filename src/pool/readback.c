#include "pool/map.h"

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
    gpool__capture_begin(pool->device, &pool->seam);
    WGPUBuffer staging = GPOOL__GPU(&pool->seam, DeviceCreateBuffer)(pool->device->device, &desc);
    *result = gpool__capture_end(pool->device, &pool->seam);
    if (*result == GPOOL_OK && staging == NULL) {
        *result = GPOOL_ERROR_OUT_OF_GPU_MEMORY;
    }
    if (*result != GPOOL_OK) {
        if (staging != NULL) {
            GPOOL__GPU(&pool->seam, BufferRelease)(staging);
        }
        *result = gpool__fail_gpu(pool, *result, "Staging of pool", pool->label);
        return NULL;
    }
    return staging;
}

static void readback_copy(const uint8_t *range, gpool__rows rows, uint8_t *target)
{
    for (uint64_t row = 0; row < rows.count; ++row) {
        memcpy(target + row * rows.bytes, range + rows.offset + row * rows.stride,
               (size_t)rows.bytes);
    }
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
    /* On a lost wgpu-native device the map reports success and the range then ends the process, so
     * the canary looks first. */
    if (result == GPOOL_OK) {
        atomic_store(&pool->device->events->suspect, true);
        result = gpool__device_check(pool->device, &pool->seam);
    }
    if (result == GPOOL_OK) {
        const void *range =
            GPOOL__GPU(&pool->seam, BufferGetConstMappedRange)(staging, 0, (size_t)size);
        if (range != NULL) {
            readback_copy(range, rows, target);
        } else {
            result = GPOOL_ERROR_GPU;
        }
        GPOOL__GPU(&pool->seam, BufferUnmap)(staging);
    }
    gpool__map_release(map);
    if (result == GPOOL_ERROR_TIMEOUT) {
        return GPOOL__FAIL(pool, TIMEOUT, TIMEOUT, "The GPU did not finish a read within [%llu] ms",
                           (unsigned long long)(pool->wait_timeout_ns / 1000000u));
    }
    return result == GPOOL_OK ? result
                              : gpool__fail_gpu(pool, result, "Read through pool", pool->label);
}
