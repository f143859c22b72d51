/* Random values and handles for gpu_fuzz_calls.c, and its recorder calls. */
#ifndef GPOOL_TESTS_GPU_FUZZ_CALLS_H
#define GPOOL_TESTS_GPU_FUZZ_CALLS_H

#include "gpu/hostile.h"

#define FUZZ_KEPT  24
#define FUZZ_BYTES 8192

/** What the run knows. */
typedef struct fuzz_state {
    gpool *pool;
    gpool *other;         /**< foreign handles come from here */
    gpool_texture target; /**< good ones: a target */
    gpool_pipeline fill;  /**< and a pipeline that draws */
    uint64_t seed;
    uint64_t ids[GPOOL_KIND_COUNT][FUZZ_KEPT]; /**< handles given out, alive or not */
    gpool_recorder rec;
    gpool_recorder old;
    uint8_t bytes[FUZZ_BYTES];
} fuzz_state;

extern fuzz_state fuzz;

/** A number below. */
uint32_t fuzz_pick(uint32_t below);

/** A size or offset, often on an edge. */
uint64_t fuzz_size(void);

/** A size of memory that is really there. */
uint64_t fuzz_real_size(void);

/** A value of an enumeration, now and then one it does not have. */
uint32_t fuzz_enum(uint32_t last);

/** A handle of a kind: mostly one given out, now and then anything. */
uint64_t fuzz_id(gpool_kind kind);

/** Remembers a handle in the place of another. */
void fuzz_keep(gpool_kind kind, uint64_t id);

/** Formats, regions and views, mostly possible ones. */
WGPUTextureFormat fuzz_format(void);
gpool_texture_region fuzz_region(void);
gpool_view_desc fuzz_view(void);

/** Destroys one resource. */
void fuzz_destroy_some(void);

/** One recorder call, or with `all` a whole pass. */
void fuzz_record_pass(gpool_recorder rec);
void fuzz_record_bind(gpool_recorder rec);
void fuzz_record_state(gpool_recorder rec);
void fuzz_record_copy(gpool_recorder rec);
void fuzz_record_read(gpool_recorder rec);
void fuzz_record_all(gpool_recorder rec);

#define BUFFER   ((gpool_buffer){ fuzz_id(GPOOL_KIND_BUFFER) })
#define TEXTURE  ((gpool_texture){ fuzz_id(GPOOL_KIND_TEXTURE) })
#define SAMPLER  ((gpool_sampler){ fuzz_id(GPOOL_KIND_SAMPLER) })
#define LAYOUT   ((gpool_layout){ fuzz_id(GPOOL_KIND_LAYOUT) })
#define SHADER   ((gpool_shader){ fuzz_id(GPOOL_KIND_SHADER) })
#define PIPELINE ((gpool_pipeline){ fuzz_id(GPOOL_KIND_PIPELINE) })
#define SCOPE    ((gpool_scope){ fuzz_id(GPOOL_KIND_SCOPE) })
#define TICKET   ((gpool_ticket){ fuzz_id(GPOOL_KIND_TICKET) })

/** Makes, changes, moves and ends heaps and meshes. */
void fuzz_use_heap(void);

/** Draws meshes. */
void fuzz_record_mesh(gpool_recorder rec);

#endif
