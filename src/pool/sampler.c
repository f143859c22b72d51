#include "pool/rebuild.h"

#include <math.h>
#include <string.h>

static void sampler_release(gpool *pool, gpool__resource *resource)
{
    gpool__sampler *sampler = (gpool__sampler *)resource;
    if (sampler->gpu != NULL) {
        GPOOL__GPU(&pool->seam, SamplerRelease)(sampler->gpu);
        sampler->gpu = NULL;
    }
}

/* Makes the GPU object; NULL with the error recorded. */
static WGPUSampler sampler_make(gpool *pool, const gpool__sampler *sampler, gpool_result *result)
{
    const gpool_sampler_desc *desc = &sampler->desc;
    WGPUSamplerDescriptor gpu_desc = {
        .label = gpool__view(sampler->base.label),
        .addressModeU = desc->address_u,
        .addressModeV = desc->address_v,
        .addressModeW = desc->address_w,
        .magFilter = desc->mag_filter,
        .minFilter = desc->min_filter,
        .mipmapFilter = desc->mipmap_filter,
        .lodMinClamp = desc->lod_min,
        .lodMaxClamp = desc->lod_max,
        .compare = desc->compare,
        .maxAnisotropy = desc->max_anisotropy,
    };
    gpool__capture_begin(pool->device, &pool->seam);
    WGPUSampler gpu = GPOOL__GPU(&pool->seam, DeviceCreateSampler)(pool->device->device, &gpu_desc);
    *result = gpool__capture_end(pool->device, &pool->seam);
    if (*result == GPOOL_OK && gpu == NULL) {
        *result = GPOOL_ERROR_GPU;
    }
    if (*result != GPOOL_OK) {
        if (gpu != NULL) {
            GPOOL__GPU(&pool->seam, SamplerRelease)(gpu);
        }
        *result = gpool__fail_gpu(pool, *result, "Making sampler", sampler->base.label);
        return NULL;
    }
    return gpu;
}

static void sampler_drop(gpool__seam *seam, void *gpu)
{
    GPOOL__GPU(seam, SamplerRelease)(gpu);
}

static gpool_result sampler_rebuild(gpool *pool, gpool__rebuild *rebuild, gpool__resource *resource)
{
    gpool__sampler *sampler = (gpool__sampler *)resource;
    gpool_result result;
    WGPUSampler gpu = sampler_make(pool, sampler, &result);
    return gpool__rebuild_add(pool, rebuild, sampler_drop, &sampler->gpu, gpu, result);
}

void gpool__samplers_init(gpool *pool)
{
    gpool__kind_init(pool, GPOOL_KIND_SAMPLER, sizeof(gpool__sampler), sampler_release);
    pool->rebuild[GPOOL_KIND_SAMPLER] = sampler_rebuild;
}

static bool sampler_equal(const gpool_sampler_desc *a, const gpool_sampler_desc *b)
{
    return a->address_u == b->address_u && a->address_v == b->address_v &&
           a->address_w == b->address_w && a->mag_filter == b->mag_filter &&
           a->min_filter == b->min_filter && a->mipmap_filter == b->mipmap_filter &&
           a->lod_min == b->lod_min && a->lod_max == b->lod_max && a->compare == b->compare &&
           a->max_anisotropy == b->max_anisotropy;
}

static gpool_result sampler_resolve(gpool *pool, const gpool_sampler_desc *desc,
                                    gpool_sampler_desc *full)
{
    const char *label = desc->label != NULL ? desc->label : "";
    *full = *desc;
    full->label = NULL;
    if (!gpool__is_enum((unsigned)desc->address_u, WGPUAddressMode_MirrorRepeat, true) ||
        !gpool__is_enum((unsigned)desc->address_v, WGPUAddressMode_MirrorRepeat, true) ||
        !gpool__is_enum((unsigned)desc->address_w, WGPUAddressMode_MirrorRepeat, true) ||
        !gpool__is_enum((unsigned)desc->mag_filter, WGPUFilterMode_Linear, true) ||
        !gpool__is_enum((unsigned)desc->min_filter, WGPUFilterMode_Linear, true) ||
        !gpool__is_enum((unsigned)desc->mipmap_filter, WGPUMipmapFilterMode_Linear, true) ||
        !gpool__is_enum((unsigned)desc->compare, WGPUCompareFunction_Always, true)) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "An enumeration of sampler \"%s\" is unknown", label);
    }
    full->address_u = desc->address_u != 0 ? desc->address_u : WGPUAddressMode_ClampToEdge;
    full->address_v = desc->address_v != 0 ? desc->address_v : full->address_u;
    full->address_w = desc->address_w != 0 ? desc->address_w : full->address_u;
    full->mag_filter = desc->mag_filter != 0 ? desc->mag_filter : WGPUFilterMode_Nearest;
    full->min_filter = desc->min_filter != 0 ? desc->min_filter : WGPUFilterMode_Nearest;
    full->mipmap_filter =
        desc->mipmap_filter != 0 ? desc->mipmap_filter : WGPUMipmapFilterMode_Nearest;
    full->lod_max = desc->lod_max != 0.0f ? desc->lod_max : 32.0f;
    full->max_anisotropy = desc->max_anisotropy != 0 ? desc->max_anisotropy : 1;
    bool linear = full->mag_filter == WGPUFilterMode_Linear &&
                  full->min_filter == WGPUFilterMode_Linear &&
                  full->mipmap_filter == WGPUMipmapFilterMode_Linear;
    if (!isfinite(full->lod_min) || !isfinite(full->lod_max) || full->lod_min < 0.0f ||
        full->lod_max < full->lod_min || (full->max_anisotropy > 1 && !linear)) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "Level range [%g, %g] or anisotropy [%u] of sampler \"%s\" is not "
                           "possible",
                           (double)full->lod_min, (double)full->lod_max, full->max_anisotropy,
                           label);
    }
    return GPOOL_OK;
}

static gpool_sampler sampler_create(gpool *pool, const gpool_sampler_desc *desc)
{
    static const gpool_sampler_desc defaults = { 0 };
    gpool_sampler none = { 0 };
    gpool_sampler_desc full;
    if (desc == NULL) {
        desc = &defaults;
    }
    if (sampler_resolve(pool, desc, &full) != GPOOL_OK) {
        return none;
    }
    gpool_result result;
    const gpool__scope *scope = gpool__scope_resolve(pool, desc->scope, &result);
    if (scope == NULL) {
        return none;
    }
    const gpool__table *table = &pool->tables[GPOOL_KIND_SAMPLER];
    for (uint32_t i = 0; i < table->slot_count; ++i) {
        gpool__sampler *each = (gpool__sampler *)gpool__table_at(table, i);
        if (gpool__table_is_live(table, &each->base.head) && !each->base.failed &&
            gpool__scope_has(pool, scope, &each->base) && sampler_equal(&each->desc, &full) &&
            gpool__resource_share(pool, &each->base)) {
            return (gpool_sampler){ gpool__handle_of(pool, &each->base) };
        }
    }
    gpool__sampler *sampler =
        (gpool__sampler *)gpool__resource_take(pool, GPOOL_KIND_SAMPLER, desc->label, desc->scope);
    if (sampler == NULL) {
        return none;
    }
    sampler->desc = full;
    sampler->gpu = sampler_make(pool, sampler, &result);
    sampler->base.failed = sampler->gpu == NULL;
    return (gpool_sampler){ gpool__handle_of(pool, &sampler->base) };
}

gpool_sampler gpool_sampler_create(gpool *pool, const gpool_sampler_desc *desc)
{
    gpool_sampler sampler = { 0 };
    gpool__call call;
    if (gpool__enter(pool, "gpool_sampler_create", &call) == GPOOL_OK) {
        sampler = sampler_create(pool, desc);
        gpool__leave(pool, &call);
    }
    return sampler;
}

gpool_result gpool_sampler_destroy(gpool *pool, gpool_sampler handle)
{
    return gpool__destroy_handle(pool, handle.id, GPOOL_KIND_SAMPLER, "gpool_sampler_destroy");
}

gpool_result gpool_sampler_get_desc(gpool *pool, gpool_sampler handle, gpool_sampler_desc *desc)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_sampler_get_desc", &call);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__sampler *sampler =
        (gpool__sampler *)gpool__resolve(pool, handle.id, GPOOL_KIND_SAMPLER, &result);
    if (sampler != NULL && desc == NULL) {
        result = GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT, "The target [NULL] is null");
    } else if (sampler != NULL) {
        *desc = sampler->desc;
        desc->label = sampler->base.label;
        desc->scope = gpool__scope_handle(pool, sampler->base.alive.scope);
    }
    gpool__leave(pool, &call);
    return result;
}

WGPUSampler gpool_sampler_gpu(gpool *pool, gpool_sampler handle)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_sampler_gpu", &call);
    if (result != GPOOL_OK) {
        return NULL;
    }
    gpool__sampler *sampler =
        (gpool__sampler *)gpool__resolve_good(pool, handle.id, GPOOL_KIND_SAMPLER, &result);
    gpool__leave(pool, &call);
    return sampler != NULL ? sampler->gpu : NULL;
}
