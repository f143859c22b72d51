/*
 * The plan: which way the dirty bytes of a buffer go, by predicted time. Pure CPU.
 *
 * A buffer's way is chosen by itself, with what a flush pays once left out; then all buffers of a flush
 * that would need it pay it together, or none does.
 */
#ifndef GPOOL_POOL_PLAN_H
#define GPOOL_POOL_PLAN_H

#include <gpool/range.h>
#include <gpool/upload.h>

/* One granule of a buffer with a shadow. */
#define GPOOL__GRANULE 64u
/* Buffers below this many bytes are always sent whole. */
#define GPOOL__WHOLE_BELOW 256u
/* Nanoseconds that it takes the CPU to find a run of dirty granules that is merged with others. */
#define GPOOL__RUN_NS 2.5f

/* What is known of a buffer when its way is chosen. */
typedef struct gpool__plan_input {
    const gpool_dirty_map *dirty;
    uint64_t size;   /* bytes of the GPU object */
    uint64_t window; /* most bytes that one storage binding shows; 0 = it cannot scatter */
    bool small;      /* the user's bytes are under GPOOL__WHOLE_BELOW */
    bool by_queue;   /* queue writes are allowed: no commands of this batch touch the buffer */
    gpool_upload_way force;
} gpool__plan_input;

typedef struct gpool__plan {
    gpool_upload_way way;
    gpool_upload_reason reason;
    bool staged;  /* it needs an encoder and staging; WHOLE and DIRECT may go by queue writes */
    uint64_t gap; /* ranges nearer than this are joined */
    uint64_t granules; /* dirty ones */
    uint64_t dirty_bytes;
    uint64_t ranges;
    float ns[GPOOL_UPLOAD_COUNT]; /* predicted without what is paid once; negative = not possible */
    float whole_queue;            /* WHOLE as a queue write; negative = not possible */
    float whole_staged;           /* and through staging */
} gpool__plan;

/** Bytes of a queue write that cost as much as one write more; at most a MiB. */
uint64_t gpool__plan_write_bytes(const gpool_upload_costs *costs);

/** Plans one buffer, as if what is paid once were paid. Costs one scan of what is dirty. */
gpool__plan gpool__plan_buffer(const gpool_upload_costs *costs, const gpool__plan_input *input);

/**
 * Decides for all buffers of a flush whether scattering, and staging at all, is worth what is paid once;
 * those that may go by the queue change their way if not.
 */
void gpool__plan_settle(const gpool_upload_costs *costs, gpool__plan *const *plans, uint32_t count);

/** Predicted nanoseconds of a flush of this buffer alone that way, with what is paid once; negative =
 * not possible. */
float gpool__plan_alone(const gpool_upload_costs *costs, const gpool__plan *plan,
                        gpool_upload_way way);

/** True when every field is finite and not negative. */
bool gpool__costs_are_good(const gpool_upload_costs *costs);

#endif
