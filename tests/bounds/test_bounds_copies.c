/* Offsets, sizes and strides of recorded copies and clears. */
#include "bounds.h"

#include <inttypes.h>

#define COPY_BOTH (GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_READ_BACK)

/* A buffer and the bytes its GPU object must have: its size rounded up to 4. */
typedef struct memory {
    gpool_buffer buffer;
    uint64_t size;
    uint8_t bytes[2048];
} memory;

typedef struct subject {
    bounds_world *w;
    gpool_recorder rec;
    bool skipped;
} subject;

static void frame(subject *s, bool open)
{
    if (open && s->rec.state == NULL) {
        s->rec = bounds_begin(s->w);
        s->skipped = false;
    } else if (!open && s->rec.state != NULL) {
        bounds_end(s->w, s->skipped);
        s->rec = (gpool_recorder){ 0 };
    }
}

static bool after(subject *s, const bounds_oracle *o, uint64_t a, uint64_t b)
{
    bool good = bounds_after_record(s->w, o, a, b);
    s->skipped = s->skipped || !good;
    return good;
}

static memory *memory_make(bounds_world *w, uint64_t size, gpool_buffer_usage usage)
{
    memory *m = calloc(1, sizeof *m);
    assert_non_null(m);
    m->size = size;
    bounds_fill(m->bytes, size, size);
    m->buffer = bounds_buffer(w, m->bytes, size, usage);
    return m;
}

static void memory_free(bounds_world *w, memory *m)
{
    bounds_same(w, m->buffer, m->bytes, m->size);
    bounds_good(w, gpool_buffer_destroy(w->pool, m->buffer));
    free(m);
}

/* Copies take whole words, up to the end of the GPU object. */
static void rule_words(bounds_oracle *o, uint64_t offset, uint64_t size, uint64_t whole)
{
    bounds_rule_aligned(o, offset, 4);
    bounds_rule_aligned(o, size, 4);
    bounds_rule_range(o, offset, size, (whole + 3) / 4 * 4);
}

static void open_world(bounds_world *w, subject *s, void **state)
{
    static const WGPUFeatureName features[] = { WGPUFeatureName_TextureCompressionBC,
                                                WGPUFeatureName_TextureCompressionASTC };
    sim_desc manners = { .personality = bounds_personality(state),
                         .memory = BOUNDS_MEMORY,
                         .features = features,
                         .feature_count = UNIT_COUNT(features) };
    bounds_open_desc(w, &manners, NULL);
    *s = (subject){ .w = w };
    frame(s, true); /* state made at the first frame is there */
    frame(s, false);
}

/* --- buffers --- */

static void offsets_and_sizes_of_copy_buffer(void **state)
{
    static const struct {
        uint64_t from, to;
    } sizes[] = { { 256, 256 }, { 255, 260 }, { 4, 512 }, { 1, 4 } };
    bounds_world w;
    subject s;
    open_world(&w, &s, state);
    for (size_t i = 0; i < UNIT_COUNT(sizes); ++i) {
        memory *from =
            memory_make(&w, sizes[i].from, GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_READ_BACK);
        memory *to = memory_make(&w, sizes[i].to, COPY_BOTH);
        bounds_set values = bounds_values(sizes[i].from);
        bounds_set_add(&values, sizes[i].to);
        bounds_set_add(&values, sizes[i].to + 4);
        uint32_t n = values.count;
        for (uint32_t k = 0; k < n * n * n; ++k) {
            uint64_t source = values.v[k / n / n];
            uint64_t target = values.v[k / n % n];
            uint64_t size = values.v[k % n];
            bounds_oracle o = { 0 };
            rule_words(&o, source, size, from->size);
            rule_words(&o, target, size, to->size);
            frame(&s, true);
            bounds_before(&w, "gpool_copy_buffer");
            gpool_copy_buffer(s.rec, from->buffer, source, to->buffer, target, size);
            if (after(&s, &o, source, target)) {
                memcpy(to->bytes + target, from->bytes + source, size);
                frame(&s, false);
                bounds_same(&w, to->buffer, to->bytes, to->size);
            }
        }
        frame(&s, false);
        memory_free(&w, from);
        memory_free(&w, to);
        bounds_settle(&w);
    }
    bounds_close(&w);
}

static void offsets_and_sizes_of_clear_buffer(void **state)
{
    static const uint64_t sizes[] = { 4, 256, 1028 };
    bounds_world w;
    subject s;
    open_world(&w, &s, state);
    for (size_t i = 0; i < UNIT_COUNT(sizes); ++i) {
        memory *m = memory_make(&w, sizes[i], COPY_BOTH);
        bounds_set values = bounds_values(sizes[i]);
        for (uint32_t k = 0; k < values.count * values.count; ++k) {
            uint64_t offset = values.v[k / values.count];
            uint64_t size = values.v[k % values.count];
            bounds_oracle o = { 0 };
            rule_words(&o, offset, size, m->size);
            frame(&s, true);
            bounds_before(&w, "gpool_clear_buffer");
            gpool_clear_buffer(s.rec, m->buffer, offset, size);
            if (after(&s, &o, offset, size)) {
                memset(m->bytes + offset, 0, size);
                frame(&s, false);
                bounds_same(&w, m->buffer, m->bytes, m->size);
                bounds_fill(m->bytes, m->size, k);
                bounds_good(&w, gpool_buffer_write(w.pool, m->buffer, 0, m->bytes, m->size));
            }
        }
        frame(&s, false);
        memory_free(&w, m);
        bounds_settle(&w);
    }
    bounds_close(&w);
}

/* --- buffers and textures --- */

typedef struct kind {
    WGPUTextureFormat format;
    uint32_t width, height, layers;
    uint32_t row_bytes, rows, block_bytes;
} kind;

static const kind kinds[] = {
    { WGPUTextureFormat_RGBA8Unorm, 3, 2, 2, 12, 2, 4 },
    { WGPUTextureFormat_R8Unorm, 3, 3, 1, 3, 3, 1 },
    { WGPUTextureFormat_RGBA32Float, 17, 2, 1, 272, 2, 16 },
    { WGPUTextureFormat_BC1RGBAUnorm, 8, 8, 1, 16, 2, 8 },
    { WGPUTextureFormat_ASTC12x10Unorm, 12, 20, 2, 16, 2, 16 },
    { WGPUTextureFormat_R16Float, 1, 1, 1, 2, 1, 2 },
};

#define MEMORY_BYTES 1540u

static bounds_oracle rows_oracle(const kind *k, uint64_t offset, uint64_t stride)
{
    bounds_oracle o = { 0 };
    bounds_rule_aligned(&o, stride, 256);
    bounds_rule(&o, stride < k->row_bytes, GPOOL_ERROR_MISALIGNED, stride);
    bounds_rule_aligned(&o, offset, 4);
    bounds_rule_aligned(&o, offset, k->block_bytes);
    uint64_t rows = (uint64_t)k->rows * k->layers;
    bounds_wide end = (bounds_wide)offset + (bounds_wide)stride * (rows - 1) + k->row_bytes;
    bounds_rule(&o, end > MEMORY_BYTES, GPOOL_ERROR_OUT_OF_RANGE, offset);
    return o;
}

static void offsets_and_strides_of_buffers_and_textures(void **state)
{
    bounds_world w;
    subject s;
    open_world(&w, &s, state);
    for (size_t i = 0; i < UNIT_COUNT(kinds); ++i) {
        const kind *k = &kinds[i];
        gpool_texture_desc desc = { .width = k->width,
                                    .height = k->height,
                                    .depth_or_layers = k->layers,
                                    .format = k->format,
                                    .usage = GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_READ_BACK |
                                             GPOOL_TEXTURE_COPY_TARGET };
        gpool_texture texture = gpool_texture_create(w.pool, &desc);
        uint8_t texels[2048];
        uint64_t rows = (uint64_t)k->rows * k->layers;
        uint64_t size = rows * k->row_bytes;
        bounds_fill(texels, size, i);
        gpool_texture_region whole = { .depth = k->layers };
        bounds_good(&w, gpool_texture_write(w.pool, texture, &whole, texels, size, 0));
        memory *m = memory_make(&w, MEMORY_BYTES, COPY_BOTH);
        bounds_set offsets = bounds_values(MEMORY_BYTES - k->row_bytes);
        bounds_set_add(&offsets, MEMORY_BYTES - 256 * (rows - 1) - k->row_bytes);
        bounds_set_add(&offsets, 16);
        bounds_set strides = bounds_values32(512);
        for (uint32_t v = 0; v < 2 * offsets.count * strides.count; ++v) {
            uint64_t offset = offsets.v[v / 2 / strides.count];
            uint32_t stride = (uint32_t)strides.v[v / 2 % strides.count];
            bounds_oracle o = rows_oracle(k, offset, stride);
            frame(&s, true);
            if (v % 2 == 0) {
                bounds_before(&w, "gpool_copy_texture_to_buffer");
                gpool_copy_texture_to_buffer(s.rec, texture, &whole, m->buffer, offset, stride);
            } else {
                bounds_before(&w, "gpool_copy_buffer_to_texture");
                gpool_copy_buffer_to_texture(s.rec, m->buffer, offset, stride, texture, &whole);
            }
            if (!after(&s, &o, offset, stride)) {
                continue;
            }
            for (uint64_t y = 0; y < rows; ++y) {
                uint8_t *in_memory = m->bytes + offset + y * stride;
                uint8_t *in_texture = texels + y * k->row_bytes;
                memcpy(v % 2 == 0 ? in_memory : in_texture, v % 2 == 0 ? in_texture : in_memory,
                       k->row_bytes);
            }
            frame(&s, false);
            bounds_same(&w, m->buffer, m->bytes, m->size);
            uint8_t got[2048];
            bounds_good(&w, gpool_texture_read(w.pool, texture, &whole, got, size));
            bounds_must(&w, memcmp(got, texels, size) == 0, "the texels are right", offset, stride);
            bounds_fill(m->bytes, m->size, v);
            bounds_good(&w, gpool_buffer_write(w.pool, m->buffer, 0, m->bytes, m->size));
        }
        frame(&s, false);
        memory_free(&w, m);
        bounds_good(&w, gpool_texture_destroy(w.pool, texture));
        bounds_settle(&w);
    }
    bounds_close(&w);
}

/* Data behind gpool_texture_write(), and the target of gpool_texture_read(). */
static void sizes_and_strides_of_texture_write_and_read(void **state)
{
    static uint8_t data[8192];
    bounds_fill(data, sizeof data, 6);
    bounds_world w;
    subject s;
    open_world(&w, &s, state);
    for (size_t i = 0; i < UNIT_COUNT(kinds); ++i) {
        const kind *k = &kinds[i];
        gpool_texture_desc desc = { .width = k->width,
                                    .height = k->height,
                                    .depth_or_layers = k->layers,
                                    .format = k->format,
                                    .usage = GPOOL_TEXTURE_READ_BACK };
        gpool_texture texture = gpool_texture_create(w.pool, &desc);
        uint64_t rows = (uint64_t)k->rows * k->layers;
        uint64_t packed = rows * k->row_bytes;
        uint8_t texels[2048] = { 0 };
        bounds_set sizes = bounds_values(packed);
        bounds_set_add(&sizes, 256 * (rows - 1) + k->row_bytes);
        bounds_set strides = bounds_values32(k->row_bytes);
        for (uint32_t v = 0; v < sizes.count * strides.count; ++v) {
            uint64_t size = sizes.v[v / strides.count];
            uint64_t stride = strides.v[v % strides.count];
            uint64_t resolved = stride != 0 ? stride : k->row_bytes;
            bounds_oracle o = { 0 };
            bounds_rule(&o, resolved < k->row_bytes, GPOOL_ERROR_MISALIGNED, stride);
            bounds_wide needed = (bounds_wide)resolved * (rows - 1) + k->row_bytes;
            bounds_rule(&o, needed > size, GPOOL_ERROR_OUT_OF_RANGE, size);
            if (o.count == 0 && needed + 8 > sizeof data) {
                continue; /* nobody has so much data */
            }
            const uint8_t *from = data + v % 8;
            bounds_before(&w, "gpool_texture_write");
            gpool_result got =
                gpool_texture_write(w.pool, texture, NULL, from, size, (uint32_t)stride);
            if (bounds_after(&w, &o, got, size, stride)) {
                for (uint64_t y = 0; y < rows; ++y) {
                    memcpy(texels + y * k->row_bytes, from + y * resolved, k->row_bytes);
                }
            }
            bounds_rule_plain(&o, true, GPOOL_ERROR_INVALID_ARGUMENT);
            bounds_before(&w, "gpool_texture_write without data");
            got = gpool_texture_write(w.pool, texture, NULL, NULL, size, (uint32_t)stride);
            (void)bounds_after(&w, &o, got, size, stride);
            bounds_oracle read = { 0 };
            bounds_rule(&read, size < packed, GPOOL_ERROR_OUT_OF_RANGE, size);
            uint8_t target[2048];
            bounds_before(&w, "gpool_texture_read");
            got = gpool_texture_read(w.pool, texture, NULL, target, size);
            if (bounds_after(&w, &read, got, size, stride)) {
                bounds_must(&w, memcmp(target, texels, packed) == 0, "the texels are right", size,
                            stride);
            }
        }
        bounds_good(&w, gpool_texture_destroy(w.pool, texture));
        bounds_settle(&w);
    }
    bounds_close(&w);
}

/* --- within one texture --- */

static void layers_and_levels_within_one_texture(void **state)
{
    bounds_world w;
    subject s;
    open_world(&w, &s, state);
    for (int solid = 0; solid < 2; ++solid) {
        gpool_texture_desc desc = { .width = 4,
                                    .height = 4,
                                    .depth_or_layers = 6,
                                    .dimension = solid != 0 ? WGPUTextureDimension_3D : 0,
                                    .format = WGPUTextureFormat_R8Unorm,
                                    .mip_levels = 2,
                                    .usage = GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_COPY_SOURCE |
                                             GPOOL_TEXTURE_COPY_TARGET };
        gpool_texture texture = gpool_texture_create(w.pool, &desc);
        for (uint32_t v = 0; v < 7 * 7 * 7 * 4; ++v) {
            uint32_t level_from = v % 2;
            uint32_t level_to = v / 2 % 2;
            uint32_t z_from = v / 4 % 7;
            uint32_t z_to = v / 28 % 7;
            uint32_t depth = v / 196;
            gpool_texture_region from = {
                .mip_level = level_from, .z = z_from, .width = 2, .height = 2, .depth = depth
            };
            gpool_texture_region to = { .mip_level = level_to, .z = z_to };
            uint32_t layers = depth != 0 ? depth : 1;
            bounds_oracle o = { 0 };
            bounds_rule_range(&o, z_from, layers, solid != 0 && level_from == 1 ? 3 : 6);
            bounds_rule_range(&o, z_to, layers, solid != 0 && level_to == 1 ? 3 : 6);
            bool apart = z_from + layers <= z_to || z_to + layers <= z_from;
            bounds_rule_plain(&o, level_from == level_to && (solid != 0 || !apart),
                              GPOOL_ERROR_INVALID_ARGUMENT);
            frame(&s, true);
            bounds_before(&w, "gpool_copy_texture within one");
            gpool_copy_texture(s.rec, texture, &from, texture, &to);
            (void)after(&s, &o, v, depth);
        }
        frame(&s, false); /* what was taken must be what WebGPU takes */
        bounds_good(&w, gpool_texture_destroy(w.pool, texture));
        bounds_settle(&w);
    }
    bounds_close(&w);
}

/* Levels and layers of mips: those made must lie below the base, and inside. */
static void ranges_of_generate_mips(void **state)
{
    enum {
        LEVELS = 4,
        LAYERS = 5
    };
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    gpool_texture_desc desc = { .width = 16,
                                .height = 9,
                                .depth_or_layers = LAYERS,
                                .mip_levels = LEVELS,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_SAMPLED,
                                .label = "mipped" };
    gpool_texture texture = gpool_texture_create(w.pool, &desc);
    subject s = { .w = &w };
    bounds_set values = bounds_values32(LEVELS);
    bounds_set_add(&values, LAYERS + 1);
    for (int pair = 0; pair < 6; ++pair) {
        static const int pairs[6][2] = {
            { 0, 1 }, { 0, 2 }, { 0, 3 }, { 1, 2 }, { 1, 3 }, { 2, 3 }
        };
        for (uint32_t k = 0; k < values.count * values.count; ++k) {
            gpool_mip_range r = { .base_level = 0 };
            uint32_t *const fields[4] = { &r.base_level, &r.level_count, &r.base_layer,
                                          &r.layer_count };
            uint32_t a = (uint32_t)values.v[k / values.count];
            uint32_t b = (uint32_t)values.v[k % values.count];
            *fields[pairs[pair][0]] = a;
            *fields[pairs[pair][1]] = b;
            bounds_oracle o = { 0 };
            bounds_rule(&o, r.base_level >= LEVELS, GPOOL_ERROR_OUT_OF_RANGE, r.base_level);
            bounds_rule(
                &o, !bounds_inside(r.base_level, r.level_count, LEVELS - 1) && r.level_count != 0,
                GPOOL_ERROR_OUT_OF_RANGE, r.level_count);
            bounds_rule(&o, r.base_layer >= LAYERS, GPOOL_ERROR_OUT_OF_RANGE, r.base_layer);
            bounds_rule_range(&o, r.base_layer, r.layer_count, LAYERS);
            frame(&s, true);
            bounds_before(&w, "gpool_texture_generate_mips");
            gpool_texture_generate_mips(s.rec, texture, &r);
            if (after(&s, &o, a, b)) {
                uint64_t levels = r.level_count != 0 ? r.level_count : LEVELS - 1 - r.base_level;
                uint64_t layers = r.layer_count != 0 ? r.layer_count : LAYERS - r.base_layer;
                bounds_must(&w, bounds_stats(&w).draws == w.before.draws + levels * layers,
                            "a draw for each level and layer", a, b);
            }
        }
        frame(&s, false);
    }
    bounds_good(&w, gpool_texture_destroy(w.pool, texture));
    bounds_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOUNDS_TEST(offsets_and_sizes_of_copy_buffer),
        BOUNDS_TEST(offsets_and_sizes_of_clear_buffer),
        BOUNDS_TEST(offsets_and_strides_of_buffers_and_textures),
        BOUNDS_TEST(sizes_and_strides_of_texture_write_and_read),
        BOUNDS_TEST(ranges_of_generate_mips),
        BOUNDS_TEST(layers_and_levels_within_one_texture),
    };
    return cmocka_run_group_tests_name("bounds of copies", tests, NULL, NULL);
}
