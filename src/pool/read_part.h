/*
 * Reading back: what reads at once and reads by ticket share. Bytes come packed out of a staging buffer
 * that is mapped for reading.
 */
#ifndef GPOOL_POOL_READ_PART_H
#define GPOOL_POOL_READ_PART_H

#include "pool/pool_state.h"

/* Rows inside a staging buffer. */
typedef struct gpool__rows {
    uint64_t offset; /* of the first row */
    uint64_t bytes;  /* of a row */
    uint64_t stride; /* from row to row */
    uint64_t count;
} gpool__rows;

/**
 * Copies rows, packed, from a staging buffer that the newest submit fills. Blocks within the pool's
 * limit.
 */
gpool_result gpool__read_staging(gpool *pool, WGPUBuffer staging, uint64_t size, gpool__rows rows,
                                 void *target);

/** Makes a staging buffer for reading back; NULL with the error recorded. */
WGPUBuffer gpool__make_staging(gpool *pool, uint64_t size, gpool_result *result);

/** Copies rows, packed, from a mapped staging buffer, which stays mapped. Nothing is recorded. */
gpool_result gpool__read_mapped(gpool *pool, WGPUBuffer staging, uint64_t size, gpool__rows rows,
                                void *target);

/** Checks a range that is to be read; `*first` and `*bytes` are what a copy of whole words takes. */
gpool_result gpool__buffer_read_part(gpool *pool, const gpool__buffer *buffer, uint64_t offset,
                                     uint64_t size, uint64_t *first, uint64_t *bytes);

/** Checks a region that is to be read, and lays its rows out in a staging buffer. */
gpool_result gpool__texture_read_part(gpool *pool, const gpool__texture *texture,
                                      const gpool_texture_region *region, gpool__texture_part *part,
                                      gpool__rows *rows);

/** Records the copy of a part into a staging buffer. */
void gpool__texture_copy_out(gpool *pool, WGPUCommandEncoder encoder, const gpool__texture *texture,
                             const gpool__texture_part *part, const gpool__rows *rows,
                             WGPUBuffer staging);

#endif
