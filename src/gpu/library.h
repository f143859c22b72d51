/*
 * Dynamic libraries, behind one seam. A library is never closed: callbacks and function tables may
 * point into it to the end of the process.
 */
#ifndef GPOOL_GPU_LIBRARY_H
#define GPOOL_GPU_LIBRARY_H

#include <gpool/base.h>

/** Opens a library; NULL on failure, then `reason` (at most `size` bytes) says why. */
void *gpool__library_open(const char *path, char *reason, size_t size);

/** A generic function pointer: cast it to the right type before the call. */
typedef void (*gpool__symbol)(void);

/** Returns a function of the library, or NULL. */
gpool__symbol gpool__library_symbol(void *library, const char *name);

/** Writes the path of the file a function comes from; false when it cannot be told. */
bool gpool__library_path(gpool__symbol function, char *path, size_t size);

#endif
