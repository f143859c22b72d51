/* Buffers and their maps. */
#include "sim_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_USAGES 0x3ffu

static bool buffer_check(const sim_device *device, const WGPUBufferDescriptor *desc, sim_text *why)
{
    WGPUBufferUsage usage = desc->usage;
    if (usage == 0) {
        return sim_say(why, "the usage is empty");
    }
    if ((usage & ~(WGPUBufferUsage)BUFFER_USAGES) != 0) {
        return sim_say(why, "the usage 0x%llx has unknown bits", (unsigned long long)usage);
    }
    if ((usage & WGPUBufferUsage_MapRead) != 0 &&
        (usage & ~(WGPUBufferUsage_MapRead | WGPUBufferUsage_CopyDst)) != 0) {
        return sim_say(why, "MapRead goes with CopyDst only, not 0x%llx",
                       (unsigned long long)usage);
    }
    if ((usage & WGPUBufferUsage_MapWrite) != 0 &&
        (usage & ~(WGPUBufferUsage_MapWrite | WGPUBufferUsage_CopySrc)) != 0) {
        return sim_say(why, "MapWrite goes with CopySrc only, not 0x%llx",
                       (unsigned long long)usage);
    }
    if (desc->size > device->limits.maxBufferSize) {
        return sim_say(why, "the size %llu is over maxBufferSize", (unsigned long long)desc->size);
    }
    if (desc->mappedAtCreation && desc->size % 4 != 0) {
        return sim_say(why, "the size %llu of a buffer mapped at creation is no multiple of 4",
                       (unsigned long long)desc->size);
    }
    return true;
}

static sim_buffer *buffer_new(sim_call *call, sim_device *device, const WGPUBufferDescriptor *desc)
{
    sim *s = call->sim;
    sim_text why;
    bool dawn = sim_is_dawn(s);
    if (!dawn && (desc->usage & ~(WGPUBufferUsage)BUFFER_USAGES) != 0) {
        sim_fatal(s, call->function, "unknown usage bits 0x%llx", (unsigned long long)desc->usage);
        return NULL;
    }
    bool dead = device->lost && dawn;
    if (dawn && desc->mappedAtCreation &&
        (desc->size > device->limits.maxBufferSize || call->way == SIM_FAIL_OUT_OF_MEMORY)) {
        return NULL;
    }
    bool good = sim_create_good(call, device);
    if (good && !dead && !buffer_check(device, desc, &why)) {
        sim_error(device, WGPUErrorType_Validation, "Buffer: %s", why.text);
        good = false;
    }
    uint8_t *bytes = NULL;
    if (good && !dead) {
        bytes = sim_bytes_new(s, desc->size);
        if (bytes == NULL) {
            sim_error_memory(device, call->function);
            good = false;
        }
    }
    sim_buffer *buffer = sim_object_new(s, SIM_KIND_BUFFER, sizeof *buffer, device, desc->label);
    buffer->base.invalid = !good || dead;
    buffer->usage = desc->usage;
    buffer->size = desc->size;
    buffer->bytes = bytes;
    if (good && desc->mappedAtCreation) {
        buffer->map = SIM_MAPPED;
        buffer->map_mode = WGPUMapMode_Write;
        buffer->map_size = desc->size;
        buffer->mapping = sim_must(calloc(1, (size_t)desc->size + 1));
    }
    return buffer;
}

static WGPUBuffer buffer_create(WGPUDevice handle, WGPUBufferDescriptor const *desc)
{
    sim_call call;
    WGPUBuffer result = NULL;
    sim_device *device = sim_enter(&call, GPOOL_GPU_DeviceCreateBuffer, handle, SIM_KIND_DEVICE);
    if (device != NULL && call.way != SIM_FAIL_NULL) {
        sim_buffer *buffer = buffer_new(&call, device, desc);
        result = buffer != NULL ? SIM_HANDLE(WGPUBuffer, buffer) : NULL;
    }
    sim_leave(&call);
    return result;
}

static bool buffer_check_map(const sim_buffer *buffer, WGPUMapMode mode, uint64_t offset,
                             uint64_t size, sim_text *why)
{
    WGPUBufferUsage usage =
        mode == WGPUMapMode_Read ? WGPUBufferUsage_MapRead : WGPUBufferUsage_MapWrite;
    if (buffer->base.invalid || buffer->base.destroyed) {
        return sim_say(why, "the buffer \"%s\" is invalid or destroyed", buffer->base.label);
    }
    if (mode != WGPUMapMode_Read && mode != WGPUMapMode_Write) {
        return sim_say(why, "the map mode 0x%llx is not one", (unsigned long long)mode);
    }
    if ((buffer->usage & usage) == 0) {
        return sim_say(why, "the buffer \"%s\" lacks the map usage", buffer->base.label);
    }
    if (buffer->map != SIM_UNMAPPED) {
        return sim_say(why, "the buffer \"%s\" is mapped, or a map is pending", buffer->base.label);
    }
    if (offset % 8 != 0 || size % 4 != 0) {
        return sim_say(why, "map offset %llu or size %llu is not aligned",
                       (unsigned long long)offset, (unsigned long long)size);
    }
    if (offset > buffer->size || size > buffer->size - offset) {
        return sim_say(why, "map of %llu bytes at %llu is out of range", (unsigned long long)size,
                       (unsigned long long)offset);
    }
    return true;
}

static WGPUFuture buffer_map_async(WGPUBuffer handle, WGPUMapMode mode, size_t offset, size_t size,
                                   WGPUBufferMapCallbackInfo info)
{
    sim_call call;
    sim_text why;
    sim_buffer *buffer = sim_enter(&call, GPOOL_GPU_BufferMapAsync, handle, SIM_KIND_BUFFER);
    if (buffer == NULL) {
        sim_leave(&call);
        return (WGPUFuture){ 0 };
    }
    sim *s = call.sim;
    sim_device *device = call.device;
    bool dawn = sim_is_dawn(s);
    if (info.callback == NULL || (mode == 0 && !dawn)) {
        sim_fatal(s, call.function, "the map mode is 0 or the callback is NULL");
        sim_leave(&call);
        return (WGPUFuture){ 0 };
    }
    uint64_t wanted = size;
    if (dawn && size == WGPU_WHOLE_MAP_SIZE && offset <= buffer->size) {
        wanted = buffer->size - offset;
    }
    sim_event *event = sim_event_new(s, SIM_EVENT_MAP, (void (*)(void))info.callback,
                                     info.userdata1, info.userdata2);
    if (device->lost) {
        event->status = dawn ? WGPUMapAsyncStatus_Aborted : WGPUMapAsyncStatus_Error;
        sim_error(device, WGPUErrorType_Validation, "Validation error: Parent device is lost");
    } else if (call.way == SIM_FAIL_VALIDATION) {
        event->status = WGPUMapAsyncStatus_Error;
        sim_error(device, WGPUErrorType_Validation, "Injected failure of BufferMapAsync");
    } else if (!buffer_check_map(buffer, mode, offset, wanted, &why)) {
        event->status = WGPUMapAsyncStatus_Error;
        sim_error(device, WGPUErrorType_Validation, "MapAsync: %s", why.text);
    }
    if (event->status != WGPUMapAsyncStatus_Success) {
        (void)snprintf(event->message, sizeof event->message, "map failed");
        if (dawn) {
            sim_event_post(event);
        } else {
            sim_event_now(event);
        }
    } else {
        buffer->map = SIM_MAP_PENDING;
        buffer->map_mode = mode;
        buffer->map_offset = offset;
        buffer->map_size = wanted;
        sim_hold(&buffer->base);
        event->buffer = buffer;
        /* Dawn waits for the whole queue, wgpu-native for what uses this buffer. */
        event->serial = dawn ? s->serial : buffer->last_use;
        sim_event_post(event);
    }
    sim_leave(&call);
    return (WGPUFuture){ 0 };
}

static bool buffer_check_range(const sim_buffer *buffer, uint64_t offset, uint64_t size,
                               sim_text *why)
{
    if (buffer->map != SIM_MAPPED) {
        return sim_say(why, "the buffer \"%s\" is not mapped", buffer->base.label);
    }
    if (buffer->base.device->lost || buffer->base.destroyed) {
        return sim_say(why, "the device is lost, or the buffer \"%s\" destroyed",
                       buffer->base.label);
    }
    if (offset % 8 != 0 || size % 4 != 0 || offset < buffer->map_offset ||
        offset - buffer->map_offset > buffer->map_size ||
        size > buffer->map_size - (offset - buffer->map_offset)) {
        return sim_say(why, "the range %llu+%llu is not aligned or lies outside the map",
                       (unsigned long long)offset, (unsigned long long)size);
    }
    return true;
}

static void *buffer_range(int function, WGPUBuffer handle, size_t offset, size_t size)
{
    sim_call call;
    sim_text why;
    void *result = NULL;
    sim_buffer *buffer = sim_enter(&call, function, handle, SIM_KIND_BUFFER);
    if (buffer != NULL) {
        uint64_t wanted = size;
        if (size == WGPU_WHOLE_MAP_SIZE && offset >= buffer->map_offset &&
            offset - buffer->map_offset <= buffer->map_size) {
            wanted = buffer->map_size - (offset - buffer->map_offset);
        }
        if (!buffer_check_range(buffer, offset, wanted, &why)) {
            bool untold =
                buffer->map == SIM_MAPPED && call.device->lost && !call.device->lost_shown;
            if (!sim_is_dawn(call.sim) && !untold) {
                sim_fatal(call.sim, call.function, "%s", why.text);
            }
            call.sim->untold += !sim_is_dawn(call.sim) && untold;
        } else if (function == GPOOL_GPU_BufferGetMappedRange &&
                   buffer->map_mode != WGPUMapMode_Write) {
            sim_fatal(call.sim, call.function, "the buffer \"%s\" is mapped for reading",
                      buffer->base.label);
        } else if (call.way != SIM_FAIL_NULL) {
            result = buffer->mapping + (offset - buffer->map_offset);
        }
        if (call.way == SIM_FAIL_LOST) {
            /* What is handed out just now stays: nobody could know. */
            sim_map_state map = buffer->map;
            buffer->map = SIM_UNMAPPED;
            sim_device_lose(call.device);
            buffer->map = map;
        }
    }
    sim_leave(&call);
    return result;
}

static void const *buffer_const_range(WGPUBuffer handle, size_t offset, size_t size)
{
    return buffer_range(GPOOL_GPU_BufferGetConstMappedRange, handle, offset, size);
}

static void *buffer_write_range(WGPUBuffer handle, size_t offset, size_t size)
{
    return buffer_range(GPOOL_GPU_BufferGetMappedRange, handle, offset, size);
}

static void buffer_unmap(WGPUBuffer handle)
{
    sim_call call;
    sim_buffer *buffer = sim_enter(&call, GPOOL_GPU_BufferUnmap, handle, SIM_KIND_BUFFER);
    if (buffer == NULL) {
        sim_leave(&call);
        return;
    }
    if (buffer->map == SIM_MAP_PENDING) {
        sim_events_abort_map(buffer, "Buffer was unmapped before mapping was done");
    } else if (buffer->map == SIM_MAPPED) {
        if (buffer->map_mode == WGPUMapMode_Write && buffer->bytes != NULL) {
            memcpy(buffer->bytes + buffer->map_offset, buffer->mapping, (size_t)buffer->map_size);
        }
        free(buffer->mapping);
        buffer->mapping = NULL;
        buffer->map = SIM_UNMAPPED;
        if (buffer->base.device->lost && !sim_is_dawn(call.sim)) {
            sim_error(call.device, WGPUErrorType_Validation,
                      "Validation error: Parent device is lost");
        }
    } else if (!sim_is_dawn(call.sim)) {
        sim_error(call.device, WGPUErrorType_Validation, "Unmap: buffer \"%s\" is not mapped",
                  buffer->base.label);
    }
    sim_leave(&call);
}

static uint64_t buffer_get_size(WGPUBuffer handle)
{
    sim_call call;
    sim_buffer *buffer = sim_enter(&call, GPOOL_GPU_BufferGetSize, handle, SIM_KIND_BUFFER);
    uint64_t size = buffer != NULL ? buffer->size : 0;
    sim_leave(&call);
    return size;
}

static WGPUBufferUsage buffer_get_usage(WGPUBuffer handle)
{
    sim_call call;
    sim_buffer *buffer = sim_enter(&call, GPOOL_GPU_BufferGetUsage, handle, SIM_KIND_BUFFER);
    WGPUBufferUsage usage = buffer != NULL ? buffer->usage : 0;
    sim_leave(&call);
    return usage;
}

bool sim_read_buffer(sim *s, WGPUBuffer handle, uint64_t offset, void *target, size_t size)
{
    sim_text why;
    sim_lock();
    sim_buffer *buffer = (sim_buffer *)sim_object_find(s, handle, SIM_KIND_BUFFER, &why);
    bool good = buffer != NULL && buffer->bytes != NULL && offset <= buffer->size &&
                size <= buffer->size - offset;
    if (good) {
        memcpy(target, buffer->bytes + offset, size);
    }
    sim_unlock();
    return good;
}

void sim_table_buffer(gpool_gpu *table)
{
    table->DeviceCreateBuffer = buffer_create;
    table->BufferMapAsync = buffer_map_async;
    table->BufferGetConstMappedRange = buffer_const_range;
    table->BufferGetMappedRange = buffer_write_range;
    table->BufferUnmap = buffer_unmap;
    table->BufferGetSize = buffer_get_size;
    table->BufferGetUsage = buffer_get_usage;
}
