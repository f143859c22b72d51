/* Slabs, meshes and draws of them, on the simulator: what is made, what is refused, what is left. */
#include "heap_world.h"

static void open_as(sim_pool *p, void **state)
{
    sim_desc desc = heap_manner(state);
    sim_pool_open(p, &desc);
}

/* Without staging: buffers and copies are those of heaps. */
static void open_direct(sim_pool *p, void **state)
{
    sim_desc desc = heap_manner(state);
    sim_pool_open_upload(p, &desc, &(gpool_upload_desc){ .force = GPOOL_UPLOAD_DIRECT });
}

/* --- slabs --- */

static void second_slab_is_made_and_none_is_copied(void **state)
{
    sim_pool p;
    open_direct(&p, state);
    gpool_heap heap = heap_make(&p, (gpool_heap_desc){ 0 });
    body b[20];
    b[0] = body_plain(&p, heap, 2048, GPOOL_KEEP_SHADOW, 1);
    sim_pool_frame(&p);
    const gpool_mesh_info first = body_info(&p, &b[0]);
    const WGPUBuffer gpu = heap_gpu(&p, first.vertex_buffer);
    const uint64_t copies = sim_call_count(p.s, GPOOL_GPU_CommandEncoderCopyBufferToBuffer);
    const uint64_t buffers = sim_call_count(p.s, GPOOL_GPU_DeviceCreateBuffer);
    const uint64_t sent = sim_pool_stats(&p).sent_bytes;
    for (uint32_t i = 1; i < 20; ++i) {
        b[i] = body_plain(&p, heap, 2048, GPOOL_KEEP_SHADOW, i + 1);
    }
    gpool_heap_info info = heap_info(&p, heap);
    assert_int_equal(info.slab_count, 5);
    assert_int_equal(info.bytes, 5 * HEAP_SLAB);
    assert_int_equal(info.mesh_count, 20);
    assert_int_equal(info.live_bytes, 20 * 2048);
    assert_int_equal(sim_call_count(p.s, GPOOL_GPU_DeviceCreateBuffer) - buffers, 4);
    sim_pool_frame(&p);
    /* The first one was full: nothing of it was sent again, and it is where it was. */
    const gpool_mesh_info now = body_info(&p, &b[0]);
    assert_int_equal(now.version, first.version);
    assert_int_equal(now.vertex_buffer.id, first.vertex_buffer.id);
    assert_int_equal(now.vertex_offset, first.vertex_offset);
    assert_ptr_equal(heap_gpu(&p, now.vertex_buffer), gpu);
    assert_int_equal(sim_call_count(p.s, GPOOL_GPU_CommandEncoderCopyBufferToBuffer), copies);
    assert_true(sim_pool_stats(&p).sent_bytes - sent <= 19 * 2048);
    for (int i = 0; i < 20; ++i) {
        body_same(&p, &b[i], "after growth");
        body_forget(&b[i]);
    }
    assert_same(gpool_heap_destroy(p.pool, heap), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void big_part_gets_a_slab_of_its_own_that_goes_with_it(void **state)
{
    sim_pool p;
    open_direct(&p, state);
    /* Also where a slab for many has room: it is not kept from being emptied by a large part. */
    gpool_heap roomy = heap_make(&p, (gpool_heap_desc){ 0 });
    body tiny = body_plain(&p, roomy, 64, GPOOL_KEEP_SHADOW, 1);
    body large = body_plain(&p, roomy, HEAP_SLAB / 2 + 16, GPOOL_KEEP_SHADOW, 2);
    assert_int_equal(heap_info(&p, roomy).slab_count, 2);
    assert_true(heap_slab(&p, roomy, 1).single);
    body_forget(&tiny);
    body_forget(&large);
    assert_same(gpool_heap_destroy(p.pool, roomy), GPOOL_OK);
    heap_free_all(&p);
    gpool_heap heap = heap_make(&p, (gpool_heap_desc){ .empty_frames = 50 });
    body half = body_plain(&p, heap, HEAP_SLAB / 2, GPOOL_KEEP_SHADOW, 1);
    assert_false(heap_slab(&p, heap, 0).single);
    /* One vertex more than half of a slab, and indices that are large, too. */
    body big = body_make(&p,
                         (gpool_mesh_desc){ .heap = heap,
                                            .vertex_count = HEAP_SLAB / 2 / 16 + 1,
                                            .vertex_stride = 16,
                                            .index_count = 5 * HEAP_SLAB,
                                            .index_format = WGPUIndexFormat_Uint16 },
                         2);
    assert_int_equal(heap_info(&p, heap).slab_count, 3);
    const uint64_t sizes[] = { HEAP_SLAB / 2 + 16, 10 * HEAP_SLAB };
    for (uint32_t i = 0; i < 2; ++i) {
        gpool_heap_slab slab = heap_slab(&p, heap, 1 + i);
        assert_true(slab.single);
        assert_int_equal(slab.size, sizes[i]);
        assert_int_equal(slab.free_bytes, 0);
    }
    sim_pool_frame(&p);
    body_same(&p, &big, "large");
    /* Nobody else comes there, also when there would be room. */
    assert_same(gpool_mesh_resize(p.pool, big.handle, 1, 2), GPOOL_OK);
    gpool_mesh_info info = body_info(&p, &big);
    assert_int_equal(info.vertex_buffer.id, body_info(&p, &half).vertex_buffer.id);
    assert_int_equal(info.index_buffer.id, info.vertex_buffer.id);
    assert_int_equal(heap_info(&p, heap).slab_count, 3); /* the GPU may use them */
    sim_pool_frame(&p);
    assert_int_equal(heap_info(&p, heap).slab_count, 3); /* the delay */
    heap_free_all(&p);
    assert_int_equal(heap_info(&p, heap).slab_count, 1);
    sim_pool_frame(&p);
    assert_int_equal(sim_kept(p.s, SIM_KIND_BUFFER), 1);
    body_end(&p, &half);
    body_end(&p, &big);
    assert_same(gpool_heap_destroy(p.pool, heap), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void empty_slab_goes_after_its_delay_and_not_before(void **state)
{
    sim_pool p;
    open_as(&p, state);
    gpool_heap heap = heap_make(&p, (gpool_heap_desc){ .empty_frames = 5 });
    body b = body_plain(&p, heap, 512, GPOOL_KEEP_SHADOW, 1);
    sim_pool_frame(&p);
    body_end(&p, &b);
    uint32_t frames = 0;
    while (heap_info(&p, heap).retired_bytes > 0) {
        assert_true(frames++ < 10);
        sim_pool_frame(&p);
    }
    assert_int_equal(frames, 2); /* the pool's delay */
    for (int i = 0; i < 4; ++i) {
        sim_pool_frame(&p);
        assert_int_equal(heap_info(&p, heap).slab_count, 1);
    }
    /* A mesh that comes and goes makes it young again. */
    b = body_plain(&p, heap, 512, GPOOL_KEEP_SHADOW, 2);
    sim_pool_frame(&p);
    body_same(&p, &b, "in an old slab");
    body_end(&p, &b);
    for (int i = 0; i < 2 + 4; ++i) {
        sim_pool_frame(&p);
        assert_int_equal(heap_info(&p, heap).slab_count, 1);
    }
    sim_pool_frame(&p);
    assert_int_equal(heap_info(&p, heap).slab_count, 0);
    assert_int_equal(heap_info(&p, heap).bytes, 0);
    heap_free_all(&p);
    assert_int_equal(sim_kept(p.s, SIM_KIND_BUFFER), 0);
    assert_same(gpool_heap_destroy(p.pool, heap), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void budget_refuses_with_everything_as_before(void **state)
{
    sim_pool p;
    open_as(&p, state);
    gpool_heap heap = heap_make(&p, (gpool_heap_desc){ .budget = 2 * HEAP_SLAB + 4096 });
    gpool_mesh_desc desc = { .heap = heap, .vertex_count = 256, .vertex_stride = 16 };
    body b[4];
    for (uint32_t i = 0; i < 4; ++i) {
        b[i] = body_make(&p, desc, i + 1);
    }
    assert_int_equal(heap_info(&p, heap).slab_count, 2);
    /* The rest of the budget is a smaller slab. */
    body small = body_make(&p, desc, 5);
    assert_int_equal(heap_slab(&p, heap, 2).size, 4096);
    sim_pool_frame(&p);
    const gpool_heap_info before = heap_info(&p, heap);
    const gpool_stats stats = sim_pool_stats(&p);
    const uint64_t buffers = sim_call_count(p.s, GPOOL_GPU_DeviceCreateBuffer);
    static const uint32_t counts[] = { 1, 256, 257, 2000, 100000 };
    for (uint32_t i = 0; i < UNIT_COUNT(counts); ++i) {
        desc.vertex_count = counts[i];
        body refused = body_try(&p, desc, 9);
        assert_int_equal(refused.handle.id, 0);
        assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_BUDGET);
        body_forget(&refused);
        heap_same(&p, heap, &before);
        /* A resize as well. */
        assert_same(gpool_mesh_resize(p.pool, small.handle, 256 + counts[i], 0),
                    GPOOL_ERROR_BUDGET);
        heap_same(&p, heap, &before);
    }
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_BUDGET), 2 * UNIT_COUNT(counts));
    const gpool_stats now = sim_pool_stats(&p);
    assert_int_equal(now.created, stats.created);
    assert_int_equal(now.retired_count, 0);
    assert_memory_equal(now.live_count, stats.live_count, sizeof now.live_count);
    assert_memory_equal(now.live_bytes, stats.live_bytes, sizeof now.live_bytes);
    assert_int_equal(sim_call_count(p.s, GPOOL_GPU_DeviceCreateBuffer), buffers);
    for (int i = 0; i < 4; ++i) {
        body_same(&p, &b[i], "after refusals");
        body_forget(&b[i]);
    }
    body_same(&p, &small, "after refusals");
    body_forget(&small);
    assert_same(gpool_heap_destroy(p.pool, heap), GPOOL_OK);
    sim_pool_close(&p, 0);
}

/* The vertices have room or get it, the indices are refused: then there is no slab for the first, too. */
static void second_part_that_is_refused_leaves_no_slab_of_the_first(void **state)
{
    sim_pool p;
    open_as(&p, state);
    gpool_heap heap = heap_make(&p, (gpool_heap_desc){ .budget = 2 * HEAP_SLAB });
    const gpool_heap_info empty = heap_info(&p, heap);
    gpool_mesh_desc desc = {
        .heap = heap, .vertex_count = 10, .vertex_stride = 16, .index_count = HEAP_SLAB / 4 * 2
    };
    body b = body_try(&p, desc, 1);
    assert_int_equal(b.handle.id, 0);
    assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_BUDGET);
    body_forget(&b);
    heap_same(&p, heap, &empty);
    /* All of the budget is there for what fits. */
    desc = (gpool_mesh_desc){ .heap = heap, .index_count = HEAP_SLAB / 4 * 2 };
    b = body_make(&p, desc, 1);
    body_end(&p, &b);
    assert_same(gpool_heap_destroy(p.pool, heap), GPOOL_OK);
    sim_pool_close(&p, 0);
}

/* Slabs that wait for their delay are memory that a budget can have back. */
static void empty_slab_is_no_reason_for_a_budget_to_refuse(void **state)
{
    sim_pool p;
    open_as(&p, state);
    gpool_heap heap = heap_make(&p, (gpool_heap_desc){ .budget = 2 * HEAP_SLAB });
    body b = body_plain(&p, heap, 1024, GPOOL_KEEP_SHADOW, 1);
    body_end(&p, &b);
    heap_free_all(&p);
    assert_int_equal(heap_info(&p, heap).slab_count, 1);
    b = body_plain(&p, heap, 2 * HEAP_SLAB, GPOOL_KEEP_SHADOW, 2);
    sim_pool_frame(&p);
    body_same(&p, &b, "with all of the budget");
    body_end(&p, &b);
    /* The other kind of slab takes none from it, either. */
    heap_free_all(&p);
    b = body_plain(&p, heap, 1024, GPOOL_KEEP_SHADOW, 3);
    body c = body_plain(&p, heap, 1024, GPOOL_KEEP_SHADOW, 4);
    body_end(&p, &b);
    body_end(&p, &c);
    heap_free_all(&p);
    b = body_plain(&p, heap, 2 * HEAP_SLAB, GPOOL_KEEP_DROP, 5);
    body_end(&p, &b);
    assert_same(gpool_heap_destroy(p.pool, heap), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void max_buffer_size_of_the_device_is_never_passed(void **state)
{
    sim_pool p;
    WGPULimits limits = { .maxBufferSize = 50002 }; /* no multiple of 4 */
    sim_desc desc = heap_manner(state);
    desc.limits = &limits;
    sim_pool_open(&p, &desc);
    gpool_heap_desc large = { .slab_size = 50004 };
    assert_int_equal(gpool_heap_create(p.pool, &large).id, 0);
    assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_LIMIT);
    gpool_heap heap = gpool_default_heap(p.pool);
    assert_int_equal(heap_info(&p, heap).slab_size, 50000);
    gpool_heap tight = heap_make(&p, (gpool_heap_desc){ .slab_size = 50000 });
    const uint64_t errors = sim_error_count(p.s);
    const gpool_heap heaps[] = { heap, tight };
    body b[2][5];
    for (int i = 0; i < 2; ++i) {
        for (uint32_t k = 0; k < 4; ++k) {
            b[i][k] = body_plain(&p, heaps[i], 24992,
                                 k % 2 == 0 ? GPOOL_KEEP_SHADOW : GPOOL_KEEP_DROP, k + 1);
        }
        b[i][4] = body_plain(&p, heaps[i], 50000, GPOOL_KEEP_SHADOW, 9);
        for (uint32_t k = 0; k < heap_info(&p, heaps[i]).slab_count; ++k) {
            assert_true(heap_slab(&p, heaps[i], k).size <= 50002);
        }
        const gpool_heap_info before = heap_info(&p, heaps[i]);
        body refused = body_try(
            &p, (gpool_mesh_desc){ .heap = heaps[i], .vertex_count = 12501, .vertex_stride = 4 },
            1);
        assert_int_equal(refused.handle.id, 0);
        assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_LIMIT);
        body_forget(&refused);
        /* The largest count there is, times the largest stride: nothing overflows. */
        refused.handle = gpool_mesh_create(p.pool, &(gpool_mesh_desc){ .heap = heaps[i],
                                                                       .vertex_count = UINT32_MAX,
                                                                       .vertex_stride = 65536 });
        assert_int_equal(refused.handle.id, 0);
        assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_LIMIT);
        assert_same(gpool_mesh_resize(p.pool, b[i][0].handle, 1, UINT32_MAX), GPOOL_ERROR_LIMIT);
        heap_same(&p, heaps[i], &before);
    }
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_LIMIT), 7);
    sim_pool_frame(&p);
    for (int i = 0; i < 2; ++i) {
        for (int k = 0; k < 5; ++k) {
            body_same(&p, &b[i][k], "under a small limit");
            body_end(&p, &b[i][k]);
        }
    }
    assert_int_equal(sim_error_count(p.s), errors);
    assert_same(gpool_heap_destroy(p.pool, tight), GPOOL_OK);
    sim_pool_close(&p, 0);
}

/* More than one binding or one buffer could have, all of it drawn and copied from. */
static void heap_is_larger_than_any_binding(void **state)
{
    sim_pool p;
    WGPULimits limits = { .maxBufferSize = 65536, .maxStorageBufferBindingSize = 4096 };
    sim_desc desc = heap_manner(state);
    desc.limits = &limits;
    sim_pool_open_upload(&p, &desc, &(gpool_upload_desc){ .force = GPOOL_UPLOAD_SCATTER });
    gpool_heap heap = heap_make(&p, (gpool_heap_desc){ .slab_size = 65536 });
    body b[64];
    for (uint32_t i = 0; i < 64; ++i) {
        b[i] = body_plain(&p, heap, 16384, i % 3 == 0 ? GPOOL_KEEP_DROP : GPOOL_KEEP_SHADOW, i + 1);
    }
    sim_pool_frame(&p);
    assert_true(heap_info(&p, heap).bytes >= 64 * 16384);
    for (uint32_t i = 0; i < 64; ++i) {
        body_write(&p, &b[i], GPOOL_MESH_VERTICES, i * 4, 64 + i * 4, i + 100);
    }
    sim_pool_frame(&p);
    for (int i = 0; i < 64; ++i) {
        body_same(&p, &b[i], "in a large heap");
        body_forget(&b[i]);
    }
    assert_same(gpool_heap_destroy(p.pool, heap), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void gpu_that_refuses_the_slab_leaves_nothing(void **state)
{
    static const sim_way ways[] = { SIM_FAIL_VALIDATION, SIM_FAIL_OUT_OF_MEMORY };
    static const gpool_result codes[] = { GPOOL_ERROR_GPU, GPOOL_ERROR_OUT_OF_GPU_MEMORY };
    sim_pool p;
    open_as(&p, state);
    gpool_heap heap = heap_make(&p, (gpool_heap_desc){ 0 });
    body there = body_plain(&p, heap, 4096, GPOOL_KEEP_SHADOW, 1);
    sim_pool_frame(&p);
    const gpool_heap_info before = heap_info(&p, heap);
    const gpool_stats stats = sim_pool_stats(&p);
    const uint64_t kept = sim_kept(p.s, SIM_KIND_BUFFER);
    for (size_t i = 0; i < UNIT_COUNT(ways); ++i) {
        /* The slab of the vertices, then that of the indices. */
        for (uint64_t nth = 1; nth <= 2; ++nth) {
            gpool_mesh_desc desc = { .heap = heap,
                                     .vertex_count = 500,
                                     .vertex_stride = 16,
                                     .index_count = 1600,
                                     .keep = i == 0 ? GPOOL_KEEP_SHADOW : GPOOL_KEEP_DROP };
            sim_fail(p.s, GPOOL_GPU_DeviceCreateBuffer, nth, ways[i], false);
            body b = body_try(&p, desc, 2);
            assert_int_equal(sim_fail_hits(p.s), 1);
            sim_fail_none(p.s);
            assert_int_equal(b.handle.id, 0);
            assert_same(gpool_last_error(p.pool)->code, codes[i]);
            body_forget(&b);
            heap_same(&p, heap, &before);
            sim_fail(p.s, GPOOL_GPU_DeviceCreateBuffer, nth, ways[i], false);
            assert_same(gpool_mesh_resize(p.pool, there.handle, 600, 2000), codes[i]);
            sim_fail_none(p.s);
            heap_same(&p, heap, &before);
            heap_free_all(&p);
            const gpool_stats now = sim_pool_stats(&p);
            assert_int_equal(now.live_count[GPOOL_KIND_MESH], stats.live_count[GPOOL_KIND_MESH]);
            assert_int_equal(now.live_count[GPOOL_KIND_BUFFER], 1);
            assert_int_equal(sim_kept(p.s, SIM_KIND_BUFFER), kept);
        }
    }
    body_same(&p, &there, "after refusals");
    body_end(&p, &there);
    assert_same(gpool_heap_destroy(p.pool, heap), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void creation_without_memory_at_any_point_leaves_nothing(void **state)
{
    sim_pool p;
    open_as(&p, state);
    gpool_heap heap = heap_make(&p, (gpool_heap_desc){ 0 });
    body there = body_plain(&p, heap, 4096, GPOOL_KEEP_SHADOW, 1);
    heap_free_all(&p);
    const gpool_heap_info before = heap_info(&p, heap);
    gpool_mesh_desc desc = { .heap = heap,
                             .vertex_count = 300,
                             .vertex_stride = 16,
                             .index_count = 1500,
                             .label = "a long label, so that it takes memory of its own" };
    bool good = false;
    uint32_t failures = 0;
    for (uint64_t k = 1; !good; ++k) {
        assert_true(k < 100);
        const gpool_stats stats = sim_pool_stats(&p);
        const uint64_t blocks = p.allocator.blocks;
        p.allocator.fail_at = p.allocator.calls + k;
        body b = body_try(&p, desc, k);
        p.allocator.fail_at = 0;
        good = b.handle.id != 0;
        if (!good) {
            failures += 1;
            assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_OUT_OF_MEMORY);
            heap_same(&p, heap, &before);
            const gpool_stats now = sim_pool_stats(&p);
            assert_int_equal(now.live_count[GPOOL_KIND_MESH], stats.live_count[GPOOL_KIND_MESH]);
            assert_int_equal(now.created, stats.created);
            heap_free_all(&p);
            (void)blocks;
        }
        body_end(&p, &b);
    }
    assert_true(failures >= 4);
    sim_pool_frame(&p);
    body_same(&p, &there, "after failures");
    body_end(&p, &there);
    assert_same(gpool_heap_destroy(p.pool, heap), GPOOL_OK);
    sim_pool_close(&p, 0);
}

/* --- slabs are the pool's own --- */

static void slab_is_the_pools_own(void **state)
{
    sim_pool p;
    open_as(&p, state);
    gpool_heap heap = heap_make(&p, (gpool_heap_desc){ 0 });
    gpool_buffer other = sim_pool_buffer(&p, (gpool_scope){ 0 }, 64, "other");
    gpool_scope scope = sim_pool_scope(&p, (gpool_scope){ 0 }, "scope");
    body b[2] = { body_plain(&p, heap, 1024, GPOOL_KEEP_SHADOW, 1),
                  body_plain(&p, heap, 1024, GPOOL_KEEP_DROP, 2) };
    sim_pool_frame(&p);
    for (int i = 0; i < 2; ++i) {
        gpool_buffer slab = body_info(&p, &b[i]).vertex_buffer;
        const gpool_heap_info before = heap_info(&p, heap);
        const uint64_t calls = sim_call_count(p.s, SIM_ANY_FUNCTION);
        heap_refused(&p, gpool_buffer_destroy(p.pool, slab));
        heap_refused(&p, gpool_release(p.pool, slab.id));
        heap_refused(&p, gpool_move(p.pool, slab.id, scope));
        heap_refused(&p, gpool_buffer_resize(p.pool, slab, 64));
        heap_refused(&p, gpool_buffer_resize(p.pool, slab, HEAP_SLAB));
        heap_refused(&p, gpool_buffer_write(p.pool, slab, 0, "abcd", 4));
        heap_refused(&p, gpool_buffer_write_elements(p.pool, slab, 0, 1, 4, "abcd"));
        heap_refused(&p,
                     gpool_buffer_write_scattered(p.pool, slab, &(uint32_t){ 0 }, 1, 4, "abcd"));
        assert_null(gpool_buffer_edit(p.pool, slab, 0, 4));
        heap_refused(&p, gpool_last_error(p.pool)->code);
        /* A reference may be taken and given back, and is all that may be. */
        assert_same(gpool_retain(p.pool, slab.id), GPOOL_OK);
        assert_same(gpool_release(p.pool, slab.id), GPOOL_OK);
        heap_refused(&p, gpool_release(p.pool, slab.id));
        assert_int_equal(sim_call_count(p.s, SIM_ANY_FUNCTION), calls);
        heap_same(&p, heap, &before);
        body_same(&p, &b[i], "after all that");
    }
    /* The one with a shadow is not written by commands, and not handed out to be written. */
    gpool_buffer slab = body_info(&p, &b[0]).vertex_buffer;
    assert_null(gpool_buffer_gpu(p.pool, slab, GPOOL_ACCESS_WRITE));
    assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_MISSING_USAGE);
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_USAGE), 1);
    assert_non_null(gpool_buffer_gpu(p.pool, slab, GPOOL_ACCESS_READ));
    for (int i = 0; i < 3; ++i) {
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        gpool_recorder rec = gpool_frame_recorder(p.pool);
        if (i == 0) {
            gpool_copy_buffer(rec, other, 0, slab, 0, 64);
        } else if (i == 1) {
            gpool_clear_buffer(rec, slab, 0, 64);
        } else {
            gpool_record_write(rec, slab, 0, "abcd", 4);
        }
        assert_int_equal(sim_pool_stats(&p).skipped, (uint64_t)i + 1);
        assert_same(gpool_end_frame(p.pool), GPOOL_ERROR_MISSING_USAGE);
        assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_USAGE), 1);
    }
    /* The one without is, as its bytes are the GPU's alone. */
    assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
    const gpool_mesh_info info = body_info(&p, &b[1]);
    memcpy(b[1].bytes[GPOOL_MESH_VERTICES] + 8, "abcd", 4);
    gpool_record_write(gpool_frame_recorder(p.pool), info.vertex_buffer, info.vertex_offset + 8,
                       "abcd", 4);
    assert_same(gpool_end_frame(p.pool), GPOOL_OK);
    body_same(&p, &b[1], "after a recorded write");
    assert_non_null(gpool_buffer_gpu(p.pool, info.vertex_buffer, GPOOL_ACCESS_WRITE));
    body_same(&p, &b[0], "after refused commands");
    /* It is no member of any scope and no leak. */
    assert_int_equal(sim_pool_info(&p, (gpool_scope){ 0 }).subtree.count[GPOOL_KIND_BUFFER], 1);
    body_forget(&b[0]);
    body_forget(&b[1]);
    assert_same(gpool_buffer_destroy(p.pool, other), GPOOL_OK);
    assert_same(gpool_scope_end(p.pool, scope), GPOOL_OK);
    assert_same(gpool_heap_destroy(p.pool, heap), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void pools_own_heap_cannot_be_destroyed(void **state)
{
    sim_pool p;
    open_as(&p, state);
    const gpool_stats fresh = sim_pool_stats(&p);
    gpool_heap heap = gpool_default_heap(p.pool);
    assert_int_equal(gpool_default_heap(p.pool).id, heap.id);
    heap_refused(&p, gpool_heap_destroy(p.pool, heap));
    heap_refused(&p, gpool_release(p.pool, heap.id));
    heap_refused(&p, gpool_move(p.pool, heap.id, (gpool_scope){ 0 }));
    assert_same(gpool_heap_destroy(p.pool, (gpool_heap){ 0 }), GPOOL_OK);
    body b = body_plain(&p, (gpool_heap){ 0 }, 256, GPOOL_KEEP_AUTO, 1);
    assert_int_equal(body_info(&p, &b).heap.id, heap.id);
    assert_int_equal(heap_info(&p, (gpool_heap){ 0 }).mesh_count, 1);
    gpool_stats stats = sim_pool_stats(&p);
    assert_int_equal(stats.live_count[GPOOL_KIND_HEAP], 0);
    assert_int_equal(stats.live_count[GPOOL_KIND_MESH], 1);
    assert_int_equal(stats.created, fresh.created + 1);
    body_end(&p, &b);
    sim_pool_close(&p, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HEAP_BOTH(second_slab_is_made_and_none_is_copied),
        HEAP_BOTH(big_part_gets_a_slab_of_its_own_that_goes_with_it),
        HEAP_BOTH(empty_slab_goes_after_its_delay_and_not_before),
        HEAP_BOTH(budget_refuses_with_everything_as_before),
        HEAP_BOTH(second_part_that_is_refused_leaves_no_slab_of_the_first),
        HEAP_BOTH(empty_slab_is_no_reason_for_a_budget_to_refuse),
        HEAP_BOTH(max_buffer_size_of_the_device_is_never_passed),
        HEAP_BOTH(heap_is_larger_than_any_binding),
        HEAP_BOTH(gpu_that_refuses_the_slab_leaves_nothing),
        HEAP_BOTH(creation_without_memory_at_any_point_leaves_nothing),
        HEAP_BOTH(slab_is_the_pools_own),
        HEAP_BOTH(pools_own_heap_cannot_be_destroyed),
    };
    return cmocka_run_group_tests_name("sim_heap", tests, NULL, NULL);
}
