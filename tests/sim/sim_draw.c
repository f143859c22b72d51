/* Draws and the buffers they read. */
#include "sim_pass.h"

#define KIND SIM_KIND_RENDER_PASS

/* Takes a vertex or index buffer; NULL and an encoder error when it cannot be bound. */
static sim_buffer *draw_take_buffer(const sim_call *call, sim_pass_encoder *pass, WGPUBuffer handle,
                                    WGPUBufferUsage usage, uint64_t offset, uint64_t *size)
{
    sim_buffer *buffer = sim_get(call, handle, SIM_KIND_BUFFER);
    if (buffer == NULL) {
        return NULL;
    }
    if (*size == WGPU_WHOLE_SIZE && offset <= buffer->size) {
        *size = buffer->size - offset;
    }
    if (buffer->base.invalid || (buffer->usage & usage) == 0 || offset > buffer->size ||
        *size > buffer->size - offset) {
        sim_encoder_error(pass->encoder,
                          "%s: the buffer \"%s\" is invalid, lacks the usage, or "
                          "%llu bytes at %llu lie outside",
                          sim_function_name(call->function), buffer->base.label,
                          (unsigned long long)*size, (unsigned long long)offset);
        return NULL;
    }
    sim_list_add(&pass->encoder->script.uses, &buffer->base);
    return buffer;
}

static void draw_set_vertices(WGPURenderPassEncoder handle, uint32_t slot, WGPUBuffer buffer_handle,
                              uint64_t offset, uint64_t size)
{
    sim_call call;
    sim_pass_encoder *pass =
        sim_pass_enter(&call, GPOOL_GPU_RenderPassEncoderSetVertexBuffer, handle, KIND);
    if (pass != NULL &&
        (slot >= call.device->limits.maxVertexBuffers || slot >= SIM_VERTICES || offset % 4 != 0)) {
        sim_encoder_error(pass->encoder, "SetVertexBuffer: slot %u or offset %llu", slot,
                          (unsigned long long)offset);
    } else if (pass != NULL && buffer_handle == NULL) {
        pass->state.vertices[slot] = NULL;
    } else if (pass != NULL) {
        sim_buffer *buffer =
            draw_take_buffer(&call, pass, buffer_handle, WGPUBufferUsage_Vertex, offset, &size);
        pass->state.vertices[slot] = buffer;
        pass->state.vertex_offsets[slot] = offset;
        pass->state.vertex_sizes[slot] = buffer != NULL ? size : 0;
    }
    sim_leave(&call);
}

static void draw_set_indices(WGPURenderPassEncoder handle, WGPUBuffer buffer_handle,
                             WGPUIndexFormat format, uint64_t offset, uint64_t size)
{
    sim_call call;
    sim_pass_encoder *pass =
        sim_pass_enter(&call, GPOOL_GPU_RenderPassEncoderSetIndexBuffer, handle, KIND);
    if (pass != NULL && !sim_known((uint32_t)format, 2, false)) {
        if (!sim_is_dawn(call.sim)) {
            sim_fatal(call.sim, call.function, "the index format %u is unknown", (unsigned)format);
        }
        sim_encoder_error(pass->encoder, "SetIndexBuffer: the format %u is unknown",
                          (unsigned)format);
    } else if (pass != NULL && offset % (format == WGPUIndexFormat_Uint16 ? 2 : 4) != 0) {
        sim_encoder_error(pass->encoder, "SetIndexBuffer: the offset %llu is not aligned",
                          (unsigned long long)offset);
    } else if (pass != NULL) {
        sim_buffer *buffer =
            draw_take_buffer(&call, pass, buffer_handle, WGPUBufferUsage_Index, offset, &size);
        pass->state.indices = buffer;
        pass->state.index_offset = offset;
        pass->state.index_size = buffer != NULL ? size : 0;
        pass->state.index_format = format;
    }
    sim_leave(&call);
}

/* A binding seen twice in the pass, once to be written: attachments against bound views. */
static bool draw_check_feedback(const sim_pass_encoder *pass, sim_text *why)
{
    for (uint32_t i = 0; i < SIM_GROUPS; ++i) {
        const sim_group *group = pass->state.groups[i];
        for (size_t j = 0; group != NULL && j < group->count; ++j) {
            if (group->bounds[j].object->kind != SIM_KIND_TEXTURE_VIEW) {
                continue;
            }
            const sim_view *bound = (const sim_view *)group->bounds[j].object;
            for (uint32_t k = 0; k <= pass->pass->color_count; ++k) {
                bool depth = k == pass->pass->color_count;
                const sim_attachment *at = depth ? &pass->pass->depth : &pass->pass->colors[k];
                bool read_only =
                    depth && pass->pass->depth_read_only && pass->pass->stencil_read_only;
                if (at->view != NULL && !read_only && at->view->texture == bound->texture &&
                    at->view->mip >= bound->mip && at->view->mip - bound->mip < bound->mips &&
                    (bound->texture->dimension == WGPUTextureDimension_3D ||
                     (at->slice >= bound->layer && at->slice - bound->layer < bound->layers))) {
                    return sim_say(why, "\"%s\" is bound and an attachment at once",
                                   bound->texture->base.label);
                }
            }
        }
    }
    return true;
}

static bool draw_check(const sim_pass_encoder *pass, bool indexed, sim_text *why)
{
    const sim_state *state = &pass->state;
    if (pass->pass == NULL || !sim_pass_check_groups(pass, why)) {
        return pass->pass != NULL ? false : sim_say(why, "the pass is invalid");
    }
    const sim_pipeline *pipeline = state->pipeline;
    for (uint32_t i = 0; i < pipeline->slot_count; ++i) {
        if (pipeline->used[i] && state->vertices[i] == NULL) {
            return sim_say(why, "vertex buffer %u of the pipeline \"%s\" is not set", i,
                           pipeline->base.label);
        }
    }
    if (indexed && state->indices == NULL) {
        return sim_say(why, "no index buffer is set");
    }
    if (indexed && pipeline->strip && pipeline->strip_format != state->index_format) {
        return sim_say(why, "the index format is not that of the strip");
    }
    return draw_check_feedback(pass, why);
}

static bool draw_check_vertices(const sim_pass_encoder *pass, bool instanced, uint64_t first,
                                uint64_t count, sim_text *why)
{
    const sim_pipeline *pipeline = pass->state.pipeline;
    for (uint32_t i = 0; i < pipeline->slot_count; ++i) {
        if (!pipeline->used[i] || pipeline->instanced[i] != instanced || first + count == 0) {
            continue;
        }
        uint64_t needed = (first + count - 1) * pipeline->strides[i] + pipeline->last_strides[i];
        if (needed > pass->state.vertex_sizes[i]) {
            return sim_say(why, "%llu elements are over vertex buffer %u",
                           (unsigned long long)(first + count), i);
        }
    }
    return true;
}

static void draw_plain(WGPURenderPassEncoder handle, uint32_t vertices, uint32_t instances,
                       uint32_t first_vertex, uint32_t first_instance)
{
    sim_call call;
    sim_text why;
    sim_pass_encoder *pass = sim_pass_enter(&call, GPOOL_GPU_RenderPassEncoderDraw, handle, KIND);
    if (pass != NULL) {
        if (!draw_check(pass, false, &why) ||
            !draw_check_vertices(pass, false, first_vertex, vertices, &why) ||
            !draw_check_vertices(pass, true, first_instance, instances, &why)) {
            sim_encoder_error(pass->encoder, "Draw: %s", why.text);
        } else {
            sim_work *work = sim_pass_add_work(pass);
            const uint32_t counts[4] = { vertices, instances, first_vertex, first_instance };
            for (int i = 0; i < 4; ++i) {
                work->counts[i] = counts[i];
            }
        }
    }
    sim_leave(&call);
}

static void draw_indexed(WGPURenderPassEncoder handle, uint32_t indices, uint32_t instances,
                         uint32_t first_index, int32_t base_vertex, uint32_t first_instance)
{
    sim_call call;
    sim_text why;
    sim_pass_encoder *pass =
        sim_pass_enter(&call, GPOOL_GPU_RenderPassEncoderDrawIndexed, handle, KIND);
    if (pass != NULL) {
        uint64_t bytes = pass->state.index_format == WGPUIndexFormat_Uint16 ? 2 : 4;
        if (!draw_check(pass, true, &why) ||
            !draw_check_vertices(pass, true, first_instance, instances, &why)) {
            sim_encoder_error(pass->encoder, "DrawIndexed: %s", why.text);
        } else if (((uint64_t)first_index + indices) * bytes > pass->state.index_size) {
            sim_encoder_error(pass->encoder, "DrawIndexed: %u + %u are over the index buffer",
                              first_index, indices);
        } else {
            sim_work *work = sim_pass_add_work(pass);
            const uint32_t counts[4] = { indices, instances, first_index, first_instance };
            for (int i = 0; i < 4; ++i) {
                work->counts[i] = counts[i];
            }
            work->indexed = true;
            work->base_vertex = base_vertex;
        }
    }
    sim_leave(&call);
}

static void draw_any_indirect(int function, WGPURenderPassEncoder handle, WGPUBuffer indirect,
                              uint64_t offset, bool indexed)
{
    sim_call call;
    sim_text why;
    sim_pass_encoder *pass = sim_pass_enter(&call, function, handle, KIND);
    sim_buffer *buffer = pass != NULL ? sim_get(&call, indirect, SIM_KIND_BUFFER) : NULL;
    if (buffer != NULL) {
        if (!draw_check(pass, indexed, &why) ||
            !sim_pass_check_indirect(buffer, offset, indexed ? 20 : 16, &why)) {
            sim_encoder_error(pass->encoder, "%s: %s", sim_function_name(function), why.text);
        } else {
            sim_work *work = sim_pass_add_work(pass);
            work->indexed = indexed;
            work->indirect = buffer;
            work->indirect_offset = offset;
            sim_list_add(&pass->encoder->script.uses, &buffer->base);
        }
    }
    sim_leave(&call);
}

static void draw_indirect(WGPURenderPassEncoder handle, WGPUBuffer indirect, uint64_t offset)
{
    draw_any_indirect(GPOOL_GPU_RenderPassEncoderDrawIndirect, handle, indirect, offset, false);
}

static void draw_indexed_indirect(WGPURenderPassEncoder handle, WGPUBuffer indirect,
                                  uint64_t offset)
{
    draw_any_indirect(GPOOL_GPU_RenderPassEncoderDrawIndexedIndirect, handle, indirect, offset,
                      true);
}

void sim_table_draw(gpool_gpu *table)
{
    table->RenderPassEncoderSetVertexBuffer = draw_set_vertices;
    table->RenderPassEncoderSetIndexBuffer = draw_set_indices;
    table->RenderPassEncoderDraw = draw_plain;
    table->RenderPassEncoderDrawIndexed = draw_indexed;
    table->RenderPassEncoderDrawIndirect = draw_indirect;
    table->RenderPassEncoderDrawIndexedIndirect = draw_indexed_indirect;
}
