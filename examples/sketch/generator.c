#include "generator.h"

#include "landscape.h"
#include "noise.h"

#include <stdlib.h>
#include <string.h>

#define GROUND_RADIUS 140.0f
#define CLOUD_SIZE    256u
#define DEPTH_SIZE    128u

struct generator {
    gpool *pool;
    gpool_scope scope; /* owns all that is made below */
    node_graph *graph;
    node_watch phase, detail, epoch;
    gpool_dirty_flag ground_changed;
    gpool_heap heap;
    gpool_mesh mesh; /* the ground */
    vertex *rows;    /* what its vertices are, to write only rows that differ */
    uint32_t cells;
    float at_phase;
    gpool_texture clouds[2];
    gpool_texture depth_map;
    uint8_t depths[DEPTH_SIZE * DEPTH_SIZE]; /* what the depth map holds */
    generator_counts counts;
};

generator *generator_create(gpool *pool, const generator_desc *desc)
{
    generator *gen = calloc(1, sizeof *gen);
    if (gen != NULL) {
        gen->pool = pool;
        gen->scope = gpool_scope_create(
            pool, &(gpool_scope_desc){ .parent = desc->scope, .label = "generator" });
        if (gen->scope.id == 0) {
            free(gen);
            return NULL;
        }
        gen->heap = desc->heap;
        gen->graph = desc->graph;
        gen->phase.node = desc->phase;
        gen->detail.node = desc->detail;
        gen->epoch.node = desc->epoch;
        gen->at_phase = node_graph_value(desc->graph, desc->phase);
    }
    return gen;
}

void generator_destroy(generator *gen)
{
    if (gen == NULL) {
        return;
    }
    gpool_scope_end(gen->pool, gen->scope);
    free(gen->rows);
    free(gen);
}

float generator_height(const generator *gen, float x, float z)
{
    return landscape_height(x, z, gen->at_phase);
}

static uint8_t to_byte(float value)
{
    return (uint8_t)(clampf(value, 0.0f, 1.0f) * 255.0f + 0.5f);
}

/* Makes every row and writes those that differ from what the mesh holds. */
static gpool_result write_rows(generator *gen)
{
    static float lines[3][LANDSCAPE_MAX_CELLS + 1u];
    static vertex row[LANDSCAPE_MAX_CELLS + 1u];
    uint32_t cells = gen->cells, row_length = cells + 1u;
    size_t row_size = row_length * sizeof(vertex);
    landscape_heights(lines[0], 0, cells, gen->at_phase);
    memcpy(lines[2], lines[0], sizeof lines[0]); /* the line before the first is the first */
    for (uint32_t z = 0; z <= cells; ++z) {
        float *before = lines[(z + 2u) % 3u], *at = lines[z % 3u], *after = lines[(z + 1u) % 3u];
        landscape_heights(after, z < cells ? z + 1u : z, cells, gen->at_phase);
        landscape_row(row, z, cells, before, at, after);
        if (memcmp(gen->rows + z * row_length, row, row_size) == 0) {
            gen->counts.rows_kept += 1;
            continue;
        }
        gpool_result result = gpool_mesh_write(gen->pool, gen->mesh, GPOOL_MESH_VERTICES,
                                               z * row_size, row, row_size);
        if (result != GPOOL_OK) {
            return result;
        }
        memcpy(gen->rows + z * row_length, row, row_size);
        gen->counts.rows_written += 1;
        gen->counts.row_bytes += row_size;
    }
    return GPOOL_OK;
}

/* Writes the smallest rectangle of the depth map that holds every texel that changed. */
static gpool_result write_depths(generator *gen)
{
    if (gen->depth_map.id == 0) {
        gen->depth_map = gpool_texture_create(
            gen->pool, &(gpool_texture_desc){ .width = DEPTH_SIZE,
                                              .height = DEPTH_SIZE,
                                              .format = WGPUTextureFormat_R8Unorm,
                                              .usage = GPOOL_TEXTURE_SAMPLED,
                                              .label = "lake depth",
                                              .scope = gen->scope });
        if (gen->depth_map.id == 0) {
            return gpool_last_error(gen->pool)->code;
        }
    }
    uint32_t left = DEPTH_SIZE, right = 0, top = DEPTH_SIZE, bottom = 0;
    for (uint32_t y = 0; y < DEPTH_SIZE; ++y) {
        for (uint32_t x = 0; x < DEPTH_SIZE; ++x) {
            const float scale = 2.0f * GENERATOR_REACH / (float)DEPTH_SIZE;
            float height = generator_height(gen, ((float)x + 0.5f) * scale - GENERATOR_REACH,
                                            ((float)y + 0.5f) * scale - GENERATOR_REACH);
            uint8_t depth = to_byte((GENERATOR_WATER - height) * 0.5f);
            if (depth != gen->depths[y * DEPTH_SIZE + x]) {
                gen->depths[y * DEPTH_SIZE + x] = depth;
                left = x < left ? x : left;
                right = x + 1u > right ? x + 1u : right;
                top = y < top ? y : top;
                bottom = y + 1u;
            }
        }
    }
    if (left >= right) {
        return GPOOL_OK;
    }
    gpool_texture_region changed = {
        .x = left, .y = top, .width = right - left, .height = bottom - top
    };
    const uint8_t *first = gen->depths + top * DEPTH_SIZE + left;
    size_t size = (size_t)(changed.height - 1u) * DEPTH_SIZE + changed.width;
    gen->counts.depth_texels += (uint64_t)changed.width * changed.height;
    return gpool_texture_write(gen->pool, gen->depth_map, &changed, first, size, DEPTH_SIZE);
}

static gpool_result write_indices(generator *gen)
{
    uint32_t cells = gen->cells;
    size_t size = (size_t)cells * cells * 6u * sizeof(uint32_t);
    uint32_t *indices = malloc(size), next = 0;
    if (indices == NULL) {
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    for (uint32_t z = 0; z < cells; ++z) {
        for (uint32_t x = 0; x < cells; ++x) {
            uint32_t a = z * (cells + 1u) + x, b = a + cells + 1u;
            const uint32_t cell[6] = { a, b, a + 1u, a + 1u, b, b + 1u };
            memcpy(indices + next, cell, sizeof cell);
            next += 6;
        }
    }
    gpool_result result =
        gpool_mesh_write(gen->pool, gen->mesh, GPOOL_MESH_INDICES, 0, indices, size);
    free(indices);
    return result;
}

/* Makes the mesh, or gives the one there is the new size: its handle stays. */
static gpool_result size_mesh(generator *gen, uint32_t vertex_count, uint32_t index_count)
{
    if (gen->mesh.id != 0) {
        return gpool_mesh_resize(gen->pool, gen->mesh, vertex_count, index_count);
    }
    gen->mesh = gpool_mesh_create(gen->pool, &(gpool_mesh_desc){ .heap = gen->heap,
                                                                 .vertex_count = vertex_count,
                                                                 .vertex_stride = sizeof(vertex),
                                                                 .index_count = index_count,
                                                                 .label = "ground",
                                                                 .scope = gen->scope });
    return gen->mesh.id != 0 ? GPOOL_OK : gpool_last_error(gen->pool)->code;
}

static gpool_result set_detail(generator *gen, uint32_t cells)
{
    uint32_t vertex_count = (cells + 1u) * (cells + 1u);
    vertex *rows = calloc(vertex_count, sizeof *rows);
    if (rows == NULL) {
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    free(gen->rows);
    gen->rows = rows; /* zeros: no row is like that, so all will be written */
    gen->counts.resizes += gen->cells != 0;
    gen->cells = cells;
    gpool_result result = size_mesh(gen, vertex_count, cells * cells * 6u);
    return result == GPOOL_OK ? write_indices(gen) : result;
}

static gpool_result update_ground(generator *gen, uint64_t frame)
{
    bool new_detail = node_watch_begin(gen->graph, &gen->detail);
    bool new_phase = node_watch_begin(gen->graph, &gen->phase);
    if (!new_detail && !new_phase) {
        return GPOOL_OK;
    }
    gpool_result result = GPOOL_OK;
    uint32_t cells = (uint32_t)clampf(node_graph_value(gen->graph, gen->detail.node), 8.0f,
                                      (float)LANDSCAPE_MAX_CELLS);
    if (cells != gen->cells) {
        result = set_detail(gen, cells);
    }
    if (result == GPOOL_OK) {
        gen->at_phase = node_graph_value(gen->graph, gen->phase.node);
        result = write_rows(gen);
    }
    if (result == GPOOL_OK) {
        result = write_depths(gen);
    }
    if (result == GPOOL_OK) {
        gen->counts.grounds += 1;
        gpool_dirty_mark(&gen->ground_changed, frame);
        node_watch_clear(&gen->detail);
        node_watch_clear(&gen->phase);
    }
    return result;
}

/* A tileable cloud cover: density in red. */
static gpool_result make_cloud(generator *gen, uint32_t seed, gpool_texture *cloud)
{
    static uint8_t texels[CLOUD_SIZE * CLOUD_SIZE];
    for (uint32_t y = 0; y < CLOUD_SIZE; ++y) {
        for (uint32_t x = 0; x < CLOUD_SIZE; ++x) {
            float u = (float)x * (8.0f / CLOUD_SIZE), v = (float)y * (8.0f / CLOUD_SIZE);
            texels[y * CLOUD_SIZE + x] = to_byte(noise_tiled(u, v, 8, 5, seed * 101u));
        }
    }
    *cloud =
        gpool_texture_create(gen->pool, &(gpool_texture_desc){ .width = CLOUD_SIZE,
                                                               .height = CLOUD_SIZE,
                                                               .format = WGPUTextureFormat_R8Unorm,
                                                               .mip_levels = UINT32_MAX,
                                                               .usage = GPOOL_TEXTURE_SAMPLED,
                                                               .data = texels,
                                                               .data_size = sizeof texels,
                                                               .label = "cloud",
                                                               .scope = gen->scope });
    if (cloud->id == 0) {
        return gpool_last_error(gen->pool)->code;
    }
    gen->counts.textures_made += 1;
    uint32_t size = CLOUD_SIZE;
    for (uint32_t level = 1; size > 1; ++level) {
        size /= 2;
        for (uint32_t y = 0; y < size; ++y) {
            for (uint32_t x = 0; x < size; ++x) {
                const uint8_t *from = texels + (y * 2u) * (size * 2u) + x * 2u;
                uint32_t sum = 2u + from[0] + from[1] + from[size * 2u] + from[size * 2u + 1u];
                texels[y * size + x] = (uint8_t)(sum / 4u);
            }
        }
        gpool_result result =
            gpool_texture_write(gen->pool, *cloud, &(gpool_texture_region){ .mip_level = level },
                                texels, (size_t)size * size, 0);
        if (result != GPOOL_OK) {
            return result;
        }
    }
    return GPOOL_OK;
}

/* The newer texture becomes the older one when the graph counts on; what was older goes. */
static gpool_result update_clouds(generator *gen)
{
    if (!node_watch_begin(gen->graph, &gen->epoch)) {
        return GPOOL_OK;
    }
    uint32_t epoch = (uint32_t)(int32_t)node_graph_value(gen->graph, gen->epoch.node);
    gpool_texture newest = { 0 };
    gpool_result result = GPOOL_OK;
    if (gen->clouds[1].id == 0) {
        result = make_cloud(gen, epoch, &gen->clouds[1]);
    }
    if (result == GPOOL_OK) {
        result = make_cloud(gen, epoch + 1u, &newest);
    }
    if (result != GPOOL_OK) {
        gpool_texture_destroy(gen->pool, newest);
        return result;
    }
    gpool_texture_destroy(gen->pool, gen->clouds[0]);
    gen->clouds[0] = gen->clouds[1];
    gen->clouds[1] = newest;
    node_watch_clear(&gen->epoch);
    return GPOOL_OK;
}

gpool_result generator_update(generator *gen, uint64_t frame)
{
    gpool_result result = update_ground(gen, frame);
    return result == GPOOL_OK ? update_clouds(gen) : result;
}

generator_ground generator_get_ground(const generator *gen)
{
    return (generator_ground){ gen->mesh, gen->depth_map };
}

gpool_texture generator_cloud(const generator *gen, int age)
{
    return gen->clouds[age];
}

gpool_dirty_flag *generator_ground_changed(generator *gen)
{
    return &gen->ground_changed;
}

generator_counts generator_get_counts(const generator *gen)
{
    return gen->counts;
}
