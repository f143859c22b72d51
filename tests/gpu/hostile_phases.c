/* Calls at the wrong point of a frame or a pass, and resources that go at the wrong moment. */
#include "gpu/hostile.h"

#include <string.h>

void hostile_phases_of_frame(hostile_world *w)
{
    gpool *p = w->pool;
    hostile_refused(w, gpool_end_frame(p), WRONG_PHASE, PHASE);
    hostile_refused(w, gpool_submit(p), WRONG_PHASE, PHASE);
    hostile_refused(w, hostile_none(w, gpool_frame_recorder(p).state), WRONG_PHASE, PHASE);
    assert_good(gpool_begin_frame(p));
    hostile_refused(w, gpool_begin_frame(p), WRONG_PHASE, PHASE);
    assert_good(gpool_process_uploads(p));
    assert_good(gpool_process_deletions(p));
    assert_good(gpool_tick(p));
    assert_good(gpool_wait_idle(p));
    assert_good(gpool_submit(p));
    assert_good(gpool_submit(p));
    assert_good(gpool_note_external_submit(p));
    assert_good(gpool_end_frame(p));
    hostile_refused(w, gpool_end_frame(p), WRONG_PHASE, PHASE);
    assert_good(gpool_process_uploads(p));
    assert_good(gpool_process_deletions(p));
    assert_good(gpool_tick(p));
    assert_good(gpool_wait_idle(p));
    assert_good(gpool_note_external_submit(p));
    hostile_good_frame(w);
    gpool_texture_import_desc texture = { .texture = gpool_texture_gpu(p, w->witness_texture, 0),
                                          .usage = 1,
                                          .this_frame = true,
                                          .label = "" };
    hostile_refused(w, hostile_null(w, gpool_texture_import(p, &texture).id), WRONG_PHASE, PHASE);
    gpool_buffer_import_desc buffer = {
        .buffer = gpool_buffer_gpu(p, w->witness, 0), .usage = 1, .this_frame = true, .label = ""
    };
    hostile_refused(w, hostile_null(w, gpool_buffer_import(p, &buffer).id), WRONG_PHASE, PHASE);
    /* A pass left open is ended and told; what it drew is drawn. */
    gpool_recorder rec = hostile_frame(w, 1);
    (void)rec;
    hostile_begin(w);
    assert_result(gpool_end_frame(p), GPOOL_ERROR_WRONG_PHASE);
    assert_int_equal(gpool_last_error(p)->id, GPOOL_LOG_PASS_OPEN);
    hostile_good_frame(w);
    rec = hostile_frame(w, 2);
    assert_result(gpool_submit(p), GPOOL_ERROR_WRONG_PHASE);
    assert_good(gpool_end_frame(p));
    /* Groups left open close with their pass or recorder. */
    rec = hostile_frame(w, 0);
    for (int i = 0; i < 100; ++i) {
        gpool_push_group(rec, "open");
    }
    gpool_begin_compute(rec, NULL);
    for (int i = 0; i < 100; ++i) {
        gpool_push_group(rec, "open");
    }
    assert_good(hostile_end(w, rec, 2));
    hostile_good_frame(w);
}

void hostile_phases_of_recorder(hostile_world *w)
{
    gpool_render_desc pass = { .color[0] = { .texture = w->target } };
    double blend[4] = { 0 };
    gpool_binding binding = { .buffer = w->witness };
    gpool_layout layout = gpool_uniform_layout(w->pool);
    uint32_t zero = 0;
#define WRONG(pass, call) hostile_skips(w, pass, call, WRONG_PHASE, PHASE)
    WRONG(0, gpool_end_pass(rec));
    WRONG(0, gpool_set_pipeline(rec, w->fill));
    WRONG(0, gpool_set_bindings(rec, 0, layout, &binding, 1, &zero, 1));
    WRONG(0, gpool_set_uniforms(rec, 0, blend, 16));
    WRONG(0, gpool_dispatch(rec, 1, 1, 1));
    WRONG(0, gpool_dispatch_indirect(rec, w->witness, 0));
    WRONG(0, gpool_set_raw_bind_group(rec, 0, NULL, NULL, 0));
    WRONG(0, gpool_pop_group(rec));
    WRONG(1, gpool_pop_group(rec));
    WRONG(2, gpool_pop_group(rec));
    for (int at = 0; at < 3; at += 2) { /* what belongs into render passes */
        WRONG(at, gpool_set_vertex_buffer(rec, 0, w->witness, 0));
        WRONG(at, gpool_set_index_buffer(rec, w->witness, WGPUIndexFormat_Uint16, 0));
        WRONG(at, gpool_set_viewport(rec, 0, 0, 1, 1, 0, 1));
        WRONG(at, gpool_set_scissor(rec, 0, 0, 1, 1));
        WRONG(at, gpool_set_blend_constant(rec, blend));
        WRONG(at, gpool_set_stencil_reference(rec, 1));
        WRONG(at, gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 }));
        WRONG(at, gpool_draw_indirect(rec, w->witness, 0, false));
        WRONG(at, (void)gpool_recorder_render_pass(rec));
    }
    WRONG(1, gpool_dispatch(rec, 1, 1, 1));
    WRONG(1, gpool_dispatch_indirect(rec, w->witness, 0));
    WRONG(1, (void)gpool_recorder_compute_pass(rec));
    gpool_texture other = fixture_target(w->f, 4, 4);
    gpool_buffer bytes = fixture_buffer(w->f, NULL, 1024, 0x3ff);
    for (int at = 1; at < 3; ++at) { /* what belongs outside passes */
        WRONG(at, gpool_begin_render(rec, &pass));
        WRONG(at, gpool_begin_compute(rec, NULL));
        WRONG(at, gpool_copy_buffer(rec, w->witness, 0, bytes, 0, 4));
        WRONG(at, gpool_clear_buffer(rec, bytes, 0, 4));
        WRONG(at, gpool_copy_texture(rec, w->witness_texture, NULL, other, NULL));
        WRONG(at, gpool_copy_texture_to_buffer(rec, other, NULL, bytes, 0, 256));
        WRONG(at, gpool_copy_buffer_to_texture(rec, bytes, 0, 256, other, NULL));
        WRONG(at, (void)gpool_recorder_encoder(rec));
    }
    hostile_skips(w, 0, gpool_end_pass(rec), WRONG_PHASE, PHASE);
    hostile_good_frame(w);
}

/* Writes, destroys, resizes and reads while commands name the resource. */
void hostile_lifetimes(hostile_world *w)
{
    gpool *p = w->pool;
    uint8_t bytes[64] = { 9 };
    gpool_buffer source = fixture_buffer(w->f, bytes, 64, 0x3ff & ~GPOOL_BUFFER_STORAGE_WRITE);
    gpool_buffer target = fixture_buffer(w->f, NULL, 64, 0x3ff & ~GPOOL_BUFFER_STORAGE_WRITE);
    gpool_texture picture = fixture_target(w->f, 4, 4);
    gpool_recorder rec = hostile_frame(w, 0);
    gpool_copy_buffer(rec, source, 0, target, 0, 64);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = picture } });
    hostile_refused(w, gpool_buffer_resize(p, source, 128), RECORDED, RECORDED);
    hostile_refused(w, gpool_buffer_resize(p, target, 4), RECORDED, RECORDED);
    hostile_refused(w, gpool_texture_resize(p, picture, 8, 8, 0), RECORDED, RECORDED);
    bytes[0] = 17;
    assert_good(gpool_buffer_write(p, source, 0, bytes, 64)); /* seen by the copy */
    assert_good(gpool_buffer_destroy(p, source));
    hostile_refused(w, gpool_buffer_destroy(p, source), STALE_HANDLE, HANDLE_STALE);
    assert_good(gpool_texture_destroy(p, picture));
    hostile_refused(w, gpool_texture_destroy(p, picture), STALE_HANDLE, HANDLE_STALE);
    assert_good(hostile_end(w, rec, 1));
    assert_buffer(w->f, target, 0, bytes, 64);
    /* Destroyed objects live on as long as something may name them, over many frames. */
    for (int i = 0; i < 40; ++i) {
        gpool_buffer one = fixture_buffer(w->f, bytes, 64, 0x3ff);
        rec = hostile_frame(w, 0);
        gpool_copy_buffer(rec, one, 0, target, 0, 64);
        (void)gpool_buffer_gpu(p, one, GPOOL_ACCESS_WRITE);
        assert_good(gpool_buffer_destroy(p, one));
        assert_good(gpool_tick(p));
        assert_good(gpool_process_uploads(p));
        assert_good(gpool_tick(p));
        assert_good(hostile_end(w, rec, 0));
        assert_good(gpool_tick(p));
    }
    hostile_good_frame(w);
    /* Everything destroyed in the middle of a pass, then used again. */
    rec = hostile_frame(w, 1);
    gpool_pipeline fill =
        fixture_render(w->f, fixture_fill_wgsl, (gpool_render_pipeline_desc){ 0 });
    gpool_set_pipeline(rec, fill);
    gpool_set_uniforms(rec, 0, (float[4]){ 1, 1, 1, 1 }, 16);
    assert_good(gpool_pipeline_destroy(p, fill));
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    hostile_begin(w);
    gpool_set_pipeline(rec, fill);
    assert_int_equal(gpool_last_error(p)->code, GPOOL_ERROR_STALE_HANDLE);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 }); /* skipped: no pipeline now */
    assert_int_equal(fixture_stats(w->f).skipped - w->before.skipped, 2);
    assert_result(hostile_end(w, rec, 1), GPOOL_ERROR_STALE_HANDLE);
    assert_pixel(w->f, w->target, 4, 4, 0xffffffff);
    hostile_good_frame(w);
}

/* The same size is nothing, also while a recorder names the resource. */
void hostile_same_size(hostile_world *w)
{
    gpool_texture picture = fixture_target(w->f, 4, 4);
    gpool_recorder rec = hostile_frame(w, 0);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = picture } });
    gpool_set_vertex_buffer(rec, 0, w->witness, 0);
    assert_good(gpool_texture_resize(w->pool, picture, 4, 4, 0));
    assert_good(gpool_buffer_resize(w->pool, w->witness, HOSTILE_WITNESS_BYTES));
    assert_good(hostile_end(w, rec, 1));
}

static gpool_texture bare_texture(hostile_world *w, gpool_texture_usage usage)
{
    gpool_texture_desc desc = {
        .width = 4, .height = 4, .format = WGPUTextureFormat_RGBA8Unorm, .usage = usage
    };
    return gpool_texture_create(w->pool, &desc);
}

/* For each flag: everything but it is not enough. */
void hostile_usages(hostile_world *w)
{
    gpool *p = w->pool;
    uint8_t bytes[64];
    gpool_layout_entry entry = { .type = GPOOL_BINDING_UNIFORM };
    gpool_layout layouts[5];
    static const gpool_binding_type types[5] = { GPOOL_BINDING_UNIFORM, GPOOL_BINDING_STORAGE,
                                                 GPOOL_BINDING_STORAGE_WRITE, GPOOL_BINDING_TEXTURE,
                                                 GPOOL_BINDING_STORAGE_TEXTURE };
    for (int i = 0; i < 5; ++i) {
        entry.type = types[i];
        entry.format = i == 4 ? WGPUTextureFormat_RGBA8Unorm : 0;
        layouts[i] =
            gpool_layout_create(p, &(gpool_layout_desc){ .entries = &entry, .entry_count = 1 });
    }
#define BUT(flags)          fixture_buffer(w->f, NULL, 64, 0x3ff & ~(flags))
#define MISSING(pass, call) hostile_skips(w, pass, call, MISSING_USAGE, USAGE)
    gpool_buffer b = BUT(GPOOL_BUFFER_VERTEX);
    MISSING(1, gpool_set_vertex_buffer(rec, 0, b, 0));
    b = BUT(GPOOL_BUFFER_INDEX);
    MISSING(1, gpool_set_index_buffer(rec, b, WGPUIndexFormat_Uint16, 0));
    b = BUT(GPOOL_BUFFER_UNIFORM);
    MISSING(2, gpool_set_bindings(rec, 0, layouts[0], &(gpool_binding){ .buffer = b }, 1, NULL, 0));
    b = BUT(GPOOL_BUFFER_STORAGE | GPOOL_BUFFER_STORAGE_WRITE);
    MISSING(2, gpool_set_bindings(rec, 0, layouts[1], &(gpool_binding){ .buffer = b }, 1, NULL, 0));
    b = BUT(GPOOL_BUFFER_STORAGE_WRITE);
    MISSING(2, gpool_set_bindings(rec, 0, layouts[2], &(gpool_binding){ .buffer = b }, 1, NULL, 0));
    b = BUT(GPOOL_BUFFER_INDIRECT);
    MISSING(1, gpool_draw_indirect(rec, b, 0, false));
    MISSING(2, gpool_dispatch_indirect(rec, b, 0));
    b = BUT(GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_READ_BACK);
    MISSING(0, gpool_copy_buffer(rec, b, 0, w->witness, 0, 4));
    MISSING(0, gpool_copy_buffer_to_texture(rec, b, 0, 256, w->target, NULL));
    b = BUT(GPOOL_BUFFER_COPY_TARGET);
    MISSING(0, gpool_copy_buffer(rec, w->witness, 0, b, 0, 4));
    MISSING(0, gpool_clear_buffer(rec, b, 0, 4));
    MISSING(0, gpool_copy_texture_to_buffer(rec, w->target, NULL, b, 0, 256));
    b = BUT(GPOOL_BUFFER_READ_BACK);
    hostile_refused(w, gpool_buffer_read(p, b, 0, bytes, 4), MISSING_USAGE, USAGE);
    gpool_texture t = bare_texture(w, 0x3f & ~GPOOL_TEXTURE_SAMPLED);
    MISSING(2,
            gpool_set_bindings(rec, 0, layouts[3], &(gpool_binding){ .texture = t }, 1, NULL, 0));
    t = bare_texture(w, 0x3f & ~GPOOL_TEXTURE_STORAGE);
    MISSING(2,
            gpool_set_bindings(rec, 0, layouts[4], &(gpool_binding){ .texture = t }, 1, NULL, 0));
    t = bare_texture(w, 0x3f & ~(GPOOL_TEXTURE_READ_BACK | GPOOL_TEXTURE_COPY_SOURCE));
    hostile_refused(w, gpool_texture_read(p, t, NULL, bytes, 64), MISSING_USAGE, USAGE);
    MISSING(0, gpool_copy_texture(rec, t, NULL, w->target, NULL));
    MISSING(0, gpool_copy_texture_to_buffer(rec, t, NULL, w->witness, 0, 256));
    t = bare_texture(w, 0x3f & ~GPOOL_TEXTURE_COPY_TARGET);
    MISSING(0, gpool_copy_texture(rec, w->target, NULL, t, NULL));
    MISSING(0, gpool_copy_buffer_to_texture(rec, w->witness, 0, 256, t, NULL));
    hostile_good_frame(w);
}
