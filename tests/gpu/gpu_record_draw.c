/* Draws: plain, indexed, instanced, indirect; what each leaves in the picture. */
#include "gpu/fixture.h"

#include <string.h>

int gpu_record_draw_run(void);

static const char vertex_wgsl[] =
    "struct Out { @builtin(position) at: vec4f, @location(0) color: vec4f }\n"
    "@vertex fn vs(@location(0) at: vec2f, @location(1) color: vec4f) -> Out {\n"
    "    return Out(vec4f(at, 0.0, 1.0), color);\n"
    "}\n"
    "@fragment fn fs(in: Out) -> @location(0) vec4f { return in.color; }\n";

static const char instance_wgsl[] =
    "struct Out { @builtin(position) at: vec4f, @location(0) color: vec4f }\n"
    "@vertex fn vs(@location(0) at: vec2f, @location(1) color: vec4f,\n"
    "              @location(2) offset: vec2f) -> Out {\n"
    "    return Out(vec4f(at + offset, 0.0, 1.0), color);\n"
    "}\n"
    "@fragment fn fs(in: Out) -> @location(0) vec4f { return in.color; }\n";

#define RED   0xff0000ffu
#define GREEN 0x00ff00ffu
#define BLUE  0x0000ffffu

typedef struct vertex {
    float at[2];
    float color[4];
} vertex;

#define VERTEX_LAYOUT                                                                              \
    {                                                                                              \
        .attributes = {                                                                            \
            { WGPUVertexFormat_Float32x2, 0, 0 },                                                  \
            { WGPUVertexFormat_Float32x4, 8, 1 }                                                   \
        }                                                                                          \
    }

/* Two triangles over column `column` of 4, in one color. */
static void put_column(vertex v[6], uint32_t column, uint32_t rgba)
{
    float x0 = -1.0f + 0.5f * (float)column;
    float x1 = x0 + 0.5f;
    const float at[6][2] = { { x0, -1 }, { x1, -1 }, { x0, 1 }, { x1, -1 }, { x1, 1 }, { x0, 1 } };
    for (int i = 0; i < 6; ++i) {
        memcpy(v[i].at, at[i], sizeof v[i].at);
        for (int c = 0; c < 4; ++c) {
            v[i].color[c] = (float)(rgba >> (24 - 8 * c) & 255u) / 255.0f;
        }
    }
}

/* Vertices of columns 0, 1 and 2 in red, green and blue. */
static gpool_buffer make_columns(fixture *f)
{
    vertex v[18];
    put_column(v, 0, RED);
    put_column(v + 6, 1, GREEN);
    put_column(v + 12, 2, BLUE);
    return fixture_buffer(f, v, sizeof v, GPOOL_BUFFER_VERTEX);
}

static gpool_recorder begin_pass(fixture *f, gpool_texture target)
{
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    return rec;
}

static void end_pass(fixture *f, gpool_recorder rec)
{
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(f->pool));
}

/* Columns of an 8 x 8 picture. */
static void check_columns(fixture *f, gpool_texture target, uint32_t a, uint32_t b, uint32_t c,
                          uint32_t d)
{
    assert_pixel(f, target, 1, 1, a);
    assert_pixel(f, target, 3, 6, b);
    assert_pixel(f, target, 5, 4, c);
    assert_pixel(f, target, 7, 0, d);
}

static void pass_clears_keeps_and_discards(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 8, 8);
    gpool_buffer columns = make_columns(f);
    gpool_pipeline pipeline = fixture_render(
        f, vertex_wgsl, (gpool_render_pipeline_desc){ .vertex_buffers[0] = VERTEX_LAYOUT });
    gpool_render_desc desc = { .color[0] = { .texture = target, .clear = { 0.2, 0.4, 0.6, 0.8 } } };
    assert_good(gpool_begin_frame(f->pool));
    gpool_recorder rec = gpool_frame_recorder(f->pool);
    gpool_begin_render(rec, &desc);
    gpool_end_pass(rec);
    desc.color[0].load = GPOOL_LOAD_KEEP;
    gpool_begin_render(rec, &desc);
    gpool_set_pipeline(rec, pipeline);
    gpool_set_vertex_buffer(rec, 0, columns, 0);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 6 });
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(f->pool));
    check_columns(f, target, RED, 0x336699cc, 0x336699cc, 0x336699cc);
    /* Discarded content is anybody's guess; the pass after it is not. */
    assert_good(gpool_begin_frame(f->pool));
    rec = gpool_frame_recorder(f->pool);
    desc.color[0].store = GPOOL_STORE_DISCARD;
    gpool_begin_render(rec, &desc);
    gpool_end_pass(rec);
    desc = (gpool_render_desc){ .color[0] = { .texture = target } };
    gpool_begin_render(rec, &desc);
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(f->pool));
    check_columns(f, target, 0, 0, 0, 0);
}

static void plain_draw_reads_from_its_first_vertex(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 8, 8);
    gpool_buffer columns = make_columns(f);
    gpool_pipeline pipeline = fixture_render(
        f, vertex_wgsl, (gpool_render_pipeline_desc){ .vertex_buffers[0] = VERTEX_LAYOUT });
    gpool_recorder rec = begin_pass(f, target);
    gpool_set_pipeline(rec, pipeline);
    gpool_set_vertex_buffer(rec, 0, columns, 0);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 6, .first_vertex = 6 });
    gpool_set_vertex_buffer(rec, 0, columns, 12 * sizeof(vertex));
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 6 });
    gpool_draw(rec, &(gpool_draw_args){ 0 });
    end_pass(f, rec);
    check_columns(f, target, 0, GREEN, BLUE, 0);
    assert_int_equal(fixture_stats(f).draws, 2);
}

static void indexed_draw_reads_indices_of_both_formats(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 8, 8);
    gpool_buffer columns = make_columns(f);
    gpool_pipeline pipeline = fixture_render(
        f, vertex_wgsl, (gpool_render_pipeline_desc){ .vertex_buffers[0] = VERTEX_LAYOUT });
    const uint16_t shorts[] = { 99, 0, 1, 2, 3, 4, 5 };
    const uint32_t longs[] = { 12, 13, 14, 15, 16, 17 };
    gpool_buffer of_shorts = fixture_buffer(f, shorts, sizeof shorts, GPOOL_BUFFER_INDEX);
    gpool_buffer of_longs = fixture_buffer(f, longs, sizeof longs, GPOOL_BUFFER_INDEX);
    gpool_recorder rec = begin_pass(f, target);
    gpool_set_pipeline(rec, pipeline);
    gpool_set_vertex_buffer(rec, 0, columns, 0);
    gpool_set_index_buffer(rec, of_shorts, WGPUIndexFormat_Uint16, 0);
    gpool_draw(rec, &(gpool_draw_args){ .index_count = 6, .first_index = 1 });
    gpool_set_index_buffer(rec, of_shorts, WGPUIndexFormat_Uint16, 2);
    gpool_draw(rec, &(gpool_draw_args){ .index_count = 6, .base_vertex = 6 });
    gpool_set_index_buffer(rec, of_longs, WGPUIndexFormat_Uint32, 0);
    gpool_draw(rec, &(gpool_draw_args){ .index_count = 6 });
    end_pass(f, rec);
    check_columns(f, target, RED, GREEN, BLUE, 0);
}

static void indices_out_of_the_bound_buffer_skip_the_draw(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 8, 8);
    gpool_buffer columns = make_columns(f);
    gpool_pipeline pipeline = fixture_render(
        f, vertex_wgsl, (gpool_render_pipeline_desc){ .vertex_buffers[0] = VERTEX_LAYOUT });
    const uint32_t longs[] = { 0, 1, 2, 3, 4, 5 };
    gpool_buffer indices = fixture_buffer(f, longs, sizeof longs, GPOOL_BUFFER_INDEX);
    gpool_recorder rec = begin_pass(f, target);
    gpool_set_pipeline(rec, pipeline);
    gpool_set_vertex_buffer(rec, 0, columns, 0);
    gpool_draw(rec, &(gpool_draw_args){ .index_count = 6 }); /* no index buffer */
    gpool_set_index_buffer(rec, indices, WGPUIndexFormat_Uint32, 0);
    gpool_draw(rec, &(gpool_draw_args){ .index_count = 6, .first_index = 1 });
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 6, .first_vertex = 13 });
    gpool_draw(rec, &(gpool_draw_args){ .index_count = 6 });
    gpool_end_pass(rec);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_WRONG_PHASE);
    fixture_expect(f, GPOOL_LOG_PHASE, 1);
    fixture_expect(f, GPOOL_LOG_RANGE, 2);
    assert_int_equal(fixture_stats(f).skipped, 3);
    check_columns(f, target, RED, 0, 0, 0);
}

static void strip_is_drawn_plain_and_indexed(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 8, 8);
    vertex v[8];
    for (uint32_t i = 0; i < 8; ++i) {
        v[i] = (vertex){ .at = { (i & 1u) != 0 ? (i < 4 ? -0.5f : 0.5f) : (i < 4 ? -1.0f : 0.0f),
                                 (i & 2u) != 0 ? 1.0f : -1.0f },
                         .color = { i < 4 ? 1 : 0, 0, i < 4 ? 0 : 1, 1 } };
    }
    gpool_buffer vertices = fixture_buffer(f, v, sizeof v, GPOOL_BUFFER_VERTEX);
    const uint16_t order[] = { 4, 5, 6, 7 };
    gpool_buffer indices = fixture_buffer(f, order, sizeof order, GPOOL_BUFFER_INDEX);
    gpool_render_pipeline_desc desc = { .vertex_buffers[0] = VERTEX_LAYOUT,
                                        .topology = WGPUPrimitiveTopology_TriangleStrip };
    gpool_pipeline plain = fixture_render(f, vertex_wgsl, desc);
    desc.strip_index_format = WGPUIndexFormat_Uint16;
    gpool_pipeline indexed = fixture_render(f, vertex_wgsl, desc);
    gpool_recorder rec = begin_pass(f, target);
    gpool_set_pipeline(rec, plain);
    gpool_set_vertex_buffer(rec, 0, vertices, 0);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 4 });
    gpool_set_pipeline(rec, indexed);
    gpool_set_index_buffer(rec, indices, WGPUIndexFormat_Uint16, 0);
    gpool_draw(rec, &(gpool_draw_args){ .index_count = 4 });
    end_pass(f, rec);
    check_columns(f, target, RED, 0, BLUE, 0);
}

static void instances_read_their_own_buffer(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 8, 8);
    vertex v[6];
    put_column(v, 0, GREEN);
    gpool_buffer vertices = fixture_buffer(f, v, sizeof v, GPOOL_BUFFER_VERTEX);
    const float offsets[4][2] = { { 0, 0 }, { 0.5f, 0 }, { 1, 0 }, { 1.5f, 0 } };
    gpool_buffer places = fixture_buffer(f, offsets, sizeof offsets, GPOOL_BUFFER_VERTEX);
    gpool_render_pipeline_desc desc = {
        .vertex_buffers = { VERTEX_LAYOUT,
                            { .step = WGPUVertexStepMode_Instance,
                              .attributes[0] = { WGPUVertexFormat_Float32x2, 0, 2 } } }
    };
    gpool_pipeline pipeline = fixture_render(f, instance_wgsl, desc);
    gpool_recorder rec = begin_pass(f, target);
    gpool_set_pipeline(rec, pipeline);
    gpool_set_vertex_buffer(rec, 0, vertices, 0);
    gpool_set_vertex_buffer(rec, 1, places, 0);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 6, .instance_count = 2 });
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 6, .first_instance = 3 });
    end_pass(f, rec);
    check_columns(f, target, GREEN, GREEN, 0, GREEN);
    /* One instance too many is told and skipped. */
    rec = begin_pass(f, target);
    gpool_set_pipeline(rec, pipeline);
    gpool_set_vertex_buffer(rec, 0, vertices, 0);
    gpool_set_vertex_buffer(rec, 1, places, 0);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 6, .instance_count = 5 });
    gpool_end_pass(rec);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_OUT_OF_RANGE);
    fixture_expect(f, GPOOL_LOG_RANGE, 1);
    check_columns(f, target, 0, 0, 0, 0);
}

static void indirect_draws_take_their_counts_from_a_buffer(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 8, 8);
    gpool_buffer columns = make_columns(f);
    gpool_pipeline pipeline = fixture_render(
        f, vertex_wgsl, (gpool_render_pipeline_desc){ .vertex_buffers[0] = VERTEX_LAYOUT });
    const uint32_t args[] = { 77, 6, 1, 0, 0, 6, 1, 1, 6, 0 };
    const uint32_t order[] = { 9, 0, 1, 2, 3, 4, 5 };
    gpool_buffer arguments = fixture_buffer(f, args, sizeof args, GPOOL_BUFFER_INDIRECT);
    gpool_buffer indices = fixture_buffer(f, order, sizeof order, GPOOL_BUFFER_INDEX);
    gpool_recorder rec = begin_pass(f, target);
    gpool_set_pipeline(rec, pipeline);
    gpool_set_vertex_buffer(rec, 0, columns, 0);
    gpool_draw_indirect(rec, arguments, 4, false);
    gpool_set_index_buffer(rec, indices, WGPUIndexFormat_Uint32, 0);
    gpool_draw_indirect(rec, arguments, 20, true);
    /* Written after the record, seen by it. */
    const uint32_t first = 12;
    assert_good(gpool_buffer_write(f->pool, arguments, 32, &first, 4));
    end_pass(f, rec);
    check_columns(f, target, RED, 0, BLUE, 0);
    rec = begin_pass(f, target);
    gpool_set_pipeline(rec, pipeline);
    gpool_set_vertex_buffer(rec, 0, columns, 0);
    gpool_set_index_buffer(rec, indices, WGPUIndexFormat_Uint32, 0);
    gpool_draw_indirect(rec, arguments, 24, true);
    gpool_draw_indirect(rec, arguments, 2, false);
    gpool_draw_indirect(rec, indices, 0, false);
    gpool_end_pass(rec);
    assert_result(gpool_end_frame(f->pool), GPOOL_ERROR_OUT_OF_RANGE);
    fixture_expect(f, GPOOL_LOG_RANGE, 1);
    fixture_expect(f, GPOOL_LOG_ALIGNMENT, 1);
    fixture_expect(f, GPOOL_LOG_USAGE, 1);
    check_columns(f, target, 0, 0, 0, 0);
}

static void vertex_write_after_record_is_seen_by_the_draw(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 8, 8);
    vertex v[6];
    put_column(v, 0, RED);
    gpool_buffer vertices = fixture_buffer(f, v, sizeof v, GPOOL_BUFFER_VERTEX);
    gpool_pipeline pipeline = fixture_render(
        f, vertex_wgsl, (gpool_render_pipeline_desc){ .vertex_buffers[0] = VERTEX_LAYOUT });
    gpool_recorder rec = begin_pass(f, target);
    gpool_set_pipeline(rec, pipeline);
    gpool_set_vertex_buffer(rec, 0, vertices, 0);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 6 });
    put_column(v, 3, BLUE);
    assert_good(gpool_buffer_write(f->pool, vertices, 0, v, sizeof v));
    end_pass(f, rec);
    check_columns(f, target, 0, 0, 0, BLUE);
}

static void packed_vertex_formats_in_two_slots(void **state)
{
    fixture *f = *state;
    gpool_texture target = fixture_target(f, 8, 8);
    const int8_t at[6][2] = { { -127, -127 }, { 0, -127 }, { -127, 127 },
                              { 0, -127 },    { 0, 127 },  { -127, 127 } };
    uint8_t colors[6][4];
    for (int i = 0; i < 6; ++i) {
        memcpy(colors[i], (uint8_t[4]){ 255, 0, 0, 255 }, 4);
    }
    uint8_t places[24] = { 0 };
    for (int i = 0; i < 6; ++i) {
        memcpy(places + (size_t)i * 4, at[i], 2);
    }
    gpool_buffer positions = fixture_buffer(f, places, sizeof places, GPOOL_BUFFER_VERTEX);
    gpool_buffer tints = fixture_buffer(f, colors, sizeof colors, GPOOL_BUFFER_VERTEX);
    gpool_render_pipeline_desc desc = { 0 };
    desc.vertex_buffers[0].attributes[0] = (gpool_attribute){ WGPUVertexFormat_Snorm8x2, 0, 0 };
    desc.vertex_buffers[1].attributes[0] = (gpool_attribute){ WGPUVertexFormat_Unorm8x4, 0, 1 };
    gpool_pipeline pipeline = fixture_render(f, vertex_wgsl, desc);
    gpool_recorder rec = begin_pass(f, target);
    gpool_set_pipeline(rec, pipeline);
    gpool_set_vertex_buffer(rec, 0, positions, 0);
    gpool_set_vertex_buffer(rec, 1, tints, 0);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 6 });
    end_pass(f, rec);
    check_columns(f, target, RED, RED, 0, 0);
}

static void gap_between_vertex_slots_is_refused(void **state)
{
    fixture *f = *state;
    gpool_shader shader = fixture_shader(f, vertex_wgsl);
    for (int slot = 0; slot < 2; ++slot) {
        gpool_render_pipeline_desc desc = { .shader = shader };
        desc.vertex_buffers[slot].attributes[0] =
            (gpool_attribute){ WGPUVertexFormat_Float32x2, 0, 0 };
        desc.vertex_buffers[3].attributes[0] =
            (gpool_attribute){ WGPUVertexFormat_Float32x4, 0, 1 };
        assert_int_equal(gpool_render_pipeline_create(f->pool, &desc).id, 0);
        assert_int_equal(gpool_last_error(f->pool)->code, GPOOL_ERROR_INVALID_ARGUMENT);
    }
    fixture_expect(f, GPOOL_LOG_ARGUMENT_VALUE, 2);
}

int gpu_record_draw_run(void)
{
    static const struct CMUnitTest tests[] = {
        FIXTURE_TEST(pass_clears_keeps_and_discards),
        FIXTURE_TEST(plain_draw_reads_from_its_first_vertex),
        FIXTURE_TEST(indexed_draw_reads_indices_of_both_formats),
        FIXTURE_TEST(indices_out_of_the_bound_buffer_skip_the_draw),
        FIXTURE_TEST(strip_is_drawn_plain_and_indexed),
        FIXTURE_TEST(instances_read_their_own_buffer),
        FIXTURE_TEST(indirect_draws_take_their_counts_from_a_buffer),
        FIXTURE_TEST(vertex_write_after_record_is_seen_by_the_draw),
        FIXTURE_TEST(packed_vertex_formats_in_two_slots),
        FIXTURE_TEST(gap_between_vertex_slots_is_refused),
    };
    return FIXTURE_RUN("record_draw", tests);
}
