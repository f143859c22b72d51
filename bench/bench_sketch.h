/*
 * A scripted sketch on the simulator: buffers, textures, samplers, pipelines and targets that come
 * and go by seeded random numbers, with writes, resizes, uniforms, passes, copies, imports and
 * reads. It keeps what every buffer and picture must hold and compares what it reads.
 */
#ifndef GPOOL_BENCH_SKETCH_H
#define GPOOL_BENCH_SKETCH_H

#include "bench_sim.h"

#define SKETCH_BUFFERS    64u
#define SKETCH_PICTURES   24u
#define SKETCH_MOST_BYTES 2048u
#define SKETCH_MOST_SIDE  12u

typedef struct sketch_buffer {
    gpool_buffer buffer;
    uint64_t size;
    uint8_t bytes[SKETCH_MOST_BYTES]; /* what it must hold */
} sketch_buffer;

typedef struct sketch_picture {
    gpool_texture texture;
    uint32_t width;
    uint32_t height;
    uint32_t texels[SKETCH_MOST_SIDE * SKETCH_MOST_SIDE]; /* packed rows */
} sketch_picture;

typedef struct sketch {
    bench_sim on;
    gpool *pool;
    uint64_t random;
    uint64_t frame;
    gpool_layout layouts[2];     /* for drawing, for computing */
    gpool_pipeline pipelines[3]; /* for the target, for the window, for computing */
    gpool_sampler samplers[2];
    gpool_texture target;
    gpool_texture depth;
    WGPUTexture surface; /* as a window has it; taken in for a frame */
    sketch_buffer buffers[SKETCH_BUFFERS];
    sketch_picture pictures[SKETCH_PICTURES];
    uint64_t errors; /* results that are not GPOOL_OK, handles that are null */
    uint64_t wrong;  /* reads that gave other bytes */
    uint64_t reads;
} sketch;

/* What is alive at one moment. */
typedef struct sketch_sample {
    gpool_stats pool;
    uint64_t live[SIM_KIND_COUNT]; /* on the simulator */
    uint64_t kept[SIM_KIND_COUNT];
    uint64_t gpu_bytes;
    uint64_t process_bytes; /* in memory */
} sketch_sample;

void sketch_open(sketch *s);

/** Destroys all and ends pool and simulator; the row says whether anything is left. */
void sketch_close(sketch *s, bench_row *row);

/** Runs one frame of the script. */
void sketch_run(sketch *s);

/** Makes everything anew as it was at first and runs frames until nothing is retired. */
void sketch_settle(sketch *s);

/** Read one and compare; `wrong` counts. */
void sketch_read_buffer(sketch *s, uint32_t index);
void sketch_read_picture(sketch *s, uint32_t index);

/** Makes the window's picture again: the pool has another device. */
void sketch_renew_surface(sketch *s);

/** Settles the sketch and notes what is alive. */
void sketch_take(sketch *s, sketch_sample *sample);

/** Sets the row's value to the number of sums that differ, with the sums as counters. */
void sketch_compare(const bench_run *run, bench_row *row, const sketch_sample *first,
                    const sketch_sample *last);

#endif
