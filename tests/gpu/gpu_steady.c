/* A program that goes on as before allocates nothing, makes no GPU object and calls the same. */
#include "gpu/fixture.h"

#include <string.h>

int gpu_steady_run(void);

#define OBJECTS 40u

static const char scene_wgsl[] =
    "struct Uniforms { color: vec4f, place: vec4f }\n"
    "@group(0) @binding(0) var<uniform> u: Uniforms;\n"
    "@group(1) @binding(0) var picture: texture_2d<f32>;\n"
    "@group(1) @binding(1) var soft: sampler;\n"
    "@group(1) @binding(2) var<storage, read> table: array<vec4f>;\n"
    "@vertex fn vs(@location(0) at: vec2f) -> @builtin(position) vec4f {\n"
    "    return vec4f(at * u.place.zw + u.place.xy, 0.0, 1.0);\n"
    "}\n"
    "@fragment fn fs() -> @location(0) vec4f {\n"
    "    return u.color * textureSampleLevel(picture, soft, vec2f(0.5), 0.0) + table[0];\n"
    "}\n";

typedef struct scene {
    gpool_texture target;
    gpool_texture depth;
    gpool_texture picture;
    gpool_sampler sampler;
    gpool_layout layout;
    gpool_pipeline pipeline;
    gpool_buffer points;
    gpool_buffer table;
} scene;

static scene make_scene(fixture *f)
{
    static const float points[8] = { -1, -1, 1, -1, -1, 1, 1, 1 };
    const gpool_layout_entry entries[] = { { .binding = 0, .type = GPOOL_BINDING_TEXTURE },
                                           { .binding = 1, .type = GPOOL_BINDING_SAMPLER },
                                           { .binding = 2, .type = GPOOL_BINDING_STORAGE } };
    scene s = { .target = fixture_target(f, 64, 64), .picture = fixture_target(f, 2, 2) };
    s.depth = gpool_texture_create(f->pool,
                                   &(gpool_texture_desc){ .width = 64,
                                                          .height = 64,
                                                          .format = WGPUTextureFormat_Depth32Float,
                                                          .usage = GPOOL_TEXTURE_TARGET });
    s.sampler = gpool_sampler_create(f->pool, &(gpool_sampler_desc){ 0 });
    s.layout =
        gpool_layout_create(f->pool, &(gpool_layout_desc){ .entries = entries, .entry_count = 3 });
    gpool_render_pipeline_desc desc = {
        .layouts = { gpool_uniform_layout(f->pool), s.layout },
        .vertex_buffers[0].attributes[0] = { WGPUVertexFormat_Float32x2, 0, 0 },
        .topology = WGPUPrimitiveTopology_TriangleStrip,
        .depth = { .write = true },
    };
    s.pipeline = fixture_render(f, scene_wgsl, desc);
    s.points = fixture_buffer(f, points, sizeof points, GPOOL_BUFFER_VERTEX);
    s.table = fixture_buffer(f, NULL, 64 * 1024, GPOOL_BUFFER_STORAGE);
    return s;
}

static void draw_scene(fixture *f, const scene *s, uint32_t frame)
{
    const float move[2] = { -1, -1.0f + 0.001f * (float)frame };
    const float entry[4] = { 0, 0, (float)(frame % 200) / 255.0f, 0 };
    uint8_t texels[16];
    memset(texels, (int)(55 + frame % 200), sizeof texels);
    assert_good(gpool_begin_frame(f->pool));
    assert_good(gpool_buffer_write(f->pool, s->points, 0, move, sizeof move));
    assert_good(gpool_buffer_write(f->pool, s->table, 0, entry, sizeof entry));
    assert_good(gpool_buffer_write(f->pool, s->table, 60000, &frame, sizeof frame));
    assert_good(gpool_texture_write(f->pool, s->picture, NULL, texels, sizeof texels, 0));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_push_group(rec, "scene");
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = s->target },
                                                  .depth = { .texture = s->depth } });
    const gpool_binding bindings[] = { { .binding = 0, .texture = s->picture },
                                       { .binding = 1, .sampler = s->sampler },
                                       { .binding = 2, .buffer = s->table } };
    for (uint32_t i = 0; i < OBJECTS; ++i) {
        const float uniforms[12] = { 1, 0, 0, 1, -0.9f + 0.045f * (float)i, 0, 0.1f, 0.1f };
        gpool_set_pipeline(rec, s->pipeline);
        gpool_set_vertex_buffer(rec, 0, s->points, 0);
        gpool_set_uniforms(rec, 0, uniforms, i % 2 == 0 ? 32 : 48);
        gpool_set_bindings(rec, 1, s->layout, bindings, 3, NULL, 0);
        gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 4 });
    }
    gpool_end_pass(rec);
    gpool_pop_group(rec);
    assert_good(gpool_end_frame(f->pool));
}

static void steady_frames_make_nothing_new(void **state)
{
    fixture *f = *state;
    scene s = make_scene(f);
    uint32_t frame = 0;
    for (; frame < 10; ++frame) {
        draw_scene(f, &s, frame);
    }
    gpool_stats before = fixture_stats(f);
    uint64_t calls_per_frame[GPOOL_GPU_COUNT] = { 0 };
    for (; frame < 130; ++frame) {
        uint64_t calls[GPOOL_GPU_COUNT];
        for (int i = 0; i < GPOOL_GPU_COUNT; ++i) {
            calls[i] = gpool_gpu_call_count(f->pool, i);
        }
        draw_scene(f, &s, frame);
        for (int i = 0; i < GPOOL_GPU_COUNT; ++i) {
            uint64_t made = gpool_gpu_call_count(f->pool, i) - calls[i];
            if (frame == 10) {
                calls_per_frame[i] = made;
            } else if (i != GPOOL_GPU_InstanceProcessEvents) { /* more of these while it waits */
                assert_int_equal(made, calls_per_frame[i]);
            }
        }
    }
    gpool_stats after = fixture_stats(f);
    assert_int_equal(after.allocations, before.allocations);
    assert_int_equal(after.cpu_bytes, before.cpu_bytes);
    assert_int_equal(after.gpu_objects, before.gpu_objects);
    assert_int_equal(after.internal_bytes, before.internal_bytes);
    assert_int_equal(after.retired_count, 0);
    assert_int_equal(after.submits - before.submits, 120);
    assert_int_equal(after.draws - before.draws, 120 * OBJECTS);
    assert_int_equal(after.bind_misses, before.bind_misses);
    for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
        assert_int_equal(after.live_count[kind], before.live_count[kind]);
        assert_int_equal(after.live_bytes[kind], before.live_bytes[kind]);
    }
    /* One copy of the points, two far places of the table, the uniforms. */
    assert_int_equal(calls_per_frame[GPOOL_GPU_QueueWriteBuffer], 4);
    assert_int_equal(calls_per_frame[GPOOL_GPU_QueueWriteTexture], 1);
    assert_int_equal(calls_per_frame[GPOOL_GPU_QueueSubmit], 1);
    assert_int_equal(calls_per_frame[GPOOL_GPU_RenderPassEncoderSetPipeline], 1);
    assert_true(after.sent_bytes - before.sent_bytes < 120 * 512);
    uint32_t level = 55 + 129 % 200;
    assert_pixel(f, s.target, 32, 32, level << 24 | 129 << 8 | level);
}

static void creating_and_destroying_each_frame_stays_flat(void **state)
{
    fixture *f = *state;
    gpool_stats mark = { 0 };
    for (uint32_t frame = 0; frame < 120; ++frame) {
        assert_good(gpool_begin_frame(f->pool));
        gpool_buffer buffer = fixture_buffer(f, &frame, 4, GPOOL_BUFFER_VERTEX);
        gpool_texture texture = fixture_target(f, 4, 4);
        gpool_render_desc desc = { .color[0] = { .texture = texture } };
        gpool_recorder rec = gpool_frame_recorder(f->pool);
        gpool_begin_render(rec, &desc);
        gpool_end_pass(rec);
        assert_good(gpool_buffer_destroy(f->pool, buffer));
        assert_good(gpool_texture_destroy(f->pool, texture));
        assert_good(gpool_end_frame(f->pool));
        gpool_stats stats = fixture_stats(f);
        assert_true(stats.retired_count <= 2 * 6);
        if (frame == 60) {
            mark = stats;
        }
    }
    gpool_stats after = fixture_stats(f);
    assert_true(after.cpu_bytes <= mark.cpu_bytes + 4096);
    assert_int_equal(after.created - mark.created, 59 * 2);
    assert_true(after.freed >= after.created - 12);
}

static void measured_times_are_filled_only_when_asked(void **state)
{
    fixture *f = *state;
    scene s = make_scene(f);
    draw_scene(f, &s, 0);
    assert_int_equal(fixture_stats(f).own_ns, 0);
    assert_int_equal(fixture_stats(f).gpu_call_ns, 0);
    fixture_use_pool(f, (gpool_desc){ .compile_workers = GPOOL_WORKERS_NONE, .measure = true });
    s = make_scene(f);
    for (uint32_t frame = 0; frame < 5; ++frame) {
        draw_scene(f, &s, frame);
    }
    gpool_stats stats = fixture_stats(f);
    assert_true(stats.own_ns > 0);
    assert_true(stats.gpu_call_ns > 0);
    assert_int_not_equal(fixture_pixel(f, s.target, 32, 32), 0);
}

int gpu_steady_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(steady_frames_make_nothing_new),
        FIXTURE_TEST(creating_and_destroying_each_frame_stays_flat),
        FIXTURE_TEST(measured_times_are_filled_only_when_asked),
    };
    return FIXTURE_RUN("steady", tests);
}
