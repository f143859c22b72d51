#include "pool/heap_state.h"
#include "pool/plan.h"
#include "pool/pool_state.h"
#include "pool/ticket.h"

#include <string.h>

#define POOL_TAGS 16u

/* Tags of live pools, and the last generation and recording under each: handles and stream memory of
 * a pool that is gone stay dead under its successor. */
static gpool__mutex pool_tags_lock = GPOOL__MUTEX_INIT;
static struct {
    bool used;
    uint32_t last_generation;
    uint64_t last_epoch;
} pool_tags[POOL_TAGS];

static bool pool_tag_take(uint32_t *tag, uint32_t *first_generation, uint64_t *first_epoch)
{
    bool found = false;
    gpool__mutex_lock(&pool_tags_lock);
    for (uint32_t i = 0; i < POOL_TAGS; ++i) {
        if (!pool_tags[i].used && pool_tags[i].last_generation < GPOOL__GENERATION_MAX &&
            (!found || pool_tags[i].last_generation < pool_tags[*tag].last_generation)) {
            *tag = i;
            found = true;
        }
    }
    if (found) {
        pool_tags[*tag].used = true;
        *first_generation = pool_tags[*tag].last_generation + 1;
        *first_epoch = pool_tags[*tag].last_epoch + 1;
    }
    gpool__mutex_unlock(&pool_tags_lock);
    return found;
}

static void pool_tag_give_back(uint32_t tag, uint32_t last_generation, uint64_t last_epoch)
{
    gpool__mutex_lock(&pool_tags_lock);
    pool_tags[tag].used = false;
    pool_tags[tag].last_generation =
        (uint32_t)gpool__max(pool_tags[tag].last_generation, last_generation);
    pool_tags[tag].last_epoch = last_epoch;
    gpool__mutex_unlock(&pool_tags_lock);
}

gpool_result gpool__refuse_thread(gpool *pool, const char *name)
{
    gpool__operation *now = gpool__current();
    const char *outer = now->name;
    now->name = outer != NULL ? outer : name;
    /* The pool's own log is the owner's; this one only borrows its callback. */
    gpool__log log;
    gpool__log_init(&log, pool->log.fn, pool->log.user, pool->label);
    uint64_t count = atomic_fetch_add(&pool->wrong_threads, 1) + 1;
    if ((count & (count - 1)) == 0) {
        (void)gpool__fail(&log, GPOOL_LOG_THREAD, GPOOL_ERROR_WRONG_THREAD,
                          "Call [%llu] from a thread that does not own the pool",
                          (unsigned long long)count);
    }
    now->name = outer;
    return GPOOL_ERROR_WRONG_THREAD;
}

gpool_result gpool__enter(gpool *pool, const char *name, gpool__call *call)
{
    if (pool == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    gpool__operation *now = gpool__current();
    if (!gpool__is_owned_by(pool, now)) {
        (void)gpool__refuse_thread(pool, name);
        return GPOOL_ERROR_WRONG_THREAD; /* said here, so that compilers know that `call` is set else */
    }
    if (gpool__is_inside_of(now)) {
        return GPOOL__FAIL(pool, PHASE, WRONG_PHASE,
                           "%s() is called by a callback that runs inside a call of gpool", name);
    }
    now->name = name;
    if (pool->writes.begun != pool->writes.made) {
        gpool__writes_finish(pool);
    }
    if (pool->measure) {
        now->timed_table = &pool->device->table;
        now->clock_ns = pool->clock_ns;
        call->begin_gpu_ns = now->gpu_ns;
        call->begin_reads = now->clock_reads;
        call->begin_wait_ns = now->wait_ns;
        call->begin_ns = gpool__thread_cpu_ns();
    } else {
        *call = (gpool__call){ 0 };
    }
    return GPOOL_OK;
}

void gpool__leave(gpool *pool, const gpool__call *call)
{
    gpool__operation *now = gpool__current();
    now->name = NULL;
    if (now->kept != NULL) {
        gpool__log_flush();
    }
    if (pool->measure) {
        uint64_t total = gpool__thread_cpu_ns() - call->begin_ns;
        uint64_t in_gpu_calls = now->gpu_ns - call->begin_gpu_ns;
        uint64_t waits = now->wait_ns - call->begin_wait_ns;
        /* Reads inside waits are part of the waits. */
        uint64_t clock = waits > 0 ? pool->clock_ns
                                   : (now->clock_reads - call->begin_reads + 1) * pool->clock_ns;
        pool->stats.wait_ns += waits;
        pool->stats.gpu_call_ns += in_gpu_calls;
        uint64_t apart = in_gpu_calls + clock + waits;
        pool->stats.own_ns += total > apart ? total - apart : 0;
    }
}

gpool_result gpool__fail_gpu(gpool *pool, gpool_result result, const char *what, const char *label)
{
    const char *error = gpool__current()->error;
    return gpool__fail(&pool->log, gpool__capture_log_id(result, GPOOL_LOG_GPU_ERROR), result,
                       "%s \"%s\" failed: %s", what, label,
                       error[0] != '\0' ? error : gpool_result_text(result));
}

/* Cold path of a look-up: says exactly what is wrong with a handle. */
static gpool_result pool_explain(gpool *pool, uint64_t id, gpool_kind kind)
{
    const char *wanted = kind != GPOOL_KIND_NONE ? gpool_kind_name(kind) : "resource";
    uint32_t slot = gpool_handle_slot(id);
    uint32_t generation = gpool_handle_generation(id);
    if (id == 0) {
        return GPOOL__FAIL(pool, HANDLE_NULL, NULL_HANDLE, "The %s handle [0] is null", wanted);
    }
    if (gpool_handle_tag(id) != pool->tag) {
        return GPOOL__FAIL(pool, HANDLE_FOREIGN, FOREIGN_HANDLE,
                           "The handle [0x%016llx] belongs to pool [%u], this is pool [%u]",
                           (unsigned long long)id, gpool_handle_tag(id), pool->tag);
    }
    if ((uint32_t)gpool_handle_kind(id) == GPOOL__KIND_STREAM) {
        return GPOOL__FAIL(pool, HANDLE_INVALID, INVALID_HANDLE,
                           "The handle [0x%016llx] is of stream memory, which is the pool's own: "
                           "only commands of its recording may read it",
                           (unsigned long long)id);
    }
    kind = kind != GPOOL_KIND_NONE ? kind : gpool_handle_kind(id);
    if (gpool_handle_kind(id) != kind || !gpool__is_kind(kind)) {
        return GPOOL__FAIL(pool, HANDLE_INVALID, INVALID_HANDLE,
                           "The handle [0x%016llx] is of kind [%s] where a %s is needed",
                           (unsigned long long)id, gpool_kind_name(gpool_handle_kind(id)), wanted);
    }
    const gpool__table *table = &pool->tables[kind];
    uint32_t current = 0;
    const gpool__resource *resource = NULL;
    if (slot < table->slot_count) {
        resource = (const gpool__resource *)gpool__table_at(table, slot);
        current = gpool_handle_generation(gpool__head_id(&resource->head));
    }
    if (resource == NULL || generation == 0 || generation > current ||
        (generation == current && gpool__table_is_live(table, &resource->head))) {
        return GPOOL__FAIL(pool, HANDLE_INVALID, INVALID_HANDLE,
                           "The %s handle [0x%016llx] was never given out", wanted,
                           (unsigned long long)id);
    }
    if (generation == current && resource->label != NULL) {
        return GPOOL__FAIL(
            pool, HANDLE_STALE, STALE_HANDLE,
            "The %s handle [0x%016llx] is stale: \"%s\" was destroyed in frame [%llu]", wanted,
            (unsigned long long)id, resource->label,
            /* Killed by another thread, it waits for the owner's next frame call. */
            (unsigned long long)(resource->gone ? resource->retired.frame : pool->frame));
    }
    return GPOOL__FAIL(pool, HANDLE_STALE, STALE_HANDLE,
                       "The %s handle [0x%016llx] is stale: its resource was destroyed and freed",
                       wanted, (unsigned long long)id);
}

gpool__resource *gpool__resolve(gpool *pool, uint64_t id, gpool_kind kind, gpool_result *result)
{
    gpool__slot_head *head = gpool__table_get(&pool->tables[kind], id);
    if (head != NULL) {
        *result = GPOOL_OK;
        return (gpool__resource *)head;
    }
    *result = pool_explain(pool, id, kind);
    return NULL;
}

gpool__resource *gpool__resolve_any(gpool *pool, uint64_t id, gpool_result *result)
{
    gpool_kind kind = gpool_handle_kind(id);
    /* The table of kind NONE is empty. */
    return gpool__resolve(pool, id, gpool__is_kind(kind) ? kind : GPOOL_KIND_NONE, result);
}

gpool__resource *gpool__resolve_good(gpool *pool, uint64_t id, gpool_kind kind,
                                     gpool_result *result)
{
    gpool__resource *resource = gpool__resolve(pool, id, kind, result);
    if (resource != NULL && resource->failed) {
        *result = GPOOL__FAIL(pool, RESOURCE_FAILED, FAILED_RESOURCE,
                              "The %s \"%s\" failed to be made and does nothing",
                              gpool_kind_name(kind), resource->label);
        return NULL;
    }
    return resource;
}

void gpool__kind_init(gpool *pool, gpool_kind kind, size_t size, gpool__release_fn release)
{
    gpool__table *table = &pool->tables[kind];
    gpool__table_init(table, &pool->memory, kind, pool->tag, size, pool->first_generation);
    table->lock = &pool->remote_lock;
    pool->release[kind] = release;
}

static gpool__resource *resource_take(gpool *pool, gpool_kind kind, const char *label)
{
    gpool__table *table = &pool->tables[kind];
    uint64_t id = 0;
    char *copy = gpool__copy_string(&pool->memory, label);
    gpool__slot_head *head = copy != NULL ? gpool__table_take(table, &id) : NULL;
    if (head == NULL) {
        gpool__free_string(&pool->memory, copy);
        if (copy != NULL && gpool__table_is_full(table)) {
            (void)GPOOL__FAIL(pool, LIMIT, LIMIT, "The pool holds [%u] slots of kind %s already",
                              GPOOL__MAX_SLOTS, gpool_kind_name(kind));
        } else {
            (void)GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for the %s \"%s\"",
                              gpool_kind_name(kind), label != NULL ? label : "");
        }
        return NULL;
    }
    gpool__resource *resource = (gpool__resource *)head;
    /* All but what other threads may touch already, should they guess the handle. */
    const size_t kept = offsetof(gpool__resource, alive);
    memset((char *)head + kept, 0, table->stride - kept);
    atomic_store_explicit(&resource->references, 1, memory_order_relaxed);
    resource->label = copy;
    if (copy[0] != '\0') {
        size_t length = strlen(copy);
        /* In place: a byte that is no text becomes one that is, so the block's size stays. */
        (void)gpool__clean(copy, length + 1, copy, length);
    }
    resource->kind = (uint8_t)kind;
    resource->alive.created_frame = pool->frame;
    return resource;
}

gpool__resource *gpool__resource_take(gpool *pool, gpool_kind kind, const char *label,
                                      gpool_scope scope)
{
    gpool_result result;
    gpool__scope *owner = gpool__scope_resolve(pool, scope, &result);
    gpool__resource *resource = owner != NULL ? resource_take(pool, kind, label) : NULL;
    if (resource != NULL) {
        gpool__scope_link(pool, owner, resource);
        pool->stats.created += 1;
    }
    return resource;
}

gpool__resource *gpool__resource_take_spare(gpool *pool, gpool_kind kind)
{
    gpool__resource *resource = resource_take(pool, kind, NULL);
    if (resource != NULL) {
        resource->replaced = true;
    }
    return resource;
}

void gpool__resource_make_own(gpool *pool, gpool__resource *resource)
{
    resource->own = true;
    gpool__mutex_lock(&pool->remote_lock);
    uint32_t references = atomic_load_explicit(&resource->references, memory_order_relaxed);
    atomic_store_explicit(&resource->references, references | GPOOL__OWN, memory_order_relaxed);
    gpool__mutex_unlock(&pool->remote_lock);
}

gpool__resource *gpool__resource_take_own(gpool *pool, gpool_kind kind, const char *label)
{
    gpool__resource *resource = resource_take(pool, kind, label);
    if (resource != NULL) {
        gpool__resource_make_own(pool, resource);
    }
    return resource;
}

gpool_result gpool__refuse_own(gpool *pool, const gpool__resource *resource)
{
    return !resource->own
               ? GPOOL_OK
               : GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                             "The %s \"%s\" is the pool's own",
                             gpool_kind_name((gpool_kind)resource->kind), resource->label);
}

void gpool__resource_cancel(gpool *pool, gpool__resource *resource)
{
    gpool__table *table = &pool->tables[resource->kind];
    uint64_t id = gpool__handle_of(pool, resource);
    gpool__mutex_lock(&pool->remote_lock);
    bool guessed = !gpool__table_is_live(table, &resource->head);
    if (!guessed) {
        gpool__table_kill(table, &resource->head, id);
    }
    gpool__mutex_unlock(&pool->remote_lock);
    pool->stats.created -= resource->replaced || resource->own ? 0 : 1;
    gpool__scope_unlink(pool, resource);
    if (guessed) {
        /* Another thread killed it and put the slot on the list: it takes the long way. */
        resource->failed = true;
        resource->replaced = true;
        gpool__resource_retire(pool, resource);
        return;
    }
    gpool__free_string(&pool->memory, resource->label);
    resource->label = NULL;
    gpool__table_give_back(table, &resource->head, id);
}

uint64_t gpool__resource_bytes(const gpool__resource *resource)
{
    if (resource->failed) {
        return 0;
    }
    if (resource->kind == GPOOL_KIND_BUFFER) {
        const gpool__buffer *buffer = (const gpool__buffer *)resource;
        return buffer->imported ? 0 : gpool__buffer_gpu_size(buffer);
    }
    if (resource->kind == GPOOL_KIND_TEXTURE) {
        const gpool__texture *texture = (const gpool__texture *)resource;
        return texture->imported ? 0 : texture->gpu_size;
    }
    if (resource->kind == GPOOL_KIND_MESH) {
        const gpool__mesh *mesh = (const gpool__mesh *)resource;
        return mesh->parts[GPOOL_MESH_VERTICES].size + mesh->parts[GPOOL_MESH_INDICES].size;
    }
    return resource->kind == GPOOL_KIND_TICKET ? gpool__ticket_bytes(resource) : 0;
}

void gpool__resource_count_bytes(gpool *pool, gpool__resource *resource, uint64_t from, uint64_t to)
{
    pool->stats.live_bytes[resource->kind] += to - from;
    if (resource->alive.scope != 0) {
        gpool__scope_at(pool, resource->alive.scope)->bytes[resource->kind] += to - from;
    }
}

void gpool__resource_retire(gpool *pool, gpool__resource *resource)
{
    if (pool->retiring[resource->kind] != NULL) {
        pool->retiring[resource->kind](pool, resource);
    }
    uint64_t bytes = gpool__resource_bytes(resource);
    gpool__resource_count_bytes(pool, resource, bytes, 0);
    gpool__scope_unlink(pool, resource);
    pool->stats.retired_bytes += bytes;
    pool->stats.retired_count += 1;
    gpool__table *table = &pool->tables[resource->kind];
    gpool__table_kill(table, &resource->head, gpool__handle_of(pool, resource));
    resource->gone = true;
    if (resource->bind_uses != NULL) {
        pool->drop_bind_uses(pool, resource);
    }
    if (pool->recording) {
        gpool__retire_wait(&pool->retire, &resource->retired, pool->frame);
    } else {
        gpool__retire_ready(&pool->retire, &resource->retired, pool->frame, pool->last_serial);
    }
}

void gpool__resource_free(gpool *pool, gpool__resource *resource)
{
    pool->release[resource->kind](pool, resource);
    gpool__free_string(&pool->memory, resource->label);
    resource->label = NULL;
    gpool__table *table = &pool->tables[resource->kind];
    gpool__table_give_back(table, &resource->head, gpool__handle_of(pool, resource));
}

static void pool_free_one(gpool *pool, gpool__retired *retired)
{
    gpool__resource *resource = gpool__resource_of(retired);
    pool->stats.retired_bytes -= gpool__resource_bytes(resource);
    pool->stats.retired_count -= 1;
    pool->stats.freed += resource->replaced || resource->own ? 0 : 1;
    gpool__resource_free(pool, resource);
}

uint32_t gpool__free_retired(gpool *pool, bool by_serial)
{
    uint64_t done = gpool__device_done(pool->device);
    uint64_t newest = UINT64_MAX;
    if (gpool__device_is_lost(pool->device)) {
        /* Frames stand still and nothing completes; what is released is not used any more. */
        done = UINT64_MAX;
    } else if (!by_serial) {
        if (pool->frame < pool->delete_delay_frames) {
            return 0;
        }
        newest = pool->frame - pool->delete_delay_frames;
    }
    if (!gpool__retire_any(&pool->retire, done, newest)) {
        return 0;
    }
    gpool__remote_take(pool); /* no other thread stands at what is freed now; see remote.c */
    uint64_t budget = gpool__max(GPOOL__FREE_MIN, pool->stats.retired_count / 4);
    uint32_t freed = 0;
    pool->recycle.open = !pool->recycle.off && !gpool__device_is_lost(pool->device);
    while (freed < budget) {
        gpool__retired *retired = gpool__retire_take(&pool->retire, done, newest);
        if (retired == NULL) {
            break;
        }
        pool_free_one(pool, retired);
        freed += 1;
    }
    pool->recycle.open = false;
    pool->stats.visited += freed;
    return freed;
}

void gpool__free_all_retired(gpool *pool)
{
    gpool__retired *retired;
    while ((retired = gpool__retire_take(&pool->retire, UINT64_MAX, UINT64_MAX)) != NULL) {
        pool_free_one(pool, retired);
    }
}

bool gpool__check_access(gpool *pool, gpool_access access)
{
    if ((unsigned)access > GPOOL_ACCESS_WRITE) {
        (void)GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT, "The access [%d] is unknown",
                          (int)access);
        return false;
    }
    return true;
}

bool gpool__frame_import_reserve(gpool *pool)
{
    void *imports = pool->frame_imports;
    bool good = gpool__reserve(&pool->memory, &imports, &pool->frame_import_capacity,
                               pool->frame_import_count + 1, sizeof *pool->frame_imports);
    pool->frame_imports = imports;
    if (!good) {
        (void)GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY, "No memory for an import");
    }
    return good;
}

void gpool__frame_import_add(gpool *pool, gpool__resource *resource)
{
    pool->frame_imports[pool->frame_import_count++] = gpool__handle_of(pool, resource);
}

void gpool__frame_imports_end(gpool *pool)
{
    gpool__resource *ended = NULL;
    for (uint32_t i = 0; i < pool->frame_import_count; ++i) {
        uint64_t id = pool->frame_imports[i];
        gpool__table *table = &pool->tables[gpool_handle_kind(id)];
        gpool__resource *resource = (gpool__resource *)gpool__table_get(table, id);
        if (resource != NULL) {
            gpool__scope_unlink(pool, resource); /* an import's bytes do not count */
            gpool__table_kill(table, &resource->head, id);
            resource->gone = true;
            if (resource->bind_uses != NULL) {
                pool->drop_bind_uses(pool, resource);
            }
            resource->retired.next = ended != NULL ? &ended->retired : NULL;
            ended = resource;
        }
    }
    pool->frame_import_count = 0;
    if (ended != NULL) {
        gpool__remote_take(pool);
    }
    while (ended != NULL) {
        gpool__resource *resource = ended;
        ended = ended->retired.next != NULL ? gpool__resource_of(ended->retired.next) : NULL;
        pool->stats.freed += 1;
        gpool__resource_free(pool, resource);
    }
}

void gpool__pool_point_at(gpool *pool, gpool_device *device)
{
    pool->device = device;
    pool->seam.table = pool->measure ? gpool__timing_table() : &device->table;
    gpool__current()->timed_table = &device->table;
}

static gpool_result pool_fill_upload(gpool *pool, const gpool_upload_desc *desc)
{
    if (!gpool__is_enum(desc->force, GPOOL_UPLOAD_COUNT - 1, true)) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "The way of upload [%u] that is to be forced is unknown", desc->force);
    }
    if (desc->costs != NULL && !gpool__costs_are_good(desc->costs)) {
        return GPOOL__FAIL(pool, ARGUMENT_VALUE, INVALID_ARGUMENT,
                           "The costs of uploads have a negative or infinite field");
    }
    pool->upload_force = desc->force;
    pool->staging.budget = desc->staging_budget != 0 ? desc->staging_budget : (uint64_t)256 << 20;
    pool->own_costs = desc->costs != NULL;
    if (pool->own_costs) {
        pool->upload_costs = *desc->costs;
    }
    gpool__upload_choose_costs(pool);
    return GPOOL_OK;
}

static gpool_result pool_fill(gpool *pool, gpool_device *device, const gpool_desc *desc)
{
    pool->label = gpool__copy_string(&pool->memory, desc->label != NULL ? desc->label : "pool");
    if (pool->label == NULL) {
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    gpool__log_init(&pool->log, desc->log, desc->log_user, pool->label);
    pool->tag = POOL_TAGS;
    uint32_t tag = 0;
    if (!pool_tag_take(&tag, &pool->first_generation, &pool->record_epoch)) {
        return GPOOL__FAIL(pool, POOLS, TOO_MANY_POOLS, "[%u] pools are alive already", POOL_TAGS);
    }
    pool->tag = tag;
    if (gpool__device_is_lost(device)) {
        return GPOOL__FAIL(pool, DEVICE_LOST, DEVICE_LOST, "The device \"%s\" is lost",
                           device->info.label);
    }
    pool->frames_in_flight = desc->frames_in_flight != 0 ? desc->frames_in_flight : 2;
    pool->delete_delay_frames = desc->delete_delay_frames == GPOOL_DELAY_NONE ? 0
                                : desc->delete_delay_frames != 0 ? desc->delete_delay_frames
                                                                 : 2;
    pool->wait_timeout_ns =
        (uint64_t)(desc->wait_timeout_ms != 0 ? desc->wait_timeout_ms : 10000) * 1000000u;
    pool->measure = desc->measure;
    pool->clock_ns = pool->measure ? gpool__clock_cost_ns() : 0;
    gpool__pool_point_at(pool, device);
    /* Serials count on the device: what was submitted before this pool is none of its business. */
    pool->last_serial = 0;
    pool->batch.number = 1;
    gpool__recycle_init(pool, &desc->recycle);
    gpool_result result = pool_fill_upload(pool, &desc->upload);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool__scopes_init(pool);
    gpool__buffers_init(pool);
    gpool__textures_init(pool);
    gpool__samplers_init(pool);
    gpool__tickets_init(pool);
    gpool__heaps_init(pool);
    gpool__meshes_init(pool);
    return gpool__layouts_init(pool);
}

gpool_result gpool__pool_open(gpool_device *device, const gpool_desc *desc, gpool **out)
{
    gpool__memory memory;
    gpool__memory_init(&memory, &desc->allocator);
    gpool *pool = gpool__alloc(&memory, sizeof *pool);
    if (pool == NULL) {
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    pool->memory = memory;
    pool->device = gpool_device_retain(device);
    atomic_init(&pool->owner, gpool__thread_number());
    gpool__mutex_init(&pool->remote_lock);
    pool->tag = POOL_TAGS;
    gpool_result result = pool_fill(pool, device, desc);
    if (result != GPOOL_OK) {
        gpool__pool_close(pool);
        return result;
    }
    *out = pool;
    return GPOOL_OK;
}

void gpool__pool_close(gpool *pool)
{
    /* What the GPU did not report done within the limit is released too: implementations keep
     * released objects alive as long as they use them. */
    if (pool->shaders_hooks != NULL) {
        pool->shaders_hooks->stop(pool);
    }
    gpool__batch_fini(pool);
    gpool__retire_close(&pool->retire, 0);
    gpool__free_all_retired(pool);
    uint32_t last_generation = 0;
    for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
        gpool__table *table = &pool->tables[kind];
        for (uint32_t i = 0; i < table->slot_count; ++i) {
            gpool__resource *resource = (gpool__resource *)gpool__table_at(table, i);
            if (gpool__table_is_live(table, &resource->head)) {
                gpool__table_kill(table, &resource->head, gpool__handle_of(pool, resource));
                gpool__resource_free(pool, resource);
            }
        }
        last_generation = (uint32_t)gpool__max(last_generation, table->last_generation);
        gpool__table_fini(table);
    }
    if (pool->shaders_hooks != NULL) {
        pool->shaders_hooks->fini(pool);
    }
    gpool__landing_fini(pool);
    gpool__recycle_fini(pool);
    gpool__free(&pool->memory, pool->frame_imports,
                pool->frame_import_capacity * sizeof *pool->frame_imports);
    if (pool->tag < POOL_TAGS) {
        pool_tag_give_back(pool->tag, last_generation, pool->record_epoch);
    }
    gpool__free_string(&pool->memory, pool->label);
    gpool__mutex_fini(&pool->remote_lock);
    gpool_device *device = pool->device;
    gpool__memory memory = pool->memory;
    gpool__free(&memory, pool, sizeof *pool);
    gpool_device_release(device);
}

const gpool_error *gpool_last_error(const gpool *pool)
{
    static const gpool_error none = { GPOOL_ERROR_INVALID_ARGUMENT, GPOOL_LOG_ARGUMENT_NULL,
                                      "The pool [NULL] is null" };
    static const gpool_error foreign = { GPOOL_ERROR_WRONG_THREAD, GPOOL_LOG_THREAD,
                                         "The calling thread does not own the pool" };
    return pool == NULL ? &none : gpool__is_owner(pool) ? &pool->log.last : &foreign;
}

gpool_device *gpool_pool_device(const gpool *pool)
{
    return pool != NULL && gpool__is_owner(pool) ? pool->device : NULL;
}

uint64_t gpool_frame(const gpool *pool)
{
    return pool != NULL && gpool__is_owner(pool) ? pool->frame : 0;
}

gpool_result gpool_own(gpool *pool)
{
    if (pool == NULL) {
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
    atomic_store_explicit(&pool->owner, gpool__thread_number(), memory_order_relaxed);
    return GPOOL_OK;
}

const char *gpool_kind_name(gpool_kind kind)
{
    static const char *const names[GPOOL_KIND_COUNT] = { "none",   "buffer", "texture",  "sampler",
                                                         "layout", "shader", "pipeline", "scope",
                                                         "ticket", "heap",   "mesh" };
    return (unsigned)kind < GPOOL_KIND_COUNT ? names[kind] : "unknown";
}
