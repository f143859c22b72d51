/* Textures with a shadow on the simulator: exact calls and bytes, errors, lifetimes, recovery. */
#include "sim_pool.h"

#include "gpu/format.h"

#define CALL_BYTES 6667u /* what a queue write costs, in bytes, by the table of open() */

static void open(sim_pool *p, const sim_desc *desc)
{
    const gpool_upload_costs costs = { .write_call = 6667.5f, .write_byte = 1.0f };
    sim_pool_open_upload(p, desc, &(gpool_upload_desc){ .costs = &costs });
}

static gpool_texture make_any(sim_pool *p, gpool_texture_desc desc)
{
    desc.format = desc.format != 0 ? desc.format : WGPUTextureFormat_RGBA8Unorm;
    desc.usage = desc.usage != 0 ? desc.usage : GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_READ_BACK;
    desc.keep = GPOOL_KEEP_SHADOW;
    desc.label = "shadowed";
    gpool_texture texture = gpool_texture_create(p->pool, &desc);
    assert_int_not_equal(texture.id, 0);
    return texture;
}

static gpool_texture make(sim_pool *p, uint32_t width, uint32_t height)
{
    return make_any(p, (gpool_texture_desc){ .width = width, .height = height });
}

static gpool_texture_info info_of(sim_pool *p, gpool_texture texture)
{
    gpool_texture_info info;
    assert_same(gpool_texture_get_info(p->pool, texture, &info), GPOOL_OK);
    return info;
}

static const uint8_t *texels_of(uint8_t value)
{
    static uint8_t texels[1 << 20];
    memset(texels, value, sizeof texels);
    return texels;
}

/* Fills a rectangle of level 0, layer `z`. */
static gpool_result fill(sim_pool *p, gpool_texture texture, uint32_t x, uint32_t y, uint32_t width,
                         uint32_t height, uint32_t z, uint8_t value)
{
    gpool_texture_region region = { .x = x, .y = y, .z = z, .width = width, .height = height };
    return gpool_texture_write(p->pool, texture, &region, texels_of(value),
                               (size_t)4 * width * height, 0);
}

static uint64_t writes(sim_pool *p)
{
    return sim_call_count(p->s, GPOOL_GPU_QueueWriteTexture);
}

/* Sends what is dirty; it takes exactly so many queue writes and bytes. */
static void flush(sim_pool *p, uint64_t calls, uint64_t bytes)
{
    uint64_t before = writes(p);
    uint64_t sent = sim_pool_stats(p).sent_bytes;
    assert_same(gpool_process_uploads(p->pool), GPOOL_OK);
    assert_int_equal(writes(p) - before, calls);
    assert_int_equal(sim_pool_stats(p).sent_bytes - sent, bytes);
}

/* First byte of a texel, or block, as the GPU has it, without anything being sent. */
static uint8_t texel(sim_pool *p, gpool_texture texture, uint32_t level, uint32_t x, uint32_t y,
                     uint32_t z)
{
    uint8_t bytes[16] = { 0 };
    gpool__texture *inner =
        (gpool__texture *)gpool__table_get(&p->pool->tables[GPOOL_KIND_TEXTURE], texture.id);
    assert_true(sim_read_texel(p->s, inner->gpu, level, x, y, z, bytes,
                               gpool__format_facts(inner->format).block_bytes));
    return bytes[0];
}

static void thousand_writes_of_a_region_are_one_call(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, NULL);
    gpool_texture texture = make(&p, 64, 64);
    flush(&p, 0, 0); /* a new one is zeros on both sides */
    for (int i = 0; i < 1000; ++i) {
        assert_same(fill(&p, texture, 5, 6, 20, 10, 0, (uint8_t)(1 + i % 250)), GPOOL_OK);
    }
    assert_int_equal(writes(&p), 0);
    assert_int_equal(info_of(&p, texture).dirty_bytes, 20 * 10 * 4);
    assert_int_equal(sim_pool_stats(&p).written_bytes, 1000 * 20 * 10 * 4);
    flush(&p, 1, 20 * 10 * 4);
    assert_int_equal(texel(&p, texture, 0, 5, 6, 0), 1 + 999 % 250);
    assert_int_equal(texel(&p, texture, 0, 24, 15, 0), 1 + 999 % 250);
    assert_int_equal(texel(&p, texture, 0, 4, 6, 0), 0);
    assert_int_equal(texel(&p, texture, 0, 25, 15, 0), 0);
    assert_int_equal(info_of(&p, texture).dirty_bytes, 0);
    flush(&p, 0, 0);
    assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void full_write_drops_earlier_rectangles(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, NULL);
    gpool_texture texture = make(&p, 256, 256);
    assert_same(fill(&p, texture, 0, 0, 10, 10, 0, 1), GPOOL_OK);
    assert_same(fill(&p, texture, 200, 200, 10, 10, 0, 2), GPOOL_OK);
    assert_same(fill(&p, texture, 0, 0, 256, 256, 0, 3), GPOOL_OK);
    assert_same(fill(&p, texture, 100, 0, 10, 10, 0, 4), GPOOL_OK);
    flush(&p, 1, 256 * 256 * 4);
    assert_int_equal(texel(&p, texture, 0, 200, 200, 0), 3);
    assert_int_equal(texel(&p, texture, 0, 100, 0, 0), 4);
    assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void equal_small_write_is_nothing_and_an_equal_large_one_is_sent(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, NULL);
    gpool_texture texture = make(&p, 64, 64);
    assert_same(fill(&p, texture, 0, 0, 8, 8, 0, 7), GPOOL_OK); /* 256 bytes */
    flush(&p, 1, 256);
    assert_same(fill(&p, texture, 0, 0, 8, 8, 0, 7), GPOOL_OK);
    assert_same(fill(&p, texture, 2, 3, 1, 1, 0, 7), GPOOL_OK);
    flush(&p, 0, 0);
    assert_same(fill(&p, texture, 0, 0, 13, 5, 0, 7), GPOOL_OK); /* 260 bytes */
    flush(&p, 1, 260);
    assert_same(fill(&p, texture, 0, 0, 13, 5, 0, 7), GPOOL_OK);
    flush(&p, 1, 260);
    /* The last texel alone differs. */
    uint8_t texels[256];
    memset(texels, 7, sizeof texels);
    texels[255] = 8;
    gpool_texture_region region = { .width = 8, .height = 8 };
    assert_same(gpool_texture_write(p.pool, texture, &region, texels, 256, 0), GPOOL_OK);
    flush(&p, 1, 256);
    assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void rectangles_far_apart_stay_apart_and_near_ones_go_as_one(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, NULL);
    gpool_texture texture = make(&p, 512, 512);
    assert_same(fill(&p, texture, 0, 0, 16, 16, 0, 1), GPOOL_OK);
    assert_same(fill(&p, texture, 400, 0, 16, 16, 0, 2), GPOOL_OK);
    assert_same(fill(&p, texture, 0, 400, 16, 16, 0, 3), GPOOL_OK);
    flush(&p, 3, 3 * 16 * 16 * 4);
    /* Two of 16 rows, n columns apart, add 16 n texels: one call while 64 n <= 6667. */
    uint32_t gap = CALL_BYTES / 4 / 16;
    assert_same(fill(&p, texture, 0, 0, 16, 16, 0, 4), GPOOL_OK);
    assert_same(fill(&p, texture, 16 + gap, 0, 16, 16, 0, 5), GPOOL_OK);
    flush(&p, 1, (32 + gap) * 16 * 4);
    assert_same(fill(&p, texture, 0, 0, 16, 16, 0, 6), GPOOL_OK);
    assert_same(fill(&p, texture, 17 + gap, 0, 16, 16, 0, 7), GPOOL_OK);
    flush(&p, 2, 2 * 16 * 16 * 4);
    assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void what_a_write_costs_is_taken_from_the_table_in_use(void **state)
{
    (void)state;
    /* Two rectangles of 16 rows, 16 texels or 1,024 bytes apart; two layers with one of 16 KiB
     * between them. */
    static const struct {
        gpool_upload_costs costs;
        uint64_t near_calls, layers_calls;
    } tables[] = {
        { { .write_call = 1024.5f, .write_byte = 1.0f }, 1, 2 },
        { { .write_call = 1023.5f, .write_byte = 1.0f }, 2, 2 },
        { { .write_call = 300.0f, .write_byte = 1.0f, .copy_call = 9e9f }, 2, 2 },
        { { .write_call = 40.0f, .write_byte = 0.001f }, 1, 1 },
        { { .write_call = 1.0f }, 1, 1 }, /* bytes for nothing */
        { { .write_byte = 1.0f }, 2, 2 }, /* calls for nothing */
    };
    for (size_t i = 0; i < UNIT_COUNT(tables); ++i) {
        sim_pool p;
        sim_pool_open_upload(&p, NULL, &(gpool_upload_desc){ .costs = &tables[i].costs });
        gpool_texture texture = make(&p, 64, 64);
        gpool_texture layers =
            make_any(&p, (gpool_texture_desc){ .width = 64, .height = 64, .depth_or_layers = 3 });
        assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
        assert_same(fill(&p, texture, 0, 0, 16, 16, 0, 1), GPOOL_OK);
        assert_same(fill(&p, texture, 32, 0, 16, 16, 0, 2), GPOOL_OK);
        flush(&p, tables[i].near_calls, (tables[i].near_calls == 1 ? 48 : 32) * 16 * 4);
        assert_same(fill(&p, layers, 0, 0, 64, 64, 0, 4), GPOOL_OK);
        assert_same(fill(&p, layers, 0, 0, 64, 64, 2, 5), GPOOL_OK);
        flush(&p, tables[i].layers_calls, (tables[i].layers_calls == 1 ? 3 : 2) * 64 * 64 * 4);
        assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
        assert_same(gpool_texture_destroy(p.pool, layers), GPOOL_OK);
        sim_pool_close(&p, 0);
    }
}

static void more_rectangles_than_there_is_room_for_are_all_sent(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, NULL);
    gpool_texture texture = make(&p, 512, 512);
    for (uint32_t i = 0; i < 20; ++i) {
        assert_same(fill(&p, texture, i % 5 * 120, i / 5 * 120, 10, 10, 0, (uint8_t)(1 + i)),
                    GPOOL_OK);
    }
    uint64_t before = writes(&p);
    assert_same(gpool_process_uploads(p.pool), GPOOL_OK);
    assert_true(writes(&p) - before <= 8);
    for (uint32_t i = 0; i < 20; ++i) {
        assert_int_equal(texel(&p, texture, 0, i % 5 * 120, i / 5 * 120, 0), 1 + i);
        assert_int_equal(texel(&p, texture, 0, i % 5 * 120 + 9, i / 5 * 120 + 9, 0), 1 + i);
    }
    assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void level_goes_whole_when_that_is_cheaper(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, NULL);
    /* A frame of four bars, a quarter each: apart they have all its bytes, and cost three calls more. */
    gpool_texture texture = make(&p, 128, 128);
    assert_same(fill(&p, texture, 0, 0, 128, 32, 0, 1), GPOOL_OK);
    assert_same(fill(&p, texture, 0, 96, 128, 32, 0, 2), GPOOL_OK);
    assert_same(fill(&p, texture, 0, 0, 32, 128, 0, 3), GPOOL_OK);
    flush(&p, 3, 3 * 128 * 32 * 4);
    assert_same(fill(&p, texture, 0, 0, 128, 32, 0, 4), GPOOL_OK);
    assert_same(fill(&p, texture, 0, 96, 128, 32, 0, 5), GPOOL_OK);
    assert_same(fill(&p, texture, 0, 0, 32, 128, 0, 6), GPOOL_OK);
    assert_same(fill(&p, texture, 96, 0, 32, 128, 0, 7), GPOOL_OK);
    assert_int_equal(info_of(&p, texture).dirty_bytes, 4 * 128 * 32 * 4);
    flush(&p, 1, 128 * 128 * 4);
    assert_int_equal(texel(&p, texture, 0, 64, 0, 0), 4);
    assert_int_equal(texel(&p, texture, 0, 64, 127, 0), 5);
    assert_int_equal(texel(&p, texture, 0, 0, 64, 0), 6);
    assert_int_equal(texel(&p, texture, 0, 127, 64, 0), 7);
    assert_int_equal(texel(&p, texture, 0, 64, 64, 0), 0);
    assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void equal_layers_go_as_one_and_others_apart(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, NULL);
    gpool_texture texture =
        make_any(&p, (gpool_texture_desc){ .width = 256, .height = 256, .depth_or_layers = 6 });
    const uint64_t layer = 256 * 256 * 4;
    assert_same(gpool_texture_write(p.pool, texture, NULL, texels_of(1), 1 << 20, 0),
                GPOOL_ERROR_OUT_OF_RANGE); /* 6 layers are 1.5 MiB */
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_RANGE), 1);
    gpool_texture_region three = { .z = 1, .depth = 3 };
    assert_same(gpool_texture_write(p.pool, texture, &three, texels_of(1), 1 << 20, 0), GPOOL_OK);
    flush(&p, 1, 3 * layer);
    assert_int_equal(texel(&p, texture, 0, 255, 255, 3), 1);
    assert_int_equal(texel(&p, texture, 0, 0, 0, 4), 0);
    /* The same rectangle in layers 1 to 4, another in layer 5; layer 0 is clean. */
    for (uint32_t z = 1; z < 5; ++z) {
        assert_same(fill(&p, texture, 30, 40, 50, 60, z, (uint8_t)(10 + z)), GPOOL_OK);
    }
    assert_same(fill(&p, texture, 0, 0, 50, 60, 5, 20), GPOOL_OK);
    flush(&p, 2, 5 * 50 * 60 * 4);
    for (uint32_t z = 1; z < 5; ++z) {
        assert_int_equal(texel(&p, texture, 0, 79, 99, z), 10 + z);
    }
    assert_int_equal(texel(&p, texture, 0, 49, 59, 5), 20);
    assert_int_equal(texel(&p, texture, 0, 80, 99, 2), 1);
    assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void many_small_slices_go_whole_in_one_write(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, NULL);
    gpool_texture texture =
        make_any(&p, (gpool_texture_desc){ .width = 16,
                                           .height = 16,
                                           .depth_or_layers = 32,
                                           .dimension = WGPUTextureDimension_3D });
    /* A texel in each of slices 2 to 30, each elsewhere: 29 calls, or 29 slices of 1,024 bytes. */
    for (uint32_t z = 2; z < 31; ++z) {
        assert_same(fill(&p, texture, z % 16, z / 2 % 16, 1, 1, z, (uint8_t)z), GPOOL_OK);
    }
    flush(&p, 1, 29 * 16 * 16 * 4);
    for (uint32_t z = 2; z < 31; ++z) {
        assert_int_equal(texel(&p, texture, 0, z % 16, z / 2 % 16, z), z);
    }
    assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void levels_are_sent_each_by_itself(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, NULL);
    gpool_texture texture =
        make_any(&p, (gpool_texture_desc){ .width = 40, .height = 20, .mip_levels = UINT32_MAX });
    for (uint32_t level = 0; level < 6; level += 2) {
        gpool_texture_region region = { .mip_level = level };
        assert_same(gpool_texture_write(p.pool, texture, &region, texels_of((uint8_t)(1 + level)),
                                        1 << 20, 0),
                    GPOOL_OK);
    }
    flush(&p, 3, (40 * 20 + 10 * 5 + 2 * 1) * 4);
    assert_int_equal(texel(&p, texture, 0, 39, 19, 0), 1);
    assert_int_equal(texel(&p, texture, 1, 19, 9, 0), 0);
    assert_int_equal(texel(&p, texture, 2, 9, 4, 0), 3);
    assert_int_equal(texel(&p, texture, 4, 1, 0, 0), 5);
    assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void failed_upload_keeps_what_is_dirty(void **state)
{
    (void)state;
    for (int who = 0; who < 2; ++who) {
        sim_pool p;
        open(&p, &(sim_desc){ .personality = who == 0 ? SIM_WGPU_NATIVE : SIM_DAWN });
        gpool_texture texture = make(&p, 512, 512);
        assert_same(fill(&p, texture, 0, 0, 16, 16, 0, 1), GPOOL_OK);
        assert_same(fill(&p, texture, 400, 400, 16, 16, 0, 2), GPOOL_OK);
        uint64_t sent = sim_pool_stats(&p).sent_bytes;
        sim_fail(p.s, GPOOL_GPU_QueueWriteTexture, 2, SIM_FAIL_VALIDATION, false);
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        assert_same(gpool_end_frame(p.pool), GPOOL_ERROR_GPU);
        sim_fail_none(p.s);
        assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_GPU_ERROR), 1);
        assert_int_equal(sim_pool_stats(&p).sent_bytes, sent);
        assert_int_equal(info_of(&p, texture).dirty_bytes, 2 * 16 * 16 * 4);
        sim_pool_frame(&p);
        assert_int_equal(texel(&p, texture, 0, 15, 15, 0), 1);
        assert_int_equal(texel(&p, texture, 0, 415, 415, 0), 2);
        assert_int_equal(info_of(&p, texture).dirty_bytes, 0);
        assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
        sim_pool_close(&p, 0);
    }
}

static void bad_write_changes_neither_shadow_nor_marks(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, NULL);
    gpool_texture texture = make(&p, 32, 32);
    assert_same(fill(&p, texture, 0, 0, 32, 32, 0, 9), GPOOL_OK);
    flush(&p, 1, 32 * 32 * 4);
    gpool_texture_region region = { .x = 20, .width = 20, .height = 4 };
    assert_same(gpool_texture_write(p.pool, texture, &region, texels_of(1), 1 << 20, 0),
                GPOOL_ERROR_OUT_OF_RANGE);
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_RANGE), 1);
    region.width = 8;
    assert_same(gpool_texture_write(p.pool, texture, &region, texels_of(1), 1 << 20, 31),
                GPOOL_ERROR_MISALIGNED);
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_ALIGNMENT), 1);
    assert_same(gpool_texture_write(p.pool, texture, &region, texels_of(1), 127, 0),
                GPOOL_ERROR_OUT_OF_RANGE);
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_RANGE), 1);
    assert_int_equal(info_of(&p, texture).dirty_bytes, 0);
    uint8_t got[32 * 32 * 4];
    assert_same(gpool_texture_read(p.pool, texture, NULL, got, sizeof got), GPOOL_OK);
    assert_memory_equal(got, texels_of(9), sizeof got);
    assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void reading_and_raw_access_send_first(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, NULL);
    gpool_texture texture = make(&p, 32, 32);
    assert_same(fill(&p, texture, 3, 3, 4, 4, 0, 1), GPOOL_OK);
    uint8_t got[4];
    gpool_texture_region one = { .x = 6, .y = 6, .width = 1, .height = 1 };
    assert_same(gpool_texture_read(p.pool, texture, &one, got, 4), GPOOL_OK);
    assert_int_equal(got[0], 1);
    assert_int_equal(writes(&p), 1);
    assert_same(fill(&p, texture, 3, 3, 4, 4, 0, 2), GPOOL_OK);
    assert_non_null(gpool_texture_gpu(p.pool, texture, GPOOL_ACCESS_READ));
    assert_int_equal(writes(&p), 2);
    assert_same(fill(&p, texture, 3, 3, 4, 4, 0, 3), GPOOL_OK);
    assert_non_null(gpool_texture_gpu_view(p.pool, texture, NULL, GPOOL_ACCESS_READ));
    assert_int_equal(writes(&p), 3);
    /* Nobody may write what the shadow would not know of. */
    assert_null(gpool_texture_gpu(p.pool, texture, GPOOL_ACCESS_WRITE));
    assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_MISSING_USAGE);
    assert_null(gpool_texture_gpu_view(p.pool, texture, NULL, GPOOL_ACCESS_WRITE));
    assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_MISSING_USAGE);
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_USAGE), 2);
    assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void edit_in_place_is_sent(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, NULL);
    gpool_texture texture = make_any(
        &p, (gpool_texture_desc){
                .width = 40, .height = 20, .depth_or_layers = 3, .mip_levels = UINT32_MAX });
    gpool_texture_region region = {
        .mip_level = 1, .x = 4, .y = 2, .z = 1, .width = 5, .height = 3, .depth = 2
    };
    gpool_texture_rows rows;
    assert_same(gpool_texture_edit(p.pool, texture, &region, &rows), GPOOL_OK);
    assert_int_equal(rows.bytes_per_row, 20 * 4);
    assert_int_equal(rows.bytes_per_slice, 20 * 10 * 4);
    assert_int_equal(rows.row_bytes, 5 * 4);
    assert_int_equal(rows.row_count, 3);
    assert_int_equal(rows.slice_count, 2);
    for (uint32_t z = 0; z < rows.slice_count; ++z) {
        for (uint32_t y = 0; y < rows.row_count; ++y) {
            memset((char *)rows.texels + z * rows.bytes_per_slice + y * rows.bytes_per_row,
                   (int)(50 + 10 * z + y), rows.row_bytes);
        }
    }
    flush(&p, 1, 2 * 5 * 3 * 4);
    assert_int_equal(texel(&p, texture, 1, 4, 2, 1), 50);
    assert_int_equal(texel(&p, texture, 1, 8, 4, 2), 62);
    assert_int_equal(texel(&p, texture, 1, 9, 4, 2), 0);
    assert_int_equal(texel(&p, texture, 1, 4, 2, 0), 0);
    region.x = 17;
    assert_same(gpool_texture_edit(p.pool, texture, &region, &rows), GPOOL_ERROR_OUT_OF_RANGE);
    assert_null(rows.texels);
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_RANGE), 1);
    assert_same(gpool_texture_edit(p.pool, texture, NULL, NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_ARGUMENT_NULL), 1);
    assert_int_equal(info_of(&p, texture).dirty_bytes, 0);
    gpool_texture plain =
        gpool_texture_create(p.pool, &(gpool_texture_desc){ .width = 4,
                                                            .format = WGPUTextureFormat_RGBA8Unorm,
                                                            .usage = GPOOL_TEXTURE_SAMPLED,
                                                            .keep = GPOOL_KEEP_DROP });
    assert_same(gpool_texture_edit(p.pool, plain, NULL, &rows), GPOOL_ERROR_UNSUPPORTED);
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_UNSUPPORTED), 1);
    assert_same(info_of(&p, plain).keep, GPOOL_KEEP_DROP);
    assert_same(info_of(&p, texture).keep, GPOOL_KEEP_SHADOW);
    assert_same(gpool_texture_destroy(p.pool, plain), GPOOL_OK);
    assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void shadow_of_what_commands_write_is_refused(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, NULL);
    static const gpool_texture_usage written[] = { GPOOL_TEXTURE_TARGET, GPOOL_TEXTURE_STORAGE,
                                                   GPOOL_TEXTURE_COPY_TARGET };
    gpool_texture_desc desc = { .width = 4,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .keep = GPOOL_KEEP_SHADOW };
    for (size_t i = 0; i < UNIT_COUNT(written); ++i) {
        desc.usage = GPOOL_TEXTURE_SAMPLED | written[i];
        assert_int_equal(gpool_texture_create(p.pool, &desc).id, 0);
        assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_INVALID_ARGUMENT);
    }
    desc.usage = GPOOL_TEXTURE_SAMPLED;
    desc.keep = (gpool_keep)3;
    assert_int_equal(gpool_texture_create(p.pool, &desc).id, 0);
    assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_INVALID_ARGUMENT);
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_ARGUMENT_VALUE), 4);
    desc.keep = GPOOL_KEEP_SHADOW;
    desc.format = WGPUTextureFormat_Depth24Plus;
    assert_int_equal(gpool_texture_create(p.pool, &desc).id, 0);
    assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_UNSUPPORTED);
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_UNSUPPORTED), 1);
    assert_int_equal(sim_pool_stats(&p).live_count[GPOOL_KIND_TEXTURE], 0);
    sim_pool_close(&p, 0);
}

static void resize_keeps_the_shadow(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, NULL);
    gpool_texture texture =
        make_any(&p, (gpool_texture_desc){ .width = 16, .height = 16, .mip_levels = 2 });
    assert_same(fill(&p, texture, 0, 0, 16, 16, 0, 1), GPOOL_OK);
    flush(&p, 1, 16 * 16 * 4);
    assert_same(fill(&p, texture, 0, 0, 3, 3, 0, 2), GPOOL_OK); /* pending */
    gpool_texture_region level1 = { .mip_level = 1 };
    assert_same(gpool_texture_write(p.pool, texture, &level1, texels_of(3), 1 << 20, 0), GPOOL_OK);
    uint64_t submits = sim_submitted(p.s);
    assert_same(gpool_texture_resize(p.pool, texture, 24, 8, 0), GPOOL_OK);
    assert_int_equal(sim_submitted(p.s), submits); /* nothing is copied on the GPU */
    flush(&p, 2, (24 * 8 + 12 * 4) * 4);
    assert_int_equal(texel(&p, texture, 0, 2, 2, 0), 2);
    assert_int_equal(texel(&p, texture, 0, 15, 7, 0), 1);
    assert_int_equal(texel(&p, texture, 0, 16, 7, 0), 0);
    assert_int_equal(texel(&p, texture, 1, 7, 3, 0), 3);
    assert_int_equal(texel(&p, texture, 1, 8, 3, 0), 0);
    /* Refused, it leaves shadow and marks alone. */
    assert_same(fill(&p, texture, 0, 0, 3, 3, 0, 4), GPOOL_OK);
    sim_fail(p.s, GPOOL_GPU_DeviceCreateTexture, 1, SIM_FAIL_OUT_OF_MEMORY, false);
    assert_same(gpool_texture_resize(p.pool, texture, 9, 9, 0), GPOOL_ERROR_OUT_OF_GPU_MEMORY);
    sim_fail_none(p.s);
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_GPU_MEMORY), 1);
    flush(&p, 1, 3 * 3 * 4);
    assert_int_equal(texel(&p, texture, 0, 2, 2, 0), 4);
    assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void destroyed_after_record_it_still_gets_its_texels(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, NULL);
    gpool_texture texture = make_any(
        &p, (gpool_texture_desc){ .width = 64,
                                  .height = 4,
                                  .usage = GPOOL_TEXTURE_COPY_SOURCE | GPOOL_TEXTURE_SAMPLED });
    gpool_buffer buffer = sim_pool_buffer(&p, (gpool_scope){ 0 }, 1024, "copy");
    assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
    assert_same(fill(&p, texture, 0, 0, 64, 4, 0, 1), GPOOL_OK);
    gpool_recorder rec = gpool_frame_recorder(p.pool);
    gpool_copy_texture_to_buffer(rec, texture, NULL, buffer, 0, 256);
    assert_same(fill(&p, texture, 0, 0, 64, 4, 0, 2), GPOOL_OK);
    assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
    assert_same(gpool_end_frame(p.pool), GPOOL_OK);
    uint8_t got[1024];
    assert_same(gpool_buffer_read(p.pool, buffer, 0, got, sizeof got), GPOOL_OK);
    assert_memory_equal(got, texels_of(2), sizeof got);
    assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
    /* Nobody can see what is dirty here: it is dropped with the texture. */
    texture = make(&p, 64, 4);
    assert_same(fill(&p, texture, 0, 0, 64, 4, 0, 3), GPOOL_OK);
    uint64_t before = writes(&p);
    assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
    sim_pool_frame(&p);
    assert_int_equal(writes(&p), before);
    /* A raw holder can. */
    texture = make(&p, 64, 4);
    assert_non_null(gpool_texture_gpu(p.pool, texture, GPOOL_ACCESS_READ));
    assert_same(fill(&p, texture, 0, 0, 64, 4, 0, 4), GPOOL_OK);
    assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
    assert_int_equal(writes(&p), before + 1);
    sim_pool_close(&p, 0);
}

static void recovery_brings_the_shadow_back(void **state)
{
    (void)state;
    sim_pool p;
    open(&p, NULL);
    gpool_texture texture = make_any(
        &p,
        (gpool_texture_desc){ .width = 16, .height = 8, .depth_or_layers = 2, .mip_levels = 2 });
    gpool_texture plain =
        gpool_texture_create(p.pool, &(gpool_texture_desc){ .width = 4,
                                                            .format = WGPUTextureFormat_RGBA8Unorm,
                                                            .usage = GPOOL_TEXTURE_SAMPLED });
    assert_same(fill(&p, texture, 1, 1, 9, 5, 1, 1), GPOOL_OK);
    sim_pool_frame(&p);
    gpool_texture_region level1 = { .mip_level = 1 };
    assert_same(gpool_texture_write(p.pool, texture, &level1, texels_of(2), 1 << 20, 0), GPOOL_OK);
    /* What could not be made keeps its shadow, too. */
    sim_fail(p.s, GPOOL_GPU_DeviceCreateTexture, 1, SIM_FAIL_OUT_OF_MEMORY, false);
    gpool_texture failed = make_any(
        &p, (gpool_texture_desc){ .width = 4, .height = 4, .data = texels_of(3), .data_size = 64 });
    sim_fail_none(p.s);
    assert_int_equal(sim_pool_taken(&p, GPOOL_LOG_GPU_MEMORY), 1);
    assert_true(info_of(&p, failed).failed);
    assert_int_equal(info_of(&p, failed).dirty_bytes, 0);
    sim_lose(p.s);
    gpool_device_desc desc = { .gpu = &p.table, .log = sim_pool_on_log, .log_user = &p };
    gpool_device *device = NULL;
    assert_same(gpool_device_open(&desc, &device), GPOOL_OK);
    gpool_recover_report report;
    assert_same(gpool_recover(p.pool, device, NULL, &report), GPOOL_OK);
    gpool_device_release(p.device);
    p.device = device;
    assert_int_equal(report.rebuilt[GPOOL_KIND_TEXTURE], 3);
    assert_int_equal(report.lost, 1); /* the plain one */
    assert_int_equal(report.lost_bytes, 16);
    sim_pool_frame(&p);
    assert_int_equal(texel(&p, texture, 0, 1, 1, 1), 1);
    assert_int_equal(texel(&p, texture, 0, 9, 5, 1), 1);
    assert_int_equal(texel(&p, texture, 0, 10, 5, 1), 0);
    assert_int_equal(texel(&p, texture, 1, 7, 3, 0), 2);
    assert_int_equal(texel(&p, failed, 0, 3, 3, 0), 3);
    assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
    assert_same(gpool_texture_destroy(p.pool, plain), GPOOL_OK);
    assert_same(gpool_texture_destroy(p.pool, failed), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void blocks_are_sent_whole(void **state)
{
    (void)state;
    const WGPUFeatureName features[] = { WGPUFeatureName_TextureCompressionBC };
    sim_pool p;
    open(&p, &(sim_desc){ .features = features, .feature_count = 1 });
    gpool_device_desc desc = { .gpu = &p.table,
                               .required_features = features,
                               .required_feature_count = 1,
                               .log = sim_pool_on_log,
                               .log_user = &p };
    gpool_device *device = NULL;
    assert_same(gpool_device_open(&desc, &device), GPOOL_OK);
    assert_same(gpool_recover(p.pool, device, NULL, NULL), GPOOL_OK);
    gpool_device_release(p.device);
    p.device = device;
    /* 20 x 12 texels are 5 x 3 blocks of 8 bytes; level 2, 5 x 3 texels, is 2 x 1 blocks. */
    gpool_texture texture = make_any(
        &p,
        (gpool_texture_desc){
            .width = 20, .height = 12, .mip_levels = 3, .format = WGPUTextureFormat_BC1RGBAUnorm });
    gpool_texture_region region = { .x = 8, .y = 4, .width = 8, .height = 8 };
    assert_same(gpool_texture_write(p.pool, texture, &region, texels_of(1), 4 * 8, 0), GPOOL_OK);
    flush(&p, 1, 4 * 8);
    assert_int_equal(texel(&p, texture, 0, 2, 1, 0), 1);
    assert_int_equal(texel(&p, texture, 0, 3, 2, 0), 1);
    assert_int_equal(texel(&p, texture, 0, 4, 2, 0), 0);
    region = (gpool_texture_region){ .mip_level = 2, .x = 4, .width = 1, .height = 3 };
    assert_same(gpool_texture_write(p.pool, texture, &region, texels_of(2), 8, 0), GPOOL_OK);
    flush(&p, 1, 8);
    assert_int_equal(texel(&p, texture, 2, 1, 0, 0), 2);
    assert_int_equal(texel(&p, texture, 2, 0, 0, 0), 0);
    assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
    sim_pool_close(&p, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thousand_writes_of_a_region_are_one_call),
        cmocka_unit_test(full_write_drops_earlier_rectangles),
        cmocka_unit_test(equal_small_write_is_nothing_and_an_equal_large_one_is_sent),
        cmocka_unit_test(rectangles_far_apart_stay_apart_and_near_ones_go_as_one),
        cmocka_unit_test(what_a_write_costs_is_taken_from_the_table_in_use),
        cmocka_unit_test(more_rectangles_than_there_is_room_for_are_all_sent),
        cmocka_unit_test(level_goes_whole_when_that_is_cheaper),
        cmocka_unit_test(equal_layers_go_as_one_and_others_apart),
        cmocka_unit_test(many_small_slices_go_whole_in_one_write),
        cmocka_unit_test(levels_are_sent_each_by_itself),
        cmocka_unit_test(failed_upload_keeps_what_is_dirty),
        cmocka_unit_test(bad_write_changes_neither_shadow_nor_marks),
        cmocka_unit_test(reading_and_raw_access_send_first),
        cmocka_unit_test(edit_in_place_is_sent),
        cmocka_unit_test(shadow_of_what_commands_write_is_refused),
        cmocka_unit_test(resize_keeps_the_shadow),
        cmocka_unit_test(destroyed_after_record_it_still_gets_its_texels),
        cmocka_unit_test(recovery_brings_the_shadow_back),
        cmocka_unit_test(blocks_are_sent_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
