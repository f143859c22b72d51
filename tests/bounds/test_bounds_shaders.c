/* Numbers of shaders and pipelines: how long to wait, sizes of texts, counts of definitions. */
#include "bounds.h"

#include <string.h>

static const char wgsl[] = "@compute @workgroup_size(1) fn main() {}\n";

static void times_of_waits_for_compiles(void **state)
{
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    gpool_shader shader =
        gpool_shader_create(w.pool, &(gpool_shader_desc){ .wgsl = wgsl, .label = "shader" });
    gpool_pipeline pipeline = gpool_compute_pipeline_create(
        w.pool, &(gpool_compute_pipeline_desc){ .shader = shader, .label = "pipeline" });
    bounds_set values = bounds_values(0);
    for (uint32_t i = 0; i < values.count; ++i) {
        /* This world compiles at once: any time will do. */
        bounds_good(&w, gpool_shader_wait(w.pool, shader, values.v[i]));
        bounds_good(&w, gpool_pipeline_wait(w.pool, pipeline, values.v[i]));
    }
    bounds_good(&w, gpool_pipeline_destroy(w.pool, pipeline));
    bounds_good(&w, gpool_shader_destroy(w.pool, shader));
    bounds_close(&w);
}

static void sizes_of_virtual_files(void **state)
{
    static char text[1024];
    const uint64_t most = UINT64_C(16) << 20;
    memset(text, ' ', sizeof text);
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    bounds_set values = bounds_values(most);
    for (uint32_t i = 0; i < values.count; ++i) {
        if (values.v[i] > sizeof text && values.v[i] <= most) {
            continue; /* read in full, and there is no more */
        }
        bounds_oracle o = { 0 };
        bounds_rule(&o, values.v[i] > most, GPOOL_ERROR_LIMIT, values.v[i]);
        bounds_before(&w, "gpool_shader_set_file");
        gpool_result got = gpool_shader_set_file(w.pool, "blank.wgsl", text, (size_t)values.v[i]);
        (void)bounds_after(&w, &o, got, values.v[i], 0);
    }
    bounds_close(&w);
}

static void sizes_of_sources_and_counts_of_definitions(void **state)
{
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    static gpool_define defines[1025];
    static char names[1025][8];
    for (uint32_t i = 0; i < 1025; ++i) {
        (void)snprintf(names[i], sizeof names[i], "n%u", i);
        defines[i].name = names[i];
    }
    bounds_set values = bounds_values32(1024);
    for (uint32_t i = 0; i < values.count; ++i) {
        uint32_t count = (uint32_t)values.v[i];
        gpool_shader_desc desc = { .wgsl = wgsl, .defines = defines, .define_count = count };
        bounds_before(&w, "gpool_shader_create");
        gpool_shader shader = gpool_shader_create(w.pool, &desc);
        bounds_must(&w, (shader.id != 0) == (count <= 1024), "as many as are allowed", count, 0);
        if (shader.id == 0) {
            assert_same(gpool_last_error(w.pool)->code, GPOOL_ERROR_INVALID_ARGUMENT);
        } else {
            bounds_good(&w, gpool_shader_status(w.pool, shader));
            bounds_good(&w, gpool_shader_destroy(w.pool, shader));
        }
    }
    bounds_close(&w);
}

static void numbers_of_files_of_shaders(void **state)
{
    static const char *const names[] = { "a.wgsl", "b.wgsl" };
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    bounds_good(&w, gpool_shader_set_file(w.pool, names[0], "", 0));
    bounds_good(&w, gpool_shader_set_file(w.pool, names[1], "", 0));
    gpool_shader shader = gpool_shader_create(
        w.pool, &(gpool_shader_desc){ .wgsl = "#include \"a.wgsl\"\n#include \"b.wgsl\"\n" });
    bounds_good(&w, gpool_shader_status(w.pool, shader));
    bounds_set values = bounds_values32(2);
    for (uint32_t i = 0; i < values.count; ++i) {
        const char *name = gpool_shader_file(w.pool, shader, (uint32_t)values.v[i]);
        if (values.v[i] < UNIT_COUNT(names)) {
            assert_non_null(name);
            assert_string_equal(name, names[values.v[i]]);
        } else {
            assert_null(name);
        }
    }
    bounds_good(&w, gpool_shader_destroy(w.pool, shader));
    bounds_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOUNDS_TEST(times_of_waits_for_compiles),
        BOUNDS_TEST(sizes_of_virtual_files),
        BOUNDS_TEST(numbers_of_files_of_shaders),
        BOUNDS_TEST(sizes_of_sources_and_counts_of_definitions),
    };
    return cmocka_run_group_tests_name("bounds of shaders", tests, NULL, NULL);
}
