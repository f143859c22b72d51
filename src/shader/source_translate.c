/*
 * The way back: from a place in the expanded text to file, line and column, and from a compiler's
 * message about that text to one about the files.
 *
 * naga draws `  ┌─ name:line:column` above an excerpt whose lines have their numbers in a gutter,
 * ` 12 │ code`; the name is "wgsl" or the module's label, which may be anything. Tint begins lines with
 * `:line:column error: what`, the first one behind "Error while parsing WGSL: ". An excerpt is the
 * program's text: what looks like a place in it is rewritten, too, which harms nobody.
 */
#include "shader/source_state.h"

#include "base/text.h"

#include <stdio.h>
#include <string.h>

#define TRANSLATE_INPUT  ((size_t)64 << 10)
#define TRANSLATE_OUTPUT ((size_t)256 << 10)
/* Each place costs a walk over the text; a message has a handful. */
#define TRANSLATE_PLACES 256u

#define TRANSLATE_HEAD " \xe2\x94\x8c\xe2\x94\x80 " /* ┌─ */
#define TRANSLATE_NEXT " \xe2\x94\x9c\xe2\x94\x80 " /* ├─, where another file begins */

/* --- places --- */

/* The run of a line of the text, from 0. */
static const gpool__source_run *translate_run(const gpool__source *source, uint32_t line)
{
    uint32_t low = 0;
    uint32_t high = source->run_count;
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (source->runs[middle].first <= line) {
            low = middle;
        } else {
            high = middle;
        }
    }
    return &source->runs[low];
}

/* The last name replaced at or before a byte of the text; NULL when there is none. */
static const gpool__source_shift *translate_shift(const gpool__source *source, size_t offset)
{
    uint32_t low = 0;
    uint32_t high = source->shift_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (source->shifts[middle].at <= offset) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low > 0 ? &source->shifts[low - 1] : NULL;
}

/* Column in the file of a byte of the text whose line begins at `start`. */
static uint32_t translate_column(const gpool__source *source, size_t start, size_t offset)
{
    const gpool__source_shift *shift = translate_shift(source, offset);
    if (shift == NULL || shift->at < start) {
        return gpool__source_points(source->text + start, offset - start) + 1;
    }
    size_t end = (size_t)shift->at + shift->size;
    if (offset < end) {
        return shift->column;
    }
    return shift->column + shift->length + gpool__source_points(source->text + end, offset - end);
}

gpool__source_place gpool__source_place_of_line(const gpool__source *source, uint32_t line)
{
    gpool__source_place place = { 0 };
    if (source->run_count > 0) {
        uint32_t number = line > 0 ? line - 1 : 0;
        number = number < source->line_count ? number : source->line_count - 1;
        const gpool__source_run *run = translate_run(source, number);
        place.file = run->file;
        place.line = run->line + (number - run->first);
    }
    return place;
}

gpool__source_place gpool__source_place_of(const gpool__source *source, size_t offset)
{
    gpool__source_place place = { 0 };
    if (source->text == NULL) {
        return place;
    }
    offset = offset < source->size ? offset : source->size;
    uint32_t line = 1;
    size_t start = 0;
    const char *next;
    while ((next = memchr(source->text + start, '\n', offset - start)) != NULL) {
        start = (size_t)(next - source->text) + 1;
        line += 1;
    }
    place = gpool__source_place_of_line(source, line);
    place.column = translate_column(source, start, offset);
    return place;
}

/* Place of a line and column, from 1, of the text; columns in bytes or code points. */
static gpool__source_place translate_place(const gpool__source *source, uint32_t line,
                                           uint32_t column, bool in_bytes)
{
    size_t start = 0;
    const char *next = source->text;
    for (uint32_t i = 1; i < line && next != NULL; ++i) {
        next = memchr(source->text + start, '\n', source->size - start);
        start = next != NULL ? (size_t)(next - source->text) + 1 : source->size;
    }
    next = memchr(source->text + start, '\n', source->size - start);
    size_t end = next != NULL ? (size_t)(next - source->text) : source->size;
    size_t at = start;
    uint32_t left = column > 0 ? column - 1 : 0;
    if (in_bytes) {
        at = left < end - start ? start + left : end;
    } else {
        for (; at < end && left > 0; --left) {
            size_t step = gpool__utf8_length(source->text + at, end - at);
            at += step > 0 ? step : 1;
        }
    }
    gpool__source_place place = gpool__source_place_of_line(source, line);
    place.column = translate_column(source, start, at);
    return place;
}

/* --- messages --- */

typedef struct translator {
    const gpool__source *source;
    gpool__source_error *error;
    gpool__memory *memory;
    const char *text; /* the message, cleaned */
    size_t size;
    uint32_t places;
    /* naga's drawing under way: */
    uint32_t width; /* of its gutter; 0 = none is under way */
    uint32_t file;  /* of its last line */
    bool first;     /* it is that of the first error */
    bool no_memory;
} translator;

/* A place in a line of the message. */
typedef struct translate_mark {
    size_t at;  /* first byte of name, line and column */
    size_t end; /* behind them */
    uint32_t line;
    uint32_t column;
} translate_mark;

static void translate_add(translator *t, const char *bytes, size_t size)
{
    gpool__source_error *error = t->error;
    size_t room = TRANSLATE_OUTPUT - error->message_size;
    size = size < room ? size : room;
    size_t needed = error->message_size + size + 1;
    if (needed > error->message_block && !t->no_memory) {
        size_t wanted = needed + needed / 2 + 256;
        char *moved = gpool__realloc(t->memory, error->message, error->message_block, wanted);
        t->no_memory = moved == NULL;
        error->message = moved != NULL ? moved : error->message;
        error->message_block = moved != NULL ? wanted : error->message_block;
    }
    if (!t->no_memory && size > 0) {
        memcpy(error->message + error->message_size, bytes, size);
        error->message_size += size;
    }
}

static void translate_blanks(translator *t, uint32_t count)
{
    for (uint32_t i = 0; i < count; ++i) {
        translate_add(t, " ", 1);
    }
}

/* Adds "name:line:column", without a column of 0. */
static void translate_add_place(translator *t, const gpool__source_place *place)
{
    char number[32];
    char name[GPOOL__SOURCE_NAME];
    (void)gpool__clean(name, sizeof name, t->source->files[place->file].name, sizeof name);
    translate_add(t, name, strlen(name));
    int size = place->column > 0 ? snprintf(number, sizeof number, ":%u:%u", (unsigned)place->line,
                                            (unsigned)place->column)
                                 : snprintf(number, sizeof number, ":%u", (unsigned)place->line);
    translate_add(t, number, (size_t)size);
}

/* Reads digits; saturates. */
static size_t translate_number(const char *text, size_t size, uint32_t *number)
{
    size_t at = 0;
    *number = 0;
    for (; at < size && text[at] >= '0' && text[at] <= '9'; ++at) {
        uint32_t digit = (uint32_t)(text[at] - '0');
        *number = *number > (UINT32_MAX - digit) / 10 ? UINT32_MAX : *number * 10 + digit;
    }
    return at;
}

static size_t translate_blank_count(const char *line, size_t size)
{
    size_t at = 0;
    while (at < size && line[at] == ' ') {
        at += 1;
    }
    return at;
}

static bool translate_begins(const char *line, size_t size, const char *word)
{
    size_t length = strlen(word);
    return size >= length && memcmp(line, word, length) == 0;
}

/* Where a word is in a line, `size` when it is not. */
static size_t translate_find(const char *line, size_t size, const char *word)
{
    for (size_t at = 0; at < size; ++at) {
        if (translate_begins(line + at, size - at, word)) {
            return at;
        }
    }
    return size;
}

/* `  ┌─ name:line:column` */
static bool translate_naga_mark(const char *line, size_t size, translate_mark *mark)
{
    static const char corner[] = "\xe2\x94\x8c\xe2\x94\x80 ";
    size_t at = translate_blank_count(line, size);
    if (!translate_begins(line + at, size - at, corner)) {
        return false;
    }
    mark->at = at + sizeof corner - 1;
    while (size > mark->at && line[size - 1] == ' ') {
        size -= 1;
    }
    /* The last two numbers: the name may have colons, too. */
    size_t colons[2] = { 0, 0 };
    size_t end = size;
    for (int i = 1; i >= 0; --i) {
        size_t digits = end;
        while (digits > mark->at && line[digits - 1] >= '0' && line[digits - 1] <= '9') {
            digits -= 1;
        }
        if (digits == end || digits == mark->at || line[digits - 1] != ':') {
            return false;
        }
        colons[i] = digits;
        end = digits - 1;
    }
    mark->end = size;
    (void)translate_number(line + colons[0], size - colons[0], &mark->line);
    (void)translate_number(line + colons[1], size - colons[1], &mark->column);
    return true;
}

/* `:line:column error: ` at the start or behind the colon of Dawn's own words. */
static bool translate_tint_mark(const char *line, size_t size, translate_mark *mark)
{
    static const char words[] = "Error while parsing WGSL: ";
    size_t at = translate_find(line, size, words);
    at = at < size ? at + sizeof words - 1 : 0;
    mark->at = at;
    if (at >= size || line[at] != ':') {
        return false;
    }
    size_t digits = translate_number(line + at + 1, size - at - 1, &mark->line);
    at += 1 + digits;
    if (digits == 0 || at >= size || line[at] != ':') {
        return false;
    }
    digits = translate_number(line + at + 1, size - at - 1, &mark->column);
    at += 1 + digits;
    mark->end = at;
    const char *rest = line + at;
    size_t left = size - at;
    return digits > 0 &&
           (translate_begins(rest, left, " error: ") ||
            translate_begins(rest, left, " warning: ") || translate_begins(rest, left, " note: "));
}

/* ` 12 │`, `    │`, `    ·` or `    =`: bytes before the sign; 0 when it is none of them. */
static size_t translate_gutter(const char *line, size_t size, uint32_t *number, bool *numbered)
{
    static const char *const signs[] = { "\xe2\x94\x82", "\xc2\xb7", "=" };
    size_t at = translate_blank_count(line, size);
    size_t digits = translate_number(line + at, size - at, number);
    *numbered = digits > 0;
    at += digits;
    size_t blanks = translate_blank_count(line + at, size - at);
    at += blanks;
    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; ++i) {
        if (at > 0 && (digits == 0 || blanks > 0) &&
            translate_begins(line + at, size - at, signs[i])) {
            return at;
        }
    }
    return 0;
}

static size_t translate_line_end(const translator *t, size_t at)
{
    const char *end = memchr(t->text + at, '\n', t->size - at);
    return end != NULL ? (size_t)(end - t->text) : t->size;
}

/* Digits of the largest number that the gutter below line `at` will have. */
static uint32_t translate_width(const translator *t, size_t at, uint32_t line)
{
    uint32_t largest = line;
    while (at < t->size) {
        size_t end = translate_line_end(t, at);
        uint32_t number = 0;
        bool numbered = false;
        if (translate_gutter(t->text + at, end - at, &number, &numbered) == 0) {
            break;
        }
        uint32_t place = numbered ? gpool__source_place_of_line(t->source, number).line : 0;
        largest = place > largest ? place : largest;
        at = end + 1;
    }
    char digits[16];
    return (uint32_t)snprintf(digits, sizeof digits, "%u", (unsigned)largest);
}

/* Keeps the place and words of the first error. */
static void translate_keep(translator *t, const gpool__source_place *place, const char *what,
                           size_t size)
{
    gpool__source_error *error = t->error;
    error->found = true;
    error->place = *place;
    error->file = t->source->files[place->file].name;
    int used =
        snprintf(error->line, sizeof error->line, "%.*s:%u:%u: ", (int)(sizeof error->line / 2),
                 error->file, (unsigned)place->line, (unsigned)place->column);
    (void)gpool__clean(error->line + used, sizeof error->line - (size_t)used, what, size);
    (void)gpool__clean(error->line, sizeof error->line, error->line, sizeof error->line);
}

/* naga's words stand in the line above its drawing, behind the name of the module. */
static void translate_naga_words(const translator *t, size_t at, const char **what, size_t *size)
{
    size_t end = at > 0 ? at - 1 : 0;
    size_t start = end;
    while (start > 0 && t->text[start - 1] != '\n') {
        start -= 1;
    }
    *what = t->text + start;
    *size = end - start;
    static const char *const words[] = { " parsing error: ", " validation error: " };
    for (size_t i = 0; i < sizeof words / sizeof words[0]; ++i) {
        size_t found = translate_find(*what, *size, words[i]);
        if (found < *size) {
            *what += found + strlen(words[i]);
            *size -= found + strlen(words[i]);
            return;
        }
    }
}

static void translate_naga_head(translator *t, size_t at, size_t end, const translate_mark *mark)
{
    gpool__source_place place = translate_place(t->source, mark->line, mark->column, false);
    t->first = !t->error->found;
    if (t->first) {
        const char *what = NULL;
        size_t size = 0;
        translate_naga_words(t, at, &what, &size);
        translate_keep(t, &place, what, size);
    }
    t->width = translate_width(t, end + 1, place.line);
    t->file = place.file;
    translate_blanks(t, t->width);
    translate_add(t, TRANSLATE_HEAD, sizeof TRANSLATE_HEAD - 1);
    translate_add_place(t, &place);
}

/* A line of naga's drawing; false when it is not one. */
static bool translate_naga_line(translator *t, const char *line, size_t size)
{
    uint32_t number = 0;
    bool numbered = false;
    size_t sign = t->width > 0 ? translate_gutter(line, size, &number, &numbered) : 0;
    if (sign == 0) {
        t->width = 0;
        return false;
    }
    if (numbered) {
        gpool__source_place place = gpool__source_place_of_line(t->source, number);
        if (place.file != t->file) {
            t->file = place.file;
            translate_blanks(t, t->width);
            translate_add(t, TRANSLATE_NEXT, sizeof TRANSLATE_NEXT - 1);
            translate_add_place(t, &place);
            translate_add(t, "\n", 1);
        }
        char text[16];
        int digits = snprintf(text, sizeof text, "%*u", (int)t->width, (unsigned)place.line);
        translate_add(t, text, (size_t)digits);
    } else {
        translate_blanks(t, t->width);
    }
    translate_add(t, " ", 1);
    translate_add(t, line + sign, size - sign);
    /* What is wrong with a function often stands only here. */
    size_t used = strlen(t->error->line);
    if (t->first && translate_begins(line + sign, size - sign, "= ") &&
        !translate_begins(line + sign, size - sign, "= note: ") &&
        used + 4 < sizeof t->error->line) {
        memcpy(t->error->line + used, ": ", 2);
        (void)gpool__clean(t->error->line + used + 2, sizeof t->error->line - used - 2,
                           line + sign + 2, size - sign - 2);
        t->first = false;
    }
    return true;
}

static void translate_tint_line(translator *t, const char *line, size_t size,
                                const translate_mark *mark)
{
    static const char error_word[] = " error: ";
    gpool__source_place place = translate_place(t->source, mark->line, mark->column, true);
    const char *rest = line + mark->end;
    size_t left = size - mark->end;
    bool error = translate_begins(rest, left, error_word);
    /* A warning may come before it. */
    if (!t->error->found || (error && !t->first)) {
        size_t skipped = translate_find(rest, left, ": ") + 2;
        translate_keep(t, &place, rest + skipped, left - skipped);
        t->first = t->first || error;
    }
    translate_add(t, line, mark->at);
    translate_add_place(t, &place);
    translate_add(t, rest, left);
}

static void translate_line(translator *t, size_t at, size_t end)
{
    const char *line = t->text + at;
    size_t size = end - at;
    translate_mark mark = { 0 };
    bool more = t->source->text != NULL && t->places < TRANSLATE_PLACES;
    if (more && translate_naga_mark(line, size, &mark)) {
        t->places += 1;
        translate_naga_head(t, at, end, &mark);
    } else if (more && translate_tint_mark(line, size, &mark)) {
        t->places += 1;
        t->width = 0;
        translate_tint_line(t, line, size, &mark);
    } else if (!translate_naga_line(t, line, size)) {
        translate_add(t, line, size);
    }
    translate_add(t, "\n", end < t->size);
}

/* Without a place the first line that says anything stands for the message. */
static void translate_first_line(translator *t)
{
    for (size_t at = 0; at < t->size;) {
        size_t end = translate_line_end(t, at);
        size_t blanks = translate_blank_count(t->text + at, end - at);
        if (at + blanks < end) {
            (void)gpool__clean(t->error->line, sizeof t->error->line, t->text + at + blanks,
                               end - at - blanks);
            return;
        }
        at = end + 1;
    }
}

gpool_result gpool__source_translate(gpool__memory *memory, const gpool__source *source,
                                     const char *message, size_t size, gpool__source_error *error)
{
    *error = (gpool__source_error){ .file = "" };
    size = size < TRANSLATE_INPUT ? size : TRANSLATE_INPUT;
    char *clean = gpool__alloc(memory, size + 1);
    if (clean == NULL) {
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    (void)gpool__clean_lines(clean, size + 1, message, size);
    translator t = {
        .source = source, .error = error, .memory = memory, .text = clean, .size = strlen(clean)
    };
    for (size_t at = 0; at < t.size;) {
        size_t end = translate_line_end(&t, at);
        translate_line(&t, at, end);
        at = end + 1;
    }
    if (!error->found) {
        translate_first_line(&t);
    }
    translate_add(&t, "", 0);
    gpool__free(memory, clean, size + 1);
    if (t.no_memory) {
        gpool__source_error_fini(memory, error);
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    /* The end may have been cut inside a sequence. */
    error->message[error->message_size] = '\0';
    (void)gpool__clean_lines(error->message, error->message_size + 1, error->message,
                             error->message_size);
    error->message_size = strlen(error->message);
    return GPOOL_OK;
}

void gpool__source_error_fini(gpool__memory *memory, gpool__source_error *error)
{
    gpool__free(memory, error->message, error->message_block);
    error->message = NULL;
    error->message_size = 0;
    error->message_block = 0;
}
