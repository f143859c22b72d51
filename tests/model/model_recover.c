/* Recovery: the pool goes on with another device, and has all its bytes. */
#include "model_state.h"

#include <string.h>

static void quiet(void *user, const gpool_log_record *record)
{
    (void)user;
    (void)record;
}

static const model_thing *find(const model *m, gpool_kind kind, uint64_t id)
{
    for (uint32_t i = 0; i < MODEL_THINGS; ++i) {
        if (m->things[kind][i] != NULL && m->things[kind][i]->id == id) {
            return m->things[kind][i];
        }
    }
    model_fail(m, "a refill of 0x%llx is asked for, which is not there", (unsigned long long)id);
}

static gpool_result refill_buffer(void *user, gpool *pool, gpool_buffer buffer,
                                  const gpool_buffer_info *info)
{
    model *m = user;
    const model_buffer *b =
        (const model_buffer *)(const void *)find(m, GPOOL_KIND_BUFFER, buffer.id);
    if (!(info->gpu_written || b->drops) || info->shadow_bytes > 0 || b->thing.imported ||
        info->size != b->size) {
        model_fail(m, "a buffer is to be filled that has a shadow, is foreign or another");
    }
    if (b->refills && !b->refill_fails && !model_hit(m)) {
        model_fail(m, "the buffer's own refill was not asked");
    }
    uint64_t size = info->gpu_written ? info->gpu_size : info->size;
    gpool_result result = gpool_buffer_write(pool, buffer, 0, b->bytes, size);
    if (result == GPOOL_ERROR_OUT_OF_MEMORY && model_hit(m)) {
        result = gpool_buffer_write(pool, buffer, 0, b->bytes, size); /* a program tries again */
    }
    return result;
}

static gpool_result refill_texture(void *user, gpool *pool, gpool_texture texture,
                                   const gpool_texture_info *info)
{
    model *m = user;
    const model_texture *t =
        (const model_texture *)(const void *)find(m, GPOOL_KIND_TEXTURE, texture.id);
    if (t->thing.imported || t->shadowed || info->view_count != 0) {
        model_fail(m, "a texture is to be filled that is foreign, has a shadow or has views");
    }
    for (uint32_t level = 0; level < t->levels; ++level) {
        uint32_t width, height, depth;
        model_texture_level(t, level, &width, &height, &depth);
        gpool_texture_region region = { .mip_level = level, .depth = depth };
        gpool_result result = gpool_texture_write(pool, texture, &region, t->bytes[level],
                                                  (size_t)width * height * depth * t->texel, 0);
        if (result != GPOOL_OK) {
            return result;
        }
    }
    return GPOOL_OK;
}

static uint64_t gpu_bytes(const model_thing *thing)
{
    uint64_t bytes = 0;
    if (thing->kind == GPOOL_KIND_BUFFER) {
        bytes = (((const model_buffer *)(const void *)thing)->size + 3) / 4 * 4;
    } else if (thing->kind == GPOOL_KIND_TEXTURE) {
        const model_texture *t = (const model_texture *)(const void *)thing;
        for (uint32_t level = 0; level < t->levels; ++level) {
            uint32_t width, height, depth;
            model_texture_level(t, level, &width, &height, &depth);
            bytes += (uint64_t)width * height * depth * t->texel;
        }
    }
    return bytes;
}

/* Imports fail, everything else is good again. */
static void settle_things(model *m)
{
    for (int kind = GPOOL_KIND_BUFFER; kind <= GPOOL_KIND_LAYOUT; ++kind) {
        for (uint32_t i = 0; i < MODEL_THINGS; ++i) {
            model_thing *thing = m->things[kind][i];
            if (thing == NULL || thing->failed == thing->imported) {
                continue;
            }
            thing->failed = thing->imported;
            thing->gpu_bytes = thing->failed ? 0 : gpu_bytes(thing);
            m->live_bytes[kind] += thing->gpu_bytes;
            m->gpu_objects[kind] += thing->failed ? UINT64_MAX : 1;
        }
    }
}

static void settle_retired(model *m)
{
    for (size_t i = m->retired_first; i < m->retired_count; ++i) {
        const model_retired *each = &m->retired[i];
        m->retired_bytes -= each->bytes;
        m->freed += !each->replaced;
        m->gpu_objects[each->kind] -= !each->failed;
    }
    m->retired_first = 0;
    m->retired_count = 0;
}

void model_recover(model *m)
{
    bool lose = model_take8(m) % 2 == 0;
    if (model_is_lost(m)) {
        return;
    }
    if (m->in_frame) {
        (void)model_exactly(m, gpool_recover(m->pool, m->device, NULL, NULL),
                            GPOOL_ERROR_WRONG_PHASE);
        return;
    }
    sim_fail_none(m->s);
    model_complete_all(m);
    if (lose) {
        m->memory.fail_in = 0;
        sim_lose(m->s);
    }
    gpool_device_desc device_desc = { .gpu = &m->table, .log = quiet };
    gpool_device *device = NULL;
    if (gpool_device_open(&device_desc, &device) != GPOOL_OK) {
        model_fail(m, "no device");
    }
    model_drain(m);
    gpool_recover_desc desc = { m, refill_buffer, refill_texture };
    gpool_recover_report report;
    gpool_result got = gpool_recover(m->pool, device, &desc, &report);
    if (got == GPOOL_ERROR_OUT_OF_MEMORY && model_hit(m)) {
        gpool_device_release(device);
        return; /* on the old device, as it was */
    }
    if (!model_exactly(m, got, GPOOL_OK)) {
        model_fail(m, "no recovery: %s", gpool_last_error(m->pool)->message);
    }
    if (report.lost != 0 || report.rebuilt[GPOOL_KIND_PIPELINE] != 2) {
        model_fail(m, "%u contents are lost, %u pipelines are there", report.lost,
                   report.rebuilt[GPOOL_KIND_PIPELINE]);
    }
    gpool_device_release(m->device);
    m->device = device;
    m->totals->recoveries += 1;
    m->unsent = false;
    memset(m->frame_serials, 0, sizeof m->frame_serials);
    settle_things(m);
    settle_retired(m);
    model_tickets_lost(m);
    model_uploads(m);
}
