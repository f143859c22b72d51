/* Recycling on real implementations: what is used again shows nothing of what it was. */
#include "gpu/fixture.h"

#include <string.h>

int gpu_recycle_run(void);

#define SIDE    64u
#define SIZE    4096u
#define WRITTEN (GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_READ_BACK)
#define SHADOW  (GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_READ_BACK)

static uint8_t dirt[SIDE * SIDE * 16];
static const uint8_t zeros[SIDE * SIDE * 16];

static void drain(fixture *f)
{
    for (int i = 0; i < 200 && (i < 2 || fixture_stats(f).retired_count > 0); ++i) {
        assert_good(gpool_wait_idle(f->pool));
        assert_good(gpool_tick(f->pool));
    }
    assert_int_equal(fixture_stats(f).retired_count, 0);
}

static void begin(fixture *f)
{
    fixture_use_pool(f, (gpool_desc){ 0 });
    memset(dirt, 0x3c, sizeof dirt);
}

static void end(fixture *f, uint64_t id)
{
    assert_good(gpool_release(f->pool, id));
    drain(f);
}

static gpool_texture target(fixture *f, WGPUTextureFormat format, uint32_t levels, uint32_t layers)
{
    gpool_texture texture = gpool_texture_create(
        f->pool, &(gpool_texture_desc){ .width = SIDE,
                                        .height = SIDE,
                                        .depth_or_layers = layers,
                                        .format = format,
                                        .mip_levels = levels,
                                        .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_SAMPLED |
                                                 GPOOL_TEXTURE_READ_BACK,
                                        .label = "recycled" });
    assert_int_not_equal(texture.id, 0);
    return texture;
}

static void recycled_buffers_are_zero(void **state)
{
    fixture *f = *state;
    static const gpool_buffer_usage usages[] = { WRITTEN, SHADOW };
    static const uint64_t sizes[] = { SIZE, sizeof dirt };
    begin(f);
    for (int i = 0; i < 4; ++i) {
        uint64_t size = sizes[i / 2];
        end(f, fixture_buffer(f, dirt, size, usages[i % 2]).id);
        uint64_t hits = fixture_stats(f).recycle_hits;
        gpool_buffer buffer = fixture_buffer(f, NULL, size, usages[i % 2]);
        assert_int_equal(fixture_stats(f).recycle_hits, hits + 1);
        assert_good(gpool_buffer_write(f->pool, buffer, 64, dirt, 8));
        assert_buffer(f, buffer, 0, zeros, 64);
        assert_buffer(f, buffer, 64, dirt, 8);
        assert_buffer(f, buffer, 72, zeros, size - 72);
        end(f, buffer.id);
    }
}

static void a_grown_buffer_is_zero_behind_its_content(void **state)
{
    fixture *f = *state;
    begin(f);
    end(f, fixture_buffer(f, dirt, SIZE, WRITTEN).id);
    gpool_buffer buffer = fixture_buffer(f, dirt, 64, WRITTEN);
    uint64_t hits = fixture_stats(f).recycle_hits;
    assert_good(gpool_buffer_resize(f->pool, buffer, SIZE));
    assert_int_equal(fixture_stats(f).recycle_hits, hits + 1);
    assert_buffer(f, buffer, 0, dirt, 64);
    assert_buffer(f, buffer, 64, zeros, SIZE - 64);
}

static void recycled_targets_are_zero_in_every_format_level_and_layer(void **state)
{
    fixture *f = *state;
    static const struct {
        WGPUTextureFormat format;
        uint32_t bytes, levels, layers;
    } kinds[] = {
        { WGPUTextureFormat_RGBA8Unorm, 4, 1, 1 },   { WGPUTextureFormat_BGRA8UnormSrgb, 4, 3, 2 },
        { WGPUTextureFormat_R32Uint, 4, 1, 4 },      { WGPUTextureFormat_RG16Sint, 4, 2, 1 },
        { WGPUTextureFormat_RGB10A2Unorm, 4, 1, 1 }, { WGPUTextureFormat_RGBA16Float, 8, 7, 1 },
        { WGPUTextureFormat_R8Unorm, 1, 1, 1 }
    };
    begin(f);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; ++i) {
        gpool_texture texture = target(f, kinds[i].format, kinds[i].levels, kinds[i].layers);
        for (uint32_t level = 0; level < kinds[i].levels; ++level) {
            gpool_texture_region all = { .mip_level = level, .depth = kinds[i].layers };
            assert_good(gpool_texture_write(f->pool, texture, &all, dirt, sizeof dirt, 0));
        }
        end(f, texture.id);
        uint64_t hits = fixture_stats(f).recycle_hits;
        texture = target(f, kinds[i].format, kinds[i].levels, kinds[i].layers);
        assert_int_equal(fixture_stats(f).recycle_hits, hits + 1);
        for (uint32_t level = 0; level < kinds[i].levels; ++level) {
            for (uint32_t layer = 0; layer < kinds[i].layers; ++layer) {
                static uint8_t got[sizeof dirt];
                size_t bytes = (size_t)(SIDE >> level) * (SIDE >> level) * kinds[i].bytes;
                gpool_texture_region region = { .mip_level = level, .z = layer };
                memset(got, 0x55, sizeof got);
                assert_good(gpool_texture_read(f->pool, texture, &region, got, sizeof got));
                assert_bytes(got, zeros, bytes);
            }
        }
        end(f, texture.id);
    }
}

static void a_write_to_a_recycled_target_comes_after_its_clear(void **state)
{
    fixture *f = *state;
    begin(f);
    gpool_texture texture = fixture_target(f, 8, 8);
    assert_good(gpool_texture_write(f->pool, texture, NULL, dirt, 256, 0));
    end(f, texture.id);
    texture = fixture_target(f, 8, 8);
    assert_int_equal(fixture_stats(f).recycle_hits, 1);
    const uint32_t texel = 0x04030201;
    gpool_texture_region region = { .x = 3, .y = 5, .width = 1, .height = 1 };
    assert_good(gpool_texture_write(f->pool, texture, &region, &texel, 4, 0));
    assert_pixel(f, texture, 3, 5, 0x01020304);
    assert_pixel(f, texture, 0, 0, 0);
    assert_pixel(f, texture, 7, 7, 0);
}

static void clear_to_green(fixture *f, gpool_texture texture, gpool_load_op load,
                           gpool_store_op store)
{
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = texture,
                                                                .load = load,
                                                                .store = store,
                                                                .clear = { 0, 1, 0, 1 } } });
    gpool_end_pass(rec);
}

/* With what the first frame does to a recycled target, covered by a pass in the end or not. */
static void a_recycled_target_shows_nothing_of_before_whatever_is_its_first_use(void **state)
{
    fixture *f = *state;
    begin(f);
    gpool_texture other = fixture_target(f, 16, 16);
    for (int way = 0; way < 9; ++way) {
        gpool_texture texture = fixture_target(f, 8, 8);
        assert_good(gpool_texture_write(f->pool, texture, NULL, dirt, 256, 0));
        end(f, texture.id);
        uint64_t hits = fixture_stats(f).recycle_hits;
        assert_good(gpool_begin_frame(f->pool));
        texture = fixture_target(f, 8, 8);
        assert_int_equal(fixture_stats(f).recycle_hits, hits + 1);
        uint32_t wanted = 0x00ff00ff;
        const gpool_texture_region part = { .width = 7, .height = 8 };
        gpool_recorder rec = gpool_frame_recorder(f->pool);
        if (way == 1) {
            gpool_copy_texture(rec, texture, NULL, other, NULL);
        } else if (way == 2) {
            assert_good(gpool_texture_write(f->pool, texture, &part, dirt, 256, 0));
        }
        if (way == 3 || way == 4) {
            clear_to_green(f, texture, way == 3 ? GPOOL_LOAD_KEEP : GPOOL_LOAD_CLEAR,
                           way == 3 ? GPOOL_STORE_KEEP : GPOOL_STORE_DISCARD);
            wanted = 0;
        } else if (way == 5) {
            gpool_copy_texture(rec, other, &part, texture, &part);
            wanted = 0; /* as `other` is, see way 1 */
        } else {
            clear_to_green(f, texture, GPOOL_LOAD_CLEAR, GPOOL_STORE_KEEP);
        }
        if (way == 6) {
            assert_pixel(f, texture, 7, 7, 0); /* ahead of the pass */
        } else if (way == 7) {
            assert_good(gpool_texture_write(f->pool, texture, &part, dirt, 256, 0));
            assert_pixel(f, texture, 7, 7, 0);
        } else if (way == 8) {
            assert_good(gpool_process_uploads(f->pool));
        }
        assert_good(gpool_end_frame(f->pool));
        assert_pixel(f, texture, 0, 0, wanted);
        assert_pixel(f, texture, 7, 7, wanted);
        if (way == 1) {
            assert_pixel(f, other, 7, 7, 0);
        }
        end(f, texture.id);
    }
}

static void a_write_of_all_of_a_recycled_target_needs_no_submit(void **state)
{
    fixture *f = *state;
    begin(f);
    for (int round = 0; round < 3; ++round) {
        gpool_texture texture = fixture_target(f, 8, 8);
        assert_int_equal(fixture_stats(f).recycle_hits, round);
        uint64_t submits = fixture_stats(f).submits;
        memset(dirt, 0x10 + round, sizeof dirt);
        assert_good(gpool_texture_write(f->pool, texture, NULL, dirt, 256, 0));
        assert_int_equal(fixture_stats(f).submits, submits);
        assert_pixel(f, texture, 0, 0, 0x10101010u + 0x01010101u * (uint32_t)round);
        assert_pixel(f, texture, 7, 7, 0x10101010u + 0x01010101u * (uint32_t)round);
        end(f, texture.id);
    }
}

/* Many frames of short lives, drawn and checked: nothing is refused, and nothing is left over. */
static void many_frames_of_short_lives_stay_right(void **state)
{
    fixture *f = *state;
    begin(f);
    for (int frame = 0; frame < 40; ++frame) {
        assert_good(gpool_begin_frame(f->pool));
        gpool_texture texture = fixture_target(f, 8, 8);
        gpool_texture other = fixture_target(f, 8, 8);
        gpool_begin_render(gpool_frame_recorder(f->pool),
                           &(gpool_render_desc){ .color[0] = { .texture = texture,
                                                               .clear = { 0.0, 1.0, 0.0, 1.0 } } });
        gpool_end_pass(gpool_frame_recorder(f->pool));
        gpool_buffer buffer = fixture_buffer(f, frame % 2 == 0 ? dirt : NULL, SIZE, WRITTEN);
        assert_good(gpool_end_frame(f->pool));
        assert_pixel(f, texture, 4, 4, 0x00ff00ff);
        assert_pixel(f, other, 4, 4, 0);
        assert_buffer(f, buffer, 0, frame % 2 == 0 ? dirt : zeros, SIZE);
        assert_good(gpool_texture_destroy(f->pool, texture));
        assert_good(gpool_texture_destroy(f->pool, other));
        assert_good(gpool_buffer_destroy(f->pool, buffer));
    }
    gpool_stats stats = fixture_stats(f);
    assert_in_range(stats.recycle_misses, 1, 15);
    assert_int_equal(stats.recycle_hits + stats.recycle_misses, 120);
}

int gpu_recycle_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(recycled_buffers_are_zero),
        FIXTURE_TEST(a_grown_buffer_is_zero_behind_its_content),
        FIXTURE_TEST(recycled_targets_are_zero_in_every_format_level_and_layer),
        FIXTURE_TEST(a_write_to_a_recycled_target_comes_after_its_clear),
        FIXTURE_TEST(a_recycled_target_shows_nothing_of_before_whatever_is_its_first_use),
        FIXTURE_TEST(a_write_of_all_of_a_recycled_target_needs_no_submit),
        FIXTURE_TEST(many_frames_of_short_lives_stay_right),
    };
    return FIXTURE_RUN("recycle", tests);
}
