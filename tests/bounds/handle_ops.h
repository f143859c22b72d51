/*
 * Every function that takes a handle, as a list of operations, and resources of every kind in every
 * state. Used by the tests of handles; tests/bounds/test_bounds_headers.c checks that no function of
 * the headers is missing in handle_ops.c.
 */
#ifndef GPOOL_TESTS_BOUNDS_HANDLE_OPS_H
#define GPOOL_TESTS_BOUNDS_HANDLE_OPS_H

#include "bounds.h"

/* A pool with a resource of each kind that other operations need beside the one under test. */
typedef struct ops_pool {
    bounds_world *w;
    gpool *pool;
    uint32_t made; /* salt: samplers and layouts of different salts differ */
    gpool_buffer buffer;
    gpool_texture texture;
    gpool_texture samples;
    gpool_texture depth;
    gpool_shader shader;
    gpool_layout layouts[3]; /* one entry: a buffer, a texture, a sampler */
    gpool_mesh mesh;         /* in the pool's own heap */
} ops_pool;

/* Slabs of the pool's own heap are as large as these allow. */
static const WGPULimits ops_limits = { .maxBufferSize = 1u << 17 };

typedef enum ops_place {
    OPS_OUTSIDE,    /* no recorder */
    OPS_BETWEEN,    /* a recorder, outside passes */
    OPS_RENDER,     /* in a render pass */
    OPS_COMPUTE,    /* in a compute pass */
    OPS_BEGINS_PASS /* begins a render pass */
} ops_place;

enum {
    OPS_NULL_IS_GOOD = 1,   /* a null handle means something, or nothing is done */
    OPS_FAILED_IS_GOOD = 2, /* also for failed resources */
    OPS_STATUS = 4,         /* tells the failure without an error */
    OPS_DESTROYS = 8,       /* the handle is dead afterwards */
    OPS_MAKES = 16,         /* makes a resource; a failed one of a failed one */
    OPS_LOOKS = 32,         /* asks a raw object for its facts first */
    OPS_ANY_THREAD = 64,    /* not the owner's alone */
    OPS_TELLS = 128         /* of a failed one gives why it failed, as an error */
};

typedef struct ops_op {
    const char *name;
    gpool_kind kind; /* GPOOL_KIND_NONE = any */
    ops_place place;
    unsigned flags;
    /* The result; of recorder calls GPOOL_OK. */
    gpool_result (*run)(ops_pool *p, gpool_recorder rec, uint64_t id);
} ops_op;

extern const ops_op ops_all[];
extern const size_t ops_count;

/** Fills a pool with what operations need. */
void ops_open(ops_pool *p, bounds_world *w, gpool *pool);

/** A good resource that every operation of its kind takes; never one that is there already. */
uint64_t ops_make(ops_pool *p, gpool_kind kind);

/** A failed one. */
uint64_t ops_make_failed(ops_pool *p, gpool_kind kind);

/** Destroys by the function of its kind. */
gpool_result ops_destroy(ops_pool *p, uint64_t id);

/** True when the operation is for that kind. */
bool ops_fits(const ops_op *op, gpool_kind kind);

/** Begins a frame up to the operation's place; null recorder for OPS_OUTSIDE. */
gpool_recorder ops_begin(ops_pool *p, const ops_op *op);

/** Ends it; `refused` tells whether an error is latched. */
void ops_end(ops_pool *p, const ops_op *op, gpool_recorder rec, bool refused);

#endif
