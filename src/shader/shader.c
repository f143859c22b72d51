#include "shader/shader_state.h"

#include "base/file.h"

#include <errno.h>
#include <string.h>

#define SHADER_FILE_LIMIT ((size_t)16 << 20)

gpool__code *gpool__code_create(gpool *pool, const char *label)
{
    gpool__code *code = gpool__alloc(&pool->memory, sizeof *code);
    if (code == NULL) {
        (void)GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for the shader \"%s\"", label);
        return NULL;
    }
    code->references = 1;
    return code;
}

gpool__code *gpool__code_retain(gpool__code *code)
{
    if (code != NULL) {
        code->references += 1;
    }
    return code;
}

void gpool__code_release(gpool *pool, gpool__code *code)
{
    if (code == NULL || --code->references > 0) {
        return;
    }
    gpool__module_release(pool, code->module);
    gpool__free(&pool->memory, code, sizeof *code);
}

gpool_result gpool__shader_look(gpool__shader *shader)
{
    gpool_result status = shader->code->module != NULL
                              ? gpool__made_status(&shader->code->module->base)
                              : shader->status;
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
    gpool_result result = shader->status;
    if (shader->code->module != NULL) {
        (void)gpool__module_rebuild(pool, rebuild, shader->code->module, &result);
    }
    return result;
}

static void shader_rebuilt(gpool *pool, gpool__resource *resource, gpool_result result)
{
    const gpool__shader *shader = (const gpool__shader *)resource;
    (void)result;
    if (shader->code->module != NULL) {
        gpool__made_rebuilt(pool, &shader->code->module->base);
    }
}

/* Objects of the device that nobody uses go with it; what waits for a worker is the new one's. */
static void shaders_leave_device(gpool *pool)
{
    gpool__compiler_drop_idle(pool);
    gpool__cache_trim(pool, &pool->shaders->programs, 0, 0);
    gpool__cache_trim(pool, &pool->shaders->modules, 0, 0);
}

static void shaders_pause(gpool *pool, bool pause)
{
    if (pause) {
        gpool__compiler_pause(&pool->shaders->compiler);
        gpool__compiler_collect(pool);
    } else {
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
    gpool__cache_fini(pool, &shaders->programs);
    gpool__cache_fini(pool, &shaders->modules);
    gpool__compiler_fini(pool, &shaders->compiler);
    gpool__free(&pool->memory, shaders, sizeof *shaders);
    pool->shaders = NULL;
}

gpool_result gpool__shaders_init(gpool *pool, uint32_t workers)
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

/* Makes shader and module of a source; the null handle without memory. A source that no compiler
 * bears never gets to one, and is not kept. */
static gpool_shader shader_make(gpool *pool, const char *label, gpool_scope scope,
                                const char *source, size_t size)
{
    gpool_shader none = { 0 };
    gpool__shader *shader = shader_take(pool, label, scope);
    if (shader == NULL) {
        return none;
    }
    shader->code->module =
        gpool__module_get(pool, shader->base.label, source, size, &shader->status);
    if (shader->status == GPOOL_ERROR_OUT_OF_MEMORY) {
        shader_release(pool, &shader->base);
        gpool__resource_cancel(pool, &shader->base);
        return none;
    }
    (void)gpool__shader_look(shader);
    return (gpool_shader){ gpool__handle_of(pool, &shader->base) };
}

static gpool_shader shader_create(gpool *pool, const gpool_shader_desc *desc)
{
    gpool_shader none = { 0 };
    if (desc == NULL || desc->wgsl == NULL) {
        (void)GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT,
                          "The descriptor or its source [NULL] is null");
        return none;
    }
    return shader_make(pool, desc->label, desc->scope, desc->wgsl,
                       desc->size != 0 ? desc->size : strlen(desc->wgsl));
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

static gpool_shader shader_from_file(gpool *pool, const char *path)
{
    gpool_shader none = { 0 };
    if (path == NULL) {
        (void)GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT, "The path [NULL] is null");
        return none;
    }
    char *content = NULL;
    size_t size = 0;
    size_t block_size = 0;
    gpool_result result =
        gpool__file_read(&pool->memory, path, SHADER_FILE_LIMIT, &content, &size, &block_size);
    int reason = errno;
    if (result == GPOOL_OK && size == 0) {
        /* An editor's half-written file, not a shader. */
        gpool__free(&pool->memory, content, block_size);
        content = NULL;
        reason = 0;
        result = GPOOL_ERROR_FILE;
    }
    if (result == GPOOL_ERROR_OUT_OF_MEMORY) {
        (void)GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for the file [%s]", path);
        return none;
    }
    if (result == GPOOL_OK) {
        /* A byte order mark is the editor's, not the shader's. */
        size_t mark = size >= 3 && memcmp(content, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
        gpool_shader made =
            shader_make(pool, path, (gpool_scope){ 0 }, content + mark, size - mark);
        gpool__free(&pool->memory, content, block_size);
        return made;
    }
    gpool__shader *shader = shader_take(pool, path, (gpool_scope){ 0 });
    if (shader == NULL) {
        return none;
    }
    shader->status =
        GPOOL__FAIL(pool, FILE, FILE, "The shader file [%s] cannot be read: %s", path,
                    reason != 0 ? strerror(reason) : "no regular file, or over 16 MiB");
    shader->base.failed = true;
    return (gpool_shader){ gpool__handle_of(pool, &shader->base) };
}

gpool_shader gpool_shader_from_file(gpool *pool, const char *path)
{
    gpool_shader shader = { 0 };
    gpool__call call;
    if (gpool__enter(pool, "gpool_shader_from_file", &call) == GPOOL_OK) {
        shader = shader_from_file(pool, path);
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

gpool_result gpool_shader_destroy(gpool *pool, gpool_shader shader)
{
    return gpool__destroy_handle(pool, shader.id, GPOOL_KIND_SHADER, "gpool_shader_destroy");
}
