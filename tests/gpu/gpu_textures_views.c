/* Views, twins, samplers, imported textures. */
#include "gpu/fixture.h"

#include <string.h>

int gpu_textures_views_run(void);

static const char load_wgsl[] =
    "@group(0) @binding(0) var picture: texture_2d<f32>;\n"
    "@vertex fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {\n"
    "    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);\n"
    "}\n"
    "@fragment fn fs(@builtin(position) p: vec4f) -> @location(0) vec4f {\n"
    "    return textureLoad(picture, vec2u(p.xy), 0);\n"
    "}\n";

static gpool_texture_info info_of(const fixture *f, gpool_texture texture)
{
    gpool_texture_info info;
    assert_good(gpool_texture_get_info(f->pool, texture, &info));
    return info;
}

/* Draws one texture, seen through `view`, into a target of the same extent. */
static void draw_through(fixture *f, gpool_texture from, gpool_view_desc view, gpool_texture to)
{
    gpool_layout_entry entry = { .binding = 0, .type = GPOOL_BINDING_TEXTURE };
    gpool_layout layout =
        gpool_layout_create(f->pool, &(gpool_layout_desc){ .entries = &entry, .entry_count = 1 });
    gpool_pipeline pipeline =
        fixture_render(f, load_wgsl, (gpool_render_pipeline_desc){ .layouts[0] = layout });
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = to } });
    gpool_set_pipeline(rec, pipeline);
    gpool_set_bindings(rec, 0, layout, &(gpool_binding){ .texture = from, .view = view }, 1, NULL,
                       0);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(f->pool));
    assert_good(gpool_pipeline_destroy(f->pool, pipeline));
    assert_good(gpool_layout_destroy(f->pool, layout));
}

static void equal_views_are_one_object(void **state)
{
    fixture *f = *state;
    gpool_texture_desc desc = { .width = 16,
                                .height = 16,
                                .depth_or_layers = 6,
                                .mip_levels = 3,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .usage = GPOOL_TEXTURE_SAMPLED };
    gpool_texture texture = gpool_texture_create(f->pool, &desc);
    assert_int_equal(info_of(f, texture).view_count, 0);
    WGPUTextureView whole = gpool_texture_gpu_view(f->pool, texture, NULL, GPOOL_ACCESS_READ);
    assert_non_null(whole);
    assert_int_equal(info_of(f, texture).view_count, 1);
    /* Written out in full it is the same view. */
    gpool_view_desc same = { .dimension = WGPUTextureViewDimension_2DArray,
                             .format = WGPUTextureFormat_RGBA8Unorm,
                             .mip_level_count = 3,
                             .layer_count = 6,
                             .aspect = WGPUTextureAspect_All };
    assert_ptr_equal(gpool_texture_gpu_view(f->pool, texture, &same, GPOOL_ACCESS_READ), whole);
    assert_int_equal(info_of(f, texture).view_count, 1);
    uint64_t made = gpool_gpu_call_count(f->pool, GPOOL_GPU_TextureCreateView);
    gpool_view_desc others[] = { { .dimension = WGPUTextureViewDimension_Cube },
                                 { .base_mip_level = 1 },
                                 { .base_layer = 2, .layer_count = 1 },
                                 { .mip_level_count = 1 },
                                 { .format = WGPUTextureFormat_RGBA8UnormSrgb } };
    for (int round = 0; round < 3; ++round) {
        for (size_t i = 0; i < 5; ++i) {
            assert_non_null(
                gpool_texture_gpu_view(f->pool, texture, &others[i], GPOOL_ACCESS_READ));
        }
        assert_int_equal(info_of(f, texture).view_count, 6);
    }
    assert_int_equal(gpool_gpu_call_count(f->pool, GPOOL_GPU_TextureCreateView), made + 5);
}

static void views_are_replaced_with_the_texture(void **state)
{
    fixture *f = *state;
    gpool_texture texture = fixture_target(f, 8, 8);
    assert_non_null(gpool_texture_gpu_view(f->pool, texture, NULL, GPOOL_ACCESS_READ));
    assert_int_equal(info_of(f, texture).view_count, 1);
    assert_good(gpool_texture_resize(f->pool, texture, 16, 16, 0));
    assert_int_equal(info_of(f, texture).view_count, 0);
    assert_int_equal(info_of(f, texture).version, 2);
    assert_non_null(gpool_texture_gpu_view(f->pool, texture, NULL, GPOOL_ACCESS_READ));
    assert_int_equal(info_of(f, texture).view_count, 1);
}

static void impossible_views_are_refused(void **state)
{
    fixture *f = *state;
    gpool_texture texture = fixture_target(f, 8, 8);
    const gpool_view_desc out[] = {
        { .base_mip_level = 1 }, { .mip_level_count = 2 }, { .base_layer = 1 }, { .layer_count = 2 }
    };
    for (int i = 0; i < 4; ++i) {
        assert_null(gpool_texture_gpu_view(f->pool, texture, &out[i], GPOOL_ACCESS_READ));
        assert_int_equal(gpool_last_error(f->pool)->code, GPOOL_ERROR_OUT_OF_RANGE);
    }
    fixture_expect(f, GPOOL_LOG_RANGE, 4);
    const gpool_view_desc wrong[] = { { .format = WGPUTextureFormat_R32Uint },
                                      { .dimension = (WGPUTextureViewDimension)99 },
                                      { .aspect = (WGPUTextureAspect)99 } };
    for (int i = 0; i < 3; ++i) {
        assert_null(gpool_texture_gpu_view(f->pool, texture, &wrong[i], GPOOL_ACCESS_READ));
        assert_int_equal(gpool_last_error(f->pool)->code, GPOOL_ERROR_INVALID_ARGUMENT);
    }
    fixture_expect(f, GPOOL_LOG_ARGUMENT_VALUE, 3);
    assert_int_equal(info_of(f, texture).view_count, 0);
}

static void twin_view_decodes_srgb(void **state)
{
    fixture *f = *state;
    gpool_texture from = fixture_target(f, 4, 4);
    gpool_texture to = fixture_target(f, 4, 4);
    uint8_t texels[64];
    for (int i = 0; i < 64; ++i) {
        texels[i] = 128;
    }
    assert_good(gpool_texture_write(f->pool, from, NULL, texels, sizeof texels, 0));
    draw_through(f, from, (gpool_view_desc){ 0 }, to);
    assert_pixel(f, to, 2, 2, 0x80808080);
    draw_through(f, from, (gpool_view_desc){ .format = WGPUTextureFormat_RGBA8UnormSrgb }, to);
    assert_pixel(f, to, 2, 2, 0x37373780); /* 0.2158 of 255 is 55 */
}

static void view_of_a_level_and_layer_shows_just_that(void **state)
{
    fixture *f = *state;
    gpool_texture_desc desc = { .width = 8,
                                .height = 8,
                                .depth_or_layers = 3,
                                .mip_levels = 2,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .usage = GPOOL_TEXTURE_SAMPLED };
    gpool_texture from = gpool_texture_create(f->pool, &desc);
    gpool_texture to = fixture_target(f, 4, 4);
    uint8_t texels[64];
    memset(texels, 0x42, sizeof texels);
    gpool_texture_region region = { .mip_level = 1, .z = 2 };
    assert_good(gpool_texture_write(f->pool, from, &region, texels, sizeof texels, 0));
    draw_through(f, from,
                 (gpool_view_desc){ .base_mip_level = 1, .base_layer = 2, .layer_count = 1 }, to);
    assert_pixel(f, to, 3, 3, 0x42424242);
    draw_through(f, from, (gpool_view_desc){ .base_layer = 2, .layer_count = 1 }, to);
    assert_pixel(f, to, 3, 3, 0);
}

static void equal_samplers_are_one(void **state)
{
    fixture *f = *state;
    gpool_sampler_desc desc = { .mag_filter = WGPUFilterMode_Linear, .label = "soft" };
    gpool_sampler a = gpool_sampler_create(f->pool, &desc);
    uint64_t made = gpool_gpu_call_count(f->pool, GPOOL_GPU_DeviceCreateSampler);
    gpool_sampler_desc spelled = { .address_u = WGPUAddressMode_ClampToEdge,
                                   .address_w = WGPUAddressMode_ClampToEdge,
                                   .mag_filter = WGPUFilterMode_Linear,
                                   .min_filter = WGPUFilterMode_Nearest,
                                   .lod_max = 32,
                                   .max_anisotropy = 1 };
    gpool_sampler b = gpool_sampler_create(f->pool, &spelled);
    assert_int_equal(a.id, b.id);
    assert_int_equal(gpool_gpu_call_count(f->pool, GPOOL_GPU_DeviceCreateSampler), made);
    assert_int_equal(fixture_stats(f).live_count[GPOOL_KIND_SAMPLER], 1);
    gpool_sampler_desc other = desc;
    other.address_v = WGPUAddressMode_Repeat;
    gpool_sampler c = gpool_sampler_create(f->pool, &other);
    assert_int_not_equal(c.id, a.id);
    gpool_sampler_desc full;
    assert_good(gpool_sampler_get_desc(f->pool, c, &full));
    assert_int_equal(full.address_u, WGPUAddressMode_ClampToEdge);
    assert_int_equal(full.address_v, WGPUAddressMode_Repeat);
    assert_int_equal(full.address_w, WGPUAddressMode_ClampToEdge);
    assert_int_equal(full.mag_filter, WGPUFilterMode_Linear);
    assert_int_equal(full.min_filter, WGPUFilterMode_Nearest);
    assert_true(full.lod_max == 32.0f && full.max_anisotropy == 1);
    assert_string_equal(full.label, "soft");
    /* Each create is one share. */
    assert_good(gpool_sampler_destroy(f->pool, a));
    assert_non_null(gpool_sampler_gpu(f->pool, b));
    assert_good(gpool_sampler_destroy(f->pool, b));
    assert_null(gpool_sampler_gpu(f->pool, b));
    assert_result(gpool_sampler_destroy(f->pool, a), GPOOL_ERROR_STALE_HANDLE);
    fixture_expect(f, GPOOL_LOG_HANDLE_STALE, 2);
    /* A dead sampler is not shared again. */
    gpool_sampler d = gpool_sampler_create(f->pool, &desc);
    assert_int_not_equal(d.id, a.id);
    assert_non_null(gpool_sampler_gpu(f->pool, d));
}

static WGPUTexture make_raw(fixture *f, WGPUTextureUsage usage)
{
    const gpool_gpu *gpu = gpool_device_gpu(f->device);
    WGPUTextureDescriptor desc = { .usage = usage,
                                   .dimension = WGPUTextureDimension_2D,
                                   .size = { 8, 4, 1 },
                                   .format = WGPUTextureFormat_RGBA8Unorm,
                                   .mipLevelCount = 1,
                                   .sampleCount = 1 };
    WGPUTexture raw = gpu->DeviceCreateTexture(gpool_device_raw(f->device), &desc);
    assert_non_null(raw);
    return raw;
}

static void imported_texture_is_drawn_to_and_ends_with_the_frame(void **state)
{
    fixture *f = *state;
    const gpool_gpu *gpu = gpool_device_gpu(f->device);
    WGPUTexture raw = make_raw(f, WGPUTextureUsage_RenderAttachment | WGPUTextureUsage_CopySrc);
    gpool_texture_import_desc desc = { .texture = raw,
                                       .usage = GPOOL_TEXTURE_TARGET,
                                       .this_frame = true,
                                       .label = "picture of the frame" };
    assert_int_equal(gpool_texture_import(f->pool, &desc).id, 0);
    assert_int_equal(gpool_last_error(f->pool)->code, GPOOL_ERROR_WRONG_PHASE);
    fixture_expect(f, GPOOL_LOG_PHASE, 1);
    gpool_pipeline pipeline =
        fixture_render(f, fixture_fill_wgsl, (gpool_render_pipeline_desc){ 0 });
    const float color[4] = { 0, 1, 0, 1 };
    gpool_texture texture = { 0 };
    for (int frame = 0; frame < 3; ++frame) {
        assert_good(gpool_begin_frame(f->pool));
        texture = gpool_texture_import(f->pool, &desc);
        gpool_texture_info info = info_of(f, texture);
        assert_true(info.imported);
        assert_int_equal(info.width, 8);
        assert_int_equal(info.height, 4);
        gpool_recorder rec = gpool_frame_recorder(f->pool);
        gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = texture } });
        gpool_set_pipeline(rec, pipeline);
        gpool_set_uniforms(rec, 0, color, sizeof color);
        gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
        gpool_end_pass(rec);
        assert_good(gpool_end_frame(f->pool));
        assert_result(gpool_texture_get_info(f->pool, texture, &info), GPOOL_ERROR_STALE_HANDLE);
    }
    fixture_expect(f, GPOOL_LOG_HANDLE_STALE, 3);
    assert_int_equal(fixture_stats(f).live_count[GPOOL_KIND_TEXTURE], 0);
    /* The object is the caller's and goes on. */
    assert_int_equal(gpu->TextureGetWidth(raw), 8);
    desc.usage = GPOOL_TEXTURE_READ_BACK;
    desc.this_frame = false;
    texture = gpool_texture_import(f->pool, &desc);
    assert_pixel(f, texture, 7, 3, 0x00ff00ff);
    assert_result(gpool_texture_resize(f->pool, texture, 4, 4, 0), GPOOL_ERROR_UNSUPPORTED);
    fixture_expect(f, GPOOL_LOG_UNSUPPORTED, 1);
    assert_good(gpool_texture_destroy(f->pool, texture));
    assert_int_equal(gpu->TextureGetHeight(raw), 4);
    gpu->TextureRelease(raw);
}

static void import_needs_the_usage_of_the_object(void **state)
{
    fixture *f = *state;
    const gpool_gpu *gpu = gpool_device_gpu(f->device);
    WGPUTexture raw = make_raw(f, WGPUTextureUsage_TextureBinding);
    gpool_texture_import_desc desc = { .texture = raw, .usage = GPOOL_TEXTURE_TARGET };
    assert_int_equal(gpool_texture_import(f->pool, &desc).id, 0);
    desc.usage = 0;
    assert_int_equal(gpool_texture_import(f->pool, &desc).id, 0);
    assert_int_equal(gpool_last_error(f->pool)->code, GPOOL_ERROR_MISSING_USAGE);
    fixture_expect(f, GPOOL_LOG_USAGE, 2);
    desc.usage = GPOOL_TEXTURE_SAMPLED;
    gpool_texture texture = gpool_texture_import(f->pool, &desc);
    assert_false(info_of(f, texture).failed);
    const uint8_t texels[128] = { 0 };
    assert_result(gpool_texture_write(f->pool, texture, NULL, texels, sizeof texels, 0),
                  GPOOL_ERROR_MISSING_USAGE);
    fixture_expect(f, GPOOL_LOG_USAGE, 1);
    assert_good(gpool_texture_destroy(f->pool, texture));
    gpu->TextureRelease(raw);
}

int gpu_textures_views_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(equal_views_are_one_object),
        FIXTURE_TEST(views_are_replaced_with_the_texture),
        FIXTURE_TEST(impossible_views_are_refused),
        FIXTURE_TEST(twin_view_decodes_srgb),
        FIXTURE_TEST(view_of_a_level_and_layer_shows_just_that),
        FIXTURE_TEST(equal_samplers_are_one),
        FIXTURE_TEST(imported_texture_is_drawn_to_and_ends_with_the_frame),
        FIXTURE_TEST(import_needs_the_usage_of_the_object),
    };
    return FIXTURE_RUN("textures_views", tests);
}
