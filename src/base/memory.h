/*
 * Memory through the user's allocator hooks, counted. Every owner keeps sizes itself, so that the
 * hooks need no headers. One gpool__memory belongs to one thread at a time.
 */
#ifndef GPOOL_BASE_MEMORY_H
#define GPOOL_BASE_MEMORY_H

#include <gpool/base.h>

typedef struct gpool__memory {
    gpool_allocator hooks;
    uint64_t bytes;       /* taken now */
    uint64_t allocations; /* calls that asked for memory so far */
} gpool__memory;

/** Takes the hooks; all zero means malloc. */
void gpool__memory_init(gpool__memory *memory, const gpool_allocator *hooks);

/** Returns `size` zeroed bytes aligned to 16, or NULL. Size 0 gives NULL. */
void *gpool__alloc(gpool__memory *memory, size_t size);

/** The same with whatever bytes the block has. */
void *gpool__alloc_unset(gpool__memory *memory, size_t size);

/** Resizes a block; new bytes are zero. NULL leaves the old block valid. */
void *gpool__realloc(gpool__memory *memory, void *block, size_t old_size, size_t new_size);

/** The same; new bytes are whatever the block has. */
void *gpool__realloc_unset(gpool__memory *memory, void *block, size_t old_size, size_t new_size);

/** Frees a block of that size; NULL is silent. */
void gpool__free(gpool__memory *memory, void *block, size_t size);

/** Copies a string, "" for NULL; NULL without memory. Freed by gpool__free_string(). */
char *gpool__copy_string(gpool__memory *memory, const char *text);

/** Frees a copied string; NULL is silent. */
void gpool__free_string(gpool__memory *memory, char *text);

/**
 * Grows a typed array to hold at least `count` items, by doubling. False without memory, with the
 * array as it was.
 */
bool gpool__reserve(gpool__memory *memory, void **items, uint32_t *capacity, uint32_t count,
                    size_t item_size);

#endif
