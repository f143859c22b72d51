/*
 * Which bytes of a shadow are not yet on the GPU: one bit for each granule of 64 bytes, with the
 * span of words that may hold set bits.
 *
 * Invariants: a byte marked since the last clear lies inside exactly one reported range; ranges are
 * sorted and disjoint; marking allocates nothing. Owned by one thread.
 */
#ifndef GPOOL_TRACK_DIRTY_MAP_H
#define GPOOL_TRACK_DIRTY_MAP_H

#include "base/memory.h"

#define GPOOL__GRANULE 64u

typedef struct gpool__dirty_map {
    uint64_t *words;
    uint64_t size;       /* bytes the map covers */
    uint32_t first_word; /* set bits lie in [first_word, end_word) */
    uint32_t end_word;   /* equal to first_word = clean */
} gpool__dirty_map;

/** Prepares a clean map for `size` bytes (at most 2^44); false without memory. */
bool gpool__dirty_map_init(gpool__dirty_map *map, gpool__memory *memory, uint64_t size);

void gpool__dirty_map_fini(gpool__dirty_map *map, gpool__memory *memory);

/** Marks a range that lies inside the map. Cost: one operation a word touched. */
void gpool__dirty_map_mark(gpool__dirty_map *map, uint64_t offset, uint64_t size);

/** Forgets all marks. Cost: the span of words that were touched. */
void gpool__dirty_map_clear(gpool__dirty_map *map);

static inline bool gpool__dirty_map_any(const gpool__dirty_map *map)
{
    return map->first_word != map->end_word;
}

/** Bytes inside dirty granules. */
uint64_t gpool__dirty_map_bytes(const gpool__dirty_map *map);

/**
 * Finds the first dirty range at or after `*cursor` (a byte offset, 0 at first) and moves the
 * cursor behind it. Ranges nearer than `gap` bytes come as one. False at the end.
 */
bool gpool__dirty_map_next(const gpool__dirty_map *map, uint64_t *cursor, uint64_t gap,
                           uint64_t *offset, uint64_t *size);

#endif
