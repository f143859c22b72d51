/*
 * Stream memory on the simulator: nothing of a recording that is over can be used, nor anything but
 * what commands may read; and what another device makes of it.
 */
#include "stream_world.h"

/* --- epochs --- */

static void an_old_slice_is_an_error_that_tells_both_recordings(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; ++i) {
        sim_pool p;
        open_every(&p, i);
        follow to = follow_make(&p, 64, SIM_POOL_COPYABLE, 1);
        gpool_recorder rec = begin(&p);
        gpool_stream_slice slice = take(&p, 64, 0);
        gpool_buffer kept = buffer_of(&p, slice);
        fill(slice, &to, 0, 5);
        copy(&p, rec, slice, &to, 0);
        assert_same(gpool_submit(p.pool), GPOOL_OK);
        follow_same(&p, &to, "copied");
        /* In the same frame, and with a slice at the very same place. */
        rec = gpool_frame_recorder(p.pool);
        gpool_stream_slice fresh = take(&p, 64, 0);
        assert_int_equal(fresh.offset, slice.offset);
        assert_int_equal(fresh.block, slice.block);
        assert_int_equal(fresh.epoch, slice.epoch + 1);
        assert_same(refused(&p, slice), GPOOL_ERROR_STALE_STREAM);
        char both[2][32];
        (void)snprintf(both[0], sizeof both[0], "[%llu]", (unsigned long long)slice.epoch);
        (void)snprintf(both[1], sizeof both[1], "[%llu]", (unsigned long long)fresh.epoch);
        assert_non_null(strstr(p.text[GPOOL_LOG_STREAM], both[0]));
        assert_non_null(strstr(p.text[GPOOL_LOG_STREAM], both[1]));
        assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_STREAM), 1);
        /* The handle too: the command is skipped, those of the new one run. */
        gpool_copy_buffer(rec, kept, slice.offset, to.handle, 0, 64);
        fill(fresh, &to, 0, 6);
        copy(&p, rec, fresh, &to, 0);
        gpool_copy_buffer(rec, kept, slice.offset, to.handle, 0, 64);
        assert_same(gpool_end_frame(p.pool), GPOOL_ERROR_STALE_STREAM);
        assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_STREAM), 2);
        follow_same(&p, &to, "only the new one");
        assert_same(refused(&p, fresh), GPOOL_ERROR_STALE_STREAM);
        follow_end(&p, &to);
        sim_pool_close(&p, 0);
    }
}

/* Every command that may read stream memory refuses a handle of an old recording. */
static void old_handles_are_refused_by_every_command(void **state)
{
    (void)state;
    sim_pool p;
    open_every(&p, 0);
    taker t = taker_make(&p);
    gpool_texture picture = gpool_texture_create(
        p.pool, &(gpool_texture_desc){ .width = 4,
                                       .height = 4,
                                       .format = WGPUTextureFormat_RGBA8Unorm,
                                       .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_COPY_TARGET });
    (void)begin(&p);
    gpool_buffer kept = buffer_of(&p, take(&p, 4096, 0));
    end(&p);
    gpool_recorder rec = begin(&p);
    (void)take(&p, 4096, 0);
    gpool_copy_buffer(rec, kept, 0, t.sums, 0, 16);
    gpool_copy_buffer_to_texture(rec, kept, 0, 256, picture, NULL);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = picture } });
    gpool_set_vertex_buffer(rec, 0, kept, 0);
    gpool_set_index_buffer(rec, kept, WGPUIndexFormat_Uint16, 0);
    gpool_draw_indirect(rec, kept, 0, false);
    gpool_end_pass(rec);
    gpool_begin_compute(rec, NULL);
    gpool_set_pipeline(rec, t.pipeline);
    gpool_dispatch_indirect(rec, kept, 0);
    const gpool_binding bindings[] = { { .binding = 0, .buffer = kept, .size = 16 },
                                       { .binding = 1, .buffer = kept },
                                       { .binding = 2, .buffer = t.sums } };
    gpool_set_bindings(rec, 0, t.layout, bindings, 3, &(uint32_t){ 0 }, 1);
    gpool_end_pass(rec);
    assert_int_equal(sim_pool_stats(&p).skipped, 7);
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_STREAM), 7);
    assert_same(gpool_end_frame(p.pool), GPOOL_ERROR_STALE_STREAM);
    assert_same(gpool_texture_destroy(p.pool, picture), GPOOL_OK);
    taker_end(&p, &t);
    sim_pool_close(&p, 0);
}

/* A recording that breaks at Finish is dropped with its slices; the next one starts anew. */
static void a_dropped_recording_ends_its_slices(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; ++i) {
        sim_pool p;
        open_every(&p, i);
        follow to = follow_make(&p, 64, SIM_POOL_COPYABLE, 1);
        gpool_recorder rec = begin(&p);
        gpool_stream_slice slice = take(&p, 64, 0);
        follow_fill(slice.data, 64, 3);
        copy(&p, rec, slice, &to, 0);
        sim_fail(p.s, GPOOL_GPU_CommandEncoderFinish, 1, SIM_FAIL_VALIDATION, false);
        assert_same(gpool_submit(p.pool), GPOOL_ERROR_GPU);
        sim_fail_none(p.s);
        assert_same(refused(&p, slice), GPOOL_ERROR_STALE_STREAM);
        follow_same(&p, &to, "nothing was copied");
        rec = gpool_frame_recorder(p.pool);
        slice = take(&p, 64, 0);
        fill(slice, &to, 0, 4);
        copy(&p, rec, slice, &to, 0);
        end(&p);
        follow_same(&p, &to, "after it");
        follow_end(&p, &to);
        sim_pool_close(&p, 0);
    }
}

/* The submit that could not send it keeps it: the next one does. */
static void a_refused_submit_keeps_its_slices(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; ++i) {
        sim_pool p;
        open_every(&p, i);
        follow to = follow_make(&p, 64, SIM_POOL_COPYABLE, 1);
        assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
        gpool_recorder rec = begin(&p);
        gpool_stream_slice slice = take(&p, 64, 0);
        copy(&p, rec, slice, &to, 0);
        sim_fail(p.s, GPOOL_GPU_QueueWriteBuffer, 1, SIM_FAIL_VALIDATION, false);
        assert_same(gpool_submit(p.pool), GPOOL_ERROR_GPU);
        sim_fail_none(p.s);
        (void)buffer_of(&p, slice);
        fill(slice, &to, 0, 9);
        end(&p);
        follow_same(&p, &to, "the second submit");
        follow_end(&p, &to);
        sim_pool_close(&p, 0);
    }
}

static void slices_of_no_commands_are_not_sent(void **state)
{
    (void)state;
    sim_pool p;
    open_every(&p, 0);
    assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
    gpool_stream_slice slice = take(&p, 64, 0);
    gpool_stats before = sim_pool_stats(&p);
    end(&p);
    gpool_stats after = sim_pool_stats(&p);
    assert_int_equal(after.uniform_bytes, before.uniform_bytes);
    assert_int_equal(after.submits, before.submits);
    assert_same(refused(&p, slice), GPOOL_ERROR_STALE_STREAM);
    sim_pool_close(&p, 0);
}

/* --- refusals --- */

static void strange_slices_are_refused(void **state)
{
    (void)state;
    sim_pool p;
    open_every(&p, 1);
    gpool *other = NULL;
    assert_same(gpool_create(p.device, NULL, &other), GPOOL_OK);
    (void)begin(&p);
    const gpool_stream_slice good = take(&p, 64, 0);
    gpool_stream_slice bad = { 0 };
    assert_same(refused(&p, bad), GPOOL_ERROR_NULL_HANDLE);
    bad = good;
    bad.epoch += 1;
    assert_same(refused(&p, bad), GPOOL_ERROR_INVALID_HANDLE);
    bad.epoch += UINT64_MAX - good.epoch - 1;
    assert_same(refused(&p, bad), GPOOL_ERROR_INVALID_HANDLE);
    bad.epoch = good.epoch + (UINT64_C(1) << 32);
    assert_same(refused(&p, bad), GPOOL_ERROR_INVALID_HANDLE);
    bad = good;
    bad.block += 1;
    assert_same(refused(&p, bad), GPOOL_ERROR_INVALID_HANDLE);
    bad.block = good.block | 1u << 23;
    assert_same(refused(&p, bad), GPOOL_ERROR_INVALID_HANDLE);
    bad.block = good.block | 0xffffffu;
    assert_same(refused(&p, bad), GPOOL_ERROR_INVALID_HANDLE);
    bad.block = good.block ^ 1u << 24;
    assert_same(refused(&p, bad), GPOOL_ERROR_INVALID_HANDLE);
    assert_int_equal(gpool_stream_buffer(other, good).id, 0);
    assert_same(gpool_last_error(other)->code, GPOOL_ERROR_FOREIGN_HANDLE);
    (void)buffer_of(&p, good);
    end(&p);
    gpool_destroy(other);
    sim_pool_close(&p, 0);
}

/* The buffer is the pool's own: whatever does not only read it knows no such handle. */
static void all_but_reading_commands_refuse_the_handle(void **state)
{
    (void)state;
    sim_pool p;
    open_every(&p, 0);
    gpool_scope scope = sim_pool_scope(&p, (gpool_scope){ 0 }, "mine");
    gpool_buffer mine = sim_pool_buffer(&p, scope, 64, "mine");
    gpool_stats before = sim_pool_stats(&p);
    gpool_recorder rec = begin(&p);
    gpool_buffer own = buffer_of(&p, take(&p, 64, 0));
    uint8_t bytes[64] = { 0 };
    gpool_buffer_info info;
    gpool_upload_info way;
    const gpool_result got[] = {
        gpool_buffer_destroy(p.pool, own),
        gpool_buffer_resize(p.pool, own, 128),
        gpool_buffer_write(p.pool, own, 0, bytes, 4),
        gpool_buffer_write_elements(p.pool, own, 0, 1, 4, bytes),
        gpool_buffer_read(p.pool, own, 0, bytes, 4),
        gpool_buffer_get_info(p.pool, own, &info),
        gpool_upload_explain(p.pool, own, &way),
        gpool_retain(p.pool, own.id),
        gpool_release(p.pool, own.id),
        gpool_move(p.pool, own.id, scope),
    };
    for (size_t i = 0; i < UNIT_COUNT(got); ++i) {
        assert_same(got[i], GPOOL_ERROR_INVALID_HANDLE);
    }
    assert_null(gpool_buffer_gpu(p.pool, own, GPOOL_ACCESS_READ));
    assert_null(gpool_buffer_edit(p.pool, own, 0, 4));
    assert_int_equal(gpool_read_buffer(rec, own, 0, 4, NULL).id, 0);
    gpool_record_write(rec, own, 0, bytes, 4);
    gpool_clear_buffer(rec, own, 0, 4);
    gpool_copy_buffer(rec, mine, 0, own, 0, 4);
    assert_int_equal(sim_pool_stats(&p).skipped - before.skipped, 4);
    assert_same(gpool_end_frame(p.pool), GPOOL_ERROR_INVALID_HANDLE);
    gpool_stats after = sim_pool_stats(&p);
    assert_int_equal(after.live_count[GPOOL_KIND_BUFFER], before.live_count[GPOOL_KIND_BUFFER]);
    assert_int_equal(after.live_bytes[GPOOL_KIND_BUFFER], before.live_bytes[GPOOL_KIND_BUFFER]);
    assert_int_equal(sim_pool_info(&p, scope).own.count[GPOOL_KIND_BUFFER], 1);
    assert_same(gpool_scope_end(p.pool, scope), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void only_while_a_frame_is_open(void **state)
{
    (void)state;
    sim_pool p;
    gpool_stream_slice slice = { .epoch = 7 };
    open_every(&p, 1); /* which tells a loss at polls */
    assert_same(gpool_stream_alloc(p.pool, 16, 0, &slice), GPOOL_ERROR_WRONG_PHASE);
    assert_int_equal(slice.epoch, 0);
    assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
    assert_same(gpool_stream_alloc(p.pool, 16, 0, NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    slice = take(&p, 16, 0);
    sim_lose(p.s);
    (void)gpool_tick(p.pool);
    assert_same(gpool_stream_alloc(p.pool, 16, 0, &slice), GPOOL_ERROR_DEVICE_LOST);
    assert_same(gpool_end_frame(p.pool), GPOOL_ERROR_DEVICE_LOST);
    assert_same(gpool_stream_alloc(p.pool, 16, 0, &slice), GPOOL_ERROR_DEVICE_LOST);
    sim_pool_close(&p, 0);
}

/* A pool under the tag of one that is gone starts with later recordings. */
static void slices_of_a_destroyed_pool_stay_dead(void **state)
{
    (void)state;
    sim_pool p;
    open_every(&p, 0);
    gpool_stream_slice kept[32];
    uint32_t hits = 0;
    for (uint32_t i = 0; i < 32; ++i) {
        gpool *pool = NULL;
        assert_same(gpool_create(p.device, NULL, &pool), GPOOL_OK);
        assert_same(gpool_begin_frame(pool), GPOOL_OK);
        assert_same(gpool_stream_alloc(pool, 16, 0, &kept[i]), GPOOL_OK);
        for (uint32_t k = 0; k < i; ++k) {
            assert_int_equal(gpool_stream_buffer(pool, kept[k]).id, 0);
            hits += gpool_last_error(pool)->code == GPOOL_ERROR_STALE_STREAM;
        }
        gpool_destroy(pool);
    }
    assert_true(hits > 0); /* some tags came twice */
    sim_pool_close(&p, 0);
}

/* --- another device --- */

static void blocks_are_of_the_device_and_made_anew_on_another(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2; ++i) {
        sim_pool p;
        open_every(&p, i);
        follow to = follow_make(&p, TARGET, SIM_POOL_COPYABLE, 1);
        gpool_recorder rec = begin(&p);
        gpool_stream_slice slice = take(&p, 64, 0);
        gpool_stream_slice large = take(&p, 300000, 0);
        fill(slice, &to, 0, 1);
        fill(large, &to, 64, 2);
        copy(&p, rec, slice, &to, 0);
        copy(&p, rec, large, &to, 64);
        end(&p);
        gpool_device_desc desc = { .gpu = &p.table, .log = sim_pool_on_log, .log_user = &p };
        gpool_device *device = NULL;
        assert_same(gpool_device_open(&desc, &device), GPOOL_OK);
        gpool_recover_report report;
        assert_same(gpool_recover(p.pool, device, NULL, &report), GPOOL_OK);
        assert_int_equal(report.rebuilt[GPOOL_KIND_BUFFER], 1);
        assert_int_equal(report.lost, 1); /* the target of the copies */
        gpool_device_release(p.device);
        p.device = device;
        assert_int_equal(sim_pool_stats(&p).internal_bytes, 0);
        assert_same(refused(&p, slice), GPOOL_ERROR_STALE_STREAM);
        memset(to.bytes, 0, TARGET);
        rec = begin(&p);
        slice = take(&p, 64, 0);
        large = take(&p, 300000, 0);
        fill(slice, &to, 0, 3);
        fill(large, &to, 64, 4);
        copy(&p, rec, slice, &to, 0);
        copy(&p, rec, large, &to, 64);
        end(&p);
        follow_same(&p, &to, "on the other device");
        follow_end(&p, &to);
        sim_pool_close(&p, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_old_slice_is_an_error_that_tells_both_recordings),
        cmocka_unit_test(old_handles_are_refused_by_every_command),
        cmocka_unit_test(a_dropped_recording_ends_its_slices),
        cmocka_unit_test(a_refused_submit_keeps_its_slices),
        cmocka_unit_test(slices_of_no_commands_are_not_sent),
        cmocka_unit_test(strange_slices_are_refused),
        cmocka_unit_test(all_but_reading_commands_refuse_the_handle),
        cmocka_unit_test(only_while_a_frame_is_open),
        cmocka_unit_test(slices_of_a_destroyed_pool_stay_dead),
        cmocka_unit_test(blocks_are_of_the_device_and_made_anew_on_another),
    };
    return cmocka_run_group_tests_name("epochs of stream memory", tests, NULL, NULL);
}
