/* A pool on the simulator, with a log that any thread may write, for tests of lifetimes. */
#ifndef GPOOL_TESTS_SIM_POOL_H
#define GPOOL_TESTS_SIM_POOL_H

#include "unit.h"

#include "sim.h"

#include "pool/pool_state.h"

#include <gpool/gpool.h>

#include <pthread.h>

#define SIM_POOL_COPYABLE                                                                          \
    (GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_READ_BACK)

typedef struct sim_pool {
    sim *s;
    gpool_gpu table;
    gpool_device *device;
    gpool *pool;
    pthread_mutex_t log_lock;
    uint32_t counts[GPOOL_LOG_COUNT]; /* records by id */
    char text[GPOOL_LOG_COUNT][1024]; /* newest message by id: for labels and numbers only */
    unit_allocator allocator;
} sim_pool;

static inline void sim_pool_on_log(void *user, const gpool_log_record *record)
{
    sim_pool *p = user;
    (void)pthread_mutex_lock(&p->log_lock);
    p->counts[record->id] += 1;
    (void)snprintf(p->text[record->id], sizeof p->text[0], "%s", record->message);
    (void)pthread_mutex_unlock(&p->log_lock);
}

/** Nothing is recycled unless the test asks for it: then what is freed is gone, and can be counted. */
static inline void sim_pool_open_with(sim_pool *p, const sim_desc *desc,
                                      const gpool_upload_desc *upload, gpool_recycle_desc recycle)
{
    *p = (sim_pool){ .s = sim_create(desc), .log_lock = PTHREAD_MUTEX_INITIALIZER };
    assert_non_null(p->s);
    sim_table(p->s, &p->table);
    gpool_device_desc device = { .gpu = &p->table, .log = sim_pool_on_log, .log_user = p };
    assert_same(gpool_device_open(&device, &p->device), GPOOL_OK);
    gpool_desc pool = { .compile_workers = GPOOL_WORKERS_NONE,
                        .label = "tested",
                        .wait_timeout_ms = 2000,
                        .upload = *upload,
                        .recycle = recycle,
                        .log = sim_pool_on_log,
                        .log_user = p,
                        .allocator = unit_hooks(&p->allocator) };
    assert_same(gpool_create(p->device, &pool, &p->pool), GPOOL_OK);
}

static inline void sim_pool_open_upload(sim_pool *p, const sim_desc *desc,
                                        const gpool_upload_desc *upload)
{
    sim_pool_open_with(p, desc, upload, (gpool_recycle_desc){ .off = true });
}

static inline void sim_pool_open(sim_pool *p, const sim_desc *desc)
{
    sim_pool_open_with(p, desc, &(gpool_upload_desc){ 0 }, (gpool_recycle_desc){ .off = true });
}

/** Takes the number of records of an id. */
static inline uint32_t sim_pool_taken(sim_pool *p, gpool_log_id id)
{
    (void)pthread_mutex_lock(&p->log_lock);
    uint32_t count = p->counts[id];
    p->counts[id] = 0;
    (void)pthread_mutex_unlock(&p->log_lock);
    return count;
}

/** Ends pool and device; nothing may be left. Leaks are told by `leaks` records. */
static inline void sim_pool_close(sim_pool *p, uint32_t leaks)
{
    assert_true(gpool__pool_validate(p->pool));
    gpool_destroy(p->pool);
    assert_int_equal(sim_pool_taken(p, GPOOL_LOG_LEAK), leaks);
    gpool_device_release(p->device);
    sim_drain(p->s);
    if (sim_fatal_count(p->s) > 0) {
        fail_msg("fatal: %s", sim_fatal_message(p->s, 0));
    }
    assert_int_equal(sim_live(p->s, SIM_KIND_NONE), 0);
    assert_int_equal(sim_kept(p->s, SIM_KIND_NONE), 0);
    assert_int_equal(p->allocator.blocks, 0);
    assert_int_equal(p->allocator.wrong_sizes, 0);
    sim_destroy(p->s);
}

static inline gpool_stats sim_pool_stats(const sim_pool *p)
{
    gpool_stats stats;
    assert_same(gpool_get_stats(p->pool, &stats), GPOOL_OK);
    return stats;
}

static inline void sim_pool_frame(sim_pool *p)
{
    assert_same(gpool_begin_frame(p->pool), GPOOL_OK);
    assert_same(gpool_end_frame(p->pool), GPOOL_OK);
}

static inline gpool_scope sim_pool_scope(sim_pool *p, gpool_scope parent, const char *label)
{
    gpool_scope scope =
        gpool_scope_create(p->pool, &(gpool_scope_desc){ .parent = parent, .label = label });
    assert_int_not_equal(scope.id, 0);
    return scope;
}

static inline gpool_buffer sim_pool_buffer(sim_pool *p, gpool_scope scope, uint64_t size,
                                           const char *label)
{
    gpool_buffer buffer = gpool_buffer_create(
        p->pool, &(gpool_buffer_desc){
                     .size = size, .usage = SIM_POOL_COPYABLE, .label = label, .scope = scope });
    assert_int_not_equal(buffer.id, 0);
    return buffer;
}

static inline gpool_scope_info sim_pool_info(sim_pool *p, gpool_scope scope)
{
    gpool_scope_info info;
    assert_same(gpool_scope_get_info(p->pool, scope, &info), GPOOL_OK);
    return info;
}

/** True while a buffer's handle is alive; what it logs is forgotten. */
static inline bool sim_pool_is_alive(sim_pool *p, gpool_buffer buffer)
{
    gpool_buffer_info info;
    gpool_result result = gpool_buffer_get_info(p->pool, buffer, &info);
    if (result != GPOOL_OK) {
        assert_same(result, GPOOL_ERROR_STALE_HANDLE);
        (void)sim_pool_taken(p, GPOOL_LOG_HANDLE_STALE);
    }
    return result == GPOOL_OK;
}

#endif
