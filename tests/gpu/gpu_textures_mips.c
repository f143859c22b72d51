/* Generated mips against means computed on the CPU, by format, extent, layers and range. */
#include "gpu/fixture.h"

#include <math.h>
#include <string.h>

int gpu_textures_mips_run(void);

#define MIPS      (GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_READ_BACK)
#define MOST_SIDE 72u

/* --- texels as four numbers --- */

static double from_srgb(double value)
{
    return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4);
}

static double to_srgb(double value)
{
    return value <= 0.0031308 ? value * 12.92 : 1.055 * pow(value, 1 / 2.4) - 0.055;
}

static double from_half(uint16_t bits)
{
    int exponent = bits >> 10 & 31;
    double fraction = bits & 1023;
    double value = exponent == 0 ? ldexp(fraction, -24) : ldexp(1024 + fraction, exponent - 25);
    return bits >> 15 != 0 ? -value : value;
}

typedef struct format {
    WGPUTextureFormat format;
    uint32_t bytes;
} format;

static const format rgba8 = { WGPUTextureFormat_RGBA8Unorm, 4 };
static const format srgb8 = { WGPUTextureFormat_RGBA8UnormSrgb, 4 };
static const format half4 = { WGPUTextureFormat_RGBA16Float, 8 };

/* A component in linear light. */
static double decode(format f, const uint8_t *texel, uint32_t component)
{
    if (f.bytes == 8) {
        uint16_t bits;
        memcpy(&bits, texel + component * (size_t)2, sizeof bits);
        return from_half(bits);
    }
    double value = texel[component] / 255.0;
    return f.format == srgb8.format && component < 3 ? from_srgb(value) : value;
}

/* How far a stored component is from what it should be, in steps of the format. */
static double distance(format f, const uint8_t *texel, uint32_t component, double wanted)
{
    double got = decode(f, texel, component);
    if (f.bytes == 8) {
        return fabs(got - wanted) / (ldexp(fabs(wanted), -10) + ldexp(1, -14));
    }
    if (f.format == srgb8.format && component < 3) {
        return fabs(to_srgb(got) - to_srgb(wanted)) * 255;
    }
    return fabs(got - wanted) * 255;
}

static uint32_t extent_at(uint32_t extent, uint32_t level)
{
    return extent >> level > 0 ? extent >> level : 1;
}

/* How much of texel `i` of `size` lies in texel `at` of `below`, of the length of one of `below`. */
static double share(uint32_t i, uint32_t size, uint32_t at, uint32_t below)
{
    double first = fmax((double)i / size, (double)at / below);
    double end = fmin((double)(i + 1) / size, (double)(at + 1) / below);
    return end > first ? (end - first) * below : 0;
}

/* Compares a level with the means of the level above, as both are on the GPU. */
static void check_level(format f, uint32_t width, uint32_t height, uint32_t level,
                        const uint8_t *above, const uint8_t *got)
{
    uint32_t w0 = extent_at(width, level - 1), h0 = extent_at(height, level - 1);
    uint32_t w1 = extent_at(width, level), h1 = extent_at(height, level);
    for (uint32_t i = 0; i < w1 * h1 * 4; ++i) {
        uint32_t x = i / 4 % w1, y = i / 4 / w1;
        double mean = 0;
        /* Three rows and columns hold all that has a share. */
        for (uint32_t v = 2 * y; v < 2 * y + 3 && v < h0; ++v) {
            for (uint32_t u = 2 * x; u < 2 * x + 3 && u < w0; ++u) {
                mean += share(u, w0, x, w1) * share(v, h0, y, h1) *
                        decode(f, above + ((size_t)v * w0 + u) * f.bytes, i % 4);
            }
        }
        double off = distance(f, got + ((size_t)y * w1 + x) * f.bytes, i % 4, mean);
        if (off > 1.01) {
            print_error("level %u of %u x %u: component %u of texel [%u %u] is %f steps off\n",
                        level, width, height, i % 4, x, y, off);
            fail();
        }
    }
}

/* --- textures --- */

static gpool_texture make(fixture *f, gpool_texture_desc desc)
{
    desc.usage = desc.usage != 0 ? desc.usage : MIPS;
    desc.mip_levels = desc.mip_levels != 0 ? desc.mip_levels : UINT32_MAX;
    desc.label = "mipped";
    gpool_texture texture = gpool_texture_create(f->pool, &desc);
    gpool_texture_info info = { .failed = true };
    assert_good(gpool_texture_get_info(f->pool, texture, &info));
    assert_false(info.failed);
    return texture;
}

static void fill(format f, uint8_t *texels, size_t count, uint64_t *seed)
{
    for (size_t i = 0; i < count * 4; ++i) {
        if (f.bytes == 8) {
            /* Halves from 2^-4 to 2^4, of both signs. */
            uint16_t bits =
                (uint16_t)(fixture_random(seed, 2) << 15 | (11 + fixture_random(seed, 8)) << 10 |
                           fixture_random(seed, 1024));
            memcpy(texels + i * 2, &bits, sizeof bits);
        } else {
            texels[i] = (uint8_t)fixture_random(seed, 256);
        }
    }
}

static void generate(fixture *f, gpool_texture texture, const gpool_mip_range *range)
{
    assert_good(gpool_begin_frame(f->pool));
    gpool_texture_generate_mips(gpool_frame_recorder(f->pool), texture, range);
    assert_good(gpool_end_frame(f->pool));
}

static void read_level(fixture *f, gpool_texture texture, uint32_t level, uint32_t layer,
                       uint8_t *texels, size_t size)
{
    gpool_texture_region region = { .mip_level = level, .z = layer };
    assert_good(gpool_texture_read(f->pool, texture, &region, texels, size));
}

/* All levels of all layers of one extent. */
static void check_extent(fixture *f, format form, uint32_t width, uint32_t height, uint32_t layers,
                         uint64_t *seed)
{
    static uint8_t level0[6 * MOST_SIDE * MOST_SIDE * 8];
    static uint8_t levels[2][MOST_SIDE * MOST_SIDE * 8];
    size_t layer_size = (size_t)width * height * form.bytes;
    fill(form, level0, (size_t)layers * width * height, seed);
    gpool_texture texture = make(f, (gpool_texture_desc){ .width = width,
                                                          .height = height,
                                                          .depth_or_layers = layers,
                                                          .format = form.format,
                                                          .data = level0,
                                                          .data_size = layers * layer_size });
    gpool_texture_info info;
    assert_good(gpool_texture_get_info(f->pool, texture, &info));
    generate(f, texture, NULL);
    for (uint32_t layer = 0; layer < layers; ++layer) {
        read_level(f, texture, 0, layer, levels[0], layer_size);
        assert_bytes(levels[0], level0 + layer * layer_size, layer_size);
        for (uint32_t level = 1; level < info.mip_levels; ++level) {
            size_t size = (size_t)extent_at(width, level) * extent_at(height, level) * form.bytes;
            read_level(f, texture, level, layer, levels[level % 2], size);
            check_level(form, width, height, level, levels[(level + 1) % 2], levels[level % 2]);
        }
    }
    assert_good(gpool_texture_destroy(f->pool, texture));
}

static void check_format(fixture *f, format form)
{
    uint64_t seed = fixture_seed(form.format);
    static const uint32_t extents[][2] = { { 64, 64 }, { 13, 7 }, { 1, 9 },
                                           { 33, 5 },  { 72, 3 }, { 71, 69 } };
    for (size_t i = 0; i < sizeof extents / sizeof extents[0]; ++i) {
        check_extent(f, form, extents[i][0], extents[i][1], 1, &seed);
    }
    check_extent(f, form, 21, 15, 3, &seed);
    check_extent(f, form, 16, 16, 6, &seed);
}

/* --- tests --- */

static void rgba8unorm_levels_are_means(void **state)
{
    check_format(*state, rgba8);
}

static void srgb_levels_are_means_in_linear_light(void **state)
{
    check_format(*state, srgb8);
}

static void half_float_levels_are_means(void **state)
{
    check_format(*state, half4);
}

static void infinite_texel_stays_where_it_is(void **state)
{
    fixture *f = *state;
    /* The even row of 4: the third texel is no part of the first one below. */
    static const uint16_t row[4][4] = {
        { 0x3c00, 0x3c00, 0x3c00, 0x3c00 },
        { 0x3c00, 0x3c00, 0x3c00, 0x3c00 },
        { 0x7c00, 0x7c00, 0x7c00, 0x7c00 },
        { 0x3c00, 0x3c00, 0x3c00, 0x3c00 },
    };
    gpool_texture texture =
        make(f, (gpool_texture_desc){
                    .width = 4, .format = half4.format, .data = row, .data_size = sizeof row });
    generate(f, texture, NULL);
    uint16_t got[2][4];
    read_level(f, texture, 1, 0, (uint8_t *)got, sizeof got);
    assert_int_equal(got[0][0], 0x3c00);
    assert_int_equal(got[1][0] & 0x7c00, 0x7c00); /* SwiftShader stores a NaN */
}

static void only_levels_and_layers_of_the_range_change(void **state)
{
    fixture *f = *state;
    enum {
        SIDE = 32,
        LAYERS = 4,
        LEVELS = 6
    };
    gpool_texture texture = make(
        f, (gpool_texture_desc){
               .width = SIDE, .height = SIDE, .depth_or_layers = LAYERS, .format = rgba8.format });
    static uint8_t texels[SIDE * SIDE * 4];
    for (uint32_t level = 0; level < LEVELS; ++level) {
        for (uint32_t layer = 0; layer < LAYERS; ++layer) {
            memset(texels, (int)(10 * (level + 1) + layer), sizeof texels);
            gpool_texture_region region = { .mip_level = level, .z = layer };
            assert_good(gpool_texture_write(f->pool, texture, &region, texels, sizeof texels, 0));
        }
    }
    generate(
        f, texture,
        &(gpool_mip_range){ .base_level = 1, .level_count = 2, .base_layer = 1, .layer_count = 2 });
    for (uint32_t level = 0; level < LEVELS; ++level) {
        for (uint32_t layer = 0; layer < LAYERS; ++layer) {
            bool made = (level == 2 || level == 3) && (layer == 1 || layer == 2);
            size_t size = (size_t)(SIDE >> level) * (SIDE >> level) * 4;
            uint8_t got[SIDE * SIDE * 4];
            memset(texels, (int)(10 * (made ? 2 : level + 1) + layer), sizeof texels);
            read_level(f, texture, level, layer, got, size);
            assert_bytes(got, texels, size);
        }
    }
    /* The last level has none below it. */
    generate(f, texture, &(gpool_mip_range){ .base_level = LEVELS - 1 });
}

static void levels_are_made_of_what_was_drawn_before(void **state)
{
    fixture *f = *state;
    gpool_texture texture =
        make(f, (gpool_texture_desc){ .width = 20, .height = 12, .format = rgba8.format });
    gpool_texture copy =
        make(f, (gpool_texture_desc){ .width = 5,
                                      .height = 3,
                                      .mip_levels = 1,
                                      .usage = GPOOL_TEXTURE_COPY_TARGET | GPOOL_TEXTURE_READ_BACK,
                                      .format = rgba8.format });
    static const double colors[2][4] = { { 1, 0, 0, 1 }, { 0, 1, 0, 1 } };
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    for (int i = 0; i < 2; ++i) {
        gpool_render_desc pass = { .color[0] = { .texture = texture } };
        memcpy(pass.color[0].clear, colors[i], sizeof colors[i]);
        gpool_begin_render(rec, &pass);
        gpool_end_pass(rec);
        gpool_texture_generate_mips(rec, texture, NULL);
        if (i == 0) {
            gpool_copy_texture(rec, texture, &(gpool_texture_region){ .mip_level = 2 }, copy, NULL);
        }
    }
    assert_good(gpool_end_frame(f->pool));
    assert_pixel(f, copy, 4, 2, 0xff0000ff);
    uint8_t last[4];
    read_level(f, texture, 4, 0, last, 4);
    assert_int_equal(last[0], 0);
    assert_int_equal(last[1], 255);
}

static void second_frame_makes_no_object(void **state)
{
    fixture *f = *state;
    gpool_texture a =
        make(f, (gpool_texture_desc){ .width = 64, .height = 64, .format = rgba8.format });
    gpool_texture b =
        make(f, (gpool_texture_desc){ .width = 16, .height = 16, .format = rgba8.format });
    generate(f, a, NULL);
    uint64_t pipelines = gpool_gpu_call_count(f->pool, GPOOL_GPU_DeviceCreateRenderPipeline);
    assert_int_equal(pipelines, 1);
    gpool_stats before = fixture_stats(f);
    generate(f, a, NULL);
    gpool_stats after = fixture_stats(f);
    assert_int_equal(after.gpu_objects, before.gpu_objects);
    assert_int_equal(after.allocations, before.allocations);
    assert_int_equal(after.draws, before.draws + 6);
    /* Another texture of the format compiles nothing, another format once. */
    generate(f, b, NULL);
    assert_int_equal(gpool_gpu_call_count(f->pool, GPOOL_GPU_DeviceCreateRenderPipeline), 1);
    assert_int_equal(gpool_gpu_call_count(f->pool, GPOOL_GPU_DeviceCreateShaderModule), 1);
    gpool_texture c =
        make(f, (gpool_texture_desc){ .width = 16, .height = 16, .format = half4.format });
    generate(f, c, NULL);
    assert_int_equal(gpool_gpu_call_count(f->pool, GPOOL_GPU_DeviceCreateRenderPipeline), 2);
    assert_int_equal(gpool_gpu_call_count(f->pool, GPOOL_GPU_DeviceCreateShaderModule), 1);
    /* A resize ends what was kept of it. */
    assert_good(gpool_texture_resize(f->pool, a, 32, 32, 0));
    generate(f, a, NULL);
    assert_good(gpool_texture_destroy(f->pool, b));
    generate(f, a, NULL);
}

static void many_layers_keep_nothing(void **state)
{
    fixture *f = *state;
    enum {
        SIDE = 8,
        LAYERS = 40
    };
    static uint8_t texels[LAYERS][SIDE * SIDE * 4];
    for (int layer = 0; layer < LAYERS; ++layer) {
        memset(texels[layer], layer * 6, sizeof texels[layer]);
    }
    gpool_texture texture = make(f, (gpool_texture_desc){ .width = SIDE,
                                                          .height = SIDE,
                                                          .depth_or_layers = LAYERS,
                                                          .format = rgba8.format,
                                                          .data = texels,
                                                          .data_size = sizeof texels });
    generate(f, texture, NULL);
    uint64_t bytes = fixture_stats(f).cpu_bytes;
    generate(f, texture, NULL);
    assert_int_equal(fixture_stats(f).cpu_bytes, bytes);
    for (uint32_t layer = 0; layer < LAYERS; layer += 13) {
        uint8_t got[4];
        read_level(f, texture, 3, layer, got, 4);
        assert_int_equal(got[0], layer * 6);
    }
}

static void texture_destroyed_after_record_is_no_matter(void **state)
{
    fixture *f = *state;
    gpool_texture texture =
        make(f, (gpool_texture_desc){ .width = 64, .height = 64, .format = rgba8.format });
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_texture_generate_mips(rec, texture, NULL);
    assert_result(gpool_texture_resize(f->pool, texture, 8, 8, 0), GPOOL_ERROR_RECORDED);
    fixture_expect(f, GPOOL_LOG_RECORDED, 1);
    assert_good(gpool_texture_destroy(f->pool, texture));
    assert_good(gpool_end_frame(f->pool));
    assert_good(gpool_wait_idle(f->pool));
}

static void mips_are_made_on_the_next_device_too(void **state)
{
    fixture *f = *state;
    const uint32_t texels[4] = { 0xff00ff00, 0xff00ff00, 0xff00ff00, 0xff00ff00 };
    gpool_texture texture =
        make(f, (gpool_texture_desc){ .width = 2, .height = 2, .format = rgba8.format });
    generate(f, texture, NULL);
    gpool_device *device = fixture_open_with(NULL, 0);
    assert_good(gpool_recover(f->pool, device, NULL, NULL));
    gpool_device_release(device);
    fixture_expect(f, GPOOL_LOG_CONTENT_LOST, 1);
    fixture_expect(f, GPOOL_LOG_RECOVERED, 1);
    assert_good(gpool_texture_write(f->pool, texture, NULL, texels, sizeof texels, 0));
    generate(f, texture, NULL);
    uint8_t got[4];
    read_level(f, texture, 1, 0, got, 4);
    assert_bytes(got, texels, 4);
}

/* Refused, it changes nothing and is told once. */
static void refused(fixture *f, gpool_texture texture, const gpool_mip_range *range,
                    gpool_result code, gpool_log_id id)
{
    uint64_t draws = fixture_stats(f).draws;
    assert_good(gpool_begin_frame(f->pool));
    gpool_texture_generate_mips(gpool_frame_recorder(f->pool), texture, range);
    assert_result(gpool_end_frame(f->pool), code);
    fixture_expect(f, id, 1);
    assert_int_equal(fixture_stats(f).draws, draws);
}

static void what_cannot_have_mips_is_told(void **state)
{
    fixture *f = *state;
    gpool_texture_desc desc = { .width = 8, .height = 8, .format = rgba8.format };
    gpool_texture good = make(f, desc);
    desc.usage = GPOOL_TEXTURE_TARGET;
    refused(f, make(f, desc), NULL, GPOOL_ERROR_MISSING_USAGE, GPOOL_LOG_USAGE);
    desc.usage = GPOOL_TEXTURE_SAMPLED;
    refused(f, make(f, desc), NULL, GPOOL_ERROR_MISSING_USAGE, GPOOL_LOG_USAGE);
    desc.usage = 0;
    static const WGPUTextureFormat formats[] = { WGPUTextureFormat_RGBA8Uint,
                                                 WGPUTextureFormat_R32Float,
                                                 WGPUTextureFormat_Depth16Unorm };
    for (int i = 0; i < 3; ++i) {
        desc.format = formats[i];
        refused(f, make(f, desc), NULL, GPOOL_ERROR_UNSUPPORTED, GPOOL_LOG_UNSUPPORTED);
    }
    desc.format = rgba8.format;
    desc.dimension = WGPUTextureDimension_3D;
    desc.depth_or_layers = 4;
    refused(f, make(f, desc), NULL, GPOOL_ERROR_UNSUPPORTED, GPOOL_LOG_UNSUPPORTED);
    static const gpool_mip_range outside[] = {
        { .base_level = 4 },  { .base_level = 3, .level_count = 1 },
        { .level_count = 4 }, { .level_count = UINT32_MAX, .base_level = 1 },
        { .base_layer = 1 },  { .layer_count = 2 }
    };
    for (size_t i = 0; i < sizeof outside / sizeof outside[0]; ++i) {
        refused(f, good, &outside[i], GPOOL_ERROR_OUT_OF_RANGE, GPOOL_LOG_RANGE);
    }
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_compute(rec, "open");
    gpool_texture_generate_mips(rec, good, NULL);
    gpool_end_pass(rec);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_WRONG_PHASE);
    fixture_expect(f, GPOOL_LOG_PHASE, 1);
}

static void float32_has_mips_where_it_is_filtered(void **state)
{
    fixture *f = *state;
    const WGPUFeatureName feature = WGPUFeatureName_Float32Filterable;
    gpool_device *device = fixture_open_with(&feature, 1);
    bool has = gpool_device_has_feature(device, feature);
    fixture_use_device(f, device);
    if (!has) {
        print_message("skipped: the adapter does not filter 32-bit floats\n");
        return;
    }
    const float texels[2] = { 1.0f, 4.0f };
    gpool_texture texture = make(f, (gpool_texture_desc){ .width = 2,
                                                          .format = WGPUTextureFormat_R32Float,
                                                          .data = texels,
                                                          .data_size = sizeof texels });
    generate(f, texture, NULL);
    float got = 0;
    gpool_texture_region region = { .mip_level = 1 };
    assert_good(gpool_texture_read(f->pool, texture, &region, &got, sizeof got));
    assert_true(got == 2.5f);
}

int gpu_textures_mips_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(rgba8unorm_levels_are_means),
        FIXTURE_TEST(srgb_levels_are_means_in_linear_light),
        FIXTURE_TEST(half_float_levels_are_means),
        FIXTURE_TEST(infinite_texel_stays_where_it_is),
        FIXTURE_TEST(only_levels_and_layers_of_the_range_change),
        FIXTURE_TEST(levels_are_made_of_what_was_drawn_before),
        FIXTURE_TEST(second_frame_makes_no_object),
        FIXTURE_TEST(many_layers_keep_nothing),
        FIXTURE_TEST(texture_destroyed_after_record_is_no_matter),
        FIXTURE_TEST(mips_are_made_on_the_next_device_too),
        FIXTURE_TEST(what_cannot_have_mips_is_told),
        FIXTURE_TEST(float32_has_mips_where_it_is_filtered),
    };
    return FIXTURE_RUN("textures_mips", tests);
}
