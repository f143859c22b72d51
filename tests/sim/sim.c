#include "sim_state.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIM_MAX 8

static pthread_mutex_t sim_mutex = PTHREAD_MUTEX_INITIALIZER;
static sim *sim_all[SIM_MAX];

static const char *const sim_function_names[GPOOL_GPU_COUNT] = {
#define GPOOL_V(name, parameters, arguments)       [GPOOL_GPU_##name] = #name,
#define GPOOL_R(type, name, parameters, arguments) [GPOOL_GPU_##name] = #name,
    GPOOL_GPU_REQUIRED(GPOOL_V, GPOOL_R) GPOOL_GPU_OPTIONAL(GPOOL_V, GPOOL_R)
#undef GPOOL_V
#undef GPOOL_R
};

void sim_lock(void)
{
    (void)pthread_mutex_lock(&sim_mutex);
}

void sim_unlock(void)
{
    (void)pthread_mutex_unlock(&sim_mutex);
}

void *sim_must(void *memory)
{
    if (memory == NULL) {
        (void)fprintf(stderr, "sim: no memory\n");
        abort();
    }
    return memory;
}

uint8_t *sim_bytes_new(sim *s, uint64_t size)
{
    if (s->desc.memory != 0 && (size > s->desc.memory || s->kept_bytes > s->desc.memory - size)) {
        return NULL;
    }
    uint8_t *bytes = size < SIZE_MAX ? calloc(1, (size_t)size + 1) : NULL;
    s->kept_bytes += bytes != NULL ? size : 0;
    return bytes;
}

bool sim_say(sim_text *why, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    (void)vsnprintf(why->text, sizeof why->text, format, list);
    va_end(list);
    return false;
}

sim *sim_of_index(uint32_t index)
{
    if (index < SIM_MAX && sim_all[index] != NULL) {
        return sim_all[index];
    }
    sim *newest = NULL;
    for (uint32_t i = 0; i < SIM_MAX; ++i) {
        newest = sim_all[i] != NULL ? sim_all[i] : newest;
    }
    return newest;
}

/* A limit of 0 keeps the default; those are the specification's. */
static void sim_fill_limits(WGPULimits *limits, const WGPULimits *given)
{
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
        .maxStorageBufferBindingSize = 134217728,
        .minUniformBufferOffsetAlignment = 256,
        .minStorageBufferOffsetAlignment = 256,
        .maxVertexBuffers = 8,
        .maxBufferSize = 268435456,
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
    if (given == NULL) {
        return;
    }
#define SIM_LIMIT(name) limits->name = given->name != 0 ? given->name : limits->name
    SIM_LIMIT(maxTextureDimension1D);
    SIM_LIMIT(maxTextureDimension2D);
    SIM_LIMIT(maxTextureDimension3D);
    SIM_LIMIT(maxTextureArrayLayers);
    SIM_LIMIT(maxBindGroups);
    SIM_LIMIT(maxBindingsPerBindGroup);
    SIM_LIMIT(maxDynamicUniformBuffersPerPipelineLayout);
    SIM_LIMIT(maxDynamicStorageBuffersPerPipelineLayout);
    SIM_LIMIT(maxUniformBufferBindingSize);
    SIM_LIMIT(maxStorageBufferBindingSize);
    SIM_LIMIT(minUniformBufferOffsetAlignment);
    SIM_LIMIT(minStorageBufferOffsetAlignment);
    SIM_LIMIT(maxVertexBuffers);
    SIM_LIMIT(maxBufferSize);
    SIM_LIMIT(maxVertexAttributes);
    SIM_LIMIT(maxVertexBufferArrayStride);
    SIM_LIMIT(maxColorAttachments);
    SIM_LIMIT(maxColorAttachmentBytesPerSample);
    SIM_LIMIT(maxComputeWorkgroupsPerDimension);
#undef SIM_LIMIT
}

sim *sim_create(const sim_desc *desc)
{
    static const sim_desc defaults = { 0 };
    desc = desc != NULL ? desc : &defaults;
    sim *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return NULL;
    }
    s->desc = *desc;
    s->desc.limits = NULL;
    s->desc.features = NULL;
    sim_fill_limits(&s->limits, desc->limits);
    s->features[s->feature_count++] = WGPUFeatureName_CoreFeaturesAndLimits;
    for (size_t i = 0; i < desc->feature_count && s->feature_count < SIM_FEATURES; ++i) {
        s->features[s->feature_count++] = desc->features[i];
    }
    sim_lock();
    uint32_t index = 0;
    while (index < SIM_MAX && sim_all[index] != NULL) {
        index += 1;
    }
    if (index < SIM_MAX) {
        s->index = index;
        sim_all[index] = s;
    }
    sim_unlock();
    if (index == SIM_MAX) {
        free(s);
        return NULL;
    }
    sim_scatter_register(s);
    if (desc->delivery == SIM_DELIVER_ON_THREAD) {
        sim_worker_start(s);
    }
    return s;
}

void sim_destroy(sim *s)
{
    if (s == NULL) {
        return;
    }
    sim_worker_stop(s);
    sim_lock();
    sim_events_fini(s);
    sim_submit_done(s, SIM_ALL);
    sim_objects_free_all(s);
    while (s->shaders != NULL) {
        sim_host_shader *next = s->shaders->next;
        free(s->shaders);
        s->shaders = next;
    }
    sim_all[s->index] = NULL;
    sim_unlock();
    free(s->slots);
    free(s);
}

void sim_fatal(sim *s, int function, const char *format, ...)
{
    char text[200];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(text, sizeof text, format, list);
    va_end(list);
    uint64_t index = s->fatals++;
    char line[256];
    (void)snprintf(line, sizeof line, "%s: %s", sim_function_name(function), text);
    if (index < SIM_FATALS) {
        memcpy(s->fatal_messages[index], line, sizeof line);
        if (!s->desc.quiet) {
            (void)fprintf(stderr, "sim: fatal: %s\n", line);
        }
    }
}

/* --- faults --- */

static bool sim_is_create(int function)
{
    switch (function) {
    case GPOOL_GPU_DeviceCreateBindGroup:
    case GPOOL_GPU_DeviceCreateBindGroupLayout:
    case GPOOL_GPU_DeviceCreateBuffer:
    case GPOOL_GPU_DeviceCreateCommandEncoder:
    case GPOOL_GPU_DeviceCreateComputePipeline:
    case GPOOL_GPU_DeviceCreatePipelineLayout:
    case GPOOL_GPU_DeviceCreateRenderPipeline:
    case GPOOL_GPU_DeviceCreateSampler:
    case GPOOL_GPU_DeviceCreateShaderModule:
    case GPOOL_GPU_DeviceCreateTexture:
    case GPOOL_GPU_TextureCreateView:
    case GPOOL_GPU_CommandEncoderFinish:
        return true;
    default:
        return false;
    }
}

static bool sim_is_request(int function)
{
    return function == GPOOL_GPU_InstanceRequestAdapter ||
           function == GPOOL_GPU_AdapterRequestDevice;
}

/* Commands into encoders, passes and the queue, and requests that can raise an error. */
static bool sim_is_command(int function)
{
    switch (function) {
    case GPOOL_GPU_QueueWriteBuffer:
    case GPOOL_GPU_QueueWriteTexture:
    case GPOOL_GPU_QueueSubmit:
    case GPOOL_GPU_BufferMapAsync:
    case GPOOL_GPU_CommandEncoderBeginComputePass:
    case GPOOL_GPU_CommandEncoderBeginRenderPass:
    case GPOOL_GPU_CommandEncoderClearBuffer:
    case GPOOL_GPU_CommandEncoderCopyBufferToBuffer:
    case GPOOL_GPU_CommandEncoderCopyBufferToTexture:
    case GPOOL_GPU_CommandEncoderCopyTextureToBuffer:
    case GPOOL_GPU_CommandEncoderCopyTextureToTexture:
    case GPOOL_GPU_ComputePassEncoderDispatchWorkgroups:
    case GPOOL_GPU_ComputePassEncoderDispatchWorkgroupsIndirect:
    case GPOOL_GPU_ComputePassEncoderSetBindGroup:
    case GPOOL_GPU_ComputePassEncoderSetPipeline:
    case GPOOL_GPU_RenderPassEncoderDraw:
    case GPOOL_GPU_RenderPassEncoderDrawIndexed:
    case GPOOL_GPU_RenderPassEncoderDrawIndexedIndirect:
    case GPOOL_GPU_RenderPassEncoderDrawIndirect:
    case GPOOL_GPU_RenderPassEncoderSetBindGroup:
    case GPOOL_GPU_RenderPassEncoderSetIndexBuffer:
    case GPOOL_GPU_RenderPassEncoderSetPipeline:
    case GPOOL_GPU_RenderPassEncoderSetScissorRect:
    case GPOOL_GPU_RenderPassEncoderSetVertexBuffer:
    case GPOOL_GPU_RenderPassEncoderSetViewport:
        return true;
    default:
        return false;
    }
}

static bool sim_has_device(int function)
{
    return function == GPOOL_GPU_InstanceProcessEvents ||
           (strncmp(sim_function_names[function], "Instance", 8) != 0 &&
            strncmp(sim_function_names[function], "Adapter", 7) != 0 &&
            function != GPOOL_GPU_CreateInstance &&
            function != GPOOL_GPU_SupportedFeaturesFreeMembers &&
            strstr(sim_function_names[function], "Surface") == NULL);
}

bool sim_can_fail(const sim *s, int function, sim_way way)
{
    if (function < 0 || function >= GPOOL_GPU_COUNT) {
        return false;
    }
    switch (way) {
    case SIM_FAIL_NULL:
        return function == GPOOL_GPU_CreateInstance || function == GPOOL_GPU_DeviceCreateBuffer ||
               function == GPOOL_GPU_BufferGetConstMappedRange ||
               function == GPOOL_GPU_BufferGetMappedRange || sim_is_request(function) ||
               (s->desc.null_creates && sim_is_create(function));
    case SIM_FAIL_VALIDATION:
        return sim_is_create(function) || sim_is_command(function) || sim_is_request(function) ||
               function == GPOOL_GPU_AdapterGetInfo || function == GPOOL_GPU_AdapterGetLimits ||
               function == GPOOL_GPU_DeviceGetLimits;
    case SIM_FAIL_OUT_OF_MEMORY:
        return (sim_is_create(function) && function != GPOOL_GPU_CommandEncoderFinish) ||
               function == GPOOL_GPU_QueueWriteBuffer || function == GPOOL_GPU_QueueWriteTexture;
    case SIM_FAIL_LOST:
        return sim_has_device(function);
    default:
        return false;
    }
}

void sim_fail(sim *s, int function, uint64_t nth, sim_way way, bool for_ever)
{
    sim_lock();
    s->fault.armed = true;
    s->fault.for_ever = for_ever;
    s->fault.function = function;
    s->fault.way = way;
    s->fault.nth = nth;
    s->fault.seen = 0;
    s->fault.hits = 0;
    s->fault.hit_function = -1;
    sim_unlock();
}

void sim_fail_none(sim *s)
{
    sim_lock();
    s->fault.armed = false;
    sim_unlock();
}

uint64_t sim_fail_hits(sim *s)
{
    sim_lock();
    uint64_t hits = s->fault.hits;
    sim_unlock();
    return hits;
}

int sim_fail_function(sim *s)
{
    sim_lock();
    int function = s->fault.hits > 0 ? s->fault.hit_function : -1;
    sim_unlock();
    return function;
}

uint64_t sim_fail_points(sim *s, int function, sim_way way)
{
    uint64_t count = 0;
    sim_lock();
    for (int i = 0; i < GPOOL_GPU_COUNT; ++i) {
        count += function == i || function == SIM_ANY_FUNCTION ? s->points[way][i] : 0;
    }
    sim_unlock();
    return count;
}

static sim_way sim_decide(sim *s, int function)
{
    for (int way = 0; way < SIM_WAY_COUNT; ++way) {
        s->points[way][function] += sim_can_fail(s, function, (sim_way)way);
    }
    if (!s->fault.armed ||
        (s->fault.function != SIM_ANY_FUNCTION && s->fault.function != function) ||
        !sim_can_fail(s, function, s->fault.way)) {
        return SIM_NO_WAY;
    }
    s->fault.seen += 1;
    bool hit = s->fault.seen == s->fault.nth || (s->fault.for_ever && s->fault.seen > s->fault.nth);
    s->fault.hits += hit;
    s->fault.hit_function = hit ? function : s->fault.hit_function;
    return hit ? s->fault.way : SIM_NO_WAY;
}

/* --- calls --- */

void *sim_enter(sim_call *call, int function, const void *handle, sim_kind kind)
{
    sim_lock();
    sim_text why;
    *call = (sim_call){ .function = function, .way = SIM_NO_WAY };
    uint32_t index = (uint32_t)((uintptr_t)handle & 0xfu);
    call->sim = sim_of_index(index - 1);
    if (call->sim == NULL) {
        (void)fprintf(stderr, "sim: %s is called without a simulator\n",
                      sim_function_name(function));
        abort();
    }
    sim *s = call->sim;
    s->calls[function] += 1;
    s->calls_in_callbacks += sim_in_callback(s);
    if (kind == SIM_KIND_NONE) {
        call->way = sim_decide(s, function);
        return s;
    }
    sim_object *object = sim_object_find(s, handle, kind, &why);
    if (object == NULL) {
        sim_fatal(s, function, "%s", why.text);
        return NULL;
    }
    call->device = kind == SIM_KIND_DEVICE ? (sim_device *)object : object->device;
    call->way = sim_decide(s, function);
    /* A submit or a range that loses the device in the middle of it is no misuse of the caller's;
     * these two look at the way themselves. */
    if (call->way == SIM_FAIL_LOST && function != GPOOL_GPU_QueueSubmit &&
        function != GPOOL_GPU_BufferGetConstMappedRange &&
        function != GPOOL_GPU_BufferGetMappedRange) {
        if (call->device != NULL) {
            sim_device_lose(call->device);
        } else {
            sim_devices_lose(s);
        }
        call->way = SIM_NO_WAY;
    }
    return object;
}

void sim_leave(sim_call *call)
{
    (void)call;
    sim_unlock();
    sim_events_run_now();
}

void *sim_get_optional(const sim_call *call, const void *handle, sim_kind kind)
{
    return handle != NULL ? sim_get(call, handle, kind) : NULL;
}

void *sim_get(const sim_call *call, const void *handle, sim_kind kind)
{
    sim_text why;
    sim_object *object = sim_object_find(call->sim, handle, kind, &why);
    if (object == NULL) {
        sim_fatal(call->sim, call->function, "%s", why.text);
    }
    return object;
}

/* --- what tests ask --- */

const char *sim_function_name(int function)
{
    return function >= 0 && function < GPOOL_GPU_COUNT ? sim_function_names[function] : "any";
}

uint64_t sim_call_count(sim *s, int function)
{
    uint64_t count = 0;
    sim_lock();
    for (int i = 0; i < GPOOL_GPU_COUNT; ++i) {
        count += function == i || function == SIM_ANY_FUNCTION ? s->calls[i] : 0;
    }
    sim_unlock();
    return count;
}

uint64_t sim_calls_in_callbacks(sim *s)
{
    sim_lock();
    uint64_t count = s->calls_in_callbacks;
    sim_unlock();
    return count;
}

static uint64_t sim_sum(const uint64_t counts[SIM_KIND_COUNT], sim_kind kind)
{
    uint64_t count = 0;
    sim_lock();
    for (int i = 0; i < SIM_KIND_COUNT; ++i) {
        count += (int)kind == i || kind == SIM_KIND_NONE ? counts[i] : 0;
    }
    sim_unlock();
    return count;
}

uint64_t sim_live(sim *s, sim_kind kind)
{
    return sim_sum(s->live, kind);
}

uint64_t sim_kept(sim *s, sim_kind kind)
{
    return sim_sum(s->kept, kind);
}

uint64_t sim_kept_bytes(sim *s)
{
    sim_lock();
    uint64_t bytes = s->kept_bytes;
    sim_unlock();
    return bytes;
}

uint64_t sim_fatal_count(sim *s)
{
    sim_lock();
    uint64_t count = s->fatals;
    sim_unlock();
    return count;
}

uint64_t sim_untold_count(sim *s)
{
    sim_lock();
    uint64_t count = s->untold;
    sim_unlock();
    return count;
}

const char *sim_fatal_message(sim *s, uint64_t index)
{
    return index < SIM_FATALS ? s->fatal_messages[index] : "";
}

void sim_fatal_clear(sim *s)
{
    sim_lock();
    s->fatals = 0;
    memset(s->fatal_messages, 0, sizeof s->fatal_messages);
    sim_unlock();
}

uint64_t sim_error_count(sim *s)
{
    sim_lock();
    uint64_t count = s->errors;
    sim_unlock();
    return count;
}

const char *sim_error_message(sim *s)
{
    return s->error_message;
}
