/* Shaders and pipelines when the GPU or the allocator gives no memory: codes, log ids, what is left. */
#include "unit.h"

#include "sim.h"

#include <gpool/gpool.h>

static const char both_wgsl[] = "@vertex fn vs() -> @builtin(position) vec4f { return vec4f(); }\n"
                                "@fragment fn fs() -> @location(0) vec4f { return vec4f(); }\n"
                                "@compute @workgroup_size(1) fn main() {}\n";

typedef struct faults {
    sim *s;
    gpool_device *device;
    gpool *pool;
    unit_allocator allocator;
    gpool_log_id last;
    gpool_shader shader;
} faults;

static void faults_on_log(void *user, const gpool_log_record *record)
{
    faults *f = user;
    f->last = record->level == GPOOL_LOG_LEVEL_ERROR ? record->id : f->last;
}

static gpool_shader make_shader(faults *f)
{
    return gpool_shader_create(f->pool, &(gpool_shader_desc){ .wgsl = both_wgsl, .label = "both" });
}

static void faults_open(faults *f, sim_personality personality)
{
    *f = (faults){ .s = sim_create(&(sim_desc){ .personality = personality }) };
    assert_non_null(f->s);
    gpool_gpu table;
    sim_table(f->s, &table);
    gpool_device_desc device = { .gpu = &table, .log = faults_on_log, .log_user = f };
    assert_same(gpool_device_open(&device, &f->device), GPOOL_OK);
    gpool_desc pool = { .compile_workers = GPOOL_WORKERS_NONE,
                        .log = faults_on_log,
                        .log_user = f,
                        .allocator = unit_hooks(&f->allocator) };
    assert_same(gpool_create(f->device, &pool, &f->pool), GPOOL_OK);
    f->shader = make_shader(f);
    assert_same(gpool_shader_status(f->pool, f->shader), GPOOL_OK);
}

static void faults_close(faults *f)
{
    gpool_destroy(f->pool);
    gpool_device_release(f->device);
    assert_same(f->allocator.blocks, 0);
    assert_same(f->allocator.wrong_sizes, 0);
    assert_same(sim_live(f->s, SIM_KIND_NONE), 0);
    assert_same(sim_fatal_count(f->s), 0);
    sim_destroy(f->s);
}

static void lack_of_gpu_memory_is_told_as_such(void **state)
{
    (void)state;
    for (int dawn = 0; dawn < 2; ++dawn) {
        faults f;
        faults_open(&f, dawn != 0 ? SIM_DAWN : SIM_WGPU_NATIVE);
        /* wgpu-native tells it by words only, which a shader's source may hold too. */
        sim_fail(f.s, GPOOL_GPU_DeviceCreateShaderModule, 1, SIM_FAIL_OUT_OF_MEMORY, false);
        gpool_shader shader = gpool_shader_create(
            f.pool, &(gpool_shader_desc){ .wgsl = "// another\n@compute fn main() {}\n" });
        assert_same(gpool_shader_status(f.pool, shader),
                    dawn != 0 ? GPOOL_ERROR_OUT_OF_GPU_MEMORY : GPOOL_ERROR_GPU);
        assert_same(f.last, dawn != 0 ? GPOOL_LOG_GPU_MEMORY : GPOOL_LOG_SHADER_COMPILE);
        sim_fail(f.s, GPOOL_GPU_DeviceCreateComputePipeline, 1, SIM_FAIL_OUT_OF_MEMORY, false);
        gpool_compute_pipeline_desc compute = { .shader = f.shader };
        gpool_pipeline pipeline = gpool_compute_pipeline_create(f.pool, &compute);
        assert_same(gpool_pipeline_status(f.pool, pipeline), GPOOL_ERROR_OUT_OF_GPU_MEMORY);
        assert_same(f.last, GPOOL_LOG_GPU_MEMORY);
        f.last = GPOOL_LOG_NONE;
        sim_fail(f.s, GPOOL_GPU_DeviceCreateRenderPipeline, 1, SIM_FAIL_OUT_OF_MEMORY, false);
        gpool_render_pipeline_desc render = { .shader = f.shader,
                                              .colors[0].format = WGPUTextureFormat_RGBA8Unorm,
                                              .samples = 1 };
        pipeline = gpool_render_pipeline_create(f.pool, &render);
        assert_same(gpool_pipeline_status(f.pool, pipeline), GPOOL_ERROR_OUT_OF_GPU_MEMORY);
        assert_same(f.last, GPOOL_LOG_GPU_MEMORY);
        faults_close(&f);
    }
}

static gpool_render_pipeline_desc render_desc(const faults *f)
{
    static const WGPUBlendState blend = {
        .color = { WGPUBlendOperation_Add, WGPUBlendFactor_One, WGPUBlendFactor_Zero },
        .alpha = { WGPUBlendOperation_Add, WGPUBlendFactor_One, WGPUBlendFactor_Zero }
    };
    return (gpool_render_pipeline_desc){ .shader = f->shader,
                                         .vertex_entry = "vs",
                                         .fragment_entry = "fs",
                                         .colors[0] = { .format = WGPUTextureFormat_RGBA8Unorm,
                                                        .blend_state = &blend },
                                         .samples = 1,
                                         .label = "render" };
}

static uint64_t create(faults *f, int what)
{
    if (what == 0) {
        return make_shader(f).id;
    }
    if (what == 1) {
        gpool_compute_pipeline_desc desc = { .shader = f->shader, .label = "compute" };
        return gpool_compute_pipeline_create(f->pool, &desc).id;
    }
    gpool_render_pipeline_desc desc = render_desc(f);
    desc.samples = what == 2 ? 1 : 0; /* compiles now, or at its first use */
    return gpool_render_pipeline_create(f->pool, &desc).id;
}

static void without_memory_a_creator_gives_null_and_changes_nothing(void **state)
{
    (void)state;
    for (int what = 0; what < 4; ++what) {
        uint64_t id = 0;
        for (uint64_t k = 1; id == 0; ++k) {
            faults f;
            faults_open(&f, SIM_WGPU_NATIVE);
            gpool_stats before;
            gpool_stats after;
            assert_same(gpool_get_stats(f.pool, &before), GPOOL_OK);
            const uint64_t live = sim_live(f.s, SIM_KIND_NONE);
            f.allocator.fail_at = f.allocator.calls + k;
            id = create(&f, what);
            const bool failed = f.allocator.calls >= f.allocator.fail_at;
            assert_same(gpool_get_stats(f.pool, &after), GPOOL_OK);
            assert_same(id == 0, failed);
            if (failed) {
                assert_same(gpool_last_error(f.pool)->code, GPOOL_ERROR_OUT_OF_MEMORY);
                assert_same(f.last, GPOOL_LOG_MEMORY);
                assert_same(sim_live(f.s, SIM_KIND_NONE), live);
                assert_memory_equal(after.live_count, before.live_count, sizeof after.live_count);
                assert_same(after.created, before.created);
                assert_same(after.freed, before.freed);
                assert_true(create(&f, what) != 0);
            } else {
                assert_true(k > 1);
            }
            faults_close(&f);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lack_of_gpu_memory_is_told_as_such),
        cmocka_unit_test(without_memory_a_creator_gives_null_and_changes_nothing),
    };
    return cmocka_run_group_tests_name("shader_faults", tests, NULL, NULL);
}
