/* Bytes of meshes, on the simulator: what a resize keeps, what is sent, what is told of their places. */
#include "heap_world.h"

static void open_as(sim_pool *p, void **state)
{
    sim_desc desc = heap_manner(state);
    sim_pool_open(p, &desc);
}

static void resize_keeps_bytes_with_and_without_a_shadow(void **state)
{
    static const uint32_t counts[][2] = { { 40, 30 },  { 10, 30 },   { 10, 31 }, { 300, 600 },
                                          { 0, 600 },  { 20, 2 },    { 20, 0 },  { 700, 9000 },
                                          { 700, 50 }, { 5000, 50 }, { 1, 50 } };
    sim_pool p;
    open_as(&p, state);
    gpool_heap heap = heap_make(&p, (gpool_heap_desc){ 0 });
    for (int keep = GPOOL_KEEP_SHADOW; keep <= GPOOL_KEEP_DROP; ++keep) {
        body dirt[2];
        /* Whatever comes later to where others were is zeros all the same. */
        for (uint32_t i = 0; i < 2; ++i) {
            dirt[i] = body_plain(&p, heap, 4096, (gpool_keep)keep, 77 + i);
        }
        sim_pool_frame(&p);
        body_end(&p, &dirt[0]);
        body_end(&p, &dirt[1]);
        heap_free_all(&p);
        body b = body_make(&p,
                           (gpool_mesh_desc){ .heap = heap,
                                              .vertex_count = 20,
                                              .vertex_stride = 12,
                                              .index_count = 30,
                                              .index_format = WGPUIndexFormat_Uint16,
                                              .keep = (gpool_keep)keep },
                           5);
        for (size_t i = 0; i < UNIT_COUNT(counts); ++i) {
            const uint64_t sizes[] = { counts[i][0] * 12u, counts[i][1] * 2u };
            uint64_t version = body_info(&p, &b).version;
            assert_same(gpool_mesh_resize(p.pool, b.handle, counts[i][0], counts[i][1]), GPOOL_OK);
            for (int part = 0; part < GPOOL_MESH_PARTS; ++part) {
                uint8_t *bytes = calloc(1, sizes[part] + 8);
                assert_non_null(bytes);
                memcpy(bytes, b.bytes[part],
                       sizes[part] < b.sizes[part] ? sizes[part] : b.sizes[part]);
                free(b.bytes[part]);
                b.bytes[part] = bytes;
                b.sizes[part] = sizes[part];
            }
            assert_int_equal(body_info(&p, &b).version, version + 1);
            assert_same(gpool_mesh_resize(p.pool, b.handle, counts[i][0], counts[i][1]), GPOOL_OK);
            assert_int_equal(body_info(&p, &b).version, version + 1);
            if (i % 2 == 0) {
                sim_pool_frame(&p);
                body_same(&p, &b, "resized");
            }
            if (sizes[0] > 40) {
                body_write(&p, &b, GPOOL_MESH_VERTICES, 4, 36, i + 100);
            }
        }
        heap_free_all(&p);
        body_same(&p, &b, "resized often");
        body_end(&p, &b);
    }
    assert_same(gpool_heap_destroy(p.pool, heap), GPOOL_OK);
    sim_pool_close(&p, 0);
}

/* Also where an equal mesh was, whose bytes never came to the GPU as it moved away first. */
static void equal_bytes_are_sent_wherever_they_come_to_lie(void **state)
{
    sim_pool p;
    open_as(&p, state);
    gpool_heap heap = heap_make(&p, (gpool_heap_desc){ 0 });
    body kept[8];
    for (uint32_t i = 0; i < 8; ++i) {
        kept[i] = body_plain(&p, heap, 1024, GPOOL_KEEP_SHADOW, i + 1);
    }
    sim_pool_frame(&p);
    for (int i = 0; i < 4; ++i) {
        body_end(&p, &kept[i]);
    }
    /* Slab 1 gets one small mesh; slab 0 has room for it when the four are gone. */
    body a = body_plain(&p, heap, 128, GPOOL_KEEP_SHADOW, 50);
    body b = body_plain(&p, heap, 128, GPOOL_KEEP_SHADOW, 50);
    heap_free_all(&p);
    body_write(&p, &a, GPOOL_MESH_VERTICES, 0, 128, 2 * 60); /* as body_make() makes them of 60 */
    body_write(&p, &b, GPOOL_MESH_VERTICES, 0, 128, 2 * 61);
    const gpool_mesh_info old = body_info(&p, &a);
    assert_same(gpool_heap_compact(p.pool, heap, 100000), GPOOL_OK);
    sim_pool_frame(&p);
    assert_int_equal(heap_info(&p, heap).moves, 2);
    assert_int_not_equal(body_info(&p, &a).vertex_buffer.id, old.vertex_buffer.id);
    body_same(&p, &a, "moved before it was sent");
    heap_free_all(&p);
    /* The same bytes in the same place. */
    body filler[4];
    for (uint32_t i = 0; i < 4; ++i) {
        filler[i] = body_plain(&p, heap, 768, GPOOL_KEEP_SHADOW, 70 + i);
    }
    body again = body_plain(&p, heap, 128, GPOOL_KEEP_SHADOW, 60);
    bool met = false;
    for (uint32_t i = 0; i < 40 && !met; ++i) {
        const gpool_mesh_info info = body_info(&p, &again);
        met = info.vertex_buffer.id == old.vertex_buffer.id &&
              info.vertex_offset == old.vertex_offset;
        if (!met) {
            body_forget(&again);
            again = body_plain(&p, heap, 128, GPOOL_KEEP_SHADOW, 60);
        }
    }
    assert_true(met);
    sim_pool_frame(&p);
    body_same(&p, &again, "equal bytes where others waited");
    body_forget(&a);
    body_forget(&b);
    body_forget(&again);
    for (int i = 0; i < 8; ++i) {
        body_forget(&kept[i]);
        body_forget(&filler[i % 4]);
    }
    assert_same(gpool_heap_destroy(p.pool, heap), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void bytes_are_not_reused_before_the_serial_is_done_and_two_frames_passed(void **state)
{
    sim_pool p;
    sim_desc desc = heap_manner(state);
    desc.completion = SIM_COMPLETE_MANUALLY;
    heap_open_ahead(&p, &desc);
    gpool_heap heap = heap_make(&p, (gpool_heap_desc){ 0 });
    gpool_buffer target = sim_pool_buffer(&p, (gpool_scope){ 0 }, 4096, "target");
    for (int frames_first = 0; frames_first < 2; ++frames_first) {
        body b = body_plain(&p, heap, 4096, GPOOL_KEEP_SHADOW, 1);
        sim_pool_frame(&p);
        (void)sim_complete(p.s, SIM_ALL);
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        const gpool_mesh_info info = body_info(&p, &b);
        gpool_copy_buffer(gpool_frame_recorder(p.pool), info.vertex_buffer, info.vertex_offset,
                          target, 0, 4096);
        body_end(&p, &b);
        assert_int_equal(heap_info(&p, heap).live_bytes, 0);
        assert_int_equal(heap_info(&p, heap).retired_bytes, 4096);
        assert_same(gpool_end_frame(p.pool), GPOOL_OK);
        if (frames_first == 1) {
            for (int i = 0; i < 3; ++i) {
                sim_pool_frame(&p);
                assert_int_equal(heap_info(&p, heap).retired_bytes, 4096);
            }
            (void)sim_complete(p.s, SIM_ALL);
            sim_pool_frame(&p);
        } else {
            (void)sim_complete(p.s, SIM_ALL);
            sim_pool_frame(&p);
            assert_int_equal(heap_info(&p, heap).retired_bytes, 4096);
            /* What comes now comes elsewhere. */
            body c = body_plain(&p, heap, 2048, GPOOL_KEEP_SHADOW, 2);
            gpool_mesh_info other = body_info(&p, &c);
            assert_true(other.vertex_buffer.id != info.vertex_buffer.id ||
                        other.vertex_offset >= info.vertex_offset + 4096 ||
                        other.vertex_offset + 2048 <= info.vertex_offset);
            body_end(&p, &c);
            sim_pool_frame(&p);
            (void)sim_complete(p.s, SIM_ALL);
        }
        for (int i = 0; i < 4; ++i) {
            sim_pool_frame(&p);
            (void)sim_complete(p.s, SIM_ALL);
        }
        assert_int_equal(heap_info(&p, heap).retired_bytes, 0);
    }
    (void)sim_complete(p.s, SIM_ALL);
    sim_set_completion(p.s, SIM_COMPLETE_AT_SUBMIT, 0);
    assert_same(gpool_buffer_destroy(p.pool, target), GPOOL_OK);
    assert_same(gpool_heap_destroy(p.pool, heap), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void pieces_cover_a_slab_and_name_their_meshes(void **state)
{
    sim_pool p;
    open_as(&p, state);
    gpool_heap heap = heap_make(&p, (gpool_heap_desc){ 0 });
    body b[6];
    for (uint32_t i = 0; i < 6; ++i) {
        b[i] = body_make(&p,
                         (gpool_mesh_desc){ .heap = heap,
                                            .vertex_count = 5 + i * 7,
                                            .vertex_stride = 20,
                                            .index_count = 3 + i,
                                            .index_format = WGPUIndexFormat_Uint16 },
                         i + 1);
    }
    body_end(&p, &b[1]);
    body_end(&p, &b[4]);
    uint64_t bytes[3] = { 0 };
    uint32_t found[6][GPOOL_MESH_PARTS] = { { 0 } };
    gpool_heap_cursor cursor = { 0 };
    gpool_heap_piece piece;
    uint64_t end = 0;
    while (gpool_heap_next_piece(p.pool, heap, 0, &cursor, &piece)) {
        assert_int_equal(piece.range.offset, end);
        assert_true(piece.range.size > 0);
        end += piece.range.size;
        bytes[piece.state] += piece.range.size;
        assert_true((piece.mesh.id != 0) == (piece.state == GPOOL_PIECE_LIVE));
        for (int i = 0; i < 6 && piece.mesh.id != 0; ++i) {
            if (b[i].handle.id == piece.mesh.id) {
                const gpool_mesh_info info = body_info(&p, &b[i]);
                assert_int_equal(piece.range.offset, piece.part == GPOOL_MESH_VERTICES
                                                         ? info.vertex_offset
                                                         : info.index_offset);
                assert_int_equal(piece.range.size, (b[i].sizes[piece.part] + 3) & ~UINT64_C(3));
                found[i][piece.part] += 1;
            }
        }
    }
    assert_int_equal(end, HEAP_SLAB);
    const gpool_heap_info info = heap_info(&p, heap);
    assert_int_equal(bytes[GPOOL_PIECE_FREE], info.free_bytes);
    assert_int_equal(bytes[GPOOL_PIECE_LIVE], info.live_bytes);
    assert_int_equal(bytes[GPOOL_PIECE_RETIRED], info.retired_bytes);
    assert_true(info.retired_bytes > 0);
    for (int i = 0; i < 6; ++i) {
        bool lives = b[i].handle.id != 0;
        assert_int_equal(found[i][0], lives ? 1 : 0);
        assert_int_equal(found[i][1], lives ? 1 : 0);
        body_forget(&b[i]);
    }
    /* Beyond the end, and from a cursor that no call left: no piece, no harm. */
    assert_false(gpool_heap_next_piece(p.pool, heap, 0, &cursor, &piece));
    static const gpool_heap_cursor wild[] = { { { UINT64_MAX, UINT32_MAX }, UINT64_MAX },
                                              { { 0, UINT32_MAX }, 0 },
                                              { { 0, 0 }, UINT64_MAX },
                                              { { 7, 3 }, 1 },
                                              { { 1u << 20, 0 }, 5 } };
    for (size_t i = 0; i < UNIT_COUNT(wild); ++i) {
        cursor = wild[i];
        uint32_t pieces = 0;
        while (gpool_heap_next_piece(p.pool, heap, 0, &cursor, &piece)) {
            assert_true(pieces++ < 100);
        }
    }
    assert_false(gpool_heap_next_piece(p.pool, heap, 1, &cursor, &piece));
    assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_OUT_OF_RANGE);
    assert_false(gpool_heap_next_piece(p.pool, heap, 0, NULL, &piece));
    assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_heap_destroy(p.pool, heap), GPOOL_OK);
    sim_pool_close(&p, 0);
}

/* Also when the copy of the second part fails, after that of the first. */
static void resize_that_fails_leaves_both_parts(void **state)
{
    sim_pool p;
    open_as(&p, state);
    gpool_heap heap = heap_make(&p, (gpool_heap_desc){ 0 });
    gpool_mesh_desc desc = { .heap = heap,
                             .vertex_count = 20,
                             .vertex_stride = 12,
                             .index_count = 30,
                             .keep = GPOOL_KEEP_DROP };
    body b = body_make(&p, desc, 3);
    sim_pool_frame(&p);
    const gpool_heap_info before = heap_info(&p, heap);
    for (uint64_t nth = 1; nth <= 2; ++nth) {
        sim_fail(p.s, GPOOL_GPU_QueueSubmit, nth, SIM_FAIL_VALIDATION, false);
        assert_same(gpool_mesh_resize(p.pool, b.handle, 25, 40), GPOOL_ERROR_GPU);
        assert_int_equal(sim_fail_hits(p.s), 1);
        sim_fail_none(p.s);
        heap_same(&p, heap, &before);
        body_same(&p, &b, "after a failed resize");
    }
    body_forget(&b);
    assert_same(gpool_heap_destroy(p.pool, heap), GPOOL_OK);
    sim_pool_close(&p, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HEAP_BOTH(resize_keeps_bytes_with_and_without_a_shadow),
        HEAP_BOTH(resize_that_fails_leaves_both_parts),
        HEAP_BOTH(equal_bytes_are_sent_wherever_they_come_to_lie),
        HEAP_BOTH(bytes_are_not_reused_before_the_serial_is_done_and_two_frames_passed),
        HEAP_BOTH(pieces_cover_a_slab_and_name_their_meshes),
    };
    return cmocka_run_group_tests_name("sim_heap_mesh", tests, NULL, NULL);
}
