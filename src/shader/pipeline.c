#include "shader/shader_state.h"

#include <stdio.h>
#include <string.h>

static void pipeline_free_desc(gpool *pool, gpool_render_pipeline_desc *desc)
{
    if (desc == NULL) {
        return;
    }
    gpool__free_string(&pool->memory, (char *)(uintptr_t)desc->vertex_entry);
    gpool__free_string(&pool->memory, (char *)(uintptr_t)desc->fragment_entry);
    for (int i = 0; i < GPOOL_MAX_COLORS; ++i) {
        gpool__free(&pool->memory, (void *)(uintptr_t)desc->colors[i].blend_state,
                    sizeof(WGPUBlendState));
    }
    gpool__free(&pool->memory, desc, sizeof *desc);
}

void gpool__pipeline_drop_variants(gpool *pool, gpool__pipeline *pipeline)
{
    for (uint32_t i = 0; i < pipeline->variant_count; ++i) {
        gpool__program_release(pool, pipeline->variants[i].program);
        gpool__program_release(pool, pipeline->variants[i].fresh);
    }
    gpool__free(&pool->memory, pipeline->variants,
                pipeline->variant_capacity * sizeof *pipeline->variants);
    pipeline->variants = NULL;
    pipeline->variant_count = 0;
    pipeline->variant_capacity = 0;
}

static void pipeline_release(gpool *pool, gpool__resource *resource)
{
    gpool__pipeline *pipeline = (gpool__pipeline *)resource;
    gpool__pipeline_drop_variants(pool, pipeline);
    for (int i = 0; i < GPOOL_MAX_GROUPS; ++i) {
        gpool__group_layout_release(pool, pipeline->groups.groups[i]);
        gpool__group_layout_release(pool, pipeline->fresh.groups[i]);
    }
    pipeline->groups = (gpool__pipeline_groups){ .status = GPOOL_OK };
    pipeline->fresh = pipeline->groups;
    gpool__code_release(pool, pipeline->vertex);
    gpool__code_release(pool, pipeline->fragment);
    pipeline->vertex = NULL;
    pipeline->fragment = NULL;
    gpool__free_string(&pool->memory, pipeline->compute_entry);
    pipeline->compute_entry = NULL;
    pipeline_free_desc(pool, pipeline->desc);
    pipeline->desc = NULL;
}

void gpool__pipelines_init(gpool *pool)
{
    gpool__kind_init(pool, GPOOL_KIND_PIPELINE, sizeof(gpool__pipeline), pipeline_release);
    gpool__pipelines_init_rebuild(pool);
}

/* A shader for a pipeline: NULL with *result for a handle error; a failed one is returned. */
static gpool__shader *pipeline_shader(gpool *pool, gpool_shader handle, gpool_result *result)
{
    return (gpool__shader *)gpool__resolve(pool, handle.id, GPOOL_KIND_SHADER, result);
}

/* Resolves the layouts of a descriptor; *count is 0 when it gives none. */
static gpool_result pipeline_layouts(gpool *pool, const gpool_layout layouts[GPOOL_MAX_GROUPS],
                                     gpool__layout *found[GPOOL_MAX_GROUPS], uint32_t *count)
{
    *count = 0;
    for (uint32_t i = 0; i < GPOOL_MAX_GROUPS; ++i) {
        gpool_result result = GPOOL_OK;
        found[i] = NULL;
        if (layouts[i].id != 0) {
            found[i] = (gpool__layout *)gpool__resolve_good(pool, layouts[i].id, GPOOL_KIND_LAYOUT,
                                                            &result);
            *count = i + 1;
        }
        if (result != GPOOL_OK) {
            return result;
        }
    }
    if (*count > pool->device->info.limits.maxBindGroups) {
        return GPOOL__FAIL(pool, LIMIT, LIMIT, "The group count [%u] is over maxBindGroups [%u]",
                           *count, pool->device->info.limits.maxBindGroups);
    }
    return GPOOL_OK;
}

void gpool__pipeline_describe(char text[GPOOL__MESSAGE_SIZE], const char *label,
                              gpool_result result, const char *why)
{
    (void)snprintf(text, GPOOL__MESSAGE_SIZE, "The pipeline \"%s\" could not be made: %s", label,
                   why != NULL && why[0] != '\0' ? why : gpool_result_text(result));
}

gpool_result gpool__pipeline_tell(gpool *pool, const char *label, gpool_result result,
                                  const char *why)
{
    char text[GPOOL__MESSAGE_SIZE];
    gpool__pipeline_describe(text, label, result, why);
    return gpool__fail(&pool->log, gpool__capture_log_id(result, GPOOL_LOG_PIPELINE_CREATE), result,
                       "%s", text);
}

/* Takes a pipeline slot with what it is made of; NULL with the error recorded. */
static gpool__pipeline *pipeline_take(gpool *pool, const char *label, gpool_scope scope,
                                      const gpool__shader *vertex, const gpool__shader *fragment,
                                      gpool__layout *const found[GPOOL_MAX_GROUPS], uint32_t count)
{
    gpool__pipeline *pipeline =
        (gpool__pipeline *)gpool__resource_take(pool, GPOOL_KIND_PIPELINE, label, scope);
    if (pipeline == NULL) {
        return NULL;
    }
    pipeline->vertex = gpool__code_retain(vertex->code);
    pipeline->fragment = fragment != NULL ? gpool__code_retain(fragment->code) : NULL;
    pipeline->version = 1;
    pipeline->own_layouts = count > 0;
    pipeline->groups.count = count;
    for (uint32_t i = 0; i < count; ++i) {
        if (found[i] != NULL) {
            pipeline->groups.groups[i] = gpool__group_layout_retain(found[i]->group);
        }
    }
    return pipeline;
}

/* How the modules of a pipeline are. */
static gpool_result pipeline_look_codes(const gpool__pipeline *pipeline)
{
    const gpool__code *const codes[2] = { pipeline->vertex, pipeline->fragment };
    gpool_result status = GPOOL_OK;
    for (int i = 0; i < 2; ++i) {
        if (codes[i] == NULL) {
            continue;
        }
        gpool_result each = codes[i]->module != NULL ? gpool__made_status(&codes[i]->module->base)
                                                     : GPOOL_ERROR_FAILED_RESOURCE;
        if (each == GPOOL_NOT_READY && status == GPOOL_OK) {
            status = each;
        } else if (each != GPOOL_OK && each != GPOOL_NOT_READY) {
            status = GPOOL_ERROR_FAILED_RESOURCE;
        }
    }
    return status;
}

bool gpool__pipeline_has_sources(const gpool__pipeline *pipeline)
{
    return pipeline->vertex->module != NULL &&
           (pipeline->fragment == NULL || pipeline->fragment->module != NULL);
}

gpool_result gpool__pipeline_look(gpool__pipeline *pipeline)
{
    gpool_result status = pipeline_look_codes(pipeline);
    if (status == GPOOL_OK || status == GPOOL_NOT_READY) {
        status = pipeline->groups.status != GPOOL_OK ? pipeline->groups.status : status;
    }
    uint32_t own = gpool__pipeline_own_variant(pipeline);
    if (own != UINT32_MAX) {
        status = gpool__made_status(&pipeline->variants[own].program->base);
    }
    pipeline->base.failed = status != GPOOL_OK && status != GPOOL_NOT_READY;
    return status;
}

static gpool_pipeline pipeline_cancel(gpool *pool, gpool__pipeline *pipeline)
{
    pipeline_release(pool, &pipeline->base);
    gpool__resource_cancel(pool, &pipeline->base);
    return (gpool_pipeline){ 0 };
}

/* Ends a creation: asks for the program of these targets (NULL = each pass tells its own). */
static gpool_pipeline pipeline_end(gpool *pool, gpool__pipeline *pipeline,
                                   const gpool__targets *targets)
{
    bool has_sources = gpool__pipeline_has_sources(pipeline);
    gpool_result result = GPOOL_OK;
    if (has_sources && !pipeline->own_layouts) {
        result = gpool__pipeline_find_groups(pool, pipeline, false, &pipeline->groups);
        if (result == GPOOL_ERROR_OUT_OF_MEMORY) {
            return pipeline_cancel(pool, pipeline);
        }
    }
    if (targets != NULL && has_sources && result == GPOOL_OK) {
        if (gpool__pipeline_variant(pool, pipeline, targets, &result) == NULL) {
            return pipeline_cancel(pool, pipeline);
        }
    } else if (pipeline_look_codes(pipeline) == GPOOL_ERROR_FAILED_RESOURCE) {
        (void)gpool__pipeline_tell(pool, pipeline->base.label, GPOOL_ERROR_FAILED_RESOURCE,
                                   "its shader failed");
    }
    (void)gpool__pipeline_look(pipeline);
    return (gpool_pipeline){ gpool__handle_of(pool, &pipeline->base) };
}

static gpool_pipeline pipeline_create_compute(gpool *pool, const gpool_compute_pipeline_desc *desc)
{
    gpool_pipeline none = { 0 };
    if (desc == NULL) {
        (void)GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT, "The descriptor [NULL] is null");
        return none;
    }
    if (!gpool__pipeline_check_entry(desc->entry)) {
        (void)GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                          "The entry point name of pipeline \"%s\" is not UTF-8",
                          desc->label != NULL ? desc->label : "");
        return none;
    }
    gpool_result result;
    gpool__shader *shader = pipeline_shader(pool, desc->shader, &result);
    gpool__layout *found[GPOOL_MAX_GROUPS];
    uint32_t count = 0;
    if (shader == NULL || pipeline_layouts(pool, desc->layouts, found, &count) != GPOOL_OK) {
        return none;
    }
    char *entry = NULL;
    if (desc->entry != NULL) {
        entry = gpool__copy_string(&pool->memory, desc->entry);
        if (entry == NULL) {
            (void)GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for the pipeline \"%s\"",
                              desc->label != NULL ? desc->label : "");
            return none;
        }
    }
    gpool__pipeline *pipeline =
        pipeline_take(pool, desc->label, desc->scope, shader, NULL, found, count);
    if (pipeline == NULL) {
        gpool__free_string(&pool->memory, entry);
        return none;
    }
    pipeline->compute = true;
    pipeline->compute_entry = entry;
    const gpool__targets none_of_them = { 0 };
    return pipeline_end(pool, pipeline, &none_of_them);
}

gpool_pipeline gpool_compute_pipeline_create(gpool *pool, const gpool_compute_pipeline_desc *desc)
{
    gpool_pipeline pipeline = { 0 };
    gpool__call call;
    if (gpool__enter(pool, "gpool_compute_pipeline_create", &call) == GPOOL_OK) {
        pipeline = pipeline_create_compute(pool, desc);
        gpool__leave(pool, &call);
    }
    return pipeline;
}

/* Copies a descriptor with everything it points to; NULL without memory. */
static gpool_render_pipeline_desc *pipeline_copy_desc(gpool *pool,
                                                      const gpool_render_pipeline_desc *desc)
{
    gpool_render_pipeline_desc *copy = gpool__alloc(&pool->memory, sizeof *copy);
    if (copy == NULL) {
        return NULL;
    }
    *copy = *desc;
    copy->label = NULL;
    copy->vertex_entry = NULL;
    copy->fragment_entry = NULL;
    bool good = true;
    if (desc->vertex_entry != NULL) {
        copy->vertex_entry = gpool__copy_string(&pool->memory, desc->vertex_entry);
        good = copy->vertex_entry != NULL;
    }
    if (desc->fragment_entry != NULL) {
        copy->fragment_entry = gpool__copy_string(&pool->memory, desc->fragment_entry);
        good = good && copy->fragment_entry != NULL;
    }
    for (int i = 0; i < GPOOL_MAX_COLORS; ++i) {
        copy->colors[i].blend_state = NULL;
        if (desc->colors[i].blend_state != NULL) {
            WGPUBlendState *state = gpool__alloc(&pool->memory, sizeof *state);
            if (state != NULL) {
                *state = *desc->colors[i].blend_state;
            }
            copy->colors[i].blend_state = state;
            good = good && state != NULL;
        }
    }
    if (!good) {
        pipeline_free_desc(pool, copy);
        return NULL;
    }
    return copy;
}

/* What draws must have bound, from the vertex layouts. */
static void pipeline_fill_slots(gpool__pipeline *pipeline, gpool_render_pipeline_desc *desc)
{
    for (uint32_t slot = 0; slot < GPOOL_MAX_VERTEX_BUFFERS; ++slot) {
        gpool_vertex_layout *layout = &desc->vertex_buffers[slot];
        uint32_t end = 0;
        for (int i = 0; i < GPOOL_MAX_ATTRIBUTES && layout->attributes[i].format != 0; ++i) {
            uint32_t bytes = gpool__vertex_format_bytes(layout->attributes[i].format);
            end = (uint32_t)gpool__max(end, layout->attributes[i].offset + bytes);
        }
        if (end == 0) {
            continue;
        }
        if (layout->stride == 0) {
            layout->stride = (uint32_t)gpool__round_up(end, 4);
        }
        pipeline->slots[slot] = (gpool__vertex_slot){
            .stride = layout->stride,
            .last_bytes = end,
            .per_instance = layout->step == WGPUVertexStepMode_Instance,
        };
        pipeline->slot_count = slot + 1;
    }
}

bool gpool__pipeline_own_targets(const gpool_render_pipeline_desc *desc, gpool__targets *targets)
{
    *targets = (gpool__targets){ .samples = desc->samples, .depth = desc->depth.format };
    for (uint32_t i = 0; i < GPOOL_MAX_COLORS; ++i) {
        targets->colors[i] = desc->colors[i].format;
        if (targets->colors[i] != 0) {
            targets->color_count = i + 1;
        }
    }
    return desc->samples != 0 &&
           (targets->color_count > 0 || (desc->no_fragment && targets->depth != 0));
}

static gpool_pipeline pipeline_create_render(gpool *pool, const gpool_render_pipeline_desc *desc)
{
    gpool_pipeline none = { 0 };
    if (desc == NULL) {
        (void)GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT, "The descriptor [NULL] is null");
        return none;
    }
    gpool_result result = gpool__pipeline_check_desc(pool, desc);
    gpool__shader *vertex =
        result == GPOOL_OK ? pipeline_shader(pool, desc->shader, &result) : NULL;
    gpool__shader *fragment = desc->no_fragment ? NULL : vertex;
    if (vertex != NULL && !desc->no_fragment && desc->fragment_shader.id != 0) {
        fragment = pipeline_shader(pool, desc->fragment_shader, &result);
    }
    if (vertex == NULL || (fragment == NULL && !desc->no_fragment)) {
        return none;
    }
    gpool__layout *found[GPOOL_MAX_GROUPS];
    uint32_t count = 0;
    if (pipeline_layouts(pool, desc->layouts, found, &count) != GPOOL_OK) {
        return none;
    }
    gpool__targets targets;
    bool compiles_now = gpool__pipeline_own_targets(desc, &targets);
    gpool_render_pipeline_desc *copy = pipeline_copy_desc(pool, desc);
    if (copy == NULL) {
        (void)GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for the pipeline \"%s\"",
                          desc->label != NULL ? desc->label : "");
        return none;
    }
    gpool__pipeline *pipeline =
        pipeline_take(pool, desc->label, desc->scope, vertex, fragment, found, count);
    if (pipeline == NULL) {
        pipeline_free_desc(pool, copy);
        return none;
    }
    pipeline->desc = copy;
    pipeline_fill_slots(pipeline, copy);
    return pipeline_end(pool, pipeline, compiles_now ? &targets : NULL);
}

gpool_pipeline gpool_render_pipeline_create(gpool *pool, const gpool_render_pipeline_desc *desc)
{
    gpool_pipeline pipeline = { 0 };
    gpool__call call;
    if (gpool__enter(pool, "gpool_render_pipeline_create", &call) == GPOOL_OK) {
        pipeline = pipeline_create_render(pool, desc);
        gpool__leave(pool, &call);
    }
    return pipeline;
}

gpool_result gpool_pipeline_status(gpool *pool, gpool_pipeline handle)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_pipeline_status", &call);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__compiler_collect(pool);
    gpool__pipeline *pipeline =
        (gpool__pipeline *)gpool__resolve(pool, handle.id, GPOOL_KIND_PIPELINE, &result);
    result = pipeline != NULL ? gpool__pipeline_look(pipeline) : result;
    gpool__leave(pool, &call);
    return result;
}

/* Waits for all that a pipeline is made of now. */
static void pipeline_finish(gpool *pool, gpool__pipeline *pipeline, uint64_t timeout_ns)
{
    const gpool__code *const codes[2] = { pipeline->vertex, pipeline->fragment };
    uint64_t begin = gpool__now_ns();
    for (uint32_t i = 0; i < 2 + pipeline->variant_count; ++i) {
        gpool__made *made = NULL;
        if (i >= 2) {
            made = &pipeline->variants[i - 2].program->base;
        } else if (codes[i] != NULL && codes[i]->module != NULL) {
            made = &codes[i]->module->base;
        }
        if (made != NULL) {
            uint64_t waited = gpool__now_ns() - begin;
            (void)gpool__compiler_finish(pool, made, timeout_ns - gpool__min(waited, timeout_ns));
        }
    }
}

gpool_result gpool_pipeline_wait(gpool *pool, gpool_pipeline handle, uint64_t timeout_ns)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_pipeline_wait", &call);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__pipeline *pipeline =
        (gpool__pipeline *)gpool__resolve(pool, handle.id, GPOOL_KIND_PIPELINE, &result);
    if (pipeline != NULL) {
        pipeline_finish(pool, pipeline, timeout_ns);
        result = gpool__pipeline_look(pipeline);
    }
    if (result == GPOOL_NOT_READY) {
        result = GPOOL__FAIL(pool, TIMEOUT, TIMEOUT,
                             "The pipeline \"%s\" is not compiled after [%llu] ns",
                             pipeline->base.label, (unsigned long long)timeout_ns);
    }
    gpool__leave(pool, &call);
    return result;
}

uint32_t gpool_pipeline_version(gpool *pool, gpool_pipeline handle)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_pipeline_version", &call);
    if (result != GPOOL_OK) {
        return 0;
    }
    const gpool__pipeline *pipeline =
        (gpool__pipeline *)gpool__resolve(pool, handle.id, GPOOL_KIND_PIPELINE, &result);
    gpool__leave(pool, &call);
    return pipeline != NULL ? pipeline->version : 0;
}

gpool_result gpool_pipeline_destroy(gpool *pool, gpool_pipeline pipeline)
{
    return gpool__destroy_handle(pool, pipeline.id, GPOOL_KIND_PIPELINE, "gpool_pipeline_destroy");
}
