/* Draws, passes, state and bindings that WebGPU would refuse. */
#include "gpu/hostile.h"

#include <math.h>

static const char mesh_wgsl[] =
    "@vertex fn vs(@location(0) p: vec2f, @location(1) o: vec2f) -> @builtin(position) vec4f {\n"
    "    return vec4f(p + o, 0.0, 1.0);\n"
    "}\n"
    "@fragment fn fs() -> @location(0) vec4f { return vec4f(1.0); }\n";

static const char sampled_wgsl[] =
    "@group(1) @binding(0) var picture: texture_2d<f32>;\n"
    "@vertex fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {\n"
    "    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);\n"
    "}\n"
    "@fragment fn fs() -> @location(0) vec4f { return textureLoad(picture, vec2u(0), 0); }\n";

static const char big_wgsl[] =
    "struct Big { a: array<vec4f, 8> }\n"
    "@group(0) @binding(0) var<uniform> big: Big;\n"
    "@vertex fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {\n"
    "    return vec4f(f32(i), 0.0, 0.0, 1.0);\n"
    "}\n"
    "@fragment fn fs() -> @location(0) vec4f { return big.a[7]; }\n";

static gpool_pipeline mesh_pipeline(hostile_world *w, WGPUPrimitiveTopology topology,
                                    WGPUIndexFormat strip)
{
    gpool_render_pipeline_desc desc = { .topology = topology, .strip_index_format = strip };
    desc.vertex_buffers[0].attributes[0].format = WGPUVertexFormat_Float32x2;
    desc.vertex_buffers[1].attributes[0] =
        (gpool_attribute){ .format = WGPUVertexFormat_Float32x2, .shader_location = 1 };
    desc.vertex_buffers[1].step = WGPUVertexStepMode_Instance;
    return fixture_render(w->f, mesh_wgsl, desc);
}

#define DRAW(...) gpool_draw(rec, &(gpool_draw_args){ __VA_ARGS__ })

/* The pipeline and so many of its vertex buffers; counting starts after them. */
static void mesh_set(hostile_world *w, gpool_recorder rec, gpool_pipeline mesh, gpool_buffer buffer,
                     uint32_t slots)
{
    gpool_set_pipeline(rec, mesh);
    for (uint32_t slot = 0; slot < slots; ++slot) {
        gpool_set_vertex_buffer(rec, slot, buffer, 0);
    }
    hostile_begin(w);
}

static void draw_meshes(hostile_world *w)
{
    gpool_pipeline mesh = mesh_pipeline(w, 0, 0);
    gpool_buffer small = fixture_buffer(
        w->f, NULL, 24, GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_INDEX | GPOOL_BUFFER_INDIRECT);
#define MESH(slots) mesh_set(w, rec, mesh, small, slots)
    hostile_skips(w, 1, MESH(0); DRAW(.vertex_count = 3), WRONG_PHASE, PHASE);
    hostile_skips(w, 1, MESH(1); DRAW(.vertex_count = 3), WRONG_PHASE, PHASE);
    hostile_skips(w, 1, MESH(2); DRAW(.vertex_count = 4), OUT_OF_RANGE, RANGE);
    hostile_skips(w, 1, MESH(2); DRAW(.vertex_count = 3, .first_vertex = 1), OUT_OF_RANGE, RANGE);
    hostile_skips(w, 1, MESH(2); DRAW(.vertex_count = 3, .instance_count = 4), OUT_OF_RANGE, RANGE);
    hostile_skips(w, 1, MESH(2); DRAW(.vertex_count = UINT32_MAX, .first_vertex = UINT32_MAX),
                                 OUT_OF_RANGE, RANGE);
    hostile_skips(w, 1, MESH(2); DRAW(.vertex_count = 1, .instance_count = UINT32_MAX,
                                      .first_instance = UINT32_MAX),
                                 OUT_OF_RANGE, RANGE);
    hostile_skips(w, 1, MESH(2); DRAW(.index_count = 3), WRONG_PHASE, PHASE);
    hostile_skips(w, 1, MESH(2);
                  DRAW(.index_count = 3, .vertex_count = 3), INVALID_ARGUMENT, ARGUMENT_VALUE);
    hostile_skips(w, 1, MESH(2); gpool_set_index_buffer(rec, small, WGPUIndexFormat_Uint32, 0);
                  DRAW(.index_count = 7), OUT_OF_RANGE, RANGE);
    /* All that a draw needs was set, but in a pass that is over. */
    hostile_skips(
        w, 0, gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = w->target } });
        MESH(2); gpool_end_pass(rec); DRAW(.vertex_count = 3), WRONG_PHASE, PHASE);
    hostile_skips(w, 1, MESH(2); gpool_set_index_buffer(rec, small, WGPUIndexFormat_Uint32, 0);
                  DRAW(.index_count = UINT32_MAX, .first_index = UINT32_MAX), OUT_OF_RANGE, RANGE);
    hostile_skips(w, 1, MESH(2); gpool_draw_indirect(rec, small, 8, true), OUT_OF_RANGE, RANGE);
    hostile_skips(w, 1, MESH(2); gpool_draw_indirect(rec, small, 0, true), WRONG_PHASE, PHASE);
    gpool_pipeline strip =
        mesh_pipeline(w, WGPUPrimitiveTopology_TriangleStrip, WGPUIndexFormat_Uint32);
    hostile_skips(w, 1, MESH(2); gpool_set_pipeline(rec, strip);
                  gpool_set_index_buffer(rec, small, WGPUIndexFormat_Uint16, 0);
                  DRAW(.index_count = 3), INVALID_ARGUMENT, ARGUMENT_VALUE);
    /* Wild indices and bases read nothing that is not there. */
    hostile_survives(w, 1, MESH(2); gpool_set_index_buffer(rec, small, WGPUIndexFormat_Uint32, 0);
                     DRAW(.index_count = 6, .base_vertex = INT32_MAX);
                     DRAW(.index_count = 6, .base_vertex = INT32_MIN);
                     DRAW(.vertex_count = 3, .first_instance = 2));
}

void hostile_draws(hostile_world *w)
{
    hostile_skips(w, 1, DRAW(.vertex_count = 3), WRONG_PHASE, PHASE);
    hostile_skips(w, 1, gpool_draw(rec, NULL), INVALID_ARGUMENT, ARGUMENT_VALUE);
    hostile_skips(w, 2, gpool_dispatch(rec, 1, 1, 1), WRONG_PHASE, PHASE);
    hostile_skips(w, 2, gpool_dispatch(rec, UINT32_MAX, 1, 1), LIMIT, LIMIT);
    hostile_skips(w, 2, gpool_dispatch(rec, 1, 65536, 1), LIMIT, LIMIT);
    hostile_skips(w, 2, gpool_dispatch(rec, 1, 1, 0x80000000u), LIMIT, LIMIT);
    hostile_skips(w, 1, gpool_draw_indirect(rec, w->witness, 0, false), WRONG_PHASE, PHASE);
    hostile_skips(w, 2, gpool_dispatch_indirect(rec, w->witness, 0), WRONG_PHASE, PHASE);
    hostile_skips(w, 1, gpool_set_pipeline(rec, w->fill); hostile_begin(w);
                  DRAW(.vertex_count = 3), WRONG_PHASE, PHASE); /* no bind group */
    hostile_skips(w, 2, gpool_set_pipeline(rec, w->fill), INVALID_ARGUMENT, ARGUMENT_VALUE);
    gpool_layout_entry entry = { .type = GPOOL_BINDING_UNIFORM,
                                 .dynamic_offset = true,
                                 .min_size = 16 };
    gpool_layout other =
        gpool_layout_create(w->pool, &(gpool_layout_desc){ .entries = &entry, .entry_count = 1 });
    hostile_skips(w, 1, gpool_set_pipeline(rec, w->fill);
                  gpool_set_bindings(rec, 0, other, &(gpool_binding){ .buffer = w->witness }, 1,
                                     &(uint32_t){ 0 }, 1);
                  hostile_begin(w); DRAW(.vertex_count = 3), WRONG_PHASE, PHASE);
    draw_meshes(w);
    /* Uniforms smaller than the shader's struct: found by the implementation, at Finish. */
    gpool_pipeline big = fixture_render(w->f, big_wgsl, (gpool_render_pipeline_desc){ 0 });
    for (uint64_t size = 1; size <= 112; size += 37) { /* rounded up to 16 */
        uint8_t bytes[128] = { 0 };
        hostile_drops(w, 1, gpool_set_pipeline(rec, big); gpool_set_uniforms(rec, 0, bytes, size);
                      DRAW(.vertex_count = 3));
    }
}

void hostile_state_values(hostile_world *w)
{
    const float bad[] = { NAN, INFINITY, -INFINITY };
    for (int i = 0; i < 3; ++i) {
        for (int place = 0; place < 6; ++place) {
            float v[6] = { 0, 0, 8, 8, 0, 1 };
            v[place] = bad[i];
            hostile_skips(w, 1, gpool_set_viewport(rec, v[0], v[1], v[2], v[3], v[4], v[5]),
                          INVALID_ARGUMENT, ARGUMENT_VALUE);
        }
        for (int place = 0; place < 4; ++place) {
            double c[4] = { 0 };
            c[place] = (double)bad[i];
            hostile_skips(w, 1, gpool_set_blend_constant(rec, c), INVALID_ARGUMENT, ARGUMENT_VALUE);
            gpool_render_desc desc = { .color[0] = { .texture = w->target } };
            desc.color[0].clear[place] = (double)bad[i];
            gpool_recorder rec = hostile_frame(w, 0);
            hostile_begin(w);
            gpool_begin_render(rec, &desc);
            hostile_skipped_at(w, rec, 1, GPOOL_ERROR_INVALID_ARGUMENT, GPOOL_LOG_ARGUMENT_VALUE,
                               __FILE__, __LINE__);
        }
    }
    static const float outside[][6] = { { -1, 0, 8, 8, 0, 1 },    { 0, -1, 8, 8, 0, 1 },
                                        { 0, 0, 9, 8, 0, 1 },     { 0, 0, 8, 9, 0, 1 },
                                        { 1, 0, 8, 8, 0, 1 },     { 0, 0, 8, 8, -0.1f, 1 },
                                        { 0, 0, 8, 8, 0, 1.1f },  { 0, 0, 8, 8, 0.6f, 0.4f },
                                        { 0, 0, 3e38f, 8, 0, 1 }, { 0, 0, -8, 8, 0, 1 } };
    for (int i = 0; i < 10; ++i) {
        const float *v = outside[i];
        hostile_skips(w, 1, gpool_set_viewport(rec, v[0], v[1], v[2], v[3], v[4], v[5]),
                      OUT_OF_RANGE, RANGE);
    }
    static const uint32_t rects[][4] = { { 9, 0, 1, 1 },          { 0, 9, 1, 1 },
                                         { 0, 0, 9, 1 },          { 0, 0, 1, 9 },
                                         { UINT32_MAX, 0, 1, 1 }, { 1, 1, UINT32_MAX, 1 },
                                         { 1, 1, 1, UINT32_MAX } };
    for (int i = 0; i < 7; ++i) {
        const uint32_t *r = rects[i];
        hostile_skips(w, 1, gpool_set_scissor(rec, r[0], r[1], r[2], r[3]), OUT_OF_RANGE, RANGE);
    }
    hostile_survives(w, 1, gpool_set_viewport(rec, 8, 8, 0, 0, 1, 1);
                     gpool_set_scissor(rec, 8, 8, 0, 0); gpool_set_pipeline(rec, w->fill);
                     gpool_set_uniforms(rec, 0, (float[4]){ 0 }, 16); DRAW(.vertex_count = 3));
    hostile_survives(w, 1, gpool_set_stencil_reference(rec, UINT32_MAX);
                     gpool_set_blend_constant(rec, (double[4]){ 1e300, -1e300, 0, 1e-320 }));
    static const uint32_t formats[] = { 0, 3, 0x7fffffffu, UINT32_MAX };
    for (int i = 0; i < 4; ++i) {
        hostile_skips(w, 1, gpool_set_index_buffer(rec, w->witness, (WGPUIndexFormat)formats[i], 0),
                      INVALID_ARGUMENT, ARGUMENT_VALUE);
    }
    for (int i = 1; i < 4; ++i) {
        gpool_render_desc desc = {
            .color[0] = { .texture = w->target, .load = (gpool_load_op)(i == 1 ? 2 : formats[i]) }
        };
        hostile_survives(w, 0, gpool_begin_render(rec, &desc));
        desc.color[0].load = 0;
        desc.color[0].store = (gpool_store_op)(i == 1 ? 2 : formats[i]);
        hostile_survives(w, 0, gpool_begin_render(rec, &desc));
    }
}

static gpool_texture other_target(hostile_world *w, uint32_t width, uint32_t samples,
                                  WGPUTextureFormat format)
{
    gpool_texture_desc desc = { .width = width,
                                .height = 8,
                                .format = format,
                                .samples = samples,
                                .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_SAMPLED };
    return gpool_texture_create(w->pool, &desc);
}

#define PASS_SKIPS(w, code, log_id, ...)                                                           \
    do {                                                                                           \
        gpool_render_desc desc = { __VA_ARGS__ };                                                  \
        gpool_recorder rec = hostile_frame(w, 0);                                                  \
        hostile_begin(w);                                                                          \
        gpool_begin_render(rec, &desc);                                                            \
        hostile_skipped_at(w, rec, 1, GPOOL_ERROR_##code, GPOOL_LOG_##log_id, __FILE__, __LINE__); \
    } while (0)
#define PASS_DROPS(w, ...)                                                                         \
    do {                                                                                           \
        gpool_render_desc desc = { __VA_ARGS__ };                                                  \
        gpool_recorder rec = hostile_frame(w, 0);                                                  \
        gpool_begin_render(rec, &desc);                                                            \
        assert_result(hostile_end(w, rec, 1), GPOOL_ERROR_GPU);                                    \
        hostile_good_frame(w);                                                                     \
    } while (0)

void hostile_passes(hostile_world *w)
{
    const WGPUTextureFormat rgba = WGPUTextureFormat_RGBA8Unorm;
    gpool_texture wide = other_target(w, 9, 1, rgba);
    gpool_texture many = other_target(w, 8, 4, rgba);
    gpool_texture one = other_target(w, 8, 1, WGPUTextureFormat_R8Unorm);
    gpool_texture depth = other_target(w, 8, 1, WGPUTextureFormat_Depth24PlusStencil8);
    gpool_texture_desc bare_desc = {
        .width = 8, .height = 8, .format = rgba, .usage = GPOOL_TEXTURE_SAMPLED
    };
    gpool_texture bare = gpool_texture_create(w->pool, &bare_desc);
#define C(t) { .texture = (t) }
    PASS_SKIPS(w, NULL_HANDLE, HANDLE_NULL, .label = "nothing");
    PASS_SKIPS(w, INVALID_ARGUMENT, ARGUMENT_VALUE, .color = { C(w->target), C(wide) });
    PASS_SKIPS(w, INVALID_ARGUMENT, ARGUMENT_VALUE, .color = { C(w->target), C(many) });
    PASS_SKIPS(w, INVALID_ARGUMENT, ARGUMENT_VALUE, .color[7] = C(depth));
    PASS_SKIPS(w, INVALID_ARGUMENT, ARGUMENT_VALUE, .depth = C(w->target));
    PASS_SKIPS(w, MISSING_USAGE, USAGE, .color[0] = C(bare));
    PASS_SKIPS(w, MISSING_USAGE, USAGE, .color[0] = { .texture = many, .resolve = bare });
    PASS_SKIPS(w, INVALID_ARGUMENT, ARGUMENT_VALUE,
               .color[0] = { .texture = many, .resolve = wide });
    PASS_SKIPS(w, INVALID_ARGUMENT, ARGUMENT_VALUE,
               .color[0] = { .texture = many, .resolve = one });
    PASS_SKIPS(w, INVALID_ARGUMENT, ARGUMENT_VALUE,
               .color[0] = { .texture = many, .resolve = many });
    PASS_SKIPS(w, OUT_OF_RANGE, RANGE, .color[0] = { .texture = w->target, .mip_level = 1 });
    PASS_SKIPS(w, OUT_OF_RANGE, RANGE,
               .color[0] = { .texture = w->target, .mip_level = UINT32_MAX });
    PASS_SKIPS(w, OUT_OF_RANGE, RANGE, .color[0] = { .texture = w->target, .layer = 1 });
    PASS_SKIPS(w, OUT_OF_RANGE, RANGE, .depth = { .texture = depth, .layer = UINT32_MAX });
    const float bad[] = { NAN, INFINITY, -0.5f, 1.5f, -INFINITY };
    for (int i = 0; i < 5; ++i) {
        PASS_SKIPS(w, INVALID_ARGUMENT, ARGUMENT_VALUE,
                   .depth = { .texture = depth, .clear = bad[i] });
    }
    for (int i = 2; i < 4; ++i) {
        PASS_SKIPS(w, INVALID_ARGUMENT, ARGUMENT_VALUE,
                   .depth = { .texture = depth, .load = (gpool_load_op)i });
        PASS_SKIPS(w, INVALID_ARGUMENT, ARGUMENT_VALUE,
                   .depth = { .texture = depth, .stencil_store = (gpool_store_op)-i });
    }
    PASS_DROPS(w, .color = { C(w->target), C(w->target) });
    hostile_skips(w, 0, gpool_begin_render(rec, NULL), INVALID_ARGUMENT, ARGUMENT_NULL);
    /* The same texture as attachment and binding. */
    gpool_layout_entry entry = { .type = GPOOL_BINDING_TEXTURE };
    gpool_layout layout =
        gpool_layout_create(w->pool, &(gpool_layout_desc){ .entries = &entry, .entry_count = 1 });
    gpool_pipeline sampled = fixture_render(
        w->f, sampled_wgsl, (gpool_render_pipeline_desc){ .layouts = { { 0 }, layout } });
    hostile_drops(w, 1, gpool_set_pipeline(rec, sampled); gpool_set_bindings(
                      rec, 1, layout, &(gpool_binding){ .texture = w->target }, 1, NULL, 0);
                  DRAW(.vertex_count = 3));
    hostile_survives(
        w, 1, gpool_set_bindings(rec, 1, layout, &(gpool_binding){ .texture = depth }, 1, NULL, 0));
    hostile_survives(
        w, 1, gpool_set_bindings(rec, 1, layout, &(gpool_binding){ .texture = many }, 1, NULL, 0));
}
