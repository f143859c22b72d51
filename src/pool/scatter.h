/*
 * Scatter: one compute pass that puts dirty granules of many buffers in place. Payload and index go in
 * one copy from staging to a storage buffer; each piece of it, for one window of one buffer, is
 *
 *     head (where both begin, count; 16 bytes of 64) | granule numbers, 16 in 64 bytes | granules of 64
 *
 * at a multiple of 256, so that the head is bound by dynamic offset and one bind group serves a window
 * as long as the payload buffer stays (scatter_groups.c). Idea: bevy's sparse buffers (bevy#23242), joined over buffers.
 */
#ifndef GPOOL_POOL_SCATTER_H
#define GPOOL_POOL_SCATTER_H

#include "pool/flush.h"

/* Smaller buffers never scatter. */
#define GPOOL__SCATTER_LEAST ((uint64_t)16 << 10)

/* Bytes of the head of a piece. */
#define GPOOL__SCATTER_HEAD 16u

/** WGSL of the pass, for the simulator of the tests. */
extern const char gpool__scatter_wgsl[];

/** Makes the pipeline unless it is there or was refused. Told in the log as a fallback, never an error. */
void gpool__scatter_prepare(gpool *pool);

/** Most bytes of a buffer that one binding shows; 0 when the buffer cannot be scattered to. */
uint64_t gpool__scatter_window(const gpool *pool, const gpool__buffer *buffer);

/**
 * Records passes for all items whose way is SCATTER; counts calls and bytes in them. GPOOL_OK;
 * GPOOL_ERROR_BUDGET, not recorded, when staging has no more room: passes recorded so far may stay, as
 * they write what must be there anyway; or an error, recorded.
 */
gpool_result gpool__scatter_record(gpool *pool, WGPUCommandEncoder encoder,
                                   gpool__upload_item *items, uint32_t count);

/**
 * The bind group for a window of a GPU buffer and the payload there is now: found or made, and kept by
 * the cache, which may let go of it at the next call. NULL with the error recorded.
 */
WGPUBindGroup gpool__scatter_group_get(gpool *pool, WGPUBuffer target, uint64_t window,
                                       uint64_t window_size, gpool_result *result);

/** Lets go of all bind groups. */
void gpool__scatter_drop_groups(gpool *pool);

/** At the end of a frame: lets go of all after a while in which few of them were used. */
void gpool__scatter_trim_groups(gpool *pool);

/** Forgets bind groups of a GPU buffer that is about to go. Cost: those. */
void gpool__scatter_forget(gpool *pool, WGPUBuffer gpu);

/** Drops the scatter pass. */
void gpool__scatter_fini(gpool *pool);

#endif
