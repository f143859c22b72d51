/*
 * Shadows of textures: what they hold, how they are written, which rectangles are dirty.
 */
#include "pool/plan.h"
#include "pool/texture_state.h"

#include "gpu/format.h"

#include <string.h>

/* Writes up to this size are compared with the shadow first, as those of buffers. */
#define SHADOW_COMPARE 256u

static void shadow_fill_level(const gpool__texture *texture, gpool__format facts, uint32_t index,
                              gpool__shadow_level *level)
{
    uint32_t width, height, depth;
    gpool__texture_level(texture, index, &width, &height, &depth);
    level->columns = (width + facts.block_width - 1) / facts.block_width;
    level->rows = (height + facts.block_height - 1) / facts.block_height;
    level->slices = depth;
    level->row_bytes = level->columns * facts.block_bytes;
    level->slice_bytes = (uint64_t)level->rows * level->row_bytes;
}

gpool_result gpool__shadow_create(gpool *pool, gpool__texture *texture)
{
    gpool__format facts = gpool__format_facts(texture->format);
    gpool__texture_shadow *shadow = NULL;
    uint64_t sets = 0;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < texture->mip_levels; ++i) {
        gpool__shadow_level level;
        shadow_fill_level(texture, facts, i, &level);
        sets += level.slices;
        bytes += level.slices * level.slice_bytes;
    }
    /* At most 2^5 levels of 2^14 slices and 2^46 bytes: no overflow. */
    uint64_t before = sizeof *shadow + texture->mip_levels * sizeof *shadow->levels;
    uint64_t behind = gpool__round_up(before + sets * sizeof *shadow->sets, 16);
    if (behind + bytes <= SIZE_MAX) {
        shadow = gpool__alloc(&pool->memory, (size_t)(behind + bytes));
    }
    if (shadow == NULL) {
        return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY,
                           "No memory for the shadow of texture \"%s\", [%llu] bytes",
                           texture->base.label, (unsigned long long)bytes);
    }
    shadow->texture = texture;
    shadow->block_width = facts.block_width;
    shadow->block_height = facts.block_height;
    shadow->block_bytes = facts.block_bytes;
    shadow->level_count = texture->mip_levels;
    shadow->memory_size = (size_t)(behind + bytes);
    shadow->sets = (gpool__rect_set *)(void *)((char *)shadow + before);
    shadow->bytes = (uint8_t *)shadow + behind;
    uint32_t set = 0;
    uint64_t offset = 0;
    for (uint32_t i = 0; i < shadow->level_count; ++i) {
        gpool__shadow_level *level = &shadow->levels[i];
        shadow_fill_level(texture, facts, i, level);
        level->first_set = set;
        level->offset = offset;
        set += level->slices;
        offset += level->slices * level->slice_bytes;
    }
    texture->shadow = shadow;
    return GPOOL_OK;
}

void gpool__shadow_free(gpool *pool, gpool__texture_shadow *shadow)
{
    if (shadow != NULL) {
        gpool__texture_delist(pool, shadow);
        gpool__free(&pool->memory, shadow, shadow->memory_size);
    }
}

/* Marks a rectangle of blocks in some slices of a level. */
static void shadow_mark(gpool *pool, gpool__texture_shadow *shadow, gpool__shadow_level *level,
                        gpool__rect rect, uint32_t z, uint32_t depth)
{
    uint64_t slack = gpool__plan_write_bytes(&pool->upload_costs) / shadow->block_bytes;
    for (uint32_t i = 0; i < depth; ++i) {
        gpool__rect_set_mark(&shadow->sets[level->first_set + z + i], rect, slack);
    }
    bool clean = level->dirty_first == level->dirty_end;
    level->dirty_first = clean ? z : (uint32_t)gpool__min(level->dirty_first, z);
    level->dirty_end = clean ? z + depth : (uint32_t)gpool__max(level->dirty_end, z + depth);
    gpool__texture_enlist(pool, shadow);
}

void gpool__shadow_mark_all(gpool *pool, gpool__texture_shadow *shadow)
{
    for (uint32_t i = 0; i < shadow->level_count; ++i) {
        gpool__shadow_level *level = &shadow->levels[i];
        gpool__rect all = { 0, 0, level->columns, level->rows };
        shadow_mark(pool, shadow, level, all, 0, level->slices);
    }
}

void gpool__shadow_clear(gpool *pool, gpool__texture_shadow *shadow)
{
    for (uint32_t i = 0; i < shadow->level_count; ++i) {
        gpool__shadow_level *level = &shadow->levels[i];
        for (uint32_t z = level->dirty_first; z < level->dirty_end; ++z) {
            shadow->sets[level->first_set + z].count = 0;
        }
        level->dirty_first = 0;
        level->dirty_end = 0;
    }
    gpool__texture_delist(pool, shadow);
}

uint64_t gpool__shadow_dirty_bytes(const gpool__texture_shadow *shadow)
{
    uint64_t cells = 0;
    for (uint32_t i = 0; i < shadow->level_count; ++i) {
        const gpool__shadow_level *level = &shadow->levels[i];
        for (uint32_t z = level->dirty_first; z < level->dirty_end; ++z) {
            cells += gpool__rect_set_area(&shadow->sets[level->first_set + z]);
        }
    }
    return cells * shadow->block_bytes;
}

static gpool__rect shadow_rect(const gpool__texture_shadow *shadow, const gpool__texture_part *part)
{
    return (gpool__rect){ part->x / shadow->block_width, part->y / shadow->block_height,
                          part->row_bytes / shadow->block_bytes, part->row_count };
}

/* First byte of a row of a part, in slice `z` of it. */
static uint8_t *shadow_row(const gpool__texture_shadow *shadow, const gpool__texture_part *part,
                           uint32_t row, uint32_t z)
{
    const gpool__shadow_level *level = &shadow->levels[part->level];
    gpool__rect rect = shadow_rect(shadow, part);
    return shadow->bytes + level->offset + (part->z + (uint64_t)z) * level->slice_bytes +
           (rect.y + (uint64_t)row) * level->row_bytes + (uint64_t)rect.x * shadow->block_bytes;
}

static bool shadow_equals(const gpool__texture_shadow *shadow, const gpool__texture_part *part,
                          const uint8_t *data, uint64_t stride)
{
    for (uint32_t z = 0; z < part->depth; ++z) {
        for (uint32_t row = 0; row < part->row_count; ++row) {
            const uint8_t *source = data + ((uint64_t)z * part->row_count + row) * stride;
            if (memcmp(shadow_row(shadow, part, row, z), source, part->row_bytes) != 0) {
                return false;
            }
        }
    }
    return true;
}

void gpool__shadow_write(gpool *pool, gpool__texture_shadow *shadow,
                         const gpool__texture_part *part, const void *data, uint32_t bytes_per_row)
{
    const uint8_t *source = data;
    uint64_t stride = bytes_per_row != 0 ? bytes_per_row : part->row_bytes;
    uint64_t bytes = (uint64_t)part->row_bytes * part->row_count * part->depth;
    pool->stats.written_bytes += bytes;
    if (bytes <= SHADOW_COMPARE && shadow_equals(shadow, part, source, stride)) {
        return;
    }
    for (uint32_t z = 0; z < part->depth; ++z) {
        for (uint32_t row = 0; row < part->row_count; ++row) {
            /* The source may be what gpool_texture_edit() gave. */
            memmove(shadow_row(shadow, part, row, z),
                    source + ((uint64_t)z * part->row_count + row) * stride, part->row_bytes);
        }
    }
    shadow_mark(pool, shadow, &shadow->levels[part->level], shadow_rect(shadow, part), part->z,
                part->depth);
}

void gpool__shadow_copy(gpool__texture_shadow *to, const gpool__texture_shadow *from)
{
    uint32_t levels = (uint32_t)gpool__min(to->level_count, from->level_count);
    for (uint32_t i = 0; i < levels; ++i) {
        const gpool__shadow_level *old = &from->levels[i];
        const gpool__shadow_level *fresh = &to->levels[i];
        uint64_t slices = gpool__min(old->slices, fresh->slices);
        uint64_t rows = gpool__min(old->rows, fresh->rows);
        size_t bytes = (size_t)gpool__min(old->row_bytes, fresh->row_bytes);
        for (uint64_t z = 0; z < slices; ++z) {
            for (uint64_t row = 0; row < rows; ++row) {
                memcpy(to->bytes + fresh->offset + z * fresh->slice_bytes + row * fresh->row_bytes,
                       from->bytes + old->offset + z * old->slice_bytes + row * old->row_bytes,
                       bytes);
            }
        }
    }
}

static gpool_result shadow_edit(gpool *pool, gpool_texture handle,
                                const gpool_texture_region *region, gpool_texture_rows *rows)
{
    gpool_result result;
    gpool__texture *texture =
        (gpool__texture *)gpool__resolve_good(pool, handle.id, GPOOL_KIND_TEXTURE, &result);
    if (texture == NULL) {
        return result;
    }
    gpool__texture_shadow *shadow = texture->shadow;
    if (rows == NULL) {
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT,
                           "The rows [NULL] for texture \"%s\" are null", texture->base.label);
    }
    if (shadow == NULL) {
        return GPOOL__FAIL(pool, UNSUPPORTED, UNSUPPORTED,
                           "The texture \"%s\" has no shadow to be edited", texture->base.label);
    }
    gpool__texture_part part;
    result = gpool__texture_resolve_part(pool, texture, region, GPOOL__PART_WRITE, &part);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__shadow_level *level = &shadow->levels[part.level];
    *rows = (gpool_texture_rows){
        .texels = shadow_row(shadow, &part, 0, 0),
        .bytes_per_row = level->row_bytes,
        .bytes_per_slice = level->slice_bytes,
        .row_bytes = part.row_bytes,
        .row_count = part.row_count,
        .slice_count = part.depth,
    };
    pool->stats.written_bytes += (uint64_t)part.row_bytes * part.row_count * part.depth;
    shadow_mark(pool, shadow, level, shadow_rect(shadow, &part), part.z, part.depth);
    return GPOOL_OK;
}

gpool_result gpool_texture_edit(gpool *pool, gpool_texture texture,
                                const gpool_texture_region *region, gpool_texture_rows *rows)
{
    gpool__call call;
    if (rows != NULL) {
        *rows = (gpool_texture_rows){ 0 };
    }
    gpool_result result = gpool__enter(pool, "gpool_texture_edit", &call);
    if (result == GPOOL_OK) {
        result = shadow_edit(pool, texture, region, rows);
        gpool__leave(pool, &call);
    }
    return result;
}
