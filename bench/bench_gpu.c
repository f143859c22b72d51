#define _GNU_SOURCE /* prctl() */

#include "bench_gpu.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

#define GPU_QUICK_POLLS 16u
#define GPU_SLEEP_NS    5000

static bench_gpu gpu_shared;

/* Errors end the run: no figure of a broken upload is of use. */
static void gpu_on_log(void *user, const gpool_log_record *record)
{
    const bool *open = user;
    if (record->level == GPOOL_LOG_LEVEL_ERROR && *open) {
        fprintf(stderr, "gpool-bench: %s: %s\n", record->operation, record->message);
        exit(2);
    }
}

/* Names go into JSON as they are. */
static void gpu_copy_name(char *target, size_t size, const char *name)
{
    size_t length = 0;
    for (; name[length] != '\0' && length + 1 < size; ++length) {
        const char c = name[length];
        target[length] = c < ' ' || c > '~' || c == '"' || c == '\\' ? '_' : c;
    }
    target[length] = '\0';
}

gpool_adapter_choice bench_gpu_adapter(void)
{
    const char *name = getenv("GPOOL_ADAPTER");
    if (name != NULL && strcmp(name, "software") == 0) {
        return GPOOL_ADAPTER_SOFTWARE;
    }
    return name != NULL && strcmp(name, "hardware") == 0 ? GPOOL_ADAPTER_HARDWARE
                                                         : GPOOL_ADAPTER_ANY;
}

static void gpu_name(bench_gpu *gpu)
{
    gpool_device_info info;
    bench_require(gpool_device_get_info(gpu->device, &info) == GPOOL_OK, "there is no device");
    gpu_copy_name(gpu->adapter, sizeof gpu->adapter, info.adapter);
    gpu->is_dawn = info.implementation == GPOOL_IMPLEMENTATION_DAWN;
    const uint32_t version = info.implementation_version;
    if (version != 0) {
        (void)snprintf(gpu->implementation, sizeof gpu->implementation, "wgpu-native %u.%u.%u.%u",
                       version >> 24, version >> 16 & 255u, version >> 8 & 255u, version & 255u);
    } else {
        gpu_copy_name(gpu->implementation, sizeof gpu->implementation,
                      gpu->is_dawn ? "Dawn" : "unknown");
    }
    gpu->place = BENCH_PLACE_HARDWARE;
    if (info.adapter_type == WGPUAdapterType_CPU) {
        const bool lavapipe = strstr(info.adapter, "llvmpipe") != NULL;
        gpu->place = lavapipe ? BENCH_PLACE_LAVAPIPE : BENCH_PLACE_SOFTWARE;
    }
}

static bool gpu_open(bench_gpu *gpu)
{
    static bool is_open;
    static bool was_tried;
    if (was_tried) {
        return is_open;
    }
    was_tried = true;
    const gpool_device_desc desc = {
        .adapter = bench_gpu_adapter(),
        .label = "bench",
        .log = gpu_on_log,
        .log_user = &is_open,
    };
    /* What a compile costs is measured, not what a cache of the driver's on disk saves. */
    (void)setenv("MESA_SHADER_CACHE_DISABLE", "true", 1);
    (void)setenv("__GL_SHADER_DISK_CACHE", "0", 1);
    /* Without a library named, whatever the loader finds would be measured. */
    const char *library = getenv("GPOOL_WEBGPU");
    if (library == NULL || gpool_device_open(&desc, &gpu->device) != GPOOL_OK) {
        return false;
    }
    is_open = true;
    (void)prctl(PR_SET_TIMERSLACK, 1ul, 0ul, 0ul, 0ul); /* sleeps are as short as they say */
    gpu->table = gpool_device_gpu(gpu->device);
    gpu->instance = gpool_device_raw_instance(gpu->device);
    gpu->raw = gpool_device_raw(gpu->device);
    gpu->queue = gpool_device_raw_queue(gpu->device);
    gpu_name(gpu);
    return true;
}

bench_gpu *bench_gpu_open(bench_row *row)
{
    bench_gpu *gpu = &gpu_shared;
    if (!gpu_open(gpu)) {
        row->absent = "there is no GPU device: run under scripts/run-gpu";
        return NULL;
    }
    row->adapter = gpu->adapter;
    row->implementation = gpu->implementation;
    return gpu;
}

void bench_gpu_close(void)
{
    if (gpu_shared.read != NULL) {
        gpu_shared.table->BufferRelease(gpu_shared.read);
    }
    gpool_device_release(gpu_shared.device);
    gpu_shared = (bench_gpu){ 0 };
}

static void gpu_on_done(WGPUQueueWorkDoneStatus status, WGPUStringView message, void *user,
                        void *unused)
{
    (void)status;
    (void)message;
    (void)unused;
    *(uint64_t *)user += 1;
}

void bench_gpu_note_frame(bench_gpu *gpu)
{
    const WGPUQueueWorkDoneCallbackInfo info = {
        .mode = WGPUCallbackMode_AllowProcessEvents,
        .callback = gpu_on_done,
        .userdata1 = &gpu->frames_done,
    };
    gpu->frames_begun += 1;
    (void)gpu->table->QueueOnSubmittedWorkDone(gpu->queue, info);
}

void bench_gpu_poll(bench_gpu *gpu)
{
    gpu->table->InstanceProcessEvents(gpu->instance);
}

/* Sleeps soon: a software driver needs the cores. */
void bench_gpu_wait(bench_gpu *gpu, uint64_t most)
{
    const struct timespec pause = { 0, GPU_SLEEP_NS };
    unsigned polls = 0;
    while (gpu->frames_begun - gpu->frames_done > most) {
        bench_gpu_poll(gpu);
        if (++polls > GPU_QUICK_POLLS) {
            (void)nanosleep(&pause, NULL);
        }
    }
}

WGPUBuffer bench_gpu_make_buffer(bench_gpu *gpu, uint64_t size, WGPUBufferUsage usage, bool mapped)
{
    const WGPUBufferDescriptor desc = {
        .usage = usage,
        .size = size,
        .mappedAtCreation = mapped,
    };
    WGPUBuffer buffer = gpu->table->DeviceCreateBuffer(gpu->raw, &desc);
    bench_require(buffer != NULL, "a GPU buffer is not made");
    return buffer;
}

static void gpu_on_map(WGPUMapAsyncStatus status, WGPUStringView message, void *user, void *unused)
{
    (void)message;
    (void)unused;
    *(bool *)user = status == WGPUMapAsyncStatus_Success;
}

/* Submits one copy. */
static void gpu_copy(bench_gpu *gpu, WGPUBuffer source, WGPUBuffer target, uint64_t size)
{
    const gpool_gpu *table = gpu->table;
    WGPUCommandEncoder encoder = table->DeviceCreateCommandEncoder(gpu->raw, NULL);
    table->CommandEncoderCopyBufferToBuffer(encoder, source, 0, target, 0, size);
    WGPUCommandBuffer commands = table->CommandEncoderFinish(encoder, NULL);
    table->QueueSubmit(gpu->queue, 1, &commands);
    table->CommandBufferRelease(commands);
    table->CommandEncoderRelease(encoder);
}

void bench_gpu_use(bench_gpu *gpu, WGPUBuffer buffer, WGPUBuffer other)
{
    gpu_copy(gpu, buffer, other, 4);
}

static WGPUBuffer gpu_read_buffer(bench_gpu *gpu, uint64_t size)
{
    if (gpu->read_size < size) {
        if (gpu->read != NULL) {
            gpu->table->BufferRelease(gpu->read);
        }
        gpu->read = bench_gpu_make_buffer(gpu, size,
                                          WGPUBufferUsage_CopyDst | WGPUBufferUsage_MapRead, false);
        gpu->read_size = size;
    }
    return gpu->read;
}

void bench_gpu_read(bench_gpu *gpu, WGPUBuffer buffer, uint8_t *target, uint64_t size)
{
    const gpool_gpu *table = gpu->table;
    WGPUBuffer read = gpu_read_buffer(gpu, size);
    gpu_copy(gpu, buffer, read, size);
    bench_gpu_note_frame(gpu);
    bench_gpu_wait(gpu, 0);
    bool mapped = false;
    const WGPUBufferMapCallbackInfo info = {
        .mode = WGPUCallbackMode_AllowProcessEvents,
        .callback = gpu_on_map,
        .userdata1 = &mapped,
    };
    (void)table->BufferMapAsync(read, WGPUMapMode_Read, 0, (size_t)size, info);
    for (int i = 0; i < 100000 && !mapped; ++i) {
        bench_gpu_poll(gpu);
    }
    bench_require(mapped, "a buffer cannot be read");
    memcpy(target, table->BufferGetConstMappedRange(read, 0, (size_t)size), (size_t)size);
    table->BufferUnmap(read);
}
