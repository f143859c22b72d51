/* Random calls on heaps and meshes; their slabs go among the buffers, for all that is done with those. */
#include "gpu/fuzz_calls.h"

static gpool_mesh_desc random_mesh(void)
{
    gpool_mesh_desc desc = {
        .heap = { fuzz_id(GPOOL_KIND_HEAP) },
        .vertex_count = fuzz_pick(200),
        .vertex_stride = fuzz_pick(20) == 0 ? fuzz_pick(100000) : 4 * (1 + fuzz_pick(9)),
        .index_count = fuzz_pick(300),
        .index_format = (WGPUIndexFormat)fuzz_enum(WGPUIndexFormat_Uint32),
        .keep = (gpool_keep)fuzz_enum(GPOOL_KEEP_DROP),
        .storage = fuzz_pick(4) == 0,
        .pinned = fuzz_pick(6) == 0,
        .label = "fuzzed",
    };
    bool fits = (uint64_t)desc.vertex_count * desc.vertex_stride <= FUZZ_BYTES;
    desc.vertices = fits && fuzz_pick(2) == 0 ? fuzz.bytes : NULL;
    desc.indices = fuzz_pick(2) == 0 ? fuzz.bytes : NULL;
    if (fuzz_pick(50) == 0) {
        desc.vertices = NULL;
        desc.vertex_count = UINT32_MAX - fuzz_pick(3);
    }
    return desc;
}

static void make_mesh(void)
{
    gpool_mesh_desc desc = random_mesh();
    gpool_mesh mesh = gpool_mesh_create(fuzz.pool, &desc);
    gpool_mesh_info info;
    fuzz_keep(GPOOL_KIND_MESH, mesh.id);
    if (mesh.id != 0 && gpool_mesh_get_info(fuzz.pool, mesh, &info) == GPOOL_OK) {
        fuzz_keep(GPOOL_KIND_BUFFER, info.vertex_buffer.id);
    }
}

static void walk_pieces(gpool_heap heap)
{
    gpool_heap_cursor cursor = { .word = fuzz_pick(8) == 0 ? fuzz_size() : 0 };
    gpool_heap_piece piece;
    const uint32_t index = fuzz_pick(4);
    for (uint32_t i = 0; i < 1000; ++i) {
        if (!gpool_heap_next_piece(fuzz.pool, heap, index, &cursor, &piece)) {
            return;
        }
    }
}

void fuzz_use_heap(void)
{
    gpool *p = fuzz.pool;
    gpool_heap heap = { fuzz_id(GPOOL_KIND_HEAP) };
    gpool_mesh mesh = { fuzz_id(GPOOL_KIND_MESH) };
    gpool_mesh_part part = (gpool_mesh_part)fuzz_enum(GPOOL_MESH_INDICES);
    gpool_heap_info heap_info;
    gpool_heap_slab slab;
    gpool_mesh_info info;
    gpool_heap_desc desc = { .slab_size = 4096u << fuzz_pick(3),
                             .budget = fuzz_pick(3) == 0 ? 65536 : 0,
                             .compact_bytes = fuzz_pick(2) == 0 ? fuzz_pick(4000) : 0,
                             .empty_frames = fuzz_pick(3) };
    switch (fuzz_pick(16)) {
    case 0:
        desc.slab_size = fuzz_pick(8) == 0 ? fuzz_size() : desc.slab_size;
        fuzz_keep(GPOOL_KIND_HEAP, gpool_heap_create(p, &desc).id);
        break;
    case 1:
        (void)gpool_heap_compact(p, heap, fuzz_size());
        break;
    case 2:
        (void)gpool_heap_get_info(p, heap, fuzz_pick(9) == 0 ? NULL : &heap_info);
        (void)gpool_heap_get_slab(p, heap, fuzz_pick(5), fuzz_pick(9) == 0 ? NULL : &slab);
        break;
    case 3:
        walk_pieces(heap);
        break;
    case 4:
        (void)(fuzz_pick(6) == 0 ? gpool_heap_destroy(p, heap) : gpool_mesh_destroy(p, mesh));
        break;
    case 5:
    case 6:
        (void)gpool_mesh_destroy(p, mesh);
        break;
    case 7:
    case 8:
        (void)gpool_mesh_write(p, mesh, part, fuzz_pick(3) == 0 ? fuzz_size() : fuzz_pick(64) * 4,
                               fuzz.bytes,
                               fuzz_pick(3) == 0 ? fuzz_real_size() : fuzz_pick(40) * 4);
        break;
    case 9:
        (void)gpool_mesh_resize(p, mesh, fuzz_pick(300), fuzz_pick(300));
        break;
    case 10:
        (void)gpool_mesh_pin(p, mesh, fuzz_pick(2) == 0);
        (void)gpool_mesh_get_info(p, mesh, fuzz_pick(9) == 0 ? NULL : &info);
        break;
    default:
        make_mesh();
        break;
    }
}

void fuzz_record_mesh(gpool_recorder rec)
{
    gpool_mesh mesh = { fuzz_id(GPOOL_KIND_MESH) };
    gpool_draw_mesh_args args = { .first = fuzz_pick(50),
                                  .count = fuzz_pick(4) == 0 ? fuzz_pick(300) : 0,
                                  .instance_count = fuzz_pick(4) };
    if (fuzz_pick(3) == 0) {
        gpool_set_mesh(rec, fuzz_pick(10) == 0 ? fuzz_enum(8) : fuzz_pick(3), mesh);
    } else {
        gpool_draw_mesh(rec, mesh, fuzz_pick(2) == 0 ? NULL : &args);
    }
}
