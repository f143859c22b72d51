/* The simulator through its own table: counts, time, faults, refusals, errors, bytes. */
#include "raw.h"

static void use_and_release_after_the_last_release_are_fatal(void **state)
{
    (void)state;
    EACH_PERSONALITY(r, desc)
    {
        WGPUBuffer buffer = raw_buffer(&r, WGPUBufferUsage_CopyDst, 16);
        r.gpu.BufferAddRef(buffer);
        assert_same(sim_live(r.s, SIM_KIND_BUFFER), 1);
        r.gpu.BufferRelease(buffer);
        assert_same(r.gpu.BufferGetSize(buffer), 16);
        r.gpu.BufferRelease(buffer);
        assert_same(sim_fatal_count(r.s), 0);
        assert_same(r.gpu.BufferGetSize(buffer), 0);
        assert_same(sim_fatal_count(r.s), 1);
        r.gpu.BufferRelease(buffer);
        r.gpu.BufferRelease(NULL);
        r.gpu.BufferRelease((WGPUBuffer)r.queue);
        assert_same(sim_fatal_count(r.s), 4);
        WGPUBuffer next = raw_buffer(&r, WGPUBufferUsage_CopyDst, 16);
        assert_ptr_not_equal(next, buffer);
        r.gpu.BufferRelease(next);
        assert_same(sim_call_count(r.s, GPOOL_GPU_BufferRelease), 6);
        sim_fatal_clear(r.s);
    }
}

static void released_objects_live_on_while_others_need_them(void **state)
{
    (void)state;
    EACH_PERSONALITY(r, desc)
    {
        WGPUTexture texture =
            raw_texture(&r, WGPUTextureUsage_CopyDst, WGPUTextureFormat_R8Unorm, 4, 1);
        WGPUTextureView view = r.gpu.TextureCreateView(texture, NULL);
        r.gpu.TextureRelease(texture);
        assert_same(sim_live(r.s, SIM_KIND_TEXTURE), 0);
        assert_same(sim_kept(r.s, SIM_KIND_TEXTURE), 1);
        r.gpu.TextureViewRelease(view);
        assert_same(sim_kept(r.s, SIM_KIND_TEXTURE), 0);
        assert_same(sim_kept_bytes(r.s), 0);
    }
}

static void handles_are_reused_when_asked_for(void **state)
{
    (void)state;
    sim_desc desc = { .reuse_handles = true };
    raw r;
    raw_open(&r, &desc);
    WGPUBuffer first = raw_buffer(&r, WGPUBufferUsage_CopyDst, 16);
    r.gpu.BufferRelease(first);
    WGPUBuffer second = raw_buffer(&r, WGPUBufferUsage_CopyDst, 16);
    assert_ptr_equal(first, second);
    r.gpu.BufferRelease(second);
    raw_close(&r);
}

static void work_completes_in_any_order_on_command(void **state)
{
    (void)state;
    EACH_PERSONALITY(r, desc)
    {
        sim_set_completion(r.s, SIM_COMPLETE_MANUALLY, 0);
        for (uintptr_t i = 1; i <= 3; ++i) {
            r.gpu.QueueSubmit(r.queue, 0, NULL);
            raw_on_done(&r, i);
        }
        assert_same(sim_in_flight(r.s), 3);
        r.gpu.InstanceProcessEvents(r.instance);
        assert_same(r.done, 0);
        assert_true(sim_complete(r.s, 2));
        assert_false(sim_complete(r.s, 2));
        assert_same(r.done, 0);
        r.gpu.InstanceProcessEvents(r.instance);
        assert_same(r.done, 2);
        assert_true(sim_complete(r.s, SIM_ALL));
        r.gpu.InstanceProcessEvents(r.instance);
        assert_same(r.done, 213);
    }
}

static void work_completes_after_polls_and_callbacks_come_inline_when_asked(void **state)
{
    (void)state;
    EACH_PERSONALITY(r, desc)
    {
        sim_set_completion(r.s, SIM_COMPLETE_AFTER_POLLS, 2);
        r.gpu.QueueSubmit(r.queue, 0, NULL);
        raw_on_done(&r, 1);
        r.gpu.InstanceProcessEvents(r.instance);
        assert_same(r.done, 0);
        r.gpu.InstanceProcessEvents(r.instance);
        assert_same(r.done, 1);
        sim_set_completion(r.s, SIM_COMPLETE_MANUALLY, 0);
        sim_set_delivery(r.s, SIM_DELIVER_INLINE);
        r.gpu.QueueSubmit(r.queue, 0, NULL);
        raw_on_done(&r, 2);
        assert_same(r.done, 1);
        sim_complete(r.s, SIM_ALL);
        assert_same(r.done, 12);
        sim_set_completion(r.s, SIM_COMPLETE_AT_SUBMIT, 0);
        r.gpu.QueueSubmit(r.queue, 0, NULL);
        raw_on_done(&r, 3);
        assert_same(r.done, 123);
    }
}

static void callbacks_come_from_another_thread_when_asked(void **state)
{
    (void)state;
    EACH_PERSONALITY(r, desc)
    {
        sim_set_delivery(r.s, SIM_DELIVER_ON_THREAD);
        sim_set_completion(r.s, SIM_COMPLETE_AT_SUBMIT, 0);
        r.gpu.QueueSubmit(r.queue, 0, NULL);
        raw_on_done(&r, 7);
        sim_drain(r.s);
        assert_same(r.done, 7);
        sim_set_delivery(r.s, SIM_DELIVER_AT_POLL);
    }
}

static void writes_need_a_submit_before_a_map_on_wgpu_only(void **state)
{
    (void)state;
    EACH_PERSONALITY(r, desc)
    {
        WGPUBuffer buffer = raw_buffer(&r, WGPUBufferUsage_CopyDst | WGPUBufferUsage_MapRead, 8);
        r.gpu.QueueWriteBuffer(r.queue, buffer, 0, "12345678", 8);
        raw_map(&r, buffer, 8);
        r.gpu.InstanceProcessEvents(r.instance);
        assert_same(r.maps, 1);
        const char *range = r.gpu.BufferGetConstMappedRange(buffer, 0, 8);
        assert_non_null(range);
        assert_same(range[0], desc.personality == SIM_DAWN ? '1' : 0);
        r.gpu.BufferUnmap(buffer);
        r.gpu.QueueSubmit(r.queue, 0, NULL);
        char bytes[8];
        assert_true(sim_read_buffer(r.s, buffer, 0, bytes, 8));
        assert_memory_equal(bytes, "12345678", 8);
        assert_same(r.errors, 0);
        r.gpu.BufferRelease(buffer);
    }
}

static void a_pending_map_is_aborted_by_unmap_and_release(void **state)
{
    (void)state;
    EACH_PERSONALITY(r, desc)
    {
        WGPUBuffer buffer = raw_buffer(&r, WGPUBufferUsage_CopyDst | WGPUBufferUsage_MapRead, 8);
        raw_map(&r, buffer, 8);
        r.gpu.BufferUnmap(buffer);
        assert_same(r.maps, desc.personality == SIM_DAWN ? 0 : 1);
        r.gpu.InstanceProcessEvents(r.instance);
        assert_same(r.maps, 1);
        assert_same(r.map_status, WGPUMapAsyncStatus_Aborted);
        raw_map(&r, buffer, 8);
        r.gpu.BufferRelease(buffer);
        r.gpu.InstanceProcessEvents(r.instance);
        assert_same(r.maps, 2);
        assert_same(sim_kept(r.s, SIM_KIND_BUFFER), 0);
    }
}

static void bad_buffers_and_writes_are_errors_inside_the_call(void **state)
{
    (void)state;
    EACH_PERSONALITY(r, desc)
    {
        const WGPUBufferDescriptor bad[] = {
            { .usage = 0, .size = 4 },
            { .usage = WGPUBufferUsage_MapRead | WGPUBufferUsage_Storage, .size = 4 },
            { .usage = WGPUBufferUsage_CopyDst, .size = UINT64_C(1) << 40 },
        };
        for (size_t i = 0; i < UNIT_COUNT(bad); ++i) {
            WGPUBuffer buffer = r.gpu.DeviceCreateBuffer(r.device, &bad[i]);
            assert_non_null(buffer);
            assert_same(r.errors, (int)i + 1);
            r.gpu.BufferRelease(buffer);
        }
        WGPUBuffer buffer = raw_buffer(&r, WGPUBufferUsage_CopyDst, 16);
        const uint64_t writes[][2] = {
            { 1, 4 }, { 0, 3 }, { 16, 4 }, { 0, 20 }, { UINT64_MAX - 3, 8 }
        };
        for (size_t i = 0; i < UNIT_COUNT(writes); ++i) {
            static const char data[32];
            r.gpu.QueueWriteBuffer(r.queue, buffer, writes[i][0], data, (size_t)writes[i][1]);
            assert_same(r.errors, 4 + (int)i);
        }
        r.gpu.BufferRelease(buffer);
        assert_same(r.error_type, WGPUErrorType_Validation);
    }
}

/* Each bad encoder command must make Finish fail and nothing before it. */
static void bad_commands_are_errors_at_finish(void **state)
{
    (void)state;
    EACH_PERSONALITY(r, desc)
    {
        WGPUBuffer a = raw_buffer(&r, WGPUBufferUsage_CopySrc | WGPUBufferUsage_CopyDst, 64);
        WGPUBuffer b = raw_buffer(&r, WGPUBufferUsage_CopyDst, 64);
        for (int i = 0; i < 9; ++i) {
            WGPUCommandEncoder encoder = r.gpu.DeviceCreateCommandEncoder(r.device, NULL);
            WGPUComputePassEncoder pass = NULL;
            switch (i) {
            case 0:
                r.gpu.CommandEncoderCopyBufferToBuffer(encoder, a, 0, a, 32, 4);
                break;
            case 1:
                r.gpu.CommandEncoderCopyBufferToBuffer(encoder, b, 0, a, 0, 4);
                break;
            case 2:
                r.gpu.CommandEncoderCopyBufferToBuffer(encoder, a, 2, b, 0, 4);
                break;
            case 3:
                r.gpu.CommandEncoderCopyBufferToBuffer(encoder, a, 0, b, 64, 4);
                break;
            case 4:
                r.gpu.CommandEncoderClearBuffer(encoder, a, 0, 6);
                break;
            case 5:
                r.gpu.CommandEncoderPushDebugGroup(encoder, (WGPUStringView){ "x", 1 });
                break;
            case 6:
                r.gpu.CommandEncoderPopDebugGroup(encoder);
                break;
            case 7:
                pass = r.gpu.CommandEncoderBeginComputePass(encoder, NULL);
                break;
            default:
                pass = r.gpu.CommandEncoderBeginComputePass(encoder, NULL);
                r.gpu.ComputePassEncoderDispatchWorkgroups(pass, 1, 1, 1);
                r.gpu.ComputePassEncoderEnd(pass);
                break;
            }
            assert_same(r.errors, i);
            raw_finish(&r, encoder, false);
            assert_same(r.errors, i + 1);
            if (pass != NULL) {
                r.gpu.ComputePassEncoderRelease(pass);
            }
        }
        r.gpu.BufferRelease(a);
        r.gpu.BufferRelease(b);
    }
}

static void misuse_is_fatal_on_wgpu_and_an_error_on_dawn(void **state)
{
    (void)state;
    EACH_PERSONALITY(r, desc)
    {
        bool dawn = desc.personality == SIM_DAWN;
        WGPUBuffer buffer = raw_buffer(&r, WGPUBufferUsage_CopyDst | WGPUBufferUsage_MapRead, 8);
        WGPUBuffer source = raw_buffer(&r, WGPUBufferUsage_CopySrc, 8);
        assert_null(r.gpu.BufferGetConstMappedRange(buffer, 0, 8));
        assert_same(sim_fatal_count(r.s), dawn ? 0 : 1);
        /* Mapped at the submit; submitted twice; unknown usage. */
        WGPUCommandEncoder encoder = r.gpu.DeviceCreateCommandEncoder(r.device, NULL);
        r.gpu.CommandEncoderCopyBufferToBuffer(encoder, source, 0, buffer, 0, 8);
        WGPUCommandBuffer commands = r.gpu.CommandEncoderFinish(encoder, NULL);
        raw_map(&r, buffer, 8);
        r.gpu.QueueSubmit(r.queue, 1, &commands);
        assert_same(sim_fatal_count(r.s), dawn ? 0 : 2);
        assert_same(r.errors, dawn ? 1 : 0);
        r.gpu.BufferUnmap(buffer);
        r.gpu.QueueSubmit(r.queue, 1, &commands);
        assert_same(sim_fatal_count(r.s) + (uint64_t)r.errors, dawn ? 1 : 2);
        r.gpu.QueueSubmit(r.queue, 1, &commands);
        assert_same(sim_fatal_count(r.s) + (uint64_t)r.errors, dawn ? 2 : 3);
        WGPUBuffer unknown = raw_buffer(&r, UINT64_C(1) << 40, 8);
        assert_same(sim_fatal_count(r.s) + (uint64_t)r.errors, dawn ? 3 : 4);
        assert_same(unknown != NULL, dawn);
        if (unknown != NULL) {
            r.gpu.BufferRelease(unknown);
        }
        r.gpu.CommandBufferRelease(commands);
        r.gpu.CommandEncoderRelease(encoder);
        r.gpu.BufferRelease(buffer);
        r.gpu.BufferRelease(source);
        sim_fatal_clear(r.s);
    }
}

static void scopes_take_errors_and_are_of_device_or_thread(void **state)
{
    (void)state;
    EACH_PERSONALITY(r, desc)
    {
        WGPUPopErrorScopeCallbackInfo pop = { .mode = WGPUCallbackMode_AllowProcessEvents,
                                              .callback = on_pop,
                                              .userdata1 = &r };
        r.gpu.DevicePushErrorScope(r.device, WGPUErrorFilter_Validation);
        r.gpu.BufferRelease(raw_buffer(&r, 0, 4));
        assert_same(r.errors, 0);
        (void)r.gpu.DevicePopErrorScope(r.device, pop);
        assert_same(r.popped, desc.personality == SIM_DAWN ? 0 : 1);
        r.gpu.InstanceProcessEvents(r.instance);
        assert_same(r.popped, 1);
        assert_same(r.popped_type, WGPUErrorType_Validation);
    }
}

static void errors_come_late_or_never_when_asked(void **state)
{
    (void)state;
    EACH_PERSONALITY(r, desc)
    {
        sim_set_errors(r.s, SIM_ERRORS_LATE);
        r.gpu.BufferRelease(raw_buffer(&r, 0, 4));
        assert_same(r.errors, 0);
        r.gpu.InstanceProcessEvents(r.instance);
        assert_same(r.errors, 1);
        sim_set_errors(r.s, SIM_ERRORS_SWALLOWED);
        r.gpu.BufferRelease(raw_buffer(&r, 0, 4));
        r.gpu.InstanceProcessEvents(r.instance);
        assert_same(r.errors, 1);
        assert_same(sim_error_count(r.s), 2);
    }
}

static void the_kth_call_fails_in_each_way_once_and_for_ever(void **state)
{
    (void)state;
    EACH_PERSONALITY(r, desc)
    {
        bool dawn = desc.personality == SIM_DAWN;
        for (int way = SIM_FAIL_NULL; way <= SIM_FAIL_OUT_OF_MEMORY; ++way) {
            for (int for_ever = 0; for_ever < 2; ++for_ever) {
                int before = r.errors;
                sim_fail(r.s, GPOOL_GPU_DeviceCreateBuffer, 2, (sim_way)way, for_ever != 0);
                for (int i = 1; i <= 3; ++i) {
                    bool fails = i == 2 || (i > 2 && for_ever != 0);
                    WGPUBuffer buffer = raw_buffer(&r, WGPUBufferUsage_CopyDst, 16);
                    assert_same(buffer == NULL, fails && way == SIM_FAIL_NULL);
                    if (buffer != NULL) {
                        r.gpu.BufferRelease(buffer);
                    }
                }
                assert_same(sim_fail_hits(r.s), for_ever != 0 ? 2 : 1);
                assert_same(r.errors - before, way == SIM_FAIL_NULL ? 0 : for_ever != 0 ? 2 : 1);
                sim_fail_none(r.s);
            }
        }
        assert_same(r.error_type, dawn ? WGPUErrorType_OutOfMemory : WGPUErrorType_Validation);
        assert_same(strstr(r.error, "Not enough memory left") != NULL, !dawn);
        assert_same(sim_fail_points(r.s, GPOOL_GPU_DeviceCreateBuffer, SIM_FAIL_VALIDATION), 18);
    }
}

static void a_lost_device_is_told_as_each_implementation_does(void **state)
{
    (void)state;
    EACH_PERSONALITY(r, desc)
    {
        bool dawn = desc.personality == SIM_DAWN;
        raw_on_done(&r, 1);
        sim_fail(r.s, GPOOL_GPU_DeviceCreateBuffer, 1, SIM_FAIL_LOST, false);
        r.gpu.BufferRelease(raw_buffer(&r, WGPUBufferUsage_CopyDst, 16));
        assert_same(r.errors, dawn ? 0 : 1);
        r.gpu.InstanceProcessEvents(r.instance);
        assert_same(r.lost, dawn ? 1 : 0);
        assert_same(r.done, 1);
        raw_finish(&r, r.gpu.DeviceCreateCommandEncoder(r.device, NULL), false);
        assert_same(r.lost, 1);
        r.gpu.QueueSubmit(r.queue, 0, NULL);
        assert_same(sim_fatal_count(r.s), dawn ? 0 : 1);
        sim_fatal_clear(r.s);
    }
}

static void textures_keep_bytes_and_passes_clear_and_resolve(void **state)
{
    (void)state;
    EACH_PERSONALITY(r, desc)
    {
        const WGPUTextureUsage usage =
            WGPUTextureUsage_CopyDst | WGPUTextureUsage_CopySrc | WGPUTextureUsage_RenderAttachment;
        WGPUTexture target = raw_texture(&r, usage, WGPUTextureFormat_BGRA8Unorm, 4, 1);
        WGPUTexture samples =
            raw_texture(&r, WGPUTextureUsage_RenderAttachment, WGPUTextureFormat_BGRA8Unorm, 4, 4);
        WGPUTexture copy = raw_texture(&r, usage, WGPUTextureFormat_BGRA8Unorm, 4, 1);
        WGPUBuffer buffer = raw_buffer(&r, WGPUBufferUsage_CopyDst, 1024);
        WGPUTextureView target_view = r.gpu.TextureCreateView(target, NULL);
        WGPUTextureView samples_view = r.gpu.TextureCreateView(samples, NULL);
        WGPURenderPassColorAttachment color = { .view = samples_view,
                                                .resolveTarget = target_view,
                                                .depthSlice = WGPU_DEPTH_SLICE_UNDEFINED,
                                                .loadOp = WGPULoadOp_Clear,
                                                .storeOp = WGPUStoreOp_Discard,
                                                .clearValue = { 1.0, 0.5, 0.0, 1.0 } };
        WGPURenderPassDescriptor pass_desc = { .colorAttachmentCount = 1,
                                               .colorAttachments = &color };
        WGPUCommandEncoder encoder = r.gpu.DeviceCreateCommandEncoder(r.device, NULL);
        WGPURenderPassEncoder pass = r.gpu.CommandEncoderBeginRenderPass(encoder, &pass_desc);
        r.gpu.RenderPassEncoderEnd(pass);
        r.gpu.RenderPassEncoderRelease(pass);
        WGPUTexelCopyTextureInfo from = { .texture = target };
        WGPUTexelCopyTextureInfo to = { .texture = copy, .origin = { 1, 1, 0 } };
        r.gpu.CommandEncoderCopyTextureToTexture(encoder, &from, &to, &(WGPUExtent3D){ 2, 2, 1 });
        WGPUTexelCopyBufferInfo memory = { .layout = { .bytesPerRow = 256, .rowsPerImage = 4 },
                                           .buffer = buffer };
        from.texture = copy;
        r.gpu.CommandEncoderCopyTextureToBuffer(encoder, &from, &memory,
                                                &(WGPUExtent3D){ 4, 4, 1 });
        raw_finish(&r, encoder, true);
        assert_same(r.errors, 0);
        static const uint8_t clear[4] = { 0, 128, 255, 255 };
        static const uint8_t zero[4];
        uint8_t texel[4];
        assert_true(sim_read_texel(r.s, target, 0, 3, 3, 0, texel, 4));
        assert_memory_equal(texel, clear, 4);
        assert_true(sim_read_texel(r.s, samples, 0, 0, 0, 0, texel, 4));
        assert_memory_equal(texel, zero, 4);
        assert_true(sim_read_buffer(r.s, buffer, 2 * 256 + 8, texel, 4));
        assert_memory_equal(texel, clear, 4);
        assert_true(sim_read_buffer(r.s, buffer, 3 * 256, texel, 4));
        assert_memory_equal(texel, zero, 4);
        r.gpu.TextureViewRelease(target_view);
        r.gpu.TextureViewRelease(samples_view);
        r.gpu.TextureRelease(target);
        r.gpu.TextureRelease(samples);
        r.gpu.TextureRelease(copy);
        r.gpu.BufferRelease(buffer);
    }
}

static void small_limits_and_missing_adapters_can_be_had(void **state)
{
    (void)state;
    WGPULimits limits = { .maxBufferSize = 64, .minUniformBufferOffsetAlignment = 32 };
    sim_desc desc = { .limits = &limits, .requests_late = true };
    raw r;
    raw_open(&r, &desc);
    r.gpu.BufferRelease(raw_buffer(&r, WGPUBufferUsage_CopyDst, 64));
    assert_same(r.errors, 0);
    r.gpu.BufferRelease(raw_buffer(&r, WGPUBufferUsage_CopyDst, 68));
    assert_same(r.errors, 1);
    WGPULimits got = { 0 };
    assert_same(r.gpu.DeviceGetLimits(r.device, &got), WGPUStatus_Success);
    assert_same(got.minUniformBufferOffsetAlignment, 32);
    raw_close(&r);
}

static void memory_over_the_limit_is_out_of_memory(void **state)
{
    (void)state;
    sim_desc desc = { .memory = 256 };
    raw r;
    raw_open(&r, &desc);
    WGPUBuffer first = raw_buffer(&r, WGPUBufferUsage_CopyDst, 192);
    assert_same(r.errors, 0);
    r.gpu.BufferRelease(raw_buffer(&r, WGPUBufferUsage_CopyDst, 68));
    assert_same(r.errors, 1);
    r.gpu.BufferRelease(raw_buffer(&r, WGPUBufferUsage_CopyDst, 64));
    assert_same(r.errors, 1);
    r.gpu.BufferRelease(first);
    r.gpu.BufferRelease(raw_buffer(&r, WGPUBufferUsage_CopyDst, 256));
    assert_same(r.errors, 1);
    raw_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(use_and_release_after_the_last_release_are_fatal),
        cmocka_unit_test(released_objects_live_on_while_others_need_them),
        cmocka_unit_test(handles_are_reused_when_asked_for),
        cmocka_unit_test(work_completes_in_any_order_on_command),
        cmocka_unit_test(work_completes_after_polls_and_callbacks_come_inline_when_asked),
        cmocka_unit_test(callbacks_come_from_another_thread_when_asked),
        cmocka_unit_test(writes_need_a_submit_before_a_map_on_wgpu_only),
        cmocka_unit_test(a_pending_map_is_aborted_by_unmap_and_release),
        cmocka_unit_test(bad_buffers_and_writes_are_errors_inside_the_call),
        cmocka_unit_test(bad_commands_are_errors_at_finish),
        cmocka_unit_test(misuse_is_fatal_on_wgpu_and_an_error_on_dawn),
        cmocka_unit_test(scopes_take_errors_and_are_of_device_or_thread),
        cmocka_unit_test(errors_come_late_or_never_when_asked),
        cmocka_unit_test(the_kth_call_fails_in_each_way_once_and_for_ever),
        cmocka_unit_test(a_lost_device_is_told_as_each_implementation_does),
        cmocka_unit_test(textures_keep_bytes_and_passes_clear_and_resolve),
        cmocka_unit_test(small_limits_and_missing_adapters_can_be_had),
        cmocka_unit_test(memory_over_the_limit_is_out_of_memory),
    };
    return cmocka_run_group_tests_name("sim", tests, NULL, NULL);
}
