/*
 * Where includes are searched, virtual files, and what a watcher of the program's saw.
 */
#include "shader/shader_state.h"

#include "base/hash.h"

#include <string.h>

static gpool_result files_add_root(gpool *pool, const char *folder)
{
    struct gpool__shaders *shaders = pool->shaders;
    if (folder == NULL || folder[0] == '\0' || strlen(folder) >= GPOOL__PATH_SIZE) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "The folder [%.256s] is null, empty or too long",
                           folder != NULL ? folder : "NULL");
    }
    if (shaders->root_count == GPOOL__MAX_ROOTS) {
        return GPOOL__FAIL(pool, LIMIT, LIMIT, "[%u] folders are searched already",
                           GPOOL__MAX_ROOTS);
    }
    void *roots = shaders->roots;
    bool good = gpool__reserve(&pool->memory, &roots, &shaders->root_capacity,
                               shaders->root_count + 1, sizeof *shaders->roots);
    shaders->roots = roots;
    char *copy = good ? gpool__copy_string(&pool->memory, folder) : NULL;
    if (copy == NULL) {
        return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for the folder [%.256s]",
                           folder);
    }
    shaders->roots[shaders->root_count++] = copy;
    return GPOOL_OK;
}

gpool_result gpool_shader_add_root(gpool *pool, const char *folder)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_shader_add_root", &call);
    if (result == GPOOL_OK) {
        result = files_add_root(pool, folder);
        gpool__leave(pool, &call);
    }
    return result;
}

static gpool_result files_set(gpool *pool, const char *name, const char *text, size_t size)
{
    struct gpool__shaders *shaders = pool->shaders;
    char clean[GPOOL__SOURCE_NAME];
    const char *wrong = name == NULL ? "it is null" : gpool__source_clean_name("", name, clean);
    if (wrong != NULL) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "The name [%.256s] is of no file that could be included: %s",
                           name != NULL ? name : "NULL", wrong);
    }
    if (text == NULL) {
        if (gpool__source_files_remove(&shaders->files, clean)) {
            gpool__watch_mark_virtual(&shaders->watch, clean, 0);
        }
        return GPOOL_OK;
    }
    gpool_result result = gpool__source_files_put(&shaders->files, clean, text, size);
    if (result == GPOOL_OK) {
        gpool__watch_mark_virtual(&shaders->watch, clean, gpool__hash(text, size));
        return GPOOL_OK;
    }
    gpool_log_id id = result == GPOOL_ERROR_OUT_OF_MEMORY ? GPOOL_LOG_MEMORY
                      : result == GPOOL_ERROR_LIMIT       ? GPOOL_LOG_LIMIT
                                                          : GPOOL_LOG_ARGUMENT_VALUE;
    return gpool__fail(&pool->log, id, result,
                       "The text [%llu bytes] of \"%.256s\" is not kept: %s",
                       (unsigned long long)size, name, gpool_result_text(result));
}

gpool_result gpool_shader_set_file(gpool *pool, const char *name, const char *text, size_t size)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_shader_set_file", &call);
    if (result == GPOOL_OK) {
        result = files_set(pool, name, text, size);
        gpool__leave(pool, &call);
    }
    return result;
}

gpool_result gpool_shader_file_changed(gpool *pool, const char *path)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_shader_file_changed", &call);
    if (result != GPOOL_OK) {
        return result;
    }
    if (path == NULL) {
        result = GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT, "The path [NULL] is null");
    } else {
        (void)gpool__watch_mark(&pool->shaders->watch, path);
    }
    gpool__leave(pool, &call);
    return result;
}

const char *gpool_shader_file(gpool *pool, gpool_shader handle, uint32_t index)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_shader_file", &call);
    if (result != GPOOL_OK) {
        return NULL;
    }
    const gpool__shader *shader =
        (gpool__shader *)gpool__resolve(pool, handle.id, GPOOL_KIND_SHADER, &result);
    const char *name = NULL;
    if (shader != NULL && shader->code->watched) {
        name = gpool__watch_file(&pool->shaders->watch, shader->code->id, index);
    }
    gpool__leave(pool, &call);
    return name;
}
