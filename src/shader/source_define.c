/*
 * Definitions: a table by name, and values put in where names stand.
 */
#include "shader/source_state.h"

#include "base/checked.h"
#include "base/hash.h"

#include <string.h>

/* Values may be looked through for this many times the largest text: names defined as two of the next
 * one each grow without end, even when nothing comes of them. */
#define DEFINE_WORK 4u

gpool_result gpool__source_open_defines(gpool__expander *x)
{
    uint32_t slots = 16;
    while (slots / 2 < x->limits.defines) {
        slots *= 2;
    }
    x->slots = gpool__alloc(x->memory, slots * sizeof *x->slots);
    if (x->slots == NULL) {
        return gpool__source_no_memory(x);
    }
    x->slot_count = slots;
    gpool_result result = GPOOL_OK;
    for (uint32_t i = 0; i < x->desc->define_count && result == GPOOL_OK; ++i) {
        const gpool__source_define *define = &x->desc->defines[i];
        const char *name = define->name != NULL ? define->name : "";
        const char *value = define->value != NULL ? define->value : "";
        size_t size = strlen(value);
        for (size_t at = 0; at < size; ++at) {
            if (gpool__source_break(value + at, size - at) > 0) {
                return gpool__source_fail(x, GPOOL_ERROR_INVALID_ARGUMENT, GPOOL__SOURCE_NONE, 0, 0,
                                          "The value of [%s] has a line break", name);
            }
        }
        if (!gpool__is_utf8(value, size)) {
            return gpool__source_fail(x, GPOOL_ERROR_INVALID_ARGUMENT, GPOOL__SOURCE_NONE, 0, 0,
                                      "The value of [%s] is no UTF-8", name);
        }
        result = gpool__source_strip(x, GPOOL__SOURCE_NONE, 0, 0, value, size, &size);
        if (result == GPOOL_OK) {
            result = gpool__source_define_name(x, GPOOL__SOURCE_NONE, 0, 0, name, strlen(name),
                                               x->scratch, size);
        }
    }
    return result;
}

void gpool__source_close_defines(gpool__expander *x)
{
    for (uint32_t i = 0; i < x->macro_count; ++i) {
        gpool__source_macro *macro = &x->macros[i];
        gpool__free(x->memory, macro->block, macro->name_size + macro->value_size + 2);
    }
    gpool__free(x->memory, x->macros, x->macro_capacity * sizeof *x->macros);
    gpool__free(x->memory, x->levels, x->level_capacity * sizeof *x->levels);
    gpool__free(x->memory, x->slots, x->slot_count * sizeof *x->slots);
}

/* The slot of a name, or the free one where it belongs; there always is one. */
static uint32_t *define_slot(gpool__expander *x, const char *name, size_t size)
{
    uint32_t at = (uint32_t)gpool__hash(name, size) & (x->slot_count - 1);
    while (x->slots[at] != 0) {
        const gpool__source_macro *macro = &x->macros[x->slots[at] - 1];
        if (macro->name_size == size && memcmp(macro->block, name, size) == 0) {
            break;
        }
        at = (at + 1) & (x->slot_count - 1);
    }
    return &x->slots[at];
}

gpool__source_macro *gpool__source_defined(gpool__expander *x, const char *name, size_t size)
{
    unsigned char first = size > 0 ? (unsigned char)name[0] : 0;
    if (x->macro_count == 0 ||
        !(first == '_' || ((first | 0x20) >= 'a' && (first | 0x20) <= 'z'))) {
        return NULL;
    }
    uint32_t slot = *define_slot(x, name, size);
    gpool__source_macro *macro = slot != 0 ? &x->macros[slot - 1] : NULL;
    return macro != NULL && macro->defined ? macro : NULL;
}

/* A name that is defined already keeps its value; another one is refused. */
static gpool_result define_again(gpool__expander *x, const gpool__source_macro *macro,
                                 uint32_t file, uint32_t line, uint32_t column, const char *value,
                                 size_t value_size)
{
    if (macro->value_size == value_size &&
        (value_size == 0 || memcmp(macro->block + macro->name_size + 1, value, value_size) == 0)) {
        return GPOOL_OK;
    }
    if (macro->file == GPOOL__SOURCE_NONE) {
        return gpool__source_fail(x, GPOOL_ERROR_INVALID_ARGUMENT, file, line, column,
                                  "[%s] is defined as [%s] by the caller; guard this by #ifndef",
                                  macro->block, macro->block + macro->name_size + 1);
    }
    return gpool__source_fail(x, GPOOL_ERROR_INVALID_ARGUMENT, file, line, column,
                              "[%s] is defined as [%s] in %s:%u; #undef it first", macro->block,
                              macro->block + macro->name_size + 1,
                              x->source->files[macro->file].name, (unsigned)macro->line);
}

gpool_result gpool__source_define_name(gpool__expander *x, uint32_t file, uint32_t line,
                                       uint32_t column, const char *name, size_t name_size,
                                       const char *value, size_t value_size)
{
    bool plain = name_size > 0 && gpool__source_identifier(name, name_size) == name_size;
    for (size_t i = 0; i < name_size && plain; ++i) {
        plain = (unsigned char)name[i] < 128;
    }
    if (!plain) {
        return gpool__source_fail(x, GPOOL_ERROR_INVALID_ARGUMENT, file, line, column,
                                  "[%.*s] cannot be defined: a name of ASCII letters, digits and _ "
                                  "is needed",
                                  (int)gpool__min(name_size, 80), name);
    }
    uint32_t *slot = define_slot(x, name, name_size);
    gpool__source_macro *macro = *slot != 0 ? &x->macros[*slot - 1] : NULL;
    if (macro != NULL && macro->defined) {
        return define_again(x, macro, file, line, column, value, value_size);
    }
    if (macro == NULL && x->macro_count == x->limits.defines) {
        return gpool__source_fail(x, GPOOL_ERROR_LIMIT, file, line, column,
                                  "[%.*s] is one name more than the [%u] that may be defined",
                                  (int)gpool__min(name_size, 80), name,
                                  (unsigned)x->limits.defines);
    }
    char *block = gpool__alloc(x->memory, name_size + value_size + 2);
    if (block == NULL || !gpool__reserve(x->memory, (void **)&x->macros, &x->macro_capacity,
                                         x->macro_count + 1, sizeof *x->macros)) {
        gpool__free(x->memory, block, name_size + value_size + 2);
        return gpool__source_no_memory(x);
    }
    if (*slot == 0) {
        *slot = ++x->macro_count;
    }
    macro = &x->macros[*slot - 1];
    gpool__free(x->memory, macro->block, macro->name_size + macro->value_size + 2);
    memcpy(block, name, name_size);
    if (value_size > 0) {
        memcpy(block + name_size + 1, value, value_size);
    }
    *macro = (gpool__source_macro){ .block = block,
                                    .name_size = name_size,
                                    .value_size = value_size,
                                    .file = file,
                                    .line = line,
                                    .defined = true };
    return GPOOL_OK;
}

static gpool_result define_enter(gpool__expander *x, gpool__source_macro *macro)
{
    if (!gpool__reserve(x->memory, (void **)&x->levels, &x->level_capacity, x->level_count + 1,
                        sizeof *x->levels)) {
        return gpool__source_no_memory(x);
    }
    x->levels[x->level_count++] = (gpool__source_level){ .macro = (uint32_t)(macro - x->macros) };
    macro->busy = true;
    x->seam = true;
    return GPOOL_OK;
}

/* Adds a value up to the next name in it that is replaced, too. */
static gpool_result define_advance(gpool__expander *x)
{
    gpool__source_level *level = &x->levels[x->level_count - 1];
    gpool__source_macro *macro = &x->macros[level->macro];
    const char *value = macro->block + macro->name_size + 1;
    size_t start = level->at;
    size_t at = start;
    gpool__source_macro *inner = NULL;
    size_t token = 0;
    for (; at < macro->value_size; at += token) {
        token = gpool__source_token(value + at, macro->value_size - at);
        inner = gpool__source_defined(x, value + at, token);
        inner = inner != NULL && !inner->busy ? inner : NULL;
        if (inner != NULL) {
            break;
        }
    }
    level->at = inner != NULL ? at + token : at;
    x->work += level->at - start + 1;
    gpool_result result = gpool__source_append_code(x, value + start, at - start);
    if (result == GPOOL_OK && inner != NULL) {
        result = define_enter(x, inner);
    } else if (inner == NULL) {
        macro->busy = false;
        x->level_count -= 1;
        x->seam = true;
    }
    return result;
}

gpool_result gpool__source_replace(gpool__expander *x, gpool__source_macro *macro, uint32_t column)
{
    gpool__source *source = x->source;
    const gpool__source_frame *frame = &x->frames[x->frame_count - 1];
    if (source->shift_count == GPOOL__SOURCE_SHIFTS) {
        return gpool__source_fail(x, GPOOL_ERROR_LIMIT, frame->file, frame->line, column,
                                  "More than [%u] names are replaced",
                                  (unsigned)GPOOL__SOURCE_SHIFTS);
    }
    if (!gpool__reserve(x->memory, (void **)&source->shifts, &source->shift_capacity,
                        source->shift_count + 1, sizeof *source->shifts)) {
        return gpool__source_no_memory(x);
    }
    size_t begin = source->size;
    source->shifts[source->shift_count++] = (gpool__source_shift){
        .at = (uint32_t)begin, .column = column, .length = (uint32_t)macro->name_size
    };
    x->shifting = true;
    gpool_result result = define_enter(x, macro);
    while (result == GPOOL_OK && x->level_count > 0) {
        result = define_advance(x);
        if (result == GPOOL_OK && x->work > DEFINE_WORK * x->limits.size) {
            result = gpool__source_fail(x, GPOOL_ERROR_LIMIT, frame->file, frame->line, column,
                                        "[%s] and what its value names are replaced too often",
                                        macro->block);
        }
    }
    x->shifting = false;
    source->shifts[source->shift_count - 1].size = (uint32_t)(source->size - begin);
    return result;
}
