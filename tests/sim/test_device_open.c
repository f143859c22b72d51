/* Opening a device: what the table must have, features, and memory that runs out on the way. */
#include "unit.h"

#include "sim.h"

#include <gpool/gpool.h>

/* The library's calloc() comes here (see CMakeLists.txt): memory beside the allocator hooks. */
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

static uint64_t calloc_calls;
static uint64_t calloc_fails_at; /* 0 = never */

void *__wrap_calloc(size_t count, size_t size)
{
    calloc_calls += 1;
    return calloc_calls == calloc_fails_at ? NULL : __real_calloc(count, size);
}

typedef struct told {
    gpool_log_id id;
    uint32_t count;
    char message[256];
} told;

static void on_log(void *user, const gpool_log_record *record)
{
    told *t = user;
    if (record->level == GPOOL_LOG_LEVEL_ERROR) {
        t->id = record->id;
        t->count += 1;
        (void)snprintf(t->message, sizeof t->message, "%s", record->message);
    }
}

static sim *open_sim(sim_personality personality, gpool_gpu *table)
{
    sim *s = sim_create(&(sim_desc){ .personality = personality });
    assert_non_null(s);
    sim_table(s, table);
    return s;
}

static void close_sim(sim *s)
{
    assert_same(sim_live(s, SIM_KIND_NONE), 0);
    assert_same(sim_fatal_count(s), 0);
    sim_destroy(s);
}

/* A frame with a pass, groups, a copy and a read. */
static void use_device(gpool_device *device)
{
    told log = { 0 };
    gpool *pool = NULL;
    assert_same(
        gpool_create(
            device,
            &(gpool_desc){ .compile_workers = GPOOL_WORKERS_NONE, .log = on_log, .log_user = &log },
            &pool),
        GPOOL_OK);
    gpool_texture_desc desc = { .width = 4,
                                .height = 4,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK };
    gpool_texture target = gpool_texture_create(pool, &desc);
    assert_same(gpool_begin_frame(pool), GPOOL_OK);
    gpool_recorder rec = gpool_frame_recorder(pool);
    gpool_push_group(rec, "group");
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    gpool_push_group(rec, "in a pass");
    gpool_pop_group(rec);
    gpool_end_pass(rec);
    gpool_begin_compute(rec, "compute");
    gpool_end_pass(rec);
    gpool_pop_group(rec);
    assert_same(gpool_end_frame(pool), GPOOL_OK);
    uint8_t bytes[64];
    assert_same(gpool_texture_read(pool, target, NULL, bytes, sizeof bytes), GPOOL_OK);
    assert_same(gpool_texture_destroy(pool, target), GPOOL_OK);
    gpool_destroy(pool);
    assert_int_equal(log.count, 0);
}

static void functions_gpool_never_calls_may_be_missing(void **state)
{
    (void)state;
    for (int dawn = 0; dawn < 2; ++dawn) {
        gpool_gpu table;
        sim *s = open_sim(dawn != 0 ? SIM_DAWN : SIM_WGPU_NATIVE, &table);
#define GPOOL_V(name, parameters, arguments)       table.name = NULL;
#define GPOOL_R(type, name, parameters, arguments) table.name = NULL;
        GPOOL_GPU_OPTIONAL(GPOOL_V, GPOOL_R)
#undef GPOOL_V
#undef GPOOL_R
        told log = { 0 };
        gpool_device_desc desc = { .gpu = &table, .log = on_log, .log_user = &log };
        gpool_device *device = NULL;
        assert_same(gpool_device_open(&desc, &device), GPOOL_OK);
        use_device(device);
        gpool_device_release(device);
        assert_int_equal(log.count, 0);
        close_sim(s);
    }
}

static void expect_refused(const gpool_gpu *table, const char *name)
{
    told log = { 0 };
    gpool_device_desc desc = { .gpu = table, .log = on_log, .log_user = &log };
    gpool_device *device = NULL;
    assert_same(gpool_device_open(&desc, &device), GPOOL_ERROR_LIBRARY);
    assert_null(device);
    assert_same(log.id, GPOOL_LOG_LIBRARY);
    assert_non_null(strstr(log.message, name));
}

static void a_table_without_a_required_function_is_refused(void **state)
{
    (void)state;
    gpool_gpu whole;
    gpool_gpu table;
    sim *s = open_sim(SIM_WGPU_NATIVE, &whole);
    uint32_t count = 0;
#define GPOOL_V(name, parameters, arguments)                                                       \
    table = whole;                                                                                 \
    table.name = NULL;                                                                             \
    expect_refused(&table, #name);                                                                 \
    count += 1;
#define GPOOL_R(type, name, parameters, arguments) GPOOL_V(name, parameters, arguments)
    GPOOL_GPU_REQUIRED(GPOOL_V, GPOOL_R)
#undef GPOOL_V
#undef GPOOL_R
    assert_true(count > 90);
    close_sim(s);
}

/* An adapter with many features; what reaches the implementation is counted. */
static gpool_gpu real_table;
static size_t features_asked;

static WGPUBool has_any_feature(WGPUAdapter adapter, WGPUFeatureName feature)
{
    (void)adapter;
    return feature != (WGPUFeatureName)7777;
}

static WGPUFuture count_features(WGPUAdapter adapter, WGPUDeviceDescriptor const *descriptor,
                                 WGPURequestDeviceCallbackInfo info)
{
    features_asked = descriptor->requiredFeatureCount;
    WGPUDeviceDescriptor copy = *descriptor;
    copy.requiredFeatureCount = 0;
    return real_table.AdapterRequestDevice(adapter, &copy, info);
}

static gpool_result open_features(const gpool_gpu *table, size_t required, size_t optional,
                                  told *log)
{
    static WGPUFeatureName features[200];
    for (size_t i = 0; i < 200; ++i) {
        features[i] = (WGPUFeatureName)(1000 + i);
    }
    features[199] = features[198]; /* twice is once */
    *log = (told){ 0 };
    features_asked = 0;
    gpool_device_desc desc = { .gpu = table,
                               .log = on_log,
                               .log_user = log,
                               .required_features = features + 200 - required,
                               .required_feature_count = required,
                               .optional_features = features,
                               .optional_feature_count = optional };
    gpool_device *device = NULL;
    gpool_result result = gpool_device_open(&desc, &device);
    gpool_device_release(device);
    return result;
}

static void no_feature_is_left_out_in_silence(void **state)
{
    (void)state;
    for (int dawn = 0; dawn < 2; ++dawn) {
        sim *s = open_sim(dawn != 0 ? SIM_DAWN : SIM_WGPU_NATIVE, &real_table);
        gpool_gpu table = real_table;
        table.AdapterHasFeature = has_any_feature;
        table.AdapterRequestDevice = count_features;
        size_t own = dawn != 0 ? 1 : 0; /* gpool asks for one on Dawn */
        told log;
        assert_same(open_features(&table, 64, 0, &log), GPOOL_OK); /* one is twice there */
        assert_int_equal(features_asked, 63 + own);
        assert_same(open_features(&table, 65, 0, &log), GPOOL_ERROR_LIMIT);
        assert_same(log.id, GPOOL_LOG_LIMIT);
        assert_int_equal(features_asked, 0);
        assert_same(open_features(&table, 31, 33, &log), GPOOL_OK);
        assert_int_equal(features_asked, 63 + own);
        assert_same(open_features(&table, 31, 34, &log), GPOOL_ERROR_LIMIT);
        assert_same(log.id, GPOOL_LOG_LIMIT);
        WGPUFeatureName synchronization = (WGPUFeatureName)0x50004;
        gpool_device_desc desc = { .gpu = &table,
                                   .log = on_log,
                                   .log_user = &log,
                                   .required_features = &synchronization,
                                   .required_feature_count = 1 };
        gpool_device *device = NULL;
        assert_same(gpool_device_open(&desc, &device), GPOOL_OK);
        assert_int_equal(features_asked, 1);
        gpool_device_release(device);
        close_sim(s);
    }
}

static gpool_result open_once(const gpool_gpu *table, unit_allocator *allocator, told *log)
{
    gpool_device_desc desc = { .gpu = table,
                               .log = on_log,
                               .log_user = log,
                               .label = "opened",
                               .allocator = unit_hooks(allocator) };
    gpool_device *device = (gpool_device *)log;
    gpool_result result = gpool_device_open(&desc, &device);
    assert_same(device != NULL, result == GPOOL_OK);
    gpool_device_release(device);
    assert_int_equal(allocator->blocks, 0);
    return result;
}

static void lack_of_memory_is_told_as_such(void **state)
{
    (void)state;
    gpool_gpu table;
    sim *s = open_sim(SIM_WGPU_NATIVE, &table);
    gpool_result result = GPOOL_ERROR_OUT_OF_MEMORY;
    uint64_t points = 0;
    for (uint64_t k = 1; result != GPOOL_OK; ++k) {
        unit_allocator allocator = { .fail_at = k };
        told log = { 0 };
        result = open_once(&table, &allocator, &log);
        assert_same(result, allocator.calls >= k ? GPOOL_ERROR_OUT_OF_MEMORY : GPOOL_OK);
        assert_same(log.id, result != GPOOL_OK ? GPOOL_LOG_MEMORY : GPOOL_LOG_NONE);
        assert_same(sim_live(s, SIM_KIND_NONE), 0);
        points = k;
    }
    assert_true(points > 3);
    close_sim(s);
}

/* What was chained into the device's descriptor. */
static const WGPUChainedStruct *chained;

static WGPUFuture look_at_chain(WGPUAdapter adapter, WGPUDeviceDescriptor const *descriptor,
                                WGPURequestDeviceCallbackInfo info)
{
    chained = descriptor->nextInChain;
    return real_table.AdapterRequestDevice(adapter, descriptor, info);
}

static void count_fallbacks(void *user, const gpool_log_record *record)
{
    told *t = user;
    if (record->id == GPOOL_LOG_FALLBACK) {
        assert_same(record->level, GPOOL_LOG_LEVEL_WARN);
        assert_same(record->result, GPOOL_OK);
        t->count += 1;
        (void)snprintf(t->message, sizeof t->message, "%s", record->message);
    }
}

static void driver_blobs_are_for_one_build_of_dawn(void **state)
{
    (void)state;
    static const char *const reasons[] = { "wgpu-native", "build of Dawn", "known to gpool" };
    gpool_store *store = NULL;
    assert_same(gpool_store_open(&(gpool_store_desc){ .mode = GPOOL_STORE_MODE_OFF }, &store),
                GPOOL_OK);
    for (int kind = 0; kind < 3; ++kind) { /* wgpu-native, some Dawn, something else */
        sim *s = open_sim(kind == 1 ? SIM_DAWN : SIM_WGPU_NATIVE, &real_table);
        gpool_gpu table = real_table;
        table.AdapterRequestDevice = look_at_chain;
        if (kind == 2) {
            table.GetVersion = NULL;
        }
        for (int given = 0; given < 2; ++given) {
            told log = { 0 };
            const gpool_device_desc desc = { .gpu = &table,
                                             .blobs = given != 0 ? store : NULL,
                                             .log = count_fallbacks,
                                             .log_user = &log };
            gpool_device *device = NULL;
            chained = (const WGPUChainedStruct *)&log;
            assert_same(gpool_device_open(&desc, &device), GPOOL_OK);
            assert_null(chained);
            assert_int_equal(log.count, given);
            assert_non_null(strstr(log.message, given != 0 ? reasons[kind] : ""));
            gpool_blob_stats stats = { .hits = 7 };
            assert_same(gpool_device_get_blob_stats(device, &stats), GPOOL_OK);
            assert_false(stats.active);
            assert_int_equal(stats.hits, 0);
            use_device(device);
            gpool_device_release(device);
        }
        close_sim(s);
    }
    gpool_store_close(store);
}

/* The next allocation after one of these calls fails: the room for an answer. */
static WGPUInstance fail_after_instance(WGPUInstanceDescriptor const *descriptor)
{
    WGPUInstance instance = real_table.CreateInstance(descriptor);
    calloc_fails_at = calloc_calls + 1;
    return instance;
}

static WGPUStatus fail_after_limits(WGPUAdapter adapter, WGPULimits *limits)
{
    WGPUStatus status = real_table.AdapterGetLimits(adapter, limits);
    calloc_fails_at = calloc_calls + 1;
    return status;
}

static void lack_of_memory_beside_the_hooks_is_told_as_such(void **state)
{
    (void)state;
    sim *s = open_sim(SIM_WGPU_NATIVE, &real_table);
    for (int device = 0; device < 2; ++device) {
        gpool_gpu table = real_table;
        if (device != 0) {
            table.AdapterGetLimits = fail_after_limits;
        } else {
            table.CreateInstance = fail_after_instance;
        }
        calloc_calls = 0;
        unit_allocator allocator = { 0 };
        told log = { 0 };
        assert_same(open_once(&table, &allocator, &log), GPOOL_ERROR_OUT_OF_MEMORY);
        assert_true(calloc_calls >= calloc_fails_at);
        calloc_fails_at = 0;
        assert_same(log.id, GPOOL_LOG_MEMORY);
        assert_int_equal(log.count, 1);
        assert_same(sim_live(s, SIM_KIND_NONE), 0);
    }
    close_sim(s);
}

/* The answer of an error scope is kept back. */
static bool scopes_are_silent;
static WGPUPopErrorScopeCallbackInfo kept[4];
static uint32_t kept_count;

static WGPUFuture pop_in_silence(WGPUDevice device, WGPUPopErrorScopeCallbackInfo info)
{
    if (scopes_are_silent) {
        assert_true(kept_count < UNIT_COUNT(kept));
        kept[kept_count++] = info;
        return (WGPUFuture){ 0 };
    }
    return real_table.DevicePopErrorScope(device, info);
}

static gpool_result make_buffer(gpool *pool)
{
    gpool_buffer_desc desc = { .size = 64, .usage = GPOOL_BUFFER_UNIFORM, .label = "bytes" };
    gpool_buffer buffer = gpool_buffer_create(pool, &desc);
    gpool_result result = GPOOL_OK;
    gpool_buffer_info info;
    if (gpool_buffer_get_info(pool, buffer, &info) != GPOOL_OK || info.failed) {
        result = gpool_last_error(pool)->code;
    }
    (void)gpool_buffer_destroy(pool, buffer);
    return result;
}

static void error_scope_without_an_answer_ends_the_device_and_no_wait(void **state)
{
    (void)state;
    sim *s = sim_create(&(sim_desc){ .errors = SIM_ERRORS_SWALLOWED });
    assert_non_null(s);
    sim_table(s, &real_table);
    gpool_gpu table = real_table;
    table.DevicePopErrorScope = pop_in_silence;
    told log = { 0 };
    gpool_device_desc desc = { .gpu = &table, .log = on_log, .log_user = &log };
    gpool_device *device = NULL;
    assert_same(gpool_device_open(&desc, &device), GPOOL_OK);
    gpool *pool = NULL;
    assert_same(
        gpool_create(
            device,
            &(gpool_desc){ .compile_workers = GPOOL_WORKERS_NONE, .log = on_log, .log_user = &log },
            &pool),
        GPOOL_OK);
    assert_same(make_buffer(pool), GPOOL_OK);
    kept_count = 0;
    scopes_are_silent = true;
    assert_same(make_buffer(pool), GPOOL_ERROR_DEVICE_LOST);
    scopes_are_silent = false;
    assert_int_equal(kept_count, 1);
    assert_same(gpool_begin_frame(pool), GPOOL_ERROR_DEVICE_LOST);
    gpool_destroy(pool);
    gpool_device_release(device);
    /* They come after all, and find nobody. */
    for (uint32_t i = 0; i < kept_count; ++i) {
        kept[i].callback(WGPUPopErrorScopeStatus_Success, WGPUErrorType_Validation,
                         (WGPUStringView){ "late", WGPU_STRLEN }, kept[i].userdata1,
                         kept[i].userdata2);
    }
    close_sim(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(functions_gpool_never_calls_may_be_missing),
        cmocka_unit_test(a_table_without_a_required_function_is_refused),
        cmocka_unit_test(no_feature_is_left_out_in_silence),
        cmocka_unit_test(lack_of_memory_is_told_as_such),
        cmocka_unit_test(driver_blobs_are_for_one_build_of_dawn),
        cmocka_unit_test(lack_of_memory_beside_the_hooks_is_told_as_such),
        cmocka_unit_test(error_scope_without_an_answer_ends_the_device_and_no_wait),
    };
    return cmocka_run_group_tests_name("device_open", tests, NULL, NULL);
}
