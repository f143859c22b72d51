/* Buffers of a pool on the simulator whose bytes are followed: what the GPU has must be the same. */
#ifndef GPOOL_TESTS_SIM_FOLLOW_H
#define GPOOL_TESTS_SIM_FOLLOW_H

#include "sim_pool.h"

#define FOLLOW_USAGE (GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_READ_BACK)

typedef struct follow {
    gpool_buffer handle;
    uint64_t size;
    uint8_t *bytes; /* size rounded up to 4 */
} follow;

static inline void follow_fill(uint8_t *bytes, size_t size, uint64_t seed)
{
    for (size_t i = 0; i < size; ++i) {
        if (i % 8 == 0) {
            seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        }
        bytes[i] = (uint8_t)(seed >> (24 + i % 8 * 5));
    }
}

static inline follow follow_make(sim_pool *p, uint64_t size, gpool_buffer_usage usage,
                                 uint64_t seed)
{
    follow f = { .size = size, .bytes = calloc(1, (size + 3) & ~UINT64_C(3)) };
    assert_non_null(f.bytes);
    follow_fill(f.bytes, size, seed);
    f.handle = gpool_buffer_create(
        p->pool,
        &(gpool_buffer_desc){ .data = f.bytes, .size = size, .usage = usage, .label = "followed" });
    assert_int_not_equal(f.handle.id, 0);
    return f;
}

/** The GPU object, without a word to the pool. */
static inline WGPUBuffer follow_gpu(sim_pool *p, const follow *f)
{
    gpool_result result;
    const gpool__buffer *buffer =
        (gpool__buffer *)gpool__resolve(p->pool, f->handle.id, GPOOL_KIND_BUFFER, &result);
    assert_non_null(buffer);
    return buffer->gpu;
}

/** What the GPU has must be what was written, with zeros behind an odd end. */
static inline void follow_same(sim_pool *p, const follow *f, const char *when)
{
    size_t size = (size_t)((f->size + 3) & ~UINT64_C(3));
    uint8_t *got = malloc(size);
    assert_non_null(got);
    assert_true(sim_read_buffer(p->s, follow_gpu(p, f), 0, got, size));
    if (memcmp(got, f->bytes, size) != 0) {
        size_t i = 0;
        while (got[i] == f->bytes[i]) {
            i += 1;
        }
        fail_msg("%s: byte %zu of %zu is 0x%02x, expected is 0x%02x", when, i, size, got[i],
                 f->bytes[i]);
    }
    free(got);
}

/** Writes by one of the three calls, in turn. */
static inline void follow_write(sim_pool *p, follow *f, uint64_t offset, uint64_t size,
                                uint64_t seed)
{
    follow_fill(f->bytes + offset, size, seed);
    const uint8_t *data = f->bytes + offset;
    if (seed % 3 == 0 && offset % 5 == 0 && size % 5 == 0) {
        assert_same(gpool_buffer_write_elements(p->pool, f->handle, offset / 5, size / 5, 5, data),
                    GPOOL_OK);
    } else if (seed % 3 == 1 && size > 0) {
        uint8_t *memory = gpool_buffer_edit(p->pool, f->handle, offset, size);
        assert_non_null(memory);
        memcpy(memory, data, size);
    } else {
        assert_same(gpool_buffer_write(p->pool, f->handle, offset, data, size), GPOOL_OK);
    }
}

static inline gpool_upload_info follow_explain(sim_pool *p, const follow *f)
{
    gpool_upload_info info;
    assert_same(gpool_upload_explain(p->pool, f->handle, &info), GPOOL_OK);
    return info;
}

static inline void follow_end(sim_pool *p, follow *f)
{
    assert_same(gpool_buffer_destroy(p->pool, f->handle), GPOOL_OK);
    free(f->bytes);
    *f = (follow){ 0 };
}

#endif
