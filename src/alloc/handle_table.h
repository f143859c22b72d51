/*
 * Table of generation-checked slots of one kind in one pool.
 *
 * A slot's head holds the full handle while the slot is live, so a look-up is a bounds check and one
 * 64-bit compare. Killing a handle replaces the head by a dead marker at once; the slot is reused
 * (oldest first) only after gpool__table_give_back(), and never again once its generation is spent.
 * Payloads live in pages and never move.
 *
 * Invariants: a dead handle never resolves, also when generations run out; live handles are
 * distinct. Owned by one thread.
 */
#ifndef GPOOL_ALLOC_HANDLE_TABLE_H
#define GPOOL_ALLOC_HANDLE_TABLE_H

#include "base/memory.h"

#include <gpool/handle.h>

/* Tests build the table with few generations so that they run out all the time. */
#ifndef GPOOL__GENERATION_MAX
#define GPOOL__GENERATION_MAX UINT32_MAX
#endif

#define GPOOL__PAGE_SLOTS 256u
#define GPOOL__MAX_SLOTS                                                                           \
    0xffffffu /* slot number 0xffffff is never given out: dead markers end so */

/** Start of every payload. */
typedef struct gpool__slot_head {
    uint64_t id;    /* live: the handle; dead: generation << 32 | 0xffffffff */
    uint32_t index; /* own slot number */
    uint32_t next;  /* free list: next slot, UINT32_MAX = end */
} gpool__slot_head;

typedef struct gpool__table {
    gpool__memory *memory;
    char **pages;
    uint32_t page_count;
    uint32_t page_capacity;
    uint32_t stride;     /* bytes of a payload */
    uint32_t prefix;     /* kind << 24 | tag << 28 */
    uint32_t slot_count; /* slots ever used */
    uint32_t live_count;
    uint32_t free_first; /* UINT32_MAX = none */
    uint32_t free_last;
    uint32_t free_count;
    uint32_t spent_count;      /* slots whose generations ran out */
    uint32_t first_generation; /* of a new slot */
    uint32_t last_generation;  /* highest given out */
} gpool__table;

/** Prepares an empty table; allocates nothing. `first_generation` at least 1. */
void gpool__table_init(gpool__table *table, gpool__memory *memory, gpool_kind kind, uint32_t tag,
                       size_t payload_size, uint32_t first_generation);

void gpool__table_fini(gpool__table *table);

/**
 * Takes a slot and makes its handle live; the payload after the head is zeroed. NULL without memory
 * or slots (`*full` tells which).
 */
gpool__slot_head *gpool__table_take(gpool__table *table, bool *full);

/** Payload of a slot number below slot_count, live or dead. */
static inline gpool__slot_head *gpool__table_at(const gpool__table *table, uint32_t slot)
{
    char *page = table->pages[slot / GPOOL__PAGE_SLOTS];
    return (gpool__slot_head *)(void *)(page + (size_t)(slot % GPOOL__PAGE_SLOTS) * table->stride);
}

/** Payload of a live handle, NULL for anything else. */
static inline gpool__slot_head *gpool__table_get(const gpool__table *table, uint64_t id)
{
    uint32_t slot = gpool_handle_slot(id);
    if (slot >= table->slot_count) {
        return NULL;
    }
    gpool__slot_head *head = gpool__table_at(table, slot);
    return head->id == id ? head : NULL;
}

static inline bool gpool__slot_is_live(const gpool__slot_head *head)
{
    return (uint32_t)head->id != UINT32_MAX;
}

/** Makes the handle of a live slot stale. The slot keeps its payload and is not reused yet. */
void gpool__table_kill(gpool__table *table, gpool__slot_head *head);

/** Returns a killed slot for reuse, or retires it for good when its generations are spent. */
void gpool__table_give_back(gpool__table *table, gpool__slot_head *head);

/** Checks every invariant; false when one is broken. Cost: all slots. */
bool gpool__table_validate(const gpool__table *table);

#endif
