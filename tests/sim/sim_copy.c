/* Texel copies: what is allowed, and the loops. */
#include "sim_state.h"

#include <string.h>

bool sim_check_place(const sim_texture *texture, const WGPUTexelCopyTextureInfo *info,
                     const WGPUExtent3D *extent, WGPUTextureUsage usage, sim_text *why)
{
    const char *label = texture->base.label;
    const sim_format *facts = &texture->facts;
    WGPUTextureAspect aspect = info->aspect != 0 ? info->aspect : WGPUTextureAspect_All;
    if (texture->base.invalid || texture->base.destroyed) {
        return sim_say(why, "the texture \"%s\" is invalid or destroyed", label);
    }
    if ((texture->usage & usage) == 0) {
        return sim_say(why, "the texture \"%s\" lacks usage 0x%llx", label,
                       (unsigned long long)usage);
    }
    if (info->mipLevel >= texture->mips || !sim_known((uint32_t)aspect, 3, false)) {
        return sim_say(why, "level %u or aspect %u of texture \"%s\" is not there", info->mipLevel,
                       (unsigned)aspect, label);
    }
    uint32_t width;
    uint32_t height;
    uint32_t layers;
    sim_level(texture, info->mipLevel, &width, &height, &layers);
    uint32_t bw = facts->block_width;
    uint32_t bh = facts->block_height;
    width = (width + bw - 1) / bw * bw;
    height = (height + bh - 1) / bh * bh;
    const WGPUOrigin3D *origin = &info->origin;
    if (origin->x > width || extent->width > width - origin->x || origin->y > height ||
        extent->height > height - origin->y || origin->z > layers ||
        extent->depthOrArrayLayers > layers - origin->z) {
        return sim_say(why, "%u x %u x %u at %u, %u, %u lies outside level %u of texture \"%s\"",
                       extent->width, extent->height, extent->depthOrArrayLayers, origin->x,
                       origin->y, origin->z, info->mipLevel, label);
    }
    if (origin->x % bw != 0 || origin->y % bh != 0 || extent->width % bw != 0 ||
        extent->height % bh != 0) {
        return sim_say(why, "origin or size is no multiple of the block of texture \"%s\"", label);
    }
    bool whole =
        origin->x == 0 && origin->y == 0 && extent->width == width && extent->height == height;
    if ((facts->depth_bytes + facts->stencil_bytes > 0 || texture->samples > 1) && !whole) {
        return sim_say(why, "of texture \"%s\" only whole levels can be copied", label);
    }
    size_t offset;
    size_t bytes;
    sim_aspect(texture, aspect, &offset, &bytes);
    return bytes > 0 || sim_say(why, "the texture \"%s\" lacks the aspect", label);
}

/* Bytes of a block in memory outside the texture; 0 = the aspect cannot be copied that way. */
static size_t copy_bytes(const sim_texture *texture, WGPUTextureAspect *aspect, bool to_texture)
{
    const sim_format *facts = &texture->facts;
    if (facts->depth_bytes + facts->stencil_bytes == 0) {
        return *aspect == WGPUTextureAspect_All ? facts->block_bytes : 0;
    }
    if (*aspect == WGPUTextureAspect_All) {
        if (facts->depth_bytes > 0 && facts->stencil_bytes > 0) {
            return 0;
        }
        *aspect =
            facts->depth_bytes > 0 ? WGPUTextureAspect_DepthOnly : WGPUTextureAspect_StencilOnly;
    }
    if (*aspect == WGPUTextureAspect_StencilOnly) {
        return facts->stencil_bytes;
    }
    switch (texture->format) {
    case WGPUTextureFormat_Depth16Unorm:
        return 2;
    case WGPUTextureFormat_Depth32Float:
    case WGPUTextureFormat_Depth32FloatStencil8:
        return to_texture ? 0 : 4;
    default:
        return 0;
    }
}

bool sim_check_rows(const sim_texture *texture, const WGPUTexelCopyTextureInfo *info,
                    const WGPUExtent3D *extent, const WGPUTexelCopyBufferLayout *layout,
                    uint64_t size, bool write, bool to_texture, sim_rows *rows, sim_text *why)
{
    WGPUTextureAspect aspect = info->aspect != 0 ? info->aspect : WGPUTextureAspect_All;
    size_t bytes = copy_bytes(texture, &aspect, to_texture);
    if (bytes == 0 || texture->samples > 1) {
        return sim_say(why, "that aspect of texture \"%s\" cannot be copied so",
                       texture->base.label);
    }
    uint64_t blocks = extent->width / texture->facts.block_width;
    uint64_t height = extent->height / texture->facts.block_height;
    uint64_t layers = extent->depthOrArrayLayers;
    uint64_t last = blocks * bytes;
    uint64_t row = layout->bytesPerRow;
    bool depth = texture->facts.depth_bytes + texture->facts.stencil_bytes > 0;
    if (row == WGPU_COPY_STRIDE_UNDEFINED) {
        if (height > 1 || layers > 1) {
            return sim_say(why, "bytesPerRow is not given");
        }
        row = last;
    } else if (row < last || (!write && row % 256 != 0)) {
        return sim_say(why, "bytesPerRow %llu is too small or no multiple of 256",
                       (unsigned long long)row);
    }
    uint64_t image = layout->rowsPerImage;
    if (image == WGPU_COPY_STRIDE_UNDEFINED) {
        if (layers > 1) {
            return sim_say(why, "rowsPerImage is not given");
        }
        image = height;
    } else if (image < height) {
        return sim_say(why, "rowsPerImage %llu is too small", (unsigned long long)image);
    }
    if (!write && layout->offset % (depth ? 4 : bytes) != 0) {
        return sim_say(why, "the offset %llu is not aligned", (unsigned long long)layout->offset);
    }
    uint64_t needed = 0;
    if (blocks > 0 && height > 0 && layers > 0) {
        needed = (layers - 1) * image * row + (height - 1) * row + last;
    }
    if (layout->offset > size || needed > size - layout->offset) {
        return sim_say(why, "%llu bytes at %llu are needed, there are %llu",
                       (unsigned long long)needed, (unsigned long long)layout->offset,
                       (unsigned long long)size);
    }
    *rows = (sim_rows){ .offset = layout->offset, .row_bytes = row, .rows_per_image = image };
    return true;
}

void sim_copy_rows(uint8_t *bytes, const sim_rows *rows, const sim_place *place,
                   const WGPUExtent3D *extent, bool to_texture)
{
    const sim_texture *texture = place->texture;
    WGPUTextureAspect aspect = place->aspect;
    size_t block = copy_bytes(texture, &aspect, to_texture);
    size_t inside;
    size_t ignored;
    sim_aspect(texture, aspect, &inside, &ignored);
    uint32_t columns = extent->width / texture->facts.block_width;
    uint32_t lines = extent->height / texture->facts.block_height;
    size_t stride = texture->facts.block_bytes;
    for (uint32_t z = 0; z < extent->depthOrArrayLayers; ++z) {
        for (uint32_t y = 0; y < lines; ++y) {
            size_t row;
            size_t layer;
            uint8_t *texel =
                sim_texel(texture, place->mip, place->origin.x / texture->facts.block_width,
                          place->origin.y / texture->facts.block_height + y, place->origin.z + z,
                          &row, &layer) +
                inside;
            uint8_t *outside =
                bytes + rows->offset + (z * rows->rows_per_image + y) * rows->row_bytes;
            if (stride == block) {
                (void)(to_texture ? memcpy(texel, outside, columns * block)
                                  : memcpy(outside, texel, columns * block));
                continue;
            }
            for (uint32_t x = 0; x < columns; ++x) {
                (void)(to_texture ? memcpy(texel + x * stride, outside + x * block, block)
                                  : memcpy(outside + x * block, texel + x * stride, block));
            }
        }
    }
}
