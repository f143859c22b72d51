#include "gpu/device_state.h"

#include "gpu/quirks.h"

#include <string.h>

void gpool__device_pump(gpool_device *device, gpool__seam *seam)
{
    gpool__operation *now = gpool__current();
    now->polls += 1;
    GPOOL__GPU(seam, InstanceProcessEvents)(device->instance);
    now->polls -= 1;
}

void gpool__device_process(gpool_device *device, gpool__seam *seam)
{
    gpool__log_hold();
    gpool__device_pump(device, seam);
    gpool__log_release();
    gpool__log_flush(); /* a wait may go on for long */
}

static gpool_result device_wait(gpool_device *device, gpool__seam *seam, uint64_t serial,
                                uint64_t timeout_ns)
{
    /* Poll and sleep, never a blocking poll: on wgpu-native that would hold up every thread that
     * submits or destroys for the whole wait. */
    uint64_t begin = gpool__now_ns();
    for (;;) {
        gpool__device_process(device, seam);
        if (gpool__device_done(device) >= serial) {
            return GPOOL_OK;
        }
        if (gpool__device_is_lost(device)) {
            return GPOOL_ERROR_DEVICE_LOST;
        }
        uint64_t waited = gpool__now_ns() - begin;
        if (waited >= timeout_ns) {
            return GPOOL_ERROR_TIMEOUT;
        }
        if (waited > 20000) {
            gpool__sleep_ns(gpool__nap_ns(waited));
        }
    }
}

gpool_result gpool__device_wait_serial(gpool_device *device, gpool__seam *seam, uint64_t serial,
                                       uint64_t timeout_ns)
{
    if (seam->table != gpool__timing_table()) {
        return device_wait(device, seam, serial, timeout_ns);
    }
    /* While measured, waiting is told apart from work. */
    gpool__operation *now = gpool__current();
    uint64_t gpu_ns = now->gpu_ns;
    uint64_t begin = gpool__thread_cpu_ns();
    gpool_result result = device_wait(device, seam, serial, timeout_ns);
    uint64_t taken = gpool__thread_cpu_ns() - begin;
    uint64_t in_gpu_calls = now->gpu_ns - gpu_ns;
    now->wait_ns += taken > in_gpu_calls ? taken - in_gpu_calls : 0;
    return result;
}

/*
 * A lost wgpu-native device tells it only in the next encoder; a submit to it ends the process. The
 * canary is such an encoder, finished and never submitted. What it made is released after the submit:
 * nothing stands between the look and the leap.
 */
typedef struct device_canary {
    WGPUCommandEncoder encoder;
    WGPUCommandBuffer buffer;
} device_canary;

static void device_canary_release(gpool__seam *seam, device_canary *canary)
{
    if (canary->encoder != NULL) {
        GPOOL__GPU(seam, CommandEncoderRelease)(canary->encoder);
    }
    if (canary->buffer != NULL) {
        GPOOL__GPU(seam, CommandBufferRelease)(canary->buffer);
    }
    *canary = (device_canary){ 0 };
}

static gpool_result device_canary_sing(gpool_device *device, gpool__seam *seam,
                                       device_canary *canary)
{
    gpool__capture_begin(device, seam);
    canary->encoder = GPOOL__GPU(seam, DeviceCreateCommandEncoder)(device->device, NULL);
    if (canary->encoder != NULL) {
        canary->buffer = GPOOL__GPU(seam, CommandEncoderFinish)(canary->encoder, NULL);
    }
    gpool_result result = gpool__capture_end_plain(device, seam);
    if (gpool__device_is_lost(device)) {
        return GPOOL_ERROR_DEVICE_LOST;
    }
    return result == GPOOL_OK && canary->buffer == NULL ? GPOOL_ERROR_GPU : result;
}

/*
 * GPOOL_OK, GPOOL_ERROR_DEVICE_LOST, or GPOOL_ERROR_OUT_OF_GPU_MEMORY: the canary found no memory, and
 * the next look tries again. Any other failure may be a single one, so it is tried twice: a device
 * that gives no encoder two times in a row is lost to us.
 */
static gpool_result device_look(gpool_device *device, gpool__seam *seam, device_canary *canary)
{
    *canary = (device_canary){ 0 };
    if (gpool__device_is_lost(device)) {
        return GPOOL_ERROR_DEVICE_LOST;
    }
    if (!atomic_exchange(&device->events->suspect, false)) {
        return GPOOL_OK;
    }
    gpool_result result = device_canary_sing(device, seam, canary);
    if (result == GPOOL_ERROR_GPU) {
        device_canary_release(seam, canary);
        atomic_store(&device->events->suspect, false);
        result = device_canary_sing(device, seam, canary);
    }
    if (result == GPOOL_ERROR_OUT_OF_GPU_MEMORY) {
        atomic_store(&device->events->suspect, true);
        return result;
    }
    if (result != GPOOL_OK) {
        atomic_store(&device->events->lost, true);
        return GPOOL_ERROR_DEVICE_LOST;
    }
    return GPOOL_OK;
}

gpool_result gpool__device_check(gpool_device *device, gpool__seam *seam)
{
    device_canary canary;
    gpool_result result = device_look(device, seam, &canary);
    device_canary_release(seam, &canary);
    return result;
}

static uint64_t device_count_submit(gpool_device *device, gpool__seam *seam)
{
    uint64_t serial = atomic_fetch_add(&device->events->submitted, 1) + 1;
    WGPUQueueWorkDoneCallbackInfo info = {
        .mode = WGPUCallbackMode_AllowProcessEvents,
        .callback = gpool__events_on_done,
        .userdata1 = device->events,
        .userdata2 = (void *)(uintptr_t)serial,
    };
    (void)GPOOL__GPU(seam, QueueOnSubmittedWorkDone)(device->queue, info);
    return serial;
}

gpool_result gpool__device_submit(gpool_device *device, gpool__seam *seam, size_t count,
                                  const WGPUCommandBuffer *buffers, uint64_t *serial)
{
    gpool__log_hold();
    gpool__mutex_lock(&device->queue_lock);
    /* Recorded work went through an encoder, which tells a loss; a flush of writes did not. */
    if (count == 0 && device->info.implementation == GPOOL_IMPLEMENTATION_WGPU_NATIVE) {
        atomic_store(&device->events->suspect, true);
    }
    device_canary canary;
    gpool_result result = device_look(device, seam, &canary);
    if (result == GPOOL_OK) {
        gpool__capture_begin(device, seam);
        GPOOL__GPU(seam, QueueSubmit)(device->queue, count, buffers);
        result = gpool__capture_end(device, seam);
        /* Counted also when an error was reported: whatever did get through has this serial. */
        *serial = device_count_submit(device, seam);
    }
    device_canary_release(seam, &canary);
    gpool__mutex_unlock(&device->queue_lock);
    gpool__log_release();
    return result;
}

uint64_t gpool__device_note_submit(gpool_device *device, gpool__seam *seam)
{
    gpool__log_hold();
    gpool__mutex_lock(&device->queue_lock);
    uint64_t serial = device_count_submit(device, seam);
    gpool__mutex_unlock(&device->queue_lock);
    gpool__log_release();
    return serial;
}

gpool_device *gpool_device_retain(gpool_device *device)
{
    if (device != NULL) {
        atomic_fetch_add(&device->references, 1);
    }
    return device;
}

gpool_result gpool_device_get_info(const gpool_device *device, gpool_device_info *info)
{
    if (device == NULL || info == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    *info = device->info;
    info->lost = gpool__device_is_lost(device);
    return GPOOL_OK;
}

gpool_result gpool_device_get_blob_stats(const gpool_device *device, gpool_blob_stats *stats)
{
    if (device == NULL || stats == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    gpool__quirks_blobs_stats(device->blobs, stats);
    return GPOOL_OK;
}

bool gpool_device_has_feature(const gpool_device *device, WGPUFeatureName feature)
{
    for (size_t i = 0; device != NULL && i < device->info.feature_count; ++i) {
        if (device->info.features[i] == feature) {
            return true;
        }
    }
    return false;
}

const gpool_gpu *gpool_device_gpu(const gpool_device *device)
{
    return device != NULL ? &device->table : NULL;
}

WGPUInstance gpool_device_raw_instance(const gpool_device *device)
{
    return device != NULL ? device->instance : NULL;
}

WGPUAdapter gpool_device_raw_adapter(const gpool_device *device)
{
    return device != NULL ? device->adapter : NULL;
}

WGPUDevice gpool_device_raw(const gpool_device *device)
{
    return device != NULL ? device->device : NULL;
}

WGPUQueue gpool_device_raw_queue(const gpool_device *device)
{
    return device != NULL ? device->queue : NULL;
}

uint64_t gpool_device_submitted(const gpool_device *device)
{
    return device != NULL ? gpool__device_submitted(device) - device->events->base : 0;
}

uint64_t gpool_device_done(const gpool_device *device)
{
    return device != NULL ? gpool__device_done(device) - device->events->base : 0;
}

gpool_result gpool_device_poll(gpool_device *device)
{
    if (device == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (gpool__is_inside()) {
        return GPOOL_ERROR_WRONG_PHASE;
    }
    gpool__seam seam = { .table = &device->table };
    (void)gpool_device_retain(device); /* a callback may release the caller's reference */
    gpool__device_process(device, &seam);
    gpool_result result = gpool__device_is_lost(device) ? GPOOL_ERROR_DEVICE_LOST : GPOOL_OK;
    gpool_device_release(device);
    return result;
}

gpool_result gpool_device_wait(gpool_device *device, uint64_t serial, uint32_t timeout_ms)
{
    if (device == NULL || serial > gpool_device_submitted(device)) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (gpool__is_inside()) {
        return GPOOL_ERROR_WRONG_PHASE;
    }
    gpool__seam seam = { .table = &device->table };
    (void)gpool_device_retain(device);
    gpool_result result = gpool__device_wait_serial(device, &seam, device->events->base + serial,
                                                    (uint64_t)timeout_ms * 1000000u);
    gpool_device_release(device);
    return result;
}
