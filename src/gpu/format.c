#include "gpu/format.h"

/* Bytes of a texel of the uncompressed color formats R8Unorm (1) to RGBA32Sint (0x2b). */
static const uint8_t format_color_bytes[] = {
    0,                /* Undefined */
    1,  1,  1,  1,    /* R8 */
    2,  2,  2,  2, 2, /* R16 */
    2,  2,  2,  2,    /* RG8 */
    4,  4,  4,        /* R32 */
    4,  4,  4,  4, 4, /* RG16 */
    4,  4,  4,  4, 4, /* RGBA8 */
    4,  4,            /* BGRA8 */
    4,  4,  4,  4,    /* RGB10A2, RG11B10, RGB9E5 */
    8,  8,  8,        /* RG32 */
    8,  8,  8,  8, 8, /* RGBA16 */
    16, 16, 16,       /* RGBA32 */
};

static const uint8_t format_astc_blocks[14][2] = {
    { 4, 4 }, { 5, 4 },  { 5, 5 },  { 6, 5 },  { 6, 6 },   { 8, 5 },   { 8, 6 },
    { 8, 8 }, { 10, 5 }, { 10, 6 }, { 10, 8 }, { 10, 10 }, { 12, 10 }, { 12, 12 },
};

static bool format_is_tier1(WGPUTextureFormat format)
{
    return format == WGPUTextureFormat_R16Unorm || format == WGPUTextureFormat_R16Snorm ||
           format == WGPUTextureFormat_RG16Unorm || format == WGPUTextureFormat_RG16Snorm ||
           format == WGPUTextureFormat_RGBA16Unorm || format == WGPUTextureFormat_RGBA16Snorm;
}

static gpool__format format_depth(WGPUTextureFormat format)
{
    gpool__format facts = { .block_width = 1, .block_height = 1, .depth = true };
    switch (format) {
    case WGPUTextureFormat_Stencil8:
        facts.depth = false;
        facts.stencil = true;
        facts.block_bytes = 1;
        break;
    case WGPUTextureFormat_Depth16Unorm:
        facts.block_bytes = 2;
        facts.depth_bytes = 2;
        facts.depth_writable = true;
        break;
    case WGPUTextureFormat_Depth24Plus:
        facts.block_bytes = 4;
        break;
    case WGPUTextureFormat_Depth24PlusStencil8:
        facts.block_bytes = 4;
        facts.stencil = true;
        break;
    case WGPUTextureFormat_Depth32Float:
        facts.block_bytes = 4;
        facts.depth_bytes = 4;
        break;
    default: /* Depth32FloatStencil8 */
        facts.block_bytes = 5;
        facts.depth_bytes = 4;
        facts.stencil = true;
        facts.feature = WGPUFeatureName_Depth32FloatStencil8;
        break;
    }
    return facts;
}

static uint8_t format_bc_bytes(uint32_t f)
{
    bool half = f == WGPUTextureFormat_BC1RGBAUnorm || f == WGPUTextureFormat_BC1RGBAUnormSrgb ||
                f == WGPUTextureFormat_BC4RUnorm || f == WGPUTextureFormat_BC4RSnorm;
    return half ? 8 : 16;
}

static uint8_t format_etc_bytes(uint32_t f)
{
    bool full = f == WGPUTextureFormat_ETC2RGBA8Unorm ||
                f == WGPUTextureFormat_ETC2RGBA8UnormSrgb || f == WGPUTextureFormat_EACRG11Unorm ||
                f == WGPUTextureFormat_EACRG11Snorm;
    return full ? 16 : 8;
}

gpool__format gpool__format_facts(WGPUTextureFormat format)
{
    uint32_t f = (uint32_t)format;
    gpool__format facts = { 0 };
    if (f == 0 || f > WGPUTextureFormat_ASTC12x12UnormSrgb) {
        return facts;
    }
    if (f <= WGPUTextureFormat_RGBA32Sint) {
        facts.block_width = 1;
        facts.block_height = 1;
        facts.block_bytes = format_color_bytes[f];
        facts.feature = format_is_tier1(format) ? WGPUFeatureName_TextureFormatsTier1 : 0;
    } else if (f <= WGPUTextureFormat_Depth32FloatStencil8) {
        facts = format_depth(format);
    } else if (f <= WGPUTextureFormat_BC7RGBAUnormSrgb) {
        facts.block_width = 4;
        facts.block_height = 4;
        facts.block_bytes = format_bc_bytes(f);
        facts.feature = WGPUFeatureName_TextureCompressionBC;
    } else if (f <= WGPUTextureFormat_EACRG11Snorm) {
        facts.block_width = 4;
        facts.block_height = 4;
        facts.block_bytes = format_etc_bytes(f);
        facts.feature = WGPUFeatureName_TextureCompressionETC2;
    } else {
        const uint8_t *block = format_astc_blocks[(f - WGPUTextureFormat_ASTC4x4Unorm) / 2];
        facts.block_width = block[0];
        facts.block_height = block[1];
        facts.block_bytes = 16;
        facts.feature = WGPUFeatureName_TextureCompressionASTC;
    }
    return facts;
}

WGPUTextureFormat gpool__format_twin(WGPUTextureFormat format)
{
    switch (format) {
    case WGPUTextureFormat_RGBA8Unorm:
        return WGPUTextureFormat_RGBA8UnormSrgb;
    case WGPUTextureFormat_RGBA8UnormSrgb:
        return WGPUTextureFormat_RGBA8Unorm;
    case WGPUTextureFormat_BGRA8Unorm:
        return WGPUTextureFormat_BGRA8UnormSrgb;
    case WGPUTextureFormat_BGRA8UnormSrgb:
        return WGPUTextureFormat_BGRA8Unorm;
    default:
        return WGPUTextureFormat_Undefined;
    }
}

WGPUTextureFormat gpool__format_linear(WGPUTextureFormat format)
{
    switch (format) {
    case WGPUTextureFormat_RGBA8UnormSrgb:
    case WGPUTextureFormat_BGRA8UnormSrgb:
        return gpool__format_twin(format);
    case WGPUTextureFormat_BC1RGBAUnormSrgb:
    case WGPUTextureFormat_BC2RGBAUnormSrgb:
    case WGPUTextureFormat_BC3RGBAUnormSrgb:
    case WGPUTextureFormat_BC7RGBAUnormSrgb:
    case WGPUTextureFormat_ETC2RGB8UnormSrgb:
    case WGPUTextureFormat_ETC2RGB8A1UnormSrgb:
    case WGPUTextureFormat_ETC2RGBA8UnormSrgb:
        return (WGPUTextureFormat)(format - 1); /* pairs, linear first */
    default:
        break;
    }
    if (format >= WGPUTextureFormat_ASTC4x4Unorm &&
        format <= WGPUTextureFormat_ASTC12x12UnormSrgb) {
        return (WGPUTextureFormat)(format - (format - WGPUTextureFormat_ASTC4x4Unorm) % 2);
    }
    return format;
}

bool gpool__format_is_filterable(WGPUTextureFormat format, bool float32)
{
    switch (format) {
    case WGPUTextureFormat_R8Unorm:
    case WGPUTextureFormat_R8Snorm:
    case WGPUTextureFormat_R16Unorm:
    case WGPUTextureFormat_R16Snorm:
    case WGPUTextureFormat_R16Float:
    case WGPUTextureFormat_RG8Unorm:
    case WGPUTextureFormat_RG8Snorm:
    case WGPUTextureFormat_RG16Unorm:
    case WGPUTextureFormat_RG16Snorm:
    case WGPUTextureFormat_RG16Float:
    case WGPUTextureFormat_RGBA8Unorm:
    case WGPUTextureFormat_RGBA8UnormSrgb:
    case WGPUTextureFormat_RGBA8Snorm:
    case WGPUTextureFormat_BGRA8Unorm:
    case WGPUTextureFormat_BGRA8UnormSrgb:
    case WGPUTextureFormat_RGB10A2Unorm:
    case WGPUTextureFormat_RG11B10Ufloat:
    case WGPUTextureFormat_RGBA16Unorm:
    case WGPUTextureFormat_RGBA16Snorm:
    case WGPUTextureFormat_RGBA16Float:
        return true;
    case WGPUTextureFormat_R32Float:
    case WGPUTextureFormat_RG32Float:
    case WGPUTextureFormat_RGBA32Float:
        return float32;
    default:
        return false;
    }
}

uint32_t gpool__format_copy_bytes(gpool__format facts, WGPUTextureAspect aspect, bool write)
{
    if (!facts.depth && !facts.stencil) {
        return aspect == WGPUTextureAspect_All ? facts.block_bytes : 0;
    }
    if (aspect == WGPUTextureAspect_All) {
        if (facts.depth && facts.stencil) {
            return 0;
        }
        aspect = facts.depth ? WGPUTextureAspect_DepthOnly : WGPUTextureAspect_StencilOnly;
    }
    if (aspect == WGPUTextureAspect_StencilOnly) {
        return facts.stencil ? 1 : 0;
    }
    return facts.depth && (!write || facts.depth_writable) ? facts.depth_bytes : 0;
}
