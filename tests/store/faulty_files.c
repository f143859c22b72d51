#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "faulty_files.h"

#include "store_world.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define UNDER (gpool__system_files())

static void faulty_call_once(faulty_files *faulty, void (**call)(void *user))
{
    void (*once)(void *user) = *call;
    *call = NULL;
    if (once != NULL) {
        once(faulty->on_user);
    }
}

/* Counts a call; true when it is one that fails. */
static bool faulty_fails(faulty_files *faulty)
{
    uint64_t call = atomic_fetch_add(&faulty->calls, 1) + 1;
    if (call == faulty->call_at) {
        faulty_call_once(faulty, &faulty->on_call);
    }
    bool fails = faulty->fail_at != 0 &&
                 (call == faulty->fail_at || (faulty->for_ever && call > faulty->fail_at));
    atomic_fetch_add(&faulty->failed, fails);
    return fails;
}

static faulty_record *faulty_add(faulty_files *faulty, faulty_kind kind, const char *name)
{
    static faulty_record none;
    if (faulty->records == NULL) {
        return &none;
    }
    if (faulty->record_count == FAULTY_RECORDS) {
        abort();
    }
    faulty_record *record = &faulty->records[faulty->record_count++];
    *record = (faulty_record){ .kind = kind };
    (void)snprintf(record->name, sizeof record->name, "%s", name);
    return record;
}

static int faulty_make_directory(void *user, const char *path)
{
    faulty_files *faulty = user;
    return faulty_fails(faulty) ? faulty->error : UNDER->make_directory(UNDER->user, path);
}

static int faulty_open_directory(void *user, const char *path)
{
    faulty_files *faulty = user;
    return faulty_fails(faulty) ? faulty->error : UNDER->open_directory(UNDER->user, path);
}

/* Notes which file a descriptor is: a new one, or the one that was recorded under its name last. */
static void faulty_know(faulty_files *faulty, int file, const char *name, bool made)
{
    if (faulty->records == NULL || file < 0) {
        return;
    }
    if (file >= FAULTY_DESCRIPTORS) {
        abort();
    }
    if (made) {
        faulty->file_of[file] = faulty->file_count;
        faulty_add(faulty, FAULTY_CREATE, name)->file = faulty->file_count++;
        return;
    }
    for (uint32_t i = faulty->record_count; i-- > 0;) {
        const faulty_record *record = &faulty->records[i];
        if (record->kind == FAULTY_CREATE && strcmp(record->name, name) == 0) {
            faulty->file_of[file] = record->file;
            return;
        }
    }
}

static int faulty_open_read(void *user, int directory, const char *name)
{
    faulty_files *faulty = user;
    return faulty_fails(faulty) ? faulty->error : UNDER->open_read(UNDER->user, directory, name);
}

static int faulty_open_write(void *user, int directory, const char *name, bool make)
{
    faulty_files *faulty = user;
    if (faulty_fails(faulty)) {
        return faulty->error;
    }
    gpool__file_state state;
    bool there = UNDER->state_at(UNDER->user, directory, name, &state) == 0;
    int file = UNDER->open_write(UNDER->user, directory, name, make);
    faulty_know(faulty, file, name, !there);
    return file;
}

static int faulty_create(void *user, int directory, const char *name)
{
    faulty_files *faulty = user;
    if (faulty_fails(faulty)) {
        return faulty->error;
    }
    int file = UNDER->create(UNDER->user, directory, name);
    faulty_know(faulty, file, name, true);
    if (file >= 0 && faulty->steals > 0) {
        faulty->steals -= 1;
        (void)UNDER->unlink(UNDER->user, directory, name);
    }
    return file;
}

static int64_t faulty_read(void *user, int file, void *data, size_t size, uint64_t offset)
{
    faulty_files *faulty = user;
    if (faulty_fails(faulty)) {
        return faulty->error;
    }
    if (faulty->interrupts && faulty->turns++ % 2 == 0) {
        return -EINTR;
    }
    size_t part = faulty->halves && size > 1 ? size / 2 : size;
    int64_t got = UNDER->read(UNDER->user, file, data, part, offset);
    faulty_call_once(faulty, &faulty->on_read);
    return got;
}

static int faulty_duplicate(void *user, int file)
{
    faulty_files *faulty = user;
    if (faulty_fails(faulty)) {
        return faulty->error;
    }
    int other = UNDER->duplicate(UNDER->user, file);
    if (faulty->records != NULL && other >= 0 && other < FAULTY_DESCRIPTORS) {
        faulty->file_of[other] = faulty->file_of[file];
    }
    return other;
}

/* True when another one may take the lock of an open file. */
static bool faulty_is_unlocked(int file)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    int other = open(path, O_WRONLY | O_CLOEXEC);
    bool unlocked = other >= 0 && UNDER->lock(UNDER->user, other) == 0;
    if (other >= 0) {
        (void)UNDER->close(UNDER->user, other);
    }
    return unlocked;
}

/* A write that fails has written a part, as on a disk that is full. */
static int64_t faulty_write(void *user, int file, const void *data, size_t size, uint64_t offset)
{
    faulty_files *faulty = user;
    bool fails = faulty_fails(faulty);
    faulty->unlocked += faulty->watch_locks && faulty_is_unlocked(file);
    if (faulty->interrupts && !fails && size > 16 && faulty->turns++ % 2 == 0) {
        return -EINTR; /* not of a ledger, which is written in one go or not at all */
    }
    gpool__file_state state;
    if (faulty->full && UNDER->state(UNDER->user, file, &state) == 0 &&
        offset + size > state.size) {
        return -ENOSPC; /* what has its block already can be written */
    }
    size_t part = (fails || faulty->halves) && size > 1 ? size / 2 : size;
    int64_t put = UNDER->write(UNDER->user, file, data, part, offset);
    if (faulty->close_error != 0 && size > 16 && file < FAULTY_DESCRIPTORS) {
        faulty->is_written[file] = true;
    }
    if (faulty->records != NULL && put > 0) {
        faulty_record *record = faulty_add(faulty, FAULTY_WRITE, "");
        record->file = faulty->file_of[file];
        record->offset = offset;
        record->size = (size_t)put;
        record->data = malloc((size_t)put);
        if (record->data == NULL) {
            abort();
        }
        memcpy(record->data, data, (size_t)put);
    }
    return fails ? faulty->error : put;
}

static int faulty_close(void *user, int file)
{
    faulty_files *faulty = user;
    bool fails = faulty_fails(faulty);
    bool is_written = file < FAULTY_DESCRIPTORS && faulty->is_written[file];
    if (is_written) {
        faulty->is_written[file] = false;
    }
    int result = UNDER->close(UNDER->user, file);
    return fails ? faulty->error : is_written ? faulty->close_error : result;
}

static int faulty_rename(void *user, int directory, const char *from, const char *to)
{
    faulty_files *faulty = user;
    if (faulty_fails(faulty)) {
        return faulty->error;
    }
    int result = UNDER->rename(UNDER->user, directory, from, to);
    if (result == 0) {
        faulty_record *record = faulty_add(faulty, FAULTY_RENAME, from);
        (void)snprintf(record->to, sizeof record->to, "%s", to);
    }
    return result == 0 ? faulty->rename_error : result;
}

static int faulty_unlink(void *user, int directory, const char *name)
{
    faulty_files *faulty = user;
    if (faulty_fails(faulty)) {
        return faulty->error;
    }
    int result = UNDER->unlink(UNDER->user, directory, name);
    if (result == 0) {
        (void)faulty_add(faulty, FAULTY_UNLINK, name);
        faulty->full = faulty->full && strncmp(name, "temp-", 5) == 0;
    }
    return result;
}

static void faulty_disguise(const faulty_files *faulty, gpool__file_state *state)
{
    if (state->kind == GPOOL__FILE_DIRECTORY) {
        state->owner =
            faulty->directory_owner_root != 0 ? 0 : state->owner + faulty->directory_owner_shift;
    } else {
        state->owner += faulty->file_owner_shift;
    }
}

static int faulty_state(void *user, int file, gpool__file_state *state)
{
    faulty_files *faulty = user;
    if (faulty_fails(faulty)) {
        return faulty->error;
    }
    int result = UNDER->state(UNDER->user, file, state);
    faulty_disguise(faulty, state);
    return result;
}

static int faulty_state_at(void *user, int directory, const char *name, gpool__file_state *state)
{
    faulty_files *faulty = user;
    if (faulty_fails(faulty)) {
        return faulty->error;
    }
    int result = UNDER->state_at(UNDER->user, directory, name, state);
    if (result == 0) {
        faulty_disguise(faulty, state);
    }
    return result;
}

/* A list that fails has told some names. */
typedef struct faulty_names {
    gpool__name_fn fn;
    void *context;
    uint32_t left;
} faulty_names;

static bool faulty_tell_some(void *context, const char *name)
{
    faulty_names *names = context;
    if (names->left == 0) {
        return false;
    }
    names->left -= 1;
    return names->fn(names->context, name);
}

static int faulty_list(void *user, int directory, gpool__name_fn fn, void *context)
{
    faulty_files *faulty = user;
    if (!faulty_fails(faulty)) {
        int result = UNDER->list(UNDER->user, directory, fn, context);
        faulty_call_once(faulty, &faulty->on_list);
        return result;
    }
    faulty_names names = { fn, context, 2 };
    (void)UNDER->list(UNDER->user, directory, faulty_tell_some, &names);
    return faulty->error;
}

static int faulty_touch(void *user, int file, int64_t ns)
{
    faulty_files *faulty = user;
    return faulty_fails(faulty) ? faulty->error : UNDER->touch(UNDER->user, file, ns);
}

static int faulty_lock(void *user, int file)
{
    faulty_files *faulty = user;
    return faulty_fails(faulty) ? faulty->error : UNDER->lock(UNDER->user, file);
}

static int faulty_unlock(void *user, int file)
{
    faulty_files *faulty = user;
    return faulty_fails(faulty) ? faulty->error : UNDER->unlock(UNDER->user, file);
}

static int faulty_who(void *user, gpool__file_user *who)
{
    int result = UNDER->who(UNDER->user, who);
    who->privileged = who->privileged || ((faulty_files *)user)->privileged;
    return result;
}

static int64_t faulty_now(void *user)
{
    return UNDER->now(UNDER->user) + ((faulty_files *)user)->clock_shift_ns;
}

void faulty_init(faulty_files *faulty)
{
    memset(faulty, 0, sizeof *faulty);
    faulty->table = (gpool__files){
        .user = faulty,
        .make_directory = faulty_make_directory,
        .open_directory = faulty_open_directory,
        .open_read = faulty_open_read,
        .open_write = faulty_open_write,
        .create = faulty_create,
        .duplicate = faulty_duplicate,
        .read = faulty_read,
        .write = faulty_write,
        .close = faulty_close,
        .rename = faulty_rename,
        .unlink = faulty_unlink,
        .state = faulty_state,
        .state_at = faulty_state_at,
        .list = faulty_list,
        .touch = faulty_touch,
        .lock = faulty_lock,
        .unlock = faulty_unlock,
        .who = faulty_who,
        .now = faulty_now,
    };
}

gpool_store *faulty_open(faulty_files *faulty, const gpool_store_desc *desc)
{
    faulty_init(faulty);
    return world_store_of(desc, &(gpool__store_hooks){ .files = &faulty->table });
}

void faulty_record_begin(faulty_files *faulty)
{
    faulty->records = calloc(FAULTY_RECORDS, sizeof *faulty->records);
    if (faulty->records == NULL) {
        abort();
    }
}

void faulty_fini(faulty_files *faulty)
{
    for (uint32_t i = 0; i < faulty->record_count; ++i) {
        free(faulty->records[i].data);
    }
    free(faulty->records);
    faulty->records = NULL;
}
