/*
 * A pool with resources of every kind on the simulator, a frame that uses all of them, and a snapshot
 * of what the GPU has: what the tests of gpool_recover() compare before and after.
 *
 * Tables are counted: every object made through a device's table must be released through it, also
 * when the pool has moved on meanwhile. All simulated tables share their functions, so the simulator
 * itself would not notice.
 */
#ifndef GPOOL_TESTS_RECOVER_WORLD_H
#define GPOOL_TESTS_RECOVER_WORLD_H

#include "sim.h"
#include "unit.h"

#include <gpool/gpool.h>

#define WORLD_SIDE   8u
#define WORLD_TEXELS (WORLD_SIDE * WORLD_SIDE)
#define WORLD_POINTS 4096u
#define WORLD_ODD    101u
#define WORLD_SLICES 3u

/* Everything that can be read back. */
typedef struct world_bytes {
    uint8_t points[WORLD_POINTS];
    uint8_t odd[WORLD_ODD];
    uint8_t zeros[64];
    uint8_t numbers[64];
    uint8_t state[64];
    uint8_t copied[64];
    uint8_t picture[WORLD_TEXELS * 4];
    uint8_t target[WORLD_TEXELS * 4];
    uint8_t other[WORLD_TEXELS * 4];
    uint8_t volume[WORLD_TEXELS * 4 * WORLD_SLICES];
} world_bytes;

/* Handles. A null one is made by world_make(). */
typedef struct world_handles {
    gpool_buffer points;  /* with a shadow */
    gpool_buffer odd;     /* with a shadow, of a size that is no multiple of 4 */
    gpool_buffer zeros;   /* with a shadow, never written */
    gpool_buffer numbers; /* STORAGE_WRITE: each frame copies to it and doubles it */
    gpool_buffer state;   /* STORAGE_WRITE: filled once, at creation */
    gpool_buffer copied;  /* gpu-written since the first frame, which copies to it */
    gpool_texture picture;
    gpool_texture target;
    gpool_texture other;  /* of another format than `target` */
    gpool_texture volume; /* 3D target */
    gpool_texture depth;
    gpool_sampler sampler;
    gpool_layout storage;
    gpool_layout pictures;
    gpool_shader twice_shader;
    gpool_pipeline twice;
    gpool_pipeline fill;  /* formats by pass; its shader is destroyed */
    gpool_pipeline blend; /* formats told; its shader and one of its layouts are destroyed */
} world_handles;

#define WORLD_DEVICES 3

typedef struct recover_world {
    sim *sims[WORLD_DEVICES];
    sim_personality personalities[WORLD_DEVICES];
    gpool_device *device; /* the test's own reference */
    gpool *pool;
    unit_allocator books;           /* of the pool */
    uint32_t logs[GPOOL_LOG_COUNT]; /* records by id */
    world_handles h;
    bool measure;                   /* of the next pool */
    const WGPULimits *limits;       /* of the next simulator; NULL = default */
    const WGPUFeatureName *feature; /* one feature of the next simulator; NULL = none */
    uint32_t asked_buffers;         /* calls of the refill callbacks */
    uint32_t asked_textures;
    uint64_t asked[32]; /* handles they were called with */
    uint32_t asked_count;
    void (*in_refill)(struct recover_world *w, uint64_t id); /* NULL = nothing more */
} recover_world;

/* Fails with the pool's last error unless a call is GPOOL_OK. */
#define assert_good(w, call)                                                                       \
    do {                                                                                           \
        gpool_result good_result = (call);                                                         \
        if (good_result != GPOOL_OK) {                                                             \
            fail_msg("%s: %s", gpool_result_name(good_result),                                     \
                     gpool_last_error((w)->pool)->message);                                        \
        }                                                                                          \
    } while (0)

/* Makes a simulator with the host shaders in a slot. */
void world_add_sim(recover_world *w, uint32_t slot, sim_personality personality);

/* Opens a device on a simulator. */
gpool_device *world_open(recover_world *w, uint32_t slot);

/* A world with simulator 0, a device and a pool; world_make() fills it. */
void world_begin(recover_world *w, sim_personality personality);
void world_make(recover_world *w);

/* Ends everything. Nothing may be left, nothing fatal may have happened, each table has got back all
 * that it made. */
void world_end(recover_world *w);

/* Runs a function inside the `nth` call from now on that makes or releases an object; a null one takes
 * it back, and tells whether it ran. */
bool world_interrupt(void (*run)(void), uint64_t nth);

/* Fails when an object was released through the table of another device, or is left. */
void world_check_tables(void);

/* Draws frame `number`; the first error of it. */
gpool_result world_frame(recover_world *w, uint32_t number);

/* Reads everything; the first error. */
gpool_result world_read(recover_world *w, world_bytes *bytes);

/* Fails unless what is there is what frame `number` leaves. */
void world_check(recover_world *w, uint32_t number);

/* What is to be there after frame `number`. */
void world_expect(uint32_t number, world_bytes *bytes);

/* Recovers to a device, which is the world's from then on if that works. */
gpool_result world_recover(recover_world *w, gpool_device *device, gpool_recover_report *report);

/* The callbacks of world_recover(). */
gpool_recover_desc world_refills(recover_world *w);

/* Handles of a kind that are alive, of the user. */
uint64_t world_live(recover_world *w, gpool_kind kind);

/* Version of a buffer or a texture. */
uint64_t world_version(recover_world *w, uint64_t id);
bool world_failed(recover_world *w, uint64_t id);

#endif
