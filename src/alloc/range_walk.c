/* A range allocator looked at as a whole: walks, sums, and whether all of it agrees. */
#include "alloc/range_allocator.h"

/* --- walks --- */

/* The piece behind the cursor; 0 at the end, and where the cursor's piece is no longer what it was. */
static uint32_t range_behind(const gpool_range_allocator *allocator, gpool_range_cursor cursor)
{
    if (cursor.node == 0 && cursor.end == 0) {
        return gpool__range_at(allocator->nodes[0].next);
    }
    if (cursor.node == 0 || cursor.node >= allocator->used) {
        return 0;
    }
    const gpool__range_node *const piece = &allocator->nodes[cursor.node];
    const uint64_t size = gpool__range_size(piece);
    return size != 0 && piece->offset + size == cursor.end ? gpool__range_at(piece->next) : 0;
}

/* The first piece behind the cursor that is live, or that is not; 0 at the end. Neighbours are never
 * both free, but any number may be live: a walk over free pieces steps over them here. */
static uint32_t range_walk(const gpool_range_allocator *allocator, gpool_range_cursor *cursor,
                           bool live)
{
    uint32_t index = range_behind(allocator, *cursor);
    while (index != 0 && gpool__range_is_live(&allocator->nodes[index]) != live) {
        index = gpool__range_at(allocator->nodes[index].next);
    }
    if (index != 0) {
        const gpool__range_node *const piece = &allocator->nodes[index];
        *cursor =
            (gpool_range_cursor){ .end = piece->offset + gpool__range_size(piece), .node = index };
    }
    return index;
}

bool gpool_range_allocator_next(const gpool_range_allocator *allocator, gpool_range_cursor *cursor,
                                gpool_live_range *range)
{
    if (allocator == NULL || cursor == NULL || range == NULL) {
        return false;
    }
    const uint32_t index = range_walk(allocator, cursor, true);
    if (index == 0) {
        return false;
    }
    const gpool__range_node *const piece = &allocator->nodes[index];
    *range = (gpool_live_range){
        .allocation = gpool__range_handle(allocator, index),
        .size = gpool__range_size(piece),
        .user = gpool__range_user(allocator, piece),
        .moving = (piece->size & GPOOL__RANGE_MOVING) != 0,
    };
    return true;
}

bool gpool_range_allocator_next_free(const gpool_range_allocator *allocator,
                                     gpool_range_cursor *cursor, gpool_range *range)
{
    if (allocator == NULL || cursor == NULL || range == NULL) {
        return false;
    }
    const uint32_t index = range_walk(allocator, cursor, false);
    if (index == 0) {
        return false;
    }
    *range = (gpool_range){ .offset = allocator->nodes[index].offset,
                            .size = allocator->nodes[index].size };
    return true;
}

/* --- sums --- */

gpool_result gpool_range_allocator_report(const gpool_range_allocator *allocator,
                                          gpool_range_report *report)
{
    if (report == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    *report = (gpool_range_report){ 0 };
    if (allocator == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    report->size = allocator->size;
    report->live_size = allocator->live_size;
    report->free_size = allocator->size - allocator->live_size;
    report->live_count = allocator->live_count;
    report->free_count = allocator->free_count;
    report->moving_count = allocator->moving_count;
    report->alloc_steps = allocator->alloc_steps;
    report->free_steps = allocator->free_steps;
    for (uint32_t bin = gpool__range_next_bin(allocator, 0); bin < GPOOL__RANGE_BINS;
         bin = gpool__range_next_bin(allocator, bin + 1)) {
        for (uint32_t index = allocator->heads[bin]; index != 0;
             index = allocator->nodes[index].of.bin.next) {
            const uint64_t size = allocator->nodes[index].size;
            report->free_by_power[gpool__highest_bit(size)] += 1;
            report->largest_free = gpool__max(report->largest_free, size);
        }
    }
    if (report->free_size > 0) {
        report->fragmentation = 1 - (double)report->largest_free / (double)report->free_size;
    }
    return GPOOL_OK;
}

/* --- checks --- */

/* What a walk over all pieces adds up. */
typedef struct range_sums {
    uint64_t live_size;
    uint64_t pieces;
    uint64_t live;
    uint64_t moving;
} range_sums;

/* Whether a piece with the flag and its record agree. */
static bool range_check_record(const gpool_range_allocator *allocator, uint32_t index)
{
    const uint32_t at = allocator->nodes[index].of.live.user;
    if (at == 0 || at >= allocator->used) {
        return false;
    }
    const gpool__range_node *const record = &allocator->nodes[at];
    if (record->size != 0 || record->prev == record->next ||
        (record->prev != index && record->next != index)) {
        return false;
    }
    const uint32_t other = record->prev == index ? record->next : record->prev;
    return other != 0 && other < allocator->used && allocator->nodes[other].of.live.user == at &&
           allocator->nodes[other].size == allocator->nodes[index].size;
}

/* Whether pieces cover the space and no two free ones touch. */
static bool range_check_pieces(const gpool_range_allocator *allocator, range_sums *sums)
{
    uint64_t offset = 0;
    uint32_t before = 0; /* link to it */
    uint32_t link = allocator->nodes[0].next;
    while (gpool__range_at(link) != 0) {
        const uint32_t index = gpool__range_at(link);
        if (index >= allocator->used) {
            return false;
        }
        const gpool__range_node *const piece = &allocator->nodes[index];
        const uint64_t size = gpool__range_size(piece);
        const bool live = gpool__range_is_live(piece);
        if (link != (live ? index : index | GPOOL__RANGE_FREE) || piece->offset != offset ||
            piece->prev != before || size == 0 || size > allocator->size - offset ||
            (link & before & GPOOL__RANGE_FREE) != 0) {
            return false;
        }
        if (live && (piece->size & GPOOL__RANGE_MOVING) != 0) {
            if (!range_check_record(allocator, index)) {
                return false;
            }
            sums->moving += 1;
        } else if (!live && piece->size != size) {
            return false;
        }
        sums->pieces += 1;
        sums->live += live;
        sums->live_size += live ? size : 0;
        offset += size;
        before = link;
        link = piece->next;
    }
    return link == 0 && offset == allocator->size && allocator->nodes[0].prev == before &&
           allocator->nodes[0].size == GPOOL__RANGE_LIVE &&
           allocator->nodes[0].offset == UINT64_MAX;
}

/* Whether bins hold what belongs into them, which are `count` pieces, and bits tell which. */
static bool range_check_bins(const gpool_range_allocator *allocator, uint64_t count)
{
    uint64_t found = 0;
    for (uint32_t bin = 0; bin < GPOOL__RANGE_BINS; ++bin) {
        const uint32_t head = allocator->heads[bin];
        if ((allocator->rows[bin / 64] >> bin % 64 & 1) != (head != 0) ||
            (allocator->top >> bin / 64 & 1) != (allocator->rows[bin / 64] != 0)) {
            return false;
        }
        uint32_t before = 0;
        for (uint32_t index = head; index != 0; index = allocator->nodes[index].of.bin.next) {
            if (index >= allocator->used || found == count) {
                return false;
            }
            const gpool__range_node *const piece = &allocator->nodes[index];
            if (gpool__range_is_live(piece) || piece->size == 0 ||
                gpool__range_bin(piece->size) != bin || piece->of.bin.prev != before) {
                return false;
            }
            before = index;
            found += 1;
        }
    }
    return found == count && allocator->top >> GPOOL__RANGE_ROWS == 0;
}

bool gpool_range_allocator_validate(const gpool_range_allocator *allocator)
{
    if (allocator == NULL) {
        return false;
    }
    range_sums sums = { 0 };
    if (!range_check_pieces(allocator, &sums) ||
        !range_check_bins(allocator, sums.pieces - sums.live)) {
        return false;
    }
    uint64_t unused = 0;
    for (uint32_t index = allocator->unused; index != 0; index = allocator->nodes[index].next) {
        if (index >= allocator->used || allocator->nodes[index].size != 0 ||
            ++unused >= allocator->used) {
            return false;
        }
    }
    const uint32_t cursor = allocator->plan.cursor;
    return sums.live == allocator->live_count && sums.live_size == allocator->live_size &&
           sums.pieces - sums.live == allocator->free_count &&
           sums.moving == UINT64_C(2) * allocator->moving_count &&
           unused + sums.pieces + allocator->moving_count + 1 == allocator->used &&
           allocator->used <= allocator->capacity && allocator->capacity <= allocator->limit &&
           cursor < allocator->used && allocator->nodes[cursor].size != 0;
}

void gpool__range_set_user(gpool_range_allocator *allocator, gpool_allocation allocation,
                           uint32_t user)
{
    gpool__range_node *piece = &allocator->nodes[allocation.node];
    if ((piece->size & GPOOL__RANGE_MOVING) == 0) {
        piece->of.live.user = user;
    }
}
