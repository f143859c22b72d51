/*
 * Driver blobs of the known Dawn build: its cache callbacks over a disk store.
 *
 * The descriptor is that of Dawn before 2026-06 (from commit 22f0f0cce3 on the same sType has another
 * layout, so the build decides, never a header). Dawn asks for a blob twice, first for its size with a
 * null value and then for its bytes; a second answer that is not the first is a miss to it. Each time
 * the store is asked anew: a load costs microseconds where a pipeline costs milliseconds, nothing is
 * kept for a second call that may never come, and what another process does in between gives a miss or
 * another right blob.
 *
 * Dawn's version string is empty in this build, so its keys do not change with the library: ours put
 * the format, gpool's version, the hash of the file, adapter and driver before them.
 *
 * The callbacks come on any thread, several at once, inside Dawn's calls and with locks of Dawn's held.
 * They call the store and nothing else, keep its log records for later, and never fail. They find
 * their blobs by number in a list of those that are open: Dawn's device may outlive ours when the
 * program holds the raw one.
 */
#include "gpu/quirks.h"

#include "base/hash.h"
#include "base/log.h"
#include "base/text.h"
#include "base/thread.h"
#include "gpu/quirks_dawn.h"

#include <inttypes.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOBS_VERSION 1
#define BLOBS_STYPE   ((WGPUSType)0x50007)
#define BLOBS_SALT    1280u

/* A key of Dawn's up to this size needs no memory from the heap. */
#define BLOBS_SHORT_KEY 2048u

/*
 * A save that took so long waited for another process, or for a dying disk. The next ones would, too,
 * one by one and each inside a call of Dawn's: they are dropped for a while.
 */
#define BLOBS_SLOW_NS  UINT64_C(400000000)
#define BLOBS_PAUSE_NS UINT64_C(10000000000)

/* WGPUDawnCacheDeviceDescriptor. */
typedef struct blobs_descriptor {
    WGPUChainedStruct chain;
    WGPUStringView isolation_key;
    size_t (*load)(const void *key, size_t key_size, void *value, size_t value_size, void *user);
    void (*store)(const void *key, size_t key_size, const void *value, size_t value_size,
                  void *user);
    void *user;
} blobs_descriptor;

struct gpool__blobs {
    struct gpool__blobs *next; /* guarded by blobs_lock, as `running` is */
    uintptr_t number;
    uint32_t running; /* callbacks that use the store now */
    gpool_store *store;
    blobs_descriptor descriptor;
    size_t salt_size;
    char salt[BLOBS_SALT]; /* lines, ended by a zero byte: a prefix that fits one salt only */
    _Atomic uint64_t hits;
    _Atomic uint64_t misses;
    _Atomic uint64_t saves;
    _Atomic uint64_t dropped;
    _Atomic uint64_t hit_bytes;
    _Atomic uint64_t save_bytes;
    _Atomic uint64_t paused_until; /* gpool__now_ns() of the next save */
};

static gpool__mutex blobs_lock = GPOOL__MUTEX_INIT;
static gpool__condition blobs_idle;
static gpool__blobs *blobs_open;
static uintptr_t blobs_last_number;

/* The blobs of a number, held until blobs_leave(); NULL when they are closed. */
static gpool__blobs *blobs_enter(void *number)
{
    gpool__mutex_lock(&blobs_lock);
    gpool__blobs *blobs = blobs_open;
    while (blobs != NULL && blobs->number != (uintptr_t)number) {
        blobs = blobs->next;
    }
    if (blobs != NULL) {
        blobs->running += 1;
    }
    gpool__mutex_unlock(&blobs_lock);
    if (blobs != NULL) {
        gpool__log_hold();
    }
    return blobs;
}

static void blobs_leave(gpool__blobs *blobs)
{
    gpool__mutex_lock(&blobs_lock);
    blobs->running -= 1;
    if (blobs->running == 0) {
        gpool__condition_wake(&blobs_idle);
    }
    gpool__mutex_unlock(&blobs_lock);
    gpool__log_release();
}

/* A key of ours: salt and Dawn's key. */
typedef struct blobs_key {
    size_t size;
    uint8_t *bytes; /* in `inside`, or of malloc(): the device's hooks are not for any thread */
    uint8_t inside[BLOBS_SALT + BLOBS_SHORT_KEY];
} blobs_key;

static bool blobs_make_key(const gpool__blobs *blobs, const void *key, size_t key_size,
                           blobs_key *made)
{
    if (key == NULL || key_size == 0 || key_size > SIZE_MAX - blobs->salt_size) {
        return false;
    }
    made->size = blobs->salt_size + key_size;
    made->bytes = made->size <= sizeof made->inside ? made->inside : malloc(made->size);
    if (made->bytes == NULL) {
        return false;
    }
    memcpy(made->bytes, blobs->salt, blobs->salt_size);
    memcpy(made->bytes + blobs->salt_size, key, key_size);
    return true;
}

static void blobs_free_key(blobs_key *made)
{
    if (made->bytes != made->inside) {
        free(made->bytes);
    }
}

/* Size of the blob; with a `value`, 0 unless it was copied there. */
static size_t blobs_load_open(gpool__blobs *blobs, const void *key, size_t key_size, void *value,
                              size_t value_size)
{
    blobs_key whole;
    void *data = NULL;
    size_t size = 0;
    if (blobs_make_key(blobs, key, key_size, &whole)) {
        (void)gpool_store_load(blobs->store, whole.bytes, whole.size, &data, &size);
        blobs_free_key(&whole);
    }
    if (data != NULL && value != NULL) {
        if (size == value_size) {
            memcpy(value, data, size);
            atomic_fetch_add(&blobs->hits, 1);
            atomic_fetch_add(&blobs->hit_bytes, size);
        } else {
            size = 0;
        }
    }
    gpool_store_free_data(blobs->store, data);
    if (size == 0) {
        atomic_fetch_add(&blobs->misses, 1);
    }
    return size;
}

static size_t blobs_load(const void *key, size_t key_size, void *value, size_t value_size,
                         void *user)
{
    gpool__blobs *blobs = blobs_enter(user);
    if (blobs == NULL) {
        return 0;
    }
    size_t size = blobs_load_open(blobs, key, key_size, value, value_size);
    blobs_leave(blobs);
    return size;
}

static bool blobs_save_open(gpool__blobs *blobs, const void *key, size_t key_size,
                            const void *value, size_t value_size)
{
    uint64_t begin = gpool__now_ns();
    blobs_key whole;
    if (value == NULL || value_size == 0 || begin < atomic_load(&blobs->paused_until) ||
        !blobs_make_key(blobs, key, key_size, &whole)) {
        return false;
    }
    gpool_result result =
        gpool_store_save(blobs->store, whole.bytes, whole.size, value, value_size);
    blobs_free_key(&whole);
    uint64_t end = gpool__now_ns();
    if (end - begin > BLOBS_SLOW_NS) {
        atomic_store(&blobs->paused_until, end + BLOBS_PAUSE_NS);
    }
    return result == GPOOL_OK;
}

static void blobs_save(const void *key, size_t key_size, const void *value, size_t value_size,
                       void *user)
{
    gpool__blobs *blobs = blobs_enter(user);
    if (blobs == NULL) {
        return;
    }
    if (blobs_save_open(blobs, key, key_size, value, value_size)) {
        atomic_fetch_add(&blobs->saves, 1);
        atomic_fetch_add(&blobs->save_bytes, value_size);
    } else {
        atomic_fetch_add(&blobs->dropped, 1);
    }
    blobs_leave(blobs);
}

/* Adds a line: printable, and without a line break of its own. */
static void blobs_add_line(gpool__blobs *blobs, const char *text, size_t length)
{
    char line[256];
    (void)gpool__clean(line, sizeof line, text, length);
    int written = snprintf(blobs->salt + blobs->salt_size, sizeof blobs->salt - blobs->salt_size,
                           "%s\n", line);
    blobs->salt_size += (size_t)written;
}

static void blobs_add_view(gpool__blobs *blobs, WGPUStringView view)
{
    size_t length = view.data == NULL            ? 0
                    : view.length == WGPU_STRLEN ? strlen(view.data)
                                                 : view.length;
    blobs_add_line(blobs, view.data != NULL ? view.data : "", length);
}

static void blobs_make_salt(gpool__blobs *blobs, const gpool_gpu *table, WGPUAdapter adapter)
{
    WGPUAdapterInfo info = { 0 };
    bool known = table->AdapterGetInfo(adapter, &info) == WGPUStatus_Success;
    char head[128];
    int length =
        snprintf(head, sizeof head, "gpool-blob %d gpool %s dawn %016" PRIx64 " %x %x %x %x",
                 BLOBS_VERSION, gpool_version(), GPOOL__DAWN_HASH, (unsigned)info.backendType,
                 (unsigned)info.adapterType, (unsigned)info.vendorID, (unsigned)info.deviceID);
    blobs_add_line(blobs, head, (size_t)length);
    blobs_add_view(blobs, info.vendor);
    blobs_add_view(blobs, info.architecture);
    blobs_add_view(blobs, info.device);
    blobs_add_view(blobs, info.description);
    blobs->salt[blobs->salt_size++] = '\0';
    if (known) {
        table->AdapterInfoFreeMembers(info);
    }
}

gpool__blobs *gpool__quirks_blobs_take(gpool__memory *memory, const gpool_gpu *table,
                                       WGPUAdapter adapter, gpool_store *store)
{
    gpool__blobs *blobs = gpool__alloc(memory, sizeof *blobs);
    if (blobs == NULL) {
        return NULL;
    }
    blobs->store = store;
    blobs_make_salt(blobs, table, adapter);
    gpool__mutex_lock(&blobs_lock);
    if (blobs_last_number == 0) {
        gpool__condition_init(&blobs_idle);
    }
    blobs->number = ++blobs_last_number;
    blobs->next = blobs_open;
    blobs_open = blobs;
    gpool__mutex_unlock(&blobs_lock);
    blobs->descriptor = (blobs_descriptor){
        .chain = { .sType = BLOBS_STYPE },
        .isolation_key = { "", 0 },
        .load = blobs_load,
        .store = blobs_save,
        .user = (void *)blobs->number,
    };
    return blobs;
}

WGPUChainedStruct *gpool__quirks_blobs_chain(gpool__blobs *blobs)
{
    return blobs != NULL ? &blobs->descriptor.chain : NULL;
}

void gpool__quirks_blobs_give_back(gpool__memory *memory, gpool__blobs *blobs)
{
    if (blobs == NULL) {
        return;
    }
    gpool__mutex_lock(&blobs_lock);
    gpool__blobs **link = &blobs_open;
    while (*link != blobs) {
        link = &(*link)->next;
    }
    *link = blobs->next;
    while (blobs->running > 0) {
        gpool__condition_wait(&blobs_idle, &blobs_lock, UINT64_MAX);
    }
    gpool__mutex_unlock(&blobs_lock);
    gpool__free(memory, blobs, sizeof *blobs);
}

void gpool__quirks_blobs_stats(const gpool__blobs *blobs, gpool_blob_stats *stats)
{
    *stats = (gpool_blob_stats){ .active = blobs != NULL };
    if (blobs != NULL) {
        stats->hits = atomic_load(&blobs->hits);
        stats->misses = atomic_load(&blobs->misses);
        stats->saves = atomic_load(&blobs->saves);
        stats->dropped = atomic_load(&blobs->dropped);
        stats->hit_bytes = atomic_load(&blobs->hit_bytes);
        stats->save_bytes = atomic_load(&blobs->save_bytes);
    }
}
