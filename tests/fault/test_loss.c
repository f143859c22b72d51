/*
 * The device is lost at call k of a script of three frames, for every k: one code from then on, queues
 * drain, nothing hangs, nothing is left.
 */
#define _POSIX_C_SOURCE 200809L

#include "unit.h"

#include "fault.h"

#include "pool/pool_state.h"

#include <unistd.h>

#define LOSS_SECONDS 100u /* of a whole test */

/* What the script works with. */
typedef struct loss_things {
    fault_buffer numbers; /* gpu-written */
    fault_buffer plain;
    fault_texture target;
    gpool_texture picture;
    gpool_sampler sampler;
    gpool_layout layout;
    gpool_shader shaders[2];
    gpool_pipeline fill;
    gpool_pipeline twice;
} loss_things;

static void loss_make(fault_world *w, loss_things *t)
{
    uint8_t bytes[256];
    fault_pattern(bytes, sizeof bytes, 20);
    gpool_shader_desc fill = { .wgsl = fault_fill_wgsl, .label = "fill" };
    gpool_shader_desc twice = { .wgsl = fault_double_wgsl, .label = "double" };
    t->shaders[0] = FAULT_MAKE(w, gpool_shader, gpool_shader_create(w->pool, &fill));
    t->shaders[1] = FAULT_MAKE(w, gpool_shader, gpool_shader_create(w->pool, &twice));
    gpool_layout_entry entry = { .type = GPOOL_BINDING_STORAGE_WRITE };
    gpool_layout_desc layout = { .entries = &entry, .entry_count = 1, .label = "double" };
    t->layout = FAULT_MAKE(w, gpool_layout, gpool_layout_create(w->pool, &layout));
    gpool_render_pipeline_desc render = { .shader = t->shaders[0], .label = "fill" };
    gpool_compute_pipeline_desc compute = { .shader = t->shaders[1],
                                            .layouts = { t->layout },
                                            .label = "double" };
    t->fill = FAULT_MAKE(w, gpool_pipeline, gpool_render_pipeline_create(w->pool, &render));
    t->twice = FAULT_MAKE(w, gpool_pipeline, gpool_compute_pipeline_create(w->pool, &compute));
    t->sampler = FAULT_MAKE(w, gpool_sampler, gpool_sampler_create(w->pool, NULL));
    fault_buffer_make(
        w, &t->numbers,
        GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_READ_BACK, 64, NULL);
    fault_buffer_make(w, &t->plain, GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_READ_BACK, 64, bytes);
    fault_texture_make(w, &t->target, GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK, 4, 4, NULL);
    gpool_texture_desc picture = { .width = 4,
                                   .height = 4,
                                   .format = WGPUTextureFormat_RGBA8Unorm,
                                   .usage = GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_READ_BACK,
                                   .data = bytes,
                                   .data_size = 64,
                                   .label = "picture" };
    t->picture = FAULT_MAKE(w, gpool_texture, gpool_texture_create(w->pool, &picture));
}

/* Writes, copies, computes, draws; makes, resizes and destroys in between; reads back. */
static void loss_frame(fault_world *w, loss_things *t, uint32_t number)
{
    static const float colors[3][4] = { { 1, 0, 0, 1 }, { 0, 1, 0, 1 }, { 0, 0, 1, 1 } };
    uint8_t texel[4];
    uint32_t doubled[16];
    uint32_t values[16];
    for (uint32_t i = 0; i < 16; ++i) {
        values[i] = number * 16 + i;
        doubled[i] = values[i] * 2;
    }
    for (uint32_t i = 0; i < 4; ++i) {
        texel[i] = (uint8_t)(colors[number % 3][i] * 255.0f);
    }
    (void)FAULT_DO(w, 0, gpool_begin_frame(w->pool));
    (void)fault_buffer_write(w, &t->plain, 0, values, sizeof values);
    gpool_buffer_desc desc = { .size = 100, .usage = GPOOL_BUFFER_VERTEX, .label = "short" };
    gpool_buffer brief = FAULT_MAKE(w, gpool_buffer, gpool_buffer_create(w->pool, &desc));
    (void)FAULT_DO(w, brief.id, gpool_buffer_write(w->pool, brief, 0, values, 64));
    (void)FAULT_DO(w, brief.id, gpool_buffer_resize(w->pool, brief, 200));
    gpool_recorder rec = gpool_frame_recorder(w->pool);
    gpool_copy_buffer(rec, t->plain.handle, 0, t->numbers.handle, 0, 64);
    gpool_begin_compute(rec, NULL);
    gpool_set_pipeline(rec, t->twice);
    gpool_binding binding = { .buffer = t->numbers.handle };
    gpool_set_bindings(rec, 0, t->layout, &binding, 1, NULL, 0);
    gpool_dispatch(rec, 16, 1, 1);
    gpool_end_pass(rec);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = t->target.handle } });
    gpool_set_pipeline(rec, t->fill);
    gpool_set_uniforms(rec, 0, colors[number % 3], sizeof colors[0]);
    gpool_set_vertex_buffer(rec, 0, brief, 0);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    fault_destroy(w, brief.id);
    bool done = FAULT_DO(w, 0, gpool_end_frame(w->pool));
    fault_buffer_changed(&t->numbers, done, 0, doubled, sizeof doubled);
    fault_texture_filled(&t->target, done, texel);
    fault_buffer_check(w, &t->numbers);
    (void)fault_texture_resize(w, &t->target, 4 + number % 2, 4);
    fault_texture_check(w, &t->target);
}

/* Everything that needs the GPU says the same; what does not goes on. */
static void loss_check_codes(fault_world *w, const loss_things *t)
{
    gpool *p = w->pool;
    uint8_t bytes[256] = { 0 };
    gpool_result lost[] = {
        gpool_begin_frame(p),
        gpool_submit(p),
        gpool_end_frame(p),
        gpool_process_uploads(p),
        gpool_tick(p),
        gpool_wait_idle(p),
        gpool_note_external_submit(p),
        gpool_device_poll(w->device),
        gpool_create(w->device,
                     &(gpool_desc){ .compile_workers = GPOOL_WORKERS_NONE,
                                    .log = fault_pool_desc(w).log,
                                    .log_user = w },
                     &(gpool *){ NULL }),
        gpool_buffer_write(p, w->witness_written, 0, bytes, 4),
        gpool_buffer_resize(p, w->witness_written, 80),
        gpool_buffer_resize(p, w->witness_plain, 80),
        gpool_buffer_read(p, w->witness_plain, 0, bytes, 64),
        gpool_texture_write(p, w->witness_texture, NULL, bytes, 64, 0),
        gpool_texture_resize(p, w->witness_texture, 9, 9, 0),
        gpool_texture_read(p, w->witness_texture, NULL, bytes, sizeof bytes),
    };
    for (size_t i = 0; i < UNIT_COUNT(lost); ++i) {
        if (lost[i] != GPOOL_ERROR_DEVICE_LOST) {
            fault_problem(w, "call %zu on a lost device gives %s", i, gpool_result_name(lost[i]));
        }
    }
    FAULT_EXPECT(w, gpool_frame_recorder(p).state == NULL);
    gpool_buffer_info buffer;
    gpool_texture_info texture;
    gpool_stats stats;
    gpool_sampler_desc sampler;
    gpool_device_info device;
    const gpool_result good[] = {
        gpool_buffer_get_info(p, w->witness_written, &buffer),
        gpool_texture_get_info(p, w->witness_texture, &texture),
        gpool_sampler_get_desc(p, w->witness_sampler, &sampler),
        gpool_get_stats(p, &stats),
        gpool_device_get_info(w->device, &device),
        gpool_process_deletions(p),
        gpool_buffer_write(p, w->witness_plain, 0, bytes, 4),
    };
    for (size_t i = 0; i < UNIT_COUNT(good); ++i) {
        if (good[i] != GPOOL_OK) {
            fault_problem(w, "call %zu, which needs no GPU, gives %s", i,
                          gpool_result_name(good[i]));
        }
    }
    FAULT_EXPECT(w, buffer.size == 300 && buffer.version == 1 && texture.version == 1);
    FAULT_EXPECT(w, device.lost && t->twice.id != t->fill.id);
}

/* What was destroyed is freed, what was submitted counts as done. */
static void loss_check_queues(fault_world *w)
{
    gpool_stats stats = { 0 };
    (void)fault_end(w);
    for (int i = 0; i < 3; ++i) {
        sim_drain(w->s);
        (void)gpool_tick(w->pool);
    }
    FAULT_EXPECT(w, gpool_get_stats(w->pool, &stats) == GPOOL_OK && stats.retired_count == 0);
    FAULT_EXPECT(w, gpool_device_done(w->device) == gpool_device_submitted(w->device));
    FAULT_EXPECT(w, sim_in_flight(w->s) == 0);
}

static uint64_t loss_polls;
static uint64_t loss_untold; /* runs with a submit between the loss and the first word of it */

static void loss_count_polls(void *user, int function)
{
    (void)user;
    loss_polls += function == GPOOL_GPU_InstanceProcessEvents;
}

/*
 * Runs the script with the loss at its call `number`; false when it has fewer calls.
 */
static bool loss_run(fault_world *w, const fault_point *point)
{
    static loss_things things;
    things = (loss_things){ .fill = { 0 } };
    assert_true(fault_open(w, point));
    fault_arm(w);
    loss_make(w, &things);
    for (uint32_t i = 0; i < 3; ++i) {
        loss_frame(w, &things, i);
    }
    bool hit = fault_hits(w) > 0;
    uint8_t byte;
    if (hit) {
        /* wgpu-native tells it when it is asked for something. */
        sim_drain(w->s);
        gpool_result result = gpool_buffer_read(w->pool, w->witness_written, 0, &byte, 1);
        FAULT_EXPECT(w, result == GPOOL_ERROR_DEVICE_LOST);
        fault_disarm(w);
        loss_check_codes(w, &things);
        /* gpool_recover() belongs here: with a fresh device of the same simulator the handles of
         * `things` must work again, and loss_frame() with all its checks must pass. */
        loss_check_queues(w);
    } else {
        FAULT_EXPECT(w, fault_is_whole(w));
    }
    (void)fault_end(w);
    loss_untold += sim_untold_count(w->s) > 0;
    loss_polls = 0;
    fault_spy(loss_count_polls, NULL);
    fault_close(w);
    if (hit && point->delivery != SIM_DELIVER_ON_THREAD && loss_polls > 20) {
        fault_problem(w, "closing a lost device takes %llu polls", (unsigned long long)loss_polls);
    }
    return hit;
}

static void a_device_lost_at_any_call_gives_one_code(void **state)
{
    (void)state;
    static fault_world w;
    uint64_t total = 0;
    uint64_t problems = 0;
    (void)alarm(LOSS_SECONDS);
    for (int personality = SIM_WGPU_NATIVE; personality <= SIM_DAWN; ++personality) {
        for (int delivery = SIM_DELIVER_AT_POLL; delivery <= SIM_DELIVER_ON_THREAD; ++delivery) {
            fault_point point = { .personality = (sim_personality)personality,
                                  .delivery = (sim_delivery)delivery,
                                  .target = FAULT_CALL,
                                  .way = SIM_FAIL_LOST,
                                  .number = 1 };
            while (loss_run(&w, &point)) {
                if (w.problems > 0) {
                    printf("  lost at call %llu, personality %d, delivery %d\n",
                           (unsigned long long)point.number, personality, delivery);
                }
                problems += w.problems;
                point.number += 1;
            }
            problems += w.problems;
            total += point.number - 1;
            assert_true(point.number > 150);
        }
    }
    (void)alarm(0);
    printf("%llu points of loss; %llu between the last look and the submit, which no program can "
           "know\n",
           (unsigned long long)total, (unsigned long long)loss_untold);
    assert_same(problems, 0);
}

/* Lost and opened again, a thousand times: everything stays flat. */
static void a_thousand_losses_leave_nothing(void **state)
{
    (void)state;
    static fault_world w;
    static loss_things things;
    const void *blocks[8];
    size_t block_count = 0;
    for (uint32_t i = 0; i < 1000; ++i) {
        const fault_point point = { .personality = (sim_personality)(i % 2) };
        things = (loss_things){ .fill = { 0 } };
        assert_true(fault_open(&w, &point));
        loss_make(&w, &things);
        loss_frame(&w, &things, i);
        assert_true(fault_is_whole(&w));
        /* Where callbacks arrive outlives a device, and is used again by the next one. */
        size_t known = 0;
        while (known < block_count && blocks[known] != w.device->events) {
            known += 1;
        }
        assert_true(known < UNIT_COUNT(blocks));
        blocks[known] = w.device->events;
        block_count += known == block_count;
        sim_lose(w.s);
        uint8_t byte;
        assert_same(gpool_buffer_read(w.pool, w.witness_written, 0, &byte, 1),
                    GPOOL_ERROR_DEVICE_LOST);
        (void)fault_end(&w);
        fault_close(&w);
        assert_same(w.problems, 0);
    }
    assert_same(block_count, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_device_lost_at_any_call_gives_one_code),
        cmocka_unit_test(a_thousand_losses_leave_nothing),
    };
    return cmocka_run_group_tests_name("loss", tests, NULL, NULL);
}
