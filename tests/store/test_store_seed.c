/* Row 38, seeds: what comes with a program, is looked at after a miss, and may be poisoned. */
#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "store_world.h"

#include "faulty_files.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* Makes a seed with the keys 0 to 9. */
static void make_seed(store_world *w)
{
    gpool_store_desc desc = world_desc(w);
    desc.directory = world_path(w, "seed");
    gpool_store *store = world_store_of(&desc, NULL);
    for (uint64_t i = 0; i < 10; ++i) {
        assert_same(world_save(store, i, 1, 200), GPOOL_OK);
    }
    gpool_store_close(store);
}

static const char *seed_path(const store_world *w, uint64_t key)
{
    char inside[64];
    (void)snprintf(inside, sizeof inside, "seed/%s", strrchr(world_entry_path(w, key), '/') + 1);
    return world_path(w, inside);
}

static void seed_is_looked_at_after_a_miss_and_never_written(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    make_seed(&w);
    const int64_t old = world_now() - INT64_C(400000000000000);
    world_set_time(seed_path(&w, 1), old);
    gpool_store_desc desc = world_desc(&w);
    const char *seed = strdup(world_path(&w, "seed"));
    desc.seed = seed;
    gpool_store *store = world_store_of(&desc, NULL);
    assert_same(world_load(store, 1), WORLD_RIGHT);
    assert_same(world_load(store, 11), WORLD_MISS);
    assert_int_equal(world_stats(store).hits, 1);
    assert_int_equal(world_stats(store).seed_hits, 1);
    assert_int_equal(world_stats(store).misses, 1);
    /* The main one wins. */
    assert_same(world_save(store, 2, 2, 300), GPOOL_OK);
    assert_same(world_load(store, 2), WORLD_RIGHT);
    assert_int_equal(world_stats(store).seed_hits, 1);
    /* A bad one in the main directory does not hide the seed's. */
    world_write_file(world_entry_path(&w, 3), "torn", 4);
    assert_same(world_load(store, 3), WORLD_RIGHT);
    assert_int_equal(world_stats(store).seed_hits, 2);
    assert_int_equal(world_stats(store).bad_entries, 1);
    assert_same(gpool_store_clear(store), GPOOL_OK);
    char key[WORLD_KEY_SIZE];
    assert_same(gpool_store_remove(store, key, world_key(5, key)), GPOOL_NOT_FOUND);
    assert_same(world_load(store, 5), WORLD_RIGHT);
    assert_int_equal(world_count(seed).entries, 10);
    assert_true(world_get_time(seed_path(&w, 1)) == old);
    gpool_store_close(store);
    /* A seed with no main directory. */
    desc.directory = "";
    store = world_store_of(&desc, NULL);
    assert_same(world_stats(store).mode, GPOOL_STORE_MODE_READ_ONLY);
    assert_same(world_stats(store).reason, GPOOL_STORE_REASON_NO_PATH);
    assert_same(world_load(store, 1), WORLD_RIGHT);
    assert_same(world_save(store, 12, 1, 100), GPOOL_OK);
    gpool_store_report report;
    assert_same(gpool_store_verify(store, &report), GPOOL_OK);
    assert_int_equal(report.good, 0);
    gpool_store_close(store);
    free((char *)seed);
    world_close(&w);
}

static void poisoned_seed_is_refused_and_left_alone(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    make_seed(&w);
    gpool_store_desc desc = world_desc(&w);
    const char *seed = strdup(world_path(&w, "seed"));
    desc.seed = seed;
    uint8_t bytes[1000];
    size_t size = world_read_file(seed_path(&w, 0), bytes, sizeof bytes);
    world_write_file(seed_path(&w, 1), bytes, size); /* another key's */
    bytes[60] ^= 1;
    world_write_file(seed_path(&w, 2), bytes, size); /* a flipped bit */
    assert_int_equal(chmod(seed_path(&w, 3), 0646), 0);
    assert_int_equal(unlink(seed_path(&w, 4)), 0);
    assert_int_equal(symlink(seed_path(&w, 0), seed_path(&w, 4)), 0);
    assert_int_equal(unlink(seed_path(&w, 5)), 0);
    assert_int_equal(mkfifo(seed_path(&w, 5), 0600), 0);
    (void)alarm(20);
    gpool_store *store = world_store_of(&desc, NULL);
    for (uint64_t i = 1; i <= 5; ++i) {
        assert_same(world_load(store, i), WORLD_MISS);
        assert_int_equal(world_stats(store).bad_entries, i);
        assert_true(world_exists(seed_path(&w, i)));
        /* What the user makes takes its place. */
        assert_same(world_save(store, i, 1, 200), GPOOL_OK);
        assert_same(world_load(store, i), WORLD_RIGHT);
    }
    (void)alarm(0);
    gpool_store_close(store);
    free((char *)seed);
    world_close(&w);
}

static void seed_of_doubtful_ownership_is_not_used(void **state)
{
    (void)state;
    store_world w;
    world_open(&w);
    make_seed(&w);
    gpool_store_desc desc = world_desc(&w);
    const char *seed = strdup(world_path(&w, "seed"));
    const char *link = strdup(world_path(&w, "link"));
    const char *missing = strdup(world_path(&w, "missing"));
    assert_int_equal(symlink("seed", link), 0);
    const struct {
        const char *path;
        mode_t mode;
        gpool_store_reason reason;
    } rows[] = {
        { seed, 0755, GPOOL_STORE_REASON_NONE },
        { seed, 0555, GPOOL_STORE_REASON_NONE },
        { seed, 0775, GPOOL_STORE_REASON_SHARED },
        { seed, 0757, GPOOL_STORE_REASON_SHARED },
        { link, 0755, GPOOL_STORE_REASON_NO_DIRECTORY },
        { missing, 0755, GPOOL_STORE_REASON_MISSING },
    };
    for (size_t i = 0; i < UNIT_COUNT(rows); ++i) {
        assert_int_equal(chmod(seed, rows[i].mode), 0);
        desc.seed = rows[i].path;
        gpool_store *store = world_store_of(&desc, NULL);
        assert_same(world_stats(store).mode, GPOOL_STORE_MODE_READ_WRITE);
        assert_same(world_stats(store).reason, GPOOL_STORE_REASON_NONE);
        assert_same(world_stats(store).seed_reason, rows[i].reason);
        assert_same(world_load(store, 1),
                    rows[i].reason == GPOOL_STORE_REASON_NONE ? WORLD_RIGHT : WORLD_MISS);
        gpool_store_close(store);
    }
    assert_false(world_exists(missing));
    /* Another user's is refused; root's is as good as ours, though no main directory may be root's. */
    assert_int_equal(chmod(seed, 0755), 0);
    desc.seed = seed;
    desc.mode = GPOOL_STORE_MODE_READ_ONLY;
    faulty_files faulty;
    faulty_init(&faulty);
    const gpool__store_hooks hooks = { .files = &faulty.table };
    faulty.directory_owner_shift = 1;
    gpool_store *store = world_store_of(&desc, &hooks);
    assert_same(world_stats(store).seed_reason, GPOOL_STORE_REASON_OWNER);
    assert_same(world_stats(store).mode, GPOOL_STORE_MODE_OFF);
    gpool_store_close(store);
    free((char *)seed);
    free((char *)link);
    free((char *)missing);
    world_close(&w);
}

/* As a package would: made by root, read by a user. Only where the tests run as root. */
static void seed_of_root_is_used_and_a_main_directory_of_root_is_not(void **state)
{
    (void)state;
    if (geteuid() != 0) {
        skip();
    }
    store_world w;
    world_open(&w);
    make_seed(&w);
    assert_int_equal(chmod(w.folder, 0755), 0);
    assert_int_equal(chmod(world_path(&w, "seed"), 0755), 0);
    for (uint64_t i = 0; i < 10; ++i) {
        assert_int_equal(chmod(seed_path(&w, i), 0644), 0);
    }
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        if (setgid(65534) != 0 || setuid(65534) != 0) {
            _exit(1);
        }
        gpool_store_desc desc = world_desc(&w);
        desc.directory = world_path(&w, "seed");
        gpool_store *off = world_store_of(&desc, NULL);
        bool refused = world_stats(off).mode == GPOOL_STORE_MODE_OFF &&
                       world_stats(off).reason == GPOOL_STORE_REASON_OWNER;
        desc.seed = desc.directory;
        gpool_store *store = world_store_of(&desc, NULL);
        _exit(refused && world_stats(store).mode == GPOOL_STORE_MODE_READ_ONLY &&
                      world_load(store, 1) == WORLD_RIGHT && world_stats(store).seed_hits == 1
                  ? 0
                  : 2);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    world_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(seed_is_looked_at_after_a_miss_and_never_written),
        cmocka_unit_test(poisoned_seed_is_refused_and_left_alone),
        cmocka_unit_test(seed_of_doubtful_ownership_is_not_used),
        cmocka_unit_test(seed_of_root_is_used_and_a_main_directory_of_root_is_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
