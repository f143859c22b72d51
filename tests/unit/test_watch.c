#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700
#endif
#include "shader/watch.h"

#include "unit/source_work.h"

#include "base/hash.h"

#define MS UINT64_C(1000000)

static uint64_t seed;
static gpool__watch watch;
static bool
    twice; /* an id may be told twice in poll_for(), of files that settle at different times */
static uint64_t now;

static int open_watch(void **state)
{
    (void)work_open(state);
    now = 1000 * MS;
    gpool__watch_init(&watch, &work_memory, NULL);
    return 0;
}

static int close_watch(void **state)
{
    gpool__watch_fini(&watch);
    return work_close(state);
}

/* Expands a file of the folder and watches what it came from, as if it had been there for long. */
static gpool_result watch_again(uint64_t id, const char *name)
{
    const gpool_result result = work_expand((gpool__source_desc){ .path = work_path(name) });
    for (uint32_t i = 0; i < work_source.file_count; ++i) {
        work_source.files[i].stamp.fresh = false;
    }
    assert_same(gpool__watch_set(&watch, id, work_source.files, work_source.file_count), GPOOL_OK);
    return result;
}

/* Polls every 16 ms for so long; returns the ids as bits. */
static uint64_t poll_for(uint64_t ms)
{
    uint64_t told = 0;
    for (const uint64_t end = now + ms * MS; now < end; now += 16 * MS) {
        uint32_t count = gpool__watch_poll(&watch, now);
        uint64_t id = 0;
        for (; gpool__watch_take(&watch, &id); --count) {
            assert_true(id < 64 && (twice || (told & UINT64_C(1) << id) == 0));
            told |= UINT64_C(1) << id;
        }
        assert_int_equal(count, 0);
    }
    return told;
}

#define SETTLED 1000 /* more than a round and the longest settling */

static void change_of_a_file_tells_exactly_its_dependents(void **state)
{
    (void)state;
    char name[32];
    char text[128];
    for (int i = 0; i < 30; ++i) {
        (void)snprintf(name, sizeof name, "inc%d", i);
        work_write(name, "x");
    }
    for (uint64_t id = 0; id < 30; ++id) {
        (void)snprintf(name, sizeof name, "main%u", (unsigned)id);
        (void)snprintf(text, sizeof text, "#include \"inc%u\"\n#include \"inc%u\"\n", (unsigned)id,
                       (unsigned)(id + 7) % 30);
        work_write(name, text);
        assert_same(watch_again(id, name), GPOOL_OK);
    }
    assert_int_equal(poll_for(SETTLED), 0);
    work_write("inc10", "y");
    assert_int_equal(poll_for(SETTLED), UINT64_C(1) << 10 | UINT64_C(1) << 3);
    work_write("main5", "z");
    assert_int_equal(poll_for(SETTLED), UINT64_C(1) << 5);
    work_write("inc10", "z");
    work_write("inc20", "z");
    gpool__watch_remove(&watch, 3);
    assert_int_equal(poll_for(SETTLED), UINT64_C(1) << 10 | UINT64_C(1) << 20 | UINT64_C(1) << 13);
    assert_int_equal(poll_for(SETTLED), 0);
}

static void touch_without_change_tells_nobody(void **state)
{
    (void)state;
    work_write("t", "same");
    assert_same(watch_again(1, "t"), GPOOL_OK);
    assert_int_equal(poll_for(SETTLED), 0);
    const struct timespec times[2] = { { 1000, 0 }, { 1000, 0 } };
    assert_int_equal(utimensat(AT_FDCWD, work_path("t"), times, 0), 0);
    assert_int_equal(poll_for(SETTLED), 0);
    work_write("t", "same");
    assert_int_equal(poll_for(SETTLED), 0);
    assert_int_equal(watch.stats.changes, 0);
    work_write("t", "else");
    assert_int_equal(poll_for(SETTLED), 2);
    /* Time of the last write set back: of the same size, and as old as before. */
    work_write("t", "four");
    assert_int_equal(utimensat(AT_FDCWD, work_path("t"), times, 0), 0);
    assert_int_equal(poll_for(SETTLED), 2);
    assert_int_equal(watch.stats.changes, 2);
}

static void half_written_file_is_told_once_when_it_is_whole(void **state)
{
    (void)state;
    work_write("h", "0");
    assert_same(watch_again(1, "h"), GPOOL_OK);
    assert_int_equal(poll_for(SETTLED), 0);
    static const char text[] = "a file that is written by and by";
    for (size_t size = 1; size < sizeof text; ++size) {
        work_write_bytes("h", text, size);
        assert_int_equal(poll_for(64), 0);
    }
    assert_int_equal(poll_for(SETTLED), 2);
    assert_int_equal(watch.stats.changes, 1);
}

static void ways_in_which_editors_write_all_work(void **state)
{
    (void)state;
    work_write("e", "0");
    assert_same(watch_again(1, "e"), GPOOL_OK);
    assert_int_equal(poll_for(SETTLED), 0);
    /* Written beside and renamed over it. */
    work_write("e.new", "1");
    assert_int_equal(rename(work_path("e.new"), work_path("e")), 0);
    assert_int_equal(poll_for(SETTLED), 2);
    /* Deleted, and created a little later. */
    assert_int_equal(unlink(work_path("e")), 0);
    assert_int_equal(poll_for(300), 0);
    work_write("e", "2");
    assert_int_equal(poll_for(SETTLED), 2);
    /* Cut to nothing, and filled a little later. */
    work_write("e", "");
    assert_int_equal(poll_for(300), 0);
    work_write("e", "3");
    assert_int_equal(poll_for(SETTLED), 2);
    /* Moved away and the same bytes put in its place: nothing happened. */
    assert_int_equal(rename(work_path("e"), work_path("e~")), 0);
    assert_int_equal(poll_for(300), 0);
    work_write("e", "3");
    assert_int_equal(poll_for(SETTLED), 0);
    assert_int_equal(watch.stats.changes, 3);
    /* Gone for good, and empty for good, do count. */
    assert_int_equal(unlink(work_path("e")), 0);
    assert_int_equal(poll_for(SETTLED), 2);
    work_write("e", "");
    assert_int_equal(poll_for(SETTLED), 2);
}

static void edit_taken_back_before_it_settles_tells_nobody(void **state)
{
    (void)state;
    work_write("b", "0");
    assert_same(watch_again(1, "b"), GPOOL_OK);
    assert_int_equal(poll_for(SETTLED), 0);
    work_write("b", "1");
    assert_int_equal(poll_for(16), 0);
    work_write("b", "0");
    assert_int_equal(poll_for(SETTLED), 0);
}

static void missing_file_is_told_when_it_appears(void **state)
{
    (void)state;
    work_write("m", "#include \"later\"");
    assert_same(watch_again(1, "m"), GPOOL_ERROR_FILE);
    assert_same(watch_again(2, "no-main"), GPOOL_ERROR_FILE);
    assert_int_equal(poll_for(SETTLED), 0);
    work_write("later", "x");
    assert_int_equal(poll_for(SETTLED), 2);
    assert_same(watch_again(1, "m"), GPOOL_OK);
    assert_int_equal(poll_for(SETTLED), 0);
    work_write("no-main", "x");
    assert_int_equal(poll_for(SETTLED), 4);
    /* A nearer file of the same name counts, too. */
    work_make_folder("near");
    work_make_folder("near/sub");
    work_write("near/top", "far");
    work_write("near/sub/s", "#include \"top\"");
    work_write("near/main", "#include \"sub/s\"");
    assert_same(watch_again(3, "near/main"), GPOOL_OK);
    assert_int_equal(poll_for(SETTLED), 0);
    work_write("near/sub/top", "beside");
    assert_int_equal(poll_for(SETTLED), 8);
}

static void file_that_cannot_be_taken_is_told_when_it_changes_and_not_before(void **state)
{
    (void)state;
    work_make_folder("r");
    work_make_folder("r/dir");
    work_write("outside", "x");
    work_write("r/m1", "#include \"dir\"");
    work_write("r/m2", "#include \"link\"");
    work_write("r/m3", "#include \"pipe\"");
    assert_int_equal(symlink("../outside", work_path("r/link")), 0);
    assert_int_equal(mkfifo(work_path("r/pipe"), 0600), 0);
    for (int round = 0; round < 3; ++round) {
        assert_same(watch_again(1, "r/m1"), GPOOL_ERROR_FILE);
        assert_same(watch_again(2, "r/m2"), GPOOL_ERROR_FILE);
        assert_same(watch_again(3, "r/m3"), GPOOL_ERROR_FILE);
        assert_int_equal(poll_for(SETTLED), 0);
    }
    /* What is outside may change, too; made again with the same result, it is quiet. */
    work_write("outside", "y");
    assert_int_equal(poll_for(SETTLED), 4);
    assert_same(watch_again(2, "r/m2"), GPOOL_ERROR_FILE);
    work_write("outside", "y");
    assert_int_equal(poll_for(SETTLED), 0);
    assert_int_equal(rmdir(work_path("r/dir")), 0);
    assert_int_equal(poll_for(SETTLED), 2);
    work_write("r/dir", "now a file");
    assert_int_equal(unlink(work_path("r/link")), 0);
    assert_int_equal(symlink("dir", work_path("r/link")), 0);
    assert_int_equal(unlink(work_path("r/pipe")), 0);
    work_write("r/pipe", "now a file");
    assert_int_equal(poll_for(SETTLED), 14);
    assert_same(watch_again(2, "r/m2"), GPOOL_OK);
    assert_int_equal(poll_for(SETTLED), 0);
    /* A link turned to another file inside. */
    work_write("r/other", "other");
    assert_int_equal(unlink(work_path("r/link")), 0);
    assert_int_equal(symlink("other", work_path("r/link")), 0);
    assert_int_equal(poll_for(SETTLED), 4);
}

static void fresh_file_is_read_again_under_the_same_stamp(void **state)
{
    (void)state;
    work_write("f", "new!");
    for (int fresh = 0; fresh < 2; ++fresh) {
        assert_same(work_expand((gpool__source_desc){ .path = work_path("f") }), GPOOL_OK);
        /* As if it had been read before another write of the same tick. */
        work_source.files[0].hash = gpool__hash("old!", 4);
        work_source.files[0].stamp.fresh = fresh != 0;
        gpool__watch_remove(&watch, 1);
        assert_same(gpool__watch_set(&watch, 1, work_source.files, 1), GPOOL_OK);
        assert_int_equal(poll_for(SETTLED), fresh ? 2 : 0);
    }
    /* Another list knows better what is under that stamp. */
    work_source.files[0].stamp.fresh = false;
    gpool__watch_remove(&watch, 1);
    assert_same(gpool__watch_set(&watch, 1, work_source.files, 1), GPOOL_OK);
    assert_same(watch_again(2, "f"), GPOOL_OK);
    assert_int_equal(poll_for(SETTLED), 2);
}

static void two_lists_of_different_times_are_both_right(void **state)
{
    (void)state;
    work_write("d", "1");
    assert_same(watch_again(1, "d"), GPOOL_OK);
    work_write("d", "2");
    assert_same(watch_again(2, "d"), GPOOL_OK); /* made of the new content already */
    assert_int_equal(poll_for(SETTLED), 2);
    work_write("d", "3");
    assert_same(watch_again(2, "d"), GPOOL_OK);
    work_write("d", "2");
    assert_int_equal(poll_for(SETTLED), 4); /* 1 was told of "2" last */
}

static void poll_is_budgeted_and_allocates_nothing(void **state)
{
    (void)state;
    enum {
        FILES = 1000
    };
    gpool__source_file *files = calloc(FILES, sizeof *files);
    assert_non_null(files);
    work_make_folder("many");
    char name[32];
    for (int i = 0; i < FILES; ++i) {
        (void)snprintf(name, sizeof name, "many/%d", i);
        work_write(name, "x");
        files[i] = (gpool__source_file){ .kind = GPOOL__SOURCE_DISK, .hash = gpool__hash("x", 1) };
        files[i].path = strdup(work_path(name));
        gpool__file_look(files[i].path, &files[i].stamp);
        files[i].stamp.fresh = false;
    }
    assert_same(gpool__watch_set(&watch, 1, files, FILES), GPOOL_OK);
    const uint64_t calls = work_allocator.calls;
    uint64_t looks = 0;
    for (int i = 0; i < 128; ++i) { /* of 16 ms: four rounds, each of 500 ms as 32 are looked at */
        assert_int_equal(gpool__watch_poll(&watch, now), 0);
        assert_in_range(watch.stats.looks - looks, 0, 32);
        looks = watch.stats.looks;
        now += 16 * MS;
    }
    assert_int_equal(work_allocator.calls, calls);
    assert_int_equal(watch.stats.reads, 0);
    assert_in_range(looks, 3 * FILES, 5 * FILES);
    /* All change at once: a few are read in each poll, and it is told once. */
    for (int i = 0; i < FILES; ++i) {
        (void)snprintf(name, sizeof name, "many/%d", i);
        work_write(name, "yy");
    }
    uint64_t reads = 0;
    uint32_t told = 0;
    for (int i = 0; i < 400 && watch.stats.changes < FILES; ++i) {
        uint64_t id;
        told += gpool__watch_poll(&watch, now) > 0 && gpool__watch_take(&watch, &id);
        assert_in_range(watch.stats.reads - reads, 0, 8);
        assert_in_range(watch.stats.looks - looks, 0, 32);
        reads = watch.stats.reads;
        looks = watch.stats.looks;
        now += 16 * MS;
    }
    assert_int_equal(watch.stats.changes, FILES);
    assert_in_range(told, 1, FILES);
    for (int i = 0; i < FILES; ++i) {
        free(files[i].path);
    }
    free(files);
}

static void round_comes_at_the_set_rate(void **state)
{
    (void)state;
    work_write("p", "x");
    gpool__watch_init(&watch, &work_memory, &(gpool__watch_desc){ .period_ns = 50 * MS });
    assert_same(watch_again(1, "p"), GPOOL_OK);
    (void)poll_for(1000);
    assert_in_range(watch.stats.looks, 14, 21);
    /* A clock that goes back stops the rounds until it is where it was, and breaks nothing. */
    work_write("p", "y");
    (void)gpool__watch_poll(&watch, now);
    const uint64_t later = now;
    now = 5 * MS;
    assert_int_equal(poll_for(2000) | poll_for(SETTLED), 2);
    now = later;
}

static void marked_file_is_read_at_the_next_poll(void **state)
{
    (void)state;
    gpool__watch_init(&watch, &work_memory, &(gpool__watch_desc){ .period_ns = UINT64_MAX });
    work_write("k", "1");
    work_write("k-main", "#include \"k\"");
    assert_same(watch_again(1, "k-main"), GPOOL_OK);
    work_write("k", "2");
    assert_int_equal(poll_for(SETTLED), 0);
    assert_int_equal(watch.stats.looks, 0);
    assert_int_equal(gpool__watch_mark(&watch, work_path("none")), 0);
    assert_int_equal(gpool__watch_mark(&watch, work_path("k")), 1);
    assert_int_equal(poll_for(16), 2);
    assert_int_equal(gpool__watch_mark(&watch, work_path("k")), 1);
    assert_int_equal(poll_for(SETTLED), 0); /* the same content */
    const uint64_t looks = watch.stats.looks;
    assert_in_range(looks, 3, 16); /* itself, and a round over all, each time */
    assert_int_equal(poll_for(SETTLED), 0);
    assert_int_equal(watch.stats.looks, looks);
    /* By another path to it. */
    work_write("k", "3");
    assert_int_equal(symlink(work_folder, work_path("way")), 0);
    assert_int_equal(gpool__watch_mark(&watch, work_path("way/k")), 1);
    assert_int_equal(poll_for(16), 2);
    assert_int_equal(unlink(work_path("k")), 0);
    assert_int_equal(gpool__watch_mark(&watch, work_path("k")), 1);
    assert_int_equal(poll_for(16), 2);
}

/* Nothing polls here: what a mark does not find is not told at all. */
static void marked_file_is_found_however_its_path_is_spelled(void **state)
{
    (void)state;
    gpool__watch_init(&watch, &work_memory, &(gpool__watch_desc){ .period_ns = UINT64_MAX });
    work_make_folder("spelled");
    work_write("spelled/s", "1");
    work_write("spelled/s-main", "#include \"s\"");
    work_write("spelled/link-main", "#include \"link\"");
    assert_int_equal(symlink("s", work_path("spelled/link")), 0);
    assert_int_equal(symlink("spelled", work_path("also")), 0);
    assert_same(watch_again(1, "spelled/s-main"), GPOOL_OK);
    assert_same(watch_again(2, "spelled/link-main"), GPOOL_OK);
    /* Who came to it over a link is told too: written in place, replaced, gone, and back. */
    const char *const marks[] = { "spelled/s", "spelled/link", "also/s", "also/link" };
    for (uint32_t i = 0; i < UNIT_COUNT(marks); ++i) {
        work_write("spelled/s", "in place");
        (void)gpool__watch_mark(&watch, work_path(marks[i]));
        assert_int_equal(poll_for(SETTLED), 6);
        work_write("spelled/new", "by another");
        assert_int_equal(rename(work_path("spelled/new"), work_path("spelled/s")), 0);
        (void)gpool__watch_mark(&watch, work_path(marks[i]));
        assert_int_equal(poll_for(SETTLED), 6);
        assert_int_equal(unlink(work_path("spelled/s")), 0);
        (void)gpool__watch_mark(&watch, work_path(marks[i]));
        assert_int_equal(poll_for(SETTLED), 6);
        work_write("spelled/s", "back");
        (void)gpool__watch_mark(&watch, work_path(marks[i]));
        assert_int_equal(poll_for(SETTLED), 6);
    }
    /* Then it is quiet again. */
    assert_true(gpool__watch_is_quiet(&watch));
    work_write("spelled/s", "not marked");
    assert_int_equal(poll_for(SETTLED), 0);
}

static void virtual_files_are_told_by_their_hash(void **state)
{
    (void)state;
    work_put("lib/v", "1");
    static const char text[] = "#include \"lib/v\"";
    assert_same(work_expand((gpool__source_desc){ .text = text, .size = sizeof text - 1 }),
                GPOOL_OK);
    assert_same(gpool__watch_set(&watch, 1, work_source.files, work_source.file_count), GPOOL_OK);
    static const char other[] = "#include \"v\"";
    assert_same(work_expand((gpool__source_desc){ .text = other, .size = sizeof other - 1 }),
                GPOOL_ERROR_FILE);
    assert_same(gpool__watch_set(&watch, 2, work_source.files, work_source.file_count), GPOOL_OK);
    assert_int_equal(poll_for(SETTLED), 0);
    gpool__watch_mark_virtual(&watch, "lib/v", gpool__hash("1", 1));
    assert_int_equal(poll_for(16), 0);
    gpool__watch_mark_virtual(&watch, "./lib/v", gpool__hash("2", 1));
    assert_int_equal(poll_for(16), 2);
    gpool__watch_mark_virtual(&watch, "lib/v", 0);
    assert_int_equal(poll_for(16), 2);
    gpool__watch_mark_virtual(&watch, "v", 5);
    assert_int_equal(poll_for(16), 4);
    gpool__watch_mark_virtual(&watch, "none", 5);
    gpool__watch_mark_virtual(&watch, "../v", 5);
    assert_int_equal(poll_for(16), 0);
}

static void new_list_forgets_what_was_changed(void **state)
{
    (void)state;
    work_write("n1", "1");
    work_write("n2", "1");
    assert_same(watch_again(1, "n1"), GPOOL_OK);
    assert_same(watch_again(2, "n1"), GPOOL_OK);
    work_write("n1", "2");
    assert_int_equal(gpool__watch_mark(&watch, work_path("n1")), 1);
    assert_int_equal(gpool__watch_poll(&watch, now), 2);
    assert_same(watch_again(1, "n2"), GPOOL_OK);
    gpool__watch_remove(&watch, 7);
    assert_int_equal(poll_for(SETTLED), 4);
    gpool__watch_remove(&watch, 2);
    work_write("n1", "3");
    assert_int_equal(poll_for(SETTLED), 0);
    work_write("n2", "3");
    for (int i = 0; i < 20 && watch.waiting == 0; ++i) {
        assert_int_equal(poll_for(16), 0);
    }
    assert_int_equal(watch.waiting, 1);
    assert_same(gpool__watch_set(&watch, 1, NULL, 0), GPOOL_OK);
    assert_int_equal(watch.waiting, 0);
    assert_int_equal(poll_for(SETTLED), 0);
}

static void lack_of_memory_leaves_the_old_list(void **state)
{
    (void)state;
    work_write("o1", "#include \"o2\"");
    work_write("o2", "1");
    work_write("o3", "3");
    assert_same(watch_again(1, "o3"), GPOOL_OK);
    assert_same(work_expand((gpool__source_desc){ .path = work_path("o1") }), GPOOL_OK);
    gpool_result result = GPOOL_ERROR_OUT_OF_MEMORY;
    uint64_t points = 0;
    for (uint64_t k = 1; result != GPOOL_OK; ++k) {
        const uint64_t bytes = work_memory.bytes;
        work_allocator.calls = 0;
        work_allocator.fail_at = k;
        result = gpool__watch_set(&watch, 1 + k % 2, work_source.files, work_source.file_count);
        work_allocator.fail_at = 0;
        points += result != GPOOL_OK;
        if (result != GPOOL_OK) {
            assert_same(result, GPOOL_ERROR_OUT_OF_MEMORY);
            assert_in_range(work_memory.bytes, bytes, bytes + 2048); /* tables may stay grown */
            work_write("o3", k % 2 == 0 ? "3" : "4");
            assert_int_equal(poll_for(SETTLED), 2);
        }
    }
    assert_in_range(points, 3, 20);
    /* A poll without memory tries again. */
    work_write("o2", "2");
    work_allocator.calls = 0;
    work_allocator.fail_at = 1;
    work_allocator.fail_for_ever = true;
    assert_int_equal(poll_for(SETTLED), 0);
    assert_in_range(work_allocator.calls, 1, 1000);
    work_allocator.fail_at = 0;
    assert_true(poll_for(SETTLED) != 0);
}

/* Random writes, renames, deletes and touches against the contents themselves. */
static void random_edits_tell_those_whose_content_differs(void **state)
{
    (void)state;
    enum {
        FILES = 12,
        IDS = 20
    };
    static const char *const contents[] = { NULL, "a", "b", "longer", "" };
    uint32_t on_disk[FILES] = { 0 };
    uint32_t seen[IDS][FILES];
    bool uses[IDS][FILES];
    char path[32];
    uint64_t random = seed;
    uint32_t told_count = 0;
    work_make_folder("model");
    twice = true;
    for (uint64_t id = 0; id < IDS; ++id) {
        gpool__source_file files[FILES];
        uint32_t count = 0;
        for (uint32_t f = 0; f < FILES; ++f) {
            uses[id][f] = unit_random_below(&random, 4) == 0;
            seen[id][f] = 0;
            if (uses[id][f]) {
                (void)snprintf(path, sizeof path, "model/%u", (unsigned)f);
                files[count++] = (gpool__source_file){ .kind = GPOOL__SOURCE_DISK,
                                                       .missing = true,
                                                       .path = strdup(work_path(path)) };
            }
        }
        assert_same(gpool__watch_set(&watch, id, files, count), GPOOL_OK);
        while (count > 0) {
            free(files[--count].path);
        }
    }
    for (int round = 0; round < 300; ++round) {
        for (uint64_t edits = unit_random_below(&random, 6); edits > 0; --edits) {
            const uint32_t f = (uint32_t)unit_random_below(&random, FILES);
            const uint32_t to = (uint32_t)unit_random_below(&random, UNIT_COUNT(contents));
            (void)snprintf(path, sizeof path, "model/%u", (unsigned)f);
            if (contents[to] == NULL) {
                (void)unlink(work_path(path));
            } else if (unit_random_below(&random, 2) == 0) {
                work_write(path, contents[to]);
            } else {
                work_write("model/new", contents[to]);
                assert_int_equal(rename(work_path("model/new"), work_path(path)), 0);
            }
            on_disk[f] = to;
            if (unit_random_below(&random, 3) == 0) {
                /* Nothing settles in so short a time, so what is told is of before. */
                assert_int_equal(poll_for(16), 0);
            }
        }
        uint64_t wanted = 0;
        for (uint64_t id = 0; id < IDS; ++id) {
            for (uint32_t f = 0; f < FILES; ++f) {
                wanted |= (uint64_t)(uses[id][f] && seen[id][f] != on_disk[f]) << id;
                seen[id][f] = on_disk[f];
            }
        }
        assert_int_equal(poll_for(SETTLED), wanted);
        told_count += wanted != 0;
    }
    twice = false;
    assert_in_range(told_count, 200, 300);
}

int main(int argc, char **argv)
{
    seed = unit_seed(argc, argv);
#define WATCH_TEST(function) cmocka_unit_test_setup_teardown(function, open_watch, close_watch)
    const struct CMUnitTest tests[] = {
        WATCH_TEST(change_of_a_file_tells_exactly_its_dependents),
        WATCH_TEST(touch_without_change_tells_nobody),
        WATCH_TEST(half_written_file_is_told_once_when_it_is_whole),
        WATCH_TEST(ways_in_which_editors_write_all_work),
        WATCH_TEST(edit_taken_back_before_it_settles_tells_nobody),
        WATCH_TEST(missing_file_is_told_when_it_appears),
        WATCH_TEST(file_that_cannot_be_taken_is_told_when_it_changes_and_not_before),
        WATCH_TEST(fresh_file_is_read_again_under_the_same_stamp),
        WATCH_TEST(two_lists_of_different_times_are_both_right),
        WATCH_TEST(poll_is_budgeted_and_allocates_nothing),
        WATCH_TEST(round_comes_at_the_set_rate),
        WATCH_TEST(marked_file_is_read_at_the_next_poll),
        WATCH_TEST(marked_file_is_found_however_its_path_is_spelled),
        WATCH_TEST(virtual_files_are_told_by_their_hash),
        WATCH_TEST(new_list_forgets_what_was_changed),
        WATCH_TEST(lack_of_memory_leaves_the_old_list),
        WATCH_TEST(random_edits_tell_those_whose_content_differs),
    };
    return cmocka_run_group_tests(tests, work_open_folder, work_close_folder);
}
