/* What is told of heaps, and what must hold for them. */
#include "pool/heap_state.h"

static gpool_heap_slab info_slab(gpool *pool, const gpool__slab *slab, gpool_range_report *report)
{
    (void)gpool_range_allocator_report(slab->ranges, report);
    return (gpool_heap_slab){
        .buffer = { gpool__handle_of(pool, &slab->buffer->base) },
        .size = slab->size,
        .free_bytes = report->free_size * GPOOL__WORD,
        .largest_free = report->largest_free * GPOOL__WORD,
        .free_ranges = report->free_count,
        .single = slab->single,
        .keep = slab->drops ? GPOOL_KEEP_DROP : GPOOL_KEEP_SHADOW,
    };
}

static void info_fill(gpool *pool, const gpool__heap *heap, gpool_heap_info *info)
{
    *info = (gpool_heap_info){
        .slab_size = heap->slab_size,
        .budget = heap->budget,
        .slab_count = heap->slab_count,
        .mesh_count = heap->mesh_count,
        .bytes = heap->bytes,
        .moves = heap->moves,
        .moved_bytes = heap->moved_bytes,
        .copied_bytes = heap->copied_bytes,
        .created_frame = heap->base.alive.created_frame,
        .label = heap->base.label,
    };
    uint64_t largest = 0;
    for (uint32_t i = 0; i < heap->slab_count; ++i) {
        gpool_range_report report;
        gpool_heap_slab slab = info_slab(pool, heap->slabs[i], &report);
        info->live_bytes += heap->slabs[i]->live_bytes;
        info->retired_bytes += heap->slabs[i]->retired_bytes;
        info->free_bytes += slab.free_bytes;
        info->free_ranges += slab.free_ranges;
        info->largest_free = gpool__max(info->largest_free, slab.largest_free);
        largest += slab.largest_free;
    }
    info->fragmentation =
        info->free_bytes > 0 ? 1.0f - (float)((double)largest / (double)info->free_bytes) : 0.0f;
}

gpool_result gpool_heap_get_info(gpool *pool, gpool_heap handle, gpool_heap_info *info)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_heap_get_info", &call);
    if (result != GPOOL_OK) {
        return result;
    }
    const gpool__heap *heap = gpool__heap_resolve(pool, handle, &result);
    if (heap != NULL && info == NULL) {
        result = GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT, "The info [NULL] is null");
    } else if (heap != NULL) {
        info_fill(pool, heap, info);
    }
    gpool__leave(pool, &call);
    return result;
}

/* A slab by its index; NULL with the error recorded. */
static gpool__slab *info_slab_at(gpool *pool, gpool_heap handle, uint32_t index,
                                 const void *pointer, gpool_result *result)
{
    const gpool__heap *heap = gpool__heap_resolve(pool, handle, result);
    if (heap == NULL) {
        return NULL;
    }
    if (pointer == NULL) {
        *result =
            GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT,
                        "What is to be told of a slab of heap \"%s\" is [NULL]", heap->base.label);
        return NULL;
    }
    if (index >= heap->slab_count) {
        *result =
            GPOOL__FAIL(pool, RANGE, OUT_OF_RANGE, "Heap \"%s\" has [%u] slabs, asked is for [%u]",
                        heap->base.label, heap->slab_count, index);
        return NULL;
    }
    return heap->slabs[index];
}

gpool_result gpool_heap_get_slab(gpool *pool, gpool_heap handle, uint32_t index,
                                 gpool_heap_slab *slab)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_heap_get_slab", &call);
    if (result != GPOOL_OK) {
        return result;
    }
    const gpool__slab *found = info_slab_at(pool, handle, index, slab, &result);
    if (found != NULL) {
        gpool_range_report report;
        *slab = info_slab(pool, found, &report);
    }
    gpool__leave(pool, &call);
    return result;
}

static bool info_next_piece(const gpool *pool, const gpool__slab *slab, gpool_heap_cursor *cursor,
                            gpool_heap_piece *piece)
{
    gpool_range_cursor next = cursor->live;
    gpool_live_range live = { 0 };
    bool any = gpool_range_allocator_next(slab->ranges, &next, &live);
    uint64_t begin = any ? live.allocation.offset : slab->size / GPOOL__WORD;
    if (cursor->word < begin) {
        *piece = (gpool_heap_piece){
            .range = { cursor->word * GPOOL__WORD, (begin - cursor->word) * GPOOL__WORD },
            .state = GPOOL_PIECE_FREE,
        };
        cursor->word = begin;
        return true;
    }
    if (!any) {
        return false;
    }
    cursor->live = next;
    cursor->word = begin + live.size;
    *piece = (gpool_heap_piece){
        .range = { begin * GPOOL__WORD, live.size * GPOOL__WORD },
        .state = GPOOL_PIECE_RETIRED,
    };
    gpool_mesh_part part;
    const gpool__mesh *mesh = gpool__range_owner(pool, slab, live.user, live.allocation, &part);
    if (mesh != NULL) {
        piece->part = part;
        piece->state = GPOOL_PIECE_LIVE;
        piece->mesh.id = gpool__handle_of(pool, &mesh->base);
    }
    return true;
}

bool gpool_heap_next_piece(gpool *pool, gpool_heap handle, uint32_t index,
                           gpool_heap_cursor *cursor, gpool_heap_piece *piece)
{
    bool found = false;
    gpool__call call;
    if (gpool__enter(pool, "gpool_heap_next_piece", &call) == GPOOL_OK) {
        gpool_result result;
        const gpool__slab *slab =
            info_slab_at(pool, handle, index, cursor != NULL ? piece : NULL, &result);
        found = slab != NULL && info_next_piece(pool, slab, cursor, piece);
        gpool__leave(pool, &call);
    }
    return found;
}

/* --- invariants --- */

/* Ranges of a slab are those of meshes in it, or given up; sums agree. */
static bool validate_slab(const gpool *pool, const gpool__heap *heap, const gpool__slab *slab)
{
    uint64_t live_bytes = 0;
    uint64_t retired_bytes = 0;
    uint32_t count = 0;
    gpool_range_cursor cursor = { 0 };
    gpool_live_range range;
    while (gpool_range_allocator_next(slab->ranges, &cursor, &range)) {
        gpool_mesh_part part;
        const gpool__mesh *mesh =
            gpool__range_owner(pool, slab, range.user, range.allocation, &part);
        count += 1;
        if (mesh == NULL) {
            retired_bytes += range.size * GPOOL__WORD;
            continue;
        }
        const gpool__mesh_place *place = &mesh->parts[part];
        live_bytes += range.size * GPOOL__WORD;
        if (!gpool__resource_is_held(&mesh->base) || mesh->heap != gpool__place_of(&heap->base) ||
            place->at.offset != range.allocation.offset ||
            gpool__round_up(place->size, GPOOL__WORD) != range.size * GPOOL__WORD ||
            gpool__place_offset(place) % gpool__mesh_align(pool, mesh, part) != 0 ||
            mesh->drops != slab->drops) {
            return false;
        }
    }
    return gpool_range_allocator_validate(slab->ranges) && count == slab->count &&
           live_bytes == slab->live_bytes && retired_bytes == slab->retired_bytes &&
           slab->heap == heap && slab->buffer->base.own && slab->buffer->gpu_written == slab->drops;
}

static bool validate_heap(const gpool *pool, const gpool__heap *heap)
{
    uint64_t bytes = 0;
    uint64_t in_slabs = 0;
    for (uint32_t i = 0; i < heap->slab_count; ++i) {
        bytes += heap->slabs[i]->size;
        in_slabs += heap->slabs[i]->live_bytes;
        if (!validate_slab(pool, heap, heap->slabs[i])) {
            return false;
        }
    }
    uint64_t in_meshes = 0;
    uint32_t count = 0;
    gpool__place previous = 0;
    for (gpool__place at = heap->meshes; at != 0 && count <= heap->mesh_count;) {
        const gpool__mesh *mesh = (const gpool__mesh *)(const void *)gpool__resource_at(pool, at);
        if (mesh->previous != previous || mesh->heap != gpool__place_of(&heap->base)) {
            return false;
        }
        for (int part = 0; part < GPOOL_MESH_PARTS; ++part) {
            in_meshes += gpool__round_up(mesh->parts[part].size, GPOOL__WORD);
        }
        count += 1;
        previous = at;
        at = mesh->next;
    }
    return bytes == heap->bytes && in_slabs == in_meshes && count == heap->mesh_count;
}

bool gpool__heaps_validate(gpool *pool)
{
    uint32_t empty = 0;
    uint32_t wanting = 0;
    for (gpool__place at = pool->heaps; at != 0; at = gpool__heap_at(pool, at)->next) {
        const gpool__heap *heap = gpool__heap_at(pool, at);
        wanting += gpool__heap_wants(heap) ? 1 : 0;
        for (uint32_t i = 0; i < heap->slab_count; ++i) {
            empty += heap->slabs[i]->count == 0 ? 1 : 0;
        }
        if (!validate_heap(pool, heap)) {
            return false;
        }
    }
    return empty == pool->empty_slabs && wanting == pool->compacting;
}
