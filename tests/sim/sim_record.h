/*
 * The line that a recorded call becomes: written argument by argument, with object numbers in place
 * of addresses. The functions are picked by the type of the argument.
 */
#ifndef GPOOL_TESTS_SIM_RECORD_H
#define GPOOL_TESTS_SIM_RECORD_H

#include "sim.h"

typedef struct record_line {
    uint64_t hash; /* of what did not fit any more */
    size_t length;
    const void *data; /* a void pointer, whose size is the argument after it */
    uint64_t last;    /* the last number: the count of an array after it */
    char text[1024];
} record_line;

void record_say(record_line *line, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Number of an object: given at its creation, or when it is first seen. */
uint64_t record_number(const void *handle, bool created);

void record_handle(record_line *line, const void *handle);
void record_u32(record_line *line, uint32_t value);
void record_u64(record_line *line, uint64_t value);
void record_i32(record_line *line, int32_t value);
void record_f32(record_line *line, float value);
void record_text(record_line *line, WGPUStringView text);
void record_bytes(record_line *line, const void *data);
void record_offsets(record_line *line, const uint32_t *offsets);
void record_commands(record_line *line, const WGPUCommandBuffer *commands);
void record_nothing(record_line *line, const void *pointer);

/* Descriptors: record_<type without WGPU>(). */
#define RECORD_DESCRIPTORS(X)                                                                      \
    X(RequestAdapterOptions)                                                                       \
    X(DeviceDescriptor)                                                                            \
    X(BufferDescriptor)                                                                            \
    X(TextureDescriptor)                                                                           \
    X(TextureViewDescriptor)                                                                       \
    X(SamplerDescriptor)                                                                           \
    X(BindGroupLayoutDescriptor)                                                                   \
    X(BindGroupDescriptor)                                                                         \
    X(PipelineLayoutDescriptor)                                                                    \
    X(ShaderModuleDescriptor)                                                                      \
    X(ComputePipelineDescriptor)                                                                   \
    X(RenderPipelineDescriptor)                                                                    \
    X(CommandEncoderDescriptor)                                                                    \
    X(CommandBufferDescriptor)                                                                     \
    X(ComputePassDescriptor)                                                                       \
    X(RenderPassDescriptor)                                                                        \
    X(TexelCopyTextureInfo)                                                                        \
    X(TexelCopyBufferInfo)                                                                         \
    X(TexelCopyBufferLayout)                                                                       \
    X(Extent3D)                                                                                    \
    X(Color)
#define RECORD_DECLARE(name) void record_##name(record_line *line, const WGPU##name *value);
RECORD_DESCRIPTORS(RECORD_DECLARE)
#undef RECORD_DECLARE

/* Structures passed by value that say nothing of interest. */
#define RECORD_SILENT(X)                                                                           \
    X(RequestAdapterCallbackInfo)                                                                  \
    X(RequestDeviceCallbackInfo)                                                                   \
    X(PopErrorScopeCallbackInfo)                                                                   \
    X(QueueWorkDoneCallbackInfo)                                                                   \
    X(BufferMapCallbackInfo)                                                                       \
    X(AdapterInfo)                                                                                 \
    X(SupportedFeatures)                                                                           \
    X(SurfaceCapabilities)

#endif
