/* Passes: depth, stencil, samples, several targets, viewport, scissor, blending, variants. */
#include "gpu/fixture.h"

#include <string.h>

int gpu_record_pass_run(void);

/* Covers the target, moved by `place.xy`, at depth `place.z` in color. */
static const char place_wgsl[] =
    "struct Uniforms { color: vec4f, place: vec4f }\n"
    "@group(0) @binding(0) var<uniform> u: Uniforms;\n"
    "@vertex fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {\n"
    "    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0) + u.place;\n"
    "}\n"
    "@fragment fn fs() -> @location(0) vec4f { return u.color; }\n";

static const char three_wgsl[] =
    "struct Out { @location(0) a: vec4f, @location(2) b: vec4f, @location(3) c: vec4u }\n"
    "@vertex fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {\n"
    "    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);\n"
    "}\n"
    "@fragment fn fs() -> Out {\n"
    "    return Out(vec4f(1.0, 0.0, 0.0, 1.0), vec4f(0.0, 1.0, 0.0, 1.0), vec4u(1, 2, 3, 4));\n"
    "}\n";

/* Draws all of the pass in a color at a depth. */
static void cover(gpool_recorder rec, gpool_pipeline pipeline, float r, float g, float b, float a,
                  float depth)
{
    const float uniforms[8] = { r, g, b, a, 0, 0, depth, 0 };
    gpool_set_pipeline(rec, pipeline);
    gpool_set_uniforms(rec, 0, uniforms, sizeof uniforms);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
}

static gpool_recorder begin(fixture *f, const gpool_render_desc *desc)
{
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_render(rec, desc);
    return rec;
}

static void end(fixture *f, gpool_recorder rec)
{
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(f->pool));
}

static gpool_texture make(fixture *f, gpool_texture_desc desc)
{
    gpool_texture texture = gpool_texture_create(f->pool, &desc);
    gpool_texture_info info = { .failed = true };
    assert_good(gpool_texture_get_info(f->pool, texture, &info));
    assert_false(info.failed);
    return texture;
}

static gpool_texture make_depth(fixture *f, WGPUTextureFormat format, uint32_t extent)
{
    return make(f, (gpool_texture_desc){ .width = extent,
                                         .height = extent,
                                         .format = format,
                                         .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK });
}

static void nearer_wins_with_a_depth_test(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 4, 4);
    gpool_texture depth = make_depth(f, WGPUTextureFormat_Depth32Float, 4);
    gpool_pipeline less =
        fixture_render(f, place_wgsl,
                       (gpool_render_pipeline_desc){
                           .depth = { .compare = WGPUCompareFunction_Less, .write = true } });
    gpool_render_desc desc = { .color[0] = { .texture = target }, .depth = { .texture = depth } };
    gpool_recorder rec = begin(f, &desc);
    cover(rec, less, 1, 0, 0, 1, 0.5f);
    cover(rec, less, 0, 1, 0, 1, 0.75f);
    gpool_set_scissor(rec, 0, 0, 2, 4);
    cover(rec, less, 0, 0, 1, 1, 0.25f);
    end(f, rec);
    assert_pixel(f, target, 1, 1, 0x0000ffff);
    assert_pixel(f, target, 3, 1, 0xff0000ff);
    float depths[16];
    assert_good(gpool_texture_read(f->pool, depth, NULL, depths, sizeof depths));
    assert_true(depths[0] == 0.25f && depths[3] == 0.5f);
    /* Kept depth still hides; a depth of zero is asked for by name. */
    desc.depth.load = GPOOL_LOAD_KEEP;
    rec = begin(f, &desc);
    cover(rec, less, 1, 1, 1, 1, 0.4f);
    end(f, rec);
    assert_pixel(f, target, 1, 1, 0);
    assert_pixel(f, target, 3, 1, 0xffffffff);
    desc.depth.load = GPOOL_LOAD_CLEAR;
    desc.depth.clear = GPOOL_DEPTH_ZERO;
    rec = begin(f, &desc);
    cover(rec, less, 1, 1, 1, 1, 0.1f);
    end(f, rec);
    assert_pixel(f, target, 3, 1, 0);
}

static void read_only_depth_tests_and_does_not_write(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 4, 4);
    gpool_texture depth = make_depth(f, WGPUTextureFormat_Depth32Float, 4);
    gpool_depth_state tests = { .compare = WGPUCompareFunction_Less };
    gpool_pipeline pipeline =
        fixture_render(f, place_wgsl, (gpool_render_pipeline_desc){ .depth = tests });
    gpool_recorder rec =
        begin(f, &(gpool_render_desc){ .depth = { .texture = depth, .clear = 0.5f } });
    end(f, rec);
    rec = begin(f, &(gpool_render_desc){ .color[0] = { .texture = target },
                                         .depth = { .texture = depth, .read_only = true } });
    cover(rec, pipeline, 1, 0, 0, 1, 0.25f);
    cover(rec, pipeline, 0, 1, 0, 1, 0.75f);
    end(f, rec);
    assert_pixel(f, target, 0, 0, 0xff0000ff);
    float depths[16];
    assert_good(gpool_texture_read(f->pool, depth, NULL, depths, sizeof depths));
    assert_true(depths[15] == 0.5f);
}

static void pass_without_colors_draws_depth_alone(void **state)
{
    fixture *f = *state;
    gpool_texture depth = make_depth(f, WGPUTextureFormat_Depth16Unorm, 4);
    gpool_pipeline pipeline = fixture_render(
        f, place_wgsl,
        (gpool_render_pipeline_desc){ .no_fragment = true, .depth = { .write = true } });
    gpool_recorder rec = begin(f, &(gpool_render_desc){ .depth = { .texture = depth } });
    cover(rec, pipeline, 0, 0, 0, 0, 0.5f);
    end(f, rec);
    uint16_t depths[16];
    assert_good(gpool_texture_read(f->pool, depth, NULL, depths, sizeof depths));
    assert_in_range(depths[5], 0x7fff, 0x8000);
}

static void stencil_reference_masks_draws(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 4, 4);
    gpool_texture stencil = make_depth(f, WGPUTextureFormat_Depth24PlusStencil8, 4);
    gpool_depth_state write = { .stencil_front = { .compare = WGPUCompareFunction_Always,
                                                   .passOp = WGPUStencilOperation_Replace } };
    gpool_depth_state equal = { .stencil_front = { .compare = WGPUCompareFunction_Equal } };
    gpool_pipeline mark =
        fixture_render(f, place_wgsl, (gpool_render_pipeline_desc){ .depth = write });
    gpool_pipeline paint =
        fixture_render(f, place_wgsl, (gpool_render_pipeline_desc){ .depth = equal });
    gpool_recorder rec =
        begin(f, &(gpool_render_desc){ .color[0] = { .texture = target },
                                       .depth = { .texture = stencil, .stencil_clear = 9 } });
    gpool_set_stencil_reference(rec, 5);
    gpool_set_scissor(rec, 0, 0, 2, 4);
    cover(rec, mark, 0, 0, 0, 1, 0);
    gpool_set_scissor(rec, 0, 0, 4, 4);
    cover(rec, paint, 1, 0, 0, 1, 0);
    gpool_set_stencil_reference(rec, 9);
    cover(rec, paint, 0, 1, 0, 1, 0);
    gpool_set_stencil_reference(rec, 1);
    cover(rec, paint, 0, 0, 1, 1, 0);
    end(f, rec);
    assert_pixel(f, target, 0, 0, 0xff0000ff);
    assert_pixel(f, target, 3, 3, 0x00ff00ff);
    uint8_t values[16];
    assert_good(gpool_texture_read(
        f->pool, stencil, &(gpool_texture_region){ .aspect = WGPUTextureAspect_StencilOnly },
        values, sizeof values));
    assert_int_equal(values[0], 5);
    assert_int_equal(values[3], 9);
}

static void samples_are_resolved(void **state)
{
    fixture *f = *state;
    gpool_texture many = make(f, (gpool_texture_desc){ .width = 8,
                                                       .height = 8,
                                                       .samples = 4,
                                                       .format = WGPUTextureFormat_RGBA8Unorm,
                                                       .usage = GPOOL_TEXTURE_TARGET });
    gpool_texture many_depth =
        make(f, (gpool_texture_desc){ .width = 8,
                                      .height = 8,
                                      .samples = 4,
                                      .format = WGPUTextureFormat_Depth24Plus,
                                      .usage = GPOOL_TEXTURE_TARGET });
    gpool_texture one = fixture_target(f, 8, 8);
    gpool_pipeline pipeline =
        fixture_render(f, place_wgsl,
                       (gpool_render_pipeline_desc){
                           .depth = { .compare = WGPUCompareFunction_Less, .write = true } });
    gpool_render_desc desc = {
        .color[0] = { .texture = many, .resolve = one, .store = GPOOL_STORE_DISCARD },
        .depth = { .texture = many_depth }
    };
    gpool_recorder rec = begin(f, &desc);
    /* Moved so that the edge is the diagonal of the picture. */
    const float uniforms[8] = { 1, 1, 1, 1, -1, -1, 0.5f, 0 };
    gpool_set_pipeline(rec, pipeline);
    gpool_set_uniforms(rec, 0, uniforms, sizeof uniforms);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    end(f, rec);
    assert_pixel(f, one, 1, 5, 0xffffffff);
    assert_pixel(f, one, 5, 1, 0);
    assert_in_range(fixture_pixel(f, one, 3, 3) >> 24, 60, 200);
}

static void several_color_targets_with_a_hole(void **state)
{
    fixture *f = *state;
    gpool_texture a = fixture_target(f, 4, 4);
    gpool_texture b =
        make(f, (gpool_texture_desc){ .width = 4,
                                      .height = 4,
                                      .format = WGPUTextureFormat_BGRA8Unorm,
                                      .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK });
    gpool_texture c =
        make(f, (gpool_texture_desc){ .width = 4,
                                      .height = 4,
                                      .format = WGPUTextureFormat_RGBA8Uint,
                                      .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK });
    gpool_pipeline pipeline = fixture_render(f, three_wgsl, (gpool_render_pipeline_desc){ 0 });
    gpool_render_desc desc = { .color = { { .texture = a },
                                          { .load = GPOOL_LOAD_CLEAR },
                                          { .texture = b },
                                          { .texture = c, .clear = { 7, 7, 7, 7 } } } };
    gpool_recorder rec = begin(f, &desc);
    gpool_set_scissor(rec, 0, 0, 4, 2);
    gpool_set_pipeline(rec, pipeline);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    end(f, rec);
    assert_pixel(f, a, 0, 0, 0xff0000ff);
    assert_pixel(f, b, 0, 0, 0x00ff00ff);
    assert_int_equal(fixture_pixel(f, c, 0, 0), 0x01020304);
    assert_int_equal(fixture_pixel(f, c, 0, 3), 0x07070707);
}

static void levels_layers_and_slices_are_targets(void **state)
{
    fixture *f = *state;
    gpool_texture_desc desc = { .width = 8,
                                .height = 8,
                                .depth_or_layers = 3,
                                .mip_levels = 2,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK };
    for (int deep = 0; deep < 2; ++deep) {
        desc.dimension = deep != 0 ? WGPUTextureDimension_3D : WGPUTextureDimension_2D;
        gpool_texture texture = make(f, desc);
        gpool_color_attachment color = { .texture = texture, .layer = 2, .clear = { 1, 0, 0, 1 } };
        gpool_recorder rec = begin(f, &(gpool_render_desc){ .color[0] = color });
        gpool_end_pass(rec);
        color = (gpool_color_attachment){
            .texture = texture, .mip_level = 1, .layer = 0, .clear = { 0, 1, 0, 1 }
        };
        gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = color });
        end(f, rec);
        uint8_t texel[4];
        gpool_texture_region region = { .z = 2, .width = 1, .height = 1 };
        assert_good(gpool_texture_read(f->pool, texture, &region, texel, 4));
        assert_bytes(texel, "\xff\x00\x00\xff", 4);
        region.z = 1;
        assert_good(gpool_texture_read(f->pool, texture, &region, texel, 4));
        assert_bytes(texel, "\0\0\0\0", 4);
        region = (gpool_texture_region){ .mip_level = 1, .x = 3, .y = 3, .width = 1, .height = 1 };
        assert_good(gpool_texture_read(f->pool, texture, &region, texel, 4));
        assert_bytes(texel, "\x00\xff\x00\xff", 4);
    }
}

static void viewport_and_scissor_bound_the_draw(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 8, 8);
    gpool_pipeline pipeline = fixture_render(f, place_wgsl, (gpool_render_pipeline_desc){ 0 });
    gpool_recorder rec = begin(f, &(gpool_render_desc){ .color[0] = { .texture = target } });
    gpool_set_viewport(rec, 4, 2, 4, 6, 0, 1);
    cover(rec, pipeline, 1, 0, 0, 1, 0);
    gpool_set_viewport(rec, 0, 0, 8, 8, 0, 1);
    gpool_set_scissor(rec, 0, 0, 2, 8);
    cover(rec, pipeline, 0, 1, 0, 1, 0);
    gpool_set_scissor(rec, 0, 0, 0, 0);
    cover(rec, pipeline, 0, 0, 1, 1, 0);
    end(f, rec);
    assert_pixel(f, target, 5, 3, 0xff0000ff);
    assert_pixel(f, target, 5, 1, 0);
    assert_pixel(f, target, 3, 3, 0);
    assert_pixel(f, target, 1, 7, 0x00ff00ff);
    /* A new pass begins with the whole attachment again. */
    rec = begin(f, &(gpool_render_desc){ .color[0] = { .texture = target } });
    cover(rec, pipeline, 0, 0, 1, 1, 0);
    end(f, rec);
    assert_pixel(f, target, 0, 0, 0x0000ffff);
    assert_pixel(f, target, 7, 7, 0x0000ffff);
}

static void ready_made_blendings(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 4, 4);
    /* Source 0.5 0.5 0 with alpha 0.5 over a target of 0.5 0 1 and alpha 1. */
    static const uint32_t results[GPOOL_BLEND_COUNT] = { [GPOOL_BLEND_NONE] = 0x80800080,
                                                         [GPOOL_BLEND_ALPHA] = 0x804080ff,
                                                         [GPOOL_BLEND_PREMULTIPLIED] = 0xbf8080ff,
                                                         [GPOOL_BLEND_ADD] = 0xbf40ffff,
                                                         [GPOOL_BLEND_MULTIPLY] = 0x400000ff };
    for (int blend = 0; blend < GPOOL_BLEND_COUNT; ++blend) {
        gpool_pipeline pipeline = fixture_render(
            f, place_wgsl, (gpool_render_pipeline_desc){ .colors[0].blend = (gpool_blend)blend });
        gpool_render_desc desc = { .color[0] = { .texture = target, .clear = { 0.5, 0, 1, 1 } } };
        gpool_recorder rec = begin(f, &desc);
        cover(rec, pipeline, 0.5f, 0.5f, 0, 0.5f, 0);
        end(f, rec);
        fixture_assert_pixel(f, target, 2, 2, results[blend], 2, __FILE__, __LINE__);
    }
}

static void own_blending_constant_and_write_mask(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 4, 4);
    WGPUBlendState blend = { .color = { .operation = WGPUBlendOperation_Add,
                                        .srcFactor = WGPUBlendFactor_Constant,
                                        .dstFactor = WGPUBlendFactor_Zero },
                             .alpha = { .operation = WGPUBlendOperation_Add,
                                        .srcFactor = WGPUBlendFactor_One,
                                        .dstFactor = WGPUBlendFactor_Zero } };
    gpool_pipeline pipeline = fixture_render(
        f, place_wgsl, (gpool_render_pipeline_desc){ .colors[0].blend_state = &blend });
    memset(&blend, 0xff, sizeof blend); /* it was copied */
    gpool_pipeline masked = fixture_render(
        f, place_wgsl,
        (gpool_render_pipeline_desc){ .colors[0].write_mask = WGPUColorWriteMask_Green });
    gpool_recorder rec = begin(f, &(gpool_render_desc){ .color[0] = { .texture = target } });
    gpool_set_blend_constant(rec, (double[4]){ 0.2, 0.4, 0.6, 1 });
    cover(rec, pipeline, 1, 1, 1, 1, 0);
    gpool_set_scissor(rec, 0, 0, 2, 2);
    cover(rec, masked, 1, 1, 1, 0, 0);
    end(f, rec);
    assert_pixel(f, target, 3, 3, 0x336699ff);
    assert_pixel(f, target, 0, 0, 0x33ff99ff);
}

static void culled_triangles_are_not_drawn(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 4, 4);
    gpool_render_pipeline_desc desc = { .cull_mode = WGPUCullMode_Back };
    gpool_pipeline ccw = fixture_render(f, place_wgsl, desc);
    desc.front_face = WGPUFrontFace_CW;
    gpool_pipeline cw = fixture_render(f, place_wgsl, desc);
    gpool_recorder rec = begin(f, &(gpool_render_desc){ .color[0] = { .texture = target } });
    cover(rec, ccw, 1, 0, 0, 1, 0);
    cover(rec, cw, 0, 1, 0, 1, 0);
    end(f, rec);
    assert_pixel(f, target, 1, 1, 0xff0000ff);
}

static void one_pipeline_serves_passes_of_other_formats(void **state)
{
    fixture *f = *state;
    static const WGPUTextureFormat kinds[] = { WGPUTextureFormat_RGBA8Unorm,
                                               WGPUTextureFormat_BGRA8Unorm,
                                               WGPUTextureFormat_RGBA16Float,
                                               WGPUTextureFormat_RGBA8Unorm };
    gpool_pipeline pipeline = fixture_render(f, place_wgsl, (gpool_render_pipeline_desc){ 0 });
    uint64_t made = gpool_gpu_call_count(f->pool, GPOOL_GPU_DeviceCreateRenderPipeline);
    for (int i = 0; i < 4; ++i) {
        gpool_texture target = make(
            f, (gpool_texture_desc){ .width = 4,
                                     .height = 4,
                                     .format = kinds[i],
                                     .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK });
        gpool_recorder rec = begin(f, &(gpool_render_desc){ .color[0] = { .texture = target } });
        cover(rec, pipeline, 1, 0, 1, 1, 0);
        end(f, rec);
        uint8_t texel[8] = { 0 };
        assert_good(gpool_texture_read(f->pool, target,
                                       &(gpool_texture_region){ .width = 1, .height = 1 }, texel,
                                       sizeof texel));
        const void *wanted = kinds[i] == WGPUTextureFormat_RGBA16Float
                                 ? "\x00\x3c\x00\x00\x00\x3c\x00\x3c"
                                 : "\xff\x00\xff\xff\0\0\0\0";
        assert_bytes(texel, wanted, 8);
    }
    assert_int_equal(gpool_gpu_call_count(f->pool, GPOOL_GPU_DeviceCreateRenderPipeline), made + 3);
    /* A format in the descriptor is kept to: another pass is refused, and nothing drawn. */
    gpool_pipeline fixed = fixture_render(
        f, place_wgsl,
        (gpool_render_pipeline_desc){ .colors[0].format = WGPUTextureFormat_BGRA8Unorm });
    gpool_texture target = fixture_target(f, 4, 4);
    gpool_recorder rec = begin(f, &(gpool_render_desc){ .color[0] = { .texture = target } });
    cover(rec, fixed, 1, 1, 1, 1, 0);
    cover(rec, pipeline, 0, 0, 1, 1, 0);
    gpool_end_pass(rec);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_INVALID_ARGUMENT);
    fixture_expect(f, GPOOL_LOG_PIPELINE_CREATE, 1);
    assert_int_equal(fixture_stats(f).skipped, 2); /* and the draw without a pipeline */
    assert_pixel(f, target, 1, 1, 0x0000ffff);
}

int gpu_record_pass_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(nearer_wins_with_a_depth_test),
        FIXTURE_TEST(read_only_depth_tests_and_does_not_write),
        FIXTURE_TEST(pass_without_colors_draws_depth_alone),
        FIXTURE_TEST(stencil_reference_masks_draws),
        FIXTURE_TEST(samples_are_resolved),
        FIXTURE_TEST(several_color_targets_with_a_hole),
        FIXTURE_TEST(levels_layers_and_slices_are_targets),
        FIXTURE_TEST(viewport_and_scissor_bound_the_draw),
        FIXTURE_TEST(ready_made_blendings),
        FIXTURE_TEST(own_blending_constant_and_write_mask),
        FIXTURE_TEST(culled_triangles_are_not_drawn),
        FIXTURE_TEST(one_pipeline_serves_passes_of_other_formats),
    };
    return FIXTURE_RUN("record_pass", tests);
}
