/*
 * Uploads on the simulator: every way brings all bytes, in as few calls as promised, from memory that
 * goes round. The seed is the first argument.
 */
#include "follow.h"

static uint64_t test_seed;

static const gpool_upload_way ways[] = { GPOOL_UPLOAD_AUTO, GPOOL_UPLOAD_DIRECT,
                                         GPOOL_UPLOAD_MERGED, GPOOL_UPLOAD_SCATTER,
                                         GPOOL_UPLOAD_WHOLE };

/* Both implementations, as what they cost and how they call back differs. */
static void open_way(sim_pool *p, size_t i, const WGPULimits *limits, gpool_upload_desc upload)
{
    sim_desc desc = { .personality = i % 2 == 0 ? SIM_WGPU_NATIVE : SIM_DAWN, .limits = limits };
    upload.force = ways[i / 2 % UNIT_COUNT(ways)];
    sim_pool_open_upload(p, &desc, &upload);
}

/* --- bytes --- */

static void every_way_sends_all_sizes_at_all_offsets(void **state)
{
    (void)state;
    for (size_t way = 0; way < 2 * UNIT_COUNT(ways); ++way) {
        sim_pool p;
        uint64_t seed = test_seed;
        open_way(&p, way, NULL, (gpool_upload_desc){ 0 });
        follow f = follow_make(&p, 17001, FOLLOW_USAGE, 1);
        sim_pool_frame(&p);
        follow_same(&p, &f, "first content");
        for (uint64_t size = 1; size <= 1024; ++size) {
            for (uint64_t offset = 0; offset < 8; ++offset) {
                /* At both ends and anywhere; large ones on one implementation or the other. */
                uint64_t base = (size + offset) % 3 == 0   ? 0
                                : (size + offset) % 3 == 1 ? f.size - size - 8
                                                           : unit_random_below(&seed, 15000);
                if ((size + offset) % 2 == way % 2 || size < 130) {
                    follow_write(&p, &f, base + offset, size, unit_random(&seed));
                    assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
                    follow_same(&p, &f, gpool_upload_way_name(ways[way / 2]));
                }
            }
            if (size % 16 == 0) {
                assert_same(gpool_wait_idle(p.pool), GPOOL_OK);
            }
        }
        follow_end(&p, &f);
        sim_pool_close(&p, 0);
    }
}

#define MANY 90u /* more than are planned together */

static void many_write(sim_pool *p, follow many[MANY], uint64_t *seed)
{
    for (uint64_t left = unit_random_below(seed, 300); left > 0; --left) {
        follow *f = &many[unit_random_below(seed, MANY)];
        uint64_t offset = unit_random_below(seed, f->size);
        uint64_t most = f->size - offset;
        uint64_t size = unit_random_below(seed, unit_random(seed) % 16 == 0 ? most + 1 : 70);
        follow_write(p, f, offset, size < most ? size : most, unit_random(seed));
    }
}

static void random_writes_to_many_buffers_arrive_with_every_submit(void **state)
{
    (void)state;
    static follow many[MANY];
    for (size_t way = 0; way < 2 * UNIT_COUNT(ways); ++way) {
        sim_pool p;
        uint64_t seed = test_seed + way;
        open_way(&p, way, NULL, (gpool_upload_desc){ 0 });
        for (uint32_t i = 0; i < MANY; ++i) {
            uint64_t size = 1 + unit_random_below(&seed, i % 3 == 0 ? 300 : 40000);
            many[i] = follow_make(&p, size, FOLLOW_USAGE, i);
        }
        for (uint32_t frame = 0; frame < 16; ++frame) {
            assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
            for (uint32_t submit = 0; submit <= frame % 3; ++submit) {
                many_write(&p, many, &seed);
                assert_same(gpool_submit(p.pool), GPOOL_OK);
                for (uint32_t i = 0; i < MANY; ++i) {
                    follow_same(&p, &many[i], gpool_upload_way_name(ways[way / 2]));
                }
            }
            assert_same(gpool_end_frame(p.pool), GPOOL_OK);
        }
        for (uint32_t i = 0; i < MANY; ++i) {
            follow_end(&p, &many[i]);
        }
        sim_pool_close(&p, 0);
    }
}

static void scatter_goes_over_all_binding_windows(void **state)
{
    (void)state;
    static const uint64_t sizes[] = { 65536,  65540,  65552,  65600,  131072,
                                      131076, 131132, 131136, 196612, 200001 };
    static const uint32_t windows[] = { 65536, 65540, 100000, 131072 };
    for (size_t w = 0; w < UNIT_COUNT(windows); ++w) {
        WGPULimits limits = { .maxStorageBufferBindingSize = windows[w],
                              .maxComputeWorkgroupsPerDimension = w % 2 == 0 ? 0 : 3 };
        sim_pool p;
        uint64_t seed = test_seed;
        open_way(&p, 6 + w % 2, &limits, (gpool_upload_desc){ 0 });
        for (size_t i = 0; i < UNIT_COUNT(sizes); ++i) {
            follow f = follow_make(&p, sizes[i], FOLLOW_USAGE, i);
            for (uint32_t round = 0; round < 12; ++round) {
                assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
                follow_same(&p, &f, "windows");
                assert_same(follow_explain(&p, &f).way, GPOOL_UPLOAD_SCATTER);
                uint64_t writes = round == 0 ? 1 : unit_random_below(&seed, 60);
                for (uint64_t k = 0; k < writes; ++k) {
                    follow_write(&p, &f, unit_random_below(&seed, f.size - 9), 9,
                                 unit_random(&seed));
                }
                follow_write(&p, &f, f.size - 1, 1, round);
            }
            follow_end(&p, &f);
            assert_same(gpool_wait_idle(p.pool), GPOOL_OK);
        }
        sim_pool_close(&p, 0);
    }
}

/* Half of 24 MiB, in every other granule, is more than one pass takes. */
static void a_scatter_over_8_mib_goes_in_several_passes(void **state)
{
    (void)state;
    for (size_t personality = 0; personality < 2; ++personality) {
        sim_pool p;
        open_way(&p, 6 + personality, NULL, (gpool_upload_desc){ 0 });
        follow f = follow_make(&p, (24u << 20) + 13, FOLLOW_USAGE, 3);
        sim_pool_frame(&p);
        follow_same(&p, &f, "whole, in passes");
        uint64_t dispatches = sim_dispatch_count(p.s);
        for (uint64_t at = 64; at < f.size; at += 128) {
            f.bytes[at] ^= 0x5a;
            assert_same(gpool_buffer_write(p.pool, f.handle, at, f.bytes + at, 1), GPOOL_OK);
        }
        sim_pool_frame(&p);
        follow_same(&p, &f, "every other granule, in passes");
        assert_int_equal(sim_dispatch_count(p.s) - dispatches, 2);
        follow_end(&p, &f);
        sim_pool_close(&p, 0);
    }
}

/* --- counts --- */

/* What the uploads of one frame cost. */
typedef struct cost {
    uint64_t bytes;
    uint64_t calls;
} cost;

static cost cost_of_frame(sim_pool *p)
{
    gpool_stats before = sim_pool_stats(p);
    sim_pool_frame(p);
    gpool_stats after = sim_pool_stats(p);
    cost c = { .bytes = after.sent_bytes - before.sent_bytes };
    for (int way = 0; way < GPOOL_UPLOAD_COUNT; ++way) {
        c.calls += after.upload_calls[way] - before.upload_calls[way];
        c.bytes -= after.upload_bytes[way] - before.upload_bytes[way];
    }
    assert_int_equal(c.bytes, 0); /* the ways add up to the whole */
    c.bytes = after.sent_bytes - before.sent_bytes;
    return c;
}

static void ranges_that_touch_are_one_call(void **state)
{
    (void)state;
    for (size_t way = 0; way < 2 * UNIT_COUNT(ways); ++way) {
        sim_pool p;
        open_way(&p, way, NULL, (gpool_upload_desc){ 0 });
        follow f = follow_make(&p, 1u << 20, FOLLOW_USAGE, 3);
        sim_pool_frame(&p);
        for (uint64_t i = 0; i < 10000; ++i) {
            follow_write(&p, &f, 640 + i * 64, 64, i + 1);
        }
        cost c = cost_of_frame(&p);
        assert_int_equal(c.calls, 1);
        assert_true(c.bytes >= 640000);
        follow_same(&p, &f, "10,000 that touch");
        for (uint64_t i = 0; i < 1000; ++i) {
            follow_write(&p, &f, 128, 64, i + 1);
        }
        c = cost_of_frame(&p);
        assert_int_equal(c.calls, 1);
        bool whole = ways[way / 2] == GPOOL_UPLOAD_WHOLE;
        assert_true(c.bytes >= 64 && (c.bytes <= 256 || whole));
        follow_same(&p, &f, "1,000 of one place");
        follow_end(&p, &f);
        sim_pool_close(&p, 0);
    }
}

static void first_and_last_byte_of_4_mib_are_512_bytes_at_most(void **state)
{
    (void)state;
    for (size_t way = 0; way < 8; ++way) {
        for (uint64_t odd = 0; odd < 2; ++odd) {
            sim_pool p;
            open_way(&p, way, NULL, (gpool_upload_desc){ 0 });
            follow f = follow_make(&p, (4u << 20) - odd, FOLLOW_USAGE, 3);
            sim_pool_frame(&p);
            follow_write(&p, &f, 0, 1, 7);
            follow_write(&p, &f, f.size - 1, 1, 8);
            cost c = cost_of_frame(&p);
            assert_true(c.bytes >= 2 && c.bytes <= 512 && c.calls <= 2);
            follow_same(&p, &f, "both ends");
            follow_end(&p, &f);
            sim_pool_close(&p, 0);
        }
    }
}

static void nothing_dirty_is_no_call(void **state)
{
    (void)state;
    for (size_t way = 0; way < 2 * UNIT_COUNT(ways); ++way) {
        sim_pool p;
        open_way(&p, way, NULL, (gpool_upload_desc){ 0 });
        follow f = follow_make(&p, 100000, FOLLOW_USAGE, 3);
        sim_pool_frame(&p);
        sim_pool_frame(&p);
        uint64_t calls = sim_call_count(p.s, SIM_ANY_FUNCTION);
        uint64_t polls = sim_call_count(p.s, GPOOL_GPU_InstanceProcessEvents);
        for (uint32_t i = 0; i < 10; ++i) {
            /* A write of what is there is none. */
            assert_same(gpool_buffer_write(p.pool, f.handle, 5, f.bytes + 5, 200), GPOOL_OK);
            sim_pool_frame(&p);
            assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
        }
        calls = sim_call_count(p.s, SIM_ANY_FUNCTION) - calls;
        polls = sim_call_count(p.s, GPOOL_GPU_InstanceProcessEvents) - polls;
        assert_int_equal(calls, polls);
        follow_end(&p, &f);
        sim_pool_close(&p, 0);
    }
}

/* --- memory --- */

/* A frame with scattered writes to a few buffers, and some in the recorder. */
static void steady_frame(sim_pool *p, follow *few, uint32_t count, gpool_buffer recorded,
                         uint32_t frame)
{
    assert_same(gpool_begin_frame(p->pool), GPOOL_OK);
    for (uint32_t i = 0; i < count; ++i) {
        for (uint64_t k = 0; k < 40; ++k) {
            follow_write(p, &few[i], (k * 1600 + frame * 64 + i * 640) % (few[i].size - 32), 32,
                         frame * 3 + 1);
        }
    }
    gpool_recorder rec = gpool_frame_recorder(p->pool);
    for (uint32_t i = 0; i < 4; ++i) {
        gpool_record_write(rec, recorded, 4000 * i, few[0].bytes, 4000);
    }
    assert_same(gpool_end_frame(p->pool), GPOOL_OK);
}

static void steady_frames_make_nothing_and_allocate_nothing(void **state)
{
    (void)state;
    for (size_t way = 0; way < 2 * UNIT_COUNT(ways); ++way) {
        sim_pool p;
        open_way(&p, way, NULL, (gpool_upload_desc){ 0 });
        follow few[6];
        for (uint32_t i = 0; i < UNIT_COUNT(few); ++i) {
            few[i] = follow_make(&p, 70000, FOLLOW_USAGE, i);
        }
        gpool_buffer recorded = sim_pool_buffer(&p, (gpool_scope){ 0 }, 16000, "recorded");
        /* What the first content took is given back in these. */
        for (uint32_t frame = 0; frame < 140; ++frame) {
            steady_frame(&p, few, UNIT_COUNT(few), recorded, frame);
        }
        gpool_stats before = sim_pool_stats(&p);
        uint64_t buffers = sim_call_count(p.s, GPOOL_GPU_DeviceCreateBuffer);
        for (uint32_t frame = 140; frame < 300; ++frame) {
            steady_frame(&p, few, UNIT_COUNT(few), recorded, frame);
        }
        gpool_stats after = sim_pool_stats(&p);
        assert_int_equal(after.gpu_objects, before.gpu_objects);
        assert_int_equal(after.allocations, before.allocations);
        assert_int_equal(after.staging_bytes, before.staging_bytes);
        assert_int_equal(sim_call_count(p.s, GPOOL_GPU_DeviceCreateBuffer), buffers);
        for (uint32_t i = 0; i < UNIT_COUNT(few); ++i) {
            follow_same(&p, &few[i], "steady");
            follow_end(&p, &few[i]);
        }
        assert_same(gpool_buffer_destroy(p.pool, recorded), GPOOL_OK);
        sim_pool_close(&p, 0);
    }
}

/* 120 quiet frames after a spike all but its memory is gone. */
static void what_a_spike_took_is_given_back(void **state)
{
    (void)state;
    for (size_t way = 0; way < 2 * UNIT_COUNT(ways); ++way) {
        sim_pool p;
        open_way(&p, way, NULL, (gpool_upload_desc){ 0 });
        follow few[2];
        for (uint32_t i = 0; i < UNIT_COUNT(few); ++i) {
            few[i] = follow_make(&p, 70000, FOLLOW_USAGE, i);
        }
        follow spike = follow_make(&p, 9000000, FOLLOW_USAGE | SIM_POOL_COPYABLE, 5);
        gpool_buffer recorded = sim_pool_buffer(&p, (gpool_scope){ 0 }, 16000, "recorded");
        /* What making the large one took is gone, too. */
        for (uint32_t frame = 0; frame < 130; ++frame) {
            steady_frame(&p, few, UNIT_COUNT(few), recorded, frame);
        }
        gpool_stats before = sim_pool_stats(&p);
        for (uint32_t frame = 0; frame < 3; ++frame) {
            assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
            for (uint64_t at = 0; at < spike.size; at += 128) {
                follow_write(&p, &spike, at, 64, at + frame);
            }
            assert_same(gpool_end_frame(p.pool), GPOOL_OK);
        }
        /* One that is written by the recorder. */
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        gpool_record_write(gpool_frame_recorder(p.pool), spike.handle, 0, spike.bytes, spike.size);
        assert_same(gpool_end_frame(p.pool), GPOOL_OK);
        follow_same(&p, &spike, "spike");
        assert_true(sim_pool_stats(&p).staging_bytes > 4 * before.staging_bytes);
        for (uint32_t frame = 0; frame < 120; ++frame) {
            steady_frame(&p, few, UNIT_COUNT(few), recorded, frame);
        }
        gpool_stats after = sim_pool_stats(&p);
        assert_true(after.staging_bytes * 4 <= before.staging_bytes * 5);
        assert_true(after.internal_bytes * 4 <= before.internal_bytes * 5);
        for (uint32_t i = 0; i < UNIT_COUNT(few); ++i) {
            follow_same(&p, &few[i], "after the spike");
            follow_end(&p, &few[i]);
        }
        follow_end(&p, &spike);
        assert_same(gpool_buffer_destroy(p.pool, recorded), GPOOL_OK);
        sim_pool_close(&p, 0);
    }
}

/* --- budget --- */

static void what_staging_cannot_hold_goes_by_the_queue(void **state)
{
    (void)state;
    for (size_t way = 4; way < 2 * UNIT_COUNT(ways); ++way) {
        sim_pool p;
        uint64_t seed = test_seed;
        open_way(&p, way, NULL, (gpool_upload_desc){ .staging_budget = 2u << 16 });
        follow large = follow_make(&p, 400001, FOLLOW_USAGE, 1);
        follow small = follow_make(&p, 40000, FOLLOW_USAGE, 2);
        sim_pool_frame(&p);
        follow_same(&p, &large, "over the budget");
        follow_same(&p, &small, "under the budget");
        gpool_upload_info info = follow_explain(&p, &large);
        if (ways[way / 2] != GPOOL_UPLOAD_WHOLE) { /* which is a queue write anyway, if cheaper */
            assert_same(info.reason, GPOOL_UPLOAD_REASON_BUDGET);
            assert_same(info.way, GPOOL_UPLOAD_DIRECT);
        }
        for (uint32_t frame = 0; frame < 40; ++frame) {
            assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
            for (uint32_t submit = 0; submit < 3; ++submit) {
                for (uint32_t k = 0; k < 300; ++k) {
                    uint64_t size = 1 + unit_random_below(&seed, 900);
                    follow_write(&p, &large, unit_random_below(&seed, large.size - size), size,
                                 unit_random(&seed));
                }
                follow_write(&p, &small, unit_random_below(&seed, 39000), 900, unit_random(&seed));
                assert_same(gpool_submit(p.pool), GPOOL_OK);
                follow_same(&p, &large, "over the budget");
                follow_same(&p, &small, "under the budget");
            }
            assert_same(gpool_end_frame(p.pool), GPOOL_OK);
            assert_true(sim_pool_stats(&p).staging_bytes <= 2u << 16);
        }
        follow_end(&p, &large);
        follow_end(&p, &small);
        sim_pool_close(&p, 0);
    }
}

static void a_recorded_write_over_the_budget_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    for (size_t personality = 0; personality < 2; ++personality) {
        sim_pool p;
        open_way(&p, personality, NULL, (gpool_upload_desc){ .staging_budget = 2u << 16 });
        follow f = follow_make(&p, 200000, SIM_POOL_COPYABLE, 1);
        sim_pool_frame(&p);
        uint8_t *other = malloc(200000);
        assert_non_null(other);
        follow_fill(other, 200000, 99);
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        gpool_recorder rec = gpool_frame_recorder(p.pool);
        gpool_record_write(rec, f.handle, 0, other, 200000);
        gpool_buffer_info info;
        assert_same(gpool_buffer_get_info(p.pool, f.handle, &info), GPOOL_OK);
        assert_false(info.gpu_written);
        /* Two that fit, and one too many. */
        gpool_record_write(rec, f.handle, 0, other, 60000);
        gpool_record_write(rec, f.handle, 60000, other + 60000, 60000);
        gpool_record_write(rec, f.handle, 120000, other + 120000, 60000);
        assert_int_equal(sim_pool_stats(&p).skipped, 2);
        assert_same(gpool_end_frame(p.pool), GPOOL_ERROR_BUDGET);
        assert_same(gpool_last_error(p.pool)->id, GPOOL_LOG_BUDGET);
        memcpy(f.bytes, other, 120000);
        follow_same(&p, &f, "what fits");
        /* The next recording has it all again. */
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        gpool_record_write(gpool_frame_recorder(p.pool), f.handle, 120000, other + 120000, 60000);
        assert_same(gpool_end_frame(p.pool), GPOOL_OK);
        memcpy(f.bytes + 120000, other + 120000, 60000);
        follow_same(&p, &f, "later");
        free(other);
        follow_end(&p, &f);
        sim_pool_close(&p, 0);
    }
}

/* The budget is full of what the GPU still reads: uploads wait for it. */
static void blocks_in_flight_are_waited_for(void **state)
{
    (void)state;
    for (size_t way = 0; way < 4; ++way) {
        sim_desc desc = { .personality = way % 2 == 0 ? SIM_WGPU_NATIVE : SIM_DAWN,
                          .completion = SIM_COMPLETE_AFTER_POLLS,
                          .polls = 5 };
        gpool_upload_desc upload = { .force = way < 2 ? GPOOL_UPLOAD_MERGED : GPOOL_UPLOAD_SCATTER,
                                     .staging_budget = 1u << 16 };
        sim_pool p;
        sim_pool_open_upload(&p, &desc, &upload);
        follow f = follow_make(&p, 40000, FOLLOW_USAGE, 1);
        for (uint32_t round = 0; round < 20; ++round) {
            assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
            follow_same(&p, &f, "in flight");
            gpool_upload_info info = follow_explain(&p, &f);
            assert_same(info.way, upload.force);
            assert_same(info.reason, GPOOL_UPLOAD_REASON_FORCED);
            follow_write(&p, &f, round * 1000, 900, round);
        }
        assert_int_equal(sim_pool_stats(&p).staging_bytes, 1u << 16);
        follow_end(&p, &f);
        sim_pool_close(&p, 0);
    }
}

/* --- what is told --- */

static void explain_tells_way_reason_bytes_and_calls(void **state)
{
    (void)state;
    for (size_t way = 0; way < 2 * UNIT_COUNT(ways); ++way) {
        gpool_upload_way forced = ways[way / 2];
        sim_pool p;
        open_way(&p, way, NULL, (gpool_upload_desc){ 0 });
        follow small = follow_make(&p, 255, FOLLOW_USAGE, 1);
        follow f = follow_make(&p, 100000, FOLLOW_USAGE, 1);
        gpool_upload_info info = follow_explain(&p, &f);
        assert_same(info.way, GPOOL_UPLOAD_AUTO);
        assert_same(info.reason, GPOOL_UPLOAD_REASON_NONE);
        assert_int_equal(info.dirty_bytes, 100000);
        assert_int_equal(info.dirty_ranges, 1);
        assert_same(info.why, forced != GPOOL_UPLOAD_AUTO ? GPOOL_UPLOAD_REASON_FORCED
                                                          : GPOOL_UPLOAD_REASON_FASTEST);
        sim_pool_frame(&p);
        info = follow_explain(&p, &small);
        assert_same(info.way, GPOOL_UPLOAD_WHOLE);
        assert_same(info.reason, GPOOL_UPLOAD_REASON_SMALL);
        assert_int_equal(info.sent_bytes, 256);
        assert_int_equal(info.calls, 1);
        assert_same(info.next, GPOOL_UPLOAD_AUTO);
        assert_int_equal(info.dirty_bytes, 0);
        follow_write(&p, &f, 0, 64, 1);
        follow_write(&p, &f, 99999, 1, 1);
        info = follow_explain(&p, &f);
        assert_int_equal(info.dirty_bytes, 64 + 100000 % 64);
        assert_int_equal(info.dirty_ranges, 2);
        gpool_upload_way next = info.next;
        assert_true(forced == GPOOL_UPLOAD_AUTO ? next != GPOOL_UPLOAD_AUTO : next == forced);
        for (int i = GPOOL_UPLOAD_DIRECT; i < GPOOL_UPLOAD_COUNT; ++i) {
            assert_true(info.ns[i] > 0.0f);
            assert_true(forced != GPOOL_UPLOAD_AUTO || info.ns[i] >= info.ns[next]);
        }
        assert_true(info.ns[GPOOL_UPLOAD_AUTO] == info.ns[next]);
        gpool_stats before = sim_pool_stats(&p);
        sim_pool_frame(&p);
        gpool_stats after = sim_pool_stats(&p);
        info = follow_explain(&p, &f);
        assert_same(info.way, next);
        assert_int_equal(info.sent_bytes, after.upload_bytes[next] - before.upload_bytes[next]);
        assert_int_equal(info.calls, after.upload_calls[next] - before.upload_calls[next]);
        uint64_t bytes = next == GPOOL_UPLOAD_WHOLE     ? 100000
                         : next == GPOOL_UPLOAD_SCATTER ? 256
                                                        : 64 + 100000 % 64;
        assert_int_equal(info.sent_bytes, bytes);
        assert_int_equal(info.calls, next == GPOOL_UPLOAD_WHOLE ? 1 : 2);
        assert_true(info.predicted_ns > 0.0f);
        follow_end(&p, &f);
        follow_end(&p, &small);
        sim_pool_close(&p, 0);
    }
}

/* Costs decide: each way is taken where the table says that it is cheapest. */
static void the_cheapest_way_is_taken(void **state)
{
    (void)state;
    static const struct {
        gpool_upload_costs costs;
        gpool_upload_way way;
    } tables[] = {
        { { .write_call = 1,
            .copy_call = 100,
            .write_byte = 1,
            .copy_byte = 1,
            .stage_fixed = 1e6f,
            .scatter_fixed = 1e6f },
          GPOOL_UPLOAD_DIRECT },
        { { .write_call = 1e5f,
            .copy_call = 1,
            .write_byte = 1,
            .copy_byte = 1,
            .scatter_fixed = 1e6f },
          GPOOL_UPLOAD_MERGED },
        { { .write_call = 1e5f,
            .copy_call = 1e4f,
            .write_byte = 100,
            .copy_byte = 10,
            .scatter_fixed = 10,
            .scatter_buffer = 1,
            .scatter_granule = 1 },
          GPOOL_UPLOAD_SCATTER },
        { { .write_call = 1e6f,
            .copy_call = 1e6f,
            .write_byte = 1e-3f,
            .copy_byte = 1e3f,
            .stage_fixed = 1e9f,
            .scatter_fixed = 1e9f },
          GPOOL_UPLOAD_DIRECT },
    };
    for (size_t i = 0; i < 2 * UNIT_COUNT(tables); ++i) {
        sim_pool p;
        open_way(&p, i % 2, NULL, (gpool_upload_desc){ .costs = &tables[i / 2].costs });
        follow f = follow_make(&p, 300000, FOLLOW_USAGE, 1);
        sim_pool_frame(&p);
        for (uint64_t k = 0; k < 30; ++k) {
            follow_write(&p, &f, 64 + k * 9984, 64, k);
        }
        sim_pool_frame(&p);
        follow_same(&p, &f, "cheapest");
        gpool_upload_info info = follow_explain(&p, &f);
        assert_same(info.way, tables[i / 2].way);
        assert_same(info.reason, GPOOL_UPLOAD_REASON_FASTEST);
        follow_end(&p, &f);
        sim_pool_close(&p, 0);
    }
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_way_sends_all_sizes_at_all_offsets),
        cmocka_unit_test(random_writes_to_many_buffers_arrive_with_every_submit),
        cmocka_unit_test(scatter_goes_over_all_binding_windows),
        cmocka_unit_test(a_scatter_over_8_mib_goes_in_several_passes),
        cmocka_unit_test(ranges_that_touch_are_one_call),
        cmocka_unit_test(first_and_last_byte_of_4_mib_are_512_bytes_at_most),
        cmocka_unit_test(nothing_dirty_is_no_call),
        cmocka_unit_test(steady_frames_make_nothing_and_allocate_nothing),
        cmocka_unit_test(what_a_spike_took_is_given_back),
        cmocka_unit_test(what_staging_cannot_hold_goes_by_the_queue),
        cmocka_unit_test(a_recorded_write_over_the_budget_is_refused_and_changes_nothing),
        cmocka_unit_test(blocks_in_flight_are_waited_for),
        cmocka_unit_test(explain_tells_way_reason_bytes_and_calls),
        cmocka_unit_test(the_cheapest_way_is_taken),
    };
    test_seed = unit_seed(argc, argv);
    return cmocka_run_group_tests_name("sim_uploads", tests, NULL, NULL);
}
