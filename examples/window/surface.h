/*
 * surface.h: a window's surface as a source of targets for the pool: made, configured, asked for
 * its next texture, mended when it is outdated or lost. Calls webgpu.h through gpool's table.
 */
#ifndef WINDOW_SURFACE_H
#define WINDOW_SURFACE_H

#include <gpool/gpool.h>

typedef struct GLFWwindow GLFWwindow;

typedef struct surface {
    const gpool_gpu *gpu;
    WGPUInstance instance;
    GLFWwindow *window;
    WGPUSurface raw;
    WGPUDevice device; /* set by surface_choose_format() */
    WGPUTextureFormat format;
    uint32_t width, height; /* as configured; 0 = not configured */
    WGPUTexture current;    /* between surface_next() and surface_present() */
    bool suboptimal;        /* still shown, but should be configured anew */
} surface;

/* What surface_next() found. */
typedef enum surface_state {
    SURFACE_READY, /* `current` is there */
    SURFACE_AGAIN, /* nothing to draw to now: mended, or asked too early */
    SURFACE_BROKEN /* said why on stderr */
} surface_state;

/* Makes the surface; `gpu` must stay. False after saying why. */
bool surface_init(surface *view, const gpool_gpu *gpu, WGPUInstance instance, GLFWwindow *window);

/* Asks the adapter which formats it has and takes a linear 8-bit one: the shaders know the display. */
bool surface_choose_format(surface *view, const gpool_device *device);

/* Configures for a size; both above 0. The current texture must be gone. */
void surface_configure(surface *view, uint32_t width, uint32_t height);

/* Gives up the configuration, as an outdated surface does. */
void surface_unconfigure(surface *view);

/* Makes the raw surface anew with the same size, as after its loss. False after saying why. */
bool surface_recreate(surface *view);

surface_state surface_next(surface *view);

/* Shows the current texture, or with `show` false gives it back unseen. */
bool surface_finish(surface *view, bool show);

void surface_fini(surface *view);

#endif
