/*
 * A dirty map beside a plain model, one bool for each granule, driven by bytes: random ones of the
 * unit test, those of the fuzz target, or its corpus. Ends the program when the two differ.
 */
#ifndef GPOOL_TESTS_UNIT_DIRTY_MAP_MODEL_H
#define GPOOL_TESTS_UNIT_DIRTY_MAP_MODEL_H

#include "model_require.h"

#include "track/dirty_map.h"

#include <stdlib.h>
#include <string.h>

typedef struct dirty_model {
    uint64_t size;
    uint64_t granule;
    uint64_t count; /* granules */
    bool *dirty;
    gpool_dirty_map *map;
} dirty_model;

static inline void dirty_model_open(dirty_model *m, uint64_t size, uint32_t granule)
{
    *m = (dirty_model){ .size = size, .granule = granule != 0 ? granule : 64 };
    m->count = (size + m->granule - 1) / m->granule;
    m->dirty = calloc(m->count, sizeof *m->dirty);
    const gpool_dirty_map_desc desc = { .size = size, .granule = granule };
    MODEL_REQUIRE(m->dirty != NULL && gpool_dirty_map_create(&desc, &m->map) == GPOOL_OK);
}

static inline void dirty_model_close(dirty_model *m)
{
    gpool_dirty_map_destroy(m->map);
    free(m->dirty);
}

/* Sets all granules that a range touches. False when the range does not lie inside. */
static inline bool dirty_model_set(dirty_model *m, uint64_t offset, uint64_t size, bool dirty)
{
    if (offset > m->size || size > m->size - offset) {
        return false;
    }
    for (uint64_t at = offset / m->granule; size > 0 && at * m->granule < offset + size; ++at) {
        m->dirty[at] = dirty;
    }
    return true;
}

/* The range that begins at or after granule `*at`; false when there is none. */
static inline bool dirty_model_next(const dirty_model *m, uint64_t gap, uint64_t align,
                                    uint64_t *at, gpool_range *range)
{
    uint64_t begin = UINT64_MAX;
    uint64_t end = 0;
    for (; *at < m->count; ++*at) {
        if (!m->dirty[*at]) {
            continue;
        }
        const uint64_t from = *at * m->granule / align * align;
        const uint64_t past = ((*at + 1) * m->granule + align - 1) / align * align;
        if (begin == UINT64_MAX) {
            begin = from;
        } else if (from > end && from - end >= gap) {
            break;
        }
        end = past < m->size ? past : m->size;
    }
    *range = (gpool_range){ .offset = begin, .size = end - begin };
    return begin != UINT64_MAX;
}

/* Compares ranges, counts and state. */
static inline void dirty_model_compare(const dirty_model *m, uint64_t gap, uint64_t align)
{
    gpool_dirty_count wanted = { 0 };
    gpool_range range = { 0 };
    gpool_range wanted_range;
    uint64_t cursor = 0;
    uint64_t at = 0;
    uint64_t last_end = 0;
    while (gpool_dirty_map_next(m->map, gap, align, &cursor, &range)) {
        MODEL_REQUIRE(dirty_model_next(m, gap, align, &at, &wanted_range));
        MODEL_REQUIRE(range.offset == wanted_range.offset && range.size == wanted_range.size);
        MODEL_REQUIRE(range.size > 0 && range.offset % align == 0);
        MODEL_REQUIRE(wanted.ranges == 0 || range.offset > last_end);
        last_end = range.offset + range.size;
        MODEL_REQUIRE(last_end == m->size || (last_end < m->size && last_end % align == 0));
        MODEL_REQUIRE(cursor >= last_end && cursor - last_end < m->granule);
        wanted.ranges += 1;
        wanted.range_bytes += range.size;
    }
    MODEL_REQUIRE(!dirty_model_next(m, gap, align, &at, &wanted_range));
    for (at = 0; at < m->count; ++at) {
        const uint64_t left = m->size - at * m->granule;
        wanted.granules += m->dirty[at];
        wanted.dirty_bytes += !m->dirty[at] ? 0 : left < m->granule ? left : m->granule;
    }
    gpool_dirty_count count;
    MODEL_REQUIRE(gpool_dirty_map_count(m->map, gap, align, &count) == GPOOL_OK);
    MODEL_REQUIRE(memcmp(&count, &wanted, sizeof count) == 0);
    const gpool_dirty_state state = gpool_dirty_map_state(m->map);
    MODEL_REQUIRE((state == GPOOL_DIRTY_NONE) == (wanted.granules == 0));
    MODEL_REQUIRE(state != GPOOL_DIRTY_ALL || wanted.granules == m->count);
    MODEL_REQUIRE(gpool__dirty_map_validate(m->map));
}

static inline void dirty_model_mark(dirty_model *m, uint64_t offset, uint64_t size, bool shared)
{
    const bool inside = dirty_model_set(m, offset, size, true);
    const gpool_result result = shared ? gpool_dirty_map_mark_shared(m->map, offset, size)
                                       : gpool_dirty_map_mark(m->map, offset, size);
    MODEL_REQUIRE(result == (inside ? GPOOL_OK : GPOOL_ERROR_OUT_OF_RANGE));
    if (size == m->size) {
        MODEL_REQUIRE(!inside || gpool_dirty_map_state(m->map) == GPOOL_DIRTY_ALL);
    }
}

static inline void dirty_model_mark_all(dirty_model *m)
{
    memset(m->dirty, true, m->count);
    MODEL_REQUIRE(gpool_dirty_map_mark_all(m->map) == GPOOL_OK);
    MODEL_REQUIRE(gpool_dirty_map_state(m->map) == GPOOL_DIRTY_ALL);
}

static inline void dirty_model_clear(dirty_model *m)
{
    memset(m->dirty, false, m->count);
    MODEL_REQUIRE(gpool_dirty_map_clear(m->map) == GPOOL_OK);
}

static inline void dirty_model_clear_range(dirty_model *m, uint64_t offset, uint64_t size)
{
    const bool inside = dirty_model_set(m, offset, size, false);
    const gpool_result result = gpool_dirty_map_clear_range(m->map, offset, size);
    MODEL_REQUIRE(result == (inside ? GPOOL_OK : GPOOL_ERROR_OUT_OF_RANGE));
}

/* Sends and clears range by range, each `every`th is left. */
static inline void dirty_model_drain(dirty_model *m, uint64_t gap, uint64_t align, uint64_t every)
{
    uint64_t cursor = 0;
    gpool_range range;
    for (uint64_t i = 1; gpool_dirty_map_next(m->map, gap, align, &cursor, &range); ++i) {
        if (i % every != 0) {
            dirty_model_clear_range(m, range.offset, range.size);
        }
    }
}

/* The same marks in a map of another size and granule, which then replaces the old one. */
static inline void dirty_model_move(dirty_model *m, uint64_t size, uint32_t granule)
{
    dirty_model moved;
    dirty_model_open(&moved, size, granule);
    MODEL_REQUIRE(gpool_dirty_map_mark_from(moved.map, m->map) == GPOOL_OK);
    for (uint64_t at = 0; at < m->count && at * m->granule < size; ++at) {
        const uint64_t offset = at * m->granule;
        const uint64_t old_left = m->size - offset;
        const uint64_t bytes = old_left < m->granule ? old_left : m->granule;
        const uint64_t left = size - offset;
        if (m->dirty[at]) {
            (void)dirty_model_set(&moved, offset, bytes < left ? bytes : left, true);
        }
    }
    dirty_model_compare(m, 0, 1);
    dirty_model_close(m);
    *m = moved;
}

/* --- driven by bytes --- */

typedef struct dirty_script {
    const uint8_t *bytes;
    size_t left;
} dirty_script;

static inline uint64_t dirty_script_take(dirty_script *s, size_t count)
{
    uint64_t value = 0;
    for (; count > 0 && s->left > 0; --count) {
        value = value << 8 | *s->bytes;
        s->bytes += 1;
        s->left -= 1;
    }
    return value;
}

/* An offset or size: any, near a word's end, near the map's end, or far outside. */
static inline uint64_t dirty_script_number(dirty_script *s, const dirty_model *m)
{
    const uint64_t kind = dirty_script_take(s, 1);
    const uint64_t word = m->granule * 64;
    switch (kind % 8) {
    case 0:
        return kind / 8;
    case 1:
        return dirty_script_take(s, 1) * m->granule + kind / 8;
    case 2:
        return (dirty_script_take(s, 1) * word + kind / 8) - 16;
    case 3:
        return m->size - kind / 8;
    case 4:
        return dirty_script_take(s, 1) == 7 ? UINT64_MAX - kind / 8 : m->size + kind / 8;
    default:
        return dirty_script_take(s, 3) % (m->size + 1);
    }
}

/* Sizes so that there are one to four levels; few are great, since the model then is slow. */
static inline uint64_t dirty_script_size(dirty_script *s, uint64_t granule)
{
    static const uint64_t most[] = { 64, 300, 300, 5000, 5000, 5000, 10000, 270000 };
    const uint64_t kind = dirty_script_take(s, 1);
    const uint64_t granules = 1 + dirty_script_take(s, 3) % most[kind % 8];
    return granules * granule - kind / 8 % granule;
}

static inline uint32_t dirty_script_granule(dirty_script *s)
{
    static const uint32_t granules[] = { 0, 4, 4, 8, 16, 64, 256, 4096 };
    return granules[dirty_script_take(s, 1) % 8];
}

static inline uint64_t dirty_script_align(dirty_script *s)
{
    const uint64_t kind = dirty_script_take(s, 1);
    return kind < 32 ? UINT64_C(1) << 63 >> kind : UINT64_C(1) << kind % 20;
}

static inline uint64_t dirty_script_gap(dirty_script *s, const dirty_model *m)
{
    static const uint64_t gaps[] = { 0, 1, 3, 4, 5, 63, 64, 65, 127, 128, 129, 4096, UINT64_MAX };
    const uint64_t kind = dirty_script_take(s, 1) % 16;
    return kind < sizeof gaps / sizeof gaps[0] ? gaps[kind] : dirty_script_number(s, m);
}

static inline void dirty_script_step(dirty_script *s, dirty_model *m)
{
    const uint64_t op = dirty_script_take(s, 1);
    const uint64_t offset = dirty_script_number(s, m);
    switch (op % 16) {
    case 0:
        dirty_model_mark_all(m);
        break;
    case 1:
        dirty_model_clear(m);
        break;
    case 2:
        dirty_model_mark(m, 0, m->size, op / 16 % 2 != 0);
        break;
    case 3:
    case 4:
        dirty_model_clear_range(m, offset, dirty_script_number(s, m));
        break;
    case 5: {
        const uint64_t gap = dirty_script_gap(s, m);
        dirty_model_drain(m, gap, dirty_script_align(s), 1 + op / 16);
        break;
    }
    case 6: {
        const uint32_t granule = dirty_script_granule(s);
        dirty_model_move(m, dirty_script_size(s, granule != 0 ? granule : 64), granule);
        break;
    }
    case 7:
    case 8: {
        const uint64_t gap = dirty_script_gap(s, m);
        dirty_model_compare(m, gap, dirty_script_align(s));
        break;
    }
    case 9:
    case 10:
        dirty_model_mark(m, offset, dirty_script_number(s, m), op / 16 % 2 != 0);
        break;
    default:
        dirty_model_mark(m, offset, op % 16 == 11 ? op : 1 + op / 16, op / 16 % 2 != 0);
        break;
    }
}

/** Runs a script; returns its steps. */
static inline uint64_t dirty_model_run(const uint8_t *bytes, size_t size)
{
    dirty_script script = { .bytes = bytes, .left = size };
    const uint32_t granule = dirty_script_granule(&script);
    dirty_model model;
    dirty_model_open(&model, dirty_script_size(&script, granule != 0 ? granule : 64), granule);
    uint64_t steps = 0;
    for (; script.left > 0; ++steps) {
        dirty_script_step(&script, &model);
        if (model.count < 1000) {
            dirty_model_compare(&model, 0, 1);
        }
    }
    dirty_model_compare(&model, 0, 1);
    dirty_model_close(&model);
    return steps;
}

#endif
