/* Destroy while mapped, resizes that fail, stale bind groups. */
#include "bounds.h"

#include <inttypes.h>

/* --- row 21: destroy while mapped or while a map is pending --- */

static const sim_delivery deliveries[] = { SIM_DELIVER_AT_POLL, SIM_DELIVER_INLINE,
                                           SIM_DELIVER_ON_THREAD };

/* What happens between a read that gave up and the answer of its map. */
typedef enum mapped_end {
    END_ANSWER_FIRST,
    END_DESTROY,
    END_RESIZE,
    END_READ_AGAIN,
    END_POOL,
    END_COUNT
} mapped_end;

static void read_gives_up(sim_personality personality, sim_delivery delivery, mapped_end end)
{
    bounds_world w;
    sim_desc manners = { .personality = personality, .delivery = delivery };
    bounds_open_desc(&w, &manners, NULL);
    gpool *pool = bounds_pool_desc(
        &w, &(gpool_desc){ .compile_workers = GPOOL_WORKERS_NONE, .wait_timeout_ms = 1 });
    uint8_t bytes[64];
    uint8_t target[64];
    bounds_fill(bytes, sizeof bytes, 21);
    memset(target, 0xee, sizeof target);
    gpool_buffer_desc buffer_desc = { .data = bytes,
                                      .size = sizeof bytes,
                                      .usage = GPOOL_BUFFER_READ_BACK | GPOOL_BUFFER_COPY_TARGET };
    gpool_buffer buffer = gpool_buffer_create(pool, &buffer_desc);
    sim_set_completion(w.s, SIM_COMPLETE_MANUALLY, 0);
    assert_same(gpool_buffer_read(pool, buffer, 0, target, 64), GPOOL_ERROR_TIMEOUT);
    for (size_t i = 0; i < sizeof target; ++i) {
        assert_same(target[i], 0xee);
    }
    if (end == END_ANSWER_FIRST) {
        (void)sim_complete(w.s, SIM_ALL);
        assert_same(gpool_device_poll(w.device), GPOOL_OK);
    } else if (end == END_RESIZE) {
        assert_same(gpool_buffer_resize(pool, buffer, 128), GPOOL_OK);
    } else if (end == END_READ_AGAIN) {
        assert_same(gpool_buffer_read(pool, buffer, 0, target, 64), GPOOL_ERROR_TIMEOUT);
    }
    if (end != END_POOL) {
        assert_same(gpool_buffer_destroy(pool, buffer), GPOOL_OK);
    }
    if (end == END_POOL || end == END_DESTROY) {
        gpool_destroy(pool);
        pool = NULL;
    }
    (void)sim_complete(w.s, SIM_ALL);
    assert_same(gpool_device_poll(w.device), GPOOL_OK);
    sim_drain(w.s);
    gpool_destroy(pool);
    sim_set_completion(w.s, SIM_COMPLETE_AT_POLL, 0);
    bounds_close(&w);
}

static void fault_row_21_destroy_while_a_map_is_pending(void **state)
{
    for (size_t d = 0; d < UNIT_COUNT(deliveries); ++d) {
        for (int end = 0; end < END_COUNT; ++end) {
            read_gives_up(bounds_personality(state), deliveries[d], (mapped_end)end);
        }
    }
}

static void on_map(WGPUMapAsyncStatus status, WGPUStringView message, void *count, void *unused)
{
    (void)status;
    (void)message;
    (void)unused;
    *(uint32_t *)count += 1;
}

/* A foreign buffer in every map state, given up in every way; nothing names it in a submit. */
static void imports_in_map_states(sim_personality personality, sim_delivery delivery, int map,
                                  int end)
{
    bounds_world w;
    sim_desc manners = { .personality = personality, .delivery = delivery };
    bounds_open_desc(&w, &manners, NULL);
    uint32_t answers = 0;
    WGPUBufferDescriptor raw_desc = { .usage = WGPUBufferUsage_MapRead | WGPUBufferUsage_CopyDst,
                                      .size = 64,
                                      .mappedAtCreation = map == 3 };
    WGPUBuffer raw = w.table.DeviceCreateBuffer(gpool_device_raw(w.device), &raw_desc);
    if (map == 1 || map == 2) {
        WGPUBufferMapCallbackInfo info = { .mode = WGPUCallbackMode_AllowProcessEvents,
                                           .callback = on_map,
                                           .userdata1 = &answers };
        (void)w.table.BufferMapAsync(raw, WGPUMapMode_Read, 0, 64, info);
    }
    if (map == 2) {
        assert_same(gpool_device_poll(w.device), GPOOL_OK);
        sim_drain(w.s);
    }
    gpool *pool = bounds_pool(&w, "importing");
    assert_same(gpool_begin_frame(pool), GPOOL_OK);
    gpool_buffer_import_desc desc = { .buffer = raw,
                                      .usage = GPOOL_BUFFER_COPY_TARGET,
                                      .this_frame = end == 1 };
    gpool_buffer buffer = gpool_buffer_import(pool, &desc);
    assert_int_not_equal(buffer.id, 0);
    if (end == 0) {
        assert_same(gpool_buffer_destroy(pool, buffer), GPOOL_OK);
    }
    if (end != 2) {
        assert_same(gpool_end_frame(pool), GPOOL_OK);
        assert_same(gpool_tick(pool), GPOOL_OK);
        assert_same(gpool_buffer_destroy(pool, buffer), GPOOL_ERROR_STALE_HANDLE);
    }
    gpool_destroy(pool);
    w.table.BufferRelease(raw); /* the caller's own reference is untouched */
    assert_same(gpool_device_poll(w.device), GPOOL_OK);
    sim_drain(w.s);
    assert_same(answers, map == 1 || map == 2);
    bounds_close(&w);
}

static void fault_row_21_imports_in_every_map_state(void **state)
{
    for (size_t d = 0; d < UNIT_COUNT(deliveries); ++d) {
        for (int i = 0; i < 4 * 3; ++i) {
            imports_in_map_states(bounds_personality(state), deliveries[d], i / 3, i % 3);
        }
    }
}

/* --- row 24: a resize that fails half way --- */

#define RESIZED 6

/* One of the resources that are resized; all have levels or bytes that are seen. */
typedef struct resized {
    gpool_buffer buffer;
    gpool_texture texture;
    uint8_t bytes[512];
    uint32_t size;
} resized;

static resized resized_make(bounds_world *w, int which)
{
    static const gpool_buffer_usage usages[] = { GPOOL_BUFFER_VERTEX, GPOOL_BUFFER_STORAGE_WRITE,
                                                 GPOOL_BUFFER_COPY_TARGET };
    resized r = { .size = which < 3 ? 64 : 4 * 4 * 2 };
    bounds_fill(r.bytes, r.size, (uint64_t)which);
    if (which < 3) {
        r.buffer = bounds_buffer(w, r.bytes, r.size, usages[which] | GPOOL_BUFFER_READ_BACK);
    } else {
        gpool_texture_desc desc = { .width = 4,
                                    .height = 4,
                                    .depth_or_layers = 2,
                                    .dimension = which == 4 ? WGPUTextureDimension_3D : 0,
                                    .format = WGPUTextureFormat_R8Unorm,
                                    .mip_levels = which == 5 ? 3 : 1,
                                    .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK |
                                             GPOOL_TEXTURE_SAMPLED,
                                    .data = r.bytes,
                                    .data_size = r.size };
        r.texture = gpool_texture_create(w->pool, &desc);
        assert_int_not_equal(r.texture.id, 0);
        assert_non_null(gpool_texture_gpu_view(w->pool, r.texture, NULL, GPOOL_ACCESS_READ));
    }
    bounds_good(w, gpool_process_uploads(w->pool));
    bounds_settle(w);
    return r;
}

static gpool_result resized_resize(bounds_world *w, const resized *r)
{
    return r->buffer.id != 0 ? gpool_buffer_resize(w->pool, r->buffer, 2 * r->size)
                             : gpool_texture_resize(w->pool, r->texture, 8, 4, 2);
}

static void resized_check(bounds_world *w, const resized *r)
{
    uint8_t got[512];
    if (r->buffer.id != 0) {
        gpool_buffer_info info;
        bounds_good(w, gpool_buffer_get_info(w->pool, r->buffer, &info));
        bounds_must(w, info.size == r->size && info.version == 1 && !info.failed,
                    "the buffer is as before", info.size, info.version);
        bounds_same(w, r->buffer, r->bytes, r->size);
        return;
    }
    gpool_texture_info info;
    bounds_good(w, gpool_texture_get_info(w->pool, r->texture, &info));
    bounds_must(w, info.width == 4 && info.version == 1 && !info.failed && info.view_count == 1,
                "the texture is as before", info.width, info.version);
    bounds_good(w, gpool_texture_read(w->pool, r->texture, NULL, got, r->size));
    bounds_must(w, memcmp(got, r->bytes, r->size) == 0, "the texels are as before", 0, 0);
}

/* After the fault everything works, also the resize. */
static void resized_retry(bounds_world *w, resized *r)
{
    bounds_good(w, resized_resize(w, r));
    if (r->buffer.id != 0) {
        uint8_t expected[512] = { 0 };
        memcpy(expected, r->bytes, r->size);
        bounds_same(w, r->buffer, expected, 2 * r->size);
    } else {
        uint8_t got[8 * 4 * 2];
        bounds_good(w, gpool_texture_read(w->pool, r->texture, NULL, got, sizeof got));
        for (uint32_t i = 0; i < sizeof got; ++i) {
            uint8_t wanted = i % 8 < 4 ? r->bytes[i / 8 * 4 + i % 8] : 0;
            bounds_must(w, got[i] == wanted, "texels are kept, new ones zero", i, got[i]);
        }
    }
    bounds_settle(w);
}

/* Fails the k-th call (way) or block (way = SIM_WAY_COUNT) of a resize; false when there is none. */
static bool resize_with_fault(sim_personality personality, int which, sim_way way, uint64_t k)
{
    bounds_world w;
    bounds_open(&w, personality, NULL);
    resized r = resized_make(&w, which);
    gpool_stats before = bounds_stats(&w);
    if (way == SIM_WAY_COUNT) {
        w.memory.fail_in = k;
    } else {
        sim_fail(w.s, SIM_ANY_FUNCTION, k, way, false);
    }
    w.what = "a resize with a fault";
    gpool_result got = resized_resize(&w, &r);
    bool hit = way == SIM_WAY_COUNT ? w.memory.fail_in == 0 : sim_fail_hits(w.s) > 0;
    const int function = sim_fail_function(w.s);
    w.memory.fail_in = 0;
    sim_fail_none(w.s);
    /* Out of memory in a staging write loses the device: not this row. */
    bool lost = way == SIM_FAIL_OUT_OF_MEMORY &&
                (function == GPOOL_GPU_QueueWriteBuffer || function == GPOOL_GPU_QueueWriteTexture);
    if (!lost) {
        if (got != GPOOL_OK) {
            bounds_must(&w, hit, "a resize failed without a fault", k, (uint64_t)which);
            resized_check(&w, &r);
            gpool_stats now = bounds_stats(&w);
            assert_memory_equal(now.live_count, before.live_count, sizeof now.live_count);
            assert_memory_equal(now.live_bytes, before.live_bytes, sizeof now.live_bytes);
            resized_retry(&w, &r);
        }
        bounds_close(&w);
    } else {
        gpool_destroy(w.pool);
        gpool_device_release(w.device);
        assert_same(sim_fatal_count(w.s), 0);
        assert_same(sim_live(w.s, SIM_KIND_NONE), 0);
        assert_same(w.memory.blocks, 0);
        sim_destroy(w.s);
    }
    return hit;
}

static void fault_row_24_a_failed_resize_leaves_what_was(void **state)
{
    static const sim_way ways[] = { SIM_FAIL_VALIDATION, SIM_FAIL_OUT_OF_MEMORY, SIM_FAIL_NULL,
                                    SIM_WAY_COUNT };
    uint64_t points = 0;
    for (int which = 0; which < RESIZED; ++which) {
        for (size_t i = 0; i < UNIT_COUNT(ways); ++i) {
            uint64_t k = 1;
            while (resize_with_fault(bounds_personality(state), which, ways[i], k)) {
                k += 1;
                assert_true(k < 200);
            }
            points += k - 1;
        }
    }
    assert_true(points > 20);
    print_message("%" PRIu64 " faults\n", points);
}

/* --- row 25: stale bind groups --- */

static const char copy_wgsl[] = "@compute @workgroup_size(1) fn copy() {}\n";
static const char sample_wgsl[] = "@compute @workgroup_size(1) fn sample() {}\n";

/* Binding 1 gets the first word of binding 0. */
static void host_copy(const sim_work *work, void *user)
{
    uint64_t from_size = 0;
    uint64_t to_size = 0;
    const uint8_t *from = sim_work_buffer(work, 0, 0, &from_size);
    uint8_t *to = sim_work_buffer(work, 0, 1, &to_size);
    *(bool *)user = *(bool *)user || from == NULL || to == NULL || from_size < 4;
    if (from != NULL && to != NULL) {
        memcpy(to, from, 4);
    }
}

/* Binding 1 gets the first texel of the texture in binding 0. */
static void host_sample(const sim_work *work, void *user)
{
    sim_pixels pixels;
    uint64_t size = 0;
    uint8_t *to = sim_work_buffer(work, 0, 1, &size);
    if (to == NULL || !sim_work_texture(work, 0, 0, &pixels)) {
        *(bool *)user = true;
        return;
    }
    memcpy(to, pixels.bytes, 4);
}

typedef struct binder {
    bounds_world w;
    bool broken;
    gpool_layout layouts[2];
    gpool_pipeline pipelines[2];
    gpool_buffer out;
    gpool_sampler sampler;
} binder;

static void binder_open(binder *b, void **state)
{
    *b = (binder){ .broken = false };
    sim_desc manners = { .personality = bounds_personality(state), .reuse_handles = true };
    bounds_open_desc(&b->w, &manners, NULL);
    gpool *pool = b->w.pool;
    sim_register_shader(b->w.s, copy_wgsl, host_copy, &b->broken);
    sim_register_shader(b->w.s, sample_wgsl, host_sample, &b->broken);
    const char *const sources[2] = { copy_wgsl, sample_wgsl };
    for (int i = 0; i < 2; ++i) {
        gpool_layout_entry entries[3] = {
            { .binding = 0, .type = i == 0 ? GPOOL_BINDING_STORAGE : GPOOL_BINDING_TEXTURE },
            { .binding = 1, .type = GPOOL_BINDING_STORAGE_WRITE },
            { .binding = 2, .type = GPOOL_BINDING_SAMPLER },
        };
        for (int k = 0; k < 3; ++k) {
            entries[k].stages = WGPUShaderStage_Compute;
        }
        b->layouts[i] = bounds_layout(&b->w, entries, 3);
        gpool_shader shader = gpool_shader_create(pool, &(gpool_shader_desc){ .wgsl = sources[i] });
        gpool_compute_pipeline_desc desc = { .shader = shader, .layouts = { b->layouts[i] } };
        b->pipelines[i] = gpool_compute_pipeline_create(pool, &desc);
        bounds_good(&b->w, gpool_pipeline_status(pool, b->pipelines[i]));
    }
    b->out = bounds_buffer(&b->w, NULL, 4096, GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_READ_BACK);
    b->sampler = gpool_sampler_create(pool, NULL);
}

/* Records the dispatch that puts the bound resource's first word into word `at` of the output. */
static void binder_dispatch(binder *b, gpool_recorder rec, int which, gpool_buffer buffer,
                            gpool_texture texture, gpool_sampler sampler, uint32_t at)
{
    gpool_binding bindings[3] = {
        { .binding = 0, .buffer = buffer, .texture = texture },
        { .binding = 1, .buffer = b->out, .offset = at * UINT64_C(256), .size = 256 },
        { .binding = 2, .sampler = sampler },
    };
    gpool_begin_compute(rec, NULL);
    gpool_set_pipeline(rec, b->pipelines[which]);
    gpool_set_bindings(rec, 0, b->layouts[which], bindings, 3, NULL, 0);
    gpool_dispatch(rec, 1, 1, 1);
    gpool_end_pass(rec);
}

static void binder_check(binder *b, uint32_t at, uint32_t word)
{
    uint32_t got = 0;
    bounds_good(&b->w, gpool_buffer_read(b->w.pool, b->out, at * UINT64_C(256), &got, 4));
    bounds_must(&b->w, got == word, "the dispatch saw what was bound", got, word);
    assert_false(b->broken);
}

static gpool_texture make_texture(binder *b, uint32_t word)
{
    gpool_texture_desc desc = { .width = 1,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .usage = GPOOL_TEXTURE_SAMPLED,
                                .data = &word,
                                .data_size = 4 };
    gpool_texture texture = gpool_texture_create(b->w.pool, &desc);
    assert_int_not_equal(texture.id, 0);
    return texture;
}

/* In one frame each resource is bound, destroyed, made anew and bound again, many times over. */
static void fault_row_25_bound_resources_made_anew_in_one_frame(void **state)
{
    binder b;
    binder_open(&b, state);
    gpool *pool = b.w.pool;
    for (uint32_t frame = 0; frame < 60; ++frame) {
        gpool_recorder rec = bounds_begin(&b.w);
        uint32_t words[16];
        for (uint32_t i = 0; i < 16; ++i) {
            words[i] = frame * 100 + i + 1;
            gpool_sampler_desc sampler_desc = { .lod_max = (float)(i % 3 + 1) };
            gpool_sampler sampler = gpool_sampler_create(pool, &sampler_desc);
            if (i % 2 == 0) {
                gpool_buffer buffer = bounds_buffer(&b.w, &words[i], 4, GPOOL_BUFFER_STORAGE);
                binder_dispatch(&b, rec, 0, buffer, (gpool_texture){ 0 }, sampler, i);
                bounds_good(&b.w, gpool_buffer_destroy(pool, buffer));
            } else {
                gpool_texture texture = make_texture(&b, words[i]);
                binder_dispatch(&b, rec, 1, (gpool_buffer){ 0 }, texture, sampler, i);
                bounds_good(&b.w, gpool_texture_destroy(pool, texture));
            }
            bounds_good(&b.w, gpool_sampler_destroy(pool, sampler));
        }
        bounds_end(&b.w, false);
        for (uint32_t i = 0; i < 16; ++i) {
            binder_check(&b, i, words[i]);
        }
        if (frame % 3 == 0) {
            bounds_settle(&b.w); /* raw handles come again at once */
        }
    }
    assert_true(bounds_stats(&b.w).bind_groups <= 1); /* all but what is bound now went */
    bounds_close(&b.w);
}

/* The handle stays, the object behind it is another: between two submits of a frame. */
static void fault_row_25_resized_resources_are_bound_anew(void **state)
{
    binder b;
    binder_open(&b, state);
    gpool *pool = b.w.pool;
    uint32_t word = 1;
    gpool_buffer buffer = bounds_buffer(&b.w, &word, 4, GPOOL_BUFFER_STORAGE);
    gpool_texture texture = make_texture(&b, word);
    uint64_t size = 4;
    for (uint32_t round = 0; round < 100; ++round) {
        bounds_good(&b.w, gpool_begin_frame(pool));
        for (uint32_t part = 0; part < 3; ++part) {
            word = round * 10 + part + 1;
            size = 4 + size % 32;
            bounds_good(&b.w, gpool_buffer_resize(pool, buffer, size));
            bounds_good(&b.w, gpool_buffer_write(pool, buffer, 0, &word, 4));
            bounds_good(&b.w, gpool_texture_resize(pool, texture, 1 + word % 5, 1, 0));
            gpool_texture_region one = { .width = 1, .height = 1 };
            bounds_good(&b.w, gpool_texture_write(pool, texture, &one, &word, 4, 0));
            gpool_recorder rec = gpool_frame_recorder(pool);
            binder_dispatch(&b, rec, 0, buffer, (gpool_texture){ 0 }, b.sampler, 2 * part);
            binder_dispatch(&b, rec, 1, (gpool_buffer){ 0 }, texture, b.sampler, 2 * part + 1);
            /* While it is recorded it cannot be resized. */
            assert_same(gpool_buffer_resize(pool, buffer, size + 4), GPOOL_ERROR_RECORDED);
            bounds_good(&b.w, gpool_submit(pool));
            binder_check(&b, 2 * part, word);
            binder_check(&b, 2 * part + 1, word);
        }
        bounds_good(&b.w, gpool_end_frame(pool));
        if (round % 7 == 0) {
            bounds_settle(&b.w);
        }
    }
    bounds_close(&b.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOUNDS_TEST(fault_row_21_destroy_while_a_map_is_pending),
        BOUNDS_TEST(fault_row_21_imports_in_every_map_state),
        BOUNDS_TEST(fault_row_24_a_failed_resize_leaves_what_was),
        BOUNDS_TEST(fault_row_25_bound_resources_made_anew_in_one_frame),
        BOUNDS_TEST(fault_row_25_resized_resources_are_bound_anew),
    };
    return cmocka_run_group_tests_name("fault objects", tests, NULL, NULL);
}
