/* Reload while something else happens: newer changes, creations, variants, destroys, recovery, ends. */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "reload_world.h"

/* A world with a shader of number.wgsl, drawn, on workers. */
typedef struct races {
    sim_pool p;
    gpool_texture target;
    gpool_shader shader;
    gpool_pipeline pipeline;
} races;

static void races_open(races *r, uint32_t workers)
{
    compile_open(&r->p, workers);
    r->target = compile_target(&r->p);
    reload_set(&r->p, "number.wgsl", reload_lib("number", 1));
    r->shader = compile_shader(&r->p, reload_main, "main");
    r->pipeline = compile_pipeline(&r->p, r->shader, "drawn");
    compile_settle_all(&r->p);
    assert_int_equal(reload_drawn(&r->p, r->pipeline, r->target), 1);
}

/* Changes the file and stops the compile of it at the gate. */
static void races_change(races *r, const char *text)
{
    compile_shut();
    reload_set(&r->p, "number.wgsl", text);
    sim_pool_frame(&r->p);
    compile_await_blocked(1);
    assert_true(r->p.pool->shaders->reloading);
}

static void a_change_while_a_broken_one_compiles_is_not_lost(void **state)
{
    (void)state;
    for (uint32_t workers = 1; workers <= 16; workers *= 4) {
        races r;
        races_open(&r, workers);
        races_change(&r, "const number = 2u; (\n");
        reload_set(&r.p, "number.wgsl", reload_lib("number", 3));
        assert_int_equal(reload_drawn(&r.p, r.pipeline, r.target), 1); /* it is seen, and waits */
        compile_open_gate();
        reload_settle(&r.p);
        reload_settle(&r.p);
        assert_int_equal(reload_drawn(&r.p, r.pipeline, r.target), 3);
        assert_int_equal(sim_pool_stats(&r.p).failed_reloads, 1);
        assert_same(reload_info(&r.p, r.shader).reload_status, GPOOL_OK);
        compile_close(&r.p);
    }
}

static void a_change_while_a_good_one_compiles_comes_after_it(void **state)
{
    (void)state;
    races r;
    races_open(&r, 4);
    races_change(&r, reload_lib("number", 2));
    reload_set(&r.p, "number.wgsl", reload_lib("number", 3));
    sim_pool_frame(&r.p);
    assert_same(gpool_shader_dirty(r.p.pool, r.shader), GPOOL_OK);
    compile_open_gate();
    reload_settle(&r.p);
    reload_settle(&r.p);
    assert_int_equal(reload_drawn(&r.p, r.pipeline, r.target), 3);
    assert_int_equal(reload_info(&r.p, r.shader).version, 3);
    assert_int_equal(gpool_pipeline_version(r.p.pool, r.pipeline), 3);
    compile_close(&r.p);
}

/* Draws twice in the open frame, the second time when all that is new is compiled. */
static void races_draw_around_the_compile(races *r)
{
    const uint64_t before = sim_draw_count(r->p.s);
    gpool_recorder rec = gpool_frame_recorder(r->p.pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = r->target } });
    gpool_set_pipeline(rec, r->pipeline);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    compile_open_gate();
    while (sim_pool_stats(&r->p).compiles_pending > 0) {
        compile_nap();
        (void)gpool_pipeline_status(r->p.pool, r->pipeline);
    }
    assert_same(gpool_begin_frame(r->p.pool), GPOOL_ERROR_WRONG_PHASE);
    gpool_set_pipeline(rec, r->pipeline);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    assert_same(gpool_submit(r->p.pool), GPOOL_OK);
    assert_int_equal(sim_draw_count(r->p.s), before + 2);
    const gpool__pipeline *pipeline = reload_pipeline_of(&r->p, r->pipeline);
    for (uint64_t i = 0; i < 2; ++i) {
        sim_draw draw;
        assert_true(sim_get_draw(r->p.s, before + i, &draw));
        assert_ptr_equal(draw.pipeline, pipeline->variants[0].program->base.gpu);
    }
    assert_int_equal(reload_number_of(pipeline->variants[0].program->recipe.vertex, "number"), 1);
}

static void a_recording_submits_what_it_recorded_when_a_reload_gets_ready(void **state)
{
    (void)state;
    for (uint32_t workers = 1; workers <= 4; workers *= 4) {
        races r;
        races_open(&r, workers);
        compile_set_gate(false, true); /* modules pass */
        reload_set(&r.p, "number.wgsl", reload_lib("number", 2));
        while (!reload_pipeline_of(&r.p, r.pipeline)->has_fresh) {
            compile_nap();
            sim_pool_frame(&r.p);
        }
        /* Outside a frame, where the swap is, nothing can be recorded. */
        assert_null(gpool_frame_recorder(r.p.pool).state);
        assert_same(gpool_begin_frame(r.p.pool), GPOOL_OK);
        races_draw_around_the_compile(&r);
        assert_int_equal(gpool_pipeline_version(r.p.pool, r.pipeline), 1);
        races_draw_around_the_compile(&r); /* another recording of the frame */
        assert_same(gpool_end_frame(r.p.pool), GPOOL_OK);
        assert_int_equal(reload_drawn(&r.p, r.pipeline, r.target), 2);
        assert_int_equal(gpool_pipeline_version(r.p.pool, r.pipeline), 2);
        compile_close(&r.p);
    }
}

#define RACES_BOUND(binding)                                                                       \
    "@group(0) @binding(" binding ") var<uniform> color: vec4f;\n"                                 \
    "@fragment fn fs() -> @location(0) vec4f { return color; }\n"

static uint32_t races_binding(const races *r, gpool_pipeline pipeline)
{
    const gpool__pipeline_groups *groups = &reload_pipeline_of(&r->p, pipeline)->groups;
    assert_int_equal(groups->count, 1);
    return groups->groups[0]->entries[0].binding;
}

static void a_pipeline_made_during_a_reload_has_the_groups_of_what_is_in_use(void **state)
{
    (void)state;
    for (uint32_t good = 0; good < 2; ++good) {
        races r = { 0 };
        compile_open(&r.p, 2);
        reload_set(&r.p, "bound.wgsl", RACES_BOUND("0"));
        gpool_render_pipeline_desc desc = {
            .shader =
                compile_shader(&r.p, "#include \"bound.wgsl\"\n@vertex fn vs() {}\n", "bound"),
            .vertex_entry = "vs",
            .fragment_entry = "fs",
            .colors[0].format = COMPILE_FORMAT,
            .samples = 1,
            .scope = compile_scope
        };
        gpool_pipeline before = gpool_render_pipeline_create(r.p.pool, &desc);
        assert_same(gpool_pipeline_wait(r.p.pool, before, UINT64_MAX), GPOOL_OK);
        assert_int_equal(races_binding(&r, before), 0);
        compile_shut();
        reload_set(&r.p, "bound.wgsl", good != 0 ? RACES_BOUND("3") : "(" RACES_BOUND("3"));
        sim_pool_frame(&r.p);
        compile_await_blocked(1);
        desc.topology = WGPUPrimitiveTopology_LineList; /* another program */
        gpool_pipeline amid = gpool_render_pipeline_create(r.p.pool, &desc);
        assert_int_equal(races_binding(&r, amid), 0);
        compile_open_gate();
        reload_settle(&r.p);
        assert_same(gpool_pipeline_wait(r.p.pool, amid, UINT64_MAX), GPOOL_OK);
        assert_same(gpool_pipeline_wait(r.p.pool, before, UINT64_MAX), GPOOL_OK);
        assert_int_equal(races_binding(&r, amid), good * 3);
        assert_int_equal(races_binding(&r, before), good * 3);
        assert_int_equal(gpool_pipeline_version(r.p.pool, amid), 1 + good);
        compile_close(&r.p);
    }
}

static void variants_asked_for_during_a_reload_join_it(void **state)
{
    (void)state;
    for (int good = 0; good < 2; ++good) {
        races r;
        races_open(&r, 1); /* which is busy: the pass compiles its own */
        gpool_pipeline open = gpool_render_pipeline_create(
            r.p.pool, &(gpool_render_pipeline_desc){ .shader = r.shader, .scope = compile_scope });
        races_change(&r, good ? reload_lib("number", 2) : "const number = 2u; (\n");
        assert_int_equal(compile_draw(&r.p, open, r.target, false), GPOOL_OK);
        assert_int_equal(reload_pipeline_of(&r.p, open)->variant_count, 1);
        compile_open_gate();
        reload_settle(&r.p);
        assert_int_equal(reload_drawn(&r.p, open, r.target), good ? 2 : 1);
        assert_int_equal(reload_drawn(&r.p, r.pipeline, r.target), good ? 2 : 1);
        compile_close(&r.p);
    }
}

/* Its vertex part is new, its fragment part fails meanwhile, and a pass adds a variant. */
static void a_pipeline_whose_other_part_fails_during_a_reload_stays_whole(void **state)
{
    (void)state;
    races r;
    races_open(&r, 4);
    gpool_pipeline mixed[8];
    compile_shut_word("breaks");
    gpool_shader broken = compile_shader(&r.p, "// breaks\nfn fs() { (\n", "breaks later");
    compile_await_blocked(1);
    for (uint32_t i = 0; i < 8; ++i) {
        mixed[i] = gpool_render_pipeline_create(
            r.p.pool, &(gpool_render_pipeline_desc){
                          .shader = r.shader, .fragment_shader = broken, .scope = compile_scope });
        assert_same(compile_draw(&r.p, mixed[i], r.target, true), GPOOL_OK);
    }
    reload_set(&r.p, "number.wgsl", reload_lib("number", 2));
    while (!reload_pipeline_of(&r.p, mixed[0])->has_fresh) {
        compile_nap();
        sim_pool_frame(&r.p);
    }
    gpool_texture four =
        gpool_texture_create(r.p.pool, &(gpool_texture_desc){ .width = 2,
                                                              .height = 2,
                                                              .format = COMPILE_FORMAT,
                                                              .samples = 4,
                                                              .usage = GPOOL_TEXTURE_TARGET,
                                                              .scope = compile_scope });
    for (uint32_t i = 0; i < 8; ++i) {
        (void)compile_draw(&r.p, mixed[i], four, true);
    }
    compile_open_gate();
    reload_settle(&r.p);
    assert_same(gpool_shader_status(r.p.pool, broken), GPOOL_ERROR_GPU);
    assert_int_equal(reload_drawn(&r.p, r.pipeline, r.target), 2);
    for (uint32_t i = 0; i < 8; ++i) {
        const gpool__pipeline *pipeline = reload_pipeline_of(&r.p, mixed[i]);
        for (uint32_t k = 0; k < pipeline->variant_count; ++k) {
            assert_non_null(pipeline->variants[k].program);
        }
        assert_same(compile_draw(&r.p, mixed[i], r.target, false), GPOOL_ERROR_FAILED_RESOURCE);
        assert_same(compile_draw(&r.p, mixed[i], four, false), GPOOL_ERROR_FAILED_RESOURCE);
    }
    compile_close(&r.p);
}

/* What another thread gives up. */
typedef struct races_other {
    gpool *pool;
    gpool_shader shader;
    gpool_pipeline pipeline;
    gpool_scope scope;
} races_other;

static void *races_destroy(void *user)
{
    const races_other *other = user;
    if (other->shader.id != 0) {
        assert_same(gpool_shader_destroy(other->pool, other->shader), GPOOL_OK);
    }
    if (other->pipeline.id != 0) {
        assert_same(gpool_pipeline_destroy(other->pool, other->pipeline), GPOOL_OK);
    }
    if (other->scope.id != 0) {
        assert_same(gpool_scope_end(other->pool, other->scope), GPOOL_OK);
    }
    return NULL;
}

static void others_may_destroy_what_is_reloaded(void **state)
{
    (void)state;
    for (int what = 1; what < 8; ++what) {
        for (int good = 0; good < 2; ++good) {
            races r;
            races_open(&r, 2);
            gpool_scope scope = sim_pool_scope(&r.p, compile_scope, "inner");
            gpool_shader inner = gpool_shader_create(
                r.p.pool, &(gpool_shader_desc){ .wgsl = reload_main, .scope = scope });
            gpool_pipeline of_inner = gpool_render_pipeline_create(
                r.p.pool, &(gpool_render_pipeline_desc){ .shader = inner,
                                                         .topology = WGPUPrimitiveTopology_LineList,
                                                         .colors[0].format = COMPILE_FORMAT,
                                                         .samples = 1,
                                                         .scope = scope });
            assert_same(gpool_pipeline_wait(r.p.pool, of_inner, UINT64_MAX), GPOOL_OK);
            races_change(&r, good ? reload_lib("number", 2) : "const number = 2u; (\n");
            races_other other = { .pool = r.p.pool };
            other.shader = (what & 1) != 0 ? r.shader : (gpool_shader){ 0 };
            other.pipeline = (what & 2) != 0 ? r.pipeline : (gpool_pipeline){ 0 };
            other.scope = (what & 4) != 0 ? scope : (gpool_scope){ 0 };
            pthread_t thread;
            assert_int_equal(pthread_create(&thread, NULL, races_destroy, &other), 0);
            assert_int_equal(pthread_join(thread, NULL), 0);
            sim_pool_frame(&r.p);
            compile_open_gate();
            reload_settle(&r.p);
            reload_settle(&r.p);
            if ((what & 2) == 0) {
                assert_int_equal(reload_drawn(&r.p, r.pipeline, r.target), good ? 2 : 1);
            }
            if ((what & 4) == 0) {
                assert_int_equal(reload_drawn(&r.p, of_inner, r.target), good ? 2 : 1);
            }
            compile_close(&r.p);
        }
    }
}

static gpool_device *races_device(races *r, sim **s)
{
    *s = sim_create(NULL);
    assert_non_null(*s);
    return compile_device(&r->p, *s);
}

/* Puts the pool of a world on another simulator. */
static void races_recover(races *r, bool lose)
{
    if (lose) {
        sim_lose(r->p.s);
        (void)gpool_device_poll(r->p.device);
    }
    sim *s;
    gpool_device *device = races_device(r, &s);
    assert_same(gpool_recover(r->p.pool, device, NULL, NULL), GPOOL_OK);
    gpool_device_release(r->p.device);
    assert_int_equal(sim_live(r->p.s, SIM_KIND_NONE), 0); /* nothing was left behind */
    assert_int_equal(sim_fatal_count(r->p.s), 0);
    sim_destroy(r->p.s);
    r->p.s = s;
    r->p.device = device;
}

/* Opens the gate when some time has passed: who waits for a worker then goes on. */
static void *races_open_later(void *unused)
{
    (void)unused;
    gpool__sleep_ns(20000000);
    compile_open_gate();
    return NULL;
}

static void a_reload_under_way_is_done_on_the_next_device(void **state)
{
    (void)state;
    for (int lose = 0; lose < 2; ++lose) {
        for (int dirty = 0; dirty < 2; ++dirty) {
            races r;
            races_open(&r, 2);
            if (dirty) {
                compile_shut();
                assert_same(gpool_shader_dirty(r.p.pool, r.shader), GPOOL_OK);
                sim_pool_frame(&r.p);
                compile_await_blocked(1);
            } else {
                races_change(&r, reload_lib("number", 2));
            }
            pthread_t thread;
            assert_int_equal(pthread_create(&thread, NULL, races_open_later, NULL), 0);
            races_recover(&r, lose);
            assert_int_equal(pthread_join(thread, NULL), 0);
            assert_int_equal(reload_in_use(&r.p, r.shader), 1);
            uint64_t misses = sim_pool_stats(&r.p).shader_misses;
            reload_settle(&r.p);
            assert_int_equal(reload_drawn(&r.p, r.pipeline, r.target), dirty ? 1 : 2);
            assert_int_equal(reload_info(&r.p, r.shader).version, 2);
            assert_int_equal(sim_pool_stats(&r.p).shader_misses - misses, 1);
            assert_same(reload_info(&r.p, r.shader).reload_status, GPOOL_OK);
            compile_close(&r.p);
        }
    }
}

static void what_a_lost_device_failed_to_reload_is_tried_on_the_next(void **state)
{
    (void)state;
    races r;
    races_open(&r, GPOOL_WORKERS_NONE);
    reload_set(&r.p, "number.wgsl", reload_lib("number", 2));
    sim_fail(r.p.s, GPOOL_GPU_DeviceCreateShaderModule, 1, SIM_FAIL_LOST, false);
    (void)gpool_begin_frame(r.p.pool);
    (void)gpool_end_frame(r.p.pool);
    assert_int_equal(sim_pool_stats(&r.p).failed_reloads, 1);
    assert_same(reload_info(&r.p, r.shader).reload_status, GPOOL_ERROR_DEVICE_LOST);
    races_recover(&r, true);
    reload_settle(&r.p);
    assert_int_equal(reload_drawn(&r.p, r.pipeline, r.target), 2);
    assert_same(reload_info(&r.p, r.shader).reload_status, GPOOL_OK);
    compile_close(&r.p);
}

static void what_failed_for_a_lost_device_is_forgiven_on_the_next(void **state)
{
    (void)state;
    races r;
    races_open(&r, GPOOL_WORKERS_NONE);
    sim_fail(r.p.s, GPOOL_GPU_DeviceCreateShaderModule, 1, SIM_FAIL_LOST, false);
    gpool_shader shader = compile_shader(&r.p, compile_text(5), "unlucky");
    assert_same(gpool_shader_status(r.p.pool, shader), GPOOL_ERROR_DEVICE_LOST);
    races_recover(&r, true);
    gpool_shader_info info = reload_info(&r.p, shader);
    assert_same(info.status, GPOOL_OK);
    assert_same(info.reload_status, GPOOL_OK);
    assert_string_equal(info.message, "");
    /* It is found by its text again. */
    uint64_t misses = sim_pool_stats(&r.p).shader_misses;
    (void)compile_shader(&r.p, compile_text(5), "equal");
    assert_int_equal(sim_pool_stats(&r.p).shader_misses, misses);
    compile_close(&r.p);
}

static void compiles_that_wait_or_run_survive_a_recovery(void **state)
{
    (void)state;
    for (uint32_t workers = 1; workers <= 4; workers += 3) {
        for (int lose = 0; lose < 2; ++lose) {
            races r;
            races_open(&r, workers);
            compile_shut();
            gpool_shader shaders[12];
            gpool_pipeline pipelines[12];
            for (uint32_t i = 0; i < 12; ++i) {
                shaders[i] = compile_shader(&r.p, compile_text(100 + i), "waits");
                pipelines[i] = compile_pipeline(&r.p, shaders[i], "waits");
            }
            compile_await_blocked(workers);
            assert_same(gpool_shader_destroy(r.p.pool, shaders[3]), GPOOL_OK);
            assert_same(gpool_pipeline_destroy(r.p.pool, pipelines[0]), GPOOL_OK);
            assert_same(gpool_pipeline_destroy(r.p.pool, pipelines[7]), GPOOL_OK);
            pthread_t thread;
            assert_int_equal(pthread_create(&thread, NULL, races_open_later, NULL), 0);
            races_recover(&r, lose);
            assert_int_equal(pthread_join(thread, NULL), 0);
            for (uint32_t i = 0; i < 12; ++i) {
                if (i != 0 && i != 7) {
                    assert_same(gpool_pipeline_wait(r.p.pool, pipelines[i], UINT64_MAX), GPOOL_OK);
                    assert_same(compile_draw(&r.p, pipelines[i], r.target, false), GPOOL_OK);
                }
            }
            assert_int_equal(reload_drawn(&r.p, r.pipeline, r.target), 1);
            compile_close(&r.p);
        }
    }
}

static void a_recovery_that_fails_lets_compiles_go_on(void **state)
{
    (void)state;
    races r;
    races_open(&r, 2);
    races_change(&r, reload_lib("number", 2));
    (void)compile_pipeline(&r.p, compile_shader(&r.p, compile_text(50), "waits"), "waits");
    sim *s;
    gpool_device *device = races_device(&r, &s);
    sim_lose(s);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, races_open_later, NULL), 0);
    assert_same(gpool_recover(r.p.pool, device, NULL, NULL), GPOOL_ERROR_DEVICE_LOST);
    assert_int_equal(pthread_join(thread, NULL), 0);
    gpool_device_release(device);
    reload_settle(&r.p);
    assert_int_equal(reload_drawn(&r.p, r.pipeline, r.target), 2);
    assert_int_equal(sim_live(s, SIM_KIND_NONE), 0);
    sim_destroy(s);
    compile_close(&r.p);
}

static void a_pool_may_end_with_a_full_queue_and_a_reload_under_way(void **state)
{
    (void)state;
    for (uint32_t workers = 1; workers <= 16; workers *= 4) {
        races r;
        races_open(&r, workers);
        races_change(&r, reload_lib("number", 2));
        for (uint64_t i = 0; i < 200; ++i) {
            (void)compile_pipeline(&r.p, compile_shader(&r.p, compile_text(i), "never"), "never");
        }
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, races_open_later, NULL), 0);
        assert_same(gpool_scope_end(r.p.pool, compile_scope), GPOOL_OK);
        uint64_t calls = sim_call_count(r.p.s, GPOOL_GPU_DeviceCreateShaderModule);
        sim_pool_close(&r.p, 0);
        assert_true(calls < 200);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_change_while_a_broken_one_compiles_is_not_lost),
        cmocka_unit_test(a_change_while_a_good_one_compiles_comes_after_it),
        cmocka_unit_test(a_recording_submits_what_it_recorded_when_a_reload_gets_ready),
        cmocka_unit_test(a_pipeline_made_during_a_reload_has_the_groups_of_what_is_in_use),
        cmocka_unit_test(variants_asked_for_during_a_reload_join_it),
        cmocka_unit_test(a_pipeline_whose_other_part_fails_during_a_reload_stays_whole),
        cmocka_unit_test(others_may_destroy_what_is_reloaded),
        cmocka_unit_test(a_reload_under_way_is_done_on_the_next_device),
        cmocka_unit_test(what_a_lost_device_failed_to_reload_is_tried_on_the_next),
        cmocka_unit_test(what_failed_for_a_lost_device_is_forgiven_on_the_next),
        cmocka_unit_test(compiles_that_wait_or_run_survive_a_recovery),
        cmocka_unit_test(a_recovery_that_fails_lets_compiles_go_on),
        cmocka_unit_test(a_pool_may_end_with_a_full_queue_and_a_reload_under_way),
    };
    return cmocka_run_group_tests_name("sim_reload_races", tests, NULL, NULL);
}
