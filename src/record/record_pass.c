/*
 * Render and compute passes: begin, end, state that needs no resource.
 */
#include "record/recording.h"

#include "gpu/format.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

bool gpool__record_needs_pass(struct gpool_recorder_state *state, bool render, bool compute,
                              gpool_result *result)
{
    if ((render && state->render != NULL) || (compute && state->compute != NULL)) {
        *result = GPOOL_OK;
        return true;
    }
    if (state->skip_pass) {
        /* Told when the pass could not begin; its commands are only counted. */
        state->pool->stats.skipped += 1;
        *result = GPOOL_OK;
        return false;
    }
    *result = GPOOL__FAIL(state->pool, PHASE, WRONG_PHASE, "No %s pass is open",
                          render ? (compute ? "render or compute" : "render") : "compute");
    return false;
}

void gpool__record_name_pass(struct gpool_recorder_state *state, const char *label,
                             const char *fallback)
{
    const char *name = label != NULL && label[0] != '\0' ? label : fallback;
    gpool__clean(state->pass_label, sizeof state->pass_label, name, strlen(name));
    size_t used = strlen(state->pass_list);
    const char *comma = used > 0 ? ", " : "";
    if (used + strlen(comma) + strlen(state->pass_label) + 4 < sizeof state->pass_list) {
        (void)snprintf(state->pass_list + used, sizeof state->pass_list - used, "%s%s", comma,
                       state->pass_label);
    } else if (used + 4 < sizeof state->pass_list && state->pass_list[used - 1] != '.') {
        memcpy(state->pass_list + used, "...", 4);
    }
    memset(&state->pass, 0, sizeof state->pass);
    state->pass_groups = 0;
}

/* Attachments of a pass that begins; they count as recorded once it has begun. */
typedef struct pass_named {
    gpool__texture *textures[2 * GPOOL_MAX_COLORS + 1];
    bool clears[2 * GPOOL_MAX_COLORS + 1]; /* and stores, as color */
    uint32_t count;
} pass_named;

static void pass_name(pass_named *named, gpool__texture *texture, bool clears)
{
    named->textures[named->count] = texture;
    named->clears[named->count] = clears;
    named->count += 1;
}

/* One attachment resolved: its texture, view, and what it adds to the pass's targets. */
static gpool_result pass_attachment(struct gpool_recorder_state *state, gpool_texture handle,
                                    uint32_t level, uint32_t layer, bool first,
                                    gpool__texture **found, WGPUTextureView *view)
{
    gpool *pool = state->pool;
    gpool_result result;
    gpool__texture *texture =
        (gpool__texture *)gpool__resolve_good(pool, handle.id, GPOOL_KIND_TEXTURE, &result);
    if (texture == NULL) {
        return result;
    }
    const char *label = texture->base.label;
    if ((texture->usage & GPOOL_TEXTURE_TARGET) == 0) {
        return GPOOL__FAIL(pool, USAGE, MISSING_USAGE,
                           "The usage [0x%x] of texture \"%s\" lacks TARGET", texture->usage,
                           label);
    }
    uint32_t width = 0;
    uint32_t height = 0;
    uint32_t depth = 0;
    if (level < texture->mip_levels) {
        gpool__texture_level(texture, level, &width, &height, &depth);
    }
    if (layer >= depth) {
        return GPOOL__FAIL(pool, RANGE, OUT_OF_RANGE,
                           "Level [%u] or layer [%u] lies outside texture \"%s\" [%u levels, %u "
                           "layers]",
                           level, layer, label, texture->mip_levels, texture->depth_or_layers);
    }
    if (first) {
        state->width = width;
        state->height = height;
        state->targets.samples = texture->samples;
    } else if (width != state->width || height != state->height ||
               texture->samples != state->targets.samples) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "The attachment \"%s\" [%u x %u, %u samples] differs from the first [%u "
                           "x %u, %u samples]",
                           label, width, height, texture->samples, state->width, state->height,
                           state->targets.samples);
    }
    gpool_view_desc desc = {
        .base_mip_level = level,
        .mip_level_count = 1,
        .base_layer = texture->dimension == WGPUTextureDimension_3D ? 0 : layer,
        .layer_count = 1,
    };
    *view = gpool__texture_view_get(pool, texture, &desc, &result);
    *found = texture;
    return result;
}

static gpool_result pass_color(struct gpool_recorder_state *state, uint32_t index, bool first,
                               const gpool_color_attachment *color,
                               WGPURenderPassColorAttachment *gpu, pass_named *named)
{
    gpool *pool = state->pool;
    gpool__texture *texture = NULL;
    gpool_result result = pass_attachment(state, color->texture, color->mip_level, color->layer,
                                          first, &texture, &gpu->view);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__format facts = gpool__format_facts(texture->format);
    bool finite = isfinite(color->clear[0]) && isfinite(color->clear[1]) &&
                  isfinite(color->clear[2]) && isfinite(color->clear[3]);
    if (facts.depth || facts.stencil || !finite || (unsigned)color->load > GPOOL_LOAD_KEEP ||
        (unsigned)color->store > GPOOL_STORE_DISCARD) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "Color attachment [%u] \"%s\" has a depth format, or a load, store or "
                           "clear value that is not possible",
                           index, texture->base.label);
    }
    gpu->depthSlice =
        texture->dimension == WGPUTextureDimension_3D ? color->layer : WGPU_DEPTH_SLICE_UNDEFINED;
    gpu->loadOp = color->load == GPOOL_LOAD_CLEAR ? WGPULoadOp_Clear : WGPULoadOp_Load;
    gpu->storeOp = color->store == GPOOL_STORE_KEEP ? WGPUStoreOp_Store : WGPUStoreOp_Discard;
    gpu->clearValue =
        (WGPUColor){ color->clear[0], color->clear[1], color->clear[2], color->clear[3] };
    state->targets.colors[index] = texture->format;
    state->targets.color_count = index + 1;
    pass_name(named, texture, color->load == GPOOL_LOAD_CLEAR && color->store == GPOOL_STORE_KEEP);
    if (color->resolve.id == 0) {
        return GPOOL_OK;
    }
    gpool__targets targets = state->targets;
    state->targets.samples = 1;
    gpool__texture *resolve = NULL;
    result = pass_attachment(state, color->resolve, 0, 0, false, &resolve, &gpu->resolveTarget);
    state->targets = targets;
    if (result != GPOOL_OK) {
        return result;
    }
    if (texture->samples == 1 || resolve->format != texture->format) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "\"%s\" [%u samples, format 0x%x] cannot be resolved to \"%s\" [format "
                           "0x%x]",
                           texture->base.label, texture->samples, (unsigned)texture->format,
                           resolve->base.label, (unsigned)resolve->format);
    }
    pass_name(named, resolve, false);
    return GPOOL_OK;
}

static gpool_result pass_depth(struct gpool_recorder_state *state, bool first,
                               const gpool_depth_attachment *depth,
                               WGPURenderPassDepthStencilAttachment *gpu, pass_named *named)
{
    gpool *pool = state->pool;
    gpool__texture *texture = NULL;
    gpool_result result = pass_attachment(state, depth->texture, depth->mip_level, depth->layer,
                                          first, &texture, &gpu->view);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__format facts = gpool__format_facts(texture->format);
    float clear = depth->clear == 0.0f               ? 1.0f
                  : depth->clear == GPOOL_DEPTH_ZERO ? 0.0f
                                                     : depth->clear;
    if ((!facts.depth && !facts.stencil) || !(clear >= 0.0f && clear <= 1.0f) ||
        (unsigned)depth->load > GPOOL_LOAD_KEEP || (unsigned)depth->store > GPOOL_STORE_DISCARD ||
        (unsigned)depth->stencil_load > GPOOL_LOAD_KEEP ||
        (unsigned)depth->stencil_store > GPOOL_STORE_DISCARD) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "Depth attachment \"%s\" has format [0x%x], or a load, store or clear "
                           "value [%g] that is not possible",
                           texture->base.label, (unsigned)texture->format, (double)depth->clear);
    }
    gpu->depthClearValue = facts.depth ? clear : 0.0f;
    gpu->stencilClearValue = facts.stencil ? depth->stencil_clear : 0;
    /* A read-only aspect, and one the format lacks, must have no operations. */
    if (facts.depth && !depth->read_only) {
        gpu->depthLoadOp = depth->load == GPOOL_LOAD_CLEAR ? WGPULoadOp_Clear : WGPULoadOp_Load;
        gpu->depthStoreOp =
            depth->store == GPOOL_STORE_KEEP ? WGPUStoreOp_Store : WGPUStoreOp_Discard;
    }
    if (facts.stencil && !depth->read_only) {
        gpu->stencilLoadOp =
            depth->stencil_load == GPOOL_LOAD_CLEAR ? WGPULoadOp_Clear : WGPULoadOp_Load;
        gpu->stencilStoreOp =
            depth->stencil_store == GPOOL_STORE_KEEP ? WGPUStoreOp_Store : WGPUStoreOp_Discard;
    }
    gpu->depthReadOnly = facts.depth && depth->read_only;
    gpu->stencilReadOnly = facts.stencil && depth->read_only;
    state->targets.depth = texture->format;
    pass_name(named, texture, false);
    return GPOOL_OK;
}

static gpool_result pass_begin_render(struct gpool_recorder_state *state,
                                      const gpool_render_desc *desc)
{
    gpool *pool = state->pool;
    gpool_result result;
    WGPUCommandEncoder encoder = gpool__record_encoder(state, &result);
    if (encoder == NULL) {
        return result;
    }
    if (desc == NULL) {
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT, "The descriptor [NULL] is null");
    }
    gpool__record_name_pass(state, desc->label, "render pass");
    /* From here an error skips the whole pass, up to its end. */
    state->skip_pass = true;
    state->targets = (gpool__targets){ .samples = 1 };
    WGPURenderPassColorAttachment colors[GPOOL_MAX_COLORS] = { { 0 } };
    WGPURenderPassDepthStencilAttachment depth = { 0 };
    pass_named named = { .count = 0 };
    bool first = true;
    for (uint32_t i = 0; i < GPOOL_MAX_COLORS; ++i) {
        colors[i].depthSlice = WGPU_DEPTH_SLICE_UNDEFINED;
        if (desc->color[i].texture.id != 0) {
            result = pass_color(state, i, first, &desc->color[i], &colors[i], &named);
            if (result != GPOOL_OK) {
                return result;
            }
            first = false;
        }
    }
    if (desc->depth.texture.id != 0) {
        result = pass_depth(state, first, &desc->depth, &depth, &named);
        if (result != GPOOL_OK) {
            return result;
        }
        first = false;
    }
    if (first) {
        return GPOOL__FAIL(pool, HANDLE_NULL, NULL_HANDLE, "The pass \"%s\" has no attachment",
                           state->pass_label);
    }
    WGPURenderPassDescriptor gpu = {
        .label = gpool__view(state->pass_label),
        .colorAttachmentCount = state->targets.color_count,
        .colorAttachments = colors,
        .depthStencilAttachment = desc->depth.texture.id != 0 ? &depth : NULL,
    };
    state->render = GPOOL__GPU(&pool->seam, CommandEncoderBeginRenderPass)(encoder, &gpu);
    if (state->render == NULL) {
        return GPOOL__FAIL(pool, GPU_ERROR, GPU, "No render pass \"%s\"", state->pass_label);
    }
    const gpool__texture_part all = { .width = state->width, .height = state->height };
    for (uint32_t i = 0; i < named.count; ++i) {
        if (named.clears[i]) {
            gpool__recycle_cover(pool, named.textures[i], &all);
        }
        gpool__resource_record(pool, &named.textures[i]->base);
    }
    state->skip_pass = false;
    return GPOOL_OK;
}

/* A pass that could not begin is open too: what belongs in it is skipped without a further word. */
static bool pass_is_open(const struct gpool_recorder_state *state)
{
    return state->render != NULL || state->compute != NULL || state->skip_pass;
}

void gpool_begin_render(gpool_recorder rec, const gpool_render_desc *desc)
{
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_begin_render", &call);
    if (state != NULL) {
        bool open = pass_is_open(state);
        gpool_result result = pass_begin_render(state, desc);
        state->skip_pass |= result != GPOOL_OK && !open;
        gpool__record_leave(state, &call, result);
    }
}

void gpool_begin_compute(gpool_recorder rec, const char *label)
{
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_begin_compute", &call);
    if (state == NULL) {
        return;
    }
    gpool *pool = state->pool;
    gpool_result result;
    bool open = pass_is_open(state);
    WGPUCommandEncoder encoder = gpool__record_encoder(state, &result);
    state->skip_pass |= encoder == NULL && !open;
    if (encoder != NULL) {
        gpool__record_name_pass(state, label, "compute pass");
        WGPUComputePassDescriptor gpu = { .label = gpool__view(state->pass_label) };
        state->compute = GPOOL__GPU(&pool->seam, CommandEncoderBeginComputePass)(encoder, &gpu);
        if (state->compute == NULL) {
            state->skip_pass = true;
            result = GPOOL__FAIL(pool, GPU_ERROR, GPU, "No compute pass \"%s\"", state->pass_label);
        }
    }
    gpool__record_leave(state, &call, result);
}

void gpool_end_pass(gpool_recorder rec)
{
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_end_pass", &call);
    if (state == NULL) {
        return;
    }
    gpool_result result = GPOOL_OK;
    if (state->render == NULL && state->compute == NULL && !state->skip_pass) {
        result = GPOOL__FAIL(state->pool, PHASE, WRONG_PHASE, "No pass is open");
    } else {
        gpool__record_end_pass(state);
    }
    gpool__record_leave(state, &call, result);
}

static gpool_result pass_set_viewport(struct gpool_recorder_state *state, const float view[6])
{
    gpool *pool = state->pool;
    gpool_result result;
    if (!gpool__record_needs_pass(state, true, false, &result)) {
        return result;
    }
    for (int i = 0; i < 6; ++i) {
        if (!isfinite(view[i])) {
            return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                               "Viewport value [%d] is not finite", i);
        }
    }
    /* Within the attachment: wgpu-native and the specification once agreed on exactly this. */
    if (view[0] < 0 || view[1] < 0 || view[2] < 0 || view[3] < 0 ||
        view[0] + view[2] > (float)state->width || view[1] + view[3] > (float)state->height ||
        view[4] < 0 || view[5] > 1 || view[4] > view[5]) {
        return GPOOL__FAIL(pool, RANGE, OUT_OF_RANGE,
                           "The viewport [%g %g %g %g, depth %g %g] lies outside the attachment "
                           "[%u x %u]",
                           (double)view[0], (double)view[1], (double)view[2], (double)view[3],
                           (double)view[4], (double)view[5], state->width, state->height);
    }
    if (state->pass.has_viewport && memcmp(state->pass.viewport, view, 6 * sizeof *view) == 0) {
        pool->stats.redundant += 1;
        return GPOOL_OK;
    }
    memcpy(state->pass.viewport, view, 6 * sizeof *view);
    state->pass.has_viewport = !state->pass.raw;
    GPOOL__GPU(&pool->seam, RenderPassEncoderSetViewport)
    (state->render, view[0], view[1], view[2], view[3], view[4], view[5]);
    return GPOOL_OK;
}

void gpool_set_viewport(gpool_recorder rec, float x, float y, float width, float height,
                        float min_depth, float max_depth)
{
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_set_viewport", &call);
    if (state != NULL) {
        float view[6] = { x, y, width, height, min_depth, max_depth };
        gpool__record_leave(state, &call, pass_set_viewport(state, view));
    }
}

static gpool_result pass_set_scissor(struct gpool_recorder_state *state, const uint32_t rect[4])
{
    gpool *pool = state->pool;
    gpool_result result;
    if (!gpool__record_needs_pass(state, true, false, &result)) {
        return result;
    }
    if (!gpool__range_inside(rect[0], rect[2], state->width) ||
        !gpool__range_inside(rect[1], rect[3], state->height)) {
        return GPOOL__FAIL(pool, RANGE, OUT_OF_RANGE,
                           "The scissor [%u %u %u %u] lies outside the attachment [%u x %u]",
                           rect[0], rect[1], rect[2], rect[3], state->width, state->height);
    }
    if (state->pass.has_scissor && memcmp(state->pass.scissor, rect, 4 * sizeof *rect) == 0) {
        pool->stats.redundant += 1;
        return GPOOL_OK;
    }
    memcpy(state->pass.scissor, rect, 4 * sizeof *rect);
    state->pass.has_scissor = !state->pass.raw;
    GPOOL__GPU(&pool->seam, RenderPassEncoderSetScissorRect)
    (state->render, rect[0], rect[1], rect[2], rect[3]);
    return GPOOL_OK;
}

void gpool_set_scissor(gpool_recorder rec, uint32_t x, uint32_t y, uint32_t width, uint32_t height)
{
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_set_scissor", &call);
    if (state != NULL) {
        uint32_t rect[4] = { x, y, width, height };
        gpool__record_leave(state, &call, pass_set_scissor(state, rect));
    }
}

static gpool_result pass_set_blend(struct gpool_recorder_state *state, const double rgba[4])
{
    gpool *pool = state->pool;
    gpool_result result;
    if (!gpool__record_needs_pass(state, true, false, &result)) {
        return result;
    }
    if (rgba == NULL || !isfinite(rgba[0]) || !isfinite(rgba[1]) || !isfinite(rgba[2]) ||
        !isfinite(rgba[3])) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "The blend constant is null or not finite");
    }
    if (state->pass.has_blend && memcmp(state->pass.blend, rgba, 4 * sizeof *rgba) == 0) {
        pool->stats.redundant += 1;
        return GPOOL_OK;
    }
    memcpy(state->pass.blend, rgba, 4 * sizeof *rgba);
    state->pass.has_blend = !state->pass.raw;
    WGPUColor color = { rgba[0], rgba[1], rgba[2], rgba[3] };
    GPOOL__GPU(&pool->seam, RenderPassEncoderSetBlendConstant)(state->render, &color);
    return GPOOL_OK;
}

void gpool_set_blend_constant(gpool_recorder rec, const double rgba[4])
{
    gpool__call call;
    struct gpool_recorder_state *state =
        gpool__record_enter(rec, "gpool_set_blend_constant", &call);
    if (state != NULL) {
        gpool__record_leave(state, &call, pass_set_blend(state, rgba));
    }
}

void gpool_set_stencil_reference(gpool_recorder rec, uint32_t reference)
{
    gpool__call call;
    struct gpool_recorder_state *state =
        gpool__record_enter(rec, "gpool_set_stencil_reference", &call);
    if (state == NULL) {
        return;
    }
    gpool_result result;
    if (gpool__record_needs_pass(state, true, false, &result)) {
        if (state->pass.has_stencil && state->pass.stencil == reference) {
            state->pool->stats.redundant += 1;
        } else {
            state->pass.stencil = reference;
            state->pass.has_stencil = !state->pass.raw;
            GPOOL__GPU(&state->pool->seam, RenderPassEncoderSetStencilReference)
            (state->render, reference);
        }
    }
    gpool__record_leave(state, &call, result);
}

void gpool_push_group(gpool_recorder rec, const char *label)
{
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_push_group", &call);
    if (state == NULL) {
        return;
    }
    gpool_result result = GPOOL_OK;
    gpool__seam *seam = &state->pool->seam;
    char text[128];
    WGPUStringView name =
        gpool__view(gpool__clean(text, sizeof text, label, label != NULL ? strlen(label) : 0));
    if (state->render != NULL) {
        GPOOL__GPU(seam, RenderPassEncoderPushDebugGroup)(state->render, name);
        state->pass_groups += 1;
    } else if (state->compute != NULL) {
        GPOOL__GPU(seam, ComputePassEncoderPushDebugGroup)(state->compute, name);
        state->pass_groups += 1;
    } else if (state->skip_pass) {
        state->pool->stats.skipped += 1;
    } else {
        WGPUCommandEncoder encoder = gpool__record_encoder(state, &result);
        if (encoder != NULL) {
            GPOOL__GPU(seam, CommandEncoderPushDebugGroup)(encoder, name);
            state->encoder_groups += 1;
        }
    }
    gpool__record_leave(state, &call, result);
}

void gpool_pop_group(gpool_recorder rec)
{
    gpool__call call;
    struct gpool_recorder_state *state = gpool__record_enter(rec, "gpool_pop_group", &call);
    if (state == NULL) {
        return;
    }
    gpool_result result = GPOOL_OK;
    gpool__seam *seam = &state->pool->seam;
    bool in_pass = state->render != NULL || state->compute != NULL;
    uint32_t *open = in_pass ? &state->pass_groups : &state->encoder_groups;
    if (state->skip_pass) {
        state->pool->stats.skipped += 1;
    } else if (*open == 0 && !in_pass && state->closed_groups > 0) {
        state->closed_groups -= 1;
    } else if (*open == 0) {
        result = GPOOL__FAIL(state->pool, PHASE, WRONG_PHASE, "No group is open here");
    } else {
        *open -= 1;
        if (state->render != NULL) {
            GPOOL__GPU(seam, RenderPassEncoderPopDebugGroup)(state->render);
        } else if (state->compute != NULL) {
            GPOOL__GPU(seam, ComputePassEncoderPopDebugGroup)(state->compute);
        } else {
            GPOOL__GPU(seam, CommandEncoderPopDebugGroup)(state->encoder);
        }
    }
    gpool__record_leave(state, &call, result);
}

WGPURenderPassEncoder gpool_recorder_render_pass(gpool_recorder rec)
{
    gpool__call call;
    struct gpool_recorder_state *state =
        gpool__record_enter(rec, "gpool_recorder_render_pass", &call);
    if (state == NULL) {
        return NULL;
    }
    gpool_result result;
    WGPURenderPassEncoder pass = NULL;
    if (gpool__record_needs_pass(state, true, false, &result)) {
        memset(&state->pass, 0, sizeof state->pass);
        state->pass.raw = true;
        pass = state->render;
    }
    gpool__record_leave(state, &call, result);
    return pass;
}

WGPUComputePassEncoder gpool_recorder_compute_pass(gpool_recorder rec)
{
    gpool__call call;
    struct gpool_recorder_state *state =
        gpool__record_enter(rec, "gpool_recorder_compute_pass", &call);
    if (state == NULL) {
        return NULL;
    }
    gpool_result result;
    WGPUComputePassEncoder pass = NULL;
    if (gpool__record_needs_pass(state, false, true, &result)) {
        memset(&state->pass, 0, sizeof state->pass);
        state->pass.raw = true;
        pass = state->compute;
    }
    gpool__record_leave(state, &call, result);
    return pass;
}
