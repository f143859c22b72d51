/* Numbers that are no offsets: handles, names, counts, times, samplers, sources, tracked values. */
#include "bounds.h"

#include <inttypes.h>
#include <math.h>

/* --- pure functions --- */

static void fields_of_handles(void **state)
{
    (void)state;
    bounds_set values = bounds_values((uint64_t)GPOOL_KIND_PIPELINE << 24);
    for (uint32_t i = 0; i < values.count; ++i) {
        uint64_t id = values.v[i];
        assert_same(gpool_handle_slot(id), id % 16777216);
        assert_same(gpool_handle_kind(id), id / 16777216 % 16);
        assert_same(gpool_handle_tag(id), id / 16777216 / 16 % 16);
        assert_same(gpool_handle_generation(id), id / 4294967296);
    }
}

static void names_of_any_number(void **state)
{
    (void)state;
    bounds_set values = bounds_values32(GPOOL_RESULT_COUNT);
    bounds_set_add(&values, GPOOL_LOG_COUNT);
    bounds_set_add(&values, GPOOL_LOG_COUNT - 1);
    bounds_set_add(&values, GPOOL_KIND_COUNT);
    bounds_set_add(&values, GPOOL_GPU_COUNT);
    for (uint32_t i = 0; i < values.count; ++i) {
        int v = (int)(uint32_t)values.v[i];
        assert_true(strlen(gpool_result_name((gpool_result)v)) > 0);
        assert_true(strlen(gpool_result_text((gpool_result)v)) > 0);
        assert_true(strlen(gpool_log_name((gpool_log_id)v)) > 0);
        assert_true(strlen(gpool_log_text((gpool_log_id)v)) > 0);
        assert_true(strlen(gpool_kind_name((gpool_kind)v)) > 0);
    }
    for (int i = 0; i < GPOOL_RESULT_COUNT; ++i) {
        for (int j = 0; j < i; ++j) {
            assert_string_not_equal(gpool_result_name((gpool_result)i),
                                    gpool_result_name((gpool_result)j));
        }
    }
}

static void counters_and_features_of_any_number(void **state)
{
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    bounds_set values = bounds_values32(GPOOL_GPU_COUNT);
    for (uint32_t i = 0; i < values.count; ++i) {
        int v = (int)(uint32_t)values.v[i];
        uint64_t count = gpool_gpu_call_count(w.pool, v);
        bounds_must(&w, (v >= 0 && v < GPOOL_GPU_COUNT) || count == 0, "no such function",
                    values.v[i], count);
        bool core = v == (int)WGPUFeatureName_CoreFeaturesAndLimits;
        bounds_must(&w, gpool_device_has_feature(w.device, (WGPUFeatureName)v) == core,
                    "only the core feature is in force", values.v[i], 0);
    }
    bounds_close(&w);
}

/* --- devices --- */

static void features_and_limits_of_devices(void **state)
{
    static const uint32_t counts[] = { 0, 1, 3, 4, 255, 256, 257 };
    static const WGPUFeatureName has[] = { WGPUFeatureName_TextureCompressionBC,
                                           WGPUFeatureName_Float32Filterable,
                                           WGPUFeatureName_TextureCompressionASTC };
    sim_desc manners = { .personality = bounds_personality(state),
                         .features = has,
                         .feature_count = 3,
                         .limits = &(WGPULimits){ .maxBufferSize = 256 } };
    sim *s = sim_create(&manners);
    gpool_gpu table;
    sim_table(s, &table);
    for (size_t i = 0; i < UNIT_COUNT(counts) * UNIT_COUNT(counts); ++i) {
        uint32_t required = counts[i % UNIT_COUNT(counts)];
        uint32_t optional = counts[i / UNIT_COUNT(counts)];
        WGPUFeatureName lists[2][257];
        for (uint32_t k = 0; k < 257; ++k) {
            lists[0][k] = k + 1 == required ? has[1] : has[0];
            lists[1][k] = k + 1 == optional ? has[2] : WGPUFeatureName_ShaderF16;
        }
        gpool_device_desc desc = { .gpu = &table,
                                   .required_features = lists[0],
                                   .required_feature_count = required,
                                   .optional_features = lists[1],
                                   .optional_feature_count = optional };
        gpool_device *device = NULL;
        assert_same(gpool_device_open(&desc, &device), GPOOL_OK);
        assert_same(gpool_device_has_feature(device, has[0]), required > 1);
        assert_same(gpool_device_has_feature(device, has[1]), required > 0);
        assert_same(gpool_device_has_feature(device, has[2]), optional > 0);
        gpool_device_release(device);
    }
    bounds_set values = bounds_values(256);
    for (uint32_t i = 0; i < values.count; ++i) {
        uint64_t v = values.v[i];
        gpool_device *device = NULL;
        gpool_device_desc desc = { .gpu = &table,
                                   .required_feature_count = (size_t)v,
                                   .optional_feature_count = (size_t)v };
        gpool_result got = gpool_device_open(&desc, &device);
        assert_same(got, v == 0 ? GPOOL_OK : GPOOL_ERROR_INVALID_ARGUMENT);
        gpool_device_release(device);
        /* A limit that the adapter does not have; all ones ask for nothing. */
        WGPULimits limits = { .maxBufferSize = v };
        desc = (gpool_device_desc){ .gpu = &table, .limits = &limits, .log = NULL };
        if (v > 256 && v != UINT64_MAX) {
            continue; /* the log would write to stderr; see the hostile tests */
        }
        assert_same(gpool_device_open(&desc, &device), GPOOL_OK);
        gpool_device_info info;
        assert_same(gpool_device_get_info(device, &info), GPOOL_OK);
        assert_true(info.limits.maxBufferSize <= 256);
        gpool_device_release(device);
    }
    assert_same(sim_live(s, SIM_KIND_NONE), 0);
    sim_destroy(s);
}

static void serials_and_times_of_waits(void **state)
{
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    bounds_settle(&w);
    sim_set_completion(w.s, SIM_COMPLETE_MANUALLY, 0);
    uint64_t done = gpool_device_done(w.device);
    for (int i = 0; i < 4; ++i) {
        bounds_good(&w, gpool_buffer_write(w.pool, w.witness, 0, &(uint32_t){ (uint32_t)i }, 4));
        bounds_good(&w, gpool_process_uploads(w.pool));
    }
    uint64_t submitted = gpool_device_submitted(w.device);
    assert_same(submitted, done + 4);
    bounds_set serials = bounds_values(submitted);
    bounds_set times = bounds_values32(0);
    for (uint32_t k = 0; k < serials.count * times.count; ++k) {
        uint64_t serial = serials.v[k / times.count];
        uint32_t time = (uint32_t)times.v[k % times.count];
        gpool_result wanted = serial > submitted ? GPOOL_ERROR_INVALID_ARGUMENT
                              : serial > done    ? GPOOL_ERROR_TIMEOUT
                                                 : GPOOL_OK;
        if (wanted != GPOOL_ERROR_TIMEOUT || time <= 3) {
            bounds_must(&w, gpool_device_wait(w.device, serial, time) == wanted,
                        "gpool_device_wait", serial, time);
        }
    }
    (void)sim_complete(w.s, SIM_ALL);
    for (uint32_t i = 0; i < times.count; ++i) {
        bounds_good(&w, gpool_device_wait(w.device, submitted, (uint32_t)times.v[i]));
    }
    sim_set_completion(w.s, SIM_COMPLETE_AT_POLL, 0);
    uint8_t bytes[64];
    bounds_fill(bytes, sizeof bytes, 4711);
    bounds_good(&w, gpool_buffer_write(w.pool, w.witness, 0, bytes, sizeof bytes));
    bounds_close(&w);
}

static void swallow(void *user, const gpool_log_record *record)
{
    (void)record;
    *(uint64_t *)user += 1;
}

/* A message is read as far as it says, and no further. */
static void lengths_of_messages(void **state)
{
    sim_desc manners = { .personality = bounds_personality(state) };
    sim *s = sim_create(&manners);
    gpool_gpu table;
    sim_table(s, &table);
    uint64_t records = 0;
    gpool_device_desc desc = { .gpu = &table, .log = swallow, .log_user = &records };
    gpool_device *device = NULL;
    assert_same(gpool_device_open(&desc, &device), GPOOL_OK);
    bounds_set values = bounds_values32(2048);
    for (uint32_t i = 0; i < values.count; ++i) {
        uint32_t v = (uint32_t)values.v[i];
        WGPUStringView none = { NULL, (size_t)bounds_values(0).v[i % 22] };
        gpool_device_notify_error(device, (WGPUErrorType)v, none);
        if (v <= 2052) {
            char *text = malloc(v + 1u);
            assert_non_null(text);
            memset(text, i % 2 == 0 ? 'x' : 0x80, v + 1u);
            gpool_device_notify_error(device, (WGPUErrorType)v, (WGPUStringView){ text, v });
            text[v] = '\0';
            gpool_device_notify_error(device, WGPUErrorType_Validation,
                                      (WGPUStringView){ text, WGPU_STRLEN });
            free(text);
        }
    }
    assert_same(gpool_device_poll(device), GPOOL_OK);
    gpool_device_notify_lost(device, (WGPUDeviceLostReason)UINT32_MAX,
                             (WGPUStringView){ NULL, SIZE_MAX });
    assert_same(gpool_device_poll(device), GPOOL_ERROR_DEVICE_LOST);
    assert_true(records > 0);
    gpool_device_release(device);
    sim_destroy(s);
}

/* --- pools --- */

/* Frames until a destroyed buffer is freed, at most `most`. */
static uint32_t frames_kept(gpool *pool, uint32_t most)
{
    gpool_buffer buffer =
        gpool_buffer_create(pool, &(gpool_buffer_desc){ .size = 4, .usage = GPOOL_BUFFER_VERTEX });
    assert_same(gpool_begin_frame(pool), GPOOL_OK);
    assert_same(gpool_buffer_destroy(pool, buffer), GPOOL_OK);
    assert_same(gpool_end_frame(pool), GPOOL_OK);
    gpool_stats stats;
    for (uint32_t frames = 0; frames < most; ++frames) {
        assert_same(gpool_get_stats(pool, &stats), GPOOL_OK);
        if (stats.retired_count == 0) {
            return frames;
        }
        assert_same(gpool_begin_frame(pool), GPOOL_OK);
        assert_same(gpool_end_frame(pool), GPOOL_OK);
    }
    return most;
}

static void frames_delays_and_times_of_pools(void **state)
{
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    bounds_set values = bounds_values32(8);
    for (uint32_t k = 0; k < values.count * values.count; ++k) {
        uint32_t a = (uint32_t)values.v[k / values.count];
        uint32_t b = (uint32_t)values.v[k % values.count];
        uint64_t records = 0;
        gpool_desc desc = { .compile_workers = GPOOL_WORKERS_NONE,
                            .frames_in_flight = a,
                            .delete_delay_frames = b,
                            .wait_timeout_ms = b,
                            .log = swallow,
                            .log_user = &records };
        gpool *pool = NULL;
        gpool_result got = gpool_create(w.device, &desc, &pool);
        gpool_result wanted = a > 8 ? GPOOL_ERROR_INVALID_ARGUMENT : GPOOL_OK;
        bounds_must(&w, got == wanted && (pool != NULL) == (got == GPOOL_OK), "gpool_create", a, b);
        if (pool != NULL) {
            uint32_t delay = b == 0 ? 2 : b == GPOOL_DELAY_NONE ? 0 : b < 9 ? b : 9;
            bounds_must(&w, frames_kept(pool, 9) == delay, "the delay is as asked", a, b);
        }
        gpool_destroy(pool);
        bounds_must(&w, records == (a > 8), "one record for a refusal", a, b);
    }
    bounds_close(&w);
}

/* --- samplers --- */

static void levels_and_anisotropy_of_samplers(void **state)
{
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    bounds_good(&w, gpool_sampler_destroy(w.pool, gpool_sampler_create(w.pool, NULL)));
    bounds_settle(&w);
    float values[32] = { -INFINITY, INFINITY, NAN, -1.0f, -0.0f, 0x1p-149f, 0.5f, 31.5f, 32.0f };
    uint32_t count = 9;
    bounds_set whole = bounds_values(0);
    for (uint32_t i = 0; i < whole.count && count < UNIT_COUNT(values); ++i) {
        values[count++] = (float)whole.v[i];
    }
    for (uint32_t k = 0; k < count * count; ++k) {
        gpool_sampler_desc desc = { .lod_min = values[k / count], .lod_max = values[k % count] };
        float most = desc.lod_max != 0.0f ? desc.lod_max : 32.0f;
        bounds_oracle o = { 0 };
        bounds_rule_plain(&o,
                          !isfinite(desc.lod_min) || !isfinite(desc.lod_max) ||
                              desc.lod_min < 0.0f || most < desc.lod_min,
                          GPOOL_ERROR_INVALID_ARGUMENT);
        bounds_before(&w, "gpool_sampler_create");
        gpool_sampler sampler = gpool_sampler_create(w.pool, &desc);
        if (bounds_after_made(&w, &o, sampler.id != 0, k / count, k % count)) {
            gpool_sampler_desc resolved;
            bounds_good(&w, gpool_sampler_get_desc(w.pool, sampler, &resolved));
            bounds_must(&w, resolved.lod_max == most && resolved.lod_min == desc.lod_min,
                        "levels are as asked", k / count, k % count);
            assert_non_null(gpool_sampler_gpu(w.pool, sampler));
            bounds_good(&w, gpool_sampler_destroy(w.pool, sampler));
            bounds_settle(&w);
        }
    }
    bounds_set numbers = bounds_values32(65535);
    for (uint32_t k = 0; k < numbers.count * 8; ++k) {
        uint32_t v = (uint32_t)numbers.v[k / 8];
        gpool_sampler_desc desc = {
            .max_anisotropy = (uint16_t)v,
            .mag_filter = k % 2 != 0 ? WGPUFilterMode_Linear : 0,
            .min_filter = k / 2 % 2 != 0 ? WGPUFilterMode_Linear : 0,
            .mipmap_filter = k / 4 % 2 != 0 ? WGPUMipmapFilterMode_Linear : 0,
        };
        bounds_oracle o = { 0 };
        bounds_rule(&o, desc.max_anisotropy > 1 && k % 8 != 7, GPOOL_ERROR_INVALID_ARGUMENT,
                    desc.max_anisotropy);
        bounds_before(&w, "gpool_sampler_desc.max_anisotropy");
        gpool_sampler sampler = gpool_sampler_create(w.pool, &desc);
        if (bounds_after_made(&w, &o, sampler.id != 0, v, k % 8)) {
            bounds_good(&w, gpool_sampler_destroy(w.pool, sampler));
            bounds_settle(&w);
        }
        gpool_sampler_desc unknown = { .address_u = (WGPUAddressMode)v,
                                       .compare = (WGPUCompareFunction)v };
        o = (bounds_oracle){ 0 };
        bounds_rule_plain(&o, v > WGPUAddressMode_MirrorRepeat, GPOOL_ERROR_INVALID_ARGUMENT);
        bounds_before(&w, "enumerations of gpool_sampler_create");
        sampler = gpool_sampler_create(w.pool, &unknown);
        if (bounds_after_made(&w, &o, sampler.id != 0, v, k % 8)) {
            bounds_good(&w, gpool_sampler_destroy(w.pool, sampler));
            bounds_settle(&w);
        }
    }
    bounds_close(&w);
}

/* --- shaders --- */

/* Every prefix of a comment is a source; nothing behind its size is read. */
static void sizes_of_shaders(void **state)
{
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    bounds_set sizes = bounds_values(1024);
    for (uint32_t i = 0; i < sizes.count; ++i) {
        uint64_t size = sizes.v[i];
        if (size > 2048) {
            continue; /* nobody has such a source here */
        }
        char *source = malloc(size + (size == 0));
        assert_non_null(source);
        memset(source, '/', size + (size == 0));
        if (size == 1) {
            source[0] = ' ';
        } else if (size == 0) {
            source[0] = '\0';
        }
        w.what = "gpool_shader_create";
        gpool_shader shader =
            gpool_shader_create(w.pool, &(gpool_shader_desc){ .wgsl = source, .size = size });
        bounds_must(&w, gpool_shader_status(w.pool, shader) == GPOOL_OK, "the prefix compiles",
                    size, 0);
        bounds_good(&w, gpool_shader_destroy(w.pool, shader));
        free(source);
    }
    bounds_close(&w);
}

/* --- change tracking --- */

static void sizes_and_frames_of_tracked_values(void **state)
{
    (void)state;
    static uint8_t value[600];
    static uint8_t source[600];
    bounds_fill(source, sizeof source, 1);
    bounds_set sizes = bounds_values(512);
    for (uint32_t k = 0; k < sizes.count * sizes.count; ++k) {
        uint64_t size = sizes.v[k / sizes.count];
        uint64_t at = sizes.v[k % sizes.count];
        gpool_tracked tracked = { 0 };
        bool here = size <= 512;
        memset(value, 0xee, sizeof value);
        gpool_result got = gpool_tracked_set(&tracked, value, here ? source : NULL, size, at);
        assert_same(got, here ? GPOOL_OK : GPOOL_ERROR_INVALID_ARGUMENT);
        for (uint64_t i = 0; i < sizeof value; ++i) {
            assert_same(value[i], here && i < size ? source[i] : 0xee);
        }
        /* Any two frames: a mark after a clear is seen, also in the same frame. */
        gpool_dirty_flag flag = { 0 };
        gpool_dirty_clear(&flag, gpool_dirty_begin(&flag));
        assert_false(gpool_dirty_is(&flag));
        gpool_dirty_mark(&flag, at);
        assert_true(gpool_dirty_is(&flag));
        gpool_dirty_clear(&flag, gpool_dirty_begin(&flag));
        assert_false(gpool_dirty_is(&flag));
        gpool_dirty_mark(&flag, size);
        assert_same(gpool_dirty_lag(&flag), 1);
        gpool_dirty_mark(&flag, size);
        assert_same(gpool_dirty_lag(&flag), 1);
        gpool_dirty_mark(&flag, size + 1);
        assert_same(gpool_dirty_lag(&flag), 2);
        gpool_dirty_view view = { 0 };
        gpool_dirty_view_clear(&view, gpool_dirty_view_begin(&view, &flag));
        assert_false(gpool_dirty_view_is(&view, &flag));
        gpool_tracked_mark(&tracked, at);
        assert_true(gpool_dirty_is(&tracked.input));
        bool computed = true;
        assert_same(gpool_tracked_update(NULL, value, at, NULL, NULL, &computed),
                    GPOOL_ERROR_INVALID_ARGUMENT);
    }
}

/* Nodes and edges that were never given out, with any number; `capacity` of a path. */
static void numbers_of_dirty_graphs(void **state)
{
    (void)state;
    gpool_dirty_graph *graph = NULL;
    assert_same(gpool_dirty_graph_create(NULL, &graph), GPOOL_OK);
    gpool_dirty_node nodes[3] = { { 0 } };
    for (int i = 0; i < 3; ++i) {
        assert_same(gpool_dirty_graph_add(graph, GPOOL_DIRTY_TRIGGER_NEVER, &nodes[i]), GPOOL_OK);
    }
    gpool_dirty_edge edge;
    assert_same(gpool_dirty_graph_connect(graph, nodes[0], nodes[1], GPOOL_DIRTY_STRONG, &edge),
                GPOOL_OK);
    assert_same(gpool_dirty_graph_connect(graph, nodes[1], nodes[2], GPOOL_DIRTY_STRONG, NULL),
                GPOOL_OK);
    bounds_set values = bounds_values(nodes[2].id);
    for (uint32_t i = 0; i < values.count; ++i) {
        gpool_dirty_node forged = { values.v[i] };
        bool known = false;
        for (int k = 0; k < 3; ++k) {
            known = known || forged.id == nodes[k].id;
        }
        assert_same(gpool_dirty_graph_check(graph, forged) == GPOOL_OK, known);
        if (!known) {
            assert_int_not_equal(gpool_dirty_graph_mark(graph, forged), GPOOL_OK);
            assert_int_not_equal(gpool_dirty_graph_remove(graph, forged), GPOOL_OK);
            assert_int_not_equal(
                gpool_dirty_graph_connect(graph, forged, nodes[0], GPOOL_DIRTY_STRONG, NULL),
                GPOOL_OK);
            assert_int_not_equal(
                gpool_dirty_graph_set_trigger(graph, forged, GPOOL_DIRTY_TRIGGER_ALWAYS), GPOOL_OK);
            assert_null(gpool_dirty_graph_flag(graph, forged));
            if (values.v[i] != edge.id) {
                assert_int_not_equal(
                    gpool_dirty_graph_disconnect(graph, (gpool_dirty_edge){ values.v[i] }),
                    GPOOL_OK);
            }
        }
        gpool_dirty_node path[3] = { { 0 } };
        size_t count = 0;
        size_t capacity = values.v[i] < 3 ? values.v[i] : 3;
        gpool_result got =
            gpool_dirty_graph_find_path(graph, nodes[0], nodes[2], path, capacity, &count);
        assert_same(got, GPOOL_OK);
        assert_same(count, 3);
        for (size_t k = 0; k < 3; ++k) {
            assert_same(path[k].id, k < capacity ? nodes[k].id : 0);
        }
        assert_same(gpool_dirty_graph_begin_pass(graph, values.v[i], (double)i), GPOOL_OK);
    }
    gpool_dirty_graph_destroy(graph);
}

/* Gives blocks of up to 1 MiB. */
static void *small_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    (void)user;
    (void)old_size;
    if (new_size == 0) {
        free(block);
        return NULL;
    }
    return new_size > 1048576 ? NULL : realloc(block, new_size);
}

static void sizes_and_granules_of_dirty_maps(void **state)
{
    (void)state;
    bounds_set sizes = bounds_values((uint64_t)1 << 44);
    bounds_set granules = bounds_values32(65536);
    bounds_set_add(&granules, 64);
    for (uint32_t i = 0; i < sizes.count * granules.count; ++i) {
        uint64_t size = sizes.v[i / granules.count];
        uint32_t granule = (uint32_t)granules.v[i % granules.count];
        gpool_dirty_map_desc desc = { size, granule, { small_resize, NULL } };
        bool good =
            granule == 0 || granule == 4 || granule == 64 || granule == 256 || granule == 65536;
        uint64_t bits = size / (granule == 0 ? 64 : granule);
        gpool_result expected = !good                                 ? GPOOL_ERROR_INVALID_ARGUMENT
                                : size == 0 || size > 17592186044416u ? GPOOL_ERROR_OUT_OF_RANGE
                                : bits > 8388608 / 2                  ? GPOOL_ERROR_OUT_OF_MEMORY
                                                                      : GPOOL_OK;
        gpool_dirty_map *map = NULL;
        gpool_result got = gpool_dirty_map_create(&desc, &map);
        assert_same(got, expected);
        assert_same(map != NULL, expected == GPOOL_OK);
        gpool_dirty_map_destroy(map);
    }
}

static void numbers_of_dirty_maps(void **state)
{
    (void)state;
    const uint64_t size = 100001;
    gpool_dirty_map *map = NULL;
    assert_same(gpool_dirty_map_create(&(gpool_dirty_map_desc){ .size = size }, &map), GPOOL_OK);
    bounds_set values = bounds_values(size);
    for (uint32_t i = 0; i < values.count * values.count; ++i) {
        uint64_t a = values.v[i / values.count];
        uint64_t b = values.v[i % values.count];
        bool inside = a <= size && b <= size - a;
        gpool_result expected = inside ? GPOOL_OK : GPOOL_ERROR_OUT_OF_RANGE;
        gpool_dirty_state state_then = !inside || b == 0         ? GPOOL_DIRTY_NONE
                                       : a < 64 && a + b > 99968 ? GPOOL_DIRTY_ALL
                                                                 : GPOOL_DIRTY_SOME;
        assert_same(gpool_dirty_map_mark(map, a, b), expected);
        assert_same(gpool_dirty_map_state(map), state_then);
        assert_same(gpool_dirty_map_clear_range(map, a, b), expected);
        assert_same(gpool_dirty_map_state(map), GPOOL_DIRTY_NONE);
        assert_same(gpool_dirty_map_mark_shared(map, a, b), expected);
        assert_same(gpool_dirty_map_state(map), state_then);
        assert_same(gpool_dirty_map_clear(map), GPOOL_OK);
        /* Two marks, with any gap and alignment, from any cursor. */
        assert_same(gpool_dirty_map_mark(map, 0, 1), GPOOL_OK);
        assert_same(gpool_dirty_map_mark(map, size - 1, 1), GPOOL_OK);
        bool power = b != 0 && (b & (b - 1)) == 0;
        gpool_dirty_count count;
        assert_same(gpool_dirty_map_count(map, a, b, &count),
                    power ? GPOOL_OK : GPOOL_ERROR_INVALID_ARGUMENT);
        assert_int_equal(count.granules, power ? 2 : 0);
        gpool_range range = { 0, 0 };
        uint64_t cursor = a;
        assert_same(gpool_dirty_map_next(map, a, b, &cursor, &range), power && a < size + 31);
        assert_true(range.offset <= size && range.size <= size - range.offset);
        assert_same(gpool_dirty_map_clear(map), GPOOL_OK);
    }
    gpool_dirty_map_destroy(map);
}

/* What handle.h says of an id that was never given out. */
static gpool_result id_result(gpool_buffer live, uint64_t id)
{
    uint64_t tag = live.id / 16777216 / 16 % 16;
    uint64_t kind = id / 16777216 % 16;
    if (id == 0) {
        return GPOOL_ERROR_NULL_HANDLE;
    }
    if (id / 16777216 / 16 % 16 != tag) {
        return GPOOL_ERROR_FOREIGN_HANDLE;
    }
    return kind == 0 || kind >= GPOOL_KIND_COUNT || id != live.id ? GPOOL_ERROR_INVALID_HANDLE
                                                                  : GPOOL_OK;
}

static void ids_of_shared_ownership(void **state)
{
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    const gpool_scope root = { 0 };
    gpool_buffer live = bounds_buffer(&w, NULL, 16, GPOOL_BUFFER_VERTEX);
    bounds_set values = bounds_values(live.id);
    bounds_set_add(&values, live.id + ((uint64_t)1 << 32)); /* the next generation */
    bounds_set_add(&values, live.id | 0xf000000);           /* no kind */
    bounds_set_add(&values, live.id ^ 0x10000000);          /* another pool */
    for (uint32_t i = 0; i < values.count; ++i) {
        uint64_t id = values.v[i];
        gpool_result expected = id_result(live, id);
        gpool_stats before = bounds_stats(&w);
        bounds_must(&w, gpool_retain(w.pool, id) == expected, "retain", id, expected);
        bounds_must(&w, gpool_move(w.pool, id, root) == expected, "move", id, expected);
        bounds_must(&w, gpool_release(w.pool, id) == (id == 0 ? GPOOL_OK : expected), "release", id,
                    expected);
        gpool_stats after = bounds_stats(&w);
        bounds_must(&w, memcmp(before.live_count, after.live_count, sizeof before.live_count) == 0,
                    "the counts stay", id, expected);
    }
    bounds_good(&w, gpool_buffer_destroy(w.pool, live));
    bounds_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_of_handles),
        cmocka_unit_test(names_of_any_number),
        BOUNDS_TEST(counters_and_features_of_any_number),
        BOUNDS_TEST(features_and_limits_of_devices),
        BOUNDS_TEST(serials_and_times_of_waits),
        BOUNDS_TEST(lengths_of_messages),
        BOUNDS_TEST(frames_delays_and_times_of_pools),
        BOUNDS_TEST(levels_and_anisotropy_of_samplers),
        BOUNDS_TEST(sizes_of_shaders),
        BOUNDS_TEST(ids_of_shared_ownership),
        cmocka_unit_test(sizes_and_frames_of_tracked_values),
        cmocka_unit_test(numbers_of_dirty_graphs),
        cmocka_unit_test(sizes_and_granules_of_dirty_maps),
        cmocka_unit_test(numbers_of_dirty_maps),
    };
    return cmocka_run_group_tests_name("bounds of the rest", tests, NULL, NULL);
}
