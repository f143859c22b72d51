/* gpool/stream.h: memory that is written anew in every recording. */
#ifndef GPOOL_STREAM_H
#define GPOOL_STREAM_H

#include <gpool/record.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Bytes that one slice may have, less where the device's maxBufferSize is. */
#define GPOOL_MAX_STREAM_SLICE (UINT64_C(64) << 20)

/** Bytes of stream memory that a pool holds at most, those of gpool_set_uniforms() too. */
#define GPOOL_MAX_STREAM_BYTES (UINT64_C(256) << 20)

/** A piece of stream memory; a value. It ends with the recording it was taken for. */
typedef struct gpool_stream_slice {
    void *data;      /**< `size` bytes of CPU memory, to be filled until the submit */
    uint64_t offset; /**< bytes from the start of the buffer of gpool_stream_buffer() */
    uint64_t size;   /**< bytes asked for */
    uint64_t epoch;  /**< number of the recording, from 1; 0 = no slice */
    uint32_t block;  /**< where it lies, and of which pool; for gpool_stream_buffer() */
} gpool_stream_slice;

/**
 * Takes memory of the open recording: for vertices, indices, uniforms, indirect arguments, or bytes to
 * copy, that change in every frame.
 *
 * Fill `data` until the submit: all commands of the recording see the bytes that are there then. Before
 * that they are of an earlier recording. gpool_submit() and gpool_end_frame() send all slices and
 * uniforms of a recording by one queue write for each block of 256 KiB that is used; larger slices have
 * a block of their own. Then, or when the recording is dropped, the slice is gone: `data` must not be
 * touched any more, and its memory is given out again at once, as queue writes run in order with
 * submits. A submit that is refused before it sent anything keeps the recording and its slices. Blocks
 * that were not used for 60 frames are freed.
 *
 * @param size      bytes, 1 to GPOOL_MAX_STREAM_SLICE; padded to a multiple of 4
 * @param alignment of `offset`: a power of two up to 65536; 0 = what uniform and storage bindings of the
 *                  device need, at most 256. `data` is aligned to it up to 16
 * @param slice     filled in; all zero on an error
 * @return GPOOL_OK; GPOOL_ERROR_WRONG_PHASE (no frame is open); GPOOL_ERROR_OUT_OF_RANGE (size);
 *         GPOOL_ERROR_INVALID_ARGUMENT (alignment, null `slice`); GPOOL_ERROR_BUDGET
 *         (GPOOL_MAX_STREAM_BYTES would be exceeded); GPOOL_ERROR_OUT_OF_MEMORY;
 *         GPOOL_ERROR_OUT_OF_GPU_MEMORY; GPOOL_ERROR_GPU; GPOOL_ERROR_DEVICE_LOST.
 * Thread: owner. Allocates: when a recording takes more than those before it.
 */
GPOOL_API gpool_result gpool_stream_alloc(gpool *pool, uint64_t size, uint64_t alignment,
                                          gpool_stream_slice *slice);

/**
 * Returns the buffer that a slice lies in, for commands of its recording that only read: vertex and
 * index buffers, uniform and read-only storage bindings (give them the slice's size), indirect
 * arguments, the source of copies. The slice begins at its `offset`.
 *
 * The buffer is the pool's own: it is in no scope, counts in no number of resources, and all other
 * functions refuse its handle (GPOOL_ERROR_INVALID_HANDLE). It holds other slices too, and the checks of
 * draws and copies see its end, not the slice's. The handle names the recording as well: a command of a
 * later one skips it with GPOOL_ERROR_STALE_STREAM.
 *
 * @return the handle; null for GPOOL_ERROR_STALE_STREAM (the slice's recording was submitted or dropped);
 *         GPOOL_ERROR_NULL_HANDLE (all zero); GPOOL_ERROR_FOREIGN_HANDLE (of another pool);
 *         GPOOL_ERROR_INVALID_HANDLE (never given out). See gpool_last_error().
 * Thread: owner. Allocates: never.
 */
GPOOL_API gpool_buffer gpool_stream_buffer(gpool *pool, gpool_stream_slice slice);

#ifdef __cplusplus
}
#endif
#endif
