#include "pool/pool_state.h"

#include <stdlib.h>
#include <string.h>

/*
 * Answer of a map request. It may come on another thread that polls the same instance, and after the
 * waiter gave up, also after the pool is gone (Dawn delivers the abort at its next poll). So it is
 * libc memory that whoever comes second frees.
 */
typedef struct readback_answer {
    _Atomic int state; /* READBACK_WAITING, then what came first */
    bool mapped;
} readback_answer;

enum {
    READBACK_WAITING,
    READBACK_ANSWERED,
    READBACK_ABANDONED
};

static void readback_on_map(WGPUMapAsyncStatus status, WGPUStringView message, void *answer_pointer,
                            void *unused)
{
    (void)message;
    (void)unused;
    readback_answer *answer = answer_pointer;
    answer->mapped = status == WGPUMapAsyncStatus_Success;
    if (atomic_exchange(&answer->state, READBACK_ANSWERED) == READBACK_ABANDONED) {
        free(answer);
    }
}

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

/* Waits for the map's answer; false when it did not come in time or the device is lost. */
static gpool_result readback_wait(gpool *pool, readback_answer *answer)
{
    uint64_t begin = gpool__now_ns();
    while (atomic_load(&answer->state) == READBACK_WAITING) {
        gpool__device_process(pool->device, &pool->seam);
        if (atomic_load(&answer->state) != READBACK_WAITING) {
            break;
        }
        if (gpool__device_is_lost(pool->device)) {
            return GPOOL_ERROR_DEVICE_LOST;
        }
        uint64_t waited = gpool__now_ns() - begin;
        if (waited > pool->wait_timeout_ns) {
            return GPOOL_ERROR_TIMEOUT;
        }
        gpool__sleep_ns(gpool__nap_ns(waited));
    }
    if (answer->mapped) {
        return GPOOL_OK;
    }
    /* One poll may deliver the loss and the end of the map that comes of it. */
    return gpool__device_is_lost(pool->device) ? GPOOL_ERROR_DEVICE_LOST : GPOOL_ERROR_GPU;
}

gpool_result gpool__read_staging(gpool *pool, WGPUBuffer staging, uint64_t size, gpool__rows rows,
                                 void *target)
{
    readback_answer *answer = calloc(1, sizeof *answer);
    if (answer == NULL) {
        return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for a read");
    }
    WGPUBufferMapCallbackInfo info = {
        .mode = WGPUCallbackMode_AllowProcessEvents,
        .callback = readback_on_map,
        .userdata1 = answer,
    };
    gpool__capture_begin(pool->device, &pool->seam);
    (void)GPOOL__GPU(&pool->seam, BufferMapAsync)(staging, WGPUMapMode_Read, 0, (size_t)size, info);
    gpool_result result = gpool__capture_end(pool->device, &pool->seam);
    if (result == GPOOL_OK) {
        result = readback_wait(pool, answer);
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
    if (atomic_exchange(&answer->state, READBACK_ABANDONED) == READBACK_ANSWERED) {
        free(answer);
    }
    if (result == GPOOL_ERROR_TIMEOUT) {
        return GPOOL__FAIL(pool, TIMEOUT, TIMEOUT, "The GPU did not finish a read within [%llu] ms",
                           (unsigned long long)(pool->wait_timeout_ns / 1000000u));
    }
    return result == GPOOL_OK ? result
                              : gpool__fail_gpu(pool, result, "Read through pool", pool->label);
}
