/* Shaders and pipelines: what fails, how it is told, entry points, layouts. */
#include "gpu/fixture.h"

#include <stdio.h>
#include <string.h>

int gpu_shaders_run(void);

static const char many_wgsl[] =
    "@vertex fn first(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {\n"
    "    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);\n"
    "}\n"
    "@vertex fn second(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {\n"
    "    return vec4f(f32(i & 1u) * 2.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);\n"
    "}\n"
    "@fragment fn red() -> @location(0) vec4f { return vec4f(1.0, 0.0, 0.0, 1.0); }\n"
    "@fragment fn green() -> @location(0) vec4f { return vec4f(0.0, 1.0, 0.0, 1.0); }\n";

static const char plain_wgsl[] =
    "// @group(0) is only mentioned here /* and */\n"
    "/* @group(0) /* nested */ @group(1) */\n"
    "@vertex fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {\n"
    "    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);\n"
    "}\n"
    "@fragment fn fs() -> @location(0) vec4f { return vec4f(0.0, 0.0, 1.0, 1.0); }\n";

static const char compute_wgsl[] = "@compute @workgroup_size(1) fn main() {}\n";

static gpool_shader make(fixture *f, const char *wgsl)
{
    return gpool_shader_create(f->pool, &(gpool_shader_desc){ .wgsl = wgsl, .label = "made" });
}

/* Draws all of a 1 x 1 target. */
static gpool_result draw(fixture *f, gpool_pipeline pipeline, gpool_texture target)
{
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    gpool_set_pipeline(rec, pipeline);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    return gpool_end_frame(f->pool);
}

static void broken_source_gives_failed_shader_and_pipeline(void **state)
{
    fixture *f = *state;
    static const char *const sources[] = { "this is no shader", "fn f() -> u32 { return 1.5; }",
                                           "@vertex fn vs() {" };
    for (int i = 0; i < 3; ++i) {
        gpool_shader shader = make(f, sources[i]);
        assert_int_not_equal(shader.id, 0);
        assert_result(gpool_shader_wait(f->pool, shader, UINT64_MAX), GPOOL_ERROR_GPU);
        assert_int_equal(gpool_last_error(f->pool)->id, GPOOL_LOG_SHADER_COMPILE);
        fixture_expect(f, GPOOL_LOG_SHADER_COMPILE, 1);
        gpool_pipeline render = gpool_render_pipeline_create(
            f->pool, &(gpool_render_pipeline_desc){ .shader = shader });
        gpool_pipeline compute = gpool_compute_pipeline_create(
            f->pool, &(gpool_compute_pipeline_desc){ .shader = shader });
        assert_int_not_equal(render.id, 0);
        assert_int_not_equal(compute.id, 0);
        assert_result(gpool_pipeline_wait(f->pool, render, UINT64_MAX),
                      GPOOL_ERROR_FAILED_RESOURCE);
        assert_result(gpool_pipeline_wait(f->pool, compute, UINT64_MAX),
                      GPOOL_ERROR_FAILED_RESOURCE);
        fixture_expect(f, GPOOL_LOG_PIPELINE_CREATE, 2);
        assert_good(gpool_shader_destroy(f->pool, shader));
        assert_good(gpool_pipeline_destroy(f->pool, render));
        assert_good(gpool_pipeline_destroy(f->pool, compute));
    }
    gpool_texture target = fixture_target(f, 1, 1);
    gpool_pipeline good = fixture_render(f, plain_wgsl, (gpool_render_pipeline_desc){ 0 });
    assert_good(draw(f, good, target)); /* the device is none the worse */
    assert_pixel(f, target, 0, 0, 0x0000ffff);
}

static void words_in_a_source_or_label_are_no_lack_of_memory(void **state)
{
    fixture *f = *state;
    static const char words[] = "x\n    Not enough memory left.\n";
    static const char *const sources[] = { "// Not enough memory left.\n$",
                                           "$\n    Not enough memory left.\n",
                                           "fn f() -> i32 { return Not enough memory left.; }" };
    for (int i = 0; i < 3; ++i) {
        gpool_shader shader = gpool_shader_create(
            f->pool, &(gpool_shader_desc){ .wgsl = sources[i], .label = words });
        assert_result(gpool_shader_wait(f->pool, shader, UINT64_MAX), GPOOL_ERROR_GPU);
        fixture_expect(f, GPOOL_LOG_SHADER_COMPILE, 1);
    }
    gpool_compute_pipeline_desc desc = { .shader = make(f, compute_wgsl),
                                         .entry = words,
                                         .label = words };
    gpool_pipeline pipeline = gpool_compute_pipeline_create(f->pool, &desc);
    assert_result(gpool_pipeline_wait(f->pool, pipeline, UINT64_MAX), GPOOL_ERROR_GPU);
    fixture_expect(f, GPOOL_LOG_PIPELINE_CREATE, 1);
}

static void a_large_typed_table_is_no_nesting(void **state)
{
    fixture *f = *state;
    static char wgsl[16384] = "const table = array<vec3<f32>, 300>(";
    for (int i = 0; i < 300; ++i) {
        (void)strcat(wgsl, i == 299 ? "vec3<f32>(0.0, 1.0, 0.0)" : "vec3<f32>(1.0, 0.0, 0.5), ");
    }
    (void)strcat(wgsl,
                 ");\n"
                 "@vertex fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {\n"
                 "    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0, 1);\n"
                 "}\n"
                 "@fragment fn fs() -> @location(0) vec4f { return vec4f(table[299], 1); }\n");
    gpool_texture target = fixture_target(f, 1, 1);
    gpool_pipeline pipeline = fixture_render(f, wgsl, (gpool_render_pipeline_desc){ 0 });
    assert_good(draw(f, pipeline, target));
    assert_pixel(f, target, 0, 0, 0x00ff00ff);
}

static void callers_mistakes_give_null(void **state)
{
    fixture *f = *state;
    assert_int_equal(gpool_shader_create(f->pool, NULL).id, 0);
    assert_int_equal(make(f, NULL).id, 0);
    assert_int_equal(gpool_shader_from_file(f->pool, NULL).id, 0);
    fixture_expect(f, GPOOL_LOG_ARGUMENT_NULL, 3);
    assert_int_equal(gpool_render_pipeline_create(f->pool, &(gpool_render_pipeline_desc){ 0 }).id,
                     0);
    assert_int_equal(gpool_last_error(f->pool)->code, GPOOL_ERROR_NULL_HANDLE);
    fixture_expect(f, GPOOL_LOG_HANDLE_NULL, 1);
    gpool_shader shader = make(f, plain_wgsl);
    assert_good(gpool_shader_destroy(f->pool, shader));
    assert_result(gpool_shader_wait(f->pool, shader, UINT64_MAX), GPOOL_ERROR_STALE_HANDLE);
    assert_int_equal(
        gpool_compute_pipeline_create(f->pool, &(gpool_compute_pipeline_desc){ .shader = shader })
            .id,
        0);
    fixture_expect(f, GPOOL_LOG_HANDLE_STALE, 2);
}

static void missing_files_give_failed_shaders(void **state)
{
    fixture *f = *state;
    static const char *const paths[] = { "no/such/file.wgsl", ".", "" };
    for (int i = 0; i < 3; ++i) {
        gpool_shader shader = gpool_shader_from_file(f->pool, paths[i]);
        assert_int_not_equal(shader.id, 0);
        assert_result(gpool_shader_wait(f->pool, shader, UINT64_MAX), GPOOL_ERROR_FILE);
        fixture_expect(f, GPOOL_LOG_FILE, 1);
    }
}

static gpool_shader from_bytes(fixture *f, const char *bytes, size_t size)
{
    const char *path = fixture_is_wgpu() ? "gpu_shaders_wgpu.tmp" : "gpu_shaders_other.tmp";
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    gpool_shader shader = gpool_shader_from_file(f->pool, path);
    assert_int_equal(remove(path), 0);
    return shader;
}

static void files_are_read_with_and_without_a_byte_order_mark(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 1, 1);
    gpool_shader shader = from_bytes(f, plain_wgsl, sizeof plain_wgsl - 1);
    assert_good(gpool_shader_wait(f->pool, shader, UINT64_MAX));
    gpool_pipeline pipeline =
        gpool_render_pipeline_create(f->pool, &(gpool_render_pipeline_desc){ .shader = shader });
    assert_good(draw(f, pipeline, target));
    assert_pixel(f, target, 0, 0, 0x0000ffff);
    /* WGSL has no byte order mark: it is the editor's, and not handed to the compiler. */
    char marked[sizeof plain_wgsl + 3] = "\xef\xbb\xbf";
    memcpy(marked + 3, plain_wgsl, sizeof plain_wgsl);
    shader = from_bytes(f, marked, sizeof marked - 1);
    assert_good(gpool_shader_wait(f->pool, shader, UINT64_MAX));
}

static void empty_source_is_a_module_without_functions(void **state)
{
    fixture *f = *state;
    gpool_shader shader = make(f, "");
    assert_good(gpool_shader_wait(f->pool, shader, UINT64_MAX));
    gpool_pipeline pipeline =
        gpool_compute_pipeline_create(f->pool, &(gpool_compute_pipeline_desc){ .shader = shader });
    assert_result(gpool_pipeline_wait(f->pool, pipeline, UINT64_MAX), GPOOL_ERROR_GPU);
    fixture_expect(f, GPOOL_LOG_PIPELINE_CREATE, 1);
    /* An empty file is one that somebody is still writing. */
    shader = from_bytes(f, "", 0);
    assert_result(gpool_shader_wait(f->pool, shader, UINT64_MAX), GPOOL_ERROR_FILE);
    fixture_expect(f, GPOOL_LOG_FILE, 1);
}

static void size_bounds_the_source(void **state)
{
    fixture *f = *state;
    char text[sizeof compute_wgsl + 8];
    memcpy(text, compute_wgsl, sizeof compute_wgsl - 1);
    memset(text + sizeof compute_wgsl - 1, '#', 9);
    gpool_shader shader = gpool_shader_create(
        f->pool, &(gpool_shader_desc){ .wgsl = text, .size = sizeof compute_wgsl - 1 });
    assert_good(gpool_shader_wait(f->pool, shader, UINT64_MAX));
    gpool_pipeline pipeline = gpool_compute_pipeline_create(
        f->pool, &(gpool_compute_pipeline_desc){ .shader = shader, .entry = "main" });
    assert_good(gpool_pipeline_wait(f->pool, pipeline, UINT64_MAX));
}

static void entry_points_are_named_or_the_only_one(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 1, 1);
    char name[8] = "green";
    gpool_render_pipeline_desc desc = { .vertex_entry = "first", .fragment_entry = name };
    gpool_pipeline green = fixture_render(f, many_wgsl, desc);
    memset(name, 'x', 5); /* names are copied */
    assert_good(draw(f, green, target));
    assert_pixel(f, target, 0, 0, 0x00ff00ff);
    desc.fragment_entry = "red";
    gpool_pipeline red = fixture_render(f, many_wgsl, desc);
    assert_good(draw(f, red, target));
    assert_pixel(f, target, 0, 0, 0xff0000ff);
    gpool_pipeline only = fixture_render(f, plain_wgsl, (gpool_render_pipeline_desc){ 0 });
    assert_good(draw(f, only, target));
    assert_pixel(f, target, 0, 0, 0x0000ffff);
}

static void wrong_entry_points_fail_the_pipeline(void **state)
{
    fixture *f = *state;
    gpool_shader many = make(f, many_wgsl);
    gpool_shader compute = make(f, compute_wgsl);
    const gpool_render_pipeline_desc wrong[] = {
        { .shader = many, .vertex_entry = "none", .fragment_entry = "red" },
        { .shader = many, .vertex_entry = "first", .fragment_entry = "first" },
        { .shader = many },
        { .shader = compute },
    };
    for (int i = 0; i < 4; ++i) {
        gpool_render_pipeline_desc desc = wrong[i];
        desc.samples = 1;
        desc.colors[0].format = WGPUTextureFormat_RGBA8Unorm;
        gpool_pipeline pipeline = gpool_render_pipeline_create(f->pool, &desc);
        assert_int_not_equal(pipeline.id, 0);
        assert_result(gpool_pipeline_wait(f->pool, pipeline, UINT64_MAX), GPOOL_ERROR_GPU);
        fixture_expect(f, GPOOL_LOG_PIPELINE_CREATE, 1);
    }
    gpool_pipeline pipeline = gpool_compute_pipeline_create(
        f->pool, &(gpool_compute_pipeline_desc){ .shader = many, .entry = "red" });
    assert_result(gpool_pipeline_wait(f->pool, pipeline, UINT64_MAX), GPOOL_ERROR_GPU);
    fixture_expect(f, GPOOL_LOG_PIPELINE_CREATE, 1);
}

static void variant_that_fails_is_told_each_time_and_skipped(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 1, 1);
    gpool_shader many = make(f, many_wgsl);
    gpool_pipeline pipeline = gpool_render_pipeline_create(
        f->pool, &(gpool_render_pipeline_desc){ .shader = many, .vertex_entry = "none" });
    assert_good(gpool_pipeline_wait(f->pool, pipeline, UINT64_MAX)); /* compiles at its first use */
    assert_result(draw(f, pipeline, target), GPOOL_ERROR_GPU);
    fixture_expect(f, GPOOL_LOG_PIPELINE_CREATE, 1);
    uint64_t made = gpool_gpu_call_count(f->pool, GPOOL_GPU_DeviceCreateRenderPipeline);
    assert_result(draw(f, pipeline, target), GPOOL_ERROR_FAILED_RESOURCE);
    fixture_expect(f, GPOOL_LOG_RESOURCE_FAILED, 1);
    assert_int_equal(gpool_gpu_call_count(f->pool, GPOOL_GPU_DeviceCreateRenderPipeline), made);
}

static void default_layout_is_none_or_the_uniforms(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 1, 1);
    /* Without a @group nothing needs to be bound; comments do not count. */
    gpool_pipeline plain = fixture_render(f, plain_wgsl, (gpool_render_pipeline_desc){ 0 });
    assert_good(draw(f, plain, target));
    assert_pixel(f, target, 0, 0, 0x0000ffff);
    /* With one, group 0 takes set_uniforms and a draw without them is skipped. */
    gpool_pipeline filled = fixture_render(f, fixture_fill_wgsl, (gpool_render_pipeline_desc){ 0 });
    assert_result(draw(f, filled, target), GPOOL_ERROR_WRONG_PHASE);
    fixture_expect(f, GPOOL_LOG_PHASE, 1);
    assert_pixel(f, target, 0, 0, 0);
}

static void layouts_that_do_not_fit_fail_the_pipeline(void **state)
{
    fixture *f = *state;
    gpool_layout_entry entry = { .binding = 0, .type = GPOOL_BINDING_SAMPLER };
    gpool_layout layout =
        gpool_layout_create(f->pool, &(gpool_layout_desc){ .entries = &entry, .entry_count = 1 });
    gpool_render_pipeline_desc desc = { .shader = make(f, fixture_fill_wgsl),
                                        .layouts[0] = layout,
                                        .samples = 1,
                                        .colors[0].format = WGPUTextureFormat_RGBA8Unorm };
    gpool_pipeline pipeline = gpool_render_pipeline_create(f->pool, &desc);
    assert_result(gpool_pipeline_wait(f->pool, pipeline, UINT64_MAX), GPOOL_ERROR_GPU);
    fixture_expect(f, GPOOL_LOG_PIPELINE_CREATE, 1);
    /* A group between two others may be left out. */
    desc.layouts[0] = gpool_uniform_layout(f->pool);
    desc.layouts[2] = layout;
    pipeline = gpool_render_pipeline_create(f->pool, &desc);
    assert_good(gpool_pipeline_wait(f->pool, pipeline, UINT64_MAX));
    assert_good(gpool_layout_destroy(f->pool, layout));
    assert_int_equal(gpool_render_pipeline_create(f->pool, &desc).id, 0);
    assert_int_equal(gpool_last_error(f->pool)->code, GPOOL_ERROR_STALE_HANDLE);
    fixture_expect(f, GPOOL_LOG_HANDLE_STALE, 1);
}

static void stages_may_come_from_two_modules(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 1, 1);
    gpool_shader one = make(f, plain_wgsl);
    gpool_shader two = make(f, many_wgsl);
    gpool_render_pipeline_desc desc = { .shader = one,
                                        .fragment_shader = two,
                                        .fragment_entry = "green" };
    gpool_pipeline pipeline = gpool_render_pipeline_create(f->pool, &desc);
    assert_good(gpool_shader_destroy(f->pool, one));
    assert_good(gpool_shader_destroy(f->pool, two));
    for (int i = 0; i < 4; ++i) { /* the modules' objects are freed by now; the variant is new */
        assert_good(gpool_begin_frame(f->pool));
        assert_good(gpool_end_frame(f->pool));
    }
    assert_good(draw(f, pipeline, target));
    assert_pixel(f, target, 0, 0, 0x00ff00ff);
}

static void pipeline_of_the_other_kind_is_refused_in_a_pass(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 1, 1);
    gpool_pipeline compute = fixture_compute(f, compute_wgsl, (gpool_compute_pipeline_desc){ 0 });
    gpool_pipeline render = fixture_render(f, plain_wgsl, (gpool_render_pipeline_desc){ 0 });
    assert_result(draw(f, compute, target), GPOOL_ERROR_INVALID_ARGUMENT);
    fixture_expect(f, GPOOL_LOG_ARGUMENT_VALUE, 1);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_compute(rec, NULL);
    gpool_set_pipeline(rec, render);
    gpool_set_pipeline(rec, compute);
    gpool_dispatch(rec, 1, 1, 1);
    gpool_end_pass(rec);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_INVALID_ARGUMENT);
    fixture_expect(f, GPOOL_LOG_ARGUMENT_VALUE, 1);
}

int gpu_shaders_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(broken_source_gives_failed_shader_and_pipeline),
        FIXTURE_TEST(words_in_a_source_or_label_are_no_lack_of_memory),
        FIXTURE_TEST(a_large_typed_table_is_no_nesting),
        FIXTURE_TEST(callers_mistakes_give_null),
        FIXTURE_TEST(missing_files_give_failed_shaders),
        FIXTURE_TEST(files_are_read_with_and_without_a_byte_order_mark),
        FIXTURE_TEST(empty_source_is_a_module_without_functions),
        FIXTURE_TEST(size_bounds_the_source),
        FIXTURE_TEST(entry_points_are_named_or_the_only_one),
        FIXTURE_TEST(wrong_entry_points_fail_the_pipeline),
        FIXTURE_TEST(variant_that_fails_is_told_each_time_and_skipped),
        FIXTURE_TEST(default_layout_is_none_or_the_uniforms),
        FIXTURE_TEST(layouts_that_do_not_fit_fail_the_pipeline),
        FIXTURE_TEST(stages_may_come_from_two_modules),
        FIXTURE_TEST(pipeline_of_the_other_kind_is_refused_in_a_pass),
    };
    return FIXTURE_RUN("shaders", tests);
}
