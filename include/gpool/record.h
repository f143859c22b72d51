/* gpool/record.h: recording commands. */
#ifndef GPOOL_RECORD_H
#define GPOOL_RECORD_H

#include <gpool/pipeline.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Records the commands of one job; a value, valid until the submit it takes part in.
 *
 * Recorder calls return nothing. A null, stale or failed handle, a value out of range or a call at
 * the wrong point skips that command, logs it and latches the first error, which gpool_submit() or
 * gpool_end_frame() returns; the other commands run. Calls on a null or an old recorder are logged
 * where the pool is known, and do nothing. All functions below: Thread: owner of the pool;
 * Allocates: only where it says so.
 */
typedef struct gpool_recorder {
    struct gpool_recorder_state *state; /**< lives as long as the pool; NULL = null recorder */
    uint64_t generation;                /**< of this recording */
} gpool_recorder;

/** What happens to an attachment at the start of a pass. */
typedef enum gpool_load_op {
    GPOOL_LOAD_CLEAR, /**< clear to the given value */
    GPOOL_LOAD_KEEP   /**< keep what is there */
} gpool_load_op;

/** What happens to an attachment at the end of a pass. */
typedef enum gpool_store_op {
    GPOOL_STORE_KEEP,   /**< keep the result */
    GPOOL_STORE_DISCARD /**< the result is not needed */
} gpool_store_op;

/** Asks to clear depth to 0, where 0 means the default of 1. */
#define GPOOL_DEPTH_ZERO (-1.0f)

/** One color attachment; a null texture leaves the place empty. */
typedef struct gpool_color_attachment {
    gpool_texture texture; /**< needs TARGET usage */
    uint32_t mip_level;    /**< level drawn to */
    uint32_t layer;        /**< array layer, or slice of a 3D texture */
    gpool_texture resolve; /**< target of the multisample resolve, level 0, layer 0; null = none */
    gpool_load_op load;    /**< default: clear */
    gpool_store_op store;  /**< default: keep */
    double clear[4];       /**< red, green, blue, alpha; finite */
} gpool_color_attachment;

/** The depth-stencil attachment; a null texture = none. */
typedef struct gpool_depth_attachment {
    gpool_texture texture;        /**< needs TARGET usage and a depth or stencil format */
    uint32_t mip_level;           /**< level drawn to */
    uint32_t layer;               /**< array layer */
    gpool_load_op load;           /**< depth; default: clear */
    gpool_store_op store;         /**< depth; default: keep */
    float clear;                  /**< depth, 0 to 1; 0 = 1, GPOOL_DEPTH_ZERO = 0 */
    gpool_load_op stencil_load;   /**< stencil; default: clear */
    gpool_store_op stencil_store; /**< stencil; default: keep */
    uint32_t stencil_clear;       /**< stencil value */
    bool read_only;               /**< neither depth nor stencil is written; may be sampled too */
} gpool_depth_attachment;

/** A render pass. */
typedef struct gpool_render_desc {
    gpool_color_attachment color[GPOOL_MAX_COLORS]; /**< by index */
    gpool_depth_attachment depth;                   /**< depth and stencil */
    const char *label; /**< name in messages and captures; NULL = "render pass" */
} gpool_render_desc;

/** A draw; a draw is indexed when `index_count` is not 0. */
typedef struct gpool_draw_args {
    uint32_t vertex_count;   /**< vertices of a plain draw */
    uint32_t index_count;    /**< indices of an indexed draw */
    uint32_t instance_count; /**< 0 = 1 */
    uint32_t first_vertex;   /**< plain draws */
    uint32_t first_index;    /**< indexed draws */
    int32_t base_vertex;     /**< indexed draws: added to each index */
    uint32_t first_instance; /**< first instance */
} gpool_draw_args;

/**
 * Returns the frame's recorder, beginning it at the first call after begin_frame or a submit.
 *
 * @return the recorder; a null one outside a frame (GPOOL_ERROR_WRONG_PHASE), on a lost device or
 *         without memory; the frame's result tells it too.
 * Thread: owner. Allocates: at the first call of the first frames.
 */
GPOOL_API gpool_recorder gpool_frame_recorder(gpool *pool);

/**
 * Begins a render pass with at least one attachment, all of one size and sample count. They clear and
 * store unless told otherwise. Thread: owner.
 */
GPOOL_API void gpool_begin_render(gpool_recorder rec, const gpool_render_desc *desc);

/** Begins a compute pass; `label` NULL = "compute pass". Thread: owner. */
GPOOL_API void gpool_begin_compute(gpool_recorder rec, const char *label);

/** Ends the open pass. Thread: owner. */
GPOOL_API void gpool_end_pass(gpool_recorder rec);

/**
 * In a pass: what follows in it does not wait for pipelines. Draws and dispatches with one that is not
 * compiled yet are left out and counted (gpool_stats.unready_draws), and are there in a later frame.
 * By default gpool_set_pipeline() waits. Thread: owner.
 */
GPOOL_API void gpool_skip_not_ready(gpool_recorder rec);

/**
 * Sets the pipeline of the open pass; render pipelines take their variant by the pass's formats. Waits
 * until that is compiled, at most the pool's wait limit (GPOOL_ERROR_TIMEOUT), unless
 * gpool_skip_not_ready() was called.
 * Thread: owner. Allocates: when a variant is missing. Cost: of a compile, when it must wait.
 */
GPOOL_API void gpool_set_pipeline(gpool_recorder rec, gpool_pipeline pipeline);

/** Binds a vertex buffer from `offset` (multiple of 4) to its end. Thread: owner. */
GPOOL_API void gpool_set_vertex_buffer(gpool_recorder rec, uint32_t slot, gpool_buffer buffer,
                                       uint64_t offset);

/**
 * Binds an index buffer from `offset`: a multiple of the index size, of 4 for indirect draws.
 * Thread: owner.
 */
GPOOL_API void gpool_set_index_buffer(gpool_recorder rec, gpool_buffer buffer,
                                      WGPUIndexFormat format, uint64_t offset);

/**
 * Binds resources by handle: every entry of the layout once. Ask each frame; an exact bounded cache
 * beneath returns the bind group of equal resources and versions.
 *
 * @param layout          null = that of the group in the pipeline that is set
 * @param entries         `entry_count` resources, copied
 * @param dynamic_offsets bytes, one for each dynamic entry in order of binding number; none at all
 *                        (NULL with 0) = 0 for each
 * Thread: owner. Allocates: on a miss of the cache.
 */
GPOOL_API void gpool_set_bindings(gpool_recorder rec, uint32_t group, gpool_layout layout,
                                  const gpool_binding *entries, uint32_t entry_count,
                                  const uint32_t *dynamic_offsets, uint32_t dynamic_offset_count);

/**
 * Copies uniforms into stream memory and binds them in a group of gpool_uniform_layout() by dynamic
 * offset, for the commands that follow in the open pass. Pipeline, bindings and buffers end with
 * their pass.
 *
 * @param size bytes, 1 to 65536, less where the device's maxUniformBufferBindingSize is; padded with
 *             zeros to a multiple of 16, as WGSL rounds its structs. Still smaller than the shader's struct is
 *             seen only at Finish and costs the whole recorder
 * Latches, among others, GPOOL_ERROR_BUDGET where a pool would hold more than GPOOL_MAX_STREAM_BYTES.
 * Thread: owner. Allocates: when a frame uses more stream memory than any before. Cost: the copy.
 */
GPOOL_API void gpool_set_uniforms(gpool_recorder rec, uint32_t group, const void *data,
                                  uint64_t size);

/**
 * Sets the viewport in pixels and depth range; must lie inside the attachment; default: all of it.
 * Thread: owner.
 */
GPOOL_API void gpool_set_viewport(gpool_recorder rec, float x, float y, float width, float height,
                                  float min_depth, float max_depth);

/** Sets the scissor rectangle in pixels; must lie inside the attachment. Thread: owner. */
GPOOL_API void gpool_set_scissor(gpool_recorder rec, uint32_t x, uint32_t y, uint32_t width,
                                 uint32_t height);

/** Sets the blend constant: red, green, blue, alpha. Thread: owner. */
GPOOL_API void gpool_set_blend_constant(gpool_recorder rec, const double rgba[4]);

/** Sets the stencil reference. Thread: owner. */
GPOOL_API void gpool_set_stencil_reference(gpool_recorder rec, uint32_t reference);

/**
 * Draws. Nothing to draw (count 0) is nothing. Counts are checked against what is bound; what the
 * indices of an index buffer point at is not.
 * Thread: owner.
 */
GPOOL_API void gpool_draw(gpool_recorder rec, const gpool_draw_args *args);

/** A draw of a mesh; all zero draws all of it once. Elements are indices, or vertices without indices. */
typedef struct gpool_draw_mesh_args {
    uint32_t first;          /**< first element */
    uint32_t count;          /**< elements; 0 = all from `first` on */
    uint32_t instance_count; /**< 0 = 1 */
    uint32_t first_instance; /**< first instance */
} gpool_draw_mesh_args;

/**
 * Sets the slabs that a mesh lies in as vertex buffer of a slot and as index buffer, each from its start:
 * the draws that follow use gpool_mesh_info.base_vertex and .first_index. For meshes of the same slabs it
 * changes nothing, and costs nothing on the GPU. Thread: owner.
 */
GPOOL_API void gpool_set_mesh(gpool_recorder rec, uint32_t slot, gpool_mesh mesh);

/**
 * Draws a mesh, indexed if it has indices: gpool_set_mesh() to slot 0, and gpool_draw(). An error like
 * those is latched, also GPOOL_ERROR_OUT_OF_RANGE for elements that it does not have.
 *
 * @param args NULL = all of it, once
 * Thread: owner.
 */
GPOOL_API void gpool_draw_mesh(gpool_recorder rec, gpool_mesh mesh,
                               const gpool_draw_mesh_args *args);

/**
 * Draws with arguments from a buffer with INDIRECT usage at `offset` (multiple of 4).
 * Thread: owner.
 */
GPOOL_API void gpool_draw_indirect(gpool_recorder rec, gpool_buffer buffer, uint64_t offset,
                                   bool indexed);

/** Dispatches workgroups of a compute pass; a zero count is nothing. Thread: owner. */
GPOOL_API void gpool_dispatch(gpool_recorder rec, uint32_t x, uint32_t y, uint32_t z);

/** Dispatches with three counts from a buffer with INDIRECT usage. Thread: owner. */
GPOOL_API void gpool_dispatch_indirect(gpool_recorder rec, gpool_buffer buffer, uint64_t offset);

/**
 * Copies bytes between two different buffers, outside passes; all multiples of 4, up to the source's
 * gpu_size. The target becomes gpu-written. Thread: owner.
 */
GPOOL_API void gpool_copy_buffer(gpool_recorder rec, gpool_buffer source, uint64_t source_offset,
                                 gpool_buffer target, uint64_t target_offset, uint64_t size);

/**
 * Writes bytes at this point of the recording, outside passes: commands recorded before see the old
 * bytes, those after it the new ones. Several to the same place, with draws between, each get their
 * turn. The bytes are copied to staging memory now; the buffer's shadow is sent first and dropped, as it
 * becomes gpu-written. For what all commands may see, gpool_buffer_write() is cheaper.
 *
 * Latches, among others, GPOOL_ERROR_BUDGET when gpool_upload_desc.staging_budget is used up.
 * @param buffer needs COPY_TARGET
 * @param offset bytes, a multiple of 4
 * @param data   `size` bytes, copied
 * @param size   bytes, a multiple of 4, up to the buffer's gpu_size; 0 does nothing
 * Thread: owner. Allocates: when a recording takes more staging than those before.
 */
GPOOL_API void gpool_record_write(gpool_recorder rec, gpool_buffer buffer, uint64_t offset,
                                  const void *data, uint64_t size);

/** Zeroes bytes of a buffer, outside passes; multiples of 4; it becomes gpu-written. Thread: owner. */
GPOOL_API void gpool_clear_buffer(gpool_recorder rec, gpool_buffer buffer, uint64_t offset,
                                  uint64_t size);

/**
 * Copies texels between textures of equal format (sRGB or not) and equal samples, outside passes;
 * the extent is the source region's; the target region gives the origin only. Depth-stencil and
 * multisampled textures are copied whole, all aspects at once. Within one texture the two sides are
 * different levels, or different layers that are not slices of a 3D texture. Thread: owner.
 */
GPOOL_API void gpool_copy_texture(gpool_recorder rec, gpool_texture source,
                                  const gpool_texture_region *source_region, gpool_texture target,
                                  const gpool_texture_region *target_region);

/**
 * Copies texels to a buffer, outside passes; `bytes_per_row` is a multiple of 256, `offset` one of 4 and
 * of a block's bytes (depth and stencil: of 4). The buffer becomes gpu-written. Thread: owner.
 */
GPOOL_API void gpool_copy_texture_to_buffer(gpool_recorder rec, gpool_texture source,
                                            const gpool_texture_region *region, gpool_buffer target,
                                            uint64_t offset, uint32_t bytes_per_row);

/** Copies bytes of a buffer to texels; as gpool_copy_texture_to_buffer(). Thread: owner. */
GPOOL_API void gpool_copy_buffer_to_texture(gpool_recorder rec, gpool_buffer source,
                                            uint64_t offset, uint32_t bytes_per_row,
                                            gpool_texture target,
                                            const gpool_texture_region *region);

/** Which levels gpool_texture_generate_mips() makes. All zero = all below the first, of all layers. */
typedef struct gpool_mip_range {
    uint32_t base_level;  /**< level that those below it are made from */
    uint32_t level_count; /**< levels to make; 0 = all below `base_level` */
    uint32_t base_layer;  /**< first array layer */
    uint32_t layer_count; /**< 0 = all from the first */
} gpool_mip_range;

/**
 * Makes mip levels of a 2D texture, each from the one above, outside passes. Each texel is the mean of
 * what it covers above, exactly so for odd extents too, taken in linear light for sRGB formats. The
 * texture needs TARGET and SAMPLED usage (else GPOOL_ERROR_MISSING_USAGE), one sample and a color
 * format that this device can filter; others, and 3D textures, are GPOOL_ERROR_UNSUPPORTED. So it has
 * no shadow: levels of one that has are written.
 *
 * @param range NULL = all below level 0; nothing to make is nothing
 * Thread: owner. Allocates: at the first call for a texture; the views of up to 128 levels and layers
 * are kept with it. Cost: a pass for each level and layer; compiles at the first call for a format.
 */
GPOOL_API void gpool_texture_generate_mips(gpool_recorder rec, gpool_texture texture,
                                           const gpool_mip_range *range);

/** Opens a named group of commands, for captures. Thread: owner. */
GPOOL_API void gpool_push_group(gpool_recorder rec, const char *label);

/**
 * Closes the newest named group; open ones close with the pass, the recorder, or a raw encoder
 * taken in between (the pop that follows is then legal and does nothing). Thread: owner.
 */
GPOOL_API void gpool_pop_group(gpool_recorder rec);

/**
 * Sets a raw render pipeline; it must stay alive until the submit. Keeps no reference.
 * Thread: owner.
 */
GPOOL_API void gpool_set_raw_render_pipeline(gpool_recorder rec, WGPURenderPipeline pipeline);

/** Sets a raw compute pipeline; see gpool_set_raw_render_pipeline(). Thread: owner. */
GPOOL_API void gpool_set_raw_compute_pipeline(gpool_recorder rec, WGPUComputePipeline pipeline);

/** Sets a raw bind group; what it names must be alive and unmapped at the submit. Thread: owner. */
GPOOL_API void gpool_set_raw_bind_group(gpool_recorder rec, uint32_t group,
                                        WGPUBindGroup bind_group, const uint32_t *dynamic_offsets,
                                        uint32_t dynamic_offset_count);

/**
 * Returns the raw encoder, outside passes; NULL otherwise. Use it, do not finish or release it.
 * Thread: owner.
 */
GPOOL_API WGPUCommandEncoder gpool_recorder_encoder(gpool_recorder rec);

/**
 * Returns the open render pass, or NULL. Remembered state is forgotten; set an index buffer of your
 * own before you draw raw.
 * Thread: owner.
 */
GPOOL_API WGPURenderPassEncoder gpool_recorder_render_pass(gpool_recorder rec);

/** Returns the open compute pass, or NULL. Remembered state is forgotten. Thread: owner. */
GPOOL_API WGPUComputePassEncoder gpool_recorder_compute_pass(gpool_recorder rec);

/**
 * Finishes a raw encoder of the caller's under error capture and submits it with this recorder,
 * after what the recorder holds so far. The encoder is released also on an error.
 *
 * @return GPOOL_OK; GPOOL_ERROR_INVALID_ARGUMENT (null encoder; a null recorder, or the recorder's
 *         own encoder: it is then not released); GPOOL_ERROR_WRONG_PHASE (old recorder, or
 *         a pass is open); GPOOL_ERROR_GPU (Finish reported an error; the work is dropped and the
 *         recorder goes on); GPOOL_ERROR_OUT_OF_MEMORY; GPOOL_ERROR_OUT_OF_GPU_MEMORY;
 *         GPOOL_ERROR_DEVICE_LOST.
 * Thread: owner. Allocates: rarely.
 */
GPOOL_API gpool_result gpool_recorder_finish_raw(gpool_recorder rec, WGPUCommandEncoder encoder);

#ifdef __cplusplus
}
#endif
#endif
