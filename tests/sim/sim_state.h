/*
 * Inside of the simulator. One mutex guards everything; a function of the table is
 * sim_enter() ... sim_leave(), and callbacks that must run inside the call are put on the thread's
 * list and run by sim_leave() after the mutex is given up.
 *
 * An object has references (the user's) and holds (of other objects and of work in flight). Its
 * handle is good while there are references, its memory while there are any of both.
 */
#ifndef GPOOL_TESTS_SIM_STATE_H
#define GPOOL_TESTS_SIM_STATE_H

#include "sim.h"

#define SIM_LABEL    32
#define SIM_GROUPS   8
#define SIM_TARGETS  8
#define SIM_VERTICES 16
#define SIM_DYNAMICS 16
#define SIM_DRAWS    64
#define SIM_MIPS     16
#define SIM_NO_WAY   SIM_WAY_COUNT
#define SIM_SCOPES   64
#define SIM_FEATURES 64
#define SIM_FATALS   16

typedef struct sim_device sim_device;

/* First member of every object. */
typedef struct sim_object {
    sim *owner;
    sim_device *device; /* held; NULL for instance, adapter, device */
    struct sim_object *next;
    struct sim_object *previous;
    uintptr_t handle;
    sim_kind kind;
    uint32_t slot;
    uint32_t references;
    uint32_t holds;
    bool invalid;   /* an error object */
    bool destroyed; /* its device was destroyed */
    char label[SIM_LABEL];
} sim_object;

/* A growing list of held objects. */
typedef struct sim_list {
    sim_object **items;
    size_t count;
    size_t capacity;
} sim_list;

typedef struct sim_instance {
    sim_object base;
} sim_instance;

typedef struct sim_adapter {
    sim_object base;
} sim_adapter;

typedef struct sim_scope {
    uintptr_t thread; /* of the thread that pushed; 0 on wgpu-native */
    WGPUErrorFilter filter;
    WGPUErrorType type; /* NoError, or of the first error */
    char message[256];
} sim_scope;

struct sim_device {
    sim_object base;
    sim_object *queue; /* Dawn: the one queue, while it is alive; not held */
    WGPULimits limits;
    WGPUFeatureName features[SIM_FEATURES];
    size_t feature_count;
    WGPUDeviceLostCallbackInfo lost_info;
    WGPUUncapturedErrorCallbackInfo error_info;
    sim_scope scopes[SIM_SCOPES];
    size_t scope_count;
    bool lost;
    bool lost_told;           /* the callback is on its way or was run */
    bool lost_shown;          /* that, or an error was raised since */
    struct sim_write *writes; /* of the queue, before the next submit; wgpu-native */
    struct sim_write *last_write;
};

typedef struct sim_queue {
    sim_object base;
} sim_queue;

typedef enum sim_map_state {
    SIM_UNMAPPED,
    SIM_MAP_PENDING,
    SIM_MAPPED
} sim_map_state;

typedef struct sim_buffer {
    sim_object base;
    WGPUBufferUsage usage;
    uint64_t size;
    uint8_t *bytes;
    sim_map_state map;
    WGPUMapMode map_mode;
    uint64_t map_offset;
    uint64_t map_size;
    uint8_t *mapping;  /* copy while mapped, so that use after unmap is seen by ASan */
    uint64_t last_use; /* serial of the newest submit that names it */
} sim_buffer;

/* What the simulator knows of a format. */
typedef struct sim_format {
    uint8_t block_width; /* 0 = not a format */
    uint8_t block_height;
    uint8_t block_bytes;   /* in memory, depth first, then stencil */
    uint8_t depth_bytes;   /* 0 = no depth */
    uint8_t stencil_bytes; /* 0 or 1 */
    uint8_t components;    /* of plain color formats, else 0 */
    char type;             /* u norm, s norm, U int, S int, f loat, or 0 */
    bool srgb;
    bool bgra;
    WGPUFeatureName feature;
} sim_format;

typedef struct sim_texture {
    sim_object base;
    WGPUTextureUsage usage;
    WGPUTextureDimension dimension;
    WGPUExtent3D size;
    WGPUTextureFormat format;
    sim_format facts;
    uint32_t mips;
    uint32_t samples;
    WGPUTextureFormat view_formats[8];
    size_t view_format_count;
    size_t mip_offset[SIM_MIPS]; /* into bytes */
    size_t total;
    uint8_t *bytes; /* one sample only: all samples of a texel are equal here */
} sim_texture;

typedef struct sim_view {
    sim_object base;
    sim_texture *texture; /* held; NULL in error objects */
    WGPUTextureFormat format;
    WGPUTextureViewDimension dimension;
    uint32_t mip;
    uint32_t mips;
    uint32_t layer;
    uint32_t layers;
    WGPUTextureAspect aspect;
    WGPUTextureUsage usage;
} sim_view;

typedef struct sim_sampler {
    sim_object base;
    bool comparison;
    bool filtering;
} sim_sampler;

typedef struct sim_shader {
    sim_object base;
    char *source;
    uint64_t hash;
} sim_shader;

typedef struct sim_layout {
    sim_object base;
    WGPUBindGroupLayoutEntry *entries; /* in order of binding */
    size_t count;
    size_t dynamic_count;
    uint64_t hash; /* equal layouts are compatible */
} sim_layout;

/* One resource of a bind group, in the order of the layout's entries. */
typedef struct sim_bound {
    uint32_t binding;
    sim_object *object; /* held */
    uint64_t offset;
    uint64_t size;
} sim_bound;

typedef struct sim_group {
    sim_object base;
    sim_layout *layout; /* held */
    sim_bound *bounds;
    size_t count;
} sim_group;

typedef struct sim_pipeline_layout {
    sim_object base;
    sim_layout *groups[SIM_GROUPS]; /* held; NULL = empty */
    uint32_t count;
} sim_pipeline_layout;

typedef struct sim_targets {
    WGPUTextureFormat colors[SIM_TARGETS];
    uint32_t color_count;
    WGPUTextureFormat depth;
    uint32_t samples;
} sim_targets;

typedef struct sim_pipeline {
    sim_object base;
    sim_pipeline_layout *layout; /* held; NULL = automatic, groups are not checked */
    sim_shader *vertex;          /* held; the compute module of a compute pipeline */
    sim_shader *fragment;        /* held; may be NULL */
    sim_targets targets;
    bool writes_depth;
    bool writes_stencil;
    uint64_t strides[SIM_VERTICES];
    uint64_t last_strides[SIM_VERTICES]; /* bytes an element needs */
    bool instanced[SIM_VERTICES];
    bool used[SIM_VERTICES];
    uint32_t slot_count;
    bool strip;
    WGPUIndexFormat strip_format;
} sim_pipeline;

/* State of a pass, copied into each draw and dispatch. */
typedef struct sim_state {
    sim_pipeline *pipeline;
    sim_group *groups[SIM_GROUPS];
    uint32_t dynamics[SIM_GROUPS][SIM_DYNAMICS];
    sim_buffer *vertices[SIM_VERTICES];
    uint64_t vertex_offsets[SIM_VERTICES];
    uint64_t vertex_sizes[SIM_VERTICES];
    sim_buffer *indices;
    uint64_t index_offset;
    uint64_t index_size;
    WGPUIndexFormat index_format;
    float viewport[6];
    uint32_t scissor[4];
} sim_state;

typedef struct sim_attachment {
    sim_view *view; /* NULL = none */
    sim_view *resolve;
    uint32_t slice;
    WGPULoadOp load;
    WGPUStoreOp store;
    WGPULoadOp stencil_load;
    WGPUStoreOp stencil_store;
    WGPUColor clear;
    float depth_clear;
    uint32_t stencil_clear;
} sim_attachment;

typedef struct sim_pass {
    sim_attachment colors[SIM_TARGETS];
    uint32_t color_count;
    sim_attachment depth;
    bool depth_read_only;
    bool stencil_read_only;
    sim_targets targets;
    uint32_t width;
    uint32_t height;
} sim_pass;

struct sim_work {
    bool draw;
    bool indexed;
    sim_buffer *indirect;
    uint64_t indirect_offset;
    uint32_t counts[4];
    int32_t base_vertex;
    sim_state state;
    const sim_pass *pass;
};

/* A place in a texture, with the size of what is copied. */
typedef struct sim_place {
    sim_texture *texture;
    uint32_t mip;
    WGPUOrigin3D origin;
    WGPUTextureAspect aspect;
} sim_place;

typedef struct sim_rows {
    uint64_t offset;
    uint64_t row_bytes;
    uint64_t rows_per_image;
} sim_rows;

typedef enum sim_op {
    SIM_OP_CLEAR,
    SIM_OP_BUFFER_TO_BUFFER,
    SIM_OP_BUFFER_TO_TEXTURE,
    SIM_OP_TEXTURE_TO_BUFFER,
    SIM_OP_TEXTURE_TO_TEXTURE,
    SIM_OP_PASS_BEGIN,
    SIM_OP_PASS_END,
    SIM_OP_WORK
} sim_op;

typedef struct sim_command {
    struct sim_command *next;
    sim_op op;
    sim_buffer *source;
    sim_buffer *target;
    uint64_t source_offset;
    uint64_t target_offset;
    uint64_t size;
    sim_place from;
    sim_place to;
    sim_rows rows;
    WGPUExtent3D extent;
    sim_pass *pass; /* PASS_BEGIN owns it */
    sim_work *work; /* WORK owns it */
} sim_command;

/* Commands and all objects they name; moves from the encoder to the command buffer. */
typedef struct sim_script {
    sim_command *first;
    sim_command *last;
    sim_list uses;
} sim_script;

typedef struct sim_encoder {
    sim_object base;
    sim_script script;
    bool finished;
    sim_object *open_pass; /* not held: a pass holds its encoder */
    uint32_t groups;       /* open debug groups */
    char error[256];       /* first error; reported by Finish */
} sim_encoder;

/* A render or compute pass encoder. */
typedef struct sim_pass_encoder {
    sim_object base;
    sim_encoder *encoder; /* held */
    bool ended;
    uint32_t groups;
    sim_pass *pass; /* owned by the script; NULL for compute */
    sim_state state;
} sim_pass_encoder;

typedef struct sim_command_buffer {
    sim_object base;
    sim_script script;
    bool submitted;
} sim_command_buffer;

/* A queue write that waits for the next submit. */
typedef struct sim_write {
    struct sim_write *next;
    sim_buffer *buffer; /* held, or */
    sim_place to;       /* its texture is held */
    uint64_t offset;
    sim_rows rows;
    WGPUExtent3D extent;
    size_t size;
    uint8_t data[];
} sim_write;

typedef struct sim_submit {
    struct sim_submit *next;
    uint64_t serial;
    uint32_t polls;
    sim_list uses;
} sim_submit;

typedef enum sim_event_kind {
    SIM_EVENT_ERROR,
    SIM_EVENT_LOST,
    SIM_EVENT_DONE,
    SIM_EVENT_MAP,
    SIM_EVENT_POP,
    SIM_EVENT_ADAPTER,
    SIM_EVENT_DEVICE
} sim_event_kind;

/* A callback to be run once. */
typedef struct sim_event {
    struct sim_event *next;
    sim *owner;
    sim_event_kind kind;
    uint64_t serial;    /* ready when this submit is complete; 0 = ready */
    sim_buffer *buffer; /* a pending map, held */
    void (*callback)(void);
    void *user1;
    void *user2;
    int status;
    int type;
    uintptr_t object; /* adapter or device */
    char message[256];
} sim_event;

typedef struct sim_events {
    sim_event *first;
    sim_event *last;
} sim_events;

typedef struct sim_host_shader {
    struct sim_host_shader *next;
    uint64_t hash;
    sim_shader_fn fn;
    void *user;
} sim_host_shader;

/* A place in the table of handles. */
typedef struct sim_slot {
    sim_object *object; /* NULL = free */
    uint32_t generation;
    uint32_t next_free; /* slot + 1 */
    int released_by;
    char label[SIM_LABEL]; /* of the last object */
} sim_slot;

struct sim_worker;

struct sim {
    sim_desc desc;
    uint32_t index; /* among the simulators */
    WGPULimits limits;
    WGPUFeatureName features[SIM_FEATURES];
    size_t feature_count;
    sim_slot *slots;
    uint32_t slot_count;
    uint32_t slot_capacity;
    uint32_t free_first;
    uint32_t free_last;
    sim_object *objects;
    uint64_t live[SIM_KIND_COUNT];
    uint64_t kept[SIM_KIND_COUNT];
    uint64_t kept_bytes;
    uint64_t calls[GPOOL_GPU_COUNT];
    uint64_t calls_in_callbacks;
    uint64_t untold;
    uint64_t fatals;
    char fatal_messages[SIM_FATALS][256];
    uint64_t errors;
    char error_message[256];
    struct {
        bool armed;
        bool for_ever;
        int function;
        sim_way way;
        uint64_t nth;
        uint64_t seen;
        uint64_t hits;
        int hit_function;
    } fault;
    uint64_t points[SIM_WAY_COUNT][GPOOL_GPU_COUNT];
    sim_events events; /* waiting */
    sim_submit *submits;
    uint64_t serial;
    sim_host_shader *shaders;
    sim_draw draws[SIM_DRAWS];
    uint64_t draw_count;
    uint64_t dispatch_count;
    struct sim_worker *worker;
};

/* One call of a function of the table. */
typedef struct sim_call {
    sim *sim;
    sim_device *device; /* of the first argument; NULL for instance and adapter */
    int function;
    sim_way way; /* how it must fail, or SIM_NO_WAY */
} sim_call;

/* A reason; sim_say() fills it and returns false. */
typedef struct sim_text {
    char text[200];
} sim_text;

#define SIM_PRINTF(text, first) __attribute__((format(printf, text, first)))

bool sim_say(sim_text *why, const char *format, ...) SIM_PRINTF(2, 3);

/* --- sim.c --- */

void sim_lock(void);
void sim_unlock(void);
/* The simulator of an index, or the newest one when there is none. */
sim *sim_of_index(uint32_t index);
static inline bool sim_is_dawn(const sim *s)
{
    return s->desc.personality == SIM_DAWN;
}
void sim_fatal(sim *s, int function, const char *format, ...) SIM_PRINTF(3, 4);
/* Locks, counts, looks the handle up (NULL after a fatal), decides on the fault. */
void *sim_enter(sim_call *call, int function, const void *handle, sim_kind kind);
void sim_leave(sim_call *call);
/* Looks another argument up; a fatal and NULL when it is not a live handle of that kind. */
void *sim_get(const sim_call *call, const void *handle, sim_kind kind);
/* As sim_get(), but NULL is no fatal. */
void *sim_get_optional(const sim_call *call, const void *handle, sim_kind kind);
void *sim_must(void *memory);
/* Zeroed bytes of a buffer or texture (one more than asked for), counted; NULL over the limit. */
uint8_t *sim_bytes_new(sim *s, uint64_t size);

/* --- sim_objects.c --- */

/* A new object with one reference; `device` is held. */
void *sim_object_new(sim *s, sim_kind kind, size_t size, sim_device *device, WGPUStringView label);
void sim_hold(sim_object *object);
void sim_drop(sim_object *object);
void sim_list_add(sim_list *list, sim_object *object); /* holds */
void sim_list_clear(sim_list *list);                   /* drops */
/* Frees what an object of that kind owns, and drops what it holds. */
void sim_object_dispose(sim_object *object);
void sim_objects_free_all(sim *s);
sim_object *sim_object_find(sim *s, const void *handle, sim_kind kind, sim_text *why);

/* --- sim_events.c --- */

sim_event *sim_event_new(sim *s, sim_event_kind kind, void (*callback)(void), void *user1,
                         void *user2);
/* Gives an event to the deliverer: it waits for its serial and for a poll, or runs in this call. */
void sim_event_post(sim_event *event);
/* Runs it at the end of this call. */
void sim_event_now(sim_event *event);
/* A poll: work goes on, and what is ready runs at the end of this call. */
void sim_events_poll(sim *s);
/* The same without the work. */
void sim_events_deliver(sim *s);
/* What became ready runs now where delivery is inline or on the thread. */
void sim_events_kick(sim *s);
void sim_events_run_now(void);
bool sim_in_callback(const sim *s);
void sim_events_abort_map(sim_buffer *buffer, const char *reason);
void sim_events_fini(sim *s);
void sim_worker_start(sim *s);
void sim_worker_stop(sim *s);
void sim_error(sim_device *device, WGPUErrorType type, const char *format, ...) SIM_PRINTF(3, 4);
void sim_error_memory(sim_device *device, int function);
void sim_device_lose(sim_device *device);
void sim_devices_lose(sim *s);
void sim_device_tell_lost(sim_device *device, WGPUDeviceLostReason reason, const char *text);
/* For creates: true when a good object may be made. Raises the error of fault or loss. */
bool sim_create_good(const sim_call *call, sim_device *device);

/* --- others --- */

sim_format sim_format_facts(WGPUTextureFormat format);
void sim_format_color(const sim_format *facts, const WGPUColor *color, uint8_t *texel);
void sim_format_depth(WGPUTextureFormat format, float depth, uint8_t *texel);
void sim_level(const sim_texture *texture, uint32_t mip, uint32_t *width, uint32_t *height,
               uint32_t *layers);
/* First block at (x, y) blocks of a layer of a level, and the bytes of a row and of a layer. */
uint8_t *sim_texel(const sim_texture *texture, uint32_t mip, uint32_t x, uint32_t y, uint32_t z,
                   size_t *row, size_t *layer);
void sim_aspect(const sim_texture *texture, WGPUTextureAspect aspect, size_t *offset,
                size_t *bytes);
bool sim_check_place(const sim_texture *texture, const WGPUTexelCopyTextureInfo *info,
                     const WGPUExtent3D *extent, WGPUTextureUsage usage, sim_text *why);
bool sim_check_rows(const sim_texture *texture, const WGPUTexelCopyTextureInfo *info,
                    const WGPUExtent3D *extent, const WGPUTexelCopyBufferLayout *layout,
                    uint64_t size, bool write, bool to_texture, sim_rows *rows, sim_text *why);
void sim_copy_rows(uint8_t *bytes, const sim_rows *rows, const sim_place *place,
                   const WGPUExtent3D *extent, bool to_texture);
void sim_execute(sim *s, const sim_script *script);
void sim_script_fini(sim_script *script);
void sim_queue_drop_writes(sim_device *device);
void sim_submit_done(sim *s, uint64_t serial);
void sim_submits_poll(sim *s);
bool sim_is_complete(const sim *s, uint64_t serial);
void sim_encoder_error(sim_encoder *encoder, const char *format, ...) SIM_PRINTF(2, 3);
sim_command *sim_script_add(sim_script *script, sim_op op);
/* True when both are in the enumeration 1..last, or 0 where that is allowed. */
static inline bool sim_known(uint32_t value, uint32_t last, bool zero)
{
    return value <= last && (value != 0 || zero);
}
static inline size_t sim_length(WGPUStringView text)
{
    size_t length = 0;
    if (text.data != NULL && text.length == WGPU_STRLEN) {
        while (text.data[length] != '\0') {
            length += 1;
        }
        return length;
    }
    return text.data == NULL ? 0 : text.length;
}

/* Every file fills in its functions. */
void sim_table_instance(gpool_gpu *table);
void sim_table_objects(gpool_gpu *table);
void sim_table_events(gpool_gpu *table);
void sim_table_buffer(gpool_gpu *table);
void sim_table_texture(gpool_gpu *table);
void sim_table_bind(gpool_gpu *table);
void sim_table_pipeline(gpool_gpu *table);
void sim_table_queue(gpool_gpu *table);
void sim_table_encoder(gpool_gpu *table);
void sim_table_render(gpool_gpu *table);
void sim_table_draw(gpool_gpu *table);
void sim_table_compute(gpool_gpu *table);

/** Registers the host version of the pool's scatter pass. */
void sim_scatter_register(sim *s);

/* Handles of an object. */
#define SIM_HANDLE(type, object) ((type)((const sim_object *)(object))->handle)

#endif
