/*
 * What the tests of source expansion share: an expansion through hooks that check sizes, virtual files,
 * and a folder for files on disk.
 */
#ifndef GPOOL_TESTS_SOURCE_WORK_H
#define GPOOL_TESTS_SOURCE_WORK_H

#include "shader/source.h"

#include "unit/unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static unit_allocator work_allocator;
static gpool_allocator work_hooks;
static gpool__memory work_memory;
static gpool__source_files work_files;
static gpool__source work_source;
static char work_folder[256];

/* Setup and teardown of a test. */
static inline int work_open(void **state)
{
    (void)state;
    work_allocator = (unit_allocator){ 0 };
    work_hooks = unit_hooks(&work_allocator);
    gpool__memory_init(&work_memory, &work_hooks);
    gpool__source_files_init(&work_files, &work_memory);
    return 0;
}

static inline int work_close(void **state)
{
    (void)state;
    gpool__source_fini(&work_source);
    gpool__source_files_fini(&work_files);
    return work_allocator.blocks == 0 && work_memory.bytes == 0 && work_allocator.wrong_sizes == 0
               ? 0
               : -1;
}

static inline void work_put(const char *name, const char *text)
{
    assert_same(gpool__source_files_put(&work_files, name, text, strlen(text)), GPOOL_OK);
}

/* Expands in place of what was expanded before. */
static inline gpool_result work_expand(gpool__source_desc desc)
{
    gpool__source_fini(&work_source);
    desc.files = &work_files;
    const gpool_result result = gpool__source_expand(&work_memory, &desc, &work_source);
    assert_same(work_source.result, result);
    assert_same(work_source.text != NULL, result == GPOOL_OK);
    assert_same(work_source.message[0] == '\0', result == GPOOL_OK);
    return result;
}

static inline gpool_result work_text(const char *text)
{
    return work_expand((gpool__source_desc){ .text = text, .size = strlen(text), .label = "main" });
}

static inline void work_expect(const char *text, const char *wanted)
{
    if (work_text(text) != GPOOL_OK) {
        fail_msg("%s", work_source.message);
    }
    assert_string_equal(work_source.text, wanted);
    assert_int_equal(work_source.size, strlen(wanted));
}

/* Expects an error at that place. */
static inline void work_refuse(const char *text, gpool_result result, const char *file,
                               uint32_t line, uint32_t column)
{
    assert_same(work_text(text), result);
    assert_in_range(work_source.error_file, 0, work_source.file_count - 1);
    assert_string_equal(work_source.files[work_source.error_file].name, file);
    assert_int_equal(work_source.error_line, line);
    assert_int_equal(work_source.error_column, column);
    assert_memory_equal(work_source.message, file, strlen(file));
}

/* --- a folder --- */

static inline int work_open_folder(void **state)
{
    (void)state;
    const char *parent = getenv("TMPDIR");
    (void)snprintf(work_folder, sizeof work_folder, "%s/gpool-test-XXXXXX",
                   parent != NULL ? parent : P_tmpdir);
    return mkdtemp(work_folder) != NULL ? 0 : -1;
}

static inline int work_close_folder(void **state)
{
    (void)state;
    char command[512];
    (void)snprintf(command, sizeof command, "rm -rf '%s'", work_folder);
    return system(command);
}

/* Path of a name in the folder; one of four buffers in turn. */
static inline const char *work_path(const char *name)
{
    static char paths[4][512];
    static unsigned turn;
    char *path = paths[turn++ % 4];
    (void)snprintf(path, sizeof paths[0], "%s/%s", work_folder, name);
    return path;
}

static inline void work_make_folder(const char *name)
{
    assert_int_equal(mkdir(work_path(name), 0700), 0);
}

static inline void work_write_bytes(const char *name, const char *bytes, size_t size)
{
    FILE *file = fopen(work_path(name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

static inline void work_write(const char *name, const char *text)
{
    work_write_bytes(name, text, strlen(text));
}

/* The file of the last expansion with this name, NULL when it was not looked for. */
static inline const gpool__source_file *work_seen(const char *name)
{
    for (uint32_t i = 0; i < work_source.file_count; ++i) {
        if (strcmp(work_source.files[i].name, name) == 0) {
            return &work_source.files[i];
        }
    }
    return NULL;
}

#endif
