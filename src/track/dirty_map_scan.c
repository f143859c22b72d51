/* Scans of a dirty map by words, for the pool's own use. */
#include "base/checked.h"
#include "track/dirty_map.h"

static uint64_t scan_get(const gpool_dirty_map *map, uint64_t index)
{
    return atomic_load_explicit(&map->words[index], memory_order_relaxed);
}

bool gpool__dirty_map_next_word(const gpool_dirty_map *map, uint64_t *word, uint64_t *bits)
{
    uint64_t last = (map->size - 1) >> map->shift;
    uint64_t count = last / 64 + 1;
    uint64_t at = *word;
    if (atomic_load_explicit(&map->all, memory_order_relaxed)) {
        *bits = at == last / 64 ? UINT64_MAX >> (63 - last % 64) : UINT64_MAX;
        return at < count;
    }
    while (at < count) {
        uint64_t found = scan_get(map, at);
        if (found != 0) {
            *word = at;
            *bits = found;
            return true;
        }
        at += 1;
        if (at < count) {
            /* The level above says where to go on; without a bit there, at its next word. */
            uint64_t above = scan_get(map, count + at / 64) >> at % 64;
            at = above != 0 ? at + gpool__lowest_bit(above) : (at / 64 + 1) * 64;
        }
    }
    return false;
}

/* Where a survey stands. */
typedef struct scan_state {
    gpool__dirty_survey survey;
    uint64_t gaps[3];
    uint64_t end; /* of the run before, in granules */
    bool any;
} scan_state;

static void scan_run(scan_state *scan, const gpool_dirty_map *map, uint64_t first, uint64_t end)
{
    uint64_t hole = scan->any ? (first - scan->end) << map->shift : 0;
    uint64_t bytes = gpool__min(end << map->shift, map->size) - (first << map->shift);
    scan->survey.granules += end - first;
    scan->survey.dirty_bytes += bytes;
    for (uint32_t i = 0; i < 3; ++i) {
        /* A hole of nothing is a run that goes on in the next word. */
        bool joined = scan->any && (hole == 0 || hole < scan->gaps[i]);
        scan->survey.ranges[i] += !joined;
        scan->survey.bytes[i] += bytes + (joined ? hole : 0);
    }
    scan->end = end;
    scan->any = true;
}

gpool__dirty_survey gpool__dirty_map_survey(const gpool_dirty_map *map, uint64_t gap1,
                                            uint64_t gap2)
{
    scan_state scan = { .gaps = { 0, gap1, gap2 } };
    if (atomic_load_explicit(&map->all, memory_order_relaxed)) {
        scan_run(&scan, map, 0, ((map->size - 1) >> map->shift) + 1);
        return scan.survey;
    }
    uint64_t bits;
    for (uint64_t word = 0; gpool__dirty_map_next_word(map, &word, &bits); ++word) {
        uint64_t base = word * 64;
        while (bits != 0) {
            uint32_t first = gpool__lowest_bit(bits);
            uint64_t clear = ~(bits >> first);
            uint32_t length = clear != 0 ? gpool__lowest_bit(clear) : 64;
            length = length > 64 - first ? 64 - first : length;
            scan_run(&scan, map, base + first, base + first + length);
            uint32_t past = first + length;
            bits = past < 64 ? bits >> past << past : 0;
        }
    }
    return scan.survey;
}
