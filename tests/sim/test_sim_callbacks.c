/*
 * WebGPU callbacks of the program's own run inside gpool's polls; what a pool does on a lost device; a
 * submit that lacks memory; labels with control bytes.
 */
#include "sim_pool.h"

#include <string.h>
#include <unistd.h>

typedef struct callback_scene {
    sim_pool *p;
    gpool_device *other;
    gpool_buffer buffer;
    uint32_t calls;
    gpool_result begin, end, tick, wait, poll, recover, note, destroy, retain;
    bool releases; /* the last reference to the device */
} callback_scene;

/* Work of the program's own is done, and its callback tries everything. */
static void on_done(WGPUQueueWorkDoneStatus status, WGPUStringView message, void *scene_pointer,
                    void *unused)
{
    callback_scene *scene = scene_pointer;
    gpool *pool = scene->p->pool;
    (void)status;
    (void)message;
    (void)unused;
    scene->calls += 1;
    scene->begin = gpool_begin_frame(pool);
    scene->end = gpool_end_frame(pool);
    scene->tick = gpool_tick(pool);
    scene->wait = gpool_wait_idle(pool);
    scene->poll = gpool_device_poll(scene->p->device);
    scene->recover = gpool_recover(pool, scene->other, NULL, NULL);
    scene->note = gpool_note_external_submit(pool);
    scene->retain = gpool_retain(pool, scene->buffer.id);
    (void)gpool_release(pool, scene->buffer.id);
    scene->destroy = gpool_buffer_destroy(pool, scene->buffer);
    gpool_destroy(pool);
    if (scene->releases) {
        gpool_device_release(scene->p->device);
    }
}

static void program_submits(sim_pool *p, callback_scene *scene)
{
    WGPUQueue queue = gpool_device_raw_queue(p->device);
    WGPUQueueWorkDoneCallbackInfo info = { .mode = WGPUCallbackMode_AllowProcessEvents,
                                           .callback = on_done,
                                           .userdata1 = scene };
    p->table.QueueSubmit(queue, 0, NULL);
    (void)p->table.QueueOnSubmittedWorkDone(queue, info);
}

static void check_callback(const callback_scene *scene)
{
    assert_int_equal(scene->calls, 1);
    assert_same(scene->begin, GPOOL_ERROR_WRONG_PHASE);
    assert_same(scene->end, GPOOL_ERROR_WRONG_PHASE);
    assert_same(scene->tick, GPOOL_ERROR_WRONG_PHASE);
    assert_same(scene->wait, GPOOL_ERROR_WRONG_PHASE);
    assert_same(scene->poll, GPOOL_ERROR_WRONG_PHASE);
    assert_same(scene->recover, GPOOL_ERROR_WRONG_PHASE);
    assert_same(scene->note, GPOOL_ERROR_WRONG_PHASE);
    assert_same(scene->retain, GPOOL_OK);
    assert_same(scene->destroy, GPOOL_OK);
}

static gpool_buffer make_buffer(sim_pool *p, const char *label)
{
    gpool_buffer_desc desc = { .size = 4096, .usage = GPOOL_BUFFER_VERTEX, .label = label };
    return gpool_buffer_create(p->pool, &desc);
}

static void callback_in_a_poll_may_only_destroy(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, &(sim_desc){ .completion = SIM_COMPLETE_AT_POLL });
    callback_scene scene = { .p = &p, .buffer = make_buffer(&p, "shared") };
    gpool_device_desc device = { .gpu = &p.table, .log = sim_pool_on_log, .log_user = &p };
    assert_same(gpool_device_open(&device, &scene.other), GPOOL_OK);
    program_submits(&p, &scene);
    assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
    check_callback(&scene);
    assert_same(gpool_frame(p.pool), 1);
    assert_same(gpool_end_frame(p.pool), GPOOL_OK);
    gpool_buffer_info info;
    assert_same(gpool_buffer_get_info(p.pool, scene.buffer, &info), GPOOL_ERROR_STALE_HANDLE);
    gpool_device_release(scene.other);
    sim_pool_close(&p, 0);
}

static void callback_under_a_submit_with_error_scopes_does_not_hang(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(
        &p, &(sim_desc){ .errors = SIM_ERRORS_SWALLOWED, .completion = SIM_COMPLETE_AT_SUBMIT });
    gpool_buffer_desc desc = { .size = 16, .usage = GPOOL_BUFFER_STORAGE_WRITE };
    gpool_buffer written = gpool_buffer_create(p.pool, &desc);
    callback_scene scene = { .p = &p, .buffer = make_buffer(&p, "shared") };
    gpool_device_desc device = { .gpu = &p.table, .log = sim_pool_on_log, .log_user = &p };
    assert_same(gpool_device_open(&device, &scene.other), GPOOL_OK);
    assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
    uint32_t value = 1;
    assert_same(gpool_buffer_write(p.pool, written, 0, &value, 4), GPOOL_OK);
    program_submits(&p, &scene);
    assert_same(gpool_end_frame(p.pool), GPOOL_OK);
    (void)gpool_tick(p.pool);
    check_callback(&scene);
    assert_same(gpool_buffer_destroy(p.pool, written), GPOOL_OK);
    gpool_device_release(scene.other);
    sim_pool_close(&p, 0);
}

/* The pool holds the device, and nobody else: a callback that gives up a reference ends nothing. */
static void callback_may_release_the_device(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, &(sim_desc){ .completion = SIM_COMPLETE_AT_POLL });
    gpool_destroy(p.pool);
    p.pool = NULL;
    callback_scene scene = { .p = &p, .releases = true };
    (void)gpool_device_retain(p.device);
    program_submits(&p, &scene);
    assert_same(gpool_device_poll(p.device), GPOOL_OK);
    assert_int_equal(scene.calls, 1);
    gpool_device_release(p.device);
    assert_same(sim_live(p.s, SIM_KIND_NONE), 0);
    sim_destroy(p.s);
}

static void what_is_destroyed_on_a_lost_device_is_freed(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    for (int i = 0; i < 5; ++i) {
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        assert_same(gpool_end_frame(p.pool), GPOOL_OK);
    }
    sim_lose(p.s);
    gpool_stats early = { 0 };
    for (int i = 0; i < 2000; ++i) {
        (void)gpool_begin_frame(p.pool);
        assert_same(gpool_buffer_destroy(p.pool, make_buffer(&p, "lost")), GPOOL_OK);
        (void)gpool_end_frame(p.pool);
        (void)gpool_process_deletions(p.pool);
        if (i == 200) {
            assert_same(gpool_get_stats(p.pool, &early), GPOOL_OK);
        }
    }
    gpool_stats late;
    assert_same(gpool_get_stats(p.pool, &late), GPOOL_OK);
    assert_true(late.retired_count <= early.retired_count);
    assert_true(late.cpu_bytes <= early.cpu_bytes);
    sim_pool_close(&p, 0);
}

static void submit_without_memory_keeps_the_recording(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    const uint32_t bytes[4] = { 1, 2, 3, 4 };
    gpool_buffer_desc from = { .size = 16, .data = bytes, .usage = SIM_POOL_COPYABLE };
    gpool_buffer_desc to = { .size = 16, .usage = SIM_POOL_COPYABLE };
    gpool_buffer a = gpool_buffer_create(p.pool, &from);
    gpool_buffer b = gpool_buffer_create(p.pool, &to);
    assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
    gpool_copy_buffer(gpool_frame_recorder(p.pool), a, 0, b, 0, 16);
    /* An error makes the device suspect, and the look of the submit finds no memory. */
    sim_fail(p.s, GPOOL_GPU_DeviceCreateTexture, 1, SIM_FAIL_VALIDATION, false);
    gpool_texture_desc texture = { .width = 4,
                                   .height = 4,
                                   .format = WGPUTextureFormat_RGBA8Unorm,
                                   .usage = GPOOL_TEXTURE_TARGET };
    gpool_texture failed = gpool_texture_create(p.pool, &texture);
    sim_fail_none(p.s);
    sim_fail(p.s, GPOOL_GPU_DeviceCreateCommandEncoder, 1, SIM_FAIL_OUT_OF_MEMORY, false);
    assert_same(gpool_submit(p.pool), GPOOL_ERROR_OUT_OF_GPU_MEMORY);
    sim_fail_none(p.s);
    assert_same(gpool_submit(p.pool), GPOOL_OK);
    assert_same(gpool_end_frame(p.pool), GPOOL_OK);
    uint32_t got[4] = { 0 };
    assert_same(gpool_buffer_read(p.pool, b, 0, got, 16), GPOOL_OK);
    assert_memory_equal(got, bytes, 16);
    assert_same(gpool_texture_destroy(p.pool, failed), GPOOL_OK);
    assert_same(gpool_buffer_destroy(p.pool, a), GPOOL_OK);
    assert_same(gpool_buffer_destroy(p.pool, b), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void layers_of_multisampled_textures_are_refused_by_resize_too(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_texture_desc desc = { .width = 4,
                                .height = 4,
                                .samples = 4,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .usage = GPOOL_TEXTURE_TARGET };
    gpool_texture texture = gpool_texture_create(p.pool, &desc);
    uint64_t calls = sim_call_count(p.s, GPOOL_GPU_DeviceCreateTexture);
    assert_same(gpool_texture_resize(p.pool, texture, 4, 4, 2), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(sim_call_count(p.s, GPOOL_GPU_DeviceCreateTexture), calls);
    assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void labels_cannot_forge_records(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_buffer_desc desc = { .size = 0,
                               .usage = GPOOL_BUFFER_VERTEX,
                               .label = "b\x1b[2J\xff\x7f" };
    assert_same(gpool_buffer_create(p.pool, &desc).id, 0);
    const char *text = p.text[GPOOL_LOG_RANGE];
    assert_non_null(strstr(text, "b [2J? "));
    for (const char *c = text; *c != '\0'; ++c) {
        assert_true((unsigned char)*c >= 32 && *c != 127);
    }
    /* A cut falls between characters. */
    char longest[1200];
    for (size_t i = 0; i + 1 < sizeof longest; i += 2) {
        memcpy(longest + i, "\xc3\xa9", 2);
    }
    longest[sizeof longest - 2] = '\0';
    desc.label = longest;
    assert_same(gpool_buffer_create(p.pool, &desc).id, 0);
    assert_null(strchr(p.text[GPOOL_LOG_RANGE], '?'));
    sim_pool_close(&p, 0);
}

/* One error for the pass, none for each command in it. */
static void pass_that_cannot_begin_swallows_its_commands(void **state)
{
    (void)state;
    for (int compute = 0; compute < 2; ++compute) {
        sim_pool p;
        sim_pool_open(&p, NULL);
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        gpool_recorder rec = gpool_frame_recorder(p.pool);
        sim_fail(p.s, GPOOL_GPU_DeviceCreateCommandEncoder, 1, SIM_FAIL_VALIDATION, false);
        if (compute != 0) {
            gpool_begin_compute(rec, "none");
        } else {
            gpool_begin_render(rec, NULL);
        }
        gpool_set_pipeline(rec, (gpool_pipeline){ 0 });
        gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
        gpool_dispatch(rec, 1, 1, 1);
        gpool_end_pass(rec);
        assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_PHASE), 0);
        gpool_end_pass(rec);
        assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_PHASE), 1);
        assert_int_not_equal(gpool_end_frame(p.pool), GPOOL_OK);
        sim_fail_none(p.s);
        sim_pool_close(&p, 0);
    }
}

/* Devices that never answer an error scope cost the next ones nothing. */
static WGPUFuture never_pop(WGPUDevice device, WGPUPopErrorScopeCallbackInfo info)
{
    (void)device;
    (void)info;
    return (WGPUFuture){ 0 };
}

static void mute_devices_do_no_harm_to_others(void **state)
{
    (void)state;
    sim *s = sim_create(&(sim_desc){ .errors = SIM_ERRORS_SWALLOWED });
    assert_non_null(s);
    gpool_gpu good;
    sim_table(s, &good);
    gpool_gpu mute = good;
    mute.DevicePopErrorScope = never_pop;
    sim_pool log = { .log_lock = PTHREAD_MUTEX_INITIALIZER };
    gpool_device *device = NULL;
    gpool_device_desc desc = { .gpu = &mute, .log = sim_pool_on_log, .log_user = &log };
    for (int i = 0; i < 2; ++i) {
        assert_int_not_equal(gpool_device_open(&desc, &device), GPOOL_OK);
        assert_true(sim_pool_taken(&log, GPOOL_LOG_DEVICE_LOST) > 0);
    }
    desc.gpu = &good;
    assert_same(gpool_device_open(&desc, &device), GPOOL_OK);
    for (uint32_t i = 0; i < GPOOL__POPS; ++i) {
        assert_same(atomic_load(&device->events->popped[i].state), GPOOL__POP_FREE);
    }
    gpool_device_release(device);
    assert_same(sim_live(s, SIM_KIND_NONE), 0);
    sim_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(callback_in_a_poll_may_only_destroy),
        cmocka_unit_test(callback_under_a_submit_with_error_scopes_does_not_hang),
        cmocka_unit_test(callback_may_release_the_device),
        cmocka_unit_test(what_is_destroyed_on_a_lost_device_is_freed),
        cmocka_unit_test(submit_without_memory_keeps_the_recording),
        cmocka_unit_test(layers_of_multisampled_textures_are_refused_by_resize_too),
        cmocka_unit_test(pass_that_cannot_begin_swallows_its_commands),
        cmocka_unit_test(labels_cannot_forge_records),
        cmocka_unit_test(mute_devices_do_no_harm_to_others),
    };
    (void)alarm(60);
    return cmocka_run_group_tests_name("sim_callbacks", tests, NULL, NULL);
}
