/* Textures: resize keeps the common part in every level, zeros the rest, replaces what hangs on it. */
#include "gpu/fixture.h"

#include <string.h>

int gpu_textures_resize_run(void);

#define ROUND_TRIP (GPOOL_TEXTURE_READ_BACK | GPOOL_TEXTURE_SAMPLED)
#define LARGEST    (80 * 80)

static uint32_t level_extent(uint32_t extent, uint32_t level)
{
    return extent >> level > 0 ? extent >> level : 1;
}

static gpool_texture_info info_of(const fixture *f, gpool_texture texture)
{
    gpool_texture_info info;
    assert_good(gpool_texture_get_info(f->pool, texture, &info));
    return info;
}

/* A texel's value tells its place. */
static uint32_t texel_at(uint32_t level, uint32_t x, uint32_t y, uint32_t z)
{
    return 1 + x + (y << 8) + (z << 16) + (level << 24);
}

static void fill_levels(fixture *f, gpool_texture texture)
{
    static uint32_t texels[LARGEST];
    gpool_texture_info info = info_of(f, texture);
    bool deep = info.dimension == WGPUTextureDimension_3D;
    for (uint32_t level = 0; level < info.mip_levels; ++level) {
        uint32_t w = level_extent(info.width, level);
        uint32_t h = level_extent(info.height, level);
        uint32_t d = deep ? level_extent(info.depth_or_layers, level) : info.depth_or_layers;
        for (uint32_t z = 0; z < d; ++z) {
            for (uint32_t i = 0; i < w * h; ++i) {
                texels[i] = texel_at(level, i % w, i / w, z);
            }
            gpool_texture_region region = { .mip_level = level, .z = z };
            assert_good(gpool_texture_write(f->pool, texture, &region, texels,
                                            (size_t)w * h * sizeof *texels, 0));
        }
    }
}

/* Every level holds its place values where the old extent reaches, zeros elsewhere. */
static void check_levels(fixture *f, gpool_texture texture, gpool_texture_info old)
{
    static uint32_t got[LARGEST];
    static uint32_t wanted[LARGEST];
    gpool_texture_info info = info_of(f, texture);
    bool deep = info.dimension == WGPUTextureDimension_3D;
    for (uint32_t level = 0; level < info.mip_levels; ++level) {
        uint32_t w = level_extent(info.width, level);
        uint32_t h = level_extent(info.height, level);
        uint32_t d = deep ? level_extent(info.depth_or_layers, level) : info.depth_or_layers;
        uint32_t old_w = level < old.mip_levels ? level_extent(old.width, level) : 0;
        uint32_t old_h = level_extent(old.height, level);
        uint32_t old_d = deep ? level_extent(old.depth_or_layers, level) : old.depth_or_layers;
        for (uint32_t z = 0; z < d; ++z) {
            for (uint32_t i = 0; i < w * h; ++i) {
                bool kept = i % w < old_w && i / w < old_h && z < old_d;
                wanted[i] = kept ? texel_at(level, i % w, i / w, z) : 0;
            }
            gpool_texture_region region = { .mip_level = level, .z = z };
            assert_good(gpool_texture_read(f->pool, texture, &region, got, sizeof got));
            assert_bytes(got, wanted, (size_t)w * h * sizeof *got);
        }
    }
}

static void resize_once(fixture *f, gpool_texture_desc desc, uint32_t w, uint32_t h, uint32_t d)
{
    desc.format = WGPUTextureFormat_R32Uint;
    desc.usage = ROUND_TRIP;
    gpool_texture texture = gpool_texture_create(f->pool, &desc);
    fill_levels(f, texture);
    gpool_texture_info old = info_of(f, texture);
    assert_good(gpool_texture_resize(f->pool, texture, w, h, d));
    gpool_texture_info info = info_of(f, texture);
    assert_true(info.version > old.version);
    assert_int_equal(info.width, w);
    assert_int_equal(info.height, h);
    assert_int_equal(info.depth_or_layers, d != 0 ? d : old.depth_or_layers);
    assert_true(info.mip_levels <= old.mip_levels);
    check_levels(f, texture, old);
    assert_good(gpool_texture_destroy(f->pool, texture));
}

static void resize_keeps_the_common_rectangle(void **state)
{
    static const uint32_t extents[][2] = { { 64, 48 }, { 20, 10 }, { 80, 5 },
                                           { 3, 70 },  { 1, 1 },   { 33, 32 } };
    for (size_t i = 0; i < sizeof extents / sizeof extents[0]; ++i) {
        resize_once(*state, (gpool_texture_desc){ .width = 32, .height = 32 }, extents[i][0],
                    extents[i][1], 0);
    }
}

static void resize_keeps_the_common_rectangle_of_each_level(void **state)
{
    static const uint32_t extents[][2] = { { 64, 48 }, { 20, 10 }, { 80, 5 },
                                           { 3, 70 },  { 1, 1 },   { 15, 16 } };
    for (size_t i = 0; i < sizeof extents / sizeof extents[0]; ++i) {
        resize_once(*state,
                    (gpool_texture_desc){ .width = 32, .height = 16, .mip_levels = UINT32_MAX },
                    extents[i][0], extents[i][1], 0);
        resize_once(*state, (gpool_texture_desc){ .width = 33, .height = 31, .mip_levels = 3 },
                    extents[i][0], extents[i][1], 0);
    }
}

static void resize_keeps_common_layers(void **state)
{
    const gpool_texture_desc desc = {
        .width = 16, .height = 8, .depth_or_layers = 4, .mip_levels = 2
    };
    resize_once(*state, desc, 16, 8, 7);
    resize_once(*state, desc, 16, 8, 2);
    resize_once(*state, desc, 24, 4, 1);
    resize_once(*state, desc, 24, 4, 0);
}

static void resize_keeps_the_common_box(void **state)
{
    const gpool_texture_desc desc = { .width = 16,
                                      .height = 8,
                                      .depth_or_layers = 6,
                                      .mip_levels = 3,
                                      .dimension = WGPUTextureDimension_3D };
    resize_once(*state, desc, 20, 20, 20);
    resize_once(*state, desc, 5, 9, 3);
    resize_once(*state, desc, 16, 8, 1);
}

static void equal_extent_changes_nothing(void **state)
{
    fixture *f = *state;
    gpool_texture texture = fixture_target(f, 16, 16);
    gpool_stats before = fixture_stats(f);
    assert_good(gpool_texture_resize(f->pool, texture, 16, 16, 0));
    assert_good(gpool_texture_resize(f->pool, texture, 16, 16, 1));
    assert_int_equal(info_of(f, texture).version, 1);
    assert_int_equal(fixture_stats(f).gpu_calls, before.gpu_calls);
}

static void clear_depth(fixture *f, gpool_texture texture, float value)
{
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_render(rec,
                       &(gpool_render_desc){ .depth = { .texture = texture, .clear = value } });
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(f->pool));
}

static void depth_texture_is_cleared_by_resize(void **state)
{
    fixture *f = *state;
    gpool_texture_desc desc = { .width = 8,
                                .height = 8,
                                .format = WGPUTextureFormat_Depth32Float,
                                .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK };
    gpool_texture texture = gpool_texture_create(f->pool, &desc);
    clear_depth(f, texture, 0.25f);
    float depth[16 * 8];
    assert_good(gpool_texture_read(f->pool, texture, NULL, depth, sizeof depth));
    for (int i = 0; i < 64; ++i) {
        assert_true(depth[i] == 0.25f);
    }
    assert_good(gpool_texture_resize(f->pool, texture, 16, 8, 0));
    assert_int_equal(info_of(f, texture).version, 2);
    assert_good(gpool_texture_read(f->pool, texture, NULL, depth, sizeof depth));
    for (int i = 0; i < 128; ++i) {
        assert_true(depth[i] == 0.0f);
    }
    clear_depth(f, texture, 0.75f);
    assert_good(gpool_texture_read(f->pool, texture, NULL, depth, sizeof depth));
    assert_true(depth[127] == 0.75f);
}

static void multisampled_pair_resizes_and_still_resolves(void **state)
{
    fixture *f = *state;
    gpool_texture_desc desc = { .width = 8,
                                .height = 8,
                                .samples = 4,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .usage = GPOOL_TEXTURE_TARGET };
    gpool_texture many = gpool_texture_create(f->pool, &desc);
    gpool_texture one = fixture_target(f, 8, 8);
    for (uint32_t extent = 8; extent <= 16; extent += 8) {
        assert_good(gpool_texture_resize(f->pool, many, extent, extent, 0));
        assert_good(gpool_texture_resize(f->pool, one, extent, extent, 0));
        assert_good(gpool_begin_frame(f->pool));
        gpool_recorder rec = gpool_frame_recorder(f->pool);
        gpool_render_desc pass = { .color[0] = {
                                       .texture = many, .resolve = one, .clear = { 1, 0, 1, 1 } } };
        gpool_begin_render(rec, &pass);
        gpool_end_pass(rec);
        assert_good(gpool_end_frame(f->pool));
        assert_pixel(f, one, extent - 1, extent - 1, 0xff00ffff);
    }
}

static void resize_is_refused_while_a_recorder_names_the_texture(void **state)
{
    fixture *f = *state;
    gpool_texture texture = fixture_target(f, 8, 8);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_render_desc pass = { .color[0] = { .texture = texture, .clear = { 0, 1, 0, 1 } } };
    gpool_begin_render(rec, &pass);
    gpool_end_pass(rec);
    assert_result(gpool_texture_resize(f->pool, texture, 16, 16, 0), GPOOL_ERROR_RECORDED);
    fixture_expect(f, GPOOL_LOG_RECORDED, 1);
    assert_int_equal(info_of(f, texture).width, 8);
    assert_good(gpool_submit(f->pool));
    assert_good(gpool_texture_resize(f->pool, texture, 16, 16, 0));
    assert_good(gpool_end_frame(f->pool));
    assert_pixel(f, texture, 7, 7, 0x00ff00ff);
    assert_pixel(f, texture, 8, 8, 0);
}

static void impossible_extent_leaves_the_texture_as_it_was(void **state)
{
    fixture *f = *state;
    gpool_device_info device;
    assert_good(gpool_device_get_info(f->device, &device));
    gpool_texture texture = fixture_target(f, 8, 8);
    assert_result(gpool_texture_resize(f->pool, texture, 0, 8, 0), GPOOL_ERROR_OUT_OF_RANGE);
    assert_result(gpool_texture_resize(f->pool, texture, 8, 0, 0), GPOOL_ERROR_OUT_OF_RANGE);
    fixture_expect(f, GPOOL_LOG_RANGE, 2);
    assert_result(
        gpool_texture_resize(f->pool, texture, device.limits.maxTextureDimension2D + 1, 8, 0),
        GPOOL_ERROR_LIMIT);
    assert_result(
        gpool_texture_resize(f->pool, texture, 8, 8, device.limits.maxTextureArrayLayers + 1),
        GPOOL_ERROR_LIMIT);
    fixture_expect(f, GPOOL_LOG_LIMIT, 2);
    assert_int_equal(info_of(f, texture).version, 1);
    assert_int_equal(info_of(f, texture).width, 8);
}

static void resized_away_objects_are_counted_and_freed(void **state)
{
    fixture *f = *state;
    gpool_texture texture = fixture_target(f, 16, 16);
    gpool_stats before = fixture_stats(f);
    assert_int_equal(before.live_bytes[GPOOL_KIND_TEXTURE], 16 * 16 * 4);
    for (uint32_t i = 1; i <= 5; ++i) {
        assert_good(gpool_texture_resize(f->pool, texture, 16 + i, 16, 0));
    }
    gpool_stats stats = fixture_stats(f);
    assert_int_equal(stats.live_count[GPOOL_KIND_TEXTURE], 1);
    assert_int_equal(stats.live_bytes[GPOOL_KIND_TEXTURE], 21 * 16 * 4);
    assert_int_equal(stats.retired_count - before.retired_count, 5);
    assert_int_equal(stats.created, before.created);
    for (int i = 0; i < 4; ++i) {
        assert_good(gpool_begin_frame(f->pool));
        assert_good(gpool_end_frame(f->pool));
        assert_good(gpool_wait_idle(f->pool));
    }
    stats = fixture_stats(f);
    assert_int_equal(stats.retired_count, 0);
    assert_int_equal(stats.retired_bytes, 0);
}

int gpu_textures_resize_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(resize_keeps_the_common_rectangle),
        FIXTURE_TEST(resize_keeps_the_common_rectangle_of_each_level),
        FIXTURE_TEST(resize_keeps_common_layers),
        FIXTURE_TEST(resize_keeps_the_common_box),
        FIXTURE_TEST(equal_extent_changes_nothing),
        FIXTURE_TEST(depth_texture_is_cleared_by_resize),
        FIXTURE_TEST(multisampled_pair_resizes_and_still_resolves),
        FIXTURE_TEST(resize_is_refused_while_a_recorder_names_the_texture),
        FIXTURE_TEST(impossible_extent_leaves_the_texture_as_it_was),
        FIXTURE_TEST(resized_away_objects_are_counted_and_freed),
    };
    return FIXTURE_RUN("textures_resize", tests);
}
