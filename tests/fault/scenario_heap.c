/* Heaps and meshes: slabs of all kinds, writes, resizes, draws, ends; and moves. */
#include "fault.h"

#include "pool/heap_state.h"

#include <string.h>

#define SLAB  4096u
#define BYTES 6000u

/* A mesh whose contents are followed. */
typedef struct heap_mesh {
    gpool_mesh handle;
    gpool_mesh_desc desc;
    bool known[GPOOL_MESH_PARTS]; /* false: a write of a part without a shadow failed */
    uint8_t bytes[GPOOL_MESH_PARTS][BYTES];
} heap_mesh;

static uint64_t mesh_size(const heap_mesh *m, gpool_mesh_part part)
{
    return part == GPOOL_MESH_VERTICES
               ? (uint64_t)m->desc.vertex_count * m->desc.vertex_stride
               : (uint64_t)m->desc.index_count *
                     (m->desc.index_format == WGPUIndexFormat_Uint16 ? 2 : 4);
}

static void mesh_make(fault_world *w, heap_mesh *m, gpool_mesh_desc desc, uint32_t number)
{
    *m = (heap_mesh){ .desc = desc, .known = { true, true } };
    for (int part = 0; part < GPOOL_MESH_PARTS; ++part) {
        fault_pattern(m->bytes[part], (size_t)mesh_size(m, (gpool_mesh_part)part),
                      number * 2 + (uint32_t)part);
    }
    desc.vertices = desc.vertex_count > 0 ? m->bytes[GPOOL_MESH_VERTICES] : NULL;
    desc.indices = desc.index_count > 0 ? m->bytes[GPOOL_MESH_INDICES] : NULL;
    desc.label = "followed";
    m->handle = FAULT_MAKE(w, gpool_mesh, gpool_mesh_create(w->pool, &desc));
    FAULT_EXPECT(w, gpool__pool_validate(w->pool));
}

static void mesh_write(fault_world *w, heap_mesh *m, gpool_mesh_part part, uint64_t offset,
                       uint64_t size, uint32_t number)
{
    uint8_t bytes[BYTES];
    fault_pattern(bytes, (size_t)size, number);
    if (m->handle.id == 0) {
        return;
    }
    if (FAULT_DO(w, m->handle.id,
                 gpool_mesh_write(w->pool, m->handle, part, offset, bytes, size))) {
        memcpy(m->bytes[part] + offset, bytes, (size_t)size);
    } else if (m->desc.keep == GPOOL_KEEP_DROP) {
        m->known[part] = false; /* a last odd word is a write of its own */
    }
}

static void mesh_resize(fault_world *w, heap_mesh *m, uint32_t vertex_count, uint32_t index_count)
{
    if (m->handle.id == 0 ||
        !FAULT_DO(w, m->handle.id,
                  gpool_mesh_resize(w->pool, m->handle, vertex_count, index_count))) {
        FAULT_EXPECT(w, gpool__pool_validate(w->pool));
        return;
    }
    const uint64_t old[] = { mesh_size(m, GPOOL_MESH_VERTICES), mesh_size(m, GPOOL_MESH_INDICES) };
    m->desc.vertex_count = vertex_count;
    m->desc.index_count = index_count;
    for (int part = 0; part < GPOOL_MESH_PARTS; ++part) {
        uint64_t size = mesh_size(m, (gpool_mesh_part)part);
        if (size > old[part]) {
            memset(m->bytes[part] + old[part], 0, (size_t)(size - old[part]));
        }
    }
    FAULT_EXPECT(w, gpool__pool_validate(w->pool));
}

/* Reads all of it, and compares. */
static void mesh_check(fault_world *w, const heap_mesh *m)
{
    static uint8_t got[BYTES];
    gpool_mesh_info info;
    if (m->handle.id == 0 || gpool_mesh_get_info(w->pool, m->handle, &info) != GPOOL_OK) {
        return;
    }
    FAULT_EXPECT(w, info.vertex_bytes == mesh_size(m, GPOOL_MESH_VERTICES));
    FAULT_EXPECT(w, info.index_bytes == mesh_size(m, GPOOL_MESH_INDICES));
    for (int part = 0; part < GPOOL_MESH_PARTS; ++part) {
        const uint64_t size = mesh_size(m, (gpool_mesh_part)part);
        const gpool_buffer slab = part == 0 ? info.vertex_buffer : info.index_buffer;
        const uint64_t offset = part == 0 ? info.vertex_offset : info.index_offset;
        memset(got, 0xee, sizeof got);
        if (size > 0 && FAULT_DO(w, slab.id, gpool_buffer_read(w->pool, slab, offset, got, size)) &&
            m->known[part]) {
            FAULT_EXPECT(w, memcmp(got, m->bytes[part], (size_t)size) == 0);
        }
    }
}

static void frame(fault_world *w)
{
    if (FAULT_DO(w, 0, gpool_begin_frame(w->pool))) {
        (void)FAULT_DO(w, 0, gpool_end_frame(w->pool));
    }
    FAULT_EXPECT(w, gpool__pool_validate(w->pool));
}

/* All there is but moves. */
static gpool_result scenario_heap(fault_world *w)
{
    static heap_mesh meshes[5];
    gpool_heap_desc desc = { .slab_size = SLAB, .budget = 8u * SLAB, .label = "heap" };
    gpool_heap heap = FAULT_MAKE(w, gpool_heap, gpool_heap_create(w->pool, &desc));
    if (heap.id == 0) {
        return fault_end(w); /* null would be the pool's own */
    }
    for (uint32_t i = 0; i < 5; ++i) {
        gpool_mesh_desc mesh = { .heap = heap,
                                 .vertex_count = 30 + 10 * i,
                                 .vertex_stride = 20,
                                 .index_count = 15 + i,
                                 .index_format = WGPUIndexFormat_Uint16,
                                 .keep = i % 2 == 0 ? GPOOL_KEEP_SHADOW : GPOOL_KEEP_DROP };
        mesh.vertex_count = i == 4 ? 150 : mesh.vertex_count; /* a slab of its own */
        mesh_make(w, &meshes[i], mesh, i + 1);
    }
    for (uint32_t i = 0; i < 4; ++i) {
        mesh_write(w, &meshes[i], GPOOL_MESH_VERTICES, 4, 24 + 4 * i, 50 + i);
    }
    mesh_check(w, &meshes[0]);
    mesh_check(w, &meshes[1]);
    (void)FAULT_DO(w, 0, gpool_process_uploads(w->pool));
    mesh_resize(w, &meshes[0], 100, 15);
    mesh_resize(w, &meshes[1], 100, 40);
    mesh_resize(w, &meshes[4], 20, 200);
    mesh_resize(w, &meshes[1], 10, 40);
    for (int i = 0; i < 5; ++i) {
        mesh_check(w, &meshes[i]);
    }
    fault_destroy(w, meshes[2].handle.id);
    meshes[2].handle = (gpool_mesh){ 0 };
    if (FAULT_DO(w, 0, gpool_begin_frame(w->pool))) {
        gpool_recorder rec = gpool_frame_recorder(w->pool);
        gpool_begin_compute(rec, "nothing");
        gpool_end_pass(rec);
        mesh_write(w, &meshes[3], GPOOL_MESH_VERTICES, 0, 60, 70);
        mesh_write(w, &meshes[0], GPOOL_MESH_INDICES, 3, 7, 71);
        (void)FAULT_DO(w, 0, gpool_end_frame(w->pool));
    }
    frame(w);
    frame(w);
    mesh_make(w, &meshes[2], meshes[0].desc, 80);
    for (int i = 0; i < 5; ++i) {
        mesh_check(w, &meshes[i]);
    }
    fault_destroy(w, meshes[4].handle.id);
    frame(w);
    return fault_end(w);
}

FAULT_SWEEP(heap, scenario_heap)

/* --- moves --- */

#define MOVERS 18u

typedef struct moved {
    uint32_t count;
    gpool_mesh meshes[256];
    gpool_mesh_info infos[256];
} moved;

static void on_moved(void *user, gpool *pool, gpool_mesh mesh, const gpool_mesh_info *info)
{
    moved *m = user;
    (void)pool;
    m->meshes[m->count] = mesh;
    m->infos[m->count++] = *info;
}

/* Slabs full of holes: parts leave slabs, and move within them; what waits to be sent follows. A frame
 * whose moves fail goes on: each mesh is where it was, or where the program was told. */
static gpool_result moves(fault_world *w, gpool_keep keep)
{
    static heap_mesh meshes[MOVERS];
    static moved told;
    gpool_heap_desc desc = { .slab_size = SLAB,
                             .moved = on_moved,
                             .moved_user = &told,
                             .empty_frames = 1,
                             .label = "heap" };
    gpool_heap heap = FAULT_MAKE(w, gpool_heap, gpool_heap_create(w->pool, &desc));
    if (heap.id == 0) {
        return fault_end(w);
    }
    for (uint32_t i = 0; i < MOVERS; ++i) {
        gpool_mesh_desc mesh = { .heap = heap,
                                 .vertex_count = 20 + i % 5,
                                 .vertex_stride = i % 2 == 0 ? 20 : 36,
                                 .index_count = i % 3 == 0 ? 9 : 0,
                                 .index_format = WGPUIndexFormat_Uint16,
                                 .keep = keep };
        mesh_make(w, &meshes[i], mesh, i + 1);
    }
    (void)FAULT_DO(w, 0, gpool_process_uploads(w->pool));
    for (uint32_t i = 0; i < MOVERS; ++i) {
        if (i % 3 != 1) {
            fault_destroy(w, meshes[i].handle.id);
            meshes[i].handle = (gpool_mesh){ 0 };
        }
    }
    frame(w);
    frame(w);
    frame(w);
    (void)FAULT_DO(w, meshes[7].handle.id, gpool_mesh_pin(w->pool, meshes[7].handle, true));
    uint64_t copied = 0;
    for (uint32_t i = 0; i < 6; ++i) {
        mesh_write(w, &meshes[1 + 3 * i], GPOOL_MESH_VERTICES, 8, 100, 30 + i);
        gpool_mesh_info before[MOVERS];
        for (uint32_t k = 1; k < MOVERS; k += 3) {
            (void)gpool_mesh_get_info(w->pool, meshes[k].handle, &before[k]);
        }
        told.count = 0;
        (void)FAULT_DO(w, heap.id, gpool_heap_compact(w->pool, heap, 2500));
        if (FAULT_DO(w, 0, gpool_begin_frame(w->pool))) {
            for (uint32_t k = 1; k < MOVERS; k += 3) {
                gpool_mesh_info now;
                const gpool_mesh_info *place = &before[k];
                if (meshes[k].handle.id == 0 ||
                    gpool_mesh_get_info(w->pool, meshes[k].handle, &now) != GPOOL_OK) {
                    continue;
                }
                for (uint32_t n = 0; n < told.count; ++n) {
                    place = told.meshes[n].id == meshes[k].handle.id ? &told.infos[n] : place;
                }
                FAULT_EXPECT(w, place->version == now.version &&
                                    place->vertex_buffer.id == now.vertex_buffer.id &&
                                    place->vertex_offset == now.vertex_offset &&
                                    place->index_offset == now.index_offset);
            }
            mesh_write(w, &meshes[1 + 3 * i], GPOOL_MESH_VERTICES, 120, 40, 40 + i);
            (void)FAULT_DO(w, 0, gpool_end_frame(w->pool));
        }
        FAULT_EXPECT(w, gpool__pool_validate(w->pool));
        gpool_heap_info info;
        if (gpool_heap_get_info(w->pool, heap, &info) == GPOOL_OK) {
            FAULT_EXPECT(w, info.copied_bytes - copied <= 2500);
            copied = info.copied_bytes;
        }
        for (uint32_t k = 1; k < MOVERS; k += 3) {
            mesh_check(w, &meshes[k]);
        }
    }
    FAULT_EXPECT(w, !fault_is_whole(w) || copied > 0);
    return fault_end(w);
}

static gpool_result scenario_heap_moves(fault_world *w)
{
    return moves(w, GPOOL_KEEP_SHADOW);
}

FAULT_SWEEP(heap_moves, scenario_heap_moves)

static gpool_result scenario_heap_moves_dropped(fault_world *w)
{
    return moves(w, GPOOL_KEEP_DROP);
}

FAULT_SWEEP(heap_moves_dropped, scenario_heap_moves_dropped)
