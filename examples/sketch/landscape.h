/* landscape.h: the height field as numbers: an island in a lake, hills around it, mountains. */
#ifndef SKETCH_LANDSCAPE_H
#define SKETCH_LANDSCAPE_H

#include "geometry.h"

#define LANDSCAPE_MAX_CELLS 256u

/* Height of a place; `phase` moves what is far away. The lake's surface is at 0. */
float landscape_height(float x, float z, float phase);

/* Heights along grid line `z_line` of `cells`: cells + 1 of them. */
void landscape_heights(float *heights, uint32_t z_line, uint32_t cells, float phase);

/* Fills the vertices of one row from three lines of heights: before, at and after it. */
void landscape_row(vertex *row, uint32_t z_line, uint32_t cells, const float *before,
                   const float *at, const float *after);

#endif
