/*
 * Row 27: a file that is cut at random places, as by an editor that is half done, ten thousand times;
 * what is drawn is the last whole text always, and nothing grows. Arguments: a seed.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "reload_world.h"

static uint64_t cuts_seed;

static uint64_t cuts_count(uint64_t fallback)
{
    const char *given = getenv("GPOOL_TEST_CUTS");
    return given != NULL ? strtoull(given, NULL, 0) : fallback;
}

#define CUTS_TEXT                                                                                  \
    "#ifndef NUMBER\n"                                                                             \
    "#define NUMBER %llu\n"                                                                        \
    "#endif\n"                                                                                     \
    "// a comment (with a bracket\n"                                                               \
    "#include \"lib.wgsl\"\n"                                                                      \
    "const number = %lluu;\n"                                                                      \
    "@group(0) @binding(0) var<uniform> color: vec4f;\n"                                           \
    "@vertex fn vs() -> @builtin(position) vec4f {\n"                                              \
    "    return vec4f(f32(number), lib(NUMBER), 0.0, 1.0);\n"                                      \
    "}\n"                                                                                          \
    "@fragment fn fs() -> @location(0) vec4f { return color; /* end */ }\n"

/* The simulator takes cuts between "fn fs" and its body: it is no compiler. They are moved behind. */
static size_t cuts_place(const char *text, size_t cut)
{
    const char *name = strstr(text, "fn fs");
    const size_t body = (size_t)(strchr(name, '{') - text);
    return cut >= (size_t)(name - text) + 5 && cut <= body ? body + 1 : cut;
}

typedef struct cuts {
    sim_pool p;
    gpool_texture target;
    gpool_shader shader;
    gpool_pipeline pipelines[3];
    bool on_disk;
    uint64_t good;
    uint64_t broken;
} cuts;

static void cuts_put(cuts *c, const char *text)
{
    if (c->on_disk) {
        reload_write("cut.wgsl", text);
        assert_same(gpool_shader_file_changed(c->p.pool, reload_path("cut.wgsl")), GPOOL_OK);
    } else {
        reload_set(&c->p, "cut.wgsl", text);
    }
}

/* Draws with what is in use: `number`, or `next` from the frame on that swaps it in. */
static void cuts_draw(cuts *c, uint64_t number, uint64_t next)
{
    const uint64_t reloads = sim_pool_stats(&c->p).reloads;
    assert_same(gpool_begin_frame(c->p.pool), GPOOL_OK);
    number = sim_pool_stats(&c->p).reloads != reloads ? next : number;
    gpool_recorder rec = gpool_frame_recorder(c->p.pool);
    const uint64_t before = sim_draw_count(c->p.s);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = c->target } });
    for (int i = 0; i < 3; ++i) {
        const float color[4] = { 1, 1, 1, 1 };
        gpool_set_pipeline(rec, c->pipelines[i]);
        gpool_set_uniforms(rec, 0, color, sizeof color);
        gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    }
    gpool_end_pass(rec);
    assert_same(gpool_end_frame(c->p.pool), GPOOL_OK);
    assert_int_equal(sim_draw_count(c->p.s), before + 3);
    for (uint32_t i = 0; i < 3; ++i) {
        sim_draw draw;
        assert_true(sim_get_draw(c->p.s, before + i, &draw));
        const gpool__pipeline *pipeline = reload_pipeline_of(&c->p, c->pipelines[i]);
        assert_true(pipeline->variants[0].program->base.gpu == draw.pipeline);
        assert_int_equal(reload_number_of(pipeline->variants[0].program->recipe.vertex, "number"),
                         number);
    }
}

static void cuts_open(cuts *c, uint32_t workers, const char *text)
{
    compile_open(&c->p, workers);
    c->target = compile_target(&c->p);
    reload_set(&c->p, "lib.wgsl", "fn lib(x: u32) -> f32 { return f32(x); }\n");
    if (c->on_disk) {
        reload_make_folder();
        reload_write("cut.wgsl", text);
        c->shader =
            gpool_shader_create(c->p.pool, &(gpool_shader_desc){ .path = reload_path("cut.wgsl"),
                                                                 .scope = compile_scope });
    } else {
        reload_set(&c->p, "cut.wgsl", text);
        c->shader = compile_shader(&c->p, "#include \"cut.wgsl\"\n", "main");
    }
    for (uint32_t i = 0; i < 3; ++i) {
        c->pipelines[i] = gpool_render_pipeline_create(
            c->p.pool, &(gpool_render_pipeline_desc){
                           .shader = c->shader,
                           .vertex_entry = "vs",
                           .fragment_entry = "fs",
                           .topology = (WGPUPrimitiveTopology)(i + 1),
                           .colors[0].format = i == 1 ? (WGPUTextureFormat)0 : COMPILE_FORMAT,
                           .samples = 1,
                           .scope = compile_scope });
    }
    compile_settle_all(&c->p);
}

static void cuts_run(uint32_t workers, bool on_disk, uint64_t count)
{
    cuts c = { .on_disk = on_disk };
    uint64_t random = cuts_seed + workers;
    char text[1024];
    char last[1024] = "";
    uint64_t number = 1;
    (void)snprintf(text, sizeof text, CUTS_TEXT, 1ull, 1ull);
    cuts_open(&c, workers, text);
    cuts_draw(&c, number, number);
    uint64_t blocks = 0;
    uint64_t kept = 0;
    for (uint64_t i = 0; i < count; ++i) {
        const uint64_t next = i + 2;
        const size_t size = (size_t)snprintf(text, sizeof text, CUTS_TEXT, (unsigned long long)next,
                                             (unsigned long long)next);
        size_t cut = (size_t)unit_random_below(&random, size + size / 4);
        cut = cuts_place(text, cut);
        const bool whole = cut + 1 >= size; /* but for the line break at the end */
        if (!whole) {
            text[cut] = '\0';
        }
        const bool again = strcmp(text, last) == 0; /* two short cuts at one place: no change */
        (void)snprintf(last, sizeof last, "%s", text);
        const gpool_stats before = sim_pool_stats(&c.p);
        cuts_put(&c, text);
        do {
            cuts_draw(&c, sim_pool_stats(&c.p).reloads != before.reloads ? next : number, next);
            if (c.p.pool->shaders->reloading) {
                compile_nap();
            }
        } while (c.p.pool->shaders->reloading || sim_pool_stats(&c.p).compiles_pending > 0);
        const gpool_stats after = sim_pool_stats(&c.p);
        assert_int_equal(after.reloads - before.reloads, whole);
        assert_int_equal(after.failed_reloads - before.failed_reloads, !whole && !again);
        assert_same(reload_info(&c.p, c.shader).status, GPOOL_OK);
        assert_true((reload_info(&c.p, c.shader).reload_status == GPOOL_OK) == whole);
        number = whole ? next : number;
        c.good += whole;
        c.broken += !whole;
        cuts_draw(&c, number, number);
        if (i == count / 2) {
            gpool__cache_trim(c.p.pool, &c.p.pool->shaders->programs, 0, 0);
            gpool__cache_trim(c.p.pool, &c.p.pool->shaders->modules, 0, 0);
            blocks = c.p.allocator.blocks;
            kept = sim_kept(c.p.s, SIM_KIND_NONE);
        }
    }
    gpool__cache_trim(c.p.pool, &c.p.pool->shaders->programs, 0, 0);
    gpool__cache_trim(c.p.pool, &c.p.pool->shaders->modules, 0, 0);
    /* One complaint more or less. */
    assert_true(c.p.allocator.blocks <= blocks + 1);
    assert_true(sim_kept(c.p.s, SIM_KIND_NONE) <= kept);
    print_message(
        "%s, %s: %llu whole, %llu cut\n", workers == GPOOL_WORKERS_NONE ? "no workers" : "workers",
        on_disk ? "disk" : "virtual", (unsigned long long)c.good, (unsigned long long)c.broken);
    assert_true(c.good > 0 && c.broken > 0);
    if (on_disk) {
        static const char *const names[] = { "cut.wgsl" };
        reload_remove_folder(names, 1);
    }
    compile_close(&c.p);
}

static void cut_files_never_reach_the_screen(void **state)
{
    (void)state;
    cuts_run(GPOOL_WORKERS_NONE, false, cuts_count(1200));
    cuts_run(1, false, cuts_count(600));
    cuts_run(4, false, cuts_count(600));
}

static void cut_files_on_disk_never_reach_the_screen(void **state)
{
    (void)state;
    cuts_run(GPOOL_WORKERS_NONE, true, cuts_count(600));
    cuts_run(1, true, cuts_count(400));
}

int main(int argc, char **argv)
{
    cuts_seed = unit_seed(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_files_never_reach_the_screen),
        cmocka_unit_test(cut_files_on_disk_never_reach_the_screen),
    };
    return cmocka_run_group_tests_name("sim_reload_cuts", tests, NULL, NULL);
}
