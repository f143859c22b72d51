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

/* --- what a file is like, for those who wait for it to change: file_stamp.c --- */

/* What a file was like at one time. Two stamps are the same file content unless `fresh`. */
typedef struct gpool__file_stamp {
    bool exists;   /* something is there; the rest is 0 when not */
    bool regular;  /* and it is a regular file */
    bool fresh;    /* changed within the last two seconds: it may change again under this stamp */
    uint64_t size; /* bytes */
    int64_t mtime_ns; /* time of the last write, nanoseconds since 1970 */
    int64_t ctime_ns; /* of the last change of anything about it, which programs cannot set */
    uint64_t device;
    uint64_t inode; /* 0 where there is none */
} gpool__file_stamp;

/** Looks at a file, through links. What cannot be looked at is not there. Never blocks on a FIFO. */
void gpool__file_look(const char *path, gpool__file_stamp *stamp);

/** True when nothing but `fresh` differs. */
bool gpool__file_same(const gpool__file_stamp *a, const gpool__file_stamp *b);

/**
 * As gpool__file_read(), and tells what the file was like before its first byte was read: when that is
 * what gpool__file_look() says later, and it was not fresh, the content is still the same. The last
 * part of the path may not be a link when `no_link`.
 */
gpool_result gpool__file_read_stamped(gpool__memory *memory, const char *path, bool no_link,
                                      size_t limit, gpool__file_stamp *stamp, char **content,
                                      size_t *size, size_t *block_size);

/** Bytes that hold any path, with its zero byte. */
#define GPOOL__PATH_SIZE 4096

/**
 * Writes the path without links, "." and ".." to `target` of GPOOL__PATH_SIZE bytes. False, with
 * errno, when there is nothing or it is too long.
 */
bool gpool__file_real_path(const char *path, char *target);

/**
 * Writes the path from the root of the file system to `target` of GPOOL__PATH_SIZE bytes; links and
 * ".." stay. False when it is too long or there is no working folder.
 */
bool gpool__file_absolute_path(const char *path, char *target);

#endif
