/*
 * The cache callbacks of the known Dawn build without Dawn: many threads, salts, memory that ends,
 * closing under way. The layout of the descriptor stands here a second time, from Dawn's own header.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700 /* mkdtemp(), nftw(), barriers */
#endif
#include "gpu/quirks.h"
#include "shader/store_state.h"
#include "unit/unit.h"

#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <unistd.h>

/* WGPUDawnCacheDeviceDescriptor of June 2025. */
typedef struct cache_descriptor {
    WGPUChainedStruct *next;
    uint32_t stype;
    const char *isolation_key;
    size_t isolation_key_size;
    size_t (*load)(void const *key, size_t key_size, void *value, size_t value_size, void *user);
    void (*store)(void const *key, size_t key_size, void const *value, size_t value_size,
                  void *user);
    void *user;
} cache_descriptor;

/* The library's malloc() comes here (see CMakeLists.txt). */
void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

static _Atomic bool malloc_fails;

void *__wrap_malloc(size_t size)
{
    return malloc_fails ? NULL : __real_malloc(size);
}

/* --- an adapter that is nothing but its description --- */

static WGPUAdapterInfo adapter_info;
static int infos_open;

static WGPUStringView view(const char *text)
{
    return (WGPUStringView){ text, WGPU_STRLEN };
}

static WGPUStatus get_info(WGPUAdapter adapter, WGPUAdapterInfo *info)
{
    (void)adapter;
    *info = adapter_info;
    infos_open += 1;
    return WGPUStatus_Success;
}

static WGPUStatus get_no_info(WGPUAdapter adapter, WGPUAdapterInfo *info)
{
    (void)adapter;
    (void)info;
    return WGPUStatus_Error;
}

static void free_info(WGPUAdapterInfo info)
{
    (void)info;
    infos_open -= 1;
}

static WGPUAdapterInfo some_adapter(void)
{
    return (WGPUAdapterInfo){ .vendor = view("vendor"),
                              .architecture = view("architecture"),
                              .device = view("device"),
                              .description = view("driver 1.2"),
                              .backendType = WGPUBackendType_Vulkan,
                              .adapterType = WGPUAdapterType_DiscreteGPU,
                              .vendorID = 1,
                              .deviceID = 2 };
}

/* --- a store in a folder of its own --- */

typedef struct world {
    char folder[64];
    gpool_store *store;
    gpool__memory memory;
    unit_allocator allocator;
    _Atomic uint32_t records;
} world;

static void on_log(void *user, const gpool_log_record *record)
{
    world *w = user;
    assert_same(record->id, GPOOL_LOG_STORE);
    w->records += 1;
}

static void open_store(world *w, const gpool__files *files)
{
    const gpool_store_desc desc = { .directory = w->folder, .log = on_log, .log_user = w };
    const gpool__store_hooks hooks = { .files = files };
    assert_same(gpool__store_open(&desc, &hooks, &w->store), GPOOL_OK);
}

static void open_world(world *w)
{
    *w = (world){ .folder = "/tmp/gpool-blobs-XXXXXX" };
    assert_non_null(mkdtemp(w->folder));
    const gpool_allocator hooks = unit_hooks(&w->allocator);
    gpool__memory_init(&w->memory, &hooks);
    adapter_info = some_adapter();
    open_store(w, NULL);
}

static int remove_one(const char *path, const struct stat *state, int type, struct FTW *at)
{
    (void)state;
    (void)type;
    (void)at;
    return remove(path);
}

static void close_world(world *w)
{
    gpool_store_close(w->store);
    assert_int_equal(w->allocator.blocks, 0);
    assert_int_equal(w->allocator.wrong_sizes, 0);
    assert_int_equal(infos_open, 0);
    (void)nftw(w->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static gpool__blobs *take(world *w)
{
    const gpool_gpu table = { .AdapterGetInfo = get_info, .AdapterInfoFreeMembers = free_info };
    return gpool__quirks_blobs_take(&w->memory, &table, NULL, w->store);
}

static const cache_descriptor *callbacks_of(gpool__blobs *blobs)
{
    const WGPUChainedStruct *chain = gpool__quirks_blobs_chain(blobs);
    return (const cache_descriptor *)(const void *)chain;
}

static gpool_blob_stats stats_of(const gpool__blobs *blobs)
{
    gpool_blob_stats stats;
    gpool__quirks_blobs_stats(blobs, &stats);
    return stats;
}

/* --- blobs that tell whose they are --- */

static size_t blob_size(uint64_t number)
{
    return 24 + (size_t)(number % 37) * 11;
}

static void fill_blob(uint64_t number, uint8_t *blob)
{
    uint64_t state = number;
    for (size_t i = 0; i < blob_size(number); ++i) {
        blob[i] = (uint8_t)unit_random(&state);
    }
}

static void save(const cache_descriptor *c, uint64_t number)
{
    uint8_t blob[1024];
    fill_blob(number, blob);
    c->store(&number, sizeof number, blob, blob_size(number), c->user);
}

/* Both calls: 1 = the right blob, 0 = none, -1 = a wrong one. */
static int load(const cache_descriptor *c, uint64_t number)
{
    uint8_t blob[1024];
    uint8_t wanted[1024];
    size_t size = c->load(&number, sizeof number, NULL, 0, c->user);
    if (size == 0) {
        return 0;
    }
    if (size != blob_size(number) || c->load(&number, sizeof number, blob, size, c->user) != size) {
        return -1;
    }
    fill_blob(number, wanted);
    return memcmp(blob, wanted, size) == 0 ? 1 : -1;
}

static void descriptor_is_what_dawn_reads(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    gpool__blobs *blobs = take(&w);
    const cache_descriptor *c = callbacks_of(blobs);
    assert_null(c->next);
    assert_int_equal(c->stype, 0x50007);
    assert_non_null(c->isolation_key);
    assert_int_equal(c->isolation_key_size, 0);
    assert_int_equal(load(c, 1), 0);
    save(c, 1);
    assert_int_equal(load(c, 1), 1);
    assert_int_equal(load(c, 2), 0);
    gpool_blob_stats stats = stats_of(blobs);
    assert_true(stats.active);
    assert_int_equal(stats.hits, 1);
    assert_int_equal(stats.hit_bytes, blob_size(1));
    assert_int_equal(stats.misses, 2);
    assert_int_equal(stats.saves, 1);
    assert_int_equal(stats.save_bytes, blob_size(1));
    assert_int_equal(stats.dropped, 0);
    gpool__quirks_blobs_give_back(&w.memory, blobs);
    gpool__quirks_blobs_give_back(&w.memory, NULL);
    assert_null(gpool__quirks_blobs_chain(NULL));
    assert_false(stats_of(NULL).active);
    close_world(&w);
}

static void calls_without_sense_are_misses(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    gpool__blobs *blobs = take(&w);
    const cache_descriptor *c = callbacks_of(blobs);
    c->store(NULL, 8, "blob", 4, c->user);
    c->store("key", 0, "blob", 4, c->user);
    c->store("key", 3, NULL, 4, c->user);
    c->store("key", 3, "blob", 0, c->user);
    c->store("key", SIZE_MAX, "blob", 4, c->user);
    assert_int_equal(stats_of(blobs).dropped, 5);
    assert_int_equal(c->load(NULL, 8, NULL, 0, c->user), 0);
    assert_int_equal(c->load("key", 0, NULL, 0, c->user), 0);
    assert_int_equal(c->load("key", SIZE_MAX, NULL, 0, c->user), 0);
    assert_int_equal(c->load("key", 3, NULL, 0, NULL), 0);
    gpool_store_stats stats;
    gpool_store_get_stats(w.store, &stats);
    assert_int_equal(stats.saves, 0);
    gpool__quirks_blobs_give_back(&w.memory, blobs);
    close_world(&w);
}

/* True when what one device saves is found by one of `adapter_info`. */
static bool finds(world *w, uint64_t number)
{
    gpool__blobs *blobs = take(w);
    int loaded = load(callbacks_of(blobs), number);
    assert_true(loaded >= 0);
    gpool__quirks_blobs_give_back(&w->memory, blobs);
    return loaded == 1;
}

static void another_adapter_or_driver_finds_nothing(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    gpool__blobs *blobs = take(&w);
    save(callbacks_of(blobs), 1);
    gpool__quirks_blobs_give_back(&w.memory, blobs);
    assert_true(finds(&w, 1));
#define CHANGED(change)                                                                            \
    adapter_info = some_adapter();                                                                 \
    adapter_info.change;                                                                           \
    assert_false(finds(&w, 1))
    CHANGED(vendor = view("vendo"));
    CHANGED(vendor = ((WGPUStringView){ NULL, 0 }));
    CHANGED(architecture = view(""));
    CHANGED(device = view("another device"));
    CHANGED(device = view("device\ndriver 1.2"));
    CHANGED(description = view("driver 1.3"));
    CHANGED(description = ((WGPUStringView){ "driver 1.2", 9 }));
    CHANGED(backendType = WGPUBackendType_OpenGL);
    CHANGED(adapterType = WGPUAdapterType_IntegratedGPU);
    CHANGED(vendorID = 2);
    CHANGED(deviceID = 1);
#undef CHANGED
    adapter_info = some_adapter();
    assert_true(finds(&w, 1));
    /* A line break in a name does not pass for the end of the name. */
    adapter_info.vendor = view("vendor\nof");
    blobs = take(&w);
    save(callbacks_of(blobs), 2);
    gpool__quirks_blobs_give_back(&w.memory, blobs);
    assert_true(finds(&w, 2));
    adapter_info.vendor = view("vendor");
    adapter_info.architecture = view("of\narchitecture");
    assert_false(finds(&w, 2));
    /* A name without end, and an adapter that tells nothing. */
    static char large[4096];
    memset(large, 'x', sizeof large - 1);
    adapter_info.vendor = adapter_info.architecture = adapter_info.device =
        adapter_info.description = view(large);
    assert_false(finds(&w, 1));
    const gpool_gpu silent = { .AdapterGetInfo = get_no_info };
    blobs = gpool__quirks_blobs_take(&w.memory, &silent, NULL, w.store);
    assert_int_equal(load(callbacks_of(blobs), 1), 0);
    gpool__quirks_blobs_give_back(&w.memory, blobs);
    close_world(&w);
}

static void long_keys_are_whole_and_need_memory(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    gpool__blobs *blobs = take(&w);
    const cache_descriptor *c = callbacks_of(blobs);
    static char key[20000];
    memset(key, 'k', sizeof key);
    for (size_t size = 1; size <= sizeof key; size = size * 2 + 7) {
        uint8_t got[8];
        c->store(key, size, &size, sizeof size, c->user);
        assert_int_equal(c->load(key, size, NULL, 0, c->user), sizeof size);
        assert_int_equal(c->load(key, size, got, sizeof got, c->user), sizeof size);
        assert_memory_equal(got, &size, sizeof size);
        key[size - 1] ^= 1; /* its last byte counts */
        assert_int_equal(c->load(key, size, NULL, 0, c->user), 0);
        key[size - 1] ^= 1;
    }
    gpool_blob_stats before = stats_of(blobs);
    c->store(key, sizeof key, "blob", 4, c->user);
    malloc_fails = true;
    c->store(key, sizeof key, "bleb", 4, c->user);
    size_t size = c->load(key, sizeof key, NULL, 0, c->user);
    malloc_fails = false;
    assert_int_equal(size, 0);
    gpool_blob_stats after = stats_of(blobs);
    assert_int_equal(after.misses, before.misses + 1);
    assert_int_equal(after.dropped, before.dropped + 1);
    assert_int_equal(c->load(key, sizeof key, NULL, 0, c->user), 4);
    gpool__quirks_blobs_give_back(&w.memory, blobs); /* one is kept for a second call */
    close_world(&w);
}

static void no_memory_gives_no_blobs(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    w.allocator.fail_at = w.allocator.calls + 1;
    assert_null(take(&w));
    close_world(&w);
}

/* --- threads --- */

#define THREADS 8u
#define KEYS    40u

typedef struct worker {
    const cache_descriptor *callbacks[2];
    uint64_t random;
    uint64_t operations;
    uint64_t calls;
    int wrong;
    uint64_t loaded;
} worker;

static void *work(void *user)
{
    worker *me = user;
    for (uint64_t i = 0; i < me->operations; ++i) {
        const cache_descriptor *c = me->callbacks[unit_random_below(&me->random, 2)];
        uint64_t number = unit_random_below(&me->random, KEYS);
        if (unit_random_below(&me->random, 3) == 0) {
            save(c, number);
        } else {
            int loaded = load(c, number);
            me->wrong += loaded < 0;
            me->loaded += loaded == 1;
            me->calls += 1;
        }
    }
    return NULL;
}

static void run_workers(worker *workers, pthread_t *threads, gpool__blobs *const *blobs,
                        uint64_t operations)
{
    for (uint32_t i = 0; i < THREADS; ++i) {
        workers[i] = (worker){ .callbacks = { callbacks_of(blobs[0]), callbacks_of(blobs[1]) },
                               .random = i + 1,
                               .operations = operations };
        assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
    }
}

static void many_threads_get_their_own_blobs(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    gpool__blobs *blobs[2] = { take(&w), take(&w) };
    worker workers[THREADS];
    pthread_t threads[THREADS];
    run_workers(workers, threads, blobs, 400);
    uint64_t calls = 0;
    uint64_t loaded = 0;
    for (uint32_t i = 0; i < THREADS; ++i) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_int_equal(workers[i].wrong, 0);
        calls += workers[i].calls;
        loaded += workers[i].loaded;
    }
    gpool_blob_stats a = stats_of(blobs[0]);
    gpool_blob_stats b = stats_of(blobs[1]);
    assert_int_equal(a.hits + b.hits, loaded);
    assert_true(loaded > calls / 2);
    assert_int_equal(a.hits + b.hits + a.misses + b.misses, calls);
    assert_int_equal(a.dropped + b.dropped, 0);
    assert_int_equal(a.saves + b.saves, THREADS * 400 - calls);
    gpool__quirks_blobs_give_back(&w.memory, blobs[0]);
    gpool__quirks_blobs_give_back(&w.memory, blobs[1]);
    close_world(&w);
}

/* The descriptors are copied first: the implementation copies them, too. */
static void closing_waits_for_calls_under_way_and_not_for_later_ones(void **state)
{
    (void)state;
    for (int round = 0; round < 8; ++round) {
        world w;
        open_world(&w);
        gpool__blobs *blobs = take(&w);
        const cache_descriptor copy = *callbacks_of(blobs);
        worker workers[THREADS];
        pthread_t threads[THREADS];
        for (uint32_t i = 0; i < THREADS; ++i) {
            workers[i] =
                (worker){ .callbacks = { &copy, &copy }, .random = i + 1, .operations = 300 };
            assert_int_equal(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
        }
        while (stats_of(blobs).saves + stats_of(blobs).dropped < 20) {
            gpool__sleep_ns(10000);
        }
        gpool__quirks_blobs_give_back(&w.memory, blobs);
        gpool_store_close(w.store);
        w.store = NULL;
        for (uint32_t i = 0; i < THREADS; ++i) {
            assert_int_equal(pthread_join(threads[i], NULL), 0);
            assert_int_equal(workers[i].wrong, 0); /* second calls had their blobs */
        }
        close_world(&w);
    }
}

#define CROWD 80u

typedef struct one {
    const cache_descriptor *callbacks;
    pthread_barrier_t *asked;
    size_t size;
    bool right;
} one;

static void *ask_and_wait(void *user)
{
    one *me = user;
    const cache_descriptor *c = me->callbacks;
    uint8_t blob[4] = { 0 };
    me->size = c->load("key", 3, NULL, 0, c->user);
    (void)pthread_barrier_wait(me->asked);
    me->right =
        me->size == 0 || (c->load("key", 3, blob, 4, c->user) == 4 && memcmp(blob, "blob", 4) == 0);
    return NULL;
}

static void what_cannot_be_kept_is_a_miss_at_once(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    gpool__blobs *blobs = take(&w);
    const cache_descriptor *c = callbacks_of(blobs);
    c->store("key", 3, "blob", 4, c->user);
    pthread_barrier_t asked;
    assert_int_equal(pthread_barrier_init(&asked, NULL, CROWD), 0);
    pthread_t threads[CROWD];
    one crowd[CROWD];
    for (uint32_t i = 0; i < CROWD; ++i) {
        crowd[i] = (one){ .callbacks = c, .asked = &asked };
        assert_int_equal(pthread_create(&threads[i], NULL, ask_and_wait, &crowd[i]), 0);
    }
    uint32_t answered = 0;
    for (uint32_t i = 0; i < CROWD; ++i) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(crowd[i].right);
        answered += crowd[i].size == 4;
    }
    assert_int_equal(answered, 64);
    assert_int_equal(stats_of(blobs).hits, 64);
    assert_int_equal(stats_of(blobs).misses, CROWD - 64);
    (void)pthread_barrier_destroy(&asked);
    gpool__quirks_blobs_give_back(&w.memory, blobs);
    close_world(&w);
}

/* --- a store that is slow, and one that complains --- */

static gpool__files slow_files;
static uint64_t slow_ns;
static bool slow_fails;

static int64_t slow_write(void *user, int file, const void *data, size_t size, uint64_t offset)
{
    gpool__sleep_ns(slow_ns);
    return slow_fails ? -EIO : gpool__system_files()->write(user, file, data, size, offset);
}

static void a_store_that_hangs_is_left_alone_for_a_while(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    gpool_store_close(w.store);
    slow_files = *gpool__system_files();
    slow_files.write = slow_write;
    open_store(&w, &slow_files);
    gpool__blobs *blobs = take(&w);
    const cache_descriptor *c = callbacks_of(blobs);
    slow_ns = UINT64_C(450000000);
    save(c, 1); /* slow, and done */
    slow_ns = 0;
    slow_fails = true;
    save(c, 2); /* at once, and not done */
    slow_fails = false;
    save(c, 3);
    assert_int_equal(stats_of(blobs).saves, 3);
    slow_ns = UINT64_C(450000000);
    slow_fails = true;
    save(c, 4);
    slow_ns = 0;
    slow_fails = false;
    save(c, 5);
    save(c, 6);
    assert_int_equal(stats_of(blobs).saves, 4);
    assert_int_equal(stats_of(blobs).dropped, 2);
    static const int found[] = { 0, 1, 0, 1, 0, 0, 0 }; /* loads go on */
    for (uint64_t i = 1; i < UNIT_COUNT(found); ++i) {
        assert_int_equal(load(c, i), found[i]);
    }
    gpool__quirks_blobs_give_back(&w.memory, blobs);
    close_world(&w);
}

static int damage_one(const char *path, const struct stat *state, int type, struct FTW *at)
{
    (void)state;
    return type == FTW_F && strlen(path + at->base) == 32 ? truncate(path, 50) : 0;
}

static void the_store_is_heard_after_the_call_it_is_asked_in(void **state)
{
    (void)state;
    world w;
    open_world(&w);
    gpool__blobs *blobs = take(&w);
    const cache_descriptor *c = callbacks_of(blobs);
    save(c, 1);
    assert_int_equal(nftw(w.folder, damage_one, 8, FTW_PHYS), 0);
    gpool__current()->name = "gpool_some_call"; /* that Dawn calls back in */
    assert_int_equal(load(c, 1), 0);
    assert_int_equal(w.records, 0);
    gpool__current()->name = NULL;
    gpool__log_flush();
    assert_int_equal(w.records, 1);
    gpool__quirks_blobs_give_back(&w.memory, blobs);
    close_world(&w);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptor_is_what_dawn_reads),
        cmocka_unit_test(calls_without_sense_are_misses),
        cmocka_unit_test(another_adapter_or_driver_finds_nothing),
        cmocka_unit_test(long_keys_are_whole_and_need_memory),
        cmocka_unit_test(no_memory_gives_no_blobs),
        cmocka_unit_test(many_threads_get_their_own_blobs),
        cmocka_unit_test(closing_waits_for_calls_under_way_and_not_for_later_ones),
        cmocka_unit_test(what_cannot_be_kept_is_a_miss_at_once),
        cmocka_unit_test(a_store_that_hangs_is_left_alone_for_a_while),
        cmocka_unit_test(the_store_is_heard_after_the_call_it_is_asked_in),
    };
    return cmocka_run_group_tests_name("quirks_dawn_blobs", tests, NULL, NULL);
}
