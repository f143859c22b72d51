/* Layouts from scans: two stages, dynamic offsets, limits, and what is told when there are none. */
#include "unit/bindings_scanned.h"

#include "base/text.h"

/* Layouts of a vertex and a fragment module, by text; "" with the result of an error. */
static gpool_result merge(const char *vertex, const char *fragment, const WGPULimits *limits,
                          char text[BINDINGS_TEXT], gpool__bindings_error *error)
{
    scanned v = scan_of(vertex);
    scanned f = scan_of(fragment);
    const gpool__bindings_stage stages[] = {
        { .scan = &v.scan, .stage = WGPUShaderStage_Vertex },
        { .scan = &f.scan, .stage = WGPUShaderStage_Fragment },
    };
    gpool__bindings_groups groups;
    const gpool_result result = gpool__bindings_layouts(&memory, stages, 2, limits, &groups, error);
    bindings_groups_text(text, &groups);
    scan_end(&v);
    scan_end(&f);
    return result;
}

#define VERTEX(declaration, name)                                                                  \
    declaration "@vertex fn vs() -> @builtin(position) vec4f { _ = " name "; }"
#define FRAGMENT(declaration, body) declaration "@fragment fn fs() { " body " }"

static void two_modules_are_merged(void **state)
{
    (void)state;
    static const struct {
        const char *vertex;
        const char *fragment;
        const char *wanted;
    } rows[] = {
        { VERTEX("@group(0) @binding(0) var<uniform> a: vec4f;", "a"),
          FRAGMENT("@group(0) @binding(0) var<uniform> b: vec4f;", "_ = b;"), "0.0 uniform*" },
        { VERTEX("@group(0) @binding(3) var<uniform> a: vec4f;", "a"),
          FRAGMENT("@group(0) @binding(1) var<storage> b: vec4f;", "_ = b;"),
          "0.1 read; 0.3 uniform*" },
        { VERTEX("@group(0) @binding(0) var a: texture_2d<f32>;", "a"),
          FRAGMENT("@group(0) @binding(0) var b: texture_2d<f32>; @group(0) @binding(1) var s: "
                   "sampler;",
                   "_ = textureSample(b, s, vec2f());"),
          "0.0 texture 2d float; 0.1 sampler" },
        { VERTEX("@group(0) @binding(0) var b: texture_2d<f32>; @group(0) @binding(1) var s: "
                 "sampler;",
                 "textureSampleLevel(b, s, vec2f(), 0.0)"),
          FRAGMENT("@group(0) @binding(0) var a: texture_2d<f32>;", "_ = a;"),
          "0.0 texture 2d float; 0.1 sampler" },
        { VERTEX("", "1"),
          FRAGMENT("@group(2) @binding(0) var<storage, read_write> b: f32;", "b = 1;"),
          "2.0 write" },
        { VERTEX("@group(0) @binding(0) var t: texture_storage_2d<r32float, read>;", "t"),
          FRAGMENT("@group(0) @binding(1) var t: texture_storage_2d<r32float, write>;", "_ = t;"),
          "0.0 storage 2d R32Float read; 0.1 storage 2d R32Float write" },
    };
    for (size_t i = 0; i < UNIT_COUNT(rows); ++i) {
        char text[BINDINGS_TEXT];
        gpool__bindings_error error;
        const WGPULimits limits = bindings_limits();
        assert_same(merge(rows[i].vertex, rows[i].fragment, &limits, text, &error), GPOOL_OK);
        assert_string_equal(text, rows[i].wanted);
    }
}

static void contradictions_name_both(void **state)
{
    (void)state;
    static const char *const others[] = {
        "var<storage> other: vec4f;",
        "var<storage, read_write> other: vec4f;",
        "var other: texture_2d<f32>;",
        "var other: texture_2d<u32>;",
        "var other: texture_depth_2d;",
        "var other: texture_3d<f32>;",
        "var other: texture_multisampled_2d<f32>;",
        "var other: sampler;",
        "var other: sampler_comparison;",
        "var other: texture_storage_2d<r32float, read>;",
        "var other: texture_storage_2d<r32uint, read>;",
        "var other: texture_storage_2d<r32uint, write>;",
        "var other: texture_storage_1d<r32uint, read>;",
    };
    for (size_t i = 0; i < UNIT_COUNT(others); ++i) {
        for (size_t k = 0; k < UNIT_COUNT(others); ++k) {
            char vertex[256];
            char fragment[256];
            char text[BINDINGS_TEXT];
            gpool__bindings_error error;
            const WGPULimits limits = bindings_limits();
            (void)snprintf(vertex, sizeof vertex, VERTEX("@group(0) @binding(5) %s", "other"),
                           others[i]);
            (void)snprintf(fragment, sizeof fragment,
                           FRAGMENT("\n@group(0) @binding(5) %s", "_ = other;"), others[k]);
            const bool vertex_writes = strstr(others[i], "write") != NULL;
            const gpool_result result = merge(vertex, fragment, &limits, text, &error);
            assert_same(result, i == k && !vertex_writes ? GPOOL_OK : GPOOL_ERROR_INVALID_ARGUMENT);
            if (result != GPOOL_OK) {
                const char *place = vertex_writes ? vertex : fragment;
                assert_int_equal(error.at, strstr(place, "other") - place);
                assert_int_equal(error.stage, vertex_writes ? 0 : 1);
                assert_string_equal(text, "");
            }
        }
    }
}

static void a_missing_entry_point_is_told(void **state)
{
    (void)state;
    static const char source[] = "@group(0) @binding(0) var<uniform> a: vec4f;\n"
                                 "@compute @workgroup_size(1) fn one() {}\n"
                                 "@compute @workgroup_size(1) fn two() {}\n";
    expect_error(source, "three", GPOOL_ERROR_INVALID_ARGUMENT, NULL);
    expect_error(source, "a", GPOOL_ERROR_INVALID_ARGUMENT, NULL);
    expect_error(source, NULL, GPOOL_ERROR_INVALID_ARGUMENT, NULL); /* no vertex stage */
    expect_error("", "main", GPOOL_ERROR_INVALID_ARGUMENT, NULL);
    scanned s = scan_of(source);
    const gpool__bindings_stage any = { .scan = &s.scan, .stage = WGPUShaderStage_Compute };
    const WGPULimits limits = bindings_limits();
    gpool__bindings_groups groups;
    gpool__bindings_error error;
    assert_same(gpool__bindings_layouts(&memory, &any, 1, &limits, &groups, &error),
                GPOOL_ERROR_INVALID_ARGUMENT);
    scan_end(&s);
}

static void what_a_vertex_stage_writes_is_refused(void **state)
{
    (void)state;
    expect_error(VERTEX("@group(0) @binding(0) var<storage, read_write> w: f32;", "w")
                     FRAGMENT("", ""),
                 NULL, GPOOL_ERROR_INVALID_ARGUMENT, "w: f32");
    expect_error(VERTEX("@group(0) @binding(0) var w: texture_storage_2d<r32float, write>;", "w")
                     FRAGMENT("", ""),
                 NULL, GPOOL_ERROR_INVALID_ARGUMENT, "w: texture");
}

/* `count` variables of one declaration, all used. */
static char *many(const char *declaration, uint32_t count, uint32_t per_group, const char *stage)
{
    char *text = malloc(1u << 16);
    size_t at = 0;
    assert_non_null(text);
    for (uint32_t i = 0; i < count; ++i) {
        at += (size_t)snprintf(text + at, (1u << 16) - at, "@group(%u) @binding(%u) ",
                               i / per_group, i % per_group);
        at += (size_t)snprintf(text + at, (1u << 16) - at, declaration, i);
    }
    at += (size_t)snprintf(text + at, (1u << 16) - at, "%s", stage);
    for (uint32_t i = 0; i < count; ++i) {
        at += (size_t)snprintf(text + at, (1u << 16) - at, " _ = v%u;", i);
    }
    (void)snprintf(text + at, (1u << 16) - at, " }");
    return text;
}

static gpool_result many_layouts(const char *declaration, uint32_t count, uint32_t per_group,
                                 gpool__bindings_groups *groups)
{
    char *text = many(declaration, count, per_group, "@compute @workgroup_size(1) fn main() {");
    scanned s = scan_of(text);
    gpool__bindings_error error;
    const gpool_result result = layouts_of(&s.scan, "main", groups, &error);
    assert_same(error.message[0] == '\0', result == GPOOL_OK);
    scan_end(&s);
    free(text);
    return result;
}

static void limits_are_kept(void **state)
{
    (void)state;
    static const struct {
        const char *declaration;
        uint32_t count;
        uint32_t per_group;
        gpool_result wanted;
    } rows[] = {
        { "var<uniform> v%u: vec4f;", 12, 3, GPOOL_OK },
        { "var<uniform> v%u: vec4f;", 13, 4, GPOOL_ERROR_LIMIT },
        { "var<storage> v%u: vec4f;", 8, 8, GPOOL_OK },
        { "var<storage> v%u: vec4f;", 9, 9, GPOOL_ERROR_LIMIT },
        { "var v%u: texture_2d<f32>;", 16, 16, GPOOL_OK },
        { "var v%u: texture_2d<f32>;", 17, 17, GPOOL_ERROR_LIMIT }, /* GPOOL_MAX_BINDINGS */
        { "var v%u: texture_2d<f32>;", 17, 16, GPOOL_ERROR_LIMIT },
        { "var v%u: sampler;", 16, 4, GPOOL_OK },
        { "var v%u: sampler;", 17, 5, GPOOL_ERROR_LIMIT },
        { "var v%u: texture_storage_2d<r32float, write>;", 4, 4, GPOOL_OK },
        { "var v%u: texture_storage_2d<r32float, write>;", 5, 4, GPOOL_ERROR_LIMIT },
        { "var<uniform> v%u: vec4f;", 5, 1, GPOOL_ERROR_LIMIT }, /* GPOOL_MAX_GROUPS */
    };
    for (size_t i = 0; i < UNIT_COUNT(rows); ++i) {
        gpool__bindings_groups groups;
        assert_same(many_layouts(rows[i].declaration, rows[i].count, rows[i].per_group, &groups),
                    rows[i].wanted);
    }
    expect_error(MAIN("@group(0) @binding(1000) var<uniform> v: vec4f;", "_ = v;"), "main",
                 GPOOL_ERROR_LIMIT, "v: vec4f");
    expect_layouts(MAIN("@group(3) @binding(999) var<uniform> v: vec4f;", "_ = v;"),
                   "3.999 uniform*");
}

static void dynamic_offsets_go_first_to_groups_of_one_uniform_buffer(void **state)
{
    (void)state;
    gpool__bindings_groups groups;
    assert_same(many_layouts("var<uniform> v%u: vec4f;", 9, 3, &groups), GPOOL_OK);
    for (uint32_t i = 0; i < 9; ++i) {
        assert_same(groups.entries[i / 3][i % 3].dynamic_offset, i < 8);
    }
    /* 10 in groups 0 and 1, and one alone in group 2. */
    assert_same(many_layouts("var<uniform> v%u: vec4f;", 11, 5, &groups), GPOOL_OK);
    assert_true(groups.entries[2][0].dynamic_offset);
    assert_true(groups.entries[1][1].dynamic_offset);
    assert_false(groups.entries[1][2].dynamic_offset);
}

/* Six storage buffers in each of two stages: nine in one would be too many. */
static void stages_are_narrowed_only_where_limits_need_it(void **state)
{
    (void)state;
    char vertex[2048] = "";
    char fragment[2048] = "";
    for (uint32_t i = 0; i < 6; ++i) {
        char line[128];
        (void)snprintf(line, sizeof line, "@group(1) @binding(%u) var<storage> v%u: f32;", i, i);
        (void)strcat(vertex, line);
        (void)snprintf(line, sizeof line, "@group(1) @binding(%u) var<storage> f%u: f32;", i + 4,
                       i);
        (void)strcat(fragment, line);
    }
    (void)strcat(vertex, "@group(0) @binding(0) var<uniform> u: vec4f; @vertex fn vs() "
                         "{ _ = u; _ = v0+v1+v2+v3+v4+v5; }");
    (void)strcat(fragment, "@fragment fn fs() { _ = f0+f1+f2+f3+f4+f5; }");
    char text[BINDINGS_TEXT];
    gpool__bindings_error error;
    WGPULimits limits = bindings_limits();
    assert_same(merge(vertex, fragment, &limits, text, &error), GPOOL_OK);
    assert_string_equal(text, "0.0 uniform*; 1.0 read V; 1.1 read V; 1.2 read V; 1.3 read V; "
                              "1.4 read VF; 1.5 read VF; 1.6 read F; 1.7 read F; 1.8 read F; "
                              "1.9 read F");
    limits.maxStorageBuffersPerShaderStage = 10;
    assert_same(merge(vertex, fragment, &limits, text, &error), GPOOL_OK);
    assert_null(strstr(text, "read V"));
    limits.maxStorageBuffersPerShaderStage = 5;
    assert_same(merge(vertex, fragment, &limits, text, &error), GPOOL_ERROR_LIMIT);
    /* The group of gpool_set_uniforms() stays what it is. */
    limits.maxUniformBuffersPerShaderStage = 3;
    assert_same(merge(VERTEX("@group(0) @binding(0) var<uniform> u: f32;"
                             "@group(2) @binding(0) var<uniform> a: f32;"
                             "@group(2) @binding(1) var<uniform> b: f32;",
                             "u + a + b"),
                      FRAGMENT("@group(3) @binding(0) var<uniform> c: f32;"
                               "@group(3) @binding(1) var<uniform> d: f32;",
                               "_ = c + d;"),
                      &limits, text, &error),
                GPOOL_OK);
    assert_string_equal(text, "0.0 uniform*; 2.0 uniform* V; 2.1 uniform* V; 3.0 uniform* F; "
                              "3.1 uniform* F");
}

static void a_group_has_sixteen_bindings_on_any_device(void **state)
{
    (void)state;
    WGPULimits limits = bindings_limits();
    limits.maxSampledTexturesPerShaderStage = 1000;
    for (uint32_t count = 16; count <= 17; ++count) {
        char *text = many("var v%u: texture_2d<f32>;", count, count,
                          "@compute @workgroup_size(1) fn main() {");
        scanned s = scan_of(text);
        const gpool__bindings_stage stage = { .scan = &s.scan, .stage = WGPUShaderStage_Compute };
        gpool__bindings_groups groups;
        gpool__bindings_error error;
        assert_same(gpool__bindings_layouts(&memory, &stage, 1, &limits, &groups, &error),
                    count == 16 ? GPOOL_OK : GPOOL_ERROR_LIMIT);
        scan_end(&s);
        free(text);
    }
}

static void messages_bear_names_of_any_bytes(void **state)
{
    (void)state;
    char source[4096] = "@compute @workgroup_size(1) fn main() { _ = ";
    char name[1024] = "";
    for (int i = 0; i < 100; ++i) {
        (void)strcat(name, i % 2 == 0 ? "\xc3\xa4\xff" : "n");
    }
    (void)strcat(source, name);
    (void)strcat(source, "; } @group(0) @binding(0) var ");
    (void)strcat(source, name);
    (void)strcat(source, ": texture_external;");
    scanned s = scan_of(source);
    gpool__bindings_groups groups;
    gpool__bindings_error error;
    assert_same(layouts_of(&s.scan, "main", &groups, &error), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_true(gpool__is_utf8(error.message, strlen(error.message)));
    scan_end(&s);
}

int main(void)
{
    scan_begin();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_modules_are_merged),
        cmocka_unit_test(contradictions_name_both),
        cmocka_unit_test(a_missing_entry_point_is_told),
        cmocka_unit_test(what_a_vertex_stage_writes_is_refused),
        cmocka_unit_test(limits_are_kept),
        cmocka_unit_test(dynamic_offsets_go_first_to_groups_of_one_uniform_buffer),
        cmocka_unit_test(stages_are_narrowed_only_where_limits_need_it),
        cmocka_unit_test(a_group_has_sixteen_bindings_on_any_device),
        cmocka_unit_test(messages_bear_names_of_any_bytes),
    };
    return cmocka_run_group_tests_name("bindings_layouts", tests, NULL, NULL);
}
