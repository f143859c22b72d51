/*
 * Shaders, their files and pipelines against a plain model: which text is in use, versions, states,
 * how often something was compiled. Arguments: a seed, and the number of operations.
 */
#include "sim/sim.h"
#include "unit.h"

#include "shader/shader_state.h"

#include <gpool/gpool.h>

#define FILES     5u
#define KINDS     6u
#define SHADERS   6u
#define PIPELINES 6u
#define CONTENTS  9u /* 0 = absent, 1 to 4 good, 5 and 6 do not compile, 7 and 8 are no directive */
#define CODES     (SHADERS + 2 * PIPELINES + 1)
#define NO_TEXT   (-1)

/* --- model --- */

/* A text is a kind with the contents of its two files. */
typedef struct model_code {
    uint32_t users; /* 0 = free */
    uint64_t id;
    uint32_t kind;
    int text;        /* in use; NO_TEXT = none */
    uint64_t module; /* its number */
    bool broken;     /* what is in use did not compile, or there is nothing */
    uint32_t version;
    bool stale;
    bool forced;
    uint32_t seen[2]; /* contents of its files that it knows of */
    bool touched;     /* one of them became another since they were read */
    uint32_t seen_count;
    int fresh;
    uint64_t fresh_module;
    bool remade;
} model_code;

typedef struct model_pipeline {
    bool alive;
    uint32_t codes[2];
    uint32_t version;
} model_pipeline;

typedef struct model {
    uint32_t files[FILES];
    model_code codes[CODES];
    uint32_t shaders[SHADERS]; /* code + 1; 0 = free */
    model_pipeline pipelines[PIPELINES];
    uint64_t cache[KINDS * CONTENTS * CONTENTS]; /* number of the module of a text; 0 = none */
    uint64_t modules;
    uint64_t ids;
    uint64_t misses;
    uint64_t reloads;
    uint64_t failed_reloads;
    bool held;
} model;

static uint32_t kind_file(uint32_t kind, uint32_t i)
{
    return i == 0 ? kind % FILES : (kind * 2 + 3) % FILES;
}

static bool is_broken_text(int text)
{
    const uint32_t a = (uint32_t)text / CONTENTS % CONTENTS;
    const uint32_t b = (uint32_t)text % CONTENTS;
    return a >= 5 || b >= 5;
}

/* Expands: the text, or NO_TEXT; reads files up to the first that is wrong. */
static int model_expand(model *m, model_code *code)
{
    uint32_t contents[2] = { 0 };
    code->seen_count = 0;
    code->touched = false;
    for (uint32_t i = 0; i < 2; ++i) {
        contents[i] = m->files[kind_file(code->kind, i)];
        if (i == 1 && kind_file(code->kind, 1) == kind_file(code->kind, 0)) {
            break; /* each include once */
        }
        code->seen[i] = contents[i];
        code->seen_count = i + 1;
        if (contents[i] == 0 || contents[i] >= 7) {
            return NO_TEXT;
        }
    }
    return (int)((code->kind * CONTENTS + contents[0]) * CONTENTS + contents[1]);
}

/* The module of a text, found or made behind `after`. */
static uint64_t model_get(model *m, int text, uint64_t after)
{
    if (m->cache[text] > after) {
        return m->cache[text];
    }
    m->misses += 1;
    m->modules += 1;
    m->cache[text] = is_broken_text(text) ? 0 : m->modules;
    return m->modules;
}

static uint32_t model_make(model *m, uint32_t kind)
{
    uint32_t at = 0;
    while (m->codes[at].users > 0) {
        at += 1;
    }
    model_code *code = &m->codes[at];
    *code =
        (model_code){ .users = 1, .id = ++m->ids, .kind = kind, .version = 1, .fresh = NO_TEXT };
    code->text = model_expand(m, code);
    code->module = code->text != NO_TEXT ? model_get(m, code->text, 0) : 0;
    code->broken = code->text == NO_TEXT || is_broken_text(code->text);
    return at;
}

/* A file is another one: also one that is taken back is seen. */
static void model_set_file(model *m, uint32_t file, uint32_t content)
{
    m->files[file] = content;
    for (uint32_t i = 0; i < CODES; ++i) {
        model_code *code = &m->codes[i];
        for (uint32_t k = 0; k < code->seen_count && code->users > 0; ++k) {
            if (kind_file(code->kind, k) == file) {
                code->touched = code->touched || code->seen[k] != content;
                code->seen[k] = content;
            }
        }
    }
}

/* The newest code that is older than one; NULL = none. */
static model_code *model_older(model *m, uint64_t id)
{
    model_code *newest = NULL;
    for (uint32_t i = 0; i < CODES; ++i) {
        model_code *code = &m->codes[i];
        if (code->users > 0 && code->id < id && (newest == NULL || code->id > newest->id)) {
            newest = code;
        }
    }
    return newest;
}

/* Reads and compiles what is stale, the newest first; true when all of it is good. */
static bool model_try(model *m)
{
    const uint64_t since = m->modules;
    bool good = true;
    bool read = true;
    for (model_code *code = model_older(m, UINT64_MAX); code != NULL;
         code = model_older(m, code->id)) {
        if (!code->stale) {
            continue;
        }
        const int text = model_expand(m, code);
        if (text == NO_TEXT) {
            read = false;
            continue;
        }
        const uint64_t module = model_get(m, text, code->forced ? since : 0);
        code->stale = false;
        code->remade = code->forced;
        code->forced = false;
        if (module != code->module) {
            code->fresh = text;
            code->fresh_module = module;
            good = good && !is_broken_text(text);
        }
    }
    return good && read;
}

static bool model_newest_is_good(const model_code *code)
{
    return code->fresh != NO_TEXT ? !is_broken_text(code->fresh) : !code->broken;
}

static void model_swap(model *m)
{
    bool any = false;
    for (uint32_t i = 0; i < PIPELINES; ++i) {
        model_pipeline *pipeline = &m->pipelines[i];
        const model_code *a = &m->codes[pipeline->codes[0]];
        const model_code *b = &m->codes[pipeline->codes[1]];
        if (pipeline->alive && model_newest_is_good(a) && model_newest_is_good(b) &&
            (a->fresh != NO_TEXT || b->fresh != NO_TEXT)) {
            pipeline->version += 1;
        }
    }
    for (uint32_t i = 0; i < CODES; ++i) {
        model_code *code = &m->codes[i];
        if (code->users > 0 && code->fresh != NO_TEXT) {
            code->text = code->fresh;
            code->module = code->fresh_module;
            code->broken = false;
            code->version += 1;
            code->fresh = NO_TEXT;
            any = true;
        }
    }
    m->reloads += any;
}

static void model_frame(model *m)
{
    bool any = false;
    for (uint32_t i = 0; i < CODES; ++i) {
        model_code *code = &m->codes[i];
        if (code->users > 0 && code->touched) {
            code->stale = true;
            code->touched = false;
            m->held = false;
        }
        any = any || (code->users > 0 && code->stale);
    }
    if (!any || m->held) {
        return;
    }
    if (model_try(m)) {
        model_swap(m);
        return;
    }
    m->failed_reloads += 1;
    m->held = true;
    for (uint32_t i = 0; i < CODES; ++i) {
        model_code *code = &m->codes[i];
        if (code->users > 0 && code->fresh != NO_TEXT) {
            code->fresh = NO_TEXT;
            code->stale = true;
            code->forced = code->forced || code->remade;
        }
    }
}

/* --- the pool beside it --- */

typedef struct run {
    model m;
    sim *s;
    gpool_device *device;
    gpool *pool;
    bool exact; /* no workers: counts are told, too */
    gpool_shader shaders[SHADERS];
    gpool_pipeline pipelines[PIPELINES];
    gpool_texture target;
    unit_allocator allocator;
    uint64_t random;
} run;

static void on_log(void *user, const gpool_log_record *record)
{
    (void)user;
    (void)record;
}

static uint32_t below(run *r, uint32_t limit)
{
    return (uint32_t)unit_random_below(&r->random, limit);
}

static void do_frame(run *r)
{
    gpool_stats stats;
    do {
        assert_same(gpool_begin_frame(r->pool), GPOOL_OK);
        assert_same(gpool_end_frame(r->pool), GPOOL_OK);
        assert_same(gpool_get_stats(r->pool, &stats), GPOOL_OK);
        if (r->pool->shaders->reloading || stats.compiles_pending > 0) {
            gpool__sleep_ns(20000);
        }
    } while (r->pool->shaders->reloading || stats.compiles_pending > 0);
    model_frame(&r->m);
}

static void do_deletions(run *r)
{
    gpool_stats stats;
    do {
        (void)gpool_process_deletions(r->pool);
        assert_same(gpool_get_stats(r->pool, &stats), GPOOL_OK);
    } while (stats.retired_count > 0);
}

static void do_set_file(run *r)
{
    const uint32_t file = below(r, FILES);
    const uint32_t content = below(r, 3) != 0 ? 1 + below(r, 4) : below(r, CONTENTS);
    char name[16];
    char text[64];
    (void)snprintf(name, sizeof name, "f%u.wgsl", file);
    (void)snprintf(text, sizeof text, "%sconst f%u = %uu; %s\n", content >= 7 ? "#else\n" : "",
                   file, content, content == 5 || content == 6 ? "(" : "");
    assert_same(gpool_shader_set_file(r->pool, name, content == 0 ? NULL : text, strlen(text)),
                GPOOL_OK);
    model_set_file(&r->m, file, content);
}

static void do_create_shader(run *r)
{
    const uint32_t at = below(r, SHADERS);
    if (r->m.shaders[at] != 0) {
        return;
    }
    const uint32_t kind = below(r, KINDS);
    char text[256];
    (void)snprintf(text, sizeof text,
                   "#include \"f%u.wgsl\"\n#include \"f%u.wgsl\"\nconst kind = %uu;\n"
                   "@vertex fn vs() {}\n@fragment fn fs() {}\n",
                   kind_file(kind, 0), kind_file(kind, 1), kind);
    r->shaders[at] = gpool_shader_create(r->pool, &(gpool_shader_desc){ .wgsl = text });
    assert_int_not_equal(r->shaders[at].id, 0);
    (void)gpool_shader_wait(r->pool, r->shaders[at], UINT64_MAX);
    r->m.shaders[at] = model_make(&r->m, kind) + 1;
}

static void do_create_pipeline(run *r)
{
    const uint32_t at = below(r, PIPELINES);
    const uint32_t a = below(r, SHADERS);
    const uint32_t b = below(r, SHADERS);
    model_pipeline *pipeline = &r->m.pipelines[at];
    if (pipeline->alive || r->m.shaders[a] == 0 || r->m.shaders[b] == 0) {
        return;
    }
    gpool_render_pipeline_desc desc = { .shader = r->shaders[a], .fragment_shader = r->shaders[b] };
    if (below(r, 2) == 0) {
        desc.colors[0].format = WGPUTextureFormat_RGBA8Unorm;
        desc.samples = 1;
    }
    r->pipelines[at] = gpool_render_pipeline_create(r->pool, &desc);
    assert_int_not_equal(r->pipelines[at].id, 0);
    (void)gpool_pipeline_wait(r->pool, r->pipelines[at], UINT64_MAX);
    *pipeline = (model_pipeline){ .alive = true,
                                  .codes = { r->m.shaders[a] - 1, r->m.shaders[b] - 1 },
                                  .version = 1 };
    r->m.codes[pipeline->codes[0]].users += 1;
    r->m.codes[pipeline->codes[1]].users += 1;
}

static void do_destroy(run *r)
{
    const uint32_t at = below(r, SHADERS + PIPELINES);
    if (at < SHADERS && r->m.shaders[at] != 0) {
        assert_same(gpool_shader_destroy(r->pool, r->shaders[at]), GPOOL_OK);
        r->m.codes[r->m.shaders[at] - 1].users -= 1;
        r->m.shaders[at] = 0;
    } else if (at >= SHADERS && r->m.pipelines[at - SHADERS].alive) {
        model_pipeline *pipeline = &r->m.pipelines[at - SHADERS];
        assert_same(gpool_pipeline_destroy(r->pool, r->pipelines[at - SHADERS]), GPOOL_OK);
        r->m.codes[pipeline->codes[0]].users -= 1;
        r->m.codes[pipeline->codes[1]].users -= 1;
        pipeline->alive = false;
    }
    do_deletions(r);
}

static void do_dirty(run *r)
{
    const uint32_t at = below(r, SHADERS);
    /* With workers it depends on how far they were whether an attempt that failed left its module for
     * the next one: which of two equal modules is in use then is not told by this model. */
    if (r->m.shaders[at] != 0 && r->exact) {
        assert_same(gpool_shader_dirty(r->pool, r->shaders[at]), GPOOL_OK);
        model_code *code = &r->m.codes[r->m.shaders[at] - 1];
        code->stale = true;
        code->forced = true;
        r->m.held = false;
    }
}

static void do_draw(run *r)
{
    const uint32_t at = below(r, PIPELINES);
    const model_pipeline *pipeline = &r->m.pipelines[at];
    if (!pipeline->alive || r->m.codes[pipeline->codes[0]].broken ||
        r->m.codes[pipeline->codes[1]].broken) {
        return;
    }
    const uint64_t draws = sim_draw_count(r->s);
    assert_same(gpool_begin_frame(r->pool), GPOOL_OK);
    gpool_recorder rec = gpool_frame_recorder(r->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = r->target } });
    gpool_set_pipeline(rec, r->pipelines[at]);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    assert_same(gpool_end_frame(r->pool), GPOOL_OK);
    assert_int_equal(sim_draw_count(r->s), draws + 1);
    do_frame(r); /* the one above saw what changed, this one ends it */
}

static void check_code(const gpool__code *code, const model_code *wanted)
{
    assert_int_equal(code->version, wanted->version);
    assert_int_equal(code->stale, wanted->stale);
    if (wanted->text == NO_TEXT) {
        assert_null(code->module);
        return;
    }
    assert_non_null(code->module);
    char part[64];
    const uint32_t contents[2] = { (uint32_t)wanted->text / CONTENTS % CONTENTS,
                                   (uint32_t)wanted->text % CONTENTS };
    for (uint32_t i = 0; i < 2; ++i) {
        (void)snprintf(part, sizeof part, "const f%u = %uu;", kind_file(wanted->kind, i),
                       contents[i]);
        assert_non_null(strstr(code->module->text, part));
    }
    (void)snprintf(part, sizeof part, "const kind = %uu;", wanted->kind);
    assert_non_null(strstr(code->module->text, part));
    assert_int_equal(code->module->base.result != GPOOL_OK, wanted->broken);
}

static void check_pipeline(run *r, uint32_t at)
{
    const model_pipeline *wanted = &r->m.pipelines[at];
    const gpool__pipeline *pipeline = (const gpool__pipeline *)gpool__table_get(
        &r->pool->tables[GPOOL_KIND_PIPELINE], r->pipelines[at].id);
    assert_non_null(pipeline);
    assert_int_equal(gpool_pipeline_version(r->pool, r->pipelines[at]), wanted->version);
    check_code(pipeline->vertex, &r->m.codes[wanted->codes[0]]);
    check_code(pipeline->fragment, &r->m.codes[wanted->codes[1]]);
    const bool broken = r->m.codes[wanted->codes[0]].broken || r->m.codes[wanted->codes[1]].broken;
    assert_same(gpool_pipeline_status(r->pool, r->pipelines[at]),
                broken ? GPOOL_ERROR_FAILED_RESOURCE : GPOOL_OK);
    for (uint32_t i = 0; i < pipeline->variant_count && !broken; ++i) {
        const gpool__program *program = pipeline->variants[i].program;
        assert_true(program->recipe.vertex == pipeline->vertex->module);
        assert_true(program->recipe.fragment == pipeline->fragment->module);
        assert_same(gpool__made_status(&program->base), GPOOL_OK);
        assert_null(pipeline->variants[i].fresh);
    }
}

static void check(run *r)
{
    gpool_stats stats;
    assert_same(gpool_get_stats(r->pool, &stats), GPOOL_OK);
    assert_int_equal(stats.reloads, r->m.reloads);
    assert_int_equal(stats.failed_reloads, r->m.failed_reloads);
    if (r->exact) {
        assert_int_equal(stats.shader_misses, r->m.misses);
    }
    for (uint32_t i = 0; i < SHADERS; ++i) {
        if (r->m.shaders[i] != 0) {
            const model_code *wanted = &r->m.codes[r->m.shaders[i] - 1];
            const gpool__shader *shader = (const gpool__shader *)gpool__table_get(
                &r->pool->tables[GPOOL_KIND_SHADER], r->shaders[i].id);
            check_code(shader->code, wanted);
            gpool_shader_info info;
            assert_same(gpool_shader_get_info(r->pool, r->shaders[i], &info), GPOOL_OK);
            assert_int_equal(info.status == GPOOL_OK, !wanted->broken);
            assert_true(wanted->stale || wanted->broken || info.reload_status == GPOOL_OK);
        }
    }
    for (uint32_t i = 0; i < PIPELINES; ++i) {
        if (r->m.pipelines[i].alive) {
            check_pipeline(r, i);
        }
    }
}

static uint64_t model_seed;
static uint64_t model_operations = 6000;

static void play(uint32_t workers, uint64_t operations)
{
    static run r;
    memset(&r, 0, sizeof r);
    r.random = model_seed + workers;
    r.exact = workers == GPOOL_WORKERS_NONE;
    r.s = sim_create(NULL);
    gpool_gpu table;
    sim_table(r.s, &table);
    assert_same(gpool_device_open(&(gpool_device_desc){ .gpu = &table }, &r.device), GPOOL_OK);
    gpool_desc desc = { .compile_workers = workers,
                        .delete_delay_frames = GPOOL_DELAY_NONE,
                        .recycle.off = true,
                        .log = on_log,
                        .allocator = unit_hooks(&r.allocator) };
    assert_same(gpool_create(r.device, &desc, &r.pool), GPOOL_OK);
    r.target =
        gpool_texture_create(r.pool, &(gpool_texture_desc){ .width = 2,
                                                            .format = WGPUTextureFormat_RGBA8Unorm,
                                                            .usage = GPOOL_TEXTURE_TARGET });
    for (uint64_t i = 0; i < operations; ++i) {
        const uint32_t choice = below(&r, 100);
        if (choice < 30) {
            do_set_file(&r);
        } else if (choice < 42) {
            do_create_shader(&r);
        } else if (choice < 54) {
            do_create_pipeline(&r);
        } else if (choice < 62) {
            do_destroy(&r);
        } else if (choice < 68) {
            do_dirty(&r);
        } else if (choice < 76 && r.exact) {
            do_draw(&r);
        } else {
            do_frame(&r);
        }
        check(&r);
    }
    print_message("%llu reloads, %llu failed, %llu compiled\n", (unsigned long long)r.m.reloads,
                  (unsigned long long)r.m.failed_reloads, (unsigned long long)r.m.misses);
    assert_true(r.m.reloads > 0 && r.m.failed_reloads > 0);
    gpool_destroy(r.pool);
    gpool_device_release(r.device);
    assert_int_equal(sim_fatal_count(r.s), 0);
    assert_int_equal(sim_live(r.s, SIM_KIND_NONE), 0);
    assert_int_equal(r.allocator.blocks, 0);
    assert_int_equal(r.allocator.wrong_sizes, 0);
    sim_destroy(r.s);
}

static void shaders_are_as_the_model_says(void **state)
{
    (void)state;
    play(GPOOL_WORKERS_NONE, model_operations);
}

static void shaders_of_workers_are_as_the_model_says(void **state)
{
    (void)state;
    play(1, model_operations / 4);
    play(8, model_operations / 4);
}

int main(int argc, char **argv)
{
    model_seed = unit_seed(argc, argv);
    model_operations = argc > 2 ? strtoull(argv[2], NULL, 0) : model_operations;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shaders_are_as_the_model_says),
        cmocka_unit_test(shaders_of_workers_are_as_the_model_says),
    };
    return cmocka_run_group_tests_name("shader_model", tests, NULL, NULL);
}
