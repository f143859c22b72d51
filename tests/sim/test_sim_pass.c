/* What the simulator refuses in bindings, pipelines and passes, and what it runs. */
#include "unit.h"

#include "sim.h"

typedef struct raw {
    sim *s;
    gpool_gpu gpu;
    WGPUInstance instance;
    WGPUAdapter adapter;
    WGPUDevice device;
    WGPUQueue queue;
    int errors;
    WGPUShaderModule shader;
    WGPUBindGroupLayout layout;
    WGPUPipelineLayout pipeline_layout;
    WGPUComputePipeline compute;
    WGPURenderPipeline render;
    WGPUBuffer buffer;
    WGPUBindGroup group;
    WGPUTexture texture;
    WGPUTextureView view;
} raw;

static const char raw_wgsl[] = "@compute @workgroup_size(1) fn main() {}\n"
                               "@vertex fn vs() -> @builtin(position) vec4f { return vec4f(); }\n"
                               "@fragment fn fs() -> @location(0) vec4f { return vec4f(); }\n";

static void on_adapter(WGPURequestAdapterStatus status, WGPUAdapter adapter, WGPUStringView message,
                       void *r, void *unused)
{
    (void)status;
    (void)message;
    (void)unused;
    ((raw *)r)->adapter = adapter;
}

static void on_device(WGPURequestDeviceStatus status, WGPUDevice device, WGPUStringView message,
                      void *r, void *unused)
{
    (void)status;
    (void)message;
    (void)unused;
    ((raw *)r)->device = device;
}

static void on_error(WGPUDevice const *device, WGPUErrorType type, WGPUStringView message, void *r,
                     void *unused)
{
    (void)device;
    (void)type;
    (void)message;
    (void)unused;
    ((raw *)r)->errors += 1;
}

static WGPUShaderModule raw_shader(raw *r, const char *wgsl)
{
    WGPUShaderSourceWGSL source = { .chain = { .sType = WGPUSType_ShaderSourceWGSL },
                                    .code = { wgsl, WGPU_STRLEN } };
    WGPUShaderModuleDescriptor desc = { .nextInChain = &source.chain };
    return r->gpu.DeviceCreateShaderModule(r->device, &desc);
}

static WGPURenderPipeline raw_render_pipeline(raw *r, WGPUTextureFormat format, const char *entry)
{
    WGPUColorTargetState target = { .format = format, .writeMask = WGPUColorWriteMask_All };
    WGPUVertexAttribute attribute = { .format = WGPUVertexFormat_Float32x4 };
    WGPUVertexBufferLayout vertices = { .stepMode = WGPUVertexStepMode_Vertex,
                                        .arrayStride = 16,
                                        .attributeCount = 1,
                                        .attributes = &attribute };
    WGPUFragmentState fragment = { .module = r->shader,
                                   .entryPoint = { "fs", WGPU_STRLEN },
                                   .targetCount = 1,
                                   .targets = &target };
    WGPURenderPipelineDescriptor desc = { .layout = r->pipeline_layout,
                                          .vertex = { .module = r->shader,
                                                      .entryPoint = { entry, WGPU_STRLEN },
                                                      .bufferCount = 1,
                                                      .buffers = &vertices },
                                          .primitive = { .topology =
                                                             WGPUPrimitiveTopology_TriangleList },
                                          .multisample = { .count = 1, .mask = UINT32_MAX },
                                          .fragment = &fragment };
    return r->gpu.DeviceCreateRenderPipeline(r->device, &desc);
}

static WGPUBindGroup raw_group(raw *r, uint64_t offset, uint64_t size, size_t count)
{
    WGPUBindGroupEntry entries[2] = {
        { .binding = 0, .buffer = r->buffer, .offset = offset, .size = size },
        { .binding = 1, .buffer = r->buffer, .offset = offset, .size = size },
    };
    WGPUBindGroupDescriptor desc = { .layout = r->layout, .entryCount = count, .entries = entries };
    return r->gpu.DeviceCreateBindGroup(r->device, &desc);
}

static void raw_open(raw *r, const sim_desc *desc)
{
    *r = (raw){ .s = sim_create(desc) };
    sim_table(r->s, &r->gpu);
    r->instance = r->gpu.CreateInstance(NULL);
    (void)r->gpu.InstanceRequestAdapter(
        r->instance, NULL,
        (WGPURequestAdapterCallbackInfo){ .callback = on_adapter, .userdata1 = r });
    WGPUDeviceDescriptor device = {
        .uncapturedErrorCallbackInfo = { .callback = on_error, .userdata1 = r },
    };
    (void)r->gpu.AdapterRequestDevice(
        r->adapter, &device,
        (WGPURequestDeviceCallbackInfo){ .callback = on_device, .userdata1 = r });
    r->queue = r->gpu.DeviceGetQueue(r->device);
    r->shader = raw_shader(r, raw_wgsl);
    WGPUBindGroupLayoutEntry entry = {
        .binding = 0,
        .visibility = WGPUShaderStage_Compute | WGPUShaderStage_Fragment,
        .buffer = { .type = WGPUBufferBindingType_Uniform, .hasDynamicOffset = true }
    };
    WGPUBindGroupLayoutDescriptor layout = { .entryCount = 1, .entries = &entry };
    r->layout = r->gpu.DeviceCreateBindGroupLayout(r->device, &layout);
    WGPUPipelineLayoutDescriptor pipeline_layout = { .bindGroupLayoutCount = 1,
                                                     .bindGroupLayouts = &r->layout };
    r->pipeline_layout = r->gpu.DeviceCreatePipelineLayout(r->device, &pipeline_layout);
    WGPUComputePipelineDescriptor compute = { .layout = r->pipeline_layout,
                                              .compute = { .module = r->shader,
                                                           .entryPoint = { "main", 4 } } };
    r->compute = r->gpu.DeviceCreateComputePipeline(r->device, &compute);
    r->render = raw_render_pipeline(r, WGPUTextureFormat_RGBA8Unorm, "vs");
    WGPUBufferDescriptor buffer = { .usage = WGPUBufferUsage_Uniform | WGPUBufferUsage_Vertex |
                                             WGPUBufferUsage_CopyDst,
                                    .size = 1024 };
    r->buffer = r->gpu.DeviceCreateBuffer(r->device, &buffer);
    r->group = raw_group(r, 0, 256, 1);
    WGPUTextureDescriptor texture = { .usage = WGPUTextureUsage_RenderAttachment,
                                      .dimension = WGPUTextureDimension_2D,
                                      .size = { 4, 4, 1 },
                                      .format = WGPUTextureFormat_RGBA8Unorm,
                                      .mipLevelCount = 1,
                                      .sampleCount = 1 };
    r->texture = r->gpu.DeviceCreateTexture(r->device, &texture);
    r->view = r->gpu.TextureCreateView(r->texture, NULL);
    assert_same(r->errors, 0);
}

static void raw_close(raw *r)
{
    r->gpu.TextureViewRelease(r->view);
    r->gpu.TextureRelease(r->texture);
    r->gpu.BindGroupRelease(r->group);
    r->gpu.BufferRelease(r->buffer);
    r->gpu.RenderPipelineRelease(r->render);
    r->gpu.ComputePipelineRelease(r->compute);
    r->gpu.PipelineLayoutRelease(r->pipeline_layout);
    r->gpu.BindGroupLayoutRelease(r->layout);
    r->gpu.ShaderModuleRelease(r->shader);
    r->gpu.QueueRelease(r->queue);
    r->gpu.DeviceRelease(r->device);
    r->gpu.AdapterRelease(r->adapter);
    r->gpu.InstanceRelease(r->instance);
    sim_complete(r->s, SIM_ALL);
    assert_same(sim_kept(r->s, SIM_KIND_NONE), 0);
    sim_destroy(r->s);
}

static void bind_groups_that_do_not_fit_the_layout_are_refused(void **state)
{
    (void)state;
    raw r;
    raw_open(&r, NULL);
    const uint64_t bad[][3] = { { 0, 0, 1 },     { 128, 64, 1 },
                                { 0, 2048, 1 },  { 0, 256, 0 },
                                { 0, 256, 2 },   { 1024, 256, 1 },
                                { 256, 800, 1 }, { UINT64_MAX - 255, 256, 1 } };
    for (size_t i = 0; i < UNIT_COUNT(bad); ++i) {
        WGPUBindGroup group = raw_group(&r, bad[i][0], bad[i][1], (size_t)bad[i][2]);
        assert_non_null(group);
        assert_same(r.errors, i + 1);
        r.gpu.BindGroupRelease(group);
    }
    raw_close(&r);
}

static void shaders_and_pipelines_that_are_wrong_are_refused(void **state)
{
    (void)state;
    raw r;
    raw_open(&r, NULL);
    r.gpu.ShaderModuleRelease(raw_shader(&r, "fn main( {}"));
    assert_same(r.errors, 1);
    r.gpu.ShaderModuleRelease(raw_shader(&r, "/* } */ fn main() {} // {"));
    assert_same(r.errors, 1);
    r.gpu.RenderPipelineRelease(raw_render_pipeline(&r, WGPUTextureFormat_RGBA8Unorm, "nobody"));
    assert_same(r.errors, 2);
    r.gpu.RenderPipelineRelease(raw_render_pipeline(&r, WGPUTextureFormat_Depth32Float, "vs"));
    assert_same(r.errors, 3);
    raw_close(&r);
}

typedef enum bad_draw {
    BAD_NOTHING,
    BAD_NO_PIPELINE,
    BAD_NO_GROUP,
    BAD_NO_VERTICES,
    BAD_TOO_MANY_VERTICES,
    BAD_DYNAMIC_COUNT,
    BAD_DYNAMIC_ALIGNMENT,
    BAD_DYNAMIC_RANGE,
    BAD_TARGET,
    BAD_SCISSOR,
    BAD_VERTEX_SLOT,
    BAD_GROUP_INDEX,
    BAD_OPEN_GROUP,
    BAD_COUNT
} bad_draw;

static void draws_with_wrong_state_are_errors_at_finish(void **state)
{
    (void)state;
    raw r;
    raw_open(&r, NULL);
    WGPURenderPipeline other = raw_render_pipeline(&r, WGPUTextureFormat_R8Unorm, "vs");
    int expected = 0;
    for (int bad = BAD_NOTHING; bad < BAD_COUNT; ++bad) {
        WGPURenderPassColorAttachment color = { .view = r.view,
                                                .depthSlice = WGPU_DEPTH_SLICE_UNDEFINED,
                                                .loadOp = WGPULoadOp_Load,
                                                .storeOp = WGPUStoreOp_Store };
        WGPURenderPassDescriptor desc = { .colorAttachmentCount = 1, .colorAttachments = &color };
        WGPUCommandEncoder encoder = r.gpu.DeviceCreateCommandEncoder(r.device, NULL);
        WGPURenderPassEncoder pass = r.gpu.CommandEncoderBeginRenderPass(encoder, &desc);
        if (bad != BAD_NO_PIPELINE) {
            r.gpu.RenderPassEncoderSetPipeline(pass, bad == BAD_TARGET ? other : r.render);
        }
        if (bad != BAD_NO_GROUP) {
            const uint32_t offset = bad == BAD_DYNAMIC_ALIGNMENT ? 128
                                    : bad == BAD_DYNAMIC_RANGE   ? 1024
                                                                 : 256;
            r.gpu.RenderPassEncoderSetBindGroup(pass, bad == BAD_GROUP_INDEX ? 4 : 0, r.group,
                                                bad == BAD_DYNAMIC_COUNT ? 0 : 1, &offset);
        }
        if (bad != BAD_NO_VERTICES) {
            r.gpu.RenderPassEncoderSetVertexBuffer(pass, bad == BAD_VERTEX_SLOT ? 8 : 0, r.buffer,
                                                   0, WGPU_WHOLE_SIZE);
        }
        r.gpu.RenderPassEncoderSetScissorRect(pass, 0, 0, bad == BAD_SCISSOR ? 5 : 4, 4);
        if (bad == BAD_OPEN_GROUP) {
            r.gpu.RenderPassEncoderPushDebugGroup(pass, (WGPUStringView){ "open", 4 });
        }
        r.gpu.RenderPassEncoderDraw(pass, bad == BAD_TOO_MANY_VERTICES ? 65 : 64, 1, 0, 0);
        r.gpu.RenderPassEncoderEnd(pass);
        assert_same(r.errors, expected);
        WGPUCommandBuffer commands = r.gpu.CommandEncoderFinish(encoder, NULL);
        expected += bad != BAD_NOTHING;
        assert_same(r.errors, expected);
        if (bad == BAD_NOTHING) {
            r.gpu.QueueSubmit(r.queue, 1, &commands);
            assert_same(sim_draw_count(r.s), 1);
        }
        r.gpu.RenderPassEncoderRelease(pass);
        r.gpu.CommandBufferRelease(commands);
        r.gpu.CommandEncoderRelease(encoder);
    }
    assert_same(sim_fatal_count(r.s), 0);
    r.gpu.RenderPipelineRelease(other);
    raw_close(&r);
}

static void a_dispatch_without_a_host_version_is_fatal(void **state)
{
    (void)state;
    sim_desc desc = { .quiet = true };
    raw r;
    raw_open(&r, &desc);
    const uint32_t offset = 0;
    WGPUCommandEncoder encoder = r.gpu.DeviceCreateCommandEncoder(r.device, NULL);
    WGPUComputePassEncoder pass = r.gpu.CommandEncoderBeginComputePass(encoder, NULL);
    r.gpu.ComputePassEncoderSetPipeline(pass, r.compute);
    r.gpu.ComputePassEncoderSetBindGroup(pass, 0, r.group, 1, &offset);
    r.gpu.ComputePassEncoderDispatchWorkgroups(pass, 1, 1, 1);
    r.gpu.ComputePassEncoderEnd(pass);
    WGPUCommandBuffer commands = r.gpu.CommandEncoderFinish(encoder, NULL);
    assert_same(r.errors, 0);
    r.gpu.QueueSubmit(r.queue, 1, &commands);
    assert_same(sim_fatal_count(r.s), 1);
    r.gpu.ComputePassEncoderRelease(pass);
    r.gpu.CommandBufferRelease(commands);
    r.gpu.CommandEncoderRelease(encoder);
    raw_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bind_groups_that_do_not_fit_the_layout_are_refused),
        cmocka_unit_test(shaders_and_pipelines_that_are_wrong_are_refused),
        cmocka_unit_test(draws_with_wrong_state_are_errors_at_finish),
        cmocka_unit_test(a_dispatch_without_a_host_version_is_fatal),
    };
    return cmocka_run_group_tests_name("sim_pass", tests, NULL, NULL);
}
