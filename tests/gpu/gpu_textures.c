/* Textures: what is written is what is read, for every format, width, stride, level and layer. */
#include "gpu/fixture.h"

#include <stdlib.h>
#include <string.h>

int gpu_textures_run(void);

#define ROUND_TRIP (GPOOL_TEXTURE_READ_BACK | GPOOL_TEXTURE_SAMPLED)

static const struct {
    WGPUTextureFormat format;
    uint32_t bytes;
} formats[] = {
#define F(name, bytes)                                                                             \
    {                                                                                              \
        WGPUTextureFormat_##name, bytes                                                            \
    }
    F(R8Unorm, 1),      F(R8Snorm, 1),      F(R8Uint, 1),         F(R8Sint, 1),
    F(R16Unorm, 2),     F(R16Snorm, 2),     F(R16Uint, 2),        F(R16Sint, 2),
    F(R16Float, 2),     F(RG8Unorm, 2),     F(RG8Snorm, 2),       F(RG8Uint, 2),
    F(RG8Sint, 2),      F(R32Float, 4),     F(R32Uint, 4),        F(R32Sint, 4),
    F(RG16Unorm, 4),    F(RG16Snorm, 4),    F(RG16Uint, 4),       F(RG16Sint, 4),
    F(RG16Float, 4),    F(RGBA8Unorm, 4),   F(RGBA8UnormSrgb, 4), F(RGBA8Snorm, 4),
    F(RGBA8Uint, 4),    F(RGBA8Sint, 4),    F(BGRA8Unorm, 4),     F(BGRA8UnormSrgb, 4),
    F(RGB10A2Uint, 4),  F(RGB10A2Unorm, 4), F(RG11B10Ufloat, 4),  F(RGB9E5Ufloat, 4),
    F(RG32Float, 8),    F(RG32Uint, 8),     F(RG32Sint, 8),       F(RGBA16Unorm, 8),
    F(RGBA16Snorm, 8),  F(RGBA16Uint, 8),   F(RGBA16Sint, 8),     F(RGBA16Float, 8),
    F(RGBA32Float, 16), F(RGBA32Uint, 16),  F(RGBA32Sint, 16),
#undef F
};
#define FORMAT_COUNT (sizeof formats / sizeof formats[0])

static bool is_tier1(WGPUTextureFormat format)
{
    return format == WGPUTextureFormat_R16Unorm || format == WGPUTextureFormat_R16Snorm ||
           format == WGPUTextureFormat_RG16Unorm || format == WGPUTextureFormat_RG16Snorm ||
           format == WGPUTextureFormat_RGBA16Unorm || format == WGPUTextureFormat_RGBA16Snorm;
}

/* Bytes that are no NaN and no special value in any format. */
static void fill(uint8_t *bytes, size_t size, uint32_t salt)
{
    uint64_t seed = salt;
    for (size_t i = 0; i < size; ++i) {
        bytes[i] = (uint8_t)(1 + fixture_random(&seed, 58));
    }
}

static gpool_texture make(fixture *f, gpool_texture_desc desc)
{
    gpool_texture texture = gpool_texture_create(f->pool, &desc);
    gpool_texture_info info = { .failed = true };
    assert_good(gpool_texture_get_info(f->pool, texture, &info));
    assert_false(info.failed);
    return texture;
}

/* Reads a region and compares it with packed texels. */
static void check(fixture *f, gpool_texture texture, const gpool_texture_region *region,
                  const void *wanted, size_t size)
{
    static uint8_t got[1 << 18];
    assert_true(size <= sizeof got);
    memset(got, 0xcd, size);
    assert_good(gpool_texture_read(f->pool, texture, region, got, size));
    assert_bytes(got, wanted, size);
}

/* Writes rows with a stride of `gap` more than a row, reads them packed. */
static void round_trip(fixture *f, WGPUTextureFormat format, uint32_t bytes, uint32_t width,
                       uint32_t gap)
{
    static uint8_t source[3 * (257 * 16 + 64)];
    static uint8_t packed[3 * 257 * 16];
    uint32_t row = width * bytes;
    uint32_t stride = row + gap;
    fill(source, 3 * (size_t)stride, width + bytes);
    for (uint32_t y = 0; y < 3; ++y) {
        memcpy(packed + (size_t)y * row, source + (size_t)y * stride, row);
    }
    gpool_texture texture = make(
        f,
        (gpool_texture_desc){ .width = width, .height = 3, .format = format, .usage = ROUND_TRIP });
    /* The last row needs no gap behind it. */
    size_t size = 2 * (size_t)stride + row;
    assert_good(gpool_texture_write(f->pool, texture, NULL, source, size, gap == 0 ? 0 : stride));
    check(f, texture, NULL, packed, 3 * (size_t)row);
    assert_good(gpool_texture_destroy(f->pool, texture));
}

static void every_color_format_and_width_goes_round(void **state)
{
    fixture *f = *state;
    static const uint32_t widths[] = { 1, 2, 3, 63, 64, 65, 127, 255, 256, 257 };
    const WGPUFeatureName tier1 = WGPUFeatureName_TextureFormatsTier1;
    gpool_device *device = fixture_open_with(&tier1, 1);
    fixture_use_device(f, device);
    bool has_tier1 = gpool_device_has_feature(device, tier1);
    if (!has_tier1) {
        print_message("skipped: 16-bit normalized formats, the adapter lacks their feature\n");
    }
    for (size_t i = 0; i < FORMAT_COUNT; ++i) {
        if (is_tier1(formats[i].format) && !has_tier1) {
            gpool_texture_desc desc = { .width = 4,
                                        .format = formats[i].format,
                                        .usage = ROUND_TRIP };
            assert_int_equal(gpool_texture_create(f->pool, &desc).id, 0);
            assert_int_equal(gpool_last_error(f->pool)->code, GPOOL_ERROR_UNSUPPORTED);
            fixture_expect(f, GPOOL_LOG_UNSUPPORTED, 1);
            continue;
        }
        for (size_t w = 0; w < sizeof widths / sizeof widths[0]; ++w) {
            round_trip(f, formats[i].format, formats[i].bytes, widths[w], 0);
            round_trip(f, formats[i].format, formats[i].bytes, widths[w], 1 + widths[w] % 61);
        }
    }
}

static void new_texture_is_zero(void **state)
{
    fixture *f = *state;
    static const uint8_t zeros[33 * 17 * 4 * 3];
    gpool_texture texture = make(f, (gpool_texture_desc){ .width = 33,
                                                          .height = 17,
                                                          .depth_or_layers = 3,
                                                          .mip_levels = UINT32_MAX,
                                                          .format = WGPUTextureFormat_RGBA8Unorm,
                                                          .usage = ROUND_TRIP });
    check(f, texture, NULL, zeros, sizeof zeros);
    gpool_texture_info info;
    assert_good(gpool_texture_get_info(f->pool, texture, &info));
    assert_int_equal(info.mip_levels, 6);
    for (uint32_t level = 1; level < 6; ++level) {
        check(f, texture, &(gpool_texture_region){ .mip_level = level, .z = 2 }, zeros,
              (size_t)4 * (33u >> level) * (17u >> level > 0 ? 17u >> level : 1));
    }
}

static void rectangles_spare_their_neighbours(void **state)
{
    fixture *f = *state;
    enum {
        W = 37,
        H = 29
    };
    static const struct {
        WGPUTextureFormat format;
        uint32_t bytes;
    } kinds[] = { { WGPUTextureFormat_R8Unorm, 1 },
                  { WGPUTextureFormat_RG8Unorm, 2 },
                  { WGPUTextureFormat_RGBA8Unorm, 4 },
                  { WGPUTextureFormat_RGBA32Float, 16 } };
    uint64_t seed = fixture_seed(7);
    for (int k = 0; k < 4; ++k) {
        uint32_t bytes = kinds[k].bytes;
        static uint8_t model[W * H * 16];
        static uint8_t source[(W + 9) * H * 16];
        fill(model, sizeof model, 1);
        gpool_texture texture = make(f, (gpool_texture_desc){ .width = W,
                                                              .height = H,
                                                              .format = kinds[k].format,
                                                              .usage = ROUND_TRIP,
                                                              .data = model,
                                                              .data_size = (size_t)W * H * bytes });
        for (int i = 0; i < 25; ++i) {
            gpool_texture_region region = { .x = fixture_random(&seed, W),
                                            .y = fixture_random(&seed, H) };
            region.width = 1 + fixture_random(&seed, W - region.x);
            region.height = 1 + fixture_random(&seed, H - region.y);
            uint32_t row = region.width * bytes;
            uint32_t stride = fixture_random(&seed, 2) == 0 ? row + fixture_random(&seed, 100) : 0;
            size_t step = stride != 0 ? stride : row;
            fill(source, step * region.height, (uint32_t)i);
            assert_good(gpool_texture_write(f->pool, texture, &region, source,
                                            step * (region.height - 1) + row, stride));
            for (uint32_t y = 0; y < region.height; ++y) {
                memcpy(model + ((size_t)(region.y + y) * W + region.x) * bytes, source + step * y,
                       row);
            }
            if (i % 5 == 4) {
                check(f, texture, NULL, model, (size_t)W * H * bytes);
            }
        }
        /* A part read back is the part of the model. */
        check(f, texture, &(gpool_texture_region){ .x = 5, .y = 7, .width = 20, .height = 1 },
              model + ((size_t)7 * W + 5) * bytes, (size_t)20 * bytes);
    }
}

static uint32_t level_extent(uint32_t extent, uint32_t level)
{
    return extent >> level > 0 ? extent >> level : 1;
}

static void every_level_and_layer_has_its_own_texels(void **state)
{
    fixture *f = *state;
    enum {
        W = 40,
        H = 12,
        LAYERS = 5,
        LEVELS = 6
    };
    static uint8_t texels[LEVELS][LAYERS][W * H * 4];
    gpool_texture texture = make(f, (gpool_texture_desc){ .width = W,
                                                          .height = H,
                                                          .depth_or_layers = LAYERS,
                                                          .mip_levels = UINT32_MAX,
                                                          .format = WGPUTextureFormat_RGBA8Unorm,
                                                          .usage = ROUND_TRIP });
    for (uint32_t level = 0; level < LEVELS; ++level) {
        uint32_t w = level_extent(W, level);
        uint32_t h = level_extent(H, level);
        for (uint32_t layer = 0; layer < LAYERS; ++layer) {
            fill(texels[level][layer], sizeof texels[0][0], level * 10 + layer);
            gpool_texture_region region = { .mip_level = level, .z = layer };
            assert_good(gpool_texture_write(f->pool, texture, &region, texels[level][layer],
                                            (size_t)w * h * 4, 0));
        }
    }
    for (uint32_t level = 0; level < LEVELS; ++level) {
        uint32_t w = level_extent(W, level);
        uint32_t h = level_extent(H, level);
        for (uint32_t layer = 0; layer < LAYERS; ++layer) {
            gpool_texture_region region = { .mip_level = level, .z = layer };
            check(f, texture, &region, texels[level][layer], (size_t)w * h * 4);
        }
    }
    /* NULL is all of level 0, every layer; a region may span layers too. */
    static uint8_t all[LAYERS * W * H * 4];
    for (uint32_t layer = 0; layer < LAYERS; ++layer) {
        memcpy(all + (size_t)layer * W * H * 4, texels[0][layer], (size_t)W * H * 4);
    }
    check(f, texture, NULL, all, sizeof all);
    check(f, texture, &(gpool_texture_region){ .z = 2, .depth = 3 }, all + 2 * W * H * 4,
          3 * W * H * 4);
    fill(all, sizeof all, 99);
    assert_good(gpool_texture_write(f->pool, texture, NULL, all, sizeof all, 0));
    check(f, texture, NULL, all, sizeof all);
    check(f, texture, &(gpool_texture_region){ .mip_level = 1, .z = 4 }, texels[1][4],
          (W / 2) * (H / 2) * 4);
}

static void boxes_of_a_3d_texture_spare_their_neighbours(void **state)
{
    fixture *f = *state;
    enum {
        W = 9,
        H = 7,
        D = 6
    };
    static uint8_t model[D][H][W][2];
    static uint8_t box[4][(2 + 1) * 16];
    fill(&model[0][0][0][0], sizeof model, 4);
    gpool_texture texture = make(f, (gpool_texture_desc){ .width = W,
                                                          .height = H,
                                                          .depth_or_layers = D,
                                                          .dimension = WGPUTextureDimension_3D,
                                                          .mip_levels = 2,
                                                          .format = WGPUTextureFormat_RG8Unorm,
                                                          .usage = ROUND_TRIP,
                                                          .data = model,
                                                          .data_size = sizeof model });
    check(f, texture, NULL, model, sizeof model);
    /* 5 x 3 x 4 texels at (2, 1, 1), rows of 16 bytes. */
    fill(&box[0][0], sizeof box, 5);
    gpool_texture_region region = { .x = 2, .y = 1, .z = 1, .width = 5, .height = 3, .depth = 4 };
    assert_good(gpool_texture_write(f->pool, texture, &region, box, sizeof box, 16));
    for (uint32_t z = 0; z < 4; ++z) {
        for (uint32_t y = 0; y < 3; ++y) {
            memcpy(&model[1 + z][1 + y][2][0], &box[z][(size_t)y * 16], 5 * 2);
        }
    }
    check(f, texture, NULL, model, sizeof model);
    static uint8_t level1[3][3][4][2];
    check(f, texture, &(gpool_texture_region){ .mip_level = 1, .depth = 3 }, level1, sizeof level1);
    fill(&level1[0][0][0][0], sizeof level1, 6);
    region = (gpool_texture_region){ .mip_level = 1, .depth = 3 };
    assert_good(gpool_texture_write(f->pool, texture, &region, level1, sizeof level1, 0));
    check(f, texture, &region, level1, sizeof level1);
    check(f, texture, NULL, model, sizeof model);
}

static void row_of_a_1d_texture_goes_round(void **state)
{
    fixture *f = *state;
    uint8_t texels[33 * 4];
    fill(texels, sizeof texels, 8);
    gpool_texture texture = make(f, (gpool_texture_desc){ .width = 33,
                                                          .dimension = WGPUTextureDimension_1D,
                                                          .format = WGPUTextureFormat_RGBA8Unorm,
                                                          .usage = ROUND_TRIP,
                                                          .data = texels,
                                                          .data_size = sizeof texels });
    check(f, texture, NULL, texels, sizeof texels);
    gpool_texture_region region = { .x = 3, .width = 5 };
    fill(texels + 12, 20, 9);
    assert_good(gpool_texture_write(f->pool, texture, &region, texels + 12, 20, 0));
    check(f, texture, NULL, texels, sizeof texels);
}

static void initial_data_with_stride_is_taken(void **state)
{
    fixture *f = *state;
    enum {
        W = 21,
        H = 6,
        LAYERS = 3,
        STRIDE = W * 4 + 20
    };
    static uint8_t source[STRIDE * H * LAYERS];
    static uint8_t packed[W * 4 * H * LAYERS];
    fill(source, sizeof source, 10);
    for (uint32_t y = 0; y < H * LAYERS; ++y) {
        memcpy(packed + (size_t)y * W * 4, source + (size_t)y * STRIDE, W * 4);
    }
    gpool_texture texture = make(f, (gpool_texture_desc){ .width = W,
                                                          .height = H,
                                                          .depth_or_layers = LAYERS,
                                                          .format = WGPUTextureFormat_BGRA8Unorm,
                                                          .usage = ROUND_TRIP,
                                                          .data = source,
                                                          .data_size = sizeof source - 20,
                                                          .bytes_per_row = STRIDE });
    memset(source, 0, sizeof source); /* it was copied */
    check(f, texture, NULL, packed, sizeof packed);
}

static void short_data_is_refused_and_changes_nothing(void **state)
{
    fixture *f = *state;
    uint8_t texels[4 * 4 * 4];
    fill(texels, sizeof texels, 11);
    gpool_texture_desc desc = { .width = 4,
                                .height = 4,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .usage = ROUND_TRIP,
                                .data = texels,
                                .data_size = sizeof texels - 1 };
    assert_int_equal(gpool_texture_create(f->pool, &desc).id, 0);
    assert_int_equal(gpool_last_error(f->pool)->code, GPOOL_ERROR_OUT_OF_RANGE);
    desc.data_size = sizeof texels;
    gpool_texture texture = make(f, desc);
    uint8_t other[64] = { 0 };
    assert_result(gpool_texture_write(f->pool, texture, NULL, other, 63, 0),
                  GPOOL_ERROR_OUT_OF_RANGE);
    assert_result(gpool_texture_read(f->pool, texture, NULL, other, 63), GPOOL_ERROR_OUT_OF_RANGE);
    fixture_expect(f, GPOOL_LOG_RANGE, 3);
    assert_result(gpool_texture_write(f->pool, texture, NULL, other, 64, 15),
                  GPOOL_ERROR_MISALIGNED);
    fixture_expect(f, GPOOL_LOG_ALIGNMENT, 1);
    check(f, texture, NULL, texels, sizeof texels);
}

static void depth_and_stencil_texels_go_round_where_they_may(void **state)
{
    fixture *f = *state;
    uint8_t depth[8 * 4 * 2];
    uint8_t stencil[8 * 4];
    fill(depth, sizeof depth, 12);
    fill(stencil, sizeof stencil, 13);
    gpool_texture_desc desc = { .width = 8,
                                .height = 4,
                                .format = WGPUTextureFormat_Depth16Unorm,
                                .usage = ROUND_TRIP | GPOOL_TEXTURE_TARGET };
    gpool_texture texture = make(f, desc);
    assert_good(gpool_texture_write(f->pool, texture, NULL, depth, sizeof depth, 0));
    check(f, texture, NULL, depth, sizeof depth);
    desc.format = WGPUTextureFormat_Stencil8;
    texture = make(f, desc);
    assert_good(gpool_texture_write(f->pool, texture, NULL, stencil, sizeof stencil, 0));
    check(f, texture, NULL, stencil, sizeof stencil);
    desc.format = WGPUTextureFormat_Depth24PlusStencil8;
    texture = make(f, desc);
    gpool_texture_region region = { .aspect = WGPUTextureAspect_StencilOnly };
    assert_good(gpool_texture_write(f->pool, texture, &region, stencil, sizeof stencil, 0));
    check(f, texture, &region, stencil, sizeof stencil);
    region.aspect = WGPUTextureAspect_DepthOnly;
    assert_result(gpool_texture_write(f->pool, texture, &region, depth, sizeof depth, 0),
                  GPOOL_ERROR_UNSUPPORTED);
    assert_result(gpool_texture_write(f->pool, texture, NULL, depth, sizeof depth, 0),
                  GPOOL_ERROR_UNSUPPORTED);
    fixture_expect(f, GPOOL_LOG_UNSUPPORTED, 2);
}

/* Blocks of 4 x 4 texels: 20 x 12 texels are 5 x 3 blocks, level 1 is 10 x 6 in 3 x 2 blocks. */
static void block_format_round_trip(fixture *f, WGPUTextureFormat format, uint32_t bytes)
{
    static uint8_t blocks[5 * 3 * 16];
    static uint8_t level1[3 * 2 * 16];
    fill(blocks, sizeof blocks, 14);
    fill(level1, sizeof level1, 15);
    gpool_texture texture = make(f, (gpool_texture_desc){ .width = 20,
                                                          .height = 12,
                                                          .mip_levels = 3,
                                                          .format = format,
                                                          .usage = ROUND_TRIP,
                                                          .data = blocks,
                                                          .data_size = (size_t)15 * bytes });
    gpool_texture_region small = { .mip_level = 1 };
    assert_good(gpool_texture_write(f->pool, texture, &small, level1, (size_t)6 * bytes, 0));
    check(f, texture, NULL, blocks, (size_t)15 * bytes);
    check(f, texture, &small, level1, (size_t)6 * bytes);
    gpool_texture_region part = { .x = 8, .y = 4, .width = 4, .height = 8 };
    fill(level1, (size_t)2 * bytes, 16);
    assert_good(gpool_texture_write(f->pool, texture, &part, level1, (size_t)2 * bytes, 0));
    memcpy(blocks + (size_t)(5 + 2) * bytes, level1, bytes);
    memcpy(blocks + (size_t)(10 + 2) * bytes, level1 + bytes, bytes);
    check(f, texture, NULL, blocks, (size_t)15 * bytes);
    part.x = 2;
    assert_result(gpool_texture_write(f->pool, texture, &part, level1, (size_t)2 * bytes, 0),
                  GPOOL_ERROR_MISALIGNED);
    fixture_expect(f, GPOOL_LOG_ALIGNMENT, 1);
    assert_good(gpool_texture_resize(f->pool, texture, 8, 12, 0));
    memcpy(blocks + (size_t)2 * bytes, blocks + (size_t)5 * bytes, (size_t)2 * bytes);
    memcpy(blocks + (size_t)4 * bytes, blocks + (size_t)10 * bytes, (size_t)2 * bytes);
    check(f, texture, NULL, blocks, (size_t)6 * bytes);
}

static void block_formats_go_round_where_they_are(void **state)
{
    fixture *f = *state;
    static const struct {
        WGPUFeatureName feature;
        const char *name;
        WGPUTextureFormat format;
        uint32_t bytes;
    } kinds[] = {
        { WGPUFeatureName_TextureCompressionBC, "BC", WGPUTextureFormat_BC1RGBAUnorm, 8 },
        { WGPUFeatureName_TextureCompressionBC, "BC", WGPUTextureFormat_BC7RGBAUnorm, 16 },
        { WGPUFeatureName_TextureCompressionETC2, "ETC2", WGPUTextureFormat_ETC2RGB8Unorm, 8 },
        { WGPUFeatureName_TextureCompressionASTC, "ASTC", WGPUTextureFormat_ASTC4x4Unorm, 16 },
    };
    const WGPUFeatureName features[] = { WGPUFeatureName_TextureCompressionBC,
                                         WGPUFeatureName_TextureCompressionETC2,
                                         WGPUFeatureName_TextureCompressionASTC };
    gpool_device *device = fixture_open_with(features, 3);
    fixture_use_device(f, device);
    for (int i = 0; i < 4; ++i) {
        if (gpool_device_has_feature(device, kinds[i].feature)) {
            block_format_round_trip(f, kinds[i].format, kinds[i].bytes);
        } else {
            print_message("skipped: %s blocks, the adapter lacks them\n", kinds[i].name);
        }
    }
}

static void write_after_record_is_seen_by_the_recorded_copy(void **state)
{
    fixture *f = *state;
    const uint32_t texel = 0x04030201;
    gpool_texture source = fixture_target(f, 4, 4);
    gpool_texture target = fixture_target(f, 4, 4);
    gpool_texture_region region = { .x = 1, .y = 2, .width = 1, .height = 1 };
    assert_good(gpool_begin_frame(f->pool));
    gpool_copy_texture(gpool_frame_recorder(f->pool), source, NULL, target, NULL);
    assert_good(gpool_texture_write(f->pool, source, &region, &texel, 4, 0));
    assert_good(gpool_end_frame(f->pool));
    assert_pixel(f, target, 1, 2, 0x01020304);
    assert_pixel(f, target, 0, 0, 0);
}

int gpu_textures_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(every_color_format_and_width_goes_round),
        FIXTURE_TEST(new_texture_is_zero),
        FIXTURE_TEST(rectangles_spare_their_neighbours),
        FIXTURE_TEST(every_level_and_layer_has_its_own_texels),
        FIXTURE_TEST(boxes_of_a_3d_texture_spare_their_neighbours),
        FIXTURE_TEST(row_of_a_1d_texture_goes_round),
        FIXTURE_TEST(initial_data_with_stride_is_taken),
        FIXTURE_TEST(short_data_is_refused_and_changes_nothing),
        FIXTURE_TEST(depth_and_stencil_texels_go_round_where_they_may),
        FIXTURE_TEST(block_formats_go_round_where_they_are),
        FIXTURE_TEST(write_after_record_is_seen_by_the_recorded_copy),
    };
    return FIXTURE_RUN("textures", tests);
}
