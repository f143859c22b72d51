/* gpool/recover.h: going on after the device is lost. */
#ifndef GPOOL_RECOVER_H
#define GPOOL_RECOVER_H

#include <gpool/pipeline.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Fills a buffer whose bytes gpool does not have. Called inside gpool_recover() on its thread, when
 * everything is rebuilt: may call any function of the pool but gpool_recover() and gpool_destroy(),
 * also record and submit frames of its own.
 *
 * @param user   gpool_recover_desc.user
 * @param buffer zeros now; gpool_buffer_write() is the usual answer
 * @param info   what it is
 * @return GPOOL_OK when it is filled, or need not be; anything else counts it as lost.
 */
typedef gpool_result (*gpool_refill_buffer_fn)(void *user, gpool *pool, gpool_buffer buffer,
                                               const gpool_buffer_info *info);

/** The same for a texture without a shadow; gpool_texture_write() is the usual answer. */
typedef gpool_result (*gpool_refill_texture_fn)(void *user, gpool *pool, gpool_texture texture,
                                                const gpool_texture_info *info);

/** How gpool_recover() gets what gpool does not have. */
typedef struct gpool_recover_desc {
    void *user;                           /**< handed to the callbacks */
    gpool_refill_buffer_fn refill_buffer; /**< for gpu-written and dropped buffers without a refill
                                             of their own; NULL = those are lost */
    gpool_refill_texture_fn refill_texture; /**< for those without a shadow; NULL = all are lost */
} gpool_recover_desc;

/** How gpool_recover() went. */
typedef struct gpool_recover_report {
    uint32_t rebuilt[GPOOL_KIND_COUNT]; /**< resources that work on the new device, by gpool_kind */
    uint32_t failed[GPOOL_KIND_COUNT];  /**< that worked before and are failed now, by gpool_kind */
    uint32_t refilled; /**< buffers, textures, meshes that a refill or callback brought: GPOOL_OK */
    uint32_t
        lost; /**< buffers, textures and meshes that are zeros now; a buffer that dropped its shadow still
                            takes a write of all of it, or of a part if it has a refill */
    uint64_t lost_bytes; /**< GPU bytes of those */
} gpool_recover_report;

/**
 * Moves a pool to another device: makes every GPU object again, behind the same handles. The way to
 * go on after GPOOL_ERROR_DEVICE_LOST; the old device need not be lost.
 *
 * Buffers, textures and meshes get their bytes from their shadows with the next submit. What only the GPU
 * had, the bytes of gpu-written and dropped buffers, of textures and of meshes without a shadow, is zero
 * unless a refill of their own (gpool_buffer_desc.refill, gpool_mesh_desc.refill, asked first) or a
 * callback fills it; what refills bring waits in shadows for the next submit. Meshes stay where they lie
 * in their slabs. Samplers, layouts,
 * shaders and pipelines are made from what they were created with, with every
 * pipeline variant used so far, also when the shader or layout behind a pipeline was destroyed.
 * Versions rise; cached views and bind groups are made again at their next use; retired objects are
 * freed at once; raw objects handed out before are of the old device, recorders of before are
 * old, and tickets of before are failed (GPOOL_ERROR_DEVICE_LOST; not in the report).
 *
 * The new device may be of another implementation, with other limits and features. What it cannot
 * have becomes failed, as at creation, and so do imports, whose objects were the old device's. Each
 * of these is told in the log (GPOOL_LOG_NOT_REBUILT), as is everything that lost its content
 * (GPOOL_LOG_CONTENT_LOST). Resources that are failed, whatever the reason, are tried again, with the
 * bytes of their shadows: so what was created on a lost device, or did not fit the last one, comes
 * to life. Only a shader whose file could not be read, or which no compiler may see, stays failed.
 *
 * @param device opened or adopted by the caller and not lost; retained. The old one is released
 * @param desc   NULL = all defaults; nothing in it is kept
 * @param report NULL, or filled on GPOOL_OK and else zeroed
 * @return GPOOL_OK, also when resources failed or lost their content: see `report`;
 *         GPOOL_ERROR_WRONG_PHASE (a frame is open: end it first, also on a lost device; or a callback
 *         of gpool_recover() or gpool_warm_up() calls); GPOOL_ERROR_INVALID_ARGUMENT (null pool or device);
 *         GPOOL_ERROR_OUT_OF_MEMORY, GPOOL_ERROR_GPU or GPOOL_ERROR_OUT_OF_GPU_MEMORY (the pool's own
 *         layout was refused) or GPOOL_ERROR_DEVICE_LOST: the pool is as before on its old device,
 *         call again with another one. When the new device is lost while callbacks run, the pool is
 *         on it already, and lost: call again then, too.
 * Thread: owner. Allocates: yes. Cost: all that the pool holds, compilations included. GPU memory: old
 * and new objects exist side by side until all are made. Blocks until the old device is idle if
 * nobody else holds it (see gpool_device_release()).
 */
GPOOL_API gpool_result gpool_recover(gpool *pool, gpool_device *device,
                                     const gpool_recover_desc *desc, gpool_recover_report *report);

#ifdef __cplusplus
}
#endif
#endif
