/*
 * What a flush of dirty bytes works on; see upload.c.
 */
#ifndef GPOOL_POOL_FLUSH_H
#define GPOOL_POOL_FLUSH_H

#include "pool/plan.h"
#include "pool/pool_state.h"

/* One buffer of a flush. */
typedef struct gpool__upload_item {
    gpool__buffer *buffer;
    gpool__plan plan;
    uint64_t sent;  /* bytes */
    uint32_t calls; /* into webgpu.h */
    bool recorded;  /* the encoder writes some of it, whatever way the rest goes */
} gpool__upload_item;

/** How a buffer would go out now. */
gpool__plan gpool__upload_plan(gpool *pool, const gpool__buffer *buffer);

/** The table for a device. */
const gpool_upload_costs *gpool__upload_costs_of(const gpool_device *device);

#endif
