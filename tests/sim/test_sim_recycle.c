/* Recycling on the simulator: what is kept, for whom, and for how long. */
#include "recycle_pool.h"

static void a_freed_buffer_is_used_again_by_the_same_class_only(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, 0, (gpool_recycle_desc){ 0 });
    keep(&p, SMALL, SHADOWED);
    expect(&p, 0, 1, 1, SMALL);
    uint64_t creates = sim_call_count(p.s, GPOOL_GPU_DeviceCreateBuffer);
    uint64_t made = sim_pool_stats(&p).gpu_objects;
    gpool_buffer other_size = make(&p, SMALL + 4, SHADOWED, NULL);
    gpool_buffer other_usage = make(&p, SMALL, SHADOWED | GPOOL_BUFFER_INDEX, NULL);
    expect(&p, 0, 3, 1, SMALL);
    assert_int_equal(sim_call_count(p.s, GPOOL_GPU_DeviceCreateBuffer), creates + 2);
    /* The same in whole words. */
    gpool_buffer again = make(&p, SMALL - 3, SHADOWED, NULL);
    expect(&p, 1, 3, 0, 0);
    assert_int_equal(sim_call_count(p.s, GPOOL_GPU_DeviceCreateBuffer), creates + 2);
    assert_int_equal(sim_pool_stats(&p).gpu_objects, made + 2);
    gpool_buffer_info info;
    assert_same(gpool_buffer_get_info(p.pool, again, &info), GPOOL_OK);
    assert_int_equal(info.size, SMALL - 3);
    assert_int_equal(info.gpu_size, SMALL);
    assert_int_equal(info.version, 1);
    assert_int_equal(sim_pool_stats(&p).live_bytes[GPOOL_KIND_BUFFER], 3 * SMALL + 4);
    same(&p, again, SMALL - 3, 0, 0);
    uint8_t last[4];
    assert_true(sim_read_buffer(p.s, gpu_of(&p, again), SMALL - 4, last, 4));
    assert_memory_equal(last, "\0\0\0\0", 4); /* also behind an odd end */
    end(&p, other_size.id);
    end(&p, other_usage.id);
    end(&p, again.id);
    expect(&p, 1, 3, 3, 3 * SMALL + 4);
    sim_pool_close(&p, 0);
}

static void nothing_is_kept_when_it_is_off(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, 0, (gpool_recycle_desc){ .off = true });
    keep(&p, SMALL, SHADOWED);
    keep_texture(&p, target_desc());
    end(&p, make(&p, SMALL, SHADOWED, NULL).id);
    end(&p, make_texture(&p, target_desc()).id);
    expect(&p, 0, 0, 0, 0);
    assert_int_equal(sim_live(p.s, SIM_KIND_TEXTURE), 0);
    sim_pool_close(&p, 0);
}

static void the_oldest_give_way_to_the_budget(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, 0, (gpool_recycle_desc){ .budget = 3 * SMALL });
    for (uint64_t i = 0; i < 3; ++i) {
        keep(&p, SMALL - 4 * i, SHADOWED);
    }
    expect(&p, 0, 3, 3, 3 * SMALL - 12);
    keep(&p, SMALL + 4, SHADOWED);
    expect(&p, 0, 4, 3, 3 * SMALL - 8); /* without the first */
    gpool_buffer first = make(&p, SMALL, SHADOWED, NULL);
    expect(&p, 0, 5, 3, 3 * SMALL - 8);
    gpool_buffer second = make(&p, SMALL - 4, SHADOWED, NULL);
    expect(&p, 1, 5, 2, 2 * SMALL - 4);
    /* What is larger than all of the budget takes nobody's place. */
    keep(&p, 3 * SMALL + 4, SHADOWED);
    expect(&p, 1, 6, 2, 2 * SMALL - 4);
    end(&p, first.id);
    end(&p, second.id);
    sim_pool_close(&p, 0);
}

static void what_nobody_takes_is_released_after_its_age(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, 0, (gpool_recycle_desc){ .max_age_frames = 3 });
    sim_pool_frame(&p);
    keep(&p, SMALL, SHADOWED);
    keep_texture(&p, target_desc());
    uint64_t kept = sim_pool_stats(&p).recycled_bytes;
    assert_int_equal(kept, SMALL + 16 * 8 * 4);
    for (int i = 0; i < 2; ++i) {
        sim_pool_frame(&p);
        assert_int_equal(sim_pool_stats(&p).recycled_bytes, kept);
    }
    uint64_t visited = sim_pool_stats(&p).visited;
    uint64_t buffers = sim_live(p.s, SIM_KIND_BUFFER);
    sim_pool_frame(&p);
    expect(&p, 0, 2, 0, 0);
    assert_int_equal(sim_pool_stats(&p).visited, visited + 2);
    assert_int_equal(sim_live(p.s, SIM_KIND_BUFFER), buffers - 1);
    assert_int_equal(sim_live(p.s, SIM_KIND_TEXTURE), 0);
    sim_pool_close(&p, 0);
}

static void a_frame_that_changes_nothing_visits_nothing_that_is_kept(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, 0, (gpool_recycle_desc){ .max_age_frames = 1000 });
    gpool_buffer buffers[100];
    for (uint32_t i = 0; i < 100; ++i) {
        buffers[i] = make(&p, SMALL + i / 10 * 4, SHADOWED, dirt());
    }
    for (uint32_t i = 0; i < 100; ++i) {
        assert_same(gpool_buffer_destroy(p.pool, buffers[i]), GPOOL_OK);
    }
    drain(&p);
    assert_int_equal(sim_pool_stats(&p).recycled_count, 100);
    sim_pool_frame(&p);
    gpool_stats before = sim_pool_stats(&p);
    for (int i = 0; i < 50; ++i) {
        sim_pool_frame(&p);
    }
    gpool_stats now = sim_pool_stats(&p);
    assert_int_equal(now.visited, before.visited);
    assert_int_equal(now.submits, before.submits);
    assert_int_equal(now.allocations, before.allocations);
    assert_int_equal(now.recycled_count, 100);
    sim_pool_close(&p, 0);
}

static void many_classes_are_each_found(void **state)
{
    (void)state;
    enum {
        CLASSES = 300,
        EACH = 3
    };
    static gpool_buffer buffers[EACH][CLASSES];
    sim_pool p;
    open(&p, 0, (gpool_recycle_desc){ 0 });
    for (uint64_t round = 0; round < 4; ++round) {
        for (uint32_t i = 0; i < EACH * CLASSES; ++i) {
            uint32_t class = (i * 7 + (uint32_t)round * 13) % CLASSES;
            buffers[i / CLASSES][class] = make(&p, 4 + 4 * class, GPOOL_BUFFER_UNIFORM, dirt());
        }
        expect(&p, round * EACH * CLASSES, EACH * CLASSES, 0, 0);
        for (uint32_t i = 0; i < EACH * CLASSES; ++i) {
            uint32_t class = (i * 11 + (uint32_t)round) % CLASSES;
            assert_same(gpool_buffer_destroy(p.pool, buffers[i / CLASSES][class]), GPOOL_OK);
        }
        drain(&p);
    }
    sim_pool_close(&p, 0);
}

static void what_others_may_hold_is_not_kept(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, 0, (gpool_recycle_desc){ 0 });
    gpool_buffer read = make(&p, SMALL, SHADOWED, NULL);
    assert_non_null(gpool_buffer_gpu(p.pool, read, GPOOL_ACCESS_READ));
    gpool_buffer written = make(&p, SMALL, WRITTEN, NULL);
    assert_non_null(gpool_buffer_gpu(p.pool, written, GPOOL_ACCESS_WRITE));
    gpool_texture texture = make_texture(&p, target_desc());
    assert_non_null(gpool_texture_gpu(p.pool, texture, GPOOL_ACCESS_READ));
    gpool_texture viewed = make_texture(&p, target_desc());
    assert_non_null(gpool_texture_gpu_view(p.pool, viewed, NULL, GPOOL_ACCESS_READ));
    gpool_buffer grown = make(&p, SMALL, WRITTEN, NULL);
    assert_non_null(gpool_buffer_gpu(p.pool, grown, GPOOL_ACCESS_READ));
    assert_same(gpool_buffer_resize(p.pool, grown, 2 * SMALL), GPOOL_OK);
    gpool_texture wide = make_texture(&p, target_desc());
    assert_non_null(gpool_texture_gpu(p.pool, wide, GPOOL_ACCESS_READ));
    assert_same(gpool_texture_resize(p.pool, wide, 32, 32, 1), GPOOL_OK);
    drain(&p);
    end(&p, read.id);
    end(&p, written.id);
    end(&p, texture.id);
    end(&p, viewed.id);
    assert_int_equal(sim_pool_stats(&p).recycled_count, 0);
    /* What took the place of what was handed out was not. */
    end(&p, grown.id);
    end(&p, wide.id);
    expect(&p, 0, 7, 2, 2 * SMALL + 32 * 32 * 4);
    sim_pool_close(&p, 0);
}

static void imports_depth_and_samples_are_not_kept(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, 0, (gpool_recycle_desc){ 0 });
    gpool_texture_desc desc = target_desc();
    desc.usage = GPOOL_TEXTURE_TARGET;
    desc.samples = 4;
    end(&p, make_texture(&p, desc).id);
    desc.samples = 1;
    desc.format = WGPUTextureFormat_Depth32Float;
    end(&p, make_texture(&p, desc).id);
    gpool_buffer owner = make(&p, SMALL, WRITTEN, NULL);
    gpool_texture texture = make_texture(&p, target_desc());
    gpool_buffer import = gpool_buffer_import(
        p.pool,
        &(gpool_buffer_import_desc){ .buffer = gpool_buffer_gpu(p.pool, owner, GPOOL_ACCESS_WRITE),
                                     .usage = GPOOL_BUFFER_COPY_SOURCE });
    gpool_texture seen = gpool_texture_import(
        p.pool, &(gpool_texture_import_desc){
                    .texture = gpool_texture_gpu(p.pool, texture, GPOOL_ACCESS_READ),
                    .usage = GPOOL_TEXTURE_TARGET });
    assert_int_not_equal(import.id, 0);
    assert_int_not_equal(seen.id, 0);
    end(&p, import.id);
    end(&p, seen.id);
    end(&p, owner.id);
    end(&p, texture.id);
    assert_int_equal(sim_pool_stats(&p).recycled_count, 0);
    sim_pool_close(&p, 0);
}

static void what_a_resize_replaces_is_kept_under_its_own_class(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, 0, (gpool_recycle_desc){ 0 });
    gpool_buffer shadowed = make(&p, SMALL, SHADOWED, dirt());
    gpool_buffer written = make(&p, SMALL, WRITTEN, dirt());
    assert_same(gpool_buffer_resize(p.pool, shadowed, 2 * SMALL), GPOOL_OK);
    assert_same(gpool_buffer_resize(p.pool, written, 2 * SMALL), GPOOL_OK);
    drain(&p);
    expect(&p, 0, 4, 2, 2 * SMALL);
    gpool_buffer a = make(&p, SMALL, SHADOWED, NULL);
    gpool_buffer b = make(&p, SMALL, WRITTEN, NULL);
    expect(&p, 2, 4, 0, 0);
    same(&p, a, SMALL, 0, 0);
    same(&p, b, SMALL, 0, 0);
    end(&p, a.id);
    end(&p, b.id);
    end(&p, shadowed.id);
    end(&p, written.id);
    sim_pool_close(&p, 0);
}

static void the_store_gives_way_when_the_gpu_lacks_memory(void **state)
{
    (void)state;
    sim_pool p;
    sim_desc small = { .memory = 1 << 20 };
    sim_pool_open_with(&p, &small, &(gpool_upload_desc){ 0 }, (gpool_recycle_desc){ 0 });
    gpool_texture_desc desc = target_desc();
    desc.width = 256;
    desc.height = 256;
    end(&p, make(&p, 400000, WRITTEN, NULL).id);
    end(&p, make_texture(&p, desc).id);
    expect(&p, 0, 2, 2, 400000 + 256 * 256 * 4);
    gpool_buffer buffer = make(&p, 600000, WRITTEN, NULL);
    expect(&p, 0, 3, 0, 0);
    gpool_buffer_info info;
    assert_same(gpool_buffer_get_info(p.pool, buffer, &info), GPOOL_OK);
    assert_false(info.failed);
    assert_int_equal(sim_pool_stats(&p).errors, 0);
    end(&p, buffer.id);
    gpool_texture texture = make_texture(&p, desc); /* fits beside it */
    desc.width = 600;
    gpool_texture large = make_texture(&p, desc);
    gpool_texture_info seen;
    assert_same(gpool_texture_get_info(p.pool, large, &seen), GPOOL_OK);
    assert_false(seen.failed);
    assert_int_equal(sim_pool_stats(&p).recycled_count, 0);
    /* Without anything kept the failure is told. */
    gpool_buffer failed = make(&p, 600000, WRITTEN, NULL);
    assert_same(gpool_buffer_get_info(p.pool, failed, &info), GPOOL_OK);
    assert_true(info.failed);
    end(&p, failed.id);
    end(&p, texture.id);
    end(&p, large.id);
    sim_pool_close(&p, 0);
}

/* Making what the pool needs itself: staging, stream, ticket, read, scatter payload. */
typedef enum need {
    NEED_STAGING,
    NEED_STREAM,
    NEED_TICKET,
    NEED_READ,
    NEED_SCATTER,
    NEED_COUNT
} need;

static gpool_result use_need(sim_pool *p, need what, gpool_buffer buffer)
{
    uint8_t bytes[64];
    gpool_result result = GPOOL_OK;
    switch (what) {
    case NEED_STREAM: {
        gpool_stream_slice slice;
        assert_same(gpool_begin_frame(p->pool), GPOOL_OK);
        (void)gpool_frame_recorder(p->pool);
        result = gpool_stream_alloc(p->pool, 64, 0, &slice);
        assert_same(gpool_end_frame(p->pool), GPOOL_OK);
        return result;
    }
    case NEED_TICKET: {
        assert_same(gpool_begin_frame(p->pool), GPOOL_OK);
        gpool_ticket ticket =
            gpool_read_buffer(gpool_frame_recorder(p->pool), buffer, 0, sizeof bytes, NULL);
        result = gpool_end_frame(p->pool);
        return result == GPOOL_OK ? gpool_ticket_destroy(p->pool, ticket) : result;
    }
    case NEED_READ:
        return gpool_buffer_read(p->pool, buffer, 0, bytes, sizeof bytes);
    default:
        assert_same(gpool_buffer_write(p->pool, buffer, 512, dirt(), 64), GPOOL_OK);
        return gpool_process_uploads(p->pool);
    }
}

static void the_store_gives_way_to_what_the_pool_needs_itself(void **state)
{
    (void)state;
    for (int i = 0; i < NEED_COUNT * 2; ++i) {
        need what = (need)(i / 2);
        bool for_ever = i % 2 == 1;
        sim_pool p;
        gpool_upload_desc upload = { .force = what == NEED_SCATTER ? GPOOL_UPLOAD_SCATTER
                                                                   : GPOOL_UPLOAD_MERGED };
        sim_pool_open_with(&p, &manners[i % 3], &upload, (gpool_recycle_desc){ 0 });
        keep_texture(&p, target_desc());
        gpool_buffer buffer = make(&p, LARGE, SHADOWED | GPOOL_BUFFER_STORAGE, dirt());
        if (what != NEED_STAGING && what != NEED_SCATTER) {
            drain(&p);
        } else {
            assert_int_equal(sim_pool_stats(&p).internal_bytes, 0);
        }
        assert_int_equal(sim_pool_stats(&p).recycled_count, 1);
        /* A scatter stages first. */
        uint64_t at = what == NEED_SCATTER ? 2 : 1;
        if (for_ever) {
            sim_fail(p.s, GPOOL_GPU_DeviceCreateBuffer, at, SIM_FAIL_OUT_OF_MEMORY, true);
            assert_same(use_need(&p, what, buffer), GPOOL_ERROR_OUT_OF_GPU_MEMORY);
            assert_int_equal(sim_fail_hits(p.s), 2);
        } else {
            sim_fail(p.s, GPOOL_GPU_DeviceCreateBuffer, at, SIM_FAIL_OUT_OF_MEMORY, false);
            assert_same(use_need(&p, what, buffer), GPOOL_OK);
            assert_int_equal(sim_fail_hits(p.s), 1);
        }
        sim_fail_none(p.s);
        assert_int_equal(sim_pool_stats(&p).recycled_count, 0);
        assert_same(use_need(&p, what, buffer), GPOOL_OK);
        end(&p, buffer.id);
        sim_pool_close(&p, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_freed_buffer_is_used_again_by_the_same_class_only),
        cmocka_unit_test(nothing_is_kept_when_it_is_off),
        cmocka_unit_test(the_oldest_give_way_to_the_budget),
        cmocka_unit_test(what_nobody_takes_is_released_after_its_age),
        cmocka_unit_test(a_frame_that_changes_nothing_visits_nothing_that_is_kept),
        cmocka_unit_test(many_classes_are_each_found),
        cmocka_unit_test(what_others_may_hold_is_not_kept),
        cmocka_unit_test(imports_depth_and_samples_are_not_kept),
        cmocka_unit_test(what_a_resize_replaces_is_kept_under_its_own_class),
        cmocka_unit_test(the_store_gives_way_when_the_gpu_lacks_memory),
        cmocka_unit_test(the_store_gives_way_to_what_the_pool_needs_itself),
    };
    return cmocka_run_group_tests_name("recycle", tests, NULL, NULL);
}
