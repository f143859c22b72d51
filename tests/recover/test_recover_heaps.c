/* gpool_recover() of heaps and meshes: handles stay, bytes are back or told to be lost, and no failure or
 * loss in the middle of anything takes more with it than it must. */
#include "recover_world.h"

#include "pool/heap_state.h"

#define SLAB   8192u
#define MESHES 16u
#define BIG    8u /* a mesh with a slab of its own */
#define BYTES  40000u

typedef struct mesh_case {
    gpool_mesh handle;
    gpool_mesh_desc desc;
    uint64_t sizes[GPOOL_MESH_PARTS];
    uint8_t bytes[GPOOL_MESH_PARTS][BYTES];
    bool refills;
} mesh_case;

static recover_world world;
static gpool_heap heap;
static mesh_case meshes[MESHES];
static uint32_t refilled;
static void (*in_refill)(const mesh_case *m);

static gpool_result on_refill(void *user, gpool *pool, gpool_mesh mesh, const gpool_mesh_info *info,
                              void *vertices, void *indices)
{
    const mesh_case *m = user;
    void *const targets[GPOOL_MESH_PARTS] = { vertices, indices };
    const uint64_t sizes[GPOOL_MESH_PARTS] = { info->vertex_bytes, info->index_bytes };
    assert_ptr_equal(pool, world.pool);
    assert_same(mesh.id, m->handle.id);
    refilled += 1;
    for (int part = 0; part < GPOOL_MESH_PARTS; ++part) {
        assert_same(sizes[part], m->sizes[part]);
        assert_same(targets[part] != NULL, sizes[part] > 0);
        for (uint64_t i = 0; i < sizes[part]; ++i) {
            assert_same(((const uint8_t *)targets[part])[i], 0);
        }
        if (sizes[part] > 0) {
            memcpy(targets[part], m->bytes[part], (size_t)sizes[part]);
        }
    }
    if (in_refill != NULL) {
        in_refill(m);
    }
    return m->refills ? GPOOL_OK : GPOOL_ERROR_UNSUPPORTED;
}

static void mesh_begin(uint32_t i, gpool_keep keep)
{
    mesh_case *m = &meshes[i];
    *m = (mesh_case){ .refills = i % 4 == 1 };
    m->desc = (gpool_mesh_desc){ .heap = heap,
                                 .vertex_count = i == BIG ? 1500 : 20 + i * 3,
                                 .vertex_stride = 20,
                                 .index_count = i % 3 == 0 ? 0 : 11 + i,
                                 .index_format = WGPUIndexFormat_Uint16,
                                 .keep = keep,
                                 .label = "mesh" };
    if (keep == GPOOL_KEEP_DROP && i % 4 != 3) {
        m->desc.refill = on_refill;
        m->desc.refill_user = m;
    }
    m->sizes[GPOOL_MESH_VERTICES] = (uint64_t)m->desc.vertex_count * 20;
    m->sizes[GPOOL_MESH_INDICES] = (uint64_t)m->desc.index_count * 2;
    for (int part = 0; part < GPOOL_MESH_PARTS; ++part) {
        for (uint64_t k = 0; k < m->sizes[part]; ++k) {
            m->bytes[part][k] = (uint8_t)(k * 7 + k / 251 + i * 31 + (uint64_t)part * 5 + 1);
        }
    }
    m->desc.vertices = m->bytes[GPOOL_MESH_VERTICES];
    m->desc.indices = m->desc.index_count > 0 ? m->bytes[GPOOL_MESH_INDICES] : NULL;
    m->handle = gpool_mesh_create(world.pool, &m->desc);
    m->desc.vertices = NULL;
    m->desc.indices = NULL;
    assert_int_not_equal(m->handle.id, 0);
}

/* 16 meshes in slabs of both kinds: 8 with shadows, one of them large, and 8 without: 4 with a refill, 4 lost. */
static void begin(sim_personality from, sim_personality to, gpool_heap_desc desc)
{
    world.limits = NULL;
    world.feature = NULL;
    world_begin(&world, from);
    world_add_sim(&world, 1, to);
    refilled = 0;
    in_refill = NULL;
    desc.slab_size = SLAB;
    desc.label = "heap";
    heap = gpool_heap_create(world.pool, &desc);
    assert_int_not_equal(heap.id, 0);
    for (uint32_t i = 0; i < MESHES; ++i) {
        mesh_begin(i, i % 2 == 0 ? GPOOL_KEEP_SHADOW : GPOOL_KEEP_DROP);
    }
    assert_good(&world, gpool_begin_frame(world.pool));
    assert_good(&world, gpool_end_frame(world.pool));
}

static void lose(void)
{
    sim_lose(world.sims[0]);
    (void)gpool_begin_frame(world.pool);
    (void)gpool_frame_recorder(world.pool);
    (void)gpool_end_frame(world.pool);
}

static bool is_lost(const mesh_case *m)
{
    return m->desc.keep == GPOOL_KEEP_DROP && !(m->desc.refill != NULL && m->refills);
}

/* The GPU has the bytes of all meshes, where they are told to be; of the lost ones zeros. */
static void check(bool recovered)
{
    static uint8_t got[BYTES];
    static const uint8_t zeros[BYTES];
    assert_true(gpool__pool_validate(world.pool));
    for (uint32_t i = 0; i < MESHES; ++i) {
        const mesh_case *m = &meshes[i];
        gpool_mesh_info info;
        if (m->handle.id == 0) {
            continue;
        }
        assert_good(&world, gpool_mesh_get_info(world.pool, m->handle, &info));
        assert_false(info.failed);
        const gpool_buffer slabs[] = { info.vertex_buffer, info.index_buffer };
        const uint64_t offsets[] = { info.vertex_offset, info.index_offset };
        for (int part = 0; part < GPOOL_MESH_PARTS; ++part) {
            if (m->sizes[part] == 0) {
                continue;
            }
            assert_good(&world, gpool_buffer_read(world.pool, slabs[part], offsets[part], got,
                                                  m->sizes[part]));
            assert_memory_equal(got, recovered && is_lost(m) ? zeros : m->bytes[part],
                                (size_t)m->sizes[part]);
        }
    }
}

static gpool_result recover(int slot, gpool_recover_report *report)
{
    gpool_device *device = world_open(&world, (uint32_t)slot);
    gpool_result result = gpool_recover(world.pool, device, NULL, report);
    if (gpool_pool_device(world.pool) == device) {
        gpool_device_release(world.device);
        world.device = device;
    } else {
        gpool_device_release(device);
    }
    return result;
}

static void end(void)
{
    assert_good(&world, gpool_heap_destroy(world.pool, heap));
    world_end(&world);
}

#define EACH_PAIR(from, to)                                                                        \
    for (sim_personality from = SIM_WGPU_NATIVE; from <= SIM_DAWN; ++from)                         \
        for (sim_personality to = SIM_WGPU_NATIVE; to <= SIM_DAWN; ++to)

static void heaps_and_meshes_live_behind_the_same_handles(void **state)
{
    (void)state;
    EACH_PAIR(from, to)
    {
        begin(from, to, (gpool_heap_desc){ 0 });
        check(false);
        /* What waits to be sent is sent to the new device, too. */
        memset(meshes[2].bytes[GPOOL_MESH_VERTICES] + 7, 0x5a, 33);
        assert_good(&world, gpool_mesh_write(world.pool, meshes[2].handle, GPOOL_MESH_VERTICES, 7,
                                             meshes[2].bytes[GPOOL_MESH_VERTICES] + 7, 33));
        gpool_mesh_info before[MESHES];
        uint64_t lost_bytes = 0;
        uint32_t lost = 0;
        for (uint32_t i = 0; i < MESHES; ++i) {
            assert_good(&world, gpool_mesh_get_info(world.pool, meshes[i].handle, &before[i]));
            lost += is_lost(&meshes[i]) ? 1 : 0;
            lost_bytes += is_lost(&meshes[i]) ? meshes[i].sizes[0] + meshes[i].sizes[1] : 0;
        }
        const uint64_t live = world_live(&world, GPOOL_KIND_BUFFER);
        lose();
        gpool_recover_report report;
        assert_good(&world, recover(1, &report));
        assert_same(report.rebuilt[GPOOL_KIND_HEAP], 1);
        assert_same(report.rebuilt[GPOOL_KIND_MESH], MESHES);
        assert_same(report.rebuilt[GPOOL_KIND_BUFFER], 0); /* slabs are the pool's own */
        for (int kind = 0; kind < GPOOL_KIND_COUNT; ++kind) {
            assert_same(report.failed[kind], 0);
        }
        assert_same(refilled, 4);
        assert_same(report.refilled, 4);
        assert_same(report.lost, lost);
        assert_same(lost, 4);
        assert_same(report.lost_bytes, lost_bytes);
        assert_same(world.logs[GPOOL_LOG_CONTENT_LOST], lost);
        assert_same(world.logs[GPOOL_LOG_NOT_REBUILT], 0);
        check(true);
        for (uint32_t i = 0; i < MESHES; ++i) {
            gpool_mesh_info now;
            assert_good(&world, gpool_mesh_get_info(world.pool, meshes[i].handle, &now));
            assert_true(now.version > before[i].version);
            assert_same(now.vertex_buffer.id, before[i].vertex_buffer.id);
            assert_same(now.vertex_offset, before[i].vertex_offset);
        }
        assert_same(world_live(&world, GPOOL_KIND_BUFFER), live);
        /* They can be used as before: written, resized, moved, made. */
        for (uint32_t i = 0; i < MESHES; ++i) {
            mesh_case *m = &meshes[i];
            assert_good(&world, gpool_mesh_write(world.pool, m->handle, GPOOL_MESH_VERTICES, 0,
                                                 m->bytes[0], m->sizes[0]));
            if (m->sizes[1] > 0) {
                assert_good(&world, gpool_mesh_write(world.pool, m->handle, GPOOL_MESH_INDICES, 0,
                                                     m->bytes[1], m->sizes[1]));
            }
        }
        check(false);
        assert_good(&world, gpool_mesh_destroy(world.pool, meshes[BIG].handle));
        mesh_begin(BIG, GPOOL_KEEP_SHADOW);
        assert_good(&world, gpool_heap_compact(world.pool, heap, 100000));
        assert_good(&world, gpool_begin_frame(world.pool));
        assert_good(&world, gpool_end_frame(world.pool));
        check(false);
        end();
    }
}

/* --- callbacks --- */

static void end_asked(const mesh_case *m)
{
    assert_good(&world, gpool_mesh_destroy(world.pool, m->handle));
}

static void end_next(const mesh_case *m)
{
    (void)m;
    (void)gpool_mesh_destroy(world.pool, meshes[5].handle);
    (void)gpool_mesh_destroy(world.pool, meshes[9].handle);
}

static void end_heap(const mesh_case *m)
{
    (void)m;
    (void)gpool_heap_destroy(world.pool, heap);
}

static void refill_may_end_meshes_and_heaps(void **state)
{
    (void)state;
    static void (*const ways[])(const mesh_case *) = { end_asked, end_next, end_heap };
    EACH_PAIR(from, to)
    {
        for (size_t i = 0; i < UNIT_COUNT(ways); ++i) {
            begin(from, to, (gpool_heap_desc){ 0 });
            in_refill = ways[i];
            lose();
            assert_good(&world, recover(1, NULL));
            for (uint32_t k = 0; k < MESHES; ++k) {
                gpool_mesh_info info;
                if (gpool_mesh_get_info(world.pool, meshes[k].handle, &info) != GPOOL_OK) {
                    meshes[k].handle = (gpool_mesh){ 0 };
                }
            }
            assert_true(gpool__pool_validate(world.pool));
            assert_good(&world, gpool_begin_frame(world.pool));
            assert_good(&world, gpool_end_frame(world.pool));
            if (ways[i] == end_heap) {
                assert_same(world_live(&world, GPOOL_KIND_MESH), 0);
                assert_same(world_live(&world, GPOOL_KIND_BUFFER), 0);
                world_end(&world);
            } else {
                check(true);
                end();
            }
        }
    }
}

/* --- what the new device cannot have --- */

/* A world whose device is lost; the next one has smaller buffers, the one after that has not. */
static void begin_and_lose(sim_personality from, sim_personality to, uint64_t most)
{
    begin(from, to, (gpool_heap_desc){ 0 });
    sim_destroy(world.sims[1]);
    const WGPULimits small = { .maxBufferSize = most };
    world.limits = &small;
    world_add_sim(&world, 1, to);
    world.limits = NULL;
    world_add_sim(&world, 2, from);
    lose();
}

static void refused_slab_fails_its_meshes_only_and_comes_back(void **state)
{
    (void)state;
    EACH_PAIR(from, to)
    {
        begin_and_lose(from, to, 20000);
        gpool_recover_report report;
        assert_good(&world, recover(1, &report));
        assert_same(report.failed[GPOOL_KIND_MESH], 1);
        assert_same(report.rebuilt[GPOOL_KIND_MESH], MESHES - 1);
        assert_same(report.failed[GPOOL_KIND_HEAP] + report.failed[GPOOL_KIND_BUFFER], 0);
        assert_same(world.logs[GPOOL_LOG_NOT_REBUILT], 1);
        const gpool_mesh big = meshes[BIG].handle;
        gpool_mesh_info info;
        assert_good(&world, gpool_mesh_get_info(world.pool, big, &info));
        assert_true(info.failed);
        assert_same(gpool_mesh_write(world.pool, big, GPOOL_MESH_VERTICES, 0, "abcd", 4),
                    GPOOL_ERROR_FAILED_RESOURCE);
        assert_same(gpool_mesh_resize(world.pool, big, 4, 4), GPOOL_ERROR_FAILED_RESOURCE);
        assert_good(&world, gpool_mesh_pin(world.pool, big, false));
        meshes[BIG].handle = (gpool_mesh){ 0 };
        check(true);
        /* Compaction goes around it, and new meshes get slabs that the device can have. */
        for (int i = 0; i < 4; ++i) {
            assert_good(&world, gpool_heap_compact(world.pool, heap, 100000));
            assert_good(&world, gpool_begin_frame(world.pool));
            assert_good(&world, gpool_end_frame(world.pool));
        }
        check(true);
        gpool_mesh fresh = gpool_mesh_create(
            world.pool,
            &(gpool_mesh_desc){ .heap = heap, .vertex_count = 900, .vertex_stride = 4 });
        assert_int_not_equal(fresh.id, 0);
        assert_good(&world, gpool_mesh_destroy(world.pool, fresh));
        meshes[BIG].handle = big;
        assert_good(&world, recover(2, &report));
        assert_same(report.rebuilt[GPOOL_KIND_MESH], MESHES);
        assert_same(report.failed[GPOOL_KIND_MESH], 0);
        check(true);
        end();
    }
}

/* Its slabs would be larger than any buffer of the new device: those it makes there are smaller. */
static void new_slabs_are_as_large_as_the_new_device_allows(void **state)
{
    (void)state;
    EACH_PAIR(from, to)
    {
        begin_and_lose(from, to, 6002);
        gpool_recover_report report;
        assert_good(&world, recover(1, &report));
        assert_same(report.failed[GPOOL_KIND_MESH], MESHES);
        for (int keep = GPOOL_KEEP_SHADOW; keep <= GPOOL_KEEP_DROP; ++keep) {
            gpool_mesh fresh =
                gpool_mesh_create(world.pool, &(gpool_mesh_desc){ .heap = heap,
                                                                  .vertices = meshes[0].bytes[0],
                                                                  .vertex_count = 20,
                                                                  .vertex_stride = 20,
                                                                  .keep = (gpool_keep)keep });
            assert_int_not_equal(fresh.id, 0);
            gpool_mesh_info info;
            uint8_t got[400];
            assert_good(&world, gpool_mesh_get_info(world.pool, fresh, &info));
            assert_good(&world, gpool_buffer_read(world.pool, info.vertex_buffer,
                                                  info.vertex_offset, got, sizeof got));
            assert_memory_equal(got, meshes[0].bytes[0], sizeof got);
            assert_good(&world, gpool_mesh_destroy(world.pool, fresh));
        }
        gpool_heap_info info;
        assert_good(&world, gpool_heap_get_info(world.pool, heap, &info));
        for (uint32_t i = info.slab_count - 2; i < info.slab_count; ++i) {
            gpool_heap_slab slab;
            assert_good(&world, gpool_heap_get_slab(world.pool, heap, i, &slab));
            assert_same(slab.size, 6000);
        }
        assert_good(&world, recover(2, &report));
        assert_same(report.failed[GPOOL_KIND_MESH], 0);
        check(true);
        end();
    }
}

/* --- losses and faults --- */

static void on_moved(void *user, gpool *pool, gpool_mesh mesh, const gpool_mesh_info *info)
{
    uint32_t *count = user;
    (void)pool;
    (void)mesh;
    (void)info;
    *count += 1;
}

/* Holes everywhere, and writes that wait. */
static void make_holes(void)
{
    for (uint32_t i = 0; i < MESHES; ++i) {
        if (i != BIG && (i / 2) % 2 == 0) {
            assert_good(&world, gpool_mesh_destroy(world.pool, meshes[i].handle));
            meshes[i].handle = (gpool_mesh){ 0 };
        }
    }
    for (int i = 0; i < 4; ++i) {
        assert_good(&world, gpool_begin_frame(world.pool));
        assert_good(&world, gpool_end_frame(world.pool));
    }
    mesh_case *m = &meshes[6];
    memset(m->bytes[GPOOL_MESH_VERTICES] + 60, 0xa7, 99);
    assert_good(&world, gpool_mesh_write(world.pool, m->handle, GPOOL_MESH_VERTICES, 60,
                                         m->bytes[GPOOL_MESH_VERTICES] + 60, 99));
}

/* At every call of the frame that moves: before the moves, in them, between them and their submit. */
static void loss_in_the_middle_of_compaction_loses_no_shadow(void **state)
{
    (void)state;
    uint32_t moved_in_all = 0;
    EACH_PAIR(from, to)
    {
        bool hit = true;
        for (uint64_t nth = 1; hit; ++nth) {
            assert_true(nth < 200);
            uint32_t moved = 0;
            begin(from, to, (gpool_heap_desc){ .moved = on_moved, .moved_user = &moved });
            make_holes();
            assert_good(&world, gpool_heap_compact(world.pool, heap, 6000));
            sim_fail(world.sims[0], SIM_ANY_FUNCTION, nth, SIM_FAIL_LOST, false);
            if (gpool_begin_frame(world.pool) == GPOOL_OK) {
                (void)gpool_end_frame(world.pool);
            }
            hit = sim_fail_hits(world.sims[0]) > 0;
            sim_fail_none(world.sims[0]);
            if (!hit) {
                assert_true(moved > 0);
                check(false);
                lose();
            }
            moved_in_all += moved;
            assert_true(gpool__pool_validate(world.pool));
            gpool_recover_report report;
            assert_good(&world, recover(1, &report));
            assert_same(report.failed[GPOOL_KIND_MESH], 0);
            check(true);
            for (int i = 0; i < 6; ++i) {
                assert_good(&world, gpool_heap_compact(world.pool, heap, 6000));
                assert_good(&world, gpool_begin_frame(world.pool));
                assert_good(&world, gpool_end_frame(world.pool));
                check(true);
            }
            end();
        }
    }
    assert_true(moved_in_all > 0);
}

/* A recovery that fails, at any call or for want of memory, leaves heaps as they were. */
static void recovery_that_fails_leaves_heaps_as_they_were(void **state)
{
    (void)state;
    for (int what = 0; what < 4; ++what) {
        bool hit = true;
        for (uint64_t nth = 1; hit; ++nth) {
            assert_true(nth < 400);
            begin(SIM_DAWN, what % 2 == 0 ? SIM_WGPU_NATIVE : SIM_DAWN, (gpool_heap_desc){ 0 });
            world_add_sim(&world, 2, SIM_WGPU_NATIVE);
            make_holes();
            lose();
            gpool_heap_info before;
            assert_good(&world, gpool_heap_get_info(world.pool, heap, &before));
            if (what == 3) {
                world.books.fail_at = world.books.calls + nth;
            } else {
                static const sim_way ways[] = { SIM_FAIL_VALIDATION, SIM_FAIL_OUT_OF_MEMORY,
                                                SIM_FAIL_LOST };
                gpool_device *device = world_open(&world, 1);
                sim_fail(world.sims[1], SIM_ANY_FUNCTION, nth, ways[what], false);
                gpool_result result = gpool_recover(world.pool, device, NULL, NULL);
                hit = sim_fail_hits(world.sims[1]) > 0;
                sim_fail_none(world.sims[1]);
                if (gpool_pool_device(world.pool) == device) {
                    gpool_device_release(world.device);
                    world.device = device;
                } else {
                    assert_true(result != GPOOL_OK);
                    gpool_device_release(device);
                }
            }
            if (what == 3) {
                const uint64_t last = world.books.fail_at;
                (void)recover(1, NULL);
                hit = world.books.calls >= last;
                world.books.fail_at = 0;
            }
            assert_true(gpool__pool_validate(world.pool));
            gpool_heap_info after;
            assert_good(&world, gpool_heap_get_info(world.pool, heap, &after));
            assert_same(after.mesh_count, before.mesh_count);
            assert_same(after.live_bytes, before.live_bytes);
            assert_same(after.slab_count, before.slab_count);
            gpool_recover_report report;
            assert_good(&world, recover(2, &report));
            assert_same(report.failed[GPOOL_KIND_MESH], 0);
            check(true);
            end();
        }
    }
}

/* Destroyed meshes and heaps that wait for a lost GPU: nothing is left of them. */
static void what_waits_for_a_lost_gpu_goes(void **state)
{
    (void)state;
    EACH_PAIR(from, to)
    {
        begin(from, to, (gpool_heap_desc){ 0 });
        gpool_heap other = gpool_heap_create(world.pool, &(gpool_heap_desc){ .slab_size = SLAB });
        gpool_mesh mesh = gpool_mesh_create(
            world.pool, &(gpool_mesh_desc){ .heap = other, .vertex_count = 9, .vertex_stride = 8 });
        assert_int_not_equal(mesh.id, 0);
        assert_good(&world, gpool_heap_destroy(world.pool, other));
        for (uint32_t i = 0; i < MESHES; i += 3) {
            assert_good(&world, gpool_mesh_destroy(world.pool, meshes[i].handle));
            meshes[i].handle = (gpool_mesh){ 0 };
        }
        lose();
        assert_good(&world, recover(1, NULL));
        gpool_heap_info info;
        assert_good(&world, gpool_heap_get_info(world.pool, heap, &info));
        assert_same(info.retired_bytes, 0);
        check(true);
        end();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heaps_and_meshes_live_behind_the_same_handles),
        cmocka_unit_test(refill_may_end_meshes_and_heaps),
        cmocka_unit_test(refused_slab_fails_its_meshes_only_and_comes_back),
        cmocka_unit_test(new_slabs_are_as_large_as_the_new_device_allows),
        cmocka_unit_test(loss_in_the_middle_of_compaction_loses_no_shadow),
        cmocka_unit_test(recovery_that_fails_leaves_heaps_as_they_were),
        cmocka_unit_test(what_waits_for_a_lost_gpu_goes),
    };
    return cmocka_run_group_tests_name("recover heaps", tests, NULL, NULL);
}
