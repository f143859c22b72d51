/*
 * Stream memory for gpool_set_uniforms(): blocks filled on the CPU, each sent by one queue write
 * before the submit. Queue writes run in order with submits, so the next recording may fill the
 * same blocks again at once.
 */
#include "record/recording.h"

#include <string.h>

#define STREAM_BLOCK ((uint64_t)256 << 10)

static gpool_result stream_add_block(gpool *pool, gpool__stream *stream)
{
    void *blocks = stream->blocks;
    uint8_t *cpu = NULL;
    if (gpool__reserve(&pool->memory, &blocks, &stream->block_capacity, stream->block_count + 1,
                       sizeof *stream->blocks)) {
        stream->blocks = blocks;
        cpu = gpool__alloc(&pool->memory, STREAM_BLOCK);
    }
    if (cpu == NULL) {
        return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for uniforms");
    }
    WGPUBufferDescriptor desc = {
        .label = gpool__view("gpool uniforms"),
        .usage = WGPUBufferUsage_Uniform | WGPUBufferUsage_CopyDst,
        .size = STREAM_BLOCK,
    };
    gpool__capture_begin(pool->device, &pool->seam);
    WGPUBuffer gpu = GPOOL__GPU(&pool->seam, DeviceCreateBuffer)(pool->device->device, &desc);
    gpool_result result = gpool__capture_end(pool->device, &pool->seam);
    if (result == GPOOL_OK && gpu == NULL) {
        result = GPOOL_ERROR_OUT_OF_GPU_MEMORY;
    }
    if (result != GPOOL_OK) {
        if (gpu != NULL) {
            GPOOL__GPU(&pool->seam, BufferRelease)(gpu);
        }
        gpool__free(&pool->memory, cpu, STREAM_BLOCK);
        return gpool__fail_gpu(pool, result, "Uniform block of pool", pool->label);
    }
    stream->blocks[stream->block_count++] = (gpool__stream_block){ .gpu = gpu, .cpu = cpu };
    pool->stats.internal_bytes += STREAM_BLOCK;
    return GPOOL_OK;
}

/* The block's bind group for a size; a handful of sizes is all that programs use. */
static gpool_result stream_group(gpool *pool, gpool__stream_block *block, uint64_t size,
                                 WGPUBindGroup *group, uint64_t *unique)
{
    for (uint32_t i = 0; i < block->group_count; ++i) {
        if (block->groups[i].size == size) {
            *group = block->groups[i].gpu;
            *unique = block->groups[i].unique;
            return GPOOL_OK;
        }
    }
    gpool__layout *layout = (gpool__layout *)gpool__table_get(&pool->tables[GPOOL_KIND_LAYOUT],
                                                              pool->uniform_layout.id);
    WGPUBindGroupEntry entry = { .binding = 0, .buffer = block->gpu, .size = size };
    WGPUBindGroupDescriptor desc = {
        .label = gpool__view("gpool uniforms"),
        .layout = layout->group->gpu,
        .entryCount = 1,
        .entries = &entry,
    };
    gpool__capture_begin(pool->device, &pool->seam);
    WGPUBindGroup gpu = GPOOL__GPU(&pool->seam, DeviceCreateBindGroup)(pool->device->device, &desc);
    gpool_result result = gpool__capture_end(pool->device, &pool->seam);
    if (result == GPOOL_OK && gpu == NULL) {
        result = GPOOL_ERROR_GPU;
    }
    if (result != GPOOL_OK) {
        if (gpu != NULL) {
            GPOOL__GPU(&pool->seam, BindGroupRelease)(gpu);
        }
        return gpool__fail_gpu(pool, result, "Uniform group of pool", pool->label);
    }
    uint32_t place = block->group_count;
    if (place < GPOOL__STREAM_GROUPS) {
        block->group_count += 1;
    } else {
        place = block->group_next;
        block->group_next = (place + 1) % GPOOL__STREAM_GROUPS;
        GPOOL__GPU(&pool->seam, BindGroupRelease)(block->groups[place].gpu);
    }
    block->groups[place].size = size;
    block->groups[place].gpu = gpu;
    block->groups[place].unique = gpool__bind_unique(&pool->record->binds);
    *group = gpu;
    *unique = block->groups[place].unique;
    return GPOOL_OK;
}

gpool_result gpool__stream_push(gpool *pool, gpool__stream *stream, const void *data, uint64_t size,
                                WGPUBindGroup *group, uint64_t *unique, uint32_t *offset)
{
    /* Sizes of uniform structs are multiples of 16: a shader whose struct is larger than the data
     * is told so by the implementation. */
    uint64_t bound = gpool__round_up(size, 16);
    uint64_t alignment = pool->device->info.limits.minUniformBufferOffsetAlignment;
    uint64_t start = 0;
    while (stream->current < stream->block_count) {
        start = gpool__round_up(stream->blocks[stream->current].used, alignment);
        if (gpool__range_inside(start, bound, STREAM_BLOCK)) {
            break;
        }
        stream->current += 1;
    }
    if (stream->current == stream->block_count) {
        gpool_result result = stream_add_block(pool, stream);
        if (result != GPOOL_OK) {
            return result;
        }
        start = 0;
    }
    gpool__stream_block *block = &stream->blocks[stream->current];
    gpool_result result = stream_group(pool, block, bound, group, unique);
    if (result != GPOOL_OK) {
        return result;
    }
    memcpy(block->cpu + start, data, (size_t)size);
    memset(block->cpu + start + size, 0, (size_t)(bound - size));
    block->used = start + bound;
    *offset = (uint32_t)start;
    return GPOOL_OK;
}

gpool_result gpool__stream_flush(gpool *pool, gpool__stream *stream)
{
    if (stream->block_count == 0 || stream->blocks[0].used == 0) {
        return GPOOL_OK;
    }
    gpool__capture_begin(pool->device, &pool->seam);
    for (uint32_t i = 0; i < stream->block_count && stream->blocks[i].used > 0; ++i) {
        gpool__stream_block *block = &stream->blocks[i];
        GPOOL__GPU(&pool->seam, QueueWriteBuffer)
        (pool->device->queue, block->gpu, 0, block->cpu, (size_t)block->used);
        pool->stats.uniform_bytes += block->used;
    }
    pool->queue_dirty = true;
    gpool_result result = gpool__capture_end(pool->device, &pool->seam);
    return result == GPOOL_OK
               ? result
               : gpool__fail_gpu(pool, result, "Upload of uniforms of pool", pool->label);
}

void gpool__stream_reset(gpool__stream *stream)
{
    for (uint32_t i = 0; i < stream->block_count && stream->blocks[i].used > 0; ++i) {
        stream->blocks[i].used = 0;
    }
    stream->current = 0;
}

void gpool__stream_fini(gpool *pool, gpool__stream *stream)
{
    for (uint32_t i = 0; i < stream->block_count; ++i) {
        gpool__stream_block *block = &stream->blocks[i];
        for (uint32_t j = 0; j < block->group_count; ++j) {
            GPOOL__GPU(&pool->seam, BindGroupRelease)(block->groups[j].gpu);
        }
        GPOOL__GPU(&pool->seam, BufferRelease)(block->gpu);
        gpool__free(&pool->memory, block->cpu, STREAM_BLOCK);
        pool->stats.internal_bytes -= STREAM_BLOCK;
    }
    gpool__free(&pool->memory, stream->blocks, stream->block_capacity * sizeof *stream->blocks);
    *stream = (gpool__stream){ 0 };
}
