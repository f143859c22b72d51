/* Executes what was submitted: copies, clears, attachments, host versions of shaders. */
#include "sim_state.h"

#include <string.h>

static void execute_copy_textures(const sim_command *command)
{
    const sim_texture *from = command->from.texture;
    const sim_texture *to = command->to.texture;
    uint32_t bw = from->facts.block_width;
    uint32_t bh = from->facts.block_height;
    size_t bytes = (size_t)(command->extent.width / bw) * from->facts.block_bytes;
    for (uint32_t z = 0; z < command->extent.depthOrArrayLayers; ++z) {
        for (uint32_t y = 0; y < command->extent.height / bh; ++y) {
            size_t row;
            size_t layer;
            const uint8_t *source = sim_texel(from, command->from.mip, command->from.origin.x / bw,
                                              command->from.origin.y / bh + y,
                                              command->from.origin.z + z, &row, &layer);
            uint8_t *target =
                sim_texel(to, command->to.mip, command->to.origin.x / bw,
                          command->to.origin.y / bh + y, command->to.origin.z + z, &row, &layer);
            memmove(target, source, bytes);
        }
    }
}

/* Writes `size` bytes of every texel, `offset` bytes into it, of the attachment's layer. */
static void execute_fill(const sim_attachment *attachment, size_t offset, const uint8_t *texel,
                         size_t size)
{
    const sim_texture *texture = attachment->view->texture;
    uint32_t mip = attachment->view->mip;
    uint32_t width;
    uint32_t height;
    uint32_t layers;
    size_t row;
    size_t layer;
    sim_level(texture, mip, &width, &height, &layers);
    for (uint32_t y = 0; y < height; ++y) {
        uint8_t *at = sim_texel(texture, mip, 0, y, attachment->slice, &row, &layer);
        for (uint32_t x = 0; x < width; ++x) {
            memcpy(at + (size_t)x * texture->facts.block_bytes + offset, texel, size);
        }
    }
}

static void execute_pass_begin(const sim_pass *pass)
{
    uint8_t texel[16] = { 0 };
    for (uint32_t i = 0; i < pass->color_count; ++i) {
        const sim_attachment *color = &pass->colors[i];
        if (color->view != NULL && color->load == WGPULoadOp_Clear) {
            sim_format facts = sim_format_facts(color->view->format);
            sim_format_color(&facts, &color->clear, texel);
            execute_fill(color, 0, texel, facts.block_bytes);
        }
    }
    const sim_attachment *depth = &pass->depth;
    if (depth->view == NULL) {
        return;
    }
    const sim_texture *texture = depth->view->texture;
    if (depth->load == WGPULoadOp_Clear) {
        sim_format_depth(texture->format, depth->depth_clear, texel);
        execute_fill(depth, 0, texel, texture->facts.depth_bytes);
    }
    if (depth->stencil_load == WGPULoadOp_Clear) {
        texel[0] = (uint8_t)depth->stencil_clear;
        execute_fill(depth, texture->facts.depth_bytes, texel, 1);
    }
}

static void execute_resolve(const sim_attachment *color)
{
    sim_attachment target = { .view = color->resolve, .slice = color->resolve->layer };
    const sim_texture *from = color->view->texture;
    const sim_texture *to = target.view->texture;
    uint32_t width;
    uint32_t height;
    uint32_t layers;
    size_t row;
    size_t layer;
    sim_level(from, color->view->mip, &width, &height, &layers);
    for (uint32_t y = 0; y < height; ++y) {
        const uint8_t *source = sim_texel(from, color->view->mip, 0, y, color->slice, &row, &layer);
        uint8_t *out = sim_texel(to, target.view->mip, 0, y, target.slice, &row, &layer);
        memcpy(out, source, (size_t)width * from->facts.block_bytes);
    }
}

/* Stores, resolves; what is discarded reads as zero afterwards, as the specification says. */
static void execute_pass_end(const sim_pass *pass)
{
    static const uint8_t zero[16] = { 0 };
    for (uint32_t i = 0; i < pass->color_count; ++i) {
        const sim_attachment *color = &pass->colors[i];
        if (color->view != NULL && color->resolve != NULL) {
            execute_resolve(color);
        }
        if (color->view != NULL && color->store == WGPUStoreOp_Discard) {
            execute_fill(color, 0, zero, color->view->texture->facts.block_bytes);
        }
    }
    const sim_attachment *depth = &pass->depth;
    if (depth->view != NULL && depth->store == WGPUStoreOp_Discard) {
        execute_fill(depth, 0, zero, depth->view->texture->facts.depth_bytes);
    }
    if (depth->view != NULL && depth->stencil_store == WGPUStoreOp_Discard) {
        execute_fill(depth, depth->view->texture->facts.depth_bytes, zero, 1);
    }
}

/* --- work --- */

static const sim_host_shader *execute_find(const sim *s, const sim_shader *shader)
{
    for (const sim_host_shader *host = s->shaders; host != NULL && shader != NULL;
         host = host->next) {
        if (host->hash == shader->hash) {
            return host;
        }
    }
    return NULL;
}

static void execute_note_draw(sim *s, const sim_work *work)
{
    sim_draw *draw = &s->draws[s->draw_count++ % SIM_DRAWS];
    const sim_state *state = &work->state;
    *draw = (sim_draw){ .indexed = work->indexed,
                        .indirect = work->indirect != NULL,
                        .base_vertex = work->base_vertex,
                        .pipeline = SIM_HANDLE(WGPURenderPipeline, state->pipeline) };
    memcpy(draw->counts, work->counts, sizeof draw->counts);
    memcpy(draw->viewport, state->viewport, sizeof draw->viewport);
    memcpy(draw->scissor, state->scissor, sizeof draw->scissor);
    for (uint32_t i = 0; i < 8; ++i) {
        if (state->groups[i] != NULL) {
            draw->groups[i] = SIM_HANDLE(WGPUBindGroup, state->groups[i]);
            draw->dynamic_offsets[i] = state->dynamics[i][0];
        }
        if (state->vertices[i] != NULL) {
            draw->vertex_buffers[i] = SIM_HANDLE(WGPUBuffer, state->vertices[i]);
            draw->vertex_offsets[i] = state->vertex_offsets[i];
        }
    }
    if (state->indices != NULL) {
        draw->index_buffer = SIM_HANDLE(WGPUBuffer, state->indices);
    }
}

static void execute_work(sim *s, sim_work *work)
{
    if (work->indirect != NULL) {
        const uint8_t *args = work->indirect->bytes + work->indirect_offset;
        if (work->indexed) {
            memcpy(work->counts, args, 12);
            memcpy(&work->base_vertex, args + 12, 4);
            memcpy(&work->counts[3], args + 16, 4);
        } else {
            memcpy(work->counts, args, work->draw ? 16 : 12);
        }
    }
    const sim_pipeline *pipeline = work->state.pipeline;
    const sim_host_shader *host = execute_find(s, pipeline->vertex);
    if (work->draw) {
        execute_note_draw(s, work);
        host = host != NULL ? host : execute_find(s, pipeline->fragment);
    } else {
        s->dispatch_count += 1;
        if (work->counts[0] == 0 || work->counts[1] == 0 || work->counts[2] == 0) {
            return; /* no workgroup, no shader */
        }
        if (host == NULL) {
            sim_fatal(s, GPOOL_GPU_QueueSubmit,
                      "a dispatch of \"%s\": its shader \"%s\" has no host version",
                      pipeline->base.label, pipeline->vertex->base.label);
        }
    }
    if (host != NULL) {
        host->fn(work, host->user);
    }
}

void sim_execute(sim *s, const sim_script *script)
{
    const sim_pass *pass = NULL;
    for (sim_command *command = script->first; command != NULL; command = command->next) {
        switch (command->op) {
        case SIM_OP_CLEAR:
            memset(command->target->bytes + command->target_offset, 0, (size_t)command->size);
            break;
        case SIM_OP_BUFFER_TO_BUFFER:
            memcpy(command->target->bytes + command->target_offset,
                   command->source->bytes + command->source_offset, (size_t)command->size);
            break;
        case SIM_OP_BUFFER_TO_TEXTURE:
        case SIM_OP_TEXTURE_TO_BUFFER:
            sim_copy_rows(command->source->bytes, &command->rows, &command->to, &command->extent,
                          command->op == SIM_OP_BUFFER_TO_TEXTURE);
            break;
        case SIM_OP_TEXTURE_TO_TEXTURE:
            execute_copy_textures(command);
            break;
        case SIM_OP_PASS_BEGIN:
            pass = command->pass;
            execute_pass_begin(pass);
            break;
        case SIM_OP_PASS_END:
            execute_pass_end(pass);
            break;
        case SIM_OP_WORK:
            execute_work(s, command->work);
            break;
        }
    }
}

/* --- what host versions and tests see --- */

const uint32_t *sim_work_counts(const sim_work *work)
{
    return work->counts;
}

bool sim_work_is_draw(const sim_work *work)
{
    return work->draw;
}

/* Finds a binding; *dynamic is its place among the dynamic ones, or SIM_DYNAMICS. */
static const sim_bound *execute_binding(const sim_work *work, uint32_t index, uint32_t binding,
                                        size_t *dynamic)
{
    const sim_group *group = index < SIM_GROUPS ? work->state.groups[index] : NULL;
    *dynamic = 0;
    for (size_t i = 0; group != NULL && i < group->count; ++i) {
        const WGPUBufferBindingLayout *layout = &group->layout->entries[i].buffer;
        bool is_dynamic = layout->type != 0 && layout->hasDynamicOffset;
        if (group->bounds[i].binding == binding) {
            *dynamic = is_dynamic ? *dynamic : SIM_DYNAMICS;
            return &group->bounds[i];
        }
        *dynamic += is_dynamic;
    }
    return NULL;
}

uint8_t *sim_work_buffer(const sim_work *work, uint32_t group, uint32_t binding, uint64_t *size)
{
    size_t dynamic;
    const sim_bound *bound = execute_binding(work, group, binding, &dynamic);
    if (bound == NULL || bound->object->kind != SIM_KIND_BUFFER) {
        return NULL;
    }
    uint64_t offset = bound->offset;
    offset += dynamic < SIM_DYNAMICS ? work->state.dynamics[group][dynamic] : 0;
    *size = bound->size;
    return ((sim_buffer *)bound->object)->bytes + offset;
}

uint8_t *sim_work_vertices(const sim_work *work, uint32_t slot, uint64_t *size)
{
    const sim_state *state = &work->state;
    if (slot == UINT32_MAX) {
        *size = state->index_size;
        return state->indices != NULL ? state->indices->bytes + state->index_offset : NULL;
    }
    if (slot >= SIM_VERTICES || state->vertices[slot] == NULL) {
        return NULL;
    }
    *size = state->vertex_sizes[slot];
    return state->vertices[slot]->bytes + state->vertex_offsets[slot];
}

static void execute_pixels(const sim_view *view, uint32_t slice, uint32_t layers,
                           sim_pixels *pixels)
{
    uint32_t all;
    sim_level(view->texture, view->mip, &pixels->width, &pixels->height, &all);
    pixels->layers =
        view->texture->dimension == WGPUTextureDimension_3D && layers == 0 ? all : layers;
    pixels->bytes =
        sim_texel(view->texture, view->mip, 0, 0, slice, &pixels->row_bytes, &pixels->layer_bytes);
}

bool sim_work_texture(const sim_work *work, uint32_t group, uint32_t binding, sim_pixels *pixels)
{
    size_t dynamic;
    const sim_bound *bound = execute_binding(work, group, binding, &dynamic);
    if (bound == NULL || bound->object->kind != SIM_KIND_TEXTURE_VIEW) {
        return false;
    }
    const sim_view *view = (const sim_view *)bound->object;
    bool volume = view->texture->dimension == WGPUTextureDimension_3D;
    execute_pixels(view, volume ? 0 : view->layer, volume ? 0 : view->layers, pixels);
    return true;
}

bool sim_work_target(const sim_work *work, uint32_t index, sim_pixels *pixels)
{
    if (work->pass == NULL || index >= work->pass->color_count ||
        work->pass->colors[index].view == NULL) {
        return false;
    }
    execute_pixels(work->pass->colors[index].view, work->pass->colors[index].slice, 1, pixels);
    return true;
}

uint64_t sim_draw_count(sim *s)
{
    sim_lock();
    uint64_t count = s->draw_count;
    sim_unlock();
    return count;
}

uint64_t sim_dispatch_count(sim *s)
{
    sim_lock();
    uint64_t count = s->dispatch_count;
    sim_unlock();
    return count;
}

bool sim_get_draw(sim *s, uint64_t index, sim_draw *draw)
{
    sim_lock();
    bool there = index < s->draw_count && s->draw_count - index <= SIM_DRAWS;
    if (there) {
        *draw = s->draws[index % SIM_DRAWS];
    }
    sim_unlock();
    return there;
}
