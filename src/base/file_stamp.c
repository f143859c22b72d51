#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

#if defined(_WIN32)
#include <direct.h>
#include <io.h>
#else
#include <unistd.h>
#endif

#define STAMP_SECOND INT64_C(1000000000)
/* FAT keeps times to two seconds, most others to a tick of the system. */
#define STAMP_FRESH (2 * STAMP_SECOND)

#if defined(_WIN32)
typedef struct _stat64 stamp_stat;
#else
typedef struct stat stamp_stat;
#endif

/* A clock that is behind the file's says nothing: such a file stays fresh until it is written again. */
static bool stamp_is_fresh(int64_t changed_ns)
{
    struct timespec now;
    if (timespec_get(&now, TIME_UTC) != TIME_UTC) {
        return true;
    }
    return (int64_t)now.tv_sec * STAMP_SECOND + now.tv_nsec - changed_ns < STAMP_FRESH;
}

static void stamp_of(const stamp_stat *state, gpool__file_stamp *stamp)
{
    *stamp = (gpool__file_stamp){
        .exists = true,
        .size = state->st_size < 0 ? 0 : (uint64_t)state->st_size,
        .device = (uint64_t)state->st_dev,
        .inode = (uint64_t)state->st_ino,
    };
#if defined(_WIN32)
    stamp->regular = (state->st_mode & _S_IFMT) == _S_IFREG;
    stamp->mtime_ns = (int64_t)state->st_mtime * STAMP_SECOND;
    stamp->ctime_ns = (int64_t)state->st_ctime * STAMP_SECOND;
#else
    stamp->regular = S_ISREG(state->st_mode);
#if defined(__APPLE__)
    const struct timespec *written = &state->st_mtimespec;
    const struct timespec *changed = &state->st_ctimespec;
#else
    const struct timespec *written = &state->st_mtim;
    const struct timespec *changed = &state->st_ctim;
#endif
    stamp->mtime_ns = (int64_t)written->tv_sec * STAMP_SECOND + written->tv_nsec;
    stamp->ctime_ns = (int64_t)changed->tv_sec * STAMP_SECOND + changed->tv_nsec;
#endif
    stamp->fresh = stamp_is_fresh(stamp->ctime_ns);
}

void gpool__file_look(const char *path, gpool__file_stamp *stamp)
{
    stamp_stat state;
#if defined(_WIN32)
    bool found = _stat64(path, &state) == 0;
#else
    bool found = stat(path, &state) == 0;
#endif
    if (found) {
        stamp_of(&state, stamp);
    } else {
        *stamp = (gpool__file_stamp){ 0 };
    }
}

bool gpool__file_same(const gpool__file_stamp *a, const gpool__file_stamp *b)
{
    return a->exists == b->exists && a->regular == b->regular && a->size == b->size &&
           a->mtime_ns == b->mtime_ns && a->ctime_ns == b->ctime_ns && a->device == b->device &&
           a->inode == b->inode;
}

/* Opens for reading and looks at what was opened; -1 with errno. */
static int stamp_open(const char *path, bool no_link, gpool__file_stamp *stamp)
{
    *stamp = (gpool__file_stamp){ 0 };
    stamp_stat state;
#if defined(_WIN32)
    (void)no_link;
    int file = _open(path, _O_RDONLY | _O_BINARY | _O_NOINHERIT);
    bool found = file >= 0 && _fstat64(file, &state) == 0;
#else
    /* Without O_NONBLOCK a FIFO would wait for a writer. */
    int file =
        open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY | (no_link ? O_NOFOLLOW : 0));
    bool found = file >= 0 && fstat(file, &state) == 0;
#endif
    if (found) {
        stamp_of(&state, stamp);
    }
    return file;
}

static void stamp_close(int file)
{
#if defined(_WIN32)
    (void)_close(file);
#else
    (void)close(file);
#endif
}

/* Reads up to `size` bytes; false with errno. */
static bool stamp_read(int file, char *block, size_t size, size_t *got)
{
    *got = 0;
    while (*got < size) {
        size_t left = size - *got;
#if defined(_WIN32)
        int step = _read(file, block + *got, left > 1 << 20 ? 1u << 20 : (unsigned)left);
#else
        ssize_t step = read(file, block + *got, left);
#endif
        if (step == 0) {
            break;
        }
        if (step < 0 && errno != EINTR) {
            return false;
        }
        *got += step > 0 ? (size_t)step : 0;
    }
    return true;
}

gpool_result gpool__file_read_stamped(gpool__memory *memory, const char *path, bool no_link,
                                      size_t limit, gpool__file_stamp *stamp, char **content,
                                      size_t *size, size_t *block_size)
{
    int file = stamp_open(path, no_link, stamp);
    if (file < 0) {
        int reason = errno;
        gpool__file_look(path, stamp);
        errno = reason;
        return GPOOL_ERROR_FILE;
    }
    if (!stamp->regular || stamp->size > limit) {
        stamp_close(file);
        errno = 0;
        return GPOOL_ERROR_FILE;
    }
    size_t length = (size_t)stamp->size;
    char *block = gpool__alloc(memory, length + 1);
    if (block == NULL) {
        stamp_close(file);
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    size_t got = 0;
    errno = 0;
    bool done = stamp_read(file, block, length, &got);
    int reason = errno;
    stamp_close(file);
    if (!done) {
        gpool__free(memory, block, length + 1);
        errno = reason;
        return GPOOL_ERROR_FILE;
    }
    block[got] = '\0';
    *content = block;
    *size = got;
    *block_size = length + 1;
    return GPOOL_OK;
}

bool gpool__file_real_path(const char *path, char *target)
{
#if defined(_WIN32)
    return _fullpath(target, path, GPOOL__PATH_SIZE) != NULL;
#else
    /* Not into `target`: realpath() may write PATH_MAX bytes, whatever that is. */
    char *real = realpath(path, NULL);
    if (real == NULL) {
        return false;
    }
    size_t size = strlen(real) + 1;
    bool fits = size <= GPOOL__PATH_SIZE;
    if (fits) {
        memcpy(target, real, size);
    }
    free(real);
    errno = fits ? 0 : ENAMETOOLONG;
    return fits;
#endif
}

bool gpool__file_absolute_path(const char *path, char *target)
{
#if defined(_WIN32)
    return _fullpath(target, path, GPOOL__PATH_SIZE) != NULL;
#else
    size_t used = 0;
    if (path[0] != '/') {
        if (getcwd(target, GPOOL__PATH_SIZE - 1) == NULL) {
            return false;
        }
        used = strlen(target);
        if (used > 1) {
            target[used++] = '/';
        }
    }
    size_t size = strlen(path) + 1;
    if (size > GPOOL__PATH_SIZE - used) {
        return false;
    }
    memcpy(target + used, path, size);
    return true;
#endif
}
