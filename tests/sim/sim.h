/*
 * An implementation of webgpu.h for tests, in the process: a third function table for
 * gpool_device_desc.gpu. It keeps the bytes of buffers and textures, executes writes, copies,
 * clears, passes and host versions of shaders, completes work on command, fails any call in any
 * way, and refuses what WebGPU refuses in the manner of one of the two implementations we know
 * (see docs/implementations.md).
 *
 * Handles are numbers, never addresses: a slot and a generation. Use after release, double release
 * and a handle of the wrong kind are therefore always noticed, and long runs stay flat in memory.
 *
 * What would end the process on the real implementation is a "fatal": it is counted and told, and
 * the call does nothing. A test ends with sim_fatal_count() == 0.
 *
 * Work is executed inside QueueSubmit and "completes" later: completion is what callbacks and map
 * requests wait for. Thread: any, one mutex guards everything; callbacks run outside it.
 */
#ifndef GPOOL_TESTS_SIM_H
#define GPOOL_TESTS_SIM_H

#include <gpool/gpu.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** One simulated implementation. At most 8 are alive at a time. */
typedef struct sim sim;

/** Whose manners it has. */
typedef enum sim_personality {
    SIM_WGPU_NATIVE, /**< errors inside the call, fatal misuse, scopes of the device */
    SIM_DAWN         /**< errors inside the call, misuse is an error or silent, scopes of threads */
} sim_personality;

/** Kinds of objects, for counts. */
typedef enum sim_kind {
    SIM_KIND_NONE,
    SIM_KIND_INSTANCE,
    SIM_KIND_ADAPTER,
    SIM_KIND_DEVICE,
    SIM_KIND_QUEUE,
    SIM_KIND_BUFFER,
    SIM_KIND_TEXTURE,
    SIM_KIND_TEXTURE_VIEW,
    SIM_KIND_SAMPLER,
    SIM_KIND_SHADER_MODULE,
    SIM_KIND_BIND_GROUP_LAYOUT,
    SIM_KIND_BIND_GROUP,
    SIM_KIND_PIPELINE_LAYOUT,
    SIM_KIND_RENDER_PIPELINE,
    SIM_KIND_COMPUTE_PIPELINE,
    SIM_KIND_COMMAND_ENCODER,
    SIM_KIND_RENDER_PASS,
    SIM_KIND_COMPUTE_PASS,
    SIM_KIND_COMMAND_BUFFER,
    SIM_KIND_COUNT
} sim_kind;

/** When submitted work is complete. */
typedef enum sim_completion {
    SIM_COMPLETE_AT_POLL,     /**< at the next ProcessEvents */
    SIM_COMPLETE_AFTER_POLLS, /**< at the n-th ProcessEvents after the submit */
    SIM_COMPLETE_AT_SUBMIT,   /**< at once */
    SIM_COMPLETE_MANUALLY     /**< by sim_complete(), in any order */
} sim_completion;

/** Where callbacks of finished work, maps, requests and popped scopes run. */
typedef enum sim_delivery {
    SIM_DELIVER_AT_POLL,  /**< in ProcessEvents; wgpu-native: in Submit, too */
    SIM_DELIVER_INLINE,   /**< in the call that makes them ready, also the registering one */
    SIM_DELIVER_ON_THREAD /**< on a thread of the simulator, as soon as they are ready */
} sim_delivery;

/** What happens to errors that no scope takes. */
typedef enum sim_errors {
    SIM_ERRORS_INLINE,   /**< callback inside the failing call */
    SIM_ERRORS_LATE,     /**< callback at the next ProcessEvents */
    SIM_ERRORS_SWALLOWED /**< no callback at all; scopes still see them */
} sim_errors;

/** Ways of failing a call. */
typedef enum sim_way {
    SIM_FAIL_NULL,          /**< NULL, or no object in the callback of a request */
    SIM_FAIL_VALIDATION,    /**< error object and a validation error */
    SIM_FAIL_OUT_OF_MEMORY, /**< error object and the implementation's out-of-memory error */
    SIM_FAIL_LOST,          /**< the device is lost at that call */
    SIM_WAY_COUNT
} sim_way;

/** "Any function that can fail in that way", where a GPOOL_GPU_* number is expected. */
#define SIM_ANY_FUNCTION (-1)
/** All serials, where one is expected. */
#define SIM_ALL UINT64_MAX

/** How a simulator is made. All zero is a good default. */
typedef struct sim_desc {
    sim_personality personality;     /**< default: wgpu-native */
    sim_completion completion;       /**< default: at the next poll */
    uint32_t polls;                  /**< for SIM_COMPLETE_AFTER_POLLS */
    sim_delivery delivery;           /**< default: at polls */
    sim_errors errors;               /**< default: inline */
    const WGPULimits *limits;        /**< fields that are 0 keep their default; NULL = all */
    const WGPUFeatureName *features; /**< features of the adapter besides the core ones */
    size_t feature_count;            /**< items in `features` */
    WGPUAdapterType adapter_type;    /**< 0 = CPU */
    uint64_t memory;                 /**< bytes for buffers and textures, more is out of memory;
                                        0 = what the host has */
    bool no_adapter;                 /**< adapter requests fail */
    bool other_family;               /**< no vendor entry in the table: an unknown family */
    bool requests_late;              /**< adapters and devices are answered at polls, not inline */
    bool null_creates;               /**< SIM_FAIL_NULL applies to every create function */
    bool reuse_handles;              /**< a new object gets the handle of the last released one */
    bool quiet;                      /**< fatals are counted, but not written to stderr */
} sim_desc;

/** Makes a simulator; NULL desc = defaults, NULL on no memory or too many. */
sim *sim_create(const sim_desc *desc);

/** Ends it and frees all its objects. Callbacks not yet delivered never come. */
void sim_destroy(sim *s);

/** Fills a table with the simulator's functions; surfaces are not there (NULL). */
void sim_table(sim *s, gpool_gpu *table);

/* --- time --- */

void sim_set_completion(sim *s, sim_completion completion, uint32_t polls);
void sim_set_delivery(sim *s, sim_delivery delivery);
void sim_set_errors(sim *s, sim_errors errors);

/** Number of the newest submit; submits count from 1. */
uint64_t sim_submitted(sim *s);

/** Submits that are not complete. */
uint64_t sim_in_flight(sim *s);

/** Completes one submit or SIM_ALL; false when there was nothing to complete. */
bool sim_complete(sim *s, uint64_t serial);

/** Waits until the simulator's thread has run every callback that is ready. */
void sim_drain(sim *s);

/** Loses every device of the simulator, in the manner of its personality. */
void sim_lose(sim *s);

/* --- faults --- */

/** True when a call of the function can fail in that way. */
bool sim_can_fail(const sim *s, int function, sim_way way);

/**
 * Arms a fault: the `nth` (from 1) of the calls from now on of `function` (a GPOOL_GPU_* number or
 * SIM_ANY_FUNCTION: those that can fail in that way) fails, and, with `for_ever`, all after it.
 * One fault is armed at a time.
 */
void sim_fail(sim *s, int function, uint64_t nth, sim_way way, bool for_ever);

/** Disarms the fault. */
void sim_fail_none(sim *s);

/** How many calls the armed fault has failed. */
uint64_t sim_fail_hits(sim *s);

/** The function that the fault failed last; -1 when none yet. */
int sim_fail_function(sim *s);

/** How many calls since sim_create() could have failed in that way: N of a sweep. */
uint64_t sim_fail_points(sim *s, int function, sim_way way);

/* --- counts --- */

/** Calls of one function, or of all with SIM_ANY_FUNCTION. */
uint64_t sim_call_count(sim *s, int function);

/** Objects of a kind that the user holds references to; SIM_KIND_NONE = of all kinds. */
uint64_t sim_live(sim *s, sim_kind kind);

/** Objects of a kind in memory, also those only kept by other objects or work in flight. */
uint64_t sim_kept(sim *s, sim_kind kind);

/** Bytes of buffers and textures in memory. */
uint64_t sim_kept_bytes(sim *s);

/** Name of a function of the table, and of a kind. */
const char *sim_function_name(int function);
const char *sim_kind_name(sim_kind kind);

/** Misuse that ends the process on the real implementation, and use after release. */
uint64_t sim_fatal_count(sim *s);
/** Message of one of the first 16 fatals; "" for others. */
const char *sim_fatal_message(sim *s, uint64_t index);
void sim_fatal_clear(sim *s);

/**
 * wgpu-native: submits and ranges on a lost device that nothing has told of yet, no error and no
 * callback. They would end the process, but no program can know; they do nothing and are counted
 * here. A fault of SIM_FAIL_LOST in a release just before a submit is such a case.
 */
uint64_t sim_untold_count(sim *s);

/** Errors raised so far (captured or not), and the newest message. */
uint64_t sim_error_count(sim *s);
const char *sim_error_message(sim *s);

/** Calls made from inside a callback of this simulator: a library that keeps to the rules: 0. */
uint64_t sim_calls_in_callbacks(sim *s);

/* --- bytes --- */

/** Copies bytes out of a buffer as the GPU sees them; false when that is not possible. */
bool sim_read_buffer(sim *s, WGPUBuffer buffer, uint64_t offset, void *target, size_t size);

/** Copies one block (texel) out of a texture, all aspects; z is the layer or the slice. */
bool sim_read_texel(sim *s, WGPUTexture texture, uint32_t mip, uint32_t x, uint32_t y, uint32_t z,
                    void *target, size_t size);

/* --- shaders --- */

/** What a host version of a shader sees. Runs inside Submit; must not call the table. */
typedef struct sim_work sim_work;

typedef void (*sim_shader_fn)(const sim_work *work, void *user);

/**
 * Registers the host version of a WGSL source (told by its hash). A dispatch without one is a
 * fatal; a draw without one is only counted. For a draw the vertex module's is called, else the
 * fragment module's. That of the pool's scatter pass is there from the start.
 */
void sim_register_shader(sim *s, const char *wgsl, sim_shader_fn fn, void *user);

/** Workgroups of a dispatch, or vertices/indices, instances, first ones of a draw. */
const uint32_t *sim_work_counts(const sim_work *work);
/** True for draws. */
bool sim_work_is_draw(const sim_work *work);
/** Bytes of a bound buffer, dynamic offset applied; NULL when none is bound there. */
uint8_t *sim_work_buffer(const sim_work *work, uint32_t group, uint32_t binding, uint64_t *size);
/** Bytes of a vertex buffer; of the index buffer for slot UINT32_MAX. */
uint8_t *sim_work_vertices(const sim_work *work, uint32_t slot, uint64_t *size);

/** A level of a texture as rows of blocks. */
typedef struct sim_pixels {
    uint8_t *bytes;     /**< first row of the first layer */
    uint32_t width;     /**< texels */
    uint32_t height;    /**< texels */
    uint32_t layers;    /**< layers or slices */
    size_t row_bytes;   /**< from row to row */
    size_t layer_bytes; /**< from layer to layer */
} sim_pixels;

/** Base level of a bound texture view. */
bool sim_work_texture(const sim_work *work, uint32_t group, uint32_t binding, sim_pixels *pixels);
/** A color attachment of the pass of a draw. */
bool sim_work_target(const sim_work *work, uint32_t index, sim_pixels *pixels);

/** A draw that was executed, with its bound state. */
typedef struct sim_draw {
    bool indexed;
    bool indirect;
    uint32_t counts[4];           /**< vertices or indices, instances, first, first instance */
    int32_t base_vertex;          /**< of indexed draws */
    WGPURenderPipeline pipeline;  /**< handles as bound; they may be released since */
    WGPUBindGroup groups[8];      /**< */
    WGPUBuffer vertex_buffers[8]; /**< */
    uint64_t vertex_offsets[8];   /**< */
    WGPUBuffer index_buffer;      /**< */
    uint32_t dynamic_offsets[8];  /**< the first one of each group */
    float viewport[6];            /**< */
    uint32_t scissor[4];          /**< */
} sim_draw;

/** Draws and dispatches executed so far. */
uint64_t sim_draw_count(sim *s);
uint64_t sim_dispatch_count(sim *s);

/** One of the newest 64 draws, counted from 0 since sim_create(). */
bool sim_get_draw(sim *s, uint64_t index, sim_draw *draw);

/* --- recording table --- */

/**
 * Wraps any table (the simulator's or a loaded one): every call but ProcessEvents, whose number
 * depends on time, is hashed with its arguments: object numbers instead of addresses, sizes,
 * offsets, hashes of data. One recording is open at a time in a process.
 *
 * @param text  file that gets one line for each call, or NULL
 */
bool sim_record_begin(const gpool_gpu *real, gpool_gpu *wrapped, void *text);

/** Hash of all calls so far, and their number. */
uint64_t sim_record_hash(void);
uint64_t sim_record_calls(void);

/** Ends the recording; the wrapped table goes on without being recorded. */
void sim_record_end(void);

#endif
