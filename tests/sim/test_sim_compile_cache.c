/* What is compiled is compiled once: sharing, what is idle, limits, collisions of hashes. */
#include "compile_world.h"

static const uint32_t cache_workers[] = { GPOOL_WORKERS_NONE, 1, 4, 16 };

static void equal_ones_are_one_object(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(cache_workers); ++i) {
        sim_pool p;
        compile_open(&p, cache_workers[i]);
        gpool_shader a = compile_shader(&p, compile_text(1), "a");
        gpool_shader b = compile_shader(&p, compile_text(1), "b");
        gpool_shader other = compile_shader(&p, compile_text(2), "other");
        gpool_pipeline of_a = compile_pipeline(&p, a, "of a");
        gpool_pipeline of_b = compile_pipeline(&p, b, "of b");
        gpool_pipeline of_other = compile_pipeline(&p, other, "of other");
        assert_same(gpool_pipeline_wait(p.pool, of_a, UINT64_MAX), GPOOL_OK);
        assert_same(gpool_pipeline_wait(p.pool, of_b, UINT64_MAX), GPOOL_OK);
        assert_same(gpool_pipeline_wait(p.pool, of_other, UINT64_MAX), GPOOL_OK);
        assert_int_equal(sim_kept(p.s, SIM_KIND_SHADER_MODULE), 2);
        assert_int_equal(sim_kept(p.s, SIM_KIND_RENDER_PIPELINE), 2);
        gpool_stats stats = sim_pool_stats(&p);
        assert_int_equal(stats.shader_misses, 2);
        assert_int_equal(stats.shader_hits, 1);
        assert_int_equal(stats.pipeline_misses, 2);
        assert_int_equal(stats.pipeline_hits, 1);

        /* A user more or less is nothing to the others. */
        assert_same(gpool_shader_destroy(p.pool, a), GPOOL_OK);
        assert_same(gpool_pipeline_destroy(p.pool, of_a), GPOOL_OK);
        sim_pool_frame(&p);
        sim_pool_frame(&p);
        assert_same(gpool_pipeline_status(p.pool, of_b), GPOOL_OK);

        /* Nobody uses it: it waits, idle. */
        assert_same(gpool_shader_destroy(p.pool, b), GPOOL_OK);
        assert_same(gpool_pipeline_destroy(p.pool, of_b), GPOOL_OK);
        sim_pool_frame(&p);
        sim_pool_frame(&p);
        assert_int_equal(p.pool->shaders->programs.idle_count, 1);
        assert_int_equal(sim_kept(p.s, SIM_KIND_RENDER_PIPELINE), 2);
        a = compile_shader(&p, compile_text(1), "again");
        of_a = compile_pipeline(&p, a, "of again");
        assert_same(gpool_shader_status(p.pool, a), GPOOL_OK); /* at once */
        assert_same(gpool_pipeline_status(p.pool, of_a), GPOOL_OK);
        stats = sim_pool_stats(&p);
        assert_int_equal(stats.shader_misses, 2);
        assert_int_equal(stats.shader_hits, 2);
        assert_int_equal(stats.pipeline_misses, 2);
        assert_int_equal(stats.pipeline_hits, 2);
        assert_int_equal(p.pool->shaders->programs.idle_count, 0);
        compile_close(&p);
    }
}

/* Each part of a descriptor that decides makes another pipeline; labels and scopes do not. */
static void what_decides_makes_another_pipeline(void **state)
{
    (void)state;
    sim_pool p;
    compile_open(&p, GPOOL_WORKERS_NONE);
    gpool_shader shader = compile_shader(&p, compile_text(1), "one");
    const gpool_render_pipeline_desc base = {
        .shader = shader, .colors[0].format = COMPILE_FORMAT, .samples = 1, .scope = compile_scope
    };
    const WGPUBlendState blend = {
        .color = { WGPUBlendOperation_Add, WGPUBlendFactor_One, WGPUBlendFactor_Zero },
        .alpha = { WGPUBlendOperation_Add, WGPUBlendFactor_One, WGPUBlendFactor_Zero }
    };
    gpool_render_pipeline_desc descs[12];
    for (size_t i = 0; i < UNIT_COUNT(descs); ++i) {
        descs[i] = base;
    }
    descs[1].vertex_entry = "vs";
    descs[2].topology = WGPUPrimitiveTopology_LineList;
    descs[3].cull_mode = WGPUCullMode_Back;
    descs[4].front_face = WGPUFrontFace_CW;
    descs[5].colors[0].blend = GPOOL_BLEND_ADD;
    descs[6].colors[0].blend_state = &blend;
    descs[7].colors[0].write_mask = WGPUColorWriteMask_Red;
    descs[8].colors[0].format = WGPUTextureFormat_BGRA8Unorm;
    descs[9].samples = 4;
    descs[10].vertex_buffers[0].attributes[0].format = WGPUVertexFormat_Float32;
    descs[11].vertex_buffers[0].attributes[0].format = WGPUVertexFormat_Float32;
    descs[11].vertex_buffers[0].stride = 16;
    for (uint64_t round = 0; round < 2; ++round) {
        for (size_t i = 0; i < UNIT_COUNT(descs); ++i) {
            descs[i].label = round == 0 ? "first" : "second";
            gpool_pipeline made = gpool_render_pipeline_create(p.pool, &descs[i]);
            assert_same(gpool_pipeline_status(p.pool, made), GPOOL_OK);
        }
        assert_int_equal(sim_pool_stats(&p).pipeline_misses, UNIT_COUNT(descs));
        assert_int_equal(sim_pool_stats(&p).pipeline_hits, round * UNIT_COUNT(descs));
    }
    /* A default is the same as the value it stands for. */
    gpool_render_pipeline_desc full = base;
    full.topology = WGPUPrimitiveTopology_TriangleList;
    full.front_face = WGPUFrontFace_CCW;
    full.cull_mode = WGPUCullMode_None;
    full.colors[0].write_mask = WGPUColorWriteMask_All;
    (void)gpool_render_pipeline_create(p.pool, &full);
    assert_int_equal(sim_pool_stats(&p).pipeline_misses, UNIT_COUNT(descs));
    compile_close(&p);
}

static uint64_t many_keys(uint64_t fallback)
{
    const char *given = getenv("GPOOL_TEST_KEYS");
    return given != NULL ? strtoull(given, NULL, 0) : fallback;
}

/* Row 26: keys without end. */
static void a_million_keys_do_not_grow_the_caches(void **state)
{
    (void)state;
    const uint64_t count = many_keys(5000);
    for (size_t w = 0; w < 2; ++w) {
        sim_pool p;
        compile_open(&p, cache_workers[w]);
        uint64_t most_bytes = 0;
        uint64_t most_kept = 0;
        for (uint64_t i = 0; i < count; ++i) {
            gpool_shader shader = compile_shader(&p, compile_text(i), "one of many");
            gpool_pipeline pipeline = compile_pipeline(&p, shader, "one of many");
            assert_same(gpool_pipeline_wait(p.pool, pipeline, UINT64_MAX), GPOOL_OK);
            assert_same(gpool_shader_destroy(p.pool, shader), GPOOL_OK);
            assert_same(gpool_pipeline_destroy(p.pool, pipeline), GPOOL_OK);
            sim_pool_frame(&p);
            const struct gpool__shaders *shaders = p.pool->shaders;
            assert_true(shaders->modules.count <= 2 * GPOOL__IDLE_COUNT + 8);
            assert_true(shaders->programs.count <= GPOOL__IDLE_COUNT + 8);
            assert_true(shaders->programs.idle_count <= GPOOL__IDLE_COUNT);
            if (i < count / 2) {
                most_bytes = gpool__max(most_bytes, sim_pool_stats(&p).cpu_bytes);
                most_kept = gpool__max(most_kept, sim_kept(p.s, SIM_KIND_NONE));
            }
        }
        /* The second half was no larger than the first, but for a growing number in the texts. */
        assert_true(sim_pool_stats(&p).cpu_bytes <= most_bytes + most_bytes / 50);
        assert_true(sim_kept(p.s, SIM_KIND_NONE) <= most_kept);
        assert_int_equal(sim_pool_stats(&p).shader_misses, count);
        assert_int_equal(sim_pool_stats(&p).pipeline_misses, count);
        compile_close(&p);
    }
}

static void large_sources_count_by_their_bytes(void **state)
{
    (void)state;
    sim_pool p;
    compile_open(&p, GPOOL_WORKERS_NONE);
    const size_t size = (size_t)1 << 20;
    char *text = malloc(size + 1);
    assert_non_null(text);
    memset(text, '\n', size);
    text[size] = '\0';
    for (int i = 0; i < 48; ++i) {
        (void)snprintf(text, 64, "fn f%d() {}", i);
        text[strlen(text)] = '\n';
        gpool_shader shader = compile_shader(&p, text, "large");
        assert_same(gpool_shader_status(p.pool, shader), GPOOL_OK);
        assert_same(gpool_shader_destroy(p.pool, shader), GPOOL_OK);
        sim_pool_frame(&p);
        assert_true(p.pool->shaders->modules.idle_bytes <= GPOOL__IDLE_BYTES);
    }
    assert_true(p.pool->shaders->modules.idle_count >= 30);
    free(text);
    compile_close(&p);
}

static void keys_that_collide_are_told_apart(void **state)
{
    (void)state;
    for (size_t w = 0; w < UNIT_COUNT(cache_workers); ++w) {
        sim_pool p;
        compile_open(&p, cache_workers[w]);
        p.pool->shaders->modules.no_hash = UINT64_MAX;
        p.pool->shaders->programs.no_hash = UINT64_MAX;
        enum {
            COUNT = 150
        };
        gpool_shader shaders[COUNT];
        gpool_pipeline pipelines[COUNT];
        for (uint64_t round = 0; round < 3; ++round) {
            for (uint32_t i = 0; i < COUNT; ++i) {
                shaders[i] = compile_shader(&p, compile_text(i), "collides");
                pipelines[i] = compile_pipeline(&p, shaders[i], "collides");
            }
            for (uint32_t i = 0; i < COUNT; ++i) {
                assert_same(gpool_pipeline_wait(p.pool, pipelines[i], UINT64_MAX), GPOOL_OK);
                const gpool__module *module = compile_in_use(&p, shaders[i]);
                assert_int_equal(module->base.key_size, strlen(compile_text(i)));
                assert_memory_equal(module->text, compile_text(i), module->base.key_size);
            }
            assert_int_equal(sim_pool_stats(&p).shader_misses, COUNT);
            assert_int_equal(sim_pool_stats(&p).pipeline_misses, COUNT);
            assert_int_equal(sim_pool_stats(&p).shader_hits, round * COUNT);
            assert_int_equal(sim_pool_stats(&p).pipeline_hits, round * COUNT);
            for (uint32_t i = 0; i < COUNT; ++i) {
                uint32_t at = (i * 7) % COUNT; /* taken out of the middle, too */
                assert_same(gpool_shader_destroy(p.pool, shaders[at]), GPOOL_OK);
                assert_same(gpool_pipeline_destroy(p.pool, pipelines[at]), GPOOL_OK);
            }
            sim_pool_frame(&p);
            sim_pool_frame(&p);
        }
        compile_close(&p);
    }
}

static void what_nobody_waits_for_any_more_is_not_compiled(void **state)
{
    (void)state;
    sim_pool p;
    compile_open(&p, 1);
    compile_shut();
    gpool_shader slow = compile_shader(&p, compile_text(0), "slow");
    compile_await_blocked(1);
    gpool_shader kept = compile_shader(&p, compile_text(1), "kept");
    for (uint64_t i = 2; i < 2000; ++i) {
        gpool_shader shader = compile_shader(&p, compile_text(i), "brief");
        (void)compile_pipeline(&p, shader, "kept by nobody");
        if (i % 100 == 0) {
            assert_same(gpool_scope_end(p.pool, compile_scope), GPOOL_OK);
            compile_scope = sim_pool_scope(&p, (gpool_scope){ 0 }, "all");
            sim_pool_frame(&p);
            sim_pool_frame(&p);
            /* All that is left is with the worker. */
            assert_int_equal(sim_pool_stats(&p).compiles_pending, 1);
            assert_true(p.pool->shaders->modules.count <= 1);
            assert_int_equal(p.pool->shaders->programs.count, 0);
        }
    }
    (void)slow;
    (void)kept;
    compile_open_gate();
    assert_same(gpool_scope_end(p.pool, compile_scope), GPOOL_OK);
    compile_scope = sim_pool_scope(&p, (gpool_scope){ 0 }, "all");
    compile_settle_all(&p);
    assert_true(sim_call_count(p.s, GPOOL_GPU_DeviceCreateShaderModule) < 200);
    compile_close(&p);
}

static void a_shader_destroyed_while_its_pipeline_waits_is_compiled(void **state)
{
    (void)state;
    sim_pool p;
    compile_open(&p, 1);
    compile_shut();
    (void)compile_shader(&p, compile_text(0), "slow");
    compile_await_blocked(1);
    gpool_shader shader = compile_shader(&p, compile_text(1), "gone early");
    gpool_pipeline pipeline = compile_pipeline(&p, shader, "goes on");
    assert_same(gpool_shader_destroy(p.pool, shader), GPOOL_OK);
    sim_pool_frame(&p);
    sim_pool_frame(&p);
    assert_same(gpool_pipeline_status(p.pool, pipeline), GPOOL_NOT_READY);
    compile_open_gate();
    assert_same(gpool_pipeline_wait(p.pool, pipeline, UINT64_MAX), GPOOL_OK);
    compile_close(&p);
}

/* All of it is done, nobody was told, nobody uses it: what goes first must not be met again. */
static void many_that_failed_and_are_idle_go_together(void **state)
{
    (void)state;
    sim_pool p;
    compile_open(&p, 4);
    enum {
        PAIRS = 300,
        ALONE = 700
    };
    uint64_t before = sim_call_count(p.s, GPOOL_GPU_DeviceCreateRenderPipeline);
    for (uint64_t i = 0; i < PAIRS; ++i) {
        char text[64];
        (void)snprintf(text, sizeof text, "fn vs() {} const n = %lluu;", (unsigned long long)i);
        (void)compile_pipeline(&p, compile_shader(&p, text, "no fs"), "fails");
    }
    for (uint64_t i = 0; i < ALONE; ++i) {
        (void)compile_shader(&p, compile_text(i), "alone");
    }
    while (sim_call_count(p.s, GPOOL_GPU_DeviceCreateRenderPipeline) - before < PAIRS ||
           sim_call_count(p.s, GPOOL_GPU_DeviceCreateShaderModule) < PAIRS + ALONE) {
        compile_nap();
    }
    for (int i = 0; i < 20; ++i) {
        compile_nap(); /* the last of them is on its way back */
    }
    assert_same(gpool_scope_end(p.pool, compile_scope), GPOOL_OK);
    compile_scope = sim_pool_scope(&p, (gpool_scope){ 0 }, "all");
    while (sim_pool_stats(&p).retired_count > 0) {
        (void)gpool_process_deletions(p.pool);
    }
    assert_true(p.pool->shaders->modules.idle_count > GPOOL__IDLE_COUNT); /* not collected */
    sim_pool_frame(&p);
    assert_true(p.pool->shaders->modules.idle_count <= GPOOL__IDLE_COUNT);
    assert_int_equal(p.pool->shaders->programs.idle_count, 0);
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_PIPELINE_CREATE), 0); /* nobody to tell */
    compile_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_ones_are_one_object),
        cmocka_unit_test(what_decides_makes_another_pipeline),
        cmocka_unit_test(a_million_keys_do_not_grow_the_caches),
        cmocka_unit_test(large_sources_count_by_their_bytes),
        cmocka_unit_test(keys_that_collide_are_told_apart),
        cmocka_unit_test(what_nobody_waits_for_any_more_is_not_compiled),
        cmocka_unit_test(a_shader_destroyed_while_its_pipeline_waits_is_compiled),
        cmocka_unit_test(many_that_failed_and_are_idle_go_together),
    };
    return cmocka_run_group_tests_name("sim_compile_cache", tests, NULL, NULL);
}
