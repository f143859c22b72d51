#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "unit/source_work.h"

#include "base/hash.h"
#include "base/text.h"

#include <errno.h>

/* Expands a file of the folder, with these folders of it as roots. */
static gpool_result disk_file(const char *name, const char *first, const char *second)
{
    const char *const roots[] = { first != NULL ? work_path(first) : NULL,
                                  second != NULL ? work_path(second) : NULL };
    return work_expand(
        (gpool__source_desc){ .path = work_path(name),
                              .roots = roots,
                              .root_count = (uint32_t)((first != NULL) + (second != NULL)) });
}

static void disk_expect(gpool_result result, const char *wanted)
{
    if (result != GPOOL_OK) {
        fail_msg("%s", work_source.message);
    }
    assert_string_equal(work_source.text, wanted);
}

static void disk_refuse(gpool_result result, gpool_result wanted, uint32_t line)
{
    if (result != wanted) {
        fail_msg("%s: %s", gpool_result_name(result), work_source.message);
    }
    assert_int_equal(work_source.error_line, line);
    assert_memory_equal(work_source.message, work_folder, strlen(work_folder));
}

static void file_is_found_beside_then_in_the_roots_in_order(void **state)
{
    (void)state;
    work_make_folder("f");
    work_make_folder("f/sub");
    work_make_folder("r1");
    work_make_folder("r2");
    work_write("f/main", "#include \"sub/a\"\n#include \"b\"\n#include \"c\"");
    work_write("f/sub/a", "#include \"b\"\n#include \"../up\"\n#include \"d\"");
    work_write("f/sub/b", "beside");
    work_write("f/up", "up");
    work_write("r1/b", "r1 b");
    work_write("r2/b", "r2 b");
    work_write("r2/c", "r2 c");
    work_write("r2/d", "r2 d\n#include \"e\"");
    work_write("r2/e", "r2 e");
    work_write("r1/e", "r1 e");
    disk_expect(disk_file("f/main", "r1", "r2"), "beside\nup\nr2 d\nr2 e\nr1 b\nr2 c\n");
    work_put("sub/b", "virtual beside");
    work_put("c", "virtual c");
    disk_expect(disk_file("f/main", "r1", "r2"),
                "virtual beside\nup\nr2 d\nr2 e\nr1 b\nvirtual c\n");
    disk_refuse(disk_file("f/main", "r1", NULL), GPOOL_ERROR_FILE, 3);
    assert_string_equal(work_source.files[work_source.error_file].name, work_path("f/sub/a"));
    assert_true(work_seen(work_path("r1/d"))->missing);
    assert_false(work_seen(work_path("f/up"))->missing);
}

static void root_that_holds_the_main_file_is_its_root(void **state)
{
    (void)state;
    work_make_folder("lib");
    work_make_folder("lib/fx");
    work_write("lib/fx/main", "#include \"../shared\"");
    work_write("lib/shared", "shared");
    disk_refuse(disk_file("lib/fx/main", NULL, NULL), GPOOL_ERROR_FILE, 1);
    disk_expect(disk_file("lib/fx/main", "lib", NULL), "shared\n");
    disk_expect(disk_file("lib/fx/main", "none", "lib/fx/.."), "shared\n");
}

static void files_used_carry_what_a_watcher_needs(void **state)
{
    (void)state;
    work_write("m", "#include \"n\"\nm");
    work_write("n", "n\n");
    disk_expect(disk_file("m", NULL, NULL), "n\nm");
    assert_int_equal(work_source.file_count, 3); /* with the virtual one that is not there */
    const gpool__source_file *file = work_seen(work_path("n"));
    struct stat found;
    assert_int_equal(stat(work_path("n"), &found), 0);
    assert_same(file->kind, GPOOL__SOURCE_DISK);
    assert_string_equal(file->path, work_path("n"));
    assert_int_equal(file->hash, gpool__hash("n\n", 2));
    assert_int_equal(file->stamp.size, 2);
    assert_int_equal(file->stamp.inode, found.st_ino);
    assert_int_equal(file->stamp.mtime_ns,
                     (int64_t)found.st_mtim.tv_sec * 1000000000 + found.st_mtim.tv_nsec);
    assert_true(file->stamp.exists && file->stamp.regular && file->stamp.fresh);
    assert_same(work_seen("n")->kind, GPOOL__SOURCE_VIRTUAL);
    assert_true(work_seen("n")->missing);
    assert_null(work_seen("n")->path);
}

static void paths_are_told_from_the_root_of_the_file_system(void **state)
{
    (void)state;
    work_write("q", "#include \"n2\"");
    work_write("n2", "x");
    char here[512];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(work_folder), 0);
    const gpool_result result = work_expand((gpool__source_desc){ .path = "q" });
    assert_int_equal(chdir(here), 0);
    disk_expect(result, "x\n");
    assert_string_equal(work_seen("n2")->name, "n2");
    const gpool__source_file *file = &work_source.files[work_source.file_count - 1];
    assert_string_equal(file->name, "n2");
    assert_string_equal(file->path, work_path("n2"));
}

static void links_inside_the_root_are_one_file(void **state)
{
    (void)state;
    work_make_folder("in");
    work_write("in/a", "a");
    work_write("in/main", "#include \"link\"\n#include \"a\"\nend");
    assert_int_equal(symlink("a", work_path("in/link")), 0);
    disk_expect(disk_file("in/main", NULL, NULL), "a\n\nend");
    assert_false(work_seen(work_path("in/a"))->missing);
    assert_int_equal(work_seen(work_path("in/a"))->hash, gpool__hash("a", 1));
    work_write("in/a", "#include \"link\"");
    disk_refuse(disk_file("in/main", NULL, NULL), GPOOL_ERROR_INVALID_ARGUMENT, 1);
    work_write("in/a", "#include \"main\"");
    disk_refuse(disk_file("in/main", NULL, NULL), GPOOL_ERROR_INVALID_ARGUMENT, 1);
}

static void nothing_outside_the_root_is_read(void **state)
{
    (void)state;
    work_make_folder("jail");
    work_make_folder("jail2");
    work_write("secret", "SECRET");
    work_write("jail2/secret", "SECRET");
    assert_int_equal(symlink("../secret", work_path("jail/out")), 0);
    assert_int_equal(symlink("..", work_path("jail/folder")), 0);
    assert_int_equal(symlink(work_path("secret"), work_path("jail/absolute")), 0);
    assert_int_equal(symlink("loop", work_path("jail/loop")), 0);
    assert_int_equal(symlink("../jail2/secret", work_path("jail/sister")), 0);
    assert_int_equal(mkfifo(work_path("jail/fifo"), 0600), 0);
    assert_int_equal(symlink("/dev/zero", work_path("jail/zero")), 0);
    work_make_folder("jail/dir");
    static const char *const names[] = { "out",
                                         "folder/secret",
                                         "absolute",
                                         "loop",
                                         "sister",
                                         "fifo",
                                         "zero",
                                         "dir",
                                         "../secret",
                                         "dir/../../secret",
                                         "/etc/passwd",
                                         "dir/",
                                         "C:secret",
                                         "..\\secret",
                                         "a\x01",
                                         "folder/jail/../secret",
                                         "." };
    (void)alarm(20); /* ends the program when a FIFO hangs it */
    for (size_t i = 0; i < UNIT_COUNT(names); ++i) {
        char text[128];
        (void)snprintf(text, sizeof text, "\n#include \"%s\"", names[i]);
        work_write("jail/main", text);
        disk_refuse(disk_file("jail/main", NULL, NULL), GPOOL_ERROR_FILE, 2);
        assert_null(strstr(work_source.message, "SECRET"));
    }
    (void)alarm(0);
    /* What is there and refused is not looked for elsewhere. */
    work_make_folder("free");
    work_write("free/loop", "free");
    work_write("free/out", "free");
    work_write("jail/main", "#include \"loop\"");
    disk_refuse(disk_file("jail/main", "free", NULL), GPOOL_ERROR_FILE, 1);
    work_write("jail/main", "#include \"out\"");
    disk_refuse(disk_file("jail/main", "free", NULL), GPOOL_ERROR_FILE, 1);
    /* The same by a root. */
    work_write("jail/main", "#include \"secret\"");
    disk_refuse(disk_file("jail/main", "jail/dir", NULL), GPOOL_ERROR_FILE, 1);
    work_write("jail/main", "#include \"out\"");
    disk_expect(disk_file("jail/main", ".", NULL), "SECRET\n");
}

static void main_file_must_be_there_regular_and_not_empty(void **state)
{
    (void)state;
    work_write("empty", "");
    work_make_folder("a-folder");
    assert_int_equal(mkfifo(work_path("pipe"), 0600), 0);
    assert_int_equal(symlink("nowhere", work_path("broken")), 0);
    static const char *const names[] = { "empty", "a-folder", "pipe", "broken", "none", "empty/x" };
    for (size_t i = 0; i < UNIT_COUNT(names); ++i) {
        disk_refuse(disk_file(names[i], NULL, NULL), GPOOL_ERROR_FILE, 0);
        assert_int_equal(work_source.file_count, 1);
        assert_string_equal(work_source.files[0].path, work_path(names[i]));
    }
    assert_same(work_expand((gpool__source_desc){ .path = NULL }), GPOOL_ERROR_FILE);
    static char long_path[2 * GPOOL__PATH_SIZE];
    memset(long_path, 'p', sizeof long_path - 1);
    assert_same(work_expand((gpool__source_desc){ .path = long_path }), GPOOL_ERROR_FILE);
}

static void file_without_permission_is_told_with_its_reason(void **state)
{
    (void)state;
    work_write("locked-main", "#include \"locked\"");
    work_write("locked", "x");
    assert_int_equal(chmod(work_path("locked"), 0), 0);
    if (access(work_path("locked"), R_OK) != 0) { /* root may read all */
        disk_refuse(disk_file("locked-main", NULL, NULL), GPOOL_ERROR_FILE, 1);
        assert_non_null(strstr(work_source.message, strerror(EACCES)));
    }
}

static void sum_of_all_files_is_limited(void **state)
{
    (void)state;
    work_write("big-main", "#include \"big1\"\n#include \"big2\"\n");
    work_write("big1", "0123456789");
    work_write("big2", "0123456789");
    const gpool__source_desc desc = { .path = work_path("big-main"), .limits.size = 50 };
    assert_same(work_expand(desc), GPOOL_ERROR_LIMIT);
    assert_int_equal(work_source.error_line, 2);
    assert_same(
        work_expand((gpool__source_desc){ .path = work_path("big-main"), .limits.size = 52 }),
        GPOOL_OK);
    work_write("big2", "#ifdef NO\nthis is switched off and read all the same\n#endif");
    assert_same(
        work_expand((gpool__source_desc){ .path = work_path("big-main"), .limits.size = 80 }),
        GPOOL_ERROR_LIMIT);
    int file = open(work_path("big2"), O_WRONLY);
    assert_int_equal(ftruncate(file, (off_t)GPOOL__SOURCE_SIZE + 1), 0);
    (void)close(file);
    disk_refuse(disk_file("big-main", NULL, NULL), GPOOL_ERROR_LIMIT, 2);
}

static void files_cut_anywhere_expand_or_tell_where(void **state)
{
    (void)state;
    static const char text[] =
        "#define N 4 /* four */\r\n#ifdef N\n#include \"cut-b\"\n/* \xc3\xa9 /* */ */\n"
        "#else\n#undef N\n#endif // \xf0\x9f\x98\x80\nN // \xf0\x9f\x98\x80";
    work_write("cut-b", "#ifndef M\n#define M N\n#endif\nM");
    uint32_t good = 0;
    for (size_t size = 0; size < sizeof text; ++size) {
        work_write_bytes("cut-a", text, size);
        const gpool_result result = disk_file("cut-a", NULL, NULL);
        good += result == GPOOL_OK;
        if (result == GPOOL_OK) {
            assert_true(gpool__is_utf8(work_source.text, work_source.size));
        } else {
            assert_in_range(work_source.error_line, size > 0, 8);
        }
    }
    assert_in_range(good, 10, 60);
}

static void lack_of_memory_for_files_leaves_nothing(void **state)
{
    (void)state;
    work_make_folder("oom");
    work_write("oom/main", "#include \"a\"\n#include \"b\"\n");
    work_write("oom/a", "a");
    work_write("oom/b", "b");
    const char *const roots[] = { work_path("oom") };
    const gpool__source_desc desc = { .path = work_path("oom/main"),
                                      .roots = roots,
                                      .root_count = 1 };
    uint64_t points = 0;
    for (uint64_t k = 1;; ++k) {
        work_allocator.calls = 0;
        work_allocator.fail_at = k;
        const gpool_result result = work_expand(desc);
        work_allocator.fail_at = 0;
        if (result == GPOOL_OK && work_allocator.calls < k) {
            break;
        }
        if (result != GPOOL_OK) {
            assert_same(result, GPOOL_ERROR_OUT_OF_MEMORY);
            points += 1;
        }
        gpool__source_fini(&work_source);
        assert_int_equal(work_allocator.blocks, 0);
    }
    assert_in_range(points, 15, 1000);
}

int main(void)
{
#define DISK_TEST(function) cmocka_unit_test_setup_teardown(function, work_open, work_close)
    const struct CMUnitTest tests[] = {
        DISK_TEST(file_is_found_beside_then_in_the_roots_in_order),
        DISK_TEST(root_that_holds_the_main_file_is_its_root),
        DISK_TEST(files_used_carry_what_a_watcher_needs),
        DISK_TEST(paths_are_told_from_the_root_of_the_file_system),
        DISK_TEST(links_inside_the_root_are_one_file),
        DISK_TEST(nothing_outside_the_root_is_read),
        DISK_TEST(main_file_must_be_there_regular_and_not_empty),
        DISK_TEST(file_without_permission_is_told_with_its_reason),
        DISK_TEST(sum_of_all_files_is_limited),
        DISK_TEST(files_cut_anywhere_expand_or_tell_where),
        DISK_TEST(lack_of_memory_for_files_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, work_open_folder, work_close_folder);
}
