/*
 * Driver blobs: kept by the known Dawn build, ignored with a word of why by wgpu-native; results never
 * depend on what the store holds. Hits are counted, never timed.
 */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700 /* mkdtemp(), nftw() */
#endif
#include "gpu/fixture.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define PIPELINES 6u
#define MOST      24u
#define CHILD     "GPOOL_BLOBS_FOLDER" /* in the environment of the second process */

int gpu_blobs_run(void);

/* A folder for a store, and what its log and the device's say. */
typedef struct place {
    char folder[128];
    gpool_store *store;
    fixture_log store_log;
    fixture_log device_log;
} place;

/* What one program run on one device came to. */
typedef struct outcome {
    uint32_t words[MOST]; /* written by compute pipelines */
    uint8_t picture[4 * 4 * 4];
    gpool_blob_stats blobs;
} outcome;

static bool is_dawn(void)
{
    return !fixture_is_wgpu();
}

static gpool_store_desc store_desc(place *p)
{
    return (gpool_store_desc){ .directory = p->folder,
                               .log = fixture_on_log,
                               .log_user = &p->store_log,
                               .allocator = fixture_allocator() };
}

static void open_store(place *p, gpool_store_mode mode)
{
    gpool_store_desc desc = store_desc(p);
    desc.mode = mode;
    assert_good(gpool_store_open(&desc, &p->store));
}

static void close_store(place *p)
{
    gpool_store_close(p->store);
    p->store = NULL;
}

static void open_place(place *p)
{
    memset(p, 0, sizeof *p);
    const char *parent = getenv("TMPDIR");
    (void)snprintf(p->folder, sizeof p->folder, "%.80s/gpool-blobs-XXXXXX",
                   parent != NULL ? parent : "/tmp");
    assert_non_null(mkdtemp(p->folder));
    open_store(p, GPOOL_STORE_MODE_READ_WRITE);
}

static int remove_one(const char *path, const struct stat *state, int type, struct FTW *at)
{
    (void)state;
    (void)type;
    (void)at;
    return remove(path);
}

static void close_place(place *p)
{
    close_store(p);
    (void)nftw(p->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static gpool_store_stats store_stats(const place *p)
{
    gpool_store_stats stats;
    gpool_store_get_stats(p->store, &stats);
    return stats;
}

/* --- a device with blobs and a program on it --- */

static gpool_device *open_device(place *p, const gpool_gpu *table)
{
    memset(&p->device_log, 0, sizeof p->device_log);
    const gpool_device_desc desc = { .gpu = table,
                                     .adapter = fixture_adapter(),
                                     .blobs = p->store,
                                     .label = "with blobs",
                                     .log = fixture_on_log,
                                     .log_user = &p->device_log,
                                     .allocator = fixture_allocator() };
    gpool_device *device = NULL;
    assert_good(gpool_device_open(&desc, &device));
    fixture_expect_at(&p->device_log, GPOOL_LOG_FALLBACK, is_dawn() ? 0 : 1, __FILE__, __LINE__);
    return device;
}

static gpool_pipeline make_compute(gpool *pool, uint32_t number)
{
    char wgsl[512];
    (void)snprintf(wgsl, sizeof wgsl,
                   "@group(0) @binding(0) var<storage, read_write> out: array<u32>;\n"
                   "@compute @workgroup_size(1) fn main() {\n"
                   "    var x = %uu;\n"
                   "    for (var i = 0u; i < %uu; i++) { x = x * 1664525u + out[i]; }\n"
                   "    out[%u] = x;\n"
                   "}\n",
                   number + 7, number + 1, number);
    gpool_shader shader = gpool_shader_create(pool, &(gpool_shader_desc){ .wgsl = wgsl });
    gpool_pipeline pipeline =
        gpool_compute_pipeline_create(pool, &(gpool_compute_pipeline_desc){ .shader = shader });
    assert_good(gpool_shader_destroy(pool, shader));
    return pipeline;
}

static gpool_pipeline make_render(gpool *pool)
{
    static const char wgsl[] =
        "@vertex fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {\n"
        "    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);\n"
        "}\n"
        "@fragment fn fs(@builtin(position) p: vec4f) -> @location(0) vec4f {\n"
        "    return vec4f(p.xy / 4.0, 0.25, 1.0);\n"
        "}\n";
    gpool_shader shader = gpool_shader_create(pool, &(gpool_shader_desc){ .wgsl = wgsl });
    const gpool_render_pipeline_desc desc = { .shader = shader,
                                              .samples = 1,
                                              .colors[0].format = WGPUTextureFormat_RGBA8Unorm };
    gpool_pipeline pipeline = gpool_render_pipeline_create(pool, &desc);
    assert_good(gpool_shader_destroy(pool, shader));
    return pipeline;
}

static void run_frame(gpool *pool, const gpool_pipeline *compute, uint32_t count,
                      gpool_pipeline render, outcome *o)
{
    gpool_buffer out = gpool_buffer_create(
        pool, &(gpool_buffer_desc){ .size = sizeof o->words,
                                    .usage = GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_READ_BACK });
    gpool_texture target = gpool_texture_create(
        pool, &(gpool_texture_desc){ .width = 4,
                                     .height = 4,
                                     .format = WGPUTextureFormat_RGBA8Unorm,
                                     .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK });
    assert_good(gpool_begin_frame(pool));
    gpool_recorder rec = gpool_frame_recorder(pool);
    gpool_begin_compute(rec, NULL);
    for (uint32_t i = 0; i < count; ++i) {
        const gpool_binding words = { .buffer = out };
        gpool_set_pipeline(rec, compute[i]);
        gpool_set_bindings(rec, 0, (gpool_layout){ 0 }, &words, 1, NULL, 0);
        gpool_dispatch(rec, 1, 1, 1);
    }
    gpool_end_pass(rec);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    gpool_set_pipeline(rec, render);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(pool));
    assert_good(gpool_buffer_read(pool, out, 0, o->words, sizeof o->words));
    assert_good(gpool_texture_read(pool, target, NULL, o->picture, sizeof o->picture));
}

/* Compiles so many compute pipelines and one for drawing on these workers, and runs them. */
static outcome run_on(gpool_device *device, uint32_t count, uint32_t workers)
{
    outcome o = { 0 };
    fixture_log log = { 0 };
    gpool *pool = NULL;
    const gpool_desc desc = { .compile_workers = workers,
                              .log = fixture_on_log,
                              .log_user = &log,
                              .allocator = fixture_allocator() };
    assert_good(gpool_create(device, &desc, &pool));
    gpool_pipeline compute[MOST];
    for (uint32_t i = 0; i < count; ++i) {
        compute[i] = make_compute(pool, i);
    }
    gpool_pipeline render = make_render(pool);
    run_frame(pool, compute, count, render, &o);
    gpool_destroy(pool);
    assert_good(gpool_device_get_blob_stats(device, &o.blobs));
    return o;
}

/* The same on a device of its own, whose blobs are kept in the store. */
static outcome run_at(place *p, uint32_t count, uint32_t workers)
{
    gpool_device *device = open_device(p, NULL);
    outcome o = run_on(device, count, workers);
    gpool_device_release(device);
    assert_int_equal(o.blobs.active, is_dawn());
    return o;
}

/* What comes out without a store. */
static const outcome *plain(fixture *f, uint32_t count)
{
    static outcome o;
    o = run_on(f->device, count, 1);
    assert_false(o.blobs.active);
    assert_int_not_equal(o.words[count - 1], 0);
    return &o;
}

static void assert_same_picture(const outcome *a, const outcome *b)
{
    assert_bytes(a->words, b->words, sizeof a->words);
    assert_bytes(a->picture, b->picture, sizeof a->picture);
}

/* Every blob was asked for in vain, and one at least was saved for each pipeline. */
static void assert_cold(const outcome *o, uint32_t pipelines)
{
    assert_int_equal(o->blobs.hits, 0);
    assert_int_equal(o->blobs.hit_bytes, 0);
    if (is_dawn()) {
        assert_true(o->blobs.misses >= pipelines);
        assert_true(o->blobs.saves >= pipelines);
        assert_true(o->blobs.save_bytes > o->blobs.saves);
        assert_int_equal(o->blobs.dropped, 0);
    } else {
        assert_int_equal(o->blobs.misses + o->blobs.saves + o->blobs.dropped, 0);
    }
}

static void assert_warm(const outcome *o, uint32_t pipelines)
{
    assert_int_equal(o->blobs.misses, 0);
    if (is_dawn()) {
        assert_true(o->blobs.hits >= pipelines);
        assert_true(o->blobs.hit_bytes > o->blobs.hits);
    } else {
        assert_int_equal(o->blobs.hits, 0);
    }
}

static void second_device_hits(void **state)
{
    fixture *f = *state;
    place p;
    open_place(&p);
    const outcome *wanted = plain(f, PIPELINES);
    outcome first = run_at(&p, PIPELINES, 1);
    assert_cold(&first, PIPELINES);
    assert_same_picture(&first, wanted);
    assert_int_equal(store_stats(&p).saves > 0, is_dawn());
    outcome second = run_at(&p, PIPELINES, 1);
    assert_warm(&second, PIPELINES);
    assert_same_picture(&second, wanted);
    print_message("first: %u misses, %u saves of %u bytes; second: %u hits of %u bytes\n",
                  (unsigned)first.blobs.misses, (unsigned)first.blobs.saves,
                  (unsigned)first.blobs.save_bytes, (unsigned)second.blobs.hits,
                  (unsigned)second.blobs.hit_bytes);
    close_place(&p);
}

/* --- a second process --- */

static void run_child(void **state)
{
    (void)state;
    place p = { 0 };
    (void)snprintf(p.folder, sizeof p.folder, "%s", getenv(CHILD));
    open_store(&p, GPOOL_STORE_MODE_READ_WRITE);
    outcome o = run_at(&p, PIPELINES, 1);
    close_store(&p);
    char path[160];
    (void)snprintf(path, sizeof path, "%s/outcome", p.folder);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(&o, sizeof o, 1, file), 1);
    assert_int_equal(fclose(file), 0);
}

static outcome run_process(const place *p)
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
    outcome o;
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fread(&o, sizeof o, 1, file), 1);
    assert_int_equal(fclose(file), 0);
    return o;
}

static void second_process_hits(void **state)
{
    fixture *f = *state;
    place p;
    open_place(&p);
    const outcome *wanted = plain(f, PIPELINES);
    outcome first = run_process(&p);
    assert_cold(&first, PIPELINES);
    assert_same_picture(&first, wanted);
    outcome second = run_process(&p);
    assert_warm(&second, PIPELINES);
    assert_same_picture(&second, wanted);
    /* And a process that was there all the time finds them, too. */
    outcome third = run_at(&p, PIPELINES, 1);
    assert_warm(&third, PIPELINES);
    close_place(&p);
}

static void workers_share_the_store(void **state)
{
    fixture *f = *state;
    place p;
    open_place(&p);
    const outcome *wanted = plain(f, MOST);
    outcome first = run_at(&p, MOST, 4);
    assert_cold(&first, MOST);
    assert_same_picture(&first, wanted);
    outcome second = run_at(&p, MOST, 4);
    assert_warm(&second, MOST);
    assert_same_picture(&second, wanted);
    close_place(&p);
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
    place p;
    open_place(&p);
    const outcome *wanted = plain(f, PIPELINES);
    (void)run_at(&p, PIPELINES, 1);
    assert_int_equal(nftw(p.folder, flip_one, 8, FTW_PHYS), 0);
    outcome damaged = run_at(&p, PIPELINES, 1);
    assert_cold(&damaged, PIPELINES);
    assert_same_picture(&damaged, wanted);
    if (is_dawn()) {
        assert_int_equal(store_stats(&p).bad_entries, damaged.blobs.misses);
    }
    outcome repaired = run_at(&p, PIPELINES, 1);
    assert_warm(&repaired, PIPELINES);
    assert_same_picture(&repaired, wanted);
    close_place(&p);
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
    place good;
    open_place(&good);
    const outcome *wanted = plain(f, PIPELINES);
    (void)run_at(&good, PIPELINES, 1);
    for (uint32_t at = 11; at < 60; at += 7) { /* versions, hash, kind of adapter */
        place bad;
        open_place(&bad);
        poisoner q = { .store = bad.store, .at = at, .strip = at == 11 };
        assert_good(gpool_store_list(good.store, poison_one, &q));
        assert_int_equal(q.entries > 0, is_dawn());
        outcome o = run_at(&bad, PIPELINES, 1);
        assert_cold(&o, PIPELINES);
        assert_same_picture(&o, wanted);
        close_place(&bad);
    }
    close_place(&good);
}

static void stores_that_are_off_or_read_only_are_no_trouble(void **state)
{
    fixture *f = *state;
    place p;
    open_place(&p);
    const outcome *wanted = plain(f, PIPELINES);
    close_store(&p);
    open_store(&p, GPOOL_STORE_MODE_OFF);
    for (int i = 0; i < 2; ++i) {
        outcome off = run_at(&p, PIPELINES, 1);
        assert_cold(&off, PIPELINES);
        assert_same_picture(&off, wanted);
    }
    close_store(&p);
    open_store(&p, GPOOL_STORE_MODE_READ_WRITE);
    (void)run_at(&p, PIPELINES - 1, 1);
    close_store(&p);
    open_store(&p, GPOOL_STORE_MODE_READ_ONLY);
    for (int i = 0; i < 2; ++i) { /* the last pipeline is never there */
        outcome o = run_at(&p, PIPELINES, 1);
        assert_same_picture(&o, wanted);
        assert_int_equal(o.blobs.hits >= PIPELINES - 1, is_dawn());
        assert_int_equal(o.blobs.misses > 0, is_dawn());
    }
    close_place(&p);
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

static void assert_cold_and_dropped(const outcome *o)
{
    assert_int_equal(o->blobs.hits + o->blobs.saves, 0);
    assert_int_equal(o->blobs.misses >= PIPELINES, is_dawn());
    assert_int_equal(o->blobs.dropped >= PIPELINES, is_dawn());
}

static void memory_that_ends_in_the_callbacks_is_a_miss(void **state)
{
    fixture *f = *state;
    place p;
    open_place(&p);
    const outcome *wanted = plain(f, PIPELINES);
    (void)run_at(&p, PIPELINES - 1, 1);
    close_store(&p);
    for (uint64_t k = 1; k < 40; k += k < 8 ? 1 : 3) {
        scarce s = { .real = fixture_allocator() };
        gpool_store_desc desc = store_desc(&p);
        desc.allocator = (gpool_allocator){ .resize = scarce_resize, .user = &s };
        assert_good(gpool_store_open(&desc, &p.store));
        s.fail_at = s.calls + k;
        s.for_ever = k % 2 == 1;
        outcome o = run_at(&p, PIPELINES, 1);
        assert_same_picture(&o, wanted);
        assert_true(s.failed > 0 || !is_dawn() || k > 8);
        if (k == 1) {
            assert_cold_and_dropped(&o);
        }
        close_store(&p);
    }
    close_place(&p);
}

static void memory_that_ends_at_open_is_told(void **state)
{
    fixture *f = *state;
    place p;
    open_place(&p);
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
    close_place(&p);
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
static gpool_device *open_sniffed(place *p, between what)
{
    gpool_gpu table;
    memset(&sniffed, 0, sizeof sniffed);
    sniffed_between = what;
    sniffed_store = p->store;
    sniffed_seconds = 0;
    assert_good(gpool_gpu_load(NULL, &sniffed_table));
    table = sniffed_table;
    table.AdapterRequestDevice = sniff;
    gpool_device *device = open_device(p, &table);
    assert_int_equal(sniffed.load != NULL, is_dawn());
    assert_int_equal(sniffed.chain.sType, is_dawn() ? 0x50007 : 0);
    return device;
}

static void blobs_that_vanish_between_size_and_bytes_are_given_all_the_same(void **state)
{
    fixture *f = *state;
    place p;
    open_place(&p);
    const outcome *wanted = plain(f, 1);
    (void)run_at(&p, 1, 1);
    gpool_device *device = open_sniffed(&p, BETWEEN_CLEAR);
    outcome o = run_on(device, 1, 1);
    gpool_device_release(device);
    assert_int_equal(sniffed_seconds, o.blobs.hits);
    assert_int_equal(o.blobs.hits > 0, is_dawn());
    assert_same_picture(&o, wanted);
    close_place(&p);
}

/* Dawn does not look at the answer of the second call: what it finds in its block must harm nobody. */
static void blobs_of_a_closed_device_are_no_blobs_to_dawn(void **state)
{
    fixture *f = *state;
    place p;
    open_place(&p);
    const outcome *wanted = plain(f, PIPELINES);
    (void)run_at(&p, PIPELINES, 1);
    gpool_device *device = open_sniffed(&p, BETWEEN_CLOSE);
    outcome o = run_on(device, PIPELINES, 1);
    gpool_device_release(device); /* waits for second calls, then gives up */
    assert_int_equal(sniffed_seconds >= PIPELINES, is_dawn());
    assert_int_equal(o.blobs.hits, 0);
    assert_same_picture(&o, wanted);
    close_place(&p);
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
static void call_callbacks(place *p)
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
    load_blob("other"); /* a first call in place of the second */
    assert_int_equal(sniffed.load("none", 4, NULL, 0, sniffed.user), 0);
    gpool_blob_stats stats;
    assert_good(gpool_device_get_blob_stats(device, &stats));
    assert_int_equal(stats.hits, 2);
    assert_int_equal(stats.misses, 5);
    assert_int_equal(stats.hit_bytes, 8);
    uint64_t saves = store_stats(p).saves;
    assert_int_equal(saves, 2);
    assert_int_equal(sniffed.load("key", 3, NULL, 0, sniffed.user), 4); /* never asked for */
    gpool_device_release(device);
    /* Another device's are not found by the number of this one. */
    gpool_device *other = open_device(p, NULL);
    assert_int_equal(sniffed.load("key", 3, NULL, 0, sniffed.user), 0);
    load_nothing("key", 4);
    sniffed.store("late", 4, "blob", 4, sniffed.user);
    assert_int_equal(store_stats(p).saves, saves);
    gpool_device_release(other);
}

static void callbacks_that_come_late_find_nothing(void **state)
{
    (void)state;
    place p;
    open_place(&p);
    if (is_dawn()) {
        call_callbacks(&p);
    }
    close_place(&p);
    if (is_dawn()) { /* the store is closed */
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
    place p;
    open_place(&p);
    gpool_device *device = open_device(&p, NULL);
    const gpool_gpu gpu = *gpool_device_gpu(device);
    WGPUDevice raw = gpool_device_raw(device);
    gpu.DeviceAddRef(raw);
    gpool_device_release(device);
    close_place(&p);
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
