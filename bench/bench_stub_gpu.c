#include "bench_stub_gpu.h"

#include "bench.h"

#define STUB_MAX_PENDING 64

static struct {
    char object; /* every dummy object points here */
    WGPUUncapturedErrorCallbackInfo on_error;
    WGPUQueueWorkDoneCallbackInfo pending[STUB_MAX_PENDING];
    size_t pending_count;
    int64_t live_buffers;
} stub;

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-parameter"

/* Each function does nothing and returns zero unless it has its own version below. */
#define GPOOL_V(name, parameters, arguments)                                                       \
    static void stub_any_##name parameters                                                         \
    {                                                                                              \
    }
#define GPOOL_R(type, name, parameters, arguments)                                                 \
    static type stub_any_##name parameters                                                         \
    {                                                                                              \
        type zero = { 0 };                                                                         \
        return zero;                                                                               \
    }
#pragma GCC diagnostic ignored "-Wmissing-braces"
GPOOL_GPU_REQUIRED(GPOOL_V, GPOOL_R)
#undef GPOOL_V
#undef GPOOL_R

/* Functions that make an object; all but buffers are one shared dummy. */
#define STUB_CREATES(X)                                                                            \
    X(WGPUInstance, CreateInstance, (WGPUInstanceDescriptor const *descriptor))                    \
    X(WGPUQueue, DeviceGetQueue, (WGPUDevice device))                                              \
    X(WGPUBindGroup, DeviceCreateBindGroup,                                                        \
      (WGPUDevice device, WGPUBindGroupDescriptor const *descriptor))                              \
    X(WGPUBindGroupLayout, DeviceCreateBindGroupLayout,                                            \
      (WGPUDevice device, WGPUBindGroupLayoutDescriptor const *descriptor))                        \
    X(WGPUCommandEncoder, DeviceCreateCommandEncoder,                                              \
      (WGPUDevice device, WGPUCommandEncoderDescriptor const *descriptor))                         \
    X(WGPUComputePipeline, DeviceCreateComputePipeline,                                            \
      (WGPUDevice device, WGPUComputePipelineDescriptor const *descriptor))                        \
    X(WGPUPipelineLayout, DeviceCreatePipelineLayout,                                              \
      (WGPUDevice device, WGPUPipelineLayoutDescriptor const *descriptor))                         \
    X(WGPURenderPipeline, DeviceCreateRenderPipeline,                                              \
      (WGPUDevice device, WGPURenderPipelineDescriptor const *descriptor))                         \
    X(WGPUSampler, DeviceCreateSampler,                                                            \
      (WGPUDevice device, WGPUSamplerDescriptor const *descriptor))                                \
    X(WGPUShaderModule, DeviceCreateShaderModule,                                                  \
      (WGPUDevice device, WGPUShaderModuleDescriptor const *descriptor))                           \
    X(WGPUTexture, DeviceCreateTexture,                                                            \
      (WGPUDevice device, WGPUTextureDescriptor const *descriptor))                                \
    X(WGPUTextureView, TextureCreateView,                                                          \
      (WGPUTexture texture, WGPUTextureViewDescriptor const *descriptor))                          \
    X(WGPUComputePassEncoder, CommandEncoderBeginComputePass,                                      \
      (WGPUCommandEncoder commandEncoder, WGPUComputePassDescriptor const *descriptor))            \
    X(WGPURenderPassEncoder, CommandEncoderBeginRenderPass,                                        \
      (WGPUCommandEncoder commandEncoder, WGPURenderPassDescriptor const *descriptor))             \
    X(WGPUCommandBuffer, CommandEncoderFinish,                                                     \
      (WGPUCommandEncoder commandEncoder, WGPUCommandBufferDescriptor const *descriptor))

#define STUB_X(type, name, parameters)                                                             \
    static type stub_make_##name parameters                                                        \
    {                                                                                              \
        return (type)(void *)&stub.object;                                                         \
    }
STUB_CREATES(STUB_X)
#undef STUB_X

static WGPUFuture stub_request_adapter(WGPUInstance instance,
                                       WGPURequestAdapterOptions const *options,
                                       WGPURequestAdapterCallbackInfo info)
{
    info.callback(WGPURequestAdapterStatus_Success, (WGPUAdapter)(void *)&stub.object,
                  (WGPUStringView){ 0 }, info.userdata1, info.userdata2);
    return (WGPUFuture){ 0 };
}

static WGPUFuture stub_request_device(WGPUAdapter adapter, WGPUDeviceDescriptor const *descriptor,
                                      WGPURequestDeviceCallbackInfo info)
{
    stub.on_error = descriptor->uncapturedErrorCallbackInfo;
    info.callback(WGPURequestDeviceStatus_Success, (WGPUDevice)(void *)&stub.object,
                  (WGPUStringView){ 0 }, info.userdata1, info.userdata2);
    return (WGPUFuture){ 0 };
}

static WGPUStatus stub_adapter_info(WGPUAdapter adapter, WGPUAdapterInfo *info)
{
    *info = (WGPUAdapterInfo){ .adapterType = WGPUAdapterType_CPU,
                               .backendType = WGPUBackendType_Vulkan };
    return WGPUStatus_Success;
}

static WGPUStatus stub_limits(WGPULimits *limits)
{
    /* The defaults of the WebGPU specification, with larger buffers. */
    *limits = (WGPULimits){
        .maxTextureDimension1D = 8192,
        .maxTextureDimension2D = 8192,
        .maxTextureDimension3D = 2048,
        .maxTextureArrayLayers = 256,
        .maxBindGroups = 4,
        .maxBindGroupsPlusVertexBuffers = 24,
        .maxBindingsPerBindGroup = 1000,
        .maxDynamicUniformBuffersPerPipelineLayout = 8,
        .maxDynamicStorageBuffersPerPipelineLayout = 4,
        .maxSampledTexturesPerShaderStage = 16,
        .maxSamplersPerShaderStage = 16,
        .maxStorageBuffersPerShaderStage = 8,
        .maxStorageTexturesPerShaderStage = 4,
        .maxUniformBuffersPerShaderStage = 12,
        .maxUniformBufferBindingSize = 65536,
        .maxStorageBufferBindingSize = UINT64_C(1) << 30,
        .minUniformBufferOffsetAlignment = 256,
        .minStorageBufferOffsetAlignment = 256,
        .maxVertexBuffers = 8,
        .maxBufferSize = UINT64_C(1) << 32,
        .maxVertexAttributes = 16,
        .maxVertexBufferArrayStride = 2048,
        .maxInterStageShaderVariables = 16,
        .maxColorAttachments = 8,
        .maxColorAttachmentBytesPerSample = 32,
        .maxComputeWorkgroupStorageSize = 16384,
        .maxComputeInvocationsPerWorkgroup = 256,
        .maxComputeWorkgroupSizeX = 256,
        .maxComputeWorkgroupSizeY = 256,
        .maxComputeWorkgroupSizeZ = 64,
        .maxComputeWorkgroupsPerDimension = 65535,
    };
    return WGPUStatus_Success;
}

static WGPUStatus stub_adapter_limits(WGPUAdapter adapter, WGPULimits *limits)
{
    return stub_limits(limits);
}

static WGPUStatus stub_device_limits(WGPUDevice device, WGPULimits *limits)
{
    return stub_limits(limits);
}

static WGPUBuffer stub_make_buffer(WGPUDevice device, WGPUBufferDescriptor const *descriptor)
{
    /* Mappable and bindable is an error; gpool asks for it once, to see where errors arrive. */
    if ((descriptor->usage & WGPUBufferUsage_MapRead) != 0 &&
        (descriptor->usage & WGPUBufferUsage_Storage) != 0) {
        WGPUDevice self = (WGPUDevice)(void *)&stub.object;
        WGPUStringView message = { "the usage is invalid", WGPU_STRLEN };
        stub.on_error.callback(&self, WGPUErrorType_Validation, message, stub.on_error.userdata1,
                               stub.on_error.userdata2);
    }
    stub.live_buffers += 1;
    return (WGPUBuffer)(void *)&stub.object;
}

static void stub_release_buffer(WGPUBuffer buffer)
{
    stub.live_buffers -= 1;
}

static WGPUFuture stub_on_done(WGPUQueue queue, WGPUQueueWorkDoneCallbackInfo info)
{
    bench_require(stub.pending_count < STUB_MAX_PENDING, "too much work is out on the stub");
    stub.pending[stub.pending_count++] = info;
    return (WGPUFuture){ 0 };
}

static void stub_process_events(WGPUInstance instance)
{
    for (size_t i = 0; i < stub.pending_count; ++i) {
        const WGPUQueueWorkDoneCallbackInfo *info = &stub.pending[i];
        info->callback(WGPUQueueWorkDoneStatus_Success, (WGPUStringView){ 0 }, info->userdata1,
                       info->userdata2);
    }
    stub.pending_count = 0;
}

#pragma GCC diagnostic pop

gpool_device *bench_stub_open(void)
{
    gpool_gpu table = { 0 };
#define GPOOL_V(name, parameters, arguments)       table.name = stub_any_##name;
#define GPOOL_R(type, name, parameters, arguments) table.name = stub_any_##name;
#define STUB_X(type, name, parameters)             table.name = stub_make_##name;
    GPOOL_GPU_REQUIRED(GPOOL_V, GPOOL_R)
    STUB_CREATES(STUB_X)
#undef GPOOL_V
#undef GPOOL_R
#undef STUB_X
    table.InstanceRequestAdapter = stub_request_adapter;
    table.AdapterRequestDevice = stub_request_device;
    table.AdapterGetInfo = stub_adapter_info;
    table.AdapterGetLimits = stub_adapter_limits;
    table.DeviceGetLimits = stub_device_limits;
    table.DeviceCreateBuffer = stub_make_buffer;
    table.BufferRelease = stub_release_buffer;
    table.QueueOnSubmittedWorkDone = stub_on_done;
    table.InstanceProcessEvents = stub_process_events;
    const gpool_device_desc desc = { .gpu = &table, .label = "stub" };
    gpool_device *device = NULL;
    bench_require(gpool_device_open(&desc, &device) == GPOOL_OK, "the stub does not open");
    gpool_device_info info;
    bench_require(gpool_device_get_info(device, &info) == GPOOL_OK && info.errors_inline,
                  "the stub does not report errors inline");
    return device;
}

int64_t bench_stub_live_buffers(void)
{
    return stub.live_buffers;
}
