/* Uploads when staging comes late or not at all, and when there is no scatter pass. */
#include "follow.h"

#define SIZE 40000u

static void open_forced(sim_pool *p, size_t personality, sim_completion completion,
                        gpool_upload_way way, uint64_t budget)
{
    sim_desc desc = { .personality = personality == 0 ? SIM_WGPU_NATIVE : SIM_DAWN,
                      .completion = completion,
                      .polls = 3 };
    sim_pool_open_upload(p, &desc, &(gpool_upload_desc){ .force = way, .staging_budget = budget });
}

static void refused_maps_cost_a_block_and_no_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; ++i) {
        sim_pool p;
        open_forced(&p, i, SIM_COMPLETE_AT_POLL, GPOOL_UPLOAD_MERGED, 0);
        follow f = follow_make(&p, SIZE, FOLLOW_USAGE, 1);
        sim_fail(p.s, GPOOL_GPU_BufferMapAsync, 1, SIM_FAIL_VALIDATION, true);
        for (uint32_t round = 0; round < 40; ++round) {
            if (round == 20) {
                assert_true(sim_fail_hits(p.s) >= 19);
                sim_fail_none(p.s);
            }
            assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
            follow_same(&p, &f, "refused maps");
            assert_same(follow_explain(&p, &f).way, GPOOL_UPLOAD_MERGED);
            assert_true(sim_pool_stats(&p).staging_bytes <= 3u << 16);
            follow_write(&p, &f, round * 100, 90, round);
            assert_same(gpool_wait_idle(p.pool), GPOOL_OK);
        }
        follow_end(&p, &f);
        sim_pool_close(&p, 0);
    }
}

static void maps_that_come_late_are_used_when_they_come(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; ++i) {
        sim_pool p;
        open_forced(&p, i, SIM_COMPLETE_MANUALLY, GPOOL_UPLOAD_MERGED, 0);
        follow f = follow_make(&p, SIZE, FOLLOW_USAGE, 1);
        uint64_t buffers = 0;
        for (uint32_t round = 0; round < 30; ++round) {
            assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
            follow_same(&p, &f, "late maps");
            follow_write(&p, &f, round * 100, 90, round);
            if (round == 9) {
                buffers = sim_call_count(p.s, GPOOL_GPU_DeviceCreateBuffer);
            }
            if (round >= 9) {
                assert_true(sim_complete(p.s, SIM_ALL));
                assert_same(gpool_tick(p.pool), GPOOL_OK);
            }
        }
        assert_int_equal(sim_pool_stats(&p).staging_bytes, 10u << 16);
        assert_int_equal(sim_call_count(p.s, GPOOL_GPU_DeviceCreateBuffer), buffers);
        sim_set_completion(p.s, SIM_COMPLETE_AT_POLL, 0);
        follow_end(&p, &f);
        sim_pool_close(&p, 0);
    }
}

static void a_map_may_be_answered_when_its_pool_is_gone(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; ++i) {
        sim_pool p;
        open_forced(&p, i % 2, SIM_COMPLETE_MANUALLY, GPOOL_UPLOAD_AUTO, 0);
        gpool *other = NULL;
        gpool_desc desc = { .compile_workers = GPOOL_WORKERS_NONE,
                            .wait_timeout_ms = 1,
                            .upload = { .force = GPOOL_UPLOAD_MERGED },
                            .log = sim_pool_on_log,
                            .log_user = &p };
        assert_same(gpool_create(p.device, &desc, &other), GPOOL_OK);
        static uint8_t bytes[SIZE];
        gpool_buffer buffer = gpool_buffer_create(
            other, &(gpool_buffer_desc){
                       .data = bytes, .size = SIZE, .usage = FOLLOW_USAGE, .label = "other" });
        assert_same(gpool_process_uploads(other), GPOOL_OK);
        assert_same(gpool_buffer_destroy(other, buffer), GPOOL_OK);
        if (i >= 2) {
            assert_true(sim_complete(p.s, SIM_ALL));
        }
        gpool_destroy(other);
        (void)sim_complete(p.s, SIM_ALL);
        sim_set_completion(p.s, SIM_COMPLETE_AT_POLL, 0);
        assert_same(gpool_tick(p.pool), GPOOL_OK);
        assert_same(gpool_tick(p.pool), GPOOL_OK);
        sim_pool_close(&p, 0);
    }
}

/* Bug: the look before the wait was taken for one after it. */
static void a_loss_while_staging_is_waited_for_is_seen_before_the_range_is_asked_for(void **state)
{
    (void)state;
    for (size_t i = 0; i < 8; ++i) {
        sim_pool p;
        open_forced(&p, i % 2, SIM_COMPLETE_AFTER_POLLS, GPOOL_UPLOAD_MERGED, 65536);
        follow f = follow_make(&p, SIZE, FOLLOW_USAGE, 1);
        assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
        follow_write(&p, &f, 100, 90, 1);
        sim_fail(p.s, GPOOL_GPU_InstanceProcessEvents, 1 + i / 2, SIM_FAIL_LOST, false);
        gpool_result result = gpool_process_uploads(p.pool);
        bool hit = sim_fail_hits(p.s) > 0;
        sim_fail_none(p.s);
        assert_same(result, hit ? GPOOL_ERROR_DEVICE_LOST : GPOOL_OK);
        assert_int_equal(sim_untold_count(p.s), 0);
        gpool_device_desc desc = { .gpu = &p.table, .log = sim_pool_on_log, .log_user = &p };
        gpool_device *device = NULL;
        assert_same(gpool_device_open(&desc, &device), GPOOL_OK);
        assert_same(gpool_recover(p.pool, device, NULL, NULL), GPOOL_OK);
        gpool_device_release(p.device);
        p.device = device;
        assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
        follow_same(&p, &f, "recovered");
        follow_end(&p, &f);
        sim_pool_close(&p, 0);
    }
}

/* Bug: a lost Dawn device frees what is mapped, and pieces were still written to it. */
static void nothing_is_written_to_maps_of_a_lost_device(void **state)
{
    (void)state;
    for (size_t i = 0; i < 80; ++i) {
        sim_pool p;
        open_forced(&p, i % 2, SIM_COMPLETE_AT_POLL,
                    i % 4 < 2 ? GPOOL_UPLOAD_MERGED : GPOOL_UPLOAD_SCATTER, 0);
        follow f = follow_make(&p, SIZE, SIM_POOL_COPYABLE, 1);
        follow other = follow_make(&p, SIZE, FOLLOW_USAGE, 1);
        sim_pool_frame(&p);
        sim_fail(p.s, SIM_ANY_FUNCTION, 1 + i / 4, SIM_FAIL_LOST, false);
        (void)gpool_begin_frame(p.pool);
        for (uint64_t k = 0; k < 5; ++k) {
            (void)gpool_buffer_write(p.pool, other.handle, k * 7000, f.bytes, 64);
        }
        gpool_recorder rec = gpool_frame_recorder(p.pool);
        for (uint64_t k = 0; k < 5; ++k) {
            gpool_record_write(rec, f.handle, k * 64, f.bytes, 64);
        }
        (void)gpool_end_frame(p.pool);
        sim_fail_none(p.s);
        follow_end(&p, &f);
        follow_end(&p, &other);
        sim_pool_close(&p, 0);
    }
}

/* The GPU gives nothing back: an error, and all is there when it does. */
static void staging_that_never_comes_back_is_a_timeout(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; ++i) {
        sim_pool p;
        open_forced(&p, i, SIM_COMPLETE_MANUALLY, GPOOL_UPLOAD_MERGED, 65536);
        p.pool->wait_timeout_ns = 1000000;
        follow f = follow_make(&p, SIZE, FOLLOW_USAGE, 1);
        assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
        for (uint32_t round = 0; round < 3; ++round) {
            follow_write(&p, &f, 100 * round, 90, round);
            assert_same(gpool_process_uploads(p.pool), GPOOL_ERROR_TIMEOUT);
            assert_true(follow_explain(&p, &f).dirty_bytes >= 90);
        }
        sim_set_completion(p.s, SIM_COMPLETE_AT_POLL, 0);
        assert_true(sim_complete(p.s, SIM_ALL));
        assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
        follow_same(&p, &f, "after the time-out");
        assert_int_equal(sim_pool_stats(&p).staging_bytes, 65536);
        follow_end(&p, &f);
        sim_pool_close(&p, 0);
    }
}

static void without_a_scatter_pass_bytes_go_another_way_and_it_is_told_once(void **state)
{
    (void)state;
    static const int functions[] = { GPOOL_GPU_DeviceCreateComputePipeline,
                                     GPOOL_GPU_DeviceCreateShaderModule,
                                     GPOOL_GPU_DeviceCreateBindGroupLayout,
                                     GPOOL_GPU_DeviceCreatePipelineLayout, -2 };
    for (size_t i = 0; i < 2 * UNIT_COUNT(functions); ++i) {
        int function = functions[i / 2];
        WGPULimits limits = { .maxStorageBufferBindingSize = function == -2 ? 65532 : 0 };
        sim_desc desc = { .personality = i % 2 == 0 ? SIM_WGPU_NATIVE : SIM_DAWN,
                          .limits = &limits };
        sim_pool p;
        sim_pool_open_upload(&p, &desc, &(gpool_upload_desc){ .force = GPOOL_UPLOAD_SCATTER });
        if (function != -2) {
            sim_fail(p.s, function, 1, SIM_FAIL_VALIDATION, false);
        }
        for (uint32_t k = 0; k < 5; ++k) {
            follow f = follow_make(&p, SIZE, FOLLOW_USAGE, k);
            sim_pool_frame(&p);
            follow_write(&p, &f, 1000, 90, k);
            gpool_upload_info info = follow_explain(&p, &f);
            assert_true(info.ns[GPOOL_UPLOAD_SCATTER] < 0.0f);
            assert_true(info.next != GPOOL_UPLOAD_SCATTER);
            sim_pool_frame(&p);
            follow_same(&p, &f, "without a scatter pass");
            assert_same(follow_explain(&p, &f).reason, GPOOL_UPLOAD_REASON_FASTEST);
            follow_end(&p, &f);
        }
        assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_FALLBACK), 1);
        sim_pool_close(&p, 0);
    }
}

/* Failing again and again gathers no staging: what a dropped encoder took is given back. */
static void uploads_that_fail_hold_no_staging(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; ++i) {
        sim_pool p;
        open_forced(&p, i % 2, SIM_COMPLETE_AT_POLL,
                    i < 2 ? GPOOL_UPLOAD_MERGED : GPOOL_UPLOAD_SCATTER, 0);
        follow f = follow_make(&p, SIZE, FOLLOW_USAGE, 1);
        sim_pool_frame(&p);
        follow_write(&p, &f, 1000, 30000, 3);
        sim_fail(p.s, GPOOL_GPU_CommandEncoderFinish, 1, SIM_FAIL_VALIDATION, true);
        for (uint32_t round = 0; round < 20; ++round) {
            assert_same(gpool_process_uploads(p.pool), GPOOL_ERROR_GPU);
            assert_true(follow_explain(&p, &f).dirty_bytes >= 30000);
        }
        sim_fail_none(p.s);
        assert_true(sim_pool_stats(&p).staging_bytes <= 3u << 16);
        sim_pool_frame(&p);
        follow_same(&p, &f, "after the failures");
        follow_end(&p, &f);
        sim_pool_close(&p, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_maps_cost_a_block_and_no_byte),
        cmocka_unit_test(maps_that_come_late_are_used_when_they_come),
        cmocka_unit_test(a_map_may_be_answered_when_its_pool_is_gone),
        cmocka_unit_test(a_loss_while_staging_is_waited_for_is_seen_before_the_range_is_asked_for),
        cmocka_unit_test(nothing_is_written_to_maps_of_a_lost_device),
        cmocka_unit_test(staging_that_never_comes_back_is_a_timeout),
        cmocka_unit_test(without_a_scatter_pass_bytes_go_another_way_and_it_is_told_once),
        cmocka_unit_test(uploads_that_fail_hold_no_staging),
    };
    return cmocka_run_group_tests_name("sim_upload_faults", tests, NULL, NULL);
}
