/*
 * Lists of elements that are written in one call: the same as a write each, in their order, and all or
 * none. The seed is the first argument.
 */
#include "writes_world.h"

static uint64_t test_seed;

/* Writes a list and follows it. */
static void write_list(sim_pool *p, follow *f, const uint32_t *indices, uint64_t count,
                       uint64_t stride, uint64_t seed)
{
    uint8_t *data = malloc(count * stride + 1);
    assert_non_null(data);
    follow_fill(data, count * stride, seed);
    gpool_stats before = sim_pool_stats(p);
    assert_same(gpool_buffer_write_scattered(p->pool, f->handle, indices, count, stride, data),
                GPOOL_OK);
    assert_int_equal(sim_pool_stats(p).written_bytes - before.written_bytes, count * stride);
    assert_int_equal(sim_pool_stats(p).allocations, before.allocations);
    for (uint64_t i = 0; i < count; ++i) {
        memcpy(f->bytes + indices[i] * stride, data + i * stride, stride);
    }
    free(data);
}

static void lists_of_all_strides_arrive_and_the_last_wins(void **state)
{
    (void)state;
    static const uint64_t strides[] = { 1,  2,   3,   4,   12,  16,  60,  63,   64,
                                        65, 100, 128, 129, 255, 256, 257, 1000, SIZE };
    for (uint32_t way = 0; way < 2 * GPOOL_UPLOAD_COUNT; ++way) {
        sim_pool p;
        uint64_t seed = test_seed + way;
        open_as(&p, way, (gpool_upload_way)(way / 2));
        follow f = follow_make(&p, SIZE + 1, FOLLOW_USAGE, 1);
        sim_pool_frame(&p);
        for (size_t s = 0; s < UNIT_COUNT(strides); ++s) {
            for (uint32_t round = 0; round < 6; ++round) {
                uint32_t indices[300];
                uint64_t count = round == 0 ? 1 : 1 + unit_random_below(&seed, 300);
                uint64_t among = (SIZE + 1) / strides[s]; /* the last element is among them */
                among = round % 2 == 1 && among > 40 ? 40 : among; /* many come again */
                for (uint64_t i = 0; i < count; ++i) {
                    indices[i] = (uint32_t)(round == 2 ? among - 1 - i % among
                                                       : unit_random_below(&seed, among));
                }
                /* Between small writes: behind those before, before those behind. */
                write_small(&p, &f, indices[0] * strides[s], 1, round + s);
                write_list(&p, &f, indices, count, strides[s], unit_random(&seed));
                write_small(&p, &f, indices[count - 1] * strides[s], 1, round + s + 99);
                assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
                follow_same(&p, &f, "a list");
            }
        }
        follow_end(&p, &f);
        sim_pool_close(&p, 0);
    }
}

/* More elements than are asked for ahead; those of every other place are there already. */
static void a_list_marks_what_it_changes_and_no_more(void **state)
{
    (void)state;
    sim_pool p;
    open_as(&p, 0, GPOOL_UPLOAD_AUTO);
    follow f = follow_make(&p, 64000, FOLLOW_USAGE, 1);
    sim_pool_frame(&p);
    uint32_t indices[200];
    uint8_t data[200 * 64];
    for (uint32_t i = 0; i < 200; ++i) {
        indices[i] = i * 4 + 3;
        memcpy(data + 64 * (size_t)i, f.bytes + 64 * (size_t)indices[i], 64);
        data[64 * i + i % 64] ^= i % 2;
    }
    assert_same(gpool_buffer_write_scattered(p.pool, f.handle, indices, 200, 64, data), GPOOL_OK);
    for (uint32_t i = 0; i < 200; ++i) {
        memcpy(f.bytes + 64 * (size_t)indices[i], data + 64 * (size_t)i, 64);
    }
    gpool_upload_info info = follow_explain(&p, &f);
    assert_int_equal(info.dirty_bytes, 100 * 64);
    assert_int_equal(info.dirty_ranges, 100);
    sim_pool_frame(&p);
    follow_same(&p, &f, "half a list");
    follow_end(&p, &f);
    sim_pool_close(&p, 0);
}

/* The same as a write each, as each copy may change the data of the next. */
static void data_in_the_shadow_itself_moves_as_by_single_writes(void **state)
{
    (void)state;
    static const uint64_t strides[] = { 1, 4, 16, 24, 64, 256, 300 };
    sim_pool p;
    uint64_t seed = test_seed;
    open_as(&p, 0, GPOOL_UPLOAD_AUTO);
    follow list = follow_make(&p, SIZE, FOLLOW_USAGE, 1);
    follow single = follow_make(&p, SIZE, FOLLOW_USAGE, 1);
    sim_pool_frame(&p);
    for (uint32_t round = 0; round < 200; ++round) {
        uint64_t stride = strides[round % UNIT_COUNT(strides)];
        uint64_t count = 1 + unit_random_below(&seed, 40);
        uint64_t size = count * stride;
        uint64_t from = round % 3 == 0 ? 0 : unit_random_below(&seed, SIZE - size + 1);
        uint32_t indices[40];
        for (uint64_t i = 0; i < count; ++i) {
            /* Half of them near the data. */
            uint64_t near_data = from / stride + unit_random_below(&seed, count + 1);
            indices[i] = (uint32_t)(i % 2 == 0 && near_data < SIZE / stride
                                        ? near_data
                                        : unit_random_below(&seed, SIZE / stride));
        }
        const uint8_t *here = gpool_buffer_edit(p.pool, list.handle, from, size);
        const uint8_t *there = gpool_buffer_edit(p.pool, single.handle, from, size);
        assert_non_null(here);
        assert_non_null(there);
        assert_same(gpool_buffer_write_scattered(p.pool, list.handle, indices, count, stride, here),
                    GPOOL_OK);
        for (uint64_t i = 0; i < count; ++i) {
            memmove(list.bytes + indices[i] * stride, list.bytes + from + i * stride, stride);
            assert_same(gpool_buffer_write(p.pool, single.handle, indices[i] * stride,
                                           there + i * stride, stride),
                        GPOOL_OK);
        }
        sim_pool_frame(&p);
        follow_same(&p, &list, "a list from the shadow");
        memcpy(single.bytes, list.bytes, SIZE);
        follow_same(&p, &single, "single writes from the shadow");
    }
    follow_end(&p, &list);
    follow_end(&p, &single);
    sim_pool_close(&p, 0);
}

static void neighbours_of_a_gpu_written_buffer_are_one_queue_write(void **state)
{
    (void)state;
    static const struct {
        uint32_t indices[8];
        uint32_t count;
        uint64_t calls;
    } lists[] = {
        { { 5 }, 1, 1 },
        { { 5, 6, 7, 8, 9, 10, 11, 12 }, 8, 1 },
        { { 5, 6, 7, 20, 21, 3, 4, 5 }, 8, 3 },
        { { 5, 5, 5, 6 }, 4, 3 }, /* the same again is no neighbour */
        { { 9, 8, 7, 6 }, 4, 4 },
        { { 0, 1, 3, 4, 6, 7, 9, 10 }, 8, 4 },
    };
    for (uint32_t personality = 0; personality < 2; ++personality) {
        sim_pool p;
        open_as(&p, personality, GPOOL_UPLOAD_AUTO);
        follow f = follow_make(&p, 4096, COPYING | GPOOL_BUFFER_STORAGE_WRITE, 1);
        sim_pool_frame(&p);
        for (size_t i = 0; i < UNIT_COUNT(lists); ++i) {
            uint64_t calls = sim_call_count(p.s, GPOOL_GPU_QueueWriteBuffer);
            write_list(&p, &f, lists[i].indices, lists[i].count, i % 2 == 0 ? 4 : 128, i + 9);
            calls = sim_call_count(p.s, GPOOL_GPU_QueueWriteBuffer) - calls;
            assert_int_equal(calls, lists[i].calls);
            sim_pool_frame(&p);
            follow_same(&p, &f, "gpu-written");
        }
        follow_end(&p, &f);
        sim_pool_close(&p, 0);
    }
}

/* Arguments that are refused change nothing, wherever in the list they stand. */
static void a_refused_list_writes_nothing(void **state)
{
    (void)state;
    for (uint32_t written = 0; written < 2; ++written) {
        sim_pool p;
        open_as(&p, written, GPOOL_UPLOAD_AUTO);
        follow f =
            follow_make(&p, 4096, COPYING | (written != 0 ? GPOOL_BUFFER_STORAGE_WRITE : 0), 1);
        sim_pool_frame(&p);
        for (uint32_t bad = 0; bad < 100; ++bad) {
            uint32_t indices[100];
            uint8_t data[100 * 16];
            follow_fill(data, sizeof data, bad);
            for (uint32_t i = 0; i < 100; ++i) {
                indices[i] = i == bad ? 256 + (i % 2 == 0 ? 0 : UINT32_MAX - 300) : i;
            }
            gpool_stats before = sim_pool_stats(&p);
            assert_same(gpool_buffer_write_scattered(p.pool, f.handle, indices, 100, 16, data),
                        GPOOL_ERROR_OUT_OF_RANGE);
            gpool_stats after = sim_pool_stats(&p);
            after.errors -= 1;
            assert_memory_equal(&after, &before, sizeof after);
            assert_true(!is_enlisted(&p, f.handle));
        }
        read_same(&p, &f, "refused");
        follow_end(&p, &f);
        sim_pool_close(&p, 0);
    }
}

/* What a refill leaves of the list that waits for it. */
typedef struct forger {
    uint32_t indices[4];
    uint32_t forged;
    uint32_t calls;
} forger;

static gpool_result refill_and_forge(void *user, gpool *pool, gpool_buffer buffer,
                                     const gpool_buffer_info *info, void *bytes)
{
    forger *f = user;
    (void)pool;
    (void)buffer;
    memset(bytes, 0x33, info->size);
    f->indices[2] = f->forged;
    f->calls += 1;
    return GPOOL_OK;
}

/* The refill runs in the middle of the call: indices that it changes are checked again. */
static void a_refill_cannot_smuggle_indices_in(void **state)
{
    (void)state;
    static const uint32_t forged[] = { 1023, 1024, UINT32_MAX };
    for (uint32_t i = 0; i < 2 * UNIT_COUNT(forged); ++i) {
        sim_pool p;
        open_as(&p, i, GPOOL_UPLOAD_AUTO);
        forger f = { .indices = { 5, 6, 7, 8 }, .forged = forged[i / 2] };
        uint8_t bytes[4096];
        uint8_t wanted[4096];
        memset(bytes, 0, sizeof bytes);
        memset(wanted, 0x33, sizeof wanted);
        gpool_buffer_desc desc = { .data = bytes,
                                   .size = sizeof bytes,
                                   .usage = FOLLOW_USAGE,
                                   .keep = GPOOL_KEEP_DROP,
                                   .refill = refill_and_forge,
                                   .refill_user = &f };
        gpool_buffer buffer = gpool_buffer_create(p.pool, &desc);
        sim_pool_frame(&p);
        bool good = f.forged < 1024;
        assert_same(
            gpool_buffer_write_scattered(p.pool, buffer, f.indices, 4, 4, "abcdefghijklmnop"),
            good ? GPOOL_OK : GPOOL_ERROR_OUT_OF_RANGE);
        assert_int_equal(f.calls, 1);
        if (good) {
            memcpy(wanted + 20, "abcdefgh", 8);
            memcpy(wanted + 4092, "ijkl", 4);
            memcpy(wanted + 32, "mnop", 4);
        }
        assert_same(gpool_buffer_read(p.pool, buffer, 0, bytes, sizeof bytes), GPOOL_OK);
        assert_memory_equal(bytes, wanted, sizeof bytes);
        assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
        sim_pool_close(&p, 0);
    }
}

int main(int argc, char **argv)
{
    test_seed = unit_seed(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_of_all_strides_arrive_and_the_last_wins),
        cmocka_unit_test(a_list_marks_what_it_changes_and_no_more),
        cmocka_unit_test(data_in_the_shadow_itself_moves_as_by_single_writes),
        cmocka_unit_test(neighbours_of_a_gpu_written_buffer_are_one_queue_write),
        cmocka_unit_test(a_refused_list_writes_nothing),
        cmocka_unit_test(a_refill_cannot_smuggle_indices_in),
    };
    return cmocka_run_group_tests_name("sim_write_lists", tests, NULL, NULL);
}
