/*
 * Table of generation-checked slots of one kind in one pool.
 *
 * A slot's head holds the full handle while the slot is live, so a look-up is a bounds check and one
 * 64-bit compare. Killing a handle inverts the lower half of the head at once: the slot number in it
 * is then another slot's, so no handle at all finds it. The slot is reused (oldest first) only after
 * gpool__table_give_back(), and never again once its generation is spent. Payloads live in pages and
 * never move.
 *
 * What happens for each create and destroy is inline, and the counters that both change do not stand
 * side by side: compilers join neighbours into one wide access, which then waits for the narrow one
 * before it (measured: twice the time of a destroy and create).
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
#define GPOOL__MAX_SLOTS  0xffffffu

/** Start of every payload. */
typedef struct gpool__slot_head {
    uint64_t id; /* live: the handle; dead: the same with the lower half inverted */
} gpool__slot_head;

/* A slot on the free list: the link lies over the payload, whose use is over. */
typedef struct gpool__slot_free {
    gpool__slot_head head;
    struct gpool__slot_free *next; /* the one given back after it; NULL = end */
} gpool__slot_free;

typedef struct gpool__table {
    gpool__memory *memory;
    char **pages;
    gpool__slot_free *free_first; /* oldest; NULL = none */
    gpool__slot_free *free_last;  /* newest; meaningful while there is a first */
    uint32_t page_count;
    uint32_t page_capacity;
    uint32_t stride;     /* bytes of a payload */
    uint32_t prefix;     /* kind << 24 | tag << 28 */
    uint32_t slot_count; /* slots ever used */
    uint32_t live_count;
    uint32_t spent_count;      /* slots whose generations ran out */
    uint32_t first_generation; /* of a new slot */
    uint32_t free_count;       /* apart from live_count; see above */
    uint32_t last_generation;  /* highest given out */
} gpool__table;

/** Prepares an empty table; allocates nothing. `first_generation` at least 1. */
void gpool__table_init(gpool__table *table, gpool__memory *memory, gpool_kind kind, uint32_t tag,
                       size_t payload_size, uint32_t first_generation);

void gpool__table_fini(gpool__table *table);

/** Slow path of gpool__table_take(): makes a slot that was never used. NULL without memory or slots. */
gpool__slot_head *gpool__table_grow(gpool__table *table);

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

/** True while the handle in the head is alive. A table of kind k has heads with k or its inverse. */
static inline bool gpool__table_is_live(const gpool__table *table, const gpool__slot_head *head)
{
    return (((uint32_t)head->id ^ table->prefix) & 0xff000000u) == 0;
}

/** Slot number of a payload, live or dead. */
static inline uint32_t gpool__table_index(const gpool__table *table, const gpool__slot_head *head)
{
    const uint32_t low = (uint32_t)head->id;
    return gpool_handle_slot(gpool__table_is_live(table, head) ? low : ~low);
}

/**
 * Takes a slot and makes its handle live; what stands in the payload after the head is rubbish. NULL
 * without memory or slots (`*full` tells which).
 */
static inline gpool__slot_head *gpool__table_take(gpool__table *table, bool *full)
{
    gpool__slot_free *slot = table->free_first;
    *full = false;
    if (slot == NULL) {
        gpool__slot_head *fresh = gpool__table_grow(table);
        *full = fresh == NULL && table->slot_count >= GPOOL__MAX_SLOTS;
        return fresh;
    }
    table->free_first = slot->next;
    table->free_count -= 1;
    table->live_count += 1;
    slot->head.id = (slot->head.id ^ UINT32_MAX) + (UINT64_C(1) << 32);
    const uint32_t generation = gpool_handle_generation(slot->head.id);
    if (table->last_generation < generation) {
        table->last_generation = generation;
    }
    return &slot->head;
}

/** Makes the handle of a live slot stale. The slot keeps its payload and is not reused yet. */
static inline void gpool__table_kill(gpool__table *table, gpool__slot_head *head)
{
    head->id ^= UINT32_MAX;
    table->live_count -= 1;
}

/**
 * Returns a killed slot for reuse, or retires it for good when its generations are spent. Of the
 * payload the first word after the head is overwritten.
 */
static inline void gpool__table_give_back(gpool__table *table, gpool__slot_head *head)
{
    if (gpool_handle_generation(head->id) >= GPOOL__GENERATION_MAX) {
        table->spent_count += 1;
        return;
    }
    gpool__slot_free *slot = (gpool__slot_free *)head;
    slot->next = NULL;
    if (table->free_first == NULL) {
        table->free_first = slot;
    } else {
        table->free_last->next = slot;
    }
    table->free_last = slot;
    table->free_count += 1;
}

/** Checks every invariant; false when one is broken. Cost: all slots. */
bool gpool__table_validate(const gpool__table *table);

#endif
