/*
 * Fuzz target: bytes become definitions, a main source, virtual files and the message of a compiler,
 * parted by the byte 31. What is expanded must be in its bounds, the same each time, and every line and
 * byte of it must lead back to a place that there is. Then the message is translated.
 */
#include "shader/source.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PART    31
#define DEFINES 32u

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(bool good, const char *what)
{
    if (!good) {
        (void)fprintf(stderr, "fuzz_source: %s\n", what);
        abort();
    }
}

/* The next part of the input. */
static const char *take(const uint8_t **bytes, size_t *left, size_t *size)
{
    const char *part = (const char *)*bytes;
    const uint8_t *end = *left > 0 ? memchr(*bytes, PART, *left) : NULL;
    *size = end != NULL ? (size_t)(end - *bytes) : *left;
    const size_t step = end != NULL ? *size + 1 : *size;
    *bytes += step;
    *left -= step;
    return part;
}

/* Lines "NAME value" of a text, which is cut up for that. */
static uint32_t split_defines(char *text, gpool__source_define *defines)
{
    uint32_t count = 0;
    while (*text != '\0' && count < DEFINES) {
        char *end = text + strcspn(text, "\n");
        const bool more = *end != '\0';
        *end = '\0';
        char *value = strchr(text, ' ');
        if (value != NULL) {
            *value++ = '\0';
        }
        defines[count++] = (gpool__source_define){ text, value };
        text = more ? end + 1 : end;
    }
    return count;
}

static void check_map(const gpool__source *source)
{
    check(source->text[source->size] == '\0' && memchr(source->text, 0, source->size) == NULL,
          "zero bytes");
    check(gpool__is_utf8(source->text, source->size), "text is no UTF-8");
    check(source->run_count > 0 && source->runs[0].first == 0, "first line has no run");
    for (uint32_t i = 0; i < source->run_count; ++i) {
        const gpool__source_run *run = &source->runs[i];
        check(run->file < source->file_count && run->line > 0, "run leads nowhere");
        check(!source->files[run->file].missing, "run leads to a missing file");
        check(i == 0 || run[-1].first < run->first, "runs out of order");
        check(run->first < source->line_count, "run behind the end");
    }
    size_t end = 0;
    for (uint32_t i = 0; i < source->shift_count; ++i) {
        const gpool__source_shift *shift = &source->shifts[i];
        check(shift->at >= end && shift->column > 0 && shift->length > 0, "shifts out of order");
        end = (size_t)shift->at + shift->size;
    }
    check(end <= source->size, "shift behind the end");
    uint32_t lines = 1;
    for (size_t i = 0; i < source->size; ++i) {
        lines += source->text[i] == '\n';
    }
    check(lines == source->line_count, "lines miscounted");
    for (size_t i = 0; i <= source->size; i += 1 + i / 64) {
        const gpool__source_place place = gpool__source_place_of(source, i);
        check(place.file < source->file_count && place.line > 0 && place.column > 0,
              "byte leads nowhere");
    }
}

static void check_error(const gpool__source *source, size_t input)
{
    check(source->text == NULL && source->message[0] != '\0', "error without message");
    check(source->error_file == GPOOL__SOURCE_NONE || source->error_file < source->file_count,
          "error of no file");
    check(source->error_line <= input + 1 && source->error_column <= input + 1,
          "error at no place");
}

static void check_message(gpool__memory *memory, const gpool__source *source, const char *message,
                          size_t size)
{
    gpool__source_error error;
    check(gpool__source_translate(memory, source, message, size, &error) == GPOOL_OK, "no memory");
    check(error.message_size == strlen(error.message) &&
              gpool__is_utf8(error.message, error.message_size) &&
              gpool__is_utf8(error.line, strlen(error.line)),
          "message is no text");
    check(!error.found || (source->text != NULL && error.place.file < source->file_count &&
                           error.place.line > 0 && error.place.column > 0),
          "message leads nowhere");
    gpool__source_error_fini(memory, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const char *const names[] = { "a", "b", "lib/a", "lib/c" };
    const size_t input = size;
    gpool__memory memory;
    gpool__memory_init(&memory, NULL);
    gpool__source_files files;
    gpool__source_files_init(&files, &memory);
    gpool__source_define defines[DEFINES];
    size_t part_size = 0;
    const char *part = take(&bytes, &size, &part_size);
    char *text = calloc(1, part_size + 1);
    check(text != NULL, "no memory");
    memcpy(text, part, part_size);
    gpool__source_desc desc = {
        .label = "main",
        .defines = defines,
        .define_count = split_defines(text, defines),
        .files = &files,
        .limits = { .size = 1 << 14, .depth = 8, .files = 6, .defines = 24 },
    };
    desc.text = take(&bytes, &size, &desc.size);
    for (size_t i = 0; i < sizeof names / sizeof names[0] && size > 0; ++i) {
        part = take(&bytes, &size, &part_size);
        check(gpool__source_files_put(&files, names[i], part, part_size) == GPOOL_OK, "put failed");
    }
    gpool__source first;
    gpool__source second;
    const gpool_result result = gpool__source_expand(&memory, &desc, &first);
    check(gpool__source_expand(&memory, &desc, &second) == result &&
              strcmp(first.message, second.message) == 0 && first.size == second.size &&
              first.run_count == second.run_count && first.file_count == second.file_count,
          "another result the second time");
    if (result == GPOOL_OK) {
        check(first.size <= desc.limits.size, "text over its limit");
        check(memcmp(first.text, second.text, first.size) == 0, "another text the second time");
        check_map(&first);
    } else {
        check_error(&first, input);
    }
    check_message(&memory, &first, (const char *)bytes, size);
    gpool__source_fini(&first);
    gpool__source_fini(&second);
    gpool__source_files_fini(&files);
    check(memory.bytes == 0, "memory left");
    free(text);
    return 0;
}
