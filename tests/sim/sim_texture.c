/* Textures and views. */
#include "sim_state.h"

#include <stdlib.h>
#include <string.h>

#define TEXTURE_USAGES 0x3fu

void sim_level(const sim_texture *texture, uint32_t mip, uint32_t *width, uint32_t *height,
               uint32_t *layers)
{
    *width = texture->size.width >> mip;
    *height = texture->size.height >> mip;
    *layers = texture->size.depthOrArrayLayers;
    *width = *width > 0 ? *width : 1;
    *height = *height > 0 ? *height : 1;
    if (texture->dimension == WGPUTextureDimension_3D) {
        *layers >>= mip;
        *layers = *layers > 0 ? *layers : 1;
    }
}

/* Bytes of a row of blocks, and of a layer, of a level. */
static void texture_strides(const sim_texture *texture, uint32_t mip, size_t *row, size_t *layer)
{
    uint32_t width;
    uint32_t height;
    uint32_t layers;
    sim_level(texture, mip, &width, &height, &layers);
    const sim_format *facts = &texture->facts;
    *row = (size_t)((width + facts->block_width - 1u) / facts->block_width) * facts->block_bytes;
    *layer = *row * ((height + facts->block_height - 1u) / facts->block_height);
}

uint8_t *sim_texel(const sim_texture *texture, uint32_t mip, uint32_t x, uint32_t y, uint32_t z,
                   size_t *row, size_t *layer)
{
    texture_strides(texture, mip, row, layer);
    return texture->bytes + texture->mip_offset[mip] + z * *layer + y * *row +
           (size_t)x * texture->facts.block_bytes;
}

void sim_aspect(const sim_texture *texture, WGPUTextureAspect aspect, size_t *offset, size_t *bytes)
{
    const sim_format *facts = &texture->facts;
    *offset = 0;
    *bytes = facts->block_bytes;
    if (aspect == WGPUTextureAspect_DepthOnly) {
        *bytes = facts->depth_bytes;
    } else if (aspect == WGPUTextureAspect_StencilOnly) {
        *offset = facts->depth_bytes;
        *bytes = facts->stencil_bytes;
    }
}

static bool texture_has_feature(const sim_device *device, WGPUFeatureName feature)
{
    for (size_t i = 0; i < device->feature_count; ++i) {
        if (device->features[i] == feature) {
            return true;
        }
    }
    return feature == 0;
}

static uint32_t texture_most_mips(const WGPUTextureDescriptor *desc)
{
    uint32_t most = desc->size.width > desc->size.height ? desc->size.width : desc->size.height;
    if (desc->dimension == WGPUTextureDimension_3D && desc->size.depthOrArrayLayers > most) {
        most = desc->size.depthOrArrayLayers;
    }
    uint32_t mips = 0;
    for (; most > 0; most >>= 1) {
        mips += 1;
    }
    return desc->dimension == WGPUTextureDimension_1D ? 1 : mips;
}

static bool texture_check_size(const sim_device *device, const WGPUTextureDescriptor *desc,
                               sim_text *why)
{
    const WGPULimits *limits = &device->limits;
    const WGPUExtent3D *size = &desc->size;
    uint32_t most = desc->dimension == WGPUTextureDimension_1D   ? limits->maxTextureDimension1D
                    : desc->dimension == WGPUTextureDimension_3D ? limits->maxTextureDimension3D
                                                                 : limits->maxTextureDimension2D;
    uint32_t most_layers =
        desc->dimension == WGPUTextureDimension_3D ? most : limits->maxTextureArrayLayers;
    if (size->width == 0 || size->height == 0 || size->depthOrArrayLayers == 0) {
        return sim_say(why, "the size has a zero");
    }
    if (size->width > most || size->height > most || size->depthOrArrayLayers > most_layers ||
        (desc->dimension == WGPUTextureDimension_1D &&
         (size->height > 1 || size->depthOrArrayLayers > 1))) {
        return sim_say(why, "the size %u x %u x %u is over a limit", size->width, size->height,
                       size->depthOrArrayLayers);
    }
    if (desc->mipLevelCount == 0 || desc->mipLevelCount > texture_most_mips(desc) ||
        desc->mipLevelCount > SIM_MIPS) {
        return sim_say(why, "%u levels are not possible", desc->mipLevelCount);
    }
    return true;
}

static bool texture_check(const sim_device *device, const WGPUTextureDescriptor *desc,
                          const sim_format *facts, sim_text *why)
{
    if (desc->usage == 0 || (desc->usage & ~(WGPUTextureUsage)TEXTURE_USAGES) != 0) {
        return sim_say(why, "the usage 0x%llx is empty or unknown",
                       (unsigned long long)desc->usage);
    }
    if (facts->block_width == 0 || !texture_has_feature(device, facts->feature)) {
        return sim_say(why, "the format 0x%x is unknown or needs feature 0x%x",
                       (unsigned)desc->format, (unsigned)facts->feature);
    }
    if (!texture_check_size(device, desc, why)) {
        return false;
    }
    if (desc->size.width % facts->block_width != 0 ||
        desc->size.height % facts->block_height != 0) {
        return sim_say(why, "the size is no multiple of the format's block");
    }
    bool depth = facts->depth_bytes + facts->stencil_bytes > 0;
    bool target = (desc->usage & WGPUTextureUsage_RenderAttachment) != 0;
    if ((facts->block_width > 1 || depth) && desc->dimension != WGPUTextureDimension_2D &&
        !(facts->block_width > 1 && desc->dimension == WGPUTextureDimension_3D)) {
        return sim_say(why, "that format goes with 2D only");
    }
    if (facts->block_width > 1 && (desc->usage & (WGPUTextureUsage_RenderAttachment |
                                                  WGPUTextureUsage_StorageBinding)) != 0) {
        return sim_say(why, "a compressed format cannot be written by shaders");
    }
    if (target && desc->dimension == WGPUTextureDimension_1D) {
        return sim_say(why, "a 1D texture is no target");
    }
    if (desc->sampleCount != 1 &&
        (desc->sampleCount != 4 || desc->mipLevelCount != 1 || !target ||
         desc->size.depthOrArrayLayers != 1 || desc->dimension != WGPUTextureDimension_2D ||
         (desc->usage & WGPUTextureUsage_StorageBinding) != 0)) {
        return sim_say(why, "%u samples are not possible here", desc->sampleCount);
    }
    if ((desc->usage & WGPUTextureUsage_StorageBinding) != 0 && (depth || facts->srgb)) {
        return sim_say(why, "format 0x%x has no storage use", (unsigned)desc->format);
    }
    return desc->viewFormatCount <= 8 || sim_say(why, "more view formats than the simulator has");
}

/* Offsets of the levels; false when the bytes cannot be had. */
static bool texture_fill(sim_texture *texture)
{
    size_t total = 0;
    for (uint32_t mip = 0; mip < texture->mips; ++mip) {
        uint32_t width;
        uint32_t height;
        uint32_t layers;
        size_t row;
        size_t layer;
        sim_level(texture, mip, &width, &height, &layers);
        texture_strides(texture, mip, &row, &layer);
        texture->mip_offset[mip] = total;
        total += layer * layers;
    }
    texture->bytes = sim_bytes_new(texture->base.owner, total);
    texture->total = texture->bytes != NULL ? total : 0;
    return texture->bytes != NULL;
}

static sim_texture *texture_new(sim_call *call, sim_device *device,
                                const WGPUTextureDescriptor *desc)
{
    sim *s = call->sim;
    sim_text why;
    sim_format facts = sim_format_facts(desc->format);
    if (!sim_is_dawn(s) &&
        ((desc->usage & ~(WGPUTextureUsage)TEXTURE_USAGES) != 0 || facts.block_width == 0 ||
         !sim_known((uint32_t)desc->dimension, 3, true))) {
        sim_fatal(s, call->function, "unknown usage 0x%llx, format 0x%x or dimension %u",
                  (unsigned long long)desc->usage, (unsigned)desc->format,
                  (unsigned)desc->dimension);
        return NULL;
    }
    bool good = sim_create_good(call, device);
    bool dead = device->lost;
    WGPUTextureDescriptor full = *desc;
    full.dimension = full.dimension != 0 ? full.dimension : WGPUTextureDimension_2D;
    if (good && !dead && !texture_check(device, &full, &facts, &why)) {
        sim_error(device, WGPUErrorType_Validation, "Texture: %s", why.text);
        good = false;
    }
    sim_texture *texture =
        sim_object_new(s, SIM_KIND_TEXTURE, sizeof *texture, device, desc->label);
    texture->base.invalid = !good || dead;
    texture->usage = desc->usage;
    texture->dimension = full.dimension;
    texture->size = desc->size;
    texture->format = desc->format;
    texture->facts = facts;
    texture->mips = desc->mipLevelCount;
    texture->samples = desc->sampleCount;
    if (texture->base.invalid) {
        return texture;
    }
    texture->view_format_count = desc->viewFormatCount;
    for (size_t i = 0; i < desc->viewFormatCount; ++i) {
        texture->view_formats[i] = desc->viewFormats[i];
    }
    if (!texture_fill(texture)) {
        texture->base.invalid = true;
        sim_error_memory(device, call->function);
    }
    return texture;
}

static WGPUTexture texture_create(WGPUDevice handle, WGPUTextureDescriptor const *desc)
{
    sim_call call;
    WGPUTexture result = NULL;
    sim_device *device = sim_enter(&call, GPOOL_GPU_DeviceCreateTexture, handle, SIM_KIND_DEVICE);
    if (device != NULL && call.way != SIM_FAIL_NULL) {
        sim_texture *texture = texture_new(&call, device, desc);
        result = texture != NULL ? SIM_HANDLE(WGPUTexture, texture) : NULL;
    }
    sim_leave(&call);
    return result;
}

/* Fills what the descriptor leaves open. */
static void texture_resolve_view(const sim_texture *texture, const WGPUTextureViewDescriptor *desc,
                                 sim_view *view)
{
    static const WGPUTextureViewDescriptor whole = {
        .mipLevelCount = WGPU_MIP_LEVEL_COUNT_UNDEFINED,
        .arrayLayerCount = WGPU_ARRAY_LAYER_COUNT_UNDEFINED,
    };
    desc = desc != NULL ? desc : &whole;
    bool volume = texture->dimension == WGPUTextureDimension_3D;
    uint32_t layers = volume ? 1 : texture->size.depthOrArrayLayers;
    view->format = desc->format != 0 ? desc->format : texture->format;
    view->aspect = desc->aspect != 0 ? desc->aspect : WGPUTextureAspect_All;
    view->usage = desc->usage != 0 ? desc->usage : texture->usage;
    view->mip = desc->baseMipLevel;
    view->layer = desc->baseArrayLayer;
    view->dimension = desc->dimension;
    if (view->dimension == 0) {
        view->dimension = volume ? WGPUTextureViewDimension_3D
                          : texture->dimension == WGPUTextureDimension_1D
                              ? WGPUTextureViewDimension_1D
                          : layers > 1 ? WGPUTextureViewDimension_2DArray
                                       : WGPUTextureViewDimension_2D;
    }
    view->mips = desc->mipLevelCount;
    if (view->mips == WGPU_MIP_LEVEL_COUNT_UNDEFINED) {
        view->mips = view->mip < texture->mips ? texture->mips - view->mip : 0;
    }
    view->layers = desc->arrayLayerCount;
    if (view->layers == WGPU_ARRAY_LAYER_COUNT_UNDEFINED) {
        bool arrays = view->dimension == WGPUTextureViewDimension_2DArray ||
                      view->dimension == WGPUTextureViewDimension_CubeArray;
        view->layers = view->dimension == WGPUTextureViewDimension_Cube ? 6
                       : arrays ? (view->layer < layers ? layers - view->layer : 0)
                                : 1;
    }
}

static bool texture_check_view(const sim_texture *texture, const sim_view *view, sim_text *why)
{
    bool volume = texture->dimension == WGPUTextureDimension_3D;
    uint32_t layers = volume ? 1 : texture->size.depthOrArrayLayers;
    if (texture->base.invalid || texture->base.destroyed) {
        return sim_say(why, "the texture \"%s\" is invalid", texture->base.label);
    }
    if (!sim_known((uint32_t)view->dimension, 6, false) ||
        !sim_known((uint32_t)view->aspect, 3, false)) {
        return sim_say(why, "the dimension or aspect of the view is unknown");
    }
    if (view->mips == 0 || view->mip >= texture->mips || view->mips > texture->mips - view->mip ||
        view->layers == 0 || view->layer >= layers || view->layers > layers - view->layer) {
        return sim_say(why, "levels %u+%u or layers %u+%u lie outside the texture \"%s\"",
                       view->mip, view->mips, view->layer, view->layers, texture->base.label);
    }
    bool one_layer = view->dimension == WGPUTextureViewDimension_1D ||
                     view->dimension == WGPUTextureViewDimension_2D ||
                     view->dimension == WGPUTextureViewDimension_3D;
    bool cube = view->dimension == WGPUTextureViewDimension_Cube ||
                view->dimension == WGPUTextureViewDimension_CubeArray;
    if ((view->dimension == WGPUTextureViewDimension_3D) != volume ||
        (view->dimension == WGPUTextureViewDimension_1D) !=
            (texture->dimension == WGPUTextureDimension_1D) ||
        (one_layer && view->layers != 1) ||
        (cube && (view->layers % 6 != 0 || texture->size.width != texture->size.height ||
                  (view->dimension == WGPUTextureViewDimension_Cube && view->layers != 6)))) {
        return sim_say(why, "dimension %u does not go with %u layers of texture \"%s\"",
                       (unsigned)view->dimension, view->layers, texture->base.label);
    }
    size_t offset;
    size_t bytes;
    sim_aspect(texture, view->aspect, &offset, &bytes);
    if (bytes == 0) {
        return sim_say(why, "the texture \"%s\" lacks that aspect", texture->base.label);
    }
    bool same = view->format == texture->format;
    for (size_t i = 0; i < texture->view_format_count; ++i) {
        same = same || texture->view_formats[i] == view->format;
    }
    if (!same) {
        return sim_say(why, "the format 0x%x is none of texture \"%s\"", (unsigned)view->format,
                       texture->base.label);
    }
    return (view->usage & ~texture->usage) == 0 ||
           sim_say(why, "the usage of the view is not in that of \"%s\"", texture->base.label);
}

static WGPUTextureView texture_create_view(WGPUTexture handle,
                                           WGPUTextureViewDescriptor const *desc)
{
    sim_call call;
    sim_text why;
    WGPUTextureView result = NULL;
    sim_texture *texture = sim_enter(&call, GPOOL_GPU_TextureCreateView, handle, SIM_KIND_TEXTURE);
    if (texture != NULL && call.way != SIM_FAIL_NULL) {
        WGPUStringView none = { NULL, 0 };
        bool good = sim_create_good(&call, call.device);
        sim_view *view = sim_object_new(call.sim, SIM_KIND_TEXTURE_VIEW, sizeof *view, call.device,
                                        desc != NULL ? desc->label : none);
        texture_resolve_view(texture, desc, view);
        view->base.invalid = !good || texture->base.invalid;
        if (good && !texture_check_view(texture, view, &why)) {
            view->base.invalid = true;
            if (!(sim_is_dawn(call.sim) && texture->base.destroyed)) {
                sim_error(call.device, WGPUErrorType_Validation, "TextureView: %s", why.text);
            }
        }
        view->texture = texture;
        sim_hold(&texture->base);
        result = SIM_HANDLE(WGPUTextureView, view);
    }
    sim_leave(&call);
    return result;
}

#define TEXTURE_GETTER(type, name, value)                                                          \
    static type texture_get_##name(WGPUTexture handle)                                             \
    {                                                                                              \
        sim_call call;                                                                             \
        const sim_texture *texture =                                                               \
            sim_enter(&call, GPOOL_GPU_TextureGet##name, handle, SIM_KIND_TEXTURE);                \
        type result = texture != NULL ? texture->value : 0;                                        \
        sim_leave(&call);                                                                          \
        return result;                                                                             \
    }
TEXTURE_GETTER(uint32_t, Width, size.width)
TEXTURE_GETTER(uint32_t, Height, size.height)
TEXTURE_GETTER(uint32_t, DepthOrArrayLayers, size.depthOrArrayLayers)
TEXTURE_GETTER(uint32_t, MipLevelCount, mips)
TEXTURE_GETTER(uint32_t, SampleCount, samples)
TEXTURE_GETTER(WGPUTextureDimension, Dimension, dimension)
TEXTURE_GETTER(WGPUTextureFormat, Format, format)
TEXTURE_GETTER(WGPUTextureUsage, Usage, usage)

bool sim_read_texel(sim *s, WGPUTexture handle, uint32_t mip, uint32_t x, uint32_t y, uint32_t z,
                    void *target, size_t size)
{
    sim_text why;
    sim_lock();
    sim_texture *texture = (sim_texture *)sim_object_find(s, handle, SIM_KIND_TEXTURE, &why);
    bool good = texture != NULL && texture->bytes != NULL && mip < texture->mips &&
                size <= texture->facts.block_bytes;
    if (good) {
        uint32_t width;
        uint32_t height;
        uint32_t layers;
        size_t row;
        size_t layer;
        sim_level(texture, mip, &width, &height, &layers);
        good = x * texture->facts.block_width < width && y * texture->facts.block_height < height &&
               z < layers;
        if (good) {
            memcpy(target, sim_texel(texture, mip, x, y, z, &row, &layer), size);
        }
    }
    sim_unlock();
    return good;
}

void sim_table_texture(gpool_gpu *table)
{
    table->DeviceCreateTexture = texture_create;
    table->TextureCreateView = texture_create_view;
    table->TextureGetWidth = texture_get_Width;
    table->TextureGetHeight = texture_get_Height;
    table->TextureGetDepthOrArrayLayers = texture_get_DepthOrArrayLayers;
    table->TextureGetMipLevelCount = texture_get_MipLevelCount;
    table->TextureGetSampleCount = texture_get_SampleCount;
    table->TextureGetDimension = texture_get_Dimension;
    table->TextureGetFormat = texture_get_Format;
    table->TextureGetUsage = texture_get_Usage;
}
