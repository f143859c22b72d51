#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "unit/source_work.h"

#include <errno.h>
#include <time.h>

static gpool__file_stamp look(const char *name)
{
    gpool__file_stamp stamp;
    gpool__file_look(work_path(name), &stamp);
    return stamp;
}

static void stamp_tells_what_there_is(void **state)
{
    (void)state;
    work_write("a", "12345");
    struct stat found;
    assert_int_equal(stat(work_path("a"), &found), 0);
    gpool__file_stamp stamp = look("a");
    assert_true(stamp.exists && stamp.regular && stamp.fresh);
    assert_int_equal(stamp.size, 5);
    assert_int_equal(stamp.inode, found.st_ino);
    assert_int_equal(stamp.device, found.st_dev);
    assert_int_equal(stamp.mtime_ns,
                     (int64_t)found.st_mtim.tv_sec * 1000000000 + found.st_mtim.tv_nsec);
    assert_int_equal(stamp.ctime_ns,
                     (int64_t)found.st_ctim.tv_sec * 1000000000 + found.st_ctim.tv_nsec);
    stamp = look("none");
    assert_false(stamp.exists || stamp.regular || stamp.fresh);
    stamp = look("a/none");
    assert_false(stamp.exists);
    assert_int_equal(mkfifo(work_path("fifo"), 0600), 0);
    stamp = look("fifo");
    assert_true(stamp.exists && !stamp.regular);
    gpool__file_look("/", &stamp);
    assert_true(stamp.exists && !stamp.regular);
}

static void any_change_gives_another_stamp(void **state)
{
    (void)state;
    work_write("c", "12345");
    const gpool__file_stamp old = look("c");
    gpool__file_stamp now = look("c");
    assert_true(gpool__file_same(&old, &now));
    now.fresh = !now.fresh;
    assert_true(gpool__file_same(&old, &now));
    const struct timespec times[2] = { { 5, 0 },
                                       { old.mtime_ns / 1000000000, old.mtime_ns % 1000000000 } };
    nanosleep(&(struct timespec){ .tv_nsec = 20000000 }, NULL); /* a tick of the system */
    work_write("c", "54321");
    assert_int_equal(utimensat(AT_FDCWD, work_path("c"), times, 0), 0);
    now = look("c");
    assert_int_equal(now.mtime_ns, old.mtime_ns);
    assert_false(gpool__file_same(&old, &now));
    gpool__file_stamp other = old;
    other.size += 1;
    assert_false(gpool__file_same(&old, &other));
    other = old;
    other.mtime_ns += 1;
    assert_false(gpool__file_same(&old, &other));
    other = old;
    other.inode += 1;
    assert_false(gpool__file_same(&old, &other));
    other = old;
    other.regular = false;
    assert_false(gpool__file_same(&old, &other));
}

static gpool_result read_file(const char *name, bool no_link, size_t limit,
                              gpool__file_stamp *stamp, const char *wanted)
{
    char *content = NULL;
    size_t size = 0;
    size_t block_size = 0;
    const gpool_result result = gpool__file_read_stamped(
        &work_memory, work_path(name), no_link, limit, stamp, &content, &size, &block_size);
    const int reason = errno;
    assert_same(content != NULL, result == GPOOL_OK);
    if (result == GPOOL_OK) {
        assert_int_equal(size, strlen(wanted));
        assert_memory_equal(content, wanted, size + 1);
        gpool__free(&work_memory, content, block_size);
    }
    errno = reason;
    return result;
}

static void read_gives_content_and_stamp(void **state)
{
    (void)state;
    gpool__file_stamp stamp;
    work_write("r", "content");
    work_write("empty", "");
    assert_same(read_file("r", true, 7, &stamp, "content"), GPOOL_OK);
    const gpool__file_stamp now = look("r");
    assert_true(gpool__file_same(&stamp, &now));
    assert_same(read_file("empty", true, 0, &stamp, ""), GPOOL_OK);
    assert_same(read_file("r", true, 6, &stamp, ""), GPOOL_ERROR_FILE);
    assert_int_equal(errno, 0);
    assert_int_equal(stamp.size, 7);
    assert_same(read_file("none", true, 7, &stamp, ""), GPOOL_ERROR_FILE);
    assert_int_equal(errno, ENOENT);
    assert_false(stamp.exists);
    assert_int_equal(symlink("r", work_path("link")), 0);
    assert_same(read_file("link", false, 7, &stamp, "content"), GPOOL_OK);
    assert_same(read_file("link", true, 7, &stamp, ""), GPOOL_ERROR_FILE);
    assert_true(stamp.exists);
    work_allocator.calls = 0;
    work_allocator.fail_at = 1;
    assert_same(read_file("r", true, 7, &stamp, ""), GPOOL_ERROR_OUT_OF_MEMORY);
}

static void what_is_no_regular_file_is_refused_at_once(void **state)
{
    (void)state;
    gpool__file_stamp stamp;
    assert_int_equal(mkfifo(work_path("pipe"), 0600), 0);
    (void)alarm(10); /* ends the program when the read hangs */
    assert_same(read_file("pipe", false, 100, &stamp, ""), GPOOL_ERROR_FILE);
    (void)alarm(0);
    assert_int_equal(errno, 0);
    assert_same(read_file("", false, 100, &stamp, ""), GPOOL_ERROR_FILE);
    assert_true(stamp.exists && !stamp.regular);
}

static void paths_are_made_real_and_absolute(void **state)
{
    (void)state;
    char path[GPOOL__PATH_SIZE];
    char real[GPOOL__PATH_SIZE];
    work_make_folder("p");
    work_write("p/a", "x");
    assert_int_equal(symlink("p", work_path("q")), 0);
    assert_true(gpool__file_real_path(work_path("q/../p/./a"), real));
    assert_true(gpool__file_real_path(work_path("p/a"), path));
    assert_string_equal(real, path);
    assert_false(gpool__file_real_path(work_path("p/none"), real));
    assert_int_equal(errno, ENOENT);
    assert_true(gpool__file_absolute_path("/a/../b", path));
    assert_string_equal(path, "/a/../b");
    char here[512];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(work_folder), 0);
    assert_true(gpool__file_absolute_path("q/a", path));
    assert_int_equal(chdir("/"), 0);
    assert_string_equal(path, work_path("q/a"));
    assert_true(gpool__file_absolute_path("a", path));
    assert_string_equal(path, "/a");
    assert_int_equal(chdir(here), 0);
    static char long_path[GPOOL__PATH_SIZE + 2];
    memset(long_path, '/', GPOOL__PATH_SIZE);
    assert_false(gpool__file_absolute_path(long_path, path));
    long_path[GPOOL__PATH_SIZE - 1] = '\0';
    assert_true(gpool__file_absolute_path(long_path, path));
    memset(long_path, 'a', GPOOL__PATH_SIZE - 1);
    assert_false(gpool__file_absolute_path(long_path, path));
}

int main(void)
{
#define STAMP_TEST(function) cmocka_unit_test_setup_teardown(function, work_open, work_close)
    const struct CMUnitTest tests[] = {
        STAMP_TEST(stamp_tells_what_there_is),
        STAMP_TEST(any_change_gives_another_stamp),
        STAMP_TEST(read_gives_content_and_stamp),
        STAMP_TEST(what_is_no_regular_file_is_refused_at_once),
        STAMP_TEST(paths_are_made_real_and_absolute),
    };
    return cmocka_run_group_tests(tests, work_open_folder, work_close_folder);
}
