/* gpool/range.h: which bytes of a block changed. Pure CPU, needs no pool, no webgpu.h. */
#ifndef GPOOL_RANGE_H
#define GPOOL_RANGE_H

#include <gpool/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A piece of something that is measured in bytes. */
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

#ifdef __cplusplus
}
#endif
#endif
