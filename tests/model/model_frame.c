/* Frames, submits, time. */
#include "model_state.h"

#include <string.h>

static uint64_t last_serial(const model *m)
{
    return gpool_device_submitted(m->device);
}

/* Every live buffer on the GPU holds what the model holds. */
static void compare_buffers(model *m)
{
    for (uint32_t i = 0; i < MODEL_THINGS; ++i) {
        const model_buffer *b = (const model_buffer *)(const void *)m->things[GPOOL_KIND_BUFFER][i];
        if (b == NULL || b->thing.failed) {
            continue;
        }
        const gpool__buffer *real = (const gpool__buffer *)(void *)gpool__table_get(
            &m->pool->tables[GPOOL_KIND_BUFFER], b->thing.id);
        static uint8_t target[MODEL_LARGEST + 8192];
        uint64_t size = (b->size + 3) / 4 * 4;
        if (real == NULL || !sim_read_buffer(m->s, real->gpu, 0, target, size)) {
            model_fail(m, "a live buffer is not there");
        }
        model_same(m, "a buffer after a flush", target, b->bytes, size);
    }
}

static void compare_texture(model *m, uint32_t place)
{
    const model_texture *t =
        (const model_texture *)(const void *)m->things[GPOOL_KIND_TEXTURE][place];
    if (t == NULL || t->thing.failed) {
        return;
    }
    const gpool__texture *real = (const gpool__texture *)(void *)gpool__table_get(
        &m->pool->tables[GPOOL_KIND_TEXTURE], t->thing.id);
    if (real == NULL) {
        model_fail(m, "a live texture is not there");
    }
    for (uint32_t level = 0; level < t->levels; ++level) {
        uint32_t width, height, depth;
        model_texture_level(t, level, &width, &height, &depth);
        for (uint32_t i = 0; i < width * height * depth; ++i) {
            model_part part = {
                .level = level, .x = i % width, .y = i / width % height, .z = i / width / height
            };
            uint8_t texel[4];
            if (!sim_read_texel(m->s, real->gpu, level, part.x, part.y, part.z, texel, t->texel)) {
                model_fail(m, "a texel cannot be seen");
            }
            model_same(m, "a texel after a flush", texel, model_texture_row(t, &part, 0, 0),
                       t->texel);
        }
    }
}

static void compare_all(model *m)
{
    if (model_is_unsent(m)) {
        return;
    }
    compare_buffers(m);
    compare_texture(m, (uint32_t)(m->step % MODEL_THINGS));
}

void model_begin_frame(model *m)
{
    if (model_take8(m) % 4 != 0) {
        model_complete_all(m);
    }
    model_drain(m);
    uint64_t next = m->frame + 1;
    uint64_t serial = next > 2 ? m->frame_serials[(next - 2) % 8] : 0;
    gpool_result got = gpool_begin_frame(m->pool);
    if (model_is_lost(m)) {
        return;
    }
    gpool_result expected = m->in_frame                              ? GPOOL_ERROR_WRONG_PHASE
                            : gpool_device_done(m->device) >= serial ? GPOOL_OK
                                                                     : GPOOL_ERROR_TIMEOUT;
    if (expected == GPOOL_ERROR_TIMEOUT && sim_in_flight(m->s) == 0 && !model_hit(m)) {
        model_fail(m, "all is complete, but serial %llu is not done", (unsigned long long)serial);
    }
    if (model_result(m, got, expected)) {
        m->frame = next;
        m->in_frame = true;
        m->latched = GPOOL_OK;
    }
}

/* Stamps what was retired while the recording was open. */
static void close_recording(model *m, bool run)
{
    for (size_t i = m->retired_first; i < m->retired_count; ++i) {
        if (m->retired[i].serial == UINT64_MAX) {
            m->retired[i].serial = last_serial(m);
        }
    }
    model_run_commands(m, run);
    m->recording = false;
}

/* What a submit under a fault did, by the counters. */
static bool commands_ran(model *m, gpool_result got)
{
    gpool_stats now;
    (void)gpool_get_stats(m->pool, &now);
    bool dropped = now.dropped_recorders > m->before.dropped_recorders;
    bool sent = now.submits > m->before.submits;
    bool refused = got != GPOOL_OK && model_refused(m) > m->refused_before;
    return !dropped && sent && !refused;
}

/* True when all that was written and recorded must be on the GPU now. */
static bool submit(model *m, bool end)
{
    model_drain(m);
    gpool_result got = end ? gpool_end_frame(m->pool) : gpool_submit(m->pool);
    if (model_is_lost(m)) {
        m->in_frame = m->in_frame && !end;
        return false;
    }
    if (!m->in_frame) {
        (void)model_result(m, got, GPOOL_ERROR_WRONG_PHASE);
        return false;
    }
    uint64_t hits = m->hits_base + sim_fail_hits(m->s) + m->memory.failed;
    bool hit = model_hit(m) || (m->recording && hits > m->hits_begun);
    if (hit) {
        model_tickets_doubt(m);
    }
    if (!hit) {
        if (got != m->latched) {
            model_fail(m, "%s, latched is %s: %s", gpool_result_name(got),
                       gpool_result_name(m->latched), gpool_last_error(m->pool)->message);
        }
        close_recording(m, true);
        m->latched = GPOOL_OK;
    } else if (end || !m->pool->recording) {
        close_recording(m, commands_ran(m, got));
        m->latched = m->pool->frame_error;
    } else {
        m->latched = m->pool->frame_error;
    }
    m->totals->good += got == GPOOL_OK;
    m->totals->refused += got != GPOOL_OK;
    return !hit;
}

void model_submit(model *m)
{
    if (submit(m, false)) {
        compare_all(m);
    }
}

static void end_imports(model *m)
{
    static const gpool_kind kinds[] = { GPOOL_KIND_BUFFER, GPOOL_KIND_TEXTURE };
    for (uint32_t k = 0; k < 2; ++k) {
        for (uint32_t i = 0; i < MODEL_THINGS; ++i) {
            model_thing *thing = m->things[kinds[k]][i];
            if (thing == NULL || !thing->this_frame) {
                continue;
            }
            m->things[kinds[k]][i] = NULL;
            m->stale[kinds[k]][m->stale_count[kinds[k]]++ % MODEL_STALE] = thing->id;
            m->live_count[kinds[k]] -= 1;
            m->gpu_objects[kinds[k]] -= 1;
            m->freed += 1;
            thing->dead = true;
            if (thing->uses == 0) { /* on a lost device the recording is open still */
                model_thing_free(thing);
            }
        }
    }
}

void model_end_frame(model *m)
{
    bool was_open = m->in_frame;
    bool whole = submit(m, true);
    if (was_open) {
        end_imports(m); /* also on a lost device */
    }
    if (was_open && !m->lost) {
        m->in_frame = false;
        m->latched = GPOOL_OK;
        m->frame_serials[m->frame % 8] = last_serial(m);
        model_free_retired(m, false);
        if (whole) {
            compare_all(m);
        }
    }
}

void model_uploads(model *m)
{
    model_drain(m);
    gpool_result got = gpool_process_uploads(m->pool);
    if (model_result(m, got, GPOOL_OK)) {
        compare_all(m);
    }
}

void model_tick(model *m)
{
    uint32_t choice = model_take8(m) % 4;
    model_drain(m);
    if (choice == 0) {
        gpool_result got = gpool_process_deletions(m->pool);
        if (got != GPOOL_OK) {
            model_fail(m, "deletions give %s", gpool_result_name(got));
        }
        model_free_retired(m, false);
    } else if (choice == 1) {
        model_complete_all(m);
        gpool_result got = gpool_wait_idle(m->pool);
        bool late = m->sim_desc.completion == SIM_COMPLETE_AFTER_POLLS;
        if (got != GPOOL_ERROR_TIMEOUT || !late) {
            (void)model_result(m, got, GPOOL_OK);
        }
    } else {
        (void)model_result(m, gpool_tick(m->pool), GPOOL_OK);
        model_free_retired(m, true);
    }
}

void model_external(model *m)
{
    if (!model_is_lost(m)) {
        sim_fail_none(m->s);
        m->table.QueueSubmit(gpool_device_raw_queue(m->device), 0, NULL);
    }
    model_drain(m);
    (void)model_result(m, gpool_note_external_submit(m->pool), GPOOL_OK);
}

void model_complete(model *m)
{
    uint64_t back = model_take8(m) % 8;
    uint64_t newest = sim_submitted(m->s);
    if (newest > back) {
        (void)sim_complete(m->s, newest - back);
    }
}

void model_complete_all(model *m)
{
    (void)sim_complete(m->s, SIM_ALL);
}
