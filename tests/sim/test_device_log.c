/*
 * The user's log callback: with no lock held, on the thread that caused the record, in order, none lost.
 * A simulated device reports errors late, between a submit and what follows it, through a wrapped
 * function.
 */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "unit.h"

#include "sim.h"

#include <gpool/gpool.h>

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

#define RECORDS 64

typedef struct told {
    gpool_log_id id;
    char operation[40];
    char message[256];
    pthread_t thread;
} told;

/* One scene at a time; the table has no place for user data. */
static struct scene {
    sim *s;
    gpool_gpu real;
    gpool_gpu table;
    gpool_device *device;
    gpool *pool;
    gpool_buffer buffer;
    pthread_mutex_t users; /* a lock of the user's, which the callback takes too */
    _Atomic int late;      /* errors to report at the next submit */
    _Atomic int depth;     /* callbacks under way */
    _Atomic int deepest;
    _Atomic int entered;
    uint32_t count;
    uint32_t slow_ms;   /* the callback takes so long */
    bool reads_device;  /* the callback calls what it may call */
    bool causes_errors; /* the callback makes a webgpu.h call that fails */
    told records[RECORDS];
} scene;

static void nap(uint32_t ms)
{
    (void)nanosleep(&(struct timespec){ .tv_nsec = (long)ms * 1000000 }, NULL);
}

static void late_error(int number)
{
    char text[32];
    int length = snprintf(text, sizeof text, "late %d", number);
    gpool_device_notify_error(scene.device, WGPUErrorType_Validation,
                              (WGPUStringView){ text, (size_t)length });
}

static WGPUFuture report_late(WGPUQueue queue, WGPUQueueWorkDoneCallbackInfo info)
{
    int late = atomic_exchange(&scene.late, 0);
    for (int i = 0; i < late; ++i) {
        late_error(i);
    }
    return scene.real.QueueOnSubmittedWorkDone(queue, info);
}

static void bad_call(void)
{
    WGPUBufferDescriptor bad = { .size = 4,
                                 .usage = WGPUBufferUsage_MapRead | WGPUBufferUsage_Storage };
    scene.real.BufferRelease(scene.real.DeviceCreateBuffer(gpool_device_raw(scene.device), &bad));
}

static void on_log(void *user, const gpool_log_record *record)
{
    (void)user;
    if (record->level == GPOOL_LOG_LEVEL_INFO) {
        return;
    }
    int depth = atomic_fetch_add(&scene.depth, 1) + 1;
    scene.deepest = depth > scene.deepest ? depth : scene.deepest;
    atomic_fetch_add(&scene.entered, 1);
    (void)pthread_mutex_lock(&scene.users);
    told *t = &scene.records[scene.count++ % RECORDS];
    t->id = record->id;
    t->thread = pthread_self();
    (void)snprintf(t->operation, sizeof t->operation, "%s", record->operation);
    (void)snprintf(t->message, sizeof t->message, "%s", record->message);
    (void)pthread_mutex_unlock(&scene.users);
    if (scene.reads_device) {
        gpool_device_info info;
        (void)gpool_device_get_info(scene.device, &info);
        (void)gpool_device_submitted(scene.device);
        (void)gpool_device_done(scene.device);
        (void)gpool_device_has_feature(scene.device, WGPUFeatureName_TimestampQuery);
        (void)gpool_log_text(record->id);
        (void)gpool_result_name(record->result);
    }
    if (scene.causes_errors && scene.count < 3) {
        bad_call();
    }
    nap(scene.slow_ms);
    atomic_fetch_sub(&scene.depth, 1);
}

static void quiet(void *user, const gpool_log_record *record)
{
    (void)user;
    (void)record;
}

static void make_dirty(gpool *pool, gpool_buffer *buffer)
{
    if (buffer->id == 0) {
        gpool_buffer_desc desc = { .size = 64, .usage = GPOOL_BUFFER_UNIFORM, .label = "bytes" };
        *buffer = gpool_buffer_create(pool, &desc);
    }
    static _Atomic uint32_t dirt;
    const uint32_t word = atomic_fetch_add(&dirt, 1) + 1;
    (void)gpool_buffer_write(pool, *buffer, 0, &word, sizeof word);
}

static void scene_open(const sim_desc *desc)
{
    scene = (struct scene){ .s = sim_create(desc) };
    assert_non_null(scene.s);
    assert_int_equal(pthread_mutex_init(&scene.users, NULL), 0);
    sim_table(scene.s, &scene.real);
    scene.table = scene.real;
    scene.table.QueueOnSubmittedWorkDone = report_late;
    gpool_device_desc device = { .gpu = &scene.table, .log = on_log, .label = "device" };
    assert_same(gpool_device_open(&device, &scene.device), GPOOL_OK);
    gpool_desc pool = { .compile_workers = GPOOL_WORKERS_NONE, .log = on_log, .label = "pool" };
    assert_same(gpool_create(scene.device, &pool, &scene.pool), GPOOL_OK);
    make_dirty(scene.pool, &scene.buffer);
    scene.count = 0; /* it may say that scopes are used */
    (void)alarm(20); /* a deadlock ends the test */
}

static void scene_close(void)
{
    (void)gpool_buffer_destroy(scene.pool, scene.buffer);
    gpool_destroy(scene.pool);
    gpool_device_release(scene.device);
    assert_same(sim_fatal_count(scene.s), 0);
    sim_destroy(scene.s);
    (void)pthread_mutex_destroy(&scene.users);
    (void)alarm(0);
}

static void expect_record(uint32_t index, gpool_log_id id, const char *operation,
                          const char *message)
{
    const told *t = &scene.records[index];
    assert_same(t->id, id);
    assert_string_equal(t->operation, operation);
    assert_true(pthread_equal(t->thread, pthread_self()));
    if (strstr(t->message, message) == NULL) {
        fail_msg("[%s] is not in: %s", message, t->message);
    }
}

static void dawn_tells_a_loss_without_a_poll(void **state)
{
    (void)state;
    scene_open(&(sim_desc){ .personality = SIM_DAWN });
    gpool_device_info info;
    sim_lose(scene.s);
    assert_same(gpool_device_get_info(scene.device, &info), GPOOL_OK);
    assert_true(info.lost);
    assert_int_equal(scene.count, 1);
    expect_record(0, GPOOL_LOG_DEVICE_LOST, "", "\"device\"");
    assert_same(sim_calls_in_callbacks(scene.s), 0);
    scene_close();
}

/* Takes the lock that the callback wants, and works with the device all the same. */
typedef struct rival {
    _Atomic int ready;
    gpool_result results[3];
} rival;

static void *rival_run(void *user)
{
    rival *r = user;
    gpool *pool = NULL;
    gpool_buffer buffer = { 0 };
    (void)gpool_create(scene.device,
                       &(gpool_desc){ .compile_workers = GPOOL_WORKERS_NONE, .log = quiet }, &pool);
    make_dirty(pool, &buffer);
    (void)pthread_mutex_lock(&scene.users);
    atomic_store(&r->ready, 1);
    while (atomic_load(&scene.entered) == 0) {
        nap(1);
    }
    r->results[0] = gpool_process_uploads(pool);
    r->results[1] = gpool_device_poll(scene.device);
    r->results[2] = gpool_device_wait(scene.device, gpool_device_submitted(scene.device), 1000);
    (void)pthread_mutex_unlock(&scene.users);
    (void)gpool_buffer_destroy(pool, buffer);
    gpool_destroy(pool);
    return NULL;
}

static void callback_may_wait_for_a_lock_held_during_calls(void **state)
{
    (void)state;
    scene_open(NULL);
    rival r = { 0 };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, rival_run, &r), 0);
    while (atomic_load(&r.ready) == 0) {
        nap(1);
    }
    scene.late = 1;
    assert_same(gpool_process_uploads(scene.pool), GPOOL_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    for (int i = 0; i < 3; ++i) {
        assert_same(r.results[i], GPOOL_OK);
    }
    assert_int_equal(scene.count, 1);
    expect_record(0, GPOOL_LOG_GPU_ERROR_LATE, "gpool_process_uploads", "late 0");
    scene_close();
}

static void records_of_a_call_come_in_order(void **state)
{
    (void)state;
    scene_open(NULL);
    scene.reads_device = true;
    scene.late = 3;
    assert_same(gpool_process_uploads(scene.pool), GPOOL_OK);
    assert_int_equal(scene.count, 3);
    expect_record(0, GPOOL_LOG_GPU_ERROR_LATE, "gpool_process_uploads", "late 0");
    expect_record(1, GPOOL_LOG_GPU_ERROR_LATE, "gpool_process_uploads", "late 1");
    expect_record(2, GPOOL_LOG_GPU_ERROR_LATE, "gpool_process_uploads", "late 2");
    late_error(7); /* outside any call of gpool */
    assert_int_equal(scene.count, 4);
    expect_record(3, GPOOL_LOG_GPU_ERROR_LATE, "", "late 7");
    scene_close();
    /* The device's record of a loss comes before what the pool says of it. */
    scene_open(NULL);
    sim_lose(scene.s);
    assert_same(gpool_process_uploads(scene.pool), GPOOL_ERROR_DEVICE_LOST);
    assert_int_equal(scene.count, 2);
    expect_record(0, GPOOL_LOG_DEVICE_LOST, "gpool_process_uploads", "\"device\"");
    expect_record(1, GPOOL_LOG_DEVICE_LOST, "gpool_process_uploads", "\"pool\"");
    scene_close();
}

static void errors_found_by_a_poll_are_told_by_it(void **state)
{
    (void)state;
    scene_open(&(sim_desc){ .errors = SIM_ERRORS_LATE });
    bad_call();
    bad_call();
    assert_int_equal(scene.count, 0);
    assert_same(gpool_device_poll(scene.device), GPOOL_OK);
    assert_int_equal(scene.count, 2);
    bad_call();
    assert_same(gpool_tick(scene.pool), GPOOL_OK);
    assert_int_equal(scene.count, 3);
    expect_record(2, GPOOL_LOG_GPU_ERROR_LATE, "gpool_tick", "Buffer");
    scene_close();
}

static void repeats_are_held_back_also_when_told_later(void **state)
{
    (void)state;
    scene_open(NULL);
    scene.late = 40;
    assert_same(gpool_process_uploads(scene.pool), GPOOL_OK);
    assert_int_equal(scene.count, 32);
    make_dirty(scene.pool, &scene.buffer);
    scene.late = 24;
    assert_same(gpool_process_uploads(scene.pool), GPOOL_OK);
    assert_int_equal(scene.count, 33);
    expect_record(32, GPOOL_LOG_GPU_ERROR_LATE, "gpool_process_uploads", "late 23");
    scene_close();
}

static void errors_of_the_callback_come_after_it(void **state)
{
    (void)state;
    scene_open(NULL);
    scene.causes_errors = true;
    late_error(0);
    assert_int_equal(scene.count, 3);
    assert_int_equal(scene.deepest, 1);
    scene.count = 0;
    scene.late = 1;
    assert_same(gpool_process_uploads(scene.pool), GPOOL_OK);
    assert_int_equal(scene.count, 3);
    assert_int_equal(scene.deepest, 1);
    expect_record(0, GPOOL_LOG_GPU_ERROR_LATE, "gpool_process_uploads", "late 0");
    expect_record(1, GPOOL_LOG_GPU_ERROR_LATE, "", "Buffer");
    scene_close();
}

static void *cause_late_error(void *unused)
{
    late_error(0);
    return unused;
}

static void last_release_waits_for_the_callback(void **state)
{
    (void)state;
    scene_open(NULL);
    (void)gpool_buffer_destroy(scene.pool, scene.buffer);
    gpool_destroy(scene.pool);
    scene.slow_ms = 100;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, cause_late_error, NULL), 0);
    while (atomic_load(&scene.entered) == 0) {
        nap(1);
    }
    gpool_device_release(scene.device);
    assert_int_equal(scene.depth, 0);
    assert_int_equal(scene.count, 1);
    assert_int_equal(pthread_join(thread, NULL), 0);
    sim_destroy(scene.s);
    (void)alarm(0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(callback_may_wait_for_a_lock_held_during_calls),
        cmocka_unit_test(records_of_a_call_come_in_order),
        cmocka_unit_test(errors_found_by_a_poll_are_told_by_it),
        cmocka_unit_test(repeats_are_held_back_also_when_told_later),
        cmocka_unit_test(errors_of_the_callback_come_after_it),
        cmocka_unit_test(dawn_tells_a_loss_without_a_poll),
        cmocka_unit_test(last_release_waits_for_the_callback),
    };
    return cmocka_run_group_tests_name("device_log", tests, NULL, NULL);
}
