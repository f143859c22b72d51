#include "shader/store_state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char directory_open_name[] = "gpool_store_open";

const char *gpool_store_reason_text(gpool_store_reason reason)
{
    static const char *const texts[GPOOL_STORE_REASON_COUNT] = {
        [GPOOL_STORE_REASON_NONE] = "all is well",
        [GPOOL_STORE_REASON_NO_PATH] = "no directory is given, and the environment names none",
        [GPOOL_STORE_REASON_MISSING] = "there is no such directory and it cannot be made",
        [GPOOL_STORE_REASON_NO_DIRECTORY] = "it is a link or not a directory",
        [GPOOL_STORE_REASON_OWNER] = "it belongs to another user",
        [GPOOL_STORE_REASON_SHARED] = "its group or others may write to it",
        [GPOOL_STORE_REASON_READ_ONLY] = "it cannot be written to",
        [GPOOL_STORE_REASON_PRIVILEGED] = "the program runs with the rights of another user",
        [GPOOL_STORE_REASON_UNSUPPORTED] = "stores are not supported on this system",
        [GPOOL_STORE_REASON_SYSTEM] = "the system refused",
    };
    return (unsigned)reason < GPOOL_STORE_REASON_COUNT ? texts[reason] : "unknown reason";
}

/* --- paths --- */

/* Copies first + second without what is no name at the end: "link/" and "link/." would follow it. */
static char *directory_path(gpool_store *store, const char *first, const char *second)
{
    size_t size = strlen(first) + strlen(second) + 1;
    char *path = gpool__store_alloc(store, size);
    if (path == NULL) {
        return NULL;
    }
    (void)snprintf(path, size, "%s%s", first, second);
    size_t end = strlen(path);
    while (end > 1 && (path[end - 1] == '/' || (path[end - 1] == '.' && path[end - 2] == '/'))) {
        end -= 1;
    }
    path[end] = '\0';
    /* Freed by its length. */
    gpool__mutex_lock(&store->lock);
    char *copy = gpool__copy_string(&store->memory, path);
    gpool__mutex_unlock(&store->lock);
    gpool__store_free(store, path, size);
    return copy;
}

/* The path of the main directory: "" when there is none, NULL without memory. */
static char *directory_main_path(gpool_store *store, const char *given)
{
    if (given != NULL) {
        return directory_path(store, given, "");
    }
    const char *cache = getenv("XDG_CACHE_HOME");
    if (cache != NULL && cache[0] == '/') {
        return directory_path(store, cache, "/gpool");
    }
    const char *home = getenv("HOME");
    if (home != NULL && home[0] == '/') {
        return directory_path(store, home, "/.cache/gpool");
    }
    return directory_path(store, "", "");
}

/* Makes a directory and those above it. What is wrong with those shows at the last. */
static int directory_make_all(gpool_store *store, char *path)
{
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)store->files->make_directory(store->files->user, path);
        *slash = '/';
    }
    return store->files->make_directory(store->files->user, path);
}

/* --- who may write to it --- */

static gpool_store_reason directory_judge_error(int error)
{
    switch (-error) {
    case ENOENT:
        return GPOOL_STORE_REASON_MISSING;
    case ELOOP:
    case ENOTDIR:
        return GPOOL_STORE_REASON_NO_DIRECTORY;
    case ENOSYS:
        return GPOOL_STORE_REASON_UNSUPPORTED;
    default:
        return GPOOL_STORE_REASON_SYSTEM;
    }
}

/* Opens a directory that nobody else may write to. Returns its descriptor, or -1 with the reason. */
static int directory_open_safe(gpool_store *store, char *path, bool seed, bool make,
                               gpool_store_reason *reason, int *error)
{
    const gpool__files *files = store->files;
    *error = 0;
    int directory = files->open_directory(files->user, path);
    if (directory == -ENOENT && make) {
        int made = directory_make_all(store, path);
        directory = files->open_directory(files->user, path);
        *error = directory == -ENOENT ? made : 0;
    }
    if (directory < 0) {
        *reason = directory_judge_error(directory);
        *error = *error != 0 ? *error : directory;
        return -1;
    }
    gpool__file_state state = { 0 };
    *error = files->state(files->user, directory, &state);
    *reason = *error < 0                            ? GPOOL_STORE_REASON_SYSTEM
              : state.kind != GPOOL__FILE_DIRECTORY ? GPOOL_STORE_REASON_NO_DIRECTORY
              : state.owner != store->user && !(seed && state.owner == 0) ? GPOOL_STORE_REASON_OWNER
              : state.others_write ? GPOOL_STORE_REASON_SHARED
                                   : GPOOL_STORE_REASON_NONE;
    if (*reason != GPOOL_STORE_REASON_NONE) {
        (void)files->close(files->user, directory);
        return -1;
    }
    return directory;
}

static void directory_tell(gpool_store *store, const char *what, const char *path,
                           gpool_store_reason reason, int error)
{
    char words[64];
    const char *system = error < 0 ? gpool__errno_text(error, words, sizeof words) : NULL;
    gpool__store_note(store, directory_open_name, "%s [%s]: %s%s%s", what, path,
                      gpool_store_reason_text(reason), system != NULL ? ": " : "",
                      system != NULL ? system : "");
}

/* Whether entries can be written: the ledger can, and has a lock. */
static void directory_try_writing(gpool_store *store)
{
    const gpool__files *files = store->files;
    int error = files->open_write(files->user, store->directory, GPOOL__STORE_LEDGER, true);
    if (error >= 0) {
        int file = error;
        error = files->lock(files->user, file);
        (void)files->unlock(files->user, file);
        (void)files->close(files->user, file);
    }
    switch (-error) {
    case EACCES:
    case EPERM:
    case EROFS:
    case ENOLCK:
    case ENOSYS:
    case EOPNOTSUPP:
        store->mode = GPOOL_STORE_MODE_READ_ONLY;
        store->reason = GPOOL_STORE_REASON_READ_ONLY;
        directory_tell(store, "The store only reads", store->path, store->reason, error);
        break;
    default:
        break; /* a full disk may be less full later */
    }
}

static void directory_open_main(gpool_store *store)
{
    int error = 0;
    if (store->path[0] == '\0') {
        store->reason = GPOOL_STORE_REASON_NO_PATH;
    } else {
        store->directory =
            directory_open_safe(store, store->path, false,
                                store->mode == GPOOL_STORE_MODE_READ_WRITE, &store->reason, &error);
    }
    if (store->directory < 0) {
        /* A seed alone can be read. */
        store->mode = store->seed >= 0 ? GPOOL_STORE_MODE_READ_ONLY : GPOOL_STORE_MODE_OFF;
        directory_tell(store, "The store is off", store->path, store->reason, error);
    } else if (store->mode == GPOOL_STORE_MODE_READ_WRITE) {
        directory_try_writing(store);
    }
}

gpool_result gpool__store_open_directories(gpool_store *store, const gpool_store_desc *desc)
{
    store->path = directory_main_path(store, desc->directory);
    store->seed_path = directory_path(store, desc->seed != NULL ? desc->seed : "", "");
    if (store->path == NULL || store->seed_path == NULL) {
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    if (store->mode == GPOOL_STORE_MODE_OFF) {
        return GPOOL_OK;
    }
    gpool__file_user who = { 0 };
    int error = store->files->who(store->files->user, &who);
    if (error < 0 || who.privileged) {
        store->mode = GPOOL_STORE_MODE_OFF;
        store->reason = error < 0 ? directory_judge_error(error) : GPOOL_STORE_REASON_PRIVILEGED;
        directory_tell(store, "The store is off", store->path, store->reason, error);
        return GPOOL_OK;
    }
    store->user = who.id;
    if (store->seed_path[0] != '\0') {
        store->seed =
            directory_open_safe(store, store->seed_path, true, false, &store->seed_reason, &error);
        if (store->seed < 0) {
            directory_tell(store, "The store has no seed", store->seed_path, store->seed_reason,
                           error);
        }
    }
    directory_open_main(store);
    return GPOOL_OK;
}

/* --- files --- */

/* What an error of opening a file says about it. */
static gpool__store_found directory_judge_open(int error, const char **problem)
{
    switch (-error) {
    case ENOENT:
        return GPOOL__STORE_ABSENT;
    case ELOOP:
        *problem = "it is a link";
        return GPOOL__STORE_BAD;
    case EACCES:
    case EPERM:
    case ENXIO:
    case EISDIR:
        *problem = "it cannot be opened";
        return GPOOL__STORE_BAD;
    default:
        return GPOOL__STORE_FAILED;
    }
}

/* What is wrong with a file before its bytes are looked at; NULL when nothing is. */
static const char *directory_file_problem(const gpool_store *store, bool seed,
                                          const gpool__file_state *state)
{
    if (state->kind != GPOOL__FILE_REGULAR) {
        return "it is no regular file";
    }
    if (state->owner != store->user && !(seed && state->owner == 0)) {
        return "it belongs to another user";
    }
    if (state->others_write) {
        return "its group or others may write to it";
    }
    if (state->size < GPOOL__ENTRY_LEAST) {
        return "it is too short";
    }
    if (state->size > store->max_entry_bytes) {
        return "it is too large";
    }
    return NULL;
}

/* Reads all of a file; 0 bytes come only when it is shorter than its state said. */
static gpool__store_found directory_read_all(gpool_store *store, int descriptor,
                                             gpool__store_file *file)
{
    const gpool__files *files = store->files;
    size_t done = 0;
    while (done < file->size) {
        int64_t got =
            files->read(files->user, descriptor, file->image + done, file->size - done, done);
        if (got > 0) {
            done += (size_t)got;
        } else if (got == 0) {
            file->problem = "it was cut while it was read";
            return GPOOL__STORE_BAD;
        } else if (got != -EINTR) {
            file->error = (int)got;
            return GPOOL__STORE_FAILED;
        }
    }
    return GPOOL__STORE_GOOD;
}

/* Reads and judges an open file. */
static gpool__store_found directory_read_open(gpool_store *store, int descriptor, bool seed,
                                              const char *name, const void *key, size_t key_size,
                                              gpool__store_file *file)
{
    const gpool__files *files = store->files;
    file->error = files->state(files->user, descriptor, &file->state);
    if (file->error < 0) {
        return GPOOL__STORE_FAILED;
    }
    file->problem = directory_file_problem(store, seed, &file->state);
    if (file->problem != NULL) {
        return GPOOL__STORE_BAD;
    }
    file->size = (size_t)file->state.size;
    file->image = gpool__store_alloc(store, file->size);
    if (file->image == NULL) {
        return GPOOL__STORE_NO_MEMORY;
    }
    gpool__store_found found = directory_read_all(store, descriptor, file);
    if (found != GPOOL__STORE_GOOD) {
        return found;
    }
    if (!gpool__entry_parse(file->image, file->size, &file->entry)) {
        file->problem = "its hash or header is wrong";
        return GPOOL__STORE_BAD;
    }
    bool same;
    if (key != NULL) {
        same = gpool__entry_has_key(file->image, &file->entry, key, key_size);
    } else {
        char wanted[GPOOL__ENTRY_NAME_SIZE];
        gpool__entry_name(file->image + GPOOL__ENTRY_HEADER, file->entry.key_size,
                          store->hash_bytes, wanted);
        same = strcmp(name, wanted) == 0;
    }
    if (!same) {
        file->problem = "it is that of another key";
        return GPOOL__STORE_BAD;
    }
    if (key != NULL && !seed) {
        gpool__store_refresh(store, descriptor, file->state.modified_ns);
    }
    return GPOOL__STORE_GOOD;
}

gpool__store_found gpool__store_read(gpool_store *store, int directory, const char *name,
                                     const void *key, size_t key_size, gpool__store_file *file)
{
    *file = (gpool__store_file){ 0 };
    const gpool__files *files = store->files;
    int descriptor = files->open_read(files->user, directory, name);
    if (descriptor < 0) {
        file->error = descriptor;
        return directory_judge_open(descriptor, &file->problem);
    }
    gpool__store_found found =
        directory_read_open(store, descriptor, directory == store->seed, name, key, key_size, file);
    (void)files->close(files->user, descriptor);
    if (found != GPOOL__STORE_GOOD) {
        gpool__store_drop(store, file);
    }
    return found;
}

void gpool__store_drop(gpool_store *store, gpool__store_file *file)
{
    gpool__store_free(store, file->image, file->size);
    file->image = NULL;
}

bool gpool__store_unlink(gpool_store *store, const char *name, const gpool__file_state *known)
{
    const gpool__files *files = store->files;
    gpool__file_state now;
    if (store->mode != GPOOL_STORE_MODE_READ_WRITE ||
        files->state_at(files->user, store->directory, name, &now) < 0 ||
        now.kind == GPOOL__FILE_DIRECTORY) {
        return false;
    }
    /* Another process may have put a good one there meanwhile. */
    if (known != NULL && known->number != 0 &&
        (known->number != now.number || known->device != now.device)) {
        return false;
    }
    return files->unlink(files->user, store->directory, name) == 0;
}

void gpool__store_refresh(gpool_store *store, int file, int64_t modified_ns)
{
    if (store->mode != GPOOL_STORE_MODE_READ_WRITE) {
        return;
    }
    int64_t now = store->files->now(store->files->user);
    if (modified_ns < now - GPOOL__STORE_STAMP_NS || modified_ns > now + GPOOL__STORE_STAMP_NS) {
        (void)store->files->touch(store->files->user, file, now);
    }
}

/* --- names --- */

typedef struct directory_listing {
    gpool_store *store;
    gpool__store_names *names;
    bool no_memory;
} directory_listing;

static bool directory_is_temp(const char *name)
{
    const size_t prefix = sizeof GPOOL__STORE_TEMP - 1;
    return strncmp(name, GPOOL__STORE_TEMP, prefix) == 0 && gpool__entry_is_name(name + prefix);
}

static bool directory_take_name(void *context, const char *name)
{
    directory_listing *listing = context;
    gpool__store_names *names = listing->names;
    bool is_temp = directory_is_temp(name);
    if (!is_temp && !gpool__entry_is_name(name)) {
        names->foreign +=
            strcmp(name, GPOOL__STORE_LEDGER) != 0 && strcmp(name, GPOOL__STORE_CLEANER) != 0;
        return true;
    }
    void *all = names->all;
    gpool__mutex_lock(&listing->store->lock);
    bool fits = gpool__reserve(&listing->store->memory, &all, &names->capacity, names->count + 1,
                               sizeof *names->all);
    gpool__mutex_unlock(&listing->store->lock);
    names->all = all;
    if (!fits) {
        listing->no_memory = true;
        return false;
    }
    gpool__store_name *taken = &names->all[names->count++];
    *taken = (gpool__store_name){ .is_temp = is_temp };
    (void)snprintf(taken->name, sizeof taken->name, "%s", name);
    return true;
}

static int directory_by_name(const void *a, const void *b)
{
    return strcmp(((const gpool__store_name *)a)->name, ((const gpool__store_name *)b)->name);
}

gpool_result gpool__store_list_names(gpool_store *store, const char *operation,
                                     gpool__store_names *names, bool *complete)
{
    *names = (gpool__store_names){ 0 };
    *complete = true;
    if (store->directory < 0) {
        return GPOOL_OK;
    }
    directory_listing listing = { store, names, false };
    int error =
        store->files->list(store->files->user, store->directory, directory_take_name, &listing);
    *complete = error == 0;
    if (error < 0 || listing.no_memory) {
        gpool__store_free_names(store, names);
    }
    if (listing.no_memory) {
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    if (error < 0) {
        char words[64];
        gpool__store_note(store, operation, "The directory [%s] cannot be read: %s", store->path,
                          gpool__errno_text(error, words, sizeof words));
    }
    if (names->count > 1) {
        qsort(names->all, names->count, sizeof *names->all, directory_by_name);
    }
    return GPOOL_OK;
}

void gpool__store_free_names(gpool_store *store, gpool__store_names *names)
{
    gpool__store_free(store, names->all, names->capacity * sizeof *names->all);
    *names = (gpool__store_names){ 0 };
}
