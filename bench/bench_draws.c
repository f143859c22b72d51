/*
 * Draws of many small meshes, each indexed and each one texel of a picture: out of a heap, and from
 * buffers of their own; the same by calls into webgpu.h alone. The time is the thread's, from before the
 * pass begins until after it has ended: wgpu-native does at the end of a pass what Dawn does at each call.
 * What it is until all is submitted is told, too.
 */
#include "bench_mesh.h"

#include <stdlib.h>
#include <string.h>

#define DRAWS_SIDE 128u /* texels of the picture's side; a row of meshes is as long */

static const char draws_wgsl[] =
    "@vertex fn vs(@location(0) p: vec2f) -> @builtin(position) vec4f {\n"
    "    return vec4f(p, 0.0, 1.0);\n"
    "}\n"
    "@fragment fn fs() -> @location(0) vec4f { return vec4f(1.0); }\n";

typedef enum draws_way {
    DRAWS_HEAP,
    DRAWS_OWN, /* a vertex and an index buffer each */
    DRAWS_RAW_HEAP,
    DRAWS_RAW_OWN,
    DRAWS_WAYS
} draws_way;

typedef struct draws_mesh {
    gpool_mesh mesh;
    gpool_buffer vertices;
    gpool_buffer indices;
    WGPUBuffer raw_vertices;
    WGPUBuffer raw_indices;
    int32_t base_vertex;
    uint32_t first_index;
} draws_mesh;

typedef struct draws_state {
    const gpool_gpu *table;
    gpool *pool;
    gpool_texture target;
    gpool_shader shader;
    gpool_pipeline pipeline;
    draws_mesh *meshes;
    uint32_t count;
    WGPUBuffer raw_slab;
    uint64_t pass_ns; /* until the pass has ended */
    uint64_t all_ns;  /* until it is submitted */
} draws_state;

/* A triangle around the middle of one texel, and of no other; its first vertex is not of it, so that
 * indices read from elsewhere show. */
static void draws_make_mesh(draws_state *s, uint32_t index)
{
    static const uint32_t indices[3] = { 1, 2, 3 };
    const float texel = 2.0f / (float)DRAWS_SIDE;
    const float x = (float)(index % DRAWS_SIDE) * texel - 1.0f;
    const float y = (float)(index / DRAWS_SIDE) * texel - 1.0f;
    const float vertices[4][2] = {
        { 5.0f, 5.0f }, { x, y }, { x + 1.5f * texel, y }, { x, y + 1.5f * texel }
    };
    draws_mesh *mesh = &s->meshes[index];
    mesh->mesh = gpool_mesh_create(s->pool, &(gpool_mesh_desc){ .vertices = vertices,
                                                                .vertex_count = 4,
                                                                .vertex_stride = sizeof vertices[0],
                                                                .indices = indices,
                                                                .index_count = 3 });
    mesh->vertices = gpool_buffer_create(
        s->pool, &(gpool_buffer_desc){
                     .data = vertices, .size = sizeof vertices, .usage = GPOOL_BUFFER_VERTEX });
    mesh->indices = gpool_buffer_create(
        s->pool, &(gpool_buffer_desc){
                     .data = indices, .size = sizeof indices, .usage = GPOOL_BUFFER_INDEX });
    bench_require(mesh->mesh.id != 0 && mesh->vertices.id != 0 && mesh->indices.id != 0,
                  "a mesh is not made");
}

/* The GPU objects, for the raw sides: nothing moves or is made again during the row. */
static void draws_take_raw(draws_state *s)
{
    for (uint32_t i = 0; i < s->count; ++i) {
        draws_mesh *mesh = &s->meshes[i];
        gpool_mesh_info info;
        bench_require(gpool_mesh_get_info(s->pool, mesh->mesh, &info) == GPOOL_OK, "no mesh");
        mesh->base_vertex = info.base_vertex;
        mesh->first_index = info.first_index;
        s->raw_slab = gpool_buffer_gpu(s->pool, info.vertex_buffer, GPOOL_ACCESS_READ);
        bench_require(s->raw_slab != NULL &&
                          s->raw_slab ==
                              gpool_buffer_gpu(s->pool, info.index_buffer, GPOOL_ACCESS_READ),
                      "the meshes lie in more than one slab");
        mesh->raw_vertices = gpool_buffer_gpu(s->pool, mesh->vertices, GPOOL_ACCESS_READ);
        mesh->raw_indices = gpool_buffer_gpu(s->pool, mesh->indices, GPOOL_ACCESS_READ);
    }
}

static void draws_open(draws_state *s, gpool_device *device, uint32_t count)
{
    bench_require(gpool_create(device, &(gpool_desc){ .label = "bench" }, &s->pool) == GPOOL_OK,
                  "the pool is not made");
    s->table = gpool_device_gpu(device);
    s->count = count;
    s->meshes = bench_alloc(count, sizeof *s->meshes);
    s->target = gpool_texture_create(
        s->pool, &(gpool_texture_desc){ .width = DRAWS_SIDE,
                                        .height = DRAWS_SIDE,
                                        .format = WGPUTextureFormat_RGBA8Unorm,
                                        .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK });
    s->shader = gpool_shader_create(s->pool, &(gpool_shader_desc){ .wgsl = draws_wgsl });
    s->pipeline = gpool_render_pipeline_create(
        s->pool,
        &(gpool_render_pipeline_desc){
            .shader = s->shader,
            .vertex_buffers = { { .attributes = { { .format = WGPUVertexFormat_Float32x2 } } } } });
    bench_require(gpool_pipeline_wait(s->pool, s->pipeline, UINT64_MAX) == GPOOL_OK,
                  "the pipeline is not made");
    for (uint32_t i = 0; i < count; ++i) {
        draws_make_mesh(s, i);
    }
    bench_on_frame(s->pool);
    draws_take_raw(s);
}

static void draws_heap(const draws_state *s, gpool_recorder rec)
{
    for (uint32_t i = 0; i < s->count; ++i) {
        gpool_draw_mesh(rec, s->meshes[i].mesh, NULL);
    }
}

static void draws_own(const draws_state *s, gpool_recorder rec)
{
    for (uint32_t i = 0; i < s->count; ++i) {
        gpool_set_vertex_buffer(rec, 0, s->meshes[i].vertices, 0);
        gpool_set_index_buffer(rec, s->meshes[i].indices, WGPUIndexFormat_Uint32, 0);
        gpool_draw(rec, &(gpool_draw_args){ .index_count = 3 });
    }
}

static void draws_raw_heap(const draws_state *s, gpool_recorder rec)
{
    WGPURenderPassEncoder pass = gpool_recorder_render_pass(rec);
    s->table->RenderPassEncoderSetVertexBuffer(pass, 0, s->raw_slab, 0, WGPU_WHOLE_SIZE);
    s->table->RenderPassEncoderSetIndexBuffer(pass, s->raw_slab, WGPUIndexFormat_Uint32, 0,
                                              WGPU_WHOLE_SIZE);
    for (uint32_t i = 0; i < s->count; ++i) {
        s->table->RenderPassEncoderDrawIndexed(pass, 3, 1, s->meshes[i].first_index,
                                               s->meshes[i].base_vertex, 0);
    }
}

static void draws_raw_own(const draws_state *s, gpool_recorder rec)
{
    WGPURenderPassEncoder pass = gpool_recorder_render_pass(rec);
    for (uint32_t i = 0; i < s->count; ++i) {
        s->table->RenderPassEncoderSetVertexBuffer(pass, 0, s->meshes[i].raw_vertices, 0,
                                                   WGPU_WHOLE_SIZE);
        s->table->RenderPassEncoderSetIndexBuffer(pass, s->meshes[i].raw_indices,
                                                  WGPUIndexFormat_Uint32, 0, WGPU_WHOLE_SIZE);
        s->table->RenderPassEncoderDrawIndexed(pass, 3, 1, 0, 0, 0);
    }
}

static void draws_frame(draws_state *s, draws_way way)
{
    static void (*const ways[DRAWS_WAYS])(const draws_state *s,
                                          gpool_recorder rec) = { draws_heap, draws_own,
                                                                  draws_raw_heap, draws_raw_own };
    bench_require(gpool_begin_frame(s->pool) == GPOOL_OK, "a frame cannot begin");
    const uint64_t begin = bench_cpu_ns();
    const gpool_recorder rec = gpool_frame_recorder(s->pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = s->target } });
    gpool_set_pipeline(rec, s->pipeline);
    ways[way](s, rec);
    gpool_end_pass(rec);
    s->pass_ns = bench_cpu_ns() - begin;
    bench_require(gpool_end_frame(s->pool) == GPOOL_OK, "a frame failed");
    s->all_ns = bench_cpu_ns() - begin;
    bench_require(gpool_wait_idle(s->pool) == GPOOL_OK, "the GPU is not done");
}

/* Texels of meshes that were not drawn, and others that were. */
static uint32_t draws_count_wrong(const draws_state *s)
{
    static uint8_t texels[DRAWS_SIDE * DRAWS_SIDE * 4];
    uint32_t wrong = 0;
    bench_require(gpool_texture_read(s->pool, s->target, NULL, texels, sizeof texels) == GPOOL_OK,
                  "the picture cannot be read");
    for (uint32_t i = 0; i < DRAWS_SIDE * DRAWS_SIDE; ++i) {
        /* The first row of texels is at the top, where y is 1. */
        const uint32_t row = DRAWS_SIDE - 1 - i / DRAWS_SIDE;
        const bool has = row * DRAWS_SIDE + i % DRAWS_SIDE < s->count;
        wrong += (texels[(size_t)i * 4] == 255) != has;
    }
    return wrong;
}

static void draws_close(draws_state *s)
{
    for (uint32_t i = 0; i < s->count; ++i) {
        (void)gpool_mesh_destroy(s->pool, s->meshes[i].mesh);
        (void)gpool_buffer_destroy(s->pool, s->meshes[i].vertices);
        (void)gpool_buffer_destroy(s->pool, s->meshes[i].indices);
    }
    (void)gpool_pipeline_destroy(s->pool, s->pipeline);
    (void)gpool_shader_destroy(s->pool, s->shader);
    (void)gpool_texture_destroy(s->pool, s->target);
    gpool_destroy(s->pool);
    free(s->meshes);
}

void bench_mesh_draws(bench_run *run, bench_row *row, uint64_t argument)
{
    const bench_gpu *gpu = bench_gpu_open(row);
    if (gpu == NULL) {
        return;
    }
    static const char *const names[DRAWS_WAYS] = { "us_heap", "us_own", "us_raw_heap",
                                                   "us_raw_own" };
    static const char *const frame_names[DRAWS_WAYS] = { "us_frame_heap", "us_frame_own",
                                                         "us_frame_raw_heap", "us_frame_raw_own" };
    draws_state s = { 0 };
    draws_open(&s, gpu->device, (uint32_t)bench_repeats(run, argument));
    uint32_t wrong = 0;
    for (int way = 0; way < DRAWS_WAYS; ++way) { /* caches are warm afterwards, too */
        draws_frame(&s, (draws_way)way);
        wrong += draws_count_wrong(&s);
    }
    double *samples = bench_alloc((size_t)run->pairs * (2 * DRAWS_WAYS + 1), sizeof *samples);
    double *frames = samples + (size_t)run->pairs * DRAWS_WAYS;
    double *ratios = frames + (size_t)run->pairs * DRAWS_WAYS;
    for (unsigned i = 0; i < run->pairs; ++i) {
        for (int way = 0; way < DRAWS_WAYS; ++way) {
            draws_frame(&s, (draws_way)way);
            samples[(size_t)way * run->pairs + i] = (double)s.pass_ns * 1e-3;
            frames[(size_t)way * run->pairs + i] = (double)s.all_ns * 1e-3;
        }
        ratios[i] = samples[(size_t)DRAWS_OWN * run->pairs + i] / samples[i];
    }
    bench_spread spreads[DRAWS_WAYS];
    bench_spread frame[DRAWS_WAYS];
    for (int way = 0; way < DRAWS_WAYS; ++way) {
        spreads[way] = bench_spread_of(samples + (size_t)way * run->pairs, run->pairs);
        frame[way] = bench_spread_of(frames + (size_t)way * run->pairs, run->pairs);
    }
    const bench_spread ratio = bench_spread_of(ratios, run->pairs);
    row->pairs = run->pairs;
    row->ours = spreads[DRAWS_HEAP];
    row->peer = "own buffers, same pool";
    row->peer_spread = spreads[DRAWS_OWN];
    row->ratio = row->peer_spread.median / row->ours.median;
    row->ratio_p10 = ratio.p10;
    row->ratio_p90 = ratio.p90;
    bench_add_counter(row, "draws", (double)s.count);
    bench_add_counter(row, "ns_a_draw", row->ours.median * 1e3 / (double)s.count);
    for (int way = DRAWS_RAW_HEAP; way < DRAWS_WAYS; ++way) {
        bench_add_counter(row, names[way], spreads[way].median);
    }
    const double raw = spreads[DRAWS_RAW_OWN].median / spreads[DRAWS_RAW_HEAP].median;
    bench_add_counter(row, "ratio_raw", raw);
    for (int way = 0; way < DRAWS_WAYS; ++way) {
        bench_add_counter(row, frame_names[way], frame[way].median);
    }
    bench_add_counter(row, "ratio_frame", frame[DRAWS_OWN].median / frame[DRAWS_HEAP].median);
    if (gpu->is_dawn && raw < row->bar.value) {
        row->bar.value = raw; /* each call takes a lock there: one call instead of three is all */
    }
    bench_add_limited(row, "texels_wrong", wrong, 0);
    draws_close(&s);
    free(samples);
}
