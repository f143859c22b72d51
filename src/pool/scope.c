/*
 * Scopes. What lies in a scope is linked through the slots themselves, by place: two lists, one of
 * scopes and one of everything else, newest first. So that creating and destroying cost O(1),
 * ending a scope needs no memory and cannot fail half way, and trees are walked without recursion.
 */
#include "pool/pool_state.h"

#include <string.h>

static void scope_release(gpool *pool, gpool__resource *resource)
{
    (void)pool;
    (void)resource; /* holds nothing but its slot */
}

void gpool__scopes_init(gpool *pool)
{
    gpool__kind_init(pool, GPOOL_KIND_SCOPE, sizeof(gpool__scope), scope_release);
    pool->root.base.kind = GPOOL_KIND_SCOPE;
    atomic_init(&pool->root.base.head.id, GPOOL__ROOT | (uint64_t)pool->tag << 28);
    pool->root.base.label = pool->label;
}

gpool__scope *gpool__scope_at(gpool *pool, gpool__place place)
{
    return place == GPOOL__ROOT ? &pool->root : (gpool__scope *)gpool__resource_at(pool, place);
}

gpool_scope gpool__scope_handle(gpool *pool, gpool__place place)
{
    gpool_scope handle = { 0 };
    if (place != 0 && place != GPOOL__ROOT) {
        handle.id = gpool__handle_of(pool, gpool__resource_at(pool, place));
    }
    return handle;
}

gpool__scope *gpool__scope_resolve(gpool *pool, gpool_scope handle, gpool_result *result)
{
    if (handle.id == 0) {
        *result = GPOOL_OK;
        return &pool->root;
    }
    return (gpool__scope *)gpool__resolve(pool, handle.id, GPOOL_KIND_SCOPE, result);
}

/* First of the list that a resource of that kind is in. */
static gpool__place *scope_list(gpool__scope *scope, uint8_t kind)
{
    return kind == GPOOL_KIND_SCOPE ? &scope->children : &scope->members;
}

void gpool__scope_link(gpool *pool, gpool__scope *scope, gpool__resource *resource)
{
    gpool__place *first = scope_list(scope, resource->kind);
    gpool__place place = gpool__place_of(resource);
    resource->alive.scope = gpool__place_of(&scope->base);
    resource->alive.previous = 0;
    resource->alive.next = *first;
    if (*first != 0) {
        gpool__resource_at(pool, *first)->alive.previous = place;
    }
    *first = place;
    scope->counts[resource->kind] += 1;
}

void gpool__scope_unlink(gpool *pool, gpool__resource *resource)
{
    gpool__alive *link = &resource->alive;
    if (link->scope == 0) {
        return;
    }
    gpool__scope *scope = gpool__scope_at(pool, link->scope);
    if (link->previous != 0) {
        gpool__resource_at(pool, link->previous)->alive.next = link->next;
    } else {
        *scope_list(scope, resource->kind) = link->next;
    }
    if (link->next != 0) {
        gpool__resource_at(pool, link->next)->alive.previous = link->previous;
    }
    link->scope = 0;
    scope->counts[resource->kind] -= 1;
}

gpool__scope *gpool__scope_next(gpool *pool, const gpool__scope *top, gpool__scope *scope)
{
    if (scope->children != 0) {
        return gpool__scope_at(pool, scope->children);
    }
    while (scope != top && scope->base.alive.next == 0) {
        scope = gpool__scope_at(pool, scope->base.alive.scope);
    }
    return scope != top ? gpool__scope_at(pool, scope->base.alive.next) : NULL;
}

static void scope_end(gpool *pool, gpool__scope *top)
{
    gpool__scope *scope = top;
    bool done = false;
    while (!done) {
        while (scope->children != 0) {
            scope = gpool__scope_at(pool, scope->children);
        }
        while (scope->members != 0) {
            gpool__resource_retire(pool, gpool__resource_at(pool, scope->members));
        }
        done = scope == top;
        gpool__scope *around = gpool__scope_at(pool, scope->base.alive.scope);
        gpool__resource_retire(pool, &scope->base);
        scope = around;
    }
}

void gpool__resource_end(gpool *pool, gpool__resource *resource)
{
    if (resource->kind == GPOOL_KIND_SCOPE) {
        scope_end(pool, (gpool__scope *)resource);
    } else {
        gpool__resource_retire(pool, resource);
    }
}

const char *gpool__scope_path(gpool *pool, const gpool__resource *resource, char *target,
                              size_t size)
{
    /* Written from the end: the inner names are the ones that tell most when not all fit. */
    size_t start = size - 1;
    target[start] = '\0';
    for (gpool__place place = resource->alive.scope; place != 0;) {
        const gpool__scope *scope = gpool__scope_at(pool, place);
        const char *name = place == GPOOL__ROOT           ? "root"
                           : scope->base.label[0] != '\0' ? scope->base.label
                                                          : "(no label)";
        size_t length = strlen(name);
        if (start < length + sizeof ".../") {
            start -= sizeof "..." - 1;
            memcpy(target + start, "...", sizeof "..." - 1);
            break;
        }
        start -= length;
        memcpy(target + start, name, length);
        place = scope->base.alive.scope;
        if (place != 0) {
            target[--start] = '/';
        }
    }
    return target + start;
}

gpool_scope gpool_scope_create(gpool *pool, const gpool_scope_desc *desc)
{
    static const gpool_scope_desc defaults = { 0 };
    gpool_scope scope = { 0 };
    gpool__call call;
    if (gpool__enter(pool, "gpool_scope_create", &call) == GPOOL_OK) {
        desc = desc != NULL ? desc : &defaults;
        gpool__resource *resource =
            gpool__resource_take(pool, GPOOL_KIND_SCOPE, desc->label, desc->parent);
        scope.id = resource != NULL ? gpool__handle_of(pool, resource) : 0;
        gpool__leave(pool, &call);
    }
    return scope;
}

gpool_result gpool_scope_end(gpool *pool, gpool_scope scope)
{
    return gpool__destroy_handle(pool, scope.id, GPOOL_KIND_SCOPE, "gpool_scope_end");
}

static void scope_add(gpool_scope_sum *sum, const gpool__scope *scope)
{
    for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
        sum->count[kind] += scope->counts[kind];
        sum->bytes[kind] += scope->bytes[kind];
    }
}

static gpool_result scope_get_info(gpool *pool, gpool_scope handle, gpool_scope_info *info)
{
    gpool_result result;
    gpool__scope *scope = gpool__scope_resolve(pool, handle, &result);
    if (scope == NULL) {
        return result;
    }
    if (info == NULL) {
        return GPOOL__FAIL(pool, ARGUMENT_NULL, INVALID_ARGUMENT, "The info [NULL] is null");
    }
    *info = (gpool_scope_info){
        .parent = gpool__scope_handle(pool, scope->base.alive.scope),
        .created_frame = scope->base.alive.created_frame,
        .child_count = scope->counts[GPOOL_KIND_SCOPE],
        .label = scope->base.label,
    };
    scope_add(&info->own, scope);
    for (gpool__scope *each = scope; each != NULL; each = gpool__scope_next(pool, scope, each)) {
        scope_add(&info->subtree, each);
    }
    return GPOOL_OK;
}

gpool_result gpool_scope_get_info(gpool *pool, gpool_scope scope, gpool_scope_info *info)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_scope_get_info", &call);
    if (result == GPOOL_OK) {
        result = scope_get_info(pool, scope, info);
        gpool__leave(pool, &call);
    }
    return result;
}

/* True when `inner` is `outer` or lies in it at any depth. */
static bool scope_is_inside(gpool *pool, const gpool__scope *inner, const gpool__resource *outer)
{
    while (&inner->base != outer && inner != &pool->root) {
        inner = gpool__scope_at(pool, inner->base.alive.scope);
    }
    return &inner->base == outer;
}

static gpool_result scope_move(gpool *pool, uint64_t id, gpool_scope to)
{
    gpool_result result;
    gpool__resource *resource = gpool__resolve_any(pool, id, &result);
    gpool__scope *scope = resource != NULL ? gpool__scope_resolve(pool, to, &result) : NULL;
    if (scope == NULL) {
        return result;
    }
    result = gpool__refuse_own(pool, resource);
    if (result != GPOOL_OK) {
        return result;
    }
    if (resource->kind == GPOOL_KIND_SCOPE && scope_is_inside(pool, scope, resource)) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "The scope \"%s\" cannot be moved into \"%s\", which %s",
                           resource->label, scope->base.label,
                           &scope->base == resource ? "it is" : "lies in it");
    }
    uint64_t bytes = gpool__resource_bytes(resource);
    gpool__scope_at(pool, resource->alive.scope)->bytes[resource->kind] -= bytes;
    gpool__scope_unlink(pool, resource);
    gpool__scope_link(pool, scope, resource);
    scope->bytes[resource->kind] += bytes;
    return GPOOL_OK;
}

gpool_result gpool_move(gpool *pool, uint64_t id, gpool_scope to)
{
    gpool__call call;
    gpool_result result = gpool__enter(pool, "gpool_move", &call);
    if (result == GPOOL_OK) {
        result = scope_move(pool, id, to);
        gpool__leave(pool, &call);
    }
    return result;
}
