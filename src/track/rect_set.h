/*
 * Which rectangles of a plane are not yet on the GPU: at most GPOOL__RECTS, merged when one costs no
 * more than two.
 *
 * Invariants: a cell marked since the last clear lies inside a rectangle; no rectangle lies inside
 * another; no two would be cheaper as one; marking allocates nothing. Rectangles may overlap. Cells are
 * whatever the owner counts in, blocks of texels here. Zeroed is empty.
 */
#ifndef GPOOL_TRACK_RECT_SET_H
#define GPOOL_TRACK_RECT_SET_H

#include <stdbool.h>
#include <stdint.h>

#define GPOOL__RECTS 8u

/* Cells [x, x + width) of rows [y, y + height); neither extent is 0, no edge is over 2^30. */
typedef struct gpool__rect {
    uint32_t x, y, width, height;
} gpool__rect;

typedef struct gpool__rect_set {
    gpool__rect rects[GPOOL__RECTS]; /* beyond `count`: stale */
    uint32_t count;
} gpool__rect_set;

/**
 * Marks a rectangle. Two are merged when that adds at most `slack` cells that neither has: what a
 * rectangle of its own costs, in cells. When there is no room, the two are merged that add least.
 * Cost: the rectangles, squared when there is no room.
 */
void gpool__rect_set_mark(gpool__rect_set *set, gpool__rect rect, uint64_t slack);

/** Cells of all rectangles; those in two count twice. */
uint64_t gpool__rect_set_area(const gpool__rect_set *set);

/** True when both have the same rectangles in the same order. */
bool gpool__rect_set_equal(const gpool__rect_set *a, const gpool__rect_set *b);

#endif
