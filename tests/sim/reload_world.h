/* Files on disk and virtual ones, and what of them is drawn, for tests of reloads. */
#ifndef GPOOL_TESTS_RELOAD_WORLD_H
#define GPOOL_TESTS_RELOAD_WORLD_H

#include "compile_world.h"

#include <unistd.h>

static char reload_folder[256];

/** Makes a folder of the test's own. */
static inline void reload_make_folder(void)
{
    (void)snprintf(reload_folder, sizeof reload_folder, "/tmp/gpool-reload-XXXXXX");
    assert_non_null(mkdtemp(reload_folder));
}

static inline const char *reload_path(const char *name)
{
    static char paths[4][512];
    static uint32_t used;
    char *path = paths[used++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", reload_folder, name);
    return path;
}

static inline void reload_write(const char *name, const char *text)
{
    FILE *file = fopen(reload_path(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static inline void reload_remove_folder(const char *const *names, uint32_t count)
{
    for (uint32_t i = 0; i < count; ++i) {
        (void)remove(reload_path(names[i]));
    }
    assert_int_equal(rmdir(reload_folder), 0);
}

static inline void reload_set(sim_pool *p, const char *name, const char *text)
{
    assert_same(gpool_shader_set_file(p->pool, name, text, text != NULL ? strlen(text) : 0),
                GPOOL_OK);
}

/** A file for includes that has a number in it. */
static inline const char *reload_lib(const char *name, uint64_t number)
{
    static char texts[8][256];
    static uint32_t used;
    char *text = texts[used++ % 8];
    (void)snprintf(text, sizeof texts[0], "// %s\nconst %s = %lluu; // end\n", name, name,
                   (unsigned long long)number);
    return text;
}

#define RELOAD_MAIN                                                                                \
    "@vertex fn vs() -> @builtin(position) vec4f { return vec4f(f32(number)); }\n"                 \
    "@fragment fn fs() -> @location(0) vec4f { return vec4f(1.0); }\n"

/** Includes number.wgsl. */
static const char reload_main[] = "#include \"number.wgsl\"\n" RELOAD_MAIN;

/** Frames until the reload under way is over. */
static inline void reload_settle(sim_pool *p)
{
    do {
        gpool__sleep_ns(50000);
        sim_pool_frame(p);
    } while (p->pool->shaders->reloading || sim_pool_stats(p).compiles_pending > 0);
    sim_pool_frame(p);
}

static inline gpool__pipeline *reload_pipeline_of(const sim_pool *p, gpool_pipeline handle)
{
    gpool__pipeline *pipeline =
        (gpool__pipeline *)gpool__table_get(&p->pool->tables[GPOOL_KIND_PIPELINE], handle.id);
    assert_non_null(pipeline);
    return pipeline;
}

/** The number behind "const name = " in a module's text; UINT64_MAX = none. */
static inline uint64_t reload_number_of(const gpool__module *module, const char *name)
{
    char wanted[64];
    (void)snprintf(wanted, sizeof wanted, "const %s = ", name);
    const char *at = module != NULL ? strstr(module->text, wanted) : NULL;
    return at != NULL ? strtoull(at + strlen(wanted), NULL, 10) : UINT64_MAX;
}

static inline uint64_t reload_in_use(const sim_pool *p, gpool_shader shader)
{
    return reload_number_of(compile_in_use(p, shader), "number");
}

/** Draws, and tells the number in the text of what was drawn with. */
static inline uint64_t reload_drawn(sim_pool *p, gpool_pipeline handle, gpool_texture target)
{
    const uint64_t before = sim_draw_count(p->s);
    assert_same(compile_draw(p, handle, target, false), GPOOL_OK);
    assert_int_equal(sim_draw_count(p->s), before + 1);
    sim_draw draw;
    assert_true(sim_get_draw(p->s, before, &draw));
    const gpool__pipeline *pipeline = reload_pipeline_of(p, handle);
    for (uint32_t i = 0; i < pipeline->variant_count; ++i) {
        const gpool__program *program = pipeline->variants[i].program;
        if (program->base.gpu == draw.pipeline) {
            return reload_number_of(program->recipe.vertex, "number");
        }
    }
    fail_msg("what was drawn with is no variant");
    return 0;
}

static inline gpool_shader_info reload_info(sim_pool *p, gpool_shader shader)
{
    gpool_shader_info info;
    assert_same(gpool_shader_get_info(p->pool, shader, &info), GPOOL_OK);
    return info;
}

#endif
