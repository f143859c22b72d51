#include <gpool/linked.h>

#include "gpu/device_state.h"
#include "gpu/library.h"
#include "gpu/quirks.h"

#include <stdlib.h>

#if defined(_WIN32)
static const char *const table_names[] = { "wgpu_native.dll", "webgpu_dawn.dll" };
#elif defined(__APPLE__)
static const char *const table_names[] = { "libwgpu_native.dylib", "libwebgpu_dawn.dylib" };
#else
static const char *const table_names[] = { "libwgpu_native.so", "libwebgpu_dawn.so" };
#endif

static void *table_open(gpool__log *log, const char *path)
{
    char reason[512] = "";
    if (path == NULL || path[0] == '\0') {
        path = getenv("GPOOL_WEBGPU");
    }
    if (path != NULL && path[0] != '\0') {
        void *library = gpool__library_open(path, reason, sizeof reason);
        if (library == NULL) {
            (void)gpool__fail(log, GPOOL_LOG_LIBRARY, GPOOL_ERROR_LIBRARY,
                              "The WebGPU library [%s] cannot be loaded: %s", path, reason);
        }
        return library;
    }
    for (size_t i = 0; i < sizeof table_names / sizeof table_names[0]; ++i) {
        void *library = gpool__library_open(table_names[i], reason, sizeof reason);
        if (library != NULL) {
            return library;
        }
    }
    (void)gpool__fail(log, GPOOL_LOG_LIBRARY, GPOOL_ERROR_LIBRARY,
                      "No WebGPU library [%s, %s] is in the loader's path, and GPOOL_WEBGPU is not "
                      "set",
                      table_names[0], table_names[1]);
    return NULL;
}

const char *gpool__gpu_missing(const gpool_gpu *table)
{
#define GPOOL_V(name, parameters, arguments)                                                       \
    if (table->name == NULL) {                                                                     \
        return "wgpu" #name;                                                                       \
    }
#define GPOOL_R(type, name, parameters, arguments) GPOOL_V(name, parameters, arguments)
    GPOOL_GPU_REQUIRED(GPOOL_V, GPOOL_R)
#undef GPOOL_V
#undef GPOOL_R
    return NULL;
}

gpool_result gpool__gpu_load(gpool__log *log, const char *path, gpool_gpu *table)
{
    void *library = table_open(log, path);
    if (library == NULL) {
        return GPOOL_ERROR_LIBRARY;
    }
    gpool_gpu loaded = { 0 };
#define GPOOL_V(name, parameters, arguments)                                                       \
    loaded.name = (void(*) parameters)gpool__library_symbol(library, "wgpu" #name);
#define GPOOL_R(type, name, parameters, arguments)                                                 \
    loaded.name = (type(*) parameters)gpool__library_symbol(library, "wgpu" #name);
    GPOOL_GPU_REQUIRED(GPOOL_V, GPOOL_R)
    GPOOL_GPU_OPTIONAL(GPOOL_V, GPOOL_R)
    GPOOL_GPU_VENDOR(GPOOL_R)
#undef GPOOL_V
#undef GPOOL_R
    const char *missing = gpool__gpu_missing(&loaded);
    if (missing != NULL) {
        const char *variable = getenv("GPOOL_WEBGPU");
        return gpool__fail(log, GPOOL_LOG_LIBRARY, GPOOL_ERROR_LIBRARY,
                           "The WebGPU library [%s] has no function [%s]",
                           path != NULL && path[0] != '\0' ? path
                           : variable != NULL              ? variable
                                                           : "of the loader's path",
                           missing);
    }
    (void)gpool__quirks_dawn_translate(&loaded);
    *table = loaded;
    return GPOOL_OK;
}

gpool_result gpool_gpu_load(const char *path, gpool_gpu *table)
{
    gpool__log log;
    gpool__log_init(&log, NULL, NULL, "loader");
    if (table == NULL) {
        return gpool__fail(&log, GPOOL_LOG_ARGUMENT_NULL, GPOOL_ERROR_INVALID_ARGUMENT,
                           "The table [NULL] is null");
    }
    return gpool__gpu_load(&log, path, table);
}

gpool_result gpool_gpu_complete(gpool_gpu *table)
{
    if (table == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    (void)gpool__quirks_dawn_translate(table);
    return GPOOL_OK;
}
