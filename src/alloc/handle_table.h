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
 * distinct.
 *
 * Owned by one thread, but other threads may kill handles under `lock` (gpool__table_find() and
 * gpool__table_kill_remote()). So heads are atomic; the owner reads and writes them without the lock
 * and without a locked instruction, and the directory of pages changes under the lock. A kill of the
 * owner's and one of another thread's may both see the handle alive: both write the same value, and
 * who owns the payload must count once. A slot goes back only after the owner has held the lock once
 * since it died: see src/pool/remote.c.
 */
#ifndef GPOOL_ALLOC_HANDLE_TABLE_H
#define GPOOL_ALLOC_HANDLE_TABLE_H

#include "base/memory.h"
#include "base/thread.h"

#include <gpool/handle.h>

#include <stdatomic.h>

/* Tests build the table with few generations so that they run out all the time. */
#ifndef GPOOL__GENERATION_MAX
#define GPOOL__GENERATION_MAX UINT32_MAX
#endif

/* Keeps what is rare out of the way of what is not: worth a twentieth of a destroy and create. */
#if defined(__GNUC__)
#define GPOOL__RARELY(condition) __builtin_expect(condition, 0)
#else
#define GPOOL__RARELY(condition) (condition)
#endif

#define GPOOL__PAGE_SLOTS 256u
#define GPOOL__MAX_SLOTS  0xffffffu

/* Kind of the handles of stream memory, which stand in no table; see record/stream.c. Above all others:
 * to everything but the commands that may read it there is no such kind. */
#define GPOOL__KIND_STREAM 15u

/** Start of every payload. */
typedef struct gpool__slot_head {
    _Atomic uint64_t id; /* live: the handle; dead: the same with the lower half inverted */
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
    gpool__mutex *lock; /* held while pages or page_count change; NULL = there is one thread */
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

/** What stands in a head now. */
static inline uint64_t gpool__head_id(const gpool__slot_head *head)
{
    return atomic_load_explicit(&head->id, memory_order_relaxed);
}

/** Payload of a live handle, NULL for anything else. */
static inline gpool__slot_head *gpool__table_get(const gpool__table *table, uint64_t id)
{
    uint32_t slot = gpool_handle_slot(id);
    if (slot >= table->slot_count) {
        return NULL;
    }
    gpool__slot_head *head = gpool__table_at(table, slot);
    return gpool__head_id(head) == id ? head : NULL;
}

/** True while the handle in the head is alive. A table of kind k has heads with k or its inverse. */
static inline bool gpool__table_is_live(const gpool__table *table, const gpool__slot_head *head)
{
    return (((uint32_t)gpool__head_id(head) ^ table->prefix) & 0xff000000u) == 0;
}

/** The newest handle of a slot, live or dead. */
static inline uint64_t gpool__table_handle(const gpool__table *table, const gpool__slot_head *head)
{
    const uint64_t id = gpool__head_id(head);
    const bool is_live = (((uint32_t)id ^ table->prefix) & 0xff000000u) == 0;
    return is_live ? id : id ^ UINT32_MAX;
}

/**
 * Takes a slot and makes its handle live; what stands in the payload after the head is rubbish. NULL
 * without memory or slots.
 *
 * This and the next two take or give the handle beside the slot: reading back what was just stored
 * costs a third of a destroy and create (measured; compilers do not keep atomics in registers).
 */
static inline gpool__slot_head *gpool__table_take(gpool__table *table, uint64_t *id)
{
    gpool__slot_free *slot = table->free_first;
    if (GPOOL__RARELY(slot == NULL)) {
        gpool__slot_head *fresh = gpool__table_grow(table);
        *id = fresh != NULL ? gpool__head_id(fresh) : 0;
        return fresh;
    }
    table->free_first = slot->next;
    table->free_count -= 1;
    table->live_count += 1;
    *id = (gpool__head_id(&slot->head) ^ UINT32_MAX) + (UINT64_C(1) << 32);
    /* Release: the link that was read above is not read after another thread sees the handle. */
    atomic_store_explicit(&slot->head.id, *id, memory_order_release);
    const uint32_t generation = gpool_handle_generation(*id);
    if (table->last_generation < generation) {
        table->last_generation = generation;
    }
    return &slot->head;
}

/** True when a take gave NULL because there can be no more slots. */
static inline bool gpool__table_is_full(const gpool__table *table)
{
    return table->free_first == NULL && table->slot_count >= GPOOL__MAX_SLOTS;
}

/**
 * Makes the handle of a slot stale, once for each take: it is alive, or another thread has killed it
 * already. The slot keeps its payload and is not reused yet.
 */
static inline void gpool__table_kill(gpool__table *table, gpool__slot_head *head, uint64_t id)
{
    atomic_store_explicit(&head->id, id ^ UINT32_MAX, memory_order_relaxed);
    table->live_count -= 1;
}

/** Any thread, under the lock: the payload a handle's slot number stands for; NULL = no such slot. */
gpool__slot_head *gpool__table_find(const gpool__table *table, uint64_t id);

/**
 * Any thread, under the lock: makes a handle stale; false when it was so already. The owner must
 * still call gpool__table_kill() for the slot.
 */
static inline bool gpool__table_kill_remote(gpool__slot_head *head, uint64_t id)
{
    uint64_t alive = id;
    return atomic_compare_exchange_strong(&head->id, &alive, id ^ UINT32_MAX);
}

/**
 * Returns a killed slot for reuse, or retires it for good when its generations are spent. Of the
 * payload the first word after the head is overwritten.
 */
static inline void gpool__table_give_back(gpool__table *table, gpool__slot_head *head, uint64_t id)
{
    if (gpool_handle_generation(id) >= GPOOL__GENERATION_MAX) {
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

/**
 * Checks every invariant; false when one is broken. `killed` handles were killed by other threads,
 * and the owner has not done so yet. Cost: all slots.
 */
bool gpool__table_validate(const gpool__table *table, uint32_t killed);

#endif
