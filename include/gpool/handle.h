/* gpool/handle.h: handles, the currency of the library. Needs no webgpu.h. */
#ifndef GPOOL_HANDLE_H
#define GPOOL_HANDLE_H

#include <gpool/base.h>

/**
 * What a handle names. A handle is 64 bits: slot in bits 0..23, kind in 24..27, pool tag in
 * 28..31, generation in 32..63. All zero is the null handle. Handles are compared by `id` and may
 * be copied and stored freely; a handle whose resource was destroyed is refused, never resolved.
 * All functions below: Thread: any.
 */
typedef enum gpool_kind {
    GPOOL_KIND_NONE,     /**< the null handle */
    GPOOL_KIND_BUFFER,   /**< gpool_buffer */
    GPOOL_KIND_TEXTURE,  /**< gpool_texture */
    GPOOL_KIND_SAMPLER,  /**< gpool_sampler */
    GPOOL_KIND_LAYOUT,   /**< gpool_layout */
    GPOOL_KIND_SHADER,   /**< gpool_shader */
    GPOOL_KIND_PIPELINE, /**< gpool_pipeline */
    GPOOL_KIND_SCOPE,    /**< gpool_scope */
    GPOOL_KIND_TICKET,   /**< gpool_ticket */
    GPOOL_KIND_HEAP,     /**< gpool_heap */
    GPOOL_KIND_MESH,     /**< gpool_mesh */
    GPOOL_KIND_COUNT     /**< number of kinds in use; at most 16 */
} gpool_kind;

/** Names a buffer of a pool. */
typedef struct gpool_buffer {
    uint64_t id; /**< see gpool_kind; zero is null */
} gpool_buffer;

/** Names a texture of a pool. */
typedef struct gpool_texture {
    uint64_t id; /**< see gpool_kind; zero is null */
} gpool_texture;

/** Names a sampler of a pool; gpool_sampler_create() gives equal ones of a scope one handle. */
typedef struct gpool_sampler {
    uint64_t id; /**< see gpool_kind; zero is null */
} gpool_sampler;

/** Names a bind group layout of a pool; gpool_layout_create() gives equal ones of a scope one handle. */
typedef struct gpool_layout {
    uint64_t id; /**< see gpool_kind; zero is null */
} gpool_layout;

/** Names a shader module of a pool. */
typedef struct gpool_shader {
    uint64_t id; /**< see gpool_kind; zero is null */
} gpool_shader;

/** Names a render or compute pipeline of a pool. */
typedef struct gpool_pipeline {
    uint64_t id; /**< see gpool_kind; zero is null */
} gpool_pipeline;

/** Names a scope of a pool; null stands for the pool's root scope. */
typedef struct gpool_scope {
    uint64_t id; /**< see gpool_kind; zero is null */
} gpool_scope;

/** Names a ticket of a pool: bytes that are on their way from the GPU. */
typedef struct gpool_ticket {
    uint64_t id; /**< see gpool_kind; zero is null */
} gpool_ticket;

/** Names a heap of a pool: slabs for meshes; null stands for the pool's own heap. */
typedef struct gpool_heap {
    uint64_t id; /**< see gpool_kind; zero is null */
} gpool_heap;

/** Names a mesh of a pool: vertices and indices in a heap. */
typedef struct gpool_mesh {
    uint64_t id; /**< see gpool_kind; zero is null */
} gpool_mesh;

/** Kind stored in a handle's id; GPOOL_KIND_NONE for null. Does not check that it is alive. */
static inline gpool_kind gpool_handle_kind(uint64_t id)
{
    return (gpool_kind)((id >> 24) & 15u);
}

/** Slot stored in a handle's id. */
static inline uint32_t gpool_handle_slot(uint64_t id)
{
    return (uint32_t)(id & 0xffffffu);
}

/** Pool tag stored in a handle's id. */
static inline uint32_t gpool_handle_tag(uint64_t id)
{
    return (uint32_t)((id >> 28) & 15u);
}

/** Generation stored in a handle's id. */
static inline uint32_t gpool_handle_generation(uint64_t id)
{
    return (uint32_t)(id >> 32);
}

#endif
