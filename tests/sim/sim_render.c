/* Render passes: attachments and state. Draws are in sim_draw.c. */
#include "sim_pass.h"

#include <stdlib.h>

#define KIND SIM_KIND_RENDER_PASS

/* Takes a view as attachment: usage, one level, one layer; adds its size to the pass. */
static bool render_take_view(const sim_call *call, WGPUTextureView handle, bool resolve,
                             sim_encoder *encoder, sim_pass *pass, sim_view **out, sim_text *why)
{
    sim_view *view = sim_get(call, handle, SIM_KIND_TEXTURE_VIEW);
    if (view == NULL || view->base.invalid || view->base.device != call->device) {
        return sim_say(why, "an attachment's view is invalid");
    }
    const char *label = view->texture->base.label;
    if ((view->usage & WGPUTextureUsage_RenderAttachment) == 0 || view->mips != 1 ||
        view->layers != 1) {
        return sim_say(why,
                       "the view of \"%s\" lacks RenderAttachment, or is not of one level and "
                       "layer",
                       label);
    }
    uint32_t width;
    uint32_t height;
    uint32_t layers;
    sim_level(view->texture, view->mip, &width, &height, &layers);
    if (pass->width == 0) {
        pass->width = width;
        pass->height = height;
        pass->targets.samples = view->texture->samples;
    } else if (pass->width != width || pass->height != height ||
               (!resolve && pass->targets.samples != view->texture->samples)) {
        return sim_say(why, "the attachment \"%s\" differs in size or samples", label);
    }
    *out = view;
    sim_list_add(&encoder->script.uses, &view->base);
    return true;
}

static bool render_take_color(const sim_call *call, const WGPURenderPassColorAttachment *color,
                              sim_encoder *encoder, sim_pass *pass, sim_attachment *attachment,
                              sim_text *why)
{
    if (!render_take_view(call, color->view, false, encoder, pass, &attachment->view, why)) {
        return false;
    }
    const sim_view *view = attachment->view;
    sim_format facts = sim_format_facts(view->format);
    bool volume = view->texture->dimension == WGPUTextureDimension_3D;
    if (facts.type == 0) {
        return sim_say(why, "format 0x%x of \"%s\" is no color", (unsigned)view->format,
                       view->texture->base.label);
    }
    if (!sim_known((uint32_t)color->loadOp, 2, false) ||
        !sim_known((uint32_t)color->storeOp, 2, false)) {
        return sim_say(why, "load %u or store %u of \"%s\" is not known", (unsigned)color->loadOp,
                       (unsigned)color->storeOp, view->texture->base.label);
    }
    uint32_t width;
    uint32_t height;
    uint32_t slices;
    sim_level(view->texture, view->mip, &width, &height, &slices);
    if (volume ? color->depthSlice >= slices : color->depthSlice != WGPU_DEPTH_SLICE_UNDEFINED) {
        return sim_say(why, "the depth slice %u of \"%s\" is not possible", color->depthSlice,
                       view->texture->base.label);
    }
    attachment->slice = volume ? color->depthSlice : view->layer;
    attachment->load = color->loadOp;
    attachment->store = color->storeOp;
    attachment->clear = color->clearValue;
    if (color->resolveTarget == NULL) {
        return true;
    }
    if (!render_take_view(call, color->resolveTarget, true, encoder, pass, &attachment->resolve,
                          why)) {
        return false;
    }
    return (view->texture->samples > 1 && attachment->resolve->texture->samples == 1 &&
            attachment->resolve->format == view->format) ||
           sim_say(why, "\"%s\" cannot be resolved to \"%s\"", view->texture->base.label,
                   attachment->resolve->texture->base.label);
}

/* One aspect of the depth attachment: operations exactly where the format has it and it is
 * written. */
static bool render_check_aspect(bool there, bool read_only, WGPULoadOp load, WGPUStoreOp store)
{
    if (!there || read_only) {
        return load == 0 && store == 0;
    }
    return sim_known((uint32_t)load, 2, false) && sim_known((uint32_t)store, 2, false);
}

static bool render_take_depth(const sim_call *call,
                              const WGPURenderPassDepthStencilAttachment *depth,
                              sim_encoder *encoder, sim_pass *pass, sim_text *why)
{
    sim_attachment *attachment = &pass->depth;
    if (!render_take_view(call, depth->view, false, encoder, pass, &attachment->view, why)) {
        return false;
    }
    sim_format facts = sim_format_facts(attachment->view->format);
    if (facts.depth_bytes + facts.stencil_bytes == 0) {
        return sim_say(why, "\"%s\" has no depth or stencil format",
                       attachment->view->texture->base.label);
    }
    if (!render_check_aspect(facts.depth_bytes > 0, depth->depthReadOnly, depth->depthLoadOp,
                             depth->depthStoreOp) ||
        !render_check_aspect(facts.stencil_bytes > 0, depth->stencilReadOnly, depth->stencilLoadOp,
                             depth->stencilStoreOp)) {
        return sim_say(why, "load and store of depth or stencil do not go with format 0x%x",
                       (unsigned)attachment->view->format);
    }
    if (depth->depthLoadOp == WGPULoadOp_Clear &&
        !(depth->depthClearValue >= 0.0f && depth->depthClearValue <= 1.0f)) {
        return sim_say(why, "the depth clear value is out of range");
    }
    attachment->slice = attachment->view->layer;
    attachment->load = depth->depthLoadOp;
    attachment->store = depth->depthStoreOp;
    attachment->stencil_load = depth->stencilLoadOp;
    attachment->stencil_store = depth->stencilStoreOp;
    attachment->depth_clear = depth->depthClearValue;
    attachment->stencil_clear = depth->stencilClearValue;
    pass->depth_read_only = depth->depthReadOnly != 0 || facts.depth_bytes == 0;
    pass->stencil_read_only = depth->stencilReadOnly != 0 || facts.stencil_bytes == 0;
    pass->targets.depth = attachment->view->format;
    return true;
}

static bool render_take(const sim_call *call, const WGPURenderPassDescriptor *desc,
                        sim_encoder *encoder, sim_pass *pass, sim_text *why)
{
    if (desc->colorAttachmentCount > call->device->limits.maxColorAttachments ||
        desc->colorAttachmentCount > SIM_TARGETS) {
        return sim_say(why, "%zu color attachments are too many", desc->colorAttachmentCount);
    }
    pass->color_count = (uint32_t)desc->colorAttachmentCount;
    pass->targets.color_count = pass->color_count;
    for (uint32_t i = 0; i < pass->color_count; ++i) {
        const WGPURenderPassColorAttachment *color = &desc->colorAttachments[i];
        if (color->view == NULL) {
            continue;
        }
        if (!render_take_color(call, color, encoder, pass, &pass->colors[i], why)) {
            return false;
        }
        pass->targets.colors[i] = pass->colors[i].view->format;
        for (uint32_t j = 0; j < i; ++j) {
            const sim_attachment *other = &pass->colors[j];
            if (other->view != NULL && other->view->texture == pass->colors[i].view->texture &&
                other->view->mip == pass->colors[i].view->mip &&
                other->slice == pass->colors[i].slice) {
                return sim_say(why, "\"%s\" is attached twice", other->view->texture->base.label);
            }
        }
    }
    if (desc->depthStencilAttachment != NULL &&
        !render_take_depth(call, desc->depthStencilAttachment, encoder, pass, why)) {
        return false;
    }
    return pass->width > 0 || sim_say(why, "the pass has no attachment");
}

static WGPURenderPassEncoder render_begin(WGPUCommandEncoder handle,
                                          WGPURenderPassDescriptor const *desc)
{
    sim_call call;
    sim_text why;
    WGPURenderPassEncoder result = NULL;
    sim_encoder *encoder =
        sim_enter(&call, GPOOL_GPU_CommandEncoderBeginRenderPass, handle, SIM_KIND_COMMAND_ENCODER);
    if (encoder != NULL) {
        sim_pass_encoder *pass = sim_pass_new(&call, encoder, KIND, desc->label);
        if (encoder->open_pass == &pass->base) {
            sim_command *command = sim_script_add(&encoder->script, SIM_OP_PASS_BEGIN);
            command->pass = sim_must(calloc(1, sizeof *command->pass));
            pass->pass = command->pass;
            if (!render_take(&call, desc, encoder, command->pass, &why)) {
                sim_encoder_error(encoder, "BeginRenderPass \"%s\": %s", pass->base.label,
                                  why.text);
            }
            pass->state.viewport[2] = (float)command->pass->width;
            pass->state.viewport[3] = (float)command->pass->height;
            pass->state.viewport[5] = 1.0f;
            pass->state.scissor[2] = command->pass->width;
            pass->state.scissor[3] = command->pass->height;
        }
        result = SIM_HANDLE(WGPURenderPassEncoder, pass);
    }
    sim_leave(&call);
    return result;
}

static void render_set_pipeline(WGPURenderPassEncoder handle, WGPURenderPipeline pipeline_handle)
{
    sim_call call;
    sim_pass_encoder *pass =
        sim_pass_enter(&call, GPOOL_GPU_RenderPassEncoderSetPipeline, handle, KIND);
    sim_pipeline *pipeline =
        pass != NULL ? sim_get(&call, pipeline_handle, SIM_KIND_RENDER_PIPELINE) : NULL;
    if (pipeline != NULL && pass->pass != NULL) {
        const sim_targets *a = &pipeline->targets;
        const sim_targets *b = &pass->pass->targets;
        bool same = a->depth == b->depth && a->samples == b->samples;
        for (uint32_t i = 0; i < SIM_TARGETS; ++i) {
            same = same && (i < a->color_count ? a->colors[i] : 0) ==
                               (i < b->color_count ? b->colors[i] : 0);
        }
        if (pipeline->base.invalid) {
            sim_encoder_error(pass->encoder, "SetPipeline: the pipeline \"%s\" is invalid",
                              pipeline->base.label);
        } else if (!same) {
            sim_encoder_error(
                pass->encoder,
                "SetPipeline: the targets of the pipeline \"%s\" are not those of the "
                "pass \"%s\"",
                pipeline->base.label, pass->base.label);
        } else if ((pipeline->writes_depth && pass->pass->depth_read_only) ||
                   (pipeline->writes_stencil && pass->pass->stencil_read_only)) {
            sim_encoder_error(pass->encoder,
                              "SetPipeline: the pipeline \"%s\" writes read-only depth or stencil",
                              pipeline->base.label);
        } else {
            pass->state.pipeline = pipeline;
            sim_list_add(&pass->encoder->script.uses, &pipeline->base);
        }
    }
    sim_leave(&call);
}

static void render_set_group(WGPURenderPassEncoder handle, uint32_t index, WGPUBindGroup group,
                             size_t count, uint32_t const *offsets)
{
    sim_pass_set_group(GPOOL_GPU_RenderPassEncoderSetBindGroup, handle, KIND, index, group, count,
                       offsets);
}

static void render_set_blend(WGPURenderPassEncoder handle, WGPUColor const *color)
{
    (void)color;
    sim_pass_marker(GPOOL_GPU_RenderPassEncoderSetBlendConstant, handle, KIND);
}

static void render_set_stencil(WGPURenderPassEncoder handle, uint32_t reference)
{
    (void)reference;
    sim_pass_marker(GPOOL_GPU_RenderPassEncoderSetStencilReference, handle, KIND);
}

static void render_set_scissor(WGPURenderPassEncoder handle, uint32_t x, uint32_t y, uint32_t width,
                               uint32_t height)
{
    sim_call call;
    sim_pass_encoder *pass =
        sim_pass_enter(&call, GPOOL_GPU_RenderPassEncoderSetScissorRect, handle, KIND);
    if (pass != NULL && pass->pass != NULL) {
        if (x > pass->pass->width || width > pass->pass->width - x || y > pass->pass->height ||
            height > pass->pass->height - y) {
            sim_encoder_error(pass->encoder, "SetScissorRect: %u, %u, %u x %u lies outside", x, y,
                              width, height);
        }
        const uint32_t scissor[4] = { x, y, width, height };
        for (int i = 0; i < 4; ++i) {
            pass->state.scissor[i] = scissor[i];
        }
    }
    sim_leave(&call);
}

static void render_set_viewport(WGPURenderPassEncoder handle, float x, float y, float width,
                                float height, float low, float high)
{
    sim_call call;
    sim_pass_encoder *pass =
        sim_pass_enter(&call, GPOOL_GPU_RenderPassEncoderSetViewport, handle, KIND);
    if (pass != NULL) {
        float most = 2.0f * (float)call.device->limits.maxTextureDimension2D;
        if (!(x >= -most && y >= -most && width >= 0 && height >= 0 && x + width <= most &&
              y + height <= most && low >= 0 && low <= high && high <= 1)) {
            sim_encoder_error(pass->encoder, "SetViewport: a value is not possible");
        }
        const float viewport[6] = { x, y, width, height, low, high };
        for (int i = 0; i < 6; ++i) {
            pass->state.viewport[i] = viewport[i];
        }
    }
    sim_leave(&call);
}

static void render_end(WGPURenderPassEncoder handle)
{
    sim_pass_end(GPOOL_GPU_RenderPassEncoderEnd, handle, KIND);
}

static void render_push(WGPURenderPassEncoder handle, WGPUStringView label)
{
    (void)label;
    sim_pass_push(GPOOL_GPU_RenderPassEncoderPushDebugGroup, handle, KIND);
}

static void render_pop(WGPURenderPassEncoder handle)
{
    sim_pass_pop(GPOOL_GPU_RenderPassEncoderPopDebugGroup, handle, KIND);
}

static void render_marker(WGPURenderPassEncoder handle, WGPUStringView label)
{
    (void)label;
    sim_pass_marker(GPOOL_GPU_RenderPassEncoderInsertDebugMarker, handle, KIND);
}

void sim_table_render(gpool_gpu *table)
{
    table->CommandEncoderBeginRenderPass = render_begin;
    table->RenderPassEncoderSetPipeline = render_set_pipeline;
    table->RenderPassEncoderSetBindGroup = render_set_group;
    table->RenderPassEncoderSetBlendConstant = render_set_blend;
    table->RenderPassEncoderSetStencilReference = render_set_stencil;
    table->RenderPassEncoderSetScissorRect = render_set_scissor;
    table->RenderPassEncoderSetViewport = render_set_viewport;
    table->RenderPassEncoderEnd = render_end;
    table->RenderPassEncoderPushDebugGroup = render_push;
    table->RenderPassEncoderPopDebugGroup = render_pop;
    table->RenderPassEncoderInsertDebugMarker = render_marker;
    sim_table_draw(table);
}
