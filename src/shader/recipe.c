/*
 * Recipes: a pipeline's descriptor completed by the formats and samples of a pass, every default
 * resolved.
 */
#include "shader/shader_state.h"

#include "gpu/format.h"

#include <string.h>

static const WGPUBlendState *recipe_blend(const gpool_color_target *color)
{
#define RECIPE_ADD(from, to)                                                                       \
    {                                                                                              \
        .operation = WGPUBlendOperation_Add, .srcFactor = WGPUBlendFactor_##from,                  \
        .dstFactor = WGPUBlendFactor_##to                                                          \
    }
    static const WGPUBlendState states[GPOOL_BLEND_COUNT] = {
        [GPOOL_BLEND_ALPHA] = { .color = RECIPE_ADD(SrcAlpha, OneMinusSrcAlpha),
                                .alpha = RECIPE_ADD(One, OneMinusSrcAlpha) },
        [GPOOL_BLEND_PREMULTIPLIED] = { .color = RECIPE_ADD(One, OneMinusSrcAlpha),
                                        .alpha = RECIPE_ADD(One, OneMinusSrcAlpha) },
        [GPOOL_BLEND_ADD] = { .color = RECIPE_ADD(SrcAlpha, One), .alpha = RECIPE_ADD(Zero, One) },
        [GPOOL_BLEND_MULTIPLY] = { .color = RECIPE_ADD(Dst, Zero), .alpha = RECIPE_ADD(Zero, One) },
    };
#undef RECIPE_ADD
    if (color->blend_state != NULL) {
        return color->blend_state;
    }
    return color->blend == GPOOL_BLEND_NONE ? NULL : &states[color->blend];
}

static WGPUStencilFaceState recipe_stencil(const WGPUStencilFaceState *given,
                                           const WGPUStencilFaceState *fallback)
{
    bool none =
        given->compare == 0 && given->failOp == 0 && given->depthFailOp == 0 && given->passOp == 0;
    WGPUStencilFaceState face = none ? *fallback : *given;
    face.compare = face.compare != 0 ? face.compare : WGPUCompareFunction_Always;
    face.failOp = face.failOp != 0 ? face.failOp : WGPUStencilOperation_Keep;
    face.depthFailOp = face.depthFailOp != 0 ? face.depthFailOp : WGPUStencilOperation_Keep;
    face.passOp = face.passOp != 0 ? face.passOp : WGPUStencilOperation_Keep;
    return face;
}

static void recipe_fill_depth(const gpool_depth_state *given, gpool__recipe *recipe)
{
    if (recipe->targets.depth == 0) {
        return;
    }
    bool has_depth = gpool__format_facts(recipe->targets.depth).depth;
    recipe->depth_write =
        has_depth && given->write ? WGPUOptionalBool_True : WGPUOptionalBool_False;
    recipe->depth_compare =
        has_depth && given->compare != 0 ? given->compare : WGPUCompareFunction_Always;
    recipe->stencil_front = recipe_stencil(&given->stencil_front, &given->stencil_front);
    recipe->stencil_back = recipe_stencil(&given->stencil_back, &given->stencil_front);
    recipe->stencil_read_mask =
        given->stencil_read_mask != 0 ? given->stencil_read_mask : UINT32_MAX;
    recipe->stencil_write_mask =
        given->stencil_write_mask != 0 ? given->stencil_write_mask : UINT32_MAX;
    recipe->bias = given->bias;
    recipe->bias_slope_scale = given->bias_slope_scale;
    recipe->bias_clamp = given->bias_clamp;
}

static void recipe_fill_colors(const gpool_render_pipeline_desc *desc, gpool__recipe *recipe)
{
    for (uint32_t i = 0; i < recipe->targets.color_count; ++i) {
        if (recipe->targets.colors[i] == 0) {
            continue;
        }
        const WGPUBlendState *blend = recipe_blend(&desc->colors[i]);
        if (blend != NULL) {
            recipe->blends |= 1u << i;
            recipe->blend[i] = *blend;
        }
        recipe->write_masks[i] = desc->colors[i].write_mask != 0
                                     ? (uint32_t)desc->colors[i].write_mask
                                     : (uint32_t)WGPUColorWriteMask_All;
    }
}

static void recipe_fill_vertices(const gpool__pipeline *pipeline, gpool__recipe *recipe,
                                 gpool_attribute attributes[])
{
    recipe->slot_count = pipeline->slot_count;
    for (uint32_t slot = 0; slot < pipeline->slot_count; ++slot) {
        const gpool_vertex_layout *layout = &pipeline->desc->vertex_buffers[slot];
        gpool__recipe_slot *to = &recipe->slots[slot];
        to->stride = layout->stride;
        to->step = layout->step != 0 ? layout->step : WGPUVertexStepMode_Vertex;
        while (to->attribute_count < GPOOL_MAX_ATTRIBUTES &&
               layout->attributes[to->attribute_count].format != 0) {
            attributes[recipe->attribute_count++] = layout->attributes[to->attribute_count];
            to->attribute_count += 1;
        }
    }
}

static gpool__module *recipe_module(const gpool__code *code, bool newest)
{
    return code == NULL ? NULL : newest ? gpool__code_newest(code) : code->module;
}

void gpool__recipe_fill(const gpool__pipeline *pipeline, const gpool__targets *targets, bool newest,
                        gpool__recipe *recipe, gpool_attribute attributes[])
{
    const gpool__pipeline_groups *groups =
        newest && pipeline->has_fresh ? &pipeline->fresh : &pipeline->groups;
    memset(recipe, 0, sizeof *recipe);
    recipe->vertex = recipe_module(pipeline->vertex, newest);
    recipe->fragment = recipe_module(pipeline->fragment, newest);
    for (uint32_t i = 0; i < groups->count; ++i) {
        recipe->groups[i] = groups->groups[i];
    }
    recipe->group_count = groups->count;
    recipe->compute = pipeline->compute;
    if (pipeline->compute) {
        return;
    }
    const gpool_render_pipeline_desc *desc = pipeline->desc;
    recipe->targets = *targets;
    recipe->topology = desc->topology != 0 ? desc->topology : WGPUPrimitiveTopology_TriangleList;
    recipe->strip_index_format = desc->strip_index_format;
    recipe->front_face = desc->front_face != 0 ? desc->front_face : WGPUFrontFace_CCW;
    recipe->cull_mode = desc->cull_mode != 0 ? desc->cull_mode : WGPUCullMode_None;
    recipe->alpha_to_coverage = desc->alpha_to_coverage && targets->samples > 1;
    recipe_fill_colors(desc, recipe);
    recipe_fill_depth(&desc->depth, recipe);
    recipe_fill_vertices(pipeline, recipe, attributes);
}
