/* Reads by tickets on real implementations: bytes, order, drops at every stage. */
#include "gpu/fixture.h"

#include <stdlib.h>
#include <string.h>

int gpu_tickets_run(void);

#define SECOND   UINT64_C(1000000000)
#define COPYABLE (GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_READ_BACK)

static void pattern(uint8_t *bytes, size_t size, uint32_t salt)
{
    for (size_t i = 0; i < size; ++i) {
        bytes[i] = (uint8_t)(i * 7 + salt * 31 + i / 256);
    }
}

/* Waits for a ticket and takes it: it gives these bytes and no more. */
static void gives(fixture *f, gpool_ticket ticket, const void *wanted, size_t size)
{
    uint8_t *got = malloc(size + 1);
    assert_non_null(got);
    memset(got, 0xee, size + 1);
    assert_good(gpool_ticket_wait(f->pool, ticket, 10 * SECOND));
    assert_good(gpool_ticket_status(f->pool, ticket));
    assert_good(gpool_ticket_take(f->pool, ticket, got, size));
    assert_bytes(got, wanted, size);
    assert_int_equal(got[size], 0xee);
    free(got);
}

static void every_offset_and_size_of_a_buffer_is_given(void **state)
{
    fixture *f = *state;
    uint8_t bytes[37];
    pattern(bytes, sizeof bytes, 1);
    gpool_buffer plain = fixture_buffer(f, bytes, 37, GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_READ_BACK);
    gpool_buffer written =
        fixture_buffer(f, bytes, 36, GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_READ_BACK);
    for (uint64_t offset = 0; offset <= 8; ++offset) {
        gpool_ticket tickets[2][10];
        assert_good(gpool_begin_frame(f->pool));
        gpool_recorder rec = gpool_frame_recorder(f->pool);
        for (uint64_t size = 0; size < 10; ++size) {
            uint64_t bytes_read = size < 9 ? size : 36 - offset;
            tickets[0][size] = gpool_read_buffer(rec, plain, offset, bytes_read, NULL);
            tickets[1][size] = gpool_read_buffer(rec, written, offset, bytes_read, NULL);
        }
        assert_good(gpool_end_frame(f->pool));
        for (uint64_t size = 0; size < 10; ++size) {
            uint64_t bytes_read = size < 9 ? size : 36 - offset;
            gives(f, tickets[0][size], bytes + offset, bytes_read);
            gives(f, tickets[1][size], bytes + offset, bytes_read);
        }
    }
}

/* --- textures --- */

/* Reads all and a part by tickets; both are what gpool_texture_read() gives. */
static void check_texture(fixture *f, gpool_texture texture, const gpool_texture_region *part)
{
    static uint8_t wanted[2][1 << 16];
    gpool_texture_region all = { .depth = 2, .aspect = part->aspect };
    const gpool_texture_region *regions[2] = { &all, part };
    gpool_ticket tickets[2];
    gpool_ticket_info infos[2];
    assert_good(gpool_begin_frame(f->pool));
    for (int i = 0; i < 2; ++i) {
        tickets[i] = gpool_read_texture(gpool_frame_recorder(f->pool), texture, regions[i], NULL);
    }
    assert_good(gpool_end_frame(f->pool));
    for (int i = 0; i < 2; ++i) {
        assert_good(gpool_ticket_get_info(f->pool, tickets[i], &infos[i]));
        assert_int_equal(infos[i].size, infos[i].bytes_per_row * infos[i].row_count);
        assert_in_range(infos[i].size, 1, sizeof wanted[i]);
        assert_good(gpool_texture_read(f->pool, texture, regions[i], wanted[i], infos[i].size));
        gives(f, tickets[i], wanted[i], infos[i].size);
    }
}

static void color_formats_are_read_at_edge_widths(void **state)
{
    fixture *f = *state;
    static const struct {
        WGPUTextureFormat format;
        uint32_t bytes;
    } formats[] = {
        { WGPUTextureFormat_R8Unorm, 1 },      { WGPUTextureFormat_RG8Uint, 2 },
        { WGPUTextureFormat_R16Float, 2 },     { WGPUTextureFormat_RGBA8Unorm, 4 },
        { WGPUTextureFormat_BGRA8Unorm, 4 },   { WGPUTextureFormat_R32Float, 4 },
        { WGPUTextureFormat_RGBA16Float, 8 },  { WGPUTextureFormat_RG32Uint, 8 },
        { WGPUTextureFormat_RGBA32Float, 16 }, { WGPUTextureFormat_RGBA32Uint, 16 },
    };
    static const uint32_t widths[] = { 1, 15, 16, 17, 63, 64, 65, 255, 256, 257 };
    static uint8_t texels[257 * 3 * 2 * 16];
    pattern(texels, sizeof texels, 5);
    for (size_t i = 0; i < sizeof formats / sizeof *formats; ++i) {
        for (size_t k = 0; k < sizeof widths / sizeof *widths; ++k) {
            gpool_texture_desc desc = { .width = widths[k],
                                        .height = 3,
                                        .depth_or_layers = 2,
                                        .format = formats[i].format,
                                        .usage = GPOOL_TEXTURE_READ_BACK,
                                        .data = texels,
                                        .data_size = sizeof texels };
            gpool_texture texture = gpool_texture_create(f->pool, &desc);
            gpool_texture_region part = { .x = widths[k] / 2, .y = 1, .z = 1 };
            check_texture(f, texture, &part);
            assert_good(gpool_begin_frame(f->pool));
            gpool_ticket whole =
                gpool_read_texture(gpool_frame_recorder(f->pool), texture, NULL, NULL);
            assert_good(gpool_end_frame(f->pool));
            gives(f, whole, texels, (size_t)widths[k] * 3 * 2 * formats[i].bytes);
            assert_good(gpool_texture_destroy(f->pool, texture));
        }
    }
}

static void depth_stencil_and_slices_are_read(void **state)
{
    fixture *f = *state;
    static const WGPUTextureFormat formats[] = { WGPUTextureFormat_Depth16Unorm,
                                                 WGPUTextureFormat_Depth32Float,
                                                 WGPUTextureFormat_Stencil8,
                                                 WGPUTextureFormat_Depth24PlusStencil8 };
    for (size_t i = 0; i < sizeof formats / sizeof *formats; ++i) {
        bool stencil = i >= 2;
        gpool_texture_desc desc = { .width = 33,
                                    .height = 5,
                                    .depth_or_layers = 2,
                                    .format = formats[i],
                                    .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK };
        gpool_texture texture = gpool_texture_create(f->pool, &desc);
        assert_good(gpool_begin_frame(f->pool));
        gpool_recorder rec = gpool_frame_recorder(f->pool);
        for (uint32_t layer = 0; layer < 2; ++layer) {
            gpool_begin_render(rec, &(gpool_render_desc){ .depth = { .texture = texture,
                                                                     .layer = layer,
                                                                     .clear = 0.25f,
                                                                     .stencil_clear = 77 } });
            gpool_end_pass(rec);
        }
        assert_good(gpool_end_frame(f->pool));
        gpool_texture_region part = { .z = 1,
                                      .aspect = stencil ? WGPUTextureAspect_StencilOnly
                                                        : WGPUTextureAspect_DepthOnly };
        check_texture(f, texture, &part);
    }
    uint8_t texels[3 * 5 * 7 * 4];
    pattern(texels, sizeof texels, 8);
    gpool_texture_desc desc = { .width = 7,
                                .height = 5,
                                .depth_or_layers = 3,
                                .dimension = WGPUTextureDimension_3D,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .usage = GPOOL_TEXTURE_READ_BACK,
                                .data = texels,
                                .data_size = sizeof texels };
    check_texture(f, gpool_texture_create(f->pool, &desc),
                  &(gpool_texture_region){ .x = 2, .y = 1, .z = 1, .width = 4, .depth = 2 });
}

static void blocks_are_read(void **state)
{
    fixture *f = *state;
    const WGPUFeatureName feature = WGPUFeatureName_TextureCompressionBC;
    gpool_device *device = fixture_open_with(&feature, 1);
    bool there = gpool_device_has_feature(device, feature);
    fixture_use_device(f, device);
    if (!there) {
        print_message("no BC formats here\n");
        return;
    }
    uint8_t blocks[2 * 3 * 9 * 16];
    pattern(blocks, sizeof blocks, 2);
    gpool_texture_desc desc = { .width = 36,
                                .height = 12,
                                .depth_or_layers = 2,
                                .mip_levels = 3,
                                .format = WGPUTextureFormat_BC7RGBAUnorm,
                                .usage = GPOOL_TEXTURE_READ_BACK,
                                .data = blocks,
                                .data_size = sizeof blocks };
    gpool_texture texture = gpool_texture_create(f->pool, &desc);
    gpool_texture_region part = { .x = 4, .y = 8, .z = 1, .width = 8 };
    check_texture(f, texture, &part);
    /* Level 1 is 18 x 6 texels: its last blocks are cut. */
    part = (gpool_texture_region){ .mip_level = 1, .x = 16 };
    check_texture(f, texture, &part);
}

/* --- order --- */

static void read_stands_in_order_among_draws_copies_and_writes(void **state)
{
    fixture *f = *state;
    const uint32_t words[6] = { 1, 2, 3, 4, 5, 6 };
    const float red[4] = { 1, 0, 0, 1 };
    const float green[4] = { 0, 1, 0, 1 };
    gpool_buffer from = fixture_buffer(f, words, 8, COPYABLE);
    gpool_buffer to = fixture_buffer(f, words + 2, 8, COPYABLE);
    gpool_texture target = fixture_target(f, 3, 2);
    gpool_pipeline fill =
        fixture_render(f, fixture_fill_wgsl, (gpool_render_pipeline_desc){ .samples = 1 });
    gpool_ticket buffers[4];
    gpool_ticket pictures[3];
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    buffers[0] = gpool_read_buffer(rec, to, 0, 8, NULL);
    pictures[0] = gpool_read_texture(rec, target, NULL, NULL);
    for (int i = 0; i < 2; ++i) {
        gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
        gpool_set_pipeline(rec, fill);
        gpool_set_uniforms(rec, 0, i == 0 ? red : green, 16);
        gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
        gpool_end_pass(rec);
        pictures[1 + i] = gpool_read_texture(rec, target, NULL, NULL);
    }
    gpool_copy_buffer(rec, from, 0, to, 4, 4);
    buffers[1] = gpool_read_buffer(rec, to, 0, 8, NULL);
    gpool_clear_buffer(rec, to, 0, 4);
    buffers[2] = gpool_read_buffer(rec, to, 1, 7, NULL);
    buffers[3] = gpool_read_buffer(rec, from, 0, 8, NULL);
    assert_good(gpool_buffer_write(f->pool, from, 4, &words[5], 4)); /* before the whole submit */
    assert_good(gpool_buffer_destroy(f->pool, from));
    assert_good(gpool_texture_destroy(f->pool, target));
    assert_good(gpool_end_frame(f->pool));
    gives(f, buffers[0], (const uint32_t[]){ 3, 4 }, 8);
    gives(f, buffers[1], (const uint32_t[]){ 3, 1 }, 8);
    gives(f, buffers[2], (const uint8_t[]){ 0, 0, 0, 1, 0, 0, 0 }, 7);
    gives(f, buffers[3], (const uint32_t[]){ 1, 6 }, 8);
    uint8_t wanted[3][24];
    memset(wanted, 0, sizeof wanted);
    for (size_t i = 0; i < 6; ++i) {
        wanted[1][i * 4] = wanted[1][i * 4 + 3] = 255;
        wanted[2][i * 4 + 1] = wanted[2][i * 4 + 3] = 255;
    }
    for (int i = 0; i < 3; ++i) {
        gives(f, pictures[i], wanted[i], 24);
    }
}

/* --- many, and dropped --- */

#define FLYING 200

/* Each buffer holds its number; tickets are polled, taken, and dropped wherever they are. */
static void many_are_in_flight_and_some_are_dropped(void **state)
{
    fixture *f = *state;
    static gpool_ticket tickets[FLYING];
    static uint32_t numbers[FLYING];
    memset(tickets, 0, sizeof tickets);
    static uint32_t words[4096];
    for (uint32_t i = 0; i < 4096; ++i) {
        words[i] = i * 2654435761u;
    }
    uint64_t seed = fixture_seed(7);
    gpool_buffer buffer = fixture_buffer(f, words, sizeof words, COPYABLE);
    uint32_t taken = 0;
    uint32_t dropped = 0;
    static uint32_t got[4096];
    for (int frame = 0; frame < 120; ++frame) {
        assert_good(gpool_begin_frame(f->pool));
        gpool_recorder rec = gpool_frame_recorder(f->pool);
        for (int i = 0; i < 40; ++i) {
            uint32_t k = fixture_random(&seed, FLYING);
            if (fixture_random(&seed, 4) == 0 && tickets[k].id != 0) {
                assert_good(gpool_ticket_destroy(f->pool, tickets[k]));
                tickets[k].id = 0;
                dropped += 1;
            }
            if (tickets[k].id != 0) {
                gpool_result result = gpool_ticket_take(f->pool, tickets[k], got, sizeof got);
                if (result == GPOOL_NOT_READY) {
                    continue;
                }
                assert_good(result);
                uint32_t size = numbers[k] % 7 == 0 ? 16384 - numbers[k] * 4 : 4;
                assert_bytes(got, words + numbers[k], size);
                taken += 1;
            }
            numbers[k] = fixture_random(&seed, 4096);
            uint32_t size = numbers[k] % 7 == 0 ? 16384 - numbers[k] * 4 : 4;
            tickets[k] = gpool_read_buffer(rec, buffer, numbers[k] * 4, size, NULL);
            assert_int_not_equal(tickets[k].id, 0);
        }
        if (frame % 3 == 0) {
            assert_good(gpool_submit(f->pool));
        }
        assert_good(gpool_end_frame(f->pool));
    }
    print_message("%u taken, %u dropped\n", taken, dropped);
    assert_true(taken > 500 && dropped > 100);
    for (int i = 0; i < FLYING; i += 2) { /* the others go with the pool, in flight */
        assert_good(gpool_ticket_destroy(f->pool, tickets[i]));
    }
}

static void dropped_recorder_fails_its_tickets(void **state)
{
    fixture *f = *state;
    gpool_buffer buffer = fixture_buffer(f, "abcd", 4, COPYABLE);
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_ticket ticket = gpool_read_buffer(rec, buffer, 0, 4, NULL);
    assert_result(gpool_ticket_status(f->pool, ticket), GPOOL_NOT_READY);
    assert_result(gpool_ticket_wait(f->pool, ticket, SECOND), GPOOL_ERROR_WRONG_PHASE);
    fixture_expect(f, GPOOL_LOG_PHASE, 1);
    /* A raw command that is wrong is seen at Finish: it costs the recorder. */
    const gpool_gpu *gpu = gpool_device_gpu(f->device);
    WGPUBuffer raw = gpool_buffer_gpu(f->pool, buffer, GPOOL_ACCESS_READ);
    gpu->CommandEncoderCopyBufferToBuffer(gpool_recorder_encoder(rec), raw, 0, raw, 0, 4);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_GPU);
    fixture_expect(f, GPOOL_LOG_RECORDER_DROPPED, 1);
    assert_result(gpool_ticket_status(f->pool, ticket), GPOOL_ERROR_DROPPED);
    assert_result(gpool_ticket_wait(f->pool, ticket, SECOND), GPOOL_ERROR_DROPPED);
    fixture_expect(f, GPOOL_LOG_RECORDER_DROPPED, 1);
    assert_good(gpool_ticket_destroy(f->pool, ticket));
    assert_good(gpool_begin_frame(f->pool));
    ticket = gpool_read_buffer(gpool_frame_recorder(f->pool), buffer, 0, 4, NULL);
    assert_good(gpool_end_frame(f->pool));
    gives(f, ticket, "abcd", 4);
}

static void steady_reads_allocate_nothing_and_make_no_object(void **state)
{
    fixture *f = *state;
    static uint8_t texels[64 * 64 * 4];
    static uint8_t got[sizeof texels];
    pattern(texels, sizeof texels, 6);
    gpool_texture texture = fixture_target(f, 64, 64);
    assert_good(gpool_texture_write(f->pool, texture, NULL, texels, sizeof texels, 0));
    gpool_ticket flying[4] = { 0 };
    gpool_stats warm = { 0 };
    for (uint32_t frame = 0; frame < 60; ++frame) {
        gpool_ticket *now = &flying[frame % 4];
        if (now->id != 0) {
            assert_good(gpool_ticket_wait(f->pool, *now, 10 * SECOND));
            assert_good(gpool_ticket_take(f->pool, *now, got, sizeof got));
            assert_bytes(got, texels, sizeof got);
        }
        assert_good(gpool_begin_frame(f->pool));
        *now = gpool_read_texture(gpool_frame_recorder(f->pool), texture, NULL, NULL);
        assert_good(gpool_end_frame(f->pool));
        if (frame == 20) {
            warm = fixture_stats(f);
        }
    }
    gpool_stats end = fixture_stats(f);
    assert_int_equal(end.allocations, warm.allocations);
    assert_int_equal(end.gpu_objects, warm.gpu_objects);
}

int gpu_tickets_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(every_offset_and_size_of_a_buffer_is_given),
        FIXTURE_TEST(color_formats_are_read_at_edge_widths),
        FIXTURE_TEST(depth_stencil_and_slices_are_read),
        FIXTURE_TEST(blocks_are_read),
        FIXTURE_TEST(read_stands_in_order_among_draws_copies_and_writes),
        FIXTURE_TEST(many_are_in_flight_and_some_are_dropped),
        FIXTURE_TEST(dropped_recorder_fails_its_tickets),
        FIXTURE_TEST(steady_reads_allocate_nothing_and_make_no_object),
    };
    return FIXTURE_RUN("tickets", tests);
}
