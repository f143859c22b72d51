/*
 * Staging: blocks of memory that the CPU writes while they are mapped and encoders copy from. A block
 * goes round: ready (mapped, unused), in use (bytes were taken for the next submit), away (submitted;
 * asked to be mapped again), ready.
 *
 * Bytes are taken for one of two stages, as these end at different submits: what goes before the
 * commands of the next submit, whichever it is, and what an open recording copies from.
 *
 * Invariants: every block of a stage is unmapped before the submit that ends the stage (a mapped one
 * would end the process on wgpu-native) and asked for after it; a block in use is never given to
 * another stage; no more bytes than the budget are held.
 */
#ifndef GPOOL_POOL_STAGING_H
#define GPOOL_POOL_STAGING_H

#include "pool/map.h"

/* Smallest block. */
#define GPOOL__STAGING_BLOCK ((uint64_t)64 << 10)
/* Blocks grow with the demand of a submit, up to this size; larger pieces get a block of their own. */
#define GPOOL__STAGING_LARGE ((uint64_t)16 << 20)
/* A block that was not used for so many frames is freed. */
#define GPOOL__STAGING_IDLE 60u

typedef struct gpool__staging_block {
    struct gpool__staging_block *next;
    WGPUBuffer gpu;
    uint8_t *bytes; /* NULL unless mapped */
    gpool__map *map;
    uint64_t size;
    uint64_t used;
    uint64_t frame; /* of its last use */
} gpool__staging_block;

/* A piece of a block, to be filled by the CPU and copied from by an encoder. */
typedef struct gpool__staged {
    WGPUBuffer gpu;
    uint64_t offset;
    uint8_t *bytes;
} gpool__staged;

/**
 * Takes `size` bytes at a multiple of 16 for a stage. GPOOL_OK; GPOOL_ERROR_BUDGET (nothing recorded:
 * the caller has another way or tells it); GPOOL_ERROR_OUT_OF_MEMORY, GPOOL_ERROR_OUT_OF_GPU_MEMORY,
 * GPOOL_ERROR_GPU, GPOOL_ERROR_DEVICE_LOST or GPOOL_ERROR_TIMEOUT with the error recorded. Waits for
 * the GPU only when the budget is reached and a block is away.
 */
gpool_result gpool__staging_take(gpool *pool, gpool__stage stage, uint64_t size,
                                 gpool__staged *staged);

/** Frees all blocks, also those away. */
void gpool__staging_fini(gpool *pool);

/**
 * Before a submit that ends a stage: unmaps its blocks, if possible before the look that tells whether
 * the device is lost. True when there were any.
 */
bool gpool__staging_unmap(gpool *pool, gpool__stage stage);

/** After it, or when what copied from the stage was dropped: the blocks go round. */
void gpool__staging_end(gpool *pool, gpool__stage stage);

/** Frees staging that was idle for long. */
void gpool__staging_trim(gpool *pool);

#endif
