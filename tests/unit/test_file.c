#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "base/file.h"

#include "unit/unit.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[256];
static unit_allocator allocator;
static gpool_allocator hooks;
static gpool__memory memory;

static int open_folder(void **state)
{
    (void)state;
    const char *parent = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/gpool-test-XXXXXX",
                   parent != NULL ? parent : P_tmpdir);
    return mkdtemp(folder) != NULL ? 0 : -1;
}

static int close_folder(void **state)
{
    (void)state;
    return rmdir(folder);
}

static int open_memory(void **state)
{
    (void)state;
    allocator = (unit_allocator){ 0 };
    hooks = unit_hooks(&allocator);
    gpool__memory_init(&memory, &hooks);
    return 0;
}

/* Path of a name in the folder; valid until the next call. */
static const char *path_of(const char *name)
{
    static char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static const char *write_file(const char *name, const void *content, size_t size)
{
    const char *path = path_of(name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(content, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
    return path;
}

/* Expects a refusal that gives nothing out and keeps no memory; returns errno. */
static int expect_refusal(const char *path, size_t limit, gpool_result wanted)
{
    char *content = NULL;
    size_t size = 77;
    size_t block_size = 77;
    errno = E2BIG;
    const gpool_result result =
        gpool__file_read(&memory, path, limit, &content, &size, &block_size);
    const int reason = errno;
    assert_same(result, wanted);
    assert_null(content);
    assert_int_equal(size, 77);
    assert_int_equal(block_size, 77);
    assert_int_equal(memory.bytes, 0);
    assert_int_equal(allocator.blocks, 0);
    return reason;
}

static void expect_content(const char *path, size_t limit, const void *wanted, size_t wanted_size)
{
    char *content = NULL;
    size_t size = 0;
    size_t block_size = 0;
    assert_same(gpool__file_read(&memory, path, limit, &content, &size, &block_size), GPOOL_OK);
    assert_int_equal(size, wanted_size);
    assert_memory_equal(content, wanted, wanted_size);
    assert_int_equal(content[size], 0);
    assert_in_range(block_size, size + 1, SIZE_MAX);
    assert_int_equal(memory.bytes, block_size);
    gpool__free(&memory, content, block_size);
    assert_int_equal(memory.bytes, 0);
    assert_int_equal(allocator.wrong_sizes, 0);
    assert_int_equal(allocator.blocks, 0);
}

static void content_is_read_byte_for_byte_with_a_zero_after_it(void **state)
{
    (void)state;
    static const char content[] = "line\r\nzero\0 and \x1a\xff";
    expect_content(write_file("a", content, sizeof content - 1), 1000, content, sizeof content - 1);
    assert_int_equal(unlink(path_of("a")), 0);
}

static void big_file_is_read_whole(void **state)
{
    (void)state;
    enum {
        SIZE = 300007
    };
    char *content = malloc(SIZE);
    assert_non_null(content);
    for (size_t i = 0; i < SIZE; ++i) {
        content[i] = (char)(i * i >> 3);
    }
    expect_content(write_file("a", content, SIZE), SIZE, content, SIZE);
    free(content);
    assert_int_equal(unlink(path_of("a")), 0);
}

static void empty_file_is_an_empty_string(void **state)
{
    (void)state;
    expect_content(write_file("a", "", 0), 0, "", 0);
    assert_int_equal(unlink(path_of("a")), 0);
}

static void file_over_the_limit_is_refused_without_reading(void **state)
{
    (void)state;
    const char *path = write_file("a", "12345", 5);
    assert_int_equal(expect_refusal(path, 4, GPOOL_ERROR_FILE), 0);
    assert_int_equal(expect_refusal(path, 0, GPOOL_ERROR_FILE), 0);
    assert_int_equal(allocator.calls, 0);
    expect_content(path, 5, "12345", 5);
    assert_int_equal(unlink(path), 0);
}

static void missing_file_is_refused_with_its_reason(void **state)
{
    (void)state;
    assert_int_equal(expect_refusal(path_of("none"), 100, GPOOL_ERROR_FILE), ENOENT);
    assert_int_equal(expect_refusal("", 100, GPOOL_ERROR_FILE), ENOENT);
}

static void path_through_a_file_is_refused_with_its_reason(void **state)
{
    (void)state;
    (void)write_file("a", "x", 1);
    assert_int_equal(expect_refusal(path_of("a/b"), 100, GPOOL_ERROR_FILE), ENOTDIR);
    assert_int_equal(unlink(path_of("a")), 0);
}

static void folder_is_refused(void **state)
{
    (void)state;
    assert_int_equal(expect_refusal(folder, SIZE_MAX, GPOOL_ERROR_FILE), 0);
}

static void fifo_without_a_writer_is_refused_at_once(void **state)
{
    (void)state;
    const char *path = path_of("fifo");
    assert_int_equal(mkfifo(path, 0600), 0);
    (void)alarm(10); /* ends the program when the read hangs */
    assert_int_equal(expect_refusal(path, 100, GPOOL_ERROR_FILE), 0);
    (void)alarm(0);
    assert_int_equal(unlink(path), 0);
}

static void link_is_followed(void **state)
{
    (void)state;
    (void)write_file("a", "linked", 6);
    const char *path = path_of("link");
    assert_int_equal(symlink("a", path), 0);
    expect_content(path, 100, "linked", 6);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(expect_refusal(path, 100, GPOOL_ERROR_FILE), ENOENT);
    assert_int_equal(unlink(path_of("a")), 0);
}

static void file_without_read_permission_is_refused_with_its_reason(void **state)
{
    (void)state;
    const char *path = write_file("a", "secret", 6);
    assert_int_equal(chmod(path, 0), 0);
    if (access(path, R_OK) != 0) { /* root may read all */
        assert_int_equal(expect_refusal(path, 100, GPOOL_ERROR_FILE), EACCES);
    }
    assert_int_equal(unlink(path), 0);
}

static void lack_of_memory_is_told_apart(void **state)
{
    (void)state;
    const char *path = write_file("a", "content", 7);
    allocator.fail_at = 1;
    (void)expect_refusal(path, 100, GPOOL_ERROR_OUT_OF_MEMORY);
    expect_content(path, 100, "content", 7);
    assert_int_equal(unlink(path), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(content_is_read_byte_for_byte_with_a_zero_after_it, open_memory),
        cmocka_unit_test_setup(big_file_is_read_whole, open_memory),
        cmocka_unit_test_setup(empty_file_is_an_empty_string, open_memory),
        cmocka_unit_test_setup(file_over_the_limit_is_refused_without_reading, open_memory),
        cmocka_unit_test_setup(missing_file_is_refused_with_its_reason, open_memory),
        cmocka_unit_test_setup(path_through_a_file_is_refused_with_its_reason, open_memory),
        cmocka_unit_test_setup(folder_is_refused, open_memory),
        cmocka_unit_test_setup(fifo_without_a_writer_is_refused_at_once, open_memory),
        cmocka_unit_test_setup(link_is_followed, open_memory),
        cmocka_unit_test_setup(file_without_read_permission_is_refused_with_its_reason,
                               open_memory),
        cmocka_unit_test_setup(lack_of_memory_is_told_apart, open_memory),
    };
    return cmocka_run_group_tests(tests, open_folder, close_folder);
}
