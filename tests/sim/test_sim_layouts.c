/* What a shader binds, by name and by the groups of its pipelines, on the simulator. */
#include "compile_world.h"

static const char layouts_wgsl[] =
    "struct Light { color: vec4f, place: vec4f }\n"
    "@group(0) @binding(0) var<uniform> camera: mat4x4f;\n"
    "@group(1) @binding(2) var<storage, read> lights: array<Light>;\n"
    "@group(1) @binding(5) var albedo: texture_2d<f32>;\n"
    "@group(1) @binding(6) var smooth_it: sampler;\n"
    "@group(2) @binding(0) var<uniform> unused: vec4f;\n"
    "@vertex fn vs() -> @builtin(position) vec4f { return camera * vec4f(1.0); }\n"
    "@fragment fn fs() -> @location(0) vec4f {\n"
    "    return lights[0].color * textureSample(albedo, smooth_it, vec2f(0.5));\n"
    "}\n";

static void variables_are_found_by_name(void **state)
{
    (void)state;
    sim_pool p;
    compile_open(&p, 1);
    gpool_shader shader = compile_shader(&p, layouts_wgsl, "lit");
    static const struct {
        const char *name;
        gpool_shader_slot slot;
    } wanted[] = { { "camera", { 0, 0, GPOOL_BINDING_UNIFORM } },
                   { "lights", { 1, 2, GPOOL_BINDING_STORAGE } },
                   { "albedo", { 1, 5, GPOOL_BINDING_TEXTURE } },
                   { "smooth_it", { 1, 6, GPOOL_BINDING_SAMPLER } },
                   { "unused", { 2, 0, GPOOL_BINDING_UNIFORM } } };
    gpool_shader_slot slot;
    for (size_t i = 0; i < UNIT_COUNT(wanted); ++i) {
        assert_same(gpool_shader_binding(p.pool, shader, wanted[i].name, &slot), GPOOL_OK);
        assert_int_equal(slot.group, wanted[i].slot.group);
        assert_int_equal(slot.binding, wanted[i].slot.binding);
        assert_int_equal(slot.type, wanted[i].slot.type);
    }
    static const char *const strangers[] = { "", "Camera", "camera ", "vs", "Light", "color" };
    for (size_t i = 0; i < UNIT_COUNT(strangers); ++i) {
        slot = wanted[1].slot;
        assert_same(gpool_shader_binding(p.pool, shader, strangers[i], &slot),
                    GPOOL_ERROR_OUT_OF_RANGE);
        assert_int_equal(slot.group + slot.binding, 0);
    }
    assert_same(gpool_shader_binding(p.pool, shader, NULL, &slot), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_shader_binding(p.pool, shader, "camera", NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    gpool_shader broken = compile_shader(&p, "@group(0) @binding(0) var<uniform> x: f32; (", "bad");
    assert_same(gpool_shader_wait(p.pool, broken, UINT64_MAX), GPOOL_ERROR_GPU);
    assert_same(gpool_shader_binding(p.pool, broken, "x", &slot), GPOOL_ERROR_FAILED_RESOURCE);
    compile_close(&p);
}

/* Draws with set_uniforms on group 0, and by `bindings` on group 1 unless it is NULL. */
static gpool_result layouts_draw(sim_pool *p, gpool_pipeline pipeline, gpool_texture target,
                                 const gpool_binding *bindings, uint32_t count)
{
    static const float camera[16] = { 1 };
    assert_same(gpool_begin_frame(p->pool), GPOOL_OK);
    gpool_recorder rec = gpool_frame_recorder(p->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    gpool_set_pipeline(rec, pipeline);
    gpool_set_uniforms(rec, 0, camera, sizeof camera);
    if (bindings != NULL) {
        gpool_set_bindings(rec, 1, (gpool_layout){ 0 }, bindings, count, NULL, 0);
    }
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    return gpool_end_frame(p->pool);
}

static void groups_come_from_the_source_and_take_uniforms(void **state)
{
    (void)state;
    sim_pool p;
    compile_open(&p, 1);
    gpool_texture target = compile_target(&p);
    gpool_shader shader = compile_shader(&p, layouts_wgsl, "lit");
    gpool_pipeline pipeline = compile_pipeline(&p, shader, "lit");
    assert_same(gpool_pipeline_wait(p.pool, pipeline, UINT64_MAX), GPOOL_OK);
    gpool_texture albedo =
        gpool_texture_create(p.pool, &(gpool_texture_desc){ .width = 2,
                                                            .height = 2,
                                                            .format = COMPILE_FORMAT,
                                                            .usage = GPOOL_TEXTURE_SAMPLED,
                                                            .scope = compile_scope });
    gpool_buffer lights = gpool_buffer_create(
        p.pool, &(gpool_buffer_desc){ .size = 256,
                                      .usage = GPOOL_BUFFER_STORAGE | GPOOL_BUFFER_UNIFORM,
                                      .scope = compile_scope });
    gpool_sampler sampler =
        gpool_sampler_create(p.pool, &(gpool_sampler_desc){ .scope = compile_scope });
    const gpool_binding bindings[] = { { .binding = 2, .buffer = lights },
                                       { .binding = 5, .texture = albedo },
                                       { .binding = 6, .sampler = sampler } };
    assert_same(layouts_draw(&p, pipeline, target, bindings, 3), GPOOL_OK);
    assert_int_equal(sim_draw_count(p.s), 1);
    assert_same(layouts_draw(&p, pipeline, target, bindings, 3), GPOOL_OK);
    assert_int_equal(sim_pool_stats(&p).bind_hits, 1); /* the same group object */
    /* One thing missing, or none of it: told, and not drawn. */
    assert_same(layouts_draw(&p, pipeline, target, bindings, 2), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(layouts_draw(&p, pipeline, target, NULL, 0), GPOOL_ERROR_WRONG_PHASE);
    assert_int_equal(sim_draw_count(p.s), 2);
    compile_close(&p);
}

static void a_null_layout_needs_a_pipeline_with_that_group(void **state)
{
    (void)state;
    sim_pool p;
    compile_open(&p, GPOOL_WORKERS_NONE);
    gpool_texture target = compile_target(&p);
    gpool_pipeline pipeline =
        compile_pipeline(&p, compile_shader(&p, compile_text(1), "bare"), "bare");
    gpool_buffer buffer = gpool_buffer_create(
        p.pool,
        &(gpool_buffer_desc){ .size = 256, .usage = GPOOL_BUFFER_UNIFORM, .scope = compile_scope });
    const gpool_binding binding = { .buffer = buffer };
    for (int with = 0; with < 2; ++with) {
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        gpool_recorder rec = gpool_frame_recorder(p.pool);
        gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
        if (with != 0) {
            gpool_set_pipeline(rec, pipeline);
        }
        gpool_set_bindings(rec, 0, (gpool_layout){ 0 }, &binding, 1, NULL, 0);
        gpool_end_pass(rec);
        assert_same(gpool_end_frame(p.pool), GPOOL_ERROR_NULL_HANDLE);
        assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_HANDLE_NULL), 1);
    }
    compile_close(&p);
}

static void equal_groups_are_one_layout(void **state)
{
    (void)state;
    sim_pool p;
    compile_open(&p, 1);
    const uint64_t before = sim_live(p.s, SIM_KIND_BIND_GROUP_LAYOUT);
    for (uint32_t i = 0; i < 10; ++i) {
        char text[1024];
        (void)snprintf(text, sizeof text, "const number = %uu;\n%s", i, layouts_wgsl);
        gpool_pipeline pipeline = compile_pipeline(&p, compile_shader(&p, text, "lit"), "lit");
        assert_same(gpool_pipeline_wait(p.pool, pipeline, UINT64_MAX), GPOOL_OK);
    }
    /* Group 0 is the uniforms' own, which the pool has from the start; group 1 there is once. */
    assert_true(sim_live(p.s, SIM_KIND_BIND_GROUP_LAYOUT) - before <= 2);
    compile_close(&p);
}

static const char unclear_wgsl[] =
    "@group(0) @binding(0) var<uniform> all: binding_array<vec4f, 4>;\n"
    "@vertex fn vs() -> @builtin(position) vec4f { return all[0]; }\n"
    "@fragment fn fs() -> @location(0) vec4f { return vec4f(1.0); }\n";

static void what_cannot_be_told_needs_layouts_and_says_so(void **state)
{
    (void)state;
    for (uint32_t workers = 0; workers < 2; ++workers) {
        sim_pool p;
        compile_open(&p, workers == 0 ? GPOOL_WORKERS_NONE : workers);
        gpool_shader shader = compile_shader(&p, unclear_wgsl, "unclear");
        gpool_pipeline without = compile_pipeline(&p, shader, "without layouts");
        assert_same(gpool_pipeline_wait(p.pool, without, UINT64_MAX), GPOOL_ERROR_INVALID_ARGUMENT);
        assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_PIPELINE_CREATE), 1);
        assert_non_null(strstr(p.text[GPOOL_LOG_PIPELINE_CREATE], "\"without layouts\""));
        gpool_shader_slot slot;
        assert_same(gpool_shader_binding(p.pool, shader, "all", &slot), GPOOL_ERROR_UNSUPPORTED);
        assert_same(gpool_shader_wait(p.pool, shader, UINT64_MAX), GPOOL_OK);
        gpool_pipeline with = gpool_render_pipeline_create(
            p.pool, &(gpool_render_pipeline_desc){ .shader = shader,
                                                   .layouts[0] = gpool_uniform_layout(p.pool),
                                                   .colors[0].format = COMPILE_FORMAT,
                                                   .samples = 1,
                                                   .scope = compile_scope });
        assert_same(gpool_pipeline_wait(p.pool, with, UINT64_MAX), GPOOL_OK);
        compile_close(&p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(variables_are_found_by_name),
        cmocka_unit_test(groups_come_from_the_source_and_take_uniforms),
        cmocka_unit_test(a_null_layout_needs_a_pipeline_with_that_group),
        cmocka_unit_test(equal_groups_are_one_layout),
        cmocka_unit_test(what_cannot_be_told_needs_layouts_and_says_so),
    };
    return cmocka_run_group_tests_name("sim_layouts", tests, NULL, NULL);
}
