/*
 * GPU objects that several parts of a pool make.
 */
#ifndef GPOOL_POOL_MAKE_H
#define GPOOL_POOL_MAKE_H

#include "pool/pool_state.h"

/** Ends the capture around the making of an object with memory; `there`: the implementation gave one. */
gpool_result gpool__end_making(gpool *pool, bool there);

/**
 * Makes a buffer under capture; NULL on an error, which is not recorded: gpool__fail_gpu() can. What is
 * kept for reuse gives way to it.
 */
gpool_result gpool__try_buffer(gpool *pool, const WGPUBufferDescriptor *desc, WGPUBuffer *gpu);

/** The same with the error recorded; `what` says what was being made for the pool. */
WGPUBuffer gpool__make_buffer(gpool *pool, const WGPUBufferDescriptor *desc, const char *what,
                              gpool_result *result);

/** Makes a bind group under capture; NULL with the error recorded. */
WGPUBindGroup gpool__make_bind_group(gpool *pool, const WGPUBindGroupDescriptor *desc,
                                     const char *what, const char *label, gpool_result *result);

/** Begins an encoder under capture; NULL with the error recorded. */
WGPUCommandEncoder gpool__make_encoder(gpool *pool, const char *label, const char *what,
                                       gpool_result *result);

#endif
