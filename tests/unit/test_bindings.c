/* The binding scan: each rule of WGSL by itself, with sources written for it. */
#include "unit/bindings_scanned.h"

static void address_spaces_give_buffers(void **state)
{
    (void)state;
    expect_layouts(MAIN("@group(0) @binding(0) var<uniform> a: vec4f;", "_ = a;"), "0.0 uniform*");
    expect_layouts(MAIN("@group(0) @binding(0) var<storage> a: array<f32>;", "_ = a[0];"),
                   "0.0 read");
    expect_layouts(MAIN("@group(0) @binding(0) var<storage, read> a: array<f32>;", "_ = a[0];"),
                   "0.0 read");
    expect_layouts(MAIN("@group(0) @binding(0) var<storage,read_write,> a: f32;", "a = 1.0;"),
                   "0.0 write");
    expect_layouts(MAIN("@group(0) @binding(0) var<uniform> a: array<vec4<f32>, 4>;", "_ = a;"),
                   "0.0 uniform*");
    /* A type of the module's own may have any name. */
    expect_layouts(MAIN("struct sampler { a: f32 }\n"
                        "@group(0) @binding(0) var<uniform> a: sampler;",
                        "_ = a;"),
                   "0.0 uniform*");
}

static void attributes_come_in_any_order_and_dress(void **state)
{
    (void)state;
    static const char *const dresses[] = {
        "@group(1) @binding(2) var<uniform> a: vec4f;",
        "@binding(2) @group(1) var<uniform> a: vec4f;",
        "@binding(2,)@group(1,)var<uniform>a:vec4f;",
        "@ /* x */ group // y\n ( 0x1 ) @\tbinding\r\n(\n2u\n) var < uniform > a : vec4f ;",
        "@group(0X01u) @binding(2i) var<uniform> a: vec4f;",
        "@group(\xe2\x80\x8e 1) @binding(2\xc2\x85) var<uniform> a: vec4f;",
        "/* @group(0) @binding(0) var no: sampler; /* */ */ "
        "@group(1) @binding(2) var<uniform> a: vec4f;",
        "// @group(0) @binding(0) var no: sampler;\n"
        "@group(1) @binding(2) var<uniform> a: vec4f;",
        "@group(1) @binding(2) var<uniform> a: vec4f;;;",
        "enable f16; diagnostic(off, derivative_uniformity); requires x;\n"
        "const_assert 1 < 2; override o = 1; var<private> p: array<u32, (1 << 2)> = f(1, 2);\n"
        "@id(3) override q: u32; var<workgroup> w: atomic<u32>;\n"
        "@group(1) @binding(2) var<uniform> a: vec4f;",
    };
    for (size_t i = 0; i < UNIT_COUNT(dresses); ++i) {
        char source[512];
        (void)snprintf(source, sizeof source, MAIN("%s", "_ = a;"), dresses[i]);
        expect_layouts(source, "1.2 uniform*");
    }
}

static void numbers_are_integer_constants(void **state)
{
    (void)state;
    static const struct {
        const char *constants;
        const char *number;
        uint32_t value; /* GPOOL__NO_NUMBER = cannot be told */
    } rows[] = {
        { "", "0", 0 },
        { "", "12", 12 },
        { "", "0xA", 10 },
        { "", "0x1fu", 31 },
        { "", "7i", 7 },
        { "", "1 + 2 * 3", 7 },
        { "", "(1 + 2) * 3", 9 },
        { "", "7 / 2 + 7 % 4", 6 },
        { "", "10 - 3 - 2", 5 },
        { "", "- -3", 3 },
        { "", "u32(3) + i32(4)", 7 },
        { "const N = 3;", "N", 3 },
        { "const N: u32 = 3u;", "N + 1", 4 },
        { "const A = B + 1; const B = C * 2; const C = 2;", "A", 5 },
        { "const A = 1; fn f() { const A = 2; }", "A", 1 },
        { "const N = 1; const N = 2;", "N", 1 },
        { "", "", GPOOL__NO_NUMBER },
        { "", "1.0", GPOOL__NO_NUMBER },
        { "", "1f", GPOOL__NO_NUMBER },
        { "", "1e2", GPOOL__NO_NUMBER },
        { "", "0x1p2", GPOOL__NO_NUMBER },
        { "", "-1", GPOOL__NO_NUMBER },
        { "", "1 2", GPOOL__NO_NUMBER },
        { "", "1 <", GPOOL__NO_NUMBER },
        { "", "1 / 0", GPOOL__NO_NUMBER },
        { "", "99999999999999999999999", GPOOL__NO_NUMBER },
        { "", "2147483647 * 2147483647 * 2147483647", GPOOL__NO_NUMBER },
        { "", "N", GPOOL__NO_NUMBER },
        { "", "min(1, 2)", GPOOL__NO_NUMBER },
        { "const N = M; const M = N;", "N", GPOOL__NO_NUMBER },
        { "const N = true;", "N", GPOOL__NO_NUMBER },
        { "const N;", "N", GPOOL__NO_NUMBER },
        { "override N = 1;", "N", GPOOL__NO_NUMBER },
        { "fn u32() {}", "u32(1)", GPOOL__NO_NUMBER },
        { "const A = 1 << 2;", "A", GPOOL__NO_NUMBER },
    };
    for (size_t i = 0; i < UNIT_COUNT(rows); ++i) {
        char source[512];
        (void)snprintf(source, sizeof source, "@group(%s) @binding(%s) var<uniform> a: vec4f;\n%s",
                       rows[i].number, rows[i].number, rows[i].constants);
        scanned s = scan_of(source);
        assert_int_equal(s.scan.var_count, 1);
        const gpool__binding_var *var = &s.scan.vars[0];
        if (var->group != rows[i].value || var->entry.binding != rows[i].value) {
            print_error("number: %s %s\n", rows[i].constants, rows[i].number);
        }
        assert_int_equal(var->group, rows[i].value);
        assert_int_equal(var->entry.binding, rows[i].value);
        assert_same(var->unclear != NULL, rows[i].value == GPOOL__NO_NUMBER);
        scan_end(&s);
    }
}

static void textures_and_samplers_are_told_apart(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        const char *wanted;
    } rows[] = {
        { "texture_1d<f32>", "0.0 texture 1d unfilterable" },
        { "texture_2d<f32>", "0.0 texture 2d unfilterable" },
        { "texture_2d<i32>", "0.0 texture 2d sint" },
        { "texture_2d<u32,>", "0.0 texture 2d uint" },
        { "texture_2d_array<f32>", "0.0 texture 2d_array unfilterable" },
        { "texture_3d<u32>", "0.0 texture 3d uint" },
        { "texture_cube<f32>", "0.0 texture cube unfilterable" },
        { "texture_cube_array<i32>", "0.0 texture cube_array sint" },
        { "texture_multisampled_2d<f32>", "0.0 texture 2d unfilterable ms" },
        { "texture_multisampled_2d<u32>", "0.0 texture 2d uint ms" },
        { "texture_depth_2d", "0.0 texture 2d depth" },
        { "texture_depth_2d_array", "0.0 texture 2d_array depth" },
        { "texture_depth_cube", "0.0 texture cube depth" },
        { "texture_depth_cube_array", "0.0 texture cube_array depth" },
        { "texture_depth_multisampled_2d", "0.0 texture 2d depth ms" },
        { "texture_storage_1d<r32float, read>", "0.0 storage 1d R32Float read" },
        { "texture_storage_2d<rgba8unorm,write>", "0.0 storage 2d RGBA8Unorm write" },
        { "texture_storage_2d<r32uint, read_write,>", "0.0 storage 2d R32Uint read_write" },
        { "texture_storage_2d_array<bgra8unorm, write>", "0.0 storage 2d_array BGRA8Unorm write" },
        { "texture_storage_3d<rgba16float, write>", "0.0 storage 3d RGBA16Float write" },
        { "sampler", "0.0 sampler" },
        { "sampler_comparison", "0.0 comparison" },
        { "T", "0.0 texture 2d sint" },
        { "S", "0.0 sampler" },
        { "W", "0.0 storage 2d RG32Sint write" },
        { "texture_3d<F>", "0.0 texture 3d unfilterable" },
    };
    for (size_t i = 0; i < UNIT_COUNT(rows); ++i) {
        char source[512];
        (void)snprintf(source, sizeof source,
                       MAIN("@group(0) @binding(0) var a: %s;\n"
                            "alias T = U; alias U = texture_2d<I>; alias I = i32; alias F = G;\n"
                            "alias G = f32; alias S = sampler;\n"
                            "alias W = texture_storage_2d<rg32sint, write>;",
                            "_ = a;"),
                       rows[i].type);
        expect_layouts(source, rows[i].wanted);
    }
}

/* The name in WGSL is webgpu.h's in small letters: that is a second source for the whole table. */
static void every_texel_format_has_its_own(void **state)
{
    (void)state;
    uint32_t known = 0;
    for (uint32_t format = 1; format <= WGPUTextureFormat_RGBA32Sint; ++format) {
        char name[32];
        char source[128];
        (void)snprintf(name, sizeof name, "%s", gpool__format_name((WGPUTextureFormat)format));
        for (char *c = name; *c != '\0'; ++c) {
            *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
        }
        const bool none = strstr(name, "srgb") != NULL || strcmp(name, "rgb9e5ufloat") == 0;
        (void)snprintf(source, sizeof source,
                       "@group(0) @binding(0) var a: texture_storage_2d<%s, write>;", name);
        scanned s = scan_of(source);
        assert_same(s.scan.vars[0].entry.format, none ? 0u : format);
        assert_same(s.scan.vars[0].unclear != NULL, none);
        known += none ? 0 : 1;
        scan_end(&s);
    }
    assert_int_equal(known, 40);
}

static void what_cannot_be_told_needs_explicit_layouts(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "var odd: texture_external;",
        "var odd: binding_array<texture_2d<f32>, 4>;",
        "var<storage> odd: binding_array<Buffer, 4>;",
        "var<storage> odd: Arrays; alias Arrays = binding_array<Buffer>;",
        "var odd: texture_2d<f16>;",
        "var odd: texture_2d;",
        "var odd: texture_2d<f32, f32>;",
        "var odd: texture_storage_2d<rgba8unorm, atomic>;",
        "var odd: texture_storage_2d<r64uint, write>;",
        "var odd: texture_storage_2d<rgba8unorm>;",
        "var odd: Loop; alias Loop = Pool; alias Pool = Loop;",
        "var<storage> odd: Self; alias Self = Self;",
        "var odd: acceleration_structure;",
        "var<push_constant> odd: f32;",
        "var<storage, write_only> odd: f32;",
        "var odd ;",
        "var odd: texture_2d<f32",
    };
    for (size_t i = 0; i < UNIT_COUNT(rows); ++i) {
        char source[512];
        (void)snprintf(source, sizeof source,
                       "@compute @workgroup_size(1) fn main() { _ = odd; }\n"
                       "@compute @workgroup_size(1) fn other() { }\n"
                       "@group(0) @binding(0) %s",
                       rows[i]);
        const char *name = strstr(source, rows[i]);
        expect_error(source, "main", GPOOL_ERROR_INVALID_ARGUMENT, strstr(name, "odd"));
        /* Nothing is wrong with what does not use it. */
        scanned s = scan_of(source);
        gpool__bindings_groups groups;
        gpool__bindings_error error;
        assert_same(layouts_of(&s.scan, "other", &groups, &error), GPOOL_OK);
        assert_int_equal(groups.group_count, 0);
        scan_end(&s);
    }
}

static void names_and_lines_are_those_of_the_source(void **state)
{
    (void)state;
    scanned s = scan_of("// one\n/* two\n */ @group(0) @binding(0)\r\nvar<uniform>\n"
                        "\xc3\xa4hre: vec4f; @group(0) @binding(1) var<storage>\n\n_b1: f32;");
    assert_int_equal(s.scan.var_count, 2);
    assert_int_equal(s.scan.vars[0].line, 5);
    assert_int_equal(s.scan.vars[1].line, 7);
    const gpool__binding_var *found = gpool__bindings_find(&s.scan, "\xc3\xa4hre");
    assert_ptr_equal(found, &s.scan.vars[0]);
    assert_memory_equal(s.block + found->name_at, "\xc3\xa4hre", found->name_size);
    assert_ptr_equal(gpool__bindings_find(&s.scan, "_b1"), &s.scan.vars[1]);
    assert_null(gpool__bindings_find(&s.scan, "_b"));
    assert_null(gpool__bindings_find(&s.scan, "_b11"));
    assert_null(gpool__bindings_find(&s.scan, ""));
    scan_end(&s);
}

static void variables_without_both_numbers_are_none(void **state)
{
    (void)state;
    scanned s =
        scan_of("@group(0) var a: sampler; @binding(0) var b: sampler; var<private> c: f32;"
                "@group @binding(0) var d: sampler; fn f() { @group(0) @binding(0) var e; }"
                "struct S { @group(0) @binding(0) f: f32 }"
                "@group(0) @binding(0) var g: sampler; @group(0) @binding(1) var g: sampler;");
    assert_int_equal(s.scan.var_count, 1);
    assert_ptr_equal(gpool__bindings_find(&s.scan, "g"), &s.scan.vars[0]);
    assert_int_equal(s.scan.vars[0].entry.binding, 0);
    scan_end(&s);
}

static void entry_points_have_stage_and_size(void **state)
{
    (void)state;
    scanned s = scan_of("const W = 8;\n"
                        "@compute @workgroup_size(W, 0x2u) fn a(@builtin(global_invocation_id) i: "
                        "vec3<u32>) { if (i.x < 2) { return; } }\n"
                        "@workgroup_size(1, 2, W * 2,) @compute fn b() {}\n"
                        "@compute @workgroup_size(o) fn c() {} override o = 64;\n"
                        "@vertex fn d(@location(0) p: vec4<f32>) -> @builtin(position) vec4<f32> "
                        "{ return p; }\n"
                        "@fragment @diagnostic(off, x) fn e() -> @location(0) vec4f { }\n"
                        "fn no_entry() {}");
    static const struct {
        const char *name;
        WGPUShaderStage stage;
        uint32_t size[3];
    } rows[] = {
        { "a", WGPUShaderStage_Compute, { 8, 2, 1 } },
        { "b", WGPUShaderStage_Compute, { 1, 2, 16 } },
        { "c", WGPUShaderStage_Compute, { 0, 1, 1 } },
        { "d", WGPUShaderStage_Vertex, { 0, 0, 0 } },
        { "e", WGPUShaderStage_Fragment, { 0, 0, 0 } },
    };
    assert_int_equal(s.scan.entry_count, UNIT_COUNT(rows));
    for (size_t i = 0; i < UNIT_COUNT(rows); ++i) {
        const gpool__binding_entry *entry =
            gpool__bindings_entry(&s.scan, rows[i].stage, rows[i].name);
        assert_ptr_equal(entry, &s.scan.entries[i]);
        for (int n = 0; n < 3; ++n) {
            assert_int_equal(entry->workgroup[n], rows[i].size[n]);
        }
    }
    assert_ptr_equal(gpool__bindings_entry(&s.scan, WGPUShaderStage_Vertex, NULL),
                     &s.scan.entries[3]);
    assert_null(gpool__bindings_entry(&s.scan, WGPUShaderStage_Compute, NULL));
    assert_null(gpool__bindings_entry(&s.scan, WGPUShaderStage_Vertex, "a"));
    assert_null(gpool__bindings_entry(&s.scan, WGPUShaderStage_Compute, "no_entry"));
    scan_end(&s);
}

int main(void)
{
    scan_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(address_spaces_give_buffers),
        cmocka_unit_test(attributes_come_in_any_order_and_dress),
        cmocka_unit_test(numbers_are_integer_constants),
        cmocka_unit_test(textures_and_samplers_are_told_apart),
        cmocka_unit_test(every_texel_format_has_its_own),
        cmocka_unit_test(what_cannot_be_told_needs_explicit_layouts),
        cmocka_unit_test(names_and_lines_are_those_of_the_source),
        cmocka_unit_test(variables_without_both_numbers_are_none),
        cmocka_unit_test(entry_points_have_stage_and_size),
    };
    return cmocka_run_group_tests_name("bindings", tests, NULL, NULL);
}
