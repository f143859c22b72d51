/* Instance, adapter, device: requests, features, limits, destruction. */
#include "sim_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static WGPUInstance instance_create(uint32_t index)
{
    sim_call call;
    WGPUInstance result = NULL;
    const void *any = (const void *)(uintptr_t)(index + 1);
    sim *s = sim_enter(&call, GPOOL_GPU_CreateInstance, any, SIM_KIND_NONE);
    if (call.way != SIM_FAIL_NULL) {
        WGPUStringView label = { "instance", WGPU_STRLEN };
        result = SIM_HANDLE(
            WGPUInstance, sim_object_new(s, SIM_KIND_INSTANCE, sizeof(sim_instance), NULL, label));
    }
    sim_leave(&call);
    return result;
}

/* The only function without an argument to tell the simulator by: one for each. */
#define INSTANCE_CREATE(index)                                                                     \
    static WGPUInstance instance_create_##index(WGPUInstanceDescriptor const *descriptor)          \
    {                                                                                              \
        (void)descriptor;                                                                          \
        return instance_create(index);                                                             \
    }
INSTANCE_CREATE(0)
INSTANCE_CREATE(1)
INSTANCE_CREATE(2)
INSTANCE_CREATE(3)
INSTANCE_CREATE(4)
INSTANCE_CREATE(5)
INSTANCE_CREATE(6)
INSTANCE_CREATE(7)

static void instance_process_events(WGPUInstance handle)
{
    sim_call call;
    if (sim_enter(&call, GPOOL_GPU_InstanceProcessEvents, handle, SIM_KIND_INSTANCE) != NULL) {
        sim_events_poll(call.sim);
    }
    sim_leave(&call);
}

static void instance_answer(sim_event *event)
{
    if (event->owner->desc.requests_late) {
        sim_event_post(event);
    } else {
        sim_event_now(event);
    }
}

static WGPUFuture instance_request_adapter(WGPUInstance handle,
                                           WGPURequestAdapterOptions const *options,
                                           WGPURequestAdapterCallbackInfo info)
{
    sim_call call;
    sim_instance *instance =
        sim_enter(&call, GPOOL_GPU_InstanceRequestAdapter, handle, SIM_KIND_INSTANCE);
    if (instance != NULL && info.callback == NULL) {
        sim_fatal(call.sim, call.function, "the callback is NULL");
    } else if (instance != NULL) {
        sim *s = call.sim;
        sim_event *event = sim_event_new(s, SIM_EVENT_ADAPTER, (void (*)(void))info.callback,
                                         info.userdata1, info.userdata2);
        bool cpu = s->desc.adapter_type == 0 || s->desc.adapter_type == WGPUAdapterType_CPU;
        bool fallback = options != NULL && options->forceFallbackAdapter;
        if (call.way != SIM_NO_WAY || s->desc.no_adapter || (fallback && !cpu)) {
            event->status = WGPURequestAdapterStatus_Unavailable;
            (void)snprintf(event->message, sizeof event->message, "no such adapter");
        } else {
            WGPUStringView label = { "adapter", WGPU_STRLEN };
            sim_object *adapter =
                sim_object_new(s, SIM_KIND_ADAPTER, sizeof(sim_adapter), NULL, label);
            event->object = adapter->handle;
        }
        instance_answer(event);
    }
    sim_leave(&call);
    return (WGPUFuture){ 0 };
}

/* --- adapter --- */

/* What follows the members tells FreeMembers whose they are. */
static void instance_fill_features(const sim *s, const WGPUFeatureName *features, size_t count,
                                   WGPUSupportedFeatures *out)
{
    WGPUFeatureName *copy = sim_must(malloc((count + 1) * sizeof *copy));
    memcpy(copy, features, count * sizeof *copy);
    copy[count] = (WGPUFeatureName)(s->index + 1);
    out->featureCount = count;
    out->features = copy;
}

static void instance_free_features(WGPUSupportedFeatures features)
{
    sim_call call;
    const void *any = features.features == NULL
                          ? NULL
                          : (const void *)(uintptr_t)features.features[features.featureCount];
    (void)sim_enter(&call, GPOOL_GPU_SupportedFeaturesFreeMembers, any, SIM_KIND_NONE);
    free((void *)(uintptr_t)features.features);
    sim_leave(&call);
}

static void instance_adapter_features(WGPUAdapter handle, WGPUSupportedFeatures *features)
{
    sim_call call;
    if (sim_enter(&call, GPOOL_GPU_AdapterGetFeatures, handle, SIM_KIND_ADAPTER) != NULL) {
        instance_fill_features(call.sim, call.sim->features, call.sim->feature_count, features);
    }
    sim_leave(&call);
}

static WGPUStatus instance_adapter_info(WGPUAdapter handle, WGPUAdapterInfo *info)
{
    sim_call call;
    WGPUStatus status = WGPUStatus_Error;
    if (sim_enter(&call, GPOOL_GPU_AdapterGetInfo, handle, SIM_KIND_ADAPTER) != NULL &&
        call.way == SIM_NO_WAY) {
        const sim *s = call.sim;
        static const char vendor[] = "gpool";
        char *text = sim_must(malloc(sizeof vendor + 1));
        memcpy(text, vendor, sizeof vendor);
        text[sizeof vendor] = (char)(s->index + 1);
        void *next = info->nextInChain;
        *info = (WGPUAdapterInfo){ .nextInChain = next };
        info->vendor = (WGPUStringView){ text, sizeof vendor - 1 };
        info->device = (WGPUStringView){ "gpool test simulator", WGPU_STRLEN };
        info->description = (WGPUStringView){ "no driver", WGPU_STRLEN };
        info->backendType = WGPUBackendType_Vulkan;
        info->adapterType = s->desc.adapter_type != 0 ? s->desc.adapter_type : WGPUAdapterType_CPU;
        status = WGPUStatus_Success;
    }
    sim_leave(&call);
    return status;
}

static void instance_free_info(WGPUAdapterInfo info)
{
    sim_call call;
    const void *any = info.vendor.data == NULL
                          ? NULL
                          : (const void *)(uintptr_t)info.vendor.data[info.vendor.length + 1];
    (void)sim_enter(&call, GPOOL_GPU_AdapterInfoFreeMembers, any, SIM_KIND_NONE);
    free((void *)(uintptr_t)info.vendor.data);
    sim_leave(&call);
}

static WGPUStatus instance_adapter_limits(WGPUAdapter handle, WGPULimits *limits)
{
    sim_call call;
    WGPUStatus status = WGPUStatus_Error;
    if (sim_enter(&call, GPOOL_GPU_AdapterGetLimits, handle, SIM_KIND_ADAPTER) != NULL &&
        call.way == SIM_NO_WAY) {
        void *next = limits->nextInChain;
        *limits = call.sim->limits;
        limits->nextInChain = next;
        status = WGPUStatus_Success;
    }
    sim_leave(&call);
    return status;
}

static bool instance_has(const WGPUFeatureName *features, size_t count, WGPUFeatureName feature)
{
    for (size_t i = 0; i < count; ++i) {
        if (features[i] == feature) {
            return true;
        }
    }
    return false;
}

static WGPUBool instance_adapter_has(WGPUAdapter handle, WGPUFeatureName feature)
{
    sim_call call;
    bool has = sim_enter(&call, GPOOL_GPU_AdapterHasFeature, handle, SIM_KIND_ADAPTER) != NULL &&
               instance_has(call.sim->features, call.sim->feature_count, feature);
    /* Only the low byte of a boolean of wgpu-native means anything. */
    bool dawn = sim_is_dawn(call.sim);
    sim_leave(&call);
    return (dawn ? 0u : 0xd3325600u) | has;
}

/* --- device --- */

/* The first thing in a descriptor that the adapter does not have. */
static bool instance_check_device(const sim *s, const WGPUDeviceDescriptor *descriptor,
                                  WGPULimits *limits, sim_text *why)
{
    *limits = s->limits;
    if (descriptor == NULL) {
        return true;
    }
    for (size_t i = 0; i < descriptor->requiredFeatureCount; ++i) {
        if (!instance_has(s->features, s->feature_count, descriptor->requiredFeatures[i])) {
            return sim_say(why, "feature 0x%x is not there",
                           (unsigned)descriptor->requiredFeatures[i]);
        }
    }
    const WGPULimits *wanted = descriptor->requiredLimits;
    if (wanted == NULL) {
        return true;
    }
#define INSTANCE_LIMIT(name)                                                                       \
    if (wanted->name != (__typeof__(wanted->name))UINT64_MAX && wanted->name > s->limits.name) {   \
        return sim_say(why, "limit " #name " is over the adapter's");                              \
    }                                                                                              \
    if (wanted->name != (__typeof__(wanted->name))UINT64_MAX && wanted->name != 0) {               \
        limits->name = wanted->name;                                                               \
    }
    INSTANCE_LIMIT(maxTextureDimension1D)
    INSTANCE_LIMIT(maxTextureDimension2D)
    INSTANCE_LIMIT(maxTextureDimension3D)
    INSTANCE_LIMIT(maxTextureArrayLayers)
    INSTANCE_LIMIT(maxBindGroups)
    INSTANCE_LIMIT(maxDynamicUniformBuffersPerPipelineLayout)
    INSTANCE_LIMIT(maxDynamicStorageBuffersPerPipelineLayout)
    INSTANCE_LIMIT(maxUniformBufferBindingSize)
    INSTANCE_LIMIT(maxStorageBufferBindingSize)
    INSTANCE_LIMIT(maxVertexBuffers)
    INSTANCE_LIMIT(maxBufferSize)
    INSTANCE_LIMIT(maxVertexAttributes)
    INSTANCE_LIMIT(maxVertexBufferArrayStride)
    INSTANCE_LIMIT(maxColorAttachments)
    INSTANCE_LIMIT(maxComputeWorkgroupsPerDimension)
#undef INSTANCE_LIMIT
    return true;
}

static void instance_fill_device(sim_device *device, const WGPUDeviceDescriptor *descriptor)
{
    device->features[device->feature_count++] = WGPUFeatureName_CoreFeaturesAndLimits;
    if (descriptor == NULL) {
        return;
    }
    for (size_t i = 0; i < descriptor->requiredFeatureCount; ++i) {
        if (!instance_has(device->features, device->feature_count,
                          descriptor->requiredFeatures[i])) {
            device->features[device->feature_count++] = descriptor->requiredFeatures[i];
        }
    }
    device->lost_info = descriptor->deviceLostCallbackInfo;
    device->error_info = descriptor->uncapturedErrorCallbackInfo;
}

static WGPUFuture instance_request_device(WGPUAdapter handle,
                                          WGPUDeviceDescriptor const *descriptor,
                                          WGPURequestDeviceCallbackInfo info)
{
    sim_call call;
    sim_adapter *adapter =
        sim_enter(&call, GPOOL_GPU_AdapterRequestDevice, handle, SIM_KIND_ADAPTER);
    if (adapter != NULL && info.callback == NULL) {
        sim_fatal(call.sim, call.function, "the callback is NULL");
    } else if (adapter != NULL) {
        sim *s = call.sim;
        sim_event *event = sim_event_new(s, SIM_EVENT_DEVICE, (void (*)(void))info.callback,
                                         info.userdata1, info.userdata2);
        sim_text why = { "injected failure" };
        WGPULimits limits;
        if (call.way != SIM_NO_WAY || !instance_check_device(s, descriptor, &limits, &why)) {
            event->status = WGPURequestDeviceStatus_Error;
            (void)snprintf(event->message, sizeof event->message, "%s", why.text);
        } else {
            WGPUStringView none = { NULL, 0 };
            sim_device *device = sim_object_new(s, SIM_KIND_DEVICE, sizeof *device, NULL,
                                                descriptor != NULL ? descriptor->label : none);
            device->limits = limits;
            instance_fill_device(device, descriptor);
            event->object = device->base.handle;
        }
        instance_answer(event);
    }
    sim_leave(&call);
    return (WGPUFuture){ 0 };
}

static void instance_device_destroy(WGPUDevice handle)
{
    sim_call call;
    sim_device *device = sim_enter(&call, GPOOL_GPU_DeviceDestroy, handle, SIM_KIND_DEVICE);
    if (device != NULL && !device->lost) {
        device->base.destroyed = true;
        sim_device_lose(device);
    }
    sim_leave(&call);
}

static void instance_device_features(WGPUDevice handle, WGPUSupportedFeatures *features)
{
    sim_call call;
    sim_device *device = sim_enter(&call, GPOOL_GPU_DeviceGetFeatures, handle, SIM_KIND_DEVICE);
    if (device != NULL) {
        instance_fill_features(call.sim, device->features, device->feature_count, features);
    }
    sim_leave(&call);
}

static WGPUStatus instance_device_limits(WGPUDevice handle, WGPULimits *limits)
{
    sim_call call;
    WGPUStatus status = WGPUStatus_Error;
    sim_device *device = sim_enter(&call, GPOOL_GPU_DeviceGetLimits, handle, SIM_KIND_DEVICE);
    if (device != NULL && call.way == SIM_NO_WAY) {
        void *next = limits->nextInChain;
        *limits = device->limits;
        limits->nextInChain = next;
        status = WGPUStatus_Success;
    }
    sim_leave(&call);
    return status;
}

static WGPUBool instance_device_has(WGPUDevice handle, WGPUFeatureName feature)
{
    sim_call call;
    sim_device *device = sim_enter(&call, GPOOL_GPU_DeviceHasFeature, handle, SIM_KIND_DEVICE);
    bool has = device != NULL && instance_has(device->features, device->feature_count, feature);
    bool dawn = sim_is_dawn(call.sim);
    sim_leave(&call);
    return (dawn ? 0u : 0xd3325600u) | has;
}

static WGPUQueue instance_device_queue(WGPUDevice handle)
{
    sim_call call;
    WGPUQueue result = NULL;
    sim_device *device = sim_enter(&call, GPOOL_GPU_DeviceGetQueue, handle, SIM_KIND_DEVICE);
    if (device != NULL) {
        /* wgpu-native gives a new object each time, Dawn always the same. */
        if (device->queue != NULL) {
            device->queue->references += 1;
            result = SIM_HANDLE(WGPUQueue, device->queue);
        } else {
            WGPUStringView label = { "queue", WGPU_STRLEN };
            sim_object *queue =
                sim_object_new(call.sim, SIM_KIND_QUEUE, sizeof(sim_queue), device, label);
            device->queue = sim_is_dawn(call.sim) ? queue : NULL;
            result = SIM_HANDLE(WGPUQueue, queue);
        }
    }
    sim_leave(&call);
    return result;
}

static uint32_t instance_get_version(void)
{
    return 0x1d000101u;
}

static int32_t instance_device_tick(WGPUDevice device)
{
    (void)device;
    return 0;
}

void sim_table_instance(gpool_gpu *table)
{
    table->InstanceProcessEvents = instance_process_events;
    table->InstanceRequestAdapter = instance_request_adapter;
    table->SupportedFeaturesFreeMembers = instance_free_features;
    table->AdapterGetFeatures = instance_adapter_features;
    table->AdapterGetInfo = instance_adapter_info;
    table->AdapterInfoFreeMembers = instance_free_info;
    table->AdapterGetLimits = instance_adapter_limits;
    table->AdapterHasFeature = instance_adapter_has;
    table->AdapterRequestDevice = instance_request_device;
    table->DeviceDestroy = instance_device_destroy;
    table->DeviceGetFeatures = instance_device_features;
    table->DeviceGetLimits = instance_device_limits;
    table->DeviceHasFeature = instance_device_has;
    table->DeviceGetQueue = instance_device_queue;
}

void sim_table(sim *s, gpool_gpu *table)
{
    static WGPUInstance (*const create[])(WGPUInstanceDescriptor const *) = {
        instance_create_0, instance_create_1, instance_create_2, instance_create_3,
        instance_create_4, instance_create_5, instance_create_6, instance_create_7,
    };
    *table = (gpool_gpu){ 0 };
    table->CreateInstance = create[s->index];
    sim_table_instance(table);
    sim_table_objects(table);
    sim_table_events(table);
    sim_table_buffer(table);
    sim_table_texture(table);
    sim_table_bind(table);
    sim_table_pipeline(table);
    sim_table_queue(table);
    sim_table_encoder(table);
    sim_table_render(table);
    sim_table_compute(table);
    if (!s->desc.other_family) {
        table->GetVersion = sim_is_dawn(s) ? NULL : instance_get_version;
        table->DeviceTick = sim_is_dawn(s) ? instance_device_tick : NULL;
    }
}
