/*
 * Inside of a disk store.
 *
 * Names in its directory:
 *   32 hexadecimal digits    an entry: never changed, only replaced by a rename and deleted
 *   "temp-" and 32 digits    an entry being written; its writer holds its lock
 *   "cleaner.lock"           whoever holds its lock looks through the directory and puts the ledger right
 *   "ledger"                 bytes of all entries; rather too many: what was deleted is in it for a while
 *
 * Locks go with an open file (flock), so that a writer that dies, by whatever death, leaves none; and a
 * temporary file whose lock can be had is a dead writer's, whatever clocks and process numbers say.
 *
 * A save writes its file aside, and commits it under the ledger's lock: its bytes are added and it gets
 * its name. Where they do not fit, it becomes the cleaner, looks through the directory, deletes what was
 * used least recently, puts the ledger right and commits then. So the sum of the files is at most
 * max_bytes, but for one entry of each writer while it is written, or that died then: the next cleaning
 * deletes those.
 *
 * Everything but what `lock` guards is set at open, or atomic. No mutex is held while a file is read or
 * written.
 */
#ifndef GPOOL_SHADER_STORE_STATE_H
#define GPOOL_SHADER_STORE_STATE_H

#include "base/directory.h"
#include "base/log.h"
#include "base/memory.h"
#include "shader/store_entry.h"

#include <gpool/store.h>

#include <stdatomic.h>

#define GPOOL__STORE_LEDGER  "ledger"
#define GPOOL__STORE_CLEANER "cleaner.lock"
#define GPOOL__STORE_TEMP    "temp-"

/* A stamp is refreshed when it is older than this, or as far in the future. */
#define GPOOL__STORE_STAMP_NS INT64_C(3600000000000)

/* The counters, as gpool_store_stats has them. */
#define GPOOL__STORE_COUNTERS(X)                                                                   \
    X(hits)                                                                                        \
    X(seed_hits)                                                                                   \
    X(misses)                                                                                      \
    X(bad_entries)                                                                                 \
    X(failed_loads)                                                                                \
    X(saves)                                                                                       \
    X(same_saves)                                                                                  \
    X(failed_saves)                                                                                \
    X(evictions)                                                                                   \
    X(cleanings)                                                                                   \
    X(temp_files)                                                                                  \
    X(entries)                                                                                     \
    X(bytes)

struct gpool_store {
    const gpool__files *files;
    int directory; /* -1 = none */
    int seed;      /* -1 = none */
    gpool_store_mode mode;
    gpool_store_reason reason;
    gpool_store_reason seed_reason;
    uint32_t user;       /* whose files are ours */
    uint32_t hash_bytes; /* of file names: 16 but in tests */
    uint64_t max_bytes;
    uint64_t max_entry_bytes;
    char *path; /* "" = none */
    char *seed_path;
    _Atomic bool look_due; /* the directory was not looked through yet */
#define GPOOL_X(name) _Atomic uint64_t name;
    GPOOL__STORE_COUNTERS(GPOOL_X)
#undef GPOOL_X
    gpool__mutex lock; /* guards `memory` */
    gpool__memory memory;
    gpool__mutex log_lock; /* guards `log` */
    gpool__log log;
};

/* What reading one file gave. */
typedef enum gpool__store_found {
    GPOOL__STORE_GOOD,
    GPOOL__STORE_ABSENT,
    GPOOL__STORE_BAD,    /* not what it should be */
    GPOOL__STORE_FAILED, /* the system let us down: it may be good */
    GPOOL__STORE_NO_MEMORY
} gpool__store_found;

/* A file that was read. */
typedef struct gpool__store_file {
    uint8_t *image; /* NULL unless GPOOL__STORE_GOOD */
    size_t size;
    gpool__entry entry;
    gpool__file_state state; /* all zero when it could not be had */
    const char *problem;     /* of a bad file */
    int error;               /* of a failed one */
} gpool__store_file;

/* One name of the directory. */
typedef struct gpool__store_name {
    char name[sizeof GPOOL__STORE_TEMP + 32];
    bool is_temp;
    uint8_t
        rank; /* what is deleted first: 0 = can never be loaded, 1 = used before the clock was set
                     back, 2 = the rest */
    uint64_t size;
    int64_t used_ns;
} gpool__store_name;

/* Names of the directory. */
typedef struct gpool__store_names {
    gpool__store_name *all;
    uint32_t count;
    uint32_t capacity;
    uint64_t foreign; /* names that are not ours, left out */
} gpool__store_names;

/** What tests replace. */
typedef struct gpool__store_hooks {
    const gpool__files *files; /* NULL = the system's */
    uint32_t hash_bytes;       /* 0 = 16 */
} gpool__store_hooks;

/** gpool_store_open() with other operations. */
gpool_result gpool__store_open(const gpool_store_desc *desc, const gpool__store_hooks *hooks,
                               gpool_store **store);

/* --- store.c --- */

/** gpool_store_save() that tells whether the payload is there now. */
gpool_result gpool__store_save(gpool_store *store, const void *key, size_t key_size,
                               const void *data, size_t size, bool *saved);

void *gpool__store_alloc(gpool_store *store, size_t size);
void gpool__store_free(gpool_store *store, void *block, size_t size);

/** Logs a record of `operation`. */
void gpool__store_note(gpool_store *store, const char *operation, const char *format, ...)
    GPOOL__PRINTF(3, 4);

/* --- store_directory.c --- */

/** Opens main directory and seed as the descriptor says, and sets mode and reasons. */
gpool_result gpool__store_open_directories(gpool_store *store, const gpool_store_desc *desc);

/** Opens, checks and reads a file. `key` may be NULL: any key that belongs to the name. */
gpool__store_found gpool__store_read(gpool_store *store, int directory, const char *name,
                                     const void *key, size_t key_size, gpool__store_file *file);

/** Frees what gpool__store_read() gave. */
void gpool__store_drop(gpool_store *store, gpool__store_file *file);

/** Deletes what has a name unless it is a directory or, with `known`, not that file any more. */
bool gpool__store_unlink(gpool_store *store, const char *name, const gpool__file_state *known);

/** Refreshes the stamp of an open file when it is due. */
void gpool__store_refresh(gpool_store *store, int file, int64_t modified_ns);

/** Reads the names of the directory, sorted by name; an error is told and leaves none. */
gpool_result gpool__store_list_names(gpool_store *store, const char *operation,
                                     gpool__store_names *names, bool *complete);
void gpool__store_free_names(gpool_store *store, gpool__store_names *names);

/* --- store_write.c --- */

/** True when the file of a name has these bytes; its stamp is refreshed then. */
bool gpool__store_has(gpool_store *store, const char *name, const uint8_t *image, size_t size);

/** Writes a file aside and commits it; 0 or a negative errno, with no temporary file left behind. */
int gpool__store_write(gpool_store *store, const char *name, const uint8_t *image, size_t size);

/* --- store_cleaner.c --- */

/* A result beside 0 and errors: the ledger has no room for so much. */
#define GPOOL__STORE_NO_ROOM 1

/**
 * Makes an entry of a written file: adds its size to the ledger and renames it, after deleting others
 * if need be. The caller holds the file's lock. Without `temp` it only makes room. 0,
 * GPOOL__STORE_NO_ROOM, a negative errno, or -ENOMEM when the allocator gave no memory. But for 0 the
 * file has its name still, unless a network renamed it and told of an error.
 */
int gpool__store_commit(gpool_store *store, uint64_t size, const char *temp, const char *name);

/** Deletes all entries and leftovers; as gpool__store_commit(). */
int gpool__store_delete_all(gpool_store *store);

#endif
