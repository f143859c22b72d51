/*
 * What a pool holds of GPU memory and commands of its own, to bring bytes to and from resources.
 */
#ifndef GPOOL_POOL_TRANSFER_STATE_H
#define GPOOL_POOL_TRANSFER_STATE_H

#include <gpool/gpu.h>

#include <stdbool.h>

/* What a piece of staging memory is for; see staging.h. */
typedef enum gpool__stage {
    GPOOL__STAGE_BATCH,  /* commands that lead the next submit, whichever it is */
    GPOOL__STAGE_RECORD, /* the open recording */
    GPOOL__STAGE_COUNT
} gpool__stage;

struct gpool__staging_block;

typedef struct gpool__staging {
    struct gpool__staging_block *ready; /* mapped */
    struct gpool__staging_block *away;  /* submitted or asked for, oldest first */
    struct gpool__staging_block *used[GPOOL__STAGE_COUNT];
    uint64_t bytes;  /* of all blocks */
    uint64_t budget; /* most of them */
    uint64_t taken;  /* since the last submit */
    uint64_t demand; /* taken by the last submit that took any */
    bool looked;     /* the device was alive just now */
} gpool__staging;

/* Finished command buffers that lead the next submit; see batch.c. */
typedef struct gpool__batch {
    WGPUCommandBuffer *commands;
    uint32_t count;
    uint32_t capacity;
    uint32_t number; /* rises with each submit */
} gpool__batch;

/* GPU memory beside the slabs of heaps: WebGPU copies only between different buffers. */
typedef struct gpool__bounce {
    WGPUBuffer gpu; /* NULL = none */
    uint64_t size;
    uint64_t frame; /* of its last use */
} gpool__bounce;

#define GPOOL__LANDING_CLASSES 73u

/* Staging buffers kept for the next tickets; see landing.h. */
typedef struct gpool__landings {
    struct gpool__landing *kept[GPOOL__LANDING_CLASSES]; /* by size class, newest first */
    uint32_t count;
    uint64_t bytes;
} gpool__landings;

#endif
