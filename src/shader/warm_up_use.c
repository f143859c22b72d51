#include "shader/warm_up_use.h"

#include "gpu/format.h"

/* Bytes of each dummy buffer: what is larger in a shader than the largest uniform is rare. */
#define USE_BYTES    ((uint64_t)1 << 20)
#define USE_UNIFORM  ((uint64_t)64 << 10)
#define USE_VERTICES 3u

/* All that one use makes, released when it is encoded. */
typedef struct use_things {
    WGPUBindGroup groups[GPOOL_MAX_GROUPS];
    WGPUTextureView targets[GPOOL_MAX_COLORS + 1]; /* the last is the depth target */
    uint32_t written;
} use_things;

/* A dummy buffer; NULL when it cannot be made. */
static WGPUBuffer use_buffer(gpool__warm_use *use, WGPUBuffer *place, WGPUBufferUsage usage)
{
    if (*place == NULL) {
        const WGPULimits *limits = &use->pool->device->info.limits;
        WGPUBufferDescriptor desc = { .label = gpool__view("gpool warm-up"),
                                      .usage = usage,
                                      .size = gpool__min(USE_BYTES, limits->maxBufferSize) };
        *place = GPOOL__GPU(&use->pool->seam, DeviceCreateBuffer)(use->pool->device->device, &desc);
    }
    return *place;
}

static WGPUTextureDimension use_dimension(WGPUTextureViewDimension dimension)
{
    return dimension == WGPUTextureViewDimension_1D   ? WGPUTextureDimension_1D
           : dimension == WGPUTextureViewDimension_3D ? WGPUTextureDimension_3D
                                                      : WGPUTextureDimension_2D;
}

/* A view of a texture of one texel, which it keeps alive; NULL when it cannot be made. */
static WGPUTextureView use_view(const gpool__warm_use *use, WGPUTextureFormat format,
                                WGPUTextureViewDimension dimension, uint32_t samples,
                                WGPUTextureUsage usage)
{
    gpool__seam *seam = &use->pool->seam;
    bool cube = dimension == WGPUTextureViewDimension_Cube ||
                dimension == WGPUTextureViewDimension_CubeArray;
    WGPUTextureDescriptor desc = { .label = gpool__view("gpool warm-up"),
                                   .usage = usage,
                                   .dimension = use_dimension(dimension),
                                   .size = { 1, 1, cube ? 6 : 1 },
                                   .format = format,
                                   .mipLevelCount = 1,
                                   .sampleCount = samples };
    WGPUTexture texture = GPOOL__GPU(seam, DeviceCreateTexture)(use->pool->device->device, &desc);
    if (texture == NULL) {
        return NULL;
    }
    WGPUTextureViewDescriptor view_desc = { .label = gpool__view("gpool warm-up"),
                                            .format = format,
                                            .dimension = dimension,
                                            .mipLevelCount = 1,
                                            .arrayLayerCount = cube ? 6 : 1,
                                            .aspect = WGPUTextureAspect_All };
    WGPUTextureView view = GPOOL__GPU(seam, TextureCreateView)(texture, &view_desc);
    GPOOL__GPU(seam, TextureRelease)(texture);
    return view;
}

static bool use_fill_buffer(gpool__warm_use *use, use_things *things,
                            const gpool_layout_entry *entry, WGPUBindGroupEntry *gpu)
{
    const WGPULimits *limits = &use->pool->device->info.limits;
    bool uniform = entry->type == GPOOL_BINDING_UNIFORM;
    uint64_t most = gpool__min(USE_BYTES, limits->maxBufferSize);
    gpu->size = uniform
                    ? gpool__min(gpool__min(USE_UNIFORM, limits->maxUniformBufferBindingSize), most)
                    : gpool__min(limits->maxStorageBufferBindingSize, most);
    if (entry->min_size > gpu->size) {
        return false;
    }
    if (entry->type != GPOOL_BINDING_STORAGE_WRITE) {
        gpu->buffer =
            use_buffer(use, &use->read,
                       WGPUBufferUsage_Uniform | WGPUBufferUsage_Storage | WGPUBufferUsage_Vertex);
    } else if (things->written < GPOOL__WARM_WRITTEN) {
        gpu->buffer = use_buffer(use, &use->written[things->written++], WGPUBufferUsage_Storage);
    }
    return gpu->buffer != NULL;
}

static bool use_fill_texture(const gpool__warm_use *use, const gpool_layout_entry *entry,
                             WGPUBindGroupEntry *gpu)
{
    static const WGPUTextureFormat formats[] = {
        [WGPUTextureSampleType_Float] = WGPUTextureFormat_RGBA8Unorm,
        [WGPUTextureSampleType_UnfilterableFloat] = WGPUTextureFormat_RGBA8Unorm,
        [WGPUTextureSampleType_Depth] = WGPUTextureFormat_Depth32Float,
        [WGPUTextureSampleType_Sint] = WGPUTextureFormat_RGBA8Sint,
        [WGPUTextureSampleType_Uint] = WGPUTextureFormat_RGBA8Uint,
    };
    if (entry->type == GPOOL_BINDING_STORAGE_TEXTURE) {
        gpu->textureView =
            use_view(use, entry->format, entry->dimension, 1, WGPUTextureUsage_StorageBinding);
    } else {
        gpu->textureView = use_view(use, formats[entry->sample_type], entry->dimension,
                                    entry->multisampled ? 4 : 1,
                                    entry->multisampled ? WGPUTextureUsage_TextureBinding |
                                                              WGPUTextureUsage_RenderAttachment
                                                        : WGPUTextureUsage_TextureBinding);
    }
    return gpu->textureView != NULL;
}

static bool use_fill_sampler(gpool__warm_use *use, const gpool_layout_entry *entry,
                             WGPUBindGroupEntry *gpu)
{
    bool compares = entry->type == GPOOL_BINDING_SAMPLER_COMPARISON;
    WGPUSampler *sampler = &use->samplers[compares];
    if (*sampler == NULL) {
        WGPUSamplerDescriptor desc = {
            .label = gpool__view("gpool warm-up"),
            .addressModeU = WGPUAddressMode_ClampToEdge,
            .addressModeV = WGPUAddressMode_ClampToEdge,
            .addressModeW = WGPUAddressMode_ClampToEdge,
            .magFilter = WGPUFilterMode_Nearest,
            .minFilter = WGPUFilterMode_Nearest,
            .mipmapFilter = WGPUMipmapFilterMode_Nearest,
            .lodMaxClamp = 32.0f,
            .compare = compares ? WGPUCompareFunction_Always : WGPUCompareFunction_Undefined,
            .maxAnisotropy = 1,
        };
        *sampler =
            GPOOL__GPU(&use->pool->seam, DeviceCreateSampler)(use->pool->device->device, &desc);
    }
    gpu->sampler = *sampler;
    return gpu->sampler != NULL;
}

/* Binds a dummy to each entry; NULL when one cannot be had. */
static WGPUBindGroup use_group(gpool__warm_use *use, use_things *things,
                               const gpool__group_layout *group)
{
    gpool__seam *seam = &use->pool->seam;
    WGPUBindGroupEntry entries[GPOOL_MAX_BINDINGS] = { { 0 } };
    bool good = true;
    for (uint32_t i = 0; i < group->entry_count && good; ++i) {
        const gpool_layout_entry *entry = &group->entries[i];
        entries[i].binding = entry->binding;
        if (entry->type <= GPOOL_BINDING_STORAGE_WRITE) {
            good = use_fill_buffer(use, things, entry, &entries[i]);
        } else if (entry->type <= GPOOL_BINDING_STORAGE_TEXTURE) {
            good = use_fill_texture(use, entry, &entries[i]);
        } else {
            good = use_fill_sampler(use, entry, &entries[i]);
        }
    }
    WGPUBindGroup gpu = NULL;
    if (good) {
        WGPUBindGroupDescriptor desc = { .label = gpool__view("gpool warm-up"),
                                         .layout = group->gpu,
                                         .entryCount = group->entry_count,
                                         .entries = entries };
        gpu = GPOOL__GPU(seam, DeviceCreateBindGroup)(use->pool->device->device, &desc);
    }
    for (uint32_t i = 0; i < group->entry_count; ++i) {
        if (entries[i].textureView != NULL) {
            GPOOL__GPU(seam, TextureViewRelease)(entries[i].textureView);
        }
    }
    return gpu;
}

/* The offsets of a group, all zero; returns how many. */
static uint32_t use_offsets(const gpool__group_layout *group)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < group->entry_count; ++i) {
        count += group->entries[i].dynamic_offset;
    }
    return count;
}

static const uint32_t use_zeros[GPOOL_MAX_BINDINGS];

static bool use_compute(const gpool__warm_use *use, const gpool__program *program,
                        const use_things *things, WGPUCommandEncoder encoder)
{
    gpool__seam *seam = &use->pool->seam;
    const gpool__recipe *recipe = &program->recipe;
    WGPUComputePassEncoder pass = GPOOL__GPU(seam, CommandEncoderBeginComputePass)(encoder, NULL);
    if (pass == NULL) {
        return false;
    }
    GPOOL__GPU(seam, ComputePassEncoderSetPipeline)(pass, program->base.gpu);
    for (uint32_t i = 0; i < recipe->group_count; ++i) {
        if (things->groups[i] != NULL) {
            GPOOL__GPU(seam, ComputePassEncoderSetBindGroup)
            (pass, i, things->groups[i], use_offsets(recipe->groups[i]), use_zeros);
        }
    }
    GPOOL__GPU(seam, ComputePassEncoderDispatchWorkgroups)(pass, 0, 0, 0);
    GPOOL__GPU(seam, ComputePassEncoderEnd)(pass);
    GPOOL__GPU(seam, ComputePassEncoderRelease)(pass);
    return true;
}

/* Targets of one texel; false when one cannot be had. */
static bool use_targets(const gpool__warm_use *use, const gpool__targets *targets,
                        use_things *things)
{
    for (uint32_t i = 0; i <= GPOOL_MAX_COLORS; ++i) {
        WGPUTextureFormat format = i < GPOOL_MAX_COLORS ? targets->colors[i] : targets->depth;
        if (format == 0 || (i < GPOOL_MAX_COLORS && i >= targets->color_count)) {
            continue;
        }
        things->targets[i] = use_view(use, format, WGPUTextureViewDimension_2D, targets->samples,
                                      WGPUTextureUsage_RenderAttachment);
        if (things->targets[i] == NULL) {
            return false;
        }
    }
    return targets->color_count > 0 || targets->depth != 0;
}

static WGPURenderPassEncoder use_begin_render(const gpool__warm_use *use,
                                              const gpool__targets *targets,
                                              const use_things *things, WGPUCommandEncoder encoder)
{
    WGPURenderPassColorAttachment colors[GPOOL_MAX_COLORS] = { { 0 } };
    for (uint32_t i = 0; i < targets->color_count; ++i) {
        colors[i].depthSlice = WGPU_DEPTH_SLICE_UNDEFINED;
        colors[i].view = things->targets[i];
        if (colors[i].view != NULL) {
            colors[i].loadOp = WGPULoadOp_Clear;
            colors[i].storeOp = WGPUStoreOp_Discard;
        }
    }
    gpool__format facts = gpool__format_facts(targets->depth);
    WGPURenderPassDepthStencilAttachment depth = { .view = things->targets[GPOOL_MAX_COLORS] };
    if (facts.depth) {
        depth.depthLoadOp = WGPULoadOp_Clear;
        depth.depthStoreOp = WGPUStoreOp_Discard;
    }
    if (facts.stencil) {
        depth.stencilLoadOp = WGPULoadOp_Clear;
        depth.stencilStoreOp = WGPUStoreOp_Discard;
    }
    WGPURenderPassDescriptor desc = {
        .label = gpool__view("gpool warm-up"),
        .colorAttachmentCount = targets->color_count,
        .colorAttachments = colors,
        .depthStencilAttachment = targets->depth != 0 ? &depth : NULL,
    };
    return GPOOL__GPU(&use->pool->seam, CommandEncoderBeginRenderPass)(encoder, &desc);
}

static bool use_render(gpool__warm_use *use, const gpool__program *program, use_things *things,
                       WGPUCommandEncoder encoder)
{
    gpool__seam *seam = &use->pool->seam;
    const gpool__recipe *recipe = &program->recipe;
    WGPUBuffer vertices = NULL;
    if (recipe->slot_count > 0) {
        vertices =
            use_buffer(use, &use->read,
                       WGPUBufferUsage_Uniform | WGPUBufferUsage_Storage | WGPUBufferUsage_Vertex);
    }
    if ((recipe->slot_count > 0 && vertices == NULL) ||
        !use_targets(use, &recipe->targets, things)) {
        return false;
    }
    WGPURenderPassEncoder pass = use_begin_render(use, &recipe->targets, things, encoder);
    if (pass == NULL) {
        return false;
    }
    GPOOL__GPU(seam, RenderPassEncoderSetPipeline)(pass, program->base.gpu);
    for (uint32_t i = 0; i < recipe->group_count; ++i) {
        if (things->groups[i] != NULL) {
            GPOOL__GPU(seam, RenderPassEncoderSetBindGroup)
            (pass, i, things->groups[i], use_offsets(recipe->groups[i]), use_zeros);
        }
    }
    for (uint32_t i = 0; i < recipe->slot_count; ++i) {
        GPOOL__GPU(seam, RenderPassEncoderSetVertexBuffer)
        (pass, i, vertices, 0, gpool__min(USE_BYTES, use->pool->device->info.limits.maxBufferSize));
    }
    GPOOL__GPU(seam, RenderPassEncoderSetScissorRect)(pass, 0, 0, 0, 0);
    GPOOL__GPU(seam, RenderPassEncoderDraw)(pass, USE_VERTICES, 1, 0, 0);
    GPOOL__GPU(seam, RenderPassEncoderEnd)(pass);
    GPOOL__GPU(seam, RenderPassEncoderRelease)(pass);
    return true;
}

/* Under capture; NULL when something cannot be had. */
static WGPUCommandBuffer use_encode(gpool__warm_use *use, const gpool__program *program,
                                    use_things *things)
{
    gpool__seam *seam = &use->pool->seam;
    const gpool__recipe *recipe = &program->recipe;
    for (uint32_t i = 0; i < recipe->group_count; ++i) {
        if (recipe->groups[i] != NULL) {
            things->groups[i] = use_group(use, things, recipe->groups[i]);
            if (things->groups[i] == NULL) {
                return NULL;
            }
        }
    }
    WGPUCommandEncoder encoder =
        GPOOL__GPU(seam, DeviceCreateCommandEncoder)(use->pool->device->device, NULL);
    if (encoder == NULL) {
        return NULL;
    }
    bool good = recipe->compute != 0 ? use_compute(use, program, things, encoder)
                                     : use_render(use, program, things, encoder);
    WGPUCommandBuffer buffer = NULL;
    if (good) {
        buffer = GPOOL__GPU(seam, CommandEncoderFinish)(encoder, NULL);
    }
    GPOOL__GPU(seam, CommandEncoderRelease)(encoder);
    return buffer;
}

static void use_release(const gpool__warm_use *use, const use_things *things)
{
    gpool__seam *seam = &use->pool->seam;
    for (int i = 0; i < GPOOL_MAX_GROUPS; ++i) {
        if (things->groups[i] != NULL) {
            GPOOL__GPU(seam, BindGroupRelease)(things->groups[i]);
        }
    }
    for (int i = 0; i <= GPOOL_MAX_COLORS; ++i) {
        if (things->targets[i] != NULL) {
            GPOOL__GPU(seam, TextureViewRelease)(things->targets[i]);
        }
    }
}

gpool_result gpool__warm_use_encode(gpool__warm_use *use, const gpool__program *program, bool *used)
{
    gpool *pool = use->pool;
    use_things things = { .written = 0 };
    gpool__capture_begin(pool->device, &pool->seam);
    WGPUCommandBuffer buffer = use_encode(use, program, &things);
    gpool_result result = gpool__capture_end(pool->device, &pool->seam);
    use_release(use, &things);
    *used = false;
    if (result != GPOOL_OK && buffer != NULL) {
        GPOOL__GPU(&pool->seam, CommandBufferRelease)(buffer); /* a submit of it would be fatal */
    }
    if (result == GPOOL_ERROR_DEVICE_LOST) {
        return gpool__fail_gpu(pool, result, "Warm-up of pool", pool->label);
    }
    if (result != GPOOL_OK || buffer == NULL) {
        gpool__warm_use_fini(use); /* what could not be made is asked for again */
        return GPOOL_OK;
    }
    result = gpool__batch_add_finished(pool, buffer);
    *used = result == GPOOL_OK;
    return result;
}

void gpool__warm_use_fini(gpool__warm_use *use)
{
    gpool__seam *seam = &use->pool->seam;
    if (use->read != NULL) {
        GPOOL__GPU(seam, BufferRelease)(use->read);
    }
    for (uint32_t i = 0; i < GPOOL__WARM_WRITTEN; ++i) {
        if (use->written[i] != NULL) {
            GPOOL__GPU(seam, BufferRelease)(use->written[i]);
        }
    }
    for (int i = 0; i < 2; ++i) {
        if (use->samplers[i] != NULL) {
            GPOOL__GPU(seam, SamplerRelease)(use->samplers[i]);
        }
    }
    *use = (gpool__warm_use){ .pool = use->pool };
}
