#include "track/dirty_map.h"

#include "base/checked.h"

#include <string.h>

#define DIRTY_WORD_BYTES (64u * (uint64_t)GPOOL__GRANULE)

static uint32_t dirty_map_word_count(uint64_t size)
{
    return (uint32_t)((size + DIRTY_WORD_BYTES - 1) / DIRTY_WORD_BYTES);
}

bool gpool__dirty_map_init(gpool__dirty_map *map, gpool__memory *memory, uint64_t size)
{
    *map = (gpool__dirty_map){ .size = size };
    map->words = gpool__alloc(memory, dirty_map_word_count(size) * sizeof *map->words);
    return map->words != NULL;
}

void gpool__dirty_map_fini(gpool__dirty_map *map, gpool__memory *memory)
{
    gpool__free(memory, map->words, dirty_map_word_count(map->size) * sizeof *map->words);
    *map = (gpool__dirty_map){ 0 };
}

/* Bits [from, to) of a word; 0 <= from < to <= 64. */
static uint64_t dirty_map_mask(uint32_t from, uint32_t to)
{
    uint64_t below_to = to == 64 ? UINT64_MAX : (UINT64_C(1) << to) - 1;
    return below_to & ~((UINT64_C(1) << from) - 1);
}

void gpool__dirty_map_mark(gpool__dirty_map *map, uint64_t offset, uint64_t size)
{
    if (size == 0) {
        return;
    }
    uint64_t first = offset / GPOOL__GRANULE;
    uint64_t last = (offset + size - 1) / GPOOL__GRANULE;
    uint32_t first_word = (uint32_t)(first / 64);
    uint32_t last_word = (uint32_t)(last / 64);
    for (uint32_t word = first_word; word <= last_word; ++word) {
        uint32_t from = word == first_word ? (uint32_t)(first % 64) : 0;
        uint32_t to = word == last_word ? (uint32_t)(last % 64) + 1 : 64;
        map->words[word] |= dirty_map_mask(from, to);
    }
    if (map->first_word == map->end_word) {
        map->first_word = first_word;
        map->end_word = last_word + 1;
    } else {
        map->first_word = (uint32_t)gpool__min(map->first_word, first_word);
        map->end_word = (uint32_t)gpool__max(map->end_word, last_word + 1);
    }
}

void gpool__dirty_map_clear(gpool__dirty_map *map)
{
    if (map->first_word != map->end_word) {
        memset(map->words + map->first_word, 0,
               (map->end_word - map->first_word) * sizeof *map->words);
    }
    map->first_word = 0;
    map->end_word = 0;
}

static uint32_t dirty_map_lowest(uint64_t bits)
{
#if defined(__GNUC__)
    return (uint32_t)__builtin_ctzll(bits);
#else
    uint32_t index = 0;
    while ((bits & 1u) == 0) {
        bits >>= 1;
        index += 1;
    }
    return index;
#endif
}

/* First granule at or after `granule` whose bit equals `set`; end of the span when there is none. */
static uint64_t dirty_map_find(const gpool__dirty_map *map, uint64_t granule, bool set)
{
    uint64_t end = (uint64_t)map->end_word * 64;
    while (granule < end) {
        uint64_t word = map->words[granule / 64];
        uint64_t bits = (set ? word : ~word) & dirty_map_mask((uint32_t)(granule % 64), 64);
        if (bits != 0) {
            return granule / 64 * 64 + dirty_map_lowest(bits);
        }
        granule = granule / 64 * 64 + 64;
    }
    return end;
}

bool gpool__dirty_map_next(const gpool__dirty_map *map, uint64_t *cursor, uint64_t gap,
                           uint64_t *offset, uint64_t *size)
{
    uint64_t end = (uint64_t)map->end_word * 64;
    uint64_t from = gpool__max(*cursor / GPOOL__GRANULE, (uint64_t)map->first_word * 64);
    uint64_t first = dirty_map_find(map, from, true);
    if (first >= end) {
        return false;
    }
    uint64_t past = dirty_map_find(map, first, false);
    while (past < end) {
        uint64_t again = dirty_map_find(map, past, true);
        if (again >= end || (again - past) * GPOOL__GRANULE >= gap) {
            break;
        }
        past = dirty_map_find(map, again, false);
    }
    *offset = first * GPOOL__GRANULE;
    *size = gpool__min(past * GPOOL__GRANULE, map->size) - *offset;
    *cursor = past * GPOOL__GRANULE;
    return true;
}

uint64_t gpool__dirty_map_bytes(const gpool__dirty_map *map)
{
    uint64_t cursor = 0;
    uint64_t offset = 0;
    uint64_t size = 0;
    uint64_t bytes = 0;
    while (gpool__dirty_map_next(map, &cursor, 0, &offset, &size)) {
        bytes += size;
    }
    return bytes;
}
