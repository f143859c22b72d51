/* Descriptors of resources with every value out of range. */
#include "gpu/hostile.h"

#include <math.h>
#include <string.h>

/* Values no enumeration has, beside its own last + 1. */
static const uint32_t no_enum[] = { 0x7fffffffu, UINT32_MAX, 0x80000000u, 0x10000u, 0xffu };
#define NO_ENUM_COUNT (sizeof no_enum / sizeof *no_enum)

static uint64_t buffer_of(hostile_world *w, uint64_t size, gpool_buffer_usage usage)
{
    gpool_buffer_desc desc = { .size = size, .usage = usage, .label = "bad buffer" };
    return gpool_buffer_create(w->pool, &desc).id;
}

void hostile_buffer_descs(hostile_world *w)
{
    gpool_device_info info;
    assert_good(gpool_device_get_info(w->f->device, &info));
    uint64_t limit = info.limits.maxBufferSize;
    const gpool_buffer_usage vertex = GPOOL_BUFFER_VERTEX;
    hostile_refused(w, hostile_null(w, buffer_of(w, 0, 0)), MISSING_USAGE, USAGE);
    hostile_refused(w, hostile_null(w, buffer_of(w, 4, 0)), MISSING_USAGE, USAGE);
    hostile_refused(w, hostile_null(w, buffer_of(w, 0, vertex)), OUT_OF_RANGE, RANGE);
    for (int bit = 10; bit < 32; ++bit) {
        gpool_buffer_usage usage = 1u << bit;
        hostile_refused(w, hostile_null(w, buffer_of(w, 4, usage)), INVALID_ARGUMENT,
                        ARGUMENT_VALUE);
        hostile_refused(w, hostile_null(w, buffer_of(w, 4, usage | vertex)), INVALID_ARGUMENT,
                        ARGUMENT_VALUE);
    }
    const gpool_buffer_usage kinds[] = { vertex, GPOOL_BUFFER_STORAGE_WRITE };
    for (int k = 0; k < 2; ++k) {
        hostile_refused(w, hostile_null(w, buffer_of(w, limit + 1, kinds[k])), LIMIT, LIMIT);
        for (int i = 0; i < HOSTILE_EDGES; ++i) {
            if (hostile_edges[i] > limit) {
                hostile_refused(w, hostile_null(w, buffer_of(w, hostile_edges[i], kinds[k])), LIMIT,
                                LIMIT);
                hostile_refused(w, gpool_buffer_resize(w->pool, w->witness, hostile_edges[i]),
                                LIMIT, LIMIT);
            }
        }
    }
    hostile_refused(w, gpool_buffer_resize(w->pool, w->witness, 0), OUT_OF_RANGE, RANGE);
    hostile_good_frame(w);
}

static gpool_texture_desc texture_desc(void)
{
    gpool_texture_desc desc = {
        .width = 4,
        .height = 4,
        .format = WGPUTextureFormat_RGBA8Unorm,
        .usage = GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_READ_BACK,
        .label = "bad texture",
    };
    return desc;
}

#define TEXTURE_REFUSED(w, change, code, log_id)                                                   \
    do {                                                                                           \
        gpool_texture_desc desc = texture_desc();                                                  \
        change;                                                                                    \
        hostile_refused(w, hostile_null(w, gpool_texture_create((w)->pool, &desc).id), code,       \
                        log_id);                                                                   \
    } while (0)

static void texture_enums(hostile_world *w)
{
    TEXTURE_REFUSED(w, desc.format = 0, INVALID_ARGUMENT, ARGUMENT_VALUE);
    TEXTURE_REFUSED(w, desc.format = WGPUTextureFormat_ASTC12x12UnormSrgb + 1, INVALID_ARGUMENT,
                    ARGUMENT_VALUE);
    TEXTURE_REFUSED(w, desc.dimension = WGPUTextureDimension_3D + 1, INVALID_ARGUMENT,
                    ARGUMENT_VALUE);
    for (size_t i = 0; i < NO_ENUM_COUNT; ++i) {
        TEXTURE_REFUSED(w, desc.format = (WGPUTextureFormat)no_enum[i], INVALID_ARGUMENT,
                        ARGUMENT_VALUE);
        TEXTURE_REFUSED(w, desc.dimension = (WGPUTextureDimension)no_enum[i], INVALID_ARGUMENT,
                        ARGUMENT_VALUE);
        TEXTURE_REFUSED(w, desc.samples = no_enum[i], INVALID_ARGUMENT, ARGUMENT_VALUE);
    }
    for (int bit = 6; bit < 32; ++bit) {
        TEXTURE_REFUSED(w, desc.usage |= 1u << bit, INVALID_ARGUMENT, ARGUMENT_VALUE);
    }
    TEXTURE_REFUSED(w, desc.usage = 0, MISSING_USAGE, USAGE);
    for (uint32_t samples = 2; samples < 20; samples += samples == 3 ? 2 : 1) {
        TEXTURE_REFUSED(w, desc.samples = samples, INVALID_ARGUMENT, ARGUMENT_VALUE);
    }
    TEXTURE_REFUSED(w, desc.samples = 4, INVALID_ARGUMENT, ARGUMENT_VALUE); /* no TARGET */
}

void hostile_texture_descs(hostile_world *w)
{
    gpool_device_info info;
    assert_good(gpool_device_get_info(w->f->device, &info));
    const WGPULimits *limits = &info.limits;
    uint8_t data[64] = { 0 };
    texture_enums(w);
    TEXTURE_REFUSED(w, desc.width = 0, OUT_OF_RANGE, RANGE);
    TEXTURE_REFUSED(w, desc.width = limits->maxTextureDimension2D + 1, LIMIT, LIMIT);
    TEXTURE_REFUSED(w, desc.height = limits->maxTextureDimension2D + 1, LIMIT, LIMIT);
    TEXTURE_REFUSED(w, desc.depth_or_layers = limits->maxTextureArrayLayers + 1, LIMIT, LIMIT);
    TEXTURE_REFUSED(w, desc.width = UINT32_MAX, LIMIT, LIMIT);
    TEXTURE_REFUSED(w, desc.height = UINT32_MAX, LIMIT, LIMIT);
    TEXTURE_REFUSED(w, desc.depth_or_layers = UINT32_MAX, LIMIT, LIMIT);
    TEXTURE_REFUSED(w, (desc.dimension = WGPUTextureDimension_1D, desc.height = 2), LIMIT, LIMIT);
    TEXTURE_REFUSED(
        w, (desc.dimension = WGPUTextureDimension_1D, desc.height = 1, desc.depth_or_layers = 2),
        LIMIT, LIMIT);
    TEXTURE_REFUSED(w,
                    (desc.dimension = WGPUTextureDimension_3D,
                     desc.depth_or_layers = limits->maxTextureDimension3D + 1),
                    LIMIT, LIMIT);
    TEXTURE_REFUSED(w, desc.mip_levels = 4, LIMIT, LIMIT);
    TEXTURE_REFUSED(w, desc.mip_levels = 33, LIMIT, LIMIT);
    TEXTURE_REFUSED(w, desc.mip_levels = UINT32_MAX - 1, LIMIT, LIMIT);
    TEXTURE_REFUSED(
        w, (desc.dimension = WGPUTextureDimension_1D, desc.height = 1, desc.mip_levels = 2), LIMIT,
        LIMIT);
    TEXTURE_REFUSED(w, desc.data = data, OUT_OF_RANGE, RANGE);
    TEXTURE_REFUSED(w, (desc.data = data, desc.data_size = 63), OUT_OF_RANGE, RANGE);
    TEXTURE_REFUSED(w, (desc.data = data, desc.data_size = 64, desc.bytes_per_row = 15), MISALIGNED,
                    ALIGNMENT);
    TEXTURE_REFUSED(w, (desc.data = data, desc.data_size = 64, desc.bytes_per_row = 17),
                    OUT_OF_RANGE, RANGE);
    TEXTURE_REFUSED(w, (desc.data = data, desc.data_size = 64, desc.bytes_per_row = UINT32_MAX),
                    OUT_OF_RANGE, RANGE);
    TEXTURE_REFUSED(w, (desc.data = data, desc.data_size = 64, desc.depth_or_layers = 2),
                    OUT_OF_RANGE, RANGE);
    hostile_refused(w, gpool_texture_resize(w->pool, w->witness_texture, 0, 4, 0), OUT_OF_RANGE,
                    RANGE);
    hostile_refused(w, gpool_texture_resize(w->pool, w->witness_texture, 4, 0, 0), OUT_OF_RANGE,
                    RANGE);
    hostile_refused(w, gpool_texture_resize(w->pool, w->witness_texture, UINT32_MAX, 4, 0), LIMIT,
                    LIMIT);
    hostile_refused(w, gpool_texture_resize(w->pool, w->witness_texture, 4, 4, UINT32_MAX), LIMIT,
                    LIMIT);
    hostile_good_frame(w);
}

/* Every format with every dimension, usage and sample count: made, refused or failed, never fatal. */
void hostile_texture_formats(hostile_world *w)
{
    uint32_t made = 0;
    uint32_t refused = 0;
    uint32_t failed = 0;
    for (uint32_t format = 1; format <= WGPUTextureFormat_ASTC12x12UnormSrgb; ++format) {
        for (uint32_t variant = 0; variant < 3 * 6 * 2; ++variant) {
            gpool_texture_desc desc = {
                .width = 60,
                .height = variant % 3 == 0 ? 1 : 60,
                .depth_or_layers = variant % 3 == 2 ? 2 : 1,
                .dimension = (WGPUTextureDimension)(variant % 3 + 1),
                .format = (WGPUTextureFormat)format,
                .usage = 1u << (variant / 3 % 6),
                .samples = variant / 18 == 0 ? 1 : 4,
            };
            if (variant / 18 != 0) {
                desc.usage |= GPOOL_TEXTURE_TARGET;
            }
            gpool_texture texture = gpool_texture_create(w->pool, &desc);
            gpool_texture_info info = { 0 };
            if (texture.id == 0) {
                refused += 1;
                continue;
            }
            assert_good(gpool_texture_get_info(w->pool, texture, &info));
            failed += info.failed;
            made += !info.failed;
            assert_good(gpool_texture_destroy(w->pool, texture));
        }
        assert_good(gpool_tick(w->pool));
    }
    print_message("%u textures made, %u refused, %u failed\n", made, refused, failed);
    hostile_good_frame(w);
}

#define SAMPLER_REFUSED(w, change)                                                                 \
    do {                                                                                           \
        gpool_sampler_desc desc = { 0 };                                                           \
        change;                                                                                    \
        hostile_refused(w, hostile_null(w, gpool_sampler_create((w)->pool, &desc).id),             \
                        INVALID_ARGUMENT, ARGUMENT_VALUE);                                         \
    } while (0)

void hostile_sampler_descs(hostile_world *w)
{
    for (size_t i = 0; i <= NO_ENUM_COUNT; ++i) {
#define NO(last) (i < NO_ENUM_COUNT ? no_enum[i] : (uint32_t)(last) + 1)
        SAMPLER_REFUSED(w, desc.address_u = (WGPUAddressMode)NO(WGPUAddressMode_MirrorRepeat));
        SAMPLER_REFUSED(w, desc.address_v = (WGPUAddressMode)NO(WGPUAddressMode_MirrorRepeat));
        SAMPLER_REFUSED(w, desc.address_w = (WGPUAddressMode)NO(WGPUAddressMode_MirrorRepeat));
        SAMPLER_REFUSED(w, desc.mag_filter = (WGPUFilterMode)NO(WGPUFilterMode_Linear));
        SAMPLER_REFUSED(w, desc.min_filter = (WGPUFilterMode)NO(WGPUFilterMode_Linear));
        SAMPLER_REFUSED(w,
                        desc.mipmap_filter = (WGPUMipmapFilterMode)NO(WGPUMipmapFilterMode_Linear));
        SAMPLER_REFUSED(w, desc.compare = (WGPUCompareFunction)NO(WGPUCompareFunction_Always));
#undef NO
    }
    const float bad[] = { NAN, INFINITY, -INFINITY, -1.0f };
    for (int i = 0; i < 4; ++i) {
        SAMPLER_REFUSED(w, desc.lod_min = bad[i]);
        SAMPLER_REFUSED(w, desc.lod_max = bad[i]);
    }
    SAMPLER_REFUSED(w, (desc.lod_min = 2.0f, desc.lod_max = 1.0f));
    SAMPLER_REFUSED(w, desc.max_anisotropy = 2);
    SAMPLER_REFUSED(w, desc.max_anisotropy = UINT16_MAX);
    SAMPLER_REFUSED(w, (desc.max_anisotropy = 2, desc.mag_filter = WGPUFilterMode_Linear,
                        desc.min_filter = WGPUFilterMode_Linear));
    /* Legal, if strange. */
    gpool_sampler_desc many = { .max_anisotropy = UINT16_MAX,
                                .mag_filter = WGPUFilterMode_Linear,
                                .min_filter = WGPUFilterMode_Linear,
                                .mipmap_filter = WGPUMipmapFilterMode_Linear,
                                .lod_min = 1e30f,
                                .lod_max = 3e38f };
    assert_int_not_equal(gpool_sampler_create(w->pool, &many).id, 0);
    many.compare = WGPUCompareFunction_Never;
    assert_int_not_equal(gpool_sampler_create(w->pool, &many).id, 0);
    hostile_good_frame(w);
}
