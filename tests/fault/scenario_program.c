/* What surrounds the resources: submits, raw work, pools, devices. */
#include "fault.h"

#include <string.h>

/* Several submits a frame; writes between them; every frame function. */
static gpool_result scenario_submits(fault_world *w)
{
    static fault_buffer a;
    static fault_buffer b;
    uint8_t bytes[64];
    fault_pattern(bytes, sizeof bytes, 9);
    fault_buffer_make(w, &a, GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_READ_BACK, 64, NULL);
    fault_buffer_make(w, &b, GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_READ_BACK, 128, NULL);
    for (uint32_t frame = 0; frame < 3; ++frame) {
        (void)FAULT_DO(w, 0, gpool_begin_frame(w->pool));
        for (uint32_t half = 0; half < 2; ++half) {
            bytes[0] = (uint8_t)(frame * 2 + half);
            (void)fault_buffer_write(w, &a, 0, bytes, sizeof bytes);
            gpool_recorder rec = gpool_frame_recorder(w->pool);
            gpool_copy_buffer(rec, a.handle, 0, b.handle, half * 64, 64);
            bool done = half == 0 ? FAULT_DO(w, 0, gpool_submit(w->pool))
                                  : FAULT_DO(w, 0, gpool_end_frame(w->pool));
            fault_buffer_changed(&b, done && a.known, half * 64, a.bytes, 64);
        }
        (void)FAULT_DO(w, 0, gpool_device_poll(w->device));
        (void)FAULT_DO(w, 0, gpool_process_uploads(w->pool));
        (void)FAULT_DO(w, 0, gpool_process_deletions(w->pool));
    }
    (void)FAULT_DO(w, 0, gpool_begin_frame(w->pool)); /* an empty one */
    (void)FAULT_DO(w, 0, gpool_submit(w->pool));
    (void)FAULT_DO(w, 0, gpool_end_frame(w->pool));
    (void)FAULT_DO(w, 0, gpool_wait_idle(w->pool));
    (void)FAULT_DO(w, 0, gpool_device_wait(w->device, gpool_device_submitted(w->device), 1000));
    (void)FAULT_DO(w, 0, gpool_tick(w->pool));
    fault_buffer_check(w, &b);
    fault_buffer_check(w, &a);
    return fault_end(w);
}

/* An encoder of the program's own, between what the recorder holds; and a submit of its own. */
static void raw_encoders(fault_world *w, fault_buffer *target)
{
    const gpool_gpu *gpu = gpool_device_gpu(w->device);
    gpool_recorder rec = gpool_frame_recorder(w->pool);
    gpool_clear_buffer(rec, target->handle, 0, 64);
    WGPUBuffer raw = FAULT_GET(w, target->handle.id,
                               gpool_buffer_gpu(w->pool, target->handle, GPOOL_ACCESS_WRITE));
    WGPUCommandEncoder encoder = gpu->DeviceCreateCommandEncoder(gpool_device_raw(w->device), NULL);
    bool good = raw != NULL && encoder != NULL;
    if (good) {
        gpu->CommandEncoderCopyBufferToBuffer(encoder, w->raw.buffer, 0, raw, 0, 32);
    }
    if (encoder != NULL && rec.state == NULL) {
        gpu->CommandEncoderRelease(encoder);
    } else if (encoder != NULL) {
        good = FAULT_DO(w, 0, gpool_recorder_finish_raw(rec, encoder)) && good;
    }
    WGPUCommandEncoder own = FAULT_GET(w, 0, gpool_recorder_encoder(rec));
    if (own != NULL && raw != NULL) {
        gpu->CommandEncoderCopyBufferToBuffer(own, w->raw.buffer, 32, raw, 32, 16);
    }
    /* An encoder of the program's may fail on its own: then this is no failure of gpool's. */
    good = FAULT_DO(w, 0, gpool_submit(w->pool)) && good && own != NULL;
    uint8_t bytes[64] = { 0 };
    for (uint8_t i = 0; i < 48; ++i) {
        bytes[i] = i;
    }
    fault_buffer_changed(target, good, 0, bytes, 64);
}

/* Raw passes, raw pipelines, raw bind groups. */
static gpool_result scenario_raw(fault_world *w)
{
    static fault_buffer target;
    static fault_texture picture;
    static const uint8_t blue[4] = { 0, 0, 255, 255 };
    const gpool_gpu *gpu = gpool_device_gpu(w->device);
    fault_buffer_make(w, &target,
                      GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_READ_BACK | GPOOL_BUFFER_VERTEX, 64,
                      NULL);
    fault_texture_make(w, &picture, GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK, 4, 4, NULL);
    (void)FAULT_DO(w, 0, gpool_begin_frame(w->pool));
    raw_encoders(w, &target);
    gpool_recorder rec = gpool_frame_recorder(w->pool);
    gpool_render_desc pass = { .color[0] = { .texture = picture.handle } };
    gpool_begin_render(rec, &pass);
    gpool_set_raw_render_pipeline(rec, w->raw.render);
    gpool_set_raw_bind_group(rec, 0, w->raw.group, NULL, 0);
    gpool_set_vertex_buffer(rec, 0, target.handle, 0);
    WGPURenderPassEncoder render = FAULT_GET(w, 0, gpool_recorder_render_pass(rec));
    if (render != NULL) {
        gpu->RenderPassEncoderDraw(render, 3, 1, 0, 0);
    }
    gpool_end_pass(rec);
    gpool_begin_compute(rec, NULL);
    gpool_set_raw_compute_pipeline(rec, w->raw.compute);
    (void)FAULT_GET(w, 0, gpool_recorder_compute_pass(rec));
    gpool_end_pass(rec);
    bool done = FAULT_DO(w, 0, gpool_end_frame(w->pool)) && render != NULL;
    fault_texture_filled(&picture, done, blue);
    fault_texture_check(w, &picture);
    fault_buffer_check(w, &target);
    if (!fault_is_lost(w)) {
        /* A program that submits by itself looks after a loss by itself. */
        (void)FAULT_DO(w, 0, gpool_process_uploads(w->pool));
        (void)FAULT_DO(w, 0, gpool_note_external_submit(w->pool));
    }
    return fault_end(w);
}

static void use_pool(fault_world *w)
{
    static fault_buffer a;
    uint8_t bytes[100];
    fault_pattern(bytes, sizeof bytes, 10);
    fault_buffer_make(w, &a, GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_READ_BACK, 100, bytes);
    (void)FAULT_DO(w, 0, gpool_begin_frame(w->pool));
    (void)fault_buffer_write(w, &a, 50, bytes, 50);
    (void)FAULT_DO(w, 0, gpool_end_frame(w->pool));
    fault_buffer_check(w, &a);
}

/* Another pool on the same device, that measures; ended with work recorded and resources alive. */
static gpool_result scenario_pools(fault_world *w)
{
    gpool_desc desc = fault_pool_desc(w);
    desc.measure = true;
    uint64_t leaks = w->log_counts[GPOOL_LOG_LEAK];
    for (int i = 0; i < 2; ++i) {
        gpool *pool = NULL;
        if (!FAULT_DO(w, 0, gpool_create(w->device, &desc, &pool))) {
            FAULT_EXPECT(w, pool == NULL);
            continue;
        }
        gpool *before = fault_use(w, pool);
        use_pool(w);
        if (i == 1) {
            (void)FAULT_DO(w, 0, gpool_begin_frame(w->pool));
            (void)gpool_frame_recorder(w->pool);
        } else {
            while (w->thing_count > 0) {
                fault_destroy(w, w->things[0].id);
            }
        }
        fault_destroy_pool(w, before);
    }
    w->log_counts[GPOOL_LOG_LEAK] = leaks;
    return fault_end(w);
}

/* Another device, opened, used and closed; with everything that may be asked for. */
static gpool_result scenario_devices(fault_world *w)
{
    static const WGPUFeatureName core = WGPUFeatureName_CoreFeaturesAndLimits;
    static const WGPUFeatureName rare = WGPUFeatureName_TextureCompressionASTC;
    static const gpool_adapter_choice choices[] = { GPOOL_ADAPTER_ANY, GPOOL_ADAPTER_SOFTWARE };
    gpool_device *first = w->device;
    gpool *pool = w->pool;
    uint64_t leaks = w->log_counts[GPOOL_LOG_LEAK];
    (void)FAULT_DO(w, 0, gpool_device_poll(first));
    for (size_t i = 0; i < 2; ++i) {
        gpool_device_desc desc = fault_device_desc(w);
        desc.adapter = choices[i];
        desc.required_features = &core;
        desc.required_feature_count = 1;
        desc.optional_features = &rare;
        desc.optional_feature_count = 1;
        desc.instance = i == 0 ? NULL : gpool_device_raw_instance(first);
        gpool_device *device = NULL;
        if (!FAULT_DO(w, 0, gpool_device_open(&desc, &device))) {
            FAULT_EXPECT(w, device == NULL);
            continue;
        }
        w->device = device;
        gpool_desc pool_desc = fault_pool_desc(w);
        gpool *second = NULL;
        if (FAULT_DO(w, 0, gpool_create(device, &pool_desc, &second))) {
            (void)fault_use(w, second);
            use_pool(w);
            fault_destroy_pool(w, pool);
        }
        (void)FAULT_DO(w, 0, gpool_device_poll(gpool_device_retain(device)));
        gpool_device_release(device);
        gpool_device_release(device);
        w->device = first;
    }
    w->log_counts[GPOOL_LOG_LEAK] = leaks;
    return fault_end(w);
}

FAULT_SWEEP(devices, scenario_devices)
FAULT_SWEEP(pools, scenario_pools)
FAULT_SWEEP(raw, scenario_raw)
FAULT_SWEEP(submits, scenario_submits)
