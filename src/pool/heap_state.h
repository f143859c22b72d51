/*
 * Heaps and meshes. A heap is a list of slabs; a slab is a buffer of the pool's own and a range
 * allocator that says who has which words of it (units of 4 bytes, so that copies are always aligned). A
 * mesh is two places: its vertices in a range aligned to the vertex stride, so that a base vertex names
 * it, and its indices.
 *
 * Ranges outlive handles. What a mesh gives up, by its end, a resize or a move, stays in its range until
 * the retire queue frees the slot that holds the place: the mesh's own, or for what a resize or move
 * replaced a spare one. Only then may other bytes come there. So a slab's ranges are freed later than its
 * heap may be: a slab without a heap goes with its last range.
 *
 * Slabs with a shadow (GPOOL_KEEP_SHADOW) are written by the upload path and sent again after a loss.
 * Those without (GPOOL_KEEP_DROP) are gpu-written: writes go to the queue, in order.
 *
 * Invariants (gpool__heaps_validate()): each place of a held mesh is a live range of its slab, of its
 * size and marked with the mesh's slot and part; a slab's count of ranges is that of its allocator; the
 * sums of the heap agree; a heap's meshes are in its list once.
 */
#ifndef GPOOL_POOL_HEAP_STATE_H
#define GPOOL_POOL_HEAP_STATE_H

#include "alloc/range_allocator.h"
#include "pool/pool_state.h"

#include <gpool/mesh.h>

#define GPOOL__WORD 4u /* bytes of a unit of the ranges */
/* Places are base vertices and first indices, 32 bits each, of at least 2 bytes. */
#define GPOOL__SLAB_MOST ((uint64_t)1 << 32)

/* `user` of a range: the mesh's slot and part; or that it is given up. */
#define GPOOL__RANGE_PART    ((uint32_t)1 << 24)
#define GPOOL__RANGE_RETIRED UINT32_MAX

struct gpool__heap;

typedef struct gpool__slab {
    struct gpool__heap *heap; /* NULL = it is gone */
    gpool__buffer *buffer;    /* alive as long as the heap */
    gpool_range_allocator *ranges;
    uint64_t size;             /* bytes */
    uint64_t live_bytes;       /* in ranges of meshes */
    uint64_t retired_bytes;    /* in ranges given up */
    uint64_t touched;          /* words from here on were never in a range: zeros */
    uint64_t empty_since;      /* frame; meaningful while there are no ranges */
    gpool_range_cursor cursor; /* of the walk that empties it */
    uint64_t tried;            /* least budget of such a walk */
    uint64_t stuck;  /* heap's `frees` when such a walk moved nothing, from 1; 0 = never */
    uint32_t count;  /* ranges, those given up too */
    uint32_t number; /* of its heap's slabs, from 0 in the order they were made in */
    bool single;     /* for one part */
    bool drops;      /* no shadow */
    bool draining;   /* compaction empties it: new parts go elsewhere */
    bool walked;     /* the walk moved something since it began */
} gpool__slab;

typedef struct gpool__heap {
    gpool__resource base;
    gpool__place next;   /* in the pool's list of heaps */
    gpool__place meshes; /* first of its meshes */
    uint32_t mesh_count;
    uint32_t slab_count;
    uint32_t slab_capacity;
    gpool__slab **slabs; /* oldest first */
    uint64_t slab_size;
    uint64_t budget;
    uint64_t bytes;         /* of all slabs */
    uint64_t compact_bytes; /* each frame */
    uint64_t asked;         /* by gpool_heap_compact(), for one frame */
    uint64_t frees; /* ranges freed so far, and slabs made: what moves nothing is tried again */
    uint64_t moves;
    uint64_t moved_bytes;
    uint64_t copied_bytes;
    gpool_moved_fn moved;
    void *moved_user;
    uint32_t empty_frames;
    uint32_t slab_number; /* made so far, for labels */
} gpool__heap;

/* Where a part lies; slab NULL = nowhere. */
typedef struct gpool__mesh_place {
    gpool__slab *slab;
    gpool_allocation at;
    uint64_t size; /* bytes the user sees; the range is whole words */
    bool fresh;    /* nobody had the range before: it is zeros */
    bool retired;  /* given up; waits for the GPU */
} gpool__mesh_place;

typedef struct gpool__mesh {
    gpool__resource base;
    gpool__place heap; /* 0 for a spare, which only holds places */
    gpool__place next; /* in the heap's list */
    gpool__place previous;
    uint32_t stride;
    gpool__mesh_place parts[GPOOL_MESH_PARTS];
    struct gpool__mesh_refill *refill; /* NULL = none */
    uint32_t vertex_count;
    uint32_t index_count;
    uint32_t version;
    WGPUIndexFormat format;
    bool drops;
    bool storage;
    bool pinned;
} gpool__mesh;

/* --- heaps and slabs: heap.c --- */

/** The heap a descriptor names, the pool's own for null; NULL with the error recorded. */
gpool__heap *gpool__heap_resolve(gpool *pool, gpool_heap handle, gpool_result *result);

/** A heap at a place. */
static inline gpool__heap *gpool__heap_at(const gpool *pool, gpool__place place)
{
    return (gpool__heap *)(void *)gpool__resource_at(pool, place);
}

/**
 * Finds or makes room for a part of a mesh, marked with `user`. Tries the slabs from the oldest on, then
 * makes one. On an error nothing is left behind.
 *
 * @param align bytes, a multiple of 4
 */
gpool_result gpool__heap_take(gpool *pool, gpool__heap *heap, uint64_t size, uint64_t align,
                              bool drops, uint32_t user, const char *label,
                              gpool__mesh_place *place);

/** Takes a range of one slab; GPOOL_OK, GPOOL_ERROR_OUT_OF_MEMORY or another for want of room, untold. */
gpool_result gpool__slab_take(gpool *pool, gpool__slab *slab, uint64_t size, uint64_t align,
                              uint32_t user, gpool__mesh_place *place);

/** True for a slab that parts of many meshes may share. */
static inline bool gpool__slab_fits(const gpool__slab *slab, bool drops)
{
    return !slab->single && slab->drops == drops && !slab->buffer->base.failed;
}

/** Ends the slabs from a number on that are empty: a call made them, and failed then. */
void gpool__heap_undo(gpool *pool, gpool__heap *heap, uint32_t number);

/** Counts a range that was taken, and gives the place that it is. */
gpool__mesh_place gpool__slab_adopt(gpool *pool, gpool__slab *slab, gpool_allocation at,
                                    uint64_t size);

/** Rebuilds a heap or mesh: there is nothing to do, as slabs are buffers, which are settled before. */
gpool_result gpool__slabs_rebuild(gpool *pool, struct gpool__rebuild *rebuild,
                                  gpool__resource *resource);

/** Gives a range back; the GPU does not use it. An unset place is silent. */
void gpool__slab_free(gpool *pool, gpool__mesh_place *place);

/** Notes that a range is given up, and waits for the GPU. */
void gpool__slab_retire(gpool__mesh_place *place);

/** Byte at which a place begins in its slab. */
static inline uint64_t gpool__place_offset(const gpool__mesh_place *place)
{
    return place->at.offset * GPOOL__WORD;
}

/** Frees slabs that have been empty for long enough. */
void gpool__heaps_trim_slowly(gpool *pool);

/** The same at the end of a frame: costs a load when none is empty. */
static inline void gpool__heaps_trim(gpool *pool)
{
    if (pool->empty_slabs > 0 || pool->bounce.gpu != NULL) {
        gpool__heaps_trim_slowly(pool);
    }
}

void gpool__heaps_init(gpool *pool);
void gpool__meshes_init(gpool *pool);

/** Checks heaps and meshes; false when an invariant is broken. Cost: everything. */
bool gpool__heaps_validate(gpool *pool);

/* --- moves: heap_compact.c --- */

/** Moves what heaps want moved; at the begin of a frame. An error is logged, and nothing is moved. */
void gpool__heaps_compact_now(gpool *pool);

/** The same: costs a load when no heap wants it. */
static inline void gpool__heaps_compact(gpool *pool)
{
    if (pool->compacting > 0) {
        gpool__heaps_compact_now(pool);
    }
}

/** Releases the memory beside the slabs, which is of the device. */
void gpool__bounce_drop(gpool *pool);

/** The same when nobody has used it for a while. */
void gpool__bounce_trim(gpool *pool);

/** True when a heap wants to be moved at the next frame. */
static inline bool gpool__heap_wants(const gpool__heap *heap)
{
    return heap->asked > 0 || heap->compact_bytes > 0;
}

/* A copy from place to place; what `to` has more is cleared. */
typedef struct gpool__move {
    gpool__mesh_place from; /* unset: all of `to` is cleared */
    gpool__mesh_place to;
} gpool__move;

/**
 * Copies ranges on the GPU, those within one slab through memory beside it, and submits that.
 * On an error nothing was copied.
 */
gpool_result gpool__moves_submit(gpool *pool, const gpool__move *moves, uint32_t count);

/** After that: brings shadow and dirty marks along. */
void gpool__move_shadow(gpool *pool, const gpool__move *move);

/* --- meshes: mesh.c --- */

/** What gpool_mesh_get_info() tells. */
gpool_mesh_info gpool__mesh_info_of(gpool *pool, const gpool__mesh *mesh);

/** Bytes at which a part of a mesh must be aligned. */
uint64_t gpool__mesh_align(const gpool *pool, const gpool__mesh *mesh, gpool_mesh_part part);

/** Lets a mesh's refill bring what was lost with the device; GPOOL_ERROR_UNSUPPORTED without one. */
gpool_result gpool__mesh_refill_now(gpool *pool, gpool__mesh *mesh);

/** The slot of a mesh, whoever has it now, and the part that a range is marked with; it is not RETIRED. */
static inline gpool__mesh *gpool__range_mesh(const gpool *pool, uint32_t user,
                                             gpool_mesh_part *part)
{
    *part = (user & GPOOL__RANGE_PART) != 0 ? GPOOL_MESH_INDICES : GPOOL_MESH_VERTICES;
    return (gpool__mesh *)(void *)gpool__resource_at(pool, (gpool__place)GPOOL_KIND_MESH << 24 |
                                                               (user & 0xffffffu));
}

/**
 * The mesh that holds a range, and which part of it that is; NULL when it is given up. Ranges that are
 * given up in the middle of a planned move keep the mesh's number: so its place is compared.
 */
static inline gpool__mesh *gpool__range_owner(const gpool *pool, const gpool__slab *slab,
                                              uint32_t user, gpool_allocation at,
                                              gpool_mesh_part *part)
{
    *part = GPOOL_MESH_VERTICES;
    if (user == GPOOL__RANGE_RETIRED) {
        return NULL;
    }
    gpool__mesh *mesh = gpool__range_mesh(pool, user, part);
    const gpool__mesh_place *place = &mesh->parts[*part];
    bool holds = place->slab == slab && !place->retired && place->at.node == at.node &&
                 place->at.stamp == at.stamp;
    return holds ? mesh : NULL;
}

/** What a range of a mesh's part is marked with. */
static inline uint32_t gpool__mesh_user(const gpool__mesh *mesh, gpool_mesh_part part)
{
    return (gpool__place_of(&mesh->base) & 0xffffffu) |
           (part == GPOOL_MESH_INDICES ? GPOOL__RANGE_PART : 0);
}

#endif
