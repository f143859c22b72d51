/* gpool/gpu.h: the table of webgpu.h functions that gpool calls. */
#ifndef GPOOL_GPU_H
#define GPOOL_GPU_H

#include <gpool/base.h>

#include <webgpu.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Functions every implementation must have: V(name, parameters, arguments) for those that return
 * nothing, R(type, name, parameters, arguments) for the rest. The symbol is "wgpu" + name.
 */
#define GPOOL_GPU_REQUIRED(V, R)                                                                   \
    R(WGPUInstance, CreateInstance, (WGPUInstanceDescriptor const *descriptor), (descriptor))      \
    V(InstanceProcessEvents, (WGPUInstance instance), (instance))                                  \
    R(WGPUFuture, InstanceRequestAdapter,                                                          \
      (WGPUInstance instance, WGPURequestAdapterOptions const *options,                            \
       WGPURequestAdapterCallbackInfo callbackInfo),                                               \
      (instance, options, callbackInfo))                                                           \
    V(InstanceRelease, (WGPUInstance instance), (instance))                                        \
    V(InstanceAddRef, (WGPUInstance instance), (instance))                                         \
    R(WGPUStatus, AdapterGetInfo, (WGPUAdapter adapter, WGPUAdapterInfo * info), (adapter, info))  \
    R(WGPUStatus, AdapterGetLimits, (WGPUAdapter adapter, WGPULimits * limits), (adapter, limits)) \
    R(WGPUBool, AdapterHasFeature, (WGPUAdapter adapter, WGPUFeatureName feature),                 \
      (adapter, feature))                                                                          \
    R(WGPUFuture, AdapterRequestDevice,                                                            \
      (WGPUAdapter adapter, WGPUDeviceDescriptor const *descriptor,                                \
       WGPURequestDeviceCallbackInfo callbackInfo),                                                \
      (adapter, descriptor, callbackInfo))                                                         \
    V(AdapterAddRef, (WGPUAdapter adapter), (adapter))                                             \
    V(AdapterRelease, (WGPUAdapter adapter), (adapter))                                            \
    V(AdapterInfoFreeMembers, (WGPUAdapterInfo adapterInfo), (adapterInfo))                        \
    V(SupportedFeaturesFreeMembers, (WGPUSupportedFeatures supportedFeatures),                     \
      (supportedFeatures))                                                                         \
    R(WGPUBindGroup, DeviceCreateBindGroup,                                                        \
      (WGPUDevice device, WGPUBindGroupDescriptor const *descriptor), (device, descriptor))        \
    R(WGPUBindGroupLayout, DeviceCreateBindGroupLayout,                                            \
      (WGPUDevice device, WGPUBindGroupLayoutDescriptor const *descriptor), (device, descriptor))  \
    R(WGPUBuffer, DeviceCreateBuffer, (WGPUDevice device, WGPUBufferDescriptor const *descriptor), \
      (device, descriptor))                                                                        \
    R(WGPUCommandEncoder, DeviceCreateCommandEncoder,                                              \
      (WGPUDevice device, WGPUCommandEncoderDescriptor const *descriptor), (device, descriptor))   \
    R(WGPUComputePipeline, DeviceCreateComputePipeline,                                            \
      (WGPUDevice device, WGPUComputePipelineDescriptor const *descriptor), (device, descriptor))  \
    R(WGPUPipelineLayout, DeviceCreatePipelineLayout,                                              \
      (WGPUDevice device, WGPUPipelineLayoutDescriptor const *descriptor), (device, descriptor))   \
    R(WGPURenderPipeline, DeviceCreateRenderPipeline,                                              \
      (WGPUDevice device, WGPURenderPipelineDescriptor const *descriptor), (device, descriptor))   \
    R(WGPUSampler, DeviceCreateSampler,                                                            \
      (WGPUDevice device, WGPUSamplerDescriptor const *descriptor), (device, descriptor))          \
    R(WGPUShaderModule, DeviceCreateShaderModule,                                                  \
      (WGPUDevice device, WGPUShaderModuleDescriptor const *descriptor), (device, descriptor))     \
    R(WGPUTexture, DeviceCreateTexture,                                                            \
      (WGPUDevice device, WGPUTextureDescriptor const *descriptor), (device, descriptor))          \
    V(DeviceGetFeatures, (WGPUDevice device, WGPUSupportedFeatures * features),                    \
      (device, features))                                                                          \
    R(WGPUStatus, DeviceGetLimits, (WGPUDevice device, WGPULimits * limits), (device, limits))     \
    R(WGPUQueue, DeviceGetQueue, (WGPUDevice device), (device))                                    \
    R(WGPUFuture, DevicePopErrorScope,                                                             \
      (WGPUDevice device, WGPUPopErrorScopeCallbackInfo callbackInfo), (device, callbackInfo))     \
    V(DevicePushErrorScope, (WGPUDevice device, WGPUErrorFilter filter), (device, filter))         \
    V(DeviceAddRef, (WGPUDevice device), (device))                                                 \
    V(DeviceRelease, (WGPUDevice device), (device))                                                \
    R(WGPUFuture, QueueOnSubmittedWorkDone,                                                        \
      (WGPUQueue queue, WGPUQueueWorkDoneCallbackInfo callbackInfo), (queue, callbackInfo))        \
    V(QueueSubmit, (WGPUQueue queue, size_t commandCount, WGPUCommandBuffer const *commands),      \
      (queue, commandCount, commands))                                                             \
    V(QueueWriteBuffer,                                                                            \
      (WGPUQueue queue, WGPUBuffer buffer, uint64_t bufferOffset, void const *data, size_t size),  \
      (queue, buffer, bufferOffset, data, size))                                                   \
    V(QueueWriteTexture,                                                                           \
      (WGPUQueue queue, WGPUTexelCopyTextureInfo const *destination, void const *data,             \
       size_t dataSize, WGPUTexelCopyBufferLayout const *dataLayout,                               \
       WGPUExtent3D const *writeSize),                                                             \
      (queue, destination, data, dataSize, dataLayout, writeSize))                                 \
    V(QueueAddRef, (WGPUQueue queue), (queue))                                                     \
    V(QueueRelease, (WGPUQueue queue), (queue))                                                    \
    R(void const *, BufferGetConstMappedRange, (WGPUBuffer buffer, size_t offset, size_t size),    \
      (buffer, offset, size))                                                                      \
    R(void *, BufferGetMappedRange, (WGPUBuffer buffer, size_t offset, size_t size),               \
      (buffer, offset, size))                                                                      \
    R(WGPUFuture, BufferMapAsync,                                                                  \
      (WGPUBuffer buffer, WGPUMapMode mode, size_t offset, size_t size,                            \
       WGPUBufferMapCallbackInfo callbackInfo),                                                    \
      (buffer, mode, offset, size, callbackInfo))                                                  \
    V(BufferUnmap, (WGPUBuffer buffer), (buffer))                                                  \
    V(BufferAddRef, (WGPUBuffer buffer), (buffer))                                                 \
    V(BufferRelease, (WGPUBuffer buffer), (buffer))                                                \
    R(uint64_t, BufferGetSize, (WGPUBuffer buffer), (buffer))                                      \
    R(WGPUBufferUsage, BufferGetUsage, (WGPUBuffer buffer), (buffer))                              \
    R(WGPUTextureView, TextureCreateView,                                                          \
      (WGPUTexture texture, WGPUTextureViewDescriptor const *descriptor), (texture, descriptor))   \
    V(TextureAddRef, (WGPUTexture texture), (texture))                                             \
    V(TextureRelease, (WGPUTexture texture), (texture))                                            \
    R(uint32_t, TextureGetWidth, (WGPUTexture texture), (texture))                                 \
    R(uint32_t, TextureGetHeight, (WGPUTexture texture), (texture))                                \
    R(uint32_t, TextureGetDepthOrArrayLayers, (WGPUTexture texture), (texture))                    \
    R(uint32_t, TextureGetMipLevelCount, (WGPUTexture texture), (texture))                         \
    R(uint32_t, TextureGetSampleCount, (WGPUTexture texture), (texture))                           \
    R(WGPUTextureDimension, TextureGetDimension, (WGPUTexture texture), (texture))                 \
    R(WGPUTextureFormat, TextureGetFormat, (WGPUTexture texture), (texture))                       \
    R(WGPUTextureUsage, TextureGetUsage, (WGPUTexture texture), (texture))                         \
    V(TextureViewRelease, (WGPUTextureView textureView), (textureView))                            \
    V(SamplerRelease, (WGPUSampler sampler), (sampler))                                            \
    V(ShaderModuleAddRef, (WGPUShaderModule shaderModule), (shaderModule))                         \
    V(ShaderModuleRelease, (WGPUShaderModule shaderModule), (shaderModule))                        \
    V(BindGroupLayoutRelease, (WGPUBindGroupLayout bindGroupLayout), (bindGroupLayout))            \
    V(BindGroupRelease, (WGPUBindGroup bindGroup), (bindGroup))                                    \
    V(PipelineLayoutRelease, (WGPUPipelineLayout pipelineLayout), (pipelineLayout))                \
    V(RenderPipelineRelease, (WGPURenderPipeline renderPipeline), (renderPipeline))                \
    V(ComputePipelineRelease, (WGPUComputePipeline computePipeline), (computePipeline))            \
    V(BindGroupLayoutAddRef, (WGPUBindGroupLayout bindGroupLayout), (bindGroupLayout))             \
    R(WGPUComputePassEncoder, CommandEncoderBeginComputePass,                                      \
      (WGPUCommandEncoder commandEncoder, WGPUComputePassDescriptor const *descriptor),            \
      (commandEncoder, descriptor))                                                                \
    R(WGPURenderPassEncoder, CommandEncoderBeginRenderPass,                                        \
      (WGPUCommandEncoder commandEncoder, WGPURenderPassDescriptor const *descriptor),             \
      (commandEncoder, descriptor))                                                                \
    V(CommandEncoderClearBuffer,                                                                   \
      (WGPUCommandEncoder commandEncoder, WGPUBuffer buffer, uint64_t offset, uint64_t size),      \
      (commandEncoder, buffer, offset, size))                                                      \
    V(CommandEncoderCopyBufferToBuffer,                                                            \
      (WGPUCommandEncoder commandEncoder, WGPUBuffer source, uint64_t sourceOffset,                \
       WGPUBuffer destination, uint64_t destinationOffset, uint64_t size),                         \
      (commandEncoder, source, sourceOffset, destination, destinationOffset, size))                \
    V(CommandEncoderCopyBufferToTexture,                                                           \
      (WGPUCommandEncoder commandEncoder, WGPUTexelCopyBufferInfo const *source,                   \
       WGPUTexelCopyTextureInfo const *destination, WGPUExtent3D const *copySize),                 \
      (commandEncoder, source, destination, copySize))                                             \
    V(CommandEncoderCopyTextureToBuffer,                                                           \
      (WGPUCommandEncoder commandEncoder, WGPUTexelCopyTextureInfo const *source,                  \
       WGPUTexelCopyBufferInfo const *destination, WGPUExtent3D const *copySize),                  \
      (commandEncoder, source, destination, copySize))                                             \
    V(CommandEncoderCopyTextureToTexture,                                                          \
      (WGPUCommandEncoder commandEncoder, WGPUTexelCopyTextureInfo const *source,                  \
       WGPUTexelCopyTextureInfo const *destination, WGPUExtent3D const *copySize),                 \
      (commandEncoder, source, destination, copySize))                                             \
    R(WGPUCommandBuffer, CommandEncoderFinish,                                                     \
      (WGPUCommandEncoder commandEncoder, WGPUCommandBufferDescriptor const *descriptor),          \
      (commandEncoder, descriptor))                                                                \
    V(CommandEncoderPopDebugGroup, (WGPUCommandEncoder commandEncoder), (commandEncoder))          \
    V(CommandEncoderPushDebugGroup,                                                                \
      (WGPUCommandEncoder commandEncoder, WGPUStringView groupLabel),                              \
      (commandEncoder, groupLabel))                                                                \
    V(CommandEncoderRelease, (WGPUCommandEncoder commandEncoder), (commandEncoder))                \
    V(CommandBufferRelease, (WGPUCommandBuffer commandBuffer), (commandBuffer))                    \
    V(ComputePassEncoderDispatchWorkgroups,                                                        \
      (WGPUComputePassEncoder computePassEncoder, uint32_t workgroupCountX,                        \
       uint32_t workgroupCountY, uint32_t workgroupCountZ),                                        \
      (computePassEncoder, workgroupCountX, workgroupCountY, workgroupCountZ))                     \
    V(ComputePassEncoderDispatchWorkgroupsIndirect,                                                \
      (WGPUComputePassEncoder computePassEncoder, WGPUBuffer indirectBuffer,                       \
       uint64_t indirectOffset),                                                                   \
      (computePassEncoder, indirectBuffer, indirectOffset))                                        \
    V(ComputePassEncoderEnd, (WGPUComputePassEncoder computePassEncoder), (computePassEncoder))    \
    V(ComputePassEncoderPopDebugGroup, (WGPUComputePassEncoder computePassEncoder),                \
      (computePassEncoder))                                                                        \
    V(ComputePassEncoderPushDebugGroup,                                                            \
      (WGPUComputePassEncoder computePassEncoder, WGPUStringView groupLabel),                      \
      (computePassEncoder, groupLabel))                                                            \
    V(ComputePassEncoderSetBindGroup,                                                              \
      (WGPUComputePassEncoder computePassEncoder, uint32_t groupIndex, WGPUBindGroup group,        \
       size_t dynamicOffsetCount, uint32_t const *dynamicOffsets),                                 \
      (computePassEncoder, groupIndex, group, dynamicOffsetCount, dynamicOffsets))                 \
    V(ComputePassEncoderSetPipeline,                                                               \
      (WGPUComputePassEncoder computePassEncoder, WGPUComputePipeline pipeline),                   \
      (computePassEncoder, pipeline))                                                              \
    V(ComputePassEncoderRelease, (WGPUComputePassEncoder computePassEncoder),                      \
      (computePassEncoder))                                                                        \
    V(RenderPassEncoderDraw,                                                                       \
      (WGPURenderPassEncoder renderPassEncoder, uint32_t vertexCount, uint32_t instanceCount,      \
       uint32_t firstVertex, uint32_t firstInstance),                                              \
      (renderPassEncoder, vertexCount, instanceCount, firstVertex, firstInstance))                 \
    V(RenderPassEncoderDrawIndexed,                                                                \
      (WGPURenderPassEncoder renderPassEncoder, uint32_t indexCount, uint32_t instanceCount,       \
       uint32_t firstIndex, int32_t baseVertex, uint32_t firstInstance),                           \
      (renderPassEncoder, indexCount, instanceCount, firstIndex, baseVertex, firstInstance))       \
    V(RenderPassEncoderDrawIndexedIndirect,                                                        \
      (WGPURenderPassEncoder renderPassEncoder, WGPUBuffer indirectBuffer,                         \
       uint64_t indirectOffset),                                                                   \
      (renderPassEncoder, indirectBuffer, indirectOffset))                                         \
    V(RenderPassEncoderDrawIndirect,                                                               \
      (WGPURenderPassEncoder renderPassEncoder, WGPUBuffer indirectBuffer,                         \
       uint64_t indirectOffset),                                                                   \
      (renderPassEncoder, indirectBuffer, indirectOffset))                                         \
    V(RenderPassEncoderEnd, (WGPURenderPassEncoder renderPassEncoder), (renderPassEncoder))        \
    V(RenderPassEncoderPopDebugGroup, (WGPURenderPassEncoder renderPassEncoder),                   \
      (renderPassEncoder))                                                                         \
    V(RenderPassEncoderPushDebugGroup,                                                             \
      (WGPURenderPassEncoder renderPassEncoder, WGPUStringView groupLabel),                        \
      (renderPassEncoder, groupLabel))                                                             \
    V(RenderPassEncoderSetBindGroup,                                                               \
      (WGPURenderPassEncoder renderPassEncoder, uint32_t groupIndex, WGPUBindGroup group,          \
       size_t dynamicOffsetCount, uint32_t const *dynamicOffsets),                                 \
      (renderPassEncoder, groupIndex, group, dynamicOffsetCount, dynamicOffsets))                  \
    V(RenderPassEncoderSetBlendConstant,                                                           \
      (WGPURenderPassEncoder renderPassEncoder, WGPUColor const *color),                           \
      (renderPassEncoder, color))                                                                  \
    V(RenderPassEncoderSetIndexBuffer,                                                             \
      (WGPURenderPassEncoder renderPassEncoder, WGPUBuffer buffer, WGPUIndexFormat format,         \
       uint64_t offset, uint64_t size),                                                            \
      (renderPassEncoder, buffer, format, offset, size))                                           \
    V(RenderPassEncoderSetPipeline,                                                                \
      (WGPURenderPassEncoder renderPassEncoder, WGPURenderPipeline pipeline),                      \
      (renderPassEncoder, pipeline))                                                               \
    V(RenderPassEncoderSetScissorRect,                                                             \
      (WGPURenderPassEncoder renderPassEncoder, uint32_t x, uint32_t y, uint32_t width,            \
       uint32_t height),                                                                           \
      (renderPassEncoder, x, y, width, height))                                                    \
    V(RenderPassEncoderSetStencilReference,                                                        \
      (WGPURenderPassEncoder renderPassEncoder, uint32_t reference),                               \
      (renderPassEncoder, reference))                                                              \
    V(RenderPassEncoderSetVertexBuffer,                                                            \
      (WGPURenderPassEncoder renderPassEncoder, uint32_t slot, WGPUBuffer buffer, uint64_t offset, \
       uint64_t size),                                                                             \
      (renderPassEncoder, slot, buffer, offset, size))                                             \
    V(RenderPassEncoderSetViewport,                                                                \
      (WGPURenderPassEncoder renderPassEncoder, float x, float y, float width, float height,       \
       float minDepth, float maxDepth),                                                            \
      (renderPassEncoder, x, y, width, height, minDepth, maxDepth))                                \
    V(RenderPassEncoderRelease, (WGPURenderPassEncoder renderPassEncoder), (renderPassEncoder))

/**
 * Functions that gpool does without and that may be missing (their entry is then NULL): for programs that
 * call webgpu.h through the table. Same shape as GPOOL_GPU_REQUIRED.
 */
#define GPOOL_GPU_OPTIONAL(V, R)                                                                   \
    V(AdapterGetFeatures, (WGPUAdapter adapter, WGPUSupportedFeatures * features),                 \
      (adapter, features))                                                                         \
    V(DeviceDestroy, (WGPUDevice device), (device))                                                \
    R(WGPUBool, DeviceHasFeature, (WGPUDevice device, WGPUFeatureName feature), (device, feature)) \
    V(RenderPipelineAddRef, (WGPURenderPipeline renderPipeline), (renderPipeline))                 \
    V(ComputePipelineAddRef, (WGPUComputePipeline computePipeline), (computePipeline))             \
    V(BindGroupAddRef, (WGPUBindGroup bindGroup), (bindGroup))                                     \
    V(CommandEncoderInsertDebugMarker,                                                             \
      (WGPUCommandEncoder commandEncoder, WGPUStringView markerLabel),                             \
      (commandEncoder, markerLabel))                                                               \
    V(CommandEncoderAddRef, (WGPUCommandEncoder commandEncoder), (commandEncoder))                 \
    V(ComputePassEncoderInsertDebugMarker,                                                         \
      (WGPUComputePassEncoder computePassEncoder, WGPUStringView markerLabel),                     \
      (computePassEncoder, markerLabel))                                                           \
    V(RenderPassEncoderInsertDebugMarker,                                                          \
      (WGPURenderPassEncoder renderPassEncoder, WGPUStringView markerLabel),                       \
      (renderPassEncoder, markerLabel))                                                            \
    R(WGPUSurface, InstanceCreateSurface,                                                          \
      (WGPUInstance instance, WGPUSurfaceDescriptor const *descriptor), (instance, descriptor))    \
    V(SurfaceConfigure, (WGPUSurface surface, WGPUSurfaceConfiguration const *config),             \
      (surface, config))                                                                           \
    R(WGPUStatus, SurfaceGetCapabilities,                                                          \
      (WGPUSurface surface, WGPUAdapter adapter, WGPUSurfaceCapabilities * capabilities),          \
      (surface, adapter, capabilities))                                                            \
    V(SurfaceGetCurrentTexture, (WGPUSurface surface, WGPUSurfaceTexture * surfaceTexture),        \
      (surface, surfaceTexture))                                                                   \
    R(WGPUStatus, SurfacePresent, (WGPUSurface surface), (surface))                                \
    V(SurfaceUnconfigure, (WGPUSurface surface), (surface))                                        \
    V(SurfaceRelease, (WGPUSurface surface), (surface))                                            \
    V(SurfaceCapabilitiesFreeMembers, (WGPUSurfaceCapabilities surfaceCapabilities),               \
      (surfaceCapabilities))

/** Functions that only some implementations export and whose presence tells them apart. */
#define GPOOL_GPU_VENDOR(R)                                                                        \
    R(uint32_t, GetVersion, (void), ())                                                            \
    R(int32_t, DeviceTick, (WGPUDevice device), (device))

/**
 * Table of the functions above, one pointer each, named without the "wgpu" prefix. Filled by
 * gpool_gpu_load() or gpool_gpu_linked(), or by hand for a test double. A plain value: copy it freely; the functions
 * stay loaded to the end of the process.
 */
typedef struct gpool_gpu {
/** One pointer of the table. */
#define GPOOL_V(name, parameters, arguments) void(*name) parameters;
/** One pointer of the table. */
#define GPOOL_R(type, name, parameters, arguments) type(*name) parameters;
    GPOOL_GPU_REQUIRED(GPOOL_V, GPOOL_R)
    GPOOL_GPU_OPTIONAL(GPOOL_V, GPOOL_R)
    GPOOL_GPU_VENDOR(GPOOL_R)
#undef GPOOL_V
#undef GPOOL_R
} gpool_gpu;

/** Number of functions in the table, vendor entries left out. */
enum {
/** Counts one. */
#define GPOOL_V(name, parameters, arguments) GPOOL_GPU_##name,
/** Counts one. */
#define GPOOL_R(type, name, parameters, arguments) GPOOL_GPU_##name,
    GPOOL_GPU_REQUIRED(GPOOL_V, GPOOL_R)
    GPOOL_GPU_OPTIONAL(GPOOL_V, GPOOL_R)
#undef GPOOL_V
#undef GPOOL_R
        GPOOL_GPU_COUNT /**< number of counted functions */
};

/**
 * Loads a WebGPU library and fills a table with its functions. The library is never unloaded.
 *
 * For the one tested Dawn build whose enumerations differ from webgpu.h the table translates; see
 * docs/implementations.md.
 *
 * @param path  file of the library; NULL means the environment variable GPOOL_WEBGPU, then the
 *              usual names (libwgpu_native, libwebgpu_dawn) in the loader's search path
 * @param table filled on success, untouched otherwise
 * @return GPOOL_OK, GPOOL_ERROR_LIBRARY (logged to stderr: cannot be loaded, or lacks a required
 *         function), or GPOOL_ERROR_INVALID_ARGUMENT for a null table.
 * Thread: any. Cost: loading; a known Dawn build is told by hashing its file once.
 */
GPOOL_API gpool_result gpool_gpu_load(const char *path, gpool_gpu *table);

#ifdef __cplusplus
}
#endif
#endif
