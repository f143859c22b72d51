/* Mip generation on the simulator: exact calls, what is kept and what is let go. */
#include "sim_pool.h"

#include <gpool/record.h>

static gpool_texture make(sim_pool *p, uint32_t side, uint32_t layers, WGPUTextureFormat format)
{
    gpool_texture texture = gpool_texture_create(
        p->pool, &(gpool_texture_desc){ .width = side,
                                        .height = side,
                                        .depth_or_layers = layers,
                                        .mip_levels = UINT32_MAX,
                                        .format = format,
                                        .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_SAMPLED,
                                        .label = "mipped" });
    assert_int_not_equal(texture.id, 0);
    return texture;
}

/* What generating in a frame of its own makes: pipelines, views, bind groups, passes. */
static void generate(sim_pool *p, gpool_texture texture, const uint64_t made[4])
{
    static const int functions[4] = { GPOOL_GPU_DeviceCreateRenderPipeline,
                                      GPOOL_GPU_TextureCreateView, GPOOL_GPU_DeviceCreateBindGroup,
                                      GPOOL_GPU_CommandEncoderBeginRenderPass };
    uint64_t before[4];
    for (int i = 0; i < 4; ++i) {
        before[i] = sim_call_count(p->s, functions[i]);
    }
    assert_same(gpool_begin_frame(p->pool), GPOOL_OK);
    gpool_texture_generate_mips(gpool_frame_recorder(p->pool), texture, NULL);
    assert_same(gpool_end_frame(p->pool), GPOOL_OK);
    for (int i = 0; i < 4; ++i) {
        assert_int_equal(sim_call_count(p->s, functions[i]) - before[i], made[i]);
    }
}

static void objects_are_made_once_for_each_format_and_texture(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_texture a = make(&p, 16, 1, WGPUTextureFormat_RGBA8Unorm); /* 5 levels */
    gpool_texture b = make(&p, 4, 6, WGPUTextureFormat_RGBA8Unorm);  /* 3 levels */
    gpool_texture c = make(&p, 4, 1, WGPUTextureFormat_RG16Float);
    generate(&p, a, (uint64_t[]){ 1, 5, 4, 4 });
    generate(&p, a, (uint64_t[]){ 0, 0, 0, 4 });
    generate(&p, b, (uint64_t[]){ 0, 18, 12, 12 });
    generate(&p, c, (uint64_t[]){ 1, 3, 2, 2 });
    generate(&p, b, (uint64_t[]){ 0, 0, 0, 12 });
    assert_int_equal(sim_call_count(p.s, GPOOL_GPU_DeviceCreateShaderModule), 1);
    assert_int_equal(sim_live(p.s, SIM_KIND_TEXTURE_VIEW), 26);
    assert_same(gpool_texture_destroy(p.pool, b), GPOOL_OK);
    for (int i = 0; i < 4; ++i) {
        sim_pool_frame(&p);
    }
    assert_int_equal(sim_live(p.s, SIM_KIND_TEXTURE_VIEW), 8);
    assert_int_equal(sim_live(p.s, SIM_KIND_BIND_GROUP), 6);
    assert_same(gpool_texture_resize(p.pool, a, 4, 4, 0), GPOOL_OK);
    generate(&p, a, (uint64_t[]){ 0, 3, 2, 2 });
    assert_same(gpool_texture_destroy(p.pool, a), GPOOL_OK);
    assert_same(gpool_texture_destroy(p.pool, c), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void texture_of_many_levels_and_layers_keeps_nothing(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_texture most = make(&p, 8, 32, WGPUTextureFormat_RGBA8Unorm); /* 4 levels: 128 */
    gpool_texture more = make(&p, 8, 33, WGPUTextureFormat_RGBA8Unorm);
    generate(&p, most, (uint64_t[]){ 1, 128, 96, 96 });
    generate(&p, most, (uint64_t[]){ 0, 0, 0, 96 });
    uint64_t blocks = p.allocator.blocks;
    generate(&p, more, (uint64_t[]){ 0, 132, 99, 99 });
    generate(&p, more, (uint64_t[]){ 0, 132, 99, 99 });
    assert_int_equal(p.allocator.blocks, blocks);
    assert_int_equal(sim_live(p.s, SIM_KIND_TEXTURE_VIEW), 128);
    assert_same(gpool_texture_destroy(p.pool, most), GPOOL_OK);
    assert_same(gpool_texture_destroy(p.pool, more), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void another_device_gets_its_own(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_texture texture = make(&p, 4, 1, WGPUTextureFormat_RGBA8Unorm);
    generate(&p, texture, (uint64_t[]){ 1, 3, 2, 2 });
    sim_lose(p.s);
    gpool_device_desc desc = { .gpu = &p.table, .log = sim_pool_on_log, .log_user = &p };
    gpool_device *device = NULL;
    assert_same(gpool_device_open(&desc, &device), GPOOL_OK);
    assert_same(gpool_recover(p.pool, device, NULL, NULL), GPOOL_OK);
    gpool_device_release(p.device);
    p.device = device;
    assert_int_equal(sim_live(p.s, SIM_KIND_RENDER_PIPELINE), 0);
    assert_int_equal(sim_live(p.s, SIM_KIND_SHADER_MODULE), 0);
    assert_int_equal(sim_live(p.s, SIM_KIND_TEXTURE_VIEW), 0);
    generate(&p, texture, (uint64_t[]){ 1, 3, 2, 2 });
    assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void refused_call_names_the_format_and_is_latched(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_texture texture = make(&p, 4, 1, WGPUTextureFormat_RGBA8Uint);
    gpool_texture good = make(&p, 4, 1, WGPUTextureFormat_RGBA8Unorm);
    assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
    gpool_recorder rec = gpool_frame_recorder(p.pool);
    gpool_texture_generate_mips(rec, texture, NULL);
    gpool_texture_generate_mips(rec, good, NULL);
    assert_same(gpool_end_frame(p.pool), GPOOL_ERROR_UNSUPPORTED);
    assert_non_null(strstr(p.text[GPOOL_LOG_UNSUPPORTED], "RGBA8Uint"));
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_UNSUPPORTED), 1);
    assert_int_equal(sim_pool_stats(&p).skipped, 1);
    assert_int_equal(sim_draw_count(p.s), 2); /* the other texture has its levels */
    assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
    assert_same(gpool_texture_destroy(p.pool, good), GPOOL_OK);
    sim_pool_close(&p, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(objects_are_made_once_for_each_format_and_texture),
        cmocka_unit_test(texture_of_many_levels_and_layers_keeps_nothing),
        cmocka_unit_test(another_device_gets_its_own),
        cmocka_unit_test(refused_call_names_the_format_and_is_latched),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
