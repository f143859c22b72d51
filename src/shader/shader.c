#include "shader/shader_state.h"

#include <string.h>

gpool_result gpool__shader_look(gpool__shader *shader)
{
    gpool_result status = shader->code->module != NULL
                              ? gpool__made_status(&shader->code->module->base)
                              : shader->code->failure;
    shader->base.failed = status != GPOOL_OK && status != GPOOL_NOT_READY;
    return status;
}

static void shader_release(gpool *pool, gpool__resource *resource)
{
    gpool__shader *shader = (gpool__shader *)resource;
    gpool__code_release(pool, shader->code);
    shader->code = NULL;
}

static gpool_result shader_rebuild(gpool *pool, gpool__rebuild *rebuild, gpool__resource *resource)
{
    gpool__shader *shader = (gpool__shader *)resource;
    gpool_result result = shader->code->failure;
    if (shader->code->module != NULL) {
        (void)gpool__module_rebuild(pool, rebuild, shader->code->module, &result);
    }
    return result;
}

static void shader_rebuilt(gpool *pool, gpool__resource *resource, gpool_result result)
{
    const gpool__shader *shader = (const gpool__shader *)resource;
    gpool__code *code = shader->code;
    if (code->module != NULL) {
        gpool__made_rebuilt(pool, &code->module->base);
    }
    if (result == GPOOL_OK && code->module != NULL && !code->stale && !code->unsettled) {
        gpool__code_content(pool, code); /* what the old device said of it */
    }
}

/* Objects of the device that nobody uses go with it; what waits for a worker is the new one's. */
static void shaders_leave_device(gpool *pool)
{
    gpool__persist_drop_kept(pool);
    gpool__cache_trim(pool, &pool->shaders->programs, 0, 0);
    gpool__cache_trim(pool, &pool->shaders->modules, 0, 0);
}

static void shaders_pause(gpool *pool, bool pause)
{
    if (pause) {
        gpool__reload_stop(pool);
        gpool__persist_settle(pool);
        gpool__compiler_pause(&pool->shaders->compiler);
        gpool__compiler_collect(pool);
    } else {
        pool->shaders->held = false; /* what a lost device failed may go well on another one */
        gpool__compiler_resume(pool, &pool->shaders->compiler);
    }
}

static void shaders_stop(gpool *pool)
{
    gpool__compiler_stop(&pool->shaders->compiler);
}

static void shaders_fini(gpool *pool)
{
    struct gpool__shaders *shaders = pool->shaders;
    gpool__watch_fini(&shaders->watch);
    gpool__source_files_fini(&shaders->files);
    for (uint32_t i = 0; i < shaders->root_count; ++i) {
        gpool__free_string(&pool->memory, shaders->roots[i]);
    }
    gpool__free(&pool->memory, shaders->roots, shaders->root_capacity * sizeof *shaders->roots);
    gpool__persist_fini(pool);
    gpool__cache_fini(pool, &shaders->programs);
    gpool__cache_fini(pool, &shaders->modules);
    gpool__compiler_fini(pool, &shaders->compiler);
    gpool__free(&pool->memory, shaders, sizeof *shaders);
    pool->shaders = NULL;
}

gpool_result gpool__shaders_init(gpool *pool, uint32_t workers, uint32_t watch_ms)
{
    static const gpool__shaders_hooks hooks = {
        .pause = shaders_pause,
        .leave_device = shaders_leave_device,
        .stop = shaders_stop,
        .fini = shaders_fini,
    };
    pool->shaders = gpool__alloc(&pool->memory, sizeof *pool->shaders);
    if (pool->shaders == NULL) {
        return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for the pool \"%s\"",
                           pool->label);
    }
    pool->shaders_hooks = &hooks;
    gpool__watch_desc watch = { .period_ns =
                                    watch_ms != 0 ? watch_ms * UINT64_C(1000000) : UINT64_MAX };
    gpool__watch_init(&pool->shaders->watch, &pool->memory, &watch);
    gpool__source_files_init(&pool->shaders->files, &pool->memory);
    gpool__compiler_init(pool, &pool->shaders->compiler, workers);
    gpool__kind_init(pool, GPOOL_KIND_SHADER, sizeof(gpool__shader), shader_release);
    pool->rebuild[GPOOL_KIND_SHADER] = shader_rebuild;
    pool->rebuilt[GPOOL_KIND_SHADER] = shader_rebuilt;
    return GPOOL_OK;
}

/* A slot with a code that has no module yet; NULL with the error recorded. */
static gpool__shader *shader_take(gpool *pool, const char *label, gpool_scope scope)
{
    gpool__shader *shader =
        (gpool__shader *)gpool__resource_take(pool, GPOOL_KIND_SHADER, label, scope);
    if (shader == NULL) {
        return NULL;
    }
    shader->code = gpool__code_create(pool, shader->base.label);
    if (shader->code == NULL) {
        gpool__resource_cancel(pool, &shader->base);
        return NULL;
    }
    return shader;
}

/* True when a source is the text that is compiled: nothing to expand. */
static bool shader_is_plain(const gpool_shader_desc *desc, size_t size)
{
    return desc->wgsl != NULL && desc->define_count == 0 && memchr(desc->wgsl, '#', size) == NULL;
}

static gpool_result shader_check(gpool *pool, const gpool_shader_desc *desc)
{
    if (desc == NULL || (desc->wgsl == NULL && desc->path == NULL) ||
        (desc->defines == NULL && desc->define_count > 0)) {
        return GPOOL__FAIL(
            pool, ARGUMENT_NULL, INVALID_ARGUMENT,
            "The descriptor, its source and path, or its definitions [NULL] are null");
    }
    if (desc->define_count > GPOOL__SOURCE_DEFINES) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "The definitions [%u] of a shader are over [%u]", desc->define_count,
                           GPOOL__SOURCE_DEFINES);
    }
    for (uint32_t i = 0; i < desc->define_count; ++i) {
        if (desc->defines[i].name == NULL) {
            return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT,
                               "The name [NULL] of definition [%u] is null", i);
        }
    }
    return GPOOL_OK;
}

static gpool_shader shader_create(gpool *pool, const gpool_shader_desc *desc)
{
    gpool_shader none = { 0 };
    if (shader_check(pool, desc) != GPOOL_OK) {
        return none;
    }
    const char *label = desc->label != NULL ? desc->label : desc->wgsl != NULL ? "" : desc->path;
    gpool__shader *shader = shader_take(pool, label, desc->scope);
    if (shader == NULL) {
        return none;
    }
    gpool__code *code = shader->code;
    gpool_result result = GPOOL_OK;
    size_t size = desc->wgsl == NULL ? 0 : desc->size != 0 ? desc->size : strlen(desc->wgsl);
    if (shader_is_plain(desc, size)) {
        code->module = gpool__module_get(pool, code->label, desc->wgsl, size, 0, &result);
        if (code->module != NULL) {
            gpool__code_await(pool, code);
        } else {
            gpool__code_complain(pool, code, result, "", 0, 0, gpool_last_error(pool)->message);
        }
    } else if (gpool__code_keep_origin(pool, code, desc, size)) {
        result = gpool__code_make(pool, code, &code->module);
    } else {
        result = GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for the shader \"%s\"", label);
    }
    if (result == GPOOL_ERROR_OUT_OF_MEMORY) {
        shader_release(pool, &shader->base);
        gpool__resource_cancel(pool, &shader->base);
        return none;
    }
    gpool__code_settle(pool, code);
    (void)gpool__shader_look(shader);
    return (gpool_shader){ gpool__handle_of(pool, &shader->base) };
}

gpool_shader gpool_shader_create(gpool *pool, const gpool_shader_desc *desc)
{
    gpool_shader shader = { 0 };
    gpool__call call;
    if (gpool__enter(pool, "gpool_shader_create", &call) == GPOOL_OK) {
        shader = shader_create(pool, desc);
        gpool__leave(pool, &call);
    }
    return shader;
}

gpool_shader gpool_shader_from_file(gpool *pool, const char *path)
{
    gpool_shader shader = { 0 };
    gpool__call call;
    if (gpool__enter(pool, "gpool_shader_from_file", &call) == GPOOL_OK) {
        shader = shader_create(pool, &(gpool_shader_desc){ .path = path });
        gpool__leave(pool, &call);
    }
    return shader;
}

gpool_result gpool_shader_status(gpool *pool, gpool_shader handle)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_shader_status", &call);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__compiler_collect(pool);
    gpool__shader *shader =
        (gpool__shader *)gpool__resolve(pool, handle.id, GPOOL_KIND_SHADER, &result);
    result = shader != NULL ? gpool__shader_look(shader) : result;
    gpool__leave(pool, &call);
    return result;
}

gpool_result gpool_shader_wait(gpool *pool, gpool_shader handle, uint64_t timeout_ns)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_shader_wait", &call);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__shader *shader =
        (gpool__shader *)gpool__resolve(pool, handle.id, GPOOL_KIND_SHADER, &result);
    if (shader != NULL) {
        if (shader->code->module != NULL) {
            (void)gpool__compiler_finish(pool, &shader->code->module->base, timeout_ns);
        }
        result = gpool__shader_look(shader);
    }
    if (result == GPOOL_NOT_READY) {
        result =
            GPOOL__FAIL(pool, TIMEOUT, TIMEOUT, "The shader \"%s\" is not compiled after [%llu] ns",
                        shader->base.label, (unsigned long long)timeout_ns);
    }
    gpool__leave(pool, &call);
    return result;
}

gpool_result gpool_shader_get_info(gpool *pool, gpool_shader handle, gpool_shader_info *info)
{
    gpool__call call;
    if (info != NULL) {
        *info = (gpool_shader_info){ .message = "", .file = "" };
    }
    gpool_result result = gpool__enter(pool, "gpool_shader_get_info", &call);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__compiler_collect(pool);
    gpool__shader *shader =
        (gpool__shader *)gpool__resolve(pool, handle.id, GPOOL_KIND_SHADER, &result);
    if (shader != NULL && info == NULL) {
        result = GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT, "The target [NULL] is null");
    } else if (shader != NULL) {
        const gpool__code *code = shader->code;
        info->status = gpool__shader_look(shader);
        info->version = code->version;
        info->reload_status = shader->base.failed ? GPOOL_OK : code->failure;
        if (code->complaint != NULL) {
            info->message = code->complaint->message;
            info->file = code->complaint->file;
            info->line = code->complaint->line;
            info->column = code->complaint->column;
        }
    }
    gpool__leave(pool, &call);
    return result;
}

static gpool_result shader_binding(gpool *pool, gpool__shader *shader, const char *name,
                                   gpool_shader_slot *slot)
{
    gpool__module *module = shader->code->module;
    if (name == NULL || slot == NULL) {
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT,
                           "The name or the target [NULL] is null");
    }
    (void)gpool__shader_look(shader);
    if (module == NULL || shader->base.failed) {
        return GPOOL__FAIL(pool, RESOURCE_FAILED, FAILED_RESOURCE,
                           "The shader \"%s\" failed: it binds nothing", shader->base.label);
    }
    gpool_result result;
    const gpool__bindings *bindings = gpool__module_bindings(pool, module, &result);
    if (bindings == NULL) {
        return result;
    }
    const gpool__binding_var *var = gpool__bindings_find(bindings, name);
    if (var == NULL) {
        return GPOOL__FAIL(pool, RANGE, OUT_OF_RANGE, "The shader \"%s\" binds no variable [%.64s]",
                           shader->base.label, name);
    }
    if (var->unclear != NULL) {
        return GPOOL__FAIL(pool, UNSUPPORTED, UNSUPPORTED,
                           "Where variable [%.64s] of shader \"%s\" is bound cannot be told: %s",
                           name, shader->base.label, var->unclear);
    }
    slot->group = var->group;
    slot->binding = var->entry.binding;
    slot->type = var->entry.type;
    return GPOOL_OK;
}

gpool_result gpool_shader_binding(gpool *pool, gpool_shader handle, const char *name,
                                  gpool_shader_slot *slot)
{
    gpool__call call;
    if (slot != NULL) {
        *slot = (gpool_shader_slot){ 0 };
    }
    gpool_result result = gpool__enter(pool, "gpool_shader_binding", &call);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__shader *shader =
        (gpool__shader *)gpool__resolve(pool, handle.id, GPOOL_KIND_SHADER, &result);
    if (shader != NULL) {
        result = shader_binding(pool, shader, name, slot);
    }
    gpool__leave(pool, &call);
    return result;
}

gpool_result gpool_shader_dirty(gpool *pool, gpool_shader handle)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_shader_dirty", &call);
    if (result != GPOOL_OK) {
        return result;
    }
    const gpool__shader *shader =
        (gpool__shader *)gpool__resolve(pool, handle.id, GPOOL_KIND_SHADER, &result);
    if (shader != NULL) {
        shader->code->forced = true;
        gpool__code_stale(pool, shader->code);
        gpool__reload_again(pool);
    }
    gpool__leave(pool, &call);
    return result;
}

gpool_result gpool_shader_destroy(gpool *pool, gpool_shader shader)
{
    return gpool__destroy_handle(pool, shader.id, GPOOL_KIND_SHADER, "gpool_shader_destroy");
}
