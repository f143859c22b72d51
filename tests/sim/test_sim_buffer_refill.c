/* Content that gpool does not have: refills at a write and at a recovery, losses, what callbacks do. */
#include "keep_world.h"

static void part_of_a_dropped_buffer_is_written_over_its_refill(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEEP_EVERY; ++i) {
        sim_pool p;
        keep k;
        keep_open(&p, i);
        keep_make(&k, &p, KEEP_SIZE - 1, FOLLOW_USAGE, true, true);
        keep_send(&k, "created");
        for (uint32_t seed = 0; seed < 6; ++seed) {
            k.act = seed < 3 ? KEEP_FILLS : KEEP_CALLS;
            uint32_t asked = k.asked;
            follow_write(&p, &k.f, 1005, 65, seed);
            assert_int_equal(k.asked, asked + 1);
            follow_write(&p, &k.f, 30000, 65, seed + 1); /* it has its shadow now */
            assert_int_equal(k.asked, asked + 1);
            keep_send(&k, "refilled");
            follow_write(&p, &k.f, 0, k.f.size, seed + 2); /* nothing to ask for */
            assert_int_equal(k.asked, asked + 1);
            keep_send(&k, "written whole");
        }
        static const uint32_t indices[] = { 2000, 7, 600 };
        uint8_t elements[3 * 12];
        uint32_t asked = k.asked;
        follow_fill(elements, sizeof elements, i);
        assert_same(gpool_buffer_write_scattered(p.pool, k.f.handle, indices, 3, 12, elements),
                    GPOOL_OK);
        assert_int_equal(k.asked, asked + 1);
        for (size_t n = 0; n < 3; ++n) {
            memcpy(k.f.bytes + indices[n] * 12, elements + n * 12, 12);
        }
        keep_send(&k, "scattered over a refill");
        /* What a refill brings is the content, also where it was another one. */
        k.act = KEEP_FILLS;
        follow_fill(k.f.bytes, k.f.size, 99);
        follow_write(&p, &k.f, 20000, 1, 2);
        keep_send(&k, "another content");
        follow_end(&p, &k.f);
        sim_pool_close(&p, 0);
    }
}

static void refill_that_fails_changes_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEEP_EVERY; ++i) {
        sim_pool p;
        keep k;
        keep_open(&p, i);
        keep_make(&k, &p, KEEP_SIZE, FOLLOW_USAGE, true, true);
        keep_send(&k, "created");
        gpool_stats before = sim_pool_stats(&p);
        k.act = KEEP_FAILS;
        uint8_t byte = 1;
        assert_same(gpool_buffer_write(p.pool, k.f.handle, 3, &byte, 1), GPOOL_ERROR_FILE);
        assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_FILE);
        assert_non_null(strstr(gpool_last_error(p.pool)->message, "\"kept\""));
        assert_same(gpool_buffer_write_elements(p.pool, k.f.handle, 3, 1, 1, &byte),
                    GPOOL_ERROR_FILE);
        assert_null(gpool_buffer_edit(p.pool, k.f.handle, 3, 1));
        assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_FILE);
        assert_int_equal(k.asked, 3);
        gpool_stats after = sim_pool_stats(&p);
        assert_int_equal(after.cpu_bytes, before.cpu_bytes);
        assert_int_equal(after.written_bytes, before.written_bytes);
        keep_send(&k, "not refilled");
        assert_int_equal(sim_pool_stats(&p).sent_bytes, before.sent_bytes);
        k.act = KEEP_FILLS;
        follow_write(&p, &k.f, 3, 1, 2);
        keep_send(&k, "refilled");
        follow_end(&p, &k.f);
        sim_pool_close(&p, 0);
    }
}

static void refill_may_destroy_its_buffer(void **state)
{
    (void)state;
    for (size_t i = 0; i < 12; ++i) {
        sim_pool p;
        keep k;
        keep_open(&p, i % 2);
        keep_make(&k, &p, KEEP_SIZE, FOLLOW_USAGE, true, true);
        keep_send(&k, "created");
        k.act = i < 6 ? KEEP_DESTROYS : KEEP_DESTROYS_AND_FAILS;
        gpool_result expected = i < 6 ? GPOOL_ERROR_STALE_HANDLE : GPOOL_ERROR_FILE;
        uint8_t byte = 1;
        if (i / 2 % 3 == 0) {
            assert_same(gpool_buffer_write(p.pool, k.f.handle, 3, &byte, 1), expected);
        } else if (i / 2 % 3 == 1) {
            assert_same(gpool_buffer_write_elements(p.pool, k.f.handle, 3, 1, 1, &byte), expected);
        } else {
            assert_null(gpool_buffer_edit(p.pool, k.f.handle, 3, 1));
        }
        assert_same(gpool_last_error(p.pool)->code, expected);
        assert_int_equal(k.asked, 1);
        assert_false(sim_pool_is_alive(&p, k.f.handle));
        assert_true(gpool__pool_validate(p.pool));
        assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
        sim_pool_frame(&p);
        assert_int_equal(sim_pool_stats(&p).live_count[GPOOL_KIND_BUFFER], 0);
        free(k.f.bytes);
        sim_pool_close(&p, 0);
    }
}

/* --- recovery --- */

typedef struct option {
    keep *k;
    uint32_t asked;
    bool fails;
    bool writes;
} option;

/* The callback of gpool_recover(), which writes by parts. */
static gpool_result option_fill(void *user, gpool *pool, gpool_buffer buffer,
                                const gpool_buffer_info *info)
{
    option *o = user;
    o->asked += 1;
    assert_int_equal(buffer.id, o->k->f.handle.id);
    if (o->writes) {
        uint64_t half = info->gpu_size / 8 * 4;
        assert_same(gpool_buffer_write(pool, buffer, 0, o->k->f.bytes, half), GPOOL_OK);
        assert_same(gpool_buffer_write(pool, buffer, half, o->k->f.bytes + half, info->size - half),
                    GPOOL_OK);
    }
    return o->fails ? GPOOL_ERROR_FILE : GPOOL_OK;
}

static void lose(sim_pool *p)
{
    sim_lose(p->s);
    (void)gpool_tick(p->pool); /* wgpu-native tells of it in an encoder only */
}

static void dropped_content_comes_back_by_its_refill_first(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4 * KEEP_EVERY; ++i) {
        size_t kind = i / KEEP_EVERY; /* dropped, gpu-written, became gpu-written, refill fails */
        sim_pool p;
        keep k;
        keep_open(&p, i);
        keep_make(&k, &p, KEEP_SIZE,
                  SIM_POOL_COPYABLE | (kind == 1 ? GPOOL_BUFFER_STORAGE_WRITE : 0), true, true);
        assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
        if (kind == 2) {
            assert_non_null(gpool_buffer_gpu(p.pool, k.f.handle, GPOOL_ACCESS_WRITE));
            sim_pool_frame(&p);
        }
        option o = { .k = &k, .writes = true };
        k.act = kind == 3 ? KEEP_FAILS : KEEP_CALLS;
        lose(&p);
        gpool_recover_desc how = { .user = &o, .refill_buffer = option_fill };
        gpool_recover_report report = keep_recover(&p, &how);
        assert_int_equal(k.asked, 1);
        assert_int_equal(o.asked, kind == 3 ? 1 : 0);
        assert_int_equal(report.refilled, 1);
        assert_int_equal(report.lost, 0);
        assert_int_equal(keep_info(&k).shadow_bytes, kind == 0 || kind == 3 ? KEEP_SIZE : 0);
        assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
        follow_same(&p, &k.f, "recovered");
        assert_int_equal(keep_info(&k).dropped, kind == 0 || kind == 3);
        assert_int_equal(keep_info(&k).shadow_bytes, 0);
        assert_true(gpool__pool_validate(p.pool));
        follow_end(&p, &k.f);
        sim_pool_close(&p, 0);
    }
}

static void dropped_content_that_nobody_brings_is_lost(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3 * KEEP_EVERY; ++i) {
        size_t kind = i / KEEP_EVERY; /* nobody to ask, all answer no, the callback leaves zeros */
        sim_pool p;
        keep k;
        keep_open(&p, i);
        keep_make(&k, &p, KEEP_SIZE, FOLLOW_USAGE, true, kind == 1);
        keep_send(&k, "created");
        option o = { .k = &k, .fails = kind == 1 };
        k.act = KEEP_FAILS;
        lose(&p);
        gpool_recover_desc how = { .user = &o, .refill_buffer = kind > 0 ? option_fill : NULL };
        for (uint32_t round = 1; round <= 2; ++round) {
            gpool_recover_report report = keep_recover(&p, &how);
            assert_int_equal(report.lost, kind < 2 ? 1 : 0);
            assert_int_equal(report.lost_bytes, kind < 2 ? KEEP_SIZE : 0);
            assert_int_equal(report.refilled, kind == 2 ? 1 : 0);
            assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_CONTENT_LOST), kind < 2 ? 1 : 0);
            assert_int_equal(o.asked, kind == 0 ? 0 : round);
            assert_int_equal(k.asked, kind == 1 ? round : 0);
            memset(k.f.bytes, 0, KEEP_SIZE);
            assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
            follow_same(&p, &k.f, "lost");
            assert_true(keep_info(&k).dropped);
        }
        /* What was lost is no zeros that a part could be written to. */
        uint8_t byte = 1;
        assert_same(gpool_buffer_write(p.pool, k.f.handle, 1, &byte, 1),
                    kind == 1 ? GPOOL_ERROR_FILE : GPOOL_ERROR_NO_SHADOW);
        keep_write(&k, 5);
        keep_send(&k, "written again");
        follow_end(&p, &k.f);
        sim_pool_close(&p, 0);
    }
}

static void what_waits_to_be_sent_is_not_lost(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4 * KEEP_EVERY; ++i) {
        size_t kind = i / KEEP_EVERY; /* dirty, recorded or queued, never written, parts of zeros */
        sim_pool p;
        keep k;
        keep_open(&p, i);
        keep_make(&k, &p, KEEP_SIZE, FOLLOW_USAGE, kind < 2, true);
        if (kind == 1) {
            assert_same(gpool__upload_flush(p.pool), GPOOL_OK);
        } else if (kind == 3) {
            follow_write(&p, &k.f, 100, 100, 3);
        }
        lose(&p);
        if (i % 3 == 0) {
            (void)gpool_process_uploads(p.pool);
        }
        gpool_recover_report report = keep_recover(&p, NULL);
        assert_int_equal(report.lost + report.refilled, 0);
        assert_int_equal(k.asked, 0);
        assert_int_equal(keep_info(&k).shadow_bytes, kind == 2 ? 0 : KEEP_SIZE);
        assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
        follow_same(&p, &k.f, "recovered");
        assert_int_equal(keep_info(&k).shadow_bytes, 0);
        follow_end(&p, &k.f);
        sim_pool_close(&p, 0);
    }
}

static void buffer_that_cannot_be_made_keeps_its_bytes_for_a_better_device(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEEP_EVERY; ++i) {
        sim_pool p;
        keep k;
        keep_open(&p, i);
        sim_fail(p.s, GPOOL_GPU_DeviceCreateBuffer, 1, SIM_FAIL_OUT_OF_MEMORY, false);
        keep_make(&k, &p, KEEP_SIZE, FOLLOW_USAGE, true, false);
        sim_fail_none(p.s);
        assert_true(keep_info(&k).failed);
        assert_int_equal(keep_info(&k).shadow_bytes, KEEP_SIZE);
        assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
        sim_pool_frame(&p);
        assert_int_equal(keep_recover(&p, NULL).lost, 0);
        keep_send(&k, "made at last");
        /* Lost while it waited, and failed on the next device: still there for the third. */
        keep_write(&k, 4);
        assert_same(gpool__upload_flush(p.pool), GPOOL_OK);
        for (uint64_t nth = 1; !keep_info(&k).failed; ++nth) {
            sim_fail(p.s, GPOOL_GPU_DeviceCreateBuffer, nth, SIM_FAIL_OUT_OF_MEMORY, false);
            (void)keep_recover(&p, NULL);
            assert_true(sim_fail_hits(p.s) > 0);
            sim_fail_none(p.s);
        }
        sim_pool_frame(&p);
        assert_same(gpool__submit_writes(p.pool), GPOOL_OK);
        assert_int_equal(keep_info(&k).shadow_bytes, KEEP_SIZE);
        assert_true(gpool__pool_validate(p.pool));
        assert_int_equal(keep_recover(&p, NULL).lost, 0);
        keep_send(&k, "made once more");
        follow_end(&p, &k.f);
        sim_pool_close(&p, 0);
    }
}

static void refill_of_a_recovery_may_destroy_its_buffer(void **state)
{
    (void)state;
    for (size_t i = 0; i < 8; ++i) {
        sim_pool p;
        keep k;
        keep_open(&p, i % 2);
        keep_make(&k, &p, KEEP_SIZE, FOLLOW_USAGE | (i >= 4 ? GPOOL_BUFFER_STORAGE_WRITE : 0), true,
                  true);
        assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
        option o = { .k = &k };
        k.act = i / 2 % 2 == 0 ? KEEP_DESTROYS : KEEP_DESTROYS_AND_FAILS;
        lose(&p);
        gpool_recover_desc how = { .user = &o, .refill_buffer = option_fill };
        gpool_recover_report report = keep_recover(&p, &how);
        assert_int_equal(k.asked, 1);
        assert_int_equal(o.asked, 0);
        assert_int_equal(report.lost + report.refilled, 0);
        assert_false(sim_pool_is_alive(&p, k.f.handle));
        sim_pool_frame(&p);
        assert_int_equal(sim_pool_stats(&p).live_count[GPOOL_KIND_BUFFER], 0);
        free(k.f.bytes);
        sim_pool_close(&p, 0);
    }
}

static void memory_that_lacks_for_a_refill_is_no_end_of_a_recovery(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; ++i) {
        bool gpu_written = i >= 2;
        uint32_t losses = 0;
        for (uint64_t nth = 1, failed = 1; failed != 0; ++nth) {
            sim_pool p;
            keep k;
            keep_open(&p, i % 2);
            keep_make(&k, &p, KEEP_SIZE,
                      FOLLOW_USAGE | (gpu_written ? GPOOL_BUFFER_STORAGE_WRITE : 0), true, true);
            assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
            lose(&p);
            gpool_device_desc desc = { .gpu = &p.table, .log = sim_pool_on_log, .log_user = &p };
            gpool_device *device = NULL;
            assert_same(gpool_device_open(&desc, &device), GPOOL_OK);
            uint64_t fail_at = p.allocator.calls + nth;
            p.allocator.fail_at = fail_at;
            gpool_recover_report report;
            gpool_result result = gpool_recover(p.pool, device, NULL, &report);
            failed = p.allocator.calls >= fail_at;
            p.allocator.fail_at = 0;
            if (result == GPOOL_OK) {
                gpool_device_release(p.device);
                p.device = device;
                losses += report.lost;
            } else {
                assert_same(result, GPOOL_ERROR_OUT_OF_MEMORY);
                gpool_device_release(device);
            }
            assert_true(gpool__pool_validate(p.pool));
            report = keep_recover(&p, NULL);
            assert_int_equal(report.lost, 0);
            assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
            follow_same(&p, &k.f, "recovered in the end");
            follow_end(&p, &k.f);
            sim_pool_close(&p, 0);
        }
        assert_true(losses > 0);
    }
}

/* Lost at every call: whatever was not told to be lost is there afterwards. */
static void loss_at_any_call_forgets_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * KEEP_EVERY; ++i) {
        for (uint64_t nth = 1, hit = 1; hit != 0; ++nth) {
            sim_pool p;
            keep k;
            keep_open(&p, i);
            bool refill = i >= KEEP_EVERY;
            sim_fail(p.s, SIM_ANY_FUNCTION, nth, SIM_FAIL_LOST, false);
            keep_make(&k, &p, KEEP_SIZE, FOLLOW_USAGE, true, refill);
            for (uint64_t round = 0; round < 4; ++round) {
                uint64_t size = refill && round % 2 == 0 ? 100 : KEEP_SIZE;
                uint8_t data[KEEP_SIZE];
                follow_fill(data, size, round);
                if (gpool_buffer_write(p.pool, k.f.handle, 0, data, size) == GPOOL_OK) {
                    memcpy(k.f.bytes, data, size);
                }
                if (round % 2 == 0) {
                    (void)gpool_process_uploads(p.pool);
                } else {
                    (void)gpool_begin_frame(p.pool);
                    (void)gpool_end_frame(p.pool);
                }
                assert_true(gpool__pool_validate(p.pool));
            }
            hit = sim_fail_hits(p.s);
            sim_fail_none(p.s);
            gpool_recover_report report = keep_recover(&p, NULL);
            assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_CONTENT_LOST), report.lost);
            if (report.lost > 0) {
                assert_false(refill);
                assert_true(keep_info(&k).dropped);
                memset(k.f.bytes, 0, KEEP_SIZE);
            }
            assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
            follow_same(&p, &k.f, "recovered");
            assert_int_equal(keep_info(&k).shadow_bytes, 0);
            follow_end(&p, &k.f);
            sim_pool_close(&p, 0);
        }
    }
}

/* The new device is lost while callbacks run: the next recovery asks once more. */
static gpool_result option_loses(void *user, gpool *pool, gpool_buffer buffer,
                                 const gpool_buffer_info *info)
{
    option *o = user;
    (void)option_fill(user, pool, buffer, info);
    sim_lose(o->k->p->s);
    (void)gpool_tick(pool);
    return GPOOL_OK;
}

static void loss_in_a_callback_is_asked_for_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; ++i) {
        sim_pool p;
        keep k;
        keep_open(&p, i % 2);
        keep_make(&k, &p, KEEP_SIZE, FOLLOW_USAGE, true, false);
        keep_send(&k, "created");
        option o = { .k = &k, .writes = i >= 2 };
        lose(&p);
        gpool_device_desc desc = { .gpu = &p.table, .log = sim_pool_on_log, .log_user = &p };
        gpool_device *device = NULL;
        assert_same(gpool_device_open(&desc, &device), GPOOL_OK);
        gpool_recover_desc how = { .user = &o, .refill_buffer = option_loses };
        assert_same(gpool_recover(p.pool, device, &how, NULL), GPOOL_ERROR_DEVICE_LOST);
        gpool_device_release(p.device);
        p.device = device;
        assert_int_equal(keep_info(&k).dropped, i < 2);
        o.writes = true;
        how.refill_buffer = option_fill;
        assert_int_equal(keep_recover(&p, &how).lost, 0);
        assert_int_equal(o.asked, i < 2 ? 2 : 1);
        keep_send(&k, "recovered");
        follow_end(&p, &k.f);
        sim_pool_close(&p, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(part_of_a_dropped_buffer_is_written_over_its_refill),
        cmocka_unit_test(refill_that_fails_changes_nothing),
        cmocka_unit_test(refill_may_destroy_its_buffer),
        cmocka_unit_test(dropped_content_comes_back_by_its_refill_first),
        cmocka_unit_test(dropped_content_that_nobody_brings_is_lost),
        cmocka_unit_test(what_waits_to_be_sent_is_not_lost),
        cmocka_unit_test(buffer_that_cannot_be_made_keeps_its_bytes_for_a_better_device),
        cmocka_unit_test(refill_of_a_recovery_may_destroy_its_buffer),
        cmocka_unit_test(memory_that_lacks_for_a_refill_is_no_end_of_a_recovery),
        cmocka_unit_test(loss_at_any_call_forgets_nothing),
        cmocka_unit_test(loss_in_a_callback_is_asked_for_again),
    };
    return cmocka_run_group_tests_name("sim_buffer_refill", tests, NULL, NULL);
}
