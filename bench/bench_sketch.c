#include "bench_sketch.h"

#include <string.h>

#define SKETCH_SEED     20260103u
#define SKETCH_TARGET   16u
#define SKETCH_SCENE    500u /* frames from scene to scene */
#define SKETCH_WRITABLE 4u   /* the first buffers are written by the GPU, too */

enum {
    SKETCH_TO_TARGET,
    SKETCH_TO_WINDOW,
    SKETCH_COMPUTE,
    SKETCH_PIPELINES
};

static const char sketch_render_wgsl[] =
    "struct Uniforms { color: vec4f, place: vec4f }\n"
    "@group(0) @binding(0) var<uniform> u: Uniforms;\n"
    "@group(1) @binding(0) var picture: texture_2d<f32>;\n"
    "@group(1) @binding(1) var soft: sampler;\n"
    "@group(1) @binding(2) var<storage, read> table: array<vec4f>;\n"
    "@vertex fn vs(@location(0) at: vec2f) -> @builtin(position) vec4f {\n"
    "    return vec4f(at * u.place.zw + u.place.xy, 0.0, 1.0);\n"
    "}\n"
    "@fragment fn fs() -> @location(0) vec4f {\n"
    "    return u.color * textureSampleLevel(picture, soft, vec2f(0.5), 0.0) + table[0];\n"
    "}\n";

static const char sketch_compute_wgsl[] =
    "@group(0) @binding(0) var<storage, read_write> numbers: array<u32>;\n"
    "@compute @workgroup_size(1) fn main(@builtin(global_invocation_id) id: vec3u) {\n"
    "    numbers[id.x] = numbers[id.x] * 3 + 1;\n"
    "}\n";

static void sketch_numbers(uint8_t *bytes, uint64_t size, uint32_t count)
{
    for (uint32_t i = 0; i < count && i < size / 4; ++i) {
        uint32_t number;
        memcpy(&number, bytes + (size_t)i * 4, 4);
        number = number * 3 + 1;
        memcpy(bytes + (size_t)i * 4, &number, 4);
    }
}

static void sketch_host_numbers(const sim_work *work, void *user)
{
    uint64_t size = 0;
    uint8_t *bytes = sim_work_buffer(work, 0, 0, &size);
    (void)user;
    if (bytes != NULL) {
        sketch_numbers(bytes, size, sim_work_counts(work)[0]);
    }
}

/* A number from 0 to below `below`. */
static uint32_t sketch_below(sketch *s, uint32_t below)
{
    return (uint32_t)((bench_random(&s->random) >> 32) * below >> 32);
}

static bool sketch_once_in(sketch *s, uint32_t frames)
{
    return sketch_below(s, frames) == 0;
}

static void sketch_check(sketch *s, bool good)
{
    s->errors += !good;
}

static void sketch_random_bytes(sketch *s, void *target, uint64_t size)
{
    for (uint64_t i = 0; i < size; i += 4) {
        const uint32_t bits = (uint32_t)bench_random(&s->random);
        memcpy((uint8_t *)target + i, &bits, size - i < 4 ? (size_t)(size - i) : 4);
    }
}

/* --- buffers --- */

static void sketch_make_buffer(sketch *s, uint32_t index, uint64_t size)
{
    sketch_buffer *b = &s->buffers[index];
    const bool writable = index < SKETCH_WRITABLE;
    sketch_random_bytes(s, b->bytes, size);
    b->size = size;
    b->buffer = gpool_buffer_create(
        s->pool,
        &(gpool_buffer_desc){
            .data = b->bytes,
            .size = size,
            .usage = GPOOL_BUFFER_READ_BACK | GPOOL_BUFFER_COPY_SOURCE |
                     (writable ? GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_COPY_TARGET
                               : GPOOL_BUFFER_STORAGE | GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_INDEX),
            .label = writable ? "numbers" : "shape",
        });
    sketch_check(s, b->buffer.id != 0);
}

static uint64_t sketch_size(sketch *s)
{
    return 64 + 4 * (uint64_t)sketch_below(s, (SKETCH_MOST_BYTES - 64) / 4 + 1);
}

static void sketch_replace_buffer(sketch *s, uint32_t index, uint64_t size)
{
    sketch_check(s, gpool_buffer_destroy(s->pool, s->buffers[index].buffer) == GPOOL_OK);
    sketch_make_buffer(s, index, size);
}

static void sketch_resize_buffer(sketch *s, uint32_t index)
{
    sketch_buffer *b = &s->buffers[index];
    const uint64_t size = sketch_size(s);
    if (size > b->size) {
        memset(b->bytes + b->size, 0, (size_t)(size - b->size));
    }
    b->size = size;
    sketch_check(s, gpool_buffer_resize(s->pool, b->buffer, size) == GPOOL_OK);
}

static void sketch_write_buffer(sketch *s, uint32_t index)
{
    sketch_buffer *b = &s->buffers[index];
    const uint32_t unit = index < SKETCH_WRITABLE ? 4 : 1;
    const uint32_t most = b->size > 256 ? 256 : (uint32_t)b->size;
    const uint32_t size = unit * sketch_below(s, most / unit + 1);
    const uint64_t offset = unit * (uint64_t)sketch_below(s, (uint32_t)(b->size - size) / unit + 1);
    sketch_random_bytes(s, b->bytes + offset, size);
    sketch_check(s, gpool_buffer_write(s->pool, b->buffer, offset, b->bytes + offset, size) ==
                        GPOOL_OK);
}

void sketch_read_buffer(sketch *s, uint32_t index)
{
    const sketch_buffer *b = &s->buffers[index];
    uint8_t got[SKETCH_MOST_BYTES];
    sketch_check(s, gpool_buffer_read(s->pool, b->buffer, 0, got, b->size) == GPOOL_OK);
    s->wrong += memcmp(got, b->bytes, (size_t)b->size) != 0;
    s->reads += 1;
}

/* --- textures --- */

static void sketch_make_picture(sketch *s, uint32_t index, uint32_t width, uint32_t height)
{
    sketch_picture *p = &s->pictures[index];
    sketch_random_bytes(s, p->texels, (uint64_t)width * height * 4);
    p->width = width;
    p->height = height;
    p->texture =
        gpool_texture_create(s->pool, &(gpool_texture_desc){
                                          .width = width,
                                          .height = height,
                                          .format = WGPUTextureFormat_RGBA8Unorm,
                                          .usage = GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_READ_BACK,
                                          .data = p->texels,
                                          .data_size = (size_t)width * height * 4,
                                          .label = "picture",
                                      });
    sketch_check(s, p->texture.id != 0);
}

static uint32_t sketch_side(sketch *s)
{
    return 1 + sketch_below(s, SKETCH_MOST_SIDE);
}

static void sketch_replace_picture(sketch *s, uint32_t index, uint32_t width, uint32_t height)
{
    sketch_check(s, gpool_texture_destroy(s->pool, s->pictures[index].texture) == GPOOL_OK);
    sketch_make_picture(s, index, width, height);
}

static void sketch_resize_picture(sketch *s, uint32_t index)
{
    sketch_picture *p = &s->pictures[index];
    const sketch_picture old = *p;
    p->width = sketch_side(s);
    p->height = sketch_side(s);
    for (uint32_t i = 0; i < p->width * p->height; ++i) {
        const uint32_t x = i % p->width;
        const uint32_t y = i / p->width;
        p->texels[i] = x < old.width && y < old.height ? old.texels[y * old.width + x] : 0;
    }
    sketch_check(s, gpool_texture_resize(s->pool, p->texture, p->width, p->height, 0) == GPOOL_OK);
}

static void sketch_write_picture(sketch *s, uint32_t index)
{
    sketch_picture *p = &s->pictures[index];
    const uint32_t width = 1 + sketch_below(s, p->width);
    const uint32_t row = sketch_below(s, p->height);
    const gpool_texture_region region = {
        .x = p->width - width, .y = row, .width = width, .height = 1
    };
    uint32_t *texels = &p->texels[row * p->width + region.x];
    sketch_random_bytes(s, texels, (uint64_t)width * 4);
    sketch_check(s, gpool_texture_write(s->pool, p->texture, &region, texels, (size_t)width * 4,
                                        0) == GPOOL_OK);
}

void sketch_read_picture(sketch *s, uint32_t index)
{
    const sketch_picture *p = &s->pictures[index];
    const size_t size = (size_t)p->width * p->height * 4;
    uint32_t got[SKETCH_MOST_SIDE * SKETCH_MOST_SIDE];
    sketch_check(s, gpool_texture_read(s->pool, p->texture, NULL, got, size) == GPOOL_OK);
    s->wrong += memcmp(got, p->texels, size) != 0;
    s->reads += 1;
}

static gpool_texture sketch_make_target(sketch *s, uint32_t side, WGPUTextureFormat format)
{
    const gpool_texture texture = gpool_texture_create(
        s->pool, &(gpool_texture_desc){ .width = side,
                                        .height = side,
                                        .format = format,
                                        .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_SAMPLED,
                                        .label = "target" });
    sketch_check(s, texture.id != 0);
    return texture;
}

static void sketch_resize_targets(sketch *s, uint32_t side)
{
    sketch_check(s, gpool_texture_resize(s->pool, s->target, side, side, 0) == GPOOL_OK);
    sketch_check(s, gpool_texture_resize(s->pool, s->depth, side, side, 0) == GPOOL_OK);
}

/* --- what is shared --- */

/* Equal samplers are one object: `kind` from 0 to 7. */
static void sketch_make_sampler(sketch *s, uint32_t index, uint32_t kind)
{
    s->samplers[index] = gpool_sampler_create(
        s->pool, &(gpool_sampler_desc){ .mag_filter = kind % 2 == 1 ? WGPUFilterMode_Linear : 0,
                                        .lod_max = 1.0f + (float)kind });
    sketch_check(s, s->samplers[index].id != 0);
}

static void sketch_replace_sampler(sketch *s, uint32_t index, uint32_t kind)
{
    const gpool_sampler old = s->samplers[index];
    sketch_make_sampler(s, index, kind);
    sketch_check(s, gpool_sampler_destroy(s->pool, old) == GPOOL_OK);
}

static void sketch_make_layouts(sketch *s)
{
    const gpool_layout_entry entries[] = { { .binding = 0, .type = GPOOL_BINDING_TEXTURE },
                                           { .binding = 1, .type = GPOOL_BINDING_SAMPLER },
                                           { .binding = 2, .type = GPOOL_BINDING_STORAGE } };
    const gpool_layout_entry numbers = { .binding = 0, .type = GPOOL_BINDING_STORAGE_WRITE };
    s->layouts[0] =
        gpool_layout_create(s->pool, &(gpool_layout_desc){ .entries = entries, .entry_count = 3 });
    s->layouts[1] =
        gpool_layout_create(s->pool, &(gpool_layout_desc){ .entries = &numbers, .entry_count = 1 });
}

static void sketch_make_pipelines(sketch *s)
{
    const gpool_shader draw = gpool_shader_create(
        s->pool, &(gpool_shader_desc){ .wgsl = sketch_render_wgsl, .label = "draw" });
    const gpool_shader compute = gpool_shader_create(
        s->pool, &(gpool_shader_desc){ .wgsl = sketch_compute_wgsl, .label = "compute" });
    sketch_make_layouts(s);
    gpool_render_pipeline_desc render = {
        .shader = draw,
        .layouts = { gpool_uniform_layout(s->pool), s->layouts[0] },
        .vertex_buffers[0].attributes[0] = { WGPUVertexFormat_Float32x2, 0, 0 },
        .label = "to window",
    };
    s->pipelines[SKETCH_TO_WINDOW] = gpool_render_pipeline_create(s->pool, &render);
    render.depth = (gpool_depth_state){ .compare = WGPUCompareFunction_Less, .write = true };
    render.label = "to target";
    s->pipelines[SKETCH_TO_TARGET] = gpool_render_pipeline_create(s->pool, &render);
    s->pipelines[SKETCH_COMPUTE] = gpool_compute_pipeline_create(
        s->pool, &(gpool_compute_pipeline_desc){
                     .shader = compute, .layouts = { s->layouts[1] }, .label = "compute" });
    for (int i = 0; i < SKETCH_PIPELINES; ++i) {
        sketch_check(s, gpool_pipeline_wait(s->pool, s->pipelines[i], UINT64_MAX) == GPOOL_OK);
    }
    sketch_check(s, gpool_shader_destroy(s->pool, draw) == GPOOL_OK);
    sketch_check(s, gpool_shader_destroy(s->pool, compute) == GPOOL_OK);
}

static void sketch_drop_pipelines(sketch *s)
{
    for (int i = 0; i < SKETCH_PIPELINES; ++i) {
        sketch_check(s, gpool_pipeline_destroy(s->pool, s->pipelines[i]) == GPOOL_OK);
    }
    for (int i = 0; i < 2; ++i) {
        sketch_check(s, gpool_layout_destroy(s->pool, s->layouts[i]) == GPOOL_OK);
    }
}

/* --- frames --- */

/* Everything goes and comes anew, `like_first` of fixed sizes. */
static void sketch_new_scene(sketch *s, bool like_first)
{
    sketch_drop_pipelines(s);
    sketch_make_pipelines(s);
    for (uint32_t i = 0; i < 2; ++i) {
        sketch_replace_sampler(s, i, like_first ? i : sketch_below(s, 8));
    }
    for (uint32_t i = 0; i < SKETCH_BUFFERS; ++i) {
        sketch_replace_buffer(s, i, like_first ? SKETCH_MOST_BYTES : sketch_size(s));
    }
    for (uint32_t i = 0; i < SKETCH_PICTURES; ++i) {
        const uint32_t width = like_first ? SKETCH_MOST_SIDE : sketch_side(s);
        sketch_replace_picture(s, i, width, like_first ? SKETCH_MOST_SIDE : sketch_side(s));
    }
    sketch_resize_targets(s, like_first ? SKETCH_TARGET : 8 + sketch_below(s, SKETCH_TARGET));
}

static void sketch_change(sketch *s)
{
    for (uint32_t i = sketch_below(s, 6); i > 0; --i) {
        sketch_write_buffer(s, sketch_below(s, SKETCH_BUFFERS));
    }
    if (sketch_once_in(s, 4)) {
        sketch_replace_buffer(s, sketch_below(s, SKETCH_BUFFERS), sketch_size(s));
    }
    if (sketch_once_in(s, 16)) {
        sketch_resize_buffer(s, sketch_below(s, SKETCH_BUFFERS));
    }
    if (sketch_once_in(s, 4)) {
        sketch_write_picture(s, sketch_below(s, SKETCH_PICTURES));
    }
    if (sketch_once_in(s, 8)) {
        sketch_replace_picture(s, sketch_below(s, SKETCH_PICTURES), sketch_side(s), sketch_side(s));
    }
    if (sketch_once_in(s, 32)) {
        sketch_resize_picture(s, sketch_below(s, SKETCH_PICTURES));
    }
    if (sketch_once_in(s, 64)) {
        sketch_replace_sampler(s, sketch_below(s, 2), sketch_below(s, 8));
    }
    if (sketch_once_in(s, 200)) {
        sketch_resize_targets(s, 8 + sketch_below(s, SKETCH_TARGET));
    }
    if (s->frame % SKETCH_SCENE == 0) {
        sketch_new_scene(s, false);
    }
}

/* The GPU computes on one buffer and copies the head of another over it. */
static void sketch_compute(sketch *s, gpool_recorder rec)
{
    sketch_buffer *b = &s->buffers[sketch_below(s, SKETCH_WRITABLE)];
    const sketch_buffer *other =
        &s->buffers[SKETCH_WRITABLE + sketch_below(s, SKETCH_BUFFERS - SKETCH_WRITABLE)];
    const uint32_t count = 1 + sketch_below(s, 16);
    const gpool_binding binding = { .buffer = b->buffer };
    gpool_begin_compute(rec, "numbers");
    gpool_set_pipeline(rec, s->pipelines[SKETCH_COMPUTE]);
    gpool_set_bindings(rec, 0, s->layouts[1], &binding, 1, NULL, 0);
    gpool_dispatch(rec, count, 1, 1);
    gpool_end_pass(rec);
    sketch_numbers(b->bytes, b->size, count);
    if (sketch_once_in(s, 2)) {
        gpool_copy_buffer(rec, other->buffer, 0, b->buffer, 32, 32);
        memcpy(b->bytes + 32, other->bytes, 32);
    }
}

static void sketch_draw(sketch *s, gpool_recorder rec, gpool_pipeline pipeline,
                        gpool_texture picture)
{
    const sketch_buffer *points =
        &s->buffers[SKETCH_WRITABLE + sketch_below(s, SKETCH_BUFFERS - SKETCH_WRITABLE)];
    const gpool_binding bindings[] = {
        { .binding = 0, .texture = picture },
        { .binding = 1, .sampler = s->samplers[sketch_below(s, 2)] },
        { .binding = 2, .buffer = s->buffers[SKETCH_WRITABLE + sketch_below(s, 4)].buffer },
    };
    const float uniforms[12] = { 1, 0, 0, (float)sketch_below(s, 256) };
    gpool_set_pipeline(rec, pipeline);
    gpool_set_vertex_buffer(rec, 0, points->buffer, 0);
    gpool_set_uniforms(rec, 0, uniforms, sketch_once_in(s, 2) ? 32 : 48);
    gpool_set_bindings(rec, 1, s->layouts[0], bindings, 3, NULL, 0);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 6 });
}

static void sketch_render(sketch *s, gpool_recorder rec)
{
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = s->target },
                                                  .depth = { .texture = s->depth } });
    for (uint32_t i = 1 + sketch_below(s, 8); i > 0; --i) {
        sketch_draw(s, rec, s->pipelines[SKETCH_TO_TARGET],
                    s->pictures[sketch_below(s, SKETCH_PICTURES)].texture);
    }
    gpool_end_pass(rec);
}

/* Draws the target to the picture of a window, which is taken in for this frame. */
static void sketch_show(sketch *s, gpool_recorder rec)
{
    const gpool_texture window =
        gpool_texture_import(s->pool, &(gpool_texture_import_desc){ .texture = s->surface,
                                                                    .usage = GPOOL_TEXTURE_TARGET,
                                                                    .this_frame = true,
                                                                    .label = "window" });
    sketch_check(s, window.id != 0);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = window } });
    sketch_draw(s, rec, s->pipelines[SKETCH_TO_WINDOW], s->target);
    gpool_end_pass(rec);
}

static void sketch_record(sketch *s)
{
    gpool_recorder rec = gpool_frame_recorder(s->pool);
    sketch_compute(s, rec);
    sketch_render(s, rec);
    sketch_show(s, rec);
    if (sketch_once_in(s, 32)) {
        sketch_check(s, gpool_submit(s->pool) == GPOOL_OK);
        sketch_compute(s, gpool_frame_recorder(s->pool));
    }
    if (sketch_once_in(s, 16)) {
        /* Legal: the recording keeps what it names. */
        sketch_replace_buffer(s, sketch_below(s, SKETCH_BUFFERS), sketch_size(s));
    }
}

void sketch_run(sketch *s)
{
    s->frame += 1;
    sketch_check(s, gpool_begin_frame(s->pool) == GPOOL_OK);
    sketch_change(s);
    if (!sketch_once_in(s, 8)) {
        sketch_record(s);
    }
    sketch_check(s, gpool_end_frame(s->pool) == GPOOL_OK);
    if (sketch_once_in(s, 32)) {
        sketch_read_buffer(s, sketch_below(s, SKETCH_BUFFERS));
    }
    if (sketch_once_in(s, 64)) {
        sketch_read_picture(s, sketch_below(s, SKETCH_PICTURES));
    }
}

void sketch_settle(sketch *s)
{
    sketch_new_scene(s, true);
    for (uint32_t i = 0; i < SKETCH_BUFFERS; ++i) {
        sketch_read_buffer(s, i);
    }
    for (uint32_t i = 0; i < SKETCH_PICTURES; ++i) {
        sketch_read_picture(s, i);
    }
    for (int i = 0;
         i < 64 &&
         bench_sim_stats(s->pool).retired_count + bench_sim_stats(s->pool).recycled_count > 0;
         ++i) {
        sketch_check(s, gpool_begin_frame(s->pool) == GPOOL_OK);
        sketch_check(s, gpool_end_frame(s->pool) == GPOOL_OK);
    }
}

/* --- begin and end --- */

void sketch_renew_surface(sketch *s)
{
    if (s->surface != NULL) {
        s->on.table.TextureRelease(s->surface);
    }
    s->surface = s->on.table.DeviceCreateTexture(gpool_device_raw(s->on.device),
                                                 &(WGPUTextureDescriptor){
                                                     .usage = WGPUTextureUsage_RenderAttachment,
                                                     .dimension = WGPUTextureDimension_2D,
                                                     .size = { SKETCH_TARGET, SKETCH_TARGET, 1 },
                                                     .format = WGPUTextureFormat_BGRA8Unorm,
                                                     .mipLevelCount = 1,
                                                     .sampleCount = 1,
                                                 });
}

void sketch_open(sketch *s)
{
    *s = (sketch){ .random = SKETCH_SEED };
    bench_sim_open(&s->on);
    sim_register_shader(s->on.sim, sketch_compute_wgsl, sketch_host_numbers, NULL);
    /* What is recycled is gone when the sketch has settled. */
    const gpool_desc desc = { .recycle = { .max_age_frames = 3 } };
    bench_require(gpool_create(s->on.device, &desc, &s->pool) == GPOOL_OK, "the pool is not made");
    sketch_renew_surface(s);
    s->target = sketch_make_target(s, SKETCH_TARGET, WGPUTextureFormat_RGBA8Unorm);
    s->depth = sketch_make_target(s, SKETCH_TARGET, WGPUTextureFormat_Depth32Float);
    sketch_make_pipelines(s);
    for (uint32_t i = 0; i < 2; ++i) {
        sketch_make_sampler(s, i, i);
    }
    for (uint32_t i = 0; i < SKETCH_BUFFERS; ++i) {
        sketch_make_buffer(s, i, SKETCH_MOST_BYTES);
    }
    for (uint32_t i = 0; i < SKETCH_PICTURES; ++i) {
        sketch_make_picture(s, i, SKETCH_MOST_SIDE, SKETCH_MOST_SIDE);
    }
}

void sketch_close(sketch *s, bench_row *row)
{
    for (uint32_t i = 0; i < SKETCH_BUFFERS; ++i) {
        sketch_check(s, gpool_buffer_destroy(s->pool, s->buffers[i].buffer) == GPOOL_OK);
    }
    for (uint32_t i = 0; i < SKETCH_PICTURES; ++i) {
        sketch_check(s, gpool_texture_destroy(s->pool, s->pictures[i].texture) == GPOOL_OK);
    }
    for (uint32_t i = 0; i < 2; ++i) {
        sketch_check(s, gpool_sampler_destroy(s->pool, s->samplers[i]) == GPOOL_OK);
    }
    sketch_drop_pipelines(s);
    sketch_check(s, gpool_texture_destroy(s->pool, s->target) == GPOOL_OK);
    sketch_check(s, gpool_texture_destroy(s->pool, s->depth) == GPOOL_OK);
    gpool_destroy(s->pool);
    s->on.table.TextureRelease(s->surface);
    bench_sim_close(&s->on, row);
}
