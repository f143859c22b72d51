/* gpool/bind.h: bind group layouts, and what is bound by them. */
#ifndef GPOOL_BIND_H
#define GPOOL_BIND_H

#include <gpool/texture.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Entries a layout may have. */
#define GPOOL_MAX_BINDINGS 16

/** What an entry of a layout holds. */
typedef enum gpool_binding_type {
    GPOOL_BINDING_UNIFORM,            /**< var<uniform> */
    GPOOL_BINDING_STORAGE,            /**< var<storage, read> */
    GPOOL_BINDING_STORAGE_WRITE,      /**< var<storage, read_write>; not for vertex shaders */
    GPOOL_BINDING_TEXTURE,            /**< texture_2d and the like */
    GPOOL_BINDING_STORAGE_TEXTURE,    /**< texture_storage_2d and the like */
    GPOOL_BINDING_SAMPLER,            /**< sampler */
    GPOOL_BINDING_SAMPLER_COMPARISON, /**< sampler_comparison */
    GPOOL_BINDING_TYPE_COUNT          /**< number of types */
} gpool_binding_type;

/** One entry of a layout. */
typedef struct gpool_layout_entry {
    uint32_t binding;                   /**< number in the shader: @binding(n) */
    gpool_binding_type type;            /**< what it holds */
    WGPUShaderStage stages;             /**< who sees it; 0 = every stage that may */
    bool dynamic_offset;                /**< buffers: offset given when set */
    uint64_t min_size;                  /**< buffers: least bytes bound; 0 = checked at the draw */
    WGPUTextureSampleType sample_type;  /**< textures: 0 = Float */
    WGPUTextureViewDimension dimension; /**< textures: 0 = 2D */
    bool multisampled;                  /**< textures */
    WGPUTextureFormat format;           /**< storage textures: required */
    WGPUStorageTextureAccess access;    /**< storage textures: 0 = WriteOnly */
} gpool_layout_entry;

/** How gpool_layout_create() makes a layout. */
typedef struct gpool_layout_desc {
    const gpool_layout_entry *entries; /**< copied */
    uint32_t entry_count;              /**< 0 to GPOOL_MAX_BINDINGS */
    const char *label;                 /**< name in messages, copied; NULL = "" */
    gpool_scope scope;                 /**< owner; null = the pool's root scope */
} gpool_layout_desc;

/** One resource bound to an entry; exactly one of buffer, texture and sampler is set. */
typedef struct gpool_binding {
    uint32_t binding;      /**< number in the layout */
    gpool_buffer buffer;   /**< for buffer entries */
    uint64_t offset;       /**< bytes; a multiple of the device's offset alignment */
    uint64_t size;         /**< bytes, bound in whole words; 0 = from the offset to the end */
    gpool_texture texture; /**< for texture entries */
    gpool_view_desc view;  /**< how the texture is seen; all zero = whole */
    gpool_sampler sampler; /**< for sampler entries */
} gpool_binding;

/**
 * Creates a bind group layout, or returns the handle of an equal good one of the same scope and adds a
 * reference. Equal layouts of different scopes fit each other's pipelines.
 *
 * @return the handle; null for a caller's mistake (GPOOL_ERROR_INVALID_ARGUMENT: twice the same
 *         number, unknown type; GPOOL_ERROR_LIMIT; a handle error of the scope;
 *         GPOOL_ERROR_OUT_OF_MEMORY); a failed layout when the GPU refused
 *         (GPOOL_ERROR_OUT_OF_GPU_MEMORY, GPOOL_ERROR_GPU, GPOOL_ERROR_DEVICE_LOST).
 * Thread: owner. Allocates: on a miss. Cost: linear in the pool's layouts.
 */
GPOOL_API gpool_layout gpool_layout_create(gpool *pool, const gpool_layout_desc *desc);

/**
 * Gives up one reference to a layout; the last one destroys it. The same as gpool_release().
 * Pipelines keep what they need.
 *
 * @return GPOOL_OK, also for the null handle; another handle error.
 * Thread: any. Allocates: never.
 */
GPOOL_API gpool_result gpool_layout_destroy(gpool *pool, gpool_layout layout);

/**
 * Returns the pool's own layout for gpool_set_uniforms(): binding 0, a uniform buffer with dynamic
 * offset, seen by every stage. Lives as long as the pool; destroying it is refused.
 *
 * @return the handle; null for a null pool, and on a thread that does not own it.
 * Thread: owner.
 */
GPOOL_API gpool_layout gpool_uniform_layout(gpool *pool);

/** Returns the raw layout, not retained; NULL as gpool_texture_gpu(). Thread: owner. */
GPOOL_API WGPUBindGroupLayout gpool_layout_gpu(gpool *pool, gpool_layout layout);

#ifdef __cplusplus
}
#endif
#endif
