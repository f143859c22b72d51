/* gpool/inspect.h: what a pool holds and does. */
#ifndef GPOOL_INSPECT_H
#define GPOOL_INSPECT_H

#include <gpool/record.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Counters of a pool. Totals count from the pool's creation; `live` and `bytes` are of now, without
 * gpool_uniform_layout() and gpool_default_heap(); imports have no bytes. Slabs of heaps are buffers and
 * count as such; bytes of meshes lie in them. What another thread destroyed counts as live until
 * the owner's next frame call.
 */
typedef struct gpool_stats {
    uint64_t frame;                            /**< frames begun */
    uint64_t live_count[GPOOL_KIND_COUNT];     /**< live resources, by gpool_kind */
    uint64_t live_bytes[GPOOL_KIND_COUNT];     /**< GPU bytes of live resources, by gpool_kind */
    uint64_t retired_count;                    /**< destroyed, not yet freed */
    uint64_t retired_bytes;                    /**< GPU bytes of those */
    uint64_t internal_bytes;                   /**< GPU bytes of stream memory, staging,
                                                    and what is kept for the next tickets */
    uint64_t cpu_bytes;                        /**< bytes taken from the allocator */
    uint64_t allocations;                      /**< calls to the allocator that asked for memory */
    uint64_t written_bytes;                    /**< bytes the user wrote to buffers and textures */
    uint64_t sent_bytes;                       /**< bytes handed to the queue for them */
    uint64_t upload_bytes[GPOOL_UPLOAD_COUNT]; /**< of sent_bytes, those of buffers, by way */
    uint64_t upload_calls[GPOOL_UPLOAD_COUNT]; /**< queue writes, copies and dispatches, by way */
    uint64_t staging_bytes;  /**< bytes of mapped staging memory held now, part of internal_bytes */
    uint64_t uniform_bytes;  /**< bytes handed to the queue from stream memory */
    uint64_t recycled_bytes; /**< GPU bytes of freed objects kept for reuse; in no other counter */
    uint64_t recycled_count; /**< those objects */
    uint64_t recycle_hits;   /**< GPU objects taken from them instead of made */
    uint64_t recycle_misses; /**< GPU objects made as none of the class was kept */
    uint64_t created;        /**< resources created */
    uint64_t freed;          /**< resources freed */
    uint64_t submits;        /**< queue submits */
    uint64_t gpu_calls;      /**< calls into webgpu.h */
    uint64_t gpu_objects;    /**< GPU objects made, encoders and passes left out */
    uint64_t draws;          /**< draws and dispatches recorded, those of mips too */
    uint64_t skipped;        /**< recorder commands skipped for an error */
    uint64_t redundant;      /**< recorder commands dropped as they changed nothing */
    uint64_t mesh_draws;     /**< of draws, those of gpool_draw_mesh() */
    uint64_t mesh_binds;     /**< vertex and index buffers set for meshes */
    uint64_t mesh_shared;    /**< such settings dropped, as the mesh before lies there, too */
    uint64_t bind_hits;      /**< bind groups found in the cache */
    uint64_t bind_misses;    /**< bind groups made */
    uint64_t bind_groups;    /**< bind groups in the cache now */
    uint64_t shader_hits;    /**< shader modules found in the cache */
    uint64_t shader_misses;  /**< shader modules made, also those that failed */
    uint64_t pipeline_hits;  /**< compiled pipelines found in the cache */
    uint64_t pipeline_misses;  /**< compiled pipelines made, also those that failed */
    uint64_t manifest_modules; /**< shader modules in the manifest that was loaded or saved last */
    uint64_t manifest_pipelines; /**< pipelines in it */
    uint64_t manifest_saves;     /**< manifests that are in the store since */
    uint64_t manifest_bad;       /**< manifests ignored as they were not what they should be */
    uint64_t reloads;            /**< changes of shaders swapped in, together counted once */
    uint64_t failed_reloads;     /**< changes that did not compile: the last good goes on */
    uint64_t compile_waits;      /**< times gpool_set_pipeline() waited for a compile */
    uint64_t unready_draws;      /**< draws left out as gpool_skip_not_ready() asked */
    uint64_t compiles_pending;   /**< modules and pipelines asked for and not yet compiled */
    uint64_t dropped_recorders;  /**< recorders not submitted for an error at Finish */
    uint64_t errors;             /**< error records logged or held back as repeats */
    uint64_t visited;            /**< objects visited by submits and deletions */
    uint64_t own_ns;             /**< thread CPU ns in gpool, without webgpu.h; needs
                                                gpool_desc.measure. The least cost of the clock reads
                                                themselves, found at creation, is taken off */
    uint64_t wait_ns;     /**< thread CPU ns in waits for the GPU, polls and sleeps; the same */
    uint64_t gpu_call_ns; /**< thread CPU ns in calls into webgpu.h; the same */
} gpool_stats;

/**
 * Copies the pool's counters.
 *
 * @return GPOOL_OK or GPOOL_ERROR_INVALID_ARGUMENT (null pointer).
 * Thread: owner.
 */
GPOOL_API gpool_result gpool_get_stats(const gpool *pool, gpool_stats *stats);

/** Returns how often a function of GPOOL_GPU_* was called by the pool; 0 for others. Thread: owner. */
GPOOL_API uint64_t gpool_gpu_call_count(const gpool *pool, int function);

/** Returns the name of a kind, such as "buffer". Never NULL. Thread: any. */
GPOOL_API const char *gpool_kind_name(gpool_kind kind);

#ifdef __cplusplus
}
#endif
#endif
