/*
 * What every unit test includes: cmocka with the headers it needs, random numbers from a printed
 * seed, and allocator hooks that check the sizes they are told and fail on demand.
 */
#ifndef GPOOL_TESTS_UNIT_H
#define GPOOL_TESTS_UNIT_H

#include <gpool/base.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define UNIT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/** Compares enumerators and booleans too, and prints both values when they differ. */
#define assert_same(actual, expected) assert_int_equal((uint64_t)(actual), (uint64_t)(expected))

/** Seed of a random test: the first argument of the program, else a fixed one. Printed. */
static inline uint64_t unit_seed(int argc, char **argv)
{
    uint64_t seed = argc > 1 ? strtoull(argv[1], NULL, 0) : 20260101u;
    printf("seed %llu\n", (unsigned long long)seed);
    (void)fflush(stdout);
    return seed;
}

/** Next number of a splitmix64 sequence. */
static inline uint64_t unit_random(uint64_t *state)
{
    *state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = *state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/** Random number below `limit`, which is at least 1. */
static inline uint64_t unit_random_below(uint64_t *state, uint64_t limit)
{
    return unit_random(state) % limit;
}

/** What the hooks of unit_hooks() saw. */
typedef struct unit_allocator {
    uint64_t calls;        /* calls that ask for memory */
    uint64_t frees;        /* calls that free */
    uint64_t blocks;       /* blocks alive */
    uint64_t wrong_sizes;  /* calls whose old size is not what was asked for */
    uint64_t fail_at;      /* number of the call that fails; 0 = none */
    bool fail_for_ever;    /* all calls after it fail too */
    size_t last_old_size;  /* arguments of the last call */
    size_t last_new_size;  /* */
    const void *last_user; /* */
} unit_allocator;

/* Each block has a prefix with its size, and is filled with rubbish. */
#define UNIT_PREFIX  16u
#define UNIT_RUBBISH 0xa5

static inline void *unit_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    unit_allocator *allocator = user;
    char *start = block == NULL ? NULL : (char *)block - UNIT_PREFIX;
    size_t known = 0;
    if (start != NULL) {
        memcpy(&known, start, sizeof known);
    }
    allocator->wrong_sizes += known != old_size;
    allocator->last_old_size = old_size;
    allocator->last_new_size = new_size;
    allocator->last_user = user;
    if (new_size == 0) {
        allocator->frees += 1;
        allocator->blocks -= start != NULL;
        free(start);
        return NULL;
    }
    allocator->calls += 1;
    if (allocator->fail_at != 0 &&
        (allocator->calls == allocator->fail_at ||
         (allocator->fail_for_ever && allocator->calls > allocator->fail_at))) {
        return NULL;
    }
    char *moved = malloc(UNIT_PREFIX + new_size);
    if (moved == NULL) {
        abort();
    }
    memset(moved, UNIT_RUBBISH, UNIT_PREFIX + new_size);
    memcpy(moved, &new_size, sizeof new_size);
    if (start != NULL) {
        memcpy(moved + UNIT_PREFIX, block, known < new_size ? known : new_size);
        free(start);
    } else {
        allocator->blocks += 1;
    }
    return moved + UNIT_PREFIX;
}

/** Hooks that allocate through `allocator`. */
static inline gpool_allocator unit_hooks(unit_allocator *allocator)
{
    return (gpool_allocator){ .resize = unit_resize, .user = allocator };
}

#endif
