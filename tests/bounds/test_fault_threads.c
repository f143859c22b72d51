/* Calls from threads that do not own the pool; owners that die. */
#include "handle_ops.h"

#include <pthread.h>
#include <stdatomic.h>

static void run_in_thread(void *(*run)(void *user), void *user)
{
    pthread_t thread;
    assert_same(pthread_create(&thread, NULL, run, user), 0);
    assert_same(pthread_join(thread, NULL), 0);
}

/* --- every function that belongs to the owner --- */

/* What a call on the wrong thread gave: a result, or whether nothing came back. */
typedef struct stranger {
    ops_pool *p;
    gpool_recorder rec;
    uint64_t ids[GPOOL_KIND_COUNT];
    uint64_t calls;
    const char *wrong; /* first call that was not refused */
} stranger;

#define REFUSED(expression)                                                                        \
    do {                                                                                           \
        s->calls += 1;                                                                             \
        if ((expression) != GPOOL_ERROR_WRONG_THREAD && s->wrong == NULL) {                        \
            s->wrong = #expression;                                                                \
        }                                                                                          \
    } while (0)
#define NOTHING(expression)                                                                        \
    do {                                                                                           \
        s->calls += 1;                                                                             \
        if (expression) {                                                                          \
            s->wrong = s->wrong == NULL ? #expression : s->wrong;                                  \
        }                                                                                          \
    } while (0)

/* Functions of the pool itself. */
static void call_pool(stranger *s)
{
    gpool *pool = s->p->pool;
    gpool_stats stats;
    s->calls += 1;
    gpool_destroy(pool);
    REFUSED(gpool_last_error(pool)->code);
    NOTHING(gpool_frame(pool));
    NOTHING(gpool_pool_device(pool) != NULL);
    NOTHING(gpool_gpu_call_count(pool, GPOOL_GPU_DeviceCreateBuffer));
    REFUSED(gpool_get_stats(pool, &stats));
    REFUSED(gpool_begin_frame(pool));
    REFUSED(gpool_submit(pool));
    REFUSED(gpool_process_uploads(pool));
    REFUSED(gpool_process_deletions(pool));
    REFUSED(gpool_end_frame(pool));
    REFUSED(gpool_tick(pool));
    REFUSED(gpool_wait_idle(pool));
    REFUSED(gpool_note_external_submit(pool));
    REFUSED(gpool_recover(pool, NULL, NULL, NULL));
    REFUSED(gpool_warm_up(pool, NULL, NULL, NULL));
    NOTHING(gpool_frame_recorder(pool).state != NULL);
}

/* Functions that make something. */
static void call_creators(stranger *s)
{
    gpool *pool = s->p->pool;
    const gpool_buffer_desc buffer = { .size = 4, .usage = GPOOL_BUFFER_VERTEX };
    const gpool_texture_desc texture = { .width = 1,
                                         .format = WGPUTextureFormat_R8Unorm,
                                         .usage = GPOOL_TEXTURE_SAMPLED };
    NOTHING(gpool_buffer_create(pool, &buffer).id);
    NOTHING(gpool_buffer_import(pool, &(gpool_buffer_import_desc){ 0 }).id);
    NOTHING(gpool_texture_create(pool, &texture).id);
    NOTHING(gpool_texture_import(pool, &(gpool_texture_import_desc){ 0 }).id);
    NOTHING(gpool_sampler_create(pool, NULL).id);
    NOTHING(gpool_layout_create(pool, &(gpool_layout_desc){ 0 }).id);
    NOTHING(gpool_shader_create(pool, &(gpool_shader_desc){ .wgsl = "" }).id);
    NOTHING(gpool_shader_from_file(pool, "no such file").id);
    REFUSED(gpool_shader_add_root(pool, "lib"));
    NOTHING(gpool_shader_file(pool, (gpool_shader){ 0 }, 0) != NULL);
    REFUSED(gpool_shader_set_file(pool, "a.wgsl", "", 0));
    REFUSED(gpool_shader_file_changed(pool, "a.wgsl"));
    NOTHING(gpool_render_pipeline_create(pool, &(gpool_render_pipeline_desc){ 0 }).id);
    NOTHING(gpool_compute_pipeline_create(pool, &(gpool_compute_pipeline_desc){ 0 }).id);
    NOTHING(gpool_scope_create(pool, NULL).id);
    NOTHING(gpool_uniform_layout(pool).id);
    NOTHING(gpool_default_heap(pool).id);
    NOTHING(gpool_heap_create(pool, NULL).id);
    NOTHING(gpool_mesh_create(pool, &(gpool_mesh_desc){ .index_count = 3 }).id);
    NOTHING(gpool_stream_buffer(pool, (gpool_stream_slice){ .epoch = 1 }).id);
    REFUSED(gpool_stream_alloc(pool, 4, 0, &(gpool_stream_slice){ 0 }));
}

/* Functions of an open recorder; they return nothing, and record nothing. */
static void call_recorder(stranger *s)
{
    gpool_recorder rec = s->rec;
    const double rgba[4] = { 0 };
    const uint32_t offset = 0;
    gpool_begin_compute(rec, "stranger");
    gpool_end_pass(rec);
    gpool_set_uniforms(rec, 0, rgba, 16);
    gpool_set_viewport(rec, 0, 0, 1, 1, 0, 1);
    gpool_set_scissor(rec, 0, 0, 1, 1);
    gpool_set_blend_constant(rec, rgba);
    gpool_set_stencil_reference(rec, 1);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_dispatch(rec, 1, 1, 1);
    gpool_push_group(rec, "stranger");
    gpool_pop_group(rec);
    gpool_set_raw_render_pipeline(rec, NULL);
    gpool_set_raw_compute_pipeline(rec, NULL);
    gpool_set_raw_bind_group(rec, 0, NULL, &offset, 1);
    gpool_skip_not_ready(rec);
    s->calls += 15;
    NOTHING(gpool_recorder_encoder(rec) != NULL);
    NOTHING(gpool_recorder_render_pass(rec) != NULL);
    NOTHING(gpool_recorder_compute_pass(rec) != NULL);
    REFUSED(gpool_recorder_finish_raw(rec, NULL));
}

static void *call_everything(void *user)
{
    stranger *s = user;
    call_pool(s);
    call_creators(s);
    if (s->rec.state != NULL) {
        call_recorder(s);
    }
    for (size_t i = 0; i < ops_count; ++i) {
        const ops_op *op = &ops_all[i];
        for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
            bool here = (op->place == OPS_OUTSIDE || s->rec.state != NULL) &&
                        (op->flags & OPS_ANY_THREAD) == 0;
            if (here && ops_fits(op, (gpool_kind)kind)) {
                gpool_result got = op->run(s->p, s->rec, s->ids[kind]);
                bool refused = op->place != OPS_OUTSIDE || got == GPOOL_ERROR_WRONG_THREAD;
                s->wrong = s->wrong == NULL && !refused ? op->name : s->wrong;
                s->calls += 1;
            }
        }
    }
    return NULL;
}

typedef struct thread_log {
    _Atomic uint64_t records;
    _Atomic uint64_t others; /* of another id */
} thread_log;

static void on_log(void *user, const gpool_log_record *record)
{
    thread_log *log = user;
    bool told = record->id == GPOOL_LOG_THREAD && record->result == GPOOL_ERROR_WRONG_THREAD &&
                strncmp(record->operation, "gpool_", 6) == 0;
    atomic_fetch_add(told ? &log->records : &log->others, 1);
}

/* In each phase: outside a frame, with a recorder, in a render pass, in a compute pass. */
static void fault_row_14_every_call_of_a_stranger_is_refused(void **state)
{
    bounds_world w;
    bounds_open(&w, bounds_personality(state), &ops_limits);
    thread_log log = { 0 };
    gpool *pool = NULL;
    assert_same(
        gpool_create(
            w.device,
            &(gpool_desc){ .compile_workers = GPOOL_WORKERS_NONE, .log = on_log, .log_user = &log },
            &pool),
        GPOOL_OK);
    ops_pool p;
    ops_open(&p, &w, pool);
    for (int phase = OPS_OUTSIDE; phase <= OPS_COMPUTE; ++phase) {
        const ops_op here = { .name = "stranger", .place = (ops_place)phase };
        stranger s = { .p = &p };
        for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
            s.ids[kind] = ops_make(&p, (gpool_kind)kind);
        }
        assert_same(gpool_wait_idle(pool), GPOOL_OK);
        s.rec = ops_begin(&p, &here);
        gpool_stats before;
        gpool_stats after;
        assert_same(gpool_get_stats(pool, &before), GPOOL_OK);
        const gpool_error error = *gpool_last_error(pool);
        uint64_t calls = sim_call_count(w.s, SIM_ANY_FUNCTION);
        run_in_thread(call_everything, &s);
        if (s.wrong != NULL) {
            fail_msg("a stranger's call was not refused: %s", s.wrong);
        }
        assert_same(sim_call_count(w.s, SIM_ANY_FUNCTION), calls);
        assert_same(gpool_get_stats(pool, &after), GPOOL_OK);
        assert_memory_equal(&before, &after, sizeof before);
        assert_memory_equal(&error, gpool_last_error(pool), sizeof error);
        ops_end(&p, &here, s.rec, false);
        for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
            assert_same(ops_destroy(&p, s.ids[kind]), GPOOL_OK);
        }
        assert_same(gpool_wait_idle(pool), GPOOL_OK);
    }
    /* Told the first time and at powers of two: a stranger in a loop fills no disk. */
    assert_in_range(atomic_load(&log.records), 8, 16);
    assert_same(atomic_load(&log.others), 0);
    gpool_destroy(pool);
    bounds_close(&w);
}

/* --- owners in turn --- */

typedef struct relay {
    bounds_world *w;
    pthread_mutex_t lock;
    pthread_cond_t turned;
    uint32_t turn;
    uint32_t runners;
    uint32_t rounds;
    uint64_t held[32]; /* buffers handed on */
    uint64_t refused;  /* calls before the own turn that were refused */
} relay;

typedef struct runner {
    relay *r;
    uint32_t number;
    pthread_t thread;
} runner;

/* Owns the pool for a turn: uses what the one before left, leaves a new buffer. */
static void run_turn(relay *r, uint32_t number)
{
    gpool *pool = r->w->pool;
    uint32_t word = r->turn;
    uint32_t got = 0;
    gpool_buffer before = { r->held[(r->turn + 31) % 32] };
    gpool_buffer_desc desc = { .data = &word,
                               .size = 4,
                               .usage = GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_READ_BACK };
    r->refused += gpool_begin_frame(pool) == GPOOL_ERROR_WRONG_THREAD;
    bool good = gpool_own(pool) == GPOOL_OK && gpool_begin_frame(pool) == GPOOL_OK;
    gpool_buffer mine = gpool_buffer_create(pool, &desc);
    gpool_clear_buffer(gpool_frame_recorder(pool), mine, 0, 4);
    good = good && gpool_end_frame(pool) == GPOOL_OK;
    good = good && gpool_buffer_write(pool, mine, 0, &word, 4) == GPOOL_OK;
    if (before.id != 0) {
        good = good && gpool_buffer_read(pool, before, 0, &got, 4) == GPOOL_OK;
        good = good && got == r->turn - 1 && gpool_buffer_destroy(pool, before) == GPOOL_OK;
    }
    if (!good) {
        (void)fprintf(stderr, "turn %u of runner %u failed: %s\n", r->turn, number,
                      gpool_last_error(pool)->message);
        abort();
    }
    r->held[(r->turn + 31) % 32] = 0;
    r->held[r->turn % 32] = mine.id;
}

static void *run_relay(void *user)
{
    runner *me = user;
    relay *r = me->r;
    (void)pthread_mutex_lock(&r->lock);
    for (uint32_t i = 0; i < r->rounds; ++i) {
        while (r->turn % r->runners != me->number) {
            (void)pthread_cond_wait(&r->turned, &r->lock);
        }
        run_turn(r, me->number);
        r->turn += 1;
        (void)pthread_cond_broadcast(&r->turned);
    }
    (void)pthread_mutex_unlock(&r->lock);
    return NULL;
}

static void fault_row_14_a_pool_goes_from_thread_to_thread(void **state)
{
    bounds_world w;
    bounds_open(&w, bounds_personality(state), &ops_limits);
    for (uint32_t runners = 2; runners <= 32; runners *= 4) {
        relay r = { .w = &w, .runners = runners, .rounds = 20 };
        runner all[32];
        assert_same(gpool_own(w.pool), GPOOL_OK);
        gpool_stats before = bounds_stats(&w);
        assert_same(pthread_mutex_init(&r.lock, NULL) + pthread_cond_init(&r.turned, NULL), 0);
        for (uint32_t i = 0; i < runners; ++i) {
            all[i] = (runner){ .r = &r, .number = i };
            assert_same(pthread_create(&all[i].thread, NULL, run_relay, &all[i]), 0);
        }
        for (uint32_t i = 0; i < runners; ++i) {
            assert_same(pthread_join(all[i].thread, NULL), 0);
        }
        assert_same(r.turn, runners * r.rounds);
        assert_same(r.refused, r.turn);
        assert_same(gpool_begin_frame(w.pool), GPOOL_ERROR_WRONG_THREAD);
        assert_same(gpool_own(w.pool), GPOOL_OK);
        bounds_good(&w, gpool_buffer_destroy(w.pool, (gpool_buffer){ r.held[(r.turn - 1) % 32] }));
        bounds_settle(&w);
        gpool_stats after = bounds_stats(&w);
        assert_same(after.live_count[GPOOL_KIND_BUFFER], before.live_count[GPOOL_KIND_BUFFER]);
        assert_same(after.created - before.created, after.freed - before.freed);
        (void)pthread_cond_destroy(&r.turned);
        (void)pthread_mutex_destroy(&r.lock);
    }
    bounds_close(&w);
}

static void *own_nothing(void *user)
{
    *(gpool_result *)user = gpool_own(NULL);
    return NULL;
}

static void fault_row_14_owning_nothing_is_refused(void **state)
{
    (void)state;
    gpool_result got = GPOOL_OK;
    run_in_thread(own_nothing, &got);
    assert_same(got, GPOOL_ERROR_INVALID_ARGUMENT);
}

/* --- owners that die --- */

typedef struct mortal {
    bounds_world *w;
    gpool *pool;
    uint64_t ids[GPOOL_KIND_COUNT];
    gpool_result result;
} mortal;

/* Dies in the middle of a frame, with an open pass, dirty bytes and a resource of every kind. */
static void *die_in_a_frame(void *user)
{
    mortal *m = user;
    m->pool = bounds_pool(m->w, "of a mortal");
    ops_pool p;
    ops_open(&p, m->w, m->pool);
    for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
        m->ids[kind] = ops_make(&p, (gpool_kind)kind);
    }
    assert_same(gpool_begin_frame(m->pool), GPOOL_OK);
    gpool_recorder rec = gpool_frame_recorder(m->pool);
    gpool_copy_buffer(rec, p.buffer, 0, (gpool_buffer){ m->ids[GPOOL_KIND_BUFFER] }, 0, 4);
    gpool_begin_compute(rec, "never ended");
    gpool_push_group(rec, "never popped");
    assert_same(gpool_buffer_write(m->pool, p.buffer, 0, "dead", 4), GPOOL_OK);
    return NULL;
}

static void *touch(void *user)
{
    mortal *m = user;
    m->result = gpool_tick(m->pool);
    return NULL;
}

/* Handed over, the pool is as it was; everything can be used, ended and counted. */
static void fault_row_28_the_pool_of_a_dead_thread_is_taken_over(void **state)
{
    for (int orderly = 0; orderly < 2; ++orderly) {
        bounds_world w;
        bounds_open(&w, bounds_personality(state), &ops_limits);
        uint64_t live = sim_live(w.s, SIM_KIND_NONE);
        uint64_t blocks = w.memory.blocks;
        mortal m = { .w = &w };
        run_in_thread(die_in_a_frame, &m);
        assert_same(gpool_end_frame(m.pool), GPOOL_ERROR_WRONG_THREAD);
        assert_same(gpool_own(m.pool), GPOOL_OK);
        uint64_t leaks = w.leaks;
        if (orderly != 0) {
            /* The open pass is told, and its recording goes out. */
            assert_same(gpool_end_frame(m.pool), GPOOL_ERROR_WRONG_PHASE);
            char bytes[5] = { 0 };
            gpool_buffer copy = { m.ids[GPOOL_KIND_BUFFER] };
            assert_same(gpool_buffer_read(m.pool, copy, 0, bytes, 4), GPOOL_OK);
            assert_string_equal(bytes, "dead");
            ops_pool p = { .w = &w, .pool = m.pool };
            for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
                assert_same(ops_destroy(&p, m.ids[kind]), GPOOL_OK);
            }
            assert_same(gpool_wait_idle(m.pool), GPOOL_OK);
            assert_same(gpool_tick(m.pool), GPOOL_OK);
        }
        gpool_stats stats;
        assert_same(gpool_get_stats(m.pool, &stats), GPOOL_OK);
        uint64_t held = 0;
        for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
            held += stats.live_count[kind];
        }
        /* Slabs are buffers that nobody created, and no leaks. */
        gpool_heap_info heap;
        assert_same(gpool_heap_get_info(m.pool, (gpool_heap){ 0 }, &heap), GPOOL_OK);
        held -= heap.slab_count;
        assert_same(held, stats.created - stats.freed);
        gpool_destroy(m.pool);
        assert_same(w.leaks - leaks, held);
        assert_same(sim_live(w.s, SIM_KIND_NONE), live);
        assert_same(w.memory.blocks, blocks);
        bounds_close(&w);
    }
}

/* A new thread has the dead one's stack and thread-local memory; it is not the owner all the same. */
static void fault_row_28_a_new_thread_is_not_taken_for_a_dead_owner(void **state)
{
    bounds_world w;
    bounds_open(&w, bounds_personality(state), &ops_limits);
    mortal m = { .w = &w };
    run_in_thread(die_in_a_frame, &m);
    for (int i = 0; i < 8; ++i) {
        m.result = GPOOL_OK;
        run_in_thread(touch, &m);
        assert_same(m.result, GPOOL_ERROR_WRONG_THREAD);
    }
    assert_same(gpool_own(m.pool), GPOOL_OK);
    gpool_destroy(m.pool);
    bounds_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOUNDS_TEST(fault_row_14_every_call_of_a_stranger_is_refused),
        BOUNDS_TEST(fault_row_14_a_pool_goes_from_thread_to_thread),
        cmocka_unit_test(fault_row_14_owning_nothing_is_refused),
        BOUNDS_TEST(fault_row_28_the_pool_of_a_dead_thread_is_taken_over),
        BOUNDS_TEST(fault_row_28_a_new_thread_is_not_taken_for_a_dead_owner),
    };
    return cmocka_run_group_tests_name("fault threads", tests, NULL, NULL);
}
