/* Compile workers: states, waits, errors told once, passes that wait or go on without. */
#include "compile_world.h"

static const uint32_t compile_workers[] = { 1, 4, 16 };

static void a_worker_compiles_and_the_owner_sees_it_later(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(compile_workers); ++i) {
        sim_pool p;
        compile_open(&p, compile_workers[i]);
        uint64_t modules = sim_call_count(p.s, GPOOL_GPU_DeviceCreateShaderModule);
        compile_shut();
        gpool_shader shader = compile_shader(&p, compile_text(1), "one");
        gpool_pipeline pipeline = compile_pipeline(&p, shader, "one");
        compile_await_blocked(1);
        assert_same(gpool_shader_status(p.pool, shader), GPOOL_NOT_READY);
        assert_same(gpool_pipeline_status(p.pool, pipeline), GPOOL_NOT_READY);
        assert_int_equal(sim_pool_stats(&p).compiles_pending, 2);
        assert_same(gpool_shader_wait(p.pool, shader, 0), GPOOL_ERROR_TIMEOUT);
        assert_same(gpool_shader_wait(p.pool, shader, 1000000), GPOOL_ERROR_TIMEOUT);
        assert_same(gpool_pipeline_wait(p.pool, pipeline, 1000000), GPOOL_ERROR_TIMEOUT);
        assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_TIMEOUT), 3);
        gpool_shader_info info;
        assert_same(gpool_shader_get_info(p.pool, shader, &info), GPOOL_OK);
        assert_same(info.status, GPOOL_NOT_READY);
        assert_same(info.reload_status, GPOOL_OK);
        compile_open_gate();
        assert_same(gpool_shader_wait(p.pool, shader, UINT64_MAX), GPOOL_OK);
        assert_same(gpool_pipeline_wait(p.pool, pipeline, UINT64_MAX), GPOOL_OK);
        assert_same(gpool_shader_status(p.pool, shader), GPOOL_OK);
        assert_same(gpool_pipeline_status(p.pool, pipeline), GPOOL_OK);
        assert_int_equal(sim_pool_stats(&p).compiles_pending, 0);
        assert_int_equal(sim_call_count(p.s, GPOOL_GPU_DeviceCreateShaderModule) - modules, 1);
        assert_true(compile_gate.by_workers >= 1);
        /* What workers called is counted as the pool's. */
        assert_int_equal(gpool_gpu_call_count(p.pool, GPOOL_GPU_DeviceCreateShaderModule), 1);
        assert_int_equal(gpool_gpu_call_count(p.pool, GPOOL_GPU_DeviceCreateRenderPipeline), 1);
        compile_close(&p);
    }
}

static void without_workers_creating_compiles(void **state)
{
    (void)state;
    sim_pool p;
    compile_open(&p, GPOOL_WORKERS_NONE);
    gpool_shader shader = compile_shader(&p, compile_text(1), "one");
    assert_int_equal(sim_call_count(p.s, GPOOL_GPU_DeviceCreateShaderModule), 1);
    assert_same(gpool_shader_status(p.pool, shader), GPOOL_OK);
    gpool_pipeline pipeline = compile_pipeline(&p, shader, "one");
    assert_int_equal(sim_live(p.s, SIM_KIND_RENDER_PIPELINE), 1);
    assert_same(gpool_pipeline_status(p.pool, pipeline), GPOOL_OK);
    assert_int_equal(compile_gate.by_workers, 0);
    compile_close(&p);
}

static void the_owner_compiles_what_no_worker_has_begun(void **state)
{
    (void)state;
    sim_pool p;
    compile_open(&p, 1);
    compile_shut();
    gpool_shader slow = compile_shader(&p, compile_text(1), "slow");
    compile_await_blocked(1);
    gpool_shader other = compile_shader(&p, compile_text(2), "other");
    gpool_pipeline pipeline = compile_pipeline(&p, other, "other");
    assert_same(gpool_pipeline_wait(p.pool, pipeline, 0), GPOOL_OK);
    assert_same(gpool_shader_status(p.pool, other), GPOOL_OK);
    assert_same(gpool_shader_status(p.pool, slow), GPOOL_NOT_READY);
    assert_int_equal(compile_gate.by_workers, 1);
    compile_close(&p);
}

static void many_workers_share_the_queue(void **state)
{
    (void)state;
    sim_pool p;
    compile_open(&p, 16);
    compile_shut();
    gpool_shader shaders[32];
    for (uint32_t i = 0; i < 32; ++i) {
        shaders[i] = compile_shader(&p, compile_text(i), "many");
        (void)compile_pipeline(&p, shaders[i], "many");
    }
    compile_await_blocked(16);
    assert_int_equal(sim_pool_stats(&p).compiles_pending, 64);
    compile_open_gate();
    compile_settle_all(&p);
    for (uint32_t i = 0; i < 32; ++i) {
        assert_same(gpool_shader_status(p.pool, shaders[i]), GPOOL_OK);
    }
    assert_int_equal(sim_live(p.s, SIM_KIND_RENDER_PIPELINE), 32);
    assert_int_equal(compile_gate.by_workers, 64);
    compile_close(&p);
}

/* How a test finds out. */
enum {
    BY_FRAME,
    BY_STATUS,
    BY_WAIT,
    BY_INFO,
    BY_COUNT
};

static void find_out(sim_pool *p, int way, gpool_shader shader, gpool_pipeline pipeline)
{
    gpool_shader_info info;
    switch (way) {
    case BY_FRAME:
        compile_settle_all(p);
        break;
    case BY_STATUS:
        while (gpool_pipeline_status(p->pool, pipeline) == GPOOL_NOT_READY) {
            compile_nap();
        }
        break;
    case BY_WAIT:
        (void)gpool_pipeline_wait(p->pool, pipeline, UINT64_MAX);
        break;
    default:
        do {
            compile_nap();
            assert_same(gpool_shader_get_info(p->pool, shader, &info), GPOOL_OK);
        } while (sim_pool_stats(p).compiles_pending > 0);
        break;
    }
}

static void errors_are_told_once_with_the_label(void **state)
{
    (void)state;
    for (int way = 0; way < BY_COUNT; ++way) {
        for (size_t i = 0; i <= UNIT_COUNT(compile_workers); ++i) {
            sim_pool p;
            compile_open(&p, i == UNIT_COUNT(compile_workers) ? GPOOL_WORKERS_NONE
                                                              : compile_workers[i]);
            gpool_shader bad = compile_shader(&p, "fn vs() {\nfn fs() { $ }\n", "broken one");
            gpool_pipeline dead = compile_pipeline(&p, bad, "of a broken one");
            find_out(&p, way, bad, dead);
            assert_same(gpool_shader_status(p.pool, bad), GPOOL_ERROR_GPU);
            assert_same(gpool_pipeline_status(p.pool, dead), GPOOL_ERROR_FAILED_RESOURCE);
            sim_pool_frame(&p);
            assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_SHADER_COMPILE), 1);
            assert_non_null(strstr(p.text[GPOOL_LOG_SHADER_COMPILE], "\"broken one\""));
            assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_PIPELINE_CREATE), 1);
            assert_non_null(strstr(p.text[GPOOL_LOG_PIPELINE_CREATE], "\"of a broken one\""));
            gpool_shader_info info;
            assert_same(gpool_shader_get_info(p.pool, bad, &info), GPOOL_OK);
            assert_same(info.status, GPOOL_ERROR_GPU);
            assert_same(info.reload_status, GPOOL_OK);
            assert_true(info.message[0] != '\0');

            /* An entry point that is not there is the pipeline's error alone. */
            gpool_shader good = compile_shader(&p, "fn fs() {}\n", "without vs");
            gpool_pipeline poor = compile_pipeline(&p, good, "no entry");
            find_out(&p, way, good, poor);
            assert_same(gpool_shader_status(p.pool, good), GPOOL_OK);
            assert_same(gpool_pipeline_status(p.pool, poor), GPOOL_ERROR_GPU);
            sim_pool_frame(&p);
            assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_SHADER_COMPILE), 0);
            assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_PIPELINE_CREATE), 1);
            assert_non_null(strstr(p.text[GPOOL_LOG_PIPELINE_CREATE], "\"no entry\""));
            compile_close(&p);
        }
    }
}

static void who_asks_again_for_what_failed_tries_again(void **state)
{
    (void)state;
    for (uint32_t workers = 0; workers < 2; ++workers) {
        sim_pool p;
        compile_open(&p, workers == 0 ? GPOOL_WORKERS_NONE : workers);
        sim_fail(p.s, GPOOL_GPU_DeviceCreateShaderModule, 1, SIM_FAIL_VALIDATION, false);
        gpool_shader first = compile_shader(&p, compile_text(1), "first");
        assert_same(gpool_shader_wait(p.pool, first, UINT64_MAX), GPOOL_ERROR_GPU);
        gpool_shader second = compile_shader(&p, compile_text(1), "second");
        assert_same(gpool_shader_wait(p.pool, second, UINT64_MAX), GPOOL_OK);
        assert_same(gpool_shader_status(p.pool, first), GPOOL_ERROR_GPU);
        assert_int_equal(sim_pool_stats(&p).shader_hits, 0);
        assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_SHADER_COMPILE), 1);
        compile_close(&p);
    }
}

static void a_pass_waits_for_its_pipeline(void **state)
{
    (void)state;
    sim_pool p;
    compile_open(&p, 1);
    gpool_texture target = compile_target(&p);
    gpool_pipeline pipeline =
        compile_pipeline(&p, compile_shader(&p, compile_text(1), "one"), "one");
    assert_same(compile_draw(&p, pipeline, target, false), GPOOL_OK);
    assert_int_equal(sim_draw_count(p.s), 1);
    gpool_stats stats = sim_pool_stats(&p);
    assert_true(stats.compile_waits <= 1);
    assert_int_equal(stats.unready_draws, 0);
    assert_int_equal(stats.skipped, 0);
    assert_same(compile_draw(&p, pipeline, target, false), GPOOL_OK);
    assert_int_equal(sim_pool_stats(&p).compile_waits, stats.compile_waits);
    /* Another sample count or format is another variant, waited for too. */
    compile_shut();
    gpool_shader slow = compile_shader(&p, compile_text(2), "slow");
    compile_await_blocked(1);
    gpool_pipeline open = gpool_render_pipeline_create(
        p.pool, &(gpool_render_pipeline_desc){
                    .shader = slow, .vertex_entry = "vs", .scope = compile_scope });
    (void)open;
    gpool_pipeline variants = gpool_render_pipeline_create(
        p.pool, &(gpool_render_pipeline_desc){ .shader = compile_shader(&p, compile_text(3), "v"),
                                               .scope = compile_scope });
    assert_same(compile_draw(&p, variants, target, false), GPOOL_OK);
    assert_int_equal(sim_draw_count(p.s), 3);
    assert_int_equal(sim_pool_stats(&p).compile_waits, stats.compile_waits + 1);
    compile_close(&p);
}

static void a_wait_of_a_pass_has_the_pools_limit(void **state)
{
    (void)state;
    sim_pool p;
    compile_open_with(&p, &(sim_desc){ 0 },
                      (gpool_desc){ .compile_workers = 1, .wait_timeout_ms = 5 });
    gpool_texture target = compile_target(&p);
    compile_shut();
    gpool_pipeline pipeline =
        compile_pipeline(&p, compile_shader(&p, compile_text(1), "one"), "one");
    compile_await_blocked(1);
    assert_same(compile_draw(&p, pipeline, target, false), GPOOL_ERROR_TIMEOUT);
    assert_int_equal(sim_draw_count(p.s), 0);
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_TIMEOUT), 1);
    compile_open_gate();
    assert_same(gpool_pipeline_wait(p.pool, pipeline, UINT64_MAX), GPOOL_OK);
    assert_same(compile_draw(&p, pipeline, target, false), GPOOL_OK);
    assert_int_equal(sim_draw_count(p.s), 1);
    compile_close(&p);
}

static void a_pass_may_go_on_without(void **state)
{
    (void)state;
    sim_pool p;
    compile_open(&p, 1);
    gpool_texture target = compile_target(&p);
    compile_shut();
    gpool_pipeline pipeline =
        compile_pipeline(&p, compile_shader(&p, compile_text(1), "one"), "one");
    compile_await_blocked(1);
    for (uint32_t i = 1; i <= 3; ++i) {
        assert_same(compile_draw(&p, pipeline, target, true), GPOOL_OK);
        gpool_stats stats = sim_pool_stats(&p);
        assert_int_equal(stats.unready_draws, i);
        assert_int_equal(stats.skipped, 0);
        assert_int_equal(stats.errors, 0);
        assert_int_equal(stats.compile_waits, 0);
    }
    assert_int_equal(sim_draw_count(p.s), 0);
    compile_open_gate();
    compile_settle_all(&p);
    assert_same(compile_draw(&p, pipeline, target, true), GPOOL_OK);
    assert_int_equal(sim_draw_count(p.s), 1);
    assert_int_equal(sim_pool_stats(&p).unready_draws, 3);
    compile_close(&p);
}

static const char bound_wgsl[] =
    "@group(0) @binding(0) var<uniform> color: vec4f;\n"
    "@vertex fn vs() -> @builtin(position) vec4f { return vec4f(0.0); }\n"
    "@fragment fn fs() -> @location(0) vec4f { return color; }\n";

static void groups_of_a_pipeline_that_is_not_ready_can_be_bound(void **state)
{
    (void)state;
    sim_pool p;
    compile_open(&p, 1);
    gpool_texture target = compile_target(&p);
    gpool_buffer color = gpool_buffer_create(
        p.pool,
        &(gpool_buffer_desc){ .size = 256, .usage = GPOOL_BUFFER_UNIFORM, .scope = compile_scope });
    compile_shut();
    gpool_pipeline pipeline = compile_pipeline(&p, compile_shader(&p, bound_wgsl, "bound"), "own");
    compile_await_blocked(1);
    for (uint32_t i = 0; i < 2; ++i) {
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        gpool_recorder rec = gpool_frame_recorder(p.pool);
        gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
        gpool_skip_not_ready(rec);
        gpool_set_pipeline(rec, pipeline);
        gpool_set_bindings(rec, 0, (gpool_layout){ 0 },
                           &(gpool_binding){ .binding = 0, .buffer = color, .size = 16 }, 1, NULL,
                           0);
        gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
        gpool_end_pass(rec);
        assert_same(gpool_end_frame(p.pool), GPOOL_OK);
        assert_int_equal(sim_draw_count(p.s), i);
        assert_int_equal(sim_pool_stats(&p).errors, 0);
        compile_open_gate();
        compile_settle_all(&p);
    }
    assert_int_equal(sim_pool_stats(&p).unready_draws, 1);
    compile_close(&p);
}

static void a_skipped_pipeline_that_fails_is_an_error_of_its_pass(void **state)
{
    (void)state;
    sim_pool p;
    compile_open(&p, 4);
    gpool_texture target = compile_target(&p);
    compile_shut();
    gpool_pipeline pipeline =
        compile_pipeline(&p, compile_shader(&p, "fn vs() {}", "no fs"), "poor");
    compile_await_blocked(1);
    assert_same(compile_draw(&p, pipeline, target, true), GPOOL_OK);
    compile_open_gate();
    compile_settle_all(&p);
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_PIPELINE_CREATE), 1);
    assert_same(compile_draw(&p, pipeline, target, true), GPOOL_ERROR_FAILED_RESOURCE);
    assert_int_equal(sim_draw_count(p.s), 0);
    assert_int_equal(sim_pool_stats(&p).unready_draws, 1);
    compile_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_worker_compiles_and_the_owner_sees_it_later),
        cmocka_unit_test(without_workers_creating_compiles),
        cmocka_unit_test(the_owner_compiles_what_no_worker_has_begun),
        cmocka_unit_test(many_workers_share_the_queue),
        cmocka_unit_test(errors_are_told_once_with_the_label),
        cmocka_unit_test(who_asks_again_for_what_failed_tries_again),
        cmocka_unit_test(a_pass_waits_for_its_pipeline),
        cmocka_unit_test(a_wait_of_a_pass_has_the_pools_limit),
        cmocka_unit_test(a_pass_may_go_on_without),
        cmocka_unit_test(groups_of_a_pipeline_that_is_not_ready_can_be_bound),
        cmocka_unit_test(a_skipped_pipeline_that_fails_is_an_error_of_its_pass),
    };
    return cmocka_run_group_tests_name("sim_compile", tests, NULL, NULL);
}
