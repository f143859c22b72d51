/*
 * Regions of textures: checked, written from memory, read back.
 */
#include "pool/make.h"
#include "pool/read_part.h"
#include "pool/texture_state.h"

#include "gpu/format.h"

/* True when a use may name this aspect of a texture. Bytes of a block in memory, 1 for COPY. */
static uint32_t part_block_bytes(const gpool__texture *texture, gpool__format facts,
                                 WGPUTextureAspect aspect, gpool__part_use use)
{
    if (use != GPOOL__PART_COPY) {
        bool write = use == GPOOL__PART_WRITE;
        return texture->samples > 1 ? 0 : gpool__format_copy_bytes(facts, aspect, write);
    }
    /* Copies between textures take all aspects at once. */
    bool all = aspect == WGPUTextureAspect_All ||
               (aspect == WGPUTextureAspect_DepthOnly && facts.depth && !facts.stencil) ||
               (aspect == WGPUTextureAspect_StencilOnly && facts.stencil && !facts.depth);
    return all ? 1 : 0;
}

/* Texels up to the end of the last block; blocks of ASTC are no powers of two. */
static uint64_t part_edge(uint64_t extent, uint64_t block)
{
    return (extent + block - 1) / block * block;
}

gpool_result gpool__texture_resolve_part(gpool *pool, const gpool__texture *texture,
                                         const gpool_texture_region *region, gpool__part_use use,
                                         gpool__texture_part *part)
{
    static const gpool_texture_region whole = { 0 };
    bool all = region == NULL;
    if (all) {
        region = &whole;
    }
    const char *label = texture->base.label;
    gpool__format facts = gpool__format_facts(texture->format);
    if (!gpool__is_enum((unsigned)region->aspect, WGPUTextureAspect_DepthOnly, true)) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "The aspect [%d] for texture \"%s\" is unknown", (int)region->aspect,
                           label);
    }
    WGPUTextureAspect aspect = region->aspect != 0 ? region->aspect : WGPUTextureAspect_All;
    uint32_t block_bytes = part_block_bytes(texture, facts, aspect, use);
    if (block_bytes == 0) {
        static const char *const uses[] = { "read", "written", "copied alone" };
        return GPOOL__FAIL(pool, UNSUPPORTED, UNSUPPORTED,
                           "Aspect [%d] of texture \"%s\" (format 0x%x, %u samples) cannot be %s",
                           (int)aspect, label, (unsigned)texture->format, texture->samples,
                           uses[use]);
    }
    uint32_t width = 0;
    uint32_t height = 0;
    uint32_t depth = 0;
    if (region->mip_level < texture->mip_levels) {
        gpool__texture_level(texture, region->mip_level, &width, &height, &depth);
    }
    *part = (gpool__texture_part){
        .level = region->mip_level,
        .x = region->x,
        .y = region->y,
        .z = region->z,
        .width =
            region->width != 0 ? region->width : width - (uint32_t)gpool__min(region->x, width),
        .height =
            region->height != 0 ? region->height : height - (uint32_t)gpool__min(region->y, height),
        .depth = region->depth != 0 ? region->depth : (all ? depth : 1),
        .aspect = aspect,
    };
    /* Blocks at the edge are whole in memory and may be named whole. */
    uint64_t edge_x = part_edge(width, facts.block_width);
    uint64_t edge_y = part_edge(height, facts.block_height);
    if (width == 0 || part->width == 0 || part->height == 0 ||
        !gpool__range_inside(part->x, part->width, edge_x) ||
        !gpool__range_inside(part->y, part->height, edge_y) ||
        !gpool__range_inside(part->z, part->depth, depth)) {
        return GPOOL__FAIL(pool, RANGE, OUT_OF_RANGE,
                           "The region [%u+%u, %u+%u, %u+%u of level %u] lies outside texture "
                           "\"%s\" [%u x %u x %u, %u levels]",
                           part->x, part->width, part->y, part->height, part->z, part->depth,
                           part->level, label, width, height, depth, texture->mip_levels);
    }
    bool to_right = part->x + part->width == width;
    bool to_bottom = part->y + part->height == height;
    if (part->x % facts.block_width != 0 || part->y % facts.block_height != 0 ||
        (part->width % facts.block_width != 0 && !to_right) ||
        (part->height % facts.block_height != 0 && !to_bottom)) {
        return GPOOL__FAIL(pool, ALIGNMENT, MISALIGNED,
                           "The region [%u+%u, %u+%u] of texture \"%s\" cuts blocks of [%u x %u]",
                           part->x, part->width, part->y, part->height, label, facts.block_width,
                           facts.block_height);
    }
    if ((facts.depth || facts.stencil || texture->samples > 1) &&
        (part->x != 0 || part->y != 0 || part->width != width || part->height != height)) {
        return GPOOL__FAIL(pool, UNSUPPORTED, UNSUPPORTED,
                           "The depth-stencil or multisampled texture \"%s\" is copied whole, not "
                           "in part",
                           label);
    }
    uint32_t columns = (part->width + facts.block_width - 1) / facts.block_width;
    part->row_bytes = columns * block_bytes;
    part->row_count = (part->height + facts.block_height - 1) / facts.block_height;
    /* Copies name the extent rounded up to blocks. */
    part->width = columns * facts.block_width;
    part->height = part->row_count * facts.block_height;
    return GPOOL_OK;
}

gpool_result gpool__texture_check_data(gpool *pool, const gpool__texture *texture,
                                       const gpool__texture_part *part, size_t data_size,
                                       uint32_t bytes_per_row)
{
    uint64_t stride = bytes_per_row != 0 ? bytes_per_row : part->row_bytes;
    if (stride < part->row_bytes) {
        return GPOOL__FAIL(pool, ALIGNMENT, MISALIGNED,
                           "The stride [%u] is below a row of [%u] bytes of texture \"%s\"",
                           bytes_per_row, part->row_bytes, texture->base.label);
    }
    /* At most 2^32 x 2^14 x 2^14: no overflow. */
    uint64_t rows = (uint64_t)part->row_count * part->depth;
    uint64_t needed = stride * (rows - 1) + part->row_bytes;
    if (needed > data_size) {
        return GPOOL__FAIL(pool, RANGE, OUT_OF_RANGE,
                           "The data of [%llu] bytes for texture \"%s\" is short of [%llu]",
                           (unsigned long long)data_size, texture->base.label,
                           (unsigned long long)needed);
    }
    return GPOOL_OK;
}

gpool_result gpool__texture_send(gpool *pool, gpool__texture *texture,
                                 const gpool__texture_part *part, const void *data,
                                 uint32_t bytes_per_row)
{
    uint64_t stride = bytes_per_row != 0 ? bytes_per_row : part->row_bytes;
    uint64_t rows = (uint64_t)part->row_count * part->depth;
    WGPUTexelCopyTextureInfo target = {
        .texture = texture->gpu,
        .mipLevel = part->level,
        .origin = { part->x, part->y, part->z },
        .aspect = part->aspect,
    };
    WGPUTexelCopyBufferLayout layout = {
        .bytesPerRow = (uint32_t)stride,
        .rowsPerImage = part->row_count,
    };
    WGPUExtent3D extent = { part->width, part->height, part->depth };
    bool replaces = gpool__recycle_is_replaced(pool, texture, part);
    gpool_result result = replaces ? GPOOL_OK : gpool__recycle_settle(pool, texture);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__capture_begin(pool->device, &pool->seam);
    GPOOL__GPU(&pool->seam, QueueWriteTexture)
    (pool->device->queue, &target, data, (size_t)(stride * (rows - 1) + part->row_bytes), &layout,
     &extent);
    result = gpool__capture_end(pool->device, &pool->seam);
    if (result != GPOOL_OK) {
        return gpool__fail_gpu(pool, result, "Write to texture", texture->base.label);
    }
    if (replaces) {
        gpool__recycle_forget(pool, &texture->base);
    }
    uint64_t bytes = part->row_bytes * rows;
    pool->queue_dirty = true;
    pool->stats.written_bytes += bytes;
    pool->stats.sent_bytes += bytes;
    return GPOOL_OK;
}

static gpool_result texture_write(gpool *pool, gpool_texture handle,
                                  const gpool_texture_region *region, const void *data,
                                  size_t data_size, uint32_t bytes_per_row)
{
    gpool_result result;
    gpool__texture *texture =
        (gpool__texture *)gpool__resolve_good(pool, handle.id, GPOOL_KIND_TEXTURE, &result);
    if (texture == NULL) {
        return result;
    }
    if (data == NULL) {
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT,
                           "The data [NULL] for texture \"%s\" is null", texture->base.label);
    }
    if (texture->imported && (texture->usage & GPOOL_TEXTURE_COPY_TARGET) == 0) {
        return GPOOL__FAIL(pool, USAGE, MISSING_USAGE,
                           "The usage [0x%x] of imported texture \"%s\" lacks COPY_TARGET",
                           texture->usage, texture->base.label);
    }
    gpool__texture_part part;
    result = gpool__texture_resolve_part(pool, texture, region, GPOOL__PART_WRITE, &part);
    if (result == GPOOL_OK) {
        result = gpool__texture_check_data(pool, texture, &part, data_size, bytes_per_row);
    }
    if (result == GPOOL_OK && texture->shadow != NULL) {
        gpool__shadow_write(pool, texture->shadow, &part, data, bytes_per_row);
    } else if (result == GPOOL_OK) {
        result = gpool__texture_send(pool, texture, &part, data, bytes_per_row);
    }
    return result;
}

gpool_result gpool_texture_write(gpool *pool, gpool_texture texture,
                                 const gpool_texture_region *region, const void *data,
                                 size_t data_size, uint32_t bytes_per_row)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_texture_write", &call);
    if (result == GPOOL_OK) {
        result = texture_write(pool, texture, region, data, data_size, bytes_per_row);
        gpool__leave(pool, &call);
    }
    return result;
}

gpool_result gpool__texture_read_part(gpool *pool, const gpool__texture *texture,
                                      const gpool_texture_region *region, gpool__texture_part *part,
                                      gpool__rows *rows)
{
    if ((texture->usage & GPOOL_TEXTURE_READ_BACK) == 0) {
        return GPOOL__FAIL(pool, USAGE, MISSING_USAGE,
                           "The usage [0x%x] of texture \"%s\" lacks READ_BACK", texture->usage,
                           texture->base.label);
    }
    gpool_result result =
        gpool__texture_resolve_part(pool, texture, region, GPOOL__PART_READ, part);
    if (result == GPOOL_OK) {
        *rows = (gpool__rows){
            .bytes = part->row_bytes,
            .stride = gpool__round_up(part->row_bytes, 256),
            .count = (uint64_t)part->row_count * part->depth,
        };
    }
    return result;
}

void gpool__texture_copy_out(gpool *pool, WGPUCommandEncoder encoder, const gpool__texture *texture,
                             const gpool__texture_part *part, const gpool__rows *rows,
                             WGPUBuffer staging)
{
    WGPUTexelCopyTextureInfo source = {
        .texture = texture->gpu,
        .mipLevel = part->level,
        .origin = { part->x, part->y, part->z },
        .aspect = part->aspect,
    };
    WGPUTexelCopyBufferInfo destination = {
        .buffer = staging,
        .layout = { .bytesPerRow = (uint32_t)rows->stride, .rowsPerImage = part->row_count },
    };
    WGPUExtent3D extent = { part->width, part->height, part->depth };
    GPOOL__GPU(&pool->seam, CommandEncoderCopyTextureToBuffer)
    (encoder, &source, &destination, &extent);
}

static gpool_result texture_read(gpool *pool, gpool_texture handle,
                                 const gpool_texture_region *region, void *target,
                                 size_t target_size)
{
    gpool_result result;
    gpool__texture *texture =
        (gpool__texture *)gpool__resolve_good(pool, handle.id, GPOOL_KIND_TEXTURE, &result);
    if (texture == NULL) {
        return result;
    }
    gpool__texture_part part;
    gpool__rows rows;
    result = gpool__texture_read_part(pool, texture, region, &part, &rows);
    if (result != GPOOL_OK) {
        return result;
    }
    if (target == NULL) {
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT,
                           "The target [NULL] for texture \"%s\" is null", texture->base.label);
    }
    if (rows.bytes * rows.count > target_size) {
        return GPOOL__FAIL(pool, RANGE, OUT_OF_RANGE,
                           "The target of [%llu] bytes for texture \"%s\" is short of [%llu]",
                           (unsigned long long)target_size, texture->base.label,
                           (unsigned long long)(rows.bytes * rows.count));
    }
    result = gpool__texture_flush(pool, texture);
    if (result != GPOOL_OK) {
        return result;
    }
    uint64_t size = rows.stride * rows.count;
    WGPUBuffer staging = gpool__make_staging(pool, size, &result);
    if (staging == NULL) {
        return result;
    }
    WGPUCommandEncoder encoder = gpool__make_encoder(pool, "Read of a texture in pool",
                                                     "Read of a texture in pool", &result);
    if (encoder == NULL) {
        GPOOL__GPU(&pool->seam, BufferRelease)(staging);
        return result;
    }
    gpool__recycle_uncover(texture);
    gpool__texture_copy_out(pool, encoder, texture, &part, &rows, staging);
    result = gpool__submit_internal(pool, encoder, "Read of a texture in pool");
    if (result == GPOOL_OK) {
        result = gpool__read_staging(pool, staging, size, rows, target);
    }
    GPOOL__GPU(&pool->seam, BufferRelease)(staging);
    return result;
}

gpool_result gpool_texture_read(gpool *pool, gpool_texture texture,
                                const gpool_texture_region *region, void *target,
                                size_t target_size)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_texture_read", &call);
    if (result == GPOOL_OK) {
        result = texture_read(pool, texture, region, target, target_size);
        gpool__leave(pool, &call);
    }
    return result;
}
