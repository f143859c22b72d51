/* What the boundary tests found, one by one. */
#include "bounds.h"

static void refused(bounds_world *w, bool made, gpool_result code, uint64_t value)
{
    bounds_oracle o = { 0 };
    bounds_rule(&o, true, code, value);
    assert_false(bounds_after_made(w, &o, made, value, 0));
}

/* Such as 2^31 - 1: the GPU object of that size in whole words was asked for, and failed. */
static void an_odd_buffer_limit_is_a_limit(void **state)
{
    WGPULimits limits = { .maxBufferSize = 257 };
    bounds_world w;
    bounds_open(&w, bounds_personality(state), &limits);
    gpool_buffer_desc desc = { .size = 257, .usage = GPOOL_BUFFER_VERTEX };
    bounds_before(&w, "gpool_buffer_create");
    refused(&w, gpool_buffer_create(w.pool, &desc).id != 0, GPOOL_ERROR_LIMIT, 257);
    bounds_close(&w);
}

/* Rounding by masks made 12 of 9 texels in blocks of 6, but 10 of 7 in blocks of 10. */
static void edge_blocks_of_any_width_are_named_whole(void **state)
{
    static const WGPUFeatureName feature = WGPUFeatureName_TextureCompressionASTC;
    sim_desc manners = { .personality = bounds_personality(state),
                         .features = &feature,
                         .feature_count = 1 };
    bounds_world w;
    bounds_open_desc(&w, &manners, NULL);
    gpool_texture_desc desc = { .width = 12,
                                .height = 10,
                                .mip_levels = 3,
                                .format = WGPUTextureFormat_ASTC12x10Unorm,
                                .usage = GPOOL_TEXTURE_SAMPLED };
    gpool_texture texture = gpool_texture_create(w.pool, &desc);
    const uint8_t block[16] = { 1 };
    for (uint32_t level = 0; level < 3; ++level) {
        gpool_texture_region whole = { .mip_level = level, .width = 12, .height = 10 };
        bounds_good(&w, gpool_texture_write(w.pool, texture, &whole, block, sizeof block, 0));
    }
    bounds_close(&w);
}

/* The view of all "layers" of a 3D texture was out of range, whatever the caller gave. */
static void slices_of_3d_textures_are_no_layers_of_views(void **state)
{
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    gpool_texture_desc desc = { .width = 4,
                                .height = 4,
                                .depth_or_layers = 4,
                                .dimension = WGPUTextureDimension_3D,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .usage = GPOOL_TEXTURE_SAMPLED };
    gpool_texture texture = gpool_texture_create(w.pool, &desc);
    gpool_view_desc view = { .dimension = WGPUTextureViewDimension_2DArray };
    assert_null(gpool_texture_gpu_view(w.pool, texture, &view, GPOOL_ACCESS_READ));
    assert_same(gpool_last_error(w.pool)->code, GPOOL_ERROR_GPU);
    bounds_close(&w);
}

/* Both came out as "out of range", without the offset. */
static void dynamic_offsets_are_told_and_misaligned_ones_are_misaligned(void **state)
{
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    gpool_buffer buffer = bounds_buffer(&w, NULL, 512, GPOOL_BUFFER_UNIFORM);
    gpool_binding binding = { .buffer = buffer, .size = 256 };
    gpool_recorder rec = bounds_begin_compute(&w);
    static const struct {
        uint32_t offset;
        gpool_result code;
    } bad[] = { { 128, GPOOL_ERROR_MISALIGNED }, { 512, GPOOL_ERROR_OUT_OF_RANGE } };
    for (size_t i = 0; i < UNIT_COUNT(bad); ++i) {
        bounds_oracle o = { 0 };
        bounds_rule(&o, true, bad[i].code, bad[i].offset);
        bounds_before(&w, "gpool_set_bindings");
        gpool_set_bindings(rec, 0, gpool_uniform_layout(w.pool), &binding, 1, &bad[i].offset, 1);
        assert_false(bounds_after_record(&w, &o, bad[i].offset, 0));
    }
    bounds_end_pass(&w, rec, true);
    bounds_close(&w);
}

/* A binding of 272 bytes was asked for where 257 are the most. */
static void a_uniform_limit_that_is_no_multiple_of_16_is_kept(void **state)
{
    WGPULimits limits = { .maxUniformBufferBindingSize = 257 };
    bounds_world w;
    bounds_open(&w, bounds_personality(state), &limits);
    uint8_t data[257] = { 0 };
    gpool_recorder rec = bounds_begin_compute(&w);
    bounds_oracle o = { 0 };
    bounds_rule(&o, true, GPOOL_ERROR_OUT_OF_RANGE, 257);
    bounds_before(&w, "gpool_set_uniforms");
    gpool_set_uniforms(rec, 0, data, 257);
    assert_false(bounds_after_record(&w, &o, 257, 0));
    gpool_set_uniforms(rec, 0, data, 256);
    bounds_end_pass(&w, rec, true);
    bounds_close(&w);
}

/* The message named no number, and the code was that of an unknown enumerator. */
static void a_binding_number_over_the_limit_is_told(void **state)
{
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    gpool_layout_entry entry = { .binding = 1000, .type = GPOOL_BINDING_SAMPLER };
    bounds_before(&w, "gpool_layout_create");
    gpool_layout layout = bounds_layout(&w, &entry, 1);
    refused(&w, layout.id != 0, GPOOL_ERROR_LIMIT, 1000);
    bounds_close(&w);
}

/* 62 repeats filled the list, and what was required behind them was left out. */
static void required_features_may_be_named_again_and_again(void **state)
{
    WGPUFeatureName names[80];
    const WGPUFeatureName has[2] = { WGPUFeatureName_Float32Filterable,
                                     WGPUFeatureName_TextureCompressionBC };
    for (size_t i = 0; i < UNIT_COUNT(names); ++i) {
        names[i] = has[i + 1 == UNIT_COUNT(names)];
    }
    sim_desc manners = { .personality = bounds_personality(state),
                         .features = has,
                         .feature_count = 2 };
    sim *s = sim_create(&manners);
    gpool_gpu table;
    sim_table(s, &table);
    gpool_device_desc desc = { .gpu = &table,
                               .required_features = names,
                               .required_feature_count = UNIT_COUNT(names) };
    gpool_device *device = NULL;
    assert_same(gpool_device_open(&desc, &device), GPOOL_OK);
    assert_true(gpool_device_has_feature(device, has[1]));
    gpool_device_release(device);
    sim_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOUNDS_TEST(an_odd_buffer_limit_is_a_limit),
        BOUNDS_TEST(edge_blocks_of_any_width_are_named_whole),
        BOUNDS_TEST(slices_of_3d_textures_are_no_layers_of_views),
        BOUNDS_TEST(dynamic_offsets_are_told_and_misaligned_ones_are_misaligned),
        BOUNDS_TEST(a_uniform_limit_that_is_no_multiple_of_16_is_kept),
        BOUNDS_TEST(a_binding_number_over_the_limit_is_told),
        BOUNDS_TEST(required_features_may_be_named_again_and_again),
    };
    return cmocka_run_group_tests_name("bounds found", tests, NULL, NULL);
}
