/*
 * A lost device: wherever it is lost, every call returns soon, nothing ends the process, and at the
 * latest after the next submit one code is given from then on.
 */
#define _POSIX_C_SOURCE 200809L

#include "gpu/hostile.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int gpu_loss_run(void);

#define SECONDS 30

/* How the device is lost. */
enum {
    LOSS_DESTROY,
    LOSS_FORCE,
    LOSS_WAYS
};

static gpool_gpu loss_real; /* table under the counting one */
static WGPUDevice loss_device;
static uint64_t loss_calls; /* calls into WebGPU so far */
static uint64_t loss_at;    /* the device is lost before this call; 0 = never */
static bool loss_skipped;   /* that call was one where no library could have known */

typedef void (*loss_force_fn)(WGPUDevice, WGPUDeviceLostReason, WGPUStringView);

/* Dawn's own way; NULL elsewhere. */
static loss_force_fn find_force(void)
{
    void *library = dlopen(getenv("GPOOL_WEBGPU"), RTLD_LAZY);
    void *symbol = library != NULL ? dlsym(library, "wgpuDeviceForceLoss") : NULL;
    loss_force_fn force = NULL;
    memcpy(&force, &symbol, sizeof force);
    return force;
}

static void lose(WGPUDevice device, int way)
{
    if (way == LOSS_DESTROY) {
        loss_real.DeviceDestroy(device);
    } else {
        find_force()(device, WGPUDeviceLostReason_Unknown, (WGPUStringView){ "forced", 6 });
    }
}

/* A submit, or a look at mapped bytes, right after the loss cannot be known to be one; between
 * Finish and the submit only the encoder's release comes. */
static void count_call(int function)
{
    loss_calls += 1;
    if (loss_calls == loss_at && loss_device != NULL) {
        loss_skipped =
            function == GPOOL_GPU_QueueSubmit || function == GPOOL_GPU_CommandEncoderRelease ||
            function == GPOOL_GPU_BufferGetConstMappedRange ||
            function == GPOOL_GPU_BufferGetMappedRange || function == GPOOL_GPU_DeviceDestroy;
        if (!loss_skipped) {
            loss_real.DeviceDestroy(loss_device);
        }
    }
}

#define GPOOL_V(name, parameters, arguments)                                                       \
    static void counted_##name parameters                                                          \
    {                                                                                              \
        count_call(GPOOL_GPU_##name);                                                              \
        loss_real.name arguments;                                                                  \
    }
#define GPOOL_R(type, name, parameters, arguments)                                                 \
    static type counted_##name parameters                                                          \
    {                                                                                              \
        count_call(GPOOL_GPU_##name);                                                              \
        return loss_real.name arguments;                                                           \
    }
GPOOL_GPU_REQUIRED(GPOOL_V, GPOOL_R)
#undef GPOOL_V
#undef GPOOL_R

static gpool_gpu counting_table(void)
{
    gpool_gpu table = loss_real;
#define GPOOL_V(name, parameters, arguments)       table.name = counted_##name;
#define GPOOL_R(type, name, parameters, arguments) table.name = counted_##name;
    GPOOL_GPU_REQUIRED(GPOOL_V, GPOOL_R)
#undef GPOOL_V
#undef GPOOL_R
    return table;
}

/* The way that uploads of the large buffers go; AUTO = there are none. */
static gpool_upload_way loss_forced;

#define LARGE 70000u /* more than a block of staging */

/* What the script works on. */
typedef struct loss_world {
    gpool_device *device;
    gpool *pool;
    fixture_log log;
    gpool_buffer vertices;
    gpool_buffer written;
    gpool_buffer large;
    gpool_buffer recorded;
    gpool_texture target;
    gpool_shader shader;
    gpool_pipeline fill;
    gpool_layout layout;
    gpool_sampler sampler;
    gpool_recorder rec;
    gpool_ticket tickets[4];
    uint8_t bytes[4096];
} loss_world;

static void step_begin(loss_world *w)
{
    (void)gpool_begin_frame(w->pool);
}

static void step_write(loss_world *w)
{
    for (uint64_t at = 0; w->large.id != 0 && at + 64 < LARGE; at += 9000) {
        (void)gpool_buffer_write(w->pool, w->large, at, w->bytes, 64);
    }
    (void)gpool_buffer_write(w->pool, w->vertices, 4, w->bytes, 64);
    (void)gpool_buffer_write(w->pool, w->written, 4, w->bytes, 64);
    (void)gpool_texture_write(w->pool, w->target, NULL, w->bytes, 256, 0);
    memset(w->bytes, (int)gpool_frame(w->pool) + w->bytes[0], 64);
}

static void step_record(loss_world *w)
{
    w->rec = gpool_frame_recorder(w->pool);
    gpool_copy_buffer(w->rec, w->vertices, 0, w->written, 0, 64);
    if (w->recorded.id != 0) {
        static const uint8_t bytes[LARGE];
        gpool_record_write(w->rec, w->recorded, 0, w->bytes, 64);
        gpool_record_write(w->rec, w->recorded, 0, bytes, LARGE);
        gpool_record_write(w->rec, w->recorded, 0, w->bytes, 64);
    }
}

static void step_pass(loss_world *w)
{
    gpool_begin_render(w->rec, &(gpool_render_desc){ .color[0] = { .texture = w->target } });
    gpool_set_pipeline(w->rec, w->fill);
}

static void step_draw(loss_world *w)
{
    gpool_binding binding = { .sampler = w->sampler };
    gpool_set_bindings(w->rec, 1, w->layout, &binding, 1, NULL, 0);
    gpool_set_uniforms(w->rec, 0, w->bytes, 16);
    gpool_draw(w->rec, &(gpool_draw_args){ .vertex_count = 3 });
}

static void step_end_pass(loss_world *w)
{
    gpool_end_pass(w->rec);
}

static void step_compute(loss_world *w)
{
    gpool_begin_compute(w->rec, NULL);
    gpool_push_group(w->rec, "group");
    gpool_end_pass(w->rec);
    gpool_clear_buffer(w->rec, w->written, 64, 64);
}

static void step_submit(loss_world *w)
{
    (void)gpool_submit(w->pool);
}

static void step_end(loss_world *w)
{
    (void)gpool_end_frame(w->pool);
}

static void step_read(loss_world *w)
{
    uint8_t bytes[256];
    (void)gpool_buffer_read(w->pool, w->written, 0, bytes, 64);
    (void)gpool_texture_read(w->pool, w->target, NULL, bytes, 256);
}

/* Takes one ticket, drops one in whatever state it is, keeps two, and records new ones. */
static void step_tickets(loss_world *w)
{
    uint8_t bytes[256];
    (void)gpool_ticket_status(w->pool, w->tickets[0]);
    (void)gpool_ticket_take(w->pool, w->tickets[0], bytes, sizeof bytes);
    for (int i = 0; i < 2; ++i) {
        (void)gpool_ticket_destroy(w->pool, w->tickets[i]);
        w->tickets[i] = w->tickets[i + 2];
    }
    w->tickets[2] = gpool_read_buffer(w->rec, w->written, 1, 61, NULL);
    w->tickets[3] = gpool_read_texture(w->rec, w->target, NULL, NULL);
}

static void step_wait(loss_world *w)
{
    (void)gpool_ticket_wait(w->pool, w->tickets[2], UINT64_C(3000000000));
}

static void step_create(loss_world *w)
{
    gpool *p = w->pool;
    gpool_buffer_desc buffer = { .data = w->bytes, .size = 64, .usage = 0x3ff };
    (void)gpool_buffer_destroy(p, gpool_buffer_create(p, &buffer));
    gpool_texture_desc texture = {
        .width = 2, .height = 2, .usage = 1, .format = WGPUTextureFormat_RGBA8Unorm
    };
    (void)gpool_texture_destroy(p, gpool_texture_create(p, &texture));
    gpool_shader shader = gpool_shader_create(p, &(gpool_shader_desc){ .wgsl = fixture_fill_wgsl });
    gpool_render_pipeline_desc render = { .shader = shader,
                                          .samples = 1,
                                          .colors[0].format = WGPUTextureFormat_RGBA8Unorm };
    gpool_pipeline pipeline = gpool_render_pipeline_create(p, &render);
    (void)gpool_pipeline_status(p, pipeline);
    (void)gpool_pipeline_destroy(p, pipeline);
    (void)gpool_shader_destroy(p, shader);
    gpool_sampler_desc sampler = { .lod_max = 3.0f };
    (void)gpool_sampler_destroy(p, gpool_sampler_create(p, &sampler));
    gpool_layout_entry entry = { .binding = 3, .type = GPOOL_BINDING_STORAGE };
    (void)gpool_layout_destroy(
        p, gpool_layout_create(p, &(gpool_layout_desc){ .entries = &entry, .entry_count = 1 }));
}

static void step_resize(loss_world *w)
{
    uint64_t size = 128 + gpool_frame(w->pool) * 4;
    (void)gpool_buffer_resize(w->pool, w->vertices, size);
    (void)gpool_buffer_resize(w->pool, w->written, size);
    (void)gpool_texture_resize(w->pool, w->target, 8, 8 + (uint32_t)gpool_frame(w->pool), 0);
}

static void step_raw(loss_world *w)
{
    (void)gpool_buffer_gpu(w->pool, w->vertices, GPOOL_ACCESS_READ);
    (void)gpool_texture_gpu_view(w->pool, w->target, NULL, GPOOL_ACCESS_WRITE);
    (void)gpool_process_uploads(w->pool);
    (void)gpool_note_external_submit(w->pool);
}

static void step_idle(loss_world *w)
{
    (void)gpool_tick(w->pool);
    (void)gpool_wait_idle(w->pool);
    (void)gpool_process_deletions(w->pool);
    (void)gpool_device_poll(w->device);
}

static void (*const steps[])(loss_world *w) = {
    step_begin,   step_write,    step_record,  step_pass,  step_draw,   step_end_pass,
    step_compute, step_tickets,  step_submit,  step_write, step_record, step_pass,
    step_draw,    step_end_pass, step_tickets, step_end,   step_wait,   step_read,
    step_write,   step_raw,      step_create,  step_idle,  step_resize,
};
#define STEP_COUNT (sizeof steps / sizeof *steps)
#define FRAMES     3

static double now_seconds(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static void world_open(loss_world *w, bool counted)
{
    memset(w, 0, sizeof *w);
    assert_good(gpool_gpu_load(NULL, &loss_real));
    gpool_gpu table = counted ? counting_table() : loss_real;
    gpool_device_desc device = { .gpu = &table,
                                 .adapter = fixture_adapter(),
                                 .log = fixture_on_log,
                                 .log_user = &w->log,
                                 .allocator = fixture_allocator() };
    assert_good(gpool_device_open(&device, &w->device));
    gpool_desc pool = { .compile_workers = GPOOL_WORKERS_NONE,
                        .log = fixture_on_log,
                        .log_user = &w->log,
                        .allocator = fixture_allocator(),
                        .upload = { .force = loss_forced },
                        .wait_timeout_ms = 3000 };
    assert_good(gpool_create(w->device, &pool, &w->pool));
    gpool *p = w->pool;
    gpool_buffer_desc buffer = { .size = 128, .usage = 0x3ff & ~GPOOL_BUFFER_STORAGE_WRITE };
    w->vertices = gpool_buffer_create(p, &buffer);
    buffer.usage = 0x3ff;
    w->written = gpool_buffer_create(p, &buffer);
    if (loss_forced != GPOOL_UPLOAD_AUTO) {
        buffer.size = LARGE;
        w->recorded = gpool_buffer_create(p, &buffer);
        buffer.usage = GPOOL_BUFFER_VERTEX;
        w->large = gpool_buffer_create(p, &buffer);
    }
    gpool_texture_desc texture = {
        .width = 8, .height = 8, .usage = 0x3f, .format = WGPUTextureFormat_RGBA8Unorm
    };
    w->target = gpool_texture_create(p, &texture);
    w->shader = gpool_shader_create(p, &(gpool_shader_desc){ .wgsl = fixture_fill_wgsl });
    gpool_layout_entry entry = { .type = GPOOL_BINDING_SAMPLER };
    w->layout = gpool_layout_create(p, &(gpool_layout_desc){ .entries = &entry, .entry_count = 1 });
    w->sampler = gpool_sampler_create(p, &(gpool_sampler_desc){ 0 });
    gpool_render_pipeline_desc render = { .shader = w->shader,
                                          .layouts = { gpool_uniform_layout(p), w->layout } };
    w->fill = gpool_render_pipeline_create(p, &render);
    assert_good(gpool_pipeline_status(p, w->fill));
}

/* From here on there is one code, and what is left can be given up. */
static void check_lost(loss_world *w)
{
    gpool *p = w->pool;
    uint8_t bytes[4];
    (void)gpool_end_frame(p);
    (void)gpool_begin_frame(p); /* the next submit at the latest tells */
    (void)gpool_buffer_write(p, w->vertices, 0, "loss", 4);
    w->rec = gpool_frame_recorder(p);
    gpool_clear_buffer(w->rec, w->written, 0, 4);
    (void)gpool_end_frame(p);
    assert_result(gpool_begin_frame(p), GPOOL_ERROR_DEVICE_LOST);
    assert_result(gpool_submit(p), GPOOL_ERROR_DEVICE_LOST);
    assert_result(gpool_end_frame(p), GPOOL_ERROR_DEVICE_LOST);
    assert_result(gpool_tick(p), GPOOL_ERROR_DEVICE_LOST);
    assert_result(gpool_wait_idle(p), GPOOL_ERROR_DEVICE_LOST);
    assert_result(gpool_process_uploads(p), GPOOL_ERROR_DEVICE_LOST);
    assert_result(gpool_device_poll(w->device), GPOOL_ERROR_DEVICE_LOST);
    assert_int_not_equal(gpool_buffer_read(p, w->written, 0, bytes, 4), GPOOL_OK);
    assert_null(gpool_frame_recorder(p).state);
    gpool_device_info info;
    assert_good(gpool_device_get_info(w->device, &info));
    assert_true(info.lost);
    gpool_buffer_desc buffer = { .size = 64, .usage = 0x3ff };
    gpool_buffer made = gpool_buffer_create(p, &buffer);
    gpool_buffer_info state = { .failed = true };
    (void)gpool_buffer_get_info(p, made, &state);
    assert_true(state.failed);
    gpool *none = NULL;
    gpool_desc desc = { .compile_workers = GPOOL_WORKERS_NONE,
                        .log = fixture_on_log,
                        .log_user = &w->log,
                        .allocator = fixture_allocator() };
    assert_result(gpool_create(w->device, &desc, &none), GPOOL_ERROR_DEVICE_LOST);
}

static void world_close(loss_world *w)
{
    gpool *p = w->pool;
    for (int i = 0; i < 4; ++i) {
        (void)gpool_ticket_destroy(p, w->tickets[i]);
    }
    (void)gpool_buffer_destroy(p, w->vertices); /* see destroy_works_on_a_lost_device */
    assert_good(gpool_buffer_destroy(p, w->written));
    assert_good(gpool_buffer_destroy(p, w->large));
    assert_good(gpool_buffer_destroy(p, w->recorded));
    assert_good(gpool_texture_destroy(p, w->target));
    assert_good(gpool_pipeline_destroy(p, w->fill));
    assert_good(gpool_shader_destroy(p, w->shader));
    assert_good(gpool_layout_destroy(p, w->layout));
    assert_good(gpool_sampler_destroy(p, w->sampler));
    gpool_destroy(p);
    gpool_device_release(w->device);
}

typedef struct loss_point {
    int way;
    uint32_t frame;
    uint32_t step;
} loss_point;

/* Loses the device before one step of one frame and goes on to the end. */
static void lose_at_step(void *user)
{
    const loss_point *point = user;
    static loss_world w;
    world_open(&w, false);
    for (uint32_t frame = 0; frame < FRAMES; ++frame) {
        for (uint32_t step = 0; step < STEP_COUNT; ++step) {
            if (frame == point->frame && step == point->step) {
                lose(gpool_device_raw(w.device), point->way);
            }
            double begin = now_seconds();
            steps[step](&w);
            if (now_seconds() - begin > 5.0) {
                fail_msg("step %u of frame %u took over 5 s", step, frame);
            }
        }
    }
    check_lost(&w);
    world_close(&w);
}

static void run_steps(int way, uint32_t frame)
{
    uint32_t bad = 0;
    for (uint32_t step = 0; step < STEP_COUNT; ++step) {
        char name[64];
        loss_point point = { way, frame, step };
        (void)snprintf(name, sizeof name, "loss %d before step %u of frame %u", way, step, frame);
        bad += !hostile_try(name, lose_at_step, &point, SECONDS);
    }
    assert_int_equal(bad, 0);
}

static void device_destroyed_before_each_step(void **state)
{
    (void)state;
    run_steps(LOSS_DESTROY, 1);
}

static void device_lost_by_force_before_each_step(void **state)
{
    (void)state;
    if (find_force() == NULL) {
        skip();
    }
    run_steps(LOSS_FORCE, 1);
}

static void device_lost_in_the_first_frame(void **state)
{
    (void)state;
    run_steps(LOSS_DESTROY, 0);
}

/* Loses the device before the k-th call into WebGPU after the script began. */
static void lose_at_call(void *user)
{
    static loss_world w;
    loss_device = NULL;
    loss_calls = 0;
    loss_at = 0;
    world_open(&w, true);
    loss_device = gpool_device_raw(w.device);
    loss_calls = 0;
    loss_at = *(const uint64_t *)user;
    for (uint32_t frame = 0; frame < FRAMES; ++frame) {
        for (uint32_t step = 0; step < STEP_COUNT; ++step) {
            steps[step](&w);
        }
    }
    if (loss_at == 0) {
        print_message("%llu calls in the script\n", (unsigned long long)loss_calls);
    } else if (loss_calls >= loss_at && !loss_skipped) {
        check_lost(&w);
    }
    loss_device =
        NULL; /* waits differ in length, so the call may not have come: never in the close */
    world_close(&w);
}

/* Every fifteenth call of the script, beginning elsewhere with another GPOOL_TEST_SEED. */
static void run_calls(void)
{
    uint64_t first = fixture_seed(0) % 15;
    uint64_t never = 0;
    hostile_fork("no loss", lose_at_call, &never, SECONDS);
    uint32_t bad = 0;
    for (uint64_t call = 1 + first; call < 420; call += 15) {
        char name[64];
        (void)snprintf(name, sizeof name, "loss before call %u", (unsigned)call);
        bad += !hostile_try(name, lose_at_call, &call, SECONDS);
    }
    assert_int_equal(bad, 0);
}

static void device_destroyed_before_each_call(void **state)
{
    (void)state;
    run_calls();
}

static void device_destroyed_before_each_call_of_staged_uploads(void **state)
{
    (void)state;
    loss_forced = GPOOL_UPLOAD_MERGED;
    run_calls();
    loss_forced = GPOOL_UPLOAD_AUTO;
}

static void device_destroyed_before_each_step_of_scattered_uploads(void **state)
{
    (void)state;
    loss_forced = GPOOL_UPLOAD_SCATTER;
    run_steps(LOSS_DESTROY, 1);
    loss_forced = GPOOL_UPLOAD_AUTO;
}

/* Bytes not yet sent of a buffer that was handed out raw must not keep it from being destroyed. */
static void destroy_dirty_raw(void *user)
{
    (void)user;
    static loss_world w;
    world_open(&w, false);
    assert_non_null(gpool_buffer_gpu(w.pool, w.vertices, GPOOL_ACCESS_READ));
    assert_good(gpool_buffer_write(w.pool, w.vertices, 0, "loss", 4));
    lose(gpool_device_raw(w.device), LOSS_DESTROY);
    assert_good(gpool_buffer_destroy(w.pool, w.vertices));
    assert_result(gpool_buffer_destroy(w.pool, w.vertices), GPOOL_ERROR_STALE_HANDLE);
    world_close(&w);
}

static void destroy_works_on_a_lost_device(void **state)
{
    (void)state;
    hostile_fork("destroy of dirty raw buffer", destroy_dirty_raw, NULL, SECONDS);
}

/* One device, two pools: both learn of the loss. */
static void two_pools(void *user)
{
    (void)user;
    static loss_world w;
    world_open(&w, false);
    gpool *other = NULL;
    gpool_desc desc = { .compile_workers = GPOOL_WORKERS_NONE,
                        .log = fixture_on_log,
                        .log_user = &w.log,
                        .allocator = fixture_allocator() };
    assert_good(gpool_create(w.device, &desc, &other));
    lose(gpool_device_raw(w.device), LOSS_DESTROY);
    check_lost(&w);
    assert_result(gpool_begin_frame(other), GPOOL_ERROR_DEVICE_LOST);
    gpool_destroy(other);
    world_close(&w);
    world_open(&w, false); /* and a new device works */
    for (uint32_t step = 0; step < STEP_COUNT; ++step) {
        steps[step](&w);
    }
    assert_good(gpool_begin_frame(w.pool));
    assert_good(gpool_end_frame(w.pool));
    world_close(&w);
}

static void every_pool_learns_and_a_new_device_works(void **state)
{
    (void)state;
    hostile_fork("two pools", two_pools, NULL, SECONDS);
}

/* Dawn tells it at once; wgpu-native at the next encoder, whatever else is called. */
static void loss_is_told(void *user)
{
    (void)user;
    static loss_world w;
    world_open(&w, false);
    gpool_device_info info;
    assert_good(gpool_device_get_info(w.device, &info));
    const bool at_once = info.implementation == GPOOL_IMPLEMENTATION_DAWN;
    lose(gpool_device_raw(w.device), LOSS_DESTROY);
    assert_good(gpool_device_get_info(w.device, &info));
    assert_int_equal(info.lost, at_once);
    assert_result(gpool_device_poll(w.device), at_once ? GPOOL_ERROR_DEVICE_LOST : GPOOL_OK);
    assert_good(gpool_buffer_write(w.pool, w.vertices, 0, "loss", 4));
    assert_result(gpool_process_uploads(w.pool), GPOOL_ERROR_DEVICE_LOST);
    assert_good(gpool_device_get_info(w.device, &info));
    assert_true(info.lost);
    check_lost(&w);
    world_close(&w);
}

static void a_loss_is_told_as_soon_as_the_implementation_can(void **state)
{
    (void)state;
    hostile_fork("telling of a loss", loss_is_told, NULL, SECONDS);
}

int gpu_loss_run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(device_destroyed_before_each_step),
        cmocka_unit_test(device_lost_by_force_before_each_step),
        cmocka_unit_test(device_lost_in_the_first_frame),
        cmocka_unit_test(device_destroyed_before_each_call),
        cmocka_unit_test(device_destroyed_before_each_call_of_staged_uploads),
        cmocka_unit_test(device_destroyed_before_each_step_of_scattered_uploads),
        cmocka_unit_test(destroy_works_on_a_lost_device),
        cmocka_unit_test(every_pool_learns_and_a_new_device_works),
        cmocka_unit_test(a_loss_is_told_as_soon_as_the_implementation_can),
    };
    return cmocka_run_group_tests_name("loss", tests, NULL, NULL);
}
