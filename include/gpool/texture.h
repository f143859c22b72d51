/* gpool/texture.h: textures, their views, samplers. */
#ifndef GPOOL_TEXTURE_H
#define GPOOL_TEXTURE_H

#include <gpool/buffer.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Set of GPOOL_TEXTURE_* flags. */
typedef uint32_t gpool_texture_usage;

/** What a texture is used for. At least one is needed. */
enum {
    GPOOL_TEXTURE_SAMPLED = 1 << 0,     /**< texture binding */
    GPOOL_TEXTURE_STORAGE = 1 << 1,     /**< storage texture binding */
    GPOOL_TEXTURE_TARGET = 1 << 2,      /**< attachment of render passes */
    GPOOL_TEXTURE_READ_BACK = 1 << 3,   /**< may be read, at once or by ticket */
    GPOOL_TEXTURE_COPY_SOURCE = 1 << 4, /**< source of recorded copies */
    GPOOL_TEXTURE_COPY_TARGET = 1 << 5  /**< target of recorded copies */
};

/** How gpool_texture_create() makes a texture. */
typedef struct gpool_texture_desc {
    uint32_t width;                 /**< texels, 1 to the device's limit */
    uint32_t height;                /**< texels; 0 = 1 */
    uint32_t depth_or_layers;       /**< depth of 3D textures, else array layers; 0 = 1 */
    WGPUTextureDimension dimension; /**< 0 = 2D */
    WGPUTextureFormat format;       /**< required */
    uint32_t mip_levels;            /**< 0 = 1; UINT32_MAX = all down to one texel */
    uint32_t samples;               /**< 0 = 1; 4 for multisampled targets */
    gpool_texture_usage usage;      /**< GPOOL_TEXTURE_* flags */
    const void *data;               /**< texels of mip level 0, all layers, copied; NULL = zeros */
    size_t data_size;               /**< bytes in `data` */
    uint32_t bytes_per_row;         /**< source stride in bytes; 0 = rows are packed */
    const char *label;              /**< name in messages, copied; NULL = "" */
    gpool_scope scope;              /**< owner; null = the pool's root scope */
    gpool_keep keep;                /**< 0 = no shadow. SHADOW: a CPU copy of all levels and layers,
                                       for textures that commands do not write: without TARGET,
                                       STORAGE and COPY_TARGET, one sample */
} gpool_texture_desc;

/** What a texture is. */
typedef struct gpool_texture_info {
    uint32_t width;                 /**< texels */
    uint32_t height;                /**< texels */
    uint32_t depth_or_layers;       /**< depth or array layers */
    WGPUTextureDimension dimension; /**< resolved dimension */
    WGPUTextureFormat format;       /**< format */
    uint32_t mip_levels;            /**< resolved count */
    uint32_t samples;               /**< resolved count */
    gpool_texture_usage usage;      /**< flags given at creation */
    WGPUTextureUsage gpu_usage;     /**< usage of the GPU object */
    uint64_t gpu_size;              /**< bytes of all levels, layers and samples, without padding */
    uint64_t version;               /**< rises when the GPU object is replaced */
    uint64_t created_frame;         /**< frame of creation */
    uint32_t view_count;            /**< cached views */
    gpool_keep keep;                /**< GPOOL_KEEP_SHADOW or GPOOL_KEEP_DROP */
    uint64_t dirty_bytes;           /**< bytes of the shadow's rectangles that are not yet sent */
    bool imported;                  /**< a foreign object */
    bool failed;                    /**< could not be made; does nothing */
    const char *label;              /**< valid until the texture is destroyed */
} gpool_texture_info;

/** A part of one mip level, in whole blocks; those at its edge may be named whole or cut. */
typedef struct gpool_texture_region {
    uint32_t mip_level;       /**< level */
    uint32_t x;               /**< texels from the left; a multiple of the block width */
    uint32_t y;               /**< texels from the top; a multiple of the block height */
    uint32_t z;               /**< depth slice or array layer */
    uint32_t width;           /**< texels; 0 = to the right edge */
    uint32_t height;          /**< texels; 0 = to the bottom edge */
    uint32_t depth;           /**< slices or layers; 0 = 1 */
    WGPUTextureAspect aspect; /**< 0 = all; depth-stencil formats need one of the two */
} gpool_texture_region;

/** Where a region lies in the shadow of a texture. */
typedef struct gpool_texture_rows {
    void *texels;             /**< first block of the region's first row */
    uint32_t bytes_per_row;   /**< from a row of blocks to the next */
    uint64_t bytes_per_slice; /**< from a slice or layer to the next */
    uint32_t row_bytes;       /**< bytes of the region in each row */
    uint32_t row_count;       /**< rows of blocks in each slice */
    uint32_t slice_count;     /**< slices or layers */
} gpool_texture_rows;

/** How a texture is seen by a binding or an attachment. All zero = the whole texture. */
typedef struct gpool_view_desc {
    WGPUTextureViewDimension dimension; /**< 0 = 2D, 2DArray (more than one layer), 1D or 3D */
    WGPUTextureFormat format;           /**< 0 = the texture's own; else its sRGB or linear twin */
    uint32_t base_mip_level;            /**< first level */
    uint32_t mip_level_count;           /**< 0 = all from the first */
    uint32_t base_layer;                /**< first array layer */
    uint32_t layer_count;               /**< 0 = all from the first (6 for Cube) */
    WGPUTextureAspect aspect;           /**< 0 = all */
} gpool_view_desc;

/** A foreign texture to take in: a surface's picture, a video frame. */
typedef struct gpool_texture_import_desc {
    WGPUTexture texture;       /**< retained; must be of the pool's device */
    gpool_texture_usage usage; /**< what gpool may do with it; the object must allow it */
    bool this_frame;           /**< destroy it by itself at the end of the frame */
    const char *label;         /**< name in messages, copied; NULL = "" */
    gpool_scope scope;         /**< owner; null = the pool's root scope */
} gpool_texture_import_desc;

/** How gpool_sampler_create() makes a sampler. All zero: nearest, clamp to edge. */
typedef struct gpool_sampler_desc {
    WGPUAddressMode address_u;          /**< 0 = clamp to edge */
    WGPUAddressMode address_v;          /**< 0 = as `address_u` */
    WGPUAddressMode address_w;          /**< 0 = as `address_u` */
    WGPUFilterMode mag_filter;          /**< 0 = nearest */
    WGPUFilterMode min_filter;          /**< 0 = nearest */
    WGPUMipmapFilterMode mipmap_filter; /**< 0 = nearest */
    float lod_min;                      /**< level, at least 0 */
    float lod_max;                      /**< level; 0 = 32 */
    WGPUCompareFunction compare;        /**< 0 = no comparison sampler */
    uint16_t max_anisotropy;            /**< 0 = 1; above 1 needs all filters linear */
    const char *label;                  /**< name in messages, copied; NULL = "" */
    gpool_scope scope;                  /**< owner; null = the pool's root scope */
} gpool_sampler_desc;

/**
 * Creates a texture. Content is zeros, `data` in mip level 0.
 *
 * @return the handle; null for a caller's mistake (GPOOL_ERROR_INVALID_ARGUMENT: format, dimension
 *         or keep policy, GPOOL_ERROR_MISSING_USAGE, GPOOL_ERROR_LIMIT, GPOOL_ERROR_OUT_OF_RANGE: a
 *         zero extent or too little data, GPOOL_ERROR_MISALIGNED, GPOOL_ERROR_UNSUPPORTED: the
 *         device lacks the format's feature, or a shadow of a format that is not copied from
 *         memory, a handle error of the scope, GPOOL_ERROR_OUT_OF_MEMORY); a failed texture when
 *         the GPU refused (GPOOL_ERROR_OUT_OF_GPU_MEMORY, GPOOL_ERROR_GPU,
 *         GPOOL_ERROR_DEVICE_LOST), which keeps its shadow for gpool_recover().
 * Thread: owner. Allocates: yes.
 */
GPOOL_API gpool_texture gpool_texture_create(gpool *pool, const gpool_texture_desc *desc);

/**
 * Takes in a foreign texture as a handle; its size and format are asked from it.
 *
 * @return the handle, or null (GPOOL_ERROR_INVALID_ARGUMENT, GPOOL_ERROR_MISSING_USAGE,
 *         GPOOL_ERROR_WRONG_PHASE for `this_frame` outside a frame, a handle error of the scope,
 *         GPOOL_ERROR_OUT_OF_MEMORY).
 * Thread: owner. Allocates: yes. Never cached past its life: its views go with it.
 */
GPOOL_API gpool_texture gpool_texture_import(gpool *pool, const gpool_texture_import_desc *desc);

/**
 * Writes texels of a region. Every command of the next submit sees them, also those recorded
 * before this call.
 *
 * Without a shadow this is a queue write at once. With one the texels are copied there and the region
 * is noted; the next submit sends rectangles, at most 8 a level and layer, merged where one call is
 * cheaper than two, or the whole level where that is cheaper. A region of up to 256 bytes that the
 * shadow has already is nothing.
 *
 * @param region         NULL = all of mip level 0
 * @param data           copied; may be reused on return
 * @param data_size      bytes in `data`, at least what the region needs
 * @param bytes_per_row  source stride; 0 = packed. Slices follow each other after the region's rows
 * @return GPOOL_OK; a handle error; GPOOL_ERROR_FAILED_RESOURCE; GPOOL_ERROR_OUT_OF_RANGE (region
 *         or data); GPOOL_ERROR_MISALIGNED (blocks, or a stride below a row);
 *         GPOOL_ERROR_UNSUPPORTED (multisampled, an aspect that cannot be written, or a part of a
 *         depth-stencil texture);
 *         GPOOL_ERROR_MISSING_USAGE (imported without COPY_TARGET);
 *         GPOOL_ERROR_INVALID_ARGUMENT; GPOOL_ERROR_GPU; GPOOL_ERROR_OUT_OF_GPU_MEMORY;
 *         GPOOL_ERROR_OUT_OF_MEMORY; GPOOL_ERROR_DEVICE_LOST.
 * Thread: owner. Cost: the copy into the queue, or into the shadow; a submit when the texture's object
 * is recycled and not cleared yet.
 */
GPOOL_API gpool_result gpool_texture_write(gpool *pool, gpool_texture texture,
                                           const gpool_texture_region *region, const void *data,
                                           size_t data_size, uint32_t bytes_per_row);

/**
 * Gives a region of the shadow to be changed in place, and marks all of it dirty: the next submit sends
 * what is there then. Valid until that submit, or until the texture is read, resized, destroyed or
 * handed out raw before it: what is changed later is not sent.
 *
 * @param region NULL = all of mip level 0
 * @param rows   set to where the region lies; all zero on an error
 * @return GPOOL_OK; a handle error; GPOOL_ERROR_FAILED_RESOURCE; GPOOL_ERROR_UNSUPPORTED (no shadow, or
 *         as gpool_texture_write()); GPOOL_ERROR_OUT_OF_RANGE; GPOOL_ERROR_MISALIGNED;
 *         GPOOL_ERROR_INVALID_ARGUMENT (null `rows`, or an unknown aspect).
 * Thread: owner. Allocates: never.
 */
GPOOL_API gpool_result gpool_texture_edit(gpool *pool, gpool_texture texture,
                                          const gpool_texture_region *region,
                                          gpool_texture_rows *rows);

/**
 * Changes the extent; texels inside both extents are kept in every level that exists in both, the
 * rest is zero. Depth, stencil and multisampled textures without a shadow are cleared instead. The
 * number of mip levels stays, as far as the new extent allows. The handle stays, the version rises. The
 * same extent does nothing.
 *
 * @param depth_or_layers 0 = as it is
 * @return GPOOL_OK; a handle error; GPOOL_ERROR_OUT_OF_RANGE (a zero extent); GPOOL_ERROR_LIMIT;
 *         GPOOL_ERROR_INVALID_ARGUMENT (layers of a multisampled texture);
 *         GPOOL_ERROR_RECORDED; GPOOL_ERROR_UNSUPPORTED (imported); GPOOL_ERROR_MISALIGNED (blocks);
 *         GPOOL_ERROR_FAILED_RESOURCE; GPOOL_ERROR_OUT_OF_MEMORY; GPOOL_ERROR_OUT_OF_GPU_MEMORY;
 *         GPOOL_ERROR_GPU; GPOOL_ERROR_DEVICE_LOST. On any error the texture is as before.
 * Thread: owner. Allocates: yes. Cost: a GPU copy of what is kept; with a shadow that is sent whole.
 */
GPOOL_API gpool_result gpool_texture_resize(gpool *pool, gpool_texture texture, uint32_t width,
                                            uint32_t height, uint32_t depth_or_layers);

/**
 * Destroys a texture and its views, as gpool_buffer_destroy().
 *
 * @return GPOOL_OK, also for the null handle; another handle error.
 * Thread: any. Allocates: never.
 */
GPOOL_API gpool_result gpool_texture_destroy(gpool *pool, gpool_texture texture);

/**
 * Tells what a texture is.
 *
 * @return GPOOL_OK, a handle error or GPOOL_ERROR_INVALID_ARGUMENT (null `info`).
 * Thread: owner.
 */
GPOOL_API gpool_result gpool_texture_get_info(gpool *pool, gpool_texture texture,
                                              gpool_texture_info *info);

/**
 * Reads a region back with packed rows: submits a copy, waits. Recorded but unsubmitted commands
 * are not seen. For tests, exports and tools, not for every frame: see gpool_read_texture().
 *
 * @param region      NULL = all of mip level 0
 * @param target      receives the texels
 * @param target_size bytes in `target`, at least rows x row bytes x slices
 * @return GPOOL_OK; a handle error; GPOOL_ERROR_FAILED_RESOURCE; GPOOL_ERROR_MISSING_USAGE (no
 *         READ_BACK); GPOOL_ERROR_OUT_OF_RANGE; GPOOL_ERROR_MISALIGNED; GPOOL_ERROR_UNSUPPORTED;
 *         GPOOL_ERROR_INVALID_ARGUMENT; GPOOL_ERROR_LIMIT (over maxBufferSize);
 *         GPOOL_ERROR_OUT_OF_MEMORY; GPOOL_ERROR_OUT_OF_GPU_MEMORY; GPOOL_ERROR_GPU;
 *         GPOOL_ERROR_TIMEOUT; GPOOL_ERROR_DEVICE_LOST.
 * Thread: owner. Cost: blocks until the GPU is done, at most the pool's wait limit.
 */
GPOOL_API gpool_result gpool_texture_read(gpool *pool, gpool_texture texture,
                                          const gpool_texture_region *region, void *target,
                                          size_t target_size);

/**
 * Hands out the GPU object for raw work of the next submit. Not retained; see gpool_buffer_gpu().
 * What is dirty in a shadow is sent first.
 *
 * @return the object, or NULL (a handle error, GPOOL_ERROR_FAILED_RESOURCE,
 *         GPOOL_ERROR_INVALID_ARGUMENT, GPOOL_ERROR_MISSING_USAGE: write access with a shadow,
 *         GPOOL_ERROR_GPU, GPOOL_ERROR_OUT_OF_GPU_MEMORY, GPOOL_ERROR_OUT_OF_MEMORY,
 *         GPOOL_ERROR_DEVICE_LOST).
 * Thread: owner.
 */
GPOOL_API WGPUTexture gpool_texture_gpu(gpool *pool, gpool_texture texture, gpool_access access);

/**
 * Returns a view from the texture's cache, made at first use and replaced with the texture. Not
 * retained; valid until the texture is resized, destroyed or recovered. What is dirty in a shadow is
 * sent first.
 *
 * @param desc NULL = the whole texture
 * @return the view, or NULL (a handle error, GPOOL_ERROR_FAILED_RESOURCE, GPOOL_ERROR_OUT_OF_RANGE,
 *         GPOOL_ERROR_INVALID_ARGUMENT, GPOOL_ERROR_LIMIT: over 1024 different views,
 *         GPOOL_ERROR_MISSING_USAGE: write access with a shadow,
 *         GPOOL_ERROR_OUT_OF_MEMORY, GPOOL_ERROR_OUT_OF_GPU_MEMORY, GPOOL_ERROR_GPU,
 *         GPOOL_ERROR_DEVICE_LOST).
 * Thread: owner. Allocates: on a miss. Cost: linear in the texture's views.
 */
GPOOL_API WGPUTextureView gpool_texture_gpu_view(gpool *pool, gpool_texture texture,
                                                 const gpool_view_desc *desc, gpool_access access);

/**
 * Creates a sampler, or returns the handle of an equal good one of the same scope and adds a reference.
 *
 * @param desc NULL = all defaults
 * @return the handle; null for a caller's mistake (GPOOL_ERROR_INVALID_ARGUMENT, a handle error of
 *         the scope, GPOOL_ERROR_OUT_OF_MEMORY); a failed sampler when the GPU refused
 *         (GPOOL_ERROR_OUT_OF_GPU_MEMORY, GPOOL_ERROR_GPU, GPOOL_ERROR_DEVICE_LOST).
 * Thread: owner. Allocates: on a miss. Cost: linear in the pool's samplers.
 */
GPOOL_API gpool_sampler gpool_sampler_create(gpool *pool, const gpool_sampler_desc *desc);

/**
 * Gives up one reference to a sampler; the last one destroys it. The same as gpool_release().
 *
 * @return GPOOL_OK, also for the null handle; another handle error.
 * Thread: any. Allocates: never.
 */
GPOOL_API gpool_result gpool_sampler_destroy(gpool *pool, gpool_sampler sampler);

/**
 * Tells how a sampler was resolved: every field that was 0 has its default, `scope` is its owner now.
 *
 * @return GPOOL_OK, a handle error or GPOOL_ERROR_INVALID_ARGUMENT (null `desc`).
 * Thread: owner.
 */
GPOOL_API gpool_result gpool_sampler_get_desc(gpool *pool, gpool_sampler sampler,
                                              gpool_sampler_desc *desc);

/** Returns the raw sampler, not retained; NULL as gpool_texture_gpu(). Thread: owner. */
GPOOL_API WGPUSampler gpool_sampler_gpu(gpool *pool, gpool_sampler sampler);

#ifdef __cplusplus
}
#endif
#endif
