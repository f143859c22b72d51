#include "pool/map.h"

#include <stdlib.h>

enum {
    MAP_IDLE,
    MAP_WAITING,
    MAP_ANSWERED,
    MAP_ABANDONED /* nobody waits: the answer, if one comes, frees the record */
};

struct gpool__map {
    _Atomic int state; /* MAP_* */
    bool mapped;       /* of an answer */
};

gpool__map *gpool__map_create(void)
{
    return calloc(1, sizeof(gpool__map));
}

static void map_on_answer(WGPUMapAsyncStatus status, WGPUStringView message, void *map_pointer,
                          void *unused)
{
    (void)message;
    (void)unused;
    gpool__map *map = map_pointer;
    map->mapped = status == WGPUMapAsyncStatus_Success;
    if (atomic_exchange(&map->state, MAP_ANSWERED) == MAP_ABANDONED) {
        free(map);
    }
}

gpool_result gpool__map_begin(gpool *pool, gpool__map *map, WGPUBuffer buffer, WGPUMapMode mode,
                              uint64_t size)
{
    WGPUBufferMapCallbackInfo info = {
        .mode = WGPUCallbackMode_AllowProcessEvents,
        .callback = map_on_answer,
        .userdata1 = map,
    };
    map->mapped = false;
    atomic_store(&map->state, MAP_WAITING);
    gpool__capture_begin(pool->device, &pool->seam);
    (void)GPOOL__GPU(&pool->seam, BufferMapAsync)(buffer, mode, 0, (size_t)size, info);
    return gpool__capture_end(pool->device, &pool->seam);
}

bool gpool__map_is_answered(const gpool__map *map)
{
    return atomic_load(&map->state) == MAP_ANSWERED;
}

bool gpool__map_is_waiting(const gpool__map *map)
{
    return atomic_load(&map->state) == MAP_WAITING;
}

bool gpool__map_is_good(const gpool__map *map)
{
    return gpool__map_is_answered(map) && map->mapped;
}

gpool_result gpool__map_wait(gpool *pool, const gpool__map *map, uint64_t timeout_ns)
{
    uint64_t begin = gpool__now_ns();
    while (!gpool__map_is_answered(map)) {
        gpool__device_process(pool->device, &pool->seam);
        if (gpool__map_is_answered(map)) {
            break;
        }
        if (gpool__device_is_lost(pool->device)) {
            return GPOOL_ERROR_DEVICE_LOST;
        }
        uint64_t waited = gpool__now_ns() - begin;
        if (waited > timeout_ns) {
            return GPOOL_ERROR_TIMEOUT;
        }
        gpool__sleep_ns(gpool__nap_ns(waited));
    }
    if (map->mapped) {
        return GPOOL_OK;
    }
    /* One poll may deliver the loss and the end of the map that comes of it. */
    return gpool__device_is_lost(pool->device) ? GPOOL_ERROR_DEVICE_LOST : GPOOL_ERROR_GPU;
}

void gpool__map_release(gpool__map *map)
{
    if (map == NULL) {
        return;
    }
    int waiting = MAP_WAITING;
    if (!atomic_compare_exchange_strong(&map->state, &waiting, MAP_ABANDONED)) {
        free(map);
    }
}
