/*
 * How shadows of textures reach the GPU. Queue writes take any stride, so each rectangle goes straight
 * from the shadow, without a copy. What is sent of a level is the cheapest of these, counted in bytes
 * with what a call costs by the pool's table, gpool__plan_write_bytes(): each slice by its rectangles or
 * whole; slices that follow each other with the same rectangles in one write for each; or all slices
 * from the first dirty one to the last, whole, in one.
 */
#include "pool/plan.h"
#include "pool/texture_state.h"

void gpool__texture_enlist(gpool *pool, gpool__texture_shadow *shadow)
{
    if (shadow->in_dirty_list) {
        return;
    }
    shadow->in_dirty_list = true;
    shadow->dirty_previous = NULL;
    shadow->dirty_next = pool->dirty_textures;
    if (pool->dirty_textures != NULL) {
        pool->dirty_textures->dirty_previous = shadow;
    }
    pool->dirty_textures = shadow;
}

void gpool__texture_delist(gpool *pool, gpool__texture_shadow *shadow)
{
    if (!shadow->in_dirty_list) {
        return;
    }
    shadow->in_dirty_list = false;
    if (shadow->dirty_previous != NULL) {
        shadow->dirty_previous->dirty_next = shadow->dirty_next;
    } else {
        pool->dirty_textures = shadow->dirty_next;
    }
    if (shadow->dirty_next != NULL) {
        shadow->dirty_next->dirty_previous = shadow->dirty_previous;
    }
    shadow->dirty_next = NULL;
    shadow->dirty_previous = NULL;
}

/* Writes a rectangle of `depth` slices from slice `z` on; returns bytes. A null pool only counts. */
static uint64_t texture_upload_rect(gpool *pool, const gpool__texture_shadow *shadow,
                                    uint32_t index, gpool__rect rect, uint32_t z, uint32_t depth)
{
    const gpool__shadow_level *level = &shadow->levels[index];
    uint64_t row_bytes = (uint64_t)rect.width * shadow->block_bytes;
    uint64_t bytes = row_bytes * rect.height * depth;
    if (pool != NULL) {
        WGPUTexelCopyTextureInfo target = {
            .texture = shadow->texture->gpu,
            .mipLevel = index,
            .origin = { rect.x * shadow->block_width, rect.y * shadow->block_height, z },
            .aspect = WGPUTextureAspect_All,
        };
        WGPUTexelCopyBufferLayout layout = {
            .bytesPerRow = level->row_bytes,
            .rowsPerImage = level->rows,
        };
        WGPUExtent3D extent = { rect.width * shadow->block_width,
                                rect.height * shadow->block_height, depth };
        const uint8_t *data = shadow->bytes + level->offset + z * level->slice_bytes +
                              (uint64_t)rect.y * level->row_bytes +
                              (uint64_t)rect.x * shadow->block_bytes;
        uint64_t size = (depth - 1) * level->slice_bytes +
                        (uint64_t)(rect.height - 1) * level->row_bytes + row_bytes;
        GPOOL__GPU(&pool->seam, QueueWriteTexture)
        (pool->device->queue, &target, data, (size_t)size, &layout, &extent);
        pool->stats.sent_bytes += bytes;
    }
    return bytes;
}

/* What is sent of a slice: its rectangles, or all of it when that is cheaper. */
static gpool__rect_set texture_upload_pick(const gpool__texture_shadow *shadow,
                                           const gpool__shadow_level *level, uint32_t slice,
                                           uint64_t call)
{
    gpool__rect_set set = shadow->sets[level->first_set + slice];
    uint64_t apart = gpool__rect_set_area(&set) * shadow->block_bytes + (uint64_t)set.count * call;
    if (set.count > 0 && apart >= level->slice_bytes + call) {
        set.rects[0] = (gpool__rect){ 0, 0, level->columns, level->rows };
        set.count = 1;
    }
    return set;
}

/* Sends a level slice by slice, equal neighbours together; a null pool only counts the cost. */
static uint64_t texture_upload_slices(gpool *pool, const gpool__texture_shadow *shadow,
                                      uint32_t index, uint64_t call)
{
    const gpool__shadow_level *level = &shadow->levels[index];
    uint64_t cost = 0;
    uint32_t z = level->dirty_first;
    while (z < level->dirty_end) {
        gpool__rect_set set = texture_upload_pick(shadow, level, z, call);
        uint32_t end = z + 1;
        while (end < level->dirty_end) {
            gpool__rect_set next = texture_upload_pick(shadow, level, end, call);
            if (!gpool__rect_set_equal(&set, &next)) {
                break;
            }
            end += 1;
        }
        for (uint32_t i = 0; i < set.count; ++i) {
            cost += call + texture_upload_rect(pool, shadow, index, set.rects[i], z, end - z);
        }
        z = end;
    }
    return cost;
}

static void texture_upload_level(gpool *pool, const gpool__texture_shadow *shadow, uint32_t index)
{
    const gpool__shadow_level *level = &shadow->levels[index];
    uint32_t slices = level->dirty_end - level->dirty_first;
    uint64_t call = gpool__plan_write_bytes(&pool->upload_costs);
    uint64_t whole = slices * level->slice_bytes + call;
    if (slices > 1 && texture_upload_slices(NULL, shadow, index, call) > whole) {
        gpool__rect all = { 0, 0, level->columns, level->rows };
        (void)texture_upload_rect(pool, shadow, index, all, level->dirty_first, slices);
    } else {
        (void)texture_upload_slices(pool, shadow, index, call);
    }
}

gpool_result gpool__texture_flush(gpool *pool, gpool__texture *texture)
{
    gpool__texture_shadow *shadow = texture->shadow;
    if (shadow == NULL || !shadow->in_dirty_list) {
        return GPOOL_OK;
    }
    uint64_t sent_before = pool->stats.sent_bytes;
    gpool__capture_begin(pool->device, &pool->seam);
    for (uint32_t level = 0; level < shadow->level_count; ++level) {
        texture_upload_level(pool, shadow, level);
    }
    pool->queue_dirty = true;
    pool->stats.visited += 1;
    gpool_result result = gpool__capture_end(pool->device, &pool->seam);
    if (result != GPOOL_OK) {
        pool->stats.sent_bytes = sent_before;
        return gpool__fail_gpu(pool, result, "Upload of texture", texture->base.label);
    }
    gpool__shadow_clear(pool, shadow);
    return GPOOL_OK;
}

gpool_result gpool__textures_flush(gpool *pool)
{
    while (pool->dirty_textures != NULL) {
        gpool_result result = gpool__texture_flush(pool, pool->dirty_textures->texture);
        if (result != GPOOL_OK) {
            return result;
        }
    }
    return GPOOL_OK;
}

bool gpool__texture_hand_out(gpool *pool, gpool__texture *texture, gpool_access access,
                             gpool_result *result)
{
    gpool__texture_shadow *shadow = texture->shadow;
    if (shadow != NULL && access == GPOOL_ACCESS_WRITE) {
        *result = GPOOL__FAIL(pool, USAGE, MISSING_USAGE,
                              "The usage [0x%x] of texture \"%s\", which has a shadow, lets no "
                              "command write it",
                              texture->usage, texture->base.label);
        return false;
    }
    *result = gpool__recycle_settle(pool, texture);
    if (*result == GPOOL_OK) {
        *result = gpool__texture_flush(pool, texture);
    }
    if (*result == GPOOL_OK) {
        texture->raw = true;
    }
    if (shadow != NULL && *result == GPOOL_OK) {
        shadow->raw = true;
    }
    return *result == GPOOL_OK;
}
