/* Frames: phases, what an idle one costs, order of submits, pacing, deletions. */
#include "gpu/fixture.h"

#include <string.h>

int gpu_frame_run(void);

#define COPYABLE (GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_READ_BACK)

static void empty_frame(fixture *f)
{
    assert_good(gpool_begin_frame(f->pool));
    assert_good(gpool_end_frame(f->pool));
}

static void phases_are_kept(void **state)
{
    fixture *f = *state;
    assert_int_equal(gpool_frame(f->pool), 0);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_WRONG_PHASE);
    assert_result(gpool_submit(f->pool), GPOOL_ERROR_WRONG_PHASE);
    assert_good(gpool_process_uploads(f->pool));
    assert_good(gpool_process_deletions(f->pool));
    assert_good(gpool_tick(f->pool));
    assert_good(gpool_wait_idle(f->pool));
    assert_good(gpool_begin_frame(f->pool));
    assert_int_equal(gpool_frame(f->pool), 1);
    assert_result(gpool_begin_frame(f->pool), GPOOL_ERROR_WRONG_PHASE);
    assert_int_equal(gpool_frame(f->pool), 1);
    assert_good(gpool_submit(f->pool));
    assert_good(gpool_submit(f->pool));
    assert_good(gpool_end_frame(f->pool));
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_WRONG_PHASE);
    fixture_expect(f, GPOOL_LOG_PHASE, 4);
    assert_int_equal(fixture_stats(f).frame, 1);
    assert_int_equal(fixture_stats(f).submits, 0);
}

static void empty_frames_poll_and_do_nothing_else(void **state)
{
    fixture *f = *state;
    empty_frame(f);
    uint64_t before[GPOOL_GPU_COUNT];
    for (int i = 0; i < GPOOL_GPU_COUNT; ++i) {
        before[i] = gpool_gpu_call_count(f->pool, i);
    }
    for (int i = 0; i < 10; ++i) {
        empty_frame(f);
    }
    for (int i = 0; i < GPOOL_GPU_COUNT; ++i) {
        uint64_t polls = i == GPOOL_GPU_InstanceProcessEvents ? 10 : 0;
        assert_int_equal(gpool_gpu_call_count(f->pool, i) - before[i], polls);
    }
    assert_int_equal(gpool_gpu_call_count(f->pool, -1), 0);
    assert_int_equal(gpool_gpu_call_count(f->pool, GPOOL_GPU_COUNT), 0);
}

static void idle_frame_visits_nothing(void **state)
{
    fixture *f = *state;
    for (uint32_t i = 0; i < 500; ++i) {
        (void)fixture_buffer(f, &i, 4, COPYABLE);
        gpool_texture_desc desc = { .width = 1,
                                    .format = WGPUTextureFormat_RGBA8Unorm,
                                    .usage = GPOOL_TEXTURE_SAMPLED };
        assert_int_not_equal(gpool_texture_create(f->pool, &desc).id, 0);
    }
    empty_frame(f);
    assert_good(gpool_wait_idle(f->pool));
    gpool_stats before = fixture_stats(f);
    assert_int_equal(before.visited, 500); /* the buffers had data */
    for (int i = 0; i < 5; ++i) {
        empty_frame(f);
    }
    gpool_stats after = fixture_stats(f);
    assert_int_equal(after.visited, before.visited);
    assert_int_equal(after.allocations, before.allocations);
    assert_int_equal(after.submits, before.submits);
    assert_int_equal(after.gpu_calls - before.gpu_calls, 5);
    assert_int_equal(after.live_count[GPOOL_KIND_BUFFER], 500);
    assert_int_equal(after.live_count[GPOOL_KIND_TEXTURE], 500);
}

static void each_submit_of_a_frame_sees_the_writes_before_it(void **state)
{
    fixture *f = *state;
    gpool_buffer source = fixture_buffer(f, NULL, 16, COPYABLE);
    gpool_buffer target = fixture_buffer(f, NULL, 64, COPYABLE);
    uint32_t model[16];
    assert_good(gpool_begin_frame(f->pool));
    for (uint32_t i = 0; i < 4; ++i) {
        const uint32_t words[4] = { i, i + 10, i + 20, i + 30 };
        gpool_copy_buffer(gpool_frame_recorder(f->pool), source, 0, target, i * 16, 16);
        assert_good(gpool_buffer_write(f->pool, source, 0, words, 16));
        memcpy(model + (size_t)i * 4, words, 16);
        assert_good(i < 3 ? gpool_submit(f->pool) : gpool_end_frame(f->pool));
    }
    assert_int_equal(fixture_stats(f).submits, 4);
    assert_buffer(f, target, 0, model, sizeof model);
}

static void process_uploads_leaves_the_recorder_alone(void **state)
{
    fixture *f = *state;
    const uint32_t one[4] = { 1, 1, 1, 1 };
    const uint32_t two[4] = { 2, 2, 2, 2 };
    gpool_buffer source = fixture_buffer(f, NULL, 16, COPYABLE);
    gpool_buffer target = fixture_buffer(f, NULL, 16, COPYABLE);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_copy_buffer(rec, source, 0, target, 0, 16);
    assert_good(gpool_buffer_write(f->pool, source, 0, one, 16));
    assert_good(gpool_process_uploads(f->pool));
    assert_int_equal(fixture_stats(f).submits, 1);
    assert_good(gpool_process_uploads(f->pool));
    assert_int_equal(fixture_stats(f).submits, 1); /* nothing dirty, nothing sent */
    assert_buffer(f, source, 0, one, 16);
    const uint32_t none[4] = { 0 };
    assert_buffer(f, target, 0, none, 16);
    assert_int_equal(gpool_frame_recorder(f->pool).generation, rec.generation);
    assert_good(gpool_buffer_write(f->pool, source, 0, two, 16));
    assert_good(gpool_end_frame(f->pool));
    assert_buffer(f, target, 0, two, 16);
}

static void uploads_alone_are_submitted_by_the_frame(void **state)
{
    fixture *f = *state;
    const uint32_t words[4] = { 9, 8, 7, 6 };
    gpool_buffer buffer = fixture_buffer(f, NULL, 16, COPYABLE);
    assert_good(gpool_begin_frame(f->pool));
    assert_good(gpool_buffer_write(f->pool, buffer, 0, words, 16));
    uint64_t serial = gpool_device_submitted(f->device);
    assert_good(gpool_end_frame(f->pool));
    assert_int_equal(gpool_device_submitted(f->device), serial + 1);
    assert_good(gpool_device_wait(f->device, serial + 1, 10000));
    assert_true(gpool_device_done(f->device) >= serial + 1);
    assert_result(gpool_device_wait(f->device, serial + 2, 0), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_buffer(f, buffer, 0, words, 16);
}

/* Copies back and forth: some work for each frame. */
static void busy_frame(fixture *f, gpool_buffer a, gpool_buffer b)
{
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    for (int i = 0; i < 8; ++i) {
        gpool_copy_buffer(rec, a, 0, b, 0, 1 << 20);
        gpool_copy_buffer(rec, b, 0, a, 0, 1 << 20);
    }
    assert_good(gpool_end_frame(f->pool));
}

static void pacing_waits_for_the_frame_that_is_too_far_back(void **state)
{
    fixture *f = *state;
    static const uint32_t limits[] = { 0, 1, 2, 8 };
    for (int l = 0; l < 4; ++l) {
        fixture_use_pool(f, (gpool_desc){ .compile_workers = GPOOL_WORKERS_NONE,
                                          .frames_in_flight = limits[l] });
        uint32_t limit = limits[l] != 0 ? limits[l] : 2;
        gpool_buffer a = fixture_buffer(f, NULL, 1 << 20, COPYABLE);
        gpool_buffer b = fixture_buffer(f, NULL, 1 << 20, COPYABLE);
        uint64_t serials[24] = { 0 };
        for (uint32_t frame = 1; frame < 24; ++frame) {
            busy_frame(f, a, b);
            serials[frame] = gpool_device_submitted(f->device);
            /* That begin_frame let us in means that this one was done. */
            if (frame > limit) {
                assert_true(gpool_device_done(f->device) >= serials[frame - limit]);
            }
        }
    }
    gpool *pool = NULL;
    assert_result(
        gpool_create(f->device,
                     &(gpool_desc){ .compile_workers = GPOOL_WORKERS_NONE, .frames_in_flight = 9 },
                     &pool),
        GPOOL_ERROR_INVALID_ARGUMENT);
    assert_null(pool);
}

static void destroyed_objects_wait_for_the_delay(void **state)
{
    fixture *f = *state;
    static const uint32_t delays[] = { 0, 1, 2, 5, GPOOL_DELAY_NONE };
    for (int d = 0; d < 5; ++d) {
        fixture_use_pool(f, (gpool_desc){ .compile_workers = GPOOL_WORKERS_NONE,
                                          .delete_delay_frames = delays[d] });
        uint32_t delay = delays[d] == GPOOL_DELAY_NONE ? 0 : delays[d] == 0 ? 2 : delays[d];
        gpool_buffer buffer = fixture_buffer(f, NULL, 1000, COPYABLE);
        uint64_t freed = fixture_stats(f).freed;
        assert_good(gpool_begin_frame(f->pool));
        assert_good(gpool_buffer_destroy(f->pool, buffer));
        gpool_stats stats = fixture_stats(f);
        assert_int_equal(stats.live_count[GPOOL_KIND_BUFFER], 0);
        assert_int_equal(stats.retired_count, 1);
        assert_int_equal(stats.retired_bytes, 1000);
        for (uint32_t later = 0; later < delay; ++later) {
            assert_good(gpool_end_frame(f->pool));
            assert_good(gpool_wait_idle(f->pool));
            assert_good(gpool_process_deletions(f->pool));
            assert_int_equal(fixture_stats(f).retired_count, 1);
            assert_good(gpool_begin_frame(f->pool));
        }
        assert_good(gpool_end_frame(f->pool));
        stats = fixture_stats(f);
        assert_int_equal(stats.retired_count, 0);
        assert_int_equal(stats.retired_bytes, 0);
        assert_int_equal(stats.freed, freed + 1);
    }
}

static void destroyed_objects_wait_for_the_gpu(void **state)
{
    fixture *f = *state;
    fixture_use_pool(f, (gpool_desc){ .compile_workers = GPOOL_WORKERS_NONE,
                                      .delete_delay_frames = GPOOL_DELAY_NONE });
    for (int round = 0; round < 10; ++round) {
        gpool_buffer a = fixture_buffer(f, NULL, 1 << 20, COPYABLE);
        gpool_buffer b = fixture_buffer(f, NULL, 1 << 20, COPYABLE);
        busy_frame(f, a, b);
        uint64_t serial = gpool_device_submitted(f->device);
        uint64_t freed = fixture_stats(f).freed;
        assert_good(gpool_buffer_destroy(f->pool, a));
        assert_good(gpool_buffer_destroy(f->pool, b));
        while (fixture_stats(f).freed != freed + 2) {
            assert_int_equal(fixture_stats(f).freed, freed);
            assert_good(gpool_process_deletions(f->pool));
            if (fixture_stats(f).freed != freed) {
                assert_true(gpool_device_done(f->device) >= serial);
            }
            assert_good(gpool_device_poll(f->device));
        }
        assert_int_equal(fixture_stats(f).retired_count, 0);
    }
}

static void destroy_while_recording_waits_for_that_submit(void **state)
{
    fixture *f = *state;
    fixture_use_pool(f, (gpool_desc){ .compile_workers = GPOOL_WORKERS_NONE,
                                      .delete_delay_frames = GPOOL_DELAY_NONE });
    gpool_buffer a = fixture_buffer(f, NULL, 1 << 20, COPYABLE);
    gpool_buffer b = fixture_buffer(f, NULL, 1 << 20, COPYABLE);
    assert_good(gpool_begin_frame(f->pool));
    gpool_copy_buffer(gpool_frame_recorder(f->pool), a, 0, b, 0, 1 << 20);
    assert_good(gpool_buffer_destroy(f->pool, a));
    assert_good(gpool_wait_idle(f->pool));
    assert_good(gpool_process_deletions(f->pool));
    assert_good(gpool_tick(f->pool));
    assert_int_equal(fixture_stats(f).retired_count, 1);
    assert_good(gpool_end_frame(f->pool));
    assert_good(gpool_wait_idle(f->pool));
    assert_good(gpool_process_deletions(f->pool));
    assert_int_equal(fixture_stats(f).retired_count, 0);
}

static void tick_frees_by_serial_without_frames(void **state)
{
    fixture *f = *state;
    fixture_use_pool(
        f, (gpool_desc){ .compile_workers = GPOOL_WORKERS_NONE, .delete_delay_frames = 100 });
    for (int i = 0; i < 20; ++i) {
        gpool_buffer buffer = fixture_buffer(f, &i, 4, COPYABLE);
        assert_good(gpool_process_uploads(f->pool));
        assert_good(gpool_buffer_destroy(f->pool, buffer));
    }
    empty_frame(f);
    assert_int_equal(fixture_stats(f).retired_count, 20);
    assert_good(gpool_wait_idle(f->pool));
    assert_good(gpool_tick(f->pool));
    assert_int_equal(fixture_stats(f).retired_count, 0);
    assert_int_equal(fixture_stats(f).freed, 20);
}

static void a_burst_of_deletions_is_spread_and_finished(void **state)
{
    fixture *f = *state;
    fixture_use_pool(f, (gpool_desc){ .compile_workers = GPOOL_WORKERS_NONE,
                                      .delete_delay_frames = GPOOL_DELAY_NONE });
    static gpool_buffer buffers[3000];
    for (uint32_t i = 0; i < 3000; ++i) {
        buffers[i] = fixture_buffer(f, NULL, 16, COPYABLE);
    }
    for (uint32_t i = 0; i < 3000; ++i) {
        assert_good(gpool_buffer_destroy(f->pool, buffers[i]));
    }
    uint64_t left = 3000;
    for (int i = 0; i < 10 && left > 0; ++i) {
        empty_frame(f);
        uint64_t now = fixture_stats(f).retired_count;
        assert_true(now < left);
        left = now;
    }
    assert_int_equal(left, 0);
}

int gpu_frame_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(phases_are_kept),
        FIXTURE_TEST(empty_frames_poll_and_do_nothing_else),
        FIXTURE_TEST(idle_frame_visits_nothing),
        FIXTURE_TEST(each_submit_of_a_frame_sees_the_writes_before_it),
        FIXTURE_TEST(process_uploads_leaves_the_recorder_alone),
        FIXTURE_TEST(uploads_alone_are_submitted_by_the_frame),
        FIXTURE_TEST(pacing_waits_for_the_frame_that_is_too_far_back),
        FIXTURE_TEST(destroyed_objects_wait_for_the_delay),
        FIXTURE_TEST(destroyed_objects_wait_for_the_gpu),
        FIXTURE_TEST(destroy_while_recording_waits_for_that_submit),
        FIXTURE_TEST(tick_frees_by_serial_without_frames),
        FIXTURE_TEST(a_burst_of_deletions_is_spread_and_finished),
    };
    return FIXTURE_RUN("frame", tests);
}
