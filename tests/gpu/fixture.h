/*
 * What every GPU test stands on: one device for the process, one pool for each test, a log that
 * remembers ids. A record that a test does not take with fixture_expect() fails the test at its end;
 * only notes of leaks pass, so that tests need not tidy up.
 *
 * Every pool and device allocates through fixture_allocator(), which counts: bytes that gpool does not
 * give back fail the test. Leak checkers are of no use here, as the threads and leftovers of drivers
 * confuse them.
 *
 * The device comes from the environment: GPOOL_WEBGPU is the library, GPOOL_ADAPTER is software,
 * hardware or empty for any.
 */
#ifndef GPOOL_TESTS_GPU_FIXTURE_H
#define GPOOL_TESTS_GPU_FIXTURE_H

#include <gpool/gpool.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/** Records of a log, counted by id. */
typedef struct fixture_log {
    uint32_t counts[GPOOL_LOG_COUNT];
    gpool_log_id last;        /**< newest record of level error */
    gpool_result last_result; /**< its result */
    char last_operation[64];  /**< and its operation */
    char texts[4][512];       /**< newest messages, printed when a test fails */
    uint32_t total;
} fixture_log;

/** State of one test. */
typedef struct fixture {
    gpool_device *device; /**< shared by the process */
    gpool *pool;          /**< of this test */
    fixture_log log;      /**< of this pool */
    uint64_t bytes;       /**< fixture_bytes() before the test */
} fixture;

/** Collects records; `user` is a fixture_log. */
void fixture_on_log(void *user, const gpool_log_record *record);

/** Hooks that count what gpool holds; for every pool and device of these tests. */
gpool_allocator fixture_allocator(void);

/** Bytes out of fixture_allocator(). */
uint64_t fixture_bytes(void);

/** True when so many bytes are out; else prints the difference. */
bool fixture_bytes_are(uint64_t bytes, const char *after);

/** The log of the shared device. */
fixture_log *fixture_device_log(void);

/** The shared device, opened at the first call; fails the test when there is none. */
gpool_device *fixture_device(void);

/** Adapter choice of GPOOL_ADAPTER. */
gpool_adapter_choice fixture_adapter(void);

/** True on wgpu-native. */
bool fixture_is_wgpu(void);

/** Group setup and teardown: open and release the shared device. */
int fixture_open(void **state);
int fixture_close(void **state);

/** Test setup and teardown: `*state` is a fixture with a default pool. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

/** Ends the pool of a test and begins one with this descriptor; log fields are filled here. */
void fixture_use_pool(fixture *f, gpool_desc desc);

/** Opens a second device with the features of these that are there; logs to the device's log. */
gpool_device *fixture_open_with(const WGPUFeatureName *features, size_t count);

/** Ends the pool of a test, begins one on this device and gives up the caller's reference. */
void fixture_use_device(fixture *f, gpool_device *device);

/** Runs tests made with FIXTURE_TEST as one group; cmocka passes over a teardown that fails. */
#define FIXTURE_TEST(function)                                                                     \
    cmocka_unit_test_setup_teardown(function, fixture_setup, fixture_teardown)
#define FIXTURE_RUN(name, tests)                                                                   \
    (cmocka_run_group_tests_name(name, tests, fixture_open, fixture_close) != 0 ||                 \
     !fixture_bytes_are(0, "the last device"))

/** Takes `count` records of an id from the log; fails when there are not exactly so many. */
#define fixture_expect(f, id, count) fixture_expect_at(&(f)->log, id, count, __FILE__, __LINE__)
void fixture_expect_at(fixture_log *log, gpool_log_id id, uint32_t count, const char *file,
                       int line);

/** Fails unless a call returned this code; prints both names. */
#define assert_result(call, code) fixture_assert_result(call, code, __FILE__, __LINE__)
#define assert_good(call)         assert_result(call, GPOOL_OK)
void fixture_assert_result(gpool_result got, gpool_result wanted, const char *file, int line);

/** Fails unless two blocks are equal; prints the first difference. */
#define assert_bytes(got, wanted, size) fixture_assert_bytes(got, wanted, size, __FILE__, __LINE__)
void fixture_assert_bytes(const void *got, const void *wanted, size_t size, const char *file,
                          int line);

/** Counters of now. */
gpool_stats fixture_stats(const fixture *f);

/** Fails unless bytes of a buffer, read back, are these. */
#define assert_buffer(f, buffer, offset, wanted, size)                                             \
    fixture_assert_buffer(f, buffer, offset, wanted, size, __FILE__, __LINE__)
void fixture_assert_buffer(fixture *f, gpool_buffer buffer, uint64_t offset, const void *wanted,
                           size_t size, const char *file, int line);

/** Reads one texel of 4 bytes as 0xrrggbbaa, in the order of memory. */
uint32_t fixture_pixel(fixture *f, gpool_texture texture, uint32_t x, uint32_t y);

/** Fails unless a texel of 4 bytes is this 0xrrggbbaa, each byte within `slack`. */
#define assert_pixel(f, texture, x, y, rgba)                                                       \
    fixture_assert_pixel(f, texture, x, y, rgba, 1, __FILE__, __LINE__)
void fixture_assert_pixel(fixture *f, gpool_texture texture, uint32_t x, uint32_t y, uint32_t rgba,
                          int slack, const char *file, int line);

/** Makes an RGBA8Unorm target that can do everything. */
gpool_texture fixture_target(fixture *f, uint32_t width, uint32_t height);

/** Makes a buffer; fails the test when it is null or failed. */
gpool_buffer fixture_buffer(fixture *f, const void *data, uint64_t size, gpool_buffer_usage usage);

/** Makes a shader and checks that it compiled. */
gpool_shader fixture_shader(fixture *f, const char *wgsl);

/** Makes a render pipeline of a descriptor whose shader is compiled from `wgsl` and let go. */
gpool_pipeline fixture_render(fixture *f, const char *wgsl, gpool_render_pipeline_desc desc);

/** The same for a compute pipeline. */
gpool_pipeline fixture_compute(fixture *f, const char *wgsl, gpool_compute_pipeline_desc desc);

/** Draws the whole target in the vec4f of set_uniforms(group 0). */
extern const char fixture_fill_wgsl[];

/** Random numbers: the seed comes from GPOOL_TEST_SEED, else `fallback`, and is printed. */
uint64_t fixture_seed(uint64_t fallback);
uint32_t fixture_random(uint64_t *seed, uint32_t below);

#endif
