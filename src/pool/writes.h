/*
 * Small writes on their way into shadows; see buffer_write.c.
 */
#ifndef GPOOL_POOL_WRITES_H
#define GPOOL_POOL_WRITES_H

#include <gpool/buffer.h>

/* Bytes of a small write: it is compared with the shadow first, and may wait. */
#define GPOOL__SMALL_WRITE 256u
/* How many wait: memory answers while so many others come. A power of two. */
#define GPOOL__WRITES 32u

struct gpool__buffer;

typedef struct gpool__write {
    struct gpool__buffer *buffer;
    uint64_t offset;
    uint64_t size;
} gpool__write;

/* Between calls of the pool they name buffers with shadows: none is freed but by a call. */
typedef struct gpool__writes {
    uint32_t begun; /* count, modulo 2^32 */
    uint32_t made;
    gpool__write waiting[GPOOL__WRITES];
    uint8_t data[GPOOL__WRITES][GPOOL__SMALL_WRITE];
} gpool__writes;

/** Makes all that wait. Every call that begins does; who lets the user's code run in a call must. */
void gpool__writes_finish(gpool *pool);

/** The whole of gpool_buffer_write(). */
gpool_result gpool__buffer_write(gpool *pool, gpool_buffer handle, uint64_t offset,
                                 const void *data, uint64_t size);

/** The same for a good buffer, the pool's own too. */
gpool_result gpool__buffer_write_to(gpool *pool, struct gpool__buffer *buffer, uint64_t offset,
                                    const void *data, uint64_t size);

/** Checks a range of a live buffer. */
gpool_result gpool__buffer_check_range(gpool *pool, const struct gpool__buffer *buffer,
                                       uint64_t offset, uint64_t size);

/** Sends bytes straight to the queue; for gpu-written buffers and first data of them. */
gpool_result gpool__buffer_send(gpool *pool, struct gpool__buffer *buffer, uint64_t offset,
                                const void *data, uint64_t size);

#endif
