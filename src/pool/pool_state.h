/*
 * A pool: tables of resources by kind, the list of dirty buffers, the retire queue, counters.
 *
 * Lower folders hook in by tables of functions: each kind says how its GPU objects are released and
 * made again on another device, the recorder says how cached bind groups of a resource are dropped.
 * So that pool never calls down by name.
 *
 * Everything in a pool belongs to the thread that owns the pool; gpool__enter() checks it. What other
 * threads may do, and with what, is told in remote.c.
 */
#ifndef GPOOL_POOL_POOL_STATE_H
#define GPOOL_POOL_POOL_STATE_H

#include "alloc/handle_table.h"
#include "alloc/retire_queue.h"
#include "base/checked.h"
#include "gpu/device_state.h"
#include "pool/recycle.h"
#include "pool/scatter_state.h"
#include "pool/transfer_state.h"
#include "pool/writes.h"
#include "track/dirty_map.h"

#include <gpool/inspect.h>
#include <gpool/readback.h>
#include <gpool/scope.h>

/*
 * A burst of destroys is freed over several calls, so that no frame stalls: each frees a quarter of
 * what waits, but at least so many. A share, as a fixed number would fall behind a sketch that
 * destroys more than that in every frame.
 */
#define GPOOL__FREE_MIN 1024u

/* Where a resource stands in its pool: kind << 24 | slot, half of a pointer; 0 = nowhere. */
typedef uint32_t gpool__place;

/* The root scope stands in no table. */
#define GPOOL__ROOT ((gpool__place)GPOOL_KIND_SCOPE << 24 | GPOOL__MAX_SLOTS)

/* What is known of a resource while it is alive. */
typedef struct gpool__alive {
    gpool__place scope;    /* owner; 0 = none: the pool's own, or what a resize replaced */
    gpool__place next;     /* in the owner's list */
    gpool__place previous; /* */
    uint64_t created_frame;
} gpool__alive;

/* Flag among the references of what is the pool's own, so that other threads see that it cannot be
 * destroyed; so many references there can be. */
#define GPOOL__OWN            0x80000000u
#define GPOOL__MAX_REFERENCES 0x7fffffffu

/* Start of every resource: a slot of a handle table. */
typedef struct gpool__resource {
    gpool__slot_head head;
    /* These two belong to who holds the pool's remote_lock. They lie over gpool__slot_free.next. */
    gpool__place remote_next;    /* killed by another thread: the one killed after it */
    _Atomic uint32_t references; /* given out and retained; GPOOL__OWN among them */
    union {
        gpool__alive alive;     /* until it is retired */
        gpool__retired retired; /* queue link; `frame` is the frame of destruction */
    };
    char *label;                       /* kept until the slot is freed, for stale handles */
    uint64_t recorded;                 /* epoch of the recording that named it last */
    struct gpool__bind_use *bind_uses; /* cached bind groups that name it */
    uint8_t kind;                      /* gpool_kind */
    bool failed : 1;                   /* could not be made: does nothing */
    bool replaced : 1; /* holds what a resize replaced; was never a handle of the user's */
    bool own : 1;      /* the pool's, not the user's */
    bool gone : 1;     /* the owner has destroyed it; false while only another thread has */
    uint32_t clear;    /* buffers and textures: place on the list of clears, from 1; 0 = none; see
                          recycle.h */
} gpool__resource;

_Static_assert(offsetof(gpool__resource, alive) >= sizeof(gpool__slot_free),
               "the free list's link lies over what other threads touch under the lock only");

/*
 * A scope: lists of what lies right in it, and their sums. Sums of the subtree are added up when
 * asked for, so that a create or destroy pays for one scope, however deep it lies.
 */
typedef struct gpool__scope {
    gpool__resource base;
    gpool__place children; /* first of the scopes in it */
    gpool__place members;  /* first of everything else in it */
    uint32_t counts[GPOOL_KIND_COUNT];
    uint64_t bytes[GPOOL_KIND_COUNT];
} gpool__scope;

/* How a buffer's bytes went out the last time; its way and reason stand among the flags. */
typedef struct gpool__upload_note {
    uint64_t sent;
    uint32_t calls;
    float predicted_ns;
} gpool__upload_note;

/* There are many: bench row memory.buffer. */
typedef struct gpool__buffer {
    gpool__resource base;
    WGPUBuffer gpu;
    uint64_t size;
    uint8_t *shadow;              /* gpu_size bytes; NULL = gpu-written, or see buffer_keep.h */
    gpool_dirty_map *dirty;       /* of as many bytes; NULL without a shadow */
    struct gpool__refill *refill; /* NULL = none */
    gpool__upload_note upload;
    gpool__place dirty_next; /* in the list of dirty buffers, or of sent ones */
    gpool__place dirty_previous;
    uint32_t version;
    gpool_buffer_usage usage;
    uint32_t batch;     /* number of the batch whose commands write it; 0 = none */
    uint8_t way : 4;    /* gpool_upload_way of the last upload */
    uint8_t reason : 4; /* gpool_upload_reason */
    bool in_dirty_list : 1;
    bool in_sent_list : 1;
    bool drops : 1;    /* GPOOL_KEEP_DROP */
    bool dropped : 1;  /* no shadow, and no zeros: only the GPU has the content */
    bool scatters : 1; /* the GPU object may be a storage binding */
    bool gpu_written : 1;
    bool imported : 1;
    bool raw : 1;    /* the GPU object was handed out */
    bool edited : 1; /* the shadow's memory was, or may have been, handed out since it was sent */
} gpool__buffer;

/* One cached view of a texture. */
typedef struct gpool__texture_view {
    gpool_view_desc desc; /* resolved */
    WGPUTextureView gpu;
} gpool__texture_view;

/* One level and layer for gpool_texture_generate_mips(), made when first needed. */
typedef struct gpool__mip {
    WGPUTextureView view; /* drawn to */
    WGPUBindGroup source; /* binds the view, for the level below */
} gpool__mip;

typedef struct gpool__texture {
    gpool__resource base;
    WGPUTexture gpu;
    uint64_t version;
    uint64_t gpu_size;
    uint32_t width;
    uint32_t height;
    uint32_t depth_or_layers;
    uint32_t mip_levels;
    uint32_t samples;
    WGPUTextureDimension dimension;
    WGPUTextureFormat format;
    gpool_texture_usage usage;
    bool imported;
    bool raw;         /* the GPU object or a view was handed out */
    uint64_t covered; /* epoch of the recording that writes all of it before any other use */
    gpool__texture_view *views;
    uint32_t view_count;
    uint32_t view_capacity;
    gpool__mip *mips; /* mip_levels of each of depth_or_layers; NULL = none are kept */
    struct gpool__texture_shadow *shadow; /* NULL = none; see texture_state.h */
} gpool__texture;

typedef struct gpool__sampler {
    gpool__resource base;
    WGPUSampler gpu;
    gpool_sampler_desc desc; /* resolved, label NULL */
} gpool__sampler;

/* A WebGPU bind group layout and what it is made of. Shared by all equal layouts and the pipelines made
 * with them, which can so be made again when the layout's handle is gone. */
typedef struct gpool__group_layout {
    struct gpool__group_layout *next; /* in the pool's list */
    uint64_t hash;                    /* of the entries, never 0 */
    uint64_t unique;                  /* never another's of the pool */
    uint32_t references;
    uint32_t entry_count;
    WGPUBindGroupLayout gpu;      /* NULL = could not be made */
    WGPUBindGroupLayout fresh;    /* the same on another device, during the rebuild `pass` */
    uint64_t pass;                /* newest rebuild it took part in */
    gpool_layout_entry entries[]; /* sorted by binding, resolved */
} gpool__group_layout;

typedef struct gpool__layout {
    gpool__resource base;
    gpool__group_layout *group;
    const gpool_layout_entry *entries; /* of the group */
    uint32_t entry_count;
    uint64_t hash; /* of the entries, never 0: equal layouts fit each other's pipelines */
} gpool__layout;

/* Releases the GPU objects and memory of a resource, not its slot. */
typedef void (*gpool__release_fn)(gpool *pool, gpool__resource *resource);

/* Makes the GPU objects of a resource on another device, and what was made of them; see rebuild.h. */
struct gpool__rebuild;
typedef gpool_result (*gpool__rebuild_fn)(gpool *pool, struct gpool__rebuild *rebuild,
                                          gpool__resource *resource);
typedef void (*gpool__rebuilt_fn)(gpool *pool, gpool__resource *resource, gpool_result result);

/* What the shader folder does in the pool's own steps. */
typedef struct gpool__shaders_hooks {
    void (*pause)(gpool *pool, bool pause); /* nothing is compiled until it goes on */
    void (*leave_device)(gpool *pool);      /* releases what is of the device and nobody uses */
    void (*stop)(gpool *pool);              /* ends the workers */
    void (*fini)(gpool *pool);              /* after the last resource */
} gpool__shaders_hooks;

struct gpool {
    gpool_device *device;
    _Atomic uint64_t owner;         /* number of the owning thread */
    _Atomic uint64_t wrong_threads; /* calls refused from other threads */
    _Atomic uint64_t remote_errors; /* failures of calls that any thread may make, on others */
    gpool__mutex remote_lock;
    _Atomic gpool__place remote_first; /* killed by other threads, oldest first; see remote.c */
    gpool__place remote_last;
    gpool__seam seam;
    gpool__memory memory;
    gpool__log log;
    char *label;
    uint32_t tag;
    uint32_t first_generation; /* of the tables' new slots */
    uint32_t frames_in_flight;
    uint32_t delete_delay_frames;
    uint64_t wait_timeout_ns;
    bool measure;
    uint64_t clock_ns; /* cost of a clock read, taken off what is measured */

    uint64_t frame;
    bool in_frame;
    gpool_result frame_error; /* first error latched since the last submit */
    gpool_log_id frame_error_id;
    uint64_t frame_serials[8]; /* last serial of each of the newest frames, by frame % 8 */
    uint64_t last_serial;      /* newest submit of this pool */
    bool queue_dirty;          /* queue writes were made since the last submit */
    uint64_t record_epoch;     /* rises when the open recordings are submitted or dropped */
    bool recording;            /* a recorder is open */

    gpool__table tables[GPOOL_KIND_COUNT];
    gpool__writes writes;
    gpool__release_fn release[GPOOL_KIND_COUNT];
    gpool__release_fn retiring[GPOOL_KIND_COUNT]; /* called before the handle dies; may be NULL */
    gpool__rebuild_fn rebuild[GPOOL_KIND_COUNT];
    gpool__rebuilt_fn rebuilt[GPOOL_KIND_COUNT];
    uint64_t rebuild_pass; /* number of the newest rebuild on another device */
    bool recovering;       /* gpool_recover() runs */
    bool warming;          /* gpool_warm_up() runs */
    gpool__retire_queue retire;
    gpool__scope root;          /* no handle names it */
    gpool__place dirty_buffers; /* first of the list */
    gpool__place sent_buffers;  /* those that drop their shadow at the next submit */
    struct gpool__texture_shadow *dirty_textures;
    gpool__staging staging;
    gpool__batch batch;
    gpool__scatter scatter;
    gpool__recycle recycle;
    gpool_upload_costs upload_costs;
    gpool_upload_way upload_force;
    bool own_costs;                       /* given by the user: kept on another device */
    struct gpool__ticket *recorded_first; /* tickets of the open recording */
    struct gpool__ticket *recorded_last;
    gpool__landings landings;
    uint64_t *frame_imports; /* handles that end with the frame */
    uint32_t frame_import_count;
    uint32_t frame_import_capacity;
    gpool_stats stats; /* counters that are kept as they happen */

    /* Hooks and state of the folders below. */
    void (*drop_bind_uses)(gpool *pool, gpool__resource *resource);
    void (*leave_device)(gpool *pool);         /* releases what is of the device and no resource */
    gpool__group_layout *group_layouts;        /* all of them */
    uint64_t group_layout_count;               /* made so far */
    const gpool__shaders_hooks *shaders_hooks; /* NULL until the folder is ready */
    struct gpool__shaders *shaders;
    struct gpool__recording *record;
    gpool_layout uniform_layout;

    gpool__place heaps;      /* first of all heaps; see heap_state.h */
    gpool_heap default_heap; /* made when first needed */
    uint32_t empty_slabs;    /* of all heaps: they wait to be freed */
    uint32_t compacting;     /* heaps that want to be compacted at the next frame */
    gpool__bounce bounce;    /* for moves within a slab */
};

/* A public call under way; see gpool__enter(). */
typedef struct gpool__call {
    uint64_t begin_ns;
    uint64_t begin_gpu_ns;
    uint64_t begin_reads;
    uint64_t begin_wait_ns;
} gpool__call;

/**
 * Begins a public call: names the operation and starts the clock when the pool measures. On
 * GPOOL_ERROR_INVALID_ARGUMENT (null pool, which has no log) and GPOOL_ERROR_WRONG_THREAD the call
 * must end at once, without gpool__leave().
 */
gpool_result gpool__enter(gpool *pool, const char *name, gpool__call *call);

/** Ends a public call. */
void gpool__leave(gpool *pool, const gpool__call *call);

/** Tells the log that a thread without the right to it called; touches nothing of the owner's. */
gpool_result gpool__refuse_thread(gpool *pool, const char *name);

/** True when the calling thread owns the pool. */
static inline bool gpool__is_owned_by(const gpool *pool, const gpool__operation *now)
{
    return atomic_load_explicit(&pool->owner, memory_order_relaxed) == now->thread;
}

static inline bool gpool__is_owner(const gpool *pool)
{
    return gpool__is_owned_by(pool, gpool__current());
}

/** The same, and it is not in a callback inside a call of gpool: it may do all it likes. */
static inline bool gpool__may_act(const gpool *pool)
{
    return gpool__is_owner(pool) && !gpool__is_inside();
}

/** Records an error of this pool. */
#define GPOOL__FAIL(pool, id, code, ...)                                                           \
    gpool__fail(&(pool)->log, GPOOL_LOG_##id, GPOOL_ERROR_##code, __VA_ARGS__)

/** Records what gpool__capture_end() reported; `what` says what was being done. */
gpool_result gpool__fail_gpu(gpool *pool, gpool_result result, const char *what, const char *label);

/** Resolves a handle; NULL with the right error recorded (in `*result`). */
gpool__resource *gpool__resolve(gpool *pool, uint64_t id, gpool_kind kind, gpool_result *result);

/** The same, for the kind that the handle says it is. */
gpool__resource *gpool__resolve_any(gpool *pool, uint64_t id, gpool_result *result);

/** The same as gpool__resolve(), and refuses a failed resource. */
gpool__resource *gpool__resolve_good(gpool *pool, uint64_t id, gpool_kind kind,
                                     gpool_result *result);

/** Prepares the table of a kind; every kind does so before the first resource is made. */
void gpool__kind_init(gpool *pool, gpool_kind kind, size_t size, gpool__release_fn release);

/** Takes a slot and a copy of the label, in a scope; NULL with the error recorded. */
gpool__resource *gpool__resource_take(gpool *pool, gpool_kind kind, const char *label,
                                      gpool_scope scope);

/** The same for what a resize replaces: no label, no scope, not counted as created. */
gpool__resource *gpool__resource_take_spare(gpool *pool, gpool_kind kind);

/** The same for what is the pool's own: in no scope, not counted as created, told as no leak. */
gpool__resource *gpool__resource_take_own(gpool *pool, gpool_kind kind, const char *label);

/** Makes a resource the pool's own. */
void gpool__resource_make_own(gpool *pool, gpool__resource *resource);

/** Refuses what would change a resource that is the pool's own: GPOOL_OK for one of the user's. */
gpool_result gpool__refuse_own(gpool *pool, const gpool__resource *resource);

/** Gives back a slot taken just now, whose handle nobody has seen and whose bytes do not count. */
void gpool__resource_cancel(gpool *pool, gpool__resource *resource);

/** Counts a resource's GPU bytes: they were `from` (0 for a new one), they are `to`. */
void gpool__resource_count_bytes(gpool *pool, gpool__resource *resource, uint64_t from,
                                 uint64_t to);

/**
 * Makes the handle stale and queues the resource; cached bind groups that name it go at once. A
 * scope must be empty.
 */
void gpool__resource_retire(gpool *pool, gpool__resource *resource);

/** Place of a resource, live or dead. */
static inline gpool__place gpool__place_of(const gpool__resource *resource)
{
    uint32_t low = (uint32_t)gpool__head_id(&resource->head);
    return ((low >> 24 & 15u) == resource->kind ? low : ~low) & 0xfffffffu;
}

/**
 * The handle of a resource: never read from the head, where another thread may have inverted it, even
 * in the middle of the create that makes the resource.
 */
static inline uint64_t gpool__handle_of(const gpool *pool, const gpool__resource *resource)
{
    return gpool__table_handle(&pool->tables[resource->kind], &resource->head);
}

/** True from its creation until the owner retires it, also when another thread has killed its handle. */
static inline bool gpool__resource_is_held(const gpool__resource *resource)
{
    return resource->label != NULL && !resource->gone;
}

/** Resource whose queue link this is. */
static inline gpool__resource *gpool__resource_of(gpool__retired *retired)
{
    return (gpool__resource *)(void *)((char *)retired - offsetof(gpool__resource, retired));
}

/** Resource at a place, live or dead; never GPOOL__ROOT. */
static inline gpool__resource *gpool__resource_at(const gpool *pool, gpool__place place)
{
    return (gpool__resource *)gpool__table_at(&pool->tables[place >> 24], place & 0xffffffu);
}

/** The scope a descriptor names, the root scope for null; NULL with the error recorded. */
gpool__scope *gpool__scope_resolve(gpool *pool, gpool_scope handle, gpool_result *result);

/** Scope at a place, also GPOOL__ROOT. */
gpool__scope *gpool__scope_at(gpool *pool, gpool__place place);

/** Handle of a scope at a place; null for the root scope and for none. */
gpool_scope gpool__scope_handle(gpool *pool, gpool__place place);

/** True when a resource lies in a scope; the pool's own count as lying in the root scope. */
static inline bool gpool__scope_has(const gpool *pool, const gpool__scope *scope,
                                    const gpool__resource *resource)
{
    return resource->own ? scope == &pool->root
                         : resource->alive.scope == gpool__place_of(&scope->base);
}

/** The scope after one in the subtree of `top`, each before those in it; NULL at the end. */
gpool__scope *gpool__scope_next(gpool *pool, const gpool__scope *top, gpool__scope *scope);

/**
 * Makes a buffer that is the pool's own, for a heap: NULL with the error recorded and nothing left
 * behind. See gpool__resource_take_own().
 */
gpool__buffer *gpool__buffer_create_own(gpool *pool, const gpool_buffer_desc *desc,
                                        gpool_result *result);

/** Puts a resource into a scope; it is in none. Its bytes count apart. */
void gpool__scope_link(gpool *pool, gpool__scope *scope, gpool__resource *resource);

/** Takes a resource out of its scope, if it is in one. Its bytes count apart. */
void gpool__scope_unlink(gpool *pool, gpool__resource *resource);

/** Retires a resource of any kind; a scope with all that lies in it. */
void gpool__resource_end(gpool *pool, gpool__resource *resource);

/** Writes the labels from the root scope down to a resource's owner, as "root/world/tile". */
const char *gpool__scope_path(gpool *pool, const gpool__resource *resource, char *target,
                              size_t size);

/** Checks tables, scopes and sums; false when an invariant is broken. Cost: all slots. */
bool gpool__pool_validate(gpool *pool);

/** Frees a resource at once: its GPU objects, label and slot. It must be in no queue. */
void gpool__resource_free(gpool *pool, gpool__resource *resource);

/** GPU bytes of a resource, for counters. */
uint64_t gpool__resource_bytes(const gpool__resource *resource);

/**
 * Frees what may be freed, at most a quarter of what waits or GPOOL__FREE_MIN; `by_serial` ignores
 * the frame delay. Returns objects freed.
 */
uint32_t gpool__free_retired(gpool *pool, bool by_serial);

/** Frees all that is retired, whatever the GPU says. Killed by another thread: see remote.c. */
void gpool__free_all_retired(gpool *pool);

/** Notes that an open recording names a resource. */
static inline void gpool__resource_record(gpool *pool, gpool__resource *resource)
{
    resource->recorded = pool->record_epoch;
}

static inline bool gpool__resource_is_recorded(const gpool *pool, const gpool__resource *resource)
{
    return pool->recording && resource->recorded == pool->record_epoch;
}

/**
 * Destroys what other threads killed, as if it were destroyed now, until the list is found empty under
 * the lock: every slot that is dead then may be given back.
 */
void gpool__remote_take(gpool *pool);

/** The same at the start of a frame call: costs a load when no other thread killed anything. */
static inline void gpool__remote_drain(gpool *pool)
{
    if (atomic_load_explicit(&pool->remote_first, memory_order_relaxed) != 0) {
        gpool__remote_take(pool);
    }
}

/** Adds a reference to a resource found by the owner; false when it died or has too many. */
bool gpool__resource_share(gpool *pool, const gpool__resource *resource);

/**
 * Any thread: gives up a reference to the resource behind a handle (kind NONE = of any kind); with
 * `force`, or for the last one, ends the resource. Null is silent.
 */
gpool_result gpool__give_up(gpool *pool, uint64_t id, gpool_kind kind, bool force,
                            const char *name);

/** The whole of every gpool_*_destroy(): one share of samplers and layouts, others by force. */
gpool_result gpool__destroy_handle(gpool *pool, uint64_t id, gpool_kind kind, const char *name);

/** Makes room to note one more import of this frame; false with the error recorded. */
bool gpool__frame_import_reserve(gpool *pool);

/** Notes an import of this frame; room must be reserved. */
void gpool__frame_import_add(gpool *pool, gpool__resource *resource);

/** Ends the imports of this frame: they are released at once, never kept past it. */
void gpool__frame_imports_end(gpool *pool);

/**
 * Sends all dirty bytes, by queue writes or by the batch. On an error what was not sent stays dirty.
 */
gpool_result gpool__upload_flush(gpool *pool);

/** Sends all dirty rectangles of shadowed textures to the queue; the same on an error. */
gpool_result gpool__textures_flush(gpool *pool);

/** The same as gpool__upload_flush() for one buffer. */
gpool_result gpool__upload_flush_buffer(gpool *pool, gpool__buffer *buffer);

/** The same by queue writes alone: the caller of a raw object may submit by itself. */
gpool_result gpool__upload_flush_queue(gpool *pool, gpool__buffer *buffer);

/** Marks what a batch wrote again, as its submit was refused. Cost: all buffers. */
void gpool__upload_again(gpool *pool, uint32_t number);

/** Puts a buffer with dirty bytes into the list. */
void gpool__upload_enlist(gpool *pool, gpool__buffer *buffer);

/** Takes a buffer out of the list, and out of that of sent ones. */
void gpool__upload_delist(gpool *pool, gpool__buffer *buffer);

/** Sets the costs of the pool's device, unless the user gave some. */
void gpool__upload_choose_costs(gpool *pool);

/** Finishes an encoder under capture into the batch; releases it in any case. */
gpool_result gpool__batch_add(gpool *pool, WGPUCommandEncoder encoder, const char *what);

/** Takes a command buffer that was finished without an error into the batch; releases it on failure. */
gpool_result gpool__batch_add_finished(gpool *pool, WGPUCommandBuffer buffer);

/** True when there is anything that a submit would bring to the GPU, beside a recording. */
static inline bool gpool__batch_waits(const gpool *pool)
{
    return pool->batch.count > 0 || pool->queue_dirty;
}

/**
 * Submits the batch and after it `part_count` command buffers, as a serial of this pool; `recording`:
 * they are those of the recording. The batch stays when no submit was made; one that was made and refused
 * takes it along, and what it uploaded is marked again.
 */
gpool_result gpool__batch_submit(gpool *pool, const WGPUCommandBuffer *parts, uint32_t part_count,
                                 bool recording, const char *what);

/** True when the batch writes a buffer, or will: queue writes would overtake that. */
static inline bool gpool__buffer_is_in_batch(const gpool *pool, const gpool__buffer *buffer)
{
    return buffer->batch == pool->batch.number || buffer->base.clear != 0;
}

/** Before a queue write to a buffer: submits the batch when it writes that buffer, too. */
gpool_result gpool__batch_settle(gpool *pool, const gpool__buffer *buffer);

/** Drops what is of the device: batch, staging, scatter. */
void gpool__batch_leave_device(gpool *pool);

void gpool__batch_fini(gpool *pool);

/** Gives back the payload of a spike. */
void gpool__scatter_trim(gpool *pool);

/** Submits queue writes and the batch made so far, as a serial of this pool. */
gpool_result gpool__submit_writes(gpool *pool);

#define GPOOL__BUFFER_USAGES 0x3ffu /* all GPOOL_BUFFER_* flags */
/** Usage of the GPU object of a buffer that is no import. */
WGPUBufferUsage gpool__buffer_gpu_usage(const gpool__buffer *buffer);

/** Bytes of a buffer's GPU object. */
static inline uint64_t gpool__buffer_gpu_size(const gpool__buffer *buffer)
{
    return buffer->imported ? buffer->size : gpool__round_up(buffer->size, 4);
}

/** View from the texture's cache; NULL with the error recorded. */
WGPUTextureView gpool__texture_view_get(gpool *pool, gpool__texture *texture,
                                        const gpool_view_desc *desc, gpool_result *result);

/** Makes a view that is in no cache, of a complete descriptor; NULL with the error recorded. */
WGPUTextureView gpool__texture_view_make(gpool *pool, const gpool__texture *texture,
                                         const gpool_view_desc *view, gpool_result *result);

/** Memory for the mips of a texture, all NULL; NULL with the error recorded. */
gpool__mip *gpool__texture_mips_create(gpool *pool, const gpool__texture *texture);

/** Releases what gpool__texture_mips_create() gave, and what is in it; NULL is silent. */
void gpool__texture_mips_free(gpool *pool, const gpool__texture *texture, gpool__mip *mips);

/** Extent of a texture's mip level; depth counts slices of 3D textures, layers of others. */
void gpool__texture_level(const gpool__texture *texture, uint32_t level, uint32_t *width,
                          uint32_t *height, uint32_t *depth);

/** A region checked and completed: copy bytes and rows of its blocks. */
typedef struct gpool__texture_part {
    uint32_t level, x, y, z, width, height, depth;
    WGPUTextureAspect aspect;
    uint32_t row_bytes; /* bytes of one packed row of blocks */
    uint32_t row_count; /* rows of blocks */
} gpool__texture_part;

/* What a region is for: memory from it, memory into it, or another texture on the other side. */
typedef enum gpool__part_use {
    GPOOL__PART_READ,
    GPOOL__PART_WRITE,
    GPOOL__PART_COPY
} gpool__part_use;

/** Checks a region (NULL = all of level 0) of a texture for a use. */
gpool_result gpool__texture_resolve_part(gpool *pool, const gpool__texture *texture,
                                         const gpool_texture_region *region, gpool__part_use use,
                                         gpool__texture_part *part);

/** Checks that data and stride suffice for a part. */
gpool_result gpool__texture_check_data(gpool *pool, const gpool__texture *texture,
                                       const gpool__texture_part *part, size_t data_size,
                                       uint32_t bytes_per_row);

/** Sends checked data to the queue. */
gpool_result gpool__texture_send(gpool *pool, gpool__texture *texture,
                                 const gpool__texture_part *part, const void *data,
                                 uint32_t bytes_per_row);

/** Registers the kinds of src/pool. */
void gpool__scopes_init(gpool *pool);
void gpool__buffers_init(gpool *pool);
void gpool__textures_init(gpool *pool);
void gpool__samplers_init(gpool *pool);
gpool_result gpool__layouts_init(gpool *pool);

/**
 * The group layout of these entries (resolved, sorted), found or made, as one more user; without a GPU
 * object, and the error in `*result`, when it could not be made. NULL without memory.
 */
gpool__group_layout *gpool__group_layout_get(gpool *pool, const gpool_layout_entry *entries,
                                             uint32_t count, const char *label,
                                             gpool_result *result);

/** Adds a user to a group layout and returns it; NULL stays NULL. */
gpool__group_layout *gpool__group_layout_retain(gpool__group_layout *group);

/** Takes a user from a group layout; the last one frees it. NULL is silent. */
void gpool__group_layout_release(gpool *pool, gpool__group_layout *group);

/** Makes and unmakes everything but the recorder's part. */
gpool_result gpool__pool_open(gpool_device *device, const gpool_desc *desc, gpool **pool);
void gpool__pool_close(gpool *pool);

/** From now on the pool calls this device; references are the caller's affair. */
void gpool__pool_point_at(gpool *pool, gpool_device *device);

/**
 * Finishes an internal encoder under capture and submits it at once as a serial of this pool. The
 * encoder is released in any case.
 */
gpool_result gpool__submit_internal(gpool *pool, WGPUCommandEncoder encoder, const char *what);

/** True when an access is READ or WRITE; else records the error. */
bool gpool__check_access(gpool *pool, gpool_access access);

/** True for the kinds that are in use. */
static inline bool gpool__is_kind(gpool_kind kind)
{
    return kind > GPOOL_KIND_NONE && kind < GPOOL_KIND_COUNT;
}

/** True when an enumeration value is one of 1..last, or 0 where `zero` allows it. */
static inline bool gpool__is_enum(unsigned value, unsigned last, bool zero)
{
    return value == 0 ? zero : value <= last;
}

#endif
