/* Null pools, null recorders, null pointers for every pointer of every function. */
#include "gpu/hostile.h"

#include <string.h>

#define NO_POOL GPOOL_ERROR_INVALID_ARGUMENT

static void null_pool_frames(hostile_world *w)
{
    gpool_stats stats;
    assert_result(gpool_begin_frame(NULL), NO_POOL);
    assert_result(gpool_submit(NULL), NO_POOL);
    assert_result(gpool_process_uploads(NULL), NO_POOL);
    assert_result(gpool_process_deletions(NULL), NO_POOL);
    assert_result(gpool_end_frame(NULL), NO_POOL);
    assert_result(gpool_tick(NULL), NO_POOL);
    assert_result(gpool_wait_idle(NULL), NO_POOL);
    assert_result(gpool_note_external_submit(NULL), NO_POOL);
    assert_result(gpool_recover(NULL, w->f->device, NULL, NULL), NO_POOL);
    assert_result(gpool_warm_up(NULL, NULL, NULL, NULL), NO_POOL);
    assert_result(gpool_get_stats(NULL, &stats), NO_POOL);
    assert_result(gpool_get_stats(w->pool, NULL), NO_POOL);
    assert_non_null(gpool_last_error(NULL));
    assert_non_null(gpool_last_error(NULL)->message);
    assert_null(gpool_pool_device(NULL));
    assert_int_equal(gpool_frame(NULL), 0);
    assert_int_equal(gpool_gpu_call_count(NULL, 0), 0);
    assert_int_equal(gpool_gpu_call_count(w->pool, -1), 0);
    assert_int_equal(gpool_gpu_call_count(w->pool, GPOOL_GPU_COUNT), 0);
    assert_int_equal(gpool_gpu_call_count(w->pool, INT32_MAX), 0);
    assert_int_equal(gpool_gpu_call_count(w->pool, INT32_MIN), 0);
    assert_null(gpool_frame_recorder(NULL).state);
    assert_int_equal(gpool_uniform_layout(NULL).id, 0);
    gpool_destroy(NULL);
    assert_result(gpool_create(NULL, NULL, NULL), NO_POOL);
    gpool *pool = w->pool;
    assert_result(gpool_create(NULL, NULL, &pool), NO_POOL);
    assert_null(pool);
    assert_result(gpool_create(w->f->device, NULL, NULL), NO_POOL);
}

void hostile_null_pool(hostile_world *w)
{
    uint8_t data[64];
    gpool_buffer b = w->witness;
    gpool_texture t = w->witness_texture;
    const gpool_sampler s = { 1 };
    const gpool_layout l = { 1 };
    const gpool_shader h = { 1 };
    hostile_begin(w);
    null_pool_frames(w);
    assert_int_equal(gpool_buffer_create(NULL, &(gpool_buffer_desc){ .size = 4 }).id, 0);
    assert_int_equal(gpool_buffer_import(NULL, &(gpool_buffer_import_desc){ 0 }).id, 0);
    assert_result(gpool_buffer_write(NULL, b, 0, data, 4), NO_POOL);
    assert_result(gpool_buffer_resize(NULL, b, 4), NO_POOL);
    assert_result(gpool_buffer_destroy(NULL, b), NO_POOL);
    assert_result(gpool_buffer_get_info(NULL, b, &(gpool_buffer_info){ 0 }), NO_POOL);
    assert_result(gpool_buffer_read(NULL, b, 0, data, 4), NO_POOL);
    assert_null(gpool_buffer_gpu(NULL, b, GPOOL_ACCESS_WRITE));
    assert_int_equal(gpool_texture_create(NULL, &(gpool_texture_desc){ .width = 4 }).id, 0);
    assert_int_equal(gpool_texture_import(NULL, &(gpool_texture_import_desc){ 0 }).id, 0);
    assert_result(gpool_texture_write(NULL, t, NULL, data, 64, 0), NO_POOL);
    assert_result(gpool_texture_resize(NULL, t, 4, 4, 1), NO_POOL);
    assert_result(gpool_texture_destroy(NULL, t), NO_POOL);
    assert_result(gpool_texture_get_info(NULL, t, &(gpool_texture_info){ 0 }), NO_POOL);
    assert_result(gpool_texture_read(NULL, t, NULL, data, 64), NO_POOL);
    assert_null(gpool_texture_gpu(NULL, t, GPOOL_ACCESS_WRITE));
    assert_null(gpool_texture_gpu_view(NULL, t, NULL, GPOOL_ACCESS_WRITE));
    assert_int_equal(gpool_sampler_create(NULL, &(gpool_sampler_desc){ 0 }).id, 0);
    assert_result(gpool_sampler_destroy(NULL, s), NO_POOL);
    assert_result(gpool_sampler_get_desc(NULL, s, &(gpool_sampler_desc){ 0 }), NO_POOL);
    assert_null(gpool_sampler_gpu(NULL, s));
    assert_int_equal(gpool_layout_create(NULL, &(gpool_layout_desc){ 0 }).id, 0);
    assert_result(gpool_layout_destroy(NULL, l), NO_POOL);
    assert_null(gpool_layout_gpu(NULL, l));
    assert_int_equal(gpool_shader_create(NULL, &(gpool_shader_desc){ .wgsl = "" }).id, 0);
    assert_int_equal(gpool_shader_from_file(NULL, "x").id, 0);
    assert_result(gpool_shader_status(NULL, h), NO_POOL);
    assert_result(gpool_shader_destroy(NULL, h), NO_POOL);
    gpool_render_pipeline_desc render = { .shader = h };
    gpool_compute_pipeline_desc compute = { .shader = h };
    assert_int_equal(gpool_render_pipeline_create(NULL, &render).id, 0);
    assert_int_equal(gpool_compute_pipeline_create(NULL, &compute).id, 0);
    assert_result(gpool_pipeline_status(NULL, w->fill), NO_POOL);
    assert_result(gpool_pipeline_destroy(NULL, w->fill), NO_POOL);
    const gpool_heap heap = { 1 };
    const gpool_mesh mesh = { 1 };
    assert_int_equal(gpool_heap_create(NULL, NULL).id, 0);
    assert_int_equal(gpool_default_heap(NULL).id, 0);
    assert_result(gpool_heap_destroy(NULL, heap), NO_POOL);
    assert_result(gpool_heap_compact(NULL, heap, 1), NO_POOL);
    assert_result(gpool_heap_get_info(NULL, heap, &(gpool_heap_info){ .label = "" }), NO_POOL);
    assert_result(gpool_heap_get_slab(NULL, heap, 0, &(gpool_heap_slab){ .size = 0 }), NO_POOL);
    assert_false(gpool_heap_next_piece(NULL, heap, 0, NULL, NULL));
    assert_int_equal(gpool_mesh_create(NULL, &(gpool_mesh_desc){ .index_count = 3 }).id, 0);
    assert_result(gpool_mesh_write(NULL, mesh, GPOOL_MESH_INDICES, 0, data, 4), NO_POOL);
    assert_result(gpool_mesh_resize(NULL, mesh, 1, 1), NO_POOL);
    assert_result(gpool_mesh_pin(NULL, mesh, true), NO_POOL);
    assert_result(gpool_mesh_get_info(NULL, mesh, &(gpool_mesh_info){ .label = "" }), NO_POOL);
    assert_result(gpool_mesh_destroy(NULL, mesh), NO_POOL);
    gpool_scope scope = { 0 };
    assert_int_equal(gpool_scope_create(NULL, &(gpool_scope_desc){ 0 }).id, 0);
    assert_result(gpool_scope_end(NULL, scope), NO_POOL);
    assert_result(gpool_scope_get_info(NULL, scope, &(gpool_scope_info){ 0 }), NO_POOL);
    assert_result(gpool_retain(NULL, w->fill.id), NO_POOL);
    assert_result(gpool_release(NULL, w->fill.id), NO_POOL);
    assert_result(gpool_move(NULL, w->fill.id, scope), NO_POOL);
    hostile_unchanged(w);
    hostile_good_frame(w);
}

static void null_device(hostile_world *w)
{
    gpool_device *device = w->f->device;
    gpool_device_info info;
    const gpool_header_fingerprint print = gpool_header_fingerprint_here();
    const WGPUStringView none = { NULL, 0 };
    assert_result(gpool_device_open(NULL, NULL), NO_POOL);
    assert_result(gpool_device_adopt(NULL, NULL), NO_POOL);
    assert_result(gpool_device_adopt(NULL, &device), NO_POOL);
    assert_null(device);
    assert_result(gpool_device_adopt(&(gpool_device_adopt_desc){ 0 }, &device), NO_POOL);
    assert_result(gpool_device_open_checked(NULL, NULL, &device), NO_POOL);
    assert_result(gpool_device_adopt_checked(NULL, &print, &device), NO_POOL);
    assert_null(gpool_device_retain(NULL));
    gpool_device_release(NULL);
    gpool_device_notify_error(NULL, WGPUErrorType_Validation, none);
    gpool_device_notify_lost(NULL, WGPUDeviceLostReason_Unknown, none);
    gpool_device_notify_error(w->f->device, WGPUErrorType_Validation, none);
    assert_result(gpool_device_get_info(NULL, &info), NO_POOL);
    assert_result(gpool_device_get_info(w->f->device, NULL), NO_POOL);
    assert_false(gpool_device_has_feature(NULL, WGPUFeatureName_TimestampQuery));
    assert_false(gpool_device_has_feature(w->f->device, (WGPUFeatureName)-1));
    assert_null(gpool_device_gpu(NULL));
    assert_null(gpool_device_raw_instance(NULL));
    assert_null(gpool_device_raw_adapter(NULL));
    assert_null(gpool_device_raw(NULL));
    assert_null(gpool_device_raw_queue(NULL));
    assert_int_equal(gpool_device_submitted(NULL), 0);
    assert_int_equal(gpool_device_done(NULL), 0);
    assert_result(gpool_device_poll(NULL), NO_POOL);
    assert_result(gpool_device_wait(NULL, 0, 0), NO_POOL);
    assert_result(gpool_device_wait(w->f->device, UINT64_MAX, 0), NO_POOL);
    assert_result(gpool_gpu_load(NULL, NULL), NO_POOL);
    assert_result(gpool_tracked_set(NULL, NULL, NULL, 4, 0), NO_POOL);
    assert_result(gpool_tracked_update(NULL, NULL, 0, NULL, NULL, NULL), NO_POOL);
    static const int32_t codes[] = { -1, 100, INT32_MAX, INT32_MIN };
    for (int i = 0; i < 4; ++i) {
        assert_non_null(gpool_result_name((gpool_result)codes[i]));
        assert_non_null(gpool_result_text((gpool_result)codes[i]));
        assert_non_null(gpool_log_name((gpool_log_id)codes[i]));
        assert_non_null(gpool_log_text((gpool_log_id)codes[i]));
        assert_non_null(gpool_kind_name((gpool_kind)codes[i]));
    }
}

void hostile_null_pointers(hostile_world *w)
{
    gpool *p = w->pool;
    uint8_t data[64];
    null_device(w);
#define NULL_REFUSED(call) hostile_refused(w, call, INVALID_ARGUMENT, ARGUMENT_NULL)
#define NULL_CREATE(call)  NULL_REFUSED(hostile_null(w, (call).id))
    NULL_CREATE(gpool_buffer_create(p, NULL));
    NULL_CREATE(gpool_buffer_import(p, NULL));
    NULL_CREATE(gpool_buffer_import(p, &(gpool_buffer_import_desc){ .usage = 1 }));
    NULL_CREATE(gpool_texture_create(p, NULL));
    NULL_CREATE(gpool_texture_import(p, NULL));
    NULL_CREATE(gpool_texture_import(p, &(gpool_texture_import_desc){ .usage = 1 }));
    NULL_CREATE(gpool_layout_create(p, NULL));
    NULL_CREATE(gpool_layout_create(p, &(gpool_layout_desc){ .entry_count = 1 }));
    NULL_CREATE(gpool_shader_create(p, NULL));
    NULL_CREATE(gpool_shader_create(p, &(gpool_shader_desc){ .size = 100 }));
    NULL_CREATE(gpool_render_pipeline_create(p, NULL));
    NULL_CREATE(gpool_compute_pipeline_create(p, NULL));
    NULL_REFUSED(gpool_buffer_write(p, w->witness, 0, NULL, 4));
    NULL_REFUSED(gpool_buffer_read(p, w->witness, 0, NULL, 4));
    NULL_REFUSED(gpool_buffer_get_info(p, w->witness, NULL));
    NULL_REFUSED(gpool_texture_write(p, w->witness_texture, NULL, NULL, 64, 0));
    NULL_REFUSED(gpool_texture_get_info(p, w->witness_texture, NULL));
    gpool_sampler sampler = gpool_sampler_create(p, &(gpool_sampler_desc){ 0 });
    NULL_REFUSED(gpool_sampler_get_desc(p, sampler, NULL));
    NULL_REFUSED(gpool_scope_get_info(p, (gpool_scope){ 0 }, NULL));
    NULL_REFUSED(gpool_texture_read(p, w->witness_texture, NULL, NULL, 64));
    (void)gpool_shader_from_file(p, NULL);
    assert_good(gpool_buffer_write(p, w->witness, 0, NULL, 0));
    assert_good(gpool_buffer_read(p, w->witness, 64, NULL, 0));
    (void)data;
    hostile_good_frame(w);
}

/* Every recorder call on one recorder; only for recorders that must do nothing. */
static void call_all(hostile_world *w, gpool_recorder rec)
{
    gpool_render_desc pass = { .color[0] = { .texture = w->target } };
    gpool_begin_render(rec, &pass);
    gpool_begin_render(rec, NULL);
    gpool_begin_compute(rec, NULL);
    gpool_end_pass(rec);
    gpool_set_pipeline(rec, w->fill);
    gpool_set_vertex_buffer(rec, 0, w->witness, 0);
    gpool_set_index_buffer(rec, w->witness, WGPUIndexFormat_Uint16, 0);
    gpool_set_bindings(rec, 0, gpool_uniform_layout(w->pool), NULL, 1, NULL, 1);
    gpool_set_uniforms(rec, 0, NULL, 4);
    gpool_set_viewport(rec, 0, 0, 1, 1, 0, 1);
    gpool_set_scissor(rec, 0, 0, 1, 1);
    gpool_set_blend_constant(rec, NULL);
    gpool_set_stencil_reference(rec, 1);
    gpool_draw(rec, NULL);
    gpool_draw_indirect(rec, w->witness, 0, true);
    gpool_dispatch(rec, 1, 1, 1);
    gpool_dispatch_indirect(rec, w->witness, 0);
    gpool_copy_buffer(rec, w->witness, 0, w->witness, 0, 4);
    gpool_clear_buffer(rec, w->witness, 0, 4);
    gpool_copy_texture(rec, w->witness_texture, NULL, w->target, NULL);
    gpool_copy_texture_to_buffer(rec, w->target, NULL, w->witness, 0, 256);
    gpool_copy_buffer_to_texture(rec, w->witness, 0, 256, w->target, NULL);
    gpool_push_group(rec, NULL);
    gpool_pop_group(rec);
    gpool_set_raw_render_pipeline(rec, NULL);
    gpool_set_raw_compute_pipeline(rec, NULL);
    gpool_set_raw_bind_group(rec, 0, NULL, NULL, 1);
    assert_null(gpool_recorder_encoder(rec));
    assert_null(gpool_recorder_render_pass(rec));
    assert_null(gpool_recorder_compute_pass(rec));
}
#define CALL_ALL_COUNT 30

void hostile_null_recorder(hostile_world *w)
{
    hostile_begin(w);
    call_all(w, (gpool_recorder){ 0 });
    call_all(w, (gpool_recorder){ NULL, 7 });
    assert_result(gpool_recorder_finish_raw((gpool_recorder){ 0 }, NULL), NO_POOL);
    hostile_unchanged(w);
    /* Old recorders: of a frame that ended, of a submit, with a generation never given out. */
    gpool_recorder old = hostile_frame(w, 0);
    assert_good(hostile_end(w, old, 0));
    gpool_recorder forged = { old.state, UINT64_MAX };
    for (int i = 0; i < 4; ++i) {
        gpool_recorder bad = i % 2 == 0 ? old : forged;
        if (i >= 2) {
            assert_good(gpool_begin_frame(w->pool));
            (void)gpool_frame_recorder(w->pool);
        }
        hostile_begin(w);
        call_all(w, bad);
        assert_result(gpool_recorder_finish_raw(bad, NULL), GPOOL_ERROR_WRONG_PHASE);
        assert_int_equal(gpool_last_error(w->pool)->id, GPOOL_LOG_PHASE);
        assert_int_equal(fixture_stats(w->f).skipped - w->before.skipped, CALL_ALL_COUNT + 1);
        hostile_unchanged(w);
        if (i >= 2) {
            assert_result(gpool_end_frame(w->pool), GPOOL_ERROR_WRONG_PHASE);
        }
        hostile_good_frame(w);
    }
    gpool_recorder before = hostile_frame(w, 0);
    gpool_clear_buffer(before, fixture_buffer(w->f, NULL, 64, 0xc0), 0, 4);
    assert_good(gpool_submit(w->pool));
    hostile_begin(w);
    gpool_begin_compute(before, "late");
    assert_int_equal(gpool_last_error(w->pool)->code, GPOOL_ERROR_WRONG_PHASE);
    assert_result(gpool_end_frame(w->pool), GPOOL_ERROR_WRONG_PHASE);
    hostile_good_frame(w);
}
