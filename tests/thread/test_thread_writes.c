/*
 * Small writes wait in a short queue, and nobody can tell: every public function of the owner makes
 * them first, those that only look tell the same before and after, and a pool that changes hands or a
 * buffer that another thread destroys meanwhile loses none.
 */
#include "owner_calls.h"

#define BUFFER_SIZE 4096u
#define RAW_USAGE   (GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_READ_BACK | GPOOL_BUFFER_COPY_SOURCE)

static uint32_t waiting(const gpool *pool)
{
    return pool->writes.begun - pool->writes.made;
}

static gpool_buffer shadowed(sim_pool *p)
{
    gpool_buffer buffer = gpool_buffer_create(
        p->pool, &(gpool_buffer_desc){ .size = BUFFER_SIZE, .usage = RAW_USAGE, .label = "sent" });
    assert_int_not_equal(buffer.id, 0);
    return buffer;
}

/* Ends a world that a call has left in any state. */
static void world_drop(world *w)
{
    gpool_destroy(w->pool);
    gpool_device_release(w->p.device);
    sim_drain(w->p.s);
    assert_int_equal(w->p.allocator.blocks, 0);
    sim_destroy(w->p.s);
}

static void every_function_of_the_owner_makes_the_writes_that_wait(void **state)
{
    (void)state;
    for (size_t i = 0; i < CALLS; ++i) {
        if (!owner_calls[i].told || strcmp(owner_calls[i].name, "gpool_destroy") == 0) {
            continue;
        }
        world w;
        world_open(&w, &(sim_desc){ .quiet = true }); /* one encoder among the calls is none */
        gpool_buffer buffer = shadowed(&w.p);
        sim_pool_frame(&w.p);
        assert_same(gpool_buffer_write(w.pool, buffer, 100, "waits", 5), GPOOL_OK);
        assert_int_equal(waiting(w.pool), 1);
        bool own = strncmp(owner_calls[i].name, "gpool_buffer_write", 18) == 0 &&
                   strcmp(owner_calls[i].name, "gpool_buffer_write_scattered") != 0;
        (void)owner_calls[i].call(&w);
        /* A write may have put another one behind it. */
        if (waiting(w.pool) > (own ? 2u : 0u)) {
            fail_msg("%s leaves %u writes", owner_calls[i].name, waiting(w.pool));
        }
        world_drop(&w);
    }
}

/* Those that look enter no call. What they tell is so before the writes are made, too. */
static void functions_that_look_tell_the_same_before_and_after(void **state)
{
    (void)state;
    world w;
    world_open(&w, NULL);
    gpool_buffer buffer = shadowed(&w.p);
    sim_pool_frame(&w.p);
    gpool_stats before = sim_pool_stats(&w.p);
    for (uint32_t i = 0; i < 20; ++i) {
        assert_same(gpool_buffer_write(w.pool, buffer, 64 * i, "waits", 5), GPOOL_OK);
    }
    for (size_t i = 0; i < CALLS; ++i) {
        if (!owner_calls[i].told) {
            (void)owner_calls[i].call(&w);
        }
    }
    assert_int_equal(waiting(w.pool), 20);
    gpool_stats waits = sim_pool_stats(&w.p);
    assert_int_equal(waits.written_bytes, before.written_bytes + 100);
    gpool__writes_finish(w.pool);
    gpool_stats after = sim_pool_stats(&w.p);
    assert_memory_equal(&waits, &after, sizeof after);
    assert_same(gpool_buffer_destroy(w.pool, buffer), GPOOL_OK);
    world_close(&w);
}

/* --- other threads --- */

typedef struct heir {
    sim_pool *p;
    gpool_buffer buffer;
    uint8_t got[5];
    gpool_result results[3];
} heir;

static void *inherit(void *user)
{
    heir *h = user;
    h->results[0] = gpool_own(h->p->pool);
    h->results[1] = gpool_buffer_write(h->p->pool, h->buffer, 102, "IS", 2);
    h->results[2] = gpool_buffer_read(h->p->pool, h->buffer, 100, h->got, 5);
    return NULL;
}

static void the_next_owner_finds_what_waited(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    heir h = { .p = &p, .buffer = shadowed(&p) };
    assert_same(gpool_buffer_write(p.pool, h.buffer, 100, "waits", 5), GPOOL_OK);
    assert_int_equal(waiting(p.pool), 1);
    on_other_thread(inherit, &h);
    for (size_t i = 0; i < UNIT_COUNT(h.results); ++i) {
        assert_same(h.results[i], GPOOL_OK);
    }
    assert_memory_equal(h.got, "waISs", 5);
    assert_same(gpool_own(p.pool), GPOOL_OK);
    assert_same(gpool_buffer_destroy(p.pool, h.buffer), GPOOL_OK);
    sim_pool_close(&p, 0);
}

/* The handle dies at once; what was written before still reaches who may read it. */
static void a_buffer_destroyed_by_another_thread_gets_what_waited(void **state)
{
    (void)state;
    for (int end = 0; end < 4; ++end) {
        sim_pool p;
        sim_pool_open(&p, &(sim_desc){ .personality = end % 2 == 0 ? SIM_WGPU_NATIVE : SIM_DAWN });
        gpool_buffer buffer = shadowed(&p);
        sim_pool_frame(&p);
        WGPUBuffer raw = gpool_buffer_gpu(p.pool, buffer, GPOOL_ACCESS_READ);
        assert_non_null(raw);
        p.table.BufferAddRef(raw);
        assert_same(gpool_buffer_write(p.pool, buffer, 100, "waits", 5), GPOOL_OK);
        assert_same(other_result(p.pool, call_buffer_destroy, buffer.id), GPOOL_OK);
        assert_int_equal(waiting(p.pool), 1);
        if (end >= 2) {
            /* The handle is dead for this thread, too; the first write of it is not. */
            assert_same(gpool_buffer_write(p.pool, buffer, 100, "stale", 5),
                        GPOOL_ERROR_STALE_HANDLE);
            assert_int_equal(waiting(p.pool), 0);
        }
        sim_pool_frame(&p);
        sim_pool_frame(&p);
        uint8_t got[5] = { 0 };
        assert_true(sim_read_buffer(p.s, raw, 100, got, 5));
        assert_memory_equal(got, "waits", 5);
        p.table.BufferRelease(raw);
        sim_pool_close(&p, 0);
    }
}

/* The same where the pool ends before any other call. */
static void a_pool_that_ends_makes_what_waits(void **state)
{
    (void)state;
    for (int personality = 0; personality < 2; ++personality) {
        sim_pool p;
        sim_pool_open(&p, &(sim_desc){ .personality = (sim_personality)personality });
        gpool_buffer buffer = shadowed(&p);
        gpool_buffer kept = shadowed(&p);
        sim_pool_frame(&p);
        WGPUBuffer raw = gpool_buffer_gpu(p.pool, buffer, GPOOL_ACCESS_READ);
        assert_non_null(raw);
        p.table.BufferAddRef(raw);
        for (uint32_t i = 0; i < 20; ++i) {
            assert_same(gpool_buffer_write(p.pool, buffer, 100 + i, "waits", 5), GPOOL_OK);
            assert_same(gpool_buffer_write(p.pool, kept, 7 * i, "waits", 5), GPOOL_OK);
        }
        assert_same(other_result(p.pool, call_buffer_destroy, buffer.id), GPOOL_OK);
        assert_int_equal(waiting(p.pool), 32);
        gpool_destroy(p.pool);
        WGPUQueue queue = gpool_device_raw_queue(p.device);
        p.table.QueueSubmit(queue, 0, NULL);
        uint8_t got[5] = { 0 };
        assert_true(sim_read_buffer(p.s, raw, 119, got, 5));
        assert_memory_equal(got, "waits", 5);
        p.table.BufferRelease(raw);
        gpool_device_release(p.device);
        sim_drain(p.s);
        assert_int_equal(sim_live(p.s, SIM_KIND_NONE), 0);
        assert_int_equal(p.allocator.blocks, 0);
        sim_destroy(p.s);
    }
}

/* --- while other threads are at work --- */

typedef struct killer {
    gpool *pool;
    _Atomic uint64_t id; /* to be destroyed; 0 = not yet */
    atomic_bool stop;
    uint32_t killed;
} killer;

static void *kill_all(void *user)
{
    killer *k = user;
    while (!atomic_load(&k->stop)) {
        uint64_t id = atomic_load(&k->id);
        if (id != 0) {
            k->killed += gpool_buffer_destroy(k->pool, (gpool_buffer){ id }) == GPOOL_OK;
            atomic_store(&k->id, 0);
        }
    }
    return NULL;
}

#define ROUNDS 400u

static void buffers_may_die_elsewhere_between_writes(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    killer k = { .pool = p.pool };
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, kill_all, &k), 0);
    bool good = true;
    for (uint32_t round = 0; round < ROUNDS && good; ++round) {
        gpool_buffer buffer = shadowed(&p);
        for (uint32_t i = 0; i < 100 && good; ++i) {
            if (i == round % 60) {
                atomic_store(&k.id, buffer.id);
            }
            gpool_result result = gpool_buffer_write(p.pool, buffer, i * 40, &i, sizeof i);
            good = result == GPOOL_OK || (result == GPOOL_ERROR_STALE_HANDLE && i >= round % 60);
        }
        while (atomic_load(&k.id) != 0) {
        }
        good = good && gpool_begin_frame(p.pool) == GPOOL_OK && gpool_end_frame(p.pool) == GPOOL_OK;
    }
    atomic_store(&k.stop, true);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(good);
    assert_int_equal(k.killed, ROUNDS);
    sim_pool_close(&p, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_of_the_owner_makes_the_writes_that_wait),
        cmocka_unit_test(functions_that_look_tell_the_same_before_and_after),
        cmocka_unit_test(the_next_owner_finds_what_waited),
        cmocka_unit_test(a_buffer_destroyed_by_another_thread_gets_what_waited),
        cmocka_unit_test(a_pool_that_ends_makes_what_waits),
        cmocka_unit_test(buffers_may_die_elsewhere_between_writes),
    };
    return cmocka_run_group_tests_name("thread_writes", tests, NULL, NULL);
}
