#include "surface.h"

#define GLFW_INCLUDE_NONE
#define GLFW_EXPOSE_NATIVE_X11
#include <GLFW/glfw3.h>
#include <GLFW/glfw3native.h>
#include <stdio.h>

/* Makes the raw surface of the window, also again after the first one was lost. */
static bool make_raw(surface *view)
{
    WGPUSurfaceSourceXlibWindow source = { .chain = { .sType = WGPUSType_SurfaceSourceXlibWindow },
                                           .display = glfwGetX11Display(),
                                           .window = glfwGetX11Window(view->window) };
    view->raw = view->gpu->InstanceCreateSurface(
        view->instance, &(WGPUSurfaceDescriptor){ .nextInChain = &source.chain });
    if (view->raw == NULL) {
        fprintf(stderr, "gpool-window: the window gives no surface\n");
    }
    return view->raw != NULL;
}

bool surface_init(surface *view, const gpool_gpu *gpu, WGPUInstance instance, GLFWwindow *window)
{
    *view = (surface){ .gpu = gpu, .instance = instance, .window = window };
    if (gpu->InstanceCreateSurface == NULL || gpu->SurfaceConfigure == NULL ||
        gpu->SurfaceGetCapabilities == NULL || gpu->SurfaceGetCurrentTexture == NULL ||
        gpu->SurfacePresent == NULL || gpu->SurfaceUnconfigure == NULL ||
        gpu->SurfaceRelease == NULL || gpu->SurfaceCapabilitiesFreeMembers == NULL) {
        fprintf(stderr, "gpool-window: this WebGPU library knows no surfaces\n");
        return false;
    }
    return make_raw(view);
}

bool surface_choose_format(surface *view, const gpool_device *device)
{
    WGPUSurfaceCapabilities found = { 0 };
    view->device = gpool_device_raw(device);
    if (view->gpu->SurfaceGetCapabilities(view->raw, gpool_device_raw_adapter(device), &found) ==
        WGPUStatus_Success) {
        for (size_t i = 0; i < found.formatCount && view->format == 0; ++i) {
            if (found.formats[i] == WGPUTextureFormat_BGRA8Unorm ||
                found.formats[i] == WGPUTextureFormat_RGBA8Unorm) {
                view->format = found.formats[i];
            }
        }
        view->gpu->SurfaceCapabilitiesFreeMembers(found);
    }
    if (view->format == 0) {
        fprintf(stderr, "gpool-window: the adapter cannot show 8-bit linear pictures here\n");
    }
    return view->format != 0;
}

void surface_configure(surface *view, uint32_t width, uint32_t height)
{
    view->gpu->SurfaceConfigure(
        view->raw, &(WGPUSurfaceConfiguration){ .device = view->device,
                                                .format = view->format,
                                                .usage = WGPUTextureUsage_RenderAttachment,
                                                .width = width,
                                                .height = height,
                                                .presentMode = WGPUPresentMode_Fifo });
    view->width = width;
    view->height = height;
    view->suboptimal = false;
}

void surface_unconfigure(surface *view)
{
    view->gpu->SurfaceUnconfigure(view->raw);
    view->width = view->height = 0;
}

bool surface_recreate(surface *view)
{
    uint32_t width = view->width, height = view->height;
    view->gpu->SurfaceRelease(view->raw);
    if (!make_raw(view)) {
        return false;
    }
    surface_configure(view, width, height);
    return true;
}

static surface_state mend(surface *view, WGPUSurfaceGetCurrentTextureStatus status)
{
    switch (status) {
    case WGPUSurfaceGetCurrentTextureStatus_Timeout:
        return SURFACE_AGAIN;
    case WGPUSurfaceGetCurrentTextureStatus_Outdated:
        surface_configure(view, view->width, view->height);
        return SURFACE_AGAIN;
    case WGPUSurfaceGetCurrentTextureStatus_Lost:
        return surface_recreate(view) ? SURFACE_AGAIN : SURFACE_BROKEN;
    default:
        fprintf(stderr, "gpool-window: the surface gives no texture (status %d)\n", (int)status);
        return SURFACE_BROKEN;
    }
}

surface_state surface_next(surface *view)
{
    WGPUSurfaceTexture next = { 0 };
    view->gpu->SurfaceGetCurrentTexture(view->raw, &next);
    bool ready = next.texture != NULL &&
                 (next.status == WGPUSurfaceGetCurrentTextureStatus_SuccessOptimal ||
                  next.status == WGPUSurfaceGetCurrentTextureStatus_SuccessSuboptimal);
    if (!ready) {
        if (next.texture != NULL) { /* configure refuses while a texture is out */
            view->gpu->TextureRelease(next.texture);
        }
        return mend(view, next.status);
    }
    view->suboptimal = next.status == WGPUSurfaceGetCurrentTextureStatus_SuccessSuboptimal;
    view->current = next.texture;
    return SURFACE_READY;
}

bool surface_finish(surface *view, bool show)
{
    bool ok = !show || view->gpu->SurfacePresent(view->raw) == WGPUStatus_Success;
    view->gpu->TextureRelease(view->current);
    view->current = NULL;
    if (!ok) {
        fprintf(stderr, "gpool-window: the surface cannot be shown\n");
    }
    return ok;
}

void surface_fini(surface *view)
{
    if (view->raw != NULL) {
        view->gpu->SurfaceRelease(view->raw);
    }
    *view = (surface){ 0 };
}
