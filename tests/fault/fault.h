/*
 * The fault sweep: any scenario is run with allocation k, or call k into webgpu.h, failing, once and
 * for ever, k = 1, 2, ... until a run passes without the fault. It runs on the simulator (sim.h).
 *
 * A scenario is a plain function that uses the pool of a world it is given. It makes every call
 * through the macros below, which check what holds for all of them:
 * - without a fault it succeeds;
 * - under one it gives a result that the function's comment in include/gpool names, and that is
 *   gpool_last_error(); memory that ran out is GPOOL_ERROR_OUT_OF_MEMORY;
 * - a call that failed left counters, descriptor and version of its resource as they were;
 * - "Allocates: never" is true; a destroy never fails;
 * - once the loss of the device is known, a call that needs the GPU says GPOOL_ERROR_DEVICE_LOST.
 *
 * A scenario goes on after a failure, as programs do, and compares contents where all the calls that
 * make them succeeded: so a success that did nothing is seen. It returns fault_end(), the first
 * error; what was made through the macros is destroyed there.
 *
 * After each run the driver looks whether the world is as it was, whether the same scenario now
 * passes, and whether anything is left when all is closed. A point that fails is printed as the
 * command line that runs it alone.
 *
 * To add one: write it in tests/fault/scenario_<topic>.c and put FAULT_SWEEP() under it. It is then
 * in `gpool-fault --list`, and is the test fault/sweep/<name>.
 */
#ifndef GPOOL_TESTS_FAULT_H
#define GPOOL_TESTS_FAULT_H

#include "sim.h"

#include <gpool/gpool.h>

#define FAULT_THINGS 128u   /* resources that one scenario makes, at most */
#define FAULT_BYTES  20480u /* largest buffer whose bytes are followed */

typedef enum fault_target {
    FAULT_NOTHING,
    FAULT_ALLOCATION, /* of the hooks, or gpool's own use of libc */
    FAULT_CALL        /* into webgpu.h */
} fault_target;

/* One run, and what fails in it. */
typedef struct fault_point {
    sim_personality personality;
    sim_delivery delivery;
    sim_errors errors;
    fault_target target;
    sim_way way;     /* of calls */
    uint64_t number; /* k, from 1 */
    bool for_ever;
} fault_point;

typedef struct fault_world fault_world;

typedef gpool_result (*fault_scenario)(fault_world *w);

/* An entry of the table of scenarios, in order of name. */
typedef struct fault_entry {
    struct fault_entry *next;
    const char *name;
    fault_scenario run;
} fault_entry;

void fault_register(fault_entry *entry);
fault_entry *fault_entries(void);
/** The scenario of a name; NULL when there is none. */
const fault_entry *fault_find(const char *name);

/** Puts a scenario into the table. */
#define FAULT_SWEEP(name_, scenario_)                                                              \
    __attribute__((constructor)) static void fault_entry_##name_(void)                             \
    {                                                                                              \
        static fault_entry entry = { NULL, #name_, scenario_ };                                    \
        fault_register(&entry);                                                                    \
    }

/* Counts what one owner of hooks holds. */
typedef struct fault_ledger {
    uint64_t blocks;
    uint64_t bytes;
    uint64_t asked;       /* calls that asked for memory */
    uint64_t wrong_sizes; /* calls whose old size is not what was asked for */
} fault_ledger;

/* What a resource was before a call. */
typedef struct fault_picture {
    gpool_stats stats;
    bool latched; /* the recorder has met an error that the next submit will tell */
    gpool_kind kind;
    gpool_buffer_info buffer;
    gpool_texture_info texture;
    gpool_mesh_info mesh;
    gpool_heap_info heap;
} fault_picture;

/* Something made, to be destroyed at the end. */
typedef struct fault_thing {
    gpool *pool;
    uint64_t id;
    bool brief; /* may be gone by itself */
} fault_thing;

/* Raw objects of the program around the pool, made before the fault is armed. */
typedef struct fault_raw {
    WGPUBuffer buffer;   /* 64 bytes, each its index */
    WGPUTexture texture; /* 4 x 4 RGBA8Unorm */
    WGPUBindGroupLayout layout;
    WGPUBindGroup group; /* a uniform buffer: the color (0, 0, 1, 1) */
    WGPUBuffer uniform;
    WGPURenderPipeline render;   /* fills by that group */
    WGPUComputePipeline compute; /* doubles the numbers of group 0, binding 0 */
} fault_raw;

struct fault_world {
    fault_point point;
    sim *s;
    gpool_gpu table; /* counts nothing, but can be listened to: fault_spy() */
    gpool_device *device;
    gpool *pool;
    fault_ledger pool_memory;
    fault_ledger device_memory;
    fault_raw raw;
    _Atomic uint64_t log_counts[GPOOL_LOG_COUNT]; /* records come from any thread */
    char shader_path[64];                         /* a WGSL file */

    /* the witness: resources that no scenario touches */
    gpool_buffer witness_plain; /* with bytes that are not yet sent */
    gpool_buffer witness_written;
    gpool_texture witness_texture;
    gpool_sampler witness_sampler;
    fault_picture witness_before;

    /* the scenario that runs */
    gpool_result result; /* first error */
    fault_thing things[FAULT_THINGS];
    uint32_t thing_count;

    /* the call that runs */
    char call[64];
    uint64_t call_id;
    uint64_t call_hits;
    uint64_t call_fallbacks;
    uint64_t call_asked;
    uint64_t call_talks;
    bool call_lost;
    fault_picture before;

    uint64_t hits;     /* of the faults disarmed so far */
    uint64_t problems; /* that were found */
};

/* --- checked calls --- */

/** Calls a function that returns a gpool_result; `id` is of the resource it works on, or 0. */
#define FAULT_DO(w, id, call) fault_after((w), (fault_before((w), #call, (id)), (call)))

/** Calls a create function; `type` is that of its handle. */
#define FAULT_MAKE(w, type, call)                                                                  \
    ((type){ fault_made((w), (fault_before((w), #call, 0), (call)).id, false) })

/** The same for what may be gone by itself: imports of a frame, what lies in a scope. */
#define FAULT_MAKE_BRIEF(w, type, call)                                                            \
    ((type){ fault_made((w), (fault_before((w), #call, 0), (call)).id, true) })

/** Calls a function that returns a raw object or NULL. */
#define FAULT_GET(w, id, call) fault_got((w), (fault_before((w), #call, (id)), (call)))

/** Tells a problem of the run: what holds in all runs does not hold. */
#define FAULT_EXPECT(w, condition)                                                                 \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fault_problem((w), "%s:%d: not so: %s", __FILE__, __LINE__, #condition);               \
        }                                                                                          \
    } while (0)

/** Gives up one share of a resource that FAULT_MAKE() made. */
void fault_destroy(fault_world *w, uint64_t id);

/** Makes the macros work on another pool; returns the one before. */
gpool *fault_use(fault_world *w, gpool *pool);

/** Destroys the pool made last, in use, and goes back to another one. */
void fault_destroy_pool(fault_world *w, gpool *back);

/** True when no call of the scenario has failed: then all contents must be right. */
static inline bool fault_is_whole(const fault_world *w)
{
    return w->result == GPOOL_OK;
}

/** Destroys what the scenario made and still has; returns its first error. */
gpool_result fault_end(fault_world *w);

void fault_problem(fault_world *w, const char *format, ...) __attribute__((format(printf, 2, 3)));

void fault_before(fault_world *w, const char *call, uint64_t id);
bool fault_after(fault_world *w, gpool_result result);
uint64_t fault_made(fault_world *w, uint64_t id, bool brief);
void *fault_got(fault_world *w, const void *object);

/* --- buffers and textures whose contents are followed --- */

typedef struct fault_buffer {
    gpool_buffer handle;
    uint64_t size;
    bool known; /* false: a submit that changes it failed */
    uint8_t bytes[FAULT_BYTES];
} fault_buffer;

/** Makes a buffer, with `data` (NULL = zeros) of `size` bytes. */
void fault_buffer_make(fault_world *w, fault_buffer *buffer, gpool_buffer_usage usage,
                       uint64_t size, const void *data);
bool fault_buffer_write(fault_world *w, fault_buffer *buffer, uint64_t offset, const void *data,
                        uint64_t size);
/** Writes elements; a gpu-written buffer whose queue refuses has some of them, maybe. */
bool fault_buffer_scattered(fault_world *w, fault_buffer *buffer, const uint32_t *indices,
                            uint32_t count, uint64_t stride, const uint8_t *data);
bool fault_buffer_resize(fault_world *w, fault_buffer *buffer, uint64_t size);
/** Tells what commands did to it, if `done`. NULL data = zeros. */
void fault_buffer_changed(fault_buffer *buffer, bool done, uint64_t offset, const void *data,
                          uint64_t size);
/** Reads it all, and compares. */
void fault_buffer_check(fault_world *w, fault_buffer *buffer);

/* An RGBA8Unorm texture, level 0 of layer 0. */
typedef struct fault_texture {
    gpool_texture handle;
    uint32_t width;
    uint32_t height;
    bool known;
    uint8_t texels[16 * 16 * 4];
} fault_texture;

void fault_texture_make(fault_world *w, fault_texture *texture, gpool_texture_usage usage,
                        uint32_t width, uint32_t height, const void *data);
bool fault_texture_write(fault_world *w, fault_texture *texture, const void *data);
bool fault_texture_resize(fault_world *w, fault_texture *texture, uint32_t width, uint32_t height);
/** Tells that commands gave all texels this color, if `done`. */
void fault_texture_filled(fault_texture *texture, bool done, const uint8_t rgba[4]);
void fault_texture_check(fault_world *w, fault_texture *texture);

/** Bytes that are all different from their neighbours; the same for the same number. */
void fault_pattern(uint8_t *bytes, size_t size, uint32_t number);

/* --- shaders with host versions --- */

/** Writes the color of group 0, binding 0 to an RGBA8Unorm target; entries vs and fs. */
extern const char fault_fill_wgsl[];
/** Doubles the numbers of group 0, binding 0. */
extern const char fault_double_wgsl[];
/** Group 0: uniforms; group 1: 0 = u32 numbers written, 1 = u32 uniform buffer, 2 = texture,
 * 3 = sampler. Writes number 0 = first uniform + first of the buffer + first texel's red. */
extern const char fault_gather_wgsl[];

void fault_register_shaders(sim *s);

/* --- worlds and runs --- */

/** Opens simulator, device, pool and witness; nothing fails yet. False when that did not work. */
bool fault_open(fault_world *w, const fault_point *point);

/** Opens no more than the simulator and the raw table. */
bool fault_open_bare(fault_world *w, const fault_point *point);

/** Makes device and pool of a bare world. */
gpool_result fault_open_pool(fault_world *w);

/** Destroys the witness, closes all, and looks that nothing is left. */
void fault_close(fault_world *w);

void fault_arm(fault_world *w);
void fault_disarm(fault_world *w);

/** Calls and allocations failed so far. */
uint64_t fault_hits(const fault_world *w);

/** Looks whether the witness is as it was. */
void fault_check_witness(fault_world *w);

/** Takes the picture of a resource, or of the counters alone for id 0. */
void fault_take_picture(const fault_world *w, uint64_t id, fault_picture *picture);

/** True when the pool knows that its device is lost. */
bool fault_is_lost(const fault_world *w);

/** Descriptors with the world's table, hooks and log. */
gpool_device_desc fault_device_desc(fault_world *w);
gpool_desc fault_pool_desc(fault_world *w);

/* --- parts of the driver --- */

/** Hooks that count in a ledger and fail on demand. */
gpool_allocator fault_hooks(fault_ledger *ledger);
void fault_memory_arm(uint64_t number, bool for_ever);
uint64_t fault_memory_hits(void);
/** Allocations so far: of the hooks, and of gpool with libc. */
uint64_t fault_memory_asked(void);
/** Blocks that gpool took with libc are not counted as left; this only says who asks. */
void fault_memory_inside(bool inside);
bool fault_memory_is_inside(void);

/** Runs before every call of a spied table, on the thread that calls. */
typedef void (*fault_spy_fn)(void *user, int function);
/** Wraps a table; one is wrapped at a time. */
void fault_spy_wrap(const gpool_gpu *real, gpool_gpu *spied);
void fault_spy(fault_spy_fn fn, void *user);
/** Calls so far that talk to the GPU: all but polls, queries, references and releases. */
uint64_t fault_spy_talks(void);

/* What the comment of a function says. */
/* Among the codes of a rule: and what the recorder latched before. */
#define FAULT_LATCHED (UINT64_C(1) << 63)

typedef struct fault_rule {
    uint64_t codes; /* FAULT_LATCHED and a bit for each gpool_result it may give */
    bool never_allocates;
} fault_rule;

/** Rule of the function of a call, told as "name(arguments"; NULL when it is not documented. */
const fault_rule *fault_rule_of(const char *call);

/** What a sweep counted. */
typedef struct fault_totals {
    uint64_t allocations;
    uint64_t calls[SIM_WAY_COUNT];
    uint64_t points; /* all of them */
    uint64_t problems;
} fault_totals;

/** Runs one point; false when its fault did not happen. */
bool fault_run(const fault_entry *entry, const fault_point *point, fault_totals *totals);

/** Runs all points of a scenario; where `manner` sets delivery or errors, in that manner. */
void fault_sweep(const fault_entry *entry, const fault_point *manner, fault_totals *totals);

/** Prints a point as arguments of gpool-fault. */
void fault_print_point(const char *scenario, const fault_point *point, char *text, size_t size);

#endif
