/*
 * gpool/linked.h: fills the function table from symbols the program is linked with. Include it in
 * one source file of a program that links an implementation instead of loading it; it is not part
 * of the umbrella header.
 */
#ifndef GPOOL_LINKED_H
#define GPOOL_LINKED_H

#include <gpool/gpu.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__) && !defined(__APPLE__)
/** Declares a vendor symbol that the implementation may lack. */
#define GPOOL_R(type, name, parameters, arguments)                                                 \
    extern __attribute__((weak)) type wgpu##name parameters;
GPOOL_GPU_VENDOR(GPOOL_R)
#undef GPOOL_R
#endif

/**
 * Completes a table of linked symbols: applies the translation of a known Dawn build where that is
 * what the program is linked with. Called by gpool_gpu_linked().
 *
 * @return GPOOL_OK, or GPOOL_ERROR_INVALID_ARGUMENT for a null table.
 * Thread: any.
 */
GPOOL_API gpool_result gpool_gpu_complete(gpool_gpu *table);

/**
 * Fills a table with the wgpu functions the program is linked with.
 *
 * @return GPOOL_OK, or GPOOL_ERROR_INVALID_ARGUMENT for a null table.
 * Thread: any.
 */
static inline gpool_result gpool_gpu_linked(gpool_gpu *table)
{
    if (table != NULL) {
/** Takes one symbol. */
#define GPOOL_V(name, parameters, arguments) table->name = wgpu##name;
/** Takes one symbol. */
#define GPOOL_R(type, name, parameters, arguments) table->name = wgpu##name;
        GPOOL_GPU_REQUIRED(GPOOL_V, GPOOL_R)
        GPOOL_GPU_OPTIONAL(GPOOL_V, GPOOL_R)
#if defined(__GNUC__) && !defined(__APPLE__)
        GPOOL_GPU_VENDOR(GPOOL_R)
#else
        table->GetVersion = NULL;
        table->DeviceTick = NULL;
#endif
#undef GPOOL_V
#undef GPOOL_R
    }
    return gpool_gpu_complete(table);
}

#ifdef __cplusplus
}
#endif
#endif
