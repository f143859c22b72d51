/* Buffers: content at creation, writes of every shape, what is sent for them, imports. */
#include "gpu/fixture.h"

#include <stdlib.h>
#include <string.h>

int gpu_buffers_run(void);

#define READABLE (GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_READ_BACK)

static const uint64_t odd_sizes[] = { 1, 2, 3, 5, 255, 256, 257, 4097 };
#define ODD_COUNT (sizeof odd_sizes / sizeof odd_sizes[0])

static void fill(uint8_t *bytes, size_t size, uint32_t salt)
{
    for (size_t i = 0; i < size; ++i) {
        bytes[i] = (uint8_t)(i * 7 + salt * 13 + 1);
    }
}

static gpool_buffer_info info_of(const fixture *f, gpool_buffer buffer)
{
    gpool_buffer_info info;
    assert_good(gpool_buffer_get_info(f->pool, buffer, &info));
    return info;
}

static void new_buffer_without_data_is_zero(void **state)
{
    fixture *f = *state;
    static const uint8_t zeros[4100];
    const gpool_buffer_usage usages[] = { READABLE, READABLE | GPOOL_BUFFER_STORAGE_WRITE };
    for (size_t u = 0; u < 2; ++u) {
        for (size_t i = 0; i < ODD_COUNT; ++i) {
            /* What commands may write has whole words. */
            uint64_t size = u == 0 ? odd_sizes[i] : (odd_sizes[i] + 3) / 4 * 4;
            gpool_buffer buffer = fixture_buffer(f, NULL, size, usages[u]);
            assert_buffer(f, buffer, 0, zeros, size);
            assert_good(gpool_buffer_destroy(f->pool, buffer));
        }
    }
}

static void new_buffer_with_data_has_it(void **state)
{
    fixture *f = *state;
    uint8_t data[4100];
    const gpool_buffer_usage usages[] = { READABLE, READABLE | GPOOL_BUFFER_STORAGE_WRITE };
    for (size_t u = 0; u < 2; ++u) {
        for (size_t i = 0; i < ODD_COUNT; ++i) {
            fill(data, sizeof data, (uint32_t)i);
            uint64_t size = u == 0 ? odd_sizes[i] : (odd_sizes[i] + 3) / 4 * 4;
            gpool_buffer buffer = fixture_buffer(f, data, size, usages[u]);
            uint8_t before[4100];
            memcpy(before, data, sizeof data);
            memset(data, 0xee, sizeof data); /* it was copied */
            assert_buffer(f, buffer, 0, before, size);
            assert_good(gpool_buffer_destroy(f->pool, buffer));
        }
    }
}

static void odd_size_is_refused_where_commands_may_write(void **state)
{
    fixture *f = *state;
    const gpool_buffer_usage usages[] = { GPOOL_BUFFER_STORAGE_WRITE, GPOOL_BUFFER_COPY_TARGET,
                                          GPOOL_BUFFER_QUERY_TARGET };
    for (uint32_t i = 0; i < 3; ++i) {
        gpool_buffer_desc desc = { .size = 5 + i, .usage = usages[i] | READABLE };
        assert_int_equal(gpool_buffer_create(f->pool, &desc).id, 0);
        assert_int_equal(gpool_last_error(f->pool)->code, GPOOL_ERROR_MISALIGNED);
    }
    fixture_expect(f, GPOOL_LOG_ALIGNMENT, 3);
    assert_int_equal(fixture_stats(f).created, 0);
}

static void whole_write_replaces_all(void **state)
{
    fixture *f = *state;
    uint8_t data[4097];
    for (size_t i = 0; i < ODD_COUNT; ++i) {
        gpool_buffer buffer = fixture_buffer(f, NULL, odd_sizes[i], READABLE);
        fill(data, sizeof data, 40 + (uint32_t)i);
        assert_good(gpool_buffer_write(f->pool, buffer, 0, data, odd_sizes[i]));
        assert_int_not_equal(info_of(f, buffer).dirty_bytes, 0);
        assert_buffer(f, buffer, 0, data, odd_sizes[i]);
        assert_int_equal(info_of(f, buffer).dirty_bytes, 0);
    }
}

/* Every offset 0..7 and size 1..40 from `base`; the read covers all bytes, so also neighbours. */
static void write_every_shape(fixture *f, uint64_t size, uint64_t base)
{
    uint8_t model[1000];
    fill(model, sizeof model, 3);
    gpool_buffer buffer = fixture_buffer(f, model, size, READABLE);
    for (uint32_t offset = 0; offset < 8; ++offset) {
        for (uint32_t count = 1; count <= 40; ++count) {
            uint8_t data[40];
            fill(data, sizeof data, offset * 41 + count);
            memcpy(model + base + offset, data, count);
            assert_good(gpool_buffer_write(f->pool, buffer, base + offset, data, count));
            if (count % 8 == 0 || count < 8) {
                assert_buffer(f, buffer, 0, model, size);
            }
        }
    }
    assert_buffer(f, buffer, 0, model, size);
}

static void write_of_any_shape_spares_neighbours_in_a_small_buffer(void **state)
{
    write_every_shape(*state, 61, 10);
}

static void write_of_any_shape_spares_neighbours_in_a_large_buffer(void **state)
{
    write_every_shape(*state, 999, 501);
}

static void write_of_any_shape_spares_neighbours_at_the_end(void **state)
{
    write_every_shape(*state, 257, 257 - 47);
}

static void read_of_any_shape_gives_the_right_bytes(void **state)
{
    fixture *f = *state;
    uint8_t data[300];
    fill(data, sizeof data, 9);
    gpool_buffer buffer = fixture_buffer(f, data, sizeof data, READABLE);
    for (uint32_t offset = 0; offset < 8; ++offset) {
        for (uint32_t size = 1; size < 24; size += 3) {
            assert_buffer(f, buffer, offset, data + offset, size);
            assert_buffer(f, buffer, 300 - offset - size, data + 300 - offset - size, size);
        }
    }
    assert_good(gpool_buffer_read(f->pool, buffer, 300, NULL, 0));
}

/* Queue writes, copies and dispatches, whatever the plan chose. */
static uint64_t upload_calls(fixture *f)
{
    gpool_stats stats = fixture_stats(f);
    uint64_t sum = 0;
    for (int way = 0; way < GPOOL_UPLOAD_COUNT; ++way) {
        sum += stats.upload_calls[way];
    }
    return sum;
}

static void many_small_neighbouring_writes_are_one_send(void **state)
{
    fixture *f = *state;
    uint8_t model[4096];
    fill(model, sizeof model, 1);
    gpool_buffer buffer = fixture_buffer(f, NULL, sizeof model, READABLE);
    uint64_t calls_before = upload_calls(f);
    uint64_t sent_before = fixture_stats(f).sent_bytes;
    for (uint32_t i = 0; i < sizeof model; i += 4) {
        assert_good(gpool_buffer_write(f->pool, buffer, i, model + i, 4));
    }
    assert_int_equal(upload_calls(f), calls_before);
    assert_good(gpool_process_uploads(f->pool));
    assert_int_equal(upload_calls(f), calls_before + 1);
    assert_int_equal(fixture_stats(f).sent_bytes, sent_before + sizeof model);
    assert_buffer(f, buffer, 0, model, sizeof model);
}

static void far_writes_do_not_become_one_large_send(void **state)
{
    fixture *f = *state;
    const uint64_t size = 4 << 20;
    gpool_buffer buffer = fixture_buffer(f, NULL, size, READABLE);
    gpool_stats before = fixture_stats(f);
    for (uint64_t i = 0; i < 16; ++i) {
        assert_good(gpool_buffer_write(f->pool, buffer, i * (size / 16) + 5, &i, sizeof i));
    }
    assert_good(gpool_process_uploads(f->pool));
    gpool_stats after = fixture_stats(f);
    assert_int_equal(after.written_bytes - before.written_bytes, 16 * sizeof(uint64_t));
    assert_true(after.sent_bytes - before.sent_bytes >= 15 * sizeof(uint64_t));
    assert_true(after.sent_bytes - before.sent_bytes <= 16 * 128);
    for (uint64_t i = 0; i < 16; ++i) {
        uint8_t around[16] = { 0 };
        memcpy(around + 5, &i, sizeof i);
        assert_buffer(f, buffer, i * (size / 16), around, sizeof around);
    }
}

static void equal_small_write_sends_nothing(void **state)
{
    fixture *f = *state;
    uint8_t data[512];
    fill(data, sizeof data, 2);
    gpool_buffer buffer = fixture_buffer(f, data, sizeof data, READABLE);
    assert_good(gpool_process_uploads(f->pool));
    gpool_stats before = fixture_stats(f);
    assert_good(gpool_buffer_write(f->pool, buffer, 17, data + 17, 100));
    assert_int_equal(info_of(f, buffer).dirty_bytes, 0);
    assert_good(gpool_process_uploads(f->pool));
    gpool_stats after = fixture_stats(f);
    assert_int_equal(after.sent_bytes, before.sent_bytes);
    assert_int_equal(after.submits, before.submits);
    assert_int_equal(after.gpu_calls, before.gpu_calls);
    assert_int_equal(after.written_bytes, before.written_bytes + 100);
}

static void small_buffer_is_sent_whole(void **state)
{
    fixture *f = *state;
    uint8_t data[200];
    fill(data, sizeof data, 5);
    gpool_buffer buffer = fixture_buffer(f, data, sizeof data, READABLE);
    assert_good(gpool_process_uploads(f->pool));
    gpool_stats before = fixture_stats(f);
    data[150] ^= 0xff;
    assert_good(gpool_buffer_write(f->pool, buffer, 150, data + 150, 1));
    assert_good(gpool_process_uploads(f->pool));
    assert_int_equal(fixture_stats(f).sent_bytes - before.sent_bytes, sizeof data);
    assert_buffer(f, buffer, 0, data, sizeof data);
}

static void last_write_of_a_byte_wins(void **state)
{
    fixture *f = *state;
    uint8_t model[64] = { 0 };
    gpool_buffer buffer = fixture_buffer(f, NULL, sizeof model, READABLE);
    assert_good(gpool_begin_frame(f->pool));
    for (uint8_t i = 1; i <= 30; ++i) {
        uint8_t data[20];
        memset(data, i, sizeof data);
        memcpy(model + i, data, sizeof data);
        assert_good(gpool_buffer_write(f->pool, buffer, i, data, sizeof data));
    }
    assert_good(gpool_end_frame(f->pool));
    assert_buffer(f, buffer, 0, model, sizeof model);
}

static void write_of_no_bytes_is_nothing(void **state)
{
    fixture *f = *state;
    gpool_buffer buffer = fixture_buffer(f, NULL, 8, READABLE);
    gpool_stats before = fixture_stats(f);
    assert_good(gpool_buffer_write(f->pool, buffer, 8, NULL, 0));
    assert_int_equal(info_of(f, buffer).dirty_bytes, 0);
    assert_int_equal(fixture_stats(f).written_bytes, before.written_bytes);
}

static void write_after_record_is_seen_by_the_recorded_copy(void **state)
{
    fixture *f = *state;
    const uint32_t old_words[4] = { 1, 2, 3, 4 };
    const uint32_t new_words[4] = { 5, 6, 7, 8 };
    gpool_buffer source = fixture_buffer(f, old_words, 16, READABLE);
    gpool_buffer target = fixture_buffer(f, NULL, 16, READABLE | GPOOL_BUFFER_COPY_TARGET);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_copy_buffer(rec, source, 0, target, 0, 16);
    assert_good(gpool_buffer_write(f->pool, source, 0, new_words, 16));
    assert_good(gpool_end_frame(f->pool));
    assert_buffer(f, target, 0, new_words, 16);
}

static void copy_target_becomes_gpu_written_with_its_pending_bytes(void **state)
{
    fixture *f = *state;
    uint8_t model[64];
    fill(model, sizeof model, 8);
    const uint32_t words[2] = { 0xaabbccdd, 0x11223344 };
    gpool_buffer source = fixture_buffer(f, words, 8, READABLE);
    gpool_buffer target = fixture_buffer(f, NULL, 64, READABLE | GPOOL_BUFFER_COPY_TARGET);
    assert_false(info_of(f, target).gpu_written);
    assert_good(gpool_begin_frame(f->pool));
    assert_good(gpool_buffer_write(f->pool, target, 0, model, 64));
    gpool_copy_buffer(gpool_frame_recorder(f->pool), source, 0, target, 8, 8);
    assert_true(info_of(f, target).gpu_written);
    assert_int_equal(info_of(f, target).dirty_bytes, 0);
    /* Before the submit, so the recorded copy still wins where the two meet. */
    const uint32_t write[3] = { 7, 8, 9 };
    assert_good(gpool_buffer_write(f->pool, target, 12, write, 12));
    assert_good(gpool_end_frame(f->pool));
    memcpy(model + 12, write, 12);
    memcpy(model + 8, words, 8);
    assert_buffer(f, target, 0, model, 64);
    /* Now an equal write counts: the shadow is gone, so nothing can be compared. */
    assert_good(gpool_buffer_write(f->pool, target, 8, words, 4));
    assert_buffer(f, target, 0, model, 64);
    assert_result(gpool_buffer_write(f->pool, target, 2, words, 4), GPOOL_ERROR_MISALIGNED);
    assert_result(gpool_buffer_write(f->pool, target, 4, words, 3), GPOOL_ERROR_MISALIGNED);
    fixture_expect(f, GPOOL_LOG_ALIGNMENT, 2);
    assert_buffer(f, target, 0, model, 64);
}

static void info_tells_what_a_buffer_is(void **state)
{
    fixture *f = *state;
    assert_good(gpool_begin_frame(f->pool));
    gpool_buffer_desc desc = { .size = 13, .usage = GPOOL_BUFFER_VERTEX, .label = "thirteen" };
    gpool_buffer buffer = gpool_buffer_create(f->pool, &desc);
    gpool_buffer_info info = info_of(f, buffer);
    assert_int_equal(info.size, 13);
    assert_int_equal(info.gpu_size, 16);
    assert_int_equal(info.usage, GPOOL_BUFFER_VERTEX);
    assert_true((info.gpu_usage & WGPUBufferUsage_Vertex) != 0);
    assert_int_equal(info.version, 1);
    assert_int_equal(info.created_frame, 1);
    assert_int_equal(info.dirty_bytes, 0);
    assert_false(info.gpu_written || info.imported || info.failed);
    assert_string_equal(info.label, "thirteen");
    gpool_stats stats = fixture_stats(f);
    assert_int_equal(stats.live_count[GPOOL_KIND_BUFFER], 1);
    assert_int_equal(stats.live_bytes[GPOOL_KIND_BUFFER], 16);
    assert_good(gpool_buffer_write(f->pool, buffer, 3, "x", 1));
    assert_true(info_of(f, buffer).dirty_bytes > 0);
    assert_good(gpool_end_frame(f->pool));
    assert_good(gpool_buffer_destroy(f->pool, buffer));
    assert_int_equal(fixture_stats(f).live_bytes[GPOOL_KIND_BUFFER], 0);
}

static void raw_object_has_the_bytes_written_before(void **state)
{
    fixture *f = *state;
    const gpool_gpu *gpu = gpool_device_gpu(f->device);
    const uint32_t words[4] = { 11, 12, 13, 14 };
    gpool_buffer source = fixture_buffer(f, NULL, 16, READABLE);
    gpool_buffer target = fixture_buffer(f, NULL, 16, READABLE | GPOOL_BUFFER_COPY_TARGET);
    assert_good(gpool_buffer_write(f->pool, source, 0, words, 16));
    WGPUBuffer from = gpool_buffer_gpu(f->pool, source, GPOOL_ACCESS_READ);
    WGPUBuffer to = gpool_buffer_gpu(f->pool, target, GPOOL_ACCESS_WRITE);
    assert_non_null(from);
    assert_non_null(to);
    assert_false(info_of(f, source).gpu_written);
    assert_true(info_of(f, target).gpu_written);
    WGPUCommandEncoder encoder = gpu->DeviceCreateCommandEncoder(gpool_device_raw(f->device), NULL);
    gpu->CommandEncoderCopyBufferToBuffer(encoder, from, 0, to, 0, 16);
    WGPUCommandBuffer commands = gpu->CommandEncoderFinish(encoder, NULL);
    gpu->QueueSubmit(gpool_device_raw_queue(f->device), 1, &commands);
    assert_good(gpool_note_external_submit(f->pool));
    gpu->CommandBufferRelease(commands);
    gpu->CommandEncoderRelease(encoder);
    assert_buffer(f, target, 0, words, 16);
}

static void imported_buffer_works_and_outlives_its_handle(void **state)
{
    fixture *f = *state;
    const gpool_gpu *gpu = gpool_device_gpu(f->device);
    WGPUBufferDescriptor raw_desc = { .usage = WGPUBufferUsage_CopySrc | WGPUBufferUsage_CopyDst,
                                      .size = 32 };
    WGPUBuffer raw = gpu->DeviceCreateBuffer(gpool_device_raw(f->device), &raw_desc);
    gpool_buffer_import_desc desc = { .buffer = raw,
                                      .usage = READABLE | GPOOL_BUFFER_COPY_TARGET,
                                      .label = "foreign" };
    const uint32_t words[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
    gpool_buffer buffer = gpool_buffer_import(f->pool, &desc);
    gpool_buffer_info info = info_of(f, buffer);
    assert_true(info.imported && info.gpu_written);
    assert_int_equal(info.size, 32);
    assert_good(gpool_buffer_write(f->pool, buffer, 0, words, 32));
    assert_buffer(f, buffer, 0, words, 32);
    assert_result(gpool_buffer_resize(f->pool, buffer, 64), GPOOL_ERROR_UNSUPPORTED);
    fixture_expect(f, GPOOL_LOG_UNSUPPORTED, 1);
    assert_good(gpool_buffer_destroy(f->pool, buffer));

    desc.this_frame = true;
    gpool_buffer none = gpool_buffer_import(f->pool, &desc);
    assert_int_equal(none.id, 0);
    fixture_expect(f, GPOOL_LOG_PHASE, 1);
    desc.usage |= GPOOL_BUFFER_VERTEX;
    none = gpool_buffer_import(f->pool, &desc);
    assert_int_equal(none.id, 0);
    fixture_expect(f, GPOOL_LOG_PHASE, 1);
    assert_good(gpool_begin_frame(f->pool));
    none = gpool_buffer_import(f->pool, &desc); /* the object has no Vertex usage */
    assert_int_equal(none.id, 0);
    fixture_expect(f, GPOOL_LOG_USAGE, 1);
    desc.usage = READABLE;
    gpool_buffer now = gpool_buffer_import(f->pool, &desc);
    assert_buffer(f, now, 0, words, 32);
    assert_good(gpool_end_frame(f->pool));
    assert_result(gpool_buffer_get_info(f->pool, now, &info), GPOOL_ERROR_STALE_HANDLE);
    fixture_expect(f, GPOOL_LOG_HANDLE_STALE, 1);
    assert_int_equal(gpu->BufferGetSize(raw), 32);
    gpu->BufferRelease(raw);
}

int gpu_buffers_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(new_buffer_without_data_is_zero),
        FIXTURE_TEST(new_buffer_with_data_has_it),
        FIXTURE_TEST(odd_size_is_refused_where_commands_may_write),
        FIXTURE_TEST(whole_write_replaces_all),
        FIXTURE_TEST(write_of_any_shape_spares_neighbours_in_a_small_buffer),
        FIXTURE_TEST(write_of_any_shape_spares_neighbours_in_a_large_buffer),
        FIXTURE_TEST(write_of_any_shape_spares_neighbours_at_the_end),
        FIXTURE_TEST(read_of_any_shape_gives_the_right_bytes),
        FIXTURE_TEST(many_small_neighbouring_writes_are_one_send),
        FIXTURE_TEST(far_writes_do_not_become_one_large_send),
        FIXTURE_TEST(equal_small_write_sends_nothing),
        FIXTURE_TEST(small_buffer_is_sent_whole),
        FIXTURE_TEST(last_write_of_a_byte_wins),
        FIXTURE_TEST(write_of_no_bytes_is_nothing),
        FIXTURE_TEST(write_after_record_is_seen_by_the_recorded_copy),
        FIXTURE_TEST(copy_target_becomes_gpu_written_with_its_pending_bytes),
        FIXTURE_TEST(info_tells_what_a_buffer_is),
        FIXTURE_TEST(raw_object_has_the_bytes_written_before),
        FIXTURE_TEST(imported_buffer_works_and_outlives_its_handle),
    };
    return FIXTURE_RUN("buffers", tests);
}
