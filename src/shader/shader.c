#include "shader/shader_state.h"

#include "base/file.h"

#include <errno.h>
#include <string.h>

#define SHADER_FILE_LIMIT ((size_t)16 << 20)

static void shader_release(gpool *pool, gpool__resource *resource)
{
    gpool__shader *shader = (gpool__shader *)resource;
    gpool__module_release(pool, shader->module);
    shader->module = NULL;
}

static gpool_result shader_rebuild(gpool *pool, gpool__rebuild *rebuild, gpool__resource *resource)
{
    gpool__shader *shader = (gpool__shader *)resource;
    gpool_result result = shader->status;
    if (shader->module != NULL) {
        (void)gpool__module_rebuild(pool, rebuild, shader->module, &result);
    }
    return result;
}

static void shader_rebuilt(gpool *pool, gpool__resource *resource, gpool_result result)
{
    (void)pool;
    ((gpool__shader *)resource)->status = result;
}

void gpool__shaders_init(gpool *pool)
{
    gpool__kind_init(pool, GPOOL_KIND_SHADER, sizeof(gpool__shader), shader_release);
    pool->rebuild[GPOOL_KIND_SHADER] = shader_rebuild;
    pool->rebuilt[GPOOL_KIND_SHADER] = shader_rebuilt;
}

/* Makes shader and module of a source; the null handle without memory. A source that no compiler
 * bears never gets to one, and is not kept. */
static gpool_shader shader_make(gpool *pool, const char *label, gpool_scope scope,
                                const char *source, size_t size)
{
    gpool_shader none = { 0 };
    gpool__shader *shader =
        (gpool__shader *)gpool__resource_take(pool, GPOOL_KIND_SHADER, label, scope);
    if (shader == NULL) {
        return none;
    }
    const char *problem = gpool__wgsl_problem(source, size);
    if (problem != NULL) {
        shader->status =
            GPOOL__FAIL(pool, SHADER_COMPILE, LIMIT, "The shader \"%s\" is not compiled: %s",
                        shader->base.label, problem);
    } else {
        shader->module =
            gpool__module_create(pool, shader->base.label, source, size, &shader->status);
        if (shader->module == NULL) {
            gpool__resource_cancel(pool, &shader->base);
            return none;
        }
        shader->has_groups = gpool__wgsl_has_groups(source, size);
    }
    shader->base.failed = shader->status != GPOOL_OK;
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
    gpool__shader *shader =
        (gpool__shader *)gpool__resource_take(pool, GPOOL_KIND_SHADER, path, (gpool_scope){ 0 });
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
    gpool__shader *shader =
        (gpool__shader *)gpool__resolve(pool, handle.id, GPOOL_KIND_SHADER, &result);
    gpool__leave(pool, &call);
    return shader != NULL ? shader->status : result;
}

gpool_result gpool_shader_destroy(gpool *pool, gpool_shader shader)
{
    return gpool__destroy_handle(pool, shader.id, GPOOL_KIND_SHADER, "gpool_shader_destroy");
}
