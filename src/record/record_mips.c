/*
 * Mip generation: a pass for each level and layer, which draws the means of the level above.
 *
 * The shader reads texels and weighs them itself. A linear sampler would do for even extents; of odd
 * ones a texel covers three above, the outer two in part, and a sampler's four taps miss one.
 */
#include "record/recording.h"

#include "gpu/format.h"
#include "pool/make.h"

#include <stdio.h>
#include <string.h>

/* Levels and layers of a texture whose views and bind groups are kept with it. */
#define MIPS_KEPT 128u

const char gpool__mips_wgsl[] =
    "@group(0) @binding(0) var above: texture_2d<f32>;\n"
    "\n"
    "@vertex fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {\n"
    "    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);\n"
    "}\n"
    "\n"
    "// Of the texels 2 at, 2 at + 1, 2 at + 2 of a row of `size`: how much of each lies in texel `at`\n"
    "// below, which is a row of half the size, rounded down, stretched to the same length.\n"
    "fn weights(size: u32, at: u32) -> vec3f {\n"
    "    if (size == 1u) {\n"
    "        return vec3f(1.0, 0.0, 0.0);\n"
    "    }\n"
    "    if (size % 2u == 0u) {\n"
    "        return vec3f(0.5, 0.5, 0.0);\n"
    "    }\n"
    "    let low = f32(size / 2u);\n"
    "    return vec3f(low - f32(at), low, f32(at) + 1.0) / f32(size);\n"
    "}\n"
    "\n"
    "@fragment fn fs(@builtin(position) position: vec4f) -> @location(0) vec4f {\n"
    "    let size = textureDimensions(above);\n"
    "    let at = vec2u(position.xy);\n"
    "    // Only texels with a weight: one without may be infinite.\n"
    "    let taps = min(size, 2u + size % 2u);\n"
    "    var across = weights(size.x, at.x);\n"
    "    var down = weights(size.y, at.y);\n"
    "    var sum = vec4f(0.0);\n"
    "    for (var y = 0u; y < taps.y; y += 1u) {\n"
    "        for (var x = 0u; x < taps.x; x += 1u) {\n"
    "            sum += across[x] * down[y] * textureLoad(above, 2u * at + vec2u(x, y), 0);\n"
    "        }\n"
    "    }\n"
    "    return sum;\n"
    "}\n";

void gpool__mips_fini(gpool *pool, gpool__mips *mips)
{
    gpool__pipeline *pipeline = &mips->pipeline;
    gpool__pipeline_drop_variants(pool, pipeline);
    gpool__group_layout_release(pool, pipeline->groups.groups[0]);
    gpool__code_release(pool, pipeline->vertex);
    gpool__code_release(pool, pipeline->fragment);
    *mips = (gpool__mips){ 0 };
}

/* Makes all but the variants, at the first call on this device. */
static gpool_result mips_prepare(gpool *pool, gpool__mips *mips)
{
    static char label[] = "mips";
    static gpool_render_pipeline_desc desc = { .vertex_entry = "vs", .fragment_entry = "fs" };
    static const gpool_layout_entry entry = {
        .type = GPOOL_BINDING_TEXTURE,
        .stages = WGPUShaderStage_Fragment,
        .sample_type = WGPUTextureSampleType_UnfilterableFloat,
        .dimension = WGPUTextureViewDimension_2D,
    };
    gpool__pipeline *pipeline = &mips->pipeline;
    if (pipeline->vertex != NULL) {
        return GPOOL_OK;
    }
    pipeline->vertex = gpool__code_create(pool, label);
    if (pipeline->vertex == NULL) {
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    gpool_result result;
    pipeline->base.label = label;
    pipeline->desc = &desc;
    pipeline->fragment = gpool__code_retain(pipeline->vertex);
    pipeline->own_layouts = true;
    pipeline->groups.count = 1;
    pipeline->vertex->module =
        gpool__module_get(pool, label, gpool__mips_wgsl, strlen(gpool__mips_wgsl), 0, &result);
    if (result == GPOOL_OK) {
        gpool__code_await(pool, pipeline->vertex);
        pipeline->groups.groups[0] = gpool__group_layout_get(pool, &entry, 1, label, &result);
    }
    if (result != GPOOL_OK) {
        gpool__mips_fini(pool, mips);
    }
    return result;
}

/* The pipeline for a format, made at its first call. One that failed is tried again. */
static WGPURenderPipeline mips_pipeline(gpool *pool, gpool__pipeline *pipeline,
                                        WGPUTextureFormat format, gpool_result *result)
{
    gpool__targets targets = { .colors = { format }, .color_count = 1, .samples = 1 };
    gpool__program *program = gpool__pipeline_variant(pool, pipeline, &targets, result);
    if (program == NULL) {
        return NULL;
    }
    *result = gpool__compiler_finish(pool, &program->base, pool->wait_timeout_ns);
    if (*result != GPOOL_OK) {
        return NULL;
    }
    *result = program->base.result;
    if (*result != GPOOL_OK) {
        if (pipeline->vertex->module->base.result != GPOOL_OK) {
            gpool__mips_fini(pool, &pool->record->mips);
        } else {
            gpool__pipeline_forget_failed(pool, pipeline);
        }
        return NULL;
    }
    return program->base.gpu;
}

static gpool_result mips_check(gpool *pool, const gpool__texture *texture)
{
    const gpool_texture_usage needed = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_SAMPLED;
    const char *label = texture->base.label;
    if ((texture->usage & needed) != needed) {
        return GPOOL__FAIL(pool, USAGE, MISSING_USAGE,
                           "The usage [0x%x] of texture \"%s\" lacks TARGET or SAMPLED, which mips "
                           "need",
                           texture->usage, label);
    }
    bool float32 = gpool_device_has_feature(pool->device, WGPUFeatureName_Float32Filterable);
    if (texture->dimension != WGPUTextureDimension_2D || texture->samples > 1 ||
        !gpool__format_is_filterable(texture->format, float32)) {
        return GPOOL__FAIL(pool, UNSUPPORTED, UNSUPPORTED,
                           "No mips can be made of texture \"%s\": dimension [%d], [%u] samples, "
                           "format [%s]",
                           label, (int)texture->dimension, texture->samples,
                           gpool__format_name(texture->format));
    }
    return GPOOL_OK;
}

static gpool_result mips_resolve(gpool *pool, const gpool__texture *texture,
                                 const gpool_mip_range *given, gpool_mip_range *range)
{
    static const gpool_mip_range all = { 0 };
    *range = given != NULL ? *given : all;
    bool inside =
        range->base_level < texture->mip_levels && range->base_layer < texture->depth_or_layers;
    if (inside && range->level_count == 0) {
        range->level_count = texture->mip_levels - 1 - range->base_level;
    }
    if (inside && range->layer_count == 0) {
        range->layer_count = texture->depth_or_layers - range->base_layer;
    }
    if (!inside ||
        !gpool__range_inside(range->base_level, range->level_count, texture->mip_levels - 1) ||
        !gpool__range_inside(range->base_layer, range->layer_count, texture->depth_or_layers)) {
        return GPOOL__FAIL(
            pool, RANGE, OUT_OF_RANGE,
            "Levels [%u+%u] or layers [%u+%u] of mips lie outside texture \"%s\" [%u "
            "levels, %u layers]",
            range->base_level, range->level_count, range->base_layer, range->layer_count,
            texture->base.label, texture->mip_levels, texture->depth_or_layers);
    }
    return GPOOL_OK;
}

static gpool_result mips_make_source(gpool *pool, const gpool__texture *texture, gpool__mip *mip)
{
    WGPUBindGroupEntry entry = { .binding = 0, .textureView = mip->view };
    WGPUBindGroupDescriptor desc = {
        .label = gpool__view("mips"),
        .layout = pool->record->mips.pipeline.groups.groups[0]->gpu,
        .entryCount = 1,
        .entries = &entry,
    };
    gpool_result result;
    mip->source = gpool__make_bind_group(pool, &desc, "Bind group for mips of texture",
                                         texture->base.label, &result);
    return result;
}

/* Makes views and bind groups of the range that are not there yet. */
static gpool_result mips_fill(gpool *pool, const gpool__texture *texture,
                              const gpool_mip_range *range, gpool__mip *mips)
{
    gpool_result result = GPOOL_OK;
    for (uint32_t i = 0; i < range->layer_count; ++i) {
        uint32_t layer = range->base_layer + i;
        for (uint32_t j = 0; j <= range->level_count; ++j) {
            uint32_t level = range->base_level + j;
            gpool__mip *mip = &mips[(size_t)layer * texture->mip_levels + level];
            if (mip->view == NULL) {
                gpool_view_desc view = { .dimension = WGPUTextureViewDimension_2D,
                                         .format = texture->format,
                                         .base_mip_level = level,
                                         .mip_level_count = 1,
                                         .base_layer = layer,
                                         .layer_count = 1,
                                         .aspect = WGPUTextureAspect_All };
                mip->view = gpool__texture_view_make(pool, texture, &view, &result);
            }
            if (result == GPOOL_OK && mip->source == NULL && j < range->level_count) {
                result = mips_make_source(pool, texture, mip);
            }
            if (result != GPOOL_OK) {
                return result;
            }
        }
    }
    return result;
}

/* Draws one level and layer from the level above. */
static gpool_result mips_draw(struct gpool_recorder_state *state, WGPURenderPipeline pipeline,
                              const gpool__mip *mip)
{
    gpool *pool = state->pool;
    WGPURenderPassColorAttachment color = {
        .view = mip->view,
        .depthSlice = WGPU_DEPTH_SLICE_UNDEFINED,
        .loadOp = WGPULoadOp_Clear,
        .storeOp = WGPUStoreOp_Store,
    };
    WGPURenderPassDescriptor desc = {
        .label = gpool__view(state->pass_label),
        .colorAttachmentCount = 1,
        .colorAttachments = &color,
    };
    WGPURenderPassEncoder pass =
        GPOOL__GPU(&pool->seam, CommandEncoderBeginRenderPass)(state->encoder, &desc);
    if (pass == NULL) {
        return GPOOL__FAIL(pool, GPU_ERROR, GPU, "No render pass \"%s\"", state->pass_label);
    }
    GPOOL__GPU(&pool->seam, RenderPassEncoderSetPipeline)(pass, pipeline);
    GPOOL__GPU(&pool->seam, RenderPassEncoderSetBindGroup)(pass, 0, mip[-1].source, 0, NULL);
    GPOOL__GPU(&pool->seam, RenderPassEncoderDraw)(pass, 3, 1, 0, 0);
    GPOOL__GPU(&pool->seam, RenderPassEncoderEnd)(pass);
    GPOOL__GPU(&pool->seam, RenderPassEncoderRelease)(pass);
    pool->stats.draws += 1;
    return GPOOL_OK;
}

static gpool_result mips_record(struct gpool_recorder_state *state, gpool__texture *texture,
                                const gpool_mip_range *range, gpool__mip *mips)
{
    gpool *pool = state->pool;
    gpool_result result = mips_prepare(pool, &pool->record->mips);
    WGPURenderPipeline pipeline = NULL;
    if (result == GPOOL_OK) {
        pipeline = mips_pipeline(pool, &pool->record->mips.pipeline, texture->format, &result);
    }
    if (result == GPOOL_OK) {
        result = mips_fill(pool, texture, range, mips);
    }
    if (result != GPOOL_OK) {
        return result;
    }
    char label[64];
    (void)snprintf(label, sizeof label, "mips of %s", texture->base.label);
    gpool__record_name_pass(state, label, label);
    gpool__resource_record(pool, &texture->base);
    for (uint32_t i = 0; i < range->layer_count; ++i) {
        for (uint32_t j = 1; j <= range->level_count && result == GPOOL_OK; ++j) {
            size_t row = (size_t)(range->base_layer + i) * texture->mip_levels;
            result = mips_draw(state, pipeline, &mips[row + range->base_level + j]);
        }
    }
    return result;
}

static gpool_result mips_generate(struct gpool_recorder_state *state, gpool_texture handle,
                                  const gpool_mip_range *given)
{
    gpool *pool = state->pool;
    gpool_result result;
    gpool__texture *texture =
        (gpool__texture *)gpool__resolve_good(pool, handle.id, GPOOL_KIND_TEXTURE, &result);
    if (texture == NULL) {
        return result;
    }
    gpool_mip_range range;
    result = mips_check(pool, texture);
    if (result == GPOOL_OK) {
        result = mips_resolve(pool, texture, given, &range);
    }
    if (result != GPOOL_OK || gpool__record_encoder(state, &result) == NULL ||
        range.level_count == 0) {
        return result;
    }
    gpool__mip *mips = texture->mips;
    if (mips == NULL) {
        mips = gpool__texture_mips_create(pool, texture);
        if (mips == NULL) {
            return GPOOL_ERROR_OUT_OF_MEMORY;
        }
    }
    result = mips_record(state, texture, &range, mips);
    if ((uint64_t)texture->mip_levels * texture->depth_or_layers <= MIPS_KEPT) {
        texture->mips = mips;
    } else {
        /* What is recorded keeps them. */
        gpool__texture_mips_free(pool, texture, mips);
    }
    return result;
}

void gpool_texture_generate_mips(gpool_recorder rec, gpool_texture texture,
                                 const gpool_mip_range *range)
{
    gpool__call call;
    struct gpool_recorder_state *state =
        gpool__record_enter(rec, "gpool_texture_generate_mips", &call);
    if (state != NULL) {
        gpool__record_leave(state, &call, mips_generate(state, texture, range));
    }
}
