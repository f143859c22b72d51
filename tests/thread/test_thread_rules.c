/* What any thread may do with a pool, one call at a time: results, what dies when, what is told. */
#include "other_thread.h"

static const gpool_scope root = { 0 };

typedef gpool_result (*any_call)(gpool *pool, uint64_t id);

/* Calls that destroy a resource of one reference, with the kind they want. */
static const struct {
    any_call call;
    gpool_kind kind; /* NONE = any */
} destroyers[] = {
    { call_buffer_destroy, GPOOL_KIND_BUFFER },   { call_texture_destroy, GPOOL_KIND_TEXTURE },
    { call_sampler_destroy, GPOOL_KIND_SAMPLER }, { call_layout_destroy, GPOOL_KIND_LAYOUT },
    { call_shader_destroy, GPOOL_KIND_SHADER },   { call_pipeline_destroy, GPOOL_KIND_PIPELINE },
    { call_scope_end, GPOOL_KIND_SCOPE },         { call_ticket_destroy, GPOOL_KIND_TICKET },
    { call_heap_destroy, GPOOL_KIND_HEAP },       { call_mesh_destroy, GPOOL_KIND_MESH },
    { gpool_release, GPOOL_KIND_NONE },
};

static uint64_t make(gpool *pool, gpool_kind kind)
{
    static const char wgsl[] = "@compute @workgroup_size(1) fn main() {}";
    gpool_layout_entry entry = { .binding = 9 };
    gpool_shader shader = { 0 };
    gpool_buffer buffer = { 0 };
    uint64_t id = 0;
    switch (kind) {
    case GPOOL_KIND_BUFFER:
        id = gpool_buffer_create(pool, &(gpool_buffer_desc){ .size = 64, .usage = 1 }).id;
        break;
    case GPOOL_KIND_TEXTURE:
        id = gpool_texture_create(pool, &(gpool_texture_desc){ .width = 4,
                                                               .format = WGPUTextureFormat_R8Unorm,
                                                               .usage = GPOOL_TEXTURE_SAMPLED })
                 .id;
        break;
    case GPOOL_KIND_SAMPLER:
        id = gpool_sampler_create(pool, NULL).id;
        break;
    case GPOOL_KIND_LAYOUT:
        id = gpool_layout_create(pool, &(gpool_layout_desc){ .entries = &entry, .entry_count = 1 })
                 .id;
        break;
    case GPOOL_KIND_SHADER:
        id = gpool_shader_create(pool, &(gpool_shader_desc){ .wgsl = wgsl }).id;
        break;
    case GPOOL_KIND_PIPELINE:
        shader = gpool_shader_create(pool, &(gpool_shader_desc){ .wgsl = wgsl });
        id = gpool_compute_pipeline_create(pool, &(gpool_compute_pipeline_desc){ .shader = shader })
                 .id;
        assert_same(gpool_shader_destroy(pool, shader), GPOOL_OK);
        break;
    case GPOOL_KIND_TICKET:
        buffer = gpool_buffer_create(
            pool, &(gpool_buffer_desc){ .size = 64, .usage = GPOOL_BUFFER_READ_BACK });
        assert_same(gpool_begin_frame(pool), GPOOL_OK);
        id = gpool_read_buffer(gpool_frame_recorder(pool), buffer, 0, 64, NULL).id;
        assert_same(gpool_end_frame(pool), GPOOL_OK);
        assert_same(gpool_buffer_destroy(pool, buffer), GPOOL_OK);
        break;
    case GPOOL_KIND_HEAP:
        id = gpool_heap_create(pool, NULL).id;
        break;
    case GPOOL_KIND_MESH:
        id = gpool_mesh_create(pool, &(gpool_mesh_desc){ .index_count = 3 }).id;
        break;
    default:
        id = gpool_scope_create(pool, NULL).id;
        break;
    }
    assert_int_not_equal(id, 0);
    return id;
}

static void handle_of_any_kind_dies_at_once_for_everybody(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    for (gpool_kind kind = GPOOL_KIND_BUFFER; kind < GPOOL_KIND_COUNT; ++kind) {
        for (size_t i = 0; i < UNIT_COUNT(destroyers); ++i) {
            if (destroyers[i].kind != kind && destroyers[i].kind != GPOOL_KIND_NONE) {
                continue;
            }
            uint64_t id = make(p.pool, kind);
            const gpool_stats before = sim_pool_stats(&p);
            p.pool->log.counts[GPOOL_LOG_HANDLE_STALE] = 0; /* none is held back as a repeat */
            assert_same(other_result(p.pool, destroyers[i].call, id), GPOOL_OK);
            assert_same(gpool_retain(p.pool, id), GPOOL_ERROR_STALE_HANDLE);
            assert_same(destroyers[i].call(p.pool, id), GPOOL_ERROR_STALE_HANDLE);
            assert_same(other_result(p.pool, destroyers[i].call, id), GPOOL_ERROR_STALE_HANDLE);
            assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_HANDLE_STALE), 3);
            /* The rest waits for the owner's frame call. */
            assert_int_equal(sim_pool_stats(&p).live_count[kind], before.live_count[kind]);
            assert_true(gpool__pool_validate(p.pool));
            sim_pool_frame(&p);
            assert_int_equal(sim_pool_stats(&p).live_count[kind], before.live_count[kind] - 1);
            assert_true(gpool__pool_validate(p.pool));
        }
    }
    sim_pool_close(&p, 0);
}

/* Slabs and the pool's own heap: any thread may share them, and nobody may end them. */
static void what_is_the_pools_own_outlives_all_threads(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_heap own = gpool_default_heap(p.pool);
    gpool_mesh mesh = { make(p.pool, GPOOL_KIND_MESH) };
    gpool_mesh_info info;
    assert_same(gpool_mesh_get_info(p.pool, mesh, &info), GPOOL_OK);
    const struct {
        uint64_t id;
        any_call destroy;
    } things[] = { { own.id, call_heap_destroy }, { info.index_buffer.id, call_buffer_destroy } };
    const gpool_stats before = sim_pool_stats(&p);
    for (size_t i = 0; i < UNIT_COUNT(things); ++i) {
        const uint64_t id = things[i].id;
        assert_same(other_result(p.pool, things[i].destroy, id), GPOOL_ERROR_INVALID_ARGUMENT);
        assert_same(other_result(p.pool, gpool_release, id), GPOOL_ERROR_INVALID_ARGUMENT);
        assert_same(other_result(p.pool, gpool_retain, id), GPOOL_OK);
        assert_same(other_result(p.pool, things[i].destroy, id), GPOOL_ERROR_INVALID_ARGUMENT);
        assert_same(other_result(p.pool, gpool_release, id), GPOOL_OK);
        assert_same(other_result(p.pool, gpool_release, id), GPOOL_ERROR_INVALID_ARGUMENT);
        assert_true(gpool__pool_validate(p.pool));
    }
    sim_pool_frame(&p);
    const gpool_stats now = sim_pool_stats(&p);
    assert_memory_equal(now.live_count, before.live_count, sizeof now.live_count);
    assert_same(gpool_mesh_get_info(p.pool, mesh, &info), GPOOL_OK);
    assert_same(gpool_mesh_destroy(p.pool, mesh), GPOOL_OK);
    sim_pool_close(&p, 0);
}

/* A heap that another thread destroys takes its meshes with it, at the owner's next frame call. */
static void heap_destroyed_elsewhere_takes_its_meshes(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    for (int shared = 0; shared < 2; ++shared) {
        gpool_heap heap = { make(p.pool, GPOOL_KIND_HEAP) };
        gpool_mesh meshes[3];
        for (int i = 0; i < 3; ++i) {
            meshes[i] =
                gpool_mesh_create(p.pool, &(gpool_mesh_desc){ .heap = heap, .index_count = 100 });
            assert_int_not_equal(meshes[i].id, 0);
        }
        assert_same(other_result(p.pool, call_mesh_destroy, meshes[1].id), GPOOL_OK);
        if (shared == 1) {
            assert_same(gpool_retain(p.pool, heap.id), GPOOL_OK);
            assert_same(other_result(p.pool, gpool_release, heap.id), GPOOL_OK);
            gpool_heap_info info;
            assert_same(gpool_heap_get_info(p.pool, heap, &info), GPOOL_OK);
            assert_same(other_result(p.pool, gpool_release, heap.id), GPOOL_OK);
        } else {
            assert_same(other_result(p.pool, call_heap_destroy, heap.id), GPOOL_OK);
        }
        /* The heap is dead at once, a mesh in it can still be written. */
        assert_int_equal(
            gpool_mesh_create(p.pool, &(gpool_mesh_desc){ .heap = heap, .index_count = 1 }).id, 0);
        assert_same(gpool_mesh_write(p.pool, meshes[0], GPOOL_MESH_INDICES, 0, "abcd", 4),
                    GPOOL_OK);
        assert_same(other_result(p.pool, call_mesh_destroy, meshes[2].id), GPOOL_OK);
        assert_true(gpool__pool_validate(p.pool));
        sim_pool_frame(&p);
        for (int i = 0; i < 3; ++i) {
            assert_same(gpool_retain(p.pool, meshes[i].id), GPOOL_ERROR_STALE_HANDLE);
        }
        assert_int_equal(sim_pool_stats(&p).live_count[GPOOL_KIND_MESH], 0);
        assert_int_equal(sim_pool_stats(&p).live_count[GPOOL_KIND_HEAP], 0);
        assert_true(gpool__pool_validate(p.pool));
    }
    sim_pool_close(&p, 0);
}

static void bad_handles_give_on_any_thread_what_they_give_the_owner(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool q;
    sim_pool_open(&p, NULL);
    sim_pool_open(&q, NULL);
    const uint64_t generation = UINT64_C(1) << 32;
    const uint64_t live = make(p.pool, GPOOL_KIND_BUFFER);
    const uint64_t stale = make(p.pool, GPOOL_KIND_BUFFER);
    assert_same(gpool_release(p.pool, stale), GPOOL_OK);
    assert_same(gpool_wait_idle(p.pool), GPOOL_OK);
    assert_same(gpool_tick(p.pool), GPOOL_OK);
    const uint64_t reused = make(p.pool, GPOOL_KIND_BUFFER);
    assert_int_equal(gpool_handle_slot(reused), gpool_handle_slot(stale));
    const uint64_t texture = make(p.pool, GPOOL_KIND_TEXTURE);
    const uint64_t foreign = make(q.pool, GPOOL_KIND_BUFFER);
    const uint64_t kinds = UINT64_C(15) << 24;
    const uint64_t bad[] = {
        stale,
        foreign,
        texture,
        live + generation,
        live | ~(uint64_t)UINT32_MAX,
        live & UINT32_MAX,
        (live & ~kinds),
        (live & ~kinds) | UINT64_C(9) << 24,
        live | kinds,
        live | 0xffffff,
        (live & ~UINT64_C(0xffffff)) | 200, /* in a page, never used */
        (live & ~UINT64_C(0xffffff)) | 5000,
        UINT64_MAX,
        1,
    };
    const any_call calls[] = { call_buffer_destroy, gpool_release, gpool_retain };
    for (size_t i = 0; i < UNIT_COUNT(bad); ++i) {
        for (size_t j = 0; j < UNIT_COUNT(calls); ++j) {
            if (bad[i] == texture && j > 0) {
                continue; /* any kind is right there */
            }
            gpool_result own = calls[j](p.pool, bad[i]);
            const gpool_error error = *gpool_last_error(p.pool);
            uint32_t told = sim_pool_taken(&p, error.id);
            const gpool_stats before = sim_pool_stats(&p);
            atomic_store(&p.pool->remote_errors, 0); /* so that no repeat is held back */
            assert_same(other_result(p.pool, calls[j], bad[i]), own);
            assert_int_not_equal(own, GPOOL_OK);
            /* Told under the same id, but not as the owner's error, and nothing has changed. */
            assert_int_equal(sim_pool_taken(&p, error.id), 1);
            assert_in_range(told, 0, 1); /* the owner's repeats are held back */
            assert_string_equal(gpool_last_error(p.pool)->message, error.message);
            const gpool_stats after = sim_pool_stats(&p);
            assert_memory_equal(&after, &before, sizeof after);
        }
    }
    assert_same(other_result(p.pool, call_buffer_destroy, 0), GPOOL_OK);
    assert_same(other_result(p.pool, gpool_release, 0), GPOOL_OK);
    assert_same(other_result(p.pool, gpool_retain, 0), GPOOL_ERROR_NULL_HANDLE);
    assert_same(other_result(NULL, call_buffer_destroy, live), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(other_result(NULL, gpool_retain, live), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(other_result(p.pool, gpool_release, gpool_uniform_layout(p.pool).id),
                GPOOL_ERROR_INVALID_ARGUMENT);
    assert_true(gpool__pool_validate(p.pool));
    sim_pool_close(&q, 1);
    sim_pool_close(&p, 3);
}

static void repeated_failures_are_held_back(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    const uint64_t stale = make(p.pool, GPOOL_KIND_SCOPE);
    assert_same(gpool_release(p.pool, stale), GPOOL_OK);
    for (int i = 0; i < 300; ++i) {
        assert_same(other_result(p.pool, gpool_release, stale), GPOOL_ERROR_STALE_HANDLE);
    }
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_HANDLE_STALE), 32 + 3); /* 64, 128, 256 */
    sim_pool_close(&p, 0);
}

static void stale_message_names_label_and_frame_of_what_another_thread_destroyed(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_buffer buffer = sim_pool_buffer(&p, root, 64, "told by name");
    for (int i = 0; i < 4711; ++i) {
        sim_pool_frame(&p);
    }
    assert_same(other_result(p.pool, call_buffer_destroy, buffer.id), GPOOL_OK);
    for (int i = 0; i < 2; ++i) { /* before and after the owner did its part */
        memset(p.text[GPOOL_LOG_HANDLE_STALE], 0, sizeof p.text[0]);
        assert_same(gpool_buffer_write(p.pool, buffer, 0, "x", 1), GPOOL_ERROR_STALE_HANDLE);
        assert_non_null(strstr(p.text[GPOOL_LOG_HANDLE_STALE], "\"told by name\""));
        assert_non_null(strstr(p.text[GPOOL_LOG_HANDLE_STALE], "[4711]"));
        sim_pool_frame(&p);
    }
    sim_pool_close(&p, 0);
}

static gpool_result call_submit_in_frame(gpool *pool)
{
    return gpool_submit(pool);
}

static void every_frame_call_does_what_is_left_of_a_destroy(void **state)
{
    (void)state;
    gpool_result (*const calls[])(gpool *) = {
        gpool_begin_frame, call_submit_in_frame, gpool_process_uploads, gpool_process_deletions,
        gpool_end_frame,   gpool_tick,           gpool_wait_idle,       gpool_note_external_submit,
    };
    for (size_t i = 0; i < UNIT_COUNT(calls); ++i) {
        sim_pool p;
        sim_pool_open(&p, NULL);
        const uint64_t id = make(p.pool, GPOOL_KIND_BUFFER);
        bool inside = calls[i] == call_submit_in_frame || calls[i] == gpool_end_frame;
        if (inside) {
            assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        }
        assert_same(other_result(p.pool, gpool_release, id), GPOOL_OK);
        assert_int_equal(sim_pool_stats(&p).retired_count, 0);
        assert_same(calls[i](p.pool), GPOOL_OK);
        /* Retired; a tick may have freed it already. */
        const gpool_stats stats = sim_pool_stats(&p);
        assert_int_equal(stats.live_count[GPOOL_KIND_BUFFER], 0);
        assert_int_equal(stats.retired_count + stats.freed, 1);
        sim_pool_close(&p, 0);
    }
}

static void pool_that_ends_does_what_is_left_and_tells_no_leak(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    const uint64_t id = make(p.pool, GPOOL_KIND_BUFFER);
    const uint64_t scope = make(p.pool, GPOOL_KIND_SCOPE);
    (void)sim_pool_buffer(&p, (gpool_scope){ scope }, 64, "member");
    assert_same(other_result(p.pool, gpool_release, id), GPOOL_OK);
    assert_same(other_result(p.pool, call_scope_end, scope), GPOOL_OK);
    sim_pool_close(&p, 0);
}

/* Recorded, then destroyed elsewhere, in a scope that is ended elsewhere too. */
static void work_recorded_before_still_runs(void **state)
{
    (void)state;
    for (int personality = SIM_WGPU_NATIVE; personality <= SIM_DAWN; ++personality) {
        for (int end_scope = 0; end_scope < 2; ++end_scope) {
            sim_pool p;
            sim_pool_open(&p, &(sim_desc){ .personality = (sim_personality)personality,
                                           .completion = SIM_COMPLETE_MANUALLY });
            gpool_scope scope = sim_pool_scope(&p, root, "scope");
            gpool_buffer from = sim_pool_buffer(&p, scope, 8, "from");
            gpool_buffer to = sim_pool_buffer(&p, root, 8, "to");
            const uint32_t words[2] = { 0x11111111, 0x22222222 };
            assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
            gpool_recorder rec = gpool_frame_recorder(p.pool);
            gpool_copy_buffer(rec, from, 0, to, 0, 8);
            assert_same(gpool_buffer_write(p.pool, from, 0, words, 8), GPOOL_OK);
            assert_same(end_scope ? other_result(p.pool, call_scope_end, scope.id)
                                  : other_result(p.pool, call_buffer_destroy, from.id),
                        GPOOL_OK);
            /* Retired while the recorder is open: it waits for that submit. */
            assert_same(gpool_process_deletions(p.pool), GPOOL_OK);
            assert_false(sim_pool_is_alive(&p, from));
            assert_same(gpool_end_frame(p.pool), GPOOL_OK);
            for (int i = 0; i < 3; ++i) {
                assert_same(gpool_tick(p.pool), GPOOL_OK);
            }
            assert_int_equal(sim_live(p.s, SIM_KIND_BUFFER), 2); /* not done: not freed */
            sim_set_completion(p.s, SIM_COMPLETE_AT_POLL, 0);
            assert_true(sim_complete(p.s, SIM_ALL));
            uint32_t got[2] = { 0 };
            assert_same(gpool_buffer_read(p.pool, to, 0, got, sizeof got), GPOOL_OK);
            assert_memory_equal(got, words, sizeof got);
            for (int i = 0; i < 4; ++i) {
                sim_pool_frame(&p);
            }
            assert_int_equal(sim_live(p.s, SIM_KIND_BUFFER), 1);
            assert_same(gpool_buffer_destroy(p.pool, to), GPOOL_OK);
            (void)gpool_scope_end(p.pool, scope);
            sim_pool_close(&p, 0);
        }
    }
}

static void members_of_a_scope_ended_elsewhere_live_until_a_frame_call(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_scope scope = sim_pool_scope(&p, root, "scope");
    gpool_scope inner = sim_pool_scope(&p, scope, "inner");
    gpool_buffer member = sim_pool_buffer(&p, scope, 64, "member");
    gpool_buffer deep = sim_pool_buffer(&p, inner, 64, "deep");
    gpool_buffer saved = sim_pool_buffer(&p, inner, 64, "saved");
    assert_same(other_result(p.pool, call_scope_end, scope.id), GPOOL_OK);
    gpool_scope_info info;
    assert_same(gpool_scope_get_info(p.pool, scope, &info), GPOOL_ERROR_STALE_HANDLE);
    assert_int_equal(
        gpool_buffer_create(p.pool, &(gpool_buffer_desc){ .size = 4, .usage = 1, .scope = scope })
            .id,
        0);
    assert_same(gpool_move(p.pool, saved.id, scope), GPOOL_ERROR_STALE_HANDLE);
    assert_true(sim_pool_is_alive(&p, member));
    /* What is made in an inner scope goes with it; what is moved out stays. */
    gpool_buffer late = sim_pool_buffer(&p, inner, 64, "late");
    assert_int_equal(sim_pool_info(&p, inner).parent.id, scope.id);
    assert_same(gpool_move(p.pool, saved.id, root), GPOOL_OK);
    assert_same(other_result(p.pool, call_buffer_destroy, deep.id), GPOOL_OK);
    assert_same(other_result(p.pool, call_scope_end, inner.id), GPOOL_OK);
    assert_true(gpool__pool_validate(p.pool));
    sim_pool_frame(&p);
    assert_false(sim_pool_is_alive(&p, member));
    assert_false(sim_pool_is_alive(&p, late));
    assert_true(sim_pool_is_alive(&p, saved));
    assert_int_equal(sim_pool_stats(&p).live_count[GPOOL_KIND_SCOPE], 0);
    assert_true(gpool__pool_validate(p.pool));
    assert_same(gpool_buffer_destroy(p.pool, saved), GPOOL_OK);
    sim_pool_close(&p, 0);
}

/* Destroyed elsewhere, then ended with its scope by the owner before the list is taken. */
static void what_dies_twice_is_retired_once(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_scope scope = sim_pool_scope(&p, root, "scope");
    gpool_buffer buffers[3];
    for (int i = 0; i < 3; ++i) {
        buffers[i] = sim_pool_buffer(&p, scope, 64, "member");
    }
    assert_same(other_result(p.pool, call_buffer_destroy, buffers[1].id), GPOOL_OK);
    assert_same(gpool_scope_end(p.pool, scope), GPOOL_OK);
    assert_int_equal(sim_pool_stats(&p).retired_count, 4);
    assert_true(gpool__pool_validate(p.pool));
    for (int i = 0; i < 6; ++i) {
        sim_pool_frame(&p);
    }
    assert_int_equal(sim_pool_stats(&p).freed, 4);
    assert_int_equal(sim_live(p.s, SIM_KIND_BUFFER), 0);
    /* Every slot is used again, once. */
    uint64_t slots = 0;
    for (int i = 0; i < 3; ++i) {
        slots |= UINT64_C(1) << gpool_handle_slot(make(p.pool, GPOOL_KIND_BUFFER));
    }
    assert_int_equal(slots, 7);
    sim_pool_close(&p, 3);
}

static void frame_import_destroyed_elsewhere_ends_once(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    WGPUBuffer raw = p.table.DeviceCreateBuffer(
        gpool_device_raw(p.device),
        &(WGPUBufferDescriptor){ .usage = WGPUBufferUsage_CopySrc, .size = 64 });
    for (int i = 0; i < 4; ++i) {
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        gpool_buffer_import_desc desc = { .buffer = raw,
                                          .usage = GPOOL_BUFFER_COPY_SOURCE,
                                          .this_frame = true };
        gpool_buffer imports[2] = { gpool_buffer_import(p.pool, &desc),
                                    gpool_buffer_import(p.pool, &desc) };
        assert_same(other_result(p.pool, gpool_release, imports[i % 2].id), GPOOL_OK);
        assert_same(gpool_end_frame(p.pool), GPOOL_OK);
        assert_false(sim_pool_is_alive(&p, imports[0]));
        assert_false(sim_pool_is_alive(&p, imports[1]));
        assert_true(gpool__pool_validate(p.pool));
    }
    p.table.BufferRelease(raw);
    sim_pool_close(&p, 0);
}

/* --- guessed handles --- */

/* At the allocation of a buffer's shadow, another thread destroys the buffer by a guess. */
typedef struct guess {
    unit_allocator inner;
    gpool *pool;
    uint64_t id;
    uint64_t act_at;
    bool fail; /* the allocation */
    gpool_result result;
} guess;

static void *guess_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    guess *g = user;
    if (new_size != 0 && g->act_at != 0 && g->inner.calls + 1 == g->act_at) {
        g->result = other_result(g->pool, gpool_release, g->id);
        g->act_at = 0;
        if (g->fail) {
            g->inner.calls += 1;
            return NULL;
        }
    }
    return unit_resize(&g->inner, block, old_size, new_size);
}

/* Makes a buffer whose handle another thread guesses; returns what the create gave. */
static gpool_buffer guess_open(guess *g, sim_pool *p, bool fail)
{
    sim_pool_open(p, NULL);
    *g = (guess){ .fail = fail, .result = GPOOL_RESULT_COUNT };
    gpool_desc desc = { .compile_workers = GPOOL_WORKERS_NONE,
                        .log = sim_pool_on_log,
                        .log_user = p,
                        .allocator = { .resize = guess_resize, .user = g } };
    assert_same(gpool_create(p->device, &desc, &g->pool), GPOOL_OK);
    const uint64_t first = make(g->pool, GPOOL_KIND_BUFFER);
    g->id = first + 1;              /* the next slot's first handle */
    g->act_at = g->inner.calls + 1; /* no label: the shadow comes first */
    gpool_buffer_desc buffer = { .size = 64, .usage = GPOOL_BUFFER_VERTEX };
    gpool_buffer made = gpool_buffer_create(g->pool, &buffer);
    assert_same(g->result, GPOOL_OK);
    assert_true(gpool__pool_validate(g->pool));
    assert_same(gpool_release(g->pool, first), GPOOL_OK);
    return made;
}

static void guess_close(guess *g, sim_pool *p, uint64_t freed)
{
    for (int i = 0; i < 6; ++i) {
        assert_same(gpool_begin_frame(g->pool), GPOOL_OK);
        assert_same(gpool_end_frame(g->pool), GPOOL_OK);
        assert_true(gpool__pool_validate(g->pool));
    }
    gpool_stats stats;
    assert_same(gpool_get_stats(g->pool, &stats), GPOOL_OK);
    assert_int_equal(stats.created, freed);
    assert_int_equal(stats.freed, freed);
    assert_int_equal(stats.retired_count, 0);
    assert_int_equal(stats.live_count[GPOOL_KIND_BUFFER], 0);
    /* Both slots are used again, under the next generation. */
    uint32_t slots = 0;
    for (int i = 0; i < 2; ++i) {
        const uint64_t next = make(g->pool, GPOOL_KIND_BUFFER);
        slots |= 1u << gpool_handle_slot(next);
        assert_int_equal(gpool_handle_generation(next), gpool_handle_generation(g->id) + 1);
        assert_same(gpool_release(g->pool, next), GPOOL_OK);
    }
    assert_int_equal(slots, 3);
    gpool_destroy(g->pool);
    assert_int_equal(g->inner.blocks, 0);
    sim_pool_close(p, 0);
}

static void guessed_handle_of_a_create_that_fails_does_no_harm(void **state)
{
    (void)state;
    sim_pool p;
    guess g;
    assert_int_equal(guess_open(&g, &p, true).id, 0);
    guess_close(&g, &p, 1);
}

static void create_whose_handle_was_guessed_returns_a_stale_one(void **state)
{
    (void)state;
    sim_pool p;
    guess g;
    gpool_buffer made = guess_open(&g, &p, false);
    assert_int_equal(made.id, g.id); /* the handle, not what a dead slot holds */
    assert_same(gpool_buffer_write(g.pool, made, 0, "x", 1), GPOOL_ERROR_STALE_HANDLE);
    guess_close(&g, &p, 2);
}

/* --- owners --- */

static void *own_and_draw(void *user)
{
    sim_pool *p = user;
    bool good = gpool_own(p->pool) == GPOOL_OK;
    for (int i = 0; i < 10; ++i) {
        good = good && gpool_begin_frame(p->pool) == GPOOL_OK;
        gpool_buffer_desc desc = { .size = 64, .usage = GPOOL_BUFFER_VERTEX };
        gpool_buffer buffer = gpool_buffer_create(p->pool, &desc);
        good = good && gpool_buffer_destroy(p->pool, buffer) == GPOOL_OK && buffer.id != 0;
        good = good && gpool_end_frame(p->pool) == GPOOL_OK;
    }
    return good ? p : NULL;
}

static void pool_is_handed_over_and_back(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    for (int i = 0; i < 5; ++i) {
        pthread_t thread;
        void *good = NULL;
        assert_int_equal(pthread_create(&thread, NULL, own_and_draw, &p), 0);
        assert_int_equal(pthread_join(thread, &good), 0);
        assert_non_null(good);
        assert_same(gpool_own(p.pool), GPOOL_OK);
        sim_pool_frame(&p);
    }
    assert_int_equal(gpool_frame(p.pool), 55);
    sim_pool_close(&p, 0);
}

static gpool_result call_frame(gpool *pool, uint64_t id)
{
    (void)id;
    return gpool_begin_frame(pool);
}

static gpool_result call_own(gpool *pool, uint64_t id)
{
    (void)id;
    return gpool_own(pool);
}

static void thread_that_gave_the_pool_away_is_refused(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    const uint64_t id = make(p.pool, GPOOL_KIND_BUFFER);
    assert_same(other_result(p.pool, call_frame, 0), GPOOL_ERROR_WRONG_THREAD);
    assert_same(other_result(p.pool, call_own, 0), GPOOL_OK);
    assert_same(gpool_begin_frame(p.pool), GPOOL_ERROR_WRONG_THREAD);
    assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_WRONG_THREAD);
    assert_same(gpool_release(p.pool, id), GPOOL_OK); /* any thread's right */
    assert_same(gpool_own(p.pool), GPOOL_OK);
    assert_int_equal(sim_pool_stats(&p).live_count[GPOOL_KIND_BUFFER], 1);
    sim_pool_frame(&p);
    assert_int_equal(sim_pool_stats(&p).live_count[GPOOL_KIND_BUFFER], 0);
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_THREAD), 2);
    sim_pool_close(&p, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(handle_of_any_kind_dies_at_once_for_everybody),
        cmocka_unit_test(what_is_the_pools_own_outlives_all_threads),
        cmocka_unit_test(heap_destroyed_elsewhere_takes_its_meshes),
        cmocka_unit_test(bad_handles_give_on_any_thread_what_they_give_the_owner),
        cmocka_unit_test(repeated_failures_are_held_back),
        cmocka_unit_test(stale_message_names_label_and_frame_of_what_another_thread_destroyed),
        cmocka_unit_test(every_frame_call_does_what_is_left_of_a_destroy),
        cmocka_unit_test(pool_that_ends_does_what_is_left_and_tells_no_leak),
        cmocka_unit_test(work_recorded_before_still_runs),
        cmocka_unit_test(members_of_a_scope_ended_elsewhere_live_until_a_frame_call),
        cmocka_unit_test(what_dies_twice_is_retired_once),
        cmocka_unit_test(frame_import_destroyed_elsewhere_ends_once),
        cmocka_unit_test(guessed_handle_of_a_create_that_fails_does_no_harm),
        cmocka_unit_test(create_whose_handle_was_guessed_returns_a_stale_one),
        cmocka_unit_test(pool_is_handed_over_and_back),
        cmocka_unit_test(thread_that_gave_the_pool_away_is_refused),
    };
    return cmocka_run_group_tests_name("thread_rules", tests, NULL, NULL);
}
