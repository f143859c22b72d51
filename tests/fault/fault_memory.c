/*
 * Memory that counts and fails on demand: the allocator hooks, and gpool's own use of calloc(), which
 * the linker leads here (--wrap=calloc). Rubbish in fresh blocks, checked sizes.
 */
#include "fault.h"

#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#else
#define ASAN_POISON_MEMORY_REGION(address, size)   ((void)(address), (void)(size))
#define ASAN_UNPOISON_MEMORY_REGION(address, size) ((void)(address), (void)(size))
#endif

#define MEMORY_RUBBISH 0xa5
/* Large blocks, such as pages of handle tables, are kept for the next world: to get them from the
 * system each time is most of the time of a sweep. Kept ones are poisoned. */
#define MEMORY_LARGE 32768u
#define MEMORY_KEPT  24u

static uint64_t memory_asked;
static uint64_t memory_failed;
static uint64_t memory_fail_in; /* 0 = never */
static bool memory_for_ever;
static _Thread_local bool memory_inside;

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

void fault_memory_arm(uint64_t number, bool for_ever)
{
    memory_fail_in = number;
    memory_for_ever = for_ever;
    memory_failed = 0;
}

uint64_t fault_memory_hits(void)
{
    return memory_failed;
}

uint64_t fault_memory_asked(void)
{
    return memory_asked;
}

void fault_memory_inside(bool inside)
{
    memory_inside = inside;
}

bool fault_memory_is_inside(void)
{
    return memory_inside;
}

/* Counts an allocation; true when it must fail. */
static bool memory_fails(void)
{
    memory_asked += 1;
    if (memory_fail_in == 0) {
        return false;
    }
    if (memory_fail_in > 1) {
        memory_fail_in -= 1;
        return false;
    }
    memory_fail_in = memory_for_ever ? 1 : 0;
    memory_failed += 1;
    return true;
}

void *__wrap_calloc(size_t count, size_t size)
{
    return memory_inside && memory_fails() ? NULL : __real_calloc(count, size);
}

static struct {
    size_t size; /* without the prefix; 0 = the place is free */
    size_t *start;
} memory_kept[MEMORY_KEPT];

/* A fresh block with a prefix that holds its size. */
static size_t *memory_take(size_t size)
{
    size_t *start = NULL;
    for (size_t i = 0; i < MEMORY_KEPT && size >= MEMORY_LARGE && start == NULL; ++i) {
        if (memory_kept[i].size == size) {
            start = memory_kept[i].start;
            memory_kept[i].size = 0;
            ASAN_UNPOISON_MEMORY_REGION(start, 2 * sizeof *start + size);
        }
    }
    if (start == NULL) {
        start = malloc(2 * sizeof *start + size);
        if (start == NULL) {
            abort();
        }
    }
    memset(start + 2, MEMORY_RUBBISH, size);
    *start = size;
    return start;
}

static void memory_give_back(size_t *start)
{
    size_t size = start != NULL ? *start : 0;
    for (size_t i = 0; i < MEMORY_KEPT && size >= MEMORY_LARGE; ++i) {
        if (memory_kept[i].size == 0) {
            memory_kept[i].size = size;
            memory_kept[i].start = start;
            ASAN_POISON_MEMORY_REGION(start, 2 * sizeof *start + size);
            return;
        }
    }
    free(start);
}

static void *memory_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    fault_ledger *ledger = user;
    size_t *start = block != NULL ? (size_t *)block - 2 : NULL;
    ledger->wrong_sizes += (start != NULL ? *start : 0) != old_size;
    if (new_size == 0) {
        ledger->blocks -= start != NULL;
        ledger->bytes -= start != NULL ? *start : 0;
        memory_give_back(start);
        return NULL;
    }
    ledger->asked += 1;
    if (memory_fails()) {
        return NULL;
    }
    size_t *fresh = memory_take(new_size);
    if (start != NULL) {
        memcpy(fresh + 2, block, old_size < new_size ? old_size : new_size);
        ledger->bytes -= *start;
        memory_give_back(start);
    } else {
        ledger->blocks += 1;
    }
    ledger->bytes += new_size;
    return fresh + 2;
}

gpool_allocator fault_hooks(fault_ledger *ledger)
{
    return (gpool_allocator){ .resize = memory_resize, .user = ledger };
}
