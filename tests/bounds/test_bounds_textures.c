/* Extents, levels, layers, samples and strides of textures: create, import, resize, views. */
#include "bounds.h"

#include <inttypes.h>

#define LIMIT_1D     257u
#define LIMIT_2D     256u
#define LIMIT_3D     255u
#define LIMIT_LAYERS 256u
#define ALL_LEVELS   UINT32_MAX

static const WGPULimits limits = {
    .maxTextureDimension1D = LIMIT_1D,
    .maxTextureDimension2D = LIMIT_2D,
    .maxTextureDimension3D = LIMIT_3D,
    .maxTextureArrayLayers = LIMIT_LAYERS,
};

/* Facts of the formats used here, from the specification's tables. */
typedef struct block {
    WGPUTextureFormat format;
    uint32_t width, height, bytes;
    gpool_texture_usage usage;
} block;

static const block blocks[] = {
    { WGPUTextureFormat_RGBA8Unorm, 1, 1, 4,
      GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_READ_BACK | GPOOL_TEXTURE_COPY_TARGET },
    { WGPUTextureFormat_RGBA8Unorm, 1, 1, 4, GPOOL_TEXTURE_TARGET },
    { WGPUTextureFormat_R8Unorm, 1, 1, 1, GPOOL_TEXTURE_STORAGE | GPOOL_TEXTURE_READ_BACK },
    { WGPUTextureFormat_BC1RGBAUnorm, 4, 4, 8, GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_READ_BACK },
    { WGPUTextureFormat_ASTC6x5Unorm, 6, 5, 16, GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_READ_BACK },
    { WGPUTextureFormat_ASTC12x10Unorm, 12, 10, 16,
      GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_READ_BACK },
    { WGPUTextureFormat_Depth24PlusStencil8, 1, 1, 4,
      GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_TARGET },
};

static void open_world(bounds_world *w, sim_personality personality)
{
    static const WGPUFeatureName features[] = { WGPUFeatureName_TextureCompressionBC,
                                                WGPUFeatureName_TextureCompressionASTC };
    sim_desc manners = { .personality = personality,
                         .limits = &limits,
                         .memory = BOUNDS_MEMORY,
                         .features = features,
                         .feature_count = UNIT_COUNT(features) };
    bounds_open_desc(w, &manners, NULL);
    /* Pages of the tables are made at first use. */
    gpool_texture_desc desc = { .width = 1,
                                .format = WGPUTextureFormat_R8Unorm,
                                .usage = GPOOL_TEXTURE_SAMPLED };
    for (int i = 0; i < 2; ++i) {
        bounds_good(w, gpool_texture_destroy(w->pool, gpool_texture_create(w->pool, &desc)));
    }
    bounds_good(w, gpool_sampler_destroy(w->pool, gpool_sampler_create(w->pool, NULL)));
    bounds_settle(w);
}

/* --- what the comments say --- */

/* Extent, levels and samples as the comments resolve them. */
typedef struct shape {
    WGPUTextureDimension dimension;
    uint64_t width, height, depth, levels, samples;
} shape;

static uint64_t most_levels(const shape *s)
{
    uint64_t largest = s->width;
    if (s->dimension == WGPUTextureDimension_1D) {
        return 1;
    }
    largest = s->height > largest ? s->height : largest;
    if (s->dimension == WGPUTextureDimension_3D && s->depth > largest) {
        largest = s->depth;
    }
    uint64_t levels = 1;
    while (largest > 1) {
        largest /= 2;
        levels += 1;
    }
    return levels;
}

static shape shape_of(const gpool_texture_desc *desc)
{
    shape s = { .dimension = desc->dimension != 0 ? desc->dimension : WGPUTextureDimension_2D,
                .width = desc->width,
                .height = desc->height != 0 ? desc->height : 1,
                .depth = desc->depth_or_layers != 0 ? desc->depth_or_layers : 1,
                .levels = desc->mip_levels != 0 ? desc->mip_levels : 1,
                .samples = desc->samples != 0 ? desc->samples : 1 };
    if (desc->mip_levels == ALL_LEVELS) {
        s.levels = most_levels(&s);
    }
    return s;
}

static uint64_t at_level(uint64_t extent, uint64_t level)
{
    uint64_t reduced = extent >> level;
    return reduced > 0 ? reduced : 1;
}

static void shape_extent(const shape *s, uint64_t level, uint64_t *width, uint64_t *height,
                         uint64_t *depth)
{
    *width = at_level(s->width, level);
    *height = at_level(s->height, level);
    *depth = s->dimension == WGPUTextureDimension_3D ? at_level(s->depth, level) : s->depth;
}

static bounds_wide shape_bytes(const shape *s, const block *b)
{
    bounds_wide bytes = 0;
    for (uint64_t level = 0; level < s->levels; ++level) {
        uint64_t width, height, depth;
        shape_extent(s, level, &width, &height, &depth);
        bytes += (bounds_wide)((width + b->width - 1) / b->width) *
                 ((height + b->height - 1) / b->height) * depth * b->bytes;
    }
    return bytes * s->samples;
}

static void rule_extent(bounds_oracle *o, const shape *s, const block *b)
{
    bool line = s->dimension == WGPUTextureDimension_1D;
    bool solid = s->dimension == WGPUTextureDimension_3D;
    uint64_t plane = line ? LIMIT_1D : solid ? LIMIT_3D : LIMIT_2D;
    uint64_t deep = line ? 1 : solid ? LIMIT_3D : LIMIT_LAYERS;
    bounds_rule(o, s->width == 0, GPOOL_ERROR_OUT_OF_RANGE, 0);
    bounds_rule(o, s->height == 0, GPOOL_ERROR_OUT_OF_RANGE, 0);
    bounds_rule(o, s->width > plane, GPOOL_ERROR_LIMIT, s->width);
    bounds_rule(o, s->height > (line ? 1 : plane), GPOOL_ERROR_LIMIT, s->height);
    bounds_rule(o, s->depth > deep, GPOOL_ERROR_LIMIT, s->depth);
    bounds_rule_aligned(o, s->width, b->width);
    bounds_rule_aligned(o, s->height, b->height);
}

static bounds_oracle texture_oracle(const shape *s, const block *b)
{
    bounds_oracle o = { 0 };
    rule_extent(&o, s, b);
    bool flat = s->dimension == WGPUTextureDimension_2D;
    bool target = (b->usage & GPOOL_TEXTURE_TARGET) != 0;
    bounds_rule(&o, s->samples != 1 && s->samples != 4, GPOOL_ERROR_INVALID_ARGUMENT, s->samples);
    bool no_multisampling = !flat || s->levels != 1 || s->depth != 1 || !target ||
                            (b->usage & (GPOOL_TEXTURE_STORAGE | GPOOL_TEXTURE_READ_BACK)) != 0;
    bounds_rule_plain(&o, s->samples > 1 && no_multisampling, GPOOL_ERROR_INVALID_ARGUMENT);
    bounds_rule(&o, s->levels > most_levels(s), GPOOL_ERROR_LIMIT, s->levels);
    bool special = b->width > 1 || b->format == WGPUTextureFormat_Depth24PlusStencil8;
    bounds_rule_plain(&o, !flat && special, GPOOL_ERROR_INVALID_ARGUMENT);
    bounds_rule_plain(&o, s->dimension == WGPUTextureDimension_1D && target,
                      GPOOL_ERROR_INVALID_ARGUMENT);
    return o;
}

static void check_info(bounds_world *w, gpool_texture texture, const shape *s, const block *b,
                       uint64_t p, uint64_t q)
{
    gpool_texture_info info;
    bounds_good(w, gpool_texture_get_info(w->pool, texture, &info));
    bounds_must(w,
                !info.failed && info.width == s->width && info.height == s->height &&
                    info.depth_or_layers == s->depth && info.mip_levels == s->levels &&
                    info.samples == s->samples,
                "the extent is right", p, q);
    bounds_must(w, info.gpu_size == shape_bytes(s, b), "the bytes are right", p, q);
}

/* --- create --- */

enum {
    FIELD_WIDTH,
    FIELD_HEIGHT,
    FIELD_DEPTH,
    FIELD_LEVELS,
    FIELD_SAMPLES,
    FIELD_COUNT
};

static uint32_t *field_of(gpool_texture_desc *desc, int field)
{
    uint32_t *const fields[FIELD_COUNT] = { &desc->width, &desc->height, &desc->depth_or_layers,
                                            &desc->mip_levels, &desc->samples };
    return fields[field];
}

static void create_one(bounds_world *w, const gpool_texture_desc *desc, const block *b, uint32_t p,
                       uint32_t q)
{
    shape s = shape_of(desc);
    bounds_oracle o = texture_oracle(&s, b);
    bool fits = o.count > 0 || shape_bytes(&s, b) <= BOUNDS_MEMORY / 2;
    bounds_rule_plain(&o, !fits, GPOOL_ERROR_OUT_OF_GPU_MEMORY);
    bounds_before(w, "gpool_texture_create");
    gpool_texture texture = gpool_texture_create(w->pool, desc);
    gpool_texture_info info = { 0 };
    if (texture.id != 0) {
        bounds_good(w, gpool_texture_get_info(w->pool, texture, &info));
    }
    if (info.failed) {
        /* Large ones are asked from the GPU, which has no room for them. */
        bounds_must(w, o.count == 1 && !fits, "the GPU may refuse it", p, q);
        assert_same(gpool_last_error(w->pool)->code, GPOOL_ERROR_OUT_OF_GPU_MEMORY);
    } else if (bounds_after_made(w, &o, texture.id != 0, p, q)) {
        check_info(w, texture, &s, b, p, q);
        bounds_must(w,
                    bounds_stats(w).live_bytes[GPOOL_KIND_TEXTURE] ==
                        w->before.live_bytes[GPOOL_KIND_TEXTURE] + shape_bytes(&s, b),
                    "live bytes rise by its size", p, q);
    }
    if (texture.id != 0) {
        bounds_good(w, gpool_texture_destroy(w->pool, texture));
        bounds_settle(w);
    }
}

static void extents_levels_and_samples_of_create(void **state)
{
    static const WGPUTextureDimension dimensions[] = { 0, WGPUTextureDimension_1D,
                                                       WGPUTextureDimension_3D };
    bounds_world w;
    open_world(&w, bounds_personality(state));
    bounds_set values = bounds_values32(60); /* of 12 and 10, 6 and 5 */
    for (size_t b = 0; b < UNIT_COUNT(blocks); ++b) {
        for (size_t d = 0; d < UNIT_COUNT(dimensions); ++d) {
            /* Other dimensions than 2D take plain formats only: one pair tells. */
            int fields = d == 0 || b < 3 ? FIELD_COUNT : FIELD_DEPTH;
            for (int first = 0; first < fields; ++first) {
                for (int second = first + 1; second < fields; ++second) {
                    for (uint32_t i = 0; i < values.count * values.count; ++i) {
                        gpool_texture_desc desc = {
                            .width = blocks[b].width,
                            .height = blocks[b].height,
                            .dimension = dimensions[d],
                            .format = blocks[b].format,
                            .usage = blocks[b].usage,
                            .label = "extent",
                        };
                        uint32_t p = (uint32_t)values.v[i / values.count];
                        uint32_t q = (uint32_t)values.v[i % values.count];
                        *field_of(&desc, first) = p;
                        *field_of(&desc, second) = q;
                        create_one(&w, &desc, &blocks[b], p, q);
                    }
                }
            }
        }
    }
    bounds_close(&w);
}

/* Data of `rows` rows of `row` bytes, `stride` apart, is all there. */
static void rule_data(bounds_oracle *o, uint64_t data_size, uint64_t stride, uint64_t row,
                      uint64_t rows)
{
    uint64_t resolved = stride != 0 ? stride : row;
    bounds_rule(o, resolved < row, GPOOL_ERROR_MISALIGNED, stride);
    bounds_rule(o, (bounds_wide)resolved * (rows - 1) + row > data_size, GPOOL_ERROR_OUT_OF_RANGE,
                data_size);
}

static void data_and_strides_of_create(void **state)
{
    static uint8_t data[8192];
    bounds_fill(data, sizeof data, 5);
    bounds_world w;
    open_world(&w, bounds_personality(state));
    for (size_t b = 0; b < UNIT_COUNT(blocks); ++b) {
        if ((blocks[b].usage & GPOOL_TEXTURE_READ_BACK) == 0) {
            continue;
        }
        uint64_t row = 3 * blocks[b].bytes;
        uint64_t rows = 3 * 2;
        bounds_set sizes = bounds_values(row * rows);
        bounds_set_add(&sizes, row * 5 + 255 * 5);
        bounds_set strides = bounds_values32(row);
        for (uint32_t i = 0; i < sizes.count; ++i) {
            for (uint32_t j = 0; j < strides.count; ++j) {
                uint64_t size = sizes.v[i];
                uint64_t stride = strides.v[j];
                bounds_oracle o = { 0 };
                rule_data(&o, size, stride, row, rows);
                uint64_t resolved = stride != 0 ? stride : row;
                if (o.count == 0 && resolved * (rows - 1) + row > sizeof data) {
                    continue; /* nobody has so much data */
                }
                gpool_texture_desc desc = { .width = 3 * blocks[b].width,
                                            .height = 3 * blocks[b].height,
                                            .depth_or_layers = 2,
                                            .format = blocks[b].format,
                                            .usage = blocks[b].usage,
                                            .data = data,
                                            .data_size = size,
                                            .bytes_per_row = (uint32_t)stride };
                bounds_before(&w, "gpool_texture_create with data");
                gpool_texture texture = gpool_texture_create(w.pool, &desc);
                if (!bounds_after_made(&w, &o, texture.id != 0, size, stride)) {
                    continue;
                }
                uint8_t texels[3 * 3 * 2 * 16];
                bounds_good(&w, gpool_texture_read(w.pool, texture, NULL, texels, sizeof texels));
                for (uint64_t y = 0; y < rows; ++y) {
                    bounds_must(&w, memcmp(texels + y * row, data + y * resolved, row) == 0,
                                "the texels are right", size, stride);
                }
                bounds_good(&w, gpool_texture_destroy(w.pool, texture));
                bounds_settle(&w);
            }
        }
    }
    bounds_close(&w);
}

/* --- import --- */

static void extents_of_imports(void **state)
{
    static const uint32_t extents[] = { 1, 3, 4, 255, 256 };
    bounds_world w;
    open_world(&w, bounds_personality(state));
    for (size_t i = 0; i < UNIT_COUNT(extents) * UNIT_COUNT(extents) * 2; ++i) {
        WGPUTextureDescriptor raw_desc = {
            .usage = WGPUTextureUsage_CopySrc | WGPUTextureUsage_TextureBinding,
            .dimension = WGPUTextureDimension_2D,
            .size = { extents[i % 5], extents[i / 5 % 5], i / 25 == 0 ? 1 : 3 },
            .format = WGPUTextureFormat_R8Unorm,
            .mipLevelCount = i / 25 == 0 ? 1 : 2,
            .sampleCount = 1,
        };
        if (raw_desc.size.width == 1 && raw_desc.size.height == 1) {
            raw_desc.mipLevelCount = 1;
        }
        WGPUTexture raw = w.table.DeviceCreateTexture(gpool_device_raw(w.device), &raw_desc);
        gpool_texture_import_desc desc = { .texture = raw,
                                           .usage =
                                               GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_READ_BACK };
        w.what = "gpool_texture_import";
        gpool_texture texture = gpool_texture_import(w.pool, &desc);
        assert_int_not_equal(texture.id, 0);
        shape s = { .dimension = WGPUTextureDimension_2D,
                    .width = raw_desc.size.width,
                    .height = raw_desc.size.height,
                    .depth = raw_desc.size.depthOrArrayLayers,
                    .levels = raw_desc.mipLevelCount,
                    .samples = 1 };
        check_info(&w, texture, &s, &blocks[2], s.width, s.height);
        bounds_before(&w, "gpool_texture_resize of an import");
        bounds_oracle o = { 0 };
        bounds_rule_plain(&o, true, GPOOL_ERROR_UNSUPPORTED);
        bounds_after(&w, &o, gpool_texture_resize(w.pool, texture, 1, 1, 1), 1, 1);
        bounds_good(&w, gpool_texture_destroy(w.pool, texture));
        w.table.TextureRelease(raw);
        bounds_settle(&w);
    }
    bounds_close(&w);
}

/* --- resize --- */

/* A level's texels, packed, as they are after creation by fill_levels(). */
static void fill_levels(bounds_world *w, gpool_texture texture, const shape *s, const block *b)
{
    for (uint64_t level = 0; level < s->levels; ++level) {
        uint64_t width, height, depth;
        shape_extent(s, level, &width, &height, &depth);
        uint64_t size = ((width + b->width - 1) / b->width) *
                        ((height + b->height - 1) / b->height) * depth * b->bytes;
        uint8_t *texels = malloc(size);
        assert_non_null(texels);
        bounds_fill(texels, size, level + 1);
        gpool_texture_region region = { .mip_level = (uint32_t)level, .depth = (uint32_t)depth };
        bounds_good(w, gpool_texture_write(w->pool, texture, &region, texels, size, 0));
        free(texels);
    }
}

/* Blocks inside both extents are as they were, the others zero. */
static void check_levels(bounds_world *w, gpool_texture texture, const shape *old, const shape *now,
                         const block *b)
{
    for (uint64_t level = 0; level < now->levels; ++level) {
        uint64_t w0, h0, d0, w1, h1, d1;
        shape_extent(old, level, &w0, &h0, &d0);
        shape_extent(now, level, &w1, &h1, &d1);
        uint64_t columns0 = (w0 + b->width - 1) / b->width;
        uint64_t rows0 = (h0 + b->height - 1) / b->height;
        uint64_t columns1 = (w1 + b->width - 1) / b->width;
        uint64_t rows1 = (h1 + b->height - 1) / b->height;
        uint64_t size0 = columns0 * rows0 * d0 * b->bytes;
        uint64_t size1 = columns1 * rows1 * d1 * b->bytes;
        uint8_t *before = malloc(size0);
        uint8_t *after = malloc(size1);
        assert_true(before != NULL && after != NULL);
        bounds_fill(before, size0, level + 1);
        for (uint32_t z = 0; z < d1; ++z) {
            gpool_texture_region region = { .mip_level = (uint32_t)level, .z = z };
            uint64_t slice = size1 / d1;
            bounds_good(w, gpool_texture_read(w->pool, texture, &region, after + z * slice, slice));
        }
        for (uint64_t i = 0; i < size1; ++i) {
            uint64_t at = i / b->bytes;
            uint64_t x = at % columns1;
            uint64_t y = at / columns1 % rows1;
            uint64_t z = at / columns1 / rows1;
            bool kept = level < old->levels && x < columns0 && y < rows0 && z < d0;
            uint8_t expected =
                kept ? before[((z * rows0 + y) * columns0 + x) * b->bytes + i % b->bytes] : 0;
            bounds_must(w, after[i] == expected, "texels inside both are kept, others zero", i,
                        level);
        }
        free(before);
        free(after);
    }
}

static void resize_one(bounds_world *w, const gpool_texture_desc *desc, const block *b,
                       const uint32_t to[3])
{
    gpool_texture texture = gpool_texture_create(w->pool, desc);
    shape old = shape_of(desc);
    shape now = old;
    now.width = to[0];
    now.height = to[1];
    now.depth = to[2] != 0 ? to[2] : old.depth;
    uint64_t most = most_levels(&now);
    now.levels = old.levels < most ? old.levels : most;
    bounds_oracle o = { 0 };
    rule_extent(&o, &now, b);
    bool fits = o.count > 0 || shape_bytes(&now, b) <= BOUNDS_MEMORY / 2;
    bounds_rule_plain(&o, !fits, GPOOL_ERROR_OUT_OF_GPU_MEMORY);
    fill_levels(w, texture, &old, b);
    bounds_before(w, "gpool_texture_resize");
    w->calls_allowed = !fits;
    gpool_result got = gpool_texture_resize(w->pool, texture, to[0], to[1], to[2]);
    bool good = bounds_after(w, &o, got, to[0], to[1]);
    w->calls_allowed = false;
    check_info(w, texture, good ? &now : &old, b, to[0], to[1]);
    if (good || to[0] % 4 == 0) {
        check_levels(w, texture, &old, good ? &now : &old, b);
    }
    bounds_good(w, gpool_texture_destroy(w->pool, texture));
    bounds_settle(w);
}

static void extents_of_resize(void **state)
{
    static const WGPUTextureDimension dimensions[] = { WGPUTextureDimension_2D,
                                                       WGPUTextureDimension_3D };
    bounds_world w;
    open_world(&w, bounds_personality(state));
    bounds_set values = bounds_values32(60);
    for (size_t b = 2; b < 6; ++b) {
        for (size_t d = 0; d < (b == 2 ? UNIT_COUNT(dimensions) : 1); ++d) {
            for (int pair = 0; pair < 3; ++pair) {
                for (uint32_t i = 0; i < values.count * values.count; ++i) {
                    gpool_texture_desc desc = { .width = 4 * blocks[b].width,
                                                .height = 2 * blocks[b].height,
                                                .depth_or_layers = 3,
                                                .dimension = dimensions[d],
                                                .format = blocks[b].format,
                                                .usage = blocks[b].usage,
                                                .mip_levels = 2,
                                                .label = "resized" };
                    uint32_t to[3] = { desc.width, desc.height, 0 };
                    to[pair == 2 ? 1 : 0] = (uint32_t)values.v[i / values.count];
                    to[pair == 0 ? 1 : 2] = (uint32_t)values.v[i % values.count];
                    resize_one(&w, &desc, &blocks[b], to);
                }
            }
        }
    }
    bounds_close(&w);
}

/* --- views --- */

static gpool_texture make_texture(bounds_world *w, WGPUTextureDimension dimension, uint32_t layers,
                                  uint32_t levels)
{
    gpool_texture_desc desc = { .width = 16,
                                .height = dimension == WGPUTextureDimension_1D ? 1 : 16,
                                .depth_or_layers = layers,
                                .dimension = dimension,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .mip_levels = levels,
                                .usage = GPOOL_TEXTURE_SAMPLED,
                                .label = "viewed" };
    gpool_texture texture = gpool_texture_create(w->pool, &desc);
    assert_int_not_equal(texture.id, 0);
    return texture;
}

/* Rules of the comments, and those of WebGPU that the implementation tells. */
static bounds_oracle view_oracle(const shape *s, const gpool_view_desc *view)
{
    bounds_oracle o = { 0 };
    bool line = s->dimension == WGPUTextureDimension_1D;
    bool solid = s->dimension == WGPUTextureDimension_3D;
    uint64_t layers = solid ? 1 : s->depth;
    uint64_t levels = view->mip_level_count;
    if (levels == 0) {
        levels = view->base_mip_level < s->levels ? s->levels - view->base_mip_level : 0;
    }
    bool out = levels == 0 || !bounds_inside(view->base_mip_level, levels, s->levels);
    bounds_rule(&o, out, GPOOL_ERROR_OUT_OF_RANGE, view->base_mip_level);
    uint64_t rest = view->base_layer < layers ? layers - view->base_layer : 0;
    uint64_t count = view->layer_count;
    WGPUTextureViewDimension dimension = view->dimension;
    if (dimension == 0) {
        dimension = line                              ? WGPUTextureViewDimension_1D
                    : solid                           ? WGPUTextureViewDimension_3D
                    : (count != 0 ? count : rest) > 1 ? WGPUTextureViewDimension_2DArray
                                                      : WGPUTextureViewDimension_2D;
    }
    bool array = dimension == WGPUTextureViewDimension_2DArray ||
                 dimension == WGPUTextureViewDimension_CubeArray;
    bool cube = dimension == WGPUTextureViewDimension_Cube ||
                dimension == WGPUTextureViewDimension_CubeArray;
    if (count == 0) {
        count = array ? rest : dimension == WGPUTextureViewDimension_Cube ? 6 : 1;
    }
    out = count == 0 || !bounds_inside(view->base_layer, count, layers);
    bounds_rule(&o, out, GPOOL_ERROR_OUT_OF_RANGE, view->base_layer);
    bool fits = line    ? dimension == WGPUTextureViewDimension_1D
                : solid ? dimension == WGPUTextureViewDimension_3D
                        : dimension != WGPUTextureViewDimension_1D &&
                              dimension != WGPUTextureViewDimension_3D;
    fits = fits && (array || cube || count == 1) &&
           (dimension != WGPUTextureViewDimension_Cube || count == 6) &&
           (dimension != WGPUTextureViewDimension_CubeArray || count % 6 == 0);
    bounds_rule_plain(&o, o.count == 0 && !fits, GPOOL_ERROR_GPU);
    return o;
}

static void view_one(bounds_world *w, gpool_texture texture, const shape *s,
                     const gpool_view_desc *view, uint64_t p, uint64_t q)
{
    bounds_oracle o = view_oracle(s, view);
    gpool_texture_info before;
    gpool_texture_info after;
    bounds_good(w, gpool_texture_get_info(w->pool, texture, &before));
    bounds_before(w, "gpool_texture_gpu_view");
    w->calls_allowed = o.count > 0 && o.broken[0].code == GPOOL_ERROR_GPU;
    WGPUTextureView gpu = gpool_texture_gpu_view(w->pool, texture, view, GPOOL_ACCESS_READ);
    bool good = bounds_after_made(w, &o, gpu != NULL, p, q);
    w->calls_allowed = false;
    bounds_good(w, gpool_texture_get_info(w->pool, texture, &after));
    bounds_must(w, good || after.view_count == before.view_count, "a refused view is not cached", p,
                q);
    if (good) {
        bounds_must(w, gpool_texture_gpu_view(w->pool, texture, view, GPOOL_ACCESS_READ) == gpu,
                    "an equal view is the same", p, q);
    }
}

static void levels_and_layers_of_views(void **state)
{
    static const shape shapes[] = {
        { WGPUTextureDimension_1D, 16, 1, 1, 1, 1 },  { WGPUTextureDimension_2D, 16, 16, 1, 4, 1 },
        { WGPUTextureDimension_2D, 16, 16, 6, 3, 1 }, { WGPUTextureDimension_2D, 16, 16, 14, 1, 1 },
        { WGPUTextureDimension_3D, 16, 16, 8, 3, 1 },
    };
    bounds_world w;
    open_world(&w, bounds_personality(state));
    bounds_set values = bounds_values32(12);
    for (size_t i = 0; i < UNIT_COUNT(shapes); ++i) {
        const shape *s = &shapes[i];
        gpool_texture texture =
            make_texture(&w, s->dimension, (uint32_t)s->depth, (uint32_t)s->levels);
        assert_non_null(gpool_texture_gpu_view(w.pool, texture, NULL, GPOOL_ACCESS_READ));
        for (uint32_t dimension = 0; dimension <= WGPUTextureViewDimension_3D; ++dimension) {
            for (int pair = 0; pair < 6; ++pair) {
                static const int pairs[6][2] = { { 0, 1 }, { 0, 2 }, { 0, 3 },
                                                 { 1, 2 }, { 1, 3 }, { 2, 3 } };
                for (uint32_t k = 0; k < values.count * values.count; ++k) {
                    gpool_view_desc view = { .dimension = (WGPUTextureViewDimension)dimension };
                    uint32_t *const fields[4] = { &view.base_mip_level, &view.mip_level_count,
                                                  &view.base_layer, &view.layer_count };
                    *fields[pairs[pair][0]] = (uint32_t)values.v[k / values.count];
                    *fields[pairs[pair][1]] = (uint32_t)values.v[k % values.count];
                    view_one(&w, texture, s, &view, *fields[pairs[pair][0]],
                             *fields[pairs[pair][1]]);
                }
            }
        }
        bounds_good(&w, gpool_texture_destroy(w.pool, texture));
        bounds_settle(&w);
    }
    bounds_close(&w);
}

static void enumerations_of_textures(void **state)
{
    bounds_world w;
    open_world(&w, bounds_personality(state));
    gpool_texture texture = make_texture(&w, WGPUTextureDimension_2D, 1, 1);
    assert_non_null(gpool_texture_gpu_view(w.pool, texture, NULL, GPOOL_ACCESS_READ));
    bounds_set values = bounds_values32(0x3f);
    for (uint32_t i = 0; i < values.count; ++i) {
        uint32_t v = (uint32_t)values.v[i];
        bounds_oracle o = { 0 };
        bounds_rule_plain(&o, v > GPOOL_ACCESS_WRITE, GPOOL_ERROR_INVALID_ARGUMENT);
        bounds_before(&w, "gpool_texture_gpu");
        bounds_after_made(&w, &o, gpool_texture_gpu(w.pool, texture, (gpool_access)v) != NULL, v,
                          0);
        bounds_before(&w, "access of gpool_texture_gpu_view");
        bounds_after_made(
            &w, &o, gpool_texture_gpu_view(w.pool, texture, NULL, (gpool_access)v) != NULL, v, 0);
        if (v > WGPUTextureViewDimension_3D) {
            bounds_before(&w, "an unknown dimension of a view");
            gpool_view_desc view = { .dimension = (WGPUTextureViewDimension)v };
            bounds_oracle unknown = { 0 };
            bounds_rule_plain(&unknown, true, GPOOL_ERROR_INVALID_ARGUMENT);
            bounds_after_made(
                &w, &unknown,
                gpool_texture_gpu_view(w.pool, texture, &view, GPOOL_ACCESS_READ) != NULL, v, 0);
        }
        gpool_texture_desc desc = { .width = 1, .format = WGPUTextureFormat_R8Unorm, .usage = v };
        bounds_oracle usage = { 0 };
        bounds_rule_plain(&usage, v == 0, GPOOL_ERROR_MISSING_USAGE);
        bounds_rule_plain(&usage, (v & ~0x3fu) != 0, GPOOL_ERROR_INVALID_ARGUMENT);
        bounds_before(&w, "usage of gpool_texture_create");
        gpool_texture made = gpool_texture_create(w.pool, &desc);
        (void)bounds_after_made(&w, &usage, made.id != 0, v, 0);
        bounds_good(&w, gpool_texture_destroy(w.pool, made));
        desc.usage = GPOOL_TEXTURE_SAMPLED;
        desc.keep = (gpool_keep)v;
        bounds_oracle keep = { 0 };
        bounds_rule_plain(&keep, v > GPOOL_KEEP_DROP, GPOOL_ERROR_INVALID_ARGUMENT);
        bounds_before(&w, "keep policy of gpool_texture_create");
        made = gpool_texture_create(w.pool, &desc);
        (void)bounds_after_made(&w, &keep, made.id != 0, v, 0);
        bounds_good(&w, gpool_texture_destroy(w.pool, made));
    }
    bounds_close(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOUNDS_TEST(extents_levels_and_samples_of_create),
        BOUNDS_TEST(data_and_strides_of_create),
        BOUNDS_TEST(extents_of_imports),
        BOUNDS_TEST(extents_of_resize),
        BOUNDS_TEST(levels_and_layers_of_views),
        BOUNDS_TEST(enumerations_of_textures),
    };
    return cmocka_run_group_tests_name("bounds of textures", tests, NULL, NULL);
}
