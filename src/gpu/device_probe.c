/*
 * What a device that is open or adopted is, and how its implementation behaves.
 */
#include "gpu/device_state.h"

#include <string.h>

static char *probe_copy_view(gpool__memory *memory, WGPUStringView view)
{
    char text[256];
    size_t length = view.data == NULL            ? 0
                    : view.length == WGPU_STRLEN ? strlen(view.data)
                                                 : view.length;
    return gpool__copy_string(memory, gpool__clean(text, sizeof text, view.data, length));
}

/* Fills info: adapter strings, limits and features in force. */
static gpool_result probe_describe(gpool_device *device)
{
    gpool_device_info *info = &device->info;
    const gpool_gpu *gpu = &device->table;
    WGPUAdapterInfo adapter = { 0 };
    if (gpu->AdapterGetInfo(device->adapter, &adapter) == WGPUStatus_Success) {
        info->adapter_type = adapter.adapterType;
        info->backend = adapter.backendType;
        info->adapter = probe_copy_view(&device->memory, adapter.device);
        info->driver = probe_copy_view(&device->memory, adapter.description);
        gpu->AdapterInfoFreeMembers(adapter);
    } else {
        info->adapter = gpool__copy_string(&device->memory, "");
        info->driver = gpool__copy_string(&device->memory, "");
    }
    WGPUSupportedFeatures features = { 0 };
    gpu->DeviceGetFeatures(device->device, &features);
    if (features.featureCount > 0) {
        size_t size = features.featureCount * sizeof *features.features;
        WGPUFeatureName *copy = gpool__alloc(&device->memory, size);
        if (copy != NULL) {
            memcpy(copy, features.features, size);
            info->features = copy;
            info->feature_count = features.featureCount;
        }
    }
    bool complete = info->adapter != NULL && info->driver != NULL &&
                    info->feature_count == features.featureCount;
    gpu->SupportedFeaturesFreeMembers(features);
    if (!complete) {
        return gpool__device_no_memory(&device->log);
    }
    if (gpu->DeviceGetLimits(device->device, &info->limits) != WGPUStatus_Success) {
        return gpool__fail(&device->log, GPOOL_LOG_ADAPTER, GPOOL_ERROR_GPU,
                           "The device does not tell its limits");
    }
    info->limits.nextInChain = NULL;
    return GPOOL_OK;
}

/* Makes a deliberately bad buffer: do errors arrive inside the call, on this thread? */
static void probe_errors(gpool_device *device)
{
    WGPUBufferDescriptor bad = { .label = gpool__view("gpool error probe"),
                                 .size = 4,
                                 .usage = WGPUBufferUsage_MapRead | WGPUBufferUsage_Storage };
    device->scopes = false;
    gpool__capture_begin(device, &device->seam);
    WGPUBuffer buffer = device->table.DeviceCreateBuffer(device->device, &bad);
    device->info.errors_inline = gpool__capture_end(device, &device->seam) != GPOOL_OK;
    if (buffer != NULL) {
        device->table.BufferRelease(buffer);
    }
    if (!device->info.errors_inline) {
        /* The probe's own error may come late: not in the next capture, please. */
        gpool__capture_begin(device, &device->seam);
        gpool__device_pump(device, &device->seam);
        (void)gpool__capture_end(device, &device->seam);
    }
    device->scopes = !device->info.errors_inline;
    if (device->scopes) {
        gpool__note(&device->log, GPOOL_LOG_FALLBACK,
                    "The implementation does not report errors inside the failing call; error "
                    "scopes are used");
    }
    /* A bad buffer is no sign of a lost device. */
    atomic_store(&device->events->suspect, false);
}

/*
 * Does the implementation number texture formats as our webgpu.h does? An implementation with
 * another numbering takes RGBA8Unorm for some other format; a float binding then refuses it.
 */
static gpool_result probe_header(gpool_device *device)
{
    const gpool_gpu *gpu = &device->table;
    WGPUBindGroupLayoutEntry entry = {
        .binding = 0,
        .visibility = WGPUShaderStage_Fragment,
        .texture = { .sampleType = WGPUTextureSampleType_Float,
                     .viewDimension = WGPUTextureViewDimension_2D },
    };
    WGPUBindGroupLayoutDescriptor layout_desc = { .entryCount = 1, .entries = &entry };
    WGPUTextureDescriptor texture_desc = {
        .usage = WGPUTextureUsage_TextureBinding | WGPUTextureUsage_RenderAttachment,
        .dimension = WGPUTextureDimension_2D,
        .size = { 1, 1, 1 },
        .format = WGPUTextureFormat_RGBA8Unorm,
        .mipLevelCount = 1,
        .sampleCount = 1,
    };
    gpool__capture_begin(device, &device->seam);
    WGPUBindGroupLayout layout = gpu->DeviceCreateBindGroupLayout(device->device, &layout_desc);
    WGPUTexture texture = gpu->DeviceCreateTexture(device->device, &texture_desc);
    WGPUTextureView view = texture != NULL ? gpu->TextureCreateView(texture, NULL) : NULL;
    WGPUBindGroup group = NULL;
    if (layout != NULL && view != NULL) {
        WGPUBindGroupEntry bound = { .binding = 0, .textureView = view };
        WGPUBindGroupDescriptor group_desc = { .layout = layout,
                                               .entryCount = 1,
                                               .entries = &bound };
        group = gpu->DeviceCreateBindGroup(device->device, &group_desc);
    }
    gpool_result result = gpool__capture_end(device, &device->seam);
    if (group != NULL) {
        gpu->BindGroupRelease(group);
    } else if (result == GPOOL_OK) {
        result = GPOOL_ERROR_OUT_OF_GPU_MEMORY;
    }
    if (view != NULL) {
        gpu->TextureViewRelease(view);
    }
    if (texture != NULL) {
        gpu->TextureRelease(texture);
    }
    if (layout != NULL) {
        gpu->BindGroupLayoutRelease(layout);
    }
    if (result == GPOOL_OK) {
        return GPOOL_OK;
    }
    if (result != GPOOL_ERROR_GPU) {
        /* Neither memory nor a loss says anything about the header. */
        return gpool__fail(&device->log, gpool__capture_log_id(result, GPOOL_LOG_GPU_ERROR), result,
                           "The device failed while it was opened: %s", gpool_result_text(result));
    }
    return gpool__fail(&device->log, GPOOL_LOG_HEADER, GPOOL_ERROR_HEADER,
                       "The implementation does not number texture formats as the webgpu.h that "
                       "gpool was built for (SHA-256 %s): %s",
                       gpool_webgpu_header(), gpool__current()->error);
}

gpool_result gpool__device_probe(gpool_device *device)
{
    gpool_result result = probe_describe(device);
    if (result != GPOOL_OK) {
        return result;
    }
    probe_errors(device);
    result = probe_header(device);
    if (result != GPOOL_OK) {
        return result;
    }
    static const char *const families[] = { "unknown implementation", "wgpu-native", "Dawn" };
    gpool__note(&device->log, GPOOL_LOG_DEVICE, "Device \"%s\" on %s adapter [%s] through %s%s",
                device->info.label,
                device->info.adapter_type == WGPUAdapterType_CPU ? "the software" : "the",
                device->info.adapter, families[device->info.implementation],
                device->info.translated ? ", enumerations translated" : "");
    return GPOOL_OK;
}
