/* Bindings that contradict their layout, and raw work, legal and broken. */
#include "gpu/hostile.h"

#include <string.h>

#define SET(...) gpool_set_bindings(rec, __VA_ARGS__)

void hostile_bindings(hostile_world *w)
{
    gpool *p = w->pool;
    gpool_layout_entry two[] = { { .binding = 1, .type = GPOOL_BINDING_UNIFORM },
                                 { .binding = 5, .type = GPOOL_BINDING_SAMPLER } };
    gpool_layout layout = gpool_layout_create(
        p, &(gpool_layout_desc){ .entries = two, .entry_count = 2, .label = "two" });
    gpool_layout uniform = gpool_uniform_layout(p);
    gpool_sampler sampler = gpool_sampler_create(p, &(gpool_sampler_desc){ 0 });
    gpool_binding good[] = { { .binding = 1, .buffer = w->witness },
                             { .binding = 5, .sampler = sampler } };
    gpool_binding twice[] = { good[0], good[0] };
    gpool_binding wrong[] = { good[0], { .binding = 4, .sampler = sampler } };
    gpool_binding swapped[] = { { .binding = 1, .sampler = sampler },
                                { .binding = 5, .buffer = w->witness } };
    uint32_t offsets[20] = { 0 };
    for (int pass = 1; pass < 3; ++pass) {
        hostile_skips(w, pass, SET(4, layout, good, 2, NULL, 0), OUT_OF_RANGE, RANGE);
        hostile_skips(w, pass, SET(UINT32_MAX, layout, good, 2, NULL, 0), OUT_OF_RANGE, RANGE);
        hostile_skips(w, pass, SET(0, layout, good, 1, NULL, 0), INVALID_ARGUMENT, ARGUMENT_VALUE);
        hostile_skips(w, pass, SET(0, layout, good, 3, NULL, 0), INVALID_ARGUMENT, ARGUMENT_VALUE);
        hostile_skips(w, pass, SET(0, layout, good, 17, NULL, 0), INVALID_ARGUMENT, ARGUMENT_VALUE);
        hostile_skips(w, pass, SET(0, layout, good, UINT32_MAX, NULL, 0), INVALID_ARGUMENT,
                      ARGUMENT_VALUE);
        hostile_skips(w, pass, SET(0, layout, NULL, 2, NULL, 0), INVALID_ARGUMENT, ARGUMENT_VALUE);
        hostile_skips(w, pass, SET(0, layout, twice, 2, NULL, 0), INVALID_ARGUMENT, ARGUMENT_VALUE);
        hostile_skips(w, pass, SET(0, layout, wrong, 2, NULL, 0), INVALID_ARGUMENT, ARGUMENT_VALUE);
        hostile_skips(w, pass, SET(0, layout, swapped, 2, NULL, 0), NULL_HANDLE, HANDLE_NULL);
        hostile_skips(w, pass, SET(0, layout, good, 2, offsets, 1), OUT_OF_RANGE, RANGE);
        hostile_skips(w, pass, SET(0, layout, good, 2, offsets, 17), OUT_OF_RANGE, RANGE);
        hostile_skips(w, pass, SET(0, layout, good, 2, NULL, 1), INVALID_ARGUMENT, ARGUMENT_NULL);
        /* None given is 0 for each. */
        hostile_survives(w, pass,
                         SET(0, uniform, &(gpool_binding){ .buffer = w->witness }, 1, NULL, 0));
        offsets[0] = 256;
        hostile_skips(w, pass,
                      SET(0, uniform, &(gpool_binding){ .buffer = w->witness }, 1, offsets, 1),
                      OUT_OF_RANGE, RANGE);
        offsets[0] = 1;
        hostile_skips(w, pass,
                      SET(0, uniform, &(gpool_binding){ .buffer = w->witness }, 1, offsets, 1),
                      MISALIGNED, ALIGNMENT);
        hostile_skips(
            w, pass,
            SET(0, uniform, &(gpool_binding){ .buffer = w->witness, .offset = 16 }, 1, offsets, 1),
            MISALIGNED, ALIGNMENT);
        hostile_skips(w, pass, gpool_set_uniforms(rec, 4, offsets, 16), OUT_OF_RANGE, RANGE);
        hostile_skips(w, pass, gpool_set_uniforms(rec, 0, NULL, 16), INVALID_ARGUMENT,
                      ARGUMENT_NULL);
        hostile_skips(w, pass, gpool_set_uniforms(rec, 0, offsets, 0), OUT_OF_RANGE, RANGE);
        hostile_skips(w, pass, gpool_set_uniforms(rec, 0, offsets, 65537), OUT_OF_RANGE, RANGE);
        hostile_skips(w, pass, gpool_set_uniforms(rec, 0, offsets, UINT64_MAX), OUT_OF_RANGE,
                      RANGE);
        hostile_survives(w, pass, SET(3, layout, good, 2, NULL, 0));
    }
    /* Views and formats that do not fit a texture binding. */
    for (uint32_t i = 0; i < 7 * 5; ++i) {
        gpool_layout_entry entry = { .type = i % 2 == 0 ? GPOOL_BINDING_TEXTURE
                                                        : GPOOL_BINDING_STORAGE_TEXTURE,
                                     .dimension = (WGPUTextureViewDimension)(i % 7),
                                     .sample_type = (WGPUTextureSampleType)(i % 5 + 2),
                                     .format = WGPUTextureFormat_R32Float };
        gpool_layout odd =
            gpool_layout_create(p, &(gpool_layout_desc){ .entries = &entry, .entry_count = 1 });
        gpool_texture_desc desc = {
            .width = 4, .height = 4, .usage = 0x3f, .format = WGPUTextureFormat_RGBA8Unorm
        };
        gpool_texture texture = gpool_texture_create(p, &desc);
        hostile_survives(w, 2, SET(0, odd, &(gpool_binding){ .texture = texture }, 1, NULL, 0));
    }
}

static WGPUCommandEncoder raw_encoder(hostile_world *w)
{
    const gpool_gpu *gpu = gpool_device_gpu(w->f->device);
    return gpu->DeviceCreateCommandEncoder(gpool_device_raw(w->f->device), NULL);
}

static void raw_encoders(hostile_world *w)
{
    const gpool_gpu *gpu = gpool_device_gpu(w->f->device);
    gpool_buffer target = fixture_buffer(w->f, NULL, 64, 0x3ff);
    WGPUBuffer from = gpool_buffer_gpu(w->pool, w->witness, GPOOL_ACCESS_READ);
    WGPUBuffer to = gpool_buffer_gpu(w->pool, target, GPOOL_ACCESS_WRITE);
    uint8_t bytes[64];
    assert_good(gpool_buffer_read(w->pool, w->witness, 0, bytes, 64));
    gpool_recorder rec = hostile_frame(w, 0);
    hostile_refused(w, gpool_recorder_finish_raw(rec, NULL), INVALID_ARGUMENT, ARGUMENT_NULL);
    /* Good raw work between two broken ones is done; each broken one is told and dropped. */
    WGPUCommandEncoder encoder = raw_encoder(w);
    gpu->CommandEncoderCopyBufferToBuffer(encoder, from, 0, to, 4, 1000);
    assert_result(gpool_recorder_finish_raw(rec, encoder), GPOOL_ERROR_GPU);
    encoder = raw_encoder(w);
    gpu->CommandEncoderCopyBufferToBuffer(encoder, from, 0, to, 0, 64);
    assert_good(gpool_recorder_finish_raw(rec, encoder));
    encoder = raw_encoder(w);
    WGPUComputePassEncoder open = gpu->CommandEncoderBeginComputePass(encoder, NULL);
    assert_result(gpool_recorder_finish_raw(rec, encoder), GPOOL_ERROR_GPU);
    gpu->ComputePassEncoderRelease(open);
    gpool_begin_compute(rec, NULL);
    hostile_begin(w);
    assert_result(gpool_recorder_finish_raw(rec, raw_encoder(w)), GPOOL_ERROR_WRONG_PHASE);
    assert_good(hostile_end(w, rec, 2));
    assert_buffer(w->f, target, 0, bytes, 64);
    assert_result(gpool_recorder_finish_raw(rec, raw_encoder(w)), GPOOL_ERROR_WRONG_PHASE);
    hostile_good_frame(w);
    /* A raw pass left open in the recorder's own encoder, and raw nonsense in its pass. */
    rec = hostile_frame(w, 0);
    open = gpu->CommandEncoderBeginComputePass(gpool_recorder_encoder(rec), NULL);
    assert_result(hostile_end(w, rec, 0), GPOOL_ERROR_GPU);
    gpu->ComputePassEncoderRelease(open);
    hostile_good_frame(w);
    rec = hostile_frame(w, 1);
    gpu->RenderPassEncoderDraw(gpool_recorder_render_pass(rec), 3, 1, 0, 0); /* no pipeline */
    assert_result(hostile_end(w, rec, 1), GPOOL_ERROR_GPU);
    hostile_good_frame(w);
    rec = hostile_frame(w, 1);
    gpu->RenderPassEncoderPushDebugGroup(gpool_recorder_render_pass(rec),
                                         (WGPUStringView){ "", 0 });
    (void)hostile_end(w, rec, 1);
    hostile_good_frame(w);
}

static void raw_imports(hostile_world *w)
{
    const gpool_gpu *gpu = gpool_device_gpu(w->f->device);
    WGPUDevice device = gpool_device_raw(w->f->device);
    WGPUBufferDescriptor desc = { .size = 6,
                                  .usage = WGPUBufferUsage_CopySrc | WGPUBufferUsage_Vertex };
    WGPUBuffer odd = gpu->DeviceCreateBuffer(device, &desc);
    gpool_buffer_import_desc import = { .buffer = odd, .label = "odd" };
    hostile_refused(w, hostile_null(w, gpool_buffer_import(w->pool, &import).id), MISSING_USAGE,
                    USAGE);
    import.usage = 1u << 20;
    hostile_refused(w, hostile_null(w, gpool_buffer_import(w->pool, &import).id), MISSING_USAGE,
                    USAGE);
    import.usage = GPOOL_BUFFER_UNIFORM;
    hostile_refused(w, hostile_null(w, gpool_buffer_import(w->pool, &import).id), MISSING_USAGE,
                    USAGE);
    import.usage = GPOOL_BUFFER_READ_BACK | GPOOL_BUFFER_VERTEX;
    gpool_buffer taken = gpool_buffer_import(w->pool, &import);
    assert_int_not_equal(taken.id, 0);
    uint8_t bytes[8] = { 0 };
    (void)gpool_buffer_read(w->pool, taken, 0, bytes, 6);
    assert_int_not_equal(gpool_buffer_write(w->pool, taken, 0, bytes, 4), GPOOL_OK);
    hostile_refused(w, gpool_buffer_resize(w->pool, taken, 12), UNSUPPORTED, UNSUPPORTED);
    hostile_survives(w, 1, gpool_set_vertex_buffer(rec, 0, taken, 0));
    hostile_survives(w, 1, gpool_set_vertex_buffer(rec, 0, taken, 4));
    assert_good(gpool_buffer_destroy(w->pool, taken));
    /* Imports of one frame, destroyed by hand, twice the same object. */
    for (int i = 0; i < 3; ++i) {
        gpool_recorder rec = hostile_frame(w, 1);
        import.this_frame = true;
        gpool_buffer one = gpool_buffer_import(w->pool, &import);
        gpool_buffer two = gpool_buffer_import(w->pool, &import);
        gpool_set_vertex_buffer(rec, 0, one, 0);
        if (i == 1) {
            assert_good(gpool_buffer_destroy(w->pool, one));
        }
        (void)hostile_end(w, rec, 1);
        assert_result(gpool_buffer_destroy(w->pool, two), GPOOL_ERROR_STALE_HANDLE);
    }
    gpu->BufferRelease(odd);
    gpool_texture_import_desc picture = {
        .texture = gpool_texture_gpu(w->pool, w->witness_texture, GPOOL_ACCESS_READ),
        .usage = GPOOL_TEXTURE_STORAGE,
    };
    hostile_refused(w, hostile_null(w, gpool_texture_import(w->pool, &picture).id), MISSING_USAGE,
                    USAGE);
    picture.usage = 64;
    hostile_refused(w, hostile_null(w, gpool_texture_import(w->pool, &picture).id), MISSING_USAGE,
                    USAGE);
    picture.usage = GPOOL_TEXTURE_SAMPLED;
    gpool_texture seen = gpool_texture_import(w->pool, &picture);
    hostile_refused(w, gpool_texture_resize(w->pool, seen, 2, 2, 0), UNSUPPORTED, UNSUPPORTED);
    hostile_refused(w, gpool_texture_write(w->pool, seen, NULL, bytes, 8, 0), MISSING_USAGE, USAGE);
    assert_good(gpool_texture_destroy(w->pool, seen));
    hostile_good_frame(w);
}

void hostile_raw(hostile_world *w)
{
    uint32_t offsets[32] = { 0 };
    hostile_skips(w, 1, gpool_set_raw_render_pipeline(rec, NULL), INVALID_ARGUMENT, ARGUMENT_NULL);
    hostile_skips(w, 2, gpool_set_raw_compute_pipeline(rec, NULL), INVALID_ARGUMENT, ARGUMENT_NULL);
    hostile_skips(w, 1, gpool_set_raw_bind_group(rec, 0, NULL, NULL, 0), INVALID_ARGUMENT,
                  ARGUMENT_NULL);
    hostile_skips(w, 1, gpool_set_raw_bind_group(rec, 9, NULL, NULL, 0), OUT_OF_RANGE, RANGE);
    hostile_skips(w, 1, gpool_set_raw_bind_group(rec, 0, NULL, offsets, 32), OUT_OF_RANGE, RANGE);
    raw_encoders(w);
    raw_imports(w);
}

/* The recorder's own encoder is not the caller's to finish. */
void hostile_own_encoder(hostile_world *w)
{
    gpool_buffer target = fixture_buffer(w->f, NULL, 64, GPOOL_BUFFER_COPY_TARGET);
    gpool_recorder rec = hostile_frame(w, 0);
    gpool_clear_buffer(rec, target, 0, 4);
    hostile_refused(w, gpool_recorder_finish_raw(rec, gpool_recorder_encoder(rec)),
                    INVALID_ARGUMENT, ARGUMENT_VALUE);
    gpool_clear_buffer(rec, target, 4, 4);
    assert_good(hostile_end(w, rec, 0));
    hostile_good_frame(w);
}

/* An access that is neither reading nor writing. */
void hostile_raw_access(hostile_world *w)
{
    static const uint32_t bad[] = { 2, 0x7fffffffu, UINT32_MAX };
    for (int i = 0; i < 3; ++i) {
        gpool_access access = (gpool_access)bad[i];
        hostile_refused(w, hostile_none(w, gpool_buffer_gpu(w->pool, w->witness, access)),
                        INVALID_ARGUMENT, ARGUMENT_VALUE);
        hostile_refused(w, hostile_none(w, gpool_texture_gpu(w->pool, w->target, access)),
                        INVALID_ARGUMENT, ARGUMENT_VALUE);
        hostile_refused(w,
                        hostile_none(w, gpool_texture_gpu_view(w->pool, w->target, NULL, access)),
                        INVALID_ARGUMENT, ARGUMENT_VALUE);
    }
    hostile_good_frame(w);
}

/* Sources never written to, read by the GPU at every offset and width that is legal. */
void hostile_uninitialized(hostile_world *w)
{
    static const WGPUTextureFormat formats[] = {
        WGPUTextureFormat_R8Unorm, WGPUTextureFormat_R16Uint, WGPUTextureFormat_RG8Unorm,
        WGPUTextureFormat_RGBA8Unorm, WGPUTextureFormat_RGBA16Float
    };
    for (int i = 0; i < 5; ++i) {
        for (uint32_t width = 1; width < 6; ++width) {
            gpool_texture_desc desc = { .width = width,
                                        .height = 2,
                                        .format = formats[i],
                                        .usage = 0x3f & ~GPOOL_TEXTURE_STORAGE };
            gpool_texture texture = gpool_texture_create(w->pool, &desc);
            gpool_buffer from = fixture_buffer(w->f, NULL, 640, 0x3ff);
            gpool_buffer to = fixture_buffer(w->f, NULL, 640, 0x3ff);
            hostile_survives(w, 0,
                             gpool_copy_buffer_to_texture(rec, from, width * 8, 256, texture, NULL);
                             gpool_copy_texture_to_buffer(rec, texture, NULL, to, width * 8, 256);
                             gpool_copy_buffer(rec, to, 4, from, 8, 12));
            assert_good(gpool_texture_destroy(w->pool, texture));
        }
    }
    gpool_buffer odd = fixture_buffer(w->f, NULL, 70, GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_INDEX);
    for (uint64_t offset = 0; offset < 72; offset += 4) {
        hostile_survives(w, 1, gpool_set_vertex_buffer(rec, 0, odd, offset);
                         gpool_set_index_buffer(rec, odd, WGPUIndexFormat_Uint32, offset));
    }
    uint8_t bytes[72];
    gpool_buffer read = fixture_buffer(w->f, NULL, 70, GPOOL_BUFFER_READ_BACK);
    for (uint64_t offset = 0; offset < 70; ++offset) {
        assert_good(gpool_buffer_read(w->pool, read, offset, bytes, 70 - offset));
    }
}
