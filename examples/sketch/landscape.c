#include "landscape.h"

#include "noise.h"

#define LANDSCAPE_RADIUS 140.0f

/*
 * An island in a lake, hills around it, mountains behind. Only what is far away moves, and only on
 * one side: the rows of the grid on the other side stay as they are.
 */
float landscape_height(float x, float z, float phase)
{
    float r = sqrtf(x * x + z * z);
    float wobble = noise_fractal(x * 0.06f, 3.7f, z * 0.06f, 4);
    float island = 1.0f - smoothf(7.0f, 12.5f, r + 5.0f * wobble);
    float shore = smoothf(19.0f, 34.0f, r + 14.0f * wobble);
    float high = smoothf(36.0f, 96.0f, r);
    float moved = phase * smoothf(8.0f, -30.0f, z) * smoothf(18.0f, 34.0f, r);
    float height = 2.25f * island - 1.3f + 0.10f * noise_fractal(x * 0.5f, 9.1f, z * 0.5f, 2);
    if (shore > 0.0f) { /* noise is the expensive part: only where it counts */
        float hills = 0.35f + noise_fractal(x * 0.09f, moved, z * 0.09f, 4);
        height += shore * (1.6f + 2.6f * hills);
    }
    if (high > 0.0f) {
        float crests = noise_ridged(x * 0.016f + 3.1f, moved * 0.6f, z * 0.016f, 6);
        height += high * 40.0f * crests * crests / (0.5f + crests);
    }
    return height;
}

/* Grid line to place: fine in the middle, coarse where the fog is. */
static float line_at(uint32_t i, uint32_t cells)
{
    float u = 2.0f * (float)i / (float)cells - 1.0f;
    return LANDSCAPE_RADIUS * (0.24f * u + 0.76f * u * u * u);
}

static uint8_t to_byte(float value)
{
    return (uint8_t)(clampf(value, 0.0f, 1.0f) * 255.0f + 0.5f);
}

/* Sand at the water, moss above it, rock where it is steep, snow on top. */
static void color_ground(vertex *v)
{
    static const vec3 sand = { 0.60f, 0.43f, 0.27f }, moss = { 0.12f, 0.23f, 0.08f },
                      heath = { 0.34f, 0.20f, 0.20f }, rock = { 0.24f, 0.20f, 0.24f },
                      snow = { 0.80f, 0.82f, 0.92f };
    float x = v->position[0], y = v->position[1], z = v->position[2], flat = v->normal[1];
    float patch = noise_fractal(x * 0.16f, 1.3f, z * 0.16f, 3);
    float broad = noise_fractal(x * 0.04f, 5.1f, z * 0.04f, 2); /* far rows are far apart */
    vec3 color = sand;
    const struct layer {
        vec3 color;
        float amount;
    } layers[4] = {
        { moss, smoothf(0.22f, 0.75f, y + 0.5f * patch) },
        { heath, smoothf(0.0f, 0.35f, patch + 0.02f * y) * smoothf(0.6f, 1.4f, y) * 0.8f },
        { rock, smoothf(0.90f, 0.72f, flat + 0.1f * broad) },
        { snow, smoothf(9.0f, 14.0f, y + 6.0f * broad) * smoothf(0.5f, 0.8f, flat) },
    };
    for (int i = 0; i < 4; ++i) {
        float t = layers[i].amount;
        color = vec3_add(vec3_scale(color, 1.0f - t), vec3_scale(layers[i].color, t));
    }
    v->color[0] = to_byte(color.x);
    v->color[1] = to_byte(color.y);
    v->color[2] = to_byte(color.z);
    v->color[3] = 255;
}

/* Fills the vertices of one row from three lines of heights: before, at and after it. */
void landscape_row(vertex *row, uint32_t z_line, uint32_t cells, const float *before,
                   const float *at, const float *after)
{
    uint32_t z0 = z_line > 0 ? z_line - 1u : 0, z1 = z_line < cells ? z_line + 1u : cells;
    float depth = line_at(z1, cells) - line_at(z0, cells);
    for (uint32_t i = 0; i <= cells; ++i) {
        uint32_t x0 = i > 0 ? i - 1u : 0, x1 = i < cells ? i + 1u : cells;
        float width = line_at(x1, cells) - line_at(x0, cells);
        vec3 normal = vec3_normalize(
            vec3_make((at[x0] - at[x1]) / width, 1.0f, (before[i] - after[i]) / depth));
        float x = line_at(i, cells), z = line_at(z_line, cells);
        row[i] = (vertex){ .position = { x, at[i], z },
                           .normal = { normal.x, normal.y, normal.z },
                           .uv = { x * 0.3f, z * 0.3f } };
        color_ground(&row[i]);
    }
}

void landscape_heights(float *heights, uint32_t z_line, uint32_t cells, float phase)
{
    for (uint32_t i = 0; i <= cells; ++i) {
        heights[i] = landscape_height(line_at(i, cells), line_at(z_line, cells), phase);
    }
}
