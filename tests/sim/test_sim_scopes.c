/* Scopes, references, moves and leak reports, on the simulator. */
#include "sim_pool.h"

static const gpool_scope root = { 0 };

static gpool__place place_of(uint64_t id)
{
    return (gpool__place)(id & 0xfffffffu);
}

static void what_names_no_scope_belongs_to_the_root_scope(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_scope_info empty = sim_pool_info(&p, root);
    for (int kind = 0; kind < GPOOL_KIND_COUNT; ++kind) {
        assert_int_equal(empty.subtree.count[kind], 0);
    }
    gpool_buffer buffer = sim_pool_buffer(&p, root, 100, "plain");
    gpool_sampler sampler = gpool_sampler_create(p.pool, NULL);
    gpool_scope_info info = sim_pool_info(&p, root);
    assert_int_equal(info.own.count[GPOOL_KIND_BUFFER], 1);
    assert_int_equal(info.own.bytes[GPOOL_KIND_BUFFER], 100);
    assert_int_equal(info.own.count[GPOOL_KIND_SAMPLER], 1);
    assert_int_equal(info.parent.id, 0);
    assert_string_equal(info.label, "tested");
    assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
    assert_same(gpool_sampler_destroy(p.pool, sampler), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void scope_counts_what_is_in_it_and_in_its_scopes(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    sim_pool_frame(&p);
    gpool_scope world = sim_pool_scope(&p, root, "world");
    gpool_scope tile = sim_pool_scope(&p, world, "tile");
    gpool_scope other = sim_pool_scope(&p, world, "other");
    (void)sim_pool_buffer(&p, world, 1000, "a");
    gpool_buffer b = sim_pool_buffer(&p, tile, 200, "b");
    gpool_texture_desc texture = { .width = 8,
                                   .height = 8,
                                   .format = WGPUTextureFormat_RGBA8Unorm,
                                   .usage = GPOOL_TEXTURE_SAMPLED,
                                   .scope = other };
    gpool_texture c = gpool_texture_create(p.pool, &texture);
    gpool_scope_info info = sim_pool_info(&p, world);
    assert_int_equal(info.child_count, 2);
    assert_int_equal(info.created_frame, 1);
    assert_string_equal(info.label, "world");
    assert_int_equal(info.own.count[GPOOL_KIND_BUFFER], 1);
    assert_int_equal(info.own.count[GPOOL_KIND_SCOPE], 2);
    assert_int_equal(info.subtree.count[GPOOL_KIND_BUFFER], 2);
    assert_int_equal(info.subtree.bytes[GPOOL_KIND_BUFFER], 1200);
    assert_int_equal(info.own.count[GPOOL_KIND_TEXTURE], 0);
    assert_int_equal(info.subtree.count[GPOOL_KIND_TEXTURE], 1);
    assert_int_equal(info.subtree.bytes[GPOOL_KIND_TEXTURE], 8 * 8 * 4);
    assert_int_equal(sim_pool_info(&p, tile).parent.id, world.id);
    assert_int_equal(sim_pool_info(&p, tile).subtree.bytes[GPOOL_KIND_TEXTURE], 0);
    /* A resize changes bytes, not counts; what it replaced is nobody's. */
    assert_same(gpool_buffer_resize(p.pool, b, 500), GPOOL_OK);
    assert_same(gpool_texture_resize(p.pool, c, 4, 4, 0), GPOOL_OK);
    info = sim_pool_info(&p, world);
    assert_int_equal(info.subtree.count[GPOOL_KIND_BUFFER], 2);
    assert_int_equal(info.subtree.bytes[GPOOL_KIND_BUFFER], 1500);
    assert_int_equal(info.subtree.bytes[GPOOL_KIND_TEXTURE], 4 * 4 * 4);
    assert_same(gpool_buffer_destroy(p.pool, b), GPOOL_OK);
    assert_int_equal(sim_pool_info(&p, world).subtree.bytes[GPOOL_KIND_BUFFER], 1000);
    assert_true(gpool__pool_validate(p.pool));
    assert_same(gpool_scope_end(p.pool, world), GPOOL_OK);
    assert_int_equal(sim_pool_info(&p, root).subtree.count[GPOOL_KIND_SCOPE], 0);
    sim_pool_close(&p, 0);
}

static void end_of_a_scope_destroys_all_in_it_inner_scopes_first(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, &(sim_desc){ .completion = SIM_COMPLETE_AT_SUBMIT });
    gpool_scope world = sim_pool_scope(&p, root, "world");
    gpool_buffer outer = sim_pool_buffer(&p, world, 64, "outer");
    gpool_scope tile = sim_pool_scope(&p, world, "tile");
    gpool_buffer inner = sim_pool_buffer(&p, tile, 64, "inner");
    for (uint32_t i = 2; i < GPOOL__FREE_MIN; ++i) {
        (void)sim_pool_buffer(&p, tile, 64, "inner");
    }
    gpool_buffer outside = sim_pool_buffer(&p, root, 64, "outside");
    const uint64_t before = sim_live(p.s, SIM_KIND_BUFFER);
    assert_same(gpool_scope_end(p.pool, world), GPOOL_OK);
    assert_false(sim_pool_is_alive(&p, outer));
    assert_false(sim_pool_is_alive(&p, inner));
    assert_true(sim_pool_is_alive(&p, outside));
    gpool_scope_info info;
    assert_same(gpool_scope_get_info(p.pool, world, &info), GPOOL_ERROR_STALE_HANDLE);
    assert_same(gpool_scope_get_info(p.pool, tile, &info), GPOOL_ERROR_STALE_HANDLE);
    assert_same(gpool_scope_end(p.pool, world), GPOOL_ERROR_STALE_HANDLE);
    assert_int_equal(sim_pool_stats(&p).live_count[GPOOL_KIND_SCOPE], 0);
    sim_pool_frame(&p);
    assert_int_equal(sim_live(p.s, SIM_KIND_BUFFER), before);
    /* One call frees as many as the inner scope held, itself counted; the outer one waits. */
    sim_pool_frame(&p);
    assert_int_equal(sim_live(p.s, SIM_KIND_BUFFER), 2);
    assert_int_equal(sim_pool_stats(&p).retired_count, 2);
    sim_pool_frame(&p);
    assert_int_equal(sim_live(p.s, SIM_KIND_BUFFER), 1);
    assert_same(gpool_buffer_destroy(p.pool, outside), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void null_scope_ends_in_silence_and_leaves_the_root_scope(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_buffer buffer = sim_pool_buffer(&p, root, 4, "kept");
    assert_same(gpool_scope_end(p.pool, root), GPOOL_OK);
    assert_same(gpool_release(p.pool, 0), GPOOL_OK);
    assert_true(sim_pool_is_alive(&p, buffer));
    assert_int_equal(sim_pool_stats(&p).errors, 0);
    sim_pool_close(&p, 1);
}

/* In a frame, with a recorder that names what ends, here in a scope inside the one that ends. */
static void work_recorded_before_the_end_still_runs(void **state)
{
    (void)state;
    for (int personality = SIM_WGPU_NATIVE; personality <= SIM_DAWN; ++personality) {
        sim_pool p;
        sim_pool_open(&p, &(sim_desc){ .personality = (sim_personality)personality });
        gpool_scope world = sim_pool_scope(&p, root, "world");
        gpool_scope tile = sim_pool_scope(&p, world, "tile");
        const uint32_t words[2] = { 0x11111111, 0x22222222 };
        gpool_buffer from = sim_pool_buffer(&p, tile, 8, "from");
        gpool_buffer to = sim_pool_buffer(&p, root, 8, "to");
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        gpool_recorder rec = gpool_frame_recorder(p.pool);
        gpool_copy_buffer(rec, from, 0, to, 0, 8);
        assert_same(gpool_buffer_write(p.pool, from, 0, words, 8), GPOOL_OK); /* dirty at the end */
        assert_same(gpool_scope_end(p.pool, world), GPOOL_OK);
        gpool_copy_buffer(rec, from, 0, to, 0, 8); /* but naming it afterwards is refused */
        assert_same(gpool_end_frame(p.pool), GPOOL_ERROR_STALE_HANDLE);
        uint32_t got[2] = { 0 };
        assert_same(gpool_buffer_read(p.pool, to, 0, got, sizeof got), GPOOL_OK);
        assert_int_equal(got[0], words[0]);
        assert_int_equal(got[1], words[1]);
        assert_same(gpool_buffer_destroy(p.pool, to), GPOOL_OK);
        sim_pool_close(&p, 0);
    }
}

static void moved_resource_outlives_its_first_scope(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_scope world = sim_pool_scope(&p, root, "world");
    gpool_scope tile = sim_pool_scope(&p, world, "tile");
    gpool_scope cache = sim_pool_scope(&p, root, "cache");
    gpool_buffer buffers[5];
    for (uint32_t i = 0; i < 5; ++i) {
        buffers[i] = sim_pool_buffer(&p, tile, 100u * (i + 1u), "five");
    }
    /* From the middle, the front and the back of the list. */
    assert_same(gpool_move(p.pool, buffers[2].id, cache), GPOOL_OK);
    assert_same(gpool_move(p.pool, buffers[4].id, cache), GPOOL_OK);
    assert_same(gpool_move(p.pool, buffers[0].id, root), GPOOL_OK);
    assert_same(gpool_move(p.pool, buffers[0].id, root), GPOOL_OK); /* where it is */
    assert_true(gpool__pool_validate(p.pool));
    assert_int_equal(sim_pool_info(&p, cache).own.bytes[GPOOL_KIND_BUFFER], 300 + 500);
    assert_int_equal(sim_pool_info(&p, world).subtree.bytes[GPOOL_KIND_BUFFER], 200 + 400);
    assert_int_equal(sim_pool_info(&p, root).own.bytes[GPOOL_KIND_BUFFER], 100);
    assert_same(gpool_scope_end(p.pool, world), GPOOL_OK);
    for (uint32_t i = 0; i < 5; ++i) {
        assert_same(sim_pool_is_alive(&p, buffers[i]), i % 2 == 0);
    }
    assert_same(gpool_scope_end(p.pool, cache), GPOOL_OK);
    assert_false(sim_pool_is_alive(&p, buffers[2]));
    assert_same(gpool_buffer_destroy(p.pool, buffers[0]), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void scope_moves_with_all_in_it_but_never_into_itself(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_scope a = sim_pool_scope(&p, root, "a");
    gpool_scope b = sim_pool_scope(&p, a, "b");
    gpool_scope c = sim_pool_scope(&p, b, "c");
    gpool_scope other = sim_pool_scope(&p, root, "other");
    gpool_buffer buffer = sim_pool_buffer(&p, c, 64, "deep");
    const gpool_scope inside[] = { a, b, c };
    for (size_t i = 0; i < UNIT_COUNT(inside); ++i) {
        assert_same(gpool_move(p.pool, a.id, inside[i]), GPOOL_ERROR_INVALID_ARGUMENT);
    }
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_ARGUMENT_VALUE), 3);
    assert_true(gpool__pool_validate(p.pool));
    assert_same(gpool_move(p.pool, b.id, other), GPOOL_OK);
    assert_int_equal(sim_pool_info(&p, b).parent.id, other.id);
    assert_int_equal(sim_pool_info(&p, a).subtree.count[GPOOL_KIND_BUFFER], 0);
    assert_same(gpool_scope_end(p.pool, a), GPOOL_OK);
    assert_true(sim_pool_is_alive(&p, buffer));
    assert_same(gpool_move(p.pool, c.id, root), GPOOL_OK);
    assert_same(gpool_move(p.pool, other.id, c), GPOOL_OK); /* what was around is inside now */
    assert_int_equal(sim_pool_info(&p, c).subtree.count[GPOOL_KIND_SCOPE], 2);
    assert_same(gpool_scope_end(p.pool, c), GPOOL_OK);
    assert_false(sim_pool_is_alive(&p, buffer));
    gpool_layout own = gpool_uniform_layout(p.pool);
    assert_same(gpool_move(p.pool, own.id, root), GPOOL_ERROR_INVALID_ARGUMENT);
    sim_pool_close(&p, 0);
}

static void equal_samplers_and_layouts_are_shared_within_a_scope_only(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_scope scopes[2] = { sim_pool_scope(&p, root, "one"), sim_pool_scope(&p, root, "two") };
    gpool_sampler samplers[2][2];
    gpool_layout layouts[2][2];
    gpool_layout_entry entry = { .binding = 0, .dynamic_offset = true };
    for (int i = 0; i < 4; ++i) {
        gpool_sampler_desc sampler = { .lod_max = 5.0f, .scope = scopes[i / 2] };
        samplers[i / 2][i % 2] = gpool_sampler_create(p.pool, &sampler);
        gpool_layout_desc layout = { .entries = &entry, .entry_count = 1, .scope = scopes[i / 2] };
        layouts[i / 2][i % 2] = gpool_layout_create(p.pool, &layout);
    }
    for (int i = 0; i < 2; ++i) {
        assert_int_equal(samplers[i][0].id, samplers[i][1].id);
        assert_int_equal(layouts[i][0].id, layouts[i][1].id);
        assert_int_equal(sim_pool_info(&p, scopes[i]).own.count[GPOOL_KIND_SAMPLER], 1);
    }
    assert_int_not_equal(samplers[0][0].id, samplers[1][0].id);
    assert_int_not_equal(layouts[0][0].id, layouts[1][0].id);
    gpool_sampler_desc told;
    assert_same(gpool_sampler_get_desc(p.pool, samplers[1][0], &told), GPOOL_OK);
    assert_int_equal(told.scope.id, scopes[1].id);
    /* The pool's own layout counts as the root scope's. */
    gpool_layout_desc uniform = { .entries = &entry, .entry_count = 1 };
    assert_int_equal(gpool_layout_create(p.pool, &uniform).id, gpool_uniform_layout(p.pool).id);
    assert_same(gpool_layout_destroy(p.pool, gpool_uniform_layout(p.pool)), GPOOL_OK);
    /* Two shares: one destroy leaves it, the end of the scope takes it with all shares. */
    assert_same(gpool_sampler_destroy(p.pool, samplers[0][0]), GPOOL_OK);
    assert_non_null(gpool_sampler_gpu(p.pool, samplers[0][0]));
    assert_same(gpool_scope_end(p.pool, scopes[1]), GPOOL_OK);
    assert_null(gpool_sampler_gpu(p.pool, samplers[1][0]));
    assert_non_null(gpool_sampler_gpu(p.pool, samplers[0][0]));
    assert_non_null(gpool_layout_gpu(p.pool, layouts[0][0]));
    assert_same(gpool_sampler_destroy(p.pool, samplers[0][1]), GPOOL_OK);
    assert_null(gpool_sampler_gpu(p.pool, samplers[0][0]));
    assert_same(gpool_scope_end(p.pool, scopes[0]), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void last_release_destroys_and_destroy_forces(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_buffer shared = sim_pool_buffer(&p, root, 64, "shared");
    assert_same(gpool_retain(p.pool, shared.id), GPOOL_OK);
    assert_same(gpool_release(p.pool, shared.id), GPOOL_OK);
    assert_true(sim_pool_is_alive(&p, shared));
    assert_same(gpool_release(p.pool, shared.id), GPOOL_OK);
    assert_false(sim_pool_is_alive(&p, shared));
    assert_same(gpool_release(p.pool, shared.id), GPOOL_ERROR_STALE_HANDLE);
    assert_same(gpool_retain(p.pool, shared.id), GPOOL_ERROR_STALE_HANDLE);
    gpool_buffer forced = sim_pool_buffer(&p, root, 64, "forced");
    assert_same(gpool_retain(p.pool, forced.id), GPOOL_OK);
    assert_same(gpool_buffer_destroy(p.pool, forced), GPOOL_OK);
    assert_false(sim_pool_is_alive(&p, forced));
    /* A scope is ended by its last release, or at once; members go whatever their references. */
    gpool_scope scope = sim_pool_scope(&p, root, "scope");
    gpool_buffer member = sim_pool_buffer(&p, scope, 64, "member");
    assert_same(gpool_retain(p.pool, member.id), GPOOL_OK);
    assert_same(gpool_retain(p.pool, scope.id), GPOOL_OK);
    assert_same(gpool_release(p.pool, scope.id), GPOOL_OK);
    assert_true(sim_pool_is_alive(&p, member));
    assert_same(gpool_release(p.pool, scope.id), GPOOL_OK);
    assert_false(sim_pool_is_alive(&p, member));
    assert_same(gpool_release(p.pool, gpool_uniform_layout(p.pool).id),
                GPOOL_ERROR_INVALID_ARGUMENT);
    sim_pool_close(&p, 0);
}

static void create_in_an_ended_scope_changes_nothing(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_scope scope = sim_pool_scope(&p, root, "over");
    assert_same(gpool_scope_end(p.pool, scope), GPOOL_OK);
    const gpool_stats before = sim_pool_stats(&p);
    gpool_buffer_desc desc = { .size = 64, .usage = GPOOL_BUFFER_VERTEX, .scope = scope };
    assert_int_equal(gpool_buffer_create(p.pool, &desc).id, 0);
    assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_STALE_HANDLE);
    gpool_sampler_desc sampler = { .scope = scope };
    assert_int_equal(gpool_sampler_create(p.pool, &sampler).id, 0);
    assert_int_equal(gpool_scope_create(p.pool, &(gpool_scope_desc){ .parent = scope }).id, 0);
    const gpool_stats after = sim_pool_stats(&p);
    assert_int_equal(after.created, before.created);
    assert_int_equal(after.gpu_calls, before.gpu_calls);
    assert_int_equal(after.cpu_bytes, before.cpu_bytes);
    assert_true(gpool__pool_validate(p.pool));
    sim_pool_close(&p, 0);
}

static void import_of_a_frame_leaves_its_scope_with_the_frame(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    WGPUBuffer raw = p.table.DeviceCreateBuffer(
        gpool_device_raw(p.device),
        &(WGPUBufferDescriptor){ .usage = WGPUBufferUsage_CopySrc, .size = 64 });
    gpool_scope scope = sim_pool_scope(&p, root, "of frames");
    for (int i = 0; i < 4; ++i) {
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        gpool_buffer_import_desc desc = {
            .buffer = raw, .usage = GPOOL_BUFFER_COPY_SOURCE, .this_frame = true, .scope = scope
        };
        gpool_buffer import = gpool_buffer_import(p.pool, &desc);
        assert_int_equal(sim_pool_info(&p, scope).own.count[GPOOL_KIND_BUFFER], 1);
        if (i == 3) {
            assert_same(gpool_scope_end(p.pool, scope), GPOOL_OK);
        }
        assert_same(gpool_end_frame(p.pool), GPOOL_OK);
        assert_false(sim_pool_is_alive(&p, import));
        assert_true(gpool__pool_validate(p.pool));
    }
    p.table.BufferRelease(raw);
    sim_pool_close(&p, 0);
}

static void leak_is_told_with_label_kind_bytes_frame_and_path(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    for (int i = 0; i < 7; ++i) {
        sim_pool_frame(&p);
    }
    gpool_scope world = sim_pool_scope(&p, root, "world");
    gpool_scope tile = sim_pool_scope(&p, world, "tile");
    gpool_buffer buffer = sim_pool_buffer(&p, tile, 4708, "lost one");
    char path[64];
    const gpool__resource *leaked = gpool__resource_at(p.pool, place_of(buffer.id));
    assert_string_equal(gpool__scope_path(p.pool, leaked, path, sizeof path), "root/world/tile");
    assert_same(gpool_move(p.pool, buffer.id, root), GPOOL_OK);
    assert_same(gpool_scope_end(p.pool, world), GPOOL_OK);
    sim_pool_close(&p, 1);
    const char *told = p.text[GPOOL_LOG_LEAK];
    assert_non_null(strstr(told, "buffer"));
    assert_non_null(strstr(told, "\"lost one\""));
    assert_non_null(strstr(told, "[4708]"));
    assert_non_null(strstr(told, "[7]"));
    assert_non_null(strstr(told, "\"root\""));
}

static void each_of_many_leaks_is_told_scopes_too(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_scope world = sim_pool_scope(&p, root, "world");
    (void)sim_pool_scope(&p, world, "tile");
    for (int i = 0; i < 1000; ++i) {
        (void)sim_pool_buffer(&p, world, 4, "lost");
    }
    sim_pool_close(&p, 1002);
    /* Scopes come last. */
    assert_non_null(strstr(p.text[GPOOL_LOG_LEAK], "\"tile\""));
    assert_non_null(strstr(p.text[GPOOL_LOG_LEAK], "\"root/world\""));
}

static void path_that_is_too_long_keeps_its_end(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_scope first = sim_pool_scope(&p, root, "first");
    gpool_scope deep = first;
    for (int i = 0; i < 400; ++i) {
        deep = sim_pool_scope(&p, deep, i % 50 == 49 ? "" : "deep");
    }
    char label[2000];
    memset(label, 'x', sizeof label);
    label[sizeof label - 1] = '\0';
    gpool_scope longest = sim_pool_scope(&p, first, label);
    const gpool_buffer buffers[] = { sim_pool_buffer(&p, deep, 4, "in the deep"),
                                     sim_pool_buffer(&p, longest, 4, "in the long one") };
    for (size_t i = 0; i < UNIT_COUNT(buffers); ++i) {
        const gpool__resource *leaked = gpool__resource_at(p.pool, place_of(buffers[i].id));
        for (size_t size = 8; size < 1000; ++size) {
            char path[1001];
            memset(path, '#', sizeof path);
            const char *text = gpool__scope_path(p.pool, leaked, path, size);
            assert_int_equal(path[size], '#');
            assert_true(text >= path && text + strlen(text) == path + size - 1);
            assert_int_equal(strncmp(text, "...", 3), 0);
        }
    }
    char path[40];
    const gpool__resource *leaked = gpool__resource_at(p.pool, place_of(buffers[0].id));
    assert_string_equal(gpool__scope_path(p.pool, leaked, path, sizeof path),
                        ".../deep/deep/deep/deep/(no label)");
    assert_same(gpool_scope_end(p.pool, first), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void stale_member_is_named_with_the_frame_of_its_end(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_scope scope = sim_pool_scope(&p, root, "scope");
    gpool_buffer buffer = sim_pool_buffer(&p, scope, 64, "member");
    for (int i = 0; i < 4711; ++i) {
        sim_pool_frame(&p);
    }
    assert_same(gpool_scope_end(p.pool, scope), GPOOL_OK);
    sim_pool_frame(&p);
    assert_same(gpool_buffer_write(p.pool, buffer, 0, "x", 1), GPOOL_ERROR_STALE_HANDLE);
    assert_non_null(strstr(p.text[GPOOL_LOG_HANDLE_STALE], "\"member\""));
    assert_non_null(strstr(p.text[GPOOL_LOG_HANDLE_STALE], "[4711]"));
    assert_same(gpool_scope_end(p.pool, scope), GPOOL_ERROR_STALE_HANDLE);
    assert_non_null(strstr(p.text[GPOOL_LOG_HANDLE_STALE], "\"scope\""));
    assert_non_null(strstr(p.text[GPOOL_LOG_HANDLE_STALE], "[4711]"));
    sim_pool_close(&p, 0);
}

#define DEPTH 100000u
#define STACK ((size_t)256 << 10)

static void *go_deep(void *user)
{
    sim_pool *p = user;
    assert_same(gpool_own(p->pool), GPOOL_OK);
    gpool_scope first = sim_pool_scope(p, root, "first");
    gpool_scope scope = first;
    for (uint32_t i = 1; i < DEPTH; ++i) {
        scope = sim_pool_scope(p, scope, "deep");
        if (i % 1000 == 0) {
            (void)sim_pool_buffer(p, scope, 64, "here and there");
        }
    }
    gpool_scope_info info = sim_pool_info(p, first);
    assert_int_equal(info.subtree.count[GPOOL_KIND_SCOPE], DEPTH - 1);
    assert_int_equal(info.subtree.count[GPOOL_KIND_BUFFER], (DEPTH - 1) / 1000);
    assert_same(gpool_move(p->pool, first.id, scope), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_true(gpool__pool_validate(p->pool));
    assert_same(gpool_scope_end(p->pool, first), GPOOL_OK);
    assert_true(gpool__pool_validate(p->pool));
    assert_int_equal(sim_pool_stats(p).live_count[GPOOL_KIND_SCOPE], 0);
    assert_int_equal(sim_pool_stats(p).live_count[GPOOL_KIND_BUFFER], 0);
    return NULL;
}

static void hundred_thousand_scopes_deep_fit_a_small_stack(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    pthread_attr_t small;
    pthread_t thread;
    assert_int_equal(pthread_attr_init(&small), 0);
    assert_int_equal(pthread_attr_setstacksize(&small, STACK), 0);
    assert_int_equal(pthread_create(&thread, &small, go_deep, &p), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    (void)pthread_attr_destroy(&small);
    assert_same(gpool_own(p.pool), GPOOL_OK);
    while (sim_pool_stats(&p).retired_count > 0) {
        sim_pool_frame(&p);
    }
    assert_int_equal(sim_live(p.s, SIM_KIND_BUFFER), 0);
    sim_pool_close(&p, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_names_no_scope_belongs_to_the_root_scope),
        cmocka_unit_test(scope_counts_what_is_in_it_and_in_its_scopes),
        cmocka_unit_test(end_of_a_scope_destroys_all_in_it_inner_scopes_first),
        cmocka_unit_test(null_scope_ends_in_silence_and_leaves_the_root_scope),
        cmocka_unit_test(work_recorded_before_the_end_still_runs),
        cmocka_unit_test(moved_resource_outlives_its_first_scope),
        cmocka_unit_test(scope_moves_with_all_in_it_but_never_into_itself),
        cmocka_unit_test(equal_samplers_and_layouts_are_shared_within_a_scope_only),
        cmocka_unit_test(last_release_destroys_and_destroy_forces),
        cmocka_unit_test(create_in_an_ended_scope_changes_nothing),
        cmocka_unit_test(import_of_a_frame_leaves_its_scope_with_the_frame),
        cmocka_unit_test(leak_is_told_with_label_kind_bytes_frame_and_path),
        cmocka_unit_test(each_of_many_leaks_is_told_scopes_too),
        cmocka_unit_test(path_that_is_too_long_keeps_its_end),
        cmocka_unit_test(stale_member_is_named_with_the_frame_of_its_end),
        cmocka_unit_test(hundred_thousand_scopes_deep_fit_a_small_stack),
    };
    return cmocka_run_group_tests_name("scopes", tests, NULL, NULL);
}
