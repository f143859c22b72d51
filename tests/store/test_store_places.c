/* Rows 37 and 40: directories that are missing, foreign or shared; links, FIFOs and directories in the
 * place of files. */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "store_world.h"

#include "faulty_files.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Opens; expects a mode, a reason and one log record for a reason. Loads and saves do no harm. */
static gpool_store *expect_state(store_world *w, const gpool_store_desc *desc,
                                 const gpool__files *files, gpool_store_mode mode,
                                 gpool_store_reason reason)
{
    uint64_t records = atomic_load(&w->records);
    gpool_store *store = world_store_of(desc, &(gpool__store_hooks){ .files = files });
    assert_same(world_stats(store).mode, mode);
    assert_same(world_stats(store).reason, reason);
    assert_int_equal(atomic_load(&w->records) - records, reason != GPOOL_STORE_REASON_NONE);
    if (mode != GPOOL_STORE_MODE_READ_WRITE) {
        assert_same(world_save(store, 77, 1, 100), GPOOL_OK);
        assert_same(world_load(store, 77), WORLD_MISS);
        assert_same(gpool_store_clear(store), GPOOL_OK);
        char key[WORLD_KEY_SIZE];
        assert_same(gpool_store_remove(store, key, world_key(1, key)), GPOOL_NOT_FOUND);
        assert_int_equal(world_stats(store).saves, 0);
        assert_int_equal(world_stats(store).misses, 1);
    }
    return store;
}

static void expect_off(store_world *w, const gpool_store_desc *desc, const gpool__files *files,
                       gpool_store_reason reason)
{
    gpool_store *store = expect_state(w, desc, files, GPOOL_STORE_MODE_OFF, reason);
    gpool_store_report report;
    assert_same(gpool_store_verify(store, &report), GPOOL_OK);
    assert_int_equal(report.good + report.bad + report.foreign_files, 0);
    gpool_store_close(store);
}

static mode_t mode_of(const char *path)
{
    struct stat state;
    assert_int_equal(lstat(path, &state), 0);
    return state.st_mode & 07777;
}

static void missing_directory_is_made_with_its_parents_for_its_owner_alone(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store_desc desc = world_desc(&w);
    desc.directory = world_path(&w, "a/b//c/");
    const mode_t mask = umask(0);
    gpool_store *store =
        expect_state(&w, &desc, NULL, GPOOL_STORE_MODE_READ_WRITE, GPOOL_STORE_REASON_NONE);
    assert_int_equal(mode_of(world_path(&w, "a")), 0700);
    assert_int_equal(mode_of(world_path(&w, "a/b")), 0700);
    assert_int_equal(mode_of(world_path(&w, "a/b/c")), 0700);
    assert_string_equal(gpool_store_directory(store), world_path(&w, "a/b//c"));
    assert_same(world_save(store, 1, 1, 100), GPOOL_OK);
    char name[GPOOL__ENTRY_NAME_SIZE];
    char key[WORLD_KEY_SIZE];
    char inside[64];
    gpool__entry_name(key, world_key(1, key), 16, name);
    (void)snprintf(inside, sizeof inside, "a/b/c/%s", name);
    assert_int_equal(mode_of(world_path(&w, inside)), 0600);
    assert_int_equal(mode_of(world_path(&w, "a/b/c/ledger")), 0600);
    assert_int_equal(mode_of(world_path(&w, "a/b/c/cleaner.lock")), 0600);
    (void)umask(mask);
    gpool_store_close(store);
    world_close(&w);
}

static void missing_directory_stays_missing_for_who_only_reads(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store_desc desc = world_desc(&w);
    desc.mode = GPOOL_STORE_MODE_READ_ONLY;
    expect_off(&w, &desc, NULL, GPOOL_STORE_REASON_MISSING);
    desc.mode = GPOOL_STORE_MODE_OFF;
    expect_off(&w, &desc, NULL, GPOOL_STORE_REASON_NONE);
    assert_false(world_exists(w.path));
    world_close(&w);
}

static void directory_that_cannot_be_made_gives_a_store_that_is_off(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store_desc desc = world_desc(&w);
    world_write_file(world_path(&w, "file"), "x", 1);
    desc.directory = world_path(&w, "file");
    expect_off(&w, &desc, NULL, GPOOL_STORE_REASON_NO_DIRECTORY);
    desc.directory = world_path(&w, "file/below");
    expect_off(&w, &desc, NULL, GPOOL_STORE_REASON_NO_DIRECTORY);
    desc.directory = "";
    expect_off(&w, &desc, NULL, GPOOL_STORE_REASON_NO_PATH);
    desc.directory = "/proc/gpool/store"; /* where nothing can be made, not by root either */
    expect_off(&w, &desc, NULL, GPOOL_STORE_REASON_MISSING);
    char longest[5000];
    memset(longest, 'x', sizeof longest - 1);
    longest[0] = '/';
    longest[sizeof longest - 1] = '\0';
    desc.directory = longest;
    expect_off(&w, &desc, NULL, GPOOL_STORE_REASON_SYSTEM);
    world_close(&w);
}

static void shared_directory_is_refused(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    const gpool_store_desc desc = world_desc(&w);
    static const mode_t bad[] = { 0770, 0720, 0702, 0777, 01777 };
    static const mode_t good[] = { 0700, 0755, 0750 };
    assert_int_equal(mkdir(w.path, 0700), 0);
    for (size_t i = 0; i < UNIT_COUNT(bad); ++i) {
        assert_int_equal(chmod(w.path, bad[i]), 0);
        expect_off(&w, &desc, NULL, GPOOL_STORE_REASON_SHARED);
    }
    for (size_t i = 0; i < UNIT_COUNT(good); ++i) {
        assert_int_equal(chmod(w.path, good[i]), 0);
        gpool_store_close(
            expect_state(&w, &desc, NULL, GPOOL_STORE_MODE_READ_WRITE, GPOOL_STORE_REASON_NONE));
    }
    world_close(&w);
}

static void foreign_directory_is_refused(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store_desc desc = world_desc(&w);
    assert_int_equal(mkdir(w.path, 0700), 0);
    faulty_files faulty;
    faulty_init(&faulty);
    faulty.directory_owner_shift = 1;
    expect_off(&w, &desc, &faulty.table, GPOOL_STORE_REASON_OWNER);
    desc.mode = GPOOL_STORE_MODE_READ_ONLY;
    expect_off(&w, &desc, &faulty.table, GPOOL_STORE_REASON_OWNER);
    if (geteuid() == 0) {
        assert_int_equal(chown(w.path, 12345, 12345), 0);
        desc.mode = GPOOL_STORE_MODE_READ_WRITE;
        expect_off(&w, &desc, NULL, GPOOL_STORE_REASON_OWNER);
    }
    world_close(&w);
}

static void borrowed_rights_turn_the_store_off(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    const gpool_store_desc desc = world_desc(&w);
    faulty_files faulty;
    faulty_init(&faulty);
    faulty.privileged = true;
    expect_off(&w, &desc, &faulty.table, GPOOL_STORE_REASON_PRIVILEGED);
    assert_false(world_exists(w.path));
    world_close(&w);
}

static void link_in_the_place_of_the_directory_is_not_followed(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store_desc desc = world_desc(&w);
    assert_int_equal(mkdir(world_path(&w, "real"), 0700), 0);
    assert_int_equal(symlink("real", w.path), 0);
    static const char *const ends[] = { "store", "store/", "store/.", "store/./", "store//././/" };
    for (size_t i = 0; i < UNIT_COUNT(ends); ++i) {
        desc.directory = world_path(&w, ends[i]);
        expect_off(&w, &desc, NULL, GPOOL_STORE_REASON_NO_DIRECTORY);
    }
    assert_int_equal(unlink(w.path), 0);
    assert_int_equal(symlink("nowhere", w.path), 0);
    expect_off(&w, &desc, NULL, GPOOL_STORE_REASON_NO_DIRECTORY);
    assert_false(world_exists(world_path(&w, "nowhere")));
    assert_int_equal(unlink(w.path), 0);
    assert_int_equal(mkfifo(w.path, 0600), 0);
    (void)alarm(20);
    expect_off(&w, &desc, NULL, GPOOL_STORE_REASON_NO_DIRECTORY);
    (void)alarm(0);
    world_census census = world_count(world_path(&w, "real"));
    assert_int_equal(census.entries + census.others, 0);
    world_close(&w);
}

/* --- a directory that cannot be written to --- */

static void directory_that_refuses_writes_is_read(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store *store = world_store(&w);
    assert_same(world_save(store, 1, 1, 100), GPOOL_OK);
    gpool_store_close(store);
    /* Operations at open: directory, state, ledger. */
    static const int errors[] = { -EACCES, -EROFS, -EPERM };
    const gpool_store_desc desc = world_desc(&w);
    for (size_t i = 0; i < UNIT_COUNT(errors); ++i) {
        faulty_files faulty;
        faulty_init(&faulty);
        faulty.fail_at = 3;
        faulty.error = errors[i];
        store = expect_state(&w, &desc, &faulty.table, GPOOL_STORE_MODE_READ_ONLY,
                             GPOOL_STORE_REASON_READ_ONLY);
        assert_same(world_load(store, 1), WORLD_RIGHT);
        gpool_store_close(store);
    }
    world_close(&w);
}

/* The same without the rights of root, in a process of its own. */
static void directory_of_mode_0500_is_read(void **state)
{
    (void)state;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (geteuid() == 0 && (setgid(65534) != 0 || setuid(65534) != 0)) {
            _exit(1);
        }
        store_world w;
        world_open(&w);
        gpool_store *store = world_store(&w);
        assert_same(world_save(store, 1, 1, 100), GPOOL_OK);
        gpool_store_close(store);
        assert_int_equal(unlink(world_path(&w, "store/ledger")), 0);
        assert_int_equal(chmod(w.path, 0500), 0);
        const gpool_store_desc desc = world_desc(&w);
        store =
            expect_state(&w, &desc, NULL, GPOOL_STORE_MODE_READ_ONLY, GPOOL_STORE_REASON_READ_ONLY);
        assert_same(world_load(store, 1), WORLD_RIGHT);
        gpool_store_close(store);
        /* A directory that may not be read is off. */
        assert_int_equal(chmod(w.path, 0000), 0);
        expect_off(&w, &desc, NULL, GPOOL_STORE_REASON_SYSTEM);
        assert_int_equal(chmod(w.path, 0700), 0);
        /* An entry that may not be read is replaced. */
        store = world_store(&w);
        assert_int_equal(chmod(world_entry_path(&w, 1), 0), 0);
        assert_same(world_load(store, 1), WORLD_MISS);
        assert_false(world_exists(world_entry_path(&w, 1)));
        assert_int_equal(world_stats(store).bad_entries, 1);
        gpool_store_close(store);
        world_close(&w);
        _exit(0);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void store_that_only_reads_changes_nothing(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store *store = world_store(&w);
    for (uint64_t i = 0; i < 3; ++i) {
        assert_same(world_save(store, i, 1, 100), GPOOL_OK);
    }
    gpool_store_close(store);
    world_write_file(world_entry_path(&w, 1), "torn", 4);
    world_write_file(world_path(&w, "store/temp-00000000000000000000000000000000"), "torn", 4);
    const int64_t old = world_now() - INT64_C(400000000000000);
    world_set_time(world_entry_path(&w, 0), old);
    gpool_store_desc desc = world_desc(&w);
    desc.mode = GPOOL_STORE_MODE_READ_ONLY;
    desc.max_bytes = 200;
    store = expect_state(&w, &desc, NULL, GPOOL_STORE_MODE_READ_ONLY, GPOOL_STORE_REASON_NONE);
    assert_same(world_load(store, 0), WORLD_RIGHT);
    assert_same(world_load(store, 1), WORLD_MISS);
    assert_same(world_save(store, 2, 2, 100), GPOOL_OK);
    gpool_store_report report;
    assert_same(gpool_store_verify(store, &report), GPOOL_OK);
    assert_int_equal(report.good, 2);
    assert_int_equal(report.bad, 1);
    assert_int_equal(report.removed, 0);
    assert_int_equal(report.temp_files, 1);
    assert_int_equal(world_stats(store).bad_entries, 2);
    gpool_store_close(store);
    world_census census = world_count(w.path);
    assert_int_equal(census.entries, 3);
    assert_int_equal(census.temps, 1);
    assert_true(world_get_time(world_entry_path(&w, 0)) == old);
    world_close(&w);
}

/* --- the environment --- */

static void environment_names_the_directory(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    gpool_store_desc desc = world_desc(&w);
    desc.directory = NULL;
    static const struct {
        const char *cache; /* below the folder; NULL = unset */
        const char *home;
        const char *wanted; /* below the folder; NULL = none */
    } rows[] = {
        { "/cache", "/home", "cache/gpool" },
        { NULL, "/home", "home/.cache/gpool" },
        { "", "/home", "home/.cache/gpool" },
        { "relative", "/home", "home/.cache/gpool" },
        { NULL, NULL, NULL },
        { NULL, "", NULL },
        { "relative", "home", NULL },
    };
    char absolute[512];
    for (size_t i = 0; i < UNIT_COUNT(rows); ++i) {
        const char *const names[2] = { "XDG_CACHE_HOME", "HOME" };
        const char *const values[2] = { rows[i].cache, rows[i].home };
        for (int k = 0; k < 2; ++k) {
            (void)snprintf(absolute, sizeof absolute, "%s%s",
                           values[k] != NULL && values[k][0] == '/' ? w.folder : "",
                           values[k] != NULL ? values[k] : "");
            assert_int_equal(values[k] != NULL ? setenv(names[k], absolute, 1) : unsetenv(names[k]),
                             0);
        }
        if (rows[i].wanted == NULL) {
            expect_off(&w, &desc, NULL, GPOOL_STORE_REASON_NO_PATH);
            continue;
        }
        gpool_store *store =
            expect_state(&w, &desc, NULL, GPOOL_STORE_MODE_READ_WRITE, GPOOL_STORE_REASON_NONE);
        assert_string_equal(gpool_store_directory(store), world_path(&w, rows[i].wanted));
        assert_int_equal(mode_of(world_path(&w, rows[i].wanted)), 0700);
        gpool_store_close(store);
    }
    world_close(&w);
}

/* --- things in the place of an entry --- */

typedef void (*plant_fn)(const char *path, const char *victim);

static void plant_link(const char *path, const char *victim)
{
    assert_int_equal(symlink(victim, path), 0);
}

static void plant_dangling_link(const char *path, const char *victim)
{
    (void)victim;
    assert_int_equal(symlink("/nowhere/at/all", path), 0);
}

static void plant_fifo(const char *path, const char *victim)
{
    (void)victim;
    assert_int_equal(mkfifo(path, 0600), 0);
}

static void plant_directory(const char *path, const char *victim)
{
    (void)victim;
    assert_int_equal(mkdir(path, 0700), 0);
}

static void plant_shared(const char *path, const char *victim)
{
    uint8_t bytes[4096];
    size_t size = world_read_file(victim, bytes, sizeof bytes);
    world_write_file(path, bytes, size);
    assert_int_equal(chmod(path, 0620), 0);
}

static const plant_fn plants[] = { plant_link, plant_dangling_link, plant_fifo, plant_directory,
                                   plant_shared };

/* The victim is a good entry of that key, outside; it must come through as it is. */
static void special_files_in_the_place_of_an_entry_are_a_miss(void **state)
{
    (void)state;
    (void)alarm(60); /* ends the program when something hangs */
    for (size_t i = 0; i < UNIT_COUNT(plants); ++i) {
        bool is_directory = plants[i] == plant_directory;
        store_world w;
        world_open(&w);
        gpool_store *store = world_store(&w);
        assert_same(world_save(store, 1, 1, 100), GPOOL_OK);
        const char *path = strdup(world_entry_path(&w, 1));
        const char *victim = strdup(world_path(&w, "victim"));
        assert_true(path != NULL && victim != NULL);
        assert_int_equal(rename(path, victim), 0);
        uint8_t before[1000];
        const size_t size = world_read_file(victim, before, sizeof before);
        /* A load; then a save; then verify and the cleaner. */
        plants[i](path, victim);
        assert_same(world_load(store, 1), WORLD_MISS);
        assert_same(world_exists(path), is_directory);
        assert_int_equal(world_stats(store).bad_entries, 1);
        (void)remove(path);
        plants[i](path, victim);
        assert_same(world_save(store, 1, 1, 100), GPOOL_OK);
        assert_same(world_load(store, 1), is_directory ? WORLD_MISS : WORLD_RIGHT);
        assert_int_equal(world_stats(store).failed_saves, is_directory);
        (void)remove(path);
        plants[i](path, victim);
        gpool_store_report report;
        assert_same(gpool_store_verify(store, &report), GPOOL_OK);
        assert_int_equal(report.bad, 1);
        assert_int_equal(report.removed, !is_directory);
        (void)remove(path);
        plants[i](path, victim);
        assert_same(gpool_store_clear(store), GPOOL_OK);
        assert_same(world_exists(path), is_directory);
        (void)remove(path);
        assert_same(world_save(store, 1, 1, 100), GPOOL_OK);
        assert_same(world_load(store, 1), WORLD_RIGHT);
        /* Nothing went through it. */
        uint8_t after[1000];
        assert_int_equal(world_read_file(victim, after, sizeof after), size);
        assert_memory_equal(before, after, size);
        gpool_store_close(store);
        free((char *)path);
        free((char *)victim);
        world_close(&w);
    }
    (void)alarm(0);
}

static void special_files_in_the_place_of_own_files_do_no_harm(void **state)
{
    (void)state;
    (void)alarm(60);
    static const char *const names[] = { "store/ledger", "store/cleaner.lock",
                                         "store/temp-0123456789abcdef0123456789abcdef" };
    for (size_t n = 0; n < UNIT_COUNT(names); ++n) {
        for (size_t i = 0; i < UNIT_COUNT(plants); ++i) {
            bool is_directory = plants[i] == plant_directory;
            store_world w;
            world_open(&w);
            world_write_file(world_path(&w, "victim"), "do not touch", 12);
            assert_int_equal(mkdir(w.path, 0700), 0);
            plants[i](world_path(&w, names[n]), world_path(&w, "victim"));
            gpool_store *store = world_store(&w);
            assert_same(world_stats(store).mode, GPOOL_STORE_MODE_READ_WRITE);
            assert_same(world_save(store, 1, 1, 100), GPOOL_OK);
            /* Without ledger and cleaner the cap cannot be kept, so nothing is saved. */
            bool saved = !is_directory || n == 2;
            assert_same(world_load(store, 1), saved ? WORLD_RIGHT : WORLD_MISS);
            gpool_store_close(store);
            if (!is_directory) {
                struct stat found;
                bool there = lstat(world_path(&w, names[n]), &found) == 0;
                assert_true(n == 2 ? !there : there && S_ISREG(found.st_mode));
            }
            uint8_t bytes[100];
            assert_int_equal(world_read_file(world_path(&w, "victim"), bytes, 100), 12);
            assert_memory_equal(bytes, "do not touch", 12);
            world_close(&w);
        }
    }
    (void)alarm(0);
}

static void foreign_entry_is_refused(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    faulty_files faulty;
    const gpool_store_desc desc = world_desc(&w);
    gpool_store *store = faulty_open(&faulty, &desc);
    assert_same(world_save(store, 1, 1, 100), GPOOL_OK);
    faulty.file_owner_shift = 1;
    assert_same(world_load(store, 1), WORLD_MISS);
    assert_int_equal(world_stats(store).bad_entries, 1);
    assert_false(world_exists(world_entry_path(&w, 1)));
    faulty.file_owner_shift = 0;
    assert_same(world_save(store, 1, 1, 100), GPOOL_OK);
    assert_same(world_load(store, 1), WORLD_RIGHT);
    gpool_store_close(store);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(missing_directory_is_made_with_its_parents_for_its_owner_alone),
        cmocka_unit_test(missing_directory_stays_missing_for_who_only_reads),
        cmocka_unit_test(directory_that_cannot_be_made_gives_a_store_that_is_off),
        cmocka_unit_test(shared_directory_is_refused),
        cmocka_unit_test(foreign_directory_is_refused),
        cmocka_unit_test(borrowed_rights_turn_the_store_off),
        cmocka_unit_test(link_in_the_place_of_the_directory_is_not_followed),
        cmocka_unit_test(directory_that_refuses_writes_is_read),
        cmocka_unit_test(directory_of_mode_0500_is_read),
        cmocka_unit_test(store_that_only_reads_changes_nothing),
        cmocka_unit_test(environment_names_the_directory),
        cmocka_unit_test(special_files_in_the_place_of_an_entry_are_a_miss),
        cmocka_unit_test(special_files_in_the_place_of_own_files_do_no_harm),
        cmocka_unit_test(foreign_entry_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
