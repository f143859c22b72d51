/* Devices one after another: what one left in flight is nothing to the next. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "unit.h"

#include "sim.h"

#include <gpool/gpool.h>

#include <time.h>

static void quiet(void *user, const gpool_log_record *record)
{
    (void)user;
    (void)record;
}

static double seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static gpool_device *open_device(const gpool_gpu *table)
{
    gpool_device *device = NULL;
    gpool_device_desc desc = { .gpu = table, .log = quiet };
    assert_same(gpool_device_open(&desc, &device), GPOOL_OK);
    return device;
}

static gpool *open_pool(gpool_device *device)
{
    gpool *pool = NULL;
    assert_same(gpool_create(device,
                             &(gpool_desc){ .compile_workers = GPOOL_WORKERS_NONE,
                                            .log = quiet,
                                            .wait_timeout_ms = 5000 },
                             &pool),
                GPOOL_OK);
    return pool;
}

static void submit(gpool *pool, uint32_t word)
{
    gpool_buffer_desc desc = { .data = &word, .size = 4, .usage = GPOOL_BUFFER_UNIFORM };
    gpool_buffer buffer = gpool_buffer_create(pool, &desc);
    assert_same(gpool_process_uploads(pool), GPOOL_OK);
    assert_same(gpool_buffer_destroy(pool, buffer), GPOOL_OK);
}

/* Ends a device with three submits in flight that nobody waits for, as it is lost. */
static void leave_in_flight(const gpool_gpu *table)
{
    gpool_device *device = open_device(table);
    assert_same(gpool_device_submitted(device), 0);
    assert_same(gpool_device_done(device), 0);
    gpool *pool = open_pool(device);
    for (uint32_t i = 0; i < 3; ++i) {
        submit(pool, i);
    }
    assert_same(gpool_device_submitted(device), 3);
    assert_same(gpool_device_done(device), 0);
    gpool_device_notify_lost(device, WGPUDeviceLostReason_Unknown, (WGPUStringView){ "gone", 4 });
    gpool_destroy(pool);
    gpool_device_release(device);
}

static void work_left_in_flight_is_nothing_to_the_next_device(void **state)
{
    (void)state;
    sim *s = sim_create(&(sim_desc){ .completion = SIM_COMPLETE_MANUALLY });
    assert_non_null(s);
    gpool_gpu table;
    sim_table(s, &table);
    for (int round = 0; round < 3; ++round) {
        leave_in_flight(&table);
        double begin = seconds();
        gpool_device *device = open_device(&table);
        assert_same(gpool_device_submitted(device), 0);
        assert_same(gpool_device_done(device), 0);
        assert_same(gpool_device_wait(device, 0, 0), GPOOL_OK);
        assert_same(gpool_device_wait(device, 1, 0), GPOOL_ERROR_INVALID_ARGUMENT);
        gpool *pool = open_pool(device);
        gpool_destroy(pool);
        pool = open_pool(device);
        submit(pool, 1);
        assert_same(gpool_device_submitted(device), 1);
        assert_same(gpool_device_done(device), 0);
        assert_same(gpool_device_wait(device, 1, 0), GPOOL_ERROR_TIMEOUT);
        assert_true(sim_complete(s, SIM_ALL)); /* the old work, too, and late */
        assert_same(gpool_device_wait(device, 1, 1000), GPOOL_OK);
        assert_same(gpool_device_submitted(device), 1);
        assert_same(gpool_device_done(device), 1);
        gpool_destroy(pool);
        gpool_device_release(device);
        assert_true(seconds() - begin < 2.0);
    }
    assert_same(sim_fatal_count(s), 0);
    sim_destroy(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(work_left_in_flight_is_nothing_to_the_next_device),
    };
    return cmocka_run_group_tests_name("device_serials", tests, NULL, NULL);
}
