#include "shader/store_state.h"

#include "base/checked.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define STORE_MAX_BYTES (UINT64_C(256) << 20)
#define STORE_MAX_ENTRY (UINT64_C(16) << 20)
/* A larger cap is this one: sums stay far from overflow. */
#define STORE_NO_MORE (UINT64_C(1) << 60)

/* What stands in the 16 bytes before a payload that is given out: they were header or key. */
typedef struct store_given {
    uint64_t offset; /* of the payload in its block */
    uint64_t size;   /* of the block */
} store_given;

void *gpool__store_alloc(gpool_store *store, size_t size)
{
    gpool__mutex_lock(&store->lock);
    void *block = gpool__alloc_unset(&store->memory, size);
    gpool__mutex_unlock(&store->lock);
    return block;
}

void gpool__store_free(gpool_store *store, void *block, size_t size)
{
    if (block != NULL) {
        gpool__mutex_lock(&store->lock);
        gpool__free(&store->memory, block, size);
        gpool__mutex_unlock(&store->lock);
    }
}

void gpool__store_note(gpool_store *store, const char *operation, const char *format, ...)
{
    char message[GPOOL__MESSAGE_SIZE];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    gpool__operation *now = gpool__current();
    const char *outer = now->name;
    now->name = operation;
    gpool__note(&store->log, GPOOL_LOG_STORE, "%s", message);
    now->name = outer;
}

/* --- open and close --- */

static void store_fini(gpool_store *store)
{
    const gpool__files *files = store->files;
    if (store->directory >= 0) {
        (void)files->close(files->user, store->directory);
    }
    if (store->seed >= 0) {
        (void)files->close(files->user, store->seed);
    }
    gpool__free_string(&store->memory, store->path);
    gpool__free_string(&store->memory, store->seed_path);
    gpool__mutex_fini(&store->lock);
    gpool__mutex_fini(&store->log_lock);
    gpool__memory memory = store->memory;
    gpool__free(&memory, store, sizeof *store);
}

gpool_result gpool__store_open(const gpool_store_desc *desc, const gpool__store_hooks *hooks,
                               gpool_store **store)
{
    static const gpool_store_desc defaults = { 0 };
    desc = desc != NULL ? desc : &defaults;
    if (store == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    *store = NULL;
    if ((unsigned)desc->mode > GPOOL_STORE_MODE_OFF) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    gpool__memory memory;
    gpool__memory_init(&memory, &desc->allocator);
    gpool_store *made = gpool__alloc(&memory, sizeof *made);
    if (made == NULL) {
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    made->memory = memory;
    gpool__mutex_init(&made->lock);
    gpool__mutex_init(&made->log_lock);
    gpool__log_init(&made->log, desc->log, desc->log_user, "store");
    made->log.lock = &made->log_lock;
    made->files = hooks != NULL && hooks->files != NULL ? hooks->files : gpool__system_files();
    made->hash_bytes = hooks != NULL && hooks->hash_bytes != 0 ? hooks->hash_bytes : 16;
    made->directory = made->seed = -1;
    made->mode = desc->mode;
    made->max_bytes =
        gpool__min(desc->max_bytes != 0 ? desc->max_bytes : STORE_MAX_BYTES, STORE_NO_MORE);
    made->max_entry_bytes = gpool__min(
        desc->max_entry_bytes != 0 ? desc->max_entry_bytes : STORE_MAX_ENTRY, made->max_bytes);
    atomic_store(&made->look_due, true);
    gpool_result result = gpool__store_open_directories(made, desc);
    if (result != GPOOL_OK) {
        store_fini(made);
        return result;
    }
    *store = made;
    return GPOOL_OK;
}

gpool_result gpool_store_open(const gpool_store_desc *desc, gpool_store **store)
{
    return gpool__store_open(desc, NULL, store);
}

void gpool_store_close(gpool_store *store)
{
    if (store != NULL) {
        store_fini(store);
    }
}

/* --- load --- */

/* Counts and tells what a read that found nothing good means. */
static void store_judge(gpool_store *store, const char *operation, int directory, const char *name,
                        gpool__store_found found, const gpool__store_file *file)
{
    const char *path = directory == store->seed ? store->seed_path : store->path;
    if (found == GPOOL__STORE_BAD) {
        atomic_fetch_add(&store->bad_entries, 1);
        bool deleted =
            directory == store->directory && gpool__store_unlink(store, name, &file->state);
        gpool__store_note(store, operation, "The entry [%s/%s] is bad%s: %s", path, name,
                          deleted ? " and was deleted" : "", file->problem);
    } else if (found == GPOOL__STORE_FAILED) {
        atomic_fetch_add(&store->failed_loads, 1);
        char words[64];
        gpool__store_note(store, operation, "The entry [%s/%s] cannot be read: %s", path, name,
                          gpool__errno_text(file->error, words, sizeof words));
    }
}

/* Gives the payload of a file out; the file's block is the caller's then. */
static void *store_give(gpool__store_file *file)
{
    const store_given given = { file->entry.payload_offset, file->size };
    uint8_t *data = file->image + file->entry.payload_offset;
    memcpy(data - sizeof given, &given, sizeof given);
    return data;
}

gpool_result gpool_store_load(gpool_store *store, const void *key, size_t key_size, void **data,
                              size_t *size)
{
    if (data != NULL) {
        *data = NULL;
    }
    if (size != NULL) {
        *size = 0;
    }
    if (store == NULL || key == NULL || key_size == 0 || data == NULL || size == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    char name[GPOOL__ENTRY_NAME_SIZE];
    gpool__entry_name(key, key_size, store->hash_bytes, name);
    const int places[2] = { store->directory, store->seed };
    for (int i = 0; i < 2; ++i) {
        if (places[i] < 0) {
            continue;
        }
        gpool__store_file file;
        gpool__store_found found = gpool__store_read(store, places[i], name, key, key_size, &file);
        if (found == GPOOL__STORE_NO_MEMORY) {
            return GPOOL_ERROR_OUT_OF_MEMORY;
        }
        if (found == GPOOL__STORE_GOOD) {
            atomic_fetch_add(&store->hits, 1);
            atomic_fetch_add(&store->seed_hits, (uint64_t)i);
            *data = store_give(&file);
            *size = file.entry.payload_size;
            return GPOOL_OK;
        }
        store_judge(store, "gpool_store_load", places[i], name, found, &file);
    }
    atomic_fetch_add(&store->misses, 1);
    return GPOOL_NOT_FOUND;
}

void gpool_store_free_data(gpool_store *store, void *data)
{
    if (store != NULL && data != NULL) {
        store_given given;
        memcpy(&given, (uint8_t *)data - sizeof given, sizeof given);
        gpool__store_free(store, (uint8_t *)data - given.offset, (size_t)given.size);
    }
}

/* --- save and remove --- */

/* Stores the built entry. */
static gpool_result store_save(gpool_store *store, const char *name, const uint8_t *image,
                               size_t size, bool *saved)
{
    *saved = gpool__store_has(store, name, image, size);
    if (*saved) {
        atomic_fetch_add(&store->same_saves, 1);
        return GPOOL_OK;
    }
    int error = gpool__store_write(store, name, image, size);
    if (error == -ENOMEM) {
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    if (error < 0) {
        atomic_fetch_add(&store->failed_saves, 1);
        char words[64];
        gpool__store_note(store, "gpool_store_save", "The entry [%s/%s] is not saved: %s",
                          store->path, name, gpool__errno_text(error, words, sizeof words));
        return GPOOL_OK;
    }
    *saved = true;
    atomic_fetch_add(&store->saves, 1);
    atomic_fetch_add(&store->entries, 1);
    atomic_fetch_add(&store->bytes, size);
    return GPOOL_OK;
}

gpool_result gpool__store_save(gpool_store *store, const void *key, size_t key_size,
                               const void *data, size_t size, bool *saved)
{
    *saved = false;
    if (store == NULL || key == NULL || key_size == 0 || (data == NULL && size != 0)) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (store->mode != GPOOL_STORE_MODE_READ_WRITE) {
        return GPOOL_OK;
    }
    size_t file_size = 0;
    if (!gpool__entry_size(key_size, size, &file_size) || file_size > store->max_entry_bytes) {
        atomic_fetch_add(&store->failed_saves, 1);
        gpool__store_note(store, "gpool_store_save",
                          "A payload of [%zu] bytes is not saved: an entry of [%s] has at most "
                          "[%llu] bytes",
                          size, store->path, (unsigned long long)store->max_entry_bytes);
        return GPOOL_OK;
    }
    uint8_t *image = gpool__store_alloc(store, file_size);
    if (image == NULL) {
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    gpool__entry_build(image, key, key_size, data, size);
    char name[GPOOL__ENTRY_NAME_SIZE];
    gpool__entry_name(key, key_size, store->hash_bytes, name);
    gpool_result result = store_save(store, name, image, file_size, saved);
    gpool__store_free(store, image, file_size);
    return result;
}

gpool_result gpool_store_save(gpool_store *store, const void *key, size_t key_size,
                              const void *data, size_t size)
{
    bool saved;
    return gpool__store_save(store, key, key_size, data, size, &saved);
}

gpool_result gpool_store_remove(gpool_store *store, const void *key, size_t key_size)
{
    if (store == NULL || key == NULL || key_size == 0) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    char name[GPOOL__ENTRY_NAME_SIZE];
    gpool__entry_name(key, key_size, store->hash_bytes, name);
    return gpool__store_unlink(store, name, NULL) ? GPOOL_OK : GPOOL_NOT_FOUND;
}

gpool_result gpool_store_clear(gpool_store *store)
{
    if (store == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (store->mode != GPOOL_STORE_MODE_READ_WRITE) {
        return GPOOL_OK;
    }
    int error = gpool__store_delete_all(store);
    if (error < 0 && error != -ENOMEM) {
        char words[64];
        gpool__store_note(store, "gpool_store_clear", "The store [%s] is not cleared: %s",
                          store->path, gpool__errno_text(error, words, sizeof words));
    }
    return error == -ENOMEM ? GPOOL_ERROR_OUT_OF_MEMORY : GPOOL_OK;
}

/* --- all entries --- */

gpool_result gpool_store_verify(gpool_store *store, gpool_store_report *report)
{
    gpool_store_report none;
    report = report != NULL ? report : &none;
    *report = (gpool_store_report){ 0 };
    if (store == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    gpool__store_names names;
    bool complete;
    gpool_result result = gpool__store_list_names(store, "gpool_store_verify", &names, &complete);
    report->foreign_files = names.foreign;
    for (uint32_t i = 0; i < names.count && result == GPOOL_OK; ++i) {
        const char *name = names.all[i].name;
        if (names.all[i].is_temp) {
            report->temp_files += 1;
            continue;
        }
        gpool__store_file file;
        gpool__store_found found = gpool__store_read(store, store->directory, name, NULL, 0, &file);
        if (found == GPOOL__STORE_NO_MEMORY) {
            result = GPOOL_ERROR_OUT_OF_MEMORY;
        } else if (found == GPOOL__STORE_GOOD) {
            report->good += 1;
            report->good_bytes += file.size;
            gpool__store_drop(store, &file);
        } else if (found != GPOOL__STORE_ABSENT) {
            store_judge(store, "gpool_store_verify", store->directory, name, found, &file);
            gpool__file_state left;
            bool gone = store->files->state_at(store->files->user, store->directory, name, &left) ==
                        -ENOENT;
            report->bad += found == GPOOL__STORE_BAD;
            report->removed += found == GPOOL__STORE_BAD && gone;
            report->unread += found == GPOOL__STORE_FAILED;
        }
    }
    gpool__store_free_names(store, &names);
    return result;
}

/* What the callback of a list is told about a file that was read. */
static gpool_store_entry store_describe(const gpool__store_name *name,
                                        const gpool__store_file *file)
{
    gpool_store_entry entry = {
        .name = name->name,
        .file_bytes = file->state.size,
        .used_ns = file->state.modified_ns,
        .good = file->image != NULL,
    };
    if (entry.good) {
        entry.key = file->image + GPOOL__ENTRY_HEADER;
        entry.key_size = file->entry.key_size;
        entry.size = file->entry.payload_size;
    }
    return entry;
}

gpool_result gpool_store_list(gpool_store *store, gpool_store_list_fn fn, void *user)
{
    if (store == NULL || fn == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    gpool__store_names names;
    bool complete;
    gpool_result result = gpool__store_list_names(store, "gpool_store_list", &names, &complete);
    bool more = true;
    for (uint32_t i = 0; i < names.count && result == GPOOL_OK && more; ++i) {
        if (names.all[i].is_temp) {
            continue;
        }
        gpool__store_file file;
        gpool__store_found found =
            gpool__store_read(store, store->directory, names.all[i].name, NULL, 0, &file);
        if (found == GPOOL__STORE_NO_MEMORY) {
            result = GPOOL_ERROR_OUT_OF_MEMORY;
        } else if (found != GPOOL__STORE_ABSENT) {
            const gpool_store_entry entry = store_describe(&names.all[i], &file);
            more = fn(user, &entry);
            gpool__store_drop(store, &file);
        }
    }
    gpool__store_free_names(store, &names);
    return result;
}

/* --- counters --- */

void gpool_store_get_stats(const gpool_store *store, gpool_store_stats *stats)
{
    if (stats == NULL) {
        return;
    }
    *stats = (gpool_store_stats){ 0 };
    if (store == NULL) {
        return;
    }
    stats->mode = store->mode;
    stats->reason = store->reason;
    stats->seed_reason = store->seed_reason;
#define GPOOL_X(name) stats->name = atomic_load(&store->name);
    GPOOL__STORE_COUNTERS(GPOOL_X)
#undef GPOOL_X
    gpool__mutex *lock = (gpool__mutex *)&store->lock;
    gpool__mutex_lock(lock);
    stats->memory_bytes = store->memory.bytes;
    gpool__mutex_unlock(lock);
}

const char *gpool_store_directory(const gpool_store *store)
{
    return store != NULL ? store->path : "";
}
