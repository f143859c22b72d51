/* Samplers, bind group layouts, bind groups, pipeline layouts. */
#include "sim_state.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

static WGPUSampler bind_create_sampler(WGPUDevice handle, WGPUSamplerDescriptor const *desc)
{
    static const WGPUSamplerDescriptor defaults = { .lodMaxClamp = 32.0f, .maxAnisotropy = 1 };
    sim_call call;
    WGPUSampler result = NULL;
    sim_device *device = sim_enter(&call, GPOOL_GPU_DeviceCreateSampler, handle, SIM_KIND_DEVICE);
    if (device != NULL && call.way != SIM_FAIL_NULL) {
        desc = desc != NULL ? desc : &defaults;
        bool known = sim_known((uint32_t)desc->addressModeU, 3, true) &&
                     sim_known((uint32_t)desc->addressModeV, 3, true) &&
                     sim_known((uint32_t)desc->addressModeW, 3, true) &&
                     sim_known((uint32_t)desc->magFilter, 2, true) &&
                     sim_known((uint32_t)desc->minFilter, 2, true) &&
                     sim_known((uint32_t)desc->mipmapFilter, 2, true) &&
                     sim_known((uint32_t)desc->compare, 8, true);
        bool linear = desc->magFilter == WGPUFilterMode_Linear &&
                      desc->minFilter == WGPUFilterMode_Linear &&
                      desc->mipmapFilter == WGPUMipmapFilterMode_Linear;
        bool good = sim_create_good(&call, device);
        if (good && !known && !sim_is_dawn(call.sim)) {
            sim_fatal(call.sim, call.function, "an enumeration is unknown");
            good = false;
        } else if (good && (!known || !(desc->lodMinClamp >= 0.0f) ||
                            !(desc->lodMaxClamp >= desc->lodMinClamp) || desc->maxAnisotropy < 1 ||
                            (desc->maxAnisotropy > 1 && !linear))) {
            sim_error(device, WGPUErrorType_Validation, "Sampler: a value is not possible");
            good = false;
        }
        sim_sampler *sampler =
            sim_object_new(call.sim, SIM_KIND_SAMPLER, sizeof *sampler, device, desc->label);
        sampler->base.invalid = !good;
        sampler->comparison = desc->compare != 0;
        sampler->filtering = desc->magFilter == WGPUFilterMode_Linear ||
                             desc->minFilter == WGPUFilterMode_Linear ||
                             desc->mipmapFilter == WGPUMipmapFilterMode_Linear;
        result = SIM_HANDLE(WGPUSampler, sampler);
    }
    sim_leave(&call);
    return result;
}

/* --- bind group layouts --- */

static int bind_order(const void *a, const void *b)
{
    const WGPUBindGroupLayoutEntry *x = a;
    const WGPUBindGroupLayoutEntry *y = b;
    return (x->binding > y->binding) - (x->binding < y->binding);
}

static bool bind_entry_known(const WGPUBindGroupLayoutEntry *entry)
{
    return (entry->visibility & ~(WGPUShaderStage)7) == 0 &&
           sim_known((uint32_t)entry->buffer.type, 4, true) &&
           sim_known((uint32_t)entry->sampler.type, 4, true) &&
           sim_known((uint32_t)entry->texture.sampleType, 6, true) &&
           sim_known((uint32_t)entry->texture.viewDimension, 6, true) &&
           sim_known((uint32_t)entry->storageTexture.access, 4, true) &&
           sim_known((uint32_t)entry->storageTexture.viewDimension, 6, true);
}

static bool bind_check_layout(const sim_device *device, const sim_layout *layout, sim_text *why)
{
    uint32_t uniforms = 0;
    uint32_t storages = 0;
    for (size_t i = 0; i < layout->count; ++i) {
        const WGPUBindGroupLayoutEntry *entry = &layout->entries[i];
        int kinds = (entry->buffer.type != 0) + (entry->sampler.type != 0) +
                    (entry->texture.sampleType != 0) + (entry->storageTexture.access != 0);
        if (kinds != 1 || !bind_entry_known(entry)) {
            return sim_say(why, "binding %u is not of exactly one known kind", entry->binding);
        }
        if (entry->binding >= device->limits.maxBindingsPerBindGroup ||
            (i > 0 && layout->entries[i - 1].binding == entry->binding)) {
            return sim_say(why, "binding %u is twice there or over the limit", entry->binding);
        }
        bool writes = entry->buffer.type == WGPUBufferBindingType_Storage ||
                      (entry->storageTexture.access != 0 &&
                       entry->storageTexture.access != WGPUStorageTextureAccess_ReadOnly);
        if (writes && (entry->visibility & WGPUShaderStage_Vertex) != 0) {
            return sim_say(why, "binding %u is written by a vertex shader", entry->binding);
        }
        if (entry->storageTexture.access != 0 &&
            sim_format_facts(entry->storageTexture.format).components == 0) {
            return sim_say(why, "binding %u has no storage format", entry->binding);
        }
        if (entry->texture.multisampled && entry->texture.viewDimension != 0 &&
            entry->texture.viewDimension != WGPUTextureViewDimension_2D) {
            return sim_say(why, "binding %u is multisampled but not 2D", entry->binding);
        }
        bool dynamic = entry->buffer.type != 0 && entry->buffer.hasDynamicOffset;
        uniforms += dynamic && entry->buffer.type == WGPUBufferBindingType_Uniform;
        storages += dynamic && entry->buffer.type != WGPUBufferBindingType_Uniform;
    }
    return (uniforms <= device->limits.maxDynamicUniformBuffersPerPipelineLayout &&
            storages <= device->limits.maxDynamicStorageBuffersPerPipelineLayout) ||
           sim_say(why, "more dynamic offsets than the limits allow");
}

static void bind_fill_layout(sim_layout *layout, const WGPUBindGroupLayoutDescriptor *desc)
{
    layout->count = desc->entryCount;
    layout->entries = sim_must(calloc(desc->entryCount + 1, sizeof *layout->entries));
    for (size_t i = 0; i < desc->entryCount; ++i) {
        layout->entries[i] = desc->entries[i];
    }
    qsort(layout->entries, layout->count, sizeof *layout->entries, bind_order);
    for (size_t i = 0; i < layout->count; ++i) {
        const WGPUBindGroupLayoutEntry *entry = &layout->entries[i];
        layout->dynamic_count += entry->buffer.type != 0 && entry->buffer.hasDynamicOffset;
        uint64_t facts[] = { layout->hash,
                             entry->binding,
                             entry->visibility,
                             (uint64_t)entry->buffer.type,
                             entry->buffer.hasDynamicOffset,
                             entry->buffer.minBindingSize,
                             (uint64_t)entry->sampler.type,
                             (uint64_t)entry->texture.sampleType,
                             (uint64_t)entry->texture.viewDimension,
                             entry->texture.multisampled,
                             (uint64_t)entry->storageTexture.access,
                             (uint64_t)entry->storageTexture.format,
                             (uint64_t)entry->storageTexture.viewDimension };
        layout->hash = XXH3_64bits(facts, sizeof facts);
    }
}

static WGPUBindGroupLayout bind_create_layout(WGPUDevice handle,
                                              WGPUBindGroupLayoutDescriptor const *desc)
{
    sim_call call;
    sim_text why;
    WGPUBindGroupLayout result = NULL;
    sim_device *device =
        sim_enter(&call, GPOOL_GPU_DeviceCreateBindGroupLayout, handle, SIM_KIND_DEVICE);
    if (device != NULL && call.way != SIM_FAIL_NULL) {
        bool good = sim_create_good(&call, device);
        sim_layout *layout = sim_object_new(call.sim, SIM_KIND_BIND_GROUP_LAYOUT, sizeof *layout,
                                            device, desc->label);
        bind_fill_layout(layout, desc);
        if (good && !bind_check_layout(device, layout, &why)) {
            sim_error(device, WGPUErrorType_Validation, "BindGroupLayout: %s", why.text);
            good = false;
        }
        layout->base.invalid = !good;
        result = SIM_HANDLE(WGPUBindGroupLayout, layout);
    }
    sim_leave(&call);
    return result;
}

/* --- bind groups --- */

static bool bind_check_buffer(const sim_device *device, const WGPUBindGroupLayoutEntry *entry,
                              const sim_buffer *buffer, sim_bound *bound, sim_text *why)
{
    bool uniform = entry->buffer.type == WGPUBufferBindingType_Uniform;
    WGPUBufferUsage usage = uniform ? WGPUBufferUsage_Uniform : WGPUBufferUsage_Storage;
    uint64_t alignment = uniform ? device->limits.minUniformBufferOffsetAlignment
                                 : device->limits.minStorageBufferOffsetAlignment;
    uint64_t limit = uniform ? device->limits.maxUniformBufferBindingSize
                             : device->limits.maxStorageBufferBindingSize;
    if (bound->size == WGPU_WHOLE_SIZE && bound->offset <= buffer->size) {
        bound->size = buffer->size - bound->offset;
    }
    if ((buffer->usage & usage) == 0) {
        return sim_say(why, "binding %u: buffer \"%s\" lacks the usage", entry->binding,
                       buffer->base.label);
    }
    if (bound->offset % alignment != 0 || (!uniform && bound->size % 4 != 0)) {
        return sim_say(why, "binding %u: offset %llu or size %llu is not aligned", entry->binding,
                       (unsigned long long)bound->offset, (unsigned long long)bound->size);
    }
    if (bound->size == 0 || bound->offset > buffer->size ||
        bound->size > buffer->size - bound->offset || bound->size > limit ||
        bound->size < entry->buffer.minBindingSize) {
        return sim_say(why, "binding %u: %llu bytes at %llu of buffer \"%s\" are not possible",
                       entry->binding, (unsigned long long)bound->size,
                       (unsigned long long)bound->offset, buffer->base.label);
    }
    return true;
}

static bool bind_sample_type_fits(const sim_device *device, const sim_view *view,
                                  WGPUTextureSampleType wanted)
{
    sim_format facts = sim_format_facts(view->format);
    (void)device;
    bool depth = facts.depth_bytes > 0 && view->aspect != WGPUTextureAspect_StencilOnly;
    bool stencil = !depth && facts.stencil_bytes > 0;
    if (depth) {
        return wanted == WGPUTextureSampleType_Depth ||
               wanted == WGPUTextureSampleType_UnfilterableFloat;
    }
    if (stencil || facts.type == 'U') {
        return wanted == WGPUTextureSampleType_Uint;
    }
    if (facts.type == 'S') {
        return wanted == WGPUTextureSampleType_Sint;
    }
    bool single = facts.type == 'f' && facts.components > 0 &&
                  facts.block_bytes / (unsigned)facts.components == 4;
    bool filterable = !single;
    for (size_t i = 0; i < device->feature_count; ++i) {
        filterable = filterable || device->features[i] == WGPUFeatureName_Float32Filterable;
    }
    return wanted == WGPUTextureSampleType_UnfilterableFloat ||
           (wanted == WGPUTextureSampleType_Float && filterable);
}

static bool bind_check_view(const sim_device *device, const WGPUBindGroupLayoutEntry *entry,
                            const sim_view *view, sim_text *why)
{
    bool storage = entry->storageTexture.access != 0;
    WGPUTextureUsage usage =
        storage ? WGPUTextureUsage_StorageBinding : WGPUTextureUsage_TextureBinding;
    WGPUTextureViewDimension dimension =
        storage ? entry->storageTexture.viewDimension : entry->texture.viewDimension;
    dimension = dimension != 0 ? dimension : WGPUTextureViewDimension_2D;
    if ((view->usage & usage) == 0) {
        return sim_say(why, "binding %u: texture \"%s\" lacks the usage", entry->binding,
                       view->texture->base.label);
    }
    if (view->dimension != dimension) {
        return sim_say(why, "binding %u: dimension %u is needed, the view has %u", entry->binding,
                       (unsigned)dimension, (unsigned)view->dimension);
    }
    if (storage) {
        return (view->format == entry->storageTexture.format && view->mips == 1) ||
               sim_say(why, "binding %u: storage format or level count differs", entry->binding);
    }
    if ((view->texture->samples > 1) != (entry->texture.multisampled != 0)) {
        return sim_say(why, "binding %u: sample count differs", entry->binding);
    }
    if (view->aspect == WGPUTextureAspect_All && view->texture->facts.depth_bytes > 0 &&
        view->texture->facts.stencil_bytes > 0) {
        return sim_say(why, "binding %u: one aspect must be chosen", entry->binding);
    }
    WGPUTextureSampleType wanted = entry->texture.sampleType;
    wanted = wanted == WGPUTextureSampleType_Undefined ? WGPUTextureSampleType_Float : wanted;
    return bind_sample_type_fits(device, view, wanted) ||
           sim_say(why, "binding %u: format 0x%x does not give sample type %u", entry->binding,
                   (unsigned)view->format, (unsigned)wanted);
}

static bool bind_check_sampler(const WGPUBindGroupLayoutEntry *entry, const sim_sampler *sampler,
                               sim_text *why)
{
    bool comparison = entry->sampler.type == WGPUSamplerBindingType_Comparison;
    bool nearest = entry->sampler.type == WGPUSamplerBindingType_NonFiltering;
    return (comparison == sampler->comparison && !(nearest && sampler->filtering)) ||
           sim_say(why, "binding %u: the sampler \"%s\" is of another type", entry->binding,
                   sampler->base.label);
}

/* Checks one entry and fills its bound; the object is held when it is valid. */
static bool bind_entry(const sim_call *call, const sim_device *device,
                       const WGPUBindGroupLayoutEntry *layout, const WGPUBindGroupEntry *entry,
                       sim_bound *bound, sim_text *why)
{
    sim_kind kind = layout->buffer.type != 0    ? SIM_KIND_BUFFER
                    : layout->sampler.type != 0 ? SIM_KIND_SAMPLER
                                                : SIM_KIND_TEXTURE_VIEW;
    const void *handles[] = { entry->buffer, entry->sampler, entry->textureView };
    static const sim_kind kinds[] = { SIM_KIND_BUFFER, SIM_KIND_SAMPLER, SIM_KIND_TEXTURE_VIEW };
    sim_object *object = NULL;
    int given = 0;
    for (int i = 0; i < 3; ++i) {
        given += handles[i] != NULL;
        if (kinds[i] == kind && handles[i] != NULL) {
            object = sim_get(call, handles[i], kind);
        }
    }
    if (given == 0 && !sim_is_dawn(call->sim)) {
        sim_fatal(call->sim, call->function, "binding %u has no resource", entry->binding);
    }
    if (given != 1 || object == NULL) {
        return sim_say(why, "binding %u has no %s", entry->binding, sim_kind_name(kind));
    }
    bound->object = object;
    bound->offset = entry->offset;
    bound->size = entry->size;
    sim_hold(object);
    if (object->device != device) {
        return sim_say(why, "binding %u: \"%s\" is of another device", entry->binding,
                       object->label);
    }
    if (object->invalid) {
        return sim_say(why, "binding %u: the %s \"%s\" is invalid", entry->binding,
                       sim_kind_name(kind), object->label);
    }
    switch (kind) {
    case SIM_KIND_BUFFER:
        return bind_check_buffer(device, layout, (sim_buffer *)object, bound, why);
    case SIM_KIND_SAMPLER:
        return bind_check_sampler(layout, (sim_sampler *)object, why);
    default:
        return bind_check_view(device, layout, (sim_view *)object, why);
    }
}

static bool bind_fill_group(const sim_call *call, const sim_device *device, sim_group *group,
                            const WGPUBindGroupDescriptor *desc, sim_text *why)
{
    const sim_layout *layout = group->layout;
    if (layout->base.invalid || layout->base.device != device) {
        return sim_say(why, "the layout is invalid or of another device");
    }
    if (desc->entryCount != layout->count) {
        return sim_say(why, "%zu entries where the layout has %zu", desc->entryCount,
                       layout->count);
    }
    group->bounds = sim_must(calloc(layout->count + 1, sizeof *group->bounds));
    group->count = layout->count;
    for (size_t i = 0; i < layout->count; ++i) {
        const WGPUBindGroupEntry *entry = NULL;
        for (size_t j = 0; j < desc->entryCount; ++j) {
            if (desc->entries[j].binding == layout->entries[i].binding) {
                entry = &desc->entries[j];
            }
        }
        if (entry == NULL) {
            return sim_say(why, "binding %u is missing", layout->entries[i].binding);
        }
        group->bounds[i].binding = entry->binding;
        if (!bind_entry(call, device, &layout->entries[i], entry, &group->bounds[i], why)) {
            return false;
        }
    }
    return true;
}

static WGPUBindGroup bind_create_group(WGPUDevice handle, WGPUBindGroupDescriptor const *desc)
{
    sim_call call;
    sim_text why;
    WGPUBindGroup result = NULL;
    sim_device *device = sim_enter(&call, GPOOL_GPU_DeviceCreateBindGroup, handle, SIM_KIND_DEVICE);
    if (device != NULL && call.way != SIM_FAIL_NULL) {
        bool good = sim_create_good(&call, device);
        sim_group *group =
            sim_object_new(call.sim, SIM_KIND_BIND_GROUP, sizeof *group, device, desc->label);
        group->layout = sim_get(&call, desc->layout, SIM_KIND_BIND_GROUP_LAYOUT);
        if (group->layout != NULL) {
            sim_hold(&group->layout->base);
        }
        if (good && (group->layout == NULL || !bind_fill_group(&call, device, group, desc, &why))) {
            good = false;
            if (group->layout != NULL) {
                sim_error(device, WGPUErrorType_Validation, "BindGroup \"%s\": %s",
                          group->base.label, why.text);
            }
        }
        group->base.invalid = !good;
        result = SIM_HANDLE(WGPUBindGroup, group);
    }
    sim_leave(&call);
    return result;
}

static WGPUPipelineLayout bind_create_pipeline_layout(WGPUDevice handle,
                                                      WGPUPipelineLayoutDescriptor const *desc)
{
    sim_call call;
    WGPUPipelineLayout result = NULL;
    sim_device *device =
        sim_enter(&call, GPOOL_GPU_DeviceCreatePipelineLayout, handle, SIM_KIND_DEVICE);
    if (device != NULL && call.way != SIM_FAIL_NULL) {
        bool good = sim_create_good(&call, device);
        sim_pipeline_layout *layout =
            sim_object_new(call.sim, SIM_KIND_PIPELINE_LAYOUT, sizeof *layout, device, desc->label);
        if (good && (desc->bindGroupLayoutCount > device->limits.maxBindGroups ||
                     desc->bindGroupLayoutCount > SIM_GROUPS)) {
            sim_error(device, WGPUErrorType_Validation, "PipelineLayout: %zu groups are too many",
                      desc->bindGroupLayoutCount);
            good = false;
        }
        for (size_t i = 0; good && i < desc->bindGroupLayoutCount; ++i) {
            sim_layout *group =
                sim_get_optional(&call, desc->bindGroupLayouts[i], SIM_KIND_BIND_GROUP_LAYOUT);
            if (group != NULL && group->base.invalid) {
                sim_error(device, WGPUErrorType_Validation,
                          "PipelineLayout: the layout of group %zu is invalid", i);
                good = false;
            }
            if (group != NULL) {
                sim_hold(&group->base);
            }
            layout->groups[i] = group;
            layout->count = (uint32_t)i + 1;
        }
        layout->base.invalid = !good;
        result = SIM_HANDLE(WGPUPipelineLayout, layout);
    }
    sim_leave(&call);
    return result;
}

void sim_table_bind(gpool_gpu *table)
{
    table->DeviceCreateSampler = bind_create_sampler;
    table->DeviceCreateBindGroupLayout = bind_create_layout;
    table->DeviceCreateBindGroup = bind_create_group;
    table->DeviceCreatePipelineLayout = bind_create_pipeline_layout;
}
