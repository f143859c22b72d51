/*
 * Compile workers against the owner, and other threads that destroy what is being compiled, drawn or
 * reloaded; pools that end early; several pools on one device. Afterwards everything must add up.
 * Arguments: a seed, and a factor for longer runs.
 */
#include "other_thread.h"

#define BOARD   64u
#define FILES   6u
#define POOLS   6u
#define OTHERS  4u
#define FORMATS 3u

static uint64_t test_seed;
static uint64_t test_factor = 1;

/* What all threads see. */
typedef struct board {
    sim_pool p;
    uint32_t workers;
    gpool_texture targets[FORMATS];
    _Atomic uint64_t ids[BOARD];
    atomic_bool stop;
    atomic_uint wrong;
} board;

typedef struct other {
    board *b;
    uint64_t random;
    pthread_t thread;
} other;

static void *other_run(void *user)
{
    other *o = user;
    while (!atomic_load(&o->b->stop)) {
        const uint64_t id = atomic_load(&o->b->ids[unit_random_below(&o->random, BOARD)]);
        gpool_result result = GPOOL_OK;
        switch (gpool_handle_kind(id)) {
        case GPOOL_KIND_SHADER:
            result = gpool_shader_destroy(o->b->p.pool, (gpool_shader){ id });
            break;
        case GPOOL_KIND_PIPELINE:
            result = gpool_pipeline_destroy(o->b->p.pool, (gpool_pipeline){ id });
            break;
        case GPOOL_KIND_SCOPE:
            result = gpool_scope_end(o->b->p.pool, (gpool_scope){ id });
            break;
        default:
            break;
        }
        if (result != GPOOL_OK && result != GPOOL_ERROR_STALE_HANDLE) {
            atomic_fetch_add(&o->b->wrong, 1);
        }
        gpool__sleep_ns(20000);
    }
    return NULL;
}

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

static void owner_set_file(gpool *pool, uint64_t *random)
{
    char name[32];
    char text[128];
    (void)snprintf(name, sizeof name, "f%u.wgsl", (unsigned)unit_random_below(random, FILES));
    (void)snprintf(text, sizeof text, "const n%u = %uu; %s\n",
                   (unsigned)unit_random_below(random, 3), (unsigned)unit_random_below(random, 50),
                   unit_random_below(random, 4) == 0 ? "(" : "");
    const bool away = unit_random_below(random, 8) == 0;
    (void)gpool_shader_set_file(pool, name, away ? NULL : text, strlen(text));
}

static gpool_shader owner_shader(gpool *pool, uint64_t *random, gpool_scope scope)
{
    char text[512];
    const unsigned number = (unsigned)unit_random_below(random, 20);
    const bool includes = unit_random_below(random, 2) == 0;
    (void)snprintf(text, sizeof text,
                   "%s%u%s\n@vertex fn vs() {}\n@fragment fn fs() {}\n"
                   "@group(0) @binding(0) var<uniform> c: vec4f; %s\n",
                   includes ? "#include \"f" : "const x = ", includes ? number % FILES : number,
                   includes ? ".wgsl\"" : "u;", number % 5 == 0 ? "$" : "");
    return gpool_shader_create(
        pool, &(gpool_shader_desc){ .wgsl = text, .label = "of the owner", .scope = scope });
}

static gpool_pipeline owner_pipeline(gpool *pool, uint64_t *random, gpool_shader shader,
                                     gpool_scope scope)
{
    gpool_render_pipeline_desc desc = { .shader = shader,
                                        .topology =
                                            (WGPUPrimitiveTopology)unit_random_below(random, 4),
                                        .label = "of the owner",
                                        .scope = scope };
    if (unit_random_below(random, 2) == 0) {
        desc.colors[0].format = WGPUTextureFormat_RGBA8Unorm;
        desc.samples = 1;
    }
    return gpool_render_pipeline_create(pool, &desc);
}

static void owner_step(board *b, uint64_t *random)
{
    gpool *pool = b->p.pool;
    const uint64_t place = unit_random_below(random, BOARD);
    const gpool_shader shader = { owner_pick(b, random, GPOOL_KIND_SHADER) };
    const gpool_pipeline pipeline = { owner_pick(b, random, GPOOL_KIND_PIPELINE) };
    const bool scoped = unit_random_below(random, 2) == 0;
    const gpool_scope scope = { scoped ? owner_pick(b, random, GPOOL_KIND_SCOPE) : 0 };
    gpool_shader_info info;
    switch (unit_random_below(random, 12)) {
    case 0:
    case 1:
        atomic_store(&b->ids[place], owner_shader(pool, random, scope).id);
        break;
    case 2:
    case 3:
    case 4:
        atomic_store(&b->ids[place], owner_pipeline(pool, random, shader, scope).id);
        break;
    case 5:
        atomic_store(&b->ids[place], gpool_scope_create(pool, NULL).id);
        break;
    case 6:
        owner_set_file(pool, random);
        break;
    case 7:
        (void)gpool_shader_dirty(pool, shader);
        break;
    case 8:
        (void)gpool_shader_wait(pool, shader, unit_random_below(random, 200000));
        break;
    case 9:
        (void)gpool_pipeline_wait(pool, pipeline, unit_random_below(random, 200000));
        break;
    case 10:
        (void)gpool_shader_get_info(pool, shader, &info);
        (void)gpool_pipeline_status(pool, pipeline);
        break;
    default:
        (void)gpool_shader_destroy(pool, shader);
        break;
    }
}

static bool owner_frame(board *b, uint64_t *random)
{
    static const float color[4] = { 1 };
    gpool *pool = b->p.pool;
    if (gpool_begin_frame(pool) != GPOOL_OK) {
        return false;
    }
    gpool_recorder rec = gpool_frame_recorder(pool);
    for (int i = 0; i < 6; ++i) {
        owner_step(b, random);
        gpool_texture target = b->targets[unit_random_below(random, FORMATS)];
        gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
        if (unit_random_below(random, 3) != 0) {
            gpool_skip_not_ready(rec);
        }
        for (int k = 0; k < 3; ++k) {
            const gpool_pipeline pipeline = { owner_pick(b, random, GPOOL_KIND_PIPELINE) };
            if (gpool_pipeline_status(pool, pipeline) == GPOOL_OK) {
                gpool_set_pipeline(rec, pipeline);
                gpool_set_uniforms(rec, 0, color, sizeof color);
                gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
            }
        }
        gpool_end_pass(rec);
    }
    gpool_result result = gpool_end_frame(pool); /* an error that was latched is no matter */
    return result != GPOOL_ERROR_DEVICE_LOST && result != GPOOL_ERROR_WRONG_PHASE;
}

static bool owner_recover(board *b)
{
    gpool_device *device = NULL;
    gpool_device_desc desc = { .gpu = &b->p.table, .log = sim_pool_on_log, .log_user = &b->p };
    bool good = gpool_device_open(&desc, &device) == GPOOL_OK &&
                gpool_recover(b->p.pool, device, NULL, NULL) == GPOOL_OK;
    if (good) {
        gpool_device_release(b->p.device);
        b->p.device = device;
    }
    return good;
}

static void board_open(board *b, uint32_t workers, sim_personality personality)
{
    static const WGPUTextureFormat formats[FORMATS] = { WGPUTextureFormat_RGBA8Unorm,
                                                        WGPUTextureFormat_BGRA8Unorm,
                                                        WGPUTextureFormat_R8Unorm };
    memset(b, 0, sizeof *b);
    b->workers = workers;
    b->p = (sim_pool){ .s = sim_create(&(sim_desc){ .personality = personality }),
                       .log_lock = PTHREAD_MUTEX_INITIALIZER };
    assert_non_null(b->p.s);
    sim_table(b->p.s, &b->p.table);
    gpool_device_desc device = { .gpu = &b->p.table, .log = sim_pool_on_log, .log_user = &b->p };
    assert_same(gpool_device_open(&device, &b->p.device), GPOOL_OK);
    gpool_desc pool = { .compile_workers = workers,
                        .label = "compiled",
                        .recycle.off = true,
                        .log = sim_pool_on_log,
                        .log_user = &b->p,
                        .allocator = unit_hooks(&b->p.allocator) };
    assert_same(gpool_create(b->p.device, &pool, &b->p.pool), GPOOL_OK);
    for (uint32_t i = 0; i < FORMATS; ++i) {
        b->targets[i] = gpool_texture_create(
            b->p.pool, &(gpool_texture_desc){
                           .width = 2, .format = formats[i], .usage = GPOOL_TEXTURE_TARGET });
    }
}

/* Ends it all, whatever is alive, waits or runs. */
static void board_close(board *b)
{
    assert_int_equal(atomic_load(&b->wrong), 0);
    assert_true(gpool__pool_validate(b->p.pool));
    gpool_destroy(b->p.pool);
    gpool_device_release(b->p.device);
    sim_drain(b->p.s);
    if (sim_fatal_count(b->p.s) > 0) {
        fail_msg("fatal: %s", sim_fatal_message(b->p.s, 0));
    }
    assert_int_equal(sim_live(b->p.s, SIM_KIND_NONE), 0);
    assert_int_equal(sim_kept(b->p.s, SIM_KIND_NONE), 0);
    assert_int_equal(b->p.allocator.blocks, 0);
    assert_int_equal(b->p.allocator.wrong_sizes, 0);
    sim_destroy(b->p.s);
}

static void stress(uint32_t workers, sim_personality personality, uint64_t frames, uint64_t recover)
{
    static board b;
    board_open(&b, workers, personality);
    other others[OTHERS];
    uint64_t random = test_seed + workers + (uint64_t)personality * 100;
    for (uint32_t i = 0; i < OTHERS; ++i) {
        others[i] = (other){ .b = &b, .random = unit_random(&random) };
        assert_int_equal(pthread_create(&others[i].thread, NULL, other_run, &others[i]), 0);
    }
    bool good = true;
    for (uint64_t i = 0; i < frames * test_factor && good; ++i) {
        good = owner_frame(&b, &random) && (recover == 0 || i % recover != 0 || owner_recover(&b));
    }
    const bool early = unit_random_below(&random, 2) == 0;
    atomic_store(&b.stop, true);
    for (uint32_t i = 0; i < OTHERS; ++i) {
        assert_int_equal(pthread_join(others[i].thread, NULL), 0);
    }
    assert_true(good);
    for (uint32_t i = 0; early && i < 64; ++i) {
        (void)owner_shader(b.p.pool, &random, (gpool_scope){ 0 }); /* a queue to end with */
    }
    board_close(&b);
}

static void others_destroy_what_workers_compile(void **state)
{
    (void)state;
    for (uint32_t workers = 1; workers <= 16; workers *= 4) {
        stress(workers, SIM_WGPU_NATIVE, 60, 0);
        stress(workers, SIM_DAWN, 60, 0);
    }
}

static void a_pool_moves_while_workers_compile(void **state)
{
    (void)state;
    for (uint32_t workers = 1; workers <= 16; workers *= 4) {
        stress(workers, SIM_WGPU_NATIVE, 40, 5);
        stress(workers, SIM_DAWN, 40, 3);
    }
}

/* --- several pools on one device --- */

typedef struct neighbour {
    gpool_device *device;
    uint64_t random;
    pthread_t thread;
    unit_allocator allocator;
    bool good;
} neighbour;

/* What is left in a pool that ends is told; nobody listens. */
static void neighbour_on_log(void *user, const gpool_log_record *record)
{
    (void)user;
    (void)record;
}

static void *neighbour_run(void *user)
{
    neighbour *n = user;
    n->good = true;
    for (uint64_t round = 0; round < 6 * test_factor && n->good; ++round) {
        gpool *pool = NULL;
        gpool_desc desc = { .compile_workers = 1 + (uint32_t)unit_random_below(&n->random, 4),
                            .log = neighbour_on_log,
                            .allocator = unit_hooks(&n->allocator) };
        n->good = gpool_create(n->device, &desc, &pool) == GPOOL_OK;
        for (uint32_t i = 0; n->good && i < 30; ++i) {
            char text[128];
            (void)snprintf(text, sizeof text, "const n = %uu; fn vs() {} fn fs() {}",
                           (unsigned)unit_random_below(&n->random, 12));
            gpool_shader shader =
                gpool_shader_create(pool, &(gpool_shader_desc){ .wgsl = text, .label = "s" });
            gpool_pipeline pipeline = gpool_render_pipeline_create(
                pool,
                &(gpool_render_pipeline_desc){ .shader = shader,
                                               .vertex_entry = "vs",
                                               .fragment_entry = "fs",
                                               .colors[0].format = WGPUTextureFormat_RGBA8Unorm,
                                               .samples = 1 });
            n->good = shader.id != 0 && pipeline.id != 0;
            if (unit_random_below(&n->random, 3) == 0) {
                n->good = n->good && gpool_pipeline_wait(pool, pipeline, UINT64_MAX) == GPOOL_OK;
            }
            if (unit_random_below(&n->random, 3) == 0) {
                (void)gpool_shader_dirty(pool, shader);
                n->good = n->good && gpool_begin_frame(pool) == GPOOL_OK &&
                          gpool_end_frame(pool) == GPOOL_OK;
            }
        }
        gpool_destroy(pool);
    }
    n->good = n->good && n->allocator.blocks == 0 && n->allocator.wrong_sizes == 0;
    return NULL;
}

static void pools_of_one_device_compile_side_by_side(void **state)
{
    (void)state;
    for (int dawn = 0; dawn < 2; ++dawn) {
        sim *s = sim_create(&(sim_desc){ .personality = dawn != 0 ? SIM_DAWN : SIM_WGPU_NATIVE });
        gpool_gpu table;
        sim_table(s, &table);
        gpool_device *device = NULL;
        assert_same(gpool_device_open(&(gpool_device_desc){ .gpu = &table }, &device), GPOOL_OK);
        neighbour neighbours[POOLS];
        memset(neighbours, 0, sizeof neighbours);
        for (uint32_t i = 0; i < POOLS; ++i) {
            neighbours[i].device = device;
            neighbours[i].random = test_seed + i;
            assert_int_equal(
                pthread_create(&neighbours[i].thread, NULL, neighbour_run, &neighbours[i]), 0);
        }
        for (uint32_t i = 0; i < POOLS; ++i) {
            assert_int_equal(pthread_join(neighbours[i].thread, NULL), 0);
            assert_true(neighbours[i].good);
        }
        gpool_device_release(device);
        assert_int_equal(sim_fatal_count(s), 0);
        assert_int_equal(sim_live(s, SIM_KIND_NONE), 0);
        sim_destroy(s);
    }
}

int main(int argc, char **argv)
{
    test_seed = unit_seed(argc, argv);
    test_factor = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_destroy_what_workers_compile),
        cmocka_unit_test(a_pool_moves_while_workers_compile),
        cmocka_unit_test(pools_of_one_device_compile_side_by_side),
    };
    return cmocka_run_group_tests_name("thread_compile", tests, NULL, NULL);
}
