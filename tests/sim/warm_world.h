/*
 * Processes in small, for tests of the warm-up: each has a simulator, a device and a pool, and all the same
 * directory for their stores.
 */
#ifndef GPOOL_TESTS_WARM_WORLD_H
#define GPOOL_TESTS_WARM_WORLD_H

#include "unit.h"

#include "sim.h"

#include "gpu/quirks.h"
#include "shader/manifest_save.h"
#include "shader/store_state.h"

#include <gpool/gpool.h>

#include <unistd.h>

static const char compute_wgsl[] =
    "@group(0) @binding(0) var<storage, read_write> numbers: array<u32>;\n"
    "@group(0) @binding(1) var<uniform> scale: vec4u;\n"
    "@compute @workgroup_size(1) fn main() { numbers[0] = scale.x; }\n"
    "@compute @workgroup_size(1) fn other() { numbers[1] = scale.y; }\n";

static const char draw_wgsl[] =
    "@group(0) @binding(0) var<uniform> color: vec4f;\n"
    "@group(1) @binding(0) var picture: texture_2d<f32>;\n"
    "@group(1) @binding(1) var how: sampler;\n"
    "@vertex fn vs(@location(0) at: vec2f, @location(1) shift: vec4f) -> @builtin(position) vec4f {\n"
    "    return vec4f(at, 0.0, 1.0) + shift;\n"
    "}\n"
    "@fragment fn fs() -> @location(0) vec4f {\n"
    "    return color * textureSampleLevel(picture, how, vec2f(), 0.0);\n"
    "}\n";

/* A process in small: a store on a directory, a simulator, a device, a pool. */
typedef struct process {
    sim *s;
    gpool_gpu table;
    gpool_device *device;
    gpool *pool;
    gpool_store *store;
    unit_allocator pool_memory;
    unit_allocator store_memory;
    _Atomic uint32_t counts[GPOOL_LOG_COUNT];
    gpool_warm_up_report report; /* newest */
    uint32_t told;
} process;

static char folder[] = "/tmp/gpool-warm-XXXXXX";

static inline void process_on_log(void *user, const gpool_log_record *record)
{
    process *p = user;
    p->counts[record->id] += 1;
}

static inline void process_begin(process *p, sim_personality personality, uint32_t workers,
                                 const char *program)
{
    static const WGPUFeatureName guarded = GPOOL__DAWN_IMPLICIT_DEVICE_SYNCHRONIZATION;
    const sim_desc desc = { .personality = personality, .features = &guarded, .feature_count = 1 };
    *p = (process){ .s = sim_create(&desc) };
    assert_non_null(p->s);
    sim_table(p->s, &p->table);
    gpool_store_desc store = { .directory = folder,
                               .allocator = unit_hooks(&p->store_memory),
                               .log = process_on_log,
                               .log_user = p };
    assert_same(gpool_store_open(&store, &p->store), GPOOL_OK);
    gpool_device_desc device = { .gpu = &p->table, .log = process_on_log, .log_user = p };
    assert_same(gpool_device_open(&device, &p->device), GPOOL_OK);
    gpool_desc pool = { .compile_workers = workers,
                        .store = p->store,
                        .program = program,
                        .log = process_on_log,
                        .log_user = p,
                        .allocator = unit_hooks(&p->pool_memory) };
    assert_same(gpool_create(p->device, &pool, &p->pool), GPOOL_OK);
}

static inline void process_end(process *p)
{
    gpool_destroy(p->pool);
    gpool_device_release(p->device);
    gpool_store_close(p->store);
    assert_same(p->pool_memory.blocks, 0);
    assert_same(p->pool_memory.wrong_sizes, 0);
    assert_same(p->store_memory.blocks, 0);
    assert_same(sim_live(p->s, SIM_KIND_NONE), 0);
    assert_same(sim_fatal_count(p->s), 0);
    sim_destroy(p->s);
}

static inline void forget_all(void)
{
    gpool_store *store = NULL;
    assert_same(gpool_store_open(&(gpool_store_desc){ .directory = folder }, &store), GPOOL_OK);
    assert_same(gpool_store_clear(store), GPOOL_OK);
    gpool_store_close(store);
}

static inline gpool_stats stats_of(const process *p)
{
    gpool_stats stats;
    assert_same(gpool_get_stats(p->pool, &stats), GPOOL_OK);
    return stats;
}

static inline gpool_render_pipeline_desc draw_desc(gpool_shader shader)
{
    return (gpool_render_pipeline_desc){
        .shader = shader,
        .label = "drawn",
        .colors[0] = { .format = WGPUTextureFormat_RGBA8Unorm, .blend = GPOOL_BLEND_ALPHA },
        .depth = { .format = WGPUTextureFormat_Depth24PlusStencil8,
                   .compare = WGPUCompareFunction_Less,
                   .write = true },
        .samples = 4,
        .vertex_buffers = { { .attributes[0] = { .format = WGPUVertexFormat_Float32x2 } },
                            { .step = WGPUVertexStepMode_Instance,
                              .attributes[0] = { .format = WGPUVertexFormat_Float32x4,
                                                 .shader_location = 1 } } },
    };
}

enum {
    PROGRAM_MODULES = 2,
    PROGRAM_PIPELINES = 4
};

/* What the program of these tests needs: two modules, four pipelines, one of them by a pass's formats. */
static inline void run_program(process *p)
{
    gpool_scope scope = gpool_scope_create(p->pool, &(gpool_scope_desc){ .label = "program" });
    gpool_shader compute = gpool_shader_create(
        p->pool, &(gpool_shader_desc){ .wgsl = compute_wgsl, .label = "sum", .scope = scope });
    gpool_shader draw = gpool_shader_create(
        p->pool, &(gpool_shader_desc){ .wgsl = draw_wgsl, .label = "draw", .scope = scope });
    gpool_pipeline pipelines[3];
    gpool_compute_pipeline_desc sum = { .shader = compute, .entry = "main", .scope = scope };
    pipelines[0] = gpool_compute_pipeline_create(p->pool, &sum);
    sum.entry = "other";
    pipelines[1] = gpool_compute_pipeline_create(p->pool, &sum);
    gpool_render_pipeline_desc desc = draw_desc(draw);
    desc.scope = scope;
    pipelines[2] = gpool_render_pipeline_create(p->pool, &desc);
    for (int i = 0; i < 3; ++i) {
        assert_same(gpool_pipeline_wait(p->pool, pipelines[i], UINT64_MAX), GPOOL_OK);
    }
    gpool_render_pipeline_desc open = { .shader = draw, .scope = scope };
    open.vertex_buffers[0] = desc.vertex_buffers[0];
    open.vertex_buffers[1] = desc.vertex_buffers[1];
    gpool_pipeline late = gpool_render_pipeline_create(p->pool, &open);
    gpool_texture_desc target_desc = { .width = 4,
                                       .height = 4,
                                       .format = WGPUTextureFormat_RGBA16Float,
                                       .usage = GPOOL_TEXTURE_TARGET,
                                       .scope = scope };
    gpool_texture target = gpool_texture_create(p->pool, &target_desc);
    assert_same(gpool_begin_frame(p->pool), GPOOL_OK);
    gpool_recorder rec = gpool_frame_recorder(p->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    gpool_set_pipeline(rec, late);
    gpool_end_pass(rec);
    assert_same(gpool_end_frame(p->pool), GPOOL_OK);
    assert_same(gpool_scope_end(p->pool, scope), GPOOL_OK);
}

static inline void run_once(sim_personality personality, uint32_t workers, const char *program)
{
    process p;
    process_begin(&p, personality, workers, program);
    run_program(&p);
    process_end(&p);
}

static inline bool on_progress(void *user, const gpool_warm_up_report *report)
{
    process *p = user;
    assert_true(report->done <= report->modules + report->pipelines);
    assert_true(report->done >= p->report.done && report->used >= p->report.used);
    p->report = *report;
    p->told += 1;
    return true;
}

static inline gpool_result warm_up(process *p)
{
    p->report = (gpool_warm_up_report){ 0 };
    p->told = 0;
    return gpool_warm_up(p->pool, NULL, on_progress, p);
}

static inline void check_all_warm(const process *p)
{
    assert_same(p->report.modules, PROGRAM_MODULES);
    assert_same(p->report.pipelines, PROGRAM_PIPELINES);
    assert_same(p->report.done, PROGRAM_MODULES + PROGRAM_PIPELINES);
    assert_same(p->report.failed, 0);
    assert_same(p->report.used, PROGRAM_PIPELINES);
    assert_true(p->told >= 1);
}

static inline void check_no_errors(const process *p)
{
    for (int id = 1; id < GPOOL_LOG_COUNT; ++id) {
        if (id != GPOOL_LOG_DEVICE && p->counts[id] != 0) {
            fail_msg("%u records of %s", p->counts[id], gpool_log_name((gpool_log_id)id));
        }
    }
}

/* As if the time between saves was over, now. */
static inline void make_due(const process *p)
{
    p->pool->shaders->persist.saved_ns = gpool__now_ns() - UINT64_C(11000000000);
}

static inline void frame(const process *p)
{
    assert_same(gpool_begin_frame(p->pool), GPOOL_OK);
    assert_same(gpool_end_frame(p->pool), GPOOL_OK);
}

static inline int world_main(const char *name, const struct CMUnitTest *tests, size_t count)
{
    assert_non_null(mkdtemp(folder));
    int failed = _cmocka_run_group_tests(name, tests, count, NULL, NULL);
    char command[64];
    (void)snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command) != 0 ? 1 : failed;
}

#endif
