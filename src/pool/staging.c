#include "pool/staging.h"

#include "pool/make.h"

static void staging_free(gpool *pool, gpool__staging_block *block)
{
    gpool__map_release(block->map);
    if (block->gpu != NULL) {
        /* Also unmaps it, or ends the request. */
        GPOOL__GPU(&pool->seam, BufferRelease)(block->gpu);
        pool->staging.bytes -= block->size;
        pool->stats.internal_bytes -= block->size;
    }
    gpool__free(&pool->memory, block, sizeof *block);
}

static void staging_free_list(gpool *pool, gpool__staging_block **list)
{
    while (*list != NULL) {
        gpool__staging_block *block = *list;
        *list = block->next;
        staging_free(pool, block);
    }
}

/* Fills a new block's GPU side, mapped. The range of a good buffer is there at once. */
static gpool_result staging_map_new(gpool *pool, gpool__staging_block *block, uint64_t size)
{
    WGPUBufferDescriptor desc = {
        .label = gpool__view("gpool staging"),
        .usage = WGPUBufferUsage_MapWrite | WGPUBufferUsage_CopySrc,
        .size = size,
        .mappedAtCreation = 1,
    };
    gpool_result result;
    block->gpu = gpool__make_buffer(pool, &desc, "Staging of pool", &result);
    if (block->gpu == NULL) {
        return result;
    }
    block->bytes = GPOOL__GPU(&pool->seam, BufferGetMappedRange)(block->gpu, 0, (size_t)size);
    if (block->bytes == NULL) {
        GPOOL__GPU(&pool->seam, BufferRelease)(block->gpu);
        block->gpu = NULL;
        return gpool__fail_gpu(pool, GPOOL_ERROR_OUT_OF_GPU_MEMORY, "Staging of pool", pool->label);
    }
    block->size = size;
    pool->staging.bytes += size;
    pool->stats.internal_bytes += size;
    return GPOOL_OK;
}

static gpool_result staging_add(gpool *pool, uint64_t size)
{
    gpool__staging_block *block = gpool__alloc(&pool->memory, sizeof *block);
    if (block != NULL) {
        block->map = gpool__map_create();
    }
    gpool_result result;
    if (block == NULL || block->map == NULL) {
        result = GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for staging of [%llu] bytes",
                             (unsigned long long)size);
    } else {
        result = staging_map_new(pool, block, size);
    }
    if (result != GPOOL_OK) {
        if (block != NULL) {
            staging_free(pool, block);
        }
        return result;
    }
    block->next = pool->staging.ready;
    pool->staging.ready = block;
    return GPOOL_OK;
}

/* Takes those that are mapped again to the ready list, and frees those that could not be. */
static gpool_result staging_collect(gpool *pool)
{
    bool looked = pool->staging.looked;
    for (gpool__staging_block **link = &pool->staging.away; *link != NULL;) {
        gpool__staging_block *block = *link;
        if (!gpool__map_is_answered(block->map)) {
            link = &block->next;
            continue;
        }
        if (!looked) {
            /* The trap of map.h. */
            atomic_store(&pool->device->events->suspect, true);
            gpool_result result = gpool__device_check(pool->device, &pool->seam);
            if (result != GPOOL_OK) {
                return gpool__fail_gpu(pool, result, "Staging of pool", pool->label);
            }
            looked = true;
        }
        *link = block->next;
        if (gpool__map_is_good(block->map)) {
            block->bytes =
                GPOOL__GPU(&pool->seam, BufferGetMappedRange)(block->gpu, 0, (size_t)block->size);
        }
        if (block->bytes == NULL) {
            staging_free(pool, block);
            continue;
        }
        block->used = 0;
        block->next = pool->staging.ready;
        pool->staging.ready = block;
    }
    return GPOOL_OK;
}

/* The smallest ready block that is large enough, and no larger than what this demand deserves, so that
 * blocks of a spike fall idle. */
static gpool__staging_block *staging_find(gpool *pool, uint64_t size)
{
    const gpool__staging *staging = &pool->staging;
    uint64_t demand = gpool__max(size, gpool__max(staging->demand, staging->taken));
    uint64_t most = gpool__max(GPOOL__STAGING_BLOCK, 4 * demand);
    gpool__staging_block **best = NULL;
    for (gpool__staging_block **link = &pool->staging.ready; *link != NULL; link = &(*link)->next) {
        uint64_t has = (*link)->size;
        if (has >= size && has <= most && (best == NULL || has < (*best)->size)) {
            best = link;
        }
    }
    if (best == NULL) {
        return NULL;
    }
    gpool__staging_block *block = *best;
    *best = block->next;
    return block;
}

/* Bytes of a new block: as much as this submit took so far, within bounds. */
static uint64_t staging_block_size(const gpool *pool, uint64_t size)
{
    uint64_t block = GPOOL__STAGING_BLOCK;
    while (block < GPOOL__STAGING_LARGE && (block < size || block < pool->staging.taken)) {
        block *= 2;
    }
    return block >= size ? block : gpool__round_up(size, GPOOL__STAGING_BLOCK);
}

/* Makes room for a new block under the budget and makes it; GPOOL_ERROR_BUDGET when there is none. */
static gpool_result staging_grow(gpool *pool, uint64_t size)
{
    gpool__staging *staging = &pool->staging;
    uint64_t wanted = staging_block_size(pool, size);
    uint64_t least = gpool__round_up(size, GPOOL__STAGING_BLOCK);
    uint64_t limit = gpool__min(staging->budget, pool->device->info.limits.maxBufferSize);
    limit = gpool__round_down(limit, GPOOL__STAGING_BLOCK);
    if (least > limit) {
        return GPOOL_ERROR_BUDGET;
    }
    if (staging->bytes + wanted > staging->budget) {
        wanted = least;
    }
    if (staging->bytes + wanted > staging->budget) {
        /* Ready ones are too small for this, or were too large to be given. */
        staging_free_list(pool, &staging->ready);
    }
    if (staging->bytes + wanted > staging->budget) {
        return GPOOL_ERROR_BUDGET;
    }
    return staging_add(pool, gpool__min(wanted, limit));
}

/* Waits for the block that is away longest. */
static gpool_result staging_wait(gpool *pool)
{
    const gpool__staging_block *oldest = pool->staging.away;
    if (oldest == NULL) {
        return GPOOL_ERROR_BUDGET;
    }
    /* The device may be lost meanwhile. */
    pool->staging.looked = false;
    gpool_result result = gpool__map_wait(pool, oldest->map, pool->wait_timeout_ns);
    if (result == GPOOL_ERROR_TIMEOUT) {
        return GPOOL__FAIL(pool, TIMEOUT, TIMEOUT,
                           "The staging budget [%llu] is used up and the GPU gave nothing back "
                           "within [%llu] ms",
                           (unsigned long long)pool->staging.budget,
                           (unsigned long long)(pool->wait_timeout_ns / 1000000u));
    }
    if (result == GPOOL_ERROR_DEVICE_LOST) {
        return gpool__fail_gpu(pool, result, "Staging of pool", pool->label);
    }
    return GPOOL_OK; /* a refused request frees its block */
}

gpool_result gpool__staging_take(gpool *pool, gpool__stage stage, uint64_t size,
                                 gpool__staged *staged)
{
    gpool__staging *staging = &pool->staging;
    gpool__staging_block *block = staging->used[stage];
    uint64_t start = block != NULL ? gpool__round_up(block->used, 16) : 0;
    if (block == NULL || block->bytes == NULL || !gpool__range_inside(start, size, block->size)) {
        block = staging_find(pool, size);
        while (block == NULL) {
            gpool_result result = staging_collect(pool);
            if (result == GPOOL_OK && (block = staging_find(pool, size)) != NULL) {
                break;
            }
            if (result == GPOOL_OK) {
                result = staging_grow(pool, size);
            }
            if (result == GPOOL_ERROR_BUDGET) {
                result = staging_wait(pool);
            }
            if (result != GPOOL_OK) {
                return result;
            }
            block = staging_find(pool, size);
        }
        start = 0;
        block->used = 0;
        block->next = staging->used[stage];
        staging->used[stage] = block;
    }
    if (gpool__device_is_lost(pool->device)) {
        /* A lost Dawn device has freed what was mapped. */
        return gpool__fail_gpu(pool, GPOOL_ERROR_DEVICE_LOST, "Staging of pool", pool->label);
    }
    *staged = (gpool__staged){ block->gpu, start, block->bytes + start };
    block->used = start + size;
    block->frame = pool->frame;
    staging->taken += size;
    return GPOOL_OK;
}

bool gpool__staging_unmap(gpool *pool, gpool__stage stage)
{
    bool any = false;
    for (gpool__staging_block *block = pool->staging.used[stage]; block != NULL;
         block = block->next) {
        if (block->bytes != NULL) {
            GPOOL__GPU(&pool->seam, BufferUnmap)(block->gpu);
            block->bytes = NULL;
            any = true;
        }
    }
    return any;
}

void gpool__staging_end(gpool *pool, gpool__stage stage)
{
    gpool__staging *staging = &pool->staging;
    gpool__staging_block **end = &staging->away;
    while (*end != NULL) {
        end = &(*end)->next;
    }
    while (staging->used[stage] != NULL) {
        gpool__staging_block *block = staging->used[stage];
        staging->used[stage] = block->next;
        block->next = NULL;
        if (block->bytes != NULL) {
            /* It was not submitted, and nothing will be that copies from it. */
            block->next = staging->ready;
            staging->ready = block;
        } else if (gpool__device_is_lost(pool->device) ||
                   gpool__map_begin(pool, block->map, block->gpu, WGPUMapMode_Write, block->size) !=
                       GPOOL_OK) {
            staging_free(pool, block);
        } else {
            *end = block;
            end = &block->next;
        }
    }
    if (staging->taken > 0) {
        staging->demand = staging->taken;
    }
    staging->taken = 0;
}

static void staging_trim_list(gpool *pool, gpool__staging_block **link)
{
    while (*link != NULL) {
        gpool__staging_block *block = *link;
        bool there = block->bytes != NULL || gpool__map_is_answered(block->map);
        if (there && pool->frame - block->frame > GPOOL__STAGING_IDLE) {
            *link = block->next;
            staging_free(pool, block);
        } else {
            link = &block->next;
        }
    }
}

void gpool__staging_trim(gpool *pool)
{
    staging_trim_list(pool, &pool->staging.ready);
    staging_trim_list(pool, &pool->staging.away);
    gpool__scatter_trim(pool);
}

void gpool__staging_fini(gpool *pool)
{
    staging_free_list(pool, &pool->staging.ready);
    staging_free_list(pool, &pool->staging.away);
    staging_free_list(pool, &pool->staging.used[GPOOL__STAGE_BATCH]);
    staging_free_list(pool, &pool->staging.used[GPOOL__STAGE_RECORD]);
    pool->staging.taken = 0;
    pool->staging.demand = 0;
}
