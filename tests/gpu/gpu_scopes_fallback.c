/*
 * Implementations that do not report errors inside the failing call: error scopes take over. The
 * table given to gpool_device_desc.gpu asks for a device whose error callback says nothing, so that
 * the probe at open fails.
 */
#include "gpu/hostile.h"

#include <stdlib.h>
#include <string.h>

int gpu_scopes_fallback_run(void);

#define SECONDS 60

static gpool_gpu scopes_real;

static void scopes_on_error(WGPUDevice const *device, WGPUErrorType type, WGPUStringView message,
                            void *user1, void *user2)
{
    (void)device;
    (void)type;
    (void)message;
    (void)user1;
    (void)user2;
}

static WGPUFuture scopes_request(WGPUAdapter adapter, WGPUDeviceDescriptor const *descriptor,
                                 WGPURequestDeviceCallbackInfo info)
{
    WGPUDeviceDescriptor copy = *descriptor;
    copy.uncapturedErrorCallbackInfo =
        (WGPUUncapturedErrorCallbackInfo){ .callback = scopes_on_error };
    return scopes_real.AdapterRequestDevice(adapter, &copy, info);
}

static void scopes_open(fixture *f)
{
    memset(f, 0, sizeof *f);
    assert_good(gpool_gpu_load(NULL, &scopes_real));
    gpool_gpu table = scopes_real;
    table.AdapterRequestDevice = scopes_request;
    gpool_device_desc desc = { .gpu = &table,
                               .adapter = fixture_adapter(),
                               .log = fixture_on_log,
                               .log_user = &f->log,
                               .allocator = fixture_allocator() };
    assert_good(gpool_device_open(&desc, &f->device));
    gpool_desc pool = { .compile_workers = GPOOL_WORKERS_NONE,
                        .log = fixture_on_log,
                        .log_user = &f->log,
                        .allocator = fixture_allocator() };
    assert_good(gpool_create(f->device, &pool, &f->pool));
}

static void scopes_close(fixture *f)
{
    gpool_destroy(f->pool);
    gpool_device_release(f->device);
}

static void work_in_scopes(void *user)
{
    (void)user;
    static fixture f;
    scopes_open(&f);
    gpool_device_info info;
    assert_good(gpool_device_get_info(f.device, &info));
    assert_false(info.errors_inline);
    assert_int_equal(f.log.counts[GPOOL_LOG_FALLBACK], 1);
    assert_int_equal(f.log.counts[GPOOL_LOG_DEVICE_LOST], 0);
    hostile_world w;
    hostile_open(&w, &f);
    for (int i = 0; i < 5; ++i) {
        hostile_good_frame(&w);
    }
    scopes_close(&f);
}

/* Each creator that the implementation refuses: told at once, with the right code. */
static void fail_in_scopes(void *user)
{
    (void)user;
    static fixture f;
    scopes_open(&f);
    hostile_world w;
    hostile_open(&w, &f);
    gpool *p = f.pool;
    for (int round = 0; round < 3; ++round) {
        gpool_texture_desc texture = { .width = 4,
                                       .height = 4,
                                       .usage = GPOOL_TEXTURE_STORAGE,
                                       .format = WGPUTextureFormat_Depth32Float };
        gpool_texture_info info = { 0 };
        hostile_begin(&w);
        assert_good(gpool_texture_get_info(p, gpool_texture_create(p, &texture), &info));
        assert_true(info.failed);
        assert_int_equal(gpool_last_error(p)->code, GPOOL_ERROR_GPU);
        assert_int_equal(gpool_last_error(p)->id, GPOOL_LOG_GPU_ERROR);
        gpool_shader shader = gpool_shader_create(p, &(gpool_shader_desc){ .wgsl = "fn" });
        assert_result(gpool_shader_status(p, shader), GPOOL_ERROR_GPU);
        assert_int_equal(gpool_last_error(p)->id, GPOOL_LOG_SHADER_COMPILE);
        gpool_render_pipeline_desc render = { .shader = fixture_shader(&f, fixture_fill_wgsl),
                                              .vertex_entry = "nothing",
                                              .samples = 1,
                                              .colors[0].format = WGPUTextureFormat_RGBA8Unorm };
        gpool_pipeline pipeline = gpool_render_pipeline_create(p, &render);
        assert_result(gpool_pipeline_status(p, pipeline), GPOOL_ERROR_GPU);
        assert_int_equal(gpool_last_error(p)->id, GPOOL_LOG_PIPELINE_CREATE);
        gpool_layout_entry entries[16] = { { 0 } };
        for (uint32_t i = 0; i < 16; ++i) {
            entries[i] = (gpool_layout_entry){ .binding = i, .dynamic_offset = true };
        }
        gpool_layout layout =
            gpool_layout_create(p, &(gpool_layout_desc){ .entries = entries, .entry_count = 16 });
        assert_null(gpool_layout_gpu(p, layout));
        /* The work between two failures is good, and none of it is blamed. */
        hostile_good_frame(&w);
        gpool_render_desc twice = { .color = { { .texture = w.target }, { .texture = w.target } } };
        gpool_recorder rec = hostile_frame(&w, 0);
        gpool_begin_render(rec, &twice);
        assert_result(hostile_end(&w, rec, 1), GPOOL_ERROR_GPU);
        assert_int_equal(gpool_last_error(p)->id, GPOOL_LOG_RECORDER_DROPPED);
        hostile_good_frame(&w);
    }
    assert_int_equal(f.log.counts[GPOOL_LOG_GPU_ERROR_LATE], 0);
    scopes_close(&f);
}

static void lose_in_scopes(void *user)
{
    (void)user;
    static fixture f;
    scopes_open(&f);
    hostile_world w;
    hostile_open(&w, &f);
    gpool_recorder rec = hostile_frame(&w, 0);
    scopes_real.DeviceDestroy(gpool_device_raw(f.device));
    gpool_clear_buffer(rec, w.witness, 0, 4);
    (void)gpool_end_frame(f.pool);
    (void)gpool_begin_frame(f.pool);
    (void)gpool_buffer_write(f.pool, w.witness, 0, "loss", 4);
    (void)gpool_end_frame(f.pool);
    assert_result(gpool_begin_frame(f.pool), GPOOL_ERROR_DEVICE_LOST);
    gpool_texture_desc desc = { .width = 4, .usage = 1, .format = WGPUTextureFormat_R8Unorm };
    gpool_texture_info info = { .failed = true };
    (void)gpool_texture_get_info(f.pool, gpool_texture_create(f.pool, &desc), &info);
    assert_true(info.failed);
    assert_good(gpool_buffer_destroy(f.pool, w.witness));
    scopes_close(&f);
}

static void frames_work_without_inline_errors(void **state)
{
    (void)state;
    hostile_fork("work in scopes", work_in_scopes, NULL, SECONDS);
}

static void creators_fail_at_once_without_inline_errors(void **state)
{
    (void)state;
    hostile_fork("fail in scopes", fail_in_scopes, NULL, SECONDS);
}

static void loss_is_found_without_inline_errors(void **state)
{
    (void)state;
    hostile_fork("lose in scopes", lose_in_scopes, NULL, SECONDS);
}

int gpu_scopes_fallback_run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_work_without_inline_errors),
        cmocka_unit_test(creators_fail_at_once_without_inline_errors),
        cmocka_unit_test(loss_is_found_without_inline_errors),
    };
    return cmocka_run_group_tests_name("scopes_fallback", tests, NULL, NULL);
}
