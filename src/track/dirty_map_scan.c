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

/* Where a survey stands for one gap. */
typedef struct scan_gap {
    uint64_t bytes; /* holes below this are joined */
    uint64_t ranges;
    uint64_t sum; /* bytes in them */
    uint64_t end; /* of the last one, in granules */
} scan_gap;

/* Adds granules without a hole that is not joined. */
static void scan_add(scan_gap *gap, const gpool_dirty_map *map, uint64_t first, uint64_t end)
{
    uint64_t hole = gap->ranges > 0 ? (first - gap->end) << map->shift : UINT64_MAX;
    /* A hole of nothing is a run that goes on in the next word. */
    bool joined = gap->ranges > 0 && (hole == 0 || hole < gap->bytes);
    gap->ranges += !joined;
    gap->sum += gpool__min(end << map->shift, map->size) - (first << map->shift);
    gap->sum += joined ? hole : 0;
    gap->end = end;
}

/* Adds a word run by run. */
static void scan_add_runs(scan_gap *gap, const gpool_dirty_map *map, uint64_t base, uint64_t bits)
{
    while (bits != 0) {
        uint32_t first = gpool__lowest_bit(bits);
        uint64_t clear = ~(bits >> first);
        uint32_t length = clear != 0 ? gpool__lowest_bit(clear) : 64;
        length = length > 64 - first ? 64 - first : length;
        scan_add(gap, map, base + first, base + first + length);
        uint32_t past = first + length;
        bits = past < 64 ? bits >> past << past : 0;
    }
}

/* Adds a word for a gap that joins nothing: its runs begin where a bit has none before it. */
static void scan_add_word(scan_gap *gap, uint64_t base, uint64_t bits)
{
    uint64_t before = gap->ranges > 0 && gap->end == base ? 1 : 0;
    gap->ranges += gpool__count_bits(bits & ~(bits << 1 | before));
    gap->end = base + gpool__highest_bit(bits) + 1;
}

gpool__dirty_survey gpool__dirty_map_survey(const gpool_dirty_map *map, uint64_t gap1,
                                            uint64_t gap2)
{
    scan_gap gaps[3] = { { .bytes = 0 }, { .bytes = gap1 }, { .bytes = gap2 } };
    uint64_t last = (map->size - 1) >> map->shift;
    uint64_t granules = 0;
    if (atomic_load_explicit(&map->all, memory_order_relaxed)) {
        granules = last + 1;
        for (uint32_t i = 0; i < 3; ++i) {
            scan_add(&gaps[i], map, 0, granules);
        }
    }
    uint64_t bits;
    for (uint64_t word = 0; granules <= last && gpool__dirty_map_next_word(map, &word, &bits);
         ++word) {
        uint64_t base = word * 64;
        granules += gpool__count_bits(bits);
        scan_add_word(&gaps[0], base, bits);
        for (uint32_t i = 1; i < 3; ++i) {
            if (gaps[i].bytes > UINT64_C(62) << map->shift) {
                /* No hole in a word is as large. */
                scan_add(&gaps[i], map, base + gpool__lowest_bit(bits),
                         base + gpool__highest_bit(bits) + 1);
            } else {
                scan_add_runs(&gaps[i], map, base, bits);
            }
        }
    }
    /* The last granule may be a part of one. */
    uint64_t sum = granules << map->shift;
    sum -= gaps[0].end == last + 1 ? ((last + 1) << map->shift) - map->size : 0;
    gaps[0].sum = sum;
    return (gpool__dirty_survey){ .granules = granules,
                                  .dirty_bytes = sum,
                                  .ranges = { gaps[0].ranges, gaps[1].ranges, gaps[2].ranges },
                                  .bytes = { sum, gaps[1].sum, gaps[2].sum } };
}
