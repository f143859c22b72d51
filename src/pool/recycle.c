#include "pool/recycle.h"

#include "base/hash.h"
#include "gpu/format.h"
#include "pool/make.h"
#include "pool/pool_state.h"
#include "pool/texture_state.h"

#include <string.h>

#define RECYCLE_BUDGET   (UINT64_C(64) << 20)
#define RECYCLE_AGE      120u
#define RECYCLE_CAPACITY 64u
/* Old entries that give way to one that is kept: a large one waits its turn rather than stall a frame. */
#define RECYCLE_EVICT 32u
/* Most passes that clear a texture: about 5 us each against up to 460 us for a new texture. */
#define RECYCLE_PASSES 16u

_Static_assert(sizeof(gpool__recycle_key) == 40, "keys have no padding");
_Static_assert((GPOOL__RECYCLE_MOST & (GPOOL__RECYCLE_MOST + 1)) == 0,
               "places, with that of no entry, are a power of two");

void gpool__recycle_init(gpool *pool, const gpool_recycle_desc *desc)
{
    gpool__recycle *r = &pool->recycle;
    r->off = desc->off;
    r->budget = desc->budget != 0 ? desc->budget : RECYCLE_BUDGET;
    r->max_age_frames = desc->max_age_frames != 0 ? desc->max_age_frames : RECYCLE_AGE;
}

/* --- the store --- */

static bool recycle_equal(const gpool__recycle_key *a, const gpool__recycle_key *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

/* Link to the newest entry of a class; it holds 0 when there is none. The store has places. */
static uint32_t *recycle_class(const gpool__recycle *r, const gpool__recycle_key *key)
{
    uint32_t *link = &r->buckets[gpool__hash(key, sizeof *key) & (r->capacity - 1)];
    while (*link != 0 && !recycle_equal(&r->entries[*link].key, key)) {
        link = &r->entries[*link].bucket;
    }
    return link;
}

static void recycle_rehash(gpool__recycle *r)
{
    memset(r->buckets, 0, r->capacity * sizeof *r->buckets);
    for (uint32_t i = r->oldest; i != 0; i = r->entries[i].newer) {
        if (r->entries[i].above == 0) {
            uint32_t *link = recycle_class(r, &r->entries[i].key);
            r->entries[i].bucket = 0;
            *link = i;
        }
    }
}

static bool recycle_grow(gpool *pool)
{
    gpool__recycle *r = &pool->recycle;
    uint32_t capacity = r->capacity != 0 ? 2 * r->capacity : RECYCLE_CAPACITY;
    if (capacity > GPOOL__RECYCLE_MOST + 1) {
        return false;
    }
    uint32_t *buckets = gpool__alloc(&pool->memory, capacity * sizeof *buckets);
    gpool__recycle_entry *entries = NULL;
    if (buckets != NULL) {
        entries = gpool__realloc(&pool->memory, r->entries, r->capacity * sizeof *entries,
                                 capacity * sizeof *entries);
    }
    if (entries == NULL) {
        gpool__free(&pool->memory, buckets, capacity * sizeof *buckets);
        return false;
    }
    gpool__free(&pool->memory, r->buckets, r->capacity * sizeof *buckets);
    r->touched = r->capacity != 0 ? r->touched : 1;
    r->entries = entries;
    r->buckets = buckets;
    r->capacity = capacity;
    recycle_rehash(r);
    return true;
}

/* A free place; 0 without memory. */
static uint32_t recycle_place(gpool *pool)
{
    gpool__recycle *r = &pool->recycle;
    uint32_t place = r->free;
    if (place != 0) {
        r->free = r->entries[place].older;
    } else if (r->touched < r->capacity || recycle_grow(pool)) {
        place = r->touched++;
    }
    return place;
}

/* Takes an entry out of all lists; the place stays readable until the next one is added. */
static const gpool__recycle_entry *recycle_remove(gpool *pool, uint32_t place)
{
    gpool__recycle *r = &pool->recycle;
    gpool__recycle_entry *entry = &r->entries[place];
    if (entry->above != 0) {
        r->entries[entry->above].below = entry->below;
    } else {
        uint32_t *link = recycle_class(r, &entry->key);
        *link = entry->below != 0 ? entry->below : entry->bucket;
        r->entries[entry->below].bucket = entry->bucket; /* also of no entry, where nobody looks */
    }
    r->entries[entry->below].above = entry->above;
    *(entry->newer != 0 ? &r->entries[entry->newer].older : &r->newest) = entry->older;
    *(entry->older != 0 ? &r->entries[entry->older].newer : &r->oldest) = entry->newer;
    r->count -= 1;
    r->bytes -= entry->bytes;
    entry->older = r->free;
    r->free = place;
    return entry;
}

static void recycle_release(gpool *pool, uint32_t place)
{
    const gpool__recycle_entry *entry = recycle_remove(pool, place);
    if (entry->key.dimension == 0) {
        GPOOL__GPU(&pool->seam, BufferRelease)(entry->gpu);
    } else {
        GPOOL__GPU(&pool->seam, TextureRelease)(entry->gpu);
    }
}

static bool recycle_keep(gpool *pool, const gpool__recycle_key *key, void *gpu, uint64_t bytes)
{
    gpool__recycle *r = &pool->recycle;
    for (uint32_t i = 0; i < RECYCLE_EVICT && r->count > 0 && bytes <= r->budget &&
                         (r->bytes + bytes > r->budget || r->count == GPOOL__RECYCLE_MOST);
         ++i) {
        recycle_release(pool, r->oldest);
    }
    uint32_t place = 0;
    if (r->bytes + bytes <= r->budget) {
        place = recycle_place(pool);
    }
    if (place == 0) {
        return false;
    }
    uint32_t *link = recycle_class(r, key);
    r->entries[place] = (gpool__recycle_entry){
        .key = *key,
        .gpu = gpu,
        .bytes = bytes,
        .frame = pool->frame,
        .older = r->newest,
        .below = *link,
        .bucket = *link != 0 ? r->entries[*link].bucket : 0,
    };
    if (*link != 0) {
        r->entries[*link].above = place;
    }
    *link = place;
    *(r->newest != 0 ? &r->entries[r->newest].newer : &r->oldest) = place;
    r->newest = place;
    r->count += 1;
    r->bytes += bytes;
    return true;
}

/* The newest object of a class: the surplus grows old. A lost device's are of no use. */
static void *recycle_take(gpool *pool, const gpool__recycle_key *key, bool clear)
{
    gpool__recycle *r = &pool->recycle;
    if (r->off || gpool__device_is_lost(pool->device)) {
        return NULL;
    }
    uint32_t place = r->count > 0 ? *recycle_class(r, key) : 0;
    if (place != 0 && clear) {
        void *clears = r->clears;
        bool room = gpool__reserve(&pool->memory, &clears, &r->clear_capacity, r->clear_count + 1,
                                   sizeof *r->clears);
        r->clears = clears;
        place = room ? place : 0;
    }
    if (place == 0) {
        pool->stats.recycle_misses += 1;
        return NULL;
    }
    pool->stats.recycle_hits += 1;
    return recycle_remove(pool, place)->gpu;
}

/* --- buffers --- */

static gpool__recycle_key recycle_buffer_key(uint64_t size, WGPUBufferUsage usage)
{
    return (gpool__recycle_key){ .size = size, .usage = usage };
}

/* True when the batch clears it. */
static bool recycle_is_sent(const gpool *pool, uint32_t clear)
{
    return clear != 0 && clear <= pool->recycle.clear_sent;
}

bool gpool__recycle_keep_buffer(gpool *pool, const gpool__buffer *buffer)
{
    if (!pool->recycle.open || buffer->imported || buffer->raw ||
        buffer->batch == pool->batch.number || recycle_is_sent(pool, buffer->base.clear)) {
        return false;
    }
    uint64_t size = gpool__buffer_gpu_size(buffer);
    gpool__recycle_key key = recycle_buffer_key(size, gpool__buffer_gpu_usage(buffer));
    return recycle_keep(pool, &key, buffer->gpu, size);
}

WGPUBuffer gpool__recycle_take_buffer(gpool *pool, uint64_t size, WGPUBufferUsage usage, bool clear)
{
    gpool__recycle_key key = recycle_buffer_key(size, usage);
    return recycle_take(pool, &key, clear);
}

/* --- textures --- */

static gpool__recycle_key recycle_texture_key(const gpool__texture *texture)
{
    return (gpool__recycle_key){
        .usage = gpool__texture_gpu_usage(texture),
        .format = texture->format, /* says the view formats, too */
        .dimension = texture->dimension,
        .width = texture->width,
        .height = texture->height,
        .depth_or_layers = texture->depth_or_layers,
        .mip_levels = texture->mip_levels,
    };
}

static bool recycle_can_clear(const gpool__texture *texture)
{
    return (texture->usage & GPOOL_TEXTURE_TARGET) != 0 &&
           texture->dimension == WGPUTextureDimension_2D &&
           (uint64_t)texture->mip_levels * texture->depth_or_layers <= RECYCLE_PASSES;
}

/* Depth, stencil and multisampled textures are neither cleared nor covered by data here. */
static bool recycle_is_plain(const gpool__texture *texture)
{
    return gpool__texture_keeps_content(texture);
}

bool gpool__recycle_keep_texture(gpool *pool, const gpool__texture *texture)
{
    bool wanted = recycle_can_clear(texture) || texture->mip_levels == 1 || texture->shadow != NULL;
    if (!pool->recycle.open || texture->imported || texture->raw || !wanted ||
        !recycle_is_plain(texture) || recycle_is_sent(pool, texture->base.clear)) {
        return false;
    }
    gpool__recycle_key key = recycle_texture_key(texture);
    return recycle_keep(pool, &key, texture->gpu, texture->gpu_size);
}

WGPUTexture gpool__recycle_take_texture(gpool *pool, const gpool__texture *texture, bool covered)
{
    if (!recycle_is_plain(texture) || (!covered && !recycle_can_clear(texture))) {
        return NULL;
    }
    gpool__recycle_key key = recycle_texture_key(texture);
    return recycle_take(pool, &key, !covered);
}

/* --- clears --- */

void gpool__recycle_clear_later(gpool *pool, gpool__resource *resource)
{
    gpool__recycle *r = &pool->recycle;
    r->clears[r->clear_count++] = resource;
    r->clear_live += 1;
    resource->clear = r->clear_count;
}

void gpool__recycle_forget(gpool *pool, gpool__resource *resource)
{
    gpool__recycle *r = &pool->recycle;
    uint32_t *clear = &resource->clear;
    if (*clear == 0) {
        return;
    }
    r->clears[*clear - 1] = NULL;
    *clear = 0;
    r->clear_live -= 1;
    if (r->clear_live == 0) {
        r->clear_count = 0;
        r->clear_sent = 0;
    }
}

static bool recycle_is_covered(const gpool *pool, const gpool__resource *resource)
{
    return resource->kind == GPOOL_KIND_TEXTURE &&
           ((const gpool__texture *)(const void *)resource)->covered == pool->record_epoch;
}

void gpool__recycle_cover(gpool *pool, gpool__texture *texture, const gpool__texture_part *part)
{
    if (texture->base.recorded != pool->record_epoch &&
        gpool__recycle_is_replaced(pool, texture, part)) {
        texture->covered = pool->record_epoch;
    }
}

void gpool__recycle_uncover(gpool__texture *texture)
{
    texture->covered = 0;
}

bool gpool__recycle_is_replaced(const gpool *pool, const gpool__texture *texture,
                                const gpool__texture_part *part)
{
    /* Of one level and layer, so any part that is as wide and as high is all of it. */
    return texture->mip_levels == 1 && texture->depth_or_layers == 1 &&
           part->width >= texture->width && part->height >= texture->height &&
           !recycle_is_sent(pool, texture->base.clear);
}

void gpool__recycle_retiring(gpool *pool, gpool__resource *resource)
{
    if (!recycle_is_sent(pool, resource->clear)) {
        gpool__recycle_forget(pool, resource);
    }
}

static gpool_result recycle_clear_texture(gpool *pool, WGPUCommandEncoder encoder,
                                          gpool__texture *texture)
{
    for (uint32_t i = 0; i < texture->mip_levels * texture->depth_or_layers; ++i) {
        gpool_view_desc desc = {
            .base_mip_level = i / texture->depth_or_layers,
            .mip_level_count = 1,
            .base_layer = i % texture->depth_or_layers,
            .layer_count = 1,
        };
        gpool_result result;
        WGPURenderPassColorAttachment color = {
            .view = gpool__texture_view_get(pool, texture, &desc, &result),
            .depthSlice = WGPU_DEPTH_SLICE_UNDEFINED,
            .loadOp = WGPULoadOp_Clear,
            .storeOp = WGPUStoreOp_Store,
        };
        if (color.view == NULL) {
            return result;
        }
        WGPURenderPassDescriptor pass = {
            .label = gpool__view("gpool clear"),
            .colorAttachmentCount = 1,
            .colorAttachments = &color,
        };
        WGPURenderPassEncoder render =
            GPOOL__GPU(&pool->seam, CommandEncoderBeginRenderPass)(encoder, &pass);
        if (render == NULL) {
            return GPOOL__FAIL(pool, GPU_ERROR, GPU, "No render pass to clear texture \"%s\"",
                               texture->base.label);
        }
        GPOOL__GPU(&pool->seam, RenderPassEncoderEnd)(render);
        GPOOL__GPU(&pool->seam, RenderPassEncoderRelease)(render);
    }
    return GPOOL_OK;
}

/* Moves what is to be cleared now before what is covered or given up; returns its end. */
static uint32_t recycle_sort(gpool *pool)
{
    gpool__recycle *r = &pool->recycle;
    uint32_t end = r->clear_sent;
    for (uint32_t i = end; i < r->clear_count; ++i) {
        gpool__resource *now = r->clears[i];
        if (now != NULL && !recycle_is_covered(pool, now)) {
            gpool__resource *later = r->clears[end];
            r->clears[i] = later;
            if (later != NULL) {
                later->clear = i + 1;
            }
            r->clears[end++] = now;
            now->clear = end;
        }
    }
    return end;
}

static gpool_result recycle_encode(gpool *pool, WGPUCommandEncoder encoder, uint32_t end)
{
    gpool__recycle *r = &pool->recycle;
    gpool_result result = GPOOL_OK;
    for (uint32_t i = r->clear_sent; i < end && result == GPOOL_OK; ++i) {
        gpool__resource *resource = r->clears[i];
        if (resource->kind == GPOOL_KIND_TEXTURE) {
            result = recycle_clear_texture(pool, encoder, (gpool__texture *)(void *)resource);
        } else {
            const gpool__buffer *buffer = (const gpool__buffer *)(void *)resource;
            GPOOL__GPU(&pool->seam, CommandEncoderClearBuffer)
            (encoder, buffer->gpu, 0, gpool__buffer_gpu_size(buffer));
        }
        pool->stats.visited += 1;
    }
    return result;
}

gpool_result gpool__recycle_clear(gpool *pool)
{
    gpool__recycle *r = &pool->recycle;
    uint32_t end = recycle_sort(pool);
    if (r->clear_sent == end) {
        return GPOOL_OK;
    }
    gpool_result result;
    WGPUCommandEncoder encoder =
        gpool__make_encoder(pool, "Clears of pool", "Clears of pool", &result);
    if (encoder == NULL) {
        return result;
    }
    result = recycle_encode(pool, encoder, end);
    if (result != GPOOL_OK) {
        GPOOL__GPU(&pool->seam, CommandEncoderRelease)(encoder);
        return result;
    }
    result = gpool__batch_add(pool, encoder, "Clears of pool");
    if (result != GPOOL_OK) {
        return result;
    }
    /* To the front: the batch may hold uploads to what is cleared. */
    gpool__batch *batch = &pool->batch;
    WGPUCommandBuffer clears = batch->commands[batch->count - 1];
    memmove(batch->commands + 1, batch->commands, (batch->count - 1) * sizeof *batch->commands);
    batch->commands[0] = clears;
    r->clear_sent = end;
    return GPOOL_OK;
}

void gpool__recycle_submitted(gpool *pool, gpool_result result, bool recorded)
{
    gpool__recycle *r = &pool->recycle;
    if (result == GPOOL_ERROR_DEVICE_LOST) {
        gpool__recycle_leave_device(pool);
    } else if (result != GPOOL_OK) {
        r->clear_sent = 0; /* refused, and all it held is dropped: encoded anew */
    } else {
        uint32_t left = 0;
        for (uint32_t i = 0; i < r->clear_count; ++i) {
            gpool__resource *resource = r->clears[i];
            if (resource == NULL) {
                continue;
            }
            bool done = i < r->clear_sent || (recorded && recycle_is_covered(pool, resource));
            if (!done) {
                r->clears[left++] = resource;
            }
            resource->clear = done ? 0 : left;
        }
        r->clear_count = left;
        r->clear_live = left;
        r->clear_sent = 0;
    }
}

gpool_result gpool__recycle_settle(gpool *pool, gpool__texture *texture)
{
    gpool__recycle_uncover(texture);
    return texture->base.clear != 0 ? gpool__submit_writes(pool) : GPOOL_OK;
}

/* --- the end of it --- */

static void recycle_free_places(gpool *pool)
{
    gpool__recycle *r = &pool->recycle;
    gpool__free(&pool->memory, r->entries, r->capacity * sizeof *r->entries);
    gpool__free(&pool->memory, r->buckets, r->capacity * sizeof *r->buckets);
    r->entries = NULL;
    r->buckets = NULL;
    r->capacity = 0;
    r->touched = 0;
    r->free = 0;
}

void gpool__recycle_trim(gpool *pool)
{
    gpool__recycle *r = &pool->recycle;
    uint64_t most = gpool__max(GPOOL__FREE_MIN, r->count / 4);
    uint64_t released = 0;
    while (r->count > 0 && released < most &&
           pool->frame - r->entries[r->oldest].frame >= r->max_age_frames) {
        recycle_release(pool, r->oldest);
        released += 1;
    }
    pool->stats.visited += released;
    if (released > 0 && r->count == 0) {
        recycle_free_places(pool);
    }
}

bool gpool__recycle_drop(gpool *pool)
{
    gpool__recycle *r = &pool->recycle;
    if (r->count == 0) {
        return false;
    }
    while (r->count > 0) {
        recycle_release(pool, r->oldest);
    }
    recycle_free_places(pool);
    return true;
}

void gpool__recycle_leave_device(gpool *pool)
{
    gpool__recycle *r = &pool->recycle;
    for (uint32_t i = 0; i < r->clear_count; ++i) {
        if (r->clears[i] != NULL) {
            r->clears[i]->clear = 0;
        }
    }
    r->clear_count = 0;
    r->clear_live = 0;
    r->clear_sent = 0;
}

void gpool__recycle_fini(gpool *pool)
{
    gpool__recycle *r = &pool->recycle;
    (void)gpool__recycle_drop(pool);
    recycle_free_places(pool);
    gpool__free(&pool->memory, r->clears, r->clear_capacity * sizeof *r->clears);
    r->clears = NULL;
    r->clear_capacity = 0;
}

static bool recycle_validate_class(const gpool__recycle *r, uint32_t newest, uint32_t *seen)
{
    for (uint32_t i = newest, above = 0; i != 0; above = i, i = r->entries[i].below) {
        *seen += 1;
        if (*seen > r->count || r->entries[i].above != above ||
            !recycle_equal(&r->entries[i].key, &r->entries[newest].key) ||
            *recycle_class(r, &r->entries[i].key) != newest) {
            return false;
        }
    }
    return true;
}

bool gpool__recycle_validate(const gpool *pool)
{
    const gpool__recycle *r = &pool->recycle;
    uint64_t bytes = 0;
    uint32_t count = 0;
    uint32_t seen = 0;
    uint64_t frame = 0;
    for (uint32_t i = r->oldest, older = 0; i != 0; older = i, i = r->entries[i].newer) {
        count += 1;
        bytes += r->entries[i].bytes;
        if (count > r->count || r->entries[i].older != older || r->entries[i].frame < frame ||
            (r->entries[i].above == 0 && !recycle_validate_class(r, i, &seen)) ||
            (r->entries[i].newer == 0 && r->newest != i)) {
            return false;
        }
        frame = r->entries[i].frame;
    }
    uint32_t live = 0;
    for (uint32_t i = 0; i < r->clear_count; ++i) {
        if (r->clears[i] != NULL) {
            live += 1;
            if (r->clears[i]->clear != i + 1) {
                return false;
            }
        }
    }
    return count == r->count && seen == count && bytes == r->bytes && bytes <= r->budget &&
           live == r->clear_live && r->clear_sent <= r->clear_count;
}
