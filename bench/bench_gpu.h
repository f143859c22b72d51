/*
 * The real device that the rows of uploads run on: opened at the first use, for the whole run, on
 * the implementation and adapter that scripts/run-gpu chose (GPOOL_WEBGPU, GPOOL_ADAPTER).
 *
 * Frames are counted here, as bench_gpu_note_frame() and bench_gpu_wait() pace ours and every peer
 * in C alike: the same work-done callback, the same polls and sleeps.
 */
#ifndef GPOOL_BENCH_GPU_H
#define GPOOL_BENCH_GPU_H

#include "bench.h"

#include <gpool/gpool.h>

/* What kind of adapter this is: bars depend on it. */
typedef enum bench_place {
    BENCH_PLACE_LAVAPIPE,
    BENCH_PLACE_SOFTWARE, /* another one, such as SwiftShader */
    BENCH_PLACE_HARDWARE
} bench_place;

typedef struct bench_gpu {
    gpool_device *device;
    const gpool_gpu *table;
    WGPUInstance instance;
    WGPUDevice raw;
    WGPUQueue queue;
    bench_place place;
    bool is_dawn;
    char adapter[128];
    char implementation[64];
    WGPUBuffer read; /* what bench_gpu_read() maps, kept */
    uint64_t read_size;
    uint64_t frames_begun;
    uint64_t frames_done;
} bench_gpu;

/** The device, and its names in the row; NULL, with row->absent set, where there is none. */
bench_gpu *bench_gpu_open(bench_row *row);

/** The adapter that GPOOL_ADAPTER asks for. */
gpool_adapter_choice bench_gpu_adapter(void);

/** Releases the device if it was opened. */
void bench_gpu_close(void);

/** Counts what was submitted last as a frame that is out. */
void bench_gpu_note_frame(bench_gpu *gpu);

/** Waits until at most so many frames are out. */
void bench_gpu_wait(bench_gpu *gpu, uint64_t most);

/** Lets the implementation deliver callbacks. */
void bench_gpu_poll(bench_gpu *gpu);

/** Makes a buffer; ends the program when that fails. */
WGPUBuffer bench_gpu_make_buffer(bench_gpu *gpu, uint64_t size, WGPUBufferUsage usage, bool mapped);

/** Submits a use of a buffer: copies its first four bytes to another. */
void bench_gpu_use(bench_gpu *gpu, WGPUBuffer buffer, WGPUBuffer other);

/** Copies a buffer from the GPU, through one that is mapped; waits for it. */
void bench_gpu_read(bench_gpu *gpu, WGPUBuffer buffer, uint8_t *target, uint64_t size);

#endif
