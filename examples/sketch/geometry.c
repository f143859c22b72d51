#include "geometry.h"

#include <stdlib.h>
#include <string.h>

bool geometry_init(geometry *shape, uint32_t vertex_count, uint32_t index_count)
{
    *shape = (geometry){ .vertices = calloc(vertex_count + 1u, sizeof(vertex)),
                         .indices = calloc(index_count + 1u, sizeof(uint32_t)),
                         .vertex_count = vertex_count,
                         .index_count = index_count };
    if (shape->vertices == NULL || shape->indices == NULL) {
        geometry_fini(shape);
        return false;
    }
    return true;
}

void geometry_fini(geometry *shape)
{
    free(shape->vertices);
    free(shape->indices);
    *shape = (geometry){ 0 };
}

bool geometry_copy(geometry *shape, const geometry *source)
{
    if (!geometry_init(shape, source->vertex_count, source->index_count)) {
        return false;
    }
    memcpy(shape->vertices, source->vertices, source->vertex_count * sizeof(vertex));
    memcpy(shape->indices, source->indices, source->index_count * sizeof(uint32_t));
    return true;
}

static void find_box(const geometry *shape, float low[3], float high[3])
{
    for (int axis = 0; axis < 3; ++axis) {
        low[axis] = INFINITY;
        high[axis] = -INFINITY;
    }
    for (uint32_t i = 0; i < shape->vertex_count; ++i) {
        for (int axis = 0; axis < 3; ++axis) {
            low[axis] = fminf(low[axis], shape->vertices[i].position[axis]);
            high[axis] = fmaxf(high[axis], shape->vertices[i].position[axis]);
        }
    }
}

static float longest_side(const float low[3], const float high[3])
{
    float side = fmaxf(high[0] - low[0], fmaxf(high[1] - low[1], high[2] - low[2]));
    return side > 1e-12f ? side : 1.0f;
}

void geometry_normalize(geometry *shape, float size)
{
    float low[3], high[3];
    find_box(shape, low, high);
    float scale = size / longest_side(low, high);
    float origin[3] = { 0.5f * (low[0] + high[0]), low[1], 0.5f * (low[2] + high[2]) };
    for (uint32_t i = 0; i < shape->vertex_count; ++i) {
        for (int axis = 0; axis < 3; ++axis) {
            float *value = &shape->vertices[i].position[axis];
            *value = (*value - origin[axis]) * scale;
        }
    }
}

void geometry_center(geometry *shape)
{
    float low[3], high[3];
    find_box(shape, low, high);
    for (uint32_t i = 0; i < shape->vertex_count; ++i) {
        for (int axis = 0; axis < 3; ++axis) {
            shape->vertices[i].position[axis] -= 0.5f * (low[axis] + high[axis]);
        }
    }
}

static void turn_upright(float v[3])
{
    float y = v[1];
    v[1] = -v[2];
    v[2] = y;
}

void geometry_turn_upright(geometry *shape)
{
    for (uint32_t i = 0; i < shape->vertex_count; ++i) {
        turn_upright(shape->vertices[i].position);
        turn_upright(shape->vertices[i].normal);
    }
}

void geometry_soften_colors(geometry *shape, float gray, float amount)
{
    for (uint32_t i = 0; i < shape->vertex_count; ++i) {
        for (int channel = 0; channel < 3; ++channel) {
            uint8_t *value = &shape->vertices[i].color[channel];
            *value = (uint8_t)(mixf((float)*value, gray * 255.0f, amount) + 0.5f);
        }
    }
}

static vec3 load(const float v[3])
{
    return vec3_make(v[0], v[1], v[2]);
}

static void store(float v[3], vec3 value)
{
    v[0] = value.x;
    v[1] = value.y;
    v[2] = value.z;
}

void geometry_make_normals(geometry *shape)
{
    for (uint32_t i = 0; i < shape->vertex_count; ++i) {
        store(shape->vertices[i].normal, vec3_make(0, 0, 0));
    }
    for (uint32_t i = 0; i + 2 < shape->index_count; i += 3) {
        vertex *corners[3];
        for (uint32_t k = 0; k < 3; ++k) {
            corners[k] = &shape->vertices[shape->indices[i + k]];
        }
        vec3 a = load(corners[0]->position);
        vec3 normal = vec3_cross(vec3_sub(load(corners[1]->position), a),
                                 vec3_sub(load(corners[2]->position), a));
        for (uint32_t k = 0; k < 3; ++k) {
            store(corners[k]->normal, vec3_add(load(corners[k]->normal), normal));
        }
    }
    for (uint32_t i = 0; i < shape->vertex_count; ++i) {
        float *normal = shape->vertices[i].normal;
        store(normal, vec3_normalize(load(normal)));
    }
}

/* A vertex by the cluster it falls into. */
typedef struct cluster_key {
    uint64_t key;
    uint32_t vertex;
} cluster_key;

static int compare_keys(const void *left, const void *right)
{
    const cluster_key *a = left, *b = right;
    if (a->key != b->key) {
        return a->key < b->key ? -1 : 1;
    }
    return a->vertex < b->vertex ? -1 : a->vertex > b->vertex; /* same result on every machine */
}

static uint64_t cluster_of(const vertex *v, const float low[3], float cell, bool keep_sides)
{
    uint64_t key = 0;
    for (int axis = 0; axis < 3; ++axis) {
        key = key << 12 | (uint64_t)((v->position[axis] - low[axis]) / cell);
    }
    for (int axis = 0; axis < 3; ++axis) {
        key = key << 1 | (keep_sides && v->normal[axis] < 0.0f);
    }
    for (int channel = 0; channel < 3; ++channel) {
        key = key << 4 | v->color[channel] >> 4;
    }
    return key;
}

/* Writes one vertex for each run of equal keys, and for each old vertex the number of its new one. */
static uint32_t merge_clusters(const geometry *shape, const cluster_key *keys, vertex *merged,
                               uint32_t *new_index)
{
    uint32_t count = 0;
    for (uint32_t begin = 0; begin < shape->vertex_count;) {
        uint32_t end = begin;
        vec3 position = { 0 }, normal = { 0 };
        for (; end < shape->vertex_count && keys[end].key == keys[begin].key; ++end) {
            const vertex *v = &shape->vertices[keys[end].vertex];
            position = vec3_add(position, load(v->position));
            normal = vec3_add(normal, load(v->normal));
            new_index[keys[end].vertex] = count;
        }
        merged[count] = shape->vertices[keys[begin].vertex];
        store(merged[count].position, vec3_scale(position, 1.0f / (float)(end - begin)));
        store(merged[count].normal, vec3_normalize(normal));
        ++count;
        begin = end;
    }
    return count;
}

static int compare_triangles(const void *left, const void *right)
{
    const uint32_t *a = left, *b = right;
    for (int k = 0; k < 3; ++k) {
        if (a[k] != b[k]) {
            return a[k] < b[k] ? -1 : 1;
        }
    }
    return 0;
}

/*
 * Gives the triangles their new vertices and leaves out those that fell into one cluster or equal
 * another one. Returns how many indices are left.
 */
static uint32_t merge_triangles(geometry *shape, const uint32_t *new_index)
{
    uint32_t *indices = shape->indices, kept = 0;
    for (uint32_t i = 0; i + 2 < shape->index_count; i += 3) {
        uint32_t a = new_index[indices[i]], b = new_index[indices[i + 1]],
                 c = new_index[indices[i + 2]];
        if (a != b && b != c && c != a) {
            while (a > b || a > c) { /* the smallest first, the sense of rotation kept */
                uint32_t first = a;
                a = b;
                b = c;
                c = first;
            }
            indices[kept++] = a;
            indices[kept++] = b;
            indices[kept++] = c;
        }
    }
    qsort(indices, kept / 3u, 3 * sizeof *indices, compare_triangles);
    uint32_t unique = 0;
    for (uint32_t i = 0; i < kept; i += 3) {
        if (unique == 0 || compare_triangles(indices + i, indices + unique - 3) != 0) {
            memmove(indices + unique, indices + i, 3 * sizeof *indices);
            unique += 3;
        }
    }
    return unique;
}

bool geometry_reduce(geometry *shape, uint32_t cells, bool keep_sides)
{
    float low[3], high[3];
    find_box(shape, low, high);
    float cell = longest_side(low, high) / (float)cells;
    cluster_key *keys = calloc(shape->vertex_count + 1u, sizeof *keys);
    uint32_t *new_index = calloc(shape->vertex_count + 1u, sizeof *new_index);
    vertex *merged = calloc(shape->vertex_count + 1u, sizeof *merged);
    if (keys == NULL || new_index == NULL || merged == NULL) {
        free(keys);
        free(new_index);
        free(merged);
        return false;
    }
    for (uint32_t i = 0; i < shape->vertex_count; ++i) {
        keys[i] = (cluster_key){ cluster_of(&shape->vertices[i], low, cell, keep_sides), i };
    }
    qsort(keys, shape->vertex_count, sizeof *keys, compare_keys);
    uint32_t count = merge_clusters(shape, keys, merged, new_index);
    shape->index_count = merge_triangles(shape, new_index);
    free(shape->vertices);
    free(keys);
    free(new_index);
    shape->vertices = merged;
    shape->vertex_count = count;
    return true;
}
