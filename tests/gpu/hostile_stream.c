/* Stream memory used wrongly: sizes, phases, slices and handles that are old, forged or misused. */
#include "gpu/hostile.h"

#include <string.h>

static void stream_numbers(hostile_world *w)
{
    gpool *p = w->pool;
    gpool_stream_slice slice;
    hostile_refused(w, gpool_stream_alloc(p, 16, 0, &slice), WRONG_PHASE, PHASE);
    gpool_recorder rec = hostile_frame(w, 0);
    hostile_refused(w, gpool_stream_alloc(p, 0, 0, &slice), OUT_OF_RANGE, RANGE);
    hostile_refused(w, gpool_stream_alloc(p, GPOOL_MAX_STREAM_SLICE + 1, 0, &slice), OUT_OF_RANGE,
                    RANGE);
    hostile_refused(w, gpool_stream_alloc(p, UINT64_MAX, 0, &slice), OUT_OF_RANGE, RANGE);
    hostile_refused(w, gpool_stream_alloc(p, 16, 3, &slice), INVALID_ARGUMENT, ARGUMENT_VALUE);
    hostile_refused(w, gpool_stream_alloc(p, 16, 131072, &slice), INVALID_ARGUMENT, ARGUMENT_VALUE);
    hostile_refused(w, gpool_stream_alloc(p, 16, UINT64_C(1) << 63, &slice), INVALID_ARGUMENT,
                    ARGUMENT_VALUE);
    hostile_refused(w, gpool_stream_alloc(p, 16, 0, NULL), INVALID_ARGUMENT, ARGUMENT_NULL);
    assert_result(gpool_stream_alloc(NULL, 16, 0, &slice), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_int_equal(gpool_stream_buffer(NULL, slice).id, 0);
    hostile_refused(w, hostile_null(w, gpool_stream_buffer(p, slice).id), NULL_HANDLE, HANDLE_NULL);
    assert_good(hostile_end(w, rec, 0));
}

/* Random slices are never taken for one of this recording, but when they say the very same. */
static void stream_forged(hostile_world *w)
{
    uint64_t seed = fixture_seed(21);
    gpool_stream_slice good;
    gpool_recorder rec = hostile_frame(w, 0);
    assert_good(gpool_stream_alloc(w->pool, 64, 0, &good));
    for (uint32_t i = 0; i < 20000; ++i) {
        gpool_stream_slice slice = good;
        slice.epoch = i % 2 == 0 ? hostile_random64(&seed) : good.epoch;
        slice.block = i % 3 == 0 ? (uint32_t)hostile_random64(&seed) : good.block ^ 1u << i % 32;
        assert_int_equal(gpool_stream_buffer(w->pool, slice).id, 0);
        const gpool_buffer buffer = { slice.epoch << 32 | slice.block };
        gpool_copy_buffer(rec, buffer, 0, w->witness, 0, 16);
    }
    assert_true(hostile_end(w, rec, 0) != GPOOL_OK);
    hostile_recover(w);
}

/* The block bound as what it is not, or beyond its end. */
static void stream_misused(hostile_world *w)
{
    gpool_stream_slice slice;
    const gpool_layout_entry entries[] = { { .binding = 0, .type = GPOOL_BINDING_STORAGE_WRITE } };
    gpool_layout written =
        gpool_layout_create(w->pool, &(gpool_layout_desc){ .entries = entries, .entry_count = 1 });
    gpool_recorder rec = hostile_frame(w, 2);
    assert_good(gpool_stream_alloc(w->pool, 64, 0, &slice));
    const gpool_buffer own = gpool_stream_buffer(w->pool, slice);
    const gpool_binding all = { .buffer = own };
    hostile_begin(w);
    gpool_set_bindings(rec, 0, written, &all, 1, NULL, 0);
    assert_result(gpool_last_error(w->pool)->code, GPOOL_ERROR_MISSING_USAGE);
    /* All of the block is more than a uniform binding may be. */
    gpool_set_bindings(rec, 0, gpool_uniform_layout(w->pool), &all, 1, &(uint32_t){ 0 }, 1);
    assert_result(gpool_last_error(w->pool)->code, GPOOL_ERROR_OUT_OF_RANGE);
    gpool_dispatch_indirect(rec, own, UINT64_MAX - 3);
    assert_result(gpool_last_error(w->pool)->code, GPOOL_ERROR_OUT_OF_RANGE);
    assert_int_equal(fixture_stats(w->f).skipped - w->before.skipped, 3);
    assert_result(hostile_end(w, rec, 2), GPOOL_ERROR_MISSING_USAGE);
    hostile_recover(w);
}

void hostile_stream(hostile_world *w)
{
    gpool_stream_slice slice;
    gpool_buffer own;
    stream_numbers(w);
    stream_forged(w);
    stream_misused(w);
    /* Commands past the slice's end, up to the block's, and over it. */
    hostile_survives(w, 1, assert_good(gpool_stream_alloc(w->pool, 64, 0, &slice));
                     own = gpool_stream_buffer(w->pool, slice);
                     gpool_set_vertex_buffer(rec, 0, own, 64);
                     gpool_set_index_buffer(rec, own, WGPUIndexFormat_Uint32, (256u << 10) - 4);
                     gpool_set_vertex_buffer(rec, 1, own, 256u << 10));
    /* Named, and the frame is over: every function refuses the handle. */
    hostile_skips(w, 0, gpool_copy_buffer(rec, own, 0, w->witness, 0, 16), STALE_STREAM, STREAM);
    hostile_skips(w, 1, gpool_set_vertex_buffer(rec, 0, own, 0), STALE_STREAM, STREAM);
    hostile_refused(w, gpool_buffer_destroy(w->pool, own), INVALID_HANDLE, HANDLE_INVALID);
    hostile_refused(w, gpool_retain(w->pool, own.id), INVALID_HANDLE, HANDLE_INVALID);
    hostile_good_frame(w);
}
