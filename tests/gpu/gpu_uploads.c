/* Uploads by every way, and their order against commands. */
#include "gpu/fixture.h"

#include <stdlib.h>
#include <string.h>

int gpu_uploads_run(void);

#define COPYING                                                                                    \
    (GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_READ_BACK |                \
     GPOOL_BUFFER_STORAGE)
#define LARGE (4u << 20)
#define SIZE  40000u

static const gpool_upload_way ways[] = { GPOOL_UPLOAD_AUTO, GPOOL_UPLOAD_DIRECT,
                                         GPOOL_UPLOAD_MERGED, GPOOL_UPLOAD_SCATTER,
                                         GPOOL_UPLOAD_WHOLE };
#define WAYS (sizeof ways / sizeof ways[0])

static void use_way(fixture *f, size_t i, uint64_t budget)
{
    fixture_use_pool(f, (gpool_desc){ .compile_workers = GPOOL_WORKERS_NONE,
                                      .upload = { .force = ways[i], .staging_budget = budget } });
}

static void fill(uint8_t *bytes, size_t size, uint32_t salt)
{
    for (size_t i = 0; i < size; ++i) {
        bytes[i] = (uint8_t)(i * 7 + salt * 13 + 1 + i / 256);
    }
}

static gpool_recorder begin(fixture *f)
{
    assert_good(gpool_begin_frame(f->pool));
    return gpool_frame_recorder(f->pool);
}

static void write_some(fixture *f, gpool_buffer buffer, uint8_t *bytes, uint64_t *seed)
{
    for (uint32_t left = fixture_random(seed, 400); left > 0; --left) {
        uint32_t offset = fixture_random(seed, LARGE - 3);
        uint32_t size = 1 + fixture_random(seed, left % 50 == 0 ? 300000 : 200);
        size = size < LARGE - 3 - offset ? size : LARGE - 3 - offset;
        fill(bytes + offset, size, fixture_random(seed, 200));
        assert_good(gpool_buffer_write(f->pool, buffer, offset, bytes + offset, size));
    }
}

static void every_way_sends_random_writes_to_4_mib(void **state)
{
    fixture *f = *state;
    uint8_t *bytes = malloc(LARGE);
    uint64_t seed = fixture_seed(20261122);
    assert_non_null(bytes);
    for (size_t i = 0; i < WAYS; ++i) {
        use_way(f, i, 0);
        fill(bytes, LARGE, (uint32_t)i);
        /* The last granule is not whole. */
        gpool_buffer buffer = fixture_buffer(f, bytes, LARGE - 3, GPOOL_BUFFER_READ_BACK);
        for (uint32_t round = 0; round < 8; ++round) {
            if (round % 2 == 0) {
                assert_good(gpool_begin_frame(f->pool));
                write_some(f, buffer, bytes, &seed);
                assert_good(gpool_submit(f->pool));
                write_some(f, buffer, bytes, &seed);
                assert_good(gpool_end_frame(f->pool));
            }
            assert_buffer(f, buffer, 0, bytes, LARGE - 3);
            gpool_upload_info info;
            assert_good(gpool_upload_explain(f->pool, buffer, &info));
            assert_true(i == 0 || info.way == ways[i]);
            /* Alone, with nothing in between. */
            fill(bytes + LARGE - 77, 74, round);
            assert_good(gpool_buffer_write(f->pool, buffer, LARGE - 77, bytes + LARGE - 77, 74));
        }
        assert_good(gpool_buffer_destroy(f->pool, buffer));
    }
    free(bytes);
}

#define SLOTS      64u
#define SLOT       2048u
#define SLOTS_SIZE ((SLOTS + 1) * SLOT - 35) /* the last granule is not whole */

static void write_at(fixture *f, gpool_buffer buffer, uint8_t *bytes, uint32_t at, uint32_t size,
                     uint32_t salt)
{
    fill(bytes + at, size, salt);
    assert_good(gpool_buffer_write(f->pool, buffer, at, bytes + at, size));
}

/* 1 to 1024 bytes at offsets of 0 to 7, many of them in a flush, each in a slot of its own, and one
 * that ends with the buffer. */
static void every_way_sends_all_sizes_at_all_offsets(void **state)
{
    /* Ranges are never joined. */
    static const gpool_upload_costs apart = {
        .write_byte = 1e9f, .copy_byte = 1e9f, .write_call = 1.0f, .copy_call = 1.0f
    };
    fixture *f = *state;
    uint8_t *bytes = malloc(SLOTS_SIZE);
    uint64_t seed = fixture_seed(20261123);
    assert_non_null(bytes);
    for (size_t i = 0; i < WAYS; ++i) {
        fixture_use_pool(
            f, (gpool_desc){ .compile_workers = GPOOL_WORKERS_NONE,
                             .upload = { .force = ways[i], .costs = i > 0 ? &apart : NULL } });
        fill(bytes, SLOTS_SIZE, (uint32_t)i);
        gpool_buffer buffer = fixture_buffer(f, bytes, SLOTS_SIZE, GPOOL_BUFFER_READ_BACK);
        for (uint32_t k = 0; k < 1024 * 8; ++k) {
            const uint32_t slot = k % SLOTS;
            const uint32_t size = 1 + k / 8;
            const uint32_t phase = fixture_random(&seed, 100) * 8 + k % 8; /* in granules, too */
            write_at(f, buffer, bytes, slot * SLOT + phase, size, k / SLOTS + 17);
            if (slot + 1 < SLOTS) {
                continue;
            }
            write_at(f, buffer, bytes, SLOTS_SIZE - size, size, k);
            assert_good(gpool_process_uploads(f->pool));
            assert_buffer(f, buffer, 0, bytes, SLOTS_SIZE);
            gpool_upload_info info;
            assert_good(gpool_upload_explain(f->pool, buffer, &info));
            assert_true(i == 0 || info.way == ways[i]);
        }
        assert_good(gpool_buffer_destroy(f->pool, buffer));
    }
    free(bytes);
}

/* Frames in flight, staging that goes round, a budget that ends. */
static void many_frames_of_scattered_writes(void **state)
{
    fixture *f = *state;
    static const uint64_t budgets[] = { 0, 65536, 262144 };
    static uint8_t bytes[200000];
    for (size_t i = 0; i < WAYS * 3; ++i) {
        use_way(f, i / 3, budgets[i % 3]);
        fill(bytes, sizeof bytes, (uint32_t)i);
        gpool_buffer buffer = fixture_buffer(f, bytes, sizeof bytes, COPYING);
        gpool_buffer seen = fixture_buffer(f, NULL, 1024, COPYING);
        for (uint32_t frame = 0; frame < 30; ++frame) {
            gpool_recorder rec = begin(f);
            for (uint32_t k = 0; k < 100; ++k) {
                uint32_t at = (k * 1990 + frame * 64) % (uint32_t)(sizeof bytes - 64);
                bytes[at] = (uint8_t)(frame + k);
                assert_good(gpool_buffer_write(f->pool, buffer, at, bytes + at, 1));
            }
            gpool_copy_buffer(rec, buffer, 4 * frame, seen, 0, 1024);
            assert_good(gpool_end_frame(f->pool));
        }
        assert_buffer(f, seen, 0, bytes + 4 * 29, 1024);
        assert_buffer(f, buffer, 0, bytes, sizeof bytes);
        assert_good(gpool_buffer_destroy(f->pool, buffer));
        assert_good(gpool_buffer_destroy(f->pool, seen));
    }
}

static void written_bytes_survive_a_resize_in_the_same_frame(void **state)
{
    fixture *f = *state;
    static uint8_t bytes[2 * SIZE];
    for (size_t i = 0; i < WAYS; ++i) {
        use_way(f, i, 0);
        memset(bytes, 0, sizeof bytes);
        fill(bytes, SIZE, 1);
        gpool_buffer buffer = fixture_buffer(f, bytes, SIZE, COPYING);
        assert_good(gpool_begin_frame(f->pool));
        fill(bytes + 50, 40, 2);
        assert_good(gpool_buffer_write(f->pool, buffer, 50, bytes + 50, 40));
        assert_good(gpool_process_uploads(f->pool));
        fill(bytes + 60, 100, 3);
        assert_good(gpool_buffer_write(f->pool, buffer, 60, bytes + 60, 100));
        assert_good(gpool_buffer_resize(f->pool, buffer, 2 * SIZE));
        fill(bytes + SIZE + 9, 9, 4);
        assert_good(gpool_buffer_write(f->pool, buffer, SIZE + 9, bytes + SIZE + 9, 9));
        assert_good(gpool_end_frame(f->pool));
        assert_buffer(f, buffer, 0, bytes, 2 * SIZE);
        assert_good(gpool_buffer_destroy(f->pool, buffer));
    }
}

static void recorded_writes_take_turns_with_copies(void **state)
{
    fixture *f = *state;
    static uint8_t bytes[SIZE];
    static uint8_t copied[SIZE];
    for (size_t i = 0; i < WAYS; ++i) {
        use_way(f, i, 0);
        fill(bytes, SIZE, 1);
        memset(copied, 0, sizeof copied);
        gpool_buffer buffer = fixture_buffer(f, bytes, SIZE, COPYING);
        gpool_buffer seen = fixture_buffer(f, NULL, SIZE, COPYING);
        for (uint32_t frame = 0; frame < 3; ++frame) {
            gpool_recorder rec = begin(f);
            for (uint32_t k = 0; k < 20; ++k) {
                fill(bytes + 1000, 64, frame * 20 + k);
                gpool_record_write(rec, buffer, 1000, bytes + 1000, 64);
                gpool_copy_buffer(rec, buffer, 1000, seen, (uint64_t)64 * k, 64);
                memcpy(copied + (size_t)64 * k, bytes + 1000, 64);
            }
            /* More than the block that is in use. */
            fill(bytes, SIZE, frame);
            gpool_record_write(rec, buffer, 0, bytes, SIZE);
            gpool_record_write(rec, buffer, 0, bytes, SIZE);
            assert_good(gpool_end_frame(f->pool));
            assert_buffer(f, seen, 0, copied, SIZE);
            assert_buffer(f, buffer, 0, bytes, SIZE);
        }
        assert_good(gpool_buffer_destroy(f->pool, buffer));
        assert_good(gpool_buffer_destroy(f->pool, seen));
    }
}

/* A colour that changes between two draws, in one recorder. */
static void a_recorded_write_between_draws_is_seen_by_the_second(void **state)
{
    static const char wgsl[] =
        "@group(0) @binding(0) var<storage, read> color: vec4f;\n"
        "@vertex fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {\n"
        "    return vec4f(f32(i / 2u) * 4.0 - 1.0, f32(i % 2u) * 4.0 - 1.0, 0.0, 1.0);\n"
        "}\n"
        "@fragment fn fs() -> @location(0) vec4f { return color; }\n";
    fixture *f = *state;
    static const float colors[2][4] = { { 1, 0, 0, 1 }, { 0, 1, 0, 1 } };
    gpool_layout_entry entry = { .type = GPOOL_BINDING_STORAGE };
    gpool_layout layout =
        gpool_layout_create(f->pool, &(gpool_layout_desc){ .entries = &entry, .entry_count = 1 });
    gpool_pipeline pipeline = fixture_render(
        f, wgsl,
        (gpool_render_pipeline_desc){ .layouts = { layout },
                                      .colors[0].format = WGPUTextureFormat_RGBA8Unorm,
                                      .samples = 1 });
    gpool_buffer color = fixture_buffer(f, NULL, 16, COPYING);
    gpool_texture targets[2] = { fixture_target(f, 4, 4), fixture_target(f, 4, 4) };
    gpool_recorder rec = begin(f);
    for (int i = 0; i < 2; ++i) {
        gpool_binding binding = { .buffer = color };
        gpool_record_write(rec, color, 0, colors[i], 16);
        gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = targets[i] } });
        gpool_set_pipeline(rec, pipeline);
        gpool_set_bindings(rec, 0, layout, &binding, 1, NULL, 0);
        gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
        gpool_end_pass(rec);
    }
    assert_good(gpool_end_frame(f->pool));
    assert_pixel(f, targets[0], 1, 1, 0xff0000ffu);
    assert_pixel(f, targets[1], 1, 1, 0x00ff00ffu);
}

static void a_queue_write_does_not_overtake_the_batch(void **state)
{
    fixture *f = *state;
    static uint8_t bytes[SIZE];
    static uint8_t other[SIZE];
    for (size_t i = 0; i < WAYS; ++i) {
        use_way(f, i, 0);
        fill(bytes, SIZE, 1);
        fill(other, SIZE, 2);
        gpool_buffer buffer = fixture_buffer(f, bytes, SIZE, COPYING);
        gpool_buffer bystander = fixture_buffer(f, other, SIZE, COPYING);
        gpool_buffer seen = fixture_buffer(f, NULL, 256, COPYING);
        assert_good(gpool_process_uploads(f->pool));
        gpool_recorder rec = begin(f);
        fill(bytes + 640, 256, 3);
        assert_good(gpool_buffer_write(f->pool, buffer, 640, bytes + 640, 256));
        fill(other + 100, 256, 4);
        assert_good(gpool_buffer_write(f->pool, bystander, 100, other + 100, 256));
        fill(bytes, 64, 5);
        gpool_record_write(rec, buffer, 0, bytes, 64);
        fill(bytes + 640, 128, 6);
        assert_good(gpool_buffer_write(f->pool, buffer, 640, bytes + 640, 128));
        /* A submit in the middle of the recording. */
        assert_buffer(f, bystander, 0, other, SIZE);
        fill(bytes + 768, 64, 7);
        assert_good(gpool_buffer_write(f->pool, buffer, 768, bytes + 768, 64));
        gpool_copy_buffer(rec, buffer, 640, seen, 0, 256);
        assert_good(gpool_end_frame(f->pool));
        assert_buffer(f, buffer, 0, bytes, SIZE);
        assert_buffer(f, seen, 0, bytes + 640, 256);
        assert_good(gpool_buffer_destroy(f->pool, buffer));
        assert_good(gpool_buffer_destroy(f->pool, bystander));
        assert_good(gpool_buffer_destroy(f->pool, seen));
    }
}

static void a_read_in_an_open_recording_leaves_its_staging_alone(void **state)
{
    fixture *f = *state;
    static uint8_t bytes[SIZE];
    static uint8_t other[SIZE];
    for (size_t i = 0; i < WAYS; ++i) {
        use_way(f, i, 0);
        fill(bytes, SIZE, 1);
        fill(other, SIZE, 2);
        gpool_buffer buffer = fixture_buffer(f, bytes, SIZE, COPYING);
        gpool_buffer read = fixture_buffer(f, other, SIZE, COPYING);
        for (uint32_t frame = 0; frame < 3; ++frame) {
            gpool_recorder rec = begin(f);
            for (uint32_t k = 0; k < 6; ++k) {
                fill(bytes + (size_t)k * 4096, 4096, frame + k);
                gpool_record_write(rec, buffer, (uint64_t)k * 4096, bytes + (size_t)k * 4096, 4096);
                fill(other + (size_t)100 * k, 64, frame + k);
                assert_good(gpool_buffer_write(f->pool, read, (uint64_t)100 * k,
                                               other + (size_t)100 * k, 64));
                assert_buffer(f, read, 0, other, SIZE);
            }
            assert_good(gpool_end_frame(f->pool));
            assert_buffer(f, buffer, 0, bytes, SIZE);
        }
        assert_good(gpool_buffer_destroy(f->pool, buffer));
        assert_good(gpool_buffer_destroy(f->pool, read));
    }
}

static void a_buffer_destroyed_after_write_and_record_is_seen_with_its_bytes(void **state)
{
    fixture *f = *state;
    static uint8_t bytes[SIZE];
    for (size_t i = 0; i < WAYS; ++i) {
        use_way(f, i, 0);
        gpool_buffer seen = fixture_buffer(f, NULL, SIZE, COPYING);
        for (uint32_t frame = 0; frame < 4; ++frame) {
            fill(bytes, SIZE, frame);
            gpool_buffer buffer = fixture_buffer(f, bytes, SIZE, COPYING);
            gpool_recorder rec = begin(f);
            fill(bytes + 128, 64, frame + 9);
            assert_good(gpool_buffer_write(f->pool, buffer, 128, bytes + 128, 64));
            gpool_copy_buffer(rec, buffer, 0, seen, 0, SIZE);
            if (frame % 2 == 0) {
                fill(bytes + 256, 64, frame + 10);
                gpool_record_write(rec, buffer, 256, bytes + 256, 64);
                gpool_copy_buffer(rec, buffer, 256, seen, 256, 64);
            }
            assert_good(gpool_buffer_destroy(f->pool, buffer));
            assert_good(gpool_end_frame(f->pool));
            assert_buffer(f, seen, 0, bytes, SIZE);
        }
        assert_good(gpool_buffer_destroy(f->pool, seen));
    }
}

static void uploads_that_wait_are_not_lost_with_a_device(void **state)
{
    fixture *f = *state;
    static uint8_t bytes[SIZE];
    for (size_t i = 0; i < WAYS; ++i) {
        use_way(f, i, 0);
        fill(bytes, SIZE, 1);
        gpool_buffer buffer = fixture_buffer(f, bytes, SIZE, GPOOL_BUFFER_READ_BACK);
        assert_good(gpool_process_uploads(f->pool));
        fill(bytes + 100, 64, 2);
        assert_good(gpool_buffer_write(f->pool, buffer, 100, bytes + 100, 64));
        gpool_device *device = fixture_open_with(NULL, 0);
        assert_good(gpool_recover(f->pool, device, NULL, NULL));
        fill(bytes + 2000, 64, 3);
        assert_good(gpool_buffer_write(f->pool, buffer, 2000, bytes + 2000, 64));
        assert_buffer(f, buffer, 0, bytes, SIZE);
        fill(bytes + 3000, 64, 4);
        assert_good(gpool_buffer_write(f->pool, buffer, 3000, bytes + 3000, 64));
        assert_buffer(f, buffer, 0, bytes, SIZE);
        assert_good(gpool_buffer_destroy(f->pool, buffer));
        fixture_expect(f, GPOOL_LOG_RECOVERED, 1);
        gpool_device_release(device);
    }
}

int gpu_uploads_run(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(every_way_sends_random_writes_to_4_mib),
        FIXTURE_TEST(every_way_sends_all_sizes_at_all_offsets),
        FIXTURE_TEST(many_frames_of_scattered_writes),
        FIXTURE_TEST(written_bytes_survive_a_resize_in_the_same_frame),
        FIXTURE_TEST(recorded_writes_take_turns_with_copies),
        FIXTURE_TEST(a_recorded_write_between_draws_is_seen_by_the_second),
        FIXTURE_TEST(a_queue_write_does_not_overtake_the_batch),
        FIXTURE_TEST(a_read_in_an_open_recording_leaves_its_staging_alone),
        FIXTURE_TEST(a_buffer_destroyed_after_write_and_record_is_seen_with_its_bytes),
        FIXTURE_TEST(uploads_that_wait_are_not_lost_with_a_device),
    };
    return FIXTURE_RUN("uploads", tests);
}
