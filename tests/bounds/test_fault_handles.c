/* Every function that takes a handle, with handles in every state. */
#include "handle_ops.h"

#include "pool/pool_state.h"

#include <inttypes.h>

typedef enum matrix_state {
    STATE_NULL,
    STATE_LIVE,
    STATE_FAILED,
    STATE_DESTROYED,    /* not freed yet */
    STATE_FREED,        /* its slot is free */
    STATE_REUSED,       /* its slot is another's */
    STATE_SIBLING,      /* of another pool of the device */
    STATE_OTHER_DEVICE, /* of a pool of another device of the same implementation */
    STATE_OTHER_WORLD,  /* of a pool of a device of another implementation */
    STATE_OTHER_KIND,   /* a live one of every other kind */
    STATE_FORGED,       /* never given out, in many ways */
    STATE_COUNT
} matrix_state;

static const char *const state_names[STATE_COUNT] = { "null",
                                                      "live",
                                                      "failed",
                                                      "destroyed",
                                                      "freed",
                                                      "reused",
                                                      "of another pool",
                                                      "of another device",
                                                      "of another implementation",
                                                      "of another kind",
                                                      "forged" };

typedef struct matrix {
    bounds_world w;
    bounds_world other;    /* another simulator */
    gpool_device *device2; /* of the first simulator */
    ops_pool pools[4];     /* under test; sibling; device2's; other's */
    uint64_t checks;
} matrix;

static void matrix_open(matrix *m, sim_personality personality)
{
    *m = (matrix){ .checks = 0 };
    sim_personality another = personality == SIM_DAWN ? SIM_WGPU_NATIVE : SIM_DAWN;
    bounds_open(&m->other, another, &ops_limits);
    bounds_open(&m->w, personality, &ops_limits);
    gpool_device_desc desc = { .gpu = &m->w.table };
    assert_same(gpool_device_open(&desc, &m->device2), GPOOL_OK);
    gpool *third = NULL;
    gpool_device *first = m->w.device;
    ops_open(&m->pools[0], &m->w, m->w.pool);
    ops_open(&m->pools[1], &m->w, bounds_pool(&m->w, "sibling"));
    m->w.device = m->device2;
    third = bounds_pool(&m->w, "of another device");
    m->w.device = first;
    ops_open(&m->pools[2], &m->w, third);
    ops_open(&m->pools[3], &m->other, m->other.pool);
    bounds_settle(&m->w);
}

static void matrix_close(matrix *m)
{
    gpool_destroy(m->pools[1].pool);
    gpool_destroy(m->pools[2].pool);
    gpool_device_release(m->device2);
    bounds_close(&m->w);
    bounds_close(&m->other);
    print_message("%" PRIu64 " calls\n", m->checks);
}

/* One call that must be refused with this code, before any call of webgpu.h. */
static void refuse(matrix *m, const ops_op *op, uint64_t id, gpool_result code)
{
    ops_pool *p = &m->pools[0];
    uint64_t other = sim_call_count(m->other.s, SIM_ANY_FUNCTION);
    gpool_recorder rec = ops_begin(p, op);
    bounds_oracle o = { 0 };
    bounds_rule_plain(&o, true, code);
    bounds_before(&m->w, op->name);
    m->w.calls_allowed = (op->flags & OPS_LOOKS) != 0;
    gpool_result got = op->run(p, rec, id);
    bool good = op->place == OPS_OUTSIDE ? bounds_after(&m->w, &o, got, id, code)
                                         : bounds_after_record(&m->w, &o, id, code);
    assert_false(good);
    m->w.calls_allowed = false;
    ops_end(p, op, rec, true);
    assert_same(sim_call_count(m->other.s, SIM_ANY_FUNCTION), other);
    m->checks += 1;
}

static bool is_handle_error(gpool_result result)
{
    return result == GPOOL_ERROR_NULL_HANDLE || result == GPOOL_ERROR_INVALID_HANDLE ||
           result == GPOOL_ERROR_FOREIGN_HANDLE || result == GPOOL_ERROR_STALE_HANDLE ||
           result == GPOOL_ERROR_FAILED_RESOURCE;
}

/* A live handle is never refused as a handle, whatever else may be wrong with the call. */
static void accept(matrix *m, const ops_op *op, uint64_t id)
{
    ops_pool *p = &m->pools[0];
    gpool_recorder rec = ops_begin(p, op);
    bounds_before(&m->w, op->name);
    gpool_result got = op->run(p, rec, id);
    bool skipped = bounds_stats(&m->w).skipped > m->w.before.skipped;
    got = skipped ? gpool_last_error(m->w.pool)->code : got;
    if (is_handle_error(got)) {
        fail_msg("%s refuses a live handle: %s", op->name, gpool_last_error(m->w.pool)->message);
    }
    ops_end(p, op, rec, skipped);
    m->checks += 1;
}

/* A null handle where it means something. */
static void accept_null(matrix *m, const ops_op *op)
{
    if ((op->flags & OPS_NULL_IS_GOOD) == 0) {
        refuse(m, op, 0, GPOOL_ERROR_NULL_HANDLE);
        return;
    }
    gpool_recorder rec = ops_begin(&m->pools[0], op);
    uint64_t errors = bounds_stats(&m->w).errors;
    gpool_result got = op->run(&m->pools[0], rec, 0);
    if (got != GPOOL_OK || bounds_stats(&m->w).errors != errors) {
        fail_msg("%s refuses null: %s", op->name, gpool_last_error(m->w.pool)->message);
    }
    ops_end(&m->pools[0], op, rec, false);
    m->checks += 1;
}

static void take_failed(matrix *m, const ops_op *op, gpool_kind kind)
{
    uint64_t id = ops_make_failed(&m->pools[0], kind);
    bounds_before(&m->w, op->name);
    if ((op->flags & OPS_STATUS) != 0) {
        assert_same(op->run(&m->pools[0], (gpool_recorder){ 0 }, id), GPOOL_ERROR_GPU);
        assert_same(bounds_stats(&m->w).errors, m->w.before.errors);
    } else if ((op->flags & OPS_FAILED_IS_GOOD) != 0) {
        assert_same(op->run(&m->pools[0], (gpool_recorder){ 0 }, id), GPOOL_OK);
        assert_same(bounds_stats(&m->w).errors, m->w.before.errors);
    } else if ((op->flags & OPS_MAKES) != 0) {
        /* A pipeline of a failed shader is failed, too, and has a handle. */
        assert_same(op->run(&m->pools[0], (gpool_recorder){ 0 }, id), GPOOL_OK);
        assert_same(bounds_stats(&m->w).errors, m->w.before.errors + 1);
        assert_same(gpool_last_error(m->w.pool)->code, GPOOL_ERROR_FAILED_RESOURCE);
    } else {
        refuse(m, op, id,
               (op->flags & OPS_TELLS) != 0 ? GPOOL_ERROR_GPU : GPOOL_ERROR_FAILED_RESOURCE);
    }
    if ((op->flags & OPS_DESTROYS) == 0) {
        while (gpool_release(m->w.pool, id) == GPOOL_OK) { /* also what retain added */
        }
    }
    m->checks += 1;
}

static void take_other_kinds(matrix *m, const ops_op *op, gpool_kind kind)
{
    for (int other = 1; other < GPOOL_KIND_COUNT && op->kind != GPOOL_KIND_NONE; ++other) {
        if (other != (int)kind) {
            uint64_t id = ops_make(&m->pools[0], (gpool_kind)other);
            refuse(m, op, id, GPOOL_ERROR_INVALID_HANDLE);
            bounds_good(&m->w, ops_destroy(&m->pools[0], id));
        }
    }
}

/* What was never given out, made from a live handle. */
static void take_forged(matrix *m, const ops_op *op, gpool_kind kind)
{
    const uint64_t generation = UINT64_C(1) << 32;
    const uint64_t kinds = UINT64_C(15) << 24;
    uint64_t live = ops_make(&m->pools[0], kind);
    const uint64_t bare = live & ~kinds;
    const struct {
        uint64_t id;
        gpool_result code;
    } forged[] = {
        { live + generation, GPOOL_ERROR_INVALID_HANDLE },
        { live | ~(uint64_t)UINT32_MAX, GPOOL_ERROR_INVALID_HANDLE },
        { live & UINT32_MAX, GPOOL_ERROR_INVALID_HANDLE },
        { live | 0xffffff, GPOOL_ERROR_INVALID_HANDLE },
        { (live & ~UINT64_C(0xffffff)) | 0xfff, GPOOL_ERROR_INVALID_HANDLE },
        { bare, GPOOL_ERROR_INVALID_HANDLE },
        { bare | (uint64_t)GPOOL_KIND_COUNT << 24, GPOOL_ERROR_INVALID_HANDLE },
        { bare | kinds, GPOOL_ERROR_INVALID_HANDLE },
        { live ^ UINT32_MAX, GPOOL_ERROR_FOREIGN_HANDLE },
        { live ^ UINT64_C(1) << 28, GPOOL_ERROR_FOREIGN_HANDLE },
        { UINT64_MAX,
          gpool_handle_tag(live) == 15 ? GPOOL_ERROR_INVALID_HANDLE : GPOOL_ERROR_FOREIGN_HANDLE },
    };
    for (size_t i = 0; i < UNIT_COUNT(forged); ++i) {
        refuse(m, op, forged[i].id, forged[i].code);
    }
    bounds_good(&m->w, ops_destroy(&m->pools[0], live));
}

static void take_stale(matrix *m, const ops_op *op, gpool_kind kind, matrix_state state)
{
    ops_pool *p = &m->pools[0];
    uint64_t id = ops_make(p, kind);
    bounds_good(&m->w, ops_destroy(p, id));
    if (state != STATE_DESTROYED) {
        bounds_settle(&m->w);
    }
    uint64_t next = 0;
    for (int i = 0; state == STATE_REUSED && gpool_handle_slot(next) != gpool_handle_slot(id);
         ++i) {
        assert_true(i < 5000); /* free slots are used in turn */
        if (next != 0) {
            bounds_good(&m->w, ops_destroy(p, next));
            bounds_settle(&m->w);
        }
        next = ops_make(p, kind);
    }
    refuse(m, op, id, GPOOL_ERROR_STALE_HANDLE);
    if (next != 0) {
        bounds_good(&m->w, ops_destroy(p, next));
    }
}

static void take_state(matrix *m, const ops_op *op, gpool_kind kind, matrix_state state)
{
    ops_pool *p = &m->pools[0];
    switch (state) {
    case STATE_NULL:
        accept_null(m, op);
        break;
    case STATE_LIVE: {
        uint64_t id = ops_make(p, kind);
        accept(m, op, id);
        while ((op->flags & OPS_DESTROYS) == 0 && gpool_release(p->pool, id) == GPOOL_OK) {
        }
        break;
    }
    case STATE_FAILED:
        if (kind != GPOOL_KIND_SCOPE && kind != GPOOL_KIND_HEAP) {
            take_failed(m, op, kind);
        }
        break;
    case STATE_DESTROYED:
    case STATE_FREED:
    case STATE_REUSED:
        take_stale(m, op, kind, state);
        break;
    case STATE_SIBLING:
    case STATE_OTHER_DEVICE:
    case STATE_OTHER_WORLD: {
        ops_pool *other = &m->pools[1 + (int)state - (int)STATE_SIBLING];
        uint64_t id = ops_make(other, kind);
        refuse(m, op, id, GPOOL_ERROR_FOREIGN_HANDLE);
        assert_same(ops_destroy(other, id), GPOOL_OK); /* it is as alive as before */
        break;
    }
    case STATE_OTHER_KIND:
        take_other_kinds(m, op, kind);
        break;
    default:
        take_forged(m, op, kind);
        break;
    }
}

static void take_states(void **state, matrix_state first, matrix_state last)
{
    matrix m;
    matrix_open(&m, bounds_personality(state));
    for (size_t i = 0; i < ops_count; ++i) {
        for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
            for (int s = (int)first; ops_fits(&ops_all[i], (gpool_kind)kind) && s <= (int)last;
                 ++s) {
                take_state(&m, &ops_all[i], (gpool_kind)kind, (matrix_state)s);
            }
        }
        bounds_settle(&m.w);
    }
    matrix_close(&m);
    print_message("states: %s to %s\n", state_names[first], state_names[last]);
}

static void fault_row_12_live_null_and_failed_handles(void **state)
{
    take_states(state, STATE_NULL, STATE_FAILED);
}

static void fault_row_12_destroyed_freed_and_reused_handles(void **state)
{
    take_states(state, STATE_DESTROYED, STATE_REUSED);
}

static void fault_row_13_handles_of_other_pools_and_devices(void **state)
{
    take_states(state, STATE_SIBLING, STATE_OTHER_WORLD);
}

static void fault_row_12_forged_handles_and_other_kinds(void **state)
{
    take_states(state, STATE_OTHER_KIND, STATE_FORGED);
}

/* --- random handles --- */

/* GPOOL_BOUNDS_FORGED sets how many; none is taken but the live ones. */
static void fault_row_11_random_handles(void **state)
{
    const char *wanted = getenv("GPOOL_BOUNDS_FORGED");
    uint64_t count = wanted != NULL ? strtoull(wanted, NULL, 0) : 50000;
    bounds_world w;
    ops_pool p;
    bounds_open(&w, bounds_personality(state), &ops_limits);
    ops_open(&p, &w, w.pool);
    bounds_before(&w, "gpool_buffer_get_info");
    uint64_t seed = 20260101;
    uint64_t tag = gpool_handle_tag(w.witness.id);
    for (uint64_t i = 0; i < count; ++i) {
        uint64_t id = unit_random(&seed);
        if (i % 2 == 0) { /* right pool, kind and slot; any generation but its own */
            id = (id & ~(uint64_t)UINT32_MAX) | tag << 28 | (uint64_t)GPOOL_KIND_BUFFER << 24 |
                 unit_random_below(&seed, 4);
        }
        gpool_buffer_info info;
        if (id != w.witness.id && id != p.buffer.id &&
            gpool_buffer_get_info(w.pool, (gpool_buffer){ id }, &info) == GPOOL_OK) {
            fail_msg("0x%" PRIx64 " was taken", id);
        }
    }
    assert_same(sim_call_count(w.s, SIM_ANY_FUNCTION), w.calls_before);
    assert_same(bounds_stats(&w).live_count[GPOOL_KIND_BUFFER],
                w.before.live_count[GPOOL_KIND_BUFFER]);
    bounds_close(&w);
}

/* --- generation wrap --- */

/* Slots start 3 generations below the last: no handle comes twice, no stale one is taken. */
static void fault_row_11_generations_end_and_no_handle_comes_twice(void **state)
{
    bounds_world w;
    ops_pool p;
    bounds_open(&w, bounds_personality(state), &ops_limits);
    ops_open(&p, &w, w.pool);
    for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
        gpool__table *table = &w.pool->tables[kind];
        table->first_generation = GPOOL__GENERATION_MAX - 3;
        /* All slots used so far stay taken; the next is a fresh one. */
        uint64_t held[256];
        uint32_t held_count = 0;
        uint64_t old[16];
        uint32_t old_count = 0;
        uint64_t id = ops_make(&p, (gpool_kind)kind);
        while (gpool_handle_generation(id) < GPOOL__GENERATION_MAX - 3) {
            assert_true(held_count < UNIT_COUNT(held));
            held[held_count++] = id;
            id = ops_make(&p, (gpool_kind)kind);
        }
        const uint32_t slot = gpool_handle_slot(id);
        for (uint32_t i = 0; i < UNIT_COUNT(old); ++i) {
            uint64_t round = (i < 4 ? i : 4) + (uint64_t)(GPOOL__GENERATION_MAX - 3);
            bool spent = gpool_handle_slot(id) != slot;
            assert_same(spent, round > GPOOL__GENERATION_MAX || i >= 4);
            old[old_count++] = id;
            bounds_good(&w, ops_destroy(&p, id));
            bounds_settle(&w);
            assert_true(gpool__table_validate(table, 0));
            id = ops_make(&p, (gpool_kind)kind);
            for (uint32_t k = 0; k < old_count; ++k) {
                assert_int_not_equal(id, old[k]);
                assert_same(gpool_retain(w.pool, old[k]), GPOOL_ERROR_STALE_HANDLE);
            }
        }
        bounds_good(&w, ops_destroy(&p, id));
        for (uint32_t i = 0; i < held_count; ++i) {
            bounds_good(&w, ops_destroy(&p, held[i]));
        }
        bounds_settle(&w);
    }
    bounds_close(&w);
}

/* --- raw objects of other devices --- */

/* gpool cannot see whose a raw object is; the implementation does, and nothing ends. */
static void fault_row_13_raw_objects_of_another_device_fail_softly(void **state)
{
    matrix m;
    matrix_open(&m, bounds_personality(state));
    ops_pool *p = &m.pools[0];
    WGPUBuffer raw = gpool_buffer_gpu(m.pools[2].pool, m.pools[2].buffer, GPOOL_ACCESS_WRITE);
    gpool_buffer_import_desc desc = {
        .buffer = raw,
        .usage = GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_COPY_SOURCE,
    };
    gpool_buffer foreign = gpool_buffer_import(m.w.pool, &desc);
    assert_int_not_equal(foreign.id, 0);
    assert_same(gpool_buffer_write(m.w.pool, foreign, 0, &(uint32_t){ 1 }, 4), GPOOL_ERROR_GPU);
    for (int i = 0; i < 2; ++i) {
        gpool_recorder rec = bounds_begin(&m.w);
        gpool_copy_buffer(rec, i == 0 ? foreign : p->buffer, 0, i == 0 ? p->buffer : foreign, 0, 4);
        assert_same(gpool_end_frame(m.w.pool), GPOOL_ERROR_GPU);
        rec = bounds_begin(&m.w);
        gpool_copy_buffer(rec, m.w.witness, 0, p->buffer, 0, 4);
        bounds_end(&m.w, false);
    }
    bounds_good(&m.w, gpool_buffer_destroy(m.w.pool, foreign));
    matrix_close(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOUNDS_TEST(fault_row_12_live_null_and_failed_handles),
        BOUNDS_TEST(fault_row_12_destroyed_freed_and_reused_handles),
        BOUNDS_TEST(fault_row_13_handles_of_other_pools_and_devices),
        BOUNDS_TEST(fault_row_12_forged_handles_and_other_kinds),
        BOUNDS_TEST(fault_row_11_random_handles),
        BOUNDS_TEST(fault_row_13_raw_objects_of_another_device_fail_softly),
        BOUNDS_TEST(fault_row_11_generations_end_and_no_handle_comes_twice), /* spends tags: last */
    };
    return cmocka_run_group_tests_name("fault handles", tests, NULL, NULL);
}
