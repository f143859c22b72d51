/*
 * Directories and the files in them, behind a table of operations, so that tests can fail, record or
 * replace each one. Where a path has been opened once, all goes by its descriptor: what is renamed or
 * linked above it later changes nothing. No operation follows a link in the last place of its name,
 * and none waits for another process.
 *
 * Results are 0 or more, else a negative errno: -ENOENT, -EACCES and so on.
 */
#ifndef GPOOL_BASE_DIRECTORY_H
#define GPOOL_BASE_DIRECTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum gpool__file_kind {
    GPOOL__FILE_OTHER, /* a link, FIFO, socket or device */
    GPOOL__FILE_REGULAR,
    GPOOL__FILE_DIRECTORY
} gpool__file_kind;

typedef struct gpool__file_state {
    gpool__file_kind kind;
    uint32_t owner;      /* user id */
    bool others_write;   /* group or others may write */
    uint64_t size;       /* bytes */
    uint64_t device;     /* with `number`: which file it is */
    uint64_t number;     /* */
    int64_t modified_ns; /* last write or touch, since 1970 */
} gpool__file_state;

/* Who asks. */
typedef struct gpool__file_user {
    uint32_t id;     /* effective user id */
    bool privileged; /* real and effective user or group differ: a program with borrowed rights */
} gpool__file_user;

/** Told each name of a directory; false ends the list. */
typedef bool (*gpool__name_fn)(void *context, const char *name);

/* `user` is handed to each. Descriptors are numbers from 0. */
typedef struct gpool__files {
    void *user;

    /** Makes one directory that only its owner may use. */
    int (*make_directory)(void *user, const char *path);

    /** Opens a directory; -ELOOP or -ENOTDIR for a link in the last place. */
    int (*open_directory)(void *user, const char *path);

    /** Opens a file of a directory for reading. */
    int (*open_read)(void *user, int directory, const char *name);

    /** Opens a file for reading and writing; with `make`, made for its owner alone if missing. */
    int (*open_write)(void *user, int directory, const char *name, bool make);

    /** Makes a file for its owner alone and opens it for writing; -EEXIST when there is one. */
    int (*create)(void *user, int directory, const char *name);

    /** Another descriptor of the same open file, which has the lock as long as one is open. */
    int (*duplicate)(void *user, int file);

    /** Reads at `offset`; returns the bytes read, which may be fewer, and 0 at the end. */
    int64_t (*read)(void *user, int file, void *data, size_t size, uint64_t offset);

    /** Writes at `offset`; returns the bytes written, which may be fewer. */
    int64_t (*write)(void *user, int file, const void *data, size_t size, uint64_t offset);

    /** Closes a file or directory, whatever it returns. */
    int (*close)(void *user, int file);

    /** Gives a file of a directory another name there; what had that name is gone. */
    int (*rename)(void *user, int directory, const char *from, const char *to);

    /** Removes a name that is no directory. */
    int (*unlink)(void *user, int directory, const char *name);

    /** Tells about an open file or directory. */
    int (*state)(void *user, int file, gpool__file_state *state);

    /** Tells about a name, of a link about itself. */
    int (*state_at)(void *user, int directory, const char *name, gpool__file_state *state);

    /** Names all that is in a directory, in any order. */
    int (*list)(void *user, int directory, gpool__name_fn fn, void *context);

    /** Sets `modified_ns` of an open file. */
    int (*touch)(void *user, int file, int64_t ns);

    /**
     * Takes the lock of an open file, which its holder loses when it closes the file or ends, by
     * whatever death; -EWOULDBLOCK when another open file of it has the lock.
     */
    int (*lock)(void *user, int file);

    /**
     * Gives it back before the file is closed. Closing alone leaves it with the processes that were
     * forked meanwhile: they have the same open file.
     */
    int (*unlock)(void *user, int file);

    /** Tells who asks. */
    int (*who)(void *user, gpool__file_user *who);

    /** Time of the system's clock in ns since 1970; it may jump. */
    int64_t (*now)(void *user);
} gpool__files;

/** The operations of this system. On Windows all but the clock give -ENOSYS so far. */
const gpool__files *gpool__system_files(void);

/** Words of the system for a negative errno. */
const char *gpool__errno_text(int error, char *buffer, size_t size);

/** Fills `bytes` with what no other call of any process is likely to get. Not for secrets. */
void gpool__unique_bytes(void *bytes, size_t size);

#endif
