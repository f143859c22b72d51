/*
 * Driver blobs of the known Dawn build: its cache callbacks over a disk store.
 *
 * The descriptor is that of Dawn before 2026-06 (from commit 22f0f0cce3 on the same sType has another
 * layout, so the build decides, never a header). Dawn asks for a blob twice on one thread: for its size
 * with a null value, then for its bytes. This build does not look at the second answer (seen: it parsed
 * a block that nobody had filled), so an entry that another process deletes in between must not matter:
 * the payload is kept from the first call to the second, and where it cannot be kept the first call is
 * a miss. Should there be nothing to give all the same, the block is filled with what neither Dawn nor
 * a driver takes for a blob.
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
 * A save that took so long and came to nothing waited for another process that is stopped, or for a
 * dying disk. The next ones would, too, one by one and each inside a call of Dawn's: they are dropped for
 * a while. One that only was slow is none of that: machines are busy.
 */
#define BLOBS_SLOW_NS  UINT64_C(400000000)
#define BLOBS_PAUSE_NS UINT64_C(10000000000)

/* Payloads kept between two calls: of so many threads at once. */
#define BLOBS_KEPT 64u

/* How long a device that is closed waits for second calls. */
#define BLOBS_KEPT_NS UINT64_C(1000000000)

/* What second calls get that have no blob: sizes in it are too large for any reader. */
#define BLOBS_NOTHING 0xff

/* WGPUDawnCacheDeviceDescriptor. */
typedef struct blobs_descriptor {
    WGPUChainedStruct chain;
    WGPUStringView isolation_key;
    size_t (*load)(const void *key, size_t key_size, void *value, size_t value_size, void *user);
    void (*store)(const void *key, size_t key_size, const void *value, size_t value_size,
                  void *user);
    void *user;
} blobs_descriptor;

/* A payload that the next call of a thread will ask for. */
typedef struct blobs_kept {
    uint64_t thread;
    uint8_t key[16]; /* its hash */
    void *data;      /* of the store; NULL = free */
    size_t size;
} blobs_kept;

struct gpool__blobs {
    /* Guarded by blobs_lock: */
    struct gpool__blobs *next;
    uint32_t running;    /* callbacks that use the store now */
    uint32_t kept_count; /* used items of `kept` */
    bool is_closing;     /* second calls are answered, first ones are not */
    blobs_kept kept[BLOBS_KEPT];
    /* Set once, or atomic: */
    uintptr_t number;
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
static gpool__blobs *blobs_enter(void *number, bool is_second)
{
    gpool__mutex_lock(&blobs_lock);
    gpool__blobs *blobs = blobs_open;
    while (blobs != NULL && blobs->number != (uintptr_t)number) {
        blobs = blobs->next;
    }
    if (blobs != NULL && blobs->is_closing && !is_second) {
        blobs = NULL;
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

/* Takes what was kept for the calling thread; `data` is NULL when there was nothing. */
static blobs_kept blobs_take_kept(gpool__blobs *blobs)
{
    blobs_kept taken = { 0 };
    uint64_t thread = gpool__thread_number();
    gpool__mutex_lock(&blobs_lock);
    for (uint32_t i = 0; i < BLOBS_KEPT && blobs->kept_count > 0; ++i) {
        if (blobs->kept[i].data != NULL && blobs->kept[i].thread == thread) {
            taken = blobs->kept[i];
            blobs->kept[i].data = NULL;
            blobs->kept_count -= 1;
            break;
        }
    }
    gpool__mutex_unlock(&blobs_lock);
    return taken;
}

/* Keeps it for the calling thread, which has nothing kept; false when there is no room. */
static bool blobs_keep(gpool__blobs *blobs, const blobs_kept *kept)
{
    gpool__mutex_lock(&blobs_lock);
    uint32_t i = 0;
    while (i < BLOBS_KEPT && blobs->kept[i].data != NULL) {
        i += 1;
    }
    if (i < BLOBS_KEPT) {
        blobs->kept[i] = *kept;
        blobs->kept[i].thread = gpool__thread_number();
        blobs->kept_count += 1;
    }
    gpool__mutex_unlock(&blobs_lock);
    return i < BLOBS_KEPT;
}

/* Size of a blob that is kept for the second call; 0 = a miss. */
static size_t blobs_find(gpool__blobs *blobs, const void *key, size_t key_size)
{
    blobs_key whole;
    blobs_kept kept = { 0 };
    if (blobs_make_key(blobs, key, key_size, &whole)) {
        (void)gpool_store_load(blobs->store, whole.bytes, whole.size, &kept.data, &kept.size);
        blobs_free_key(&whole);
    }
    if (kept.data != NULL && kept.size > 0) {
        gpool__hash128(key, key_size, kept.key);
        if (blobs_keep(blobs, &kept)) {
            return kept.size;
        }
    }
    gpool_store_free_data(blobs->store, kept.data);
    atomic_fetch_add(&blobs->misses, 1);
    return 0;
}

/* Copies what the first call kept; false when that was something else. */
static bool blobs_give(gpool__blobs *blobs, const void *key, size_t key_size, void *value,
                       const blobs_kept *kept, size_t value_size)
{
    uint8_t hash[16];
    if (kept->data == NULL || kept->size != value_size || key == NULL) {
        return false;
    }
    gpool__hash128(key, key_size, hash);
    if (memcmp(hash, kept->key, sizeof hash) != 0) {
        return false;
    }
    memcpy(value, kept->data, value_size);
    atomic_fetch_add(&blobs->hits, 1);
    atomic_fetch_add(&blobs->hit_bytes, value_size);
    return true;
}

static size_t blobs_load(const void *key, size_t key_size, void *value, size_t value_size,
                         void *user)
{
    gpool__blobs *blobs = blobs_enter(user, value != NULL);
    size_t size = 0;
    if (blobs != NULL) {
        blobs_kept kept = blobs_take_kept(blobs);
        if (value == NULL) {
            size = blobs_find(blobs, key, key_size);
        } else if (blobs_give(blobs, key, key_size, value, &kept, value_size)) {
            size = value_size;
        } else {
            atomic_fetch_add(&blobs->misses, 1);
        }
        gpool_store_free_data(blobs->store, kept.data);
        blobs_leave(blobs);
    }
    if (value != NULL && size == 0) {
        memset(value, BLOBS_NOTHING, value_size);
    }
    return size;
}

static bool blobs_save_open(gpool__blobs *blobs, const void *key, size_t key_size,
                            const void *value, size_t value_size)
{
    uint64_t begin = gpool__now_ns();
    gpool_store_stats before;
    gpool_store_stats after;
    blobs_key whole;
    if (value == NULL || value_size == 0 || begin < atomic_load(&blobs->paused_until) ||
        !blobs_make_key(blobs, key, key_size, &whole)) {
        return false;
    }
    gpool_store_get_stats(blobs->store, &before);
    gpool_result result =
        gpool_store_save(blobs->store, whole.bytes, whole.size, value, value_size);
    blobs_free_key(&whole);
    uint64_t end = gpool__now_ns();
    gpool_store_get_stats(blobs->store, &after);
    if (end - begin > BLOBS_SLOW_NS && after.failed_saves > before.failed_saves) {
        atomic_store(&blobs->paused_until, end + BLOBS_PAUSE_NS);
    }
    return result == GPOOL_OK;
}

static void blobs_save(const void *key, size_t key_size, const void *value, size_t value_size,
                       void *user)
{
    gpool__blobs *blobs = blobs_enter(user, false);
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
    uint64_t begin = gpool__now_ns();
    gpool__mutex_lock(&blobs_lock);
    blobs->is_closing = true;
    while (blobs->running > 0 ||
           (blobs->kept_count > 0 && gpool__now_ns() - begin < BLOBS_KEPT_NS)) {
        gpool__condition_wait(&blobs_idle, &blobs_lock, BLOBS_KEPT_NS / 10);
    }
    gpool__blobs **link = &blobs_open;
    while (*link != blobs) {
        link = &(*link)->next;
    }
    *link = blobs->next;
    gpool__mutex_unlock(&blobs_lock);
    for (uint32_t i = 0; i < BLOBS_KEPT; ++i) {
        gpool_store_free_data(blobs->store, blobs->kept[i].data);
    }
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
