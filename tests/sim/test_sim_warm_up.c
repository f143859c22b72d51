/* The warm-up on the simulator: what a second process compiles, when it is saved, callbacks. */
#define _DEFAULT_SOURCE /* mkdtemp */

#include "warm_world.h"

/* --- what it is for --- */

static void a_second_process_compiles_nothing_on_demand(void **state)
{
    (void)state;
    static const uint32_t workers[] = { GPOOL_WORKERS_NONE, 1, 3 };
    for (int i = 0; i < 6; ++i) {
        sim_personality personality = i % 2 == 0 ? SIM_WGPU_NATIVE : SIM_DAWN;
        forget_all();
        run_once(personality, workers[i / 2], "one");
        process p;
        process_begin(&p, personality, workers[i / 2], "one");
        assert_same(warm_up(&p), GPOOL_OK);
        check_all_warm(&p);
        assert_same(p.report.cached, 0);
        gpool_stats before = stats_of(&p);
        assert_same(before.shader_misses, PROGRAM_MODULES);
        assert_same(before.pipeline_misses, PROGRAM_PIPELINES);
        assert_same(before.manifest_modules, PROGRAM_MODULES);
        assert_same(before.manifest_pipelines, PROGRAM_PIPELINES);
        run_program(&p);
        gpool_stats after = stats_of(&p);
        assert_same(after.shader_misses, before.shader_misses);
        assert_same(after.pipeline_misses, before.pipeline_misses);
        assert_same(after.shader_hits, before.shader_hits + PROGRAM_MODULES);
        assert_same(after.pipeline_hits, before.pipeline_hits + PROGRAM_PIPELINES);
        assert_same(sim_call_count(p.s, GPOOL_GPU_DeviceCreateShaderModule) <=
                        PROGRAM_MODULES + 1, /* the pool's own */
                    true);
        /* Nobody uses them now, and they are there all the same. */
        assert_same(warm_up(&p), GPOOL_OK);
        check_all_warm(&p);
        assert_same(p.report.cached, PROGRAM_MODULES + PROGRAM_PIPELINES);
        check_no_errors(&p);
        process_end(&p);
    }
}

static void collisions_of_all_hashes_change_nothing(void **state)
{
    (void)state;
    forget_all();
    run_once(SIM_WGPU_NATIVE, 1, "one");
    process p;
    process_begin(&p, SIM_WGPU_NATIVE, 1, "one");
    p.pool->shaders->modules.no_hash = UINT64_MAX;
    p.pool->shaders->programs.no_hash = UINT64_MAX;
    assert_same(warm_up(&p), GPOOL_OK);
    check_all_warm(&p);
    run_program(&p);
    assert_same(stats_of(&p).shader_misses, PROGRAM_MODULES);
    assert_same(stats_of(&p).pipeline_misses, PROGRAM_PIPELINES);
    process_end(&p);
}

static void no_shader_runs_but_vertices_without_a_pixel(void **state)
{
    (void)state;
    static const uint32_t used[] = { PROGRAM_PIPELINES, 2, 0 };
    forget_all();
    run_once(SIM_DAWN, 1, "one");
    for (int use = 0; use < GPOOL_WARM_UP_USE_COUNT; ++use) {
        process p;
        process_begin(&p, SIM_DAWN, 1, "one");
        gpool_warm_up_desc desc = { .use = (gpool_warm_up_use)use };
        assert_same(gpool_warm_up(p.pool, &desc, on_progress, &p), GPOOL_OK);
        assert_same(p.report.used, used[use]);
        assert_same(sim_draw_count(p.s), use == GPOOL_WARM_UP_USE_ALL ? 2 : 0);
        assert_same(sim_dispatch_count(p.s), use == GPOOL_WARM_UP_USE_NONE ? 0 : 2);
        for (uint64_t i = 0; i < sim_draw_count(p.s); ++i) {
            sim_draw draw;
            assert_true(sim_get_draw(p.s, i, &draw));
            assert_same(draw.counts[0], 3);
            assert_same(draw.scissor[2], 0);
            assert_same(draw.scissor[3], 0);
        }
        process_end(&p); /* a dispatch of workgroups would have been fatal */
    }
}

static void without_store_or_manifest_nothing_is_done(void **state)
{
    (void)state;
    forget_all();
    run_once(SIM_WGPU_NATIVE, 1, "one");
    process p;
    process_begin(&p, SIM_WGPU_NATIVE, 1, "another");
    assert_same(warm_up(&p), GPOOL_OK);
    assert_same(p.told, 1);
    assert_same(p.report.modules + p.report.pipelines + p.report.done, 0);
    process_end(&p);
    process_begin(&p, SIM_DAWN, 1, "one"); /* another implementation */
    assert_same(warm_up(&p), GPOOL_OK);
    assert_same(p.report.modules, 0);
    gpool *pool = NULL;
    gpool_desc none = { .log = process_on_log, .log_user = &p };
    assert_same(gpool_create(p.device, &none, &pool), GPOOL_OK);
    assert_same(gpool_warm_up(pool, NULL, on_progress, &p), GPOOL_OK);
    assert_same(gpool_warm_up(pool, NULL, NULL, NULL), GPOOL_OK);
    gpool_destroy(pool);
    process_end(&p);
}

/* --- saving --- */

static void a_run_that_uses_nothing_changes_nothing(void **state)
{
    (void)state;
    forget_all();
    run_once(SIM_WGPU_NATIVE, 1, "one");
    process p;
    for (int run = 0; run < 20; ++run) {
        process_begin(&p, SIM_WGPU_NATIVE, 1, "one");
        if (run % 2 == 0) {
            assert_same(warm_up(&p), GPOOL_OK);
        }
        process_end(&p);
    }
    process_begin(&p, SIM_WGPU_NATIVE, 1, "one");
    assert_same(warm_up(&p), GPOOL_OK);
    check_all_warm(&p);
    process_end(&p);
}

static void what_is_not_used_any_more_goes_after_eight_runs(void **state)
{
    (void)state;
    forget_all();
    run_once(SIM_WGPU_NATIVE, 1, "one");
    process p;
    for (int run = 1; run <= 9; ++run) {
        process_begin(&p, SIM_WGPU_NATIVE, 1, "one");
        assert_same(warm_up(&p), GPOOL_OK);
        assert_same(p.report.modules, run <= 8 ? PROGRAM_MODULES : 1);
        assert_same(p.report.pipelines, run <= 8 ? PROGRAM_PIPELINES : 0);
        gpool_shader shader =
            gpool_shader_create(p.pool, &(gpool_shader_desc){ .wgsl = compute_wgsl });
        assert_same(gpool_shader_wait(p.pool, shader, UINT64_MAX), GPOOL_OK);
        assert_same(gpool_shader_destroy(p.pool, shader), GPOOL_OK);
        process_end(&p);
    }
}

static void a_worker_saves_during_the_run(void **state)
{
    (void)state;
    forget_all();
    process p;
    process_begin(&p, SIM_WGPU_NATIVE, 1, "one");
    run_program(&p);
    frame(&p);
    assert_same(stats_of(&p).manifest_saves, 0); /* it is not time */
    make_due(&p);
    for (int i = 0; i < 10000 && stats_of(&p).manifest_saves == 0; ++i) {
        frame(&p);
        gpool__sleep_ns(100000);
    }
    assert_same(stats_of(&p).manifest_saves, 1);
    make_due(&p);
    frame(&p); /* nothing new */
    assert_null(p.pool->shaders->persist.save);
    process second; /* while the first runs */
    process_begin(&second, SIM_WGPU_NATIVE, 1, "one");
    assert_same(warm_up(&second), GPOOL_OK);
    check_all_warm(&second);
    process_end(&second);
    /* One under way at the end is waited for, or dropped. */
    for (int i = 0; i < 2; ++i) {
        char text[64];
        (void)snprintf(text, sizeof text, "// %d\n@compute @workgroup_size(1) fn main() {}\n", i);
        gpool_shader shader = gpool_shader_create(p.pool, &(gpool_shader_desc){ .wgsl = text });
        assert_same(gpool_shader_wait(p.pool, shader, UINT64_MAX), GPOOL_OK);
        assert_same(gpool_shader_destroy(p.pool, shader), GPOOL_OK);
        make_due(&p);
        frame(&p);
        if (i == 0) {
            gpool__persist_settle(p.pool);
        }
    }
    process_end(&p);
    process_begin(&p, SIM_WGPU_NATIVE, 1, "one");
    assert_same(warm_up(&p), GPOOL_OK);
    assert_same(p.report.modules, PROGRAM_MODULES + 2);
    process_end(&p);
}

static void processes_add_to_what_others_saved(void **state)
{
    (void)state;
    forget_all();
    process a;
    process b;
    process_begin(&a, SIM_WGPU_NATIVE, 1, "one");
    process_begin(&b, SIM_WGPU_NATIVE, 1, "one");
    run_program(&a);
    gpool_shader shader = gpool_shader_create(
        b.pool, &(gpool_shader_desc){ .wgsl = "@compute @workgroup_size(1) fn b() {}\n" });
    assert_same(gpool_shader_wait(b.pool, shader, UINT64_MAX), GPOOL_OK);
    assert_same(gpool_shader_destroy(b.pool, shader), GPOOL_OK);
    process_end(&a);
    process_end(&b);
    process_begin(&a, SIM_WGPU_NATIVE, 1, "one");
    assert_same(warm_up(&a), GPOOL_OK);
    assert_same(a.report.modules, PROGRAM_MODULES + 1);
    assert_same(a.report.pipelines, PROGRAM_PIPELINES);
    process_end(&a);
}

/* --- callbacks --- */

typedef struct caller {
    process *p;
    int what;
    uint32_t told;
} caller;

static bool on_call(void *user, const gpool_warm_up_report *report)
{
    caller *c = user;
    gpool *pool = c->p->pool;
    (void)report;
    c->told += 1;
    switch (c->what) {
    case 0:
        return false;
    case 1:
        assert_same(gpool_warm_up(pool, NULL, NULL, NULL), GPOOL_ERROR_WRONG_PHASE);
        assert_same(gpool_recover(pool, c->p->device, NULL, NULL), GPOOL_ERROR_WRONG_PHASE);
        gpool_destroy(pool);
        assert_same(gpool_last_error(pool)->code, GPOOL_ERROR_WRONG_PHASE);
        return true;
    case 2:
        if (c->told == 1) {
            run_program(c->p);
        }
        frame(c->p);
        return true;
    default:
        return gpool_begin_frame(pool) == GPOOL_OK;
    }
}

static void progress_may_stop_draw_and_not_recurse(void **state)
{
    (void)state;
    forget_all();
    run_once(SIM_WGPU_NATIVE, 1, "one");
    for (int i = 0; i < 8; ++i) {
        process p;
        process_begin(&p, SIM_WGPU_NATIVE, i < 4 ? 1 : GPOOL_WORKERS_NONE, "one");
        caller c = { .p = &p, .what = i % 4 };
        gpool_result result = gpool_warm_up(p.pool, NULL, on_call, &c);
        assert_same(result, c.what == 3 ? GPOOL_ERROR_WRONG_PHASE : GPOOL_OK);
        gpool_stats stats = stats_of(&p);
        if (c.what == 0) {
            assert_same(c.told, 2); /* and at the end */
            assert_true(stats.shader_misses > 0);
            assert_true(i < 4 || stats.shader_misses == 1);
        } else if (c.what == 3) {
            assert_same(gpool_warm_up(p.pool, NULL, NULL, NULL), GPOOL_ERROR_WRONG_PHASE);
            assert_same(gpool_end_frame(p.pool), GPOOL_OK);
        } else {
            assert_true(c.told >= 2);
        }
        assert_same(warm_up(&p), GPOOL_OK); /* goes on where it stopped */
        check_all_warm(&p);
        assert_same(stats_of(&p).shader_misses, PROGRAM_MODULES);
        assert_same(stats_of(&p).pipeline_misses, PROGRAM_PIPELINES);
        process_end(&p);
    }
}

static void bad_arguments_and_times_are_refused_or_kept(void **state)
{
    (void)state;
    forget_all();
    run_once(SIM_WGPU_NATIVE, 1, "one");
    process p;
    process_begin(&p, SIM_WGPU_NATIVE, 1, "one");
    assert_same(gpool_warm_up(NULL, NULL, NULL, NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    gpool_warm_up_desc desc = { .use = GPOOL_WARM_UP_USE_COUNT };
    assert_same(gpool_warm_up(p.pool, &desc, NULL, NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    desc.use = (gpool_warm_up_use)-1;
    assert_same(gpool_warm_up(p.pool, &desc, NULL, NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(stats_of(&p).shader_misses, 0);
    desc = (gpool_warm_up_desc){ .timeout_ns = 1 };
    assert_same(gpool_warm_up(p.pool, &desc, on_progress, &p), GPOOL_OK);
    assert_true(p.report.done < PROGRAM_MODULES + PROGRAM_PIPELINES || p.report.used == 0);
    sim_set_completion(p.s, SIM_COMPLETE_MANUALLY, 0); /* a GPU that hangs */
    p.pool->wait_timeout_ns = 30000000;
    assert_same(gpool_warm_up(p.pool, NULL, NULL, NULL), GPOOL_ERROR_TIMEOUT);
    sim_set_completion(p.s, SIM_COMPLETE_AT_POLL, 0);
    (void)sim_complete(p.s, SIM_ALL);
    process_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_second_process_compiles_nothing_on_demand),
        cmocka_unit_test(collisions_of_all_hashes_change_nothing),
        cmocka_unit_test(no_shader_runs_but_vertices_without_a_pixel),
        cmocka_unit_test(without_store_or_manifest_nothing_is_done),
        cmocka_unit_test(a_run_that_uses_nothing_changes_nothing),
        cmocka_unit_test(what_is_not_used_any_more_goes_after_eight_runs),
        cmocka_unit_test(a_worker_saves_during_the_run),
        cmocka_unit_test(processes_add_to_what_others_saved),
        cmocka_unit_test(progress_may_stop_draw_and_not_recurse),
        cmocka_unit_test(bad_arguments_and_times_are_refused_or_kept),
    };
    return world_main("sim_warm_up", tests, UNIT_COUNT(tests));
}
