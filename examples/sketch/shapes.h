/* shapes.h: meshes out of nothing, for what no file holds and for a machine without files. */
#ifndef SKETCH_SHAPES_H
#define SKETCH_SHAPES_H

#include "geometry.h"

/* All return false without memory, with `shape` empty. Sizes as by geometry_normalize(). */

/* A box with its own texture square on each side, edge 1, standing on y = 0. */
bool shape_crate(geometry *shape);

/* A lump of rock around the origin, about 2 across; `rings` sets the fineness. */
bool shape_rock(geometry *shape, uint32_t rings, uint32_t seed);

/* A tube along the torus knot (p, q), centred. */
bool shape_knot(geometry *shape, uint32_t p, uint32_t q, uint32_t steps, uint32_t sides);

/* A profile of radius and height, from bottom to top, turned about y. */
bool shape_lathe(geometry *shape, const float (*profile)[2], uint32_t point_count, uint32_t sides);

#endif
