/* A device that the caller opened by hand and lends to gpool. */
#include "gpu/fixture.h"

#include <stdlib.h>
#include <string.h>

int gpu_adopt_run(void);

/* What the caller owns; its callbacks forward to `device` as soon as gpool has made it. */
typedef struct own_device {
    gpool_gpu gpu;
    WGPUInstance instance;
    WGPUAdapter adapter;
    WGPUDevice raw;
    gpool_device *device;
    fixture_log log;
    uint32_t errors;
    bool answered;
} own_device;

static void on_error(WGPUDevice const *device, WGPUErrorType type, WGPUStringView message,
                     void *own_pointer, void *unused)
{
    (void)device;
    (void)unused;
    own_device *own = own_pointer;
    own->errors += 1;
    gpool_device_notify_error(own->device, type, message);
}

static void on_lost(WGPUDevice const *device, WGPUDeviceLostReason reason, WGPUStringView message,
                    void *own_pointer, void *unused)
{
    (void)device;
    (void)unused;
    own_device *own = own_pointer;
    gpool_device_notify_lost(own->device, reason, message);
}

static void on_adapter(WGPURequestAdapterStatus status, WGPUAdapter adapter, WGPUStringView message,
                       void *own_pointer, void *unused)
{
    (void)message;
    (void)unused;
    own_device *own = own_pointer;
    own->answered = true;
    own->adapter = status == WGPURequestAdapterStatus_Success ? adapter : NULL;
}

static void on_device(WGPURequestDeviceStatus status, WGPUDevice device, WGPUStringView message,
                      void *own_pointer, void *unused)
{
    (void)message;
    (void)unused;
    own_device *own = own_pointer;
    own->answered = true;
    own->raw = status == WGPURequestDeviceStatus_Success ? device : NULL;
}

static void wait_for_answer(own_device *own)
{
    for (long i = 0; i < 100000000 && !own->answered; ++i) {
        own->gpu.InstanceProcessEvents(own->instance);
    }
    assert_true(own->answered);
    own->answered = false;
}

static void open_by_hand(own_device *own)
{
    memset(own, 0, sizeof *own);
    assert_good(gpool_gpu_load(NULL, &own->gpu));
    own->instance = own->gpu.CreateInstance(NULL);
    WGPURequestAdapterOptions options = { .featureLevel = WGPUFeatureLevel_Core };
    WGPURequestAdapterCallbackInfo adapter_info = { .mode = WGPUCallbackMode_AllowProcessEvents,
                                                    .callback = on_adapter,
                                                    .userdata1 = own };
    (void)own->gpu.InstanceRequestAdapter(own->instance, &options, adapter_info);
    wait_for_answer(own);
    assert_non_null(own->adapter);
    WGPUDeviceDescriptor desc = {
        .deviceLostCallbackInfo = { .mode = WGPUCallbackMode_AllowProcessEvents,
                                    .callback = on_lost,
                                    .userdata1 = own },
        .uncapturedErrorCallbackInfo = { .callback = on_error, .userdata1 = own },
    };
    WGPURequestDeviceCallbackInfo device_info = { .mode = WGPUCallbackMode_AllowProcessEvents,
                                                  .callback = on_device,
                                                  .userdata1 = own };
    (void)own->gpu.AdapterRequestDevice(own->adapter, &desc, device_info);
    wait_for_answer(own);
    assert_non_null(own->raw);
}

static gpool_device_adopt_desc adopt_desc(own_device *own)
{
    return (gpool_device_adopt_desc){ .gpu = &own->gpu,
                                      .instance = own->instance,
                                      .adapter = own->adapter,
                                      .device = own->raw,
                                      .label = "lent",
                                      .log = fixture_on_log,
                                      .log_user = &own->log,
                                      .allocator = fixture_allocator() };
}

static void close_by_hand(own_device *own)
{
    own->device = NULL;
    own->gpu.DeviceRelease(own->raw);
    own->gpu.AdapterRelease(own->adapter);
    own->gpu.InstanceProcessEvents(own->instance);
    own->gpu.InstanceRelease(own->instance);
}

static void adopt(own_device *own)
{
    open_by_hand(own);
    gpool_device_adopt_desc desc = adopt_desc(own);
    assert_good(gpool_device_adopt(&desc, &own->device));
    gpool_device_info info;
    assert_good(gpool_device_get_info(own->device, &info));
    assert_true(info.adopted && info.errors_inline);
    assert_ptr_equal(gpool_device_raw(own->device), own->raw);
    assert_int_equal(own->log.counts[GPOOL_LOG_DEVICE], 1);
    assert_int_equal(own->log.counts[GPOOL_LOG_GPU_ERROR_LATE], 0);
}

static void adopted_device_draws(void **state)
{
    fixture *f = *state;
    static own_device own;
    adopt(&own);
    gpool_device_retain(own.device);
    fixture_use_device(f, own.device);
    gpool_texture target = fixture_target(f, 4, 4);
    gpool_pipeline pipeline =
        fixture_render(f, fixture_fill_wgsl, (gpool_render_pipeline_desc){ 0 });
    const float color[4] = { 0, 1, 1, 1 };
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    gpool_set_pipeline(rec, pipeline);
    gpool_set_uniforms(rec, 0, color, sizeof color);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(f->pool));
    assert_pixel(f, target, 2, 2, 0x00ffffff);
    gpool_destroy(f->pool);
    f->pool = NULL;
    gpool_device_release(own.device);
    /* The caller's objects go on without gpool. */
    WGPUBufferDescriptor desc = { .size = 4, .usage = WGPUBufferUsage_CopyDst };
    WGPUBuffer buffer = own.gpu.DeviceCreateBuffer(own.raw, &desc);
    assert_int_equal(own.gpu.BufferGetSize(buffer), 4);
    own.gpu.BufferRelease(buffer);
    close_by_hand(&own);
}

static void forwarded_errors_find_their_call(void **state)
{
    fixture *f = *state;
    static own_device own;
    adopt(&own);
    gpool_device_retain(own.device);
    fixture_use_device(f, own.device);
    uint32_t before = own.errors;
    assert_true(before > 0); /* the probe at adoption */
    gpool_shader shader =
        gpool_shader_create(f->pool, &(gpool_shader_desc){ .wgsl = "no shader at all" });
    assert_result(gpool_shader_wait(f->pool, shader, UINT64_MAX), GPOOL_ERROR_GPU);
    fixture_expect(f, GPOOL_LOG_SHADER_COMPILE, 1);
    /* An adopted Dawn device may not be for several threads: then the creation compiles. */
    assert_true(strcmp(f->log.last_operation, "gpool_shader_wait") == 0 ||
                strcmp(f->log.last_operation, "gpool_shader_create") == 0);
    assert_int_equal(own.errors, before + 1);
    /* An error of the caller's own call is nobody's: the device's log tells it. */
    WGPUBufferDescriptor bad = { .size = 4,
                                 .usage = WGPUBufferUsage_MapRead | WGPUBufferUsage_Storage };
    WGPUBuffer buffer = own.gpu.DeviceCreateBuffer(own.raw, &bad);
    assert_int_equal(own.errors, before + 2);
    fixture_expect_at(&own.log, GPOOL_LOG_GPU_ERROR_LATE, 1, __FILE__, __LINE__);
    own.gpu.BufferRelease(buffer);
    /* It did no harm. */
    gpool_buffer good = fixture_buffer(f, "good", 4, GPOOL_BUFFER_READ_BACK);
    assert_buffer(f, good, 0, "good", 4);
    gpool_destroy(f->pool);
    f->pool = NULL;
    gpool_device_release(own.device);
    close_by_hand(&own);
}

static void adopt_checks_what_it_is_given(void **state)
{
    fixture *f = *state;
    static own_device own;
    open_by_hand(&own);
    gpool_device *device = f->device;
    assert_result(gpool_device_adopt(NULL, &device), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_null(device);
    gpool_device_adopt_desc desc = adopt_desc(&own);
    assert_result(gpool_device_adopt(&desc, NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    desc.device = NULL;
    assert_result(gpool_device_adopt(&desc, &device), GPOOL_ERROR_INVALID_ARGUMENT);
    desc = adopt_desc(&own);
    desc.instance = NULL;
    assert_result(gpool_device_adopt(&desc, &device), GPOOL_ERROR_INVALID_ARGUMENT);
    desc = adopt_desc(&own);
    gpool_header_fingerprint print = gpool_header_fingerprint_here();
    print.values[3] -= 8;
    assert_result(gpool_device_adopt_checked(&desc, &print, &device), GPOOL_ERROR_HEADER);
    fixture_expect_at(&own.log, GPOOL_LOG_HEADER, 1, __FILE__, __LINE__);
    assert_null(device);
    desc.gpu = NULL;
    desc.library = "no/such/libwebgpu.so";
    assert_result(gpool_device_adopt(&desc, &device), GPOOL_ERROR_LIBRARY);
    close_by_hand(&own);
}

static void device_may_be_adopted_twice(void **state)
{
    (void)state;
    static own_device own;
    adopt(&own);
    gpool_device *first = own.device;
    gpool_device_adopt_desc desc = adopt_desc(&own);
    desc.queue = own.gpu.DeviceGetQueue(own.raw);
    own.device = NULL;
    gpool_device_release(first);
    assert_good(gpool_device_adopt(&desc, &own.device));
    assert_ptr_equal(gpool_device_raw_queue(own.device), desc.queue);
    gpool_device_release(own.device);
    own.gpu.QueueRelease(desc.queue);
    close_by_hand(&own);
}

int gpu_adopt_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(adopted_device_draws),
        FIXTURE_TEST(forwarded_errors_find_their_call),
        FIXTURE_TEST(adopt_checks_what_it_is_given),
        FIXTURE_TEST(device_may_be_adopted_twice),
    };
    return FIXTURE_RUN("adopt", tests);
}
