#include "track/dirty_map.h"

#include "base/checked.h"

/* 2^44 bytes in granules of 4 are 2^42 bits: 2^36 words, and six levels above them. */
#define DIRTY_MAP_LEVELS      7u
#define DIRTY_MAP_SIZE_MAX    (UINT64_C(1) << 44)
#define DIRTY_MAP_GRANULE     64u
#define DIRTY_MAP_GRANULE_MIN 4u
#define DIRTY_MAP_GRANULE_MAX 65536u
#define DIRTY_MAP_NOWHERE     UINT64_MAX

/* --- words and levels --- */

static uint64_t dirty_map_get(const gpool_dirty_map *map, uint64_t index)
{
    GPOOL__DIRTY_MAP_VISIT();
    return atomic_load_explicit(&map->words[index], memory_order_relaxed);
}

static void dirty_map_put(gpool_dirty_map *map, uint64_t index, uint64_t bits)
{
    atomic_store_explicit(&map->words[index], bits, memory_order_relaxed);
}

static bool dirty_map_all(const gpool_dirty_map *map)
{
    return atomic_load_explicit(&map->all, memory_order_relaxed);
}

static uint64_t dirty_map_last(const gpool_dirty_map *map)
{
    return (map->size - 1) >> map->shift;
}

/* Words that hold `bits` bits, which are at least one. */
static uint64_t dirty_map_words(uint64_t bits)
{
    return (bits - 1) / 64 + 1;
}

/* Words of all levels. The highest level is the last of them; it is not stored where, since there
 * are many maps of a few words. */
static uint64_t dirty_map_all_words(uint64_t size, uint32_t shift)
{
    uint64_t count = dirty_map_words(((size - 1) >> shift) + 1);
    uint64_t sum = count;
    while (count > 1) {
        count = dirty_map_words(count);
        sum += count;
    }
    return sum;
}

static uint64_t dirty_map_bytes(uint64_t size, uint32_t shift)
{
    return sizeof(gpool_dirty_map) + dirty_map_all_words(size, shift) * sizeof(uint64_t);
}

/* The bits of word `word` that lie in [first, last]. */
static uint64_t dirty_map_mask(uint64_t word, uint64_t first, uint64_t last)
{
    uint64_t mask = UINT64_MAX;
    if (word == first / 64) {
        mask <<= first % 64;
    }
    if (word == last / 64) {
        mask &= UINT64_MAX >> (63 - last % 64);
    }
    return mask;
}

/* Sets the bits [first, last] of level 0, and those above of words that were zero. */
static void dirty_map_set(gpool_dirty_map *map, uint64_t first, uint64_t last)
{
    uint64_t start = 0;
    uint64_t count = dirty_map_words(dirty_map_last(map) + 1);
    for (;;) {
        bool fresh = false;
        for (uint64_t word = first / 64; word <= last / 64; ++word) {
            uint64_t bits = dirty_map_get(map, start + word);
            fresh = fresh || bits == 0;
            dirty_map_put(map, start + word, bits | dirty_map_mask(word, first, last));
        }
        if (!fresh || count == 1) {
            return;
        }
        start += count;
        count = dirty_map_words(count);
        first /= 64;
        last /= 64;
    }
}

/* The same beside others who do it. Always goes up to the top: who set the first bit of a word may
 * not have got there yet. */
static void dirty_map_set_shared(gpool_dirty_map *map, uint64_t first, uint64_t last)
{
    uint64_t start = 0;
    uint64_t count = dirty_map_words(dirty_map_last(map) + 1);
    for (;;) {
        for (uint64_t word = first / 64; word <= last / 64; ++word) {
            uint64_t mask = dirty_map_mask(word, first, last);
            if ((dirty_map_get(map, start + word) & mask) != mask) {
                atomic_fetch_or_explicit(&map->words[start + word], mask, memory_order_relaxed);
            }
        }
        if (count == 1) {
            return;
        }
        start += count;
        count = dirty_map_words(count);
        first /= 64;
        last /= 64;
    }
}

/* Clears the bits above a word of level 0 that has become zero. */
static void dirty_map_prune(gpool_dirty_map *map, uint64_t word)
{
    uint64_t start = 0;
    uint64_t count = dirty_map_words(dirty_map_last(map) + 1);
    while (count > 1) {
        start += count;
        count = dirty_map_words(count);
        uint64_t bits = dirty_map_get(map, start + word / 64) & ~(UINT64_C(1) << word % 64);
        dirty_map_put(map, start + word / 64, bits);
        if (bits != 0) {
            return;
        }
        word /= 64;
    }
}

/* First granule at or after `granule` whose bit is set: up to a level that has one, and down. */
static uint64_t dirty_map_find_set(const gpool_dirty_map *map, uint64_t granule)
{
    uint64_t starts[DIRTY_MAP_LEVELS];
    uint64_t start = 0;
    uint64_t count = dirty_map_last(map) + 1; /* bits of the level */
    uint64_t index = granule;
    uint32_t level = 0;
    for (;;) {
        if (index >= count) {
            return DIRTY_MAP_NOWHERE;
        }
        starts[level] = start;
        uint64_t bits = dirty_map_get(map, start + index / 64) >> index % 64;
        if (bits != 0) {
            index += gpool__lowest_bit(bits);
            break;
        }
        count = dirty_map_words(count);
        if (count == 1) {
            return DIRTY_MAP_NOWHERE;
        }
        start += count;
        index = index / 64 + 1;
        level += 1;
    }
    while (level > 0) {
        level -= 1;
        index = index * 64 + gpool__lowest_bit(dirty_map_get(map, starts[level] + index));
    }
    return index;
}

/* First granule at or after `granule`, which is set, whose bit is not; the end of the map is one. */
static uint64_t dirty_map_find_clear(const gpool_dirty_map *map, uint64_t granule)
{
    uint64_t end = dirty_map_last(map) + 1;
    while (granule < end) {
        uint64_t bits = ~dirty_map_get(map, granule / 64) >> granule % 64;
        if (bits != 0) {
            return granule + gpool__lowest_bit(bits);
        }
        granule = granule / 64 * 64 + 64;
    }
    return end;
}

/* Clears a word that is not zero and all below it. Not deeper than there are levels. */
static void dirty_map_wipe(gpool_dirty_map *map, const uint64_t *starts, uint32_t level,
                           uint64_t word)
{
    uint64_t bits = level > 0 ? dirty_map_get(map, starts[level] + word) : 0;
    dirty_map_put(map, starts[level] + word, 0);
    for (; bits != 0; bits &= bits - 1) {
        uint64_t below = word * 64 + gpool__lowest_bit(bits);
        if (level == 1) {
            dirty_map_put(map, below, 0);
        } else {
            dirty_map_wipe(map, starts, level - 1, below);
        }
    }
}

/* Clears all bits. */
static void dirty_map_wipe_all(gpool_dirty_map *map)
{
    uint64_t starts[DIRTY_MAP_LEVELS] = { 0 };
    uint64_t count = dirty_map_words(dirty_map_last(map) + 1);
    uint32_t level = 0;
    for (; count > 1; count = dirty_map_words(count), ++level) {
        starts[level + 1] = starts[level] + count;
    }
    dirty_map_wipe(map, starts, level, 0);
}

/* Clears the bits [first, last] of level 0. */
static void dirty_map_unset(gpool_dirty_map *map, uint64_t first, uint64_t last)
{
    uint64_t granule = dirty_map_find_set(map, first);
    while (granule <= last) {
        uint64_t word = granule / 64;
        uint64_t bits = dirty_map_get(map, word) & ~dirty_map_mask(word, first, last);
        dirty_map_put(map, word, bits);
        if (bits == 0) {
            dirty_map_prune(map, word);
        }
        if (word == last / 64) {
            return;
        }
        granule = dirty_map_find_set(map, word * 64 + 64);
    }
}

/* --- create and destroy --- */

/* Makes a map behind `prefix` bytes of the same block. */
static gpool_dirty_map *dirty_map_make(gpool__memory *memory, size_t prefix, uint64_t size,
                                       uint32_t granule)
{
    uint32_t shift = gpool__lowest_bit(granule);
    uint64_t bytes = prefix + dirty_map_bytes(size, shift);
    char *block = bytes > SIZE_MAX ? NULL : gpool__alloc(memory, (size_t)bytes);
    if (block == NULL) {
        return NULL;
    }
    gpool_dirty_map *map = (gpool_dirty_map *)(void *)(block + prefix);
    map->size = size;
    map->shift = (uint8_t)shift;
    return map;
}

gpool_dirty_map *gpool__dirty_map_create(gpool__memory *memory, uint64_t size, uint32_t granule)
{
    return dirty_map_make(memory, 0, size, granule);
}

void gpool__dirty_map_destroy(gpool_dirty_map *map, gpool__memory *memory)
{
    if (map != NULL) {
        gpool__free(memory, map, (size_t)dirty_map_bytes(map->size, map->shift));
    }
}

/* The hooks of a public map lie before it; the pool's maps, of which there are many, have none. */
static gpool_allocator *dirty_map_hooks(gpool_dirty_map *map)
{
    return (gpool_allocator *)(void *)map - 1;
}

gpool_result gpool_dirty_map_create(const gpool_dirty_map_desc *desc, gpool_dirty_map **map)
{
    if (map == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    *map = NULL;
    if (desc == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    uint32_t granule = desc->granule != 0 ? desc->granule : DIRTY_MAP_GRANULE;
    if ((granule & (granule - 1)) != 0 || granule < DIRTY_MAP_GRANULE_MIN ||
        granule > DIRTY_MAP_GRANULE_MAX) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (desc->size == 0 || desc->size > DIRTY_MAP_SIZE_MAX) {
        return GPOOL_ERROR_OUT_OF_RANGE;
    }
    gpool__memory memory;
    gpool__memory_init(&memory, &desc->allocator);
    *map = dirty_map_make(&memory, sizeof(gpool_allocator), desc->size, granule);
    if (*map == NULL) {
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    *dirty_map_hooks(*map) = memory.hooks;
    return GPOOL_OK;
}

void gpool_dirty_map_destroy(gpool_dirty_map *map)
{
    if (map == NULL) {
        return;
    }
    gpool_allocator *hooks = dirty_map_hooks(map);
    gpool__memory memory;
    gpool__memory_init(&memory, hooks);
    gpool__free(&memory, hooks, (size_t)(sizeof *hooks + dirty_map_bytes(map->size, map->shift)));
}

/* --- marks --- */

void gpool__dirty_map_mark(gpool_dirty_map *map, uint64_t offset, uint64_t size)
{
    if (size == 0 || dirty_map_all(map) ||
        gpool__dirty_map_mark_word(map, gpool__dirty_map_above(map), offset, size)) {
        return;
    }
    uint64_t first = offset >> map->shift;
    uint64_t last = (offset + size - 1) >> map->shift;
    if (first == 0 && last == dirty_map_last(map)) {
        gpool__dirty_map_mark_all(map);
    } else {
        dirty_map_set(map, first, last);
    }
}

void gpool__dirty_map_mark_shared(gpool_dirty_map *map, uint64_t offset, uint64_t size)
{
    if (size == 0 || dirty_map_all(map)) {
        return;
    }
    uint64_t first = offset >> map->shift;
    uint64_t last = (offset + size - 1) >> map->shift;
    if (first == 0 && last == dirty_map_last(map)) {
        gpool__dirty_map_mark_all(map);
    } else {
        dirty_map_set_shared(map, first, last);
    }
}

/* What is wrong with a range of a map. */
static gpool_result dirty_map_check(const gpool_dirty_map *map, uint64_t offset, uint64_t size)
{
    if (map == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    return gpool__range_inside(offset, size, map->size) ? GPOOL_OK : GPOOL_ERROR_OUT_OF_RANGE;
}

gpool_result gpool_dirty_map_mark(gpool_dirty_map *map, uint64_t offset, uint64_t size)
{
    gpool_result result = dirty_map_check(map, offset, size);
    if (result == GPOOL_OK) {
        gpool__dirty_map_mark(map, offset, size);
    }
    return result;
}

gpool_result gpool_dirty_map_mark_shared(gpool_dirty_map *map, uint64_t offset, uint64_t size)
{
    gpool_result result = dirty_map_check(map, offset, size);
    if (result == GPOOL_OK) {
        gpool__dirty_map_mark_shared(map, offset, size);
    }
    return result;
}

gpool_result gpool_dirty_map_mark_all(gpool_dirty_map *map)
{
    if (map == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    gpool__dirty_map_mark_all(map);
    return GPOOL_OK;
}

gpool_result gpool_dirty_map_mark_from(gpool_dirty_map *map, const gpool_dirty_map *from)
{
    if (map == NULL || from == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    uint64_t cursor = 0;
    gpool_range range;
    while (gpool_dirty_map_next(from, 0, 1, &cursor, &range) && range.offset < map->size) {
        gpool__dirty_map_mark(map, range.offset, gpool__min(range.size, map->size - range.offset));
    }
    return GPOOL_OK;
}

gpool_result gpool_dirty_map_clear(gpool_dirty_map *map)
{
    if (map == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    atomic_store_explicit(&map->all, false, memory_order_relaxed);
    dirty_map_wipe_all(map);
    return GPOOL_OK;
}

gpool_result gpool_dirty_map_clear_range(gpool_dirty_map *map, uint64_t offset, uint64_t size)
{
    gpool_result result = dirty_map_check(map, offset, size);
    if (result != GPOOL_OK || size == 0) {
        return result;
    }
    uint64_t first = offset >> map->shift;
    uint64_t last = (offset + size - 1) >> map->shift;
    if (first == 0 && last == dirty_map_last(map)) {
        return gpool_dirty_map_clear(map);
    }
    if (dirty_map_all(map)) {
        dirty_map_set(map, 0, dirty_map_last(map));
        atomic_store_explicit(&map->all, false, memory_order_relaxed);
    }
    dirty_map_unset(map, first, last);
    return GPOOL_OK;
}

/* --- scans --- */

bool gpool__dirty_map_any(const gpool_dirty_map *map)
{
    return dirty_map_all(map) ||
           dirty_map_get(map, dirty_map_all_words(map->size, map->shift) - 1) != 0;
}

gpool_dirty_state gpool_dirty_map_state(const gpool_dirty_map *map)
{
    if (map == NULL || !gpool__dirty_map_any(map)) {
        return GPOOL_DIRTY_NONE;
    }
    return dirty_map_all(map) ? GPOOL_DIRTY_ALL : GPOOL_DIRTY_SOME;
}

/* Finds the first range at or after a granule, and adds it to `count`. */
static bool dirty_map_range(const gpool_dirty_map *map, uint64_t granule, uint64_t gap,
                            uint64_t align, gpool_range *range, gpool_dirty_count *count)
{
    const bool all = dirty_map_all(map);
    uint64_t first = all ? granule : dirty_map_find_set(map, granule);
    if (first > dirty_map_last(map)) {
        return false;
    }
    uint64_t begin = gpool__round_down(first << map->shift, align);
    uint64_t end = 0;
    for (;;) {
        uint64_t past = all ? dirty_map_last(map) + 1 : dirty_map_find_clear(map, first);
        count->granules += past - first;
        count->dirty_bytes += gpool__min(past << map->shift, map->size) - (first << map->shift);
        end = gpool__min(gpool__round_up(past << map->shift, align), map->size);
        /* Nothing to look for where nothing can be joined. */
        bool alone = all || (gap == 0 && align <= UINT64_C(1) << map->shift);
        first = alone ? DIRTY_MAP_NOWHERE : dirty_map_find_set(map, past);
        if (first == DIRTY_MAP_NOWHERE) {
            break;
        }
        uint64_t again = gpool__round_down(first << map->shift, align);
        if (again > end && again - end >= gap) {
            break;
        }
    }
    *range = (gpool_range){ .offset = begin, .size = end - begin };
    count->ranges += 1;
    count->range_bytes += range->size;
    return true;
}

static bool dirty_map_is_power(uint64_t value)
{
    return value != 0 && (value & (value - 1)) == 0;
}

/* First granule behind a range, which ends at the end of a granule or of the map. */
static uint64_t dirty_map_behind(const gpool_dirty_map *map, gpool_range range)
{
    return ((range.offset + range.size - 1) >> map->shift) + 1;
}

bool gpool_dirty_map_next(const gpool_dirty_map *map, uint64_t gap, uint64_t align,
                          uint64_t *cursor, gpool_range *range)
{
    if (map == NULL || cursor == NULL || range == NULL || !dirty_map_is_power(align)) {
        return false;
    }
    gpool_dirty_count ignored = { 0 };
    if (!dirty_map_range(map, *cursor >> map->shift, gap, align, range, &ignored)) {
        return false;
    }
    *cursor = dirty_map_behind(map, *range) << map->shift;
    return true;
}

gpool_result gpool_dirty_map_count(const gpool_dirty_map *map, uint64_t gap, uint64_t align,
                                   gpool_dirty_count *count)
{
    if (count == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    *count = (gpool_dirty_count){ 0 };
    if (map == NULL || !dirty_map_is_power(align)) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    uint64_t granule = 0;
    gpool_range range;
    while (dirty_map_range(map, granule, gap, align, &range, count)) {
        granule = dirty_map_behind(map, range);
    }
    return GPOOL_OK;
}

bool gpool__dirty_map_validate(const gpool_dirty_map *map)
{
    uint64_t start = 0;
    uint64_t bits = dirty_map_last(map) + 1;
    for (;;) {
        uint64_t count = dirty_map_words(bits);
        uint64_t last = dirty_map_get(map, start + count - 1);
        if ((last & ~dirty_map_mask(count - 1, 0, bits - 1)) != 0) {
            return false;
        }
        if (count == 1) {
            return start + 1 == dirty_map_all_words(map->size, map->shift);
        }
        for (uint64_t word = 0; word < count; ++word) {
            uint64_t above = dirty_map_get(map, start + count + word / 64);
            if ((above >> word % 64 & 1) != (dirty_map_get(map, start + word) != 0)) {
                return false;
            }
        }
        start += count;
        bits = count;
    }
}
