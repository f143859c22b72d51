/*
 * Stream memory on the simulator: what copies and draws see, where slices lie, what is sent and kept.
 * The seed is the first argument.
 */
#include "stream_world.h"

static uint64_t test_seed;

static uint64_t writes(const sim_pool *p)
{
    return gpool_gpu_call_count(p->pool, GPOOL_GPU_QueueWriteBuffer);
}

/* --- bytes --- */

static void copies_see_what_was_filled_until_the_submit(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; ++i) {
        sim_pool p;
        uint64_t seed = test_seed + i;
        open_every(&p, i);
        follow to = follow_make(&p, TARGET, SIM_POOL_COPYABLE, 1);
        for (uint32_t frame = 0; frame < 30; ++frame) {
            gpool_recorder rec = begin(&p);
            for (uint32_t submit = 0; submit <= frame % 3; ++submit) {
                gpool_stream_slice slices[40];
                uint64_t at[40];
                uint64_t end_at = 0;
                for (uint32_t k = 0; k < 40; ++k) {
                    uint64_t size = 4 + 4 * unit_random_below(&seed, k % 9 == 0 ? 20000 : 300);
                    uint64_t alignment = unit_random(&seed) % 2 == 0 ? 0 : 4u << k % 12;
                    slices[k] = take(&p, size, alignment);
                    at[k] = end_at;
                    end_at += size;
                    copy(&p, rec, slices[k], &to, at[k]);
                }
                assert_true(end_at <= TARGET);
                /* After the commands, and in another order: slices do not overlap. */
                for (uint32_t k = 40; k > 0; --k) {
                    fill(slices[k - 1], &to, at[k - 1], unit_random(&seed));
                }
                assert_same(gpool_submit(p.pool), GPOOL_OK);
                follow_same(&p, &to, "copied");
                rec = gpool_frame_recorder(p.pool);
            }
            end(&p);
        }
        follow_end(&p, &to);
        sim_pool_close(&p, 0);
    }
}

static void slices_lie_at_the_alignment_asked_for(void **state)
{
    (void)state;
    sim_pool p;
    open_every(&p, 0);
    (void)begin(&p);
    for (uint64_t alignment = 1; alignment <= 65536; alignment *= 2) {
        for (uint64_t size = 1; size < 9; ++size) {
            gpool_stream_slice slice = take(&p, size, alignment);
            assert_int_equal(slice.offset % alignment, 0);
            assert_int_equal((uintptr_t)slice.data % (alignment < 16 ? alignment : 16), 0);
        }
    }
    for (uint64_t size = 1; size < 9; ++size) {
        assert_int_equal(take(&p, size, 0).offset % 256, 0);
    }
    gpool_stream_slice whole = take(&p, BLOCK, 65536);
    assert_int_equal(whole.offset, 0);
    end(&p);
    sim_pool_close(&p, 0);
}

/* Sizes that are no multiple of 4 are padded: the next slice begins behind whole words. */
static void odd_sizes_are_sent_in_whole_words(void **state)
{
    (void)state;
    sim_pool p;
    open_every(&p, 1);
    follow to = follow_make(&p, 64, SIM_POOL_COPYABLE, 1);
    gpool_recorder rec = begin(&p);
    gpool_stream_slice first = take(&p, 5, 1);
    gpool_stream_slice second = take(&p, 3, 1);
    assert_int_equal(second.offset, first.offset + 8);
    memset(first.data, 7, 5);
    memset((uint8_t *)first.data + 5, 0, 3);
    memset(second.data, 9, 4);
    gpool_copy_buffer(rec, buffer_of(&p, first), first.offset, to.handle, 0, 12);
    memcpy(to.bytes, (uint8_t[]){ 7, 7, 7, 7, 7, 0, 0, 0, 9, 9, 9, 9 }, 12);
    gpool_stats before = sim_pool_stats(&p);
    end(&p);
    follow_same(&p, &to, "words");
    assert_int_equal(sim_pool_stats(&p).uniform_bytes - before.uniform_bytes, 12);
    follow_end(&p, &to);
    sim_pool_close(&p, 0);
}

/* --- commands --- */

/* One dispatch of numbers from slices, mixed with uniforms; indirect in every other. */
static void taker_run(sim_pool *p, gpool_recorder rec, const taker *t, uint32_t place, uint32_t one,
                      uint32_t many, uint32_t two)
{
    gpool_stream_slice a = take(p, 16, 0);
    gpool_stream_slice b = take(p, 8, 0);
    memcpy(a.data, &one, 4);
    memcpy(b.data, &many, 4);
    const gpool_binding bindings[] = {
        { .binding = 0, .buffer = buffer_of(p, a), .offset = a.offset, .size = a.size },
        { .binding = 1, .buffer = buffer_of(p, b), .size = b.size },
        { .binding = 2, .buffer = t->sums },
    };
    const uint32_t offset = (uint32_t)b.offset;
    const uint32_t uniforms[4] = { place, two };
    gpool_set_bindings(rec, 0, t->layout, bindings, 3, &offset, 1);
    gpool_set_uniforms(rec, 1, uniforms, sizeof uniforms);
    if (place % 2 == 0) {
        gpool_dispatch(rec, 1, 1, 1);
    } else {
        gpool_stream_slice counts = take(p, 12, 4);
        memcpy(counts.data, (uint32_t[]){ 1, 1, 1 }, 12);
        gpool_dispatch_indirect(rec, buffer_of(p, counts), counts.offset);
    }
}

static void dispatches_read_slices_beside_uniforms(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; ++i) {
        sim_pool p;
        open_every(&p, i);
        taker t = taker_make(&p);
        for (uint32_t frame = 1; frame < 5; ++frame) {
            gpool_recorder rec = begin(&p);
            gpool_begin_compute(rec, NULL);
            gpool_set_pipeline(rec, t.pipeline);
            for (uint32_t k = 0; k < 1000; ++k) {
                taker_run(&p, rec, &t, k, frame * 1000, k, 500000);
            }
            gpool_end_pass(rec);
            uint64_t before = writes(&p);
            end(&p);
            /* 3000 slices of 256 bytes; the counts lie between them. */
            assert_int_equal(writes(&p) - before, 3);
            uint32_t sums[1000];
            assert_same(gpool_buffer_read(p.pool, t.sums, 0, sums, sizeof sums), GPOOL_OK);
            for (uint32_t k = 0; k < 1000; ++k) {
                assert_int_equal(sums[k], frame * 1000 + k + 500000);
            }
        }
        taker_end(&p, &t);
        sim_pool_close(&p, 0);
    }
}

/* The block's groups are found again in every frame, though its handles are new ones. */
static void steady_frames_allocate_and_make_nothing(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; ++i) {
        sim_pool p;
        open_every(&p, i);
        taker t = taker_make(&p);
        follow to = follow_make(&p, TARGET, SIM_POOL_COPYABLE, 1);
        gpool_stats before = { 0 };
        for (uint32_t frame = 0; frame < 200; ++frame) {
            gpool_recorder rec = begin(&p);
            gpool_stream_slice large = take(&p, 300000, 0);
            gpool_stream_slice larger = take(&p, 1000000, 0);
            copy(&p, rec, large, &to, 0);
            copy(&p, rec, larger, &to, 300000);
            gpool_begin_compute(rec, NULL);
            gpool_set_pipeline(rec, t.pipeline);
            for (uint32_t k = 0; k < 600; ++k) {
                taker_run(&p, rec, &t, k, frame, k, 0);
            }
            gpool_end_pass(rec);
            end(&p);
            if (frame == 5) {
                before = sim_pool_stats(&p);
            }
        }
        gpool_stats after = sim_pool_stats(&p);
        assert_int_equal(after.allocations, before.allocations);
        assert_int_equal(after.bind_misses, before.bind_misses);
        assert_true(after.cpu_bytes <= before.cpu_bytes); /* idle staging is freed */
        assert_int_equal(after.gpu_objects, before.gpu_objects);
        assert_int_equal(after.internal_bytes - after.staging_bytes,
                         before.internal_bytes - before.staging_bytes);
        assert_int_equal(after.created, before.created);
        follow_end(&p, &to);
        taker_end(&p, &t);
        sim_pool_close(&p, 0);
    }
}

/* --- blocks --- */

static void slices_over_a_block_have_their_own(void **state)
{
    (void)state;
    static const uint64_t sizes[] = { BLOCK - 4, BLOCK, BLOCK + 4, 2 * BLOCK, 3 * BLOCK + 20 };
    for (size_t i = 0; i < 2; ++i) {
        sim_pool p;
        open_every(&p, i);
        follow to = follow_make(&p, 2 * TARGET, SIM_POOL_COPYABLE, 1);
        assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
        for (uint32_t frame = 0; frame < 6; ++frame) {
            gpool_recorder rec = begin(&p);
            uint64_t at = 0;
            uint64_t before = writes(&p);
            for (size_t k = 0; k < UNIT_COUNT(sizes); ++k) {
                gpool_stream_slice slice = take(&p, sizes[k], 0);
                assert_int_equal(slice.offset, 0);
                fill(slice, &to, at, frame * 10 + k);
                copy(&p, rec, slice, &to, at);
                at += sizes[k];
            }
            assert_true(at <= 2 * TARGET);
            end(&p);
            assert_int_equal(writes(&p) - before, UNIT_COUNT(sizes));
            follow_same(&p, &to, "large");
        }
        follow_end(&p, &to);
        sim_pool_close(&p, 0);
    }
}

static void blocks_of_a_spike_are_freed_when_idle(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; ++i) {
        sim_pool p;
        open_every(&p, i);
        (void)begin(&p);
        (void)take(&p, 1000, 0);
        end(&p);
        gpool_stats calm = sim_pool_stats(&p);
        assert_int_equal(calm.internal_bytes, BLOCK);
        uint64_t live = sim_live(p.s, SIM_KIND_BUFFER);
        (void)begin(&p);
        for (uint32_t k = 0; k < 20; ++k) {
            (void)take(&p, BLOCK, 0);
            (void)take(&p, (k + 2) * BLOCK, 0);
        }
        end(&p);
        gpool_stats spike = sim_pool_stats(&p);
        assert_int_equal(spike.internal_bytes, (20 + 20 + 19 * 10 + 20) * BLOCK);
        for (uint32_t frame = 0; frame < IDLE; ++frame) {
            /* A large one that goes on is kept, and none beside it. */
            (void)begin(&p);
            (void)take(&p, 1000, 0);
            (void)take(&p, BLOCK + 4, 0);
            end(&p);
        }
        assert_int_equal(sim_pool_stats(&p).internal_bytes, 3 * BLOCK);
        assert_int_equal(sim_live(p.s, SIM_KIND_BUFFER), live + 1);
        for (uint32_t frame = 0; frame < IDLE; ++frame) {
            sim_pool_frame(&p);
        }
        assert_int_equal(sim_pool_stats(&p).internal_bytes, 0);
        assert_int_equal(sim_live(p.s, SIM_KIND_BUFFER), live - 1);
        sim_pool_close(&p, 0);
    }
}

/* One that is far larger than what is asked for now is not given, though it is free. */
static void a_far_larger_block_falls_idle(void **state)
{
    (void)state;
    sim_pool p;
    open_every(&p, 0);
    (void)begin(&p);
    (void)take(&p, 40 * BLOCK, 0);
    end(&p);
    for (uint32_t frame = 0; frame < IDLE; ++frame) {
        (void)begin(&p);
        (void)take(&p, BLOCK + 4, 0);
        end(&p);
    }
    assert_int_equal(sim_pool_stats(&p).internal_bytes, 2 * BLOCK);
    sim_pool_close(&p, 0);
}

/* All of the 256 MiB in use; then idle blocks make room for others. */
static void the_total_is_bounded(void **state)
{
    (void)state;
    sim_pool p;
    gpool_stream_slice slice;
    open_every(&p, 0);
    (void)begin(&p);
    for (uint32_t k = 0; k < 4; ++k) {
        (void)take(&p, GPOOL_MAX_STREAM_SLICE, 0);
    }
    gpool_stats before = sim_pool_stats(&p);
    assert_same(gpool_stream_alloc(p.pool, 4, 0, &slice), GPOOL_ERROR_BUDGET);
    assert_same(gpool_stream_alloc(p.pool, BLOCK + 4, 0, &slice), GPOOL_ERROR_BUDGET);
    assert_null(slice.data);
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_BUDGET), 2);
    assert_int_equal(sim_pool_stats(&p).internal_bytes, before.internal_bytes);
    end(&p);
    (void)begin(&p);
    (void)take(&p, 4, 0);
    (void)take(&p, GPOOL_MAX_STREAM_SLICE, 0);
    assert_true(sim_pool_stats(&p).internal_bytes <= GPOOL_MAX_STREAM_BYTES);
    end(&p);
    sim_pool_close(&p, 0);
}

int main(int argc, char **argv)
{
    test_seed = unit_seed(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies_see_what_was_filled_until_the_submit),
        cmocka_unit_test(slices_lie_at_the_alignment_asked_for),
        cmocka_unit_test(odd_sizes_are_sent_in_whole_words),
        cmocka_unit_test(dispatches_read_slices_beside_uniforms),
        cmocka_unit_test(steady_frames_allocate_and_make_nothing),
        cmocka_unit_test(slices_over_a_block_have_their_own),
        cmocka_unit_test(blocks_of_a_spike_are_freed_when_idle),
        cmocka_unit_test(a_far_larger_block_falls_idle),
        cmocka_unit_test(the_total_is_bounded),
    };
    return cmocka_run_group_tests_name("stream memory", tests, NULL, NULL);
}
