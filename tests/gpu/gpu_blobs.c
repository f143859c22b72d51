/*
 * Driver blobs: kept by the known Dawn build, ignored with a word of why by wgpu-native; results never
 * depend on what the store holds. Hits are counted, never timed.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700 /* mkdtemp(), nftw() */
#endif
#include "gpu/blobs_place.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIPELINES 6u
#define CHILD     "GPOOL_BLOBS_FOLDER" /* in the environment of the second process */

int gpu_blobs_run(void);

static void second_device_hits(void **state)
{
    fixture *f = *state;
    blobs_place p;
    blobs_open_place(&p);
    const blobs_outcome *wanted = blobs_plain(f, PIPELINES);
    blobs_outcome first = blobs_run_at(&p, PIPELINES, 1);
    blobs_assert_cold(&first, PIPELINES);
    blobs_assert_same_picture(&first, wanted);
    assert_int_equal(blobs_store_stats(&p).saves > 0, blobs_is_dawn());
    blobs_outcome second = blobs_run_at(&p, PIPELINES, 1);
    blobs_assert_warm(&second, PIPELINES);
    blobs_assert_same_picture(&second, wanted);
    print_message("first: %u misses, %u saves of %u bytes; second: %u hits of %u bytes\n",
                  (unsigned)first.blobs.misses, (unsigned)first.blobs.saves,
                  (unsigned)first.blobs.save_bytes, (unsigned)second.blobs.hits,
                  (unsigned)second.blobs.hit_bytes);
    blobs_close_place(&p);
}

/* --- a second process --- */

static void run_child(void **state)
{
    (void)state;
    blobs_place p = { 0 };
    (void)snprintf(p.folder, sizeof p.folder, "%s", getenv(CHILD));
    blobs_open_store(&p, GPOOL_STORE_MODE_READ_WRITE);
    blobs_outcome o = blobs_run_at(&p, PIPELINES, 1);
    blobs_close_store(&p);
    char path[160];
    (void)snprintf(path, sizeof path, "%s/outcome", p.folder);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(&o, sizeof o, 1, file), 1);
    assert_int_equal(fclose(file), 0);
}

static blobs_outcome run_process(const blobs_place *p)
{
    char path[160];
    (void)snprintf(path, sizeof path, "%s/outcome", p->folder);
    (void)remove(path);
    assert_int_equal(setenv(CHILD, p->folder, 1), 0);
    (void)fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        (void)execl("/proc/self/exe", "gpool-gpu-tests", "blobs", (char *)NULL);
        _exit(127);
    }
    assert_true(child > 0);
    assert_int_equal(unsetenv(CHILD), 0);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    blobs_outcome o;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(&o, sizeof o, 1, file), 1);
    assert_int_equal(fclose(file), 0);
    return o;
}

static void second_process_hits(void **state)
{
    fixture *f = *state;
    blobs_place p;
    blobs_open_place(&p);
    const blobs_outcome *wanted = blobs_plain(f, PIPELINES);
    blobs_outcome first = run_process(&p);
    blobs_assert_cold(&first, PIPELINES);
    blobs_assert_same_picture(&first, wanted);
    blobs_outcome second = run_process(&p);
    blobs_assert_warm(&second, PIPELINES);
    blobs_assert_same_picture(&second, wanted);
    /* And a process that was there all the time finds them, too. */
    blobs_outcome third = blobs_run_at(&p, PIPELINES, 1);
    blobs_assert_warm(&third, PIPELINES);
    blobs_close_place(&p);
}

static void workers_share_the_store(void **state)
{
    fixture *f = *state;
    blobs_place p;
    blobs_open_place(&p);
    const blobs_outcome *wanted = blobs_plain(f, BLOBS_MOST);
    blobs_outcome first = blobs_run_at(&p, BLOBS_MOST, 4);
    blobs_assert_cold(&first, BLOBS_MOST);
    blobs_assert_same_picture(&first, wanted);
    blobs_outcome second = blobs_run_at(&p, BLOBS_MOST, 4);
    blobs_assert_warm(&second, BLOBS_MOST);
    blobs_assert_same_picture(&second, wanted);
    blobs_close_place(&p);
}

/* --- stores that have nothing, or nothing good --- */

static int flip_one(const char *path, const struct stat *state, int type, struct FTW *at)
{
    if (type != FTW_F || strlen(path + at->base) != 32) {
        return 0;
    }
    FILE *file = fopen(path, "r+b");
    assert_non_null(file);
    assert_int_equal(fseek(file, state->st_size / 2, SEEK_SET), 0);
    int byte = fgetc(file);
    assert_int_equal(fseek(file, state->st_size / 2, SEEK_SET), 0);
    assert_int_not_equal(fputc(byte ^ 0x10, file), EOF);
    assert_int_equal(fclose(file), 0);
    return 0;
}

static void damaged_entries_are_misses_and_are_saved_again(void **state)
{
    fixture *f = *state;
    blobs_place p;
    blobs_open_place(&p);
    const blobs_outcome *wanted = blobs_plain(f, PIPELINES);
    (void)blobs_run_at(&p, PIPELINES, 1);
    assert_int_equal(nftw(p.folder, flip_one, 8, FTW_PHYS), 0);
    blobs_outcome damaged = blobs_run_at(&p, PIPELINES, 1);
    blobs_assert_cold(&damaged, PIPELINES);
    blobs_assert_same_picture(&damaged, wanted);
    if (blobs_is_dawn()) {
        assert_int_equal(blobs_store_stats(&p).bad_entries, damaged.blobs.misses);
    }
    blobs_outcome repaired = blobs_run_at(&p, PIPELINES, 1);
    blobs_assert_warm(&repaired, PIPELINES);
    blobs_assert_same_picture(&repaired, wanted);
    blobs_close_place(&p);
}

/* Copies of entries under keys that differ from ours at the front. */
typedef struct poisoner {
    gpool_store *store;
    uint32_t at; /* byte of the key that is changed; UINT32_MAX = none */
    bool strip;  /* Dawn's own key, without ours before it */
    uint32_t entries;
} poisoner;

static bool poison_one(void *user, const gpool_store_entry *entry)
{
    static const uint8_t rubbish[64] = { 1, 2, 3 };
    poisoner *q = user;
    size_t size = entry->key_size;
    uint8_t *key = malloc(size);
    assert_non_null(key);
    memcpy(key, entry->key, size);
    const uint8_t *end = memchr(key, 0, size);
    assert_non_null(end);
    size_t front = (size_t)(end - key) + 1;
    assert_true(front < size);
    assert_memory_equal(key, "gpool-blob ", 11);
    if (q->strip) {
        assert_good(gpool_store_save(q->store, key + front, size - front, rubbish, 64));
    } else {
        assert_true(q->at < front);
        key[q->at] ^= 1;
        assert_good(gpool_store_save(q->store, key, size, rubbish, 64));
    }
    free(key);
    q->entries += 1;
    return true;
}

static void entries_of_other_salts_are_never_taken(void **state)
{
    fixture *f = *state;
    blobs_place good;
    blobs_open_place(&good);
    const blobs_outcome *wanted = blobs_plain(f, PIPELINES);
    (void)blobs_run_at(&good, PIPELINES, 1);
    for (uint32_t at = 11; at < 60; at += 7) { /* versions, hash, kind of adapter */
        blobs_place bad;
        blobs_open_place(&bad);
        poisoner q = { .store = bad.store, .at = at, .strip = at == 11 };
        assert_good(gpool_store_list(good.store, poison_one, &q));
        assert_int_equal(q.entries > 0, blobs_is_dawn());
        blobs_outcome o = blobs_run_at(&bad, PIPELINES, 1);
        blobs_assert_cold(&o, PIPELINES);
        blobs_assert_same_picture(&o, wanted);
        blobs_close_place(&bad);
    }
    blobs_close_place(&good);
}

static void stores_that_are_off_or_read_only_are_no_trouble(void **state)
{
    fixture *f = *state;
    blobs_place p;
    blobs_open_place(&p);
    const blobs_outcome *wanted = blobs_plain(f, PIPELINES);
    blobs_close_store(&p);
    blobs_open_store(&p, GPOOL_STORE_MODE_OFF);
    for (int i = 0; i < 2; ++i) {
        blobs_outcome off = blobs_run_at(&p, PIPELINES, 1);
        blobs_assert_cold(&off, PIPELINES);
        blobs_assert_same_picture(&off, wanted);
    }
    blobs_close_store(&p);
    blobs_open_store(&p, GPOOL_STORE_MODE_READ_WRITE);
    (void)blobs_run_at(&p, PIPELINES - 1, 1);
    blobs_close_store(&p);
    blobs_open_store(&p, GPOOL_STORE_MODE_READ_ONLY);
    for (int i = 0; i < 2; ++i) { /* the last pipeline is never there */
        blobs_outcome o = blobs_run_at(&p, PIPELINES, 1);
        blobs_assert_same_picture(&o, wanted);
        assert_int_equal(o.blobs.hits >= PIPELINES - 1, blobs_is_dawn());
        assert_int_equal(o.blobs.misses > 0, blobs_is_dawn());
    }
    blobs_close_place(&p);
}

/* Fails every allocation from the k-th on, or the k-th alone. */
typedef struct scarce {
    gpool_allocator real;
    _Atomic uint64_t calls;
    uint64_t fail_at;
    bool for_ever;
    _Atomic uint64_t failed;
} scarce;

static void *scarce_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    scarce *s = user;
    if (new_size > 0) {
        uint64_t call = ++s->calls;
        if (s->fail_at != 0 && (call == s->fail_at || (s->for_ever && call > s->fail_at))) {
            s->failed += 1;
            return NULL;
        }
    }
    return s->real.resize(s->real.user, block, old_size, new_size);
}

static void assert_cold_and_dropped(const blobs_outcome *o)
{
    assert_int_equal(o->blobs.hits + o->blobs.saves, 0);
    assert_int_equal(o->blobs.misses >= PIPELINES, blobs_is_dawn());
    assert_int_equal(o->blobs.dropped >= PIPELINES, blobs_is_dawn());
}

static void memory_that_ends_in_the_callbacks_is_a_miss(void **state)
{
    fixture *f = *state;
    blobs_place p;
    blobs_open_place(&p);
    const blobs_outcome *wanted = blobs_plain(f, PIPELINES);
    (void)blobs_run_at(&p, PIPELINES - 1, 1);
    blobs_close_store(&p);
    for (uint64_t k = 1; k < 40; k += k < 8 ? 1 : 3) {
        scarce s = { .real = fixture_allocator() };
        gpool_store_desc desc = blobs_store_desc(&p);
        desc.allocator = (gpool_allocator){ .resize = scarce_resize, .user = &s };
        assert_good(gpool_store_open(&desc, &p.store));
        s.fail_at = s.calls + k;
        s.for_ever = k % 2 == 1;
        blobs_outcome o = blobs_run_at(&p, PIPELINES, 1);
        blobs_assert_same_picture(&o, wanted);
        assert_true(s.failed > 0 || !blobs_is_dawn() || k > 8);
        if (k == 1) {
            assert_cold_and_dropped(&o);
        }
        blobs_close_store(&p);
    }
    blobs_close_place(&p);
}

static void memory_that_ends_at_open_is_told(void **state)
{
    fixture *f = *state;
    blobs_place p;
    blobs_open_place(&p);
    gpool_result result = GPOOL_ERROR_OUT_OF_MEMORY;
    for (uint64_t k = 1; result != GPOOL_OK; ++k) {
        scarce s = { .real = fixture_allocator(), .fail_at = k };
        const gpool_device_desc desc = {
            .adapter = fixture_adapter(),
            .blobs = p.store,
            .log = fixture_on_log,
            .log_user = &f->log,
            .allocator = { .resize = scarce_resize, .user = &s },
        };
        gpool_device *device = NULL;
        result = gpool_device_open(&desc, &device);
        assert_result(result, s.failed > 0 ? GPOOL_ERROR_OUT_OF_MEMORY : GPOOL_OK);
        fixture_expect(f, GPOOL_LOG_MEMORY, s.failed > 0);
        gpool_device_release(device);
    }
    blobs_close_place(&p);
}

/* --- the callbacks themselves, as Dawn gets them --- */

/* WGPUDawnCacheDeviceDescriptor of the known build. */
typedef struct cache_descriptor {
    WGPUChainedStruct chain;
    WGPUStringView isolation_key;
    size_t (*load)(const void *key, size_t key_size, void *value, size_t value_size, void *user);
    void (*store)(const void *key, size_t key_size, const void *value, size_t value_size,
                  void *user);
    void *user;
} cache_descriptor;

/* What happens between the two calls for one blob. */
typedef enum between {
    BETWEEN_NOTHING,
    BETWEEN_CLEAR, /* another process deletes all entries */
    BETWEEN_CLOSE  /* the blobs are gone: as the second call is answered then */
} between;

static gpool_gpu sniffed_table;
static cache_descriptor sniffed;
static between sniffed_between;
static gpool_store *sniffed_store;
static uint32_t sniffed_seconds;

static size_t load_between(const void *key, size_t key_size, void *value, size_t value_size,
                           void *user)
{
    if (value != NULL) {
        sniffed_seconds += 1;
        void *closed = (void *)UINTPTR_MAX;
        return sniffed.load(key, key_size, value, value_size,
                            sniffed_between == BETWEEN_CLOSE ? closed : user);
    }
    size_t size = sniffed.load(key, key_size, NULL, 0, user);
    if (size > 0 && sniffed_between == BETWEEN_CLEAR) {
        assert_good(gpool_store_clear(sniffed_store));
    }
    return size;
}

static WGPUFuture sniff(WGPUAdapter adapter, WGPUDeviceDescriptor const *descriptor,
                        WGPURequestDeviceCallbackInfo info)
{
    const cache_descriptor *found = (const cache_descriptor *)(const void *)descriptor->nextInChain;
    WGPUDeviceDescriptor copy = *descriptor;
    cache_descriptor changed;
    if (found != NULL) {
        sniffed = *found;
        changed = *found;
        if (sniffed_between != BETWEEN_NOTHING) {
            changed.load = load_between;
        }
        copy.nextInChain = &changed.chain;
    }
    return sniffed_table.AdapterRequestDevice(adapter, &copy, info);
}

/* Opens a device that tells its callbacks to us. */
static gpool_device *open_sniffed(blobs_place *p, between what)
{
    gpool_gpu table;
    memset(&sniffed, 0, sizeof sniffed);
    sniffed_between = what;
    sniffed_store = p->store;
    sniffed_seconds = 0;
    assert_good(gpool_gpu_load(NULL, &sniffed_table));
    table = sniffed_table;
    table.AdapterRequestDevice = sniff;
    gpool_device *device = blobs_open_device(p, &table);
    assert_int_equal(sniffed.load != NULL, blobs_is_dawn());
    assert_int_equal(sniffed.chain.sType, blobs_is_dawn() ? 0x50007 : 0);
    return device;
}

static void blobs_that_vanish_between_size_and_bytes_are_given_all_the_same(void **state)
{
    fixture *f = *state;
    blobs_place p;
    blobs_open_place(&p);
    const blobs_outcome *wanted = blobs_plain(f, 1);
    (void)blobs_run_at(&p, 1, 1);
    gpool_device *device = open_sniffed(&p, BETWEEN_CLEAR);
    blobs_outcome o = blobs_run_on(device, 1, 1);
    gpool_device_release(device);
    assert_int_equal(sniffed_seconds, o.blobs.hits);
    assert_int_equal(o.blobs.hits > 0, blobs_is_dawn());
    blobs_assert_same_picture(&o, wanted);
    blobs_close_place(&p);
}

/* Dawn does not look at the answer of the second call: what it finds in its block must harm nobody. */
static void blobs_of_a_closed_device_are_no_blobs_to_dawn(void **state)
{
    fixture *f = *state;
    blobs_place p;
    blobs_open_place(&p);
    const blobs_outcome *wanted = blobs_plain(f, PIPELINES);
    (void)blobs_run_at(&p, PIPELINES, 1);
    gpool_device *device = open_sniffed(&p, BETWEEN_CLOSE);
    blobs_outcome o = blobs_run_on(device, PIPELINES, 1);
    gpool_device_release(device); /* waits for second calls, then gives up */
    assert_int_equal(sniffed_seconds >= PIPELINES, blobs_is_dawn());
    assert_int_equal(o.blobs.hits, 0);
    blobs_assert_same_picture(&o, wanted);
    blobs_close_place(&p);
}

static void load_nothing(const char *key, size_t room)
{
    uint8_t got[8] = { 0 };
    assert_int_equal(sniffed.load(key, strlen(key), got, room, sniffed.user), 0);
    for (size_t i = 0; i < sizeof got; ++i) {
        assert_int_equal(got[i], i < room ? 0xff : 0);
    }
}

static void load_blob(const char *key)
{
    uint8_t got[4] = { 0 };
    assert_int_equal(sniffed.load(key, strlen(key), NULL, 0, sniffed.user), 4);
    assert_int_equal(sniffed.load(key, strlen(key), got, 4, sniffed.user), 4);
    assert_memory_equal(got, "blob", 4);
}

/* The callbacks on a device of Dawn's, in every order they may come in. */
static void call_callbacks(blobs_place *p)
{
    gpool_device *device = open_sniffed(p, BETWEEN_NOTHING);
    sniffed.store("key", 3, "blob", 4, sniffed.user);
    sniffed.store("other", 5, "blob", 4, sniffed.user);
    load_blob("key");
    load_nothing("key", 4); /* a second call without a first */
    assert_int_equal(sniffed.load("key", 3, NULL, 0, sniffed.user), 4);
    load_nothing("key", 3);
    load_nothing("key", 4); /* what was kept is gone with that */
    assert_int_equal(sniffed.load("key", 3, NULL, 0, sniffed.user), 4);
    load_nothing("other", 4);
    assert_int_equal(sniffed.load("key", 3, NULL, 0, sniffed.user), 4);
    load_blob("other"); /* a first call in blobs_place of the second */
    assert_int_equal(sniffed.load("none", 4, NULL, 0, sniffed.user), 0);
    gpool_blob_stats stats;
    assert_good(gpool_device_get_blob_stats(device, &stats));
    assert_int_equal(stats.hits, 2);
    assert_int_equal(stats.misses, 5);
    assert_int_equal(stats.hit_bytes, 8);
    uint64_t saves = blobs_store_stats(p).saves;
    assert_int_equal(saves, 2);
    assert_int_equal(sniffed.load("key", 3, NULL, 0, sniffed.user), 4); /* never asked for */
    gpool_device_release(device);
    /* Another device's are not found by the number of this one. */
    gpool_device *other = blobs_open_device(p, NULL);
    assert_int_equal(sniffed.load("key", 3, NULL, 0, sniffed.user), 0);
    load_nothing("key", 4);
    sniffed.store("late", 4, "blob", 4, sniffed.user);
    assert_int_equal(blobs_store_stats(p).saves, saves);
    gpool_device_release(other);
}

static void callbacks_that_come_late_find_nothing(void **state)
{
    (void)state;
    blobs_place p;
    blobs_open_place(&p);
    if (blobs_is_dawn()) {
        call_callbacks(&p);
    }
    blobs_close_place(&p);
    if (blobs_is_dawn()) { /* the store is closed */
        assert_int_equal(sniffed.load("key", 3, NULL, 0, sniffed.user), 0);
        load_nothing("key", 4);
        sniffed.store("late", 4, "blob", 4, sniffed.user);
    }
}

static WGPUComputePipeline make_raw(const gpool_gpu *gpu, WGPUDevice raw)
{
    WGPUShaderSourceWGSL source = {
        .chain.sType = WGPUSType_ShaderSourceWGSL,
        .code = { "@compute @workgroup_size(3) fn late() {}", WGPU_STRLEN },
    };
    WGPUShaderModule module = gpu->DeviceCreateShaderModule(
        raw, &(WGPUShaderModuleDescriptor){ .nextInChain = &source.chain });
    WGPUComputePipeline pipeline = gpu->DeviceCreateComputePipeline(
        raw, &(WGPUComputePipelineDescriptor){
                 .compute = { .module = module, .entryPoint = { "late", WGPU_STRLEN } } });
    gpu->ShaderModuleRelease(module);
    return pipeline;
}

static void raw_device_may_outlive_device_and_store(void **state)
{
    (void)state;
    blobs_place p;
    blobs_open_place(&p);
    gpool_device *device = blobs_open_device(&p, NULL);
    const gpool_gpu gpu = *gpool_device_gpu(device);
    WGPUDevice raw = gpool_device_raw(device);
    gpu.DeviceAddRef(raw);
    gpool_device_release(device);
    blobs_close_place(&p);
    WGPUComputePipeline pipeline = make_raw(&gpu, raw);
    assert_non_null(pipeline);
    gpu.ComputePipelineRelease(pipeline);
    gpu.DeviceRelease(raw);
}

static void null_arguments_are_refused(void **state)
{
    fixture *f = *state;
    gpool_blob_stats stats;
    assert_result(gpool_device_get_blob_stats(NULL, &stats), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_result(gpool_device_get_blob_stats(f->device, NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_good(gpool_device_get_blob_stats(f->device, &stats));
    assert_false(stats.active);
}

int gpu_blobs_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(second_device_hits),
        FIXTURE_TEST(second_process_hits),
        FIXTURE_TEST(workers_share_the_store),
        FIXTURE_TEST(damaged_entries_are_misses_and_are_saved_again),
        FIXTURE_TEST(entries_of_other_salts_are_never_taken),
        FIXTURE_TEST(stores_that_are_off_or_read_only_are_no_trouble),
        FIXTURE_TEST(memory_that_ends_in_the_callbacks_is_a_miss),
        FIXTURE_TEST(memory_that_ends_at_open_is_told),
        FIXTURE_TEST(blobs_that_vanish_between_size_and_bytes_are_given_all_the_same),
        FIXTURE_TEST(blobs_of_a_closed_device_are_no_blobs_to_dawn),
        FIXTURE_TEST(callbacks_that_come_late_find_nothing),
        FIXTURE_TEST(raw_device_may_outlive_device_and_store),
        FIXTURE_TEST(null_arguments_are_refused),
    };
    static const struct CMUnitTest child[] = { cmocka_unit_test(run_child) };
    if (getenv(CHILD) != NULL) {
        return cmocka_run_group_tests_name("blobs, second process", child, fixture_open,
                                           fixture_close);
    }
    return FIXTURE_RUN("blobs", tests);
}
