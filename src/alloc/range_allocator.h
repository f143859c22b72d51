/*
 * What a range allocator is made of.
 *
 * The space is cut into pieces, live or free, each a node of 32 bytes in one block; nodes name each
 * other by index, so that the block may move when it grows. Node 0 is no piece but the sentinel: its
 * `next` is the first piece and its `prev` the last, it counts as live so that nothing merges with it, its
 * offset is above all others, and its links take the writes of list ends, which so need no branch.
 *
 * Free pieces stand in bins by size, like numbers with 6 bits of mantissa: sizes up to 127 have a bin
 * each, from there on each octave has 64. A bitmap has a bit for each bin that is not empty, and a word
 * above it a bit for each of its words that is not 0. Newest first: what was touched last is in
 * the cache.
 *
 * A planned move ties its two live pieces by a record, a node that is no piece: while they are tied
 * both have the MOVING flag, and the record's number where else the user's number stands.
 *
 * Invariants: pieces cover [0, size) in order, without gap or overlap; no two free pieces are
 * neighbours; links have the FREE flag when they lead to free pieces; each free piece stands in the
 * bin of its size and nothing else does; a node that is neither piece nor record has size 0, no flag,
 * and stands on the stack of unused ones. See gpool_range_allocator_validate().
 */
#ifndef GPOOL_ALLOC_RANGE_ALLOCATOR_H
#define GPOOL_ALLOC_RANGE_ALLOCATOR_H

#include "base/checked.h"
#include "base/memory.h"

#include <gpool/range.h>

#define GPOOL__RANGE_SIZE_MAX  (UINT64_C(1) << 56)
#define GPOOL__RANGE_NODES_MAX 0x7ffffffeu

/* Flags beside the size of a piece. */
#define GPOOL__RANGE_LIVE   (UINT64_C(1) << 63)
#define GPOOL__RANGE_MOVING (UINT64_C(1) << 62)
#define GPOOL__RANGE_SIZE   (UINT64_C(2) * GPOOL__RANGE_SIZE_MAX - 1)

/* Flag in a link between neighbours: the one it leads to is free. So what is freed need not look at those
 * of its neighbours that are live: it only writes to them, which does not wait for the cache. */
#define GPOOL__RANGE_FREE 0x80000000u

/* A size of 2^56 stands in the last octave's first bin. */
#define GPOOL__RANGE_ROWS 52u
#define GPOOL__RANGE_BINS (GPOOL__RANGE_ROWS * 64u)

/* Nodes of a bin that are looked at. With 1, 2, 4 and 8, on the trace of bench_alloc.c: 11.2, 9.6, 8.2 and 7.8 %
 * of requests refused at 95 % full; each is one more miss of the cache. */
#define GPOOL__RANGE_PROBES 2u

typedef struct gpool__range_node {
    uint64_t offset; /* a record: the user's number */
    uint64_t size;   /* with flags */
    uint32_t prev;   /* link to the neighbour by offset; a record: the source */
    uint32_t next;   /* the same; a record: the destination; unused: the next unused one */
    union {
        struct {
            uint32_t prev; /* 0 = it is the first */
            uint32_t next; /* 0 = it is the last */
        } bin;             /* free */
        struct {
            uint32_t stamp;
            uint32_t user; /* or the record */
        } live;
    } of;
} gpool__range_node;

/* How far a plan is; see range_moves.c. */
typedef struct gpool__range_plan {
    uint32_t phase;
    uint32_t cursor;      /* piece that is looked at next; 0 = past the end */
    uint32_t level;       /* how dear a range may be that is moved up */
    uint64_t ceiling;     /* ranges that begin from here on are moved to below it */
    uint64_t raise;       /* by which the ceiling rose last */
    bool last;            /* the last pass down: from above the ceiling to anywhere below */
    uint64_t stuck;       /* units above the ceiling that found no room in this pass */
    uint64_t lifted;      /* units moved up in this pass */
    uint64_t reached;     /* largest free range when ranges were last moved up */
    uint64_t moving_size; /* units of all sources */
    uint64_t churn;       /* units taken or freed since the plan last was at its end */
} gpool__range_plan;

/* Between two numbers that calls change stands one that they only read, or that changes rarely: compilers make
 * one load of two neighbours, and a load of what two stores have just written waits until both have left
 * the processor. */
struct gpool_range_allocator {
    gpool__range_node *nodes;
    uint64_t size;
    uint64_t live_size;
    uint32_t unused;   /* first of the stack of unused nodes; 0 = none */
    uint32_t limit;    /* nodes that there may be */
    uint32_t used;     /* nodes from here on were never used */
    uint32_t capacity; /* nodes that there is memory for, with the sentinel */
    uint32_t live_count;
    uint32_t moving_count;
    uint32_t free_count;
    uint32_t first_stamp;
    uint32_t stamp;      /* of the newest range */
    uint32_t free_steps; /* worst so far */
    uint32_t alloc_steps;
    bool stamps_wrapped;
    gpool__range_plan plan;
    gpool__memory memory;
    void *block; /* that the nodes lie in; NULL = in the caller's memory */
    uint64_t block_size;
    uint64_t top;                     /* bit i: rows[i] is not 0 */
    uint64_t rows[GPOOL__RANGE_ROWS]; /* bit j of row i: bin 64 i + j is not empty */
    uint32_t heads[GPOOL__RANGE_BINS];
};

/** The bin of a size: sizes are never smaller in a higher bin. */
static inline uint32_t gpool__range_bin(uint64_t size)
{
    const uint32_t shift = gpool__highest_bit(size | 64) - 6;
    return (shift << 6) + (uint32_t)(size >> shift);
}

/** Units of a piece. */
static inline uint64_t gpool__range_size(const gpool__range_node *node)
{
    return node->size & GPOOL__RANGE_SIZE;
}

static inline bool gpool__range_is_live(const gpool__range_node *node)
{
    return (node->size & GPOOL__RANGE_LIVE) != 0;
}

/** The piece that a link between neighbours leads to; 0 = the end. */
static inline uint32_t gpool__range_at(uint32_t link)
{
    return link & ~GPOOL__RANGE_FREE;
}

/** How far an offset is from the next multiple of `align`. */
static inline uint64_t gpool__range_pad(uint64_t offset, uint64_t align)
{
    uint64_t over = 0;
    if ((align & (align - 1)) == 0) {
        over = offset & (align - 1);
    } else {
        over = offset % align;
    }
    return over == 0 ? 0 : align - over;
}

/** The user's number of a live piece. */
static inline uint32_t gpool__range_user(const gpool_range_allocator *allocator,
                                         const gpool__range_node *node)
{
    const uint32_t user = node->of.live.user;
    return (node->size & GPOOL__RANGE_MOVING) == 0 ? user : (uint32_t)allocator->nodes[user].offset;
}

/** The first bin at or after one that is not empty; GPOOL__RANGE_BINS when there is none. */
static inline uint32_t gpool__range_next_bin(const gpool_range_allocator *allocator, uint32_t bin)
{
    uint32_t row = bin >> 6;
    if (row >= GPOOL__RANGE_ROWS) {
        return GPOOL__RANGE_BINS;
    }
    uint64_t bits = allocator->rows[row] & UINT64_MAX << (bin & 63);
    if (bits == 0) {
        /* Two shifts: row may be 63 in no case, but the one by row + 1 is then defined too. */
        const uint64_t above = allocator->top & UINT64_MAX << row << 1;
        if (above == 0) {
            return GPOOL__RANGE_BINS;
        }
        row = gpool__lowest_bit(above);
        bits = allocator->rows[row];
    }
    return (row << 6) + gpool__lowest_bit(bits);
}

/** True when that many nodes can be taken, for which there is memory now; false without memory, with everything as it was. */
bool gpool__range_reserve(gpool_range_allocator *allocator, uint32_t count);

/** Takes a reserved node. What stands in it is rubbish. */
static inline uint32_t gpool__range_take_node(gpool_range_allocator *allocator)
{
    const uint32_t node = allocator->unused;
    if (node != 0) {
        allocator->unused = allocator->nodes[node].next;
        return node;
    }
    return allocator->used++;
}

/** Gives a node back. */
static inline void gpool__range_drop_node(gpool_range_allocator *allocator, uint32_t node)
{
    allocator->nodes[node].size = 0;
    allocator->nodes[node].next = allocator->unused;
    allocator->unused = node;
}

/**
 * Makes a live piece of `size` units at the beginning of a free piece, `pad` units behind its own
 * beginning; nodes for it are reserved: one, and one more with a pad. Returns its node.
 */
uint32_t gpool__range_carve(gpool_range_allocator *allocator, uint32_t node, uint64_t pad,
                            uint64_t size, uint32_t user);

/** Makes a free piece the first of its bin; a live one stays as it is. */
void gpool__range_to_front(gpool_range_allocator *allocator, uint32_t node);

/** The handle of a live piece. */
static inline gpool_allocation gpool__range_handle(const gpool_range_allocator *allocator,
                                                   uint32_t node)
{
    const gpool__range_node *piece = &allocator->nodes[node];
    return (
        gpool_allocation){ .offset = piece->offset, .node = node, .stamp = piece->of.live.stamp };
}

/**
 * Gives a live range another number. Of the two ranges of a planned move that is not over the number stays,
 * as they have one together.
 */
void gpool__range_set_user(gpool_range_allocator *allocator, gpool_allocation allocation,
                           uint32_t user);

#endif
