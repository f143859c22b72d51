/* GPOOL_KEEP_DROP on the simulator: when a shadow is there, what is refused without one, faults. */
#include "keep_world.h"

static void shadow_is_there_until_the_submit_that_takes_its_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEEP_EVERY; ++i) {
        sim_pool p;
        keep k;
        keep_open(&p, i);
        keep_make(&k, &p, KEEP_SIZE - 2, FOLLOW_USAGE, true, false);
        assert_int_equal(keep_info(&k).keep, GPOOL_KEEP_DROP);
        for (uint64_t round = 0; round < 4; ++round) {
            assert_int_equal(keep_info(&k).shadow_bytes, KEEP_SIZE);
            assert_false(keep_info(&k).dropped);
            /* In the batch, or written to the queue: not submitted. */
            assert_same(gpool__upload_flush(p.pool), GPOOL_OK);
            assert_int_equal(keep_info(&k).dirty_bytes, 0);
            assert_int_equal(keep_info(&k).shadow_bytes, KEEP_SIZE);
            assert_true(gpool__pool_validate(p.pool));
            uint64_t before = sim_pool_stats(&p).cpu_bytes;
            if (round % 2 == 0) {
                assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
            } else {
                sim_pool_frame(&p);
            }
            keep_is_dropped(&k, "after the submit");
            /* The dirty map goes too: a bit for each 64 bytes, at least. */
            assert_true(before - sim_pool_stats(&p).cpu_bytes >= KEEP_SIZE + KEEP_SIZE / 512);
            keep_write(&k, round);
        }
        follow_end(&p, &k.f);
        sim_pool_close(&p, 0);
    }
}

static void a_submit_of_the_program_takes_queue_writes_along(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEEP_EVERY; ++i) {
        sim_pool p;
        keep k;
        keep_open(&p, i);
        keep_make(&k, &p, KEEP_SIZE, FOLLOW_USAGE, true, false);
        /* Raw access sends by queue writes what the program's own submit may read. */
        assert_non_null(gpool_buffer_gpu(p.pool, k.f.handle, GPOOL_ACCESS_READ));
        WGPUQueue queue = gpool_device_raw_queue(p.device);
        gpool_device_gpu(p.device)->QueueSubmit(queue, 0, NULL);
        assert_same(gpool_note_external_submit(p.pool), GPOOL_OK);
        keep_is_dropped(&k, "after the program's submit");
        follow_end(&p, &k.f);
        sim_pool_close(&p, 0);
    }
}

static void bytes_written_between_flush_and_submit_keep_the_shadow(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEEP_EVERY; ++i) {
        sim_pool p;
        keep k;
        keep_open(&p, i);
        keep_make(&k, &p, KEEP_SIZE, FOLLOW_USAGE, true, false);
        assert_same(gpool__upload_flush(p.pool), GPOOL_OK);
        follow_write(&p, &k.f, 100, 70, 3);
        assert_true(keep_info(&k).dirty_bytes > 0); /* a call: what waits is made */
        assert_same(gpool__submit_writes(p.pool), GPOOL_OK);
        assert_int_equal(keep_info(&k).shadow_bytes, KEEP_SIZE);
        assert_true(keep_info(&k).dirty_bytes > 0);
        keep_send(&k, "the later bytes");
        follow_end(&p, &k.f);
        sim_pool_close(&p, 0);
    }
}

static void buffer_without_data_has_no_shadow_and_takes_parts(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEEP_EVERY; ++i) {
        sim_pool p;
        keep k;
        keep_open(&p, i);
        keep_make(&k, &p, KEEP_SIZE, FOLLOW_USAGE, false, true);
        assert_int_equal(keep_info(&k).shadow_bytes, 0);
        assert_false(keep_info(&k).dropped);
        follow_write(&p, &k.f, 64, 64, 3);
        follow_write(&p, &k.f, 1280, 65, 4);
        follow_write(&p, &k.f, 12800, 65, 5);
        assert_int_equal(keep_info(&k).dirty_bytes, 5 * 64);
        keep_send(&k, "parts of zeros");
        assert_int_equal(k.asked, 0);
        follow_end(&p, &k.f);
        /* Zeros that change nothing are sent all the same, and leave no shadow behind. */
        keep_make(&k, &p, KEEP_SIZE, FOLLOW_USAGE, false, false);
        assert_same(gpool_buffer_write(p.pool, k.f.handle, 64, k.f.bytes, 64), GPOOL_OK);
        keep_send(&k, "zeros");
        follow_end(&p, &k.f);
        sim_pool_close(&p, 0);
    }
}

static void part_of_a_dropped_buffer_is_refused_and_the_whole_is_not(void **state)
{
    (void)state;
    static const uint64_t sizes[] = { 1, 7, 200, 256, 257, KEEP_SIZE };
    for (size_t i = 0; i < KEEP_EVERY * UNIT_COUNT(sizes); ++i) {
        uint64_t size = sizes[i / KEEP_EVERY];
        sim_pool p;
        keep k;
        keep_open(&p, i);
        keep_make(&k, &p, size, FOLLOW_USAGE, true, false);
        keep_send(&k, "created");
        uint64_t before = sim_pool_stats(&p).cpu_bytes;
        uint8_t byte = 1;
        assert_same(gpool_buffer_write(p.pool, k.f.handle, size - 1, &byte, 0), GPOOL_OK);
        if (size > 1) {
            assert_same(gpool_buffer_write(p.pool, k.f.handle, size - 1, &byte, 1),
                        GPOOL_ERROR_NO_SHADOW);
            assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_NO_SHADOW);
            assert_non_null(strstr(gpool_last_error(p.pool)->message, "\"kept\""));
            assert_same(gpool_buffer_write(p.pool, k.f.handle, 0, k.f.bytes, size - 1),
                        GPOOL_ERROR_NO_SHADOW);
            assert_same(gpool_buffer_write_elements(p.pool, k.f.handle, 0, size - 1, 1, k.f.bytes),
                        GPOOL_ERROR_NO_SHADOW);
            static const uint32_t indices[] = { 0, 0 };
            assert_same(
                gpool_buffer_write_scattered(p.pool, k.f.handle, indices, 2, size / 2, k.f.bytes),
                GPOOL_ERROR_NO_SHADOW);
            assert_null(gpool_buffer_edit(p.pool, k.f.handle, 1, size - 1));
            assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_NO_SHADOW);
        }
        assert_int_equal(sim_pool_stats(&p).cpu_bytes, before);
        keep_send(&k, "refused");
        /* All of it, by each call; zeros too, which a new shadow holds already. */
        for (uint64_t seed = 0; seed < 3; ++seed) {
            follow_write(&p, &k.f, 0, size, seed);
            keep_send(&k, "the whole");
        }
        follow_fill(k.f.bytes, size, 8);
        assert_same(
            gpool_buffer_write_scattered(p.pool, k.f.handle, &(uint32_t){ 0 }, 1, size, k.f.bytes),
            GPOOL_OK);
        keep_send(&k, "the one element there is");
        memset(k.f.bytes, 0, size);
        assert_same(gpool_buffer_write(p.pool, k.f.handle, 0, k.f.bytes, size), GPOOL_OK);
        keep_send(&k, "zeros");
        keep_write(&k, 9);
        keep_send(&k, "the whole");
        uint8_t *memory = gpool_buffer_edit(p.pool, k.f.handle, 0, size);
        memset(k.f.bytes, 0, size);
        assert_memory_equal(memory, k.f.bytes, size);
        keep_send(&k, "an edit of nothing");
        follow_end(&p, &k.f);
        sim_pool_close(&p, 0);
    }
}

static void refused_submit_keeps_the_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * KEEP_EVERY; ++i) {
        sim_pool p;
        keep k;
        keep_open(&p, i);
        keep_make(&k, &p, KEEP_SIZE, FOLLOW_USAGE, true, false);
        keep_send(&k, "created");
        for (uint64_t round = 0; round < 4; ++round) {
            keep_write(&k, round);
            sim_fail(p.s, GPOOL_GPU_QueueSubmit, 1, SIM_FAIL_VALIDATION, false);
            if (i < KEEP_EVERY) {
                (void)gpool_process_uploads(p.pool);
            } else {
                assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
                (void)gpool_end_frame(p.pool);
            }
            bool hit = sim_fail_hits(p.s) > 0;
            sim_fail_none(p.s);
            assert_true(hit);
            assert_int_equal(keep_info(&k).shadow_bytes, KEEP_SIZE);
            assert_true(gpool__pool_validate(p.pool));
            keep_send(&k, "after a refused submit");
        }
        follow_end(&p, &k.f);
        sim_pool_close(&p, 0);
    }
}

static void refused_upload_keeps_the_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < KEEP_EVERY; ++i) {
        for (uint64_t nth = 1, hit = 1; hit != 0; ++nth) {
            sim_pool p;
            keep k;
            keep_open(&p, i);
            keep_make(&k, &p, KEEP_SIZE, FOLLOW_USAGE, true, false);
            keep_send(&k, "created");
            keep_write(&k, nth);
            sim_fail(p.s, SIM_ANY_FUNCTION, nth, SIM_FAIL_VALIDATION, false);
            gpool_result result = gpool_process_uploads(p.pool);
            hit = sim_fail_hits(p.s);
            sim_fail_none(p.s);
            assert_true(gpool__pool_validate(p.pool));
            assert_true(result == GPOOL_OK || keep_info(&k).shadow_bytes == KEEP_SIZE);
            keep_send(&k, "after a refused call");
            follow_end(&p, &k.f);
            sim_pool_close(&p, 0);
        }
    }
}

static void shadow_that_memory_lacks_for_is_asked_for_again(void **state)
{
    (void)state;
    for (size_t i = 0; i < 8; ++i) {
        sim_pool p;
        keep k;
        keep_open(&p, i % 2);
        keep_make(&k, &p, KEEP_SIZE, FOLLOW_USAGE, true, i >= 4);
        keep_send(&k, "created");
        uint8_t data[64] = { 1 };
        uint64_t size = i >= 4 ? 64 : KEEP_SIZE;
        uint64_t before = sim_pool_stats(&p).cpu_bytes;
        p.allocator.fail_at = p.allocator.calls + 1 + i / 2 % 2; /* the shadow, the map */
        if (i >= 4) {
            assert_same(gpool_buffer_write(p.pool, k.f.handle, 0, data, size),
                        GPOOL_ERROR_OUT_OF_MEMORY);
        } else {
            assert_null(gpool_buffer_edit(p.pool, k.f.handle, 0, size));
            assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_OUT_OF_MEMORY);
        }
        p.allocator.fail_at = 0;
        assert_int_equal(k.asked, 0);
        assert_int_equal(sim_pool_stats(&p).cpu_bytes, before);
        keep_send(&k, "without memory");
        follow_write(&p, &k.f, 0, size, 1);
        keep_send(&k, "with memory");
        follow_end(&p, &k.f);
        sim_pool_close(&p, 0);
    }
    /* So is the memory of a refill, and of a shadow at creation. */
    for (uint64_t nth = 1; nth <= 5; ++nth) {
        sim_pool p;
        keep_open(&p, nth);
        uint8_t data[100] = { 1 };
        gpool_buffer_desc desc = { .data = data,
                                   .size = sizeof data,
                                   .usage = FOLLOW_USAGE,
                                   .keep = GPOOL_KEEP_DROP,
                                   .refill = keep_fill };
        p.allocator.fail_at = p.allocator.calls + nth;
        gpool_buffer buffer = gpool_buffer_create(p.pool, &desc);
        assert_int_equal(buffer.id, 0);
        assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_OUT_OF_MEMORY);
        p.allocator.fail_at = 0;
        sim_pool_close(&p, 0);
    }
}

static void resize_of_a_dropped_buffer_keeps_its_content(void **state)
{
    (void)state;
    static const uint64_t sizes[] = { 401, 403, 404, 1000, 404, 407, 20000, 60001, 60002, 400 };
    for (size_t i = 0; i < 2 * KEEP_EVERY; ++i) {
        sim_pool p;
        keep k;
        sim_desc desc = { .personality = i % 2 == 0 ? SIM_WGPU_NATIVE : SIM_DAWN };
        sim_pool_open_with(&p, &desc,
                           &(gpool_upload_desc){ .force = (gpool_upload_way)(i / 2 % 5) },
                           (gpool_recycle_desc){ .off = i >= KEEP_EVERY });
        keep_make(&k, &p, 397, i % 4 < 2 ? FOLLOW_USAGE : GPOOL_BUFFER_VERTEX, true, i % 3 == 0);
        keep_send(&k, "created");
        for (size_t n = 0; n < UNIT_COUNT(sizes); ++n) {
            uint8_t *bytes = calloc(1, (size_t)(sizes[n] + 3));
            assert_non_null(bytes);
            memcpy(bytes, k.f.bytes, (size_t)gpool__min(sizes[n], k.f.size));
            free(k.f.bytes);
            k.f.bytes = bytes;
            k.f.size = sizes[n];
            assert_same(gpool_buffer_resize(p.pool, k.f.handle, sizes[n]), GPOOL_OK);
            keep_send(&k, "resized");
            if (n % 3 == 2) {
                keep_write(&k, n);
                keep_send(&k, "written");
            }
            for (uint32_t frame = 0; frame < 5; ++frame) {
                sim_pool_frame(&p);
                assert_same(gpool_wait_idle(p.pool), GPOOL_OK);
            }
        }
        assert_int_equal(sim_pool_stats(&p).recycle_hits > 0, i < KEEP_EVERY);
        assert_same(gpool_buffer_resize(p.pool, k.f.handle, 399), GPOOL_ERROR_MISALIGNED);
        keep_is_dropped(&k, "not resized");
        /* With a shadow it can shrink to any size. */
        keep_write(&k, 77);
        assert_same(gpool_buffer_resize(p.pool, k.f.handle, 399), GPOOL_OK);
        k.f.size = 399;
        k.f.bytes[399] = 0;
        assert_int_equal(keep_info(&k).shadow_bytes, 400);
        keep_send(&k, "shrunk");
        assert_int_equal(k.asked, 0);
        follow_end(&p, &k.f);
        /* Zeros need no copy of the last word. */
        keep_make(&k, &p, 400, FOLLOW_USAGE, false, false);
        assert_same(gpool_buffer_resize(p.pool, k.f.handle, 399), GPOOL_OK);
        assert_same(gpool_buffer_resize(p.pool, k.f.handle, 1001), GPOOL_OK);
        free(k.f.bytes);
        k.f.size = 1001;
        k.f.bytes = calloc(1, 1004);
        assert_non_null(k.f.bytes);
        assert_int_equal(keep_info(&k).shadow_bytes, 0);
        follow_write(&p, &k.f, 990, 10, 3);
        keep_send(&k, "zeros that grew");
        follow_end(&p, &k.f);
        sim_pool_close(&p, 0);
    }
}

static void resize_that_fails_leaves_a_dropped_buffer_as_it_was(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; ++i) {
        for (uint64_t nth = 1, hit = 1; hit != 0; ++nth) {
            sim_pool p;
            keep k;
            keep_open(&p, i);
            keep_make(&k, &p, KEEP_SIZE, FOLLOW_USAGE, true, false);
            keep_send(&k, "created");
            uint64_t version = keep_info(&k).version;
            sim_fail(p.s, SIM_ANY_FUNCTION, nth, SIM_FAIL_OUT_OF_MEMORY, false);
            gpool_result result = gpool_buffer_resize(p.pool, k.f.handle, 2 * KEEP_SIZE);
            hit = sim_fail_hits(p.s);
            sim_fail_none(p.s);
            assert_int_equal(keep_info(&k).version, version + (result == GPOOL_OK ? 1 : 0));
            if (result != GPOOL_OK) {
                keep_send(&k, "not resized");
            }
            follow_end(&p, &k.f);
            sim_pool_close(&p, 0);
        }
    }
}

/* A new buffer gets the object of one that had bytes: it is cleared, without a shadow. */
static void recycled_object_of_a_buffer_without_data_is_zeros(void **state)
{
    (void)state;
    for (size_t i = 0; i < 6; ++i) {
        uint64_t size = i < 2 ? 100 : i < 4 ? 4096 : 100000;
        sim_pool p;
        keep k;
        sim_desc desc = { .personality = i % 2 == 0 ? SIM_WGPU_NATIVE : SIM_DAWN };
        sim_pool_open_with(&p, &desc, &(gpool_upload_desc){ 0 }, (gpool_recycle_desc){ 0 });
        keep_make(&k, &p, size, FOLLOW_USAGE, true, false);
        keep_send(&k, "created");
        follow_end(&p, &k.f);
        assert_same(gpool_wait_idle(p.pool), GPOOL_OK);
        assert_same(gpool_tick(p.pool), GPOOL_OK);
        keep_make(&k, &p, size, FOLLOW_USAGE, false, false);
        assert_int_equal(sim_pool_stats(&p).recycle_hits, 1);
        assert_int_equal(keep_info(&k).shadow_bytes, 0);
        if (i % 2 == 0) {
            follow_write(&p, &k.f, 20, 30, 6);
        }
        assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
        follow_same(&p, &k.f, "recycled");
        follow_end(&p, &k.f);
        sim_pool_close(&p, 0);
    }
}

static void dropped_buffer_may_become_gpu_written(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * KEEP_EVERY; ++i) {
        sim_pool p;
        keep k;
        keep_open(&p, i);
        keep_make(&k, &p, KEEP_SIZE, SIM_POOL_COPYABLE, true, false);
        if (i >= KEEP_EVERY) {
            keep_send(&k, "created");
        }
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        gpool_clear_buffer(gpool_frame_recorder(p.pool), k.f.handle, 400, 80);
        memset(k.f.bytes + 400, 0, 80);
        assert_int_equal(keep_info(&k).shadow_bytes, 0);
        assert_true(keep_info(&k).gpu_written);
        assert_false(keep_info(&k).dropped);
        assert_same(gpool_end_frame(p.pool), GPOOL_OK);
        follow_same(&p, &k.f, "cleared");
        follow_fill(k.f.bytes + 4, 8, 3);
        assert_same(gpool_buffer_write(p.pool, k.f.handle, 4, k.f.bytes + 4, 8), GPOOL_OK);
        assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
        follow_same(&p, &k.f, "written");
        follow_end(&p, &k.f);
        sim_pool_close(&p, 0);
    }
}

static void bytes_of_a_buffer_that_is_destroyed_reach_what_was_recorded(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * KEEP_EVERY; ++i) {
        sim_pool p;
        keep k;
        keep_open(&p, i);
        keep_make(&k, &p, KEEP_SIZE, FOLLOW_USAGE | GPOOL_BUFFER_COPY_SOURCE, true, false);
        follow to = follow_make(&p, KEEP_SIZE, SIM_POOL_COPYABLE, 3);
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        gpool_copy_buffer(gpool_frame_recorder(p.pool), k.f.handle, 0, to.handle, 0, KEEP_SIZE);
        assert_same(gpool__upload_flush(p.pool), GPOOL_OK);
        memcpy(to.bytes, k.f.bytes, KEEP_SIZE);
        follow_end(&p, &k.f);
        if (i >= KEEP_EVERY) {
            sim_fail(p.s, GPOOL_GPU_QueueSubmit, 1, SIM_FAIL_VALIDATION, false);
            (void)gpool_process_uploads(p.pool);
            sim_fail_none(p.s);
        }
        assert_same(gpool_end_frame(p.pool), GPOOL_OK);
        follow_same(&p, &to, "copied");
        follow_end(&p, &to);
        sim_pool_close(&p, 0);
    }
}

static void keep_policies_are_checked_and_told(void **state)
{
    (void)state;
    static const struct {
        gpool_keep keep;
        gpool_buffer_usage usage;
        gpool_keep told;
        bool good;
    } rows[] = {
        { GPOOL_KEEP_AUTO, GPOOL_BUFFER_VERTEX, GPOOL_KEEP_SHADOW, true },
        { GPOOL_KEEP_SHADOW, GPOOL_BUFFER_VERTEX, GPOOL_KEEP_SHADOW, true },
        { GPOOL_KEEP_SHADOW, GPOOL_BUFFER_COPY_TARGET, GPOOL_KEEP_SHADOW, true },
        { GPOOL_KEEP_DROP, GPOOL_BUFFER_VERTEX, GPOOL_KEEP_DROP, true },
        { GPOOL_KEEP_AUTO, GPOOL_BUFFER_STORAGE_WRITE, GPOOL_KEEP_DROP, true },
        { GPOOL_KEEP_DROP, GPOOL_BUFFER_STORAGE_WRITE, GPOOL_KEEP_DROP, true },
        { GPOOL_KEEP_SHADOW, GPOOL_BUFFER_STORAGE_WRITE, 0, false },
        { (gpool_keep)3, GPOOL_BUFFER_VERTEX, 0, false },
        { (gpool_keep)-1, GPOOL_BUFFER_VERTEX, 0, false },
    };
    sim_pool p;
    sim_pool_open(&p, NULL);
    for (size_t i = 0; i < UNIT_COUNT(rows); ++i) {
        gpool_buffer_desc desc = {
            .size = 16, .usage = rows[i].usage, .keep = rows[i].keep, .label = "kept"
        };
        gpool_buffer buffer = gpool_buffer_create(p.pool, &desc);
        assert_true((buffer.id != 0) == rows[i].good);
        if (!rows[i].good) {
            assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_INVALID_ARGUMENT);
            continue;
        }
        gpool_buffer_info info;
        assert_same(gpool_buffer_get_info(p.pool, buffer, &info), GPOOL_OK);
        assert_int_equal(info.keep, rows[i].told);
        assert_int_equal(info.shadow_bytes, info.keep == GPOOL_KEEP_SHADOW ? 16 : 0);
        assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
    }
    sim_pool_close(&p, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shadow_is_there_until_the_submit_that_takes_its_bytes),
        cmocka_unit_test(a_submit_of_the_program_takes_queue_writes_along),
        cmocka_unit_test(bytes_written_between_flush_and_submit_keep_the_shadow),
        cmocka_unit_test(buffer_without_data_has_no_shadow_and_takes_parts),
        cmocka_unit_test(part_of_a_dropped_buffer_is_refused_and_the_whole_is_not),
        cmocka_unit_test(refused_submit_keeps_the_bytes),
        cmocka_unit_test(refused_upload_keeps_the_bytes),
        cmocka_unit_test(shadow_that_memory_lacks_for_is_asked_for_again),
        cmocka_unit_test(resize_of_a_dropped_buffer_keeps_its_content),
        cmocka_unit_test(resize_that_fails_leaves_a_dropped_buffer_as_it_was),
        cmocka_unit_test(recycled_object_of_a_buffer_without_data_is_zeros),
        cmocka_unit_test(dropped_buffer_may_become_gpu_written),
        cmocka_unit_test(bytes_of_a_buffer_that_is_destroyed_reach_what_was_recorded),
        cmocka_unit_test(keep_policies_are_checked_and_told),
    };
    return cmocka_run_group_tests_name("sim_buffer_keep", tests, NULL, NULL);
}
