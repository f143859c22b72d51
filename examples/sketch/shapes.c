#include "shapes.h"

#include "noise.h"

static vertex make_vertex(vec3 position, vec3 normal, float u, float v)
{
    return (vertex){ .position = { position.x, position.y, position.z },
                     .normal = { normal.x, normal.y, normal.z },
                     .uv = { u, v },
                     .color = { 255, 255, 255, 255 } };
}

/* Two triangles for each cell of a grid of vertices, `columns` + 1 in a row. */
static void index_grid(geometry *shape, uint32_t columns, uint32_t rows)
{
    uint32_t next = 0;
    for (uint32_t row = 0; row < rows; ++row) {
        for (uint32_t column = 0; column < columns; ++column) {
            uint32_t a = row * (columns + 1u) + column, b = a + columns + 1u;
            const uint32_t cell[6] = { a, b, a + 1u, a + 1u, b, b + 1u };
            for (uint32_t k = 0; k < 6; ++k) {
                shape->indices[next++] = cell[k];
            }
        }
    }
}

bool shape_crate(geometry *shape)
{
    /* Normal and the two directions of the texture, right and down, by side. */
    static const float sides[6][3][3] = {
        { { 0, 0, 1 }, { 1, 0, 0 }, { 0, -1, 0 } },  { { 0, 0, -1 }, { -1, 0, 0 }, { 0, -1, 0 } },
        { { 1, 0, 0 }, { 0, 0, -1 }, { 0, -1, 0 } }, { { -1, 0, 0 }, { 0, 0, 1 }, { 0, -1, 0 } },
        { { 0, 1, 0 }, { 1, 0, 0 }, { 0, 0, 1 } },   { { 0, -1, 0 }, { 1, 0, 0 }, { 0, 0, -1 } },
    };
    if (!geometry_init(shape, 24, 36)) {
        return false;
    }
    for (uint32_t side = 0; side < 6; ++side) {
        for (uint32_t corner = 0; corner < 4; ++corner) {
            float u = (float)(corner & 1u), v = (float)(corner >> 1);
            float p[3];
            for (int axis = 0; axis < 3; ++axis) {
                p[axis] = 0.5f * sides[side][0][axis] + (u - 0.5f) * sides[side][1][axis] +
                          (v - 0.5f) * sides[side][2][axis];
            }
            const float *n = sides[side][0];
            shape->vertices[side * 4u + corner] =
                make_vertex(vec3_make(p[0], p[1] + 0.5f, p[2]), vec3_make(n[0], n[1], n[2]), u, v);
        }
        static const uint32_t order[6] = { 0, 2, 1, 1, 2, 3 };
        for (uint32_t k = 0; k < 6; ++k) {
            shape->indices[side * 6u + k] = side * 4u + order[k];
        }
    }
    return true;
}

bool shape_rock(geometry *shape, uint32_t rings, uint32_t seed)
{
    uint32_t columns = rings * 2u;
    if (!geometry_init(shape, (columns + 1u) * (rings + 1u), columns * rings * 6u)) {
        return false;
    }
    for (uint32_t row = 0; row <= rings; ++row) {
        for (uint32_t column = 0; column <= columns; ++column) {
            float v = (float)row / (float)rings;
            /* The last column takes the first one's angle, so that the seam is closed. */
            float angle = 2.0f * SKETCH_PI * (float)(column % columns) / (float)columns;
            float radius = sinf(v * SKETCH_PI);
            vec3 p = vec3_make(radius * cosf(angle), cosf(v * SKETCH_PI), -radius * sinf(angle));
            float bump = noise_fractal(p.x * 1.3f, p.y * 1.3f + (float)seed, p.z * 1.3f, 3);
            p = vec3_scale(p, 1.0f + 0.55f * bump);
            p.y *= 0.75f;
            shape->vertices[row * (columns + 1u) + column] =
                make_vertex(p, vec3_make(0, 1, 0), (float)column / (float)columns, v);
        }
    }
    index_grid(shape, columns, rings);
    geometry_make_normals(shape);
    for (uint32_t row = 0; row <= rings; ++row) { /* both sides of the seam look the same way */
        vertex *first = &shape->vertices[row * (columns + 1u)], *last = first + columns;
        vec3 sum = vec3_normalize(vec3_make(first->normal[0] + last->normal[0],
                                            first->normal[1] + last->normal[1],
                                            first->normal[2] + last->normal[2]));
        first->normal[0] = last->normal[0] = sum.x;
        first->normal[1] = last->normal[1] = sum.y;
        first->normal[2] = last->normal[2] = sum.z;
    }
    return true;
}

static vec3 knot_point(uint32_t p, uint32_t q, float t)
{
    float radius = 1.0f + 0.42f * cosf((float)q * t);
    return vec3_make(radius * cosf((float)p * t), 0.55f * sinf((float)q * t),
                     radius * sinf((float)p * t));
}

bool shape_knot(geometry *shape, uint32_t p, uint32_t q, uint32_t steps, uint32_t sides)
{
    if (!geometry_init(shape, (sides + 1u) * (steps + 1u), sides * steps * 6u)) {
        return false;
    }
    for (uint32_t row = 0; row <= steps; ++row) {
        float t = 2.0f * SKETCH_PI * (float)(row % steps) / (float)steps;
        vec3 center = knot_point(p, q, t);
        vec3 along = vec3_normalize(vec3_sub(knot_point(p, q, t + 0.01f), center));
        vec3 side = vec3_normalize(vec3_cross(along, vec3_make(0.0f, 1.0f, 0.0f)));
        vec3 up = vec3_cross(side, along);
        for (uint32_t column = 0; column <= sides; ++column) {
            float angle = 2.0f * SKETCH_PI * (float)(column % sides) / (float)sides;
            vec3 normal = vec3_add(vec3_scale(side, cosf(angle)), vec3_scale(up, sinf(angle)));
            shape->vertices[row * (sides + 1u) + column] =
                make_vertex(vec3_add(center, vec3_scale(normal, 0.26f)), normal,
                            (float)column / (float)sides, 12.0f * (float)row / (float)steps);
        }
    }
    index_grid(shape, sides, steps);
    return true;
}

bool shape_lathe(geometry *shape, const float (*profile)[2], uint32_t point_count, uint32_t sides)
{
    /* Each piece of the profile has vertices of its own, so that its edges are sharp. */
    uint32_t pieces = point_count - 1u, row_size = sides + 1u;
    if (!geometry_init(shape, pieces * 2u * row_size, pieces * sides * 6u)) {
        return false;
    }
    uint32_t next = 0;
    for (uint32_t piece = 0; piece < pieces; ++piece) {
        const float *low = profile[piece], *high = profile[piece + 1u];
        float slope_x = high[1] - low[1], slope_y = low[0] - high[0];
        for (uint32_t end = 0; end < 2; ++end) {
            const float *point = end == 0 ? low : high;
            for (uint32_t column = 0; column <= sides; ++column) {
                float angle = 2.0f * SKETCH_PI * (float)(column % sides) / (float)sides;
                float c = cosf(angle), s = -sinf(angle);
                vec3 normal = vec3_normalize(vec3_make(slope_x * c, slope_y, slope_x * s));
                shape->vertices[(piece * 2u + end) * row_size + column] =
                    make_vertex(vec3_make(point[0] * c, point[1], point[0] * s), normal,
                                4.0f * (float)column / (float)sides, point[1]);
            }
        }
        for (uint32_t column = 0; column < sides; ++column) {
            uint32_t a = piece * 2u * row_size + column, b = a + row_size;
            const uint32_t cell[6] = { a, a + 1u, b, a + 1u, b + 1u, b };
            for (uint32_t k = 0; k < 6; ++k) {
                shape->indices[next++] = cell[k];
            }
        }
    }
    return true;
}
