/* gpool/pool.h: the pool and its frame. */
#ifndef GPOOL_POOL_H
#define GPOOL_POOL_H

#include <gpool/device.h>
#include <gpool/store.h>
#include <gpool/handle.h>
#include <gpool/upload.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Owns GPU resources, knows what changed, uploads that, records and submits. */
typedef struct gpool gpool;

/** Asks for no delete delay where 0 means the default. */
#define GPOOL_DELAY_NONE UINT32_MAX

/** Asks for no compile workers where 0 means the default. */
#define GPOOL_WORKERS_NONE UINT32_MAX

/** Whether a buffer or texture keeps a copy of its content on the CPU, its shadow. */
typedef enum gpool_keep {
    GPOOL_KEEP_AUTO = 0, /**< buffers: as SHADOW, unless gpu-written; textures: as DROP */
    GPOOL_KEEP_SHADOW,   /**< keeps it: writes are gathered, and gpool_recover() has the content */
    GPOOL_KEEP_DROP      /**< keeps none: the memory is saved, the GPU alone has the content */
} gpool_keep;

/**
 * How GPU objects of freed buffers and textures are used again. All zero is a good default.
 *
 * A buffer gets one that was of a buffer of the same size in whole words and the same WebGPU usage, a
 * texture one of the same descriptor. Content is as promised: zeros, or the data given. What was handed
 * out raw, is multisampled or has depth or stencil is not used again; of textures that are created
 * without data only render targets, of at most 16 levels times layers, get one. A small buffer with a
 * shadow that gets one is wholly dirty at first, also without data. GPU debuggers show
 * the label of an object's first life; gpool's own messages have the present one.
 */
typedef struct gpool_recycle_desc {
    bool off;                /**< freed objects are released at once */
    uint64_t budget;         /**< GPU bytes kept at most; 0 = 64 MiB. The oldest give way */
    uint32_t max_age_frames; /**< frames an object is kept; 0 = 120 */
} gpool_recycle_desc;

/** How gpool_create() makes a pool. All zero is a good default. */
typedef struct gpool_desc {
    const char *label;            /**< name in messages, copied; NULL = "pool" */
    uint32_t frames_in_flight;    /**< frames the CPU may be ahead of the GPU; 0 = 2, at most 8 */
    uint32_t delete_delay_frames; /**< frames a destroyed object is kept besides; 0 = 2 */
    uint32_t wait_timeout_ms;     /**< limit of any wait for the GPU or a compile; 0 = 10000 */
    uint32_t compile_workers; /**< threads that compile shaders and pipelines; 0 = 1, at most 64;
                                   GPOOL_WORKERS_NONE = creating compiles. Started by the first
                                   shader; none, with a log line, where the device cannot */
    uint32_t
        shader_watch_ms; /**< gpool_begin_frame() looks at the files of shaders so often and makes
                                   those that changed anew; 0 = not, see gpool_shader_file_changed() */
    gpool_upload_desc upload;   /**< how dirty bytes are sent */
    gpool_recycle_desc recycle; /**< whether freed GPU objects are used again */
    gpool_store *store; /**< where what was compiled is noted for the next run, see gpool_warm_up();
                             outlives the pool; NULL = nowhere */
    const char *program;       /**< whose notes, copied: programs that share a store do not mix;
                                     NULL = "" */
    bool measure;              /**< fills the CPU times of gpool_stats; costs clock reads */
    gpool_log_fn log;          /**< receives records; NULL = stderr, errors and warnings only */
    void *log_user;            /**< handed to `log` */
    gpool_allocator allocator; /**< all zero = malloc */
} gpool_desc;

/**
 * Makes a pool on a device and retains the device.
 *
 * @param desc NULL = all defaults; nothing in it is kept
 * @param pool set to the pool, or to NULL on failure
 * @return GPOOL_OK, GPOOL_ERROR_INVALID_ARGUMENT, GPOOL_ERROR_TOO_MANY_POOLS (16 live),
 *         GPOOL_ERROR_OUT_OF_MEMORY, GPOOL_ERROR_OUT_OF_GPU_MEMORY, GPOOL_ERROR_GPU,
 *         GPOOL_ERROR_DEVICE_LOST or GPOOL_ERROR_WRONG_PHASE (a callback inside a call of gpool).
 * Thread: any; the calling thread owns the pool. Every function whose comment says "owner" refuses
 * other threads with GPOOL_ERROR_WRONG_THREAD and touches nothing; see gpool_own(). Those that destroy,
 * release and retain say "any": on another thread the handle dies at once, for everybody, and the owner
 * does the rest of the destroy at its next frame call (any function below from gpool_begin_frame() on);
 * what fails there is returned and logged, but is not the pool's last error. The same holds inside a
 * callback of the program's that runs in the middle of a call of gpool (by the implementation in a poll,
 * a submit, a loss; a gpool_fill_buffer_fn), on whatever thread: it may destroy, release and retain;
 * everything else, on any pool and device, is refused with GPOOL_ERROR_WRONG_PHASE and touches nothing.
 * Allocates: yes.
 */
GPOOL_API gpool_result gpool_create(gpool_device *device, const gpool_desc *desc, gpool **pool);

/**
 * Ends a pool: drops unsubmitted work, waits for the GPU (at most the pool's wait limit), logs each
 * leaked resource by label, kind, bytes, scope and frame, frees everything. NULL is silent. All handles
 * and recorders of the pool are dead afterwards. No other thread may be in a call on the pool, or make
 * one later: gpool cannot see that. Refused (told in the log) in a
 * callback of gpool_recover() or gpool_warm_up().
 * Thread: owner. Cost: all that the pool holds.
 */
GPOOL_API void gpool_destroy(gpool *pool);

/**
 * Makes the calling thread the owner. The thread that owned the pool must be out of all its calls,
 * and what it did must be visible here (a join, a lock, a queue): gpool cannot see that.
 *
 * @return GPOOL_OK or GPOOL_ERROR_INVALID_ARGUMENT (null pool).
 * Thread: any.
 */
GPOOL_API gpool_result gpool_own(gpool *pool);

/**
 * Returns the pool's last error; never NULL, also for a null pool or on a thread that does not own
 * it. Thread: owner.
 */
GPOOL_API const gpool_error *gpool_last_error(const gpool *pool);

/** Returns the pool's device, not retained; NULL for NULL and for others. Thread: owner. */
GPOOL_API gpool_device *gpool_pool_device(const gpool *pool);

/**
 * Returns the number of the frame: how many times gpool_begin_frame() succeeded; 0 for a null pool or
 * on a thread that does not own it. Thread: owner.
 */
GPOOL_API uint64_t gpool_frame(const gpool *pool);

/**
 * Begins a frame: collects what the GPU finished, and waits only while `frames_in_flight` frames are
 * submitted and not done. Tells how compiles went, and swaps in shaders that were reloaded.
 *
 * @return GPOOL_OK; GPOOL_ERROR_WRONG_PHASE (a frame is open); GPOOL_ERROR_TIMEOUT (the GPU is too
 *         far behind; no frame is open then, call again); GPOOL_ERROR_DEVICE_LOST;
 *         GPOOL_ERROR_INVALID_ARGUMENT (null pool).
 * Thread: owner. Allocates: when shaders compiled or changed. Cost: one poll; no object is visited. Of
 * a pool without workers also that of compiling what changed.
 */
GPOOL_API gpool_result gpool_begin_frame(gpool *pool);

/**
 * Uploads what is dirty, then finishes the frame recorder and submits everything in declared order
 * as one queue submit. Several a frame are legal; the recorder starts fresh after it.
 *
 * Writes made before this call are seen by every command of this submit, also by those recorded
 * before the write. With nothing dirty and nothing recorded it makes no GPU call.
 *
 * @return GPOOL_OK, or the first error latched by the recorder (its other commands ran, unless Finish
 *         reported an error too, which the log tells and gpool_stats.dropped_recorders counts);
 *         GPOOL_ERROR_WRONG_PHASE outside a frame; GPOOL_ERROR_GPU when Finish reported an error
 *         (the recorder was dropped, uploads went out); when uploads fail: their error, nothing is
 *         submitted and dirty bytes and recorder stay, also when the GPU lacks memory for the submit
 *         itself (GPOOL_ERROR_OUT_OF_GPU_MEMORY): call again; GPOOL_ERROR_DEVICE_LOST;
 *         GPOOL_ERROR_OUT_OF_MEMORY; GPOOL_ERROR_TIMEOUT (see gpool_process_uploads());
 *         GPOOL_ERROR_INVALID_ARGUMENT (null pool).
 * Thread: owner. Cost: what changed.
 */
GPOOL_API gpool_result gpool_submit(gpool *pool);

/**
 * Sends every dirty byte to its resource in a submit of its own; for those who submit raw work
 * afterwards. Legal inside and outside frames. The recorder is untouched.
 *
 * @return GPOOL_OK; GPOOL_ERROR_OUT_OF_MEMORY; GPOOL_ERROR_GPU; GPOOL_ERROR_OUT_OF_GPU_MEMORY;
 *         GPOOL_ERROR_DEVICE_LOST; GPOOL_ERROR_TIMEOUT (the staging budget is used up and the GPU gives
 *         nothing back); GPOOL_ERROR_INVALID_ARGUMENT (null pool). On an error all that was not sent
 *         stays dirty.
 * Thread: owner. Cost: what changed.
 */
GPOOL_API gpool_result gpool_process_uploads(gpool *pool);

/**
 * Frees retired objects whose last serial is done and whose delay has passed: at most 1,024 or a
 * quarter of those that wait, whichever is more, so that a burst of destroys stalls no frame. On a lost
 * device all is done, and no delay counts.
 *
 * @return GPOOL_OK or GPOOL_ERROR_INVALID_ARGUMENT (null pool).
 * Thread: owner. Cost: objects freed.
 */
GPOOL_API gpool_result gpool_process_deletions(gpool *pool);

/**
 * Ends a frame: gpool_submit() and gpool_process_deletions(). The frame is over also on an error;
 * when uploads failed its recorder is dropped, dirty bytes stay for the next submit.
 *
 * @return as gpool_submit(); an error latched since the last submit comes first.
 * Thread: owner.
 */
GPOOL_API gpool_result gpool_end_frame(gpool *pool);

/**
 * Polls and frees by serial alone, for programs that idle between frames or have none: retired
 * objects are freed when the GPU is done, without the frame delay. Writes that went to the queue
 * since the last submit are submitted, as implementations hold memory for them until then.
 *
 * @return GPOOL_OK; GPOOL_ERROR_DEVICE_LOST; GPOOL_ERROR_GPU, GPOOL_ERROR_OUT_OF_GPU_MEMORY or
 *         GPOOL_ERROR_OUT_OF_MEMORY (of such a submit); GPOOL_ERROR_INVALID_ARGUMENT (null pool).
 * Thread: owner. Cost: one poll, the objects freed, and that submit.
 */
GPOOL_API gpool_result gpool_tick(gpool *pool);

/**
 * Waits until the GPU has done everything submitted so far.
 *
 * @return GPOOL_OK, GPOOL_ERROR_TIMEOUT (the pool's wait limit), GPOOL_ERROR_DEVICE_LOST or
 *         GPOOL_ERROR_INVALID_ARGUMENT (null pool).
 * Thread: owner. Cost: blocks.
 */
GPOOL_API gpool_result gpool_wait_idle(gpool *pool);

/**
 * Notes that the caller submitted raw work to the device's queue; what the work names is then kept
 * until the queue has done it.
 *
 * @return GPOOL_OK, GPOOL_ERROR_DEVICE_LOST or GPOOL_ERROR_INVALID_ARGUMENT (null pool).
 * Thread: owner.
 */
GPOOL_API gpool_result gpool_note_external_submit(gpool *pool);

#ifdef __cplusplus
}
#endif
#endif
