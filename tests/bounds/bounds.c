#include "bounds.h"

#include <inttypes.h>

#define WITNESS_BYTES 64u

/* --- the world --- */

static void *refuse_large(void *user, void *block, size_t old_size, size_t new_size)
{
    bounds_memory *memory = user;
    size_t *start = block != NULL ? (size_t *)block - 2 : NULL;
    memory->wrong_sizes += (start != NULL ? *start : 0) != old_size;
    if (new_size == 0) {
        memory->blocks -= start != NULL;
        free(start);
        return NULL;
    }
    bool chosen = memory->fail_in > 0 && --memory->fail_in == 0;
    if (new_size > memory->largest || chosen) {
        memory->refused += 1;
        return NULL;
    }
    size_t *fresh = malloc(2 * sizeof *fresh + new_size);
    if (fresh == NULL) {
        abort();
    }
    memset(fresh + 2, 0xa5, new_size);
    *fresh = new_size;
    if (start != NULL) {
        memcpy(fresh + 2, block, old_size < new_size ? old_size : new_size);
        free(start);
    } else {
        memory->blocks += 1;
    }
    return fresh + 2;
}

static void count_leaks(void *user, const gpool_log_record *record)
{
    bounds_world *w = user;
    atomic_fetch_add(&w->leaks, record->id == GPOOL_LOG_LEAK);
}

static void witness_bytes(uint8_t bytes[WITNESS_BYTES])
{
    bounds_fill(bytes, WITNESS_BYTES, 4711);
}

static void open_pool(bounds_world *w, gpool_desc desc, gpool **pool)
{
    desc.log = count_leaks;
    desc.log_user = w;
    desc.recycle.off = true; /* what is freed is gone, and can be counted */
    desc.allocator = (gpool_allocator){ .resize = refuse_large, .user = &w->memory };
    desc.wait_timeout_ms = desc.wait_timeout_ms != 0 ? desc.wait_timeout_ms : 100;
    assert_same(gpool_create(w->device, &desc, pool), GPOOL_OK);
}

gpool *bounds_pool_desc(bounds_world *w, const gpool_desc *desc)
{
    gpool *pool = NULL;
    open_pool(w, *desc, &pool);
    return pool;
}

gpool *bounds_pool(bounds_world *w, const char *label)
{
    return bounds_pool_desc(w,
                            &(gpool_desc){ .compile_workers = GPOOL_WORKERS_NONE, .label = label });
}

void bounds_open_desc(bounds_world *w, const sim_desc *manners, const gpool_desc *desc)
{
    *w = (bounds_world){ .s = sim_create(manners),
                         .memory = { .largest = BOUNDS_BLOCK },
                         .what = "" };
    assert_non_null(w->s);
    sim_table(w->s, &w->table);
    gpool_device_desc device = { .gpu = &w->table,
                                 .log = count_leaks,
                                 .log_user = w,
                                 .optional_features = manners != NULL ? manners->features : NULL,
                                 .optional_feature_count =
                                     manners != NULL ? manners->feature_count : 0 };
    assert_same(gpool_device_open(&device, &w->device), GPOOL_OK);
    open_pool(w,
              desc != NULL
                  ? *desc
                  : (gpool_desc){ .compile_workers = GPOOL_WORKERS_NONE, .label = "bounds" },
              &w->pool);
    uint8_t bytes[WITNESS_BYTES];
    witness_bytes(bytes);
    w->witness = bounds_buffer(w, bytes, sizeof bytes, GPOOL_BUFFER_READ_BACK);
    bounds_good(w, gpool_process_uploads(w->pool));
    /* What is made once, such as pages of tables, is there before anything is compared. */
    bounds_good(w, gpool_buffer_destroy(w->pool, bounds_buffer(w, bytes, 4, GPOOL_BUFFER_VERTEX)));
    bounds_settle(w);
}

void bounds_open(bounds_world *w, sim_personality personality, const WGPULimits *limits)
{
    sim_desc desc = {
        .personality = personality,
        .limits = limits,
        .memory = BOUNDS_MEMORY,
    };
    bounds_open_desc(w, &desc, NULL);
}

void bounds_close(bounds_world *w)
{
    uint8_t bytes[WITNESS_BYTES];
    witness_bytes(bytes);
    bounds_same(w, w->witness, bytes, sizeof bytes);
    gpool_destroy(w->pool);
    gpool_device_release(w->device);
    if (sim_fatal_count(w->s) != 0) {
        fail_msg("fatal: %s", sim_fatal_message(w->s, 0));
    }
    assert_same(sim_calls_in_callbacks(w->s), 0);
    assert_same(sim_live(w->s, SIM_KIND_NONE), 0);
    assert_same(w->memory.blocks, 0);
    assert_same(w->memory.wrong_sizes, 0);
    sim_destroy(w->s);
}

/* --- values --- */

void bounds_set_add(bounds_set *set, uint64_t value)
{
    uint32_t i = 0;
    while (i < set->count && set->v[i] < value) {
        i += 1;
    }
    if (i < set->count && set->v[i] == value) {
        return;
    }
    assert_true(set->count < UNIT_COUNT(set->v));
    memmove(&set->v[i + 1], &set->v[i], (set->count - i) * sizeof *set->v);
    set->v[i] = value;
    set->count += 1;
}

bounds_set bounds_values(uint64_t near_value)
{
    static const uint64_t centers[] = {
        0, /* and 2^64: the numbers wrap */
        1, 3, 4, 255, 256, UINT64_C(1) << 31, UINT64_C(1) << 32, UINT64_C(1) << 53, UINT64_MAX,
    };
    bounds_set set = { .count = 0 };
    for (size_t i = 0; i < UNIT_COUNT(centers); ++i) {
        bounds_set_add(&set, centers[i] - 1);
        bounds_set_add(&set, centers[i]);
        bounds_set_add(&set, centers[i] + 1);
    }
    bounds_set_add(&set, UINT64_MAX - 3); /* the largest multiple of 4 */
    if (near_value != 0) {
        static const int64_t steps[] = { -4, -1, 0, 1, 4 };
        for (size_t i = 0; i < UNIT_COUNT(steps); ++i) {
            bounds_set_add(&set, near_value + (uint64_t)steps[i]);
        }
    }
    return set;
}

bounds_set bounds_values32(uint64_t near_value)
{
    bounds_set all = bounds_values(near_value);
    bounds_set set = { .count = 0 };
    for (uint32_t i = 0; i < all.count; ++i) {
        if (all.v[i] <= UINT32_MAX) {
            bounds_set_add(&set, all.v[i]);
        }
    }
    bounds_set_add(&set, UINT32_MAX - 1); /* as 2^64 - 2 */
    bounds_set_add(&set, UINT32_MAX - 3);
    return set;
}

/* --- oracle --- */

static void add_rule(bounds_oracle *o, bool broken, gpool_result code, bool has_value,
                     uint64_t value)
{
    if (broken) {
        assert_true(o->count < BOUNDS_RULES);
        o->broken[o->count].code = code;
        o->broken[o->count].has_value = has_value;
        o->broken[o->count].value = value;
        o->count += 1;
    }
}

void bounds_rule(bounds_oracle *o, bool broken, gpool_result code, uint64_t value)
{
    add_rule(o, broken, code, true, value);
}

void bounds_rule_plain(bounds_oracle *o, bool broken, gpool_result code)
{
    add_rule(o, broken, code, false, 0);
}

void bounds_rule_range(bounds_oracle *o, uint64_t offset, uint64_t size, uint64_t whole)
{
    bool outside = !bounds_inside(offset, size, whole);
    bounds_rule(o, outside, GPOOL_ERROR_OUT_OF_RANGE, offset);
    bounds_rule(o, outside, GPOOL_ERROR_OUT_OF_RANGE, size);
}

void bounds_rule_aligned(bounds_oracle *o, uint64_t number, uint64_t unit)
{
    bounds_rule(o, number % unit != 0, GPOOL_ERROR_MISALIGNED, number);
}

/* True when the text has the number, alone. */
static bool has_number(const char *text, uint64_t value)
{
    char digits[24];
    int length = snprintf(digits, sizeof digits, "%" PRIu64, value);
    for (const char *at = text; (at = strstr(at, digits)) != NULL; ++at) {
        bool before = at > text && at[-1] >= '0' && at[-1] <= '9';
        bool after = at[length] >= '0' && at[length] <= '9';
        if (!before && !after) {
            return true;
        }
    }
    return false;
}

/* --- checks --- */

gpool_stats bounds_stats(const bounds_world *w)
{
    gpool_stats stats;
    assert_same(gpool_get_stats(w->pool, &stats), GPOOL_OK);
    return stats;
}

void bounds_before(bounds_world *w, const char *what)
{
    w->what = what;
    w->before = bounds_stats(w);
    w->calls_before = sim_call_count(w->s, SIM_ANY_FUNCTION);
    w->live_before = sim_live(w->s, SIM_KIND_NONE);
    w->checks += 1;
}

/* A refusal leaves one error, one skipped command when recorded, and nothing else. */
static void unchanged(bounds_world *w, gpool_result got, bool recorded, uint64_t a, uint64_t b)
{
    gpool_stats now = bounds_stats(w);
    now.allocations = w->before.allocations; /* what was taken for a try is given back */
    if (now.errors != w->before.errors + 1 || now.skipped != w->before.skipped + recorded) {
        fail_msg("%s with 0x%" PRIx64 ", 0x%" PRIx64 ": %" PRIu64 " errors told, %" PRIu64
                 " commands skipped",
                 w->what, a, b, now.errors - w->before.errors, now.skipped - w->before.skipped);
    }
    now.errors = w->before.errors;
    now.skipped = w->before.skipped;
    if (w->calls_allowed) {
        now.gpu_calls = w->before.gpu_calls;
        now.gpu_objects = w->before.gpu_objects;
    } else {
        bounds_must(w, sim_call_count(w->s, SIM_ANY_FUNCTION) == w->calls_before,
                    "a refused call has called webgpu.h", a, b);
    }
    for (size_t i = 0; i < sizeof now / sizeof(uint64_t); ++i) {
        uint64_t before = ((const uint64_t *)(const void *)&w->before)[i];
        uint64_t after = ((const uint64_t *)(const void *)&now)[i];
        if (before != after) {
            fail_msg("%s with 0x%" PRIx64 ", 0x%" PRIx64
                     " gave %s, and counter %zu went from %" PRIu64 " to %" PRIu64,
                     w->what, a, b, gpool_result_name(got), i, before, after);
        }
    }
    bounds_must(w, sim_live(w->s, SIM_KIND_NONE) == w->live_before,
                "a refused call has left objects", a, b);
}

static bool judge(bounds_world *w, const bounds_oracle *o, gpool_result got, bool recorded,
                  uint64_t a, uint64_t b)
{
    if (got == GPOOL_OK) {
        if (o->count > 0) {
            fail_msg("%s took 0x%" PRIx64 ", 0x%" PRIx64 ", expected is %s", w->what, a, b,
                     gpool_result_name(o->broken[0].code));
        }
        return true;
    }
    const gpool_error *error = gpool_last_error(w->pool);
    bool code_good = false;
    bool value_good = false;
    for (uint32_t i = 0; i < o->count; ++i) {
        bool same = o->broken[i].code == got;
        code_good = code_good || same;
        value_good =
            value_good ||
            (same && (!o->broken[i].has_value || has_number(error->message, o->broken[i].value)));
    }
    if (!code_good) {
        fail_msg("%s with 0x%" PRIx64 ", 0x%" PRIx64 " gave %s, expected is %s: %s", w->what, a, b,
                 gpool_result_name(got),
                 o->count > 0 ? gpool_result_name(o->broken[0].code) : "GPOOL_OK", error->message);
    }
    if (!value_good) {
        fail_msg("%s with %" PRIu64 ", %" PRIu64 ": the message names no value that is wrong: %s",
                 w->what, a, b, error->message);
    }
    if (error->code != got) {
        fail_msg("%s gave %s, the last error says %s", w->what, gpool_result_name(got),
                 gpool_result_name(error->code));
    }
    unchanged(w, got, recorded, a, b);
    return false;
}

bool bounds_after(bounds_world *w, const bounds_oracle *o, gpool_result got, uint64_t a, uint64_t b)
{
    return judge(w, o, got, false, a, b);
}

bool bounds_after_made(bounds_world *w, const bounds_oracle *o, bool made, uint64_t a, uint64_t b)
{
    return judge(w, o, made ? GPOOL_OK : gpool_last_error(w->pool)->code, false, a, b);
}

bool bounds_after_record(bounds_world *w, const bounds_oracle *o, uint64_t a, uint64_t b)
{
    bool skipped = bounds_stats(w).skipped > w->before.skipped;
    return judge(w, o, skipped ? gpool_last_error(w->pool)->code : GPOOL_OK, true, a, b);
}

void bounds_must(const bounds_world *w, bool good, const char *what, uint64_t a, uint64_t b)
{
    if (!good) {
        fail_msg("%s with 0x%" PRIx64 ", 0x%" PRIx64 ": %s", w->what, a, b, what);
    }
}

void bounds_good(const bounds_world *w, gpool_result result)
{
    if (result != GPOOL_OK) {
        fail_msg("%s: %s: %s", w->what, gpool_result_name(result),
                 gpool_last_error(w->pool)->message);
    }
}

void bounds_settle(bounds_world *w)
{
    uint64_t retired = 0;
    do {
        /* Also queue writes keep objects alive until they are submitted. */
        bounds_good(w, gpool_process_uploads(w->pool));
        bounds_good(w, gpool_wait_idle(w->pool));
        bounds_good(w, gpool_tick(w->pool));
        retired = bounds_stats(w).retired_count;
    } while (retired > 0);
}

void bounds_fill(uint8_t *bytes, size_t size, uint64_t seed)
{
    for (size_t i = 0; i < size; ++i) {
        bytes[i] = (uint8_t)(unit_random(&seed) | 1); /* never zero: zeros are seen */
    }
}

void bounds_same(bounds_world *w, gpool_buffer buffer, const uint8_t *bytes, size_t size)
{
    uint8_t *got = malloc(size + 1);
    assert_non_null(got);
    bounds_good(w, gpool_buffer_read(w->pool, buffer, 0, got, size));
    for (size_t i = 0; i < size; ++i) {
        if (got[i] != bytes[i]) {
            fail_msg("%s: byte %zu of %zu is 0x%02x, expected is 0x%02x", w->what, i, size, got[i],
                     bytes[i]);
        }
    }
    free(got);
}

gpool_buffer bounds_buffer(bounds_world *w, const void *data, uint64_t size,
                           gpool_buffer_usage usage)
{
    gpool_buffer_desc desc = { .data = data, .size = size, .usage = usage, .label = "bounds" };
    gpool_buffer buffer = gpool_buffer_create(w->pool, &desc);
    if (buffer.id == 0) {
        fail_msg("no buffer: %s", gpool_last_error(w->pool)->message);
    }
    return buffer;
}

gpool_layout bounds_layout(bounds_world *w, const gpool_layout_entry *entries, uint32_t count)
{
    gpool_layout_desc desc = { .entries = entries, .entry_count = count, .label = "layout" };
    return gpool_layout_create(w->pool, &desc);
}

gpool_recorder bounds_begin(bounds_world *w)
{
    bounds_good(w, gpool_begin_frame(w->pool));
    gpool_recorder rec = gpool_frame_recorder(w->pool);
    assert_non_null(rec.state);
    return rec;
}

void bounds_end(bounds_world *w, bool skipped)
{
    uint64_t dropped = bounds_stats(w).dropped_recorders;
    gpool_result result = gpool_end_frame(w->pool);
    if ((result != GPOOL_OK) != skipped || bounds_stats(w).dropped_recorders != dropped) {
        fail_msg("%s: the frame gave %s: %s", w->what, gpool_result_name(result),
                 gpool_last_error(w->pool)->message);
    }
}

gpool_recorder bounds_begin_compute(bounds_world *w)
{
    gpool_recorder rec = bounds_begin(w);
    gpool_begin_compute(rec, NULL);
    return rec;
}

void bounds_end_pass(bounds_world *w, gpool_recorder rec, bool skipped)
{
    gpool_end_pass(rec);
    bounds_end(w, skipped);
}
