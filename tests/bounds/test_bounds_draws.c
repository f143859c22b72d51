/* Numbers of passes: attachments, vertex and index buffers, draws, dispatches, viewport, scissor. */
#include "bounds.h"

#include <inttypes.h>
#include <math.h>

#define WIDTH  16u
#define HEIGHT 8u
#define STRIDE 12u /* of vertices */
#define LAST   8u  /* bytes that the last vertex needs */
#define FEW    20u /* bytes of an instance */

static const char draw_wgsl[] = "@vertex fn vs() -> @builtin(position) vec4f { return vec4f(); }\n"
                                "@fragment fn fs() -> @location(0) vec4f { return vec4f(); }\n";
static const char work_wgsl[] = "@compute @workgroup_size(1) fn main() {}\n";

typedef struct stage {
    bounds_world w;
    gpool_texture target;
    gpool_pipeline bare;     /* no vertex buffers */
    gpool_pipeline vertices; /* slot 0 by vertex, slot 1 by instance */
    gpool_pipeline work;
    gpool_recorder rec;
    gpool_buffer buffer; /* VERTEX, INDEX, INDIRECT */
    uint64_t size;
} stage;

static void nothing(const sim_work *work, void *user)
{
    (void)work;
    (void)user;
}

static void open_stage(stage *s, void **state, uint64_t size)
{
    WGPULimits limits = { .maxComputeWorkgroupsPerDimension = 257 };
    *s = (stage){ .size = size };
    bounds_world *w = &s->w;
    bounds_open(w, bounds_personality(state), &limits);
    sim_register_shader(w->s, work_wgsl, nothing, NULL);
    gpool_texture_desc target = { .width = WIDTH,
                                  .height = HEIGHT,
                                  .format = WGPUTextureFormat_RGBA8Unorm,
                                  .usage = GPOOL_TEXTURE_TARGET };
    s->target = gpool_texture_create(w->pool, &target);
    gpool_shader shader = gpool_shader_create(w->pool, &(gpool_shader_desc){ .wgsl = draw_wgsl });
    gpool_shader work = gpool_shader_create(w->pool, &(gpool_shader_desc){ .wgsl = work_wgsl });
    gpool_render_pipeline_desc desc = { .shader = shader,
                                        .colors[0] = { .format = WGPUTextureFormat_RGBA8Unorm },
                                        .samples = 1 };
    s->bare = gpool_render_pipeline_create(w->pool, &desc);
    desc.vertex_buffers[0] = (gpool_vertex_layout){
        .stride = STRIDE,
        .attributes[0] = { .format = WGPUVertexFormat_Float32x2 },
    };
    desc.vertex_buffers[1] = (gpool_vertex_layout){
        .stride = FEW,
        .step = WGPUVertexStepMode_Instance,
        .attributes[0] = { .format = WGPUVertexFormat_Float32, .shader_location = 1 },
    };
    s->vertices = gpool_render_pipeline_create(w->pool, &desc);
    s->work =
        gpool_compute_pipeline_create(w->pool, &(gpool_compute_pipeline_desc){ .shader = work });
    bounds_good(w, gpool_pipeline_status(w->pool, s->bare));
    bounds_good(w, gpool_pipeline_status(w->pool, s->vertices));
    bounds_good(w, gpool_pipeline_status(w->pool, s->work));
    s->buffer = bounds_buffer(w, NULL, size,
                              GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_INDEX | GPOOL_BUFFER_INDIRECT);
}

static void begin(stage *s, bool render)
{
    s->rec = bounds_begin(&s->w);
    if (render) {
        gpool_render_desc desc = { .color[0] = { .texture = s->target } };
        gpool_begin_render(s->rec, &desc);
    } else {
        gpool_begin_compute(s->rec, NULL);
    }
}

static void end(stage *s, bool skipped)
{
    bounds_end_pass(&s->w, s->rec, skipped);
}

/* A draw that was let through reached the GPU with these numbers. */
static void drawn(stage *s, uint64_t index, const uint32_t counts[4], int32_t base, uint64_t a,
                  uint64_t b)
{
    sim_draw draw;
    bounds_must(&s->w, sim_get_draw(s->w.s, index, &draw), "the draw is there", a, b);
    bounds_must(&s->w,
                memcmp(draw.counts, counts, sizeof draw.counts) == 0 && draw.base_vertex == base,
                "the draw's numbers are right", a, b);
}

/* --- buffers of draws --- */

static void slots_and_offsets_of_vertex_buffers(void **state)
{
    static const uint64_t sizes[] = { 256, 255, 1, 4 };
    for (size_t i = 0; i < UNIT_COUNT(sizes); ++i) {
        stage s;
        open_stage(&s, state, sizes[i]);
        bounds_set slots = bounds_values32(GPOOL_MAX_VERTEX_BUFFERS);
        bounds_set offsets = bounds_values(sizes[i]);
        begin(&s, true);
        for (uint32_t k = 0; k < slots.count * offsets.count; ++k) {
            uint32_t slot = (uint32_t)slots.v[k / offsets.count];
            uint64_t offset = offsets.v[k % offsets.count];
            bounds_oracle o = { 0 };
            bounds_rule(&o, slot >= GPOOL_MAX_VERTEX_BUFFERS, GPOOL_ERROR_OUT_OF_RANGE, slot);
            bounds_rule_aligned(&o, offset, 4);
            bounds_rule(&o, offset >= s.size, GPOOL_ERROR_OUT_OF_RANGE, offset);
            bounds_before(&s.w, "gpool_set_vertex_buffer");
            gpool_set_vertex_buffer(s.rec, slot, s.buffer, offset);
            (void)bounds_after_record(&s.w, &o, slot, offset);
        }
        end(&s, true);
        bounds_close(&s.w);
    }
}

static void formats_and_offsets_of_index_buffers(void **state)
{
    static const uint64_t sizes[] = { 256, 254, 2, 4, 1 };
    for (size_t i = 0; i < UNIT_COUNT(sizes); ++i) {
        stage s;
        open_stage(&s, state, sizes[i]);
        bounds_set formats = bounds_values32(0);
        bounds_set offsets = bounds_values(sizes[i]);
        begin(&s, true);
        for (uint32_t k = 0; k < formats.count * offsets.count; ++k) {
            uint32_t format = (uint32_t)formats.v[k / offsets.count];
            uint64_t offset = offsets.v[k % offsets.count];
            bounds_oracle o = { 0 };
            bool known = format == WGPUIndexFormat_Uint16 || format == WGPUIndexFormat_Uint32;
            bounds_rule_plain(&o, !known, GPOOL_ERROR_INVALID_ARGUMENT);
            bounds_rule_aligned(&o, offset, format == WGPUIndexFormat_Uint16 ? 2 : 4);
            bounds_rule(&o, offset >= s.size, GPOOL_ERROR_OUT_OF_RANGE, offset);
            bounds_before(&s.w, "gpool_set_index_buffer");
            gpool_set_index_buffer(s.rec, s.buffer, (WGPUIndexFormat)format, offset);
            (void)bounds_after_record(&s.w, &o, format, offset);
        }
        end(&s, true);
        bounds_close(&s.w);
    }
}

static void offsets_of_indirect_arguments(void **state)
{
    static const uint64_t sizes[] = { 256, 255, 20, 16, 12, 11 };
    for (size_t i = 0; i < UNIT_COUNT(sizes); ++i) {
        stage s;
        open_stage(&s, state, sizes[i]);
        gpool_buffer indices = bounds_buffer(&s.w, NULL, 64, GPOOL_BUFFER_INDEX);
        bounds_set offsets = bounds_values(sizes[i] >= 20 ? sizes[i] - 20 : sizes[i]);
        bounds_set_add(&offsets, sizes[i] - 12);
        bounds_set_add(&offsets, sizes[i] - 16);
        for (int kind = 0; kind < 3; ++kind) {
            static const uint64_t needs[] = { 16, 20, 12 };
            begin(&s, kind < 2);
            gpool_set_pipeline(s.rec, kind < 2 ? s.bare : s.work);
            if (kind < 2) {
                gpool_set_index_buffer(s.rec, indices, WGPUIndexFormat_Uint16, 4);
            }
            for (uint32_t k = 0; k < offsets.count; ++k) {
                uint64_t offset = offsets.v[k];
                bounds_oracle o = { 0 };
                bounds_rule_aligned(&o, offset, 4);
                bounds_rule(&o, !bounds_inside(offset, needs[kind], s.size),
                            GPOOL_ERROR_OUT_OF_RANGE, offset);
                bounds_before(&s.w, kind == 2 ? "gpool_dispatch_indirect" : "gpool_draw_indirect");
                if (kind < 2) {
                    gpool_draw_indirect(s.rec, s.buffer, offset, kind == 1);
                } else {
                    gpool_dispatch_indirect(s.rec, s.buffer, offset);
                }
                (void)bounds_after_record(&s.w, &o, offset, s.size);
            }
            end(&s, true);
        }
        bounds_close(&s.w);
    }
}

/* --- draws --- */

/* Elements [first, first + count) of `stride` bytes, the last one `last`, are in `bytes`. */
static void rule_elements(bounds_oracle *o, uint64_t first, uint64_t count, uint64_t stride,
                          uint64_t last, uint64_t bytes)
{
    bounds_wide end = count == 0 ? 0 : ((bounds_wide)first + count - 1) * stride + last;
    bounds_rule(o, end > bytes, GPOOL_ERROR_OUT_OF_RANGE, first);
    bounds_rule(o, end > bytes, GPOOL_ERROR_OUT_OF_RANGE, count);
}

static void draw_one(stage *s, const gpool_draw_args *args, const bounds_oracle *o,
                     const uint32_t counts[4], uint64_t a, uint64_t b)
{
    begin(s, true);
    gpool_set_pipeline(s->rec, s->vertices);
    gpool_set_vertex_buffer(s->rec, 0, s->buffer, 16);
    gpool_set_vertex_buffer(s->rec, 1, s->buffer, 4);
    gpool_set_index_buffer(s->rec, s->buffer, WGPUIndexFormat_Uint16, 2);
    bounds_before(&s->w, "gpool_draw");
    gpool_draw(s->rec, args);
    bool good = bounds_after_record(&s->w, o, a, b);
    uint64_t draws = bounds_stats(&s->w).draws;
    bool empty = counts == NULL;
    bounds_must(&s->w, draws == s->w.before.draws + (good && !empty), "draws are counted", a, b);
    uint64_t index = sim_draw_count(s->w.s);
    end(s, !good);
    if (good && !empty) {
        drawn(s, index, counts, args->base_vertex, a, b);
    } else {
        bounds_must(&s->w, sim_draw_count(s->w.s) == index, "nothing is drawn", a, b);
    }
}

static void counts_and_firsts_of_draws(void **state)
{
    stage s;
    open_stage(&s, state, 304);
    bounds_set values = bounds_values32(24); /* vertices that fit: (304 - 16 - 8) / 12 + 1 */
    bounds_set_add(&values, 15);             /* instances that fit: (304 - 4 - 4) / 20 + 1 */
    bounds_set_add(&values, 16);
    for (uint32_t k = 0; k < values.count * values.count; ++k) {
        uint32_t a = (uint32_t)values.v[k / values.count];
        uint32_t b = (uint32_t)values.v[k % values.count];
        bounds_oracle o = { 0 };
        if (a != 0) {
            rule_elements(&o, b, a, STRIDE, LAST, 304 - 16);
        }
        const uint32_t plain[4] = { a, 1, b, 0 };
        draw_one(&s, &(gpool_draw_args){ .vertex_count = a, .first_vertex = b }, &o,
                 a != 0 ? plain : NULL, a, b);

        o = (bounds_oracle){ 0 };
        rule_elements(&o, b, a != 0 ? a : 1, FEW, 4, 304 - 4);
        const uint32_t instances[4] = { 3, a != 0 ? a : 1, 0, b };
        draw_one(&s,
                 &(gpool_draw_args){ .vertex_count = 3, .instance_count = a, .first_instance = b },
                 &o, instances, a, b);
        o = (bounds_oracle){ 0 };
        bounds_rule_plain(&o, a != 0 && b != 0, GPOOL_ERROR_INVALID_ARGUMENT);
        if (o.count > 0) {
            draw_one(&s, &(gpool_draw_args){ .vertex_count = a, .index_count = b }, &o, NULL, a, b);
        }
    }
    bounds_close(&s.w);
}

static void counts_and_firsts_of_indexed_draws(void **state)
{
    stage s;
    open_stage(&s, state, 304);
    bounds_set values = bounds_values32(151); /* indices that fit: (304 - 2) / 2 */
    for (uint32_t k = 0; k < values.count * values.count; ++k) {
        uint32_t a = (uint32_t)values.v[k / values.count];
        uint32_t b = (uint32_t)values.v[k % values.count];
        bounds_oracle o = { 0 };
        if (a != 0) {
            rule_elements(&o, b, a, 2, 2, 304 - 2);
        }
        /* The odd offset is two bytes into a word: the GPU skips one index more. */
        const uint32_t counts[4] = { a, 1, b + 1, 0 };
        gpool_draw_args args = { .index_count = a,
                                 .first_index = b,
                                 .base_vertex = (int32_t)(a ^ b) };
        draw_one(&s, &args, &o, a != 0 ? counts : NULL, a, b);
        o = (bounds_oracle){ 0 };
        rule_elements(&o, b, a != 0 ? a : 1, FEW, 4, 304 - 4);
        const uint32_t instances[4] = { 3, a != 0 ? a : 1, 1, b };
        args = (gpool_draw_args){ .index_count = 3, .instance_count = a, .first_instance = b };
        draw_one(&s, &args, &o, instances, a, b);
    }
    bounds_close(&s.w);
}

static void workgroups_of_dispatches(void **state)
{
    stage s;
    open_stage(&s, state, 16);
    bounds_set values = bounds_values32(257);
    begin(&s, false);
    gpool_set_pipeline(s.rec, s.work);
    uint64_t dispatched = 0;
    for (uint32_t k = 0; k < values.count * values.count * values.count; ++k) {
        uint32_t x = (uint32_t)values.v[k / values.count / values.count];
        uint32_t y = (uint32_t)values.v[k / values.count % values.count];
        uint32_t z = (uint32_t)values.v[k % values.count];
        bounds_oracle o = { 0 };
        bool none = x == 0 || y == 0 || z == 0;
        bounds_rule(&o, !none && x > 257, GPOOL_ERROR_LIMIT, x);
        bounds_rule(&o, !none && y > 257, GPOOL_ERROR_LIMIT, y);
        bounds_rule(&o, !none && z > 257, GPOOL_ERROR_LIMIT, z);
        bounds_before(&s.w, "gpool_dispatch");
        gpool_dispatch(s.rec, x, y, z);
        dispatched += bounds_after_record(&s.w, &o, x, y) && !none;
    }
    end(&s, true);
    assert_same(sim_dispatch_count(s.w.s), dispatched);
    bounds_close(&s.w);
}

/* --- state of passes --- */

static void pairs_of_scissor(void **state)
{
    stage s;
    open_stage(&s, state, 16);
    bounds_set values = bounds_values32(WIDTH);
    bounds_set_add(&values, HEIGHT - 1);
    bounds_set_add(&values, HEIGHT);
    begin(&s, true);
    for (uint32_t k = 0; k < 6 * values.count * values.count; ++k) {
        static const int pairs[6][2] = {
            { 0, 1 }, { 0, 2 }, { 0, 3 }, { 1, 2 }, { 1, 3 }, { 2, 3 }
        };
        uint32_t r[4] = { 0, 0, 0, 0 };
        uint32_t a = (uint32_t)values.v[k / 6 / values.count];
        uint32_t b = (uint32_t)values.v[k / 6 % values.count];
        r[pairs[k % 6][0]] = a;
        r[pairs[k % 6][1]] = b;
        bounds_oracle o = { 0 };
        bounds_rule_range(&o, r[0], r[2], WIDTH);
        bounds_rule_range(&o, r[1], r[3], HEIGHT);
        bounds_before(&s.w, "gpool_set_scissor");
        gpool_set_scissor(s.rec, r[0], r[1], r[2], r[3]);
        (void)bounds_after_record(&s.w, &o, a, b);
        bounds_before(&s.w, "gpool_set_stencil_reference");
        gpool_set_stencil_reference(s.rec, a);
        o = (bounds_oracle){ 0 };
        (void)bounds_after_record(&s.w, &o, a, b);
    }
    end(&s, true);
    bounds_close(&s.w);
}

/* WebGPU adds floats: what is over by less than a rounding is inside. */
static bool view_inside(float origin, float extent, float whole)
{
    return origin >= 0 && extent >= 0 && origin + extent <= whole;
}

static void pairs_of_viewport(void **state)
{
    stage s;
    open_stage(&s, state, 16);
    float values[40] = { -INFINITY, INFINITY, NAN,   -0.0f, -1.0f,          -0x1p-149f,
                         0x1p-149f, 0.5f,     8.5f,  7.5f,  7.0f,           8.0f,
                         9.0f,      15.0f,    16.0f, 17.0f, 0x1.fffffep127f };
    uint32_t count = 17;
    bounds_set whole = bounds_values(0);
    for (uint32_t i = 0; i < whole.count && count < UNIT_COUNT(values); ++i) {
        values[count++] = (float)whole.v[i];
    }
    begin(&s, true);
    for (uint32_t k = 0; k < 15 * count * count; ++k) {
        float v[6] = { 0, 0, 1, 1, 0, 1 };
        uint32_t pair = k % 15;
        uint32_t first = 0;
        while (pair >= 5 - first) {
            pair -= 5 - first;
            first += 1;
        }
        uint32_t second = first + 1 + pair;
        v[first] = values[k / 15 / count];
        v[second] = values[k / 15 % count];
        bounds_oracle o = { 0 };
        bool finite = true;
        for (int i = 0; i < 6; ++i) {
            finite = finite && isfinite(v[i]);
        }
        bounds_rule_plain(&o, !finite, GPOOL_ERROR_INVALID_ARGUMENT);
        bool inside = view_inside(v[0], v[2], WIDTH) && view_inside(v[1], v[3], HEIGHT) &&
                      v[4] >= 0 && v[5] <= 1 && v[4] <= v[5];
        bounds_rule_plain(&o, !inside, GPOOL_ERROR_OUT_OF_RANGE);
        bounds_before(&s.w, "gpool_set_viewport");
        gpool_set_viewport(s.rec, v[0], v[1], v[2], v[3], v[4], v[5]);
        (void)bounds_after_record(&s.w, &o, first * 10 + second, k / 15);
        double rgba[4] = { 0, 0, 0, 0 };
        rgba[k % 4] = (double)values[k / 15 / count];
        o = (bounds_oracle){ 0 };
        bounds_rule_plain(&o, !isfinite(rgba[k % 4]), GPOOL_ERROR_INVALID_ARGUMENT);
        bounds_before(&s.w, "gpool_set_blend_constant");
        gpool_set_blend_constant(s.rec, rgba);
        (void)bounds_after_record(&s.w, &o, k % 4, k / 15);
    }
    end(&s, true);
    bounds_close(&s.w);
}

/* --- attachments --- */

static void levels_and_layers_of_attachments(void **state)
{
    static const struct {
        WGPUTextureFormat format;
        WGPUTextureDimension dimension;
    } targets[] = { { WGPUTextureFormat_RGBA8Unorm, WGPUTextureDimension_2D },
                    { WGPUTextureFormat_RGBA8Unorm, WGPUTextureDimension_3D },
                    { WGPUTextureFormat_Depth24PlusStencil8, WGPUTextureDimension_2D } };
    stage s;
    open_stage(&s, state, 16);
    bounds_set values = bounds_values32(5);
    for (size_t i = 0; i < UNIT_COUNT(targets); ++i) {
        bool solid = targets[i].dimension == WGPUTextureDimension_3D;
        gpool_texture_desc desc = { .width = 8,
                                    .height = 8,
                                    .depth_or_layers = 5,
                                    .dimension = targets[i].dimension,
                                    .format = targets[i].format,
                                    .mip_levels = 3,
                                    .usage = GPOOL_TEXTURE_TARGET };
        gpool_texture texture = gpool_texture_create(s.w.pool, &desc);
        for (uint32_t k = 0; k < values.count * values.count; ++k) {
            uint32_t level = (uint32_t)values.v[k / values.count];
            uint32_t layer = (uint32_t)values.v[k % values.count];
            gpool_render_desc pass = {
                .color[0] = { .texture = texture, .mip_level = level, .layer = layer }
            };
            if (i == 2) {
                pass = (gpool_render_desc){ .depth = { .texture = texture,
                                                       .mip_level = level,
                                                       .layer = layer,
                                                       .stencil_clear = layer } };
            }
            bounds_oracle o = { 0 };
            uint32_t layers = solid && level < 32 ? 5u >> level : 5;
            bounds_rule(&o, level >= 3, GPOOL_ERROR_OUT_OF_RANGE, level);
            bounds_rule(&o, layer >= (layers > 0 ? layers : 1), GPOOL_ERROR_OUT_OF_RANGE, layer);
            gpool_recorder rec = bounds_begin(&s.w);
            gpool_push_group(rec, "makes the encoder");
            gpool_pop_group(rec);
            bounds_before(&s.w, "gpool_begin_render");
            gpool_begin_render(rec, &pass);
            bool good = bounds_after_record(&s.w, &o, level, layer);
            gpool_end_pass(rec);
            bounds_end(&s.w, !good);
        }
        bounds_good(&s.w, gpool_texture_destroy(s.w.pool, texture));
    }
    bounds_close(&s.w);
}

/* Loads, stores and clears are enumerations and finite numbers. */
static void loads_stores_and_clears_of_attachments(void **state)
{
    stage s;
    open_stage(&s, state, 16);
    gpool_texture_desc depth_desc = { .width = WIDTH,
                                      .height = HEIGHT,
                                      .format = WGPUTextureFormat_Depth24PlusStencil8,
                                      .usage = GPOOL_TEXTURE_TARGET };
    gpool_texture depth = gpool_texture_create(s.w.pool, &depth_desc);
    bounds_set values = bounds_values32(0);
    for (uint32_t k = 0; k < 4 * values.count * values.count; ++k) {
        uint32_t a = (uint32_t)values.v[k / 4 / values.count];
        uint32_t b = (uint32_t)values.v[k / 4 % values.count];
        gpool_render_desc pass = { .color[0] = { .texture = s.target },
                                   .depth = { .texture = depth } };
        bounds_oracle o = { 0 };
        if (k % 4 == 0) {
            pass.color[0].load = (gpool_load_op)a;
            pass.color[0].store = (gpool_store_op)b;
        } else if (k % 4 == 1) {
            pass.depth.load = (gpool_load_op)a;
            pass.depth.store = (gpool_store_op)b;
        } else if (k % 4 == 2) {
            pass.depth.stencil_load = (gpool_load_op)a;
            pass.depth.stencil_store = (gpool_store_op)b;
        } else {
            static const float clears[] = { 0.0f,       1.0f, GPOOL_DEPTH_ZERO, 0.5f, -0.5f, -2.0f,
                                            1.0000001f, NAN,  INFINITY };
            float clear = clears[k / 4 % UNIT_COUNT(clears)];
            pass.depth.clear = clear;
            bounds_rule_plain(&o, !(clear >= 0 && clear <= 1) && clear != GPOOL_DEPTH_ZERO,
                              GPOOL_ERROR_INVALID_ARGUMENT);
        }
        bounds_rule_plain(&o, k % 4 < 3 && (a > 1 || b > 1), GPOOL_ERROR_INVALID_ARGUMENT);
        gpool_recorder rec = bounds_begin(&s.w);
        gpool_push_group(rec, "makes the encoder");
        gpool_pop_group(rec);
        bounds_before(&s.w, "gpool_begin_render");
        gpool_begin_render(rec, &pass);
        bool good = bounds_after_record(&s.w, &o, a, b);
        gpool_end_pass(rec);
        bounds_end(&s.w, !good);
    }
    bounds_close(&s.w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOUNDS_TEST(slots_and_offsets_of_vertex_buffers),
        BOUNDS_TEST(formats_and_offsets_of_index_buffers),
        BOUNDS_TEST(offsets_of_indirect_arguments),
        BOUNDS_TEST(counts_and_firsts_of_draws),
        BOUNDS_TEST(counts_and_firsts_of_indexed_draws),
        BOUNDS_TEST(workgroups_of_dispatches),
        BOUNDS_TEST(pairs_of_scissor),
        BOUNDS_TEST(pairs_of_viewport),
        BOUNDS_TEST(levels_and_layers_of_attachments),
        BOUNDS_TEST(loads_stores_and_clears_of_attachments),
    };
    return cmocka_run_group_tests_name("bounds of draws", tests, NULL, NULL);
}
