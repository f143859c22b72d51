/* Several pools: on one device, in any order of ending, at the limit, one after another. */
#include "gpu/fixture.h"

#include <string.h>

int gpu_pools_run(void);

#define COPYABLE  (GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_READ_BACK)
#define MAX_POOLS 16

static gpool *make_pool(fixture *f, const char *label)
{
    gpool *pool = NULL;
    gpool_desc desc = { .compile_workers = GPOOL_WORKERS_NONE,
                        .label = label,
                        .log = fixture_on_log,
                        .log_user = &f->log,
                        .allocator = fixture_allocator() };
    assert_good(gpool_create(f->device, &desc, &pool));
    return pool;
}

static gpool_buffer make_buffer(gpool *pool, const void *data, uint64_t size)
{
    gpool_buffer_desc desc = { .data = data, .size = size, .usage = COPYABLE, .label = "bytes" };
    gpool_buffer buffer = gpool_buffer_create(pool, &desc);
    assert_int_not_equal(buffer.id, 0);
    return buffer;
}

static void check_buffer(gpool *pool, gpool_buffer buffer, const void *wanted, size_t size)
{
    uint8_t got[64] = { 0 };
    assert_good(gpool_buffer_read(pool, buffer, 0, got, size));
    assert_bytes(got, wanted, size);
}

static void two_pools_work_side_by_side(void **state)
{
    fixture *f = *state;
    for (int order = 0; order < 2; ++order) {
        gpool *pools[2] = { make_pool(f, "first"), make_pool(f, "second") };
        gpool_buffer from[2];
        gpool_buffer to[2];
        const uint32_t words[2] = { 0x11111111, 0x22222222 };
        for (int i = 0; i < 2; ++i) {
            from[i] = make_buffer(pools[i], NULL, 4);
            to[i] = make_buffer(pools[i], NULL, 4);
            assert_good(gpool_begin_frame(pools[i]));
        }
        for (int i = 0; i < 2; ++i) {
            gpool_copy_buffer(gpool_frame_recorder(pools[i]), from[i], 0, to[i], 0, 4);
            assert_good(gpool_buffer_write(pools[i], from[i], 0, &words[i], 4));
        }
        assert_good(gpool_end_frame(pools[1 - order]));
        assert_good(gpool_end_frame(pools[order]));
        /* One pool's handles mean nothing to the other. */
        assert_result(gpool_buffer_write(pools[0], from[1], 0, words, 4),
                      GPOOL_ERROR_FOREIGN_HANDLE);
        assert_result(gpool_buffer_destroy(pools[1], from[0]), GPOOL_ERROR_FOREIGN_HANDLE);
        fixture_expect(f, GPOOL_LOG_HANDLE_FOREIGN, 2);
        check_buffer(pools[order], to[order], &words[order], 4);
        gpool_destroy(pools[order]);
        fixture_expect(f, GPOOL_LOG_LEAK, 2);
        check_buffer(pools[1 - order], to[1 - order], &words[1 - order], 4);
        gpool_destroy(pools[1 - order]);
        fixture_expect(f, GPOOL_LOG_LEAK, 2);
    }
}

static void pools_keep_the_device(void **state)
{
    fixture *f = *state;
    gpool_device *device = fixture_open_with(NULL, 0);
    gpool *pool = NULL;
    assert_good(gpool_create(device,
                             &(gpool_desc){ .compile_workers = GPOOL_WORKERS_NONE,
                                            .log = fixture_on_log,
                                            .log_user = &f->log,
                                            .allocator = fixture_allocator() },
                             &pool));
    gpool_device_release(device);
    assert_ptr_equal(gpool_pool_device(pool), device);
    const uint32_t word = 77;
    gpool_buffer buffer = make_buffer(pool, &word, 4);
    check_buffer(pool, buffer, &word, 4);
    assert_good(gpool_buffer_destroy(pool, buffer));
    gpool_destroy(pool);
}

static void the_seventeenth_pool_is_refused(void **state)
{
    fixture *f = *state;
    gpool *pools[MAX_POOLS] = { NULL };
    for (int i = 1; i < MAX_POOLS; ++i) { /* one is the fixture's */
        pools[i] = make_pool(f, "one of many");
    }
    gpool *more = f->pool;
    gpool_desc desc = { .compile_workers = GPOOL_WORKERS_NONE,
                        .label = "too many",
                        .log = fixture_on_log,
                        .log_user = &f->log,
                        .allocator = fixture_allocator() };
    assert_result(gpool_create(f->device, &desc, &more), GPOOL_ERROR_TOO_MANY_POOLS);
    assert_null(more);
    fixture_expect(f, GPOOL_LOG_POOLS, 1);
    const uint32_t word = 5;
    for (int i = 1; i < MAX_POOLS; ++i) {
        gpool_buffer buffer = make_buffer(pools[i], &word, 4);
        check_buffer(pools[i], buffer, &word, 4);
        assert_good(gpool_buffer_destroy(pools[i], buffer));
    }
    gpool_destroy(pools[7]);
    pools[7] = make_pool(f, "in its place");
    for (int i = 1; i < MAX_POOLS; ++i) {
        gpool_destroy(pools[i]);
    }
}

static void handles_of_a_dead_pool_stay_dead(void **state)
{
    fixture *f = *state;
    gpool *pool = make_pool(f, "first");
    gpool_buffer old = make_buffer(pool, NULL, 4);
    uint32_t tag = gpool_handle_tag(old.id);
    gpool_destroy(pool);
    bool met = false;
    for (int i = 0; i < 40; ++i) {
        pool = make_pool(f, "next");
        gpool_buffer fresh = make_buffer(pool, NULL, 4);
        assert_int_not_equal(fresh.id, old.id);
        gpool_result result = gpool_buffer_write(pool, old, 0, "abcd", 4);
        bool same_tag = gpool_handle_tag(fresh.id) == tag;
        met = met || same_tag;
        assert_result(result, same_tag ? GPOOL_ERROR_STALE_HANDLE : GPOOL_ERROR_FOREIGN_HANDLE);
        fixture_expect(f, same_tag ? GPOOL_LOG_HANDLE_STALE : GPOOL_LOG_HANDLE_FOREIGN, 1);
        assert_true(!same_tag ||
                    gpool_handle_generation(fresh.id) > gpool_handle_generation(old.id));
        assert_good(gpool_buffer_destroy(pool, fresh));
        gpool_destroy(pool);
    }
    assert_true(met);
}

static void slots_are_used_again_under_new_generations(void **state)
{
    fixture *f = *state;
    gpool_buffer last = { 0 };
    bool reused = false;
    for (int i = 0; i < 30; ++i) { /* a log repeats an id 32 times */
        gpool_buffer buffer = fixture_buffer(f, NULL, 4, COPYABLE);
        reused =
            reused || (last.id != 0 && gpool_handle_slot(buffer.id) == gpool_handle_slot(last.id));
        if (last.id != 0) {
            assert_int_not_equal(buffer.id, last.id);
            assert_result(gpool_buffer_write(f->pool, last, 0, "abcd", 4),
                          GPOOL_ERROR_STALE_HANDLE);
            fixture_expect(f, GPOOL_LOG_HANDLE_STALE, 1);
        }
        assert_good(gpool_buffer_destroy(f->pool, buffer));
        assert_good(gpool_wait_idle(f->pool));
        assert_good(gpool_tick(f->pool));
        last = buffer;
    }
    assert_true(reused);
}

static void every_leak_is_named_once(void **state)
{
    fixture *f = *state;
    gpool *pool = make_pool(f, "leaky");
    (void)make_buffer(pool, NULL, 4);
    (void)gpool_texture_create(pool, &(gpool_texture_desc){ .width = 4,
                                                            .format = WGPUTextureFormat_R8Unorm,
                                                            .usage = GPOOL_TEXTURE_SAMPLED });
    (void)gpool_sampler_create(pool, &(gpool_sampler_desc){ 0 });
    (void)gpool_shader_create(pool, &(gpool_shader_desc){ .wgsl = fixture_fill_wgsl });
    gpool_buffer kept = make_buffer(pool, NULL, 4);
    assert_good(gpool_buffer_destroy(pool, kept));
    gpool_destroy(pool);
    fixture_expect(f, GPOOL_LOG_LEAK, 4);
    pool = make_pool(f, "tidy");
    gpool_destroy(pool);
    fixture_expect(f, GPOOL_LOG_LEAK, 0);
}

static void pool_ends_in_the_middle_of_a_frame(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 4, 4);
    gpool_buffer a = fixture_buffer(f, NULL, 1024, COPYABLE);
    gpool_buffer b = fixture_buffer(f, NULL, 1024, COPYABLE);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_copy_buffer(rec, a, 0, b, 0, 1024);
    assert_good(gpool_buffer_write(f->pool, a, 0, "dirty still", 11));
    assert_good(gpool_buffer_destroy(f->pool, a));
    gpool_push_group(rec, "open");
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    gpool_push_group(rec, "open too");
    gpool_destroy(f->pool);
    f->pool = NULL;
    fixture_expect(f, GPOOL_LOG_LEAK, 2);
}

int gpu_pools_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(two_pools_work_side_by_side),
        FIXTURE_TEST(pools_keep_the_device),
        FIXTURE_TEST(the_seventeenth_pool_is_refused),
        FIXTURE_TEST(handles_of_a_dead_pool_stay_dead),
        FIXTURE_TEST(slots_are_used_again_under_new_generations),
        FIXTURE_TEST(every_leak_is_named_once),
        FIXTURE_TEST(pool_ends_in_the_middle_of_a_frame),
    };
    return FIXTURE_RUN("pools", tests);
}
