/*
 * Shader modules and pipelines. Modules are compiled when created; a render pipeline is a template
 * with a variant for each set of target formats and samples it was used with. Modules and group
 * layouts are counted blocks that hold what they were made of, shared by their handle and the
 * pipelines: destroying a shader or layout handle leaves the pipelines made from it whole, and they
 * can be made again on another device. What failed keeps its blocks for that too.
 */
#ifndef GPOOL_SHADER_SHADER_STATE_H
#define GPOOL_SHADER_SHADER_STATE_H

#include "pool/rebuild.h"

/* A WebGPU shader module and its source; counted. */
typedef struct gpool__module {
    uint32_t references;
    WGPUShaderModule gpu;   /* NULL = did not compile */
    WGPUShaderModule fresh; /* the same on another device, during the rebuild `pass` */
    uint64_t pass;          /* newest rebuild it took part in */
    size_t size;            /* bytes of the source */
    size_t label_size;      /* bytes of the label, with its zero byte */
    char text[];            /* source, label */
} gpool__module;

typedef struct gpool__shader {
    gpool__resource base;
    gpool__module *module; /* NULL = there is no source that a compiler may see */
    gpool_result status;
    bool has_groups; /* the source has a @group outside comments */
} gpool__shader;

/* Formats and samples of a pass, and of a variant made for it. */
typedef struct gpool__targets {
    WGPUTextureFormat colors[GPOOL_MAX_COLORS];
    WGPUTextureFormat depth;
    uint32_t color_count;
    uint32_t samples;
} gpool__targets;

typedef struct gpool__variant {
    gpool__targets targets;
    WGPURenderPipeline gpu; /* NULL = could not be made; not tried again */
} gpool__variant;

/* What a draw must have bound in a vertex slot. */
typedef struct gpool__vertex_slot {
    uint32_t stride;     /* 0 = slot not used */
    uint32_t last_bytes; /* bytes the last element needs */
    bool per_instance;
} gpool__vertex_slot;

typedef struct gpool__pipeline {
    gpool__resource base;
    gpool_result status;
    bool compute;
    WGPUComputePipeline compute_gpu;
    gpool__module *vertex; /* or of the compute stage; NULL = its shader had no source */
    gpool__module *fragment;
    WGPUPipelineLayout layout;
    gpool__group_layout *groups[GPOOL_MAX_GROUPS]; /* NULL = group not used */
    uint64_t group_hashes[GPOOL_MAX_GROUPS];       /* gpool__layout.hash of each */
    uint32_t group_count;
    gpool__vertex_slot slots[GPOOL_MAX_VERTEX_BUFFERS];
    uint32_t slot_count;
    gpool_render_pipeline_desc
        *desc;           /* copy; strings and blend states copied too; NULL = compute */
    char *compute_entry; /* NULL = the module's only one */
    gpool__variant *variants;
    uint32_t variant_count;
    uint32_t variant_capacity;
} gpool__pipeline;

/* What is compiled into a pipeline: of the device it is on, or of the one it is rebuilt on. */
typedef struct gpool__pipeline_parts {
    WGPUShaderModule vertex;
    WGPUShaderModule fragment; /* NULL = no fragment stage */
    WGPUPipelineLayout layout;
} gpool__pipeline_parts;

void gpool__shaders_init(gpool *pool);
void gpool__pipelines_init(gpool *pool);

/** True when WGSL has a @group attribute outside comments. */
bool gpool__wgsl_has_groups(const char *source, size_t size);

/** Why a source must not reach a compiler, or NULL when it may. */
const char *gpool__wgsl_problem(const char *source, size_t size);

/**
 * Copies a source and compiles it; how that went is in `*status`. NULL without memory, with the error
 * recorded.
 */
gpool__module *gpool__module_create(gpool *pool, const char *label, const char *source, size_t size,
                                    gpool_result *status);

/** Adds a user to a module and returns it; NULL stays NULL. */
gpool__module *gpool__module_retain(gpool__module *module);

/** Takes a user from a module; the last one frees it. NULL is silent. */
void gpool__module_release(gpool *pool, gpool__module *module);

/** As gpool__group_layout_rebuild(). */
WGPUShaderModule gpool__module_rebuild(gpool *pool, gpool__rebuild *rebuild, gpool__module *module,
                                       gpool_result *result);

/** Makes the WebGPU layout of a pipeline; groups left out (NULL) get an empty layout. */
WGPUPipelineLayout gpool__pipeline_make_layout(gpool *pool, const gpool__pipeline *pipeline,
                                               const WGPUBindGroupLayout groups[GPOOL_MAX_GROUPS],
                                               gpool_result *result);

/** Compiles a compute pipeline; NULL with the error recorded. */
WGPUComputePipeline gpool__pipeline_make_compute(gpool *pool, const gpool__pipeline *pipeline,
                                                 const gpool__pipeline_parts *parts,
                                                 gpool_result *result);

/** Compiles a render pipeline for these targets; NULL with the error recorded. */
WGPURenderPipeline gpool__variant_make(gpool *pool, const gpool__pipeline *pipeline,
                                       const gpool__pipeline_parts *parts,
                                       const gpool__targets *targets, gpool_result *result);

/** Index of the variant for these targets, UINT32_MAX when there is none. */
uint32_t gpool__variant_find(const gpool__pipeline *pipeline, const gpool__targets *targets);

/** Appends a variant; false without memory, with the error recorded. */
bool gpool__variant_add(gpool *pool, gpool__pipeline *pipeline, const gpool__targets *targets,
                        WGPURenderPipeline gpu);

/** Targets told by the descriptor alone; false when they depend on the pass. */
bool gpool__pipeline_own_targets(const gpool_render_pipeline_desc *desc, gpool__targets *targets);

/** Records that a pipeline could not be made. */
void gpool__pipeline_tell(gpool *pool, const gpool__pipeline *pipeline, gpool_result result,
                          const char *why);

/** Registers how pipelines are made again. */
void gpool__pipelines_init_rebuild(gpool *pool);

/**
 * Pipeline for a pass's targets, made at first use; NULL with the error recorded.
 */
WGPURenderPipeline gpool__pipeline_variant(gpool *pool, gpool__pipeline *pipeline,
                                           const gpool__targets *targets, gpool_result *result);

/** Checks a render pipeline descriptor's enumerations and counts. */
gpool_result gpool__pipeline_check_desc(gpool *pool, const gpool_render_pipeline_desc *desc);

/** True when an entry point's name may reach a compiler: NULL, or UTF-8. */
bool gpool__pipeline_check_entry(const char *entry);

/** Bytes of a vertex format; 0 for an unknown one. */
uint32_t gpool__vertex_format_bytes(WGPUVertexFormat format);

#endif
