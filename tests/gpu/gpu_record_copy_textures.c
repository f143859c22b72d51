/*
 * Copies between textures: small compressed levels, depth and stencil, samples, layers of one level.
 */
#include "gpu/fixture.h"

#include <string.h>

int gpu_record_copy_textures_run(void);

#define COPYABLE (GPOOL_TEXTURE_COPY_SOURCE | GPOOL_TEXTURE_COPY_TARGET | GPOOL_TEXTURE_READ_BACK)

static gpool_texture make(fixture *f, const char *label, uint32_t size, WGPUTextureFormat format,
                          gpool_texture_desc rest)
{
    rest.width = size;
    rest.height = size;
    rest.format = format;
    rest.label = label;
    rest.usage = rest.usage != 0 ? rest.usage : COPYABLE;
    gpool_texture texture = gpool_texture_create(f->pool, &rest);
    gpool_texture_info info = { .failed = true };
    assert_good(gpool_texture_get_info(f->pool, texture, &info));
    assert_false(info.failed);
    return texture;
}

/* One copy in a frame of its own. */
static gpool_result copy(fixture *f, gpool_texture from, gpool_texture_region source,
                         gpool_texture to, gpool_texture_region target)
{
    assert_good(gpool_begin_frame(f->pool));
    gpool_copy_texture(gpool_frame_recorder(f->pool), from, &source, to, &target);
    return gpool_end_frame(f->pool);
}

static bool use_compressed_device(fixture *f)
{
    static const WGPUFeatureName features[] = { WGPUFeatureName_TextureCompressionBC };
    gpool_device *device = fixture_open_with(features, 1);
    bool there = gpool_device_has_feature(device, features[0]);
    fixture_use_device(f, device);
    if (!there) {
        print_message("skipped: the device has no TextureCompressionBC\n");
        memset(fixture_device_log(), 0, sizeof(fixture_log));
    }
    return there;
}

/* Levels of 16x16 BC1: 16, 8, 4, 2, 1 texels, of 16, 4, 1, 1, 1 blocks of 8 bytes. */
static void compressed_levels_below_a_block_are_copied(void **state)
{
    fixture *f = *state;
    if (!use_compressed_device(f)) {
        skip();
    }
    gpool_texture_desc levels = { .mip_levels = 5 };
    gpool_texture a = make(f, "a", 16, WGPUTextureFormat_BC1RGBAUnorm, levels);
    gpool_texture b = make(f, "b", 16, WGPUTextureFormat_BC1RGBAUnormSrgb, levels);
    uint8_t block[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    uint8_t got[8];
    for (uint32_t level = 2; level < 5; ++level) {
        block[0] = (uint8_t)(40 + level);
        gpool_texture_region part = { .mip_level = level };
        assert_good(gpool_texture_write(f->pool, a, &part, block, sizeof block, 0));
        /* Whole, to the same level of a texture of the sRGB twin. */
        assert_good(copy(f, a, part, b, part));
        assert_good(gpool_texture_read(f->pool, b, &part, got, sizeof got));
        assert_bytes(got, block, sizeof got);
        /* A block in the middle of a larger level. */
        gpool_texture_region inside = { .x = 4, .y = 8, .width = 4, .height = 4 };
        assert_good(copy(f, a, part, b, inside));
        assert_good(gpool_texture_read(f->pool, b, &inside, got, sizeof got));
        assert_bytes(got, block, sizeof got);
        /* And back from there into the small level. */
        block[1] += 1;
        assert_good(gpool_texture_write(f->pool, b, &inside, block, sizeof block, 0));
        assert_good(copy(f, b, inside, a, part));
        assert_good(gpool_texture_read(f->pool, a, &part, got, sizeof got));
        assert_bytes(got, block, sizeof got);
    }
    gpool_texture_region cut = { .width = 2, .height = 4 };
    assert_result(copy(f, a, cut, b, (gpool_texture_region){ 0 }), GPOOL_ERROR_MISALIGNED);
    gpool_texture_region wide = { .mip_level = 3, .width = 8, .height = 4 };
    assert_result(copy(f, a, wide, b, (gpool_texture_region){ 0 }), GPOOL_ERROR_OUT_OF_RANGE);
    fixture_expect(f, GPOOL_LOG_ALIGNMENT, 1);
    fixture_expect(f, GPOOL_LOG_RANGE, 1);
}

static void depth_and_stencil_are_copied_together(void **state)
{
    fixture *f = *state;
    static const WGPUTextureFormat formats[] = { WGPUTextureFormat_Depth24PlusStencil8,
                                                 WGPUTextureFormat_Depth24Plus,
                                                 WGPUTextureFormat_Depth32Float,
                                                 WGPUTextureFormat_Stencil8 };
    gpool_texture_region all = { 0 };
    for (size_t i = 0; i < sizeof formats / sizeof *formats; ++i) {
        gpool_texture_desc desc = { .usage = GPOOL_TEXTURE_TARGET | COPYABLE };
        gpool_texture a = make(f, "a", 8, formats[i], desc);
        gpool_texture b = make(f, "b", 8, formats[i], desc);
        assert_good(copy(f, a, all, b, all));
        /* One aspect alone is legal only when there is no other. */
        gpool_texture_region depth = { .aspect = WGPUTextureAspect_DepthOnly };
        gpool_texture_region stencil = { .aspect = WGPUTextureAspect_StencilOnly };
        bool only_depth = i == 1 || i == 2;
        assert_result(copy(f, a, depth, b, all), only_depth ? GPOOL_OK : GPOOL_ERROR_UNSUPPORTED);
        assert_result(copy(f, a, all, b, stencil), i == 3 ? GPOOL_OK : GPOOL_ERROR_UNSUPPORTED);
        fixture_expect(f, GPOOL_LOG_UNSUPPORTED, i == 0 ? 2 : 1);
        gpool_texture_region part = { .width = 4, .height = 8 };
        assert_result(copy(f, a, part, b, all), GPOOL_ERROR_UNSUPPORTED);
        fixture_expect(f, GPOOL_LOG_UNSUPPORTED, 1);
    }
    assert_int_equal(fixture_stats(f).dropped_recorders, 0);
}

static void stencil_bytes_arrive(void **state)
{
    fixture *f = *state;
    gpool_texture_desc desc = { .usage = GPOOL_TEXTURE_TARGET | COPYABLE };
    gpool_texture a = make(f, "a", 8, WGPUTextureFormat_Depth24PlusStencil8, desc);
    gpool_texture b = make(f, "b", 8, WGPUTextureFormat_Depth24PlusStencil8, desc);
    gpool_texture_region stencil = { .aspect = WGPUTextureAspect_StencilOnly };
    uint8_t bytes[64];
    uint8_t got[64];
    for (int i = 0; i < 64; ++i) {
        bytes[i] = (uint8_t)(i * 3 + 1);
    }
    assert_good(gpool_texture_write(f->pool, a, &stencil, bytes, sizeof bytes, 0));
    assert_good(copy(f, a, (gpool_texture_region){ 0 }, b, (gpool_texture_region){ 0 }));
    assert_good(gpool_texture_read(f->pool, b, &stencil, got, sizeof got));
    assert_bytes(got, bytes, sizeof got);
}

static void samples_are_copied_whole_and_to_equal_samples(void **state)
{
    fixture *f = *state;
    gpool_texture_desc desc = { .samples = 4,
                                .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_COPY_SOURCE |
                                         GPOOL_TEXTURE_COPY_TARGET };
    gpool_texture a = make(f, "a", 8, WGPUTextureFormat_RGBA8Unorm, desc);
    gpool_texture b = make(f, "b", 8, WGPUTextureFormat_RGBA8Unorm, desc);
    gpool_texture plain = fixture_target(f, 8, 8);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_render(
        rec, &(gpool_render_desc){ .color[0] = { .texture = a, .clear = { 0, 1, 0, 1 } } });
    gpool_end_pass(rec);
    gpool_copy_texture(rec, a, NULL, b, NULL);
    gpool_begin_render(
        rec, &(gpool_render_desc){
                 .color[0] = { .texture = b, .load = GPOOL_LOAD_KEEP, .resolve = plain } });
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(f->pool));
    assert_pixel(f, plain, 3, 5, 0x00ff00ff);
    gpool_texture_region all = { 0 };
    assert_result(copy(f, a, all, plain, all), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_result(copy(f, a, (gpool_texture_region){ .width = 4, .height = 8 }, b, all),
                  GPOOL_ERROR_UNSUPPORTED);
    fixture_expect(f, GPOOL_LOG_ARGUMENT_VALUE, 1);
    fixture_expect(f, GPOOL_LOG_UNSUPPORTED, 1);
    assert_int_equal(fixture_stats(f).dropped_recorders, 0);
}

static void layers_of_one_level_are_copied_when_apart(void **state)
{
    fixture *f = *state;
    gpool_texture_desc layers = { .depth_or_layers = 4 };
    gpool_texture a = make(f, "a", 4, WGPUTextureFormat_RGBA8Unorm, layers);
    uint8_t texels[64];
    uint8_t got[64];
    for (int i = 0; i < 64; ++i) {
        texels[i] = (uint8_t)(i * 3 + 1);
    }
    gpool_texture_region first = { 0 };
    gpool_texture_region last = { .z = 3 };
    assert_good(gpool_texture_write(f->pool, a, &first, texels, sizeof texels, 0));
    assert_good(copy(f, a, first, a, last));
    assert_good(gpool_texture_read(f->pool, a, &last, got, sizeof got));
    assert_bytes(got, texels, sizeof got);
    gpool_texture_region two = { .depth = 2 };
    gpool_texture_region second = { .z = 1 };
    assert_result(copy(f, a, two, a, second), GPOOL_ERROR_INVALID_ARGUMENT);
    /* The slices of a 3D level are one whole. */
    gpool_texture_desc volume = { .depth_or_layers = 4, .dimension = WGPUTextureDimension_3D };
    gpool_texture b = make(f, "b", 4, WGPUTextureFormat_RGBA8Unorm, volume);
    assert_result(copy(f, b, first, b, last), GPOOL_ERROR_INVALID_ARGUMENT);
    fixture_expect(f, GPOOL_LOG_ARGUMENT_VALUE, 2);
    assert_int_equal(fixture_stats(f).dropped_recorders, 0);
}

int gpu_record_copy_textures_run(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(compressed_levels_below_a_block_are_copied),
        FIXTURE_TEST(depth_and_stencil_are_copied_together),
        FIXTURE_TEST(stencil_bytes_arrive),
        FIXTURE_TEST(samples_are_copied_whole_and_to_equal_samples),
        FIXTURE_TEST(layers_of_one_level_are_copied_when_apart),
    };
    return FIXTURE_RUN("record_copy_textures", tests);
}
