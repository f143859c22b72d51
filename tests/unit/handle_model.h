/*
 * Naive model of a handle table, for the table with all generations and the one with few: every id
 * ever given out with its state, and a list of slots in the order they were given back. The table is
 * compared with it after every step. Included after the table's header.
 */
#ifndef GPOOL_TESTS_UNIT_HANDLE_MODEL_H
#define GPOOL_TESTS_UNIT_HANDLE_MODEL_H

#include "unit/unit.h"

#define MODEL_IDS   40000u
#define MODEL_SLOTS 4096u

typedef struct handle_payload {
    gpool__slot_head head;
    uint64_t words[3];
} handle_payload;

typedef struct handle_model {
    gpool__table *table;
    uint32_t prefix;
    uint32_t first_generation;
    uint64_t ids[MODEL_IDS]; /* every id ever given out, in order */
    uint32_t id_count;
    uint64_t live_ids[MODEL_SLOTS]; /* by slot; 0 = dead or never used */
    handle_payload *address[MODEL_SLOTS];
    uint32_t generation[MODEL_SLOTS]; /* last one given out; 0 = never */
    uint32_t live[MODEL_SLOTS];       /* slots that are live, in no order */
    uint32_t live_count;
    uint32_t killed[MODEL_SLOTS]; /* slots killed but not given back */
    uint32_t killed_count;
    uint32_t free[MODEL_SLOTS]; /* slots given back, oldest first */
    uint32_t free_count;
    uint32_t slot_count;
    uint32_t spent_count;
    uint32_t last_generation;
} handle_model;

static inline uint64_t handle_model_word(uint64_t id, size_t i)
{
    return id * 31 + i;
}

/* The id's owner is looked up by the naive way: it is live when it is the one of its slot. */
static inline bool handle_model_accepts(const handle_model *m, uint64_t id)
{
    const uint64_t slot = id & 0xffffffu;
    return id != 0 && slot < MODEL_SLOTS && m->live_ids[slot] == id;
}

static inline void handle_model_compare(const handle_model *m, uint64_t *random)
{
    const gpool__table *table = m->table;
    assert_same(gpool__table_validate(table, 0), true);
    assert_int_equal(table->live_count, m->live_count);
    assert_int_equal(table->free_count, m->free_count);
    assert_int_equal(table->slot_count, m->slot_count);
    assert_int_equal(table->spent_count, m->spent_count);
    assert_int_equal(table->last_generation, m->last_generation);
    for (uint32_t i = 0; i < m->live_count; ++i) {
        const uint32_t slot = m->live[i];
        const uint64_t id = m->live_ids[slot];
        handle_payload *payload = (handle_payload *)(void *)gpool__table_get(table, id);
        assert_ptr_equal(payload, m->address[slot]);
        assert_int_equal(payload->head.id, id);
        assert_int_equal(payload->words[i % 3], handle_model_word(id, i % 3));
    }
    for (int i = 0; i < 30 && m->id_count > 0; ++i) {
        const uint64_t id = m->ids[unit_random_below(random, m->id_count)];
        assert_same(gpool__table_get(table, id) != NULL, handle_model_accepts(m, id));
    }
}

static inline void handle_model_take(handle_model *m)
{
    uint64_t id = 0;
    handle_payload *payload = (handle_payload *)(void *)gpool__table_take(m->table, &id);
    assert_non_null(payload);
    assert_int_equal(id, payload->head.id);
    uint32_t slot = m->slot_count;
    uint32_t generation = m->first_generation;
    if (m->free_count > 0) {
        slot = m->free[0];
        generation = m->generation[slot] + 1;
        memmove(m->free, m->free + 1, --m->free_count * sizeof m->free[0]);
        assert_ptr_equal(payload, m->address[slot]);
    } else {
        m->slot_count += 1;
    }
    assert_in_range(slot, 0, MODEL_SLOTS - 1);
    assert_int_equal(id, (uint64_t)generation << 32 | m->prefix | slot);
    assert_in_range(gpool_handle_generation(id), 1, GPOOL__GENERATION_MAX);
    for (size_t i = 0; i < UNIT_COUNT(payload->words); ++i) {
        payload->words[i] = handle_model_word(id, i);
    }
    m->generation[slot] = generation;
    m->last_generation = generation > m->last_generation ? generation : m->last_generation;
    m->address[slot] = payload;
    m->live_ids[slot] = id;
    m->live[m->live_count++] = slot;
    m->ids[m->id_count++] = id;
}

static inline void handle_model_kill(handle_model *m, uint64_t *random)
{
    const uint32_t at = (uint32_t)unit_random_below(random, m->live_count);
    const uint32_t slot = m->live[at];
    const uint64_t id = m->live_ids[slot];
    handle_payload *payload = m->address[slot];
    assert_same(gpool__table_is_live(m->table, &payload->head), true);
    gpool__table_kill(m->table, &payload->head, id);
    assert_int_equal(gpool__table_handle(m->table, &payload->head), id);
    assert_same(gpool__table_is_live(m->table, &payload->head), false);
    assert_null(gpool__table_get(m->table, id));
    assert_int_equal(gpool_handle_generation(payload->head.id), gpool_handle_generation(id));
    assert_int_equal(payload->words[2], handle_model_word(id, 2));
    m->live[at] = m->live[--m->live_count];
    m->live_ids[slot] = 0;
    m->killed[m->killed_count++] = slot;
}

static inline void handle_model_give_back(handle_model *m, uint64_t *random)
{
    const uint32_t at = (uint32_t)unit_random_below(random, m->killed_count);
    const uint32_t slot = m->killed[at];
    const uint64_t id = (uint64_t)m->generation[slot] << 32 | m->prefix | slot;
    gpool__table_give_back(m->table, &m->address[slot]->head, id);
    m->killed[at] = m->killed[--m->killed_count];
    if (m->generation[slot] == GPOOL__GENERATION_MAX) {
        m->spent_count += 1;
    } else {
        m->free[m->free_count++] = slot;
    }
}

/* One random operation; `most` bounds the live slots. */
static inline void handle_model_step(handle_model *m, uint64_t *random, uint32_t most)
{
    const uint64_t dice = unit_random_below(random, 10);
    if (dice < 4 && m->live_count < most && m->id_count < MODEL_IDS) {
        handle_model_take(m);
    } else if (dice < 7 && m->live_count > 0) {
        handle_model_kill(m, random);
    } else if (m->killed_count > 0) {
        handle_model_give_back(m, random);
    }
}

static inline int handle_model_order(const void *a, const void *b)
{
    const uint64_t left = *(const uint64_t *)a;
    const uint64_t right = *(const uint64_t *)b;
    return (left > right) - (left < right);
}

/** Fails when an id was given out twice. Sorts the list of ids. */
static inline void handle_model_check_distinct(handle_model *m)
{
    qsort(m->ids, m->id_count, sizeof m->ids[0], handle_model_order);
    for (uint32_t i = 1; i < m->id_count; ++i) {
        assert_int_not_equal(m->ids[i], m->ids[i - 1]);
    }
}

/** Runs `steps` random operations on a new table and closes it. */
static inline void handle_model_run(handle_model *m, uint64_t seed, uint32_t first_generation,
                                    uint32_t steps, uint32_t most)
{
    unit_allocator allocator = { 0 };
    const gpool_allocator hooks = unit_hooks(&allocator);
    gpool__memory memory;
    gpool__memory_init(&memory, &hooks);
    const gpool_kind kind = GPOOL_KIND_TEXTURE;
    const uint32_t tag = (uint32_t)(seed % 16);
    gpool__table table;
    gpool__table_init(&table, &memory, kind, tag, sizeof(handle_payload), first_generation);
    memset(m, 0, sizeof *m);
    m->table = &table;
    m->first_generation = first_generation;
    m->prefix = (uint32_t)kind << 24 | tag << 28;
    uint64_t random = seed;
    for (uint32_t i = 0; i < steps; ++i) {
        handle_model_step(m, &random, most);
        handle_model_compare(m, &random);
    }
    handle_model_check_distinct(m);
    gpool__table_fini(&table);
    assert_int_equal(memory.bytes, 0);
    assert_int_equal(allocator.blocks, 0);
    assert_int_equal(allocator.wrong_sizes, 0);
}

#endif
