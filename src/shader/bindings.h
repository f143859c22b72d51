/*
 * The binding scan: what WGSL binds, read from its text. It gives the resource variables of a module,
 * its entry points, what each of them uses through the functions it calls, and from that the group
 * layouts of a pipeline, so that nobody writes them by hand and equal ones are shared.
 *
 * It is no compiler. A source that compiles gives what the compiler would; one that does not gives
 * something bounded that the compiler then refuses. What it cannot tell (names of texture kinds it does
 * not know, numbers that are not integer constants) is kept as a sentence, and is an error only for a
 * pipeline that uses that variable without an explicit layout.
 *
 * Rules of the layouts:
 * - Entries are the variables that the pipeline's own entry points use, and no others: who binds a
 *   group binds what the shader reads. Pipelines that use the same variables get equal entries, which
 *   gpool_layout_create() makes one object.
 * - Stages are all that may see an entry (vertex only what is not written), not those that use it, so
 *   that a pipeline for shadows and one for color share groups. Where that would go over a limit per
 *   stage, entries of that kind are seen by the stages that use them.
 * - Uniform buffers have dynamic offsets up to the device's limit, by pipeline: first the groups that
 *   hold nothing but one at binding 0, which are thereby exactly gpool_uniform_layout(); then in order
 *   of group and binding.
 * - A float texture that no function within reach of the entry points samples is unfilterable;
 *   multisampled ones always are. In doubt it is sampled.
 * - Identifiers count where they stand in a function, also in branches never taken, unless a local of
 *   that name hides the variable.
 *
 * Linear in the source, in time and memory; no recursion over it. One thread at a time makes a scan; a
 * made one is only read, by any number of threads.
 */
#ifndef GPOOL_SHADER_BINDINGS_H
#define GPOOL_SHADER_BINDINGS_H

#include "base/memory.h"

#include <gpool/pipeline.h>

/* A group or binding that is no integer constant. */
#define GPOOL__NO_NUMBER UINT32_MAX

/* A module-scope variable with @group and @binding. */
typedef struct gpool__binding_var {
    uint32_t name_at;         /* byte of its name in the source */
    uint32_t name_size;       /* bytes */
    uint32_t line;            /* of its name, from 1 */
    uint32_t group;           /* or GPOOL__NO_NUMBER */
    const char *unclear;      /* why an explicit layout is needed; NULL = it is not */
    gpool_layout_entry entry; /* stages 0, no dynamic offset; sample type of one never sampled */
} gpool__binding_var;

/* One use of a variable in a function. */
typedef struct gpool__binding_use {
    uint32_t var;
    bool sampled;    /* textures: by a sampler, or in doubt */
    bool unfiltered; /* samplers: with a texture that is not Float */
} gpool__binding_use;

/* What a function uses, and whom it calls: ranges of `uses` and `calls`. */
typedef struct gpool__binding_fn {
    uint32_t first_use;
    uint32_t use_count;
    uint32_t first_call;
    uint32_t call_count;
} gpool__binding_fn;

/* An entry point. */
typedef struct gpool__binding_entry {
    uint32_t name_at;
    uint32_t name_size;
    uint32_t fn;
    WGPUShaderStage stage;
    uint32_t workgroup[3]; /* compute; 0 = not an integer constant */
} gpool__binding_entry;

/* A scan; all zero is one of a source with nothing in it. */
typedef struct gpool__bindings {
    const char *source; /* not copied */
    uint32_t size;
    gpool__binding_var *vars; /* in the order of the source */
    uint32_t var_count;
    uint32_t var_capacity;
    gpool__binding_entry *entries; /* in the order of the source */
    uint32_t entry_count;
    uint32_t entry_capacity;
    gpool__binding_fn *fns;
    uint32_t fn_count;
    uint32_t fn_capacity;
    gpool__binding_use *uses;
    uint32_t use_count;
    uint32_t use_capacity;
    uint32_t *calls; /* functions */
    uint32_t call_count;
    uint32_t call_capacity;
} gpool__bindings;

/**
 * Scans a source, which must outlive the scan.
 *
 * @return GPOOL_OK; GPOOL_ERROR_OUT_OF_MEMORY; GPOOL_ERROR_LIMIT for 2 GiB and more. After an error
 *         the scan is empty.
 */
gpool_result gpool__bindings_init(gpool__bindings *scan, gpool__memory *memory, const char *source,
                                  size_t size);
void gpool__bindings_fini(gpool__bindings *scan, gpool__memory *memory);

/** The variable of that name; NULL when there is none. Cost: linear in the variables. */
const gpool__binding_var *gpool__bindings_find(const gpool__bindings *scan, const char *name);

/**
 * The entry point of a stage: of that name, or the only one where `name` is NULL. NULL when there is
 * none, or no only one. Cost: linear in the entry points.
 */
const gpool__binding_entry *gpool__bindings_entry(const gpool__bindings *scan,
                                                  WGPUShaderStage stage, const char *name);

/* One stage of a pipeline. */
typedef struct gpool__bindings_stage {
    const gpool__bindings *scan;
    const char *entry; /* NULL = the only one of the stage */
    WGPUShaderStage stage;
} gpool__bindings_stage;

/* The layouts of a pipeline, by group. */
typedef struct gpool__bindings_groups {
    uint32_t group_count; /* to the last that is not empty */
    uint32_t counts[GPOOL_MAX_GROUPS];
    /* As gpool_layout_create() resolves them, by binding. */
    gpool_layout_entry entries[GPOOL_MAX_GROUPS][GPOOL_MAX_BINDINGS];
} gpool__bindings_groups;

/* Why there are no layouts. */
typedef struct gpool__bindings_error {
    char message[384]; /* a sentence; "" = none */
    uint32_t stage;    /* index of the stage it is about */
    uint32_t at;       /* byte in its source; 0 = of no place */
} gpool__bindings_error;

/**
 * Makes the layouts of a pipeline of one or two stages by the rules above.
 *
 * @return GPOOL_OK; GPOOL_ERROR_INVALID_ARGUMENT: no such entry point, what an entry point uses is not
 *         clear or contradicts itself or another stage, or is written by a vertex stage;
 *         GPOOL_ERROR_LIMIT: group, binding or their numbers; GPOOL_ERROR_UNSUPPORTED: a sampler that
 *         must not filter; GPOOL_ERROR_OUT_OF_MEMORY. Then `groups` is empty.
 * Allocates: for its own time. Cost: linear in functions, calls and uses of the scans.
 */
gpool_result gpool__bindings_layouts(gpool__memory *memory, const gpool__bindings_stage *stages,
                                     uint32_t stage_count, const WGPULimits *limits,
                                     gpool__bindings_groups *groups, gpool__bindings_error *error);

#endif
