/* Moves within a slab, on the simulator: through memory beside it, as no copy may have one buffer twice. */
#include "heap_world.h"

#define PARTS 8

typedef struct world {
    sim_pool p;
    gpool_heap heap;
    body b[PARTS]; /* every other one is gone */
} world;

static void open_with(world *w, void **state, gpool_keep keep, gpool_upload_way way)
{
    sim_desc desc = heap_manner(state);
    *w = (world){ .heap = { 0 } };
    sim_pool_open_upload(&w->p, &desc, &(gpool_upload_desc){ .force = way });
    w->heap = heap_make(&w->p, (gpool_heap_desc){ 0 });
    for (uint32_t i = 0; i < PARTS; ++i) {
        w->b[i] = body_plain(&w->p, w->heap, 1008, keep, i + 1);
    }
    sim_pool_frame(&w->p);
    for (int i = 0; i < PARTS; i += 2) {
        body_end(&w->p, &w->b[i]);
    }
    heap_free_all(&w->p);
    assert_int_equal(heap_info(&w->p, w->heap).slab_count, 1);
    assert_int_equal(heap_info(&w->p, w->heap).live_bytes, 4 * 1008);
}

static void check(world *w, const char *when)
{
    for (int i = 0; i < PARTS; ++i) {
        if (w->b[i].handle.id != 0) {
            body_same(&w->p, &w->b[i], when);
        }
    }
    assert_true(gpool__pool_validate(w->p.pool));
}

static void close_world(world *w)
{
    for (int i = 0; i < PARTS; ++i) {
        body_forget(&w->b[i]);
    }
    assert_same(gpool_heap_destroy(w->p.pool, w->heap), GPOOL_OK);
    sim_pool_close(&w->p, 0);
}

static void compact_frame(world *w, uint64_t budget)
{
    assert_same(gpool_heap_compact(w->p.pool, w->heap, budget), GPOOL_OK);
    sim_pool_frame(&w->p);
}

static void free_bytes_of_a_slab_become_one_range(void **state)
{
    static const uint64_t budgets[] = { 2016, 5000, 100000 };
    for (int keep = GPOOL_KEEP_SHADOW; keep <= GPOOL_KEEP_DROP; ++keep) {
        for (size_t b = 0; b < UNIT_COUNT(budgets); ++b) {
            world w;
            open_with(&w, state, (gpool_keep)keep, GPOOL_UPLOAD_AUTO);
            assert_true(heap_info(&w.p, w.heap).free_ranges >= 4);
            for (int i = 0; i < 40; ++i) {
                const gpool_heap_info before = heap_info(&w.p, w.heap);
                compact_frame(&w, budgets[b]);
                const gpool_heap_info now = heap_info(&w.p, w.heap);
                /* Both copies of each move count. */
                assert_true(now.copied_bytes - before.copied_bytes <= budgets[b]);
                assert_int_equal(now.copied_bytes, 2 * now.moved_bytes);
                check(&w, "while it is compacted");
            }
            const gpool_heap_info info = heap_info(&w.p, w.heap);
            assert_true(info.moves >= 2);
            assert_int_equal(info.retired_bytes, 0);
            assert_int_equal(info.free_bytes, HEAP_SLAB - 4 * 1008);
            assert_true(info.largest_free >= info.free_bytes / 16 * 15);
            close_world(&w);
        }
    }
}

static void writes_that_wait_follow_by_all_ways(void **state)
{
    for (int way = GPOOL_UPLOAD_AUTO; way < GPOOL_UPLOAD_COUNT; ++way) {
        world w;
        open_with(&w, state, GPOOL_KEEP_SHADOW, (gpool_upload_way)way);
        for (uint32_t i = 0; i < 12; ++i) {
            for (int k = 1; k < PARTS; k += 2) {
                body_write(&w.p, &w.b[k], GPOOL_MESH_VERTICES, i * 7, 3 + i * 60, i * 10 + 1);
            }
            compact_frame(&w, 2500);
            check(&w, gpool_upload_way_name((gpool_upload_way)way));
        }
        assert_true(heap_info(&w.p, w.heap).moves >= 2);
        close_world(&w);
    }
}

static void pinned_mesh_has_others_move_around_it(void **state)
{
    world w;
    open_with(&w, state, GPOOL_KEEP_DROP, GPOOL_UPLOAD_AUTO);
    assert_same(gpool_mesh_pin(w.p.pool, w.b[3].handle, true), GPOOL_OK);
    const gpool_mesh_info before = body_info(&w.p, &w.b[3]);
    for (int i = 0; i < 20; ++i) {
        compact_frame(&w, 100000);
        check(&w, "around a pinned mesh");
    }
    const gpool_mesh_info now = body_info(&w.p, &w.b[3]);
    assert_int_equal(now.vertex_offset, before.vertex_offset);
    assert_int_equal(now.version, before.version);
    assert_true(heap_info(&w.p, w.heap).moves > 0);
    close_world(&w);
}

static void memory_beside_is_counted_and_goes_when_nobody_uses_it(void **state)
{
    world w;
    open_with(&w, state, GPOOL_KEEP_SHADOW, GPOOL_UPLOAD_DIRECT);
    const uint64_t internal = sim_pool_stats(&w.p).internal_bytes;
    const uint64_t kept = sim_kept(w.p.s, SIM_KIND_BUFFER);
    compact_frame(&w, 100000);
    assert_true(heap_info(&w.p, w.heap).moves > 0);
    assert_int_equal(sim_pool_stats(&w.p).internal_bytes, internal + 65536);
    assert_int_equal(sim_kept(w.p.s, SIM_KIND_BUFFER), kept + 1);
    int frames = 0;
    while (sim_pool_stats(&w.p).internal_bytes > internal) {
        assert_true(frames++ < 100);
        sim_pool_frame(&w.p);
    }
    assert_int_equal(frames, 61);
    sim_pool_frame(&w.p);
    assert_int_equal(sim_kept(w.p.s, SIM_KIND_BUFFER), kept);
    close_world(&w);
}

static void failure_of_a_move_leaves_all_as_it_was(void **state)
{
    static const int functions[] = { GPOOL_GPU_DeviceCreateBuffer,
                                     GPOOL_GPU_DeviceCreateCommandEncoder, GPOOL_GPU_QueueSubmit };
    for (int keep = GPOOL_KEEP_SHADOW; keep <= GPOOL_KEEP_DROP; ++keep) {
        for (size_t i = 0; i < UNIT_COUNT(functions); ++i) {
            world w;
            open_with(&w, state, (gpool_keep)keep, GPOOL_UPLOAD_AUTO);
            const gpool_heap_info before = heap_info(&w.p, w.heap);
            assert_same(gpool_heap_compact(w.p.pool, w.heap, 100000), GPOOL_OK);
            sim_fail(w.p.s, functions[i], 1, SIM_FAIL_VALIDATION, false);
            assert_same(gpool_begin_frame(w.p.pool), GPOOL_OK);
            assert_int_equal(sim_fail_hits(w.p.s), 1);
            sim_fail_none(w.p.s);
            heap_same(&w.p, w.heap, &before);
            body fresh = body_plain(&w.p, w.heap, 1008, (gpool_keep)keep, 99);
            assert_same(gpool_end_frame(w.p.pool), GPOOL_OK);
            check(&w, "after a failure");
            body_same(&w.p, &fresh, "after a failure");
            body_end(&w.p, &fresh);
            for (int k = 0; k < 10; ++k) {
                compact_frame(&w, 100000);
                check(&w, "in the end");
            }
            assert_true(heap_info(&w.p, w.heap).moves > 0);
            close_world(&w);
        }
        /* And for want of memory, at each point. */
        for (uint64_t k = 1; k < 12; ++k) {
            world w;
            open_with(&w, state, (gpool_keep)keep, GPOOL_UPLOAD_AUTO);
            assert_same(gpool_heap_compact(w.p.pool, w.heap, 100000), GPOOL_OK);
            w.p.allocator.fail_at = w.p.allocator.calls + k;
            (void)gpool_begin_frame(w.p.pool);
            w.p.allocator.fail_at = 0;
            check(&w, "without memory");
            (void)gpool_end_frame(w.p.pool);
            check(&w, "without memory");
            close_world(&w);
        }
    }
}

/* A submit that could not be made leaves its commands for the next one. Copies of moves that were taken
 * back must not come over what was written to the same places since. */
static void what_is_written_after_a_failed_move_stays(void **state)
{
    uint64_t failed = 0;
    for (int keep = GPOOL_KEEP_SHADOW; keep <= GPOOL_KEEP_DROP; ++keep) {
        for (int way = SIM_FAIL_NULL; way <= SIM_FAIL_OUT_OF_MEMORY; ++way) {
            uint64_t hits = 1;
            for (uint64_t k = 1; hits > 0; ++k) {
                world w;
                open_with(&w, state, (gpool_keep)keep, GPOOL_UPLOAD_MERGED);
                if (keep == GPOOL_KEEP_SHADOW) {
                    /* In the batch: the submit unmaps memory, and looks for a loss after that. */
                    body_write(&w.p, &w.b[1], GPOOL_MESH_VERTICES, 0, 1008, 77);
                    assert_same(gpool__upload_flush(w.p.pool), GPOOL_OK);
                } else {
                    atomic_store(&w.p.device->events->suspect, true);
                }
                assert_same(gpool_heap_compact(w.p.pool, w.heap, 100000), GPOOL_OK);
                sim_fail(w.p.s, SIM_ANY_FUNCTION, k, (sim_way)way, false);
                gpool_result begun = gpool_begin_frame(w.p.pool);
                hits = sim_fail_hits(w.p.s);
                sim_fail_none(w.p.s);
                failed += heap_info(&w.p, w.heap).moves == 0;
                if (begun != GPOOL_OK) {
                    assert_same(gpool_begin_frame(w.p.pool), GPOOL_OK);
                }
                body fresh[PARTS / 2];
                for (int i = 0; i < PARTS / 2; ++i) {
                    fresh[i] = body_plain(&w.p, w.heap, 1008, (gpool_keep)keep, 90 + (uint64_t)i);
                }
                assert_same(gpool_end_frame(w.p.pool), GPOOL_OK);
                check(&w, "after a failure");
                for (int i = 0; i < PARTS / 2; ++i) {
                    body_same(&w.p, &fresh[i], "written after a failure");
                    body_end(&w.p, &fresh[i]);
                }
                close_world(&w);
            }
        }
    }
    assert_true(failed > 0);
}

/* Slabs as large as the buffers of the device may be: the memory beside them is no larger. */
static void moves_of_many_slabs_fit_beside_them(void **state)
{
    static const WGPULimits limits = { .maxBufferSize = HEAP_SLAB };
    static body bodies[8 * HEAP_SLAB / 128];
    sim_desc desc = heap_manner(state);
    desc.limits = &limits;
    sim_pool p;
    sim_pool_open_upload(&p, &desc, &(gpool_upload_desc){ .force = GPOOL_UPLOAD_DIRECT });
    gpool_heap heap = heap_make(&p, (gpool_heap_desc){ 0 });
    for (uint32_t i = 0; i < UNIT_COUNT(bodies); ++i) {
        bodies[i] = body_plain(&p, heap, 128, GPOOL_KEEP_DROP, i + 1);
    }
    sim_pool_frame(&p);
    /* Ten holes in each slab: more than it takes to fill the memory, too few to empty a slab. */
    for (uint32_t i = 0; i < UNIT_COUNT(bodies); ++i) {
        if (i % 64 % 6 == 1 && i % 64 < 60) {
            body_end(&p, &bodies[i]);
        }
    }
    heap_free_all(&p);
    for (int i = 0; i < 20; ++i) {
        assert_same(gpool_heap_compact(p.pool, heap, UINT64_MAX), GPOOL_OK);
        sim_pool_frame(&p);
        assert_true(sim_pool_stats(&p).internal_bytes <= HEAP_SLAB);
    }
    assert_true(heap_info(&p, heap).moves > 0);
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_GPU_ERROR), 0);
    for (uint32_t i = 0; i < UNIT_COUNT(bodies); ++i) {
        if (bodies[i].handle.id != 0) {
            body_same(&p, &bodies[i], "in the end");
        }
        body_end(&p, &bodies[i]);
    }
    assert_same(gpool_heap_destroy(p.pool, heap), GPOOL_OK);
    sim_pool_close(&p, 0);
}

/* All moves of a frame are beside the slab at once, each in a place of its own. */
static void memory_beside_holds_all_moves_of_a_frame(void **state)
{
    sim_pool p;
    sim_desc desc = heap_manner(state);
    sim_pool_open(&p, &desc);
    gpool_heap heap = heap_make(&p, (gpool_heap_desc){ .slab_size = 1u << 20 });
    body b[32];
    for (uint32_t i = 0; i < 32; ++i) {
        b[i] = body_plain(&p, heap, 30000, GPOOL_KEEP_DROP, i + 1);
    }
    sim_pool_frame(&p);
    for (int i = 0; i < 32; i += 2) {
        body_end(&p, &b[i]);
    }
    heap_free_all(&p);
    for (int i = 0; i < 10; ++i) {
        assert_same(gpool_heap_compact(p.pool, heap, UINT64_MAX), GPOOL_OK);
        sim_pool_frame(&p);
        for (int k = 1; k < 32; k += 2) {
            body_same(&p, &b[k], "moved with others");
        }
    }
    assert_true(heap_info(&p, heap).moves >= 2);
    for (int i = 1; i < 32; i += 2) {
        body_forget(&b[i]);
    }
    assert_same(gpool_heap_destroy(p.pool, heap), GPOOL_OK);
    sim_pool_close(&p, 0);
}

/* What was made of memory that others had before is cleared before anything is copied to it. */
static void slab_of_recycled_memory_is_cleared_before_the_moves(void **state)
{
    sim_pool p;
    sim_desc desc = heap_manner(state);
    sim_pool_open_with(&p, &desc, &(gpool_upload_desc){ 0 }, (gpool_recycle_desc){ 0 });
    for (int round = 0; round < 3; ++round) {
        /* Large: such memory is cleared by commands, not by the queue. */
        gpool_heap heap =
            heap_make(&p, (gpool_heap_desc){ .slab_size = 262144, .empty_frames = 1 });
        body dirt = body_plain(&p, heap, 4096, GPOOL_KEEP_DROP, 7);
        sim_pool_frame(&p);
        body_end(&p, &dirt);
        heap_free_all(&p);
        assert_int_equal(heap_info(&p, heap).slab_count, 0);
        /* A mesh of zeros and one that grows in the slab that comes back. */
        body zeros = body_plain(&p, heap, 1024, GPOOL_KEEP_DROP, 0);
        body grows = body_plain(&p, heap, 512, GPOOL_KEEP_DROP, 8);
        assert_same(gpool_mesh_resize(p.pool, grows.handle, 100, 0), GPOOL_OK);
        uint8_t *bytes = calloc(1, 1604);
        assert_non_null(bytes);
        memcpy(bytes, grows.bytes[GPOOL_MESH_VERTICES], 512);
        free(grows.bytes[GPOOL_MESH_VERTICES]);
        grows.bytes[GPOOL_MESH_VERTICES] = bytes;
        grows.sizes[GPOOL_MESH_VERTICES] = 1600;
        sim_pool_frame(&p);
        body_same(&p, &zeros, "zeros");
        body_same(&p, &grows, "grown");
        body_end(&p, &zeros);
        body_end(&p, &grows);
        /* And one whose first command is the copy of what a mesh keeps. */
        dirt = body_plain(&p, heap, 200000, GPOOL_KEEP_DROP, 9);
        sim_pool_frame(&p);
        body_end(&p, &dirt);
        heap_free_all(&p);
        grows = body_plain(&p, heap, 1024, GPOOL_KEEP_DROP, 10);
        sim_pool_frame(&p);
        assert_same(gpool_mesh_resize(p.pool, grows.handle, 200000 / 16, 0), GPOOL_OK);
        bytes = calloc(1, 200004);
        assert_non_null(bytes);
        memcpy(bytes, grows.bytes[GPOOL_MESH_VERTICES], 1024);
        free(grows.bytes[GPOOL_MESH_VERTICES]);
        grows.bytes[GPOOL_MESH_VERTICES] = bytes;
        grows.sizes[GPOOL_MESH_VERTICES] = 200000;
        sim_pool_frame(&p);
        body_same(&p, &grows, "grown into recycled memory");
        body_end(&p, &grows);
        assert_same(gpool_heap_destroy(p.pool, heap), GPOOL_OK);
        heap_free_all(&p);
    }
    sim_pool_close(&p, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HEAP_BOTH(free_bytes_of_a_slab_become_one_range),
        HEAP_BOTH(writes_that_wait_follow_by_all_ways),
        HEAP_BOTH(pinned_mesh_has_others_move_around_it),
        HEAP_BOTH(memory_beside_is_counted_and_goes_when_nobody_uses_it),
        HEAP_BOTH(failure_of_a_move_leaves_all_as_it_was),
        HEAP_BOTH(what_is_written_after_a_failed_move_stays),
        HEAP_BOTH(moves_of_many_slabs_fit_beside_them),
        HEAP_BOTH(memory_beside_holds_all_moves_of_a_frame),
        HEAP_BOTH(slab_of_recycled_memory_is_cleared_before_the_moves),
    };
    return cmocka_run_group_tests_name("sim_heap_beside", tests, NULL, NULL);
}
