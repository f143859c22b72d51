/* Bind groups of the scatter pass: kept as long as they are of use, let go of in time. */
#include "follow.h"

#define SIZE 20000u
#define MOST 512u /* groups that are kept: half of GROUPS_MOST of src/pool/scatter_groups.c */

static const sim_desc manners[] = { { .personality = SIM_WGPU_NATIVE },
                                    { .personality = SIM_DAWN },
                                    { .reuse_handles = true } };

static void open(sim_pool *p, size_t manner)
{
    sim_pool_open_upload(p, &manners[manner],
                         &(gpool_upload_desc){ .force = GPOOL_UPLOAD_SCATTER });
}

static void scatter_frame(sim_pool *p, follow *followed, size_t count, uint64_t seed)
{
    assert_same(gpool_begin_frame(p->pool), GPOOL_OK);
    for (size_t i = 0; i < count; ++i) {
        follow_write(p, &followed[i], (seed * 640 + i * 64) % (SIZE - 64), 64, seed + i);
    }
    assert_same(gpool_end_frame(p->pool), GPOOL_OK);
    assert_true(gpool__pool_validate(p->pool));
}

static void all_same(sim_pool *p, const follow *followed, size_t count)
{
    for (size_t i = 0; i < count; ++i) {
        follow_same(p, &followed[i], "scattered");
    }
}

static uint64_t made(sim_pool *p)
{
    return sim_call_count(p->s, GPOOL_GPU_DeviceCreateBindGroup);
}

static void a_hundred_buffers_a_frame_make_no_bind_group(void **state)
{
    (void)state;
    for (size_t manner = 0; manner < UNIT_COUNT(manners); ++manner) {
        sim_pool p;
        open(&p, manner);
        follow followed[100];
        for (uint32_t i = 0; i < UNIT_COUNT(followed); ++i) {
            followed[i] = follow_make(&p, SIZE, FOLLOW_USAGE, i);
        }
        for (uint32_t frame = 0; frame < 100; ++frame) {
            scatter_frame(&p, followed, UNIT_COUNT(followed), frame);
        }
        uint64_t before = made(&p);
        uint64_t allocations = sim_pool_stats(&p).allocations;
        for (uint32_t frame = 0; frame < 100; ++frame) {
            scatter_frame(&p, followed, UNIT_COUNT(followed), frame);
        }
        assert_int_equal(made(&p), before);
        assert_int_equal(sim_pool_stats(&p).allocations, allocations);
        assert_int_equal(sim_live(p.s, SIM_KIND_BIND_GROUP), UNIT_COUNT(followed));
        all_same(&p, followed, UNIT_COUNT(followed));
        for (uint32_t i = 0; i < UNIT_COUNT(followed); ++i) {
            follow_end(&p, &followed[i]);
        }
        sim_pool_close(&p, 0);
    }
}

/* Some a frame, others in the next: what counts is how many are in use over a while. */
static void buffers_that_take_turns_make_no_bind_group(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, 0);
    follow followed[40];
    for (uint32_t i = 0; i < UNIT_COUNT(followed); ++i) {
        followed[i] = follow_make(&p, SIZE, FOLLOW_USAGE, i);
    }
    for (uint32_t frame = 0; frame < 70; ++frame) {
        sim_pool_frame(&p);
    }
    assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
    uint64_t before = made(&p);
    for (uint32_t frame = 0; frame < 200; ++frame) {
        scatter_frame(&p, followed + frame % 5 * 8, 8, frame);
    }
    assert_in_range(made(&p) - before, 0, UNIT_COUNT(followed));
    all_same(&p, followed, UNIT_COUNT(followed));
    for (uint32_t i = 0; i < UNIT_COUNT(followed); ++i) {
        follow_end(&p, &followed[i]);
    }
    sim_pool_close(&p, 0);
}

static void more_buffers_than_groups_are_all_written(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, 0);
    static follow followed[MOST + 100];
    for (uint32_t i = 0; i < UNIT_COUNT(followed); ++i) {
        followed[i] = follow_make(&p, SIZE, FOLLOW_USAGE, i);
    }
    for (uint32_t frame = 0; frame < 4; ++frame) {
        scatter_frame(&p, followed, UNIT_COUNT(followed), frame);
    }
    assert_int_equal(sim_live(p.s, SIM_KIND_BIND_GROUP), MOST);
    all_same(&p, followed, UNIT_COUNT(followed));
    /* The newest half stays, whatever went before. */
    scatter_frame(&p, followed, MOST / 2, 4);
    uint64_t before = made(&p);
    for (uint32_t i = MOST / 2; i < MOST / 2 + 20; ++i) {
        scatter_frame(&p, followed, MOST / 2, i);
    }
    assert_int_equal(made(&p), before);
    all_same(&p, followed, MOST / 2);
    for (uint32_t i = 0; i < UNIT_COUNT(followed); ++i) {
        follow_end(&p, &followed[i]);
    }
    sim_pool_close(&p, 0);
}

/* Handles that come again name another buffer: no group of the former one is found. */
static void groups_of_what_is_gone_go_with_it(void **state)
{
    (void)state;
    for (size_t manner = 0; manner < UNIT_COUNT(manners); ++manner) {
        sim_pool p;
        open(&p, manner);
        follow followed[60];
        for (uint32_t i = 0; i < UNIT_COUNT(followed); ++i) {
            followed[i] = follow_make(&p, SIZE, FOLLOW_USAGE, i);
        }
        for (uint32_t round = 0; round < 30; ++round) {
            scatter_frame(&p, followed, UNIT_COUNT(followed), round);
            assert_int_equal(sim_live(p.s, SIM_KIND_BIND_GROUP), UNIT_COUNT(followed));
            for (uint32_t i = round % 3; i < UNIT_COUNT(followed); i += 3) {
                follow_end(&p, &followed[i]);
            }
            for (int tick = 0; tick < 3; ++tick) {
                assert_same(gpool_tick(p.pool), GPOOL_OK);
            }
            assert_int_equal(sim_live(p.s, SIM_KIND_BIND_GROUP), UNIT_COUNT(followed) - 20);
            for (uint32_t i = round % 3; i < UNIT_COUNT(followed); i += 3) {
                followed[i] = follow_make(&p, SIZE, FOLLOW_USAGE, 100 * round + i);
            }
            uint64_t before = made(&p);
            scatter_frame(&p, followed, UNIT_COUNT(followed), round);
            assert_int_equal(made(&p), before + 20);
            all_same(&p, followed, UNIT_COUNT(followed));
        }
        for (uint32_t i = 0; i < UNIT_COUNT(followed); ++i) {
            follow_end(&p, &followed[i]);
        }
        sim_pool_close(&p, 0);
    }
}

static void what_many_groups_took_is_given_back(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, 0);
    follow followed[200];
    for (uint32_t i = 0; i < UNIT_COUNT(followed); ++i) {
        followed[i] = follow_make(&p, SIZE, FOLLOW_USAGE, i);
    }
    /* Long enough that the payload of the first content is gone. */
    for (uint32_t frame = 0; frame < 100; ++frame) {
        scatter_frame(&p, followed, UNIT_COUNT(followed), frame);
    }
    assert_int_equal(sim_live(p.s, SIM_KIND_BIND_GROUP), UNIT_COUNT(followed));
    for (uint32_t frame = 0; frame < 200; ++frame) {
        scatter_frame(&p, followed, 2, frame);
    }
    assert_int_equal(sim_live(p.s, SIM_KIND_BIND_GROUP), 2);
    /* A table that cannot grow serves all the same. */
    uint64_t calls = p.allocator.calls;
    p.allocator.fail_at = calls + 1;
    scatter_frame(&p, followed, 40, 1000);
    p.allocator.fail_at = 0;
    assert_in_range(p.allocator.calls, calls + 1, calls + 2);
    all_same(&p, followed, UNIT_COUNT(followed));
    for (uint32_t i = 0; i < UNIT_COUNT(followed); ++i) {
        follow_end(&p, &followed[i]);
    }
    sim_pool_close(&p, 0);
}

/* Without memory for a larger table the oldest groups give way, and all bytes arrive. */
static void without_memory_the_oldest_groups_give_way(void **state)
{
    (void)state;
    for (uint64_t at = 1; at < 12; ++at) {
        sim_pool p;
        open(&p, at % UNIT_COUNT(manners));
        follow followed[80];
        for (uint32_t i = 0; i < UNIT_COUNT(followed); ++i) {
            followed[i] = follow_make(&p, SIZE, FOLLOW_USAGE, i);
        }
        p.allocator.fail_at = p.allocator.calls + at;
        for (int round = 0; round < 3; ++round) {
            gpool_result result = gpool_process_uploads(p.pool);
            assert_true(result == GPOOL_OK || result == GPOOL_ERROR_OUT_OF_MEMORY);
        }
        p.allocator.fail_at = 0;
        scatter_frame(&p, followed, UNIT_COUNT(followed), at);
        all_same(&p, followed, UNIT_COUNT(followed));
        for (uint32_t i = 0; i < UNIT_COUNT(followed); ++i) {
            follow_end(&p, &followed[i]);
        }
        sim_pool_close(&p, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hundred_buffers_a_frame_make_no_bind_group),
        cmocka_unit_test(buffers_that_take_turns_make_no_bind_group),
        cmocka_unit_test(more_buffers_than_groups_are_all_written),
        cmocka_unit_test(groups_of_what_is_gone_go_with_it),
        cmocka_unit_test(what_many_groups_took_is_given_back),
        cmocka_unit_test(without_memory_the_oldest_groups_give_way),
    };
    return cmocka_run_group_tests_name("scatter_groups", tests, NULL, NULL);
}
