/* The warm-up on the implementations: pipelines of every kind are used without an error, and found. */
#define _DEFAULT_SOURCE /* mkdtemp */

#include "gpu/fixture.h"

#include "base/thread.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int gpu_warm_up_run(void);

/* Everything a layout can have, but what needs a feature. */
static const char compute_wgsl[] =
    "@group(0) @binding(0) var<uniform> one: vec4f;\n"
    "@group(0) @binding(1) var<storage, read> given: array<vec4f, 300>;\n"
    "@group(0) @binding(2) var<storage, read_write> first: array<vec4f>;\n"
    "@group(0) @binding(3) var<storage, read_write> second: array<u32, 5000>;\n"
    "@group(1) @binding(0) var flat: texture_2d<f32>;\n"
    "@group(1) @binding(1) var deep: texture_depth_2d;\n"
    "@group(1) @binding(2) var whole: texture_2d<u32>;\n"
    "@group(1) @binding(3) var sign: texture_2d<i32>;\n"
    "@group(1) @binding(4) var volume: texture_3d<f32>;\n"
    "@group(1) @binding(5) var cube: texture_cube<f32>;\n"
    "@group(1) @binding(6) var layers: texture_2d_array<f32>;\n"
    "@group(1) @binding(7) var samples: texture_multisampled_2d<f32>;\n"
    "@group(1) @binding(8) var line: texture_1d<f32>;\n"
    "@group(3) @binding(0) var out: texture_storage_2d<rgba8unorm, write>;\n"
    "@group(3) @binding(1) var how: sampler;\n"
    "@group(3) @binding(2) var compare: sampler_comparison;\n"
    "@compute @workgroup_size(1) fn main() {\n"
    "    var sum = one + given[7] + first[0] + vec4f(f32(second[4999]));\n"
    "    sum += textureSampleLevel(flat, how, vec2f(), 0.0) + vec4f(textureLoad(whole, vec2u(), 0));\n"
    "    sum += vec4f(textureLoad(sign, vec2u(), 0)) + textureLoad(samples, vec2u(), 0);\n"
    "    sum += textureSampleLevel(volume, how, vec3f(), 0.0);\n"
    "    sum += textureSampleLevel(cube, how, vec3f(1.0), 0.0);\n"
    "    sum += textureSampleLevel(layers, how, vec2f(), 0, 0.0) + textureLoad(line, 0u, 0);\n"
    "    sum += vec4f(textureSampleCompareLevel(deep, compare, vec2f(), 0.5));\n"
    "    first[0] = sum;\n"
    "    second[0] = u32(sum.x);\n"
    "    textureStore(out, vec2u(), sum);\n"
    "}\n";

static const char draw_wgsl[] =
    "@group(0) @binding(0) var<uniform> color: vec4f;\n"
    "@group(1) @binding(0) var samples: texture_depth_multisampled_2d;\n"
    "@group(1) @binding(1) var<storage, read_write> count: array<u32>;\n"
    "struct In { @location(0) at: vec2f, @location(1) shift: vec4f }\n"
    "@vertex fn vs(in: In) -> @builtin(position) vec4f { return vec4f(in.at, 0.0, 1.0) + in.shift; }\n"
    "@fragment fn fs() -> @location(0) vec4f {\n"
    "    var a = color;\n"
    "    for (var i = 0; i < 16; i++) { a = sin(a * 3.5) + cos(a.yzwx) * f32(i); }\n"
    "    count[0] += 1u;\n"
    "    return a + vec4f(textureLoad(samples, vec2u(), 0));\n"
    "}\n"
    "@fragment fn plain() -> @location(0) vec4f { return color; }\n";

enum {
    MODULES = 2,
    PIPELINES = 6
};

static gpool_render_pipeline_desc draw_desc(gpool_shader shader)
{
    return (gpool_render_pipeline_desc){
        .shader = shader,
        .fragment_entry = "fs",
        .colors[0] = { .format = WGPUTextureFormat_RGBA8Unorm, .blend = GPOOL_BLEND_ALPHA },
        .samples = 1,
        .vertex_buffers = { { .attributes[0] = { .format = WGPUVertexFormat_Float32x2 } },
                            { .step = WGPUVertexStepMode_Instance,
                              .attributes[0] = { .format = WGPUVertexFormat_Float32x4,
                                                 .shader_location = 1 } } },
    };
}

/* What the program needs; the first of the pipelines that draw. */
static gpool_pipeline make_all(fixture *f)
{
    gpool_shader compute = fixture_shader(f, compute_wgsl);
    gpool_shader draw = fixture_shader(f, draw_wgsl);
    gpool_pipeline made[PIPELINES];
    made[0] =
        gpool_compute_pipeline_create(f->pool, &(gpool_compute_pipeline_desc){ .shader = compute });
    gpool_render_pipeline_desc desc = draw_desc(draw);
    made[1] = gpool_render_pipeline_create(f->pool, &desc);
    desc.fragment_entry = "plain";
    desc.samples = 4;
    desc.depth = (gpool_depth_state){ .format = WGPUTextureFormat_Depth24PlusStencil8,
                                      .compare = WGPUCompareFunction_Less,
                                      .write = true };
    desc.topology = WGPUPrimitiveTopology_TriangleStrip;
    desc.strip_index_format = WGPUIndexFormat_Uint16;
    made[2] = gpool_render_pipeline_create(f->pool, &desc);
    desc = draw_desc(draw); /* two targets with a hole */
    desc.fragment_entry = "plain";
    desc.colors[2].format = WGPUTextureFormat_Undefined;
    desc.topology = WGPUPrimitiveTopology_PointList;
    desc.depth.format = WGPUTextureFormat_Stencil8;
    made[3] = gpool_render_pipeline_create(f->pool, &desc);
    desc = draw_desc(draw); /* depth alone */
    desc.no_fragment = true;
    desc.fragment_entry = NULL;
    desc.colors[0].format = WGPUTextureFormat_Undefined;
    desc.depth.format = WGPUTextureFormat_Depth32Float;
    desc.depth.write = true;
    made[4] = gpool_render_pipeline_create(f->pool, &desc);
    desc = draw_desc(draw); /* by a pass's formats */
    desc.fragment_entry = "plain";
    desc.colors[0] = (gpool_color_target){ .format = WGPUTextureFormat_Undefined };
    desc.samples = 0;
    made[5] = gpool_render_pipeline_create(f->pool, &desc);
    gpool_texture target = gpool_texture_create(
        f->pool, &(gpool_texture_desc){ .width = 4,
                                        .height = 4,
                                        .format = WGPUTextureFormat_RGBA16Float,
                                        .usage = GPOOL_TEXTURE_TARGET });
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    gpool_set_pipeline(rec, made[5]);
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(f->pool));
    for (int i = 0; i < PIPELINES; ++i) {
        assert_good(gpool_pipeline_wait(f->pool, made[i], UINT64_MAX));
    }
    return made[1];
}

static bool keep_report(void *user, const gpool_warm_up_report *report)
{
    *(gpool_warm_up_report *)user = *report;
    return true;
}

/* A store in a folder of its own. */
typedef struct place {
    char folder[32];
    gpool_store *store;
} place;

static void place_open(place *p)
{
    (void)snprintf(p->folder, sizeof p->folder, "/tmp/gpool-warm-XXXXXX");
    assert_non_null(mkdtemp(p->folder));
    gpool_store_desc desc = { .directory = p->folder, .allocator = fixture_allocator() };
    assert_good(gpool_store_open(&desc, &p->store));
}

/* Ends the pool, too, which saves. */
static void place_close(place *p, fixture *f)
{
    char command[64];
    fixture_use_pool(f, (gpool_desc){ .label = "plain" });
    gpool_store_close(p->store);
    (void)snprintf(command, sizeof command, "rm -r %s", p->folder);
    assert_int_equal(system(command), 0);
}

static void begin(fixture *f, const place *p, uint32_t workers)
{
    fixture_use_pool(f, (gpool_desc){ .compile_workers = workers, .store = p->store });
}

static void every_kind_of_pipeline_is_compiled_and_used_ahead(void **state)
{
    fixture *f = *state;
    static const uint32_t workers[] = { GPOOL_WORKERS_NONE, 1, 3 };
    place p;
    place_open(&p);
    begin(f, &p, 1);
    (void)make_all(f);
    for (int i = 0; i < 3; ++i) {
        begin(f, &p, workers[i]);
        gpool_warm_up_report report = { 0 };
        assert_good(gpool_warm_up(f->pool, NULL, keep_report, &report));
        assert_int_equal(report.modules, MODULES);
        assert_int_equal(report.pipelines, PIPELINES);
        assert_int_equal(report.done, MODULES + PIPELINES);
        assert_int_equal(report.failed, 0);
        assert_int_equal(report.used, PIPELINES);
        gpool_stats before = fixture_stats(f);
        assert_int_equal(before.shader_misses, MODULES);
        (void)make_all(f);
        gpool_stats after = fixture_stats(f);
        assert_int_equal(after.shader_misses, before.shader_misses);
        assert_int_equal(after.pipeline_misses, before.pipeline_misses);
        assert_int_equal(after.compile_waits, 0);
    }
    place_close(&p, f);
}

/* ns until a draw of a pipeline is done. */
static uint64_t first_draw(fixture *f, const char *wgsl)
{
    gpool_texture target = fixture_target(f, 64, 64);
    gpool_render_pipeline_desc desc = { .colors[0].format = WGPUTextureFormat_RGBA8Unorm,
                                        .samples = 1 };
    desc.shader = fixture_shader(f, wgsl);
    gpool_pipeline pipeline = gpool_render_pipeline_create(f->pool, &desc);
    assert_good(gpool_pipeline_wait(f->pool, pipeline, UINT64_MAX));
    assert_good(gpool_wait_idle(f->pool));
    uint64_t begin_ns = gpool__now_ns();
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    gpool_set_pipeline(rec, pipeline);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(f->pool));
    assert_good(gpool_wait_idle(f->pool));
    uint64_t end_ns = gpool__now_ns();
    assert_pixel(f, target, 5, 5, 0x00ff00ff);
    return end_ns - begin_ns;
}

static void the_first_draw_after_a_warm_up_is_told(void **state)
{
    fixture *f = *state;
    char wgsl[1024];
    place p;
    uint64_t ns[2];
    place_open(&p);
    /* Text that no driver's own cache knows. */
    (void)snprintf(
        wgsl, sizeof wgsl,
        "@vertex fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {\n"
        "    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);\n"
        "}\n"
        "@fragment fn fs(@builtin(position) at: vec4f) -> @location(0) vec4f {\n"
        "    var a = at * %llu.5;\n"
        "    for (var i = 0; i < 8; i++) { a = sin(a * 3.5) + cos(a.yzwx) * f32(i); }\n"
        "    return vec4f(0.0, select(0.0, 1.0, a.x < 1000.0), 0.0, 1.0);\n"
        "}\n",
        (unsigned long long)(gpool__now_ns() % 100000000));
    begin(f, &p, 1);
    ns[0] = first_draw(f, wgsl);
    char *number = strstr(wgsl, "at * ") + 5;
    *number = *number == '9' ? '8' : (char)(*number + 1); /* another one to the driver */
    begin(f, &p, 1);
    gpool_shader other = fixture_shader(f, wgsl);
    gpool_render_pipeline_desc desc = { .shader = other,
                                        .colors[0].format = WGPUTextureFormat_RGBA8Unorm,
                                        .samples = 1 };
    gpool_pipeline pipeline = gpool_render_pipeline_create(f->pool, &desc);
    assert_good(gpool_pipeline_wait(f->pool, pipeline, UINT64_MAX));
    begin(f, &p, 1);
    gpool_warm_up_report report = { 0 };
    assert_good(gpool_warm_up(f->pool, NULL, keep_report, &report));
    assert_int_equal(report.used, report.pipelines);
    ns[1] = first_draw(f, wgsl);
    print_message("first draw: %.1f ms, after a warm-up %.1f ms\n", (double)ns[0] / 1e6,
                  (double)ns[1] / 1e6);
    place_close(&p, f);
}

int gpu_warm_up_run(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(every_kind_of_pipeline_is_compiled_and_used_ahead),
        FIXTURE_TEST(the_first_draw_after_a_warm_up_is_told),
    };
    return FIXTURE_RUN("warm_up", tests);
}
