/*
 * What every test of the disk store needs: a folder of its own, a store in it with counted memory and
 * log, payloads that tell whose they are, and a look at the files beside the store's own eyes.
 */
#ifndef GPOOL_TESTS_STORE_WORLD_H
#define GPOOL_TESTS_STORE_WORLD_H

#include "shader/store_state.h"
#include "unit/unit.h"

typedef struct store_world {
    char folder[200]; /* made by world_open(), removed with all in it by world_close() */
    char path[256];   /* of the store: folder/store; not made */
    unit_allocator allocator;
    gpool_allocator hooks;
    _Atomic uint64_t records;  /* of the log with id STORE */
    _Atomic uint64_t strange;  /* of the log with another id or result */
    uint32_t open_descriptors; /* at the start */
} store_world;

/** Begins a test; world_close() checks that no memory and no descriptor is left. */
void world_open(store_world *w);
void world_close(store_world *w);

/** A descriptor for the world's store with its hooks: read-write with the defaults. */
gpool_store_desc world_desc(store_world *w);

/** Opens it; fails the test when that fails. */
gpool_store *world_store(store_world *w);
gpool_store *world_store_of(const gpool_store_desc *desc, const gpool__store_hooks *hooks);

gpool_store_stats world_stats(const gpool_store *store);

/** folder/name, in one of eight buffers in turn. */
const char *world_path(const store_world *w, const char *name);

/** Path of the entry of a key in the store. */
const char *world_entry_path(const store_world *w, uint64_t key);

/** Deletes a folder and all in it, following no link. */
void world_remove_all(const char *path);

/** Descriptors of this process. */
uint32_t world_descriptors(void);

/* --- payloads that tell whose they are --- */

#define WORLD_KEY_SIZE 24u

/** The key of a number: "key 0000000000000001..."; returns its size. */
size_t world_key(uint64_t number, char key[WORLD_KEY_SIZE]);

/** Fills a payload of at least 16 bytes for a key and a variant. */
void world_fill(uint8_t *payload, size_t size, uint64_t number, uint64_t variant);

/** True when a payload is one that world_fill() made for the key, of any variant. */
bool world_is_right(const uint8_t *payload, size_t size, uint64_t number);

/** Saves a payload of a key; the result of the call. */
gpool_result world_save(gpool_store *store, uint64_t number, uint64_t variant, size_t size);

/* What a load gave. */
typedef enum world_loaded {
    WORLD_MISS,
    WORLD_RIGHT,
    WORLD_WRONG, /* a payload, but not the key's */
    WORLD_NO_MEMORY,
    WORLD_ERROR /* another result */
} world_loaded;

world_loaded world_load(gpool_store *store, uint64_t number);

/* --- files, looked at from outside --- */

/** Reads a file; returns its bytes, `SIZE_MAX` when there is none. */
size_t world_read_file(const char *path, uint8_t *bytes, size_t capacity);
void world_write_file(const char *path, const void *bytes, size_t size);
bool world_exists(const char *path);

/** Sets a file's time of last write, in ns since 1970. */
void world_set_time(const char *path, int64_t ns);
int64_t world_get_time(const char *path);
int64_t world_now(void);

/* Files of a store's directory. */
typedef struct world_census {
    uint32_t entries;
    uint32_t temps;
    uint32_t others;
    uint64_t bytes;       /* of entries and temps */
    uint64_t entry_bytes; /* of entries alone */
} world_census;

world_census world_count(const char *path);

/** Bytes that the ledger of a store tells; UINT64_MAX when it tells none, which makes a save look. */
uint64_t world_ledger(const store_world *w);

/**
 * Compares the ledger with the entries, while nobody commits one: 1 when it tells no byte too few, -1
 * when it does, 0 when another has its lock now.
 */
int world_check_ledger(const store_world *w);

/** Number of an environment variable, or `otherwise`. */
uint64_t world_number(const char *variable, uint64_t otherwise);

#endif
