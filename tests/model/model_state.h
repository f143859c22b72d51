/* What the files of the pool model share. */
#ifndef GPOOL_TESTS_MODEL_MODEL_STATE_H
#define GPOOL_TESTS_MODEL_MODEL_STATE_H

#include "pool_model.h"
#include "sim.h"

#include "pool/pool_state.h"

#include <gpool/gpool.h>

#define MODEL_THINGS   12u   /* live buffers, textures, samplers, layouts, scopes at most */
#define MODEL_COMMANDS 40u   /* commands of one recording at most */
#define MODEL_STALE    32u   /* destroyed handles that are remembered, for each kind */
#define MODEL_SLOTS    2048u /* slots whose generations are watched */
#define MODEL_LEVELS   4u
#define MODEL_EXTENT   20u
#define MODEL_STRIDE   256u
#define MODEL_LARGEST  40000u /* bytes of a buffer */

/* Whether the open recording names a thing; a failed call may or may not have named it. */
typedef enum model_named {
    MODEL_NOT_NAMED,
    MODEL_MAYBE_NAMED,
    MODEL_NAMED
} model_named;

/* Start of everything that has a handle. */
typedef struct model_thing {
    uint64_t id;
    struct model_thing *scope; /* owner; NULL = the root scope */
    uint64_t gpu_bytes;        /* as the pool's counters see it */
    gpool_kind kind;
    model_named named;
    uint32_t uses; /* recorded commands that point here */
    uint32_t references;
    uint32_t key; /* of samplers and layouts: equal keys of a scope are shared */
    bool failed;
    bool imported;
    bool this_frame;
    bool killed; /* by another thread: the handle is dead, the rest waits for a frame call */
    bool dead;
} model_thing;

typedef struct model_buffer {
    model_thing thing;
    uint64_t size;
    uint8_t *bytes; /* size rounded up to 4 */
    gpool_buffer_usage usage;
    bool gpu_written;
    bool drops;   /* GPOOL_KEEP_DROP */
    bool refills; /* it has a refill, which brings `bytes` */
    bool refill_fails;
} model_buffer;

typedef struct model_texture {
    model_thing thing;
    uint32_t width, height, depth, levels, texel;
    bool solid;    /* 3D */
    bool shadowed; /* GPOOL_KEEP_SHADOW */
    WGPUTextureFormat format;
    gpool_texture_usage usage;
    uint8_t *bytes[MODEL_LEVELS];
} model_texture;

typedef enum model_ticket_state {
    MODEL_TICKET_RECORDED,
    MODEL_TICKET_RAN,
    MODEL_TICKET_DROPPED,
    MODEL_TICKET_LOST /* the pool has moved to another device */
} model_ticket_state;

typedef struct model_ticket {
    model_thing thing;
    model_ticket_state state;
    bool doubt;       /* a call failed while it was recorded or submitted */
    bool was_dropped; /* before it was lost */
    uint64_t size;
    uint8_t bytes[];
} model_ticket;

/* A region of one level, complete. */
typedef struct model_part {
    uint32_t level, x, y, z, width, height, depth;
} model_part;

typedef enum model_command_kind {
    MODEL_COPY_BUFFER,
    MODEL_CLEAR_BUFFER,
    MODEL_WRITE_BUFFER,
    MODEL_COPY_TEXTURE,
    MODEL_TEXTURE_TO_BUFFER,
    MODEL_BUFFER_TO_TEXTURE,
    MODEL_CLEAR_TARGET,
    MODEL_DRAW,
    MODEL_DISPATCH,
    MODEL_READ_BUFFER
} model_command_kind;

typedef struct model_command {
    model_command_kind kind;
    model_buffer *source;
    model_buffer *target;
    model_texture *texels;        /* the texture, or the source of a copy of texels */
    model_texture *target_texels; /* of a copy of texels */
    uint64_t source_offset, target_offset, size;
    model_part part, target_part;
    uint32_t stride;
    uint8_t color[4];
    model_ticket *ticket; /* of a read */

    uint8_t *data; /* of a write */
} model_command;

typedef struct model_retired {
    uint64_t serial; /* UINT64_MAX = the recording is open */
    uint64_t frame;
    uint64_t bytes;
    gpool_kind kind;
    uint32_t key; /* of layouts */
    bool replaced;
    bool failed;
} model_retired;

/* Memory that counts and fails on demand. */
typedef struct model_memory {
    uint64_t blocks;
    uint64_t wrong_sizes;
    uint64_t fail_in; /* 0 = never */
    bool fail_for_ever;
    uint64_t failed;
} model_memory;

typedef struct model {
    const uint8_t *input;
    size_t input_size;
    size_t input_at;
    pool_model_totals *totals;
    uint64_t step;
    const char *operation;
    bool trace; /* GPOOL_MODEL_TRACE is set: each step is printed */

    sim *s;
    gpool_gpu table;
    gpool_device *device;
    gpool *pool;
    model_memory memory;
    sim_desc sim_desc;
    gpool_shader shaders[2];
    gpool_layout layouts[2];
    gpool_pipeline pipelines[2];

    /* faults */
    uint32_t fault_span; /* operations for which the fault stays armed */
    uint64_t hits_base;  /* of faults armed before */
    uint64_t hits_before;
    uint64_t refused_before; /* submits that were refused until the step began */
    uint64_t hits_begun;     /* at the start of the open recording */
    bool losing;             /* the armed fault loses the device */
    bool starving; /* it is out of memory: that loses the device where a write needs staging */
    bool lost;
    bool unsent; /* a submit failed: queue writes wait for the next one */
    uint64_t unsent_at;

    /* frame */
    bool in_frame;
    bool recording;
    gpool_result latched;
    uint64_t frame;
    uint64_t frame_serials[8];
    model_command commands[MODEL_COMMANDS];
    uint32_t command_count;
    gpool_stats before; /* counters at the start of the step */

    /* things */
    model_thing *things[GPOOL_KIND_COUNT][MODEL_THINGS];
    model_thing **killed; /* by another thread since the last frame call, oldest first */
    size_t killed_count, killed_capacity;
    uint64_t stale[GPOOL_KIND_COUNT][MODEL_STALE];
    uint32_t stale_count[GPOOL_KIND_COUNT];
    uint32_t generations[GPOOL_KIND_COUNT][MODEL_SLOTS];
    uint64_t live_count[GPOOL_KIND_COUNT];
    uint64_t live_bytes[GPOOL_KIND_COUNT];
    uint64_t gpu_objects[GPOOL_KIND_COUNT]; /* live and retired */
    uint64_t created, freed, retired_bytes;
    uint64_t base_layouts;  /* layouts that the pool and the pipelines keep */
    model_retired *retired; /* oldest first from retired_first */
    size_t retired_first, retired_count, retired_capacity;
} model;

/* A handle to be used, and what resolving it gives. */
typedef struct model_ref {
    uint64_t id;
    model_thing *thing;
    gpool_result code;
    uint32_t place;
} model_ref;

/* --- input --- */

uint8_t model_take8(model *m);
uint32_t model_take16(model *m);
/** Bytes made from one byte of input; for the caller to free. */
uint8_t *model_bytes(model *m, uint64_t size);

/* --- checks --- */

/** Prints what differs, and aborts. */
_Noreturn void model_fail(const model *m, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/** Never returns NULL. */
void *model_must(void *block);

/** True when a call was made to fail since the step began. */
bool model_hit(model *m);

/** True when the device is lost: nothing is compared any more. */
bool model_is_lost(model *m);

/** Compares a result; true when it is GPOOL_OK. Under a fault its errors are right too. */
bool model_result(model *m, gpool_result got, gpool_result expected);

/** Compares the result of a call that no fault may spoil; true when it is GPOOL_OK. */
bool model_exactly(model *m, gpool_result got, gpool_result expected);

/** Checks what must hold after every step. */
void model_check(model *m);

/** Submits that were refused so far. */
uint64_t model_refused(model *m);

/** True while queue writes wait for a submit, since the last one failed. */
bool model_is_unsent(const model *m);

/** Compares bytes. */
void model_same(model *m, const char *what, const uint8_t *got, const uint8_t *expected,
                uint64_t size);

/* --- handles --- */

/** Picks a handle of a kind: live, null, stale or forged. */
model_ref model_pick(model *m, gpool_kind kind);

/** A place for a new thing; UINT32_MAX when there is none. */
uint32_t model_place(model *m, gpool_kind kind);

/**
 * Notes a created thing under a new handle; false (and the thing is not kept) when the call gave the
 * null handle. `expected` is the error the call should have given.
 */
bool model_created(model *m, uint32_t place, model_thing *thing, uint64_t id, bool failed,
                   gpool_result expected);

/** Makes the next calls come from another thread, or not: a byte says so. Ended by model_back(). */
bool model_elsewhere(model *m);
void model_back(model *m);

/**
 * Notes that a thing was destroyed, a scope with all that lies in it; or, `elsewhere`, that its handle
 * died.
 */
void model_ended(model *m, const model_ref *ref, bool elsewhere);

/** Notes that a frame call begins, which does the rest of what other threads destroyed. */
void model_drain(model *m);

/** True when a thing is `outer` or lies in it. */
bool model_is_inside(const model_thing *inner, const model_thing *outer);

/** Picks the owner of something new: often the root scope, else as model_pick(). */
model_ref model_pick_owner(model *m);

/** Notes that what `thing` was before a resize is retired; its GPU bytes are as before. */
void model_replaced(model *m, const model_thing *thing, uint64_t bytes);

/** Adds a use by a recorded command, or takes it away. */
void model_use(model_thing *thing);
void model_unuse(model_thing *thing);
void model_thing_free(model_thing *thing);

/** Frees what the pool must have freed by now. */
void model_free_retired(model *m, bool by_serial);

/* --- operations, by file --- */

void model_buffer_create(model *m);
void model_buffer_import(model *m);
void model_buffer_write(model *m);
void model_buffer_elements(model *m);
void model_buffer_scattered(model *m);
void model_buffer_edit(model *m);
void model_buffer_explain(model *m);
void model_buffer_resize(model *m);
void model_buffer_destroy(model *m);
void model_buffer_read(model *m);
void model_buffer_peek(model *m);
void model_buffer_info(model *m);

void model_texture_create(model *m);
void model_texture_import(model *m);
void model_texture_write(model *m);
void model_texture_resize(model *m);
void model_texture_destroy(model *m);
void model_texture_read(model *m);
void model_texture_info(model *m);
void model_texture_edit(model *m);
void model_texture_peek(model *m);
void model_texture_level(const model_texture *t, uint32_t level, uint32_t *width, uint32_t *height,
                         uint32_t *depth);
gpool_texture_region model_texture_region(model *m);
gpool_result model_texture_part(const model_texture *t, const gpool_texture_region *region,
                                model_part *part);
uint8_t *model_texture_row(const model_texture *t, const model_part *part, uint32_t y, uint32_t z);

void model_sampler(model *m);
void model_layout(model *m);

void model_scope_create(model *m);
void model_scope_end(model *m);
void model_scope_info(model *m);
void model_move(model *m);
void model_share(model *m);

void model_copy_buffer(model *m);
void model_clear_buffer(model *m);
void model_record_write(model *m);
void model_copy_texture(model *m);
void model_texture_to_buffer(model *m);
void model_buffer_to_texture(model *m);
void model_draw(model *m);
void model_dispatch(model *m);
void model_setup_pipelines(model *m);
/** The frame's recorder, begun if need be; null outside a frame. */
gpool_recorder model_recorder(model *m);
/** Commands skipped so far. */
uint64_t model_skipped(model *m);
/** True when the recording has room for a command. */
bool model_has_room(const model *m);
/** Ends an operation of one command: it was recorded unless the counter of skipped ones rose. */
void model_recorded(model *m, const model_command *command, gpool_result expected,
                    uint64_t skipped_before);

void model_ticket_read(model *m);
void model_ticket_poll(model *m);
void model_ticket_take(model *m);
void model_ticket_destroy(model *m);
/** A read runs, or its recording is dropped. */
void model_ticket_ran(model_command *command, bool run);
/** The tickets of the open recording may have failed. */
void model_tickets_doubt(model *m);
/** The pool is on another device. */
void model_tickets_lost(model *m);
/** GPU buffers that tickets hold or that are kept for the next. */
uint64_t model_staging_buffers(const model *m);

void model_run_commands(model *m, bool run);

void model_begin_frame(model *m);
void model_submit(model *m);
void model_end_frame(model *m);
void model_uploads(model *m);
void model_tick(model *m);
void model_external(model *m);
void model_complete(model *m);
void model_recover(model *m);
/** Completes everything that is in flight. */
void model_complete_all(model *m);

#endif
