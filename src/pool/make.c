/* GPU objects that several parts of a pool make, under capture: NULL and an error, or the object. */
#include "pool/make.h"

gpool_result gpool__end_making(gpool *pool, bool there)
{
    gpool_result result = gpool__capture_end(pool->device, &pool->seam);
    if (result == GPOOL_OK && !there) {
        result = GPOOL_ERROR_OUT_OF_GPU_MEMORY;
    }
    if (result == GPOOL_OK && gpool__device_is_lost(pool->device)) {
        result = GPOOL_ERROR_DEVICE_LOST;
    }
    return result;
}

static gpool_result make_buffer_once(gpool *pool, const WGPUBufferDescriptor *desc, WGPUBuffer *gpu)
{
    gpool__capture_begin(pool->device, &pool->seam);
    *gpu = GPOOL__GPU(&pool->seam, DeviceCreateBuffer)(pool->device->device, desc);
    gpool_result result = gpool__end_making(pool, *gpu != NULL);
    if (result != GPOOL_OK && *gpu != NULL) {
        GPOOL__GPU(&pool->seam, BufferRelease)(*gpu);
        *gpu = NULL;
    }
    return result;
}

gpool_result gpool__try_buffer(gpool *pool, const WGPUBufferDescriptor *desc, WGPUBuffer *gpu)
{
    gpool_result result = make_buffer_once(pool, desc, gpu);
    if (result == GPOOL_ERROR_OUT_OF_GPU_MEMORY && gpool__recycle_drop(pool)) {
        result = make_buffer_once(pool, desc, gpu);
    }
    return result;
}

WGPUBuffer gpool__make_buffer(gpool *pool, const WGPUBufferDescriptor *desc, const char *what,
                              gpool_result *result)
{
    WGPUBuffer gpu = NULL;
    *result = gpool__try_buffer(pool, desc, &gpu);
    if (*result != GPOOL_OK) {
        *result = gpool__fail_gpu(pool, *result, what, pool->label);
    }
    return gpu;
}

WGPUBindGroup gpool__make_bind_group(gpool *pool, const WGPUBindGroupDescriptor *desc,
                                     const char *what, const char *label, gpool_result *result)
{
    gpool__capture_begin(pool->device, &pool->seam);
    WGPUBindGroup gpu = GPOOL__GPU(&pool->seam, DeviceCreateBindGroup)(pool->device->device, desc);
    *result = gpool__capture_end(pool->device, &pool->seam);
    if (*result == GPOOL_OK && gpu == NULL) {
        *result = GPOOL_ERROR_GPU;
    }
    if (*result != GPOOL_OK) {
        if (gpu != NULL) {
            GPOOL__GPU(&pool->seam, BindGroupRelease)(gpu);
        }
        *result = gpool__fail_gpu(pool, *result, what, label);
        return NULL;
    }
    return gpu;
}

WGPUCommandEncoder gpool__make_encoder(gpool *pool, const char *label, const char *what,
                                       gpool_result *result)
{
    WGPUCommandEncoderDescriptor desc = { .label = gpool__view(label) };
    gpool__capture_begin(pool->device, &pool->seam);
    WGPUCommandEncoder encoder =
        GPOOL__GPU(&pool->seam, DeviceCreateCommandEncoder)(pool->device->device, &desc);
    *result = gpool__capture_end(pool->device, &pool->seam);
    if (*result == GPOOL_OK && encoder == NULL) {
        *result = GPOOL_ERROR_GPU;
    }
    if (*result != GPOOL_OK) {
        if (encoder != NULL) {
            GPOOL__GPU(&pool->seam, CommandEncoderRelease)(encoder);
        }
        *result = gpool__fail_gpu(pool, *result, what, pool->label);
        return NULL;
    }
    return encoder;
}
