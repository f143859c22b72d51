#if !defined(_DEFAULT_SOURCE)
#define _DEFAULT_SOURCE 1 /* flock() */
#endif
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "base/directory.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/thread.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#if !defined(_WIN32)
#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#endif

#define DIRECTORY_SECOND INT64_C(1000000000)

static int64_t directory_now(void *user)
{
    (void)user;
    struct timespec time = { 0 };
    if (timespec_get(&time, TIME_UTC) != TIME_UTC) {
        return 0;
    }
    return (int64_t)time.tv_sec * DIRECTORY_SECOND + time.tv_nsec;
}

#if defined(_WIN32)

/* A store is off then. What it needs there: _wopen with delete sharing, LockFileEx, owner by SID. */
static int directory_no_path(void *user, const char *path)
{
    (void)user;
    (void)path;
    return -ENOSYS;
}

static int directory_who(void *user, gpool__file_user *who)
{
    (void)user;
    (void)who;
    return -ENOSYS;
}

static const gpool__files directory_system = {
    .make_directory = directory_no_path,
    .open_directory = directory_no_path,
    .who = directory_who,
    .now = directory_now,
};

#else

static int directory_result(int result)
{
    return result < 0 ? -errno : result;
}

static int directory_make(void *user, const char *path)
{
    (void)user;
    return directory_result(mkdir(path, S_IRWXU));
}

static int directory_open(void *user, const char *path)
{
    (void)user;
    return directory_result(open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
}

/* O_NONBLOCK: a FIFO in the place of a file must not hold us up. */
#define DIRECTORY_SAFE (O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)

static int directory_open_read(void *user, int directory, const char *name)
{
    (void)user;
    return directory_result(openat(directory, name, O_RDONLY | DIRECTORY_SAFE));
}

static int directory_open_write(void *user, int directory, const char *name, bool make)
{
    (void)user;
    int flags = O_RDWR | (make ? O_CREAT : 0) | DIRECTORY_SAFE;
    return directory_result(openat(directory, name, flags, S_IRUSR | S_IWUSR));
}

static int directory_create(void *user, int directory, const char *name)
{
    (void)user;
    return directory_result(
        openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | DIRECTORY_SAFE, S_IRUSR | S_IWUSR));
}

static int directory_duplicate(void *user, int file)
{
    (void)user;
    return directory_result(fcntl(file, F_DUPFD_CLOEXEC, 0));
}

static int64_t directory_read(void *user, int file, void *data, size_t size, uint64_t offset)
{
    (void)user;
    ssize_t got = pread(file, data, size, (off_t)offset);
    return got < 0 ? -errno : got;
}

static int64_t directory_write(void *user, int file, const void *data, size_t size, uint64_t offset)
{
    (void)user;
    ssize_t put = pwrite(file, data, size, (off_t)offset);
    return put < 0 ? -errno : put;
}

/* Not repeated after EINTR: Linux has freed the number by then, and another thread may have it. */
static int directory_close(void *user, int file)
{
    (void)user;
    int result = directory_result(close(file));
    return result == -EINTR ? 0 : result;
}

static int directory_rename(void *user, int directory, const char *from, const char *to)
{
    (void)user;
    return directory_result(renameat(directory, from, directory, to));
}

static int directory_unlink(void *user, int directory, const char *name)
{
    (void)user;
    return directory_result(unlinkat(directory, name, 0));
}

static void directory_fill(gpool__file_state *state, const struct stat *found)
{
#if defined(__APPLE__)
    const struct timespec modified = found->st_mtimespec;
#else
    const struct timespec modified = found->st_mtim;
#endif
    *state = (gpool__file_state){
        .kind = S_ISREG(found->st_mode)   ? GPOOL__FILE_REGULAR
                : S_ISDIR(found->st_mode) ? GPOOL__FILE_DIRECTORY
                                          : GPOOL__FILE_OTHER,
        .owner = (uint32_t)found->st_uid,
        .others_write = (found->st_mode & (S_IWGRP | S_IWOTH)) != 0,
        .size = found->st_size < 0 ? 0 : (uint64_t)found->st_size,
        .device = (uint64_t)found->st_dev,
        .number = (uint64_t)found->st_ino,
    };
    /* A damaged file system may give any second. */
    int64_t seconds = (int64_t)modified.tv_sec;
    const int64_t most = INT64_MAX / DIRECTORY_SECOND - 1;
    seconds = seconds > most ? most : seconds < -most ? -most : seconds;
    state->modified_ns = seconds * DIRECTORY_SECOND + modified.tv_nsec;
}

static int directory_state(void *user, int file, gpool__file_state *state)
{
    (void)user;
    struct stat found;
    int result = directory_result(fstat(file, &found));
    if (result == 0) {
        directory_fill(state, &found);
    }
    return result;
}

static int directory_state_at(void *user, int directory, const char *name, gpool__file_state *state)
{
    (void)user;
    struct stat found;
    int result = directory_result(fstatat(directory, name, &found, AT_SYMLINK_NOFOLLOW));
    if (result == 0) {
        directory_fill(state, &found);
    }
    return result;
}

static int directory_list(void *user, int directory, gpool__name_fn fn, void *context)
{
    (void)user;
    /* Opened anew: a copy of the descriptor would share its place in the list with other threads. */
    int copy = directory_result(openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (copy < 0) {
        return copy;
    }
    DIR *names = fdopendir(copy);
    if (names == NULL) {
        int error = -errno;
        (void)close(copy);
        return error;
    }
    int result = 0;
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(names);
        if (entry == NULL) {
            result = -errno;
            break;
        }
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            !fn(context, entry->d_name)) {
            break;
        }
    }
    (void)closedir(names);
    return result;
}

static int directory_touch(void *user, int file, int64_t ns)
{
    (void)user;
    int64_t seconds = ns / DIRECTORY_SECOND;
    int64_t rest = ns % DIRECTORY_SECOND;
    if (rest < 0) {
        seconds -= 1;
        rest += DIRECTORY_SECOND;
    }
    struct timespec time = { .tv_sec = (time_t)seconds, .tv_nsec = (long)rest };
    const struct timespec times[2] = { time, time };
    return directory_result(futimens(file, times));
}

static int directory_lock(void *user, int file)
{
    (void)user;
    return directory_result(flock(file, LOCK_EX | LOCK_NB));
}

static int directory_unlock(void *user, int file)
{
    (void)user;
    return directory_result(flock(file, LOCK_UN));
}

static int directory_who(void *user, gpool__file_user *who)
{
    (void)user;
    who->id = (uint32_t)geteuid();
    who->privileged = geteuid() != getuid() || getegid() != getgid();
    return 0;
}

static const gpool__files directory_system = {
    .make_directory = directory_make,
    .open_directory = directory_open,
    .open_read = directory_open_read,
    .open_write = directory_open_write,
    .create = directory_create,
    .duplicate = directory_duplicate,
    .read = directory_read,
    .write = directory_write,
    .close = directory_close,
    .rename = directory_rename,
    .unlink = directory_unlink,
    .state = directory_state,
    .state_at = directory_state_at,
    .list = directory_list,
    .touch = directory_touch,
    .lock = directory_lock,
    .unlock = directory_unlock,
    .who = directory_who,
    .now = directory_now,
};

#endif

const gpool__files *gpool__system_files(void)
{
    return &directory_system;
}

const char *gpool__errno_text(int error, char *buffer, size_t size)
{
#if defined(_WIN32)
    (void)strerror_s(buffer, size, error < 0 ? -error : error);
#else
    /* strerror() is not for many threads, and strerror_r() is two functions. */
    static const struct {
        int error;
        const char *text;
    } known[] = {
        { EACCES, "permission denied" },
        { EPERM, "not permitted" },
        { EROFS, "read-only file system" },
        { ENOENT, "there is no such file" },
        { ENOTDIR, "not a directory" },
        { EISDIR, "it is a directory" },
        { ELOOP, "it is a link" },
        { ENOSPC, "no space left" },
        { EDQUOT, "quota used up" },
        { EIO, "input or output error" },
        { EMFILE, "too many open files" },
        { ENFILE, "too many open files in the system" },
        { ENOMEM, "no memory" },
        { ENAMETOOLONG, "the name is too long" },
        { EWOULDBLOCK, "another process keeps its lock" },
        { ENOLCK, "no locks here" },
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; ++i) {
        if (known[i].error == -error) {
            return known[i].text;
        }
    }
    (void)snprintf(buffer, size, "errno %d", -error);
#endif
    return buffer;
}

void gpool__unique_bytes(void *bytes, size_t size)
{
    static _Atomic uint64_t directory_calls;
    uint64_t seed[6] = {
        (uint64_t)directory_now(NULL), gpool__now_ns(),
        gpool__thread_number(),        atomic_fetch_add(&directory_calls, 1),
        (uint64_t)(uintptr_t)&seed,    0,
    };
#if !defined(_WIN32)
    seed[5] = (uint64_t)getpid();
#endif
    for (size_t done = 0; done < size; done += sizeof(uint64_t)) {
        uint64_t word = gpool__hash(seed, sizeof seed);
        size_t part = size - done < sizeof word ? size - done : sizeof word;
        memcpy((char *)bytes + done, &word, part);
        seed[0] += 1;
    }
}
