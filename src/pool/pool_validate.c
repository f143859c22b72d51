/* What must hold for a pool between calls; for tests. */
#include "pool/buffer_keep.h"
#include "pool/heap_state.h"

/* Walks one list of a scope; false when links, kinds or the owner are wrong. Adds to counts, bytes. */
static bool validate_list(const gpool *pool, const gpool__scope *scope, gpool__place first,
                          bool scopes, uint64_t counts[GPOOL_KIND_COUNT],
                          uint64_t bytes[GPOOL_KIND_COUNT])
{
    gpool__place previous = 0;
    uint64_t length = 0;
    for (gpool__place place = first; place != 0;) {
        uint32_t kind = place >> 24;
        if (!gpool__is_kind((gpool_kind)kind) || (kind == GPOOL_KIND_SCOPE) != scopes ||
            (place & 0xffffffu) >= pool->tables[kind].slot_count || length++ > GPOOL__MAX_SLOTS) {
            return false;
        }
        const gpool__resource *each = gpool__resource_at(pool, place);
        if (each->kind != kind || gpool__place_of(each) != place || each->own || each->replaced ||
            each->alive.previous != previous ||
            each->alive.scope != gpool__place_of(&scope->base)) {
            return false;
        }
        counts[kind] += 1;
        bytes[kind] += gpool__resource_bytes(each);
        previous = place;
        place = each->alive.next;
    }
    return true;
}

/* Checks a scope's lists against its sums, and adds them up. */
static bool validate_scope(const gpool *pool, const gpool__scope *scope,
                           uint64_t total[GPOOL_KIND_COUNT], uint64_t total_bytes[GPOOL_KIND_COUNT])
{
    uint64_t counts[GPOOL_KIND_COUNT] = { 0 };
    uint64_t bytes[GPOOL_KIND_COUNT] = { 0 };
    if (!validate_list(pool, scope, scope->children, true, counts, bytes) ||
        !validate_list(pool, scope, scope->members, false, counts, bytes)) {
        return false;
    }
    for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
        if (scope->counts[kind] != counts[kind] || scope->bytes[kind] != bytes[kind]) {
            return false;
        }
        total[kind] += counts[kind];
        total_bytes[kind] += bytes[kind];
    }
    return true;
}

/* Counts what other threads killed and the owner has not destroyed; false when the list is broken. */
static bool validate_remote(gpool *pool, uint32_t killed[GPOOL_KIND_COUNT])
{
    gpool__place last = 0;
    uint64_t length = 0;
    bool good = true;
    gpool__mutex_lock(&pool->remote_lock);
    gpool__place place = atomic_load(&pool->remote_first);
    while (place != 0 && good) {
        uint32_t kind = place >> 24;
        good = gpool__is_kind((gpool_kind)kind) &&
               (place & 0xffffffu) < pool->tables[kind].slot_count && length++ < GPOOL__MAX_SLOTS;
        if (good) {
            const gpool__resource *each = gpool__resource_at(pool, place);
            good = !gpool__table_is_live(&pool->tables[kind], &each->head);
            killed[kind] += each->gone ? 0 : 1;
            last = place;
            place = each->remote_next;
        }
    }
    good = good && last == pool->remote_last;
    gpool__mutex_unlock(&pool->remote_lock);
    return good;
}

/* A shadow is there where it should be: with one that drops it, only while something waits. */
static bool validate_shadows(gpool *pool)
{
    const gpool__table *table = &pool->tables[GPOOL_KIND_BUFFER];
    for (uint32_t i = 0; i < table->slot_count; ++i) {
        const gpool__resource *resource = (const gpool__resource *)gpool__table_at(table, i);
        if (!gpool__resource_is_held(resource)) {
            continue;
        }
        const gpool__buffer *buffer = (const gpool__buffer *)(const void *)resource;
        bool has = buffer->shadow != NULL;
        bool waits = buffer->in_dirty_list || buffer->in_sent_list;
        bool wanted = !buffer->gpu_written && (!buffer->drops || waits);
        bool late = has && buffer->drops && resource->failed; /* for gpool_recover() */
        if (has != (buffer->dirty != NULL) || (has && buffer->dropped) ||
            (has != wanted && !late) || (buffer->in_dirty_list && buffer->in_sent_list)) {
            return false;
        }
    }
    return true;
}

/* Counts what is the pool's own. */
static void validate_own(const gpool *pool, uint64_t counts[GPOOL_KIND_COUNT],
                         uint64_t bytes[GPOOL_KIND_COUNT])
{
    for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
        const gpool__table *table = &pool->tables[kind];
        for (uint32_t i = 0; i < table->slot_count; ++i) {
            const gpool__resource *each = (const gpool__resource *)gpool__table_at(table, i);
            if (gpool__resource_is_held(each) && each->own) {
                counts[kind] += 1;
                bytes[kind] += gpool__resource_bytes(each);
            }
        }
    }
}

bool gpool__pool_validate(gpool *pool)
{
    uint64_t total[GPOOL_KIND_COUNT] = { 0 };
    uint64_t bytes[GPOOL_KIND_COUNT] = { 0 };
    uint64_t scopes = 0;
    uint32_t killed[GPOOL_KIND_COUNT] = { 0 };
    if (!validate_remote(pool, killed) || !gpool__recycle_validate(pool) ||
        !validate_shadows(pool) || !gpool__heaps_validate(pool)) {
        return false;
    }
    for (gpool__scope *each = &pool->root; each != NULL;
         each = gpool__scope_next(pool, &pool->root, each)) {
        if (scopes++ > pool->tables[GPOOL_KIND_SCOPE].live_count ||
            !validate_scope(pool, each, total, bytes)) {
            return false;
        }
    }
    /* As many are linked as are alive: so each is in one list. The pool's own are in none. */
    validate_own(pool, total, bytes);
    for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
        if (!gpool__table_validate(&pool->tables[kind], killed[kind]) ||
            pool->tables[kind].live_count != total[kind] ||
            pool->stats.live_bytes[kind] != bytes[kind]) {
            return false;
        }
    }
    return true;
}
