/*
 * Meshes in a heap, drawn before, during and after compaction: the picture is, byte for byte, that of the
 * same scene in buffers of its own.
 */
#include "gpu/hostile.h"

#include <string.h>

int gpu_heap_run(void);

#define SIDE    32u
#define MESHES  24u
#define FILLERS 40u
#define CELLS   6u /* in a row */
#define STRIDES 3u
#define MOST    64u /* vertices or indices of a mesh */

static const uint32_t strides[STRIDES] = { 12, 20, 36 };

static const char draw_wgsl[] =
    "struct Out { @builtin(position) at: vec4f, @location(0) color: vec4f }\n"
    "@vertex fn vs(@location(0) at: vec2f, @location(1) color: vec4f,\n"
    "              @builtin(instance_index) i: u32) -> Out {\n"
    "    return Out(vec4f(at.x, at.y - f32(i) * 0.125, 0.0, 1.0), color);\n"
    "}\n"
    "@fragment fn fs(in: Out) -> @location(0) vec4f { return in.color; }\n";

/* Copies words: how a compute pass fills a mesh that only the GPU has. */
static const char fill_wgsl[] =
    "@group(0) @binding(0) var<storage, read> source: array<u32>;\n"
    "@group(0) @binding(1) var<storage, read_write> mesh: array<u32>;\n"
    "@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) {\n"
    "    mesh[id.x] = source[id.x];\n"
    "}\n";

typedef enum way {
    WAY_PLAIN,
    WAY_SHORT, /* indexed, 16 bits */
    WAY_LONG,  /* indexed, 32 bits */
    WAY_INSTANCED,
    WAY_INDIRECT, /* pinned: its place is in a buffer */
    WAY_COMPUTED, /* filled by a pass, indexed */
    WAYS
} way;

typedef struct shape {
    way how;
    uint32_t stride; /* index in `strides` */
    uint32_t vertex_count;
    uint32_t index_count;
    uint8_t vertices[MOST * 36];
    uint32_t indices[MOST];
    uint16_t shorts[MOST];
    gpool_mesh mesh;
    gpool_buffer own_vertices; /* the same outside of the heap */
    gpool_buffer own_indices;
} shape;

typedef struct scene {
    fixture *f;
    gpool_heap heap;
    gpool_texture target;
    gpool_pipeline pipelines[STRIDES];
    gpool_pipeline fill;
    gpool_buffer indirect;
    shape shapes[MESHES];
    gpool_mesh fillers[FILLERS];
    uint8_t wanted[SIDE * SIDE * 4];
    uint32_t moved;
} scene;

static scene s;

static void on_moved(void *user, gpool *pool, gpool_mesh mesh, const gpool_mesh_info *info)
{
    (void)pool;
    (void)mesh;
    (void)info;
    ((scene *)user)->moved += 1;
}

static void put_vertex(shape *h, float x, float y, const uint8_t rgba[4])
{
    uint8_t *at = h->vertices + h->vertex_count * strides[h->stride];
    memset(at, 0x3f, strides[h->stride]);
    memcpy(at, &x, 4);
    memcpy(at + 4, &y, 4);
    memcpy(at + 8, rgba, 4);
    h->vertex_count += 1;
}

/* A square in a cell of the picture, and triangles without area behind it. */
static void shape_fill(shape *h, uint32_t i)
{
    static const uint32_t corners[] = { 0, 1, 2, 2, 1, 3 };
    const uint8_t rgba[4] = { (uint8_t)(40 + i * 9), (uint8_t)(250 - i * 7), (uint8_t)(i * 31),
                              255 };
    const float x = -0.95f + 0.32f * (float)(i % CELLS);
    const float y = 0.7f - 0.45f * (float)(i / CELLS);
    const float points[4][2] = {
        { x, y }, { x + 0.25f, y }, { x, y + 0.2f }, { x + 0.25f, y + 0.2f }
    };
    const uint32_t more = i % 5 * 3;
    h->how = (way)(i % WAYS);
    h->stride = i / WAYS % STRIDES;
    if (h->how == WAY_PLAIN || h->how == WAY_INSTANCED) {
        for (int k = 0; k < 6; ++k) {
            put_vertex(h, points[corners[k]][0], points[corners[k]][1], rgba);
        }
        for (uint32_t k = 0; k < more; ++k) {
            put_vertex(h, points[3][0], points[3][1], rgba);
        }
        return;
    }
    for (uint32_t k = 0; k < 4 + more; ++k) {
        put_vertex(h, points[k % 4][0], points[k % 4][1], rgba);
    }
    for (uint32_t k = 0; k < 6 + more; ++k) {
        h->indices[k] = k < 6 ? corners[k] : 3;
        h->shorts[k] = (uint16_t)h->indices[k];
    }
    h->index_count = 6 + more;
}

static WGPUIndexFormat shape_format(const shape *h)
{
    return h->how == WAY_SHORT || h->how == WAY_INDIRECT ? WGPUIndexFormat_Uint16
                                                         : WGPUIndexFormat_Uint32;
}

static const void *shape_indices(const shape *h)
{
    return h->index_count == 0                         ? NULL
           : shape_format(h) == WGPUIndexFormat_Uint16 ? (const void *)h->shorts
                                                       : (const void *)h->indices;
}

static void shape_make(shape *h, uint32_t i)
{
    *h = (shape){ .how = WAY_PLAIN };
    shape_fill(h, i);
    const uint32_t bytes = h->vertex_count * strides[h->stride];
    gpool_mesh_desc desc = {
        .heap = s.heap,
        .vertices = h->how == WAY_COMPUTED ? NULL : h->vertices,
        .vertex_count = h->vertex_count,
        .vertex_stride = strides[h->stride],
        .indices = shape_indices(h),
        .index_count = h->index_count,
        .index_format = shape_format(h),
        .keep = h->how == WAY_COMPUTED || i % 7 == 3 ? GPOOL_KEEP_DROP : GPOOL_KEEP_SHADOW,
        .storage = h->how == WAY_COMPUTED,
        .pinned = h->how == WAY_INDIRECT,
        .label = "shape",
    };
    h->mesh = gpool_mesh_create(s.f->pool, &desc);
    assert_int_not_equal(h->mesh.id, 0);
    h->own_vertices =
        fixture_buffer(s.f, h->vertices, bytes, GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_STORAGE);
    if (h->index_count > 0) {
        const uint32_t unit = shape_format(h) == WGPUIndexFormat_Uint16 ? 2 : 4;
        h->own_indices =
            fixture_buffer(s.f, desc.indices, h->index_count * unit, GPOOL_BUFFER_INDEX);
    }
}

static void draw_own(gpool_recorder rec, const shape *h)
{
    gpool_draw_args args = { .instance_count = h->how == WAY_INSTANCED ? 2 : 1 };
    gpool_set_pipeline(rec, s.pipelines[h->stride]);
    gpool_set_vertex_buffer(rec, 0, h->own_vertices, 0);
    if (h->index_count > 0) {
        gpool_set_index_buffer(rec, h->own_indices, shape_format(h), 0);
        args.index_count = h->index_count;
    } else {
        args.vertex_count = h->vertex_count;
    }
    gpool_draw(rec, &args);
}

static void draw_mesh(gpool_recorder rec, const shape *h, uint32_t number)
{
    gpool_set_pipeline(rec, s.pipelines[h->stride]);
    if (h->how == WAY_INDIRECT) {
        gpool_set_mesh(rec, 0, h->mesh);
        gpool_draw_indirect(rec, s.indirect, number * 20, true);
    } else {
        gpool_draw_mesh(rec, h->mesh,
                        h->how == WAY_INSTANCED ? &(gpool_draw_mesh_args){ .instance_count = 2 }
                                                : NULL);
    }
}

static void read_picture(uint8_t *bytes)
{
    assert_good(gpool_texture_read(s.f->pool, s.target, NULL, bytes, SIDE * SIDE * 4));
}

/* One frame; in it, what compaction wants. */
static void draw_frame(bool own)
{
    assert_good(gpool_begin_frame(s.f->pool));
    gpool_recorder rec = gpool_frame_recorder(s.f->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = s.target } });
    for (uint32_t i = 0; i < MESHES; ++i) {
        if (own) {
            draw_own(rec, &s.shapes[i]);
        } else {
            draw_mesh(rec, &s.shapes[i], i);
        }
    }
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(s.f->pool));
}

static void check_frame(void)
{
    uint8_t got[SIDE * SIDE * 4];
    draw_frame(false);
    read_picture(got);
    assert_bytes(got, s.wanted, sizeof got);
}

/* By a pass, and one of them by a copy. */
static void fill_computed(void)
{
    assert_good(gpool_begin_frame(s.f->pool));
    gpool_recorder rec = gpool_frame_recorder(s.f->pool);
    gpool_begin_compute(rec, NULL);
    gpool_set_pipeline(rec, s.fill);
    for (uint32_t i = WAY_COMPUTED; i < MESHES; i += WAYS) {
        const shape *h = &s.shapes[i];
        gpool_mesh_info info;
        assert_good(gpool_mesh_get_info(s.f->pool, h->mesh, &info));
        const gpool_binding bindings[] = {
            { .binding = 0, .buffer = h->own_vertices },
            { .binding = 1,
              .buffer = info.vertex_buffer,
              .offset = info.vertex_offset,
              .size = info.vertex_bytes },
        };
        gpool_set_bindings(rec, 0, (gpool_layout){ 0 }, bindings, 2, NULL, 0);
        gpool_dispatch(rec, (uint32_t)info.vertex_bytes / 4, 1, 1);
    }
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(s.f->pool));
}

static void fill_indirect(void)
{
    uint32_t args[MESHES][5];
    memset(args, 0, sizeof args);
    for (uint32_t i = WAY_INDIRECT; i < MESHES; i += WAYS) {
        gpool_mesh_info info;
        assert_good(gpool_mesh_get_info(s.f->pool, s.shapes[i].mesh, &info));
        assert_true(info.pinned);
        args[i][0] = info.index_count;
        args[i][1] = 1;
        args[i][2] = info.first_index;
        memcpy(&args[i][3], &info.base_vertex, 4);
    }
    s.indirect = fixture_buffer(s.f, args, sizeof args, GPOOL_BUFFER_INDIRECT);
}

static void open_scene(fixture *f)
{
    s = (scene){ .f = f };
    s.heap = gpool_heap_create(f->pool, &(gpool_heap_desc){ .slab_size = 4096,
                                                            .empty_frames = 2,
                                                            .moved = on_moved,
                                                            .moved_user = &s,
                                                            .label = "scene" });
    s.target = fixture_target(f, SIDE, SIDE);
    for (uint32_t i = 0; i < STRIDES; ++i) {
        gpool_render_pipeline_desc desc = {
            .vertex_buffers[0] = { .stride = strides[i],
                                   .attributes = { { WGPUVertexFormat_Float32x2, 0, 0 },
                                                   { WGPUVertexFormat_Unorm8x4, 8, 1 } } },
        };
        s.pipelines[i] = fixture_render(f, draw_wgsl, desc);
    }
    s.fill = fixture_compute(f, fill_wgsl, (gpool_compute_pipeline_desc){ 0 });
    /* Fillers that go lie between the shapes that stay. */
    for (uint32_t i = 0; i < FILLERS; ++i) {
        s.fillers[i] = gpool_mesh_create(
            f->pool,
            &(gpool_mesh_desc){ .heap = s.heap,
                                .vertex_count = 20 + i % 11,
                                .vertex_stride = 16,
                                .keep = i % 3 == 0 ? GPOOL_KEEP_DROP : GPOOL_KEEP_SHADOW });
        assert_int_not_equal(s.fillers[i].id, 0);
        if (i < MESHES) {
            shape_make(&s.shapes[i], i);
        }
    }
    fill_computed();
    fill_indirect();
    draw_frame(true);
    read_picture(s.wanted);
    /* It is no empty picture: most cells have a color of their own. */
    uint32_t colors = 0;
    for (uint32_t i = 4; i < sizeof s.wanted; i += 4) {
        colors += memcmp(s.wanted + i, s.wanted + i - 4, 4) != 0 ? 1 : 0;
    }
    assert_true(colors > 100);
}

static gpool_heap_info heap_info(void)
{
    gpool_heap_info info;
    assert_good(gpool_heap_get_info(s.f->pool, s.heap, &info));
    return info;
}

static void picture_is_equal_before_during_and_after_compaction(void **state)
{
    static const uint64_t budgets[] = { 300, 1500, 100000 };
    for (size_t b = 0; b < sizeof budgets / sizeof *budgets; ++b) {
        open_scene(*state);
        check_frame();
        for (uint32_t i = 0; i < FILLERS; ++i) {
            assert_good(gpool_mesh_destroy(s.f->pool, s.fillers[i]));
        }
        for (int i = 0; i < 4; ++i) {
            check_frame();
        }
        const gpool_heap_info before = heap_info();
        uint32_t quiet = 0;
        uint64_t copied = 0;
        for (uint32_t frame = 0; quiet < 8; ++frame) {
            assert_true(frame < 400);
            assert_good(gpool_heap_compact(s.f->pool, s.heap, budgets[b]));
            check_frame();
            const uint64_t now = heap_info().copied_bytes;
            assert_true(now - copied <= budgets[b]);
            quiet = now == copied ? quiet + 1 : 0;
            copied = now;
        }
        const gpool_heap_info after = heap_info();
        assert_true(after.moves > 10 && s.moved > 0);
        assert_int_equal(after.live_bytes, before.live_bytes);
        for (int i = 0; i < 4; ++i) {
            check_frame();
        }
        /* What moved can be written, and those writes are drawn. */
        for (uint32_t i = 0; i < MESHES; ++i) {
            shape *h = &s.shapes[i];
            h->vertices[8] = (uint8_t)(h->vertices[8] + 77);
            assert_good(
                gpool_mesh_write(s.f->pool, h->mesh, GPOOL_MESH_VERTICES, 8, h->vertices + 8, 4));
            assert_good(gpool_buffer_write(s.f->pool, h->own_vertices, 8, h->vertices + 8, 4));
        }
        draw_frame(true);
        read_picture(s.wanted);
        check_frame();
        assert_good(gpool_heap_destroy(s.f->pool, s.heap));
        gpool_wait_idle(s.f->pool);
    }
}

/* Destroyed after it was recorded, it is drawn once more; with its heap as well. */
static void meshes_and_heap_destroyed_after_record_are_drawn(void **state)
{
    uint8_t got[SIDE * SIDE * 4];
    for (int what = 0; what < 2; ++what) {
        open_scene(*state);
        assert_good(gpool_begin_frame(s.f->pool));
        gpool_recorder rec = gpool_frame_recorder(s.f->pool);
        gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = s.target } });
        for (uint32_t i = 0; i < MESHES; ++i) {
            draw_mesh(rec, &s.shapes[i], i);
            if (what == 0) {
                assert_good(gpool_mesh_destroy(s.f->pool, s.shapes[i].mesh));
            }
        }
        gpool_end_pass(rec);
        assert_good(gpool_heap_destroy(s.f->pool, s.heap));
        assert_good(gpool_end_frame(s.f->pool));
        read_picture(got);
        assert_bytes(got, s.wanted, sizeof got);
    }
}

/* --- hostile use: no process ends --- */

static gpool_result try_frame(hostile_world *w, int what, gpool_mesh mesh, gpool_mesh other)
{
    gpool_mesh_info info = { 0 };
    gpool_mesh_info second = { 0 };
    (void)gpool_mesh_get_info(w->pool, mesh, &info);
    (void)gpool_mesh_get_info(w->pool, other, &second);
    if (gpool_begin_frame(w->pool) != GPOOL_OK) {
        return GPOOL_ERROR_WRONG_PHASE;
    }
    gpool_recorder rec = gpool_frame_recorder(w->pool);
    const gpool_draw_mesh_args wild = { UINT32_MAX, UINT32_MAX, UINT32_MAX, UINT32_MAX };
    if (what >= 4) {
        gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = w->target } });
        gpool_set_pipeline(rec, w->fill);
    }
    switch (what) {
    case 0: /* within one slab */
        gpool_copy_buffer(rec, info.vertex_buffer, 0, info.vertex_buffer, 512, 64);
        break;
    case 1:
        gpool_copy_buffer(rec, second.vertex_buffer, 0, info.vertex_buffer, 0, 64);
        break;
    case 2:
        gpool_clear_buffer(rec, info.vertex_buffer, 0, UINT64_MAX & ~UINT64_C(3));
        break;
    case 3:
        gpool_record_write(rec, info.vertex_buffer, 4094, "abcd", 4);
        break;
    case 4:
        gpool_draw_mesh(rec, mesh, &wild);
        break;
    case 5:
        gpool_set_mesh(rec, UINT32_MAX, mesh);
        gpool_draw_mesh(rec, (gpool_mesh){ UINT64_MAX }, NULL);
        break;
    case 6: /* draws of a heap that goes meanwhile */
        gpool_draw_mesh(rec, mesh, NULL);
        (void)gpool_heap_destroy(w->pool, info.heap);
        gpool_draw_mesh(rec, mesh, NULL);
        break;
    default: /* indices of bytes that are no indices */
        gpool_set_mesh(rec, 0, mesh);
        gpool_draw(rec, &(gpool_draw_args){
                            .index_count = 600, .base_vertex = INT32_MAX, .first_index = 1 });
        break;
    }
    if (what >= 4) {
        gpool_end_pass(rec);
    }
    return gpool_end_frame(w->pool);
}

static void hostile_meshes(hostile_world *w)
{
    static uint8_t bytes[2048];
    memset(bytes, 0xff, sizeof bytes);
    for (int what = 0; what < 8; ++what) {
        for (int keep = GPOOL_KEEP_SHADOW; keep <= GPOOL_KEEP_DROP; ++keep) {
            gpool_heap heap = gpool_heap_create(
                w->pool, &(gpool_heap_desc){ .slab_size = 4096, .compact_bytes = 512 });
            gpool_mesh_desc desc = { .heap = heap,
                                     .vertices = bytes,
                                     .vertex_count = 100,
                                     .vertex_stride = 12,
                                     .indices = bytes,
                                     .index_count = 99,
                                     .index_format = WGPUIndexFormat_Uint16,
                                     .keep = (gpool_keep)keep };
            gpool_mesh mesh = gpool_mesh_create(w->pool, &desc);
            desc.keep = keep == GPOOL_KEEP_DROP ? GPOOL_KEEP_SHADOW : GPOOL_KEEP_DROP;
            gpool_mesh other = gpool_mesh_create(w->pool, &desc);
            assert_true(mesh.id != 0 && other.id != 0);
            (void)try_frame(w, what, mesh, other);
            /* Slabs are nobody's to end, also while they are used. */
            gpool_mesh_info info;
            if (gpool_mesh_get_info(w->pool, other, &info) == GPOOL_OK) {
                assert_result(gpool_buffer_destroy(w->pool, info.vertex_buffer),
                              GPOOL_ERROR_INVALID_ARGUMENT);
                assert_result(gpool_buffer_resize(w->pool, info.vertex_buffer, 4),
                              GPOOL_ERROR_INVALID_ARGUMENT);
            }
            (void)gpool_mesh_resize(w->pool, mesh, UINT32_MAX, UINT32_MAX);
            (void)gpool_mesh_write(w->pool, mesh, GPOOL_MESH_INDICES, UINT64_MAX, bytes, 4);
            (void)gpool_heap_compact(w->pool, heap, UINT64_MAX);
            assert_good(gpool_begin_frame(w->pool));
            assert_good(gpool_end_frame(w->pool));
            (void)gpool_heap_destroy(w->pool, heap);
            assert_good(gpool_begin_frame(w->pool));
            assert_good(gpool_end_frame(w->pool));
        }
    }
}

static void hostile_use_of_heaps_ends_no_process(void **state)
{
    (void)state;
    hostile_run("heaps", hostile_meshes, 60);
}

int gpu_heap_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(picture_is_equal_before_during_and_after_compaction),
        FIXTURE_TEST(meshes_and_heap_destroyed_after_record_are_drawn),
    };
    static const struct CMUnitTest hostile[] = {
        cmocka_unit_test(hostile_use_of_heaps_ends_no_process),
    };
    /* Forks come first: a Vulkan device does not survive one. */
    int failed = cmocka_run_group_tests_name("heap, hostile", hostile, NULL, NULL);
    return failed + FIXTURE_RUN("heap", tests);
}
