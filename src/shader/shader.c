#include "shader/shader_state.h"

#include "base/file.h"

#include <errno.h>
#include <string.h>

#define SHADER_FILE_LIMIT ((size_t)16 << 20)

static void shader_release(gpool *pool, gpool__resource *resource)
{
    gpool__shader *shader = (gpool__shader *)resource;
    if (shader->gpu != NULL) {
        GPOOL__GPU(&pool->seam, ShaderModuleRelease)(shader->gpu);
        shader->gpu = NULL;
    }
}

void gpool__shaders_init(gpool *pool)
{
    gpool__kind_init(pool, GPOOL_KIND_SHADER, sizeof(gpool__shader), shader_release);
}

/* Makes the module under capture; a source that no compiler bears never gets that far. */
static void shader_compile(gpool *pool, gpool__shader *shader, const char *source, size_t size)
{
    const char *problem = gpool__wgsl_problem(source, size);
    if (problem != NULL) {
        shader->status =
            GPOOL__FAIL(pool, SHADER_COMPILE, LIMIT, "The shader \"%s\" is not compiled: %s",
                        shader->base.label, problem);
        shader->base.failed = true;
        return;
    }
    WGPUShaderSourceWGSL wgsl = {
        .chain = { .sType = WGPUSType_ShaderSourceWGSL },
        .code = { source, size },
    };
    WGPUShaderModuleDescriptor desc = {
        .nextInChain = &wgsl.chain,
        .label = gpool__view(shader->base.label),
    };
    gpool__capture_begin(pool->device, &pool->seam);
    shader->gpu = GPOOL__GPU(&pool->seam, DeviceCreateShaderModule)(pool->device->device, &desc);
    shader->status = gpool__capture_end(pool->device, &pool->seam);
    if (shader->status == GPOOL_OK && gpool__device_is_lost(pool->device)) {
        shader->status = GPOOL_ERROR_DEVICE_LOST;
    }
    if (shader->status == GPOOL_OK && shader->gpu == NULL) {
        shader->status = GPOOL_ERROR_GPU;
    }
    if (shader->status != GPOOL_OK) {
        const char *error = gpool__current()->error;
        (void)gpool__fail(
            &pool->log, gpool__capture_log_id(shader->status, GPOOL_LOG_SHADER_COMPILE),
            shader->status, "The shader \"%s\" did not compile: %s", shader->base.label,
            error[0] != '\0' ? error : gpool_result_text(shader->status));
        shader_release(pool, &shader->base);
        shader->base.failed = true;
    }
    shader->has_groups = gpool__wgsl_has_groups(source, size);
}

static gpool_shader shader_create(gpool *pool, const gpool_shader_desc *desc)
{
    gpool_shader none = { 0 };
    if (desc == NULL || desc->wgsl == NULL) {
        (void)GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT,
                          "The descriptor or its source [NULL] is null");
        return none;
    }
    gpool__shader *shader =
        (gpool__shader *)gpool__resource_take(pool, GPOOL_KIND_SHADER, desc->label, desc->scope);
    if (shader == NULL) {
        return none;
    }
    shader_compile(pool, shader, desc->wgsl, desc->size != 0 ? desc->size : strlen(desc->wgsl));
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
    gpool__shader *shader =
        (gpool__shader *)gpool__resource_take(pool, GPOOL_KIND_SHADER, path, (gpool_scope){ 0 });
    if (shader == NULL) {
        gpool__free(&pool->memory, content, block_size);
        return none;
    }
    if (result != GPOOL_OK) {
        shader->status =
            GPOOL__FAIL(pool, FILE, FILE, "The shader file [%s] cannot be read: %s", path,
                        reason != 0 ? strerror(reason) : "no regular file, or over 16 MiB");
        shader->base.failed = true;
    } else {
        /* A byte order mark is the editor's, not the shader's. */
        size_t mark = size >= 3 && memcmp(content, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
        shader_compile(pool, shader, content + mark, size - mark);
        gpool__free(&pool->memory, content, block_size);
    }
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
