/*
 * Requests to map a buffer. The answer may come on another thread that polls the same instance, and
 * after the waiter gave up, also after the pool is gone (Dawn delivers the abort at its next poll). So
 * a record is libc memory that whoever comes second frees. It may be used again once answered.
 *
 * Trap: on a lost wgpu-native device a map reports success, and asking for the range then ends the
 * process. Whoever asks for a range looks at the device first, by the canary or by an encoder of its
 * own.
 */
#ifndef GPOOL_POOL_MAP_H
#define GPOOL_POOL_MAP_H

#include "pool/pool_state.h"

typedef struct gpool__map gpool__map;

/** A record for one buffer; NULL without memory. */
gpool__map *gpool__map_create(void);

/** Asks for bytes [0, size). No request may be under way. An error of the call still gets an answer. */
gpool_result gpool__map_begin(gpool *pool, gpool__map *map, WGPUBuffer buffer, WGPUMapMode mode,
                              uint64_t size);

/** True when the newest request has its answer. */
bool gpool__map_is_answered(const gpool__map *map);

/** True while the newest request has no answer. */
bool gpool__map_is_waiting(const gpool__map *map);

/** True when that answer is "mapped". */
bool gpool__map_is_good(const gpool__map *map);

/**
 * Polls until the answer is there. GPOOL_OK, GPOOL_ERROR_TIMEOUT, GPOOL_ERROR_DEVICE_LOST or
 * GPOOL_ERROR_GPU (refused); nothing is recorded.
 */
gpool_result gpool__map_wait(gpool *pool, const gpool__map *map, uint64_t timeout_ns);

/** Gives the record up, answered or not. NULL is silent. */
void gpool__map_release(gpool__map *map);

#endif
