/* The recording as a whole: destroys, failures, open ends, old recorders, raw work in between. */
#include "gpu/fixture.h"

#include <string.h>

int gpu_record_order_run(void);

#define COPYABLE (GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_READ_BACK)

static const char mix_wgsl[] =
    "@group(0) @binding(0) var<uniform> color: vec4f;\n"
    "@group(1) @binding(0) var picture: texture_2d<f32>;\n"
    "@group(1) @binding(1) var soft: sampler;\n"
    "@vertex fn vs(@location(0) at: vec2f) -> @builtin(position) vec4f {\n"
    "    return vec4f(at, 0.0, 1.0);\n"
    "}\n"
    "@fragment fn fs() -> @location(0) vec4f {\n"
    "    return color + textureSampleLevel(picture, soft, vec2f(0.5), 0.0);\n"
    "}\n";

static const float cover[6] = { -1, -1, 3, -1, -1, 3 };

static void fill(gpool_recorder rec, gpool_pipeline pipeline, gpool_texture target, uint32_t x,
                 float r, float g, float b)
{
    const float color[4] = { r, g, b, 1 };
    gpool_begin_render(
        rec, &(gpool_render_desc){ .color[0] = { .texture = target, .load = GPOOL_LOAD_KEEP } });
    gpool_set_pipeline(rec, pipeline);
    gpool_set_scissor(rec, x, 0, 1, 1);
    gpool_set_uniforms(rec, 0, color, sizeof color);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
}

static void everything_recorded_may_be_destroyed_before_the_submit(void **state)
{
    fixture *f = *state;
    const gpool_layout_entry entries[] = { { .binding = 0, .type = GPOOL_BINDING_TEXTURE },
                                           { .binding = 1, .type = GPOOL_BINDING_SAMPLER } };
    gpool_texture target = fixture_target(f, 4, 4);
    gpool_buffer kept = fixture_buffer(f, NULL, 1024, COPYABLE);
    for (int round = 0; round < 4; ++round) {
        gpool_layout layout = gpool_layout_create(
            f->pool, &(gpool_layout_desc){ .entries = entries, .entry_count = 2 });
        gpool_shader shader = fixture_shader(f, mix_wgsl);
        gpool_render_pipeline_desc desc = { .shader = shader,
                                            .layouts = { gpool_uniform_layout(f->pool), layout },
                                            .vertex_buffers[0].attributes[0] = {
                                                WGPUVertexFormat_Float32x2, 0, 0 } };
        gpool_pipeline pipeline = gpool_render_pipeline_create(f->pool, &desc);
        gpool_texture picture = fixture_target(f, 1, 1);
        const uint8_t texel[4] = { 0, 0, 255, 0 };
        assert_good(gpool_texture_write(f->pool, picture, NULL, texel, 4, 0));
        gpool_sampler sampler = gpool_sampler_create(f->pool, &(gpool_sampler_desc){ 0 });
        gpool_buffer vertices = fixture_buffer(f, NULL, sizeof cover, GPOOL_BUFFER_VERTEX);
        gpool_texture drawn = fixture_target(f, 4, 4);
        const float color[4] = { 1, 0, 0, 1 };
        const gpool_binding bindings[] = { { .binding = 0, .texture = picture },
                                           { .binding = 1, .sampler = sampler } };
        assert_good(gpool_begin_frame(f->pool));
        gpool_recorder rec = gpool_frame_recorder(f->pool);
        gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = drawn } });
        gpool_set_pipeline(rec, pipeline);
        gpool_set_vertex_buffer(rec, 0, vertices, 0);
        gpool_set_uniforms(rec, 0, color, sizeof color);
        gpool_set_bindings(rec, 1, layout, bindings, 2, NULL, 0);
        /* Written last of all, and then everything goes, in the middle of the pass. */
        assert_good(gpool_buffer_write(f->pool, vertices, 0, cover, sizeof cover));
        assert_good(gpool_buffer_destroy(f->pool, vertices));
        assert_good(gpool_texture_destroy(f->pool, picture));
        assert_good(gpool_sampler_destroy(f->pool, sampler));
        assert_good(gpool_pipeline_destroy(f->pool, pipeline));
        assert_good(gpool_layout_destroy(f->pool, layout));
        assert_good(gpool_shader_destroy(f->pool, shader));
        gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
        gpool_end_pass(rec);
        gpool_copy_texture(rec, drawn, NULL, target, NULL);
        gpool_copy_texture_to_buffer(rec, drawn, NULL, kept, 0, 256);
        assert_good(gpool_texture_destroy(f->pool, drawn));
        assert_true(fixture_stats(f).retired_count >= 6);
        assert_good(gpool_end_frame(f->pool));
        assert_pixel(f, target, 3, 3, 0xff00ffff);
        assert_buffer(f, kept, 512, "\xff\x00\xff\xff", 4);
        assert_result(gpool_buffer_write(f->pool, vertices, 0, cover, 4), GPOOL_ERROR_STALE_HANDLE);
        fixture_expect(f, GPOOL_LOG_HANDLE_STALE, 1);
    }
}

static void write_record_destroy_sends_the_bytes_first(void **state)
{
    fixture *f = *state;
    gpool_buffer target = fixture_buffer(f, NULL, 64, COPYABLE);
    for (uint32_t i = 1; i <= 8; ++i) {
        uint32_t words[16];
        for (uint32_t w = 0; w < 16; ++w) {
            words[w] = i * 100 + w;
        }
        gpool_buffer source = fixture_buffer(f, NULL, 64, COPYABLE);
        assert_good(gpool_begin_frame(f->pool));
        assert_good(gpool_buffer_write(f->pool, source, 0, words, 32));
        gpool_copy_buffer(gpool_frame_recorder(f->pool), source, 0, target, 0, 64);
        assert_good(gpool_buffer_write(f->pool, source, 32, words + 8, 32));
        assert_good(gpool_buffer_destroy(f->pool, source));
        assert_good(gpool_end_frame(f->pool));
        assert_buffer(f, target, 0, words, 64);
    }
}

static void stale_handles_skip_their_command_only(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 4, 1);
    gpool_pipeline pipeline =
        fixture_render(f, fixture_fill_wgsl, (gpool_render_pipeline_desc){ 0 });
    gpool_pipeline dead = fixture_render(f, fixture_fill_wgsl, (gpool_render_pipeline_desc){ 0 });
    gpool_texture gone = fixture_target(f, 4, 1);
    assert_good(gpool_pipeline_destroy(f->pool, dead));
    assert_good(gpool_texture_destroy(f->pool, gone));
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    fill(rec, pipeline, target, 0, 1, 0, 0);
    uint64_t skipped = fixture_stats(f).skipped;
    fill(rec, pipeline, gone, 1, 0, 1, 0); /* the whole pass */
    assert_int_equal(fixture_stats(f).skipped - skipped, 5);
    fixture_expect(f, GPOOL_LOG_HANDLE_STALE, 1);
    fill(rec, dead, target, 2, 0, 1, 0);
    fixture_expect(f, GPOOL_LOG_HANDLE_STALE, 1);
    assert_int_equal(fixture_stats(f).skipped - skipped, 7);
    fill(rec, pipeline, target, 3, 0, 0, 1);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_STALE_HANDLE);
    assert_pixel(f, target, 0, 0, 0xff0000ff);
    assert_pixel(f, target, 1, 0, 0);
    assert_pixel(f, target, 2, 0, 0);
    assert_pixel(f, target, 3, 0, 0x0000ffff);
    /* Told once: the next frame is good again. */
    assert_good(gpool_begin_frame(f->pool));
    assert_good(gpool_end_frame(f->pool));
    assert_int_equal(fixture_stats(f).dropped_recorders, 0);
}

static void failed_resources_skip_their_command_only(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 2, 1);
    gpool_pipeline good = fixture_render(f, fixture_fill_wgsl, (gpool_render_pipeline_desc){ 0 });
    gpool_shader broken = gpool_shader_from_file(f->pool, "there/is/no/such.wgsl");
    fixture_expect(f, GPOOL_LOG_FILE, 1);
    gpool_pipeline bad = gpool_render_pipeline_create(
        f->pool, &(gpool_render_pipeline_desc){ .shader = broken, .label = "bad" });
    fixture_expect(f, GPOOL_LOG_PIPELINE_CREATE, 1);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    fill(rec, bad, target, 0, 1, 0, 0);
    fill(rec, good, target, 1, 0, 1, 0);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_FAILED_RESOURCE);
    fixture_expect(f, GPOOL_LOG_RESOURCE_FAILED, 1);
    assert_pixel(f, target, 0, 0, 0);
    assert_pixel(f, target, 1, 0, 0x00ff00ff);
}

static void debug_groups_close_by_themselves(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 1, 1);
    gpool_pipeline pipeline =
        fixture_render(f, fixture_fill_wgsl, (gpool_render_pipeline_desc){ 0 });
    const float green[4] = { 0, 1, 0, 1 };
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_push_group(rec, "outer");
    gpool_push_group(rec, NULL);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    gpool_push_group(rec, "in the pass");
    gpool_push_group(rec, "deeper");
    gpool_pop_group(rec);
    gpool_set_pipeline(rec, pipeline);
    gpool_set_uniforms(rec, 0, green, sizeof green);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    gpool_begin_compute(rec, NULL);
    gpool_push_group(rec, "in the compute pass");
    gpool_end_pass(rec);
    gpool_pop_group(rec);
    assert_good(gpool_end_frame(f->pool));
    assert_pixel(f, target, 0, 0, 0x00ff00ff);
    assert_int_equal(gpool_gpu_call_count(f->pool, GPOOL_GPU_CommandEncoderPopDebugGroup), 2);
    assert_int_equal(gpool_gpu_call_count(f->pool, GPOOL_GPU_RenderPassEncoderPopDebugGroup), 2);
    assert_good(gpool_begin_frame(f->pool));
    gpool_pop_group(gpool_frame_recorder(f->pool));
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_WRONG_PHASE);
    fixture_expect(f, GPOOL_LOG_PHASE, 1);
}

static void open_pass_is_ended_by_the_submit_and_told(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 1, 1);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_render_desc desc = { .color[0] = { .texture = target, .clear = { 1, 1, 0, 1 } } };
    gpool_begin_render(rec, &desc);
    gpool_push_group(rec, "open too");
    assert_result(gpool_submit(f->pool), GPOOL_ERROR_WRONG_PHASE);
    fixture_expect(f, GPOOL_LOG_PASS_OPEN, 1);
    assert_good(gpool_end_frame(f->pool));
    assert_pixel(f, target, 0, 0, 0xffff00ff);
}

static void old_and_null_recorders_do_nothing(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 1, 1);
    gpool_render_desc desc = { .color[0] = { .texture = target, .clear = { 1, 1, 1, 1 } } };
    gpool_recorder none = gpool_frame_recorder(f->pool);
    assert_null(none.state);
    fixture_expect(f, GPOOL_LOG_PHASE, 1);
    gpool_begin_render(none, &desc);
    gpool_end_pass(none);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder old = gpool_frame_recorder(f->pool);
    assert_good(gpool_submit(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    assert_true(old.generation != rec.generation);
    gpool_begin_render(old, &desc);
    gpool_end_pass(old);
    assert_null(gpool_recorder_encoder(old));
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_WRONG_PHASE);
    fixture_expect(f, GPOOL_LOG_PHASE, 3);
    assert_good(gpool_begin_frame(f->pool));
    gpool_begin_render(rec, &desc);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_WRONG_PHASE);
    fixture_expect(f, GPOOL_LOG_PHASE, 1);
    assert_pixel(f, target, 0, 0, 0);
}

static void calls_at_the_wrong_point_of_a_pass_are_skipped(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 1, 1);
    gpool_buffer a = fixture_buffer(f, NULL, 16, COPYABLE);
    gpool_buffer b = fixture_buffer(f, NULL, 16, COPYABLE);
    gpool_render_desc desc = { .color[0] = { .texture = target, .clear = { 0, 0, 1, 1 } } };
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_end_pass(rec);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_dispatch(rec, 1, 1, 1);
    gpool_set_scissor(rec, 0, 0, 1, 1);
    gpool_begin_render(rec, &desc);
    gpool_begin_render(rec, &desc);
    gpool_begin_compute(rec, NULL);
    gpool_dispatch(rec, 1, 1, 1);
    gpool_copy_buffer(rec, a, 0, b, 0, 16);
    gpool_clear_buffer(rec, b, 0, 16);
    assert_null(gpool_recorder_encoder(rec));
    assert_null(gpool_recorder_compute_pass(rec));
    gpool_end_pass(rec);
    gpool_end_pass(rec);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_WRONG_PHASE);
    fixture_expect(f, GPOOL_LOG_PHASE, 12);
    assert_pixel(f, target, 0, 0, 0x0000ffff);
    gpool_buffer_info info;
    assert_good(gpool_buffer_get_info(f->pool, b, &info));
    assert_false(info.gpu_written);
}

/* Two errors in one frame: what end_frame returns is what last_error tells. */
static void last_error_is_the_error_that_end_frame_returns(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 1, 1);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    gpool_set_pipeline(rec, (gpool_pipeline){ 0 });
    gpool_set_scissor(rec, 0, 0, 9, 9);
    gpool_end_pass(rec);
    assert_result(gpool_last_error(f->pool)->code, GPOOL_ERROR_OUT_OF_RANGE);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_NULL_HANDLE);
    assert_result(gpool_last_error(f->pool)->code, GPOOL_ERROR_NULL_HANDLE);
    assert_int_equal(gpool_last_error(f->pool)->id, GPOOL_LOG_HANDLE_NULL);
    fixture_expect(f, GPOOL_LOG_HANDLE_NULL, 1);
    fixture_expect(f, GPOOL_LOG_RANGE, 1);
}

int gpu_record_order_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(everything_recorded_may_be_destroyed_before_the_submit),
        FIXTURE_TEST(write_record_destroy_sends_the_bytes_first),
        FIXTURE_TEST(stale_handles_skip_their_command_only),
        FIXTURE_TEST(failed_resources_skip_their_command_only),
        FIXTURE_TEST(debug_groups_close_by_themselves),
        FIXTURE_TEST(open_pass_is_ended_by_the_submit_and_told),
        FIXTURE_TEST(old_and_null_recorders_do_nothing),
        FIXTURE_TEST(calls_at_the_wrong_point_of_a_pass_are_skipped),
        FIXTURE_TEST(last_error_is_the_error_that_end_frame_returns),
    };
    return FIXTURE_RUN("record_order", tests);
}
