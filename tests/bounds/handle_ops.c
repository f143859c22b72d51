#include "handle_ops.h"

#include "pool/pool_state.h"

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

static const char wgsl[] = "@compute @workgroup_size(1) fn main() {}\n"
                           "@vertex fn vs() -> @builtin(position) vec4f { return vec4f(); }\n"
                           "@fragment fn fs() -> @location(0) vec4f { return vec4f(); }\n";

static uint8_t scratch[4096];
static const uint32_t few[] = { 3, 1, 3 };

/* --- resources --- */

static gpool_texture make_texture(ops_pool *p, WGPUTextureFormat format, uint32_t samples)
{
    gpool_texture_desc desc = { .width = 4, .height = 4, .format = format, .label = "of a kind" };
    desc.samples = samples;
    desc.usage = samples == 1 ? 0x3f & ~(unsigned)GPOOL_TEXTURE_STORAGE : GPOOL_TEXTURE_TARGET;
    return gpool_texture_create(p->pool, &desc);
}

static gpool_layout make_layout(ops_pool *p, gpool_binding_type type, uint32_t binding)
{
    gpool_layout_entry entry = { .binding = binding, .type = type };
    gpool_layout_desc desc = { .entries = &entry, .entry_count = 1, .label = "of a kind" };
    return gpool_layout_create(p->pool, &desc);
}

static gpool_sampler make_sampler(ops_pool *p)
{
    gpool_sampler_desc desc = { .lod_max = 1.0f + (float)p->made, .label = "of a kind" };
    return gpool_sampler_create(p->pool, &desc);
}

static gpool_pipeline make_compute(ops_pool *p, gpool_shader shader)
{
    gpool_compute_pipeline_desc desc = { .shader = shader, .entry = "main", .label = "of a kind" };
    return gpool_compute_pipeline_create(p->pool, &desc);
}

static gpool_shader make_shader(ops_pool *p, const char *source)
{
    gpool_shader_desc desc = { .wgsl = source, .label = "of a kind" };
    return gpool_shader_create(p->pool, &desc);
}

/* A read of the pool's own buffer, submitted. */
static gpool_ticket make_ticket(ops_pool *p)
{
    assert_same(gpool_begin_frame(p->pool), GPOOL_OK);
    gpool_ticket_desc desc = { .label = "of a kind" };
    gpool_ticket ticket = gpool_read_buffer(gpool_frame_recorder(p->pool), p->buffer, 0, 64, &desc);
    assert_same(gpool_end_frame(p->pool), GPOOL_OK);
    return ticket;
}

static gpool_mesh make_mesh(ops_pool *p, gpool_heap heap, gpool_scope scope)
{
    gpool_mesh_desc desc = { .heap = heap,
                             .vertices = scratch,
                             .vertex_count = 8,
                             .vertex_stride = 12,
                             .indices = scratch,
                             .index_count = 6,
                             .index_format = WGPUIndexFormat_Uint16,
                             .label = "of a kind",
                             .scope = scope };
    return gpool_mesh_create(p->pool, &desc);
}

uint64_t ops_make(ops_pool *p, gpool_kind kind)
{
    uint64_t id = 0;
    p->made += 1;
    switch (kind) {
    case GPOOL_KIND_BUFFER: {
        gpool_buffer_desc desc = { .size = 1024, .usage = 0x3ff, .label = "of a kind" };
        id = gpool_buffer_create(p->pool, &desc).id;
        break;
    }
    case GPOOL_KIND_TEXTURE:
        id = make_texture(p, WGPUTextureFormat_RGBA8Unorm, 1).id;
        break;
    case GPOOL_KIND_SAMPLER:
        id = make_sampler(p).id;
        break;
    case GPOOL_KIND_LAYOUT: /* the numbers of three entries never are those of one */
        id = make_layout(p, GPOOL_BINDING_UNIFORM, 1 + p->made % 900).id;
        break;
    case GPOOL_KIND_SHADER: { /* a source of its own: equal ones are compiled once */
        char source[512];
        (void)snprintf(source, sizeof source, "%s#include \"ops.wgsl\"\n// %u\n", wgsl,
                       (unsigned)p->made);
        id = make_shader(p, source).id;
        break;
    }
    case GPOOL_KIND_PIPELINE: {
        gpool_shader shader = { ops_make(p, GPOOL_KIND_SHADER) };
        id = make_compute(p, shader).id;
        break;
    }
    case GPOOL_KIND_SCOPE:
        id = gpool_scope_create(p->pool, NULL).id;
        break;
    case GPOOL_KIND_TICKET:
        id = make_ticket(p).id;
        break;
    case GPOOL_KIND_HEAP:
        id = gpool_heap_create(p->pool, &(gpool_heap_desc){ .label = "of a kind" }).id;
        break;
    case GPOOL_KIND_MESH:
        id = make_mesh(p, (gpool_heap){ 0 }, (gpool_scope){ 0 }).id;
        break;
    default:
        fail_msg("the kind %s is not in tests/bounds/handle_ops.c", gpool_kind_name(kind));
    }
    if (id == 0) {
        fail_msg("no %s: %s", gpool_kind_name(kind), gpool_last_error(p->pool)->message);
    }
    return id;
}

uint64_t ops_make_failed(ops_pool *p, gpool_kind kind)
{
    static const int functions[GPOOL_KIND_COUNT] = {
        [GPOOL_KIND_BUFFER] = GPOOL_GPU_DeviceCreateBuffer,
        [GPOOL_KIND_TEXTURE] = GPOOL_GPU_DeviceCreateTexture,
        [GPOOL_KIND_SAMPLER] = GPOOL_GPU_DeviceCreateSampler,
        [GPOOL_KIND_LAYOUT] = GPOOL_GPU_DeviceCreateBindGroupLayout,
        [GPOOL_KIND_SHADER] = GPOOL_GPU_DeviceCreateShaderModule,
        [GPOOL_KIND_PIPELINE] = GPOOL_GPU_DeviceCreateComputePipeline,
        [GPOOL_KIND_TICKET] = GPOOL_GPU_BufferMapAsync,
    };
    if (kind == GPOOL_KIND_MESH) {
        /* Only a recovery whose slab is refused makes one: tests/recover. */
        uint64_t mesh = ops_make(p, kind);
        ((gpool__resource *)gpool__table_get(&p->pool->tables[kind], mesh))->failed = true;
        return mesh;
    }
    sim_fail(p->w->s, functions[kind], 1, SIM_FAIL_VALIDATION, false);
    uint64_t id = ops_make(p, kind);
    assert_same(sim_fail_hits(p->w->s), 1);
    sim_fail_none(p->w->s);
    return id;
}

gpool_result ops_destroy(ops_pool *p, uint64_t id)
{
    switch (gpool_handle_kind(id)) {
    case GPOOL_KIND_BUFFER:
        return gpool_buffer_destroy(p->pool, BUFFER);
    case GPOOL_KIND_TEXTURE:
        return gpool_texture_destroy(p->pool, TEXTURE);
    case GPOOL_KIND_SAMPLER:
        return gpool_sampler_destroy(p->pool, SAMPLER);
    case GPOOL_KIND_LAYOUT:
        return gpool_layout_destroy(p->pool, LAYOUT);
    case GPOOL_KIND_SHADER:
        return gpool_shader_destroy(p->pool, SHADER);
    case GPOOL_KIND_PIPELINE:
        return gpool_pipeline_destroy(p->pool, PIPELINE);
    case GPOOL_KIND_SCOPE:
        return gpool_scope_end(p->pool, SCOPE);
    case GPOOL_KIND_TICKET:
        return gpool_ticket_destroy(p->pool, TICKET);
    case GPOOL_KIND_HEAP:
        return gpool_heap_destroy(p->pool, HEAP);
    case GPOOL_KIND_MESH:
        return gpool_mesh_destroy(p->pool, MESH);
    default:
        return GPOOL_ERROR_INVALID_ARGUMENT;
    }
}

void ops_open(ops_pool *p, bounds_world *w, gpool *pool)
{
    assert_same(gpool_shader_set_file(pool, "ops.wgsl", "", 0), GPOOL_OK);
    *p = (ops_pool){ .w = w, .pool = pool };
    p->buffer.id = ops_make(p, GPOOL_KIND_BUFFER);
    p->texture.id = ops_make(p, GPOOL_KIND_TEXTURE);
    p->samples = make_texture(p, WGPUTextureFormat_RGBA8Unorm, 4);
    p->depth = make_texture(p, WGPUTextureFormat_Depth24PlusStencil8, 1);
    p->shader.id = ops_make(p, GPOOL_KIND_SHADER);
    p->mesh.id = ops_make(p, GPOOL_KIND_MESH);
    p->layouts[0] = make_layout(p, GPOOL_BINDING_UNIFORM, 0);
    p->layouts[1] = make_layout(p, GPOOL_BINDING_TEXTURE, 0);
    p->layouts[2] = make_layout(p, GPOOL_BINDING_SAMPLER, 0);
    assert_true(p->samples.id != 0 && p->depth.id != 0 && p->layouts[2].id != 0);
    /* Views of attachments are made at first use. */
    assert_same(gpool_begin_frame(pool), GPOOL_OK);
    gpool_recorder rec = gpool_frame_recorder(pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = p->texture } });
    gpool_end_pass(rec);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = p->samples } });
    gpool_end_pass(rec);
    assert_same(gpool_end_frame(pool), GPOOL_OK);
}

/* --- operations outside recorders --- */

/* The last error when nothing was made, else GPOOL_OK; what was made is destroyed. */
static gpool_result made(ops_pool *p, uint64_t id)
{
    if (id == 0) {
        return gpool_last_error(p->pool)->code;
    }
    (void)gpool_release(p->pool, id);
    return GPOOL_OK;
}

static gpool_result handed(ops_pool *p, const void *object)
{
    return object == NULL ? gpool_last_error(p->pool)->code : GPOOL_OK;
}

#define CALL(name, expression)                                                                     \
    static gpool_result name(ops_pool *p, gpool_recorder rec, uint64_t id)                         \
    {                                                                                              \
        (void)rec;                                                                                 \
        return expression;                                                                         \
    }

CALL(buffer_write, gpool_buffer_write(p->pool, BUFFER, 0, scratch, 4))
CALL(buffer_write_nothing, gpool_buffer_write(p->pool, BUFFER, 0, NULL, 0))
CALL(buffer_elements, gpool_buffer_write_elements(p->pool, BUFFER, 1, 2, 16, scratch))
CALL(buffer_scattered, gpool_buffer_write_scattered(p->pool, BUFFER, few, 3, 16, scratch))
CALL(buffer_scattered_nothing, gpool_buffer_write_scattered(p->pool, BUFFER, NULL, 0, 16, NULL))
CALL(buffer_edit, handed(p, gpool_buffer_edit(p->pool, BUFFER, 0, 4)))
CALL(buffer_explain, gpool_upload_explain(p->pool, BUFFER, &(gpool_upload_info){ 0 }))
CALL(buffer_resize, gpool_buffer_resize(p->pool, BUFFER, 2048))
CALL(buffer_resize_same, gpool_buffer_resize(p->pool, BUFFER, 1024))
CALL(buffer_destroy, gpool_buffer_destroy(p->pool, BUFFER))
CALL(buffer_info, gpool_buffer_get_info(p->pool, BUFFER, &(gpool_buffer_info){ 0 }))
CALL(buffer_read, gpool_buffer_read(p->pool, BUFFER, 0, scratch, 4))
CALL(buffer_gpu, handed(p, gpool_buffer_gpu(p->pool, BUFFER, GPOOL_ACCESS_READ)))
CALL(buffer_gpu_write, handed(p, gpool_buffer_gpu(p->pool, BUFFER, GPOOL_ACCESS_WRITE)))
CALL(texture_write, gpool_texture_write(p->pool, TEXTURE, NULL, scratch, sizeof scratch, 0))
CALL(texture_edit, gpool_texture_edit(p->pool, TEXTURE, NULL, &(gpool_texture_rows){ 0 }))
CALL(texture_resize, gpool_texture_resize(p->pool, TEXTURE, 2, 2, 0))
CALL(texture_destroy, gpool_texture_destroy(p->pool, TEXTURE))
CALL(texture_info, gpool_texture_get_info(p->pool, TEXTURE, &(gpool_texture_info){ 0 }))
CALL(texture_read, gpool_texture_read(p->pool, TEXTURE, NULL, scratch, sizeof scratch))
CALL(texture_gpu, handed(p, gpool_texture_gpu(p->pool, TEXTURE, GPOOL_ACCESS_WRITE)))
CALL(texture_view, handed(p, gpool_texture_gpu_view(p->pool, TEXTURE, NULL, GPOOL_ACCESS_READ)))
CALL(sampler_destroy, gpool_sampler_destroy(p->pool, SAMPLER))
CALL(sampler_desc, gpool_sampler_get_desc(p->pool, SAMPLER, &(gpool_sampler_desc){ 0 }))
CALL(sampler_gpu, handed(p, gpool_sampler_gpu(p->pool, SAMPLER)))
CALL(layout_destroy, gpool_layout_destroy(p->pool, LAYOUT))
CALL(layout_gpu, handed(p, gpool_layout_gpu(p->pool, LAYOUT)))
CALL(shader_status, gpool_shader_status(p->pool, SHADER))
CALL(shader_wait, gpool_shader_wait(p->pool, SHADER, 0))
CALL(shader_info, gpool_shader_get_info(p->pool, SHADER, &(gpool_shader_info){ .line = 0 }))
CALL(shader_binding,
     gpool_shader_binding(p->pool, SHADER, "none", &(gpool_shader_slot){ .group = 0 }))
CALL(shader_dirty, gpool_shader_dirty(p->pool, SHADER))
CALL(shader_file,
     gpool_shader_file(p->pool, SHADER, 0) != NULL ? GPOOL_OK : gpool_last_error(p->pool)->code)
CALL(shader_destroy, gpool_shader_destroy(p->pool, SHADER))
CALL(pipeline_status, gpool_pipeline_status(p->pool, PIPELINE))
CALL(pipeline_wait, gpool_pipeline_wait(p->pool, PIPELINE, 0))
CALL(pipeline_version,
     gpool_pipeline_version(p->pool, PIPELINE) != 0 ? GPOOL_OK : gpool_last_error(p->pool)->code)
CALL(pipeline_destroy, gpool_pipeline_destroy(p->pool, PIPELINE))
CALL(scope_end, gpool_scope_end(p->pool, SCOPE))
CALL(scope_info, gpool_scope_get_info(p->pool, SCOPE, &(gpool_scope_info){ 0 }))
CALL(scope_parent, made(p, gpool_scope_create(p->pool, &(gpool_scope_desc){ .parent = SCOPE }).id))
CALL(ticket_status, gpool_ticket_status(p->pool, TICKET))
CALL(ticket_take, gpool_ticket_take(p->pool, TICKET, scratch, sizeof scratch))
CALL(ticket_wait, gpool_ticket_wait(p->pool, TICKET, UINT64_C(1000000000)))
CALL(ticket_info, gpool_ticket_get_info(p->pool, TICKET, &(gpool_ticket_info){ 0 }))
CALL(ticket_destroy, gpool_ticket_destroy(p->pool, TICKET))
CALL(heap_compact, gpool_heap_compact(p->pool, HEAP, 0))
CALL(heap_info, gpool_heap_get_info(p->pool, HEAP, &(gpool_heap_info){ .label = "" }))
CALL(heap_slab, gpool_heap_get_slab(p->pool, HEAP, 0, &(gpool_heap_slab){ .size = 0 }))
CALL(heap_piece, gpool_heap_next_piece(p->pool, HEAP, 0, &(gpool_heap_cursor){ .word = 0 },
                                       &(gpool_heap_piece){ .state = GPOOL_PIECE_FREE })
                     ? GPOOL_OK
                     : gpool_last_error(p->pool)->code)
CALL(heap_destroy, gpool_heap_destroy(p->pool, HEAP))
CALL(heap_of_mesh, made(p, make_mesh(p, HEAP, (gpool_scope){ 0 }).id))
CALL(mesh_write, gpool_mesh_write(p->pool, MESH, GPOOL_MESH_VERTICES, 0, scratch, 4))
CALL(mesh_write_nothing, gpool_mesh_write(p->pool, MESH, GPOOL_MESH_INDICES, 0, NULL, 0))
CALL(mesh_resize, gpool_mesh_resize(p->pool, MESH, 9, 6))
CALL(mesh_resize_same, gpool_mesh_resize(p->pool, MESH, 8, 6))
CALL(mesh_pin, gpool_mesh_pin(p->pool, MESH, true))
CALL(mesh_info, gpool_mesh_get_info(p->pool, MESH, &(gpool_mesh_info){ .label = "" }))
CALL(mesh_destroy, gpool_mesh_destroy(p->pool, MESH))
CALL(any_retain, gpool_retain(p->pool, id))
CALL(any_release, gpool_release(p->pool, id))
CALL(any_move, gpool_move(p->pool, id, (gpool_scope){ 0 }))

static gpool_result scope_target(ops_pool *p, gpool_recorder rec, uint64_t id)
{
    (void)rec;
    gpool_result result = gpool_move(p->pool, p->buffer.id, SCOPE);
    /* And back, so that the buffer does not end with the scope. */
    return result == GPOOL_OK ? gpool_move(p->pool, p->buffer.id, (gpool_scope){ 0 }) : result;
}

/* Scopes in the descriptors of all that can be made. */
CALL(buffer_scope,
     made(p, gpool_buffer_create(p->pool,
                                 &(gpool_buffer_desc){ .size = 4, .usage = 1, .scope = SCOPE })
                 .id))
CALL(texture_scope,
     made(p,
          gpool_texture_create(p->pool, &(gpool_texture_desc){ .width = 1,
                                                               .format = WGPUTextureFormat_R8Unorm,
                                                               .usage = GPOOL_TEXTURE_SAMPLED,
                                                               .scope = SCOPE })
              .id))
CALL(sampler_scope,
     made(p, gpool_sampler_create(p->pool, &(gpool_sampler_desc){ .scope = SCOPE }).id))
CALL(layout_scope, made(p, gpool_layout_create(p->pool, &(gpool_layout_desc){ .scope = SCOPE }).id))
CALL(shader_scope,
     made(p, gpool_shader_create(p->pool, &(gpool_shader_desc){ .wgsl = wgsl, .scope = SCOPE }).id))

CALL(heap_scope, made(p, gpool_heap_create(p->pool, &(gpool_heap_desc){ .scope = SCOPE }).id))
CALL(mesh_scope, made(p, make_mesh(p, (gpool_heap){ 0 }, SCOPE).id))

static gpool_result compute_scope(ops_pool *p, gpool_recorder rec, uint64_t id)
{
    (void)rec;
    gpool_compute_pipeline_desc desc = { .shader = p->shader, .entry = "main", .scope = SCOPE };
    return made(p, gpool_compute_pipeline_create(p->pool, &desc).id);
}

static gpool_result render_scope(ops_pool *p, gpool_recorder rec, uint64_t id)
{
    (void)rec;
    gpool_render_pipeline_desc desc = { .shader = p->shader, .scope = SCOPE };
    return made(p, gpool_render_pipeline_create(p->pool, &desc).id);
}

static gpool_result import_scopes(ops_pool *p, gpool_recorder rec, uint64_t id)
{
    (void)rec;
    gpool_buffer_import_desc buffer = { .buffer = gpool_buffer_gpu(p->pool, p->buffer, 0),
                                        .usage = GPOOL_BUFFER_VERTEX,
                                        .scope = SCOPE };
    return made(p, gpool_buffer_import(p->pool, &buffer).id);
}

static gpool_result import_texture_scopes(ops_pool *p, gpool_recorder rec, uint64_t id)
{
    (void)rec;
    gpool_texture_import_desc texture = { .texture = gpool_texture_gpu(p->pool, p->texture, 0),
                                          .usage = GPOOL_TEXTURE_SAMPLED,
                                          .scope = SCOPE };
    return made(p, gpool_texture_import(p->pool, &texture).id);
}

/* Shaders and layouts in the descriptors of pipelines. */
static gpool_result render_shader(ops_pool *p, gpool_recorder rec, uint64_t id)
{
    (void)rec;
    return made(
        p, gpool_render_pipeline_create(p->pool, &(gpool_render_pipeline_desc){ .shader = SHADER })
               .id);
}

static gpool_result fragment_shader(ops_pool *p, gpool_recorder rec, uint64_t id)
{
    (void)rec;
    gpool_render_pipeline_desc desc = { .shader = p->shader, .fragment_shader = SHADER };
    return made(p, gpool_render_pipeline_create(p->pool, &desc).id);
}

static gpool_result compute_shader(ops_pool *p, gpool_recorder rec, uint64_t id)
{
    (void)rec;
    return made(p, make_compute(p, SHADER).id);
}

static gpool_result render_layout(ops_pool *p, gpool_recorder rec, uint64_t id)
{
    (void)rec;
    gpool_render_pipeline_desc desc = { .shader = p->shader, .layouts[3] = LAYOUT };
    return made(p, gpool_render_pipeline_create(p->pool, &desc).id);
}

static gpool_result compute_layout(ops_pool *p, gpool_recorder rec, uint64_t id)
{
    (void)rec;
    gpool_compute_pipeline_desc desc = { .shader = p->shader,
                                         .entry = "main",
                                         .layouts[0] = LAYOUT };
    return made(p, gpool_compute_pipeline_create(p->pool, &desc).id);
}

/* --- operations of recorders --- */

#define RECORD(name, statement)                                                                    \
    static gpool_result name(ops_pool *p, gpool_recorder rec, uint64_t id)                         \
    {                                                                                              \
        (void)p;                                                                                   \
        statement;                                                                                 \
        return GPOOL_OK;                                                                           \
    }

RECORD(color, gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = TEXTURE } }))
RECORD(color_7, gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = p->texture },
                                                              .color[7] = { .texture = TEXTURE } }))
RECORD(resolve, gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = p->samples,
                                                                            .resolve = TEXTURE } }))
RECORD(depth, gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = p->texture },
                                                            .depth = { .texture = TEXTURE } }))
RECORD(set_pipeline, gpool_set_pipeline(rec, PIPELINE))
RECORD(set_vertices, gpool_set_vertex_buffer(rec, 0, BUFFER, 0))
RECORD(set_indices, gpool_set_index_buffer(rec, BUFFER, WGPUIndexFormat_Uint16, 0))
RECORD(bind_layout, gpool_set_bindings(rec, 0, LAYOUT, NULL, 0, NULL, 0))
RECORD(bind_buffer,
       gpool_set_bindings(rec, 0, p->layouts[0], &(gpool_binding){ .buffer = BUFFER }, 1, NULL, 0))
RECORD(bind_texture, gpool_set_bindings(rec, 0, p->layouts[1],
                                        &(gpool_binding){ .texture = TEXTURE }, 1, NULL, 0))
RECORD(bind_sampler, gpool_set_bindings(rec, 0, p->layouts[2],
                                        &(gpool_binding){ .sampler = SAMPLER }, 1, NULL, 0))
RECORD(draw_indirect, gpool_draw_indirect(rec, BUFFER, 0, false))
RECORD(dispatch_indirect, gpool_dispatch_indirect(rec, BUFFER, 0))
RECORD(set_mesh, gpool_set_mesh(rec, 0, MESH))
RECORD(draw_mesh, gpool_draw_mesh(rec, MESH, NULL))
RECORD(copy_from, gpool_copy_buffer(rec, BUFFER, 0, p->buffer, 0, 4))
RECORD(copy_to, gpool_copy_buffer(rec, p->buffer, 0, BUFFER, 0, 4))
RECORD(clear, gpool_clear_buffer(rec, BUFFER, 0, 4))
RECORD(write, gpool_record_write(rec, BUFFER, 0, scratch, 4))
RECORD(texels_from, gpool_copy_texture(rec, TEXTURE, NULL, p->texture, NULL))
RECORD(texels_to, gpool_copy_texture(rec, p->texture, NULL, TEXTURE, NULL))
RECORD(mips, gpool_texture_generate_mips(rec, TEXTURE, NULL))
RECORD(rows_from, gpool_copy_texture_to_buffer(rec, TEXTURE, NULL, p->buffer, 0, 256))
RECORD(rows_to, gpool_copy_texture_to_buffer(rec, p->texture, NULL, BUFFER, 0, 256))
RECORD(rows_of, gpool_copy_buffer_to_texture(rec, BUFFER, 0, 256, p->texture, NULL))
RECORD(rows_into, gpool_copy_buffer_to_texture(rec, p->buffer, 0, 256, TEXTURE, NULL))
RECORD(read_from, (void)gpool_ticket_destroy(p->pool, gpool_read_buffer(rec, BUFFER, 0, 4, NULL)))
RECORD(read_texels,
       (void)gpool_ticket_destroy(p->pool, gpool_read_texture(rec, TEXTURE, NULL, NULL)))
RECORD(read_scope,
       (void)gpool_ticket_destroy(p->pool,
                                  gpool_read_buffer(rec, p->buffer, 0, 4,
                                                    &(gpool_ticket_desc){ .scope = SCOPE })))

#define NULL_GOOD   OPS_NULL_IS_GOOD
#define FAILED_GOOD OPS_FAILED_IS_GOOD
#define ENDS        (NULL_GOOD | FAILED_GOOD | OPS_DESTROYS | OPS_ANY_THREAD)

const ops_op ops_all[] = {
    { "buffer_write", GPOOL_KIND_BUFFER, OPS_OUTSIDE, 0, buffer_write },
    { "buffer_write of nothing", GPOOL_KIND_BUFFER, OPS_OUTSIDE, 0, buffer_write_nothing },
    { "buffer_write_elements", GPOOL_KIND_BUFFER, OPS_OUTSIDE, 0, buffer_elements },
    { "buffer_write_scattered", GPOOL_KIND_BUFFER, OPS_OUTSIDE, 0, buffer_scattered },
    { "buffer_write_scattered of nothing", GPOOL_KIND_BUFFER, OPS_OUTSIDE, 0,
      buffer_scattered_nothing },
    { "buffer_edit", GPOOL_KIND_BUFFER, OPS_OUTSIDE, 0, buffer_edit },
    { "upload_explain", GPOOL_KIND_BUFFER, OPS_OUTSIDE, FAILED_GOOD, buffer_explain },
    { "buffer_resize", GPOOL_KIND_BUFFER, OPS_OUTSIDE, 0, buffer_resize },
    { "buffer_resize to the same", GPOOL_KIND_BUFFER, OPS_OUTSIDE, 0, buffer_resize_same },
    { "buffer_destroy", GPOOL_KIND_BUFFER, OPS_OUTSIDE, ENDS, buffer_destroy },
    { "buffer_get_info", GPOOL_KIND_BUFFER, OPS_OUTSIDE, FAILED_GOOD, buffer_info },
    { "buffer_read", GPOOL_KIND_BUFFER, OPS_OUTSIDE, 0, buffer_read },
    { "buffer_gpu", GPOOL_KIND_BUFFER, OPS_OUTSIDE, 0, buffer_gpu },
    { "buffer_gpu for writing", GPOOL_KIND_BUFFER, OPS_OUTSIDE, 0, buffer_gpu_write },
    { "texture_write", GPOOL_KIND_TEXTURE, OPS_OUTSIDE, 0, texture_write },
    { "texture_edit", GPOOL_KIND_TEXTURE, OPS_OUTSIDE, 0, texture_edit },
    { "texture_resize", GPOOL_KIND_TEXTURE, OPS_OUTSIDE, 0, texture_resize },
    { "texture_destroy", GPOOL_KIND_TEXTURE, OPS_OUTSIDE, ENDS, texture_destroy },
    { "texture_get_info", GPOOL_KIND_TEXTURE, OPS_OUTSIDE, FAILED_GOOD, texture_info },
    { "texture_read", GPOOL_KIND_TEXTURE, OPS_OUTSIDE, 0, texture_read },
    { "texture_gpu", GPOOL_KIND_TEXTURE, OPS_OUTSIDE, 0, texture_gpu },
    { "texture_gpu_view", GPOOL_KIND_TEXTURE, OPS_OUTSIDE, 0, texture_view },
    { "sampler_destroy", GPOOL_KIND_SAMPLER, OPS_OUTSIDE, ENDS, sampler_destroy },
    { "sampler_get_desc", GPOOL_KIND_SAMPLER, OPS_OUTSIDE, FAILED_GOOD, sampler_desc },
    { "sampler_gpu", GPOOL_KIND_SAMPLER, OPS_OUTSIDE, 0, sampler_gpu },
    { "layout_destroy", GPOOL_KIND_LAYOUT, OPS_OUTSIDE, ENDS, layout_destroy },
    { "layout_gpu", GPOOL_KIND_LAYOUT, OPS_OUTSIDE, 0, layout_gpu },
    { "shader_status", GPOOL_KIND_SHADER, OPS_OUTSIDE, OPS_STATUS, shader_status },
    { "shader_wait", GPOOL_KIND_SHADER, OPS_OUTSIDE, OPS_STATUS, shader_wait },
    { "shader_get_info", GPOOL_KIND_SHADER, OPS_OUTSIDE, FAILED_GOOD, shader_info },
    { "shader_binding", GPOOL_KIND_SHADER, OPS_OUTSIDE, 0, shader_binding },
    { "shader_dirty", GPOOL_KIND_SHADER, OPS_OUTSIDE, FAILED_GOOD, shader_dirty },
    { "shader_file", GPOOL_KIND_SHADER, OPS_OUTSIDE, FAILED_GOOD, shader_file },
    { "shader_destroy", GPOOL_KIND_SHADER, OPS_OUTSIDE, ENDS, shader_destroy },
    { "pipeline_status", GPOOL_KIND_PIPELINE, OPS_OUTSIDE, OPS_STATUS, pipeline_status },
    { "pipeline_wait", GPOOL_KIND_PIPELINE, OPS_OUTSIDE, OPS_STATUS, pipeline_wait },
    { "pipeline_version", GPOOL_KIND_PIPELINE, OPS_OUTSIDE, FAILED_GOOD, pipeline_version },
    { "pipeline_destroy", GPOOL_KIND_PIPELINE, OPS_OUTSIDE, ENDS, pipeline_destroy },
    { "scope_end", GPOOL_KIND_SCOPE, OPS_OUTSIDE, ENDS, scope_end },
    { "scope_get_info", GPOOL_KIND_SCOPE, OPS_OUTSIDE, NULL_GOOD, scope_info },
    { "parent of scope_create", GPOOL_KIND_SCOPE, OPS_OUTSIDE, NULL_GOOD, scope_parent },
    { "scope of move", GPOOL_KIND_SCOPE, OPS_OUTSIDE, NULL_GOOD, scope_target },
    { "ticket_status", GPOOL_KIND_TICKET, OPS_OUTSIDE, OPS_STATUS, ticket_status },
    { "ticket_take", GPOOL_KIND_TICKET, OPS_OUTSIDE, OPS_TELLS, ticket_take },
    { "ticket_wait", GPOOL_KIND_TICKET, OPS_OUTSIDE, OPS_TELLS, ticket_wait },
    { "ticket_get_info", GPOOL_KIND_TICKET, OPS_OUTSIDE, FAILED_GOOD, ticket_info },
    { "ticket_destroy", GPOOL_KIND_TICKET, OPS_OUTSIDE, ENDS, ticket_destroy },
    { "heap_compact", GPOOL_KIND_HEAP, OPS_OUTSIDE, NULL_GOOD, heap_compact },
    { "heap_get_info", GPOOL_KIND_HEAP, OPS_OUTSIDE, NULL_GOOD, heap_info },
    { "heap_get_slab", GPOOL_KIND_HEAP, OPS_OUTSIDE, NULL_GOOD, heap_slab },
    { "heap_next_piece", GPOOL_KIND_HEAP, OPS_OUTSIDE, NULL_GOOD, heap_piece },
    { "heap_destroy", GPOOL_KIND_HEAP, OPS_OUTSIDE, ENDS, heap_destroy },
    { "heap of mesh_create", GPOOL_KIND_HEAP, OPS_OUTSIDE, NULL_GOOD, heap_of_mesh },
    { "mesh_write", GPOOL_KIND_MESH, OPS_OUTSIDE, 0, mesh_write },
    { "mesh_write of nothing", GPOOL_KIND_MESH, OPS_OUTSIDE, 0, mesh_write_nothing },
    { "mesh_resize", GPOOL_KIND_MESH, OPS_OUTSIDE, 0, mesh_resize },
    { "mesh_resize to the same", GPOOL_KIND_MESH, OPS_OUTSIDE, 0, mesh_resize_same },
    { "mesh_pin", GPOOL_KIND_MESH, OPS_OUTSIDE, FAILED_GOOD, mesh_pin },
    { "mesh_get_info", GPOOL_KIND_MESH, OPS_OUTSIDE, FAILED_GOOD, mesh_info },
    { "mesh_destroy", GPOOL_KIND_MESH, OPS_OUTSIDE, ENDS, mesh_destroy },
    { "retain", GPOOL_KIND_NONE, OPS_OUTSIDE, FAILED_GOOD | OPS_ANY_THREAD, any_retain },
    { "release", GPOOL_KIND_NONE, OPS_OUTSIDE, ENDS, any_release },
    { "move", GPOOL_KIND_NONE, OPS_OUTSIDE, FAILED_GOOD, any_move },
    { "scope of buffer_create", GPOOL_KIND_SCOPE, OPS_OUTSIDE, NULL_GOOD, buffer_scope },
    { "scope of texture_create", GPOOL_KIND_SCOPE, OPS_OUTSIDE, NULL_GOOD, texture_scope },
    { "scope of sampler_create", GPOOL_KIND_SCOPE, OPS_OUTSIDE, NULL_GOOD, sampler_scope },
    { "scope of layout_create", GPOOL_KIND_SCOPE, OPS_OUTSIDE, NULL_GOOD, layout_scope },
    { "scope of shader_create", GPOOL_KIND_SCOPE, OPS_OUTSIDE, NULL_GOOD, shader_scope },
    { "scope of heap_create", GPOOL_KIND_SCOPE, OPS_OUTSIDE, NULL_GOOD, heap_scope },
    { "scope of mesh_create", GPOOL_KIND_SCOPE, OPS_OUTSIDE, NULL_GOOD, mesh_scope },
    { "scope of compute pipelines", GPOOL_KIND_SCOPE, OPS_OUTSIDE, NULL_GOOD, compute_scope },
    { "scope of render pipelines", GPOOL_KIND_SCOPE, OPS_OUTSIDE, NULL_GOOD, render_scope },
    { "scope of buffer_import", GPOOL_KIND_SCOPE, OPS_OUTSIDE, NULL_GOOD | OPS_LOOKS,
      import_scopes },
    { "scope of texture_import", GPOOL_KIND_SCOPE, OPS_OUTSIDE, NULL_GOOD | OPS_LOOKS,
      import_texture_scopes },
    { "shader of render pipelines", GPOOL_KIND_SHADER, OPS_OUTSIDE, OPS_MAKES, render_shader },
    { "fragment shader", GPOOL_KIND_SHADER, OPS_OUTSIDE, NULL_GOOD | OPS_MAKES, fragment_shader },
    { "shader of compute pipelines", GPOOL_KIND_SHADER, OPS_OUTSIDE, OPS_MAKES, compute_shader },
    { "layout of render pipelines", GPOOL_KIND_LAYOUT, OPS_OUTSIDE, NULL_GOOD, render_layout },
    { "layout of compute pipelines", GPOOL_KIND_LAYOUT, OPS_OUTSIDE, NULL_GOOD, compute_layout },
    { "color attachment", GPOOL_KIND_TEXTURE, OPS_BEGINS_PASS, 0, color },
    { "color attachment 7", GPOOL_KIND_TEXTURE, OPS_BEGINS_PASS, NULL_GOOD, color_7 },
    { "resolve target", GPOOL_KIND_TEXTURE, OPS_BEGINS_PASS, NULL_GOOD, resolve },
    { "depth attachment", GPOOL_KIND_TEXTURE, OPS_BEGINS_PASS, NULL_GOOD, depth },
    { "set_pipeline", GPOOL_KIND_PIPELINE, OPS_COMPUTE, 0, set_pipeline },
    { "set_vertex_buffer", GPOOL_KIND_BUFFER, OPS_RENDER, 0, set_vertices },
    { "set_index_buffer", GPOOL_KIND_BUFFER, OPS_RENDER, 0, set_indices },
    { "layout of set_bindings", GPOOL_KIND_LAYOUT, OPS_RENDER, 0, bind_layout },
    { "buffer of set_bindings", GPOOL_KIND_BUFFER, OPS_COMPUTE, 0, bind_buffer },
    { "texture of set_bindings", GPOOL_KIND_TEXTURE, OPS_COMPUTE, 0, bind_texture },
    { "sampler of set_bindings", GPOOL_KIND_SAMPLER, OPS_COMPUTE, 0, bind_sampler },
    { "set_mesh", GPOOL_KIND_MESH, OPS_RENDER, 0, set_mesh },
    { "draw_mesh", GPOOL_KIND_MESH, OPS_RENDER, 0, draw_mesh },
    { "draw_indirect", GPOOL_KIND_BUFFER, OPS_RENDER, 0, draw_indirect },
    { "dispatch_indirect", GPOOL_KIND_BUFFER, OPS_COMPUTE, 0, dispatch_indirect },
    { "source of copy_buffer", GPOOL_KIND_BUFFER, OPS_BETWEEN, 0, copy_from },
    { "target of copy_buffer", GPOOL_KIND_BUFFER, OPS_BETWEEN, 0, copy_to },
    { "clear_buffer", GPOOL_KIND_BUFFER, OPS_BETWEEN, 0, clear },
    { "record_write", GPOOL_KIND_BUFFER, OPS_BETWEEN, 0, write },
    { "source of copy_texture", GPOOL_KIND_TEXTURE, OPS_BETWEEN, 0, texels_from },
    { "target of copy_texture", GPOOL_KIND_TEXTURE, OPS_BETWEEN, 0, texels_to },
    { "texture_generate_mips", GPOOL_KIND_TEXTURE, OPS_BETWEEN, 0, mips },
    { "texture of texture_to_buffer", GPOOL_KIND_TEXTURE, OPS_BETWEEN, 0, rows_from },
    { "buffer of texture_to_buffer", GPOOL_KIND_BUFFER, OPS_BETWEEN, 0, rows_to },
    { "buffer of buffer_to_texture", GPOOL_KIND_BUFFER, OPS_BETWEEN, 0, rows_of },
    { "texture of buffer_to_texture", GPOOL_KIND_TEXTURE, OPS_BETWEEN, 0, rows_into },
    { "read_buffer", GPOOL_KIND_BUFFER, OPS_BETWEEN, 0, read_from },
    { "read_texture", GPOOL_KIND_TEXTURE, OPS_BETWEEN, 0, read_texels },
    { "scope of read_buffer", GPOOL_KIND_SCOPE, OPS_BETWEEN, NULL_GOOD, read_scope },
};
const size_t ops_count = UNIT_COUNT(ops_all);

bool ops_fits(const ops_op *op, gpool_kind kind)
{
    return op->kind == kind || op->kind == GPOOL_KIND_NONE;
}

/* --- frames around an operation --- */

gpool_recorder ops_begin(ops_pool *p, const ops_op *op)
{
    gpool_recorder rec = { 0 };
    if (op->place == OPS_OUTSIDE) {
        return rec;
    }
    bounds_good(p->w, gpool_begin_frame(p->pool));
    rec = gpool_frame_recorder(p->pool);
    gpool_push_group(rec, "makes the encoder");
    gpool_pop_group(rec);
    if (op->place == OPS_RENDER) {
        gpool_render_desc desc = { .color[0] = { .texture = p->texture } };
        gpool_begin_render(rec, &desc);
    } else if (op->place == OPS_COMPUTE) {
        gpool_begin_compute(rec, NULL);
    }
    return rec;
}

void ops_end(ops_pool *p, const ops_op *op, gpool_recorder rec, bool refused)
{
    if (op->place == OPS_OUTSIDE) {
        return;
    }
    if (op->place != OPS_BETWEEN) {
        gpool_end_pass(rec);
    }
    gpool_result result = gpool_end_frame(p->pool);
    if ((result != GPOOL_OK) != refused) {
        fail_msg("%s: the frame gave %s: %s", op->name, gpool_result_name(result),
                 gpool_last_error(p->pool)->message);
    }
}
