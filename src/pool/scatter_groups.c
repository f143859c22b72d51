/*
 * Bind groups of the scatter pass, one for each target and window that was scattered to lately.
 *
 * A hash table without chains, at most half full. The hash is of the target alone: the windows of a
 * buffer, which are few, are found in a row, and so are forgotten together when it goes.
 */
#include "pool/scatter.h"

#include "base/hash.h"
#include "pool/make.h"
#include "pool/staging.h"

/* Places: powers of two. */
#define GROUPS_LEAST 64u
#define GROUPS_MOST  1024u

static uint32_t groups_home(const gpool__scatter *scatter, WGPUBuffer target)
{
    return (uint32_t)gpool__hash(&target, sizeof target) & (scatter->group_capacity - 1);
}

static uint32_t groups_next(const gpool__scatter *scatter, uint32_t place)
{
    return (place + 1) & (scatter->group_capacity - 1);
}

/* The place of a window's group, or the free one that it may have. There are places. */
static gpool__scatter_group *groups_place(const gpool__scatter *scatter, WGPUBuffer target,
                                          uint64_t window)
{
    uint32_t i = groups_home(scatter, target);
    while (scatter->groups[i].gpu != NULL &&
           (scatter->groups[i].target != target || scatter->groups[i].offset != window)) {
        i = groups_next(scatter, i);
    }
    return &scatter->groups[i];
}

/* Releases a group; those behind it move up where a search for them would end at the hole. */
static void groups_remove(gpool *pool, uint32_t hole)
{
    gpool__scatter *scatter = &pool->scatter;
    gpool__scatter_group *groups = scatter->groups;
    uint32_t mask = scatter->group_capacity - 1;
    GPOOL__GPU(&pool->seam, BindGroupRelease)(groups[hole].gpu);
    for (uint32_t i = groups_next(scatter, hole); groups[i].gpu != NULL;
         i = groups_next(scatter, i)) {
        uint32_t home = groups_home(scatter, groups[i].target);
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            groups[hole] = groups[i];
            hole = i;
        }
    }
    groups[hole] = (gpool__scatter_group){ 0 };
    scatter->group_count -= 1;
}

static bool groups_grow(gpool *pool)
{
    gpool__scatter *scatter = &pool->scatter;
    gpool__scatter before = *scatter;
    uint32_t capacity = before.group_capacity != 0 ? 2 * before.group_capacity : GROUPS_LEAST;
    gpool__scatter_group *groups = gpool__alloc(&pool->memory, capacity * sizeof *groups);
    if (groups == NULL) {
        return false;
    }
    scatter->groups = groups;
    scatter->group_capacity = capacity;
    for (uint32_t i = 0; i < before.group_capacity; ++i) {
        const gpool__scatter_group *group = &before.groups[i];
        if (group->gpu != NULL) {
            *groups_place(scatter, group->target, group->offset) = *group;
        }
    }
    gpool__free(&pool->memory, before.groups, before.group_capacity * sizeof *groups);
    return true;
}

/* Room for one more; the one that was used longest ago gives way when the table cannot grow. */
static gpool_result groups_reserve(gpool *pool)
{
    gpool__scatter *scatter = &pool->scatter;
    if (2 * (scatter->group_count + 1) <= scatter->group_capacity ||
        (scatter->group_capacity < GROUPS_MOST && groups_grow(pool))) {
        return GPOOL_OK;
    }
    if (scatter->group_capacity == 0) {
        return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for the scatter of pool \"%s\"",
                           pool->label);
    }
    uint32_t oldest = scatter->group_capacity;
    for (uint32_t i = 0; i < scatter->group_capacity; ++i) {
        if (scatter->groups[i].gpu != NULL &&
            (oldest == scatter->group_capacity ||
             scatter->groups[i].used < scatter->groups[oldest].used)) {
            oldest = i;
        }
    }
    groups_remove(pool, oldest);
    return GPOOL_OK;
}

static WGPUBindGroup groups_make(gpool *pool, WGPUBuffer target, uint64_t window,
                                 uint64_t window_size, gpool_result *result)
{
    const gpool__scatter *scatter = &pool->scatter;
    const WGPUBindGroupEntry entries[] = {
        { .binding = 0, .buffer = target, .offset = window, .size = window_size },
        { .binding = 1, .buffer = scatter->payload, .size = scatter->payload_size },
        { .binding = 2, .buffer = scatter->payload, .size = GPOOL__SCATTER_HEAD },
    };
    WGPUBindGroupDescriptor desc = { .label = gpool__view("gpool scatter"),
                                     .layout = scatter->layout,
                                     .entryCount = 3,
                                     .entries = entries };
    return gpool__make_bind_group(pool, &desc, "Scatter group of pool", pool->label, result);
}

WGPUBindGroup gpool__scatter_group_get(gpool *pool, WGPUBuffer target, uint64_t window,
                                       uint64_t window_size, gpool_result *result)
{
    gpool__scatter *scatter = &pool->scatter;
    gpool__scatter_group *group = NULL;
    *result = GPOOL_OK;
    if (scatter->group_capacity > 0) {
        group = groups_place(scatter, target, window);
    }
    if (group == NULL || group->gpu == NULL) {
        WGPUBindGroup gpu = NULL;
        *result = groups_reserve(pool);
        if (*result == GPOOL_OK) {
            gpu = groups_make(pool, target, window, window_size, result);
        }
        if (gpu == NULL) {
            return NULL;
        }
        group = groups_place(scatter, target, window); /* it may have moved */
        *group = (gpool__scatter_group){ .target = target, .offset = window, .gpu = gpu };
        scatter->group_count += 1;
    }
    group->used = ++scatter->clock;
    return group->gpu;
}

void gpool__scatter_forget(gpool *pool, WGPUBuffer gpu)
{
    const gpool__scatter *scatter = &pool->scatter;
    if (scatter->group_count == 0) {
        return;
    }
    uint32_t i = groups_home(scatter, gpu);
    while (scatter->groups[i].gpu != NULL) {
        if (scatter->groups[i].target == gpu) {
            groups_remove(pool, i); /* another may be there now */
        } else {
            i = groups_next(scatter, i);
        }
    }
}

void gpool__scatter_drop_groups(gpool *pool)
{
    gpool__scatter *scatter = &pool->scatter;
    for (uint32_t i = 0; i < scatter->group_capacity; ++i) {
        if (scatter->groups[i].gpu != NULL) {
            GPOOL__GPU(&pool->seam, BindGroupRelease)(scatter->groups[i].gpu);
        }
    }
    gpool__free(&pool->memory, scatter->groups, scatter->group_capacity * sizeof *scatter->groups);
    scatter->groups = NULL;
    scatter->group_capacity = 0;
    scatter->group_count = 0;
}

void gpool__scatter_trim_groups(gpool *pool)
{
    gpool__scatter *scatter = &pool->scatter;
    if (pool->frame - scatter->trim_frame <= GPOOL__STAGING_IDLE) {
        return;
    }
    uint32_t used = 0;
    for (uint32_t i = 0; i < scatter->group_capacity; ++i) {
        used += scatter->groups[i].gpu != NULL && scatter->groups[i].used > scatter->trim_clock;
    }
    if (scatter->group_capacity > GROUPS_LEAST && used <= scatter->group_capacity / 8) {
        gpool__scatter_drop_groups(pool);
    }
    scatter->trim_frame = pool->frame;
    scatter->trim_clock = scatter->clock;
}
