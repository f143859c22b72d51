/* palette.h: colours of the sky as a small texture, horizon to zenith by away from / towards the sun. */
#ifndef SKETCH_PALETTE_H
#define SKETCH_PALETTE_H

#include "vector.h"

#include <gpool/gpool.h>

/* Creates the texture, still black; null when the pool failed. */
gpool_texture palette_create(gpool *pool);

/* Writes all colours, from day (dusk = 0) to late dusk (dusk = 1). */
gpool_result palette_write(gpool *pool, gpool_texture texture, float dusk);

/* One colour of it: `at` from horizon (0) to zenith (1), away from (0) or towards the sun (1). */
vec3 palette_color(float dusk, float at, int towards);

#endif
