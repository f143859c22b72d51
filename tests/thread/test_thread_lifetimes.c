/*
 * Many threads destroy, release, retain and end scopes while the owner creates, writes, records, moves,
 * submits and frees. Afterwards everything must add up: nothing is freed twice, nothing is left.
 * Arguments: a seed, and a factor for longer runs.
 */
#include "other_thread.h"

#define BOARD       192u
#define MAX_THREADS 32

static uint64_t test_seed;
static uint64_t test_factor = 1;

/* --- everything at once --- */

/* What all threads see: handles, alive or not. */
typedef struct board {
    sim_pool p;
    gpool *pool;
    _Atomic uint64_t ids[BOARD];
    atomic_bool stop;
    atomic_ullong good, stale, wrong;
    atomic_uint started;
} board;

typedef struct worker {
    board *b;
    uint64_t random;
    pthread_t thread;
} worker;

static gpool_result destroy_any(gpool *pool, uint64_t id)
{
    static gpool_result (*const calls[GPOOL_KIND_COUNT])(gpool *, uint64_t) = {
        gpool_release,       call_buffer_destroy, call_texture_destroy,  call_sampler_destroy,
        call_layout_destroy, call_shader_destroy, call_pipeline_destroy, call_scope_end,
        call_ticket_destroy, call_heap_destroy,   call_mesh_destroy,
    };
    return calls[gpool_handle_kind(id) % GPOOL_KIND_COUNT](pool, id);
}

static void worker_step(worker *w)
{
    board *b = w->b;
    const uint64_t id = atomic_load(&b->ids[unit_random_below(&w->random, BOARD)]);
    const uint32_t choice = (uint32_t)unit_random_below(&w->random, 100);
    const gpool_kind kind = gpool_handle_kind(id);
    gpool_result result = GPOOL_OK;
    if (id == 0) {
        return;
    }
    if (choice < 30) {
        result = destroy_any(b->pool, id);
        bool forced = kind != GPOOL_KIND_SAMPLER && kind != GPOOL_KIND_LAYOUT;
        if (result == GPOOL_OK && forced && gpool_retain(b->pool, id) != GPOOL_ERROR_STALE_HANDLE) {
            atomic_fetch_add(&b->wrong, 1); /* not dead at once */
        }
    } else if (choice < 45) {
        result = gpool_release(b->pool, id);
    } else if (choice < 75) {
        result = gpool_retain(b->pool, id);
        if (result == GPOOL_OK) {
            result = gpool_release(b->pool, id);
        }
    } else if (choice < 90) {
        /* A guess: the next handle of that slot, or one far off. */
        const uint64_t guess = id + (UINT64_C(1) << (choice < 80 ? 32 : 50));
        result = gpool_retain(b->pool, guess);
        if (result == GPOOL_OK) {
            result = gpool_release(b->pool, guess);
        }
        result = result == GPOOL_ERROR_INVALID_HANDLE ? GPOOL_ERROR_STALE_HANDLE : result;
    } else {
        gpool_result wanted = kind == GPOOL_KIND_BUFFER ? GPOOL_ERROR_INVALID_HANDLE : GPOOL_OK;
        result = call_texture_destroy(b->pool, kind == GPOOL_KIND_BUFFER ? id : 0);
        result = result == wanted ? GPOOL_OK : GPOOL_ERROR_GPU;
    }
    atomic_fetch_add(&b->good, result == GPOOL_OK);
    atomic_fetch_add(&b->stale, result == GPOOL_ERROR_STALE_HANDLE);
    atomic_fetch_add(&b->wrong, result != GPOOL_OK && result != GPOOL_ERROR_STALE_HANDLE);
}

static void *worker_run(void *user)
{
    worker *w = user;
    atomic_fetch_add(&w->b->started, 1);
    while (!atomic_load(&w->b->stop)) {
        worker_step(w);
    }
    return NULL;
}

/* A handle of a kind from the board, or null. */
static uint64_t owner_pick(board *b, uint64_t *random, gpool_kind kind)
{
    for (int i = 0; i < 8; ++i) {
        uint64_t id = atomic_load(&b->ids[unit_random_below(random, BOARD)]);
        if (gpool_handle_kind(id) == kind) {
            return id;
        }
    }
    return 0;
}

static uint64_t owner_make(board *b, uint64_t *random)
{
    static const gpool_kind kinds[] = { GPOOL_KIND_BUFFER,  GPOOL_KIND_BUFFER, GPOOL_KIND_BUFFER,
                                        GPOOL_KIND_TEXTURE, GPOOL_KIND_SCOPE,  GPOOL_KIND_SCOPE,
                                        GPOOL_KIND_SAMPLER, GPOOL_KIND_LAYOUT, GPOOL_KIND_HEAP,
                                        GPOOL_KIND_MESH,    GPOOL_KIND_MESH,   GPOOL_KIND_MESH };
    gpool_scope scope = { unit_random_below(random, 2) == 0
                              ? 0
                              : owner_pick(b, random, GPOOL_KIND_SCOPE) };
    uint64_t variant = unit_random_below(random, 3);
    gpool_layout_entry entry = { .binding = (uint32_t)variant };
    switch (kinds[unit_random_below(random, UNIT_COUNT(kinds))]) {
    case GPOOL_KIND_BUFFER:
        return gpool_buffer_create(b->pool, &(gpool_buffer_desc){ .size = 64,
                                                                  .usage = SIM_POOL_COPYABLE,
                                                                  .label = "of the owner",
                                                                  .scope = scope })
            .id;
    case GPOOL_KIND_TEXTURE:
        return gpool_texture_create(b->pool,
                                    &(gpool_texture_desc){ .width = 4,
                                                           .format = WGPUTextureFormat_R8Unorm,
                                                           .usage = GPOOL_TEXTURE_SAMPLED,
                                                           .scope = scope })
            .id;
    case GPOOL_KIND_HEAP: /* its meshes go with it, and move each frame */
        return gpool_heap_create(b->pool, &(gpool_heap_desc){ .slab_size = 4096,
                                                              .compact_bytes = 2048,
                                                              .empty_frames = 1,
                                                              .scope = scope })
            .id;
    case GPOOL_KIND_MESH: {
        gpool_heap heap = { owner_pick(b, random, GPOOL_KIND_HEAP) };
        gpool_heap_info info;
        if (heap.id == 0 || gpool_heap_get_info(b->pool, heap, &info) != GPOOL_OK) {
            return 0;
        }
        return gpool_mesh_create(
                   b->pool,
                   &(gpool_mesh_desc){ .heap = heap,
                                       .vertex_count = 1 + (uint32_t)unit_random_below(random, 60),
                                       .vertex_stride = 20,
                                       .index_count = 5,
                                       .keep = variant == 0 ? GPOOL_KEEP_DROP : GPOOL_KEEP_SHADOW,
                                       .scope = scope })
            .id;
    }
    case GPOOL_KIND_SAMPLER:
        return gpool_sampler_create(
                   b->pool,
                   &(gpool_sampler_desc){ .lod_max = 1.0f + (float)variant, .scope = scope })
            .id;
    case GPOOL_KIND_LAYOUT:
        return gpool_layout_create(
                   b->pool,
                   &(gpool_layout_desc){ .entries = &entry, .entry_count = 1, .scope = scope })
            .id;
    default:
        return gpool_scope_create(b->pool, &(gpool_scope_desc){ .parent = scope }).id;
    }
}

/* Reads some buffer; a ticket that is there already is taken, if it can be. */
static void owner_read(board *b, uint64_t *random, gpool_recorder rec, uint64_t place)
{
    uint8_t got[256];
    gpool_buffer buffer = { owner_pick(b, random, GPOOL_KIND_BUFFER) };
    gpool_scope scope = { unit_random_below(random, 2) == 0
                              ? 0
                              : owner_pick(b, random, GPOOL_KIND_SCOPE) };
    gpool_ticket old = { owner_pick(b, random, GPOOL_KIND_TICKET) };
    if (old.id != 0 && gpool_ticket_status(b->pool, old) == GPOOL_OK) {
        (void)gpool_ticket_take(b->pool, old, got, sizeof got);
    }
    gpool_ticket ticket =
        gpool_read_buffer(rec, buffer, unit_random_below(random, 8), unit_random_below(random, 60),
                          &(gpool_ticket_desc){ .scope = scope });
    if (ticket.id != 0) {
        atomic_store(&b->ids[place], ticket.id);
    }
}

/* One frame of the owner's; false when something that must work does not. */
static bool owner_frame(board *b, uint64_t *random)
{
    static const uint8_t bytes[64] = { 1, 2, 3 };
    bool good = gpool_begin_frame(b->pool) == GPOOL_OK;
    gpool_recorder rec = gpool_frame_recorder(b->pool);
    for (int i = 0; i < 24; ++i) {
        const uint64_t place = unit_random_below(random, BOARD);
        const uint64_t id = atomic_load(&b->ids[place]);
        switch (unit_random_below(random, 9)) {
        case 0:
        case 1:
        case 2:
            atomic_store(&b->ids[place], owner_make(b, random));
            break;
        case 3:
            (void)gpool_buffer_write(b->pool,
                                     (gpool_buffer){ owner_pick(b, random, GPOOL_KIND_BUFFER) }, 0,
                                     bytes, sizeof bytes);
            break;
        case 4:
            gpool_copy_buffer(rec, (gpool_buffer){ owner_pick(b, random, GPOOL_KIND_BUFFER) }, 0,
                              (gpool_buffer){ owner_pick(b, random, GPOOL_KIND_BUFFER) }, 0, 64);
            break;
        case 5:
            (void)gpool_move(b->pool, id, (gpool_scope){ owner_pick(b, random, GPOOL_KIND_SCOPE) });
            break;
        case 6:
            (void)gpool_buffer_resize(b->pool,
                                      (gpool_buffer){ owner_pick(b, random, GPOOL_KIND_BUFFER) },
                                      64 + 4 * unit_random_below(random, 8));
            (void)gpool_texture_resize(b->pool,
                                       (gpool_texture){ owner_pick(b, random, GPOOL_KIND_TEXTURE) },
                                       4 + (uint32_t)unit_random_below(random, 4), 1, 1);
            break;
        case 7:
            owner_read(b, random, rec, place);
            break;
        default:
            (void)destroy_any(b->pool, id);
            break;
        }
    }
    gpool_result result = gpool_end_frame(b->pool); /* an error that was latched is no matter */
    return good && result != GPOOL_ERROR_DEVICE_LOST && result != GPOOL_ERROR_WRONG_PHASE;
}

/* Moves the pool to a device of its own. */
static bool owner_recover(board *b)
{
    gpool_device *device = NULL;
    gpool_device_desc desc = { .gpu = &b->p.table, .log = sim_pool_on_log, .log_user = &b->p };
    bool good = gpool_device_open(&desc, &device) == GPOOL_OK &&
                gpool_recover(b->pool, device, NULL, NULL) == GPOOL_OK;
    if (good) {
        gpool_device_release(b->p.device);
        b->p.device = device;
    }
    return good;
}

/* Slabs, which are buffers that nobody created. */
static uint64_t slabs_of(const gpool *pool)
{
    const gpool__table *table = &pool->tables[GPOOL_KIND_BUFFER];
    uint64_t count = 0;
    for (uint32_t i = 0; i < table->slot_count; ++i) {
        const gpool__resource *each = (const gpool__resource *)gpool__table_at(table, i);
        count += gpool__resource_is_held(each) && each->own ? 1 : 0;
    }
    return count;
}

/* With `recover` not 0 the pool moves to another device each so many frames. */
static void stress(int thread_count, const sim_desc *desc, uint64_t frames, uint64_t recover)
{
    static board b;
    memset(&b, 0, sizeof b);
    sim_pool_open(&b.p, desc);
    b.pool = b.p.pool;
    worker workers[MAX_THREADS];
    uint64_t random = test_seed + (uint64_t)thread_count;
    for (int i = 0; i < thread_count; ++i) {
        workers[i] = (worker){ .b = &b, .random = unit_random(&random) };
        assert_int_equal(pthread_create(&workers[i].thread, NULL, worker_run, &workers[i]), 0);
    }
    while (atomic_load(&b.started) < (unsigned)thread_count) {
        gpool__sleep_ns(100000);
    }
    bool good = true;
    for (uint64_t i = 0; i < frames * test_factor && good; ++i) {
        good = owner_frame(&b, &random) && (recover == 0 || i % recover != 0 || owner_recover(&b));
    }
    atomic_store(&b.stop, true);
    for (int i = 0; i < thread_count; ++i) {
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    }
    assert_true(good);
    assert_int_equal(atomic_load(&b.wrong), 0);
    assert_true(gpool__pool_validate(b.pool));
    sim_drain(b.p.s);
    do {
        assert_same(gpool_wait_idle(b.pool), GPOOL_OK);
        sim_pool_frame(&b.p);
    } while (sim_pool_stats(&b.p).retired_count > 0 || sim_pool_stats(&b.p).staging_bytes > 0);
    assert_true(gpool__pool_validate(b.pool));
    const gpool_stats stats = sim_pool_stats(&b.p);
    uint64_t live = 0;
    for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
        live += stats.live_count[kind];
    }
    live -= slabs_of(b.pool);
    printf("%d threads: %llu good, %llu stale, %llu created, %llu live at the end\n", thread_count,
           (unsigned long long)atomic_load(&b.good), (unsigned long long)atomic_load(&b.stale),
           (unsigned long long)stats.created, (unsigned long long)live);
    assert_int_equal(stats.created, stats.freed + live);
    /* All reads are small: staging memory, in use or kept, is of the smallest class. */
    uint64_t staging =
        (stats.live_bytes[GPOOL_KIND_TICKET] + stats.internal_bytes - b.pool->bounce.size) / 1024;
    assert_int_equal(sim_live(b.p.s, SIM_KIND_BUFFER), stats.live_count[GPOOL_KIND_BUFFER] +
                                                           staging +
                                                           (b.pool->bounce.gpu != NULL ? 1 : 0));
    assert_int_equal(sim_live(b.p.s, SIM_KIND_TEXTURE), stats.live_count[GPOOL_KIND_TEXTURE]);
    (void)sim_pool_taken(&b.p, GPOOL_LOG_LEAK);
    sim_pool_close(&b.p, (uint32_t)live);
}

static void threads_destroy_what_the_owner_works_with(void **state)
{
    (void)state;
    stress(2, &(sim_desc){ .personality = SIM_WGPU_NATIVE }, 600, 0);
    stress(3, &(sim_desc){ .personality = SIM_DAWN, .delivery = SIM_DELIVER_ON_THREAD }, 400, 0);
    stress(8, &(sim_desc){ .completion = SIM_COMPLETE_AT_SUBMIT }, 300, 0);
    stress(32, &(sim_desc){ .delivery = SIM_DELIVER_ON_THREAD, .reuse_handles = true }, 150, 0);
}

static void threads_destroy_while_the_pool_moves_to_other_devices(void **state)
{
    (void)state;
    stress(2, &(sim_desc){ .personality = SIM_WGPU_NATIVE }, 150, 3);
    stress(3, &(sim_desc){ .personality = SIM_DAWN }, 150, 3);
}

/* --- counting --- */

#define SHARES 4000u

typedef struct shares {
    gpool *pool;
    _Atomic uint64_t ids[SHARES]; /* each share is given up by who takes its handle out */
    atomic_uint made;
    atomic_uint given_up;
    atomic_uint refused;
} shares;

static void give_up_from(shares *s, uint64_t *random)
{
    uint32_t made = atomic_load(&s->made);
    if (made == 0) {
        return;
    }
    const uint64_t id = atomic_exchange(&s->ids[unit_random_below(random, made)], 0);
    if (id != 0) {
        gpool_result result = unit_random_below(random, 2) == 0 ? gpool_release(s->pool, id)
                                                                : call_sampler_destroy(s->pool, id);
        atomic_fetch_add(result == GPOOL_OK ? &s->given_up : &s->refused, 1);
    }
}

static void *shares_run(void *user)
{
    shares *s = user;
    uint64_t random = (uint64_t)(uintptr_t)&random ^ test_seed;
    while (atomic_load(&s->given_up) + atomic_load(&s->refused) < SHARES) {
        give_up_from(s, &random);
    }
    return NULL;
}

/* Each create adds a share, to a live sampler or a new one; each share is given up once, by anyone. */
static void every_share_counts_once(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    static shares s;
    memset(&s, 0, sizeof s);
    s.pool = p.pool;
    pthread_t threads[4];
    for (size_t i = 0; i < UNIT_COUNT(threads); ++i) {
        assert_int_equal(pthread_create(&threads[i], NULL, shares_run, &s), 0);
    }
    uint64_t random = test_seed;
    while (atomic_load(&s.made) < SHARES) {
        const uint32_t i = atomic_load(&s.made);
        atomic_store(&s.ids[i], gpool_sampler_create(p.pool, NULL).id);
        atomic_store(&s.made, i + 1);
        if (i % 3 == 0) {
            give_up_from(&s, &random);
        }
        if (i % 50 == 0) {
            sim_pool_frame(&p);
        }
    }
    for (size_t i = 0; i < UNIT_COUNT(threads); ++i) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(atomic_load(&s.refused), 0);
    assert_int_equal(atomic_load(&s.given_up), SHARES);
    sim_pool_frame(&p);
    const gpool_stats stats = sim_pool_stats(&p);
    assert_int_equal(stats.live_count[GPOOL_KIND_SAMPLER], 0);
    printf("%u shares of %llu samplers\n", SHARES, (unsigned long long)stats.created);
    sim_pool_close(&p, 0);
}

typedef struct borrowers {
    gpool *pool;
    uint64_t id;
    atomic_uint wrong;
} borrowers;

static void *borrow(void *user)
{
    borrowers *b = user;
    for (int i = 0; i < 5000; ++i) {
        if (gpool_retain(b->pool, b->id) != GPOOL_OK || gpool_release(b->pool, b->id) != GPOOL_OK) {
            atomic_fetch_add(&b->wrong, 1);
        }
    }
    return NULL;
}

static void what_is_retained_lives_however_many_release(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_buffer buffer = sim_pool_buffer(&p, (gpool_scope){ 0 }, 64, "borrowed");
    borrowers b = { .pool = p.pool, .id = buffer.id };
    pthread_t threads[4];
    for (size_t i = 0; i < UNIT_COUNT(threads); ++i) {
        assert_int_equal(pthread_create(&threads[i], NULL, borrow, &b), 0);
    }
    for (int i = 0; i < 200; ++i) {
        sim_pool_frame(&p);
        assert_true(sim_pool_is_alive(&p, buffer));
    }
    for (size_t i = 0; i < UNIT_COUNT(threads); ++i) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(atomic_load(&b.wrong), 0);
    assert_same(gpool_release(p.pool, buffer.id), GPOOL_OK);
    assert_false(sim_pool_is_alive(&p, buffer));
    sim_pool_close(&p, 0);
}

/* --- tables that grow --- */

typedef struct searchers {
    gpool *pool;
    _Atomic uint64_t newest;
    atomic_bool stop;
    atomic_uint wrong;
} searchers;

static void *search(void *user)
{
    searchers *s = user;
    uint64_t random = test_seed;
    while (!atomic_load(&s->stop)) {
        /* Any slot up to far behind the last one: alive, or of a generation never given out. */
        const uint64_t newest = atomic_load(&s->newest);
        const uint64_t slot = unit_random_below(&random, 2 * gpool_handle_slot(newest) + 2);
        uint64_t id = (newest & ~UINT64_C(0xffffff)) | slot;
        gpool_result wanted = GPOOL_OK;
        if (slot > gpool_handle_slot(newest)) {
            id += UINT64_C(1) << 32;
            wanted = GPOOL_ERROR_INVALID_HANDLE;
        }
        gpool_result result = gpool_retain(s->pool, id);
        bool good = result == wanted;
        if (result == GPOOL_OK) {
            good = good && gpool_release(s->pool, id) == GPOOL_OK;
        }
        atomic_fetch_add(&s->wrong, !good);
    }
    return NULL;
}

static void table_grows_while_others_look_into_it(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_scope scope = sim_pool_scope(&p, (gpool_scope){ 0 }, "all");
    searchers s = { .pool = p.pool };
    atomic_store(&s.newest, sim_pool_buffer(&p, scope, 4, "").id);
    pthread_t threads[2];
    for (size_t i = 0; i < UNIT_COUNT(threads); ++i) {
        assert_int_equal(pthread_create(&threads[i], NULL, search, &s), 0);
    }
    for (uint32_t i = 0; i < 20000; ++i) {
        atomic_store(&s.newest, sim_pool_buffer(&p, scope, 4, "").id);
    }
    atomic_store(&s.stop, true);
    for (size_t i = 0; i < UNIT_COUNT(threads); ++i) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    }
    assert_int_equal(atomic_load(&s.wrong), 0);
    assert_same(gpool_scope_end(p.pool, scope), GPOOL_OK);
    sim_pool_close(&p, 0);
}

/* --- threads that die --- */

/* GCC's AddressSanitizer takes the unwinding of a cancelled thread for an overflow: there it returns. */
#if defined(__SANITIZE_ADDRESS__)
#define CANCEL(thread, b) atomic_store(&(b)->stop, true)
#else
#define CANCEL(thread, b) assert_int_equal(pthread_cancel(thread), 0)
#endif

static void *loop_until_cancelled(void *user)
{
    board *b = user;
    worker w = { .b = b, .random = test_seed };
    while (!atomic_load(&b->stop)) {
        worker_step(&w);
        pthread_testcancel();
    }
    return NULL;
}

static void ledger_balances_when_threads_die(void **state)
{
    (void)state;
    static board b;
    memset(&b, 0, sizeof b);
    sim_pool_open(&b.p, NULL);
    b.pool = b.p.pool;
    uint64_t random = test_seed;
    for (int i = 0; i < 20; ++i) {
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, loop_until_cancelled, &b), 0);
        for (int frame = 0; frame < 5; ++frame) {
            assert_true(owner_frame(&b, &random));
        }
        CANCEL(thread, &b);
        assert_int_equal(pthread_join(thread, NULL), 0);
        atomic_store(&b.stop, false);
    }
    assert_int_equal(atomic_load(&b.wrong), 0);
    do {
        sim_pool_frame(&b.p);
    } while (sim_pool_stats(&b.p).retired_count > 0);
    assert_true(gpool__pool_validate(b.pool));
    const gpool_stats stats = sim_pool_stats(&b.p);
    uint64_t live = stats.created - stats.freed;
    (void)sim_pool_taken(&b.p, GPOOL_LOG_LEAK);
    sim_pool_close(&b.p, (uint32_t)live);
}

static void *own_make_and_die(void *user)
{
    sim_pool *p = user;
    (void)gpool_own(p->pool);
    (void)gpool_begin_frame(p->pool);
    gpool_scope scope = gpool_scope_create(p->pool, NULL);
    for (int i = 0; i < 10; ++i) {
        gpool_buffer_desc desc = { .size = 64, .usage = SIM_POOL_COPYABLE, .scope = scope };
        gpool_buffer buffer = gpool_buffer_create(p->pool, &desc);
        gpool_clear_buffer(gpool_frame_recorder(p->pool), buffer, 0, 64);
    }
    return NULL;
}

/* In the middle of a frame, with work recorded: the next owner goes on from there. */
static void pool_goes_on_when_its_owner_dies(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    on_other_thread(own_make_and_die, &p);
    assert_same(gpool_end_frame(p.pool), GPOOL_ERROR_WRONG_THREAD);
    assert_same(gpool_own(p.pool), GPOOL_OK);
    assert_same(gpool_end_frame(p.pool), GPOOL_OK);
    assert_int_equal(sim_pool_stats(&p).live_count[GPOOL_KIND_BUFFER], 10);
    assert_true(gpool__pool_validate(p.pool));
    sim_pool_close(&p, 11);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_destroy_what_the_owner_works_with),
        cmocka_unit_test(threads_destroy_while_the_pool_moves_to_other_devices),
        cmocka_unit_test(every_share_counts_once),
        cmocka_unit_test(what_is_retained_lives_however_many_release),
        cmocka_unit_test(table_grows_while_others_look_into_it),
        cmocka_unit_test(ledger_balances_when_threads_die),
        cmocka_unit_test(pool_goes_on_when_its_owner_dies),
    };
    test_seed = unit_seed(argc, argv);
    if (argc > 2) {
        test_factor = strtoull(argv[2], NULL, 0);
    }
    return cmocka_run_group_tests_name("thread_lifetimes", tests, NULL, NULL);
}
