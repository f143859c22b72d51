/* gpool/scope.h: scopes, which own resources; shared ownership and moves of any resource. */
#ifndef GPOOL_SCOPE_H
#define GPOOL_SCOPE_H

#include <gpool/pool.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How gpool_scope_create() makes a scope. */
typedef struct gpool_scope_desc {
    gpool_scope parent; /**< scope it lies in; null = the pool's root scope */
    const char *label;  /**< name in messages, copied; NULL = "" */
} gpool_scope_desc;

/** What live resources are there, by gpool_kind. */
typedef struct gpool_scope_sum {
    uint64_t count[GPOOL_KIND_COUNT]; /**< resources; equal samplers and layouts are one */
    uint64_t bytes[GPOOL_KIND_COUNT]; /**< their GPU bytes; imports have none */
} gpool_scope_sum;

/** What a scope is and holds. */
typedef struct gpool_scope_info {
    gpool_scope parent;      /**< null = the root scope; null for the root scope, too */
    uint64_t created_frame;  /**< frame of creation */
    uint64_t child_count;    /**< scopes that lie right in it */
    gpool_scope_sum own;     /**< what lies right in it, scopes too */
    gpool_scope_sum subtree; /**< the same and all that lies in its scopes, at any depth */
    const char *label;       /**< valid until the scope ends; the pool's label for the root scope */
} gpool_scope_info;

/**
 * Creates a scope. Every resource belongs to one scope: the one its descriptor names, else the
 * pool's root scope, which lives as long as the pool.
 *
 * @param desc NULL = all defaults
 * @return the handle; null for a caller's mistake (a handle error of the parent, GPOOL_ERROR_LIMIT,
 *         GPOOL_ERROR_OUT_OF_MEMORY).
 * Thread: owner. Allocates: yes.
 */
GPOOL_API gpool_scope gpool_scope_create(gpool *pool, const gpool_scope_desc *desc);

/**
 * Ends a scope: destroys all that lies in it at any depth, inner scopes first, and the scope. As
 * with every destroy, work recorded before still runs, also in a frame and with an open recorder.
 * References do not count here: what shall live on is moved out before, with gpool_move().
 *
 * @return GPOOL_OK, also for the null handle; another handle error.
 * Thread: any; from another thread than the owner the scope's own handle dies at once, what lies in it
 * at the owner's next frame call, so that it can still be moved out until then. Allocates: never.
 * Cost: what lies in it; however deep, the C stack stays flat.
 */
GPOOL_API gpool_result gpool_scope_end(gpool *pool, gpool_scope scope);

/**
 * Tells what a scope is and holds.
 *
 * @param scope null = the root scope
 * @return GPOOL_OK, a handle error or GPOOL_ERROR_INVALID_ARGUMENT (null `info`).
 * Thread: owner. Cost: linear in the scopes of its subtree, whatever they hold.
 */
GPOOL_API gpool_result gpool_scope_get_info(gpool *pool, gpool_scope scope, gpool_scope_info *info);

/**
 * Adds a reference to a resource of any kind, by its handle's id: a new one has one, and each create
 * that returned an equal sampler or layout added one.
 *
 * @return GPOOL_OK; a handle error; GPOOL_ERROR_LIMIT (2^32 - 1 references).
 * Thread: any. Allocates: never.
 */
GPOOL_API gpool_result gpool_retain(gpool *pool, uint64_t id);

/**
 * Gives up a reference to a resource of any kind; the last one destroys it, or ends the scope. The
 * destroy function of buffers, textures, shaders, pipelines and tickets destroys at once, whatever the
 * references; that of samplers and layouts is gpool_release().
 *
 * @return GPOOL_OK, also for id 0; another handle error; GPOOL_ERROR_INVALID_ARGUMENT for the last
 *         reference to gpool_uniform_layout().
 * Thread: any; see gpool_create(). Allocates: never.
 */
GPOOL_API gpool_result gpool_release(gpool *pool, uint64_t id);

/**
 * Gives a resource of any kind to another scope; a scope goes with all that lies in it. Handle,
 * content and references stay as they are.
 *
 * @param to null = the root scope
 * @return GPOOL_OK; a handle error; GPOOL_ERROR_INVALID_ARGUMENT (a scope into itself or into what
 *         lies in it, or gpool_uniform_layout()).
 * Thread: owner. Allocates: never. Cost: for a scope, the depth of `to`.
 */
GPOOL_API gpool_result gpool_move(gpool *pool, uint64_t id, gpool_scope to);

#ifdef __cplusplus
}
#endif
#endif
