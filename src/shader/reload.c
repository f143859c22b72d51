/*
 * Reload: shaders whose files changed, or that were called dirty, made anew with all pipelines made
 * from them, beside what is in use, and swapped in together at the start of a frame when all of it
 * succeeded. When a part fails all of it stays as it was; what changed is tried again with the next
 * change of any part, so that a set of files that belong together is never half new.
 *
 * One set at a time: what changes meanwhile waits. A set goes through two steps, modules and then
 * programs; variants that passes ask for meanwhile join the second.
 */
#include "shader/shader_state.h"

static bool reload_has(const gpool__code *code)
{
    return code != NULL && code->fresh != NULL;
}

static gpool__pipeline *reload_pipeline_at(gpool *pool, uint32_t i)
{
    gpool__resource *resource =
        (gpool__resource *)gpool__table_at(&pool->tables[GPOOL_KIND_PIPELINE], i);
    return gpool__resource_is_held(resource) ? (gpool__pipeline *)(void *)resource : NULL;
}

static void reload_drop_pipeline(gpool *pool, gpool__pipeline *pipeline)
{
    for (uint32_t i = 0; i < pipeline->variant_count; ++i) {
        gpool__program_release(pool, pipeline->variants[i].fresh);
        pipeline->variants[i].fresh = NULL;
    }
    for (uint32_t i = 0; i < GPOOL_MAX_GROUPS; ++i) {
        gpool__group_layout_release(pool, pipeline->fresh.groups[i]);
    }
    pipeline->fresh = (gpool__pipeline_groups){ .status = GPOOL_OK };
    pipeline->has_fresh = false;
}

/* Gives up what was made aside. What changed stays stale, and `again` tells whether to try at once. */
static void reload_abandon(gpool *pool, bool again)
{
    struct gpool__shaders *shaders = pool->shaders;
    const gpool__table *table = &pool->tables[GPOOL_KIND_PIPELINE];
    for (uint32_t i = 0; i < table->slot_count; ++i) {
        gpool__pipeline *pipeline = reload_pipeline_at(pool, i);
        if (pipeline != NULL) {
            reload_drop_pipeline(pool, pipeline);
        }
    }
    for (gpool__code *code = shaders->codes; code != NULL; code = code->next) {
        if (code->fresh != NULL) {
            gpool__module_release(pool, code->fresh);
            code->fresh = NULL;
            code->forced = code->forced || code->remade;
            gpool__code_stale(pool, code);
        }
    }
    shaders->reloading = false;
    shaders->held = !again && !shaders->changed;
    gpool__codes_settle(pool); /* they have what they had, which is compiled */
}

void gpool__reload_stop(gpool *pool)
{
    if (pool->shaders->reloading) {
        reload_abandon(pool, true);
    }
}

void gpool__reload_again(gpool *pool)
{
    pool->shaders->held = false;
    pool->shaders->changed = true;
}

void gpool__code_stale(gpool *pool, gpool__code *code)
{
    if (!code->stale) {
        code->stale = true;
        pool->shaders->stale += 1;
    }
}

static void reload_fresh(gpool *pool, gpool__code *code)
{
    code->stale = false;
    pool->shaders->stale -= 1;
}

/* Memory that ran out may be there at the next frame; all else waits for a change. */
static void reload_fail(gpool *pool, gpool_result result)
{
    pool->stats.failed_reloads += 1;
    reload_abandon(pool, result == GPOOL_ERROR_OUT_OF_MEMORY);
}

/* Takes what the watcher saw. */
static void reload_look(gpool *pool)
{
    struct gpool__shaders *shaders = pool->shaders;
    if (gpool__watch_is_quiet(&shaders->watch) ||
        gpool__watch_poll(&shaders->watch, gpool__now_ns()) == 0) {
        return;
    }
    uint64_t id = 0;
    while (gpool__watch_take(&shaders->watch, &id)) {
        for (gpool__code *code = shaders->codes; code != NULL; code = code->next) {
            if (code->id == id) {
                gpool__code_stale(pool, code);
                gpool__reload_again(pool);
            }
        }
    }
}

/* The source and module of a code that is stale. */
static gpool_result reload_code(gpool *pool, gpool__code *code)
{
    if (code->text == NULL && code->path == NULL && code->module == NULL) {
        reload_fresh(pool, code); /* a text that no compiler bears, and none other to come */
        return GPOOL_OK;
    }
    gpool__module *module = NULL;
    gpool_result result = gpool__code_make(pool, code, &module);
    if (result != GPOOL_OK) {
        return result;
    }
    reload_fresh(pool, code);
    code->remade = code->forced;
    code->forced = false;
    if (module == code->module) { /* another way to the same text, or an edit taken back */
        gpool__module_release(pool, module);
        if (module->base.collected && module->base.result == GPOOL_OK) {
            gpool__code_content(pool, code);
        }
    } else {
        code->fresh = module;
    }
    return GPOOL_OK;
}

/* The first step: sources and modules of what is stale, all of it, that all errors are told. */
static gpool_result reload_begin(gpool *pool)
{
    struct gpool__shaders *shaders = pool->shaders;
    gpool_result result = GPOOL_OK;
    shaders->reloading = true;
    shaders->changed = false;
    shaders->since = shaders->orders;
    for (gpool__code *code = shaders->codes; code != NULL; code = code->next) {
        gpool_result each = code->stale ? reload_code(pool, code) : GPOOL_OK;
        result = each != GPOOL_OK ? each : result;
    }
    return result;
}

/* How far the modules are: GPOOL_NOT_READY, GPOOL_OK, or an error when one failed. */
static gpool_result reload_modules(gpool *pool, bool *any)
{
    gpool_result status = GPOOL_OK;
    *any = false;
    for (gpool__code *code = pool->shaders->codes; code != NULL; code = code->next) {
        if (code->fresh == NULL) {
            continue;
        }
        *any = true;
        gpool_result each = gpool__made_status(&code->fresh->base);
        if (each != GPOOL_OK && (status == GPOOL_OK || status == GPOOL_NOT_READY)) {
            status = each;
        }
    }
    return status;
}

/* Says of the codes of a pipeline that it could not be made of them. */
static void reload_complain(gpool *pool, const gpool__pipeline *pipeline, gpool_result result,
                            const char *message)
{
    gpool__code *const codes[2] = { pipeline->vertex, pipeline->fragment };
    for (int i = 0; i < 2; ++i) {
        if (reload_has(codes[i])) {
            gpool__code_complain(pool, codes[i], result, "", 0, 0, message);
        }
    }
}

/* The groups of a pipeline. Where there were none before nothing gets worse without. */
static gpool_result reload_groups(gpool *pool, gpool__pipeline *pipeline)
{
    gpool_result result = gpool__pipeline_find_groups(pool, pipeline, true, &pipeline->fresh);
    pipeline->has_fresh = true;
    if (result != GPOOL_OK && result != GPOOL_ERROR_OUT_OF_MEMORY &&
        pipeline->groups.status != GPOOL_OK) {
        return GPOOL_OK;
    }
    if (result != GPOOL_OK) {
        reload_complain(pool, pipeline, result, gpool_last_error(pool)->message);
    }
    return result;
}

/* The program of a variant. One that never was may fail: it must not keep others from what works. */
static gpool_result reload_variant(gpool *pool, gpool__pipeline *pipeline, gpool__variant *variant)
{
    if (variant->fresh == NULL) {
        variant->fresh = gpool__program_get(pool, pipeline, &variant->targets, true);
        if (variant->fresh == NULL) {
            return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for a variant of \"%s\"",
                               pipeline->base.label);
        }
    }
    const gpool__made *old = &variant->program->base;
    const gpool__made *made = &variant->fresh->base;
    gpool_result result = gpool__made_status(made);
    if (result == GPOOL_OK || result == GPOOL_NOT_READY ||
        (gpool__made_is_done(old) && old->result != GPOOL_OK)) {
        return result == GPOOL_NOT_READY ? result : GPOOL_OK;
    }
    char text[GPOOL__MESSAGE_SIZE];
    gpool__pipeline_describe(text, pipeline->base.label, result, made->message);
    reload_complain(pool, pipeline, result, text);
    return result;
}

/* The second step for a pipeline: groups, and a program for each variant. */
static gpool_result reload_pipeline(gpool *pool, gpool__pipeline *pipeline)
{
    gpool_result status = pipeline->has_fresh ? GPOOL_OK : reload_groups(pool, pipeline);
    for (uint32_t i = 0;
         i < pipeline->variant_count && (status == GPOOL_OK || status == GPOOL_NOT_READY); ++i) {
        gpool_result each = reload_variant(pool, pipeline, &pipeline->variants[i]);
        status = each != GPOOL_OK ? each : status;
    }
    return status;
}

/* A pipeline of which another part is broken takes no part: it is made when that is mended. */
static bool reload_concerns(const gpool__pipeline *pipeline)
{
    const gpool__code *const codes[2] = { pipeline->vertex, pipeline->fragment };
    for (int i = 0; i < 2; ++i) {
        const gpool__module *module = codes[i] != NULL ? gpool__code_newest(codes[i]) : NULL;
        if (codes[i] != NULL && (module == NULL || (gpool__made_is_done(&module->base) &&
                                                    module->base.result != GPOOL_OK))) {
            return false;
        }
    }
    return reload_has(pipeline->vertex) || reload_has(pipeline->fragment);
}

static gpool_result reload_programs(gpool *pool)
{
    const gpool__table *table = &pool->tables[GPOOL_KIND_PIPELINE];
    gpool_result status = GPOOL_OK;
    for (uint32_t i = 0; i < table->slot_count; ++i) {
        gpool__pipeline *pipeline = reload_pipeline_at(pool, i);
        if (pipeline == NULL || !reload_concerns(pipeline)) {
            continue;
        }
        gpool_result each = reload_pipeline(pool, pipeline);
        if (each != GPOOL_OK) {
            status = each;
            if (each != GPOOL_NOT_READY) {
                return each;
            }
        }
    }
    return status;
}

static void reload_swap_pipeline(gpool *pool, gpool__pipeline *pipeline)
{
    for (uint32_t i = 0; i < pipeline->variant_count; ++i) {
        gpool__program *old = pipeline->variants[i].program;
        pipeline->variants[i].program = pipeline->variants[i].fresh;
        pipeline->variants[i].fresh = old;
    }
    gpool__pipeline_groups groups = pipeline->groups;
    pipeline->groups = pipeline->fresh;
    pipeline->fresh = groups;
    pipeline->version += 1;
    reload_drop_pipeline(pool, pipeline);
}

/* A pipeline that had no source until now: asks for the variant that its descriptor tells. */
static void reload_wake(gpool *pool, gpool__pipeline *pipeline)
{
    gpool__targets targets = { 0 };
    bool own = pipeline->compute || gpool__pipeline_own_targets(pipeline->desc, &targets);
    if (own && pipeline->variant_count == 0 && pipeline->groups.status == GPOOL_OK &&
        gpool__pipeline_has_sources(pipeline)) {
        gpool_result result;
        (void)gpool__pipeline_variant(pool, pipeline, &targets, &result);
    }
    (void)gpool__pipeline_look(pipeline);
}

/* All is there: nothing of this can fail. */
static void reload_swap(gpool *pool)
{
    struct gpool__shaders *shaders = pool->shaders;
    const gpool__table *table = &pool->tables[GPOOL_KIND_PIPELINE];
    for (uint32_t i = 0; i < table->slot_count; ++i) {
        gpool__pipeline *pipeline = reload_pipeline_at(pool, i);
        if (pipeline != NULL && pipeline->has_fresh && reload_concerns(pipeline)) {
            reload_swap_pipeline(pool, pipeline);
            pipeline->woken = true;
        } else if (pipeline != NULL && pipeline->has_fresh) {
            reload_drop_pipeline(pool, pipeline); /* its other part failed meanwhile */
        }
    }
    for (gpool__code *code = shaders->codes; code != NULL; code = code->next) {
        if (code->fresh != NULL) {
            gpool__module_release(pool, code->module);
            code->module = code->fresh;
            code->fresh = NULL;
            code->version += 1;
            gpool__code_content(pool, code);
        }
    }
    for (uint32_t i = 0; i < table->slot_count; ++i) {
        gpool__pipeline *pipeline = reload_pipeline_at(pool, i);
        if (pipeline != NULL && pipeline->woken) {
            pipeline->woken = false;
            reload_wake(pool, pipeline);
        }
    }
    shaders->reloading = false;
    pool->stats.reloads += 1;
}

void gpool__reload(gpool *pool)
{
    struct gpool__shaders *shaders = pool->shaders;
    reload_look(pool);
    if (!shaders->reloading) {
        if (shaders->stale == 0 || shaders->held) {
            return;
        }
        gpool_result result = reload_begin(pool);
        if (result != GPOOL_OK) {
            reload_fail(pool, result);
            return;
        }
    }
    gpool__codes_settle(pool);
    bool any = false;
    gpool_result status = reload_modules(pool, &any);
    if (status == GPOOL_OK && any) {
        status = reload_programs(pool);
    }
    if (status == GPOOL_OK && any) {
        reload_swap(pool);
    } else if (status == GPOOL_OK) {
        shaders->reloading = false; /* nothing of it was new, or all of it was destroyed */
    } else if (status != GPOOL_NOT_READY) {
        reload_fail(pool, status);
    }
}
