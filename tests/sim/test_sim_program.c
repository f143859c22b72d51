/* A whole gpool program on the simulator: bytes, counts, faults at every call, the recording. */
#include "unit.h"

#include "sim.h"

#include <gpool/gpool.h>

static const char fill_wgsl[] =
    "@group(0) @binding(0) var<uniform> color: vec4f;\n"
    "@vertex fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {\n"
    "    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0,\n"
    "                 0.0, 1.0);\n"
    "}\n"
    "@fragment fn fs() -> @location(0) vec4f { return color; }\n";

static const char double_wgsl[] =
    "@group(0) @binding(0) var<storage, read_write> numbers: array<u32>;\n"
    "@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) {\n"
    "    numbers[id.x] = numbers[id.x] * 2;\n"
    "}\n";

static void host_fill(const sim_work *work, void *user)
{
    uint64_t size = 0;
    sim_pixels pixels;
    const uint8_t *uniform = sim_work_buffer(work, 0, 0, &size);
    (void)user;
    if (uniform == NULL || size < 16 || !sim_work_target(work, 0, &pixels)) {
        return;
    }
    float color[4];
    memcpy(color, uniform, sizeof color);
    for (uint32_t i = 0; i < pixels.width * pixels.height * 4; ++i) {
        uint32_t x = i % (pixels.width * 4);
        uint32_t y = i / (pixels.width * 4);
        pixels.bytes[y * pixels.row_bytes + x] = (uint8_t)(color[x % 4] * 255.0f + 0.5f);
    }
}

static void host_double(const sim_work *work, void *user)
{
    uint64_t size = 0;
    uint8_t *numbers = sim_work_buffer(work, 0, 0, &size);
    (void)user;
    for (uint32_t i = 0; i < sim_work_counts(work)[0] && i < size / 4; ++i) {
        uint32_t number;
        memcpy(&number, numbers + (size_t)i * 4, 4);
        number *= 2;
        memcpy(numbers + (size_t)i * 4, &number, 4);
    }
}

typedef struct program {
    sim *s;
    gpool_gpu table;
    gpool_device *device;
    gpool *pool;
    gpool_shader shaders[2];
    gpool_pipeline fill;
    gpool_pipeline twice;
    gpool_layout layout;
    gpool_texture target;
    gpool_buffer numbers;
    gpool_buffer plain;
} program;

static void program_quiet(void *user, const gpool_log_record *record)
{
    (void)user;
    (void)record;
}

static gpool_result program_open_device(program *p)
{
    gpool_device_desc desc = { .gpu = &p->table, .label = "simulated", .log = program_quiet };
    gpool_result result = gpool_device_open(&desc, &p->device);
    if (result == GPOOL_OK) {
        gpool_desc pool_desc = { .compile_workers = GPOOL_WORKERS_NONE,
                                 .log = program_quiet,
                                 .wait_timeout_ms = 2000 };
        result = gpool_create(p->device, &pool_desc, &p->pool);
    }
    return result;
}

static void program_begin(program *p, const sim_desc *desc)
{
    *p = (program){ .s = sim_create(desc) };
    assert_non_null(p->s);
    sim_table(p->s, &p->table);
    sim_register_shader(p->s, fill_wgsl, host_fill, NULL);
    sim_register_shader(p->s, double_wgsl, host_double, NULL);
}

static void program_make(program *p)
{
    gpool_shader_desc fill = { .wgsl = fill_wgsl, .label = "fill" };
    gpool_shader_desc twice = { .wgsl = double_wgsl, .label = "double" };
    p->shaders[0] = gpool_shader_create(p->pool, &fill);
    p->shaders[1] = gpool_shader_create(p->pool, &twice);
    gpool_layout_entry entry = { .binding = 0,
                                 .type = GPOOL_BINDING_STORAGE_WRITE,
                                 .stages = WGPUShaderStage_Compute };
    gpool_layout_desc layout = { .entries = &entry, .entry_count = 1 };
    p->layout = gpool_layout_create(p->pool, &layout);
    gpool_render_pipeline_desc render = { .shader = p->shaders[0], .label = "fill" };
    p->fill = gpool_render_pipeline_create(p->pool, &render);
    gpool_compute_pipeline_desc compute = { .shader = p->shaders[1],
                                            .layouts = { p->layout },
                                            .label = "double" };
    p->twice = gpool_compute_pipeline_create(p->pool, &compute);
    gpool_texture_desc target = { .width = 8,
                                  .height = 8,
                                  .format = WGPUTextureFormat_RGBA8Unorm,
                                  .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK,
                                  .label = "target" };
    p->target = gpool_texture_create(p->pool, &target);
    gpool_buffer_desc numbers = { .size = 64,
                                  .usage = GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_READ_BACK |
                                           GPOOL_BUFFER_COPY_TARGET,
                                  .label = "numbers" };
    p->numbers = gpool_buffer_create(p->pool, &numbers);
    gpool_buffer_desc plain = { .size = 64, .usage = GPOOL_BUFFER_COPY_SOURCE, .label = "plain" };
    p->plain = gpool_buffer_create(p->pool, &plain);
}

/* One frame: a write, a copy, a dispatch on it, a pass; a buffer made, resized and destroyed. */
static gpool_result program_frame(program *p, uint32_t number)
{
    gpool_result first = gpool_begin_frame(p->pool);
    if (first != GPOOL_OK) {
        return first;
    }
    gpool_buffer_desc desc = { .size = 100, .usage = GPOOL_BUFFER_VERTEX, .label = "short" };
    gpool_buffer short_lived = gpool_buffer_create(p->pool, &desc);
    (void)gpool_buffer_write(p->pool, short_lived, 0, &number, sizeof number);
    (void)gpool_buffer_write(p->pool, p->plain, 4, &number, sizeof number);
    (void)gpool_buffer_resize(p->pool, short_lived, 200);
    gpool_recorder rec = gpool_frame_recorder(p->pool);
    gpool_copy_buffer(rec, p->plain, 0, p->numbers, 0, 64);
    gpool_begin_compute(rec, NULL);
    gpool_set_pipeline(rec, p->twice);
    gpool_binding binding = { .binding = 0, .buffer = p->numbers };
    gpool_set_bindings(rec, 0, p->layout, &binding, 1, NULL, 0);
    gpool_dispatch(rec, 16, 1, 1);
    gpool_end_pass(rec);
    gpool_render_desc render = { .color = { { .texture = p->target } } };
    gpool_begin_render(rec, &render);
    gpool_set_pipeline(rec, p->fill);
    const float color[4] = { (float)(number % 256) / 255.0f, 1.0f, 0.0f, 1.0f };
    gpool_set_uniforms(rec, 0, color, sizeof color);
    gpool_draw_args args = { .vertex_count = 3 };
    gpool_draw(rec, &args);
    gpool_end_pass(rec);
    (void)gpool_buffer_destroy(p->pool, short_lived);
    return gpool_end_frame(p->pool);
}

static void program_check(program *p, uint32_t number)
{
    uint32_t numbers[16] = { 0 };
    uint8_t texels[8 * 8 * 4] = { 0 };
    assert_same(gpool_buffer_read(p->pool, p->numbers, 0, numbers, sizeof numbers), GPOOL_OK);
    assert_same(numbers[1], number * 2);
    assert_same(numbers[2], 0);
    assert_same(gpool_texture_read(p->pool, p->target, NULL, texels, sizeof texels), GPOOL_OK);
    assert_same(texels[0], number % 256);
    assert_same(texels[8 * 8 * 4 - 3], 255);
}

static void program_destroy_all(program *p)
{
    (void)gpool_pipeline_destroy(p->pool, p->fill);
    (void)gpool_pipeline_destroy(p->pool, p->twice);
    (void)gpool_layout_destroy(p->pool, p->layout);
    (void)gpool_shader_destroy(p->pool, p->shaders[0]);
    (void)gpool_shader_destroy(p->pool, p->shaders[1]);
    (void)gpool_texture_destroy(p->pool, p->target);
    (void)gpool_buffer_destroy(p->pool, p->numbers);
    (void)gpool_buffer_destroy(p->pool, p->plain);
}

/* Closes; nothing may be left and nothing fatal may have happened. */
static void program_end(program *p, int way, uint64_t point)
{
    gpool_destroy(p->pool);
    gpool_device_release(p->device);
    sim_drain(p->s);
    uint64_t left = sim_live(p->s, SIM_KIND_NONE);
    uint64_t kept = sim_kept(p->s, SIM_KIND_NONE) + sim_kept_bytes(p->s);
    uint64_t fatals = sim_fatal_count(p->s);
    uint64_t inside = sim_calls_in_callbacks(p->s);
    if (left + kept + fatals + inside > 0) {
        for (int kind = 1; kind < SIM_KIND_COUNT; ++kind) {
            uint64_t count = sim_live(p->s, (sim_kind)kind);
            if (count > 0) {
                printf("left: %llu of kind %s\n", (unsigned long long)count,
                       sim_kind_name((sim_kind)kind));
            }
        }
        fail_msg(
            "way %d, point %llu (%s): %llu objects left, %llu kept, %llu fatals (%s), %llu calls in "
            "callbacks",
            way, (unsigned long long)point, sim_function_name(sim_fail_function(p->s)),
            (unsigned long long)left, (unsigned long long)kept, (unsigned long long)fatals,
            sim_fatal_message(p->s, 0), (unsigned long long)inside);
    }
    sim_destroy(p->s);
}

static void program_reads_back_what_the_gpu_made(void **state)
{
    (void)state;
    for (int personality = SIM_WGPU_NATIVE; personality <= SIM_DAWN; ++personality) {
        for (int delivery = SIM_DELIVER_AT_POLL; delivery <= SIM_DELIVER_INLINE; ++delivery) {
            for (int errors = SIM_ERRORS_INLINE; errors <= SIM_ERRORS_SWALLOWED; ++errors) {
                sim_desc desc = { .personality = (sim_personality)personality,
                                  .delivery = (sim_delivery)delivery,
                                  .errors = (sim_errors)errors,
                                  .requests_late = errors == SIM_ERRORS_LATE,
                                  .completion = SIM_COMPLETE_AFTER_POLLS,
                                  .polls = 3 };
                program p;
                program_begin(&p, &desc);
                assert_same(program_open_device(&p), GPOOL_OK);
                program_make(&p);
                for (uint32_t i = 1; i <= 5; ++i) {
                    assert_same(program_frame(&p, i), GPOOL_OK);
                    program_check(&p, i);
                }
                assert_same(sim_error_count(p.s), 1); /* the probe's */
                assert_same(sim_draw_count(p.s), 5);
                assert_same(sim_dispatch_count(p.s), 5);
                sim_draw draw;
                assert_true(sim_get_draw(p.s, 4, &draw));
                assert_same(draw.counts[0], 3);
                assert_non_null(draw.groups[0]);
                program_destroy_all(&p);
                program_end(&p, -1, 0);
            }
        }
    }
}

static void callbacks_from_another_thread_are_fine(void **state)
{
    (void)state;
    for (int personality = SIM_WGPU_NATIVE; personality <= SIM_DAWN; ++personality) {
        sim_desc desc = { .personality = (sim_personality)personality };
        program p;
        program_begin(&p, &desc);
        assert_same(program_open_device(&p), GPOOL_OK);
        program_make(&p);
        sim_set_delivery(p.s, SIM_DELIVER_ON_THREAD);
        for (uint32_t i = 1; i <= 20; ++i) {
            assert_same(program_frame(&p, i), GPOOL_OK);
            program_check(&p, i);
        }
        program_end(&p, -1, 0);
    }
}

static void an_unknown_family_in_either_manner_works(void **state)
{
    (void)state;
    for (int personality = SIM_WGPU_NATIVE; personality <= SIM_DAWN; ++personality) {
        sim_desc desc = { .personality = (sim_personality)personality,
                          .adapter_type = WGPUAdapterType_DiscreteGPU,
                          .other_family = true,
                          .reuse_handles = true };
        program p;
        program_begin(&p, &desc);
        assert_same(program_open_device(&p), GPOOL_OK);
        gpool_device_info info;
        assert_same(gpool_device_get_info(p.device, &info), GPOOL_OK);
        assert_same(info.implementation, GPOOL_IMPLEMENTATION_OTHER);
        program_make(&p);
        for (uint32_t i = 1; i <= 5; ++i) {
            assert_same(program_frame(&p, i), GPOOL_OK);
            program_check(&p, i);
        }
        program_end(&p, -1, 0);
    }
}

static void a_missing_adapter_is_told(void **state)
{
    (void)state;
    sim_desc desc = { .no_adapter = true, .requests_late = true };
    program p;
    program_begin(&p, &desc);
    assert_same(program_open_device(&p), GPOOL_ERROR_NO_ADAPTER);
    program_end(&p, -1, 0);
}

static void a_thousand_frames_leave_the_counts_flat(void **state)
{
    (void)state;
    for (int personality = SIM_WGPU_NATIVE; personality <= SIM_DAWN; ++personality) {
        sim_desc desc = { .personality = (sim_personality)personality,
                          .completion = SIM_COMPLETE_AFTER_POLLS,
                          .polls = 2 };
        program p;
        program_begin(&p, &desc);
        assert_same(program_open_device(&p), GPOOL_OK);
        program_make(&p);
        uint64_t live = 0;
        uint64_t bytes = 0;
        for (uint32_t i = 1; i <= 1000; ++i) {
            assert_same(program_frame(&p, i), GPOOL_OK);
            if (i == 20) {
                live = sim_live(p.s, SIM_KIND_NONE);
                bytes = sim_kept_bytes(p.s);
            } else if (i > 20) {
                assert_same(sim_live(p.s, SIM_KIND_NONE), live);
                assert_same(sim_kept_bytes(p.s), bytes);
            }
        }
        program_check(&p, 1000);
        program_end(&p, -1, 0);
    }
}

/* Runs the script with the k-th call failing; false when there is no such call. */
static bool program_sweep_point(int personality, int way, uint64_t point, bool for_ever)
{
    sim_desc desc = { .personality = (sim_personality)personality, .quiet = true };
    program p;
    program_begin(&p, &desc);
    sim_fail(p.s, SIM_ANY_FUNCTION, point, (sim_way)way, for_ever);
    gpool_result opened = program_open_device(&p);
    if (opened == GPOOL_OK) {
        program_make(&p);
        for (uint32_t i = 1; i <= 3; ++i) {
            (void)program_frame(&p, i);
        }
        uint32_t number = 0;
        (void)gpool_buffer_read(p.pool, p.numbers, 4, &number, sizeof number);
    }
    bool hit = sim_fail_hits(p.s) > 0;
    sim_fail_none(p.s);
    if (opened == GPOOL_OK && way != SIM_FAIL_LOST) {
        /* Once the fault is gone, the next frame is whole again. */
        gpool_device_info info;
        assert_same(gpool_device_get_info(p.device, &info), GPOOL_OK);
        if (!info.lost) {
            program_destroy_all(&p);
            program_make(&p);
            gpool_result result = program_frame(&p, 7);
            if (result != GPOOL_OK) {
                fail_msg("way %d, point %llu (%s): the next frame gives %s: %s", way,
                         (unsigned long long)point, sim_function_name(sim_fail_function(p.s)),
                         gpool_result_name(result), gpool_last_error(p.pool)->message);
            }
            program_check(&p, 7);
        }
    }
    program_end(&p, way, point);
    return hit;
}

static void every_call_may_fail_in_every_way(void **state)
{
    (void)state;
    uint64_t total = 0;
    for (int personality = SIM_WGPU_NATIVE; personality <= SIM_DAWN; ++personality) {
        for (int way = SIM_FAIL_NULL; way <= SIM_FAIL_LOST; ++way) {
            for (int for_ever = 0; for_ever < 2; ++for_ever) {
                uint64_t point = 1;
                while (program_sweep_point(personality, way, point, for_ever != 0)) {
                    point += 1;
                }
                total += point - 1;
            }
        }
    }
    printf("fault points: %llu\n", (unsigned long long)total);
    assert_true(total > 500);
}

static uint64_t program_record(uint32_t first, FILE *file)
{
    program p;
    program_begin(&p, NULL);
    gpool_gpu real = p.table;
    assert_true(sim_record_begin(&real, &p.table, file));
    assert_same(program_open_device(&p), GPOOL_OK);
    program_make(&p);
    for (uint32_t i = 0; i < 3; ++i) {
        assert_same(program_frame(&p, first + i), GPOOL_OK);
    }
    program_check(&p, first + 2);
    uint64_t hash = sim_record_hash();
    assert_true(sim_record_calls() > 50);
    program_end(&p, -1, 0);
    sim_record_end();
    return hash;
}

static void the_same_calls_have_the_same_hash(void **state)
{
    (void)state;
    uint64_t hash = program_record(1, NULL);
    assert_same(program_record(1, NULL), hash);
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_same(program_record(1, file), hash);
    assert_true(ftell(file) > 1000);
    (void)fclose(file);
    assert_true(program_record(2, NULL) != hash);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(program_reads_back_what_the_gpu_made),
        cmocka_unit_test(callbacks_from_another_thread_are_fine),
        cmocka_unit_test(an_unknown_family_in_either_manner_works),
        cmocka_unit_test(a_missing_adapter_is_told),
        cmocka_unit_test(a_thousand_frames_leave_the_counts_flat),
        cmocka_unit_test(the_same_calls_have_the_same_hash),
        cmocka_unit_test(every_call_may_fail_in_every_way),
    };
    return cmocka_run_group_tests_name("sim_program", tests, NULL, NULL);
}
