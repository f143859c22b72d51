/*
 * Making a pool's GPU objects again on another device, in two steps so that a failure half way leaves
 * the pool as it was: first everything is made aside, then it is swapped in, which cannot fail.
 *
 * A rebuild is two lists. Objects: what was made, and the pointer it will replace. Outcomes: one for
 * each resource, how it went. A kind's gpool.rebuild function makes the objects of a resource, with
 * the pool pointing at the new device, adds them and changes nothing else that can be seen; after
 * the swap its gpool.rebuilt function, with the pool pointing at the old device again, settles the
 * rest: version, views, dirty bytes. Between the two no code of the user's runs.
 */
#ifndef GPOOL_POOL_REBUILD_H
#define GPOOL_POOL_REBUILD_H

#include "pool/pool_state.h"

/* Releases a GPU object of some type. */
typedef void (*gpool__drop_fn)(gpool__seam *seam, void *gpu);

/* An object of the new device, after the swap of the old one. */
typedef struct gpool__fresh {
    gpool__drop_fn drop;
    void *place; /* the pointer that is swapped, of whatever handle type */
    void *gpu;   /* NULL = could not be made */
} gpool__fresh;

typedef struct gpool__outcome {
    gpool__resource *resource;
    uint64_t id; /* its handle: code of the user's may destroy it later */
    gpool_result result;
} gpool__outcome;

typedef struct gpool__rebuild {
    gpool__fresh *objects;
    uint32_t object_count;
    uint32_t object_capacity;
    gpool__outcome *outcomes;
    uint32_t outcome_count;
    uint32_t outcome_capacity;
} gpool__rebuild;

/** True for results that end the whole rebuild, not one resource. */
static inline bool gpool__rebuild_ends(gpool_result result)
{
    return result == GPOOL_ERROR_OUT_OF_MEMORY || result == GPOOL_ERROR_DEVICE_LOST;
}

/**
 * Adds an object made for `place`; NULL where it could not be made: the old one goes all the same.
 * Returns `result`, how the making went, or GPOOL_ERROR_OUT_OF_MEMORY; the object is released then.
 */
gpool_result gpool__rebuild_add(gpool *pool, gpool__rebuild *rebuild, gpool__drop_fn drop,
                                void *place, void *gpu, gpool_result result);

/** Releases the objects from the `count`th on and forgets them. */
void gpool__rebuild_cut(gpool *pool, gpool__rebuild *rebuild, uint32_t count);

/** Notes how a resource went. GPOOL_OK or GPOOL_ERROR_OUT_OF_MEMORY. */
gpool_result gpool__rebuild_note(gpool *pool, gpool__rebuild *rebuild, gpool__resource *resource,
                                 gpool_result result);

/** Puts every object in its place; the list then holds the old ones. */
void gpool__rebuild_swap(gpool__rebuild *rebuild);

/** Frees the lists. */
void gpool__rebuild_fini(gpool *pool, gpool__rebuild *rebuild);

/**
 * Group layout on the new device, made at the first call of a rebuild; NULL (told in `*result`) when
 * it cannot be made.
 */
WGPUBindGroupLayout gpool__group_layout_rebuild(gpool *pool, gpool__rebuild *rebuild,
                                                gpool__group_layout *group, const char *label,
                                                gpool_result *result);

#endif
