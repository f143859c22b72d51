/*
 * Every public function that belongs to the pool's owner, as a table of calls with good arguments, and
 * a pool that they can be tried on. tests/thread/all-listed checks that none is missing.
 */
#ifndef GPOOL_TESTS_OWNER_CALLS_H
#define GPOOL_TESTS_OWNER_CALLS_H

#include "other_thread.h"

/* Good arguments for everything. */
typedef struct world {
    sim_pool p;
    gpool *pool;
    gpool_buffer buffer;
    gpool_texture texture;
    gpool_sampler sampler;
    gpool_layout layout;
    gpool_shader shader;
    gpool_pipeline pipeline;
    gpool_scope scope;
    gpool_ticket ticket;
    gpool_heap heap;
    gpool_mesh mesh;
    gpool_recorder rec;
    WGPUBuffer raw_buffer;
    WGPUTexture raw_texture;
} world;

static const char wgsl[] = "@compute @workgroup_size(1) fn main() {}";

/* What stands for "refused" in an answer, by its kind. */
#define REFUSED_RESULT(call)  ((call) == GPOOL_ERROR_WRONG_THREAD)
#define REFUSED_HANDLE(call)  ((call).id == 0)
#define REFUSED_POINTER(call) ((call) == NULL)
#define REFUSED_NUMBER(call)  ((call) == 0)
#define REFUSED_FALSE(call)   (!(call))
#define REFUSED_NOTHING(call) ((call), true)

/* Functions that tell the log. */
#define TOLD(X)                                                                                    \
    X(NOTHING, gpool_destroy, (w->pool))                                                           \
    X(RESULT, gpool_begin_frame, (w->pool))                                                        \
    X(RESULT, gpool_submit, (w->pool))                                                             \
    X(RESULT, gpool_process_uploads, (w->pool))                                                    \
    X(RESULT, gpool_process_deletions, (w->pool))                                                  \
    X(RESULT, gpool_end_frame, (w->pool))                                                          \
    X(RESULT, gpool_tick, (w->pool))                                                               \
    X(RESULT, gpool_wait_idle, (w->pool))                                                          \
    X(RESULT, gpool_note_external_submit, (w->pool))                                               \
    X(RESULT, gpool_recover, (w->pool, w->p.device, NULL, NULL))                                   \
    X(RESULT, gpool_warm_up, (w->pool, NULL, NULL, NULL))                                          \
    X(HANDLE, gpool_scope_create, (w->pool, NULL))                                                 \
    X(RESULT, gpool_scope_get_info, (w->pool, w->scope, &(gpool_scope_info){ .label = "" }))       \
    X(RESULT, gpool_move, (w->pool, w->buffer.id, w->scope))                                       \
    X(HANDLE, gpool_buffer_create,                                                                 \
      (w->pool, &(gpool_buffer_desc){ .size = 4, .usage = GPOOL_BUFFER_VERTEX }))                  \
    X(HANDLE, gpool_buffer_import,                                                                 \
      (w->pool,                                                                                    \
       &(gpool_buffer_import_desc){ .buffer = w->raw_buffer, .usage = GPOOL_BUFFER_COPY_SOURCE })) \
    X(RESULT, gpool_buffer_write, (w->pool, w->buffer, 0, "abcd", 4))                              \
    X(RESULT, gpool_buffer_write_elements, (w->pool, w->buffer, 0, 1, 4, "abcd"))                  \
    X(RESULT, gpool_buffer_write_scattered, (w->pool, w->buffer, &(uint32_t){ 1 }, 1, 4, "abcd"))  \
    X(POINTER, gpool_buffer_edit, (w->pool, w->buffer, 0, 4))                                      \
    X(RESULT, gpool_upload_explain, (w->pool, w->buffer, &(gpool_upload_info){ .calls = 0 }))      \
    X(RESULT, gpool_buffer_resize, (w->pool, w->buffer, 256))                                      \
    X(RESULT, gpool_buffer_get_info, (w->pool, w->buffer, &(gpool_buffer_info){ .label = "" }))    \
    X(RESULT, gpool_buffer_read, (w->pool, w->buffer, 0, &(uint32_t){ 0 }, 4))                     \
    X(POINTER, gpool_buffer_gpu, (w->pool, w->buffer, GPOOL_ACCESS_READ))                          \
    X(HANDLE, gpool_texture_create,                                                                \
      (w->pool, &(gpool_texture_desc){ .width = 4,                                                 \
                                       .format = WGPUTextureFormat_R8Unorm,                        \
                                       .usage = GPOOL_TEXTURE_SAMPLED }))                          \
    X(HANDLE, gpool_texture_import,                                                                \
      (w->pool, &(gpool_texture_import_desc){ .texture = w->raw_texture,                           \
                                              .usage = GPOOL_TEXTURE_COPY_SOURCE }))               \
    X(RESULT, gpool_texture_write, (w->pool, w->texture, NULL, w, 256, 0))                         \
    X(RESULT, gpool_texture_edit, (w->pool, w->texture, NULL, &(gpool_texture_rows){ 0 }))         \
    X(RESULT, gpool_texture_resize, (w->pool, w->texture, 16, 16, 0))                              \
    X(RESULT, gpool_texture_get_info, (w->pool, w->texture, &(gpool_texture_info){ .label = "" })) \
    X(RESULT, gpool_texture_read, (w->pool, w->texture, NULL, (uint8_t[256]){ 0 }, 256))           \
    X(POINTER, gpool_texture_gpu, (w->pool, w->texture, GPOOL_ACCESS_READ))                        \
    X(POINTER, gpool_texture_gpu_view, (w->pool, w->texture, NULL, GPOOL_ACCESS_READ))             \
    X(HANDLE, gpool_sampler_create, (w->pool, NULL))                                               \
    X(RESULT, gpool_sampler_get_desc, (w->pool, w->sampler, &(gpool_sampler_desc){ .label = "" })) \
    X(POINTER, gpool_sampler_gpu, (w->pool, w->sampler))                                           \
    X(HANDLE, gpool_layout_create, (w->pool, &(gpool_layout_desc){ .label = "" }))                 \
    X(POINTER, gpool_layout_gpu, (w->pool, w->layout))                                             \
    X(HANDLE, gpool_shader_create, (w->pool, &(gpool_shader_desc){ .wgsl = wgsl }))                \
    X(HANDLE, gpool_shader_from_file, (w->pool, "no such file"))                                   \
    X(RESULT, gpool_shader_wait, (w->pool, w->shader, 0))                                          \
    X(RESULT, gpool_shader_get_info, (w->pool, w->shader, &(gpool_shader_info){ .line = 0 }))      \
    X(RESULT, gpool_shader_binding, (w->pool, w->shader, "x", &(gpool_shader_slot){ .group = 0 })) \
    X(POINTER, gpool_shader_file, (w->pool, w->shader, 0))                                         \
    X(RESULT, gpool_shader_dirty, (w->pool, w->shader))                                            \
    X(RESULT, gpool_shader_add_root, (w->pool, "lib"))                                             \
    X(RESULT, gpool_shader_set_file, (w->pool, "lib.wgsl", "", 0))                                 \
    X(RESULT, gpool_shader_file_changed, (w->pool, "lib.wgsl"))                                    \
    X(RESULT, gpool_pipeline_wait, (w->pool, w->pipeline, 0))                                      \
    X(NUMBER, gpool_pipeline_version, (w->pool, w->pipeline))                                      \
    X(RESULT, gpool_shader_status, (w->pool, w->shader))                                           \
    X(HANDLE, gpool_render_pipeline_create,                                                        \
      (w->pool, &(gpool_render_pipeline_desc){ .shader = w->shader }))                             \
    X(HANDLE, gpool_compute_pipeline_create,                                                       \
      (w->pool, &(gpool_compute_pipeline_desc){ .shader = w->shader }))                            \
    X(RESULT, gpool_pipeline_status, (w->pool, w->pipeline))                                       \
    X(POINTER, gpool_frame_recorder, (w->pool).state)                                              \
    X(RESULT, gpool_stream_alloc, (w->pool, 4, 0, &(gpool_stream_slice){ .size = 0 }))             \
    X(HANDLE, gpool_stream_buffer, (w->pool, (gpool_stream_slice){ .epoch = 1 }))                  \
    X(NOTHING, gpool_begin_render,                                                                 \
      (w->rec, &(gpool_render_desc){ .color[0] = { .texture = w->texture } }))                     \
    X(NOTHING, gpool_begin_compute, (w->rec, "wrong"))                                             \
    X(NOTHING, gpool_end_pass, (w->rec))                                                           \
    X(NOTHING, gpool_skip_not_ready, (w->rec))                                                     \
    X(NOTHING, gpool_set_pipeline, (w->rec, w->pipeline))                                          \
    X(NOTHING, gpool_set_vertex_buffer, (w->rec, 0, w->buffer, 0))                                 \
    X(NOTHING, gpool_set_index_buffer, (w->rec, w->buffer, WGPUIndexFormat_Uint16, 0))             \
    X(NOTHING, gpool_set_bindings, (w->rec, 0, w->layout, NULL, 0, NULL, 0))                       \
    X(NOTHING, gpool_set_uniforms, (w->rec, 0, "abcd", 4))                                         \
    X(NOTHING, gpool_set_viewport, (w->rec, 0, 0, 4, 4, 0, 1))                                     \
    X(NOTHING, gpool_set_scissor, (w->rec, 0, 0, 4, 4))                                            \
    X(NOTHING, gpool_set_blend_constant, (w->rec, (double[4]){ 0 }))                               \
    X(NOTHING, gpool_set_stencil_reference, (w->rec, 1))                                           \
    X(NOTHING, gpool_draw, (w->rec, &(gpool_draw_args){ .vertex_count = 3 }))                      \
    X(NOTHING, gpool_draw_indirect, (w->rec, w->buffer, 0, false))                                 \
    X(NOTHING, gpool_dispatch, (w->rec, 1, 1, 1))                                                  \
    X(NOTHING, gpool_dispatch_indirect, (w->rec, w->buffer, 0))                                    \
    X(NOTHING, gpool_copy_buffer, (w->rec, w->buffer, 0, w->buffer, 0, 4))                         \
    X(NOTHING, gpool_clear_buffer, (w->rec, w->buffer, 0, 4))                                      \
    X(NOTHING, gpool_record_write, (w->rec, w->buffer, 0, "abcd", 4))                              \
    X(NOTHING, gpool_copy_texture, (w->rec, w->texture, NULL, w->texture, NULL))                   \
    X(NOTHING, gpool_copy_texture_to_buffer, (w->rec, w->texture, NULL, w->buffer, 0, 256))        \
    X(NOTHING, gpool_copy_buffer_to_texture, (w->rec, w->buffer, 0, 256, w->texture, NULL))        \
    X(NOTHING, gpool_texture_generate_mips, (w->rec, w->texture, NULL))                            \
    X(HANDLE, gpool_read_buffer, (w->rec, w->buffer, 0, 4, NULL))                                  \
    X(HANDLE, gpool_read_texture, (w->rec, w->texture, NULL, NULL))                                \
    X(RESULT, gpool_ticket_status, (w->pool, w->ticket))                                           \
    X(RESULT, gpool_ticket_take, (w->pool, w->ticket, &(uint32_t){ 0 }, 4))                        \
    X(RESULT, gpool_ticket_wait, (w->pool, w->ticket, 1))                                          \
    X(RESULT, gpool_ticket_get_info, (w->pool, w->ticket, &(gpool_ticket_info){ .label = "" }))    \
    X(HANDLE, gpool_heap_create, (w->pool, NULL))                                                  \
    X(HANDLE, gpool_default_heap, (w->pool))                                                       \
    X(RESULT, gpool_heap_compact, (w->pool, w->heap, 1))                                           \
    X(RESULT, gpool_heap_get_info, (w->pool, w->heap, &(gpool_heap_info){ .label = "" }))          \
    X(RESULT, gpool_heap_get_slab, (w->pool, w->heap, 0, &(gpool_heap_slab){ .size = 0 }))         \
    X(FALSE, gpool_heap_next_piece,                                                                \
      (w->pool, w->heap, 0, &(gpool_heap_cursor){ .word = 0 }, &(gpool_heap_piece){ .part = 0 }))  \
    X(HANDLE, gpool_mesh_create,                                                                   \
      (w->pool, &(gpool_mesh_desc){ .heap = w->heap, .index_count = 3 }))                          \
    X(RESULT, gpool_mesh_write, (w->pool, w->mesh, GPOOL_MESH_VERTICES, 0, "abcd", 4))             \
    X(RESULT, gpool_mesh_resize, (w->pool, w->mesh, 3, 4))                                         \
    X(RESULT, gpool_mesh_pin, (w->pool, w->mesh, true))                                            \
    X(RESULT, gpool_mesh_get_info, (w->pool, w->mesh, &(gpool_mesh_info){ .label = "" }))          \
    X(NOTHING, gpool_set_mesh, (w->rec, 0, w->mesh))                                               \
    X(NOTHING, gpool_draw_mesh, (w->rec, w->mesh, NULL))                                           \
    X(NOTHING, gpool_push_group, (w->rec, "wrong"))                                                \
    X(NOTHING, gpool_pop_group, (w->rec))                                                          \
    X(NOTHING, gpool_set_raw_render_pipeline, (w->rec, NULL))                                      \
    X(NOTHING, gpool_set_raw_compute_pipeline, (w->rec, NULL))                                     \
    X(NOTHING, gpool_set_raw_bind_group, (w->rec, 0, NULL, NULL, 0))                               \
    X(POINTER, gpool_recorder_encoder, (w->rec))                                                   \
    X(POINTER, gpool_recorder_render_pass, (w->rec))                                               \
    X(POINTER, gpool_recorder_compute_pass, (w->rec))                                              \
    X(RESULT, gpool_recorder_finish_raw, (w->rec, (WGPUCommandEncoder)(uintptr_t)w))

/* Functions that only look, and answer in silence. */
#define SILENT(X)                                                                                  \
    X(RESULT, gpool_get_stats, (w->pool, &(gpool_stats){ 0 }))                                     \
    X(NUMBER, gpool_gpu_call_count, (w->pool, GPOOL_GPU_QueueSubmit))                              \
    X(NUMBER, gpool_frame, (w->pool))                                                              \
    X(POINTER, gpool_pool_device, (w->pool))                                                       \
    X(HANDLE, gpool_uniform_layout, (w->pool))                                                     \
    X(RESULT, gpool_last_error, (w->pool)->code)

#define DEFINE(kind, name, arguments)                                                              \
    static bool try_##name(const world *w)                                                         \
    {                                                                                              \
        return REFUSED_##kind(name arguments);                                                     \
    }
TOLD(DEFINE)
SILENT(DEFINE)
#undef DEFINE

static const struct {
    const char *name;
    bool (*call)(const world *w);
    bool told;
} owner_calls[] = {
#define ENTRY(kind, name, arguments) { #name, try_##name, true },
    TOLD(ENTRY)
#undef ENTRY
#define ENTRY(kind, name, arguments) { #name, try_##name, false },
        SILENT(ENTRY)
#undef ENTRY
};
#define CALLS UNIT_COUNT(owner_calls)

static inline void world_open(world *w, const sim_desc *desc)
{
    *w = (world){ .pool = NULL };
    sim_pool_open(&w->p, desc);
    w->pool = w->p.pool;
    w->scope = sim_pool_scope(&w->p, (gpool_scope){ 0 }, "all");
    w->buffer = sim_pool_buffer(&w->p, w->scope, 1024, "buffer");
    w->texture = gpool_texture_create(
        w->pool, &(gpool_texture_desc){ .width = 8,
                                        .height = 8,
                                        .format = WGPUTextureFormat_RGBA8Unorm,
                                        .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK |
                                                 GPOOL_TEXTURE_COPY_TARGET,
                                        .scope = w->scope });
    w->sampler = gpool_sampler_create(w->pool, &(gpool_sampler_desc){ .scope = w->scope });
    w->layout = gpool_layout_create(w->pool, &(gpool_layout_desc){ .scope = w->scope });
    w->shader =
        gpool_shader_create(w->pool, &(gpool_shader_desc){ .wgsl = wgsl, .scope = w->scope });
    w->pipeline = gpool_compute_pipeline_create(
        w->pool, &(gpool_compute_pipeline_desc){ .shader = w->shader, .scope = w->scope });
    w->raw_buffer = gpool_buffer_gpu(w->pool, w->buffer, GPOOL_ACCESS_READ);
    w->raw_texture = gpool_texture_gpu(w->pool, w->texture, GPOOL_ACCESS_READ);
    assert_non_null(w->raw_buffer);
    assert_non_null(w->raw_texture);
    w->heap =
        gpool_heap_create(w->pool, &(gpool_heap_desc){ .slab_size = 4096, .scope = w->scope });
    w->mesh = gpool_mesh_create(w->pool, &(gpool_mesh_desc){ .heap = w->heap,
                                                             .vertex_count = 3,
                                                             .vertex_stride = 12,
                                                             .index_count = 3,
                                                             .scope = w->scope });
    assert_int_not_equal(w->mesh.id, 0);
    assert_same(gpool_begin_frame(w->pool), GPOOL_OK);
    w->rec = gpool_frame_recorder(w->pool); /* old at the end of the frame, but never null */
    w->ticket =
        gpool_read_buffer(w->rec, w->buffer, 0, 4, &(gpool_ticket_desc){ .scope = w->scope });
    assert_int_not_equal(w->ticket.id, 0);
    assert_same(gpool_end_frame(w->pool), GPOOL_OK);
}

static inline void world_close(world *w)
{
    assert_same(gpool_scope_end(w->pool, w->scope), GPOOL_OK);
    sim_pool_close(&w->p, 0);
}

#endif
