/* Tickets: what they give, when they are ready, what they cost. */
#include "ticket_world.h"

/* --- what they give --- */

static void give_bytes(const sim_desc *desc)
{
    sim_pool p;
    sim_pool_open(&p, desc);
    uint8_t bytes[37];
    ticket_pattern(bytes, sizeof bytes, 1);
    gpool_buffer buffer = ticket_buffer(&p, bytes, sizeof bytes);
    for (uint64_t offset = 0; offset <= 8; ++offset) {
        gpool_ticket tickets[9];
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        gpool_recorder rec = gpool_frame_recorder(p.pool);
        for (uint64_t size = 0; size <= 8; ++size) {
            tickets[size] = gpool_read_buffer(rec, buffer, offset, size, NULL);
        }
        gpool_ticket rest =
            gpool_read_buffer(rec, buffer, 28 + offset, sizeof bytes - 28 - offset, NULL);
        assert_same(gpool_end_frame(p.pool), GPOOL_OK);
        for (uint64_t size = 0; size <= 8; ++size) {
            gpool_ticket_info info = ticket_info(&p, tickets[size]);
            assert_same(info.size, size);
            assert_same(info.row_count, size > 0);
            assert_same(info.gpu_size, size > 0 ? 1024 : 0);
            ticket_gives(&p, tickets[size], bytes + offset, size);
        }
        ticket_gives(&p, rest, bytes + 28 + offset, sizeof bytes - 28 - offset);
    }
    assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void every_offset_and_size_of_a_buffer_is_given(void **state)
{
    (void)state;
    TICKET_MANNERS(give_bytes)
}

static void rows_of_textures_come_without_padding(void **state)
{
    (void)state;
    static const struct {
        WGPUTextureFormat format;
        uint32_t bytes;
    } formats[] = { { WGPUTextureFormat_R8Unorm, 1 },
                    { WGPUTextureFormat_RG8Unorm, 2 },
                    { WGPUTextureFormat_RGBA8Unorm, 4 },
                    { WGPUTextureFormat_RGBA16Float, 8 },
                    { WGPUTextureFormat_RGBA32Float, 16 } };
    static const uint32_t widths[] = { 1, 3, 15, 16, 17, 63, 64, 65, 129 };
    static uint8_t texels[129 * 4 * 2 * 16];
    static uint8_t got[sizeof texels];
    sim_pool p;
    sim_pool_open(&p, NULL);
    ticket_pattern(texels, sizeof texels, 3);
    for (size_t f = 0; f < UNIT_COUNT(formats); ++f) {
        for (size_t w = 0; w < UNIT_COUNT(widths); ++w) {
            const uint32_t row = widths[w] * formats[f].bytes;
            gpool_texture texture = gpool_texture_create(
                p.pool, &(gpool_texture_desc){ .width = widths[w],
                                               .height = 4,
                                               .depth_or_layers = 2,
                                               .format = formats[f].format,
                                               .usage = GPOOL_TEXTURE_READ_BACK,
                                               .data = texels,
                                               .data_size = sizeof texels });
            assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
            gpool_recorder rec = gpool_frame_recorder(p.pool);
            gpool_ticket all = gpool_read_texture(rec, texture, NULL, NULL);
            gpool_texture_region part = { .x = widths[w] / 2, .y = 1, .z = 1, .height = 2 };
            gpool_ticket some = gpool_read_texture(rec, texture, &part, NULL);
            assert_same(gpool_texture_resize(p.pool, texture, 2, 2, 0), GPOOL_ERROR_RECORDED);
            assert_same(gpool_end_frame(p.pool), GPOOL_OK);
            gpool_ticket_info info = ticket_info(&p, all);
            assert_same(info.bytes_per_row, row);
            assert_same(info.row_count, 8);
            assert_same(info.size, row * 8);
            ticket_gives(&p, all, texels, (size_t)row * 8);
            /* What gpool_texture_read() gives is right: it has tests of its own. */
            size_t size = (size_t)(widths[w] - widths[w] / 2) * formats[f].bytes * 2;
            assert_same(gpool_texture_read(p.pool, texture, &part, got, size), GPOOL_OK);
            assert_same(ticket_info(&p, some).size, size);
            ticket_gives(&p, some, got, size);
            assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
        }
    }
    sim_pool_close(&p, 0);
}

static void read_stands_in_order_in_its_recorder(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    const uint32_t words[5] = { 1, 2, 3, 4, 5 };
    gpool_buffer from = ticket_buffer(&p, &words[1], 8);
    gpool_buffer to = sim_pool_buffer(&p, (gpool_scope){ 0 }, 8, "to");
    assert_same(gpool_buffer_write(p.pool, to, 0, &words[0], 4), GPOOL_OK);
    assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
    gpool_recorder rec = gpool_frame_recorder(p.pool);
    gpool_ticket first = gpool_read_buffer(rec, to, 0, 8, NULL);
    gpool_copy_buffer(rec, from, 0, to, 4, 4);
    gpool_ticket second = gpool_read_buffer(rec, to, 0, 8, NULL);
    gpool_clear_buffer(rec, to, 0, 8);
    gpool_ticket source = gpool_read_buffer(rec, from, 0, 8, NULL);
    /* A write lands before the whole submit, also after the read is recorded. */
    assert_same(gpool_buffer_write(p.pool, from, 4, &words[4], 4), GPOOL_OK);
    /* The recording keeps what it reads. */
    assert_same(gpool_buffer_destroy(p.pool, from), GPOOL_OK);
    assert_same(gpool_buffer_destroy(p.pool, to), GPOOL_OK);
    assert_same(gpool_end_frame(p.pool), GPOOL_OK);
    ticket_gives(&p, first, (const uint32_t[]){ 1, 0 }, 8);
    ticket_gives(&p, second, (const uint32_t[]){ 1, 2 }, 8);
    ticket_gives(&p, source, (const uint32_t[]){ 2, 5 }, 8);
    sim_pool_close(&p, 0);
}

/* --- when they are ready --- */

static void poll_tells_without_an_error_until_the_bytes_are_there(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, &(sim_desc){ .completion = SIM_COMPLETE_MANUALLY });
    gpool_buffer buffer = ticket_buffer(&p, "abcdefgh", 8);
    char got[9] = "--------";
    assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
    gpool_ticket ticket = gpool_read_buffer(gpool_frame_recorder(p.pool), buffer, 1, 6,
                                            &(gpool_ticket_desc){ .label = "middle" });
    gpool_ticket empty = gpool_read_buffer(gpool_frame_recorder(p.pool), buffer, 8, 0, NULL);
    const gpool_stats before = sim_pool_stats(&p);
    assert_same(ticket_info(&p, ticket).state, GPOOL_TICKET_RECORDED);
    assert_same(gpool_ticket_status(p.pool, ticket), GPOOL_NOT_READY);
    assert_same(gpool_ticket_status(p.pool, empty), GPOOL_NOT_READY);
    assert_same(gpool_ticket_take(p.pool, ticket, got, 6), GPOOL_NOT_READY);
    assert_same(gpool_end_frame(p.pool), GPOOL_OK);
    assert_same(gpool_ticket_status(p.pool, empty), GPOOL_OK);
    for (int i = 0; i < 5; ++i) {
        assert_same(ticket_info(&p, ticket).state, GPOOL_TICKET_SUBMITTED);
        assert_same(gpool_ticket_status(p.pool, ticket), GPOOL_NOT_READY);
        assert_same(gpool_ticket_take(p.pool, ticket, got, 6), GPOOL_NOT_READY);
    }
    assert_string_equal(got, "--------");
    assert_true(sim_complete(p.s, SIM_ALL));
    assert_same(gpool_ticket_status(p.pool, ticket), GPOOL_OK);
    gpool_ticket_info info = ticket_info(&p, ticket);
    assert_same(info.state, GPOOL_TICKET_READY);
    assert_same(info.size, 6);
    assert_same(info.bytes_per_row, 6);
    assert_same(info.created_frame, 1);
    assert_same(info.result, GPOOL_OK);
    assert_string_equal(info.label, "middle");
    assert_same(sim_pool_stats(&p).errors, before.errors);
    assert_same(gpool_ticket_take(p.pool, ticket, got, 9), GPOOL_OK);
    assert_string_equal(got, "bcdefg--");
    assert_same(gpool_ticket_status(p.pool, ticket), GPOOL_ERROR_STALE_HANDLE);
    assert_same(gpool_ticket_take(p.pool, ticket, got, 9), GPOOL_ERROR_STALE_HANDLE);
    assert_same(gpool_ticket_take(p.pool, empty, NULL, 0), GPOOL_OK);
    assert_same(gpool_ticket_destroy(p.pool, empty), GPOOL_ERROR_STALE_HANDLE);
    assert_same(gpool_ticket_status(p.pool, (gpool_ticket){ 0 }), GPOOL_ERROR_NULL_HANDLE);
    assert_same(gpool_ticket_destroy(p.pool, (gpool_ticket){ 0 }), GPOOL_OK);
    assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
    sim_set_completion(p.s, SIM_COMPLETE_AT_POLL, 0);
    sim_pool_close(&p, 0);
}

static void round_over_many_tickets_polls_once(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, &(sim_desc){ .completion = SIM_COMPLETE_MANUALLY });
    gpool_buffer buffer = ticket_buffer(&p, "abcd", 4);
    gpool_ticket tickets[50];
    assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
    for (size_t i = 0; i < UNIT_COUNT(tickets); ++i) {
        tickets[i] = gpool_read_buffer(gpool_frame_recorder(p.pool), buffer, 0, 4, NULL);
    }
    assert_same(gpool_end_frame(p.pool), GPOOL_OK);
    for (int round = 0; round < 3; ++round) {
        uint64_t polls = gpool_gpu_call_count(p.pool, GPOOL_GPU_InstanceProcessEvents);
        for (size_t i = 0; i < UNIT_COUNT(tickets); ++i) {
            assert_same(gpool_ticket_status(p.pool, tickets[i]), GPOOL_NOT_READY);
        }
        assert_same(gpool_gpu_call_count(p.pool, GPOOL_GPU_InstanceProcessEvents), polls + 1);
    }
    assert_true(sim_complete(p.s, SIM_ALL));
    for (size_t i = 0; i < UNIT_COUNT(tickets); ++i) {
        assert_same(gpool_ticket_status(p.pool, tickets[i]), GPOOL_OK);
        ticket_gives(&p, tickets[i], "abcd", 4);
    }
    assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
    sim_set_completion(p.s, SIM_COMPLETE_AT_POLL, 0);
    sim_pool_close(&p, 0);
}

static void wait_ends_by_bytes_or_time_and_never_begins_before_the_submit(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, &(sim_desc){ .completion = SIM_COMPLETE_AFTER_POLLS, .polls = 20 });
    gpool_buffer buffer = ticket_buffer(&p, "abcd", 4);
    assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
    gpool_ticket ticket = gpool_read_buffer(gpool_frame_recorder(p.pool), buffer, 0, 4, NULL);
    assert_same(gpool_ticket_wait(p.pool, ticket, UINT64_MAX), GPOOL_ERROR_WRONG_PHASE);
    assert_same(gpool_buffer_resize(p.pool, buffer, 16), GPOOL_ERROR_RECORDED); /* it is read */
    assert_same(ticket_info(&p, ticket).state, GPOOL_TICKET_RECORDED);
    assert_same(gpool_end_frame(p.pool), GPOOL_OK);
    assert_same(gpool_ticket_wait(p.pool, ticket, 0), GPOOL_ERROR_TIMEOUT);
    assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_TIMEOUT);
    assert_same(ticket_info(&p, ticket).state, GPOOL_TICKET_SUBMITTED);
    assert_same(gpool_ticket_wait(p.pool, ticket, UINT64_MAX), GPOOL_OK);
    assert_same(gpool_ticket_wait(p.pool, ticket, 0), GPOOL_OK);
    ticket_gives(&p, ticket, "abcd", 4);
    assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void map_is_asked_for_after_the_submit_only(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_buffer buffer = ticket_buffer(&p, "abcd", 4);
    assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
    gpool_ticket ticket = gpool_read_buffer(gpool_frame_recorder(p.pool), buffer, 0, 4, NULL);
    assert_same(gpool_process_uploads(p.pool), GPOOL_OK); /* a submit without the recorder */
    assert_same(gpool_tick(p.pool), GPOOL_OK);
    assert_same(gpool_ticket_status(p.pool, ticket), GPOOL_NOT_READY);
    assert_same(gpool_gpu_call_count(p.pool, GPOOL_GPU_BufferMapAsync), 0);
    assert_same(gpool_submit(p.pool), GPOOL_OK);
    assert_same(gpool_gpu_call_count(p.pool, GPOOL_GPU_BufferMapAsync), 1);
    ticket_gives(&p, ticket, "abcd", 4); /* the frame goes on */
    ticket = gpool_read_buffer(gpool_frame_recorder(p.pool), buffer, 1, 3, NULL);
    assert_same(gpool_end_frame(p.pool), GPOOL_OK);
    ticket_gives(&p, ticket, "bcd", 3);
    assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void refused_reads_and_takes_change_nothing(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_buffer buffer = ticket_buffer(&p, "abcdefgh", 8);
    gpool_buffer plain = gpool_buffer_create(
        p.pool, &(gpool_buffer_desc){ .size = 8, .usage = GPOOL_BUFFER_COPY_SOURCE });
    assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
    gpool_recorder rec = gpool_frame_recorder(p.pool);
    gpool_ticket good = gpool_read_buffer(rec, buffer, 0, 8, NULL);
    const gpool_stats before = sim_pool_stats(&p);
    assert_same(gpool_read_buffer(rec, buffer, 5, 4, NULL).id, 0);
    assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_OUT_OF_RANGE);
    assert_same(gpool_read_buffer(rec, buffer, UINT64_MAX, 2, NULL).id, 0);
    assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_OUT_OF_RANGE);
    assert_same(gpool_read_buffer(rec, plain, 0, 4, NULL).id, 0);
    assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_MISSING_USAGE);
    gpool_ticket_desc desc = { .scope = { buffer.id } };
    assert_same(gpool_read_buffer(rec, buffer, 0, 4, &desc).id, 0);
    assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_INVALID_HANDLE);
    gpool_begin_compute(rec, "pass");
    assert_same(gpool_read_buffer(rec, buffer, 0, 4, NULL).id, 0);
    assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_WRONG_PHASE);
    gpool_end_pass(rec);
    gpool_stats after = sim_pool_stats(&p);
    assert_same(after.skipped, before.skipped + 5);
    assert_same(after.created, before.created);
    assert_same(after.live_count[GPOOL_KIND_TICKET], 1);
    assert_same(after.live_bytes[GPOOL_KIND_TICKET], 1024);
    assert_same(after.internal_bytes, 0);
    /* The first of them is what the frame tells; the good read ran. */
    assert_same(gpool_end_frame(p.pool), GPOOL_ERROR_OUT_OF_RANGE);
    assert_same(gpool_read_buffer(rec, buffer, 0, 4, NULL).id, 0); /* an old recorder */
    assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_WRONG_PHASE);
    assert_same(gpool_ticket_wait(p.pool, good, TICKET_SECOND), GPOOL_OK);
    char got[8];
    assert_same(gpool_ticket_take(p.pool, good, NULL, 8), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_ticket_take(p.pool, good, got, 7), GPOOL_ERROR_OUT_OF_RANGE);
    assert_same(gpool_ticket_get_info(p.pool, good, NULL), GPOOL_ERROR_INVALID_ARGUMENT);
    assert_same(gpool_ticket_take(p.pool, (gpool_ticket){ buffer.id }, got, 8),
                GPOOL_ERROR_INVALID_HANDLE);
    ticket_gives(&p, good, "abcdefgh", 8);
    assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
    assert_same(gpool_buffer_destroy(p.pool, plain), GPOOL_OK);
    sim_pool_close(&p, 0);
}

/* --- what they cost --- */

static void steady_reads(const sim_desc *desc)
{
    sim_pool p;
    sim_pool_open(&p, desc);
    static uint8_t bytes[70000];
    static uint8_t got[sizeof bytes];
    ticket_pattern(bytes, sizeof bytes, 9);
    static const uint64_t sizes[] = { 4, 1024, 1025, 5000, 65536, 70000 };
    gpool_buffer buffer = ticket_buffer(&p, bytes, sizeof bytes);
    gpool_ticket flying[3][UNIT_COUNT(sizes)] = { 0 };
    gpool_stats warm = { 0 };
    uint64_t taken = 0;
    for (uint32_t frame = 0; frame < 60; ++frame) {
        gpool_ticket *now = flying[frame % 3];
        assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
        for (size_t i = 0; i < UNIT_COUNT(sizes); ++i) {
            if (now[i].id != 0) {
                assert_same(gpool_ticket_status(p.pool, now[i]), GPOOL_OK);
                assert_same(gpool_ticket_take(p.pool, now[i], got, sizeof got), GPOOL_OK);
                assert_memory_equal(got, bytes, sizes[i]);
                taken += 1;
            }
            now[i] = gpool_read_buffer(gpool_frame_recorder(p.pool), buffer, 0, sizes[i], NULL);
        }
        assert_same(gpool_end_frame(p.pool), GPOOL_OK);
        if (frame == 10) {
            warm = sim_pool_stats(&p);
        }
    }
    gpool_stats end = sim_pool_stats(&p);
    assert_same(taken, 57 * UNIT_COUNT(sizes));
    assert_same(end.allocations, warm.allocations);
    assert_same(end.gpu_objects, warm.gpu_objects);
    assert_same(end.internal_bytes, warm.internal_bytes);
    assert_same(end.live_bytes[GPOOL_KIND_TICKET], warm.live_bytes[GPOOL_KIND_TICKET]);
    for (size_t i = 0; i < 3 * UNIT_COUNT(sizes); ++i) {
        assert_same(
            gpool_ticket_destroy(p.pool, flying[i / UNIT_COUNT(sizes)][i % UNIT_COUNT(sizes)]),
            GPOOL_OK);
    }
    assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void steady_frames_allocate_nothing_and_make_no_buffer(void **state)
{
    (void)state;
    TICKET_MANNERS(steady_reads)
}

static void staging_memory_is_counted_reused_by_class_and_trimmed(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    gpool_buffer buffer = ticket_buffer(&p, NULL, 10000);
    gpool_ticket ticket = ticket_read(&p, buffer, 0, 5000);
    gpool_stats now = sim_pool_stats(&p);
    assert_same(now.live_bytes[GPOOL_KIND_TICKET], 5120); /* four classes to a power of two */
    assert_same(ticket_info(&p, ticket).gpu_size, 5120);
    assert_same(now.internal_bytes, 0);
    assert_same(gpool_ticket_wait(p.pool, ticket, TICKET_SECOND), GPOOL_OK);
    static uint8_t got[10000];
    assert_same(gpool_ticket_take(p.pool, ticket, got, sizeof got), GPOOL_OK);
    now = sim_pool_stats(&p);
    assert_same(now.live_bytes[GPOOL_KIND_TICKET], 0);
    assert_same(now.retired_bytes, 0);
    assert_same(now.internal_bytes, 5120);
    uint64_t made = ticket_made(&p);
    ticket = ticket_read(&p, buffer, 0, 4200); /* the same class */
    assert_same(ticket_made(&p), made);
    assert_same(sim_pool_stats(&p).internal_bytes, 0);
    gpool_ticket other = ticket_read(&p, buffer, 0, 5200); /* another */
    assert_same(ticket_made(&p), made + 1);
    assert_same(gpool_ticket_destroy(p.pool, ticket), GPOOL_OK);
    assert_same(gpool_ticket_destroy(p.pool, other), GPOOL_OK);
    assert_same(sim_pool_stats(&p).internal_bytes, 5120 + 6144);
    for (int i = 0; i < 10; ++i) {
        sim_pool_frame(&p);
    }
    assert_same(sim_pool_stats(&p).internal_bytes, 5120 + 6144);
    /* One is used now and then, the other never again. */
    for (int i = 0; i < 4; ++i) {
        for (int k = 0; k < 15; ++k) {
            sim_pool_frame(&p);
        }
        assert_same(gpool_ticket_destroy(p.pool, ticket_read(&p, buffer, 0, 5000)), GPOOL_OK);
    }
    assert_same(sim_pool_stats(&p).internal_bytes, 5120);
    assert_same(ticket_made(&p), made + 1);
    assert_same(sim_live(p.s, SIM_KIND_BUFFER), 2);
    for (int i = 0; i < 50; ++i) {
        sim_pool_frame(&p);
    }
    assert_same(sim_pool_stats(&p).internal_bytes, 0);
    assert_same(sim_live(p.s, SIM_KIND_BUFFER), 1);
    assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void tickets_alive_and_staging_kept_are_bounded(void **state)
{
    (void)state;
    sim_pool p;
    sim_pool_open(&p, NULL);
    static gpool_ticket tickets[GPOOL_MAX_TICKETS];
    gpool_buffer buffer = ticket_buffer(&p, NULL, UINT64_C(200) << 20);
    /* Two of the largest do not fit what is kept together. */
    const uint64_t large = UINT64_C(160) << 20;
    for (int i = 0; i < 2; ++i) {
        tickets[i] = ticket_read(&p, buffer, 0, large);
    }
    assert_same(gpool_ticket_destroy(p.pool, tickets[0]), GPOOL_OK);
    assert_same(sim_pool_stats(&p).internal_bytes, large);
    assert_same(gpool_ticket_destroy(p.pool, tickets[1]), GPOOL_OK);
    assert_same(sim_pool_stats(&p).internal_bytes, large);
    assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
    gpool_recorder rec = gpool_frame_recorder(p.pool);
    for (uint32_t i = 0; i < GPOOL_MAX_TICKETS; ++i) {
        tickets[i] = gpool_read_buffer(rec, buffer, i * 4, 4, NULL);
        assert_int_not_equal(tickets[i].id, 0);
    }
    assert_same(gpool_read_buffer(rec, buffer, 0, 4, NULL).id, 0);
    assert_same(gpool_last_error(p.pool)->code, GPOOL_ERROR_LIMIT);
    assert_same(gpool_read_buffer(rec, buffer, 0, 0, NULL).id, 0);
    assert_same(gpool_ticket_destroy(p.pool, tickets[7]), GPOOL_OK);
    tickets[7] = gpool_read_buffer(rec, buffer, 0, 4, NULL);
    assert_int_not_equal(tickets[7].id, 0);
    assert_same(gpool_end_frame(p.pool), GPOOL_ERROR_LIMIT);
    for (uint32_t i = 0; i < GPOOL_MAX_TICKETS; ++i) {
        assert_same(gpool_ticket_destroy(p.pool, tickets[i]), GPOOL_OK);
    }
    /* One of them found no room for another buffer beside the large one. */
    assert_same(sim_pool_stats(&p).internal_bytes, large + (GPOOL_MAX_TICKETS - 1) * 1024);
    assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
    sim_pool_close(&p, 0);
}

static void largest_buffer_there_can_be_is_read(void **state)
{
    (void)state;
    sim_pool p;
    WGPULimits limits = { .maxBufferSize = 10000 };
    sim_pool_open(&p, &(sim_desc){ .limits = &limits });
    gpool_device_info info;
    assert_same(gpool_device_get_info(p.device, &info), GPOOL_OK);
    assert_same(info.limits.maxBufferSize, 10000);
    static uint8_t bytes[10000];
    ticket_pattern(bytes, sizeof bytes, 4);
    gpool_buffer buffer = ticket_buffer(&p, bytes, sizeof bytes);
    for (int i = 0; i < 3; ++i) {
        ticket_gives(&p, ticket_read(&p, buffer, 0, sizeof bytes), bytes, sizeof bytes);
        ticket_gives(&p, ticket_read(&p, buffer, 0, 9000), bytes, 9000);
    }
    /* Rows are padded in staging memory: that may be what does not fit. */
    gpool_texture texture =
        gpool_texture_create(p.pool, &(gpool_texture_desc){ .width = 1,
                                                            .height = 40,
                                                            .format = WGPUTextureFormat_R8Unorm,
                                                            .usage = GPOOL_TEXTURE_READ_BACK });
    assert_same(gpool_begin_frame(p.pool), GPOOL_OK);
    assert_same(gpool_read_texture(gpool_frame_recorder(p.pool), texture, NULL, NULL).id, 0);
    assert_same(gpool_end_frame(p.pool), GPOOL_ERROR_LIMIT);
    assert_same(gpool_texture_destroy(p.pool, texture), GPOOL_OK);
    assert_same(gpool_buffer_destroy(p.pool, buffer), GPOOL_OK);
    sim_pool_close(&p, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_offset_and_size_of_a_buffer_is_given),
        cmocka_unit_test(rows_of_textures_come_without_padding),
        cmocka_unit_test(read_stands_in_order_in_its_recorder),
        cmocka_unit_test(poll_tells_without_an_error_until_the_bytes_are_there),
        cmocka_unit_test(round_over_many_tickets_polls_once),
        cmocka_unit_test(wait_ends_by_bytes_or_time_and_never_begins_before_the_submit),
        cmocka_unit_test(map_is_asked_for_after_the_submit_only),
        cmocka_unit_test(refused_reads_and_takes_change_nothing),
        cmocka_unit_test(steady_frames_allocate_nothing_and_make_no_buffer),
        cmocka_unit_test(staging_memory_is_counted_reused_by_class_and_trimmed),
        cmocka_unit_test(tickets_alive_and_staging_kept_are_bounded),
        cmocka_unit_test(largest_buffer_there_can_be_is_read),
    };
    return cmocka_run_group_tests_name("tickets", tests, NULL, NULL);
}
