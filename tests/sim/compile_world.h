/*
 * A pool with compile workers on the simulator, for tests of shaders and pipelines. Calls that compile
 * pass a gate: while it is shut, those of workers wait there; the test's own thread always passes. One
 * world has the gate at a time.
 */
#ifndef GPOOL_TESTS_COMPILE_WORLD_H
#define GPOOL_TESTS_COMPILE_WORLD_H

#include "sim_pool.h"

#include "shader/shader_state.h"

#include <stdatomic.h>

#define COMPILE_FORMAT WGPUTextureFormat_RGBA8Unorm

static struct {
    gpool_gpu real;
    pthread_t owner;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool shut;
    bool shut_pipelines; /* the same, modules pass */
    const char *word;    /* sources with it do not pass; NULL = none */
    uint32_t blocked;    /* threads that wait there */
    uint64_t by_workers; /* calls of other threads than the owner */
} compile_gate = { .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER };

/* Owns what a world makes. */
static gpool_scope compile_scope;

static inline void compile_pass(bool pipeline, bool worded)
{
    if (pthread_equal(pthread_self(), compile_gate.owner)) {
        return;
    }
    (void)pthread_mutex_lock(&compile_gate.lock);
    compile_gate.by_workers += 1;
    compile_gate.blocked += 1;
    while (compile_gate.shut || (pipeline && compile_gate.shut_pipelines) ||
           (worded && compile_gate.word != NULL)) {
        (void)pthread_cond_wait(&compile_gate.changed, &compile_gate.lock);
    }
    compile_gate.blocked -= 1;
    (void)pthread_mutex_unlock(&compile_gate.lock);
}

static WGPUShaderModule compile_module(WGPUDevice device, WGPUShaderModuleDescriptor const *desc)
{
    const WGPUShaderSourceWGSL *wgsl = (const void *)desc->nextInChain;
    (void)pthread_mutex_lock(&compile_gate.lock);
    const bool worded = compile_gate.word != NULL && strstr(wgsl->code.data, compile_gate.word);
    (void)pthread_mutex_unlock(&compile_gate.lock);
    compile_pass(false, worded);
    return compile_gate.real.DeviceCreateShaderModule(device, desc);
}

static WGPURenderPipeline compile_render(WGPUDevice device,
                                         WGPURenderPipelineDescriptor const *desc)
{
    compile_pass(true, false);
    return compile_gate.real.DeviceCreateRenderPipeline(device, desc);
}

static WGPUComputePipeline compile_compute(WGPUDevice device,
                                           WGPUComputePipelineDescriptor const *desc)
{
    compile_pass(true, false);
    return compile_gate.real.DeviceCreateComputePipeline(device, desc);
}

static inline void compile_set_gate(bool shut, bool shut_pipelines)
{
    (void)pthread_mutex_lock(&compile_gate.lock);
    compile_gate.shut = shut;
    compile_gate.shut_pipelines = shut_pipelines;
    compile_gate.word = NULL;
    (void)pthread_cond_broadcast(&compile_gate.changed);
    (void)pthread_mutex_unlock(&compile_gate.lock);
}

static inline void compile_shut(void)
{
    compile_set_gate(true, true);
}

static inline void compile_open_gate(void)
{
    compile_set_gate(false, false);
}

/** Workers stop at modules whose source has this word; other calls pass. */
static inline void compile_shut_word(const char *word)
{
    (void)pthread_mutex_lock(&compile_gate.lock);
    compile_gate.word = word;
    (void)pthread_mutex_unlock(&compile_gate.lock);
}

static inline void compile_nap(void)
{
    gpool__sleep_ns(200000);
}

/** Waits until so many threads stand at the gate. */
static inline void compile_await_blocked(uint32_t count)
{
    for (uint32_t blocked = 0; blocked < count;) {
        (void)pthread_mutex_lock(&compile_gate.lock);
        blocked = compile_gate.blocked;
        (void)pthread_mutex_unlock(&compile_gate.lock);
        compile_nap();
    }
}

/** A device of a simulator whose compiling calls pass the gate. */
static inline gpool_device *compile_device(sim_pool *p, sim *s)
{
    gpool_gpu table;
    sim_table(s, &table);
    if (compile_gate.real.CreateInstance == NULL) { /* the same functions for all simulators */
        compile_gate.real = table;
        compile_gate.owner = pthread_self();
    }
    table.DeviceCreateShaderModule = compile_module;
    table.DeviceCreateRenderPipeline = compile_render;
    table.DeviceCreateComputePipeline = compile_compute;
    gpool_device_desc desc = { .gpu = &table, .log = sim_pool_on_log, .log_user = p };
    gpool_device *device = NULL;
    assert_same(gpool_device_open(&desc, &device), GPOOL_OK);
    return device;
}

/** Opens a pool as described; log, allocator and label are filled here. */
static inline void compile_open_with(sim_pool *p, const sim_desc *desc, gpool_desc pool)
{
    *p = (sim_pool){ .s = sim_create(desc), .log_lock = PTHREAD_MUTEX_INITIALIZER };
    assert_non_null(p->s);
    compile_open_gate();
    compile_gate.by_workers = 0;
    p->device = compile_device(p, p->s);
    pool.label = "tested";
    pool.recycle.off = true;
    pool.delete_delay_frames = GPOOL_DELAY_NONE;
    pool.log = sim_pool_on_log;
    pool.log_user = p;
    pool.allocator = unit_hooks(&p->allocator);
    assert_same(gpool_create(p->device, &pool, &p->pool), GPOOL_OK);
    compile_scope = sim_pool_scope(p, (gpool_scope){ 0 }, "all");
}

static inline void compile_open(sim_pool *p, uint32_t workers)
{
    compile_open_with(p, &(sim_desc){ 0 }, (gpool_desc){ .compile_workers = workers });
}

/** Destroys what is left of shaders and pipelines, and ends all as sim_pool_close(). */
static inline void compile_close(sim_pool *p)
{
    compile_open_gate();
    assert_same(gpool_scope_end(p->pool, compile_scope), GPOOL_OK);
    sim_pool_close(p, 0);
}

/** A whole shader that has this number in it; with vs, fs and main. Valid until 8 calls later. */
static inline const char *compile_text(uint64_t number)
{
    static char texts[8][512];
    static uint32_t used;
    char *text = texts[used++ % 8];
    (void)snprintf(text, sizeof texts[0],
                   "const number = %lluu;\n"
                   "@vertex fn vs() -> @builtin(position) vec4f { return vec4f(f32(number)); }\n"
                   "@fragment fn fs() -> @location(0) vec4f { return vec4f(1.0); }\n"
                   "@compute @workgroup_size(1) fn main() {}\n",
                   (unsigned long long)number);
    return text;
}

static inline gpool_shader compile_shader(sim_pool *p, const char *wgsl, const char *label)
{
    gpool_shader shader = gpool_shader_create(
        p->pool, &(gpool_shader_desc){ .wgsl = wgsl, .label = label, .scope = compile_scope });
    assert_int_not_equal(shader.id, 0);
    return shader;
}

/** A render pipeline for one target; it compiles now. */
static inline gpool_pipeline compile_pipeline(sim_pool *p, gpool_shader shader, const char *label)
{
    gpool_pipeline pipeline = gpool_render_pipeline_create(
        p->pool, &(gpool_render_pipeline_desc){ .shader = shader,
                                                .vertex_entry = "vs",
                                                .fragment_entry = "fs",
                                                .colors[0].format = COMPILE_FORMAT,
                                                .samples = 1,
                                                .label = label,
                                                .scope = compile_scope });
    assert_int_not_equal(pipeline.id, 0);
    return pipeline;
}

static inline gpool_texture compile_target(sim_pool *p)
{
    gpool_texture target = gpool_texture_create(
        p->pool, &(gpool_texture_desc){ .width = 2,
                                        .height = 2,
                                        .format = COMPILE_FORMAT,
                                        .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK,
                                        .scope = compile_scope });
    assert_int_not_equal(target.id, 0);
    return target;
}

/** Draws once in a frame of its own; returns the frame's result. */
static inline gpool_result compile_draw(sim_pool *p, gpool_pipeline pipeline, gpool_texture target,
                                        bool skips)
{
    gpool_result begun = gpool_begin_frame(p->pool);
    if (begun != GPOOL_OK) {
        return begun;
    }
    gpool_recorder rec = gpool_frame_recorder(p->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    if (skips) {
        gpool_skip_not_ready(rec);
    }
    gpool_set_pipeline(rec, pipeline);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    return gpool_end_frame(p->pool);
}

/** Frames until nothing is compiling any more. */
static inline void compile_settle_all(sim_pool *p)
{
    do {
        compile_nap();
        sim_pool_frame(p);
    } while (sim_pool_stats(p).compiles_pending > 0);
}

/** What is in use of a shader: its module's text; NULL = none. */
static inline const gpool__module *compile_in_use(const sim_pool *p, gpool_shader handle)
{
    const gpool__shader *shader =
        (const gpool__shader *)gpool__table_get(&p->pool->tables[GPOOL_KIND_SHADER], handle.id);
    assert_non_null(shader);
    return shader->code->module;
}

#endif
