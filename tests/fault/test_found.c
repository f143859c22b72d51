/* What the fault sweep found once: each must stay found. */
#include "unit.h"

#include "fault.h"

static fault_world w;

static void found_open(sim_personality personality, sim_errors errors)
{
    const fault_point point = { .personality = personality, .errors = errors };
    assert_true(fault_open(&w, &point));
}

static void found_close(void)
{
    fault_close(&w);
    assert_same(w.problems, 0);
}

/* After a test that failed half way: the next one needs a simulator. */
static int found_drop(void **state)
{
    (void)state;
    sim_destroy(w.s);
    w.s = NULL;
    return 0;
}

/* Makes queue writes wait, so that the next flush looks after a loss. */
static void found_dirty(void)
{
    uint8_t bytes[64] = { 0 };
    assert_same(gpool_texture_write(w.pool, w.witness_texture, NULL, bytes, 64, 0), GPOOL_OK);
}

static void one_failed_look_is_no_loss(void **state)
{
    (void)state;
    static const int functions[] = { GPOOL_GPU_DeviceCreateCommandEncoder,
                                     GPOOL_GPU_CommandEncoderFinish };
    for (size_t i = 0; i < 4; ++i) {
        found_open(SIM_WGPU_NATIVE, SIM_ERRORS_INLINE);
        found_dirty();
        sim_fail(w.s, functions[i % 2], 1, i < 2 ? SIM_FAIL_VALIDATION : SIM_FAIL_NULL, false);
        assert_same(gpool_process_uploads(w.pool), GPOOL_OK);
        assert_same(sim_fail_hits(w.s), 1);
        assert_false(fault_is_lost(&w));
        found_close();
    }
}

static void a_look_without_memory_is_no_loss(void **state)
{
    (void)state;
    found_open(SIM_WGPU_NATIVE, SIM_ERRORS_INLINE);
    found_dirty();
    sim_fail(w.s, GPOOL_GPU_DeviceCreateCommandEncoder, 1, SIM_FAIL_OUT_OF_MEMORY, true);
    for (int i = 0; i < 3; ++i) {
        assert_same(gpool_process_uploads(w.pool), GPOOL_ERROR_OUT_OF_GPU_MEMORY);
    }
    assert_false(fault_is_lost(&w));
    sim_fail_none(w.s);
    uint64_t submits = sim_submitted(w.s);
    assert_same(gpool_process_uploads(w.pool), GPOOL_OK);
    assert_same(sim_submitted(w.s), submits + 1);
    found_close();
}

static void a_device_that_gives_no_encoder_is_lost(void **state)
{
    (void)state;
    found_open(SIM_WGPU_NATIVE, SIM_ERRORS_INLINE);
    found_dirty();
    sim_fail(w.s, GPOOL_GPU_DeviceCreateCommandEncoder, 1, SIM_FAIL_VALIDATION, true);
    assert_same(gpool_process_uploads(w.pool), GPOOL_ERROR_DEVICE_LOST);
    assert_true(fault_is_lost(&w));
    found_close();
}

static void a_loss_is_told_by_calls_that_dawn_takes_in_silence(void **state)
{
    (void)state;
    uint8_t bytes[64] = { 0 };
    found_open(SIM_DAWN, SIM_ERRORS_INLINE);
    sim_lose(w.s);
    assert_same(gpool_device_poll(w.device), GPOOL_ERROR_DEVICE_LOST);
    assert_same(gpool_texture_write(w.pool, w.witness_texture, NULL, bytes, 64, 0),
                GPOOL_ERROR_DEVICE_LOST);
    assert_same(gpool_buffer_write(w.pool, w.witness_written, 0, bytes, 4),
                GPOOL_ERROR_DEVICE_LOST);
    assert_null(gpool_buffer_gpu(w.pool, w.witness_plain, GPOOL_ACCESS_READ)); /* it is dirty */
    assert_same(gpool_last_error(w.pool)->code, GPOOL_ERROR_DEVICE_LOST);
    assert_null(gpool_texture_gpu_view(w.pool, w.witness_texture, NULL, GPOOL_ACCESS_READ));
    assert_same(gpool_last_error(w.pool)->code, GPOOL_ERROR_DEVICE_LOST);
    gpool_sampler sampler = gpool_sampler_create(w.pool, NULL);
    assert_same(gpool_last_error(w.pool)->code, GPOOL_ERROR_DEVICE_LOST);
    assert_null(gpool_sampler_gpu(w.pool, sampler));
    gpool_layout layout = gpool_layout_create(w.pool, &(gpool_layout_desc){ .label = "none" });
    assert_same(gpool_last_error(w.pool)->code, GPOOL_ERROR_DEVICE_LOST);
    assert_null(gpool_layout_gpu(w.pool, layout));
    assert_same(gpool_sampler_destroy(w.pool, sampler), GPOOL_OK);
    assert_same(gpool_layout_destroy(w.pool, layout), GPOOL_OK);
    found_close();
}

static void a_read_that_meets_a_loss_says_so(void **state)
{
    (void)state;
    uint8_t bytes[64];
    for (int personality = SIM_WGPU_NATIVE; personality <= SIM_DAWN; ++personality) {
        found_open((sim_personality)personality, SIM_ERRORS_INLINE);
        sim_fail(w.s, GPOOL_GPU_BufferMapAsync, 1, SIM_FAIL_LOST, false);
        assert_same(gpool_buffer_read(w.pool, w.witness_written, 0, bytes, 64),
                    GPOOL_ERROR_DEVICE_LOST);
        assert_same(gpool_last_error(w.pool)->code, GPOOL_ERROR_DEVICE_LOST);
        found_close();
    }
}

static void opening_a_device_bears_objects_that_are_null(void **state)
{
    (void)state;
    static const int functions[] = { GPOOL_GPU_DeviceCreateBuffer,
                                     GPOOL_GPU_DeviceCreateBindGroupLayout,
                                     GPOOL_GPU_DeviceCreateTexture, GPOOL_GPU_TextureCreateView,
                                     GPOOL_GPU_DeviceCreateBindGroup };
    for (size_t i = 0; i < UNIT_COUNT(functions); ++i) {
        const fault_point point = { .personality = SIM_WGPU_NATIVE };
        assert_true(fault_open_bare(&w, &point));
        sim_fail(w.s, functions[i], 1, SIM_FAIL_NULL, false);
        gpool_result result = fault_open_pool(&w);
        assert_same(sim_fail_hits(w.s), 1);
        /* Without the probe's bad buffer errors are not seen to be inline: scopes do it then. */
        assert_same(result, i == 0 ? GPOOL_OK : GPOOL_ERROR_OUT_OF_GPU_MEMORY);
        found_close();
    }
}

static void opening_a_device_tells_memory_and_loss_from_a_wrong_header(void **state)
{
    (void)state;
    static const gpool_result results[] = { GPOOL_ERROR_HEADER, GPOOL_ERROR_OUT_OF_GPU_MEMORY,
                                            GPOOL_ERROR_DEVICE_LOST };
    static const sim_way ways[] = { SIM_FAIL_VALIDATION, SIM_FAIL_OUT_OF_MEMORY, SIM_FAIL_LOST };
    for (int i = 0; i < 3; ++i) {
        const fault_point point = { .personality = SIM_WGPU_NATIVE };
        assert_true(fault_open_bare(&w, &point));
        sim_fail(w.s, GPOOL_GPU_DeviceCreateTexture, 1, ways[i], false);
        assert_same(fault_open_pool(&w), results[i]);
        assert_null(w.device);
        found_close();
    }
}

static void opening_a_device_tells_that_memory_ended(void **state)
{
    (void)state;
    for (uint64_t k = 1;; ++k) {
        const fault_point point = { .personality = SIM_WGPU_NATIVE };
        assert_true(fault_open_bare(&w, &point));
        gpool_device_desc desc = fault_device_desc(&w);
        fault_memory_arm(k, false);
        fault_memory_inside(true);
        gpool_result result = gpool_device_open(&desc, &w.device);
        fault_memory_inside(false);
        bool hit = fault_memory_hits() > 0;
        assert_same(result, hit ? GPOOL_ERROR_OUT_OF_MEMORY : GPOOL_OK);
        found_close();
        if (!hit) {
            assert_true(k > 5);
            break;
        }
    }
}

static gpool_render_pipeline_desc found_pipeline(gpool_shader shader)
{
    return (gpool_render_pipeline_desc){ .shader = shader,
                                         .vertex_entry = "vs",
                                         .fragment_entry = "fs",
                                         .colors[0].format = WGPUTextureFormat_RGBA8Unorm,
                                         .samples = 1,
                                         .label = "found" };
}

static void a_render_pipeline_without_memory_is_null(void **state)
{
    (void)state;
    gpool_shader_desc wgsl = { .wgsl = fault_fill_wgsl };
    for (uint64_t k = 1;; ++k) {
        found_open(SIM_WGPU_NATIVE, SIM_ERRORS_INLINE);
        gpool_shader shader = gpool_shader_create(w.pool, &wgsl);
        gpool_render_pipeline_desc desc = found_pipeline(shader);
        fault_memory_arm(k, false);
        gpool_pipeline pipeline = gpool_render_pipeline_create(w.pool, &desc);
        bool hit = fault_memory_hits() > 0;
        assert_same(pipeline.id == 0, hit);
        gpool_stats stats;
        assert_same(gpool_get_stats(w.pool, &stats), GPOOL_OK);
        assert_same(stats.live_count[GPOOL_KIND_PIPELINE], !hit);
        if (hit) {
            assert_same(gpool_last_error(w.pool)->code, GPOOL_ERROR_OUT_OF_MEMORY);
        }
        assert_same(gpool_pipeline_destroy(w.pool, pipeline), GPOOL_OK);
        assert_same(gpool_shader_destroy(w.pool, shader), GPOOL_OK);
        found_close();
        if (!hit) {
            assert_true(k > 4);
            break;
        }
    }
}

static void a_pipeline_whose_layout_is_null_is_failed(void **state)
{
    (void)state;
    static const int functions[] = { GPOOL_GPU_DeviceCreatePipelineLayout,
                                     GPOOL_GPU_DeviceCreateBindGroupLayout };
    gpool_shader_desc wgsl = { .wgsl = fault_fill_wgsl };
    for (size_t i = 0; i < UNIT_COUNT(functions); ++i) {
        found_open(SIM_WGPU_NATIVE, SIM_ERRORS_INLINE);
        gpool_shader shader = gpool_shader_create(w.pool, &wgsl);
        gpool_render_pipeline_desc desc = found_pipeline(shader);
        desc.layouts[1] = gpool_uniform_layout(w.pool); /* group 0 has an empty one */
        sim_fail(w.s, functions[i], 1, SIM_FAIL_NULL, false);
        gpool_pipeline pipeline = gpool_render_pipeline_create(w.pool, &desc);
        assert_same(sim_fail_hits(w.s), 1);
        assert_same(gpool_pipeline_status(w.pool, pipeline), GPOOL_ERROR_GPU);
        assert_same(gpool_pipeline_destroy(w.pool, pipeline), GPOOL_OK);
        assert_same(gpool_shader_destroy(w.pool, shader), GPOOL_OK);
        found_close();
    }
}

static void a_refused_buffer_counts_no_written_bytes(void **state)
{
    (void)state;
    uint8_t bytes[64] = { 0 };
    gpool_buffer_desc desc = { .data = bytes, .size = 64, .usage = GPOOL_BUFFER_STORAGE_WRITE };
    found_open(SIM_WGPU_NATIVE, SIM_ERRORS_INLINE);
    gpool_stats before;
    gpool_stats after;
    assert_same(gpool_get_stats(w.pool, &before), GPOOL_OK);
    sim_fail(w.s, GPOOL_GPU_QueueWriteBuffer, 1, SIM_FAIL_VALIDATION, false);
    gpool_buffer refused = gpool_buffer_create(w.pool, &desc);
    assert_same(gpool_buffer_write(w.pool, refused, 0, bytes, 4), GPOOL_ERROR_FAILED_RESOURCE);
    assert_same(gpool_get_stats(w.pool, &after), GPOOL_OK);
    assert_same(after.written_bytes, before.written_bytes);
    gpool_buffer good = gpool_buffer_create(w.pool, &desc);
    assert_same(gpool_get_stats(w.pool, &after), GPOOL_OK);
    assert_same(after.written_bytes, before.written_bytes + 64);
    assert_same(gpool_buffer_destroy(w.pool, refused), GPOOL_OK);
    assert_same(gpool_buffer_destroy(w.pool, good), GPOOL_OK);
    found_close();
}

static void a_loss_comes_before_what_the_recorder_met(void **state)
{
    (void)state;
    for (int end = 0; end < 2; ++end) {
        for (int latched = 0; latched < 2; ++latched) {
            found_open(SIM_WGPU_NATIVE, SIM_ERRORS_INLINE);
            assert_same(gpool_begin_frame(w.pool), GPOOL_OK);
            gpool_recorder rec = gpool_frame_recorder(w.pool);
            gpool_push_group(rec, "something");
            if (latched != 0) {
                gpool_end_pass(rec); /* there is none */
            }
            /* Finish fails, and so do both looks before the bytes of the witness are sent. */
            sim_fail(w.s, GPOOL_GPU_CommandEncoderFinish, 1, SIM_FAIL_VALIDATION, true);
            assert_same(end != 0 ? gpool_end_frame(w.pool) : gpool_submit(w.pool),
                        GPOOL_ERROR_DEVICE_LOST);
            assert_same(gpool_last_error(w.pool)->code, GPOOL_ERROR_DEVICE_LOST);
            assert_true(fault_is_lost(&w));
            found_close();
        }
    }
}

static void raw_work_that_breaks_a_recorder_is_told_by_the_submit(void **state)
{
    (void)state;
    found_open(SIM_WGPU_NATIVE, SIM_ERRORS_INLINE);
    assert_same(gpool_begin_frame(w.pool), GPOOL_OK);
    gpool_recorder rec = gpool_frame_recorder(w.pool);
    gpool_push_group(rec, "something");
    WGPUCommandEncoder raw = w.table.DeviceCreateCommandEncoder(gpool_device_raw(w.device), NULL);
    fault_memory_arm(1, false);
    assert_same(gpool_recorder_finish_raw(rec, raw), GPOOL_ERROR_OUT_OF_MEMORY);
    assert_same(fault_memory_hits(), 1);
    gpool_push_group(rec, "more");
    gpool_pop_group(rec);
    assert_same(gpool_submit(w.pool), GPOOL_ERROR_OUT_OF_MEMORY);
    assert_same(gpool_last_error(w.pool)->code, GPOOL_ERROR_OUT_OF_MEMORY);
    assert_same(gpool_end_frame(w.pool), GPOOL_OK);
    found_close();
}

static void scopes_see_that_gpu_memory_ended(void **state)
{
    (void)state;
    for (int personality = SIM_WGPU_NATIVE; personality <= SIM_DAWN; ++personality) {
        gpool_buffer_desc desc = { .size = 64, .usage = GPOOL_BUFFER_VERTEX, .label = "none" };
        found_open((sim_personality)personality, SIM_ERRORS_SWALLOWED);
        sim_fail(w.s, GPOOL_GPU_DeviceCreateBuffer, 1, SIM_FAIL_OUT_OF_MEMORY, false);
        gpool_buffer failed = gpool_buffer_create(w.pool, &desc);
        assert_same(gpool_last_error(w.pool)->code, GPOOL_ERROR_OUT_OF_GPU_MEMORY);
        assert_same(gpool_buffer_write(w.pool, failed, 0, "1234", 4), GPOOL_ERROR_FAILED_RESOURCE);
        assert_same(gpool_buffer_destroy(w.pool, failed), GPOOL_OK);
        found_close();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(one_failed_look_is_no_loss, found_drop),
        cmocka_unit_test_teardown(a_look_without_memory_is_no_loss, found_drop),
        cmocka_unit_test_teardown(a_device_that_gives_no_encoder_is_lost, found_drop),
        cmocka_unit_test_teardown(a_loss_is_told_by_calls_that_dawn_takes_in_silence, found_drop),
        cmocka_unit_test_teardown(a_read_that_meets_a_loss_says_so, found_drop),
        cmocka_unit_test_teardown(opening_a_device_bears_objects_that_are_null, found_drop),
        cmocka_unit_test_teardown(opening_a_device_tells_memory_and_loss_from_a_wrong_header,
                                  found_drop),
        cmocka_unit_test_teardown(opening_a_device_tells_that_memory_ended, found_drop),
        cmocka_unit_test_teardown(a_render_pipeline_without_memory_is_null, found_drop),
        cmocka_unit_test_teardown(a_pipeline_whose_layout_is_null_is_failed, found_drop),
        cmocka_unit_test_teardown(a_refused_buffer_counts_no_written_bytes, found_drop),
        cmocka_unit_test_teardown(a_loss_comes_before_what_the_recorder_met, found_drop),
        cmocka_unit_test_teardown(raw_work_that_breaks_a_recorder_is_told_by_the_submit,
                                  found_drop),
        cmocka_unit_test_teardown(scopes_see_that_gpu_memory_ended, found_drop),
    };
    return cmocka_run_group_tests_name("found", tests, NULL, NULL);
}
