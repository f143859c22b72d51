/*
 * A range allocator beside a plain model, one number for each unit, driven by bytes: random ones of the
 * tests, those of the fuzz target, or its corpus. Ends the program when the two differ.
 */
#ifndef GPOOL_TESTS_UNIT_RANGE_MODEL_H
#define GPOOL_TESTS_UNIT_RANGE_MODEL_H

#include "model_require.h"

#include <gpool/range.h>

#include <stdlib.h>
#include <string.h>

#define RANGE_MODEL_UNITS 8192u /* most, after growing */
#define RANGE_MODEL_LIVE  2048u
#define RANGE_MODEL_DEAD  64u
#define RANGE_MODEL_MOVES 32u
#define RANGE_MODEL_NONE  UINT32_MAX

typedef struct range_model_live {
    gpool_allocation handle;
    uint64_t size;
    uint32_t user;
    uint32_t pair; /* the other of a planned move; RANGE_MODEL_NONE = none */
    bool source;
} range_model_live;

typedef struct range_model {
    gpool_range_allocator *allocator;
    void *memory;
    uint32_t max_nodes; /* 0 = no limit */
    uint64_t size;
    uint64_t live_size;
    uint32_t live_count;
    uint32_t moving_count;
    uint32_t pinned; /* users that are multiples of it are pinned; 0 = none */
    uint32_t align;  /* what moves must keep */
    uint32_t users;
    uint64_t done; /* calls that worked, which tests want to be many */
    uint64_t moves;
    uint16_t units[RANGE_MODEL_UNITS]; /* 1 + place in `live` of who has it; 0 = free */
    range_model_live live[RANGE_MODEL_LIVE];
    gpool_allocation dead[RANGE_MODEL_DEAD];
    uint64_t dead_count;
} range_model;

static inline void range_model_open(range_model *m, uint64_t size, uint32_t max_nodes, bool inside)
{
    memset(m, 0, sizeof *m);
    m->size = size;
    m->max_nodes = max_nodes;
    m->align = 1;
    gpool_range_allocator_desc desc = { .size = size, .max_nodes = max_nodes };
    if (inside && max_nodes != 0) {
        desc.memory_size = gpool_range_allocator_memory(max_nodes);
        m->memory = malloc(desc.memory_size);
        MODEL_REQUIRE(m->memory != NULL);
        desc.memory = m->memory;
    }
    MODEL_REQUIRE(gpool_range_allocator_create(&desc, &m->allocator) == GPOOL_OK);
}

static inline void range_model_fill(range_model *m, const range_model_live *live, uint16_t before,
                                    uint16_t value)
{
    for (uint64_t i = 0; i < live->size; ++i) {
        MODEL_REQUIRE(m->units[live->handle.offset + i] == before);
        m->units[live->handle.offset + i] = value;
    }
}

/* Enters what is live now; everything there must have been free. */
static inline uint32_t range_model_enter(range_model *m, gpool_allocation handle, uint64_t size,
                                         uint32_t user)
{
    MODEL_REQUIRE(handle.node != 0 && handle.offset < m->size);
    MODEL_REQUIRE(size <= m->size - handle.offset);
    const uint32_t at = m->live_count++;
    m->live[at] = (range_model_live){ handle, size, user, RANGE_MODEL_NONE, false };
    range_model_fill(m, &m->live[at], 0, (uint16_t)(at + 1));
    m->live_size += size;
    return at;
}

static inline void range_model_untie(range_model *m, uint32_t at)
{
    if (m->live[at].pair != RANGE_MODEL_NONE) {
        m->live[m->live[at].pair].pair = RANGE_MODEL_NONE;
        m->live[at].pair = RANGE_MODEL_NONE;
        m->moving_count -= 1;
    }
}

/* Forgets a live range; the last takes its place. */
static inline void range_model_leave(range_model *m, uint32_t at)
{
    range_model_untie(m, at);
    range_model_fill(m, &m->live[at], (uint16_t)(at + 1), 0);
    m->live_size -= m->live[at].size;
    m->dead[m->dead_count++ % RANGE_MODEL_DEAD] = m->live[at].handle;
    m->live_count -= 1;
    if (at != m->live_count) {
        m->live[at] = m->live[m->live_count];
        range_model_fill(m, &m->live[at], (uint16_t)(m->live_count + 1), (uint16_t)(at + 1));
        if (m->live[at].pair != RANGE_MODEL_NONE) {
            m->live[m->live[at].pair].pair = at;
        }
    }
}

/* The free run at or after a unit; false when there is none. */
static inline bool range_model_run(const range_model *m, uint64_t from, gpool_range *run)
{
    while (from < m->size && m->units[from] != 0) {
        from += 1;
    }
    run->offset = from;
    while (from < m->size && m->units[from] == 0) {
        from += 1;
    }
    run->size = from - run->offset;
    return run->size > 0;
}

/* Compares all that can be asked with the model. */
static inline void range_model_compare(const range_model *m)
{
    gpool_range_report report;
    MODEL_REQUIRE(gpool_range_allocator_validate(m->allocator));
    MODEL_REQUIRE(gpool_range_allocator_report(m->allocator, &report) == GPOOL_OK);
    gpool_range_cursor cursor = { 0 };
    gpool_range run = { 0 };
    gpool_range range;
    uint64_t largest = 0;
    uint32_t runs = 0;
    uint32_t by_power[57] = { 0 };
    while (range_model_run(m, run.offset + run.size, &run)) {
        MODEL_REQUIRE(gpool_range_allocator_next_free(m->allocator, &cursor, &range));
        MODEL_REQUIRE(range.offset == run.offset && range.size == run.size);
        largest = run.size > largest ? run.size : largest;
        runs += 1;
        uint32_t power = 0;
        while (run.size >> power > 1) {
            power += 1;
        }
        by_power[power] += 1;
    }
    MODEL_REQUIRE(!gpool_range_allocator_next_free(m->allocator, &cursor, &range));
    MODEL_REQUIRE(report.size == m->size && report.live_size == m->live_size);
    MODEL_REQUIRE(report.free_size == m->size - m->live_size);
    MODEL_REQUIRE(report.live_count == m->live_count && report.free_count == runs);
    MODEL_REQUIRE(report.moving_count == m->moving_count);
    MODEL_REQUIRE(report.largest_free == largest);
    MODEL_REQUIRE(report.alloc_steps <= 18 && report.free_steps <= 3);
    MODEL_REQUIRE(memcmp(by_power, report.free_by_power, sizeof by_power) == 0);
    cursor = (gpool_range_cursor){ 0 };
    gpool_live_range live;
    uint32_t count = 0;
    uint64_t end = 0;
    while (gpool_range_allocator_next(m->allocator, &cursor, &live)) {
        MODEL_REQUIRE(live.allocation.offset >= end);
        const uint16_t at = m->units[live.allocation.offset];
        MODEL_REQUIRE(at != 0);
        const range_model_live *known = &m->live[at - 1];
        MODEL_REQUIRE(known->handle.offset == live.allocation.offset &&
                      known->handle.node == live.allocation.node &&
                      known->handle.stamp == live.allocation.stamp);
        MODEL_REQUIRE(known->size == live.size && known->user == live.user);
        MODEL_REQUIRE(live.moving == (known->pair != RANGE_MODEL_NONE));
        end = live.allocation.offset + live.size;
        count += 1;
    }
    MODEL_REQUIRE(count == m->live_count);
}

/* A refusal is right when no free run is larger by a 64th, nor any large enough where there are few. */
static inline void range_model_check_full(const range_model *m, uint64_t size, uint64_t align)
{
    gpool_range run = { 0 };
    uint64_t fitting = 0;
    uint64_t runs = 0;
    while (range_model_run(m, run.offset + run.size, &run)) {
        const uint64_t over = run.offset % align;
        const uint64_t pad = over == 0 ? 0 : align - over;
        const uint64_t any = size + align - 1;
        runs += 1;
        fitting += pad <= run.size && run.size - pad >= size;
        MODEL_REQUIRE(run.size < any + any / 64 + 1);
    }
    MODEL_REQUIRE(runs > 2 || align > 1 || fitting == 0);
}

static inline void range_model_alloc(range_model *m, uint64_t size, uint64_t align)
{
    if (m->live_count == RANGE_MODEL_LIVE) {
        return;
    }
    gpool_allocation handle;
    const uint32_t user = m->users++;
    const gpool_result result = gpool_range_alloc(m->allocator, size, align, user, &handle);
    if (result == GPOOL_OK) {
        MODEL_REQUIRE(handle.offset % align == 0);
        (void)range_model_enter(m, handle, size, user);
        m->done += 1;
        return;
    }
    MODEL_REQUIRE(handle.offset == 0 && handle.node == 0 && handle.stamp == 0);
    if (align == 0) {
        MODEL_REQUIRE(result == GPOOL_ERROR_INVALID_ARGUMENT);
    } else if (size == 0 || size > m->size) {
        MODEL_REQUIRE(result == GPOOL_ERROR_OUT_OF_RANGE);
    } else if (result == GPOOL_ERROR_OUT_OF_MEMORY) {
        gpool_range_report report;
        (void)gpool_range_allocator_report(m->allocator, &report);
        const uint64_t nodes =
            (uint64_t)report.live_count + report.free_count + report.moving_count;
        MODEL_REQUIRE(m->max_nodes != 0 && nodes <= m->max_nodes &&
                      nodes + (align > 1 ? 2 : 1) > m->max_nodes);
    } else {
        MODEL_REQUIRE(result == GPOOL_ERROR_FULL);
        if (align <= m->size) {
            range_model_check_full(m, size, align);
        }
    }
}

static inline void range_model_free(range_model *m, uint32_t at)
{
    const range_model_live live = m->live[at];
    gpool_range range;
    uint32_t user = 0;
    MODEL_REQUIRE(gpool_range_get(m->allocator, live.handle, &range, &user) == GPOOL_OK);
    MODEL_REQUIRE(range.offset == live.handle.offset && range.size == live.size);
    MODEL_REQUIRE(user == live.user);
    MODEL_REQUIRE(gpool_range_free(m->allocator, live.handle) == GPOOL_OK);
    range_model_leave(m, at);
    m->done += 1;
}

/* A handle that is not live is refused by all who take one. */
static inline void range_model_refuse(const range_model *m, gpool_allocation handle)
{
    const gpool_result result = gpool_range_get(m->allocator, handle, NULL, NULL);
    const bool none = handle.offset == 0 && handle.node == 0 && handle.stamp == 0;
    MODEL_REQUIRE(none
                      ? result == GPOOL_ERROR_NULL_HANDLE
                      : result == GPOOL_ERROR_STALE_HANDLE || result == GPOOL_ERROR_INVALID_HANDLE);
    MODEL_REQUIRE(gpool_range_free(m->allocator, handle) == result);
}

static inline void range_model_forge(const range_model *m, uint32_t at, uint64_t how)
{
    gpool_allocation handle = m->live[at].handle;
    const uint32_t delta = (uint32_t)(1 + how / 4);
    if (how % 4 == 0) {
        handle.offset += delta;
    } else if (how % 4 == 1) {
        handle.node ^= delta;
    } else if (how % 4 == 2) {
        handle.stamp ^= delta;
    } else {
        handle.stamp += 1u << how / 4 % 32;
    }
    range_model_refuse(m, handle);
}

static inline void range_model_grow(range_model *m, uint64_t size)
{
    const gpool_result result = gpool_range_allocator_grow(m->allocator, size);
    if (size < m->size) {
        MODEL_REQUIRE(result == GPOOL_ERROR_OUT_OF_RANGE);
    } else if (result != GPOOL_OK) {
        MODEL_REQUIRE(result == GPOOL_ERROR_OUT_OF_MEMORY && m->max_nodes != 0);
    } else {
        m->size = size;
    }
}

static inline bool range_model_movable(void *context, uint32_t user, uint64_t *align)
{
    const range_model *m = context;
    MODEL_REQUIRE(*align == 1);
    *align = m->align;
    return m->pinned == 0 || user % m->pinned != 0;
}

/* The place of a live handle in the model. */
static inline uint32_t range_model_find(const range_model *m, gpool_allocation handle)
{
    MODEL_REQUIRE(handle.offset < m->size && m->units[handle.offset] != 0);
    const uint32_t at = m->units[handle.offset] - 1u;
    MODEL_REQUIRE(m->live[at].handle.node == handle.node &&
                  m->live[at].handle.stamp == handle.stamp &&
                  m->live[at].handle.offset == handle.offset);
    return at;
}

static inline gpool_result range_model_plan(range_model *m, uint64_t budget, uint32_t capacity)
{
    gpool_range_move moves[RANGE_MODEL_MOVES];
    uint32_t count = 77;
    if (capacity > RANGE_MODEL_LIVE - m->live_count) {
        capacity = RANGE_MODEL_LIVE - m->live_count;
    }
    const gpool_result result = gpool_range_plan_moves(m->allocator, budget, range_model_movable, m,
                                                       moves, capacity, &count);
    MODEL_REQUIRE(result == GPOOL_OK || (result == GPOOL_NOT_READY && count == 0));
    MODEL_REQUIRE(count <= capacity);
    uint64_t sum = 0;
    for (uint32_t i = 0; i < count; ++i) {
        const gpool_range_move *move = &moves[i];
        const uint32_t from = range_model_find(m, move->from);
        uint64_t align = 1;
        MODEL_REQUIRE(m->live[from].pair == RANGE_MODEL_NONE);
        MODEL_REQUIRE(m->live[from].size == move->size && m->live[from].user == move->user);
        MODEL_REQUIRE(range_model_movable(m, move->user, &align));
        MODEL_REQUIRE(move->to.offset % align == 0);
        const uint32_t to = range_model_enter(m, move->to, move->size, move->user);
        m->live[from].pair = to;
        m->live[from].source = true;
        m->live[to].pair = from;
        m->live[to].source = false;
        m->moving_count += 1;
        m->moves += 1;
        sum += move->size;
    }
    MODEL_REQUIRE(sum <= budget);
    return result;
}

/* Ends all planned moves: `cancel` of 8 are taken back. */
static inline void range_model_end_moves(range_model *m, uint64_t cancel)
{
    for (uint32_t at = m->live_count; at-- > 0;) {
        if (at < m->live_count && m->live[at].pair != RANGE_MODEL_NONE) {
            const uint32_t pair = m->live[at].pair;
            const uint32_t source = m->live[at].source ? at : pair;
            const uint32_t to = m->live[at].source ? pair : at;
            range_model_free(m, m->live[at].user % 8 < cancel ? to : source);
        }
    }
}

static inline void range_model_close(range_model *m)
{
    while (m->live_count > 0) {
        range_model_free(m, m->live_count - 1);
    }
    range_model_compare(m);
    gpool_range_report report;
    (void)gpool_range_allocator_report(m->allocator, &report);
    MODEL_REQUIRE(report.largest_free == m->size && report.free_count == (m->size > 0));
    gpool_range_allocator_destroy(m->allocator);
    free(m->memory);
}

/* --- driven by bytes --- */

typedef struct range_script {
    const uint8_t *bytes;
    size_t left;
} range_script;

static inline uint64_t range_script_take(range_script *s, size_t count)
{
    uint64_t value = 0;
    for (; count > 0 && s->left > 0; --count) {
        value = value << 8 | *s->bytes;
        s->bytes += 1;
        s->left -= 1;
    }
    return value;
}

static inline uint64_t range_script_align(range_script *s)
{
    static const uint64_t aligns[] = { 0, 12, 20, 36, 3, 7, 100, UINT64_MAX, 1u << 20, 255 };
    const uint64_t kind = range_script_take(s, 1);
    return kind < 10 ? aligns[kind] : kind < 128 ? 1 : UINT64_C(1) << kind % 11;
}

static inline uint64_t range_script_size(range_script *s, const range_model *m)
{
    const uint64_t kind = range_script_take(s, 1);
    if (kind < 160) {
        return 1 + kind % 40;
    }
    if (kind < 240) {
        return 1 + range_script_take(s, 1) * (1 + kind % 4);
    }
    return kind < 248 ? m->size - kind % 4 : range_script_take(s, 2) % (m->size + 2);
}

static inline void range_script_step(range_script *s, range_model *m)
{
    const uint64_t op = range_script_take(s, 1);
    const uint32_t at = (uint32_t)(range_script_take(s, 2) % (m->live_count + 1));
    if (op < 116) {
        const uint64_t size = range_script_size(s, m);
        range_model_alloc(m, size, op < 60 ? 1 : range_script_align(s));
    } else if (op < 220) {
        if (at < m->live_count) {
            range_model_free(m, at);
        }
    } else if (op < 228) {
        if (at < m->live_count) {
            range_model_forge(m, at, range_script_take(s, 2));
        }
        const gpool_allocation forged = { range_script_take(s, 2), (uint32_t)at,
                                          (uint32_t)range_script_take(s, 3) };
        range_model_refuse(m, forged);
    } else if (op < 236) {
        if (m->dead_count > 0) {
            const uint64_t known =
                m->dead_count < RANGE_MODEL_DEAD ? m->dead_count : RANGE_MODEL_DEAD;
            range_model_refuse(m, m->dead[at % known]);
        }
    } else if (op < 238) {
        const uint64_t size = m->size + at % 64 - (op == 237);
        if (size <= RANGE_MODEL_UNITS && size <= m->size + 64) {
            range_model_grow(m, size);
        }
    } else if (op < 250) {
        m->pinned = op % 4 == 0 ? (uint32_t)range_script_take(s, 1) : m->pinned;
        m->align = op % 4 == 1 ? 1 + (uint32_t)range_script_take(s, 1) % 24 : m->align;
        (void)range_model_plan(m, 1 + at % 300, range_script_take(s, 1) % 8);
    } else if (op < 253) {
        range_model_end_moves(m, range_script_take(s, 1) % 8);
    } else {
        range_model_compare(m);
    }
}

/** Runs a script, which is compared after every `every`-th step; returns its steps. */
static inline uint64_t range_model_play(const uint8_t *bytes, size_t size, uint64_t every,
                                        uint64_t *moves)
{
    range_script script = { .bytes = bytes, .left = size };
    static range_model model;
    const uint64_t kind = range_script_take(&script, 1);
    const uint64_t units = range_script_take(&script, 2) % (kind % 4 == 0 ? 100 : 4000);
    const uint32_t nodes = kind < 100 ? 1 + (uint32_t)range_script_take(&script, 1) : 0;
    range_model_open(&model, units, nodes, kind % 2 == 0);
    uint64_t steps = 0;
    for (; script.left > 0; ++steps) {
        range_script_step(&script, &model);
        if (steps % every == 0) {
            range_model_compare(&model);
        }
    }
    range_model_compare(&model);
    range_model_close(&model);
    *moves += model.moves;
    return steps;
}

#endif
