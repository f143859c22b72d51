/* Numbers of what is compiled: times of waits, sizes of virtual files. */
#include "bounds.h"

static void times_of_waits_for_compiles(void **state)
{
    bounds_world w;
    bounds_open_desc(&w, &(sim_desc){ .personality = bounds_personality(state) },
                     &(gpool_desc){ .compile_workers = 2 });
    bounds_set times = bounds_values(1000);
    bounds_set_add(&times, UINT64_MAX);
    for (uint32_t i = 0; i < times.count; ++i) {
        char text[64];
        (void)snprintf(text, sizeof text, "const n = %uu; fn main() {}", i);
        gpool_shader shader = gpool_shader_create(w.pool, &(gpool_shader_desc){ .wgsl = text });
        gpool_pipeline pipeline = gpool_compute_pipeline_create(
            w.pool, &(gpool_compute_pipeline_desc){ .shader = shader, .entry = "main" });
        w.what = "gpool_shader_wait";
        /* Any time will do to be told one of two things; a second wait has all the time there is. */
        gpool_result got = gpool_shader_wait(w.pool, shader, times.v[i]);
        bounds_must(&w, got == GPOOL_OK || got == GPOOL_ERROR_TIMEOUT, "it is there or late",
                    times.v[i], 0);
        w.what = "gpool_pipeline_wait";
        got = gpool_pipeline_wait(w.pool, pipeline, times.v[i]);
        bounds_must(&w, got == GPOOL_OK || got == GPOOL_ERROR_TIMEOUT, "it is there or late",
                    times.v[i], 0);
        bounds_must(&w, got == GPOOL_OK || times.v[i] < 10000000, "the time is not cut short",
                    times.v[i], 0);
        bounds_good(&w, gpool_pipeline_wait(w.pool, pipeline, UINT64_MAX));
        bounds_good(&w, gpool_pipeline_destroy(w.pool, pipeline));
        bounds_good(&w, gpool_shader_destroy(w.pool, shader));
    }
    bounds_settle(&w);
    bounds_close(&w);
}

static void sizes_of_virtual_files(void **state)
{
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    const uint64_t most = (uint64_t)16 << 20;
    char text[4096];
    memset(text, '/', sizeof text);
    bounds_set sizes = bounds_values(most);
    for (uint32_t i = 0; i < sizes.count; ++i) {
        if (sizes.v[i] > 4096 && sizes.v[i] <= most) {
            continue; /* the allocator of this world has not so much */
        }
        bounds_oracle o = { 0 };
        bounds_rule(&o, sizes.v[i] > most, GPOOL_ERROR_LIMIT, sizes.v[i]);
        bounds_before(&w, "gpool_shader_set_file");
        gpool_result got = gpool_shader_set_file(w.pool, "a.wgsl", text, (size_t)sizes.v[i]);
        (void)bounds_after(&w, &o, got, sizes.v[i], most);
    }
    bounds_good(&w, gpool_shader_set_file(w.pool, "a.wgsl", NULL, SIZE_MAX)); /* taken away */
    bounds_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOUNDS_TEST(times_of_waits_for_compiles),
        BOUNDS_TEST(sizes_of_virtual_files),
    };
    return cmocka_run_group_tests_name("bounds of compiling", tests, NULL, NULL);
}
