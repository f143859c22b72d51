/*
 * The fault classes that a pool must survive, one test or two for each; the sweep (gpool-fault) does
 * the first, second and fourth for whole scenarios, test_loss.c the fifth.
 */
#define _POSIX_C_SOURCE 200809L

#include "unit.h"

#include "fault.h"

#include "pool/pool_state.h"

#include <pthread.h>
#include <unistd.h>

#define ROW_SECONDS 30u

static fault_world w;

static const gpool_buffer_desc row_buffer = { .size = 64,
                                              .usage = GPOOL_BUFFER_COPY_TARGET |
                                                       GPOOL_BUFFER_COPY_SOURCE |
                                                       GPOOL_BUFFER_READ_BACK,
                                              .label = "row" };

/* --- 1, 2, 4: allocations and calls --- */

static uint64_t row_sweep(const char *scenario, fault_target target, sim_way way, sim_errors errors)
{
    fault_totals totals = { 0 };
    for (int i = 0; i < 4; ++i) {
        fault_point point = { .target = target,
                              .way = way,
                              .errors = errors,
                              .personality = (sim_personality)(i % 2),
                              .for_ever = i > 1 };
        do {
            point.number += 1;
        } while (fault_run(fault_find(scenario), &point, &totals));
    }
    assert_same(totals.problems, 0);
    return totals.points;
}

static void row_1_memory_may_end_at_each_allocation(void **state)
{
    (void)state;
    assert_true(row_sweep("shaders", FAULT_ALLOCATION, SIM_FAIL_NULL, SIM_ERRORS_INLINE) > 40);
}

static void row_2_gpu_memory_that_ends_is_told_and_comes_back(void **state)
{
    (void)state;
    for (int personality = SIM_WGPU_NATIVE; personality <= SIM_DAWN; ++personality) {
        const fault_point point = { .personality = (sim_personality)personality };
        assert_true(fault_open(&w, &point));
        gpool_texture_desc texture = { .width = 4,
                                       .height = 4,
                                       .format = WGPUTextureFormat_RGBA8Unorm,
                                       .usage = GPOOL_TEXTURE_SAMPLED };
        for (int i = 0; i < 2; ++i) {
            sim_fail(w.s, SIM_ANY_FUNCTION, 1, SIM_FAIL_OUT_OF_MEMORY, true);
            gpool_buffer failed = gpool_buffer_create(w.pool, &row_buffer);
            assert_true(failed.id != 0);
            assert_same(gpool_last_error(w.pool)->code, GPOOL_ERROR_OUT_OF_GPU_MEMORY);
            assert_same(gpool_buffer_write(w.pool, failed, 0, "1234", 4),
                        GPOOL_ERROR_FAILED_RESOURCE);
            gpool_texture failed_too = gpool_texture_create(w.pool, &texture);
            assert_same(gpool_last_error(w.pool)->code, GPOOL_ERROR_OUT_OF_GPU_MEMORY);
            assert_same(gpool_buffer_resize(w.pool, w.witness_plain, 4000),
                        GPOOL_ERROR_OUT_OF_GPU_MEMORY);
            assert_same(gpool_texture_resize(w.pool, w.witness_texture, 40, 40, 0),
                        GPOOL_ERROR_OUT_OF_GPU_MEMORY);
            sim_fail_none(w.s);
            assert_same(gpool_buffer_destroy(w.pool, failed), GPOOL_OK);
            assert_same(gpool_texture_destroy(w.pool, failed_too), GPOOL_OK);
            gpool_buffer good = gpool_buffer_create(w.pool, &row_buffer);
            assert_same(gpool_buffer_write(w.pool, good, 0, "1234", 4), GPOOL_OK);
            assert_same(gpool_buffer_destroy(w.pool, good), GPOOL_OK);
            fault_check_witness(&w);
        }
        fault_close(&w);
        assert_same(w.problems, 0);
    }
}

static void row_4_any_call_of_a_frame_may_fail_in_any_way(void **state)
{
    (void)state;
    for (int way = SIM_FAIL_NULL; way <= SIM_FAIL_LOST; ++way) {
        assert_true(row_sweep("submits", FAULT_CALL, (sim_way)way, SIM_ERRORS_LATE) > 80);
    }
}

/* --- 3: a mapped range that is NULL --- */

static void row_3_a_mapped_range_that_is_null_is_never_read(void **state)
{
    (void)state;
    uint8_t bytes[300];
    uint8_t expected[300];
    for (int personality = SIM_WGPU_NATIVE; personality <= SIM_DAWN; ++personality) {
        const fault_point point = { .personality = (sim_personality)personality };
        assert_true(fault_open(&w, &point));
        memset(bytes, 0xcc, sizeof bytes);
        memset(expected, 0xcc, sizeof expected);
        for (uint64_t k = 1; k <= 2; ++k) {
            sim_fail(w.s, GPOOL_GPU_BufferGetConstMappedRange, 1, SIM_FAIL_NULL, false);
            gpool_result result =
                k == 1 ? gpool_buffer_read(w.pool, w.witness_written, 0, bytes, sizeof bytes)
                       : gpool_texture_read(w.pool, w.witness_texture, NULL, bytes, sizeof bytes);
            assert_same(sim_fail_hits(w.s), 1);
            assert_same(result, GPOOL_ERROR_GPU);
            assert_memory_equal(bytes, expected, sizeof bytes);
        }
        fault_check_witness(&w);
        fault_close(&w);
        assert_same(w.problems, 0);
    }
}

/* --- 6: work that never ends --- */

static void row_6_work_that_never_ends_is_waited_for_up_to_the_limit(void **state)
{
    (void)state;
    for (int personality = SIM_WGPU_NATIVE; personality <= SIM_DAWN; ++personality) {
        const fault_point point = { .personality = (sim_personality)personality };
        assert_true(fault_open(&w, &point));
        gpool_desc desc = fault_pool_desc(&w);
        desc.wait_timeout_ms = 20;
        gpool *pool = NULL;
        assert_same(gpool_create(w.device, &desc, &pool), GPOOL_OK);
        gpool_buffer buffer = gpool_buffer_create(pool, &row_buffer);
        sim_set_completion(w.s, SIM_COMPLETE_MANUALLY, 0);
        gpool_result result = GPOOL_OK;
        for (uint32_t i = 0; i < 4 && result == GPOOL_OK; ++i) {
            result = gpool_begin_frame(pool);
            if (result == GPOOL_OK) {
                assert_same(gpool_buffer_write(pool, buffer, 0, &i, 4), GPOOL_OK);
                assert_same(gpool_end_frame(pool), GPOOL_OK);
            }
        }
        uint8_t bytes[64];
        assert_same(result, GPOOL_ERROR_TIMEOUT);
        assert_same(gpool_begin_frame(pool), GPOOL_ERROR_TIMEOUT);
        assert_same(gpool_wait_idle(pool), GPOOL_ERROR_TIMEOUT);
        assert_same(gpool_device_wait(w.device, gpool_device_submitted(w.device), 5),
                    GPOOL_ERROR_TIMEOUT);
        assert_same(gpool_buffer_read(pool, buffer, 0, bytes, 64), GPOOL_ERROR_TIMEOUT);
        assert_same(gpool_buffer_destroy(pool, buffer), GPOOL_OK);
        assert_same(gpool_tick(pool), GPOOL_OK);
        gpool_stats stats;
        assert_same(gpool_get_stats(pool, &stats), GPOOL_OK);
        assert_same(stats.retired_count, 1); /* kept: the GPU may use it */
        uint64_t begin = gpool__now_ns();
        gpool_destroy(pool);
        assert_true(gpool__now_ns() - begin < UINT64_C(5000000000));
        /* The answer of the read comes now, to nobody. */
        (void)sim_complete(w.s, SIM_ALL);
        assert_same(gpool_device_poll(w.device), GPOOL_OK);
        sim_set_completion(w.s, SIM_COMPLETE_AT_POLL, 0);
        fault_check_witness(&w);
        fault_close(&w);
        assert_same(w.problems, 0);
    }
}

/* --- 7: callbacks after the end --- */

/* A few calls that leave callbacks behind; does the first `count`, false when there are no more. */
static bool row_calls(gpool *pool, uint32_t count)
{
    static gpool_buffer buffer;
    static gpool_recorder rec;
    uint8_t bytes[64] = { 7 };
    uint32_t at = 0;
#define ROW_CALL(call)                                                                             \
    do {                                                                                           \
        if (at++ == count) {                                                                       \
            return true;                                                                           \
        }                                                                                          \
        call;                                                                                      \
    } while (0)
    ROW_CALL(buffer = gpool_buffer_create(pool, &row_buffer));
    for (int frame = 0; frame < 2; ++frame) {
        ROW_CALL((void)gpool_begin_frame(pool));
        ROW_CALL((void)gpool_buffer_write(pool, buffer, 0, bytes, 64));
        ROW_CALL(rec = gpool_frame_recorder(pool));
        ROW_CALL(gpool_clear_buffer(rec, buffer, 0, 4));
        ROW_CALL((void)gpool_submit(pool));
        ROW_CALL((void)gpool_buffer_read(pool, buffer, 0, bytes, 64));
        ROW_CALL((void)gpool_buffer_resize(pool, buffer, 128u << frame));
        ROW_CALL((void)gpool_end_frame(pool));
        ROW_CALL((void)gpool_process_uploads(pool));
    }
    ROW_CALL((void)gpool_buffer_destroy(pool, buffer));
    ROW_CALL((void)gpool_tick(pool));
    ROW_CALL((void)gpool_wait_idle(pool));
#undef ROW_CALL
    return false;
}

/* The pool ends after each of the calls, with work in flight; the callbacks come then. */
static bool row_end_at(const fault_point *point, uint32_t count, int loss)
{
    assert_true(fault_open(&w, point));
    gpool_desc desc = fault_pool_desc(&w);
    desc.wait_timeout_ms = 1;
    gpool *pool = NULL;
    assert_same(gpool_create(w.device, &desc, &pool), GPOOL_OK);
    sim_set_completion(w.s, SIM_COMPLETE_MANUALLY, 0);
    bool more = row_calls(pool, count);
    if (loss == 1) {
        sim_lose(w.s);
    }
    gpool_destroy(pool);
    if (loss == 2) {
        sim_lose(w.s);
    }
    (void)sim_complete(w.s, SIM_ALL);
    sim_set_completion(w.s, SIM_COMPLETE_AT_POLL, 0);
    w.log_counts[GPOOL_LOG_LEAK] = 0;
    fault_close(&w);
    assert_same(w.problems, 0);
    return more;
}

static void row_7_callbacks_may_come_when_the_pool_is_gone(void **state)
{
    (void)state;
    (void)alarm(ROW_SECONDS);
    for (int i = 0; i < 2 * 3 * 3; ++i) {
        const fault_point point = { .personality = (sim_personality)(i % 2),
                                    .delivery = (sim_delivery)(i / 2 % 3) };
        uint32_t count = 0;
        while (row_end_at(&point, count, i / 6)) {
            count += 1;
        }
        assert_true(count > 15);
    }
    (void)alarm(0);
}

/* Callbacks held back by the test. */
static struct {
    gpool_gpu real;
    WGPUQueueWorkDoneCallbackInfo done[64];
    size_t done_count;
    WGPUBufferMapCallbackInfo map;
    WGPUDeviceLostCallbackInfo lost;
    WGPUUncapturedErrorCallbackInfo error;
} row_held;

static WGPUFuture row_hold_done(WGPUQueue queue, WGPUQueueWorkDoneCallbackInfo info)
{
    (void)queue;
    assert_true(row_held.done_count < UNIT_COUNT(row_held.done));
    row_held.done[row_held.done_count++] = info;
    return (WGPUFuture){ 0 };
}

static WGPUFuture row_hold_map(WGPUBuffer buffer, WGPUMapMode mode, size_t offset, size_t size,
                               WGPUBufferMapCallbackInfo info)
{
    (void)buffer;
    (void)mode;
    (void)offset;
    (void)size;
    assert_null(row_held.map.callback);
    row_held.map = info;
    return (WGPUFuture){ 0 };
}

static WGPUFuture row_hold_device(WGPUAdapter adapter, WGPUDeviceDescriptor const *descriptor,
                                  WGPURequestDeviceCallbackInfo info)
{
    row_held.lost = descriptor->deviceLostCallbackInfo;
    row_held.error = descriptor->uncapturedErrorCallbackInfo;
    return row_held.real.AdapterRequestDevice(adapter, descriptor, info);
}

static void row_7_callbacks_may_come_when_the_device_is_gone(void **state)
{
    (void)state;
    const fault_point point = { .personality = SIM_DAWN };
    const WGPUStringView text = { "late", WGPU_STRLEN };
    memset(&row_held, 0, sizeof row_held);
    assert_true(fault_open_bare(&w, &point));
    row_held.real = w.table;
    w.table.QueueOnSubmittedWorkDone = row_hold_done;
    w.table.BufferMapAsync = row_hold_map;
    w.table.AdapterRequestDevice = row_hold_device;
    gpool_device_desc device = fault_device_desc(&w);
    gpool_desc pool = fault_pool_desc(&w);
    pool.wait_timeout_ms = 1;
    assert_same(gpool_device_open(&device, &w.device), GPOOL_OK);
    assert_same(gpool_create(w.device, &pool, &w.pool), GPOOL_OK);
    gpool_buffer buffer = gpool_buffer_create(w.pool, &row_buffer);
    uint8_t bytes[64];
    assert_same(gpool_buffer_read(w.pool, buffer, 0, bytes, 64), GPOOL_ERROR_TIMEOUT);
    assert_same(gpool_buffer_destroy(w.pool, buffer), GPOOL_OK);
    gpool__events *events = w.device->events;
    sim_lose(w.s);
    assert_same(gpool_device_poll(w.device), GPOOL_ERROR_DEVICE_LOST);
    fault_close(&w);
    assert_same(w.problems, 0);
    /* Nothing is there any more but what callbacks may touch. */
    uint64_t lines = w.log_counts[GPOOL_LOG_DEVICE_LOST] + w.log_counts[GPOOL_LOG_GPU_ERROR_LATE];
    assert_non_null(row_held.map.callback);
    row_held.map.callback(WGPUMapAsyncStatus_Aborted, text, row_held.map.userdata1,
                          row_held.map.userdata2);
    for (size_t i = 0; i < row_held.done_count; ++i) {
        row_held.done[i].callback(WGPUQueueWorkDoneStatus_Error, text, row_held.done[i].userdata1,
                                  row_held.done[i].userdata2);
    }
    row_held.error.callback(NULL, WGPUErrorType_Validation, text, row_held.error.userdata1,
                            row_held.error.userdata2);
    row_held.lost.callback(NULL, WGPUDeviceLostReason_Unknown, text, row_held.lost.userdata1,
                           row_held.lost.userdata2);
    assert_same(w.log_counts[GPOOL_LOG_DEVICE_LOST] + w.log_counts[GPOOL_LOG_GPU_ERROR_LATE],
                lines);
    /* The next device uses the same place, and knows nothing of it. */
    assert_true(fault_open(&w, &point));
    assert_ptr_equal(w.device->events, events);
    assert_false(fault_is_lost(&w));
    row_held.lost.callback(NULL, WGPUDeviceLostReason_Unknown, text, row_held.lost.userdata1,
                           row_held.lost.userdata2);
    assert_false(fault_is_lost(&w));
    fault_check_witness(&w);
    fault_close(&w);
    assert_same(w.problems, 0);
}

/* --- 8: no calls from callbacks --- */

static void row_8_callbacks_call_nothing(void **state)
{
    (void)state;
    fault_totals totals = { 0 };
    static const char *const names[] = { "submits", "render", "adopt" };
    for (int i = 0; i < 2 * 3 * 3; ++i) {
        fault_point point = { .personality = (sim_personality)(i % 2),
                              .delivery = (sim_delivery)(i / 2 % 3),
                              .errors = (sim_errors)(i / 6) };
        for (size_t j = 0; j < UNIT_COUNT(names); ++j) {
            /* fault_close() counts calls from inside of callbacks. */
            point.target = FAULT_NOTHING;
            (void)fault_run(fault_find(names[j]), &point, &totals);
            point.target = FAULT_CALL;
            point.way = SIM_FAIL_VALIDATION;
            point.number = 20;
            (void)fault_run(fault_find(names[j]), &point, &totals);
            point.way = SIM_FAIL_LOST;
            (void)fault_run(fault_find(names[j]), &point, &totals);
        }
    }
    assert_same(totals.problems, 0);
    assert_true(totals.points > 80);
}

/* --- 9: errors at any time, on any thread --- */

typedef struct row_noise {
    bool foreign; /* on another thread */
    bool lost;
    uint64_t every;
    uint64_t calls;
    uint64_t fired;
} row_noise;

static void *row_fire(void *user)
{
    const row_noise *noise = user;
    const WGPUStringView text = { "noise", WGPU_STRLEN };
    if (noise->lost) {
        gpool_device_notify_lost(w.device, WGPUDeviceLostReason_Unknown, text);
    } else {
        gpool_device_notify_error(w.device, WGPUErrorType_Validation, text);
    }
    return NULL;
}

static void row_on_call(void *user, int function)
{
    row_noise *noise = user;
    (void)function;
    if (w.device == NULL || ++noise->calls % noise->every != 0) {
        return;
    }
    noise->fired += 1;
    if (noise->foreign) {
        /* A lock that is held and wanted would hang here, and the alarm ends it. */
        pthread_t thread;
        assert_same(pthread_create(&thread, NULL, row_fire, noise), 0);
        assert_same(pthread_join(thread, NULL), 0);
    } else {
        (void)row_fire(noise);
    }
}

static void row_9_an_error_on_another_thread_inside_every_call_does_no_harm(void **state)
{
    (void)state;
    static const char *const names[] = { "submits", "render", "textures", "raw" };
    (void)alarm(ROW_SECONDS);
    for (int i = 0; i < 2 * 4; ++i) {
        const fault_point point = { .personality = (sim_personality)(i % 2) };
        row_noise noise = { .foreign = true, .every = 1 };
        assert_true(fault_open(&w, &point));
        fault_spy(row_on_call, &noise);
        assert_same(fault_find(names[i / 2])->run(&w), GPOOL_OK);
        assert_true(noise.fired > 30);
        fault_spy(NULL, NULL);
        fault_check_witness(&w);
        fault_close(&w);
        assert_same(w.problems, 0);
    }
    (void)alarm(0);
}

static void row_9_an_error_or_a_loss_inside_any_call_blocks_nothing(void **state)
{
    (void)state;
    (void)alarm(ROW_SECONDS);
    for (uint64_t every = 1; every < 80; every += 3) {
        for (int i = 0; i < 2 * 3; ++i) {
            fault_point point = { .personality = (sim_personality)(i % 2) };
            row_noise noise = { .every = every, .lost = i / 2 > 0, .foreign = i / 2 == 2 };
            assert_true(fault_open(&w, &point));
            /* Whatever fails now fails for a reason. */
            w.hits = 1;
            w.point.target = FAULT_CALL;
            w.point.way = SIM_FAIL_LOST;
            fault_spy(row_on_call, &noise);
            (void)fault_find("submits")->run(&w);
            assert_true(noise.fired > 0);
            fault_spy(NULL, NULL);
            w.hits = 0;
            w.result = GPOOL_OK;
            if (noise.lost || (fault_is_lost(&w) && every < 10)) {
                /* A device whose every encoder fails is taken for lost. */
                assert_true(fault_is_lost(&w));
            } else {
                assert_same(fault_find("submits")->run(&w), GPOOL_OK);
                fault_check_witness(&w);
            }
            fault_close(&w);
            assert_same(w.problems, 0);
        }
    }
    (void)alarm(0);
}

/* --- 10: error scopes --- */

static void row_10_scopes_are_balanced_whatever_fails(void **state)
{
    (void)state;
    /* fault_close() compares the numbers of scopes opened and closed. */
    assert_true(row_sweep("gpu_written", FAULT_CALL, SIM_FAIL_VALIDATION, SIM_ERRORS_SWALLOWED) >
                80);
}

/* --- 24: a resize that fails half way --- */

static void row_24_a_resize_that_fails_leaves_the_old_one_in_use(void **state)
{
    (void)state;
    uint64_t points = 0;
    for (int i = 0; i < 2 * 3 * 3; ++i) {
        const fault_point point = { .personality = (sim_personality)(i % 2) };
        sim_way way = (sim_way)(i / 2 % 3);
        for (uint64_t k = 1;; ++k) {
            assert_true(fault_open(&w, &point));
            sim_fail(w.s, SIM_ANY_FUNCTION, k, way, false);
            gpool_result result = i / 6 == 0 ? gpool_buffer_resize(w.pool, w.witness_plain, 1000)
                                  : i / 6 == 1
                                      ? gpool_buffer_resize(w.pool, w.witness_written, 1000)
                                      : gpool_texture_resize(w.pool, w.witness_texture, 9, 9, 0);
            bool hit = sim_fail_hits(w.s) > 0;
            sim_fail_none(w.s);
            if (result != GPOOL_OK) {
                fault_check_witness(&w);
                points += 1;
            }
            fault_close(&w);
            assert_same(w.problems, 0);
            if (!hit) {
                assert_same(result, GPOOL_OK);
                break;
            }
        }
    }
    assert_true(points > 20);
}

/* --- 28: a thread that ends with a pool --- */

static void *row_leave(void *user)
{
    gpool **pool = user;
    gpool_desc desc = fault_pool_desc(&w);
    assert_same(gpool_create(w.device, &desc, pool), GPOOL_OK);
    gpool_buffer buffer = gpool_buffer_create(*pool, &row_buffer);
    assert_same(gpool_begin_frame(*pool), GPOOL_OK);
    assert_same(gpool_buffer_write(*pool, buffer, 0, "1234", 4), GPOOL_OK);
    gpool_clear_buffer(gpool_frame_recorder(*pool), buffer, 4, 8);
    return NULL; /* a frame is open, a recorder, a buffer */
}

static void row_28_a_pool_outlives_its_thread(void **state)
{
    (void)state;
    const fault_point point = { .personality = SIM_WGPU_NATIVE };
    assert_true(fault_open(&w, &point));
    gpool *pool = NULL;
    pthread_t thread;
    assert_same(pthread_create(&thread, NULL, row_leave, &pool), 0);
    assert_same(pthread_join(thread, NULL), 0);
    assert_same(gpool_end_frame(pool), GPOOL_ERROR_WRONG_THREAD);
    assert_same(gpool_own(pool), GPOOL_OK);
    assert_same(gpool_end_frame(pool), GPOOL_OK);
    gpool_destroy(pool);
    assert_same(w.log_counts[GPOOL_LOG_LEAK], 1);
    w.log_counts[GPOOL_LOG_LEAK] = 0;
    fault_close(&w);
    assert_same(w.problems, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(row_1_memory_may_end_at_each_allocation),
        cmocka_unit_test(row_2_gpu_memory_that_ends_is_told_and_comes_back),
        cmocka_unit_test(row_3_a_mapped_range_that_is_null_is_never_read),
        cmocka_unit_test(row_4_any_call_of_a_frame_may_fail_in_any_way),
        cmocka_unit_test(row_6_work_that_never_ends_is_waited_for_up_to_the_limit),
        cmocka_unit_test(row_7_callbacks_may_come_when_the_pool_is_gone),
        cmocka_unit_test(row_7_callbacks_may_come_when_the_device_is_gone),
        cmocka_unit_test(row_8_callbacks_call_nothing),
        cmocka_unit_test(row_9_an_error_on_another_thread_inside_every_call_does_no_harm),
        cmocka_unit_test(row_9_an_error_or_a_loss_inside_any_call_blocks_nothing),
        cmocka_unit_test(row_10_scopes_are_balanced_whatever_fails),
        cmocka_unit_test(row_24_a_resize_that_fails_leaves_the_old_one_in_use),
        cmocka_unit_test(row_28_a_pool_outlives_its_thread),
    };
    return cmocka_run_group_tests_name("rows", tests, NULL, NULL);
}
