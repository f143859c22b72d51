/* gpool/store.h: a disk store for what is dear to make again. Needs no pool, no webgpu.h. */
#ifndef GPOOL_STORE_H
#define GPOOL_STORE_H

#include <gpool/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Keys and payloads in a directory, one file each, shared by any number of threads, stores and
 * processes. A cache: what it holds may be gone at any time, and is never wrong. A load gives the very
 * bytes that a save of the same key was handed, or nothing.
 *
 * The store never fails its caller. Where its directory cannot be used it is off (or reads only): one
 * log record and gpool_store_stats.reason say why, loads find nothing, saves do nothing. A full disk,
 * a damaged, foreign or half-written file, another process that deletes all: a miss and a counter.
 * Only arguments that make no sense and lack of memory are errors. Put into the key whatever the
 * payload depends on, versions and drivers too. Format and rules: docs/store.md.
 *
 * A log callback runs with no lock held, on the thread whose call caused the record.
 */
typedef struct gpool_store gpool_store;

/** What a store may do; also what it can do, in gpool_store_stats. */
typedef enum gpool_store_mode {
    GPOOL_STORE_MODE_READ_WRITE, /**< everything */
    GPOOL_STORE_MODE_READ_ONLY, /**< loads; deletes nothing, not even bad entries, refreshes no stamps */
    GPOOL_STORE_MODE_OFF        /**< nothing: the directory is not touched */
} gpool_store_mode;

/** Why a directory is used for less than the descriptor asks for. */
typedef enum gpool_store_reason {
    GPOOL_STORE_REASON_NONE,         /**< it is not */
    GPOOL_STORE_REASON_NO_PATH,      /**< none given, and the environment names none */
    GPOOL_STORE_REASON_MISSING,      /**< there is none and it may not or cannot be made */
    GPOOL_STORE_REASON_NO_DIRECTORY, /**< a link or something else has its name */
    GPOOL_STORE_REASON_OWNER,        /**< it belongs to another user */
    GPOOL_STORE_REASON_SHARED,       /**< group or others may write to it */
    GPOOL_STORE_REASON_READ_ONLY,    /**< it cannot be written to: loads go on */
    GPOOL_STORE_REASON_PRIVILEGED,   /**< real and effective user or group differ */
    GPOOL_STORE_REASON_UNSUPPORTED,  /**< not on this system yet */
    GPOOL_STORE_REASON_SYSTEM,       /**< the system refused otherwise; see the log */
    GPOOL_STORE_REASON_COUNT         /**< number of reasons */
} gpool_store_reason;

/** How to open a store. All zero is the user's own cache with the defaults. */
typedef struct gpool_store_desc {
    const char *directory; /**< made if missing, with its parents, for the owner alone. NULL =
                                "gpool" in $XDG_CACHE_HOME, or in $HOME/.cache where that is not set
                                or no absolute path */
    const char *seed;      /**< a directory that came with the program, looked at after a miss and
                                never written; NULL = none. See docs/store.md for how to make one */
    gpool_store_mode mode; /**< what may be done */
    uint64_t max_bytes;    /**< most bytes of all files together: those used least recently are
                                deleted beyond it; 0 = 256 MiB. All programs that share a directory
                                should say the same */
    uint64_t max_entry_bytes;  /**< largest file of one entry: its payload, its key and up to 63
                                   bytes; 0 = 16 MiB; at most max_bytes. Larger ones are not saved,
                                   and deleted where found */
    gpool_allocator allocator; /**< all zero = malloc. Called by any thread, one at a time, with a
                                    lock held: it must not call the store */
    gpool_log_fn log;          /**< NULL = stderr */
    void *log_user;            /**< handed to it */
} gpool_store_desc;

/** Counters of a store since it was opened; other stores of the same directory have their own. */
typedef struct gpool_store_stats {
    gpool_store_mode mode;          /**< what it can do */
    gpool_store_reason reason;      /**< why that is less than asked for */
    gpool_store_reason seed_reason; /**< why the seed is not used; GPOOL_STORE_REASON_NONE also when
                                         none was given */
    uint64_t hits;                  /**< loads that gave a payload, those from the seed too */
    uint64_t seed_hits;             /**< of these, from the seed */
    uint64_t misses;                /**< loads that gave none */
    uint64_t bad_entries; /**< files in the place of an entry that were not what they should be, the
                                seed's too */
    uint64_t failed_loads; /**< loads that the system let down: out of descriptors, a bad disk */
    uint64_t saves;        /**< entries written */
    uint64_t same_saves;   /**< saves of what was there already, byte for byte */
    uint64_t failed_saves; /**< saves that came to nothing: too large, no space, no permission */
    uint64_t evictions;    /**< entries deleted to keep to max_bytes */
    uint64_t cleanings;    /**< times this store looked through the directory for that */
    uint64_t temp_files;   /**< leftovers of dead writers deleted */
    uint64_t entries;      /**< entries at its last look through the directory, and those it has
                                written since; 0 before its first save */
    uint64_t bytes;        /**< bytes of those files */
    uint64_t memory_bytes; /**< memory taken now, payloads not yet freed included */
} gpool_store_stats;

/** One entry, as gpool_store_list() tells it; valid during the callback only. */
typedef struct gpool_store_entry {
    const char *name;    /**< of the file: 32 hexadecimal digits */
    const void *key;     /**< `key_size` bytes; NULL when the entry is bad */
    size_t key_size;     /**< bytes; 0 when the entry is bad */
    size_t size;         /**< bytes of the payload; 0 when the entry is bad */
    uint64_t file_bytes; /**< bytes of the file */
    int64_t used_ns;     /**< about when it was last used, ns since 1970: right to the hour */
    bool good;           /**< it can be loaded */
} gpool_store_entry;

/** Receives an entry; false ends the list. May call the store, but not close it. */
typedef bool (*gpool_store_list_fn)(void *user, const gpool_store_entry *entry);

/** What gpool_store_verify() found. */
typedef struct gpool_store_report {
    uint64_t good;       /**< entries that can be loaded */
    uint64_t good_bytes; /**< bytes of their files */
    uint64_t bad;        /**< entries that cannot */
    uint64_t removed;    /**< of these, deleted; none in a store that reads only */
    uint64_t unread;     /**< entries that the system would not read now */
    uint64_t temp_files; /**< files that are being written, or were by a writer that died */
    uint64_t
        foreign_files; /**< other files in the directory: left alone and not counted as bytes */
} gpool_store_report;

/**
 * Opens a store.
 *
 * Looks at the directories once: makes the main one if it is missing, checks who may write to it, and
 * holds it open. $XDG_CACHE_HOME and $HOME are read where no directory is given.
 * @param desc  copied; NULL = all defaults
 * @param store set to the store, or to NULL on failure
 * @return GPOOL_OK, also when the store is off; GPOOL_ERROR_INVALID_ARGUMENT (`store` is NULL or the
 *         mode outside its enumeration) or GPOOL_ERROR_OUT_OF_MEMORY.
 * Thread: any. Allocates: yes. Cost: a few system calls.
 */
GPOOL_API gpool_result gpool_store_open(const gpool_store_desc *desc, gpool_store **store);

/**
 * Closes a store; its files stay. No call on it may be under way, and all payloads must be freed. NULL
 * is silent. Thread: any.
 */
GPOOL_API void gpool_store_close(gpool_store *store);

/**
 * Finds the payload of a key, in the directory or else in the seed.
 *
 * @param key      `key_size` bytes, compared in full
 * @param key_size at least 1
 * @param data     set to the payload, aligned to 16 bytes, never NULL on GPOOL_OK: give it back to
 *                 gpool_store_free_data(); may be written to. Set to NULL otherwise
 * @param size     set to its bytes, which may be 0
 * @return GPOOL_OK, GPOOL_NOT_FOUND, GPOOL_ERROR_INVALID_ARGUMENT (a null pointer or an empty key) or
 *         GPOOL_ERROR_OUT_OF_MEMORY.
 * Thread: any, several at once. Allocates: the file's bytes. Cost: reads and hashes the file; not for
 * the thread that draws frames.
 */
GPOOL_API gpool_result gpool_store_load(gpool_store *store, const void *key, size_t key_size,
                                        void **data, size_t *size);

/** Frees a payload of gpool_store_load(). NULLs are silent. Thread: any. */
GPOOL_API void gpool_store_free_data(gpool_store *store, void *data);

/**
 * Stores the payload of a key, in the place of an earlier one.
 *
 * Whoever loads sees the earlier entry, or this one, never a part. It is not forced to the disk: after
 * a power failure it may be gone. What is there already, byte for byte, is not written again.
 * @param key      `key_size` bytes, copied
 * @param key_size at least 1
 * @param data     `size` bytes, copied; may be NULL when `size` is 0
 * @return GPOOL_OK, also when nothing was stored: see gpool_store_stats.failed_saves;
 *         GPOOL_ERROR_INVALID_ARGUMENT (a null pointer or an empty key) or GPOOL_ERROR_OUT_OF_MEMORY.
 * Thread: any, several at once. Allocates: for the call, the file's bytes. Cost: writes the file; the
 * first time, and now and then, looks through the directory; waits at most about half a second for
 * another process that does. Not for the thread that draws frames.
 */
GPOOL_API gpool_result gpool_store_save(gpool_store *store, const void *key, size_t key_size,
                                        const void *data, size_t size);

/**
 * Deletes the entry of a key. The seed's stays.
 *
 * @return GPOOL_OK, GPOOL_NOT_FOUND (there was none, or it cannot be deleted) or
 *         GPOOL_ERROR_INVALID_ARGUMENT (a null pointer or an empty key).
 * Thread: any. Allocates: never.
 */
GPOOL_API gpool_result gpool_store_remove(gpool_store *store, const void *key, size_t key_size);

/**
 * Deletes all entries, and what dead writers left. Files that are not the store's stay.
 *
 * @return GPOOL_OK, also when some cannot be deleted; GPOOL_ERROR_INVALID_ARGUMENT (null store) or
 *         GPOOL_ERROR_OUT_OF_MEMORY.
 * Thread: any. Allocates: for the call. Cost: a system call a file.
 */
GPOOL_API gpool_result gpool_store_clear(gpool_store *store);

/**
 * Reads every entry of the directory, and deletes the bad ones. The seed is not looked at: open it as
 * a directory of its own for that.
 *
 * @param report NULL, or filled
 * @return GPOOL_OK, whatever was found; GPOOL_ERROR_INVALID_ARGUMENT (null store) or
 *         GPOOL_ERROR_OUT_OF_MEMORY.
 * Thread: any. Allocates: for the call. Cost: reads and hashes all files.
 */
GPOOL_API gpool_result gpool_store_verify(gpool_store *store, gpool_store_report *report);

/**
 * Tells all entries of the directory, by name. Deletes nothing.
 *
 * @param user handed to `fn`
 * @return GPOOL_OK, GPOOL_ERROR_INVALID_ARGUMENT (a null pointer) or GPOOL_ERROR_OUT_OF_MEMORY.
 * Thread: any. Allocates: for the call. Cost: reads and hashes all files.
 */
GPOOL_API gpool_result gpool_store_list(gpool_store *store, gpool_store_list_fn fn, void *user);

/** Copies the counters; all zero for a null store. A null `stats` is ignored. Thread: any. */
GPOOL_API void gpool_store_get_stats(const gpool_store *store, gpool_store_stats *stats);

/** Returns the directory's path; "" when there is none. Never NULL. Thread: any. */
GPOOL_API const char *gpool_store_directory(const gpool_store *store);

/** Returns a reason as a phrase. Never NULL. Thread: any. */
GPOOL_API const char *gpool_store_reason_text(gpool_store_reason reason);

#ifdef __cplusplus
}
#endif
#endif
