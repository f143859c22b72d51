/* Numbers of layouts, bindings, uniforms and pipelines. */
#include "bounds.h"

#include <inttypes.h>

#define MOST_UNIFORM 512u
#define MOST_BINDING 1000u

static void open_world(bounds_world *w, sim_personality personality, uint32_t alignment)
{
    WGPULimits limits = { .maxUniformBufferBindingSize = MOST_UNIFORM,
                          .maxStorageBufferBindingSize = 1024,
                          .maxBufferSize = 1u << 20,
                          .minUniformBufferOffsetAlignment = alignment,
                          .minStorageBufferOffsetAlignment = alignment };
    bounds_open(w, personality, &limits);
    /* State made at the first frame, and pages of tables, are there. */
    gpool_layout_entry entry = { .binding = 999, .type = GPOOL_BINDING_SAMPLER };
    gpool_layout layout = bounds_layout(w, &entry, 1);
    bounds_good(w, gpool_layout_destroy(w->pool, layout));
    gpool_recorder rec = bounds_begin_compute(w);
    gpool_set_uniforms(rec, 0, &entry, 16);
    bounds_end_pass(w, rec, false);
    bounds_settle(w);
}

/* --- layouts --- */

static bool is_failed(bounds_world *w, gpool_layout layout)
{
    return gpool_layout_gpu(w->pool, layout) == NULL;
}

static void layout_done(bounds_world *w, gpool_layout layout)
{
    bounds_good(w, gpool_layout_destroy(w->pool, layout));
    bounds_settle(w);
}

static void entry_counts_and_numbers_of_layouts(void **state)
{
    bounds_world w;
    open_world(&w, bounds_personality(state), 256);
    bounds_set values = bounds_values32(MOST_BINDING);
    bounds_set_add(&values, GPOOL_MAX_BINDINGS);
    bounds_set_add(&values, GPOOL_MAX_BINDINGS + 1);
    for (uint32_t i = 0; i < values.count; ++i) {
        uint32_t count = (uint32_t)values.v[i];
        gpool_layout_entry entries[GPOOL_MAX_BINDINGS + 1] = { { 0 } };
        for (uint32_t k = 0; k <= GPOOL_MAX_BINDINGS; ++k) {
            entries[k] = (gpool_layout_entry){ .binding = k, .type = GPOOL_BINDING_SAMPLER };
        }
        bounds_oracle o = { 0 };
        bounds_rule(&o, count > GPOOL_MAX_BINDINGS, GPOOL_ERROR_LIMIT, count);
        bounds_before(&w, "gpool_layout_create");
        gpool_layout layout = bounds_layout(&w, entries, count);
        if (bounds_after_made(&w, &o, layout.id != 0, count, 0)) {
            layout_done(&w, layout);
        }
        bounds_rule_plain(&o, count > 0, GPOOL_ERROR_INVALID_ARGUMENT);
        bounds_before(&w, "gpool_layout_create without entries");
        layout = bounds_layout(&w, NULL, count);
        if (bounds_after_made(&w, &o, layout.id != 0, count, 0)) {
            layout_done(&w, layout);
        }
    }
    for (uint32_t i = 0; i < values.count * values.count; ++i) {
        uint32_t a = (uint32_t)values.v[i / values.count];
        uint32_t b = (uint32_t)values.v[i % values.count];
        gpool_layout_entry entries[2] = { { .binding = a, .type = GPOOL_BINDING_SAMPLER },
                                          { .binding = b, .type = GPOOL_BINDING_STORAGE } };
        bounds_oracle o = { 0 };
        bounds_rule(&o, a >= MOST_BINDING, GPOOL_ERROR_LIMIT, a);
        bounds_rule(&o, b >= MOST_BINDING, GPOOL_ERROR_LIMIT, b);
        bounds_rule(&o, a == b, GPOOL_ERROR_INVALID_ARGUMENT, a);
        bounds_before(&w, "numbers of gpool_layout_create");
        gpool_layout layout = bounds_layout(&w, entries, 2);
        if (bounds_after_made(&w, &o, layout.id != 0, a, b)) {
            bounds_must(&w, !is_failed(&w, layout), "the GPU takes it", a, b);
            layout_done(&w, layout);
        }
    }
    bounds_close(&w);
}

static void least_sizes_types_and_stages_of_layouts(void **state)
{
    bounds_world w;
    open_world(&w, bounds_personality(state), 256);
    bounds_set sizes = bounds_values(1u << 20);
    for (uint32_t i = 0; i < sizes.count * GPOOL_BINDING_TYPE_COUNT; ++i) {
        uint64_t size = sizes.v[i / GPOOL_BINDING_TYPE_COUNT];
        gpool_layout_entry entry = { .type = (gpool_binding_type)(i % GPOOL_BINDING_TYPE_COUNT),
                                     .format = WGPUTextureFormat_RGBA8Unorm,
                                     .min_size = size };
        bool buffer = entry.type <= GPOOL_BINDING_STORAGE_WRITE;
        bounds_oracle o = { 0 };
        bounds_rule(&o, buffer && size > 1u << 20, GPOOL_ERROR_LIMIT, size);
        bounds_before(&w, "gpool_layout_entry.min_size");
        gpool_layout layout = bounds_layout(&w, &entry, 1);
        if (bounds_after_made(&w, &o, layout.id != 0, size, i)) {
            layout_done(&w, layout);
        }
    }
    bounds_set stages = bounds_values(7);
    for (uint32_t i = 0; i < stages.count * stages.count; ++i) {
        uint64_t seen = stages.v[i / stages.count];
        uint64_t type = stages.v[i % stages.count];
        gpool_layout_entry entry = { .type = (gpool_binding_type)type,
                                     .format = WGPUTextureFormat_RGBA8Unorm,
                                     .stages = seen };
        bounds_oracle o = { 0 };
        bounds_rule_plain(&o, (uint32_t)type >= GPOOL_BINDING_TYPE_COUNT,
                          GPOOL_ERROR_INVALID_ARGUMENT);
        bounds_rule_plain(&o, (seen & ~UINT64_C(7)) != 0, GPOOL_ERROR_INVALID_ARGUMENT);
        bounds_before(&w, "gpool_layout_entry.stages");
        gpool_layout layout = bounds_layout(&w, &entry, 1);
        if (bounds_after_made(&w, &o, layout.id != 0, seen, type)) {
            bool writes =
                type == GPOOL_BINDING_STORAGE_WRITE || type == GPOOL_BINDING_STORAGE_TEXTURE;
            bounds_must(&w, is_failed(&w, layout) == (writes && (seen & 1) != 0),
                        "written by a vertex shader: failed, else good", seen, type);
            layout_done(&w, layout);
        }
    }
    bounds_close(&w);
}

/* --- bindings --- */

static gpool_layout make_layout(bounds_world *w, gpool_binding_type type, bool dynamic)
{
    gpool_layout_entry entry = { .type = type,
                                 .stages = WGPUShaderStage_Compute,
                                 .dynamic_offset = dynamic };
    gpool_layout layout = bounds_layout(w, &entry, 1);
    assert_int_not_equal(layout.id, 0);
    return layout;
}

/* Bytes bound: the size in whole words, or up to the end of the GPU object. */
static uint64_t rule_binding(bounds_oracle *o, uint64_t offset, uint64_t size, uint64_t whole,
                             uint64_t alignment, uint64_t most)
{
    bounds_rule_aligned(o, offset, alignment);
    bounds_wide bound = ((bounds_wide)size + 3) / 4 * 4;
    if (size == 0) {
        bound = offset < whole ? whole - offset : 0;
        bounds_rule(o, bound == 0, GPOOL_ERROR_OUT_OF_RANGE, offset);
    }
    bounds_rule(o, offset + bound > whole, GPOOL_ERROR_OUT_OF_RANGE, offset);
    bounds_rule(o, offset + bound > whole || bound > most, GPOOL_ERROR_OUT_OF_RANGE, size);
    return o->count == 0 ? (uint64_t)bound : 0;
}

static void offsets_and_sizes_of_bindings(void **state)
{
    static const struct {
        gpool_binding_type type;
        gpool_buffer_usage usage;
        uint64_t size;
        uint64_t most;
    } subjects[] = {
        { GPOOL_BINDING_UNIFORM, GPOOL_BUFFER_UNIFORM, 515, MOST_UNIFORM },
        { GPOOL_BINDING_UNIFORM, GPOOL_BUFFER_UNIFORM, 256, MOST_UNIFORM },
        { GPOOL_BINDING_STORAGE, GPOOL_BUFFER_STORAGE, 770, 1024 },
        { GPOOL_BINDING_STORAGE_WRITE, GPOOL_BUFFER_STORAGE_WRITE, 1028, 1024 },
    };
    for (uint32_t alignment = 32; alignment <= 256; alignment *= 8) {
        bounds_world w;
        open_world(&w, bounds_personality(state), alignment);
        for (size_t i = 0; i < UNIT_COUNT(subjects); ++i) {
            gpool_layout layout = make_layout(&w, subjects[i].type, false);
            gpool_buffer buffer = bounds_buffer(&w, NULL, subjects[i].size, subjects[i].usage);
            bounds_set values = bounds_values(subjects[i].size);
            bounds_set_add(&values, 32);
            bounds_set_add(&values, 512);
            bounds_set_add(&values, 513);
            uint64_t whole = (subjects[i].size + 3) / 4 * 4;
            gpool_recorder rec = bounds_begin_compute(&w);
            for (uint32_t k = 0; k < values.count * values.count; ++k) {
                gpool_binding binding = { .buffer = buffer,
                                          .offset = values.v[k / values.count],
                                          .size = values.v[k % values.count] };
                bounds_oracle o = { 0 };
                (void)rule_binding(&o, binding.offset, binding.size, whole, alignment,
                                   subjects[i].most);
                bounds_before(&w, "gpool_set_bindings");
                gpool_set_bindings(rec, 0, layout, &binding, 1, NULL, 0);
                (void)bounds_after_record(&w, &o, binding.offset, binding.size);
            }
            bounds_end_pass(&w, rec, true); /* what was taken must be what WebGPU takes */
            bounds_good(&w, gpool_buffer_destroy(w.pool, buffer));
            bounds_good(&w, gpool_layout_destroy(w.pool, layout));
            bounds_settle(&w);
        }
        bounds_close(&w);
    }
}

static void dynamic_offsets_of_bindings(void **state)
{
    bounds_world w;
    open_world(&w, bounds_personality(state), 32);
    gpool_buffer buffer =
        bounds_buffer(&w, NULL, 1028, GPOOL_BUFFER_UNIFORM | GPOOL_BUFFER_STORAGE);
    for (int type = GPOOL_BINDING_UNIFORM; type <= GPOOL_BINDING_STORAGE; ++type) {
        gpool_layout layout = make_layout(&w, (gpool_binding_type)type, true);
        bounds_set dynamics = bounds_values32(1024);
        bounds_set_add(&dynamics, 32);
        bounds_set_add(&dynamics, 992);
        bounds_set statics = bounds_values(1024);
        bounds_set_add(&statics, 32);
        static const uint64_t sizes[] = { 0, 4, 36, 256 };
        gpool_recorder rec = bounds_begin_compute(&w);
        for (uint32_t k = 0; k < 4 * statics.count * dynamics.count; ++k) {
            uint32_t dynamic = (uint32_t)dynamics.v[k / 4 % dynamics.count];
            gpool_binding binding = { .buffer = buffer,
                                      .offset = statics.v[k / 4 / dynamics.count],
                                      .size = sizes[k % 4] };
            bounds_oracle o = { 0 };
            uint64_t bound = rule_binding(&o, binding.offset, binding.size, 1028, 32,
                                          type == GPOOL_BINDING_UNIFORM ? MOST_UNIFORM : 1024);
            bounds_rule_aligned(&o, dynamic, 32);
            bounds_rule(&o, (bounds_wide)binding.offset + dynamic + bound > 1028,
                        GPOOL_ERROR_OUT_OF_RANGE, dynamic);
            bounds_before(&w, "dynamic offset of gpool_set_bindings");
            gpool_set_bindings(rec, 0, layout, &binding, 1, &dynamic, 1);
            (void)bounds_after_record(&w, &o, binding.offset, dynamic);
        }
        bounds_end_pass(&w, rec, true);
        bounds_good(&w, gpool_layout_destroy(w.pool, layout));
    }
    bounds_close(&w);
}

static void groups_and_counts_of_bindings(void **state)
{
    bounds_world w;
    open_world(&w, bounds_personality(state), 32);
    gpool_buffer buffer = bounds_buffer(&w, NULL, 64, GPOOL_BUFFER_UNIFORM);
    gpool_layout plain = make_layout(&w, GPOOL_BINDING_UNIFORM, false);
    WGPUBindGroupEntry entry = { .size = 64 };
    bounds_set values = bounds_values32(16);
    gpool_binding bindings[20];
    uint32_t offsets[20] = { 0 };
    for (int i = 0; i < 20; ++i) {
        bindings[i] = (gpool_binding){ .buffer = buffer };
    }
    gpool_recorder rec = bounds_begin_compute(&w);
    entry.buffer = gpool_buffer_gpu(w.pool, buffer, GPOOL_ACCESS_READ);
    WGPUBindGroupDescriptor desc = { .layout = gpool_layout_gpu(w.pool, plain),
                                     .entryCount = 1,
                                     .entries = &entry };
    WGPUBindGroup raw = w.table.DeviceCreateBindGroup(gpool_device_raw(w.device), &desc);
    for (uint32_t k = 0; k < values.count * values.count; ++k) {
        uint32_t group = (uint32_t)values.v[k / values.count];
        uint32_t count = (uint32_t)values.v[k % values.count];
        bounds_oracle o = { 0 };
        bounds_rule(&o, group >= GPOOL_MAX_GROUPS, GPOOL_ERROR_OUT_OF_RANGE, group);
        bounds_oracle dynamic = o;
        bounds_oracle raw_dynamic = o;
        bounds_rule(&dynamic, count != 0, GPOOL_ERROR_OUT_OF_RANGE, count);
        bounds_before(&w, "offset count of gpool_set_bindings");
        gpool_set_bindings(rec, group, plain, bindings, 1, offsets, count);
        (void)bounds_after_record(&w, &dynamic, group, count);
        bounds_rule_plain(&dynamic, count != 0, GPOOL_ERROR_INVALID_ARGUMENT);
        bounds_before(&w, "null offsets of gpool_set_bindings");
        gpool_set_bindings(rec, group, plain, bindings, 1, NULL, count);
        (void)bounds_after_record(&w, &dynamic, group, count);
        bounds_oracle entries = o;
        bounds_rule(&entries, count != 1, GPOOL_ERROR_INVALID_ARGUMENT, count);
        bounds_before(&w, "entry count of gpool_set_bindings");
        gpool_set_bindings(rec, group, plain, bindings, count, NULL, 0);
        (void)bounds_after_record(&w, &entries, group, count);
        /* What a raw group takes is seen by WebGPU alone; 16 offsets are all that gpool carries. */
        bounds_rule(&raw_dynamic, count > 16, GPOOL_ERROR_OUT_OF_RANGE, count);
        if (raw_dynamic.count > 0 || count == 0) {
            bounds_before(&w, "gpool_set_raw_bind_group");
            gpool_set_raw_bind_group(rec, group, raw, offsets, count);
            (void)bounds_after_record(&w, &raw_dynamic, group, count);
        }
    }
    bounds_end_pass(&w, rec, true);
    w.table.BindGroupRelease(raw);
    bounds_close(&w);
}

/* Levels and layers of views in bindings: a 2D view has one layer, a storage view one level. */
static void views_of_bindings(void **state)
{
    bounds_world w;
    open_world(&w, bounds_personality(state), 256);
    gpool_texture_desc desc = { .width = 16,
                                .height = 16,
                                .depth_or_layers = 3,
                                .mip_levels = 4,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .usage = GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_STORAGE };
    gpool_texture texture = gpool_texture_create(w.pool, &desc);
    bounds_set values = bounds_values32(0);
    for (int storage = 0; storage < 2; ++storage) {
        gpool_layout_entry entry = { .type = storage != 0 ? GPOOL_BINDING_STORAGE_TEXTURE
                                                          : GPOOL_BINDING_TEXTURE,
                                     .stages = WGPUShaderStage_Compute,
                                     .format = WGPUTextureFormat_RGBA8Unorm };
        gpool_layout layout = bounds_layout(&w, &entry, 1);
        gpool_recorder rec = bounds_begin_compute(&w);
        for (uint32_t k = 0; k < 2 * values.count * values.count; ++k) {
            uint32_t a = (uint32_t)values.v[k / 2 / values.count];
            uint32_t b = (uint32_t)values.v[k / 2 % values.count];
            gpool_binding binding = { .texture = texture };
            bounds_oracle o = { 0 };
            if (k % 2 == 0) {
                binding.view.base_mip_level = a;
                binding.view.mip_level_count = b;
                uint64_t levels = b != 0 ? b : storage != 0 ? 1 : a < 4 ? 4 - a : 1;
                bounds_rule_range(&o, a, levels, 4);
                bounds_rule_plain(&o, storage != 0 && levels > 1, GPOOL_ERROR_GPU);
            } else {
                binding.view.base_layer = a;
                binding.view.base_mip_level = b;
                bounds_rule(&o, a >= 3, GPOOL_ERROR_OUT_OF_RANGE, a);
                bounds_rule(&o, b >= 4, GPOOL_ERROR_OUT_OF_RANGE, b);
            }
            bounds_before(&w, "view of gpool_set_bindings");
            w.calls_allowed = o.count > 0 && o.broken[o.count - 1].code == GPOOL_ERROR_GPU;
            if (!w.calls_allowed) {
                gpool_set_bindings(rec, 0, layout, &binding, 1, NULL, 0);
                (void)bounds_after_record(&w, &o, a, b);
            }
            w.calls_allowed = false;
        }
        bounds_end_pass(&w, rec, true);
        bounds_good(&w, gpool_layout_destroy(w.pool, layout));
    }
    bounds_close(&w);
}

static void groups_and_sizes_of_uniforms(void **state)
{
    static const uint64_t limits[] = { 65536, 512, 257, 255, 1u << 20 };
    static uint8_t data[65536];
    for (size_t i = 0; i < UNIT_COUNT(limits); ++i) {
        WGPULimits device = { .maxUniformBufferBindingSize = limits[i] };
        bounds_world w;
        bounds_open(&w, bounds_personality(state), &device);
        uint64_t most = limits[i] < 65536 ? limits[i] / 16 * 16 : 65536;
        bounds_set groups = bounds_values32(0);
        bounds_set sizes = bounds_values(65536);
        bounds_set_add(&sizes, most);
        bounds_set_add(&sizes, most + 1);
        gpool_recorder rec = bounds_begin_compute(&w);
        for (uint32_t k = 0; k < groups.count * sizes.count; ++k) {
            uint32_t group = (uint32_t)groups.v[k / sizes.count];
            uint64_t size = sizes.v[k % sizes.count];
            bounds_oracle o = { 0 };
            bounds_rule(&o, group >= GPOOL_MAX_GROUPS, GPOOL_ERROR_OUT_OF_RANGE, group);
            bounds_rule(&o, size == 0 || size > most, GPOOL_ERROR_OUT_OF_RANGE, size);
            bounds_before(&w, "gpool_set_uniforms");
            gpool_set_uniforms(rec, group, data, size);
            (void)bounds_after_record(&w, &o, group, size);
            bounds_rule_plain(&o, true, GPOOL_ERROR_INVALID_ARGUMENT);
            bounds_before(&w, "gpool_set_uniforms without data");
            gpool_set_uniforms(rec, group, NULL, size);
            (void)bounds_after_record(&w, &o, group, size);
        }
        bounds_end_pass(&w, rec, true);
        bounds_close(&w);
    }
}

/* --- pipelines --- */

static const char draw_wgsl[] = "@vertex fn vs() -> @builtin(position) vec4f { return vec4f(); }\n"
                                "@fragment fn fs() -> @location(0) vec4f { return vec4f(); }\n";

typedef struct programs {
    gpool_shader shader;
    gpool_layout layout;
} programs;

static gpool_render_pipeline_desc pipeline_desc(gpool_shader shader)
{
    return (gpool_render_pipeline_desc){
        .shader = shader,
        .vertex_buffers[0] = { .attributes[0] = { .format = WGPUVertexFormat_Float32x2 } },
        .colors[0] = { .format = WGPUTextureFormat_RGBA8Unorm },
        .samples = 1,
        .label = "numbers",
    };
}

/* `late` rules are WebGPU's: the pipeline is failed. */
static void pipeline_one(bounds_world *w, const gpool_render_pipeline_desc *desc,
                         const bounds_oracle *o, bool late, uint64_t a, uint64_t b)
{
    bounds_before(w, "gpool_render_pipeline_create");
    gpool_pipeline pipeline = gpool_render_pipeline_create(w->pool, desc);
    if (bounds_after_made(w, o, pipeline.id != 0, a, b)) {
        gpool_result wanted = late ? GPOOL_ERROR_GPU : GPOOL_OK;
        bounds_must(w, gpool_pipeline_status(w->pool, pipeline) == wanted,
                    late ? "WebGPU refuses it" : "the pipeline is good", a, b);
        bounds_good(w, gpool_pipeline_destroy(w->pool, pipeline));
        bounds_settle(w);
    }
}

static void numbers_of_vertex_layouts(void **state)
{
    bounds_world w;
    open_world(&w, bounds_personality(state), 256);
    gpool_shader shader = gpool_shader_create(w.pool, &(gpool_shader_desc){ .wgsl = draw_wgsl });
    bounds_set values = bounds_values32(2048);
    bounds_set_add(&values, 8);
    bounds_set_add(&values, 15);
    bounds_set_add(&values, 16);
    bounds_set_add(&values, UINT32_MAX - 7);
    for (uint32_t k = 0; k < values.count * values.count; ++k) {
        uint32_t a = (uint32_t)values.v[k / values.count];
        uint32_t b = (uint32_t)values.v[k % values.count];
        gpool_render_pipeline_desc desc = pipeline_desc(shader);
        desc.vertex_buffers[0].stride = a;
        desc.vertex_buffers[0].attributes[0].offset = b;
        bounds_oracle o = { 0 };
        bounds_rule(&o, a % 4 != 0, GPOOL_ERROR_INVALID_ARGUMENT, a);
        uint64_t most = a != 0 ? a : UINT32_MAX;
        bounds_rule(&o, (uint64_t)b + 8 > most, GPOOL_ERROR_INVALID_ARGUMENT, b);
        uint64_t end = ((uint64_t)b + 8 + 3) / 4 * 4;
        bool late = b % 4 != 0 || a > 2048 || (a == 0 && end > 2048);
        pipeline_one(&w, &desc, &o, late, a, b);

        desc = pipeline_desc(shader);
        desc.vertex_buffers[0].attributes[0].shader_location = a;
        desc.vertex_buffers[0].attributes[1] =
            (gpool_attribute){ .format = WGPUVertexFormat_Float32, .shader_location = b };
        o = (bounds_oracle){ 0 };
        pipeline_one(&w, &desc, &o, a >= 16 || b >= 16 || a == b, a, b);
    }
    bounds_close(&w);
}

static void samples_masks_and_depth_of_pipelines(void **state)
{
    bounds_world w;
    open_world(&w, bounds_personality(state), 256);
    gpool_shader shader = gpool_shader_create(w.pool, &(gpool_shader_desc){ .wgsl = draw_wgsl });
    bounds_set values = bounds_values(15);
    for (uint32_t k = 0; k < values.count * values.count; ++k) {
        uint32_t samples = (uint32_t)values.v[k / values.count];
        uint64_t mask = values.v[k % values.count];
        gpool_render_pipeline_desc desc = pipeline_desc(shader);
        desc.samples = samples;
        desc.colors[0].write_mask = mask;
        bounds_oracle o = { 0 };
        bounds_rule(&o, samples != 0 && samples != 1 && samples != 4, GPOOL_ERROR_INVALID_ARGUMENT,
                    samples);
        bounds_rule_plain(&o, (mask & ~UINT64_C(15)) != 0, GPOOL_ERROR_INVALID_ARGUMENT);
        pipeline_one(&w, &desc, &o, false, samples, mask);

        desc = pipeline_desc(shader);
        desc.depth.format = WGPUTextureFormat_Depth24PlusStencil8;
        desc.depth.stencil_read_mask = samples;
        desc.depth.stencil_write_mask = (uint32_t)mask;
        desc.depth.bias = (int32_t)(uint32_t)mask;
        o = (bounds_oracle){ 0 };
        pipeline_one(&w, &desc, &o, false, samples, mask);
    }
    bounds_close(&w);
}

static void groups_of_pipelines(void **state)
{
    for (uint32_t most = 1; most <= 5; ++most) {
        WGPULimits limits = { .maxBindGroups = most };
        bounds_world w;
        bounds_open(&w, bounds_personality(state), &limits);
        gpool_shader shader =
            gpool_shader_create(w.pool, &(gpool_shader_desc){ .wgsl = draw_wgsl });
        gpool_layout layout = make_layout(&w, GPOOL_BINDING_UNIFORM, false);
        for (uint32_t set = 0; set < 16; ++set) {
            gpool_render_pipeline_desc desc = pipeline_desc(shader);
            uint32_t count = 0;
            for (uint32_t i = 0; i < GPOOL_MAX_GROUPS; ++i) {
                if ((set >> i & 1u) != 0) {
                    desc.layouts[i] = layout;
                    count = i + 1;
                }
            }
            bounds_oracle o = { 0 };
            bounds_rule(&o, count > most, GPOOL_ERROR_LIMIT, count);
            pipeline_one(&w, &desc, &o, false, set, most);
        }
        gpool_recorder rec = bounds_begin_compute(&w);
        uint8_t data[16] = { 0 };
        gpool_set_uniforms(rec, 0, data, 16);
        for (uint32_t group = 0; group < 6; ++group) {
            bounds_oracle o = { 0 };
            bounds_rule(&o, group >= most || group >= GPOOL_MAX_GROUPS, GPOOL_ERROR_OUT_OF_RANGE,
                        group);
            bounds_before(&w, "group of gpool_set_uniforms");
            gpool_set_uniforms(rec, group, data, 16);
            (void)bounds_after_record(&w, &o, group, most);
        }
        bounds_end_pass(&w, rec, true);
        bounds_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOUNDS_TEST(entry_counts_and_numbers_of_layouts),
        BOUNDS_TEST(least_sizes_types_and_stages_of_layouts),
        BOUNDS_TEST(offsets_and_sizes_of_bindings),
        BOUNDS_TEST(dynamic_offsets_of_bindings),
        BOUNDS_TEST(groups_and_counts_of_bindings),
        BOUNDS_TEST(views_of_bindings),
        BOUNDS_TEST(groups_and_sizes_of_uniforms),
        BOUNDS_TEST(numbers_of_vertex_layouts),
        BOUNDS_TEST(samples_masks_and_depth_of_pipelines),
        BOUNDS_TEST(groups_of_pipelines),
    };
    return cmocka_run_group_tests_name("bounds of bindings", tests, NULL, NULL);
}
