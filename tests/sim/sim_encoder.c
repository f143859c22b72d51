/* Command encoders: copies, clears, debug groups, Finish. */
#include "sim_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sim_encoder_error(sim_encoder *encoder, const char *format, ...)
{
    if (encoder->error[0] != '\0') {
        return;
    }
    va_list list;
    va_start(list, format);
    (void)vsnprintf(encoder->error, sizeof encoder->error, format, list);
    va_end(list);
}

sim_command *sim_script_add(sim_script *script, sim_op op)
{
    sim_command *command = sim_must(calloc(1, sizeof *command));
    command->op = op;
    if (script->last != NULL) {
        script->last->next = command;
    } else {
        script->first = command;
    }
    script->last = command;
    return command;
}

static WGPUCommandEncoder encoder_create(WGPUDevice handle,
                                         WGPUCommandEncoderDescriptor const *desc)
{
    sim_call call;
    WGPUCommandEncoder result = NULL;
    sim_device *device =
        sim_enter(&call, GPOOL_GPU_DeviceCreateCommandEncoder, handle, SIM_KIND_DEVICE);
    if (device != NULL && call.way != SIM_FAIL_NULL) {
        WGPUStringView none = { NULL, 0 };
        if (device->lost && !device->lost_told && !sim_is_dawn(call.sim)) {
            sim_device_tell_lost(device, WGPUDeviceLostReason_Destroyed, "Device lost");
        }
        bool good = sim_create_good(&call, device);
        sim_encoder *encoder = sim_object_new(call.sim, SIM_KIND_COMMAND_ENCODER, sizeof *encoder,
                                              device, desc != NULL ? desc->label : none);
        encoder->base.invalid = !good;
        if (!good) {
            sim_encoder_error(encoder, "the encoder is invalid");
        }
        result = SIM_HANDLE(WGPUCommandEncoder, encoder);
    }
    sim_leave(&call);
    return result;
}

/* Looks an encoder up for a command; NULL when it takes none. */
static sim_encoder *encoder_enter(sim_call *call, int function, WGPUCommandEncoder handle)
{
    sim_encoder *encoder = sim_enter(call, function, handle, SIM_KIND_COMMAND_ENCODER);
    if (encoder == NULL) {
        return NULL;
    }
    if (encoder->finished) {
        sim_error(call->device, WGPUErrorType_Validation, "%s: the encoder \"%s\" is finished",
                  sim_function_name(function), encoder->base.label);
        return NULL;
    }
    if (encoder->open_pass != NULL) {
        sim_encoder_error(encoder, "%s while a pass is open", sim_function_name(function));
        return NULL;
    }
    if (call->way == SIM_FAIL_VALIDATION) {
        sim_encoder_error(encoder, "Injected failure of %s", sim_function_name(function));
        return NULL;
    }
    return encoder;
}

static bool encoder_check_range(const sim_encoder *encoder, const sim_buffer *buffer,
                                WGPUBufferUsage usage, uint64_t offset, uint64_t size,
                                sim_text *why)
{
    const char *label = buffer->base.label;
    if (buffer->base.device != encoder->base.device) {
        return sim_say(why, "the buffer \"%s\" is of another device", label);
    }
    if (buffer->base.invalid) {
        return sim_say(why, "the buffer \"%s\" is invalid", label);
    }
    if ((buffer->usage & usage) == 0) {
        return sim_say(why, "the buffer \"%s\" lacks usage 0x%llx", label,
                       (unsigned long long)usage);
    }
    if (offset % 4 != 0 || size % 4 != 0) {
        return sim_say(why, "offset %llu or size %llu is no multiple of 4",
                       (unsigned long long)offset, (unsigned long long)size);
    }
    return (offset <= buffer->size && size <= buffer->size - offset) ||
           sim_say(why, "%llu bytes at %llu lie outside the buffer \"%s\" of %llu",
                   (unsigned long long)size, (unsigned long long)offset, label,
                   (unsigned long long)buffer->size);
}

static void encoder_clear(WGPUCommandEncoder handle, WGPUBuffer target, uint64_t offset,
                          uint64_t size)
{
    sim_call call;
    sim_text why;
    sim_encoder *encoder = encoder_enter(&call, GPOOL_GPU_CommandEncoderClearBuffer, handle);
    sim_buffer *buffer = encoder != NULL ? sim_get(&call, target, SIM_KIND_BUFFER) : NULL;
    if (buffer != NULL && size == 0 && !sim_is_dawn(call.sim)) {
        sim_fatal(call.sim, call.function, "the size is 0");
    } else if (buffer != NULL) {
        if (size == WGPU_WHOLE_SIZE && offset <= buffer->size) {
            size = buffer->size - offset;
        }
        if (!encoder_check_range(encoder, buffer, WGPUBufferUsage_CopyDst, offset, size, &why)) {
            sim_encoder_error(encoder, "ClearBuffer: %s", why.text);
        } else {
            sim_command *command = sim_script_add(&encoder->script, SIM_OP_CLEAR);
            command->target = buffer;
            command->target_offset = offset;
            command->size = size;
            sim_list_add(&encoder->script.uses, &buffer->base);
        }
    }
    sim_leave(&call);
}

static void encoder_copy_buffer(WGPUCommandEncoder handle, WGPUBuffer from, uint64_t from_offset,
                                WGPUBuffer to, uint64_t to_offset, uint64_t size)
{
    sim_call call;
    sim_text why;
    sim_encoder *encoder = encoder_enter(&call, GPOOL_GPU_CommandEncoderCopyBufferToBuffer, handle);
    sim_buffer *source = encoder != NULL ? sim_get(&call, from, SIM_KIND_BUFFER) : NULL;
    sim_buffer *target = encoder != NULL ? sim_get(&call, to, SIM_KIND_BUFFER) : NULL;
    if (source != NULL && target != NULL) {
        if (source == target) {
            sim_encoder_error(encoder, "CopyBufferToBuffer: source and target are the same buffer");
        } else if (!encoder_check_range(encoder, source, WGPUBufferUsage_CopySrc, from_offset, size,
                                        &why) ||
                   !encoder_check_range(encoder, target, WGPUBufferUsage_CopyDst, to_offset, size,
                                        &why)) {
            sim_encoder_error(encoder, "CopyBufferToBuffer: %s", why.text);
        } else {
            sim_command *command = sim_script_add(&encoder->script, SIM_OP_BUFFER_TO_BUFFER);
            command->source = source;
            command->target = target;
            command->source_offset = from_offset;
            command->target_offset = to_offset;
            command->size = size;
            sim_list_add(&encoder->script.uses, &source->base);
            sim_list_add(&encoder->script.uses, &target->base);
        }
    }
    sim_leave(&call);
}

/* Both directions between a buffer and a texture. */
static void encoder_copy_mixed(int function, WGPUCommandEncoder handle,
                               const WGPUTexelCopyBufferInfo *memory,
                               const WGPUTexelCopyTextureInfo *image, const WGPUExtent3D *extent,
                               bool to_texture)
{
    sim_call call;
    sim_text why;
    sim_rows rows = { 0 };
    sim_encoder *encoder = encoder_enter(&call, function, handle);
    sim_buffer *buffer = encoder != NULL ? sim_get(&call, memory->buffer, SIM_KIND_BUFFER) : NULL;
    sim_texture *texture =
        encoder != NULL ? sim_get(&call, image->texture, SIM_KIND_TEXTURE) : NULL;
    if (buffer != NULL && texture != NULL) {
        WGPUBufferUsage buffer_usage =
            to_texture ? WGPUBufferUsage_CopySrc : WGPUBufferUsage_CopyDst;
        WGPUTextureUsage texture_usage =
            to_texture ? WGPUTextureUsage_CopyDst : WGPUTextureUsage_CopySrc;
        if (!encoder_check_range(encoder, buffer, buffer_usage, 0, 0, &why) ||
            !sim_check_place(texture, image, extent, texture_usage, &why) ||
            !sim_check_rows(texture, image, extent, &memory->layout, buffer->size, false,
                            to_texture, &rows, &why)) {
            sim_encoder_error(encoder, "%s: %s", sim_function_name(function), why.text);
        } else {
            sim_command *command = sim_script_add(
                &encoder->script, to_texture ? SIM_OP_BUFFER_TO_TEXTURE : SIM_OP_TEXTURE_TO_BUFFER);
            command->source = buffer;
            command->to = (sim_place){ texture, image->mipLevel, image->origin,
                                       image->aspect != 0 ? image->aspect : WGPUTextureAspect_All };
            command->rows = rows;
            command->extent = *extent;
            sim_list_add(&encoder->script.uses, &buffer->base);
            sim_list_add(&encoder->script.uses, &texture->base);
        }
    }
    sim_leave(&call);
}

static void encoder_copy_to_texture(WGPUCommandEncoder handle, WGPUTexelCopyBufferInfo const *from,
                                    WGPUTexelCopyTextureInfo const *to, WGPUExtent3D const *extent)
{
    encoder_copy_mixed(GPOOL_GPU_CommandEncoderCopyBufferToTexture, handle, from, to, extent, true);
}

static void encoder_copy_from_texture(WGPUCommandEncoder handle,
                                      WGPUTexelCopyTextureInfo const *from,
                                      WGPUTexelCopyBufferInfo const *to, WGPUExtent3D const *extent)
{
    encoder_copy_mixed(GPOOL_GPU_CommandEncoderCopyTextureToBuffer, handle, to, from, extent,
                       false);
}

static bool encoder_check_textures(const sim_texture *source, const WGPUTexelCopyTextureInfo *from,
                                   const sim_texture *target, const WGPUTexelCopyTextureInfo *to,
                                   const WGPUExtent3D *extent, sim_text *why)
{
    if (!sim_check_place(source, from, extent, WGPUTextureUsage_CopySrc, why) ||
        !sim_check_place(target, to, extent, WGPUTextureUsage_CopyDst, why)) {
        return false;
    }
    sim_format a = source->facts;
    sim_format b = target->facts;
    bool twins = a.block_width == 1 && a.block_bytes == 4 && b.block_bytes == 4 &&
                 a.components == 4 && b.components == 4 && a.type == 'u' && b.type == 'u' &&
                 a.bgra == b.bgra;
    if ((source->format != target->format && !twins) || source->samples != target->samples) {
        return sim_say(why, "the formats or sample counts of \"%s\" and \"%s\" differ",
                       source->base.label, target->base.label);
    }
    WGPUTextureAspect aspect = from->aspect != 0 ? from->aspect : WGPUTextureAspect_All;
    size_t offset;
    size_t bytes;
    sim_aspect(source, aspect, &offset, &bytes);
    if (aspect != (to->aspect != 0 ? to->aspect : WGPUTextureAspect_All) ||
        bytes != source->facts.block_bytes) {
        return sim_say(why, "all aspects of \"%s\" must be copied", source->base.label);
    }
    bool volume = source->dimension == WGPUTextureDimension_3D;
    bool overlap = from->origin.z < to->origin.z + extent->depthOrArrayLayers &&
                   to->origin.z < from->origin.z + extent->depthOrArrayLayers;
    return source != target || from->mipLevel != to->mipLevel || (!volume && !overlap) ||
           sim_say(why, "source and target are the same layers of \"%s\"", source->base.label);
}

static void encoder_copy_textures(WGPUCommandEncoder handle, WGPUTexelCopyTextureInfo const *from,
                                  WGPUTexelCopyTextureInfo const *to, WGPUExtent3D const *extent)
{
    sim_call call;
    sim_text why;
    sim_encoder *encoder =
        encoder_enter(&call, GPOOL_GPU_CommandEncoderCopyTextureToTexture, handle);
    sim_texture *source = encoder != NULL ? sim_get(&call, from->texture, SIM_KIND_TEXTURE) : NULL;
    sim_texture *target = encoder != NULL ? sim_get(&call, to->texture, SIM_KIND_TEXTURE) : NULL;
    if (source != NULL && target != NULL) {
        if (!encoder_check_textures(source, from, target, to, extent, &why)) {
            sim_encoder_error(encoder, "CopyTextureToTexture: %s", why.text);
        } else {
            sim_command *command = sim_script_add(&encoder->script, SIM_OP_TEXTURE_TO_TEXTURE);
            command->from = (sim_place){ source, from->mipLevel, from->origin, from->aspect };
            command->to = (sim_place){ target, to->mipLevel, to->origin, to->aspect };
            command->extent = *extent;
            sim_list_add(&encoder->script.uses, &source->base);
            sim_list_add(&encoder->script.uses, &target->base);
        }
    }
    sim_leave(&call);
}

/* --- debug groups --- */

static void encoder_push_group(WGPUCommandEncoder handle, WGPUStringView label)
{
    sim_call call;
    (void)label;
    sim_encoder *encoder = encoder_enter(&call, GPOOL_GPU_CommandEncoderPushDebugGroup, handle);
    if (encoder != NULL) {
        encoder->groups += 1;
    }
    sim_leave(&call);
}

static void encoder_pop_group(WGPUCommandEncoder handle)
{
    sim_call call;
    sim_encoder *encoder = encoder_enter(&call, GPOOL_GPU_CommandEncoderPopDebugGroup, handle);
    if (encoder != NULL && encoder->groups == 0) {
        sim_encoder_error(encoder, "PopDebugGroup without a group");
    } else if (encoder != NULL) {
        encoder->groups -= 1;
    }
    sim_leave(&call);
}

static void encoder_marker(WGPUCommandEncoder handle, WGPUStringView label)
{
    sim_call call;
    (void)label;
    (void)encoder_enter(&call, GPOOL_GPU_CommandEncoderInsertDebugMarker, handle);
    sim_leave(&call);
}

/* --- Finish --- */

static bool encoder_check_finish(const sim_call *call, const sim_encoder *encoder, sim_text *why)
{
    if (call->device->lost) {
        return sim_say(why, "Validation error: Parent device is lost");
    }
    if (call->way == SIM_FAIL_VALIDATION) {
        return sim_say(why, "Injected failure of CommandEncoderFinish");
    }
    if (encoder->finished) {
        return sim_say(why, "the encoder \"%s\" is finished already", encoder->base.label);
    }
    if (encoder->error[0] != '\0') {
        return sim_say(why, "%s", encoder->error);
    }
    if (encoder->open_pass != NULL) {
        return sim_say(why, "a pass of the encoder \"%s\" is open", encoder->base.label);
    }
    return encoder->groups == 0 || sim_say(why, "%u debug groups of the encoder \"%s\" are open",
                                           encoder->groups, encoder->base.label);
}

static WGPUCommandBuffer encoder_finish(WGPUCommandEncoder handle,
                                        WGPUCommandBufferDescriptor const *desc)
{
    sim_call call;
    sim_text why;
    WGPUCommandBuffer result = NULL;
    sim_encoder *encoder =
        sim_enter(&call, GPOOL_GPU_CommandEncoderFinish, handle, SIM_KIND_COMMAND_ENCODER);
    if (encoder != NULL && call.way != SIM_FAIL_NULL) {
        WGPUStringView label = { encoder->base.label, WGPU_STRLEN };
        sim_command_buffer *buffer =
            sim_object_new(call.sim, SIM_KIND_COMMAND_BUFFER, sizeof *buffer, call.device,
                           desc != NULL && desc->label.data != NULL ? desc->label : label);
        if (!encoder_check_finish(&call, encoder, &why)) {
            buffer->base.invalid = true;
            sim_error(call.device, WGPUErrorType_Validation, "Finish: %s", why.text);
        } else {
            buffer->script = encoder->script;
            encoder->script = (sim_script){ 0 };
        }
        encoder->finished = true;
        result = SIM_HANDLE(WGPUCommandBuffer, buffer);
    }
    sim_leave(&call);
    return result;
}

void sim_table_encoder(gpool_gpu *table)
{
    table->DeviceCreateCommandEncoder = encoder_create;
    table->CommandEncoderClearBuffer = encoder_clear;
    table->CommandEncoderCopyBufferToBuffer = encoder_copy_buffer;
    table->CommandEncoderCopyBufferToTexture = encoder_copy_to_texture;
    table->CommandEncoderCopyTextureToBuffer = encoder_copy_from_texture;
    table->CommandEncoderCopyTextureToTexture = encoder_copy_textures;
    table->CommandEncoderPushDebugGroup = encoder_push_group;
    table->CommandEncoderPopDebugGroup = encoder_pop_group;
    table->CommandEncoderInsertDebugMarker = encoder_marker;
    table->CommandEncoderFinish = encoder_finish;
}
