/*
 * Ends: two pools of one device in either order, devices closed with work in flight, callbacks during
 * and after both. Work completes never, between, or after the ends; callbacks come at polls, inside
 * calls, or on a thread of the implementation.
 */
#include "bounds.h"

#include "base/thread.h"

#include <pthread.h>
#include <stdatomic.h>

static const sim_delivery deliveries[] = { SIM_DELIVER_AT_POLL, SIM_DELIVER_INLINE,
                                           SIM_DELIVER_ON_THREAD };

/* When the work in flight completes. */
typedef enum moment {
    MOMENT_BEFORE,
    MOMENT_BETWEEN,
    MOMENT_AFTER,
    MOMENT_COUNT
} moment;

static const char wgsl[] = "@compute @workgroup_size(1) fn main() {}\n";

static void nothing(const sim_work *work, void *user)
{
    (void)work;
    (void)user;
}

/* What one pool has out when it ends. */
typedef struct party {
    gpool *pool;
    gpool_buffer from, to;
    uint64_t resources;
} party;

static party party_make(bounds_world *w, const char *label)
{
    party p = { .pool = bounds_pool_desc(w, &(gpool_desc){ .compile_workers = GPOOL_WORKERS_NONE,
                                                           .label = label,
                                                           .wait_timeout_ms = 2 }) };
    gpool_buffer_desc desc = { .size = 64,
                               .usage = GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_COPY_TARGET |
                                        GPOOL_BUFFER_READ_BACK | GPOOL_BUFFER_UNIFORM };
    p.from = gpool_buffer_create(p.pool, &desc);
    p.to = gpool_buffer_create(p.pool, &desc);
    gpool_texture_desc texture = { .width = 4,
                                   .format = WGPUTextureFormat_R8Unorm,
                                   .usage = GPOOL_TEXTURE_SAMPLED };
    gpool_shader shader = gpool_shader_create(p.pool, &(gpool_shader_desc){ .wgsl = wgsl });
    gpool_compute_pipeline_desc pipeline_desc = { .shader = shader };
    gpool_pipeline pipeline = gpool_compute_pipeline_create(p.pool, &pipeline_desc);
    (void)gpool_texture_create(p.pool, &texture);
    (void)gpool_sampler_create(p.pool, NULL);
    /* A frame in flight, with views, stream memory, a bind group, and a retired buffer. */
    assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
    gpool_recorder rec = gpool_frame_recorder(p.pool);
    gpool_copy_buffer(rec, p.from, 0, p.to, 0, 64);
    gpool_begin_compute(rec, NULL);
    gpool_set_pipeline(rec, pipeline);
    gpool_set_uniforms(rec, 0, &texture, 16);
    gpool_binding binding = { .buffer = p.to };
    const uint32_t offset = 0;
    gpool_set_bindings(rec, 0, gpool_uniform_layout(p.pool), &binding, 1, &offset, 1);
    gpool_dispatch(rec, 1, 1, 1);
    gpool_end_pass(rec);
    assert_same(gpool_end_frame(p.pool), GPOOL_OK);
    gpool_buffer gone = gpool_buffer_create(p.pool, &desc);
    assert_same(gpool_buffer_destroy(p.pool, gone), GPOOL_OK);
    /* A read that gave up: its map is pending. */
    uint8_t bytes[64];
    gpool_result got = gpool_buffer_read(p.pool, p.to, 0, bytes, 64);
    assert_true(got == GPOOL_OK || got == GPOOL_ERROR_TIMEOUT);
    /* And an open frame: dirty bytes, an open pass. */
    assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
    rec = gpool_frame_recorder(p.pool);
    assert_same(gpool_buffer_write(p.pool, p.from, 0, "dirty", 5), GPOOL_OK);
    gpool_begin_compute(rec, "left open");
    gpool_push_group(rec, "left open");
    gpool_stats stats;
    assert_same(gpool_get_stats(p.pool, &stats), GPOOL_OK);
    for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
        p.resources += stats.live_count[kind];
    }
    return p;
}

static void world_open(bounds_world *w, sim_personality personality, sim_delivery delivery)
{
    sim_desc manners = { .personality = personality, .delivery = delivery };
    bounds_open_desc(w, &manners, NULL);
    sim_register_shader(w->s, wgsl, nothing, NULL);
    sim_set_completion(w->s, SIM_COMPLETE_MANUALLY, 0);
}

/* The pool that is left works on: its frame ends, its bytes are right. */
static void party_goes_on(bounds_world *w, party *p)
{
    sim_set_completion(w->s, SIM_COMPLETE_AT_POLL, 0);
    (void)sim_complete(w->s, SIM_ALL);
    assert_same(gpool_end_frame(p->pool), GPOOL_ERROR_WRONG_PHASE); /* the pass was open */
    gpool_result got = gpool_begin_frame(p->pool);
    for (int i = 0; i < 1000 && got == GPOOL_ERROR_TIMEOUT; ++i) { /* the limit is 2 ms here */
        got = gpool_begin_frame(p->pool);
    }
    assert_same(got, GPOOL_OK);
    gpool_copy_buffer(gpool_frame_recorder(p->pool), p->from, 0, p->to, 0, 64);
    assert_same(gpool_end_frame(p->pool), GPOOL_OK);
    char bytes[6] = { 0 };
    got = gpool_buffer_read(p->pool, p->to, 0, bytes, 5);
    for (int i = 0; i < 1000 && got == GPOOL_ERROR_TIMEOUT; ++i) {
        got = gpool_buffer_read(p->pool, p->to, 0, bytes, 5);
    }
    assert_same(got, GPOOL_OK);
    assert_string_equal(bytes, "dirty");
    sim_set_completion(w->s, SIM_COMPLETE_MANUALLY, 0);
}

static void two_pools(sim_personality personality, sim_delivery delivery, int order, moment when,
                      bool goes_on)
{
    bounds_world w;
    world_open(&w, personality, delivery);
    party parties[2] = { party_make(&w, "one"), party_make(&w, "two") };
    if (when == MOMENT_BEFORE) {
        (void)sim_complete(w.s, SIM_ALL);
    }
    uint64_t leaks = w.leaks;
    gpool_destroy(parties[order].pool);
    assert_same(w.leaks - leaks, parties[order].resources);
    if (when == MOMENT_BETWEEN) {
        (void)sim_complete(w.s, SIM_ALL);
    }
    if (goes_on) {
        party_goes_on(&w, &parties[1 - order]);
    }
    leaks = w.leaks;
    gpool_destroy(parties[1 - order].pool);
    assert_same(w.leaks - leaks, parties[1 - order].resources);
    (void)sim_complete(w.s, SIM_ALL);
    assert_same(gpool_device_poll(w.device), GPOOL_OK);
    sim_drain(w.s);
    sim_set_completion(w.s, SIM_COMPLETE_AT_POLL, 0);
    bounds_close(&w);
}

static void two_pools_end_in_either_order(void **state)
{
    for (size_t d = 0; d < UNIT_COUNT(deliveries); ++d) {
        for (int i = 0; i < 2 * 2 * MOMENT_COUNT; ++i) {
            two_pools(bounds_personality(state), deliveries[d], i % 2,
                      (moment)(i / 2 % MOMENT_COUNT), i / 2 / MOMENT_COUNT != 0);
        }
    }
}

/* --- devices --- */

/* Completes everything after a short while, as a GPU does. */
static void *complete_soon(void *user)
{
    bounds_world *w = user;
    gpool__sleep_ns(2000000);
    sim_set_completion(w->s, SIM_COMPLETE_AT_POLL, 0);
    (void)sim_complete(w->s, SIM_ALL);
    return NULL;
}

static void end_world(bounds_world *w)
{
    sim_drain(w->s);
    if (sim_fatal_count(w->s) != 0) {
        fail_msg("fatal: %s", sim_fatal_message(w->s, 0));
    }
    assert_same(sim_calls_in_callbacks(w->s), 0);
    assert_same(sim_live(w->s, SIM_KIND_NONE), 0);
    assert_same(w->memory.blocks, 0);
    sim_destroy(w->s);
}

/* The caller gives the device up first; the last pool closes it, with work in flight. */
static void devices_are_closed_with_work_in_flight(void **state)
{
    for (size_t d = 0; d < UNIT_COUNT(deliveries); ++d) {
        for (int order = 0; order < 3; ++order) {
            bounds_world w;
            world_open(&w, bounds_personality(state), deliveries[d]);
            party parties[2] = { party_make(&w, "one"), party_make(&w, "two") };
            gpool *pools[3] = { w.pool, parties[0].pool, parties[1].pool };
            gpool_device_release(w.device);
            gpool_destroy(pools[order]);
            gpool_destroy(pools[(order + 1) % 3]);
            pthread_t thread;
            assert_same(pthread_create(&thread, NULL, complete_soon, &w), 0);
            gpool_destroy(pools[(order + 2) % 3]);
            assert_same(pthread_join(thread, NULL), 0);
            end_world(&w);
        }
    }
}

/* A lost device is closed at once; what it had out is answered later, when another device is open. */
static void late_callbacks_do_a_new_device_no_harm(void **state)
{
    for (size_t d = 0; d < UNIT_COUNT(deliveries); ++d) {
        bounds_world old;
        bounds_world w;
        world_open(&old, bounds_personality(state), deliveries[d]);
        party p = party_make(&old, "of the old device");
        sim_lose(old.s);
        gpool_result got = gpool_end_frame(p.pool);
        assert_true(got != GPOOL_OK);
        gpool_destroy(p.pool);
        gpool_destroy(old.pool);
        gpool_device_release(old.device);
        /* The new device has the place of the old one where callbacks arrive. */
        world_open(&w, bounds_personality(state), SIM_DELIVER_AT_POLL);
        uint32_t word = 1;
        assert_same(gpool_buffer_write(w.pool, w.witness, 0, &word, 4), GPOOL_OK);
        assert_same(gpool_process_uploads(w.pool), GPOOL_OK);
        uint64_t submitted = gpool_device_submitted(w.device);
        (void)sim_complete(old.s, SIM_ALL);
        end_world(&old);
        assert_true(gpool_device_done(w.device) < submitted);
        assert_same(gpool_device_poll(w.device), GPOOL_OK); /* not lost */
        assert_true(gpool_device_done(w.device) < submitted);
        (void)sim_complete(w.s, SIM_ALL);
        assert_same(gpool_device_poll(w.device), GPOOL_OK);
        assert_same(gpool_device_done(w.device), submitted);
        sim_set_completion(w.s, SIM_COMPLETE_AT_POLL, 0);
        uint8_t bytes[64];
        bounds_fill(bytes, sizeof bytes, 4711);
        assert_same(gpool_buffer_write(w.pool, w.witness, 0, bytes, 64), GPOOL_OK);
        bounds_close(&w);
    }
}

/* --- callbacks while pools end --- */

typedef struct completer {
    bounds_world *w;
    _Atomic bool stop;
} completer;

/* Completes submits one by one as fast as it can; callbacks run on the simulator's thread. */
static void *complete_always(void *user)
{
    completer *c = user;
    uint64_t serial = 1;
    while (!atomic_load(&c->stop)) {
        if (serial <= sim_submitted(c->w->s)) {
            (void)sim_complete(c->w->s, serial++);
        }
    }
    (void)sim_complete(c->w->s, SIM_ALL);
    return NULL;
}

static void callbacks_come_on_a_thread_while_pools_end(void **state)
{
    bounds_world w;
    world_open(&w, bounds_personality(state), SIM_DELIVER_ON_THREAD);
    completer c = { .w = &w };
    pthread_t thread;
    assert_same(pthread_create(&thread, NULL, complete_always, &c), 0);
    for (int i = 0; i < 60; ++i) {
        party parties[2] = { party_make(&w, "one"), party_make(&w, "two") };
        gpool_destroy(parties[i % 2].pool);
        gpool_destroy(parties[1 - i % 2].pool);
    }
    atomic_store(&c.stop, true);
    assert_same(pthread_join(thread, NULL), 0);
    sim_set_completion(w.s, SIM_COMPLETE_AT_POLL, 0);
    sim_drain(w.s);
    bounds_close(&w);
}

/* Devices, too: open, work, close, while a thread delivers. */
static void callbacks_come_on_a_thread_while_devices_close(void **state)
{
    for (int i = 0; i < 20; ++i) {
        bounds_world w;
        world_open(&w, bounds_personality(state), SIM_DELIVER_ON_THREAD);
        party p = party_make(&w, "short");
        pthread_t thread;
        assert_same(pthread_create(&thread, NULL, complete_soon, &w), 0);
        gpool_device_release(w.device);
        gpool_destroy(i % 2 == 0 ? w.pool : p.pool);
        gpool_destroy(i % 2 == 0 ? p.pool : w.pool);
        assert_same(pthread_join(thread, NULL), 0);
        end_world(&w);
    }
}

/* Answers of reads that gave up, of polls and of losses come when the pool is long gone. */
static void callbacks_come_after_the_pool(void **state)
{
    for (size_t d = 0; d < UNIT_COUNT(deliveries); ++d) {
        for (int lost = 0; lost < 2; ++lost) {
            bounds_world w;
            world_open(&w, bounds_personality(state), deliveries[d]);
            party p = party_make(&w, "gone");
            gpool_destroy(p.pool);
            uint8_t *rubbish = malloc(4096); /* where the pool was */
            assert_non_null(rubbish);
            memset(rubbish, 0xee, 4096);
            if (lost != 0) {
                sim_lose(w.s);
            }
            (void)sim_complete(w.s, SIM_ALL);
            (void)gpool_device_poll(w.device);
            sim_drain(w.s);
            for (int i = 0; i < 4096; ++i) {
                assert_same(rubbish[i], 0xee);
            }
            free(rubbish);
            gpool_destroy(w.pool);
            gpool_device_release(w.device);
            end_world(&w);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOUNDS_TEST(two_pools_end_in_either_order),
        BOUNDS_TEST(devices_are_closed_with_work_in_flight),
        BOUNDS_TEST(late_callbacks_do_a_new_device_no_harm),
        BOUNDS_TEST(callbacks_come_on_a_thread_while_pools_end),
        BOUNDS_TEST(callbacks_come_on_a_thread_while_devices_close),
        BOUNDS_TEST(callbacks_come_after_the_pool),
    };
    return cmocka_run_group_tests_name("fault pools", tests, NULL, NULL);
}
