/*
 * Every public function that belongs to the pool's owner, called from a thread that is not: each
 * answers without touching anything, also while the owner is at work.
 */
#include "owner_calls.h"

/* One call on this thread. */
typedef struct attempt {
    const world *w;
    size_t index;
    bool refused;
} attempt;

static void *run_attempt(void *user)
{
    attempt *a = user;
    a->refused = owner_calls[a->index].call(a->w);
    return NULL;
}

static void every_function_refuses_the_wrong_thread_and_changes_nothing(void **state)
{
    (void)state;
    /* Outside frames, in one, and with an open pass: what would be the right moment for each. */
    for (int phase = 0; phase < 3; ++phase) {
        world w;
        world_open(&w, NULL);
        if (phase > 0) {
            assert_same(gpool_begin_frame(w.pool), GPOOL_OK);
            w.rec = gpool_frame_recorder(w.pool);
        }
        if (phase == 2) {
            gpool_begin_render(w.rec, &(gpool_render_desc){ .color[0] = { .texture = w.texture } });
        }
        const gpool_stats before = sim_pool_stats(&w.p);
        for (size_t i = 0; i < CALLS; ++i) {
            uint64_t refused = atomic_load(&w.pool->wrong_threads);
            attempt a = { .w = &w, .index = i };
            on_other_thread(run_attempt, &a);
            if (!a.refused) {
                fail_msg("%s is not refused in phase %d", owner_calls[i].name, phase);
            }
            uint64_t told = atomic_load(&w.pool->wrong_threads) - refused;
            if (told != owner_calls[i].told) {
                fail_msg("%s is told %u times", owner_calls[i].name, (unsigned)told);
            }
            const gpool_stats after = sim_pool_stats(&w.p);
            if (memcmp(&after, &before, sizeof after) != 0) {
                fail_msg("%s changes a counter in phase %d", owner_calls[i].name, phase);
            }
        }
        assert_true(gpool__pool_validate(w.pool));
        assert_same(gpool_last_error(w.pool)->code, GPOOL_OK);
        if (phase == 2) {
            gpool_end_pass(w.rec);
        }
        if (phase > 0) {
            assert_same(gpool_end_frame(w.pool), GPOOL_OK);
        }
        world_close(&w);
    }
}

/* --- while the owner is at work --- */

typedef struct rush {
    const world *w;
    atomic_bool stop;
    atomic_uint accepted;
    atomic_ullong calls;
} rush;

static void *run_rush(void *user)
{
    rush *r = user;
    for (size_t i = 0; !atomic_load(&r->stop); i = (i + 7) % CALLS) {
        if (!owner_calls[i].call(r->w)) {
            atomic_fetch_add(&r->accepted, 1);
        }
        atomic_fetch_add(&r->calls, 1);
    }
    return NULL;
}

#define RUSHERS 3
#define FRAMES  300

static void owner_works_on_while_other_threads_are_refused(void **state)
{
    (void)state;
    world w;
    world_open(&w, &(sim_desc){ .delivery = SIM_DELIVER_ON_THREAD });
    rush r = { .w = &w };
    pthread_t threads[RUSHERS];
    for (int i = 0; i < RUSHERS; ++i) {
        assert_int_equal(pthread_create(&threads[i], NULL, run_rush, &r), 0);
    }
    bool good = true;
    uint32_t frames = 0;
    for (uint32_t i = 0; (i < FRAMES || atomic_load(&r.calls) < 10 * CALLS) && good; ++i) {
        good = gpool_begin_frame(w.pool) == GPOOL_OK &&
               gpool_buffer_write(w.pool, w.buffer, 0, &i, sizeof i) == GPOOL_OK;
        gpool_recorder rec = gpool_frame_recorder(w.pool);
        gpool_copy_buffer_to_texture(rec, w.buffer, 0, 256, w.texture,
                                     &(gpool_texture_region){ .width = 1, .height = 1 });
        gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = w.texture } });
        gpool_end_pass(rec);
        gpool_buffer spare = sim_pool_buffer(&w.p, w.scope, 64, "spare");
        good = good && gpool_buffer_resize(w.pool, spare, 128) == GPOOL_OK &&
               gpool_buffer_destroy(w.pool, spare) == GPOOL_OK &&
               gpool_end_frame(w.pool) == GPOOL_OK;
        frames = i;
    }
    atomic_store(&r.stop, true);
    for (int i = 0; i < RUSHERS; ++i) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_true(good);
    assert_int_equal(atomic_load(&r.accepted), 0);
    assert_true(atomic_load(&w.pool->wrong_threads) > 0);
    uint32_t last = 0;
    assert_same(gpool_buffer_read(w.pool, w.buffer, 0, &last, sizeof last), GPOOL_OK);
    assert_int_equal(last, frames);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_function_refuses_the_wrong_thread_and_changes_nothing),
        cmocka_unit_test(owner_works_on_while_other_threads_are_refused),
    };
    return cmocka_run_group_tests_name("thread_wrong", tests, NULL, NULL);
}
