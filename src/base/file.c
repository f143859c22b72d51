#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "base/file.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>

/* stat before open: opening a FIFO would block. Both 64-bit clean on the platforms we build for. */
static bool file_is_regular(const char *path, uint64_t *size)
{
#if defined(_WIN32)
    struct _stat64 state;
    if (_stat64(path, &state) != 0) {
        return false;
    }
    bool regular = (state.st_mode & _S_IFMT) == _S_IFREG;
#else
    struct stat state;
    if (stat(path, &state) != 0) {
        return false;
    }
    bool regular = S_ISREG(state.st_mode);
#endif
    *size = state.st_size < 0 ? 0 : (uint64_t)state.st_size;
    return regular;
}

gpool_result gpool__file_read(gpool__memory *memory, const char *path, size_t limit, char **content,
                              size_t *size, size_t *block_size)
{
    uint64_t length = 0;
    errno = 0;
    if (!file_is_regular(path, &length) || length > limit) {
        return GPOOL_ERROR_FILE;
    }
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return GPOOL_ERROR_FILE;
    }
    char *block = gpool__alloc(memory, (size_t)length + 1);
    if (block == NULL) {
        fclose(file);
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    size_t got = fread(block, 1, (size_t)length, file);
    bool failed = ferror(file) != 0;
    int reason = errno;
    fclose(file);
    if (failed) {
        gpool__free(memory, block, (size_t)length + 1);
        errno = reason;
        return GPOOL_ERROR_FILE;
    }
    block[got] = '\0';
    *content = block;
    *size = got;
    *block_size = (size_t)length + 1;
    return GPOOL_OK;
}
