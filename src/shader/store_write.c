#include "shader/store_state.h"

#include <errno.h>
#include <string.h>

#define WRITE_CHUNK    4096u
#define WRITE_ATTEMPTS 4

/* True when an open file holds these bytes. */
static bool write_same_bytes(gpool_store *store, int file, const uint8_t *image, size_t size)
{
    const gpool__files *files = store->files;
    uint8_t chunk[WRITE_CHUNK];
    size_t done = 0;
    while (done < size) {
        size_t part = size - done < sizeof chunk ? size - done : sizeof chunk;
        int64_t got = files->read(files->user, file, chunk, part, done);
        if (got == -EINTR) {
            continue;
        }
        if (got <= 0 || memcmp(chunk, image + done, (size_t)got) != 0) {
            return false;
        }
        done += (size_t)got;
    }
    return true;
}

bool gpool__store_has(gpool_store *store, const char *name, const uint8_t *image, size_t size)
{
    const gpool__files *files = store->files;
    int file = files->open_read(files->user, store->directory, name);
    if (file < 0) {
        return false;
    }
    gpool__file_state state = { 0 };
    bool same = files->state(files->user, file, &state) == 0 && state.kind == GPOOL__FILE_REGULAR &&
                state.owner == store->user && !state.others_write && state.size == size &&
                write_same_bytes(store, file, image, size);
    if (same) {
        gpool__store_refresh(store, file, state.modified_ns);
    }
    (void)files->close(files->user, file);
    return same;
}

static int write_all(gpool_store *store, int file, const uint8_t *image, size_t size)
{
    const gpool__files *files = store->files;
    size_t done = 0;
    while (done < size) {
        int64_t put = files->write(files->user, file, image + done, size - done, done);
        if (put == 0) {
            return -EIO;
        }
        if (put < 0 && put != -EINTR) {
            return (int)put;
        }
        done += put > 0 ? (size_t)put : 0;
    }
    return 0;
}

static void write_temp_name(char name[sizeof GPOOL__STORE_TEMP + 32])
{
    uint8_t bytes[16];
    gpool__unique_bytes(bytes, sizeof bytes);
    const size_t prefix = sizeof GPOOL__STORE_TEMP - 1;
    memcpy(name, GPOOL__STORE_TEMP, prefix);
    gpool__entry_name(bytes, sizeof bytes, 16, name + prefix);
}

/* Makes a file that nobody else writes, with its lock; its descriptor or a negative errno. A cleaner
 * that comes between the two takes it for a dead writer's: the next one is tried. */
static int write_open_temp(gpool_store *store, char name[sizeof GPOOL__STORE_TEMP + 32])
{
    const gpool__files *files = store->files;
    int file = -EEXIST;
    for (int i = 0; i < WRITE_ATTEMPTS && (file == -EEXIST || file == -EWOULDBLOCK); ++i) {
        write_temp_name(name);
        file = files->create(files->user, store->directory, name);
        if (file < 0) {
            continue;
        }
        int locked = files->lock(files->user, file);
        if (locked < 0) {
            (void)files->close(files->user, file);
            (void)files->unlink(files->user, store->directory, name);
            file = locked;
        }
    }
    return file;
}

/* Writes a file that is open and locked, through a second descriptor: closing that tells what a
 * network did not take, while the lock stays with the first. */
static int write_temp(gpool_store *store, int holder, const uint8_t *image, size_t size)
{
    const gpool__files *files = store->files;
    int file = files->duplicate(files->user, holder);
    if (file < 0) {
        return file;
    }
    int error = write_all(store, file, image, size);
    int closed = files->close(files->user, file);
    return error < 0 ? error : closed;
}

/* Writes a file aside and commits it, once. */
static int write_once(gpool_store *store, const char *name, const uint8_t *image, size_t size)
{
    const gpool__files *files = store->files;
    char temp[sizeof GPOOL__STORE_TEMP + 32];
    int holder = write_open_temp(store, temp);
    if (holder < 0) {
        return holder;
    }
    int error = write_temp(store, holder, image, size);
    error = error < 0 ? error : gpool__store_commit(store, size, temp, name);
    if (error != 0) {
        (void)files->unlink(files->user, store->directory, temp);
    }
    (void)files->close(files->user, holder);
    return error;
}

/*
 * No fsync: it costs more than most payloads are worth (a third of a millisecond and up), and buys
 * nothing that the hash does not. What a power failure leaves half written is a bad entry, and a miss.
 *
 * Before a writer has its lock, a cleaner takes the file for a dead writer's. Then there is nothing to
 * rename, and another one is written.
 */
static int write_aside(gpool_store *store, const char *name, const uint8_t *image, size_t size)
{
    int error = -ENOENT;
    for (int i = 0; i < WRITE_ATTEMPTS && error == -ENOENT; ++i) {
        error = write_once(store, name, image, size);
    }
    return error;
}

/* An error of a disk that is full, or of one's share of it. */
static bool write_is_full(int error)
{
#ifdef EDQUOT
    if (error == -EDQUOT) {
        return true;
    }
#endif
    return error == -ENOSPC;
}

int gpool__store_write(gpool_store *store, const char *name, const uint8_t *image, size_t size)
{
    /* The first look comes before the first file: what dead writers left must not grow. */
    bool due = atomic_load(&store->look_due);
    int error = due ? gpool__store_commit(store, size, NULL, NULL) : 0;
    error = error < 0 ? error : write_aside(store, name, image, size);
    if (write_is_full(error)) {
        /* Full of what is ours to delete, perhaps. */
        error = gpool__store_commit(store, size, NULL, NULL);
        error = error != 0 ? error : write_aside(store, name, image, size);
    }
    return error == GPOOL__STORE_NO_ROOM ? -ENOSPC : error;
}
