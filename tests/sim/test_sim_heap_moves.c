/* Compaction, on the simulator: what moves, what stays, what follows, who is told. */
#include "heap_world.h"

#define TOLD 64u

typedef struct world {
    sim_pool p;
    gpool_heap heap;
    body kept[4];   /* in slab 0, which has 4 KiB free */
    body movers[5]; /* alone in slab 1 */
    uint32_t told_count;
    gpool_mesh told[TOLD];
    gpool_mesh_info infos[TOLD];
    void (*on_moved)(struct world *w, gpool_mesh mesh);
} world;

static void on_moved(void *user, gpool *pool, gpool_mesh mesh, const gpool_mesh_info *info)
{
    world *w = user;
    assert_ptr_equal(pool, w->p.pool);
    assert_true(w->told_count < TOLD);
    w->infos[w->told_count] = *info;
    w->told[w->told_count++] = mesh;
    if (w->on_moved != NULL) {
        w->on_moved(w, mesh);
    }
}

static uint32_t told(const world *w, gpool_mesh mesh)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < w->told_count; ++i) {
        count += w->told[i].id == mesh.id ? 1 : 0;
    }
    return count;
}

static void open_way(world *w, void **state, gpool_keep keep, gpool_upload_way way,
                     gpool_heap_desc desc)
{
    sim_desc manner = heap_manner(state);
    *w = (world){ .told_count = 0 };
    sim_pool_open_upload(&w->p, &manner, &(gpool_upload_desc){ .force = way });
    desc.moved = on_moved;
    desc.moved_user = w;
    desc.empty_frames = 3;
    w->heap = heap_make(&w->p, desc);
    body gone[4];
    for (uint32_t i = 0; i < 4; ++i) {
        gone[i] = body_plain(&w->p, w->heap, 1024, keep, 90 + i);
    }
    for (uint32_t i = 0; i < 4; ++i) {
        w->kept[i] = body_plain(&w->p, w->heap, 1024, keep, 10 + i);
    }
    /* Both parts, strides that are no powers of two, an odd number of short indices. */
    static const uint32_t strides[] = { 12, 20, 36, 4, 100 };
    for (uint32_t i = 0; i < 5; ++i) {
        gpool_mesh_desc mesh = { .heap = w->heap,
                                 .vertex_count = 5 + i,
                                 .vertex_stride = strides[i],
                                 .index_count = i == 3 ? 0 : 21 + i,
                                 .index_format = WGPUIndexFormat_Uint16,
                                 .keep = keep };
        w->movers[i] = body_make(&w->p, mesh, 20 + i);
    }
    sim_pool_frame(&w->p);
    for (int i = 0; i < 4; ++i) {
        body_end(&w->p, &gone[i]);
    }
    if (desc.compact_bytes == 0) {
        heap_free_all(&w->p);
        assert_int_equal(heap_info(&w->p, w->heap).slab_count, 2);
        assert_int_not_equal(body_info(&w->p, &w->movers[0]).vertex_buffer.id,
                             body_info(&w->p, &w->kept[0]).vertex_buffer.id);
    }
}

static void open(world *w, void **state, gpool_keep keep)
{
    open_way(w, state, keep, GPOOL_UPLOAD_AUTO, (gpool_heap_desc){ 0 });
}

static void check(world *w, const char *when)
{
    for (int i = 0; i < 5; ++i) {
        if (w->movers[i].handle.id != 0) {
            body_same(&w->p, &w->movers[i], when);
        }
        if (i < 4 && w->kept[i].handle.id != 0) {
            body_same(&w->p, &w->kept[i], when);
        }
    }
    assert_true(gpool__pool_validate(w->p.pool));
}

static void close_world(world *w)
{
    for (int i = 0; i < 5; ++i) {
        body_forget(&w->movers[i]);
        body_forget(&w->kept[i % 4]);
    }
    (void)gpool_heap_destroy(w->p.pool, w->heap);
    sim_pool_close(&w->p, 0);
}

static void compact_frame(world *w, uint64_t budget)
{
    assert_same(gpool_heap_compact(w->p.pool, w->heap, budget), GPOOL_OK);
    sim_pool_frame(&w->p);
}

static bool is_in_first(world *w, const body *b)
{
    return body_info(&w->p, b).vertex_buffer.id == heap_slab(&w->p, w->heap, 0).buffer.id;
}

static void parts_leave_the_emptiest_slab_which_goes(void **state)
{
    for (int keep = GPOOL_KEEP_SHADOW; keep <= GPOOL_KEEP_DROP; ++keep) {
        world w;
        open(&w, state, (gpool_keep)keep);
        const gpool_mesh_info old = body_info(&w.p, &w.movers[0]);
        const uint64_t bytes = heap_info(&w.p, w.heap).live_bytes;
        compact_frame(&w, 100000);
        gpool_heap_info info = heap_info(&w.p, w.heap);
        assert_int_equal(info.moves, 9);
        assert_int_equal(info.live_bytes, bytes);
        assert_int_equal(info.live_bytes - 4096, info.moved_bytes);
        assert_int_equal(info.copied_bytes, info.moved_bytes);
        assert_int_equal(info.retired_bytes, info.moved_bytes); /* the GPU may read them */
        assert_int_equal(w.told_count, 5);
        for (int i = 0; i < 5; ++i) {
            assert_int_equal(told(&w, w.movers[i].handle), 1);
            assert_true(is_in_first(&w, &w.movers[i]));
        }
        const gpool_mesh_info now = body_info(&w.p, &w.movers[0]);
        assert_int_equal(now.version, old.version + 2); /* of two parts */
        assert_int_equal(w.infos[0].heap.id, w.heap.id);
        for (uint32_t i = 0; i < w.told_count; ++i) {
            const gpool_mesh_info *told_info = &w.infos[i];
            gpool_mesh_info is;
            assert_same(gpool_mesh_get_info(w.p.pool, w.told[i], &is), GPOOL_OK);
            assert_int_equal(told_info->version, is.version);
            assert_int_equal(told_info->vertex_offset, is.vertex_offset);
            assert_int_equal(told_info->index_offset, is.index_offset);
            assert_int_equal(told_info->index_buffer.id, is.index_buffer.id);
        }
        check(&w, "after the moves");
        sim_pool_frame(&w.p);
        for (int i = 0; i < 10; ++i) {
            compact_frame(&w, 100000);
        }
        info = heap_info(&w.p, w.heap);
        assert_int_equal(info.moves, 9);
        assert_int_equal(info.slab_count, 1);
        assert_int_equal(info.retired_bytes, 0);
        assert_int_equal(w.told_count, 5);
        check(&w, "when the slab is gone");
        close_world(&w);
    }
}

static void what_a_part_left_waits_for_the_gpu_and_the_delay(void **state)
{
    world w;
    open(&w, state, GPOOL_KEEP_SHADOW);
    const gpool_mesh_info old = body_info(&w.p, &w.movers[4]);
    assert_same(gpool_heap_compact(w.p.pool, w.heap, 100000), GPOOL_OK);
    sim_set_completion(w.p.s, SIM_COMPLETE_MANUALLY, 0);
    sim_pool_frame(&w.p);
    const uint64_t retired = heap_info(&w.p, w.heap).retired_bytes;
    assert_true(retired > 0);
    sim_pool_frame(&w.p);
    heap_gpu_same(&w.p, old.vertex_buffer, old.vertex_offset,
                  w.movers[4].bytes[GPOOL_MESH_VERTICES], old.vertex_bytes, "the old place");
    assert_int_equal(heap_info(&w.p, w.heap).retired_bytes, retired);
    (void)sim_complete(w.p.s, SIM_ALL);
    sim_set_completion(w.p.s, SIM_COMPLETE_AT_SUBMIT, 0);
    sim_pool_frame(&w.p);
    assert_int_equal(heap_info(&w.p, w.heap).retired_bytes, 0);
    check(&w, "after the delay");
    close_world(&w);
}

static void write_that_was_not_sent_follows_by_all_ways(void **state)
{
    for (int way = GPOOL_UPLOAD_AUTO; way < GPOOL_UPLOAD_COUNT; ++way) {
        for (int fixed = 0; fixed < 3; ++fixed) {
            world w;
            open_way(&w, state, GPOOL_KEEP_SHADOW, (gpool_upload_way)way, (gpool_heap_desc){ 0 });
            /* Neighbours that stay, in granules that are left, have unsent bytes of theirs, too. */
            if (fixed == 1) {
                assert_same(gpool_mesh_pin(w.p.pool, w.movers[1].handle, true), GPOOL_OK);
                assert_same(gpool_mesh_pin(w.p.pool, w.movers[3].handle, true), GPOOL_OK);
            } else if (fixed == 2) { /* the next one comes to the very start of a slab */
                assert_same(gpool_mesh_pin(w.p.pool, w.movers[0].handle, true), GPOOL_OK);
            }
            for (uint64_t i = 0; i < 5; ++i) {
                const uint64_t size = w.movers[i].sizes[GPOOL_MESH_VERTICES];
                body_write(&w.p, &w.movers[i], GPOOL_MESH_VERTICES, i, size - 2 * i, 40 + i);
                if (i != 3) {
                    body_write(&w.p, &w.movers[i], GPOOL_MESH_INDICES, 1, 3 + i, 50 + i);
                }
            }
            body_write(&w.p, &w.kept[2], GPOOL_MESH_VERTICES, 1000, 24, 60);
            compact_frame(&w, 100000);
            assert_int_equal(heap_info(&w.p, w.heap).moves, fixed == 0 ? 9 : fixed == 1 ? 6 : 7);
            check(&w, gpool_upload_way_name((gpool_upload_way)way));
            /* And between begin_frame and submit; also a change back, which is no equal write. */
            for (uint64_t i = 0; i < 5; ++i) {
                body_write(&w.p, &w.movers[i], GPOOL_MESH_VERTICES, 3, 7, 70 + i);
            }
            compact_frame(&w, 100000);
            check(&w, "the frame after");
            heap_free_all(&w.p);
            check(&w, "later");
            close_world(&w);
        }
    }
}

static void write_between_begin_frame_and_submit_lands(void **state)
{
    for (int keep = GPOOL_KEEP_SHADOW; keep <= GPOOL_KEEP_DROP; ++keep) {
        world w;
        open(&w, state, (gpool_keep)keep);
        gpool_buffer target = sim_pool_buffer(&w.p, (gpool_scope){ 0 }, 256, "target");
        assert_same(gpool_heap_compact(w.p.pool, w.heap, 100000), GPOOL_OK);
        assert_same(gpool_begin_frame(w.p.pool), GPOOL_OK);
        assert_int_equal(heap_info(&w.p, w.heap).moves, 9);
        const gpool_mesh_info info = body_info(&w.p, &w.movers[2]);
        gpool_copy_buffer(gpool_frame_recorder(w.p.pool), info.vertex_buffer, info.vertex_offset,
                          target, 0, 252);
        for (uint64_t i = 0; i < 5; ++i) {
            body_write(&w.p, &w.movers[i], GPOOL_MESH_VERTICES, 4, 16, 30 + i);
        }
        assert_same(gpool_end_frame(w.p.pool), GPOOL_OK);
        check(&w, "written in the frame of the moves");
        uint8_t got[252];
        assert_same(gpool_buffer_read(w.p.pool, target, 0, got, sizeof got), GPOOL_OK);
        assert_memory_equal(got, w.movers[2].bytes[GPOOL_MESH_VERTICES], sizeof got);
        assert_same(gpool_buffer_destroy(w.p.pool, target), GPOOL_OK);
        close_world(&w);
    }
}

/* --- ends during moves --- */

static void end_itself(world *w, gpool_mesh mesh)
{
    assert_same(gpool_mesh_destroy(w->p.pool, mesh), GPOOL_OK);
}

static void end_all(world *w, gpool_mesh mesh)
{
    (void)mesh;
    for (int i = 0; i < 5 && w->told_count == 1; ++i) {
        assert_same(gpool_mesh_destroy(w->p.pool, w->movers[i].handle), GPOOL_OK);
    }
}

static void end_heap(world *w, gpool_mesh mesh)
{
    (void)mesh;
    if (w->told_count == 1) {
        assert_same(gpool_heap_destroy(w->p.pool, w->heap), GPOOL_OK);
    }
}

static void release_others(world *w, gpool_mesh mesh)
{
    for (int i = 0; i < 5 && w->told_count == 1; ++i) {
        if (w->movers[i].handle.id != mesh.id) {
            assert_same(gpool_release(w->p.pool, w->movers[i].handle.id), GPOOL_OK);
        }
    }
}

static void *end_run(void *user)
{
    world *w = user;
    for (int i = 0; i < 5; ++i) {
        (void)gpool_mesh_destroy(w->p.pool, w->movers[i].handle);
    }
    return NULL;
}

static void end_elsewhere(world *w, gpool_mesh mesh)
{
    (void)mesh;
    if (w->told_count == 1) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, end_run, w), 0);
        assert_int_equal(pthread_join(thread, NULL), 0);
    }
}

static void mesh_may_end_while_it_moves(void **state)
{
    static const struct {
        void (*end)(world *w, gpool_mesh mesh);
        uint32_t told;
        uint32_t left;
    } ways[] = { { end_itself, 5, 0 },
                 { end_all, 1, 0 },
                 { release_others, 1, 1 },
                 { end_heap, 5, 0 },
                 { end_elsewhere, 1, 0 } };
    for (int keep = GPOOL_KEEP_SHADOW; keep <= GPOOL_KEEP_DROP; ++keep) {
        for (size_t i = 0; i < UNIT_COUNT(ways); ++i) {
            world w;
            open(&w, state, (gpool_keep)keep);
            w.on_moved = ways[i].end;
            assert_same(gpool_heap_compact(w.p.pool, w.heap, 100000), GPOOL_OK);
            assert_same(gpool_begin_frame(w.p.pool), GPOOL_OK);
            /* Nobody is told of what is dead. */
            assert_int_equal(w.told_count, ways[i].told);
            for (uint32_t k = 0; k < w.told_count; ++k) {
                assert_int_equal(told(&w, w.told[k]), 1);
                uint32_t found = 0;
                for (int b = 0; b < 5; ++b) {
                    found += w.movers[b].handle.id == w.told[k].id ? 1 : 0;
                }
                assert_int_equal(found, 1);
            }
            uint32_t left = 0;
            for (int k = 0; k < 5; ++k) {
                gpool_mesh_info info;
                if (gpool_mesh_get_info(w.p.pool, w.movers[k].handle, &info) == GPOOL_OK &&
                    ways[i].end != end_heap) {
                    left += 1;
                } else {
                    body_forget(&w.movers[k]);
                }
            }
            if (ways[i].end == end_heap) {
                assert_same(gpool_end_frame(w.p.pool), GPOOL_OK);
                assert_int_equal(sim_pool_stats(&w.p).live_count[GPOOL_KIND_MESH], 0);
                for (int k = 0; k < 4; ++k) {
                    body_forget(&w.kept[k]);
                }
            } else {
                assert_int_equal(left, ways[i].left);
                assert_same(gpool_end_frame(w.p.pool), GPOOL_OK);
                check(&w, "after ends");
                assert_int_equal(heap_info(&w.p, w.heap).mesh_count, 4 + left);
            }
            w.on_moved = NULL;
            for (int k = 0; k < 8; ++k) {
                sim_pool_frame(&w.p);
            }
            assert_int_equal(sim_pool_stats(&w.p).retired_count, 0);
            if (ways[i].end != end_heap) {
                assert_int_equal(heap_info(&w.p, w.heap).retired_bytes, 0);
                assert_int_equal(heap_info(&w.p, w.heap).slab_count, 1);
                check(&w, "later");
            }
            close_world(&w);
        }
    }
}

static void mesh_destroyed_by_another_thread_before_the_frame_does_not_move(void **state)
{
    world w;
    open(&w, state, GPOOL_KEEP_SHADOW);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, end_run, &w), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    compact_frame(&w, 100000);
    assert_int_equal(heap_info(&w.p, w.heap).moves, 0);
    assert_int_equal(w.told_count, 0);
    close_world(&w);
}

static void make_one(world *w, gpool_mesh mesh)
{
    gpool_mesh_info info;
    gpool *pool = w->p.pool;
    assert_same(gpool_mesh_get_info(pool, mesh, &info), GPOOL_ERROR_WRONG_PHASE);
    assert_same(gpool_mesh_write(pool, mesh, GPOOL_MESH_VERTICES, 0, "abcd", 4),
                GPOOL_ERROR_WRONG_PHASE);
    assert_same(gpool_mesh_resize(pool, mesh, 1, 1), GPOOL_ERROR_WRONG_PHASE);
    assert_same(gpool_mesh_pin(pool, mesh, true), GPOOL_ERROR_WRONG_PHASE);
    assert_same(gpool_heap_compact(pool, w->heap, 1), GPOOL_ERROR_WRONG_PHASE);
    assert_int_equal(gpool_heap_create(pool, NULL).id, 0);
    assert_int_equal(gpool_mesh_create(pool, &(gpool_mesh_desc){ .index_count = 4 }).id, 0);
    assert_same(gpool_retain(pool, mesh.id), GPOOL_OK);
    assert_same(gpool_release(pool, mesh.id), GPOOL_OK);
}

static void callback_changes_nothing_but_the_ends_of_handles(void **state)
{
    world w;
    open(&w, state, GPOOL_KEEP_SHADOW);
    w.on_moved = make_one;
    compact_frame(&w, 100000);
    assert_int_equal(w.told_count, 5);
    check(&w, "after calls in the callback");
    close_world(&w);
}

/* --- what stays, and when it ends --- */

static void pinned_mesh_stays(void **state)
{
    world w;
    open(&w, state, GPOOL_KEEP_DROP);
    const gpool_mesh_info old = body_info(&w.p, &w.movers[2]);
    assert_same(gpool_mesh_pin(w.p.pool, w.movers[2].handle, true), GPOOL_OK);
    for (int i = 0; i < 10; ++i) {
        compact_frame(&w, 100000);
    }
    gpool_mesh_info info = body_info(&w.p, &w.movers[2]);
    assert_true(info.pinned);
    assert_int_equal(info.version, old.version);
    assert_int_equal(info.vertex_buffer.id, old.vertex_buffer.id);
    assert_int_equal(info.vertex_offset, old.vertex_offset);
    assert_int_equal(info.index_offset, old.index_offset);
    assert_int_equal(told(&w, w.movers[2].handle), 0);
    assert_int_equal(heap_info(&w.p, w.heap).moves, 7);
    assert_int_equal(heap_info(&w.p, w.heap).slab_count, 2);
    check(&w, "around a pinned mesh");
    /* It can go when it is let go; something must have changed for it to be tried again. */
    assert_same(gpool_mesh_pin(w.p.pool, w.movers[2].handle, false), GPOOL_OK);
    for (int i = 0; i < 10; ++i) {
        compact_frame(&w, 100000);
    }
    assert_int_equal(heap_info(&w.p, w.heap).slab_count, 1);
    assert_int_equal(told(&w, w.movers[2].handle), 1);
    check(&w, "unpinned");
    close_world(&w);
}

/* A slab that cannot be emptied does not keep others from it. */
static void next_slab_is_emptied_when_the_emptiest_cannot_be(void **state)
{
    sim_pool p;
    sim_desc manner = heap_manner(state);
    sim_pool_open(&p, &manner);
    gpool_heap heap = heap_make(&p, (gpool_heap_desc){ .empty_frames = 1 });
    body b[24];
    for (uint32_t i = 0; i < 24; ++i) { /* eight to a slab */
        b[i] = body_plain(&p, heap, 1024, GPOOL_KEEP_SHADOW, i + 1);
    }
    assert_same(gpool_mesh_pin(p.pool, b[8].handle, true), GPOOL_OK);
    sim_pool_frame(&p);
    /* Left are five, the pinned one, and two, which have room beside the five. */
    for (int i = 5; i < 22; ++i) {
        if (i != 8) {
            body_end(&p, &b[i]);
        }
    }
    heap_free_all(&p);
    assert_int_equal(heap_info(&p, heap).slab_count, 3);
    const gpool_buffer third = body_info(&p, &b[22]).vertex_buffer;
    for (int i = 0; i < 12; ++i) {
        assert_same(gpool_heap_compact(p.pool, heap, 100000), GPOOL_OK);
        sim_pool_frame(&p);
    }
    assert_int_not_equal(body_info(&p, &b[22]).vertex_buffer.id, third.id);
    assert_int_equal(heap_info(&p, heap).slab_count, 2);
    for (int i = 0; i < 24; ++i) {
        if (b[i].handle.id != 0) {
            body_same(&p, &b[i], "around a slab that stays");
        }
        body_forget(&b[i]);
    }
    assert_same(gpool_heap_destroy(p.pool, heap), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void parts_larger_than_the_budget_stay(void **state)
{
    world w;
    open(&w, state, GPOOL_KEEP_SHADOW);
    /* 9 parts, of which the vertices of 252 and of 900 bytes are larger. */
    for (int i = 0; i < 30; ++i) {
        const uint64_t before = heap_info(&w.p, w.heap).copied_bytes;
        compact_frame(&w, 200);
        assert_true(heap_info(&w.p, w.heap).copied_bytes - before <= 200);
        check(&w, "under a small budget");
    }
    assert_int_equal(heap_info(&w.p, w.heap).moves, 7);
    assert_false(is_in_first(&w, &w.movers[2]));
    assert_false(is_in_first(&w, &w.movers[4]));
    assert_int_equal(heap_info(&w.p, w.heap).slab_count, 2);
    for (int i = 0; i < 10; ++i) {
        compact_frame(&w, 900);
    }
    assert_int_equal(heap_info(&w.p, w.heap).slab_count, 1);
    check(&w, "under one that is enough");
    close_world(&w);
}

static void budget_of_the_descriptor_moves_each_frame_until_it_is_done(void **state)
{
    world w;
    open_way(&w, state, GPOOL_KEEP_SHADOW, GPOOL_UPLOAD_AUTO,
             (gpool_heap_desc){ .compact_bytes = 1000 });
    uint64_t before = heap_info(&w.p, w.heap).copied_bytes;
    for (int i = 0; i < 20; ++i) {
        sim_pool_frame(&w.p);
        const uint64_t now = heap_info(&w.p, w.heap).copied_bytes;
        assert_true(now - before <= 1000);
        before = now;
        check(&w, "moved by itself");
    }
    assert_int_equal(heap_info(&w.p, w.heap).slab_count, 1);
    assert_int_equal(heap_info(&w.p, w.heap).moves, 9);
    const uint64_t calls = sim_call_count(w.p.s, SIM_ANY_FUNCTION);
    sim_pool_frame(&w.p);
    assert_true(sim_call_count(w.p.s, SIM_ANY_FUNCTION) - calls <= 4);
    close_world(&w);
}

static void what_was_asked_can_be_taken_back(void **state)
{
    world w;
    open(&w, state, GPOOL_KEEP_SHADOW);
    assert_same(gpool_heap_compact(w.p.pool, w.heap, 100000), GPOOL_OK);
    compact_frame(&w, 0);
    assert_int_equal(heap_info(&w.p, w.heap).moves, 0);
    /* A budget that holds no part does nothing, too. */
    for (uint64_t budget = 1; budget < 4; ++budget) {
        compact_frame(&w, budget);
    }
    assert_int_equal(heap_info(&w.p, w.heap).moves, 0);
    compact_frame(&w, UINT64_MAX);
    assert_int_equal(heap_info(&w.p, w.heap).moves, 9);
    check(&w, "with all the budget there is");
    close_world(&w);
}

/* --- bytes that only the GPU has --- */

static const char fill_wgsl[] =
    "@group(0) @binding(0) var<storage, read_write> numbers: array<u32>;\n"
    "@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) {\n"
    "    numbers[id.x] = id.x * 77;\n"
    "}\n";

static void host_fill(const sim_work *work, void *user)
{
    uint64_t size = 0;
    uint8_t *numbers = sim_work_buffer(work, 0, 0, &size);
    (void)user;
    for (uint32_t i = 0; i < sim_work_counts(work)[0] && i < size / 4; ++i) {
        const uint32_t number = i * 77;
        memcpy(numbers + (size_t)i * 4, &number, 4);
    }
}

static void what_commands_wrote_into_a_mesh_moves_with_it(void **state)
{
    world w;
    open(&w, state, GPOOL_KEEP_DROP);
    sim_register_shader(w.p.s, fill_wgsl, host_fill, NULL);
    gpool_shader shader = gpool_shader_create(w.p.pool, &(gpool_shader_desc){ .wgsl = fill_wgsl });
    gpool_pipeline pipeline =
        gpool_compute_pipeline_create(w.p.pool, &(gpool_compute_pipeline_desc){ .shader = shader });
    gpool_mesh_desc desc = { .heap = w.heap,
                             .vertex_count = 64,
                             .vertex_stride = 16,
                             .keep = GPOOL_KEEP_DROP,
                             .storage = true,
                             .label = "computed" };
    /* It fills the second slab to the end of the space that the first one has not. */
    body filler = body_plain(&w.p, w.heap, 4096, GPOOL_KEEP_DROP, 80);
    body computed = body_make(&w.p, desc, 0);
    assert_int_equal(body_info(&w.p, &computed).vertex_offset % 256, 0);
    body_end(&w.p, &filler);
    heap_free_all(&w.p);
    assert_false(is_in_first(&w, &computed));
    gpool_mesh_info info = body_info(&w.p, &computed);
    /* By a pass and by a copy, in the frame before the move. */
    follow source = follow_make(&w.p, 256, GPOOL_BUFFER_COPY_SOURCE, 5);
    assert_same(gpool_begin_frame(w.p.pool), GPOOL_OK);
    gpool_recorder rec = gpool_frame_recorder(w.p.pool);
    gpool_begin_compute(rec, NULL);
    gpool_set_pipeline(rec, pipeline);
    gpool_set_bindings(rec, 0, (gpool_layout){ 0 },
                       &(gpool_binding){ .buffer = info.vertex_buffer,
                                         .offset = info.vertex_offset,
                                         .size = info.vertex_bytes },
                       1, NULL, 0);
    gpool_dispatch(rec, 256, 1, 1);
    gpool_end_pass(rec);
    const gpool_mesh_info copied = body_info(&w.p, &w.movers[2]);
    gpool_copy_buffer(rec, source.handle, 0, copied.vertex_buffer, copied.vertex_offset, 252);
    assert_same(gpool_end_frame(w.p.pool), GPOOL_OK);
    for (uint32_t i = 0; i < 256; ++i) {
        const uint32_t number = i * 77;
        memcpy(computed.bytes[GPOOL_MESH_VERTICES] + (size_t)i * 4, &number, 4);
    }
    memcpy(w.movers[2].bytes[GPOOL_MESH_VERTICES], source.bytes, 252);
    body_same(&w.p, &computed, "computed");
    /* A write by the queue just before the move, in order with it. */
    body_write(&w.p, &computed, GPOOL_MESH_VERTICES, 512, 64, 9);
    compact_frame(&w, 100000);
    assert_true(is_in_first(&w, &computed));
    assert_int_equal(body_info(&w.p, &computed).vertex_offset % 256, 0);
    body_same(&w.p, &computed, "moved");
    check(&w, "moved");
    heap_free_all(&w.p);
    body_same(&w.p, &computed, "later");
    body_forget(&computed);
    follow_end(&w.p, &source);
    assert_same(gpool_pipeline_destroy(w.p.pool, pipeline), GPOOL_OK);
    assert_same(gpool_shader_destroy(w.p.pool, shader), GPOOL_OK);
    close_world(&w);
}

/* --- faults --- */

static void failing_submit_of_moves_leaves_every_mesh_where_it_is(void **state)
{
    static const struct {
        int function;
        sim_way way;
    } faults[] = { { GPOOL_GPU_QueueSubmit, SIM_FAIL_VALIDATION },
                   { GPOOL_GPU_CommandEncoderFinish, SIM_FAIL_VALIDATION },
                   { GPOOL_GPU_DeviceCreateCommandEncoder, SIM_FAIL_VALIDATION },
                   { GPOOL_GPU_DeviceCreateCommandEncoder, SIM_FAIL_OUT_OF_MEMORY } };
    for (int keep = GPOOL_KEEP_SHADOW; keep <= GPOOL_KEEP_DROP; ++keep) {
        for (size_t i = 0; i < UNIT_COUNT(faults); ++i) {
            world w;
            open(&w, state, (gpool_keep)keep);
            if (!sim_can_fail(w.p.s, faults[i].function, faults[i].way)) {
                close_world(&w);
                continue;
            }
            const gpool_heap_info before = heap_info(&w.p, w.heap);
            const gpool_mesh_info old = body_info(&w.p, &w.movers[1]);
            body_write(&w.p, &w.movers[1], GPOOL_MESH_VERTICES, 4, 20, 3);
            assert_same(gpool_heap_compact(w.p.pool, w.heap, 100000), GPOOL_OK);
            sim_fail(w.p.s, faults[i].function, 1, faults[i].way, false);
            assert_same(gpool_begin_frame(w.p.pool), GPOOL_OK); /* it is told, and tried again */
            assert_int_equal(sim_fail_hits(w.p.s), 1);
            sim_fail_none(w.p.s);
            assert_int_equal(w.told_count, 0);
            heap_same(&w.p, w.heap, &before);
            /* Nobody else gets the bytes of a copy that comes late. */
            body fresh = body_plain(&w.p, w.heap, 4096, (gpool_keep)keep, 7);
            assert_same(gpool_end_frame(w.p.pool), GPOOL_OK);
            const gpool_mesh_info now = body_info(&w.p, &w.movers[1]);
            assert_int_equal(now.version, old.version);
            assert_int_equal(now.vertex_buffer.id, old.vertex_buffer.id);
            assert_int_equal(now.vertex_offset, old.vertex_offset);
            check(&w, "after the failure");
            body_same(&w.p, &fresh, "after the failure");
            body_end(&w.p, &fresh);
            heap_free_all(&w.p);
            compact_frame(&w, 100000);
            assert_int_equal(heap_info(&w.p, w.heap).moves, 9);
            check(&w, "moved at last");
            close_world(&w);
        }
    }
}

static void device_lost_during_a_move_is_told_by_the_frame(void **state)
{
    for (uint64_t nth = 1; nth <= 12; ++nth) {
        world w;
        open(&w, state, GPOOL_KEEP_SHADOW);
        assert_same(gpool_heap_compact(w.p.pool, w.heap, 100000), GPOOL_OK);
        sim_fail(w.p.s, SIM_ANY_FUNCTION, nth, SIM_FAIL_LOST, false);
        (void)gpool_begin_frame(w.p.pool);
        (void)gpool_end_frame(w.p.pool);
        if (sim_fail_hits(w.p.s) > 0) {
            assert_same(gpool_begin_frame(w.p.pool), GPOOL_ERROR_DEVICE_LOST);
        }
        sim_fail_none(w.p.s);
        assert_true(gpool__pool_validate(w.p.pool));
        close_world(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HEAP_BOTH(parts_leave_the_emptiest_slab_which_goes),
        HEAP_BOTH(what_a_part_left_waits_for_the_gpu_and_the_delay),
        HEAP_BOTH(write_that_was_not_sent_follows_by_all_ways),
        HEAP_BOTH(write_between_begin_frame_and_submit_lands),
        HEAP_BOTH(mesh_may_end_while_it_moves),
        HEAP_BOTH(mesh_destroyed_by_another_thread_before_the_frame_does_not_move),
        HEAP_BOTH(callback_changes_nothing_but_the_ends_of_handles),
        HEAP_BOTH(pinned_mesh_stays),
        HEAP_BOTH(next_slab_is_emptied_when_the_emptiest_cannot_be),
        HEAP_BOTH(parts_larger_than_the_budget_stay),
        HEAP_BOTH(budget_of_the_descriptor_moves_each_frame_until_it_is_done),
        HEAP_BOTH(what_was_asked_can_be_taken_back),
        HEAP_BOTH(what_commands_wrote_into_a_mesh_moves_with_it),
        HEAP_BOTH(failing_submit_of_moves_leaves_every_mesh_where_it_is),
        HEAP_BOTH(device_lost_during_a_move_is_told_by_the_frame),
    };
    return cmocka_run_group_tests_name("sim_heap_moves", tests, NULL, NULL);
}
