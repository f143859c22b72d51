#include "alloc/retire_queue.h"

static void retire_append(gpool__retire_list *list, gpool__retired *thing)
{
    thing->next = NULL;
    if (list->last != NULL) {
        list->last->next = thing;
    } else {
        list->first = thing;
    }
    list->last = thing;
}

void gpool__retire_wait(gpool__retire_queue *queue, gpool__retired *thing, uint64_t frame)
{
    thing->frame = frame;
    thing->serial = UINT64_MAX;
    retire_append(&queue->waiting, thing);
}

void gpool__retire_ready(gpool__retire_queue *queue, gpool__retired *thing, uint64_t frame,
                         uint64_t serial)
{
    thing->frame = frame;
    thing->serial = serial;
    retire_append(&queue->ready, thing);
}

void gpool__retire_close(gpool__retire_queue *queue, uint64_t serial)
{
    gpool__retired *thing = queue->waiting.first;
    if (thing == NULL) {
        return;
    }
    for (gpool__retired *each = thing; each != NULL; each = each->next) {
        each->serial = serial;
    }
    if (queue->ready.last != NULL) {
        queue->ready.last->next = thing;
    } else {
        queue->ready.first = thing;
    }
    queue->ready.last = queue->waiting.last;
    queue->waiting = (gpool__retire_list){ NULL, NULL };
}

bool gpool__retire_any(const gpool__retire_queue *queue, uint64_t done, uint64_t newest_frame)
{
    const gpool__retired *thing = queue->ready.first;
    return thing != NULL && thing->serial <= done && thing->frame <= newest_frame;
}

gpool__retired *gpool__retire_take(gpool__retire_queue *queue, uint64_t done, uint64_t newest_frame)
{
    if (!gpool__retire_any(queue, done, newest_frame)) {
        return NULL;
    }
    gpool__retired *thing = queue->ready.first;
    queue->ready.first = thing->next;
    if (queue->ready.first == NULL) {
        queue->ready.last = NULL;
    }
    thing->next = NULL;
    return thing;
}
