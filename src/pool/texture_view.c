/*
 * Views, cached with their texture and gone with its GPU object. A texture has few, so a linear
 * search with a full compare is both the simplest and the fastest.
 */
#include "pool/texture_state.h"

#include "gpu/format.h"

#define VIEW_LIMIT 1024u

static bool view_equal(const gpool_view_desc *a, const gpool_view_desc *b)
{
    return a->dimension == b->dimension && a->format == b->format &&
           a->base_mip_level == b->base_mip_level && a->mip_level_count == b->mip_level_count &&
           a->base_layer == b->base_layer && a->layer_count == b->layer_count &&
           a->aspect == b->aspect;
}

static WGPUTextureViewDimension view_default_dimension(const gpool__texture *texture,
                                                       const gpool_view_desc *desc)
{
    if (texture->dimension == WGPUTextureDimension_1D) {
        return WGPUTextureViewDimension_1D;
    }
    if (texture->dimension == WGPUTextureDimension_3D) {
        return WGPUTextureViewDimension_3D;
    }
    uint32_t layers = desc->layer_count;
    if (layers == 0) {
        layers = texture->depth_or_layers -
                 (uint32_t)gpool__min(desc->base_layer, texture->depth_or_layers);
    }
    return layers > 1 ? WGPUTextureViewDimension_2DArray : WGPUTextureViewDimension_2D;
}

/* Slices of a 3D texture are no layers. */
static uint32_t view_layers(const gpool__texture *texture)
{
    return texture->dimension == WGPUTextureDimension_3D ? 1 : texture->depth_or_layers;
}

/* Layers a view of that dimension covers when it does not say. */
static uint32_t view_default_layers(const gpool__texture *texture, const gpool_view_desc *desc)
{
    uint32_t layers = view_layers(texture);
    switch (desc->dimension) {
    case WGPUTextureViewDimension_Cube:
        return 6;
    case WGPUTextureViewDimension_2DArray:
    case WGPUTextureViewDimension_CubeArray:
        return layers - (uint32_t)gpool__min(desc->base_layer, layers);
    default:
        return 1;
    }
}

static gpool_result view_resolve(gpool *pool, const gpool__texture *texture,
                                 const gpool_view_desc *desc, gpool_view_desc *view)
{
    static const gpool_view_desc whole = { 0 };
    *view = desc != NULL ? *desc : whole;
    const char *label = texture->base.label;
    if (!gpool__is_enum((unsigned)view->dimension, WGPUTextureViewDimension_3D, true) ||
        !gpool__is_enum((unsigned)view->aspect, WGPUTextureAspect_DepthOnly, true)) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "Dimension [%d] or aspect [%d] of a view of texture \"%s\" is unknown",
                           (int)view->dimension, (int)view->aspect, label);
    }
    view->format = view->format != 0 ? view->format : texture->format;
    view->aspect = view->aspect != 0 ? view->aspect : WGPUTextureAspect_All;
    if (view->format != texture->format &&
        (texture->imported || view->format != gpool__format_twin(texture->format))) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "Format [0x%x] of a view is neither that of texture \"%s\" [0x%x] nor "
                           "its twin",
                           (unsigned)view->format, label, (unsigned)texture->format);
    }
    if (view->dimension == 0) {
        view->dimension = view_default_dimension(texture, view);
    }
    if (view->mip_level_count == 0) {
        view->mip_level_count =
            texture->mip_levels - (uint32_t)gpool__min(view->base_mip_level, texture->mip_levels);
    }
    if (view->layer_count == 0) {
        view->layer_count = view_default_layers(texture, view);
    }
    uint32_t layers = view_layers(texture);
    if (view->mip_level_count == 0 || view->layer_count == 0 ||
        !gpool__range_inside(view->base_mip_level, view->mip_level_count, texture->mip_levels) ||
        !gpool__range_inside(view->base_layer, view->layer_count, layers)) {
        return GPOOL__FAIL(pool, RANGE, OUT_OF_RANGE,
                           "Levels [%u+%u] or layers [%u+%u] of a view lie outside texture \"%s\" "
                           "[%u levels, %u layers]",
                           view->base_mip_level, view->mip_level_count, view->base_layer,
                           view->layer_count, label, texture->mip_levels, layers);
    }
    return GPOOL_OK;
}

WGPUTextureView gpool__texture_view_make(gpool *pool, const gpool__texture *texture,
                                         const gpool_view_desc *view, gpool_result *result)
{
    WGPUTextureViewDescriptor desc = {
        .label = gpool__view(texture->base.label),
        .format = view->format,
        .dimension = view->dimension,
        .baseMipLevel = view->base_mip_level,
        .mipLevelCount = view->mip_level_count,
        .baseArrayLayer = view->base_layer,
        .arrayLayerCount = view->layer_count,
        .aspect = view->aspect,
    };
    gpool__capture_begin(pool->device, &pool->seam);
    WGPUTextureView gpu = GPOOL__GPU(&pool->seam, TextureCreateView)(texture->gpu, &desc);
    *result = gpool__capture_end(pool->device, &pool->seam);
    if (*result == GPOOL_OK && gpu == NULL) {
        *result = GPOOL_ERROR_GPU;
    }
    if (*result != GPOOL_OK) {
        if (gpu != NULL) {
            GPOOL__GPU(&pool->seam, TextureViewRelease)(gpu);
        }
        *result = gpool__fail_gpu(pool, *result, "View of texture", texture->base.label);
        return NULL;
    }
    return gpu;
}

static WGPUTextureView view_make(gpool *pool, gpool__texture *texture, const gpool_view_desc *view,
                                 gpool_result *result)
{
    void *views = texture->views;
    if (texture->view_count >= VIEW_LIMIT) {
        *result = GPOOL__FAIL(pool, LIMIT, LIMIT, "The texture \"%s\" has [%u] views already",
                              texture->base.label, texture->view_count);
        return NULL;
    }
    if (!gpool__reserve(&pool->memory, &views, &texture->view_capacity, texture->view_count + 1,
                        sizeof *texture->views)) {
        *result = GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for a view of \"%s\"",
                              texture->base.label);
        return NULL;
    }
    texture->views = views;
    WGPUTextureView gpu = gpool__texture_view_make(pool, texture, view, result);
    if (gpu != NULL) {
        texture->views[texture->view_count++] = (gpool__texture_view){ *view, gpu };
    }
    return gpu;
}

WGPUTextureView gpool__texture_view_get(gpool *pool, gpool__texture *texture,
                                        const gpool_view_desc *desc, gpool_result *result)
{
    gpool_view_desc view;
    *result = view_resolve(pool, texture, desc, &view);
    if (*result != GPOOL_OK) {
        return NULL;
    }
    for (uint32_t i = 0; i < texture->view_count; ++i) {
        if (view_equal(&texture->views[i].desc, &view)) {
            return texture->views[i].gpu;
        }
    }
    return view_make(pool, texture, &view, result);
}

static size_t view_mips_size(const gpool__texture *texture)
{
    return (size_t)texture->mip_levels * texture->depth_or_layers * sizeof(gpool__mip);
}

gpool__mip *gpool__texture_mips_create(gpool *pool, const gpool__texture *texture)
{
    gpool__mip *mips = gpool__alloc(&pool->memory, view_mips_size(texture));
    if (mips == NULL) {
        (void)GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for the mips of texture \"%s\"",
                          texture->base.label);
    }
    return mips;
}

void gpool__texture_mips_free(gpool *pool, const gpool__texture *texture, gpool__mip *mips)
{
    size_t count = (size_t)texture->mip_levels * texture->depth_or_layers;
    for (size_t i = 0; mips != NULL && i < count; ++i) {
        if (mips[i].source != NULL) {
            GPOOL__GPU(&pool->seam, BindGroupRelease)(mips[i].source);
        }
        if (mips[i].view != NULL) {
            GPOOL__GPU(&pool->seam, TextureViewRelease)(mips[i].view);
        }
    }
    gpool__free(&pool->memory, mips, view_mips_size(texture));
}

WGPUTextureView gpool_texture_gpu_view(gpool *pool, gpool_texture handle,
                                       const gpool_view_desc *desc, gpool_access access)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_texture_gpu_view", &call);
    if (result != GPOOL_OK) {
        return NULL;
    }
    WGPUTextureView gpu = NULL;
    gpool__texture *texture = NULL;
    if (gpool__check_access(pool, access)) {
        texture =
            (gpool__texture *)gpool__resolve_good(pool, handle.id, GPOOL_KIND_TEXTURE, &result);
    }
    if (texture != NULL && gpool__texture_hand_out(pool, texture, access, &result)) {
        gpu = gpool__texture_view_get(pool, texture, desc, &result);
        if (gpu != NULL) {
            gpool__resource_record(pool, &texture->base);
        }
    }
    gpool__leave(pool, &call);
    return gpu;
}
