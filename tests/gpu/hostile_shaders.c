/* Shaders and pipelines that do not compile or do not fit. */
#include "gpu/hostile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define BAD_ENUMS 4
static const uint32_t bad_enums[BAD_ENUMS] = { 64, 0x7fffffffu, UINT32_MAX, 0x80000000u };

#define PIPELINE_REFUSED(w, change)                                                                \
    do {                                                                                           \
        gpool_render_pipeline_desc desc = { .shader = shader, .label = "bad pipeline" };           \
        change;                                                                                    \
        hostile_refused(w, hostile_null(w, gpool_render_pipeline_create((w)->pool, &desc).id),     \
                        INVALID_ARGUMENT, ARGUMENT_VALUE);                                         \
    } while (0)

static void pipeline_state_enums(hostile_world *w, gpool_shader shader, uint32_t bad)
{
    WGPUBlendState blend = { 0 };
    PIPELINE_REFUSED(w, desc.topology = (WGPUPrimitiveTopology)bad);
    PIPELINE_REFUSED(w, (desc.topology = WGPUPrimitiveTopology_LineStrip,
                         desc.strip_index_format = (WGPUIndexFormat)bad));
    PIPELINE_REFUSED(w, desc.front_face = (WGPUFrontFace)bad);
    PIPELINE_REFUSED(w, desc.cull_mode = (WGPUCullMode)bad);
    PIPELINE_REFUSED(w, desc.samples = bad);
    PIPELINE_REFUSED(w, desc.colors[7].format = (WGPUTextureFormat)(bad | 0x100));
    PIPELINE_REFUSED(w, desc.colors[0].blend = (gpool_blend)bad);
    PIPELINE_REFUSED(w, desc.colors[0].write_mask = bad);
    PIPELINE_REFUSED(w, desc.colors[0].write_mask = (uint64_t)bad << 32);
    PIPELINE_REFUSED(
        w, (desc.colors[0].blend_state = &blend, blend.color.operation = (WGPUBlendOperation)bad));
    blend = (WGPUBlendState){ .alpha = { .srcFactor = (WGPUBlendFactor)bad } };
    PIPELINE_REFUSED(w, desc.colors[0].blend_state = &blend);
    blend = (WGPUBlendState){ .alpha = { .dstFactor = (WGPUBlendFactor)bad } };
    PIPELINE_REFUSED(w, desc.colors[0].blend_state = &blend);
    PIPELINE_REFUSED(w, desc.depth.format = (WGPUTextureFormat)(bad | 0x100));
    PIPELINE_REFUSED(w, desc.depth.compare = (WGPUCompareFunction)bad);
    PIPELINE_REFUSED(w, desc.depth.stencil_front.compare = (WGPUCompareFunction)bad);
    PIPELINE_REFUSED(w, desc.depth.stencil_front.failOp = (WGPUStencilOperation)bad);
    PIPELINE_REFUSED(w, desc.depth.stencil_back.depthFailOp = (WGPUStencilOperation)bad);
    PIPELINE_REFUSED(w, desc.depth.stencil_back.passOp = (WGPUStencilOperation)bad);
    PIPELINE_REFUSED(w, desc.vertex_buffers[7].step = (WGPUVertexStepMode)bad);
    PIPELINE_REFUSED(w, desc.vertex_buffers[0].attributes[0].format = (WGPUVertexFormat)bad);
}

void hostile_pipeline_descs(hostile_world *w)
{
    gpool_shader shader = fixture_shader(w->f, fixture_fill_wgsl);
    for (int i = 0; i < BAD_ENUMS; ++i) {
        pipeline_state_enums(w, shader, bad_enums[i]);
    }
    PIPELINE_REFUSED(w, desc.topology = WGPUPrimitiveTopology_TriangleStrip + 1);
    PIPELINE_REFUSED(w, desc.strip_index_format = WGPUIndexFormat_Uint16); /* no strip */
    PIPELINE_REFUSED(w, desc.front_face = WGPUFrontFace_CW + 1);
    PIPELINE_REFUSED(w, desc.cull_mode = WGPUCullMode_Back + 1);
    PIPELINE_REFUSED(w, desc.samples = 2);
    PIPELINE_REFUSED(w, desc.colors[0].blend = GPOOL_BLEND_COUNT);
    PIPELINE_REFUSED(w, desc.colors[0].write_mask = 16);
    PIPELINE_REFUSED(w, desc.colors[0].format = WGPUTextureFormat_Depth32Float);
    PIPELINE_REFUSED(w, desc.colors[0].format = WGPUTextureFormat_BC1RGBAUnorm);
    PIPELINE_REFUSED(w, desc.depth.format = WGPUTextureFormat_RGBA8Unorm);
    PIPELINE_REFUSED(w, desc.vertex_buffers[0].stride = 5);
    PIPELINE_REFUSED(w, (desc.vertex_buffers[0].stride = 4,
                         desc.vertex_buffers[0].attributes[0].format = WGPUVertexFormat_Float32x2));
    PIPELINE_REFUSED(w, (desc.vertex_buffers[0].attributes[0].format = WGPUVertexFormat_Float32x2,
                         desc.vertex_buffers[0].attributes[0].offset = UINT32_MAX));
    /* Through our checks, on to the implementation: failed or good, never fatal. */
    static const uint32_t offsets[] = { 1, 2, 3, 2044, 2048, 65536, UINT32_MAX - 8 };
    for (int i = 0; i < 7; ++i) {
        gpool_render_pipeline_desc desc = {
            .shader = shader,
            .samples = 1,
            .colors[0].format = WGPUTextureFormat_RGBA8Unorm,
            .vertex_buffers[0].attributes[0] = { .format = WGPUVertexFormat_Uint8,
                                                 .offset = offsets[i],
                                                 .shader_location = offsets[i] },
        };
        (void)gpool_render_pipeline_create(w->pool, &desc);
    }
    gpool_render_pipeline_desc desc = { .shader = shader,
                                        .samples = 1,
                                        .colors[0].format = WGPUTextureFormat_RGBA8Unorm };
    for (uint32_t i = 0; i < 17u * 17 * 5; ++i) { /* every blend, also where it needs a feature */
        WGPUBlendState blend = {
            .color = { (WGPUBlendOperation)(i / 289 + 1), (WGPUBlendFactor)(i % 17 + 1),
                       (WGPUBlendFactor)(i / 17 % 17 + 1) },
        };
        desc.colors[0].blend_state = &blend;
        if (i % 29 == 0 || i % 17 > 13) {
            (void)gpool_pipeline_destroy(w->pool, gpool_render_pipeline_create(w->pool, &desc));
        }
    }
    hostile_good_frame(w);
    desc = (gpool_render_pipeline_desc){ .shader = shader, .samples = 1 };
    desc.depth = (gpool_depth_state){
        .bias = INT32_MIN, .bias_slope_scale = NAN, .bias_clamp = INFINITY, .write = true
    };
    for (uint32_t format = 1; format <= WGPUTextureFormat_Depth32FloatStencil8; ++format) {
        desc.colors[0].format = 0;
        desc.depth.format = 0;
        if (format < WGPUTextureFormat_Stencil8) {
            desc.colors[0].format = (WGPUTextureFormat)format;
        } else {
            desc.depth.format = (WGPUTextureFormat)format;
            desc.colors[0].format = WGPUTextureFormat_RGBA8Unorm;
            desc.depth.stencil_front.compare = WGPUCompareFunction_Less;
        }
        desc.topology = (WGPUPrimitiveTopology)(format % 6);
        desc.alpha_to_coverage = format % 2 == 0;
        desc.samples = format % 3 == 0 ? 4 : 1;
        (void)gpool_pipeline_destroy(w->pool, gpool_render_pipeline_create(w->pool, &desc));
    }
    hostile_good_frame(w);
}

/* Values that webgpu.h has but an implementation may not. */
void hostile_vertex_formats(hostile_world *w)
{
    gpool_render_pipeline_desc desc = { .shader = fixture_shader(w->f, fixture_fill_wgsl),
                                        .samples = 1,
                                        .colors[0].format = WGPUTextureFormat_RGBA8Unorm };
    for (uint32_t format = 1; format <= WGPUVertexFormat_Unorm8x4BGRA; ++format) {
        desc.vertex_buffers[0].attributes[0].format = (WGPUVertexFormat)format;
        gpool_pipeline pipeline = gpool_render_pipeline_create(w->pool, &desc);
        hostile_survives(w, 1, gpool_set_pipeline(rec, pipeline));
    }
}

void hostile_depth_states(hostile_world *w)
{
    gpool_render_pipeline_desc desc = { .shader = fixture_shader(w->f, fixture_fill_wgsl),
                                        .samples = 1,
                                        .colors[0].format = WGPUTextureFormat_RGBA8Unorm,
                                        .depth.format = WGPUTextureFormat_Depth24PlusStencil8 };
    for (uint32_t i = 0; i < 9; ++i) {
        WGPUStencilFaceState face = { .compare = (WGPUCompareFunction)i,
                                      .failOp = (WGPUStencilOperation)i,
                                      .depthFailOp = (WGPUStencilOperation)(8 - i),
                                      .passOp = (WGPUStencilOperation)i };
        desc.depth.compare = (WGPUCompareFunction)i;
        desc.depth.stencil_front = face;
        desc.front_face = (WGPUFrontFace)(i % 3);
        desc.cull_mode = (WGPUCullMode)(i % 4);
        desc.topology = (WGPUPrimitiveTopology)(i % 6);
        gpool_pipeline pipeline = gpool_render_pipeline_create(w->pool, &desc);
        assert_good(gpool_pipeline_wait(w->pool, pipeline, UINT64_MAX));
    }
    hostile_good_frame(w);
}

#define VERTEX   "@vertex fn vs() -> @builtin(position) vec4f { return vec4f(); }\n"
#define FRAGMENT "@fragment fn fs() -> @location(0) vec4f { return vec4f(); }\n"

/* Shaders that compile and pipelines that must then fail. */
static const char *const interfaces[] = {
    VERTEX, /* no fragment entry */
    FRAGMENT,
    "@compute @workgroup_size(1) fn main() {}\n",
    VERTEX VERTEX "",
    VERTEX "@fragment fn fs() -> @location(0) vec4u { return vec4u(); }\n",
    VERTEX "@fragment fn fs() -> @location(1) vec4f { return vec4f(); }\n",
    VERTEX "@fragment fn fs(@location(0) a: vec4f) -> @location(0) vec4f { return a; }\n",
    "@vertex fn vs(@location(0) a: vec4f) -> @builtin(position) vec4f { return a; }\n" FRAGMENT,
    "@group(4) @binding(0) var<uniform> a: vec4f;\n" VERTEX
    "@fragment fn fs() -> @location(0) vec4f { return a; }\n",
    "@group(0) @binding(0) var a: texture_external;\n" VERTEX
    "@fragment fn fs() -> @location(0) vec4f { return vec4f(textureDimensions(a).xyxy); }\n",
    "@group(0) @binding(0) var<storage, read_write> a: array<f32>;\n"
    "@vertex fn vs() -> @builtin(position) vec4f { a[0] = 1.0; return vec4f(); }\n" FRAGMENT,
};
#define INTERFACE_COUNT (sizeof interfaces / sizeof *interfaces)

static void fails(hostile_world *w, gpool_pipeline pipeline)
{
    assert_int_not_equal(gpool_pipeline_wait(w->pool, pipeline, UINT64_MAX), GPOOL_OK);
    hostile_skips(w, 1, gpool_set_pipeline(rec, pipeline), FAILED_RESOURCE, RESOURCE_FAILED);
    hostile_good_frame(w);
}

void hostile_interfaces(hostile_world *w)
{
    for (size_t i = 0; i < INTERFACE_COUNT; ++i) {
        gpool_shader shader =
            gpool_shader_create(w->pool, &(gpool_shader_desc){ .wgsl = interfaces[i] });
        gpool_render_pipeline_desc desc = { .shader = shader };
        gpool_pipeline late = gpool_render_pipeline_create(w->pool, &desc);
        desc.samples = 1;
        desc.colors[0].format = WGPUTextureFormat_RGBA8Unorm;
        gpool_pipeline early = gpool_render_pipeline_create(w->pool, &desc);
        if (gpool_shader_wait(w->pool, shader, UINT64_MAX) == GPOOL_OK) {
            if (i != 5) { /* wgpu-native lets a target without an output pass */
                fails(w, early);
            }
            hostile_survives(w, 1, gpool_set_pipeline(rec, late);
                             gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 }));
        }
        if (i != 2) {
            gpool_compute_pipeline_desc compute = { .shader = shader };
            fails(w, gpool_compute_pipeline_create(w->pool, &compute));
        }
    }
    gpool_shader good = fixture_shader(w->f, fixture_fill_wgsl);
    gpool_render_pipeline_desc desc = { .shader = good,
                                        .samples = 1,
                                        .colors[0].format = WGPUTextureFormat_RGBA8Unorm };
    static const char *const entries[] = { "", "nothing", "fs", "vs vs" };
    for (int i = 0; i < 4; ++i) {
        desc.vertex_entry = entries[i];
        fails(w, gpool_render_pipeline_create(w->pool, &desc));
    }
    /* A name of bytes that are no text never reaches a compiler. */
    desc.vertex_entry = "\xff";
    hostile_refused(w, hostile_null(w, gpool_render_pipeline_create(w->pool, &desc).id),
                    INVALID_ARGUMENT, ARGUMENT_VALUE);
    gpool_compute_pipeline_desc compute = { .shader = good, .entry = "main\xc3" };
    hostile_refused(w, hostile_null(w, gpool_compute_pipeline_create(w->pool, &compute).id),
                    INVALID_ARGUMENT, ARGUMENT_VALUE);
    desc.vertex_entry = NULL;
    desc.fragment_entry = "vs";
    fails(w, gpool_render_pipeline_create(w->pool, &desc));
    desc.fragment_entry = NULL;
    /* Twice the same location; attributes of another type than the shader's. */
    desc.vertex_buffers[0].attributes[0] = (gpool_attribute){ WGPUVertexFormat_Float32, 0, 3 };
    desc.vertex_buffers[0].attributes[1] = (gpool_attribute){ WGPUVertexFormat_Float32, 4, 3 };
    fails(w, gpool_render_pipeline_create(w->pool, &desc));
    desc.vertex_buffers[0].attributes[1].format = 0;
    desc.vertex_buffers[0].attributes[0] = (gpool_attribute){ WGPUVertexFormat_Uint32, 0, 0 };
    desc.shader = fixture_shader(w->f, interfaces[7]);
    fails(w, gpool_render_pipeline_create(w->pool, &desc));
    /* A pass with other targets than the pipeline names, and one the shader does not fit. */
    desc = (gpool_render_pipeline_desc){ .shader = good,
                                         .samples = 1,
                                         .colors[0].format = WGPUTextureFormat_R8Unorm };
    gpool_pipeline other = gpool_render_pipeline_create(w->pool, &desc);
    assert_good(gpool_pipeline_wait(w->pool, other, UINT64_MAX));
    hostile_skips(w, 1, gpool_set_pipeline(rec, other), INVALID_ARGUMENT, PIPELINE_CREATE);
    hostile_survives(w, 2, gpool_set_pipeline(rec, other));
    desc = (gpool_render_pipeline_desc){ .shader = good, .no_fragment = true };
    gpool_pipeline depth_only = gpool_render_pipeline_create(w->pool, &desc);
    hostile_survives(w, 1, gpool_set_pipeline(rec, depth_only);
                     gpool_set_uniforms(rec, 0, (float[4]){ 0 }, 16);
                     gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 }));
}

static void broken(hostile_world *w, const char *text, size_t size)
{
    gpool_shader_desc desc = { .wgsl = text, .size = size, .label = "broken" };
    gpool_shader shader = gpool_shader_create(w->pool, &desc);
    gpool_compute_pipeline_desc compute = { .shader = shader };
    gpool_pipeline pipeline = gpool_compute_pipeline_create(w->pool, &compute);
    if (gpool_pipeline_wait(w->pool, pipeline, UINT64_MAX) == GPOOL_OK) {
        fail_msg("this shader is taken: %s", text);
    }
    assert_good(gpool_shader_destroy(w->pool, shader));
    assert_good(gpool_pipeline_destroy(w->pool, pipeline));
}

void hostile_shaders(hostile_world *w)
{
    static const char *const texts[] = {
        "@",
        "fn",
        "}",
        "/*",
        "\"",
        "@group(0)",
        "@compute @workgroup_size(0) fn main() {}",
        "@compute @workgroup_size(4294967295) fn main() {}",
        "@compute @workgroup_size(100000) fn main() {}",
        "struct A { a: A }",
        "fn f() { f(); }",
        "const a = a;",
        "const a = 1 / 0;",
        "alias A = array<f32, 4294967295>; var<private> a: A; @compute @workgroup_size(1) fn m() "
        "{ a[0] = 1.0; } }",
        "enable nothing_at_all;",
        "@binding(0) @group(4294967295) var<uniform> a: vec9;",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) {
        broken(w, texts[i], 0);
    }
    broken(w, "@\0@", 3);
    hostile_refused(w, hostile_null(w, gpool_shader_create(w->pool, NULL).id), INVALID_ARGUMENT,
                    ARGUMENT_NULL);
    hostile_refused(w, hostile_null(w, gpool_shader_create(w->pool, &(gpool_shader_desc){ 0 }).id),
                    INVALID_ARGUMENT, ARGUMENT_NULL);
    (void)gpool_shader_create(w->pool, &(gpool_shader_desc){ .wgsl = "" });
    static const char *const files[] = { "", "/", "/nowhere/at/all", "/dev/zero",
                                         "/proc/self/mem" };
    for (int i = 0; i < 5; ++i) {
        gpool_shader shader = gpool_shader_from_file(w->pool, files[i]);
        assert_int_not_equal(gpool_shader_wait(w->pool, shader, UINT64_MAX), GPOOL_OK);
    }
    hostile_good_frame(w);
}

/* Good text with some bytes changed. */
static void mutated_shaders(hostile_world *w, uint32_t bytes)
{
    uint64_t seed = fixture_seed(22);
    char text[512];
    for (int i = 0; i < 300; ++i) {
        (void)strcpy(text, fixture_fill_wgsl);
        size_t length = strlen(text);
        for (uint32_t n = fixture_random(&seed, 4) + 1; n > 0; --n) {
            text[fixture_random(&seed, (uint32_t)length)] = (char)fixture_random(&seed, bytes);
        }
        gpool_shader_desc desc = { .wgsl = text, .size = length };
        gpool_shader shader = gpool_shader_create(w->pool, &desc);
        gpool_render_pipeline_desc render = { .shader = shader };
        gpool_pipeline pipeline = gpool_render_pipeline_create(w->pool, &render);
        gpool_recorder rec = hostile_frame(w, 1);
        gpool_set_pipeline(rec, pipeline);
        (void)hostile_end(w, rec, 1);
        (void)gpool_pipeline_destroy(w->pool, pipeline);
        (void)gpool_shader_destroy(w->pool, shader);
    }
    hostile_good_frame(w);
}

void hostile_mutated_shaders(hostile_world *w)
{
    mutated_shaders(w, 128);
}

/* Sources are bytes too: whatever is no UTF-8 is refused or fails. */
void hostile_shaders_of_bytes(hostile_world *w)
{
    static const char *const texts[] = { "\x80", "fn a() { \xff }", "// \xc3\x28\n@",
                                         "// \xe2\x82" };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; ++i) {
        broken(w, texts[i], 0);
    }
    mutated_shaders(w, 256);
}

static char *repeated(char *end, const char *part, size_t count)
{
    const size_t size = strlen(part);
    for (size_t n = 0; n < count; ++n, end += size) {
        memcpy(end, part, size);
    }
    *end = '\0';
    return end;
}

/* Nesting as deep as a program may write it: a part and what closes it, many times. */
static void nested_shader(hostile_world *w, size_t depth, const char *first, const char *part,
                          const char *middle, const char *close, const char *last)
{
    char *text = malloc(depth * (strlen(part) + strlen(close)) + 128);
    assert_non_null(text);
    char *end = repeated(text, first, 1);
    end = repeated(end, part, depth);
    end = repeated(end, middle, 1);
    end = repeated(end, close, depth);
    (void)repeated(end, last, 1);
    gpool_shader_desc desc = { .wgsl = text, .label = "deep" };
    (void)gpool_shader_create(w->pool, &desc);
    free(text);
    hostile_good_frame(w);
}

static void deep_shader(hostile_world *w, const char *first, const char *part, const char *last)
{
    nested_shader(w, 20000, first, part, "", "", last);
}

void hostile_deep_brackets(hostile_world *w)
{
    deep_shader(w, "const a = ", "(", ";");
    deep_shader(w, "fn f() { ", "{", "");
    deep_shader(w, "alias A = ", "array<", "");
}

void hostile_deep_operators(hostile_world *w)
{
    deep_shader(w, "const a = ", "-", "1;");
}

void hostile_deep_sums(hostile_world *w)
{
    deep_shader(w, "const a = 1", "+1", ";");
}

void hostile_deep_branches(hostile_world *w)
{
    deep_shader(w, "fn f() { ", "if true {} else ", "{} }");
}

void hostile_deep_templates(hostile_world *w)
{
    nested_shader(w, 20000, "alias A = ", "array<", "f32", ">", ";");
    nested_shader(w, 20000, "alias A = ", "array<f32, ", "f32", ">", ";");
    nested_shader(w, 20000, "fn f() { let x = f(", "a<b,", "1", ">", "); }");
    deep_shader(w, "const a = 1", "+array<i32,1>(1)[0]", ";");
}

void hostile_deep_indexes(hostile_world *w)
{
    deep_shader(w, "fn f(x: i32) -> i32 { return x", "[0]", "; }");
    deep_shader(w, "fn f(x: i32) -> i32 { return x", ".x", "; }");
}

/* Nothing is deep alone: chains in brackets in chains. */
void hostile_deep_mixtures(hostile_world *w)
{
    static char chain[20000];
    (void)repeated(repeated(chain, "+1", 1000), ")", 1);
    nested_shader(w, 100, "const a = ", "(", "1", chain, ";");
    (void)repeated(repeated(chain, "- ", 500), "(", 1);
    nested_shader(w, 100, "const a = ", chain, "1", ")", ";");
    (void)repeated(repeated(chain, "if true {} else ", 1000), "{", 1);
    nested_shader(w, 100, "fn f() { ", chain, "", "}", "}");
}
