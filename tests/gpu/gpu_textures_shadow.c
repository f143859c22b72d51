/*
 * Textures with a shadow, and without: every copyable format of the adapter, at edge widths, in all
 * levels and layers, by writes with stride and by rectangles, against a plain model.
 */
#include "gpu/fixture.h"

#include "gpu/format.h"

#include <stdlib.h>
#include <string.h>

int gpu_textures_shadow_run(void);

#define LEVELS     3u
#define LEVEL_SIZE (400u * 1024u)

/* A texture and the blocks it must have. */
typedef struct canvas {
    gpool_texture texture;
    gpool__format facts;
    uint32_t block_bytes; /* in copies */
    uint32_t width, height, depth, levels;
    bool solid; /* 3D */
    bool whole; /* is written whole only */
    uint8_t texels[LEVELS][LEVEL_SIZE];
} canvas;

typedef struct extent {
    uint32_t width, height, depth; /* texels */
    uint32_t columns, rows;        /* blocks */
} extent;

static uint32_t reduced(uint32_t size, uint32_t level)
{
    return size >> level > 0 ? size >> level : 1;
}

static extent extent_of(const canvas *c, uint32_t level)
{
    extent e = { .width = reduced(c->width, level),
                 .height = reduced(c->height, level),
                 .depth = c->solid ? reduced(c->depth, level) : c->depth };
    e.columns = (e.width + c->facts.block_width - 1) / c->facts.block_width;
    e.rows = (e.height + c->facts.block_height - 1) / c->facts.block_height;
    assert_true((size_t)e.columns * e.rows * e.depth * c->block_bytes <= LEVEL_SIZE);
    return e;
}

static void check(fixture *f, const canvas *c)
{
    static uint8_t got[LEVEL_SIZE];
    for (uint32_t level = 0; level < c->levels; ++level) {
        extent e = extent_of(c, level);
        size_t size = (size_t)e.columns * e.rows * e.depth * c->block_bytes;
        gpool_texture_region region = { .mip_level = level, .depth = e.depth };
        assert_good(gpool_texture_read(f->pool, c->texture, &region, got, size));
        assert_bytes(got, c->texels[level], size);
    }
}

/* Bytes that are no NaN and no special value in any format. */
static void fill(uint8_t *bytes, size_t size, uint64_t *seed)
{
    for (size_t i = 0; i < size; ++i) {
        bytes[i] = (uint8_t)(1 + fixture_random(seed, 58));
    }
}

/* Writes random blocks of a box, its place in blocks, from rows with a gap of so many bytes. */
static void write_box(fixture *f, canvas *c, uint32_t level, const uint32_t at[3],
                      const uint32_t size[3], uint32_t gap, uint64_t *seed)
{
    static uint8_t source[2 * LEVEL_SIZE];
    extent e = extent_of(c, level);
    size_t row = (size_t)size[0] * c->block_bytes;
    size_t stride = row + gap;
    size_t bytes = stride * ((size_t)size[1] * size[2] - 1) + row;
    assert_true(bytes <= sizeof source);
    fill(source, bytes, seed);
    gpool_texture_region region = { .mip_level = level,
                                    .x = at[0] * c->facts.block_width,
                                    .y = at[1] * c->facts.block_height,
                                    .z = at[2],
                                    .width = size[0] * c->facts.block_width,
                                    .height = size[1] * c->facts.block_height,
                                    .depth = size[2] };
    if (c->whole) {
        region.width = 0;
        region.height = 0;
    } else if (fixture_random(seed, 2) == 0) {
        /* The last blocks may be named cut by the level's edge, too. */
        region.width = region.x + region.width > e.width ? e.width - region.x : region.width;
        region.height = region.y + region.height > e.height ? e.height - region.y : region.height;
    }
    assert_good(gpool_texture_write(f->pool, c->texture, &region, source, bytes,
                                    gap != 0 ? (uint32_t)stride : 0));
    for (uint32_t i = 0; i < size[1] * size[2]; ++i) {
        size_t y = at[1] + i % size[1];
        size_t z = at[2] + i / size[1];
        memcpy(c->texels[level] + ((z * e.rows + y) * e.columns + at[0]) * c->block_bytes,
               source + i * stride, row);
    }
}

static void write_level(fixture *f, canvas *c, uint32_t level, uint32_t gap, uint64_t *seed)
{
    extent e = extent_of(c, level);
    static const uint32_t origin[3];
    write_box(f, c, level, origin, (uint32_t[]){ e.columns, e.rows, e.depth }, gap, seed);
}

static void write_any(fixture *f, canvas *c, uint64_t *seed)
{
    uint32_t level = fixture_random(seed, c->levels);
    extent e = extent_of(c, level);
    uint32_t all[3] = { e.columns, e.rows, e.depth };
    uint32_t at[3], size[3];
    for (int i = 0; i < 3; ++i) {
        at[i] = fixture_random(seed, all[i]);
        size[i] = 1 + fixture_random(seed, all[i] - at[i]);
    }
    if (c->whole) {
        at[0] = at[1] = 0;
        size[0] = e.columns;
        size[1] = e.rows;
    }
    write_box(f, c, level, at, size, fixture_random(seed, 2) * fixture_random(seed, 70), seed);
}

static canvas *canvas_make(fixture *f, WGPUTextureFormat format, const uint32_t size[3], bool solid,
                           gpool_keep keep)
{
    static canvas made;
    memset(&made, 0, sizeof made);
    made.facts = gpool__format_facts(format);
    made.block_bytes = gpool__format_copy_bytes(made.facts, WGPUTextureAspect_All, true);
    made.whole = made.facts.depth || made.facts.stencil;
    made.width = size[0];
    made.height = size[1];
    made.depth = size[2];
    made.solid = solid;
    uint32_t largest = size[0] > size[1] ? size[0] : size[1];
    made.levels = largest >= 4 ? 3 : largest >= 2 ? 2 : 1;
    gpool_texture_desc desc = {
        .width = size[0],
        .height = size[1],
        .depth_or_layers = size[2],
        .dimension = solid ? WGPUTextureDimension_3D : WGPUTextureDimension_2D,
        .mip_levels = made.levels,
        .format = format,
        .usage = GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_READ_BACK,
        .label = gpool__format_name(format),
        .keep = keep,
    };
    made.texture = gpool_texture_create(f->pool, &desc);
    gpool_texture_info info = { .failed = true };
    assert_good(gpool_texture_get_info(f->pool, made.texture, &info));
    assert_false(info.failed);
    return &made;
}

/* Everything one texture of one extent is tried with. */
static void try_extent(fixture *f, WGPUTextureFormat format, const uint32_t size[3], bool solid,
                       gpool_keep keep, uint64_t *seed)
{
    canvas *c = canvas_make(f, format, size, solid, keep);
    for (uint32_t level = 0; level < c->levels; ++level) {
        write_level(f, c, level, level * 7, seed);
    }
    check(f, c);
    for (int i = 0; i < 12; ++i) {
        write_any(f, c, seed);
    }
    check(f, c);
    assert_good(gpool_texture_destroy(f->pool, c->texture));
}

static const WGPUFeatureName features[] = { WGPUFeatureName_TextureCompressionBC,
                                            WGPUFeatureName_TextureCompressionETC2,
                                            WGPUFeatureName_TextureCompressionASTC,
                                            WGPUFeatureName_TextureFormatsTier1,
                                            WGPUFeatureName_Depth32FloatStencil8 };

/* Widths in texels: 1, 2, 3 and about 64 texels; so many blocks of others, whose levels are cut. */
static void try_format(fixture *f, WGPUTextureFormat format, gpool_keep keep, uint64_t *seed)
{
    gpool__format facts = gpool__format_facts(format);
    static const uint32_t counts[] = { 1, 2, 3, 63, 64, 65 };
    bool blocks = facts.block_width > 1;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; ++i) {
        /* 64 / 4 +- 1 blocks; odd counts leave cut blocks in the levels below. */
        uint32_t count = blocks && counts[i] > 3 ? counts[i] - 48 : counts[i];
        uint32_t size[3] = { count * facts.block_width, 5 * facts.block_height, 2 };
        try_extent(f, format, size, false, keep, seed);
    }
    if (!blocks && !facts.depth && !facts.stencil) {
        try_extent(f, format, (uint32_t[]){ 17, 9, 5 }, true, keep, seed);
    }
}

static void try_every_format(fixture *f, gpool_keep keep)
{
    uint64_t seed = fixture_seed(3);
    gpool_device *device = fixture_open_with(features, sizeof features / sizeof features[0]);
    fixture_use_device(f, device);
    uint32_t tried = 0;
    uint32_t lacking = 0;
    for (uint32_t i = 1; i <= WGPUTextureFormat_ASTC12x12UnormSrgb; ++i) {
        WGPUTextureFormat format = (WGPUTextureFormat)i;
        gpool__format facts = gpool__format_facts(format);
        if (gpool__format_copy_bytes(facts, WGPUTextureAspect_All, true) == 0) {
            continue; /* no copy from memory: depth of some formats */
        }
        if (facts.feature != 0 && !gpool_device_has_feature(device, facts.feature)) {
            lacking += 1;
            continue;
        }
        try_format(f, format, keep, &seed);
        tried += 1;
    }
    print_message("%u formats tried, %u skipped: the adapter lacks them\n", tried, lacking);
    assert_true(tried >= 37 + 2); /* all that every device has, and 16-bit depth, stencil */
}

static void every_format_goes_round_through_a_shadow(void **state)
{
    try_every_format(*state, GPOOL_KEEP_SHADOW);
}

static void every_format_goes_round_without_one(void **state)
{
    try_every_format(*state, GPOOL_KEEP_DROP);
}

static void shadow_survives_resize_and_another_device(void **state)
{
    fixture *f = *state;
    uint64_t seed = fixture_seed(4);
    canvas *c = canvas_make(f, WGPUTextureFormat_RGBA8Unorm, (uint32_t[]){ 65, 33, 3 }, false,
                            GPOOL_KEEP_SHADOW);
    for (uint32_t level = 0; level < c->levels; ++level) {
        write_level(f, c, level, 0, &seed);
    }
    check(f, c);
    write_any(f, c, &seed);
    gpool_device *device = fixture_open_with(NULL, 0);
    gpool_recover_report report;
    assert_good(gpool_recover(f->pool, device, NULL, &report));
    gpool_device_release(device);
    fixture_expect(f, GPOOL_LOG_RECOVERED, 1);
    assert_int_equal(report.lost, 0);
    assert_int_equal(report.rebuilt[GPOOL_KIND_TEXTURE], 1);
    check(f, c);
    write_any(f, c, &seed);
    check(f, c);
    /* A row of layer 1 after a resize: what is inside both is kept. */
    assert_good(gpool_texture_resize(f->pool, c->texture, 40, 40, 0));
    uint8_t row[40 * 4];
    gpool_texture_region region = { .y = 32, .z = 1, .height = 1 };
    assert_good(gpool_texture_read(f->pool, c->texture, &region, row, sizeof row));
    assert_bytes(row, c->texels[0] + (((size_t)33 + 32) * 65) * 4, sizeof row);
    region.y = 33;
    static const uint8_t zeros[40 * 4];
    assert_good(gpool_texture_read(f->pool, c->texture, &region, row, sizeof row));
    assert_bytes(row, zeros, sizeof row);
}

static void write_after_record_is_seen_from_a_shadow(void **state)
{
    fixture *f = *state;
    const uint32_t texel = 0x04030201;
    gpool_texture_desc desc = { .width = 4,
                                .height = 4,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .usage = GPOOL_TEXTURE_COPY_SOURCE,
                                .keep = GPOOL_KEEP_SHADOW };
    gpool_texture source = gpool_texture_create(f->pool, &desc);
    gpool_texture target = fixture_target(f, 4, 4);
    gpool_texture_region region = { .x = 1, .y = 2, .width = 1, .height = 1 };
    assert_good(gpool_begin_frame(f->pool));
    gpool_copy_texture(gpool_frame_recorder(f->pool), source, NULL, target, NULL);
    assert_good(gpool_texture_write(f->pool, source, &region, &texel, 4, 0));
    gpool_texture_rows rows;
    region = (gpool_texture_region){ .x = 3, .y = 3, .width = 1, .height = 1 };
    assert_good(gpool_texture_edit(f->pool, source, &region, &rows));
    memset(rows.texels, 9, 4);
    assert_good(gpool_texture_destroy(f->pool, source));
    assert_good(gpool_end_frame(f->pool));
    assert_pixel(f, target, 1, 2, 0x01020304);
    assert_pixel(f, target, 3, 3, 0x09090909);
    assert_pixel(f, target, 0, 0, 0);
}

int gpu_textures_shadow_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(every_format_goes_round_through_a_shadow),
        FIXTURE_TEST(every_format_goes_round_without_one),
        FIXTURE_TEST(shadow_survives_resize_and_another_device),
        FIXTURE_TEST(write_after_record_is_seen_from_a_shadow),
    };
    return FIXTURE_RUN("textures_shadow", tests);
}
