/*
 * The owner and other threads destroy the same thing at the same moment, and its slot is used again at
 * once: src/pool/remote.c tells why that is safe. Arguments: a seed, which nothing here needs, and a
 * factor for longer runs.
 */
#include "other_thread.h"

static uint64_t test_factor = 1;

typedef struct duel {
    gpool *pool;
    _Atomic uint64_t id;
    atomic_bool stop;
    atomic_ullong kills;
    atomic_ullong wrong;
} duel;

static void *duel_run(void *user)
{
    duel *d = user;
    while (!atomic_load(&d->stop)) {
        const uint64_t id = atomic_load(&d->id);
        gpool_result result = gpool_buffer_destroy(d->pool, (gpool_buffer){ id });
        atomic_fetch_add(&d->kills, result == GPOOL_OK && id != 0);
        atomic_fetch_add(&d->wrong, result != GPOOL_OK && result != GPOOL_ERROR_STALE_HANDLE);
    }
    return NULL;
}

/* True until there were enough rounds, and some in which others were faster. */
static bool is_needed(duel *d, uint64_t rounds, uint64_t enough)
{
    enough *= test_factor;
    return rounds < enough || (atomic_load(&d->kills) < 10 && rounds < 1000 * enough);
}

/* The owner destroys what others destroy at the same time, and has the slot back at once. */
static void slot_that_two_destroy_is_given_back_once(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, &(sim_desc){ .completion = SIM_COMPLETE_AT_SUBMIT });
    gpool *pool = NULL;
    gpool_desc desc = { .compile_workers = GPOOL_WORKERS_NONE,
                        .log = sim_pool_on_log,
                        .log_user = &p,
                        .delete_delay_frames = GPOOL_DELAY_NONE };
    assert_same(gpool_create(p.device, &desc, &pool), GPOOL_OK);
    duel d = { .pool = pool };
    gpool_buffer_desc buffer = { .size = 4, .usage = GPOOL_BUFFER_VERTEX };
    atomic_store(&d.id, gpool_buffer_create(pool, &buffer).id);
    pthread_t threads[3];
    for (size_t i = 0; i < UNIT_COUNT(threads); ++i) {
        assert_int_equal(pthread_create(&threads[i], NULL, duel_run, &d), 0);
    }
    uint64_t owned = 0;
    uint64_t slots = 0;
    uint64_t rounds = 0;
    for (; is_needed(&d, rounds, 20000); ++rounds) {
        owned += gpool_buffer_destroy(pool, (gpool_buffer){ atomic_load(&d.id) }) == GPOOL_OK;
        (void)gpool_tick(pool);
        uint64_t id = gpool_buffer_create(pool, &buffer).id;
        slots = gpool_handle_slot(id) > slots ? gpool_handle_slot(id) : slots;
        atomic_store(&d.id, id);
    }
    atomic_store(&d.stop, true);
    for (size_t i = 0; i < UNIT_COUNT(threads); ++i) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(atomic_load(&d.wrong), 0);
    assert_in_range(atomic_load(&d.kills), 10, UINT64_MAX);
    assert_true(gpool__pool_validate(pool));
    (void)gpool_release(pool, atomic_load(&d.id));
    assert_same(gpool_tick(pool), GPOOL_OK);
    assert_same(gpool_wait_idle(pool), GPOOL_OK);
    assert_same(gpool_tick(pool), GPOOL_OK);
    assert_true(gpool__pool_validate(pool));
    gpool_stats stats;
    assert_same(gpool_get_stats(pool, &stats), GPOOL_OK);
    printf("%llu destroyed by the owner, %llu by others, %llu slots\n", (unsigned long long)owned,
           (unsigned long long)atomic_load(&d.kills), (unsigned long long)slots + 1);
    assert_int_equal(stats.created, rounds + 1);
    assert_int_equal(stats.freed, rounds + 1);
    assert_int_equal(stats.live_count[GPOOL_KIND_BUFFER], 0);
    /* Each died by one or by two at the same time. */
    assert_true(owned + atomic_load(&d.kills) >= rounds);
    gpool_destroy(pool);
    sim_pool_close(&p, 0);
}

#define MEMBERS 64u

typedef struct scope_duel {
    gpool *pool;
    _Atomic uint64_t scope;
    _Atomic uint64_t members[MEMBERS];
    atomic_bool stop;
    atomic_ullong kills;
    atomic_ullong wrong;
} scope_duel;

static void *end_scopes(void *user)
{
    scope_duel *d = user;
    while (!atomic_load(&d->stop)) {
        (void)call_scope_end(d->pool, atomic_load(&d->scope));
    }
    return NULL;
}

static void *destroy_members(void *user)
{
    scope_duel *d = user;
    for (uint32_t i = 0; !atomic_load(&d->stop); ++i) {
        gpool_result result = gpool_release(d->pool, atomic_load(&d->members[i % MEMBERS]));
        atomic_fetch_add(&d->kills, result == GPOOL_OK);
        atomic_fetch_add(&d->wrong, result != GPOOL_OK && result != GPOOL_ERROR_STALE_HANDLE);
    }
    return NULL;
}

/* A scope ended elsewhere takes its members along in a frame call, which may free them at once: others
 * destroy them at that very time. */
static void members_of_a_scope_ended_elsewhere_are_given_back_once(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, &(sim_desc){ .completion = SIM_COMPLETE_AT_SUBMIT });
    static scope_duel d;
    memset(&d, 0, sizeof d);
    d.pool = p.pool;
    pthread_t threads[3];
    for (size_t i = 0; i < UNIT_COUNT(threads); ++i) {
        assert_int_equal(
            pthread_create(&threads[i], NULL, i == 0 ? end_scopes : destroy_members, &d), 0);
    }
    const uint64_t rounds = 400 * test_factor;
    for (uint64_t i = 0; i < rounds; ++i) {
        gpool_scope scope = gpool_scope_create(p.pool, NULL);
        gpool_sampler_desc desc = { .scope = scope };
        for (uint32_t k = 0; k < MEMBERS; ++k) {
            desc.lod_max = 1.0f + (float)k;
            atomic_store(&d.members[k], gpool_sampler_create(p.pool, &desc).id);
        }
        atomic_store(&d.scope, scope.id);
        gpool_scope_info info;
        while (gpool_scope_get_info(p.pool, scope, &info) == GPOOL_OK) {
            (void)gpool_tick(p.pool);
        }
        (void)gpool_tick(p.pool);
    }
    atomic_store(&d.stop, true);
    for (size_t i = 0; i < UNIT_COUNT(threads); ++i) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(atomic_load(&d.wrong), 0);
    assert_same(gpool_tick(p.pool), GPOOL_OK);
    assert_true(gpool__pool_validate(p.pool));
    const gpool_stats stats = sim_pool_stats(&p);
    assert_int_equal(stats.created, (MEMBERS + 1) * rounds);
    assert_int_equal(stats.freed, (MEMBERS + 1) * rounds);
    sim_pool_close(&p, 0);
}

/* Imports of a frame are freed with the frame, at once: others destroy them at that very time. */
static void frame_imports_that_two_destroy_are_given_back_once(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, &(sim_desc){ .completion = SIM_COMPLETE_AT_SUBMIT });
    WGPUBuffer raw = p.table.DeviceCreateBuffer(
        gpool_device_raw(p.device),
        &(WGPUBufferDescriptor){ .usage = WGPUBufferUsage_CopySrc, .size = 64 });
    duel d = { .pool = p.pool };
    pthread_t threads[2];
    for (size_t i = 0; i < UNIT_COUNT(threads); ++i) {
        assert_int_equal(pthread_create(&threads[i], NULL, duel_run, &d), 0);
    }
    bool good = true;
    uint64_t rounds = 0;
    for (; is_needed(&d, rounds, 5000) && good; ++rounds) {
        good = gpool_begin_frame(p.pool) == GPOOL_OK;
        for (int k = 0; k < 3; ++k) {
            gpool_buffer_import_desc desc = { .buffer = raw,
                                              .usage = GPOOL_BUFFER_COPY_SOURCE,
                                              .this_frame = true };
            atomic_store(&d.id, gpool_buffer_import(p.pool, &desc).id);
        }
        good = good && gpool_end_frame(p.pool) == GPOOL_OK;
    }
    atomic_store(&d.stop, true);
    for (size_t i = 0; i < UNIT_COUNT(threads); ++i) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_true(good);
    assert_int_equal(atomic_load(&d.wrong), 0);
    assert_in_range(atomic_load(&d.kills), 10, UINT64_MAX);
    for (int i = 0; i < 4; ++i) {
        sim_pool_frame(&p);
    }
    assert_true(gpool__pool_validate(p.pool));
    const gpool_stats stats = sim_pool_stats(&p);
    assert_int_equal(stats.created, 3 * rounds);
    assert_int_equal(stats.freed, 3 * rounds);
    p.table.BufferRelease(raw);
    sim_pool_close(&p, 0);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(slot_that_two_destroy_is_given_back_once),
        cmocka_unit_test(members_of_a_scope_ended_elsewhere_are_given_back_once),
        cmocka_unit_test(frame_imports_that_two_destroy_are_given_back_once),
    };
    if (argc > 2) {
        test_factor = strtoull(argv[2], NULL, 0);
    }
    return cmocka_run_group_tests_name("thread_duels", tests, NULL, NULL);
}
