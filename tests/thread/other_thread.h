/* Running something on another thread. What runs there must not assert: it returns what it saw. */
#ifndef GPOOL_TESTS_OTHER_THREAD_H
#define GPOOL_TESTS_OTHER_THREAD_H

#include "sim_pool.h"

#include <stdatomic.h>

/** Runs a function on another thread and waits for it. */
static inline void on_other_thread(void *(*run)(void *), void *user)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run, user), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
}

/** What a call to be made elsewhere takes, and what it gave. */
typedef struct other_call {
    gpool *pool;
    uint64_t id;
    gpool_result (*call)(gpool *pool, uint64_t id);
    gpool_result result;
} other_call;

static inline void *other_call_run(void *user)
{
    other_call *c = user;
    c->result = c->call(c->pool, c->id);
    return NULL;
}

/** Makes a call on another thread. */
static inline gpool_result other_result(gpool *pool, gpool_result (*call)(gpool *, uint64_t),
                                        uint64_t id)
{
    other_call c = { .pool = pool, .id = id, .call = call, .result = GPOOL_RESULT_COUNT };
    on_other_thread(other_call_run, &c);
    return c.result;
}

static inline gpool_result call_buffer_destroy(gpool *pool, uint64_t id)
{
    return gpool_buffer_destroy(pool, (gpool_buffer){ id });
}

static inline gpool_result call_texture_destroy(gpool *pool, uint64_t id)
{
    return gpool_texture_destroy(pool, (gpool_texture){ id });
}

static inline gpool_result call_sampler_destroy(gpool *pool, uint64_t id)
{
    return gpool_sampler_destroy(pool, (gpool_sampler){ id });
}

static inline gpool_result call_layout_destroy(gpool *pool, uint64_t id)
{
    return gpool_layout_destroy(pool, (gpool_layout){ id });
}

static inline gpool_result call_shader_destroy(gpool *pool, uint64_t id)
{
    return gpool_shader_destroy(pool, (gpool_shader){ id });
}

static inline gpool_result call_pipeline_destroy(gpool *pool, uint64_t id)
{
    return gpool_pipeline_destroy(pool, (gpool_pipeline){ id });
}

static inline gpool_result call_ticket_destroy(gpool *pool, uint64_t id)
{
    return gpool_ticket_destroy(pool, (gpool_ticket){ id });
}

static inline gpool_result call_heap_destroy(gpool *pool, uint64_t id)
{
    return gpool_heap_destroy(pool, (gpool_heap){ id });
}

static inline gpool_result call_mesh_destroy(gpool *pool, uint64_t id)
{
    return gpool_mesh_destroy(pool, (gpool_mesh){ id });
}

static inline gpool_result call_scope_end(gpool *pool, uint64_t id)
{
    return gpool_scope_end(pool, (gpool_scope){ id });
}

#endif
