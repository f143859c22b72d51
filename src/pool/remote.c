/*
 * Destroying and sharing from any thread. A pool belongs to one thread; others may give up resources
 * and scopes, and retain them. They do so under `remote_lock` and touch three things only: the head of
 * the slot (atomic), `references` and `remote_next`. The handle dies at once, for everybody; the slot
 * is put on a list, and the owner does the rest of the destroy at its next frame call. The link of the
 * list lives in the slot, so nothing here can fail for want of memory.
 *
 * The owner destroys without the lock and without a locked instruction, so both may kill the same
 * handle at the same time and think that it was they. This is why it is harmless:
 *
 * 1. Both write the same value: the handle with its lower half inverted.
 * 2. The owner notes in `gone` that it has retired a resource; gpool__remote_take() leaves those alone,
 *    whether they died twice or went with the scope they were in.
 * 3. The danger is a slot that is given back for reuse while another thread, which killed it too, has
 *    yet to put it on the list, or after it did. So slots are given back (free_retired,
 *    frame_imports_end, recovery) only after the owner, with the lock held, found the list empty, and
 *    only those that it had killed by then. Say a thread's kill of such a slot succeeds. Had its time
 *    under the lock begun after the owner's, it would have seen what the owner wrote before, a dead
 *    head, and its compare-exchange would have failed. So its time under the lock ended before the
 *    owner's began: the slot was put on the list and, as that is empty now, taken off. Taking the list
 *    once is not enough: a scope on it takes its members along, and those the owner kills only then.
 *
 * Shares are counted under the lock by all, the owner too: a create that finds an equal sampler, a
 * retain and a release see one order. The last release kills under the lock as well, so that a retain
 * that succeeded is never of a resource that a release has ended.
 *
 * Forged handles are no exception. The next handle of a free slot can be guessed, but what a thread
 * touches through it is exactly the three things above, which resource_take() does not clear, and what
 * was killed before its maker was done with it is on the list like any other; see
 * gpool__resource_cancel().
 */
#include "pool/pool_state.h"

/* Under the lock: what a handle is; kind NONE = any. `*found` is its slot when it is alive. */
static gpool_result remote_find(const gpool *pool, uint64_t id, gpool_kind wanted,
                                gpool__resource **found)
{
    gpool_kind kind = gpool_handle_kind(id);
    if (id == 0) {
        return GPOOL_ERROR_NULL_HANDLE;
    }
    if (gpool_handle_tag(id) != pool->tag) {
        return GPOOL_ERROR_FOREIGN_HANDLE;
    }
    bool right = gpool__is_kind(kind) && (wanted == GPOOL_KIND_NONE || wanted == kind);
    gpool__slot_head *head = right ? gpool__table_find(&pool->tables[kind], id) : NULL;
    if (head == NULL) {
        return GPOOL_ERROR_INVALID_HANDLE;
    }
    uint64_t now = atomic_load_explicit(&head->id, memory_order_acquire);
    if (now == id) {
        *found = (gpool__resource *)head;
        return GPOOL_OK;
    }
    uint32_t generation = gpool_handle_generation(id);
    return generation == 0 || generation > gpool_handle_generation(now) ? GPOOL_ERROR_INVALID_HANDLE
                                                                        : GPOOL_ERROR_STALE_HANDLE;
}

/* Under the lock: gives up a reference, all with `force`. `*ended` is the slot when it was killed. */
static gpool_result remote_give_up(gpool *pool, uint64_t id, gpool_kind kind, bool force,
                                   gpool__resource **ended)
{
    gpool__resource *resource = NULL;
    gpool_result result = remote_find(pool, id, kind, &resource);
    if (result != GPOOL_OK) {
        return result;
    }
    uint32_t references = atomic_load_explicit(&resource->references, memory_order_relaxed);
    if (!force && (references & ~GPOOL__OWN) > 1) {
        atomic_store_explicit(&resource->references, references - 1, memory_order_relaxed);
        return GPOOL_OK;
    }
    if ((references & GPOOL__OWN) != 0) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (!gpool__table_kill_remote(&resource->head, id)) {
        return GPOOL_ERROR_STALE_HANDLE; /* the owner was faster */
    }
    *ended = resource;
    return GPOOL_OK;
}

/* Under the lock: puts a slot that was just killed at the end of the list. */
static void remote_push(gpool *pool, gpool__resource *resource, uint64_t id)
{
    gpool__place place = (gpool__place)(id & 0xfffffffu);
    resource->remote_next = 0;
    if (pool->remote_last != 0) {
        gpool__resource_at(pool, pool->remote_last)->remote_next = place;
    } else {
        atomic_store_explicit(&pool->remote_first, place, memory_order_relaxed);
    }
    pool->remote_last = place;
}

/* Takes what is on the list; false when it was empty. */
static bool remote_take_once(gpool *pool)
{
    gpool__mutex_lock(&pool->remote_lock);
    gpool__place place = atomic_load_explicit(&pool->remote_first, memory_order_relaxed);
    atomic_store_explicit(&pool->remote_first, 0, memory_order_relaxed);
    pool->remote_last = 0;
    gpool__mutex_unlock(&pool->remote_lock);
    bool any = place != 0;
    while (place != 0) {
        gpool__resource *resource = gpool__resource_at(pool, place);
        place = resource->remote_next;
        if (!resource->gone) {
            gpool__resource_end(pool, resource);
        }
    }
    return any;
}

void gpool__remote_take(gpool *pool)
{
    while (remote_take_once(pool)) {
    }
}

/* Tells of a call that failed on a thread that is not the owner. The pool's own log and the labels are
 * the owner's: this one only borrows the callback, and names the handle. */
static void remote_tell(gpool *pool, const char *name, gpool_result result, uint64_t id)
{
    static const struct {
        gpool_log_id log;
        const char *what;
    } texts[GPOOL_RESULT_COUNT] = {
        [GPOOL_ERROR_NULL_HANDLE] = { GPOOL_LOG_HANDLE_NULL, "is null" },
        [GPOOL_ERROR_INVALID_HANDLE] = { GPOOL_LOG_HANDLE_INVALID,
                                         "was never given out or is of another kind" },
        [GPOOL_ERROR_FOREIGN_HANDLE] = { GPOOL_LOG_HANDLE_FOREIGN, "belongs to another pool" },
        [GPOOL_ERROR_STALE_HANDLE] = { GPOOL_LOG_HANDLE_STALE, "is stale" },
        [GPOOL_ERROR_INVALID_ARGUMENT] = { GPOOL_LOG_ARGUMENT_VALUE, "is the pool's own" },
        [GPOOL_ERROR_LIMIT] = { GPOOL_LOG_LIMIT, "has all the references there can be" },
    };
    uint64_t count = atomic_fetch_add(&pool->remote_errors, 1) + 1;
    if (count > 32 && (count & (count - 1)) != 0) {
        return;
    }
    gpool__operation *now = gpool__current();
    const char *outer = now->name;
    now->name = outer != NULL ? outer : name;
    gpool__log log;
    gpool__log_init(&log, pool->log.fn, pool->log.user, pool->label);
    (void)gpool__fail(&log, texts[result].log, result,
                      "The handle [0x%016llx] given from another thread %s", (unsigned long long)id,
                      texts[result].what);
    now->name = outer;
}

static gpool__resource *remote_resolve(gpool *pool, uint64_t id, gpool_kind kind,
                                       gpool_result *result)
{
    return kind == GPOOL_KIND_NONE ? gpool__resolve_any(pool, id, result)
                                   : gpool__resolve(pool, id, kind, result);
}

/* The owner's failures are its pool's last error, with all there is to tell. */
static gpool_result remote_fail_owner(gpool *pool, uint64_t id, gpool_kind kind,
                                      gpool_result result)
{
    gpool_result found = result;
    const gpool__resource *resource = remote_resolve(pool, id, kind, &found);
    if (resource == NULL) {
        return found;
    }
    const char *name = gpool_kind_name((gpool_kind)resource->kind);
    return result == GPOOL_ERROR_LIMIT
               ? GPOOL__FAIL(pool, LIMIT, LIMIT,
                             "The %s \"%s\" has all the references there can be", name,
                             resource->label)
               : gpool__refuse_own(pool, resource);
}

static gpool_result remote_give_up_owner(gpool *pool, uint64_t id, gpool_kind kind, bool force)
{
    gpool_result result;
    gpool__resource *resource = remote_resolve(pool, id, kind, &result);
    if (resource == NULL) {
        return result;
    }
    if (force) {
        result = gpool__refuse_own(pool, resource);
        if (result != GPOOL_OK) {
            return result;
        }
    } else {
        gpool__resource *ended = NULL;
        gpool__mutex_lock(&pool->remote_lock);
        result = remote_give_up(pool, id, kind, false, &ended);
        gpool__mutex_unlock(&pool->remote_lock);
        if (result != GPOOL_OK) {
            return remote_fail_owner(pool, id, kind, result);
        }
        if (ended == NULL) {
            return GPOOL_OK;
        }
    }
    gpool__resource_end(pool, resource);
    return GPOOL_OK;
}

gpool_result gpool__give_up(gpool *pool, uint64_t id, gpool_kind kind, bool force, const char *name)
{
    if (pool == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    if (id == 0) {
        return GPOOL_OK;
    }
    if (gpool__may_act(pool)) {
        gpool__call call;
        gpool_result result = gpool__enter(pool, name, &call);
        if (result == GPOOL_OK) {
            result = remote_give_up_owner(pool, id, kind, force);
            gpool__leave(pool, &call);
        }
        return result;
    }
    gpool__resource *ended = NULL;
    gpool__mutex_lock(&pool->remote_lock);
    gpool_result result = remote_give_up(pool, id, kind, force, &ended);
    if (ended != NULL) {
        remote_push(pool, ended, id);
    }
    gpool__mutex_unlock(&pool->remote_lock);
    if (result != GPOOL_OK) {
        remote_tell(pool, name, result, id);
    }
    return result;
}

gpool_result gpool__destroy_handle(gpool *pool, uint64_t id, gpool_kind kind, const char *name)
{
    bool shared = kind == GPOOL_KIND_SAMPLER || kind == GPOOL_KIND_LAYOUT;
    return gpool__give_up(pool, id, kind, !shared, name);
}

/* Adds a reference to a handle of any kind that is alive. */
static gpool_result remote_retain(gpool *pool, uint64_t id)
{
    gpool__resource *resource = NULL;
    gpool__mutex_lock(&pool->remote_lock);
    gpool_result result = remote_find(pool, id, GPOOL_KIND_NONE, &resource);
    if (result == GPOOL_OK) {
        uint32_t references = atomic_load_explicit(&resource->references, memory_order_relaxed);
        if ((references & ~GPOOL__OWN) == GPOOL__MAX_REFERENCES) {
            result = GPOOL_ERROR_LIMIT;
        } else {
            atomic_store_explicit(&resource->references, references + 1, memory_order_relaxed);
        }
    }
    gpool__mutex_unlock(&pool->remote_lock);
    return result;
}

bool gpool__resource_share(gpool *pool, const gpool__resource *resource)
{
    return remote_retain(pool, gpool__handle_of(pool, resource)) == GPOOL_OK;
}

gpool_result gpool_retain(gpool *pool, uint64_t id)
{
    gpool_result result = pool != NULL ? remote_retain(pool, id) : GPOOL_ERROR_INVALID_ARGUMENT;
    if (result == GPOOL_OK || pool == NULL) {
        return result;
    }
    if (!gpool__may_act(pool)) {
        remote_tell(pool, "gpool_retain", result, id);
        return result;
    }
    gpool__call call;
    if (gpool__enter(pool, "gpool_retain", &call) == GPOOL_OK) {
        result = remote_fail_owner(pool, id, GPOOL_KIND_NONE, result);
        gpool__leave(pool, &call);
    }
    return result;
}

gpool_result gpool_release(gpool *pool, uint64_t id)
{
    return gpool__give_up(pool, id, GPOOL_KIND_NONE, false, "gpool_release");
}
