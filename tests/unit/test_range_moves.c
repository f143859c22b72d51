#include "alloc/range_allocator.h"

#include "unit/range_model.h"
#include "unit/unit.h"

#include <math.h>

#define SPACE_MOST   (UINT64_C(1) << 28)
#define FRAMES_LATER 3u
#define MOVES_MOST   20000u

static uint64_t seed;

/* A space with live ranges, each known by its user. */
typedef struct world {
    gpool_range_allocator *a;
    uint64_t size;
    uint64_t most;
    uint64_t count;
    uint64_t live_size;
    uint32_t users;
    gpool_allocation *handles; /* by user */
    uint64_t *sizes;           /* the same */
    uint32_t *live;            /* users, in any order */
    uint32_t pinned;           /* users that are multiples of it; 0 = none */
} world;

static void world_open(world *w, uint64_t size, uint64_t most)
{
    *w = (world){ .size = size, .most = most };
    const gpool_range_allocator_desc desc = { .size = size };
    assert_same(gpool_range_allocator_create(&desc, &w->a), GPOOL_OK);
    w->handles = calloc(most, sizeof *w->handles);
    w->sizes = calloc(most, sizeof *w->sizes);
    w->live = calloc(most, sizeof *w->live);
}

static void world_close(world *w)
{
    gpool_range_allocator_destroy(w->a);
    free(w->handles);
    free(w->sizes);
    free(w->live);
}

static bool world_add(world *w, uint64_t size)
{
    const uint32_t user = w->users;
    assert_true(user < w->most);
    if (gpool_range_alloc(w->a, size, 1, user, &w->handles[user]) != GPOOL_OK) {
        return false;
    }
    w->users += 1;
    w->sizes[user] = size;
    w->live[w->count++] = user;
    w->live_size += size;
    return true;
}

/* So many equal ranges. */
static void world_fill(world *w, uint32_t count, uint64_t size)
{
    for (uint32_t i = 0; i < count; ++i) {
        assert_true(world_add(w, size));
    }
}

/* Removes what stands at a place of `live`. */
static void world_remove(world *w, uint64_t at)
{
    const uint32_t user = w->live[at];
    assert_same(gpool_range_free(w->a, w->handles[user]), GPOOL_OK);
    w->live_size -= w->sizes[user];
    w->count -= 1;
    w->live[at] = w->live[w->count];
}

/* Removes every second of those that were added, of which there are twice `count`. */
static void world_thin(world *w, uint64_t count)
{
    while (count-- > 0) {
        world_remove(w, 2 * count);
    }
}

/* Log-uniform from 64 to 262,144. */
static uint64_t any_size(void)
{
    return (uint64_t)(64.0 * pow(4096.0, (double)(unit_random(&seed) >> 11) * 0x1p-53));
}

static bool is_movable(void *context, uint32_t user, uint64_t *align)
{
    const world *w = context;
    (void)align;
    return w->pinned == 0 || user % w->pinned != 0;
}

/* What a compaction took. */
typedef struct effort {
    uint64_t frames; /* up to the last with moves */
    uint64_t calls;
    uint64_t moves;
    uint64_t units;
    uint64_t up; /* moves to a higher offset */
} effort;

/* Compacts until there is nothing to do; each source is freed some frames later. */
static effort world_compact(world *w, uint64_t budget)
{
    static gpool_range_move moves[FRAMES_LATER + 1][MOVES_MOST];
    uint32_t counts[FRAMES_LATER + 1] = { 0 };
    effort e = { 0 };
    for (;; ++e.calls) {
        gpool_range_move *now = moves[e.calls % (FRAMES_LATER + 1)];
        uint32_t *count = &counts[e.calls % (FRAMES_LATER + 1)];
        for (uint32_t i = 0; i < *count; ++i) {
            assert_same(gpool_range_free(w->a, now[i].from), GPOOL_OK);
            w->handles[now[i].user] = now[i].to;
        }
        const gpool_result result =
            gpool_range_plan_moves(w->a, budget, is_movable, w, now, MOVES_MOST, count);
        if (result == GPOOL_OK && *count == 0) {
            break;
        }
        assert_true(result == GPOOL_OK || (result == GPOOL_NOT_READY && *count == 0));
        uint64_t units = 0;
        for (uint32_t i = 0; i < *count; ++i) {
            const uint64_t from = now[i].from.offset;
            const uint64_t to = now[i].to.offset;
            assert_true(to + now[i].size <= from || from + now[i].size <= to);
            e.up += to > from;
            units += now[i].size;
        }
        assert_true(units <= budget);
        e.units += units;
        e.moves += *count;
        e.frames = *count > 0 ? e.calls + 1 : e.frames;
        assert_true(e.calls < 100000); /* it ends */
    }
    gpool_range_report report;
    assert_same(gpool_range_allocator_report(w->a, &report), GPOOL_OK);
    assert_int_equal(report.moving_count, 0);
    assert_int_equal(report.live_size, w->live_size);
    assert_true(gpool_range_allocator_validate(w->a));
    return e;
}

static double together(const world *w)
{
    gpool_range_report report;
    assert_same(gpool_range_allocator_report(w->a, &report), GPOOL_OK);
    return 1 - report.fragmentation;
}

/* The fewest units that must move so that `part` of what is free lies together: those in the emptiest
 * window of that size. */
static uint64_t least_units(const world *w, double part)
{
    const uint64_t window = (uint64_t)(part * (double)(w->size - w->live_size));
    gpool_range *live = calloc(w->count + 1, sizeof *live);
    gpool_range_cursor cursor = { 0 };
    gpool_live_range range;
    uint64_t count = 0;
    while (gpool_range_allocator_next(w->a, &cursor, &range)) {
        live[count++] = (gpool_range){ range.allocation.offset, range.size };
    }
    uint64_t least = UINT64_MAX;
    uint64_t inside = 0;
    uint64_t past = 0;
    for (uint64_t first = 0; first <= count; ++first) {
        const uint64_t begin = first > 0 ? live[first - 1].offset + live[first - 1].size : 0;
        if (begin + window > w->size) {
            break;
        }
        for (; past < count && live[past].offset < begin + window; ++past) {
            inside += live[past].size;
        }
        least = inside < least ? inside : least;
        inside -= first < count && past > first ? live[first].size : 0;
    }
    free(live);
    return least;
}

/* --- the great run --- */

/* 2^28 units after 10^6 times freeing one and filling up to `fill` percent, then freed down to half. */
static void compact_half_full(uint64_t fill, double most_by_least, uint64_t waits)
{
    world w;
    world_open(&w, SPACE_MOST, 1 << 22);
    for (uint32_t i = 0; i < 1000000; ++i) {
        while (w.live_size < SPACE_MOST / 100 * fill && world_add(&w, any_size())) {
        }
        world_remove(&w, unit_random_below(&seed, w.count));
    }
    while (w.live_size > SPACE_MOST / 2) {
        world_remove(&w, unit_random_below(&seed, w.count));
    }
    const double before = together(&w);
    const uint64_t least = least_units(&w, 0.9);
    const uint64_t budget = UINT64_C(1) << 19;
    const effort e = world_compact(&w, budget);
    const double by_budget = (double)e.frames / ((double)e.units / (double)budget);
    printf(
        "%llu ranges: %.3f -> %.3f of the free units together, %llu units in %llu moves, %.3f of "
        "the least, %llu frames, %.2f of units / budget\n",
        (unsigned long long)w.count, before, together(&w), (unsigned long long)e.units,
        (unsigned long long)e.moves, (double)e.units / (double)least, (unsigned long long)e.frames,
        by_budget);
    assert_true(together(&w) >= 0.9);
    assert_true(((double)e.frames - (double)waits) * (double)budget <= 1.5 * (double)e.units);
    assert_true((double)e.units <= most_by_least * (double)least);
    world_close(&w);
}

/* Nearly all of the free units lie together before, and what is left is so little that the frames in which
 * nothing but the end of earlier moves is waited for weigh. */
static void half_full_space_comes_together(void **state)
{
    (void)state;
    for (int i = 0; i < 3; ++i) {
        compact_half_full(50, 2.8, 24);
    }
}

static void half_full_space_that_was_full_comes_together_within_the_frames_its_units_need(
    void **state)
{
    (void)state;
    for (int i = 0; i < 3; ++i) {
        compact_half_full(95, 1.35, 0);
    }
}

/* --- small ones --- */

static void compact_space_is_left_alone(void **state)
{
    (void)state;
    world w;
    world_open(&w, 1000, 100);
    gpool_range_move move;
    uint32_t count = 9;
    assert_same(gpool_range_plan_moves(w.a, 100, NULL, NULL, &move, 1, &count), GPOOL_OK);
    assert_int_equal(count, 0);
    assert_true(world_add(&w, 500));
    assert_int_equal(world_compact(&w, 1000).moves, 0);
    assert_true(world_add(&w, 500));
    assert_int_equal(world_compact(&w, 1000).moves, 0);
    world_remove(&w, 0);
    assert_int_equal(world_compact(&w, 1000).moves, 0);
    world_close(&w);
}

/* Every second of many equal ranges is freed: each that moves does so once. */
static void equal_ranges_move_once_each(void **state)
{
    (void)state;
    world w;
    world_open(&w, 10000, 1000);
    world_fill(&w, 1000, 10);
    world_thin(&w, 500);
    const effort e = world_compact(&w, 100);
    assert_true(together(&w) >= 0.9);
    assert_int_equal(e.units, e.moves * 10);
    assert_in_range(e.moves, 150, 260);
    world_close(&w);
}

/* A search finds one of few holes below the ceiling among very many above it, and what is left over goes to
 * a place of its own in few passes. */
static void many_equal_ranges_move_once_each(void **state)
{
    (void)state;
    world w;
    world_open(&w, SPACE_MOST, SPACE_MOST / 4096 + 1);
    while (world_add(&w, 4096)) {
    }
    for (uint64_t i = w.count / 2; i > 0; --i) {
        world_remove(&w, unit_random_below(&seed, w.count));
    }
    const uint64_t least = least_units(&w, 0.9);
    const effort e = world_compact(&w, UINT64_C(1) << 19);
    assert_true(together(&w) >= 0.9);
    assert_true((double)e.units <= 1.1 * (double)least);
    assert_true((double)(e.frames << 19) <= 1.7 * (double)e.units);
    world_close(&w);
}

/* Holes that are smaller than every range: only moving ranges out from between them helps. */
static void holes_that_are_too_small_are_joined(void **state)
{
    (void)state;
    world w;
    world_open(&w, 40000, 10000);
    for (uint64_t i = 0; i < 5000; ++i) {
        (void)world_add(&w, 3);
        (void)world_add(&w, 2);
    }
    for (uint64_t at = w.count; at-- > 0;) {
        if (w.sizes[w.live[at]] == 2) {
            world_remove(&w, at);
        }
    }
    const double before = together(&w);
    const effort e = world_compact(&w, 1000);
    assert_true(e.up > 0);
    assert_true(together(&w) > before + 0.05);
    world_close(&w);
}

static void pinned_ranges_and_those_above_the_budget_stay_and_block_nobody(void **state)
{
    (void)state;
    world w;
    world_open(&w, 100000, 10000);
    while (world_add(&w, w.count % 10 == 7 ? 200 : 20)) {
    }
    for (uint64_t i = 0; i < 1200; ++i) {
        world_remove(&w, unit_random_below(&seed, w.count));
    }
    w.pinned = 50;
    gpool_range_cursor cursor = { 0 };
    gpool_live_range range;
    static uint64_t offsets[10000];
    memset(offsets, 0xff, sizeof offsets);
    while (gpool_range_allocator_next(w.a, &cursor, &range)) {
        offsets[range.user] = range.allocation.offset;
    }
    const effort e = world_compact(&w, 100);
    assert_true(e.moves > 100);
    cursor = (gpool_range_cursor){ 0 };
    while (gpool_range_allocator_next(w.a, &cursor, &range)) {
        if (range.user % 50 == 0 || range.size > 100) {
            assert_int_equal(range.allocation.offset, offsets[range.user]);
        }
    }
    world_close(&w);
}

static void cancelled_move_leaves_its_source_to_be_planned_again(void **state)
{
    (void)state;
    world w;
    world_open(&w, 1000, 100);
    world_fill(&w, 100, 10);
    world_thin(&w, 50);
    gpool_range_move first;
    gpool_range_move second;
    uint32_t count = 0;
    assert_same(gpool_range_plan_moves(w.a, 10, NULL, NULL, &first, 1, &count), GPOOL_OK);
    assert_int_equal(count, 1);
    uint32_t user = 1000;
    assert_same(gpool_range_get(w.a, first.to, NULL, &user), GPOOL_OK);
    assert_int_equal(user, first.user);
    assert_same(gpool_range_get(w.a, first.from, NULL, &user), GPOOL_OK);
    assert_int_equal(user, first.user);
    assert_same(gpool_range_free(w.a, first.to), GPOOL_OK);
    assert_same(gpool_range_free(w.a, first.to), GPOOL_ERROR_STALE_HANDLE);
    assert_same(gpool_range_get(w.a, first.from, NULL, &user), GPOOL_OK);
    assert_int_equal(user, first.user);
    assert_true(gpool_range_allocator_validate(w.a));
    bool again = false;
    for (int i = 0; i < 200 && !again; ++i) {
        const gpool_result result = gpool_range_plan_moves(w.a, 10, NULL, NULL, &second, 1, &count);
        assert_true(result == GPOOL_OK || result == GPOOL_NOT_READY);
        if (count == 1) {
            again = second.from.node == first.from.node;
            assert_same(gpool_range_free(w.a, again ? second.from : second.to), GPOOL_OK);
        }
    }
    assert_true(again);
    assert_true(gpool_range_allocator_validate(w.a));
    world_close(&w);
}

/* Nothing is freed: the plan runs dry, and no range is planned twice. */
static void plan_whose_sources_are_never_freed_waits(void **state)
{
    (void)state;
    world w;
    world_open(&w, 1000, 100);
    world_fill(&w, 100, 10);
    world_thin(&w, 50);
    uint64_t planned = 0;
    uint32_t count = 0;
    for (int i = 0; i < 1000; ++i) {
        gpool_range_move moves[7];
        const gpool_result result = gpool_range_plan_moves(w.a, 50, NULL, NULL, moves, 7, &count);
        assert_same(result, count > 0 ? GPOOL_OK : GPOOL_NOT_READY);
        planned += count;
        assert_true(count <= 5);
    }
    assert_int_equal(count, 0);
    assert_in_range(planned, 10, 50);
    gpool_range_report report;
    assert_same(gpool_range_allocator_report(w.a, &report), GPOOL_OK);
    assert_int_equal(report.moving_count, planned);
    world_close(&w);
}

static void plan_needs_a_budget_room_and_pieces(void **state)
{
    (void)state;
    const uint64_t size = gpool_range_allocator_memory(8);
    void *memory = malloc(size);
    const gpool_range_allocator_desc desc = { .size = 100, .memory = memory, .memory_size = size };
    gpool_range_allocator *a = NULL;
    gpool_allocation handles[8];
    gpool_range_move move;
    uint32_t count = 7;
    assert_same(gpool_range_allocator_create(&desc, &a), GPOOL_OK);
    for (int i = 0; i < 8; ++i) {
        const uint64_t units = i < 7 ? 10 : 30;
        assert_same(gpool_range_alloc(a, units, 1, 0, &handles[i]), GPOOL_OK);
    }
    assert_same(gpool_range_free(a, handles[1]), GPOOL_OK);
    assert_same(gpool_range_free(a, handles[3]), GPOOL_OK);
    assert_same(gpool_range_plan_moves(a, 0, NULL, NULL, &move, 1, &count), GPOOL_NOT_READY);
    assert_int_equal(count, 0);
    assert_same(gpool_range_plan_moves(a, 100, NULL, NULL, NULL, 0, &count), GPOOL_NOT_READY);
    for (int i = 0; i < 100; ++i) {
        const gpool_result result = gpool_range_plan_moves(a, 100, NULL, NULL, &move, 1, &count);
        assert_int_equal(count, 0); /* no piece is left for a record */
        assert_true(gpool_range_allocator_validate(a));
        assert_true(result == GPOOL_OK || result == GPOOL_NOT_READY);
    }
    gpool_range_allocator_destroy(a);
    free(memory);
}

static void compacted_space_is_looked_at_again_only_after_much_has_changed(void **state)
{
    (void)state;
    world w;
    world_open(&w, 100000, 10000);
    w.pinned = 2; /* so that it ends with holes */
    while (world_add(&w, 20)) {
    }
    for (int i = 0; i < 2000; ++i) {
        world_remove(&w, unit_random_below(&seed, w.count));
    }
    assert_true(world_compact(&w, 1000).moves > 0);
    assert_true(together(&w) < 0.9);
    assert_int_equal(world_compact(&w, 1000).calls, 0);
    world_remove(&w, unit_random_below(&seed, w.count));
    assert_int_equal(world_compact(&w, 1000).calls, 0);
    for (int i = 0; i < 500; ++i) {
        world_remove(&w, unit_random_below(&seed, w.count));
    }
    assert_true(world_compact(&w, 1000).calls > 0);
    world_close(&w);
}

/* Spaces of all kinds: it ends, and is never worse than before. */
static void every_space_comes_to_an_end_and_none_gets_worse(void **state)
{
    (void)state;
    for (int round = 0; round < 300; ++round) {
        world w;
        world_open(&w, 200 + unit_random_below(&seed, 30000), 40000);
        const uint64_t most = 1 + unit_random_below(&seed, 200);
        const uint64_t least = 1 + unit_random_below(&seed, most);
        while (world_add(&w, least + unit_random_below(&seed, most - least + 1))) {
        }
        const uint64_t percent = unit_random_below(&seed, 100);
        for (uint64_t i = w.count * percent / 100; i > 0; --i) {
            world_remove(&w, unit_random_below(&seed, w.count));
        }
        w.pinned = round % 3 == 0 ? 1 + (uint32_t)unit_random_below(&seed, 20) : 0;
        const double before = together(&w);
        const effort e = world_compact(&w, 1 + unit_random_below(&seed, 1000));
        assert_true(together(&w) >= before * 0.75);
        assert_true(e.units <= 200 * w.size);
        world_close(&w);
    }
}

int main(int argc, char **argv)
{
    seed = unit_seed(argc, argv);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(half_full_space_comes_together),
        cmocka_unit_test(
            half_full_space_that_was_full_comes_together_within_the_frames_its_units_need),
        cmocka_unit_test(compact_space_is_left_alone),
        cmocka_unit_test(equal_ranges_move_once_each),
        cmocka_unit_test(many_equal_ranges_move_once_each),
        cmocka_unit_test(holes_that_are_too_small_are_joined),
        cmocka_unit_test(pinned_ranges_and_those_above_the_budget_stay_and_block_nobody),
        cmocka_unit_test(cancelled_move_leaves_its_source_to_be_planned_again),
        cmocka_unit_test(plan_whose_sources_are_never_freed_waits),
        cmocka_unit_test(plan_needs_a_budget_room_and_pieces),
        cmocka_unit_test(compacted_space_is_looked_at_again_only_after_much_has_changed),
        cmocka_unit_test(every_space_comes_to_an_end_and_none_gets_worse),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
