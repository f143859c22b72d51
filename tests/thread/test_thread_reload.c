/*
 * Reload while everything goes on: an editor writes shader files, whole, broken, by halves, by rename, and
 * deletes them; other threads retain, release and destroy what the frames name; workers compile; the owner
 * records, and swaps at the start of its frames. No draw is lost, what is drawn with was whole once and is
 * never older than before, and nothing is left. Arguments: a seed, and a factor for longer runs.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "other_thread.h"
#include "reload_world.h"

#define KEPT   4u  /* shaders, each of a file, whose pipelines are drawn with in every frame */
#define BOARD  32u /* what lives for some frames */
#define OTHERS 3u

static uint64_t test_seed;
static uint64_t test_factor = 1;

/* A file and what is made of it; contents that compile have even numbers, which only rise. */
typedef struct kept {
    char path[512];
    char beside[520];
    _Atomic uint64_t newest;
    gpool_shader shader;
    gpool_pipeline pipeline;
    uint64_t drawn;       /* number that was drawn with last */
    uint32_t versions[2]; /* of shader and pipeline at that time */
} kept;

typedef struct world {
    sim_pool p;
    gpool_texture target;
    kept kept[KEPT];
    _Atomic uint64_t ids[BOARD];
    atomic_bool stop;
    atomic_uint wrong;
} world;

typedef struct other {
    world *w;
    uint64_t random;
    pthread_t thread;
} other;

/* --- who writes the files --- */

static bool editor_put(const char *path, const char *text, size_t half)
{
    FILE *file = fopen(path, "wb");
    bool good = file != NULL && fwrite(text, 1, half, file) == half && fflush(file) == 0;
    if (good && text[half] != '\0') {
        gpool__sleep_ns(300000);
        good = fwrite(text + half, 1, strlen(text + half), file) == strlen(text + half);
    }
    return file != NULL && fclose(file) == 0 && good;
}

/* Writes the next content in one of the ways of editors. A half of it has a bracket open. */
static bool editor_write(kept *k, bool whole, uint64_t way)
{
    char text[512];
    const uint64_t number = (atomic_load(&k->newest) / 2 + 1) * 2 + (whole ? 0 : 1);
    atomic_store(&k->newest, number);
    (void)snprintf(text, sizeof text, "const number = %lluu + (0u%s;\n#include \"lib.wgsl\"\n%s",
                   (unsigned long long)number, whole ? ")" : "", RELOAD_MAIN);
    const size_t half = (size_t)(strchr(text, '(') - text) + 1;
    switch (way) {
    case 0:
        return editor_put(k->beside, text, strlen(text)) && rename(k->beside, k->path) == 0;
    case 1:
        return editor_put(k->path, text, half);
    case 2:
        (void)remove(k->path);
        gpool__sleep_ns(200000);
        return editor_put(k->path, text, strlen(text));
    default:
        return editor_put(k->path, text, strlen(text));
    }
}

static void *editor_run(void *user)
{
    other *o = user;
    while (!atomic_load(&o->w->stop)) {
        kept *k = &o->w->kept[unit_random_below(&o->random, KEPT)];
        const bool whole = unit_random_below(&o->random, 3) != 0;
        if (!editor_write(k, whole, unit_random_below(&o->random, 4))) {
            atomic_fetch_add(&o->w->wrong, 1);
        }
        gpool__sleep_ns(unit_random_below(&o->random, 2000000));
    }
    return NULL;
}

/* --- who destroys and shares --- */

static gpool_result other_destroy(gpool *pool, uint64_t id)
{
    switch (gpool_handle_kind(id)) {
    case GPOOL_KIND_SHADER:
        return call_shader_destroy(pool, id);
    case GPOOL_KIND_PIPELINE:
        return call_pipeline_destroy(pool, id);
    case GPOOL_KIND_TEXTURE:
        return call_texture_destroy(pool, id);
    case GPOOL_KIND_BUFFER:
        return call_buffer_destroy(pool, id);
    case GPOOL_KIND_SCOPE:
        return call_scope_end(pool, id);
    default:
        return GPOOL_OK;
    }
}

static void *other_run(void *user)
{
    other *o = user;
    gpool *pool = o->w->p.pool;
    while (!atomic_load(&o->w->stop)) {
        const kept *k = &o->w->kept[unit_random_below(&o->random, KEPT)];
        const uint64_t lasting = unit_random_below(&o->random, 2) ? k->shader.id : k->pipeline.id;
        if (gpool_retain(pool, lasting) != GPOOL_OK || gpool_release(pool, lasting) != GPOOL_OK) {
            atomic_fetch_add(&o->w->wrong, 1);
        }
        const uint64_t id = atomic_load(&o->w->ids[unit_random_below(&o->random, BOARD)]);
        gpool_result result = GPOOL_OK;
        if (id != 0 && unit_random_below(&o->random, 3) == 0) {
            result = other_destroy(pool, id);
        } else if (id != 0 && gpool_retain(pool, id) == GPOOL_OK) {
            result = gpool_release(pool, id);
        }
        if (result != GPOOL_OK && result != GPOOL_ERROR_STALE_HANDLE) {
            atomic_fetch_add(&o->w->wrong, 1);
        }
        gpool__sleep_ns(30000);
    }
    return NULL;
}

/* --- the owner --- */

static void world_open(world *w, uint32_t workers, sim_personality personality)
{
    memset(w, 0, sizeof *w);
    compile_open_with(&w->p, &(sim_desc){ .personality = personality },
                      (gpool_desc){ .compile_workers = workers });
    w->target = compile_target(&w->p);
    reload_make_folder();
    reload_set(&w->p, "lib.wgsl", reload_lib("lib", 1));
    for (uint32_t i = 0; i < KEPT; ++i) {
        kept *k = &w->kept[i];
        (void)snprintf(k->path, sizeof k->path, "%s/kept%u.wgsl", reload_folder, (unsigned)i);
        (void)snprintf(k->beside, sizeof k->beside, "%s~", k->path);
        assert_true(editor_write(k, true, 0));
        k->shader = gpool_shader_create(
            w->p.pool, &(gpool_shader_desc){ .path = k->path, .scope = compile_scope });
        k->pipeline = compile_pipeline(&w->p, k->shader, "kept");
        assert_same(gpool_pipeline_wait(w->p.pool, k->pipeline, UINT64_MAX), GPOOL_OK);
    }
}

/* The number that a draw was made with, by the program that a pipeline has now. */
static uint64_t world_number_of(const world *w, const kept *k, uint64_t index)
{
    sim_draw draw;
    assert_true(sim_get_draw(w->p.s, index, &draw));
    const gpool__pipeline *pipeline = reload_pipeline_of(&w->p, k->pipeline);
    assert_int_equal(pipeline->variant_count, 1);
    assert_ptr_equal(pipeline->variants[0].program->base.gpu, draw.pipeline);
    return reload_number_of(pipeline->variants[0].program->recipe.vertex, "number");
}

/* Draws with all that is kept, in a submit of its own that must go well. */
static void world_draw_kept(world *w, bool linger)
{
    gpool_recorder rec = gpool_frame_recorder(w->p.pool);
    const uint64_t before = sim_draw_count(w->p.s);
    uint32_t versions[KEPT];
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = w->target } });
    for (uint32_t i = 0; i < KEPT; ++i) {
        versions[i] = gpool_pipeline_version(w->p.pool, w->kept[i].pipeline);
        gpool_set_pipeline(rec, w->kept[i].pipeline);
        gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    }
    gpool_end_pass(rec);
    if (linger) { /* what changed meanwhile is compiled, and waits for the next frame */
        assert_same(gpool_shader_file_changed(w->p.pool, w->kept[0].path), GPOOL_OK);
        assert_same(gpool_begin_frame(w->p.pool), GPOOL_ERROR_WRONG_PHASE);
        gpool__sleep_ns(1000000);
    }
    assert_same(gpool_submit(w->p.pool), GPOOL_OK);
    assert_int_equal(sim_draw_count(w->p.s), before + KEPT);
    for (uint32_t i = 0; i < KEPT; ++i) {
        kept *k = &w->kept[i];
        const uint64_t number = world_number_of(w, k, before + i);
        const gpool_shader_info info = reload_info(&w->p, k->shader);
        assert_same(info.status, GPOOL_OK); /* the last good */
        assert_int_equal(number % 2, 0);
        assert_in_range(number, k->drawn, atomic_load(&k->newest));
        const bool newer = number != k->drawn;
        assert_in_range(info.version, k->versions[0] + newer, UINT32_MAX);
        assert_in_range(versions[i], k->versions[1] + newer, UINT32_MAX);
        assert_int_equal(gpool_pipeline_version(w->p.pool, k->pipeline), versions[i]);
        k->drawn = number;
        k->versions[0] = info.version;
        k->versions[1] = versions[i];
    }
}

/* Makes something of the same files, names it in the recording and gives it to the others meanwhile. */
static void world_draw_brief(world *w, uint64_t *random)
{
    gpool *pool = w->p.pool;
    const gpool_scope scope = sim_pool_scope(&w->p, compile_scope, "brief");
    const kept *k = &w->kept[unit_random_below(random, KEPT)];
    const gpool_shader shader =
        unit_random_below(random, 2) != 0
            ? k->shader
            : gpool_shader_create(pool, &(gpool_shader_desc){ .path = k->path, .scope = scope });
    const gpool_pipeline pipeline = gpool_render_pipeline_create(
        pool, &(gpool_render_pipeline_desc){
                  .shader = shader,
                  .topology = (WGPUPrimitiveTopology)(1 + unit_random_below(random, 2)),
                  .colors[0].format = COMPILE_FORMAT,
                  .samples = 1,
                  .scope = scope });
    const gpool_texture target =
        gpool_texture_create(pool, &(gpool_texture_desc){ .width = 2,
                                                          .height = 2,
                                                          .format = COMPILE_FORMAT,
                                                          .usage = GPOOL_TEXTURE_TARGET,
                                                          .scope = scope });
    const gpool_buffer indices = gpool_buffer_create(
        pool, &(gpool_buffer_desc){ .size = 64, .usage = GPOOL_BUFFER_INDEX, .scope = scope });
    const uint64_t made[] = { shader.id == k->shader.id ? 0 : shader.id, pipeline.id, target.id,
                              indices.id, scope.id };
    const bool early = unit_random_below(random, 2) == 0;
    const uint64_t place = unit_random_below(random, BOARD);
    for (uint32_t i = 0; i < UNIT_COUNT(made) && early; ++i) {
        atomic_store(&w->ids[(place + i) % BOARD], made[i]);
    }
    gpool_recorder rec = gpool_frame_recorder(pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    if (unit_random_below(random, 2) == 0) {
        gpool_skip_not_ready(rec);
    }
    gpool_set_pipeline(rec, pipeline);
    gpool_set_index_buffer(rec, indices, WGPUIndexFormat_Uint32, 0);
    gpool_draw(rec, &(gpool_draw_args){ .index_count = 3 });
    for (uint32_t i = 0; i < UNIT_COUNT(made) && !early; ++i) {
        atomic_store(&w->ids[(place + i) % BOARD], made[i]);
    }
    gpool_set_pipeline(rec, k->pipeline);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
}

static void world_frame(world *w, uint64_t *random)
{
    gpool *pool = w->p.pool;
    for (uint32_t i = 0; i < KEPT; ++i) {
        if (unit_random_below(random, 3) == 0) {
            assert_same(gpool_shader_file_changed(pool, w->kept[i].path), GPOOL_OK);
        }
    }
    if (unit_random_below(random, 8) == 0) {
        const bool good = unit_random_below(random, 3) != 0;
        reload_set(&w->p, "lib.wgsl",
                   good ? reload_lib("lib", unit_random_below(random, 1000)) : "fn lib() { (\n");
    }
    assert_same(gpool_begin_frame(pool), GPOOL_OK);
    world_draw_kept(w, unit_random_below(random, 4) == 0);
    const uint64_t executed = sim_draw_count(w->p.s);
    const uint64_t recorded = sim_pool_stats(&w->p).draws;
    for (int i = 0; i < 3; ++i) {
        world_draw_brief(w, random);
    }
    /* What was named is destroyed meanwhile, or was before: the rest runs. */
    const gpool_result result = gpool_end_frame(pool);
    assert_true(result == GPOOL_OK || result == GPOOL_ERROR_STALE_HANDLE ||
                result == GPOOL_ERROR_INVALID_HANDLE || result == GPOOL_ERROR_FAILED_RESOURCE);
    assert_int_equal(sim_draw_count(w->p.s) - executed, sim_pool_stats(&w->p).draws - recorded);
    assert_int_equal(sim_pool_stats(&w->p).dropped_recorders, 0);
}

/* The editor's last words are what is drawn in the end. */
static void world_end(world *w)
{
    const gpool_stats stats = sim_pool_stats(&w->p);
    assert_true(stats.reloads > 0);
    assert_true(stats.failed_reloads > 0);
    reload_set(&w->p, "lib.wgsl", reload_lib("lib", 1));
    for (uint32_t i = 0; i < KEPT; ++i) {
        assert_true(editor_write(&w->kept[i], true, i));
        assert_same(gpool_shader_file_changed(w->p.pool, w->kept[i].path), GPOOL_OK);
    }
    reload_settle(&w->p);
    reload_settle(&w->p);
    assert_same(gpool_begin_frame(w->p.pool), GPOOL_OK);
    world_draw_kept(w, false);
    assert_same(gpool_end_frame(w->p.pool), GPOOL_OK);
    for (uint32_t i = 0; i < KEPT; ++i) {
        assert_int_equal(w->kept[i].drawn, atomic_load(&w->kept[i].newest));
        assert_true(w->kept[i].versions[0] > 1 && w->kept[i].versions[1] > 1);
        assert_same(reload_info(&w->p, w->kept[i].shader).reload_status, GPOOL_OK);
        assert_int_equal(remove(w->kept[i].path), 0);
    }
    assert_int_equal(rmdir(reload_folder), 0);
    compile_close(&w->p);
}

static void run(uint32_t workers, sim_personality personality)
{
    static world w;
    world_open(&w, workers, personality);
    other others[OTHERS + 1];
    uint64_t random = test_seed + workers + (uint64_t)personality * 100;
    for (uint32_t i = 0; i <= OTHERS; ++i) {
        others[i] = (other){ .w = &w, .random = unit_random(&random) };
        assert_int_equal(pthread_create(&others[i].thread, NULL,
                                        i < OTHERS ? other_run : editor_run, &others[i]),
                         0);
    }
    for (uint64_t i = 0; i < 200 * test_factor || sim_pool_stats(&w.p).reloads == 0 ||
                         sim_pool_stats(&w.p).failed_reloads == 0;
         ++i) {
        world_frame(&w, &random);
    }
    atomic_store(&w.stop, true);
    for (uint32_t i = 0; i <= OTHERS; ++i) {
        assert_int_equal(pthread_join(others[i].thread, NULL), 0);
    }
    assert_int_equal(atomic_load(&w.wrong), 0);
    world_end(&w);
}

static void frames_lose_no_draw_while_files_change_and_others_destroy(void **state)
{
    (void)state;
    for (uint32_t workers = 1; workers <= 4; workers *= 4) {
        run(workers, SIM_WGPU_NATIVE);
        run(workers, SIM_DAWN);
    }
}

int main(int argc, char **argv)
{
    test_seed = unit_seed(argc, argv);
    test_factor = argc > 2 ? strtoull(argv[2], NULL, 0) : 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_lose_no_draw_while_files_change_and_others_destroy),
    };
    return cmocka_run_group_tests_name("thread_reload", tests, NULL, NULL);
}
