/* Numbers of stream memory: sizes and alignments of slices, fields of slices that nobody gave out. */
#include "bounds.h"

#define BLOCK (UINT64_C(256) << 10)

static bounds_oracle alloc_oracle(const bounds_world *w, uint64_t size, uint64_t alignment)
{
    bounds_oracle o = { 0 };
    gpool_device_info info;
    bounds_good(w, gpool_device_get_info(w->device, &info));
    uint64_t buffer = info.limits.maxBufferSize;
    uint64_t most = buffer < GPOOL_MAX_STREAM_SLICE ? buffer : GPOOL_MAX_STREAM_SLICE;
    bounds_rule(&o, size == 0 || size > most, GPOOL_ERROR_OUT_OF_RANGE, size);
    bounds_rule(&o, alignment > 65536 || (alignment & (alignment - 1)) != 0,
                GPOOL_ERROR_INVALID_ARGUMENT, alignment);
    bounds_rule_plain(&o, size <= most && size > BOUNDS_BLOCK, GPOOL_ERROR_OUT_OF_MEMORY);
    return o;
}

static void sizes_and_alignments_of_slices(void **state)
{
    static uint8_t bytes[1024];
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    gpool_buffer to =
        bounds_buffer(&w, bytes, sizeof bytes, GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_READ_BACK);
    bounds_set sizes = bounds_values(BLOCK);
    bounds_set_add(&sizes, GPOOL_MAX_STREAM_SLICE);
    bounds_set_add(&sizes, GPOOL_MAX_STREAM_SLICE + 1);
    bounds_set_add(&sizes, 2 * BLOCK);
    bounds_set alignments = bounds_values(65536);
    for (uint64_t bit = 2; bit < 65536; bit *= 2) {
        bounds_set_add(&alignments, bit);
    }
    for (uint32_t k = 0; k < sizes.count * alignments.count; ++k) {
        uint64_t size = sizes.v[k / alignments.count];
        uint64_t alignment = alignments.v[k % alignments.count];
        bounds_oracle o = alloc_oracle(&w, size, alignment);
        gpool_recorder rec = bounds_begin(&w);
        gpool_stream_slice first;
        gpool_stream_slice slice = { .epoch = 1 };
        bounds_good(&w, gpool_stream_alloc(w.pool, 1 + k % 9, 1, &first));
        bounds_before(&w, "gpool_stream_alloc");
        gpool_result got = gpool_stream_alloc(w.pool, size, alignment, &slice);
        bool good = bounds_after(&w, &o, got, size, alignment);
        bounds_must(&w, good == (slice.epoch != 0), "a refused slice is zero", size, alignment);
        if (good) {
            uint64_t unit = alignment != 0 ? alignment : 256;
            bounds_must(&w, slice.offset % unit == 0 && slice.size == size, "it lies right", size,
                        alignment);
            memset(slice.data, (int)k, (size_t)size);
            uint64_t part = size < sizeof bytes ? size / 4 * 4 : sizeof bytes;
            if (slice.offset % 4 == 0) {
                gpool_copy_buffer(rec, gpool_stream_buffer(w.pool, slice), slice.offset, to, 0,
                                  part);
                memset(bytes, (int)k, (size_t)part);
            }
        }
        bounds_end(&w, false);
        bounds_same(&w, to, bytes, sizeof bytes);
    }
    bounds_good(&w, gpool_buffer_destroy(w.pool, to));
    bounds_close(&w);
}

static bounds_oracle fields_oracle(const gpool_stream_slice *good, uint64_t epoch, uint32_t block)
{
    bounds_oracle o = { 0 };
    bool same = block == good->block;
    bounds_rule_plain(&o, epoch == 0, GPOOL_ERROR_NULL_HANDLE);
    bounds_rule_plain(&o, block >> 28 != good->block >> 28, GPOOL_ERROR_FOREIGN_HANDLE);
    bounds_rule_plain(&o, same && epoch != 0 && epoch < good->epoch, GPOOL_ERROR_STALE_STREAM);
    bounds_rule_plain(&o, !same || epoch > good->epoch, GPOOL_ERROR_INVALID_HANDLE);
    return o;
}

static void fields_of_slices(void **state)
{
    bounds_world w;
    gpool_stream_slice good;
    bounds_open(&w, bounds_personality(state), NULL);
    for (int i = 0; i < 300; ++i) {
        (void)bounds_begin(&w);
        bounds_end(&w, false);
    }
    (void)bounds_begin(&w);
    bounds_good(&w, gpool_stream_alloc(w.pool, 64, 0, &good));
    bounds_set epochs = bounds_values(good.epoch);
    bounds_set blocks = bounds_values32(good.block);
    bounds_set_add(&epochs, good.epoch + (UINT64_C(1) << 32));
    bounds_set_add(&epochs, good.epoch + (UINT64_C(1) << 33));
    bounds_set_add(&blocks, good.block ^ 1u << 23);
    bounds_set_add(&blocks, good.block ^ 1u << 24);
    bounds_set_add(&blocks, good.block ^ 1u << 28);
    for (uint32_t k = 0; k < epochs.count * blocks.count; ++k) {
        gpool_stream_slice slice = good;
        slice.epoch = epochs.v[k / blocks.count];
        slice.block = (uint32_t)blocks.v[k % blocks.count];
        bounds_oracle o = fields_oracle(&good, slice.epoch, slice.block);
        bounds_before(&w, "gpool_stream_buffer");
        gpool_buffer got = gpool_stream_buffer(w.pool, slice);
        (void)bounds_after_made(&w, &o, got.id != 0, slice.epoch, slice.block);
    }
    bounds_end(&w, false);
    bounds_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOUNDS_TEST(sizes_and_alignments_of_slices),
        BOUNDS_TEST(fields_of_slices),
    };
    return cmocka_run_group_tests_name("bounds of stream memory", tests, NULL, NULL);
}
