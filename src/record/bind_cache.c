/*
 * Exact bounded cache of bind groups. The key is the layout and, for each entry, handle, version,
 * offset, size and view; dynamic offsets stay outside. A hash finds the bucket, all bytes of the key
 * are compared. Each group is linked from every resource it names, so that destroying or replacing
 * a resource drops its groups at the cost of those alone; the least recently used one goes when the
 * cache is full.
 */
#include "record/recording.h"

#include "base/hash.h"
#include "pool/make.h"

#include <string.h>

#define BIND_LIMIT         4096u
#define BIND_FIRST_BUCKETS 64u

static size_t bind_block_size(uint32_t count)
{
    return sizeof(gpool__bind_group) + count * sizeof(gpool__bind_key) +
           (count + 1) * sizeof(gpool__bind_use);
}

static uint64_t bind_hash(uint64_t layout, const gpool__bind_key *keys, uint32_t count)
{
    return gpool__hash(keys, count * sizeof *keys) ^ (layout * UINT64_C(0x9e3779b97f4a7c15));
}

static gpool__bind_group **bind_bucket(const gpool__bind_cache *cache, uint64_t hash)
{
    return &cache->buckets[hash & (cache->bucket_count - 1)];
}

static void bind_link_newest(gpool__bind_cache *cache, gpool__bind_group *group)
{
    group->newer = NULL;
    group->older = cache->newest;
    if (cache->newest != NULL) {
        cache->newest->newer = group;
    } else {
        cache->oldest = group;
    }
    cache->newest = group;
}

static void bind_unlink_age(gpool__bind_cache *cache, gpool__bind_group *group)
{
    if (group->newer != NULL) {
        group->newer->older = group->older;
    } else {
        cache->newest = group->older;
    }
    if (group->older != NULL) {
        group->older->newer = group->newer;
    } else {
        cache->oldest = group->newer;
    }
}

static void bind_unlink_use(gpool__bind_use *use)
{
    if (use->previous != NULL) {
        use->previous->next = use->next;
    } else {
        use->resource->bind_uses = use->next;
    }
    if (use->next != NULL) {
        use->next->previous = use->previous;
    }
}

static void bind_remove(gpool *pool, gpool__bind_cache *cache, gpool__bind_group *group)
{
    gpool__bind_group **place = bind_bucket(cache, group->hash);
    while (*place != group) {
        place = &(*place)->chain;
    }
    *place = group->chain;
    bind_unlink_age(cache, group);
    for (uint32_t i = 0; i <= group->count; ++i) {
        if (group->uses[i].resource != NULL) { /* a layout without a handle is no resource */
            bind_unlink_use(&group->uses[i]);
        }
    }
    GPOOL__GPU(&pool->seam, BindGroupRelease)(group->gpu);
    cache->count -= 1;
    gpool__free(&pool->memory, group, bind_block_size(group->count));
}

void gpool__bind_drop_uses(gpool *pool, gpool__resource *resource)
{
    while (resource->bind_uses != NULL) {
        bind_remove(pool, &pool->record->binds, resource->bind_uses->group);
    }
}

void gpool__bind_drop_all(gpool *pool, gpool__bind_cache *cache)
{
    while (cache->newest != NULL) {
        bind_remove(pool, cache, cache->newest);
    }
}

void gpool__bind_fini(gpool *pool, gpool__bind_cache *cache)
{
    gpool__bind_drop_all(pool, cache);
    gpool__free(&pool->memory, cache->buckets, cache->bucket_count * sizeof *cache->buckets);
    *cache = (gpool__bind_cache){ 0 };
}

/* Keeps chains short; when there is no memory the old buckets go on. */
static bool bind_grow(gpool *pool, gpool__bind_cache *cache)
{
    if (cache->count < cache->bucket_count) {
        return true;
    }
    gpool__bind_cache larger = { .bucket_count = cache->bucket_count == 0
                                                     ? BIND_FIRST_BUCKETS
                                                     : cache->bucket_count * 2 };
    larger.buckets = gpool__alloc(&pool->memory, larger.bucket_count * sizeof *larger.buckets);
    if (larger.buckets == NULL) {
        return cache->bucket_count > 0;
    }
    for (uint32_t i = 0; i < cache->bucket_count; ++i) {
        while (cache->buckets[i] != NULL) {
            gpool__bind_group *group = cache->buckets[i];
            cache->buckets[i] = group->chain;
            gpool__bind_group **place = bind_bucket(&larger, group->hash);
            group->chain = *place;
            *place = group;
        }
    }
    gpool__free(&pool->memory, cache->buckets, cache->bucket_count * sizeof *cache->buckets);
    cache->buckets = larger.buckets;
    cache->bucket_count = larger.bucket_count;
    return true;
}

static gpool__bind_group *bind_find(gpool__bind_cache *cache, uint64_t hash, uint64_t layout,
                                    const gpool__bind_key *keys, uint32_t count)
{
    if (cache->bucket_count == 0) {
        return NULL;
    }
    gpool__bind_group *group = *bind_bucket(cache, hash);
    while (group != NULL &&
           !(group->hash == hash && group->layout == layout && group->count == count &&
             memcmp(group->keys, keys, count * sizeof *keys) == 0)) {
        group = group->chain;
    }
    return group;
}

static void bind_link_use(gpool__bind_group *group, uint32_t index, gpool__resource *resource)
{
    gpool__bind_use *use = &group->uses[index];
    *use = (gpool__bind_use){ .next = resource->bind_uses, .resource = resource, .group = group };
    if (resource->bind_uses != NULL) {
        resource->bind_uses->previous = use;
    }
    resource->bind_uses = use;
}

static gpool__bind_group *bind_make(gpool *pool, const gpool__bind_layout *layout,
                                    const WGPUBindGroupEntry *gpu, gpool_result *result)
{
    uint32_t count = layout->group->entry_count;
    char *block = gpool__alloc(&pool->memory, bind_block_size(count));
    if (block == NULL) {
        *result = GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for a bind group of \"%s\"",
                              layout->label);
        return NULL;
    }
    gpool__bind_group *group = (gpool__bind_group *)(void *)block;
    group->count = count;
    group->keys = (gpool__bind_key *)(void *)(block + sizeof *group);
    group->uses = (gpool__bind_use *)(void *)(group->keys + count);
    WGPUBindGroupDescriptor desc = {
        .label = gpool__view(layout->label),
        .layout = layout->group->gpu,
        .entryCount = count,
        .entries = gpu,
    };
    group->gpu = gpool__make_bind_group(pool, &desc, "Bind group of layout", layout->label, result);
    if (group->gpu == NULL) {
        gpool__free(&pool->memory, block, bind_block_size(count));
        return NULL;
    }
    return group;
}

const gpool__bind_group *gpool__bind_find_or_create(gpool *pool, gpool__bind_cache *cache,
                                                    const gpool__bind_layout *layout,
                                                    const gpool__bind_key *keys,
                                                    const WGPUBindGroupEntry *gpu,
                                                    gpool__resource *const *resources,
                                                    gpool_result *result)
{
    uint32_t count = layout->group->entry_count;
    uint64_t id = layout->group->unique;
    uint64_t hash = bind_hash(id, keys, count);
    *result = GPOOL_OK;
    gpool__bind_group *group = bind_find(cache, hash, id, keys, count);
    if (group != NULL) {
        pool->stats.bind_hits += 1;
        bind_unlink_age(cache, group);
        bind_link_newest(cache, group);
        return group;
    }
    pool->stats.bind_misses += 1;
    if (!bind_grow(pool, cache)) {
        *result = GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for the bind group cache");
        return NULL;
    }
    group = bind_make(pool, layout, gpu, result);
    if (group == NULL) {
        return NULL;
    }
    if (cache->count >= BIND_LIMIT) {
        bind_remove(pool, cache, cache->oldest);
    }
    group->hash = hash;
    group->unique = gpool__bind_unique(cache);
    group->layout = id;
    memcpy(group->keys, keys, count * sizeof *keys);
    for (uint32_t i = 0; i < count; ++i) {
        bind_link_use(group, i, resources[i]);
    }
    if (layout->handle != NULL) {
        bind_link_use(group, count, &layout->handle->base);
    }
    gpool__bind_group **place = bind_bucket(cache, hash);
    group->chain = *place;
    *place = group;
    bind_link_newest(cache, group);
    cache->count += 1;
    return group;
}
