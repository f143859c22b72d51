/*
 * What a refused call leaves behind: nothing. Also raw work and imports at their edges.
 */
#include "gpu/fixture.h"

#include <string.h>

int gpu_record_refused_run(void);

#define COPYABLE (GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_READ_BACK)

static const gpool_draw_args triangle = { .vertex_count = 3 };
static const float red[4] = { 1, 0, 0, 1 };
static const float green[4] = { 0, 1, 0, 1 };

static const char two_groups_wgsl[] =
    "@group(0) @binding(0) var<uniform> color: vec4f;\n"
    "@group(1) @binding(0) var<uniform> more: vec4f;\n"
    "@vertex fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {\n"
    "    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);\n"
    "}\n"
    "@fragment fn fs() -> @location(0) vec4f { return color + more; }\n";

static gpool_recorder begin(fixture *f, gpool_texture target)
{
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    return rec;
}

static void refused_pipeline_stops_draws_also_in_a_raw_pass(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 2, 1);
    gpool_pipeline fill = fixture_render(f, fixture_fill_wgsl, (gpool_render_pipeline_desc){ 0 });
    for (int raw = 0; raw < 2; ++raw) {
        gpool_recorder rec = begin(f, target);
        if (raw) {
            assert_non_null(gpool_recorder_render_pass(rec));
        }
        gpool_set_pipeline(rec, fill);
        gpool_set_uniforms(rec, 0, red, sizeof red);
        gpool_set_scissor(rec, 0, 0, 1, 1);
        gpool_draw(rec, &triangle);
        gpool_set_scissor(rec, 1, 0, 1, 1);
        uint64_t skipped = fixture_stats(f).skipped;
        gpool_set_pipeline(rec, (gpool_pipeline){ 0 });
        gpool_draw(rec, &triangle); /* must not run with the pipeline before */
        gpool_draw_indirect(rec, (gpool_buffer){ 0 }, 0, false);
        assert_int_equal(fixture_stats(f).skipped - skipped, 3);
        gpool_end_pass(rec);
        assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_NULL_HANDLE);
        fixture_expect(f, GPOOL_LOG_HANDLE_NULL, 2);
        assert_pixel(f, target, 0, 0, 0xff0000ff);
        assert_pixel(f, target, 1, 0, 0);
    }
}

static void refused_groups_stop_only_draws_that_need_them(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 2, 1);
    gpool_pipeline one = fixture_render(f, fixture_fill_wgsl, (gpool_render_pipeline_desc){ 0 });
    gpool_layout uniforms = gpool_uniform_layout(f->pool);
    gpool_pipeline two = fixture_render(
        f, two_groups_wgsl, (gpool_render_pipeline_desc){ .layouts = { uniforms, uniforms } });
    gpool_recorder rec = begin(f, target);
    gpool_set_pipeline(rec, two);
    gpool_set_uniforms(rec, 0, red, sizeof red);
    gpool_set_uniforms(rec, 1, green, sizeof green);
    gpool_set_uniforms(rec, 1, NULL, 16);
    gpool_set_vertex_buffer(rec, 3, (gpool_buffer){ 0 }, 0);
    gpool_set_index_buffer(rec, (gpool_buffer){ 0 }, WGPUIndexFormat_Uint16, 0);
    gpool_draw(rec, &triangle);
    gpool_set_pipeline(rec, one);
    gpool_set_scissor(rec, 1, 0, 1, 1);
    gpool_draw(rec, &triangle); /* needs neither the group nor the slot */
    gpool_draw(rec, &(gpool_draw_args){ .index_count = 3 });
    gpool_end_pass(rec);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_INVALID_ARGUMENT);
    fixture_expect(f, GPOOL_LOG_ARGUMENT_NULL, 1);
    fixture_expect(f, GPOOL_LOG_HANDLE_NULL, 2);
    assert_int_equal(fixture_stats(f).skipped, 5);
    assert_pixel(f, target, 0, 0, 0);
    assert_pixel(f, target, 1, 0, 0xff0000ff);
    /* Set well again, it draws again. */
    rec = begin(f, target);
    gpool_set_pipeline(rec, two);
    gpool_set_uniforms(rec, 0, red, sizeof red);
    gpool_set_uniforms(rec, 1, NULL, 16);
    gpool_set_uniforms(rec, 1, green, sizeof green);
    gpool_draw(rec, &triangle);
    gpool_end_pass(rec);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_INVALID_ARGUMENT);
    fixture_expect(f, GPOOL_LOG_ARGUMENT_NULL, 1);
    assert_pixel(f, target, 0, 0, 0xffff00ff);
}

static void refused_pass_and_bindings_leave_resources_free(void **state)
{
    fixture *f = *state;
    gpool_texture color = fixture_target(f, 4, 4);
    gpool_texture small = fixture_target(f, 2, 2);
    gpool_texture plain =
        gpool_texture_create(f->pool, &(gpool_texture_desc){ .width = 4,
                                                             .format = WGPUTextureFormat_RGBA8Unorm,
                                                             .usage = GPOOL_TEXTURE_SAMPLED,
                                                             .label = "plain" });
    gpool_buffer good = fixture_buffer(f, NULL, 256, GPOOL_BUFFER_UNIFORM);
    gpool_buffer bad = fixture_buffer(f, NULL, 256, GPOOL_BUFFER_VERTEX);
    const gpool_layout_entry entries[2] = { { .binding = 0, .type = GPOOL_BINDING_UNIFORM },
                                            { .binding = 1, .type = GPOOL_BINDING_UNIFORM } };
    gpool_layout layout =
        gpool_layout_create(f->pool, &(gpool_layout_desc){ .entries = entries, .entry_count = 2 });
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = color },
                                                  .color[1] = { .texture = small } });
    gpool_end_pass(rec);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = color },
                                                  .depth = { .texture = small } });
    gpool_end_pass(rec);
    gpool_begin_compute(rec, NULL);
    const gpool_binding bindings[2] = { { .binding = 0, .buffer = good },
                                        { .binding = 1, .buffer = bad } };
    gpool_set_bindings(rec, 0, layout, bindings, 2, NULL, 0);
    gpool_end_pass(rec);
    assert_null(gpool_texture_gpu_view(f->pool, plain, &(gpool_view_desc){ .base_mip_level = 7 },
                                       GPOOL_ACCESS_READ));
    /* None of them is named by the recording. */
    assert_good(gpool_texture_resize(f->pool, color, 8, 8, 0));
    assert_good(gpool_buffer_resize(f->pool, good, 512));
    assert_good(gpool_texture_resize(f->pool, plain, 8, 1, 0));
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_INVALID_ARGUMENT);
    fixture_expect(f, GPOOL_LOG_ARGUMENT_VALUE, 2);
    fixture_expect(f, GPOOL_LOG_USAGE, 1);
    fixture_expect(f, GPOOL_LOG_RANGE, 1);
}

static void old_recorder_does_not_release_the_open_encoder(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 1, 1);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder old = gpool_frame_recorder(f->pool);
    assert_good(gpool_submit(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    WGPUCommandEncoder encoder = gpool_recorder_encoder(rec);
    assert_non_null(encoder);
    assert_result(gpool_recorder_finish_raw(old, encoder), GPOOL_ERROR_WRONG_PHASE);
    fixture_expect(f, GPOOL_LOG_PHASE, 1);
    gpool_begin_render(
        rec, &(gpool_render_desc){ .color[0] = { .texture = target, .clear = { 0, 0, 1, 1 } } });
    gpool_end_pass(rec);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_WRONG_PHASE); /* latched */
    assert_pixel(f, target, 0, 0, 0x0000ffff);
}

static void groups_closed_by_a_raw_encoder_may_be_popped(void **state)
{
    fixture *f = *state;
    const gpool_gpu *gpu = gpool_device_gpu(f->device);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_push_group(rec, "outer");
    gpool_push_group(rec, "inner");
    WGPUCommandEncoder encoder = gpu->DeviceCreateCommandEncoder(gpool_device_raw(f->device), NULL);
    assert_good(gpool_recorder_finish_raw(rec, encoder));
    gpool_push_group(rec, "after");
    gpool_pop_group(rec);
    gpool_pop_group(rec);
    gpool_pop_group(rec);
    assert_good(gpool_submit(f->pool));
    rec = gpool_frame_recorder(f->pool);
    gpool_pop_group(rec); /* of nothing: those of the submit before do not count */
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_WRONG_PHASE);
    fixture_expect(f, GPOOL_LOG_PHASE, 1);
    assert_int_equal(fixture_stats(f).dropped_recorders, 0);
}

static void import_of_odd_size_is_used_as_far_as_it_goes(void **state)
{
    fixture *f = *state;
    const gpool_gpu *gpu = gpool_device_gpu(f->device);
    WGPUBufferDescriptor raw_desc = { .usage = WGPUBufferUsage_CopySrc | WGPUBufferUsage_CopyDst |
                                               WGPUBufferUsage_Uniform | WGPUBufferUsage_Vertex,
                                      .size = 22 };
    WGPUBuffer raw = gpu->DeviceCreateBuffer(gpool_device_raw(f->device), &raw_desc);
    gpool_buffer_import_desc desc = { .buffer = raw,
                                      .usage =
                                          COPYABLE | GPOOL_BUFFER_UNIFORM | GPOOL_BUFFER_VERTEX,
                                      .label = "odd" };
    gpool_buffer odd = gpool_buffer_import(f->pool, &desc);
    desc.usage = GPOOL_BUFFER_UNIFORM;
    gpool_buffer locked = gpool_buffer_import(f->pool, &desc);
    gpool_buffer_info info;
    assert_good(gpool_buffer_get_info(f->pool, odd, &info));
    assert_int_equal(info.size, 22);
    assert_int_equal(info.gpu_size, 22);
    assert_int_equal(info.gpu_usage, raw_desc.usage);
    const float words[5] = { 0, 1, 1, 1, 5 };
    assert_good(gpool_buffer_write(f->pool, odd, 0, words, sizeof words));
    assert_result(gpool_buffer_write(f->pool, locked, 0, words, 4), GPOOL_ERROR_MISSING_USAGE);
    assert_buffer(f, odd, 0, words, sizeof words);
    uint8_t end[4];
    assert_result(gpool_buffer_read(f->pool, odd, 18, end, 4), GPOOL_ERROR_MISALIGNED);
    fixture_expect(f, GPOOL_LOG_USAGE, 1);
    fixture_expect(f, GPOOL_LOG_ALIGNMENT, 1);
    gpool_buffer other = fixture_buffer(f, NULL, 32, COPYABLE);
    gpool_texture target = fixture_target(f, 1, 1);
    const gpool_layout_entry entry = { .binding = 0, .type = GPOOL_BINDING_UNIFORM };
    gpool_layout layout =
        gpool_layout_create(f->pool, &(gpool_layout_desc){ .entries = &entry, .entry_count = 1 });
    gpool_pipeline fill =
        fixture_render(f, fixture_fill_wgsl, (gpool_render_pipeline_desc){ .layouts = { layout } });
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_copy_buffer(rec, odd, 0, other, 0, 20);
    gpool_copy_buffer(rec, odd, 0, other, 0, 24); /* past its end */
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    gpool_set_pipeline(rec, fill);
    gpool_set_vertex_buffer(rec, 0, odd, 4);
    gpool_set_bindings(rec, 0, layout, &(gpool_binding){ .binding = 0, .buffer = odd }, 1, NULL, 0);
    gpool_draw(rec, &triangle);
    gpool_end_pass(rec);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_OUT_OF_RANGE);
    fixture_expect(f, GPOOL_LOG_RANGE, 1);
    assert_pixel(f, target, 0, 0, 0x00ffffff);
    assert_buffer(f, other, 0, words, sizeof words);
    assert_int_equal(fixture_stats(f).dropped_recorders, 0);
    assert_good(gpool_buffer_destroy(f->pool, odd));
    assert_good(gpool_buffer_destroy(f->pool, locked));
    gpu->BufferRelease(raw);
}

static void deletions_keep_up_with_any_rate(void **state)
{
    fixture *f = *state;
    uint64_t most = 0;
    for (int frame = 0; frame < 40; ++frame) {
        assert_good(gpool_begin_frame(f->pool));
        for (int i = 0; i < 1500; ++i) {
            gpool_buffer buffer = fixture_buffer(f, NULL, 16, COPYABLE);
            assert_good(gpool_buffer_destroy(f->pool, buffer));
        }
        assert_good(gpool_end_frame(f->pool));
        uint64_t waiting = fixture_stats(f).retired_count;
        most = waiting > most ? waiting : most;
    }
    /* 3 frames wait for the delay; a quarter of what waits covers 1,500 from 6,000 on. */
    assert_in_range(most, 3000, 10000);
}

static void levels_of_absurd_extents_are_refused_at_once(void **state)
{
    fixture *f = *state;
    gpool_texture_desc desc = { .width = 0x80000000u,
                                .height = 1,
                                .mip_levels = UINT32_MAX,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .usage = GPOOL_TEXTURE_SAMPLED };
    for (int i = 0; i < 2; ++i) {
        assert_int_equal(gpool_texture_create(f->pool, &desc).id, 0);
        assert_result(gpool_last_error(f->pool)->code, GPOOL_ERROR_LIMIT);
        desc.width = UINT32_MAX;
    }
    fixture_expect(f, GPOOL_LOG_LIMIT, 2);
}

int gpu_record_refused_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(refused_pipeline_stops_draws_also_in_a_raw_pass),
        FIXTURE_TEST(refused_groups_stop_only_draws_that_need_them),
        FIXTURE_TEST(refused_pass_and_bindings_leave_resources_free),
        FIXTURE_TEST(old_recorder_does_not_release_the_open_encoder),
        FIXTURE_TEST(groups_closed_by_a_raw_encoder_may_be_popped),
        FIXTURE_TEST(import_of_odd_size_is_used_as_far_as_it_goes),
        FIXTURE_TEST(deletions_keep_up_with_any_rate),
        FIXTURE_TEST(levels_of_absurd_extents_are_refused_at_once),
    };
    return FIXTURE_RUN("record_refused", tests);
}
