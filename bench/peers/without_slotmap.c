/* In the place of the Rust peers where they are not built: there is no map, so nobody asks it. */
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
