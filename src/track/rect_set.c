#include "track/rect_set.h"

#include "base/checked.h"

#include <string.h>

static uint64_t rect_area(gpool__rect rect)
{
    return (uint64_t)rect.width * rect.height;
}

static gpool__rect rect_union(gpool__rect a, gpool__rect b)
{
    uint32_t right = (uint32_t)gpool__max(a.x + a.width, b.x + b.width);
    uint32_t bottom = (uint32_t)gpool__max(a.y + a.height, b.y + b.height);
    gpool__rect both = { .x = (uint32_t)gpool__min(a.x, b.x), .y = (uint32_t)gpool__min(a.y, b.y) };
    both.width = right - both.x;
    both.height = bottom - both.y;
    return both;
}

/* Cells that one rectangle has more than the two had, those in both counted twice: below 0 when they
 * overlap much. */
static int64_t rect_growth(gpool__rect a, gpool__rect b)
{
    return (int64_t)rect_area(rect_union(a, b)) - (int64_t)rect_area(a) - (int64_t)rect_area(b);
}

static bool rect_inside(gpool__rect inner, gpool__rect outer)
{
    return gpool__range_inside(inner.x - (uint64_t)outer.x, inner.width, outer.width) &&
           gpool__range_inside(inner.y - (uint64_t)outer.y, inner.height, outer.height);
}

static gpool__rect rect_take(gpool__rect_set *set, uint32_t index)
{
    gpool__rect taken = set->rects[index];
    set->rects[index] = set->rects[--set->count];
    return taken;
}

/* The one that grows least with a rectangle, and by how much. The set is not empty. */
static uint32_t rect_nearest(const gpool__rect_set *set, gpool__rect rect, int64_t *growth)
{
    uint32_t nearest = 0;
    *growth = INT64_MAX;
    for (uint32_t i = 0; i < set->count; ++i) {
        int64_t each = rect_growth(set->rects[i], rect);
        if (each < *growth) {
            *growth = each;
            nearest = i;
        }
    }
    return nearest;
}

/* Merges until the rectangle is worth its own place; it is in the set, or the set is full. */
static bool rect_absorb(gpool__rect_set *set, gpool__rect *rect, uint64_t slack)
{
    while (set->count > 0) {
        int64_t growth;
        uint32_t nearest = rect_nearest(set, *rect, &growth);
        if (growth > 0 && (uint64_t)growth > slack) {
            break;
        }
        *rect = rect_union(rect_take(set, nearest), *rect);
    }
    if (set->count == GPOOL__RECTS) {
        return false;
    }
    set->rects[set->count++] = *rect;
    return true;
}

/* Merges the two that add least, of a full set and one more. */
static void rect_squeeze(gpool__rect_set *set, gpool__rect rect, uint64_t slack)
{
    int64_t least;
    uint32_t first = rect_nearest(set, rect, &least);
    uint32_t second = GPOOL__RECTS; /* the new one */
    for (uint32_t i = 0; i < set->count; ++i) {
        for (uint32_t j = i + 1; j < set->count; ++j) {
            int64_t growth = rect_growth(set->rects[i], set->rects[j]);
            if (growth < least) {
                least = growth;
                first = i;
                second = j;
            }
        }
    }
    gpool__rect merged = rect;
    if (second < GPOOL__RECTS) {
        /* The higher index first: taking moves the last one into its place. */
        merged = rect_take(set, second);
        set->rects[set->count++] = rect;
    }
    merged = rect_union(rect_take(set, first), merged);
    /* There is room now. */
    (void)rect_absorb(set, &merged, slack);
}

void gpool__rect_set_mark(gpool__rect_set *set, gpool__rect rect, uint64_t slack)
{
    for (uint32_t i = 0; i < set->count; ++i) {
        if (rect_inside(rect, set->rects[i])) {
            return;
        }
    }
    if (!rect_absorb(set, &rect, slack)) {
        rect_squeeze(set, rect, slack);
    }
}

uint64_t gpool__rect_set_area(const gpool__rect_set *set)
{
    uint64_t area = 0;
    for (uint32_t i = 0; i < set->count; ++i) {
        area += rect_area(set->rects[i]);
    }
    return area;
}

bool gpool__rect_set_equal(const gpool__rect_set *a, const gpool__rect_set *b)
{
    return a->count == b->count && memcmp(a->rects, b->rects, a->count * sizeof *a->rects) == 0;
}
