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

#include "shader/made.h"

/* A WebGPU shader module; its key is the source. */
typedef struct gpool__module {
    gpool__made base;
    bool has_groups;   /* the source has a @group outside comments */
    size_t label_size; /* bytes of the label, with its zero byte */
    char text[];       /* source, label */
} gpool__module;

/* A source in use: of one shader handle, and of the pipelines made from it. */
typedef struct gpool__code {
    uint32_t references;
    gpool__module *module; /* NULL = there is no source that a compiler may see */
} gpool__code;

typedef struct gpool__shader {
    gpool__resource base;
    gpool__code *code;
    gpool_result status; /* without a module: why; see gpool__shader_look() */
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

/* A WebGPU pipeline; its key is the recipe with all that follows it. */
typedef struct gpool__program {
    gpool__made base;
    size_t label_size;
    gpool__recipe recipe; /* then attributes, names, label */
} gpool__program;

typedef struct gpool__variant {
    gpool__targets targets;
    gpool__program *program;
} gpool__variant;

/* What a draw must have bound in a vertex slot. */
typedef struct gpool__vertex_slot {
    uint32_t stride;     /* 0 = slot not used */
    uint32_t last_bytes; /* bytes the last element needs */
    bool per_instance;
} gpool__vertex_slot;

typedef struct gpool__pipeline {
    gpool__resource base;
    bool compute;
    gpool__code *vertex; /* or of the compute stage */
    gpool__code *fragment;
    gpool__group_layout *groups[GPOOL_MAX_GROUPS]; /* NULL = group not used */
    uint64_t group_hashes[GPOOL_MAX_GROUPS];       /* gpool__layout.hash of each */
    uint32_t group_count;
    gpool__vertex_slot slots[GPOOL_MAX_VERTEX_BUFFERS];
    uint32_t slot_count;
    gpool_render_pipeline_desc
        *desc;                /* copy; strings and blend states copied too; NULL = compute */
    char *compute_entry;      /* NULL = the module's only one */
    gpool__variant *variants; /* compute: at most one, of no targets */
    uint32_t variant_count;
    uint32_t variant_capacity;
} gpool__pipeline;

/* What a pool has of this folder. */
struct gpool__shaders {
    gpool__compiler compiler;
    gpool__cache modules;
    gpool__cache programs;
    uint64_t orders; /* modules and programs so far */
};

/** Prepares both kinds; GPOOL_OK or GPOOL_ERROR_OUT_OF_MEMORY. */
gpool_result gpool__shaders_init(gpool *pool, uint32_t workers);
void gpool__pipelines_init(gpool *pool);

/** True when WGSL has a @group attribute outside comments. */
bool gpool__wgsl_has_groups(const char *source, size_t size);

/** Why a source must not reach a compiler, or NULL when it may. */
const char *gpool__wgsl_problem(const char *source, size_t size);

/**
 * The module of a source, found or made, as one more user. NULL with `*result`: GPOOL_ERROR_LIMIT for a
 * source that no compiler bears, GPOOL_ERROR_OUT_OF_MEMORY; with the error recorded.
 */
gpool__module *gpool__module_get(gpool *pool, const char *label, const char *source, size_t size,
                                 gpool_result *result);

/** Adds a user to a module and returns it; NULL stays NULL. */
gpool__module *gpool__module_retain(gpool__module *module);

/** Takes a user from a module. NULL is silent. */
void gpool__module_release(gpool *pool, gpool__module *module);

/** As gpool__group_layout_rebuild(). */
WGPUShaderModule gpool__module_rebuild(gpool *pool, gpool__rebuild *rebuild, gpool__module *module,
                                       gpool_result *result);

/** A new code of a module, whose user it takes over; NULL without memory, with the error recorded. */
gpool__code *gpool__code_create(gpool *pool, const char *label);

/** Adds a user to a code and returns it; NULL stays NULL. */
gpool__code *gpool__code_retain(gpool__code *code);

/** Takes a user from a code; the last one frees it. NULL is silent. */
void gpool__code_release(gpool *pool, gpool__code *code);

/** How a shader is now. */
gpool_result gpool__shader_look(gpool__shader *shader);

/** How a pipeline is now. */
gpool_result gpool__pipeline_look(gpool__pipeline *pipeline);

/** The program of a pipeline for these targets, found or made, as one more user. NULL without memory. */
gpool__program *gpool__program_get(gpool *pool, const gpool__pipeline *pipeline,
                                   const gpool__targets *targets);

/** Takes a user from a program. NULL is silent. */
void gpool__program_release(gpool *pool, gpool__program *program);

/** Makes a program on another device; what it has goes, whatever the result. */
gpool_result gpool__program_rebuild(gpool *pool, gpool__rebuild *rebuild, gpool__program *program,
                                    bool possible);

/** Label of a program: of the pipeline that asked for it first. */
static inline const char *gpool__program_label(const gpool__program *program)
{
    return (const char *)&program->recipe + program->base.key_size;
}

/** Writes the recipe of a pipeline for these targets into `recipe`, names left out. */
void gpool__recipe_fill(const gpool__pipeline *pipeline, const gpool__targets *targets,
                        gpool__recipe *recipe, gpool_attribute attributes[]);

/** Index of the variant for these targets, UINT32_MAX when there is none. */
uint32_t gpool__variant_find(const gpool__pipeline *pipeline, const gpool__targets *targets);

/** Takes the variants of a pipeline away. */
void gpool__pipeline_drop_variants(gpool *pool, gpool__pipeline *pipeline);

/** Takes those away that failed: they are tried again. */
void gpool__pipeline_forget_failed(gpool *pool, gpool__pipeline *pipeline);

/** Targets told by the descriptor alone; false when they depend on the pass. */
bool gpool__pipeline_own_targets(const gpool_render_pipeline_desc *desc, gpool__targets *targets);

/** Records that a pipeline could not be made. */
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

/** True when an entry point's name may reach a compiler: NULL, or UTF-8. */
bool gpool__pipeline_check_entry(const char *entry);

/** Bytes of a vertex format; 0 for an unknown one. */
uint32_t gpool__vertex_format_bytes(WGPUVertexFormat format);

#endif
