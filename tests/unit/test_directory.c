#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "base/directory.h"

#include "base/hash.h"
#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[256];
static const gpool__files *files;
static int directory;

static int open_folder(void **state)
{
    (void)state;
    const char *parent = getenv("TMPDIR");
    (void)snprintf(folder, sizeof folder, "%s/gpool-test-XXXXXX",
                   parent != NULL ? parent : P_tmpdir);
    files = gpool__system_files();
    if (mkdtemp(folder) == NULL) {
        return -1;
    }
    directory = files->open_directory(files->user, folder);
    return directory >= 0 ? 0 : -1;
}

static bool remove_name(void *context, const char *name)
{
    (void)context;
    return unlinkat(directory, name, 0) == 0 || unlinkat(directory, name, AT_REMOVEDIR) == 0;
}

static int close_folder(void **state)
{
    (void)state;
    (void)files->list(files->user, directory, remove_name, NULL);
    return files->close(files->user, directory) == 0 && rmdir(folder) == 0 ? 0 : -1;
}

static const char *path_of(const char *name)
{
    static char path[512];
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    return path;
}

static void make_file(const char *name, const char *text)
{
    int file = files->create(files->user, directory, name);
    assert_true(file >= 0);
    assert_int_equal(files->write(files->user, file, text, strlen(text), 0), strlen(text));
    assert_int_equal(files->close(files->user, file), 0);
}

static void file_is_made_once_and_read_at_any_offset(void **state)
{
    (void)state;
    make_file("a", "0123456789");
    assert_int_equal(files->create(files->user, directory, "a"), -EEXIST);
    int file = files->open_read(files->user, directory, "a");
    char text[16] = "";
    assert_int_equal(files->read(files->user, file, text, sizeof text, 0), 10);
    assert_memory_equal(text, "0123456789", 10);
    assert_int_equal(files->read(files->user, file, text, 3, 8), 2);
    assert_memory_equal(text, "89", 2);
    assert_int_equal(files->read(files->user, file, text, 3, 10), 0);
    assert_int_equal(files->write(files->user, file, "x", 1, 0), -EBADF);
    assert_int_equal(files->close(files->user, file), 0);
    file = files->open_write(files->user, directory, "a", false);
    assert_int_equal(files->write(files->user, file, "x", 1, 5), 1);
    assert_int_equal(files->read(files->user, file, text, sizeof text, 0), 10);
    assert_memory_equal(text, "01234x6789", 10);
    assert_int_equal(files->close(files->user, file), 0);
    assert_int_equal(files->open_write(files->user, directory, "b", false), -ENOENT);
    file = files->open_write(files->user, directory, "b", true);
    assert_true(file >= 0);
    assert_int_equal(files->close(files->user, file), 0);
    assert_int_equal(files->open_read(files->user, directory, "c"), -ENOENT);
}

static void rename_replaces_and_unlink_removes(void **state)
{
    (void)state;
    make_file("a", "new");
    make_file("b", "old one");
    assert_int_equal(files->rename(files->user, directory, "a", "b"), 0);
    assert_int_equal(files->rename(files->user, directory, "a", "b"), -ENOENT);
    gpool__file_state found;
    assert_int_equal(files->state_at(files->user, directory, "b", &found), 0);
    assert_int_equal(found.size, 3);
    assert_int_equal(files->unlink(files->user, directory, "b"), 0);
    assert_int_equal(files->unlink(files->user, directory, "b"), -ENOENT);
    assert_int_equal(files->state_at(files->user, directory, "b", &found), -ENOENT);
}

static void state_tells_kind_owner_and_rights(void **state)
{
    (void)state;
    gpool__file_state found;
    make_file("file", "12345");
    assert_int_equal(symlink("file", path_of("link")), 0);
    assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
    assert_int_equal(files->make_directory(files->user, path_of("inside")), 0);
    assert_int_equal(files->make_directory(files->user, path_of("inside")), -EEXIST);
    static const struct {
        const char *name;
        gpool__file_kind kind;
    } rows[] = {
        { "file", GPOOL__FILE_REGULAR },
        { "link", GPOOL__FILE_OTHER },
        { "fifo", GPOOL__FILE_OTHER },
        { "inside", GPOOL__FILE_DIRECTORY },
    };
    for (size_t i = 0; i < UNIT_COUNT(rows); ++i) {
        assert_int_equal(files->state_at(files->user, directory, rows[i].name, &found), 0);
        assert_same(found.kind, rows[i].kind);
        assert_int_equal(found.owner, geteuid());
    }
    assert_int_equal(files->open_read(files->user, directory, "link"), -ELOOP);
    assert_int_equal(files->open_write(files->user, directory, "link", true), -ELOOP);
    assert_int_equal(files->create(files->user, directory, "link"), -EEXIST);
    static const mode_t modes[] = { 0600, 0644, 0620, 0602, 0666 };
    int file = files->open_read(files->user, directory, "file");
    for (size_t i = 0; i < UNIT_COUNT(modes); ++i) {
        assert_int_equal(chmod(path_of("file"), modes[i]), 0);
        assert_int_equal(files->state(files->user, file, &found), 0);
        assert_same(found.others_write, (modes[i] & 022) != 0);
    }
    gpool__file_state same;
    assert_int_equal(files->state_at(files->user, directory, "file", &same), 0);
    assert_true(same.device == found.device && same.number == found.number && same.number != 0);
    assert_int_equal(found.size, 5);
    assert_int_equal(files->close(files->user, file), 0);
    gpool__file_user who;
    assert_int_equal(files->who(files->user, &who), 0);
    assert_int_equal(who.id, geteuid());
    assert_false(who.privileged);
}

static void touch_sets_the_time_that_state_tells(void **state)
{
    (void)state;
    make_file("a", "");
    int file = files->open_read(files->user, directory, "a");
    static const int64_t times[] = { 0, 1, INT64_C(1700000000123456789), -INT64_C(1500000001) };
    for (size_t i = 0; i < UNIT_COUNT(times); ++i) {
        gpool__file_state found;
        assert_int_equal(files->touch(files->user, file, times[i]), 0);
        assert_int_equal(files->state(files->user, file, &found), 0);
        assert_true(found.modified_ns == times[i]);
    }
    assert_int_equal(files->close(files->user, file), 0);
    int64_t now = files->now(files->user);
    assert_true(now > INT64_C(1700000000000000000) && files->now(files->user) >= now);
}

static void lock_is_held_by_one_open_file_until_it_is_closed(void **state)
{
    (void)state;
    make_file("a", "");
    int first = files->open_write(files->user, directory, "a", false);
    int second = files->open_write(files->user, directory, "a", false);
    assert_int_equal(files->lock(files->user, first), 0);
    assert_int_equal(files->lock(files->user, first), 0);
    assert_int_equal(files->lock(files->user, second), -EWOULDBLOCK);
    assert_int_equal(files->close(files->user, first), 0);
    assert_int_equal(files->lock(files->user, second), 0);
    assert_int_equal(files->close(files->user, second), 0);
}

static void lock_that_was_given_back_is_not_kept_by_a_forked_process(void **state)
{
    (void)state;
    make_file("a", "");
    int first = files->open_write(files->user, directory, "a", false);
    int second = files->open_write(files->user, directory, "a", false);
    assert_int_equal(files->lock(files->user, first), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)alarm(60); /* also when the test fails */
        for (;;) {
            (void)pause();
        }
    }
    assert_int_equal(files->unlock(files->user, first), 0);
    assert_int_equal(files->close(files->user, first), 0);
    assert_int_equal(files->lock(files->user, second), 0);
    assert_int_equal(files->close(files->user, second), 0);
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

typedef struct names {
    uint32_t count;
    uint32_t stop_after;
} names;

static bool count_name(void *context, const char *name)
{
    names *n = context;
    assert_true(name[0] == 'n' && strlen(name) == 3);
    n->count += 1;
    return n->count != n->stop_after;
}

static void list_names_all_but_the_dots(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < 30; ++i) {
        char name[] = { 'n', (char)('a' + i / 10), (char)('0' + i % 10), '\0' };
        make_file(name, "");
    }
    names all = { 0 };
    assert_int_equal(files->list(files->user, directory, count_name, &all), 0);
    assert_int_equal(all.count, 30);
    /* Each list begins anew. */
    names some = { 0, 7 };
    assert_int_equal(files->list(files->user, directory, count_name, &some), 0);
    assert_int_equal(some.count, 7);
    all = (names){ 0 };
    assert_int_equal(files->list(files->user, directory, count_name, &all), 0);
    assert_int_equal(all.count, 30);
    assert_true(files->list(files->user, -1, count_name, &all) < 0);
}

static void directories_are_opened_but_not_through_a_link(void **state)
{
    (void)state;
    make_file("file", "");
    assert_int_equal(symlink(folder, path_of("link")), 0);
    assert_int_equal(files->open_directory(files->user, path_of("file")), -ENOTDIR);
    assert_int_equal(files->open_directory(files->user, path_of("none")), -ENOENT);
    int linked = files->open_directory(files->user, path_of("link"));
    assert_true(linked == -ELOOP || linked == -ENOTDIR);
}

static void unique_bytes_do_not_come_twice(void **state)
{
    (void)state;
    static uint64_t seen[2000];
    for (size_t i = 0; i < UNIT_COUNT(seen); ++i) {
        uint64_t pair[2];
        gpool__unique_bytes(pair, sizeof pair);
        assert_true(pair[0] != pair[1]);
        seen[i] = pair[0];
        for (size_t k = 0; k < i; ++k) {
            assert_true(seen[k] != seen[i]);
        }
    }
    uint8_t few[5] = { 1, 2, 3, 4, 5 };
    gpool__unique_bytes(few, 3);
    assert_int_equal(few[3], 4);
    assert_int_equal(few[4], 5);
}

static void errors_have_words(void **state)
{
    (void)state;
    char words[16];
    assert_string_equal(gpool__errno_text(-ENOSPC, words, sizeof words), "no space left");
    assert_string_equal(gpool__errno_text(-99999, words, sizeof words), "errno 99999");
}

/* Known values of XXH3-128: files are read again by later versions. */
static void hash_of_128_bits_is_that_of_everyone(void **state)
{
    (void)state;
    static const uint8_t empty[16] = { 0x99, 0xaa, 0x06, 0xd3, 0x01, 0x47, 0x98, 0xd8,
                                       0x60, 0x01, 0xc3, 0x24, 0x46, 0x8d, 0x49, 0x7f };
    uint8_t hash[16];
    gpool__hash128("", 0, hash);
    assert_memory_equal(hash, empty, 16);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_folder, close_folder)
    const struct CMUnitTest tests[] = {
        TEST(file_is_made_once_and_read_at_any_offset),
        TEST(rename_replaces_and_unlink_removes),
        TEST(state_tells_kind_owner_and_rights),
        TEST(touch_sets_the_time_that_state_tells),
        TEST(lock_is_held_by_one_open_file_until_it_is_closed),
        TEST(lock_that_was_given_back_is_not_kept_by_a_forked_process),
        TEST(list_names_all_but_the_dots),
        TEST(directories_are_opened_but_not_through_a_link),
        cmocka_unit_test(unique_bytes_do_not_come_twice),
        cmocka_unit_test(errors_have_words),
        cmocka_unit_test(hash_of_128_bits_is_that_of_everyone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
