/* Numbers of uploads: elements, edits, recorded writes, ways and costs of pools. */
#include "bounds.h"

#include <inttypes.h>
#include <math.h>

#define READ GPOOL_BUFFER_READ_BACK

/* A buffer under test with the bytes it must have. */
typedef struct subject {
    gpool_buffer buffer;
    uint64_t size;
    uint64_t unit; /* offsets and sizes of writes are multiples of it */
    uint8_t bytes[1024];
} subject;

static subject subject_make(bounds_world *w, uint64_t size, gpool_buffer_usage usage)
{
    subject s = { .size = size };
    bounds_fill(s.bytes, size, size);
    s.buffer = bounds_buffer(w, s.bytes, size, usage);
    s.unit = (usage & GPOOL_BUFFER_STORAGE_WRITE) != 0 ? 4 : 1;
    return s;
}

static void subject_end(bounds_world *w, const subject *s)
{
    bounds_same(w, s->buffer, s->bytes, s->size);
    bounds_good(w, gpool_buffer_destroy(w->pool, s->buffer));
    bounds_settle(w);
}

/* --- elements --- */

static bounds_oracle elements_oracle(const subject *s, uint64_t first, uint64_t count,
                                     uint64_t stride)
{
    bounds_oracle o = { 0 };
    bounds_wide offset = (bounds_wide)first * stride;
    bounds_wide size = (bounds_wide)count * stride;
    bounds_rule(&o, stride == 0, GPOOL_ERROR_INVALID_ARGUMENT, 0);
    if (offset > UINT64_MAX || size > UINT64_MAX) {
        bounds_rule(&o, true, GPOOL_ERROR_OUT_OF_RANGE, first);
        bounds_rule(&o, true, GPOOL_ERROR_OUT_OF_RANGE, count);
        return o;
    }
    bounds_rule_range(&o, (uint64_t)offset, (uint64_t)size, s->size);
    if (size > 0) {
        bounds_rule_aligned(&o, (uint64_t)offset, s->unit);
        bounds_rule_aligned(&o, (uint64_t)size, s->unit);
    }
    return o;
}

static void elements_pairs(bounds_world *w, subject *s, uint64_t stride)
{
    static uint8_t data[1024];
    bounds_set values = bounds_values(stride != 0 ? s->size / stride : 0);
    for (uint32_t k = 0; k < values.count * values.count; ++k) {
        uint64_t first = values.v[k / values.count];
        uint64_t count = values.v[k % values.count];
        bounds_oracle o = elements_oracle(s, first, count, stride);
        bounds_fill(data, sizeof data, k);
        bounds_before(w, "gpool_buffer_write_elements");
        gpool_result got =
            gpool_buffer_write_elements(w->pool, s->buffer, first, count, stride, data);
        if (bounds_after(w, &o, got, first, count)) {
            memcpy(s->bytes + first * stride, data, count * stride);
            bounds_must(w,
                        bounds_stats(w).written_bytes == w->before.written_bytes + count * stride,
                        "written bytes rise by the size", first, count);
            bounds_same(w, s->buffer, s->bytes, s->size);
        }
        bounds_rule_plain(&o, count > 0, GPOOL_ERROR_INVALID_ARGUMENT);
        bounds_before(w, "gpool_buffer_write_elements without data");
        got = gpool_buffer_write_elements(w->pool, s->buffer, first, count, stride, NULL);
        (void)bounds_after(w, &o, got, first, count);
    }
}

static void firsts_counts_and_strides_of_elements(void **state)
{
    static const uint64_t strides[] = {
        0, 1, 3, 4, 12, 64, 255, 257, 700, UINT64_C(1) << 32, UINT64_C(1) << 63, UINT64_MAX
    };
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    for (size_t i = 0; i < UNIT_COUNT(strides); ++i) {
        subject s = subject_make(&w, 257, GPOOL_BUFFER_VERTEX | READ);
        elements_pairs(&w, &s, strides[i]);
        subject_end(&w, &s);
        s = subject_make(&w, 512, GPOOL_BUFFER_STORAGE_WRITE | READ);
        elements_pairs(&w, &s, strides[i]);
        subject_end(&w, &s);
    }
    bounds_close(&w);
}

/* --- scattered elements --- */

static bounds_oracle scattered_oracle(const subject *s, const uint32_t indices[3], uint64_t count,
                                      uint64_t stride)
{
    bounds_oracle o = { 0 };
    bounds_rule(&o, stride == 0, GPOOL_ERROR_INVALID_ARGUMENT, 0);
    if ((bounds_wide)count * stride > UINT64_MAX) {
        bounds_rule(&o, true, GPOOL_ERROR_INVALID_ARGUMENT, stride);
        return o;
    }
    for (uint64_t i = 0; i < (count < 3 ? count : 3); ++i) {
        bounds_wide end = ((bounds_wide)indices[i] + 1) * stride;
        bounds_rule(&o, end > s->size, GPOOL_ERROR_OUT_OF_RANGE, indices[i]);
    }
    if (count > 0) {
        bounds_rule_aligned(&o, stride, s->unit);
    }
    return o;
}

/* `indices` has a bad one wherever `count` is over 3, before the end is reached. */
static void scattered_call(bounds_world *w, subject *s, const uint32_t indices[3], uint64_t count,
                           uint64_t stride)
{
    static uint8_t data[4096];
    bounds_oracle o = scattered_oracle(s, indices, count, stride);
    bounds_fill(data, sizeof data, indices[1] + stride);
    bounds_before(w, "gpool_buffer_write_scattered");
    gpool_result got =
        gpool_buffer_write_scattered(w->pool, s->buffer, indices, count, stride, data);
    if (bounds_after(w, &o, got, indices[0], stride)) {
        for (uint64_t i = 0; i < count; ++i) {
            memcpy(s->bytes + indices[i] * stride, data + i * stride, stride);
        }
        bounds_must(w, bounds_stats(w).written_bytes == w->before.written_bytes + count * stride,
                    "written bytes rise by the size", count, stride);
    }
    bounds_same(w, s->buffer, s->bytes, s->size);
    bounds_oracle null = o;
    bounds_rule_plain(&null, count > 0, GPOOL_ERROR_INVALID_ARGUMENT);
    bounds_before(w, "gpool_buffer_write_scattered without data");
    got = gpool_buffer_write_scattered(w->pool, s->buffer, indices, count, stride, NULL);
    (void)bounds_after(w, &null, got, indices[0], stride);
    /* Nothing can be said of numbers that are not there. */
    null = scattered_oracle(s, indices, 0, stride);
    bounds_rule(&null, (bounds_wide)count * stride > UINT64_MAX, GPOOL_ERROR_INVALID_ARGUMENT,
                stride);
    bounds_rule_aligned(&null, count > 0 ? stride : 0, s->unit);
    bounds_rule_plain(&null, count > 0, GPOOL_ERROR_INVALID_ARGUMENT);
    bounds_before(w, "gpool_buffer_write_scattered without indices");
    got = gpool_buffer_write_scattered(w->pool, s->buffer, NULL, count, stride, data);
    (void)bounds_after(w, &null, got, count, stride);
}

static void scattered_indices(bounds_world *w, subject *s, uint64_t stride)
{
    uint64_t elements = stride != 0 ? s->size / stride : 0;
    bounds_set values = bounds_values32(elements);
    for (uint32_t k = 0; k < values.count; ++k) {
        uint32_t index = (uint32_t)values.v[k];
        for (uint64_t place = 0; place < 3; ++place) {
            /* The other two are good, where any is. */
            uint32_t indices[3] = { elements > 1, 0, elements > 1 };
            indices[place] = index;
            for (uint64_t count = 0; count <= 3; ++count) {
                scattered_call(w, s, indices, count, stride);
            }
        }
    }
    /* Products of 2^64 and more, and counts that are just below: the first index is bad. */
    static const uint32_t bad[3] = { UINT32_MAX, UINT32_MAX, UINT32_MAX };
    values = bounds_values(stride != 0 ? UINT64_MAX / stride : 0);
    for (uint32_t k = 0; k < values.count; ++k) {
        scattered_call(w, s, bad, values.v[k], stride);
    }
}

static void indices_counts_and_strides_of_scattered_elements(void **state)
{
    static const uint64_t strides[] = { 0,
                                        1,
                                        2,
                                        3,
                                        4,
                                        8,
                                        12,
                                        64,
                                        128,
                                        256,
                                        257,
                                        258,
                                        260,
                                        516,
                                        UINT64_C(1) << 32,
                                        UINT64_C(1) << 63,
                                        UINT64_MAX };
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    for (size_t i = 0; i < UNIT_COUNT(strides); ++i) {
        subject s = subject_make(&w, 517, GPOOL_BUFFER_VERTEX | READ);
        scattered_indices(&w, &s, strides[i]);
        subject_end(&w, &s);
        s = subject_make(&w, 520, GPOOL_BUFFER_STORAGE_WRITE | READ);
        scattered_indices(&w, &s, strides[i]);
        subject_end(&w, &s);
    }
    bounds_close(&w);
}

/* Indices that the call itself could change, once they are checked, are refused. */
static void indices_in_the_shadow_that_is_written_are_refused(void **state)
{
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    for (size_t first = 0; first < 4; ++first) {
        subject s = subject_make(&w, 64, GPOOL_BUFFER_INDEX | READ);
        uint8_t around[2 * sizeof(uint32_t)] = { 0 };
        uint32_t *memory = gpool_buffer_edit(w.pool, s.buffer, 0, 64);
        assert_non_null(memory);
        memset(memory, 0, 64);
        memset(s.bytes, 0, 64);
        uint32_t *indices = memory + (first == 3 ? 15 : first);
        uint32_t data[4] = { 1u << 30, 1u << 30, 1u << 30, 1u << 30 };
        bounds_oracle o = { 0 };
        bounds_rule_plain(&o, true, GPOOL_ERROR_INVALID_ARGUMENT);
        bounds_before(&w, "gpool_buffer_write_scattered with indices in the shadow");
        uint64_t count = first == 3 ? 1 : 4;
        gpool_result got = gpool_buffer_write_scattered(w.pool, s.buffer, indices, count, 4, data);
        assert_false(bounds_after(&w, &o, got, first, count));
        /* None are nowhere; and those of another buffer's memory are as good as any. */
        bounds_good(&w, gpool_buffer_write_scattered(w.pool, s.buffer, indices, 0, 4, data));
        gpool_buffer other = bounds_buffer(&w, NULL, 64, GPOOL_BUFFER_VERTEX | READ);
        bounds_good(&w, gpool_buffer_write_scattered(w.pool, other, indices, count, 4, data));
        bounds_good(&w, gpool_buffer_read(w.pool, other, 0, around, sizeof around));
        assert_memory_equal(around, data, 4);
        bounds_good(&w, gpool_buffer_destroy(w.pool, other));
        subject_end(&w, &s);
    }
    bounds_close(&w);
}

static void scattered_elements_of_imports_take_copy_target(void **state)
{
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    static const uint32_t indices[2] = { 3, 1 };
    const uint32_t data[2] = { 7, 8 };
    for (int copies = 0; copies < 2; ++copies) {
        WGPUBufferDescriptor raw_desc = { .usage =
                                              WGPUBufferUsage_CopySrc | WGPUBufferUsage_CopyDst,
                                          .size = 64 };
        WGPUBuffer raw = w.table.DeviceCreateBuffer(gpool_device_raw(w.device), &raw_desc);
        gpool_buffer_import_desc desc = { .buffer = raw,
                                          .usage = GPOOL_BUFFER_COPY_SOURCE | READ,
                                          .label = "import" };
        desc.usage |= copies != 0 ? GPOOL_BUFFER_COPY_TARGET : 0;
        gpool_buffer buffer = gpool_buffer_import(w.pool, &desc);
        w.table.BufferRelease(raw);
        assert_int_not_equal(buffer.id, 0);
        bounds_oracle o = { 0 };
        bounds_rule_plain(&o, copies == 0, GPOOL_ERROR_MISSING_USAGE);
        bounds_before(&w, "gpool_buffer_write_scattered to an import");
        gpool_result got = gpool_buffer_write_scattered(w.pool, buffer, indices, 2, 4, data);
        (void)bounds_after(&w, &o, got, 2, 4);
        uint32_t bytes[16] = { 0 };
        bytes[3] = copies != 0 ? 7 : 0;
        bytes[1] = copies != 0 ? 8 : 0;
        bounds_same(&w, buffer, (const uint8_t *)bytes, sizeof bytes);
        bounds_good(&w, gpool_buffer_destroy(w.pool, buffer));
    }
    bounds_close(&w);
}

/* --- edits --- */

static void edit_pairs(bounds_world *w, subject *s, bool shadow)
{
    bounds_set values = bounds_values(s->size);
    for (uint32_t k = 0; k < values.count * values.count; ++k) {
        uint64_t offset = values.v[k / values.count];
        uint64_t size = values.v[k % values.count];
        bounds_oracle o = { 0 };
        bounds_rule_range(&o, offset, size, s->size);
        bounds_rule_plain(&o, !shadow, GPOOL_ERROR_NO_SHADOW);
        bounds_before(w, "gpool_buffer_edit");
        uint8_t *memory = gpool_buffer_edit(w->pool, s->buffer, offset, size);
        if (o.count == 0 && size == 0) {
            bounds_must(w, memory == NULL && bounds_stats(w).errors == w->before.errors,
                        "nothing is given, without an error", offset, size);
            continue;
        }
        if (bounds_after_made(w, &o, memory != NULL, offset, size)) {
            bounds_must(w, memcmp(memory, s->bytes + offset, size) == 0,
                        "the memory holds what was written", offset, size);
            bounds_fill(s->bytes + offset, size, k);
            memcpy(memory, s->bytes + offset, size);
            bounds_same(w, s->buffer, s->bytes, s->size);
        }
    }
}

static void offsets_and_sizes_of_edits(void **state)
{
    static const uint64_t sizes[] = { 1, 5, 255, 257, 516 };
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    for (size_t i = 0; i < UNIT_COUNT(sizes); ++i) {
        subject s = subject_make(&w, sizes[i], GPOOL_BUFFER_UNIFORM | READ);
        edit_pairs(&w, &s, true);
        subject_end(&w, &s);
    }
    subject s = subject_make(&w, 256, GPOOL_BUFFER_STORAGE_WRITE | READ);
    edit_pairs(&w, &s, false);
    subject_end(&w, &s);
    bounds_close(&w);
}

/* --- recorded writes --- */

static void offsets_and_sizes_of_recorded_writes(void **state)
{
    static const uint64_t sizes[] = { 4, 256, 1020 };
    static uint8_t data[1024];
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    bounds_end(&w, (bounds_begin(&w), false));
    for (size_t i = 0; i < UNIT_COUNT(sizes); ++i) {
        subject s = subject_make(&w, sizes[i], GPOOL_BUFFER_COPY_TARGET | READ);
        bounds_set values = bounds_values(s.size);
        gpool_recorder rec = { 0 };
        bool skipped = false;
        for (uint32_t k = 0; k < values.count * values.count * 2; ++k) {
            uint64_t offset = values.v[k / 2 / values.count];
            uint64_t size = values.v[k / 2 % values.count];
            bool null = k % 2 != 0;
            bounds_oracle o = { 0 };
            bounds_rule_aligned(&o, offset, 4);
            bounds_rule_aligned(&o, size, 4);
            bounds_rule_range(&o, offset, size, s.size);
            bounds_rule_plain(&o, null && size > 0, GPOOL_ERROR_INVALID_ARGUMENT);
            if (rec.state == NULL) {
                rec = bounds_begin(&w);
                skipped = false;
            }
            bounds_fill(data, sizeof data, k);
            bounds_before(&w, "gpool_record_write");
            gpool_record_write(rec, s.buffer, offset, null ? NULL : data, size);
            if (!bounds_after_record(&w, &o, offset, size)) {
                skipped = true;
                continue;
            }
            memcpy(s.bytes + offset, data, size);
            bounds_end(&w, skipped);
            rec = (gpool_recorder){ 0 };
            bounds_same(&w, s.buffer, s.bytes, s.size);
        }
        if (rec.state != NULL) {
            bounds_end(&w, skipped);
        }
        subject_end(&w, &s);
    }
    bounds_close(&w);
}

/* --- what a pool is told --- */

static void names_of_ways_and_reasons(void **state)
{
    (void)state;
    bounds_set values = bounds_values32(GPOOL_UPLOAD_COUNT);
    for (uint32_t i = 0; i < values.count; ++i) {
        int v = (int)(uint32_t)values.v[i];
        bool way = v >= 0 && v < GPOOL_UPLOAD_COUNT;
        bool reason = v >= 0 && v <= GPOOL_UPLOAD_REASON_BUDGET;
        const char *name = gpool_upload_way_name((gpool_upload_way)v);
        assert_true((strcmp(name, "unknown") != 0) == way);
        name = gpool_upload_reason_name((gpool_upload_reason)v);
        assert_true((strcmp(name, "unknown") != 0) == reason);
    }
}

static void swallow(void *user, const gpool_log_record *record)
{
    (void)record;
    *(uint64_t *)user += 1;
}

static gpool_result try_pool(bounds_world *w, const gpool_upload_desc *upload)
{
    uint64_t records = 0;
    gpool_desc desc = { .compile_workers = GPOOL_WORKERS_NONE,
                        .upload = *upload,
                        .log = swallow,
                        .log_user = &records };
    gpool *pool = NULL;
    gpool_result got = gpool_create(w->device, &desc, &pool);
    bounds_must(w, (pool != NULL) == (got == GPOOL_OK) && records == (got != GPOOL_OK),
                "a pool, or one record", (uint64_t)got, records);
    gpool_destroy(pool);
    return got;
}

static void ways_and_costs_of_pools(void **state)
{
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    bounds_set values = bounds_values32(GPOOL_UPLOAD_COUNT);
    for (uint32_t i = 0; i < values.count; ++i) {
        gpool_upload_desc upload = { .force = (gpool_upload_way)(uint32_t)values.v[i] };
        bounds_must(
            &w,
            try_pool(&w, &upload) ==
                (values.v[i] < GPOOL_UPLOAD_COUNT ? GPOOL_OK : GPOOL_ERROR_INVALID_ARGUMENT),
            "only ways that there are can be forced", values.v[i], 0);
    }
    static const float bad[] = { -1.0f, -0x1p-149f, INFINITY, -INFINITY, NAN };
    static const float good[] = { 0.0f, -0.0f, 1.0f, 1e9f, 0x1p-149f };
    for (size_t field = 0; field < sizeof(gpool_upload_costs) / sizeof(float); ++field) {
        for (size_t i = 0; i < UNIT_COUNT(bad) + UNIT_COUNT(good); ++i) {
            gpool_upload_costs costs = { 1, 1, 1, 1, 1, 1, 1, 1 };
            bool is_bad = i < UNIT_COUNT(bad);
            ((float *)&costs)[field] = is_bad ? bad[i] : good[i - UNIT_COUNT(bad)];
            gpool_result got = try_pool(&w, &(gpool_upload_desc){ .costs = &costs });
            bounds_must(&w, got == (is_bad ? GPOOL_ERROR_INVALID_ARGUMENT : GPOOL_OK),
                        "costs are finite and not negative", field, i);
        }
    }
    bounds_close(&w);
}

/* Any budget works: what does not fit goes by the queue. */
static void budgets_of_staging(void **state)
{
    static const uint64_t more[] = { 65536, 131072, 100001, UINT64_C(1) << 20 };
    bounds_set values = bounds_values(0);
    for (size_t i = 0; i < UNIT_COUNT(more); ++i) {
        bounds_set_add(&values, more[i] - 1);
        bounds_set_add(&values, more[i]);
        bounds_set_add(&values, more[i] + 1);
    }
    for (uint32_t i = 0; i < values.count; ++i) {
        gpool_desc desc = { .compile_workers = GPOOL_WORKERS_NONE,
                            .upload = { .force = GPOOL_UPLOAD_MERGED,
                                        .staging_budget = values.v[i] } };
        bounds_world w;
        bounds_open_desc(
            &w, &(sim_desc){ .personality = bounds_personality(state), .memory = BOUNDS_MEMORY },
            &desc);
        static uint8_t bytes[200000];
        bounds_fill(bytes, sizeof bytes, i);
        gpool_buffer buffer = bounds_buffer(&w, bytes, sizeof bytes, READ);
        for (uint32_t round = 0; round < 4; ++round) {
            for (uint64_t at = round * 7; at + 300 < sizeof bytes; at += 30000) {
                bounds_fill(bytes + at, 300, at + round);
                bounds_good(&w, gpool_buffer_write(w.pool, buffer, at, bytes + at, 300));
            }
            bounds_same(&w, buffer, bytes, sizeof bytes);
        }
        uint64_t budget = values.v[i] != 0 ? values.v[i] : UINT64_C(256) << 20;
        bounds_must(&w, bounds_stats(&w).staging_bytes <= budget, "the budget is kept", budget, 0);
        bounds_good(&w, gpool_buffer_destroy(w.pool, buffer));
        bounds_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOUNDS_TEST(firsts_counts_and_strides_of_elements),
        BOUNDS_TEST(indices_counts_and_strides_of_scattered_elements),
        BOUNDS_TEST(indices_in_the_shadow_that_is_written_are_refused),
        BOUNDS_TEST(scattered_elements_of_imports_take_copy_target),
        BOUNDS_TEST(offsets_and_sizes_of_edits),
        BOUNDS_TEST(offsets_and_sizes_of_recorded_writes),
        cmocka_unit_test(names_of_ways_and_reasons),
        BOUNDS_TEST(ways_and_costs_of_pools),
        BOUNDS_TEST(budgets_of_staging),
    };
    return cmocka_run_group_tests_name("bounds of uploads", tests, NULL, NULL);
}
