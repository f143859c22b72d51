#include "pool/scatter.h"

#include "pool/flush.h"
#include "pool/make.h"
#include "pool/staging.h"
#include "track/dirty_map.h"

#include <string.h>

#define SCATTER_ALIGN  256u
#define SCATTER_THREAD 64u /* invocations of a workgroup, one a granule */
/* Staging memory may be write-combined: index and payload begin with a line, and lines are written whole. */
#define SCATTER_LINE   64u
#define SCATTER_PLACES (SCATTER_LINE / 4)
/* Granules that are asked for ahead, and places that are kept: those and a line's. */
#define SCATTER_AHEAD 32u
#define SCATTER_KEPT  64u
/* Most bytes that one pass takes; more go in further passes. */
#define SCATTER_CHUNK ((uint64_t)8 << 20)

const char gpool__scatter_wgsl[] =
    "struct Head { index: u32, payload: u32, count: u32, unused: u32 }\n"
    "@group(0) @binding(0) var<storage, read_write> into: array<vec4<u32>>;\n"
    "@group(0) @binding(1) var<storage, read> sent: array<vec4<u32>>;\n"
    "@group(0) @binding(2) var<uniform> head: Head;\n"
    "@compute @workgroup_size(64) fn scatter(@builtin(global_invocation_id) id: vec3<u32>) {\n"
    "    if (id.x >= head.count) { return; }\n"
    "    let place = sent[head.index + (id.x >> 2u)][id.x & 3u] * 4u;\n"
    "    let first = head.payload + id.x * 4u;\n"
    "    into[place] = sent[first];\n"
    "    into[place + 1u] = sent[first + 1u];\n"
    "    into[place + 2u] = sent[first + 2u];\n"
    "    into[place + 3u] = sent[first + 3u];\n"
    "}\n";

/* With the groups that name it. Work that is recorded or under way keeps it. */
static void scatter_drop_payload(gpool *pool)
{
    gpool__scatter *scatter = &pool->scatter;
    gpool__scatter_drop_groups(pool);
    if (scatter->payload != NULL) {
        GPOOL__GPU(&pool->seam, BufferRelease)(scatter->payload);
        pool->stats.internal_bytes -= scatter->payload_size;
        scatter->payload = NULL;
        scatter->payload_size = 0;
    }
}

void gpool__scatter_trim(gpool *pool)
{
    if (pool->scatter.payload_size > GPOOL__STAGING_BLOCK &&
        pool->frame - pool->scatter.large_frame > GPOOL__STAGING_IDLE) {
        scatter_drop_payload(pool);
    }
    gpool__scatter_trim_groups(pool);
}

void gpool__scatter_fini(gpool *pool)
{
    gpool__scatter *scatter = &pool->scatter;
    gpool__seam *seam = &pool->seam;
    scatter_drop_payload(pool);
    if (scatter->pipeline != NULL) {
        GPOOL__GPU(seam, ComputePipelineRelease)(scatter->pipeline);
        GPOOL__GPU(seam, BindGroupLayoutRelease)(scatter->layout);
    }
    gpool__free(&pool->memory, scatter->segments,
                scatter->segment_capacity * sizeof *scatter->segments);
    *scatter = (gpool__scatter){ 0 };
}

/* --- the pipeline --- */

static WGPUBindGroupLayout scatter_make_layout(gpool *pool)
{
    const WGPUBindGroupLayoutEntry entries[] = {
        { .binding = 0,
          .visibility = WGPUShaderStage_Compute,
          .buffer = { .type = WGPUBufferBindingType_Storage, .minBindingSize = 16 } },
        { .binding = 1,
          .visibility = WGPUShaderStage_Compute,
          .buffer = { .type = WGPUBufferBindingType_ReadOnlyStorage, .minBindingSize = 16 } },
        { .binding = 2,
          .visibility = WGPUShaderStage_Compute,
          .buffer = { .type = WGPUBufferBindingType_Uniform,
                      .hasDynamicOffset = 1,
                      .minBindingSize = GPOOL__SCATTER_HEAD } },
    };
    WGPUBindGroupLayoutDescriptor desc = { .label = gpool__view("gpool scatter"),
                                           .entryCount = 3,
                                           .entries = entries };
    return GPOOL__GPU(&pool->seam, DeviceCreateBindGroupLayout)(pool->device->device, &desc);
}

static WGPUComputePipeline scatter_make_pipeline(gpool *pool, WGPUBindGroupLayout layout)
{
    gpool__seam *seam = &pool->seam;
    WGPUShaderSourceWGSL source = { .chain = { .sType = WGPUSType_ShaderSourceWGSL },
                                    .code = gpool__view(gpool__scatter_wgsl) };
    WGPUShaderModuleDescriptor module_desc = { .nextInChain = &source.chain,
                                               .label = gpool__view("gpool scatter") };
    WGPUShaderModule module =
        GPOOL__GPU(seam, DeviceCreateShaderModule)(pool->device->device, &module_desc);
    if (module == NULL) {
        return NULL;
    }
    WGPUPipelineLayoutDescriptor layout_desc = { .label = gpool__view("gpool scatter"),
                                                 .bindGroupLayoutCount = 1,
                                                 .bindGroupLayouts = &layout };
    WGPUPipelineLayout pipeline_layout =
        GPOOL__GPU(seam, DeviceCreatePipelineLayout)(pool->device->device, &layout_desc);
    WGPUComputePipeline pipeline = NULL;
    if (pipeline_layout != NULL) {
        WGPUComputePipelineDescriptor desc = {
            .label = gpool__view("gpool scatter"),
            .layout = pipeline_layout,
            .compute = { .module = module, .entryPoint = gpool__view("scatter") }
        };
        pipeline = GPOOL__GPU(seam, DeviceCreateComputePipeline)(pool->device->device, &desc);
        GPOOL__GPU(seam, PipelineLayoutRelease)(pipeline_layout);
    }
    GPOOL__GPU(seam, ShaderModuleRelease)(module);
    return pipeline;
}

void gpool__scatter_prepare(gpool *pool)
{
    gpool__scatter *scatter = &pool->scatter;
    const WGPULimits *limits = &pool->device->info.limits;
    if (scatter->pipeline != NULL || scatter->refused) {
        return;
    }
    gpool_result result = GPOOL_ERROR_UNSUPPORTED;
    WGPUBindGroupLayout layout = NULL;
    WGPUComputePipeline pipeline = NULL;
    if (limits->maxStorageBuffersPerShaderStage >= 2 &&
        limits->maxStorageBufferBindingSize >= GPOOL__STAGING_BLOCK &&
        limits->maxBufferSize >= GPOOL__STAGING_BLOCK &&
        limits->maxComputeInvocationsPerWorkgroup >= SCATTER_THREAD &&
        limits->minStorageBufferOffsetAlignment <= SCATTER_ALIGN &&
        limits->minUniformBufferOffsetAlignment <= SCATTER_ALIGN) {
        gpool__capture_begin(pool->device, &pool->seam);
        layout = scatter_make_layout(pool);
        pipeline = layout != NULL ? scatter_make_pipeline(pool, layout) : NULL;
        result = gpool__capture_end(pool->device, &pool->seam);
        if (result == GPOOL_OK && pipeline == NULL) {
            result = GPOOL_ERROR_OUT_OF_GPU_MEMORY;
        }
    }
    if (result == GPOOL_OK) {
        scatter->layout = layout;
        scatter->pipeline = pipeline;
        return;
    }
    if (pipeline != NULL) {
        GPOOL__GPU(&pool->seam, ComputePipelineRelease)(pipeline);
    }
    if (layout != NULL) {
        GPOOL__GPU(&pool->seam, BindGroupLayoutRelease)(layout);
    }
    /* Memory may be there the next time; what the implementation refuses once it refuses again. */
    scatter->refused = result != GPOOL_ERROR_OUT_OF_GPU_MEMORY;
    gpool__note(&pool->log, GPOOL_LOG_FALLBACK,
                "Pool \"%s\" has no scatter pass (%s): uploads go by copies and queue writes",
                pool->label, gpool_result_text(result));
}

uint64_t gpool__scatter_window(const gpool *pool, const gpool__buffer *buffer)
{
    if (pool->scatter.pipeline == NULL || !buffer->scatters) {
        return 0;
    }
    const WGPULimits *limits = &pool->device->info.limits;
    uint64_t most = gpool__min(limits->maxStorageBufferBindingSize, (uint64_t)1 << 31);
    return gpool__round_down(most, SCATTER_ALIGN);
}

/* --- one pass --- */

/* Most bytes of a payload: of a pass, of a binding, of a buffer. */
static uint64_t scatter_payload_most(const gpool *pool)
{
    const WGPULimits *limits = &pool->device->info.limits;
    uint64_t most = gpool__min(limits->maxStorageBufferBindingSize, limits->maxBufferSize);
    return gpool__round_down(gpool__min(most, SCATTER_CHUNK), SCATTER_ALIGN);
}

/* A buffer to put the payload in, as large as needed up to what scatter_payload_most() allows. */
static gpool_result scatter_reserve_payload(gpool *pool, uint64_t size)
{
    gpool__scatter *scatter = &pool->scatter;
    uint64_t wanted = gpool__max(scatter->payload_size, GPOOL__STAGING_BLOCK);
    while (wanted < size) {
        wanted *= 2;
    }
    wanted = gpool__min(wanted, scatter_payload_most(pool));
    if (size > scatter->payload_size / 4) {
        scatter->large_frame = pool->frame;
    }
    if (wanted == scatter->payload_size) {
        return GPOOL_OK;
    }
    WGPUBufferDescriptor desc = { .label = gpool__view("gpool scatter"),
                                  .usage = WGPUBufferUsage_Storage | WGPUBufferUsage_Uniform |
                                           WGPUBufferUsage_CopyDst,
                                  .size = wanted };
    gpool_result result;
    WGPUBuffer gpu = gpool__make_buffer(pool, &desc, "Scatter payload of pool", &result);
    if (gpu == NULL) {
        return result;
    }
    scatter_drop_payload(pool);
    scatter->payload = gpu;
    scatter->payload_size = wanted;
    scatter->large_frame = pool->frame;
    pool->stats.internal_bytes += wanted;
    return GPOOL_OK;
}

static gpool_result scatter_record_pass(gpool *pool, WGPUCommandEncoder encoder,
                                        const gpool__staged *staged, uint64_t used)
{
    gpool__scatter *scatter = &pool->scatter;
    gpool__seam *seam = &pool->seam;
    for (uint32_t i = 0; i < scatter->segment_count; ++i) {
        if (scatter->segments[i].count == 0) {
            continue; /* a tail alone; its window may be too small to be bound */
        }
        /* Made before the pass: the cache may have to let go of one, but not of this pass's. */
        gpool_result result;
        gpool__scatter_segment *segment = &scatter->segments[i];
        segment->group = gpool__scatter_group_get(pool, segment->target, segment->window,
                                                  segment->window_size, &result);
        if (result != GPOOL_OK) {
            return result;
        }
        GPOOL__GPU(seam, BindGroupAddRef)(scatter->segments[i].group);
        scatter->segments[i].held = true;
    }
    GPOOL__GPU(seam, CommandEncoderCopyBufferToBuffer)
    (encoder, staged->gpu, staged->offset, scatter->payload, 0, used);
    WGPUComputePassDescriptor desc = { .label = gpool__view("gpool scatter") };
    WGPUComputePassEncoder pass = GPOOL__GPU(seam, CommandEncoderBeginComputePass)(encoder, &desc);
    if (pass == NULL) {
        return GPOOL__FAIL(pool, GPU_ERROR, GPU, "No pass for the scatter of pool \"%s\"",
                           pool->label);
    }
    GPOOL__GPU(seam, ComputePassEncoderSetPipeline)(pass, scatter->pipeline);
    for (uint32_t i = 0; i < scatter->segment_count; ++i) {
        const gpool__scatter_segment *segment = &scatter->segments[i];
        uint32_t offset = (uint32_t)segment->place;
        if (segment->count == 0) {
            continue;
        }
        GPOOL__GPU(seam, ComputePassEncoderSetBindGroup)(pass, 0, segment->group, 1, &offset);
        uint32_t groups = (segment->count + SCATTER_THREAD - 1) / SCATTER_THREAD;
        GPOOL__GPU(seam, ComputePassEncoderDispatchWorkgroups)(pass, groups, 1, 1);
    }
    GPOOL__GPU(seam, ComputePassEncoderEnd)(pass);
    GPOOL__GPU(seam, ComputePassEncoderRelease)(pass);
    for (uint32_t i = 0; i < scatter->segment_count; ++i) {
        const gpool__scatter_segment *segment = &scatter->segments[i];
        if (segment->tail_size > 0) {
            GPOOL__GPU(seam, CommandEncoderCopyBufferToBuffer)
            (encoder, staged->gpu, staged->offset + segment->tail, segment->target,
             segment->tail_offset, segment->tail_size);
        }
    }
    return GPOOL_OK;
}

/* Ends a pass that was recorded or failed. */
static void scatter_drop_segments(gpool *pool)
{
    for (uint32_t i = 0; i < pool->scatter.segment_count; ++i) {
        if (pool->scatter.segments[i].held) {
            GPOOL__GPU(&pool->seam, BindGroupRelease)(pool->scatter.segments[i].group);
        }
    }
    pool->scatter.segment_count = 0;
}

/* --- filling --- */

/* Where the filling stands. */
typedef struct scatter_cursor {
    uint32_t item;
    uint64_t at;   /* byte of its buffer */
    uint64_t done; /* granules of it */
} scatter_cursor;

/* Bits of a word of granules that lie at or after granule `from` and before `to`. */
static uint64_t scatter_clip(uint64_t word, uint64_t bits, uint64_t from, uint64_t to)
{
    if (word == from / 64) {
        bits &= UINT64_MAX << from % 64;
    }
    if (word == to / 64) {
        bits &= (UINT64_C(1) << to % 64) - 1;
    }
    return word > to / 64 ? 0 : bits;
}

/* Bytes of a piece for so many granules. */
static uint64_t scatter_piece(uint64_t count)
{
    uint64_t bytes =
        SCATTER_LINE + gpool__round_up(count * 4, SCATTER_LINE) + count * GPOOL__GRANULE;
    return gpool__round_up(bytes, SCATTER_ALIGN);
}

/* Most granules of a piece that fits into `space` bytes. */
static uint64_t scatter_most(uint64_t space, uint64_t groups)
{
    uint64_t most =
        space < 512 ? 0 : (space - 2 * SCATTER_LINE - SCATTER_ALIGN) / (GPOOL__GRANULE + 4);
    return gpool__min(most, groups * SCATTER_THREAD);
}

/* A piece that is filled. Granules wait for their memory, which is asked for, as in buffer_write.c. */
typedef struct scatter_filling {
    const gpool__buffer *buffer;
    uint8_t *index;
    uint8_t *payload;
    uint64_t window; /* granule that it begins with */
    uint64_t asked;  /* granules that were found */
    uint64_t filled; /* granules that are copied */
    uint32_t places[SCATTER_KEPT];
} scatter_filling;

/* Copies the last places to the index. */
static void scatter_copy_places(const scatter_filling *filling, uint64_t count)
{
    uint64_t first = filling->filled - count;
    memcpy(filling->index + first * 4, &filling->places[first % SCATTER_KEPT], (size_t)count * 4);
}

/* Copies the granule that waits longest. */
static void scatter_copy(scatter_filling *filling)
{
    uint32_t place = filling->places[filling->filled % SCATTER_KEPT];
    uint64_t offset = (filling->window + place) * GPOOL__GRANULE;
    uint64_t size = gpool__buffer_gpu_size(filling->buffer);
    uint8_t *target = filling->payload + filling->filled * GPOOL__GRANULE;
    if (size - offset >= GPOOL__GRANULE) {
        memcpy(target, filling->buffer->shadow + offset, GPOOL__GRANULE);
    } else {
        memcpy(target, filling->buffer->shadow + offset, (size_t)(size - offset));
    }
    filling->filled += 1;
    if (filling->filled % SCATTER_PLACES == 0) {
        scatter_copy_places(filling, SCATTER_PLACES);
    }
}

static void scatter_ask(scatter_filling *filling, uint64_t granule)
{
    gpool__prefetch(filling->buffer->shadow + granule * GPOOL__GRANULE);
    filling->places[filling->asked++ % SCATTER_KEPT] = (uint32_t)(granule - filling->window);
    if (filling->asked - filling->filled == SCATTER_AHEAD) {
        scatter_copy(filling);
    }
}

/*
 * Fills one piece with the dirty granules of a window at or after `at`, at most `most`. Returns the byte
 * at which the search goes on. The index has room for `most`, so that one look at the map is enough.
 */
static uint64_t scatter_fill_piece(const gpool__buffer *buffer, gpool__scatter_segment *segment,
                                   uint8_t *bytes, uint64_t at, uint64_t limit, uint64_t most)
{
    uint8_t *piece = bytes + segment->place;
    uint64_t payload_start = SCATTER_LINE + gpool__round_up(most * 4, SCATTER_LINE);
    uint64_t size = gpool__buffer_gpu_size(buffer);
    uint64_t from = at / GPOOL__GRANULE;
    uint64_t to = (limit + GPOOL__GRANULE - 1) / GPOOL__GRANULE;
    uint64_t next = limit;
    uint64_t bits;
    scatter_filling filling = { .buffer = buffer,
                                .index = piece + SCATTER_LINE,
                                .payload = piece + payload_start,
                                .window = segment->window / GPOOL__GRANULE };
    for (uint64_t word = from / 64;
         next == limit && word * 64 < to && gpool__dirty_map_next_word(buffer->dirty, &word, &bits);
         ++word) {
        for (bits = scatter_clip(word, bits, from, to); bits != 0; bits &= bits - 1) {
            uint64_t granule = word * 64 + gpool__lowest_bit(bits);
            if (filling.asked == most) {
                next = granule * GPOOL__GRANULE;
                break;
            }
            scatter_ask(&filling, granule);
            uint64_t left = size - granule * GPOOL__GRANULE;
            segment->tail_size = left < GPOOL__GRANULE ? left : 0;
        }
    }
    while (filling.filled < filling.asked) {
        scatter_copy(&filling);
    }
    scatter_copy_places(&filling, filling.filled % SCATTER_PLACES);
    segment->count = (uint32_t)filling.filled;
    segment->size = payload_start + filling.filled * GPOOL__GRANULE;
    if (segment->tail_size > 0) {
        /* The last granule is not whole: the pass would write beyond the end. It goes by a copy. */
        segment->tail = segment->place + payload_start + (filling.filled - 1) * GPOOL__GRANULE;
        segment->tail_offset = size - segment->tail_size;
        segment->count -= 1;
    }
    uint32_t head[4] = { (uint32_t)(segment->place + SCATTER_LINE) / 16,
                         (uint32_t)(segment->place + payload_start) / 16, segment->count, 0 };
    memcpy(piece, head, sizeof head);
    return next;
}

/* Adds pieces until the chunk is full or all is in; returns the bytes used. */
static gpool_result scatter_fill(gpool *pool, gpool__upload_item *items, uint32_t count,
                                 scatter_cursor *cursor, uint8_t *bytes, uint64_t space,
                                 uint64_t *used)
{
    gpool__scatter *scatter = &pool->scatter;
    uint64_t groups = pool->device->info.limits.maxComputeWorkgroupsPerDimension;
    *used = 0;
    while (cursor->item < count) {
        gpool__upload_item *item = &items[cursor->item];
        const gpool__buffer *buffer = item->buffer;
        uint64_t size = gpool__buffer_gpu_size(buffer);
        if (item->plan.way != GPOOL_UPLOAD_SCATTER || cursor->at >= size) {
            *cursor = (scatter_cursor){ .item = cursor->item + 1 };
            continue;
        }
        uint64_t window_size = gpool__scatter_window(pool, buffer);
        uint64_t window = cursor->at / window_size * window_size;
        uint64_t limit = gpool__min(window + window_size, size);
        /* What is left of the item bounds the index, whatever of it lies in this window. */
        uint64_t most =
            gpool__min(scatter_most(space - *used, groups), item->plan.granules - cursor->done);
        if (most == 0) {
            return GPOOL_OK; /* full */
        }
        void *segments = scatter->segments;
        bool room = gpool__reserve(&pool->memory, &segments, &scatter->segment_capacity,
                                   scatter->segment_count + 1, sizeof *scatter->segments);
        scatter->segments = segments;
        if (!room) {
            return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for a scatter");
        }
        gpool__scatter_segment *segment = &scatter->segments[scatter->segment_count];
        *segment = (gpool__scatter_segment){ .target = buffer->gpu,
                                             .window = window,
                                             .window_size = gpool__min(window_size, size - window),
                                             .place = *used };
        cursor->at = scatter_fill_piece(buffer, segment, bytes, cursor->at, limit, most);
        uint64_t filled = segment->count + (segment->tail_size > 0 ? 1u : 0u);
        if (filled > 0) {
            uint64_t piece = gpool__round_up(segment->size, SCATTER_ALIGN);
            scatter->segment_count += 1;
            *used += piece;
            item->calls += (segment->count > 0 ? 1u : 0u) + (segment->tail_size > 0 ? 1u : 0u);
            item->sent += piece;
            cursor->done += filled;
        }
        if (cursor->done == item->plan.granules) {
            cursor->at = size; /* no need to look at the rest */
        }
    }
    return GPOOL_OK;
}

gpool_result gpool__scatter_record(gpool *pool, WGPUCommandEncoder encoder,
                                   gpool__upload_item *items, uint32_t count)
{
    scatter_cursor cursor = { 0 };
    uint64_t total = 0;
    for (uint32_t i = 0; i < count; ++i) {
        if (items[i].plan.way == GPOOL_UPLOAD_SCATTER) {
            uint64_t size = gpool__buffer_gpu_size(items[i].buffer);
            uint64_t windows = size / gpool__scatter_window(pool, items[i].buffer) + 1;
            total += scatter_piece(items[i].plan.granules) + windows * 768;
        }
    }
    uint64_t space = gpool__min(gpool__round_up(total, SCATTER_ALIGN), scatter_payload_most(pool));
    while (cursor.item < count) {
        gpool__staged staged;
        uint64_t used = 0;
        gpool_result result = scatter_reserve_payload(pool, space);
        if (result == GPOOL_OK) {
            result = gpool__staging_take(pool, GPOOL__STAGE_BATCH, space, &staged);
        }
        if (result == GPOOL_OK) {
            result = scatter_fill(pool, items, count, &cursor, staged.bytes, space, &used);
        }
        if (result == GPOOL_OK && used > 0) {
            result = scatter_record_pass(pool, encoder, &staged, used);
            for (uint32_t i = 0; i < count; ++i) {
                items[i].recorded |= items[i].plan.way == GPOOL_UPLOAD_SCATTER;
            }
        }
        scatter_drop_segments(pool);
        if (result != GPOOL_OK) {
            return result;
        }
    }
    return GPOOL_OK;
}
