/*
 * The allocator fails at its k-th allocation, for every k, once and for ever: every call gives a
 * code, nothing leaks, and after a single failure the same steps done again lead to the right
 * picture. And the GPU's memory runs out for real.
 */
#include "gpu/hostile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

int gpu_memory_run(void);

#define SECONDS 120

/* What the hook knows: enough to balance the books. */
typedef struct ledger {
    uint64_t blocks;
    uint64_t bytes;
    uint64_t calls;   /* that asked for memory */
    uint64_t fail_at; /* 0 = never */
    bool for_ever;
    uint64_t failures;
} ledger;

static void *ledger_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    ledger *books = user;
    if (new_size == 0) {
        assert_true(block != NULL && books->bytes >= old_size);
        free(block);
        books->blocks -= 1;
        books->bytes -= old_size;
        return NULL;
    }
    books->calls += 1;
    if (books->fail_at != 0 &&
        (books->calls == books->fail_at || (books->for_ever && books->calls > books->fail_at))) {
        books->failures += 1;
        return NULL;
    }
    void *moved = realloc(block, new_size);
    assert_non_null(moved);
    books->blocks += block == NULL;
    books->bytes += new_size;
    books->bytes -= old_size;
    return moved;
}

typedef struct memory_run {
    ledger books;
    gpool_device *device;
    gpool *pool;
    fixture_log log;
    uint32_t steps;
} memory_run;

/* Does a step; after a failure of memory it is done once more, which must work after a single
 * failure. False when memory is gone for ever. */
#define STEP(run, done)                                                                            \
    do {                                                                                           \
        uint64_t failures = (run)->books.failures;                                                 \
        (run)->steps += 1;                                                                         \
        if (!(done)) {                                                                             \
            assert_true((run)->books.failures > failures);                                         \
            if ((run)->books.for_ever) {                                                           \
                return false;                                                                      \
            }                                                                                      \
            assert_true(done);                                                                     \
        }                                                                                          \
    } while (0)

#define GOOD(call) ((call) == GPOOL_OK)

static bool make_pool(memory_run *run)
{
    gpool_desc desc = { .compile_workers = GPOOL_WORKERS_NONE,
                        .label = "memory",
                        .log = fixture_on_log,
                        .log_user = &run->log,
                        .allocator = { ledger_resize, &run->books } };
    return GOOD(gpool_create(run->device, &desc, &run->pool));
}

/* One frame that fills the target in green, drawn again when anything went wrong in it. */
static bool draw_frame(memory_run *run, gpool_texture target, gpool_pipeline fill,
                       gpool_layout layout, gpool_buffer uniforms, gpool_texture import)
{
    static const float green[4] = { 0, 1, 0, 1 };
    gpool *p = run->pool;
    gpool_texture_import_desc desc = { .texture = gpool_texture_gpu(p, import, GPOOL_ACCESS_READ),
                                       .usage = GPOOL_TEXTURE_SAMPLED,
                                       .this_frame = true,
                                       .label = "this frame" };
    if (gpool_begin_frame(p) != GPOOL_OK) {
        return false;
    }
    bool good = gpool_texture_import(p, &desc).id != 0;
    gpool_recorder rec = gpool_frame_recorder(p);
    good = good && rec.state != NULL;
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    gpool_set_pipeline(rec, fill);
    gpool_set_bindings(rec, 1, layout, &(gpool_binding){ .buffer = uniforms }, 1, NULL, 0);
    gpool_set_uniforms(rec, 0, green, sizeof green);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    return gpool_end_frame(p) == GPOOL_OK && good;
}

static bool script(memory_run *run)
{
    static const uint8_t bytes[256] = { 1, 2, 3 };
    STEP(run, make_pool(run));
    gpool *p = run->pool;
    gpool_buffer uniforms = { 0 };
    gpool_buffer written = { 0 };
    gpool_texture target = { 0 };
    gpool_texture other = { 0 };
    gpool_sampler sampler = { 0 };
    gpool_layout layout = { 0 };
    gpool_shader shader = { 0 };
    gpool_pipeline fill = { 0 };
    WGPUBlendState blend = {
        .color = { WGPUBlendOperation_Add, WGPUBlendFactor_One, WGPUBlendFactor_Zero },
        .alpha = { WGPUBlendOperation_Add, WGPUBlendFactor_One, WGPUBlendFactor_Zero }
    };
    gpool_buffer_desc buffer = { .data = bytes,
                                 .size = 100,
                                 .usage = GPOOL_BUFFER_UNIFORM | GPOOL_BUFFER_READ_BACK,
                                 .label = "u" };
    STEP(run, (uniforms = gpool_buffer_create(p, &buffer)).id != 0);
    buffer.usage = GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_READ_BACK;
    STEP(run, (written = gpool_buffer_create(p, &buffer)).id != 0);
    gpool_texture_desc texture = { .width = 4,
                                   .height = 4,
                                   .label = "target",
                                   .format = WGPUTextureFormat_RGBA8Unorm,
                                   .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK };
    STEP(run, (target = gpool_texture_create(p, &texture)).id != 0);
    texture.usage |= GPOOL_TEXTURE_SAMPLED;
    STEP(run, (other = gpool_texture_create(p, &texture)).id != 0);
    STEP(run, (sampler = gpool_sampler_create(p, &(gpool_sampler_desc){ .label = "s" })).id != 0);
    gpool_layout_entry entry = { .type = GPOOL_BINDING_UNIFORM };
    gpool_layout_desc layout_desc = { .entries = &entry, .entry_count = 1, .label = "layout" };
    STEP(run, (layout = gpool_layout_create(p, &layout_desc)).id != 0);
    gpool_shader_desc wgsl = { .wgsl = fixture_fill_wgsl, .label = "fill" };
    STEP(run, (shader = gpool_shader_create(p, &wgsl)).id != 0);
    gpool_render_pipeline_desc render = { .shader = shader,
                                          .vertex_entry = "vs",
                                          .fragment_entry = "fs",
                                          .layouts = { gpool_uniform_layout(p), layout },
                                          .colors[0].blend_state = &blend,
                                          .label = "fill" };
    STEP(run, (fill = gpool_render_pipeline_create(p, &render)).id != 0);
    STEP(run, GOOD(gpool_buffer_write(p, uniforms, 5, bytes, 50)));
    STEP(run, draw_frame(run, target, fill, layout, uniforms, other));
    STEP(run, GOOD(gpool_buffer_resize(p, uniforms, 5000)));
    STEP(run, GOOD(gpool_buffer_resize(p, written, 300)));
    STEP(run, GOOD(gpool_texture_resize(p, target, 8, 8, 0)));
    STEP(run, gpool_texture_gpu_view(p, other, NULL, GPOOL_ACCESS_READ) != NULL);
    STEP(run, draw_frame(run, target, fill, layout, uniforms, other));
    STEP(run, GOOD(gpool_buffer_destroy(p, written)) && GOOD(gpool_texture_destroy(p, other)));
    uint8_t got[256] = { 0 };
    STEP(run, GOOD(gpool_texture_read(p, target, NULL, got, sizeof got)));
    for (int i = 0; i < 256; ++i) {
        assert_int_equal(got[i], i % 4 == 1 || i % 4 == 3 ? 255 : 0);
    }
    STEP(run, GOOD(gpool_buffer_read(p, uniforms, 0, got, 100)));
    assert_bytes(got + 5, bytes, 50);
    return true;
}

static bool run_script(gpool_device *device, uint64_t fail_at, bool for_ever, uint64_t *calls)
{
    memory_run run = { .device = device, .books = { .fail_at = fail_at, .for_ever = for_ever } };
    bool complete = script(&run);
    gpool_destroy(run.pool);
    assert_int_equal(run.books.blocks, 0);
    assert_int_equal(run.books.bytes, 0);
    if (!for_ever && !complete) {
        fail_msg("failure %llu, once, was not recovered", (unsigned long long)fail_at);
    }
    *calls = run.books.calls;
    return run.books.failures == 0;
}

static void pools_of_failing_memory(void *user)
{
    bool for_ever = *(const bool *)user;
    uint64_t calls = 0;
    uint64_t point = 0;
    gpool_device *device = fixture_device();
    assert_true(run_script(device, 0, false, &calls));
    uint64_t all = calls;
    do {
        point += 1;
    } while (!run_script(device, point, for_ever, &calls));
    assert_int_equal(point, all + 1); /* past the last allocation a run is clean */
    print_message("%llu points, %s\n", (unsigned long long)all, for_ever ? "for ever" : "once");
    gpool_device_release(device);
}

static void device_of_failing_memory(void *user)
{
    bool for_ever = *(const bool *)user;
    fixture_log log = { .total = 0 };
    uint64_t point = 0;
    for (bool clean = false; !clean;) {
        ledger books = { .fail_at = ++point, .for_ever = for_ever };
        gpool_device_desc desc = { .adapter = fixture_adapter(),
                                   .log = fixture_on_log,
                                   .log_user = &log,
                                   .allocator = { ledger_resize, &books } };
        gpool_device *device = NULL;
        gpool_result result = gpool_device_open(&desc, &device);
        clean = books.failures == 0;
        assert_result(result, clean ? GPOOL_OK : GPOOL_ERROR_OUT_OF_MEMORY);
        gpool_device_release(device);
        assert_int_equal(books.blocks, 0);
        assert_int_equal(books.bytes, 0);
    }
    print_message("%llu points, %s\n", (unsigned long long)point - 1,
                  for_ever ? "for ever" : "once");
}

/* Bytes of address space in use; 0 where that is not told. */
static uint64_t address_space(void)
{
    unsigned long long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (file != NULL) {
        pages = fscanf(file, "%llu", &pages) == 1 ? pages : 0;
        (void)fclose(file);
    }
    return pages * 4096;
}

/* A software driver takes the GPU's memory from the process, whose address space can be limited. */
static void gpu_without_memory(void *user)
{
    (void)user;
    memory_run run = { .device = fixture_device() };
    assert_true(make_pool(&run));
    gpool_buffer_desc large = { .size = 200u << 20,
                                .usage = GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_READ_BACK,
                                .label = "x\n    Not enough memory left.\n" };
    gpool_device_info device;
    assert_good(gpool_device_get_info(run.device, &device));
    struct rlimit limit = { 0 };
    assert_int_equal(getrlimit(RLIMIT_AS, &limit), 0);
    struct rlimit low = { .rlim_cur = address_space() + (300u << 20), .rlim_max = limit.rlim_max };
    if (device.adapter_type != WGPUAdapterType_CPU || low.rlim_cur <= 300u << 20 ||
        device.limits.maxBufferSize < large.size) {
        print_message("not here\n");
    } else {
        assert_int_equal(setrlimit(RLIMIT_AS, &low), 0);
        gpool_buffer buffers[3];
        gpool_buffer_info info[3];
        for (int i = 0; i < 3; ++i) {
            buffers[i] = gpool_buffer_create(run.pool, &large);
            assert_good(gpool_buffer_get_info(run.pool, buffers[i], &info[i]));
        }
        assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
        assert_true(info[1].failed && info[2].failed);
        assert_result(gpool_last_error(run.pool)->code, GPOOL_ERROR_OUT_OF_GPU_MEMORY);
        fixture_expect(&run, GPOOL_LOG_GPU_MEMORY, info[0].failed ? 3 : 2);
        for (int i = 0; i < 3; ++i) {
            assert_good(gpool_buffer_destroy(run.pool, buffers[i]));
        }
        (void)gpool_wait_idle(run.pool);
        gpool_buffer again = gpool_buffer_create(run.pool, &large);
        assert_good(gpool_buffer_get_info(run.pool, again, &info[0]));
        assert_false(info[0].failed);
    }
    gpool_destroy(run.pool);
    gpool_device_release(run.device);
}

static void lack_of_gpu_memory_is_told_and_survived(void **state)
{
    (void)state;
    hostile_fork("GPU memory", gpu_without_memory, NULL, SECONDS);
}

static void pool_survives_each_failure_once(void **state)
{
    (void)state;
    bool for_ever = false;
    hostile_fork("pool, once", pools_of_failing_memory, &for_ever, SECONDS);
}

static void pool_survives_each_failure_for_ever(void **state)
{
    (void)state;
    bool for_ever = true;
    hostile_fork("pool, for ever", pools_of_failing_memory, &for_ever, SECONDS);
}

static void device_survives_each_failure(void **state)
{
    (void)state;
    for (int i = 0; i < 2; ++i) {
        bool for_ever = i == 1;
        hostile_fork("device", device_of_failing_memory, &for_ever, SECONDS);
    }
}

int gpu_memory_run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pool_survives_each_failure_once),
        cmocka_unit_test(pool_survives_each_failure_for_ever),
        cmocka_unit_test(device_survives_each_failure),
        cmocka_unit_test(lack_of_gpu_memory_is_told_and_survived),
    };
    return cmocka_run_group_tests_name("memory", tests, NULL, NULL);
}
