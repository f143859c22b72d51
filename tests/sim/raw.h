/* A device of the simulator used through its table alone, and what its callbacks said. */
#ifndef GPOOL_TESTS_SIM_RAW_H
#define GPOOL_TESTS_SIM_RAW_H

#include "unit.h"

#include "sim.h"

typedef struct raw {
    sim *s;
    gpool_gpu gpu;
    WGPUInstance instance;
    WGPUAdapter adapter;
    WGPUDevice device;
    WGPUQueue queue;
    int errors;
    WGPUErrorType error_type;
    char error[256];
    int lost;
    int maps;
    WGPUMapAsyncStatus map_status;
    int done;
    int popped;
    WGPUErrorType popped_type;
} raw;

static inline void on_adapter(WGPURequestAdapterStatus status, WGPUAdapter adapter,
                              WGPUStringView message, void *r, void *unused)
{
    (void)status;
    (void)message;
    (void)unused;
    ((raw *)r)->adapter = adapter;
}

static inline void on_device(WGPURequestDeviceStatus status, WGPUDevice device,
                             WGPUStringView message, void *r, void *unused)
{
    (void)status;
    (void)message;
    (void)unused;
    ((raw *)r)->device = device;
}

static inline void on_error(WGPUDevice const *device, WGPUErrorType type, WGPUStringView message,
                            void *user, void *unused)
{
    (void)device;
    (void)unused;
    raw *r = user;
    r->errors += 1;
    r->error_type = type;
    (void)snprintf(r->error, sizeof r->error, "%.*s", (int)message.length, message.data);
}

static inline void on_lost(WGPUDevice const *device, WGPUDeviceLostReason reason,
                           WGPUStringView message, void *r, void *unused)
{
    (void)device;
    (void)reason;
    (void)message;
    (void)unused;
    ((raw *)r)->lost += 1;
}

static inline void on_map(WGPUMapAsyncStatus status, WGPUStringView message, void *r, void *unused)
{
    (void)message;
    (void)unused;
    ((raw *)r)->maps += 1;
    ((raw *)r)->map_status = status;
}

static inline void on_done(WGPUQueueWorkDoneStatus status, WGPUStringView message, void *r,
                           void *digit)
{
    (void)status;
    (void)message;
    /* The order of the answers, as decimal digits. */
    ((raw *)r)->done = ((raw *)r)->done * 10 + (int)(uintptr_t)digit;
}

static inline void on_pop(WGPUPopErrorScopeStatus status, WGPUErrorType type,
                          WGPUStringView message, void *r, void *unused)
{
    (void)status;
    (void)message;
    (void)unused;
    ((raw *)r)->popped += 1;
    ((raw *)r)->popped_type = type;
}

static inline void raw_open(raw *r, const sim_desc *desc)
{
    *r = (raw){ .s = sim_create(desc) };
    assert_non_null(r->s);
    sim_table(r->s, &r->gpu);
    r->instance = r->gpu.CreateInstance(NULL);
    (void)r->gpu.InstanceRequestAdapter(
        r->instance, NULL,
        (WGPURequestAdapterCallbackInfo){ .callback = on_adapter, .userdata1 = r });
    r->gpu.InstanceProcessEvents(r->instance);
    assert_non_null(r->adapter);
    WGPUDeviceDescriptor device = {
        .deviceLostCallbackInfo = { .mode = WGPUCallbackMode_AllowProcessEvents,
                                    .callback = on_lost,
                                    .userdata1 = r },
        .uncapturedErrorCallbackInfo = { .callback = on_error, .userdata1 = r },
    };
    (void)r->gpu.AdapterRequestDevice(
        r->adapter, &device,
        (WGPURequestDeviceCallbackInfo){ .callback = on_device, .userdata1 = r });
    r->gpu.InstanceProcessEvents(r->instance);
    assert_non_null(r->device);
    r->queue = r->gpu.DeviceGetQueue(r->device);
}

static inline void raw_close(raw *r)
{
    r->gpu.QueueRelease(r->queue);
    r->gpu.DeviceRelease(r->device);
    r->gpu.AdapterRelease(r->adapter);
    r->gpu.InstanceRelease(r->instance);
    sim_complete(r->s, SIM_ALL);
    assert_same(sim_live(r->s, SIM_KIND_NONE), 0);
    assert_same(sim_fatal_count(r->s), 0);
    sim_destroy(r->s);
}

static inline WGPUBuffer raw_buffer(raw *r, WGPUBufferUsage usage, uint64_t size)
{
    WGPUBufferDescriptor desc = { .usage = usage, .size = size };
    return r->gpu.DeviceCreateBuffer(r->device, &desc);
}

static inline WGPUTexture raw_texture(raw *r, WGPUTextureUsage usage, WGPUTextureFormat format,
                                      uint32_t size, uint32_t samples)
{
    WGPUTextureDescriptor desc = { .usage = usage,
                                   .dimension = WGPUTextureDimension_2D,
                                   .size = { size, size, 1 },
                                   .format = format,
                                   .mipLevelCount = 1,
                                   .sampleCount = samples };
    return r->gpu.DeviceCreateTexture(r->device, &desc);
}

static inline void raw_on_done(raw *r, uintptr_t digit)
{
    WGPUQueueWorkDoneCallbackInfo info = { .mode = WGPUCallbackMode_AllowProcessEvents,
                                           .callback = on_done,
                                           .userdata1 = r,
                                           .userdata2 = (void *)digit };
    (void)r->gpu.QueueOnSubmittedWorkDone(r->queue, info);
}

static inline void raw_map(raw *r, WGPUBuffer buffer, size_t size)
{
    WGPUBufferMapCallbackInfo info = { .mode = WGPUCallbackMode_AllowProcessEvents,
                                       .callback = on_map,
                                       .userdata1 = r };
    (void)r->gpu.BufferMapAsync(buffer, WGPUMapMode_Read, 0, size, info);
}

/* Finishes and releases an encoder; submits when asked to. */
static inline void raw_finish(raw *r, WGPUCommandEncoder encoder, bool submit)
{
    WGPUCommandBuffer commands = r->gpu.CommandEncoderFinish(encoder, NULL);
    if (submit) {
        r->gpu.QueueSubmit(r->queue, 1, &commands);
    }
    r->gpu.CommandBufferRelease(commands);
    r->gpu.CommandEncoderRelease(encoder);
}

/* Opens the next personality; false after the last one. */
static inline bool raw_next(raw *r, sim_desc *desc, int personality)
{
    if (personality > SIM_DAWN) {
        return false;
    }
    *desc = (sim_desc){ .personality = (sim_personality)personality, .quiet = true };
    raw_open(r, desc);
    return true;
}

/* Runs what follows with a fresh simulator of each personality. */
#define EACH_PERSONALITY(r, desc)                                                                  \
    sim_desc desc;                                                                                 \
    raw r;                                                                                         \
    for (int personality = SIM_WGPU_NATIVE; raw_next(&r, &desc, personality);                      \
         raw_close(&r), ++personality)

#endif
