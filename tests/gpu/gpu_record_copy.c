/* Compute passes, copies and clears, and their order in one recorder. */
#include "gpu/fixture.h"

#include <string.h>

int gpu_record_copy_run(void);

#define COPYABLE (GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_READ_BACK)

static const char scale_wgsl[] =
    "@group(0) @binding(0) var<storage, read> source: array<u32>;\n"
    "@group(0) @binding(1) var<storage, read_write> result: array<u32>;\n"
    "@group(1) @binding(0) var<uniform> factor: vec4u;\n"
    "@compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) {\n"
    "    result[id.x] = source[id.x] * factor.x + factor.y;\n"
    "}\n";

static const char paint_wgsl[] =
    "@group(0) @binding(0) var picture: texture_storage_2d<rgba8unorm, write>;\n"
    "@compute @workgroup_size(2, 2) fn main(@builtin(global_invocation_id) id: vec3u) {\n"
    "    textureStore(picture, id.xy, vec4f(vec2f(id.xy) * 51.0 / 255.0, 0.0, 1.0));\n"
    "}\n";

static const gpool_layout_entry scale_entries[] = {
    { .binding = 0, .type = GPOOL_BINDING_STORAGE },
    { .binding = 1, .type = GPOOL_BINDING_STORAGE_WRITE },
};

typedef struct scale {
    gpool_layout layout;
    gpool_pipeline pipeline;
    gpool_buffer from;
    gpool_buffer to;
} scale;

static scale make_scale(fixture *f)
{
    const uint32_t words[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
    scale s;
    s.layout = gpool_layout_create(
        f->pool, &(gpool_layout_desc){ .entries = scale_entries, .entry_count = 2 });
    s.pipeline = fixture_compute(
        f, scale_wgsl,
        (gpool_compute_pipeline_desc){ .layouts = { s.layout, gpool_uniform_layout(f->pool) } });
    s.from = fixture_buffer(f, words, sizeof words, GPOOL_BUFFER_STORAGE | COPYABLE);
    s.to = fixture_buffer(f, NULL, sizeof words, GPOOL_BUFFER_STORAGE_WRITE | COPYABLE);
    return s;
}

static void set_scale(gpool_recorder rec, const scale *s, uint32_t factor, uint32_t add)
{
    const uint32_t uniforms[4] = { factor, add };
    const gpool_binding bindings[] = { { .binding = 0, .buffer = s->from },
                                       { .binding = 1, .buffer = s->to } };
    gpool_set_pipeline(rec, s->pipeline);
    gpool_set_bindings(rec, 0, s->layout, bindings, 2, NULL, 0);
    gpool_set_uniforms(rec, 1, uniforms, sizeof uniforms);
}

static void check_scale(fixture *f, const scale *s, uint32_t factor, uint32_t add, uint32_t count)
{
    uint32_t words[16] = { 0 };
    for (uint32_t i = 0; i < count; ++i) {
        words[i] = i * factor + add;
    }
    assert_buffer(f, s->to, 0, words, sizeof words);
}

static void dispatch_computes(void **state)
{
    fixture *f = *state;
    scale s = make_scale(f);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_compute(rec, NULL);
    set_scale(rec, &s, 3, 1);
    gpool_dispatch(rec, 3, 1, 1);
    gpool_dispatch(rec, 0, 1, 1);
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(f->pool));
    check_scale(f, &s, 3, 1, 12);
    assert_int_equal(fixture_stats(f).draws, 1);
}

static void indirect_dispatch_takes_its_counts_from_a_buffer(void **state)
{
    fixture *f = *state;
    scale s = make_scale(f);
    const uint32_t counts[] = { 99, 1, 1, 1 };
    gpool_buffer arguments = fixture_buffer(f, counts, sizeof counts, GPOOL_BUFFER_INDIRECT);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_compute(rec, "indirect");
    set_scale(rec, &s, 2, 5);
    gpool_dispatch_indirect(rec, arguments, 4);
    const uint32_t two = 2;
    assert_good(gpool_buffer_write(f->pool, arguments, 4, &two, 4));
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(f->pool));
    check_scale(f, &s, 2, 5, 8);
    assert_good(gpool_begin_frame(f->pool));
    rec = gpool_frame_recorder(f->pool);
    gpool_begin_compute(rec, "indirect");
    set_scale(rec, &s, 7, 7);
    gpool_dispatch_indirect(rec, arguments, 8);
    gpool_end_pass(rec);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_OUT_OF_RANGE);
    fixture_expect(f, GPOOL_LOG_RANGE, 1);
    check_scale(f, &s, 2, 5, 8);
}

static void dispatch_over_the_limit_is_skipped(void **state)
{
    fixture *f = *state;
    gpool_device_info info;
    assert_good(gpool_device_get_info(f->device, &info));
    uint32_t limit = info.limits.maxComputeWorkgroupsPerDimension;
    scale s = make_scale(f);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_compute(rec, NULL);
    set_scale(rec, &s, 1, 1);
    gpool_dispatch(rec, limit + 1, 1, 1);
    gpool_dispatch(rec, 1, 1, UINT32_MAX);
    gpool_dispatch(rec, 1, 1, 1);
    gpool_end_pass(rec);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_LIMIT);
    fixture_expect(f, GPOOL_LOG_LIMIT, 2);
    check_scale(f, &s, 1, 1, 4);
}

static void storage_texture_is_painted(void **state)
{
    fixture *f = *state;
    gpool_layout_entry entry = { .binding = 0,
                                 .type = GPOOL_BINDING_STORAGE_TEXTURE,
                                 .format = WGPUTextureFormat_RGBA8Unorm };
    gpool_layout layout =
        gpool_layout_create(f->pool, &(gpool_layout_desc){ .entries = &entry, .entry_count = 1 });
    gpool_pipeline pipeline =
        fixture_compute(f, paint_wgsl, (gpool_compute_pipeline_desc){ .layouts[0] = layout });
    gpool_texture_desc desc = { .width = 4,
                                .height = 4,
                                .mip_levels = 2,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .usage = GPOOL_TEXTURE_STORAGE | GPOOL_TEXTURE_READ_BACK };
    gpool_texture picture = gpool_texture_create(f->pool, &desc);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_compute(rec, NULL);
    gpool_set_pipeline(rec, pipeline);
    gpool_set_bindings(rec, 0, layout, &(gpool_binding){ .texture = picture }, 1, NULL, 0);
    gpool_dispatch(rec, 2, 2, 1);
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(f->pool));
    assert_pixel(f, picture, 3, 2, 0x996600ff);
    assert_pixel(f, picture, 0, 3, 0x009900ff);
}

static void commands_run_in_the_order_of_their_recording(void **state)
{
    fixture *f = *state;
    scale s = make_scale(f);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_compute(rec, "first");
    set_scale(rec, &s, 10, 1);
    gpool_dispatch(rec, 4, 1, 1);
    gpool_end_pass(rec);
    gpool_copy_buffer(rec, s.to, 0, s.from, 0, 64);
    gpool_clear_buffer(rec, s.to, 0, 64);
    gpool_begin_compute(rec, "second");
    set_scale(rec, &s, 2, 0);
    gpool_dispatch(rec, 2, 1, 1);
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(f->pool));
    check_scale(f, &s, 20, 2, 8);
}

static void buffer_ranges_are_copied_and_cleared(void **state)
{
    fixture *f = *state;
    uint8_t a[128];
    uint8_t b[128];
    for (uint32_t i = 0; i < 128; ++i) {
        a[i] = (uint8_t)(i + 1);
        b[i] = (uint8_t)(200 - i);
    }
    gpool_buffer from = fixture_buffer(f, a, 128, COPYABLE);
    gpool_buffer to = fixture_buffer(f, b, 128, COPYABLE);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_copy_buffer(rec, from, 4, to, 60, 8);
    gpool_copy_buffer(rec, from, 120, to, 0, 8);
    gpool_copy_buffer(rec, from, 128, to, 128, 0);
    gpool_clear_buffer(rec, to, 100, 28);
    gpool_clear_buffer(rec, to, 8, 0);
    assert_good(gpool_end_frame(f->pool));
    memcpy(b + 60, a + 4, 8);
    memcpy(b, a + 120, 8);
    memset(b + 100, 0, 28);
    assert_buffer(f, to, 0, b, 128);
    assert_buffer(f, from, 0, a, 128);
    /* Each wrong one is skipped and told, and the good one between them runs. */
    assert_good(gpool_begin_frame(f->pool));
    rec = gpool_frame_recorder(f->pool);
    gpool_copy_buffer(rec, from, 2, to, 0, 8);
    gpool_copy_buffer(rec, from, 0, to, 0, 6);
    gpool_copy_buffer(rec, from, 124, to, 0, 8);
    gpool_copy_buffer(rec, from, 0, to, UINT64_MAX - 3, 8);
    gpool_copy_buffer(rec, to, 0, from, 64, 4);
    gpool_copy_buffer(rec, from, 0, from, 64, 8);
    gpool_clear_buffer(rec, to, 0, UINT64_MAX - 3);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_MISALIGNED);
    fixture_expect(f, GPOOL_LOG_ALIGNMENT, 2);
    fixture_expect(f, GPOOL_LOG_RANGE, 3);
    fixture_expect(f, GPOOL_LOG_ARGUMENT_VALUE, 1);
    memcpy(a + 64, b, 4);
    assert_buffer(f, from, 0, a, 128);
    assert_buffer(f, to, 0, b, 128);
}

static void texels_are_copied_to_buffers_and_back(void **state)
{
    fixture *f = *state;
    uint8_t texels[8 * 6][4];
    for (int i = 0; i < 48; ++i) {
        memcpy(texels[i], (uint8_t[4]){ (uint8_t)(i % 8), (uint8_t)(i / 8), 9, 255 }, 4);
    }
    gpool_texture from = fixture_target(f, 8, 6);
    gpool_texture to = fixture_target(f, 8, 6);
    assert_good(gpool_texture_write(f->pool, from, NULL, texels, sizeof texels, 0));
    gpool_buffer buffer = fixture_buffer(f, NULL, 2048, COPYABLE);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_texture_region part = { .x = 2, .y = 1, .width = 4, .height = 3 };
    gpool_copy_texture_to_buffer(rec, from, &part, buffer, 512, 256);
    part.x = 4;
    part.y = 3;
    gpool_copy_buffer_to_texture(rec, buffer, 512, 256, to, &part);
    assert_good(gpool_end_frame(f->pool));
    uint8_t wanted[512 + 2 * 256 + 16] = { 0 };
    for (size_t y = 0; y < 3; ++y) {
        memcpy(wanted + 512 + y * 256, texels[(1 + y) * 8 + 2], 16);
    }
    assert_buffer(f, buffer, 0, wanted, sizeof wanted);
    assert_pixel(f, to, 4, 3, 0x020109ff);
    assert_pixel(f, to, 7, 5, 0x050309ff);
    assert_pixel(f, to, 3, 3, 0);
    assert_pixel(f, to, 4, 2, 0);
    assert_good(gpool_begin_frame(f->pool));
    rec = gpool_frame_recorder(f->pool);
    gpool_copy_texture_to_buffer(rec, from, NULL, buffer, 0, 100);
    gpool_copy_texture_to_buffer(rec, from, NULL, buffer, 1024, 256);
    gpool_copy_buffer_to_texture(rec, buffer, 2, 256, to, NULL);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_MISALIGNED);
    fixture_expect(f, GPOOL_LOG_ALIGNMENT, 2);
    fixture_expect(f, GPOOL_LOG_RANGE, 1);
    assert_buffer(f, buffer, 0, wanted, sizeof wanted);
}

static void texels_are_copied_between_textures_levels_and_layers(void **state)
{
    fixture *f = *state;
    gpool_texture_desc desc = { .width = 8,
                                .height = 8,
                                .depth_or_layers = 3,
                                .mip_levels = 2,
                                .format = WGPUTextureFormat_RGBA8UnormSrgb,
                                .usage = GPOOL_TEXTURE_COPY_TARGET | GPOOL_TEXTURE_READ_BACK };
    gpool_texture layered = gpool_texture_create(f->pool, &desc);
    gpool_texture plain = fixture_target(f, 4, 4); /* the twin format: copies may cross */
    uint8_t texels[64];
    for (int i = 0; i < 64; ++i) {
        texels[i] = (uint8_t)(i * 3 + 1);
    }
    assert_good(gpool_texture_write(f->pool, plain, NULL, texels, sizeof texels, 0));
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_copy_texture(rec, plain, NULL, layered,
                       &(gpool_texture_region){ .x = 3, .y = 4, .z = 2 });
    gpool_copy_texture(rec, plain,
                       &(gpool_texture_region){ .x = 1, .y = 2, .width = 2, .height = 2 }, layered,
                       &(gpool_texture_region){ .mip_level = 1, .z = 1 });
    gpool_copy_texture(rec, plain, NULL, layered, &(gpool_texture_region){ .x = 5 });
    gpool_copy_texture(rec, plain, NULL, plain, NULL);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_OUT_OF_RANGE);
    fixture_expect(f, GPOOL_LOG_RANGE, 1);
    fixture_expect(f, GPOOL_LOG_ARGUMENT_VALUE, 1);
    uint8_t got[64];
    gpool_texture_region there = { .x = 3, .y = 4, .z = 2, .width = 4, .height = 4 };
    assert_good(gpool_texture_read(f->pool, layered, &there, got, sizeof got));
    assert_bytes(got, texels, sizeof got);
    there = (gpool_texture_region){ .mip_level = 1, .z = 1, .width = 2, .height = 2 };
    assert_good(gpool_texture_read(f->pool, layered, &there, got, sizeof got));
    assert_bytes(got, texels + (2 * 4 + 1) * 4, 8);
    assert_bytes(got + 8, texels + (3 * 4 + 1) * 4, 8);
    there = (gpool_texture_region){ .x = 5, .width = 1, .height = 1 };
    assert_good(gpool_texture_read(f->pool, layered, &there, got, sizeof got));
    assert_bytes(got, "\0\0\0\0", 4);
}

static void writable_binding_needs_its_own_usage(void **state)
{
    fixture *f = *state;
    scale s = make_scale(f);
    gpool_buffer good = s.to;
    s.to = s.from; /* plain STORAGE is a read-only binding */
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_compute(rec, NULL);
    set_scale(rec, &s, 5, 5);
    gpool_dispatch(rec, 1, 1, 1);
    s.to = good;
    set_scale(rec, &s, 4, 4);
    gpool_dispatch(rec, 1, 1, 1);
    gpool_end_pass(rec);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_MISSING_USAGE);
    fixture_expect(f, GPOOL_LOG_USAGE, 1);
    check_scale(f, &s, 4, 4, 4);
}

int gpu_record_copy_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(dispatch_computes),
        FIXTURE_TEST(indirect_dispatch_takes_its_counts_from_a_buffer),
        FIXTURE_TEST(dispatch_over_the_limit_is_skipped),
        FIXTURE_TEST(storage_texture_is_painted),
        FIXTURE_TEST(commands_run_in_the_order_of_their_recording),
        FIXTURE_TEST(buffer_ranges_are_copied_and_cleared),
        FIXTURE_TEST(texels_are_copied_to_buffers_and_back),
        FIXTURE_TEST(texels_are_copied_between_textures_levels_and_layers),
        FIXTURE_TEST(writable_binding_needs_its_own_usage),
    };
    return FIXTURE_RUN("record_copy", tests);
}
