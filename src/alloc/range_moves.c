/*
 * Moves that bring free units together: which, in which order, and why it ends.
 *
 * DOWN empties the upper part of the space into holes of the lower. The ceiling begins where the live
 * units and a 16th of the free ones would end if they lay side by side. A pass goes from the last range
 * down to the ceiling and moves each into the hole below the ceiling that fits best. What finds no
 * room stays; the next pass has a ceiling so much higher that it may lie side by side above the old one.
 * So most ranges move once, to where they stay, and those below the ceiling never.
 *
 * SORT, before it, makes the lowest hole of each bin its first, so that a search need not look past
 * those above the ceiling.
 *
 * UP makes holes for large ranges. A pass from the first piece up to the ceiling moves ranges out from
 * between two holes, which so become one, to a hole below or, when there is none and the range is small
 * beside the largest one, to the best one above.
 * Before the first DOWN only ranges of less than an 8th of the two holes: a few units moved there let
 * large ranges find room at once (measured on half-full spaces: 0.81 of what is free together with 57 M
 * units moved, with them 0.92 with 66). Later, when DOWN brings no more, those no larger than the two holes,
 * then up to 2, 4 and 8 times as large.
 *
 * It ends. Each pass is one way over the pieces. A pass down moves each range at most once, to a lower
 * offset; a pass up moves an eighth of the free units and one range at most. The least that the ceiling
 * rises by doubles with each pass down, from a 128th of the free units on, so there are at most 10 of them
 * in a round, and one up. After a round either the largest free range has grown by a 64th of the free
 * units, which happens 64 times at most, or the level rises, which happens 5 times at most; then it is
 * over. Only a 16th of the free units taken or freed by the user begins it anew.
 *
 * Sources stay live until the user frees them. A round or pass whose work depends on that waits for it.
 */
#include "alloc/range_allocator.h"

#define MOVES_IDLE 0u
#define MOVES_UP   1u
#define MOVES_SORT 2u
#define MOVES_DOWN 3u

/* Pieces that a call looks at, and those that each move adds. */
#define MOVES_STEPS      4096u
#define MOVES_STEPS_EACH 64u

/* Free pieces that a search looks at, of which so many in a bin. */
#define MOVES_SEARCH     64u
#define MOVES_SEARCH_BIN 16u

/* Where the rest of a budget is too small for the next range, so many others are tried. */
#define MOVES_AHEAD 32u

/* The highest level, and what parts of the free units count. */
#define MOVES_LEVEL_MAX 4u
#define MOVES_FIRST     8u /* of two holes: a range that level 0 moves */
#define MOVES_RAISE     16u
#define MOVES_LIFTED    8u
#define MOVES_SMALL     8u /* of the largest free range: a range that goes up */
#define MOVES_GAIN      64u

/* One call of gpool_range_plan_moves(). */
typedef struct moves_call {
    gpool_range_allocator *allocator;
    uint64_t budget; /* of the whole call */
    uint64_t left;   /* of it */
    gpool_range_movable_fn movable;
    void *context;
    gpool_range_move *moves;
    uint32_t capacity;
    uint32_t count;
    uint32_t steps;  /* left */
    uint32_t ahead;  /* ranges looked at since one did not fit the rest of the budget */
    uint32_t resume; /* that one; 0 = none */
} moves_call;

/* What a look at one piece led to. */
typedef enum moves_outcome {
    MOVES_NOTHING, /* go on */
    MOVES_MADE,
    MOVES_NO_ROOM, /* it may move, but there is no place */
    MOVES_LATER,   /* it may move, but not with what is left of the budget */
    MOVES_STOP     /* no pieces are left: no further move can be made */
} moves_outcome;

/* --- sums --- */

static uint64_t moves_free_size(const gpool_range_allocator *allocator)
{
    return allocator->size - allocator->live_size;
}

/* The largest free range, at most a 64th too small. */
static uint64_t moves_largest(const gpool_range_allocator *allocator)
{
    if (allocator->top == 0) {
        return 0;
    }
    const uint32_t row = gpool__highest_bit(allocator->top);
    const uint32_t bin = row * 64 + gpool__highest_bit(allocator->rows[row]);
    uint64_t largest = 0;
    uint32_t index = allocator->heads[bin];
    for (uint32_t i = 0; i < MOVES_SEARCH_BIN && index != 0; ++i) {
        largest = gpool__max(largest, allocator->nodes[index].size);
        index = allocator->nodes[index].of.bin.next;
    }
    return largest;
}

/* Whether `largest` is as much of `all` as is worth having. */
static bool moves_is_enough(uint64_t largest, uint64_t all)
{
    return largest >= all - all / 32 * 3;
}

/* --- one move --- */

/*
 * The free piece that fits best, beginning so that the range lies below `limit`, other than `except`. Of
 * those that fit equally well the lowest. 0 = none was found.
 */
static uint32_t moves_find(moves_call *call, uint64_t size, uint64_t align, uint64_t limit,
                           uint32_t except, uint64_t *pad)
{
    const gpool_range_allocator *const allocator = call->allocator;
    uint32_t left = MOVES_SEARCH;
    uint32_t bin = gpool__range_next_bin(allocator, gpool__range_bin(size));
    for (; bin < GPOOL__RANGE_BINS && left > 0; bin = gpool__range_next_bin(allocator, bin + 1)) {
        uint32_t found = 0;
        uint64_t lowest = limit;
        uint32_t index = allocator->heads[bin];
        for (uint32_t i = 0; i < MOVES_SEARCH_BIN && index != 0 && left > 0; ++i) {
            const gpool__range_node *const piece = &allocator->nodes[index];
            left -= 1;
            if (piece->offset < lowest && piece->size >= size && index != except) {
                const uint64_t before = gpool__range_pad(piece->offset, align);
                if (before <= piece->size - size && before < limit - piece->offset) {
                    lowest = piece->offset;
                    found = index;
                    *pad = before;
                }
            }
            index = piece->of.bin.next;
        }
        if (found != 0) {
            call->steps -= (uint32_t)gpool__min(call->steps, MOVES_SEARCH - left);
            return found;
        }
    }
    call->steps -= (uint32_t)gpool__min(call->steps, MOVES_SEARCH - left);
    return 0;
}

/* Whether a piece is a range that may move at all, and how it is aligned. */
static bool moves_may(const moves_call *call, uint32_t index, uint64_t *align)
{
    const gpool_range_allocator *const allocator = call->allocator;
    const gpool__range_node *const piece = &allocator->nodes[index];
    if (!gpool__range_is_live(piece) || (piece->size & GPOOL__RANGE_MOVING) != 0 ||
        gpool__range_size(piece) > call->budget) {
        return false;
    }
    *align = 1;
    return call->movable == NULL ||
           (call->movable(call->context, piece->of.live.user, align) && *align != 0);
}

/* Makes the move, which is known to be good. */
static moves_outcome moves_make(moves_call *call, uint32_t from, uint32_t hole, uint64_t pad)
{
    gpool_range_allocator *const allocator = call->allocator;
    const uint64_t size = gpool__range_size(&allocator->nodes[from]);
    const uint64_t whole = allocator->nodes[hole].size;
    const uint32_t more = 1u + (pad > 0 ? 1u : 0u) + (whole - pad > size ? 1u : 0u);
    if (!gpool__range_reserve(allocator, more)) {
        return MOVES_STOP;
    }
    const uint32_t user = allocator->nodes[from].of.live.user;
    const uint32_t to = gpool__range_carve(allocator, hole, pad, size, user);
    const uint32_t record = gpool__range_take_node(allocator);
    gpool__range_node *const nodes = allocator->nodes;
    nodes[record] = (gpool__range_node){ .offset = user, .prev = from, .next = to };
    nodes[from].size |= GPOOL__RANGE_MOVING;
    nodes[from].of.live.user = record;
    nodes[to].size |= GPOOL__RANGE_MOVING;
    nodes[to].of.live.user = record;
    allocator->moving_count += 1;
    allocator->plan.moving_size += size;
    call->moves[call->count] = (gpool_range_move){
        .from = gpool__range_handle(allocator, from),
        .to = gpool__range_handle(allocator, to),
        .size = size,
        .user = user,
    };
    call->count += 1;
    call->left -= size;
    call->steps += MOVES_STEPS_EACH;
    return MOVES_MADE;
}

/* --- down --- */

static moves_outcome moves_down_one(moves_call *call, uint32_t index)
{
    gpool_range_allocator *const allocator = call->allocator;
    uint64_t align = 1;
    if (!moves_may(call, index, &align)) {
        return MOVES_NOTHING;
    }
    const uint64_t size = gpool__range_size(&allocator->nodes[index]);
    if (size > call->left) {
        return MOVES_LATER;
    }
    uint64_t pad = 0;
    const uint64_t limit =
        allocator->plan.last ? allocator->nodes[index].offset : allocator->plan.ceiling;
    const uint32_t hole = moves_find(call, size, align, limit, 0, &pad);
    return hole == 0 ? MOVES_NO_ROOM : moves_make(call, index, hole, pad);
}

/* Whether passes up have moved as much as they may. */
static bool moves_is_lifted(const gpool_range_allocator *allocator)
{
    return allocator->plan.lifted > moves_free_size(allocator) / MOVES_LIFTED;
}

/* Begins a pass down to a ceiling. */
static void moves_begin_down(gpool_range_allocator *allocator, uint64_t ceiling)
{
    allocator->plan.phase = MOVES_DOWN;
    allocator->plan.ceiling = ceiling;
    allocator->plan.cursor = gpool__range_at(allocator->nodes[0].prev);
    allocator->plan.stuck = 0;
    allocator->plan.last = false;
}

/* Begins passes down, with that which puts the bins in order. */
static void moves_begin_sort(gpool_range_allocator *allocator)
{
    allocator->plan.phase = MOVES_SORT;
    allocator->plan.cursor = gpool__range_at(allocator->nodes[0].prev);
}

/* Begins the first of passes down. No move is under way, so all that is live counts once. */
static void moves_begin_downs(gpool_range_allocator *allocator)
{
    const uint64_t moving = allocator->plan.moving_size;
    const uint64_t raise = (moves_free_size(allocator) + moving) / MOVES_RAISE;
    allocator->plan.raise = raise / MOVES_RAISE;
    moves_begin_down(allocator, allocator->live_size - moving + raise);
}

/* Begins a pass up. */
static void moves_begin_up(gpool_range_allocator *allocator)
{
    allocator->plan.phase = MOVES_UP;
    allocator->plan.cursor = gpool__range_at(allocator->nodes[0].next);
    allocator->plan.stuck = 0;
    allocator->plan.lifted = 0;
    allocator->plan.reached = moves_largest(allocator);
}

/* Begins a plan. */
static void moves_begin(gpool_range_allocator *allocator)
{
    allocator->plan.level = 0;
    allocator->plan.ceiling = allocator->live_size + moves_free_size(allocator) / MOVES_RAISE;
    moves_begin_up(allocator);
}

static void moves_settle(gpool_range_allocator *allocator)
{
    allocator->plan.phase = MOVES_IDLE;
    allocator->plan.cursor = 0;
    allocator->plan.churn = 0;
}

/* What comes after a pass down. */
static void moves_end_down(gpool_range_allocator *allocator)
{
    gpool__range_plan *const plan = &allocator->plan;
    const uint64_t free_size = moves_free_size(allocator);
    plan->raise = 2 * plan->raise + 1;
    if (plan->stuck > 0 && !plan->last) {
        const uint64_t raise = gpool__max(plan->stuck + plan->stuck / 8, plan->raise);
        const bool far = raise < allocator->size - plan->ceiling;
        moves_begin_down(allocator, plan->ceiling + (far ? raise : 0));
        plan->last = !far;
        return;
    }
    const uint64_t largest = moves_largest(allocator);
    if (largest < plan->reached || largest - plan->reached <= free_size / MOVES_GAIN) {
        plan->level += 1;
    }
    if (plan->level > MOVES_LEVEL_MAX) {
        moves_settle(allocator);
        return;
    }
    moves_begin_up(allocator);
}

/* --- up --- */

/* Whether a range is too large to move it out from between free pieces of `gain` units. */
static bool moves_is_dear(const gpool_range_allocator *allocator, uint64_t size, uint64_t gain)
{
    const uint32_t level = allocator->plan.level;
    return level == 0 ? size > gain / MOVES_FIRST : size >> (level - 1) > gain;
}

/* Moves a range out from between two free pieces. */
static moves_outcome moves_up_one(moves_call *call, uint32_t index)
{
    gpool_range_allocator *const allocator = call->allocator;
    const gpool__range_node *const nodes = allocator->nodes;
    const uint32_t before = gpool__range_at(nodes[index].prev);
    const uint32_t behind = gpool__range_at(nodes[index].next);
    const uint64_t size = gpool__range_size(&nodes[index]);
    uint64_t align = 1;
    if (gpool__range_is_live(&nodes[before]) || gpool__range_is_live(&nodes[behind]) ||
        moves_is_dear(allocator, size, nodes[before].size + nodes[behind].size) ||
        !moves_may(call, index, &align)) {
        return MOVES_NOTHING;
    }
    if (size > call->left) {
        return MOVES_LATER;
    }
    uint64_t pad = 0;
    uint32_t hole = moves_find(call, size, align, nodes[index].offset, 0, &pad);
    if (hole == 0 && size <= moves_largest(allocator) / MOVES_SMALL) {
        hole = moves_find(call, size, align, UINT64_MAX, behind, &pad);
    }
    if (hole == 0) {
        return MOVES_NO_ROOM;
    }
    const moves_outcome outcome = moves_make(call, index, hole, pad);
    if (outcome == MOVES_MADE) {
        allocator->plan.lifted += size;
    }
    return outcome;
}

/* --- all of it --- */

/* Whether the pass is over. */
static bool moves_is_over(const gpool_range_allocator *allocator)
{
    const gpool__range_plan *const plan = &allocator->plan;
    if (plan->cursor == 0) {
        return true;
    }
    if (plan->phase == MOVES_DOWN) {
        return allocator->nodes[plan->cursor].offset < plan->ceiling;
    }
    return plan->phase == MOVES_UP &&
           (allocator->nodes[plan->cursor].offset >= plan->ceiling || moves_is_lifted(allocator));
}

/* Looks at the piece at the cursor and goes on to the next. False when the call is over. */
static bool moves_step(moves_call *call)
{
    gpool_range_allocator *const allocator = call->allocator;
    gpool__range_plan *const plan = &allocator->plan;
    const uint32_t index = plan->cursor;
    const bool down = plan->phase != MOVES_UP;
    moves_outcome outcome = MOVES_NOTHING;
    if (plan->phase == MOVES_SORT) {
        gpool__range_to_front(allocator, index);
    } else {
        outcome = down ? moves_down_one(call, index) : moves_up_one(call, index);
    }
    if (outcome == MOVES_STOP) {
        return false;
    }
    if (outcome == MOVES_LATER && call->resume == 0) {
        call->resume = index;
    }
    if (outcome == MOVES_NO_ROOM) {
        plan->stuck += gpool__range_size(&allocator->nodes[index]);
    }
    call->ahead += call->resume != 0;
    const gpool__range_node *const piece = &allocator->nodes[index];
    plan->cursor = gpool__range_at(down ? piece->prev : piece->next);
    call->steps -= call->steps > 0;
    return call->steps > 0 && call->count < call->capacity && call->left > 0 &&
           call->ahead < MOVES_AHEAD;
}

/* Plans until the call is over; false when there is nothing left to do at all. */
static bool moves_run(moves_call *call)
{
    gpool_range_allocator *const allocator = call->allocator;
    gpool__range_plan *const plan = &allocator->plan;
    for (;;) {
        const uint64_t free_size = moves_free_size(allocator);
        const uint64_t largest = moves_largest(allocator);
        if (allocator->moving_count == 0 && moves_is_enough(largest, free_size)) {
            moves_settle(allocator);
            return false;
        }
        if (moves_is_enough(largest + plan->moving_size, free_size + plan->moving_size)) {
            return true; /* it may be enough once the sources are free */
        }
        if (!moves_is_over(allocator)) {
            if (!moves_step(call)) {
                return true;
            }
            continue;
        }
        if (call->resume != 0) {
            return true;
        }
        if (plan->phase == MOVES_SORT) {
            moves_begin_downs(allocator);
        } else if (plan->phase == MOVES_UP && plan->level == 0) {
            moves_begin_sort(allocator);
        } else if (allocator->moving_count > 0) {
            return true; /* what comes next depends on what this pass has freed */
        } else if (plan->phase == MOVES_UP) {
            moves_begin_sort(allocator);
        } else {
            moves_end_down(allocator);
        }
        if (plan->phase == MOVES_IDLE) {
            return false;
        }
    }
}

gpool_result gpool_range_plan_moves(gpool_range_allocator *allocator, uint64_t budget,
                                    gpool_range_movable_fn movable, void *context,
                                    gpool_range_move *moves, uint32_t capacity, uint32_t *count)
{
    if (count == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    *count = 0;
    if (allocator == NULL || (moves == NULL && capacity > 0)) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    gpool__range_plan *const plan = &allocator->plan;
    if (plan->phase == MOVES_IDLE) {
        if (plan->churn == 0 || plan->churn < moves_free_size(allocator) / MOVES_RAISE) {
            return GPOOL_OK;
        }
        moves_begin(allocator);
    }
    if (budget == 0 || capacity == 0) {
        return GPOOL_NOT_READY;
    }
    moves_call call = {
        .allocator = allocator,
        .budget = budget,
        .left = budget,
        .movable = movable,
        .context = context,
        .moves = moves,
        .capacity = capacity,
        .steps = MOVES_STEPS,
    };
    const bool more = moves_run(&call);
    if (call.resume != 0) {
        plan->cursor = call.resume;
    }
    *count = call.count;
    return call.count > 0 || !more ? GPOOL_OK : GPOOL_NOT_READY;
}
