/* Buffers: resize keeps content and zeros the rest, for shadowed and gpu-written buffers. */
#include "gpu/fixture.h"

#include <string.h>

int gpu_buffers_resize_run(void);

#define READABLE (GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_READ_BACK)
#define LARGEST  5000u

static void fill(uint8_t *bytes, size_t size, uint32_t salt)
{
    for (size_t i = 0; i < size; ++i) {
        bytes[i] = (uint8_t)(i * 11 + salt * 17 + 3);
    }
}

static uint64_t version_of(const fixture *f, gpool_buffer buffer)
{
    gpool_buffer_info info;
    assert_good(gpool_buffer_get_info(f->pool, buffer, &info));
    return info.version;
}

/* Resizes and checks the model: what is in both sizes stays, the rest is zero. */
static void resize_and_check(fixture *f, gpool_buffer buffer, uint8_t *model, uint64_t *size,
                             uint64_t wanted)
{
    uint64_t version = version_of(f, buffer);
    assert_good(gpool_buffer_resize(f->pool, buffer, wanted));
    if (wanted < *size) {
        memset(model + wanted, 0, *size - wanted);
    }
    if (wanted == *size) {
        assert_int_equal(version_of(f, buffer), version);
    } else {
        assert_true(version_of(f, buffer) > version);
    }
    *size = wanted;
    gpool_buffer_info info;
    assert_good(gpool_buffer_get_info(f->pool, buffer, &info));
    assert_int_equal(info.size, wanted);
    assert_buffer(f, buffer, 0, model, wanted);
}

static void resize_through(fixture *f, gpool_buffer_usage usage, const uint64_t *sizes,
                           size_t count)
{
    static uint8_t model[LARGEST];
    memset(model, 0, sizeof model);
    uint64_t size = 100;
    fill(model, size, 1);
    gpool_buffer buffer = fixture_buffer(f, model, size, usage);
    for (size_t i = 0; i < count; ++i) {
        resize_and_check(f, buffer, model, &size, sizes[i]);
    }
}

static const uint64_t even_sizes[] = { 200, 200, 4, 4096, 256, 260, 252, 4100 };
static const uint64_t odd_sizes[] = { 101, 99, 257, 255, 3, 8, 1, 4, 5, 4099, 2, 16 };

static void resize_of_a_shadowed_buffer_keeps_content(void **state)
{
    resize_through(*state, READABLE, even_sizes, sizeof even_sizes / sizeof even_sizes[0]);
}

static void resize_of_a_shadowed_buffer_to_odd_sizes_keeps_content(void **state)
{
    resize_through(*state, READABLE, odd_sizes, sizeof odd_sizes / sizeof odd_sizes[0]);
}

static void resize_of_a_gpu_written_buffer_keeps_content(void **state)
{
    resize_through(*state, READABLE | GPOOL_BUFFER_STORAGE_WRITE, even_sizes,
                   sizeof even_sizes / sizeof even_sizes[0]);
}

static void odd_size_is_refused_where_commands_may_write(void **state)
{
    fixture *f = *state;
    const uint32_t words[4] = { 1, 2, 3, 4 };
    const gpool_buffer_usage usages[] = { GPOOL_BUFFER_STORAGE_WRITE, GPOOL_BUFFER_COPY_TARGET };
    for (int i = 0; i < 2; ++i) {
        gpool_buffer buffer = fixture_buffer(f, words, 16, READABLE | usages[i]);
        assert_result(gpool_buffer_resize(f->pool, buffer, 13), GPOOL_ERROR_MISALIGNED);
        assert_result(gpool_buffer_resize(f->pool, buffer, 17), GPOOL_ERROR_MISALIGNED);
        assert_int_equal(version_of(f, buffer), 1);
        assert_buffer(f, buffer, 0, words, 16);
    }
    fixture_expect(f, GPOOL_LOG_ALIGNMENT, 4);
}

static void resize_keeps_what_commands_wrote(void **state)
{
    fixture *f = *state;
    uint8_t model[64];
    fill(model, sizeof model, 4);
    gpool_buffer source = fixture_buffer(f, model, 32, READABLE);
    gpool_buffer target = fixture_buffer(f, NULL, 32, READABLE | GPOOL_BUFFER_COPY_TARGET);
    assert_good(gpool_begin_frame(f->pool));
    gpool_copy_buffer(gpool_frame_recorder(f->pool), source, 0, target, 0, 32);
    assert_good(gpool_submit(f->pool));
    uint64_t size = 32;
    memset(model + 32, 0, 32);
    resize_and_check(f, target, model, &size, 64);
    resize_and_check(f, target, model, &size, 16);
    assert_good(gpool_end_frame(f->pool));
    assert_buffer(f, target, 0, model, 16);
}

static void upload_then_grow_in_one_frame_keeps_the_upload(void **state)
{
    fixture *f = *state;
    uint8_t model[2000] = { 0 };
    const gpool_buffer_usage usages[] = { READABLE, READABLE | GPOOL_BUFFER_STORAGE_WRITE };
    for (size_t u = 0; u < 2; ++u) {
        gpool_buffer buffer = fixture_buffer(f, NULL, 500, usages[u]);
        fill(model, 500, 6);
        memset(model + 500, 0, sizeof model - 500);
        assert_good(gpool_begin_frame(f->pool));
        assert_good(gpool_buffer_write(f->pool, buffer, 0, model, 500));
        assert_good(gpool_buffer_resize(f->pool, buffer, sizeof model));
        fill(model + 1000, 40, 7);
        assert_good(gpool_buffer_write(f->pool, buffer, 1000, model + 1000, 40));
        assert_good(gpool_end_frame(f->pool));
        assert_buffer(f, buffer, 0, model, sizeof model);
    }
}

static void upload_then_shrink_then_grow_in_one_frame_loses_the_rest(void **state)
{
    fixture *f = *state;
    uint8_t model[600] = { 0 };
    fill(model, 600, 8);
    gpool_buffer buffer = fixture_buffer(f, NULL, 600, READABLE);
    assert_good(gpool_begin_frame(f->pool));
    assert_good(gpool_buffer_write(f->pool, buffer, 0, model, 600));
    assert_good(gpool_buffer_resize(f->pool, buffer, 301));
    assert_good(gpool_buffer_resize(f->pool, buffer, 600));
    assert_good(gpool_end_frame(f->pool));
    memset(model + 301, 0, 600 - 301);
    assert_buffer(f, buffer, 0, model, 600);
}

static void resize_is_refused_while_a_recorder_names_the_buffer(void **state)
{
    fixture *f = *state;
    const uint32_t words[4] = { 1, 2, 3, 4 };
    gpool_buffer source = fixture_buffer(f, words, 16, READABLE);
    gpool_buffer target = fixture_buffer(f, NULL, 16, READABLE | GPOOL_BUFFER_COPY_TARGET);
    assert_good(gpool_begin_frame(f->pool));
    assert_good(gpool_buffer_resize(f->pool, source, 20));
    gpool_copy_buffer(gpool_frame_recorder(f->pool), source, 0, target, 0, 16);
    uint64_t version = version_of(f, source);
    assert_result(gpool_buffer_resize(f->pool, source, 64), GPOOL_ERROR_RECORDED);
    assert_result(gpool_buffer_resize(f->pool, target, 64), GPOOL_ERROR_RECORDED);
    fixture_expect(f, GPOOL_LOG_RECORDED, 2);
    assert_int_equal(version_of(f, source), version);
    assert_good(gpool_submit(f->pool));
    assert_good(gpool_buffer_resize(f->pool, source, 64));
    assert_good(gpool_buffer_resize(f->pool, target, 64));
    assert_good(gpool_end_frame(f->pool));
    assert_buffer(f, target, 0, words, 16);
    assert_buffer(f, source, 0, words, 16);
}

static void resize_past_the_limits_leaves_the_buffer_as_it_was(void **state)
{
    fixture *f = *state;
    gpool_device_info device;
    assert_good(gpool_device_get_info(f->device, &device));
    const uint32_t words[4] = { 1, 2, 3, 4 };
    gpool_buffer buffer = fixture_buffer(f, words, 16, READABLE);
    assert_result(gpool_buffer_resize(f->pool, buffer, 0), GPOOL_ERROR_OUT_OF_RANGE);
    fixture_expect(f, GPOOL_LOG_RANGE, 1);
    assert_result(gpool_buffer_resize(f->pool, buffer, device.limits.maxBufferSize + 1),
                  GPOOL_ERROR_LIMIT);
    assert_result(gpool_buffer_resize(f->pool, buffer, UINT64_MAX), GPOOL_ERROR_LIMIT);
    fixture_expect(f, GPOOL_LOG_LIMIT, 2);
    assert_int_equal(version_of(f, buffer), 1);
    assert_buffer(f, buffer, 0, words, 16);
}

static void resized_away_objects_are_counted_and_freed(void **state)
{
    fixture *f = *state;
    gpool_buffer buffer = fixture_buffer(f, NULL, 1024, READABLE);
    gpool_stats before = fixture_stats(f);
    for (uint64_t i = 0; i < 10; ++i) {
        assert_good(gpool_buffer_resize(f->pool, buffer, 2048 + i * 4));
    }
    gpool_stats stats = fixture_stats(f);
    assert_int_equal(stats.live_count[GPOOL_KIND_BUFFER], 1);
    assert_int_equal(stats.live_bytes[GPOOL_KIND_BUFFER], 2048 + 9 * 4);
    assert_int_equal(stats.retired_count - before.retired_count, 10);
    assert_int_equal(stats.created, before.created);
    for (int i = 0; i < 4; ++i) {
        assert_good(gpool_begin_frame(f->pool));
        assert_good(gpool_end_frame(f->pool));
        assert_good(gpool_wait_idle(f->pool));
    }
    stats = fixture_stats(f);
    assert_int_equal(stats.retired_count, 0);
    assert_int_equal(stats.retired_bytes, 0);
    assert_int_equal(stats.freed, before.freed);
}

int gpu_buffers_resize_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(resize_of_a_shadowed_buffer_keeps_content),
        FIXTURE_TEST(resize_of_a_shadowed_buffer_to_odd_sizes_keeps_content),
        FIXTURE_TEST(resize_of_a_gpu_written_buffer_keeps_content),
        FIXTURE_TEST(odd_size_is_refused_where_commands_may_write),
        FIXTURE_TEST(resize_keeps_what_commands_wrote),
        FIXTURE_TEST(upload_then_grow_in_one_frame_keeps_the_upload),
        FIXTURE_TEST(upload_then_shrink_then_grow_in_one_frame_loses_the_rest),
        FIXTURE_TEST(resize_is_refused_while_a_recorder_names_the_buffer),
        FIXTURE_TEST(resize_past_the_limits_leaves_the_buffer_as_it_was),
        FIXTURE_TEST(resized_away_objects_are_counted_and_freed),
    };
    return FIXTURE_RUN("buffers_resize", tests);
}
