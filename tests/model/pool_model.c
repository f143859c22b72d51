#include "model_state.h"

#include "pool/staging.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- input --- */

uint8_t model_take8(model *m)
{
    return m->input_at < m->input_size ? m->input[m->input_at++] : 0;
}

uint32_t model_take16(model *m)
{
    uint32_t low = model_take8(m);
    return low | (uint32_t)model_take8(m) << 8;
}

uint8_t *model_bytes(model *m, uint64_t size)
{
    uint32_t seed = model_take8(m);
    uint8_t *bytes = model_must(malloc(size + 1));
    for (uint64_t i = 0; i < size; ++i) {
        seed = seed * 1103515245u + 12345u;
        bytes[i] = (uint8_t)(seed >> 16);
    }
    return bytes;
}

/* --- checks --- */

void *model_must(void *block)
{
    if (block == NULL) {
        abort();
    }
    return block;
}

void model_fail(const model *m, const char *format, ...)
{
    va_list arguments;
    (void)fprintf(stderr, "pool model, step %llu (%s), personality %d, completion %d: ",
                  (unsigned long long)m->step, m->operation, (int)m->sim_desc.personality,
                  (int)m->sim_desc.completion);
    va_start(arguments, format);
    (void)vfprintf(stderr, format, arguments);
    va_end(arguments);
    const int function = sim_fail_function(m->s);
    (void)fprintf(stderr, " (calls failed: %llu, the last one %s; allocations failed: %llu)\n",
                  (unsigned long long)sim_fail_hits(m->s),
                  function >= 0 ? sim_function_name(function) : "none",
                  (unsigned long long)m->memory.failed);
    abort();
}

static uint64_t hits(model *m)
{
    return m->hits_base + sim_fail_hits(m->s) + m->memory.failed;
}

bool model_hit(model *m)
{
    return hits(m) > m->hits_before;
}

bool model_is_lost(model *m)
{
    gpool_device_info info = { 0 };
    (void)gpool_device_get_info(m->device, &info);
    /* A loss may be known here before any call can tell the pool. */
    int failed = sim_fail_function(m->s);
    bool staging = m->starving &&
                   (failed == GPOOL_GPU_QueueWriteBuffer || failed == GPOOL_GPU_QueueWriteTexture);
    bool lost = info.lost || ((m->losing || staging) && sim_fail_hits(m->s) > 0);
    if (!m->lost && lost) {
        if (!model_hit(m) && hits(m) == 0) {
            model_fail(m, "the device is lost, but nobody lost it");
        }
        m->lost = true;
        m->totals->losses += 1;
    }
    return m->lost;
}

uint64_t model_refused(model *m)
{
    return sim_call_count(m->s, GPOOL_GPU_QueueSubmit) - sim_submitted(m->s);
}

bool model_is_unsent(const model *m)
{
    return m->unsent && sim_submitted(m->s) == m->unsent_at;
}

bool model_result(model *m, gpool_result got, gpool_result expected)
{
    m->totals->good += got == GPOOL_OK;
    m->totals->refused += got != GPOOL_OK;
    if (model_is_lost(m)) {
        return false;
    }
    bool by_fault = got == GPOOL_ERROR_OUT_OF_MEMORY || got == GPOOL_ERROR_OUT_OF_GPU_MEMORY ||
                    got == GPOOL_ERROR_GPU;
    if (got != expected && !(by_fault && model_hit(m))) {
        model_fail(m, "%s, expected is %s: %s", gpool_result_name(got), gpool_result_name(expected),
                   gpool_last_error(m->pool)->message);
    }
    return got == GPOOL_OK;
}

bool model_exactly(model *m, gpool_result got, gpool_result expected)
{
    m->totals->good += got == GPOOL_OK;
    m->totals->refused += got != GPOOL_OK;
    if (got != expected && !model_is_lost(m)) {
        model_fail(m, "%s, expected is %s", gpool_result_name(got), gpool_result_name(expected));
    }
    return got == GPOOL_OK;
}

void model_same(model *m, const char *what, const uint8_t *got, const uint8_t *expected,
                uint64_t size)
{
    m->totals->compared += size;
    if (memcmp(got, expected, size) == 0) {
        return;
    }
    uint64_t i = 0;
    while (got[i] == expected[i]) {
        i += 1;
    }
    model_fail(m, "byte %llu of %llu of %s is %u, expected is %u", (unsigned long long)i,
               (unsigned long long)size, what, got[i], expected[i]);
}

static void check_counter(const model *m, const char *name, uint64_t got, uint64_t expected)
{
    if (got != expected) {
        model_fail(m, "%s is %llu, expected is %llu", name, (unsigned long long)got,
                   (unsigned long long)expected);
    }
}

static uint64_t count_staging(const gpool *pool, uint64_t *bytes)
{
    const gpool__staging *staging = &pool->staging;
    const gpool__staging_block *lists[] = { staging->ready, staging->away,
                                            staging->used[GPOOL__STAGE_BATCH],
                                            staging->used[GPOOL__STAGE_RECORD] };
    uint64_t count = 0;
    for (size_t i = 0; i < sizeof lists / sizeof *lists; ++i) {
        for (const gpool__staging_block *block = lists[i]; block != NULL; block = block->next) {
            *bytes += block->size;
            count += 1;
        }
    }
    return count;
}

/* GPU layouts of the user's: one for all equal ones that live or are retired. */
static uint64_t model_layouts(const model *m)
{
    uint64_t keys = 0; /* a bit each: there are 13 */
    for (uint32_t i = 0; i < MODEL_THINGS; ++i) {
        const model_thing *thing = m->things[GPOOL_KIND_LAYOUT][i];
        keys |= thing != NULL && !thing->failed ? UINT64_C(1) << thing->key : 0;
    }
    for (size_t i = 0; i < m->killed_count; ++i) {
        const model_thing *thing = m->killed[i];
        bool counts = thing->kind == GPOOL_KIND_LAYOUT && !thing->dead && !thing->failed;
        keys |= counts ? UINT64_C(1) << thing->key : 0;
    }
    for (size_t i = m->retired_first; i < m->retired_count; ++i) {
        const model_retired *each = &m->retired[i];
        keys |= each->kind == GPOOL_KIND_LAYOUT && !each->failed ? UINT64_C(1) << each->key : 0;
    }
    uint64_t count = 0;
    for (; keys != 0; keys &= keys - 1) {
        count += 1;
    }
    return count;
}

static void check_objects(model *m, const gpool_stats *now)
{
    const uint64_t block = (uint64_t)256 << 10;
    const gpool__scatter *scatter = &m->pool->scatter;
    uint64_t stream =
        now->internal_bytes - now->staging_bytes - scatter->payload_size - m->pool->landings.bytes;
    uint64_t staging_bytes = 0;
    uint64_t staging = count_staging(m->pool, &staging_bytes);
    check_counter(m, "bytes of staging", now->staging_bytes, staging_bytes);
    uint64_t buffers = m->gpu_objects[GPOOL_KIND_BUFFER] + model_staging_buffers(m) +
                       stream / block + staging + (scatter->payload != NULL);
    uint64_t textures = m->gpu_objects[GPOOL_KIND_TEXTURE];
    uint64_t live = sim_live(m->s, SIM_KIND_BUFFER);
    /* Those kept for reuse are of both kinds. */
    if (live < buffers || live > buffers + now->recycled_count) {
        check_counter(m, "GPU buffers", live, buffers);
    }
    check_counter(m, "GPU buffers and textures", live + sim_live(m->s, SIM_KIND_TEXTURE),
                  buffers + textures + now->recycled_count);
    m->totals->recycled += now->recycle_hits - m->before.recycle_hits;
    check_counter(m, "GPU samplers", sim_live(m->s, SIM_KIND_SAMPLER),
                  m->gpu_objects[GPOOL_KIND_SAMPLER]);
    check_counter(m, "GPU layouts", sim_live(m->s, SIM_KIND_BIND_GROUP_LAYOUT),
                  model_layouts(m) + m->base_layouts + (scatter->pipeline != NULL));
}

void model_check(model *m)
{
    if (sim_fatal_count(m->s) > 0) {
        model_fail(m, "fatal: %s", sim_fatal_message(m->s, 0));
    }
    check_counter(m, "calls in callbacks", sim_calls_in_callbacks(m->s), 0);
    check_counter(m, "wrong sizes told to the allocator", m->memory.wrong_sizes, 0);
    if (!gpool__pool_validate(m->pool)) {
        model_fail(m, "tables, scopes or sums are broken");
    }
    if (gpool_device_done(m->device) > gpool_device_submitted(m->device)) {
        model_fail(m, "more is done than was submitted");
    }
    if (model_is_lost(m)) {
        return;
    }
    gpool_stats now;
    (void)gpool_get_stats(m->pool, &now);
    for (int kind = GPOOL_KIND_BUFFER; kind <= GPOOL_KIND_LAYOUT; ++kind) {
        check_counter(m, gpool_kind_name((gpool_kind)kind), now.live_count[kind],
                      m->live_count[kind] + (kind == GPOOL_KIND_LAYOUT ? 2 : 0));
        check_counter(m, "live bytes", now.live_bytes[kind], m->live_bytes[kind]);
    }
    check_counter(m, "scopes", now.live_count[GPOOL_KIND_SCOPE], m->live_count[GPOOL_KIND_SCOPE]);
    check_counter(m, "tickets", now.live_count[GPOOL_KIND_TICKET],
                  m->live_count[GPOOL_KIND_TICKET]);
    check_counter(m, "retired objects", now.retired_count, m->retired_count - m->retired_first);
    check_counter(m, "retired bytes", now.retired_bytes, m->retired_bytes);
    check_counter(m, "created", now.created, m->created);
    check_counter(m, "freed", now.freed, m->freed);
    check_counter(m, "frames", now.frame, m->frame);
    check_counter(m, "an open recording", m->pool->recording, m->recording);
    check_objects(m, &now);
}

/* --- handles --- */

static uint64_t forge(model *m, gpool_kind kind, uint32_t choice, gpool_result *code)
{
    const model_thing *live = m->things[kind][choice % MODEL_THINGS];
    uint64_t id = live != NULL ? live->id : m->layouts[0].id;
    uint64_t kinds = (uint64_t)15 << 24;
    switch (choice % 5) {
    case 0:
        *code = GPOOL_ERROR_FOREIGN_HANDLE;
        return id ^ (uint64_t)1 << 28;
    case 1:
        *code = GPOOL_ERROR_INVALID_HANDLE;
        return (id & ~kinds) |
               (uint64_t)(kind == GPOOL_KIND_BUFFER ? GPOOL_KIND_TEXTURE : GPOOL_KIND_BUFFER) << 24;
    case 2:
        *code = GPOOL_ERROR_INVALID_HANDLE;
        return (id & ~kinds) | (uint64_t)kind << 24 | 0xffffffu;
    case 3:
        *code = GPOOL_ERROR_INVALID_HANDLE;
        return (id & ~kinds) | (uint64_t)kind << 24 | (uint64_t)1 << 63;
    default:
        if (m->stale_count[kind] == 0) {
            *code = GPOOL_ERROR_NULL_HANDLE;
            return 0;
        }
        *code = GPOOL_ERROR_STALE_HANDLE;
        uint32_t count = m->stale_count[kind] < MODEL_STALE ? m->stale_count[kind] : MODEL_STALE;
        return m->stale[kind][choice / 5 % count];
    }
}

model_ref model_pick(model *m, gpool_kind kind)
{
    model_ref ref = { 0 };
    uint32_t choice = model_take8(m);
    if (choice >= 236) {
        ref.id = forge(m, kind, choice + model_take8(m), &ref.code);
        return ref;
    }
    /* The next live one from a place on. */
    for (uint32_t i = 0; i < MODEL_THINGS && ref.thing == NULL; ++i) {
        ref.place = (choice + i) % MODEL_THINGS;
        ref.thing = m->things[kind][ref.place];
    }
    if (ref.thing == NULL) {
        ref.code = GPOOL_ERROR_NULL_HANDLE;
        return ref;
    }
    ref.id = ref.thing->id;
    ref.code = ref.thing->failed ? GPOOL_ERROR_FAILED_RESOURCE : GPOOL_OK;
    return ref;
}

uint32_t model_place(model *m, gpool_kind kind)
{
    for (uint32_t i = 0; i < MODEL_THINGS; ++i) {
        if (m->things[kind][i] == NULL) {
            return i;
        }
    }
    return UINT32_MAX;
}

void model_thing_free(model_thing *thing)
{
    if (thing->kind == GPOOL_KIND_BUFFER) {
        free(((model_buffer *)(void *)thing)->bytes);
    } else if (thing->kind == GPOOL_KIND_TEXTURE) {
        for (uint32_t level = 0; level < MODEL_LEVELS; ++level) {
            free(((model_texture *)(void *)thing)->bytes[level]);
        }
    }
    free(thing);
}

bool model_created(model *m, uint32_t place, model_thing *thing, uint64_t id, bool failed,
                   gpool_result expected)
{
    if (id == 0) {
        gpool_result code = gpool_last_error(m->pool)->code;
        model_thing_free(thing);
        if (model_result(m, code, expected)) {
            model_fail(m, "the handle is null without an error");
        }
        return false;
    }
    bool lost = model_is_lost(m);
    if (!lost && (expected != GPOOL_OK || (failed && !model_hit(m)))) {
        model_fail(m, "a %s handle, expected is %s: %s", failed ? "failed" : "good",
                   gpool_result_name(expected), gpool_last_error(m->pool)->message);
    }
    uint32_t slot = gpool_handle_slot(id);
    uint32_t generation = gpool_handle_generation(id);
    if (slot < MODEL_SLOTS) {
        if (generation <= m->generations[thing->kind][slot]) {
            model_fail(m, "the handle 0x%llx was given out before", (unsigned long long)id);
        }
        m->generations[thing->kind][slot] = generation;
    }
    m->totals->good += 1;
    thing->id = id;
    thing->references = 1;
    thing->failed = failed;
    thing->gpu_bytes = failed ? 0 : thing->gpu_bytes;
    m->things[thing->kind][place] = thing;
    m->live_count[thing->kind] += 1;
    m->live_bytes[thing->kind] += thing->gpu_bytes;
    m->gpu_objects[thing->kind] += !failed;
    m->created += 1;
    return true;
}

static void retire(model *m, const model_thing *thing, uint64_t bytes, bool replaced)
{
    if (m->retired_count == m->retired_capacity) {
        m->retired_capacity = m->retired_capacity * 2 + 64;
        m->retired = model_must(realloc(m->retired, m->retired_capacity * sizeof *m->retired));
    }
    m->retired_bytes += bytes;
    m->retired[m->retired_count++] = (model_retired){
        .key = thing->key,
        .serial = m->recording ? UINT64_MAX : gpool_device_submitted(m->device),
        .frame = m->frame,
        .bytes = bytes,
        .kind = thing->kind,
        .replaced = replaced,
        .failed = thing->failed,
    };
}

#define ELSEWHERE UINT64_MAX /* stands for another thread */

bool model_elsewhere(model *m)
{
    bool other = model_take8(m) >= 192;
    if (other) {
        atomic_store(&m->pool->owner, ELSEWHERE);
    }
    return other;
}

void model_back(model *m)
{
    (void)gpool_own(m->pool);
}

/* Takes a thing out of the list of those whose handles are alive. */
static void forget(model *m, const model_thing *thing)
{
    for (uint32_t i = 0; i < MODEL_THINGS; ++i) {
        if (m->things[thing->kind][i] == thing) {
            m->things[thing->kind][i] = NULL;
            m->stale[thing->kind][m->stale_count[thing->kind]++ % MODEL_STALE] = thing->id;
        }
    }
}

static void destroy(model *m, model_thing *thing)
{
    /* Scopes first, as they may hold the others. */
    for (int kind = GPOOL_KIND_COUNT - 1; kind > 0 && thing->kind == GPOOL_KIND_SCOPE; --kind) {
        for (uint32_t i = 0; i < MODEL_THINGS; ++i) {
            model_thing *member = m->things[kind][i];
            if (member != NULL && member->scope == thing) {
                destroy(m, member);
            }
        }
        for (size_t i = 0; i < m->killed_count; ++i) {
            model_thing *member = m->killed[i];
            if (!member->dead && (int)member->kind == kind && member->scope == thing) {
                destroy(m, member);
            }
        }
    }
    forget(m, thing);
    m->live_count[thing->kind] -= 1;
    m->live_bytes[thing->kind] -= thing->gpu_bytes;
    retire(m, thing, thing->gpu_bytes, false);
    thing->dead = true;
    if (thing->uses == 0 && !thing->killed) {
        model_thing_free(thing);
    }
}

void model_ended(model *m, const model_ref *ref, bool by_another)
{
    model_thing *thing = ref->thing;
    if (thing == NULL) {
        return;
    }
    if (!by_another) {
        destroy(m, thing);
        return;
    }
    if (m->killed_count == m->killed_capacity) {
        m->killed_capacity = m->killed_capacity * 2 + 16;
        m->killed = model_must(realloc(m->killed, m->killed_capacity * sizeof(model_thing *)));
    }
    m->killed[m->killed_count++] = thing;
    thing->killed = true;
    forget(m, thing);
}

void model_drain(model *m)
{
    for (size_t i = 0; i < m->killed_count; ++i) {
        if (!m->killed[i]->dead) {
            destroy(m, m->killed[i]);
        }
    }
    for (size_t i = 0; i < m->killed_count; ++i) {
        m->killed[i]->killed = false;
        if (m->killed[i]->uses == 0) {
            model_thing_free(m->killed[i]);
        }
    }
    m->killed_count = 0;
}

bool model_is_inside(const model_thing *inner, const model_thing *outer)
{
    while (inner != NULL && inner != outer) {
        inner = inner->scope;
    }
    return inner == outer;
}

void model_replaced(model *m, const model_thing *thing, uint64_t bytes)
{
    m->live_bytes[thing->kind] += thing->gpu_bytes - bytes;
    m->gpu_objects[thing->kind] += 1;
    retire(m, thing, bytes, true);
}

void model_use(model_thing *thing)
{
    thing->uses += 1;
    thing->named = MODEL_NAMED;
}

void model_unuse(model_thing *thing)
{
    thing->uses -= 1;
    if (thing->uses == 0 && thing->dead && !thing->killed) {
        model_thing_free(thing);
    }
}

void model_free_retired(model *m, bool by_serial)
{
    uint64_t done = gpool_device_done(m->device);
    size_t waiting = m->retired_count - m->retired_first;
    size_t budget = waiting / 4 > GPOOL__FREE_MIN ? waiting / 4 : GPOOL__FREE_MIN;
    for (size_t i = 0; i < budget && m->retired_first < m->retired_count; ++i) {
        const model_retired *oldest = &m->retired[m->retired_first];
        if (oldest->serial > done || (!by_serial && oldest->frame + 2 > m->frame)) {
            break;
        }
        m->retired_bytes -= oldest->bytes;
        m->freed += !oldest->replaced;
        m->gpu_objects[oldest->kind] -= !oldest->failed;
        m->retired_first += 1;
    }
    if (m->retired_first == m->retired_count) {
        m->retired_first = 0;
        m->retired_count = 0;
    }
}
