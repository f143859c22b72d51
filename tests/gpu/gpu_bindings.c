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

/* Layouts of the pipeline; groups left out get a null handle. */
static void make_layouts(fixture *f, const gpool__bindings_stage *stages, uint32_t count,
                         gpool_layout layouts[GPOOL_MAX_GROUPS], uint32_t *used)
{
    gpool_device_info info;
    assert_good(gpool_device_get_info(f->device, &info));
    gpool__bindings_groups groups;
    gpool__bindings_error error;
    const gpool_result result =
        gpool__bindings_layouts(&memory, stages, count, &info.limits, &groups, &error);
    if (result != GPOOL_OK) {
        print_error("%s\n", error.message);
    }
    assert_good(result);
    *used = 0;
    for (uint32_t i = 0; i < groups.group_count; ++i) {
        if (groups.counts[i] > 0) {
            layouts[i] = gpool_layout_create(
                f->pool, &(gpool_layout_desc){ .entries = groups.entries[i],
                                               .entry_count = groups.counts[i] });
            assert_int_not_equal(layouts[i].id, 0);
            *used += groups.counts[i];
        }
    }
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

static gpool_pipeline make(fixture *f, const shader_sample *sample, const module *m,
                           const module *other, const gpool_layout layouts[GPOOL_MAX_GROUPS])
{
    return sample->compute != NULL ? make_compute(f, sample, m, layouts)
                                   : make_render(f, sample, m, other, layouts);
}

static void every_sample_compiles_with_the_layouts_of_its_scan(void **state)
{
    fixture *f = *state;
    for (size_t i = 0; i < sizeof shader_samples / sizeof shader_samples[0]; ++i) {
        const shader_sample *sample = &shader_samples[i];
        module m = module_open(f, sample->file);
        module other = { 0 };
        if (sample->fragment_file != NULL) {
            other = module_open(f, sample->fragment_file);
        }
        const bool compute = sample->compute != NULL;
        const gpool__bindings_stage stages[] = {
            { .scan = &m.scan,
              .entry = compute ? sample->compute : sample->vertex,
              .stage = compute ? WGPUShaderStage_Compute : WGPUShaderStage_Vertex },
            { .scan = sample->fragment_file != NULL ? &other.scan : &m.scan,
              .entry = sample->fragment,
              .stage = WGPUShaderStage_Fragment },
        };
        const uint32_t stage_count = compute || sample->colors == 0 ? 1 : 2;
        gpool_layout layouts[GPOOL_MAX_GROUPS] = { 0 };
        uint32_t used = 0;
        make_layouts(f, stages, stage_count, layouts, &used);
        const module *fragment = sample->fragment_file != NULL ? &other : NULL;
        gpool_pipeline pipeline = make(f, sample, &m, fragment, layouts);
        if (gpool_pipeline_status(f->pool, pipeline) != GPOOL_OK) {
            print_error("%s: %s\n", sample->file, gpool_last_error(f->pool)->message);
        }
        assert_good(gpool_pipeline_status(f->pool, pipeline));
        assert_good(gpool_pipeline_destroy(f->pool, pipeline));
        for (int g = 0; g < GPOOL_MAX_GROUPS; ++g) {
            assert_good(gpool_layout_destroy(f->pool, layouts[g]));
        }
        module_close(f, &m);
        if (fragment != NULL) {
            module_close(f, &other);
        }
    }
    assert_int_equal(memory.bytes, 0);
}

int gpu_bindings_run(void)
{
    const gpool_allocator hooks = fixture_allocator();
    gpool__memory_init(&memory, &hooks);
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(every_sample_compiles_with_the_layouts_of_its_scan),
    };
    return FIXTURE_RUN("bindings", tests);
}
