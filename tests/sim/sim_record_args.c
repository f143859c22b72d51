/* Descriptors as text. */
#include "sim_record.h"

#include <string.h>

#include <xxhash.h>

static size_t args_length(WGPUStringView text)
{
    return text.data == NULL ? 0 : text.length == WGPU_STRLEN ? strlen(text.data) : text.length;
}

void record_handle(record_line *line, const void *handle)
{
    record_say(line, " #%llu",
               (unsigned long long)(handle != NULL ? record_number(handle, false) : 0));
}

void record_u32(record_line *line, uint32_t value)
{
    line->last = value;
    record_say(line, " %u", value);
}

void record_u64(record_line *line, uint64_t value)
{
    if (line->data != NULL) {
        record_say(line, " %016llx", (unsigned long long)XXH3_64bits(line->data, (size_t)value));
        line->data = NULL;
    }
    line->last = value;
    record_say(line, " %llu", (unsigned long long)value);
}

void record_i32(record_line *line, int32_t value)
{
    record_say(line, " %d", value);
}

void record_f32(record_line *line, float value)
{
    record_say(line, " %a", (double)value);
}

void record_text(record_line *line, WGPUStringView text)
{
    record_say(line, " \"%.*s\"", (int)args_length(text), text.data != NULL ? text.data : "");
}

void record_bytes(record_line *line, const void *data)
{
    line->data = data;
}

void record_offsets(record_line *line, const uint32_t *offsets)
{
    uint64_t count = line->last;
    for (uint64_t i = 0; i < count; ++i) {
        record_say(line, " %u", offsets[i]);
    }
}

void record_commands(record_line *line, const WGPUCommandBuffer *commands)
{
    uint64_t count = line->last;
    for (uint64_t i = 0; i < count; ++i) {
        record_handle(line, commands[i]);
    }
}

void record_nothing(record_line *line, const void *pointer)
{
    (void)line;
    (void)pointer;
}

void record_RequestAdapterOptions(record_line *line, const WGPURequestAdapterOptions *value)
{
    if (value != NULL) {
        record_say(line, " fallback %u level %u", value->forceFallbackAdapter != 0,
                   (unsigned)value->featureLevel);
    }
}

void record_DeviceDescriptor(record_line *line, const WGPUDeviceDescriptor *value)
{
    for (size_t i = 0; value != NULL && i < value->requiredFeatureCount; ++i) {
        record_say(line, " feature %x", (unsigned)value->requiredFeatures[i]);
    }
}

void record_BufferDescriptor(record_line *line, const WGPUBufferDescriptor *value)
{
    record_text(line, value->label);
    record_say(line, " usage %llx size %llu mapped %u", (unsigned long long)value->usage,
               (unsigned long long)value->size, value->mappedAtCreation != 0);
}

void record_TextureDescriptor(record_line *line, const WGPUTextureDescriptor *value)
{
    record_text(line, value->label);
    record_say(line, " usage %llx %uD %u x %u x %u format %x mips %u samples %u",
               (unsigned long long)value->usage, (unsigned)value->dimension, value->size.width,
               value->size.height, value->size.depthOrArrayLayers, (unsigned)value->format,
               value->mipLevelCount, value->sampleCount);
    for (size_t i = 0; i < value->viewFormatCount; ++i) {
        record_say(line, " view %x", (unsigned)value->viewFormats[i]);
    }
}

void record_TextureViewDescriptor(record_line *line, const WGPUTextureViewDescriptor *value)
{
    if (value != NULL) {
        record_say(line, " format %x dimension %u mips %u+%u layers %u+%u aspect %u",
                   (unsigned)value->format, (unsigned)value->dimension, value->baseMipLevel,
                   value->mipLevelCount, value->baseArrayLayer, value->arrayLayerCount,
                   (unsigned)value->aspect);
    }
}

void record_SamplerDescriptor(record_line *line, const WGPUSamplerDescriptor *value)
{
    if (value != NULL) {
        record_say(line, " address %u %u %u filter %u %u %u lod %a %a compare %u anisotropy %u",
                   (unsigned)value->addressModeU, (unsigned)value->addressModeV,
                   (unsigned)value->addressModeW, (unsigned)value->magFilter,
                   (unsigned)value->minFilter, (unsigned)value->mipmapFilter,
                   (double)value->lodMinClamp, (double)value->lodMaxClamp, (unsigned)value->compare,
                   value->maxAnisotropy);
    }
}

void record_BindGroupLayoutDescriptor(record_line *line, const WGPUBindGroupLayoutDescriptor *value)
{
    record_text(line, value->label);
    for (size_t i = 0; i < value->entryCount; ++i) {
        const WGPUBindGroupLayoutEntry *entry = &value->entries[i];
        record_say(line, " [%u %llx %u %u %llu %u %u %u %u %u %x %u]", entry->binding,
                   (unsigned long long)entry->visibility, (unsigned)entry->buffer.type,
                   entry->buffer.hasDynamicOffset, (unsigned long long)entry->buffer.minBindingSize,
                   (unsigned)entry->sampler.type, (unsigned)entry->texture.sampleType,
                   (unsigned)entry->texture.viewDimension, entry->texture.multisampled,
                   (unsigned)entry->storageTexture.access, (unsigned)entry->storageTexture.format,
                   (unsigned)entry->storageTexture.viewDimension);
    }
}

void record_BindGroupDescriptor(record_line *line, const WGPUBindGroupDescriptor *value)
{
    record_text(line, value->label);
    record_handle(line, value->layout);
    for (size_t i = 0; i < value->entryCount; ++i) {
        const WGPUBindGroupEntry *entry = &value->entries[i];
        record_say(line, " [%u", entry->binding);
        record_handle(line, entry->buffer);
        record_handle(line, entry->sampler);
        record_handle(line, entry->textureView);
        record_say(line, " %llu %llu]", (unsigned long long)entry->offset,
                   (unsigned long long)entry->size);
    }
}

void record_PipelineLayoutDescriptor(record_line *line, const WGPUPipelineLayoutDescriptor *value)
{
    record_text(line, value->label);
    for (size_t i = 0; i < value->bindGroupLayoutCount; ++i) {
        record_handle(line, value->bindGroupLayouts[i]);
    }
}

void record_ShaderModuleDescriptor(record_line *line, const WGPUShaderModuleDescriptor *value)
{
    record_text(line, value->label);
    const WGPUShaderSourceWGSL *wgsl = (const void *)value->nextInChain;
    if (wgsl != NULL && wgsl->chain.sType == WGPUSType_ShaderSourceWGSL &&
        wgsl->code.data != NULL) {
        record_say(line, " source %016llx",
                   (unsigned long long)XXH3_64bits(wgsl->code.data, args_length(wgsl->code)));
    }
}

void record_ComputePipelineDescriptor(record_line *line, const WGPUComputePipelineDescriptor *value)
{
    record_text(line, value->label);
    record_handle(line, value->layout);
    record_handle(line, value->compute.module);
    record_text(line, value->compute.entryPoint);
}

static void args_stencil(record_line *line, const WGPUStencilFaceState *face)
{
    record_say(line, " %u %u %u %u", (unsigned)face->compare, (unsigned)face->failOp,
               (unsigned)face->depthFailOp, (unsigned)face->passOp);
}

static void args_fragment(record_line *line, const WGPUFragmentState *fragment)
{
    record_handle(line, fragment->module);
    record_text(line, fragment->entryPoint);
    for (size_t i = 0; i < fragment->targetCount; ++i) {
        const WGPUColorTargetState *target = &fragment->targets[i];
        record_say(line, " target %x %llx", (unsigned)target->format,
                   (unsigned long long)target->writeMask);
        if (target->blend != NULL) {
            const WGPUBlendComponent *parts[] = { &target->blend->color, &target->blend->alpha };
            for (int j = 0; j < 2; ++j) {
                record_say(line, " blend %u %u %u", (unsigned)parts[j]->operation,
                           (unsigned)parts[j]->srcFactor, (unsigned)parts[j]->dstFactor);
            }
        }
    }
}

void record_RenderPipelineDescriptor(record_line *line, const WGPURenderPipelineDescriptor *value)
{
    record_text(line, value->label);
    record_handle(line, value->layout);
    record_handle(line, value->vertex.module);
    record_text(line, value->vertex.entryPoint);
    for (size_t i = 0; i < value->vertex.bufferCount; ++i) {
        const WGPUVertexBufferLayout *buffer = &value->vertex.buffers[i];
        record_say(line, " vertices %u %llu", (unsigned)buffer->stepMode,
                   (unsigned long long)buffer->arrayStride);
        for (size_t j = 0; j < buffer->attributeCount; ++j) {
            record_say(line, " (%u %llu %u)", (unsigned)buffer->attributes[j].format,
                       (unsigned long long)buffer->attributes[j].offset,
                       buffer->attributes[j].shaderLocation);
        }
    }
    record_say(line, " primitive %u %u %u %u samples %u %x %u", (unsigned)value->primitive.topology,
               (unsigned)value->primitive.stripIndexFormat, (unsigned)value->primitive.frontFace,
               (unsigned)value->primitive.cullMode, value->multisample.count,
               value->multisample.mask, value->multisample.alphaToCoverageEnabled);
    const WGPUDepthStencilState *depth = value->depthStencil;
    if (depth != NULL) {
        record_say(line, " depth %x %u %u %x %x %d %a %a", (unsigned)depth->format,
                   (unsigned)depth->depthWriteEnabled, (unsigned)depth->depthCompare,
                   depth->stencilReadMask, depth->stencilWriteMask, depth->depthBias,
                   (double)depth->depthBiasSlopeScale, (double)depth->depthBiasClamp);
        args_stencil(line, &depth->stencilFront);
        args_stencil(line, &depth->stencilBack);
    }
    if (value->fragment != NULL) {
        args_fragment(line, value->fragment);
    }
}

void record_CommandEncoderDescriptor(record_line *line, const WGPUCommandEncoderDescriptor *value)
{
    if (value != NULL) {
        record_text(line, value->label);
    }
}

void record_CommandBufferDescriptor(record_line *line, const WGPUCommandBufferDescriptor *value)
{
    if (value != NULL) {
        record_text(line, value->label);
    }
}

void record_ComputePassDescriptor(record_line *line, const WGPUComputePassDescriptor *value)
{
    if (value != NULL) {
        record_text(line, value->label);
    }
}

void record_RenderPassDescriptor(record_line *line, const WGPURenderPassDescriptor *value)
{
    record_text(line, value->label);
    for (size_t i = 0; i < value->colorAttachmentCount; ++i) {
        const WGPURenderPassColorAttachment *color = &value->colorAttachments[i];
        record_handle(line, color->view);
        record_handle(line, color->resolveTarget);
        record_say(line, " slice %u load %u store %u clear %a %a %a %a", color->depthSlice,
                   (unsigned)color->loadOp, (unsigned)color->storeOp, color->clearValue.r,
                   color->clearValue.g, color->clearValue.b, color->clearValue.a);
    }
    const WGPURenderPassDepthStencilAttachment *depth = value->depthStencilAttachment;
    if (depth != NULL) {
        record_handle(line, depth->view);
        record_say(line, " depth %u %u %a %u stencil %u %u %u %u", (unsigned)depth->depthLoadOp,
                   (unsigned)depth->depthStoreOp, (double)depth->depthClearValue,
                   depth->depthReadOnly, (unsigned)depth->stencilLoadOp,
                   (unsigned)depth->stencilStoreOp, depth->stencilClearValue,
                   depth->stencilReadOnly);
    }
}

void record_TexelCopyTextureInfo(record_line *line, const WGPUTexelCopyTextureInfo *value)
{
    record_handle(line, value->texture);
    record_say(line, " mip %u at %u %u %u aspect %u", value->mipLevel, value->origin.x,
               value->origin.y, value->origin.z, (unsigned)value->aspect);
}

void record_TexelCopyBufferInfo(record_line *line, const WGPUTexelCopyBufferInfo *value)
{
    record_handle(line, value->buffer);
    record_TexelCopyBufferLayout(line, &value->layout);
}

void record_TexelCopyBufferLayout(record_line *line, const WGPUTexelCopyBufferLayout *value)
{
    record_say(line, " offset %llu row %u rows %u", (unsigned long long)value->offset,
               value->bytesPerRow, value->rowsPerImage);
}

void record_Extent3D(record_line *line, const WGPUExtent3D *value)
{
    record_say(line, " %u x %u x %u", value->width, value->height, value->depthOrArrayLayers);
}

void record_Color(record_line *line, const WGPUColor *value)
{
    record_say(line, " %a %a %a %a", value->r, value->g, value->b, value->a);
}
