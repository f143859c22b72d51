/* What the tests of writes on their way into shadows share. */
#ifndef GPOOL_TESTS_SIM_WRITES_WORLD_H
#define GPOOL_TESTS_SIM_WRITES_WORLD_H

#include "follow.h"

#define SIZE    20000u
#define COPYING (SIM_POOL_COPYABLE | GPOOL_BUFFER_STORAGE)

static inline void open_as(sim_pool *p, uint32_t personality, gpool_upload_way force)
{
    sim_desc desc = { .personality = personality % 2 == 0 ? SIM_WGPU_NATIVE : SIM_DAWN };
    sim_pool_open_upload(p, &desc, &(gpool_upload_desc){ .force = force });
}

static inline uint32_t waiting(const sim_pool *p)
{
    return p->pool->writes.begun - p->pool->writes.made;
}

static inline bool is_enlisted(const sim_pool *p, gpool_buffer handle)
{
    gpool_result result;
    const gpool__buffer *buffer =
        (gpool__buffer *)gpool__resolve(p->pool, handle.id, GPOOL_KIND_BUFFER, &result);
    assert_non_null(buffer);
    return buffer->in_dirty_list;
}

/* A small write, which must wait. */
static inline void write_small(sim_pool *p, follow *f, uint64_t offset, uint64_t size,
                               uint64_t seed)
{
    follow_fill(f->bytes + offset, size, seed);
    assert_same(gpool_buffer_write(p->pool, f->handle, offset, f->bytes + offset, size), GPOOL_OK);
    assert_true(waiting(p) > 0);
}

static inline void read_same(sim_pool *p, const follow *f, const char *when)
{
    uint8_t *got = malloc(f->size);
    assert_non_null(got);
    assert_same(gpool_buffer_read(p->pool, f->handle, 0, got, f->size), GPOOL_OK);
    for (uint64_t i = 0; i < f->size; ++i) {
        if (got[i] != f->bytes[i]) {
            fail_msg("%s: byte %llu is 0x%02x, expected is 0x%02x", when, (unsigned long long)i,
                     got[i], f->bytes[i]);
        }
    }
    free(got);
}

#endif
