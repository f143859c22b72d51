#include "pool/make.h"
#include "pool/rebuild.h"
#include "pool/texture_state.h"

#include "gpu/format.h"

#include <string.h>

static gpool__texture *texture_of(gpool__resource *resource)
{
    return (gpool__texture *)resource;
}

static void texture_drop(gpool__seam *seam, void *gpu)
{
    GPOOL__GPU(seam, TextureRelease)(gpu);
}

static void texture_release_views(gpool *pool, gpool__texture *texture)
{
    for (uint32_t i = 0; i < texture->view_count; ++i) {
        GPOOL__GPU(&pool->seam, TextureViewRelease)(texture->views[i].gpu);
    }
    gpool__free(&pool->memory, texture->views, texture->view_capacity * sizeof *texture->views);
    texture->views = NULL;
    texture->view_count = 0;
    texture->view_capacity = 0;
    gpool__texture_mips_free(pool, texture, texture->mips);
    texture->mips = NULL;
}

/* Views and GPU object; the shadow stays. */
static void texture_release_gpu(gpool *pool, gpool__texture *texture)
{
    texture_release_views(pool, texture);
    if (texture->gpu != NULL) {
        if (!gpool__recycle_keep_texture(pool, texture)) {
            texture_drop(&pool->seam, texture->gpu);
        }
        texture->gpu = NULL;
    }
    gpool__recycle_forget(pool, &texture->base);
}

static void texture_release(gpool *pool, gpool__resource *resource)
{
    gpool__texture *texture = texture_of(resource);
    texture_release_gpu(pool, texture);
    gpool__shadow_free(pool, texture->shadow);
    texture->shadow = NULL;
}

/* As buffer_retiring(): dirty texels go out while a recording or a raw holder may read them. */
static void texture_retiring(gpool *pool, gpool__resource *resource)
{
    gpool__texture *texture = texture_of(resource);
    if (!pool->recording) {
        gpool__recycle_retiring(pool, resource);
    }
    if (texture->shadow == NULL || pool->recording) {
        return;
    }
    if (texture->shadow->raw) {
        /* An error is logged; the texture goes all the same. */
        (void)gpool__texture_flush(pool, texture);
    }
    gpool__texture_delist(pool, texture->shadow);
}

/* Copies what a texture is, not its slot, which stays what it is. */
static void texture_copy(gpool__texture *to, const gpool__texture *from)
{
    const size_t slot = sizeof to->base;
    memcpy((char *)to + slot, (const char *)from + slot, sizeof *to - slot);
}

/* Makes the GPU object under capture; *gpu is NULL on an error, which is not recorded. */
static gpool_result texture_try_bare(gpool *pool, const gpool__texture *texture, const char *label,
                                     WGPUTexture *gpu)
{
    WGPUTextureFormat twin = gpool__format_twin(texture->format);
    WGPUTextureDescriptor desc = {
        .label = gpool__view(label),
        .usage = gpool__texture_gpu_usage(texture),
        .dimension = texture->dimension,
        .size = { texture->width, texture->height, texture->depth_or_layers },
        .format = texture->format,
        .mipLevelCount = texture->mip_levels,
        .sampleCount = texture->samples,
        .viewFormatCount = twin != WGPUTextureFormat_Undefined ? 1 : 0,
        .viewFormats = &twin,
    };
    gpool__capture_begin(pool->device, &pool->seam);
    *gpu = GPOOL__GPU(&pool->seam, DeviceCreateTexture)(pool->device->device, &desc);
    gpool_result result = gpool__end_making(pool, *gpu != NULL);
    if (result != GPOOL_OK && *gpu != NULL) {
        GPOOL__GPU(&pool->seam, TextureRelease)(*gpu);
        *gpu = NULL;
    }
    return result;
}

/* Makes the GPU object; *gpu is NULL on an error. What is kept for reuse gives way to it. */
static gpool_result texture_make_bare(gpool *pool, const gpool__texture *texture, const char *label,
                                      WGPUTexture *gpu)
{
    gpool_result result = texture_try_bare(pool, texture, label, gpu);
    if (result == GPOOL_ERROR_OUT_OF_GPU_MEMORY && gpool__recycle_drop(pool)) {
        result = texture_try_bare(pool, texture, label, gpu);
    }
    return result == GPOOL_OK ? result : gpool__fail_gpu(pool, result, "Making texture", label);
}

/*
 * Both implementations count a level of a 3D texture as zeroed once any slice of it was a target, so
 * that its other slices show old memory (seen on lavapipe and on NVIDIA). They are zeroed here.
 */
static gpool_result texture_zero_slices(gpool *pool, gpool__texture *texture)
{
    if (texture->dimension != WGPUTextureDimension_3D ||
        (texture->usage & GPOOL_TEXTURE_TARGET) == 0) {
        return GPOOL_OK;
    }
    gpool__format facts = gpool__format_facts(texture->format);
    size_t slice = (size_t)texture->width * texture->height * facts.block_bytes;
    void *zeros = gpool__alloc(&pool->memory, slice);
    if (zeros == NULL) {
        return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory to clear texture \"%s\"",
                           texture->base.label);
    }
    gpool_result result = GPOOL_OK;
    uint64_t written = pool->stats.written_bytes;
    uint64_t sent = pool->stats.sent_bytes;
    for (uint32_t level = 0; level < texture->mip_levels; ++level) {
        uint32_t width, height, depth;
        gpool__texture_level(texture, level, &width, &height, &depth);
        for (uint32_t z = 0; z < depth && result == GPOOL_OK; ++z) {
            gpool__texture_part part = {
                .level = level,
                .z = z,
                .width = width,
                .height = height,
                .depth = 1,
                .aspect = WGPUTextureAspect_All,
                .row_bytes = width * facts.block_bytes,
                .row_count = height,
            };
            result = gpool__texture_send(pool, texture, &part, zeros, 0);
        }
    }
    pool->stats.written_bytes = written; /* not the user's bytes */
    pool->stats.sent_bytes = sent;
    gpool__free(&pool->memory, zeros, slice);
    return result;
}

/* Makes the GPU object of a texture and stores it there; it stays NULL on an error. */
static gpool_result texture_make_gpu(gpool *pool, gpool__texture *texture, const char *label)
{
    texture->gpu = NULL;
    gpool_result result = texture_make_bare(pool, texture, label, &texture->gpu);
    if (result == GPOOL_OK) {
        result = texture_zero_slices(pool, texture);
    }
    if (result != GPOOL_OK && texture->gpu != NULL) {
        GPOOL__GPU(&pool->seam, TextureRelease)(texture->gpu);
        texture->gpu = NULL;
    }
    return result;
}

/*
 * The same for a new texture, or a recycled object: then all of it is written or cleared. Data is of
 * one level. A resize takes none: a window that is resized has hardly ever the size of before.
 */
static gpool_result texture_get_gpu(gpool *pool, gpool__texture *texture, bool has_data)
{
    bool covered = texture->shadow != NULL || (has_data && texture->mip_levels == 1);
    texture->gpu = gpool__recycle_take_texture(pool, texture, covered);
    if (texture->gpu == NULL) {
        return texture_make_gpu(pool, texture, texture->base.label);
    }
    if (texture->shadow != NULL) {
        gpool__shadow_mark_all(pool, texture->shadow);
    } else if (!covered) {
        gpool__recycle_clear_later(pool, &texture->base);
    }
    return GPOOL_OK;
}

static gpool_result texture_rebuild(gpool *pool, gpool__rebuild *rebuild, gpool__resource *resource)
{
    gpool__texture *texture = texture_of(resource);
    gpool__texture fresh = { .base = { .label = resource->label } };
    texture_copy(&fresh, texture);
    fresh.gpu = NULL;
    /* The foreign object was of the old device, and only its owner can make another. */
    gpool_result result = GPOOL_ERROR_FAILED_RESOURCE;
    if (!texture->imported) {
        result = gpool__texture_check_extent(pool, texture, resource->label);
        if (result == GPOOL_OK) {
            result = gpool__texture_check_kind(pool, texture, resource->label);
        }
        if (result == GPOOL_OK) {
            result = texture_make_gpu(pool, &fresh, resource->label);
        }
    }
    return gpool__rebuild_add(pool, rebuild, texture_drop, &texture->gpu, fresh.gpu, result);
}

static void texture_rebuilt(gpool *pool, gpool__resource *resource, gpool_result result)
{
    gpool__texture *texture = texture_of(resource);
    texture_release_views(pool, texture);
    texture->version += 1;
    texture->raw = false;
    if (texture->shadow == NULL) {
        return;
    }
    /* The shadow goes out with the next submit; that of a failed texture waits for a better device. */
    texture->shadow->raw = false;
    gpool__shadow_clear(pool, texture->shadow);
    if (result == GPOOL_OK) {
        gpool__shadow_mark_all(pool, texture->shadow);
    }
}

void gpool__textures_init(gpool *pool)
{
    gpool__kind_init(pool, GPOOL_KIND_TEXTURE, sizeof(gpool__texture), texture_release);
    pool->retiring[GPOOL_KIND_TEXTURE] = texture_retiring;
    pool->rebuild[GPOOL_KIND_TEXTURE] = texture_rebuild;
    pool->rebuilt[GPOOL_KIND_TEXTURE] = texture_rebuilt;
}

static gpool_texture texture_create(gpool *pool, const gpool_texture_desc *desc)
{
    gpool_texture none = { 0 };
    gpool__texture wanted = { 0 };
    if (gpool__texture_resolve_desc(pool, desc, &wanted) != GPOOL_OK) {
        return none;
    }
    gpool__texture_part part = { 0 };
    if (desc->data != NULL) {
        /* Check the data before anything is made. */
        wanted.base.label = (char *)(uintptr_t)(desc->label != NULL ? desc->label : "");
        if (gpool__texture_resolve_part(pool, &wanted, NULL, GPOOL__PART_WRITE, &part) !=
            GPOOL_OK) {
            return none;
        }
        if (gpool__texture_check_data(pool, &wanted, &part, desc->data_size, desc->bytes_per_row) !=
            GPOOL_OK) {
            return none;
        }
    }
    gpool__texture *texture =
        texture_of(gpool__resource_take(pool, GPOOL_KIND_TEXTURE, desc->label, desc->scope));
    if (texture == NULL) {
        return none;
    }
    texture_copy(texture, &wanted);
    texture->version = 1;
    texture->gpu_size = gpool__texture_count_bytes(texture);
    gpool_result result = GPOOL_OK;
    if (desc->keep == GPOOL_KEEP_SHADOW) {
        result = gpool__shadow_create(pool, texture);
    }
    if (result == GPOOL_OK) {
        result = texture_get_gpu(pool, texture, desc->data != NULL);
    }
    if (result == GPOOL_ERROR_OUT_OF_MEMORY) {
        gpool__resource_cancel(pool, &texture->base);
        return none;
    }
    uint64_t written_before = pool->stats.written_bytes;
    if (desc->data != NULL && texture->shadow != NULL) {
        gpool__shadow_write(pool, texture->shadow, &part, desc->data, desc->bytes_per_row);
    } else if (desc->data != NULL && result == GPOOL_OK) {
        result = gpool__texture_send(pool, texture, &part, desc->data, desc->bytes_per_row);
    }
    if (result != GPOOL_OK) {
        /* The shadow stays: gpool_recover() tries again with it. */
        texture_release_gpu(pool, texture);
        if (texture->shadow != NULL) {
            gpool__shadow_clear(pool, texture->shadow);
        }
        pool->stats.written_bytes = written_before;
        texture->base.failed = true;
    }
    gpool__resource_count_bytes(pool, &texture->base, 0, gpool__resource_bytes(&texture->base));
    return (gpool_texture){ gpool__handle_of(pool, &texture->base) };
}

gpool_texture gpool_texture_create(gpool *pool, const gpool_texture_desc *desc)
{
    gpool_texture texture = { 0 };
    gpool__call call;
    if (gpool__enter(pool, "gpool_texture_create", &call) == GPOOL_OK) {
        texture = texture_create(pool, desc);
        gpool__leave(pool, &call);
    }
    return texture;
}

static gpool_texture texture_import(gpool *pool, const gpool_texture_import_desc *desc)
{
    gpool_texture none = { 0 };
    if (desc == NULL || desc->texture == NULL) {
        (void)GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT,
                          "The descriptor or its texture [NULL] is null");
        return none;
    }
    const char *label = desc->label != NULL ? desc->label : "";
    if (desc->this_frame && !pool->in_frame) {
        (void)GPOOL__FAIL(pool, PHASE, WRONG_PHASE,
                          "Import of texture \"%s\" for this frame outside a frame", label);
        return none;
    }
    gpool__seam *seam = &pool->seam;
    WGPUTexture gpu = desc->texture;
    gpool__texture wanted = {
        .width = GPOOL__GPU(seam, TextureGetWidth)(gpu),
        .height = GPOOL__GPU(seam, TextureGetHeight)(gpu),
        .depth_or_layers = GPOOL__GPU(seam, TextureGetDepthOrArrayLayers)(gpu),
        .mip_levels = GPOOL__GPU(seam, TextureGetMipLevelCount)(gpu),
        .samples = GPOOL__GPU(seam, TextureGetSampleCount)(gpu),
        .dimension = GPOOL__GPU(seam, TextureGetDimension)(gpu),
        .format = GPOOL__GPU(seam, TextureGetFormat)(gpu),
        .usage = desc->usage,
        .imported = true,
        .version = 1,
        .gpu = gpu,
    };
    WGPUTextureUsage has = GPOOL__GPU(seam, TextureGetUsage)(gpu);
    gpool__texture bare = wanted;
    bare.samples = 4; /* without what gpool adds for its own writes and resizes */
    WGPUTextureUsage needs = gpool__texture_gpu_usage(&bare);
    if (desc->usage == 0 || (desc->usage & ~GPOOL__TEXTURE_USAGES) != 0 || (needs & ~has) != 0) {
        (void)GPOOL__FAIL(pool, USAGE, MISSING_USAGE,
                          "The texture imported as \"%s\" has WebGPU usage [0x%llx], asked for is "
                          "[0x%x]",
                          label, (unsigned long long)has, desc->usage);
        return none;
    }
    if (gpool__format_facts(wanted.format).block_width == 0 || wanted.width == 0) {
        (void)GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                          "The texture imported as \"%s\" has unknown format [0x%x] or no extent",
                          label, (unsigned)wanted.format);
        return none;
    }
    if (desc->this_frame && !gpool__frame_import_reserve(pool)) {
        return none;
    }
    gpool__texture *texture =
        texture_of(gpool__resource_take(pool, GPOOL_KIND_TEXTURE, desc->label, desc->scope));
    if (texture == NULL) {
        return none;
    }
    texture_copy(texture, &wanted);
    if (desc->this_frame) {
        gpool__frame_import_add(pool, &texture->base);
    }
    texture->gpu_size = gpool__texture_count_bytes(texture);
    GPOOL__GPU(seam, TextureAddRef)(gpu);
    return (gpool_texture){ gpool__handle_of(pool, &texture->base) };
}

gpool_texture gpool_texture_import(gpool *pool, const gpool_texture_import_desc *desc)
{
    gpool_texture texture = { 0 };
    gpool__call call;
    if (gpool__enter(pool, "gpool_texture_import", &call) == GPOOL_OK) {
        texture = texture_import(pool, desc);
        gpool__leave(pool, &call);
    }
    return texture;
}

/* Records the copies that keep what lies inside both extents. */
static gpool_result texture_copy_gpu(gpool *pool, const gpool__texture *from,
                                     const gpool__texture *to)
{
    gpool_result result;
    WGPUCommandEncoder encoder = gpool__make_encoder(pool, "Copy of a resized texture in pool",
                                                     "Copy of a resized texture in pool", &result);
    if (encoder == NULL) {
        return result;
    }
    gpool__format facts = gpool__format_facts(from->format);
    uint32_t levels = (uint32_t)gpool__min(from->mip_levels, to->mip_levels);
    for (uint32_t level = 0; level < levels; ++level) {
        uint32_t w0, h0, d0, w1, h1, d1;
        gpool__texture_level(from, level, &w0, &h0, &d0);
        gpool__texture_level(to, level, &w1, &h1, &d1);
        WGPUTexelCopyTextureInfo source = { .texture = from->gpu,
                                            .mipLevel = level,
                                            .aspect = WGPUTextureAspect_All };
        WGPUTexelCopyTextureInfo target = { .texture = to->gpu,
                                            .mipLevel = level,
                                            .aspect = WGPUTextureAspect_All };
        /* The common extent, rounded up to the blocks that the smaller one ends in. */
        WGPUExtent3D extent = {
            (uint32_t)gpool__min(w0, w1) + facts.block_width - 1,
            (uint32_t)gpool__min(h0, h1) + facts.block_height - 1,
            (uint32_t)gpool__min(d0, d1),
        };
        extent.width -= extent.width % facts.block_width;
        extent.height -= extent.height % facts.block_height;
        GPOOL__GPU(&pool->seam, CommandEncoderCopyTextureToTexture)
        (encoder, &source, &target, &extent);
    }
    return gpool__submit_internal(pool, encoder, "Copy of a resized texture in pool");
}

static gpool_result texture_resize(gpool *pool, gpool_texture handle, uint32_t width,
                                   uint32_t height, uint32_t depth_or_layers)
{
    gpool_result result;
    gpool__texture *texture =
        texture_of(gpool__resolve_good(pool, handle.id, GPOOL_KIND_TEXTURE, &result));
    if (texture == NULL) {
        return result;
    }
    const char *label = texture->base.label;
    if (texture->imported) {
        return GPOOL__FAIL(pool, UNSUPPORTED, UNSUPPORTED,
                           "The imported texture \"%s\" cannot be resized", label);
    }
    gpool__texture fresh = { .base = { .label = texture->base.label } };
    texture_copy(&fresh, texture);
    fresh.width = width;
    fresh.height = height;
    fresh.depth_or_layers = depth_or_layers != 0 ? depth_or_layers : texture->depth_or_layers;
    fresh.views = NULL;
    fresh.view_count = 0;
    fresh.view_capacity = 0;
    fresh.mips = NULL;
    fresh.shadow = NULL;
    fresh.raw = false;
    result = gpool__texture_check_extent(pool, &fresh, label);
    if (result != GPOOL_OK || (width == texture->width && height == texture->height &&
                               fresh.depth_or_layers == texture->depth_or_layers)) {
        return result;
    }
    if (gpool__resource_is_recorded(pool, &texture->base)) {
        return GPOOL__FAIL(pool, RECORDED, RECORDED,
                           "Resize of texture \"%s\" to [%u x %u] while a recorder names it", label,
                           width, height);
    }
    fresh.mip_levels = (uint32_t)gpool__min(fresh.mip_levels, gpool__texture_max_levels(&fresh));
    result = gpool__texture_check_kind(pool, &fresh, label);
    if (result != GPOOL_OK) {
        return result;
    }
    fresh.gpu_size = gpool__texture_count_bytes(&fresh);
    /* The old GPU object moves into a slot of its own, which retires like any other. */
    gpool__texture *old = texture_of(gpool__resource_take_spare(pool, GPOOL_KIND_TEXTURE));
    if (old == NULL) {
        return gpool_last_error(pool)->code;
    }
    if (texture->shadow != NULL) {
        result = gpool__shadow_create(pool, &fresh);
    }
    if (result == GPOOL_OK) {
        result = texture_make_gpu(pool, &fresh, label);
    }
    if (result == GPOOL_OK && texture->shadow == NULL && gpool__texture_keeps_content(texture)) {
        result = texture_copy_gpu(pool, texture, &fresh);
        if (result != GPOOL_OK) {
            GPOOL__GPU(&pool->seam, TextureRelease)(fresh.gpu);
        }
    }
    if (result != GPOOL_OK) {
        gpool__shadow_free(pool, fresh.shadow);
        gpool__resource_cancel(pool, &old->base);
        return result;
    }
    if (texture->shadow != NULL) {
        gpool__shadow_copy(fresh.shadow, texture->shadow);
        gpool__shadow_mark_all(pool, fresh.shadow);
        fresh.shadow->texture = texture;
        gpool__shadow_free(pool, texture->shadow);
        texture->shadow = NULL;
    }
    gpool__resource_count_bytes(pool, &old->base, 0, texture->gpu_size);
    gpool__resource_count_bytes(pool, &texture->base, texture->gpu_size, fresh.gpu_size);
    gpool__recycle_forget(pool, &texture->base);
    texture_copy(old, texture);
    texture_copy(texture, &fresh);
    texture->version += 1;
    if (texture->base.bind_uses != NULL) {
        pool->drop_bind_uses(pool, &texture->base);
    }
    gpool__resource_retire(pool, &old->base);
    return GPOOL_OK;
}

gpool_result gpool_texture_resize(gpool *pool, gpool_texture texture, uint32_t width,
                                  uint32_t height, uint32_t depth_or_layers)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_texture_resize", &call);
    if (result == GPOOL_OK) {
        result = texture_resize(pool, texture, width, height, depth_or_layers);
        gpool__leave(pool, &call);
    }
    return result;
}

gpool_result gpool_texture_destroy(gpool *pool, gpool_texture texture)
{
    return gpool__destroy_handle(pool, texture.id, GPOOL_KIND_TEXTURE, "gpool_texture_destroy");
}

static gpool_result texture_get_info(gpool *pool, gpool_texture handle, gpool_texture_info *info)
{
    gpool_result result;
    gpool__texture *texture =
        texture_of(gpool__resolve(pool, handle.id, GPOOL_KIND_TEXTURE, &result));
    if (texture == NULL) {
        return result;
    }
    if (info == NULL) {
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT, "The info [NULL] is null");
    }
    *info = (gpool_texture_info){
        .width = texture->width,
        .height = texture->height,
        .depth_or_layers = texture->depth_or_layers,
        .dimension = texture->dimension,
        .format = texture->format,
        .mip_levels = texture->mip_levels,
        .samples = texture->samples,
        .usage = texture->usage,
        .gpu_usage = texture->imported && texture->gpu != NULL
                         ? GPOOL__GPU(&pool->seam, TextureGetUsage)(texture->gpu)
                         : gpool__texture_gpu_usage(texture),
        .gpu_size = texture->gpu_size,
        .version = texture->version,
        .created_frame = texture->base.alive.created_frame,
        .view_count = texture->view_count,
        .keep = texture->shadow != NULL ? GPOOL_KEEP_SHADOW : GPOOL_KEEP_DROP,
        .dirty_bytes = texture->shadow != NULL ? gpool__shadow_dirty_bytes(texture->shadow) : 0,
        .imported = texture->imported,
        .failed = texture->base.failed,
        .label = texture->base.label,
    };
    return GPOOL_OK;
}

gpool_result gpool_texture_get_info(gpool *pool, gpool_texture texture, gpool_texture_info *info)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_texture_get_info", &call);
    if (result == GPOOL_OK) {
        result = texture_get_info(pool, texture, info);
        gpool__leave(pool, &call);
    }
    return result;
}

static WGPUTexture texture_gpu(gpool *pool, gpool_texture handle, gpool_access access)
{
    gpool_result result;
    if (!gpool__check_access(pool, access)) {
        return NULL;
    }
    gpool__texture *texture =
        texture_of(gpool__resolve_good(pool, handle.id, GPOOL_KIND_TEXTURE, &result));
    if (texture == NULL || !gpool__texture_hand_out(pool, texture, access, &result)) {
        return NULL;
    }
    gpool__resource_record(pool, &texture->base);
    return texture->gpu;
}

WGPUTexture gpool_texture_gpu(gpool *pool, gpool_texture texture, gpool_access access)
{
    WGPUTexture gpu = NULL;
    gpool__call call;
    if (gpool__enter(pool, "gpool_texture_gpu", &call) == GPOOL_OK) {
        gpu = texture_gpu(pool, texture, access);
        gpool__leave(pool, &call);
    }
    return gpu;
}
