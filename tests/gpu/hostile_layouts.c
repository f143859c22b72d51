/* Layouts, views, opening, and strings with every value out of range. */
#include "gpu/hostile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LAYOUT_REFUSED(w, change, code, log_id)                                                    \
    do {                                                                                           \
        gpool_layout_entry entry = { .type = GPOOL_BINDING_TEXTURE };                              \
        change;                                                                                    \
        gpool_layout_desc desc = { .entries = &entry, .entry_count = 1, .label = "bad layout" };   \
        hostile_refused(w, hostile_null(w, gpool_layout_create((w)->pool, &desc).id), code,        \
                        log_id);                                                                   \
    } while (0)

static void layout_enums(hostile_world *w)
{
    static const uint32_t bad[] = { 7, 8, 0x7fffffffu, UINT32_MAX, 0x80000000u };
    for (int i = 0; i < 5; ++i) {
        LAYOUT_REFUSED(w, entry.type = (gpool_binding_type)bad[i], INVALID_ARGUMENT,
                       ARGUMENT_VALUE);
        LAYOUT_REFUSED(w, entry.dimension = (WGPUTextureViewDimension)bad[i], INVALID_ARGUMENT,
                       ARGUMENT_VALUE);
        LAYOUT_REFUSED(w, entry.sample_type = (WGPUTextureSampleType)bad[i], INVALID_ARGUMENT,
                       ARGUMENT_VALUE);
        LAYOUT_REFUSED(w, entry.access = (WGPUStorageTextureAccess)bad[i], INVALID_ARGUMENT,
                       ARGUMENT_VALUE);
        LAYOUT_REFUSED(w,
                       (entry.type = GPOOL_BINDING_STORAGE_TEXTURE,
                        entry.format = (WGPUTextureFormat)(bad[i] | 0x100)),
                       INVALID_ARGUMENT, ARGUMENT_VALUE);
    }
    for (int bit = 3; bit < 64; ++bit) {
        LAYOUT_REFUSED(w, entry.stages = UINT64_C(1) << bit, INVALID_ARGUMENT, ARGUMENT_VALUE);
    }
    LAYOUT_REFUSED(w, entry.binding = UINT32_MAX, LIMIT, LIMIT);
    LAYOUT_REFUSED(w, entry.type = GPOOL_BINDING_STORAGE_TEXTURE, INVALID_ARGUMENT, ARGUMENT_VALUE);
}

/* Every combination of an entry's fields that passes our checks must not be fatal further down. */
static void layout_combinations(hostile_world *w)
{
    uint32_t made = 0;
    for (uint32_t i = 0; i < 7u * 8 * 6 * 7 * 5 * 2; ++i) {
        gpool_layout_entry entry = {
            .type = (gpool_binding_type)(i % 7),
            .stages = i / 7 % 8,
            .sample_type = (WGPUTextureSampleType)(i / 56 % 6 + (i / 56 % 6 != 0)),
            .dimension = (WGPUTextureViewDimension)(i / 336 % 7),
            .access = (WGPUStorageTextureAccess)(i / 2352 % 5),
            .multisampled = i / 11760 % 2 == 0,
            .dynamic_offset = i % 2 == 0,
            .min_size = i % 3 == 0   ? 0
                        : i % 3 == 1 ? UINT64_MAX - 1
                                     : 3,
            .format = WGPUTextureFormat_RGBA8Unorm,
        };
        gpool_layout_desc desc = { .entries = &entry, .entry_count = 1, .label = "combination" };
        gpool_layout layout = gpool_layout_create(w->pool, &desc);
        made += layout.id != 0;
        if (layout.id != 0) {
            assert_good(gpool_layout_destroy(w->pool, layout));
        }
        if (i % 512 == 0) {
            assert_good(gpool_wait_idle(w->pool));
            assert_good(gpool_tick(w->pool));
        }
    }
    for (uint32_t format = 1; format <= WGPUTextureFormat_ASTC12x12UnormSrgb; ++format) {
        gpool_layout_entry entry = { .type = GPOOL_BINDING_STORAGE_TEXTURE,
                                     .access = (WGPUStorageTextureAccess)(format % 5),
                                     .format = (WGPUTextureFormat)format };
        gpool_layout_desc desc = { .entries = &entry, .entry_count = 1, .label = "format" };
        (void)gpool_layout_create(w->pool, &desc);
    }
    print_message("%u layouts made or failed\n", made);
}

/* A least size that no buffer can have. */
void hostile_layout_min_size(hostile_world *w)
{
    static const gpool_binding_type types[] = { GPOOL_BINDING_UNIFORM, GPOOL_BINDING_STORAGE,
                                                GPOOL_BINDING_STORAGE_WRITE };
    for (int t = 0; t < 3; ++t) {
        for (int i = 0; i < HOSTILE_EDGES; ++i) {
            gpool_layout_entry entry = { .type = types[t], .min_size = hostile_edges[i] };
            gpool_layout_desc desc = { .entries = &entry, .entry_count = 1, .label = "least size" };
            gpool_layout layout = gpool_layout_create(w->pool, &desc);
            if (layout.id != 0) {
                assert_good(gpool_layout_destroy(w->pool, layout));
            }
        }
    }
    hostile_good_frame(w);
}

void hostile_layout_descs(hostile_world *w)
{
    layout_enums(w);
    gpool_layout_entry entries[17] = { { 0 } };
    for (uint32_t i = 0; i < 17; ++i) {
        entries[i].binding = i;
        entries[i].type = GPOOL_BINDING_SAMPLER;
    }
    gpool_layout_desc desc = { .entries = entries, .entry_count = 17, .label = "17 bindings" };
    hostile_refused(w, hostile_null(w, gpool_layout_create(w->pool, &desc).id), LIMIT, LIMIT);
    desc.entry_count = UINT32_MAX;
    hostile_refused(w, hostile_null(w, gpool_layout_create(w->pool, &desc).id), LIMIT, LIMIT);
    entries[9].binding = 3;
    desc.entry_count = 16;
    hostile_refused(w, hostile_null(w, gpool_layout_create(w->pool, &desc).id), INVALID_ARGUMENT,
                    ARGUMENT_VALUE);
    desc.entry_count = 0; /* legal: an empty layout */
    assert_int_not_equal(gpool_layout_create(w->pool, &desc).id, 0);
    for (uint32_t i = 0; i < 16; ++i) { /* over the device's limit of dynamic uniforms: failed */
        entries[i] = (gpool_layout_entry){ .binding = i, .dynamic_offset = true };
    }
    desc.entry_count = 16;
    gpool_layout failed = gpool_layout_create(w->pool, &desc);
    assert_int_not_equal(failed.id, 0);
    hostile_refused(w, hostile_none(w, gpool_layout_gpu(w->pool, failed)), FAILED_RESOURCE,
                    RESOURCE_FAILED);
    gpool_render_pipeline_desc render = { .shader = fixture_shader(w->f, fixture_fill_wgsl),
                                          .layouts[0] = failed };
    hostile_refused(w, hostile_null(w, gpool_render_pipeline_create(w->pool, &render).id),
                    FAILED_RESOURCE, RESOURCE_FAILED);
    hostile_refused(w, gpool_layout_destroy(w->pool, gpool_uniform_layout(w->pool)),
                    INVALID_ARGUMENT, ARGUMENT_VALUE);
    hostile_good_frame(w);
    layout_combinations(w);
    hostile_good_frame(w);
}

static void views_of(hostile_world *w, const gpool_texture_desc *desc, uint32_t *made)
{
    gpool_texture texture = gpool_texture_create(w->pool, desc);
    assert_int_not_equal(texture.id, 0);
    for (uint32_t i = 0; i < 7u * 4 * 3 * 3 * 3 * 3; ++i) {
        gpool_view_desc view = {
            .dimension = (WGPUTextureViewDimension)(i % 7),
            .aspect = (WGPUTextureAspect)(i / 7 % 4),
            .base_layer = i / 28 % 3,
            .layer_count = i / 84 % 3 * 3,
            .base_mip_level = i / 252 % 3,
            .mip_level_count = i / 756 % 3,
        };
        *made += gpool_texture_gpu_view(w->pool, texture, &view, GPOOL_ACCESS_READ) != NULL;
    }
    assert_good(gpool_texture_destroy(w->pool, texture));
    hostile_good_frame(w);
}

void hostile_view_descs(hostile_world *w)
{
    static const uint32_t bad[] = { 7, 0x7fffffffu, UINT32_MAX };
    gpool_texture texture = w->witness_texture;
#define VIEW_REFUSED(change, code, log_id)                                                         \
    do {                                                                                           \
        gpool_view_desc view = { 0 };                                                              \
        change;                                                                                    \
        hostile_refused(                                                                           \
            w,                                                                                     \
            hostile_none(w, gpool_texture_gpu_view(w->pool, texture, &view, GPOOL_ACCESS_READ)),   \
            code, log_id);                                                                         \
    } while (0)
    for (int i = 0; i < 3; ++i) {
        VIEW_REFUSED(view.dimension = (WGPUTextureViewDimension)bad[i], INVALID_ARGUMENT,
                     ARGUMENT_VALUE);
        VIEW_REFUSED(view.aspect = (WGPUTextureAspect)bad[i], INVALID_ARGUMENT, ARGUMENT_VALUE);
        VIEW_REFUSED(view.format = (WGPUTextureFormat)bad[i], INVALID_ARGUMENT, ARGUMENT_VALUE);
        VIEW_REFUSED(view.base_layer = bad[i], OUT_OF_RANGE, RANGE);
        VIEW_REFUSED(view.layer_count = bad[i], OUT_OF_RANGE, RANGE);
        VIEW_REFUSED(view.base_mip_level = bad[i], OUT_OF_RANGE, RANGE);
        VIEW_REFUSED(view.mip_level_count = bad[i], OUT_OF_RANGE, RANGE);
        VIEW_REFUSED((view.base_layer = bad[i], view.layer_count = bad[i]), OUT_OF_RANGE, RANGE);
    }
    VIEW_REFUSED(view.dimension = WGPUTextureViewDimension_Cube, OUT_OF_RANGE, RANGE);
    uint32_t made = 0;
    gpool_texture_desc desc = { .width = 8,
                                .height = 8,
                                .depth_or_layers = 7,
                                .mip_levels = 3,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .usage = GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_TARGET,
                                .label = "views" };
    views_of(w, &desc, &made);
    desc.height = 4;
    views_of(w, &desc, &made);
    desc.format = WGPUTextureFormat_Depth24PlusStencil8;
    views_of(w, &desc, &made);
    desc = (gpool_texture_desc){ .width = 8,
                                 .height = 8,
                                 .depth_or_layers = 8,
                                 .mip_levels = 3,
                                 .dimension = WGPUTextureDimension_3D,
                                 .format = WGPUTextureFormat_RGBA8Unorm,
                                 .usage = GPOOL_TEXTURE_SAMPLED };
    views_of(w, &desc, &made);
    desc = (gpool_texture_desc){ .width = 8,
                                 .dimension = WGPUTextureDimension_1D,
                                 .format = WGPUTextureFormat_R8Unorm,
                                 .usage = GPOOL_TEXTURE_SAMPLED };
    views_of(w, &desc, &made);
    desc = (gpool_texture_desc){ .width = 8,
                                 .height = 8,
                                 .samples = 4,
                                 .format = WGPUTextureFormat_RGBA8Unorm,
                                 .usage = GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_TARGET };
    views_of(w, &desc, &made);
    print_message("%u views made\n", made);
}

/* 1024 different views are the limit; the next is refused, the old ones go on. */
void hostile_view_limit(hostile_world *w)
{
    gpool_texture_desc desc = { .width = 4,
                                .height = 4,
                                .depth_or_layers = 48,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .usage = GPOOL_TEXTURE_SAMPLED,
                                .label = "many views" };
    gpool_texture texture = gpool_texture_create(w->pool, &desc);
    uint32_t made = 0;
    for (uint32_t first = 0; first < 48 && made < 1024; ++first) {
        for (uint32_t count = 1; count <= 48 - first && made < 1024; ++count) {
            gpool_view_desc view = { .dimension = WGPUTextureViewDimension_2DArray,
                                     .base_layer = first,
                                     .layer_count = count };
            assert_non_null(gpool_texture_gpu_view(w->pool, texture, &view, GPOOL_ACCESS_READ));
            made += 1;
        }
    }
    gpool_view_desc last = { .dimension = WGPUTextureViewDimension_2DArray, .base_layer = 47 };
    hostile_refused(
        w, hostile_none(w, gpool_texture_gpu_view(w->pool, texture, &last, GPOOL_ACCESS_READ)),
        LIMIT, LIMIT);
    last = (gpool_view_desc){ .dimension = WGPUTextureViewDimension_2DArray, .layer_count = 1 };
    assert_non_null(gpool_texture_gpu_view(w->pool, texture, &last, GPOOL_ACCESS_READ));
    gpool_texture_info info;
    assert_good(gpool_texture_get_info(w->pool, texture, &info));
    assert_int_equal(info.view_count, 1024);
    hostile_good_frame(w);
}

void hostile_device_descs(hostile_world *w)
{
    static const WGPUFeatureName strange[] = { (WGPUFeatureName)0, (WGPUFeatureName)0x7fffffff,
                                               (WGPUFeatureName)0x0005fff0,
                                               (WGPUFeatureName)0x0003ffff };
    gpool_device *device = (gpool_device *)w;
    gpool_device_desc desc = { .adapter = (gpool_adapter_choice)3,
                               .log = fixture_on_log,
                               .log_user = &w->f->log,
                               .allocator = fixture_allocator() };
    assert_result(gpool_device_open(&desc, &device), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_null(device);
    desc.adapter = (gpool_adapter_choice)-1;
    assert_result(gpool_device_open(&desc, &device), GPOOL_ERROR_INVALID_ARGUMENT);
    desc.adapter = fixture_adapter();
    desc.library = "/nowhere/at/all.so";
    assert_result(gpool_device_open(&desc, &device), GPOOL_ERROR_LIBRARY);
    desc.library = "/dev/null";
    assert_result(gpool_device_open(&desc, &device), GPOOL_ERROR_LIBRARY);
    desc.library = NULL;
    desc.required_feature_count = 1;
    assert_result(gpool_device_open(&desc, &device), GPOOL_ERROR_INVALID_ARGUMENT);
    for (int i = 0; i < 4; ++i) {
        desc.required_features = &strange[i];
        assert_result(gpool_device_open(&desc, &device), GPOOL_ERROR_UNSUPPORTED);
        assert_null(device);
    }
    desc.required_feature_count = 0;
    desc.optional_features = strange;
    desc.optional_feature_count = 4;
    assert_good(gpool_device_open(&desc, &device));
    gpool_device_release(device);
    desc.optional_feature_count = 0;
    WGPULimits limits = { 0 };
    memset(&limits, 0xff, sizeof limits);
    limits.nextInChain = NULL;
    limits.maxBufferSize = UINT64_MAX - 1;
    limits.maxBindGroups = 1000;
    desc.limits = &limits;
    gpool_result result = gpool_device_open(&desc, &device);
    assert_true((result == GPOOL_OK) == (device != NULL));
    gpool_device_release(device);
    gpool_header_fingerprint print = gpool_header_fingerprint_here();
    desc.limits = NULL;
    for (int i = 0; i < 24; ++i) {
        print.values[i] ^= 1;
        assert_result(gpool_device_open_checked(&desc, &print, &device), GPOOL_ERROR_HEADER);
        print.values[i] ^= 1;
    }
    gpool_desc pool = { .compile_workers = GPOOL_WORKERS_NONE,
                        .frames_in_flight = 9,
                        .log = fixture_on_log,
                        .log_user = &w->f->log,
                        .allocator = fixture_allocator() };
    gpool *none = (gpool *)w;
    assert_result(gpool_create(w->f->device, &pool, &none), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_null(none);
    gpool *pools[16] = { NULL };
    pool.frames_in_flight = 8;
    for (int i = 1; i < 16; ++i) {
        assert_good(gpool_create(w->f->device, &pool, &pools[i]));
    }
    assert_result(gpool_create(w->f->device, &pool, &none), GPOOL_ERROR_TOO_MANY_POOLS);
    for (int i = 1; i < 16; ++i) {
        gpool_destroy(pools[i]);
    }
    hostile_good_frame(w);
}

static void use_string(hostile_world *w, const char *text)
{
    gpool_shader shader = gpool_shader_create(
        w->pool, &(gpool_shader_desc){ .wgsl = fixture_fill_wgsl, .label = text });
    assert_good(gpool_shader_wait(w->pool, shader, UINT64_MAX));
    gpool_render_pipeline_desc render = { .shader = shader, .label = text };
    gpool_pipeline pipeline = gpool_render_pipeline_create(w->pool, &render);
    gpool_texture_desc picture = { .width = 4,
                                   .height = 4,
                                   .format = WGPUTextureFormat_RGBA8Unorm,
                                   .usage = 0x3f,
                                   .label = text };
    gpool_texture texture = gpool_texture_create(w->pool, &picture);
    gpool_buffer_desc bytes = { .size = 4, .usage = GPOOL_BUFFER_UNIFORM, .label = text };
    gpool_buffer buffer = gpool_buffer_create(w->pool, &bytes);
    gpool_layout_entry entry = { .binding = 7 };
    gpool_layout layout = gpool_layout_create(
        w->pool, &(gpool_layout_desc){ .entries = &entry, .entry_count = 1, .label = text });
    gpool_sampler sampler =
        gpool_sampler_create(w->pool, &(gpool_sampler_desc){ .lod_max = 3, .label = text });
    hostile_frame(w, 0);
    gpool_recorder rec = gpool_frame_recorder(w->pool);
    gpool_begin_render(rec,
                       &(gpool_render_desc){ .color[0] = { .texture = texture }, .label = text });
    gpool_set_pipeline(rec, pipeline);
    gpool_set_uniforms(rec, 0, (float[4]){ 0 }, 16);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    gpool_begin_compute(rec, text);
    assert_good(hostile_end(w, rec, 2));
    assert_good(gpool_buffer_destroy(w->pool, buffer));
    assert_result(gpool_buffer_write(w->pool, buffer, 0, text, 1), GPOOL_ERROR_STALE_HANDLE);
    assert_good(gpool_layout_destroy(w->pool, layout));
    assert_good(gpool_sampler_destroy(w->pool, sampler));
    assert_good(gpool_texture_destroy(w->pool, texture));
    assert_good(gpool_pipeline_destroy(w->pool, pipeline));
    render.vertex_entry = text;
    pipeline = gpool_render_pipeline_create(w->pool, &render);
    render.colors[0].format = WGPUTextureFormat_RGBA8Unorm;
    render.samples = 1;
    pipeline = gpool_render_pipeline_create(w->pool, &render);
    assert_int_not_equal(gpool_pipeline_wait(w->pool, pipeline, UINT64_MAX), GPOOL_OK);
    (void)gpool_shader_from_file(w->pool, text);
}

static const char *const strange_strings[] = {
    "%s%n%d%%",     "\x80",         "\xff\xfe\xfd",       "\xc3\x28",         "a\xe2\x82",
    "\xf0\x9f\x92", "\xed\xa0\x80", "\x01\x02\n\r\t\x7f", "\xf4\x90\x80\x80", "\"\\\"'",
};
#define STRANGE_COUNT (sizeof strange_strings / sizeof *strange_strings)

/* Named groups of commands, which an implementation may read at the submit. */
void hostile_strange_groups(hostile_world *w)
{
    for (size_t i = 0; i < STRANGE_COUNT; ++i) {
        gpool_recorder rec = hostile_frame(w, 0);
        gpool_push_group(rec, strange_strings[i]);
        gpool_begin_compute(rec, NULL);
        gpool_push_group(rec, strange_strings[i]);
        gpool_end_pass(rec);
        gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = w->target } });
        gpool_push_group(rec, strange_strings[i]);
        gpool_pop_group(rec);
        gpool_push_group(rec, NULL);
        assert_good(hostile_end(w, rec, 1));
    }
    hostile_good_frame(w);
}

/* Names are bytes: no encoding, length or sign in them may do harm. */
void hostile_strange_strings(hostile_world *w)
{
    for (size_t i = 0; i < STRANGE_COUNT; ++i) {
        use_string(w, strange_strings[i]);
    }
    for (uint32_t skew = 0; skew < 3; ++skew) { /* cut in the middle of a character somewhere */
        size_t size = (size_t)1 << 16;
        char *text = malloc(size);
        assert_non_null(text);
        memset(text, 'x', skew);
        for (size_t i = skew; i + 4 < size; i += 3) {
            memcpy(text + i, "\xe2\x82\xac", 4);
        }
        use_string(w, text);
        free(text);
    }
    gpool_desc desc = { .compile_workers = GPOOL_WORKERS_NONE,
                        .label = "\xff%n",
                        .log = fixture_on_log,
                        .log_user = &w->f->log,
                        .allocator = fixture_allocator() };
    gpool *pool = NULL;
    assert_good(gpool_create(w->f->device, &desc, &pool));
    assert_good(gpool_begin_frame(pool));
    gpool_recorder rec = gpool_frame_recorder(pool);
    gpool_begin_compute(rec, NULL);
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(pool));
    gpool_destroy(pool);
    hostile_good_frame(w);
}
