/*
 * Which shaders must be made again because a file they came from changed. Pure CPU, one thread at a time.
 *
 * Every id (a shader) has a list of files, as gpool__source_expand() gave it: those read, with the hash
 * of what was read, and those looked for in vain. A poll looks at the files in turn, a few at a time; one
 * whose stamp differs is left to settle, read, and hashed. An id is changed when the content that it
 * was made of is not the content now: a touch, a rewrite of the same bytes or an edit taken back before
 * it was seen wakes nobody. Each new content is told once. A file that was there but not taken (a folder, no
 * permission, outside the root) counts as one content, until its stamp differs.
 *
 * Editors write in many ways: in place, to another file that is renamed over the old one, deleted and
 * created, cut to nothing and filled. A change counts when the stamp stayed the same for the settling
 * time, four times as long when the file is empty or gone. A file changed less than two seconds before it
 * was read may change again under the same stamp, so it is read again until it is older.
 *
 * Paths are watched as they are spelled, so links that are turned elsewhere are seen, too.
 */
#ifndef GPOOL_SHADER_WATCH_H
#define GPOOL_SHADER_WATCH_H

#include "shader/source.h"

/* All zero is a good default. */
typedef struct gpool__watch_desc {
    uint64_t
        period_ns; /* from look to look at a file; 0 = 250 ms; UINT64_MAX = only what is marked */
    uint64_t settle_ns; /* 0 = 100 ms */
    uint32_t looks;     /* most files looked at in a poll; 0 = 32 */
    uint32_t reads;     /* most files read in a poll; 0 = 8. None after the first MiB of a poll */
} gpool__watch_desc;

typedef struct gpool__watch_stats {
    uint64_t looks;   /* at files */
    uint64_t reads;   /* of files */
    uint64_t changes; /* of contents */
} gpool__watch_stats;

typedef struct gpool__watch {
    gpool__memory *memory;
    gpool__watch_desc desc;
    gpool__watch_stats stats;
    struct gpool__watched *files;
    uint32_t file_count; /* slots, those of no use included */
    uint32_t file_capacity;
    uint32_t
        *buckets; /* by hash of the name: index of a file plus 1; bucket_count is a power of two */
    uint32_t bucket_count;
    uint32_t free_file; /* index plus 1 of a slot of no use; 0 = none */
    struct gpool__watcher *ids;
    uint32_t id_count;
    uint32_t id_capacity;
    uint32_t changed; /* ids to be taken */
    uint32_t next_id; /* where the search for them goes on */
    uint32_t cursor;  /* next file of the round */
    uint32_t waiting; /* files that settle or are to be read */
    uint64_t next_ns; /* when the next round begins */
    bool in_round;
    bool wanted; /* a round, whatever the time: something was marked */
} gpool__watch;

void gpool__watch_init(gpool__watch *watch, gpool__memory *memory, const gpool__watch_desc *desc);
void gpool__watch_fini(gpool__watch *watch);

/**
 * Watches these files for an id, in place of those it had. Copies what it needs; what was changed of
 * the id is forgotten. GPOOL_OK or GPOOL_ERROR_OUT_OF_MEMORY, with all as it was. Cost: linear in the
 * ids and the files.
 */
gpool_result gpool__watch_set(gpool__watch *watch, uint64_t id, const gpool__source_file *files,
                              uint32_t count);

/** Forgets an id; silent when there is none. */
void gpool__watch_remove(gpool__watch *watch, uint64_t id);

/**
 * Name of the `index`th of the files that an id was made of, a path from the root of the file system or
 * a virtual name; NULL behind the last.
 */
const char *gpool__watch_file(gpool__watch *watch, uint64_t id, uint32_t index);

/**
 * Looks at what is due and tells how many ids are changed and not yet taken. `now_ns` is monotonic.
 * Allocates only to read a file that differs or is fresh; without memory it tries again later. Cost: at
 * most `looks` calls of stat() and `reads` files.
 */
uint32_t gpool__watch_poll(gpool__watch *watch, uint64_t now_ns);

/** True when a poll has nothing to do until something is marked: it needs no time of day then. */
static inline bool gpool__watch_is_quiet(const gpool__watch *watch)
{
    bool rounds = watch->id_count > 0 && watch->desc.period_ns != UINT64_MAX;
    return !rounds && !watch->wanted && !watch->in_round && watch->waiting == 0 &&
           watch->changed == 0;
}

/**
 * Takes a changed id; false when there is none. In the order in which ids were first set, from where the
 * last one stopped.
 */
bool gpool__watch_take(gpool__watch *watch, uint64_t *id);

/**
 * A watcher of the caller's saw this file change: the next poll looks at it and reads it, without
 * settling. Found by its path or, under another one, by what it was when it was read. As it may be
 * watched over links too, or have been replaced under another path, a round over all files begins; what
 * that finds settles as ever. Returns how many files will be read at once.
 */
uint32_t gpool__watch_mark(gpool__watch *watch, const char *path);

/** A virtual file has another content now; `hash` as in gpool__source_file, 0 = removed. */
void gpool__watch_mark_virtual(gpool__watch *watch, const char *name, uint64_t hash);

#endif
