#include "shader/made.h"

#include "base/hash.h"

#include <string.h>

#define CACHE_FIRST_BUCKETS 64u

uint64_t gpool__cache_hash(const gpool__cache *cache, const void *key, size_t size)
{
    return gpool__hash(key, size) & ~cache->no_hash;
}

static gpool__made **cache_bucket(const gpool__cache *cache, uint64_t hash)
{
    return &cache->buckets[hash & (cache->bucket_count - 1)];
}

static void cache_unlink_idle(gpool__cache *cache, gpool__made *made)
{
    if (made->newer != NULL) {
        made->newer->older = made->older;
    } else {
        cache->newest = made->older;
    }
    if (made->older != NULL) {
        made->older->newer = made->newer;
    } else {
        cache->oldest = made->newer;
    }
    made->newer = NULL;
    made->older = NULL;
    cache->idle_count -= 1;
    cache->idle_bytes -= made->block_size;
}

gpool__made *gpool__cache_find(gpool__cache *cache, uint64_t hash, const void *key, size_t size)
{
    if (cache->bucket_count == 0) {
        return NULL;
    }
    gpool__made *made = *cache_bucket(cache, hash);
    while (made != NULL && !(made->hash == hash && made->key_size == size &&
                             memcmp(made->kind->key(made), key, size) == 0)) {
        made = made->chain;
    }
    if (made != NULL) {
        gpool__cache_retain(cache, made);
        made->uses += !cache->uncounted && made->uses < UINT32_MAX;
    }
    return made;
}

void gpool__cache_retain(gpool__cache *cache, gpool__made *made)
{
    if (made->references == 0) {
        cache_unlink_idle(cache, made);
    }
    made->references += 1;
}

/* More buckets, when there are as many entries; without memory it goes on with those it has. */
static void cache_grow(gpool *pool, gpool__cache *cache)
{
    uint32_t count = cache->bucket_count == 0 ? CACHE_FIRST_BUCKETS : cache->bucket_count * 2;
    gpool__made **buckets = gpool__alloc(&pool->memory, count * sizeof *buckets);
    if (buckets == NULL) {
        return;
    }
    gpool__cache larger = { .buckets = buckets, .bucket_count = count };
    for (uint32_t i = 0; i < cache->bucket_count; ++i) {
        while (cache->buckets[i] != NULL) {
            gpool__made *made = cache->buckets[i];
            gpool__made **place = cache_bucket(&larger, made->hash);
            cache->buckets[i] = made->chain;
            made->chain = *place;
            *place = made;
        }
    }
    gpool__free(&pool->memory, cache->buckets, cache->bucket_count * sizeof *cache->buckets);
    cache->buckets = buckets;
    cache->bucket_count = count;
}

bool gpool__cache_add(gpool *pool, gpool__cache *cache, gpool__made *made)
{
    if (cache->count >= cache->bucket_count) {
        cache_grow(pool, cache);
    }
    made->report = gpool__alloc(&pool->memory, GPOOL__MESSAGE_SIZE);
    if (cache->bucket_count == 0 || made->report == NULL) {
        gpool__free(&pool->memory, made->report, GPOOL__MESSAGE_SIZE);
        made->report = NULL;
        return false;
    }
    gpool__made **place = cache_bucket(cache, made->hash);
    made->chain = *place;
    *place = made;
    made->references = 1;
    made->uses = cache->uncounted ? 0 : 1;
    cache->count += 1;
    return true;
}

/* Out of its bucket, if it is in one: an entry that was forgotten is not. */
void gpool__cache_forget(gpool__cache *cache, gpool__made *made)
{
    if (cache->bucket_count == 0) {
        return;
    }
    gpool__made **place = cache_bucket(cache, made->hash);
    while (*place != NULL && *place != made) {
        place = &(*place)->chain;
    }
    if (*place == made) {
        *place = made->chain;
        made->chain = NULL;
        cache->count -= 1;
    }
}

void gpool__cache_return(gpool__cache *cache, gpool__made *made)
{
    gpool__made **place = cache_bucket(cache, made->hash);
    for (const gpool__made *each = *place; each != NULL; each = each->chain) {
        if (each == made ||
            (each->hash == made->hash && each->key_size == made->key_size &&
             memcmp(each->kind->key(each), made->kind->key(made), made->key_size) == 0)) {
            return;
        }
    }
    made->chain = *place;
    *place = made;
    cache->count += 1;
}

static void cache_free(gpool *pool, gpool__cache *cache, gpool__made *made)
{
    cache_unlink_idle(cache, made);
    gpool__cache_forget(cache, made);
    if (made->gpu != NULL) {
        made->kind->drop(&pool->seam, made->gpu);
    }
    gpool__free_string(&pool->memory, made->message);
    gpool__free(&pool->memory, made->report, GPOOL__MESSAGE_SIZE);
    made->kind->forget(pool, made);
    gpool__free(&pool->memory, made, made->block_size);
}

void gpool__cache_trim(gpool *pool, gpool__cache *cache, uint32_t most, size_t most_bytes)
{
    gpool__made *made = cache->oldest;
    while (made != NULL && (cache->idle_count > most || cache->idle_bytes > most_bytes)) {
        gpool__made *newer = made->newer;
        if (made->collected) {
            cache_free(pool, cache, made);
        }
        made = newer;
    }
}

void gpool__cache_sweep(gpool *pool, gpool__cache *cache)
{
    gpool__made *made = cache->oldest;
    while (made != NULL) {
        gpool__made *newer = made->newer;
        if (made->collected && made->result != GPOOL_OK) {
            cache_free(pool, cache, made);
        }
        made = newer;
    }
    gpool__cache_trim(pool, cache, GPOOL__IDLE_COUNT, GPOOL__IDLE_BYTES);
}

void gpool__cache_give_up(gpool *pool, gpool__cache *cache, gpool__made *made)
{
    if (--made->references > 0) {
        return;
    }
    made->newer = NULL;
    made->older = cache->newest;
    if (cache->newest != NULL) {
        cache->newest->newer = made;
    } else {
        cache->oldest = made;
    }
    cache->newest = made;
    cache->idle_count += 1;
    cache->idle_bytes += made->block_size;
    bool dead = made->collected ? made->result != GPOOL_OK : gpool__compiler_withdraw(pool, made);
    if (dead) {
        cache_free(pool, cache, made);
    }
    gpool__cache_trim(pool, cache, GPOOL__IDLE_COUNT, GPOOL__IDLE_BYTES);
}

void gpool__cache_fini(gpool *pool, gpool__cache *cache)
{
    while (cache->oldest != NULL) {
        cache_free(pool, cache, cache->oldest);
    }
    gpool__free(&pool->memory, cache->buckets, cache->bucket_count * sizeof *cache->buckets);
    *cache = (gpool__cache){ 0 };
}
