#include "pool/heap_state.h"

#include <stdio.h>

#define HEAP_SLAB_SIZE    ((uint64_t)16 << 20)
#define HEAP_SLAB_LEAST   4096u
#define HEAP_EMPTY_FRAMES 60u
#define HEAP_LABEL        96

static gpool__heap *heap_of(gpool__resource *resource)
{
    return (gpool__heap *)(void *)resource;
}

/* Allocators count what they take among the pool's memory. */
static void *heap_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    gpool__memory *memory = user;
    if (new_size == 0) {
        gpool__free(memory, block, old_size);
        return NULL;
    }
    return gpool__realloc_unset(memory, block, old_size, new_size);
}

/* Most bytes of a slab on the pool's device. */
static uint64_t heap_slab_most(const gpool *pool)
{
    return gpool__min(pool->device->info.limits.maxBufferSize, GPOOL__SLAB_MOST);
}

/* --- slabs --- */

static void slab_delete(gpool *pool, gpool__slab *slab)
{
    gpool_range_allocator_destroy(slab->ranges);
    gpool__free(&pool->memory, slab, sizeof *slab);
}

/* Takes a slab out of its heap; it has no ranges. The GPU may still read what was in it. */
static void slab_end(gpool *pool, gpool__heap *heap, uint32_t index)
{
    gpool__slab *slab = heap->slabs[index];
    heap->slab_count -= 1;
    for (uint32_t i = index; i < heap->slab_count; ++i) {
        heap->slabs[i] = heap->slabs[i + 1];
    }
    heap->bytes -= slab->size;
    pool->empty_slabs -= 1;
    gpool__resource_retire(pool, &slab->buffer->base);
    slab_delete(pool, slab);
}

static gpool_result slab_make_buffer(gpool *pool, gpool__heap *heap, gpool__slab *slab)
{
    gpool_result result;
    char label[HEAP_LABEL];
    (void)snprintf(label, sizeof label, "slab %u of heap \"%.60s\"", heap->slab_number,
                   heap->base.label);
    gpool_buffer_usage usage = GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_INDEX | GPOOL_BUFFER_STORAGE |
                               GPOOL_BUFFER_INDIRECT | GPOOL_BUFFER_COPY_SOURCE |
                               GPOOL_BUFFER_READ_BACK;
    if (slab->drops) {
        usage |= GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_COPY_TARGET;
    }
    gpool_buffer_desc desc = { .size = slab->size, .usage = usage, .label = label };
    slab->buffer = gpool__buffer_create_own(pool, &desc, &result);
    return result;
}

/* Makes a slab at the end of the list. */
static gpool_result slab_make(gpool *pool, gpool__heap *heap, uint64_t size, bool single,
                              bool drops)
{
    void *slabs = heap->slabs;
    bool good = gpool__reserve(&pool->memory, &slabs, &heap->slab_capacity, heap->slab_count + 1,
                               sizeof *heap->slabs);
    heap->slabs = slabs;
    gpool__slab *slab = good ? gpool__alloc(&pool->memory, sizeof *slab) : NULL;
    gpool_range_allocator_desc desc = {
        .size = size / GPOOL__WORD,
        .allocator = { .resize = heap_resize, .user = &pool->memory },
    };
    if (slab == NULL || gpool_range_allocator_create(&desc, &slab->ranges) != GPOOL_OK) {
        gpool__free(&pool->memory, slab, sizeof *slab);
        return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for a slab of heap \"%s\"",
                           heap->base.label);
    }
    slab->heap = heap;
    slab->size = size;
    slab->single = single;
    slab->drops = drops;
    slab->number = heap->slab_number;
    slab->empty_since = pool->frame;
    gpool_result result = slab_make_buffer(pool, heap, slab);
    if (result != GPOOL_OK) {
        slab_delete(pool, slab);
        return result;
    }
    heap->slabs[heap->slab_count++] = slab;
    heap->slab_number += 1;
    heap->bytes += size;
    heap->frees += 1;
    pool->empty_slabs += 1;
    return GPOOL_OK;
}

gpool__mesh_place gpool__slab_adopt(gpool *pool, gpool__slab *slab, gpool_allocation at,
                                    uint64_t size)
{
    uint64_t words = gpool__round_up(size, GPOOL__WORD) / GPOOL__WORD;
    gpool__mesh_place place = {
        .slab = slab, .at = at, .size = size, .fresh = at.offset >= slab->touched
    };
    if (slab->count++ == 0) {
        pool->empty_slabs -= 1;
    }
    slab->touched = gpool__max(slab->touched, at.offset + words);
    slab->live_bytes += words * GPOOL__WORD;
    return place;
}

gpool_result gpool__slab_take(gpool *pool, gpool__slab *slab, uint64_t size, uint64_t align,
                              uint32_t user, gpool__mesh_place *place)
{
    uint64_t words = gpool__round_up(size, GPOOL__WORD) / GPOOL__WORD;
    gpool_result result =
        gpool_range_alloc(slab->ranges, words, align / GPOOL__WORD, user, &place->at);
    if (result != GPOOL_OK) {
        return result;
    }
    *place = gpool__slab_adopt(pool, slab, place->at, size);
    return GPOOL_OK;
}

void gpool__slab_retire(gpool__mesh_place *place)
{
    gpool__slab *slab = place->slab;
    if (slab != NULL) {
        uint64_t bytes = gpool__round_up(place->size, GPOOL__WORD);
        slab->live_bytes -= bytes;
        slab->retired_bytes += bytes;
        place->retired = true;
        gpool__range_set_user(slab->ranges, place->at, GPOOL__RANGE_RETIRED);
    }
}

void gpool__slab_free(gpool *pool, gpool__mesh_place *place)
{
    gpool__slab *slab = place->slab;
    if (slab == NULL) {
        return;
    }
    uint64_t bytes = gpool__round_up(place->size, GPOOL__WORD);
    if (place->retired) {
        slab->retired_bytes -= bytes;
    } else {
        slab->live_bytes -= bytes;
    }
    (void)gpool_range_free(slab->ranges, place->at);
    *place = (gpool__mesh_place){ 0 };
    slab->count -= 1;
    if (slab->heap != NULL) {
        slab->heap->frees += 1;
    }
    if (slab->count > 0) {
        return;
    }
    if (slab->heap == NULL) {
        slab_delete(pool, slab);
        return;
    }
    slab->empty_since = pool->frame;
    pool->empty_slabs += 1;
}

void gpool__heaps_trim_slowly(gpool *pool)
{
    gpool__bounce_trim(pool);
    for (gpool__place at = pool->heaps; at != 0;) {
        gpool__heap *heap = gpool__heap_at(pool, at);
        at = heap->next;
        for (uint32_t i = 0; i < heap->slab_count;) {
            const gpool__slab *slab = heap->slabs[i];
            /* What is large is not kept for others. */
            uint32_t frames = slab->single ? 0 : heap->empty_frames;
            if (slab->count == 0 && pool->frame - slab->empty_since >= frames) {
                slab_end(pool, heap, i);
            } else {
                i += 1;
            }
        }
    }
}

/* --- room for parts --- */

void gpool__heap_undo(gpool *pool, gpool__heap *heap, uint32_t number)
{
    for (uint32_t i = heap->slab_count; i-- > 0;) {
        if (heap->slabs[i]->count == 0 && heap->slabs[i]->number >= number) {
            slab_end(pool, heap, i);
        }
    }
}

/* Bytes of the budget that are left. Empty slabs go before their time when that makes it enough. */
static uint64_t heap_left(gpool *pool, gpool__heap *heap, uint64_t need)
{
    uint64_t empty = 0;
    for (uint32_t i = 0; i < heap->slab_count; ++i) {
        empty += heap->slabs[i]->count == 0 ? heap->slabs[i]->size : 0;
    }
    uint64_t left = heap->budget - gpool__min(heap->budget, heap->bytes);
    if (left >= need || heap->budget - gpool__min(heap->budget, heap->bytes - empty) < need) {
        return left;
    }
    gpool__heap_undo(pool, heap, 0);
    return heap->budget - gpool__min(heap->budget, heap->bytes);
}

static gpool_result heap_grow(gpool *pool, gpool__heap *heap, uint64_t size, bool drops,
                              const char *label)
{
    uint64_t need = gpool__round_up(size, GPOOL__WORD);
    uint64_t limit = heap_slab_most(pool);
    bool single = need > heap->slab_size / 2;
    uint64_t bytes = single ? need : heap->slab_size;
    if (need > limit) {
        return GPOOL__FAIL(pool, LIMIT, LIMIT,
                           "A part of [%llu] bytes of mesh \"%s\" is over the limit [%llu] of a "
                           "slab",
                           (unsigned long long)size, label, (unsigned long long)limit);
    }
    /* Of another device than the heap was made on. */
    bytes = gpool__min(bytes, gpool__round_down(limit, GPOOL__WORD));
    if (heap->budget != 0) {
        uint64_t left = heap_left(pool, heap, need);
        if (left < need) {
            return GPOOL__FAIL(
                pool, BUDGET, BUDGET,
                "A part of [%llu] bytes of mesh \"%s\": heap \"%s\" has [%llu] bytes "
                "of its budget [%llu] already",
                (unsigned long long)size, label, heap->base.label, (unsigned long long)heap->bytes,
                (unsigned long long)heap->budget);
        }
        bytes = gpool__min(bytes, gpool__round_down(left, GPOOL__WORD));
    }
    return slab_make(pool, heap, bytes, single, drops);
}

/* A range of the slabs there are; those that compaction empties come last. */
static gpool_result heap_take_there(gpool *pool, gpool__heap *heap, uint64_t size, uint64_t align,
                                    bool drops, uint32_t user, gpool__mesh_place *place)
{
    for (int draining = 0; draining < 2; ++draining) {
        for (uint32_t i = 0; i < heap->slab_count; ++i) {
            gpool__slab *slab = heap->slabs[i];
            if (!gpool__slab_fits(slab, drops) || slab->draining != (draining == 1)) {
                continue;
            }
            gpool_result result = gpool__slab_take(pool, slab, size, align, user, place);
            if (result == GPOOL_OK || result == GPOOL_ERROR_OUT_OF_MEMORY) {
                return result;
            }
        }
    }
    return GPOOL_ERROR_BUDGET;
}

gpool_result gpool__heap_take(gpool *pool, gpool__heap *heap, uint64_t size, uint64_t align,
                              bool drops, uint32_t user, const char *label,
                              gpool__mesh_place *place)
{
    gpool_result result = GPOOL_ERROR_BUDGET;
    if (size <= heap->slab_size / 2) {
        result = heap_take_there(pool, heap, size, align, drops, user, place);
    }
    if (result == GPOOL_OK) {
        return result;
    }
    if (result == GPOOL_ERROR_OUT_OF_MEMORY) {
        return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for mesh \"%s\"", label);
    }
    result = heap_grow(pool, heap, size, drops, label);
    if (result != GPOOL_OK) {
        return result;
    }
    result = gpool__slab_take(pool, heap->slabs[heap->slab_count - 1], size, align, user, place);
    if (result != GPOOL_OK) {
        slab_end(pool, heap, heap->slab_count - 1);
        return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for mesh \"%s\"", label);
    }
    return result;
}

/* --- heaps --- */

/* Lets go of the slabs; ranges that wait for the GPU keep theirs. */
static void heap_leave_slabs(gpool *pool, gpool__heap *heap, bool retire)
{
    for (uint32_t i = 0; i < heap->slab_count; ++i) {
        gpool__slab *slab = heap->slabs[i];
        if (retire) {
            gpool__resource_retire(pool, &slab->buffer->base);
        }
        slab->buffer = NULL;
        if (slab->count > 0) {
            slab->heap = NULL;
        } else {
            pool->empty_slabs -= 1;
            slab_delete(pool, slab);
        }
    }
    gpool__free(&pool->memory, heap->slabs, heap->slab_capacity * sizeof *heap->slabs);
    heap->slabs = NULL;
    heap->slab_count = 0;
    heap->slab_capacity = 0;
    heap->bytes = 0;
}

static void heap_unlink(gpool *pool, gpool__heap *heap)
{
    gpool__place *link = &pool->heaps;
    gpool__place place = gpool__place_of(&heap->base);
    while (*link != 0 && *link != place) {
        link = &gpool__heap_at(pool, *link)->next;
    }
    if (*link == place) {
        *link = heap->next;
        pool->compacting -= gpool__heap_wants(heap) ? 1 : 0;
    }
}

/* Meshes go with their heap, before their slabs. */
static void heap_retiring(gpool *pool, gpool__resource *resource)
{
    gpool__heap *heap = heap_of(resource);
    while (heap->meshes != 0) {
        gpool__resource_retire(pool, gpool__resource_at(pool, heap->meshes));
    }
    heap_unlink(pool, heap);
    heap_leave_slabs(pool, heap, true);
}

/* Slabs are left here only when the pool closes, and their buffers are gone then. */
static void heap_release(gpool *pool, gpool__resource *resource)
{
    heap_unlink(pool, heap_of(resource));
    heap_leave_slabs(pool, heap_of(resource), false);
}

gpool_result gpool__slabs_rebuild(gpool *pool, struct gpool__rebuild *rebuild,
                                  gpool__resource *resource)
{
    (void)pool;
    (void)rebuild;
    (void)resource;
    return GPOOL_OK;
}

void gpool__heaps_init(gpool *pool)
{
    gpool__kind_init(pool, GPOOL_KIND_HEAP, sizeof(gpool__heap), heap_release);
    pool->retiring[GPOOL_KIND_HEAP] = heap_retiring;
    pool->rebuild[GPOOL_KIND_HEAP] = gpool__slabs_rebuild;
}

static gpool_result heap_check_desc(gpool *pool, const gpool_heap_desc *desc)
{
    const char *label = desc->label != NULL ? desc->label : "";
    uint64_t limit = heap_slab_most(pool);
    if (desc->slab_size != 0 &&
        (desc->slab_size < HEAP_SLAB_LEAST || desc->slab_size % GPOOL__WORD != 0)) {
        return GPOOL__FAIL(pool, RANGE, OUT_OF_RANGE,
                           "The slab size [%llu] of heap \"%s\" is under [%u] or no multiple of 4",
                           (unsigned long long)desc->slab_size, label, HEAP_SLAB_LEAST);
    }
    if (desc->slab_size > limit) {
        return GPOOL__FAIL(pool, LIMIT, LIMIT,
                           "The slab size [%llu] of heap \"%s\" is over the limit [%llu]",
                           (unsigned long long)desc->slab_size, label, (unsigned long long)limit);
    }
    return GPOOL_OK;
}

static gpool__heap *heap_fill(gpool *pool, const gpool_heap_desc *desc, gpool__resource *resource)
{
    gpool__heap *heap = heap_of(resource);
    if (heap != NULL) {
        uint64_t limit = heap_slab_most(pool);
        heap->slab_size = desc->slab_size != 0
                              ? desc->slab_size
                              : gpool__min(HEAP_SLAB_SIZE, gpool__round_down(limit, GPOOL__WORD));
        heap->budget = desc->budget;
        heap->compact_bytes = desc->compact_bytes;
        heap->empty_frames = desc->empty_frames != 0 ? desc->empty_frames : HEAP_EMPTY_FRAMES;
        heap->moved = desc->moved;
        heap->moved_user = desc->moved_user;
        heap->next = pool->heaps;
        pool->heaps = gpool__place_of(&heap->base);
        pool->compacting += gpool__heap_wants(heap) ? 1 : 0;
    }
    return heap;
}

gpool_heap gpool_heap_create(gpool *pool, const gpool_heap_desc *desc)
{
    static const gpool_heap_desc defaults = { 0 };
    gpool_heap heap = { 0 };
    gpool__call call;
    if (gpool__enter(pool, "gpool_heap_create", &call) == GPOOL_OK) {
        desc = desc != NULL ? desc : &defaults;
        if (heap_check_desc(pool, desc) == GPOOL_OK) {
            const gpool__heap *made = heap_fill(
                pool, desc, gpool__resource_take(pool, GPOOL_KIND_HEAP, desc->label, desc->scope));
            heap.id = made != NULL ? gpool__handle_of(pool, &made->base) : 0;
        }
        gpool__leave(pool, &call);
    }
    return heap;
}

static gpool_heap heap_default(gpool *pool)
{
    static const gpool_heap_desc defaults = { 0 };
    if (pool->default_heap.id == 0) {
        const gpool__heap *made =
            heap_fill(pool, &defaults, gpool__resource_take_own(pool, GPOOL_KIND_HEAP, "default"));
        pool->default_heap.id = made != NULL ? gpool__handle_of(pool, &made->base) : 0;
    }
    return pool->default_heap;
}

gpool_heap gpool_default_heap(gpool *pool)
{
    gpool_heap heap = { 0 };
    gpool__call call;
    if (gpool__enter(pool, "gpool_default_heap", &call) == GPOOL_OK) {
        heap = heap_default(pool);
        gpool__leave(pool, &call);
    }
    return heap;
}

gpool__heap *gpool__heap_resolve(gpool *pool, gpool_heap handle, gpool_result *result)
{
    if (handle.id == 0) {
        handle = heap_default(pool);
        if (handle.id == 0) {
            *result = gpool_last_error(pool)->code;
            return NULL;
        }
    }
    return heap_of(gpool__resolve(pool, handle.id, GPOOL_KIND_HEAP, result));
}

gpool_result gpool_heap_destroy(gpool *pool, gpool_heap heap)
{
    return gpool__destroy_handle(pool, heap.id, GPOOL_KIND_HEAP, "gpool_heap_destroy");
}

gpool_result gpool_heap_compact(gpool *pool, gpool_heap handle, uint64_t byte_budget)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_heap_compact", &call);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__heap *heap = gpool__heap_resolve(pool, handle, &result);
    if (heap != NULL) {
        pool->compacting -= gpool__heap_wants(heap) ? 1 : 0;
        heap->asked = byte_budget;
        pool->compacting += gpool__heap_wants(heap) ? 1 : 0;
    }
    gpool__leave(pool, &call);
    return result;
}
