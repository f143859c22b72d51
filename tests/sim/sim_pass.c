/* What render and compute passes share: life, debug groups, bind groups, work. */
#include "sim_pass.h"

#include <stdlib.h>
#include <string.h>

sim_pass_encoder *sim_pass_new(const sim_call *call, sim_encoder *encoder, sim_kind kind,
                               WGPUStringView label)
{
    sim_pass_encoder *pass = sim_object_new(call->sim, kind, sizeof *pass, call->device, label);
    pass->encoder = encoder;
    sim_hold(&encoder->base);
    if (encoder->finished) {
        sim_error(call->device, WGPUErrorType_Validation, "%s: the encoder \"%s\" is finished",
                  sim_function_name(call->function), encoder->base.label);
    } else if (encoder->open_pass != NULL) {
        sim_encoder_error(encoder, "%s while a pass is open", sim_function_name(call->function));
    } else {
        encoder->open_pass = &pass->base;
        if (call->way == SIM_FAIL_VALIDATION) {
            sim_encoder_error(encoder, "Injected failure of %s", sim_function_name(call->function));
        }
    }
    return pass;
}

sim_pass_encoder *sim_pass_enter(sim_call *call, int function, const void *handle, sim_kind kind)
{
    sim_pass_encoder *pass = sim_enter(call, function, handle, kind);
    if (pass == NULL) {
        return NULL;
    }
    if (pass->ended) {
        if (sim_is_dawn(call->sim)) {
            sim_encoder_error(pass->encoder, "%s: the pass \"%s\" has ended",
                              sim_function_name(function), pass->base.label);
        } else {
            sim_error(call->device, WGPUErrorType_Validation, "%s: the pass \"%s\" has ended",
                      sim_function_name(function), pass->base.label);
        }
        return NULL;
    }
    if (pass->encoder->finished) {
        return NULL; /* Finish told that the pass is open */
    }
    if (call->way == SIM_FAIL_VALIDATION) {
        sim_encoder_error(pass->encoder, "Injected failure of %s", sim_function_name(function));
        return NULL;
    }
    return pass;
}

void sim_pass_end(int function, const void *handle, sim_kind kind)
{
    sim_call call;
    sim_pass_encoder *pass = sim_pass_enter(&call, function, handle, kind);
    if (pass != NULL) {
        if (pass->groups > 0) {
            sim_encoder_error(pass->encoder, "%u debug groups of the pass \"%s\" are open",
                              pass->groups, pass->base.label);
        }
        pass->ended = true;
        if (pass->encoder->open_pass == &pass->base) {
            pass->encoder->open_pass = NULL;
        }
        if (pass->pass != NULL && pass->encoder->error[0] == '\0') {
            (void)sim_script_add(&pass->encoder->script, SIM_OP_PASS_END);
        }
    }
    sim_leave(&call);
}

void sim_pass_push(int function, const void *handle, sim_kind kind)
{
    sim_call call;
    sim_pass_encoder *pass = sim_pass_enter(&call, function, handle, kind);
    if (pass != NULL) {
        pass->groups += 1;
    }
    sim_leave(&call);
}

void sim_pass_pop(int function, const void *handle, sim_kind kind)
{
    sim_call call;
    sim_pass_encoder *pass = sim_pass_enter(&call, function, handle, kind);
    if (pass != NULL && pass->groups == 0) {
        sim_encoder_error(pass->encoder, "PopDebugGroup without a group");
    } else if (pass != NULL) {
        pass->groups -= 1;
    }
    sim_leave(&call);
}

void sim_pass_marker(int function, const void *handle, sim_kind kind)
{
    sim_call call;
    (void)sim_pass_enter(&call, function, handle, kind);
    sim_leave(&call);
}

/* --- bind groups --- */

static bool pass_check_dynamics(const sim_device *device, const sim_group *group, size_t count,
                                const uint32_t *offsets, sim_text *why)
{
    const sim_layout *layout = group->layout;
    if (count != layout->dynamic_count || count > SIM_DYNAMICS) {
        return sim_say(why, "%zu dynamic offsets where the group \"%s\" has %zu", count,
                       group->base.label, layout->dynamic_count);
    }
    size_t next = 0;
    for (size_t i = 0; i < layout->count; ++i) {
        const WGPUBindGroupLayoutEntry *entry = &layout->entries[i];
        if (entry->buffer.type == 0 || !entry->buffer.hasDynamicOffset) {
            continue;
        }
        uint32_t offset = offsets[next++];
        uint32_t alignment = entry->buffer.type == WGPUBufferBindingType_Uniform
                                 ? device->limits.minUniformBufferOffsetAlignment
                                 : device->limits.minStorageBufferOffsetAlignment;
        const sim_bound *bound = &group->bounds[i];
        const sim_buffer *buffer = (const sim_buffer *)bound->object;
        if (offset % alignment != 0) {
            return sim_say(why, "the dynamic offset %u is no multiple of %u", offset, alignment);
        }
        if (bound->offset + offset > buffer->size ||
            bound->size > buffer->size - bound->offset - offset) {
            return sim_say(why, "the dynamic offset %u leads out of the buffer \"%s\"", offset,
                           buffer->base.label);
        }
    }
    return true;
}

void sim_pass_set_group(int function, const void *handle, sim_kind kind, uint32_t index,
                        WGPUBindGroup group_handle, size_t count, const uint32_t *offsets)
{
    sim_call call;
    sim_text why;
    sim_pass_encoder *pass = sim_pass_enter(&call, function, handle, kind);
    if (pass == NULL) {
        sim_leave(&call);
        return;
    }
    if (index >= call.device->limits.maxBindGroups || index >= SIM_GROUPS) {
        /* Our wgpu-native ends the process for an index its arrays do not have. */
        if (index >= SIM_GROUPS && !sim_is_dawn(call.sim)) {
            sim_fatal(call.sim, function, "group %u is out of range", index);
        }
        sim_encoder_error(pass->encoder, "SetBindGroup: group %u is over the limit", index);
        sim_leave(&call);
        return;
    }
    sim_group *group = sim_get_optional(&call, group_handle, SIM_KIND_BIND_GROUP);
    if (group != NULL) {
        if (group->base.invalid || group->base.device != call.device) {
            sim_encoder_error(pass->encoder, "SetBindGroup: the group \"%s\" is invalid",
                              group->base.label);
            group = NULL;
        } else if (!pass_check_dynamics(call.device, group, count, offsets, &why)) {
            sim_encoder_error(pass->encoder, "SetBindGroup: %s", why.text);
            group = NULL;
        }
    }
    pass->state.groups[index] = group;
    for (size_t i = 0; group != NULL && i < count; ++i) {
        pass->state.dynamics[index][i] = offsets[i];
    }
    if (group != NULL) {
        sim_list_add(&pass->encoder->script.uses, &group->base);
    }
    sim_leave(&call);
}

bool sim_pass_check_groups(const sim_pass_encoder *pass, sim_text *why)
{
    const sim_pipeline *pipeline = pass->state.pipeline;
    if (pipeline == NULL) {
        return sim_say(why, "no pipeline is set");
    }
    for (uint32_t i = 0; pipeline->layout != NULL && i < pipeline->layout->count; ++i) {
        const sim_layout *wanted = pipeline->layout->groups[i];
        const sim_group *group = pass->state.groups[i];
        if (wanted == NULL) {
            continue;
        }
        if (group == NULL) {
            return sim_say(why, "group %u of the pipeline \"%s\" is not set", i,
                           pipeline->base.label);
        }
        if (group->layout->hash != wanted->hash || group->layout->count != wanted->count) {
            return sim_say(why, "group %u \"%s\" does not fit the pipeline \"%s\"", i,
                           group->base.label, pipeline->base.label);
        }
    }
    return true;
}

bool sim_pass_check_indirect(const sim_buffer *buffer, uint64_t offset, uint64_t size,
                             sim_text *why)
{
    return (!buffer->base.invalid && (buffer->usage & WGPUBufferUsage_Indirect) != 0 &&
            offset % 4 == 0 && offset <= buffer->size && size <= buffer->size - offset) ||
           sim_say(why, "the buffer \"%s\" lacks Indirect, or offset %llu is not possible",
                   buffer->base.label, (unsigned long long)offset);
}

sim_work *sim_pass_add_work(sim_pass_encoder *pass)
{
    sim_command *command = sim_script_add(&pass->encoder->script, SIM_OP_WORK);
    command->work = sim_must(calloc(1, sizeof *command->work));
    command->work->state = pass->state;
    command->work->draw = pass->pass != NULL;
    command->work->pass = pass->pass;
    return command->work;
}
