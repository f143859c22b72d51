/* Buffers that drop their shadow after the upload: bytes, memory, refills, resizes. */
#include "gpu/fixture.h"

#include <stdlib.h>
#include <string.h>

int gpu_buffers_keep_run(void);

#define SIZE  70001u
#define LARGE (4u << 20)

static void fill(uint8_t *bytes, size_t size, uint32_t salt)
{
    for (size_t i = 0; i < size; ++i) {
        bytes[i] = (uint8_t)(i * 7 + salt * 13 + 1 + i / 256);
    }
}

static gpool_result refill(void *user, gpool *pool, gpool_buffer buffer,
                           const gpool_buffer_info *info, void *bytes)
{
    (void)pool;
    (void)buffer;
    memcpy(bytes, user, (size_t)info->size);
    return GPOOL_OK;
}

static gpool_buffer make(fixture *f, uint8_t *bytes, uint64_t size, bool refills)
{
    gpool_buffer_desc desc = { .data = bytes,
                               .size = size,
                               .usage = GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_READ_BACK,
                               .keep = GPOOL_KEEP_DROP,
                               .refill = refills ? refill : NULL,
                               .refill_user = bytes,
                               .label = "mesh" };
    gpool_buffer buffer = gpool_buffer_create(f->pool, &desc);
    assert_int_not_equal(buffer.id, 0);
    return buffer;
}

static void assert_dropped(fixture *f, gpool_buffer buffer)
{
    gpool_buffer_info info;
    assert_good(gpool_buffer_get_info(f->pool, buffer, &info));
    assert_int_equal(info.shadow_bytes, 0);
    assert_true(info.dropped);
}

/* Every way, one frame after the other without a wait in between. */
static void written_dropped_written_and_read(void **state)
{
    fixture *f = *state;
    static uint8_t bytes[SIZE];
    for (uint32_t way = GPOOL_UPLOAD_AUTO; way < GPOOL_UPLOAD_COUNT; ++way) {
        fixture_use_pool(f, (gpool_desc){ .compile_workers = GPOOL_WORKERS_NONE,
                                          .upload = { .force = (gpool_upload_way)way } });
        fill(bytes, SIZE, 1);
        gpool_buffer whole = make(f, bytes, SIZE, false);
        gpool_buffer parts = make(f, bytes, SIZE, true);
        for (uint32_t frame = 0; frame < 8; ++frame) {
            assert_good(gpool_begin_frame(f->pool));
            assert_good(gpool_end_frame(f->pool));
            assert_dropped(f, whole);
            assert_dropped(f, parts);
            uint8_t part[300];
            fill(part, sizeof part, frame);
            assert_result(gpool_buffer_write(f->pool, whole, 5000, part, 300),
                          GPOOL_ERROR_NO_SHADOW);
            fixture_expect(f, GPOOL_LOG_NO_SHADOW, 1);
            assert_good(gpool_buffer_write(f->pool, parts, 5000, part, 300));
            memcpy(bytes + 5000, part, 300);
            assert_good(gpool_buffer_write(f->pool, whole, 0, bytes, SIZE));
        }
        assert_buffer(f, whole, 0, bytes, SIZE);
        assert_buffer(f, parts, 0, bytes, SIZE);
        assert_dropped(f, parts);
        assert_good(gpool_buffer_destroy(f->pool, whole));
        assert_good(gpool_buffer_destroy(f->pool, parts));
    }
}

static void resized_without_a_shadow_it_keeps_its_bytes(void **state)
{
    fixture *f = *state;
    static uint8_t bytes[2 * SIZE];
    static const uint32_t sizes[] = { SIZE + 2, 2 * SIZE, 40000, 40003, 400 };
    fill(bytes, SIZE, 2);
    gpool_buffer buffer = make(f, bytes, SIZE, false);
    uint32_t size = SIZE;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; ++i) {
        assert_good(gpool_process_uploads(f->pool));
        assert_dropped(f, buffer);
        assert_good(gpool_buffer_resize(f->pool, buffer, sizes[i]));
        size = size < sizes[i] ? size : sizes[i];
        memset(bytes + size, 0, sizeof bytes - size);
        size = sizes[i];
        assert_dropped(f, buffer);
        assert_buffer(f, buffer, 0, bytes, size);
    }
    assert_good(gpool_buffer_destroy(f->pool, buffer));
}

/* Meshes of 64 MiB in all: after the frame the CPU has none of it. */
static void memory_of_meshes_is_given_back(void **state)
{
    fixture *f = *state;
    uint8_t *bytes = malloc(LARGE);
    assert_non_null(bytes);
    fill(bytes, LARGE, 3);
    gpool_buffer meshes[16];
    uint64_t before = fixture_stats(f).cpu_bytes;
    for (uint32_t i = 0; i < 16; ++i) {
        meshes[i] = make(f, bytes, LARGE, false);
    }
    assert_true(fixture_stats(f).cpu_bytes - before >= (uint64_t)16 * LARGE);
    assert_good(gpool_process_uploads(f->pool));
    assert_true(fixture_stats(f).cpu_bytes - before < 65536);
    assert_int_equal(fixture_stats(f).live_bytes[GPOOL_KIND_BUFFER], (uint64_t)16 * LARGE);
    assert_buffer(f, meshes[0], 0, bytes, LARGE);
    assert_buffer(f, meshes[15], 0, bytes, LARGE);
    for (uint32_t i = 0; i < 16; ++i) {
        assert_good(gpool_buffer_destroy(f->pool, meshes[i]));
    }
    free(bytes);
}

int gpu_buffers_keep_run(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(written_dropped_written_and_read),
        FIXTURE_TEST(resized_without_a_shadow_it_keeps_its_bytes),
        FIXTURE_TEST(memory_of_meshes_is_given_back),
    };
    return FIXTURE_RUN("buffers_keep", tests);
}
