/*
 * The parts of the upload rows: a load (what each frame writes), and sides (ours and the peers: ways
 * to bring a load to the GPU, each with a buffer of its own).
 *
 * A frame of any side is: all writes of the user, whatever brings them to the GPU, and one copy of
 * four bytes out of the buffer, as a frame always has commands that use what was written (and Dawn
 * sends nothing of an empty submit). Before a frame the bench waits until at most one other is out.
 * Buffers begin as zeros.
 *
 * Dawn copies straight into a buffer that the CPU can see when it finds it idle, and a frame of a
 * software driver may be over before the next begins, or not. UPLOAD_BUSY makes sure that it is not.
 */
#ifndef GPOOL_BENCH_UPLOAD_H
#define GPOOL_BENCH_UPLOAD_H

#include "bench_gpu.h"

/* Frames write to these many sets of places in turn. */
#define UPLOAD_SETS  4u
#define UPLOAD_USAGE (WGPUBufferUsage_Storage | WGPUBufferUsage_CopyDst | WGPUBufferUsage_CopySrc)

/* Where the elements of a frame lie. */
typedef enum upload_pattern {
    UPLOAD_SCATTERED, /* random elements in random order */
    UPLOAD_CLUSTERED, /* random runs of 16 elements */
    UPLOAD_SEQUENTIAL /* one run from a random element */
} upload_pattern;

/* What the GPU does when a frame's writes begin. */
typedef enum upload_pace {
    UPLOAD_IN_FLIGHT, /* at most one frame is out */
    UPLOAD_BUSY,      /* the same, and another use of the buffer, submitted after the last poll that
                         could tell that it is done */
    UPLOAD_IDLE       /* nothing */
} upload_pace;

typedef struct upload_load {
    uint64_t buffer_size;
    uint32_t count;    /* writes of a frame, to different elements */
    uint32_t size;     /* bytes of a write, a multiple of 4 */
    uint64_t *offsets; /* UPLOAD_SETS times count */
    uint32_t *indices; /* the same as elements */
    uint8_t *data;     /* of a frame's writes, one after the other, and some more */
    upload_pace pace;  /* of sides that are opened with it */
    bool made; /* a frame's bytes are made in it, at the cost of a copy, wherever the side likes */
} upload_load;

/* What one frame writes. */
typedef struct upload_writes {
    const uint64_t *offsets;
    const uint32_t *indices; /* offsets as multiples of `size` */
    const uint8_t *data;
    uint32_t count;
    uint32_t size;
    uint64_t buffer_size;
} upload_writes;

/* One way to bring writes to the GPU. */
typedef struct upload_side {
    const char *name;
    const char *total_name; /* of its counters */
    const char *cpu_name;
    const char *calls_name; /* NULL: calls are not counted */
    void *state;
    void (*frame)(void *state, const upload_writes *writes);
    void (*wait)(void *state, uint64_t most); /* until at most so many frames are out */
    void (*read)(void *state, uint8_t *target);
    uint64_t (*calls)(void *state); /* into webgpu.h by frames so far */
    void (*close)(void *state);
    uint64_t most;   /* frames that may be out when another begins */
    uint64_t frames; /* since it was opened */
} upload_side;

/* The peers in C, through the raw function table. */
typedef enum upload_peer_kind {
    UPLOAD_PEER_QUEUE,  /* a queue write each */
    UPLOAD_PEER_COPIES, /* a ring of mapped staging buffers, a copy each */
    UPLOAD_PEER_WHOLE,  /* a shadow, one queue write of all of it */
    UPLOAD_PEER_SPAN,   /* a shadow, one queue write from the lowest to the highest byte */
    UPLOAD_PEER_COUNT
} upload_peer_kind;

/** Makes a load; the same each time. */
void upload_load_init(upload_load *load, uint64_t buffer_size, uint32_t count, uint32_t size,
                      upload_pattern pattern);
void upload_load_fini(upload_load *load);

/** What the frame of this number writes. */
upload_writes upload_load_frame(const upload_load *load, uint64_t frame);

/** Opens gpool with a strategy: gpool_buffer_write_scattered() for all writes of a frame, or, where the
 * frame makes the bytes, gpool_buffer_edit(). */
void upload_open_ours(upload_side *side, bench_gpu *gpu, const upload_load *load,
                      gpool_upload_way way);

/** The same with a gpool_buffer_write() each, of data that lies elsewhere. */
void upload_open_ours_each(upload_side *side, bench_gpu *gpu, const upload_load *load);

void upload_open_peer(upload_side *side, bench_gpu *gpu, const upload_load *load,
                      upload_peer_kind kind);

/** Opens the crate wgpu's StagingBelt; false where it is not built. */
bool upload_open_belt(upload_side *side, bench_gpu *gpu, const upload_load *load);

/** Ends a side; may be called once on any that was opened. */
void upload_close(upload_side *side);

/** Runs the next frame of a side; returns its CPU nanoseconds, waiting left out. */
uint64_t upload_frame(upload_side *side, const upload_load *load);

/** Waits, reads the buffer back and ends the program unless all frames so far are in it. */
void upload_verify(upload_side *side, const upload_load *load);

#endif
