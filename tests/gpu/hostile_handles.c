/* Every public function that takes a handle, with every kind of bad handle. */
#include "gpu/hostile.h"

#include <string.h>

/* A function that takes one handle outside recorders. */
typedef struct handle_call {
    const char *name;
    gpool_kind kind;
    bool null_is_good; /* destroy functions */
    gpool_result (*call)(hostile_world *w, uint64_t id);
} handle_call;

#define CALL(name, expression)                                                                     \
    static gpool_result name(hostile_world *w, uint64_t id)                                        \
    {                                                                                              \
        return expression;                                                                         \
    }
#define BUFFER   ((gpool_buffer){ id })
#define TEXTURE  ((gpool_texture){ id })
#define SAMPLER  ((gpool_sampler){ id })
#define LAYOUT   ((gpool_layout){ id })
#define SHADER   ((gpool_shader){ id })
#define PIPELINE ((gpool_pipeline){ id })
#define SCOPE    ((gpool_scope){ id })
#define TICKET   ((gpool_ticket){ id })
#define HEAP     ((gpool_heap){ id })
#define MESH     ((gpool_mesh){ id })

static uint8_t scratch[256];

CALL(buffer_write, gpool_buffer_write(w->pool, BUFFER, 0, scratch, 4))
CALL(buffer_write_nothing, gpool_buffer_write(w->pool, BUFFER, 0, NULL, 0))
CALL(buffer_resize, gpool_buffer_resize(w->pool, BUFFER, 32))
CALL(buffer_destroy, gpool_buffer_destroy(w->pool, BUFFER))
CALL(buffer_info, gpool_buffer_get_info(w->pool, BUFFER, &(gpool_buffer_info){ 0 }))
CALL(buffer_info_null, gpool_buffer_get_info(w->pool, BUFFER, NULL))
CALL(buffer_read, gpool_buffer_read(w->pool, BUFFER, 0, scratch, 4))
CALL(buffer_gpu, hostile_none(w, gpool_buffer_gpu(w->pool, BUFFER, GPOOL_ACCESS_READ)))
CALL(buffer_gpu_write, hostile_none(w, gpool_buffer_gpu(w->pool, BUFFER, GPOOL_ACCESS_WRITE)))
CALL(texture_write, gpool_texture_write(w->pool, TEXTURE, NULL, scratch, sizeof scratch, 0))
CALL(texture_resize, gpool_texture_resize(w->pool, TEXTURE, 2, 2, 0))
CALL(texture_destroy, gpool_texture_destroy(w->pool, TEXTURE))
CALL(texture_info, gpool_texture_get_info(w->pool, TEXTURE, &(gpool_texture_info){ 0 }))
CALL(texture_read, gpool_texture_read(w->pool, TEXTURE, NULL, scratch, sizeof scratch))
CALL(texture_gpu, hostile_none(w, gpool_texture_gpu(w->pool, TEXTURE, GPOOL_ACCESS_WRITE)))
CALL(texture_view,
     hostile_none(w, gpool_texture_gpu_view(w->pool, TEXTURE, NULL, GPOOL_ACCESS_READ)))
CALL(sampler_destroy, gpool_sampler_destroy(w->pool, SAMPLER))
CALL(sampler_desc, gpool_sampler_get_desc(w->pool, SAMPLER, &(gpool_sampler_desc){ 0 }))
CALL(sampler_gpu, hostile_none(w, gpool_sampler_gpu(w->pool, SAMPLER)))
CALL(layout_destroy, gpool_layout_destroy(w->pool, LAYOUT))
CALL(layout_gpu, hostile_none(w, gpool_layout_gpu(w->pool, LAYOUT)))
CALL(shader_status, gpool_shader_status(w->pool, SHADER))
CALL(shader_destroy, gpool_shader_destroy(w->pool, SHADER))
CALL(pipeline_status, gpool_pipeline_status(w->pool, PIPELINE))
CALL(pipeline_destroy, gpool_pipeline_destroy(w->pool, PIPELINE))
CALL(scope_info, gpool_scope_get_info(w->pool, SCOPE, &(gpool_scope_info){ 0 }))
CALL(scope_end, gpool_scope_end(w->pool, SCOPE))
CALL(ticket_status, gpool_ticket_status(w->pool, TICKET))
CALL(ticket_take, gpool_ticket_take(w->pool, TICKET, scratch, sizeof scratch))
CALL(ticket_wait, gpool_ticket_wait(w->pool, TICKET, 1000000))
CALL(ticket_info, gpool_ticket_get_info(w->pool, TICKET, &(gpool_ticket_info){ 0 }))
CALL(ticket_destroy, gpool_ticket_destroy(w->pool, TICKET))
CALL(heap_destroy, gpool_heap_destroy(w->pool, HEAP))
CALL(heap_compact, gpool_heap_compact(w->pool, HEAP, 0))
CALL(heap_info, gpool_heap_get_info(w->pool, HEAP, &(gpool_heap_info){ .label = "" }))
CALL(mesh_destroy, gpool_mesh_destroy(w->pool, MESH))
CALL(mesh_write, gpool_mesh_write(w->pool, MESH, GPOOL_MESH_INDICES, 0, scratch, 4))
CALL(mesh_resize, gpool_mesh_resize(w->pool, MESH, 0, 9))
CALL(mesh_pin, gpool_mesh_pin(w->pool, MESH, true))
CALL(mesh_info, gpool_mesh_get_info(w->pool, MESH, &(gpool_mesh_info){ .label = "" }))
CALL(move_to, gpool_move(w->pool, w->witness.id, SCOPE))

static const handle_call calls[] = {
    { "buffer_write", GPOOL_KIND_BUFFER, false, buffer_write },
    { "buffer_write of nothing", GPOOL_KIND_BUFFER, false, buffer_write_nothing },
    { "buffer_resize", GPOOL_KIND_BUFFER, false, buffer_resize },
    { "buffer_destroy", GPOOL_KIND_BUFFER, true, buffer_destroy },
    { "buffer_get_info", GPOOL_KIND_BUFFER, false, buffer_info },
    { "buffer_get_info into NULL", GPOOL_KIND_BUFFER, false, buffer_info_null },
    { "buffer_read", GPOOL_KIND_BUFFER, false, buffer_read },
    { "buffer_gpu", GPOOL_KIND_BUFFER, false, buffer_gpu },
    { "buffer_gpu for writing", GPOOL_KIND_BUFFER, false, buffer_gpu_write },
    { "texture_write", GPOOL_KIND_TEXTURE, false, texture_write },
    { "texture_resize", GPOOL_KIND_TEXTURE, false, texture_resize },
    { "texture_destroy", GPOOL_KIND_TEXTURE, true, texture_destroy },
    { "texture_get_info", GPOOL_KIND_TEXTURE, false, texture_info },
    { "texture_read", GPOOL_KIND_TEXTURE, false, texture_read },
    { "texture_gpu", GPOOL_KIND_TEXTURE, false, texture_gpu },
    { "texture_gpu_view", GPOOL_KIND_TEXTURE, false, texture_view },
    { "sampler_destroy", GPOOL_KIND_SAMPLER, true, sampler_destroy },
    { "sampler_get_desc", GPOOL_KIND_SAMPLER, false, sampler_desc },
    { "sampler_gpu", GPOOL_KIND_SAMPLER, false, sampler_gpu },
    { "layout_destroy", GPOOL_KIND_LAYOUT, true, layout_destroy },
    { "layout_gpu", GPOOL_KIND_LAYOUT, false, layout_gpu },
    { "shader_status", GPOOL_KIND_SHADER, false, shader_status },
    { "shader_destroy", GPOOL_KIND_SHADER, true, shader_destroy },
    { "pipeline_status", GPOOL_KIND_PIPELINE, false, pipeline_status },
    { "pipeline_destroy", GPOOL_KIND_PIPELINE, true, pipeline_destroy },
    { "scope_end", GPOOL_KIND_SCOPE, true, scope_end },
    { "scope_get_info", GPOOL_KIND_SCOPE, true, scope_info },
    { "move into a scope", GPOOL_KIND_SCOPE, true, move_to },
    { "ticket_status", GPOOL_KIND_TICKET, false, ticket_status },
    { "ticket_take", GPOOL_KIND_TICKET, false, ticket_take },
    { "ticket_wait", GPOOL_KIND_TICKET, false, ticket_wait },
    { "ticket_get_info", GPOOL_KIND_TICKET, false, ticket_info },
    { "ticket_destroy", GPOOL_KIND_TICKET, true, ticket_destroy },
    { "heap_destroy", GPOOL_KIND_HEAP, true, heap_destroy },
    { "heap_compact", GPOOL_KIND_HEAP, true, heap_compact },
    { "heap_get_info", GPOOL_KIND_HEAP, true, heap_info },
    { "mesh_destroy", GPOOL_KIND_MESH, true, mesh_destroy },
    { "mesh_write", GPOOL_KIND_MESH, false, mesh_write },
    { "mesh_resize", GPOOL_KIND_MESH, false, mesh_resize },
    { "mesh_pin", GPOOL_KIND_MESH, false, mesh_pin },
    { "mesh_get_info", GPOOL_KIND_MESH, false, mesh_info },
};
#define CALL_COUNT (sizeof calls / sizeof *calls)

/* A recorder function that takes one handle. */
typedef struct record_call {
    const char *name;
    gpool_kind kind;
    int pass;          /* 0 outside, 1 render, 2 compute */
    bool begins_pass;  /* skips up to the next end_pass */
    bool null_is_good; /* an empty attachment */
    void (*call)(hostile_world *w, gpool_recorder rec, uint64_t id);
} record_call;

#define RECORD(name, statement)                                                                    \
    static void name(hostile_world *w, gpool_recorder rec, uint64_t id)                            \
    {                                                                                              \
        (void)w;                                                                                   \
        statement;                                                                                 \
    }

RECORD(rec_color,
       gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = TEXTURE } }))
RECORD(rec_color_7,
       gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = w->target },
                                                     .color[7] = { .texture = TEXTURE } }))
RECORD(rec_resolve,
       gpool_begin_render(rec, &(gpool_render_desc){
                                   .color[0] = { .texture = w->target, .resolve = TEXTURE } }))
RECORD(rec_depth, gpool_begin_render(rec, &(gpool_render_desc){ .depth = { .texture = TEXTURE } }))
RECORD(rec_pipeline, gpool_set_pipeline(rec, PIPELINE))
RECORD(rec_vertex, gpool_set_vertex_buffer(rec, 0, BUFFER, 0))
RECORD(rec_index, gpool_set_index_buffer(rec, BUFFER, WGPUIndexFormat_Uint16, 0))
RECORD(rec_mesh, gpool_set_mesh(rec, 0, MESH))
RECORD(rec_draw_mesh, gpool_draw_mesh(rec, MESH, NULL))
RECORD(rec_layout, gpool_set_bindings(rec, 0, LAYOUT, NULL, 0, NULL, 0))
RECORD(rec_uniform,
       gpool_set_bindings(rec, 0, gpool_uniform_layout(w->pool),
                          &(gpool_binding){ .buffer = BUFFER }, 1, &(uint32_t){ 0 }, 1))
RECORD(rec_draw_indirect, gpool_draw_indirect(rec, BUFFER, 0, false))
RECORD(rec_dispatch_indirect, gpool_dispatch_indirect(rec, BUFFER, 0))
RECORD(rec_copy_from, gpool_copy_buffer(rec, BUFFER, 0, w->witness, 0, 4))
RECORD(rec_copy_to, gpool_copy_buffer(rec, w->witness, 0, BUFFER, 0, 4))
RECORD(rec_clear, gpool_clear_buffer(rec, BUFFER, 0, 4))
RECORD(rec_texture_from, gpool_copy_texture(rec, TEXTURE, NULL, w->witness_texture, NULL))
RECORD(rec_texture_to, gpool_copy_texture(rec, w->witness_texture, NULL, TEXTURE, NULL))
RECORD(rec_read_from, gpool_copy_texture_to_buffer(rec, TEXTURE, NULL, w->witness, 0, 256))
RECORD(rec_read_to, gpool_copy_texture_to_buffer(rec, w->witness_texture, NULL, BUFFER, 0, 256))
RECORD(rec_write_from, gpool_copy_buffer_to_texture(rec, BUFFER, 0, 256, w->witness_texture, NULL))
RECORD(rec_write_to, gpool_copy_buffer_to_texture(rec, w->witness, 0, 256, TEXTURE, NULL))
RECORD(rec_ticket, (void)gpool_read_buffer(rec, BUFFER, 0, 4, NULL))
RECORD(rec_texture_ticket, (void)gpool_read_texture(rec, TEXTURE, NULL, NULL))
RECORD(rec_ticket_scope,
       (void)gpool_read_buffer(rec, w->witness, 0, 4, &(gpool_ticket_desc){ .scope = SCOPE }))

static const record_call record_calls[] = {
    { "color attachment", GPOOL_KIND_TEXTURE, 0, true, true, rec_color },
    { "color attachment 7", GPOOL_KIND_TEXTURE, 0, true, true, rec_color_7 },
    { "resolve target", GPOOL_KIND_TEXTURE, 0, true, true, rec_resolve },
    { "depth attachment", GPOOL_KIND_TEXTURE, 0, true, true, rec_depth },
    { "set_pipeline", GPOOL_KIND_PIPELINE, 1, false, false, rec_pipeline },
    { "set_pipeline in a compute pass", GPOOL_KIND_PIPELINE, 2, false, false, rec_pipeline },
    { "set_vertex_buffer", GPOOL_KIND_BUFFER, 1, false, false, rec_vertex },
    { "set_index_buffer", GPOOL_KIND_BUFFER, 1, false, false, rec_index },
    { "set_mesh", GPOOL_KIND_MESH, 1, false, false, rec_mesh },
    { "draw_mesh", GPOOL_KIND_MESH, 1, false, false, rec_draw_mesh },
    { "layout of set_bindings", GPOOL_KIND_LAYOUT, 1, false, false, rec_layout },
    { "buffer of set_bindings", GPOOL_KIND_BUFFER, 2, false, false, rec_uniform },
    { "draw_indirect", GPOOL_KIND_BUFFER, 1, false, false, rec_draw_indirect },
    { "dispatch_indirect", GPOOL_KIND_BUFFER, 2, false, false, rec_dispatch_indirect },
    { "source of copy_buffer", GPOOL_KIND_BUFFER, 0, false, false, rec_copy_from },
    { "target of copy_buffer", GPOOL_KIND_BUFFER, 0, false, false, rec_copy_to },
    { "clear_buffer", GPOOL_KIND_BUFFER, 0, false, false, rec_clear },
    { "source of copy_texture", GPOOL_KIND_TEXTURE, 0, false, false, rec_texture_from },
    { "target of copy_texture", GPOOL_KIND_TEXTURE, 0, false, false, rec_texture_to },
    { "texture of texture_to_buffer", GPOOL_KIND_TEXTURE, 0, false, false, rec_read_from },
    { "buffer of texture_to_buffer", GPOOL_KIND_BUFFER, 0, false, false, rec_read_to },
    { "buffer of buffer_to_texture", GPOOL_KIND_BUFFER, 0, false, false, rec_write_from },
    { "texture of buffer_to_texture", GPOOL_KIND_TEXTURE, 0, false, false, rec_write_to },
    { "read_buffer", GPOOL_KIND_BUFFER, 0, false, false, rec_ticket },
    { "read_texture", GPOOL_KIND_TEXTURE, 0, false, false, rec_texture_ticket },
    { "scope of read_buffer", GPOOL_KIND_SCOPE, 0, false, true, rec_ticket_scope },
};
#define RECORD_COUNT (sizeof record_calls / sizeof *record_calls)

/* A bad handle and what it must give. */
typedef struct bad_handle {
    const char *name;
    uint64_t id;
    gpool_result code;
    gpool_log_id log;
} bad_handle;

#define BAD_MAX 24

static uint64_t make(gpool *pool, gpool_kind kind, uint32_t salt)
{
    static const char wgsl[] = "@compute @workgroup_size(1) fn main() {}";
    gpool_layout_entry entry = { .binding = salt % 64, .type = GPOOL_BINDING_UNIFORM };
    gpool_shader shader = { 0 };
    gpool_buffer buffer = { 0 };
    uint64_t id = 0;
    switch (kind) {
    case GPOOL_KIND_BUFFER:
        return gpool_buffer_create(pool, &(gpool_buffer_desc){ .size = 64, .usage = 0x3ff }).id;
    case GPOOL_KIND_TEXTURE:
        return gpool_texture_create(pool,
                                    &(gpool_texture_desc){ .width = 4,
                                                           .height = 4,
                                                           .format = WGPUTextureFormat_RGBA8Unorm,
                                                           .usage = 0x3f })
            .id;
    case GPOOL_KIND_SAMPLER:
        return gpool_sampler_create(pool, &(gpool_sampler_desc){ .lod_max = (float)(salt + 1) }).id;
    case GPOOL_KIND_LAYOUT:
        return gpool_layout_create(pool,
                                   &(gpool_layout_desc){ .entries = &entry, .entry_count = 1 })
            .id;
    case GPOOL_KIND_SCOPE:
        return gpool_scope_create(pool, NULL).id;
    case GPOOL_KIND_SHADER:
        return gpool_shader_create(pool, &(gpool_shader_desc){ .wgsl = wgsl }).id;
    case GPOOL_KIND_HEAP:
        return gpool_heap_create(pool, NULL).id;
    case GPOOL_KIND_MESH:
        return gpool_mesh_create(pool, &(gpool_mesh_desc){ .index_count = 4 }).id;
    case GPOOL_KIND_TICKET:
        buffer.id = make(pool, GPOOL_KIND_BUFFER, salt);
        assert_good(gpool_begin_frame(pool));
        id = gpool_read_buffer(gpool_frame_recorder(pool), buffer, 0, 64, NULL).id;
        assert_good(gpool_end_frame(pool));
        (void)gpool_buffer_destroy(pool, buffer);
        return id;
    default:
        shader = gpool_shader_create(pool, &(gpool_shader_desc){ .wgsl = wgsl });
        id = gpool_compute_pipeline_create(pool, &(gpool_compute_pipeline_desc){ .shader = shader })
                 .id;
        (void)gpool_shader_destroy(pool, shader);
        return id;
    }
}

static void unmake(hostile_world *w, gpool_kind kind, uint64_t id)
{
    bool done = false;
    for (size_t i = 0; i < CALL_COUNT && !done; ++i) {
        if (calls[i].kind == kind && calls[i].null_is_good) {
            assert_good(calls[i].call(w, id));
            done = true; /* the first of a kind destroys */
        }
    }
}

/* Bad handles of every kind of badness for one kind of resource. */
static uint32_t make_bad(hostile_world *w, gpool *other, gpool_kind kind, bad_handle *bad)
{
    const uint64_t generation = UINT64_C(1) << 32;
    uint32_t count = 0;
    uint64_t live = make(w->pool, kind, 1);
    uint64_t stale = make(w->pool, kind, 2);
    unmake(w, kind, stale);
    uint64_t reused = make(w->pool, kind, 3);
    unmake(w, kind, reused);
    hostile_good_frame(w);
    assert_good(gpool_wait_idle(w->pool));
    assert_good(gpool_tick(w->pool));
    /* Freed slots are taken again, first in, first out. */
    for (uint32_t i = 0; i < 2000; ++i) {
        uint64_t next = make(w->pool, kind, 4 + i % 3);
        bool same = gpool_handle_slot(next) == gpool_handle_slot(reused);
        assert_true(next != reused);
        if (same) {
            break;
        }
    }
    uint64_t foreign = make(other, kind, 1);
    gpool_kind wrong = kind == GPOOL_KIND_BUFFER ? GPOOL_KIND_TEXTURE : GPOOL_KIND_BUFFER;
#define BAD(text, value, result, log)                                                              \
    bad[count++] =                                                                                 \
        (bad_handle){ text, value, GPOOL_ERROR_##result##_HANDLE, GPOOL_LOG_HANDLE_##log }
    BAD("stale", stale, STALE, STALE);
    BAD("stale, slot used again", reused, STALE, STALE);
    BAD("foreign", foreign, FOREIGN, FOREIGN);
    BAD("wrong kind", make(w->pool, wrong, 5), INVALID, INVALID);
    BAD("next generation", live + generation, INVALID, INVALID);
    BAD("generation 0", live & UINT32_MAX, INVALID, INVALID);
    BAD("last generation", live | ~(uint64_t)UINT32_MAX, INVALID, INVALID);
    BAD("kind 0", live & ~(UINT64_C(15) << 24), INVALID, INVALID);
    BAD("kind 14", (live & ~(UINT64_C(15) << 24)) | UINT64_C(14) << 24, INVALID, INVALID);
    BAD("kind 15", live | UINT64_C(15) << 24, INVALID, INVALID);
    BAD("slot 0xffffff", live | 0xffffff, INVALID, INVALID);
    BAD("slot past the end", (live & ~UINT64_C(0xffffff)) | 0xfff, INVALID, INVALID);
    BAD("tag flipped", live ^ (UINT64_C(1) << 28), FOREIGN, FOREIGN);
    BAD("all ones", UINT64_MAX, FOREIGN, FOREIGN);
    BAD("one", 1 | (live & (UINT64_C(15) << 28)), INVALID, INVALID);
    bad[count++] = (bad_handle){ "null", 0, GPOOL_ERROR_NULL_HANDLE, GPOOL_LOG_HANDLE_NULL };
    return count;
}

static gpool *open_other(hostile_world *w)
{
    gpool *other = NULL;
    gpool_desc desc = { .compile_workers = GPOOL_WORKERS_NONE,
                        .label = "other",
                        .log = fixture_on_log,
                        .log_user = &w->f->log,
                        .allocator = fixture_allocator() };
    assert_good(gpool_create(w->f->device, &desc, &other));
    return other;
}

void hostile_handles_of_functions(hostile_world *w)
{
    gpool *other = open_other(w);
    uint32_t checks = 0;
    for (gpool_kind kind = GPOOL_KIND_BUFFER; kind < GPOOL_KIND_COUNT; ++kind) {
        bad_handle bad[BAD_MAX];
        uint32_t count = make_bad(w, other, kind, bad);
        for (size_t i = 0; i < CALL_COUNT; ++i) {
            for (uint32_t j = 0; calls[i].kind == kind && j < count; ++j) {
                hostile_begin(w);
                gpool_result got = calls[i].call(w, bad[j].id);
                checks += 1;
                if (bad[j].id == 0 && calls[i].null_is_good) {
                    assert_good(got);
                    hostile_unchanged(w);
                    continue;
                }
                if (got != bad[j].code) {
                    print_error("%s with a handle that is %s\n", calls[i].name, bad[j].name);
                }
                hostile_refused_at(w, got, bad[j].code, bad[j].log, __FILE__, __LINE__);
            }
        }
        hostile_good_frame(w);
    }
    print_message("%u calls with bad handles\n", checks);
    gpool_destroy(other);
}

static void record_bad(hostile_world *w, const record_call *call, const bad_handle *bad)
{
    gpool_recorder rec = hostile_frame(w, call->pass);
    hostile_begin(w);
    call->call(w, rec, bad->id);
    const gpool_error *error = gpool_last_error(w->pool);
    if (error->id != bad->log || error->code != bad->code) {
        print_error("%s with a handle that is %s\n", call->name, bad->name);
    }
    int pass = call->begins_pass ? 1 : call->pass;
    hostile_skipped_at(w, rec, pass, bad->code, bad->log, __FILE__, __LINE__);
}

void hostile_handles_of_recorder(hostile_world *w)
{
    gpool *other = open_other(w);
    uint32_t checks = 0;
    for (gpool_kind kind = GPOOL_KIND_BUFFER; kind < GPOOL_KIND_COUNT; ++kind) {
        bad_handle bad[BAD_MAX];
        uint32_t count = make_bad(w, other, kind, bad);
        for (size_t i = 0; i < RECORD_COUNT; ++i) {
            for (uint32_t j = 0; record_calls[i].kind == kind && j < count; ++j) {
                if (bad[j].id != 0 || !record_calls[i].null_is_good) {
                    record_bad(w, &record_calls[i], &bad[j]);
                    checks += 1;
                }
            }
        }
        hostile_good_frame(w);
    }
    print_message("%u recorder calls with bad handles\n", checks);
    gpool_destroy(other);
}

/* Every creator that takes a scope; the null one is the root scope. */
static void create_in_bad_scope(hostile_world *w, const bad_handle *bad, gpool_shader good)
{
    gpool_scope scope = { bad->id };
    gpool *p = w->pool;
    WGPUBuffer raw_buffer = gpool_buffer_gpu(p, w->witness, GPOOL_ACCESS_READ);
    WGPUTexture raw_texture = gpool_texture_gpu(p, w->witness_texture, GPOOL_ACCESS_READ);
    for (int i = 0; bad->id != 0 && i < 10; ++i) {
        hostile_begin(w);
        uint64_t id = 1;
        switch (i) {
        case 0:
            id = gpool_buffer_create(p,
                                     &(gpool_buffer_desc){ .size = 4, .usage = 1, .scope = scope })
                     .id;
            break;
        case 1:
            id = gpool_texture_create(p, &(gpool_texture_desc){ .width = 4,
                                                                .format = WGPUTextureFormat_R8Unorm,
                                                                .usage = GPOOL_TEXTURE_SAMPLED,
                                                                .scope = scope })
                     .id;
            break;
        case 2:
            id = gpool_sampler_create(p, &(gpool_sampler_desc){ .scope = scope }).id;
            break;
        case 3:
            id = gpool_layout_create(p, &(gpool_layout_desc){ .scope = scope }).id;
            break;
        case 4:
            id = gpool_shader_create(
                     p, &(gpool_shader_desc){ .wgsl = fixture_fill_wgsl, .scope = scope })
                     .id;
            break;
        case 5:
            id = gpool_render_pipeline_create(
                     p, &(gpool_render_pipeline_desc){ .shader = good, .scope = scope })
                     .id;
            break;
        case 6:
            id = gpool_compute_pipeline_create(
                     p, &(gpool_compute_pipeline_desc){ .shader = good, .scope = scope })
                     .id;
            break;
        case 7:
            id = gpool_scope_create(p, &(gpool_scope_desc){ .parent = scope }).id;
            break;
        case 8:
            id = gpool_buffer_import(p, &(gpool_buffer_import_desc){ .buffer = raw_buffer,
                                                                     .usage = GPOOL_BUFFER_VERTEX,
                                                                     .scope = scope })
                     .id;
            break;
        default:
            id = gpool_texture_import(p,
                                      &(gpool_texture_import_desc){ .texture = raw_texture,
                                                                    .usage = GPOOL_TEXTURE_SAMPLED,
                                                                    .scope = scope })
                     .id;
            break;
        }
        hostile_refused_at(w, hostile_null(w, id), bad->code, bad->log, __FILE__, __LINE__);
    }
}

void hostile_handles_of_creators(hostile_world *w)
{
    gpool *other = open_other(w);
    gpool_shader good = fixture_shader(w->f, fixture_fill_wgsl);
    bad_handle bad[BAD_MAX];
    uint32_t count = make_bad(w, other, GPOOL_KIND_SHADER, bad);
    for (uint32_t i = 0; i < count; ++i) {
        gpool_render_pipeline_desc render = { .shader = { bad[i].id } };
        hostile_begin(w);
        hostile_refused_at(w, hostile_null(w, gpool_render_pipeline_create(w->pool, &render).id),
                           bad[i].code, bad[i].log, __FILE__, __LINE__);
        gpool_compute_pipeline_desc compute = { .shader = { bad[i].id } };
        hostile_begin(w);
        hostile_refused_at(w, hostile_null(w, gpool_compute_pipeline_create(w->pool, &compute).id),
                           bad[i].code, bad[i].log, __FILE__, __LINE__);
        if (bad[i].id != 0) {
            render =
                (gpool_render_pipeline_desc){ .shader = good, .fragment_shader = { bad[i].id } };
            hostile_begin(w);
            hostile_refused_at(w,
                               hostile_null(w, gpool_render_pipeline_create(w->pool, &render).id),
                               bad[i].code, bad[i].log, __FILE__, __LINE__);
        }
    }
    count = make_bad(w, other, GPOOL_KIND_SCOPE, bad);
    for (uint32_t i = 0; i < count; ++i) {
        create_in_bad_scope(w, &bad[i], good);
    }
    count = make_bad(w, other, GPOOL_KIND_LAYOUT, bad);
    for (uint32_t i = 0; i < count; ++i) {
        for (int group = 0; bad[i].id != 0 && group < GPOOL_MAX_GROUPS; ++group) {
            gpool_render_pipeline_desc render = { .shader = good };
            render.layouts[group].id = bad[i].id;
            hostile_begin(w);
            hostile_refused_at(w,
                               hostile_null(w, gpool_render_pipeline_create(w->pool, &render).id),
                               bad[i].code, bad[i].log, __FILE__, __LINE__);
        }
    }
    gpool_destroy(other);
}

void hostile_handles_of_any_kind(hostile_world *w)
{
    gpool *other = open_other(w);
    uint32_t checks = 0;
    for (gpool_kind kind = GPOOL_KIND_BUFFER; kind < GPOOL_KIND_COUNT; ++kind) {
        bad_handle bad[BAD_MAX];
        uint32_t count = make_bad(w, other, kind, bad);
        for (uint32_t j = 0; j < count; ++j) {
            if (strcmp(bad[j].name, "wrong kind") == 0) {
                continue; /* any kind is right */
            }
            gpool_scope root = { 0 };
            hostile_begin(w);
            hostile_refused_at(w, gpool_retain(w->pool, bad[j].id), bad[j].code, bad[j].log,
                               __FILE__, __LINE__);
            hostile_begin(w);
            hostile_refused_at(w, gpool_move(w->pool, bad[j].id, root), bad[j].code, bad[j].log,
                               __FILE__, __LINE__);
            hostile_begin(w);
            gpool_result released = gpool_release(w->pool, bad[j].id);
            if (bad[j].id == 0) {
                assert_good(released);
                hostile_unchanged(w);
            } else {
                hostile_refused_at(w, released, bad[j].code, bad[j].log, __FILE__, __LINE__);
            }
            checks += 3;
        }
        hostile_good_frame(w);
    }
    print_message("%u calls with bad handles\n", checks);
    gpool_destroy(other);
}

/* What a handle that was never given out may be called, told from its bits alone. */
static bool is_told(hostile_world *w, const handle_call *call, uint64_t id, gpool_result got)
{
    uint32_t tag = gpool_handle_tag(w->witness.id);
    if (gpool_handle_tag(id) != tag) {
        return got == GPOOL_ERROR_FOREIGN_HANDLE;
    }
    if (gpool_handle_kind(id) != call->kind) {
        return got == GPOOL_ERROR_INVALID_HANDLE;
    }
    return got == GPOOL_ERROR_INVALID_HANDLE || got == GPOOL_ERROR_STALE_HANDLE;
}

void hostile_handles_forged(hostile_world *w)
{
    uint64_t seed = fixture_seed(20);
    uint32_t tag = gpool_handle_tag(w->witness.id);
    hostile_begin(w);
    for (uint32_t i = 0; i < 100000; ++i) {
        const handle_call *call = &calls[fixture_random(&seed, CALL_COUNT)];
        uint64_t id = hostile_random64(&seed);
        if (i % 2 == 0) { /* right pool and kind; a slot in use, a generation far off */
            id = (id | UINT64_C(1) << 63) & ~(uint64_t)UINT32_MAX;
            id |= (uint64_t)call->kind << 24 | (uint64_t)tag << 28 | fixture_random(&seed, 8);
        }
        gpool_result got = call->call(w, id);
        if (!is_told(w, call, id, got)) {
            fail_msg("%s took the forged handle 0x%016llx: %s", call->name, (unsigned long long)id,
                     gpool_result_name(got));
        }
    }
    hostile_unchanged(w);
}
