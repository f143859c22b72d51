/* Peers of the bench, each behind C functions of the same shape. Never part of the library. */
#ifndef GPOOL_BENCH_PEERS_H
#define GPOOL_BENCH_PEERS_H

#include <stdbool.h>
#include <stdint.h>

#define PEER_SLOTMAP_NAME "slotmap 1.1.1"

/* Crate slotmap: SlotMap<DefaultKey, u64>. */
typedef struct peer_slotmap peer_slotmap;

/** NULL where the Rust peers are not built; all others do nothing then. */
peer_slotmap *peer_slotmap_new(void);
void peer_slotmap_delete(peer_slotmap *map);
uint64_t peer_slotmap_create(peer_slotmap *map, uint64_t value);
bool peer_slotmap_destroy(peer_slotmap *map, uint64_t key);
const uint64_t *peer_slotmap_get(const peer_slotmap *map, uint64_t key);

#define PEER_BELT_NAME "StagingBelt of wgpu 30.0.1"

/* Crate wgpu: StagingBelt on a device of its own, with one storage buffer of zeros. */
typedef struct peer_belt peer_belt;

/**
 * Opens the Vulkan adapter of this name; NULL where it is not there or the peers are not built.
 * Before the writes of a frame a busy one submits another use of the buffer.
 */
peer_belt *peer_belt_open(const char *adapter, uint64_t size, uint64_t chunk, bool busy);
void peer_belt_close(peer_belt *belt);

/** One frame: `count` writes of `size` bytes, which lie one after the other in `data`. */
void peer_belt_frame(peer_belt *belt, const uint64_t *offsets, uint32_t count, uint32_t size,
                     const uint8_t *data);

/** Waits until at most so many frames are out. */
void peer_belt_wait(peer_belt *belt, uint64_t most);

/** Reads the whole buffer back. */
void peer_belt_read(peer_belt *belt, uint8_t *to);

/* Range allocators: the crates offset-allocator and range-alloc, and the virtual blocks of VMA. */
typedef struct peer_ranges peer_ranges;

typedef enum peer_ranges_kind {
    PEER_RANGES_OFFSET_ALLOCATOR, /* crate offset-allocator 0.2.0 */
    PEER_RANGES_VMA,              /* VMA 3.3 by the crate vk-mem 0.5.0, default strategy */
    PEER_RANGES_RANGE_ALLOC,      /* crate range-alloc 0.1.5 */
    PEER_RANGES_COUNT
} peer_ranges_kind;

#define PEER_RANGES_OFFSET_ALLOCATOR_NAME "offset-allocator 0.2.0"
#define PEER_RANGES_VMA_NAME              "VMA 3.3 (vk-mem 0.5.0)"
#define PEER_RANGES_RANGE_ALLOC_NAME      "range-alloc 0.1.5"

/** A space that is free; NULL where the Rust peers are not built. */
peer_ranges *peer_ranges_new(uint32_t kind, uint32_t size);
void peer_ranges_delete(peer_ranges *ranges);

/** Takes a range; false when it is refused. */
bool peer_ranges_alloc(peer_ranges *ranges, uint32_t size, uint64_t *offset, uint64_t *key);

/** Gives it back, by what was set there. */
void peer_ranges_free(peer_ranges *ranges, uint64_t offset, uint64_t key);

#define PEER_SLOTS16_NAME "16-bit generations"
#define PEER_SLOTS16_MAX  65535u

/* The policy of libraries whose ids are 32 bits: slot in the low half, generation in the high. */
typedef struct peer_slots16 {
    uint32_t ids[PEER_SLOTS16_MAX + 1]; /* by slot; slot 0 is never used */
    uint32_t generations[PEER_SLOTS16_MAX + 1];
    uint32_t free[PEER_SLOTS16_MAX + 1]; /* stack */
    uint32_t free_count;
    uint32_t used;
} peer_slots16;

uint32_t peer_slots16_create(peer_slots16 *slots);
bool peer_slots16_destroy(peer_slots16 *slots, uint32_t id);
bool peer_slots16_is_alive(const peer_slots16 *slots, uint32_t id);

#endif
