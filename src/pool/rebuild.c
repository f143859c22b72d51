#include "pool/rebuild.h"

#include <string.h>

gpool_result gpool__rebuild_add(gpool *pool, gpool__rebuild *rebuild, gpool__drop_fn drop,
                                void *place, void *gpu, gpool_result result)
{
    void *objects = rebuild->objects;
    bool good = gpool__reserve(&pool->memory, &objects, &rebuild->object_capacity,
                               rebuild->object_count + 1, sizeof *rebuild->objects);
    rebuild->objects = objects;
    if (!good) {
        if (gpu != NULL) {
            drop(&pool->seam, gpu);
        }
        return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory to rebuild pool \"%s\"",
                           pool->label);
    }
    rebuild->objects[rebuild->object_count++] = (gpool__fresh){ drop, place, gpu };
    return result;
}

void gpool__rebuild_cut(gpool *pool, gpool__rebuild *rebuild, uint32_t count)
{
    while (rebuild->object_count > count) {
        const gpool__fresh *object = &rebuild->objects[--rebuild->object_count];
        if (object->gpu != NULL) {
            object->drop(&pool->seam, object->gpu);
        }
    }
}

gpool_result gpool__rebuild_note(gpool *pool, gpool__rebuild *rebuild, gpool__resource *resource,
                                 gpool_result result)
{
    void *outcomes = rebuild->outcomes;
    bool good = gpool__reserve(&pool->memory, &outcomes, &rebuild->outcome_capacity,
                               rebuild->outcome_count + 1, sizeof *rebuild->outcomes);
    rebuild->outcomes = outcomes;
    if (!good) {
        return GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory to rebuild pool \"%s\"",
                           pool->label);
    }
    rebuild->outcomes[rebuild->outcome_count++] =
        (gpool__outcome){ resource, gpool__handle_of(pool, resource), result };
    return GPOOL_OK;
}

void gpool__rebuild_swap(gpool__rebuild *rebuild)
{
    for (uint32_t i = 0; i < rebuild->object_count; ++i) {
        gpool__fresh *object = &rebuild->objects[i];
        void *old;
        /* The places are of many pointer types, all of one size: bytes are moved. */
        memcpy(&old, object->place, sizeof old);
        memcpy(object->place, &object->gpu, sizeof old);
        object->gpu = old;
    }
}

void gpool__rebuild_fini(gpool *pool, gpool__rebuild *rebuild)
{
    gpool__free(&pool->memory, rebuild->objects,
                rebuild->object_capacity * sizeof *rebuild->objects);
    gpool__free(&pool->memory, rebuild->outcomes,
                rebuild->outcome_capacity * sizeof *rebuild->outcomes);
    *rebuild = (gpool__rebuild){ 0 };
}
