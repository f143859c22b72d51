#include "shader/source_state.h"

#include "base/checked.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* --- errors --- */

gpool_result gpool__source_fail(gpool__expander *x, gpool_result result, uint32_t file,
                                uint32_t line, uint32_t column, const char *format, ...)
{
    gpool__source *source = x->source;
    if (source->result != GPOOL_OK) {
        return source->result;
    }
    source->result = result;
    source->error_file = file;
    source->error_line = line;
    source->error_column = column;
    char *message = source->message;
    size_t room = sizeof source->message;
    const char *label = x->desc->text != NULL ? x->desc->label : x->desc->path;
    const char *name = file < source->file_count    ? source->files[file].name
                       : file == GPOOL__SOURCE_NONE ? "definitions"
                       : label != NULL              ? label
                                                    : "shader";
    int used = snprintf(message, room, "%.*s", (int)(room / 2), name);
    used += line > 0 ? snprintf(message + used, room - (size_t)used, ":%u", (unsigned)line) : 0;
    used += column > 0 ? snprintf(message + used, room - (size_t)used, ":%u", (unsigned)column) : 0;
    used += snprintf(message + used, room - (size_t)used, ": ");
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message + used, room - (size_t)used, format, arguments);
    va_end(arguments);
    (void)gpool__clean(message, room, message, room);
    return result;
}

gpool_result gpool__source_no_memory(gpool__expander *x)
{
    return gpool__source_fail(x, GPOOL_ERROR_OUT_OF_MEMORY, 0, 0, 0, "No memory to expand it");
}

/* --- what WGSL reads --- */

size_t gpool__source_break(const char *text, size_t size)
{
    const unsigned char *c = (const unsigned char *)text;
    if (size == 0 || (c[0] > '\r' && c[0] < 0xc2)) {
        return 0;
    }
    if (c[0] >= '\n' && c[0] <= '\r') {
        return c[0] == '\r' && size > 1 && c[1] == '\n' ? 2 : 1;
    }
    if (size >= 2 && c[0] == 0xc2 && c[1] == 0x85) { /* next line */
        return 2;
    }
    bool separator = size >= 3 && c[0] == 0xe2 && c[1] == 0x80 && (c[2] == 0xa8 || c[2] == 0xa9);
    return separator ? 3 : 0;
}

size_t gpool__source_blank(const char *text, size_t size)
{
    const unsigned char *c = (const unsigned char *)text;
    if (size > 0 && (c[0] == ' ' || c[0] == '\t')) {
        return 1;
    }
    bool mark = size >= 3 && c[0] == 0xe2 && c[1] == 0x80 && (c[2] == 0x8e || c[2] == 0x8f);
    return mark ? 3 : 0; /* of direction */
}

static bool source_is_digit(unsigned char c)
{
    return c >= '0' && c <= '9';
}

/* Bytes of one character that may stand inside an identifier. */
static size_t source_word(const char *text, size_t size)
{
    unsigned char c = (unsigned char)text[0];
    unsigned char small = c | 0x20;
    if ((small >= 'a' && small <= 'z') || source_is_digit(c) || c == '_') {
        return 1;
    }
    if (c < 0x80 || gpool__source_blank(text, size) > 0 || gpool__source_break(text, size) > 0) {
        return 0;
    }
    size_t step = gpool__utf8_length(text, size);
    return step > 0 ? step : 1;
}

size_t gpool__source_identifier(const char *text, size_t size)
{
    size_t at = 0;
    if (size == 0 || source_is_digit((unsigned char)text[0])) {
        return 0;
    }
    for (size_t step = 1; at < size && step > 0; at += step) {
        step = source_word(text + at, size - at);
    }
    return at;
}

size_t gpool__source_number(const char *text, size_t size)
{
    size_t at = 0;
    if (size == 0 || !source_is_digit((unsigned char)text[0])) {
        return 0;
    }
    for (size_t step = 1; at < size && step > 0; at += step) {
        step = text[at] == '.' ? 1 : source_word(text + at, size - at);
    }
    return at;
}

size_t gpool__source_token(const char *text, size_t size)
{
    size_t step = gpool__source_identifier(text, size);
    step = step > 0 ? step : gpool__source_number(text, size);
    step = step > 0 ? step : gpool__utf8_length(text, size);
    return step > 0 ? step : 1;
}

uint32_t gpool__source_points(const char *text, size_t size)
{
    uint32_t count = 0;
    for (size_t i = 0; i < size; ++i) {
        count += ((unsigned char)text[i] & 0xc0) != 0x80;
    }
    return count;
}

/* --- the text --- */

gpool_result gpool__source_append(gpool__expander *x, const char *bytes, size_t size)
{
    gpool__source *source = x->source;
    if (size == 0) {
        return GPOOL_OK;
    }
    if (size > x->limits.size - source->size) {
        const gpool__source_frame *frame = &x->frames[x->frame_count - 1];
        return gpool__source_fail(x, GPOOL_ERROR_LIMIT, frame->file, frame->line, 0,
                                  "The expanded source has more than [%llu] bytes",
                                  (unsigned long long)x->limits.size);
    }
    size_t needed = source->size + size + 1;
    if (needed > source->text_block) {
        size_t wanted = (size_t)gpool__max(needed, gpool__max(4096, 2 * source->text_block));
        char *moved = gpool__realloc(x->memory, source->text, source->text_block, wanted);
        if (moved == NULL) {
            return gpool__source_no_memory(x);
        }
        source->text = moved;
        source->text_block = wanted;
    }
    memcpy(source->text + source->size, bytes, size);
    source->size += size;
    return GPOOL_OK; /* new memory is zero, so a zero byte follows */
}

static bool source_is_operator(char c)
{
    return c != '\0' && strchr("+-*/%&|^<>=!", c) != NULL;
}

gpool_result gpool__source_append_code(gpool__expander *x, const char *bytes, size_t size)
{
    gpool__source *source = x->source;
    if (size == 0) {
        return GPOOL_OK;
    }
    bool melts = x->seam && source->size > 0 && source_is_operator(bytes[0]) &&
                 source_is_operator(source->text[source->size - 1]);
    x->seam = false;
    if (melts) {
        gpool_result result = gpool__source_append(x, " ", 1);
        if (result != GPOOL_OK) {
            return result;
        }
        if (!x->shifting && source->shift_count > 0) {
            source->shifts[source->shift_count - 1].size += 1;
        }
    }
    return gpool__source_append(x, bytes, size);
}

/* Says whose line the one under way is. */
static gpool_result source_begin_line(gpool__expander *x, uint32_t file, uint32_t line)
{
    gpool__source *source = x->source;
    x->begun = true;
    if (source->run_count > 0) {
        const gpool__source_run *last = &source->runs[source->run_count - 1];
        if (last->file == file && last->line + (x->lines - last->first) == line) {
            return GPOOL_OK;
        }
    }
    if (!gpool__reserve(x->memory, (void **)&source->runs, &source->run_capacity,
                        source->run_count + 1, sizeof *source->runs)) {
        return gpool__source_no_memory(x);
    }
    source->runs[source->run_count++] = (gpool__source_run){ x->lines, file, line };
    return GPOOL_OK;
}

static gpool_result source_end_line(gpool__expander *x)
{
    gpool_result result = gpool__source_append(x, "\n", 1);
    x->lines += 1;
    x->begun = false;
    x->seam = false;
    return result;
}

static bool source_is_active(const gpool__expander *x)
{
    return x->condition_count == 0 || x->conditions[x->condition_count - 1].active;
}

/* --- directives --- */

/* Where a directive is. */
typedef struct source_place {
    uint32_t file;
    uint32_t line;
    uint32_t column;
} source_place;

static gpool_result source_refuse(gpool__expander *x, const source_place *place, const char *what,
                                  const char *name, size_t size)
{
    return gpool__source_fail(x, GPOOL_ERROR_INVALID_ARGUMENT, place->file, place->line,
                              place->column, what, (int)gpool__min(size, 80), name);
}

gpool_result gpool__source_strip(gpool__expander *x, uint32_t file, uint32_t line, uint32_t column,
                                 const char *text, size_t size, size_t *stripped)
{
    const source_place place = { file, line, column };
    *stripped = 0;
    if (size >= x->scratch_size) {
        char *moved = gpool__realloc(x->memory, x->scratch, x->scratch_size, size + 1);
        if (moved == NULL) {
            return gpool__source_no_memory(x);
        }
        x->scratch = moved;
        x->scratch_size = size + 1;
    }
    size_t used = 0;
    uint32_t depth = 0;
    bool gap = false;
    for (size_t at = 0; at < size;) {
        bool pair = at + 1 < size;
        size_t blank = gpool__source_blank(text + at, size - at);
        if (pair && text[at] == '/' && text[at + 1] == '*') {
            depth += 1;
            blank = 2;
        } else if (depth > 0 && pair && text[at] == '*' && text[at + 1] == '/') {
            depth -= 1;
            blank = 2;
        } else if (depth > 0) {
            blank = 1;
        } else if (pair && text[at] == '/' && text[at + 1] == '/') {
            break;
        }
        if (blank > 0) {
            gap = true;
            at += blank;
            continue;
        }
        if (gap && used > 0) {
            x->scratch[used++] = ' ';
        }
        gap = false;
        x->scratch[used++] = text[at++];
    }
    if (depth > 0) {
        return source_refuse(
            x, &place, "A comment that begins in a directive or a value must end there%.*s", "", 0);
    }
    if (used > 0 && x->scratch[used - 1] == '\\') {
        return source_refuse(x, &place, "A directive cannot go on in the next line%.*s", "", 0);
    }
    *stripped = used;
    return GPOOL_OK;
}

static gpool_result source_define(gpool__expander *x, const source_place *place, const char *text,
                                  size_t size)
{
    size_t name = gpool__source_identifier(text, size);
    if (name == 0) {
        return source_refuse(x, place, "#define needs a name, not [%.*s]", text, size);
    }
    if (name < size && text[name] == '(') {
        return source_refuse(
            x, place, "[%.*s] cannot have parameters: a value is parted by a blank", text, name);
    }
    if (name < size && text[name] != ' ') {
        return source_refuse(x, place, "A blank is missing after the name in #define [%.*s]", text,
                             size);
    }
    size_t value = name < size ? name + 1 : name;
    return gpool__source_define_name(x, place->file, place->line, place->column, text, name,
                                     text + value, size - value);
}

static gpool_result source_begin_condition(gpool__expander *x, const source_place *place,
                                           bool active)
{
    const gpool__source_frame *frame = &x->frames[x->frame_count - 1];
    if (x->condition_count - frame->base == x->limits.depth) {
        return gpool__source_fail(x, GPOOL_ERROR_LIMIT, place->file, place->line, place->column,
                                  "More than [%u] conditionals are in each other",
                                  (unsigned)x->limits.depth);
    }
    bool outer = source_is_active(x);
    if (!gpool__reserve(x->memory, (void **)&x->conditions, &x->condition_capacity,
                        x->condition_count + 1, sizeof *x->conditions)) {
        return gpool__source_no_memory(x);
    }
    x->conditions[x->condition_count++] =
        (gpool__source_condition){ .line = place->line, .outer = outer, .active = outer && active };
    return GPOOL_OK;
}

/* #else and #endif. */
static gpool_result source_turn_condition(gpool__expander *x, const source_place *place, bool end)
{
    const gpool__source_frame *frame = &x->frames[x->frame_count - 1];
    if (x->condition_count == frame->base) {
        const char *name = end ? "endif" : "else";
        return source_refuse(x, place, "There is no #ifdef or #ifndef to this #%.*s", name,
                             strlen(name));
    }
    gpool__source_condition *condition = &x->conditions[x->condition_count - 1];
    if (end) {
        x->condition_count -= 1;
        return GPOOL_OK;
    }
    if (condition->else_line > 0) {
        return gpool__source_fail(x, GPOOL_ERROR_INVALID_ARGUMENT, place->file, place->line,
                                  place->column,
                                  "A second #else: the first is in line %u, its #ifdef in line %u",
                                  (unsigned)condition->else_line, (unsigned)condition->line);
    }
    condition->else_line = place->line;
    condition->active = condition->outer && !condition->active;
    return GPOOL_OK;
}

/* `text` is all of the line after the word. */
static gpool_result source_include(gpool__expander *x, const source_place *place, const char *text,
                                   size_t size, bool *begun)
{
    size_t at = 0;
    for (size_t step = 1; step > 0; at += step) {
        step = gpool__source_blank(text + at, size - at);
    }
    const char *end =
        at < size && text[at] == '"' ? memchr(text + at + 1, '"', size - at - 1) : NULL;
    if (end == NULL) {
        return source_refuse(x, place, "#include needs a name in quotes, not [%.*s]", text + at,
                             size - at);
    }
    const char *name = text + at + 1;
    size_t length = (size_t)(end - name);
    size_t rest = 0;
    gpool_result result = gpool__source_strip(x, place->file, place->line, place->column, end + 1,
                                              size - (size_t)(end + 1 - text), &rest);
    if (result == GPOOL_OK && rest > 0) {
        result = source_refuse(x, place, "[%.*s] is too much after the name", x->scratch, rest);
    }
    bool again = false;
    if (result == GPOOL_OK) {
        result = gpool__source_open_include(x, name, length, place->column, &again);
    }
    *begun = result == GPOOL_OK && !again;
    return result;
}

/* The directive of this length at `text`? */
static bool source_is(const char *text, size_t size, const char *word)
{
    return strlen(word) == size && memcmp(text, word, size) == 0;
}

/* A directive, `text` being the line after '#'; `*begun` = its line gives those of a file. */
static gpool_result source_directive(gpool__expander *x, const source_place *place,
                                     const char *text, size_t size, bool *begun)
{
    size_t at = 0;
    for (size_t step = 1; step > 0; at += step) {
        step = gpool__source_blank(text + at, size - at);
    }
    const char *word = text + at;
    size_t length = gpool__source_identifier(word, size - at);
    const char *rest = word + length;
    size_t rest_size = size - at - length;
    bool active = source_is_active(x);
    bool include = source_is(word, length, "include");
    bool define = source_is(word, length, "define");
    bool undef = source_is(word, length, "undef");
    bool ifdef = source_is(word, length, "ifdef");
    bool ifndef = source_is(word, length, "ifndef");
    bool endif = source_is(word, length, "endif");
    bool turn = endif || source_is(word, length, "else");
    if (!include && !define && !undef && !ifdef && !ifndef && !turn) {
        return source_refuse(
            x, place,
            "[#%.*s] is no directive: there are #include, #define, #undef, #ifdef, "
            "#ifndef, #else and #endif",
            word, length);
    }
    if (!active && (include || define || undef)) {
        /* Only its comments count, as everywhere in what is switched off. */
        return gpool__source_strip(x, place->file, place->line, place->column, rest, rest_size,
                                   &rest_size);
    }
    if (include) {
        return source_include(x, place, rest, rest_size, begun);
    }
    size_t stripped = 0;
    gpool_result result =
        gpool__source_strip(x, place->file, place->line, place->column, rest, rest_size, &stripped);
    if (result != GPOOL_OK) {
        return result;
    }
    if (define) {
        return source_define(x, place, x->scratch, stripped);
    }
    if (turn) {
        return stripped > 0 ? source_refuse(x, place, "[%.*s] is too much after #else or #endif",
                                            x->scratch, stripped)
                            : source_turn_condition(x, place, endif);
    }
    if (stripped == 0 || gpool__source_identifier(x->scratch, stripped) != stripped) {
        return source_refuse(x, place, "One name is needed, not [%.*s]", x->scratch, stripped);
    }
    gpool__source_macro *macro = gpool__source_defined(x, x->scratch, stripped);
    if (!undef) {
        return source_begin_condition(x, place, ifdef == (macro != NULL));
    }
    if (macro != NULL) {
        macro->defined = false;
    }
    return GPOOL_OK;
}

/* --- lines --- */

/* Reads a line of code, or of a comment, and adds it when its lines are on. */
static gpool_result source_code(gpool__expander *x, gpool__source_frame *frame, const char *line,
                                size_t size)
{
    bool active = source_is_active(x);
    size_t plain = 0; /* what was read but not added yet */
    size_t counted = 0;
    uint32_t column = 1; /* of `counted` */
    gpool_result result = GPOOL_OK;
    for (size_t at = 0; at < size && result == GPOOL_OK;) {
        bool pair = at + 1 < size;
        if (pair && line[at] == '/' && line[at + 1] == '*') {
            if (frame->depth == 0) {
                frame->open_line = frame->line;
                frame->open_column = column + gpool__source_points(line + counted, at - counted);
            }
            frame->depth += 1;
            at += 2;
        } else if (frame->depth > 0) {
            bool end = pair && line[at] == '*' && line[at + 1] == '/';
            frame->depth -= end;
            at += end ? 2 : 1;
        } else if (pair && line[at] == '/' && line[at + 1] == '/') {
            break;
        } else {
            size_t token = gpool__source_token(line + at, size - at);
            gpool__source_macro *macro = active ? gpool__source_defined(x, line + at, token) : NULL;
            if (macro != NULL) {
                column += gpool__source_points(line + counted, at - counted);
                counted = at;
                result = gpool__source_append_code(x, line + plain, at - plain);
                if (result == GPOOL_OK) {
                    result = gpool__source_replace(x, macro, column);
                }
                plain = at + token;
            }
            at += token;
        }
    }
    if (result == GPOOL_OK && active) {
        result = gpool__source_append_code(x, line + plain, size - plain);
    }
    return result;
}

/* What was opened in a file and not closed. */
static gpool_result source_end_file(gpool__expander *x)
{
    const gpool__source_frame *frame = &x->frames[x->frame_count - 1];
    if (frame->depth > 0) {
        return gpool__source_fail(x, GPOOL_ERROR_INVALID_ARGUMENT, frame->file, frame->open_line,
                                  frame->open_column, "This comment does not end in its file");
    }
    if (x->condition_count > frame->base) {
        return gpool__source_fail(x, GPOOL_ERROR_INVALID_ARGUMENT, frame->file,
                                  x->conditions[x->condition_count - 1].line, 0,
                                  "There is no #endif to this");
    }
    gpool__source_close_frame(x);
    return GPOOL_OK;
}

/* Reads the next line of the file on top, or ends it. */
static gpool_result source_step(gpool__expander *x)
{
    gpool__source_frame *frame = &x->frames[x->frame_count - 1];
    bool main = x->frame_count == 1;
    const char *line = frame->text + frame->at;
    size_t left = frame->size - frame->at;
    size_t size = 0;
    size_t ending = 0;
    while (size < left && (ending = gpool__source_break(line + size, left - size)) == 0) {
        size += 1;
    }
    bool last = size == left;
    size_t start = 0;
    for (size_t step = 1; step > 0; start += step) {
        step = gpool__source_blank(line + start, size - start);
    }
    uint32_t file = frame->file;
    uint32_t number = frame->line;
    bool directive = frame->depth == 0 && start < size && line[start] == '#';
    bool begun = false;
    gpool_result result = GPOOL_OK;
    /* The file goes on behind this line before another one may come on top of it. */
    frame->at += size + ending;
    if (directive) {
        source_place place = { file, number, gpool__source_points(line, start) + 1 };
        result = source_directive(x, &place, line + start + 1, size - start - 1, &begun);
    }
    /* The end of an included file is the end of a line; that of the main one is as it is. */
    bool gives = !begun && (main || !last || size > 0);
    if (result == GPOOL_OK && gives) {
        result = source_begin_line(x, file, number);
    }
    if (result == GPOOL_OK && !directive) {
        result = source_code(x, frame, line, size);
    }
    if (result == GPOOL_OK && gives && !(main && last)) {
        result = source_end_line(x);
    }
    if (result != GPOOL_OK) {
        return result;
    }
    if (begun) {
        /* Below the new one; frames may have moved. */
        x->frames[x->frame_count - 2].line += !last;
        x->frames[x->frame_count - 2].over = last;
        return GPOOL_OK;
    }
    frame->line += !last;
    frame->over = last;
    return GPOOL_OK;
}

static gpool_result source_run(gpool__expander *x)
{
    gpool_result result = GPOOL_OK;
    uint32_t last = 1;
    while (result == GPOOL_OK && x->frame_count > 0) {
        const gpool__source_frame *frame = &x->frames[x->frame_count - 1];
        last = x->frame_count == 1 ? frame->line : last;
        result = frame->over ? source_end_file(x) : source_step(x);
    }
    /* Behind an #include that ends the main source. */
    if (result == GPOOL_OK && !x->begun) {
        result = source_begin_line(x, 0, last);
    }
    return result;
}

static gpool_result source_finish(gpool__expander *x)
{
    gpool__source *source = x->source;
    source->line_count = x->lines + 1;
    if (source->text == NULL) {
        source->text = gpool__alloc(x->memory, 1);
        source->text_block = source->text != NULL;
        return source->text != NULL ? GPOOL_OK : gpool__source_no_memory(x);
    }
    return GPOOL_OK; /* not cut to fit: a source is brief, who keeps the text copies it */
}

static uint32_t source_limit(uint32_t wanted, uint32_t limit)
{
    return wanted > 0 && wanted < limit ? wanted : limit;
}

gpool_result gpool__source_expand(gpool__memory *memory, const gpool__source_desc *desc,
                                  gpool__source *source)
{
    *source = (gpool__source){ .memory = memory };
    gpool__expander *x = gpool__alloc(memory, sizeof *x);
    if (x == NULL) {
        source->result = GPOOL_ERROR_OUT_OF_MEMORY;
        (void)gpool__clean(source->message, sizeof source->message, "No memory to expand it", 99);
        return source->result;
    }
    size_t size = desc->limits.size;
    x->memory = memory;
    x->desc = desc;
    x->source = source;
    x->limits = (gpool__source_limits){
        .size = size > 0 && size < GPOOL__SOURCE_SIZE ? size : GPOOL__SOURCE_SIZE,
        .depth = source_limit(desc->limits.depth, GPOOL__SOURCE_DEPTH),
        .files = source_limit(desc->limits.files, GPOOL__SOURCE_FILES),
        .defines = source_limit(desc->limits.defines, GPOOL__SOURCE_DEFINES),
    };
    gpool_result result = gpool__source_open_roots(x);
    if (result == GPOOL_OK) {
        result = gpool__source_open_defines(x);
    }
    if (result == GPOOL_OK) {
        result = gpool__source_open_main(x);
    }
    if (result == GPOOL_OK) {
        result = source_run(x);
    }
    if (result == GPOOL_OK) {
        result = source_finish(x);
    }
    gpool__source_close_files(x);
    gpool__source_close_defines(x);
    gpool__free(memory, x->conditions, x->condition_capacity * sizeof *x->conditions);
    gpool__free(memory, x->scratch, x->scratch_size);
    gpool__free(memory, x, sizeof *x);
    if (result != GPOOL_OK) {
        gpool__free(memory, source->text, source->text_block);
        source->text = NULL;
        source->text_block = 0;
        source->size = 0;
        source->line_count = 0;
        source->run_count = 0;
        source->shift_count = 0;
    }
    return result;
}

void gpool__source_fini(gpool__source *source)
{
    gpool__memory *memory = source->memory;
    if (memory == NULL) {
        return;
    }
    for (uint32_t i = 0; i < source->file_count; ++i) {
        gpool__free_string(memory, source->files[i].name);
        gpool__free_string(memory, source->files[i].path);
    }
    gpool__free(memory, source->files, source->file_capacity * sizeof *source->files);
    gpool__free(memory, source->runs, source->run_capacity * sizeof *source->runs);
    gpool__free(memory, source->shifts, source->shift_capacity * sizeof *source->shifts);
    gpool__free(memory, source->text, source->text_block);
    *source = (gpool__source){ 0 };
}
