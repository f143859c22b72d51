#include "alloc/range_allocator.h"

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>

#define RANGE_ALIGN       64u /* of what lies in the caller's memory: a line of the cache */
#define RANGE_NODE        sizeof(gpool__range_node)
#define RANGE_FIRST_NODES 64u

/* Steps that are the same in each call; the looks at nodes come on top. A word of the bitmap may be
 * followed by the one above it and one below that. */
#define RANGE_BIN_STEPS 3u

_Static_assert(sizeof(gpool__range_node) == 32, "a node is half a line of the cache");
_Static_assert(GPOOL__RANGE_NODES_MAX + 1u < GPOOL__RANGE_FREE, "a link has a bit for its flag");

/* Spreads the stamps of allocators over all numbers: what another gave out has none of ours. */
static atomic_uint range_made;

/* --- memory --- */

static uint64_t range_fixed_bytes(void)
{
    return RANGE_ALIGN + gpool__round_up(sizeof(gpool_range_allocator), RANGE_ALIGN);
}

uint64_t gpool_range_allocator_memory(uint32_t max_nodes)
{
    if (max_nodes == 0 || max_nodes > GPOOL__RANGE_NODES_MAX) {
        return 0;
    }
    return range_fixed_bytes() + (max_nodes + UINT64_C(1)) * RANGE_NODE;
}

/* Bytes of a block for so many nodes, which begin at a multiple of their size in it. */
static uint64_t range_block_bytes(uint32_t nodes)
{
    return (nodes + UINT64_C(1)) * RANGE_NODE;
}

/* Makes room for that many nodes; false without memory. */
static bool range_resize(gpool_range_allocator *allocator, uint32_t nodes)
{
    const uint64_t bytes = range_block_bytes(nodes);
    if (bytes > SIZE_MAX) {
        return false;
    }
    const uintptr_t before = (uintptr_t)allocator->nodes - (uintptr_t)allocator->block;
    char *moved = gpool__realloc_unset(&allocator->memory, allocator->block,
                                       (size_t)allocator->block_size, (size_t)bytes);
    if (moved == NULL) {
        return false;
    }
    const uintptr_t after = gpool__round_up((uintptr_t)moved, RANGE_NODE) - (uintptr_t)moved;
    if (allocator->block != NULL && before != after) {
        memmove(moved + after, moved + before, allocator->used * RANGE_NODE);
    }
    allocator->block = moved;
    allocator->block_size = bytes;
    allocator->nodes = (gpool__range_node *)(void *)(moved + after);
    allocator->capacity = nodes;
    return true;
}

/* The rare part of gpool__range_reserve(): there is no unused node, or one and two are needed. */
static bool range_reserve_more(gpool_range_allocator *allocator, uint32_t count)
{
    uint32_t there = allocator->capacity - allocator->used;
    for (uint32_t node = allocator->unused; node != 0 && there < count; ++there) {
        node = allocator->nodes[node].next;
    }
    if (there >= count) {
        return true;
    }
    if (allocator->limit - allocator->capacity < count - there) {
        return false;
    }
    const uint64_t twice = gpool__min(UINT64_C(2) * allocator->capacity, allocator->limit);
    return range_resize(allocator, (uint32_t)twice);
}

static inline bool range_reserve(gpool_range_allocator *allocator, uint32_t count)
{
    return allocator->capacity - allocator->used >= count || range_reserve_more(allocator, count);
}

bool gpool__range_reserve(gpool_range_allocator *allocator, uint32_t count)
{
    return range_reserve(allocator, count);
}

/* --- create and destroy --- */

/* Sets up an allocator of zeros; there is room for the sentinel. */
static void range_init(gpool_range_allocator *allocator)
{
    allocator->nodes[0] = (gpool__range_node){ .offset = UINT64_MAX, .size = GPOOL__RANGE_LIVE };
    allocator->used = 1;
    allocator->first_stamp = atomic_fetch_add(&range_made, 1) * 0x9e3779b1u;
    allocator->stamp = allocator->first_stamp;
}

static gpool_result range_create_inside(const gpool_range_allocator_desc *desc,
                                        gpool_range_allocator **allocator)
{
    const uint32_t least = desc->max_nodes != 0 ? desc->max_nodes : 1;
    if (desc->memory_size < gpool_range_allocator_memory(least)) {
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    uint64_t nodes = desc->max_nodes + UINT64_C(1);
    if (desc->max_nodes == 0) {
        nodes = gpool__min((desc->memory_size - range_fixed_bytes()) / RANGE_NODE,
                           GPOOL__RANGE_NODES_MAX + UINT64_C(1));
    }
    char *memory = desc->memory;
    memory += gpool__round_up((uintptr_t)memory, RANGE_ALIGN) - (uintptr_t)memory;
    gpool_range_allocator *made = (gpool_range_allocator *)(void *)memory;
    memset(made, 0, sizeof *made);
    made->nodes =
        (gpool__range_node *)(void *)(memory + gpool__round_up(sizeof *made, RANGE_ALIGN));
    made->limit = (uint32_t)nodes;
    made->capacity = made->limit;
    *allocator = made;
    return GPOOL_OK;
}

static gpool_result range_create_outside(const gpool_range_allocator_desc *desc,
                                         gpool_range_allocator **allocator)
{
    gpool__memory memory;
    gpool__memory_init(&memory, &desc->allocator);
    gpool_range_allocator *made = gpool__alloc(&memory, sizeof *made);
    if (made == NULL) {
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    made->memory = memory;
    made->limit = (desc->max_nodes != 0 ? desc->max_nodes : GPOOL__RANGE_NODES_MAX) + 1;
    if (!range_resize(made, (uint32_t)gpool__min(made->limit, RANGE_FIRST_NODES))) {
        gpool__free(&memory, made, sizeof *made);
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    *allocator = made;
    return GPOOL_OK;
}

gpool_result gpool_range_allocator_create(const gpool_range_allocator_desc *desc,
                                          gpool_range_allocator **allocator)
{
    if (allocator == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    *allocator = NULL;
    if (desc == NULL || desc->max_nodes > GPOOL__RANGE_NODES_MAX ||
        (desc->memory == NULL && desc->memory_size != 0)) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (desc->size > GPOOL__RANGE_SIZE_MAX) {
        return GPOOL_ERROR_OUT_OF_RANGE;
    }
    gpool_result result = desc->memory != NULL ? range_create_inside(desc, allocator)
                                               : range_create_outside(desc, allocator);
    if (result == GPOOL_OK) {
        range_init(*allocator);
        /* There is room for one piece. */
        result = gpool_range_allocator_grow(*allocator, desc->size);
    }
    return result;
}

void gpool_range_allocator_destroy(gpool_range_allocator *allocator)
{
    if (allocator == NULL || allocator->block == NULL) {
        return;
    }
    gpool__memory memory = allocator->memory;
    gpool__free(&memory, allocator->block, (size_t)allocator->block_size);
    gpool__free(&memory, allocator, sizeof *allocator);
}

/* --- bins --- */

static inline void range_link(gpool_range_allocator *allocator, uint32_t index, uint32_t bin)
{
    gpool__range_node *const nodes = allocator->nodes;
    const uint32_t head = allocator->heads[bin];
    nodes[index].of.bin.prev = 0;
    nodes[index].of.bin.next = head;
    nodes[head].of.bin.prev = index;
    allocator->heads[bin] = index;
    allocator->rows[bin >> 6] |= UINT64_C(1) << (bin & 63);
    allocator->top |= UINT64_C(1) << (bin >> 6);
}

/* Without branches, as none of them could be foretold: which place a piece has in its bin, and whether it
 * was the last one there, is as good as random. */
static inline void range_unlink(gpool_range_allocator *allocator, uint32_t index, uint32_t bin)
{
    gpool__range_node *const nodes = allocator->nodes;
    const uint32_t prev = nodes[index].of.bin.prev;
    const uint32_t next = nodes[index].of.bin.next;
    nodes[next].of.bin.prev = prev;
    nodes[prev].of.bin.next = next;
    const uint32_t first = allocator->heads[bin];
    const uint32_t head = prev == 0 ? next : first;
    allocator->heads[bin] = head;
    const uint64_t row = allocator->rows[bin >> 6] & ~((uint64_t)(head == 0) << (bin & 63));
    allocator->rows[bin >> 6] = row;
    allocator->top &= ~((uint64_t)(row == 0) << (bin >> 6));
}

/* Brings a free piece, whose size has changed, from one bin to another. */
static inline void range_relink(gpool_range_allocator *allocator, uint32_t index, uint32_t from,
                                uint32_t to)
{
    if (from != to) {
        range_unlink(allocator, index, from);
        range_link(allocator, index, to);
    }
}

void gpool__range_to_front(gpool_range_allocator *allocator, uint32_t node)
{
    const gpool__range_node *const piece = &allocator->nodes[node];
    if (!gpool__range_is_live(piece)) {
        const uint32_t bin = gpool__range_bin(piece->size);
        range_unlink(allocator, node, bin);
        range_link(allocator, node, bin);
    }
}

/* --- taking --- */

/* A free piece that fits, and where in it. */
typedef struct range_found {
    uint32_t node; /* 0 = none */
    uint32_t steps;
    uint64_t pad;
} range_found;

/* Looks at the first nodes of a bin for the one with the lowest offset that fits. */
static inline void range_probe(const gpool_range_allocator *allocator, uint32_t bin, uint64_t size,
                               uint64_t align, range_found *found)
{
    const gpool__range_node *const nodes = allocator->nodes;
    uint64_t lowest = UINT64_MAX;
    uint32_t node = allocator->heads[bin];
    for (uint32_t i = 0; i < GPOOL__RANGE_PROBES && node != 0; ++i) {
        const gpool__range_node *const piece = &nodes[node];
        found->steps += 1;
        if (piece->size >= size && piece->offset < lowest) {
            const uint64_t pad = align > 1 ? gpool__range_pad(piece->offset, align) : 0;
            if (pad <= piece->size - size) {
                lowest = piece->offset;
                found->node = node;
                found->pad = pad;
            }
        }
        node = piece->of.bin.next;
    }
}

/* The offset of a piece that is large enough; of another, and of the sentinel, it is above all. */
static inline uint64_t range_key(const gpool__range_node *piece, uint64_t size)
{
    return piece->offset | (0 - (uint64_t)(piece->size < size));
}

_Static_assert(GPOOL__RANGE_PROBES == 2, "range_pick() looks at two");

/* The lower one of the first two pieces of a bin that are large enough; 0 = neither is. */
static inline uint32_t range_pick(const gpool_range_allocator *allocator, uint32_t bin,
                                  uint64_t size)
{
    const gpool__range_node *const nodes = allocator->nodes;
    const uint32_t first = allocator->heads[bin];
    const uint32_t second = nodes[first].of.bin.next & (0 - (uint32_t)(first != 0));
    const uint64_t a = range_key(&nodes[first], size);
    const uint64_t b = range_key(&nodes[second], size);
    const uint32_t lower = b < a ? second : first;
    return (a & b) == UINT64_MAX ? 0 : lower;
}

/*
 * Finds a piece: in the bin that the size itself belongs to, where some may fit, else in the next that is
 * not empty, where all do. Without an alignment both are looked at at once, and no branch depends on what is
 * found.
 */
static inline void range_find(const gpool_range_allocator *allocator, uint64_t size, uint64_t align,
                              range_found *found)
{
    const uint32_t bin = gpool__range_bin(size);
    const uint32_t above = gpool__range_next_bin(allocator, bin + 1);
    found->steps += RANGE_BIN_STEPS;
    if (align == 1 && above < GPOOL__RANGE_BINS) {
        const uint32_t near = range_pick(allocator, bin, size);
        const uint32_t far = range_pick(allocator, above, size);
        found->node = near != 0 ? near : far;
        found->steps += 2 * GPOOL__RANGE_PROBES;
        return;
    }
    range_probe(allocator, bin, size, align, found);
    if (found->node == 0 && above < GPOOL__RANGE_BINS) {
        range_probe(allocator, above, size, align, found);
    }
}

/* What was found does not fit because of its alignment: asks for so much that any place would do. */
static range_found range_find_aligned(const gpool_range_allocator *allocator, uint64_t size,
                                      uint64_t align, range_found found)
{
    if (align - 1 <= allocator->size - size) {
        range_find(allocator, size + (align - 1), 1, &found);
        if (found.node != 0) {
            found.pad = gpool__range_pad(allocator->nodes[found.node].offset, align);
            return found;
        }
    }
    /* The beginning of the space is aligned to everything. */
    const uint32_t first = gpool__range_at(allocator->nodes[0].next);
    const gpool__range_node *const piece = &allocator->nodes[first];
    found.steps += 1;
    if (!gpool__range_is_live(piece) && piece->size >= size) {
        found.node = first;
        found.pad = 0;
    }
    return found;
}

/* A piece between two neighbours, all by their links. */
static inline void range_place(gpool_range_allocator *allocator, uint32_t link, uint32_t prev,
                               uint32_t next)
{
    gpool__range_node *const nodes = allocator->nodes;
    gpool__range_node *const piece = &nodes[gpool__range_at(link)];
    piece->prev = prev;
    piece->next = next;
    nodes[gpool__range_at(prev)].next = link;
    nodes[gpool__range_at(next)].prev = link;
}

/* Puts a free piece of a size, whose place is set, into its bin. */
static inline void range_set_free(gpool_range_allocator *allocator, uint32_t index, uint64_t offset,
                                  uint64_t size)
{
    allocator->nodes[index].offset = offset;
    allocator->nodes[index].size = size;
    range_link(allocator, index, gpool__range_bin(size));
    allocator->free_count += 1;
}

static inline uint32_t range_carve(gpool_range_allocator *allocator, uint32_t index, uint64_t pad,
                                   uint64_t size, uint32_t user)
{
    gpool__range_node *const nodes = allocator->nodes;
    gpool__range_node *const piece = &nodes[index];
    const uint64_t offset = piece->offset + pad;
    const uint64_t rest = piece->size - pad - size;
    const uint32_t bin = gpool__range_bin(piece->size);
    const uint32_t prev = piece->prev;
    const uint32_t next = piece->next;
    uint32_t taken = index;
    if (pad > 0) {
        /* The piece stays what is free before it. */
        taken = gpool__range_take_node(allocator);
        range_place(allocator, taken, index | GPOOL__RANGE_FREE, next);
        if (rest > 0) {
            const uint32_t behind = gpool__range_take_node(allocator);
            range_place(allocator, behind | GPOOL__RANGE_FREE, taken, next);
            range_set_free(allocator, behind, offset + size, rest);
        }
        piece->size = pad;
        range_relink(allocator, index, bin, gpool__range_bin(pad));
    } else if (rest > 0) {
        /* The piece stays what is free behind it: large ones stay in their bin. */
        taken = gpool__range_take_node(allocator);
        range_place(allocator, taken, prev, index | GPOOL__RANGE_FREE);
        piece->offset = offset + size;
        piece->size = rest;
        range_relink(allocator, index, bin, gpool__range_bin(rest));
    } else {
        range_place(allocator, index, prev, next);
        range_unlink(allocator, index, bin);
        allocator->free_count -= 1;
    }
    allocator->live_count += 1;
    allocator->live_size += size;
    allocator->stamp += 1;
    if (allocator->stamp == allocator->first_stamp) {
        allocator->stamps_wrapped = true;
    }
    nodes[taken].offset = offset;
    nodes[taken].size = size | GPOOL__RANGE_LIVE;
    nodes[taken].of.live.stamp = allocator->stamp;
    nodes[taken].of.live.user = user;
    return taken;
}

uint32_t gpool__range_carve(gpool_range_allocator *allocator, uint32_t node, uint64_t pad,
                            uint64_t size, uint32_t user)
{
    return range_carve(allocator, node, pad, size, user);
}

/*
 * Writes a handle with one store of its 16 bytes. Callers copy it as a whole at once, which waits for the
 * stores of its parts to leave the processor, one after another, when there are several, and so for
 * all misses of the cache before them.
 */
static inline void range_tell(gpool_allocation *out, gpool_allocation handle)
{
#if defined(__GNUC__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    typedef uint64_t pair __attribute__((vector_size(16)));
    _Static_assert(sizeof(pair) == sizeof handle && offsetof(gpool_allocation, node) == 8 &&
                       offsetof(gpool_allocation, stamp) == 12,
                   "two numbers of 64 bits");
    const pair both = { handle.offset, handle.node | (uint64_t)handle.stamp << 32 };
    memcpy(out, &both, sizeof both);
#else
    *out = handle;
#endif
}

gpool_result gpool_range_alloc(gpool_range_allocator *allocator, uint64_t size, uint64_t align,
                               uint32_t user, gpool_allocation *out)
{
    if (out == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    *out = (gpool_allocation){ 0 };
    if (allocator == NULL || align == 0) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (size - 1 >= allocator->size) { /* 0, too */
        return GPOOL_ERROR_OUT_OF_RANGE;
    }
    range_found found = { 0 };
    if (align == 1) {
        range_find(allocator, size, 1, &found);
    } else {
        range_find(allocator, size, align, &found);
        if (found.node == 0) {
            found = range_find_aligned(allocator, size, align, found);
        }
    }
    /* Out of one bin, and into at most two. */
    const uint32_t steps = found.steps + 3;
    if (steps > allocator->alloc_steps) {
        allocator->alloc_steps = steps;
    }
    if (found.node == 0) {
        return GPOOL_ERROR_FULL;
    }
    const uint64_t whole = allocator->nodes[found.node].size;
    const uint32_t more = (found.pad > 0 ? 1u : 0u) + (whole - found.pad > size ? 1u : 0u);
    if (!range_reserve(allocator, more)) {
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    const uint32_t taken = range_carve(allocator, found.node, found.pad, size, user);
    allocator->plan.churn += size;
    range_tell(out, gpool__range_handle(allocator, taken));
    return GPOOL_OK;
}

/* --- giving back --- */

/* Why a handle is not good, which it is not. */
static gpool_result range_refuse(const gpool_range_allocator *allocator, gpool_allocation handle)
{
    if (handle.node == 0 && handle.stamp == 0 && handle.offset == 0) {
        return GPOOL_ERROR_NULL_HANDLE;
    }
    const uint32_t age = handle.stamp - allocator->first_stamp - 1;
    const bool given_out =
        allocator->stamps_wrapped || age < allocator->stamp - allocator->first_stamp;
    if (!given_out || handle.node == 0 || handle.node >= allocator->used ||
        handle.offset >= allocator->size) {
        return GPOOL_ERROR_INVALID_HANDLE;
    }
    const gpool__range_node *const piece = &allocator->nodes[handle.node];
    const bool wrong_offset = gpool__range_is_live(piece) && piece->of.live.stamp == handle.stamp;
    return wrong_offset ? GPOOL_ERROR_INVALID_HANDLE : GPOOL_ERROR_STALE_HANDLE;
}

static inline bool range_is_good(const gpool_range_allocator *allocator, gpool_allocation handle)
{
    if (handle.node == 0 || handle.node >= allocator->used) {
        return false;
    }
    const gpool__range_node *const piece = &allocator->nodes[handle.node];
    return gpool__range_is_live(piece) && piece->of.live.stamp == handle.stamp &&
           piece->offset == handle.offset;
}

/* Drops a piece that another has swallowed. */
static inline void range_swallow(gpool_range_allocator *allocator, uint32_t index, uint32_t by)
{
    gpool__range_drop_node(allocator, index);
    if (allocator->plan.cursor == index) {
        allocator->plan.cursor = by;
    }
}

/* One of a planned move goes: the other is then a range as all others. */
static void range_untie(gpool_range_allocator *allocator, gpool__range_node *piece)
{
    const uint32_t index = piece->of.live.user;
    const gpool__range_node record = allocator->nodes[index];
    gpool__range_node *const from = &allocator->nodes[record.prev];
    gpool__range_node *const to = &allocator->nodes[record.next];
    from->size &= ~GPOOL__RANGE_MOVING;
    from->of.live.user = (uint32_t)record.offset;
    to->size &= ~GPOOL__RANGE_MOVING;
    to->of.live.user = (uint32_t)record.offset;
    gpool__range_drop_node(allocator, index);
    allocator->moving_count -= 1;
    allocator->plan.moving_size -= gpool__range_size(from);
}

/* Asks for all that a free may touch at once, given the links to its neighbours: otherwise one miss of the
 * cache waits for another. */
GPOOL__ALWAYS_INLINE void range_prefetch(const gpool_range_allocator *allocator, uint32_t before,
                                         uint32_t behind, uint64_t size)
{
    const gpool__range_node *const nodes = allocator->nodes;
    gpool__prefetch(&nodes[gpool__range_at(before)]);
    gpool__prefetch(&nodes[gpool__range_at(behind)]);
    uint64_t whole = size;
    if ((behind & GPOOL__RANGE_FREE) != 0) {
        const gpool__range_node *const b = &nodes[gpool__range_at(behind)];
        gpool__prefetch(&nodes[b->of.bin.prev]);
        gpool__prefetch(&nodes[b->of.bin.next]);
        gpool__prefetch(&nodes[b->next]);
        whole += b->size;
    }
    if ((before & GPOOL__RANGE_FREE) != 0) {
        const gpool__range_node *const a = &nodes[gpool__range_at(before)];
        gpool__prefetch(&nodes[a->of.bin.prev]);
        gpool__prefetch(&nodes[a->of.bin.next]);
        whole += a->size;
    }
    gpool__prefetch(&nodes[allocator->heads[gpool__range_bin(whole)]]);
}

gpool_result gpool_range_free(gpool_range_allocator *allocator, gpool_allocation allocation)
{
    if (allocator == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (!range_is_good(allocator, allocation)) {
        return range_refuse(allocator, allocation);
    }
    gpool__range_node *const nodes = allocator->nodes;
    const uint32_t index = allocation.node;
    gpool__range_node *const piece = &nodes[index];
    if ((piece->size & GPOOL__RANGE_MOVING) != 0) {
        range_untie(allocator, piece);
    } else {
        allocator->plan.churn += gpool__range_size(piece);
    }
    uint64_t size = gpool__range_size(piece);
    const uint32_t prev = piece->prev;
    uint32_t next = piece->next;
    uint32_t steps = 1;
    range_prefetch(allocator, prev, next, size);
    allocator->live_count -= 1;
    allocator->live_size -= size;
    allocator->free_count += 1;
    if ((next & GPOOL__RANGE_FREE) != 0) {
        const uint32_t swallowed = gpool__range_at(next);
        range_unlink(allocator, swallowed, gpool__range_bin(nodes[swallowed].size));
        size += nodes[swallowed].size;
        next = nodes[swallowed].next;
        range_swallow(allocator, swallowed, index);
        allocator->free_count -= 1;
        steps += 1;
    }
    if ((prev & GPOOL__RANGE_FREE) != 0) {
        const uint32_t before = gpool__range_at(prev);
        const uint32_t bin = gpool__range_bin(nodes[before].size);
        size += nodes[before].size;
        nodes[before].size = size;
        nodes[before].next = next;
        nodes[next].prev = prev;
        range_swallow(allocator, index, before);
        range_relink(allocator, before, bin, gpool__range_bin(size));
        allocator->free_count -= 1;
        steps += 1;
    } else {
        piece->size = size;
        range_place(allocator, index | GPOOL__RANGE_FREE, prev, next);
        range_link(allocator, index, gpool__range_bin(size));
    }
    if (steps > allocator->free_steps) {
        allocator->free_steps = steps;
    }
    return GPOOL_OK;
}

gpool_result gpool_range_get(const gpool_range_allocator *allocator, gpool_allocation allocation,
                             gpool_range *range, uint32_t *user)
{
    if (allocator == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (!range_is_good(allocator, allocation)) {
        return range_refuse(allocator, allocation);
    }
    const gpool__range_node *const piece = &allocator->nodes[allocation.node];
    if (range != NULL) {
        *range = (gpool_range){ .offset = piece->offset, .size = gpool__range_size(piece) };
    }
    if (user != NULL) {
        *user = gpool__range_user(allocator, piece);
    }
    return GPOOL_OK;
}

/* --- growing --- */

gpool_result gpool_range_allocator_grow(gpool_range_allocator *allocator, uint64_t size)
{
    if (allocator == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (size < allocator->size || size > GPOOL__RANGE_SIZE_MAX) {
        return GPOOL_ERROR_OUT_OF_RANGE;
    }
    const uint64_t more = size - allocator->size;
    if (more == 0) {
        return GPOOL_OK;
    }
    const uint32_t link = allocator->nodes[0].prev;
    const uint32_t last = gpool__range_at(link);
    if ((link & GPOOL__RANGE_FREE) != 0) {
        const uint32_t bin = gpool__range_bin(allocator->nodes[last].size);
        allocator->nodes[last].size += more;
        range_relink(allocator, last, bin, gpool__range_bin(allocator->nodes[last].size));
    } else {
        if (!range_reserve(allocator, 1)) {
            return GPOOL_ERROR_OUT_OF_MEMORY;
        }
        const uint32_t index = gpool__range_take_node(allocator);
        range_place(allocator, index | GPOOL__RANGE_FREE, last, 0);
        range_set_free(allocator, index, allocator->size, more);
    }
    allocator->size = size;
    allocator->plan.churn += more;
    return GPOOL_OK;
}
