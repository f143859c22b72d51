/* In the place of the Rust peers where they are not built: there is no map, no belt and no
 * range allocator, so nobody asks them. */
#include "peers.h"

#include <stddef.h>

peer_slotmap *peer_slotmap_new(void)
{
    return NULL;
}

void peer_slotmap_delete(peer_slotmap *map)
{
    (void)map;
}

uint64_t peer_slotmap_create(peer_slotmap *map, uint64_t value)
{
    (void)map;
    (void)value;
    return 0;
}

bool peer_slotmap_destroy(peer_slotmap *map, uint64_t key)
{
    (void)map;
    (void)key;
    return true;
}

const uint64_t *peer_slotmap_get(const peer_slotmap *map, uint64_t key)
{
    (void)map;
    (void)key;
    return NULL;
}

peer_belt *peer_belt_open(const char *adapter, uint64_t size, uint64_t chunk, bool busy)
{
    (void)adapter;
    (void)size;
    (void)chunk;
    (void)busy;
    return NULL;
}

void peer_belt_close(peer_belt *belt)
{
    (void)belt;
}

void peer_belt_frame(peer_belt *belt, const uint64_t *offsets, uint32_t count, uint32_t size,
                     const uint8_t *data)
{
    (void)belt;
    (void)offsets;
    (void)count;
    (void)size;
    (void)data;
}

void peer_belt_wait(peer_belt *belt, uint64_t most)
{
    (void)belt;
    (void)most;
}

void peer_belt_read(peer_belt *belt, uint8_t *to)
{
    (void)belt;
    (void)to;
}

peer_ranges *peer_ranges_new(uint32_t kind, uint32_t size)
{
    (void)kind;
    (void)size;
    return NULL;
}

void peer_ranges_delete(peer_ranges *ranges)
{
    (void)ranges;
}

bool peer_ranges_alloc(peer_ranges *ranges, uint32_t size, uint64_t *offset, uint64_t *key)
{
    (void)ranges;
    (void)size;
    (void)offset;
    (void)key;
    return false;
}

void peer_ranges_free(peer_ranges *ranges, uint64_t offset, uint64_t key)
{
    (void)ranges;
    (void)offset;
    (void)key;
}
