/* A run that saves what it compiled, and one that compiles it ahead. */
#define _DEFAULT_SOURCE /* mkdtemp */

#include "fault.h"

#include <stdio.h>
#include <stdlib.h>

static char warm_folder[] = "/tmp/gpool-fault-warm-XXXXXX";

static void warm_remove_folder(void)
{
    char command[64];
    (void)snprintf(command, sizeof command, "rm -r %s", warm_folder);
    (void)!system(command);
}

/* An empty store for all runs; its own memory is not swept here. */
static void warm_empty(void)
{
    static bool made;
    gpool_store *store = NULL;
    if (!made) {
        if (mkdtemp(warm_folder) == NULL) {
            abort();
        }
        (void)atexit(warm_remove_folder);
        made = true;
    }
    if (gpool_store_open(&(gpool_store_desc){ .directory = warm_folder }, &store) != GPOOL_OK ||
        gpool_store_clear(store) != GPOOL_OK) {
        abort();
    }
    gpool_store_close(store);
}

static void warm_use(fault_world *w)
{
    gpool_shader_desc fill = { .wgsl = fault_fill_wgsl, .label = "fill" };
    gpool_shader_desc twice = { .wgsl = fault_double_wgsl, .label = "twice" };
    gpool_shader shaders[2];
    shaders[0] = FAULT_MAKE(w, gpool_shader, gpool_shader_create(w->pool, &fill));
    shaders[1] = FAULT_MAKE(w, gpool_shader, gpool_shader_create(w->pool, &twice));
    gpool_render_pipeline_desc render = { .shader = shaders[0],
                                          .colors[0].format = WGPUTextureFormat_RGBA8Unorm,
                                          .depth.format = WGPUTextureFormat_Depth32Float,
                                          .samples = 1,
                                          .label = "filled" };
    gpool_compute_pipeline_desc compute = { .shader = shaders[1], .label = "doubled" };
    (void)FAULT_MAKE(w, gpool_pipeline, gpool_render_pipeline_create(w->pool, &render));
    (void)FAULT_MAKE(w, gpool_pipeline, gpool_compute_pipeline_create(w->pool, &compute));
    (void)FAULT_DO(w, 0, gpool_begin_frame(w->pool));
    (void)FAULT_DO(w, 0, gpool_end_frame(w->pool));
}

static bool warm_told(void *user, const gpool_warm_up_report *report)
{
    *(gpool_warm_up_report *)user = *report;
    return true;
}

static void warm_runs(fault_world *w, gpool_store *store)
{
    gpool *first = w->pool;
    for (int run = 0; run < 2; ++run) {
        gpool_desc desc = fault_pool_desc(w);
        desc.store = store;
        desc.program = "swept";
        gpool *pool = NULL;
        if (!FAULT_DO(w, 0, gpool_create(w->device, &desc, &pool))) {
            continue;
        }
        (void)fault_use(w, pool);
        gpool_warm_up_report report = { 0 };
        if (FAULT_DO(w, 0, gpool_warm_up(w->pool, NULL, warm_told, &report))) {
            FAULT_EXPECT(w, report.done == report.modules + report.pipelines);
        }
        warm_use(w);
        gpool_stats stats = { 0 };
        (void)gpool_get_stats(w->pool, &stats);
        if (run == 1 && w->hits == 0 && fault_is_whole(w) && w->point.target == FAULT_NOTHING) {
            FAULT_EXPECT(w, report.modules == 2 && report.pipelines == 2 && report.used == 2);
            FAULT_EXPECT(w, stats.shader_misses == 2 && stats.pipeline_misses == 2);
        }
        while (w->thing_count > 0) {
            fault_destroy(w, w->things[0].id);
        }
        fault_destroy_pool(w, first);
    }
}

static gpool_result scenario_warm_up(fault_world *w)
{
    uint64_t leaks = w->log_counts[GPOOL_LOG_LEAK];
    warm_empty();
    gpool_store_desc desc = { .directory = warm_folder, .allocator = fault_hooks(&w->pool_memory) };
    gpool_store *store = NULL;
    gpool_result result = gpool_store_open(&desc, &store);
    if (result == GPOOL_OK) {
        warm_runs(w, store);
    } else {
        w->result = result;
    }
    gpool_store_close(store);
    w->log_counts[GPOOL_LOG_LEAK] = leaks;
    return fault_end(w);
}

FAULT_SWEEP(warm_up, scenario_warm_up)
