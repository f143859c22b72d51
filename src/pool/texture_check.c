/*
 * What a texture may be: rules between format, extent, dimension, usage and samples, and what follows
 * from them.
 */
#include "pool/texture_state.h"

#include "gpu/format.h"

/* Usages through which commands change texels. */
#define TEXTURE_WRITTEN                                                                            \
    ((gpool_texture_usage)(GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_STORAGE |                          \
                           GPOOL_TEXTURE_COPY_TARGET))

bool gpool__texture_keeps_content(const gpool__texture *texture)
{
    gpool__format facts = gpool__format_facts(texture->format);
    return texture->samples == 1 && !facts.depth && !facts.stencil;
}

WGPUTextureUsage gpool__texture_gpu_usage(const gpool__texture *texture)
{
    WGPUTextureUsage gpu = 0;
    gpool_texture_usage usage = texture->usage;
    gpu |= (usage & GPOOL_TEXTURE_SAMPLED) != 0 ? WGPUTextureUsage_TextureBinding : 0;
    gpu |= (usage & GPOOL_TEXTURE_STORAGE) != 0 ? WGPUTextureUsage_StorageBinding : 0;
    gpu |= (usage & GPOOL_TEXTURE_TARGET) != 0 ? WGPUTextureUsage_RenderAttachment : 0;
    gpu |= (usage & (GPOOL_TEXTURE_READ_BACK | GPOOL_TEXTURE_COPY_SOURCE)) != 0
               ? WGPUTextureUsage_CopySrc
               : 0;
    gpu |= (usage & GPOOL_TEXTURE_COPY_TARGET) != 0 ? WGPUTextureUsage_CopyDst : 0;
    if (texture->samples == 1) {
        gpu |= WGPUTextureUsage_CopyDst;
    }
    if (gpool__texture_keeps_content(texture)) {
        gpu |= WGPUTextureUsage_CopySrc;
    }
    return gpu;
}

static uint32_t texture_level_extent(uint32_t extent, uint32_t level)
{
    uint32_t reduced = level < 32 ? extent >> level : 0;
    return reduced > 0 ? reduced : 1;
}

void gpool__texture_level(const gpool__texture *texture, uint32_t level, uint32_t *width,
                          uint32_t *height, uint32_t *depth)
{
    *width = texture_level_extent(texture->width, level);
    *height = texture->dimension == WGPUTextureDimension_1D
                  ? texture->height
                  : texture_level_extent(texture->height, level);
    *depth = texture->dimension == WGPUTextureDimension_3D
                 ? texture_level_extent(texture->depth_or_layers, level)
                 : texture->depth_or_layers;
}

uint64_t gpool__texture_count_bytes(const gpool__texture *texture)
{
    gpool__format facts = gpool__format_facts(texture->format);
    uint64_t bytes = 0;
    for (uint32_t level = 0; level < texture->mip_levels; ++level) {
        uint32_t width, height, depth;
        gpool__texture_level(texture, level, &width, &height, &depth);
        uint64_t columns = ((uint64_t)width + facts.block_width - 1) / facts.block_width;
        uint64_t rows = ((uint64_t)height + facts.block_height - 1) / facts.block_height;
        bytes += columns * rows * depth * facts.block_bytes;
    }
    return bytes * texture->samples;
}

uint32_t gpool__texture_max_levels(const gpool__texture *texture)
{
    uint32_t largest = texture->width;
    if (texture->dimension != WGPUTextureDimension_1D) {
        largest = (uint32_t)gpool__max(largest, texture->height);
    }
    if (texture->dimension == WGPUTextureDimension_3D) {
        largest = (uint32_t)gpool__max(largest, texture->depth_or_layers);
    }
    uint32_t levels = texture->dimension == WGPUTextureDimension_1D ? 1 : 0;
    while (levels == 0 || (texture->dimension != WGPUTextureDimension_1D && levels < 32 &&
                           largest >> levels > 0)) {
        levels += 1;
    }
    return levels;
}

gpool_result gpool__texture_check_extent(gpool *pool, const gpool__texture *texture,
                                         const char *label)
{
    const WGPULimits *limits = &pool->device->info.limits;
    gpool__format facts = gpool__format_facts(texture->format);
    if (texture->width == 0 || texture->height == 0 || texture->depth_or_layers == 0) {
        return GPOOL__FAIL(pool, RANGE, OUT_OF_RANGE,
                           "The extent [%u x %u x %u] of texture \"%s\" is empty", texture->width,
                           texture->height, texture->depth_or_layers, label);
    }
    uint32_t plane = limits->maxTextureDimension2D;
    uint32_t deep = limits->maxTextureArrayLayers;
    if (texture->dimension == WGPUTextureDimension_1D) {
        plane = limits->maxTextureDimension1D;
        deep = 1;
    } else if (texture->dimension == WGPUTextureDimension_3D) {
        plane = limits->maxTextureDimension3D;
        deep = plane;
    }
    uint32_t tall = texture->dimension == WGPUTextureDimension_1D ? 1 : plane;
    if (texture->width > plane || texture->height > tall || texture->depth_or_layers > deep) {
        return GPOOL__FAIL(pool, LIMIT, LIMIT,
                           "The extent [%u x %u x %u] of texture \"%s\" is over the device's limit "
                           "[%u x %u x %u]",
                           texture->width, texture->height, texture->depth_or_layers, label, plane,
                           tall, deep);
    }
    if (texture->width % facts.block_width != 0 || texture->height % facts.block_height != 0) {
        return GPOOL__FAIL(pool, ALIGNMENT, MISALIGNED,
                           "The extent [%u x %u] of texture \"%s\" is no multiple of its format's "
                           "blocks [%u x %u]",
                           texture->width, texture->height, label, facts.block_width,
                           facts.block_height);
    }
    return GPOOL_OK;
}

/* Rules between format, dimension, usage and samples that the implementation would refuse late. */
gpool_result gpool__texture_check_kind(gpool *pool, const gpool__texture *texture,
                                       const char *label)
{
    gpool__format facts = gpool__format_facts(texture->format);
    bool flat = texture->dimension == WGPUTextureDimension_2D;
    bool special = facts.depth || facts.stencil || facts.block_width > 1;
    if (facts.feature != 0 && !gpool_device_has_feature(pool->device, facts.feature)) {
        return GPOOL__FAIL(pool, UNSUPPORTED, UNSUPPORTED,
                           "The format [0x%x] of texture \"%s\" needs feature [0x%x], which the "
                           "device was not opened with",
                           (unsigned)texture->format, label, (unsigned)facts.feature);
    }
    if (texture->samples != 1 && texture->samples != 4) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "The sample count [%u] of texture \"%s\" is neither 1 nor 4",
                           texture->samples, label);
    }
    if (texture->samples > 1 &&
        (!flat || texture->mip_levels != 1 || texture->depth_or_layers != 1 ||
         (texture->usage & GPOOL_TEXTURE_TARGET) == 0 ||
         (texture->usage & (GPOOL_TEXTURE_STORAGE | GPOOL_TEXTURE_READ_BACK)) != 0)) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "The multisampled texture \"%s\" must be a 2D TARGET with 1 level and 1 "
                           "layer, without STORAGE and READ_BACK",
                           label);
    }
    if (!flat && (special || (texture->usage & GPOOL_TEXTURE_TARGET) != 0) &&
        !(texture->dimension == WGPUTextureDimension_3D && !special)) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "The texture \"%s\" of dimension [%d] cannot have format [0x%x] or be a "
                           "TARGET",
                           label, (int)texture->dimension, (unsigned)texture->format);
    }
    if (texture->mip_levels > gpool__texture_max_levels(texture)) {
        return GPOOL__FAIL(pool, LIMIT, LIMIT,
                           "The mip level count [%u] of texture \"%s\" is over [%u]",
                           texture->mip_levels, label, gpool__texture_max_levels(texture));
    }
    return GPOOL_OK;
}

/* A shadow must stay what the GPU has: only gpool_texture_write() may change it. */
static gpool_result texture_check_shadow(gpool *pool, const gpool__texture *texture,
                                         const char *label)
{
    if ((texture->usage & TEXTURE_WRITTEN) != 0) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "Texture \"%s\" with usage [0x%x] cannot keep a shadow: commands write "
                           "through TARGET, STORAGE and COPY_TARGET",
                           label, texture->usage);
    }
    gpool__format facts = gpool__format_facts(texture->format);
    if (gpool__format_copy_bytes(facts, WGPUTextureAspect_All, true) == 0) {
        return GPOOL__FAIL(pool, UNSUPPORTED, UNSUPPORTED,
                           "The format [0x%x] of texture \"%s\" cannot be written from a shadow",
                           (unsigned)texture->format, label);
    }
    return GPOOL_OK;
}

gpool_result gpool__texture_resolve_desc(gpool *pool, const gpool_texture_desc *desc,
                                         gpool__texture *texture)
{
    if (desc == NULL) {
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT, "The descriptor [NULL] is null");
    }
    const char *label = desc->label != NULL ? desc->label : "";
    if (gpool__format_facts(desc->format).block_width == 0 ||
        !gpool__is_enum((unsigned)desc->dimension, WGPUTextureDimension_3D, true) ||
        (desc->usage & ~GPOOL__TEXTURE_USAGES) != 0 || (unsigned)desc->keep > GPOOL_KEEP_DROP) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "Format [0x%x], dimension [%d], usage [0x%x] or keep policy [%d] of "
                           "texture \"%s\" is unknown",
                           (unsigned)desc->format, (int)desc->dimension, desc->usage,
                           (int)desc->keep, label);
    }
    if (desc->usage == 0) {
        return GPOOL__FAIL(pool, USAGE, MISSING_USAGE, "The usage [0] of texture \"%s\" is empty",
                           label);
    }
    texture->width = desc->width;
    texture->height = desc->height != 0 ? desc->height : 1;
    texture->depth_or_layers = desc->depth_or_layers != 0 ? desc->depth_or_layers : 1;
    texture->dimension = desc->dimension != 0 ? desc->dimension : WGPUTextureDimension_2D;
    texture->format = desc->format;
    texture->samples = desc->samples != 0 ? desc->samples : 1;
    texture->usage = desc->usage;
    texture->mip_levels = desc->mip_levels == UINT32_MAX ? gpool__texture_max_levels(texture)
                          : desc->mip_levels != 0        ? desc->mip_levels
                                                         : 1;
    gpool_result result = gpool__texture_check_extent(pool, texture, label);
    if (result == GPOOL_OK) {
        result = gpool__texture_check_kind(pool, texture, label);
    }
    return result == GPOOL_OK && desc->keep == GPOOL_KEEP_SHADOW
               ? texture_check_shadow(pool, texture, label)
               : result;
}
