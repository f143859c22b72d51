/* The disk store: a hit against a plain read of a file of the same size. */
#if !defined(_XOPEN_SOURCE)
#define _XOPEN_SOURCE 700 /* mkdtemp(), nftw() */
#endif
#include "bench.h"

#include <gpool/store.h>

#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define STORE_ITEMS   (UINT64_C(1) << 13)
#define STORE_ENTRIES 64u
#define STORE_PATH    256

typedef struct store_files {
    gpool_store *store;
    size_t size;      /* of a payload */
    size_t file_size; /* of the file of an entry, and of a plain one */
    uint8_t *block;   /* plain files are read into it */
    char folder[STORE_PATH / 2];
    char paths[STORE_ENTRIES][STORE_PATH]; /* of plain files */
} store_files;

static void store_hit_work(void *state, uint64_t count)
{
    store_files *files = state;
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < count; ++i) {
        const uint64_t key = i % STORE_ENTRIES;
        void *data = NULL;
        size_t size = 0;
        if (gpool_store_load(files->store, &key, sizeof key, &data, &size) == GPOOL_OK) {
            bytes += size + ((const uint8_t *)data)[i % files->size];
        }
        gpool_store_free_data(files->store, data);
    }
    bench_sink += bytes;
}

static void store_plain_work(void *state, uint64_t count)
{
    store_files *files = state;
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < count; ++i) {
        const int file = open(files->paths[i % STORE_ENTRIES], O_RDONLY | O_CLOEXEC);
        const ssize_t got = read(file, files->block, files->file_size);
        (void)close(file);
        bytes += (uint64_t)got + files->block[i % files->size];
    }
    bench_sink += bytes;
}

static void store_write_plain(const char *path, const void *bytes, size_t size)
{
    const int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const bool good = file >= 0 && write(file, bytes, size) == (ssize_t)size && close(file) == 0;
    bench_require(good, "a plain file cannot be written");
}

/* A store and plain files side by side, as many and as large. */
static void store_open_files(store_files *files, uint64_t size)
{
    const char *parent = getenv("TMPDIR");
    files->size = (size_t)size;
    (void)snprintf(files->folder, sizeof files->folder, "%.60s/gpool-bench-XXXXXX",
                   parent != NULL ? parent : "/tmp");
    bench_require(mkdtemp(files->folder) != NULL, "no folder");
    char path[STORE_PATH];
    (void)snprintf(path, sizeof path, "%s/plain", files->folder);
    bench_require(mkdir(path, 0700) == 0, "no folder");
    (void)snprintf(path, sizeof path, "%s/store", files->folder);
    const gpool_store_desc desc = { .directory = path };
    bench_require(gpool_store_open(&desc, &files->store) == GPOOL_OK, "no store");
    files->block = bench_alloc(files->size + 64, 1);
    uint64_t random = 1;
    for (uint64_t key = 0; key < STORE_ENTRIES; ++key) {
        for (size_t i = 0; i < files->size; ++i) {
            files->block[i] = (uint8_t)bench_random(&random);
        }
        bench_require(gpool_store_save(files->store, &key, sizeof key, files->block, files->size) ==
                          GPOOL_OK,
                      "no entry");
    }
    gpool_store_stats stats;
    gpool_store_get_stats(files->store, &stats);
    bench_require(stats.saves == STORE_ENTRIES, "an entry was not saved");
    files->file_size = (size_t)(stats.bytes / STORE_ENTRIES);
    bench_require(files->file_size <= files->size + 64, "an entry is too large");
    for (uint32_t i = 0; i < STORE_ENTRIES; ++i) {
        (void)snprintf(files->paths[i], sizeof files->paths[i], "%s/plain/%032u", files->folder, i);
        store_write_plain(files->paths[i], files->block, files->file_size);
    }
}

static int store_remove_one(const char *path, const struct stat *state, int type, struct FTW *place)
{
    (void)state;
    (void)type;
    (void)place;
    return remove(path);
}

void bench_store_hit(bench_run *run, bench_row *row, uint64_t argument)
{
    store_files *files = bench_alloc(1, sizeof *files);
    store_open_files(files, argument);
    const bench_side peer = { .name = "open, read, close",
                              .work = store_plain_work,
                              .state = files };
    bench_measure(run, row, (bench_side){ .work = store_hit_work, .state = files }, &peer,
                  STORE_ITEMS);
    gpool_store_stats stats;
    gpool_store_get_stats(files->store, &stats);
    bench_require(run->counted != NULL || stats.hits > 0, "no entry was loaded");
    bench_add_limited(row, "misses", (double)stats.misses, 0);
    bench_add_limited(row, "bad_entries", (double)stats.bad_entries, 0);
    bench_add_counter(row, "file_bytes", (double)files->file_size);
    gpool_store_close(files->store);
    (void)nftw(files->folder, store_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(files->block);
    free(files);
}
