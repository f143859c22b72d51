/* Operations on scopes, references and owners; sums are added up anew from nothing but the things. */
#include "model_state.h"

#include <stdlib.h>

model_ref model_pick_owner(model *m)
{
    model_ref owner = { 0 };
    if (model_take8(m) >= 160) {
        owner = model_pick(m, GPOOL_KIND_SCOPE);
    }
    if (owner.id == 0) {
        owner.code = GPOOL_OK; /* the root scope */
    }
    return owner;
}

/* A handle of any kind for functions that take any; false when it may name something else. */
static bool pick_any(model *m, model_ref *ref)
{
    static const gpool_kind kinds[] = { GPOOL_KIND_BUFFER, GPOOL_KIND_TEXTURE, GPOOL_KIND_SAMPLER,
                                        GPOOL_KIND_LAYOUT, GPOOL_KIND_SCOPE,   GPOOL_KIND_TICKET };
    gpool_kind kind = kinds[model_take8(m) % 6];
    *ref = model_pick(m, kind);
    if (ref->thing != NULL) {
        ref->code = GPOOL_OK; /* failed ones too */
    }
    return ref->id == 0 || gpool_handle_kind(ref->id) == kind;
}

void model_scope_create(model *m)
{
    uint32_t choice = model_take8(m);
    model_ref owner = model_pick_owner(m);
    uint32_t place = model_place(m, GPOOL_KIND_SCOPE);
    if (place == UINT32_MAX) {
        return;
    }
    model_thing *thing = model_must(calloc(1, sizeof *thing));
    thing->kind = GPOOL_KIND_SCOPE;
    thing->scope = owner.thing;
    gpool_scope_desc desc = { .parent = { owner.id }, .label = choice % 2 == 0 ? "scope" : NULL };
    gpool_scope scope =
        gpool_scope_create(m->pool, owner.id == 0 && choice % 4 == 3 ? NULL : &desc);
    (void)model_created(m, place, thing, scope.id, false, owner.code);
}

void model_scope_end(model *m)
{
    model_ref ref = model_pick(m, GPOOL_KIND_SCOPE);
    gpool_result expected = ref.id == 0 ? GPOOL_OK : ref.code;
    bool elsewhere = model_elsewhere(m);
    gpool_result got = gpool_scope_end(m->pool, (gpool_scope){ ref.id });
    model_back(m);
    if (model_exactly(m, got, expected)) {
        model_ended(m, &ref, elsewhere);
    }
}

static void add(gpool_scope_sum *sum, const model_thing *thing, const model_thing *scope, bool deep)
{
    if (deep ? model_is_inside(thing->scope, scope) : thing->scope == scope) {
        sum->count[thing->kind] += 1;
        sum->bytes[thing->kind] += thing->gpu_bytes;
    }
}

static void check_sum(const model *m, const char *what, const gpool_scope_sum *got,
                      const model_thing *scope, bool deep)
{
    gpool_scope_sum sum = { { 0 }, { 0 } };
    if (scope == NULL) { /* what model_setup_pipelines() made */
        sum.count[GPOOL_KIND_SHADER] = 2;
        sum.count[GPOOL_KIND_LAYOUT] = 2;
        sum.count[GPOOL_KIND_PIPELINE] = 2;
    }
    for (size_t i = 0; i < m->killed_count; ++i) {
        if (!m->killed[i]->dead) {
            add(&sum, m->killed[i], scope, deep);
        }
    }
    for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
        for (uint32_t i = 0; i < MODEL_THINGS; ++i) {
            if (m->things[kind][i] != NULL) {
                add(&sum, m->things[kind][i], scope, deep);
            }
        }
        /* What a ticket holds depends on how far it is. */
        bool bytes = kind == GPOOL_KIND_TICKET || got->bytes[kind] == sum.bytes[kind];
        if (got->count[kind] != sum.count[kind] || !bytes) {
            model_fail(m, "%s: %llu %ss of %llu bytes, expected are %llu of %llu", what,
                       (unsigned long long)got->count[kind], gpool_kind_name((gpool_kind)kind),
                       (unsigned long long)got->bytes[kind], (unsigned long long)sum.count[kind],
                       (unsigned long long)sum.bytes[kind]);
        }
    }
}

void model_scope_info(model *m)
{
    model_ref ref = model_pick_owner(m);
    gpool_scope_info info;
    gpool_result got = gpool_scope_get_info(m->pool, (gpool_scope){ ref.id }, &info);
    if (!model_exactly(m, got, ref.code) || model_is_lost(m)) {
        return;
    }
    const model_thing *around = ref.thing != NULL ? ref.thing->scope : NULL;
    if (info.parent.id != (around != NULL ? around->id : 0) ||
        info.child_count != info.own.count[GPOOL_KIND_SCOPE]) {
        model_fail(m, "a scope is in 0x%llx and has %llu scopes",
                   (unsigned long long)info.parent.id, (unsigned long long)info.child_count);
    }
    check_sum(m, "own", &info.own, ref.thing, false);
    check_sum(m, "subtree", &info.subtree, ref.thing, true);
}

void model_move(model *m)
{
    model_ref ref;
    bool sure = pick_any(m, &ref);
    model_ref to = model_pick_owner(m);
    if (!sure) {
        return;
    }
    gpool_result expected = ref.code != GPOOL_OK ? ref.code : to.code;
    if (expected == GPOOL_OK && ref.thing->kind == GPOOL_KIND_SCOPE &&
        model_is_inside(to.thing, ref.thing)) {
        expected = GPOOL_ERROR_INVALID_ARGUMENT;
    }
    gpool_result got = gpool_move(m->pool, ref.id, (gpool_scope){ to.id });
    if (model_exactly(m, got, expected) && ref.thing != NULL) {
        ref.thing->scope = to.thing;
    }
}

void model_share(model *m)
{
    model_ref ref;
    bool retain = model_take8(m) % 4 != 0;
    if (!pick_any(m, &ref)) {
        return;
    }
    gpool_result expected = !retain && ref.id == 0 ? GPOOL_OK : ref.code;
    bool elsewhere = model_elsewhere(m);
    gpool_result got = retain ? gpool_retain(m->pool, ref.id) : gpool_release(m->pool, ref.id);
    model_back(m);
    if (!model_exactly(m, got, expected) || ref.thing == NULL) {
        return;
    }
    if (retain) {
        ref.thing->references += 1;
    } else if (ref.thing->references > 1) {
        ref.thing->references -= 1;
    } else {
        model_ended(m, &ref, elsewhere);
    }
}
