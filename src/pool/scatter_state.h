/*
 * What a pool holds for its scatter pass; see scatter.h.
 */
#ifndef GPOOL_POOL_SCATTER_STATE_H
#define GPOOL_POOL_SCATTER_STATE_H

#include <gpool/gpu.h>

#include <stdbool.h>

typedef struct gpool__scatter_group {
    WGPUBuffer target;
    uint64_t offset; /* of the window */
    uint64_t used;   /* clock of the last use */
    WGPUBindGroup gpu;
} gpool__scatter_group;

/* One dispatch: granules of one window of one buffer. */
typedef struct gpool__scatter_segment {
    WGPUBuffer target;
    WGPUBindGroup group;
    uint64_t window;
    uint64_t window_size;
    uint64_t place;       /* of the piece in the payload */
    uint64_t size;        /* of it */
    uint64_t tail;        /* of the last granule in the payload, when it is not whole */
    uint64_t tail_offset; /* in the target */
    uint64_t tail_size;   /* 0 = none */
    uint32_t count;
    bool held; /* the group */
} gpool__scatter_segment;

typedef struct gpool__scatter {
    WGPUBindGroupLayout layout;
    WGPUComputePipeline pipeline; /* NULL = not made */
    WGPUBuffer payload;
    uint64_t payload_size;
    gpool__scatter_segment *segments;
    uint32_t segment_count;
    uint32_t segment_capacity;
    uint64_t clock;
    uint64_t large_frame; /* the last one in which more than a quarter of the payload was used */
    gpool__scatter_group *groups; /* see scatter_groups.c */
    uint32_t group_capacity;
    uint32_t group_count;
    uint64_t trim_frame; /* when the groups in use were counted last */
    uint64_t trim_clock; /* the clock then */
    bool refused;        /* the device or the implementation has no way to make the pipeline */
} gpool__scatter;

#endif
