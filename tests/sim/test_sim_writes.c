/*
 * Small writes wait in a short queue on their way into shadows. Whatever follows sees the bytes in the
 * order in which they were written. The seed is the first argument.
 */
#include "writes_world.h"

static uint64_t test_seed;

/* --- small writes wait --- */

static void all_sizes_at_all_offsets_arrive(void **state)
{
    (void)state;
    for (uint32_t personality = 0; personality < 2; ++personality) {
        sim_pool p;
        open_as(&p, personality, GPOOL_UPLOAD_AUTO);
        follow f = follow_make(&p, SIZE, FOLLOW_USAGE, 1);
        sim_pool_frame(&p);
        uint32_t after = 0;
        for (uint64_t size = 1; size <= 257; ++size) {
            for (uint64_t offset = 0; offset <= 70; ++offset) {
                /* Each reaches into those before; every few the GPU is looked at. */
                uint64_t at = size * 60 + offset;
                follow_fill(f.bytes + at, size, size * 71 + offset);
                assert_same(gpool_buffer_write(p.pool, f.handle, at, f.bytes + at, size), GPOOL_OK);
                assert_true(size > 256 ? waiting(&p) == 0 : waiting(&p) > 0);
                if (++after % 97 == 0) {
                    assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
                    follow_same(&p, &f, "all sizes");
                }
            }
        }
        assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
        follow_same(&p, &f, "the last ones");
        follow_end(&p, &f);
        sim_pool_close(&p, 0);
    }
}

/* The same place again and again, and ranges that overlap, some of them too large to wait. */
static void the_last_write_wins(void **state)
{
    (void)state;
    for (uint32_t personality = 0; personality < 2; ++personality) {
        sim_pool p;
        uint64_t seed = test_seed + personality;
        open_as(&p, personality, GPOOL_UPLOAD_AUTO);
        follow f = follow_make(&p, SIZE, FOLLOW_USAGE, 1);
        follow tiny = follow_make(&p, 33, FOLLOW_USAGE, 2);
        sim_pool_frame(&p);
        for (uint32_t round = 0; round < 400; ++round) {
            uint64_t base = unit_random_below(&seed, SIZE - 1000);
            for (uint64_t left = 1 + unit_random_below(&seed, 70); left > 0; --left) {
                follow *to = left % 5 == 0 ? &tiny : &f;
                uint64_t offset = to == &tiny ? unit_random_below(&seed, 33)
                                              : base + unit_random_below(&seed, 90);
                uint64_t size = 1 + unit_random_below(&seed, left % 16 == 0 ? 400 : 80);
                size = to == &tiny && size > 33 - offset ? 33 - offset : size;
                follow_fill(to->bytes + offset, size, unit_random(&seed) % 3);
                assert_same(
                    gpool_buffer_write(p.pool, to->handle, offset, to->bytes + offset, size),
                    GPOOL_OK);
            }
            if (round % 2 == 0) {
                assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
                follow_same(&p, &f, "overlapping");
                follow_same(&p, &tiny, "overlapping in one granule");
            }
        }
        read_same(&p, &f, "the end");
        follow_end(&p, &f);
        follow_end(&p, &tiny);
        sim_pool_close(&p, 0);
    }
}

/* Where the map's words are all clear, at each of its levels: 4 KiB, 256 KiB and 16 MiB. */
static void the_first_write_of_a_clean_map_arrives(void **state)
{
    (void)state;
    static const uint64_t places[] = { 0,       4096,     5000,     262144,
                                       263000,  1u << 20, 16777216, 16777216 + 262144,
                                       20971500 };
    sim_pool p;
    open_as(&p, 0, GPOOL_UPLOAD_AUTO);
    follow f = follow_make(&p, 20u << 20, FOLLOW_USAGE, 1);
    sim_pool_frame(&p);
    for (uint32_t list = 0; list < 2; ++list) {
        for (size_t i = 0; i < UNIT_COUNT(places); ++i) {
            uint32_t index = (uint32_t)places[i] / 4;
            uint64_t from = index * UINT64_C(4);
            follow_fill(f.bytes + from, 4, list * 50 + i + 2);
            assert_same(list != 0 ? gpool_buffer_write_scattered(p.pool, f.handle, &index, 1, 4,
                                                                 f.bytes + from)
                                  : gpool_buffer_write(p.pool, f.handle, from, f.bytes + from, 4),
                        GPOOL_OK);
            assert_int_equal(follow_explain(&p, &f).dirty_bytes, 64);
            sim_pool_frame(&p);
            uint8_t got[4];
            assert_true(sim_read_buffer(p.s, follow_gpu(&p, &f), from, got, 4));
            assert_memory_equal(got, f.bytes + from, 4);
        }
    }
    follow_same(&p, &f, "a clean map");
    follow_end(&p, &f);
    sim_pool_close(&p, 0);
}

#define MANY 100u

static void more_than_can_wait_arrive_at_many_buffers(void **state)
{
    (void)state;
    for (uint32_t personality = 0; personality < 2; ++personality) {
        sim_pool p;
        open_as(&p, personality, GPOOL_UPLOAD_AUTO);
        static follow many[MANY];
        for (uint32_t i = 0; i < MANY; ++i) {
            many[i] = follow_make(&p, 5 + i * 31 % 700, FOLLOW_USAGE, i);
        }
        sim_pool_frame(&p);
        for (uint32_t count = 1; count <= MANY; count += count < 40 ? 1 : 30) {
            for (uint32_t i = 0; i < count; ++i) {
                write_small(&p, &many[i], i % 4, 1, count * 7 + i);
                assert_int_equal(waiting(&p), i < 32 ? i + 1 : 32);
            }
            assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
            assert_int_equal(waiting(&p), 0);
            for (uint32_t i = 0; i < MANY; ++i) {
                follow_same(&p, &many[i], "many");
            }
        }
        for (uint32_t i = 0; i < MANY; ++i) {
            follow_end(&p, &many[i]);
        }
        sim_pool_close(&p, 0);
    }
}

static void a_write_of_what_is_there_marks_nothing(void **state)
{
    (void)state;
    for (uint32_t personality = 0; personality < 2; ++personality) {
        sim_pool p;
        open_as(&p, personality, GPOOL_UPLOAD_AUTO);
        follow f = follow_make(&p, SIZE, FOLLOW_USAGE, 1);
        sim_pool_frame(&p);
        static const uint32_t twice[] = { 7, 3, 7 };
        uint8_t list[3 * 64];
        for (uint32_t i = 0; i < 3; ++i) {
            memcpy(list + 64 * (size_t)i, f.bytes + 64 * (size_t)twice[i], 64);
        }
        for (uint64_t size = 1; size <= 256; ++size) {
            uint64_t at = size * 67 % 9000;
            assert_same(gpool_buffer_write(p.pool, f.handle, at, f.bytes + at, size), GPOOL_OK);
        }
        assert_same(gpool_buffer_write_scattered(p.pool, f.handle, twice, 3, 64, list), GPOOL_OK);
        assert_false(is_enlisted(&p, f.handle));
        gpool_buffer_info info;
        assert_same(gpool_buffer_get_info(p.pool, f.handle, &info), GPOOL_OK);
        assert_int_equal(info.dirty_bytes, 0);
        uint64_t calls = sim_pool_stats(&p).gpu_calls;
        assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
        assert_int_equal(sim_pool_stats(&p).gpu_calls, calls);
        /* One byte of many is enough. */
        f.bytes[300 + 255] ^= 1;
        assert_same(gpool_buffer_write(p.pool, f.handle, 300, f.bytes + 300, 256), GPOOL_OK);
        assert_same(gpool_buffer_get_info(p.pool, f.handle, &info), GPOOL_OK);
        assert_int_equal(info.dirty_bytes, 5 * 64);
        sim_pool_frame(&p);
        follow_same(&p, &f, "one byte");
        follow_end(&p, &f);
        sim_pool_close(&p, 0);
    }
}

/* --- what follows sees them --- */

static void questions_see_what_waits(void **state)
{
    (void)state;
    sim_pool p;
    open_as(&p, 0, GPOOL_UPLOAD_AUTO);
    follow f = follow_make(&p, SIZE, FOLLOW_USAGE, 1);
    sim_pool_frame(&p);
    write_small(&p, &f, 640, 4, 2);
    write_small(&p, &f, 6400, 4, 2);
    gpool_buffer_info info;
    assert_same(gpool_buffer_get_info(p.pool, f.handle, &info), GPOOL_OK);
    assert_int_equal(info.dirty_bytes, 128);
    write_small(&p, &f, 12800, 4, 2);
    gpool_upload_info upload = follow_explain(&p, &f);
    assert_int_equal(upload.dirty_bytes, 192);
    assert_int_equal(upload.dirty_ranges, 3);
    write_small(&p, &f, 100, 7, 3);
    read_same(&p, &f, "a read");
    write_small(&p, &f, 100, 7, 4);
    assert_int_not_equal(gpool_buffer_gpu(p.pool, f.handle, GPOOL_ACCESS_READ), NULL);
    sim_pool_frame(&p);
    follow_same(&p, &f, "raw access");
    follow_end(&p, &f);
    sim_pool_close(&p, 0);
}

static void a_resize_keeps_what_waits(void **state)
{
    (void)state;
    static const uint64_t sizes[] = { SIZE + 4000, 500, 90, SIZE };
    sim_pool p;
    open_as(&p, 0, GPOOL_UPLOAD_AUTO);
    follow f = follow_make(&p, SIZE, FOLLOW_USAGE, 1);
    for (size_t i = 0; i < UNIT_COUNT(sizes); ++i) {
        write_small(&p, &f, 10, 60, i + 2);
        write_small(&p, &f, f.size - 9, 9, i + 3);
        assert_same(gpool_buffer_resize(p.pool, f.handle, sizes[i]), GPOOL_OK);
        f.bytes = realloc(f.bytes, sizes[i]);
        assert_non_null(f.bytes);
        if (sizes[i] > f.size) {
            memset(f.bytes + f.size, 0, sizes[i] - f.size);
        }
        f.size = sizes[i];
        read_same(&p, &f, "a resize");
    }
    follow_end(&p, &f);
    sim_pool_close(&p, 0);
}

/* Commands that read it, and those that write it, which drops the shadow. */
static void commands_come_behind_what_waits(void **state)
{
    (void)state;
    for (uint32_t way = 0; way < 2 * GPOOL_UPLOAD_COUNT; ++way) {
        sim_pool p;
        open_as(&p, way, (gpool_upload_way)(way / 2));
        follow from = follow_make(&p, SIZE, COPYING, 1);
        follow to = follow_make(&p, SIZE, COPYING, 2);
        follow cleared = follow_make(&p, SIZE, COPYING, 3);
        follow recorded = follow_make(&p, SIZE, COPYING, 4);
        sim_pool_frame(&p);
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        gpool_recorder rec = gpool_frame_recorder(p.pool);
        write_small(&p, &to, 2000, 8, 5);
        write_small(&p, &from, 100, 8, 6);
        gpool_copy_buffer(rec, from.handle, 0, to.handle, 0, 1000);
        memcpy(to.bytes, from.bytes, 1000);
        /* Seen by the copy, as it comes before the submit; the target is gpu-written now. */
        write_small(&p, &from, 100, 16, 7);
        memcpy(to.bytes + 100, from.bytes + 100, 16);
        write_small(&p, &cleared, 12, 8, 8);
        gpool_clear_buffer(rec, cleared.handle, 16, 4);
        memset(cleared.bytes + 16, 0, 4);
        write_small(&p, &recorded, 12, 8, 9);
        gpool_record_write(rec, recorded.handle, 16, "abcd", 4);
        memcpy(recorded.bytes + 16, "abcd", 4);
        /* Destroyed right behind a write: the copy still sees it. */
        write_small(&p, &from, 300, 200, 10);
        memcpy(to.bytes + 300, from.bytes + 300, 200);
        follow_end(&p, &from);
        assert_int_equal(waiting(&p), 0);
        assert_same(gpool_end_frame(p.pool), GPOOL_OK);
        follow_same(&p, &to, "a copy");
        follow_same(&p, &cleared, "a clear");
        follow_same(&p, &recorded, "a recorded write");
        follow_end(&p, &to);
        follow_end(&p, &cleared);
        follow_end(&p, &recorded);
        sim_pool_close(&p, 0);
    }
}

static void what_waits_survives_a_loss(void **state)
{
    (void)state;
    for (uint32_t personality = 0; personality < 2; ++personality) {
        sim_pool p;
        open_as(&p, personality, GPOOL_UPLOAD_AUTO);
        follow f = follow_make(&p, SIZE, FOLLOW_USAGE, 1);
        sim_pool_frame(&p);
        write_small(&p, &f, 100, 8, 2);
        sim_lose(p.s);
        write_small(&p, &f, 104, 8, 3);
        assert_same(gpool_process_uploads(p.pool), GPOOL_ERROR_DEVICE_LOST);
        write_small(&p, &f, 108, 8, 4);
        gpool_device_release(p.device);
        gpool_device_desc device = { .gpu = &p.table, .log = sim_pool_on_log, .log_user = &p };
        assert_same(gpool_device_open(&device, &p.device), GPOOL_OK);
        write_small(&p, &f, 111, 8, 5);
        assert_same(gpool_recover(p.pool, p.device, NULL, NULL), GPOOL_OK);
        write_small(&p, &f, 113, 8, 6);
        read_same(&p, &f, "after a loss");
        follow_end(&p, &f);
        sim_pool_close(&p, 0);
    }
}

typedef struct refill {
    sim_pool *p;
    follow *shadowed;
    follow *written;
    uint32_t calls;
} refill;

/* Fills a gpu-written buffer in small pieces, and writes to others beside. */
static gpool_result refill_in_pieces(void *user, gpool *pool, gpool_buffer buffer,
                                     const gpool_buffer_info *info)
{
    refill *r = user;
    assert_int_equal(info->size, r->written->size);
    r->calls += 1;
    for (uint64_t at = 0; at < info->size; at += 100) {
        write_small(r->p, r->shadowed, at * 3, 50, at + r->calls);
        assert_same(gpool_buffer_write(pool, buffer, at, r->written->bytes + at, 100), GPOOL_OK);
        write_small(r->p, r->shadowed, at * 3 + 20, 50, at + 9 * r->calls);
    }
    return GPOOL_OK;
}

static void refills_write_small_pieces(void **state)
{
    (void)state;
    for (uint32_t personality = 0; personality < 2; ++personality) {
        sim_pool p;
        open_as(&p, personality, GPOOL_UPLOAD_AUTO);
        follow f = follow_make(&p, SIZE, FOLLOW_USAGE, 1);
        follow written[2] = { follow_make(&p, 4000, COPYING | GPOOL_BUFFER_STORAGE_WRITE, 2),
                              follow_make(&p, 4000, COPYING | GPOOL_BUFFER_STORAGE_WRITE, 2) };
        sim_pool_frame(&p);
        write_small(&p, &f, 100, 8, 2);
        refill r = { &p, &f, &written[0], 0 };
        gpool_recover_desc desc = { .user = &r, .refill_buffer = refill_in_pieces };
        gpool_device *old = p.device;
        gpool_device_desc device = { .gpu = &p.table, .log = sim_pool_on_log, .log_user = &p };
        assert_same(gpool_device_open(&device, &p.device), GPOOL_OK);
        assert_same(gpool_recover(p.pool, p.device, &desc, NULL), GPOOL_OK);
        assert_int_equal(waiting(&p), 0);
        assert_int_equal(r.calls, 2);
        gpool_device_release(old);
        read_same(&p, &f, "written by refills");
        read_same(&p, &written[0], "refilled");
        read_same(&p, &written[1], "refilled");
        follow_end(&p, &f);
        follow_end(&p, &written[0]);
        follow_end(&p, &written[1]);
        sim_pool_close(&p, 0);
    }
}

/* Sent, but not submitted, it still has its shadow: what is written then goes with that submit. */
static void a_buffer_that_drops_its_shadow_gets_what_waits(void **state)
{
    (void)state;
    for (uint32_t personality = 0; personality < 2; ++personality) {
        sim_pool p;
        open_as(&p, personality, GPOOL_UPLOAD_DIRECT);
        follow f = { .size = SIZE, .bytes = calloc(1, SIZE) };
        assert_non_null(f.bytes);
        gpool_buffer_desc desc = {
            .data = f.bytes, .size = SIZE, .usage = FOLLOW_USAGE, .keep = GPOOL_KEEP_DROP
        };
        f.handle = gpool_buffer_create(p.pool, &desc);
        write_small(&p, &f, 100, 8, 2);
        assert_non_null(gpool_buffer_gpu(p.pool, f.handle, GPOOL_ACCESS_READ));
        assert_false(is_enlisted(&p, f.handle));
        write_small(&p, &f, 104, 8, 3);
        sim_pool_frame(&p);
        follow_same(&p, &f, "dropped");
        gpool_buffer_info info;
        assert_same(gpool_buffer_get_info(p.pool, f.handle, &info), GPOOL_OK);
        assert_true(info.dropped);
        /* No shadow, nothing to wait for. */
        assert_same(gpool_buffer_write(p.pool, f.handle, 0, f.bytes, 4), GPOOL_ERROR_NO_SHADOW);
        follow_end(&p, &f);
        sim_pool_close(&p, 0);
    }
}

/* A pool that measures its calls lets nothing wait. */
static void a_pool_that_measures_makes_writes_at_once(void **state)
{
    (void)state;
    sim_pool p;
    open_as(&p, 0, GPOOL_UPLOAD_AUTO);
    gpool *other = p.pool;
    gpool_desc desc = { .compile_workers = GPOOL_WORKERS_NONE,
                        .label = "measures",
                        .measure = true };
    assert_same(gpool_create(p.device, &desc, &p.pool), GPOOL_OK);
    follow f = follow_make(&p, SIZE, FOLLOW_USAGE, 1);
    sim_pool_frame(&p);
    uint64_t own = sim_pool_stats(&p).own_ns;
    for (uint64_t i = 0; i < 2000; ++i) {
        follow_write(&p, &f, i * 9, 50, i * 3 + 2);
        assert_int_equal(waiting(&p), 0);
    }
    assert_true(sim_pool_stats(&p).own_ns > own);
    sim_pool_frame(&p);
    follow_same(&p, &f, "measured");
    follow_end(&p, &f);
    gpool_destroy(p.pool);
    p.pool = other;
    sim_pool_close(&p, 0);
}

/* --- beside edits --- */

static void memory_of_an_edit_has_all_writes_at_once(void **state)
{
    (void)state;
    for (uint32_t personality = 0; personality < 2; ++personality) {
        sim_pool p;
        open_as(&p, personality, GPOOL_UPLOAD_AUTO);
        follow f = follow_make(&p, SIZE, FOLLOW_USAGE, 1);
        sim_pool_frame(&p);
        for (uint32_t round = 0; round < 3; ++round) {
            write_small(&p, &f, 100, 40, round * 5 + 2);
            uint8_t *memory = gpool_buffer_edit(p.pool, f.handle, 0, 1000);
            assert_non_null(memory);
            assert_memory_equal(memory, f.bytes, 1000); /* what came before is there */
            memset(memory + 110, 0x11, 10);
            memset(f.bytes + 110, 0x11, 10);
            /* Later ones are seen at once, before any other call, and do not come again. */
            follow_fill(f.bytes + 105, 10, round + 77);
            assert_same(gpool_buffer_write(p.pool, f.handle, 105, f.bytes + 105, 10), GPOOL_OK);
            assert_memory_equal(memory, f.bytes, 1000);
            assert_same(gpool_buffer_write_elements(p.pool, f.handle, 40, 1, 4, "abcd"), GPOOL_OK);
            memcpy(f.bytes + 160, "abcd", 4);
            assert_same(
                gpool_buffer_write_scattered(p.pool, f.handle, &(uint32_t){ 50 }, 1, 4, "efgh"),
                GPOOL_OK);
            memcpy(f.bytes + 200, "efgh", 4);
            assert_memory_equal(memory, f.bytes, 1000);
            memset(memory + 100, 0x22, 60);
            memset(f.bytes + 100, 0x22, 60);
            sim_pool_frame(&p);
            follow_same(&p, &f, "edited");
        }
        follow_end(&p, &f);
        sim_pool_close(&p, 0);
    }
}

/* Nothing was sent, so the memory may still be changed: over what was written after the refusal. */
static void memory_of_an_edit_is_good_after_a_refused_submit(void **state)
{
    (void)state;
    for (uint32_t personality = 0; personality < 2; ++personality) {
        sim_pool p;
        open_as(&p, personality, GPOOL_UPLOAD_MERGED);
        follow f = follow_make(&p, SIZE, FOLLOW_USAGE, 1);
        sim_pool_frame(&p);
        uint8_t *memory = gpool_buffer_edit(p.pool, f.handle, 0, 1000);
        assert_non_null(memory);
        sim_fail(p.s, GPOOL_GPU_QueueSubmit, 1, SIM_FAIL_VALIDATION, false);
        assert_same(gpool_process_uploads(p.pool), GPOOL_ERROR_GPU);
        assert_int_equal(sim_fail_hits(p.s), 1);
        sim_fail_none(p.s);
        assert_same(gpool_buffer_write(p.pool, f.handle, 500, "write", 5), GPOOL_OK);
        memcpy(memory + 502, "edit", 4);
        memcpy(f.bytes + 500, "wredit", 6);
        assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
        follow_same(&p, &f, "edited after a refused submit");
        follow_end(&p, &f);
        sim_pool_close(&p, 0);
    }
}

int main(int argc, char **argv)
{
    test_seed = unit_seed(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_sizes_at_all_offsets_arrive),
        cmocka_unit_test(the_last_write_wins),
        cmocka_unit_test(the_first_write_of_a_clean_map_arrives),
        cmocka_unit_test(more_than_can_wait_arrive_at_many_buffers),
        cmocka_unit_test(a_write_of_what_is_there_marks_nothing),
        cmocka_unit_test(questions_see_what_waits),
        cmocka_unit_test(a_resize_keeps_what_waits),
        cmocka_unit_test(commands_come_behind_what_waits),
        cmocka_unit_test(what_waits_survives_a_loss),
        cmocka_unit_test(refills_write_small_pieces),
        cmocka_unit_test(a_buffer_that_drops_its_shadow_gets_what_waits),
        cmocka_unit_test(a_pool_that_measures_makes_writes_at_once),
        cmocka_unit_test(memory_of_an_edit_has_all_writes_at_once),
        cmocka_unit_test(memory_of_an_edit_is_good_after_a_refused_submit),
    };
    return cmocka_run_group_tests_name("sim_writes", tests, NULL, NULL);
}
