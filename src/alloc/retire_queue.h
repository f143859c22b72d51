/*
 * First-in first-out queue of things given up but not yet freed. The link lives in the thing, so
 * queueing cannot fail.
 *
 * Things wait twice: while a recorder is open nobody knows the serial that will be their last use,
 * so they stand in `waiting`; closing (submit or drop) stamps them and appends them to `ready`.
 *
 * Invariant: nothing leaves before its serial is done and its frame is old enough. Serials are
 * appended in rising order, so looking at the front is enough. Owned by one thread.
 */
#ifndef GPOOL_ALLOC_RETIRE_QUEUE_H
#define GPOOL_ALLOC_RETIRE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct gpool__retired {
    struct gpool__retired *next;
    uint64_t serial; /* last submit that may use it */
    uint64_t frame;  /* frame it was given up in */
} gpool__retired;

typedef struct gpool__retire_list {
    gpool__retired *first;
    gpool__retired *last;
} gpool__retire_list;

typedef struct gpool__retire_queue {
    gpool__retire_list waiting;
    gpool__retire_list ready;
} gpool__retire_queue;

/** Queues a thing given up in `frame` while a recorder is open. */
void gpool__retire_wait(gpool__retire_queue *queue, gpool__retired *thing, uint64_t frame);

/** Queues a thing given up in `frame` whose last use is the submit `serial`. */
void gpool__retire_ready(gpool__retire_queue *queue, gpool__retired *thing, uint64_t frame,
                         uint64_t serial);

/** Stamps everything waiting with `serial`: the recorders open so far are submitted or dropped. */
void gpool__retire_close(gpool__retire_queue *queue, uint64_t serial);

/** True when gpool__retire_take() would give something. */
bool gpool__retire_any(const gpool__retire_queue *queue, uint64_t done, uint64_t newest_frame);

/**
 * Takes the oldest thing whose serial is at most `done` and whose frame is at most `newest_frame`;
 * NULL when there is none.
 */
gpool__retired *gpool__retire_take(gpool__retire_queue *queue, uint64_t done,
                                   uint64_t newest_frame);

#endif
