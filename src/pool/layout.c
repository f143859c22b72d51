#include "pool/rebuild.h"

#include "base/hash.h"
#include "gpu/format.h"

#include <stdlib.h>
#include <string.h>

static size_t layout_group_size(uint32_t entry_count)
{
    return sizeof(gpool__group_layout) + entry_count * sizeof(gpool_layout_entry);
}

gpool__group_layout *gpool__group_layout_retain(gpool__group_layout *group)
{
    if (group != NULL) {
        group->references += 1;
    }
    return group;
}

void gpool__group_layout_release(gpool *pool, gpool__group_layout *group)
{
    if (group == NULL || --group->references > 0) {
        return;
    }
    if (group->gpu != NULL) {
        GPOOL__GPU(&pool->seam, BindGroupLayoutRelease)(group->gpu);
    }
    gpool__group_layout **place = &pool->group_layouts;
    while (*place != group) {
        place = &(*place)->next;
    }
    *place = group->next;
    gpool__free(&pool->memory, group, layout_group_size(group->entry_count));
}

static void layout_release(gpool *pool, gpool__resource *resource)
{
    gpool__layout *layout = (gpool__layout *)resource;
    gpool__group_layout_release(pool, layout->group);
    layout->group = NULL;
    layout->entries = NULL;
}

static int layout_order(const void *a, const void *b)
{
    const gpool_layout_entry *x = a;
    const gpool_layout_entry *y = b;
    return (x->binding > y->binding) - (x->binding < y->binding);
}

static bool layout_is_buffer(gpool_binding_type type)
{
    return type <= GPOOL_BINDING_STORAGE_WRITE;
}

/* Stages that may see an entry: what is written must not be seen by vertex shaders. */
static WGPUShaderStage layout_default_stages(const gpool_layout_entry *entry)
{
    bool written = entry->type == GPOOL_BINDING_STORAGE_WRITE ||
                   (entry->type == GPOOL_BINDING_STORAGE_TEXTURE &&
                    entry->access != WGPUStorageTextureAccess_ReadOnly);
    return WGPUShaderStage_Fragment | WGPUShaderStage_Compute |
           (written ? WGPUShaderStage_None : WGPUShaderStage_Vertex);
}

static gpool_result layout_resolve_entry(gpool *pool, const char *label,
                                         const gpool_layout_entry *given, gpool_layout_entry *full)
{
    const WGPUShaderStage all =
        WGPUShaderStage_Vertex | WGPUShaderStage_Fragment | WGPUShaderStage_Compute;
    /* Cleared first, so that equal entries are equal in every byte that is compared. */
    memset(full, 0, sizeof *full);
    full->binding = given->binding;
    full->type = given->type;
    if ((unsigned)given->type >= GPOOL_BINDING_TYPE_COUNT || (given->stages & ~all) != 0 ||
        !gpool__is_enum((unsigned)given->sample_type, WGPUTextureSampleType_Uint, true) ||
        !gpool__is_enum((unsigned)given->dimension, WGPUTextureViewDimension_3D, true) ||
        !gpool__is_enum((unsigned)given->access, WGPUStorageTextureAccess_ReadWrite, true)) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "Type [%d], stages [0x%llx] or a texture enumeration of binding [%u] of "
                           "layout \"%s\" is unknown",
                           (int)given->type, (unsigned long long)given->stages, given->binding,
                           label);
    }
    uint32_t bindings = pool->device->info.limits.maxBindingsPerBindGroup;
    if (given->binding >= bindings) {
        return GPOOL__FAIL(pool, LIMIT, LIMIT,
                           "The number [%u] of layout \"%s\" is not below maxBindingsPerBindGroup "
                           "[%u]",
                           given->binding, label, bindings);
    }
    if (layout_is_buffer(given->type)) {
        if (given->min_size > pool->device->info.limits.maxBufferSize) {
            return GPOOL__FAIL(pool, LIMIT, LIMIT,
                               "The least size [%llu] of binding [%u] of layout \"%s\" is over "
                               "maxBufferSize",
                               (unsigned long long)given->min_size, given->binding, label);
        }
        full->dynamic_offset = given->dynamic_offset;
        full->min_size = given->min_size;
    } else if (given->type == GPOOL_BINDING_TEXTURE) {
        full->sample_type = given->sample_type > WGPUTextureSampleType_Undefined
                                ? given->sample_type
                                : WGPUTextureSampleType_Float;
        full->multisampled = given->multisampled;
        full->dimension = given->dimension != 0 ? given->dimension : WGPUTextureViewDimension_2D;
    } else if (given->type == GPOOL_BINDING_STORAGE_TEXTURE) {
        full->access = given->access > WGPUStorageTextureAccess_Undefined
                           ? given->access
                           : WGPUStorageTextureAccess_WriteOnly;
        full->dimension = given->dimension != 0 ? given->dimension : WGPUTextureViewDimension_2D;
        full->format = given->format;
        if (gpool__format_facts(given->format).block_width == 0) {
            return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                               "The format [0x%x] of storage texture [%u] of layout \"%s\" is "
                               "unknown",
                               (unsigned)given->format, given->binding, label);
        }
    }
    full->stages = given->stages != 0 ? given->stages : layout_default_stages(full);
    return GPOOL_OK;
}

/* Fills and sorts the entries of `layout`. */
static gpool_result layout_resolve(gpool *pool, const gpool_layout_desc *desc,
                                   gpool_layout_entry entries[GPOOL_MAX_BINDINGS])
{
    if (desc == NULL || (desc->entries == NULL && desc->entry_count > 0)) {
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT,
                           "The descriptor or its entries [NULL] are null");
    }
    const char *label = desc->label != NULL ? desc->label : "";
    if (desc->entry_count > GPOOL_MAX_BINDINGS) {
        return GPOOL__FAIL(pool, LIMIT, LIMIT, "The entry count [%u] of layout \"%s\" is over [%d]",
                           desc->entry_count, label, GPOOL_MAX_BINDINGS);
    }
    for (uint32_t i = 0; i < desc->entry_count; ++i) {
        gpool_result result = layout_resolve_entry(pool, label, &desc->entries[i], &entries[i]);
        if (result != GPOOL_OK) {
            return result;
        }
    }
    qsort(entries, desc->entry_count, sizeof *entries, layout_order);
    for (uint32_t i = 1; i < desc->entry_count; ++i) {
        if (entries[i].binding == entries[i - 1].binding) {
            return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                               "Number [%u] comes twice in layout \"%s\"", entries[i].binding,
                               label);
        }
    }
    return GPOOL_OK;
}

static WGPUBindGroupLayoutEntry layout_gpu_entry(const gpool_layout_entry *entry)
{
    static const WGPUBufferBindingType buffers[] = { WGPUBufferBindingType_Uniform,
                                                     WGPUBufferBindingType_ReadOnlyStorage,
                                                     WGPUBufferBindingType_Storage };
    WGPUBindGroupLayoutEntry gpu = { .binding = entry->binding, .visibility = entry->stages };
    if (layout_is_buffer(entry->type)) {
        gpu.buffer.type = buffers[entry->type];
        gpu.buffer.hasDynamicOffset = entry->dynamic_offset;
        gpu.buffer.minBindingSize = entry->min_size;
    } else if (entry->type == GPOOL_BINDING_TEXTURE) {
        gpu.texture.sampleType = entry->sample_type;
        gpu.texture.viewDimension = entry->dimension;
        gpu.texture.multisampled = entry->multisampled;
    } else if (entry->type == GPOOL_BINDING_STORAGE_TEXTURE) {
        gpu.storageTexture.access = entry->access;
        gpu.storageTexture.format = entry->format;
        gpu.storageTexture.viewDimension = entry->dimension;
    } else {
        gpu.sampler.type = entry->type == GPOOL_BINDING_SAMPLER_COMPARISON
                               ? WGPUSamplerBindingType_Comparison
                               : WGPUSamplerBindingType_Filtering;
        /* Textures that cannot be filtered are bound with a filtering sampler all the same: whether
         * the pair fits is the pipeline's check. */
    }
    return gpu;
}

static gpool__layout *layout_find(gpool *pool, const gpool__scope *scope,
                                  const gpool_layout_entry *entries, uint32_t count)
{
    const gpool__table *table = &pool->tables[GPOOL_KIND_LAYOUT];
    for (uint32_t i = 0; i < table->slot_count; ++i) {
        gpool__layout *each = (gpool__layout *)gpool__table_at(table, i);
        if (gpool__table_is_live(table, &each->base.head) && !each->base.failed &&
            gpool__scope_has(pool, scope, &each->base) && each->entry_count == count &&

            memcmp(each->entries, entries, count * sizeof *entries) == 0 &&
            gpool__resource_share(pool, &each->base)) {
            return each;
        }
    }
    return NULL;
}

/* Makes the GPU object of a group; NULL with the error recorded. */
static WGPUBindGroupLayout layout_make(gpool *pool, const gpool__group_layout *group,
                                       const char *label, gpool_result *result)
{
    WGPUBindGroupLayoutEntry entries[GPOOL_MAX_BINDINGS];
    for (uint32_t i = 0; i < group->entry_count; ++i) {
        entries[i] = layout_gpu_entry(&group->entries[i]);
    }
    WGPUBindGroupLayoutDescriptor desc = {
        .label = gpool__view(label),
        .entryCount = group->entry_count,
        .entries = entries,
    };
    gpool__capture_begin(pool->device, &pool->seam);
    WGPUBindGroupLayout gpu =
        GPOOL__GPU(&pool->seam, DeviceCreateBindGroupLayout)(pool->device->device, &desc);
    *result = gpool__capture_end(pool->device, &pool->seam);
    if (*result == GPOOL_OK && gpu == NULL) {
        *result = GPOOL_ERROR_GPU;
    }
    if (*result != GPOOL_OK) {
        if (gpu != NULL) {
            GPOOL__GPU(&pool->seam, BindGroupLayoutRelease)(gpu);
        }
        *result = gpool__fail_gpu(pool, *result, "Making layout", label);
        return NULL;
    }
    return gpu;
}

gpool__group_layout *gpool__group_layout_get(gpool *pool, const gpool_layout_entry *entries,
                                             uint32_t count, const char *label,
                                             gpool_result *result)
{
    *result = GPOOL_OK;
    for (gpool__group_layout *each = pool->group_layouts; each != NULL; each = each->next) {
        if (each->gpu != NULL && each->entry_count == count &&
            memcmp(each->entries, entries, count * sizeof *entries) == 0) {
            return gpool__group_layout_retain(each);
        }
    }
    gpool__group_layout *group = gpool__alloc(&pool->memory, layout_group_size(count));
    if (group == NULL) {
        *result =
            GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for the layout \"%s\"", label);
        return NULL;
    }
    group->references = 1;
    group->entry_count = count;
    group->hash = gpool__hash(entries, count * sizeof *entries) | 1u;
    memcpy(group->entries, entries, count * sizeof *entries);
    group->unique = ++pool->group_layout_count;
    group->next = pool->group_layouts;
    pool->group_layouts = group;
    group->gpu = layout_make(pool, group, label, result);
    return group;
}

static void layout_drop(gpool__seam *seam, void *gpu)
{
    GPOOL__GPU(seam, BindGroupLayoutRelease)(gpu);
}

WGPUBindGroupLayout gpool__group_layout_rebuild(gpool *pool, gpool__rebuild *rebuild,
                                                gpool__group_layout *group, const char *label,
                                                gpool_result *result)
{
    *result = GPOOL_OK;
    if (group->pass != pool->rebuild_pass) {
        group->pass = pool->rebuild_pass;
        group->fresh = layout_make(pool, group, label, result);
        *result =
            gpool__rebuild_add(pool, rebuild, layout_drop, &group->gpu, group->fresh, *result);
    } else if (group->fresh == NULL) {
        *result = GPOOL_ERROR_FAILED_RESOURCE;
    }
    return *result == GPOOL_OK ? group->fresh : NULL;
}

static gpool_result layout_rebuild(gpool *pool, gpool__rebuild *rebuild, gpool__resource *resource)
{
    gpool__layout *layout = (gpool__layout *)resource;
    gpool_result result;
    (void)gpool__group_layout_rebuild(pool, rebuild, layout->group, resource->label, &result);
    return result;
}

static gpool_layout layout_create(gpool *pool, const gpool_layout_desc *desc)
{
    gpool_layout none = { 0 };
    gpool_layout_entry entries[GPOOL_MAX_BINDINGS];
    if (layout_resolve(pool, desc, entries) != GPOOL_OK) {
        return none;
    }
    gpool_result result;
    const gpool__scope *scope = gpool__scope_resolve(pool, desc->scope, &result);
    if (scope == NULL) {
        return none;
    }
    gpool__layout *layout = layout_find(pool, scope, entries, desc->entry_count);
    if (layout != NULL) {
        return (gpool_layout){ gpool__handle_of(pool, &layout->base) };
    }
    layout =
        (gpool__layout *)gpool__resource_take(pool, GPOOL_KIND_LAYOUT, desc->label, desc->scope);
    if (layout == NULL) {
        return none;
    }
    layout->group =
        gpool__group_layout_get(pool, entries, desc->entry_count, layout->base.label, &result);
    if (layout->group == NULL) {
        gpool__resource_cancel(pool, &layout->base);
        return none;
    }
    layout->entries = layout->group->entries;
    layout->entry_count = desc->entry_count;
    layout->hash = layout->group->hash;
    layout->base.failed = layout->group->gpu == NULL;
    return (gpool_layout){ gpool__handle_of(pool, &layout->base) };
}

gpool_layout gpool_layout_create(gpool *pool, const gpool_layout_desc *desc)
{
    gpool_layout layout = { 0 };
    gpool__call call;
    if (gpool__enter(pool, "gpool_layout_create", &call) == GPOOL_OK) {
        layout = layout_create(pool, desc);
        gpool__leave(pool, &call);
    }
    return layout;
}

gpool_result gpool__layouts_init(gpool *pool)
{
    gpool__kind_init(pool, GPOOL_KIND_LAYOUT, sizeof(gpool__layout), layout_release);
    pool->rebuild[GPOOL_KIND_LAYOUT] = layout_rebuild;
    gpool_layout_entry entry = { .binding = 0,
                                 .type = GPOOL_BINDING_UNIFORM,
                                 .dynamic_offset = true };
    gpool_layout_desc desc = { .entries = &entry, .entry_count = 1, .label = "gpool uniforms" };
    pool->uniform_layout = layout_create(pool, &desc);
    gpool__layout *layout = (gpool__layout *)gpool__table_get(&pool->tables[GPOOL_KIND_LAYOUT],
                                                              pool->uniform_layout.id);
    if (layout == NULL || layout->base.failed) {
        return gpool_last_error(pool)->code;
    }
    gpool__resource_make_own(pool, &layout->base);
    gpool__scope_unlink(pool, &layout->base);
    pool->stats.created = 0;
    return GPOOL_OK;
}

gpool_layout gpool_uniform_layout(gpool *pool)
{
    return pool != NULL && gpool__is_owner(pool) ? pool->uniform_layout : (gpool_layout){ 0 };
}

gpool_result gpool_layout_destroy(gpool *pool, gpool_layout handle)
{
    return gpool__destroy_handle(pool, handle.id, GPOOL_KIND_LAYOUT, "gpool_layout_destroy");
}

WGPUBindGroupLayout gpool_layout_gpu(gpool *pool, gpool_layout handle)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_layout_gpu", &call);
    if (result != GPOOL_OK) {
        return NULL;
    }
    gpool__layout *layout =
        (gpool__layout *)gpool__resolve_good(pool, handle.id, GPOOL_KIND_LAYOUT, &result);
    gpool__leave(pool, &call);
    return layout != NULL ? layout->group->gpu : NULL;
}
