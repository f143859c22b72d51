/* gpool/pipeline.h: render and compute pipelines. */
#ifndef GPOOL_PIPELINE_H
#define GPOOL_PIPELINE_H

#include <gpool/shader.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bind groups a pipeline may have. */
#define GPOOL_MAX_GROUPS 4
/** Color attachments of a render pass. */
#define GPOOL_MAX_COLORS 8
/** Vertex buffers of a pipeline. */
#define GPOOL_MAX_VERTEX_BUFFERS 8
/** Attributes of one vertex buffer. */
#define GPOOL_MAX_ATTRIBUTES 16

/** One vertex attribute; a zero format ends the list. */
typedef struct gpool_attribute {
    WGPUVertexFormat format;  /**< format in memory */
    uint32_t offset;          /**< bytes from the start of the element */
    uint32_t shader_location; /**< @location(n) */
} gpool_attribute;

/**
 * Layout of one vertex buffer; all zero = slot not used, and so are all behind it. Strides are multiples
 * of 4.
 */
typedef struct gpool_vertex_layout {
    uint32_t stride; /**< bytes from element to element; 0 = to the end of the last attribute */
    WGPUVertexStepMode step;                          /**< 0 = per vertex */
    gpool_attribute attributes[GPOOL_MAX_ATTRIBUTES]; /**< ended by a zero format */
} gpool_vertex_layout;

/** Blending of a color target, ready made. */
typedef enum gpool_blend {
    GPOOL_BLEND_NONE,          /**< replace */
    GPOOL_BLEND_ALPHA,         /**< source over, straight alpha */
    GPOOL_BLEND_PREMULTIPLIED, /**< source over, premultiplied alpha */
    GPOOL_BLEND_ADD,           /**< source x alpha + target */
    GPOOL_BLEND_MULTIPLY,      /**< source x target */
    GPOOL_BLEND_COUNT          /**< number of ready-made blendings */
} gpool_blend;

/** One color target of a render pipeline. */
typedef struct gpool_color_target {
    WGPUTextureFormat format;          /**< 0 = that of each pass, by variants */
    gpool_blend blend;                 /**< ready-made blending */
    const WGPUBlendState *blend_state; /**< overrides `blend`; copied; NULL = `blend` */
    WGPUColorWriteMask write_mask;     /**< 0 = all channels */
} gpool_color_target;

/**
 * Depth and stencil of a render pipeline. All zero draws without a depth test, also in a pass that has
 * a depth attachment.
 */
typedef struct gpool_depth_state {
    WGPUTextureFormat format;    /**< 0 = that of each pass, by variants; none if it has none */
    WGPUCompareFunction compare; /**< 0 = Always */
    bool write;                  /**< write depth */
    WGPUStencilFaceState stencil_front; /**< all zero = no stencil */
    WGPUStencilFaceState stencil_back;  /**< all zero = as `stencil_front` */
    uint32_t stencil_read_mask;         /**< 0 = all bits */
    uint32_t stencil_write_mask;        /**< 0 = all bits */
    int32_t bias;                       /**< depth bias */
    float bias_slope_scale;             /**< depth bias by slope */
    float bias_clamp;                   /**< limit of the bias */
} gpool_depth_state;

/** How gpool_render_pipeline_create() makes a pipeline. */
typedef struct gpool_render_pipeline_desc {
    gpool_shader shader; /**< module of the vertex stage, and of the fragment stage unless set */
    gpool_shader fragment_shader; /**< module of the fragment stage; null = `shader` */
    const char *vertex_entry;     /**< function; NULL = the module's only @vertex function */
    const char *fragment_entry;   /**< function; NULL = the module's only @fragment function */
    bool no_fragment;             /**< depth only: no fragment stage */
    gpool_layout layouts[GPOOL_MAX_GROUPS]; /**< by group; ends at the last that is not null; give
                                               gpool_uniform_layout() too as soon as you give any. All
                                               null: what the entry points bind, read from the source;
                                               equal ones are shared (docs/shaders.md) */
    gpool_vertex_layout vertex_buffers[GPOOL_MAX_VERTEX_BUFFERS]; /**< by slot */
    WGPUPrimitiveTopology topology;                               /**< 0 = triangle list */
    WGPUIndexFormat strip_index_format;                           /**< strips drawn indexed */
    WGPUFrontFace front_face;                                     /**< 0 = counter-clockwise */
    WGPUCullMode cull_mode;                                       /**< 0 = none */
    gpool_color_target colors[GPOOL_MAX_COLORS];                  /**< by attachment */
    gpool_depth_state depth;                                      /**< depth and stencil */
    uint32_t samples;       /**< 1 or 4; 0 = as each pass, by variants */
    bool alpha_to_coverage; /**< multisampled targets only */
    const char *label;      /**< name in messages, copied; NULL = "" */
    gpool_scope scope;      /**< owner; null = the pool's root scope */
} gpool_render_pipeline_desc;

/** How gpool_compute_pipeline_create() makes a pipeline. */
typedef struct gpool_compute_pipeline_desc {
    gpool_shader shader; /**< module */
    const char *entry;   /**< function; NULL = the module's only @compute function */
    gpool_layout layouts[GPOOL_MAX_GROUPS]; /**< as gpool_render_pipeline_desc.layouts */
    const char *label;                      /**< name in messages, copied; NULL = "" */
    gpool_scope scope;                      /**< owner; null = the pool's root scope */
} gpool_compute_pipeline_desc;

/**
 * Creates a render pipeline. When `samples` and color formats (the depth format where there is no
 * fragment stage) are in the descriptor it compiles now, for a pass with exactly the formats given: a
 * depth format of 0 is none here. Else it compiles at its first use in a pass. Either way it has one
 * variant for each set of target formats and samples: until one compiles nothing is known to be wrong.
 *
 * Compiling is done by workers (gpool_desc.compile_workers), at once in a pool without. Equal pipelines
 * are compiled once, also when they were destroyed a while ago.
 *
 * @return the handle; null for a caller's mistake (a handle error of shader, layouts or scope,
 *         GPOOL_ERROR_INVALID_ARGUMENT, GPOOL_ERROR_LIMIT, GPOOL_ERROR_UNSUPPORTED: a vertex format
 *         the implementation lacks, GPOOL_ERROR_OUT_OF_MEMORY); a failed pipeline for what
 *         gpool_pipeline_status() tells and is known already (GPOOL_ERROR_FAILED_RESOURCE,
 *         GPOOL_ERROR_GPU, GPOOL_ERROR_OUT_OF_GPU_MEMORY, GPOOL_ERROR_DEVICE_LOST).
 * Thread: owner. Allocates: yes. Cost: microseconds; without workers that of compiling.
 */
GPOOL_API gpool_pipeline gpool_render_pipeline_create(gpool *pool,
                                                      const gpool_render_pipeline_desc *desc);

/**
 * Creates a compute pipeline.
 *
 * @return as gpool_render_pipeline_create().
 * Thread: owner. Allocates: yes. Cost: microseconds; without workers that of compiling.
 */
GPOOL_API gpool_pipeline gpool_compute_pipeline_create(gpool *pool,
                                                       const gpool_compute_pipeline_desc *desc);

/**
 * Tells whether a pipeline can be used: as its descriptor says, not what is wrong with a variant that a
 * pass asked for.
 *
 * @return GPOOL_OK; GPOOL_NOT_READY (a worker has it; a pass waits or goes on without, see
 *         gpool_skip_not_ready()); a handle error; for a failed one GPOOL_ERROR_FAILED_RESOURCE (its
 *         shader failed), GPOOL_ERROR_INVALID_ARGUMENT, GPOOL_ERROR_LIMIT or GPOOL_ERROR_UNSUPPORTED
 *         (what the source binds needs explicit layouts, or is over a limit),
 *         GPOOL_ERROR_GPU, GPOOL_ERROR_OUT_OF_GPU_MEMORY, GPOOL_ERROR_OUT_OF_MEMORY or
 *         GPOOL_ERROR_DEVICE_LOST.
 * Thread: owner.
 */
GPOOL_API gpool_result gpool_pipeline_status(gpool *pool, gpool_pipeline pipeline);

/**
 * Waits until a pipeline is compiled, or compiles it now when no worker has begun.
 *
 * @param timeout_ns ns to wait at most, from now
 * @return as gpool_pipeline_status(), with GPOOL_ERROR_TIMEOUT in place of GPOOL_NOT_READY.
 * Thread: owner. Cost: blocks.
 */
GPOOL_API gpool_result gpool_pipeline_wait(gpool *pool, gpool_pipeline pipeline,
                                           uint64_t timeout_ns);

/**
 * Returns how often a pipeline was replaced by one of newer sources, from 1; 0 for a handle error.
 * Thread: owner.
 */
GPOOL_API uint32_t gpool_pipeline_version(gpool *pool, gpool_pipeline pipeline);

/**
 * Destroys a pipeline with all its variants.
 *
 * @return GPOOL_OK, also for the null handle; another handle error.
 * Thread: any. Allocates: never.
 */
GPOOL_API gpool_result gpool_pipeline_destroy(gpool *pool, gpool_pipeline pipeline);

#ifdef __cplusplus
}
#endif
#endif
