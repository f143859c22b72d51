/*
 * Whole files, behind one seam.
 */
#ifndef GPOOL_BASE_FILE_H
#define GPOOL_BASE_FILE_H

#include "base/memory.h"

/**
 * Reads a whole regular file of at most `limit` bytes. `*size` is its length, `*block_size` what to
 * hand to gpool__free(); a zero byte follows the content. GPOOL_OK, GPOOL_ERROR_FILE (errno tells
 * why unless it is 0: then the file is too large or not a regular file) or
 * GPOOL_ERROR_OUT_OF_MEMORY.
 */
gpool_result gpool__file_read(gpool__memory *memory, const char *path, size_t limit, char **content,
                              size_t *size, size_t *block_size);

#endif
