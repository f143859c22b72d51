/* Samplers and layouts: equal ones are one. */
#include "model_state.h"

#include <stdlib.h>
#include <string.h>

/* Notes what a create of a shared kind gave. */
static void shared_created(model *m, gpool_kind kind, uint32_t key, const model_ref *owner,
                           uint64_t id, bool failed)
{
    bool known = false;
    for (uint32_t i = 0; i < MODEL_THINGS && owner->code == GPOOL_OK; ++i) {
        model_thing *each = m->things[kind][i];
        if (each == NULL || each->failed || each->key != key || each->scope != owner->thing) {
            continue;
        }
        if (each->id == id) {
            each->references += 1;
            return;
        }
        known = true; /* but there may be two: a move brings together what is equal */
    }
    if (known) {
        model_fail(m, "an equal one is there, but the handle is 0x%llx", (unsigned long long)id);
    }
    model_thing *thing = model_must(calloc(1, sizeof *thing));
    thing->kind = kind;
    thing->key = key;
    thing->scope = owner->thing;
    (void)model_created(m, model_place(m, kind), thing, id, failed, owner->code);
}

static void shared_destroyed(model *m, const model_ref *ref, bool elsewhere, gpool_result got)
{
    gpool_result expected = ref->thing != NULL || ref->id == 0 ? GPOOL_OK : ref->code;
    if (!model_exactly(m, got, expected)) {
        return;
    }
    if (ref->thing != NULL && ref->thing->references > 1) {
        ref->thing->references -= 1;
    } else {
        model_ended(m, ref, elsewhere);
    }
}

void model_sampler(model *m)
{
    uint32_t choice = model_take8(m);
    if (choice % 2 == 0) {
        model_ref ref = model_pick(m, GPOOL_KIND_SAMPLER);
        bool elsewhere = model_elsewhere(m);
        gpool_result got = gpool_sampler_destroy(m->pool, (gpool_sampler){ ref.id });
        model_back(m);
        shared_destroyed(m, &ref, elsewhere, got);
        return;
    }
    model_ref owner = model_pick_owner(m);
    gpool_sampler_desc desc = { .scope = { owner.id },
                                .address_u = (WGPUAddressMode)(choice / 2 % 4),
                                .mag_filter = (WGPUFilterMode)(choice / 8 % 3) };
    uint32_t key = (desc.address_u == 0 ? 1 : (uint32_t)desc.address_u) * 4 +
                   (desc.mag_filter == 0 ? 1 : (uint32_t)desc.mag_filter);
    if (model_place(m, GPOOL_KIND_SAMPLER) != UINT32_MAX) {
        gpool_sampler sampler = gpool_sampler_create(m->pool, &desc);
        bool failed = sampler.id != 0 && gpool_sampler_gpu(m->pool, sampler) == NULL;
        shared_created(m, GPOOL_KIND_SAMPLER, key, &owner, sampler.id, failed);
    }
}

void model_layout(model *m)
{
    static const gpool_binding_type types[] = { GPOOL_BINDING_UNIFORM, GPOOL_BINDING_STORAGE,
                                                GPOOL_BINDING_SAMPLER };
    uint32_t choice = model_take8(m);
    if (choice % 2 == 0) {
        model_ref ref = model_pick(m, GPOOL_KIND_LAYOUT);
        bool elsewhere = model_elsewhere(m);
        gpool_result got = gpool_layout_destroy(m->pool, (gpool_layout){ ref.id });
        model_back(m);
        shared_destroyed(m, &ref, elsewhere, got);
        return;
    }
    model_ref owner = model_pick_owner(m);
    /* Given in either order, which makes no difference. */
    uint32_t a = choice / 2 % 3;
    uint32_t b = choice / 6 % 3;
    uint32_t count = choice / 18 % 3;
    gpool_layout_entry entries[2] = { { .binding = 5, .type = types[a] },
                                      { .binding = 6, .type = types[b] } };
    uint32_t key = count == 0 ? 0 : count == 1 ? 1 + a : 4 + a + 3 * b;
    if (count == 2 && choice >= 128) {
        gpool_layout_entry first = entries[0];
        entries[0] = entries[1];
        entries[1] = first;
    }
    gpool_layout_desc desc = { .entries = entries, .entry_count = count, .scope = { owner.id } };
    if (model_place(m, GPOOL_KIND_LAYOUT) != UINT32_MAX) {
        gpool_layout layout = gpool_layout_create(m->pool, &desc);
        bool failed = layout.id != 0 && gpool_layout_gpu(m->pool, layout) == NULL;
        shared_created(m, GPOOL_KIND_LAYOUT, key, &owner, layout.id, failed);
    }
}
