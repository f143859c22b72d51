/* Offsets and sizes of buffers: create, import, write, resize, read, raw access. */
#include "bounds.h"

#include <inttypes.h>

#define WRITABLE (GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_QUERY_TARGET)
#define READ     GPOOL_BUFFER_READ_BACK

static uint64_t round4(uint64_t size)
{
    return (size + 3) & ~UINT64_C(3);
}

/* What the comment of gpool_buffer_desc.size says, and what memory there is. */
static bounds_oracle size_oracle(uint64_t size, gpool_buffer_usage usage, uint64_t limit,
                                 bool memory)
{
    bounds_oracle o = { 0 };
    bounds_rule(&o, size == 0, GPOOL_ERROR_OUT_OF_RANGE, size);
    bounds_rule(&o, ((bounds_wide)size + 3) / 4 * 4 > limit, GPOOL_ERROR_LIMIT, size);
    bounds_rule(&o, size > SIZE_MAX - 8, GPOOL_ERROR_LIMIT, size);
    bounds_rule(&o, (usage & WRITABLE) != 0 && size % 4 != 0, GPOOL_ERROR_MISALIGNED, size);
    if (memory) {
        bool shadow = (usage & GPOOL_BUFFER_STORAGE_WRITE) == 0;
        bounds_rule(&o, shadow && size > BOUNDS_BLOCK, GPOOL_ERROR_OUT_OF_MEMORY, round4(size));
        bounds_rule_plain(&o, size > BOUNDS_MEMORY / 2, GPOOL_ERROR_OUT_OF_GPU_MEMORY);
    }
    return o;
}

static const gpool_buffer_usage usages[] = {
    GPOOL_BUFFER_VERTEX | READ,
    GPOOL_BUFFER_STORAGE_WRITE | READ,
    GPOOL_BUFFER_COPY_TARGET | READ,
    GPOOL_BUFFER_QUERY_TARGET,
};

/* A failed buffer has a handle, does nothing, and goes like any other. */
static void check_failed(bounds_world *w, gpool_buffer buffer, uint64_t size)
{
    uint8_t byte[4] = { 0 };
    gpool_buffer_info info;
    bounds_good(w, gpool_buffer_get_info(w->pool, buffer, &info));
    bounds_must(w, info.failed && info.size == size, "a failed buffer says so", size, 0);
    assert_same(gpool_buffer_write(w->pool, buffer, 0, byte, 4), GPOOL_ERROR_FAILED_RESOURCE);
    assert_same(gpool_buffer_resize(w->pool, buffer, 8), GPOOL_ERROR_FAILED_RESOURCE);
}

static void check_made(bounds_world *w, gpool_buffer buffer, uint64_t size, bool data)
{
    gpool_buffer_info info;
    bounds_good(w, gpool_buffer_get_info(w->pool, buffer, &info));
    bounds_must(w, !info.failed && info.size == size && info.gpu_size == round4(size),
                "the sizes are right", size, info.gpu_size);
    gpool_stats now = bounds_stats(w);
    bounds_must(w,
                now.live_bytes[GPOOL_KIND_BUFFER] ==
                    w->before.live_bytes[GPOOL_KIND_BUFFER] + round4(size),
                "live bytes rise by the size", size, 0);
    bounds_must(w, now.written_bytes == w->before.written_bytes + (data ? size : 0),
                "written bytes rise by the size", size, 0);
}

static void create_pairs(sim_personality personality, uint64_t limit)
{
    WGPULimits limits = { .maxBufferSize = limit };
    bounds_world w;
    sim_desc manners = { .personality = personality, .limits = &limits, .memory = BOUNDS_MEMORY };
    bounds_open_desc(&w, &manners, NULL);
    bounds_set sizes = bounds_values(limit);
    static uint8_t data[1024];
    for (size_t u = 0; u < UNIT_COUNT(usages); ++u) {
        for (uint32_t i = 0; i < sizes.count; ++i) {
            uint64_t size = sizes.v[i];
            bounds_oracle o = size_oracle(size, usages[u], limit, true);
            /* Refused sizes have data too: it must not be read. */
            gpool_buffer_desc desc = {
                .size = size,
                .usage = usages[u],
                .data = size <= sizeof data || o.broken[0].code == GPOOL_ERROR_LIMIT ? data : NULL,
                .label = "size",
            };
            bounds_before(&w, "gpool_buffer_create");
            gpool_buffer buffer = gpool_buffer_create(w.pool, &desc);
            gpool_result got = gpool_last_error(w.pool)->code;
            if (buffer.id != 0 && o.count > 0) {
                /* Only the GPU may refuse it now. */
                bounds_must(&w, got == GPOOL_ERROR_OUT_OF_GPU_MEMORY, "a handle of a refused size",
                            size, limit);
                bounds_must(&w, o.broken[o.count - 1].code == got, "the GPU has that much", size,
                            limit);
                check_failed(&w, buffer, size);
            } else if (bounds_after_made(&w, &o, buffer.id != 0, size, limit)) {
                check_made(&w, buffer, size, desc.data != NULL);
            }
            bounds_good(&w, gpool_buffer_destroy(w.pool, buffer));
            bounds_settle(&w);
        }
    }
    bounds_close(&w);
}

static void sizes_and_limits_of_create(void **state)
{
    /* A pool needs 64 bytes for its witness. */
    bounds_set limits = bounds_values(0);
    for (uint32_t i = 0; i < limits.count; ++i) {
        if (limits.v[i] >= 64) {
            create_pairs(bounds_personality(state), limits.v[i]);
        }
    }
}

static void usages_of_create_and_access_are_enumerations(void **state)
{
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    bounds_set values = bounds_values32(0x3ff);
    for (uint32_t i = 0; i < values.count; ++i) {
        uint32_t usage = (uint32_t)values.v[i];
        bounds_oracle o = { 0 };
        bounds_rule_plain(&o, usage == 0, GPOOL_ERROR_MISSING_USAGE);
        bounds_rule_plain(&o, (usage & ~0x3ffu) != 0, GPOOL_ERROR_INVALID_ARGUMENT);
        bounds_before(&w, "gpool_buffer_create");
        gpool_buffer buffer =
            gpool_buffer_create(w.pool, &(gpool_buffer_desc){ .size = 64, .usage = usage });
        (void)bounds_after_made(&w, &o, buffer.id != 0, usage, 0);
        bounds_good(&w, gpool_buffer_destroy(w.pool, buffer));

        bounds_oracle access = { 0 };
        bounds_rule_plain(&access, usage > GPOOL_ACCESS_WRITE, GPOOL_ERROR_INVALID_ARGUMENT);
        bounds_rule_plain(&access, usage == GPOOL_ACCESS_WRITE, GPOOL_ERROR_MISSING_USAGE);
        bounds_before(&w, "gpool_buffer_gpu");
        WGPUBuffer gpu = gpool_buffer_gpu(w.pool, w.witness, (gpool_access)usage);
        (void)bounds_after_made(&w, &access, gpu != NULL, usage, 0);
    }
    bounds_close(&w);
}

/* --- write and read --- */

/* A buffer under test with the bytes it must have; the padding counts too. */
typedef struct subject {
    gpool_buffer buffer;
    uint64_t size;
    uint64_t unit; /* offsets and sizes of writes are multiples of it */
    uint8_t bytes[520];
} subject;

static subject subject_make(bounds_world *w, uint64_t size, gpool_buffer_usage usage)
{
    subject s = { .size = size };
    bounds_fill(s.bytes, size, size);
    s.buffer = bounds_buffer(w, s.bytes, size, usage);
    gpool_buffer_info info;
    bounds_good(w, gpool_buffer_get_info(w->pool, s.buffer, &info));
    s.unit = info.gpu_written ? 4 : 1;
    return s;
}

/* As the pool sees it, and as the GPU does, with zeros behind the end. */
static void subject_check(bounds_world *w, const subject *s)
{
    bounds_same(w, s->buffer, s->bytes, s->size);
    WGPUBuffer gpu = gpool_buffer_gpu(w->pool, s->buffer, GPOOL_ACCESS_READ);
    uint8_t padding[4] = { 0 };
    uint64_t end = round4(s->size) - s->size;
    assert_true(sim_read_buffer(w->s, gpu, s->size, padding, end));
    assert_same(padding[0] + padding[1] + padding[2], 0);
}

static void write_pairs(bounds_world *w, subject *s)
{
    static uint8_t data[520];
    bounds_set values = bounds_values(s->size);
    for (uint32_t i = 0; i < values.count; ++i) {
        for (uint32_t j = 0; j < values.count; ++j) {
            uint64_t offset = values.v[i];
            uint64_t size = values.v[j];
            bounds_oracle o = { 0 };
            bounds_rule_range(&o, offset, size, s->size);
            if (size > 0) {
                bounds_rule_aligned(&o, offset, s->unit);
                bounds_rule_aligned(&o, size, s->unit);
            }
            bounds_fill(data, sizeof data, offset * 600 + size);
            bounds_before(w, "gpool_buffer_write");
            gpool_result got = gpool_buffer_write(w->pool, s->buffer, offset, data, size);
            if (bounds_after(w, &o, got, offset, size)) {
                memcpy(s->bytes + offset, data, size);
                bounds_must(w, bounds_stats(w).written_bytes == w->before.written_bytes + size,
                            "written bytes rise by the size", offset, size);
                subject_check(w, s);
            }
            /* Without data only nothing can be written. */
            bounds_rule_plain(&o, size > 0, GPOOL_ERROR_INVALID_ARGUMENT);
            bounds_before(w, "gpool_buffer_write without data");
            got = gpool_buffer_write(w->pool, s->buffer, offset, NULL, size);
            (void)bounds_after(w, &o, got, offset, size);
        }
        subject_check(w, s);
    }
}

static void read_pairs(bounds_world *w, subject *s, uint64_t reach)
{
    uint8_t target[600];
    bounds_set values = bounds_values(s->size);
    for (uint32_t i = 0; i < values.count; ++i) {
        for (uint32_t j = 0; j < values.count; ++j) {
            uint64_t offset = values.v[i];
            uint64_t size = values.v[j];
            bounds_oracle o = { 0 };
            bounds_rule_range(&o, offset, size, s->size);
            bool last = size > 0 && bounds_inside(offset, size, s->size) && offset + size > reach;
            bounds_rule(&o, last, GPOOL_ERROR_MISALIGNED, s->size);
            memset(target, 0xee, sizeof target);
            bounds_before(w, "gpool_buffer_read");
            gpool_result got = gpool_buffer_read(w->pool, s->buffer, offset, target + 8, size);
            bool good = bounds_after(w, &o, got, offset, size);
            uint64_t read = good ? size : 0;
            if (good) {
                bounds_must(w, memcmp(target + 8, s->bytes + offset, size) == 0,
                            "the bytes are right", offset, size);
            }
            for (uint64_t k = 0; k < sizeof target; ++k) {
                bounds_must(w, target[k] == 0xee || (k >= 8 && k - 8 < read),
                            "nothing else is written", offset, size);
            }
            bounds_rule_plain(&o, size > 0, GPOOL_ERROR_INVALID_ARGUMENT);
            bounds_before(w, "gpool_buffer_read into nothing");
            got = gpool_buffer_read(w->pool, s->buffer, offset, NULL, size);
            (void)bounds_after(w, &o, got, offset, size);
        }
    }
}

static void offsets_and_sizes_of_write_and_read(void **state)
{
    static const struct {
        uint64_t size;
        gpool_buffer_usage usage;
    } subjects[] = {
        { 1, GPOOL_BUFFER_VERTEX | READ },          { 5, GPOOL_BUFFER_VERTEX | READ },
        { 255, GPOOL_BUFFER_VERTEX | READ },        { 257, GPOOL_BUFFER_UNIFORM | READ },
        { 512, GPOOL_BUFFER_COPY_TARGET | READ },   { 4, GPOOL_BUFFER_STORAGE_WRITE | READ },
        { 256, GPOOL_BUFFER_STORAGE_WRITE | READ }, { 516, GPOOL_BUFFER_STORAGE_WRITE | READ },
    };
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    for (size_t i = 0; i < UNIT_COUNT(subjects); ++i) {
        subject s = subject_make(&w, subjects[i].size, subjects[i].usage);
        write_pairs(&w, &s);
        read_pairs(&w, &s, s.size);
        bounds_good(&w, gpool_buffer_destroy(w.pool, s.buffer));
        bounds_settle(&w);
    }
    bounds_close(&w);
}

/* --- imports --- */

static WGPUBuffer raw_buffer(bounds_world *w, uint64_t size, WGPUBufferUsage usage)
{
    WGPUBufferDescriptor desc = { .usage = usage, .size = size };
    return w->table.DeviceCreateBuffer(gpool_device_raw(w->device), &desc);
}

static void sizes_of_imports(void **state)
{
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    bounds_set sizes = bounds_values(0);
    for (uint32_t i = 0; i < sizes.count; ++i) {
        uint64_t size = sizes.v[i];
        if (size > BOUNDS_MEMORY / 2) {
            continue; /* nobody has such an object */
        }
        WGPUBuffer raw = raw_buffer(&w, size, WGPUBufferUsage_CopyDst | WGPUBufferUsage_CopySrc);
        gpool_buffer_import_desc desc = { .buffer = raw,
                                          .usage = GPOOL_BUFFER_COPY_TARGET | READ,
                                          .label = "import" };
        bounds_oracle o = { 0 };
        bounds_rule(&o, size == 0, GPOOL_ERROR_MISSING_USAGE, size);
        bounds_before(&w, "gpool_buffer_import");
        w.calls_allowed = true;
        gpool_buffer buffer = gpool_buffer_import(w.pool, &desc);
        bool good = bounds_after_made(&w, &o, buffer.id != 0, size, 0);
        w.calls_allowed = false;
        if (good) {
            gpool_buffer_info info;
            bounds_good(&w, gpool_buffer_get_info(w.pool, buffer, &info));
            bounds_must(&w, info.size == size && info.imported, "the info is right", size, 0);
        }
        if (good && size <= 512) {
            subject s = { .buffer = buffer, .size = size, .unit = 4 };
            w.what = "an import";
            bounds_set values = bounds_values(size);
            uint8_t data[520];
            for (uint32_t k = 0; k < values.count; ++k) {
                for (uint32_t j = 0; j < values.count; ++j) {
                    bounds_oracle write = { 0 };
                    bounds_rule_range(&write, values.v[k], values.v[j], size);
                    if (values.v[j] > 0) {
                        bounds_rule_aligned(&write, values.v[k], 4);
                        bounds_rule_aligned(&write, values.v[j], 4);
                    }
                    bounds_fill(data, sizeof data, k * 50 + j);
                    bounds_before(&w, "gpool_buffer_write to an import");
                    gpool_result got =
                        gpool_buffer_write(w.pool, buffer, values.v[k], data, values.v[j]);
                    if (bounds_after(&w, &write, got, values.v[k], values.v[j])) {
                        memcpy(s.bytes + values.v[k], data, values.v[j]);
                    }
                }
            }
            read_pairs(&w, &s, size / 4 * 4);
        }
        bounds_good(&w, gpool_buffer_destroy(w.pool, buffer));
        w.table.BufferRelease(raw);
        bounds_settle(&w);
    }
    bounds_close(&w);
}

/* --- resize --- */

static void resize_one(bounds_world *w, uint64_t from, uint64_t to, gpool_buffer_usage usage,
                       uint64_t limit)
{
    static uint8_t bytes[BOUNDS_MEMORY];
    memset(bytes, 0, sizeof bytes);
    bounds_fill(bytes, from, from * 3 + to);
    gpool_buffer buffer = bounds_buffer(w, bytes, from, usage);
    bounds_settle(w);
    bounds_oracle o = size_oracle(to, usage, limit, true);
    gpool_buffer_info before;
    gpool_buffer_info after;
    bounds_good(w, gpool_buffer_get_info(w->pool, buffer, &before));
    /* Sizes within the limits are tried on GPU and allocator. */
    bool tried = o.count > 0 && (o.broken[0].code == GPOOL_ERROR_OUT_OF_MEMORY ||
                                 o.broken[0].code == GPOOL_ERROR_OUT_OF_GPU_MEMORY);
    bounds_before(w, "gpool_buffer_resize");
    w->calls_allowed = tried;
    gpool_result got = gpool_buffer_resize(w->pool, buffer, to);
    bool good = bounds_after(w, &o, got, from, to);
    w->calls_allowed = false;
    bounds_good(w, gpool_buffer_get_info(w->pool, buffer, &after));
    bounds_must(w, after.size == (good ? to : from), "the size is right", from, to);
    bounds_must(w, after.version == before.version + (good && from != to), "the version is right",
                from, to);
    if (good && from != to) {
        bounds_settle(w);
        bounds_must(w,
                    bounds_stats(w).live_bytes[GPOOL_KIND_BUFFER] ==
                        w->before.live_bytes[GPOOL_KIND_BUFFER] - round4(from) + round4(to),
                    "live bytes follow", from, to);
    }
    uint64_t kept = good && to < from ? to : from;
    memset(bytes + kept, 0, sizeof bytes - kept);
    bounds_same(w, buffer, bytes, good ? to : from);
    bounds_good(w, gpool_buffer_destroy(w->pool, buffer));
    bounds_settle(w);
}

static void sizes_of_resize(void **state)
{
    static const uint64_t some_limits[] = { 256, 258, UINT64_C(1) << 32, UINT64_MAX };
    for (size_t l = 0; l < UNIT_COUNT(some_limits); ++l) {
        WGPULimits limits = { .maxBufferSize = some_limits[l] };
        bounds_world w;
        bounds_open(&w, bounds_personality(state), &limits);
        bounds_set sizes = bounds_values(0);
        bounds_set_add(&sizes, BOUNDS_BLOCK);
        for (size_t u = 0; u < UNIT_COUNT(usages) - 1; ++u) {
            for (uint32_t i = 0; i < sizes.count; ++i) {
                for (uint32_t j = 0; j < sizes.count; ++j) {
                    uint64_t from = sizes.v[i];
                    bounds_oracle o = size_oracle(from, usages[u], some_limits[l], false);
                    if (o.count == 0 && from <= 65536) {
                        resize_one(&w, from, sizes.v[j], usages[u], some_limits[l]);
                    }
                }
            }
        }
        bounds_close(&w);
    }
}

/* --- fault classes --- */

/* Row 16, the 4-byte rule: all sizes 1 to 1024 at offsets 0 to 7. */
static void fault_row_16_the_four_byte_rule(void **state)
{
    uint8_t bytes[1040] = { 0 };
    static uint8_t seen[1040];
    static uint8_t data[1024];
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    gpool_buffer buffer = bounds_buffer(&w, NULL, 1033, GPOOL_BUFFER_VERTEX);
    WGPUBuffer gpu = gpool_buffer_gpu(w.pool, buffer, GPOOL_ACCESS_READ);
    for (uint64_t size = 1; size <= 1024; ++size) {
        for (uint64_t offset = 0; offset < 8; ++offset) {
            bounds_fill(data, size, size * 8 + offset);
            memcpy(bytes + offset, data, size);
            bounds_good(&w, gpool_buffer_write(w.pool, buffer, offset, data, size));
            bounds_good(&w, gpool_process_uploads(w.pool));
            assert_true(sim_read_buffer(w.s, gpu, 0, seen, 1036));
            bounds_must(&w, memcmp(bytes, seen, 1036) == 0, "shadow and GPU differ", offset, size);
        }
        bounds_good(&w, gpool_wait_idle(w.pool));
    }
    bounds_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOUNDS_TEST(sizes_and_limits_of_create),
        BOUNDS_TEST(usages_of_create_and_access_are_enumerations),
        BOUNDS_TEST(offsets_and_sizes_of_write_and_read),
        BOUNDS_TEST(sizes_of_imports),
        BOUNDS_TEST(sizes_of_resize),
        BOUNDS_TEST(fault_row_16_the_four_byte_rule),
    };
    return cmocka_run_group_tests_name("bounds of buffers", tests, NULL, NULL);
}
