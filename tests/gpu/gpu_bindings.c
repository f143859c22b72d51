/* Layouts of the binding scan: every sample's pipelines are made with them, and with no others. */
#include "gpu/fixture.h"
#include "unit/bindings_text.h"
#include "unit/shader_samples.h"

int gpu_bindings_run(void);

static gpool__memory memory;

typedef struct module {
    char *text;
    size_t size;
    gpool__bindings scan;
    gpool_shader shader;
} module;

/* A pool that compiles when something is created, so that its status is known at once. */
static fixture *use_pool(void **state)
{
    fixture *f = *state;
    fixture_use_pool(f, (gpool_desc){ .compile_workers = GPOOL_WORKERS_NONE });
    return f;
}

static module module_open(fixture *f, const char *file)
{
    module m = { 0 };
    m.text = bindings_read(SHADER_SAMPLES_FOLDER, file, &m.size);
    assert_good(gpool__bindings_init(&m.scan, &memory, m.text, m.size));
    m.shader = gpool_shader_create(
        f->pool, &(gpool_shader_desc){ .wgsl = m.text, .size = m.size, .label = file });
    if (gpool_shader_status(f->pool, m.shader) != GPOOL_OK) {
        print_error("%s: %s\n", file, gpool_last_error(f->pool)->message);
    }
    assert_good(gpool_shader_status(f->pool, m.shader));
    return m;
}

static void module_close(fixture *f, module *m)
{
    assert_good(gpool_shader_destroy(f->pool, m->shader));
    gpool__bindings_fini(&m->scan, &memory);
    free(m->text);
}

/* What the scan says of a sample's pipeline. */
static gpool__bindings_groups groups_of(fixture *f, const shader_sample *sample, const module *m,
                                        const module *other)
{
    const bool compute = sample->compute != NULL;
    const gpool__bindings_stage stages[] = {
        { .scan = &m->scan,
          .entry = compute ? sample->compute : sample->vertex,
          .stage = compute ? WGPUShaderStage_Compute : WGPUShaderStage_Vertex },
        { .scan = other != NULL ? &other->scan : &m->scan,
          .entry = sample->fragment,
          .stage = WGPUShaderStage_Fragment },
    };
    gpool_device_info info;
    assert_good(gpool_device_get_info(f->device, &info));
    gpool__bindings_groups groups;
    gpool__bindings_error error;
    const gpool_result result = gpool__bindings_layouts(
        &memory, stages, compute || sample->colors == 0 ? 1 : 2, &info.limits, &groups, &error);
    if (result != GPOOL_OK) {
        print_error("%s\n", error.message);
    }
    assert_good(result);
    return groups;
}

static gpool_pipeline make_compute(fixture *f, const shader_sample *sample, const module *m,
                                   const gpool_layout layouts[GPOOL_MAX_GROUPS])
{
    gpool_compute_pipeline_desc desc = { .shader = m->shader,
                                         .entry = sample->compute,
                                         .label = sample->file };
    memcpy(desc.layouts, layouts, sizeof desc.layouts);
    return gpool_compute_pipeline_create(f->pool, &desc);
}

static gpool_pipeline make_render(fixture *f, const shader_sample *sample, const module *vertex,
                                  const module *fragment,
                                  const gpool_layout layouts[GPOOL_MAX_GROUPS])
{
    gpool_render_pipeline_desc desc = { .shader = vertex->shader,
                                        .vertex_entry = sample->vertex,
                                        .fragment_entry = sample->fragment,
                                        .no_fragment = sample->colors == 0,
                                        .samples = 1,
                                        .label = sample->file };
    if (fragment != NULL) {
        desc.fragment_shader = fragment->shader;
    }
    memcpy(desc.layouts, layouts, sizeof desc.layouts);
    for (int i = 0; i < sample->colors; ++i) {
        desc.colors[i].format = WGPUTextureFormat_RGBA8Unorm;
    }
    if (sample->colors == 0) {
        desc.depth = (gpool_depth_state){ .format = WGPUTextureFormat_Depth32Float,
                                          .compare = WGPUCompareFunction_Less,
                                          .write = true };
    }
    for (int i = 0; i < sample->attributes; ++i) {
        desc.vertex_buffers[0].attributes[i] =
            (gpool_attribute){ .format = WGPUVertexFormat_Float32x4,
                               .offset = 16u * (uint32_t)i,
                               .shader_location = (uint32_t)i };
    }
    return gpool_render_pipeline_create(f->pool, &desc);
}

/* Makes the pipeline with these layouts; groups with no entry get a null handle. */
static gpool_result make(fixture *f, const shader_sample *sample, const module *m,
                         const module *other, const gpool__bindings_groups *groups)
{
    gpool_layout layouts[GPOOL_MAX_GROUPS] = { 0 };
    for (uint32_t i = 0; i < groups->group_count; ++i) {
        if (groups->counts[i] > 0) {
            layouts[i] = gpool_layout_create(
                f->pool, &(gpool_layout_desc){ .entries = groups->entries[i],
                                               .entry_count = groups->counts[i] });
            assert_int_not_equal(layouts[i].id, 0);
        }
    }
    gpool_pipeline pipeline = sample->compute != NULL ? make_compute(f, sample, m, layouts)
                                                      : make_render(f, sample, m, other, layouts);
    const gpool_result result = gpool_pipeline_status(f->pool, pipeline);
    assert_good(gpool_pipeline_destroy(f->pool, pipeline));
    for (int i = 0; i < GPOOL_MAX_GROUPS; ++i) {
        assert_good(gpool_layout_destroy(f->pool, layouts[i]));
    }
    return result;
}

/* The pipeline is made with what the scan says, and not with any entry less. */
static void try_sample(fixture *f, const shader_sample *sample)
{
    module m = module_open(f, sample->file);
    module fragment = { 0 };
    const module *other = NULL;
    if (sample->fragment_file != NULL) {
        fragment = module_open(f, sample->fragment_file);
        other = &fragment;
    }
    const gpool__bindings_groups groups = groups_of(f, sample, &m, other);
    const gpool_result result = make(f, sample, &m, other, &groups);
    if (result != GPOOL_OK) {
        print_error("%s: %s\n", sample->file, gpool_last_error(f->pool)->message);
    }
    assert_good(result);
    for (uint32_t group = 0; group < groups.group_count; ++group) {
        for (uint32_t i = 0; i < groups.counts[group]; ++i) {
            gpool__bindings_groups less = groups;
            less.counts[group] -= 1;
            less.entries[group][i] = groups.entries[group][less.counts[group]];
            const gpool_result without = make(f, sample, &m, other, &less);
            if (without != GPOOL_ERROR_GPU) {
                print_error("%s: %u.%u is not needed\n", sample->file, group,
                            groups.entries[group][i].binding);
            }
            assert_result(without, GPOOL_ERROR_GPU);
        }
    }
    module_close(f, &m);
    if (other != NULL) {
        module_close(f, &fragment);
    }
}

static void every_sample_compiles_with_what_its_scan_says_and_nothing_less(void **state)
{
    fixture *f = use_pool(state);
    for (size_t i = 0; i < sizeof shader_samples / sizeof shader_samples[0]; ++i) {
        try_sample(f, &shader_samples[i]);
    }
    /* Of the many equal records not all are told. */
    fixture_expect(f, GPOOL_LOG_PIPELINE_CREATE, f->log.counts[GPOOL_LOG_PIPELINE_CREATE]);
    assert_int_equal(memory.bytes, 0);
}

static void a_group_of_one_uniform_buffer_is_set_with_set_uniforms(void **state)
{
    fixture *f = use_pool(state);
    module m = { 0 };
    const size_t size = strlen(fixture_fill_wgsl);
    assert_good(gpool__bindings_init(&m.scan, &memory, fixture_fill_wgsl, size));
    const gpool__bindings_groups groups =
        groups_of(f, &(shader_sample){ .colors = 1, .file = "fill" }, &m, NULL);
    gpool_layout layout =
        gpool_layout_create(f->pool, &(gpool_layout_desc){ .entries = groups.entries[0],
                                                           .entry_count = groups.counts[0] });
    gpool_pipeline pipeline =
        fixture_render(f, fixture_fill_wgsl, (gpool_render_pipeline_desc){ .layouts = { layout } });
    gpool_texture target = fixture_target(f, 1, 1);
    static const float color[] = { 1.0f, 0.0f, 1.0f, 1.0f };
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    gpool_set_pipeline(rec, pipeline);
    gpool_set_uniforms(rec, 0, color, sizeof color);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(f->pool));
    assert_pixel(f, target, 0, 0, 0xff00ffff);
    gpool__bindings_fini(&m.scan, &memory);
}

/* Why the scan refuses them: layouts have no sampler that does not filter. */
static void a_filtering_sampler_does_not_read_depth_and_integers(void **state)
{
    fixture *f = use_pool(state);
    static const char *const sources[] = {
        "@group(0) @binding(0) var t: texture_2d<u32>;\n"
        "@group(0) @binding(1) var s: sampler;\n"
        "@compute @workgroup_size(1) fn main() { _ = textureGather(0, t, s, vec2f(0.5)); }\n",
        "@group(0) @binding(0) var t: texture_depth_2d;\n"
        "@group(0) @binding(1) var s: sampler;\n"
        "@compute @workgroup_size(1) fn main() { _ = textureSampleLevel(t, s, vec2f(0.5), 0); }\n",
    };
    for (int i = 0; i < 2; ++i) {
        const gpool_layout_entry entries[] = {
            { .binding = 0,
              .type = GPOOL_BINDING_TEXTURE,
              .sample_type = i == 0 ? WGPUTextureSampleType_Uint : WGPUTextureSampleType_Depth },
            { .binding = 1, .type = GPOOL_BINDING_SAMPLER },
        };
        gpool_layout layout = gpool_layout_create(
            f->pool, &(gpool_layout_desc){ .entries = entries, .entry_count = 2 });
        gpool_shader shader = fixture_shader(f, sources[i]);
        gpool_compute_pipeline_desc desc = { .shader = shader, .layouts = { layout } };
        gpool_pipeline pipeline = gpool_compute_pipeline_create(f->pool, &desc);
        const bool taken = i == 1 && fixture_is_wgpu(); /* against the specification */
        assert_result(gpool_pipeline_status(f->pool, pipeline), taken ? GPOOL_OK : GPOOL_ERROR_GPU);
        fixture_expect(f, GPOOL_LOG_PIPELINE_CREATE, taken ? 0 : 1);
        assert_good(gpool_pipeline_destroy(f->pool, pipeline));
        assert_good(gpool_shader_destroy(f->pool, shader));
        assert_good(gpool_layout_destroy(f->pool, layout));
    }
}

int gpu_bindings_run(void)
{
    const gpool_allocator hooks = fixture_allocator();
    gpool__memory_init(&memory, &hooks);
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(every_sample_compiles_with_what_its_scan_says_and_nothing_less),
        FIXTURE_TEST(a_group_of_one_uniform_buffer_is_set_with_set_uniforms),
        FIXTURE_TEST(a_filtering_sampler_does_not_read_depth_and_integers),
    };
    return FIXTURE_RUN("bindings", tests);
}
