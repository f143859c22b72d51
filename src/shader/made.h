/*
 * What is compiled: modules and programs (compiled pipelines), each made once for a key and shared.
 *
 * A gpool__made is counted by its users. Equal keys find the same one: a hash finds the bucket, all
 * bytes of the key are compared. One that nobody uses any more waits among the idle ones, the least
 * recently used of which goes when there are too many, so that a shader made again is not compiled
 * again and a program that makes new ones for days does not grow. One that loses its last user before
 * anybody began to compile it is never compiled. What failed leaves the cache: its users know, and who
 * asks again tries again.
 *
 * It is compiled by a worker, or by the owner: when the pool has no workers, and when the owner cannot
 * wait and no worker has begun. Workers see the key, which never changes, the GPU objects that the key
 * names, their own seam, and the fields marked so; all else belongs to the owner, who takes what is
 * done over ("collects" it) at the start of a frame or when it asks.
 */
#ifndef GPOOL_SHADER_MADE_H
#define GPOOL_SHADER_MADE_H

#include "pool/rebuild.h"

#define GPOOL__MAX_WORKERS 64u

/* Idle entries kept of each cache, and the most bytes of their keys. */
#define GPOOL__IDLE_COUNT 512u
#define GPOOL__IDLE_BYTES ((size_t)32 << 20)

enum {
    GPOOL__MADE_WAITING, /* in the queue */
    GPOOL__MADE_RUNNING, /* somebody compiles it */
    GPOOL__MADE_DONE     /* `gpu` and `result` hold */
};

struct gpool__made_kind;
struct gpool__cache;

typedef struct gpool__made {
    const struct gpool__made_kind *kind;
    struct gpool__made *chain; /* of its bucket */
    struct gpool__made *newer; /* among the idle ones */
    struct gpool__made *older;
    uint64_t hash;
    size_t key_size;
    size_t block_size;
    uint32_t references; /* users; 0 = idle */
    uint32_t uses;       /* how often it was asked for, but by the warm-up */
    uint32_t counted;    /* of these, those that a manifest has */
    uint64_t order;      /* of first use in the pool, from 1 */
    bool collected;      /* the owner knows how it went */
    bool kept;           /* by the warm-up */
    void *fresh;         /* the same on another device, during the rebuild `pass` */
    gpool_result fresh_result;
    uint64_t pass;
    char *message; /* why it failed, "" without memory for it; NULL = it did not */

    /* Of who compiles it; the owner's once it is done. */
    struct gpool__made *next;     /* in the queue or among the done; compiler's lock */
    struct gpool__made *previous; /* in the queue */
    _Atomic int state;            /* GPOOL__MADE_* */
    gpool_result result;
    void *gpu;    /* NULL = could not be made */
    char *report; /* room for the message; NULL without memory */
} gpool__made;

/* How the compiler is called: by a worker with a seam of its own, or by the owner. */
typedef struct gpool__run {
    gpool_device *device;
    gpool__seam *seam;
    char *report; /* GPOOL__MESSAGE_SIZE bytes or NULL */
} gpool__run;

/* Modules or programs. */
typedef struct gpool__made_kind {
    /* Compiles; any thread. NULL with the result, and a message in the report. */
    void *(*make)(const gpool__run *run, const gpool__made *made, gpool_result *result);
    gpool__drop_fn drop;
    const void *(*key)(const gpool__made *made);
    struct gpool__cache *(*cache)(gpool *pool); /* that it is in */
    /* What it needs done before; NULL ends. At most GPOOL__NEEDS. */
    gpool__made *(*need)(const gpool__made *made, int i);
    /* Gives up what the key names, before the block is freed. */
    void (*forget)(gpool *pool, gpool__made *made);
    /* Records an error: how it failed. NULL = its users do. */
    gpool_result (*tell)(gpool *pool, const gpool__made *made, gpool_result result,
                         const char *message);
} gpool__made_kind;

#define GPOOL__NEEDS 2

typedef struct gpool__cache {
    gpool__made **buckets;
    uint32_t bucket_count; /* a power of two; 0 = none yet */
    uint32_t count;
    uint32_t idle_count;
    size_t idle_bytes;
    gpool__made *newest; /* idle ones by age */
    gpool__made *oldest;
    bool uncounted;   /* who asks now is the warm-up: no use */
    uint64_t no_hash; /* bits of the hash that are left out: tests make all keys collide */
} gpool__cache;

typedef struct gpool__worker {
    gpool__thread thread;
    struct gpool__compiler *compiler;
    gpool__seam seam;
} gpool__worker;

typedef struct gpool__compiler {
    gpool__mutex lock; /* guards what follows */
    gpool__condition changed;
    gpool__made *first; /* the queue, oldest first */
    gpool__made *last;
    gpool__made *done; /* newest first */
    uint32_t running;
    void (*errand)(void *user); /* other work, done when nothing can be compiled; NULL = none */
    void *errand_user;
    bool errand_runs;
    bool paused;
    bool ends;
    uint64_t calls[GPOOL_GPU_COUNT]; /* into webgpu.h by workers, not yet added to the pool's */
    gpool_device *device;

    /* The owner's. */
    gpool__worker *workers; /* started when there is something to do */
    uint32_t worker_count;
    uint32_t wanted;
    uint32_t pending;      /* asked for and not collected */
    _Atomic uint32_t news; /* done and not collected: anybody may ask */
} gpool__compiler;

void gpool__compiler_init(gpool *pool, gpool__compiler *compiler, uint32_t workers);

/** Ends the workers; what they had not begun is never done. */
void gpool__compiler_stop(gpool__compiler *compiler);

void gpool__compiler_fini(gpool *pool, gpool__compiler *compiler);

/** Nothing is begun until gpool__compiler_resume(); waits for what is under way. */
void gpool__compiler_pause(gpool__compiler *compiler);

/** Takes one out of the queue that nobody began to compile; false when somebody did. */
bool gpool__compiler_withdraw(gpool *pool, gpool__made *made);

void gpool__compiler_resume(gpool *pool, gpool__compiler *compiler);

/** Asks for a made to be compiled: by a worker, or at once where there are none. */
void gpool__compiler_ask(gpool *pool, gpool__made *made);

/**
 * Waits until it is done, and compiles it here when nobody has begun. GPOOL_OK or
 * GPOOL_ERROR_TIMEOUT.
 */
gpool_result gpool__compiler_finish(gpool *pool, gpool__made *made, uint64_t timeout_ns);

/** Waits until something is done and not collected, or about `ns`. */
void gpool__compiler_wait(gpool__compiler *compiler, uint64_t ns);

/** Has a worker do something else, one thing at a time. False where there are no workers. */
bool gpool__compiler_send(gpool__compiler *compiler, void (*errand)(void *user), void *user);

/** True when what was sent is done. */
bool gpool__compiler_errand_done(gpool__compiler *compiler);

/** Waits for it; false when it was not begun, and now never will be. */
bool gpool__compiler_errand_end(gpool__compiler *compiler);

/** Takes over what is done and tells what failed. Costs a load when nothing is. */
void gpool__compiler_collect(gpool *pool);

/** True when the owner knows how it went. */
static inline bool gpool__made_is_done(const gpool__made *made)
{
    return made->collected;
}

/** How it went: GPOOL_NOT_READY, GPOOL_OK, or why it failed. */
static inline gpool_result gpool__made_status(const gpool__made *made)
{
    return made->collected ? made->result : GPOOL_NOT_READY;
}

/** After a rebuild that it took part in: how that went holds. */
void gpool__made_rebuilt(gpool *pool, gpool__made *made);

/** The entry of a key, as one more user of it; NULL when there is none. */
gpool__made *gpool__cache_find(gpool__cache *cache, uint64_t hash, const void *key, size_t size);

/** Hash of a key, for gpool__cache_find(). */
uint64_t gpool__cache_hash(const gpool__cache *cache, const void *key, size_t size);

/** Adds a new entry with one user; false without memory. */
bool gpool__cache_add(gpool *pool, gpool__cache *cache, gpool__made *made);

/** Adds a user to an entry that is in the cache. */
void gpool__cache_retain(gpool__cache *cache, gpool__made *made);

/** Takes a user away; it is idle without. */
void gpool__cache_give_up(gpool *pool, gpool__cache *cache, gpool__made *made);

/** Frees the idle entries, all but the newest `most` of them. */
void gpool__cache_trim(gpool *pool, gpool__cache *cache, uint32_t most, size_t most_bytes);

/** Frees the idle entries that failed, and those that are too many. */
void gpool__cache_sweep(gpool *pool, gpool__cache *cache);

/** Takes an entry out, which stays whole: equal keys are made anew from now on. */
void gpool__cache_forget(gpool__cache *cache, gpool__made *made);

/** Puts one that was forgotten back, unless another one of its key is there. */
void gpool__cache_return(gpool__cache *cache, gpool__made *made);

/** Frees the cache; no entry has users or is being compiled. */
void gpool__cache_fini(gpool *pool, gpool__cache *cache);

/** Writes the message of a failure into a run's report. */
void gpool__run_report(const gpool__run *run, const char *message);

#endif
