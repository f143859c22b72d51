/* The range allocator against others on one trace: ranges of random sizes are freed at random and others
 * taken until the space is as full as before. Each call is timed by itself, so that the picking of what
 * comes next is in no time. */
#include "bench.h"
#include "peers/peers.h"

#include <gpool/range.h>

#include <math.h>
#include <stdlib.h>

#define ALLOC_SPACE  (1u << 28)
#define ALLOC_SIZES  (1u << 21) /* requests until the sequence begins anew */
#define ALLOC_MOST   (1u << 19) /* live ranges */
#define ALLOC_ITEMS  (UINT64_C(1) << 20)
#define ALLOC_STEPS  UINT64_C(1000000)
#define ALLOC_NARROW 160000u

/* Pairs with the peers that are not the row's own. */
#define ALLOC_OTHER_PAIRS 15u
/* range-alloc looks at all free ranges, so it gets less to do: this part of a sample, and of the steps after which
 * refusals are counted. */
#define ALLOC_SLOW_SHARE 128u
#define ALLOC_SLOW_STEPS 16u
/* Steps of a sample on the thread's clock. */
#define ALLOC_LOOP_ITEMS (UINT64_C(1) << 17)
/* Steps until a space is as it stays. */
#define ALLOC_WARM_STEPS UINT64_C(200000)

/* The most steps of a free that range.h promises. */
#define ALLOC_FREE_STEPS 3

#define ALLOC_OURS PEER_RANGES_COUNT

static const char *const alloc_peers[PEER_RANGES_COUNT] = { PEER_RANGES_OFFSET_ALLOCATOR_NAME,
                                                            PEER_RANGES_VMA_NAME,
                                                            PEER_RANGES_RANGE_ALLOC_NAME };

/* A live range; the key is a peer's, or node and stamp of ours. */
typedef struct alloc_range {
    uint64_t offset;
    uint64_t key;
    uint32_t size;
} alloc_range;

/* One allocator on the trace. */
typedef struct alloc_side {
    uint32_t kind; /* a peer_ranges_kind or ALLOC_OURS */
    gpool_range_allocator *ours;
    peer_ranges *peer;
    const uint32_t *sizes;
    alloc_range *live;
    uint64_t live_count;
    uint64_t live_size;
    uint64_t most_count; /* ranges to have; 0 = by size */
    uint64_t most_size;
    uint64_t picks; /* state of the picks */
    uint64_t next;  /* request */
    uint64_t requests;
    uint64_t refused; /* of them, though enough units were free */
    bool timed;       /* each call, by the timer */
    bench_timer timer;
} alloc_side;

/* xorshift64, whose low bits are as good as its high ones for this. */
static uint64_t alloc_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static uint64_t alloc_seed(uint64_t factor)
{
    uint64_t state = factor | 1;
    for (int i = 0; i < 16; ++i) {
        (void)alloc_random(&state);
    }
    return state;
}

/* Log-uniform from 64 to 262,144, or even from 512 to 2,048. */
static uint32_t *alloc_make_sizes(bool narrow)
{
    uint32_t *sizes = bench_alloc(ALLOC_SIZES, sizeof *sizes);
    uint64_t state = alloc_seed(UINT64_C(0x9e3779b97f4a7c15));
    for (uint32_t i = 0; i < ALLOC_SIZES; ++i) {
        const uint64_t random = alloc_random(&state);
        sizes[i] = narrow ? 512u + (uint32_t)(random >> 33) % 1537u
                          : (uint32_t)(64.0 * pow(4096.0, (double)(random >> 11) * 0x1p-53));
    }
    return sizes;
}

static bool alloc_take(alloc_side *side, alloc_range *range)
{
    if (side->kind != ALLOC_OURS) {
        return peer_ranges_alloc(side->peer, range->size, &range->offset, &range->key);
    }
    gpool_allocation made;
    if (gpool_range_alloc(side->ours, range->size, 1, 0, &made) != GPOOL_OK) {
        return false;
    }
    range->offset = made.offset;
    range->key = made.node | (uint64_t)made.stamp << 32;
    return true;
}

static void alloc_give(alloc_side *side, const alloc_range *range)
{
    if (side->kind != ALLOC_OURS) {
        peer_ranges_free(side->peer, range->offset, range->key);
        return;
    }
    const gpool_allocation made = { range->offset, (uint32_t)range->key,
                                    (uint32_t)(range->key >> 32) };
    (void)gpool_range_free(side->ours, made);
}

static uint64_t alloc_begin(const alloc_side *side)
{
    return side->timed ? bench_tick() : 0;
}

static void alloc_end(alloc_side *side, uint64_t begin)
{
    if (side->timed) {
        bench_timer_add(&side->timer, begin);
    }
}

/* Takes ranges until there are as many as wanted, or one is refused. */
static void alloc_refill(alloc_side *side)
{
    while (side->most_count > 0 ? side->live_count < side->most_count
                                : side->live_size < side->most_size) {
        alloc_range *range = &side->live[side->live_count];
        range->size = side->sizes[side->next];
        side->next = (side->next + 1) % ALLOC_SIZES;
        side->requests += 1;
        const uint64_t begin = alloc_begin(side);
        const bool taken = alloc_take(side, range);
        alloc_end(side, begin);
        if (!taken) {
            side->refused += ALLOC_SPACE - side->live_size >= range->size;
            return;
        }
        side->live_count += 1;
        side->live_size += range->size;
    }
}

static void alloc_work(void *state, uint64_t count)
{
    alloc_side *side = state;
    for (uint64_t i = 0; i < count; ++i) {
        const uint64_t at = (side->picks >> 32) * side->live_count >> 32;
        const alloc_range range = side->live[at];
        side->live_count -= 1;
        side->live[at] = side->live[side->live_count];
        /* The next pick is fetched now, so that the time is not that of this list. */
        __builtin_prefetch(
            &side->live[(alloc_random(&side->picks) >> 32) * side->live_count >> 32]);
        const uint64_t begin = alloc_begin(side);
        alloc_give(side, &range);
        alloc_end(side, begin);
        side->live_size -= range.size;
        alloc_refill(side);
    }
}

/* Opens a side and fills it; false where the peer is not built. */
static bool alloc_open(alloc_side *side, uint32_t kind, const uint32_t *sizes, double fill,
                       uint64_t count)
{
    *side = (alloc_side){ .kind = kind,
                          .sizes = sizes,
                          .most_count = count,
                          .most_size = (uint64_t)ceil(fill * ALLOC_SPACE),
                          .picks = alloc_seed(UINT64_C(0xd1b54a32d192ed03)) };
    if (kind == ALLOC_OURS) {
        const gpool_range_allocator_desc desc = { .size = ALLOC_SPACE };
        bench_require(gpool_range_allocator_create(&desc, &side->ours) == GPOOL_OK, "no memory");
    } else {
        side->peer = peer_ranges_new(kind, ALLOC_SPACE);
        if (side->peer == NULL) {
            return false;
        }
    }
    side->live = bench_alloc(ALLOC_MOST, sizeof *side->live);
    alloc_refill(side);
    side->requests = 0;
    side->refused = 0;
    return true;
}

static int alloc_by_offset(const void *a, const void *b)
{
    const uint64_t x = ((const alloc_range *)a)->offset;
    const uint64_t y = ((const alloc_range *)b)->offset;
    return (x > y) - (x < y);
}

/* Checks that nothing overlaps, and closes it. */
static void alloc_close(alloc_side *side)
{
    if (side->live != NULL) {
        qsort(side->live, side->live_count, sizeof *side->live, alloc_by_offset);
        uint64_t end = 0;
        for (uint64_t i = 0; i < side->live_count; ++i) {
            bench_require(side->live[i].offset >= end, "two live ranges overlap");
            end = side->live[i].offset + side->live[i].size;
        }
        bench_require(end <= ALLOC_SPACE, "a range lies outside");
        free(side->live);
    }
    gpool_range_allocator_destroy(side->ours);
    if (side->peer != NULL) {
        peer_ranges_delete(side->peer);
    }
}

/* A side that is measured by its calls, or by whole steps on the thread's clock. */
static bench_side alloc_measured(alloc_side *side, bool timed)
{
    side->timed = timed;
    return (bench_side){ .name = side->kind != ALLOC_OURS ? alloc_peers[side->kind] : NULL,
                         .work = alloc_work,
                         .state = side,
                         .timer = timed ? &side->timer : NULL };
}

/* Our time by another peer's, each with a trace of its own: the median of some pairs. */
static double alloc_compare(uint32_t kind, const uint32_t *sizes, double fill, uint64_t live,
                            bool timed, uint64_t count)
{
    alloc_side ours;
    alloc_side peer;
    double parts[ALLOC_OTHER_PAIRS];
    if (!alloc_open(&peer, kind, sizes, fill, live)) {
        return NAN;
    }
    (void)alloc_open(&ours, ALLOC_OURS, sizes, fill, live);
    alloc_work(&ours, ALLOC_WARM_STEPS);
    alloc_work(&peer, ALLOC_WARM_STEPS);
    const bench_side us = alloc_measured(&ours, timed);
    const bench_side other = alloc_measured(&peer, timed);
    for (unsigned i = 0; i < ALLOC_OTHER_PAIRS; ++i) {
        parts[i] = bench_sample(&us, count);
        parts[i] /= bench_sample(&other, count);
    }
    alloc_close(&ours);
    alloc_close(&peer);
    return bench_spread_of(parts, ALLOC_OTHER_PAIRS).median;
}

static void alloc_measure(bench_run *run, bench_row *row, bool narrow, double fill, uint64_t live,
                          double by_vma, double by_range_alloc)
{
    uint32_t *sizes = alloc_make_sizes(narrow);
    alloc_side ours;
    alloc_side peer;
    (void)alloc_open(&ours, ALLOC_OURS, sizes, fill, live);
    const bool has_peer = alloc_open(&peer, PEER_RANGES_OFFSET_ALLOCATOR, sizes, fill, live);
    const bool timed = BENCH_HAS_TICKS && run->counted == NULL;
    alloc_work(&ours, bench_repeats(run, ALLOC_WARM_STEPS));
    if (has_peer) {
        alloc_work(&peer, bench_repeats(run, ALLOC_WARM_STEPS));
    }
    const bench_side us = alloc_measured(&ours, timed);
    const bench_side other = alloc_measured(&peer, timed);
    bench_measure(run, row, us, has_peer ? &other : NULL, ALLOC_ITEMS);
    bench_add_counter(row, "live", (double)ours.live_count);
    alloc_close(&ours);
    alloc_close(&peer);
    if (has_peer && !run->quick && run->counted == NULL) {
        bench_add_limited(row, "time_by_vma",
                          alloc_compare(PEER_RANGES_VMA, sizes, fill, live, timed, ALLOC_ITEMS),
                          by_vma);
        bench_add_limited(row, "time_by_range_alloc",
                          alloc_compare(PEER_RANGES_RANGE_ALLOC, sizes, fill, live, timed,
                                        ALLOC_ITEMS / ALLOC_SLOW_SHARE),
                          by_range_alloc);
        bench_add_counter(row, "loop_by_offset_allocator",
                          alloc_compare(PEER_RANGES_OFFSET_ALLOCATOR, sizes, fill, live, false,
                                        ALLOC_LOOP_ITEMS));
        bench_add_counter(
            row, "loop_by_vma",
            alloc_compare(PEER_RANGES_VMA, sizes, fill, live, false, ALLOC_LOOP_ITEMS));
    }
    free(sizes);
}

void bench_alloc_mixed(bench_run *run, bench_row *row, uint64_t argument)
{
    alloc_measure(run, row, false, (double)argument / 100, 0, 1 / 1.2, 1 / 60.0);
}

void bench_alloc_narrow(bench_run *run, bench_row *row, uint64_t argument)
{
    alloc_measure(run, row, true, 1, bench_objects(run, argument), 0.5, INFINITY);
}

static double alloc_refused_percent(const alloc_side *side)
{
    return 100.0 * (double)side->refused / (double)side->requests;
}

void bench_alloc_refused(bench_run *run, bench_row *row, uint64_t argument)
{
    static const char *const names[PEER_RANGES_COUNT] = { NULL, "refused_vma",
                                                          "refused_range_alloc" };
    uint32_t *sizes = alloc_make_sizes(false);
    const double fill = (double)argument / 100;
    const uint64_t count = bench_repeats(run, ALLOC_STEPS);
    alloc_side side;
    (void)alloc_open(&side, ALLOC_OURS, sizes, fill, 0);
    alloc_work(&side, count);
    bench_set_ours(row, alloc_refused_percent(&side));
    bench_add_counter(row, "requests", (double)side.requests);
    alloc_close(&side);
    for (uint32_t kind = 0; kind < PEER_RANGES_COUNT; ++kind) {
        if (!alloc_open(&side, kind, sizes, fill, 0)) {
            continue;
        }
        alloc_work(&side, kind == PEER_RANGES_RANGE_ALLOC ? count / ALLOC_SLOW_STEPS : count);
        const double percent = alloc_refused_percent(&side);
        alloc_close(&side);
        if (names[kind] == NULL) {
            bench_set_peer(row, alloc_peers[kind], percent);
        } else {
            bench_add_counter(row, names[kind], percent);
        }
    }
    free(sizes);
}

/* Frees and takes ranges with alignments, too, and reports the worst call. */
void bench_alloc_steps(bench_run *run, bench_row *row, uint64_t argument)
{
    uint32_t *sizes = alloc_make_sizes(false);
    alloc_side side;
    uint64_t random = argument;
    (void)alloc_open(&side, ALLOC_OURS, sizes, 0.95, 0);
    alloc_work(&side, bench_repeats(run, ALLOC_STEPS));
    for (uint64_t i = 0; i < bench_repeats(run, ALLOC_STEPS); ++i) {
        gpool_allocation made;
        const uint64_t size = 1 + bench_random(&random) % 5000;
        const uint64_t align = 1 + bench_random(&random) % 5000;
        if (gpool_range_alloc(side.ours, size, align, 0, &made) == GPOOL_OK) {
            bench_require(made.offset % align == 0, "a range is not aligned");
            (void)gpool_range_free(side.ours, made);
        }
        alloc_work(&side, 1);
    }
    gpool_range_report report;
    (void)gpool_range_allocator_report(side.ours, &report);
    bench_require(gpool_range_allocator_validate(side.ours), "the allocator is broken");
    bench_set_ours(row, report.alloc_steps);
    bench_add_limited(row, "steps_of_free", report.free_steps, ALLOC_FREE_STEPS);
    bench_add_counter(row, "free_ranges", report.free_count);
    alloc_close(&side);
    free(sizes);
}
