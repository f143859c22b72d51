/* Heaps on the simulator whose meshes are followed: what the GPU has must be what was written. */
#ifndef GPOOL_TESTS_SIM_HEAP_WORLD_H
#define GPOOL_TESTS_SIM_HEAP_WORLD_H

#include "follow.h"

#include "pool/heap_state.h"

#define HEAP_SLAB 8192u

/* A mesh and the bytes that it must have. */
typedef struct body {
    gpool_mesh handle;
    uint64_t sizes[GPOOL_MESH_PARTS];
    uint8_t *bytes[GPOOL_MESH_PARTS]; /* whole words */
} body;

static inline gpool_heap heap_make(sim_pool *p, gpool_heap_desc desc)
{
    desc.slab_size = desc.slab_size != 0 ? desc.slab_size : HEAP_SLAB;
    desc.label = "tested";
    gpool_heap heap = gpool_heap_create(p->pool, &desc);
    assert_int_not_equal(heap.id, 0);
    return heap;
}

static inline gpool_heap_info heap_info(sim_pool *p, gpool_heap heap)
{
    gpool_heap_info info;
    assert_same(gpool_heap_get_info(p->pool, heap, &info), GPOOL_OK);
    assert_int_equal(info.bytes, info.live_bytes + info.retired_bytes + info.free_bytes);
    return info;
}

static inline gpool_heap_slab heap_slab(sim_pool *p, gpool_heap heap, uint32_t index)
{
    gpool_heap_slab slab;
    assert_same(gpool_heap_get_slab(p->pool, heap, index, &slab), GPOOL_OK);
    return slab;
}

/* A heap is as it was, whatever was tried. */
static inline void heap_same(sim_pool *p, gpool_heap heap, const gpool_heap_info *before)
{
    gpool_heap_info now = heap_info(p, heap);
    assert_int_equal(now.slab_count, before->slab_count);
    assert_int_equal(now.mesh_count, before->mesh_count);
    assert_int_equal(now.bytes, before->bytes);
    assert_int_equal(now.live_bytes, before->live_bytes);
    assert_int_equal(now.retired_bytes, before->retired_bytes);
    assert_int_equal(now.free_bytes, before->free_bytes);
    assert_int_equal(now.free_ranges, before->free_ranges);
    assert_int_equal(now.largest_free, before->largest_free);
    assert_int_equal(now.moves, before->moves);
    assert_true(gpool__pool_validate(p->pool));
}

static inline gpool_mesh_info body_info(sim_pool *p, const body *b)
{
    gpool_mesh_info info;
    assert_same(gpool_mesh_get_info(p->pool, b->handle, &info), GPOOL_OK);
    return info;
}

/* Makes a mesh with bytes of a seed; seed 0 = without data. A null handle when it is refused. */
static inline body body_try(sim_pool *p, gpool_mesh_desc desc, uint64_t seed)
{
    body b = { .sizes = { (uint64_t)desc.vertex_count * desc.vertex_stride,
                          (uint64_t)desc.index_count *
                              (desc.index_format == WGPUIndexFormat_Uint16 ? 2 : 4) } };
    for (int part = 0; part < GPOOL_MESH_PARTS; ++part) {
        b.bytes[part] = calloc(1, ((b.sizes[part] + 3) & ~UINT64_C(3)) + 4);
        assert_non_null(b.bytes[part]);
        if (seed != 0) {
            follow_fill(b.bytes[part], b.sizes[part], seed * 2 + (uint64_t)part);
        }
    }
    desc.vertices = seed != 0 && desc.vertex_count > 0 ? b.bytes[GPOOL_MESH_VERTICES] : NULL;
    desc.indices = seed != 0 && desc.index_count > 0 ? b.bytes[GPOOL_MESH_INDICES] : NULL;
    desc.label = desc.label != NULL ? desc.label : "body";
    b.handle = gpool_mesh_create(p->pool, &desc);
    return b;
}

static inline body body_make(sim_pool *p, gpool_mesh_desc desc, uint64_t seed)
{
    body b = body_try(p, desc, seed);
    if (b.handle.id == 0) {
        fail_msg("no mesh: %s", gpool_last_error(p->pool)->message);
    }
    return b;
}

/* `size` bytes of vertices of 16 bytes. */
static inline body body_plain(sim_pool *p, gpool_heap heap, uint32_t size, gpool_keep keep,
                              uint64_t seed)
{
    return body_make(
        p,
        (gpool_mesh_desc){
            .heap = heap, .vertex_count = size / 16, .vertex_stride = 16, .keep = keep },
        seed);
}

static inline void body_forget(body *b)
{
    free(b->bytes[GPOOL_MESH_VERTICES]);
    free(b->bytes[GPOOL_MESH_INDICES]);
    *b = (body){ 0 };
}

static inline void body_end(sim_pool *p, body *b)
{
    if (b->handle.id != 0) {
        assert_same(gpool_mesh_destroy(p->pool, b->handle), GPOOL_OK);
    }
    body_forget(b);
}

/* The GPU object behind a slab, without a word to the pool. */
static inline WGPUBuffer heap_gpu(sim_pool *p, gpool_buffer slab)
{
    gpool_result result;
    const gpool__buffer *buffer =
        (gpool__buffer *)gpool__resolve(p->pool, slab.id, GPOOL_KIND_BUFFER, &result);
    assert_non_null(buffer);
    return buffer->gpu;
}

static inline void heap_gpu_same(sim_pool *p, gpool_buffer slab, uint64_t offset,
                                 const uint8_t *bytes, uint64_t size, const char *when)
{
    uint64_t whole = (size + 3) & ~UINT64_C(3);
    uint8_t *got = malloc(whole + 1);
    assert_non_null(got);
    assert_true(sim_read_buffer(p->s, heap_gpu(p, slab), offset, got, whole));
    for (uint64_t i = 0; i < size; ++i) {
        if (got[i] != bytes[i]) {
            fail_msg("%s: byte %llu of %llu is 0x%02x, expected is 0x%02x", when,
                     (unsigned long long)i, (unsigned long long)size, got[i], bytes[i]);
        }
    }
    free(got);
}

/** What the GPU has now at the places of a mesh must be what was written. */
static inline void body_same(sim_pool *p, const body *b, const char *when)
{
    gpool_mesh_info info = body_info(p, b);
    assert_int_equal(info.vertex_bytes, b->sizes[GPOOL_MESH_VERTICES]);
    assert_int_equal(info.index_bytes, b->sizes[GPOOL_MESH_INDICES]);
    if (info.vertex_bytes > 0) {
        heap_gpu_same(p, info.vertex_buffer, info.vertex_offset, b->bytes[GPOOL_MESH_VERTICES],
                      info.vertex_bytes, when);
    }
    if (info.index_bytes > 0) {
        heap_gpu_same(p, info.index_buffer, info.index_offset, b->bytes[GPOOL_MESH_INDICES],
                      info.index_bytes, when);
    }
}

static inline void body_write(sim_pool *p, body *b, gpool_mesh_part part, uint64_t offset,
                              uint64_t size, uint64_t seed)
{
    follow_fill(b->bytes[part] + offset, size, seed);
    assert_same(gpool_mesh_write(p->pool, b->handle, part, offset, b->bytes[part] + offset, size),
                GPOOL_OK);
}

/* Frames in which all that is given up gets free, and empty slabs stay. */
static inline void heap_free_all(sim_pool *p)
{
    for (int i = 0; i < 4 || (i < 10 && sim_pool_stats(p).retired_count > 0); ++i) {
        sim_pool_frame(p);
    }
    assert_int_equal(sim_pool_stats(p).retired_count, 0);
}

/* A pool whose frames may be far ahead of the GPU. */
static inline void heap_open_ahead(sim_pool *p, const sim_desc *desc)
{
    sim_pool_open(p, desc);
    gpool_destroy(p->pool);
    gpool_desc pool = { .compile_workers = GPOOL_WORKERS_NONE,
                        .frames_in_flight = 8,
                        .wait_timeout_ms = 2000,
                        .recycle = { .off = true },
                        .log = sim_pool_on_log,
                        .log_user = p,
                        .allocator = unit_hooks(&p->allocator) };
    assert_same(gpool_create(p->device, &pool, &p->pool), GPOOL_OK);
}

/* Whatever is done with a slab is refused, and the pool is as before. */
static inline void heap_refused(sim_pool *p, gpool_result result)
{
    assert_same(result, GPOOL_ERROR_INVALID_ARGUMENT);
    assert_int_equal(sim_pool_taken(p, GPOOL_LOG_ARGUMENT_VALUE), 1);
    assert_true(gpool__pool_validate(p->pool));
}

#define HEAP_BOTH(name)                                                                            \
    { #name " (wgpu-native)", name, NULL, NULL, (void *)(uintptr_t)SIM_WGPU_NATIVE },              \
    {                                                                                              \
#name " (Dawn)", name, NULL, NULL, (void *)(uintptr_t)SIM_DAWN                             \
    }

static inline sim_desc heap_manner(void **state)
{
    return (sim_desc){ .personality = (sim_personality)(uintptr_t)*state };
}

#endif
