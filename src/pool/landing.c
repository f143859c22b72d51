#include "pool/landing.h"

#include "pool/read_part.h"

#define LANDING_SMALLEST    UINT64_C(1024)
#define LANDING_LARGEST     (UINT64_C(256) << 20) /* larger ones are not kept */
#define LANDING_KEEP_BYTES  LANDING_LARGEST
#define LANDING_KEEP_COUNT  ((uint32_t)GPOOL_MAX_TICKETS)
#define LANDING_KEEP_FRAMES 32u
#define LANDING_LOOK_FRAMES 8u /* from one look for old ones to the next */

/* Class of a size, and what its buffers have; GPOOL__LANDING_CLASSES for sizes of no class. */
static uint32_t landing_class(uint64_t size, uint64_t *bytes)
{
    *bytes = size;
    if (size > LANDING_LARGEST) {
        return GPOOL__LANDING_CLASSES;
    }
    *bytes = LANDING_SMALLEST;
    if (size <= LANDING_SMALLEST) {
        return 0;
    }
    uint32_t octave = 0;
    while (LANDING_SMALLEST << (octave + 1) < size) {
        octave += 1;
    }
    const uint64_t low = LANDING_SMALLEST << octave;
    const uint64_t quarter = low / 4;
    const uint64_t quarters = (size - low + quarter - 1) / quarter;
    *bytes = low + quarters * quarter;
    return octave * 4 + (uint32_t)quarters;
}

void gpool__landing_drop(gpool *pool, gpool__landing *landing)
{
    if (landing->gpu != NULL) {
        GPOOL__GPU(&pool->seam, BufferRelease)(landing->gpu);
    }
    gpool__map_release(landing->map);
    gpool__free(&pool->memory, landing, sizeof *landing);
}

/* Takes one off the list of its class. */
static gpool__landing *landing_unkeep(gpool *pool, gpool__landing **link)
{
    gpool__landing *landing = *link;
    *link = landing->next;
    pool->landings.count -= 1;
    pool->landings.bytes -= landing->size;
    pool->stats.internal_bytes -= landing->size;
    return landing;
}

static gpool__landing *landing_make(gpool *pool, uint64_t size, gpool_result *result)
{
    gpool__landing *landing = gpool__alloc(&pool->memory, sizeof *landing);
    gpool__map *map = landing != NULL ? gpool__map_create() : NULL;
    if (map == NULL) {
        gpool__free(&pool->memory, landing, sizeof *landing);
        *result = GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for a read");
        return NULL;
    }
    *landing = (gpool__landing){ .map = map, .size = size };
    landing->gpu = gpool__make_staging(pool, size, result);
    if (landing->gpu == NULL) {
        gpool__landing_drop(pool, landing);
        return NULL;
    }
    return landing;
}

gpool__landing *gpool__landing_take(gpool *pool, uint64_t size, gpool_result *result)
{
    *result = GPOOL_OK;
    uint64_t bytes = size;
    const uint32_t index = landing_class(size, &bytes);
    if (index < GPOOL__LANDING_CLASSES) {
        for (gpool__landing **link = &pool->landings.kept[index]; *link != NULL;
             link = &(*link)->next) {
            if ((*link)->size >= size && !gpool__map_is_waiting((*link)->map)) {
                return landing_unkeep(pool, link);
            }
        }
    }
    /* The largest buffer there can be is of its own size. */
    return landing_make(pool, bytes <= pool->device->info.limits.maxBufferSize ? bytes : size,
                        result);
}

gpool_result gpool__landing_map(gpool *pool, gpool__landing *landing, uint64_t size)
{
    landing->asked = true;
    gpool_result result =
        gpool__map_begin(pool, landing->map, landing->gpu, WGPUMapMode_Read, size);
    landing->refused = result != GPOOL_OK;
    return result;
}

/* Ends the map or the request; false when the buffer is not what it seems. */
static bool landing_unmap(gpool *pool, gpool__landing *landing)
{
    if (!landing->asked) {
        return true;
    }
    landing->asked = false;
    if (landing->refused ||
        (gpool__map_is_answered(landing->map) && !gpool__map_is_good(landing->map))) {
        return false;
    }
    gpool__capture_begin(pool->device, &pool->seam);
    GPOOL__GPU(&pool->seam, BufferUnmap)(landing->gpu);
    return gpool__capture_end(pool->device, &pool->seam) == GPOOL_OK;
}

void gpool__landing_give_back(gpool *pool, gpool__landing *landing)
{
    uint64_t bytes;
    const uint32_t index = landing_class(landing->size, &bytes);
    /* On a lost device nothing is touched any more. */
    if (gpool__device_is_lost(pool->device) || index == GPOOL__LANDING_CLASSES ||
        pool->landings.count >= LANDING_KEEP_COUNT ||
        pool->landings.bytes + landing->size > LANDING_KEEP_BYTES ||
        !landing_unmap(pool, landing)) {
        gpool__landing_drop(pool, landing);
        return;
    }
    landing->frame = pool->frame;
    landing->next = pool->landings.kept[index];
    pool->landings.kept[index] = landing;
    pool->landings.count += 1;
    pool->landings.bytes += landing->size;
    pool->stats.internal_bytes += landing->size;
}

/* Releases kept ones that were given back in frame `newest` or before. */
static void landing_release(gpool *pool, uint64_t newest)
{
    for (uint32_t index = 0; index < GPOOL__LANDING_CLASSES && pool->landings.count > 0; ++index) {
        gpool__landing **link = &pool->landings.kept[index];
        while (*link != NULL) {
            if ((*link)->frame <= newest) {
                gpool__landing_drop(pool, landing_unkeep(pool, link));
            } else {
                link = &(*link)->next;
            }
        }
    }
}

void gpool__landing_trim(gpool *pool)
{
    if (pool->landings.count > 0 && pool->frame > LANDING_KEEP_FRAMES &&
        pool->frame % LANDING_LOOK_FRAMES == 0) {
        landing_release(pool, pool->frame - LANDING_KEEP_FRAMES);
    }
}

void gpool__landing_fini(gpool *pool)
{
    landing_release(pool, UINT64_MAX);
}
