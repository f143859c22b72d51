/* gpool/range.h: which bytes of a block changed, and who has which part of it: the dirty map and the
 * range allocator. Pure CPU, needs no pool, no webgpu.h. */
#ifndef GPOOL_RANGE_H
#define GPOOL_RANGE_H

#include <gpool/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A piece of something that is measured in bytes, or in units of your own. */
typedef struct gpool_range {
    uint64_t offset; /**< first byte */
    uint64_t size;   /**< bytes; ranges that are reported are never empty */
} gpool_range;

/**
 * Remembers which bytes of a block of up to 16 TiB are dirty: changed since somebody last looked.
 *
 * One bit stands for a granule of bytes, 64 unless told otherwise; above the bits lie levels in
 * which one bit stands for 64 of the level below, up to a single word. So a mark is a few
 * instructions, never allocates, and a scan goes to what is set past all that is not. Ranges are
 * read off sorted, disjoint and as coarse as the consumer likes them:
 *
 *     gpool_range range;
 *     uint64_t cursor = 0;
 *     while (gpool_dirty_map_next(map, gap, align, &cursor, &range)) {
 *         send(bytes + range.offset, range.size);
 *     }
 *     gpool_dirty_map_clear(map);
 *
 * A new map is clean. Marks say nothing about the bytes themselves: a thread that marks writes them
 * first, and the reader waits for that thread as usual, by join, lock or message.
 * Idea: the sparse buffers of bevy, whose bitmap of changed elements has two levels.
 * All functions below: Thread: the map's owner, one at a time; only gpool_dirty_map_mark_shared() may
 * run on many threads at once, beside itself.
 */
typedef struct gpool_dirty_map gpool_dirty_map;

/** How much of a map is dirty, as far as it knows without counting. */
typedef enum gpool_dirty_state {
    GPOOL_DIRTY_NONE, /**< nothing */
    GPOOL_DIRTY_SOME, /**< something; perhaps everything, when it was marked piece by piece */
    GPOOL_DIRTY_ALL   /**< everything: gpool_dirty_map_mark_all(), or a mark that touched all */
} gpool_dirty_state;

/** What gpool_dirty_map_create() makes. */
typedef struct gpool_dirty_map_desc {
    uint64_t size;             /**< bytes that it covers, 1 to 2^44 */
    uint32_t granule;          /**< bytes behind one bit: a power of two, 4 to 65536; 0 = 64 */
    gpool_allocator allocator; /**< all zero = malloc */
} gpool_dirty_map_desc;

/** What is dirty in a map, as one scan sees it. */
typedef struct gpool_dirty_count {
    uint64_t ranges;      /**< ranges that gpool_dirty_map_next() reports */
    uint64_t range_bytes; /**< bytes in them, with what gap and alignment add */
    uint64_t granules;    /**< dirty granules */
    uint64_t dirty_bytes; /**< bytes in these; the last granule counts up to the end of the map */
} gpool_dirty_count;

/**
 * Makes a clean map.
 *
 * @param desc copied
 * @param map  set to the map, or to NULL on failure
 * @return GPOOL_OK; GPOOL_ERROR_INVALID_ARGUMENT (null pointer, or a granule that is none of those
 *         allowed); GPOOL_ERROR_OUT_OF_RANGE (size 0 or above 2^44); GPOOL_ERROR_OUT_OF_MEMORY.
 * Allocates: one block, of a bit for each granule, a 63rd of that for the levels above, and a few
 * bytes. Cost: zeroing it.
 */
GPOOL_API gpool_result gpool_dirty_map_create(const gpool_dirty_map_desc *desc,
                                              gpool_dirty_map **map);

/** Frees a map. NULL is silent. */
GPOOL_API void gpool_dirty_map_destroy(gpool_dirty_map *map);

/**
 * Marks every granule that a range of bytes touches. Uses no locked instruction.
 *
 * @param offset bytes from the start; any alignment
 * @param size   bytes; 0 marks nothing
 * @return GPOOL_OK; GPOOL_ERROR_INVALID_ARGUMENT (`map` is NULL); GPOOL_ERROR_OUT_OF_RANGE when the
 *         range does not lie inside the map, and then nothing is marked.
 * Allocates: never. Cost: one load and one store for each 64 granules and for each level above, where a
 * 64th of the words is touched; nothing but the call when the map is dirty as a whole.
 */
GPOOL_API gpool_result gpool_dirty_map_mark(gpool_dirty_map *map, uint64_t offset, uint64_t size);

/**
 * Marks as gpool_dirty_map_mark() does, on any number of threads at once; no mark is lost.
 *
 * Nothing else may be done with the map meanwhile. The owner sees the marks of a thread that it has
 * waited for.
 * @return as gpool_dirty_map_mark(): GPOOL_OK, GPOOL_ERROR_INVALID_ARGUMENT or
 *         GPOOL_ERROR_OUT_OF_RANGE.
 * Thread: any. Allocates: never. Cost: for each 64 granules one load, and one locked instruction
 * where a bit is not set yet; the same for the levels above.
 */
GPOOL_API gpool_result gpool_dirty_map_mark_shared(gpool_dirty_map *map, uint64_t offset,
                                                   uint64_t size);

/**
 * Marks everything, by a flag: no bit is written.
 *
 * @return GPOOL_OK or GPOOL_ERROR_INVALID_ARGUMENT (`map` is NULL).
 * Allocates: never.
 */
GPOOL_API gpool_result gpool_dirty_map_mark_all(gpool_dirty_map *map);

/**
 * Marks what is dirty in another map, as far as it lies inside this one: a map of another size or
 * granule takes over for `from`. Marks of `map` itself stay, and so does `from`.
 *
 * @return GPOOL_OK or GPOOL_ERROR_INVALID_ARGUMENT (null pointer).
 * Allocates: never. Cost: a scan of `from`, and the marks.
 */
GPOOL_API gpool_result gpool_dirty_map_mark_from(gpool_dirty_map *map, const gpool_dirty_map *from);

/**
 * Forgets all marks.
 *
 * @return GPOOL_OK or GPOOL_ERROR_INVALID_ARGUMENT (`map` is NULL).
 * Allocates: never. Cost: the words with set bits, not the size of the map.
 */
GPOOL_API gpool_result gpool_dirty_map_clear(gpool_dirty_map *map);

/**
 * Forgets the marks of every granule that a range of bytes touches: the inverse of a mark.
 *
 * Meant for ranges as gpool_dirty_map_next() reports them, all of whose granules have been seen. A
 * range of your own that begins or ends inside a granule clears all of that granule, with marks of
 * neighbours in it.
 * @param offset bytes from the start
 * @param size   bytes; 0 clears nothing
 * @return GPOOL_OK; GPOOL_ERROR_INVALID_ARGUMENT (`map` is NULL); GPOOL_ERROR_OUT_OF_RANGE when the
 *         range does not lie inside the map, and then nothing is cleared.
 * Allocates: never. Cost: the words with set bits in the range; all words of the map when it was
 * dirty as a whole and is not cleared as a whole.
 */
GPOOL_API gpool_result gpool_dirty_map_clear_range(gpool_dirty_map *map, uint64_t offset,
                                                   uint64_t size);

/** Tells whether nothing, something or everything is dirty. NULL is GPOOL_DIRTY_NONE. */
GPOOL_API gpool_dirty_state gpool_dirty_map_state(const gpool_dirty_map *map);

/**
 * Finds the next dirty range and moves the cursor behind it.
 *
 * Ranges come sorted, and every dirty byte lies in exactly one. First each is widened: its offset is
 * rounded down and its end rounded up to `align`, but never beyond the end of the map, which so is
 * the only end that may be unaligned. Then those that overlap, touch or are less than `gap` bytes
 * apart come as one. Marks may be made between two calls; those before the cursor are not seen.
 * @param gap    bytes; 0 joins only what touches. Clean bytes between joined ranges count as dirty.
 * @param align  bytes, a power of two: 1 changes nothing, since granules are aligned themselves
 * @param cursor byte at which the search begins: 0 at first, then as the call before left it
 * @param range  set to the range; untouched when there is none
 * @return true with a range; false when there is no more, and for a null pointer or an alignment that
 *         is no power of two
 * Allocates: never. Cost: the words with bits set in the range, and at most two for each level on
 * the way to it and to the one behind it.
 */
GPOOL_API bool gpool_dirty_map_next(const gpool_dirty_map *map, uint64_t gap, uint64_t align,
                                    uint64_t *cursor, gpool_range *range);

/**
 * Counts what is dirty and the ranges that gpool_dirty_map_next() would report, in one scan.
 *
 * @param gap   as there
 * @param align as there
 * @param count set; all zero on failure
 * @return GPOOL_OK or GPOOL_ERROR_INVALID_ARGUMENT (null pointer, or an alignment that is no power of
 *         two).
 * Allocates: never. Cost: the words with set bits, not the size of the map.
 */
GPOOL_API gpool_result gpool_dirty_map_count(const gpool_dirty_map *map, uint64_t gap,
                                             uint64_t align, gpool_dirty_count *count);

/**
 * Gives out ranges of a space of up to 2^56 units and takes them back: parts of a vertex buffer, slots
 * of a table, rows of an atlas. It never touches what it manages, so units may be anything.
 *
 *     gpool_range_allocator *allocator = NULL;
 *     gpool_range_allocator_create(&(gpool_range_allocator_desc){ .size = 1 << 28 }, &allocator);
 *     gpool_allocation mesh;
 *     if (gpool_range_alloc(allocator, vertex_bytes, 20, mesh_number, &mesh) == GPOOL_OK) {
 *         upload(vertices, mesh.offset, vertex_bytes);
 *     }
 *     gpool_range_free(allocator, mesh);
 *
 * Free ranges stand in bins by size, 64 to each power of two, and neighbours that are free are one
 * range at once. A request takes a fixed number of steps however many ranges there are, and is refused
 * for want of room only when no free range is 1/64 larger than it asked for; most are served
 * when a range fits exactly. Alignment may be any number: the stride of vertices, such as 20, as well as
 * a power of two.
 * Ideas: the bins of the two-level segregated fit (Masmano et al. 2004), kept outside of what is
 * managed as the crate offset-allocator does, with more and finer bins and a look into the one below.
 * All functions below: Thread: the allocator's owner, one at a time.
 */
typedef struct gpool_range_allocator gpool_range_allocator;

/** What gpool_range_allocator_create() makes. */
typedef struct gpool_range_allocator_desc {
    uint64_t size; /**< units managed at first, 0 to 2^56; see gpool_range_allocator_grow() */
    /** Most pieces, live and free ones together; a planned move is one more until it is over. 0 = as
     * many as memory allows; never more than 2^31 - 2. */
    uint32_t max_nodes;
    /** Memory of yours for everything, of any alignment; then nothing is ever allocated, and it must stay
     * until the allocator is destroyed. NULL = by `allocator`. */
    void *memory;
    /** Bytes there; gpool_range_allocator_memory() says how many are needed. */
    uint64_t memory_size;
    gpool_allocator allocator; /**< all zero = malloc; not used where there is `memory` */
} gpool_range_allocator_desc;

/** A range that was given out; a copy is as good as the original. All zero = none. */
typedef struct gpool_allocation {
    uint64_t offset; /**< first unit */
    uint32_t node;   /**< where the allocator keeps it; 0 = none */
    uint32_t stamp;  /**< tells it from those that were there before */
} gpool_allocation;

/** Where a walk is; all zero = at the beginning. */
typedef struct gpool_range_cursor {
    uint64_t end;  /**< where the last piece ended */
    uint32_t node; /**< that piece */
} gpool_range_cursor;

/** A live range, as gpool_range_allocator_next() reports it. */
typedef struct gpool_live_range {
    gpool_allocation allocation; /**< what gpool_range_alloc() gave */
    uint64_t size;               /**< units */
    uint32_t user;               /**< your number */
    bool moving;                 /**< source or destination of a planned move that is not over */
} gpool_live_range;

/** State of an allocator. */
typedef struct gpool_range_report {
    uint64_t size;         /**< units in all */
    uint64_t live_size;    /**< units given out */
    uint64_t free_size;    /**< units free */
    uint64_t largest_free; /**< units of the largest free range */
    uint32_t live_count;   /**< ranges given out */
    uint32_t free_count;   /**< free ranges */
    uint32_t moving_count; /**< planned moves that are not over */
    uint32_t alloc_steps;  /**< most steps that one gpool_range_alloc() took so far; see there */
    uint32_t free_steps;   /**< the same of gpool_range_free() */
    uint32_t free_by_power[57]; /**< [i]: free ranges of 2^i to 2^(i + 1) - 1 units */
    double fragmentation;       /**< 1 - largest_free / free_size; 0 where nothing is free */
} gpool_range_report;

/**
 * Tells whether a range may be moved, and to where: for gpool_range_plan_moves(). Must not call the
 * allocator.
 *
 * @param context as given there
 * @param user    your number of the range
 * @param align   1; set it to what the new offset must be a multiple of, as for gpool_range_alloc()
 * @return false = it is pinned where it is
 */
typedef bool (*gpool_range_movable_fn)(void *context, uint32_t user, uint64_t *align);

/** A move that was planned: copy from the one to the other, then free either. */
typedef struct gpool_range_move {
    gpool_allocation from; /**< where it is: live until you free it */
    gpool_allocation to;   /**< where it goes: live too, with the same user; they never overlap */
    uint64_t size;         /**< units of each */
    uint32_t user;         /**< your number */
} gpool_range_move;

/**
 * Tells how much memory an allocator needs where it may not allocate.
 *
 * @param max_nodes as in gpool_range_allocator_desc; n ranges need at most 2 n + 1 pieces
 * @return bytes; 0 for 0 and for more than 2^31 - 2
 */
GPOOL_API uint64_t gpool_range_allocator_memory(uint32_t max_nodes);

/**
 * Makes an allocator whose whole space is free.
 *
 * @param desc      copied, not the memory it points to
 * @param allocator set to the allocator, or to NULL on failure
 * @return GPOOL_OK; GPOOL_ERROR_INVALID_ARGUMENT (null pointer, max_nodes above 2^31 - 2, or a
 *         memory_size without memory); GPOOL_ERROR_OUT_OF_RANGE (size above 2^56);
 *         GPOOL_ERROR_OUT_OF_MEMORY, also when `memory_size` is too small for max_nodes, or for one piece
 *         where that is 0.
 * Allocates: 14 KiB, and a block of 32 bytes a piece that grows to twice its size when needed; nothing
 * with `memory`.
 */
GPOOL_API gpool_result gpool_range_allocator_create(const gpool_range_allocator_desc *desc,
                                                    gpool_range_allocator **allocator);

/** Frees an allocator, whatever is live in it; memory of yours is yours again. NULL is silent. */
GPOOL_API void gpool_range_allocator_destroy(gpool_range_allocator *allocator);

/**
 * Takes a range: the lowest that fits among the first ones of the bin of its size, else among those of the
 * next bin that is not empty.
 *
 * @param size  units, at least 1
 * @param align what the offset is a multiple of: any number from 1 on
 * @param user  a number of yours, which comes back with the range
 * @param out   set to the range; all zero on failure
 * @return GPOOL_OK; GPOOL_ERROR_INVALID_ARGUMENT (null pointer, align 0); GPOOL_ERROR_OUT_OF_RANGE (size
 *         0, or more than the whole space); GPOOL_ERROR_FULL (no free range is large enough: none is a 64th larger than
 *         `size + align - 1`, and none of those looked at has room);
 *         GPOOL_ERROR_OUT_OF_MEMORY (no memory for one or two pieces more, or max_nodes). On failure
 *         everything is as before.
 * Allocates: when there are more pieces than ever before, which doubles the block of all pieces.
 * Cost: O(1): at most 18 steps, each a free range that is looked at, taken out of its bin or put into
 * one, or a word of the bins' bitmap. gpool_range_report has the most that there were, with alignment 1
 * as if both bins had two ranges.
 */
GPOOL_API gpool_result gpool_range_alloc(gpool_range_allocator *allocator, uint64_t size,
                                         uint64_t align, uint32_t user, gpool_allocation *out);

/**
 * Gives a range back. What is free beside it becomes one with it.
 *
 * To free the source of a planned move is to complete it, to free its destination is to cancel it; see
 * gpool_range_plan_moves().
 * @return GPOOL_OK; GPOOL_ERROR_INVALID_ARGUMENT (null pointer); GPOOL_ERROR_NULL_HANDLE (all zero);
 *         GPOOL_ERROR_STALE_HANDLE (freed before); GPOOL_ERROR_INVALID_HANDLE (this allocator never gave
 *         it out). On failure everything is as before. A stamp comes again after 2^32 calls of
 *         gpool_range_alloc(): a handle older than that may be taken for a live one in the same place.
 * Allocates: never. Cost: O(1): at most 3 steps, as of gpool_range_alloc().
 */
GPOOL_API gpool_result gpool_range_free(gpool_range_allocator *allocator,
                                        gpool_allocation allocation);

/**
 * Looks a live range up.
 *
 * @param range set to offset and size; NULL is allowed
 * @param user  set to your number; NULL is allowed
 * @return as gpool_range_free(): GPOOL_OK, GPOOL_ERROR_INVALID_ARGUMENT, GPOOL_ERROR_NULL_HANDLE,
 *         GPOOL_ERROR_STALE_HANDLE or GPOOL_ERROR_INVALID_HANDLE; nothing is set then.
 * Allocates: never.
 */
GPOOL_API gpool_result gpool_range_get(const gpool_range_allocator *allocator,
                                       gpool_allocation allocation, gpool_range *range,
                                       uint32_t *user);

/**
 * Makes the space larger at its end. Live ranges stay where they are.
 *
 * @param size units in all, from the present size to 2^56
 * @return GPOOL_OK; GPOOL_ERROR_INVALID_ARGUMENT (null pointer); GPOOL_ERROR_OUT_OF_RANGE (less than
 *         now, or above 2^56); GPOOL_ERROR_OUT_OF_MEMORY (no memory for one piece more), and then nothing
 *         has changed.
 * Allocates: as gpool_range_alloc().
 */
GPOOL_API gpool_result gpool_range_allocator_grow(gpool_range_allocator *allocator, uint64_t size);

/**
 * Reports the next live range, in order of offset.
 *
 * Live ranges may not be taken or freed between two steps of a walk: then it may end early, and ends in
 * any case.
 * @param cursor all zero at first, then as the call before left it
 * @param range  set to the range; untouched when there is none
 * @return true with a range; false when there is no more, and for a null pointer
 * Allocates: never. Cost: O(1).
 */
GPOOL_API bool gpool_range_allocator_next(const gpool_range_allocator *allocator,
                                          gpool_range_cursor *cursor, gpool_live_range *range);

/**
 * Reports the next free range in the same way, for instance for a picture of the space. No two of them
 * touch.
 */
GPOOL_API bool gpool_range_allocator_next_free(const gpool_range_allocator *allocator,
                                               gpool_range_cursor *cursor, gpool_range *range);

/**
 * Tells how the space is used.
 *
 * @param report set; all zero on failure
 * @return GPOOL_OK or GPOOL_ERROR_INVALID_ARGUMENT (null pointer).
 * Allocates: never. Cost: all free ranges.
 */
GPOOL_API gpool_result gpool_range_allocator_report(const gpool_range_allocator *allocator,
                                                    gpool_range_report *report);

/**
 * Checks everything the allocator believes: that pieces cover the space without gap or overlap, that no
 * two free ones touch, that each free one stands in its bin and nothing else does. For tests.
 *
 * @return false when something is broken, and for a null pointer
 * Allocates: never. Cost: everything.
 */
GPOOL_API bool gpool_range_allocator_validate(const gpool_range_allocator *allocator);

/**
 * Plans moves that bring the free units together, a few at a time.
 *
 * Call it each frame that may spend time on it. Each move takes room for a live range elsewhere, nearly
 * always at a lower offset. Both are live when it returns, and neither is planned again while both
 * are: copy what is in `from` to `to`, tell whoever kept the old offset, and free `from` when nobody
 * reads it any more, perhaps some frames later; or free `to`, and all is as before. A copy needs no
 * order: no destination overlaps any source.
 *
 * There is nothing to do when the largest free range has 29/32 of all free units, counting those of
 * sources as free. Ranges that are pinned or larger than the budget stay, and others move around them.
 * It ends: see docs/heap.md, where it is also said in which order ranges are chosen.
 * @param budget   most units of all moves of this call together
 * @param movable  asked about each range that is to be moved; NULL = all may, with no alignment
 * @param context  handed to it
 * @param moves    set to the moves
 * @param capacity most moves of this call
 * @param count    set to how many there are; 0 on failure
 * @return GPOOL_OK: with moves, or without when it is not worth going on until ranges are taken or freed;
 *         GPOOL_NOT_READY, without moves: there may be some later, once sources are freed, or when the
 *         next call looks at ranges that this one did not get to; GPOOL_ERROR_INVALID_ARGUMENT (null
 *         pointer). Where pieces run out there are fewer moves.
 * Allocates: as gpool_range_alloc(). Cost: 4,096 pieces looked at, and 64 more for each move.
 */
GPOOL_API gpool_result gpool_range_plan_moves(gpool_range_allocator *allocator, uint64_t budget,
                                              gpool_range_movable_fn movable, void *context,
                                              gpool_range_move *moves, uint32_t capacity,
                                              uint32_t *count);

#ifdef __cplusplus
}
#endif
#endif
