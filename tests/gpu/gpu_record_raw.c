/* Raw work: encoders, passes, pipelines and bind groups of the caller's among recorded commands. */
#include "gpu/fixture.h"

#include <string.h>

int gpu_record_raw_run(void);

#define COPYABLE (GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_READ_BACK)

static const char fill_compute_wgsl[] =
    "@group(0) @binding(0) var<storage, read_write> words: array<u32>;\n"
    "@compute @workgroup_size(4) fn main(@builtin(global_invocation_id) id: vec3u) {\n"
    "    words[id.x] = 40u + id.x;\n"
    "}\n";

static void clear_to(gpool_recorder rec, gpool_texture target, double r, double g, double b)
{
    gpool_render_desc desc = { .color[0] = { .texture = target, .clear = { r, g, b, 1 } } };
    gpool_begin_render(rec, &desc);
    gpool_end_pass(rec);
}

/* Encodes a copy of the whole 64 x 1 target into a buffer. */
static void encode_copy(fixture *f, WGPUCommandEncoder encoder, gpool_texture from, gpool_buffer to)
{
    const gpool_gpu *gpu = gpool_device_gpu(f->device);
    WGPUTexelCopyTextureInfo source = { .texture =
                                            gpool_texture_gpu(f->pool, from, GPOOL_ACCESS_READ),
                                        .aspect = WGPUTextureAspect_All };
    WGPUTexelCopyBufferInfo target = { .buffer = gpool_buffer_gpu(f->pool, to, GPOOL_ACCESS_WRITE),
                                       .layout = { .bytesPerRow = 256, .rowsPerImage = 1 } };
    assert_non_null(source.texture);
    assert_non_null(target.buffer);
    WGPUExtent3D extent = { 64, 1, 1 };
    gpu->CommandEncoderCopyTextureToBuffer(encoder, &source, &target, &extent);
}

static WGPUCommandEncoder make_encoder(fixture *f)
{
    const gpool_gpu *gpu = gpool_device_gpu(f->device);
    WGPUCommandEncoder encoder = gpu->DeviceCreateCommandEncoder(gpool_device_raw(f->device), NULL);
    assert_non_null(encoder);
    return encoder;
}

static void raw_encoders_run_between_the_recorded_parts(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 64, 1);
    gpool_buffer first = fixture_buffer(f, NULL, 256, COPYABLE);
    gpool_buffer second = fixture_buffer(f, NULL, 256, COPYABLE);
    assert_good(gpool_begin_frame(f->pool));
    uint64_t submits = fixture_stats(f).submits;
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    clear_to(rec, target, 1, 0, 0);
    WGPUCommandEncoder encoder = make_encoder(f);
    encode_copy(f, encoder, target, first);
    assert_good(gpool_recorder_finish_raw(rec, encoder));
    clear_to(rec, target, 0, 1, 0);
    encoder = make_encoder(f);
    encode_copy(f, encoder, target, second);
    assert_good(gpool_recorder_finish_raw(rec, encoder));
    clear_to(rec, target, 0, 0, 1);
    assert_good(gpool_end_frame(f->pool));
    assert_int_equal(fixture_stats(f).submits, submits + 1); /* still one queue submit */
    assert_buffer(f, first, 252, "\xff\x00\x00\xff", 4);
    assert_buffer(f, second, 252, "\x00\xff\x00\xff", 4);
    assert_pixel(f, target, 63, 0, 0x0000ffff);
}

static void own_encoder_takes_raw_commands_in_place(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 64, 1);
    gpool_buffer buffer = fixture_buffer(f, NULL, 256, COPYABLE);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    clear_to(rec, target, 1, 0, 1);
    WGPUCommandEncoder encoder = gpool_recorder_encoder(rec);
    assert_non_null(encoder);
    encode_copy(f, encoder, target, buffer);
    clear_to(rec, target, 0, 0, 0);
    assert_good(gpool_end_frame(f->pool));
    assert_buffer(f, buffer, 0, "\xff\x00\xff\xff", 4);
    assert_pixel(f, target, 0, 0, 0x000000ff);
}

/* A raw render pipeline over the pool's uniform layout. */
static WGPURenderPipeline make_raw_pipeline(fixture *f)
{
    const gpool_gpu *gpu = gpool_device_gpu(f->device);
    WGPUDevice device = gpool_device_raw(f->device);
    WGPUBindGroupLayout group = gpool_layout_gpu(f->pool, gpool_uniform_layout(f->pool));
    WGPUPipelineLayoutDescriptor layout_desc = { .bindGroupLayoutCount = 1,
                                                 .bindGroupLayouts = &group };
    WGPUPipelineLayout layout = gpu->DeviceCreatePipelineLayout(device, &layout_desc);
    WGPUShaderSourceWGSL source = { .chain = { .sType = WGPUSType_ShaderSourceWGSL },
                                    .code = { fixture_fill_wgsl, WGPU_STRLEN } };
    WGPUShaderModuleDescriptor module_desc = { .nextInChain = &source.chain };
    WGPUShaderModule module = gpu->DeviceCreateShaderModule(device, &module_desc);
    WGPUColorTargetState target = { .format = WGPUTextureFormat_RGBA8Unorm,
                                    .writeMask = WGPUColorWriteMask_All };
    WGPUFragmentState fragment = {
        .module = module, .entryPoint = { "fs", 2 }, .targetCount = 1, .targets = &target
    };
    WGPURenderPipelineDescriptor desc = {
        .layout = layout,
        .vertex = { .module = module, .entryPoint = { "vs", 2 } },
        .primitive = { .topology = WGPUPrimitiveTopology_TriangleList,
                       .frontFace = WGPUFrontFace_CCW,
                       .cullMode = WGPUCullMode_None },
        .multisample = { .count = 1, .mask = UINT32_MAX },
        .fragment = &fragment,
    };
    WGPURenderPipeline pipeline = gpu->DeviceCreateRenderPipeline(device, &desc);
    assert_non_null(pipeline);
    gpu->ShaderModuleRelease(module);
    gpu->PipelineLayoutRelease(layout);
    return pipeline;
}

/* A raw bind group of the pool's uniform layout over a buffer of the pool. */
static WGPUBindGroup make_raw_group(fixture *f, gpool_buffer buffer)
{
    const gpool_gpu *gpu = gpool_device_gpu(f->device);
    WGPUBindGroupEntry entry = { .binding = 0,
                                 .buffer = gpool_buffer_gpu(f->pool, buffer, GPOOL_ACCESS_READ),
                                 .size = 16 };
    WGPUBindGroupDescriptor desc = {
        .layout = gpool_layout_gpu(f->pool, gpool_uniform_layout(f->pool)),
        .entryCount = 1,
        .entries = &entry,
    };
    WGPUBindGroup group = gpu->DeviceCreateBindGroup(gpool_device_raw(f->device), &desc);
    assert_non_null(group);
    return group;
}

static void raw_pipeline_and_bind_group_mix_with_handles(void **state)
{
    fixture *f = *state;
    const gpool_gpu *gpu = gpool_device_gpu(f->device);
    gpool_texture target = fixture_target(f, 4, 1);
    float colors[512 / 4] = { 1, 0, 0, 1 };
    memcpy(&colors[64], (float[4]){ 0, 1, 0, 1 }, 16);
    gpool_buffer buffer = fixture_buffer(f, colors, sizeof colors, GPOOL_BUFFER_UNIFORM);
    gpool_pipeline pipeline =
        fixture_render(f, fixture_fill_wgsl, (gpool_render_pipeline_desc){ 0 });
    WGPURenderPipeline raw = make_raw_pipeline(f);
    WGPUBindGroup group = make_raw_group(f, buffer);
    const float blue[4] = { 0, 0, 1, 1 };
    const uint32_t offsets[2] = { 0, 256 };
    const gpool_draw_args all = { .vertex_count = 3 };
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    gpool_set_raw_render_pipeline(rec, raw);
    gpool_set_raw_bind_group(rec, 0, group, &offsets[0], 1);
    gpool_set_scissor(rec, 0, 0, 1, 1);
    gpool_draw(rec, &all);
    gpool_set_raw_bind_group(rec, 0, group, &offsets[1], 1);
    gpool_set_scissor(rec, 1, 0, 1, 1);
    gpool_draw(rec, &all);
    gpool_set_uniforms(rec, 0, blue, sizeof blue); /* of the pool, for the raw pipeline */
    gpool_set_scissor(rec, 2, 0, 1, 1);
    gpool_draw(rec, &all);
    gpool_set_pipeline(rec, pipeline);
    gpool_set_raw_bind_group(rec, 0, group, &offsets[1], 1); /* raw, for the pool's pipeline */
    gpool_set_scissor(rec, 3, 0, 1, 1);
    gpool_draw(rec, &all);
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(f->pool));
    gpu->BindGroupRelease(group);
    gpu->RenderPipelineRelease(raw);
    assert_pixel(f, target, 0, 0, 0xff0000ff);
    assert_pixel(f, target, 1, 0, 0x00ff00ff);
    assert_pixel(f, target, 2, 0, 0x0000ffff);
    assert_pixel(f, target, 3, 0, 0x00ff00ff);
}

static void raw_pass_commands_make_the_recorder_forget(void **state)
{
    fixture *f = *state;
    const gpool_gpu *gpu = gpool_device_gpu(f->device);
    gpool_texture target = fixture_target(f, 4, 1);
    gpool_pipeline pipeline =
        fixture_render(f, fixture_fill_wgsl, (gpool_render_pipeline_desc){ 0 });
    const float red[4] = { 1, 0, 0, 1 };
    const float green[4] = { 0, 1, 0, 1 };
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    gpool_set_pipeline(rec, pipeline);
    gpool_set_uniforms(rec, 0, red, sizeof red);
    gpool_set_scissor(rec, 0, 0, 1, 1);
    WGPURenderPassEncoder pass = gpool_recorder_render_pass(rec);
    assert_non_null(pass);
    assert_null(gpool_recorder_compute_pass(rec));
    fixture_expect(f, GPOOL_LOG_PHASE, 1);
    gpu->RenderPassEncoderDraw(pass, 3, 1, 0, 0); /* with what was set before */
    gpu->RenderPassEncoderSetScissorRect(pass, 3, 0, 1, 1);
    /* Set again as it was before the raw call: it must reach the pass. */
    gpool_set_scissor(rec, 0, 0, 2, 1);
    gpool_set_scissor(rec, 1, 0, 1, 1);
    gpool_set_pipeline(rec, pipeline);
    gpool_set_uniforms(rec, 0, green, sizeof green);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpu->RenderPassEncoderSetScissorRect(pass, 3, 0, 1, 1);
    gpool_set_scissor(rec, 1, 0, 1, 1);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_WRONG_PHASE);
    assert_pixel(f, target, 0, 0, 0xff0000ff);
    assert_pixel(f, target, 1, 0, 0x00ff00ff);
    assert_pixel(f, target, 2, 0, 0);
    assert_pixel(f, target, 3, 0, 0);
}

/* What raw calls set is not what the recorder set: setting it again must reach the pass. */
static void bindings_set_again_after_raw_calls_reach_the_pass(void **state)
{
    fixture *f = *state;
    const gpool_gpu *gpu = gpool_device_gpu(f->device);
    gpool_texture target = fixture_target(f, 1, 1);
    const float colors[128] = { 1, 0, 0, 1 };
    gpool_buffer buffer = fixture_buffer(f, colors, sizeof colors, GPOOL_BUFFER_UNIFORM);
    gpool_buffer green = fixture_buffer(f, (float[4]){ 0, 1, 0, 1 }, 16, GPOOL_BUFFER_UNIFORM);
    const gpool_layout_entry entry = { .binding = 0, .type = GPOOL_BINDING_UNIFORM };
    gpool_layout layout =
        gpool_layout_create(f->pool, &(gpool_layout_desc){ .entries = &entry, .entry_count = 1 });
    gpool_pipeline pipeline =
        fixture_render(f, fixture_fill_wgsl, (gpool_render_pipeline_desc){ .layouts = { layout } });
    const gpool_binding binding = { .binding = 0, .buffer = green };
    WGPURenderPipeline raw = make_raw_pipeline(f);
    WGPUBindGroup group = make_raw_group(f, buffer);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    WGPURenderPassEncoder pass = gpool_recorder_render_pass(rec);
    gpool_set_pipeline(rec, pipeline);
    gpool_set_bindings(rec, 0, layout, &binding, 1, NULL, 0);
    /* The pass is in the caller's hands still. */
    gpu->RenderPassEncoderSetPipeline(pass, raw);
    gpu->RenderPassEncoderSetBindGroup(pass, 0, group, 1, &(uint32_t){ 0 });
    gpool_set_pipeline(rec, pipeline);
    gpool_set_bindings(rec, 0, layout, &binding, 1, NULL, 0);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(f->pool));
    gpu->BindGroupRelease(group);
    gpu->RenderPipelineRelease(raw);
    assert_pixel(f, target, 0, 0, 0x00ff00ff);
}

static void raw_compute_pipeline_runs(void **state)
{
    fixture *f = *state;
    const gpool_gpu *gpu = gpool_device_gpu(f->device);
    WGPUDevice device = gpool_device_raw(f->device);
    gpool_layout_entry entry = { .binding = 0, .type = GPOOL_BINDING_STORAGE_WRITE };
    gpool_layout handle =
        gpool_layout_create(f->pool, &(gpool_layout_desc){ .entries = &entry, .entry_count = 1 });
    WGPUBindGroupLayout group = gpool_layout_gpu(f->pool, handle);
    WGPUPipelineLayoutDescriptor layout_desc = { .bindGroupLayoutCount = 1,
                                                 .bindGroupLayouts = &group };
    WGPUPipelineLayout layout = gpu->DeviceCreatePipelineLayout(device, &layout_desc);
    WGPUShaderSourceWGSL source = { .chain = { .sType = WGPUSType_ShaderSourceWGSL },
                                    .code = { fill_compute_wgsl, WGPU_STRLEN } };
    WGPUShaderModuleDescriptor module_desc = { .nextInChain = &source.chain };
    WGPUShaderModule module = gpu->DeviceCreateShaderModule(device, &module_desc);
    WGPUComputePipelineDescriptor desc = {
        .layout = layout, .compute = { .module = module, .entryPoint = { "main", 4 } }
    };
    WGPUComputePipeline pipeline = gpu->DeviceCreateComputePipeline(device, &desc);
    gpool_buffer words = fixture_buffer(f, NULL, 32, COPYABLE | GPOOL_BUFFER_STORAGE_WRITE);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_compute(rec, NULL);
    gpool_set_raw_compute_pipeline(rec, pipeline);
    gpool_set_bindings(rec, 0, handle, &(gpool_binding){ .buffer = words }, 1, NULL, 0);
    gpool_dispatch(rec, 1, 1, 1);
    assert_non_null(gpool_recorder_compute_pass(rec));
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(f->pool));
    const uint32_t wanted[8] = { 40, 41, 42, 43, 0, 0, 0, 0 };
    assert_buffer(f, words, 0, wanted, sizeof wanted);
    gpu->ComputePipelineRelease(pipeline);
    gpu->ShaderModuleRelease(module);
    gpu->PipelineLayoutRelease(layout);
}

/* A copy of more bytes than the buffers have. */
static void encode_nonsense(fixture *f, WGPUCommandEncoder encoder, gpool_buffer a, gpool_buffer b)
{
    gpool_device_gpu(f->device)->CommandEncoderCopyBufferToBuffer(
        encoder, gpool_buffer_gpu(f->pool, a, GPOOL_ACCESS_READ), 0,
        gpool_buffer_gpu(f->pool, b, GPOOL_ACCESS_WRITE), 0, 4096);
}

static void broken_raw_encoder_is_dropped_alone(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 64, 1);
    gpool_buffer a = fixture_buffer(f, NULL, 256, COPYABLE);
    gpool_buffer b = fixture_buffer(f, NULL, 256, COPYABLE);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    clear_to(rec, target, 1, 0, 0);
    WGPUCommandEncoder encoder = make_encoder(f);
    encode_nonsense(f, encoder, a, b);
    assert_result(gpool_recorder_finish_raw(rec, encoder), GPOOL_ERROR_GPU);
    fixture_expect(f, GPOOL_LOG_RECORDER_DROPPED, 1);
    gpool_copy_texture_to_buffer(rec, target, NULL, a, 0, 256);
    assert_good(gpool_end_frame(f->pool));
    assert_buffer(f, a, 0, "\xff\x00\x00\xff", 4);
}

static void broken_recorder_is_dropped_and_uploads_go_out(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 64, 1);
    gpool_buffer a = fixture_buffer(f, NULL, 256, COPYABLE);
    gpool_buffer b = fixture_buffer(f, NULL, 256, COPYABLE);
    gpool_buffer dirty = fixture_buffer(f, NULL, 16, COPYABLE);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    clear_to(rec, target, 1, 0, 0);
    encode_nonsense(f, gpool_recorder_encoder(rec), a, b);
    assert_good(gpool_buffer_write(f->pool, dirty, 0, "0123456789abcdef", 16));
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_GPU);
    fixture_expect(f, GPOOL_LOG_RECORDER_DROPPED, 1);
    gpool_stats stats = fixture_stats(f);
    assert_int_equal(stats.dropped_recorders, 1);
    gpool_buffer_info info;
    assert_good(gpool_buffer_get_info(f->pool, dirty, &info));
    assert_int_equal(info.dirty_bytes, 0);
    assert_pixel(f, target, 0, 0, 0);
    assert_good(gpool_begin_frame(f->pool));
    clear_to(gpool_frame_recorder(f->pool), target, 0, 1, 0);
    assert_good(gpool_end_frame(f->pool));
    assert_pixel(f, target, 0, 0, 0x00ff00ff);
    assert_buffer(f, dirty, 0, "0123456789abcdef", 16);
}

static void finish_raw_at_the_wrong_point_is_refused(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 64, 1);
    gpool_recorder none = { 0 };
    assert_result(gpool_recorder_finish_raw(none, NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    assert_result(gpool_recorder_finish_raw(rec, NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    fixture_expect(f, GPOOL_LOG_ARGUMENT_NULL, 1);
    gpool_render_desc desc = { .color[0] = { .texture = target, .clear = { 0, 0, 1, 1 } } };
    gpool_begin_render(rec, &desc);
    assert_result(gpool_recorder_finish_raw(rec, make_encoder(f)), GPOOL_ERROR_WRONG_PHASE);
    fixture_expect(f, GPOOL_LOG_PHASE, 1);
    gpool_end_pass(rec);
    assert_good(gpool_submit(f->pool));
    assert_result(gpool_recorder_finish_raw(rec, make_encoder(f)), GPOOL_ERROR_WRONG_PHASE);
    fixture_expect(f, GPOOL_LOG_PHASE, 1);
    (void)gpool_end_frame(f->pool);
    assert_pixel(f, target, 0, 0, 0x0000ffff);
}

static void raw_view_is_drawn_to_in_a_submit_of_the_callers(void **state)
{
    fixture *f = *state;
    const gpool_gpu *gpu = gpool_device_gpu(f->device);
    gpool_texture target = fixture_target(f, 4, 4);
    WGPURenderPassColorAttachment color = {
        .view = gpool_texture_gpu_view(f->pool, target, NULL, GPOOL_ACCESS_WRITE),
        .depthSlice = WGPU_DEPTH_SLICE_UNDEFINED,
        .loadOp = WGPULoadOp_Clear,
        .storeOp = WGPUStoreOp_Store,
        .clearValue = { 1, 1, 0, 1 },
    };
    WGPURenderPassDescriptor desc = { .colorAttachmentCount = 1, .colorAttachments = &color };
    WGPUCommandEncoder encoder = make_encoder(f);
    WGPURenderPassEncoder pass = gpu->CommandEncoderBeginRenderPass(encoder, &desc);
    gpu->RenderPassEncoderEnd(pass);
    gpu->RenderPassEncoderRelease(pass);
    WGPUCommandBuffer commands = gpu->CommandEncoderFinish(encoder, NULL);
    gpu->CommandEncoderRelease(encoder);
    gpu->QueueSubmit(gpool_device_raw_queue(f->device), 1, &commands);
    gpu->CommandBufferRelease(commands);
    uint64_t before = gpool_device_submitted(f->device);
    assert_good(gpool_note_external_submit(f->pool));
    assert_int_equal(gpool_device_submitted(f->device), before + 1);
    assert_good(gpool_wait_idle(f->pool));
    assert_int_equal(gpool_device_done(f->device), before + 1);
    assert_pixel(f, target, 2, 2, 0xffff00ff);
}

int gpu_record_raw_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(raw_encoders_run_between_the_recorded_parts),
        FIXTURE_TEST(own_encoder_takes_raw_commands_in_place),
        FIXTURE_TEST(raw_pipeline_and_bind_group_mix_with_handles),
        FIXTURE_TEST(raw_pass_commands_make_the_recorder_forget),
        FIXTURE_TEST(bindings_set_again_after_raw_calls_reach_the_pass),
        FIXTURE_TEST(raw_compute_pipeline_runs),
        FIXTURE_TEST(broken_raw_encoder_is_dropped_alone),
        FIXTURE_TEST(broken_recorder_is_dropped_and_uploads_go_out),
        FIXTURE_TEST(finish_raw_at_the_wrong_point_is_refused),
        FIXTURE_TEST(raw_view_is_drawn_to_in_a_submit_of_the_callers),
    };
    return FIXTURE_RUN("record_raw", tests);
}
