/*
 * window.c: gpool-window, the sketch in a real window. The surface's texture of each frame is
 * taken into the pool, drawn to and given back; all else is the sketch's own code.
 */
#define _POSIX_C_SOURCE 200809L
#include "options.h"
#include "picture.h"
#include "scene.h"
#include "surface.h"

#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>
#include <poll.h>
#include <stdio.h>
#include <unistd.h>

/* Attempts in a row that may find no texture before the program gives up. */
#define WINDOW_PATIENCE 300u

/* Everything the program holds. */
typedef struct program {
    const options *chosen;
    gpool_gpu gpu;
    GLFWwindow *window;
    WGPUInstance instance;
    surface view;
    gpool_device *device;
    gpool *pool;
    scene *all;
    uint64_t shown;   /* frames shown so far */
    uint64_t skipped; /* attempts that found nothing to draw to */
} program;

static bool say(const char *what)
{
    fprintf(stderr, "gpool-window: %s\n", what);
    return false;
}

static bool fail(const program *run, const char *what)
{
    fprintf(stderr, "gpool-window: %s: %s\n", what, gpool_last_error(run->pool)->message);
    return false;
}

static void report_glfw(int code, const char *message)
{
    fprintf(stderr, "gpool-window: GLFW error %d: %s\n", code, message);
}

static bool open_window(program *run)
{
    glfwSetErrorCallback(report_glfw);
    if (!glfwInit()) {
        return say("there is no display to open a window on");
    }
    glfwWindowHint(GLFW_CLIENT_API, GLFW_NO_API); /* WebGPU brings its own */
    run->window =
        glfwCreateWindow((int)run->chosen->width, (int)run->chosen->height, "gpool", NULL, NULL);
    return run->window != NULL ? true : say("the window cannot be opened");
}

static bool open_pool(program *run)
{
    if (gpool_gpu_load(run->chosen->library, &run->gpu) != GPOOL_OK) {
        return false; /* the log said why */
    }
    run->instance = run->gpu.CreateInstance(NULL);
    if (run->instance == NULL) {
        return say("WebGPU gives no instance");
    }
    if (!surface_init(&run->view, &run->gpu, run->instance, run->window)) {
        return false;
    }
    gpool_result result = gpool_device_open(&(gpool_device_desc){ .gpu = &run->gpu,
                                                                  .instance = run->instance,
                                                                  .surface = run->view.raw,
                                                                  .adapter = run->chosen->adapter },
                                            &run->device);
    if (result == GPOOL_OK) {
        result = gpool_create(run->device, &(gpool_desc){ .label = "window" }, &run->pool);
    }
    if (result != GPOOL_OK) {
        return say(gpool_result_text(result));
    }
    return surface_choose_format(&run->view, run->device);
}

/* Draws frame `number` of the scene into a texture the pool knows. */
static bool draw_scene(program *run, gpool_texture target, uint64_t number)
{
    gpool_result result = scene_update(run->all, number);
    if (result == GPOOL_OK) {
        result = scene_set_target(run->all, run->view.format, run->view.width, run->view.height);
    }
    if (result == GPOOL_OK) {
        scene_draw(run->all, target);
    }
    return result == GPOOL_OK;
}

/* Takes the surface's texture in for this frame only, draws, and shows it when all went well. */
static bool show_frame(program *run)
{
    if (gpool_begin_frame(run->pool) != GPOOL_OK) {
        surface_finish(&run->view, false);
        return fail(run, "a frame cannot begin");
    }
    gpool_texture target =
        gpool_texture_import(run->pool, &(gpool_texture_import_desc){ .texture = run->view.current,
                                                                      .usage = GPOOL_TEXTURE_TARGET,
                                                                      .this_frame = true,
                                                                      .label = "surface" });
    bool drawn = target.id != 0 && draw_scene(run, target, run->shown + 1u);
    bool ok = gpool_end_frame(run->pool) == GPOOL_OK && drawn;
    if (!ok) {
        fail(run, "a frame failed");
    }
    return surface_finish(&run->view, ok) && ok;
}

/* For --resize-test: sizes by frame, and the surface given up and lost by hand. */
static bool disturb(program *run)
{
    static const struct size {
        uint64_t frame;
        int width, height;
    } sizes[] = { { 4, 640, 360 }, { 7, 301, 203 }, { 12, 1000, 600 } };
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; ++i) {
        if (run->shown == sizes[i].frame) {
            glfwSetWindowSize(run->window, sizes[i].width, sizes[i].height);
        }
    }
    if (run->shown == 15 && run->view.width != 0) {
        surface_unconfigure(&run->view);
    }
    if (run->shown == 18) {
        glfwSetWindowSize(run->window, (int)run->chosen->width, (int)run->chosen->height);
    }
    return run->shown != 20 || surface_recreate(&run->view);
}

/* One turn of the loop: shows a frame, or waits for a window that can be drawn to. */
static bool turn(program *run, uint32_t *misses)
{
    int width = 0, height = 0;
    glfwPollEvents();
    if (run->chosen->resize_test && !disturb(run)) {
        return false;
    }
    glfwGetFramebufferSize(run->window, &width, &height);
    if (width <= 0 || height <= 0) { /* minimised: nothing to draw to until something happens */
        run->skipped += 1;
        glfwWaitEventsTimeout(0.1);
        return true;
    }
    if (run->view.width != (uint32_t)width || run->view.height != (uint32_t)height ||
        run->view.suboptimal) {
        surface_configure(&run->view, (uint32_t)width, (uint32_t)height);
    }
    switch (surface_next(&run->view)) {
    case SURFACE_READY:
        *misses = 0;
        if (!show_frame(run)) {
            return false;
        }
        run->shown += 1;
        return true;
    case SURFACE_AGAIN:
        run->skipped += 1;
        *misses += 1;
        return *misses < WINDOW_PATIENCE ? true : say("the surface stays unusable");
    case SURFACE_BROKEN:
        break;
    }
    return false;
}

/* Draws the last frame once more, into a texture that can be read, and writes that. */
static bool write_screenshot(program *run)
{
    uint32_t width = run->view.width, height = run->view.height;
    gpool_texture target = gpool_texture_create(
        run->pool, &(gpool_texture_desc){ .width = width,
                                          .height = height,
                                          .format = run->view.format,
                                          .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK,
                                          .label = "screenshot" });
    picture image = { 0 };
    bool ok = picture_init(&image, width, height) && gpool_begin_frame(run->pool) == GPOOL_OK;
    if (ok) {
        ok = draw_scene(run, target, run->shown);
        ok = gpool_end_frame(run->pool) == GPOOL_OK && ok;
    }
    size_t size = (size_t)width * height * 4u;
    ok = ok && gpool_texture_read(run->pool, target, NULL, image.texels, size) == GPOOL_OK;
    if (!ok) {
        fail(run, "no screenshot");
    } else if (run->view.format == WGPUTextureFormat_BGRA8Unorm) {
        for (size_t i = 0; i < size; i += 4) {
            uint8_t blue = image.texels[i];
            image.texels[i] = image.texels[i + 2];
            image.texels[i + 2] = blue;
        }
    }
    ok = ok && picture_write(&image, run->chosen->out);
    picture_fini(&image);
    return gpool_texture_destroy(run->pool, target) == GPOOL_OK && ok;
}

/* With --resize-test the last frame stays until the reader of this line closes our input. */
static void wait_for_reader(program *run)
{
    int x = 0, y = 0;
    glfwGetWindowPos(run->window, &x, &y);
    printf("shown %llu frames, skipped %llu, now %ux%u at %d,%d\n", (unsigned long long)run->shown,
           (unsigned long long)run->skipped, run->view.width, run->view.height, x, y);
    fflush(stdout);
    struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
    char byte;
    while (run->chosen->resize_test && !glfwWindowShouldClose(run->window) &&
           (poll(&input, 1, 50) == 0 || read(STDIN_FILENO, &byte, 1) > 0)) {
        glfwPollEvents();
    }
}

static void stop(program *run)
{
    scene_destroy(run->all);
    gpool_destroy(run->pool);
    surface_fini(&run->view);
    gpool_device_release(run->device);
    if (run->instance != NULL) {
        run->gpu.InstanceRelease(run->instance);
    }
    glfwTerminate(); /* after the surface, which names the window */
}

int main(int argc, char **argv)
{
    options chosen;
    int code = options_read(&chosen, OPTIONS_WINDOW, argc, argv);
    if (code >= 0) {
        return code;
    }
    program run = { .chosen = &chosen };
    bool ok = open_window(&run) && open_pool(&run);
    if (ok) {
        run.all = scene_create(run.pool, &(scene_desc){ .shaders = chosen.shaders,
                                                        .models = chosen.models,
                                                        .model = chosen.model,
                                                        .move = chosen.move });
        ok = run.all != NULL;
    }
    uint32_t misses = 0;
    while (ok && !glfwWindowShouldClose(run.window) &&
           (chosen.frames == 0 || run.shown < chosen.frames)) {
        ok = turn(&run, &misses);
    }
    if (ok && chosen.out != NULL && run.view.width != 0) {
        ok = write_screenshot(&run);
    }
    if (ok) {
        wait_for_reader(&run);
    }
    stop(&run);
    return ok ? 0 : 1;
}
