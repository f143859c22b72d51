/*
 * Facts about texture formats, written from the specification's tables and on purpose not taken
 * from src/, and the bytes of clear values.
 */
#include "sim_state.h"

#include <math.h>
#include <string.h>

typedef struct format_plain {
    WGPUTextureFormat format;
    uint8_t bytes;
    uint8_t components;
    char type;
} format_plain;

static const format_plain format_plains[] = {
    { WGPUTextureFormat_R8Unorm, 1, 1, 'u' },
    { WGPUTextureFormat_R8Snorm, 1, 1, 's' },
    { WGPUTextureFormat_R8Uint, 1, 1, 'U' },
    { WGPUTextureFormat_R8Sint, 1, 1, 'S' },
    { WGPUTextureFormat_R16Unorm, 2, 1, 'u' },
    { WGPUTextureFormat_R16Snorm, 2, 1, 's' },
    { WGPUTextureFormat_R16Uint, 2, 1, 'U' },
    { WGPUTextureFormat_R16Sint, 2, 1, 'S' },
    { WGPUTextureFormat_R16Float, 2, 1, 'f' },
    { WGPUTextureFormat_RG8Unorm, 2, 2, 'u' },
    { WGPUTextureFormat_RG8Snorm, 2, 2, 's' },
    { WGPUTextureFormat_RG8Uint, 2, 2, 'U' },
    { WGPUTextureFormat_RG8Sint, 2, 2, 'S' },
    { WGPUTextureFormat_R32Float, 4, 1, 'f' },
    { WGPUTextureFormat_R32Uint, 4, 1, 'U' },
    { WGPUTextureFormat_R32Sint, 4, 1, 'S' },
    { WGPUTextureFormat_RG16Unorm, 4, 2, 'u' },
    { WGPUTextureFormat_RG16Snorm, 4, 2, 's' },
    { WGPUTextureFormat_RG16Uint, 4, 2, 'U' },
    { WGPUTextureFormat_RG16Sint, 4, 2, 'S' },
    { WGPUTextureFormat_RG16Float, 4, 2, 'f' },
    { WGPUTextureFormat_RGBA8Unorm, 4, 4, 'u' },
    { WGPUTextureFormat_RGBA8UnormSrgb, 4, 4, 'u' },
    { WGPUTextureFormat_RGBA8Snorm, 4, 4, 's' },
    { WGPUTextureFormat_RGBA8Uint, 4, 4, 'U' },
    { WGPUTextureFormat_RGBA8Sint, 4, 4, 'S' },
    { WGPUTextureFormat_BGRA8Unorm, 4, 4, 'u' },
    { WGPUTextureFormat_BGRA8UnormSrgb, 4, 4, 'u' },
    { WGPUTextureFormat_RGB10A2Uint, 4, 0, 'U' },
    { WGPUTextureFormat_RGB10A2Unorm, 4, 0, 'u' },
    { WGPUTextureFormat_RG11B10Ufloat, 4, 0, 'f' },
    { WGPUTextureFormat_RGB9E5Ufloat, 4, 0, 'f' },
    { WGPUTextureFormat_RG32Float, 8, 2, 'f' },
    { WGPUTextureFormat_RG32Uint, 8, 2, 'U' },
    { WGPUTextureFormat_RG32Sint, 8, 2, 'S' },
    { WGPUTextureFormat_RGBA16Unorm, 8, 4, 'u' },
    { WGPUTextureFormat_RGBA16Snorm, 8, 4, 's' },
    { WGPUTextureFormat_RGBA16Uint, 8, 4, 'U' },
    { WGPUTextureFormat_RGBA16Sint, 8, 4, 'S' },
    { WGPUTextureFormat_RGBA16Float, 8, 4, 'f' },
    { WGPUTextureFormat_RGBA32Float, 16, 4, 'f' },
    { WGPUTextureFormat_RGBA32Uint, 16, 4, 'U' },
    { WGPUTextureFormat_RGBA32Sint, 16, 4, 'S' },
};

static const sim_format format_depths[] = {
    { 1, 1, 1, 0, 1, 0, 0, false, false, 0 }, /* Stencil8 */
    { 1, 1, 2, 2, 0, 0, 0, false, false, 0 }, /* Depth16Unorm */
    { 1, 1, 4, 4, 0, 0, 0, false, false, 0 }, /* Depth24Plus, kept as a float */
    { 1, 1, 5, 4, 1, 0, 0, false, false, 0 }, /* Depth24PlusStencil8 */
    { 1, 1, 4, 4, 0, 0, 0, false, false, 0 }, /* Depth32Float */
    { 1, 1, 5, 4, 1, 0, 0, false, false, WGPUFeatureName_Depth32FloatStencil8 },
};

static sim_format format_block(uint8_t width, uint8_t height, uint8_t bytes,
                               WGPUFeatureName feature)
{
    return (sim_format){
        .block_width = width, .block_height = height, .block_bytes = bytes, .feature = feature
    };
}

static sim_format format_compressed(WGPUTextureFormat format)
{
    static const uint8_t bc[14] = { 8, 8, 16, 16, 16, 16, 8, 8, 16, 16, 16, 16, 16, 16 };
    static const uint8_t etc[10] = { 8, 8, 8, 8, 16, 16, 8, 8, 16, 16 };
    static const uint8_t astc[14][2] = { { 4, 4 },  { 5, 4 },   { 5, 5 },   { 6, 5 },  { 6, 6 },
                                         { 8, 5 },  { 8, 6 },   { 8, 8 },   { 10, 5 }, { 10, 6 },
                                         { 10, 8 }, { 10, 10 }, { 12, 10 }, { 12, 12 } };
    if (format >= WGPUTextureFormat_ASTC4x4Unorm &&
        format <= WGPUTextureFormat_ASTC12x12UnormSrgb) {
        const uint8_t *size = astc[(format - WGPUTextureFormat_ASTC4x4Unorm) / 2];
        return format_block(size[0], size[1], 16, WGPUFeatureName_TextureCompressionASTC);
    }
    if (format >= WGPUTextureFormat_ETC2RGB8Unorm && format <= WGPUTextureFormat_EACRG11Snorm) {
        return format_block(4, 4, etc[format - WGPUTextureFormat_ETC2RGB8Unorm],
                            WGPUFeatureName_TextureCompressionETC2);
    }
    if (format >= WGPUTextureFormat_BC1RGBAUnorm && format <= WGPUTextureFormat_BC7RGBAUnormSrgb) {
        return format_block(4, 4, bc[format - WGPUTextureFormat_BC1RGBAUnorm],
                            WGPUFeatureName_TextureCompressionBC);
    }
    return (sim_format){ 0 };
}

static bool format_is_tier1(WGPUTextureFormat format)
{
    return format == WGPUTextureFormat_R16Unorm || format == WGPUTextureFormat_R16Snorm ||
           format == WGPUTextureFormat_RG16Unorm || format == WGPUTextureFormat_RG16Snorm ||
           format == WGPUTextureFormat_RGBA16Unorm || format == WGPUTextureFormat_RGBA16Snorm;
}

sim_format sim_format_facts(WGPUTextureFormat format)
{
    for (size_t i = 0; i < sizeof format_plains / sizeof format_plains[0]; ++i) {
        const format_plain *plain = &format_plains[i];
        if (plain->format == format) {
            sim_format facts = format_block(1, 1, plain->bytes, 0);
            facts.components = plain->components;
            facts.type = plain->type;
            facts.bgra = format == WGPUTextureFormat_BGRA8Unorm ||
                         format == WGPUTextureFormat_BGRA8UnormSrgb;
            facts.srgb = format == WGPUTextureFormat_RGBA8UnormSrgb ||
                         format == WGPUTextureFormat_BGRA8UnormSrgb;
            facts.feature = format_is_tier1(format) ? WGPUFeatureName_TextureFormatsTier1 : 0;
            return facts;
        }
    }
    if (format >= WGPUTextureFormat_Stencil8 && format <= WGPUTextureFormat_Depth32FloatStencil8) {
        return format_depths[format - WGPUTextureFormat_Stencil8];
    }
    return format_compressed(format);
}

/* --- clear values --- */

static double format_clamp(double value, double low, double high)
{
    return value < low ? low : value > high ? high : value;
}

static uint16_t format_half(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000u;
    int exponent = (int)(bits >> 23 & 0xffu) - 127 + 15;
    uint32_t fraction = bits & 0x7fffffu;
    if (exponent >= 31) {
        return (uint16_t)(sign | 0x7c00u);
    }
    if (exponent <= 0) {
        if (exponent < -10) {
            return (uint16_t)sign;
        }
        fraction |= 0x800000u;
        uint32_t shift = (uint32_t)(14 - exponent);
        return (uint16_t)(sign | ((fraction + (1u << (shift - 1))) >> shift));
    }
    return (uint16_t)(sign | (((uint32_t)exponent << 10) + ((fraction + 0x1000u) >> 13)));
}

static uint64_t format_component(const sim_format *facts, uint32_t bytes, double value, bool alpha)
{
    double units = (double)((UINT64_C(1) << (8 * bytes)) - 1);
    switch (facts->type) {
    case 'u':
        value = format_clamp(value, 0, 1);
        if (facts->srgb && !alpha) {
            value = value <= 0.0031308 ? value * 12.92 : 1.055 * pow(value, 1 / 2.4) - 0.055;
        }
        return (uint64_t)(value * units + 0.5);
    case 's':
        return (uint64_t)(int64_t)lrint(format_clamp(value, -1, 1) * ((units - 1) / 2));
    case 'U':
        return (uint64_t)format_clamp(value, 0, units);
    case 'S':
        return (uint64_t)(int64_t)format_clamp(value, -(units + 1) / 2, (units - 1) / 2);
    default: {
        if (bytes == 2) {
            return format_half((float)value);
        }
        float single = (float)value;
        uint32_t bits;
        memcpy(&bits, &single, sizeof bits);
        return bits;
    }
    }
}

void sim_format_color(const sim_format *facts, const WGPUColor *color, uint8_t *texel)
{
    double values[4] = { color->r, color->g, color->b, color->a };
    if (facts->components == 0) {
        /* Of the packed ones only RGB10A2 is done. */
        double rgb = facts->type == 'u' ? 1023 : 1;
        double alpha = facts->type == 'u' ? 3 : 1;
        uint32_t bits = (uint32_t)(format_clamp(values[0] * rgb, 0, 1023) + 0.5) |
                        (uint32_t)(format_clamp(values[1] * rgb, 0, 1023) + 0.5) << 10 |
                        (uint32_t)(format_clamp(values[2] * rgb, 0, 1023) + 0.5) << 20 |
                        (uint32_t)(format_clamp(values[3] * alpha, 0, 3) + 0.5) << 30;
        memcpy(texel, &bits, sizeof bits);
        return;
    }
    uint32_t bytes = facts->block_bytes / (uint32_t)facts->components;
    for (uint32_t i = 0; i < facts->components; ++i) {
        uint32_t source = facts->bgra && i < 3 ? 2 - i : i;
        uint64_t bits = format_component(facts, bytes, values[source], source == 3);
        for (uint32_t byte = 0; byte < bytes; ++byte) {
            texel[i * bytes + byte] = (uint8_t)(bits >> (8 * byte));
        }
    }
}

void sim_format_depth(WGPUTextureFormat format, float depth, uint8_t *texel)
{
    if (format == WGPUTextureFormat_Depth16Unorm) {
        uint16_t bits = (uint16_t)(format_clamp((double)depth, 0, 1) * 65535 + 0.5);
        memcpy(texel, &bits, sizeof bits);
    } else {
        memcpy(texel, &depth, sizeof depth);
    }
}
