/* What entry points use: through calls, past locals that hide names, by samplers or not. */
#include "unit/bindings_scanned.h"

/* Two buffers and more names than a test needs; `data` is what the tests hide. */
#define BUFFERS                                                                                    \
    "@group(0) @binding(0) var<uniform> seen: vec4f;\n"                                            \
    "@group(0) @binding(1) var<storage, read_write> data: array<f32>;\n"

static void only_what_is_reached_is_used(void **state)
{
    (void)state;
    expect_layouts(MAIN(BUFFERS, ""), "");
    expect_layouts(MAIN(BUFFERS, "_ = seen;"), "0.0 uniform*");
    expect_layouts(MAIN(BUFFERS "fn f() { data[0] = 1.0; }", "f();"), "0.1 write");
    expect_layouts(MAIN(BUFFERS "fn f() { data[0] = 1.0; }", "_ = seen;"), "0.0 uniform*");
    /* Declared behind their use, through three calls, and called twice. */
    expect_layouts(MAIN(BUFFERS, "f(); f();") "fn f() { g(); h(); } fn g() { h(); h(); } "
                                              "fn h() { data[0] = seen.x; }",
                   "0.0 uniform*; 0.1 write");
    /* No compiler takes recursion; the scan ends all the same. */
    expect_layouts(MAIN(BUFFERS, "f();") "fn f() { g(); main(); } fn g() { f(); g(); _ = seen; }",
                   "0.0 uniform*");
    expect_layouts(MAIN(BUFFERS, "if (false) { data[0] = 1.0; }"), "0.1 write");
    expect_layouts(MAIN(BUFFERS, "let p = &data; (*p)[0] = 1.0;"), "0.1 write");
    expect_layouts(MAIN(BUFFERS, "var a = array<f32, 2>(seen.x, 1.0); a[u32(data[0])] += 1.0;"),
                   "0.0 uniform*; 0.1 write");
}

static void what_hides_a_name_hides_it_as_long_as_its_block(void **state)
{
    (void)state;
    static const char *const hidden[] = {
        "let data = 1.0; _ = data;",
        "var data: f32 = 1.0; data += 1.0;",
        "const data = 1; _ = data;",
        "var<function> data: array<f32, 2>; data[0] = 1.0;",
        "for (var data = 0; data < 3; data++) { _ = data; }",
        "for (var data = 0; data < 3; data++) @diagnostic(off, x) { _ = data; }",
        "let data = 1; { let data = data; } _ = data;",
        "let data = 1; if (data > 0) { if (data > 1) { _ = data; } }",
        "{ let data = 1; { _ = data; } } loop { let data = 1; continuing { break if data > 0; } }",
        "switch 1 { case 1: { let data = 1; _ = data; } default: { } }",
        "var s: S; s.data = 1.0; s . data = s./**/data;",
        "@diagnostic(off, data) if (true) { }",
        "_ = f(1.0);",
        "let a = 1; let data = a; for (var i = data; i < data; i += data) { let data = i; }",
    };
    for (size_t i = 0; i < UNIT_COUNT(hidden); ++i) {
        char source[1024];
        (void)snprintf(source, sizeof source,
                       MAIN(BUFFERS "struct S { data: f32 } "
                                    "fn f(data: f32) -> f32 { return data; }",
                            "%s"),
                       hidden[i]);
        expect_layouts(source, "");
    }
    static const char *const seen[] = {
        "let data = data[0];",
        "{ let data = 1; } data[0] = 1.0;",
        "for (var data = 0; data < 3; data++) { } data[0] = 1.0;",
        "for (var i = 0; i < 3; i++) { let data = 1; } data[0] = 1.0;",
        "for (var data = 0; data < 3; data++) @diagnostic(off, x) { } data[0] = 1.0;",
        "if (true) { let data = 1; } else { data[0] = 1.0; }",
        "data[0] = 1.0; let data = 1;",
        "let a = 1.0; let b = data[0]; let data = b;",
        "while (data[0] > 0) { let data = 1; }",
        "switch 1 { case 1: { let data = 1; } default: { data[0] = 1.0; } }",
        "{ var data = 1; { var data = 2; } } _ = data[0];",
        "_ = select(data[0], 1.0, 1 < 2);",
        "_ = 1.0*data[0];",
        "_ = vec2<f32>(1, data[0]);",
    };
    for (size_t i = 0; i < UNIT_COUNT(seen); ++i) {
        char source[1024];
        (void)snprintf(source, sizeof source, MAIN(BUFFERS, "%s"), seen[i]);
        expect_layouts(source, "0.1 write");
    }
    /* A parameter of one function hides nothing in the next. */
    expect_layouts(MAIN(BUFFERS "fn f(data: f32) { }\nfn g(a: f32) { data[0] = a; }", "g(1.0);"),
                   "0.1 write");
    /* What the scan is inside of is no call where a local hides the function. */
    expect_layouts(MAIN(BUFFERS "fn f() { data[0] = 1.0; }", "let f = 1; _ = f;"), "");
}

/* A float texture that is sampled, or not. */
static void expect_sampled(const char *declarations, const char *body, bool sampled)
{
    char source[2048];
    (void)snprintf(source, sizeof source,
                   MAIN("@group(0) @binding(0) var t: texture_2d<f32>;\n"
                        "@group(0) @binding(1) var s: sampler;\n%s",
                        "_ = s; _ = t; %s"),
                   declarations, body);
    expect_layouts(source, sampled ? "0.0 texture 2d float; 0.1 sampler"
                                   : "0.0 texture 2d unfilterable; 0.1 sampler");
}

static void textures_are_sampled_by_sampling_functions(void **state)
{
    (void)state;
    static const char *const samples[] = {
        "_ = textureSample(t, s, vec2f());",
        "_ = textureSampleLevel(t, s, vec2f(), 0.0);",
        "_ = textureSampleBias(t, s, vec2f(), 0.0);",
        "_ = textureSampleGrad(t, s, vec2f(), vec2f(), vec2f());",
        "_ = textureSampleBaseClampToEdge(t, s, vec2f());",
        "_ = textureGather(0, t, s, vec2f());",
        "_ = textureGather(select(0, 1, 1 < 2), t, s, vec2f());",
        "_ = textureSample /* */ ( ( ( t ) ) , s , vec2f() ) ;",
        "_ = textureLoad(t, vec2i(textureSample(t, s, vec2f()).xy), 0);",
        "let x = t;",
        "_ = f(&t);",
        "_ = unknown(t);",
        "_ = vec4f(t);",
        "_ = t + 1;",
    };
    for (size_t i = 0; i < UNIT_COUNT(samples); ++i) {
        expect_sampled("", samples[i], true);
    }
    static const char *const loads[] = {
        "",
        "_ = textureLoad(t, vec2i(), 0);",
        "_ = textureDimensions(t);",
        "_ = textureNumLevels((t));",
        "_ = textureNumLayers(t); _ = textureNumSamples(t);",
        "let t = 1; _ = textureSample(t, s, vec2f());",
        "_ = textureSample(a.t, s, textureLoad(t, vec2i(), 0).xy);",
    };
    for (size_t i = 0; i < UNIT_COUNT(loads); ++i) {
        expect_sampled("", loads[i], false);
    }
    /* A function of the module may have any name but a keyword. */
    expect_sampled("fn textureSample(a: texture_2d<f32>) { _ = textureLoad(a, vec2i(), 0); }",
                   "textureSample(t);", false);
    expect_sampled("fn textureLoad(a: texture_2d<f32>) { _ = textureSample(a, s, vec2f()); }",
                   "textureLoad(t);", true);
}

static void textures_are_followed_into_functions(void **state)
{
    (void)state;
    static const char picks[] =
        "alias Picture = texture_2d<f32>;\n"
        "fn pick(a: Picture, b: texture_2d<f32>, c: i32) -> vec4f {\n"
        "    return textureLoad(a, vec2i(c), 0) + textureSample(b, s, vec2f()); }\n"
        "fn swap(@x(1, 2) b: texture_2d<f32>, a: vec2<f32>, p: ptr<function, array<f32, 2>>,\n"
        "        c: texture_2d<f32>,) -> vec4f { return pick(c, b, 1); }\n"
        "fn hide(a: texture_2d<f32>) { let a = 1; _ = a; }\n"
        "fn around(a: texture_2d<f32>, n: i32) { around(a, n - 1); if (n < 0) { _ = pick(a, a, 0); } }\n"
        "fn circle(a: texture_2d<f32>, n: i32) { circle(a, n - 1); _ = textureLoad(a, vec2i(), 0); }\n";
    expect_sampled(picks, "_ = pick(t, u, 0);", false);
    expect_sampled(picks, "_ = pick(u, t, 0);", true);
    expect_sampled(picks, "_ = swap(t, vec2f(), &v, u);", true);
    expect_sampled(picks, "_ = swap(u, vec2f(), &v, t);", false);
    expect_sampled(picks, "_ = swap(u, vec2<f32>(1, 2), &v, t,);", false);
    expect_sampled(picks, "_ = swap(((t)), vec2<f32>(1, 2), &v, u,);", true);
    expect_sampled(picks, "_ = pick(u, u, t);", false); /* to what is no texture there */
    expect_sampled(picks, "_ = pick(u, u, 0, t);", true);
    expect_sampled(picks, "circle(u, 1, t);", true);
    expect_sampled("fn f(a: sampler, b: texture_2d<f32>) { _ = textureSample(b, a, v); }",
                   "f(t, s);", false);                        /* no compiler takes that */
    expect_sampled(picks, "_ = pick(a < b, c > (t));", true); /* in doubt */
    expect_sampled(picks, "hide(t);", false);
    expect_sampled(picks, "around(t, 3);", true);
    expect_sampled(picks, "circle(t, 3);", false);
    /* `a < b` and `c > d` would be a template list: commas in one part no arguments. */
    expect_sampled(picks, "_ = pick(array<f32, 2>(u, u), t, 0);", true);
    expect_sampled(picks,
                   "_ = pick(array<f32, 2>(), u, 0); _ = pick(t, array<array<f32, 2>, 3>(), 0);",
                   false);
    /* Functions that nobody calls do not count. */
    expect_sampled("fn unused() { _ = textureSample(t, s, vec2f()); }", "", false);
}

static void multisampled_textures_are_never_filtered(void **state)
{
    (void)state;
    expect_layouts(MAIN("@group(0) @binding(0) var t: texture_multisampled_2d<f32>;"
                        "fn f(a: texture_2d<f32>) { _ = textureSample(a, s, v); }",
                        "let x = t; f(t);"),
                   "0.0 texture 2d unfilterable ms");
}

static void a_sampler_that_must_not_filter_is_refused(void **state)
{
    (void)state;
#define DEPTHS                                                                                     \
    "@group(0) @binding(0) var t: texture_depth_2d; @group(0) @binding(1) var s: sampler;\n"       \
    "@group(0) @binding(2) var n: texture_2d<u32>; @group(0) @binding(3) var o: sampler;\n"        \
    "fn pick(a: texture_depth_2d, b: sampler) { _ = textureSampleLevel(a, b, vec2f(), 0); }\n"     \
    "fn pass(b: sampler, a: texture_depth_2d) { pick(a, b); }\n"
    static const char *const bad[] = {
        "_ = textureSampleLevel(t, s, vec2f(), 0);",
        "_ = textureGather(t, s, vec2f());",
        "_ = textureGather(1, n, s, vec2f());",
        "pick(t, s);",
        "pass(s, t);",
    };
    for (size_t i = 0; i < UNIT_COUNT(bad); ++i) {
        char source[1024];
        (void)snprintf(source, sizeof source, MAIN(DEPTHS, "%s"), bad[i]);
        expect_error(source, "main", GPOOL_ERROR_UNSUPPORTED, "s: sampler;");
    }
    expect_layouts(MAIN(DEPTHS, "_ = textureLoad(t, vec2i(), 0); _ = s;"),
                   "0.0 texture 2d depth; 0.1 sampler");
}

static void numbers_may_be_shared_by_what_is_not_used_together(void **state)
{
    (void)state;
    static const char source[] =
        "@group(0) @binding(0) var<storage, read_write> written: array<f32>;\n"
        "@group(0) @binding(0) var<storage, read> shown: array<f32>;\n"
        "@compute @workgroup_size(1) fn main() { written[0] = 1.0; }\n"
        "@compute @workgroup_size(1) fn both() { written[0] = shown[0]; }\n"
        "@vertex fn vs() -> @builtin(position) vec4f { return vec4f(shown[0]); }\n"
        "@fragment fn fs() -> @location(0) vec4f { return vec4f(written[0]); }\n";
    expect_layouts(source, "0.0 write");
    expect_error(MAIN("@group(0) @binding(0) var<uniform> a: f32;"
                      "@group(0) @binding(0) var<uniform> b: f32;",
                      "_ = a + b;"),
                 "main", GPOOL_ERROR_INVALID_ARGUMENT, "b: f32");
    expect_error(source, "both", GPOOL_ERROR_INVALID_ARGUMENT, "shown: array");
    expect_error(source, NULL, GPOOL_ERROR_INVALID_ARGUMENT, "written: array");
}

int main(void)
{
    scan_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_is_reached_is_used),
        cmocka_unit_test(what_hides_a_name_hides_it_as_long_as_its_block),
        cmocka_unit_test(textures_are_sampled_by_sampling_functions),
        cmocka_unit_test(textures_are_followed_into_functions),
        cmocka_unit_test(multisampled_textures_are_never_filtered),
        cmocka_unit_test(a_sampler_that_must_not_filter_is_refused),
        cmocka_unit_test(numbers_may_be_shared_by_what_is_not_used_together),
    };
    return cmocka_run_group_tests_name("bindings_use", tests, NULL, NULL);
}
