/*
 * What a dirty map is made of, and how the pool uses it without the checks of the public functions.
 *
 * Words: level 0 has a bit for each granule, each further level a bit for each word of the level
 * below, the highest level is one word. All levels lie behind each other, lowest first.
 *
 * Invariants, once all threads that mark are waited for: a word is nonzero exactly when its bit in
 * the level above is set; no bit is set behind the end of a level. While `all` is set everything is
 * dirty and the words say what was so before. A byte marked since the last clear lies inside exactly
 * one reported range; ranges are sorted and disjoint; marking allocates nothing.
 */
#ifndef GPOOL_TRACK_DIRTY_MAP_H
#define GPOOL_TRACK_DIRTY_MAP_H

#include "base/memory.h"

#include <gpool/range.h>

#include <stdatomic.h>

/* Tests count the words that are looked at. */
#ifndef GPOOL__DIRTY_MAP_VISIT
#define GPOOL__DIRTY_MAP_VISIT() ((void)0)
#endif

struct gpool_dirty_map {
    uint64_t size;            /* bytes it covers */
    uint8_t shift;            /* a granule has 1 << shift bytes */
    _Atomic bool all;         /* everything is dirty */
    _Atomic uint64_t words[]; /* the levels */
};

/**
 * Makes a clean map of 1 to 2^44 bytes in granules of a power of two; NULL without memory. It is
 * given back with gpool__dirty_map_destroy() and the same memory.
 */
gpool_dirty_map *gpool__dirty_map_create(gpool__memory *memory, uint64_t size, uint32_t granule);

/** Frees such a map; NULL is silent. */
void gpool__dirty_map_destroy(gpool_dirty_map *map, gpool__memory *memory);

/** Marks a range that lies inside the map. */
void gpool__dirty_map_mark(gpool_dirty_map *map, uint64_t offset, uint64_t size);

/** The same, on any number of threads at once. */
void gpool__dirty_map_mark_shared(gpool_dirty_map *map, uint64_t offset, uint64_t size);

/** Whether anything is dirty. Cost: the levels. */
bool gpool__dirty_map_any(const gpool_dirty_map *map);

/** What a plan needs of a map, from one scan: ranges as gpool_dirty_map_next() reports them for three
 * gaps, the first of which is 0. */
typedef struct gpool__dirty_survey {
    uint64_t granules;
    uint64_t dirty_bytes; /* the last granule counts up to the end of the map */
    uint64_t ranges[3];
    uint64_t bytes[3]; /* in the ranges */
} gpool__dirty_survey;

/** Surveys a map for gaps of 0, `gap1` and `gap2` bytes. Cost: the words with set bits, and the runs. */
gpool__dirty_survey gpool__dirty_map_survey(const gpool_dirty_map *map, uint64_t gap1,
                                            uint64_t gap2);

/**
 * Finds the next word of 64 granules of which some are dirty, at or after `*word` (0 at first), and moves
 * `*word` to it; its bits, the lowest for the first granule, are set in `*bits`. False at the end.
 */
bool gpool__dirty_map_next_word(const gpool_dirty_map *map, uint64_t *word, uint64_t *bits);

/** Whether the levels agree; slow. For tests. */
bool gpool__dirty_map_validate(const gpool_dirty_map *map);

/** Level 1 of a map, for gpool__dirty_map_mark_word(); NULL when level 0 is the highest. */
static inline _Atomic uint64_t *gpool__dirty_map_above(gpool_dirty_map *map)
{
    uint64_t words = ((map->size - 1) >> map->shift) / 64 + 1;
    return words > 1 ? map->words + words : NULL;
}

/**
 * Marks most small ranges of a map, in few instructions; false, with nothing done, for the others, which
 * gpool__dirty_map_mark() can: across words, the first of a word of level 1, maps of one word. While all
 * is dirty, marks of words do no harm.
 */
static inline bool gpool__dirty_map_mark_word(gpool_dirty_map *map, _Atomic uint64_t *above,
                                              uint64_t offset, uint64_t size)
{
    uint64_t first = offset >> map->shift;
    uint64_t last = (offset + size - 1) >> map->shift;
    uint64_t word = first / 64;
    if (above == NULL || word != last / 64) {
        return false;
    }
    GPOOL__DIRTY_MAP_VISIT();
    uint64_t up = atomic_load_explicit(&above[word / 64], memory_order_relaxed);
    if (up == 0) {
        return false;
    }
    /* last - first + 1 ones, from the first bit on */
    uint64_t mask = UINT64_MAX >> (63 - (last - first)) << first % 64;
    GPOOL__DIRTY_MAP_VISIT();
    uint64_t bits = atomic_load_explicit(&map->words[word], memory_order_relaxed);
    atomic_store_explicit(&map->words[word], bits | mask, memory_order_relaxed);
    atomic_store_explicit(&above[word / 64], up | UINT64_C(1) << word % 64, memory_order_relaxed);
    return true;
}

static inline void gpool__dirty_map_mark_all(gpool_dirty_map *map)
{
    atomic_store_explicit(&map->all, true, memory_order_relaxed);
}

#endif
