/*
 * Moves of parts on the GPU: what a resize brings to its new place, and compaction.
 *
 * Compaction makes parts leave the emptiest slab, when the others have room for what is in it, until it
 * is empty and goes; and else brings the free ranges of a slab together, as gpool_range_plan_moves()
 * plans it. Either way a part gets its new range first, then the GPU copies in a submit of its own, and
 * only when that has worked the mesh changes. So every failure leaves all as it was. What a part leaves
 * goes into a spare mesh, which retires like any other: commands that were recorded with the old place
 * still find the bytes there.
 *
 * Bytes that wait to be sent come along: the copy on the GPU moves what is there already, the shadow's
 * bytes move too, and what was dirty in the old place is dirty in the new one.
 */
#include "pool/heap_state.h"
#include "pool/make.h"
#include "pool/plan.h"

#include <string.h>

/* Most parts that move in a frame, for each heap. */
#define COMPACT_MOVES 256u
/* Ranges looked at in a frame, in the slab that is emptied. */
#define COMPACT_LOOKS 1024u
/* Frames after which memory beside the slabs that nobody used is released. */
#define BOUNCE_IDLE  60u
#define BOUNCE_LEAST 65536u

/* --- copies --- */

void gpool__bounce_drop(gpool *pool)
{
    if (pool->bounce.gpu != NULL) {
        GPOOL__GPU(&pool->seam, BufferRelease)(pool->bounce.gpu);
        pool->stats.internal_bytes -= pool->bounce.size;
    }
    pool->bounce = (gpool__bounce){ 0 };
}

void gpool__bounce_trim(gpool *pool)
{
    if (pool->bounce.gpu != NULL && pool->frame - pool->bounce.frame > BOUNCE_IDLE) {
        gpool__bounce_drop(pool);
    }
}

static gpool_result bounce_need(gpool *pool, uint64_t size)
{
    pool->bounce.frame = pool->frame;
    if (size <= pool->bounce.size) {
        return GPOOL_OK;
    }
    gpool_result result;
    uint64_t limit = pool->device->info.limits.maxBufferSize;
    uint64_t bytes = gpool__max(size, gpool__min(BOUNCE_LEAST, gpool__round_down(limit, 4)));
    WGPUBufferDescriptor desc = {
        .label = gpool__view("gpool moves"),
        .usage = WGPUBufferUsage_CopySrc | WGPUBufferUsage_CopyDst,
        .size = bytes,
    };
    WGPUBuffer gpu = gpool__make_buffer(pool, &desc, "Memory for moves of pool", &result);
    if (gpu == NULL) {
        return result;
    }
    gpool__bounce_drop(pool);
    pool->bounce = (gpool__bounce){ gpu, bytes, pool->frame };
    pool->stats.internal_bytes += bytes;
    return GPOOL_OK;
}

static uint64_t move_bytes(const gpool__move *move)
{
    return gpool__round_up(gpool__min(move->from.size, move->to.size), GPOOL__WORD);
}

static bool move_stays(const gpool__move *move)
{
    return move->from.slab == move->to.slab;
}

/* Copies and clears of all moves; those within a slab by two copies. */
static void moves_record(gpool *pool, WGPUCommandEncoder encoder, const gpool__move *moves,
                         uint32_t count)
{
    uint64_t beside = 0;
    for (uint32_t i = 0; i < count; ++i) {
        uint64_t size = move_bytes(&moves[i]);
        if (size > 0 && move_stays(&moves[i])) {
            GPOOL__GPU(&pool->seam, CommandEncoderCopyBufferToBuffer)
            (encoder, moves[i].from.slab->buffer->gpu, gpool__place_offset(&moves[i].from),
             pool->bounce.gpu, beside, size);
            beside += size;
        }
    }
    beside = 0;
    for (uint32_t i = 0; i < count; ++i) {
        const gpool__mesh_place *to = &moves[i].to;
        uint64_t size = move_bytes(&moves[i]);
        uint64_t at = gpool__place_offset(to);
        uint64_t whole = gpool__round_up(to->size, GPOOL__WORD);
        if (size > 0) {
            bool stays = move_stays(&moves[i]);
            GPOOL__GPU(&pool->seam, CommandEncoderCopyBufferToBuffer)
            (encoder, stays ? pool->bounce.gpu : moves[i].from.slab->buffer->gpu,
             stays ? beside : gpool__place_offset(&moves[i].from), to->slab->buffer->gpu, at, size);
            beside += stays ? size : 0;
        }
        if (size < whole && !to->fresh) {
            GPOOL__GPU(&pool->seam, CommandEncoderClearBuffer)
            (encoder, to->slab->buffer->gpu, at + size, whole - size);
        }
    }
}

gpool_result gpool__moves_submit(gpool *pool, const gpool__move *moves, uint32_t count)
{
    uint64_t beside = 0;
    for (uint32_t i = 0; i < count; ++i) {
        beside += move_stays(&moves[i]) ? move_bytes(&moves[i]) : 0;
    }
    gpool_result result = beside > 0 ? bounce_need(pool, beside) : GPOOL_OK;
    if (result == GPOOL_OK) {
        /* The submit does so, too, but the copies would be in the batch already if it fails. */
        result = gpool__recycle_clear(pool);
    }
    if (result != GPOOL_OK) {
        return result;
    }
    WGPUCommandEncoder encoder = gpool__make_encoder(pool, "gpool moves", "Moves of pool", &result);
    if (encoder == NULL) {
        return result;
    }
    moves_record(pool, encoder, moves, count);
    result = gpool__batch_add(pool, encoder, "Moves of pool");
    /* A submit that cannot be made leaves the copies in the batch: what is written to these places since
     * then must come after them. */
    for (uint32_t i = 0; i < count && result == GPOOL_OK; ++i) {
        moves[i].to.slab->buffer->batch = pool->batch.number;
    }
    return result == GPOOL_OK ? gpool__batch_submit(pool, NULL, 0, false, "Moves of pool") : result;
}

void gpool__move_shadow(gpool *pool, const gpool__move *move)
{
    gpool__buffer *source = move->from.slab->buffer;
    gpool__buffer *target = move->to.slab->buffer;
    if (source->shadow == NULL) {
        return;
    }
    uint64_t from = gpool__place_offset(&move->from);
    uint64_t to = gpool__place_offset(&move->to);
    uint64_t size = move_bytes(move);
    memcpy(target->shadow + to, source->shadow + from, (size_t)size);
    uint64_t cursor = from;
    gpool_range range;
    bool any = false;
    while (gpool_dirty_map_next(source->dirty, 0, 1, &cursor, &range) &&
           range.offset < from + size) {
        uint64_t begin = gpool__max(range.offset, from);
        uint64_t end = gpool__min(range.offset + range.size, from + size);
        gpool__dirty_map_mark(target->dirty, to + (begin - from), end - begin);
        any = true;
    }
    if (!any) {
        return;
    }
    gpool__upload_enlist(pool, target);
    /* Nobody wants what was not sent to the old place. Granules at its ends may be a neighbour's, too. */
    uint64_t first = gpool__round_up(from, GPOOL__GRANULE);
    uint64_t end = gpool__round_down(from + size, GPOOL__GRANULE);
    if (first < end) {
        (void)gpool_dirty_map_clear_range(source->dirty, first, end - first);
    }
}

/* --- compaction --- */

/* One part on its way. */
typedef struct compact_part {
    gpool__mesh *mesh;
    gpool__mesh *spare; /* holds the old place afterwards */
    gpool_mesh_part part;
} compact_part;

typedef struct compact_plan {
    gpool__move moves[COMPACT_MOVES];
    compact_part parts[COMPACT_MOVES];
    uint32_t count;
    uint64_t bytes; /* the GPU will copy */
} compact_plan;

static bool compact_may(const gpool__mesh *mesh)
{
    return mesh != NULL && gpool__resource_is_held(&mesh->base) && !mesh->base.failed &&
           !mesh->pinned;
}

/* Adds a move whose new range is taken; false, with the range given back, without memory for it. */
static bool compact_add(gpool *pool, compact_plan *plan, gpool__mesh *mesh, gpool_mesh_part part,
                        const gpool__mesh_place *to)
{
    gpool__mesh *spare = (gpool__mesh *)(void *)gpool__resource_take_spare(pool, GPOOL_KIND_MESH);
    if (spare == NULL) {
        gpool__mesh_place back = *to;
        gpool__slab_free(pool, &back);
        return false;
    }
    gpool__move *move = &plan->moves[plan->count];
    *move = (gpool__move){ .from = mesh->parts[part], .to = *to };
    plan->parts[plan->count] = (compact_part){ mesh, spare, part };
    plan->count += 1;
    plan->bytes += move_bytes(move) * (move_stays(move) ? 2 : 1);
    return true;
}

/* Parts only go to a slab that has at least as much as theirs. So each move raises the sum of the squares
 * of what is in the slabs, which has a limit: emptying slabs comes to an end. */
static bool compact_is_fuller(const gpool__slab *slab, const gpool__slab *victim)
{
    return slab != victim && gpool__slab_fits(slab, victim->drops) && slab->live_bytes > 0 &&
           slab->live_bytes >= victim->live_bytes;
}

/* True when what is in a slab would fit into the fuller slabs of its kind with some to spare. */
static bool compact_can_empty(const gpool__heap *heap, const gpool__slab *slab)
{
    uint64_t room = 0;
    for (uint32_t i = 0; i < heap->slab_count; ++i) {
        const gpool__slab *other = heap->slabs[i];
        if (compact_is_fuller(other, slab)) {
            room += other->size - other->live_bytes - other->retired_bytes;
        }
    }
    return slab->live_bytes <= room - room / 4;
}

/* The emptiest slab that can be emptied; NULL = none is worth it. */
static gpool__slab *compact_find_victim(const gpool__heap *heap, uint64_t budget, bool drops)
{
    gpool__slab *victim = NULL;
    for (uint32_t i = 0; i < heap->slab_count; ++i) {
        gpool__slab *slab = heap->slabs[i];
        if (gpool__slab_fits(slab, drops) && slab->live_bytes > 0 &&
            (slab->stuck != heap->frees + 1 || budget > slab->tried) &&
            (victim == NULL || slab->live_bytes < victim->live_bytes)) {
            victim = slab;
        }
    }
    return victim != NULL && compact_can_empty(heap, victim) ? victim : NULL;
}

/* Finds a range in another slab. */
static bool compact_find_room(gpool *pool, gpool__heap *heap, const gpool__slab *victim,
                              uint64_t size, uint64_t align, uint32_t user, gpool__mesh_place *to)
{
    for (uint32_t i = 0; i < heap->slab_count; ++i) {
        gpool__slab *slab = heap->slabs[i];
        if (compact_is_fuller(slab, victim) &&
            gpool__slab_take(pool, slab, size, align, user, to) == GPOOL_OK) {
            return true;
        }
    }
    return false;
}

/* Plans to move parts out of a slab, going on where the frame before ended. */
static void compact_empty(gpool *pool, gpool__heap *heap, gpool__slab *victim, uint64_t budget,
                          compact_plan *plan)
{
    gpool_live_range range;
    victim->draining = true;
    bool begins = victim->cursor.end == 0 && victim->cursor.node == 0;
    victim->tried = begins ? budget : gpool__min(victim->tried, budget);
    for (uint32_t looks = 0; looks < COMPACT_LOOKS && plan->count < COMPACT_MOVES; ++looks) {
        gpool_range_cursor before = victim->cursor;
        if (!gpool_range_allocator_next(victim->ranges, &victim->cursor, &range)) {
            if (!victim->walked) {
                victim->stuck = heap->frees + 1;
                victim->draining = false;
            }
            victim->cursor = (gpool_range_cursor){ 0 };
            victim->walked = false;
            return;
        }
        gpool_mesh_part part;
        gpool__mesh *mesh = gpool__range_owner(pool, victim, range.user, range.allocation, &part);
        if (!compact_may(mesh) || range.moving || range.size * GPOOL__WORD > budget) {
            continue;
        }
        gpool__mesh_place to = { 0 };
        if (range.size * GPOOL__WORD > budget - plan->bytes) {
            victim->cursor = before; /* the first of the next frame */
            return;
        }
        if (compact_find_room(pool, heap, victim, mesh->parts[part].size,
                              gpool__mesh_align(pool, mesh, part), range.user, &to)) {
            victim->walked = true;
            if (!compact_add(pool, plan, mesh, part, &to)) {
                return;
            }
        }
    }
}

static bool compact_may_move(void *context, uint32_t user, uint64_t *align)
{
    const gpool *pool = context;
    if (user == GPOOL__RANGE_RETIRED) {
        return false;
    }
    gpool_mesh_part part;
    const gpool__mesh *mesh = gpool__range_mesh(pool, user, &part);
    *align = gpool__mesh_align(pool, mesh, part) / GPOOL__WORD;
    return compact_may(mesh);
}

/* Plans moves within a slab, which cost two copies. */
static void compact_within(gpool *pool, gpool__slab *slab, uint64_t budget, compact_plan *plan)
{
    gpool_range_move moves[COMPACT_MOVES];
    uint32_t count = 0;
    uint64_t words = (budget - plan->bytes) / 2 / GPOOL__WORD;
    (void)gpool_range_plan_moves(slab->ranges, words, compact_may_move, pool, moves,
                                 COMPACT_MOVES - plan->count, &count);
    for (uint32_t i = 0; i < count; ++i) {
        gpool_mesh_part part;
        gpool__mesh *mesh = gpool__range_owner(pool, slab, moves[i].user, moves[i].from, &part);
        if (mesh == NULL) {
            (void)gpool_range_free(slab->ranges, moves[i].to); /* given up in an older move */
            continue;
        }
        const gpool__mesh_place to =
            gpool__slab_adopt(pool, slab, moves[i].to, mesh->parts[part].size);
        (void)compact_add(pool, plan, mesh, part, &to);
    }
}

static void compact_cancel(gpool *pool, compact_plan *plan)
{
    for (uint32_t i = 0; i < plan->count; ++i) {
        gpool__slab_free(pool, &plan->moves[i].to);
        gpool__resource_cancel(pool, &plan->parts[i].spare->base);
    }
}

/* The copies are submitted: the meshes change. */
static void compact_commit(gpool *pool, gpool__heap *heap, const compact_plan *plan)
{
    for (uint32_t i = 0; i < plan->count; ++i) {
        const compact_part *each = &plan->parts[i];
        const gpool__move *move = &plan->moves[i];
        gpool__move_shadow(pool, move);
        each->mesh->parts[each->part] = move->to;
        each->mesh->version += 1;
        each->spare->parts[each->part] = move->from;
        gpool__resource_count_bytes(pool, &each->spare->base, 0,
                                    gpool__resource_bytes(&each->spare->base));
        gpool__resource_retire(pool, &each->spare->base);
        heap->moves += 1;
        heap->moved_bytes += move_bytes(move);
    }
    heap->copied_bytes += plan->bytes;
}

/* Tells the program, each mesh once, but of none that is dead: its callback may kill handles, which frees
 * nothing. */
static void compact_tell(gpool *pool, const gpool__heap *heap, const compact_plan *plan)
{
    for (uint32_t i = 0; i < plan->count && heap->moved != NULL; ++i) {
        const gpool__mesh *mesh = plan->parts[i].mesh;
        bool again = false;
        for (uint32_t k = i + 1; k < plan->count && !again; ++k) {
            again = plan->parts[k].mesh == mesh;
        }
        if (!again && gpool__table_is_live(&pool->tables[GPOOL_KIND_MESH], &mesh->base.head)) {
            gpool_mesh_info info = gpool__mesh_info_of(pool, mesh);
            heap->moved(heap->moved_user, pool, (gpool_mesh){ gpool__handle_of(pool, &mesh->base) },
                        &info);
        }
    }
}

static void compact_plan_heap(gpool *pool, gpool__heap *heap, uint64_t budget, compact_plan *plan)
{
    for (int drops = 0; drops < 2; ++drops) {
        gpool__slab *victim = compact_find_victim(heap, budget, drops == 1);
        for (uint32_t i = 0; i < heap->slab_count; ++i) {
            gpool__slab *slab = heap->slabs[i];
            slab->draining = slab->draining && (slab == victim || slab->drops != (drops == 1));
        }
        if (victim != NULL) {
            compact_empty(pool, heap, victim, budget, plan);
        }
    }
    for (uint32_t i = 0; i < heap->slab_count; ++i) {
        gpool__slab *slab = heap->slabs[i];
        if (!slab->draining && gpool__slab_fits(slab, slab->drops) && slab->count > 0 &&
            plan->count < COMPACT_MOVES && plan->bytes < budget) {
            compact_within(pool, slab, budget, plan);
        }
    }
}

void gpool__heaps_compact_now(gpool *pool)
{
    for (gpool__place at = pool->heaps; at != 0; at = gpool__heap_at(pool, at)->next) {
        gpool__heap *heap = gpool__heap_at(pool, at);
        /* More would not fit into the memory beside the slabs. */
        uint64_t budget = gpool__min(gpool__max(heap->asked, heap->compact_bytes),
                                     pool->device->info.limits.maxBufferSize);
        if (budget == 0) {
            continue;
        }
        heap->asked = 0;
        pool->compacting -= gpool__heap_wants(heap) ? 0 : 1;
        compact_plan plan;
        plan.count = 0;
        plan.bytes = 0;
        compact_plan_heap(pool, heap, budget, &plan);
        if (plan.count == 0) {
            continue;
        }
        if (gpool__moves_submit(pool, plan.moves, plan.count) != GPOOL_OK) {
            compact_cancel(pool, &plan); /* told */
            continue;
        }
        compact_commit(pool, heap, &plan);
        compact_tell(pool, heap, &plan);
    }
}
