/*
 * The manifest: what a program compiled in its last runs, in order of first use, as bytes that
 * another run of it compiles ahead.
 *
 * The reader takes bytes of unknown origin. A wrong enumeration value ends the process inside
 * wgpu-native, so what is accepted has passed the checks that descriptors pass; anything else is no
 * manifest at all. Nothing is allocated but four bytes a record, of which there are no more than the
 * bytes have room for.
 *
 * Format, numbers little-endian and of 32 bits unless said:
 *   "gpmanif\n", GPOOL__MANIFEST_VERSION, number of the run, counts of modules, layouts and pipelines
 *   module:   last run, uses, bytes of the label, bytes of the text; label, text
 *   layout:   count of entries; entries
 *   pipeline: last run, uses, index of the module of the vertex or compute stage, index + 1 of the
 *             fragment's, count of groups, index + 1 of each one's layout; bytes of the label, label;
 *             recipe; bytes of both entry point names; those
 * Labels and names end with a zero byte, which counts; a name left out has 0 bytes. "Last run" is the
 * number of the run that used it last. Equal manifests are equal bytes.
 */
#ifndef GPOOL_SHADER_MANIFEST_H
#define GPOOL_SHADER_MANIFEST_H

#include "shader/shader_state.h"

#define GPOOL__MANIFEST_MAGIC   "gpmanif\n"
#define GPOOL__MANIFEST_VERSION 1u

/* Of modules, and of pipelines. */
#define GPOOL__MANIFEST_COUNT   4096u
#define GPOOL__MANIFEST_LAYOUTS (GPOOL__MANIFEST_COUNT * GPOOL_MAX_GROUPS)
/* So that the file of a store with default limits holds it, with its key. */
#define GPOOL__MANIFEST_BYTES (((size_t)16 << 20) - ((size_t)64 << 10))
/* Runs that an entry is kept without being used. */
#define GPOOL__MANIFEST_RUNS 8u
/* Bytes of an entry of a layout. */
#define GPOOL__MANIFEST_ENTRY 48u
/* Bytes of a label with its zero byte; longer ones are cut. */
#define GPOOL__MANIFEST_LABEL 256u

/* What the device that reads it allows. */
typedef struct gpool__manifest_rules {
    uint32_t groups;
    uint32_t bindings;
    uint64_t buffer_size;
    bool no_bgra;     /* as gpool__recipe_is_good() */
    uint64_t no_hash; /* bits of hashes that are left out: tests make all collide */
} gpool__manifest_rules;

/* A manifest that was read; all zero is one of nothing. */
typedef struct gpool__manifest {
    const uint8_t *bytes; /* not copied */
    size_t size;
    uint32_t run;
    uint32_t module_count;
    uint32_t layout_count;
    uint32_t pipeline_count;
    uint32_t *places; /* of the records: modules, layouts, pipelines */
} gpool__manifest;

typedef struct gpool__manifest_module {
    uint32_t last_run;
    uint32_t uses; /* how often it was asked for, in all runs */
    const char *label;
    const char *text; /* no zero byte */
    size_t size;
} gpool__manifest_module;

#define GPOOL__MANIFEST_NONE UINT32_MAX

typedef struct gpool__manifest_pipeline {
    uint32_t last_run;
    uint32_t uses;
    uint32_t vertex;                   /* index of the module; or of the compute stage */
    uint32_t fragment;                 /* GPOOL__MANIFEST_NONE = no fragment stage */
    uint32_t groups[GPOOL_MAX_GROUPS]; /* indexes of layouts; GPOOL__MANIFEST_NONE = not used */
    const char *label;
    const char *vertex_entry;   /* NULL = the module's only one */
    const char *fragment_entry; /* */
    gpool__recipe recipe;       /* all but modules, groups and sizes of names */
    gpool_attribute attributes[GPOOL__RECIPE_ATTRIBUTES];
} gpool__manifest_pipeline;

/**
 * Reads a manifest, which must outlive it.
 *
 * @return GPOOL_OK, GPOOL_NOT_FOUND (it is none) or GPOOL_ERROR_OUT_OF_MEMORY. After an error it is
 *         one of nothing.
 */
gpool_result gpool__manifest_init(gpool__manifest *manifest, gpool__memory *memory,
                                  const void *bytes, size_t size,
                                  const gpool__manifest_rules *rules);
void gpool__manifest_fini(gpool__manifest *manifest, gpool__memory *memory);

/** Counts of a manifest that was built. */
void gpool__manifest_counts(const uint8_t *bytes, uint32_t *modules, uint32_t *pipelines);

/** Records by index. Strings point into the manifest. */
void gpool__manifest_get_module(const gpool__manifest *manifest, uint32_t index,
                                gpool__manifest_module *module);
uint32_t gpool__manifest_get_layout(const gpool__manifest *manifest, uint32_t index,
                                    gpool_layout_entry entries[GPOOL_MAX_BINDINGS]);
void gpool__manifest_get_pipeline(const gpool__manifest *manifest, uint32_t index,
                                  gpool__manifest_pipeline *pipeline);

/* What a run used: a module or a program. */
typedef struct gpool__manifest_use {
    const gpool__module *module;
    const gpool__program *program; /* NULL = `module` */
    uint64_t order;                /* of first use */
    uint32_t uses;                 /* that no manifest has yet */
} gpool__manifest_use;

/**
 * Writes the manifest of what run `run` used, in the order given, and behind it the rest of `old`.
 *
 * @param old  what is to be kept of earlier runs, and its `run` is not over `run`
 * @param size set to the bytes; `*bytes` is freed by gpool__free() with `*capacity`
 * @return GPOOL_OK or GPOOL_ERROR_OUT_OF_MEMORY.
 */
gpool_result gpool__manifest_build(gpool__memory *memory, const gpool__manifest_use *uses,
                                   uint32_t count, const gpool__manifest *old, uint32_t run,
                                   const gpool__manifest_rules *rules, uint8_t **bytes,
                                   size_t *size, uint32_t *capacity);

/* A cursor over bytes that are read, or written: so that each field has one place in the code. */
typedef struct gpool__manifest_io {
    const uint8_t *from; /* NULL = written */
    size_t at;
    size_t size; /* of `from` */
    gpool__memory *memory;
    uint8_t *to;
    uint32_t capacity;
    bool good; /* false: at the end of `from`, out of a bound, or no memory */
} gpool__manifest_io;

void gpool__manifest_number(gpool__manifest_io *io, uint32_t *value);
void gpool__manifest_entry(gpool__manifest_io *io, gpool_layout_entry *entry);
void gpool__manifest_recipe(gpool__manifest_io *io, gpool__recipe *recipe,
                            gpool_attribute attributes[GPOOL__RECIPE_ATTRIBUTES]);
void gpool__manifest_write(gpool__manifest_io *io, const void *bytes, size_t size);

/** True for an entry as layouts resolve them, within the rules. */
bool gpool__manifest_entry_is_good(const gpool_layout_entry *entry,
                                   const gpool__manifest_rules *rules);

#endif
