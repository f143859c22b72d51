/*
 * The traps of order: what is written first is on the GPU first, whichever way it goes. Each on both
 * implementations and by every way.
 */
#include "follow.h"

static const gpool_upload_way ways[] = { GPOOL_UPLOAD_AUTO, GPOOL_UPLOAD_DIRECT,
                                         GPOOL_UPLOAD_MERGED, GPOOL_UPLOAD_SCATTER,
                                         GPOOL_UPLOAD_WHOLE };

#define EVERY   10u
#define SIZE    40000u
#define COPYING (SIM_POOL_COPYABLE | GPOOL_BUFFER_STORAGE)

static void open_every(sim_pool *p, size_t i, uint64_t budget)
{
    sim_desc desc = { .personality = i % 2 == 0 ? SIM_WGPU_NATIVE : SIM_DAWN };
    gpool_upload_desc upload = { .force = ways[i / 2], .staging_budget = budget };
    sim_pool_open_upload(p, &desc, &upload);
}

static gpool_recorder begin(sim_pool *p)
{
    assert_same(gpool_begin_frame(p->pool), GPOOL_OK);
    return gpool_frame_recorder(p->pool);
}

static void end(sim_pool *p)
{
    assert_same(gpool_end_frame(p->pool), GPOOL_OK);
}

/* Writes bytes in the recorder and follows them. */
static void record(sim_pool *p, gpool_recorder rec, follow *f, uint64_t offset, uint64_t size,
                   uint64_t seed)
{
    (void)p;
    follow_fill(f->bytes + offset, size, seed);
    gpool_record_write(rec, f->handle, offset, f->bytes + offset, size);
}

static void written_bytes_survive_a_resize_in_the_same_frame(void **state)
{
    (void)state;
    static const uint64_t sizes[] = { SIZE, 3 * SIZE, 20000, 300, 100, SIZE + 4 };
    for (size_t i = 0; i < EVERY; ++i) {
        sim_pool p;
        open_every(&p, i, 0);
        follow f = follow_make(&p, SIZE, FOLLOW_USAGE, 1);
        sim_pool_frame(&p);
        for (size_t k = 1; k < UNIT_COUNT(sizes); ++k) {
            assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
            follow_write(&p, &f, 50, 40, k);
            if (k % 2 == 0) {
                /* Sent to the old object, then the rest waits when it goes. */
                assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
                follow_write(&p, &f, 10, 60, k);
            }
            assert_same(gpool_buffer_resize(p.pool, f.handle, sizes[k]), GPOOL_OK);
            f.bytes = realloc(f.bytes, sizes[k]);
            assert_non_null(f.bytes);
            if (sizes[k] > f.size) {
                memset(f.bytes + f.size, 0, sizes[k] - f.size);
            }
            f.size = sizes[k];
            follow_write(&p, &f, f.size - 13, 13, k);
            end(&p);
            follow_same(&p, &f, "resized");
        }
        follow_end(&p, &f);
        sim_pool_close(&p, 0);
    }
}

/* The upload is in the batch only, when the buffer is replaced and its old object retired. */
static void a_resize_while_the_batch_writes_the_old_object(void **state)
{
    (void)state;
    for (size_t i = 0; i < EVERY; ++i) {
        sim_pool p;
        open_every(&p, i, 0);
        follow f = follow_make(&p, SIZE, FOLLOW_USAGE, 1);
        follow other = follow_make(&p, SIZE, SIM_POOL_COPYABLE, 2);
        sim_pool_frame(&p);
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        follow_write(&p, &f, 64, 64, 3);
        assert_same(gpool__upload_flush(p.pool), GPOOL_OK);
        assert_same(gpool_buffer_resize(p.pool, f.handle, 2 * SIZE), GPOOL_OK);
        (void)gpool_process_deletions(p.pool);
        f.bytes = realloc(f.bytes, 2 * SIZE);
        assert_non_null(f.bytes);
        memset(f.bytes + SIZE, 0, SIZE);
        f.size = 2 * SIZE;
        follow_write(&p, &f, 80, 64, 4);
        follow_write(&p, &other, 0, 9, 5);
        end(&p);
        follow_same(&p, &f, "resized");
        follow_same(&p, &other, "another");
        follow_end(&p, &f);
        follow_end(&p, &other);
        sim_pool_close(&p, 0);
    }
}

/* Each copy out of the buffer sees the bytes recorded just before it. */
static void recorded_writes_take_turns_with_copies(void **state)
{
    (void)state;
    for (size_t i = 0; i < EVERY; ++i) {
        sim_pool p;
        open_every(&p, i, 0);
        follow f = follow_make(&p, SIZE, COPYING, 1);
        follow seen = follow_make(&p, SIZE, SIM_POOL_COPYABLE, 2);
        for (uint32_t frame = 0; frame < 6; ++frame) {
            gpool_recorder rec = begin(&p);
            /* Before the first recorded write commands see the content, with the shadow's bytes. */
            if (frame == 0) {
                follow_write(&p, &f, 1000, 64, 77);
            }
            gpool_copy_buffer(rec, f.handle, 1000, seen.handle, 0, 64);
            memcpy(seen.bytes, f.bytes + 1000, 64);
            for (uint64_t k = 1; k < 20; ++k) {
                record(&p, rec, &f, 1000, 64, frame * 100 + k);
                gpool_copy_buffer(rec, f.handle, 1000, seen.handle, k * 64, 64);
                memcpy(seen.bytes + k * 64, f.bytes + 1000, 64);
            }
            end(&p);
            follow_same(&p, &f, "written");
            follow_same(&p, &seen, "copied");
        }
        follow_end(&p, &f);
        follow_end(&p, &seen);
        sim_pool_close(&p, 0);
    }
}

/* The shadow's flush is in the batch; then a queue write of newer bytes to the same place. */
static void a_queue_write_does_not_overtake_the_batch(void **state)
{
    (void)state;
    for (size_t i = 0; i < EVERY; ++i) {
        sim_pool p;
        open_every(&p, i, 0);
        follow f = follow_make(&p, SIZE, COPYING, 1);
        follow bystander = follow_make(&p, SIZE, FOLLOW_USAGE, 2);
        follow seen = follow_make(&p, 1024, SIM_POOL_COPYABLE, 2);
        sim_pool_frame(&p);
        gpool_recorder rec = begin(&p);
        follow_write(&p, &f, 640, 256, 3);
        follow_write(&p, &bystander, 640, 256, 3);
        /* Becomes gpu-written with dirty bytes. */
        record(&p, rec, &f, 0, 64, 4);
        /* Newer than the flush, before the recording. */
        follow_fill(f.bytes + 640, 128, 5);
        assert_same(gpool_buffer_write(p.pool, f.handle, 640, f.bytes + 640, 128), GPOOL_OK);
        /* An internal submit in the middle of the recording. */
        uint8_t byte = 0;
        assert_same(gpool_buffer_read(p.pool, bystander.handle, 640, &byte, 1), GPOOL_OK);
        assert_int_equal(byte, bystander.bytes[640]);
        follow_fill(f.bytes + 768, 64, 6);
        assert_same(gpool_buffer_write(p.pool, f.handle, 768, f.bytes + 768, 64), GPOOL_OK);
        gpool_copy_buffer(rec, f.handle, 640, seen.handle, 0, 256);
        memcpy(seen.bytes, f.bytes + 640, 256);
        end(&p);
        follow_same(&p, &f, "gpu-written");
        follow_same(&p, &bystander, "bystander");
        follow_same(&p, &seen, "seen by the recording");
        follow_end(&p, &f);
        follow_end(&p, &bystander);
        follow_end(&p, &seen);
        sim_pool_close(&p, 0);
    }
}

/* Two flushes before one submit: the second must not go by the queue if the first is in the batch. */
static void a_second_flush_does_not_overtake_the_first(void **state)
{
    (void)state;
    for (size_t i = 0; i < EVERY; ++i) {
        sim_pool p;
        open_every(&p, i, 0);
        follow f = follow_make(&p, SIZE, FOLLOW_USAGE, 1);
        sim_pool_frame(&p);
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        for (uint64_t k = 0; k < 6; ++k) {
            follow_write(&p, &f, 640 - k * 10, 256, 3 + k);
            assert_same(gpool__upload_flush(p.pool), GPOOL_OK);
        }
        end(&p);
        follow_same(&p, &f, "flushed six times");
        follow_end(&p, &f);
        sim_pool_close(&p, 0);
    }
}

/* The first goes by the batch, as it has many ranges; the second has one and would go by the queue. */
static void a_flush_by_the_queue_does_not_overtake_one_by_the_batch(void **state)
{
    (void)state;
    static const gpool_upload_costs costs = { .write_call = 1000.0f,
                                              .write_byte = 1.0f,
                                              .stage_fixed = 1500.0f,
                                              .copy_call = 1.0f,
                                              .copy_byte = 1.0f,
                                              .scatter_fixed = 1e9f };
    for (size_t i = 0; i < 2; ++i) {
        sim_pool p;
        sim_desc desc = { .personality = i == 0 ? SIM_WGPU_NATIVE : SIM_DAWN };
        sim_pool_open_upload(&p, &desc, &(gpool_upload_desc){ .costs = &costs });
        follow f = follow_make(&p, SIZE, FOLLOW_USAGE, 1);
        sim_pool_frame(&p);
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        for (uint64_t k = 0; k < 10; ++k) {
            follow_write(&p, &f, k * 3000, 64, k);
        }
        assert_same(follow_explain(&p, &f).next, GPOOL_UPLOAD_MERGED);
        assert_same(gpool__upload_flush(p.pool), GPOOL_OK);
        follow_write(&p, &f, 3000, 64, 77);
        assert_same(gpool__upload_flush(p.pool), GPOOL_OK);
        end(&p);
        follow_same(&p, &f, "flushed by two ways");
        follow_end(&p, &f);
        sim_pool_close(&p, 0);
    }
}

/* Bug: staging ended in the middle of a buffer, the rest went by the queue, and the next bytes too:
 * they overtook what the encoder had taken before. */
static void newer_bytes_do_not_overtake_what_an_encoder_took_before_staging_ended(void **state)
{
    (void)state;
    for (size_t i = 4; i < 8; ++i) {
        sim_pool p;
        open_every(&p, i, 65536);
        follow f = follow_make(&p, 400000, COPYING, 1);
        follow large = follow_make(&p, 4 * SIZE, FOLLOW_USAGE, 1);
        sim_pool_frame(&p);
        assert_same(gpool_wait_idle(p.pool), GPOOL_OK);
        gpool_recorder rec = begin(&p);
        /* Far apart, so that they are pieces; together more than the budget. */
        for (uint64_t k = 0; k < 10; ++k) {
            follow_write(&p, &f, k * 40000, 9000, k + 3);
        }
        assert_same(gpool__upload_flush(p.pool), GPOOL_OK);
        assert_same(follow_explain(&p, &f).reason, GPOOL_UPLOAD_REASON_BUDGET);
        follow_write(&p, &f, 100, 50, 20);
        assert_same(gpool__upload_flush(p.pool), GPOOL_OK);
        end(&p);
        follow_same(&p, &f, "flushed again");

        rec = begin(&p);
        for (uint64_t k = 0; k < 10; ++k) {
            follow_write(&p, &f, k * 40000, 9000, k + 30);
        }
        gpool_clear_buffer(rec, f.handle, 4, 4);
        memset(f.bytes + 4, 0, 4);
        follow_fill(f.bytes + 100, 48, 9);
        assert_same(gpool_buffer_write(p.pool, f.handle, 100, f.bytes + 100, 48), GPOOL_OK);
        end(&p);
        follow_same(&p, &f, "gpu-written since");
        follow_end(&p, &f);
        follow_end(&p, &large);
        sim_pool_close(&p, 0);
    }
}

/* The read submits; what the open recording copies from stays mapped, and is filled further. */
static void a_read_in_an_open_recording_leaves_its_staging_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < EVERY; ++i) {
        sim_pool p;
        open_every(&p, i, 0);
        follow f = follow_make(&p, SIZE, COPYING, 1);
        follow other = follow_make(&p, SIZE, COPYING, 2);
        uint8_t *got = malloc(SIZE);
        assert_non_null(got);
        sim_pool_frame(&p);
        for (uint32_t frame = 0; frame < 4; ++frame) {
            gpool_recorder rec = begin(&p);
            for (uint64_t k = 0; k < 8; ++k) {
                record(&p, rec, &f, k * 4096, 4096, frame + k);
                if (frame < 2) {
                    follow_write(&p, &other, 100 * k, 64, frame + k);
                }
                uint64_t unmaps = sim_call_count(p.s, GPOOL_GPU_BufferUnmap);
                assert_same(gpool_buffer_read(p.pool, other.handle, 0, got, SIZE), GPOOL_OK);
                assert_memory_equal(got, other.bytes, SIZE);
                /* The read's own, and what carried the upload. */
                assert_true(sim_call_count(p.s, GPOOL_GPU_BufferUnmap) - unmaps <= 2);
            }
            end(&p);
            follow_same(&p, &f, "recorded");
        }
        free(got);
        follow_end(&p, &f);
        follow_end(&p, &other);
        sim_pool_close(&p, 0);
    }
}

static void a_buffer_destroyed_after_write_and_record_is_seen_with_its_bytes(void **state)
{
    (void)state;
    for (size_t i = 0; i < EVERY; ++i) {
        sim_pool p;
        open_every(&p, i, 0);
        follow seen = follow_make(&p, SIZE, SIM_POOL_COPYABLE, 2);
        for (uint32_t frame = 0; frame < 6; ++frame) {
            follow f = follow_make(&p, SIZE, COPYING, 1);
            if (frame % 2 != 0) {
                sim_pool_frame(&p); /* the first content is there */
            }
            gpool_recorder rec = begin(&p);
            follow_write(&p, &f, 128, 64, frame);
            gpool_copy_buffer(rec, f.handle, 0, seen.handle, 0, SIZE);
            memcpy(seen.bytes, f.bytes, SIZE);
            if (frame % 3 == 0) {
                record(&p, rec, &f, 256, 64, frame);
                gpool_copy_buffer(rec, f.handle, 256, seen.handle, 0, 64);
                memcpy(seen.bytes, f.bytes + 256, 64);
            } else {
                follow_write(&p, &f, 200, 64, frame + 9);
                memcpy(seen.bytes + 200, f.bytes + 200, 64);
            }
            follow_end(&p, &f);
            end(&p);
            follow_same(&p, &seen, "copied from the dead");
        }
        follow_end(&p, &seen);
        sim_pool_close(&p, 0);
    }
}

/* Bug: what a raw holder may read was left in the batch when its buffer was destroyed. */
static void a_raw_holder_sees_what_was_dirty_when_the_buffer_was_destroyed(void **state)
{
    (void)state;
    for (size_t i = 0; i < EVERY; ++i) {
        sim_pool p;
        open_every(&p, i, 0);
        follow f = follow_make(&p, SIZE, FOLLOW_USAGE, 1);
        sim_pool_frame(&p);
        WGPUBuffer gpu = gpool_buffer_gpu(p.pool, f.handle, GPOOL_ACCESS_READ);
        assert_non_null(gpu);
        p.table.BufferAddRef(gpu);
        follow_write(&p, &f, 128, 64, 7);
        assert_same(gpool_buffer_destroy(p.pool, f.handle), GPOOL_OK);
        /* The holder's own submit, which carries queue writes, too. */
        p.table.QueueSubmit(gpool_device_raw_queue(p.device), 0, NULL);
        assert_same(gpool_note_external_submit(p.pool), GPOOL_OK);
        uint8_t got[64];
        assert_true(sim_read_buffer(p.s, gpu, 128, got, 64));
        assert_memory_equal(got, f.bytes + 128, 64);
        p.table.BufferRelease(gpu);
        free(f.bytes);
        sim_pool_close(&p, 0);
    }
}

/* Bug: the shadow was gone before the bytes were copied. */
static void a_recorded_write_may_take_its_bytes_from_the_shadow(void **state)
{
    (void)state;
    for (size_t i = 0; i < EVERY; ++i) {
        sim_pool p;
        open_every(&p, i, 0);
        follow f = follow_make(&p, SIZE, COPYING, 1);
        sim_pool_frame(&p);
        gpool_recorder rec = begin(&p);
        const uint8_t *shadow = gpool_buffer_edit(p.pool, f.handle, 0, 64);
        assert_non_null(shadow);
        gpool_record_write(rec, f.handle, 128, shadow, 64);
        memcpy(f.bytes + 128, f.bytes, 64);
        end(&p);
        follow_same(&p, &f, "from the shadow");
        follow_end(&p, &f);
        sim_pool_close(&p, 0);
    }
}

/* A recording that is dropped gives its staging back, and the next one has it. */
static void a_dropped_recording_gives_its_staging_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < EVERY; ++i) {
        sim_pool p;
        open_every(&p, i, 4u << 16);
        follow f = follow_make(&p, SIZE, COPYING, 1);
        follow shadowed = follow_make(&p, SIZE, FOLLOW_USAGE, 2);
        sim_pool_frame(&p);
        uint64_t most = 0;
        /* Then the uploads' encoder is finished before the recorder's. */
        bool staged = i / 2 == 2 || i / 2 == 3 || i == 9;
        for (uint32_t frame = 0; frame < 12; ++frame) {
            gpool_recorder rec = begin(&p);
            follow_write(&p, &shadowed, frame * 100, 64, frame);
            if (frame % 2 == 0) {
                uint8_t bytes[SIZE];
                follow_fill(bytes, SIZE, frame);
                gpool_record_write(rec, f.handle, 0, bytes, SIZE);
                sim_fail(p.s, GPOOL_GPU_CommandEncoderFinish, staged ? 2 : 1, SIM_FAIL_VALIDATION,
                         false);
                assert_same(gpool_end_frame(p.pool), GPOOL_ERROR_GPU);
                assert_int_equal(sim_fail_hits(p.s), 1);
                sim_fail_none(p.s);
                /* Where the plan staged the upload, its Finish was the one that failed: it stayed dirty. */
                assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
                assert_same(gpool_wait_idle(p.pool), GPOOL_OK);
            } else {
                record(&p, rec, &f, 0, SIZE, frame);
                end(&p);
            }
            follow_same(&p, &f, "recorded");
            follow_same(&p, &shadowed, "beside a dropped recording");
            most = frame == 3 ? sim_pool_stats(&p).staging_bytes : most;
        }
        assert_true(sim_pool_stats(&p).staging_bytes <= most);
        follow_end(&p, &f);
        follow_end(&p, &shadowed);
        sim_pool_close(&p, 0);
    }
}

/* Bug: a submit that is refused as a whole took uploads with it that were marked as sent. */
static void a_refused_submit_loses_no_upload(void **state)
{
    (void)state;
    for (size_t i = 0; i < EVERY; ++i) {
        sim_pool p;
        open_every(&p, i, 0);
        follow f = follow_make(&p, SIZE, FOLLOW_USAGE, 1);
        follow to = follow_make(&p, SIZE, COPYING, 2);
        sim_pool_frame(&p);
        for (uint32_t round = 0; round < 6; ++round) {
            gpool_recorder rec = begin(&p);
            follow_write(&p, &f, 1000, 64, round);
            if (round == 2) {
                /* Becomes gpu-written with bytes that are dirty. */
                follow_write(&p, &to, 2000, 64, round);
            }
            if (round >= 2) {
                gpool_clear_buffer(rec, to.handle, 0, 4);
            }
            sim_fail(p.s, GPOOL_GPU_QueueSubmit, 1, SIM_FAIL_VALIDATION, false);
            gpool_result result = round % 2 == 0 ? gpool_submit(p.pool) : gpool_end_frame(p.pool);
            assert_true(result == GPOOL_ERROR_GPU || sim_fail_hits(p.s) == 0 || round == 2);
            sim_fail_none(p.s);
            if (round % 2 == 0) {
                assert_same(gpool_end_frame(p.pool), GPOOL_OK);
            } else {
                sim_pool_frame(&p);
            }
            assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
            follow_same(&p, &f, "after a refused submit");
            uint8_t got[64];
            assert_true(sim_read_buffer(p.s, follow_gpu(&p, &to), 2000, got, 64));
            assert_memory_equal(got, to.bytes + 2000, 64);
        }
        follow_end(&p, &f);
        follow_end(&p, &to);
        sim_pool_close(&p, 0);
    }
}

/* Bug, found by the model after 70 million steps: those of a buffer that was destroyed meanwhile. */
static void a_refused_submit_loses_no_upload_of_what_is_destroyed(void **state)
{
    (void)state;
    for (size_t i = 0; i < EVERY; ++i) {
        sim_pool p;
        open_every(&p, i, 0);
        gpool_buffer_desc desc = { .size = 512, .usage = SIM_POOL_COPYABLE };
        gpool_buffer from = gpool_buffer_create(p.pool, &desc);
        gpool_buffer to = gpool_buffer_create(p.pool, &desc);
        sim_pool_frame(&p);
        uint8_t bytes[512];
        uint8_t got[512];
        memset(bytes, 0x5a, sizeof bytes);
        gpool_recorder rec = begin(&p);
        assert_same(gpool_buffer_write(p.pool, from, 0, bytes, sizeof bytes), GPOOL_OK);
        gpool_copy_buffer(rec, from, 0, to, 0, sizeof bytes);
        assert_same(gpool_buffer_destroy(p.pool, from), GPOOL_OK);
        sim_fail(p.s, GPOOL_GPU_QueueSubmit, 1, SIM_FAIL_VALIDATION, false);
        (void)gpool_process_uploads(p.pool);
        sim_fail_none(p.s);
        assert_same(gpool_end_frame(p.pool), GPOOL_OK);
        assert_same(gpool_buffer_read(p.pool, to, 0, got, sizeof got), GPOOL_OK);
        assert_memory_equal(got, bytes, sizeof got);
        assert_same(gpool_buffer_destroy(p.pool, to), GPOOL_OK);
        sim_pool_close(&p, 0);
    }
}

static void a_batch_that_waits_is_not_lost_with_its_device(void **state)
{
    (void)state;
    for (size_t i = 0; i < EVERY; ++i) {
        sim_pool p;
        open_every(&p, i, 0);
        follow f = follow_make(&p, SIZE, FOLLOW_USAGE, 1);
        follow other = follow_make(&p, 300, FOLLOW_USAGE, 1);
        sim_pool_frame(&p);
        for (uint32_t round = 0; round < 3; ++round) {
            follow_write(&p, &f, 1000, 64, round + 4);
            follow_write(&p, &other, 10, 64, round + 4);
            gpool__writes_finish(p.pool);
            assert_same(gpool__upload_flush(p.pool), GPOOL_OK); /* in the batch, or on the queue */
            follow_write(&p, &f, 2000, 64, round + 5);
            if (round % 2 == 0) {
                sim_lose(p.s);
                assert_same(gpool_tick(p.pool), GPOOL_ERROR_DEVICE_LOST);
                assert_true(sim_pool_taken(&p, GPOOL_LOG_DEVICE_LOST) > 0);
            }
            gpool_device_desc desc = { .gpu = &p.table, .log = sim_pool_on_log, .log_user = &p };
            gpool_device *device = NULL;
            assert_same(gpool_device_open(&desc, &device), GPOOL_OK);
            assert_same(gpool_recover(p.pool, device, NULL, NULL), GPOOL_OK);
            gpool_device_release(p.device);
            p.device = device;
            follow_write(&p, &f, 3000, 64, round + 6);
            sim_pool_frame(&p);
            follow_same(&p, &f, "recovered");
            follow_same(&p, &other, "recovered");
            assert_same(follow_explain(&p, &f).way,
                        i / 2 == 0 ? follow_explain(&p, &f).way : ways[i / 2]);
        }
        follow_end(&p, &f);
        follow_end(&p, &other);
        sim_pool_close(&p, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_bytes_survive_a_resize_in_the_same_frame),
        cmocka_unit_test(a_resize_while_the_batch_writes_the_old_object),
        cmocka_unit_test(recorded_writes_take_turns_with_copies),
        cmocka_unit_test(a_queue_write_does_not_overtake_the_batch),
        cmocka_unit_test(a_second_flush_does_not_overtake_the_first),
        cmocka_unit_test(a_flush_by_the_queue_does_not_overtake_one_by_the_batch),
        cmocka_unit_test(newer_bytes_do_not_overtake_what_an_encoder_took_before_staging_ended),
        cmocka_unit_test(a_read_in_an_open_recording_leaves_its_staging_alone),
        cmocka_unit_test(a_buffer_destroyed_after_write_and_record_is_seen_with_its_bytes),
        cmocka_unit_test(a_raw_holder_sees_what_was_dirty_when_the_buffer_was_destroyed),
        cmocka_unit_test(a_recorded_write_may_take_its_bytes_from_the_shadow),
        cmocka_unit_test(a_dropped_recording_gives_its_staging_back),
        cmocka_unit_test(a_refused_submit_loses_no_upload),
        cmocka_unit_test(a_refused_submit_loses_no_upload_of_what_is_destroyed),
        cmocka_unit_test(a_batch_that_waits_is_not_lost_with_its_device),
    };
    return cmocka_run_group_tests_name("sim_upload_order", tests, NULL, NULL);
}
