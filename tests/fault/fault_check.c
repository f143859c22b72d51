/* The checked calls: what must hold for every public function, with and without a fault. */
#include "fault.h"

#include "pool/pool_state.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void fault_problem(fault_world *w, const char *format, ...)
{
    char text[512];
    va_list list;
    va_start(list, format);
    (void)vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (w->problems < 5) {
        (void)printf("    %s\n", text);
    }
    w->problems += 1;
}

uint64_t fault_hits(const fault_world *w)
{
    return w->hits + sim_fail_hits(w->s) + fault_memory_hits();
}

bool fault_is_lost(const fault_world *w)
{
    gpool_device_info info;
    return gpool_device_get_info(w->device, &info) == GPOOL_OK && info.lost;
}

void fault_take_picture(const fault_world *w, uint64_t id, fault_picture *picture)
{
    *picture = (fault_picture){ .kind = gpool_handle_kind(id) };
    if (w->pool == NULL) {
        return;
    }
    (void)gpool_get_stats(w->pool, &picture->stats);
    picture->latched = w->pool->frame_error != GPOOL_OK;
    if (picture->kind == GPOOL_KIND_NONE || (int)picture->kind >= GPOOL_KIND_COUNT ||
        gpool__table_get(&w->pool->tables[picture->kind], id) == NULL) {
        picture->kind = GPOOL_KIND_NONE;
    } else if (picture->kind == GPOOL_KIND_BUFFER) {
        (void)gpool_buffer_get_info(w->pool, (gpool_buffer){ id }, &picture->buffer);
    } else if (picture->kind == GPOOL_KIND_TEXTURE) {
        (void)gpool_texture_get_info(w->pool, (gpool_texture){ id }, &picture->texture);
    } else if (picture->kind == GPOOL_KIND_MESH) {
        (void)gpool_mesh_get_info(w->pool, (gpool_mesh){ id }, &picture->mesh);
        (void)gpool_heap_get_info(w->pool, picture->mesh.heap, &picture->heap);
    } else if (picture->kind == GPOOL_KIND_HEAP) {
        (void)gpool_heap_get_info(w->pool, (gpool_heap){ id }, &picture->heap);
    }
}

/* Heaps have what they had; of a mesh also the place is the same. */
static bool check_heap(const fault_picture *a, const fault_picture *b)
{
    const gpool_mesh_info *m = &a->mesh;
    const gpool_mesh_info *n = &b->mesh;
    return a->heap.bytes == b->heap.bytes && a->heap.live_bytes == b->heap.live_bytes &&
           a->heap.retired_bytes == b->heap.retired_bytes &&
           a->heap.mesh_count == b->heap.mesh_count && a->heap.slab_count == b->heap.slab_count &&
           a->heap.free_ranges == b->heap.free_ranges && m->version == n->version &&
           m->vertex_buffer.id == n->vertex_buffer.id && m->vertex_offset == n->vertex_offset &&
           m->vertex_bytes == n->vertex_bytes && m->index_buffer.id == n->index_buffer.id &&
           m->index_offset == n->index_offset && m->index_bytes == n->index_bytes &&
           m->failed == n->failed && m->pinned == n->pinned;
}

static bool check_called(const fault_world *w, const char *name)
{
    size_t length = strlen(name);
    return strncmp(w->call, name, length) == 0 && (w->call[length] == '(' || w->call[length] == 0);
}

/* Functions that must know of a loss as soon as anybody does. */
static bool check_is_frame_call(const fault_world *w)
{
    static const char *const names[] = { "gpool_begin_frame",     "gpool_submit",
                                         "gpool_process_uploads", "gpool_tick",
                                         "gpool_wait_idle",       "gpool_note_external_submit",
                                         "gpool_end_frame",       "gpool_device_poll" };
    for (size_t i = 0; i < sizeof names / sizeof *names; ++i) {
        if (check_called(w, names[i])) {
            return true;
        }
    }
    return false;
}

/* Counters and resource are as before; `made` new failed resources are there. */
static void check_state(fault_world *w, uint64_t made)
{
    /* These do their other work also when they fail. */
    if (w->pool == NULL || check_called(w, "gpool_end_frame") || check_called(w, "gpool_tick")) {
        return;
    }
    fault_picture now;
    fault_take_picture(w, w->call_id, &now);
    const gpool_stats *a = &w->before.stats;
    const gpool_stats *b = &now.stats;
    uint64_t live = 0;
    for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
        live += b->live_count[kind] - a->live_count[kind];
        /* A ticket that is found to have failed gives its memory back. */
        bool fails = kind == GPOOL_KIND_TICKET &&
                     (check_called(w, "gpool_ticket_wait") || check_called(w, "gpool_ticket_take"));
        if (!fails && a->live_bytes[kind] != b->live_bytes[kind]) {
            fault_problem(w, "%s failed and changed the bytes of all %ss", w->call,
                          gpool_kind_name((gpool_kind)kind));
        }
    }
    /* The slab that a failed call made waits for the GPU like any other. */
    bool slabs = check_called(w, "gpool_mesh_create") || check_called(w, "gpool_mesh_resize");
    if (live != made || b->created != a->created + made || a->freed != b->freed ||
        (!slabs &&
         (a->retired_count != b->retired_count || a->retired_bytes != b->retired_bytes)) ||
        a->written_bytes != b->written_bytes || a->frame != b->frame) {
        fault_problem(w,
                      "%s failed and changed counters: live +%lld, created +%lld, retired +%lld, "
                      "written +%lld",
                      w->call, (long long)live, (long long)(b->created - a->created),
                      (long long)(b->retired_count - a->retired_count),
                      (long long)(b->written_bytes - a->written_bytes));
    }
    const gpool_buffer_info *x = &w->before.buffer;
    const gpool_buffer_info *y = &now.buffer;
    bool same = now.kind == w->before.kind;
    if (same && now.kind == GPOOL_KIND_BUFFER) {
        same = x->size == y->size && x->gpu_size == y->gpu_size && x->usage == y->usage &&
               x->version == y->version && x->gpu_written == y->gpu_written &&
               x->failed == y->failed &&
               /* A refused submit makes all dirty again that it would have brought. */
               (y->dirty_bytes <= x->dirty_bytes ||
                sim_call_count(w->s, GPOOL_GPU_QueueSubmit) > sim_submitted(w->s)) &&
               strcmp(x->label, y->label) == 0;
    } else if (same && now.kind == GPOOL_KIND_TEXTURE) {
        const gpool_texture_info *t = &w->before.texture;
        same = t->width == now.texture.width && t->height == now.texture.height &&
               t->depth_or_layers == now.texture.depth_or_layers &&
               t->mip_levels == now.texture.mip_levels && t->version == now.texture.version &&
               t->gpu_size == now.texture.gpu_size && t->view_count == now.texture.view_count &&
               t->keep == now.texture.keep && now.texture.dirty_bytes <= t->dirty_bytes &&
               t->failed == now.texture.failed && strcmp(t->label, now.texture.label) == 0;
    } else if (same) {
        same = check_heap(&w->before, &now);
    }
    if (!same) {
        fault_problem(w, "%s failed and changed its resource", w->call);
    }
}

static bool check_is_consequence(gpool_result result)
{
    return result == GPOOL_ERROR_FAILED_RESOURCE || result == GPOOL_ERROR_NULL_HANDLE ||
           result == GPOOL_ERROR_STALE_HANDLE || result == GPOOL_ERROR_WRONG_PHASE ||
           result == GPOOL_ERROR_OUT_OF_RANGE;
}

/* The code must be that of the fault. */
static void check_code(fault_world *w, gpool_result result, bool latched)
{
    const char *name = gpool_result_name(result);
    bool here = fault_hits(w) > w->call_hits;
    if (fault_hits(w) == 0) {
        fault_problem(w, "%s gives %s without a fault", w->call, name);
    } else if (w->call_lost && result != GPOOL_ERROR_DEVICE_LOST &&
               (check_is_frame_call(w) || !check_is_consequence(result))) {
        fault_problem(w, "%s gives %s on a lost device", w->call, name);
    } else if (!w->call_lost && here && !latched && w->point.target == FAULT_ALLOCATION &&
               result != GPOOL_ERROR_OUT_OF_MEMORY) {
        fault_problem(w, "%s gives %s when memory ends", w->call, name);
    } else if (result == GPOOL_ERROR_DEVICE_LOST && !w->point.for_ever &&
               (w->point.target == FAULT_ALLOCATION || w->point.way == SIM_FAIL_NULL ||
                w->point.way == SIM_FAIL_VALIDATION)) {
        fault_problem(w, "%s tells a loss that is none", w->call);
    }
}

static void check_result(fault_world *w, gpool_result result, uint64_t made, bool documented)
{
    const fault_rule *rule = fault_rule_of(w->call);
    if (rule == NULL) {
        fault_problem(w, "%s has no comment in the headers", w->call);
        return;
    }
    if (rule->never_allocates && fault_memory_asked() != w->call_asked) {
        fault_problem(w, "%s allocates", w->call);
    }
    if (result == GPOOL_OK) {
        if (w->call_lost && (check_is_frame_call(w) || fault_spy_talks() != w->call_talks)) {
            fault_problem(w, "%s talks to a lost device and gives GPOOL_OK", w->call);
        }
        return;
    }
    bool latched = (rule->codes & FAULT_LATCHED) != 0 && w->before.latched;
    if (documented && !latched && (rule->codes & UINT64_C(1) << result) == 0) {
        fault_problem(w, "%s gives %s, which is not documented", w->call,
                      gpool_result_name(result));
    }
    const gpool_error *last = gpool_last_error(w->pool);
    bool tells = w->pool != NULL && strncmp(w->call, "gpool_device_", 13) != 0 &&
                 strncmp(w->call, "gpool_dirty_", 12) != 0 && !check_called(w, "gpool_create");
    if (tells && (last->code != result || last->message[0] == '\0')) {
        fault_problem(w, "%s gives %s, but the last error is %s \"%s\"", w->call,
                      gpool_result_name(result), gpool_result_name(last->code), last->message);
    }
    check_code(w, result, latched);
    check_state(w, made);
    w->result = w->result == GPOOL_OK ? result : w->result;
}

void fault_before(fault_world *w, const char *call, uint64_t id)
{
    (void)snprintf(w->call, sizeof w->call, "%.*s", (int)strcspn(call, "("), call);
    w->call_id = id;
    w->call_lost = fault_is_lost(w) && !check_called(w, "gpool_device_open") &&
                   !check_called(w, "gpool_device_adopt");
    fault_take_picture(w, id, &w->before);
    w->call_hits = fault_hits(w);
    w->call_fallbacks = w->log_counts[GPOOL_LOG_FALLBACK];
    w->call_asked = fault_memory_asked();
    w->call_talks = fault_spy_talks();
    fault_memory_inside(true);
}

bool fault_after(fault_world *w, gpool_result result)
{
    fault_memory_inside(false);
    if ((unsigned)result >= GPOOL_RESULT_COUNT) {
        fault_problem(w, "%s gives [%d], which is no result", w->call, (int)result);
        return false;
    }
    check_result(w, result, 0, true);
    return result == GPOOL_OK;
}

/* A loss may be told at the next poll; Dawn loses the device so when a write finds no memory. */
static bool check_is_told_late(const fault_world *w)
{
    int function = sim_fail_function(w->s);
    bool write = function == GPOOL_GPU_QueueWriteBuffer || function == GPOOL_GPU_QueueWriteTexture;
    return w->point.target == FAULT_CALL &&
           (w->point.way == SIM_FAIL_LOST ||
            (w->point.way == SIM_FAIL_OUT_OF_MEMORY && (write || w->point.for_ever)));
}

uint64_t fault_made(fault_world *w, uint64_t id, bool brief)
{
    fault_memory_inside(false);
    gpool_result result = GPOOL_OK;
    gpool_kind kind = gpool_handle_kind(id);
    if (id == 0) {
        result = gpool_last_error(w->pool)->code;
    } else {
        const gpool__resource *resource =
            (const gpool__resource *)gpool__table_get(&w->pool->tables[kind], id);
        if (resource == NULL) {
            fault_problem(w, "%s gives a handle that is not alive", w->call);
            return 0;
        }
        result = resource->failed ? gpool_last_error(w->pool)->code : GPOOL_OK;
        if (resource->failed && result == GPOOL_OK) {
            fault_problem(w, "%s gives a failed resource without an error", w->call);
        }
        if (w->thing_count < FAULT_THINGS) {
            w->things[w->thing_count++] = (fault_thing){ w->pool, id, brief };
        } else {
            fault_problem(w, "a scenario makes more than %u things", FAULT_THINGS);
        }
    }
    /* No call of a create function may fail unseen; of a recorded read the Finish tells; a scatter pass
     * may be missing, and is told. */
    /* What was kept for reuse makes up for a failure. */
    gpool_stats now = { 0 };
    (void)gpool_get_stats(w->pool, &now);
    bool made_up = w->before.stats.recycled_count > 0 &&
                   (now.recycled_count == 0 || w->point.target == FAULT_ALLOCATION);
    bool recorded = check_called(w, "gpool_read_buffer") || check_called(w, "gpool_read_texture");
    if (result == GPOOL_OK && fault_hits(w) > w->call_hits && !recorded && !check_is_told_late(w) &&
        !made_up && w->log_counts[GPOOL_LOG_FALLBACK] == w->call_fallbacks) {
        fault_problem(w, "%s gives a good resource though a call of it failed", w->call);
    }
    check_result(w, result, id != 0, true);
    return id;
}

void *fault_got(fault_world *w, const void *object)
{
    fault_memory_inside(false);
    gpool_result result = GPOOL_OK;
    if (object == NULL) {
        result = gpool_last_error(w->pool)->code;
        result = result != GPOOL_OK ? result : GPOOL_ERROR_WRONG_PHASE;
    }
    const fault_rule *rule = fault_rule_of(w->call);
    check_result(w, result, 0, rule != NULL && rule->codes > 1);
    return (void *)(uintptr_t)object;
}

static gpool_result check_destroy(gpool *pool, uint64_t id)
{
    switch ((int)gpool_handle_kind(id)) {
    case GPOOL_KIND_BUFFER:
        return gpool_buffer_destroy(pool, (gpool_buffer){ id });
    case GPOOL_KIND_TEXTURE:
        return gpool_texture_destroy(pool, (gpool_texture){ id });
    case GPOOL_KIND_SAMPLER:
        return gpool_sampler_destroy(pool, (gpool_sampler){ id });
    case GPOOL_KIND_LAYOUT:
        return gpool_layout_destroy(pool, (gpool_layout){ id });
    case GPOOL_KIND_SHADER:
        return gpool_shader_destroy(pool, (gpool_shader){ id });
    case GPOOL_KIND_PIPELINE:
        return gpool_pipeline_destroy(pool, (gpool_pipeline){ id });
    case GPOOL_KIND_SCOPE:
        return gpool_scope_end(pool, (gpool_scope){ id });
    case GPOOL_KIND_TICKET:
        return gpool_ticket_destroy(pool, (gpool_ticket){ id });
    case GPOOL_KIND_HEAP:
        return gpool_heap_destroy(pool, (gpool_heap){ id });
    case GPOOL_KIND_MESH:
        return gpool_mesh_destroy(pool, (gpool_mesh){ id });
    default:
        return GPOOL_OK;
    }
}

static void check_destroy_thing(fault_world *w, const fault_thing *thing)
{
    uint64_t asked = fault_memory_asked();
    gpool_result result = check_destroy(thing->pool, thing->id);
    if (result != GPOOL_OK && !(thing->brief && result == GPOOL_ERROR_STALE_HANDLE)) {
        fault_problem(w, "destroy of a %s gives %s", gpool_kind_name(gpool_handle_kind(thing->id)),
                      gpool_result_name(result));
    }
    if (fault_memory_asked() != asked) {
        fault_problem(w, "destroy of a %s allocates",
                      gpool_kind_name(gpool_handle_kind(thing->id)));
    }
}

void fault_destroy(fault_world *w, uint64_t id)
{
    for (uint32_t i = 0; i < w->thing_count && id != 0; ++i) {
        if (w->things[i].id == id) {
            fault_thing thing = w->things[i];
            w->things[i] = w->things[--w->thing_count];
            check_destroy_thing(w, &thing);
            return;
        }
    }
}

gpool *fault_use(fault_world *w, gpool *pool)
{
    gpool *before = w->pool;
    w->pool = pool;
    return before;
}

void fault_destroy_pool(fault_world *w, gpool *back)
{
    gpool *pool = fault_use(w, back);
    for (uint32_t i = w->thing_count; i-- > 0;) {
        if (w->things[i].pool == pool) {
            w->things[i] = w->things[--w->thing_count];
        }
    }
    fault_memory_inside(true);
    gpool_destroy(pool);
    fault_memory_inside(false);
}

gpool_result fault_end(fault_world *w)
{
    while (w->thing_count > 0) {
        fault_thing thing = w->things[--w->thing_count];
        check_destroy_thing(w, &thing);
    }
    return w->result;
}
