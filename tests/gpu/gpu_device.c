/* Opening devices: adapters, limits, features, headers, libraries; counting references. */
#include "gpu/fixture.h"

#include <stdlib.h>
#include <string.h>

int gpu_device_run(void);

static gpool_device_desc with_log(fixture *f)
{
    return (gpool_device_desc){ .adapter = fixture_adapter(),
                                .label = "opened",
                                .log = fixture_on_log,
                                .log_user = &f->log,
                                .allocator = fixture_allocator() };
}

static gpool_device_info info_of(const gpool_device *device)
{
    gpool_device_info info;
    assert_good(gpool_device_get_info(device, &info));
    return info;
}

static void each_adapter_choice_opens_what_it_says(void **state)
{
    fixture *f = *state;
    gpool_device_desc desc = with_log(f);
    for (int choice = 0; choice <= GPOOL_ADAPTER_SOFTWARE; ++choice) {
        desc.adapter = (gpool_adapter_choice)choice;
        gpool_device *device = NULL;
        gpool_result result = gpool_device_open(&desc, &device);
        if (result == GPOOL_OK) {
            bool software = info_of(device).adapter_type == WGPUAdapterType_CPU;
            assert_true(choice != GPOOL_ADAPTER_HARDWARE || !software);
            assert_true(choice != GPOOL_ADAPTER_SOFTWARE || software);
            fixture_expect(f, GPOOL_LOG_DEVICE, 1);
            gpool_device_release(device);
        } else {
            assert_result(result, GPOOL_ERROR_NO_ADAPTER);
            assert_true(choice != (int)fixture_adapter() && choice != GPOOL_ADAPTER_ANY);
            assert_null(device);
            fixture_expect(f, GPOOL_LOG_ADAPTER, 1);
            print_message("adapter choice %d is not there\n", choice);
        }
    }
}

static void info_is_filled(void **state)
{
    fixture *f = *state;
    gpool_device_info info = info_of(f->device);
    assert_int_not_equal(info.implementation, GPOOL_IMPLEMENTATION_OTHER);
    if (info.implementation == GPOOL_IMPLEMENTATION_WGPU_NATIVE) {
        assert_true(info.implementation_version >> 24 >= 0x1d);
    }
    assert_true(info.errors_inline);
    assert_false(info.adopted || info.lost);
    assert_true(strlen(info.adapter) > 0);
    assert_non_null(info.driver);
    assert_string_equal(info.label, "test device");
    assert_int_not_equal(info.backend, WGPUBackendType_Undefined);
    assert_true(info.limits.maxBufferSize >= 256u << 20);
    assert_true(info.limits.maxTextureDimension2D >= 8192);
    assert_true(info.limits.maxBindGroups >= 4);
    assert_null(info.limits.nextInChain);
    for (size_t i = 0; i < info.feature_count; ++i) {
        assert_true(gpool_device_has_feature(f->device, info.features[i]));
    }
    assert_false(gpool_device_has_feature(f->device, (WGPUFeatureName)0x7ffffff0));
    assert_non_null(gpool_device_gpu(f->device));
    assert_non_null(gpool_device_raw(f->device));
    assert_non_null(gpool_device_raw_queue(f->device));
    assert_non_null(gpool_device_raw_adapter(f->device));
    assert_non_null(gpool_device_raw_instance(f->device));
    assert_int_equal(strlen(gpool_webgpu_header()), 64);
}

static void null_arguments_are_refused(void **state)
{
    fixture *f = *state;
    gpool_device *device = f->device;
    gpool_device_desc desc = with_log(f);
    gpool_device_info info;
    assert_result(gpool_device_open(&desc, NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    desc.adapter = (gpool_adapter_choice)3;
    assert_result(gpool_device_open(&desc, &device), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_null(device);
    desc = with_log(f);
    desc.required_feature_count = 1;
    assert_result(gpool_device_open(&desc, &device), GPOOL_ERROR_INVALID_ARGUMENT);
    desc = with_log(f);
    desc.optional_feature_count = 1;
    assert_result(gpool_device_open(&desc, &device), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_result(gpool_device_get_info(NULL, &info), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_result(gpool_device_get_info(f->device, NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_result(gpool_device_poll(NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_result(gpool_device_wait(NULL, 0, 0), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_result(gpool_gpu_load(NULL, NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_null(gpool_device_retain(NULL));
    assert_null(gpool_device_gpu(NULL));
    assert_null(gpool_device_raw(NULL));
    assert_int_equal(gpool_device_submitted(NULL), 0);
    assert_false(gpool_device_has_feature(NULL, WGPUFeatureName_TimestampQuery));
    gpool_device_release(NULL);
}

static void unknown_library_is_told(void **state)
{
    fixture *f = *state;
    static const char *const names[] = { "no/such/libwebgpu.so", "libm.so.6" };
    for (int i = 0; i < 2; ++i) {
        gpool_device_desc desc = with_log(f);
        desc.library = names[i];
        gpool_device *device = f->device;
        assert_result(gpool_device_open(&desc, &device), GPOOL_ERROR_LIBRARY);
        assert_null(device);
        gpool_gpu table = { 0 };
        assert_result(gpool_gpu_load(names[i], &table), GPOOL_ERROR_LIBRARY);
        assert_true(table.CreateInstance == NULL);
    }
    if (f->log.counts[GPOOL_LOG_LIBRARY] != 0) {
        fixture_expect(f, GPOOL_LOG_LIBRARY, 2);
    }
}

static void other_header_is_refused(void **state)
{
    fixture *f = *state;
    gpool_device_desc desc = with_log(f);
    const size_t count = sizeof(gpool_header_fingerprint) / sizeof(uint32_t);
    for (size_t i = 0; i < count; ++i) {
        gpool_header_fingerprint print = gpool_header_fingerprint_here();
        assert_int_not_equal(print.values[i], 0);
        print.values[i] += 1;
        gpool_device *device = f->device;
        assert_result(gpool_device_open_checked(&desc, &print, &device), GPOOL_ERROR_HEADER);
        assert_null(device);
        fixture_expect(f, GPOOL_LOG_HEADER, 1);
    }
    gpool_device *device = f->device;
    assert_result(gpool_device_open_checked(&desc, NULL, &device), GPOOL_ERROR_INVALID_ARGUMENT);
}

static void asked_limits_are_in_force_and_reported(void **state)
{
    fixture *f = *state;
    gpool_device_info all = info_of(f->device);
    WGPULimits limits = all.limits;
    limits.maxBufferSize = 1 << 20;
    limits.maxStorageBufferBindingSize = 1 << 20;
    limits.maxUniformBufferBindingSize = 1 << 14;
    limits.maxTextureDimension2D = 1024;
    gpool_device_desc desc = with_log(f);
    desc.limits = &limits;
    gpool_device *device = NULL;
    assert_good(gpool_device_open(&desc, &device));
    gpool_device_info info = info_of(device);
    assert_true(info.limits.maxBufferSize >= limits.maxBufferSize);
    assert_true(info.limits.maxBufferSize <= all.limits.maxBufferSize);
    if (info.implementation == GPOOL_IMPLEMENTATION_WGPU_NATIVE) {
        /* Others may give the default where less is asked for. */
        assert_int_equal(info.limits.maxBufferSize, 1 << 20);
        assert_int_equal(info.limits.maxTextureDimension2D, 1024);
    }
    fixture_use_device(f, device);
    gpool_buffer_desc buffer = { .size = info.limits.maxBufferSize + 4,
                                 .usage = GPOOL_BUFFER_VERTEX };
    assert_int_equal(gpool_buffer_create(f->pool, &buffer).id, 0);
    assert_int_equal(gpool_last_error(f->pool)->code, GPOOL_ERROR_LIMIT);
    buffer.size = 1 << 20;
    gpool_buffer good = gpool_buffer_create(f->pool, &buffer);
    gpool_buffer_info made;
    assert_good(gpool_buffer_get_info(f->pool, good, &made));
    assert_false(made.failed);
    gpool_texture_desc texture = { .width = info.limits.maxTextureDimension2D + 1,
                                   .format = WGPUTextureFormat_R8Unorm,
                                   .usage = GPOOL_TEXTURE_SAMPLED };
    assert_int_equal(gpool_texture_create(f->pool, &texture).id, 0);
    assert_int_equal(gpool_last_error(f->pool)->code, GPOOL_ERROR_LIMIT);
    fixture_expect(f, GPOOL_LOG_LIMIT, 2);
}

static void impossible_limits_give_no_device(void **state)
{
    fixture *f = *state;
    WGPULimits limits = info_of(f->device).limits;
    limits.maxTextureDimension2D *= 64;
    gpool_device_desc desc = with_log(f);
    desc.limits = &limits;
    gpool_device *device = f->device;
    assert_result(gpool_device_open(&desc, &device), GPOOL_ERROR_GPU);
    assert_null(device);
    fixture_expect(f, GPOOL_LOG_ADAPTER, 1);
}

static void features_are_asked_for_and_reported(void **state)
{
    fixture *f = *state;
    const gpool_gpu *gpu = gpool_device_gpu(f->device);
    WGPUAdapter adapter = gpool_device_raw_adapter(f->device);
    uint32_t there = 0;
    uint32_t missing = 0;
    for (uint32_t value = WGPUFeatureName_DepthClipControl;
         value <= WGPUFeatureName_TextureComponentSwizzle; ++value) {
        WGPUFeatureName feature = (WGPUFeatureName)value;
        bool has = (gpu->AdapterHasFeature(adapter, feature) & 0xffu) != 0;
        bool dependent = value == WGPUFeatureName_TextureCompressionBCSliced3D ||
                         value == WGPUFeatureName_TextureCompressionASTCSliced3D;
        if ((has && there >= 3) || (!has && missing >= 3) || dependent) {
            continue;
        }
        gpool_device_desc desc = with_log(f);
        desc.required_features = &feature;
        desc.required_feature_count = 1;
        gpool_device *device = NULL;
        gpool_result result = gpool_device_open(&desc, &device);
        assert_result(result, has ? GPOOL_OK : GPOOL_ERROR_UNSUPPORTED);
        there += has ? 1 : 0;
        missing += has ? 0 : 1;
        if (has) {
            assert_true(gpool_device_has_feature(device, feature));
            gpool_device_release(device);
            continue;
        }
        assert_null(device);
        fixture_expect(f, GPOOL_LOG_UNSUPPORTED, 1);
        desc.optional_features = desc.required_features;
        desc.optional_feature_count = 1;
        desc.required_feature_count = 0;
        assert_good(gpool_device_open(&desc, &device));
        assert_false(gpool_device_has_feature(device, feature));
        gpool_device_release(device);
    }
    assert_true(there > 0);
    assert_true(missing > 0);
}

static void references_are_counted(void **state)
{
    fixture *f = *state;
    gpool_device_desc desc = with_log(f);
    gpool_device *device = NULL;
    assert_good(gpool_device_open(&desc, &device));
    assert_ptr_equal(gpool_device_retain(device), device);
    gpool_device_release(device);
    assert_string_equal(info_of(device).label, "opened");
    assert_good(gpool_device_poll(device));
    gpool_device_release(device);
}

static void given_table_and_instance_are_used(void **state)
{
    fixture *f = *state;
    gpool_gpu table;
    assert_good(gpool_gpu_load(NULL, &table));
    WGPUInstance instance = table.CreateInstance(NULL);
    assert_non_null(instance);
    gpool_device_desc desc = with_log(f);
    desc.gpu = &table;
    desc.library = "not looked at";
    desc.instance = instance;
    gpool_device *device = NULL;
    assert_good(gpool_device_open(&desc, &device));
    assert_ptr_equal(gpool_device_raw_instance(device), instance);
    assert_int_equal(info_of(device).implementation, info_of(f->device).implementation);
    assert_int_equal(info_of(device).translated, info_of(f->device).translated);
    fixture_use_device(f, device);
    gpool_texture target = fixture_target(f, 2, 2);
    assert_pixel(f, target, 1, 1, 0);
    gpool_destroy(f->pool);
    f->pool = NULL;
    table.InstanceRelease(instance);
}

/* Counts what is asked for and what is given back. */
static void *count_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    int64_t *bytes = user;
    *bytes += (int64_t)new_size - (int64_t)old_size;
    if (new_size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, new_size);
}

static gpool_gpu wrapped; /* the table beneath */
static uint32_t wrapped_textures;

static WGPUTexture wrap_create_texture(WGPUDevice device, WGPUTextureDescriptor const *desc)
{
    wrapped_textures += 1;
    return wrapped.DeviceCreateTexture(device, desc);
}

/* A tool's table around one that gpool made, and that one is translated for Dawn already. */
static void table_around_a_devices_own_table_works(void **state)
{
    fixture *f = *state;
    wrapped = *gpool_device_gpu(f->device);
    gpool_gpu outer = wrapped;
    outer.DeviceCreateTexture = wrap_create_texture;
    gpool_device *device = NULL;
    gpool_device_desc desc = {
        .adapter = fixture_adapter(), .gpu = &outer, .log = fixture_on_log, .log_user = &f->log
    };
    assert_good(gpool_device_open(&desc, &device));
    fixture_use_device(f, device);
    wrapped_textures = 0; /* opening the device makes some */
    gpool_texture target = fixture_target(f, 2, 2);
    assert_int_equal(wrapped_textures, 1);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_render(
        rec, &(gpool_render_desc){ .color[0] = { .texture = target, .clear = { 1, 0, 0, 1 } } });
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(f->pool));
    assert_pixel(f, target, 1, 1, 0xff0000ff);
}

static void allocator_gets_everything_back(void **state)
{
    fixture *f = *state;
    int64_t bytes = 0;
    gpool_device_desc desc = with_log(f);
    desc.allocator = (gpool_allocator){ count_resize, &bytes };
    gpool_device *device = NULL;
    assert_good(gpool_device_open(&desc, &device));
    assert_true(bytes > 0);
    gpool_desc pool_desc = { .compile_workers = GPOOL_WORKERS_NONE,
                             .log = fixture_on_log,
                             .log_user = &f->log,
                             .allocator = fixture_allocator() };
    pool_desc.allocator = desc.allocator;
    gpool *pool = NULL;
    assert_good(gpool_create(device, &pool_desc, &pool));
    (void)gpool_buffer_create(pool,
                              &(gpool_buffer_desc){ .size = 1000, .usage = GPOOL_BUFFER_VERTEX });
    gpool_stats stats;
    assert_good(gpool_get_stats(pool, &stats));
    assert_true(stats.cpu_bytes >= 1000);
    assert_true((int64_t)stats.cpu_bytes < bytes);
    gpool_destroy(pool);
    gpool_device_release(device);
    assert_int_equal(bytes, 0);
}

int gpu_device_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(each_adapter_choice_opens_what_it_says),
        FIXTURE_TEST(info_is_filled),
        FIXTURE_TEST(null_arguments_are_refused),
        FIXTURE_TEST(unknown_library_is_told),
        FIXTURE_TEST(other_header_is_refused),
        FIXTURE_TEST(asked_limits_are_in_force_and_reported),
        FIXTURE_TEST(impossible_limits_give_no_device),
        FIXTURE_TEST(features_are_asked_for_and_reported),
        FIXTURE_TEST(references_are_counted),
        FIXTURE_TEST(given_table_and_instance_are_used),
        FIXTURE_TEST(table_around_a_devices_own_table_works),
        FIXTURE_TEST(allocator_gets_everything_back),
    };
    return FIXTURE_RUN("device", tests);
}
