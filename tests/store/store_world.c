#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#ifndef _DEFAULT_SOURCE
#define _DEFAULT_SOURCE 1 /* flock() */
#endif
#include "store_world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void world_on_log(void *user, const gpool_log_record *record)
{
    store_world *w = user;
    bool known = record->id == GPOOL_LOG_STORE && record->level == GPOOL_LOG_LEVEL_WARN &&
                 record->result == GPOOL_OK &&
                 strncmp(record->operation, "gpool_store_", 12) == 0 && record->message[0] != '\0';
    atomic_fetch_add(known ? &w->records : &w->strange, 1);
}

uint32_t world_descriptors(void)
{
    uint32_t count = 0;
    DIR *all = opendir("/proc/self/fd");
    while (all != NULL && readdir(all) != NULL) {
        count += 1;
    }
    if (all != NULL) {
        (void)closedir(all);
    }
    return count;
}

void world_open(store_world *w)
{
    memset(w, 0, sizeof *w);
    const char *parent = getenv("TMPDIR");
    (void)snprintf(w->folder, sizeof w->folder, "%s/gpool-store-XXXXXX",
                   parent != NULL ? parent : P_tmpdir);
    assert_non_null(mkdtemp(w->folder));
    (void)snprintf(w->path, sizeof w->path, "%s/store", w->folder);
    w->hooks = unit_hooks(&w->allocator);
    w->open_descriptors = world_descriptors();
}

static int world_remove_one(const char *path, const struct stat *state, int type, struct FTW *place)
{
    (void)state;
    (void)type;
    (void)place;
    return remove(path);
}

void world_remove_all(const char *path)
{
    (void)nftw(path, world_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void world_close(store_world *w)
{
    assert_int_equal(w->allocator.blocks, 0);
    assert_int_equal(w->allocator.wrong_sizes, 0);
    assert_int_equal(atomic_load(&w->strange), 0);
    assert_int_equal(world_descriptors(), w->open_descriptors);
    world_remove_all(w->folder);
    assert_false(world_exists(w->folder));
}

gpool_store_desc world_desc(store_world *w)
{
    return (gpool_store_desc){
        .directory = w->path, .allocator = w->hooks, .log = world_on_log, .log_user = w
    };
}

gpool_store *world_store_of(const gpool_store_desc *desc, const gpool__store_hooks *hooks)
{
    gpool_store *store = NULL;
    assert_same(gpool__store_open(desc, hooks, &store), GPOOL_OK);
    assert_non_null(store);
    return store;
}

gpool_store *world_store(store_world *w)
{
    const gpool_store_desc desc = world_desc(w);
    return world_store_of(&desc, NULL);
}

gpool_store_stats world_stats(const gpool_store *store)
{
    gpool_store_stats stats;
    gpool_store_get_stats(store, &stats);
    return stats;
}

const char *world_path(const store_world *w, const char *name)
{
    static char paths[8][512];
    static unsigned turn;
    char *path = paths[turn++ % 8];
    (void)snprintf(path, sizeof paths[0], "%s/%s", w->folder, name);
    return path;
}

const char *world_entry_path(const store_world *w, uint64_t key)
{
    char bytes[WORLD_KEY_SIZE];
    char name[GPOOL__ENTRY_NAME_SIZE];
    char inside[64];
    gpool__entry_name(bytes, world_key(key, bytes), 16, name);
    (void)snprintf(inside, sizeof inside, "store/%s", name);
    return world_path(w, inside);
}

/* --- payloads --- */

size_t world_key(uint64_t number, char key[WORLD_KEY_SIZE])
{
    return (size_t)snprintf(key, WORLD_KEY_SIZE, "key %llu", (unsigned long long)number);
}

void world_fill(uint8_t *payload, size_t size, uint64_t number, uint64_t variant)
{
    uint64_t state = number * UINT64_C(0x9e3779b97f4a7c15) + variant + size;
    memcpy(payload, &number, 8);
    memcpy(payload + 8, &variant, 8);
    for (size_t i = 16; i < size; i += 8) {
        uint64_t word = unit_random(&state);
        memcpy(payload + i, &word, size - i < 8 ? size - i : 8);
    }
}

bool world_is_right(const uint8_t *payload, size_t size, uint64_t number)
{
    if (size < 16) {
        return false;
    }
    uint64_t told;
    uint64_t variant;
    memcpy(&told, payload, 8);
    memcpy(&variant, payload + 8, 8);
    uint8_t *wanted = malloc(size);
    if (wanted == NULL || told != number) {
        free(wanted);
        return false;
    }
    world_fill(wanted, size, number, variant);
    bool same = memcmp(wanted, payload, size) == 0;
    free(wanted);
    return same;
}

gpool_result world_save(gpool_store *store, uint64_t number, uint64_t variant, size_t size)
{
    char key[WORLD_KEY_SIZE];
    uint8_t *payload = malloc(size);
    if (payload == NULL) {
        abort();
    }
    world_fill(payload, size, number, variant);
    gpool_result result = gpool_store_save(store, key, world_key(number, key), payload, size);
    free(payload);
    return result;
}

world_loaded world_load(gpool_store *store, uint64_t number)
{
    char key[WORLD_KEY_SIZE];
    void *data = store;
    size_t size = 77;
    gpool_result result = gpool_store_load(store, key, world_key(number, key), &data, &size);
    if (result != GPOOL_OK) {
        bool clean = data == NULL && size == 0;
        return !clean                                ? WORLD_ERROR
               : result == GPOOL_NOT_FOUND           ? WORLD_MISS
               : result == GPOOL_ERROR_OUT_OF_MEMORY ? WORLD_NO_MEMORY
                                                     : WORLD_ERROR;
    }
    bool right = (uintptr_t)data % 16 == 0 && world_is_right(data, size, number);
    gpool_store_free_data(store, data);
    return right ? WORLD_RIGHT : WORLD_WRONG;
}

/* --- files --- */

size_t world_read_file(const char *path, uint8_t *bytes, size_t capacity)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return SIZE_MAX;
    }
    size_t size = fread(bytes, 1, capacity, file);
    (void)fclose(file);
    return size;
}

void world_write_file(const char *path, const void *bytes, size_t size)
{
    (void)unlink(path); /* some file systems write a file that is cut short to the disk at once */
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, size), (ssize_t)size);
    assert_int_equal(close(file), 0);
}

bool world_exists(const char *path)
{
    struct stat state;
    return lstat(path, &state) == 0;
}

void world_set_time(const char *path, int64_t ns)
{
    struct timespec time = { ns / 1000000000, ns % 1000000000 };
    const struct timespec times[2] = { time, time };
    assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

int64_t world_get_time(const char *path)
{
    struct stat state;
    assert_int_equal(lstat(path, &state), 0);
    return (int64_t)state.st_mtim.tv_sec * 1000000000 + state.st_mtim.tv_nsec;
}

int64_t world_now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

world_census world_count(const char *path)
{
    world_census census = { 0 };
    DIR *names = opendir(path);
    const struct dirent *entry;
    while (names != NULL && (entry = readdir(names)) != NULL) {
        bool is_temp = strncmp(entry->d_name, GPOOL__STORE_TEMP, 5) == 0;
        struct stat state;
        if (is_temp || gpool__entry_is_name(entry->d_name)) {
            census.temps += is_temp;
            census.entries += !is_temp;
            if (fstatat(dirfd(names), entry->d_name, &state, AT_SYMLINK_NOFOLLOW) == 0) {
                census.bytes += (uint64_t)state.st_size;
                census.entry_bytes += is_temp ? 0 : (uint64_t)state.st_size;
            }
        } else {
            census.others += entry->d_name[0] != '.';
        }
    }
    if (names != NULL) {
        (void)closedir(names);
    }
    return census;
}

uint64_t world_ledger(const store_world *w)
{
    uint8_t bytes[16];
    uint64_t words[2];
    if (world_read_file(world_path(w, "store/" GPOOL__STORE_LEDGER), bytes, 16) != 16) {
        return UINT64_MAX;
    }
    memcpy(words, bytes, sizeof words);
    return (words[0] ^ words[1]) == UINT64_C(0x67706f6f6c6c6564) ? words[0] : UINT64_MAX;
}

int world_check_ledger(const store_world *w)
{
    int ledger = open(world_path(w, "store/" GPOOL__STORE_LEDGER), O_RDWR | O_CLOEXEC);
    assert_true(ledger >= 0 || errno == ENOENT);
    if (ledger >= 0 && flock(ledger, LOCK_EX | LOCK_NB) != 0) {
        assert_int_equal(close(ledger), 0);
        return 0;
    }
    /* What is deleted meanwhile makes the sum smaller. */
    const bool enough = world_ledger(w) >= world_count(w->path).entry_bytes;
    if (ledger >= 0) {
        assert_int_equal(flock(ledger, LOCK_UN), 0);
        assert_int_equal(close(ledger), 0);
    }
    return enough ? 1 : -1;
}

uint64_t world_number(const char *variable, uint64_t otherwise)
{
    const char *text = getenv(variable);
    return text != NULL ? strtoull(text, NULL, 0) : otherwise;
}
