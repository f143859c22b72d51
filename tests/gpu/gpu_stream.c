/* Stream memory on the GPU: read by every command that may, sent once, refused when it is old. */
#include "gpu/fixture.h"

#include <string.h>

int gpu_stream_run(void);

#define COPYABLE (GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_READ_BACK)

static const char mix_wgsl[] =
    "@group(0) @binding(0) var<uniform> red: vec4f;\n"
    "@group(0) @binding(1) var<storage, read> green: array<vec4f>;\n"
    "@group(1) @binding(0) var<uniform> blue: vec4f;\n"
    "@vertex fn vs(@location(0) at: vec2f) -> @builtin(position) vec4f {\n"
    "    return vec4f(at, 0.0, 1.0);\n"
    "}\n"
    "@fragment fn fs() -> @location(0) vec4f { return red + green[1] + blue; }\n";

static const gpool_layout_entry mix_entries[] = {
    { .binding = 0, .type = GPOOL_BINDING_UNIFORM },
    { .binding = 1, .type = GPOOL_BINDING_STORAGE },
};

static gpool_stream_slice take(fixture *f, const void *data, uint64_t size, uint64_t alignment)
{
    gpool_stream_slice slice;
    assert_good(gpool_stream_alloc(f->pool, size, alignment, &slice));
    memcpy(slice.data, data, size);
    return slice;
}

static uint64_t writes(const fixture *f)
{
    return gpool_gpu_call_count(f->pool, GPOOL_GPU_QueueWriteBuffer);
}

typedef struct mix {
    gpool_layout layout;
    gpool_pipeline pipeline;
    gpool_texture target;
} mix;

static mix mix_make(fixture *f, uint32_t width)
{
    mix m;
    m.layout = gpool_layout_create(
        f->pool, &(gpool_layout_desc){ .entries = mix_entries, .entry_count = 2 });
    m.pipeline = fixture_render(
        f, mix_wgsl,
        (gpool_render_pipeline_desc){
            .layouts = { m.layout, gpool_uniform_layout(f->pool) },
            .vertex_buffers[0].attributes[0] = { WGPUVertexFormat_Float32x2, 0, 0 } });
    m.target = fixture_target(f, width, 1);
    return m;
}

/* One texel, all of whose draw but the pipeline comes from stream memory. */
static void mix_draw(fixture *f, gpool_recorder rec, const mix *m, uint32_t x, uint32_t number,
                     bool indirect)
{
    static const float cover[4][2] = { { 0, 0 }, { -1, -1 }, { 3, -1 }, { -1, 3 } };
    static const uint16_t indices[3] = { 1, 2, 3 };
    const float red[4] = { (float)(number % 256) / 255.0f };
    const float green[8] = { [5] = (float)(number / 256 % 256) / 255.0f };
    const float blue[4] = { 0, 0, (float)(number * 7 % 256) / 255.0f, 1 };
    gpool_stream_slice a = take(f, cover, sizeof cover, 4);
    gpool_stream_slice b = take(f, indices, sizeof indices, 2);
    gpool_stream_slice c = take(f, red, sizeof red, 0);
    gpool_stream_slice d = take(f, green, sizeof green, 0);
    const gpool_binding bindings[] = { { .binding = 0,
                                         .buffer = gpool_stream_buffer(f->pool, c),
                                         .offset = c.offset,
                                         .size = c.size },
                                       { .binding = 1,
                                         .buffer = gpool_stream_buffer(f->pool, d),
                                         .offset = d.offset,
                                         .size = d.size } };
    gpool_set_scissor(rec, x, 0, 1, 1);
    gpool_set_vertex_buffer(rec, 0, gpool_stream_buffer(f->pool, a), a.offset);
    gpool_set_bindings(rec, 0, m->layout, bindings, 2, NULL, 0);
    gpool_set_uniforms(rec, 1, blue, sizeof blue);
    if (indirect) {
        const uint32_t args[4] = { 3, 1, 1, 0 };
        gpool_stream_slice e = take(f, args, sizeof args, 4);
        gpool_draw_indirect(rec, gpool_stream_buffer(f->pool, e), e.offset, false);
    } else {
        gpool_set_index_buffer(rec, gpool_stream_buffer(f->pool, b), WGPUIndexFormat_Uint16,
                               b.offset);
        gpool_draw(rec, &(gpool_draw_args){ .index_count = 3 });
    }
}

static void vertices_indices_uniforms_storage_and_arguments_are_drawn(void **state)
{
    fixture *f = *state;
    enum {
        W = 400
    };
    mix m = mix_make(f, W);
    for (uint32_t frame = 0; frame < 3; ++frame) {
        assert_good(gpool_begin_frame(f->pool));
        gpool_recorder rec = gpool_frame_recorder(f->pool);
        gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = m.target } });
        gpool_set_pipeline(rec, m.pipeline);
        for (uint32_t x = 0; x < W; ++x) {
            mix_draw(f, rec, &m, x, frame * 1000 + x * 11, x % 3 == 0);
        }
        gpool_end_pass(rec);
        uint64_t before = writes(f);
        assert_good(gpool_end_frame(f->pool));
        assert_in_range(writes(f) - before, 1, 2); /* a block or two */
        uint8_t texels[W][4];
        assert_good(gpool_texture_read(f->pool, m.target, NULL, texels, sizeof texels));
        for (uint32_t x = 0; x < W; ++x) {
            uint32_t number = frame * 1000 + x * 11;
            assert_int_equal(texels[x][0], number % 256);
            assert_int_equal(texels[x][1], number / 256 % 256);
            assert_int_equal(texels[x][2], number * 7 % 256);
        }
    }
}

static void several_submits_of_a_frame_see_their_own_bytes(void **state)
{
    fixture *f = *state;
    static uint8_t bytes[300000];
    gpool_buffer to = fixture_buffer(f, NULL, 8 * 64 + sizeof bytes, COPYABLE);
    uint8_t wanted[8 * 64];
    for (uint32_t frame = 0; frame < 3; ++frame) {
        assert_good(gpool_begin_frame(f->pool));
        for (uint32_t k = 0; k < 8; ++k) {
            gpool_recorder rec = gpool_frame_recorder(f->pool);
            memset(wanted + (size_t)64 * k, (int)(frame * 8 + k + 1), 64);
            gpool_stream_slice slice = take(f, wanted + (size_t)64 * k, 64, 4);
            assert_int_equal(slice.offset, 0); /* the same bytes of the block every time */
            gpool_copy_buffer(rec, gpool_stream_buffer(f->pool, slice), slice.offset, to,
                              (uint64_t)64 * k, 64);
            assert_good(gpool_submit(f->pool));
        }
        gpool_recorder rec = gpool_frame_recorder(f->pool);
        memset(bytes, (int)frame + 1, sizeof bytes);
        gpool_stream_slice large = take(f, bytes, sizeof bytes, 0);
        gpool_copy_buffer(rec, gpool_stream_buffer(f->pool, large), large.offset, to, 8 * 64,
                          sizeof bytes);
        assert_good(gpool_end_frame(f->pool));
        assert_buffer(f, to, 0, wanted, sizeof wanted);
        assert_buffer(f, to, sizeof wanted, bytes, sizeof bytes);
    }
}

static void old_slices_and_handles_are_refused(void **state)
{
    fixture *f = *state;
    const uint8_t bytes[64] = { 1, 2, 3 };
    gpool_buffer to = fixture_buffer(f, NULL, 64, COPYABLE);
    assert_good(gpool_begin_frame(f->pool));
    gpool_stream_slice slice = take(f, bytes, sizeof bytes, 0);
    gpool_buffer kept = gpool_stream_buffer(f->pool, slice);
    assert_int_not_equal(kept.id, 0);
    assert_good(gpool_end_frame(f->pool));
    assert_good(gpool_begin_frame(f->pool));
    assert_int_equal(gpool_stream_buffer(f->pool, slice).id, 0);
    assert_result(gpool_last_error(f->pool)->code, GPOOL_ERROR_STALE_STREAM);
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    (void)take(f, bytes, sizeof bytes, 0); /* at the same place */
    gpool_copy_buffer(rec, kept, slice.offset, to, 0, 64);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_STALE_STREAM);
    fixture_expect(f, GPOOL_LOG_STREAM, 2);
    const uint8_t zeros[64] = { 0 };
    assert_buffer(f, to, 0, zeros, sizeof zeros);
}

static void slices_need_an_open_frame(void **state)
{
    fixture *f = *state;
    gpool_stream_slice slice;
    assert_result(gpool_stream_alloc(f->pool, 16, 0, &slice), GPOOL_ERROR_WRONG_PHASE);
    fixture_expect(f, GPOOL_LOG_PHASE, 1);
}

/* A frame of the largest slices, and its memory given back. */
static void a_spike_is_given_back(void **state)
{
    fixture *f = *state;
    gpool_stream_slice slice;
    assert_good(gpool_begin_frame(f->pool));
    (void)gpool_frame_recorder(f->pool);
    assert_good(gpool_stream_alloc(f->pool, GPOOL_MAX_STREAM_SLICE, 0, &slice));
    memset(slice.data, 1, 4096);
    assert_good(gpool_end_frame(f->pool));
    assert_int_equal(fixture_stats(f).internal_bytes, GPOOL_MAX_STREAM_SLICE);
    for (int i = 0; i < 62; ++i) {
        assert_good(gpool_begin_frame(f->pool));
        assert_good(gpool_end_frame(f->pool));
    }
    assert_int_equal(fixture_stats(f).internal_bytes, 0);
}

int gpu_stream_run(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(vertices_indices_uniforms_storage_and_arguments_are_drawn),
        FIXTURE_TEST(several_submits_of_a_frame_see_their_own_bytes),
        FIXTURE_TEST(old_slices_and_handles_are_refused),
        FIXTURE_TEST(slices_need_an_open_frame),
        FIXTURE_TEST(a_spike_is_given_back),
    };
    return FIXTURE_RUN("stream", tests);
}
