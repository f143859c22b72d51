/*
 * Landings: staging buffers that reads of tickets end in, and those that wait for the next ticket of
 * their size. Not to be taken for staging.h, whose memory goes the other way.
 *
 * Sizes go by classes, four to a power of two, so that a picture that changes its size a little finds
 * one again. Kept ones are bounded by count and bytes, and go when nothing used them for some frames.
 *
 * Invariant: a kept buffer is not mapped, and no map of it can come true any more: a submit that names a
 * mapped buffer ends the process on wgpu-native. The answer of a request that was given up may still be
 * under way; the buffer rests until it is there, as its record is in use.
 */
#ifndef GPOOL_POOL_LANDING_H
#define GPOOL_POOL_LANDING_H

#include "pool/map.h"

typedef struct gpool__landing {
    struct gpool__landing *next; /* kept, same class */
    WGPUBuffer gpu;
    gpool__map *map;
    uint64_t size;  /* bytes of the GPU object */
    uint64_t frame; /* it was given back in */
    bool asked;     /* to map, since it was taken */
    bool refused;   /* the request was an error: not used again */
} gpool__landing;

/** A buffer of at least `size` bytes, not mapped; NULL with the error recorded. */
gpool__landing *gpool__landing_take(gpool *pool, uint64_t size, gpool_result *result);

/** Asks to map bytes [0, size), when the submit that fills them is out. Nothing is recorded. */
gpool_result gpool__landing_map(gpool *pool, gpool__landing *landing, uint64_t size);

/** Gives a buffer up, mapped or not, for the next one; commands recorded or submitted may name it. */
void gpool__landing_give_back(gpool *pool, gpool__landing *landing);

/** Releases a buffer that is not kept. */
void gpool__landing_drop(gpool *pool, gpool__landing *landing);

/** At the end of a frame: releases what nothing used for long. Cost: nothing when nothing is kept. */
void gpool__landing_trim(gpool *pool);

/** Releases all that are kept. */
void gpool__landing_fini(gpool *pool);

#endif
