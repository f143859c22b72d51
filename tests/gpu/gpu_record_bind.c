/* Uniforms, bind groups and their cache, state that is dropped because it changes nothing. */
#include "gpu/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int gpu_record_bind_run(void);

#define VS                                                                                         \
    "@vertex fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {\n"                 \
    "    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);\n"             \
    "}\n"

static const char mixed_wgsl[] =
    "@group(1) @binding(0) var<uniform> factor: vec4f;\n"
    "@group(1) @binding(2) var picture: texture_2d<f32>;\n"
    "@group(1) @binding(5) var soft: sampler;\n"
    "@group(1) @binding(7) var<storage, read> table: array<vec4f>;\n"
    "@group(0) @binding(0) var<uniform> index: vec4u;\n" VS
    "@fragment fn fs() -> @location(0) vec4f {\n"
    "    return factor * textureSampleLevel(picture, soft, vec2f(0.5), 0.0) + table[index.x];\n"
    "}\n";

static const char storage_wgsl[] = "@group(0) @binding(0) var<storage, read> color: vec4f;\n" VS
                                   "@fragment fn fs() -> @location(0) vec4f { return color; }\n";

static const gpool_layout_entry storage_entry = { .binding = 0, .type = GPOOL_BINDING_STORAGE };

static const float red[4] = { 1, 0, 0, 1 };
static const float green[4] = { 0, 1, 0, 1 };
static const float blue[4] = { 0, 0, 1, 1 };

static gpool_recorder begin(fixture *f, gpool_texture target)
{
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    return rec;
}

static void end(fixture *f, gpool_recorder rec)
{
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(f->pool));
}

static void draw(gpool_recorder rec)
{
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
}

static gpool_layout storage_layout(fixture *f)
{
    return gpool_layout_create(f->pool,
                               &(gpool_layout_desc){ .entries = &storage_entry, .entry_count = 1 });
}

static gpool_pipeline storage_pipeline(fixture *f, gpool_layout layout)
{
    return fixture_render(f, storage_wgsl, (gpool_render_pipeline_desc){ .layouts[0] = layout });
}

static void bind_storage(gpool_recorder rec, gpool_layout layout, gpool_buffer buffer,
                         uint64_t offset)
{
    gpool_binding binding = { .buffer = buffer, .offset = offset, .size = 16 };
    gpool_set_bindings(rec, 0, layout, &binding, 1, NULL, 0);
}

static void a_thousand_uniforms_in_one_frame(void **state)
{
    fixture *f = *state;
    enum {
        W = 40,
        H = 25
    };
    gpool_texture target = fixture_target(f, W, H);
    gpool_pipeline pipeline =
        fixture_render(f, fixture_fill_wgsl, (gpool_render_pipeline_desc){ 0 });
    for (uint32_t frame = 0; frame < 2; ++frame) {
        gpool_recorder rec = begin(f, target);
        gpool_set_pipeline(rec, pipeline);
        for (uint32_t i = 0; i < W * H; ++i) {
            const float color[4] = { (float)(i % 256) / 255.0f, (float)(i / 256) / 255.0f,
                                     (float)frame, 1 };
            gpool_set_scissor(rec, i % W, i / W, 1, 1);
            gpool_set_uniforms(rec, 0, color, sizeof color);
            draw(rec);
        }
        end(f, rec);
        uint8_t texels[W * H][4];
        assert_good(gpool_texture_read(f->pool, target, NULL, texels, sizeof texels));
        for (uint32_t i = 0; i < W * H; ++i) {
            assert_int_equal(texels[i][0], i % 256);
            assert_int_equal(texels[i][1], i / 256);
            assert_int_equal(texels[i][2], frame * 255);
        }
    }
}

static void uniforms_of_every_size(void **state)
{
    fixture *f = *state;
    static const uint32_t sizes[] = { 4,   8,   12,   16,   20,   32,    48,
                                      256, 512, 1024, 4096, 5000, 16384, 65536 };
    enum {
        COUNT = sizeof sizes / sizeof sizes[0]
    };
    gpool_texture target = fixture_target(f, COUNT, 1);
    gpool_pipeline pipelines[COUNT];
    uint8_t *data = calloc(1, 65536);
    for (uint32_t i = 0; i < COUNT; ++i) {
        char wgsl[1024];
        uint32_t rows = (sizes[i] + 15) / 16;
        snprintf(wgsl, sizeof wgsl,
                 "@group(0) @binding(0) var<uniform> rows: array<vec4u, %u>;\n" VS
                 "@fragment fn fs() -> @location(0) vec4f {\n"
                 "    return vec4f(f32(rows[%u][%u]) / 255.0, 0.0, 0.0, 1.0);\n"
                 "}\n",
                 rows, rows - 1, (sizes[i] - 4) / 4 % 4);
        pipelines[i] = fixture_render(f, wgsl, (gpool_render_pipeline_desc){ 0 });
    }
    for (uint32_t frame = 0; frame < 2; ++frame) {
        gpool_recorder rec = begin(f, target);
        for (uint32_t i = 0; i < COUNT; ++i) {
            const uint32_t last = 10 * i + 7 + frame;
            memcpy(data + sizes[i] - 4, &last, 4);
            gpool_set_pipeline(rec, pipelines[i]);
            gpool_set_scissor(rec, i, 0, 1, 1);
            gpool_set_uniforms(rec, 0, data, sizes[i]);
            draw(rec);
        }
        end(f, rec);
        for (uint32_t i = 0; i < COUNT; ++i) {
            assert_pixel(f, target, i, 0, (10 * i + 7 + frame) << 24 | 0xff);
        }
    }
    gpool_recorder rec = begin(f, target);
    gpool_set_pipeline(rec, pipelines[0]);
    gpool_set_uniforms(rec, 0, data, 65536 + 4);
    draw(rec);
    gpool_set_uniforms(rec, 0, data, 0);
    draw(rec);
    gpool_end_pass(rec);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_OUT_OF_RANGE);
    fixture_expect(f, GPOOL_LOG_RANGE, 2); /* the draws without their group are only counted */
    assert_int_equal(fixture_stats(f).skipped, 4);
    free(data);
}

static void texture_sampler_storage_and_dynamic_uniform_in_one_group(void **state)
{
    fixture *f = *state;
    const gpool_layout_entry entries[] = {
        { .binding = 7, .type = GPOOL_BINDING_STORAGE },
        { .binding = 2, .type = GPOOL_BINDING_TEXTURE },
        { .binding = 0, .type = GPOOL_BINDING_UNIFORM, .dynamic_offset = true },
        { .binding = 5, .type = GPOOL_BINDING_SAMPLER },
    };
    gpool_layout layout =
        gpool_layout_create(f->pool, &(gpool_layout_desc){ .entries = entries, .entry_count = 4 });
    gpool_pipeline pipeline = fixture_render(
        f, mixed_wgsl,
        (gpool_render_pipeline_desc){ .layouts = { gpool_uniform_layout(f->pool), layout } });
    float factors[512 / 4] = { 1, 1, 1, 1 };
    factors[64 + 1] = 1; /* at byte 256: green only */
    gpool_buffer factor = fixture_buffer(f, factors, sizeof factors, GPOOL_BUFFER_UNIFORM);
    const float rows[8] = { 0, 0, 0, 0, 0.2f, 0, 0, 0 };
    gpool_buffer table = fixture_buffer(f, rows, sizeof rows, GPOOL_BUFFER_STORAGE);
    gpool_texture picture = fixture_target(f, 2, 2);
    uint8_t texels[16];
    for (int i = 0; i < 16; ++i) {
        texels[i] = i % 8 < 4 ? 0 : 204; /* linear: half of it in the middle */
    }
    assert_good(gpool_texture_write(f->pool, picture, NULL, texels, sizeof texels, 0));
    gpool_sampler soft =
        gpool_sampler_create(f->pool, &(gpool_sampler_desc){ .mag_filter = WGPUFilterMode_Linear,
                                                             .min_filter = WGPUFilterMode_Linear });
    gpool_texture target = fixture_target(f, 4, 1);
    const gpool_binding bindings[] = { { .binding = 5, .sampler = soft },
                                       { .binding = 0, .buffer = factor, .size = 16 },
                                       { .binding = 7, .buffer = table },
                                       { .binding = 2, .texture = picture } };
    gpool_recorder rec = begin(f, target);
    gpool_set_pipeline(rec, pipeline);
    for (uint32_t i = 0; i < 4; ++i) {
        const uint32_t index[4] = { i % 2 };
        const uint32_t offset = i / 2 * 256;
        gpool_set_uniforms(rec, 0, index, sizeof index);
        gpool_set_bindings(rec, 1, layout, bindings, 4, &offset, 1);
        gpool_set_scissor(rec, i, 0, 1, 1);
        draw(rec);
    }
    end(f, rec);
    assert_pixel(f, target, 0, 0, 0x66666666);
    assert_pixel(f, target, 1, 0, 0x99666666);
    assert_pixel(f, target, 2, 0, 0x00660000);
    assert_pixel(f, target, 3, 0, 0x33660000);
    gpool_stats stats = fixture_stats(f);
    assert_int_equal(stats.bind_misses, 1); /* dynamic offsets are no part of the group */
    assert_int_equal(stats.bind_hits, 3);
    /* A dynamic offset past the end, misaligned or too many skips the draw. */
    const uint32_t wrong[2] = { 512, 4 };
    rec = begin(f, target);
    gpool_set_pipeline(rec, pipeline);
    gpool_set_uniforms(rec, 0, rows, 16);
    gpool_set_bindings(rec, 1, layout, bindings, 4, &wrong[0], 1);
    draw(rec);
    gpool_set_bindings(rec, 1, layout, bindings, 4, &wrong[1], 1);
    gpool_set_bindings(rec, 1, layout, bindings, 4, NULL, 0);
    gpool_set_bindings(rec, 1, layout, bindings, 4, wrong, 2);
    gpool_set_bindings(rec, 1, layout, bindings, 3, NULL, 0);
    gpool_end_pass(rec);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_OUT_OF_RANGE);
    fixture_expect(f, GPOOL_LOG_RANGE, 2); /* no offset at all is 0 for each */
    fixture_expect(f, GPOOL_LOG_ALIGNMENT, 1);
    fixture_expect(f, GPOOL_LOG_ARGUMENT_VALUE, 1);
}

static void equal_bindings_hit_the_cache_and_a_resize_misses(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 2, 2);
    gpool_layout layout = storage_layout(f);
    gpool_pipeline pipeline = storage_pipeline(f, layout);
    gpool_buffer buffer = fixture_buffer(f, red, 16, GPOOL_BUFFER_STORAGE);
    for (uint32_t i = 0; i < 10; ++i) {
        gpool_recorder rec = begin(f, target);
        gpool_set_pipeline(rec, pipeline);
        bind_storage(rec, layout, buffer, 0);
        draw(rec);
        end(f, rec);
        gpool_stats stats = fixture_stats(f);
        assert_int_equal(stats.bind_misses, 1);
        assert_int_equal(stats.bind_hits, i);
        assert_int_equal(stats.bind_groups, 1);
    }
    assert_pixel(f, target, 0, 0, 0xff0000ff);
    assert_good(gpool_buffer_resize(f->pool, buffer, 4096));
    assert_int_equal(fixture_stats(f).bind_groups, 0);
    assert_good(gpool_buffer_write(f->pool, buffer, 0, green, 16));
    gpool_recorder rec = begin(f, target);
    gpool_set_pipeline(rec, pipeline);
    bind_storage(rec, layout, buffer, 0);
    draw(rec);
    end(f, rec);
    assert_int_equal(fixture_stats(f).bind_misses, 2);
    assert_pixel(f, target, 0, 0, 0x00ff00ff);
    /* Who goes takes its groups along. */
    assert_good(gpool_buffer_destroy(f->pool, buffer));
    assert_int_equal(fixture_stats(f).bind_groups, 0);
}

static void destroying_a_layout_drops_its_groups(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 2, 2);
    gpool_layout layout = storage_layout(f);
    gpool_pipeline pipeline = storage_pipeline(f, layout);
    gpool_buffer buffer = fixture_buffer(f, NULL, 1024, GPOOL_BUFFER_STORAGE);
    gpool_recorder rec = begin(f, target);
    gpool_set_pipeline(rec, pipeline);
    for (uint64_t i = 0; i < 4; ++i) {
        bind_storage(rec, layout, buffer, i * 256);
        draw(rec);
    }
    end(f, rec);
    assert_int_equal(fixture_stats(f).bind_groups, 4);
    assert_good(gpool_layout_destroy(f->pool, layout));
    assert_int_equal(fixture_stats(f).bind_groups, 0);
}

static void cache_is_bounded(void **state)
{
    fixture *f = *state;
    enum {
        COUNT = 5000
    };
    gpool_texture target = fixture_target(f, 2, 2);
    gpool_layout layout = storage_layout(f);
    gpool_pipeline pipeline = storage_pipeline(f, layout);
    gpool_buffer buffer = fixture_buffer(f, NULL, COUNT * 256, GPOOL_BUFFER_STORAGE);
    assert_good(gpool_buffer_write(f->pool, buffer, (COUNT - 1) * 256, blue, 16));
    gpool_recorder rec = begin(f, target);
    gpool_set_pipeline(rec, pipeline);
    for (uint64_t i = 0; i < COUNT; ++i) {
        bind_storage(rec, layout, buffer, i * 256);
        if (i % 500 == 499) {
            draw(rec);
        }
    }
    end(f, rec);
    gpool_stats stats = fixture_stats(f);
    assert_int_equal(stats.bind_misses, COUNT);
    assert_true(stats.bind_groups < COUNT);
    assert_pixel(f, target, 1, 1, 0x0000ffff);
}

/*
 * A group goes with its buffer while the pass that uses it is still open, and the next group may
 * come to lie at the same address: it must be set all the same.
 */
static void group_made_after_a_destroy_in_the_pass_is_set(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 16, 1);
    gpool_layout layout = storage_layout(f);
    gpool_pipeline pipeline = storage_pipeline(f, layout);
    gpool_recorder rec = begin(f, target);
    gpool_set_pipeline(rec, pipeline);
    for (uint32_t i = 0; i < 16; ++i) {
        const float *color = i % 2 == 0 ? red : green;
        gpool_buffer buffer = fixture_buffer(f, color, 16, GPOOL_BUFFER_STORAGE);
        gpool_set_scissor(rec, i, 0, 1, 1);
        bind_storage(rec, layout, buffer, 0);
        draw(rec);
        assert_good(gpool_buffer_destroy(f->pool, buffer));
    }
    end(f, rec);
    for (uint32_t i = 0; i < 16; ++i) {
        assert_pixel(f, target, i, 0, i % 2 == 0 ? 0xff0000ff : 0x00ff00ff);
    }
}

static void state_that_changes_nothing_is_dropped(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 4, 4);
    gpool_layout layout = storage_layout(f);
    gpool_pipeline pipeline = storage_pipeline(f, layout);
    gpool_buffer buffer = fixture_buffer(
        f, blue, 16, GPOOL_BUFFER_STORAGE | GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_INDEX);
    static const int functions[] = {
        GPOOL_GPU_RenderPassEncoderSetPipeline,      GPOOL_GPU_RenderPassEncoderSetBindGroup,
        GPOOL_GPU_RenderPassEncoderSetVertexBuffer,  GPOOL_GPU_RenderPassEncoderSetIndexBuffer,
        GPOOL_GPU_RenderPassEncoderSetViewport,      GPOOL_GPU_RenderPassEncoderSetScissorRect,
        GPOOL_GPU_RenderPassEncoderSetBlendConstant, GPOOL_GPU_RenderPassEncoderSetStencilReference
    };
    enum {
        COUNT = sizeof functions / sizeof functions[0]
    };
    for (uint64_t pass = 1; pass <= 2; ++pass) {
        gpool_recorder rec = begin(f, target);
        for (int i = 0; i < 5; ++i) {
            gpool_set_pipeline(rec, pipeline);
            bind_storage(rec, layout, buffer, 0);
            gpool_set_vertex_buffer(rec, 3, buffer, 4);
            gpool_set_index_buffer(rec, buffer, WGPUIndexFormat_Uint16, 2);
            gpool_set_viewport(rec, 0, 0, 4, 4, 0, 1);
            gpool_set_scissor(rec, 1, 1, 2, 2);
            gpool_set_blend_constant(rec, (double[4]){ 1, 0, 0, 0 });
            gpool_set_stencil_reference(rec, 3);
            draw(rec);
        }
        end(f, rec);
        assert_int_equal(fixture_stats(f).redundant, pass * 4 * COUNT);
        for (int i = 0; i < COUNT; ++i) {
            assert_int_equal(gpool_gpu_call_count(f->pool, functions[i]), pass);
        }
    }
    assert_pixel(f, target, 1, 1, 0x0000ffff);
    assert_pixel(f, target, 0, 0, 0);
}

static void resized_texture_is_bound_anew(void **state)
{
    fixture *f = *state;
    static const char wgsl[] =
        "@group(0) @binding(0) var picture: texture_2d<f32>;\n" VS
        "@fragment fn fs(@builtin(position) p: vec4f) -> @location(0) vec4f {\n"
        "    return textureLoad(picture, vec2u(p.xy) % textureDimensions(picture), 0);\n"
        "}\n";
    gpool_layout_entry entry = { .binding = 0, .type = GPOOL_BINDING_TEXTURE };
    gpool_layout layout =
        gpool_layout_create(f->pool, &(gpool_layout_desc){ .entries = &entry, .entry_count = 1 });
    gpool_pipeline pipeline =
        fixture_render(f, wgsl, (gpool_render_pipeline_desc){ .layouts[0] = layout });
    gpool_texture picture = fixture_target(f, 1, 1);
    gpool_texture target = fixture_target(f, 4, 4);
    for (uint32_t extent = 1; extent <= 4; ++extent) {
        assert_good(gpool_texture_resize(f->pool, picture, extent, extent, 0));
        const uint8_t texel[4] = { (uint8_t)(extent * 20), 0, 0, 255 };
        gpool_texture_region last = { .x = extent - 1, .y = extent - 1, .width = 1, .height = 1 };
        assert_good(gpool_texture_write(f->pool, picture, &last, texel, 4, 0));
        gpool_recorder rec = begin(f, target);
        gpool_set_pipeline(rec, pipeline);
        gpool_set_bindings(rec, 0, layout, &(gpool_binding){ .texture = picture }, 1, NULL, 0);
        draw(rec);
        end(f, rec);
        assert_pixel(f, target, extent - 1, extent - 1, extent * 20 << 24 | 0xff);
        assert_int_equal(fixture_stats(f).bind_groups, 1);
    }
}

static void equal_layouts_are_one(void **state)
{
    fixture *f = *state;
    gpool_layout a = storage_layout(f);
    uint64_t made = gpool_gpu_call_count(f->pool, GPOOL_GPU_DeviceCreateBindGroupLayout);
    gpool_layout_entry spelled = storage_entry;
    spelled.stages = WGPUShaderStage_Vertex | WGPUShaderStage_Fragment | WGPUShaderStage_Compute;
    spelled.sample_type = WGPUTextureSampleType_Depth; /* means nothing for a buffer */
    gpool_layout b =
        gpool_layout_create(f->pool, &(gpool_layout_desc){ .entries = &spelled, .entry_count = 1 });
    assert_int_equal(a.id, b.id);
    assert_int_equal(gpool_gpu_call_count(f->pool, GPOOL_GPU_DeviceCreateBindGroupLayout), made);
    assert_good(gpool_layout_destroy(f->pool, a));
    assert_non_null(gpool_layout_gpu(f->pool, b));
    assert_good(gpool_layout_destroy(f->pool, b));
    assert_null(gpool_layout_gpu(f->pool, b));
    fixture_expect(f, GPOOL_LOG_HANDLE_STALE, 1);
    assert_result(gpool_layout_destroy(f->pool, gpool_uniform_layout(f->pool)),
                  GPOOL_ERROR_INVALID_ARGUMENT);
    fixture_expect(f, GPOOL_LOG_ARGUMENT_VALUE, 1);
}

int gpu_record_bind_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(a_thousand_uniforms_in_one_frame),
        FIXTURE_TEST(uniforms_of_every_size),
        FIXTURE_TEST(texture_sampler_storage_and_dynamic_uniform_in_one_group),
        FIXTURE_TEST(equal_bindings_hit_the_cache_and_a_resize_misses),
        FIXTURE_TEST(destroying_a_layout_drops_its_groups),
        FIXTURE_TEST(cache_is_bounded),
        FIXTURE_TEST(group_made_after_a_destroy_in_the_pass_is_set),
        FIXTURE_TEST(state_that_changes_nothing_is_dropped),
        FIXTURE_TEST(resized_texture_is_bound_anew),
        FIXTURE_TEST(equal_layouts_are_one),
    };
    return FIXTURE_RUN("record_bind", tests);
}
