#include "gpu/fixture.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static gpool_device *fixture_shared;
static fixture_log fixture_shared_log;
static _Atomic uint64_t fixture_live_bytes;

const char fixture_fill_wgsl[] =
    "@group(0) @binding(0) var<uniform> color: vec4f;\n"
    "@vertex fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {\n"
    "    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);\n"
    "}\n"
    "@fragment fn fs() -> @location(0) vec4f { return color; }\n";

void fixture_on_log(void *user, const gpool_log_record *record)
{
    fixture_log *log = user;
    log->counts[record->id] += 1;
    if (record->level == GPOOL_LOG_LEVEL_INFO) {
        return;
    }
    char *text = log->texts[log->total++ % 4];
    (void)snprintf(text, sizeof log->texts[0], "%s: %s", gpool_log_name(record->id),
                   record->message);
    if (record->level == GPOOL_LOG_LEVEL_ERROR) {
        log->last = record->id;
        log->last_result = record->result;
        (void)snprintf(log->last_operation, sizeof log->last_operation, "%s", record->operation);
    }
}

static void *fixture_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    void *moved = NULL;
    (void)user;
    if (new_size == 0) {
        free(block);
    } else if ((moved = realloc(block, new_size)) == NULL) {
        return NULL;
    }
    fixture_live_bytes += new_size;
    fixture_live_bytes -= old_size;
    return moved;
}

gpool_allocator fixture_allocator(void)
{
    return (gpool_allocator){ .resize = fixture_resize };
}

uint64_t fixture_bytes(void)
{
    return fixture_live_bytes;
}

bool fixture_bytes_are(uint64_t bytes, const char *after)
{
    if (fixture_live_bytes != bytes) {
        print_error("%lld bytes are not given back after %s\n",
                    (long long)(fixture_live_bytes - bytes), after);
    }
    return fixture_live_bytes == bytes;
}

fixture_log *fixture_device_log(void)
{
    return &fixture_shared_log;
}

gpool_adapter_choice fixture_adapter(void)
{
    const char *name = getenv("GPOOL_ADAPTER");
    if (name != NULL && strcmp(name, "software") == 0) {
        return GPOOL_ADAPTER_SOFTWARE;
    }
    return name != NULL && strcmp(name, "hardware") == 0 ? GPOOL_ADAPTER_HARDWARE
                                                         : GPOOL_ADAPTER_ANY;
}

gpool_device *fixture_device(void)
{
    if (fixture_shared == NULL) {
        gpool_device_desc desc = { .adapter = fixture_adapter(),
                                   .label = "test device",
                                   .log = fixture_on_log,
                                   .log_user = &fixture_shared_log,
                                   .allocator = fixture_allocator() };
        gpool_result result = gpool_device_open(&desc, &fixture_shared);
        if (result != GPOOL_OK) {
            fail_msg("no device: %s: %s", gpool_result_name(result), fixture_shared_log.texts[0]);
        }
    }
    return fixture_shared;
}

bool fixture_is_wgpu(void)
{
    gpool_device_info info;
    assert_good(gpool_device_get_info(fixture_device(), &info));
    return info.implementation == GPOOL_IMPLEMENTATION_WGPU_NATIVE;
}

static void fixture_make_pool(fixture *f, gpool_desc desc)
{
    desc.label = desc.label != NULL ? desc.label : "test pool";
    desc.log = fixture_on_log;
    desc.log_user = &f->log;
    desc.allocator = fixture_allocator();
    assert_good(gpool_create(f->device, &desc, &f->pool));
}

gpool_device *fixture_open_with(const WGPUFeatureName *features, size_t count)
{
    gpool_device_desc desc = { .adapter = fixture_adapter(),
                               .optional_features = features,
                               .optional_feature_count = count,
                               .label = "second device",
                               .log = fixture_on_log,
                               .log_user = &fixture_shared_log,
                               .allocator = fixture_allocator() };
    gpool_device *device = NULL;
    assert_good(gpool_device_open(&desc, &device));
    return device;
}

void fixture_use_device(fixture *f, gpool_device *device)
{
    gpool_destroy(f->pool);
    f->device = device;
    fixture_make_pool(f, (gpool_desc){ 0 });
    gpool_device_release(device); /* the pool keeps it */
}

int fixture_open(void **state)
{
    (void)state;
    (void)fixture_device();
    return 0;
}

int fixture_close(void **state)
{
    (void)state;
    gpool_device_release(fixture_shared);
    fixture_shared = NULL;
    return 0;
}

int fixture_setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    f->device = fixture_device();
    f->bytes = fixture_bytes();
    memset(&fixture_shared_log, 0, sizeof fixture_shared_log);
    *state = f;
    fixture_make_pool(f, (gpool_desc){ 0 });
    return 0;
}

void fixture_use_pool(fixture *f, gpool_desc desc)
{
    gpool_destroy(f->pool);
    fixture_make_pool(f, desc);
}

/* Prints what a test left in a log; true when there is nothing it should have taken. */
static bool fixture_log_is_clean(const fixture_log *log, const char *owner)
{
    bool clean = true;
    for (int id = 0; id < GPOOL_LOG_COUNT; ++id) {
        bool harmless = id == GPOOL_LOG_DEVICE || id == GPOOL_LOG_FALLBACK || id == GPOOL_LOG_LEAK;
        if (log->counts[id] != 0 && !harmless) {
            print_error("%s: %u records of %s were not expected\n", owner, log->counts[id],
                        gpool_log_name((gpool_log_id)id));
            clean = false;
        }
    }
    for (uint32_t i = 0; !clean && i < 4 && i < log->total; ++i) {
        print_error("    %s\n", log->texts[i]);
    }
    return clean;
}

int fixture_teardown(void **state)
{
    fixture *f = *state;
    gpool_destroy(f->pool);
    bool clean = fixture_log_is_clean(&f->log, "pool");
    clean = fixture_log_is_clean(&fixture_shared_log, "device") && clean;
    clean = fixture_bytes_are(f->bytes, "the test's pool") && clean;
    free(f);
    return clean ? 0 : -1;
}

void fixture_expect_at(fixture_log *log, gpool_log_id id, uint32_t count, const char *file,
                       int line)
{
    if (log->counts[id] != count) {
        print_error("%u records of %s, expected %u\n", log->counts[id], gpool_log_name(id), count);
        for (uint32_t i = 0; i < 4 && i < log->total; ++i) {
            print_error("    %s\n", log->texts[i]);
        }
        _fail(file, line);
    }
    log->counts[id] = 0;
}

void fixture_assert_result(gpool_result got, gpool_result wanted, const char *file, int line)
{
    if (got != wanted) {
        print_error("%s, expected %s\n", gpool_result_name(got), gpool_result_name(wanted));
        _fail(file, line);
    }
}

void fixture_assert_bytes(const void *got, const void *wanted, size_t size, const char *file,
                          int line)
{
    const uint8_t *a = got;
    const uint8_t *b = wanted;
    for (size_t i = 0; i < size; ++i) {
        if (a[i] != b[i]) {
            print_error("byte %zu of %zu is 0x%02x, expected 0x%02x\n", i, size, a[i], b[i]);
            _fail(file, line);
        }
    }
}

gpool_stats fixture_stats(const fixture *f)
{
    gpool_stats stats = { 0 };
    assert_good(gpool_get_stats(f->pool, &stats));
    return stats;
}

void fixture_assert_buffer(fixture *f, gpool_buffer buffer, uint64_t offset, const void *wanted,
                           size_t size, const char *file, int line)
{
    static uint8_t *got; /* kept, so that a failing test leaks nothing */
    static size_t capacity;
    if (size > capacity) {
        got = realloc(got, size);
        assert_non_null(got);
        capacity = size;
    }
    memset(got, 0xcd, size);
    fixture_assert_result(gpool_buffer_read(f->pool, buffer, offset, got, size), GPOOL_OK, file,
                          line);
    fixture_assert_bytes(got, wanted, size, file, line);
}

uint32_t fixture_pixel(fixture *f, gpool_texture texture, uint32_t x, uint32_t y)
{
    uint8_t b[4] = { 0 };
    gpool_texture_region region = { .x = x, .y = y, .width = 1, .height = 1 };
    assert_good(gpool_texture_read(f->pool, texture, &region, b, sizeof b));
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

void fixture_assert_pixel(fixture *f, gpool_texture texture, uint32_t x, uint32_t y, uint32_t rgba,
                          int slack, const char *file, int line)
{
    uint32_t got = fixture_pixel(f, texture, x, y);
    for (int shift = 0; shift < 32; shift += 8) {
        int difference = (int)(got >> shift & 255u) - (int)(rgba >> shift & 255u);
        if (difference > slack || difference < -slack) {
            print_error("pixel [%u %u] is %08x, expected %08x\n", x, y, got, rgba);
            _fail(file, line);
        }
    }
}

gpool_texture fixture_target(fixture *f, uint32_t width, uint32_t height)
{
    gpool_texture_desc desc = {
        .width = width,
        .height = height,
        .format = WGPUTextureFormat_RGBA8Unorm,
        .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK | GPOOL_TEXTURE_SAMPLED |
                 GPOOL_TEXTURE_COPY_SOURCE | GPOOL_TEXTURE_COPY_TARGET,
        .label = "target",
    };
    gpool_texture texture = gpool_texture_create(f->pool, &desc);
    gpool_texture_info info = { .failed = true };
    assert_good(gpool_texture_get_info(f->pool, texture, &info));
    assert_false(info.failed);
    return texture;
}

gpool_buffer fixture_buffer(fixture *f, const void *data, uint64_t size, gpool_buffer_usage usage)
{
    gpool_buffer_desc desc = { .data = data, .size = size, .usage = usage, .label = "buffer" };
    gpool_buffer buffer = gpool_buffer_create(f->pool, &desc);
    gpool_buffer_info info = { .failed = true };
    assert_good(gpool_buffer_get_info(f->pool, buffer, &info));
    assert_false(info.failed);
    return buffer;
}

gpool_shader fixture_shader(fixture *f, const char *wgsl)
{
    gpool_shader_desc desc = { .wgsl = wgsl, .label = "shader" };
    gpool_shader shader = gpool_shader_create(f->pool, &desc);
    assert_good(gpool_shader_wait(f->pool, shader, UINT64_C(60000000000)));
    return shader;
}

gpool_pipeline fixture_render(fixture *f, const char *wgsl, gpool_render_pipeline_desc desc)
{
    desc.shader = fixture_shader(f, wgsl);
    desc.label = desc.label != NULL ? desc.label : "pipeline";
    gpool_pipeline pipeline = gpool_render_pipeline_create(f->pool, &desc);
    assert_good(gpool_pipeline_wait(f->pool, pipeline, UINT64_C(60000000000)));
    assert_good(gpool_shader_destroy(f->pool, desc.shader));
    return pipeline;
}

gpool_pipeline fixture_compute(fixture *f, const char *wgsl, gpool_compute_pipeline_desc desc)
{
    desc.shader = fixture_shader(f, wgsl);
    desc.label = desc.label != NULL ? desc.label : "pipeline";
    gpool_pipeline pipeline = gpool_compute_pipeline_create(f->pool, &desc);
    assert_good(gpool_pipeline_wait(f->pool, pipeline, UINT64_C(60000000000)));
    assert_good(gpool_shader_destroy(f->pool, desc.shader));
    return pipeline;
}

uint64_t fixture_seed(uint64_t fallback)
{
    const char *text = getenv("GPOOL_TEST_SEED");
    uint64_t seed = text != NULL && text[0] != '\0' ? strtoull(text, NULL, 0) : fallback;
    print_message("GPOOL_TEST_SEED=%" PRIu64 "\n", seed);
    return seed;
}

uint32_t fixture_random(uint64_t *seed, uint32_t below)
{
    *seed += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *seed;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    z ^= z >> 31;
    return (uint32_t)((z >> 32) * below >> 32);
}
