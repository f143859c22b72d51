/* dladdr() needs more than POSIX on glibc; confined to this file. */
#if defined(__linux__) && !defined(_GNU_SOURCE)
#define _GNU_SOURCE
#endif
#include "gpu/library.h"

#include <stdio.h>
#include <string.h>

#if defined(_WIN32)
#include <windows.h>

void *gpool__library_open(const char *path, char *reason, size_t size)
{
    HMODULE library = LoadLibraryA(path);
    if (library == NULL) {
        (void)snprintf(reason, size, "LoadLibrary failed with code %lu", GetLastError());
    }
    return (void *)library;
}

gpool__symbol gpool__library_symbol(void *library, const char *name)
{
    return (gpool__symbol)GetProcAddress((HMODULE)library, name);
}

bool gpool__library_path(gpool__symbol function, char *path, size_t size)
{
    HMODULE module = NULL;
    return GetModuleHandleExA(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS |
                                  GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                              (LPCSTR)function, &module) &&
           GetModuleFileNameA(module, path, (DWORD)size) < size;
}

#else
#include <dlfcn.h>

void *gpool__library_open(const char *path, char *reason, size_t size)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        const char *text = dlerror();
        (void)snprintf(reason, size, "%s", text != NULL ? text : "no reason given");
    }
    return library;
}

gpool__symbol gpool__library_symbol(void *library, const char *name)
{
    /* POSIX promises that the conversion works; ISO C has no cast for it. */
    void *object = dlsym(library, name);
    gpool__symbol function = NULL;
    memcpy(&function, &object, sizeof function);
    return function;
}

bool gpool__library_path(gpool__symbol function, char *path, size_t size)
{
    void *object = NULL;
    memcpy(&object, &function, sizeof object);
    Dl_info info;
    if (dladdr(object, &info) == 0 || info.dli_fname == NULL) {
        return false;
    }
    int written = snprintf(path, size, "%s", info.dli_fname);
    return written > 0 && (size_t)written < size;
}

#endif
