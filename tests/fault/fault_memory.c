/*
 * Memory that counts and fails on demand: the allocator hooks, and gpool's own use of calloc(), which
 * the linker leads here (--wrap=calloc). Rubbish in fresh blocks, checked sizes.
 */
#include "fault.h"

#include <stdlib.h>
#include <string.h>

#define MEMORY_RUBBISH 0xa5

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

static void *memory_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    fault_ledger *ledger = user;
    size_t *start = block != NULL ? (size_t *)block - 2 : NULL;
    ledger->wrong_sizes += (start != NULL ? *start : 0) != old_size;
    if (new_size == 0) {
        ledger->blocks -= start != NULL;
        ledger->bytes -= start != NULL ? *start : 0;
        free(start);
        return NULL;
    }
    ledger->asked += 1;
    if (memory_fails()) {
        return NULL;
    }
    size_t *fresh = malloc(2 * sizeof *fresh + new_size);
    if (fresh == NULL) {
        abort();
    }
    memset(fresh + 2, MEMORY_RUBBISH, new_size);
    *fresh = new_size;
    if (start != NULL) {
        memcpy(fresh + 2, block, old_size < new_size ? old_size : new_size);
        ledger->bytes -= *start;
        free(start);
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
