/* A device that the program opened by itself, and gives to gpool. */
#include "fault.h"

#include <pthread.h>

/* What the program holds; its callbacks forward to the device of gpool. */
typedef struct adopt_program {
    gpool_device *device;  /* of the adopting thread */
    pthread_t adopter;     /* that thread */
    pthread_mutex_t lock;  /* guards what follows, and keeps the device while a callback names it */
    gpool_device *adopted; /* the same for other threads, once the call has returned */
    bool failed_early;     /* what they were told before */
    bool lost_early;
    WGPUInstance instance;
    WGPUAdapter adapter;
    WGPUDevice raw;
} adopt_program;

static void adopt_on_adapter(WGPURequestAdapterStatus status, WGPUAdapter adapter,
                             WGPUStringView message, void *program, void *unused)
{
    (void)status;
    (void)message;
    (void)unused;
    ((adopt_program *)program)->adapter = adapter;
}

static void adopt_on_device(WGPURequestDeviceStatus status, WGPUDevice device,
                            WGPUStringView message, void *program, void *unused)
{
    (void)status;
    (void)message;
    (void)unused;
    ((adopt_program *)program)->raw = device;
}

static void adopt_on_error(WGPUDevice const *device, WGPUErrorType type, WGPUStringView message,
                           void *program_pointer, void *unused)
{
    adopt_program *program = program_pointer;
    (void)device;
    (void)unused;
    if (pthread_equal(pthread_self(), program->adopter)) {
        gpool_device_notify_error(program->device, type, message);
        return;
    }
    (void)pthread_mutex_lock(&program->lock);
    program->failed_early |= program->adopted == NULL;
    gpool_device_notify_error(program->adopted, type, message);
    (void)pthread_mutex_unlock(&program->lock);
}

static void adopt_on_lost(WGPUDevice const *device, WGPUDeviceLostReason reason,
                          WGPUStringView message, void *program_pointer, void *unused)
{
    adopt_program *program = program_pointer;
    (void)device;
    (void)unused;
    if (pthread_equal(pthread_self(), program->adopter)) {
        gpool_device_notify_lost(program->device, reason, message);
        return;
    }
    (void)pthread_mutex_lock(&program->lock);
    program->lost_early |= program->adopted == NULL;
    gpool_device_notify_lost(program->adopted, reason, message);
    (void)pthread_mutex_unlock(&program->lock);
}

/* Lets other threads see the device, and forwards what they were told before; NULL hides it. */
static void adopt_publish(adopt_program *program, gpool_device *device)
{
    WGPUStringView early = { "told before the device was known", WGPU_STRLEN };
    (void)pthread_mutex_lock(&program->lock);
    program->adopted = device;
    if (program->failed_early) {
        gpool_device_notify_error(device, WGPUErrorType_Unknown, early);
    }
    if (program->lost_early) {
        gpool_device_notify_lost(device, WGPUDeviceLostReason_Unknown, early);
    }
    (void)pthread_mutex_unlock(&program->lock);
}

static void adopt_open_raw(fault_world *w, adopt_program *program)
{
    const gpool_gpu *gpu = &w->table;
    program->instance = gpu->CreateInstance(NULL);
    if (program->instance == NULL) {
        return;
    }
    (void)gpu->InstanceRequestAdapter(
        program->instance, NULL,
        (WGPURequestAdapterCallbackInfo){ .mode = WGPUCallbackMode_AllowProcessEvents,
                                          .callback = adopt_on_adapter,
                                          .userdata1 = program });
    gpu->InstanceProcessEvents(program->instance);
    sim_drain(w->s);
    WGPUDeviceDescriptor desc = {
        .deviceLostCallbackInfo = { .mode = WGPUCallbackMode_AllowProcessEvents,
                                    .callback = adopt_on_lost,
                                    .userdata1 = program },
        .uncapturedErrorCallbackInfo = { .callback = adopt_on_error, .userdata1 = program },
    };
    if (program->adapter != NULL) {
        (void)gpu->AdapterRequestDevice(
            program->adapter, &desc,
            (WGPURequestDeviceCallbackInfo){ .mode = WGPUCallbackMode_AllowProcessEvents,
                                             .callback = adopt_on_device,
                                             .userdata1 = program });
        gpu->InstanceProcessEvents(program->instance);
        sim_drain(w->s);
    }
}

static void adopt_close_raw(const gpool_gpu *gpu, const adopt_program *program)
{
    if (program->raw != NULL) {
        gpu->DeviceRelease(program->raw);
    }
    if (program->adapter != NULL) {
        gpu->AdapterRelease(program->adapter);
    }
    if (program->instance != NULL) {
        gpu->InstanceProcessEvents(program->instance);
        gpu->InstanceRelease(program->instance);
    }
}

static void adopt_use(fault_world *w)
{
    static fault_buffer a;
    uint8_t bytes[64];
    fault_pattern(bytes, sizeof bytes, 11);
    fault_buffer_make(w, &a, GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_READ_BACK, 64, bytes);
    (void)FAULT_DO(w, 0, gpool_begin_frame(w->pool));
    gpool_recorder rec = gpool_frame_recorder(w->pool);
    gpool_push_group(rec, "adopted");
    gpool_pop_group(rec);
    (void)FAULT_DO(w, 0, gpool_end_frame(w->pool));
    fault_buffer_check(w, &a);
}

static gpool_result scenario_adopt(fault_world *w)
{
    static adopt_program program;
    gpool_device *first = w->device;
    gpool *pool = w->pool;
    uint64_t leaks = w->log_counts[GPOOL_LOG_LEAK];
    (void)FAULT_DO(w, 0, gpool_device_poll(first));
    program = (adopt_program){ .adopter = pthread_self(), .lock = PTHREAD_MUTEX_INITIALIZER };
    adopt_open_raw(w, &program);
    gpool_device_adopt_desc desc = { .gpu = &w->table,
                                     .instance = program.instance,
                                     .adapter = program.adapter,
                                     .device = program.raw,
                                     .label = "adopted",
                                     .log = fault_device_desc(w).log,
                                     .log_user = w,
                                     .allocator = fault_hooks(&w->device_memory) };
    if (program.raw == NULL) {
        /* No failure of gpool's; the scenario must not pass for whole all the same. */
        w->result = w->result == GPOOL_OK ? GPOOL_ERROR_NO_ADAPTER : w->result;
    } else if (FAULT_DO(w, 0, gpool_device_adopt(&desc, &program.device))) {
        w->device = program.device;
        adopt_publish(&program, program.device);
        gpool_desc pool_desc = fault_pool_desc(w);
        gpool *second = NULL;
        if (FAULT_DO(w, 0, gpool_create(program.device, &pool_desc, &second))) {
            (void)fault_use(w, second);
            adopt_use(w);
            fault_destroy_pool(w, pool);
        }
        adopt_publish(&program, NULL);
        gpool_device_release(program.device);
        w->device = first;
    }
    program.device = NULL;
    adopt_close_raw(&w->table, &program);
    sim_drain(w->s); /* callbacks name the program */
    w->log_counts[GPOOL_LOG_LEAK] = leaks;
    return fault_end(w);
}

FAULT_SWEEP(adopt, scenario_adopt)
