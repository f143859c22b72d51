/*
 * What the boundary tests share.
 *
 * A world is a simulator with small limits, a device, a pool whose allocator refuses large blocks,
 * and a witness buffer. A test tries every pair of boundary values in a call. What must come out is
 * told by an oracle in wide integers, written from the public comments: the set of rules that the
 * values break. The call must give the code of one of them (the comments promise no order), name a
 * value that breaks it in the message, and leave the pool as it was: counters, GPU calls, objects.
 * With no rule broken the call must be GPOOL_OK.
 */
#ifndef GPOOL_TESTS_BOUNDS_H
#define GPOOL_TESTS_BOUNDS_H

#include "unit.h"

#include "sim.h"

#include <gpool/gpool.h>

#include <stdatomic.h>

/* Wide enough for any sum or product of two 64-bit numbers. */
__extension__ typedef unsigned __int128 bounds_wide;

/** GPU memory of a world, and the largest block of its allocator. */
#define BOUNDS_MEMORY (UINT64_C(1) << 22)
#define BOUNDS_BLOCK  (UINT64_C(1) << 19)

typedef struct bounds_memory {
    uint64_t largest; /* larger blocks are refused */
    uint64_t fail_in; /* the block that is refused, counted from now; 0 = none */
    uint64_t refused;
    uint64_t blocks;
    uint64_t wrong_sizes;
} bounds_memory;

typedef struct bounds_world {
    sim *s;
    gpool_gpu table;
    gpool_device *device;
    gpool *pool;
    bounds_memory memory;
    gpool_buffer witness;  /* 64 known bytes, nobody's business */
    gpool_stats before;    /* at bounds_before() */
    uint64_t calls_before; /* of webgpu.h */
    uint64_t live_before;  /* objects of webgpu.h */
    uint64_t checks;
    const char *what;       /* the call under test, for messages */
    _Atomic uint64_t leaks; /* leak records; a thread of the simulator may tell some */
    bool calls_allowed;     /* a refusal may look at raw objects first */
} bounds_world;

/** Opens a world; limits that are 0 are the specification's. */
void bounds_open(bounds_world *w, sim_personality personality, const WGPULimits *limits);
void bounds_open_desc(bounds_world *w, const sim_desc *manners, const gpool_desc *desc);

/** Opens another pool on the world's device, with the world's hooks. */
gpool *bounds_pool(bounds_world *w, const char *label);

gpool *bounds_pool_desc(bounds_world *w, const gpool_desc *desc);

/** The witness must be as it was; ends everything: no fatal, no object, no block is left. */
void bounds_close(bounds_world *w);

/* --- values --- */

typedef struct bounds_set {
    uint64_t v[64];
    uint32_t count;
} bounds_set;

/** {0,1,3,4,255,256,2^31,2^32,2^53,2^64} each +-1, and the neighbourhood of `near_value` (0 = none). */
bounds_set bounds_values(uint64_t near_value);

/** Those that fit in 32 bits. */
bounds_set bounds_values32(uint64_t near_value);

/** Adds a value unless it is there. */
void bounds_set_add(bounds_set *set, uint64_t value);

/* --- oracle --- */

#define BOUNDS_RULES 24u

typedef struct bounds_oracle {
    uint32_t count;
    struct {
        gpool_result code;
        bool has_value;
        uint64_t value;
    } broken[BOUNDS_RULES];
} bounds_oracle;

/** Notes a rule that is broken when `broken` is true; the message must have `value`. */
void bounds_rule(bounds_oracle *o, bool broken, gpool_result code, uint64_t value);

/** The same for a rule without a number. */
void bounds_rule_plain(bounds_oracle *o, bool broken, gpool_result code);

/** offset + size <= whole in wide integers; both numbers are told. */
void bounds_rule_range(bounds_oracle *o, uint64_t offset, uint64_t size, uint64_t whole);

/** number % unit == 0. */
void bounds_rule_aligned(bounds_oracle *o, uint64_t number, uint64_t unit);

static inline bool bounds_inside(uint64_t offset, uint64_t size, uint64_t whole)
{
    return (bounds_wide)offset + size <= whole;
}

/* --- checks --- */

/** Remembers the counters; `what` names the call in messages. */
void bounds_before(bounds_world *w, const char *what);

/**
 * Checks a result against the oracle; true when the call was good. A refused call must have left
 * everything as it was. `a` and `b` are the pair, for messages.
 */
bool bounds_after(bounds_world *w, const bounds_oracle *o, gpool_result got, uint64_t a,
                  uint64_t b);

/** The same for a call that gave a handle or an object: null means the pool's last error. */
bool bounds_after_made(bounds_world *w, const bounds_oracle *o, bool made, uint64_t a, uint64_t b);

/** The same for a recorder call, by the counter of skipped commands. */
bool bounds_after_record(bounds_world *w, const bounds_oracle *o, uint64_t a, uint64_t b);

/** Fails with both numbers unless `good`. */
void bounds_must(const bounds_world *w, bool good, const char *what, uint64_t a, uint64_t b);

/** Must be GPOOL_OK. */
void bounds_good(const bounds_world *w, gpool_result result);

gpool_stats bounds_stats(const bounds_world *w);

/** Lets the GPU finish and frees what is retired. */
void bounds_settle(bounds_world *w);

/** Bytes made of a number, different for different ones. */
void bounds_fill(uint8_t *bytes, size_t size, uint64_t seed);

/** The bytes of a buffer as gpool_buffer_read() sees them must be these. */
void bounds_same(bounds_world *w, gpool_buffer buffer, const uint8_t *bytes, size_t size);

gpool_buffer bounds_buffer(bounds_world *w, const void *data, uint64_t size,
                           gpool_buffer_usage usage);

/** Makes a layout; null when it is refused. */
gpool_layout bounds_layout(bounds_world *w, const gpool_layout_entry *entries, uint32_t count);

/** Begins a frame and returns its recorder. */
gpool_recorder bounds_begin(bounds_world *w);

/** Begins a frame with an open compute pass. */
gpool_recorder bounds_begin_compute(bounds_world *w);

/** Ends the open pass and the frame; see bounds_end(). */
void bounds_end_pass(bounds_world *w, gpool_recorder rec, bool skipped);

/** Ends a frame; `skipped` tells whether a command was refused in it. */
void bounds_end(bounds_world *w, bool skipped);

/** A test in both manners: bounds_personality(state) tells which. */
#define BOUNDS_TEST(name)                                                                          \
    { #name " (wgpu-native)", name, NULL, NULL, (void *)(uintptr_t)SIM_WGPU_NATIVE },              \
    {                                                                                              \
#name " (Dawn)", name, NULL, NULL, (void *)(uintptr_t)SIM_DAWN                             \
    }

static inline sim_personality bounds_personality(void **state)
{
    return (sim_personality)(uintptr_t)*state;
}

#endif
