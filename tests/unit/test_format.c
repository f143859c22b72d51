#include "gpu/format.h"

#include "unit/unit.h"

/*
 * The tables "Texture Format Capabilities" of the WebGPU specification, typed in from there: block
 * size and bytes of each color format, the feature it needs.
 */
typedef struct color_format {
    WGPUTextureFormat format;
    uint8_t width;
    uint8_t height;
    uint8_t bytes;
    WGPUFeatureName feature;
} color_format;

#define PLAIN(name, bytes)                                                                         \
    {                                                                                              \
        WGPUTextureFormat_##name, 1, 1, bytes, (WGPUFeatureName)0                                  \
    }
#define TIER1(name, bytes)                                                                         \
    {                                                                                              \
        WGPUTextureFormat_##name, 1, 1, bytes, WGPUFeatureName_TextureFormatsTier1                 \
    }
#define BC(name, bytes)                                                                            \
    {                                                                                              \
        WGPUTextureFormat_##name, 4, 4, bytes, WGPUFeatureName_TextureCompressionBC                \
    }
#define ETC(name, bytes)                                                                           \
    {                                                                                              \
        WGPUTextureFormat_##name, 4, 4, bytes, WGPUFeatureName_TextureCompressionETC2              \
    }
#define ASTC(w, h)                                                                                 \
    { WGPUTextureFormat_ASTC##w##x##h##Unorm, w, h, 16, WGPUFeatureName_TextureCompressionASTC },  \
    {                                                                                              \
        WGPUTextureFormat_ASTC##w##x##h##UnormSrgb, w, h, 16,                                      \
            WGPUFeatureName_TextureCompressionASTC                                                 \
    }

static const color_format color_formats[] = {
    PLAIN(R8Unorm, 1),
    PLAIN(R8Snorm, 1),
    PLAIN(R8Uint, 1),
    PLAIN(R8Sint, 1),
    PLAIN(RG8Unorm, 2),
    PLAIN(RG8Snorm, 2),
    PLAIN(RG8Uint, 2),
    PLAIN(RG8Sint, 2),
    PLAIN(RGBA8Unorm, 4),
    PLAIN(RGBA8UnormSrgb, 4),
    PLAIN(RGBA8Snorm, 4),
    PLAIN(RGBA8Uint, 4),
    PLAIN(RGBA8Sint, 4),
    PLAIN(BGRA8Unorm, 4),
    PLAIN(BGRA8UnormSrgb, 4),
    TIER1(R16Unorm, 2),
    TIER1(R16Snorm, 2),
    PLAIN(R16Uint, 2),
    PLAIN(R16Sint, 2),
    PLAIN(R16Float, 2),
    TIER1(RG16Unorm, 4),
    TIER1(RG16Snorm, 4),
    PLAIN(RG16Uint, 4),
    PLAIN(RG16Sint, 4),
    PLAIN(RG16Float, 4),
    TIER1(RGBA16Unorm, 8),
    TIER1(RGBA16Snorm, 8),
    PLAIN(RGBA16Uint, 8),
    PLAIN(RGBA16Sint, 8),
    PLAIN(RGBA16Float, 8),
    PLAIN(R32Uint, 4),
    PLAIN(R32Sint, 4),
    PLAIN(R32Float, 4),
    PLAIN(RG32Uint, 8),
    PLAIN(RG32Sint, 8),
    PLAIN(RG32Float, 8),
    PLAIN(RGBA32Uint, 16),
    PLAIN(RGBA32Sint, 16),
    PLAIN(RGBA32Float, 16),
    PLAIN(RGB10A2Uint, 4),
    PLAIN(RGB10A2Unorm, 4),
    PLAIN(RG11B10Ufloat, 4),
    PLAIN(RGB9E5Ufloat, 4),
    BC(BC1RGBAUnorm, 8),
    BC(BC1RGBAUnormSrgb, 8),
    BC(BC2RGBAUnorm, 16),
    BC(BC2RGBAUnormSrgb, 16),
    BC(BC3RGBAUnorm, 16),
    BC(BC3RGBAUnormSrgb, 16),
    BC(BC4RUnorm, 8),
    BC(BC4RSnorm, 8),
    BC(BC5RGUnorm, 16),
    BC(BC5RGSnorm, 16),
    BC(BC6HRGBUfloat, 16),
    BC(BC6HRGBFloat, 16),
    BC(BC7RGBAUnorm, 16),
    BC(BC7RGBAUnormSrgb, 16),
    ETC(ETC2RGB8Unorm, 8),
    ETC(ETC2RGB8UnormSrgb, 8),
    ETC(ETC2RGB8A1Unorm, 8),
    ETC(ETC2RGB8A1UnormSrgb, 8),
    ETC(ETC2RGBA8Unorm, 16),
    ETC(ETC2RGBA8UnormSrgb, 16),
    ETC(EACR11Unorm, 8),
    ETC(EACR11Snorm, 8),
    ETC(EACRG11Unorm, 16),
    ETC(EACRG11Snorm, 16),
    ASTC(4, 4),
    ASTC(5, 4),
    ASTC(5, 5),
    ASTC(6, 5),
    ASTC(6, 6),
    ASTC(8, 5),
    ASTC(8, 6),
    ASTC(8, 8),
    ASTC(10, 5),
    ASTC(10, 6),
    ASTC(10, 8),
    ASTC(10, 10),
    ASTC(12, 10),
    ASTC(12, 12),
};

/* The depth and stencil formats: bytes of each aspect in copies, 0 = the copy is not allowed. */
typedef struct depth_format {
    WGPUTextureFormat format;
    bool depth;
    bool stencil;
    uint8_t depth_read;
    uint8_t depth_write;
    uint8_t least_bytes; /* of a texel in memory; the specification leaves some of it open */
    uint8_t most_bytes;
    WGPUFeatureName feature;
} depth_format;

static const depth_format depth_formats[] = {
    { WGPUTextureFormat_Stencil8, false, true, 0, 0, 1, 1, (WGPUFeatureName)0 },
    { WGPUTextureFormat_Depth16Unorm, true, false, 2, 2, 2, 2, (WGPUFeatureName)0 },
    { WGPUTextureFormat_Depth24Plus, true, false, 0, 0, 4, 4, (WGPUFeatureName)0 },
    { WGPUTextureFormat_Depth24PlusStencil8, true, true, 0, 0, 4, 5, (WGPUFeatureName)0 },
    { WGPUTextureFormat_Depth32Float, true, false, 4, 0, 4, 4, (WGPUFeatureName)0 },
    { WGPUTextureFormat_Depth32FloatStencil8, true, true, 4, 0, 5, 5,
      WGPUFeatureName_Depth32FloatStencil8 },
};

static void tables_of_this_test_hold_every_format_once(void **state)
{
    (void)state;
    unsigned seen[WGPUTextureFormat_ASTC12x12UnormSrgb + 1] = { 0 };
    for (size_t i = 0; i < UNIT_COUNT(color_formats); ++i) {
        seen[color_formats[i].format] += 1;
    }
    for (size_t i = 0; i < UNIT_COUNT(depth_formats); ++i) {
        seen[depth_formats[i].format] += 1;
    }
    assert_int_equal(UNIT_COUNT(color_formats) + UNIT_COUNT(depth_formats), 101);
    assert_int_equal(UNIT_COUNT(seen), 102);
    assert_int_equal(seen[0], 0);
    for (size_t i = 1; i < UNIT_COUNT(seen); ++i) {
        assert_int_equal(seen[i], 1);
    }
}

static void color_formats_have_the_facts_of_the_specification(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(color_formats); ++i) {
        const color_format *wanted = &color_formats[i];
        const gpool__format facts = gpool__format_facts(wanted->format);
        assert_int_equal(facts.block_width, wanted->width);
        assert_int_equal(facts.block_height, wanted->height);
        assert_int_equal(facts.block_bytes, wanted->bytes);
        assert_same(facts.feature, wanted->feature);
        assert_same(facts.depth, false);
        assert_same(facts.stencil, false);
        assert_same(facts.depth_writable, false);
        assert_int_equal(facts.depth_bytes, 0);
    }
}

static void color_formats_copy_whole_blocks_of_their_only_aspect(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(color_formats); ++i) {
        const gpool__format facts = gpool__format_facts(color_formats[i].format);
        for (int write = 0; write < 2; ++write) {
            const bool w = write != 0;
            assert_int_equal(gpool__format_copy_bytes(facts, WGPUTextureAspect_All, w),
                             color_formats[i].bytes);
            assert_int_equal(gpool__format_copy_bytes(facts, WGPUTextureAspect_DepthOnly, w), 0);
            assert_int_equal(gpool__format_copy_bytes(facts, WGPUTextureAspect_StencilOnly, w), 0);
        }
    }
}

static void depth_and_stencil_formats_have_the_facts_of_the_specification(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(depth_formats); ++i) {
        const depth_format *wanted = &depth_formats[i];
        const gpool__format facts = gpool__format_facts(wanted->format);
        assert_int_equal(facts.block_width, 1);
        assert_int_equal(facts.block_height, 1);
        assert_in_range(facts.block_bytes, wanted->least_bytes, wanted->most_bytes);
        assert_same(facts.depth, wanted->depth);
        assert_same(facts.stencil, wanted->stencil);
        assert_int_equal(facts.depth_bytes, wanted->depth_read);
        assert_same(facts.depth_writable, wanted->depth_write != 0);
        assert_same(facts.feature, wanted->feature);
    }
}

static void depth_and_stencil_aspects_copy_where_the_specification_allows_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(depth_formats); ++i) {
        const depth_format *wanted = &depth_formats[i];
        const gpool__format facts = gpool__format_facts(wanted->format);
        for (int write = 0; write < 2; ++write) {
            const bool w = write != 0;
            const uint32_t depth = w ? wanted->depth_write : wanted->depth_read;
            const uint32_t stencil = wanted->stencil ? 1 : 0;
            const uint32_t all = wanted->depth && wanted->stencil ? 0 : depth + stencil;
            assert_int_equal(gpool__format_copy_bytes(facts, WGPUTextureAspect_DepthOnly, w),
                             depth);
            assert_int_equal(gpool__format_copy_bytes(facts, WGPUTextureAspect_StencilOnly, w),
                             stencil);
            assert_int_equal(gpool__format_copy_bytes(facts, WGPUTextureAspect_All, w), all);
        }
    }
}

static void numbers_that_are_no_format_have_no_block(void **state)
{
    (void)state;
    static const uint32_t numbers[] = {
        0, WGPUTextureFormat_ASTC12x12UnormSrgb + 1, 0x100, 0x50000, 0x7fffffff,
    };
    for (size_t i = 0; i < UNIT_COUNT(numbers); ++i) {
        const gpool__format facts = gpool__format_facts((WGPUTextureFormat)numbers[i]);
        assert_int_equal(facts.block_width, 0);
        assert_int_equal(facts.block_height, 0);
        assert_int_equal(facts.block_bytes, 0);
        assert_int_equal(gpool__format_copy_bytes(facts, WGPUTextureAspect_All, true), 0);
        assert_same(gpool__format_twin((WGPUTextureFormat)numbers[i]), WGPUTextureFormat_Undefined);
    }
}

static void twins_are_symmetric_and_differ_only_by_srgb(void **state)
{
    (void)state;
    uint32_t with_twin = 0;
    for (uint32_t f = 1; f <= WGPUTextureFormat_ASTC12x12UnormSrgb; ++f) {
        const WGPUTextureFormat twin = gpool__format_twin((WGPUTextureFormat)f);
        if (twin != WGPUTextureFormat_Undefined) {
            with_twin += 1;
            assert_int_not_equal(twin, f);
            assert_same(gpool__format_twin(twin), f);
            const gpool__format facts = gpool__format_facts((WGPUTextureFormat)f);
            const gpool__format twin_facts = gpool__format_facts(twin);
            assert_int_equal(twin_facts.block_bytes, facts.block_bytes);
            assert_int_equal(twin_facts.block_width, facts.block_width);
            assert_same(twin_facts.feature, facts.feature);
        }
    }
    assert_int_equal(with_twin, 4);
    assert_same(gpool__format_twin(WGPUTextureFormat_RGBA8Unorm), WGPUTextureFormat_RGBA8UnormSrgb);
    assert_same(gpool__format_twin(WGPUTextureFormat_BGRA8Unorm), WGPUTextureFormat_BGRA8UnormSrgb);
}

static void every_format_has_its_name_and_others_have_none(void **state)
{
    (void)state;
    assert_string_equal(gpool__format_name(WGPUTextureFormat_R8Unorm), "R8Unorm");
    assert_string_equal(gpool__format_name(WGPUTextureFormat_RGBA8UnormSrgb), "RGBA8UnormSrgb");
    assert_string_equal(gpool__format_name(WGPUTextureFormat_ASTC12x12UnormSrgb),
                        "ASTC12x12UnormSrgb");
    for (uint32_t f = 1; f <= WGPUTextureFormat_ASTC12x12UnormSrgb; ++f) {
        assert_string_not_equal(gpool__format_name((WGPUTextureFormat)f), "unknown");
    }
    static const uint32_t numbers[] = { 0, WGPUTextureFormat_ASTC12x12UnormSrgb + 1, 0x7fffffff };
    for (size_t i = 0; i < UNIT_COUNT(numbers); ++i) {
        assert_string_equal(gpool__format_name((WGPUTextureFormat)numbers[i]), "unknown");
    }
}

static void colors_that_are_no_integers_are_filterable(void **state)
{
    (void)state;
    for (uint32_t f = 0; f <= WGPUTextureFormat_ASTC12x12UnormSrgb + 1; ++f) {
        const char *name = gpool__format_name((WGPUTextureFormat)f);
        bool color = f >= 1 && f <= WGPUTextureFormat_RGBA32Sint &&
                     strcmp(name, "RGB9E5Ufloat") != 0; /* no device renders to it */
        bool number = strstr(name, "Uint") == NULL && strstr(name, "Sint") == NULL;
        bool wide = strstr(name, "32Float") != NULL;
        assert_same(gpool__format_is_filterable((WGPUTextureFormat)f, false),
                    color && number && !wide);
        assert_same(gpool__format_is_filterable((WGPUTextureFormat)f, true), color && number);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_of_this_test_hold_every_format_once),
        cmocka_unit_test(color_formats_have_the_facts_of_the_specification),
        cmocka_unit_test(color_formats_copy_whole_blocks_of_their_only_aspect),
        cmocka_unit_test(depth_and_stencil_formats_have_the_facts_of_the_specification),
        cmocka_unit_test(depth_and_stencil_aspects_copy_where_the_specification_allows_it),
        cmocka_unit_test(numbers_that_are_no_format_have_no_block),
        cmocka_unit_test(twins_are_symmetric_and_differ_only_by_srgb),
        cmocka_unit_test(every_format_has_its_name_and_others_have_none),
        cmocka_unit_test(colors_that_are_no_integers_are_filterable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
