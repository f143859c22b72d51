/* Shaders of files: includes and switches, layouts read from the source; changes, broken ones too. */
#include "fault.h"

#include "shader/shader_state.h"

#include <string.h>

/* A pool of its own, as virtual files and what is compiled stay with it. */
typedef struct reload_pool {
    gpool *before;
    uint64_t leaks;
} reload_pool;

static bool reload_open(fault_world *w, reload_pool *own)
{
    gpool *pool = NULL;
    own->leaks = w->log_counts[GPOOL_LOG_LEAK];
    gpool_desc desc = fault_pool_desc(w);
    if (!FAULT_DO(w, 0, gpool_create(w->device, &desc, &pool))) {
        return false;
    }
    own->before = fault_use(w, pool);
    return true;
}

static gpool_result reload_close(fault_world *w, const reload_pool *own)
{
    fault_destroy_pool(w, own->before);
    w->log_counts[GPOOL_LOG_LEAK] = own->leaks;
    return fault_end(w);
}

static bool reload_set(fault_world *w, const char *name, const char *text)
{
    return FAULT_DO(w, 0,
                    gpool_shader_set_file(w->pool, name, text, text != NULL ? strlen(text) : 0));
}

static const char reload_main[] =
    "#include \"lib/number.wgsl\"\n"
    "#ifdef TINTED\n"
    "@group(0) @binding(0) var<uniform> tint: vec4f;\n"
    "#else\n"
    "const tint = vec4f(0.5);\n"
    "#endif\n"
    "@vertex fn vs() -> @builtin(position) vec4f { return vec4f(number); }\n"
    "@fragment fn fs() -> @location(0) vec4f { return tint; }\n";

static gpool_pipeline reload_pipeline(fault_world *w, gpool_shader shader, bool own_targets)
{
    gpool_render_pipeline_desc desc = { .shader = shader, .label = "reloaded" };
    if (own_targets) {
        desc.colors[0].format = WGPUTextureFormat_RGBA8Unorm;
        desc.samples = 1;
    }
    return FAULT_MAKE(w, gpool_pipeline, gpool_render_pipeline_create(w->pool, &desc));
}

static void reload_frame(fault_world *w, gpool_texture target, const gpool_pipeline *pipelines,
                         uint32_t count)
{
    static const float tint[4] = { 1, 1, 1, 1 };
    (void)FAULT_DO(w, 0, gpool_begin_frame(w->pool));
    gpool_recorder rec = gpool_frame_recorder(w->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    for (uint32_t i = 0; i < count; ++i) {
        gpool_set_pipeline(rec, pipelines[i]);
        gpool_set_uniforms(rec, 0, tint, sizeof tint);
        gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    }
    gpool_end_pass(rec);
    (void)FAULT_DO(w, 0, gpool_end_frame(w->pool));
}

static gpool_texture reload_target(fault_world *w)
{
    gpool_texture_desc desc = { .width = 4,
                                .height = 4,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .usage = GPOOL_TEXTURE_TARGET };
    return FAULT_MAKE(w, gpool_texture, gpool_texture_create(w->pool, &desc));
}

/* The text in use has this number; what was good stays good whatever fails. */
static void reload_expect(fault_world *w, gpool_shader handle, bool was_good, const char *number)
{
    const gpool__shader *shader =
        (const gpool__shader *)gpool__table_get(&w->pool->tables[GPOOL_KIND_SHADER], handle.id);
    if (shader == NULL || !was_good) {
        return;
    }
    FAULT_EXPECT(w, gpool_shader_status(w->pool, handle) == GPOOL_OK);
    if (number != NULL && fault_is_whole(w) && fault_hits(w) == 0) {
        FAULT_EXPECT(w, strstr(shader->code->module->text, number) != NULL);
    }
}

static gpool_result scenario_reload(fault_world *w)
{
    static const gpool_define tinted[] = { { "TINTED", NULL } };
    reload_pool own;
    if (!reload_open(w, &own)) {
        return fault_end(w);
    }
    (void)reload_set(w, "lib/number.wgsl", "const number = 1.0;\n");
    gpool_texture target = reload_target(w);
    gpool_shader_desc desc = {
        .wgsl = reload_main, .defines = tinted, .define_count = 1, .label = "reloaded"
    };
    gpool_shader shader = FAULT_MAKE(w, gpool_shader, gpool_shader_create(w->pool, &desc));
    gpool_pipeline pipelines[2] = { reload_pipeline(w, shader, true),
                                    reload_pipeline(w, shader, false) };
    bool good = shader.id != 0 && gpool_shader_status(w->pool, shader) == GPOOL_OK;
    reload_frame(w, target, pipelines, 2);
    (void)reload_set(w, "lib/number.wgsl", "const number = 2.0;\n");
    reload_frame(w, target, pipelines, 2);
    reload_expect(w, shader, good, "number = 2.0");
    (void)reload_set(w, "lib/number.wgsl", "const number = 3.0; (\n");
    reload_frame(w, target, pipelines, 2);
    reload_expect(w, shader, good, "number = 2.0");
    gpool_shader_info info;
    (void)FAULT_DO(w, shader.id, gpool_shader_get_info(w->pool, shader, &info));
    (void)reload_set(w, "lib/number.wgsl", NULL);
    reload_frame(w, target, pipelines, 2);
    reload_expect(w, shader, good, "number = 2.0");
    (void)reload_set(w, "lib/number.wgsl", "const number = 4.0;\n");
    reload_frame(w, target, pipelines, 2);
    reload_expect(w, shader, good, "number = 4.0");
    (void)FAULT_DO(w, shader.id, gpool_shader_dirty(w->pool, shader));
    reload_frame(w, target, pipelines, 2);
    reload_expect(w, shader, good, "number = 4.0");
    /* When nothing fails any more the newest text comes in, at the latest with its next change. */
    (void)reload_set(w, "lib/number.wgsl", "const number = 5.0;\n");
    reload_frame(w, target, pipelines, 2);
    reload_frame(w, target, pipelines, 2);
    reload_expect(w, shader, good, "number = 5.0");
    return reload_close(w, &own);
}

FAULT_SWEEP(reload, scenario_reload)

static gpool_result scenario_includes(fault_world *w)
{
    static const gpool_define defines[] = { { "TINTED", NULL }, { "SIZE", "4u" } };
    reload_pool own;
    if (!reload_open(w, &own)) {
        return fault_end(w);
    }
    (void)FAULT_DO(w, 0, gpool_shader_add_root(w->pool, "/tmp"));
    (void)reload_set(w, "lib/deep.wgsl", "#define DEEP 2.0\nconst deep = DEEP;\n");
    (void)reload_set(w, "lib/number.wgsl", "#include \"deep.wgsl\"\nconst number = deep;\n");
    gpool_texture target = reload_target(w);
    gpool_shader_desc desc = {
        .wgsl = reload_main, .defines = defines, .define_count = 2, .label = "tinted"
    };
    gpool_shader shader = FAULT_MAKE(w, gpool_shader, gpool_shader_create(w->pool, &desc));
    (void)FAULT_DO(w, shader.id, gpool_shader_wait(w->pool, shader, 0));
    gpool_shader file =
        FAULT_MAKE(w, gpool_shader, gpool_shader_from_file(w->pool, w->shader_path));
    (void)FAULT_DO(w, 0, gpool_shader_file_changed(w->pool, w->shader_path));
    gpool_pipeline pipeline = reload_pipeline(w, shader, true);
    (void)FAULT_DO(w, pipeline.id, gpool_pipeline_wait(w->pool, pipeline, 0));
    gpool_compute_pipeline_desc compute = { .shader = file, .entry = "main" };
    (void)FAULT_MAKE(w, gpool_pipeline, gpool_compute_pipeline_create(w->pool, &compute));
    gpool_shader_slot slot;
    if (FAULT_DO(w, shader.id, gpool_shader_binding(w->pool, shader, "tint", &slot))) {
        FAULT_EXPECT(w, slot.group == 0 && slot.binding == 0);
    }
    static fault_buffer tint;
    fault_buffer_make(w, &tint, GPOOL_BUFFER_UNIFORM, 256, NULL);
    (void)FAULT_DO(w, 0, gpool_begin_frame(w->pool));
    gpool_recorder rec = gpool_frame_recorder(w->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    gpool_set_pipeline(rec, pipeline);
    gpool_binding binding = { .buffer = tint.handle, .size = 16 };
    gpool_set_bindings(rec, 0, (gpool_layout){ 0 }, &binding, 1, NULL, 0);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    (void)FAULT_DO(w, 0, gpool_end_frame(w->pool));
    (void)reload_set(w, "lib/deep.wgsl", NULL);
    reload_frame(w, target, &pipeline, 1);
    return reload_close(w, &own);
}

FAULT_SWEEP(includes, scenario_includes)
