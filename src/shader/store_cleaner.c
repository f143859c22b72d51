#include "shader/store_state.h"

#include "base/checked.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* How long to wait for another process: a ledger is held for a few system calls, a cleaning takes some
 * microseconds a file. Whoever holds a lock longer was stopped, and the save is not worth the wait. */
#define CLEANER_LEDGER_NS  UINT64_C(100000000)
#define CLEANER_CLEAN_NS   UINT64_C(250000000)
#define CLEANER_CLEAR_NS   UINT64_C(1000000000)
#define CLEANER_NAP_NS     UINT64_C(200000)
#define CLEANER_LEDGER_KEY UINT64_C(0x67706f6f6c6c6564)
/* What the ledger says while nobody knows: no save fits, so each waits for the cleaner. */
#define CLEANER_FULL (UINT64_MAX / 4)

/* Opens a file of ours, in the place of whatever else has its name. */
static int cleaner_open(gpool_store *store, const char *name)
{
    const gpool__files *files = store->files;
    int error = 0;
    for (int attempt = 0; attempt < 2; ++attempt) {
        int file = files->open_write(files->user, store->directory, name, true);
        if (file >= 0) {
            gpool__file_state state = { 0 };
            error = files->state(files->user, file, &state);
            if (error == 0 && state.kind == GPOOL__FILE_REGULAR && state.owner == store->user &&
                !state.others_write) {
                return file;
            }
            (void)files->close(files->user, file);
            if (error < 0) {
                return error;
            }
            error = -EACCES;
        } else {
            error = file;
        }
        if ((error != -ELOOP && error != -ENXIO && error != -EACCES) ||
            !gpool__store_unlink(store, name, NULL)) {
            return error;
        }
    }
    return error;
}

/* Opens and locks; the descriptor, which holds the lock, or a negative errno. */
static int cleaner_lock(gpool_store *store, const char *name, uint64_t patience_ns)
{
    const gpool__files *files = store->files;
    int file = cleaner_open(store, name);
    if (file < 0) {
        return file;
    }
    uint64_t begin = gpool__now_ns();
    for (;;) {
        int error = files->lock(files->user, file);
        if (error == 0) {
            return file;
        }
        bool wait = error == -EWOULDBLOCK || error == -EINTR;
        if (!wait || gpool__now_ns() - begin >= patience_ns) {
            (void)files->close(files->user, file);
            return error;
        }
        gpool__sleep_ns(CLEANER_NAP_NS);
    }
}

/* Closing alone would leave the lock with a process that was forked meanwhile. */
static void cleaner_unlock(const gpool_store *store, int file)
{
    const gpool__files *files = store->files;
    (void)files->unlock(files->user, file);
    (void)files->close(files->user, file);
}

/* --- the ledger: the sum, and a check of it --- */

/* Bytes that a locked ledger tells; CLEANER_FULL when it is new or damaged. */
static uint64_t cleaner_read_ledger(gpool_store *store, int ledger)
{
    uint64_t words[2] = { 0 };
    const gpool__files *files = store->files;
    int64_t got = -EINTR;
    while (got == -EINTR) {
        got = files->read(files->user, ledger, words, sizeof words, 0);
    }
    bool good = got == (int64_t)sizeof words && (words[0] ^ words[1]) == CLEANER_LEDGER_KEY;
    return good ? gpool__min(words[0], CLEANER_FULL) : CLEANER_FULL;
}

/* 0, or a negative errno, which leaves a ledger that may be damaged: it tells so. */
static int cleaner_write_ledger(gpool_store *store, int ledger, uint64_t bytes)
{
    const uint64_t words[2] = { bytes, bytes ^ CLEANER_LEDGER_KEY };
    const gpool__files *files = store->files;
    int64_t put = files->write(files->user, ledger, words, sizeof words, 0);
    return put == (int64_t)sizeof words ? 0 : put < 0 ? (int)put : -EIO;
}

/* Takes a rename back from the ledger, if there was none: a network may do it and tell of an error. */
static void cleaner_take_back(gpool_store *store, int ledger, const char *temp, uint64_t bytes)
{
    const gpool__files *files = store->files;
    gpool__file_state state;
    if (files->state_at(files->user, store->directory, temp, &state) == 0) {
        (void)cleaner_write_ledger(store, ledger, bytes);
    }
}

/*
 * Gives a written file the name of an entry and adds it to the ledger, if that has room: 0,
 * GPOOL__STORE_NO_ROOM or a negative errno. Without `temp` it only looks. Both in one hold of the
 * ledger's lock, so that whoever reads the ledger first and the directory then finds each entry in one
 * of them: what has its name by then is in the directory, and what gets it later makes the ledger grow.
 */
static int cleaner_commit(gpool_store *store, uint64_t size, const char *temp, const char *name)
{
    const gpool__files *files = store->files;
    int ledger = cleaner_lock(store, GPOOL__STORE_LEDGER, CLEANER_LEDGER_NS);
    if (ledger < 0) {
        return ledger;
    }
    uint64_t bytes = cleaner_read_ledger(store, ledger);
    const bool fits = gpool__range_inside(bytes, size, store->max_bytes);
    int error = fits ? 0 : GPOOL__STORE_NO_ROOM;
    if (fits && temp != NULL) {
        error = cleaner_write_ledger(store, ledger, bytes + size);
        if (error == 0) {
            error = files->rename(files->user, store->directory, temp, name);
            if (error < 0) {
                cleaner_take_back(store, ledger, temp, bytes);
            }
        }
    }
    cleaner_unlock(store, ledger);
    return error;
}

/* What the ledger says now; CLEANER_FULL is written when that is nothing. Where that fails, on a full
 * disk perhaps, it says nothing still, which is as good. */
static int cleaner_begin_sum(gpool_store *store, uint64_t *before)
{
    int ledger = cleaner_lock(store, GPOOL__STORE_LEDGER, CLEANER_LEDGER_NS);
    if (ledger < 0) {
        return ledger;
    }
    *before = cleaner_read_ledger(store, ledger);
    if (*before == CLEANER_FULL) {
        (void)cleaner_write_ledger(store, ledger, CLEANER_FULL);
    }
    cleaner_unlock(store, ledger);
    return 0;
}

/* Puts the ledger right: what was found, and what others have added since. These may be counted twice. */
static int cleaner_end_sum(gpool_store *store, uint64_t before, uint64_t found)
{
    int ledger = cleaner_lock(store, GPOOL__STORE_LEDGER, CLEANER_LEDGER_NS);
    if (ledger < 0) {
        return ledger;
    }
    uint64_t now = cleaner_read_ledger(store, ledger);
    uint64_t added = now > before ? now - before : 0;
    int error = cleaner_write_ledger(store, ledger, gpool__min(found + added, CLEANER_FULL));
    cleaner_unlock(store, ledger);
    return error;
}

/* --- looking through the directory --- */

/* Deletes a temporary file whose writer is dead: nobody holds its lock. False when one is left that
 * counts: what somebody has locked is not in the sum before it is committed. */
static bool cleaner_delete_temp(gpool_store *store, const gpool__store_name *name)
{
    const gpool__files *files = store->files;
    /* For writing: NFS gives no such lock to who may only read. */
    int file = files->open_write(files->user, store->directory, name->name, false);
    bool dead = file == -ELOOP || file == -ENXIO || file == -EACCES; /* no writer makes these */
    if (file < 0 && !dead) {
        return false;
    }
    int locked = file >= 0 ? files->lock(files->user, file) : 0;
    bool deleted = locked == 0 && gpool__store_unlink(store, name->name, NULL);
    if (file >= 0) {
        (void)files->close(files->user, file);
    }
    atomic_fetch_add(&store->temp_files, deleted);
    return deleted || locked == -EWOULDBLOCK;
}

/* Looks at one name: 1 when it has bytes, 0 when not or not any more, or a negative errno. */
static int cleaner_look(gpool_store *store, gpool__store_name *name, int64_t now)
{
    if (name->is_temp && cleaner_delete_temp(store, name)) {
        return 0;
    }
    gpool__file_state state = { 0 };
    int error = store->files->state_at(store->files->user, store->directory, name->name, &state);
    if (error < 0) {
        return error == -ENOENT ? 0 : error;
    }
    if (state.kind == GPOOL__FILE_DIRECTORY) {
        return 0;
    }
    if (state.kind != GPOOL__FILE_REGULAR) {
        if (gpool__store_unlink(store, name->name, &state)) {
            atomic_fetch_add(&store->bad_entries, 1);
        }
        return 0;
    }
    name->size = state.size;
    name->used_ns = state.modified_ns;
    /* Used at a time to come: before the clock was set back, so before all that was used since. */
    name->rank = state.size > store->max_entry_bytes               ? 0
                 : state.modified_ns > now + GPOOL__STORE_STAMP_NS ? 1
                                                                   : 2;
    return 1;
}

static int cleaner_by_use(const void *a, const void *b)
{
    const gpool__store_name *x = a;
    const gpool__store_name *y = b;
    if (x->rank != y->rank) {
        return x->rank < y->rank ? -1 : 1;
    }
    if (x->used_ns != y->used_ns) {
        return x->used_ns < y->used_ns ? -1 : 1;
    }
    return strcmp(x->name, y->name);
}

/* Deletes the entries used least recently until at most `keep` bytes are left; returns the bytes. */
static uint64_t cleaner_evict(gpool_store *store, gpool__store_names *names, uint64_t keep)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < names->count; ++i) {
        bytes += names->all[i].size;
    }
    if (names->count > 1) {
        qsort(names->all, names->count, sizeof *names->all, cleaner_by_use);
    }
    uint64_t left = 0;
    for (uint32_t i = 0; i < names->count; ++i) {
        const gpool__store_name *name = &names->all[i];
        bool over = bytes > keep && !name->is_temp;
        if (over && gpool__store_unlink(store, name->name, NULL)) {
            bytes -= name->size;
            atomic_fetch_add(&store->evictions, 1);
        } else {
            left += !name->is_temp;
        }
    }
    atomic_store(&store->entries, left);
    atomic_store(&store->bytes, bytes);
    return bytes;
}

/* Looks through the whole directory, with the ledger before and after; the caller is the cleaner. Deletes
 * down to `keep` bytes when there are more than `most`. */
static int cleaner_run(gpool_store *store, uint64_t most, uint64_t keep)
{
    uint64_t before = 0;
    int error = cleaner_begin_sum(store, &before);
    if (error < 0) {
        return error;
    }
    gpool__store_names names;
    bool complete = false;
    gpool_result result = gpool__store_list_names(store, "gpool_store_save", &names, &complete);
    if (result != GPOOL_OK || !complete) {
        return result != GPOOL_OK ? -ENOMEM : -EIO;
    }
    int64_t now = store->files->now(store->files->user);
    uint32_t kept = 0;
    uint64_t bytes = 0;
    int look = 0;
    for (uint32_t i = 0; i < names.count && look >= 0; ++i) {
        look = cleaner_look(store, &names.all[i], now);
        if (look > 0) {
            bytes += names.all[i].size;
            names.all[kept++] = names.all[i];
        }
    }
    if (look < 0) {
        gpool__store_free_names(store, &names); /* a sum with gaps is none */
        return look;
    }
    names.count = kept;
    bytes = cleaner_evict(store, &names, bytes > most ? keep : UINT64_MAX);
    gpool__store_free_names(store, &names);
    atomic_fetch_add(&store->cleanings, 1);
    error = cleaner_end_sum(store, before, bytes);
    if (error == 0) {
        atomic_store(&store->look_due, false);
    }
    return error;
}

int gpool__store_commit(gpool_store *store, uint64_t size, const char *temp, const char *name)
{
    bool due = atomic_load(&store->look_due);
    int error = due ? GPOOL__STORE_NO_ROOM : cleaner_commit(store, size, temp, name);
    if (error != GPOOL__STORE_NO_ROOM) {
        return error;
    }
    int cleaner = cleaner_lock(store, GPOOL__STORE_CLEANER, CLEANER_CLEAN_NS);
    if (cleaner < 0) {
        /* Whoever has the lock looks: this store need not, nor wait once more. */
        if (cleaner == -EWOULDBLOCK) {
            atomic_store(&store->look_due, false);
        }
        return due ? cleaner_commit(store, size, temp, name) : cleaner;
    }
    /* Another one may have made room while we waited. */
    due = atomic_load(&store->look_due);
    error = due ? GPOOL__STORE_NO_ROOM : cleaner_commit(store, size, temp, name);
    if (error == GPOOL__STORE_NO_ROOM) {
        const uint64_t most = store->max_bytes - size;
        const uint64_t keep = gpool__min(store->max_bytes - store->max_bytes / 8, most);
        /* Where the first look finds all in order, what is there stays. */
        error = cleaner_run(store, due ? most : keep, keep);
        error = error < 0 ? error : cleaner_commit(store, size, temp, name);
    }
    cleaner_unlock(store, cleaner);
    return error;
}

int gpool__store_delete_all(gpool_store *store)
{
    int cleaner = cleaner_lock(store, GPOOL__STORE_CLEANER, CLEANER_CLEAR_NS);
    if (cleaner < 0) {
        return cleaner;
    }
    int error = cleaner_run(store, 0, 0);
    cleaner_unlock(store, cleaner);
    return error;
}
