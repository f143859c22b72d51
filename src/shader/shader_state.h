/*
 * Shader modules and pipelines. Modules are compiled when created; a render pipeline is a template
 * with a variant for each set of target formats and samples it was used with. Modules, layouts and
 * variants are kept by raw references, so that destroying a shader or layout handle leaves the
 * pipelines made from it whole.
 */
#ifndef GPOOL_SHADER_SHADER_STATE_H
#define GPOOL_SHADER_SHADER_STATE_H

#include "pool/pool_state.h"

typedef struct gpool__shader {
    gpool__resource base;
    WGPUShaderModule gpu;
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
    WGPUShaderModule vertex;
    WGPUShaderModule fragment;
    WGPUPipelineLayout layout;
    WGPUBindGroupLayout groups[GPOOL_MAX_GROUPS]; /* NULL = group not used */
    uint64_t group_hashes[GPOOL_MAX_GROUPS];      /* gpool__layout.hash of each */
    uint32_t group_count;
    gpool__vertex_slot slots[GPOOL_MAX_VERTEX_BUFFERS];
    uint32_t slot_count;
    gpool_render_pipeline_desc *desc; /* copy; strings and blend states copied too */
    gpool__variant *variants;
    uint32_t variant_count;
    uint32_t variant_capacity;
} gpool__pipeline;

void gpool__shaders_init(gpool *pool);
void gpool__pipelines_init(gpool *pool);

/** True when WGSL has a @group attribute outside comments. */
bool gpool__wgsl_has_groups(const char *source, size_t size);

/** Why a source must not reach a compiler, or NULL when it may. */
const char *gpool__wgsl_problem(const char *source, size_t size);

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
