#include "gpu/device_state.h"

#include "gpu/quirks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The registry. Blocks outlive pools and devices on purpose; there are never more than devices
 * were open at once. Uses malloc, not a user's allocator, whose life may be shorter.
 */
static gpool__mutex events_lock = GPOOL__MUTEX_INIT;
static gpool__events *events_all;
static gpool__events *events_free;

gpool__events *gpool__events_take(gpool_device *device)
{
    gpool__mutex_lock(&events_lock);
    gpool__events *events = events_free;
    if (events != NULL) {
        events_free = events->next_free;
    } else {
        events = calloc(1, sizeof *events);
        if (events != NULL) {
            gpool__mutex_init(&events->lock);
            events->next = events_all;
            events_all = events;
        }
    }
    gpool__mutex_unlock(&events_lock);
    if (events != NULL) {
        /* What the device before left in flight, lost or hung, is nothing to wait for. */
        events->base = atomic_load(&events->submitted);
        atomic_store(&events->done, events->base);
        atomic_store(&events->lost, false);
        atomic_store(&events->suspect, false);
        atomic_store(&events->mute, false);
        atomic_fetch_add(&events->generation, 1);
        gpool__mutex_lock(&events->lock);
        events->device = device;
        gpool__mutex_unlock(&events->lock);
    }
    return events;
}

void gpool__events_give_back(gpool__events *events)
{
    gpool__mutex_lock(&events->lock);
    events->device = NULL;
    gpool__mutex_unlock(&events->lock);
    atomic_fetch_add(&events->generation, 1);
    /* The log's user must not go while another thread still tells it something. */
    gpool__log_flush();
    uint64_t begin = gpool__now_ns();
    while (atomic_load(&events->untold) > 0 && gpool__now_ns() - begin < GPOOL__OPEN_TIMEOUT_NS) {
        gpool__sleep_ns(20000);
    }
    for (uint32_t i = 0; i < GPOOL__POPS; ++i) {
        if (atomic_load(&events->popped[i].state) != GPOOL__POP_FREE) {
            return; /* an answer may still come; no other device gets this block */
        }
    }
    gpool__mutex_lock(&events_lock);
    events->next_free = events_free;
    events_free = events;
    gpool__mutex_unlock(&events_lock);
}

static bool events_is_late(gpool__events *events, const void *generation)
{
    return atomic_load(&events->generation) != (uintptr_t)generation;
}

static size_t events_length(WGPUStringView text)
{
    if (text.data == NULL) {
        return 0;
    }
    return text.length == WGPU_STRLEN ? strlen(text.data) : text.length;
}

void gpool__events_on_error(WGPUDevice const *device, WGPUErrorType type, WGPUStringView message,
                            void *events_pointer, void *generation)
{
    (void)device;
    gpool__events *events = events_pointer;
    if (events_is_late(events, generation)) {
        return;
    }
    atomic_store(&events->suspect, true);
    gpool__operation *now = gpool__current();
    if (now->capturing == events) {
        if (now->error_type == 0) {
            now->error_type =
                (int)gpool__quirks_error_type(type, message.data, events_length(message));
            gpool__clean_lines(now->error, sizeof now->error, message.data, events_length(message));
        }
        return;
    }
    char text[GPOOL__MESSAGE_SIZE / 2];
    gpool__clean(text, sizeof text, message.data, events_length(message));
    gpool__log_hold();
    gpool__mutex_lock(&events->lock);
    if (events->device != NULL) {
        (void)gpool__fail(&events->device->log, GPOOL_LOG_GPU_ERROR_LATE, GPOOL_ERROR_GPU,
                          "The WebGPU implementation reported [%s] outside any capture", text);
    }
    gpool__mutex_unlock(&events->lock);
    gpool__log_release();
}

void gpool__events_on_lost(WGPUDevice const *device, WGPUDeviceLostReason reason,
                           WGPUStringView message, void *events_pointer, void *generation)
{
    (void)device;
    gpool__events *events = events_pointer;
    /* A device that was never made is told by the request's own answer. */
    if (events_is_late(events, generation) || reason == WGPUDeviceLostReason_FailedCreation) {
        return;
    }
    atomic_store(&events->lost, true);
    char text[GPOOL__MESSAGE_SIZE / 2];
    gpool__clean(text, sizeof text, message.data, events_length(message));
    gpool__log_hold();
    gpool__mutex_lock(&events->lock);
    if (events->device != NULL) {
        (void)gpool__fail(&events->device->log, GPOOL_LOG_DEVICE_LOST, GPOOL_ERROR_DEVICE_LOST,
                          "The device is lost for reason [%d]: %s", (int)reason, text);
    }
    gpool__mutex_unlock(&events->lock);
    gpool__log_release();
}

void gpool__events_on_done(WGPUQueueWorkDoneStatus status, WGPUStringView message,
                           void *events_pointer, void *serial)
{
    /* Every status means that the GPU will not use the work's objects any more. */
    (void)status;
    (void)message;
    gpool__events *events = events_pointer;
    uint64_t newest = atomic_load(&events->submitted);
    /* A 32-bit pointer holds the low half; the high half is that of a number just below newest. */
    uint64_t value = newest - (uintptr_t)((uintptr_t)newest - (uintptr_t)serial);
    uint64_t done = atomic_load(&events->done);
    while (done < value && !atomic_compare_exchange_weak(&events->done, &done, value)) {
    }
}

void gpool_device_notify_error(gpool_device *device, WGPUErrorType type, WGPUStringView message)
{
    if (device != NULL) {
        gpool__events_on_error(NULL, type, message, device->events,
                               (void *)atomic_load(&device->events->generation));
    }
}

void gpool_device_notify_lost(gpool_device *device, WGPUDeviceLostReason reason,
                              WGPUStringView message)
{
    if (device != NULL) {
        gpool__events_on_lost(NULL, reason, message, device->events,
                              (void *)atomic_load(&device->events->generation));
    }
}

/* Polls for the answer of an error scope, a millisecond apart after the first few. Counted, so that
 * a stop in a debugger is no timeout. Both implementations answer at the first, also when lost. */
#define EVENTS_POP_POLLS 2000u

static void events_on_pop(WGPUPopErrorScopeStatus status, WGPUErrorType type,
                          WGPUStringView message, void *popped_pointer, void *unused)
{
    (void)status;
    (void)unused;
    gpool__popped *popped = popped_pointer;
    popped->type = gpool__quirks_error_type(type, message.data, events_length(message));
    gpool__clean_lines(popped->error, sizeof popped->error, message.data, events_length(message));
    if (atomic_exchange(&popped->state, GPOOL__POP_ANSWERED) == GPOOL__POP_ABANDONED) {
        atomic_store(&popped->state, GPOOL__POP_FREE);
    }
}

/* The capture's error is the first one. */
static void events_latch(gpool__operation *now, WGPUErrorType type, const char *text)
{
    if (type != WGPUErrorType_NoError && now->error_type == 0) {
        now->error_type = (int)type;
        (void)snprintf(now->error, sizeof now->error, "%s", text);
    }
}

/* Room for an answer; NULL when others, most likely of devices that never answered, keep it all. */
static gpool__popped *events_take_popped(gpool__events *events)
{
    for (uint32_t tries = 0; tries < EVENTS_POP_POLLS; ++tries) {
        for (uint32_t i = 0; i < GPOOL__POPS; ++i) {
            int is_free = GPOOL__POP_FREE;
            if (atomic_compare_exchange_strong(&events->popped[i].state, &is_free,
                                               GPOOL__POP_WAITING)) {
                return &events->popped[i];
            }
        }
        gpool__sleep_ns(1000000);
    }
    return NULL;
}

static void events_silence(gpool_device *device, gpool__operation *now)
{
    atomic_store(&device->events->mute, true);
    atomic_store(&device->events->lost, true);
    events_latch(now, WGPUErrorType_Unknown, "an error scope was never answered");
    gpool__log_hold();
    (void)gpool__fail(&device->log, GPOOL_LOG_DEVICE_LOST, GPOOL_ERROR_DEVICE_LOST,
                      "The device counts as lost: an error scope was never answered");
    gpool__log_release();
}

void gpool__capture_begin(gpool_device *device, gpool__seam *seam)
{
    gpool__operation *now = gpool__current();
    now->capturing = device->events;
    now->error_type = 0;
    now->error[0] = '\0';
    if (device->scopes && !atomic_load(&device->events->mute)) {
        /* Memory that ends is a validation error on wgpu-native, and one of its own on others. */
        GPOOL__GPU(seam, DevicePushErrorScope)(device->device, WGPUErrorFilter_OutOfMemory);
        GPOOL__GPU(seam, DevicePushErrorScope)(device->device, WGPUErrorFilter_Validation);
    }
}

/* Pops the innermost scope and latches its error. A device that does not answer is lost to us, and is
 * asked no more. */
static void events_pop_scope(gpool_device *device, gpool__seam *seam, gpool__operation *now)
{
    if (atomic_load(&device->events->mute)) {
        return;
    }
    gpool__popped *popped = events_take_popped(device->events);
    if (popped == NULL) {
        events_silence(device, now);
        return;
    }
    WGPUPopErrorScopeCallbackInfo info = {
        .mode = WGPUCallbackMode_AllowProcessEvents,
        .callback = events_on_pop,
        .userdata1 = popped,
    };
    (void)GPOOL__GPU(seam, DevicePopErrorScope)(device->device, info);
    for (uint32_t polls = 0;
         atomic_load(&popped->state) == GPOOL__POP_WAITING && polls < EVENTS_POP_POLLS; ++polls) {
        if (polls >= 16) {
            gpool__sleep_ns(1000000);
        }
        gpool__device_pump(device, seam);
    }
    int waiting = GPOOL__POP_WAITING;
    if (atomic_compare_exchange_strong(&popped->state, &waiting, GPOOL__POP_ABANDONED)) {
        events_silence(device, now);
        return;
    }
    events_latch(now, popped->type, popped->error);
    atomic_store(&popped->state, GPOOL__POP_FREE);
}

gpool_result gpool__capture_end_plain(gpool_device *device, gpool__seam *seam)
{
    gpool__operation *now = gpool__current();
    if (device->scopes) {
        events_pop_scope(device, seam, now);
        events_pop_scope(device, seam, now);
    }
    now->capturing = NULL;
    if (now->error_type == 0) {
        return GPOOL_OK;
    }
    atomic_store(&device->events->suspect, true);
    if (gpool__device_is_lost(device)) {
        return GPOOL_ERROR_DEVICE_LOST;
    }
    return now->error_type == WGPUErrorType_OutOfMemory ? GPOOL_ERROR_OUT_OF_GPU_MEMORY
                                                        : GPOOL_ERROR_GPU;
}

gpool_result gpool__capture_end(gpool_device *device, gpool__seam *seam)
{
    gpool_result result = gpool__capture_end_plain(device, seam);
    gpool__operation *now = gpool__current();
    /* A lost Dawn device takes every call in silence. */
    if (result == GPOOL_OK && gpool__device_is_lost(device)) {
        static const char lost[] = "the device is lost";
        memcpy(now->error, lost, sizeof lost);
        result = GPOOL_ERROR_DEVICE_LOST;
    }
    if (result != GPOOL_ERROR_GPU || strstr(now->error, "device is lost") == NULL) {
        return result;
    }
    /* A hint, no more: messages quote labels and shader source, which may say so themselves. The
     * canary has no text of the user's and decides. */
    char error[GPOOL__MESSAGE_SIZE];
    memcpy(error, now->error, sizeof error);
    if (gpool__device_check(device, seam) == GPOOL_ERROR_DEVICE_LOST) {
        result = GPOOL_ERROR_DEVICE_LOST;
    }
    memcpy(now->error, error, sizeof error);
    return result;
}
