/* geometry.h: triangles in CPU memory, on their way to the pool. */
#ifndef SKETCH_GEOMETRY_H
#define SKETCH_GEOMETRY_H

#include "vector.h"

#include <stdbool.h>
#include <stdint.h>

/* The vertex all meshes share; renderer.c describes it to the pipelines. */
typedef struct vertex {
    float position[3];
    float normal[3];
    float uv[2];
    uint8_t color[4];
} vertex;

typedef struct geometry {
    vertex *vertices;
    uint32_t *indices;
    uint32_t vertex_count;
    uint32_t index_count;
} geometry;

/* Makes room; false without memory, `shape` is empty then. */
bool geometry_init(geometry *shape, uint32_t vertex_count, uint32_t index_count);
void geometry_fini(geometry *shape);

/* Copies; false without memory. */
bool geometry_copy(geometry *shape, const geometry *source);

/* Scales to `size` along the longest side, centres in x and z, puts the lowest point on y = 0. */
void geometry_normalize(geometry *shape, float size);

/* Turns what has -z up, as many 3DS files do once imported, to y up. */
void geometry_turn_upright(geometry *shape);

/* Moves the middle to the origin, for things that turn in the air. */
void geometry_center(geometry *shape);

/* Mixes all colours with `gray` by `amount`: engineers' colours are loud. */
void geometry_soften_colors(geometry *shape, float gray, float amount);

/* Computes normals from the triangles, weighted by their area. */
void geometry_make_normals(geometry *shape);

/*
 * Thins a mesh out for use in a crowd: vertices within one of `cells` cells along the longest side
 * that have the same colour become one (vertex clustering, Rossignac and Borrel 1993). With
 * `keep_sides` only those that also look the same way do, which keeps ears and legs from
 * collapsing. False without memory; `shape` is as before then.
 */
bool geometry_reduce(geometry *shape, uint32_t cells, bool keep_sides);

#endif
