/* Operations on textures. */
#include "model_state.h"

#include <stdlib.h>
#include <string.h>

static model_texture *texture_of(const model_ref *ref)
{
    return (model_texture *)(void *)ref->thing;
}

static uint32_t reduced(uint32_t extent, uint32_t level)
{
    return extent >> level > 0 ? extent >> level : 1;
}

void model_texture_level(const model_texture *t, uint32_t level, uint32_t *width, uint32_t *height,
                         uint32_t *depth)
{
    *width = reduced(t->width, level);
    *height = reduced(t->height, level);
    *depth = t->solid ? reduced(t->depth, level) : t->depth;
}

static size_t level_bytes(const model_texture *t, uint32_t level)
{
    uint32_t width, height, depth;
    model_texture_level(t, level, &width, &height, &depth);
    return (size_t)width * height * depth * t->texel;
}

static uint64_t all_bytes(const model_texture *t)
{
    uint64_t bytes = 0;
    for (uint32_t level = 0; level < t->levels; ++level) {
        bytes += level_bytes(t, level);
    }
    return bytes;
}

static uint32_t most_levels(const model_texture *t)
{
    uint32_t largest = t->width > t->height ? t->width : t->height;
    largest = t->solid && t->depth > largest ? t->depth : largest;
    uint32_t levels = 0;
    while (largest >> levels > 0) {
        levels += 1;
    }
    return levels;
}

uint8_t *model_texture_row(const model_texture *t, const model_part *part, uint32_t y, uint32_t z)
{
    uint32_t width, height, depth;
    model_texture_level(t, part->level, &width, &height, &depth);
    size_t row = (size_t)(part->z + z) * height + part->y + y;
    return t->bytes[part->level] + (row * width + part->x) * t->texel;
}

gpool_texture_region model_texture_region(model *m)
{
    uint32_t choice = model_take8(m);
    gpool_texture_region region = { .mip_level = choice % 8 == 7 ? 3 : choice % 8 / 3 };
    if (choice >= 96) {
        uint32_t place = model_take8(m);
        uint32_t extent = model_take8(m);
        region.x = place % 8;
        region.y = place / 8 % 8;
        region.width = extent % 12;
        region.height = extent / 12 % 12;
    }
    if (choice >= 192) {
        region.z = choice % 4;
        region.depth = choice / 4 % 4;
    }
    if (choice == 255) {
        region.x = UINT32_MAX;
    }
    return region;
}

static bool inside(uint32_t offset, uint32_t size, uint32_t whole)
{
    return (uint64_t)offset + size <= whole;
}

gpool_result model_texture_part(const model_texture *t, const gpool_texture_region *region,
                                model_part *part)
{
    uint32_t width = 0, height = 0, depth = 0;
    if (region->mip_level >= t->levels) {
        return GPOOL_ERROR_OUT_OF_RANGE;
    }
    model_texture_level(t, region->mip_level, &width, &height, &depth);
    *part = (model_part){ .level = region->mip_level,
                          .x = region->x,
                          .y = region->y,
                          .z = region->z,
                          .width = region->width,
                          .height = region->height,
                          .depth = region->depth != 0 ? region->depth : 1 };
    if (part->width == 0 && part->x < width) {
        part->width = width - part->x;
    }
    if (part->height == 0 && part->y < height) {
        part->height = height - part->y;
    }
    bool good = part->width > 0 && part->height > 0 && inside(part->x, part->width, width) &&
                inside(part->y, part->height, height) && inside(part->z, part->depth, depth);
    return good ? GPOOL_OK : GPOOL_ERROR_OUT_OF_RANGE;
}

static size_t part_row(const model_texture *t, const model_part *part)
{
    return (size_t)part->width * t->texel;
}

static void allocate_levels(model_texture *t)
{
    for (uint32_t level = 0; level < t->levels; ++level) {
        t->bytes[level] = model_must(calloc(1, level_bytes(t, level)));
    }
}

static void free_levels(model_texture *t)
{
    for (uint32_t level = 0; level < MODEL_LEVELS; ++level) {
        free(t->bytes[level]);
        t->bytes[level] = NULL;
    }
}

/* What a choice of the input stands for. */
static void texture_kind(model_texture *t, uint32_t choice)
{
    const gpool_texture_usage copies =
        GPOOL_TEXTURE_READ_BACK | GPOOL_TEXTURE_COPY_SOURCE | GPOOL_TEXTURE_COPY_TARGET;
    static const gpool_texture_usage extra[] = { GPOOL_TEXTURE_TARGET, GPOOL_TEXTURE_SAMPLED, 0,
                                                 GPOOL_TEXTURE_TARGET };
    t->thing.kind = GPOOL_KIND_TEXTURE;
    t->format = choice % 4 == 1 ? WGPUTextureFormat_R8Unorm : WGPUTextureFormat_RGBA8Unorm;
    t->texel = choice % 4 == 1 ? 1 : 4;
    t->usage = copies | extra[choice % 4];
    t->solid = choice % 4 == 2;
    if (choice % 16 == 11) {
        t->usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_SAMPLED;
    } else if (choice % 32 == 30) {
        t->usage = 0;
    } else if (choice / 4 % 2 == 1 && (choice % 4 == 1 || choice % 4 == 2)) {
        t->usage &= ~(gpool_texture_usage)GPOOL_TEXTURE_COPY_TARGET;
        t->shadowed = true;
    }
}

void model_texture_create(model *m)
{
    uint32_t choice = model_take8(m);
    uint32_t extent = model_take16(m);
    if (extent % 4 < 2) {
        extent = extent % 4 * 4096 + 8 * 32 + 8; /* often the same, to be recycled */
    }
    model_ref owner = model_pick_owner(m);
    uint32_t place = model_place(m, GPOOL_KIND_TEXTURE);
    if (place == UINT32_MAX) {
        return;
    }
    model_texture *t = model_must(calloc(1, sizeof *t));
    texture_kind(t, choice);
    t->thing.scope = owner.thing;
    t->width = extent % (MODEL_EXTENT + 1);
    t->height = 1 + extent / 32 % MODEL_EXTENT;
    t->depth = 1 + extent / 1024 % 4;
    t->levels = 1 + extent / 4096 % MODEL_LEVELS;
    gpool_result expected = t->usage == 0                ? GPOOL_ERROR_MISSING_USAGE
                            : t->width == 0              ? GPOOL_ERROR_OUT_OF_RANGE
                            : t->levels > most_levels(t) ? GPOOL_ERROR_LIMIT
                                                         : GPOOL_OK;
    gpool_texture_desc desc = {
        .width = t->width,
        .height = t->height,
        .depth_or_layers = t->depth,
        .dimension = t->solid ? WGPUTextureDimension_3D : 0,
        .format = t->format,
        .mip_levels = t->levels,
        .usage = t->usage,
        .label = "model",
        .scope = { owner.id },
        .keep = t->shadowed ? GPOOL_KEEP_SHADOW : GPOOL_KEEP_AUTO,
    };
    uint8_t *data = NULL;
    if (expected == GPOOL_OK) {
        allocate_levels(t);
        t->thing.gpu_bytes = all_bytes(t);
        if (choice >= 128) {
            desc.data_size = level_bytes(t, 0) - (choice == 255);
            data = model_bytes(m, level_bytes(t, 0));
            desc.data = data;
            memcpy(t->bytes[0], data, level_bytes(t, 0));
            expected = choice == 255 ? GPOOL_ERROR_OUT_OF_RANGE : GPOOL_OK;
        }
    }
    expected = expected == GPOOL_OK ? owner.code : expected;
    gpool_texture handle = gpool_texture_create(m->pool, &desc);
    free(data);
    gpool_texture_info info = { 0 };
    if (handle.id != 0 && gpool_texture_get_info(m->pool, handle, &info) != GPOOL_OK) {
        model_fail(m, "a new texture has no info");
    }
    (void)model_created(m, place, &t->thing, handle.id, info.failed, expected);
}

void model_texture_import(model *m)
{
    uint32_t choice = model_take8(m);
    model_ref owner = model_pick_owner(m);
    uint32_t place = model_place(m, GPOOL_KIND_TEXTURE);
    if (place == UINT32_MAX || model_is_lost(m)) {
        return;
    }
    sim_fail_none(m->s);
    model_texture *t = model_must(calloc(1, sizeof *t));
    texture_kind(t, 0);
    t->width = 1 + choice % 8;
    t->height = 1 + choice / 8 % 8;
    t->depth = 1;
    t->levels = 1;
    t->thing.scope = owner.thing;
    t->thing.imported = true;
    t->thing.this_frame = choice >= 128;
    allocate_levels(t);
    WGPUTextureDescriptor raw_desc = {
        .usage =
            WGPUTextureUsage_CopySrc | WGPUTextureUsage_CopyDst | WGPUTextureUsage_RenderAttachment,
        .dimension = WGPUTextureDimension_2D,
        .size = { t->width, t->height, 1 },
        .format = t->format,
        .mipLevelCount = 1,
        .sampleCount = 1,
    };
    WGPUTexture raw = m->table.DeviceCreateTexture(gpool_device_raw(m->device), &raw_desc);
    gpool_texture_import_desc desc = {
        .texture = raw,
        .usage = t->usage,
        .this_frame = t->thing.this_frame,
        .label = "import",
        .scope = { owner.id },
    };
    gpool_result expected = desc.this_frame && !m->in_frame ? GPOOL_ERROR_WRONG_PHASE : owner.code;
    gpool_texture handle = gpool_texture_import(m->pool, &desc);
    m->table.TextureRelease(raw);
    (void)model_created(m, place, &t->thing, handle.id, false, expected);
}

void model_texture_write(model *m)
{
    model_ref ref = model_pick(m, GPOOL_KIND_TEXTURE);
    model_texture *t = texture_of(&ref);
    gpool_texture_region region = model_texture_region(m);
    uint32_t choice = model_take8(m);
    model_part part = { 0 };
    gpool_result expected = ref.code;
    size_t stride = 0;
    size_t size = 16;
    if (expected == GPOOL_OK) {
        expected = model_texture_part(t, &region, &part);
    }
    if (expected == GPOOL_OK) {
        stride = part_row(t, &part) + (choice % 4 == 0 ? choice % 32 : 0);
        size = stride * ((size_t)part.height * part.depth - 1) + part_row(t, &part);
        expected = choice == 255 ? GPOOL_ERROR_OUT_OF_RANGE : GPOOL_OK;
    }
    uint8_t *data = model_bytes(m, size);
    gpool_result got =
        gpool_texture_write(m->pool, (gpool_texture){ ref.id }, &region, data,
                            size - (choice == 255), choice % 4 == 0 ? (uint32_t)stride : 0);
    if (model_result(m, got, expected)) {
        for (uint32_t row = 0; row < part.height * part.depth; ++row) {
            memcpy(model_texture_row(t, &part, row % part.height, row / part.height),
                   data + row * stride, part_row(t, &part));
        }
    }
    free(data);
}

/* Moves the content into the new extent. */
static void texture_move(model_texture *t, const model_texture *old)
{
    allocate_levels(t);
    for (uint32_t level = 0; level < t->levels && level < old->levels; ++level) {
        uint32_t w0, h0, d0, w1, h1, d1;
        model_texture_level(old, level, &w0, &h0, &d0);
        model_texture_level(t, level, &w1, &h1, &d1);
        model_part part = { .level = level };
        for (uint32_t z = 0; z < (d0 < d1 ? d0 : d1); ++z) {
            for (uint32_t y = 0; y < (h0 < h1 ? h0 : h1); ++y) {
                memcpy(model_texture_row(t, &part, y, z), model_texture_row(old, &part, y, z),
                       (size_t)(w0 < w1 ? w0 : w1) * t->texel);
            }
        }
    }
}

void model_texture_resize(model *m)
{
    model_ref ref = model_pick(m, GPOOL_KIND_TEXTURE);
    model_texture *t = texture_of(&ref);
    uint32_t extent = model_take16(m);
    uint32_t width = extent % (MODEL_EXTENT + 1);
    uint32_t height = 1 + extent / 32 % MODEL_EXTENT;
    uint32_t depth = extent / 1024 % 4;
    gpool_result expected = ref.code;
    bool changes = false;
    if (expected == GPOOL_OK) {
        expected = t->thing.imported ? GPOOL_ERROR_UNSUPPORTED
                   : width == 0      ? GPOOL_ERROR_OUT_OF_RANGE
                                     : GPOOL_OK;
        changes = expected == GPOOL_OK &&
                  (width != t->width || height != t->height || (depth != 0 && depth != t->depth));
    }
    if (changes && m->recording && t->thing.named == MODEL_NAMED) {
        expected = GPOOL_ERROR_RECORDED;
    }
    gpool_result got =
        gpool_texture_resize(m->pool, (gpool_texture){ ref.id }, width, height, depth);
    if (changes && m->recording && t->thing.named == MODEL_MAYBE_NAMED &&
        got == GPOOL_ERROR_RECORDED) {
        return;
    }
    if (!model_result(m, got, expected) || !changes) {
        return;
    }
    model_texture old = *t;
    t->width = width;
    t->height = height;
    t->depth = depth != 0 ? depth : t->depth;
    t->levels = old.levels < most_levels(t) ? old.levels : most_levels(t);
    memset(t->bytes, 0, sizeof t->bytes);
    texture_move(t, &old);
    t->thing.gpu_bytes = all_bytes(t);
    free_levels(&old);
    model_replaced(m, &t->thing, old.thing.gpu_bytes);
}

void model_texture_destroy(model *m)
{
    model_ref ref = model_pick(m, GPOOL_KIND_TEXTURE);
    gpool_result expected = ref.thing != NULL || ref.id == 0 ? GPOOL_OK : ref.code;
    bool elsewhere = model_elsewhere(m);
    gpool_result got = gpool_texture_destroy(m->pool, (gpool_texture){ ref.id });
    model_back(m);
    if (model_exactly(m, got, expected)) {
        model_ended(m, &ref, elsewhere);
    }
}

void model_texture_read(model *m)
{
    model_ref ref = model_pick(m, GPOOL_KIND_TEXTURE);
    model_texture *t = texture_of(&ref);
    gpool_texture_region region = model_texture_region(m);
    model_part part = { 0 };
    gpool_result expected = ref.code;
    size_t size = 16;
    if (expected == GPOOL_OK && (t->usage & GPOOL_TEXTURE_READ_BACK) == 0) {
        expected = GPOOL_ERROR_MISSING_USAGE;
    }
    if (expected == GPOOL_OK) {
        expected = model_texture_part(t, &region, &part);
    }
    if (expected == GPOOL_OK) {
        size = part_row(t, &part) * part.height * part.depth;
    }
    model_complete_all(m);
    sim_set_completion(m->s, SIM_COMPLETE_AT_POLL, 0);
    uint8_t *target = model_must(calloc(1, size));
    gpool_result got =
        gpool_texture_read(m->pool, (gpool_texture){ ref.id }, &region, target, size);
    if (model_result(m, got, expected)) {
        for (uint32_t row = 0; row < part.height * part.depth; ++row) {
            model_same(m, "a row of a texture", target + row * part_row(t, &part),
                       model_texture_row(t, &part, row % part.height, row / part.height),
                       part_row(t, &part));
        }
    }
    free(target);
    sim_set_completion(m->s, m->sim_desc.completion, m->sim_desc.polls);
}

void model_texture_info(model *m)
{
    model_ref ref = model_pick(m, GPOOL_KIND_TEXTURE);
    const model_texture *t = texture_of(&ref);
    gpool_texture_info info = { 0 };
    gpool_result got = gpool_texture_get_info(m->pool, (gpool_texture){ ref.id }, &info);
    if (got != (ref.thing != NULL ? GPOOL_OK : ref.code)) {
        model_fail(m, "info gives %s", gpool_result_name(got));
    }
    if (t == NULL || model_is_lost(m)) {
        return;
    }
    if (info.width != t->width || info.height != t->height || info.depth_or_layers != t->depth ||
        info.mip_levels != t->levels || info.usage != t->usage || info.failed != t->thing.failed ||
        info.imported != t->thing.imported || (info.keep == GPOOL_KEEP_SHADOW) != t->shadowed) {
        model_fail(m, "info: %u x %u x %u, %u levels and %u x %u x %u, %u levels", info.width,
                   info.height, info.depth_or_layers, info.mip_levels, t->width, t->height,
                   t->depth, t->levels);
    }
}

void model_texture_edit(model *m)
{
    model_ref ref = model_pick(m, GPOOL_KIND_TEXTURE);
    model_texture *t = texture_of(&ref);
    gpool_texture_region region = model_texture_region(m);
    model_part part = { 0 };
    gpool_result expected = ref.code;
    if (expected == GPOOL_OK) {
        expected = t->shadowed ? model_texture_part(t, &region, &part) : GPOOL_ERROR_UNSUPPORTED;
    }
    gpool_texture_rows rows;
    gpool_result got = gpool_texture_edit(m->pool, (gpool_texture){ ref.id }, &region, &rows);
    if (!model_result(m, got, expected)) {
        return;
    }
    if (rows.row_bytes != part_row(t, &part) || rows.row_count != part.height ||
        rows.slice_count != part.depth) {
        model_fail(m, "an edit gives %u rows of %u bytes in %u slices", rows.row_count,
                   rows.row_bytes, rows.slice_count);
    }
    uint8_t *data = model_bytes(m, rows.row_bytes);
    for (uint32_t z = 0; z < part.depth; ++z) {
        for (uint32_t y = 0; y < part.height; ++y) {
            uint8_t *row =
                (uint8_t *)rows.texels + z * rows.bytes_per_slice + (size_t)y * rows.bytes_per_row;
            model_same(m, "a row of a shadow", row, model_texture_row(t, &part, y, z),
                       rows.row_bytes);
            memcpy(row, data, rows.row_bytes);
            memcpy(model_texture_row(t, &part, y, z), data, rows.row_bytes);
        }
    }
    free(data);
}

/* A raw object has what was written before. */
void model_texture_peek(model *m)
{
    model_ref ref = model_pick(m, GPOOL_KIND_TEXTURE);
    model_texture *t = texture_of(&ref);
    bool write = model_take8(m) % 4 == 0;
    WGPUTexture raw = gpool_texture_gpu(m->pool, (gpool_texture){ ref.id },
                                        write ? GPOOL_ACCESS_WRITE : GPOOL_ACCESS_READ);
    gpool_result expected = ref.code;
    if (expected == GPOOL_OK && write && t->shadowed) {
        expected = GPOOL_ERROR_MISSING_USAGE;
    }
    gpool_result got = raw != NULL ? GPOOL_OK : gpool_last_error(m->pool)->code;
    if (!model_result(m, got, expected)) {
        return;
    }
    t->thing.named = m->recording ? MODEL_NAMED : MODEL_MAYBE_NAMED;
    bool waits = m->killed_count > 0; /* this one may be in a scope that another thread ended */
    model_drain(m);
    if (!model_result(m, gpool_process_uploads(m->pool), GPOOL_OK) || model_is_unsent(m) || waits) {
        return;
    }
    uint8_t texel[4];
    model_part first = { 0 };
    if (!sim_read_texel(m->s, raw, 0, 0, 0, 0, texel, t->texel)) {
        model_fail(m, "a texel cannot be seen");
    }
    model_same(m, "a texel handed out", texel, model_texture_row(t, &first, 0, 0), t->texel);
}
