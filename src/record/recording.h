/*
 * Recording: the frame recorder, its stream memory for uniforms, the cache of bind groups.
 *
 * A recording begins at the first gpool_frame_recorder() after a submit and ends when it is
 * submitted or dropped; its number is the recorder's generation. Between the two, a resource that
 * is named is kept (see gpool__retire_wait()). A recording in which a Finish reported an error is
 * never submitted: wgpu-native would end the process.
 */
#ifndef GPOOL_RECORD_RECORDING_H
#define GPOOL_RECORD_RECORDING_H

#include "shader/shader_state.h"

#define GPOOL__STREAM_GROUPS 64u
#define GPOOL__STREAM_IDLE   60u /* a block not used for so many frames is freed */
#define GPOOL__MAX_DYNAMIC   16u

/*
 * A block of stream memory: bytes gathered on the CPU, sent by one queue write at submit. Slices name it
 * as a buffer, which stands in no table.
 */
typedef struct gpool__stream_block {
    gpool__buffer buffer;
    uint8_t *cpu;
    uint64_t used;
    uint64_t frame; /* of its last use */
    struct {
        uint64_t size; /* bytes bound */
        uint64_t unique;
        WGPUBindGroup gpu;
    } groups[GPOOL__STREAM_GROUPS];
    uint32_t group_count;
    uint32_t group_next; /* replaced next when all are taken */
} gpool__stream_block;

typedef struct gpool__stream_list {
    gpool__stream_block **blocks;
    uint32_t count;
    uint32_t capacity;
    uint32_t most; /* that `count` ever was: handles of others were never given out */
} gpool__stream_list;

/* The blocks used by a recording are the first ones of `common`, and any of `large`. */
typedef struct gpool__stream {
    gpool__stream_list common;
    gpool__stream_list large; /* of one slice each; NULL = free place */
    uint32_t current;         /* common blocks before it are full */
    uint64_t bytes;           /* of all blocks */
    uint64_t made;            /* blocks ever made */
} gpool__stream;

struct gpool__bind_group;

/* One resource named by a cached bind group; linked from the resource. */
typedef struct gpool__bind_use {
    struct gpool__bind_use *next;
    struct gpool__bind_use *previous;
    gpool__resource *resource;
    struct gpool__bind_group *group;
} gpool__bind_use;

/* Exactly what one entry binds. Compared byte for byte: every byte is set. */
typedef struct gpool__bind_key {
    uint64_t id;
    uint64_t version;
    uint64_t offset;
    uint64_t size;
    uint32_t view[7];
    uint32_t binding;
} gpool__bind_key;

typedef struct gpool__bind_group {
    struct gpool__bind_group *chain; /* same bucket */
    struct gpool__bind_group *newer;
    struct gpool__bind_group *older;
    uint64_t hash;
    uint64_t unique; /* never given to another group of the pool */
    uint64_t layout; /* gpool__group_layout.unique */
    WGPUBindGroup gpu;
    uint32_t count;
    gpool__bind_key *keys;
    gpool__bind_use *uses; /* count, and one for the layout */
} gpool__bind_group;

typedef struct gpool__bind_cache {
    gpool__bind_group **buckets;
    uint32_t bucket_count; /* a power of two */
    uint32_t count;
    gpool__bind_group *newest;
    gpool__bind_group *oldest;
    uint64_t unique_count;
} gpool__bind_cache;

/* What the encoder has set in the open pass, to drop calls that change nothing. */
typedef struct gpool__pass_state {
    const void *pipeline;            /* raw object */
    gpool__pipeline *known_pipeline; /* NULL = raw: draws are not checked */
    struct {
        WGPUBindGroup gpu;
        uint64_t unique; /* 0 = raw: its address may be another group's by now */
        uint64_t layout; /* hash of its entries; 0 = raw */
        uint32_t offsets[GPOOL__MAX_DYNAMIC];
        uint32_t offset_count;
    } groups[GPOOL_MAX_GROUPS];
    struct {
        WGPUBuffer gpu;
        uint64_t offset;
        uint64_t size;
    } vertices[GPOOL_MAX_VERTEX_BUFFERS];
    struct {
        WGPUBuffer gpu;
        uint64_t offset;
        uint64_t size;
        WGPUIndexFormat format;
        uint32_t bias; /* indices to skip: the GPU offset is rounded down to 4 */
    } index;
    float viewport[6];
    uint32_t scissor[4];
    double blend[4];
    uint32_t stencil;
    /* What was to be set here was refused and told then: draws that need it are skipped. */
    uint32_t refused_groups;   /* bit = group */
    uint32_t refused_vertices; /* bit = slot */
    bool refused_pipeline;
    bool unready_pipeline; /* not compiled yet: draws are left out */
    bool skips;            /* the pass does not wait for pipelines */
    bool refused_index;
    bool has_viewport, has_scissor, has_blend, has_stencil;
    bool raw; /* the pass was handed out: nothing is known */
} gpool__pass_state;

struct gpool_recorder_state {
    gpool *pool;
    uint64_t generation;
    bool open;                  /* the recording has begun */
    bool broken;                /* a Finish reported an error */
    WGPUCommandEncoder encoder; /* made when first needed */
    WGPURenderPassEncoder render;
    WGPUComputePassEncoder compute;
    bool skip_pass; /* the pass could not begin: its commands are skipped */
    char pass_label[64];
    char pass_list[256]; /* labels of all passes so far, for a drop at Finish */
    gpool__targets targets;
    uint32_t width;
    uint32_t height;
    uint32_t encoder_groups; /* open debug groups outside passes */
    uint32_t closed_groups;  /* of them, ended by a finish before the caller's pop */
    uint32_t pass_groups;    /* and inside the open pass */
    gpool__pass_state pass;
    WGPUCommandBuffer *parts; /* finished, in order */
    uint32_t part_count;
    uint32_t part_capacity;
};

/* What gpool_texture_generate_mips() draws with, made at its first call on a device. */
typedef struct gpool__mips {
    gpool__pipeline pipeline; /* no resource: for its variants, one for each format drawn to */
} gpool__mips;

typedef struct gpool__recording {
    struct gpool_recorder_state frame;
    gpool__stream stream;
    gpool__bind_cache binds;
    gpool__mips mips;
    char latched[GPOOL__MESSAGE_SIZE]; /* message of the pool's frame_error */
} gpool__recording;

gpool_result gpool__recording_init(gpool *pool);
void gpool__recording_fini(gpool *pool);

/** Begins a recorder call; NULL (told) when the recorder is null or old. */
struct gpool_recorder_state *gpool__record_enter(gpool_recorder rec, const char *name,
                                                 gpool__call *call);

/** Ends a recorder call: latches an error. */
void gpool__record_leave(struct gpool_recorder_state *state, const gpool__call *call,
                         gpool_result result);

/** Takes the latched error, making it the pool's last error again; GPOOL_OK when there is none. */
gpool_result gpool__record_take_latched(gpool *pool);

/** Latches the pool's newest error as the frame's first. */
void gpool__record_latch(gpool *pool, gpool_result result);

/** True when a render (compute) pass is open; else records the error into *result. */
bool gpool__record_needs_pass(struct gpool_recorder_state *state, bool render, bool compute,
                              gpool_result *result);

/** The encoder, outside passes; NULL with the error recorded. */
WGPUCommandEncoder gpool__record_encoder(struct gpool_recorder_state *state, gpool_result *result);

/** Finishes the recorder's own encoder, if there is one, into the parts. */
gpool_result gpool__record_finish_part(struct gpool_recorder_state *state);

/** Ends passes and finishes; GPOOL_OK when parts[0..part_count) may be submitted. */
gpool_result gpool__record_finish(struct gpool_recorder_state *state);

/** Binds a vertex buffer in the open render pass, if it is not bound; everything is checked. */
void gpool__record_set_vertices(struct gpool_recorder_state *state, uint32_t slot,
                                const gpool__buffer *buffer, uint64_t offset);

/** The same for an index buffer. */
void gpool__record_set_indices(struct gpool_recorder_state *state, const gpool__buffer *buffer,
                               WGPUIndexFormat format, uint64_t offset);

/** The whole of gpool_draw(), in an open render pass. */
gpool_result gpool__record_draw(struct gpool_recorder_state *state, const gpool_draw_args *args);

/** Drops what is recorded and starts the next generation. */
void gpool__record_reset(struct gpool_recorder_state *state);

/** Names a pass that begins, for messages; nothing is set in it yet. */
void gpool__record_name_pass(struct gpool_recorder_state *state, const char *label,
                             const char *fallback);

/** Ends the open pass, if any. */
void gpool__record_end_pass(struct gpool_recorder_state *state);

/** Copies uniforms into stream memory. */
gpool_result gpool__stream_push(gpool *pool, gpool__stream *stream, const void *data, uint64_t size,
                                WGPUBindGroup *group, uint64_t *unique, uint32_t *offset);

/** Sends what was taken since the last reset, if a recording is open that may name it. */
gpool_result gpool__stream_flush(gpool *pool, gpool__stream *stream);

/** Ends what was taken, as the recording ends. */
void gpool__stream_reset(gpool *pool, gpool__stream *stream);

/** Frees blocks that were idle for long. */
void gpool__stream_trim(gpool *pool, gpool__stream *stream);

void gpool__stream_fini(gpool *pool, gpool__stream *stream);

/** Block behind a handle of stream memory, as a buffer; NULL with the error recorded in `*result`. */
gpool__buffer *gpool__stream_resolve(gpool *pool, uint64_t id, gpool_result *result);

/** A buffer that a command only reads: also one of stream memory. */
static inline gpool__buffer *gpool__record_source(gpool *pool, gpool_buffer handle,
                                                  gpool_result *result)
{
    return (uint32_t)gpool_handle_kind(handle.id) == GPOOL__KIND_STREAM
               ? gpool__stream_resolve(pool, handle.id, result)
               : (gpool__buffer *)gpool__resolve_good(pool, handle.id, GPOOL_KIND_BUFFER, result);
}

/* A layout that something is bound by: of a handle, or of a pipeline that read it from its source. */
typedef struct gpool__bind_layout {
    const gpool__group_layout *group;
    gpool__layout *handle; /* NULL = of a pipeline */
    const char *label;
} gpool__bind_layout;

/** Finds or makes the bind group of a layout and exactly these keys; NULL with the error recorded.
 * `gpu` holds the entries for a miss, `resources` what they name. */
const gpool__bind_group *gpool__bind_find_or_create(gpool *pool, gpool__bind_cache *cache,
                                                    const gpool__bind_layout *layout,
                                                    const gpool__bind_key *keys,
                                                    const WGPUBindGroupEntry *gpu,
                                                    gpool__resource *const *resources,
                                                    gpool_result *result);

/** Drops the bind groups that name a resource. Cost: those. */
void gpool__bind_drop_uses(gpool *pool, gpool__resource *resource);

/** Drops all bind groups. */
void gpool__bind_drop_all(gpool *pool, gpool__bind_cache *cache);

void gpool__bind_fini(gpool *pool, gpool__bind_cache *cache);

/** A number for a new bind group: addresses are reused, numbers are not. */
static inline uint64_t gpool__bind_unique(gpool__bind_cache *cache)
{
    return ++cache->unique_count;
}

/** The shader of mip generation. */
extern const char gpool__mips_wgsl[];

/** Releases what mips are made with; made again when needed. */
void gpool__mips_fini(gpool *pool, gpool__mips *mips);

/** Binds a group in the open pass unless it is bound so already; `unique` 0 always binds. */
void gpool__record_bind(struct gpool_recorder_state *state, uint32_t group, WGPUBindGroup gpu,
                        uint64_t unique, uint64_t layout, const uint32_t *offsets, uint32_t count);

#endif
