/* Recycling on the simulator: no byte of before is ever seen, and clears are made when and where they must. */
#include "recycle_pool.h"

static void a_recycled_buffer_is_zero_in_every_way(void **state)
{
    (void)state;
    static const gpool_buffer_usage usages[] = { SHADOWED, WRITTEN, SIM_POOL_COPYABLE };
    static const uint64_t sizes[] = { 8, SMALL, LARGE };
    for (size_t i = 0; i < UNIT_COUNT(manners) * UNIT_COUNT(usages) * UNIT_COUNT(sizes); ++i) {
        gpool_buffer_usage usage = usages[i / 3 % 3];
        uint64_t size = sizes[i / 9];
        sim_pool p;
        open(&p, i % 3, (gpool_recycle_desc){ 0 });
        for (int round = 0; round < 7; ++round) {
            keep(&p, size, usage);
        }
        uint64_t hits = sim_pool_stats(&p).recycle_hits;
        assert_int_equal(hits, 6);
        /* Read back. */
        gpool_buffer buffer = make(&p, size, usage, NULL);
        same(&p, buffer, size, 0, 0);
        end(&p, buffer.id);
        /* Written in part, then read back; the write comes before anything was submitted. */
        keep(&p, size, usage);
        buffer = make(&p, size, usage, NULL);
        assert_same(gpool_buffer_write(p.pool, buffer, size / 2, dirt(), 2 * (size / 4)), GPOOL_OK);
        same(&p, buffer, size, size / 2, 2 * (size / 4));
        end(&p, buffer.id);
        /* Handed out. */
        keep(&p, size, usage);
        buffer = make(&p, size, usage, NULL);
        WGPUBuffer raw = gpool_buffer_gpu(p.pool, buffer, GPOOL_ACCESS_READ);
        /* What went to the queue is there with the caller's own submit. */
        p.table.QueueSubmit(gpool_device_raw_queue(p.device), 0, NULL);
        static uint8_t got[LARGE];
        static const uint8_t zeros[LARGE];
        assert_true(sim_read_buffer(p.s, raw, 0, got, (size_t)size));
        assert_memory_equal(got, zeros, (size_t)size);
        end(&p, buffer.id);
        /* Copied in the frame it is made in, destroyed before its end. */
        keep(&p, size, usage);
        gpool_buffer sink =
            make(&p, size, GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_READ_BACK, dirt());
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        gpool_recorder rec = gpool_frame_recorder(p.pool);
        buffer = make(&p, size, usage, NULL);
        gpool_copy_buffer(rec, buffer, 0, sink, 0, size);
        assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
        assert_same(gpool_end_frame(p.pool), GPOOL_OK);
        same(&p, sink, size, 0, 0);
        end(&p, sink.id);
        /* Grown and shrunk into objects of before. */
        keep(&p, size, usage);
        keep(&p, size / 8 * 4, usage);
        buffer = make(&p, size + 64, usage, NULL);
        hits = sim_pool_stats(&p).recycle_hits;
        assert_same(gpool_buffer_resize(p.pool, buffer, size / 8 * 4), GPOOL_OK);
        assert_same(gpool_buffer_resize(p.pool, buffer, size), GPOOL_OK);
        assert_int_equal(sim_pool_stats(&p).recycle_hits, hits + 2);
        same(&p, buffer, size, 0, 0);
        end(&p, buffer.id);
        sim_pool_close(&p, 0);
    }
}

static void a_large_buffer_is_cleared_rather_than_sent(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, 0, (gpool_recycle_desc){ 0 });
    keep(&p, LARGE, SHADOWED);
    uint64_t sent = sim_pool_stats(&p).sent_bytes;
    uint64_t clears = sim_call_count(p.s, GPOOL_GPU_CommandEncoderClearBuffer);
    gpool_buffer buffer = make(&p, LARGE, SHADOWED, NULL);
    gpool_buffer_info info;
    assert_same(gpool_buffer_get_info(p.pool, buffer, &info), GPOOL_OK);
    assert_int_equal(info.dirty_bytes, 0);
    assert_same(gpool_buffer_write(p.pool, buffer, 1024, dirt(), 512), GPOOL_OK);
    drain(&p);
    assert_int_equal(sim_pool_stats(&p).sent_bytes, sent + 512);
    assert_int_equal(sim_call_count(p.s, GPOOL_GPU_CommandEncoderClearBuffer), clears + 1);
    same(&p, buffer, LARGE, 1024, 512);
    end(&p, buffer.id);
    sim_pool_close(&p, 0);
}

static void data_needs_no_clear(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, 0, (gpool_recycle_desc){ 0 });
    keep(&p, LARGE, WRITTEN);
    keep_texture(&p, target_desc());
    uint64_t submits = sim_pool_stats(&p).submits;
    uint64_t encoders = sim_call_count(p.s, GPOOL_GPU_DeviceCreateCommandEncoder);
    static uint8_t data[LARGE];
    memset(data, 0x3e, sizeof data);
    gpool_buffer buffer = make(&p, LARGE, WRITTEN, data);
    gpool_texture_desc desc = target_desc();
    desc.data = data;
    desc.data_size = sizeof data;
    gpool_texture texture = make_texture(&p, desc);
    assert_int_equal(sim_pool_stats(&p).recycle_hits, 2);
    assert_int_equal(sim_pool_stats(&p).submits, submits);
    assert_int_equal(sim_call_count(p.s, GPOOL_GPU_DeviceCreateCommandEncoder), encoders);
    static uint8_t got[LARGE];
    assert_same(gpool_buffer_read(p.pool, buffer, 0, got, LARGE), GPOOL_OK);
    assert_memory_equal(got, data, LARGE);
    assert_same(gpool_texture_read(p.pool, texture, NULL, got, LARGE), GPOOL_OK);
    assert_memory_equal(got, data, 16 * 8 * 4);
    end(&p, buffer.id);
    end(&p, texture.id);
    sim_pool_close(&p, 0);
}

static void a_recycled_target_is_zero_in_every_way(void **state)
{
    (void)state;
    for (size_t i = 0; i < UNIT_COUNT(manners); ++i) {
        sim_pool p;
        open(&p, i, (gpool_recycle_desc){ 0 });
        keep_texture(&p, target_desc());
        /* Read back. */
        gpool_texture texture = make_texture(&p, target_desc());
        assert_int_equal(sim_pool_stats(&p).recycle_hits, 1);
        zero_level(&p, texture, 0, 1);
        end(&p, texture.id);
        /* Written in part: the write does not overtake the clear. */
        keep_texture(&p, target_desc());
        texture = make_texture(&p, target_desc());
        gpool_texture_region corner = { .x = 4, .y = 4, .width = 2, .height = 1 };
        assert_same(gpool_texture_write(p.pool, texture, &corner, dirt(), 8, 0), GPOOL_OK);
        uint8_t got[16 * 8 * 4];
        uint8_t wanted[16 * 8 * 4] = { 0 };
        memcpy(wanted + (4 * 16 + 4) * 4, dirt(), 8);
        assert_same(gpool_texture_read(p.pool, texture, NULL, got, sizeof got), GPOOL_OK);
        assert_memory_equal(got, wanted, sizeof got);
        end(&p, texture.id);
        /* Handed out, itself and as a view: zero at once. */
        for (int view = 0; view < 2; ++view) {
            keep_texture(&p, target_desc());
            texture = make_texture(&p, target_desc());
            if (view == 1) {
                assert_non_null(gpool_texture_gpu_view(p.pool, texture, NULL, GPOOL_ACCESS_READ));
            }
            gpool_result result;
            WGPUTexture raw = view == 0 ? gpool_texture_gpu(p.pool, texture, GPOOL_ACCESS_WRITE)
                                        : ((gpool__texture *)gpool__resolve(
                                               p.pool, texture.id, GPOOL_KIND_TEXTURE, &result))
                                              ->gpu;
            uint32_t texel = 1;
            assert_true(sim_read_texel(p.s, raw, 0, 15, 7, 0, &texel, sizeof texel));
            assert_int_equal(texel, 0);
            end(&p, texture.id);
        }
        /* Copied in the frame it is made in, destroyed before its end. */
        keep_texture(&p, target_desc());
        gpool_texture_desc desc = target_desc();
        desc.usage |= GPOOL_TEXTURE_SAMPLED; /* another class */
        gpool_texture sink = make_texture(&p, desc);
        assert_same(gpool_texture_write(p.pool, sink, NULL, dirt(), LARGE, 0), GPOOL_OK);
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        gpool_recorder rec = gpool_frame_recorder(p.pool);
        texture = make_texture(&p, target_desc());
        gpool_copy_texture(rec, texture, NULL, sink, NULL);
        assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
        assert_same(gpool_end_frame(p.pool), GPOOL_OK);
        zero_level(&p, sink, 0, 1);
        end(&p, sink.id);
        /* Kept by a pass that loads. */
        keep_texture(&p, target_desc());
        texture = make_texture(&p, target_desc());
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        gpool_begin_render(
            gpool_frame_recorder(p.pool),
            &(gpool_render_desc){ .color[0] = { .texture = texture, .load = GPOOL_LOAD_KEEP } });
        gpool_end_pass(gpool_frame_recorder(p.pool));
        assert_same(gpool_end_frame(p.pool), GPOOL_OK);
        zero_level(&p, texture, 0, 1);
        /* Resized: what is new is zero. */
        assert_same(gpool_texture_resize(p.pool, texture, 24, 12, 1), GPOOL_OK);
        zero_level(&p, texture, 0, 1);
        end(&p, texture.id);
        sim_pool_close(&p, 0);
    }
}

static void all_levels_and_layers_of_a_target_are_cleared(void **state)
{
    (void)state;
    static const uint32_t shapes[][2] = { { 4, 3 }, { 1, 16 }, { 5, 1 } };
    for (size_t i = 0; i < UNIT_COUNT(shapes); ++i) {
        sim_pool p;
        open(&p, i % 2, (gpool_recycle_desc){ 0 });
        gpool_texture_desc desc = target_desc();
        desc.mip_levels = shapes[i][0];
        desc.depth_or_layers = shapes[i][1];
        keep_texture(&p, desc);
        gpool_texture texture = make_texture(&p, desc);
        assert_int_equal(sim_pool_stats(&p).recycle_hits, 1);
        for (uint32_t level = 0; level < desc.mip_levels; ++level) {
            zero_level(&p, texture, level, desc.depth_or_layers);
        }
        end(&p, texture.id);
        /* Data is of level 0 only. */
        keep_texture(&p, desc);
        desc.data = dirt();
        desc.data_size = LARGE;
        texture = make_texture(&p, desc);
        for (uint32_t level = 1; level < desc.mip_levels; ++level) {
            zero_level(&p, texture, level, desc.depth_or_layers);
        }
        uint8_t got[16 * 8 * 4];
        gpool_texture_region last = { .z = desc.depth_or_layers - 1 };
        assert_same(gpool_texture_read(p.pool, texture, &last, got, sizeof got), GPOOL_OK);
        assert_memory_equal(got, dirt(), sizeof got);
        end(&p, texture.id);
        sim_pool_close(&p, 0);
    }
}

static void textures_that_cannot_be_cleared_wait_for_data(void **state)
{
    (void)state;
    gpool_texture_desc descs[3] = { target_desc(), target_desc(), target_desc() };
    descs[0].usage &= ~(gpool_texture_usage)GPOOL_TEXTURE_TARGET;
    descs[1].dimension = WGPUTextureDimension_3D;
    descs[1].depth_or_layers = 4;
    descs[2].depth_or_layers = 17; /* too many passes */
    for (size_t i = 0; i < UNIT_COUNT(descs); ++i) {
        sim_pool p;
        open(&p, 0, (gpool_recycle_desc){ 0 });
        keep_texture(&p, descs[i]);
        assert_int_equal(sim_pool_stats(&p).recycled_count, 1);
        gpool_texture fresh = make_texture(&p, descs[i]);
        assert_int_equal(sim_pool_stats(&p).recycled_count, 1);
        zero_level(&p, fresh, 0, descs[i].depth_or_layers);
        descs[i].data = dirt();
        descs[i].data_size = LARGE;
        gpool_texture texture = make_texture(&p, descs[i]);
        assert_int_equal(sim_pool_stats(&p).recycle_hits, 1);
        end(&p, fresh.id);
        end(&p, texture.id);
        /* With more levels, nobody could take it. */
        descs[i].mip_levels = 2;
        end(&p, make_texture(&p, descs[i]).id);
        assert_int_equal(sim_pool_stats(&p).recycled_count, 2);
        sim_pool_close(&p, 0);
    }
}

static void a_shadow_covers_a_recycled_texture(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, 0, (gpool_recycle_desc){ 0 });
    gpool_texture_desc desc = target_desc();
    desc.usage = GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_READ_BACK;
    desc.mip_levels = 3;
    desc.keep = GPOOL_KEEP_SHADOW;
    keep_texture(&p, desc);
    gpool_texture texture = make_texture(&p, desc);
    assert_int_equal(sim_pool_stats(&p).recycle_hits, 1);
    for (uint32_t level = 0; level < 3; ++level) {
        zero_level(&p, texture, level, 1);
    }
    end(&p, texture.id);
    sim_pool_close(&p, 0);
}

/* --- the clear --- */

static void what_is_destroyed_unused_is_never_cleared(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, 0, (gpool_recycle_desc){ 0 });
    keep_texture(&p, target_desc());
    keep(&p, SMALL, WRITTEN);
    uint64_t submits = sim_pool_stats(&p).submits;
    uint64_t hits = sim_pool_stats(&p).recycle_hits;
    for (int i = 0; i < 5; ++i) {
        gpool_texture texture = make_texture(&p, target_desc());
        gpool_buffer buffer = make(&p, SMALL, WRITTEN, NULL);
        assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
        assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
        drain(&p);
    }
    assert_int_equal(sim_pool_stats(&p).submits, submits);
    assert_int_equal(sim_pool_stats(&p).recycle_hits, hits + 10);
    gpool_texture texture = make_texture(&p, target_desc());
    zero_level(&p, texture, 0, 1);
    end(&p, texture.id);
    sim_pool_close(&p, 0);
}

static void clears_of_a_frame_share_one_command_buffer(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, 0, (gpool_recycle_desc){ 0 });
    gpool_buffer buffers[20];
    for (int round = 0; round < 2; ++round) {
        for (int i = 0; i < 20; ++i) {
            buffers[i] = make(&p, SMALL, WRITTEN, NULL);
        }
        for (int i = 0; i < 20 && round == 0; ++i) {
            assert_same(gpool_buffer_destroy(p.pool, buffers[i]), GPOOL_OK);
        }
        if (round == 0) {
            drain(&p);
        }
    }
    uint64_t encoders = sim_call_count(p.s, GPOOL_GPU_CommandEncoderFinish);
    uint64_t submits = sim_pool_stats(&p).submits;
    sim_pool_frame(&p);
    assert_int_equal(sim_pool_stats(&p).recycle_hits, 20);
    assert_int_equal(sim_pool_stats(&p).submits, submits + 1);
    assert_in_range(sim_call_count(p.s, GPOOL_GPU_CommandEncoderFinish) - encoders, 1, 2);
    for (int i = 0; i < 20; ++i) {
        same(&p, buffers[i], SMALL, 0, 0);
        assert_same(gpool_buffer_destroy(p.pool, buffers[i]), GPOOL_OK);
    }
    drain(&p);
    sim_pool_close(&p, 0);
}

/* Whatever fails at the submit of a clear: it is made again, and nothing overtakes it. */
static void a_clear_that_failed_is_made_again(void **state)
{
    (void)state;
    static const struct {
        int function;
        sim_way way;
    } faults[] = { { GPOOL_GPU_QueueSubmit, SIM_FAIL_VALIDATION },
                   { GPOOL_GPU_CommandEncoderFinish, SIM_FAIL_VALIDATION },
                   { GPOOL_GPU_DeviceCreateCommandEncoder, SIM_FAIL_VALIDATION },
                   { GPOOL_GPU_TextureCreateView, SIM_FAIL_VALIDATION } };
    for (size_t i = 0; i < UNIT_COUNT(faults) * 3; ++i) {
        sim_pool p;
        open(&p, i % 2, (gpool_recycle_desc){ 0 });
        if (!sim_can_fail(p.s, faults[i / 3].function, faults[i / 3].way)) {
            sim_pool_close(&p, 0);
            continue;
        }
        keep_texture(&p, target_desc());
        keep(&p, SMALL, WRITTEN);
        keep(&p, LARGE, SHADOWED);
        gpool_texture texture = make_texture(&p, target_desc());
        gpool_buffer written = make(&p, SMALL, WRITTEN, NULL);
        gpool_buffer large = make(&p, LARGE, SHADOWED, NULL);
        assert_same(gpool_buffer_write(p.pool, large, 64, dirt(), 64), GPOOL_OK);
        sim_fail(p.s, faults[i / 3].function, 1 + i % 3, faults[i / 3].way, false);
        for (int round = 0; round < 4; ++round) {
            (void)gpool_process_uploads(p.pool);
        }
        sim_fail_none(p.s);
        assert_same(gpool_buffer_write(p.pool, written, 8, dirt(), 8), GPOOL_OK);
        zero_level(&p, texture, 0, 1);
        same(&p, written, SMALL, 8, 8);
        same(&p, large, LARGE, 64, 64);
        end(&p, texture.id);
        end(&p, written.id);
        end(&p, large.id);
        sim_pool_close(&p, 0);
    }
}

static void another_device_gets_nothing_of_the_first(void **state)
{
    (void)state;
    for (int lost = 0; lost < 2; ++lost) {
        sim_pool p;
        open(&p, 0, (gpool_recycle_desc){ 0 });
        keep(&p, SMALL, WRITTEN);
        keep(&p, 2 * SMALL, WRITTEN);
        keep_texture(&p, target_desc());
        /* Taken, and not yet cleared. */
        gpool_texture texture = make_texture(&p, target_desc());
        gpool_buffer buffer = make(&p, SMALL, WRITTEN, NULL);
        if (lost == 1) {
            sim_lose(p.s);
            (void)gpool_process_uploads(p.pool);
        }
        sim *s = sim_create(&manners[0]);
        gpool_gpu table;
        sim_table(s, &table);
        gpool_device *device = NULL;
        gpool_device_desc desc = { .gpu = &table, .log = sim_pool_on_log, .log_user = &p };
        assert_same(gpool_device_open(&desc, &device), GPOOL_OK);
        assert_same(gpool_recover(p.pool, device, NULL, NULL), GPOOL_OK);
        assert_int_equal(sim_pool_stats(&p).recycled_count, 0);
        assert_true(gpool__pool_validate(p.pool));
        assert_int_equal(sim_live(p.s, SIM_KIND_BUFFER) + sim_live(p.s, SIM_KIND_TEXTURE), 0);
        same(&p, buffer, SMALL, 0, 0);
        zero_level(&p, texture, 0, 1);
        uint64_t misses = sim_pool_stats(&p).recycle_misses;
        end(&p, make(&p, 2 * SMALL, WRITTEN, NULL).id);
        assert_int_equal(sim_pool_stats(&p).recycle_misses, misses + 1);
        end(&p, make(&p, 2 * SMALL, WRITTEN, NULL).id);
        assert_int_equal(sim_pool_stats(&p).recycle_misses, misses + 1);
        end(&p, buffer.id);
        end(&p, texture.id);
        gpool_destroy(p.pool);
        gpool_device_release(device);
        gpool_device_release(p.device);
        sim_drain(s);
        sim_drain(p.s);
        assert_int_equal(sim_live(s, SIM_KIND_NONE) + sim_live(p.s, SIM_KIND_NONE), 0);
        assert_int_equal(sim_fatal_count(s) + sim_fatal_count(p.s), 0);
        assert_int_equal(p.allocator.blocks, 0);
        sim_destroy(s);
        sim_destroy(p.s);
    }
}

static void a_lost_device_gives_and_keeps_nothing(void **state)
{
    (void)state;
    for (int dawn = 0; dawn < 2; ++dawn) {
        sim_pool p;
        open(&p, (size_t)dawn, (gpool_recycle_desc){ 0 });
        keep(&p, SMALL, SHADOWED);
        gpool_buffer buffer = make(&p, 2 * SMALL, SHADOWED, dirt());
        sim_lose(p.s);
        uint8_t byte;
        assert_same(gpool_buffer_read(p.pool, buffer, 0, &byte, 1), GPOOL_ERROR_DEVICE_LOST);
        gpool_buffer failed = make(&p, SMALL, SHADOWED, NULL);
        gpool_buffer_info info;
        assert_same(gpool_buffer_get_info(p.pool, failed, &info), GPOOL_OK);
        assert_true(info.failed);
        assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
        assert_same(gpool_buffer_destroy(p.pool, failed), GPOOL_OK);
        assert_same(gpool_process_deletions(p.pool), GPOOL_OK);
        expect(&p, 0, 2, 1, SMALL);
        sim_pool_close(&p, 0);
    }
}

static void a_create_without_memory_for_the_clear_makes_a_new_object(void **state)
{
    (void)state;
    for (uint64_t at = 1; at < 6; ++at) {
        sim_pool p;
        open(&p, 0, (gpool_recycle_desc){ 0 });
        keep_texture(&p, target_desc());
        p.allocator.fail_at = p.allocator.calls + at;
        gpool_texture texture = gpool_texture_create(
            p.pool, &(gpool_texture_desc){ .width = 16,
                                           .height = 8,
                                           .format = WGPUTextureFormat_RGBA8Unorm,
                                           .usage = target_desc().usage });
        p.allocator.fail_at = 0;
        if (texture.id == 0) {
            assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_OUT_OF_MEMORY);
            assert_int_equal(sim_pool_stats(&p).recycled_count, 1);
        } else {
            zero_level(&p, texture, 0, 1);
            end(&p, texture.id);
        }
        sim_pool_close(&p, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recycled_buffer_is_zero_in_every_way),
        cmocka_unit_test(a_large_buffer_is_cleared_rather_than_sent),
        cmocka_unit_test(data_needs_no_clear),
        cmocka_unit_test(a_recycled_target_is_zero_in_every_way),
        cmocka_unit_test(all_levels_and_layers_of_a_target_are_cleared),
        cmocka_unit_test(textures_that_cannot_be_cleared_wait_for_data),
        cmocka_unit_test(a_shadow_covers_a_recycled_texture),
        cmocka_unit_test(what_is_destroyed_unused_is_never_cleared),
        cmocka_unit_test(clears_of_a_frame_share_one_command_buffer),
        cmocka_unit_test(a_clear_that_failed_is_made_again),
        cmocka_unit_test(another_device_gets_nothing_of_the_first),
        cmocka_unit_test(a_lost_device_gives_and_keeps_nothing),
        cmocka_unit_test(a_create_without_memory_for_the_clear_makes_a_new_object),
    };
    return cmocka_run_group_tests_name("recycle_bytes", tests, NULL, NULL);
}
