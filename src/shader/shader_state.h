/*
 * Shader modules and pipelines.
 *
 * A shader handle and the pipelines made from it share a gpool__code: where the source comes from and
 * the module that is in use now. A pipeline is a template with a variant for each set of target formats
 * and samples it was used with; each variant is a gpool__program. Modules, programs and group layouts
 * are counted, found by their content, and hold what they were made of: destroying a shader or layout
 * handle leaves the pipelines made from it whole, and they can be made again on another device. What
 * failed keeps them for that too.
 */
#ifndef GPOOL_SHADER_SHADER_STATE_H
#define GPOOL_SHADER_SHADER_STATE_H

#include "shader/bindings.h"
#include "shader/made.h"
#include "shader/watch.h"

#include <gpool/shader.h>
#include <gpool/store.h>

/* A WebGPU shader module; its key is the source. */
typedef struct gpool__module {
    gpool__made base;
    gpool__bindings *bindings; /* what it binds; NULL = nobody asked yet */
    char text[];               /* source, label */
} gpool__module;

/* What is wrong with a source. */
typedef struct gpool__complaint {
    uint32_t line; /* 0 = not known */
    uint32_t column;
    char file[GPOOL__SOURCE_NAME]; /* "" = not known */
    char message[GPOOL__MESSAGE_SIZE];
} gpool__complaint;

/*
 * A source in use: of one shader handle, and of the pipelines made from it. Without text and path it is
 * the module's own text, which no file changes.
 */
typedef struct gpool__code {
    struct gpool__code *next; /* all of the pool */
    struct gpool__code *previous;
    uint64_t id; /* for the watch */
    uint32_t references;
    uint32_t version;
    gpool__module *module; /* NULL = there is no source that a compiler may see */
    gpool__module *fresh;  /* to be swapped in by the reload under way */
    gpool__source
        *source; /* of the module that is being compiled, for places in messages; or NULL */
    gpool_result failure;        /* of the newest try; GPOOL_OK = all is well */
    gpool__complaint *complaint; /* about it; NULL = none, or no memory for it */
    char *label;
    char *path; /* as gpool_shader_desc */
    char *text; /* the same, with a zero byte */
    size_t text_size;
    gpool__source_define *defines;
    uint32_t define_count;
    bool watched;
    bool unsettled; /* compiling: nobody was told yet how it went */
    bool stale;     /* its files changed, or it was called dirty */
    bool forced;    /* called dirty: compiled also when its text is the same */
    bool remade;    /* `fresh` is there because it was */
} gpool__code;

typedef struct gpool__shader {
    gpool__resource base;
    gpool__code *code;
} gpool__shader;

/* Formats and samples of a pass, and of a variant made for it. */
typedef struct gpool__targets {
    WGPUTextureFormat colors[GPOOL_MAX_COLORS];
    WGPUTextureFormat depth;
    uint32_t color_count;
    uint32_t samples;
} gpool__targets;

/* One vertex buffer of a recipe. */
typedef struct gpool__recipe_slot {
    uint32_t stride;
    uint32_t step; /* WGPUVertexStepMode */
    uint32_t attribute_count;
} gpool__recipe_slot;

/*
 * All that decides about a compiled pipeline, with no default left open and no byte undefined: equal
 * recipes make equal pipelines. What they name is the same object when it is equal.
 */
typedef struct gpool__recipe {
    gpool__module *vertex;                         /* or of the compute stage */
    gpool__module *fragment;                       /* NULL = no fragment stage */
    gpool__group_layout *groups[GPOOL_MAX_GROUPS]; /* NULL = group not used */
    uint32_t group_count;
    uint32_t compute;
    gpool__targets targets;
    uint32_t topology;
    uint32_t strip_index_format;
    uint32_t front_face;
    uint32_t cull_mode;
    uint32_t alpha_to_coverage;
    uint32_t blends;                        /* bit of each color target that blends */
    uint32_t write_masks[GPOOL_MAX_COLORS]; /* WGPUColorWriteMask */
    WGPUBlendState blend[GPOOL_MAX_COLORS];
    uint32_t depth_write; /* WGPUOptionalBool */
    uint32_t depth_compare;
    WGPUStencilFaceState stencil_front;
    WGPUStencilFaceState stencil_back;
    uint32_t stencil_read_mask;
    uint32_t stencil_write_mask;
    int32_t bias;
    float bias_slope_scale;
    float bias_clamp;
    uint32_t slot_count;
    gpool__recipe_slot slots[GPOOL_MAX_VERTEX_BUFFERS];
    uint32_t attribute_count;
    uint32_t vertex_entry_size; /* bytes with the zero byte; 0 = the module's only one */
    uint32_t fragment_entry_size;
} gpool__recipe;

/* Largest recipe but for the names: attributes follow it, then the names. */
#define GPOOL__RECIPE_ATTRIBUTES (GPOOL_MAX_VERTEX_BUFFERS * GPOOL_MAX_ATTRIBUTES)

/* What follows the attributes of a recipe; NULL = the module's only entry point. */
typedef struct gpool__recipe_names {
    const char *vertex; /* or of the compute stage */
    const char *fragment;
    const char *label;
} gpool__recipe_names;

/* A WebGPU pipeline; its key is the recipe with all that follows it. */
typedef struct gpool__program {
    gpool__made base;
    gpool__recipe recipe; /* then attributes, names, label */
} gpool__program;

typedef struct gpool__variant {
    gpool__targets targets;
    gpool__program *program;
    gpool__program *fresh; /* to be swapped in by the reload under way */
} gpool__variant;

/* The group layouts of a pipeline. */
typedef struct gpool__pipeline_groups {
    gpool__group_layout *groups[GPOOL_MAX_GROUPS]; /* NULL = group not used */
    uint32_t count;
    gpool_result status; /* why there are none */
} gpool__pipeline_groups;

/* What a draw must have bound in a vertex slot. */
typedef struct gpool__vertex_slot {
    uint32_t stride;     /* 0 = slot not used */
    uint32_t last_bytes; /* bytes the last element needs */
    bool per_instance;
} gpool__vertex_slot;

typedef struct gpool__pipeline {
    gpool__resource base;
    bool compute;
    bool own_layouts; /* given by the descriptor, not read from the source */
    bool has_fresh;   /* `fresh` is of the reload under way */
    bool woken;       /* swapped just now */
    uint32_t version;
    gpool__code *vertex; /* or of the compute stage */
    gpool__code *fragment;
    gpool__pipeline_groups groups;
    gpool__pipeline_groups fresh;
    gpool__vertex_slot slots[GPOOL_MAX_VERTEX_BUFFERS];
    uint32_t slot_count;
    gpool_render_pipeline_desc
        *desc;                /* copy; strings and blend states copied too; NULL = compute */
    char *compute_entry;      /* NULL = the module's only one */
    gpool__variant *variants; /* compute: at most one, of no targets */
    uint32_t variant_count;
    uint32_t variant_capacity;
} gpool__pipeline;

/* What persists from run to run; see manifest_save.c. */
typedef struct gpool__persist {
    gpool_store *store; /* NULL = nothing does */
    char *program;
    struct gpool__save *save; /* under way */
    uint32_t run;             /* number of this run in the manifest; 0 = not known yet */
    uint64_t saved_orders;    /* `orders` at the newest save */
    uint64_t saved_ns;        /* when that was, or the newest try */
    gpool__made **kept;       /* what the warm-up asked for; it has a use of each */
    uint32_t kept_count;
    uint32_t kept_capacity;
} gpool__persist;

/* What a pool has of this folder. */
struct gpool__shaders {
    gpool__compiler compiler;
    gpool__cache modules;
    gpool__cache programs;
    uint64_t orders;    /* modules and programs so far */
    gpool__code *codes; /* all */
    uint64_t code_ids;
    uint32_t unsettled; /* codes that are */
    uint32_t stale;     /* codes that are */
    bool reloading;     /* some are made anew */
    bool held;          /* what is stale failed: it waits for the next change */
    bool changed;       /* something did since the reload under way began */
    uint64_t since;     /* orders when that began */
    gpool__watch watch;
    gpool__source_files files;
    char **roots;
    uint32_t root_count;
    uint32_t root_capacity;
    gpool__persist persist;
};

#define GPOOL__MAX_ROOTS 64u

/** Prepares both kinds; GPOOL_OK or GPOOL_ERROR_OUT_OF_MEMORY. */
gpool_result gpool__shaders_init(gpool *pool, uint32_t workers, uint32_t watch_ms);
void gpool__pipelines_init(gpool *pool);

/** Takes the store of a descriptor; GPOOL_OK or GPOOL_ERROR_OUT_OF_MEMORY. */
gpool_result gpool__persist_init(gpool *pool, const gpool_desc *desc);

/** After a frame: a save, when it is time for one. Costs little when it is not. */
void gpool__persist_tick(gpool *pool);

/** Waits for a save under way, or drops it. */
void gpool__persist_settle(gpool *pool);

/** Saves what was used, before the resources go. */
void gpool__persist_close(gpool *pool);

/** Gives up what the warm-up kept. */
void gpool__persist_drop_kept(gpool *pool);

void gpool__persist_fini(gpool *pool);

/** Why a source must not reach a compiler, or NULL when it may. */
const char *gpool__wgsl_problem(const char *source, size_t size);

/**
 * The module of a source, found or made, as one more user; one found must be made behind `after`, an
 * order, 0 = any. NULL with `*result`: GPOOL_ERROR_LIMIT for a source that no compiler bears,
 * GPOOL_ERROR_OUT_OF_MEMORY; with the error recorded.
 */
gpool__module *gpool__module_get(gpool *pool, const char *label, const char *source, size_t size,
                                 uint64_t after, gpool_result *result);

/** Adds a user to a module and returns it; NULL stays NULL. */
gpool__module *gpool__module_retain(gpool__module *module);

/** Takes a user from a module. NULL is silent. */
void gpool__module_release(gpool *pool, gpool__module *module);

/** As gpool__group_layout_rebuild(). */
WGPUShaderModule gpool__module_rebuild(gpool *pool, gpool__rebuild *rebuild, gpool__module *module,
                                       gpool_result *result);

/** What a module binds, looked for at the first call; NULL without memory, with the error recorded. */
const gpool__bindings *gpool__module_bindings(gpool *pool, gpool__module *module,
                                              gpool_result *result);

/** A new code without a module; NULL without memory, with the error recorded. */
gpool__code *gpool__code_create(gpool *pool, const char *label);

/** Adds a user to a code and returns it; NULL stays NULL. */
gpool__code *gpool__code_retain(gpool__code *code);

/** Takes a user from a code; the last one frees it. NULL is silent. */
void gpool__code_release(gpool *pool, gpool__code *code);

/** Copies where a source comes from; `size` = of desc->wgsl. False without memory. */
bool gpool__code_keep_origin(gpool *pool, gpool__code *code, const gpool_shader_desc *desc,
                             size_t size);

/**
 * Reads and expands the source of a code, watches its files, and gets the module, as one more user.
 * Errors are recorded and kept as the code's complaint.
 */
gpool_result gpool__code_make(gpool *pool, gpool__code *code, gpool__module **module);

/** Its module is compiling or compiled: how it went is told by gpool__code_settle(). */
void gpool__code_await(gpool *pool, gpool__code *code);

/** Tells how the compile of a code went, if it is done and was not told. */
void gpool__code_settle(gpool *pool, gpool__code *code);

/**
 * The same for all codes: when compiles are collected, and when codes are given another module to
 * await. Costs nothing when none is awaited.
 */
void gpool__codes_settle(gpool *pool);

/** Notes what is wrong with a source; "" and 0 for what is not known. */
void gpool__code_complain(gpool *pool, gpool__code *code, gpool_result result, const char *file,
                          uint32_t line, uint32_t column, const char *message);

/** Nothing is wrong with it any more. */
void gpool__code_content(gpool *pool, gpool__code *code);

/** It is to be made anew. */
void gpool__code_stale(gpool *pool, gpool__code *code);

/** A step of reloading: at the start of a frame. Costs a look at the clock when nothing changed. */
void gpool__reload(gpool *pool);

/** Something is stale: it is tried at the next frame, whatever failed before. */
void gpool__reload_again(gpool *pool);

/** Gives up a reload under way; it begins again later. */
void gpool__reload_stop(gpool *pool);

/**
 * Finds the group layouts of a pipeline, as one more user of each; `newest` = for the modules of the
 * reload under way.
 */
gpool_result gpool__pipeline_find_groups(gpool *pool, const gpool__pipeline *pipeline, bool newest,
                                         gpool__pipeline_groups *groups);

/** True when its shaders have sources; a pipeline without is made when they come. */
bool gpool__pipeline_has_sources(const gpool__pipeline *pipeline);

/** The module of a code, of the reload under way if there is one. */
static inline gpool__module *gpool__code_newest(const gpool__code *code)
{
    return code->fresh != NULL ? code->fresh : code->module;
}

/** How a shader is now. */
gpool_result gpool__shader_look(gpool__shader *shader);

/** How a pipeline is now. */
gpool_result gpool__pipeline_look(gpool__pipeline *pipeline);

/**
 * The program of a pipeline for these targets, found or made, as one more user; `newest` = of the
 * reload under way. NULL without memory.
 */
gpool__program *gpool__program_get(gpool *pool, const gpool__pipeline *pipeline,
                                   const gpool__targets *targets, bool newest);

/** The same of a recipe that is whole but for the sizes of the names, which are set. */
gpool__program *gpool__program_get_recipe(gpool *pool, gpool__recipe *recipe,
                                          const gpool_attribute *attributes,
                                          const gpool__recipe_names *names);

/** What follows a recipe in its program; NULL = the module's only entry point. */
const gpool_attribute *gpool__recipe_attributes(const gpool__recipe *recipe);
const char *gpool__recipe_vertex_entry(const gpool__recipe *recipe);
const char *gpool__recipe_fragment_entry(const gpool__recipe *recipe);

/** Takes a user from a program. NULL is silent. */
void gpool__program_release(gpool *pool, gpool__program *program);

/** Makes a program on another device; what it has goes, whatever the result. */
gpool_result gpool__program_rebuild(gpool *pool, gpool__rebuild *rebuild, gpool__program *program,
                                    bool possible);

/** Label of a module: of the shader that asked for it first. */
static inline const char *gpool__module_label(const gpool__module *module)
{
    return module->text + module->base.key_size;
}

/** Label of a program: of the pipeline that asked for it first. */
static inline const char *gpool__program_label(const gpool__program *program)
{
    return (const char *)&program->recipe + program->base.key_size;
}

/** Writes the recipe of a pipeline for these targets into `recipe`, names left out. */
void gpool__recipe_fill(const gpool__pipeline *pipeline, const gpool__targets *targets, bool newest,
                        gpool__recipe *recipe, gpool_attribute attributes[]);

/** Index of the variant for these targets, UINT32_MAX when there is none. */
uint32_t gpool__variant_find(const gpool__pipeline *pipeline, const gpool__targets *targets);

/** Index of the variant that decides about the pipeline, of its descriptor's own targets; UINT32_MAX
 * when there is none. */
uint32_t gpool__pipeline_own_variant(const gpool__pipeline *pipeline);

/** Takes the variants of a pipeline away. */
void gpool__pipeline_drop_variants(gpool *pool, gpool__pipeline *pipeline);

/** Takes those away that failed: they are tried again. */
void gpool__pipeline_forget_failed(gpool *pool, gpool__pipeline *pipeline);

/** Targets told by the descriptor alone; false when they depend on the pass. */
bool gpool__pipeline_own_targets(const gpool_render_pipeline_desc *desc, gpool__targets *targets);

/** Writes that a pipeline could not be made; `why` NULL or "" = the result's text. */
void gpool__pipeline_describe(char text[GPOOL__MESSAGE_SIZE], const char *label,
                              gpool_result result, const char *why);

/** Records it. */
gpool_result gpool__pipeline_tell(gpool *pool, const char *label, gpool_result result,
                                  const char *why);

/** Registers how pipelines are made again. */
void gpool__pipelines_init_rebuild(gpool *pool);

/**
 * Program for a pass's targets, asked for at first use; NULL with the error recorded. It may not be
 * ready.
 */
gpool__program *gpool__pipeline_variant(gpool *pool, gpool__pipeline *pipeline,
                                        const gpool__targets *targets, gpool_result *result);

/** Checks a render pipeline descriptor's enumerations and counts. */
gpool_result gpool__pipeline_check_desc(gpool *pool, const gpool_render_pipeline_desc *desc);

/**
 * True when a recipe of unknown origin may reach a compiler: every field is what gpool__recipe_fill()
 * may write. Not looked at are modules, groups and names. `no_bgra`: as on wgpu-native.
 */
bool gpool__recipe_is_good(const gpool__recipe *recipe, const gpool_attribute *attributes,
                           bool no_bgra);

/** True when an entry point's name may reach a compiler: NULL, or UTF-8. */
bool gpool__pipeline_check_entry(const char *entry);

/** Bytes of a vertex format; 0 for an unknown one. */
uint32_t gpool__vertex_format_bytes(WGPUVertexFormat format);

#endif
