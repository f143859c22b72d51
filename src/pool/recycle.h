/*
 * Recycling: GPU objects of freed buffers and textures are kept for the next equal ones. A create on
 * wgpu-native costs 0.4 us, or 700 with 20,000 holes in its allocator; a 1080p target 9 ms on
 * SwiftShader, and 2 to 460 us on a real GPU, by how its memory is come by (docs/lifetimes.md).
 *
 * An object comes here when it is freed: the GPU is done with it and the delay has passed. It is kept
 * under its class, everything that its creation said except the label: size and usage of a buffer, the
 * whole descriptor of a texture. Classes of buffers are exact. With sizes rounded up, fewer sizes would
 * do for more requests, but the object would be larger than asked for, and that shows: arrayLength() of
 * a binding of the whole, gpool_buffer_info.gpu_size, bounds that the GPU keeps for us.
 *
 * No byte of what an object was may be seen in what it becomes. Who takes one either writes all of it
 * (data, or a shadow that is all dirty), or puts the resource on the list of clears. That list is
 * encoded before anything else of the next submit, whichever it is; until then a queue write to the
 * resource, which would overtake the clear, and handing out the GPU object submit it. What is destroyed
 * before that was never cleared.
 *
 * A texture of one level and layer that is covered needs no clear: a queue write of all of it takes it
 * off the list. What the open recording writes first and whole, by a pass that clears and stores it or
 * by a copy, stays on the list and is passed over by every submit until that of the recording, which
 * takes it off when it went through. So a recording that is dropped or refused leaves an entry like any
 * other. What reads or writes such a texture ahead of the recording ends that (gpool__recycle_settle(),
 * gpool__recycle_uncover()).
 *
 * Not kept: what was handed out raw, imports, what is multisampled or has depth or stencil, what the
 * unsubmitted batch still writes, anything of a lost device, and textures that nobody could take again:
 * without data a texture is cleared as a render target, of at most RECYCLE_PASSES levels times layers;
 * where that is not possible, writing zeros would cost more than a new texture, whose implementation
 * clears it with the first use, does.
 *
 * Everything here is the owner's thread's.
 */
#ifndef GPOOL_POOL_RECYCLE_H
#define GPOOL_POOL_RECYCLE_H

#include <gpool/pool.h>

struct gpool__resource;
struct gpool__buffer;
struct gpool__texture;
struct gpool__texture_part;

/* Most objects that are kept, however small. */
#define GPOOL__RECYCLE_MOST 32767u

/* What two GPU objects must have in common. No padding: it is hashed. */
typedef struct gpool__recycle_key {
    uint64_t size;  /* bytes of a buffer; 0 for textures */
    uint64_t usage; /* WebGPU's flags */
    uint32_t format;
    uint32_t dimension; /* 0 for buffers */
    uint32_t width;
    uint32_t height;
    uint32_t depth_or_layers;
    uint32_t mip_levels;
} gpool__recycle_key;

/* An object that is kept; links are places in the array, 0 = none. */
typedef struct gpool__recycle_entry {
    gpool__recycle_key key;
    void *gpu;
    uint64_t bytes;
    uint64_t frame;  /* it was freed in */
    uint32_t newer;  /* of all entries */
    uint32_t older;  /* of all entries; of free places: the next one */
    uint32_t above;  /* of its class; 0 = the newest, which is in the bucket's list */
    uint32_t below;  /* of its class */
    uint32_t bucket; /* of the newest of a class: the next class in its bucket */
} gpool__recycle_entry;

typedef struct gpool__recycle {
    uint64_t budget;
    uint64_t max_age_frames;
    bool off;
    bool open; /* what is freed now may be kept */

    gpool__recycle_entry *entries; /* entries[0] is no entry */
    uint32_t *buckets;             /* newest entry of the first class, by hash */
    uint32_t capacity;             /* of both; a power of two */
    uint32_t touched;              /* places from here on were never used */
    uint32_t free;                 /* first free place below */
    uint32_t newest;
    uint32_t oldest;
    uint32_t count;
    uint64_t bytes;

    struct gpool__resource **clears; /* NULL = given up */
    uint32_t clear_count;            /* with those given up */
    uint32_t clear_live;             /* without */
    uint32_t clear_sent;             /* the first so many are in the batch */
    uint32_t clear_capacity;
} gpool__recycle;

/** Takes the descriptor's wishes. */
void gpool__recycle_init(gpool *pool, const gpool_recycle_desc *desc);

/** Keeps the GPU object of a buffer that is freed; false when the caller must release it. */
bool gpool__recycle_keep_buffer(gpool *pool, const struct gpool__buffer *buffer);

/** The same for a texture. */
bool gpool__recycle_keep_texture(gpool *pool, const struct gpool__texture *texture);

/**
 * Gives an object of a size and usage, with bytes of another buffer in it; NULL when there is none.
 * With `clear` it can be put on the list of clears.
 */
WGPUBuffer gpool__recycle_take_buffer(gpool *pool, uint64_t size, WGPUBufferUsage usage,
                                      bool clear);

/** Gives an object for a texture; `covered`: the caller writes all of it, else it is to be cleared. */
WGPUTexture gpool__recycle_take_texture(gpool *pool, const struct gpool__texture *texture,
                                        bool covered);

/** Puts a buffer or texture on the list of clears; an object was taken for it with that in mind. */
void gpool__recycle_clear_later(gpool *pool, struct gpool__resource *resource);

/** Takes a buffer or texture off the list of clears, if it is on it. */
void gpool__recycle_forget(gpool *pool, struct gpool__resource *resource);

/** The same, unless the batch has the clear already: nobody will see what was to be cleared. */
void gpool__recycle_retiring(gpool *pool, struct gpool__resource *resource);

/**
 * Before the recording names a texture, of which its next command writes a part and reads nothing; for
 * a command that may yet fail, after that and before it is named.
 */
void gpool__recycle_cover(gpool *pool, struct gpool__texture *texture,
                          const struct gpool__texture_part *part);

/** Before commands that the batch takes, ahead of the recording, use a texture. */
void gpool__recycle_uncover(struct gpool__texture *texture);

/** Encodes the clears, before what the batch holds. On an error all is as before. */
gpool_result gpool__recycle_clear(gpool *pool);

/**
 * After a submit that took the batch, and the commands of the recording if `recorded`: it is done, or
 * the device is lost, or the batch is dropped.
 */
void gpool__recycle_submitted(gpool *pool, gpool_result result, bool recorded);

/** Before a queue write to a texture, and before it is handed out: clears it by a submit. */
gpool_result gpool__recycle_settle(gpool *pool, struct gpool__texture *texture);

/** True when a write of a part does for a texture what its clear does, if it has one to come. */
bool gpool__recycle_is_replaced(const gpool *pool, const struct gpool__texture *texture,
                                const struct gpool__texture_part *part);

/** At the end of a frame: releases what is too old, at most as much as a frame frees. */
void gpool__recycle_trim(gpool *pool);

/** Releases all that is kept; true when there was any. */
bool gpool__recycle_drop(gpool *pool);

/** Forgets all clears: what they were for is of a device that the pool leaves. */
void gpool__recycle_leave_device(gpool *pool);

void gpool__recycle_fini(gpool *pool);

/** Checks lists, classes and sums. Cost: all entries. */
bool gpool__recycle_validate(const gpool *pool);

#endif
