/* gpool/buffer.h: buffers. */
#ifndef GPOOL_BUFFER_H
#define GPOOL_BUFFER_H

#include <gpool/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Set of GPOOL_BUFFER_* flags. */
typedef uint32_t gpool_buffer_usage;

/** What a buffer is used for. At least one is needed. */
enum {
    GPOOL_BUFFER_VERTEX = 1 << 0,        /**< vertex buffer */
    GPOOL_BUFFER_INDEX = 1 << 1,         /**< index buffer */
    GPOOL_BUFFER_UNIFORM = 1 << 2,       /**< uniform binding */
    GPOOL_BUFFER_STORAGE = 1 << 3,       /**< read-only storage binding */
    GPOOL_BUFFER_STORAGE_WRITE = 1 << 4, /**< read-write storage binding: gpu-written, no shadow */
    GPOOL_BUFFER_INDIRECT = 1 << 5,      /**< arguments of indirect draws and dispatches */
    GPOOL_BUFFER_COPY_SOURCE = 1 << 6,   /**< source of recorded copies */
    GPOOL_BUFFER_COPY_TARGET = 1 << 7,   /**< target of recorded copies and clears */
    GPOOL_BUFFER_READ_BACK = 1 << 8,     /**< may be read, at once or by ticket */
    GPOOL_BUFFER_QUERY_TARGET = 1 << 9   /**< target of query resolves made raw */
};

/** How a raw object is used by its caller. */
typedef enum gpool_access {
    GPOOL_ACCESS_READ, /**< commands only read it */
    GPOOL_ACCESS_WRITE /**< commands may change it: a buffer becomes gpu-written */
} gpool_access;

/** What a buffer is. */
typedef struct gpool_buffer_info {
    uint64_t size;             /**< bytes the user sees */
    uint64_t gpu_size;         /**< bytes of the GPU object: size rounded up to 4 */
    gpool_buffer_usage usage;  /**< flags given at creation */
    WGPUBufferUsage gpu_usage; /**< usage of the GPU object */
    uint64_t version;          /**< rises when the GPU object is replaced */
    uint64_t created_frame;    /**< frame of creation */
    uint64_t dirty_bytes;      /**< bytes not yet sent; see gpool_recycle_desc */
    uint64_t shadow_bytes;     /**< CPU bytes of the shadow it has now; 0 = none */
    gpool_keep keep;   /**< GPOOL_KEEP_SHADOW, or GPOOL_KEEP_DROP: so is a gpu-written one */
    bool dropped;      /**< GPOOL_KEEP_DROP: the GPU alone has the content */
    bool gpu_written;  /**< commands may change it; it has no shadow */
    bool imported;     /**< a foreign object */
    bool failed;       /**< could not be made; does nothing */
    const char *label; /**< valid until the buffer is destroyed */
} gpool_buffer_info;

/**
 * Brings the content of a buffer that gpool does not have: all of it, as it should be now, earlier
 * writes included. Called inside a call of gpool, on its thread: when a part of a buffer is written or
 * edited whose shadow was dropped, and by gpool_recover() for what was lost with the device. It may
 * destroy, release and retain, this buffer too; all other calls are refused as gpool_create() tells.
 *
 * @param user   gpool_buffer_desc.refill_user
 * @param pool   owner of the buffer
 * @param buffer handle, as gpool_buffer_create() returned it
 * @param info   what it is; its label is valid during the call
 * @param bytes  info->size zeros, to be filled; valid during the call
 * @return GPOOL_OK; anything else is what the call returns that asked, and the buffer is as before.
 */
typedef gpool_result (*gpool_fill_buffer_fn)(void *user, gpool *pool, gpool_buffer buffer,
                                             const gpool_buffer_info *info, void *bytes);

/** How gpool_buffer_create() makes a buffer. */
typedef struct gpool_buffer_desc {
    const void *data;         /**< first content, `size` bytes, copied; NULL = zeros */
    uint64_t size;            /**< bytes, at least 1; in whole words at most the device's
                                 maxBufferSize; a multiple of 4 with
                                 STORAGE_WRITE, COPY_TARGET or QUERY_TARGET */
    gpool_buffer_usage usage; /**< GPOOL_BUFFER_* flags */
    gpool_keep keep;          /**< 0 = a shadow, until commands write the buffer; SHADOW: the same,
                                 not with STORAGE_WRITE; DROP: only until what was written is
                                 submitted, then the memory is given back */
    gpool_fill_buffer_fn refill; /**< brings content that gpool lacks; NULL = nothing does */
    void *refill_user;           /**< handed to `refill` */
    const char *label;           /**< name in messages, copied; NULL = "" */
    gpool_scope scope;           /**< owner; null = the pool's root scope */
} gpool_buffer_desc;

/** A foreign buffer to take in. Writes to it need COPY_TARGET among `usage`. */
typedef struct gpool_buffer_import_desc {
    WGPUBuffer buffer;        /**< retained; must be of the pool's device and stay unmapped */
    gpool_buffer_usage usage; /**< what gpool may do with it; the object must allow it */
    bool this_frame;          /**< destroy it by itself at the end of the frame */
    const char *label;        /**< name in messages, copied; NULL = "" */
    gpool_scope scope;        /**< owner; null = the pool's root scope */
} gpool_buffer_import_desc;

/**
 * Creates a buffer. Its content is `data` or zeros; the GPU gets the data with the next submit.
 *
 * @return the handle; null for a caller's mistake (GPOOL_ERROR_INVALID_ARGUMENT: also an unknown keep
 *         policy, and SHADOW with STORAGE_WRITE, GPOOL_ERROR_MISSING_USAGE, GPOOL_ERROR_LIMIT,
 *         GPOOL_ERROR_OUT_OF_RANGE for size 0,
 *         GPOOL_ERROR_MISALIGNED for a size that commands cannot write, a handle error of the scope,
 *         GPOOL_ERROR_OUT_OF_MEMORY, see gpool_last_error()); a failed buffer, which does nothing,
 *         when the GPU refused (GPOOL_ERROR_OUT_OF_GPU_MEMORY, GPOOL_ERROR_GPU,
 *         GPOOL_ERROR_DEVICE_LOST).
 * Thread: owner. Allocates: yes, a shadow of `size` bytes unless gpu-written, or GPOOL_KEEP_DROP without
 * data; a failed buffer keeps it for gpool_recover().
 */
GPOOL_API gpool_buffer gpool_buffer_create(gpool *pool, const gpool_buffer_desc *desc);

/**
 * Takes in a foreign buffer as a handle. It is gpu-written and never cached past its life.
 *
 * @return the handle, or null (GPOOL_ERROR_INVALID_ARGUMENT, GPOOL_ERROR_MISSING_USAGE,
 *         GPOOL_ERROR_WRONG_PHASE for `this_frame` outside a frame, a handle error of the scope,
 *         GPOOL_ERROR_OUT_OF_MEMORY).
 * Thread: owner. Allocates: yes.
 */
GPOOL_API gpool_buffer gpool_buffer_import(gpool *pool, const gpool_buffer_import_desc *desc);

/**
 * Copies bytes into the buffer's shadow and marks that range dirty.
 *
 * Every command of the next submit sees the new bytes, also those recorded before this call.
 * Neighbouring writes are merged, so many small writes are fine; one of up to 256 bytes that changes
 * nothing marks nothing. A gpu-written buffer has no
 * shadow: there the bytes go to the queue at once, in order, and `offset` and `size` must be
 * multiples of 4.
 *
 * With GPOOL_KEEP_DROP the first write makes the shadow, and the submit that takes the bytes drops it.
 * From then on a write must cover the whole buffer, or the buffer have a refill: it is asked for the
 * content first, and what it brings is sent, all of it.
 *
 * @param offset bytes from the start of the buffer; any alignment unless gpu-written
 * @param data   `size` bytes, copied; may be reused on return
 * @param size   bytes; 0 does nothing
 * @return GPOOL_OK; a handle error; GPOOL_ERROR_FAILED_RESOURCE; GPOOL_ERROR_OUT_OF_RANGE;
 *         GPOOL_ERROR_MISALIGNED; GPOOL_ERROR_INVALID_ARGUMENT (null data);
 *         GPOOL_ERROR_MISSING_USAGE (imported without COPY_TARGET); gpu-written only: GPOOL_ERROR_GPU,
 *         GPOOL_ERROR_OUT_OF_GPU_MEMORY, GPOOL_ERROR_OUT_OF_MEMORY, GPOOL_ERROR_DEVICE_LOST;
 *         GPOOL_KEEP_DROP only: GPOOL_ERROR_NO_SHADOW (a part, of a buffer that was dropped and has no
 *         refill), GPOOL_ERROR_OUT_OF_MEMORY, what the refill answered, or a handle error if it destroyed
 *         the buffer: content and state are as before.
 * Thread: owner. Allocates: only where a gpu-written buffer's object is recycled and not cleared yet,
 * which takes a submit, and the shadow of a buffer that drops it. Cost: the copy.
 */
GPOOL_API gpool_result gpool_buffer_write(gpool *pool, gpool_buffer buffer, uint64_t offset,
                                          const void *data, uint64_t size);

/**
 * Copies elements into the buffer: gpool_buffer_write() at `first * stride`, for `count * stride` bytes.
 *
 * @param first  first element
 * @param count  elements; 0 does nothing
 * @param stride bytes from element to element in the buffer and in `data`, at least 1
 * @param data   `count * stride` bytes, copied
 * @return as gpool_buffer_write(); GPOOL_ERROR_INVALID_ARGUMENT also for stride 0, and
 *         GPOOL_ERROR_OUT_OF_RANGE also where the product is over 64 bits.
 * Thread: owner. Allocates: as gpool_buffer_write(). Cost: the copy.
 */
GPOOL_API gpool_result gpool_buffer_write_elements(gpool *pool, gpool_buffer buffer, uint64_t first,
                                                   uint64_t count, uint64_t stride,
                                                   const void *data);

/**
 * Copies elements to places all over the buffer: number i of `data` becomes element `indices[i]`, in
 * this order, so that the last wins where an index comes again. The same as a gpool_buffer_write() each
 * and faster, as memory is asked for ahead: the way to send a list of what moved. Either all are written
 * or, after an error of the arguments, none; the refill of a buffer must leave the indices alone.
 *
 * @param indices `count` elements; each times `stride` is its offset in bytes
 * @param count   elements; 0 does nothing
 * @param stride  bytes from element to element in the buffer and in `data`, at least 1
 * @param data    `count * stride` bytes, copied
 * @return as gpool_buffer_write(); GPOOL_ERROR_INVALID_ARGUMENT also for stride 0, null indices, indices
 *         that lie in the buffer's own memory of gpool_buffer_edit(), and where the product is over 64
 *         bits.
 * Thread: owner. Allocates: as gpool_buffer_write(). Cost: the copy, about 10 ns for a small element; a
 * gpu-written buffer takes a queue write for each run of neighbours.
 */
GPOOL_API gpool_result gpool_buffer_write_scattered(gpool *pool, gpool_buffer buffer,
                                                    const uint32_t *indices, uint64_t count,
                                                    uint64_t stride, const void *data);

/**
 * Returns the shadow's memory of a range, to be changed in place, and marks the range dirty: all of it
 * goes out with the next submit.
 *
 * The memory holds what was written last, zeros at first, and what gpool_buffer_write() brings
 * meanwhile. It may be read and changed until the next call that sends it (a submit, a read, raw access,
 * becoming gpu-written) or until the buffer is resized or destroyed; changes made later are not seen, and
 * after a resize or destroy, or with GPOOL_KEEP_DROP once it is sent, the memory is gone. An edit of all
 * of a buffer whose shadow was dropped begins with zeros; one of a part needs a refill, as for
 * gpool_buffer_write().
 *
 * @param offset bytes from the start of the buffer; any alignment
 * @param size   bytes; 0 gives NULL without an error
 * @return the memory, or NULL: a handle error; GPOOL_ERROR_FAILED_RESOURCE; GPOOL_ERROR_OUT_OF_RANGE;
 *         GPOOL_ERROR_NO_SHADOW (gpu-written or imported; a part, of a buffer that was dropped and has no
 *         refill); GPOOL_KEEP_DROP only: GPOOL_ERROR_OUT_OF_MEMORY, or what the refill answered. See
 *         gpool_last_error().
 * Thread: owner. Allocates: only the shadow of a buffer that drops it. Cost: the marks.
 */
GPOOL_API void *gpool_buffer_edit(gpool *pool, gpool_buffer buffer, uint64_t offset, uint64_t size);

/**
 * Tells how the buffer's bytes went out the last time, and why, and how they would now.
 *
 * @return GPOOL_OK, a handle error or GPOOL_ERROR_INVALID_ARGUMENT (null `info`).
 * Thread: owner. Cost: a scan of what is dirty.
 */
GPOOL_API gpool_result gpool_upload_explain(gpool *pool, gpool_buffer buffer,
                                            gpool_upload_info *info);

/**
 * Changes the size; content up to the smaller size is kept, new bytes are zero. The handle stays,
 * the version rises. The same size does nothing.
 *
 * @return GPOOL_OK; a handle error; GPOOL_ERROR_OUT_OF_RANGE (size 0); GPOOL_ERROR_LIMIT;
 *         GPOOL_ERROR_MISALIGNED (no multiple of 4 where commands may write, or smaller than now where
 *         the shadow was dropped);
 *         GPOOL_ERROR_RECORDED (an open recorder names it); GPOOL_ERROR_UNSUPPORTED (imported);
 *         GPOOL_ERROR_FAILED_RESOURCE; GPOOL_ERROR_OUT_OF_MEMORY; GPOOL_ERROR_OUT_OF_GPU_MEMORY;
 *         GPOOL_ERROR_GPU; GPOOL_ERROR_DEVICE_LOST. On any error the buffer is as before.
 * Thread: owner. Allocates: yes. Cost: the content once; buffers without a shadow copy on the
 * GPU, and ask no refill.
 */
GPOOL_API gpool_result gpool_buffer_resize(gpool *pool, gpool_buffer buffer, uint64_t size);

/**
 * Destroys a buffer. The handle is stale at once; work recorded before still runs, dirty bytes
 * still reach it, and the object is freed when the GPU is done and the delay has passed.
 *
 * @return GPOOL_OK, also for the null handle; another handle error.
 * Thread: any. Allocates: never.
 */
GPOOL_API gpool_result gpool_buffer_destroy(gpool *pool, gpool_buffer buffer);

/**
 * Tells what a buffer is.
 *
 * @return GPOOL_OK, a handle error or GPOOL_ERROR_INVALID_ARGUMENT (null `info`).
 * Thread: owner.
 */
GPOOL_API gpool_result gpool_buffer_get_info(gpool *pool, gpool_buffer buffer,
                                             gpool_buffer_info *info);

/**
 * Reads bytes back: sends what is dirty, submits a copy, waits. Recorded but unsubmitted commands
 * are not seen. For tests, exports and tools, not for every frame: see gpool_read_buffer().
 *
 * @param target receives `size` bytes
 * @return GPOOL_OK; a handle error; GPOOL_ERROR_FAILED_RESOURCE; GPOOL_ERROR_MISSING_USAGE (no
 *         READ_BACK); GPOOL_ERROR_OUT_OF_RANGE; GPOOL_ERROR_INVALID_ARGUMENT (null target);
 *         GPOOL_ERROR_MISALIGNED (the last bytes of an import whose size is no multiple of 4);
 *         GPOOL_ERROR_LIMIT (over maxBufferSize); GPOOL_ERROR_OUT_OF_MEMORY;
 *         GPOOL_ERROR_OUT_OF_GPU_MEMORY; GPOOL_ERROR_GPU; GPOOL_ERROR_TIMEOUT;
 *         GPOOL_ERROR_DEVICE_LOST.
 * Thread: owner. Cost: blocks until the GPU is done, at most the pool's wait limit.
 */
GPOOL_API gpool_result gpool_buffer_read(gpool *pool, gpool_buffer buffer, uint64_t offset,
                                         void *target, uint64_t size);

/**
 * Hands out the GPU object for raw work of the next submit: sends what is dirty first. Not
 * retained; valid until the buffer is resized, destroyed or recovered, and then as long as work submitted
 * through the pool, or noted with gpool_note_external_submit(), runs.
 *
 * @return the object, or NULL (a handle error, GPOOL_ERROR_FAILED_RESOURCE, an upload error,
 *         GPOOL_ERROR_MISSING_USAGE: WRITE without STORAGE_WRITE, COPY_TARGET or QUERY_TARGET).
 * Thread: owner.
 */
GPOOL_API WGPUBuffer gpool_buffer_gpu(gpool *pool, gpool_buffer buffer, gpool_access access);

#ifdef __cplusplus
}
#endif
#endif
