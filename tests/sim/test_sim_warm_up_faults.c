/* The warm-up on the simulator: failures, loss, recovery, manifests of unknown origin. */
#define _DEFAULT_SOURCE /* mkdtemp */

#include "warm_world.h"

/* --- what goes wrong --- */

static void what_fails_is_nobodys_error_and_is_tried_again(void **state)
{
    (void)state;
    static const int functions[] = { GPOOL_GPU_DeviceCreateShaderModule,
                                     GPOOL_GPU_DeviceCreateComputePipeline,
                                     GPOOL_GPU_DeviceCreateRenderPipeline };
    static const uint32_t failed[] = { 3, 1, 1 }; /* with a module go its two pipelines */
    forget_all();
    run_once(SIM_WGPU_NATIVE, 1, "one");
    for (int i = 0; i < 6; ++i) {
        process p;
        process_begin(&p, SIM_WGPU_NATIVE, i < 3 ? 1 : GPOOL_WORKERS_NONE, "one");
        sim_fail(p.s, functions[i % 3], 1, SIM_FAIL_VALIDATION, false);
        assert_same(warm_up(&p), GPOOL_OK);
        assert_same(p.report.done, PROGRAM_MODULES + PROGRAM_PIPELINES);
        assert_same(p.report.failed, failed[i % 3]);
        assert_same(p.report.used, PROGRAM_PIPELINES - (failed[i % 3] == 3 ? 2 : 1));
        check_no_errors(&p);
        assert_same(stats_of(&p).errors, 0);
        run_program(&p);
        process_end(&p);
    }
}

static void a_use_that_is_not_valid_is_left_out(void **state)
{
    (void)state;
    forget_all();
    run_once(SIM_WGPU_NATIVE, 1, "one");
    process p;
    process_begin(&p, SIM_WGPU_NATIVE, 1, "one");
    sim_fail(p.s, GPOOL_GPU_CommandEncoderFinish, 1, SIM_FAIL_VALIDATION, false);
    assert_same(warm_up(&p), GPOOL_OK);
    assert_same(p.report.failed, 0);
    assert_same(p.report.used, PROGRAM_PIPELINES - 1);
    check_no_errors(&p);
    process_end(&p); /* a submit of it would have been fatal */
}

static void loss_is_told_and_what_is_done_goes_with_it(void **state)
{
    (void)state;
    forget_all();
    run_once(SIM_WGPU_NATIVE, 1, "one");
    for (int i = 0; i < 2; ++i) {
        process p;
        process_begin(&p, SIM_WGPU_NATIVE, 1, "one");
        sim_fail(p.s,
                 i == 0 ? GPOOL_GPU_DeviceCreateRenderPipeline : GPOOL_GPU_CommandEncoderFinish, 1,
                 SIM_FAIL_LOST, false);
        assert_same(warm_up(&p), GPOOL_ERROR_DEVICE_LOST);
        assert_same(warm_up(&p), GPOOL_ERROR_DEVICE_LOST);
        assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_DEVICE_LOST);
        process_end(&p);
    }
}

static void recovery_drops_what_nobody_uses(void **state)
{
    (void)state;
    forget_all();
    run_once(SIM_WGPU_NATIVE, 1, "one");
    process p;
    process_begin(&p, SIM_WGPU_NATIVE, 1, "one");
    assert_same(warm_up(&p), GPOOL_OK);
    gpool_shader kept = gpool_shader_create(p.pool, &(gpool_shader_desc){ .wgsl = compute_wgsl });
    make_due(&p);
    p.pool->shaders->orders += 1; /* a save is under way meanwhile */
    frame(&p);
    gpool_device *second = NULL;
    gpool_device_desc device = { .gpu = &p.table, .log = process_on_log, .log_user = &p };
    assert_same(gpool_device_open(&device, &second), GPOOL_OK);
    assert_same(gpool_recover(p.pool, second, NULL, NULL), GPOOL_OK);
    gpool_device_release(p.device);
    p.device = second;
    assert_same(gpool_shader_status(p.pool, kept), GPOOL_OK);
    assert_same(p.pool->shaders->programs.count, 0);
    assert_same(p.pool->shaders->modules.count, 1);
    assert_same(warm_up(&p), GPOOL_OK); /* on the new device */
    check_all_warm(&p);
    assert_same(p.report.cached, 1);
    run_program(&p);
    assert_same(gpool_shader_destroy(p.pool, kept), GPOOL_OK);
    process_end(&p);
}

/* --- foreign bytes --- */

static void put_manifest(process *p, const void *bytes, size_t size)
{
    gpool__manifest_io key;
    assert_true(gpool__manifest_key(p->pool, &key));
    assert_same(gpool_store_save(p->store, key.to, key.at, bytes, size), GPOOL_OK);
    gpool__manifest_key_fini(p->pool, &key);
}

static void *get_manifest(process *p, size_t *size)
{
    gpool__manifest_io key;
    void *there = NULL;
    assert_true(gpool__manifest_key(p->pool, &key));
    assert_same(gpool_store_load(p->store, key.to, key.at, &there, size), GPOOL_OK);
    gpool__manifest_key_fini(p->pool, &key);
    return there;
}

static void a_manifest_that_is_none_is_ignored_and_replaced(void **state)
{
    (void)state;
    forget_all();
    process p;
    for (int i = 0; i < 2; ++i) {
        process_begin(&p, SIM_WGPU_NATIVE, 1, "one");
        put_manifest(&p, "gpmanif\nrubbish", 15);
        if (i == 0) {
            assert_same(warm_up(&p), GPOOL_OK);
            assert_same(p.report.modules, 0);
            assert_same(stats_of(&p).manifest_bad, 1);
            assert_same(p.counts[GPOOL_LOG_MANIFEST], 1);
        }
        run_program(&p);
        process_end(&p);
        process_begin(&p, SIM_WGPU_NATIVE, 1, "one");
        assert_same(warm_up(&p), GPOOL_OK);
        check_all_warm(&p);
        process_end(&p);
    }
}

/* Frames until a save that a frame begins has ended. */
static void save_now(process *p)
{
    make_due(p);
    frame(p);
    assert_non_null(p->pool->shaders->persist.save);
    for (int i = 0; i < 20000 && p->pool->shaders->persist.save != NULL; ++i) {
        frame(p);
        gpool__sleep_ns(100000);
    }
    assert_null(p->pool->shaders->persist.save);
}

/* Another process holds the lock of the store, and is stopped. */
static void what_a_save_lost_is_in_the_next_one(void **state)
{
    (void)state;
    forget_all();
    process p;
    process_begin(&p, SIM_WGPU_NATIVE, 1, "one");
    const gpool_shader_desc desc = { .wgsl = compute_wgsl };
    gpool_shader shaders[3];
    for (int i = 0; i < 3; ++i) {
        shaders[i] = gpool_shader_create(p.pool, &desc);
        assert_same(gpool_shader_wait(p.pool, shaders[i], UINT64_MAX), GPOOL_OK);
    }
    const gpool__files *files = gpool__system_files();
    int directory = files->open_directory(files->user, folder);
    int lock = files->open_write(files->user, directory, GPOOL__STORE_LEDGER, true);
    assert_true(directory >= 0 && lock >= 0);
    assert_int_equal(files->lock(files->user, lock), 0);
    save_now(&p);
    assert_same(stats_of(&p).manifest_saves, 0);
    assert_int_equal(files->close(files->user, lock), 0);
    assert_int_equal(files->close(files->user, directory), 0);
    save_now(&p); /* though nothing new was compiled */
    assert_same(stats_of(&p).manifest_saves, 1);
    make_due(&p);
    frame(&p);
    assert_null(p.pool->shaders->persist.save); /* all is there */
    size_t size = 0;
    void *there = get_manifest(&p, &size);
    gpool__memory memory;
    gpool__manifest manifest;
    gpool__manifest_module module;
    const gpool__manifest_rules rules = gpool__manifest_rules_of(p.pool);
    gpool__memory_init(&memory, &(gpool_allocator){ 0 });
    assert_same(gpool__manifest_init(&manifest, &memory, there, size, &rules), GPOOL_OK);
    assert_same(manifest.module_count, 1);
    gpool__manifest_get_module(&manifest, 0, &module);
    assert_same(module.uses, 3);
    gpool__manifest_fini(&manifest, &memory);
    gpool_store_free_data(p.store, there);
    for (int i = 0; i < 3; ++i) {
        assert_same(gpool_shader_destroy(p.pool, shaders[i]), GPOOL_OK);
    }
    process_end(&p);
}

/* Every bit: what is taken reaches the function table, which counts what would end the process. */
static void no_flipped_bit_reaches_the_compiler_as_a_wrong_enumeration(void **state)
{
    (void)state;
    forget_all();
    run_once(SIM_WGPU_NATIVE, GPOOL_WORKERS_NONE, "one");
    process p;
    process_begin(&p, SIM_WGPU_NATIVE, GPOOL_WORKERS_NONE, "one");
    size_t size = 0;
    uint8_t *there = get_manifest(&p, &size);
    uint64_t taken = 0;
    for (size_t bit = 0; bit < size * 8; ++bit) {
        there[bit / 8] ^= (uint8_t)(1u << bit % 8);
        put_manifest(&p, there, size);
        assert_same(warm_up(&p), GPOOL_OK);
        taken += p.report.modules != 0;
        assert_same(sim_fatal_count(p.s), 0);
        gpool__persist_drop_kept(p.pool);
        gpool__cache_trim(p.pool, &p.pool->shaders->programs, 0, 0);
        gpool__cache_trim(p.pool, &p.pool->shaders->modules, 0, 0);
        there[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    print_message("%zu bits, %llu taken\n", size * 8, (unsigned long long)taken);
    gpool_store_free_data(p.store, there);
    process_end(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fails_is_nobodys_error_and_is_tried_again),
        cmocka_unit_test(a_use_that_is_not_valid_is_left_out),
        cmocka_unit_test(loss_is_told_and_what_is_done_goes_with_it),
        cmocka_unit_test(recovery_drops_what_nobody_uses),
        cmocka_unit_test(a_manifest_that_is_none_is_ignored_and_replaced),
        cmocka_unit_test(what_a_save_lost_is_in_the_next_one),
        cmocka_unit_test(no_flipped_bit_reaches_the_compiler_as_a_wrong_enumeration),
    };
    return world_main("sim_warm_up_faults", tests, UNIT_COUNT(tests));
}
