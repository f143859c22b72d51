/* Recovery again and again, of several pools, and to devices that can do less. */
#include "recover_world.h"

#include <pthread.h>

static recover_world world;

static void many_on_log(void *user, const gpool_log_record *record)
{
    (void)user;
    (void)record;
}

static void a_thousand_losses_leave_everything_flat(void **state)
{
    (void)state;
    for (sim_personality personality = SIM_WGPU_NATIVE; personality <= SIM_DAWN; ++personality) {
        world.limits = NULL;
        world.feature = NULL;
        world_begin(&world, personality);
        assert_good(&world, world_frame(&world, 0));
        world_handles handles = world.h;
        uint64_t live = 0;
        uint64_t bytes = 0;
        uint64_t cpu_bytes = 0;
        uint64_t blocks = 0;
        for (uint32_t i = 1; i <= 1000; ++i) {
            sim_lose(world.sims[0]);
            gpool_recover_report report;
            assert_good(&world, world_recover(&world, world_open(&world, 0), &report));
            assert_same(report.refilled, 8);
            assert_good(&world, world_frame(&world, i));
            world_check(&world, i);
            gpool_stats stats;
            assert_good(&world, gpool_get_stats(world.pool, &stats));
            if (i == 2) {
                live = sim_live(world.sims[0], SIM_KIND_NONE);
                bytes = sim_kept_bytes(world.sims[0]);
                cpu_bytes = stats.cpu_bytes;
                blocks = world.books.blocks;
            } else if (i > 2) {
                assert_same(sim_live(world.sims[0], SIM_KIND_NONE), live);
                assert_same(sim_kept_bytes(world.sims[0]), bytes);
                assert_same(stats.cpu_bytes, cpu_bytes);
                assert_same(world.books.blocks, blocks);
            }
        }
        assert_memory_equal(&world.h, &handles, sizeof handles);
        world_end(&world);
    }
}

static void two_pools_of_one_device_recover_apart(void **state)
{
    (void)state;
    for (sim_personality personality = SIM_WGPU_NATIVE; personality <= SIM_DAWN; ++personality) {
        world.limits = NULL;
        world.feature = NULL;
        world_begin(&world, personality);
        world_add_sim(&world, 1, SIM_WGPU_NATIVE);
        world_add_sim(&world, 2, SIM_DAWN);
        assert_good(&world, world_frame(&world, 1));
        gpool *other = NULL;
        gpool_desc desc = { .compile_workers = GPOOL_WORKERS_NONE, .log = many_on_log };
        assert_good(&world, gpool_create(world.device, &desc, &other));
        gpool_buffer_desc buffer_desc = { .data = "of the other pool",
                                          .size = 16,
                                          .usage = GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_READ_BACK };
        gpool_buffer buffer = gpool_buffer_create(other, &buffer_desc);
        sim_lose(world.sims[0]);
        (void)world_frame(&world, 1);
        assert_same(gpool_begin_frame(other), GPOOL_ERROR_DEVICE_LOST);
        gpool_device *lost = gpool_device_retain(world.device);
        assert_good(&world, world_recover(&world, world_open(&world, 1), NULL));
        assert_same(gpool_begin_frame(other), GPOOL_ERROR_DEVICE_LOST);
        assert_ptr_equal(gpool_pool_device(other), lost);
        gpool_device *third = world_open(&world, 2);
        assert_good(&world, gpool_recover(other, third, NULL, NULL));
        gpool_device_release(lost);
        assert_same(sim_live(world.sims[0], SIM_KIND_NONE), 0);
        char got[16];
        assert_good(&world, gpool_buffer_read(other, buffer, 0, got, sizeof got));
        assert_memory_equal(got, buffer_desc.data, sizeof got);
        assert_good(&world, world_frame(&world, 2));
        world_check(&world, 2);
        gpool_destroy(other);
        gpool_device_release(third);
        world_end(&world);
    }
}

/* What does not fit becomes failed, and comes back with its bytes on a device where it fits. */
static void what_does_not_fit_waits_for_a_better_device(void **state)
{
    (void)state;
    for (sim_personality personality = SIM_WGPU_NATIVE; personality <= SIM_DAWN; ++personality) {
        WGPUFeatureName feature = WGPUFeatureName_TextureCompressionBC;
        WGPULimits small = { .maxBufferSize = WORLD_POINTS / 2, .maxTextureDimension2D = 64 };
        world.limits = NULL;
        world.feature = &feature;
        world_begin(&world, personality);
        assert_good(&world, world_frame(&world, 1));
        gpool *p = world.pool;
        uint8_t blocks[32] = { 1, 2, 3 };
        gpool_texture_desc desc = { .width = 8,
                                    .height = 4,
                                    .format = WGPUTextureFormat_BC1RGBAUnorm,
                                    .usage = GPOOL_TEXTURE_SAMPLED,
                                    .data = blocks,
                                    .data_size = 16 };
        gpool_texture compressed = gpool_texture_create(p, &desc);
        desc = (gpool_texture_desc){ .width = 128,
                                     .format = WGPUTextureFormat_R8Unorm,
                                     .usage = GPOOL_TEXTURE_SAMPLED };
        gpool_texture wide = gpool_texture_create(p, &desc);
        assert_false(world_failed(&world, compressed.id) || world_failed(&world, wide.id));
        /* Bytes not sent yet, when the buffer is told that it does not fit. */
        assert_good(&world, gpool_buffer_write(p, world.h.points, 8, "late", 4));
        sim_lose(world.sims[0]);
        world.limits = &small;
        world.feature = NULL;
        world_add_sim(&world, 1, SIM_DAWN);
        gpool_recover_report report;
        assert_good(&world, world_recover(&world, world_open(&world, 1), &report));
        assert_same(report.failed[GPOOL_KIND_BUFFER], 1);
        assert_same(report.failed[GPOOL_KIND_TEXTURE], 2);
        assert_same(report.failed[GPOOL_KIND_PIPELINE], 0);
        assert_same(world.logs[GPOOL_LOG_NOT_REBUILT], 3);
        assert_same(world.logs[GPOOL_LOG_LIMIT], 2); /* looked at before the GPU is asked */
        assert_same(world.logs[GPOOL_LOG_UNSUPPORTED], 1);
        assert_true(world_failed(&world, world.h.points.id));
        assert_true(world_failed(&world, compressed.id) && world_failed(&world, wide.id));
        assert_same(gpool_buffer_write(p, world.h.points, 0, blocks, 4),
                    GPOOL_ERROR_FAILED_RESOURCE);
        assert_same(world_frame(&world, 2), GPOOL_ERROR_FAILED_RESOURCE);
        gpool_stats stats;
        assert_good(&world, gpool_get_stats(p, &stats));
        assert_true(stats.live_bytes[GPOOL_KIND_BUFFER] < WORLD_POINTS);
        /* Back to the first kind of device. */
        world.limits = NULL;
        world.feature = &feature;
        world_add_sim(&world, 2, personality);
        assert_good(&world, world_recover(&world, world_open(&world, 2), &report));
        assert_same(report.failed[GPOOL_KIND_BUFFER] + report.failed[GPOOL_KIND_TEXTURE], 0);
        assert_false(world_failed(&world, compressed.id) || world_failed(&world, wide.id));
        char got[4];
        assert_good(&world, gpool_buffer_read(p, world.h.points, 8, got, sizeof got));
        assert_memory_equal(got, "late", sizeof got);
        assert_good(&world, gpool_texture_destroy(p, compressed));
        assert_good(&world, gpool_texture_destroy(p, wide));
        world_end(&world);
    }
}

/* wgpu-native ends the process over the one vertex format it does not know. */
static void a_vertex_format_that_only_dawn_has_is_not_tried_on_wgpu(void **state)
{
    (void)state;
    static const char wgsl[] =
        "@vertex fn vs(@location(0) c: vec4f) -> @builtin(position) vec4f { return c; }\n"
        "@fragment fn fs() -> @location(0) vec4f { return vec4f(); }\n";
    world.limits = NULL;
    world.feature = NULL;
    world_begin(&world, SIM_DAWN);
    gpool *p = world.pool;
    gpool_shader_desc source = { .wgsl = wgsl };
    gpool_shader shader = gpool_shader_create(p, &source);
    gpool_render_pipeline_desc desc = {
        .shader = shader,
        .vertex_buffers[0] = { .attributes[0] = { WGPUVertexFormat_Unorm8x4BGRA, 0, 0 } },
        .colors[0].format = WGPUTextureFormat_RGBA8Unorm,
        .samples = 1,
        .label = "bgra",
    };
    gpool_pipeline pipeline = gpool_render_pipeline_create(p, &desc);
    assert_good(&world, gpool_pipeline_status(p, pipeline));
    world_add_sim(&world, 1, SIM_WGPU_NATIVE);
    world_add_sim(&world, 2, SIM_DAWN);
    gpool_recover_report report;
    assert_good(&world, world_recover(&world, world_open(&world, 1), &report));
    assert_same(report.failed[GPOOL_KIND_PIPELINE], 1);
    assert_same(gpool_pipeline_status(p, pipeline), GPOOL_ERROR_UNSUPPORTED);
    assert_good(&world, world_recover(&world, world_open(&world, 2), &report));
    assert_same(report.rebuilt[GPOOL_KIND_PIPELINE], 1);
    assert_good(&world, gpool_pipeline_status(p, pipeline));
    assert_good(&world, gpool_pipeline_destroy(p, pipeline));
    assert_good(&world, gpool_shader_destroy(p, shader));
    world_end(&world);
}

/* A variant that was refused for one device's memory is no reason to refuse the pipeline. */
static void a_variant_that_fails_costs_itself_only(void **state)
{
    (void)state;
    world.limits = NULL;
    world.feature = NULL;
    world_begin(&world, SIM_WGPU_NATIVE);
    world_add_sim(&world, 1, SIM_WGPU_NATIVE);
    assert_good(&world, world_frame(&world, 1));
    gpool_device *device = world_open(&world, 1);
    /* Pipelines in the order of their creation: `blend`, then the first variant of `fill`. */
    sim_fail(world.sims[1], GPOOL_GPU_DeviceCreateRenderPipeline, 2, SIM_FAIL_VALIDATION, false);
    gpool_recover_report report;
    assert_good(&world, world_recover(&world, device, &report));
    sim_fail_none(world.sims[1]);
    assert_same(report.failed[GPOOL_KIND_PIPELINE], 0);
    assert_same(world.logs[GPOOL_LOG_PIPELINE_CREATE], 1);
    uint64_t before = sim_call_count(world.sims[1], GPOOL_GPU_DeviceCreateRenderPipeline);
    assert_good(&world, world_frame(&world, 2)); /* compiled at its next use */
    assert_same(sim_call_count(world.sims[1], GPOOL_GPU_DeviceCreateRenderPipeline), before + 1);
    world_check(&world, 2);
    world_end(&world);
}

/* A pipeline whose own variant was refused is failed, and the next recovery compiles that variant. */
static void a_pipeline_that_failed_is_whole_after_the_next_recovery(void **state)
{
    (void)state;
    world.limits = NULL;
    world.feature = NULL;
    world_begin(&world, SIM_DAWN);
    world_add_sim(&world, 1, SIM_WGPU_NATIVE);
    world_add_sim(&world, 2, SIM_DAWN);
    assert_good(&world, world_frame(&world, 1));
    gpool_device *device = world_open(&world, 1);
    sim_fail(world.sims[1], GPOOL_GPU_DeviceCreateRenderPipeline, 1, SIM_FAIL_VALIDATION, false);
    gpool_recover_report report;
    assert_good(&world, world_recover(&world, device, &report));
    assert_same(report.failed[GPOOL_KIND_PIPELINE], 1);
    assert_same(gpool_pipeline_status(world.pool, world.h.blend), GPOOL_ERROR_GPU);
    /* Layouts of pipelines are not needed beyond their creation. */
    assert_same(sim_live(world.sims[1], SIM_KIND_PIPELINE_LAYOUT), 0);
    assert_same(sim_live(world.sims[1], SIM_KIND_RENDER_PIPELINE), 2);
    assert_same(world_frame(&world, 2), GPOOL_ERROR_FAILED_RESOURCE);
    assert_good(&world, world_recover(&world, world_open(&world, 2), &report));
    assert_same(report.failed[GPOOL_KIND_PIPELINE], 0);
    assert_good(&world, gpool_pipeline_status(world.pool, world.h.blend));
    assert_same(sim_live(world.sims[2], SIM_KIND_RENDER_PIPELINE), 3);
    assert_good(&world, world_frame(&world, 3));
    assert_same(sim_live(world.sims[2], SIM_KIND_RENDER_PIPELINE), 3);
    world_check(&world, 3);
    world_end(&world);
}

/* Without its own layout a pool could not draw a thing. */
static void a_device_that_refuses_the_pools_layout_is_refused(void **state)
{
    (void)state;
    world.limits = NULL;
    world.feature = NULL;
    world_begin(&world, SIM_DAWN);
    world_add_sim(&world, 1, SIM_WGPU_NATIVE);
    assert_good(&world, world_frame(&world, 1));
    gpool_device *device = world_open(&world, 1);
    sim_fail(world.sims[1], GPOOL_GPU_DeviceCreateBindGroupLayout, 1, SIM_FAIL_VALIDATION, false);
    assert_same(world_recover(&world, device, NULL), GPOOL_ERROR_GPU);
    assert_ptr_equal(gpool_pool_device(world.pool), world.device);
    gpool_device_release(device);
    assert_good(&world, world_frame(&world, 2));
    world_check(&world, 2);
    world_end(&world);
}

/* Calls are timed through a table of their own, which must go to the right device at every moment. */
static void a_measured_pool_recovers_too(void **state)
{
    (void)state;
    for (sim_personality personality = SIM_WGPU_NATIVE; personality <= SIM_DAWN; ++personality) {
        world.limits = NULL;
        world.feature = NULL;
        world.measure = true;
        world_begin(&world, personality);
        world.measure = false;
        world_add_sim(&world, 1, SIM_WGPU_NATIVE);
        assert_good(&world, world_frame(&world, 1));
        sim_lose(world.sims[0]);
        (void)world_frame(&world, 1);
        assert_good(&world, world_recover(&world, world_open(&world, 1), NULL));
        assert_good(&world, world_frame(&world, 2));
        world_check(&world, 2);
        world_end(&world);
    }
}

/* Writes that wait in the queue of the old device are sent there when the recovery fails. */
static void a_failed_recovery_forgets_no_write(void **state)
{
    (void)state;
    world.limits = NULL;
    world.feature = NULL;
    world_begin(&world, SIM_WGPU_NATIVE);
    world_add_sim(&world, 1, SIM_WGPU_NATIVE);
    assert_good(&world, world_frame(&world, 1));
    assert_good(&world, gpool_buffer_write(world.pool, world.h.state, 0, "word", 4));
    gpool_device *device = world_open(&world, 1);
    world.books.fail_at = world.books.calls + 1;
    assert_same(world_recover(&world, device, NULL), GPOOL_ERROR_OUT_OF_MEMORY);
    world.books.fail_at = 0;
    gpool_device_release(device);
    uint64_t submits = sim_submitted(world.sims[0]);
    assert_good(&world, gpool_process_uploads(world.pool));
    assert_same(sim_submitted(world.sims[0]), submits + 1);
    char got[4];
    assert_good(&world, gpool_buffer_read(world.pool, world.h.state, 0, got, sizeof got));
    assert_memory_equal(got, "word", sizeof got);
    world_end(&world);
}

static gpool_scope many_scope;

static void *many_destroy(void *unused)
{
    gpool *p = world.pool;
    (void)unused;
    (void)gpool_scope_end(p, many_scope);
    (void)gpool_buffer_destroy(p, world.h.points);
    (void)gpool_buffer_destroy(p, world.h.state);
    (void)gpool_texture_destroy(p, world.h.picture);
    (void)gpool_sampler_destroy(p, world.h.sampler);
    (void)gpool_layout_destroy(p, world.h.storage);
    (void)gpool_shader_destroy(p, world.h.twice_shader);
    (void)gpool_pipeline_destroy(p, world.h.blend);
    return NULL;
}

static void many_interrupt(void)
{
    pthread_t thread;
    assert_same(pthread_create(&thread, NULL, many_destroy, NULL), 0);
    assert_same(pthread_join(thread, NULL), 0);
}

/* At every moment of a recovery, between any two calls that make or release something. */
static void another_thread_may_destroy_meanwhile(void **state)
{
    (void)state;
    uint64_t points = 0;
    bool ran = true;
    while (ran) {
        world.limits = NULL;
        world.feature = NULL;
        world_begin(&world, SIM_DAWN);
        world_add_sim(&world, 1, SIM_WGPU_NATIVE);
        assert_good(&world, world_frame(&world, 1));
        many_scope = gpool_scope_create(world.pool, NULL);
        gpool_buffer_desc desc = {
            .data = "data", .size = 4, .usage = GPOOL_BUFFER_VERTEX, .scope = many_scope
        };
        gpool_buffer member = gpool_buffer_create(world.pool, &desc);
        gpool_device *device = world_open(&world, 1);
        (void)world_interrupt(many_interrupt, ++points);
        assert_good(&world, world_recover(&world, device, NULL));
        ran = world_interrupt(NULL, 0);
        if (!ran) {
            many_interrupt();
        }
        gpool_buffer_info info;
        assert_same(gpool_buffer_get_info(world.pool, world.h.points, &info),
                    GPOOL_ERROR_STALE_HANDLE);
        assert_good(&world, gpool_tick(world.pool)); /* what was in the scope goes with it */
        assert_same(gpool_buffer_get_info(world.pool, member, &info), GPOOL_ERROR_STALE_HANDLE);
        assert_same(world_live(&world, GPOOL_KIND_BUFFER), 4);
        assert_same(world_live(&world, GPOOL_KIND_PIPELINE), 2);
        world.h.points.id = world.h.state.id = 0;
        world.h.picture.id = world.h.sampler.id = world.h.storage.id = 0;
        world.h.twice_shader.id = world.h.blend.id = 0;
        assert_good(&world, world_frame(&world, 2)); /* makes it all again */
        world_check(&world, 2);
        world_end(&world);
    }
    printf("moments: %llu\n", (unsigned long long)points - 1);
    assert_true(points > 60);
}

/* A device of the program's own. */
typedef struct many_own {
    gpool_device *device;
    WGPUInstance instance;
    WGPUAdapter adapter;
    WGPUDevice raw;
} many_own;

static void own_on_adapter(WGPURequestAdapterStatus status, WGPUAdapter adapter,
                           WGPUStringView message, void *own, void *unused)
{
    (void)status;
    (void)message;
    (void)unused;
    ((many_own *)own)->adapter = adapter;
}

static void own_on_device(WGPURequestDeviceStatus status, WGPUDevice device, WGPUStringView message,
                          void *own, void *unused)
{
    (void)status;
    (void)message;
    (void)unused;
    ((many_own *)own)->raw = device;
}

static void own_on_error(WGPUDevice const *device, WGPUErrorType type, WGPUStringView message,
                         void *own, void *unused)
{
    (void)device;
    (void)unused;
    gpool_device_notify_error(((many_own *)own)->device, type, message);
}

static void own_on_lost(WGPUDevice const *device, WGPUDeviceLostReason reason,
                        WGPUStringView message, void *own, void *unused)
{
    (void)device;
    (void)unused;
    gpool_device_notify_lost(((many_own *)own)->device, reason, message);
}

static void own_open(recover_world *w, many_own *own)
{
    gpool_gpu table;
    sim_table(w->sims[1], &table);
    own->instance = table.CreateInstance(NULL);
    WGPURequestAdapterCallbackInfo on_adapter = { .mode = WGPUCallbackMode_AllowProcessEvents,
                                                  .callback = own_on_adapter,
                                                  .userdata1 = own };
    (void)table.InstanceRequestAdapter(own->instance, NULL, on_adapter);
    WGPUDeviceDescriptor desc = {
        .deviceLostCallbackInfo = { .mode = WGPUCallbackMode_AllowProcessEvents,
                                    .callback = own_on_lost,
                                    .userdata1 = own },
        .uncapturedErrorCallbackInfo = { .callback = own_on_error, .userdata1 = own },
    };
    WGPURequestDeviceCallbackInfo on_device = { .mode = WGPUCallbackMode_AllowProcessEvents,
                                                .callback = own_on_device,
                                                .userdata1 = own };
    (void)table.AdapterRequestDevice(own->adapter, &desc, on_device);
    gpool_device_adopt_desc adopt = { .gpu = &table,
                                      .instance = own->instance,
                                      .adapter = own->adapter,
                                      .device = own->raw,
                                      .log = many_on_log };
    assert_good(w, gpool_device_adopt(&adopt, &own->device));
    table.DeviceRelease(own->raw);
    table.AdapterRelease(own->adapter);
    table.InstanceRelease(own->instance);
}

/* Dawn tells the loss of such a device at a poll, and takes every create before it in silence. */
static void an_adopted_device_that_is_lost_is_refused(void **state)
{
    (void)state;
    for (sim_personality personality = SIM_WGPU_NATIVE; personality <= SIM_DAWN; ++personality) {
        static many_own own[2];
        world.limits = NULL;
        world.feature = NULL;
        world_begin(&world, SIM_WGPU_NATIVE);
        world_add_sim(&world, 1, personality);
        assert_good(&world, world_frame(&world, 1));
        own_open(&world, &own[0]);
        sim_lose(world.sims[1]);
        assert_same(world_recover(&world, own[0].device, NULL), GPOOL_ERROR_DEVICE_LOST);
        assert_ptr_equal(gpool_pool_device(world.pool), world.device);
        gpool_device_release(own[0].device);
        own_open(&world, &own[1]);
        assert_good(&world, world_recover(&world, own[1].device, NULL));
        assert_good(&world, world_frame(&world, 2));
        world_check(&world, 2);
        world_end(&world);
    }
}

static void *many_recover(void *device)
{
    static gpool_result result;
    result = gpool_recover(world.pool, device, NULL, NULL);
    return &result;
}

static void another_thread_is_refused(void **state)
{
    (void)state;
    world.limits = NULL;
    world.feature = NULL;
    world_begin(&world, SIM_WGPU_NATIVE);
    assert_good(&world, world_frame(&world, 1));
    pthread_t thread;
    void *result = NULL;
    assert_same(pthread_create(&thread, NULL, many_recover, world.device), 0);
    assert_same(pthread_join(thread, &result), 0);
    assert_same(*(const gpool_result *)result, GPOOL_ERROR_WRONG_THREAD);
    assert_good(&world, world_frame(&world, 2));
    world_check(&world, 2);
    world_end(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thousand_losses_leave_everything_flat),
        cmocka_unit_test(two_pools_of_one_device_recover_apart),
        cmocka_unit_test(what_does_not_fit_waits_for_a_better_device),
        cmocka_unit_test(a_vertex_format_that_only_dawn_has_is_not_tried_on_wgpu),
        cmocka_unit_test(a_variant_that_fails_costs_itself_only),
        cmocka_unit_test(a_pipeline_that_failed_is_whole_after_the_next_recovery),
        cmocka_unit_test(a_device_that_refuses_the_pools_layout_is_refused),
        cmocka_unit_test(a_measured_pool_recovers_too),
        cmocka_unit_test(a_failed_recovery_forgets_no_write),
        cmocka_unit_test(another_thread_may_destroy_meanwhile),
        cmocka_unit_test(an_adopted_device_that_is_lost_is_refused),
        cmocka_unit_test(another_thread_is_refused),
    };
    return cmocka_run_group_tests_name("recover_many", tests, NULL, NULL);
}
