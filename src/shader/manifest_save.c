/*
 * What persists: the manifest of a program on a device, loaded by the warm-up, and saved by a worker
 * during the run and by the owner at its end.
 *
 * A save loads what is in the store now, which another process may have written, and writes what this
 * run used in front of the rest. So nothing of the store is held in memory, and of several processes
 * each one's notes survive, but for those that save in the same moment. Memory for a save comes from
 * the store's allocator, which any thread may call.
 *
 * Nothing here is an error: without memory, disk or sense the next run compiles more.
 */
#include "shader/manifest_save.h"

#include "shader/store_state.h"

#include <stdlib.h>
#include <string.h>

/* What is compiled during a run is saved after so long: most of a start comes before. */
#define SAVE_PERIOD_NS UINT64_C(10000000000)

/* A save: filled by the owner, run by a worker or the owner, ended by the owner. */
typedef struct gpool__save {
    gpool_store *store;
    gpool__manifest_rules rules;
    gpool__manifest_io key;
    gpool__manifest_use *uses; /* with a use of each */
    uint32_t count;
    uint32_t run; /* 0 = the one after that of the manifest that is there */
    uint32_t modules;
    uint32_t pipelines;
    bool bad;   /* what was there was no manifest */
    bool saved; /* it is in the store */
} gpool__save;

/* --- memory of the store --- */

static void *save_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    gpool_store *store = user;
    void *fresh = new_size != 0 ? gpool__store_alloc(store, new_size) : NULL;
    if (block != NULL && fresh != NULL) {
        memcpy(fresh, block, old_size < new_size ? old_size : new_size);
    }
    if (fresh != NULL || new_size == 0) {
        gpool__store_free(store, block, old_size);
    }
    return fresh;
}

static gpool__memory save_memory(gpool_store *store)
{
    gpool__memory memory;
    const gpool_allocator hooks = { .resize = save_resize, .user = store };
    gpool__memory_init(&memory, &hooks);
    return memory;
}

/* --- the key --- */

static void save_number(gpool__manifest_io *io, uint32_t value)
{
    gpool__manifest_number(io, &value);
}

static void save_string(gpool__manifest_io *io, const char *text)
{
    save_number(io, (uint32_t)strlen(text));
    gpool__manifest_write(io, text, strlen(text));
}

static int save_order_features(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a;
    const uint32_t y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Features decide about what compiles, so they are in it; their order means nothing. */
static void save_features(gpool *pool, gpool__manifest_io *io)
{
    const gpool_device_info *info = &pool->device->info;
    size_t count = info->feature_count;
    uint32_t *features = gpool__alloc(&pool->memory, count * sizeof *features);
    io->good = io->good && (features != NULL || count == 0);
    save_number(io, (uint32_t)count);
    for (size_t i = 0; i < count && io->good; ++i) {
        features[i] = (uint32_t)info->features[i];
    }
    if (count > 0 && io->good) {
        qsort(features, count, sizeof *features, save_order_features);
    }
    for (size_t i = 0; i < count && io->good; ++i) {
        save_number(io, features[i]);
    }
    gpool__free(&pool->memory, features, count * sizeof *features);
}

bool gpool__manifest_key(gpool *pool, gpool__manifest_io *key)
{
    const gpool_device_info *info = &pool->device->info;
    *key = (gpool__manifest_io){ .memory = &pool->memory, .good = true };
    save_string(key, "gpool manifest");
    save_number(key, GPOOL__MANIFEST_VERSION);
    save_string(key, pool->shaders->persist.program);
    save_number(key, (uint32_t)info->implementation);
    save_number(key, info->implementation_version);
    save_number(key, (uint32_t)info->backend);
    save_string(key, info->adapter != NULL ? info->adapter : "");
    save_string(key, info->driver != NULL ? info->driver : "");
    save_features(pool, key);
    if (!key->good) {
        gpool__manifest_key_fini(pool, key);
    }
    return key->good;
}

void gpool__manifest_key_fini(gpool *pool, gpool__manifest_io *key)
{
    gpool__free(&pool->memory, key->to, key->capacity);
    key->to = NULL;
    key->capacity = 0;
}

gpool__manifest_rules gpool__manifest_rules_of(const gpool *pool)
{
    const gpool_device_info *info = &pool->device->info;
    return (gpool__manifest_rules){
        .groups = (uint32_t)gpool__min(info->limits.maxBindGroups, GPOOL_MAX_GROUPS),
        .bindings = info->limits.maxBindingsPerBindGroup,
        .buffer_size = info->limits.maxBufferSize,
        .no_bgra = info->implementation == GPOOL_IMPLEMENTATION_WGPU_NATIVE,
    };
}

/* --- a save --- */

static void save_run(void *user)
{
    gpool__save *save = user;
    gpool__memory memory = save_memory(save->store);
    gpool__manifest old = { .run = 0 };
    void *there = NULL;
    size_t there_size = 0;
    gpool_result result =
        gpool_store_load(save->store, save->key.to, save->key.at, &there, &there_size);
    if (result == GPOOL_OK) {
        result = gpool__manifest_init(&old, &memory, there, there_size, &save->rules);
        save->bad = result == GPOOL_NOT_FOUND;
    }
    uint32_t next = old.run < UINT32_MAX ? old.run + 1 : old.run;
    save->run = save->run == 0 ? next : (uint32_t)gpool__max(save->run, old.run);
    uint8_t *bytes = NULL;
    size_t size = 0;
    uint32_t capacity = 0;
    if (result != GPOOL_ERROR_OUT_OF_MEMORY) { /* else it would write less than there is */
        result = gpool__manifest_build(&memory, save->uses, save->count, &old, save->run,
                                       &save->rules, &bytes, &size, &capacity);
    }
    if (result == GPOOL_OK) {
        gpool__manifest_counts(bytes, &save->modules, &save->pipelines);
        (void)gpool__store_save(save->store, save->key.to, save->key.at, bytes, size, &save->saved);
    }
    gpool__free(&memory, bytes, capacity);
    gpool__manifest_fini(&old, &memory);
    gpool_store_free_data(save->store, there);
}

/* True for what was asked for in this run, and is good. */
static bool save_takes(const gpool__made *made)
{
    return made->collected && made->result == GPOOL_OK && made->gpu != NULL && made->uses > 0;
}

static uint32_t save_count(const gpool__cache *cache)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < cache->bucket_count; ++i) {
        for (const gpool__made *made = cache->buckets[i]; made != NULL; made = made->chain) {
            count += save_takes(made);
        }
    }
    return count;
}

static void save_take(gpool__cache *cache, gpool__save *save, bool programs)
{
    for (uint32_t i = 0; i < cache->bucket_count; ++i) {
        for (gpool__made *made = cache->buckets[i]; made != NULL; made = made->chain) {
            if (!save_takes(made)) {
                continue;
            }
            gpool__cache_retain(cache, made);
            save->uses[save->count++] = (gpool__manifest_use){
                .module = programs ? NULL : (const gpool__module *)made,
                .program = programs ? (const gpool__program *)made : NULL,
                .order = made->order,
                .uses = made->uses - made->counted,
            };
            made->counted = made->uses;
        }
    }
}

static int save_order(const void *a, const void *b)
{
    const gpool__manifest_use *x = a;
    const gpool__manifest_use *y = b;
    return x->order < y->order ? -1 : x->order > y->order;
}

static gpool__made *save_made(const gpool__manifest_use *use)
{
    const void *made = use->program != NULL ? (const void *)use->program : use->module;
    return (gpool__made *)(uintptr_t)made;
}

static void save_free(gpool *pool, gpool__save *save, uint32_t room)
{
    for (uint32_t i = 0; i < save->count; ++i) {
        gpool__made *made = save_made(&save->uses[i]);
        gpool__cache_give_up(pool, made->kind->cache(pool), made);
    }
    gpool__free(&pool->memory, save->uses, room * sizeof *save->uses);
    gpool__manifest_key_fini(pool, &save->key);
    gpool__free(&pool->memory, save, sizeof *save);
}

/* Fills a save; NULL when there is nothing to save, or no memory. */
static gpool__save *save_begin(gpool *pool)
{
    struct gpool__shaders *shaders = pool->shaders;
    uint32_t room = save_count(&shaders->modules) + save_count(&shaders->programs);
    gpool__save *save = room > 0 ? gpool__alloc(&pool->memory, sizeof *save) : NULL;
    if (save == NULL) {
        return NULL;
    }
    save->store = shaders->persist.store;
    save->run = shaders->persist.run;
    save->rules = gpool__manifest_rules_of(pool);
    save->uses = gpool__alloc(&pool->memory, room * sizeof *save->uses);
    if (save->uses == NULL || !gpool__manifest_key(pool, &save->key)) {
        save_free(pool, save, room);
        return NULL;
    }
    save_take(&shaders->modules, save, false);
    save_take(&shaders->programs, save, true);
    qsort(save->uses, save->count, sizeof *save->uses, save_order);
    return save;
}

/* Takes over what a save found. What came to nothing is for the next one, and makes one due. */
static void save_end(gpool *pool, gpool__save *save)
{
    gpool__persist *persist = &pool->shaders->persist;
    for (uint32_t i = 0; i < save->count && !save->saved; ++i) {
        save_made(&save->uses[i])->counted -= save->uses[i].uses;
    }
    persist->saved_orders = save->saved ? persist->saved_orders : 0;
    if (save->saved) {
        persist->run = save->run;
        pool->stats.manifest_saves += 1;
        pool->stats.manifest_modules = save->modules;
        pool->stats.manifest_pipelines = save->pipelines;
    }
    if (save->bad) {
        gpool__manifest_tell_bad(pool);
    }
    save_free(pool, save, save->count);
}

void gpool__manifest_tell_bad(gpool *pool)
{
    pool->stats.manifest_bad += 1;
    gpool__note(
        &pool->log, GPOOL_LOG_MANIFEST,
        "The manifest of program \"%s\" in \"%s\" is none, or of a device that allowed more: "
        "it is ignored",
        pool->shaders->persist.program, gpool_store_directory(pool->shaders->persist.store));
}

/* --- the pool's steps --- */

gpool_result gpool__persist_init(gpool *pool, const gpool_desc *desc)
{
    gpool__persist *persist = &pool->shaders->persist;
    persist->program = gpool__copy_string(&pool->memory, desc->program);
    if (persist->program == NULL) {
        return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for the pool \"%s\"",
                           pool->label);
    }
    persist->store = desc->store;
    persist->saved_ns = desc->store != NULL ? gpool__now_ns() : 0;
    return GPOOL_OK;
}

static bool save_is_possible(const gpool__persist *persist)
{
    return persist->store != NULL && persist->store->mode == GPOOL_STORE_MODE_READ_WRITE;
}

void gpool__persist_tick(gpool *pool)
{
    gpool__persist *persist = &pool->shaders->persist;
    gpool__compiler *compiler = &pool->shaders->compiler;
    if (!save_is_possible(persist)) {
        return;
    }
    if (persist->save != NULL) {
        if (gpool__compiler_errand_done(compiler)) {
            gpool__save *save = persist->save;
            persist->save = NULL;
            save_end(pool, save);
        }
        return;
    }
    if (pool->shaders->orders == persist->saved_orders || compiler->worker_count == 0) {
        return;
    }
    uint64_t now = gpool__now_ns();
    if (now - persist->saved_ns < SAVE_PERIOD_NS) {
        return;
    }
    persist->saved_ns = now;
    if (compiler->pending == 0) { /* else what is under way is saved the next time */
        persist->saved_orders = pool->shaders->orders;
    }
    persist->save = save_begin(pool);
    if (persist->save != NULL) {
        (void)gpool__compiler_send(compiler, save_run, persist->save);
    }
}

void gpool__persist_settle(gpool *pool)
{
    gpool__persist *persist = &pool->shaders->persist;
    gpool__save *save = persist->save;
    if (save == NULL) {
        return;
    }
    persist->save = NULL;
    (void)gpool__compiler_errand_end(
        &pool->shaders->compiler); /* one that was dropped saved nothing */
    save_end(pool, save);
}

void gpool__persist_close(gpool *pool)
{
    if (!save_is_possible(&pool->shaders->persist)) {
        return;
    }
    gpool__persist_settle(pool);
    gpool__compiler_collect(pool);
    gpool__save *save = save_begin(pool);
    if (save != NULL) {
        save_run(save);
        save_end(pool, save);
    }
}

void gpool__persist_drop_kept(gpool *pool)
{
    gpool__persist *persist = &pool->shaders->persist;
    while (persist->kept_count > 0) {
        gpool__made *made = persist->kept[--persist->kept_count];
        made->kept = false;
        gpool__cache_give_up(pool, made->kind->cache(pool), made);
    }
    persist->run = 0; /* another device has another manifest */
}

void gpool__persist_fini(gpool *pool)
{
    gpool__persist *persist = &pool->shaders->persist;
    gpool__persist_drop_kept(pool);
    gpool__free(&pool->memory, persist->kept, persist->kept_capacity * sizeof *persist->kept);
    gpool__free_string(&pool->memory, persist->program);
    *persist = (gpool__persist){ 0 };
}
