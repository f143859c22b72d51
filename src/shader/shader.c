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
    gpool__table *table = &pool->tables[GPOOL_KIND_SHADER];
    gpool__table_init(table, &pool->memory, GPOOL_KIND_SHADER, pool->tag, sizeof(gpool__shader),
                      table->first_generation);
    pool->release[GPOOL_KIND_SHADER] = shader_release;
}

/* Bytes of the white space at `at`, 0 when there is none: the code points of WGSL, section 3.2. */
static size_t shader_blank(const char *source, size_t size, size_t at, bool *line_break)
{
    const unsigned char *c = (const unsigned char *)source + at;
    size_t left = size - at;
    *line_break = false;
    if (left >= 1 && (c[0] == ' ' || c[0] == '\t')) {
        return 1;
    }
    *line_break = true;
    if (left >= 1 && c[0] >= '\n' && c[0] <= '\r') {
        return 1;
    }
    if (left >= 2 && c[0] == 0xc2 && c[1] == 0x85) { /* next line */
        return 2;
    }
    if (left >= 3 && c[0] == 0xe2 && c[1] == 0x80) {
        if (c[2] == 0xa8 || c[2] == 0xa9) { /* line and paragraph separator */
            return 3;
        }
        *line_break = false;
        if (c[2] == 0x8e || c[2] == 0x8f) { /* direction marks */
            return 3;
        }
    }
    *line_break = false;
    return 0;
}

/* Length of the comment at `at`, 0 when there is none; WGSL block comments nest. */
static size_t shader_comment(const char *source, size_t size, size_t at)
{
    if (at + 1 >= size || source[at] != '/') {
        return 0;
    }
    size_t i = at + 2;
    if (source[at + 1] == '/') {
        bool line_break = false;
        while (i < size && (shader_blank(source, size, i, &line_break) == 0 || !line_break)) {
            i += 1;
        }
        return i - at;
    }
    if (source[at + 1] != '*') {
        return 0;
    }
    for (size_t depth = 1; i < size && depth > 0;) {
        bool pair = i + 1 < size;
        if (pair && source[i] == '/' && source[i + 1] == '*') {
            depth += 1;
            i += 2;
        } else if (pair && source[i] == '*' && source[i + 1] == '/') {
            depth -= 1;
            i += 2;
        } else {
            i += 1;
        }
    }
    return i - at;
}

/* First byte at or after `at` that is neither blank nor comment. */
static size_t shader_skip_blank(const char *source, size_t size, size_t at)
{
    size_t step = 1;
    while (at < size && step > 0) {
        bool line_break = false;
        step = shader_comment(source, size, at);
        step = step > 0 ? step : shader_blank(source, size, at, &line_break);
        at += step;
    }
    return at;
}

/* True when the name at `at` is `group` and ends there; bytes above 127 may continue a name. */
static bool shader_is_group(const char *source, size_t size, size_t at)
{
    static const size_t length = 5;
    if (size - at < length || memcmp(source + at, "group", length) != 0) {
        return false;
    }
    if (size - at == length) {
        return true;
    }
    unsigned char next = (unsigned char)source[at + length];
    bool blank = shader_skip_blank(source, size, at + length) > at + length;
    return blank || !(next == '_' || next > 127 || (next >= '0' && next <= '9') ||
                      (next >= 'a' && next <= 'z') || (next >= 'A' && next <= 'Z'));
}

bool gpool__wgsl_has_groups(const char *source, size_t size)
{
    for (size_t i = shader_skip_blank(source, size, 0); i < size;
         i = shader_skip_blank(source, size, i + 1)) {
        if (source[i] == '@' &&
            shader_is_group(source, size, shader_skip_blank(source, size, i + 1))) {
            return true;
        }
    }
    return false;
}

static void shader_compile(gpool *pool, gpool__shader *shader, const char *source, size_t size)
{
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
        gpool_log_id id =
            shader->status == GPOOL_ERROR_GPU ? GPOOL_LOG_SHADER_COMPILE : GPOOL_LOG_DEVICE_LOST;
        (void)gpool__fail(&pool->log, id, shader->status, "The shader \"%s\" did not compile: %s",
                          shader->base.label, gpool__current()->error);
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
        (gpool__shader *)gpool__resource_take(pool, GPOOL_KIND_SHADER, desc->label);
    if (shader == NULL) {
        return none;
    }
    shader_compile(pool, shader, desc->wgsl, desc->size != 0 ? desc->size : strlen(desc->wgsl));
    return (gpool_shader){ shader->base.head.id };
}

gpool_shader gpool_shader_create(gpool *pool, const gpool_shader_desc *desc)
{
    if (pool == NULL) {
        return (gpool_shader){ 0 };
    }
    gpool__call call = gpool__enter(pool, "gpool_shader_create");
    gpool_shader shader = shader_create(pool, desc);
    gpool__leave(pool, &call);
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
    if (result == GPOOL_ERROR_OUT_OF_MEMORY) {
        (void)GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for the file [%s]", path);
        return none;
    }
    gpool__shader *shader = (gpool__shader *)gpool__resource_take(pool, GPOOL_KIND_SHADER, path);
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
        shader_compile(pool, shader, content, size);
        gpool__free(&pool->memory, content, block_size);
    }
    return (gpool_shader){ shader->base.head.id };
}

gpool_shader gpool_shader_from_file(gpool *pool, const char *path)
{
    if (pool == NULL) {
        return (gpool_shader){ 0 };
    }
    gpool__call call = gpool__enter(pool, "gpool_shader_from_file");
    gpool_shader shader = shader_from_file(pool, path);
    gpool__leave(pool, &call);
    return shader;
}

gpool_result gpool_shader_status(gpool *pool, gpool_shader handle)
{
    if (pool == NULL) {
        return gpool__no_pool();
    }
    gpool__call call = gpool__enter(pool, "gpool_shader_status");
    gpool_result result;
    gpool__shader *shader =
        (gpool__shader *)gpool__resolve(pool, handle.id, GPOOL_KIND_SHADER, &result);
    gpool__leave(pool, &call);
    return shader != NULL ? shader->status : result;
}

gpool_result gpool_shader_destroy(gpool *pool, gpool_shader shader)
{
    return gpool__destroy_handle(pool, shader.id, GPOOL_KIND_SHADER, "gpool_shader_destroy");
}
