/* gpool_recover() for every kind: handles stay, contents and pictures are equal, the report is right. */
#include "recover_world.h"

static recover_world world;

/* What a world of world_make() is made of. */
#define BUFFERS        6
#define GPU_WRITTEN    3
#define TEXTURES       5
#define SAMPLERS       1
#define LAYOUTS        2
#define SHADERS        1
#define PIPELINES      3
#define RENDER_VARIANT 3 /* `fill` for two formats, `blend` for one */

/* The personality of the device that is lost, and of the next one: all four pairs. */
#define EACH_PAIR(from, to)                                                                        \
    for (sim_personality from = SIM_WGPU_NATIVE; from <= SIM_DAWN; ++from)                         \
        for (sim_personality to = SIM_WGPU_NATIVE; to <= SIM_DAWN; ++to)

static void begin(sim_personality from, sim_personality to)
{
    world.limits = NULL;
    world.feature = NULL;
    world_begin(&world, from);
    world_add_sim(&world, 1, to);
    assert_good(&world, world_frame(&world, 1));
    world_check(&world, 1);
}

static void lose(void)
{
    sim_lose(world.sims[0]);
    (void)world_frame(&world, 1); /* wgpu-native tells it in the next encoder */
    assert_same(world_frame(&world, 1), GPOOL_ERROR_DEVICE_LOST);
}

static uint64_t compiled(int slot)
{
    sim *s = world.sims[slot];
    return sim_call_count(s, GPOOL_GPU_DeviceCreateRenderPipeline) +
           sim_call_count(s, GPOOL_GPU_DeviceCreateComputePipeline) +
           sim_call_count(s, GPOOL_GPU_DeviceCreateShaderModule);
}

static void everything_works_behind_the_same_handles(void **state)
{
    (void)state;
    EACH_PAIR(from, to)
    {
        begin(from, to);
        world_handles before = world.h;
        uint64_t points_version = world_version(&world, world.h.points.id);
        uint64_t picture_version = world_version(&world, world.h.picture.id);
        uint64_t live[GPOOL_KIND_COUNT];
        for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
            live[kind] = world_live(&world, (gpool_kind)kind);
        }
        lose();
        gpool_recover_report report;
        assert_good(&world, world_recover(&world, world_open(&world, 1), &report));
        assert_same(report.rebuilt[GPOOL_KIND_BUFFER], BUFFERS);
        assert_same(report.rebuilt[GPOOL_KIND_TEXTURE], TEXTURES);
        assert_same(report.rebuilt[GPOOL_KIND_SAMPLER], SAMPLERS);
        assert_same(report.rebuilt[GPOOL_KIND_LAYOUT], LAYOUTS);
        assert_same(report.rebuilt[GPOOL_KIND_SHADER], SHADERS);
        assert_same(report.rebuilt[GPOOL_KIND_PIPELINE], PIPELINES);
        for (int kind = 0; kind < GPOOL_KIND_COUNT; ++kind) {
            assert_same(report.failed[kind], 0);
        }
        assert_same(report.refilled, GPU_WRITTEN + TEXTURES);
        assert_same(report.lost, 0);
        assert_same(report.lost_bytes, 0);
        /* Three modules: two of them are known to pipelines only. */
        assert_same(compiled(1), RENDER_VARIANT + 1 + 3);
        assert_good(&world, world_frame(&world, 2));
        assert_same(compiled(1), RENDER_VARIANT + 1 + 3); /* no frame compiles */
        world_check(&world, 2);
        assert_memory_equal(&world.h, &before, sizeof before);
        assert_true(world_version(&world, world.h.points.id) > points_version);
        assert_true(world_version(&world, world.h.picture.id) > picture_version);
        for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
            assert_same(world_live(&world, (gpool_kind)kind), live[kind]);
        }
        assert_same(world.logs[GPOOL_LOG_NOT_REBUILT] + world.logs[GPOOL_LOG_CONTENT_LOST], 0);
        assert_same(world.logs[GPOOL_LOG_RECOVERED], 1);
        world_end(&world);
    }
}

/* Bytes that a shadow has need no callback and no frame. */
static void shadows_are_whole_without_a_frame(void **state)
{
    (void)state;
    EACH_PAIR(from, to)
    {
        begin(from, to);
        uint8_t word[4] = { 9, 8, 7, 6 };
        lose();
        assert_good(&world, gpool_buffer_write(world.pool, world.h.points, 100, word, 4));
        assert_good(&world, gpool_recover(world.pool, world_open(&world, 1), NULL, NULL));
        world_bytes wanted;
        static uint8_t got[WORLD_POINTS];
        world_expect(1, &wanted);
        memcpy(wanted.points + 100, word, 4);
        assert_good(&world, gpool_buffer_read(world.pool, world.h.points, 0, got, WORLD_POINTS));
        assert_memory_equal(got, wanted.points, WORLD_POINTS);
        assert_good(&world, gpool_buffer_read(world.pool, world.h.odd, 0, got, WORLD_ODD));
        assert_memory_equal(got, wanted.odd, WORLD_ODD);
        gpool_device_release(gpool_pool_device(world.pool)); /* the one of world_open() */
        gpool_device_release(world.device);
        world.device = gpool_device_retain(gpool_pool_device(world.pool));
        world_end(&world);
    }
}

static void a_pool_moves_from_a_device_that_is_not_lost(void **state)
{
    (void)state;
    EACH_PAIR(from, to)
    {
        begin(from, to);
        assert_good(&world, world_recover(&world, world_open(&world, 1), NULL));
        assert_same(sim_live(world.sims[0], SIM_KIND_NONE), 0);
        assert_good(&world, world_frame(&world, 2));
        world_check(&world, 2);
        /* And to the very device it is on. */
        assert_good(&world, world_recover(&world, world.device, NULL));
        assert_good(&world, world_frame(&world, 3));
        world_check(&world, 3);
        world_end(&world);
    }
}

static void refills_are_asked_for_what_only_the_gpu_had(void **state)
{
    (void)state;
    begin(SIM_WGPU_NATIVE, SIM_DAWN);
    lose();
    world.asked_count = 0;
    assert_good(&world, world_recover(&world, world_open(&world, 1), NULL));
    const uint64_t wanted[] = {
        world.h.numbers.id, world.h.state.id, world.h.copied.id, world.h.picture.id,
        world.h.target.id,  world.h.other.id, world.h.volume.id, world.h.depth.id,
    };
    assert_same(world.asked_count, UNIT_COUNT(wanted));
    for (size_t i = 0; i < UNIT_COUNT(wanted); ++i) {
        assert_same(world.asked[i], wanted[i]);
    }
    world_end(&world);
}

static gpool_result refuse_buffer(void *user, gpool *pool, gpool_buffer buffer,
                                  const gpool_buffer_info *info)
{
    (void)user;
    (void)pool;
    (void)buffer;
    return info->size == 64 ? GPOOL_ERROR_FILE : GPOOL_OK;
}

static void what_is_not_refilled_is_zero_and_told(void **state)
{
    (void)state;
    for (int way = 0; way < 3; ++way) { /* no descriptor, no callback, one that refuses */
        begin(SIM_WGPU_NATIVE, SIM_WGPU_NATIVE);
        lose();
        gpool_recover_desc desc = { .refill_buffer = way == 2 ? refuse_buffer : NULL };
        gpool_recover_report report;
        gpool_device *device = world_open(&world, 1);
        assert_good(&world, gpool_recover(world.pool, device, way > 0 ? &desc : NULL, &report));
        gpool_device_release(world.device);
        world.device = device;
        uint64_t bytes = GPU_WRITTEN * 64 + WORLD_TEXELS * 4 * (4 + WORLD_SLICES);
        assert_same(report.refilled, 0);
        assert_same(report.lost, GPU_WRITTEN + TEXTURES);
        assert_same(report.lost_bytes, bytes);
        assert_same(world.logs[GPOOL_LOG_CONTENT_LOST], GPU_WRITTEN + TEXTURES);
        static world_bytes got;
        static const world_bytes zeros;
        assert_good(&world, world_read(&world, &got));
        assert_memory_equal(got.state, zeros.state, sizeof got.state);
        assert_memory_equal(got.copied, zeros.copied, sizeof got.copied);
        assert_memory_equal(got.picture, zeros.picture, sizeof got.picture);
        assert_memory_equal(got.volume, zeros.volume, sizeof got.volume);
        world_end(&world);
    }
}

static void imports_become_failed(void **state)
{
    (void)state;
    begin(SIM_WGPU_NATIVE, SIM_DAWN);
    gpool *p = world.pool;
    const gpool_gpu *gpu = gpool_device_gpu(world.device);
    WGPUDevice raw = gpool_device_raw(world.device);
    WGPUBufferDescriptor buffer_desc = { .usage = WGPUBufferUsage_Storage, .size = 32 };
    WGPUBuffer buffer = gpu->DeviceCreateBuffer(raw, &buffer_desc);
    WGPUTextureDescriptor texture_desc = { .usage = WGPUTextureUsage_TextureBinding,
                                           .dimension = WGPUTextureDimension_2D,
                                           .size = { 4, 4, 1 },
                                           .format = WGPUTextureFormat_RGBA8Unorm,
                                           .mipLevelCount = 1,
                                           .sampleCount = 1 };
    WGPUTexture texture = gpu->DeviceCreateTexture(raw, &texture_desc);
    gpool_buffer_import_desc import_buffer = { .buffer = buffer,
                                               .usage = GPOOL_BUFFER_STORAGE,
                                               .label = "foreign" };
    gpool_texture_import_desc import_texture = { .texture = texture,
                                                 .usage = GPOOL_TEXTURE_SAMPLED,
                                                 .label = "foreign" };
    gpool_buffer imported_buffer = gpool_buffer_import(p, &import_buffer);
    gpool_texture imported_texture = gpool_texture_import(p, &import_texture);
    assert_non_null(gpool_texture_gpu_view(p, imported_texture, NULL, GPOOL_ACCESS_READ));
    gpu->BufferRelease(buffer);
    gpu->TextureRelease(texture);
    lose();
    for (uint32_t turn = 0; turn < 2; ++turn) { /* the second time that is no news */
        gpool_recover_report report;
        world.asked_count = 0;
        assert_good(&world, world_recover(&world, world_open(&world, 1), &report));
        assert_same(report.failed[GPOOL_KIND_BUFFER], turn == 0);
        assert_same(report.failed[GPOOL_KIND_TEXTURE], turn == 0);
        assert_same(report.rebuilt[GPOOL_KIND_BUFFER], BUFFERS);
        assert_same(report.rebuilt[GPOOL_KIND_TEXTURE], TEXTURES);
        assert_same(world.logs[GPOOL_LOG_NOT_REBUILT], 2);
        assert_same(world.asked_count, GPU_WRITTEN + TEXTURES);
        assert_true(world_failed(&world, imported_buffer.id));
        assert_true(world_failed(&world, imported_texture.id));
        assert_null(gpool_texture_gpu(p, imported_texture, GPOOL_ACCESS_READ));
    }
    assert_good(&world, gpool_buffer_destroy(p, imported_buffer));
    assert_good(&world, gpool_texture_destroy(p, imported_texture));
    assert_good(&world, world_frame(&world, 2));
    world_check(&world, 2);
    world_end(&world);
}

/* Created on a device that was lost already, or for which there was no memory. */
static void what_failed_is_tried_again(void **state)
{
    (void)state;
    EACH_PAIR(from, to)
    {
        world.limits = NULL;
        world.feature = NULL;
        world_begin(&world, from);
        world_add_sim(&world, 1, to);
        sim_lose(world.sims[0]);
        world_make(&world);
        (void)world_frame(&world, 1); /* wgpu-native tells it in the first encoder */
        assert_true(world_failed(&world, world.h.points.id));
        assert_true(world_failed(&world, world.h.picture.id));
        assert_same(gpool_shader_status(world.pool, world.h.twice_shader), GPOOL_ERROR_DEVICE_LOST);
        assert_true(gpool_pipeline_status(world.pool, world.h.fill) != GPOOL_OK);
        assert_true(world.h.fill.id != 0);
        world_handles before = world.h;
        gpool_recover_report report;
        assert_good(&world, world_recover(&world, world_open(&world, 1), &report));
        assert_same(report.rebuilt[GPOOL_KIND_BUFFER], BUFFERS);
        assert_same(report.rebuilt[GPOOL_KIND_TEXTURE], TEXTURES);
        assert_same(report.failed[GPOOL_KIND_BUFFER], 0);
        assert_false(world_failed(&world, world.h.points.id));
        assert_good(&world, gpool_shader_status(world.pool, world.h.twice_shader));
        assert_good(&world, gpool_pipeline_status(world.pool, world.h.fill));
        assert_good(&world, world_frame(&world, 2)); /* what got the null handle is made now */
        world_check(&world, 2);
        assert_same(world.h.points.id, before.points.id);
        assert_same(world.h.fill.id, before.fill.id);
        world_end(&world);
    }
}

static void broken_shaders_stay_failed(void **state)
{
    (void)state;
    begin(SIM_WGPU_NATIVE, SIM_DAWN);
    gpool *p = world.pool;
    gpool_shader_desc broken_desc = { .wgsl = "fn main( {", .label = "broken" };
    gpool_shader broken = gpool_shader_create(p, &broken_desc);
    gpool_shader missing = gpool_shader_from_file(p, "/nowhere/missing.wgsl");
    gpool_pipeline pipelines[3];
    pipelines[0] =
        gpool_compute_pipeline_create(p, &(gpool_compute_pipeline_desc){ .shader = broken });
    pipelines[1] =
        gpool_compute_pipeline_create(p, &(gpool_compute_pipeline_desc){ .shader = missing });
    gpool_shader_desc vertex_desc = {
        .wgsl = "@vertex fn vs() -> @builtin(position) vec4f { return vec4f(); }", .label = "vertex"
    };
    gpool_shader vertex = gpool_shader_create(p, &vertex_desc);
    gpool_render_pipeline_desc render = { .shader = vertex, .fragment_shader = missing };
    pipelines[2] = gpool_render_pipeline_create(p, &render);
    gpool_compute_pipeline_desc no_entry = { .shader = world.h.twice_shader,
                                             .entry = "nothing",
                                             .layouts = { world.h.storage } };
    gpool_pipeline lost_entry = gpool_compute_pipeline_create(p, &no_entry);
    gpool_compute_pipeline_desc hole = { .shader = world.h.twice_shader,
                                         .entry = "other",
                                         .layouts = { [2] = world.h.storage } };
    gpool_pipeline left_out = gpool_compute_pipeline_create(p, &hole);
    assert_good(&world, gpool_pipeline_status(p, left_out));
    lose();
    gpool_recover_report report;
    assert_good(&world, world_recover(&world, world_open(&world, 1), &report));
    assert_same(report.failed[GPOOL_KIND_SHADER] + report.failed[GPOOL_KIND_PIPELINE], 0);
    assert_same(report.rebuilt[GPOOL_KIND_SHADER], SHADERS + 1);
    assert_same(report.rebuilt[GPOOL_KIND_PIPELINE], PIPELINES + 1);
    assert_good(&world, gpool_pipeline_status(p, left_out));
    assert_good(&world, gpool_pipeline_destroy(p, left_out));
    assert_same(world.logs[GPOOL_LOG_NOT_REBUILT], 0);
    assert_same(gpool_shader_status(p, broken), GPOOL_ERROR_GPU);
    assert_same(gpool_shader_status(p, missing), GPOOL_ERROR_FILE);
    for (int i = 0; i < 3; ++i) {
        assert_same(gpool_pipeline_status(p, pipelines[i]), GPOOL_ERROR_FAILED_RESOURCE);
        assert_good(&world, gpool_pipeline_destroy(p, pipelines[i]));
    }
    assert_same(gpool_pipeline_status(p, lost_entry), GPOOL_ERROR_GPU);
    assert_good(&world, gpool_pipeline_destroy(p, lost_entry));
    assert_good(&world, gpool_shader_destroy(p, broken));
    assert_good(&world, gpool_shader_destroy(p, missing));
    assert_good(&world, gpool_shader_destroy(p, vertex));
    assert_good(&world, world_frame(&world, 2));
    world_check(&world, 2);
    world_end(&world);
}

static void retired_objects_go_with_their_device(void **state)
{
    (void)state;
    begin(SIM_WGPU_NATIVE, SIM_WGPU_NATIVE);
    gpool *p = world.pool;
    sim_set_completion(world.sims[0], SIM_COMPLETE_MANUALLY, 0);
    /* A retired pipeline shares its module with a shader that goes on. */
    assert_good(&world, gpool_begin_frame(p));
    gpool_compute_pipeline_desc twin = { .shader = world.h.twice_shader,
                                         .entry = "main",
                                         .layouts = { world.h.storage } };
    gpool_pipeline pipeline = gpool_compute_pipeline_create(p, &twin);
    gpool_buffer_desc desc = { .data = "data", .size = 4, .usage = GPOOL_BUFFER_VERTEX };
    gpool_buffer buffer = gpool_buffer_create(p, &desc);
    gpool_recorder rec = gpool_frame_recorder(p);
    gpool_copy_buffer(rec, world.h.points, 0, world.h.copied, 0, 4);
    assert_good(&world, gpool_buffer_destroy(p, buffer));
    assert_good(&world, gpool_pipeline_destroy(p, pipeline));
    assert_good(&world, gpool_end_frame(p));
    gpool_stats stats;
    assert_good(&world, gpool_get_stats(p, &stats));
    assert_true(stats.retired_count >= 2);
    sim_lose(world.sims[0]);
    assert_good(&world, world_recover(&world, world_open(&world, 1), NULL));
    assert_good(&world, gpool_get_stats(p, &stats));
    assert_same(stats.retired_count, 0);
    assert_same(stats.retired_bytes, 0);
    assert_same(stats.internal_bytes, 0);
    assert_same(stats.bind_groups, 0);
    assert_same(sim_live(world.sims[0], SIM_KIND_NONE), 0);
    assert_good(&world, world_frame(&world, 2));
    world_check(&world, 2);
    world_end(&world);
}

/* Frames out on the old device hold up no frame on the new one, however its serials stand. */
static void serials_start_again(void **state)
{
    (void)state;
    EACH_PAIR(from, to)
    {
        begin(from, to);
        for (uint32_t i = 0; i < 20; ++i) {
            assert_good(&world, world_frame(&world, i));
        }
        assert_good(&world, gpool_wait_idle(world.pool));
        sim_set_completion(world.sims[0], SIM_COMPLETE_MANUALLY, 0);
        assert_good(&world, world_frame(&world, 20));
        assert_good(&world, world_frame(&world, 21));
        sim_lose(world.sims[0]);
        assert_good(&world, gpool_recover(world.pool, world_open(&world, 1), NULL, NULL));
        assert_good(&world, gpool_wait_idle(world.pool)); /* there is nothing to wait for */
        gpool_device_release(gpool_pool_device(world.pool));
        gpool_device_release(world.device);
        world.device = gpool_device_retain(gpool_pool_device(world.pool));
        assert_good(&world, world_recover(&world, world.device, NULL));
        assert_good(&world, gpool_wait_idle(world.pool));
        sim_set_completion(world.sims[1], SIM_COMPLETE_MANUALLY, 0);
        assert_good(&world, world_frame(&world, 22));
        assert_good(&world, world_frame(&world, 23));
        sim_set_completion(world.sims[1], SIM_COMPLETE_AT_POLL, 0);
        world_check(&world, 23);
        assert_good(&world, gpool_wait_idle(world.pool));
        world_end(&world);
    }
}

static void old_recorders_and_views_are_old(void **state)
{
    (void)state;
    begin(SIM_DAWN, SIM_WGPU_NATIVE);
    gpool *p = world.pool;
    assert_good(&world, gpool_begin_frame(p));
    gpool_recorder rec = gpool_frame_recorder(p);
    gpool_clear_buffer(rec, world.h.copied, 0, 4);
    sim_lose(world.sims[0]);
    gpool_device *device = world_open(&world, 1);
    uint32_t phase = world.logs[GPOOL_LOG_PHASE];
    assert_same(world_recover(&world, device, NULL), GPOOL_ERROR_WRONG_PHASE);
    assert_same(world.logs[GPOOL_LOG_PHASE], phase + 1);
    (void)gpool_end_frame(p); /* Dawn tells it at its next poll */
    assert_good(&world, world_recover(&world, device, NULL));
    assert_good(&world, gpool_begin_frame(p));
    gpool_clear_buffer(rec, world.h.points, 0, 4);
    assert_same(gpool_last_error(p)->code, GPOOL_ERROR_WRONG_PHASE);
    assert_same(gpool_end_frame(p), GPOOL_ERROR_WRONG_PHASE);
    gpool_texture_info info;
    assert_good(&world, gpool_texture_get_info(p, world.h.picture, &info));
    assert_same(info.view_count, 0);
    assert_good(&world, world_frame(&world, 2));
    world_check(&world, 2);
    world_end(&world);
}

static void mistakes_are_refused(void **state)
{
    (void)state;
    gpool_recover_report report;
    memset(&report, 1, sizeof report);
    begin(SIM_WGPU_NATIVE, SIM_WGPU_NATIVE);
    assert_same(gpool_recover(NULL, world.device, NULL, &report), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(report.lost, 0);
    assert_same(gpool_recover(world.pool, NULL, NULL, NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_last_error(world.pool)->id, GPOOL_LOG_ARGUMENT_NULL);
    world_end(&world);
}

static void a_new_device_that_is_lost_is_refused(void **state)
{
    (void)state;
    EACH_PAIR(from, to)
    {
        begin(from, to);
        gpool_device *second = world_open(&world, 1);
        sim_lose(world.sims[1]); /* neither has told of it yet */
        uint64_t compiled_before = compiled(1);
        assert_same(gpool_recover(world.pool, second, NULL, NULL), GPOOL_ERROR_DEVICE_LOST);
        assert_same(gpool_recover(world.pool, second, NULL, NULL), GPOOL_ERROR_DEVICE_LOST);
        assert_same(compiled(1), compiled_before);
        assert_ptr_equal(gpool_pool_device(world.pool), world.device);
        gpool_device_release(second);
        assert_good(&world, world_frame(&world, 2)); /* the pool never left */
        world_check(&world, 2);
        world_end(&world);
    }
}

/* --- callbacks --- */

static void destroy_and_create(recover_world *w, uint64_t id)
{
    if (id == w->h.numbers.id) {
        /* Destroys what is still to be asked, and takes its slot and others. */
        assert_good(&world, gpool_buffer_destroy(w->pool, w->h.copied));
        assert_good(&world, gpool_texture_destroy(w->pool, w->h.depth));
        assert_good(&world, gpool_tick(w->pool));
        w->h.copied.id = 0;
        w->h.depth.id = 0;
        world_make(w);
        gpool_device *device = gpool_pool_device(w->pool);
        assert_same(gpool_recover(w->pool, device, NULL, NULL), GPOOL_ERROR_WRONG_PHASE);
        gpool_destroy(w->pool);
    } else if (id == w->h.volume.id) {
        assert_good(&world, gpool_buffer_destroy(w->pool, w->h.zeros));
        w->h.zeros.id = 0;
        assert_good(&world, world_frame(w, 5)); /* draws in the midst of it */
    }
}

static void callbacks_may_do_nearly_anything(void **state)
{
    (void)state;
    EACH_PAIR(from, to)
    {
        begin(from, to);
        lose();
        uint32_t phase = world.logs[GPOOL_LOG_PHASE];
        world.in_refill = destroy_and_create;
        world.asked_count = 0;
        assert_good(&world, world_recover(&world, world_open(&world, 1), NULL));
        assert_same(world.asked_count, GPU_WRITTEN + TEXTURES - 2);
        assert_same(world.logs[GPOOL_LOG_PHASE], phase + 2);
        world.in_refill = NULL;
        assert_good(&world, world_frame(&world, 6));
        world_check(&world, 6);
        world_end(&world);
    }
}

static void lose_second(recover_world *w, uint64_t id)
{
    if (id == w->h.state.id) {
        sim_lose(w->sims[1]);
        (void)gpool_begin_frame(w->pool);
        gpool_recorder rec = gpool_frame_recorder(w->pool);
        gpool_clear_buffer(rec, w->h.copied, 0, 4);
        (void)gpool_end_frame(w->pool);
    }
}

static void a_loss_while_callbacks_run_is_recovered_too(void **state)
{
    (void)state;
    EACH_PAIR(from, to)
    {
        begin(from, to);
        world_add_sim(&world, 2, from);
        lose();
        world.in_refill = lose_second;
        gpool_recover_report report;
        memset(&report, 1, sizeof report);
        assert_same(world_recover(&world, world_open(&world, 1), &report), GPOOL_ERROR_DEVICE_LOST);
        assert_same(report.refilled, 0);
        assert_same(gpool_begin_frame(world.pool), GPOOL_ERROR_DEVICE_LOST);
        world.in_refill = NULL;
        assert_good(&world, world_recover(&world, world_open(&world, 2), &report));
        assert_same(report.refilled, GPU_WRITTEN + TEXTURES);
        assert_good(&world, world_frame(&world, 2));
        world_check(&world, 2);
        world_end(&world);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_works_behind_the_same_handles),
        cmocka_unit_test(shadows_are_whole_without_a_frame),
        cmocka_unit_test(a_pool_moves_from_a_device_that_is_not_lost),
        cmocka_unit_test(refills_are_asked_for_what_only_the_gpu_had),
        cmocka_unit_test(what_is_not_refilled_is_zero_and_told),
        cmocka_unit_test(imports_become_failed),
        cmocka_unit_test(what_failed_is_tried_again),
        cmocka_unit_test(broken_shaders_stay_failed),
        cmocka_unit_test(retired_objects_go_with_their_device),
        cmocka_unit_test(serials_start_again),
        cmocka_unit_test(old_recorders_and_views_are_old),
        cmocka_unit_test(mistakes_are_refused),
        cmocka_unit_test(a_new_device_that_is_lost_is_refused),
        cmocka_unit_test(callbacks_may_do_nearly_anything),
        cmocka_unit_test(a_loss_while_callbacks_run_is_recovered_too),
    };
    return cmocka_run_group_tests_name("recover_kinds", tests, NULL, NULL);
}
