#include "base/memory.h"

#include "base/thread.h"

#include <stdlib.h>
#include <string.h>

static void *memory_default_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    (void)user;
    (void)old_size;
    if (new_size == 0) {
        free(block);
        return NULL;
    }
    return realloc(block, new_size);
}

void gpool__memory_init(gpool__memory *memory, const gpool_allocator *hooks)
{
    *memory = (gpool__memory){ 0 };
    if (hooks != NULL && hooks->resize != NULL) {
        memory->hooks = *hooks;
    } else {
        memory->hooks.resize = memory_default_resize;
    }
}

void *gpool__realloc_unset(gpool__memory *memory, void *block, size_t old_size, size_t new_size)
{
    memory->allocations += 1;
    void *moved = memory->hooks.resize(memory->hooks.user, block, old_size, new_size);
    if (moved == NULL) {
        return NULL;
    }
    if (new_size > old_size) {
        gpool__advise_large(moved, new_size);
    }
    memory->bytes += new_size;
    memory->bytes -= old_size;
    return moved;
}

void *gpool__realloc(gpool__memory *memory, void *block, size_t old_size, size_t new_size)
{
    void *moved = gpool__realloc_unset(memory, block, old_size, new_size);
    if (moved != NULL && new_size > old_size) {
        memset((char *)moved + old_size, 0, new_size - old_size);
    }
    return moved;
}

void *gpool__alloc(gpool__memory *memory, size_t size)
{
    return size == 0 ? NULL : gpool__realloc(memory, NULL, 0, size);
}

void *gpool__alloc_unset(gpool__memory *memory, size_t size)
{
    if (size == 0) {
        return NULL;
    }
    memory->allocations += 1;
    void *block = memory->hooks.resize(memory->hooks.user, NULL, 0, size);
    memory->bytes += block != NULL ? size : 0;
    return block;
}

void gpool__free(gpool__memory *memory, void *block, size_t size)
{
    if (block != NULL) {
        (void)memory->hooks.resize(memory->hooks.user, block, size, 0);
        memory->bytes -= size;
    }
}

/* The shared empty string costs nothing and is never freed. */
static char memory_empty[1] = "";

char *gpool__copy_string(gpool__memory *memory, const char *text)
{
    if (text == NULL || text[0] == '\0') {
        return memory_empty;
    }
    size_t size = strlen(text) + 1;
    char *copy = gpool__alloc(memory, size);
    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

void gpool__free_string(gpool__memory *memory, char *text)
{
    if (text != NULL && text != memory_empty) {
        gpool__free(memory, text, strlen(text) + 1);
    }
}

bool gpool__reserve(gpool__memory *memory, void **items, uint32_t *capacity, uint32_t count,
                    size_t item_size)
{
    if (count <= *capacity) {
        return true;
    }
    uint64_t wanted = *capacity == 0 ? 8 : (uint64_t)*capacity * 2;
    while (wanted < count) {
        wanted *= 2;
    }
    if (wanted > UINT32_MAX || wanted > SIZE_MAX / item_size) {
        return false;
    }
    void *moved = gpool__realloc(memory, *items, *capacity * item_size, (size_t)wanted * item_size);
    if (moved == NULL) {
        return false;
    }
    *items = moved;
    *capacity = (uint32_t)wanted;
    return true;
}
