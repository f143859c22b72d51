/* Compiling on workers: states, passes that go on without, what real compilers say and survive. */
#include "gpu/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int gpu_compile_run(void);

#define MINUTE_NS UINT64_C(60000000000)

static fixture *use_workers(void **state, uint32_t workers)
{
    fixture *f = *state;
    fixture_use_pool(f, (gpool_desc){ .compile_workers = workers, .wait_timeout_ms = 60000 });
    return f;
}

/* Fills a target with the number's low byte as red. */
static const char *fill_text(uint32_t number)
{
    static char text[1024];
    (void)snprintf(text, sizeof text,
                   "const number = %uu;\n"
                   "@vertex fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {\n"
                   "    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0, 1);\n"
                   "}\n"
                   "@fragment fn fs() -> @location(0) vec4f {\n"
                   "    return vec4f(f32(number & 255u) / 255.0, 0.0, 1.0, 1.0);\n"
                   "}\n",
                   number);
    return text;
}

static gpool_pipeline make_pipeline(fixture *f, gpool_shader shader, const char *label)
{
    return gpool_render_pipeline_create(
        f->pool, &(gpool_render_pipeline_desc){ .shader = shader,
                                                .colors[0].format = WGPUTextureFormat_RGBA8Unorm,
                                                .samples = 1,
                                                .label = label });
}

static gpool_pipeline make_fill(fixture *f, uint32_t number)
{
    gpool_shader shader = gpool_shader_create(
        f->pool, &(gpool_shader_desc){ .wgsl = fill_text(number), .label = "fill" });
    gpool_pipeline pipeline = make_pipeline(f, shader, "fill");
    assert_good(gpool_shader_destroy(f->pool, shader));
    return pipeline;
}

static gpool_result draw(fixture *f, gpool_pipeline pipeline, gpool_texture target, bool skips)
{
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    if (skips) {
        gpool_skip_not_ready(rec);
    }
    gpool_set_pipeline(rec, pipeline);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    return gpool_end_frame(f->pool);
}

static void many_compile_at_once_and_all_of_them_draw(void **state)
{
    fixture *f = use_workers(state, 8);
    gpool_texture target = fixture_target(f, 1, 1);
    gpool_pipeline pipelines[24];
    for (uint32_t i = 0; i < 24; ++i) {
        pipelines[i] = make_fill(f, i * 10);
        gpool_result status = gpool_pipeline_status(f->pool, pipelines[i]);
        assert_true(status == GPOOL_NOT_READY || status == GPOOL_OK);
    }
    for (uint32_t i = 24; i-- > 0;) {
        if (i % 2 == 0) {
            assert_good(gpool_pipeline_wait(f->pool, pipelines[i], MINUTE_NS));
        }
        assert_good(draw(f, pipelines[i], target, false)); /* waits by itself */
        assert_pixel(f, target, 0, 0, (i * 10) << 24 | 0x0000ffff);
    }
    gpool_stats stats = fixture_stats(f);
    assert_int_equal(stats.compiles_pending, 0);
    assert_int_equal(stats.shader_misses, 24);
    assert_int_equal(stats.pipeline_misses, 24);
}

static void a_pass_that_skips_is_complete_in_the_end(void **state)
{
    fixture *f = use_workers(state, 1);
    gpool_texture target = fixture_target(f, 1, 1);
    gpool_pipeline before[16];
    for (uint32_t i = 0; i < 16; ++i) {
        before[i] = make_fill(f, 1000 + i); /* keeps the worker busy */
    }
    gpool_pipeline last = make_fill(f, 200);
    uint32_t frames = 0;
    uint32_t pixel = 0;
    while (pixel != 0xc800ffff && frames < 100000) {
        assert_good(draw(f, last, target, true));
        frames += 1;
        pixel = fixture_pixel(f, target, 0, 0);
        assert_true(pixel == 0xc800ffff || pixel == 0); /* cleared, or whole */
        assert_int_equal(fixture_stats(f).unready_draws, frames - (pixel != 0 ? 1 : 0));
    }
    assert_int_equal(pixel, 0xc800ffff);
    assert_true(frames > 1);
    assert_int_equal(fixture_stats(f).compile_waits, 0);
    for (uint32_t i = 0; i < 16; ++i) {
        assert_good(gpool_pipeline_wait(f->pool, before[i], MINUTE_NS));
    }
}

static void broken_sources_tell_file_and_line_through_an_include(void **state)
{
    fixture *f = use_workers(state, 4);
    static const struct {
        const char *text; /* of lib/part.wgsl; the third line is wrong */
    } broken[] = {
        { "// one\n// two\nfn part( -> f32 { return 1.0; }\n" },     /* syntax */
        { "// one\n// two\nfn part() -> f32 { return 1u; }\n" },     /* a type */
        { "// one\n// two\nfn part() -> f32 { return nobody; }\n" }, /* a name */
        { "// one\n// two\nfn part() -> nothing { return 1.0; }\n" },
    };
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; ++i) {
        char name[32];
        char text[1024];
        (void)snprintf(name, sizeof name, "lib/part%zu.wgsl", i);
        assert_good(gpool_shader_set_file(f->pool, name, broken[i].text, strlen(broken[i].text)));
        (void)snprintf(text, sizeof text,
                       "#define UNUSED 1\n\n#include \"%s\"\n"
                       "@compute @workgroup_size(1) fn main() { _ = part(); }\n",
                       name);
        gpool_shader shader =
            gpool_shader_create(f->pool, &(gpool_shader_desc){ .wgsl = text, .label = "outer" });
        assert_result(gpool_shader_wait(f->pool, shader, MINUTE_NS), GPOOL_ERROR_GPU);
        fixture_expect(f, GPOOL_LOG_SHADER_COMPILE, 1);
        gpool_shader_info info;
        assert_good(gpool_shader_get_info(f->pool, shader, &info));
        assert_string_equal(info.file, name);
        assert_int_equal(info.line, 3);
        assert_true(info.column > 0);
        assert_non_null(strstr(info.message, name));
        gpool_pipeline pipeline = gpool_compute_pipeline_create(
            f->pool, &(gpool_compute_pipeline_desc){ .shader = shader });
        assert_result(gpool_pipeline_wait(f->pool, pipeline, MINUTE_NS),
                      GPOOL_ERROR_FAILED_RESOURCE);
        fixture_expect(f, GPOOL_LOG_PIPELINE_CREATE, 1);
    }
    assert_good(draw(f, make_fill(f, 5), fixture_target(f, 1, 1), false));
}

static void missing_entry_points_fail_the_pipeline_alone(void **state)
{
    fixture *f = use_workers(state, 2);
    gpool_shader shader =
        gpool_shader_create(f->pool, &(gpool_shader_desc){ .wgsl = fill_text(1) });
    gpool_render_pipeline_desc desc = { .shader = shader,
                                        .vertex_entry = "nobody",
                                        .colors[0].format = WGPUTextureFormat_RGBA8Unorm,
                                        .samples = 1,
                                        .label = "without" };
    gpool_pipeline pipeline = gpool_render_pipeline_create(f->pool, &desc);
    assert_result(gpool_pipeline_wait(f->pool, pipeline, MINUTE_NS), GPOOL_ERROR_GPU);
    gpool_pipeline compute = gpool_compute_pipeline_create(
        f->pool, &(gpool_compute_pipeline_desc){ .shader = shader, .label = "no compute" });
    assert_result(gpool_pipeline_wait(f->pool, compute, MINUTE_NS), GPOOL_ERROR_GPU);
    fixture_expect(f, GPOOL_LOG_PIPELINE_CREATE, 2);
    assert_good(gpool_shader_status(f->pool, shader));
    gpool_texture target = fixture_target(f, 1, 1);
    assert_result(draw(f, pipeline, target, false), GPOOL_ERROR_FAILED_RESOURCE);
    assert_good(draw(f, make_pipeline(f, shader, "with"), target, false));
    fixture_expect(f, GPOOL_LOG_RESOURCE_FAILED, 1);
    assert_pixel(f, target, 0, 0, 0x0100ffff);
}

static void a_mebibyte_of_source_compiles_or_is_told(void **state)
{
    fixture *f = use_workers(state, 2);
    const size_t most = (size_t)1 << 20;
    char *text = malloc(most + 2048);
    assert_non_null(text);
    for (int broken = 0; broken < 2; ++broken) {
        size_t size = 0;
        uint32_t lines = 0;
        while (size + 128 < most) {
            /* Comments for the most part: compilers of this kind take minutes for so much code. */
            size +=
                (size_t)snprintf(text + size, 128,
                                 lines % 64 == 0 ? "fn filler%u(x: f32) -> f32 { return x; }\n"
                                                 : "// filler %u, and some more of it, nothing\n",
                                 lines);
            lines += 1;
        }
        if (broken != 0) {
            size += (size_t)snprintf(text + size, 128, "fn wrong() -> f32 { return 1u; }\n");
        }
        (void)snprintf(text + size, 1024, "%s", fill_text(77));
        gpool_shader shader =
            gpool_shader_create(f->pool, &(gpool_shader_desc){ .wgsl = text, .label = "large" });
        gpool_result wanted = broken != 0 ? GPOOL_ERROR_GPU : GPOOL_OK;
        assert_result(gpool_shader_wait(f->pool, shader, MINUTE_NS), wanted);
        if (broken != 0) {
            gpool_shader_info info;
            assert_good(gpool_shader_get_info(f->pool, shader, &info));
            assert_int_equal(info.line, lines + 1);
            fixture_expect(f, GPOOL_LOG_SHADER_COMPILE, 1);
        } else {
            gpool_texture target = fixture_target(f, 1, 1);
            assert_good(draw(f, make_pipeline(f, shader, "large"), target, false));
            assert_pixel(f, target, 0, 0, 0x4d00ffff);
        }
    }
    free(text);
}

static void many_broken_ones_at_once_do_no_harm(void **state)
{
    fixture *f = use_workers(state, 8);
    enum {
        COUNT = 60
    };
    gpool_shader shaders[COUNT];
    for (uint32_t i = 0; i < COUNT; ++i) {
        char text[2048];
        (void)snprintf(text, sizeof text, "%s%s%s", i % 3 == 0 ? "fn a( {}" : "", fill_text(i),
                       i % 3 == 1 ? "fn b() -> f32 { return 1u; }" : "");
        shaders[i] = gpool_shader_create(f->pool, &(gpool_shader_desc){ .wgsl = text });
        gpool_pipeline pipeline = make_pipeline(f, shaders[i], "some broken");
        if (i % 5 == 0) {
            assert_good(gpool_pipeline_destroy(f->pool, pipeline));
        }
    }
    uint32_t good = 0;
    for (uint32_t i = 0; i < COUNT; ++i) {
        gpool_result result = gpool_shader_wait(f->pool, shaders[i], MINUTE_NS);
        assert_int_equal(result, i % 3 == 2 ? GPOOL_OK : GPOOL_ERROR_GPU);
        good += result == GPOOL_OK;
    }
    assert_int_equal(good, COUNT / 3);
    while (fixture_stats(f).compiles_pending > 0) {
        assert_good(gpool_begin_frame(f->pool));
        assert_good(gpool_end_frame(f->pool));
    }
    memset(&f->log, 0, sizeof f->log); /* how often the same is told is another test's */
    gpool_texture target = fixture_target(f, 1, 1);
    assert_good(draw(f, make_fill(f, 9), target, false));
    assert_pixel(f, target, 0, 0, 0x0900ffff);
}

static void a_pool_may_end_while_its_workers_compile(void **state)
{
    for (uint32_t workers = 1; workers <= 8; workers *= 2) {
        fixture *f = use_workers(state, workers);
        for (uint32_t i = 0; i < 40; ++i) {
            (void)make_fill(f, 2000 + i);
        }
    }
    fixture *f = use_workers(state, 1);
    gpool_texture target = fixture_target(f, 1, 1);
    assert_good(draw(f, make_fill(f, 9), target, false));
    assert_pixel(f, target, 0, 0, 0x0900ffff);
}

int gpu_compile_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(many_compile_at_once_and_all_of_them_draw),
        FIXTURE_TEST(a_pass_that_skips_is_complete_in_the_end),
        FIXTURE_TEST(broken_sources_tell_file_and_line_through_an_include),
        FIXTURE_TEST(missing_entry_points_fail_the_pipeline_alone),
        FIXTURE_TEST(a_mebibyte_of_source_compiles_or_is_told),
        FIXTURE_TEST(many_broken_ones_at_once_do_no_harm),
        FIXTURE_TEST(a_pool_may_end_while_its_workers_compile),
    };
    return FIXTURE_RUN("compile", tests);
}
