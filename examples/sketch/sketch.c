/* sketch.c: gpool-sketch, the sketch without a window: draws frames, prints a table, writes a PNG. */
#include "first_frame.h"
#include "heap_map.h"
#include "options.h"
#include "picture.h"
#include "rehearsal.h"
#include "run_report.h"
#include "scene.h"

#include <stdio.h>

/* Everything the program holds. */
typedef struct program {
    gpool_device *device;
    gpool *pool;
    scene *all;
    gpool_texture target;
    report *rep;
    rehearsal *reload;  /* NULL = none is asked for */
    gpool_store *store; /* NULL = nothing is kept */
    first_frame first;
} program;

static bool fail(const program *run, const char *what)
{
    fprintf(stderr, "gpool-sketch: %s: %s\n", what, gpool_last_error(run->pool)->message);
    return false;
}

static bool start(program *run, const options *chosen)
{
    run->first.begin = first_frame_now();
    if (chosen->cache != NULL && gpool_store_open(&(gpool_store_desc){ .directory = chosen->cache },
                                                  &run->store) != GPOOL_OK) {
        fprintf(stderr, "gpool-sketch: no memory for the store\n");
        return false;
    }
    gpool_result result = gpool_device_open(
        &(gpool_device_desc){ .library = chosen->library, .adapter = chosen->adapter },
        &run->device);
    if (result == GPOOL_OK) {
        result =
            gpool_create(run->device,
                         &(gpool_desc){ .label = "sketch",
                                        .measure = true,
                                        /* Software drivers on a busy machine take their time. */
                                        .wait_timeout_ms = 60000,
                                        .shader_watch_ms = 100,
                                        .store = run->store,
                                        .program = "gpool-sketch" },
                         &run->pool);
    }
    if (result != GPOOL_OK) {
        fprintf(stderr, "gpool-sketch: no device: %s (the lines above say more)\n",
                gpool_result_text(result));
        return false;
    }
    run->first.device = first_frame_now() - run->first.begin;
    if (!first_frame_warm_up(&run->first, run->pool)) {
        return false;
    }
    double scene_begin = first_frame_now();
    const char *shaders = chosen->shaders;
    if (chosen->reload != NULL) {
        run->reload = rehearsal_create(chosen->shaders, chosen->reload, chosen->frames);
        if (run->reload == NULL) {
            return false; /* it said why */
        }
        shaders = chosen->reload;
    }
    run->all = scene_create(run->pool, &(scene_desc){ .shaders = shaders,
                                                      .models = chosen->models,
                                                      .model = chosen->model,
                                                      .move = chosen->move });
    if (run->all == NULL) {
        return false; /* it said why */
    }
    run->target = gpool_texture_create(
        run->pool, &(gpool_texture_desc){ .width = chosen->width,
                                          .height = chosen->height,
                                          .format = WGPUTextureFormat_RGBA8Unorm,
                                          .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK,
                                          .label = "picture" });
    if (scene_set_target(run->all, WGPUTextureFormat_RGBA8Unorm, chosen->width, chosen->height) !=
        GPOOL_OK) {
        return fail(run, "no targets");
    }
    run->first.scene = first_frame_now() - scene_begin;
    run->rep = report_create(run->pool, chosen->frames);
    return run->rep != NULL;
}

/* Counts up whenever the sketch itself makes or resizes something. */
static uint64_t things_made(const scene *all)
{
    scene_counts counts = scene_get_counts(all);
    return counts.generator.textures_made + counts.generator.resizes;
}

static bool draw_frame_of(program *run, uint32_t number)
{
    if (run->reload != NULL && !rehearsal_step(run->reload, number, run->pool)) {
        return false; /* it said why */
    }
    if (gpool_begin_frame(run->pool) != GPOOL_OK) {
        return fail(run, "a frame cannot begin");
    }
    gpool_result updated = scene_update(run->all, number);
    if (updated == GPOOL_OK) {
        scene_draw(run->all, run->target);
    }
    gpool_result ended = gpool_end_frame(run->pool);
    if (run->reload != NULL) {
        rehearsal_look(run->reload, number, run->pool, scene_shader(run->all));
    }
    return updated == GPOOL_OK && ended == GPOOL_OK ? true : fail(run, "a frame failed");
}

static bool save(program *run, const options *chosen)
{
    picture image;
    if (!picture_init(&image, chosen->width, chosen->height)) {
        fprintf(stderr, "gpool-sketch: no memory for the picture\n");
        return false;
    }
    size_t size = (size_t)image.width * image.height * 4u;
    bool ok = gpool_texture_read(run->pool, run->target, NULL, image.texels, size) == GPOOL_OK;
    ok = ok ? picture_write(&image, chosen->out) : fail(run, "the picture cannot be read back");
    picture_fini(&image);
    if (ok && chosen->heap != NULL) {
        ok = heap_map_write(run->pool, scene_heap(run->all), chosen->heap);
    }
    return ok;
}

static void stop(program *run)
{
    rehearsal_destroy(run->reload);
    report_destroy(run->rep);
    scene_destroy(run->all);
    gpool_texture_destroy(run->pool, run->target);
    gpool_destroy(run->pool);
    gpool_device_release(run->device);
    gpool_store_close(run->store);
}

int main(int argc, char **argv)
{
    options chosen;
    int code = options_read(&chosen, OPTIONS_SKETCH, argc, argv);
    if (code >= 0) {
        return code;
    }
    program run = { 0 };
    bool ok = start(&run, &chosen);
    for (uint32_t i = 1; ok && i <= chosen.frames; ++i) {
        uint64_t made = things_made(run.all);
        report_begin_frame(run.rep);
        ok = draw_frame_of(&run, i);
        if (i == 1) {
            first_frame_done(&run.first, run.pool);
        }
        report_end_frame(run.rep, run.all, things_made(run.all) != made);
        report_progress(run.rep);
    }
    /* A fast GPU is through before the compiler is. */
    for (uint32_t i = 1; ok && run.reload != NULL && !rehearsal_is_over(run.reload) && i <= 100000;
         ++i) {
        ok = draw_frame_of(&run, chosen.frames + i);
    }
    if (ok && save(&run, &chosen)) {
        report_print(run.rep, run.all, chosen.out);
        if (chosen.heap != NULL) {
            printf("%-28s %s\n", "heap", chosen.heap);
        }
        first_frame_print(&run.first);
        ok = run.reload == NULL || rehearsal_print(run.reload);
    } else {
        ok = false;
    }
    stop(&run);
    return ok ? 0 : 1;
}
