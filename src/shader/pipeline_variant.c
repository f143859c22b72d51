/*
 * Variants of render pipelines: the descriptor completed by the formats and samples of a pass.
 */
#include "shader/shader_state.h"

#include "gpu/format.h"

#include <string.h>

static bool variant_equal(const gpool__targets *a, const gpool__targets *b)
{
    return a->depth == b->depth && a->samples == b->samples && a->color_count == b->color_count &&
           memcmp(a->colors, b->colors, sizeof a->colors) == 0;
}

static const WGPUBlendState *variant_blend(const gpool_color_target *color)
{
#define VARIANT_ADD(from, to)                                                                      \
    {                                                                                              \
        .operation = WGPUBlendOperation_Add, .srcFactor = WGPUBlendFactor_##from,                  \
        .dstFactor = WGPUBlendFactor_##to                                                          \
    }
    static const WGPUBlendState states[GPOOL_BLEND_COUNT] = {
        [GPOOL_BLEND_ALPHA] = { .color = VARIANT_ADD(SrcAlpha, OneMinusSrcAlpha),
                                .alpha = VARIANT_ADD(One, OneMinusSrcAlpha) },
        [GPOOL_BLEND_PREMULTIPLIED] = { .color = VARIANT_ADD(One, OneMinusSrcAlpha),
                                        .alpha = VARIANT_ADD(One, OneMinusSrcAlpha) },
        [GPOOL_BLEND_ADD] = { .color = VARIANT_ADD(SrcAlpha, One),
                              .alpha = VARIANT_ADD(Zero, One) },
        [GPOOL_BLEND_MULTIPLY] = { .color = VARIANT_ADD(Dst, Zero),
                                   .alpha = VARIANT_ADD(Zero, One) },
    };
#undef VARIANT_ADD
    if (color->blend_state != NULL) {
        return color->blend_state;
    }
    return color->blend == GPOOL_BLEND_NONE ? NULL : &states[color->blend];
}

static WGPUStencilFaceState variant_stencil(const WGPUStencilFaceState *given,
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

static WGPUDepthStencilState variant_depth(const gpool_depth_state *given, WGPUTextureFormat format)
{
    gpool__format facts = gpool__format_facts(format);
    bool has_depth = facts.depth;
    WGPUDepthStencilState state = {
        .format = format,
        .depthWriteEnabled =
            has_depth && given->write ? WGPUOptionalBool_True : WGPUOptionalBool_False,
        .depthCompare =
            has_depth && given->compare != 0 ? given->compare : WGPUCompareFunction_Always,
        .stencilFront = variant_stencil(&given->stencil_front, &given->stencil_front),
        .stencilBack = variant_stencil(&given->stencil_back, &given->stencil_front),
        .stencilReadMask = given->stencil_read_mask != 0 ? given->stencil_read_mask : UINT32_MAX,
        .stencilWriteMask = given->stencil_write_mask != 0 ? given->stencil_write_mask : UINT32_MAX,
        .depthBias = given->bias,
        .depthBiasSlopeScale = given->bias_slope_scale,
        .depthBiasClamp = given->bias_clamp,
    };
    return state;
}

/* Vertex buffers and attributes in WebGPU's form; lives on the caller's stack. */
typedef struct variant_vertices {
    WGPUVertexBufferLayout buffers[GPOOL_MAX_VERTEX_BUFFERS];
    WGPUVertexAttribute attributes[GPOOL_MAX_VERTEX_BUFFERS][GPOOL_MAX_ATTRIBUTES];
} variant_vertices;

static void variant_fill_vertices(const gpool__pipeline *pipeline, variant_vertices *vertices)
{
    memset(vertices, 0, sizeof *vertices);
    for (uint32_t slot = 0; slot < pipeline->slot_count; ++slot) {
        const gpool_vertex_layout *layout = &pipeline->desc->vertex_buffers[slot];
        WGPUVertexBufferLayout *buffer = &vertices->buffers[slot];
        WGPUVertexAttribute *attributes = vertices->attributes[slot];
        size_t count = 0;
        while (count < GPOOL_MAX_ATTRIBUTES && layout->attributes[count].format != 0) {
            attributes[count].format = layout->attributes[count].format;
            attributes[count].offset = layout->attributes[count].offset;
            attributes[count].shaderLocation = layout->attributes[count].shader_location;
            count += 1;
        }
        buffer->stepMode = layout->step != 0 ? layout->step : WGPUVertexStepMode_Vertex;
        buffer->arrayStride = layout->stride;
        buffer->attributeCount = count;
        buffer->attributes = attributes;
    }
}

WGPURenderPipeline gpool__variant_make(gpool *pool, const gpool__pipeline *pipeline,
                                       const gpool__pipeline_parts *parts,
                                       const gpool__targets *targets, gpool_result *result)
{
    const gpool_render_pipeline_desc *desc = pipeline->desc;
    if (targets->depth == 0 && (desc->depth.compare != 0 || desc->depth.write)) {
        gpool__note(&pool->log, GPOOL_LOG_FALLBACK,
                    "The pipeline \"%s\" tests or writes depth, but its pass has no depth "
                    "attachment: it draws without",
                    pipeline->base.label);
    }
    variant_vertices vertices;
    variant_fill_vertices(pipeline, &vertices);
    WGPUColorTargetState colors[GPOOL_MAX_COLORS] = { { 0 } };
    for (uint32_t i = 0; i < targets->color_count; ++i) {
        colors[i].format = targets->colors[i];
        if (targets->colors[i] != 0) {
            colors[i].blend = variant_blend(&desc->colors[i]);
            colors[i].writeMask = desc->colors[i].write_mask != 0 ? desc->colors[i].write_mask
                                                                  : WGPUColorWriteMask_All;
        }
    }
    WGPUFragmentState fragment = {
        .module = parts->fragment,
        .entryPoint = { desc->fragment_entry, WGPU_STRLEN },
        .targetCount = targets->color_count,
        .targets = colors,
    };
    WGPUDepthStencilState depth = variant_depth(&desc->depth, targets->depth);
    WGPURenderPipelineDescriptor gpu_desc = {
        .label = gpool__view(pipeline->base.label),
        .layout = parts->layout,
        .vertex = { .module = parts->vertex,
                    .entryPoint = { desc->vertex_entry, WGPU_STRLEN },
                    .bufferCount = pipeline->slot_count,
                    .buffers = vertices.buffers },
        .primitive = { .topology = desc->topology != 0 ? desc->topology
                                                       : WGPUPrimitiveTopology_TriangleList,
                       .stripIndexFormat = desc->strip_index_format,
                       .frontFace = desc->front_face != 0 ? desc->front_face : WGPUFrontFace_CCW,
                       .cullMode = desc->cull_mode != 0 ? desc->cull_mode : WGPUCullMode_None },
        .depthStencil = targets->depth != 0 ? &depth : NULL,
        .multisample = { .count = targets->samples,
                         .mask = UINT32_MAX,
                         .alphaToCoverageEnabled =
                             desc->alpha_to_coverage && targets->samples > 1 },
        .fragment = parts->fragment != NULL ? &fragment : NULL,
    };
    gpool__capture_begin(pool->device, &pool->seam);
    WGPURenderPipeline gpu =
        GPOOL__GPU(&pool->seam, DeviceCreateRenderPipeline)(pool->device->device, &gpu_desc);
    *result = gpool__capture_end(pool->device, &pool->seam);
    if (*result == GPOOL_OK && gpu == NULL) {
        *result = GPOOL_ERROR_GPU;
    }
    if (*result != GPOOL_OK) {
        if (gpu != NULL) {
            GPOOL__GPU(&pool->seam, RenderPipelineRelease)(gpu);
        }
        const char *error = gpool__current()->error;
        (void)gpool__fail(&pool->log, gpool__capture_log_id(*result, GPOOL_LOG_PIPELINE_CREATE),
                          *result, "The pipeline \"%s\" could not be made: %s",
                          pipeline->base.label,
                          error[0] != '\0' ? error : gpool_result_text(*result));
        return NULL;
    }
    return gpu;
}

/* The descriptor's formats must be the pass's where it names them. */
static bool variant_matches(const gpool_render_pipeline_desc *desc, const gpool__targets *targets)
{
    for (int i = 0; i < GPOOL_MAX_COLORS; ++i) {
        if (desc->colors[i].format != 0 && desc->colors[i].format != targets->colors[i]) {
            return false;
        }
    }
    return (desc->depth.format == 0 || desc->depth.format == targets->depth) &&
           (desc->samples == 0 || desc->samples == targets->samples);
}

uint32_t gpool__variant_find(const gpool__pipeline *pipeline, const gpool__targets *targets)
{
    for (uint32_t i = 0; i < pipeline->variant_count; ++i) {
        if (variant_equal(&pipeline->variants[i].targets, targets)) {
            return i;
        }
    }
    return UINT32_MAX;
}

static bool variant_reserve(gpool *pool, gpool__pipeline *pipeline)
{
    void *variants = pipeline->variants;
    bool good = gpool__reserve(&pool->memory, &variants, &pipeline->variant_capacity,
                               pipeline->variant_count + 1, sizeof *pipeline->variants);
    pipeline->variants = variants;
    if (!good) {
        (void)GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for a variant of \"%s\"",
                          pipeline->base.label);
    }
    return good;
}

bool gpool__variant_add(gpool *pool, gpool__pipeline *pipeline, const gpool__targets *targets,
                        WGPURenderPipeline gpu)
{
    if (!variant_reserve(pool, pipeline)) {
        return false;
    }
    pipeline->variants[pipeline->variant_count++] = (gpool__variant){ *targets, gpu };
    return true;
}

WGPURenderPipeline gpool__pipeline_variant(gpool *pool, gpool__pipeline *pipeline,
                                           const gpool__targets *targets, gpool_result *result)
{
    *result = GPOOL_OK;
    uint32_t found = gpool__variant_find(pipeline, targets);
    if (found != UINT32_MAX) {
        if (pipeline->variants[found].gpu == NULL) {
            *result = GPOOL__FAIL(pool, RESOURCE_FAILED, FAILED_RESOURCE,
                                  "The pipeline \"%s\" failed for the targets of this pass",
                                  pipeline->base.label);
        }
        return pipeline->variants[found].gpu;
    }
    if (!variant_matches(pipeline->desc, targets)) {
        *result = GPOOL__FAIL(pool, PIPELINE_CREATE, INVALID_ARGUMENT,
                              "The pipeline \"%s\" names formats or samples that differ from those "
                              "of the pass [color 0x%x, depth 0x%x, samples %u]",
                              pipeline->base.label, (unsigned)targets->colors[0],
                              (unsigned)targets->depth, targets->samples);
        return NULL;
    }
    if (!variant_reserve(pool, pipeline)) {
        *result = GPOOL_ERROR_OUT_OF_MEMORY;
        return NULL;
    }
    gpool__pipeline_parts parts = {
        .vertex = pipeline->vertex->gpu,
        .fragment = pipeline->fragment != NULL ? pipeline->fragment->gpu : NULL,
        .layout = pipeline->layout,
    };
    WGPURenderPipeline gpu = gpool__variant_make(pool, pipeline, &parts, targets, result);
    if (gpu == NULL && *result != GPOOL_ERROR_GPU) {
        return NULL; /* memory, or the device: worth another try */
    }
    (void)gpool__variant_add(pool, pipeline, targets, gpu);
    return gpu;
}
