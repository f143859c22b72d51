/* Reload on real compilers: what is on the screen before, during and after. */
#include "gpu/fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int gpu_reload_run(void);

/* Fills a target with three bytes of the number, times the uniform. */
#define RELOAD_TEXT                                                                                \
    "#include \"lib.wgsl\"\n"                                                                      \
    "const number = %uu;\n"                                                                        \
    "@group(0) @binding(0) var<uniform> factor: vec4f;\n"                                          \
    "@vertex fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {\n"                 \
    "    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);\n"             \
    "}\n"                                                                                          \
    "@fragment fn fs() -> @location(0) vec4f {\n"                                                  \
    "    return factor * vec4f(part(number >> 16u), part(number >> 8u), part(number), 1.0);\n"     \
    "}\n"

static const char lib_text[] = "fn part(x: u32) -> f32 { return f32(x & 255u) / 255.0; }\n";

typedef struct reloaded {
    fixture *f;
    gpool_texture target;
    gpool_shader shader;
    gpool_pipeline pipelines[2]; /* formats given, and by the pass */
} reloaded;

static void put(const reloaded *r, const char *name, const char *text)
{
    assert_good(gpool_shader_set_file(r->f->pool, name, text, text != NULL ? strlen(text) : 0));
}

static void put_number(const reloaded *r, uint32_t number)
{
    char text[1024];
    (void)snprintf(text, sizeof text, RELOAD_TEXT, number);
    put(r, "main.wgsl", text);
}

static void open_reloaded(reloaded *r, void **state, uint32_t workers)
{
    fixture *f = *state;
    *r = (reloaded){ .f = f };
    fixture_use_pool(f, (gpool_desc){ .compile_workers = workers, .wait_timeout_ms = 60000 });
    r->target = fixture_target(f, 1, 1);
    put(r, "lib.wgsl", lib_text);
    put_number(r, 1);
    r->shader = gpool_shader_create(
        f->pool, &(gpool_shader_desc){ .wgsl = "#include \"main.wgsl\"\n", .label = "main" });
    for (int i = 0; i < 2; ++i) {
        r->pipelines[i] = gpool_render_pipeline_create(
            f->pool,
            &(gpool_render_pipeline_desc){ .shader = r->shader,
                                           .colors[0].format = i == 0 ? WGPUTextureFormat_RGBA8Unorm
                                                                      : (WGPUTextureFormat)0,
                                           .samples = i == 0 ? 1 : 0,
                                           .label = "reloaded" });
    }
}

/* Draws with one of the pipelines; `*number` is what is there. */
static uint32_t drawn(const reloaded *r, int which)
{
    static const float factor[4] = { 1, 1, 1, 1 };
    assert_good(gpool_begin_frame(r->f->pool));
    gpool_recorder rec = gpool_frame_recorder(r->f->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = r->target } });
    gpool_set_pipeline(rec, r->pipelines[which]);
    gpool_set_uniforms(rec, 0, factor, sizeof factor);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(r->f->pool));
    uint32_t pixel = fixture_pixel(r->f, r->target, 0, 0);
    assert_int_equal(pixel & 255, 255);
    return pixel >> 8;
}

/* Draws until the change that was made is decided; only these two numbers may be seen. */
static void settle(const reloaded *r, gpool_stats before, uint32_t old, uint32_t wanted)
{
    gpool_stats now = before;
    while (now.reloads == before.reloads && now.failed_reloads == before.failed_reloads) {
        uint32_t number = drawn(r, 0);
        assert_true(number == old || number == wanted);
        now = fixture_stats(r->f);
        if (number == wanted && wanted != old) {
            assert_true(now.reloads > before.reloads);
        }
    }
}

static gpool_shader_info info_of(const reloaded *r)
{
    gpool_shader_info info;
    assert_good(gpool_shader_get_info(r->f->pool, r->shader, &info));
    return info;
}

static void the_old_picture_stays_until_the_swap(void **state)
{
    static const uint32_t workers[] = { GPOOL_WORKERS_NONE, 1, 8 };
    for (int w = 0; w < 3; ++w) {
        reloaded r;
        open_reloaded(&r, state, workers[w]);
        assert_int_equal(drawn(&r, 0), 1);
        assert_int_equal(drawn(&r, 1), 1);
        static const struct {
            const char *name;
            const char *text;
            gpool_log_id id;
            const char *file; /* "" = not known */
            uint32_t line;
        } broken[] = {
            { "lib.wgsl", "\nfn part(x: u32) -> f32 { return x; }\n", GPOOL_LOG_SHADER_COMPILE,
              "lib.wgsl", 2 },
            { "lib.wgsl", "\n\nfn part(x: u32 -> f32 {}\n", GPOOL_LOG_SHADER_COMPILE, "lib.wgsl",
              3 },
            { "lib.wgsl", "#endif\n", GPOOL_LOG_SHADER_COMPILE, "lib.wgsl", 1 },
            { "lib.wgsl", NULL, GPOOL_LOG_FILE, "main.wgsl", 1 },
            { "main.wgsl", "@fragment fn fs() -> @location(0) vec4f { return vec4f(); }\n",
              GPOOL_LOG_PIPELINE_CREATE, "", 0 },
        };
        uint32_t number = 1;
        for (size_t i = 0; i < sizeof broken / sizeof broken[0]; ++i) {
            gpool_stats before = fixture_stats(r.f);
            put(&r, broken[i].name, broken[i].text);
            settle(&r, before, number, number);
            assert_int_equal(fixture_stats(r.f).failed_reloads, before.failed_reloads + 1);
            assert_int_equal(drawn(&r, 0), number);
            assert_int_equal(drawn(&r, 1), number);
            assert_int_equal(info_of(&r).status, GPOOL_OK);
            assert_true(info_of(&r).reload_status != GPOOL_OK);
            assert_string_equal(info_of(&r).file, broken[i].file);
            assert_int_equal(info_of(&r).line, broken[i].line);
            assert_true(r.f->log.counts[broken[i].id] > 0);
            memset(&r.f->log, 0, sizeof r.f->log); /* one for each pipeline, if it is theirs */
            before = fixture_stats(r.f);
            put(&r, "lib.wgsl", lib_text);
            put_number(&r, 0x112200 + (uint32_t)i);
            settle(&r, before, number, 0x112200 + (uint32_t)i);
            number = 0x112200 + (uint32_t)i;
            assert_int_equal(drawn(&r, 0), number);
            assert_int_equal(drawn(&r, 1), number);
            assert_int_equal(info_of(&r).reload_status, GPOOL_OK);
            assert_int_equal(info_of(&r).version, 2 + i);
            assert_int_equal(gpool_pipeline_version(r.f->pool, r.pipelines[1]), 2 + i);
        }
    }
}

static void what_is_bound_may_change_with_the_text(void **state)
{
    reloaded r;
    open_reloaded(&r, state, 2);
    assert_int_equal(drawn(&r, 0), 1);
    /* Another variable in another group: the uniforms of group 0 go on. */
    gpool_stats before = fixture_stats(r.f);
    put(&r, "lib.wgsl",
        "@group(1) @binding(2) var<storage, read> more: array<u32>;\n"
        "fn part(x: u32) -> f32 { return f32((x + more[0]) & 255u) / 255.0; }\n");
    while (fixture_stats(r.f).reloads == before.reloads) {
        assert_good(gpool_begin_frame(r.f->pool));
        assert_good(gpool_end_frame(r.f->pool));
    }
    gpool_shader_slot slot;
    assert_good(gpool_shader_binding(r.f->pool, r.shader, "more", &slot));
    assert_int_equal(slot.group, 1);
    assert_int_equal(slot.binding, 2);
    const uint32_t two[64] = { 2 };
    gpool_buffer buffer = fixture_buffer(r.f, two, sizeof two, GPOOL_BUFFER_STORAGE);
    static const float factor[4] = { 1, 1, 1, 1 };
    assert_good(gpool_begin_frame(r.f->pool));
    gpool_recorder rec = gpool_frame_recorder(r.f->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = r.target } });
    gpool_set_pipeline(rec, r.pipelines[0]);
    gpool_set_uniforms(rec, 0, factor, sizeof factor);
    gpool_set_bindings(rec, slot.group, (gpool_layout){ 0 },
                       &(gpool_binding){ .binding = slot.binding, .buffer = buffer }, 1, NULL, 0);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(r.f->pool));
    assert_pixel(r.f, r.target, 0, 0, 0x020203ff);
    /* And back. */
    before = fixture_stats(r.f);
    put(&r, "lib.wgsl", lib_text);
    while (fixture_stats(r.f).reloads == before.reloads) {
        assert_good(gpool_begin_frame(r.f->pool));
        assert_good(gpool_end_frame(r.f->pool));
    }
    assert_int_equal(drawn(&r, 0), 1);
}

/* Row 27. GPOOL_TEST_CUTS sets how many. */
static void cut_files_never_reach_the_screen(void **state)
{
    const char *given = getenv("GPOOL_TEST_CUTS");
    const uint32_t count = given != NULL ? (uint32_t)strtoul(given, NULL, 0) : 200;
    uint64_t seed = fixture_seed(27);
    reloaded r;
    open_reloaded(&r, state, 2);
    uint32_t number = 1;
    assert_int_equal(drawn(&r, 0), number);
    assert_int_equal(drawn(&r, 1), number);
    char text[1024];
    char last[1024] = "";
    uint32_t whole_count = 0;
    const uint64_t bytes = fixture_stats(r.f).cpu_bytes;
    for (uint32_t i = 0; i < count; ++i) {
        const uint32_t next = 2 + (i & 0xfffffu);
        const uint32_t size = (uint32_t)snprintf(text, sizeof text, RELOAD_TEXT, next);
        const uint32_t cut = fixture_random(&seed, size + size / 8);
        const bool whole = cut + 1 >= size; /* but for the last line break */
        if (!whole) {
            text[cut] = '\0';
        }
        if (strcmp(text, last) == 0) {
            continue; /* no change */
        }
        memcpy(last, text, sizeof last);
        const gpool_stats before = fixture_stats(r.f);
        put(&r, "main.wgsl", text);
        settle(&r, before, number, whole ? next : number);
        assert_int_equal(fixture_stats(r.f).reloads - before.reloads, whole);
        number = whole ? next : number;
        whole_count += whole;
        assert_int_equal(drawn(&r, i & 1), number);
        assert_int_equal(info_of(&r).status, GPOOL_OK);
        memset(&r.f->log, 0, sizeof r.f->log);
    }
    print_message("%u of %u were whole\n", whole_count, count);
    assert_true(whole_count > 0);
    /* Idle entries fill up to their cap; a source, a recipe and a message for each are far below it. */
    assert_true(fixture_stats(r.f).cpu_bytes <= bytes + UINT64_C(1024) * 8192);
}

int gpu_reload_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(the_old_picture_stays_until_the_swap),
        FIXTURE_TEST(what_is_bound_may_change_with_the_text),
        FIXTURE_TEST(cut_files_never_reach_the_screen),
    };
    return FIXTURE_RUN("reload", tests);
}
