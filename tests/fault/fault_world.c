/* A world: simulator, device, pool, raw objects of the program, the witness. */
#define _POSIX_C_SOURCE 200809L

#include "fault.h"

#include "pool/pool_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define WITNESS_SIZE 300u
#define WITNESS_SIDE 4u

static void world_on_log(void *user, const gpool_log_record *record)
{
    fault_world *w = user;
    if ((unsigned)record->id >= GPOOL_LOG_COUNT || record->message == NULL ||
        record->message[0] == '\0') {
        fault_problem(w, "a log record without id or message");
        return;
    }
    w->log_counts[record->id] += 1;
    if (getenv("GPOOL_FAULT_TRACE") != NULL) {
        (void)printf("    log: %s\n", record->message);
    }
}

gpool_device_desc fault_device_desc(fault_world *w)
{
    return (gpool_device_desc){ .gpu = &w->table,
                                .label = "faulty",
                                .log = world_on_log,
                                .log_user = w,
                                .allocator = fault_hooks(&w->device_memory) };
}

gpool_desc fault_pool_desc(fault_world *w)
{
    return (gpool_desc){ .compile_workers = GPOOL_WORKERS_NONE,
                         .label = "faulty",
                         .wait_timeout_ms = 60000,
                         .log = world_on_log,
                         .log_user = w,
                         .allocator = fault_hooks(&w->pool_memory) };
}

static void world_make_raw(fault_world *w)
{
    const gpool_gpu *gpu = &w->table;
    WGPUDevice device = gpool_device_raw(w->device);
    WGPUQueue queue = gpool_device_raw_queue(w->device);
    fault_raw *raw = &w->raw;
    uint8_t bytes[64];
    for (uint8_t i = 0; i < 64; ++i) {
        bytes[i] = i;
    }
    static const float blue[4] = { 0.0f, 0.0f, 1.0f, 1.0f };
    WGPUBufferDescriptor buffer = { .usage = WGPUBufferUsage_Vertex | WGPUBufferUsage_CopySrc |
                                             WGPUBufferUsage_CopyDst,
                                    .size = sizeof bytes };
    raw->buffer = gpu->DeviceCreateBuffer(device, &buffer);
    gpu->QueueWriteBuffer(queue, raw->buffer, 0, bytes, sizeof bytes);
    WGPUBufferDescriptor uniform = { .usage = WGPUBufferUsage_Uniform | WGPUBufferUsage_CopyDst,
                                     .size = sizeof blue };
    raw->uniform = gpu->DeviceCreateBuffer(device, &uniform);
    gpu->QueueWriteBuffer(queue, raw->uniform, 0, blue, sizeof blue);
    WGPUTextureDescriptor texture = { .usage = WGPUTextureUsage_TextureBinding |
                                               WGPUTextureUsage_CopySrc | WGPUTextureUsage_CopyDst |
                                               WGPUTextureUsage_RenderAttachment,
                                      .dimension = WGPUTextureDimension_2D,
                                      .size = { 4, 4, 1 },
                                      .format = WGPUTextureFormat_RGBA8Unorm,
                                      .mipLevelCount = 1,
                                      .sampleCount = 1 };
    raw->texture = gpu->DeviceCreateTexture(device, &texture);
    WGPUBindGroupLayoutEntry entry = { .visibility = WGPUShaderStage_Fragment,
                                       .buffer = { .type = WGPUBufferBindingType_Uniform } };
    WGPUBindGroupLayoutDescriptor layout = { .entryCount = 1, .entries = &entry };
    raw->layout = gpu->DeviceCreateBindGroupLayout(device, &layout);
    WGPUBindGroupEntry bound = { .buffer = raw->uniform, .size = sizeof blue };
    WGPUBindGroupDescriptor group = { .layout = raw->layout, .entryCount = 1, .entries = &bound };
    raw->group = gpu->DeviceCreateBindGroup(device, &group);
    WGPUPipelineLayoutDescriptor whole = { .bindGroupLayoutCount = 1,
                                           .bindGroupLayouts = &raw->layout };
    WGPUPipelineLayout render_layout = gpu->DeviceCreatePipelineLayout(device, &whole);
    const char *sources[2] = { fault_fill_wgsl, fault_double_wgsl };
    WGPUShaderModule modules[2];
    for (int i = 0; i < 2; ++i) {
        WGPUShaderSourceWGSL wgsl = { .chain = { .sType = WGPUSType_ShaderSourceWGSL },
                                      .code = { sources[i], WGPU_STRLEN } };
        WGPUShaderModuleDescriptor desc = { .nextInChain = &wgsl.chain };
        modules[i] = gpu->DeviceCreateShaderModule(device, &desc);
    }
    WGPUColorTargetState target = { .format = WGPUTextureFormat_RGBA8Unorm,
                                    .writeMask = WGPUColorWriteMask_All };
    WGPUFragmentState fragment = { .module = modules[0],
                                   .entryPoint = { "fs", WGPU_STRLEN },
                                   .targetCount = 1,
                                   .targets = &target };
    WGPURenderPipelineDescriptor render = {
        .layout = render_layout,
        .vertex = { .module = modules[0], .entryPoint = { "vs", WGPU_STRLEN } },
        .primitive = { .topology = WGPUPrimitiveTopology_TriangleList,
                       .frontFace = WGPUFrontFace_CCW,
                       .cullMode = WGPUCullMode_None },
        .multisample = { .count = 1, .mask = UINT32_MAX },
        .fragment = &fragment
    };
    raw->render = gpu->DeviceCreateRenderPipeline(device, &render);
    WGPUComputePipelineDescriptor compute = {
        .compute = { .module = modules[1], .entryPoint = { "main", WGPU_STRLEN } }
    };
    raw->compute = gpu->DeviceCreateComputePipeline(device, &compute);
    gpu->ShaderModuleRelease(modules[0]);
    gpu->ShaderModuleRelease(modules[1]);
    gpu->PipelineLayoutRelease(render_layout);
}

static void world_release_raw(fault_world *w)
{
    const gpool_gpu *gpu = &w->table;
    const fault_raw *raw = &w->raw;
    if (raw->buffer == NULL) {
        return;
    }
    gpu->ComputePipelineRelease(raw->compute);
    gpu->RenderPipelineRelease(raw->render);
    gpu->BindGroupRelease(raw->group);
    gpu->BindGroupLayoutRelease(raw->layout);
    gpu->TextureRelease(raw->texture);
    gpu->BufferRelease(raw->uniform);
    gpu->BufferRelease(raw->buffer);
}

static void world_make_witness(fault_world *w)
{
    uint8_t bytes[WITNESS_SIZE];
    uint8_t texels[WITNESS_SIDE * WITNESS_SIDE * 4];
    fault_pattern(bytes, sizeof bytes, 1);
    fault_pattern(texels, sizeof texels, 2);
    gpool_buffer_desc plain = { .size = WITNESS_SIZE,
                                .usage = GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_READ_BACK,
                                .label = "plain witness" };
    gpool_buffer_desc written = { .data = bytes,
                                  .size = WITNESS_SIZE,
                                  .usage = GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_READ_BACK,
                                  .label = "written witness" };
    gpool_texture_desc texture = { .width = WITNESS_SIDE,
                                   .height = WITNESS_SIDE,
                                   .format = WGPUTextureFormat_RGBA8Unorm,
                                   .usage = GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_READ_BACK,
                                   .data = texels,
                                   .data_size = sizeof texels,
                                   .label = "texture witness" };
    gpool_sampler_desc sampler = { .address_u = WGPUAddressMode_MirrorRepeat };
    w->witness_plain = gpool_buffer_create(w->pool, &plain);
    w->witness_written = gpool_buffer_create(w->pool, &written);
    w->witness_texture = gpool_texture_create(w->pool, &texture);
    w->witness_sampler = gpool_sampler_create(w->pool, &sampler);
    FAULT_EXPECT(w, gpool_process_uploads(w->pool) == GPOOL_OK);
    /* These stay dirty until something submits. */
    FAULT_EXPECT(w,
                 gpool_buffer_write(w->pool, w->witness_plain, 0, bytes, sizeof bytes) == GPOOL_OK);
    fault_take_picture(w, 0, &w->witness_before);
}

void fault_check_witness(fault_world *w)
{
    uint8_t bytes[WITNESS_SIZE];
    uint8_t texels[WITNESS_SIDE * WITNESS_SIDE * 4];
    uint8_t got[WITNESS_SIZE];
    gpool *p = w->pool;
    fault_pattern(bytes, sizeof bytes, 1);
    fault_pattern(texels, sizeof texels, 2);
    gpool_sampler_desc sampler;
    gpool_buffer buffers[] = { w->witness_plain, w->witness_written };
    for (int i = 0; i < 2; ++i) {
        gpool_buffer_info info;
        FAULT_EXPECT(w, gpool_buffer_get_info(p, buffers[i], &info) == GPOOL_OK &&
                            info.version == 1 && info.size == WITNESS_SIZE);
        gpool_result result = gpool_buffer_read(p, buffers[i], 0, got, sizeof got);
        if (result != GPOOL_OK || memcmp(got, bytes, sizeof bytes) != 0) {
            fault_problem(w, "the %s witness is not as it was: %s", i == 0 ? "plain" : "written",
                          gpool_result_name(result));
        }
    }
    gpool_result result = gpool_texture_read(p, w->witness_texture, NULL, got, sizeof got);
    if (result != GPOOL_OK || memcmp(got, texels, sizeof texels) != 0) {
        fault_problem(w, "the texture witness is not as it was: %s", gpool_result_name(result));
    }
    FAULT_EXPECT(w, gpool_sampler_get_desc(p, w->witness_sampler, &sampler) == GPOOL_OK &&
                        sampler.address_w == WGPUAddressMode_MirrorRepeat);
}

bool fault_open_bare(fault_world *w, const fault_point *point)
{
    sim_desc desc = { .personality = point->personality,
                      .delivery = point->delivery,
                      .errors = point->errors,
                      .null_creates = true,
                      .reuse_handles = true,
                      .quiet = true };
    gpool_gpu real;
    *w = (fault_world){ .point = *point, .s = sim_create(&desc) };
    fault_memory_arm(0, false);
    if (w->s == NULL) {
        return false;
    }
    sim_table(w->s, &real);
    fault_spy_wrap(&real, &w->table);
    fault_register_shaders(w->s);
    return true;
}

gpool_result fault_open_pool(fault_world *w)
{
    gpool_device_desc device = fault_device_desc(w);
    gpool_desc pool = fault_pool_desc(w);
    gpool_result result = gpool_device_open(&device, &w->device);
    return result == GPOOL_OK ? gpool_create(w->device, &pool, &w->pool) : result;
}

static char world_path[] = "/tmp/gpool-fault-XXXXXX";

static void world_remove_shader(void)
{
    (void)unlink(world_path);
}

/* A shader in a file, one for all worlds. */
static const char *world_shader_path(void)
{
    static bool made;
    if (!made) {
        int file = mkstemp(world_path);
        size_t size = strlen(fault_double_wgsl);
        if (file < 0 || write(file, fault_double_wgsl, size) != (ssize_t)size) {
            abort();
        }
        (void)close(file);
        (void)atexit(world_remove_shader);
        made = true;
    }
    return world_path;
}

bool fault_open(fault_world *w, const fault_point *point)
{
    if (!fault_open_bare(w, point) || fault_open_pool(w) != GPOOL_OK) {
        return false;
    }
    (void)snprintf(w->shader_path, sizeof w->shader_path, "%s", world_shader_path());
    world_make_raw(w);
    world_make_witness(w);
    return true;
}

void fault_arm(fault_world *w)
{
    const fault_point *point = &w->point;
    if (point->target == FAULT_ALLOCATION) {
        fault_memory_arm(point->number, point->for_ever);
    } else if (point->target == FAULT_CALL) {
        sim_fail(w->s, SIM_ANY_FUNCTION, point->number, point->way, point->for_ever);
    }
}

void fault_disarm(fault_world *w)
{
    w->hits = fault_hits(w);
    fault_memory_arm(0, false);
    sim_fail(w->s, SIM_ANY_FUNCTION, 0, SIM_FAIL_NULL, false);
    sim_fail_none(w->s);
}

static void world_check_left(fault_world *w)
{
    for (int kind = 1; kind < SIM_KIND_COUNT; ++kind) {
        uint64_t live = sim_live(w->s, (sim_kind)kind);
        uint64_t kept = sim_kept(w->s, (sim_kind)kind);
        if (live + kept > 0) {
            fault_problem(w, "left: %llu of kind %s, %llu kept", (unsigned long long)live,
                          sim_kind_name((sim_kind)kind), (unsigned long long)kept);
        }
    }
    FAULT_EXPECT(w, sim_kept_bytes(w->s) == 0);
    if (sim_fatal_count(w->s) > 0) {
        fault_problem(w, "fatal: %s", sim_fatal_message(w->s, 0));
    }
    FAULT_EXPECT(w, sim_calls_in_callbacks(w->s) == 0);
    FAULT_EXPECT(w, sim_call_count(w->s, GPOOL_GPU_DevicePushErrorScope) ==
                        sim_call_count(w->s, GPOOL_GPU_DevicePopErrorScope));
    const fault_ledger *ledgers[] = { &w->pool_memory, &w->device_memory };
    for (int i = 0; i < 2; ++i) {
        if (ledgers[i]->blocks + ledgers[i]->bytes + ledgers[i]->wrong_sizes > 0) {
            fault_problem(w, "left: %llu blocks, %llu bytes of the %s; %llu wrong sizes",
                          (unsigned long long)ledgers[i]->blocks,
                          (unsigned long long)ledgers[i]->bytes, i == 0 ? "pool" : "device",
                          (unsigned long long)ledgers[i]->wrong_sizes);
        }
    }
}

void fault_close(fault_world *w)
{
    fault_disarm(w);
    if (w->pool != NULL && w->witness_plain.id != 0) {
        FAULT_EXPECT(w, gpool_buffer_destroy(w->pool, w->witness_plain) == GPOOL_OK);
        FAULT_EXPECT(w, gpool_buffer_destroy(w->pool, w->witness_written) == GPOOL_OK);
        FAULT_EXPECT(w, gpool_texture_destroy(w->pool, w->witness_texture) == GPOOL_OK);
        FAULT_EXPECT(w, gpool_sampler_destroy(w->pool, w->witness_sampler) == GPOOL_OK);
    }
    gpool_destroy(w->pool);
    world_release_raw(w);
    gpool_device_release(w->device);
    (void)sim_complete(w->s, SIM_ALL);
    sim_drain(w->s);
    FAULT_EXPECT(w, w->log_counts[GPOOL_LOG_LEAK] == 0);
    world_check_left(w);
    sim_destroy(w->s);
    w->s = NULL;
    fault_spy(NULL, NULL);
}
