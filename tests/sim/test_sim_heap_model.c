/*
 * Heaps and meshes on the simulator against a plain model: random creates, writes, resizes, moves and
 * ends; every byte of every mesh is read back and compared, and every invariant checked. Usage:
 * test_sim_heap_model [seed [steps]]
 */
#include "sim_pool.h"

#include "pool/heap_state.h"

#define THINGS  160u
#define SCRATCH 65536u
#define SCOPES  4u

typedef struct thing {
    gpool_mesh handle; /* null = none */
    gpool_mesh_info info;
    uint8_t *bytes[GPOOL_MESH_PARTS];
    uint64_t sizes[GPOOL_MESH_PARTS];
    uint32_t heap;
    uint32_t scope; /* 0 = the root scope */
    uint32_t shares;
    bool storage;
} thing;

typedef struct model {
    sim_pool p;
    uint64_t random;
    gpool_heap heaps[2];
    uint64_t budget; /* asked of heap 0 for the next frame; 0 = nothing */
    uint64_t copied; /* by heap 0 so far */
    gpool_buffer scratch;
    gpool_scope scopes[SCOPES]; /* the first is the root scope */
    thing things[THINGS];
    uint64_t moved;      /* told by the callback */
    uint64_t faulty;     /* frames whose moves failed */
    float fragmentation; /* the worst of a settled heap */
    bool faults;         /* calls of the GPU fail now */
    uint64_t refused;
    uint64_t compared;
} model;

static uint64_t steps = 6000;
static uint64_t seed;

static uint64_t below(model *m, uint64_t limit)
{
    return unit_random_below(&m->random, limit);
}

static thing *find(model *m, gpool_mesh mesh)
{
    for (uint32_t i = 0; i < THINGS; ++i) {
        if (m->things[i].handle.id == mesh.id) {
            return &m->things[i];
        }
    }
    return NULL;
}

static void on_moved(void *user, gpool *pool, gpool_mesh mesh, const gpool_mesh_info *info)
{
    model *m = user;
    thing *t = find(m, mesh);
    assert_ptr_equal(pool, m->p.pool);
    if (t == NULL) {
        return; /* not a mesh of the model's: a range that moved is never of a dead one */
    }
    assert_false(t->info.pinned);
    assert_true(info->version > t->info.version);
    t->info = *info;
    m->moved += 1;
}

/* What the pool tells of a mesh is what the model believes. */
static void check_info(model *m, const thing *t)
{
    gpool_mesh_info info;
    assert_same(gpool_mesh_get_info(m->p.pool, t->handle, &info), GPOOL_OK);
    assert_int_equal(info.vertex_bytes, t->sizes[GPOOL_MESH_VERTICES]);
    assert_int_equal(info.index_bytes, t->sizes[GPOOL_MESH_INDICES]);
    assert_int_equal(info.version, t->info.version);
    assert_int_equal(info.vertex_offset, t->info.vertex_offset);
    assert_int_equal(info.index_offset, t->info.index_offset);
    if (info.vertex_count > 0) {
        assert_int_equal(info.vertex_offset % info.vertex_stride, 0);
        assert_int_equal((uint64_t)info.base_vertex * info.vertex_stride, info.vertex_offset);
        assert_true(!t->storage || info.vertex_offset % 256 == 0);
    }
    if (info.index_count > 0) {
        uint64_t unit = info.index_format == WGPUIndexFormat_Uint16 ? 2 : 4;
        assert_int_equal(info.first_index * unit, info.index_offset);
        assert_true(!t->storage || info.index_offset % 256 == 0);
    }
}

/* The GPU has the bytes of a mesh. */
static void check_bytes(model *m, const thing *t)
{
    const gpool_buffer buffers[GPOOL_MESH_PARTS] = { t->info.vertex_buffer, t->info.index_buffer };
    const uint64_t offsets[GPOOL_MESH_PARTS] = { t->info.vertex_offset, t->info.index_offset };
    check_info(m, t);
    for (int part = 0; part < GPOOL_MESH_PARTS; ++part) {
        if (t->sizes[part] == 0) {
            continue;
        }
        uint8_t *got = malloc(t->sizes[part]);
        assert_non_null(got);
        assert_same(gpool_buffer_read(m->p.pool, buffers[part], offsets[part], got, t->sizes[part]),
                    GPOOL_OK);
        assert_memory_equal(got, t->bytes[part], t->sizes[part]);
        m->compared += t->sizes[part];
        free(got);
    }
}

static void check_all(model *m)
{
    assert_true(gpool__pool_validate(m->p.pool));
    for (uint32_t i = 0; i < THINGS; ++i) {
        if (m->things[i].handle.id != 0) {
            check_bytes(m, &m->things[i]);
        }
    }
}

/* Often one of few patterns: what is written is there already, then, in one place or the other. */
static void fill(model *m, uint8_t *bytes, uint64_t size)
{
    if (below(m, 2) == 0) {
        memset(bytes, (int)below(m, 3), size);
        return;
    }
    for (uint64_t i = 0; i < size; ++i) {
        bytes[i] = (uint8_t)unit_random(&m->random);
    }
}

/* A thing that is there, or NULL. */
static thing *pick(model *m)
{
    for (int i = 0; i < 20; ++i) {
        thing *t = &m->things[below(m, THINGS)];
        if (t->handle.id != 0) {
            return t;
        }
    }
    return NULL;
}

static uint64_t some_count(model *m)
{
    return below(m, 30) == 0 ? below(m, 6000) : below(m, 3) == 0 ? below(m, 400) : below(m, 40);
}

static void forget(thing *t)
{
    free(t->bytes[GPOOL_MESH_VERTICES]);
    free(t->bytes[GPOOL_MESH_INDICES]);
    *t = (thing){ 0 };
}

static void op_create(model *m)
{
    static const uint32_t strides[] = { 4, 8, 12, 16, 20, 32, 36, 48, 100 };
    thing *t = &m->things[below(m, THINGS)];
    if (t->handle.id != 0) {
        return;
    }
    gpool_mesh_desc desc = {
        .vertex_stride = strides[below(m, UNIT_COUNT(strides))],
        .vertex_count = (uint32_t)some_count(m),
        .index_count = (uint32_t)some_count(m),
        .index_format = below(m, 2) == 0 ? WGPUIndexFormat_Uint16 : WGPUIndexFormat_Uint32,
        .keep = below(m, 3) == 0 ? GPOOL_KEEP_DROP : GPOOL_KEEP_SHADOW,
        .storage = below(m, 5) == 0,
        .pinned = below(m, 12) == 0,
        .label = "thing",
    };
    t->heap = (uint32_t)below(m, 2);
    desc.heap = m->heaps[t->heap];
    t->scope = (uint32_t)below(m, SCOPES);
    desc.scope = m->scopes[t->scope];
    t->sizes[GPOOL_MESH_VERTICES] = (uint64_t)desc.vertex_count * desc.vertex_stride;
    t->sizes[GPOOL_MESH_INDICES] =
        (uint64_t)desc.index_count * (desc.index_format == WGPUIndexFormat_Uint16 ? 2 : 4);
    for (int part = 0; part < GPOOL_MESH_PARTS; ++part) {
        t->bytes[part] = calloc(1, t->sizes[part] + 1);
        assert_non_null(t->bytes[part]);
    }
    if (below(m, 4) > 0 && desc.vertex_count > 0) {
        fill(m, t->bytes[GPOOL_MESH_VERTICES], t->sizes[GPOOL_MESH_VERTICES]);
        desc.vertices = t->bytes[GPOOL_MESH_VERTICES];
    }
    if (below(m, 4) > 0 && desc.index_count > 0) {
        fill(m, t->bytes[GPOOL_MESH_INDICES], t->sizes[GPOOL_MESH_INDICES]);
        desc.indices = t->bytes[GPOOL_MESH_INDICES];
    }
    gpool_mesh mesh = gpool_mesh_create(m->p.pool, &desc);
    if (mesh.id == 0) {
        gpool_result code = gpool_last_error(m->p.pool)->code;
        assert_true(
            (desc.vertex_count == 0 && desc.index_count == 0) || code == GPOOL_ERROR_BUDGET ||
            code == GPOOL_ERROR_OUT_OF_MEMORY ||
            (m->faults && (code == GPOOL_ERROR_GPU || code == GPOOL_ERROR_OUT_OF_GPU_MEMORY)));
        m->refused += 1;
        forget(t);
        return;
    }
    t->handle = mesh;
    t->shares = 1;
    t->storage = desc.storage;
    assert_same(gpool_mesh_get_info(m->p.pool, mesh, &t->info), GPOOL_OK);
}

static void op_destroy(model *m)
{
    thing *t = pick(m);
    if (t != NULL) {
        assert_same(gpool_mesh_destroy(m->p.pool, t->handle), GPOOL_OK);
        forget(t);
    }
}

/* Begins a frame; what the heaps copy stays in the budget. */
static void begin(model *m)
{
    assert_same(gpool_begin_frame(m->p.pool), GPOOL_OK);
    gpool_heap_info info;
    assert_same(gpool_heap_get_info(m->p.pool, m->heaps[0], &info), GPOOL_OK);
    assert_true(info.copied_bytes - m->copied <= m->budget);
    assert_int_equal(info.bytes, info.live_bytes + info.retired_bytes + info.free_bytes);
    m->copied = info.copied_bytes;
    m->budget = 0;
}

static void *destroy_elsewhere(void *user)
{
    model *m = user;
    for (uint32_t i = 0; i < THINGS; i += 37) {
        (void)gpool_mesh_destroy(m->p.pool, m->things[i].handle);
    }
    return NULL;
}

/* Another thread destroys some; the rest of it waits for a frame. */
static void op_elsewhere(model *m)
{
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, destroy_elsewhere, m), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    for (uint32_t i = 0; i < THINGS; i += 37) {
        forget(&m->things[i]);
    }
}

static void op_share(model *m)
{
    thing *t = pick(m);
    if (t == NULL) {
        return;
    }
    if (below(m, 2) == 0) {
        assert_same(gpool_retain(m->p.pool, t->handle.id), GPOOL_OK);
        t->shares += 1;
    } else {
        assert_same(gpool_release(m->p.pool, t->handle.id), GPOOL_OK);
        t->shares -= 1;
    }
    if (t->shares == 0) {
        forget(t);
    }
}

/* Moves a mesh to another scope, or ends one with all in it; counts and bytes of scopes agree. */
static void op_scope(model *m)
{
    thing *t = pick(m);
    const uint32_t number = 1 + (uint32_t)below(m, SCOPES - 1);
    if (t != NULL && below(m, 4) > 0) {
        assert_same(gpool_move(m->p.pool, t->handle.id, m->scopes[number]), GPOOL_OK);
        t->scope = number;
    } else if (below(m, 8) == 0) {
        assert_same(gpool_scope_end(m->p.pool, m->scopes[number]), GPOOL_OK);
        m->scopes[number] = sim_pool_scope(&m->p, (gpool_scope){ 0 }, "scope");
        for (uint32_t i = 0; i < THINGS; ++i) {
            if (m->things[i].handle.id != 0 && m->things[i].scope == number) {
                forget(&m->things[i]);
            }
        }
    }
    uint64_t count = 0;
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < THINGS; ++i) {
        const thing *each = &m->things[i];
        if (each->handle.id != 0 && each->scope == number) {
            count += 1;
            bytes += each->sizes[0] + each->sizes[1];
        }
    }
    begin(m); /* what another thread destroyed is gone, too */
    assert_same(gpool_end_frame(m->p.pool), GPOOL_OK);
    gpool_scope_info info = sim_pool_info(&m->p, m->scopes[number]);
    assert_int_equal(info.own.count[GPOOL_KIND_MESH], count);
    assert_int_equal(info.own.bytes[GPOOL_KIND_MESH], bytes);
}

static void op_write(model *m)
{
    thing *t = pick(m);
    gpool_mesh_part part = (gpool_mesh_part)below(m, GPOOL_MESH_PARTS);
    if (t == NULL || t->sizes[part] == 0) {
        return;
    }
    uint64_t offset = below(m, t->sizes[part]);
    uint64_t size = 1 + below(m, t->sizes[part] - offset);
    if (below(m, 8) == 0) {
        offset = 0;
        size = t->sizes[part];
    }
    uint8_t *bytes = malloc(size);
    assert_non_null(bytes);
    fill(m, bytes, size);
    gpool_result result = gpool_mesh_write(m->p.pool, t->handle, part, offset, bytes, size);
    bool words = offset % 4 == 0 && (size % 4 == 0 || offset + size == t->sizes[part]);
    if (t->info.keep == GPOOL_KEEP_DROP && !words) {
        assert_same(result, GPOOL_ERROR_MISALIGNED);
        m->refused += 1;
    } else {
        assert_same(result, GPOOL_OK);
        memcpy(t->bytes[part] + offset, bytes, size);
    }
    free(bytes);
}

static void op_resize(model *m)
{
    thing *t = pick(m);
    if (t == NULL) {
        return;
    }
    const uint32_t counts[GPOOL_MESH_PARTS] = {
        below(m, 3) == 0 ? t->info.vertex_count : (uint32_t)some_count(m),
        below(m, 3) == 0 ? t->info.index_count : (uint32_t)some_count(m),
    };
    gpool_result result = gpool_mesh_resize(m->p.pool, t->handle, counts[0], counts[1]);
    bool odd = t->info.keep == GPOOL_KEEP_DROP && counts[1] < t->info.index_count &&
               t->info.index_format == WGPUIndexFormat_Uint16 && counts[1] % 2 != 0;
    if (result != GPOOL_OK) {
        assert_true((counts[0] == 0 && counts[1] == 0) || result == GPOOL_ERROR_BUDGET ||
                    result == GPOOL_ERROR_OUT_OF_MEMORY || result == GPOOL_ERROR_MISALIGNED);
        assert_true(odd == (result == GPOOL_ERROR_MISALIGNED) ||
                    (counts[0] == 0 && counts[1] == 0));
        m->refused += 1;
        check_info(m, t);
        return;
    }
    const uint64_t units[GPOOL_MESH_PARTS] = {
        t->info.vertex_stride, t->info.index_format == WGPUIndexFormat_Uint16 ? 2u : 4u
    };
    for (int part = 0; part < GPOOL_MESH_PARTS; ++part) {
        uint64_t size = counts[part] * units[part];
        uint8_t *bytes = calloc(1, size + 1);
        assert_non_null(bytes);
        memcpy(bytes, t->bytes[part], size < t->sizes[part] ? size : t->sizes[part]);
        free(t->bytes[part]);
        t->bytes[part] = bytes;
        t->sizes[part] = size;
    }
    uint64_t version = t->info.version;
    bool same = counts[0] == t->info.vertex_count && counts[1] == t->info.index_count;
    assert_same(gpool_mesh_get_info(m->p.pool, t->handle, &t->info), GPOOL_OK);
    assert_int_equal(t->info.version, version + (same ? 0 : 1));
}

static void op_pin(model *m)
{
    thing *t = pick(m);
    if (t != NULL) {
        t->info.pinned = !t->info.pinned;
        assert_same(gpool_mesh_pin(m->p.pool, t->handle, t->info.pinned), GPOOL_OK);
    }
}

static void op_compact(model *m)
{
    m->budget = below(m, 5) == 0 ? 0 : 256 + below(m, 20000);
    assert_same(gpool_heap_compact(m->p.pool, m->heaps[0], m->budget), GPOOL_OK);
}

/* Commands write into a mesh that only the GPU has. */
static void op_command(model *m)
{
    thing *t = pick(m);
    begin(m);
    if (t != NULL && t->info.keep == GPOOL_KEEP_DROP && t->sizes[GPOOL_MESH_VERTICES] > 0) {
        const uint64_t words = t->sizes[GPOOL_MESH_VERTICES] / 4;
        const uint64_t first = below(m, words);
        const uint64_t size = (1 + below(m, words - first)) * 4;
        uint8_t *bytes = t->bytes[GPOOL_MESH_VERTICES] + first * 4;
        gpool_recorder rec = gpool_frame_recorder(m->p.pool);
        const uint64_t at = t->info.vertex_offset + first * 4;
        if (below(m, 2) == 0) {
            gpool_clear_buffer(rec, t->info.vertex_buffer, at, size);
            memset(bytes, 0, size);
        } else {
            fill(m, bytes, size);
            gpool_record_write(rec, t->info.vertex_buffer, at, bytes, size);
        }
    }
    assert_same(gpool_end_frame(m->p.pool), GPOOL_OK);
}

/* A frame whose moves may fail: then nothing has changed, and nobody is told. */
static void op_faulty_frame(model *m)
{
    static const sim_way ways[] = { SIM_FAIL_VALIDATION, SIM_FAIL_NULL };
    gpool_heap_info before;
    gpool_heap_info after;
    m->budget = 20000;
    assert_same(gpool_heap_compact(m->p.pool, m->heaps[0], m->budget), GPOOL_OK);
    assert_same(gpool_heap_get_info(m->p.pool, m->heaps[0], &before), GPOOL_OK);
    const uint64_t told = m->moved;
    sim_fail(m->p.s, SIM_ANY_FUNCTION, 1 + below(m, 4), ways[below(m, 2)], false);
    begin(m);
    const bool hit = sim_fail_hits(m->p.s) > 0;
    sim_fail_none(m->p.s);
    assert_same(gpool_heap_get_info(m->p.pool, m->heaps[0], &after), GPOOL_OK);
    if (hit && after.moves == before.moves) {
        m->faulty += 1;
        assert_int_equal(m->moved, told);
    }
    assert_true(gpool__pool_validate(m->p.pool));
    assert_same(gpool_end_frame(m->p.pool), GPOOL_OK);
}

/* The GPU refuses a slab, maybe. */
static void op_without_gpu_memory(model *m)
{
    m->faults = true;
    sim_fail(m->p.s, GPOOL_GPU_DeviceCreateBuffer, 1 + below(m, 2), SIM_FAIL_OUT_OF_MEMORY, false);
    op_create(m);
    sim_fail_none(m->p.s);
    m->faults = false;
    assert_true(gpool__pool_validate(m->p.pool));
}

/* Records a copy of a mesh, ends it or changes it, and submits: the copy has what was there. */
static void op_frame(model *m)
{
    begin(m);
    thing *t = pick(m);
    uint8_t *expected = NULL;
    uint64_t size = 0;
    if (t != NULL && t->sizes[GPOOL_MESH_VERTICES] > 0) {
        size = t->sizes[GPOOL_MESH_VERTICES] < SCRATCH ? t->sizes[GPOOL_MESH_VERTICES] : SCRATCH;
        expected = malloc(size);
        assert_non_null(expected);
        gpool_recorder rec = gpool_frame_recorder(m->p.pool);
        gpool_copy_buffer(rec, t->info.vertex_buffer, t->info.vertex_offset, m->scratch, 0, size);
        /* Before-frame writes are seen by what is recorded before them, too. */
        memcpy(expected, t->bytes[GPOOL_MESH_VERTICES], size);
        if (below(m, 3) == 0) {
            assert_same(gpool_mesh_destroy(m->p.pool, t->handle), GPOOL_OK);
            forget(t);
            for (int i = 0; i < 5; ++i) {
                op_create(m);
            }
        }
    }
    assert_same(gpool_end_frame(m->p.pool), GPOOL_OK);
    if (expected != NULL) {
        uint8_t *got = malloc(size);
        assert_non_null(got);
        assert_same(gpool_buffer_read(m->p.pool, m->scratch, 0, got, size), GPOOL_OK);
        assert_memory_equal(got, expected, size);
        free(got);
        free(expected);
    }
}

/* One call for which memory runs out at some point: it works, or all is as before. */
static void op_without_memory(model *m)
{
    static void (*const ops[])(model *) = { op_create, op_resize };
    m->p.allocator.fail_at = m->p.allocator.calls + 1 + below(m, 6);
    m->p.allocator.fail_for_ever = below(m, 2) == 0;
    ops[below(m, UNIT_COUNT(ops))](m);
    m->p.allocator.fail_at = 0;
    m->p.allocator.fail_for_ever = false;
    assert_true(gpool__pool_validate(m->p.pool));
}

static void step(model *m)
{
    uint64_t op = below(m, 1000);
    if (op < 280) {
        op_create(m);
    } else if (op < 460) {
        op_destroy(m);
    } else if (op < 680) {
        op_write(m);
    } else if (op < 760) {
        op_resize(m);
    } else if (op < 780) {
        op_pin(m);
    } else if (op < 840) {
        op_compact(m);
    } else if (op < 940) {
        op_frame(m);
    } else if (op < 960) {
        assert_same(gpool_process_uploads(m->p.pool), GPOOL_OK);
    } else if (op < 968) {
        op_without_memory(m);
    } else if (op < 972) {
        op_without_gpu_memory(m);
    } else if (op < 974) {
        op_elsewhere(m);
    } else if (op < 978) {
        op_share(m);
    } else if (op < 984) {
        op_scope(m);
    } else if (op < 989) {
        op_command(m);
    } else if (op < 992) {
        op_faulty_frame(m);
    } else {
        const thing *t = pick(m);
        if (t != NULL) {
            check_bytes(m, t);
        }
    }
}

/* Frames with a budget until nothing moves any more; then nearly all that is free is one range a slab. */
static void settle(model *m)
{
    uint64_t before = 0;
    uint32_t quiet = 0;
    for (uint32_t frame = 0; quiet < 8; ++frame) {
        assert_true(frame < 5000);
        m->budget = 100000;
        assert_same(gpool_heap_compact(m->p.pool, m->heaps[0], m->budget), GPOOL_OK);
        begin(m);
        assert_same(gpool_end_frame(m->p.pool), GPOOL_OK);
        quiet = m->copied == before ? quiet + 1 : 0;
        before = m->copied;
    }
    /* Of a heap without pinned meshes nearly all that is free in a slab is one range. */
    check_all(m);
    gpool_heap_info info;
    assert_same(gpool_heap_get_info(m->p.pool, m->heaps[0], &info), GPOOL_OK);
    m->fragmentation =
        info.fragmentation > m->fragmentation ? info.fragmentation : m->fragmentation;
}

static void run(sim_personality personality, bool recycles)
{
    static model m;
    memset(&m, 0, sizeof m);
    sim_desc desc = { .personality = personality };
    sim_pool_open_with(&m.p, &desc, &(gpool_upload_desc){ 0 },
                       (gpool_recycle_desc){ .off = !recycles });
    m.random = seed;
    m.heaps[0] = gpool_heap_create(m.p.pool, &(gpool_heap_desc){ .slab_size = 32768,
                                                                 .empty_frames = 5,
                                                                 .moved = on_moved,
                                                                 .moved_user = &m,
                                                                 .label = "small" });
    m.heaps[1] = gpool_heap_create(
        m.p.pool, &(gpool_heap_desc){ .slab_size = 16384, .budget = 300000, .label = "tight" });
    m.scratch =
        gpool_buffer_create(m.p.pool, &(gpool_buffer_desc){ .size = SCRATCH,
                                                            .usage = GPOOL_BUFFER_COPY_TARGET |
                                                                     GPOOL_BUFFER_READ_BACK });
    assert_true(m.heaps[0].id != 0 && m.heaps[1].id != 0 && m.scratch.id != 0);
    for (uint32_t i = 1; i < SCOPES; ++i) {
        m.scopes[i] = sim_pool_scope(&m.p, (gpool_scope){ 0 }, "scope");
    }
    for (uint64_t i = 0; i < steps; ++i) {
        step(&m);
        if (i % 50 == 0) {
            assert_true(gpool__pool_validate(m.p.pool));
        }
        if (i % 1000 == 999) {
            check_all(&m);
        }
        if (i % 3000 == 2999) {
            settle(&m);
        }
    }
    check_all(&m);
    gpool_heap_info info;
    assert_same(gpool_heap_get_info(m.p.pool, m.heaps[0], &info), GPOOL_OK);
    printf("%llu moves told, %llu refused, %llu bytes compared, %llu parts moved, %u slabs\n",
           (unsigned long long)m.moved, (unsigned long long)m.refused,
           (unsigned long long)m.compared, (unsigned long long)info.moves, info.slab_count);
    printf("%llu frames of failed moves, fragmentation at most %.2f\n",
           (unsigned long long)m.faulty, (double)m.fragmentation);
    assert_true(m.moved > steps / 100 && m.refused > 0);
    for (uint32_t i = 0; i < THINGS; ++i) {
        if (m.things[i].handle.id != 0 && i % 2 == 0) {
            assert_same(gpool_mesh_destroy(m.p.pool, m.things[i].handle), GPOOL_OK);
        }
        forget(&m.things[i]);
    }
    for (uint32_t i = 1; i < SCOPES; ++i) {
        assert_same(gpool_scope_end(m.p.pool, m.scopes[i]), GPOOL_OK);
    }
    /* The rest goes with its heap. */
    assert_same(gpool_heap_destroy(m.p.pool, m.heaps[0]), GPOOL_OK);
    assert_same(gpool_heap_destroy(m.p.pool, m.heaps[1]), GPOOL_OK);
    assert_same(gpool_buffer_destroy(m.p.pool, m.scratch), GPOOL_OK);
    assert_true(gpool__pool_validate(m.p.pool));
    for (int i = 0; i < 4; ++i) {
        sim_pool_frame(&m.p);
    }
    assert_true(gpool__pool_validate(m.p.pool));
    gpool_stats stats = sim_pool_stats(&m.p);
    assert_int_equal(stats.live_bytes[GPOOL_KIND_MESH] + stats.live_bytes[GPOOL_KIND_BUFFER], 0);
    assert_int_equal(stats.live_count[GPOOL_KIND_MESH] + stats.live_count[GPOOL_KIND_BUFFER], 0);
    assert_int_equal(stats.retired_count, 0);
    sim_pool_close(&m.p, 0);
}

static void every_byte_of_every_mesh_is_where_the_mesh_says(void **state)
{
    (void)state;
    run(SIM_WGPU_NATIVE, false);
    run(SIM_DAWN, true);
}

int main(int argc, char **argv)
{
    seed = unit_seed(argc, argv);
    if (argc > 2) {
        steps = strtoull(argv[2], NULL, 0);
    }
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_byte_of_every_mesh_is_where_the_mesh_says),
    };
    return cmocka_run_group_tests_name("sim_heap_model", tests, NULL, NULL);
}
