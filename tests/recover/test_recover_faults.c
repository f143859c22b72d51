/*
 * Faults inside gpool_recover(): every GPU call in every way, every allocation, once and for ever. A
 * failed recovery leaves the pool on its old device as it was and nothing on the new one; the next
 * recovery brings everything back. And a script of three frames that loses its device at every call.
 */
#include "recover_world.h"

static recover_world world;

/* What must be as before after a recovery that failed. */
typedef struct fault_state {
    gpool_device *device;
    uint64_t versions[2];
    uint64_t objects[2]; /* alive on the old and on the new simulator */
    gpool_stats stats;
} fault_state;

static fault_state fault_look(void)
{
    fault_state look = {
        .device = gpool_pool_device(world.pool),
        .versions = { world_version(&world, world.h.points.id),
                      world_version(&world, world.h.picture.id) },
        .objects = { sim_live(world.sims[0], SIM_KIND_NONE),
                     sim_live(world.sims[1], SIM_KIND_NONE) },
    };
    assert_good(&world, gpool_get_stats(world.pool, &look.stats));
    return look;
}

static void fault_same(const fault_state *a, const fault_state *b, const char *where)
{
    if (a->device != b->device || memcmp(a->versions, b->versions, sizeof a->versions) != 0 ||
        memcmp(a->objects, b->objects, sizeof a->objects) != 0 ||
        memcmp(a->stats.live_bytes, b->stats.live_bytes, sizeof a->stats.live_bytes) != 0 ||
        memcmp(a->stats.live_count, b->stats.live_count, sizeof a->stats.live_count) != 0 ||
        a->stats.retired_count != b->stats.retired_count ||
        a->stats.cpu_bytes != b->stats.cpu_bytes || a->stats.bind_groups != b->stats.bind_groups) {
        fail_msg("%s: a failed recovery changed the pool: objects %llu %llu, before %llu %llu; CPU "
                 "bytes %llu, before %llu",
                 where, (unsigned long long)b->objects[0], (unsigned long long)b->objects[1],
                 (unsigned long long)a->objects[0], (unsigned long long)a->objects[1],
                 (unsigned long long)b->stats.cpu_bytes, (unsigned long long)a->stats.cpu_bytes);
    }
}

/* A world that lost its device, with something retired, and a new device. */
static gpool_device *fault_begin(int personality)
{
    world.limits = NULL;
    world.feature = NULL;
    world_begin(&world, personality == SIM_DAWN ? SIM_WGPU_NATIVE : SIM_DAWN);
    world_add_sim(&world, 1, (sim_personality)personality);
    assert_good(&world, world_frame(&world, 1));
    sim_lose(world.sims[0]);
    (void)world_frame(&world, 1);
    return world_open(&world, 1);
}

/* Whatever happened so far: the next recovery makes everything good. */
static void fault_end(const world_handles *before)
{
    gpool_recover_report report;
    world_add_sim(&world, 2, world.personalities[0]);
    assert_good(&world, world_recover(&world, world_open(&world, 2), &report));
    for (int kind = 0; kind < GPOOL_KIND_COUNT; ++kind) {
        assert_same(report.failed[kind], 0);
    }
    assert_same(report.lost, 0);
    assert_memory_equal(&world.h, before, sizeof *before);
    assert_good(&world, world_frame(&world, 2));
    world_check(&world, 2);
    world_end(&world);
}

/* Callbacks only write: what creates a resource runs before the swap. */
static bool fault_is_before_swap(int function)
{
    static const int creates[] = {
        GPOOL_GPU_DeviceCreateBuffer,         GPOOL_GPU_DeviceCreateTexture,
        GPOOL_GPU_DeviceCreateSampler,        GPOOL_GPU_DeviceCreateBindGroupLayout,
        GPOOL_GPU_DeviceCreatePipelineLayout, GPOOL_GPU_DeviceCreateShaderModule,
        GPOOL_GPU_DeviceCreateRenderPipeline, GPOOL_GPU_DeviceCreateComputePipeline,
    };
    bool found = false;
    for (size_t i = 0; i < UNIT_COUNT(creates); ++i) {
        found = found || creates[i] == function;
    }
    return found;
}

static uint32_t untold; /* losses that no recovery could know of */

/* Runs a recovery with the k-th GPU call failing; false when there is no such call. */
static bool fault_gpu_point(int personality, int way, uint64_t point, bool for_ever)
{
    char where[96];
    gpool_device *device = fault_begin(personality);
    world_handles handles = world.h;
    fault_state before = fault_look();
    gpool_recover_report report;
    sim_fail(world.sims[1], SIM_ANY_FUNCTION, point, (sim_way)way, for_ever);
    gpool_result result = world_recover(&world, device, &report);
    bool hit = sim_fail_hits(world.sims[1]) > 0;
    int failed = sim_fail_function(world.sims[1]);
    (void)snprintf(where, sizeof where, "personality %d, way %d, point %llu (%s)", personality, way,
                   (unsigned long long)point, sim_function_name(failed));
    sim_fail_none(world.sims[1]);
    bool moved = gpool_pool_device(world.pool) == device;
    if (!moved) {
        assert_true(result != GPOOL_OK);
        fault_state after = fault_look();
        fault_same(&before, &after, where);
        assert_same(gpool_begin_frame(world.pool), GPOOL_ERROR_DEVICE_LOST);
        gpool_device_release(device);
    } else if (result != GPOOL_OK) {
        assert_same(result, GPOOL_ERROR_DEVICE_LOST);
        assert_false(fault_is_before_swap(failed)); /* lost while callbacks ran */
    }
    if (hit && way == SIM_FAIL_LOST && result != GPOOL_OK) {
        assert_same(result, GPOOL_ERROR_DEVICE_LOST);
    } else if (hit && way == SIM_FAIL_LOST) {
        /* Lost in the last look itself, or in the release of what it looked with. */
        assert_true(failed == GPOOL_GPU_DeviceCreateCommandEncoder ||
                    failed == GPOOL_GPU_CommandEncoderFinish ||
                    failed == GPOOL_GPU_CommandEncoderRelease ||
                    failed == GPOOL_GPU_CommandBufferRelease);
        untold += 1;
    }
    if (!hit) {
        assert_good(&world, result);
        for (int kind = 0; kind < GPOOL_KIND_COUNT; ++kind) {
            assert_same(report.failed[kind], 0);
        }
    }
    fault_end(&handles);
    return hit;
}

static void every_gpu_call_of_a_recovery_may_fail(void **state)
{
    (void)state;
    uint64_t total = 0;
    for (int personality = SIM_WGPU_NATIVE; personality <= SIM_DAWN; ++personality) {
        for (int way = SIM_FAIL_NULL; way <= SIM_FAIL_LOST; ++way) {
            for (int for_ever = 0; for_ever < 2; ++for_ever) {
                uint64_t point = 1;
                while (fault_gpu_point(personality, way, point, for_ever != 0)) {
                    point += 1;
                }
                total += point - 1;
            }
        }
    }
    printf("fault points: %llu, losses untold: %u\n", (unsigned long long)total, untold);
    assert_true(untold <= 12);
    assert_true(total > 300);
}

static bool fault_memory_point(uint64_t point, bool for_ever)
{
    gpool_device *device = fault_begin(SIM_WGPU_NATIVE);
    world_handles handles = world.h;
    fault_state before = fault_look();
    uint64_t calls = world.books.calls;
    world.books.fail_at = calls + point;
    world.books.fail_for_ever = for_ever;
    gpool_recover_report report;
    gpool_result result = world_recover(&world, device, &report);
    bool hit = world.books.calls >= world.books.fail_at;
    world.books.fail_at = 0;
    if (hit) {
        assert_same(result, GPOOL_ERROR_OUT_OF_MEMORY);
        fault_state after = fault_look();
        fault_same(&before, &after, "memory");
        /* The same device serves for the next try. */
        assert_good(&world, world_recover(&world, device, &report));
        assert_same(report.refilled, 8);
        assert_good(&world, world_frame(&world, 3));
        world_check(&world, 3);
    } else {
        assert_good(&world, result);
    }
    fault_end(&handles);
    return hit;
}

static void every_allocation_of_a_recovery_may_fail(void **state)
{
    (void)state;
    uint64_t total = 0;
    for (int for_ever = 0; for_ever < 2; ++for_ever) {
        uint64_t point = 1;
        while (fault_memory_point(point, for_ever != 0)) {
            point += 1;
        }
        total += point - 1;
    }
    printf("allocations: %llu\n", (unsigned long long)total);
    assert_true(total > 10);
}

/* --- the script --- */

/* The next device, on a simulator that is not lost; faults are over then. */
static void script_recover(void)
{
    (void)gpool_end_frame(world.pool);
    sim_fail_none(world.sims[0]);
    gpool_device *device = world_open(&world, 0);
    assert_good(&world, world_recover(&world, device, NULL));
}

/* Frames 1 to 3 as a program does them that recovers and draws the frame again; then all is read. */
static void script_run(world_bytes *bytes, uint32_t *recoveries)
{
    gpool_result result = GPOOL_OK;
    *recoveries = 0;
    for (uint32_t number = 1; number <= 3; ++number) {
        for (uint32_t attempt = 0;; ++attempt) {
            assert_true(attempt < 3);
            result = world_frame(&world, number);
            if (number == 2 && result == GPOOL_OK) {
                result = gpool_buffer_resize(world.pool, world.h.zeros, 128);
            }
            if (result == GPOOL_OK && number == 3) {
                result = world_read(&world, bytes);
            }
            if (result == GPOOL_OK) {
                break;
            }
            /* One code from the first word of the loss on. */
            gpool_device_info info;
            assert_same(gpool_device_get_info(world.device, &info), GPOOL_OK);
            if (info.lost) {
                assert_same(gpool_begin_frame(world.pool), GPOOL_ERROR_DEVICE_LOST);
                script_recover();
                *recoveries += 1;
            }
        }
    }
}

static bool script_point(sim_personality personality, uint64_t point, const world_bytes *wanted)
{
    static world_bytes got;
    uint32_t recoveries = 0;
    world.limits = NULL;
    world.feature = NULL;
    world_begin(&world, personality);
    if (point > 0) {
        sim_fail(world.sims[0], SIM_ANY_FUNCTION, point, SIM_FAIL_LOST, false);
    }
    script_run(&got, &recoveries);
    bool hit = sim_fail_hits(world.sims[0]) > 0 || recoveries > 0;
    if (wanted != NULL && memcmp(&got, wanted, sizeof got) != 0) {
        fail_msg(
            "personality %d, lost at call %llu (%s), %u recoveries: not what an undisturbed run "
            "leaves",
            (int)personality, (unsigned long long)point,
            sim_function_name(sim_fail_function(world.sims[0])), recoveries);
    }
    assert_true(recoveries <= 1);
    world_end(&world);
    return hit;
}

static void a_loss_at_any_call_changes_no_picture(void **state)
{
    (void)state;
    uint64_t total = 0;
    static world_bytes wanted;
    world_expect(3, &wanted);
    for (sim_personality personality = SIM_WGPU_NATIVE; personality <= SIM_DAWN; ++personality) {
        (void)script_point(personality, 0, &wanted);
        uint64_t point = 1;
        while (script_point(personality, point, &wanted)) {
            point += 1;
        }
        total += point - 1;
    }
    printf("losses: %llu\n", (unsigned long long)total);
    assert_true(total > 200);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_gpu_call_of_a_recovery_may_fail),
        cmocka_unit_test(every_allocation_of_a_recovery_may_fail),
        cmocka_unit_test(a_loss_at_any_call_changes_no_picture),
    };
    return cmocka_run_group_tests_name("recover_faults", tests, NULL, NULL);
}
