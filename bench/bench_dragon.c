/*
 * A real mesh: the Stanford dragon in its four resolutions, up to 871,414 triangles. Each frame destroys
 * one of them and makes it again, in a heap and as a vertex and an index buffer. The files come from the
 * folder that scripts/setup bench fills.
 */
#include "bench_mesh.h"

#include <stdlib.h>
#include <string.h>

#define DRAGON_COUNT  4u
#define DRAGON_STRIDE 12u
#define DRAGON_SLAB   (UINT64_C(32) << 20)

typedef struct dragon_model {
    float *positions;
    uint32_t *indices;
    uint32_t vertex_count;
    uint32_t index_count;
} dragon_model;

typedef struct dragon_state {
    gpool *pool;
    gpool_heap heap;
    dragon_model models[DRAGON_COUNT];
    gpool_mesh meshes[DRAGON_COUNT];
    gpool_buffer vertices[DRAGON_COUNT];
    gpool_buffer indices[DRAGON_COUNT];
    uint64_t calls_ns; /* of a turn's creates and destroys, without its frames */
} dragon_state;

/* A whole file as text; NULL where there is none. */
static char *dragon_load_text(const char *name)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/%s", GPOOL_BENCH_DRAGON, name);
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    bench_require(fseek(file, 0, SEEK_END) == 0, "a file cannot be read");
    const long size = ftell(file);
    bench_require(size > 0 && fseek(file, 0, SEEK_SET) == 0, "a file cannot be read");
    char *text = bench_alloc((size_t)size + 1, 1);
    bench_require(fread(text, 1, (size_t)size, file) == (size_t)size, "a file cannot be read");
    (void)fclose(file);
    return text;
}

static uint32_t dragon_header(const char *text, const char *name)
{
    const char *found = strstr(text, name);
    bench_require(found != NULL, "a model lacks a number of its header");
    return (uint32_t)strtoul(found + strlen(name), NULL, 10);
}

/* Positions and triangles of a PLY file in ASCII; false where there is no such file. */
static bool dragon_load(dragon_model *model, const char *name)
{
    char *text = dragon_load_text(name);
    if (text == NULL) {
        return false;
    }
    model->vertex_count = dragon_header(text, "element vertex ");
    model->index_count = dragon_header(text, "element face ") * 3;
    model->positions = bench_alloc((size_t)model->vertex_count * 3, sizeof *model->positions);
    model->indices = bench_alloc(model->index_count, sizeof *model->indices);
    char *at = strstr(text, "end_header\n");
    bench_require(at != NULL, "a model has no end of its header");
    at += strlen("end_header\n");
    for (uint32_t i = 0; i < model->vertex_count * 3; ++i) {
        model->positions[i] = strtof(at, &at);
    }
    for (uint32_t i = 0; i < model->index_count; ++i) {
        if (i % 3 == 0) {
            bench_require(strtoul(at, &at, 10) == 3, "a face is no triangle");
        }
        model->indices[i] = (uint32_t)strtoul(at, &at, 10);
        bench_require(model->indices[i] < model->vertex_count, "an index is too large");
    }
    free(text);
    return true;
}

static bool dragon_load_all(dragon_state *s)
{
    static const char *const names[DRAGON_COUNT] = { "dragon_vrip.ply", "dragon_vrip_res2.ply",
                                                     "dragon_vrip_res3.ply",
                                                     "dragon_vrip_res4.ply" };
    for (uint32_t i = 0; i < DRAGON_COUNT; ++i) {
        if (!dragon_load(&s->models[i], names[i])) {
            return false;
        }
    }
    return true;
}

static uint64_t dragon_vertex_bytes(const dragon_model *model)
{
    return (uint64_t)model->vertex_count * DRAGON_STRIDE;
}

static uint64_t dragon_index_bytes(const dragon_model *model)
{
    return (uint64_t)model->index_count * sizeof(uint32_t);
}

static void dragon_make_mesh(dragon_state *s, uint32_t i)
{
    const dragon_model *model = &s->models[i];
    const uint64_t begin = bench_cpu_ns();
    (void)gpool_mesh_destroy(s->pool, s->meshes[i]);
    s->meshes[i] = gpool_mesh_create(s->pool, &(gpool_mesh_desc){
                                                  .heap = s->heap,
                                                  .vertices = model->positions,
                                                  .vertex_count = model->vertex_count,
                                                  .vertex_stride = DRAGON_STRIDE,
                                                  .indices = model->indices,
                                                  .index_count = model->index_count,
                                              });
    s->calls_ns += bench_cpu_ns() - begin;
    bench_require(s->meshes[i].id != 0, "a mesh is not made");
}

static void dragon_make_buffers(dragon_state *s, uint32_t i)
{
    const dragon_model *model = &s->models[i];
    const uint64_t begin = bench_cpu_ns();
    (void)gpool_buffer_destroy(s->pool, s->vertices[i]);
    (void)gpool_buffer_destroy(s->pool, s->indices[i]);
    s->vertices[i] =
        gpool_buffer_create(s->pool, &(gpool_buffer_desc){ .data = model->positions,
                                                           .size = dragon_vertex_bytes(model),
                                                           .usage = GPOOL_BUFFER_VERTEX });
    s->indices[i] =
        gpool_buffer_create(s->pool, &(gpool_buffer_desc){ .data = model->indices,
                                                           .size = dragon_index_bytes(model),
                                                           .usage = GPOOL_BUFFER_INDEX });
    s->calls_ns += bench_cpu_ns() - begin;
    bench_require(s->vertices[i].id != 0 && s->indices[i].id != 0, "a buffer is not made");
}

/* All four, a frame each. Returns the CPU time of all, frames included. */
static uint64_t dragon_turn(dragon_state *s, void (*make)(dragon_state *s, uint32_t i))
{
    const uint64_t begin = bench_cpu_ns();
    s->calls_ns = 0;
    for (uint32_t i = 0; i < DRAGON_COUNT; ++i) {
        make(s, i);
        bench_on_frame(s->pool);
    }
    const uint64_t ns = bench_cpu_ns() - begin;
    bench_require(gpool_wait_idle(s->pool) == GPOOL_OK, "the GPU is not done");
    return ns;
}

/* The bytes on the GPU are the model's, after all those turns. */
static uint32_t dragon_count_wrong(dragon_state *s)
{
    uint32_t wrong = 0;
    for (uint32_t i = 0; i < DRAGON_COUNT; ++i) {
        const dragon_model *model = &s->models[i];
        gpool_mesh_info info;
        bench_require(gpool_mesh_get_info(s->pool, s->meshes[i], &info) == GPOOL_OK, "no mesh");
        char *bytes = bench_alloc(dragon_index_bytes(model), 1);
        bench_require(gpool_buffer_read(s->pool, info.index_buffer, info.index_offset, bytes,
                                        info.index_bytes) == GPOOL_OK,
                      "a slab cannot be read");
        wrong += memcmp(bytes, model->indices, (size_t)info.index_bytes) != 0;
        bench_require(gpool_buffer_read(s->pool, info.vertex_buffer, info.vertex_offset, bytes,
                                        info.vertex_bytes) == GPOOL_OK,
                      "a slab cannot be read");
        wrong += memcmp(bytes, model->positions, (size_t)info.vertex_bytes) != 0;
        free(bytes);
    }
    return wrong;
}

static void dragon_measure(bench_run *run, bench_row *row, dragon_state *s)
{
    double *samples = bench_alloc((size_t)run->pairs * 5, sizeof *samples);
    double *peer = samples + run->pairs;
    double *ratios = peer + run->pairs;
    double *frames = ratios + run->pairs;
    double *peer_frames = frames + run->pairs;
    uint64_t objects[2] = { 0, 0 };
    uint64_t sent[2] = { 0, 0 };
    for (int i = 0; i < 2; ++i) { /* slabs and staging reach their size */
        (void)dragon_turn(s, dragon_make_mesh);
        (void)dragon_turn(s, dragon_make_buffers);
    }
    for (unsigned i = 0; i < run->pairs; ++i) {
        const gpool_stats before = bench_sim_stats(s->pool);
        frames[i] = (double)dragon_turn(s, dragon_make_mesh) * 1e-6;
        samples[i] = (double)s->calls_ns * 1e-6;
        const gpool_stats between = bench_sim_stats(s->pool);
        peer_frames[i] = (double)dragon_turn(s, dragon_make_buffers) * 1e-6;
        peer[i] = (double)s->calls_ns * 1e-6;
        ratios[i] = peer[i] / samples[i];
        const gpool_stats after = bench_sim_stats(s->pool);
        objects[0] += between.gpu_objects - before.gpu_objects;
        objects[1] += after.gpu_objects - between.gpu_objects;
        sent[0] += between.sent_bytes - before.sent_bytes;
        sent[1] += after.sent_bytes - between.sent_bytes;
    }
    const bench_spread ratio = bench_spread_of(ratios, run->pairs);
    row->pairs = run->pairs;
    row->ours = bench_spread_of(samples, run->pairs);
    row->peer = "plain buffers, same pool";
    row->peer_spread = bench_spread_of(peer, run->pairs);
    row->ratio = row->peer_spread.median / row->ours.median;
    row->ratio_p10 = ratio.p10;
    row->ratio_p90 = ratio.p90;
    bench_add_counter(row, "ms_with_frames", bench_spread_of(frames, run->pairs).median);
    bench_add_counter(row, "ms_with_frames_plain", bench_spread_of(peer_frames, run->pairs).median);
    bench_add_counter(row, "gpu_objects_a_turn", (double)objects[0] / (double)run->pairs);
    bench_add_counter(row, "gpu_objects_a_turn_plain", (double)objects[1] / (double)run->pairs);
    bench_add_counter(row, "bytes_sent_a_turn", (double)sent[0] / (double)run->pairs);
    bench_add_counter(row, "bytes_sent_a_turn_plain", (double)sent[1] / (double)run->pairs);
    free(samples);
}

static void dragon_report(bench_row *row, dragon_state *s)
{
    gpool_heap_info info;
    uint64_t bytes = 0;
    uint64_t triangles = 0;
    for (uint32_t i = 0; i < DRAGON_COUNT; ++i) {
        bytes += dragon_vertex_bytes(&s->models[i]) + dragon_index_bytes(&s->models[i]);
        triangles += s->models[i].index_count / 3;
    }
    bench_require(gpool_heap_get_info(s->pool, s->heap, &info) == GPOOL_OK, "there is no heap");
    bench_add_counter(row, "triangles", (double)triangles);
    bench_add_counter(row, "bytes", (double)bytes);
    bench_add_counter(row, "slabs", (double)info.slab_count);
    bench_add_counter(row, "slab_bytes", (double)info.bytes);
    bench_add_limited(row, "parts_wrong", dragon_count_wrong(s), 0);
}

void bench_mesh_dragon(bench_run *run, bench_row *row, uint64_t argument)
{
    (void)argument;
    dragon_state *s = bench_alloc(1, sizeof *s);
    row->optional = true;
    if (!dragon_load_all(s)) {
        row->absent = "the Stanford dragon is not there: scripts/setup bench gets it";
    } else {
        bench_on on;
        bench_on_open(&on, row);
        bench_require(gpool_create(on.device, &(gpool_desc){ .label = "bench" }, &s->pool) ==
                          GPOOL_OK,
                      "the pool is not made");
        s->heap = gpool_heap_create(
            s->pool, &(gpool_heap_desc){ .slab_size = DRAGON_SLAB, .label = "bench" });
        dragon_measure(run, row, s);
        dragon_report(row, s);
        bench_require(gpool_heap_destroy(s->pool, s->heap) == GPOOL_OK, "the heap stays");
        for (uint32_t i = 0; i < DRAGON_COUNT; ++i) {
            (void)gpool_buffer_destroy(s->pool, s->vertices[i]);
            (void)gpool_buffer_destroy(s->pool, s->indices[i]);
        }
        gpool_destroy(s->pool);
        bench_on_close(&on, row);
    }
    for (uint32_t i = 0; i < DRAGON_COUNT; ++i) {
        free(s->models[i].positions);
        free(s->models[i].indices);
    }
    free(s);
}
