/* gpool/upload.h: how changed bytes reach the GPU. */
#ifndef GPOOL_UPLOAD_H
#define GPOOL_UPLOAD_H

#include <gpool/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A way to send the dirty bytes of a buffer. */
typedef enum gpool_upload_way {
    GPOOL_UPLOAD_AUTO,    /**< the one predicted to be fastest */
    GPOOL_UPLOAD_DIRECT,  /**< a queue write for each range, near ones joined */
    GPOOL_UPLOAD_MERGED,  /**< a copy from staging for each range, near ones joined */
    GPOOL_UPLOAD_SCATTER, /**< one compute pass puts all dirty granules of 64 bytes in place */
    GPOOL_UPLOAD_WHOLE,   /**< the whole buffer, once */
    GPOOL_UPLOAD_COUNT    /**< one more than the last */
} gpool_upload_way;

/**
 * What sending costs on one kind of device: nanoseconds until the GPU is done, of which the CPU's part
 * is most. `gpool-bench --calibrate` measures such a table. Fields must be finite and not negative.
 */
typedef struct gpool_upload_costs {
    float write_call;      /**< a queue write */
    float write_byte;      /**< a byte of one */
    float stage_fixed;     /**< once: an encoder, its submit, a block unmapped and mapped again */
    float copy_call;       /**< a copy from staging */
    float copy_byte;       /**< a byte of one */
    float scatter_fixed;   /**< once: the copy of payload and index, a compute pass */
    float scatter_buffer;  /**< each buffer and binding window: a bind group, a dispatch */
    float scatter_granule; /**< each dirty granule of 64 bytes */
} gpool_upload_costs;

/** Part of gpool_desc. All zero is a good default. */
typedef struct gpool_upload_desc {
    gpool_upload_way force;          /**< this way wherever it is possible; AUTO = the fastest */
    const gpool_upload_costs *costs; /**< copied; NULL = the table built in for the device */
    uint64_t staging_budget;         /**< most bytes of mapped staging memory; 0 = 256 MiB */
} gpool_upload_desc;

/** Why a way was chosen. */
typedef enum gpool_upload_reason {
    GPOOL_UPLOAD_REASON_NONE,    /**< nothing was sent yet */
    GPOOL_UPLOAD_REASON_SMALL,   /**< under 256 bytes: always whole */
    GPOOL_UPLOAD_REASON_FASTEST, /**< predicted to be the fastest */
    GPOOL_UPLOAD_REASON_FORCED,  /**< gpool_upload_desc.force */
    GPOOL_UPLOAD_REASON_BUDGET   /**< no staging memory under the budget: queue writes */
} gpool_upload_reason;

/** How a buffer's bytes went out the last time, and how they would now. */
typedef struct gpool_upload_info {
    gpool_upload_way way;       /**< of the last upload; AUTO = there was none */
    gpool_upload_reason reason; /**< of that choice */
    uint64_t sent_bytes;        /**< by the last upload, payload with what joining adds */
    uint32_t calls;             /**< queue writes, copies or dispatches of the last upload */
    float predicted_ns;         /**< what the last upload was predicted to cost */

    uint64_t dirty_bytes;         /**< now: in dirty granules */
    uint64_t dirty_ranges;        /**< now: runs of dirty granules */
    gpool_upload_way next;        /**< what would be chosen now; AUTO = nothing is dirty */
    gpool_upload_reason why;      /**< reason of that */
    float ns[GPOOL_UPLOAD_COUNT]; /**< predicted now, by way; negative = not possible. [AUTO] = that
                                      of `next` */
} gpool_upload_info;

/** Name of a way, such as "scatter"; never NULL. Thread: any. */
GPOOL_API const char *gpool_upload_way_name(gpool_upload_way way);

/** Name of a reason, such as "fastest"; never NULL. Thread: any. */
GPOOL_API const char *gpool_upload_reason_name(gpool_upload_reason reason);

#ifdef __cplusplus
}
#endif
#endif
