#include "peers.h"

uint32_t peer_slots16_create(peer_slots16 *slots)
{
    uint32_t slot = 0;
    if (slots->free_count > 0) {
        slot = slots->free[--slots->free_count];
    } else if (slots->used < PEER_SLOTS16_MAX) {
        slot = ++slots->used;
    } else {
        return 0;
    }
    slots->generations[slot] = (slots->generations[slot] + 1) & 0xffffu;
    slots->ids[slot] = slots->generations[slot] << 16 | slot;
    return slots->ids[slot];
}

bool peer_slots16_destroy(peer_slots16 *slots, uint32_t id)
{
    if (!peer_slots16_is_alive(slots, id)) {
        return false;
    }
    const uint32_t slot = id & 0xffffu;
    slots->ids[slot] = 0;
    slots->free[slots->free_count++] = slot;
    return true;
}

bool peer_slots16_is_alive(const peer_slots16 *slots, uint32_t id)
{
    return (id & 0xffffu) != 0 && slots->ids[id & 0xffffu] == id;
}
