/* Draws of meshes, on the simulator: what is bound, what is drawn, what is refused, what keeps living. */
#include "heap_world.h"

static const char draw_wgsl[] =
    "@vertex fn vs(@location(0) at: vec3f) -> @builtin(position) vec4f { return vec4f(at, 1.0); }\n"
    "@fragment fn fs() -> @location(0) vec4f { return vec4f(1.0); }\n";

typedef struct world {
    sim_pool p;
    gpool_heap heap;
    gpool_shader shader;
    gpool_pipeline pipelines[2]; /* of 12 and 20 bytes a vertex */
    gpool_texture target;
} world;

static void open(world *w, void **state)
{
    sim_desc desc = heap_manner(state);
    *w = (world){ .heap = { 0 } };
    sim_pool_open(&w->p, &desc);
    w->heap = heap_make(&w->p, (gpool_heap_desc){ 0 });
    w->shader = gpool_shader_create(w->p.pool, &(gpool_shader_desc){ .wgsl = draw_wgsl });
    static const uint32_t strides[] = { 12, 20 };
    for (int i = 0; i < 2; ++i) {
        gpool_render_pipeline_desc pipeline = {
            .shader = w->shader,
            .vertex_buffers[0] = { .stride = strides[i],
                                   .attributes[0] = { .format = WGPUVertexFormat_Float32x3 } },
        };
        w->pipelines[i] = gpool_render_pipeline_create(w->p.pool, &pipeline);
        assert_int_not_equal(w->pipelines[i].id, 0);
    }
    w->target = gpool_texture_create(w->p.pool,
                                     &(gpool_texture_desc){ .width = 4,
                                                            .height = 4,
                                                            .format = WGPUTextureFormat_RGBA8Unorm,
                                                            .usage = GPOOL_TEXTURE_TARGET });
}

static void close_world(world *w)
{
    assert_same(gpool_heap_destroy(w->p.pool, w->heap), GPOOL_OK);
    assert_same(gpool_texture_destroy(w->p.pool, w->target), GPOOL_OK);
    for (int i = 0; i < 2; ++i) {
        assert_same(gpool_pipeline_destroy(w->p.pool, w->pipelines[i]), GPOOL_OK);
    }
    assert_same(gpool_shader_destroy(w->p.pool, w->shader), GPOOL_OK);
    sim_pool_close(&w->p, 0);
}

static gpool_recorder begin(world *w, int pipeline)
{
    assert_same(gpool_begin_frame(w->p.pool), GPOOL_OK);
    gpool_recorder rec = gpool_frame_recorder(w->p.pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = w->target } });
    gpool_set_pipeline(rec, w->pipelines[pipeline]);
    return rec;
}

static gpool_result end(world *w, gpool_recorder rec)
{
    gpool_end_pass(rec);
    return gpool_end_frame(w->p.pool);
}

/* Indices 0, 1, 2, ... of a mesh of `count` vertices. */
static body make(world *w, uint32_t count, uint32_t stride, WGPUIndexFormat format, uint64_t seed)
{
    return body_make(&w->p,
                     (gpool_mesh_desc){ .heap = w->heap,
                                        .vertex_count = count,
                                        .vertex_stride = stride,
                                        .index_count = format != 0 ? count + 3 : 0,
                                        .index_format = format },
                     seed);
}

static void meshes_of_equal_stride_rebind_nothing(void **state)
{
    world w;
    open(&w, state);
    body b[20];
    for (uint32_t i = 0; i < 20; ++i) {
        b[i] = make(&w, 10 + i % 3, 12, WGPUIndexFormat_Uint16, i + 1);
    }
    assert_int_equal(heap_info(&w.p, w.heap).slab_count, 1);
    for (int set = 0; set < 2; ++set) {
        gpool_recorder rec = begin(&w, 0);
        const uint64_t vertices = sim_call_count(w.p.s, GPOOL_GPU_RenderPassEncoderSetVertexBuffer);
        const uint64_t indices = sim_call_count(w.p.s, GPOOL_GPU_RenderPassEncoderSetIndexBuffer);
        const uint64_t draws = sim_call_count(w.p.s, GPOOL_GPU_RenderPassEncoderDrawIndexed);
        for (int i = 0; i < 20; ++i) {
            if (set == 0) {
                gpool_draw_mesh(rec, b[i].handle, NULL);
            } else {
                const gpool_mesh_info info = body_info(&w.p, &b[i]);
                gpool_set_mesh(rec, 0, b[i].handle);
                gpool_draw(rec, &(gpool_draw_args){ .index_count = info.index_count,
                                                    .first_index = info.first_index,
                                                    .base_vertex = info.base_vertex });
            }
        }
        assert_int_equal(
            sim_call_count(w.p.s, GPOOL_GPU_RenderPassEncoderSetVertexBuffer) - vertices, 1);
        assert_int_equal(sim_call_count(w.p.s, GPOOL_GPU_RenderPassEncoderSetIndexBuffer) - indices,
                         1);
        assert_int_equal(sim_call_count(w.p.s, GPOOL_GPU_RenderPassEncoderDrawIndexed) - draws, 20);
        assert_same(end(&w, rec), GPOOL_OK);
    }
    /* Another index format is another binding of the same slab; back again as well. */
    body other = make(&w, 5, 12, WGPUIndexFormat_Uint32, 50);
    gpool_recorder rec = begin(&w, 0);
    const uint64_t indices = sim_call_count(w.p.s, GPOOL_GPU_RenderPassEncoderSetIndexBuffer);
    gpool_draw_mesh(rec, b[0].handle, NULL);
    gpool_draw_mesh(rec, other.handle, NULL);
    gpool_draw_mesh(rec, b[1].handle, NULL);
    assert_int_equal(sim_call_count(w.p.s, GPOOL_GPU_RenderPassEncoderSetIndexBuffer) - indices, 3);
    assert_same(end(&w, rec), GPOOL_OK);
    body_forget(&other);
    for (int i = 0; i < 20; ++i) {
        body_forget(&b[i]);
    }
    close_world(&w);
}

/* What the newest draw read is what the mesh has. */
static void check_draw(world *w, const body *b, uint32_t first, uint32_t count, uint32_t instances,
                       uint32_t first_instance)
{
    sim_draw draw;
    const gpool_mesh_info info = body_info(&w->p, b);
    assert_true(sim_get_draw(w->p.s, sim_draw_count(w->p.s) - 1, &draw));
    assert_int_equal(draw.indexed, info.index_count > 0);
    assert_int_equal(draw.counts[0], count);
    assert_int_equal(draw.counts[1], instances);
    assert_int_equal(draw.counts[3], first_instance);
    assert_int_equal(draw.vertex_offsets[0], 0);
    assert_ptr_equal(draw.vertex_buffers[0], heap_gpu(&w->p, info.vertex_buffer));
    assert_int_equal((uint64_t)info.base_vertex * info.vertex_stride, info.vertex_offset);
    uint8_t *got = malloc(b->sizes[GPOOL_MESH_VERTICES] + b->sizes[GPOOL_MESH_INDICES] + 4);
    assert_non_null(got);
    uint32_t vertex = draw.counts[2]; /* of plain draws the first vertex */
    if (draw.indexed) {
        const uint32_t unit = info.index_format == WGPUIndexFormat_Uint16 ? 2 : 4;
        const uint64_t at = (uint64_t)draw.counts[2] * unit;
        assert_int_equal(at, info.index_offset + (uint64_t)first * unit);
        assert_ptr_equal(draw.index_buffer, heap_gpu(&w->p, info.index_buffer));
        const uint64_t down = at & ~UINT64_C(3);
        assert_true(sim_read_buffer(w->p.s, draw.index_buffer, down, got,
                                    (count * unit + (at - down) + 3) & ~UINT64_C(3)));
        assert_memory_equal(got + (at - down), b->bytes[GPOOL_MESH_INDICES] + first * unit,
                            count * unit);
        vertex = (uint32_t)draw.base_vertex;
        first = 0;
        count = info.vertex_count;
    } else {
        vertex -= first;
    }
    assert_int_equal(vertex, (uint32_t)info.base_vertex);
    assert_true(sim_read_buffer(w->p.s, draw.vertex_buffers[0],
                                (uint64_t)(vertex + first) * info.vertex_stride, got,
                                (size_t)count * info.vertex_stride));
    assert_memory_equal(got, b->bytes[GPOOL_MESH_VERTICES] + (size_t)first * info.vertex_stride,
                        (size_t)count * info.vertex_stride);
    free(got);
}

static void base_vertex_and_first_index_name_the_bytes_of_a_mesh(void **state)
{
    static const uint32_t strides[] = { 12, 20, 36 };
    static const WGPUIndexFormat formats[] = { (WGPUIndexFormat)0, WGPUIndexFormat_Uint16,
                                               WGPUIndexFormat_Uint32 };
    world w;
    open(&w, state);
    body b[36];
    uint32_t count = 0;
    /* Mixed, so that no mesh begins where its own kind would anyhow. */
    for (uint32_t round = 0; round < 4; ++round) {
        for (uint32_t i = 0; i < 3; ++i) {
            for (uint32_t k = 0; k < 3; ++k) {
                b[count] = make(&w, 7 + round * 2 + i, strides[i], formats[k], count + 1);
                count += 1;
            }
        }
    }
    for (uint32_t i = 0; i < count; ++i) {
        const gpool_mesh_info info = body_info(&w.p, &b[i]);
        gpool_recorder rec = begin(&w, info.vertex_stride == 20 ? 1 : 0);
        gpool_draw_mesh(rec, b[i].handle, NULL);
        assert_same(end(&w, rec), GPOOL_OK);
        const uint32_t elements = info.index_count > 0 ? info.index_count : info.vertex_count;
        check_draw(&w, &b[i], 0, elements, 1, 0);
        static const gpool_draw_mesh_args some[] = {
            { .first = 3, .count = 3, .instance_count = 5, .first_instance = 2 },
            { .first = 1, .instance_count = 1 },
            { .count = 2 }
        };
        for (size_t k = 0; k < UNIT_COUNT(some); ++k) {
            rec = begin(&w, 0);
            gpool_draw_mesh(rec, b[i].handle, &some[k]);
            assert_same(end(&w, rec), GPOOL_OK);
            check_draw(&w, &b[i], some[k].first,
                       some[k].count != 0 ? some[k].count : elements - some[k].first,
                       some[k].instance_count != 0 ? some[k].instance_count : 1,
                       some[k].first_instance);
        }
        body_same(&w.p, &b[i], "drawn");
    }
    for (uint32_t i = 0; i < count; ++i) {
        body_forget(&b[i]);
    }
    close_world(&w);
}

static void elements_that_a_mesh_does_not_have_are_refused(void **state)
{
    static const gpool_draw_mesh_args bad[] = {
        { .first = 14 },         { .first = 13, .count = 1 }, { .first = 1, .count = 13 },
        { .count = 14 },         { .first = UINT32_MAX },     { .count = UINT32_MAX },
        { UINT32_MAX, 2, 1, 0 }, { 2, UINT32_MAX, 1, 0 }
    };
    world w;
    open(&w, state);
    body indexed = make(&w, 10, 12, WGPUIndexFormat_Uint16, 1);
    body plain = make(&w, 13, 12, (WGPUIndexFormat)0, 2);
    body only = body_make(&w.p, (gpool_mesh_desc){ .heap = w.heap, .index_count = 13 }, 3);
    const gpool_mesh meshes[] = { indexed.handle, plain.handle, only.handle };
    for (size_t i = 0; i < UNIT_COUNT(bad); ++i) {
        for (size_t k = 0; k < UNIT_COUNT(meshes); ++k) {
            gpool_recorder rec = begin(&w, 0);
            const uint64_t draws = sim_draw_count(w.p.s);
            gpool_draw_mesh(rec, meshes[k], &bad[i]);
            assert_same(end(&w, rec), GPOOL_ERROR_OUT_OF_RANGE);
            assert_int_equal(sim_draw_count(w.p.s), draws);
        }
    }
    /* All of them from the end on are none: nothing is drawn, and that is no mistake. */
    for (size_t k = 0; k < UNIT_COUNT(meshes); ++k) {
        gpool_recorder rec = begin(&w, 0);
        if (k == 2) {
            gpool_set_vertex_buffer(rec, 0, body_info(&w.p, &plain).vertex_buffer, 0);
        }
        gpool_draw_mesh(rec, meshes[k], &(gpool_draw_mesh_args){ .first = 13 });
        assert_same(end(&w, rec), GPOOL_OK);
    }
    /* Slots, phases and handles. */
    static const uint32_t slots[] = { GPOOL_MAX_VERTEX_BUFFERS, 31, 32, UINT32_MAX };
    for (size_t i = 0; i < UNIT_COUNT(slots); ++i) {
        gpool_recorder rec = begin(&w, 0);
        gpool_set_mesh(rec, slots[i], indexed.handle);
        assert_same(end(&w, rec), GPOOL_ERROR_OUT_OF_RANGE);
    }
    for (int i = 0; i < 2; ++i) {
        assert_same(gpool_begin_frame(w.p.pool), GPOOL_OK);
        gpool_recorder rec = gpool_frame_recorder(w.p.pool);
        if (i == 1) {
            gpool_begin_compute(rec, NULL);
        }
        gpool_draw_mesh(rec, indexed.handle, NULL);
        gpool_set_mesh(rec, 0, indexed.handle);
        assert_int_equal(sim_pool_stats(&w.p).skipped, 30u + (uint32_t)i * 2u);
        if (i == 1) {
            gpool_end_pass(rec);
        }
        assert_same(gpool_end_frame(w.p.pool), GPOOL_ERROR_WRONG_PHASE);
    }
    body_end(&w.p, &plain);
    gpool_recorder rec = begin(&w, 0);
    gpool_draw_mesh(rec, (gpool_mesh){ 0 }, NULL);
    assert_same(end(&w, rec), GPOOL_ERROR_NULL_HANDLE);
    rec = begin(&w, 0);
    gpool_draw_mesh(rec, meshes[1], NULL);
    assert_same(end(&w, rec), GPOOL_ERROR_STALE_HANDLE);
    body_forget(&indexed);
    body_forget(&only);
    close_world(&w);
}

/* A draw that wants what was refused is left out; the next good one is drawn. */
static void refused_mesh_leaves_no_old_bindings_to_draw_from(void **state)
{
    world w;
    open(&w, state);
    body a = make(&w, 10, 12, WGPUIndexFormat_Uint16, 1);
    body b = make(&w, 10, 12, WGPUIndexFormat_Uint16, 2);
    const gpool_mesh dead = b.handle;
    body_end(&w.p, &b);
    gpool_recorder rec = begin(&w, 0);
    const uint64_t draws = sim_draw_count(w.p.s);
    const uint64_t errors = sim_pool_stats(&w.p).errors;
    gpool_set_mesh(rec, 0, a.handle);
    gpool_set_mesh(rec, 0, dead);
    gpool_draw(rec, &(gpool_draw_args){ .index_count = 3 });
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    assert_int_equal(sim_pool_stats(&w.p).errors - errors, 1); /* the cause is told, once */
    gpool_set_mesh(rec, 0, a.handle);
    gpool_set_mesh(rec, 1, dead); /* takes the indices with it */
    gpool_draw(rec, &(gpool_draw_args){ .index_count = 3 });
    assert_int_equal(sim_pool_stats(&w.p).errors - errors, 2);
    gpool_draw_mesh(rec, a.handle, NULL);
    assert_same(end(&w, rec), GPOOL_ERROR_STALE_HANDLE);
    assert_int_equal(sim_draw_count(w.p.s) - draws, 1);
    body_forget(&a);
    close_world(&w);
}

static void heap_destroyed_while_its_meshes_are_recorded_is_drawn(void **state)
{
    world w;
    open(&w, state);
    for (int what = 0; what < 3; ++what) {
        gpool_heap heap = heap_make(&w.p, (gpool_heap_desc){ 0 });
        gpool_heap kept = w.heap;
        w.heap = heap;
        body a = make(&w, 10, 12, WGPUIndexFormat_Uint16, 1);
        w.heap = kept;
        const gpool_mesh_info info = body_info(&w.p, &a);
        const WGPUBuffer gpu = heap_gpu(&w.p, info.vertex_buffer);
        gpool_recorder rec = begin(&w, 0);
        const uint64_t draws = sim_draw_count(w.p.s);
        gpool_draw_mesh(rec, a.handle, NULL);
        if (what == 0) {
            assert_same(gpool_heap_destroy(w.p.pool, heap), GPOOL_OK);
        } else if (what == 1) {
            assert_same(gpool_mesh_destroy(w.p.pool, a.handle), GPOOL_OK);
            assert_same(gpool_heap_destroy(w.p.pool, heap), GPOOL_OK);
        } else {
            assert_same(gpool_release(w.p.pool, heap.id), GPOOL_OK);
        }
        gpool_mesh_info gone;
        assert_same(gpool_mesh_get_info(w.p.pool, a.handle, &gone), GPOOL_ERROR_STALE_HANDLE);
        assert_int_equal(sim_pool_stats(&w.p).live_count[GPOOL_KIND_MESH], 0);
        assert_true(gpool__pool_validate(w.p.pool));
        assert_same(end(&w, rec), GPOOL_OK);
        assert_int_equal(sim_draw_count(w.p.s) - draws, 1);
        /* The bytes were sent, though it was gone before the submit. */
        uint8_t got[120];
        assert_true(sim_read_buffer(w.p.s, gpu, info.vertex_offset, got, sizeof got));
        assert_memory_equal(got, a.bytes[GPOOL_MESH_VERTICES], sizeof got);
        heap_free_all(&w.p);
        assert_int_equal(sim_pool_stats(&w.p).live_count[GPOOL_KIND_BUFFER], 0);
        body_forget(&a);
    }
    close_world(&w);
}

static void recorded_mesh_is_not_resized_before_its_submit(void **state)
{
    world w;
    open(&w, state);
    body a = make(&w, 10, 12, WGPUIndexFormat_Uint16, 1);
    for (int i = 0; i < 2; ++i) {
        gpool_recorder rec = begin(&w, 0);
        const gpool_mesh_info before = body_info(&w.p, &a);
        if (i == 0) {
            gpool_draw_mesh(rec, a.handle, NULL);
        } else {
            gpool_set_mesh(rec, 0, a.handle);
        }
        assert_same(gpool_mesh_resize(w.p.pool, a.handle, 20, 13), GPOOL_ERROR_RECORDED);
        assert_int_equal(sim_pool_taken(&w.p, GPOOL_LOG_RECORDED), 1);
        assert_int_equal(body_info(&w.p, &a).version, before.version);
        assert_int_equal(body_info(&w.p, &a).vertex_count, 10);
        /* A write is seen by what is recorded already. */
        body_write(&w.p, &a, GPOOL_MESH_VERTICES, 5, 50, 9 + (uint64_t)i);
        assert_same(end(&w, rec), GPOOL_OK);
        body_same(&w.p, &a, "after the frame");
    }
    assert_same(gpool_mesh_resize(w.p.pool, a.handle, 20, 13), GPOOL_OK);
    body_forget(&a);
    close_world(&w);
}

/* --- ends --- */

static void pool_tells_heaps_and_meshes_that_were_left_but_no_slabs(void **state)
{
    sim_pool p;
    sim_desc desc = heap_manner(state);
    sim_pool_open(&p, &desc);
    gpool_heap heap = heap_make(&p, (gpool_heap_desc){ 0 });
    body a = body_plain(&p, heap, 512, GPOOL_KEEP_SHADOW, 1);
    body b = body_plain(&p, (gpool_heap){ 0 }, 512, GPOOL_KEEP_DROP, 2);
    body c = body_plain(&p, heap, 3 * HEAP_SLAB, GPOOL_KEEP_SHADOW, 3);
    body gone = body_plain(&p, heap, 512, GPOOL_KEEP_SHADOW, 4);
    sim_pool_frame(&p);
    body_end(&p, &gone);
    body_forget(&a);
    body_forget(&b);
    body_forget(&c);
    sim_pool_close(&p, 4); /* three meshes and a heap; not the pool's own, and no slab */
}

static void scopes_end_heaps_and_meshes_in_any_order(void **state)
{
    sim_pool p;
    sim_desc desc = heap_manner(state);
    sim_pool_open(&p, &desc);
    for (int order = 0; order < 6; ++order) {
        gpool_scope outer = sim_pool_scope(&p, (gpool_scope){ 0 }, "outer");
        gpool_scope scopes[3];
        for (int i = 0; i < 3; ++i) {
            scopes[i] = sim_pool_scope(&p, order == 5 ? outer : (gpool_scope){ 0 }, "scope");
        }
        gpool_heap heap = heap_make(&p, (gpool_heap_desc){ .scope = scopes[0] });
        gpool_mesh_desc mesh = { .heap = heap, .vertex_count = 50, .vertex_stride = 16 };
        body b[4];
        for (uint32_t i = 0; i < 4; ++i) {
            mesh.scope = scopes[i % 3];
            b[i] = body_make(&p, mesh, i + 1);
        }
        assert_int_equal(sim_pool_info(&p, scopes[0]).own.count[GPOOL_KIND_MESH], 2);
        assert_int_equal(sim_pool_info(&p, scopes[0]).own.bytes[GPOOL_KIND_MESH], 1600);
        assert_int_equal(sim_pool_info(&p, scopes[0]).own.count[GPOOL_KIND_BUFFER], 0);
        assert_int_equal(sim_pool_info(&p, scopes[0]).own.bytes[GPOOL_KIND_HEAP], 0);
        assert_same(gpool_move(p.pool, b[3].handle.id, scopes[2]), GPOOL_OK);
        sim_pool_frame(&p);
        if (order == 5) {
            assert_same(gpool_scope_end(p.pool, outer), GPOOL_OK);
        }
        for (int i = 0; i < 3 && order < 5; ++i) {
            static const int orders[][3] = {
                { 0, 1, 2 }, { 1, 0, 2 }, { 1, 2, 0 }, { 2, 0, 1 }, { 2, 1, 0 }
            };
            assert_same(gpool_scope_end(p.pool, scopes[orders[order][i]]), GPOOL_OK);
            assert_true(gpool__pool_validate(p.pool));
            for (int k = 0; k < 4; ++k) {
                bool alive = sim_pool_stats(&p).live_count[GPOOL_KIND_HEAP] > 0;
                if (alive) {
                    gpool_mesh_info info;
                    if (gpool_mesh_get_info(p.pool, b[k].handle, &info) == GPOOL_OK) {
                        body_same(&p, &b[k], "while others end");
                    }
                }
            }
        }
        if (order < 5) {
            assert_same(gpool_scope_end(p.pool, outer), GPOOL_OK);
        }
        assert_int_equal(sim_pool_stats(&p).live_count[GPOOL_KIND_MESH], 0);
        assert_int_equal(sim_pool_stats(&p).live_count[GPOOL_KIND_HEAP], 0);
        for (int i = 0; i < 4; ++i) {
            body_forget(&b[i]);
        }
        heap_free_all(&p);
        assert_int_equal(sim_pool_stats(&p).live_count[GPOOL_KIND_BUFFER], 0);
    }
    sim_pool_close(&p, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        HEAP_BOTH(meshes_of_equal_stride_rebind_nothing),
        HEAP_BOTH(base_vertex_and_first_index_name_the_bytes_of_a_mesh),
        HEAP_BOTH(elements_that_a_mesh_does_not_have_are_refused),
        HEAP_BOTH(refused_mesh_leaves_no_old_bindings_to_draw_from),
        HEAP_BOTH(heap_destroyed_while_its_meshes_are_recorded_is_drawn),
        HEAP_BOTH(recorded_mesh_is_not_resized_before_its_submit),
        HEAP_BOTH(pool_tells_heaps_and_meshes_that_were_left_but_no_slabs),
        HEAP_BOTH(scopes_end_heaps_and_meshes_in_any_order),
    };
    return cmocka_run_group_tests_name("sim_heap_draw", tests, NULL, NULL);
}
