/* Callbacks: waiting, delivery, the simulator's thread; errors, scopes, loss of the device. */
#include "sim_state.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct sim_worker {
    pthread_t thread;
    pthread_mutex_t lock; /* taken inside the big one, never the other way round */
    pthread_cond_t work;
    pthread_cond_t idle;
    sim_events queue;
    bool busy;
    bool stop;
} sim_worker;

/* Events that run at the end of the call that is going on in this thread. */
static _Thread_local sim_events events_now;
/* The simulator whose callback runs in this thread. */
static _Thread_local const sim *events_callback_of;

static void events_append(sim_events *events, sim_event *event)
{
    event->next = NULL;
    if (events->last != NULL) {
        events->last->next = event;
    } else {
        events->first = event;
    }
    events->last = event;
}

static sim_event *events_take_first(sim_events *events)
{
    sim_event *event = events->first;
    if (event != NULL) {
        events->first = event->next;
        events->last = events->first == NULL ? NULL : events->last;
    }
    return event;
}

sim_event *sim_event_new(sim *s, sim_event_kind kind, void (*callback)(void), void *user1,
                         void *user2)
{
    sim_event *event = sim_must(calloc(1, sizeof *event));
    event->owner = s;
    event->kind = kind;
    event->callback = callback;
    event->user1 = user1;
    event->user2 = user2;
    event->status = 1; /* Success, in all status enumerations */
    return event;
}

/* Runs and frees an event; outside the lock. */
static void events_run(sim_event *event)
{
    WGPUStringView message = { event->message, strlen(event->message) };
    void (*call)(void) = event->callback;
    const sim *outer = events_callback_of;
    events_callback_of = event->owner;
    switch (event->kind) {
    case SIM_EVENT_ERROR: {
        WGPUDevice device = (WGPUDevice)event->object;
        ((WGPUUncapturedErrorCallback)call)(&device, (WGPUErrorType)event->type, message,
                                            event->user1, event->user2);
        break;
    }
    case SIM_EVENT_LOST: {
        WGPUDevice device = (WGPUDevice)event->object;
        ((WGPUDeviceLostCallback)call)(&device, (WGPUDeviceLostReason)event->type, message,
                                       event->user1, event->user2);
        break;
    }
    case SIM_EVENT_DONE:
        ((WGPUQueueWorkDoneCallback)call)((WGPUQueueWorkDoneStatus)event->status, message,
                                          event->user1, event->user2);
        break;
    case SIM_EVENT_MAP:
        ((WGPUBufferMapCallback)call)((WGPUMapAsyncStatus)event->status, message, event->user1,
                                      event->user2);
        break;
    case SIM_EVENT_POP:
        ((WGPUPopErrorScopeCallback)call)((WGPUPopErrorScopeStatus)event->status,
                                          (WGPUErrorType)event->type, message, event->user1,
                                          event->user2);
        break;
    case SIM_EVENT_ADAPTER:
        ((WGPURequestAdapterCallback)call)((WGPURequestAdapterStatus)event->status,
                                           (WGPUAdapter)event->object, message, event->user1,
                                           event->user2);
        break;
    case SIM_EVENT_DEVICE:
        ((WGPURequestDeviceCallback)call)((WGPURequestDeviceStatus)event->status,
                                          (WGPUDevice)event->object, message, event->user1,
                                          event->user2);
        break;
    }
    events_callback_of = outer;
    free(event);
}

bool sim_in_callback(const sim *s)
{
    return events_callback_of == s;
}

void sim_events_run_now(void)
{
    sim_event *event;
    while ((event = events_take_first(&events_now)) != NULL) {
        events_run(event);
    }
}

/* A map is there from the moment its callback is on the way. */
static void events_start(sim_event *event)
{
    sim_buffer *buffer = event->buffer;
    if (buffer == NULL) {
        return;
    }
    event->buffer = NULL;
    if (event->status == WGPUMapAsyncStatus_Success) {
        buffer->map = SIM_MAPPED;
        buffer->mapping = sim_must(malloc((size_t)buffer->map_size + 1));
        memcpy(buffer->mapping, buffer->bytes + buffer->map_offset, (size_t)buffer->map_size);
    } else {
        buffer->map = SIM_UNMAPPED;
    }
    sim_drop(&buffer->base);
}

void sim_event_now(sim_event *event)
{
    sim *s = event->owner;
    events_start(event);
    if (s->worker == NULL || event->kind == SIM_EVENT_ERROR) {
        events_append(&events_now, event);
        return;
    }
    (void)pthread_mutex_lock(&s->worker->lock);
    events_append(&s->worker->queue, event);
    (void)pthread_cond_signal(&s->worker->work);
    (void)pthread_mutex_unlock(&s->worker->lock);
}

/* Starts all that is ready, in order. */
static void events_release(sim *s, bool errors_too)
{
    sim_events waiting = s->events;
    s->events = (sim_events){ 0 };
    sim_event *event;
    while ((event = events_take_first(&waiting)) != NULL) {
        bool ready = (event->serial == 0 || sim_is_complete(s, event->serial)) &&
                     (errors_too || event->kind != SIM_EVENT_ERROR);
        if (ready) {
            sim_event_now(event);
        } else {
            events_append(&s->events, event);
        }
    }
}

void sim_event_post(sim_event *event)
{
    events_append(&event->owner->events, event);
    sim_events_kick(event->owner);
}

void sim_events_kick(sim *s)
{
    if (s->desc.delivery != SIM_DELIVER_AT_POLL) {
        events_release(s, false);
    }
}

void sim_events_poll(sim *s)
{
    sim_submits_poll(s);
    events_release(s, true);
}

void sim_events_deliver(sim *s)
{
    events_release(s, true);
}

void sim_events_abort_map(sim_buffer *buffer, const char *reason)
{
    sim *s = buffer->base.owner;
    sim_event *previous = NULL;
    for (sim_event *event = s->events.first; event != NULL; event = event->next) {
        if (event->buffer == buffer) {
            event->status = WGPUMapAsyncStatus_Aborted;
            event->serial = 0;
            (void)snprintf(event->message, sizeof event->message, "%s", reason);
            if (!sim_is_dawn(s)) {
                /* wgpu-native tells it inside the call. */
                if (previous != NULL) {
                    previous->next = event->next;
                } else {
                    s->events.first = event->next;
                }
                s->events.last = s->events.last == event ? previous : s->events.last;
                sim_event_now(event);
            } else {
                buffer->map = SIM_UNMAPPED;
                event->buffer = NULL;
                sim_drop(&buffer->base);
                sim_events_kick(s);
            }
            return;
        }
        previous = event;
    }
}

void sim_events_fini(sim *s)
{
    sim_event *event;
    while ((event = events_take_first(&s->events)) != NULL) {
        if (event->buffer != NULL) {
            sim_drop(&event->buffer->base);
        }
        free(event);
    }
}

/* --- the simulator's thread --- */

static void *worker_main(void *pointer)
{
    sim_worker *worker = pointer;
    (void)pthread_mutex_lock(&worker->lock);
    for (;;) {
        sim_event *event = events_take_first(&worker->queue);
        if (event == NULL) {
            worker->busy = false;
            (void)pthread_cond_broadcast(&worker->idle);
            if (worker->stop) {
                break;
            }
            (void)pthread_cond_wait(&worker->work, &worker->lock);
            continue;
        }
        worker->busy = true;
        (void)pthread_mutex_unlock(&worker->lock);
        events_run(event);
        (void)pthread_mutex_lock(&worker->lock);
    }
    (void)pthread_mutex_unlock(&worker->lock);
    return NULL;
}

void sim_worker_start(sim *s)
{
    sim_worker *worker = sim_must(calloc(1, sizeof *worker));
    (void)pthread_mutex_init(&worker->lock, NULL);
    (void)pthread_cond_init(&worker->work, NULL);
    (void)pthread_cond_init(&worker->idle, NULL);
    if (pthread_create(&worker->thread, NULL, worker_main, worker) != 0) {
        (void)sim_must(NULL);
    }
    sim_lock();
    s->worker = worker;
    sim_unlock();
}

void sim_worker_stop(sim *s)
{
    sim_lock();
    sim_worker *worker = s->worker;
    s->worker = NULL;
    sim_unlock();
    if (worker == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&worker->lock);
    worker->stop = true;
    (void)pthread_cond_signal(&worker->work);
    (void)pthread_mutex_unlock(&worker->lock);
    (void)pthread_join(worker->thread, NULL);
    (void)pthread_cond_destroy(&worker->work);
    (void)pthread_cond_destroy(&worker->idle);
    (void)pthread_mutex_destroy(&worker->lock);
    free(worker);
}

void sim_drain(sim *s)
{
    sim_lock();
    sim_worker *worker = s->worker;
    sim_unlock();
    if (worker == NULL) {
        return;
    }
    (void)pthread_mutex_lock(&worker->lock);
    while (worker->busy || worker->queue.first != NULL) {
        (void)pthread_cond_wait(&worker->idle, &worker->lock);
    }
    (void)pthread_mutex_unlock(&worker->lock);
}

void sim_set_delivery(sim *s, sim_delivery delivery)
{
    if (delivery == SIM_DELIVER_ON_THREAD && s->worker == NULL) {
        sim_worker_start(s);
    } else if (delivery != SIM_DELIVER_ON_THREAD) {
        sim_worker_stop(s);
    }
    sim_lock();
    s->desc.delivery = delivery;
    sim_events_kick(s);
    sim_unlock();
    sim_events_run_now();
}

void sim_set_errors(sim *s, sim_errors errors)
{
    sim_lock();
    s->desc.errors = errors;
    sim_unlock();
}

/* --- errors --- */

static uintptr_t events_thread(void)
{
    static _Thread_local char mark;
    return (uintptr_t)&mark;
}

static WGPUErrorFilter events_filter_of(WGPUErrorType type)
{
    switch (type) {
    case WGPUErrorType_OutOfMemory:
        return WGPUErrorFilter_OutOfMemory;
    case WGPUErrorType_Internal:
        return WGPUErrorFilter_Internal;
    default:
        return WGPUErrorFilter_Validation;
    }
}

/* Gives the error to the innermost scope that takes it. */
static bool events_capture(sim_device *device, WGPUErrorType type, const char *text)
{
    uintptr_t thread = sim_is_dawn(device->base.owner) ? events_thread() : 0;
    for (size_t i = device->scope_count; i-- > 0;) {
        sim_scope *scope = &device->scopes[i];
        if (scope->thread == thread && scope->filter == events_filter_of(type)) {
            if (scope->type == WGPUErrorType_NoError) {
                scope->type = type;
                (void)snprintf(scope->message, sizeof scope->message, "%s", text);
            }
            return true;
        }
    }
    return false;
}

void sim_error(sim_device *device, WGPUErrorType type, const char *format, ...)
{
    sim *s = device->base.owner;
    if (device->lost && sim_is_dawn(s)) {
        return;
    }
    char text[256];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(text, sizeof text, format, list);
    va_end(list);
    device->lost_shown = device->lost_shown || device->lost;
    s->errors += 1;
    memcpy(s->error_message, text, sizeof text);
    if (events_capture(device, type, text) || s->desc.errors == SIM_ERRORS_SWALLOWED) {
        return;
    }
    if (device->error_info.callback == NULL) {
        if (!sim_is_dawn(s)) {
            sim_fatal(s, -1, "an error without an error callback: %s", text);
        }
        return;
    }
    sim_event *event =
        sim_event_new(s, SIM_EVENT_ERROR, (void (*)(void))device->error_info.callback,
                      device->error_info.userdata1, device->error_info.userdata2);
    event->type = (int)type;
    event->object = device->base.handle;
    memcpy(event->message, text, sizeof text);
    if (s->desc.errors == SIM_ERRORS_INLINE) {
        sim_event_now(event);
    } else {
        events_append(&s->events, event);
    }
}

void sim_error_memory(sim_device *device, int function)
{
    if (sim_is_dawn(device->base.owner)) {
        sim_error(device, WGPUErrorType_OutOfMemory, "Allocation failed: out of memory");
    } else {
        sim_error(device, WGPUErrorType_Validation,
                  "Validation Error\n\nCaused by:\n  In wgpu%s\n    Not enough memory left.\n",
                  sim_function_name(function));
    }
}

bool sim_create_good(const sim_call *call, sim_device *device)
{
    if (device->lost) {
        if (sim_is_dawn(call->sim)) {
            return true; /* silent; the object does nothing that anybody can see */
        }
        sim_error(device, WGPUErrorType_Validation, "Validation error: Parent device is lost");
        return false;
    }
    if (call->way == SIM_FAIL_OUT_OF_MEMORY) {
        sim_error_memory(device, call->function);
        return false;
    }
    if (call->way == SIM_FAIL_VALIDATION) {
        sim_error(device, WGPUErrorType_Validation, "Injected failure of %s",
                  sim_function_name(call->function));
        return false;
    }
    return true;
}

static void events_push_scope(WGPUDevice handle, WGPUErrorFilter filter)
{
    sim_call call;
    sim_device *device = sim_enter(&call, GPOOL_GPU_DevicePushErrorScope, handle, SIM_KIND_DEVICE);
    if (device != NULL) {
        bool dawn = sim_is_dawn(call.sim);
        if (!sim_known((uint32_t)filter, dawn ? 3 : 2, false)) {
            sim_fatal(call.sim, call.function, "invalid error filter %u", (unsigned)filter);
        } else if (device->scope_count == SIM_SCOPES) {
            sim_fatal(call.sim, call.function, "%d scopes are open", SIM_SCOPES);
        } else {
            device->scopes[device->scope_count++] =
                (sim_scope){ .thread = dawn ? events_thread() : 0,
                             .filter = filter,
                             .type = WGPUErrorType_NoError };
        }
    }
    sim_leave(&call);
}

static WGPUFuture events_pop_scope(WGPUDevice handle, WGPUPopErrorScopeCallbackInfo info)
{
    sim_call call;
    sim_device *device = sim_enter(&call, GPOOL_GPU_DevicePopErrorScope, handle, SIM_KIND_DEVICE);
    if (device != NULL) {
        bool dawn = sim_is_dawn(call.sim);
        size_t i = device->scope_count;
        while (i > 0 && dawn && device->scopes[i - 1].thread != events_thread()) {
            i -= 1;
        }
        sim_event *event = sim_event_new(call.sim, SIM_EVENT_POP, (void (*)(void))info.callback,
                                         info.userdata1, info.userdata2);
        event->type = WGPUErrorType_NoError;
        if (i == 0) {
            event->status = WGPUPopErrorScopeStatus_Error;
            if (!dawn) {
                sim_fatal(call.sim, call.function, "no error scope is open");
            }
        } else {
            event->type = (int)device->scopes[i - 1].type;
            memcpy(event->message, device->scopes[i - 1].message, sizeof event->message);
            memmove(&device->scopes[i - 1], &device->scopes[i],
                    (device->scope_count - i) * sizeof device->scopes[0]);
            device->scope_count -= 1;
        }
        if (info.callback == NULL) {
            sim_fatal(call.sim, call.function, "the callback is NULL");
            free(event);
        } else if (dawn) {
            sim_event_post(event);
        } else {
            sim_event_now(event);
        }
    }
    sim_leave(&call);
    return (WGPUFuture){ 0 };
}

/* --- loss --- */

void sim_device_tell_lost(sim_device *device, WGPUDeviceLostReason reason, const char *text)
{
    device->lost_told = true;
    device->lost_shown = true;
    if (device->lost_info.callback == NULL) {
        return;
    }
    sim *s = device->base.owner;
    sim_event *event = sim_event_new(s, SIM_EVENT_LOST, (void (*)(void))device->lost_info.callback,
                                     device->lost_info.userdata1, device->lost_info.userdata2);
    event->type = (int)reason;
    event->object = device->base.references > 0 ? device->base.handle : 0;
    (void)snprintf(event->message, sizeof event->message, "%s", text);
    if (!sim_is_dawn(s) || device->lost_info.mode == WGPUCallbackMode_AllowSpontaneous) {
        sim_event_now(event);
    } else {
        sim_event_post(event);
    }
}

/* Dawn frees what is mapped with the device. */
static void events_free_maps(const sim_device *device)
{
    for (sim_object *object = device->base.owner->objects; object != NULL; object = object->next) {
        sim_buffer *buffer = (sim_buffer *)object;
        if (object->kind == SIM_KIND_BUFFER && object->device == device &&
            buffer->map == SIM_MAPPED) {
            free(buffer->mapping);
            buffer->mapping = NULL;
            buffer->map = SIM_UNMAPPED;
        }
    }
}

void sim_device_lose(sim_device *device)
{
    sim *s = device->base.owner;
    if (device->lost) {
        return;
    }
    device->lost = true;
    sim_queue_drop_writes(device);
    /* Whatever was in flight is over. wgpu-native tells of the loss in the next encoder only, and
     * lets pending maps succeed first. */
    if (sim_is_dawn(s)) {
        events_free_maps(device);
        for (sim_event *event = s->events.first; event != NULL; event = event->next) {
            if (event->buffer != NULL && event->buffer->base.device == device) {
                event->status = WGPUMapAsyncStatus_Aborted;
                event->serial = 0;
            }
        }
        sim_device_tell_lost(device,
                             device->base.destroyed ? WGPUDeviceLostReason_Destroyed
                                                    : WGPUDeviceLostReason_Unknown,
                             device->base.destroyed ? "Device was destroyed." : "Device lost");
    }
    sim_submit_done(s, SIM_ALL);
    sim_events_kick(s);
}

void sim_devices_lose(sim *s)
{
    /* Losing one frees objects, so the list is looked through again from the start. */
    sim_object *object = s->objects;
    while (object != NULL) {
        if (object->kind == SIM_KIND_DEVICE && object->references > 0 &&
            !((sim_device *)object)->lost) {
            sim_device_lose((sim_device *)object);
            object = s->objects;
        } else {
            object = object->next;
        }
    }
}

void sim_lose(sim *s)
{
    sim_lock();
    sim_devices_lose(s);
    sim_unlock();
    sim_events_run_now();
}

void sim_table_events(gpool_gpu *table)
{
    table->DevicePushErrorScope = events_push_scope;
    table->DevicePopErrorScope = events_pop_scope;
}
