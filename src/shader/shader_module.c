/*
 * Modules: the source of a shader and what the device made of it.
 */
#include "shader/shader_state.h"

#include <string.h>

static void module_drop(gpool__seam *seam, void *gpu)
{
    GPOOL__GPU(seam, ShaderModuleRelease)(gpu);
}

static void *module_make(const gpool__run *run, const gpool__made *made, gpool_result *result)
{
    const gpool__module *module = (const gpool__module *)made;
    WGPUShaderSourceWGSL wgsl = {
        .chain = { .sType = WGPUSType_ShaderSourceWGSL },
        .code = { module->text, made->key_size },
    };
    WGPUShaderModuleDescriptor desc = {
        .nextInChain = &wgsl.chain,
        .label = gpool__view(gpool__module_label(module)),
    };
    gpool__capture_begin(run->device, run->seam);
    WGPUShaderModule gpu =
        GPOOL__GPU(run->seam, DeviceCreateShaderModule)(run->device->device, &desc);
    *result = gpool__capture_end(run->device, run->seam);
    if (*result == GPOOL_OK && gpu == NULL) {
        *result = GPOOL_ERROR_GPU;
    }
    if (*result != GPOOL_OK) {
        gpool__run_report(run, gpool__current()->error);
        if (gpu != NULL) {
            module_drop(run->seam, gpu);
        }
        return NULL;
    }
    return gpu;
}

static const void *module_key(const gpool__made *made)
{
    return ((const gpool__module *)made)->text;
}

static gpool__cache *module_cache(gpool *pool)
{
    return &pool->shaders->modules;
}

static gpool__made *module_need(const gpool__made *made, int i)
{
    (void)made;
    (void)i;
    return NULL;
}

static void module_forget(gpool *pool, gpool__made *made)
{
    gpool__module *module = (gpool__module *)made;
    if (module->bindings != NULL) {
        gpool__bindings_fini(module->bindings, &pool->memory);
        gpool__free(&pool->memory, module->bindings, sizeof *module->bindings);
    }
}

static gpool_result module_tell(gpool *pool, const gpool__made *made, gpool_result result,
                                const char *message)
{
    return gpool__fail(&pool->log, gpool__capture_log_id(result, GPOOL_LOG_SHADER_COMPILE), result,
                       "The shader \"%s\" did not compile: %s",
                       gpool__module_label((const gpool__module *)made),
                       message[0] != '\0' ? message : gpool_result_text(result));
}

static const gpool__made_kind module_kind = {
    .make = module_make,
    .drop = module_drop,
    .key = module_key,
    .cache = module_cache,
    .need = module_need,
    .forget = module_forget,
};

/* A new entry of the cache; NULL without memory, with the error recorded. */
static gpool__module *module_create(gpool *pool, uint64_t hash, const char *label,
                                    const char *source, size_t size)
{
    size_t label_size = strlen(label) + 1;
    gpool__module *module = NULL;
    if (size <= SIZE_MAX - sizeof *module - label_size) {
        module = gpool__alloc(&pool->memory, sizeof *module + size + label_size);
    }
    if (module != NULL) {
        module->base.kind = &module_kind;
        module->base.hash = hash;
        module->base.key_size = size;
        module->base.block_size = sizeof *module + size + label_size;
        memcpy(module->text, source, size);
        memcpy(module->text + size, label, label_size);
        if (!gpool__cache_add(pool, &pool->shaders->modules, &module->base)) {
            gpool__free(&pool->memory, module, module->base.block_size);
            module = NULL;
        }
    }
    if (module == NULL) {
        (void)GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY,
                          "No memory for the source of shader \"%s\", [%llu] bytes", label,
                          (unsigned long long)size);
        return NULL;
    }
    module->base.order = ++pool->shaders->orders;
    return module;
}

gpool__module *gpool__module_get(gpool *pool, const char *label, const char *source, size_t size,
                                 uint64_t after, gpool_result *result)
{
    gpool__cache *cache = &pool->shaders->modules;
    uint64_t hash = gpool__cache_hash(cache, source, size);
    gpool__module *module = (gpool__module *)gpool__cache_find(cache, hash, source, size);
    *result = GPOOL_OK;
    if (module != NULL && module->base.order > after) {
        pool->stats.shader_hits += 1;
        return module;
    }
    if (module != NULL) {
        gpool__cache_forget(cache, &module->base);
        gpool__module_release(pool, module);
    }
    const char *problem = gpool__wgsl_problem(source, size);
    if (problem != NULL) {
        *result = GPOOL__FAIL(pool, SHADER_COMPILE, LIMIT, "The shader \"%s\" is not compiled: %s",
                              label, problem);
        return NULL;
    }
    module = module_create(pool, hash, label, source, size);
    if (module == NULL) {
        *result = GPOOL_ERROR_OUT_OF_MEMORY;
        return NULL;
    }
    pool->stats.shader_misses += 1;
    gpool__compiler_ask(pool, &module->base);
    return module;
}

gpool__module *gpool__module_retain(gpool__module *module)
{
    if (module != NULL) {
        module->base.references += 1;
    }
    return module;
}

void gpool__module_release(gpool *pool, gpool__module *module)
{
    if (module != NULL) {
        gpool__cache_give_up(pool, &pool->shaders->modules, &module->base);
    }
}

WGPUShaderModule gpool__module_rebuild(gpool *pool, gpool__rebuild *rebuild, gpool__module *module,
                                       gpool_result *result)
{
    gpool__made *made = &module->base;
    *result = GPOOL_OK;
    if (!made->collected) {
        return NULL; /* compiled on the new device when its turn comes */
    }
    if (made->pass != pool->rebuild_pass) {
        gpool__run run = { .device = pool->device, .seam = &pool->seam };
        made->pass = pool->rebuild_pass;
        made->fresh = module_make(&run, made, &made->fresh_result);
        if (made->fresh_result != GPOOL_OK) {
            (void)module_tell(pool, made, made->fresh_result, gpool__current()->error);
        }
        made->fresh_result = gpool__rebuild_add(pool, rebuild, module_drop, &made->gpu, made->fresh,
                                                made->fresh_result);
        *result = made->fresh_result;
    } else {
        *result = made->fresh_result == GPOOL_OK ? GPOOL_OK : GPOOL_ERROR_FAILED_RESOURCE;
    }
    return *result == GPOOL_OK ? made->fresh : NULL;
}
