/* The dirty map: marks, and ranges read off it. */
#include "bench.h"

#include <gpool/range.h>

#include <stdlib.h>

#define RANGE_MAP_SIZE (UINT64_C(64) << 20)
#define RANGE_BYTES    64u
#define RANGE_ITEMS    (UINT64_C(1) << 20)

typedef struct range_marks {
    gpool_dirty_map *map;
    uint64_t *offsets;
    uint64_t count; /* marks of a frame */
} range_marks;

static range_marks range_open(bench_run *run, uint64_t count)
{
    range_marks marks = { .count = bench_objects(run, count) };
    marks.offsets = bench_alloc(marks.count, sizeof *marks.offsets);
    uint64_t random = 1;
    for (uint64_t i = 0; i < marks.count; ++i) {
        marks.offsets[i] = bench_random(&random) % (RANGE_MAP_SIZE - RANGE_BYTES + 1);
    }
    const gpool_dirty_map_desc desc = { .size = RANGE_MAP_SIZE };
    bench_require(gpool_dirty_map_create(&desc, &marks.map) == GPOOL_OK, "no dirty map");
    return marks;
}

/* Frame after frame: marks, then a clear. The last, short frame is not cleared. */
static void range_mark_work(void *state, uint64_t count)
{
    range_marks *marks = state;
    for (uint64_t i = 0; i < count; ++i) {
        const uint64_t at = i % marks->count;
        if (at == 0) {
            (void)gpool_dirty_map_clear(marks->map);
        }
        (void)gpool_dirty_map_mark(marks->map, marks->offsets[at], RANGE_BYTES);
    }
}

static void range_mark_shared_work(void *state, uint64_t count)
{
    range_marks *marks = state;
    for (uint64_t i = 0; i < count; ++i) {
        const uint64_t at = i % marks->count;
        if (at == 0) {
            (void)gpool_dirty_map_clear(marks->map);
        }
        (void)gpool_dirty_map_mark_shared(marks->map, marks->offsets[at], RANGE_BYTES);
    }
}

/* Reads `count` ranges, from the start again after the last. */
static void range_scan_work(void *state, uint64_t count)
{
    const range_marks *marks = state;
    uint64_t cursor = 0;
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < count; ++i) {
        gpool_range range = { 0 };
        if (!gpool_dirty_map_next(marks->map, 0, 4, &cursor, &range)) {
            cursor = 0;
        }
        bytes += range.size;
    }
    bench_sink += bytes;
}

/* Counts of a frame, the same each time; frees everything. */
static void range_close(range_marks *marks, bench_row *row)
{
    (void)gpool_dirty_map_clear(marks->map);
    range_mark_work(marks, marks->count);
    gpool_dirty_count count;
    bench_require(gpool_dirty_map_count(marks->map, 0, 4, &count) == GPOOL_OK, "no count");
    bench_add_counter(row, "marks", (double)marks->count);
    bench_add_counter(row, "ranges", (double)count.ranges);
    bench_add_counter(row, "granules", (double)count.granules);
    for (uint64_t i = 0; i < marks->count; ++i) {
        (void)gpool_dirty_map_clear_range(marks->map, marks->offsets[i], RANGE_BYTES);
    }
    bench_require(gpool_dirty_map_state(marks->map) == GPOOL_DIRTY_NONE, "a mark is left");
    gpool_dirty_map_destroy(marks->map);
    free(marks->offsets);
}

void bench_range_mark(bench_run *run, bench_row *row, uint64_t argument)
{
    range_marks marks = range_open(run, argument);
    bench_measure(run, row, (bench_side){ .work = range_mark_work, .state = &marks }, NULL,
                  RANGE_ITEMS);
    range_close(&marks, row);
}

void bench_range_mark_shared(bench_run *run, bench_row *row, uint64_t argument)
{
    range_marks marks = range_open(run, argument);
    bench_measure(run, row, (bench_side){ .work = range_mark_shared_work, .state = &marks }, NULL,
                  RANGE_ITEMS);
    range_close(&marks, row);
}

void bench_range_scan(bench_run *run, bench_row *row, uint64_t argument)
{
    range_marks marks = range_open(run, argument);
    range_mark_work(&marks, marks.count);
    bench_measure(run, row, (bench_side){ .work = range_scan_work, .state = &marks }, NULL,
                  RANGE_ITEMS);
    range_close(&marks, row);
}
