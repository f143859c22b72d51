/* Regions of textures: write, read, and all recorded copies, with every pair of fields. */
#include "bounds.h"

#include <inttypes.h>

#define LEVELS      3u
#define MOST_BLOCKS 1024u
#define BLOCK_BYTES 16u
#define STRIDE      256u

typedef struct kind {
    const char *name;
    WGPUTextureFormat format;
    uint32_t block_width, block_height, block_bytes;
    WGPUTextureDimension dimension;
    uint32_t width, height, depth;
} kind;

static const kind kinds[] = {
    { "RGBA8", WGPUTextureFormat_RGBA8Unorm, 1, 1, 4, WGPUTextureDimension_2D, 20, 12, 3 },
    { "3D R32", WGPUTextureFormat_R32Float, 1, 1, 4, WGPUTextureDimension_3D, 9, 6, 5 },
    { "BC1", WGPUTextureFormat_BC1RGBAUnorm, 4, 4, 8, WGPUTextureDimension_2D, 20, 12, 2 },
    { "ASTC 6x5", WGPUTextureFormat_ASTC6x5Unorm, 6, 5, 16, WGPUTextureDimension_2D, 18, 15, 2 },
    { "ASTC 12x10", WGPUTextureFormat_ASTC12x10Unorm, 12, 10, 16, WGPUTextureDimension_2D, 36, 30,
      1 },
};

/* A texture and the blocks it must have. */
typedef struct canvas {
    const kind *k;
    gpool_texture texture;
    uint8_t blocks[LEVELS][MOST_BLOCKS * BLOCK_BYTES];
} canvas;

typedef struct extent {
    uint64_t width, height, depth; /* texels */
    uint64_t columns, rows;        /* blocks */
} extent;

static uint64_t at_level(uint64_t size, uint32_t level)
{
    uint64_t reduced = size >> level;
    return reduced > 0 ? reduced : 1;
}

static extent extent_of(const kind *k, uint32_t level)
{
    extent e = { .width = at_level(k->width, level), .height = at_level(k->height, level) };
    e.depth = k->dimension == WGPUTextureDimension_3D ? at_level(k->depth, level) : k->depth;
    e.columns = (e.width + k->block_width - 1) / k->block_width;
    e.rows = (e.height + k->block_height - 1) / k->block_height;
    return e;
}

static uint8_t *block_at(canvas *c, uint32_t level, uint64_t x, uint64_t y, uint64_t z)
{
    extent e = extent_of(c->k, level);
    uint64_t index = (z * e.rows + y) * e.columns + x;
    assert_true(index < MOST_BLOCKS);
    return c->blocks[level] + index * c->k->block_bytes;
}

/* A region in whole blocks; what the comments say of it is in the oracle. */
typedef struct part {
    uint32_t level;
    uint64_t x, y, z, columns, rows, depth;
} part;

/*
 * Rules of one axis, in texels: origin on a block, end on a block or at the level's edge, blocks at
 * the edge may be named whole. A size of 0 means up to the edge.
 */
static uint64_t rule_axis(bounds_oracle *o, uint64_t origin, uint64_t size, uint64_t whole,
                          uint64_t unit)
{
    uint64_t resolved = size;
    if (size == 0) {
        bounds_rule(o, origin >= whole, GPOOL_ERROR_OUT_OF_RANGE, origin);
        resolved = origin < whole ? whole - origin : 0;
    }
    uint64_t edge = (whole + unit - 1) / unit * unit;
    bounds_wide end = (bounds_wide)origin + resolved;
    bool outside = end > whole && end != edge;
    bounds_rule(o, outside || origin >= whole, GPOOL_ERROR_OUT_OF_RANGE, origin);
    bounds_rule(o, outside, GPOOL_ERROR_OUT_OF_RANGE, resolved);
    bounds_rule_aligned(o, origin, unit);
    bounds_rule(o, resolved % unit != 0 && end != whole, GPOOL_ERROR_MISALIGNED, resolved);
    return resolved;
}

static part rule_region(bounds_oracle *o, const kind *k, const gpool_texture_region *region)
{
    part p = { .level = region->mip_level };
    if (region->mip_level >= LEVELS) {
        bounds_rule(o, true, GPOOL_ERROR_OUT_OF_RANGE, region->mip_level);
        return p;
    }
    extent e = extent_of(k, region->mip_level);
    uint64_t width = rule_axis(o, region->x, region->width, e.width, k->block_width);
    uint64_t height = rule_axis(o, region->y, region->height, e.height, k->block_height);
    p.x = region->x / k->block_width;
    p.y = region->y / k->block_height;
    p.z = region->z;
    p.columns = (width + k->block_width - 1) / k->block_width;
    p.rows = (height + k->block_height - 1) / k->block_height;
    p.depth = region->depth != 0 ? region->depth : 1;
    bounds_rule_range(o, p.z, p.depth, e.depth);
    return p;
}

static canvas *canvas_make(bounds_world *w, const kind *k, uint64_t seed, gpool_keep keep)
{
    canvas *c = calloc(1, sizeof *c);
    assert_non_null(c);
    c->k = k;
    gpool_texture_desc desc = { .width = k->width,
                                .height = k->height,
                                .depth_or_layers = k->depth,
                                .dimension = k->dimension,
                                .format = k->format,
                                .mip_levels = LEVELS,
                                .usage = GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_READ_BACK |
                                         GPOOL_TEXTURE_COPY_SOURCE | GPOOL_TEXTURE_COPY_TARGET,
                                .label = k->name,
                                .keep = keep };
    if (keep == GPOOL_KEEP_SHADOW) {
        desc.usage &= ~(gpool_texture_usage)GPOOL_TEXTURE_COPY_TARGET;
    }
    c->texture = gpool_texture_create(w->pool, &desc);
    for (uint32_t level = 0; level < LEVELS; ++level) {
        extent e = extent_of(k, level);
        size_t size = e.columns * e.rows * e.depth * k->block_bytes;
        bounds_fill(c->blocks[level], size, seed + level);
        gpool_texture_region region = { .mip_level = level, .depth = (uint32_t)e.depth };
        bounds_good(w,
                    gpool_texture_write(w->pool, c->texture, &region, c->blocks[level], size, 0));
    }
    return c;
}

static void canvas_free(bounds_world *w, canvas *c)
{
    bounds_good(w, gpool_texture_destroy(w->pool, c->texture));
    free(c);
}

static void canvas_check(bounds_world *w, const canvas *c, uint32_t level, uint64_t a, uint64_t b)
{
    extent e = extent_of(c->k, level);
    size_t size = e.columns * e.rows * e.depth * c->k->block_bytes;
    uint8_t got[MOST_BLOCKS * BLOCK_BYTES];
    gpool_texture_region region = { .mip_level = level, .depth = (uint32_t)e.depth };
    bounds_good(w, gpool_texture_read(w->pool, c->texture, &region, got, size));
    bounds_must(w, memcmp(got, c->blocks[level], size) == 0, "all texels are right", a, b);
}

static void canvas_check_all(bounds_world *w, const canvas *c)
{
    for (uint32_t level = 0; level < LEVELS; ++level) {
        canvas_check(w, c, level, level, 0);
    }
}

/* Copies between a part of a canvas and rows in memory. */
static void canvas_copy(canvas *c, const part *p, uint8_t *rows, uint64_t stride, bool to_canvas)
{
    for (uint64_t z = 0; z < p->depth; ++z) {
        for (uint64_t y = 0; y < p->rows; ++y) {
            uint8_t *texels = block_at(c, p->level, p->x, p->y + y, p->z + z);
            uint8_t *row = rows + (z * p->rows + y) * stride;
            memcpy(to_canvas ? texels : row, to_canvas ? row : texels,
                   p->columns * c->k->block_bytes);
        }
    }
}

/* --- every pair of fields --- */

#define FIELDS 7

static uint32_t *field_of(gpool_texture_region *region, int field)
{
    uint32_t *const fields[FIELDS] = { &region->mip_level, &region->x,     &region->y,
                                       &region->z,         &region->width, &region->height,
                                       &region->depth };
    return fields[field];
}

typedef struct subject {
    bounds_world *w;
    canvas *c;
    canvas *other;           /* of the same kind */
    gpool_buffer memory;     /* side of buffers in copies */
    gpool_recorder rec;      /* of the open frame */
    bool skipped;            /* a command was refused in it */
    uint8_t bytes[1u << 16]; /* what `memory` must have */
} subject;

typedef void (*region_fn)(subject *s, const gpool_texture_region *region, uint32_t a, uint32_t b);

/* Begins a frame where there is none; ends it, so that what was recorded runs. */
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

static void write_one(subject *s, const gpool_texture_region *region, uint32_t a, uint32_t b)
{
    static uint8_t data[MOST_BLOCKS * BLOCK_BYTES];
    bounds_oracle o = { 0 };
    part p = rule_region(&o, s->c->k, region);
    uint64_t size = o.count == 0 ? p.columns * p.rows * p.depth * s->c->k->block_bytes : 16;
    bounds_fill(data, size, a * 31 + b);
    bounds_before(s->w, "gpool_texture_write");
    gpool_result got = gpool_texture_write(s->w->pool, s->c->texture, region, data, size, 0);
    if (bounds_after(s->w, &o, got, a, b)) {
        bounds_must(s->w, bounds_stats(s->w).written_bytes == s->w->before.written_bytes + size,
                    "written bytes rise by the size", a, b);
        canvas_copy(s->c, &p, data, p.columns * s->c->k->block_bytes, true);
        canvas_check(s->w, s->c, p.level, a, b);
    }
}

static void edit_one(subject *s, const gpool_texture_region *region, uint32_t a, uint32_t b)
{
    static uint8_t data[MOST_BLOCKS * BLOCK_BYTES];
    bounds_oracle o = { 0 };
    part p = rule_region(&o, s->c->k, region);
    gpool_texture_rows rows;
    bounds_before(s->w, "gpool_texture_edit");
    gpool_result got = gpool_texture_edit(s->w->pool, s->c->texture, region, &rows);
    if (!bounds_after(s->w, &o, got, a, b)) {
        return;
    }
    uint64_t row = p.columns * s->c->k->block_bytes;
    bounds_fill(data, row * p.rows * p.depth, a * 31 + b);
    bounds_must(s->w,
                rows.row_bytes == row && rows.row_count == p.rows && rows.slice_count == p.depth,
                "the rows are the region's", a, b);
    for (uint64_t i = 0; i < p.rows * p.depth; ++i) {
        memcpy((uint8_t *)rows.texels + i / p.rows * rows.bytes_per_slice +
                   i % p.rows * rows.bytes_per_row,
               data + i * row, row);
    }
    canvas_copy(s->c, &p, data, row, true);
    canvas_check(s->w, s->c, p.level, a, b);
}

static void read_one(subject *s, const gpool_texture_region *region, uint32_t a, uint32_t b)
{
    static uint8_t got_bytes[MOST_BLOCKS * BLOCK_BYTES + 16];
    static uint8_t expected[MOST_BLOCKS * BLOCK_BYTES + 16];
    bounds_oracle o = { 0 };
    part p = rule_region(&o, s->c->k, region);
    uint64_t size = o.count == 0 ? p.columns * p.rows * p.depth * s->c->k->block_bytes : 16;
    memset(got_bytes, 0xee, size + 16);
    memset(expected, 0xee, size + 16);
    bounds_before(s->w, "gpool_texture_read");
    gpool_result got = gpool_texture_read(s->w->pool, s->c->texture, region, got_bytes, size);
    if (bounds_after(s->w, &o, got, a, b)) {
        canvas_copy(s->c, &p, expected, p.columns * s->c->k->block_bytes, false);
    }
    bounds_must(s->w, memcmp(got_bytes, expected, size + 16) == 0, "the target is right", a, b);
}

static void ticket_one(subject *s, const gpool_texture_region *region, uint32_t a, uint32_t b)
{
    static uint8_t got_bytes[MOST_BLOCKS * BLOCK_BYTES + 16];
    static uint8_t expected[MOST_BLOCKS * BLOCK_BYTES + 16];
    bounds_oracle o = { 0 };
    part p = rule_region(&o, s->c->k, region);
    frame(s, true);
    bounds_before(s->w, "gpool_read_texture");
    gpool_ticket ticket = gpool_read_texture(s->rec, s->c->texture, region, NULL);
    bool good = bounds_after_record(s->w, &o, a, b);
    s->skipped = s->skipped || !good;
    bounds_must(s->w, good == (ticket.id != 0), "a ticket comes of a good call", a, b);
    if (good) {
        uint64_t size = p.columns * p.rows * p.depth * s->c->k->block_bytes;
        memset(got_bytes, 0xee, size + 16);
        memset(expected, 0xee, size + 16);
        canvas_copy(s->c, &p, expected, p.columns * s->c->k->block_bytes, false);
        frame(s, false);
        bounds_good(s->w, gpool_ticket_wait(s->w->pool, ticket, UINT64_MAX));
        bounds_good(s->w, gpool_ticket_take(s->w->pool, ticket, got_bytes, size));
        bounds_must(s->w, memcmp(got_bytes, expected, size + 16) == 0, "the target is right", a, b);
    }
}

/* To a place of another canvas at the first level that is large enough. */
static void copy_from_one(subject *s, const gpool_texture_region *region, uint32_t a, uint32_t b)
{
    bounds_oracle o = { 0 };
    part p = rule_region(&o, s->c->k, region);
    frame(s, true);
    bounds_before(s->w, "gpool_copy_texture from");
    gpool_copy_texture(s->rec, s->c->texture, region, s->other->texture, NULL);
    bool good = bounds_after_record(s->w, &o, a, b);
    s->skipped = s->skipped || !good;
    if (good) {
        static uint8_t rows[MOST_BLOCKS * BLOCK_BYTES];
        uint64_t stride = p.columns * s->c->k->block_bytes;
        part to = p;
        to.level = 0;
        to.x = to.y = to.z = 0;
        canvas_copy(s->c, &p, rows, stride, false);
        canvas_copy(s->other, &to, rows, stride, true);
        frame(s, false);
        canvas_check(s->w, s->other, 0, a, b);
    }
}

/* The target's region gives the origin; the extent is one block of the source. */
static void copy_to_one(subject *s, const gpool_texture_region *region, uint32_t a, uint32_t b)
{
    const kind *k = s->c->k;
    gpool_texture_region one = { .width = k->block_width, .height = k->block_height, .depth = 1 };
    gpool_texture_region wanted = *region;
    wanted.width = one.width;
    wanted.height = one.height;
    wanted.depth = one.depth;
    bounds_oracle o = { 0 };
    part p = rule_region(&o, k, &wanted);
    frame(s, true);
    bounds_before(s->w, "gpool_copy_texture to");
    gpool_copy_texture(s->rec, s->other->texture, &one, s->c->texture, region);
    bool good = bounds_after_record(s->w, &o, a, b);
    s->skipped = s->skipped || !good;
    if (good) {
        memcpy(block_at(s->c, p.level, p.x, p.y, p.z), block_at(s->other, 0, 0, 0, 0),
               k->block_bytes);
        frame(s, false);
        canvas_check(s->w, s->c, p.level, a, b);
    }
}

static void to_buffer_one(subject *s, const gpool_texture_region *region, uint32_t a, uint32_t b)
{
    bounds_oracle o = { 0 };
    part p = rule_region(&o, s->c->k, region);
    frame(s, true);
    bounds_before(s->w, "gpool_copy_texture_to_buffer");
    gpool_copy_texture_to_buffer(s->rec, s->c->texture, region, s->memory, 0, STRIDE);
    bool good = bounds_after_record(s->w, &o, a, b);
    s->skipped = s->skipped || !good;
    if (good) {
        canvas_copy(s->c, &p, s->bytes, STRIDE, false);
        frame(s, false);
        bounds_same(s->w, s->memory, s->bytes, sizeof s->bytes);
    }
}

static void from_buffer_one(subject *s, const gpool_texture_region *region, uint32_t a, uint32_t b)
{
    bounds_oracle o = { 0 };
    part p = rule_region(&o, s->c->k, region);
    frame(s, true);
    bounds_before(s->w, "gpool_copy_buffer_to_texture");
    gpool_copy_buffer_to_texture(s->rec, s->memory, 0, STRIDE, s->c->texture, region);
    bool good = bounds_after_record(s->w, &o, a, b);
    s->skipped = s->skipped || !good;
    if (good) {
        canvas_copy(s->c, &p, s->bytes, STRIDE, true);
        frame(s, false);
        canvas_check(s->w, s->c, p.level, a, b);
    }
}

static void every_pair(void **state, region_fn one, int fields, gpool_keep keep)
{
    static const WGPUFeatureName features[] = { WGPUFeatureName_TextureCompressionBC,
                                                WGPUFeatureName_TextureCompressionASTC };
    bounds_world w;
    sim_desc manners = { .personality = bounds_personality(state),
                         .memory = BOUNDS_MEMORY,
                         .features = features,
                         .feature_count = UNIT_COUNT(features) };
    bounds_open_desc(&w, &manners, NULL);
    bounds_good(&w, gpool_begin_frame(w.pool)); /* state made at the first frame is there */
    (void)gpool_frame_recorder(w.pool);
    bounds_good(&w, gpool_end_frame(w.pool));
    static subject s;
    for (size_t i = 0; i < UNIT_COUNT(kinds); ++i) {
        const kind *k = &kinds[i];
        s.w = &w;
        s.c = canvas_make(&w, k, 100, keep);
        s.other = canvas_make(&w, k, 200, keep);
        s.rec = (gpool_recorder){ 0 };
        bounds_fill(s.bytes, sizeof s.bytes, 300);
        s.memory = bounds_buffer(&w, s.bytes, sizeof s.bytes,
                                 GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_COPY_TARGET |
                                     GPOOL_BUFFER_READ_BACK);
        /* Neighbourhoods of the extents of all levels. */
        bounds_set values = bounds_values32(k->width);
        for (uint32_t level = 0; level < LEVELS; ++level) {
            extent e = extent_of(k, level);
            bounds_set_add(&values, e.width);
            bounds_set_add(&values, e.height);
            bounds_set_add(&values, e.columns * k->block_width);
            bounds_set_add(&values, e.rows * k->block_height);
        }
        bounds_set_add(&values, k->block_width);
        bounds_set_add(&values, k->block_height);
        for (int f = 0; f < fields * fields; ++f) {
            for (uint32_t v = 0; f % fields > f / fields && v < values.count * values.count; ++v) {
                gpool_texture_region region = { .mip_level = 0 };
                uint32_t a = (uint32_t)values.v[v / values.count];
                uint32_t b = (uint32_t)values.v[v % values.count];
                *field_of(&region, f / fields) = a;
                *field_of(&region, f % fields) = b;
                one(&s, &region, a, b);
            }
            frame(&s, false);
            canvas_check_all(&w, s.c);
            canvas_check_all(&w, s.other);
        }
        canvas_free(&w, s.c);
        canvas_free(&w, s.other);
        bounds_good(&w, gpool_buffer_destroy(w.pool, s.memory));
        bounds_settle(&w);
    }
    bounds_close(&w);
}

static void regions_of_texture_write(void **state)
{
    every_pair(state, write_one, FIELDS, GPOOL_KEEP_DROP);
}

static void regions_of_texture_write_with_a_shadow(void **state)
{
    every_pair(state, write_one, FIELDS, GPOOL_KEEP_SHADOW);
}

static void regions_of_texture_edit(void **state)
{
    every_pair(state, edit_one, FIELDS, GPOOL_KEEP_SHADOW);
}

static void regions_of_texture_read(void **state)
{
    every_pair(state, read_one, FIELDS, GPOOL_KEEP_DROP);
}

static void regions_of_read_texture(void **state)
{
    every_pair(state, ticket_one, FIELDS, GPOOL_KEEP_DROP);
}

static void source_regions_of_copy_texture(void **state)
{
    every_pair(state, copy_from_one, FIELDS, GPOOL_KEEP_DROP);
}

static void target_regions_of_copy_texture(void **state)
{
    every_pair(state, copy_to_one, FIELDS, GPOOL_KEEP_DROP);
}

static void regions_of_copies_to_buffers(void **state)
{
    every_pair(state, to_buffer_one, FIELDS, GPOOL_KEEP_DROP);
}

static void regions_of_copies_from_buffers(void **state)
{
    every_pair(state, from_buffer_one, FIELDS, GPOOL_KEEP_DROP);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOUNDS_TEST(regions_of_texture_write),
        BOUNDS_TEST(regions_of_texture_read),
        BOUNDS_TEST(regions_of_texture_edit),
        BOUNDS_TEST(regions_of_texture_write_with_a_shadow),
        BOUNDS_TEST(source_regions_of_copy_texture),
        BOUNDS_TEST(target_regions_of_copy_texture),
        BOUNDS_TEST(regions_of_copies_to_buffers),
        BOUNDS_TEST(regions_of_copies_from_buffers),
        BOUNDS_TEST(regions_of_read_texture),
    };
    return cmocka_run_group_tests_name("bounds of regions", tests, NULL, NULL);
}
