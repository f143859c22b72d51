/*
 * Tickets: reads that are recorded and answered later.
 *
 * Way of a ticket: made with staging memory and put on the list of the open recording; when that is
 * submitted, its map is asked for, and never before; when the map is answered, it is ready. It fails
 * when the recording is dropped, the submit or the map reports an error, or the device is lost. A ticket
 * that failed, or is retired, holds no staging memory any more.
 *
 * The staging memory of a dropped ticket is free for the next one at once, also while a command that
 * fills it is recorded or runs: commands run in order, and what the next one puts there comes later.
 *
 * Nothing walks all tickets but gpool_recover(). A lost device is seen by whoever looks at a ticket.
 */
#ifndef GPOOL_POOL_TICKET_H
#define GPOOL_POOL_TICKET_H

#include "pool/landing.h"
#include "pool/read_part.h"

typedef struct gpool__ticket {
    gpool__resource base;
    struct gpool__ticket *next; /* in the open recording, oldest first */
    struct gpool__ticket *previous;
    gpool__landing *landing; /* NULL for an empty read, and when it is over */
    gpool__rows rows;        /* inside the staging memory */
    uint64_t map_size;       /* bytes that the command fills, rounded up to words */
    uint64_t polls;          /* of this pool when it was looked at last */
    gpool_ticket_state state;
    gpool_result result; /* why it failed */
} gpool__ticket;

/**
 * A ticket of the open recording, with staging memory for `size` bytes (0 = none); the caller records
 * the command that fills it, and cannot fail then. NULL with the error recorded.
 */
gpool__ticket *gpool__ticket_make(gpool *pool, const gpool_ticket_desc *desc, uint64_t size,
                                  gpool__rows rows, gpool_result *result);

/** Prepares the table of tickets. */
void gpool__tickets_init(gpool *pool);

/** After a submit: how it went for the tickets of the open recording, whose maps are asked for now. */
void gpool__tickets_submitted(gpool *pool, gpool_result result);

/** The open recording ends: tickets that were not submitted fail. */
void gpool__tickets_dropped(gpool *pool);

/** The pool leaves its device: all tickets fail. Kept staging memory goes. Cost: all tickets. */
void gpool__tickets_leave_device(gpool *pool);

/** GPU bytes that a ticket holds. */
uint64_t gpool__ticket_bytes(const gpool__resource *resource);

#endif
