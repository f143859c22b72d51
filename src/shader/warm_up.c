/*
 * The warm-up: all that the manifest names is asked for, a few at a time so that stopping leaves little
 * behind; what is done is used on the GPU, all that is ready at once, whenever the GPU is idle: a driver
 * that compiles at the first use does so there, and a second submit would wait for it.
 */
#include <gpool/warm_up.h>

#include "shader/manifest_save.h"
#include "shader/warm_up_use.h"

#include <string.h>

/* Asked for and not done: for each worker, so that none is idle, and the file's order is about kept. */
#define WARM_WINDOW 4u
/* How often progress is told at least, and how long a step waits. */
#define WARM_TELL_NS UINT64_C(15000000)
#define WARM_STEP_NS UINT64_C(1000000)

typedef struct warm_up {
    gpool *pool;
    gpool__call *call;
    const gpool_warm_up_desc *desc;
    gpool_warm_up_fn progress;
    void *user;
    gpool__manifest manifest;
    gpool_warm_up_report report;
    uint64_t begin_ns;
    uint64_t told_ns;
    bool lost;                     /* a compile says so, the device perhaps not yet */
    bool changed;                  /* since it was told */
    bool stopped;                  /* by `progress`, or the time */
    uint32_t asked;                /* records asked for: modules, then pipelines */
    uint32_t open;                 /* of these, not done */
    uint32_t first_open;           /* all before are done */
    uint32_t window;               /* most that are open */
    uint32_t first_kept;           /* of this warm-up among all that is kept */
    gpool__made **records;         /* by record, while it is open; NULL = not, or no more */
    gpool__program **ready;        /* done and not used */
    gpool__module **modules;       /* by index; NULL = failed */
    gpool__group_layout **layouts; /* by index; NULL = not needed so far */
    gpool__warm_use use;
    uint32_t ready_count;
    uint64_t serial;     /* of the newest use */
    uint64_t serial_ns;  /* when it was submitted */
    uint32_t submitted;  /* uses in it */
    gpool_result lapsed; /* a callback gave the pool to another thread */
} warm_up;

static uint32_t warm_records(const warm_up *w)
{
    return w->manifest.module_count + w->manifest.pipeline_count;
}

/* --- asking --- */

/* Asks as nobody: see gpool__made.uses. */
static void warm_count(const warm_up *w, bool counted)
{
    w->pool->shaders->modules.uncounted = !counted;
    w->pool->shaders->programs.uncounted = !counted;
}

/* Takes what was asked for over, with its use. */
static void warm_take(warm_up *w, gpool__made *made, bool found)
{
    gpool__persist *persist = &w->pool->shaders->persist;
    w->report.cached += found;
    w->records[w->asked] = made;
    w->open += 1;
    if (made->kept) {
        made->references -= 1; /* the one that it is kept by is left */
    } else {
        made->kept = true;
        persist->kept[persist->kept_count++] = made;
    }
}

/* One that cannot even be asked for. */
static void warm_skip(warm_up *w)
{
    w->report.done += 1;
    w->report.failed += 1;
    w->changed = true;
}

static gpool_result warm_ask_module(warm_up *w, uint32_t index)
{
    gpool__manifest_module record;
    gpool_result result;
    uint64_t misses = w->pool->stats.shader_misses;
    gpool__manifest_get_module(&w->manifest, index, &record);
    warm_count(w, false);
    gpool__module *module =
        gpool__module_get(w->pool, record.label, record.text, record.size, 0, &result);
    warm_count(w, true);
    if (module == NULL) {
        return result;
    }
    w->modules[index] = module;
    warm_take(w, &module->base, w->pool->stats.shader_misses == misses);
    return GPOOL_OK;
}

/* The layout of a group; NULL with GPOOL_OK when the device refuses it. */
static gpool__group_layout *warm_layout(warm_up *w, uint32_t index, const char *label,
                                        gpool_result *result)
{
    gpool_layout_entry entries[GPOOL_MAX_BINDINGS];
    *result = GPOOL_OK;
    if (w->layouts[index] == NULL) {
        uint32_t count = gpool__manifest_get_layout(&w->manifest, index, entries);
        w->layouts[index] = gpool__group_layout_get(w->pool, entries, count, label, result);
    }
    gpool__group_layout *layout = w->layouts[index];
    if (layout != NULL) {
        *result = *result == GPOOL_ERROR_DEVICE_LOST ? *result : GPOOL_OK;
    }
    return layout != NULL && layout->gpu != NULL ? layout : NULL;
}

/* The module of an index: NULL when it failed, or is known to. */
static gpool__module *warm_module(const warm_up *w, uint32_t index)
{
    gpool__module *module = w->modules[index];
    return module != NULL && module->base.collected && module->base.result != GPOOL_OK ? NULL
                                                                                       : module;
}

static gpool_result warm_ask_pipeline(warm_up *w, uint32_t index)
{
    gpool__manifest_pipeline record;
    gpool_result result = GPOOL_OK;
    gpool__manifest_get_pipeline(&w->manifest, index, &record);
    gpool__recipe *recipe = &record.recipe;
    recipe->vertex = warm_module(w, record.vertex);
    bool good = recipe->vertex != NULL;
    if (record.fragment != GPOOL__MANIFEST_NONE) {
        recipe->fragment = warm_module(w, record.fragment);
        good = good && recipe->fragment != NULL;
    }
    for (uint32_t i = 0; i < recipe->group_count && good && result == GPOOL_OK; ++i) {
        if (record.groups[i] != GPOOL__MANIFEST_NONE) {
            recipe->groups[i] = warm_layout(w, record.groups[i], record.label, &result);
            good = recipe->groups[i] != NULL;
        }
    }
    if (result != GPOOL_OK || !good) {
        warm_skip(w);
        return result;
    }
    const gpool__recipe_names names = { record.vertex_entry, record.fragment_entry, record.label };
    uint64_t misses = w->pool->stats.pipeline_misses;
    warm_count(w, false);
    gpool__program *program = gpool__program_get_recipe(w->pool, recipe, record.attributes, &names);
    warm_count(w, true);
    if (program == NULL) {
        return GPOOL__FAIL(w->pool, MEMORY, OUT_OF_MEMORY, "No memory for the pipeline \"%s\"",
                           record.label);
    }
    warm_take(w, &program->base, w->pool->stats.pipeline_misses == misses);
    return GPOOL_OK;
}

static gpool_result warm_ask(warm_up *w)
{
    gpool_result result = GPOOL_OK;
    while (w->asked < warm_records(w) && w->open < w->window && result == GPOOL_OK) {
        uint32_t modules = w->manifest.module_count;
        result = w->asked < modules ? warm_ask_module(w, w->asked)
                                    : warm_ask_pipeline(w, w->asked - modules);
        w->asked += result == GPOOL_OK;
    }
    return result;
}

/* --- what is done --- */

static bool warm_uses(const warm_up *w, const gpool__made *made, uint32_t record)
{
    return record >= w->manifest.module_count && made->result == GPOOL_OK && made->gpu != NULL &&
           (w->desc->use == GPOOL_WARM_UP_USE_ALL ||
            (w->desc->use == GPOOL_WARM_UP_USE_COMPUTE &&
             ((const gpool__program *)made)->recipe.compute != 0));
}

/* Takes over what is done. */
static void warm_collect(warm_up *w)
{
    gpool__compiler_collect(w->pool);
    bool first = true;
    for (uint32_t i = w->first_open; i < w->asked; ++i) {
        gpool__made *made = w->records[i];
        if (made != NULL && !made->collected) {
            first = false;
            continue;
        }
        w->first_open += first;
        if (made == NULL) {
            continue;
        }
        w->open -= 1;
        w->report.done += 1;
        w->report.failed += made->result != GPOOL_OK;
        w->lost = w->lost || made->result == GPOOL_ERROR_DEVICE_LOST;
        w->changed = true;
        w->records[i] = NULL;
        if (warm_uses(w, made, i)) {
            w->ready[w->ready_count++] = (gpool__program *)made;
        }
    }
}

/* Uses all that is ready, in one submit. */
static gpool_result warm_use(warm_up *w)
{
    gpool_result result = GPOOL_OK;
    uint32_t used = 0;
    for (uint32_t i = 0; i < w->ready_count && result == GPOOL_OK; ++i) {
        bool each = false;
        result = gpool__warm_use_encode(&w->use, w->ready[i], &each);
        used += each;
    }
    w->ready_count = 0;
    if (result != GPOOL_OK || used == 0) {
        return result;
    }
    result = gpool__batch_submit(w->pool, NULL, 0, false, "Warm-up of pool");
    w->submitted = result == GPOOL_OK ? used : 0;
    w->serial = w->pool->last_serial;
    w->serial_ns = gpool__now_ns();
    return result;
}

/* Looks how far the GPU is. */
static gpool_result warm_look(warm_up *w)
{
    if (w->submitted == 0) {
        return GPOOL_OK;
    }
    gpool__device_process(w->pool->device, &w->pool->seam);
    if (gpool__device_done(w->pool->device) >= w->serial) {
        w->report.used += w->submitted;
        w->submitted = 0;
        w->changed = true;
    } else if (gpool__now_ns() - w->serial_ns > w->pool->wait_timeout_ns) {
        return GPOOL__FAIL(w->pool, TIMEOUT, TIMEOUT,
                           "The GPU did not finish the uses of [%u] pipelines within [%llu] ms",
                           w->submitted, (unsigned long long)(w->pool->wait_timeout_ns / 1000000u));
    }
    return GPOOL_OK;
}

/* --- telling --- */

static gpool_result warm_check_back(warm_up *w)
{
    gpool *pool = w->pool;
    if (w->lost || gpool__device_is_lost(pool->device)) {
        return GPOOL__FAIL(pool, DEVICE_LOST, DEVICE_LOST, "The device \"%s\" is lost",
                           pool->device->info.label);
    }
    if (pool->in_frame) {
        return GPOOL__FAIL(pool, PHASE, WRONG_PHASE, "Frame [%llu] is open",
                           (unsigned long long)pool->frame);
    }
    return GPOOL_OK;
}

/* The callback runs outside the call, as any code of the user's. */
static gpool_result warm_tell(warm_up *w)
{
    gpool_warm_up_report report = w->report;
    w->changed = false;
    w->told_ns = gpool__now_ns();
    if (w->progress == NULL) {
        return GPOOL_OK;
    }
    gpool__leave(w->pool, w->call);
    bool goes_on = w->progress(w->user, &report);
    w->lapsed = gpool__enter(w->pool, "gpool_warm_up", w->call);
    if (w->lapsed != GPOOL_OK) {
        return w->lapsed;
    }
    w->stopped = w->stopped || !goes_on;
    return warm_check_back(w);
}

/* Waits a little. */
static void warm_rest(const warm_up *w)
{
    if (w->open > 0) {
        gpool__compiler_wait(&w->pool->shaders->compiler, WARM_STEP_NS);
    } else if (w->submitted > 0) {
        gpool__sleep_ns(WARM_STEP_NS / 4);
    }
}

static bool warm_is_over(const warm_up *w)
{
    bool done = w->asked == warm_records(w) && w->open == 0 && w->ready_count == 0;
    return w->stopped || (done && w->submitted == 0);
}

static gpool_result warm_run(warm_up *w)
{
    gpool_result result = GPOOL_OK;
    while (result == GPOOL_OK && !warm_is_over(w)) {
        result = warm_ask(w);
        if (result == GPOOL_OK) {
            warm_collect(w);
            result = warm_check_back(w);
        }
        if (result == GPOOL_OK) {
            result = warm_look(w);
        }
        if (result == GPOOL_OK && w->ready_count > 0 && w->submitted == 0) {
            result = warm_use(w);
        }
        if (result == GPOOL_OK && !w->changed) {
            warm_rest(w);
        }
        uint64_t now = gpool__now_ns();
        if (result == GPOOL_OK && (w->changed || now - w->told_ns >= WARM_TELL_NS)) {
            result = warm_tell(w);
        }
        w->stopped =
            w->stopped || (w->desc->timeout_ns != 0 && now - w->begin_ns >= w->desc->timeout_ns);
    }
    return result;
}

/* --- begin and end --- */

static void *warm_array(warm_up *w, uint32_t count, bool *good)
{
    void *array = gpool__alloc(&w->pool->memory, count * sizeof(void *));
    *good = *good && (array != NULL || count == 0);
    return array;
}

/* Gives up what failed, and all that was for the time of the warm-up. */
static void warm_fini(warm_up *w)
{
    gpool *pool = w->pool;
    gpool__persist *persist = &pool->shaders->persist;
    uint32_t kept = w->first_kept;
    for (uint32_t i = kept; i < persist->kept_count; ++i) {
        gpool__made *made = persist->kept[i];
        if (made->collected && made->result != GPOOL_OK) {
            made->kept = false;
            gpool__cache_give_up(pool, made->kind->cache(pool), made);
        } else {
            persist->kept[kept++] = made;
        }
    }
    persist->kept_count = kept;
    for (uint32_t i = 0; i < w->manifest.layout_count && w->layouts != NULL; ++i) {
        gpool__group_layout_release(pool, w->layouts[i]);
    }
    gpool__warm_use_fini(&w->use);
    gpool__free(&pool->memory, w->records, warm_records(w) * sizeof *w->records);
    gpool__free(&pool->memory, w->modules, w->manifest.module_count * sizeof *w->modules);
    gpool__free(&pool->memory, w->layouts, w->manifest.layout_count * sizeof *w->layouts);
    gpool__free(&pool->memory, w->ready, w->manifest.pipeline_count * sizeof *w->ready);
}

static gpool_result warm_do(warm_up *w)
{
    gpool *pool = w->pool;
    gpool__persist *persist = &pool->shaders->persist;
    void *kept = persist->kept;
    bool good = gpool__reserve(&pool->memory, &kept, &persist->kept_capacity,
                               persist->kept_count + warm_records(w), sizeof *persist->kept);
    persist->kept = kept;
    w->first_kept = persist->kept_count;
    w->records = warm_array(w, warm_records(w), &good);
    w->modules = warm_array(w, w->manifest.module_count, &good);
    w->layouts = warm_array(w, w->manifest.layout_count, &good);
    w->ready = warm_array(w, w->manifest.pipeline_count, &good);
    uint32_t workers = pool->shaders->compiler.wanted;
    w->window = workers == 0 ? 1 : workers * WARM_WINDOW;
    w->use.pool = pool;
    gpool_result result = GPOOL_OK;
    if (good) {
        pool->warming = true;
        result = warm_run(w);
        pool->warming = false;
        if (w->lapsed == GPOOL_OK && pool->shaders->compiler.pending == 0) {
            persist->saved_orders = pool->shaders->orders; /* nothing new to the manifest */
        }
    } else {
        result = GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for [%u] records to warm up",
                             warm_records(w));
    }
    if (w->lapsed == GPOOL_OK) {
        warm_fini(w);
    }
    return result;
}

/* Loads the manifest; one of nothing when there is none. */
static gpool_result warm_load(warm_up *w, void **payload)
{
    gpool *pool = w->pool;
    gpool_store *store = pool->shaders->persist.store;
    gpool__manifest_io key;
    size_t size = 0;
    gpool_result result = GPOOL_ERROR_OUT_OF_MEMORY;
    if (gpool__manifest_key(pool, &key)) {
        result = gpool_store_load(store, key.to, key.at, payload, &size);
        gpool__manifest_key_fini(pool, &key);
    }
    if (result == GPOOL_OK) {
        gpool__manifest_rules rules = gpool__manifest_rules_of(pool);
        result = gpool__manifest_init(&w->manifest, &pool->memory, *payload, size, &rules);
        if (result == GPOOL_NOT_FOUND) {
            gpool__manifest_tell_bad(pool);
        }
    }
    if (result == GPOOL_ERROR_OUT_OF_MEMORY) {
        return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for the manifest of pool \"%s\"",
                           pool->label);
    }
    w->report.modules = w->manifest.module_count;
    w->report.pipelines = w->manifest.pipeline_count;
    pool->stats.manifest_modules = w->report.modules;
    pool->stats.manifest_pipelines = w->report.pipelines;
    return GPOOL_OK;
}

static gpool_result warm_check(gpool *pool, const gpool_warm_up_desc *desc)
{
    if (gpool__device_is_lost(pool->device)) {
        return GPOOL__FAIL(pool, DEVICE_LOST, DEVICE_LOST, "The device \"%s\" is lost",
                           pool->device->info.label);
    }
    if (pool->warming || pool->recovering || pool->in_frame) {
        return GPOOL__FAIL(pool, PHASE, WRONG_PHASE, "%s",
                           pool->in_frame  ? "A frame is open"
                           : pool->warming ? "A warm-up runs already"
                                           : "A recovery runs");
    }
    if (!gpool__is_enum((unsigned)desc->use, GPOOL_WARM_UP_USE_COUNT - 1, true)) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT, "The use [%d] is unknown",
                           (int)desc->use);
    }
    return GPOOL_OK;
}

gpool_result gpool_warm_up(gpool *pool, const gpool_warm_up_desc *desc, gpool_warm_up_fn progress,
                           void *user)
{
    static const gpool_warm_up_desc defaults = { 0 };
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_warm_up", &call);
    if (result != GPOOL_OK) {
        return result;
    }
    warm_up w = { .pool = pool,
                  .call = &call,
                  .desc = desc != NULL ? desc : &defaults,
                  .progress = progress,
                  .user = user,
                  .begin_ns = gpool__now_ns() };
    void *payload = NULL;
    gpool__remote_drain(pool);
    gpool_store *store = pool->shaders->persist.store;
    result = warm_check(pool, w.desc);
    bool begun = result == GPOOL_OK;
    if (begun && store != NULL) {
        result = warm_load(&w, &payload);
    }
    if (result == GPOOL_OK && warm_records(&w) > 0) {
        result = warm_do(&w);
    }
    if (w.lapsed == GPOOL_OK) {
        gpool__manifest_fini(&w.manifest, &pool->memory);
    }
    gpool_store_free_data(store, payload);
    if (result == GPOOL_OK) {
        pool->warming = true;
        result = warm_tell(&w); /* how it ended */
        pool->warming = false;
    }
    if (w.lapsed == GPOOL_OK) {
        gpool__leave(pool, &call);
    }
    return result;
}
