/*
 * Codes: where the source of a shader comes from, the module made of it, and what is wrong with it.
 */
#include "shader/shader_state.h"

#include <stdio.h>
#include <string.h>

static void code_forget_source(gpool *pool, gpool__code *code)
{
    if (code->source != NULL) {
        gpool__source_fini(code->source);
        gpool__free(&pool->memory, code->source, sizeof *code->source);
        code->source = NULL;
    }
}

static void code_free_origin(gpool *pool, gpool__code *code)
{
    for (uint32_t i = 0; i < code->define_count; ++i) {
        gpool__free_string(&pool->memory, (char *)(uintptr_t)code->defines[i].name);
        gpool__free_string(&pool->memory, (char *)(uintptr_t)code->defines[i].value);
    }
    gpool__free(&pool->memory, code->defines, code->define_count * sizeof *code->defines);
    gpool__free(&pool->memory, code->text, code->text_size);
    gpool__free_string(&pool->memory, code->path);
    gpool__free_string(&pool->memory, code->label);
}

gpool__code *gpool__code_create(gpool *pool, const char *label)
{
    struct gpool__shaders *shaders = pool->shaders;
    gpool__code *code = gpool__alloc(&pool->memory, sizeof *code);
    if (code != NULL) {
        code->label = gpool__copy_string(&pool->memory, label);
        if (code->label == NULL) {
            gpool__free(&pool->memory, code, sizeof *code);
            code = NULL;
        }
    }
    if (code == NULL) {
        (void)GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for the shader \"%s\"", label);
        return NULL;
    }
    code->references = 1;
    code->version = 1;
    code->id = ++shaders->code_ids;
    code->next = shaders->codes;
    if (code->next != NULL) {
        code->next->previous = code;
    }
    shaders->codes = code;
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
    struct gpool__shaders *shaders = pool->shaders;
    if (code->previous != NULL) {
        code->previous->next = code->next;
    } else {
        shaders->codes = code->next;
    }
    if (code->next != NULL) {
        code->next->previous = code->previous;
    }
    if (code->watched) {
        gpool__watch_remove(&shaders->watch, code->id);
    }
    shaders->unsettled -= code->unsettled;
    shaders->stale -= code->stale;
    gpool__module_release(pool, code->module);
    gpool__module_release(pool, code->fresh);
    code_forget_source(pool, code);
    code_free_origin(pool, code);
    gpool__free(&pool->memory, code->complaint, sizeof *code->complaint);
    gpool__free(&pool->memory, code, sizeof *code);
}

bool gpool__code_keep_origin(gpool *pool, gpool__code *code, const gpool_shader_desc *desc,
                             size_t size)
{
    gpool__memory *memory = &pool->memory;
    if (desc->wgsl != NULL) {
        code->text_size = size + 1; /* with a zero byte, so that an empty one has a block too */
        code->text = gpool__alloc(memory, code->text_size);
        if (code->text == NULL) {
            code->text_size = 0;
            return false;
        }
        memcpy(code->text, desc->wgsl, size);
    } else {
        code->path = gpool__copy_string(memory, desc->path);
        if (code->path == NULL) {
            return false;
        }
    }
    if (desc->define_count == 0) {
        return true;
    }
    code->defines = gpool__alloc(memory, desc->define_count * sizeof *code->defines);
    if (code->defines == NULL) {
        return false;
    }
    code->define_count = desc->define_count;
    for (uint32_t i = 0; i < desc->define_count; ++i) {
        const gpool_define *from = &desc->defines[i];
        code->defines[i].name = gpool__copy_string(memory, from->name);
        code->defines[i].value =
            from->value != NULL ? gpool__copy_string(memory, from->value) : NULL;
        if (code->defines[i].name == NULL ||
            (from->value != NULL && code->defines[i].value == NULL)) {
            return false;
        }
    }
    return true;
}

void gpool__code_complain(gpool *pool, gpool__code *code, gpool_result result, const char *file,
                          uint32_t line, uint32_t column, const char *message)
{
    if (code->complaint == NULL) {
        code->complaint = gpool__alloc(&pool->memory, sizeof *code->complaint);
    }
    code->failure = result;
    if (code->complaint != NULL) {
        gpool__complaint *complaint = code->complaint;
        complaint->line = line;
        complaint->column = column;
        (void)snprintf(complaint->file, sizeof complaint->file, "%s", file);
        (void)snprintf(complaint->message, sizeof complaint->message, "%s", message);
        gpool__clean_lines(complaint->message, sizeof complaint->message, complaint->message,
                           strlen(complaint->message));
    }
}

void gpool__code_content(gpool *pool, gpool__code *code)
{
    code->failure = GPOOL_OK;
    gpool__free(&pool->memory, code->complaint, sizeof *code->complaint);
    code->complaint = NULL;
}

/* Expands the source of a code. Errors are told and noted. */
static gpool_result code_expand(gpool *pool, gpool__code *code, gpool__source *source)
{
    struct gpool__shaders *shaders = pool->shaders;
    gpool__source_desc desc = {
        .text = code->text,
        .size = code->text != NULL ? code->text_size - 1 : 0,
        .label = code->label[0] != '\0' ? code->label : NULL,
        .path = code->path,
        .defines = code->defines,
        .define_count = code->define_count,
        .roots = (const char *const *)shaders->roots,
        .root_count = shaders->root_count,
        .files = &shaders->files,
    };
    if (code->text == NULL && code->path == NULL) { /* nothing to expand: what is compiled now */
        desc.text = code->module->text;
        desc.size = code->module->base.key_size;
    }
    gpool_result result = gpool__source_expand(&pool->memory, &desc, source);
    if (result == GPOOL_ERROR_OUT_OF_MEMORY) {
        return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for the source of shader \"%s\"",
                           code->label);
    }
    if (result != GPOOL_OK) {
        const char *file =
            source->error_file < source->file_count ? source->files[source->error_file].name : "";
        gpool__code_complain(pool, code, result, file, source->error_line, source->error_column,
                             source->message);
        (void)gpool__fail(
            &pool->log, result == GPOOL_ERROR_FILE ? GPOOL_LOG_FILE : GPOOL_LOG_SHADER_COMPILE,
            result, "The source of shader \"%s\" is not whole: %s", code->label, source->message);
    }
    return result;
}

/* The watch and the module of an expanded source. */
static gpool_result code_use(gpool *pool, gpool__code *code, const gpool__source *source,
                             gpool_result expanded, gpool__module **module)
{
    const uint64_t after = code->forced ? pool->shaders->since : 0;
    gpool_result result = expanded;
    if (code->path != NULL || source->file_count > 1) {
        if (gpool__watch_set(&pool->shaders->watch, code->id, source->files, source->file_count) ==
            GPOOL_OK) {
            code->watched = true;
        } else {
            return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY,
                               "No memory to watch the files of shader \"%s\"", code->label);
        }
    }
    if (result == GPOOL_OK) {
        *module = gpool__module_get(pool, code->label, source->text, source->size, after, &result);
        if (result == GPOOL_ERROR_LIMIT) {
            gpool__code_complain(pool, code, result, "", 0, 0, gpool_last_error(pool)->message);
        }
    }
    return result;
}

gpool_result gpool__code_make(gpool *pool, gpool__code *code, gpool__module **module)
{
    *module = NULL;
    /* Kept until it is known whether the module compiled: it tells places of the text. */
    gpool__source *source = gpool__alloc(&pool->memory, sizeof *source);
    if (source == NULL) {
        return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for the source of shader \"%s\"",
                           code->label);
    }
    gpool_result result = code_expand(pool, code, source);
    if (result != GPOOL_ERROR_OUT_OF_MEMORY) {
        result = code_use(pool, code, source, result, module);
    }
    if (*module != NULL) {
        code_forget_source(pool, code);
        code->source = source;
        gpool__code_await(pool, code);
    } else {
        gpool__source_fini(source);
        gpool__free(&pool->memory, source, sizeof *source);
    }
    return result;
}

void gpool__code_await(gpool *pool, gpool__code *code)
{
    if (!code->unsettled) {
        code->unsettled = true;
        pool->shaders->unsettled += 1;
    }
}

/* Tells why a module did not compile, in terms of the files. */
static void code_tell(gpool *pool, gpool__code *code, const gpool__module *module)
{
    const gpool__made *made = &module->base;
    const char *raw = made->message != NULL ? made->message : "";
    gpool__source own;
    gpool__source *source = code->source;
    if (source == NULL) {
        gpool__source_desc desc = { .text = module->text,
                                    .size = made->key_size,
                                    .label = code->label[0] != '\0' ? code->label : NULL };
        source = &own;
        (void)gpool__source_expand(&pool->memory, &desc, &own);
    }
    gpool__source_error error = { .message = NULL };
    bool translated =
        raw[0] != '\0' && source->result == GPOOL_OK &&
        gpool__source_translate(&pool->memory, source, raw, strlen(raw), &error) == GPOOL_OK;
    const char *whole = raw[0] != '\0' ? raw : gpool_result_text(made->result);
    if (translated && error.message != NULL) {
        whole = error.message;
    }
    if (translated && error.found) {
        gpool__code_complain(pool, code, made->result, error.file, error.place.line,
                             error.place.column, error.line);
    } else {
        gpool__code_complain(pool, code, made->result, "", 0, 0, whole);
    }
    (void)gpool__fail(&pool->log, gpool__capture_log_id(made->result, GPOOL_LOG_SHADER_COMPILE),
                      made->result, "The shader \"%s\" did not compile: %s", code->label, whole);
    gpool__source_error_fini(&pool->memory, &error);
    if (source == &own) {
        gpool__source_fini(&own);
    }
}

void gpool__code_settle(gpool *pool, gpool__code *code)
{
    const gpool__module *module = gpool__code_newest(code);
    if (!code->unsettled || module == NULL || !gpool__made_is_done(&module->base)) {
        return;
    }
    code->unsettled = false;
    pool->shaders->unsettled -= 1;
    if (module->base.result != GPOOL_OK) {
        code_tell(pool, code, module);
    } else if (code->fresh == NULL) {
        gpool__code_content(pool, code);
    }
    code_forget_source(pool, code);
}

void gpool__codes_settle(gpool *pool)
{
    const struct gpool__shaders *shaders = pool->shaders;
    for (gpool__code *code = shaders->codes; code != NULL && shaders->unsettled > 0;
         code = code->next) {
        gpool__code_settle(pool, code);
    }
}

const gpool__bindings *gpool__module_bindings(gpool *pool, gpool__module *module,
                                              gpool_result *result)
{
    *result = GPOOL_OK;
    if (module->bindings == NULL) {
        gpool__bindings *bindings = gpool__alloc(&pool->memory, sizeof *bindings);
        *result = bindings == NULL ? GPOOL_ERROR_OUT_OF_MEMORY
                                   : gpool__bindings_init(bindings, &pool->memory, module->text,
                                                          module->base.key_size);
        if (*result != GPOOL_OK) {
            gpool__free(&pool->memory, bindings, sizeof *bindings);
            *result = GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY,
                                  "No memory for the bindings of shader \"%s\"",
                                  gpool__module_label(module));
            return NULL;
        }
        module->bindings = bindings;
    }
    return module->bindings;
}
