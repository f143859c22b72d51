/*
 * Programs: recipes, and the pipelines that the device made of them.
 */
#include "shader/shader_state.h"

#include <string.h>

const gpool_attribute *gpool__recipe_attributes(const gpool__recipe *recipe)
{
    return (const gpool_attribute *)(const void *)(recipe + 1);
}

const char *gpool__recipe_vertex_entry(const gpool__recipe *recipe)
{
    const char *name = (const char *)(gpool__recipe_attributes(recipe) + recipe->attribute_count);
    return recipe->vertex_entry_size != 0 ? name : NULL;
}

const char *gpool__recipe_fragment_entry(const gpool__recipe *recipe)
{
    const char *name = (const char *)(gpool__recipe_attributes(recipe) + recipe->attribute_count) +
                       recipe->vertex_entry_size;
    return recipe->fragment_entry_size != 0 ? name : NULL;
}

static void program_drop_render(gpool__seam *seam, void *gpu)
{
    GPOOL__GPU(seam, RenderPipelineRelease)(gpu);
}

static void program_drop_compute(gpool__seam *seam, void *gpu)
{
    GPOOL__GPU(seam, ComputePipelineRelease)(gpu);
}

/* What a program is made with: of the device it is on, or of the one it is rebuilt on. */
typedef struct program_parts {
    WGPUShaderModule vertex;
    WGPUShaderModule fragment; /* NULL = no fragment stage */
    WGPUBindGroupLayout groups[GPOOL_MAX_GROUPS];
} program_parts;

/* Groups left out (NULL) get an empty layout. Under capture. */
static WGPUPipelineLayout program_make_layout(const gpool__run *run, const gpool__program *program,
                                              const program_parts *parts)
{
    WGPUBindGroupLayout groups[GPOOL_MAX_GROUPS] = { NULL };
    WGPUBindGroupLayout empty = NULL;
    bool complete = true;
    for (uint32_t i = 0; i < program->recipe.group_count; ++i) {
        groups[i] = parts->groups[i];
        if (program->recipe.groups[i] == NULL) {
            if (empty == NULL) {
                WGPUBindGroupLayoutDescriptor none = { .label = gpool__view("gpool empty") };
                empty =
                    GPOOL__GPU(run->seam, DeviceCreateBindGroupLayout)(run->device->device, &none);
            }
            groups[i] = empty;
        }
        complete = complete && groups[i] != NULL;
    }
    WGPUPipelineLayoutDescriptor desc = {
        .label = gpool__view(gpool__program_label(program)),
        .bindGroupLayoutCount = program->recipe.group_count,
        .bindGroupLayouts = groups,
    };
    WGPUPipelineLayout layout = NULL;
    if (complete) {
        layout = GPOOL__GPU(run->seam, DeviceCreatePipelineLayout)(run->device->device, &desc);
    }
    if (empty != NULL) {
        GPOOL__GPU(run->seam, BindGroupLayoutRelease)(empty);
    }
    return layout;
}

static void *program_create_compute(const gpool__run *run, const gpool__program *program,
                                    const program_parts *parts, WGPUPipelineLayout layout)
{
    WGPUComputePipelineDescriptor desc = {
        .label = gpool__view(gpool__program_label(program)),
        .layout = layout,
        .compute = { .module = parts->vertex,
                     .entryPoint = { gpool__recipe_vertex_entry(&program->recipe), WGPU_STRLEN } },
    };
    return GPOOL__GPU(run->seam, DeviceCreateComputePipeline)(run->device->device, &desc);
}

/* Vertex buffers and attributes in WebGPU's form; lives on the caller's stack. */
typedef struct program_vertices {
    WGPUVertexBufferLayout buffers[GPOOL_MAX_VERTEX_BUFFERS];
    WGPUVertexAttribute attributes[GPOOL__RECIPE_ATTRIBUTES];
} program_vertices;

static void program_fill_vertices(const gpool__recipe *recipe, program_vertices *vertices)
{
    memset(vertices, 0, sizeof *vertices);
    const gpool_attribute *from = gpool__recipe_attributes(recipe);
    uint32_t used = 0;
    for (uint32_t slot = 0; slot < recipe->slot_count; ++slot) {
        WGPUVertexBufferLayout *buffer = &vertices->buffers[slot];
        buffer->stepMode = (WGPUVertexStepMode)recipe->slots[slot].step;
        buffer->arrayStride = recipe->slots[slot].stride;
        buffer->attributeCount = recipe->slots[slot].attribute_count;
        buffer->attributes = &vertices->attributes[used];
        for (uint32_t i = 0; i < recipe->slots[slot].attribute_count; ++i, ++used) {
            vertices->attributes[used].format = from[used].format;
            vertices->attributes[used].offset = from[used].offset;
            vertices->attributes[used].shaderLocation = from[used].shader_location;
        }
    }
}

static void *program_create_render(const gpool__run *run, const gpool__program *program,
                                   const program_parts *parts, WGPUPipelineLayout layout)
{
    const gpool__recipe *recipe = &program->recipe;
    program_vertices vertices;
    program_fill_vertices(recipe, &vertices);
    WGPUColorTargetState colors[GPOOL_MAX_COLORS] = { { 0 } };
    for (uint32_t i = 0; i < recipe->targets.color_count; ++i) {
        colors[i].format = recipe->targets.colors[i];
        colors[i].blend = (recipe->blends >> i & 1u) != 0 ? &recipe->blend[i] : NULL;
        colors[i].writeMask = recipe->write_masks[i];
    }
    WGPUFragmentState fragment = {
        .module = parts->fragment,
        .entryPoint = { gpool__recipe_fragment_entry(recipe), WGPU_STRLEN },
        .targetCount = recipe->targets.color_count,
        .targets = colors,
    };
    WGPUDepthStencilState depth = {
        .format = recipe->targets.depth,
        .depthWriteEnabled = (WGPUOptionalBool)recipe->depth_write,
        .depthCompare = (WGPUCompareFunction)recipe->depth_compare,
        .stencilFront = recipe->stencil_front,
        .stencilBack = recipe->stencil_back,
        .stencilReadMask = recipe->stencil_read_mask,
        .stencilWriteMask = recipe->stencil_write_mask,
        .depthBias = recipe->bias,
        .depthBiasSlopeScale = recipe->bias_slope_scale,
        .depthBiasClamp = recipe->bias_clamp,
    };
    WGPURenderPipelineDescriptor desc = {
        .label = gpool__view(gpool__program_label(program)),
        .layout = layout,
        .vertex = { .module = parts->vertex,
                    .entryPoint = { gpool__recipe_vertex_entry(recipe), WGPU_STRLEN },
                    .bufferCount = recipe->slot_count,
                    .buffers = vertices.buffers },
        .primitive = { .topology = (WGPUPrimitiveTopology)recipe->topology,
                       .stripIndexFormat = (WGPUIndexFormat)recipe->strip_index_format,
                       .frontFace = (WGPUFrontFace)recipe->front_face,
                       .cullMode = (WGPUCullMode)recipe->cull_mode },
        .depthStencil = recipe->targets.depth != 0 ? &depth : NULL,
        .multisample = { .count = recipe->targets.samples,
                         .mask = UINT32_MAX,
                         .alphaToCoverageEnabled = recipe->alpha_to_coverage != 0 },
        .fragment = parts->fragment != NULL ? &fragment : NULL,
    };
    return GPOOL__GPU(run->seam, DeviceCreateRenderPipeline)(run->device->device, &desc);
}

static void *program_make_of(const gpool__run *run, const gpool__program *program,
                             const program_parts *parts, gpool_result *result)
{
    gpool__capture_begin(run->device, run->seam);
    WGPUPipelineLayout layout = program_make_layout(run, program, parts);
    void *gpu = NULL;
    if (layout != NULL) {
        /* A pipeline made without one would get a layout of its own, that no group fits. After an error
         * there the creation tells another one, but the first is the one that is kept. */
        gpu = program->recipe.compute != 0 ? program_create_compute(run, program, parts, layout)
                                           : program_create_render(run, program, parts, layout);
    }
    *result = gpool__capture_end(run->device, run->seam);
    if (layout != NULL) {
        GPOOL__GPU(run->seam, PipelineLayoutRelease)(layout);
    }
    if (*result == GPOOL_OK && gpu == NULL) {
        *result = GPOOL_ERROR_GPU;
    }
    if (*result != GPOOL_OK) {
        gpool__run_report(run, gpool__current()->error);
        if (gpu != NULL) {
            program->base.kind->drop(run->seam, gpu);
        }
        return NULL;
    }
    return gpu;
}

static void *program_make(const gpool__run *run, const gpool__made *made, gpool_result *result)
{
    const gpool__program *program = (const gpool__program *)made;
    const gpool__recipe *recipe = &program->recipe;
    program_parts parts = { .vertex = recipe->vertex->base.gpu,
                            .fragment =
                                recipe->fragment != NULL ? recipe->fragment->base.gpu : NULL };
    if (parts.vertex == NULL || (recipe->fragment != NULL && parts.fragment == NULL)) {
        gpool__run_report(run, "its shader failed");
        *result = GPOOL_ERROR_FAILED_RESOURCE;
        return NULL;
    }
    for (uint32_t i = 0; i < recipe->group_count; ++i) {
        parts.groups[i] = recipe->groups[i] != NULL ? recipe->groups[i]->gpu : NULL;
    }
    return program_make_of(run, program, &parts, result);
}

static const void *program_key(const gpool__made *made)
{
    return &((const gpool__program *)made)->recipe;
}

static gpool__cache *program_cache(gpool *pool)
{
    return &pool->shaders->programs;
}

static gpool__made *program_need(const gpool__made *made, int i)
{
    const gpool__recipe *recipe = &((const gpool__program *)made)->recipe;
    gpool__module *module = i == 0 ? recipe->vertex : recipe->fragment;
    return module != NULL ? &module->base : NULL;
}

static void program_forget(gpool *pool, gpool__made *made)
{
    gpool__recipe *recipe = &((gpool__program *)made)->recipe;
    gpool__module_release(pool, recipe->vertex);
    gpool__module_release(pool, recipe->fragment);
    for (int i = 0; i < GPOOL_MAX_GROUPS; ++i) {
        gpool__group_layout_release(pool, recipe->groups[i]);
    }
}

static gpool_result program_tell(gpool *pool, const gpool__made *made, gpool_result result,
                                 const char *message)
{
    return gpool__pipeline_tell(pool, gpool__program_label((const gpool__program *)made), result,
                                message);
}

static const gpool__made_kind program_kinds[2] = {
    { .make = program_make,
      .drop = program_drop_render,
      .key = program_key,
      .cache = program_cache,
      .need = program_need,
      .forget = program_forget,
      .tell = program_tell },
    { .make = program_make,
      .drop = program_drop_compute,
      .key = program_key,
      .cache = program_cache,
      .need = program_need,
      .forget = program_forget,
      .tell = program_tell },
};

_Static_assert(sizeof(gpool__recipe) % sizeof(void *) == 0 &&
                   _Alignof(gpool_attribute) <= sizeof(void *),
               "attributes follow a recipe at once");

/* Writes a recipe with its attributes and names to a block. */
static void program_write(const gpool__recipe *recipe, const gpool_attribute *attributes,
                          const gpool__recipe_names *names, char *to)
{
    size_t size = recipe->attribute_count * sizeof *attributes;
    memcpy(to, recipe, sizeof *recipe);
    to += sizeof *recipe;
    memcpy(to, attributes, size);
    to += size;
    if (recipe->vertex_entry_size != 0) {
        memcpy(to, names->vertex, recipe->vertex_entry_size);
        to += recipe->vertex_entry_size;
    }
    if (recipe->fragment_entry_size != 0) {
        memcpy(to, names->fragment, recipe->fragment_entry_size);
    }
}

static uint32_t program_name_size(const char *name)
{
    return name != NULL ? (uint32_t)strlen(name) + 1 : 0;
}

gpool__program *gpool__program_get_recipe(gpool *pool, gpool__recipe *recipe,
                                          const gpool_attribute *attributes,
                                          const gpool__recipe_names *names)
{
    gpool__cache *cache = &pool->shaders->programs;
    recipe->vertex_entry_size = program_name_size(names->vertex);
    recipe->fragment_entry_size = recipe->fragment != NULL ? program_name_size(names->fragment) : 0;
    size_t key_size = sizeof *recipe + recipe->attribute_count * sizeof *attributes +
                      recipe->vertex_entry_size + recipe->fragment_entry_size;
    size_t label_size = strlen(names->label) + 1;
    size_t block_size = gpool__max(offsetof(gpool__program, recipe) + key_size + label_size,
                                   sizeof(gpool__program));
    gpool__program *program = gpool__alloc(&pool->memory, block_size);
    if (program == NULL) {
        return NULL;
    }
    program_write(recipe, attributes, names, (char *)&program->recipe);
    uint64_t hash = gpool__cache_hash(cache, &program->recipe, key_size);
    gpool__made *found = gpool__cache_find(cache, hash, &program->recipe, key_size);
    if (found != NULL) {
        gpool__free(&pool->memory, program, block_size);
        pool->stats.pipeline_hits += 1;
        return (gpool__program *)found;
    }
    program->base.kind = &program_kinds[recipe->compute];
    program->base.hash = hash;
    program->base.key_size = key_size;
    program->base.block_size = block_size;
    memcpy((char *)&program->recipe + key_size, names->label, label_size);
    if (!gpool__cache_add(pool, cache, &program->base)) {
        gpool__free(&pool->memory, program, block_size);
        return NULL;
    }
    (void)gpool__module_retain(recipe->vertex);
    (void)gpool__module_retain(recipe->fragment);
    for (int i = 0; i < GPOOL_MAX_GROUPS; ++i) {
        (void)gpool__group_layout_retain(recipe->groups[i]);
    }
    program->base.order = ++pool->shaders->orders;
    pool->stats.pipeline_misses += 1;
    gpool__compiler_ask(pool, &program->base);
    return program;
}

gpool__program *gpool__program_get(gpool *pool, const gpool__pipeline *pipeline,
                                   const gpool__targets *targets, bool newest)
{
    gpool__recipe recipe;
    gpool_attribute attributes[GPOOL__RECIPE_ATTRIBUTES];
    gpool__recipe_fill(pipeline, targets, newest, &recipe, attributes);
    const gpool__recipe_names names = {
        .vertex = pipeline->compute ? pipeline->compute_entry : pipeline->desc->vertex_entry,
        .fragment = pipeline->compute ? NULL : pipeline->desc->fragment_entry,
        .label = pipeline->base.label,
    };
    return gpool__program_get_recipe(pool, &recipe, attributes, &names);
}

void gpool__program_release(gpool *pool, gpool__program *program)
{
    if (program != NULL) {
        gpool__cache_give_up(pool, &pool->shaders->programs, &program->base);
    }
}

/* Modules and group layouts on the new device, all of them, whatever the first says. */
static gpool_result program_rebuild_parts(gpool *pool, gpool__rebuild *rebuild,
                                          const gpool__program *program, program_parts *parts)
{
    const gpool__recipe *recipe = &program->recipe;
    gpool_result each;
    parts->vertex = gpool__module_rebuild(pool, rebuild, recipe->vertex, &each);
    gpool_result result = each;
    if (recipe->fragment != NULL && !gpool__rebuild_ends(result)) {
        parts->fragment = gpool__module_rebuild(pool, rebuild, recipe->fragment, &each);
        result = each != GPOOL_OK ? each : result;
    }
    for (uint32_t i = 0; i < recipe->group_count && !gpool__rebuild_ends(result); ++i) {
        if (recipe->groups[i] != NULL) {
            parts->groups[i] = gpool__group_layout_rebuild(pool, rebuild, recipe->groups[i],
                                                           gpool__program_label(program), &each);
            result = each != GPOOL_OK ? each : result;
        }
    }
    if (result != GPOOL_OK && !gpool__rebuild_ends(result)) {
        result = program_tell(pool, &program->base, GPOOL_ERROR_FAILED_RESOURCE,
                              "its shader or one of its layouts failed");
    }
    return result;
}

gpool_result gpool__program_rebuild(gpool *pool, gpool__rebuild *rebuild, gpool__program *program,
                                    bool possible)
{
    gpool__made *made = &program->base;
    program_parts parts = { 0 };
    if (!made->collected) {
        /* Compiled on the new device when its turn comes, of parts that must be there. */
        gpool_result result = program_rebuild_parts(pool, rebuild, program, &parts);
        return gpool__rebuild_ends(result) ? result : GPOOL_OK;
    }
    if (made->pass == pool->rebuild_pass) {
        return made->fresh_result;
    }
    made->pass = pool->rebuild_pass;
    made->fresh = NULL;
    gpool_result result = GPOOL_ERROR_UNSUPPORTED;
    if (possible) {
        result = program_rebuild_parts(pool, rebuild, program, &parts);
    }
    if (result == GPOOL_OK) {
        gpool__run run = { .device = pool->device, .seam = &pool->seam };
        made->fresh = program_make_of(&run, program, &parts, &result);
        if (result != GPOOL_OK) {
            (void)program_tell(pool, made, result, gpool__current()->error);
        }
    }
    made->fresh_result = result;
    if (gpool__rebuild_ends(result)) {
        return result;
    }
    gpool_result added =
        gpool__rebuild_add(pool, rebuild, made->kind->drop, &made->gpu, made->fresh, GPOOL_OK);
    return added != GPOOL_OK ? added : result;
}
