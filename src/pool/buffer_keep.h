/*
 * When a buffer has a shadow. One that keeps it has it from its creation until commands write it. With
 * GPOOL_KEEP_DROP it is there only while bytes wait to be sent and until the submit that takes them is
 * known to have worked: what is sent stands on the list of sent buffers with its shadow, so that a
 * refused submit, or the loss of the device, can send it again. The submit that works ends the list.
 *
 * Without a shadow the content is zeros, or, when `dropped`, what only the GPU has. A shadow always has
 * the whole content: one that is made again is filled with zeros, by the write that covers all of it,
 * or by the buffer's refill. Then all of it is dirty, unless the GPU has zeros as well.
 */
#ifndef GPOOL_POOL_BUFFER_KEEP_H
#define GPOOL_POOL_BUFFER_KEEP_H

#include "pool/pool_state.h"

/** Makes shadow and map, of zeros; size must be set. Both or, with the error recorded, none. */
gpool_result gpool__buffer_make_shadow(gpool *pool, gpool__buffer *buffer);

/** Frees shadow and map, if they are there, and takes the buffer out of its list. */
void gpool__buffer_free_shadow(gpool *pool, gpool__buffer *buffer);

/**
 * Makes the shadow of a good buffer that drops it, for a write of a range: marked, filled, in the list.
 * May call the user's refill.
 */
gpool_result gpool__buffer_get_shadow(gpool *pool, gpool__buffer *buffer, uint64_t offset,
                                      uint64_t size);

/** Notes that what was dirty is on its way. */
void gpool__upload_enlist_sent(gpool *pool, gpool__buffer *buffer);

/** After a submit that worked: drops the shadows of all that was sent. */
void gpool__buffers_drop_sent(gpool *pool);

/** Makes a buffer gpu-written: sends what is pending, drops the shadow. */
gpool_result gpool__buffer_become_gpu_written(gpool *pool, gpool__buffer *buffer);

/** Keeps the refill of a descriptor, if there is one. */
gpool_result gpool__buffer_set_refill(gpool *pool, gpool__buffer *buffer,
                                      const gpool_buffer_desc *desc);

void gpool__buffer_free_refill(gpool *pool, gpool__buffer *buffer);

/** Lets a buffer's refill bring what was lost with the device; GPOOL_ERROR_UNSUPPORTED without one. */
gpool_result gpool__buffer_refill(gpool *pool, gpool__buffer *buffer);

/** What gpool_buffer_get_info() tells. */
gpool_buffer_info gpool__buffer_info_of(gpool *pool, const gpool__buffer *buffer);

#endif
