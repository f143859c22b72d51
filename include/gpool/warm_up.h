/* gpool/warm_up.h: compiling before the first frame what earlier runs needed. */
#ifndef GPOOL_WARM_UP_H
#define GPOOL_WARM_UP_H

#include <gpool/pipeline.h>
#include <gpool/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What gpool_warm_up() runs on the GPU with each pipeline it compiled. */
typedef enum gpool_warm_up_use {
    GPOOL_WARM_UP_USE_ALL, /**< a dispatch of no workgroups, or a draw of three vertices and no pixel:
                                the vertex shader runs, on zeros */
    GPOOL_WARM_UP_USE_COMPUTE, /**< only dispatches: no shader runs at all */
    GPOOL_WARM_UP_USE_NONE,    /**< nothing: what drivers leave to the first use stays for it */
    GPOOL_WARM_UP_USE_COUNT    /**< number of choices */
} gpool_warm_up_use;

/** How gpool_warm_up() goes about it. All zero is a good default. */
typedef struct gpool_warm_up_desc {
    uint64_t timeout_ns;   /**< ends it after so long, as `progress` may; 0 = no limit */
    gpool_warm_up_use use; /**< what runs on the GPU */
} gpool_warm_up_desc;

/** How far gpool_warm_up() is. */
typedef struct gpool_warm_up_report {
    uint32_t modules;   /**< shader modules in the manifest */
    uint32_t pipelines; /**< pipelines in the manifest, a variant each */
    uint32_t done;      /**< of both: compiled, found or failed */
    uint32_t failed;    /**< of these, could not be compiled: made again when asked for */
    uint32_t cached;    /**< of these, were there already */
    uint32_t used;      /**< pipelines that ran on the GPU */
} gpool_warm_up_report;

/**
 * Tells how far gpool_warm_up() is, on its thread; called when that changes and about 60 times a
 * second, and once at the end. May call any function of the pool but gpool_warm_up(), gpool_recover()
 * and gpool_destroy(), also record and submit whole frames; must not give the pool to another thread.
 *
 * @param user   as handed to gpool_warm_up()
 * @param report valid during the call
 * @return false to end it there. What is done is kept.
 */
typedef bool (*gpool_warm_up_fn)(void *user, const gpool_warm_up_report *report);

/**
 * Compiles what earlier runs of this program used on this device, on the compile workers, in order of
 * first use; then uses each pipeline once, as drivers leave much of the work to that. What shaders and
 * pipelines created later need is then there: equal text, layouts, states and target formats are found.
 *
 * The pool notes what it compiles in gpool_desc.store under gpool_desc.program, the adapter and the
 * versions of driver and implementation, and saves that at gpool_destroy() and at most every 10 s
 * before. A pool without a store, a first run, or a manifest that is not what it should be: nothing is
 * done, which is no error. What an entry cannot be compiled to is left out silently. What was compiled
 * here is kept as long as the pool, but for a gpool_recover(), which may drop what nothing uses.
 *
 * @param desc     NULL = all defaults; nothing in it is kept
 * @param progress NULL = nobody is told
 * @param user     handed to it
 * @return GPOOL_OK, also when it ended early or entries failed, which `progress` is told;
 *         GPOOL_ERROR_INVALID_ARGUMENT (null pool, `use` outside its enumeration);
 *         GPOOL_ERROR_WRONG_PHASE (a frame is open, also one that `progress` left open; or a callback of
 *         gpool_warm_up() or gpool_recover() calls); GPOOL_ERROR_OUT_OF_MEMORY; GPOOL_ERROR_TIMEOUT (the
 *         GPU did not finish the uses within the pool's wait limit); GPOOL_ERROR_OUT_OF_GPU_MEMORY,
 *         GPOOL_ERROR_GPU or GPOOL_ERROR_DEVICE_LOST (the submit of the uses). After an error what is
 *         done is kept, too.
 * Thread: owner. Allocates: yes. Cost: blocks: reads a file, and compiles.
 */
GPOOL_API gpool_result gpool_warm_up(gpool *pool, const gpool_warm_up_desc *desc,
                                     gpool_warm_up_fn progress, void *user);

#ifdef __cplusplus
}
#endif
#endif
