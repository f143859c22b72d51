/*
 * Stream memory, for gpool_set_uniforms() and gpool_stream_alloc(): blocks filled on the CPU, each sent
 * by one queue write before the submit. Queue writes run in order with submits, so the next recording
 * may fill the same blocks again at once.
 *
 * A handle of stream memory is made, not kept: block and epoch of the recording are in it. So an old one
 * is told from a new one of the same block without any table, and all other functions, which know no
 * such kind, refuse it.
 */
#include <gpool/stream.h>

#include "record/recording.h"

#include "pool/make.h"

#include <string.h>

#define STREAM_BLOCK     ((uint64_t)256 << 10)
#define STREAM_ALIGNMENT 65536u     /* greatest */
#define STREAM_LARGE     (1u << 23) /* of a handle's slot: the block is a large one */

#define STREAM_USAGE                                                                               \
    (GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_INDEX | GPOOL_BUFFER_UNIFORM | GPOOL_BUFFER_STORAGE |      \
     GPOOL_BUFFER_INDIRECT | GPOOL_BUFFER_COPY_SOURCE)

static char stream_label[] = "stream memory";

static void stream_free(gpool *pool, gpool__stream *stream, gpool__stream_block *block)
{
    if (block->buffer.gpu != NULL) {
        gpool__bind_drop_uses(pool, &block->buffer.base);
        for (uint32_t i = 0; i < block->group_count; ++i) {
            GPOOL__GPU(&pool->seam, BindGroupRelease)(block->groups[i].gpu);
        }
        GPOOL__GPU(&pool->seam, BufferRelease)(block->buffer.gpu);
        stream->bytes -= block->buffer.size;
        pool->stats.internal_bytes -= block->buffer.size;
    }
    gpool__free(&pool->memory, block->cpu, (size_t)block->buffer.size);
    gpool__free(&pool->memory, block, sizeof *block);
}

/* Fills a new block's GPU side. */
static gpool_result stream_make_gpu(gpool *pool, gpool__stream *stream, gpool__stream_block *block)
{
    WGPUBufferDescriptor desc = {
        .label = gpool__view("gpool stream memory"),
        .usage = WGPUBufferUsage_Vertex | WGPUBufferUsage_Index | WGPUBufferUsage_Uniform |
                 WGPUBufferUsage_Storage | WGPUBufferUsage_Indirect | WGPUBufferUsage_CopySrc |
                 WGPUBufferUsage_CopyDst,
        .size = block->buffer.size,
    };
    gpool_result result;
    WGPUBuffer gpu = gpool__make_buffer(pool, &desc, "Stream memory of pool", &result);
    if (gpu == NULL) {
        return result;
    }
    block->buffer.gpu = gpu;
    block->buffer.version = (uint32_t)++stream->made;
    stream->bytes += block->buffer.size;
    pool->stats.internal_bytes += block->buffer.size;
    return GPOOL_OK;
}

/* Makes room for so many bytes more; large blocks that no slice of this recording is in go for it. */
static gpool_result stream_check_total(gpool *pool, gpool__stream *stream, uint64_t size)
{
    for (uint32_t i = 0; i < stream->large.count && stream->bytes + size > GPOOL_MAX_STREAM_BYTES;
         ++i) {
        gpool__stream_block *block = stream->large.blocks[i];
        if (block != NULL && block->used == 0) {
            stream->large.blocks[i] = NULL;
            stream_free(pool, stream, block);
        }
    }
    if (stream->bytes + size > GPOOL_MAX_STREAM_BYTES) {
        return GPOOL__FAIL(
            pool, BUDGET, BUDGET,
            "The pool \"%s\" has [%llu] bytes of stream memory, [%llu] more are over "
            "[%llu]",
            pool->label, (unsigned long long)stream->bytes, (unsigned long long)size,
            (unsigned long long)GPOOL_MAX_STREAM_BYTES);
    }
    return GPOOL_OK;
}

/* Makes a block for a place of a list, which may be the one after the last. */
static gpool_result stream_add(gpool *pool, gpool__stream *stream, gpool__stream_list *list,
                               uint32_t place, uint64_t size)
{
    gpool_result result = stream_check_total(pool, stream, size);
    if (result != GPOOL_OK) {
        return result;
    }
    void *blocks = list->blocks;
    gpool__stream_block *block = NULL;
    if (gpool__reserve(&pool->memory, &blocks, &list->capacity, place + 1, sizeof *list->blocks)) {
        list->blocks = blocks;
        block = gpool__alloc(&pool->memory, sizeof *block);
    }
    if (block != NULL) {
        block->buffer = (gpool__buffer){
            .base.label = stream_label, .size = size, .usage = STREAM_USAGE, .gpu_written = true
        };
        block->cpu = gpool__alloc(&pool->memory, (size_t)size);
    }
    if (block == NULL || block->cpu == NULL) {
        result = GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for a stream block of [%llu]",
                             (unsigned long long)size);
    } else {
        result = stream_make_gpu(pool, stream, block);
    }
    if (result != GPOOL_OK) {
        if (block != NULL) {
            stream_free(pool, stream, block);
        }
        return result;
    }
    block->frame = pool->frame;
    list->blocks[place] = block;
    list->count = list->count > place ? list->count : place + 1;
    list->most = list->most > list->count ? list->most : list->count;
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
    WGPUBindGroupEntry entry = { .binding = 0, .buffer = block->buffer.gpu, .size = size };
    WGPUBindGroupDescriptor desc = {
        .label = gpool__view("gpool uniforms"),
        .layout = layout->group->gpu,
        .entryCount = 1,
        .entries = &entry,
    };
    gpool_result result;
    WGPUBindGroup gpu =
        gpool__make_bind_group(pool, &desc, "Uniform group of pool", pool->label, &result);
    if (gpu == NULL) {
        return result;
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

/* Finds room in the common blocks, from `stream->current` on. */
static gpool_result stream_find(gpool *pool, gpool__stream *stream, uint64_t size,
                                uint64_t alignment, uint64_t *start)
{
    gpool__stream_list *list = &stream->common;
    for (; stream->current < list->count; ++stream->current) {
        *start = gpool__round_up(list->blocks[stream->current]->used, alignment);
        if (gpool__range_inside(*start, size, STREAM_BLOCK)) {
            return GPOOL_OK;
        }
    }
    *start = 0;
    return stream_add(pool, stream, list, list->count, STREAM_BLOCK);
}

gpool_result gpool__stream_push(gpool *pool, gpool__stream *stream, const void *data, uint64_t size,
                                WGPUBindGroup *group, uint64_t *unique, uint32_t *offset)
{
    /* Sizes of uniform structs are multiples of 16: a shader whose struct is larger than the data
     * is told so by the implementation. */
    uint64_t bound = gpool__round_up(size, 16);
    uint64_t start = 0;
    gpool_result result = stream_find(
        pool, stream, bound, pool->device->info.limits.minUniformBufferOffsetAlignment, &start);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__stream_block *block = stream->common.blocks[stream->current];
    result = stream_group(pool, block, bound, group, unique);
    if (result != GPOOL_OK) {
        return result;
    }
    memcpy(block->cpu + start, data, (size_t)size);
    memset(block->cpu + start + size, 0, (size_t)(bound - size));
    block->used = start + bound;
    *offset = (uint32_t)start;
    return GPOOL_OK;
}

/* The smallest free large block that holds so many bytes, and no larger than they deserve, so that
 * blocks of a spike fall idle; else a place for a new one. */
static gpool_result stream_find_large(gpool *pool, gpool__stream *stream, uint64_t size,
                                      uint32_t *place)
{
    gpool__stream_list *list = &stream->large;
    const gpool__stream_block *best = NULL;
    *place = list->count;
    for (uint32_t i = 0; i < list->count; ++i) {
        const gpool__stream_block *block = list->blocks[i];
        if (block == NULL) {
            *place = best == NULL ? i : *place;
        } else if (block->used == 0 && block->buffer.size >= size &&
                   block->buffer.size <= 4 * size &&
                   (best == NULL || block->buffer.size < best->buffer.size)) {
            best = block;
            *place = i;
        }
    }
    if (best != NULL) {
        return GPOOL_OK;
    }
    uint64_t whole = gpool__min(gpool__round_up(size, STREAM_BLOCK),
                                gpool__round_down(pool->device->info.limits.maxBufferSize, 4));
    return stream_add(pool, stream, list, *place, whole);
}

static gpool_result stream_check_alloc(gpool *pool, uint64_t size, uint64_t alignment,
                                       const gpool_stream_slice *slice)
{
    if (gpool__device_is_lost(pool->device)) {
        return GPOOL__FAIL(pool, DEVICE_LOST, DEVICE_LOST, "The device \"%s\" is lost",
                           pool->device->info.label);
    }
    if (slice == NULL) {
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT, "The slice [NULL] is null");
    }
    if (!pool->in_frame) {
        return GPOOL__FAIL(pool, PHASE, WRONG_PHASE, "No frame is open in pool \"%s\"",
                           pool->label);
    }
    uint64_t limit = gpool__min(GPOOL_MAX_STREAM_SLICE,
                                gpool__round_down(pool->device->info.limits.maxBufferSize, 4));
    if (size == 0 || size > limit) {
        return GPOOL__FAIL(pool, RANGE, OUT_OF_RANGE,
                           "A slice of [%llu] bytes of stream memory: 1 to [%llu] are possible",
                           (unsigned long long)size, (unsigned long long)limit);
    }
    if ((alignment & (alignment - 1)) != 0 || alignment > STREAM_ALIGNMENT) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "The alignment [%llu] is no power of two up to [%u]",
                           (unsigned long long)alignment, STREAM_ALIGNMENT);
    }
    return GPOOL_OK;
}

static gpool_result stream_alloc(gpool *pool, uint64_t size, uint64_t alignment,
                                 gpool_stream_slice *slice)
{
    gpool_result result = stream_check_alloc(pool, size, alignment, slice);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__stream *stream = &pool->record->stream;
    const WGPULimits *limits = &pool->device->info.limits;
    if (alignment == 0) {
        alignment = gpool__max(limits->minUniformBufferOffsetAlignment,
                               limits->minStorageBufferOffsetAlignment);
    }
    uint64_t padded = gpool__round_up(size, 4);
    uint64_t start = 0;
    uint32_t place = 0;
    gpool__stream_block *block = NULL;
    if (padded > STREAM_BLOCK) {
        result = stream_find_large(pool, stream, padded, &place);
        block = result == GPOOL_OK ? stream->large.blocks[place] : NULL;
        place |= STREAM_LARGE;
    } else {
        result = stream_find(pool, stream, padded, alignment, &start);
        block = result == GPOOL_OK ? stream->common.blocks[stream->current] : NULL;
        place = stream->current;
    }
    if (block == NULL) {
        return result;
    }
    block->used = gpool__round_up(start + size, 4);
    *slice = (gpool_stream_slice){
        .data = block->cpu + start,
        .offset = start,
        .size = size,
        .epoch = pool->record_epoch,
        .block = place | GPOOL__KIND_STREAM << 24 | pool->tag << 28,
    };
    return GPOOL_OK;
}

gpool_result gpool_stream_alloc(gpool *pool, uint64_t size, uint64_t alignment,
                                gpool_stream_slice *slice)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_stream_alloc", &call);
    if (slice != NULL) {
        *slice = (gpool_stream_slice){ 0 };
    }
    if (result == GPOOL_OK) {
        result = stream_alloc(pool, size, alignment, slice);
        gpool__leave(pool, &call);
    }
    return result;
}

/* Finds the block of a handle or a slice; NULL with the error recorded. */
static gpool__stream_block *stream_resolve(gpool *pool, uint64_t id, uint64_t epoch,
                                           gpool_result *result)
{
    if (gpool_handle_tag(id) != pool->tag) {
        *result =
            GPOOL__FAIL(pool, HANDLE_FOREIGN, FOREIGN_HANDLE,
                        "The stream memory [0x%016llx] belongs to pool [%u], this is pool [%u]",
                        (unsigned long long)id, gpool_handle_tag(id), pool->tag);
        return NULL;
    }
    const gpool__stream *stream = &pool->record->stream;
    const uint32_t slot = gpool_handle_slot(id);
    const uint32_t place = slot & (STREAM_LARGE - 1);
    const gpool__stream_list *list = (slot & STREAM_LARGE) != 0 ? &stream->large : &stream->common;
    if (epoch < pool->record_epoch && epoch != 0 && place < list->most) {
        *result = GPOOL__FAIL(pool, STREAM, STALE_STREAM,
                              "The stream memory [0x%016llx] is of recording [%llu], which was "
                              "submitted or dropped; the open one is [%llu]",
                              (unsigned long long)id, (unsigned long long)epoch,
                              (unsigned long long)pool->record_epoch);
        return NULL;
    }
    gpool__stream_block *block =
        epoch == pool->record_epoch && place < list->count ? list->blocks[place] : NULL;
    *result = block != NULL && block->used > 0
                  ? GPOOL_OK
                  : GPOOL__FAIL(pool, HANDLE_INVALID, INVALID_HANDLE,
                                "The stream memory [0x%016llx] of recording [%llu] was never given "
                                "out",
                                (unsigned long long)id, (unsigned long long)epoch);
    return *result == GPOOL_OK ? block : NULL;
}

gpool__buffer *gpool__stream_resolve(gpool *pool, uint64_t id, gpool_result *result)
{
    /* The recording's number without its upper half: that of the newest one that it can be. */
    uint32_t age = (uint32_t)pool->record_epoch - gpool_handle_generation(id);
    uint64_t epoch = age < pool->record_epoch ? pool->record_epoch - age : 0;
    gpool__stream_block *block = stream_resolve(pool, id, epoch, result);
    return block != NULL ? &block->buffer : NULL;
}

static gpool_buffer stream_buffer(gpool *pool, gpool_stream_slice slice)
{
    gpool_result result;
    uint64_t id = slice.block | slice.epoch << 32;
    if (slice.epoch == 0) {
        (void)GPOOL__FAIL(pool, HANDLE_NULL, NULL_HANDLE, "The slice of stream memory [0] is null");
        return (gpool_buffer){ 0 };
    }
    if ((uint32_t)gpool_handle_kind(id) != GPOOL__KIND_STREAM) {
        (void)GPOOL__FAIL(pool, HANDLE_INVALID, INVALID_HANDLE,
                          "The block [0x%x] is not of a slice of stream memory", slice.block);
        return (gpool_buffer){ 0 };
    }
    return (gpool_buffer){ stream_resolve(pool, id, slice.epoch, &result) != NULL ? id : 0 };
}

gpool_buffer gpool_stream_buffer(gpool *pool, gpool_stream_slice slice)
{
    gpool_buffer buffer = { 0 };
    gpool__call call;
    if (gpool__enter(pool, "gpool_stream_buffer", &call) == GPOOL_OK) {
        buffer = stream_buffer(pool, slice);
        gpool__leave(pool, &call);
    }
    return buffer;
}

static void stream_send(gpool *pool, const gpool__stream_block *block)
{
    GPOOL__GPU(&pool->seam, QueueWriteBuffer)
    (pool->device->queue, block->buffer.gpu, 0, block->cpu, (size_t)block->used);
    pool->stats.uniform_bytes += block->used;
    pool->queue_dirty = true;
}

static bool stream_is_used(const gpool__stream *stream)
{
    bool used = stream->common.count > 0 && stream->common.blocks[0]->used > 0;
    for (uint32_t i = 0; !used && i < stream->large.count; ++i) {
        used = stream->large.blocks[i] != NULL && stream->large.blocks[i]->used > 0;
    }
    return used;
}

gpool_result gpool__stream_flush(gpool *pool, gpool__stream *stream)
{
    if (!pool->recording || !stream_is_used(stream)) {
        return GPOOL_OK;
    }
    const gpool__stream_list *common = &stream->common;
    gpool__capture_begin(pool->device, &pool->seam);
    for (uint32_t i = 0; i < common->count && common->blocks[i]->used > 0; ++i) {
        stream_send(pool, common->blocks[i]);
    }
    for (uint32_t i = 0; i < stream->large.count; ++i) {
        if (stream->large.blocks[i] != NULL && stream->large.blocks[i]->used > 0) {
            stream_send(pool, stream->large.blocks[i]);
        }
    }
    gpool_result result = gpool__capture_end(pool->device, &pool->seam);
    return result == GPOOL_OK
               ? result
               : gpool__fail_gpu(pool, result, "Upload of stream memory of pool", pool->label);
}

static void stream_end(const gpool *pool, gpool__stream_block *block)
{
    block->used = 0;
    block->frame = pool->frame;
}

void gpool__stream_reset(gpool *pool, gpool__stream *stream)
{
    const gpool__stream_list *common = &stream->common;
    for (uint32_t i = 0; i < common->count && common->blocks[i]->used > 0; ++i) {
        stream_end(pool, common->blocks[i]);
    }
    for (uint32_t i = 0; i < stream->large.count; ++i) {
        if (stream->large.blocks[i] != NULL && stream->large.blocks[i]->used > 0) {
            stream_end(pool, stream->large.blocks[i]);
        }
    }
    stream->current = 0;
}

void gpool__stream_trim(gpool *pool, gpool__stream *stream)
{
    gpool__stream_list *common = &stream->common;
    while (common->count > 0 &&
           pool->frame - common->blocks[common->count - 1]->frame > GPOOL__STREAM_IDLE) {
        stream_free(pool, stream, common->blocks[--common->count]);
    }
    gpool__stream_list *large = &stream->large;
    for (uint32_t i = 0; i < large->count; ++i) {
        gpool__stream_block *block = large->blocks[i];
        if (block != NULL && pool->frame - block->frame > GPOOL__STREAM_IDLE) {
            large->blocks[i] = NULL;
            stream_free(pool, stream, block);
        }
    }
    while (large->count > 0 && large->blocks[large->count - 1] == NULL) {
        large->count -= 1;
    }
}

static void stream_fini_list(gpool *pool, gpool__stream *stream, gpool__stream_list *list)
{
    for (uint32_t i = 0; i < list->count; ++i) {
        if (list->blocks[i] != NULL) {
            stream_free(pool, stream, list->blocks[i]);
        }
    }
    gpool__free(&pool->memory, list->blocks, list->capacity * sizeof *list->blocks);
    *list = (gpool__stream_list){ .most = list->most };
}

void gpool__stream_fini(gpool *pool, gpool__stream *stream)
{
    stream_fini_list(pool, stream, &stream->common);
    stream_fini_list(pool, stream, &stream->large);
    stream->current = 0;
}
