/*
 * Translation for one Dawn build of June 2025, told by the hash of its file. Its structures are
 * those of our webgpu.h, but two enumerations were renumbered afterwards: WGPUTextureFormat from
 * R16Unorm on, and WGPUFeatureName. Functions that carry one of them are wrapped; descriptors are
 * copied, changed in the copy, and handed on.
 *
 * The real functions are kept in one static table. That is no state of ours: a library is loaded
 * once in a process and never unloaded, and the table is written with the same values each time.
 */
#include "gpu/quirks_dawn.h"

#include "base/hash.h"
#include "base/thread.h"
#include "gpu/library.h"
#include "gpu/quirks.h"

#include <string.h>

#define DAWN_MAX_TARGETS        8
#define DAWN_MAX_VIEW_FORMATS   16
#define DAWN_MAX_FEATURES       128
#define DAWN_MAX_LAYOUT_ENTRIES 64

static gpool_gpu dawn_real;
static gpool__mutex dawn_lock = GPOOL__MUTEX_INIT;

static WGPUTextureFormat dawn_format_to(WGPUTextureFormat format)
{
    uint32_t f = (uint32_t)format;
    switch (f) {
    case 0x05:
        return (WGPUTextureFormat)0x50000; /* R16Unorm */
    case 0x06:
        return (WGPUTextureFormat)0x50003; /* R16Snorm */
    case 0x11:
        return (WGPUTextureFormat)0x50001; /* RG16Unorm */
    case 0x12:
        return (WGPUTextureFormat)0x50004; /* RG16Snorm */
    case 0x24:
        return (WGPUTextureFormat)0x50002; /* RGBA16Unorm */
    case 0x25:
        return (WGPUTextureFormat)0x50005; /* RGBA16Snorm */
    default:
        break;
    }
    uint32_t shift = f >= 0x26 ? 6 : f >= 0x13 ? 4 : f >= 0x07 ? 2 : 0;
    return (WGPUTextureFormat)(f > 0x65 ? f : f - shift);
}

static WGPUTextureFormat dawn_format_from(WGPUTextureFormat format)
{
    /* 0x65 values: searching them is simpler than a second table that could disagree. */
    for (uint32_t f = 0; f <= 0x65; ++f) {
        if (dawn_format_to((WGPUTextureFormat)f) == format) {
            return (WGPUTextureFormat)f;
        }
    }
    return format;
}

static WGPUFeatureName dawn_feature_to(WGPUFeatureName feature)
{
    uint32_t f = (uint32_t)feature;
    switch (f) {
    case 0x01:
        return (WGPUFeatureName)0x12; /* CoreFeaturesAndLimits */
    case 0x09:
        return (WGPUFeatureName)0x03; /* TimestampQuery */
    case 0x13:
        return (WGPUFeatureName)0x5003a; /* TextureFormatsTier1 */
    case 0x14:
    case 0x15:
    case 0x16:
        return (WGPUFeatureName)0x7ffffffe; /* not in this build */
    default:
        break;
    }
    if (f == 0x02 || f == 0x03 || (f >= 0x0a && f <= 0x12)) {
        return (WGPUFeatureName)(f - 1);
    }
    return feature;
}

static WGPUFeatureName dawn_feature_from(WGPUFeatureName feature)
{
    for (uint32_t f = 1; f <= 0x13; ++f) {
        if (dawn_feature_to((WGPUFeatureName)f) == feature) {
            return (WGPUFeatureName)f;
        }
    }
    return feature;
}

static void dawn_features_from(WGPUSupportedFeatures *features)
{
    /* The list is heap memory that the library made for the caller, so writing to it is sound. */
    WGPUFeatureName *names = NULL;
    memcpy(&names, &features->features, sizeof names);
    for (size_t i = 0; i < features->featureCount; ++i) {
        names[i] = dawn_feature_from(names[i]);
    }
}

static void dawn_AdapterGetFeatures(WGPUAdapter adapter, WGPUSupportedFeatures *features)
{
    dawn_real.AdapterGetFeatures(adapter, features);
    dawn_features_from(features);
}

static void dawn_DeviceGetFeatures(WGPUDevice device, WGPUSupportedFeatures *features)
{
    dawn_real.DeviceGetFeatures(device, features);
    dawn_features_from(features);
}

static WGPUBool dawn_AdapterHasFeature(WGPUAdapter adapter, WGPUFeatureName feature)
{
    return dawn_real.AdapterHasFeature(adapter, dawn_feature_to(feature));
}

static WGPUBool dawn_DeviceHasFeature(WGPUDevice device, WGPUFeatureName feature)
{
    return dawn_real.DeviceHasFeature(device, dawn_feature_to(feature));
}

static WGPUFuture dawn_AdapterRequestDevice(WGPUAdapter adapter,
                                            WGPUDeviceDescriptor const *descriptor,
                                            WGPURequestDeviceCallbackInfo callbackInfo)
{
    if (descriptor == NULL || descriptor->requiredFeatureCount > DAWN_MAX_FEATURES) {
        return dawn_real.AdapterRequestDevice(adapter, descriptor, callbackInfo);
    }
    WGPUFeatureName features[DAWN_MAX_FEATURES];
    for (size_t i = 0; i < descriptor->requiredFeatureCount; ++i) {
        features[i] = dawn_feature_to(descriptor->requiredFeatures[i]);
    }
    WGPUDeviceDescriptor copy = *descriptor;
    copy.requiredFeatures = features;
    return dawn_real.AdapterRequestDevice(adapter, &copy, callbackInfo);
}

static WGPUTexture dawn_DeviceCreateTexture(WGPUDevice device,
                                            WGPUTextureDescriptor const *descriptor)
{
    WGPUTextureDescriptor copy = *descriptor;
    WGPUTextureFormat formats[DAWN_MAX_VIEW_FORMATS];
    copy.format = dawn_format_to(copy.format);
    if (copy.viewFormatCount <= DAWN_MAX_VIEW_FORMATS) {
        for (size_t i = 0; i < copy.viewFormatCount; ++i) {
            formats[i] = dawn_format_to(copy.viewFormats[i]);
        }
        copy.viewFormats = formats;
    }
    return dawn_real.DeviceCreateTexture(device, &copy);
}

static WGPUTextureView dawn_TextureCreateView(WGPUTexture texture,
                                              WGPUTextureViewDescriptor const *descriptor)
{
    if (descriptor == NULL) {
        return dawn_real.TextureCreateView(texture, NULL);
    }
    WGPUTextureViewDescriptor copy = *descriptor;
    copy.format = dawn_format_to(copy.format);
    return dawn_real.TextureCreateView(texture, &copy);
}

static WGPUTextureFormat dawn_TextureGetFormat(WGPUTexture texture)
{
    return dawn_format_from(dawn_real.TextureGetFormat(texture));
}

static WGPUBindGroupLayout dawn_DeviceCreateBindGroupLayout(
    WGPUDevice device, WGPUBindGroupLayoutDescriptor const *descriptor)
{
    if (descriptor->entryCount > DAWN_MAX_LAYOUT_ENTRIES) {
        return dawn_real.DeviceCreateBindGroupLayout(device, descriptor);
    }
    WGPUBindGroupLayoutEntry entries[DAWN_MAX_LAYOUT_ENTRIES];
    for (size_t i = 0; i < descriptor->entryCount; ++i) {
        entries[i] = descriptor->entries[i];
        entries[i].storageTexture.format = dawn_format_to(entries[i].storageTexture.format);
    }
    WGPUBindGroupLayoutDescriptor copy = *descriptor;
    copy.entries = entries;
    return dawn_real.DeviceCreateBindGroupLayout(device, &copy);
}

static WGPURenderPipeline dawn_DeviceCreateRenderPipeline(
    WGPUDevice device, WGPURenderPipelineDescriptor const *descriptor)
{
    WGPURenderPipelineDescriptor copy = *descriptor;
    WGPUDepthStencilState depth;
    WGPUFragmentState fragment;
    WGPUColorTargetState targets[DAWN_MAX_TARGETS];
    if (descriptor->depthStencil != NULL) {
        depth = *descriptor->depthStencil;
        depth.format = dawn_format_to(depth.format);
        copy.depthStencil = &depth;
    }
    if (descriptor->fragment != NULL && descriptor->fragment->targetCount <= DAWN_MAX_TARGETS) {
        fragment = *descriptor->fragment;
        for (size_t i = 0; i < fragment.targetCount; ++i) {
            targets[i] = fragment.targets[i];
            targets[i].format = dawn_format_to(targets[i].format);
        }
        fragment.targets = targets;
        copy.fragment = &fragment;
    }
    return dawn_real.DeviceCreateRenderPipeline(device, &copy);
}

/* The build is ours when the file has the known size and hash; hashing 20 MB takes a few milliseconds. */
static bool dawn_is_known_build(const gpool_gpu *table)
{
    if (table->GetVersion != NULL || table->DeviceTick == NULL) {
        return false;
    }
    char path[4096];
    return gpool__library_path((gpool__symbol)table->CreateInstance, path, sizeof path) &&
           gpool__hash_file(path, GPOOL__DAWN_SIZE) == GPOOL__DAWN_HASH;
}

bool gpool__quirks_dawn_translated(const gpool_gpu *table)
{
    return table->DeviceCreateTexture == dawn_DeviceCreateTexture;
}

bool gpool__quirks_dawn_translate(gpool_gpu *table)
{
    if (gpool__quirks_dawn_translated(table)) {
        return true;
    }
    gpool__mutex_lock(&dawn_lock);
    bool known = dawn_real.CreateInstance == table->CreateInstance || dawn_is_known_build(table);
    /* Written once: a table given later may be a wrapped one, whose entries are not the real ones. */
    if (known && dawn_real.CreateInstance == NULL) {
        dawn_real = *table;
    }
    gpool__mutex_unlock(&dawn_lock);
    if (!known) {
        return false;
    }
#define DAWN_REPLACE(name)                                                                         \
    if (table->name != NULL && table->name == dawn_real.name) {                                    \
        table->name = dawn_##name;                                                                 \
    }
    DAWN_REPLACE(AdapterGetFeatures)
    DAWN_REPLACE(AdapterHasFeature)
    DAWN_REPLACE(AdapterRequestDevice)
    DAWN_REPLACE(DeviceGetFeatures)
    DAWN_REPLACE(DeviceHasFeature)
    DAWN_REPLACE(DeviceCreateTexture)
    DAWN_REPLACE(DeviceCreateBindGroupLayout)
    DAWN_REPLACE(DeviceCreateRenderPipeline)
    DAWN_REPLACE(TextureCreateView)
    DAWN_REPLACE(TextureGetFormat)
#undef DAWN_REPLACE
    /* Surfaces carry formats both ways and are not tested with this build. */
    table->InstanceCreateSurface = NULL;
    table->SurfaceConfigure = NULL;
    table->SurfaceGetCapabilities = NULL;
    table->SurfaceGetCurrentTexture = NULL;
    return true;
}
