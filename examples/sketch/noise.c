#include "noise.h"

#include <math.h>

uint32_t noise_hash(uint32_t x)
{
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    x ^= x >> 16;
    return x;
}

float noise_random(uint32_t stream, uint32_t index)
{
    uint32_t bits = noise_hash(noise_hash(stream * 0x9e3779b9u + 1u) ^ (index * 0x85ebca6bu));
    return (float)(bits >> 8) * (1.0f / 16777216.0f);
}

static uint32_t noise_cell(int32_t x, int32_t y, int32_t z)
{
    return noise_hash((uint32_t)x * 0x8da6b343u ^ (uint32_t)y * 0xd8163841u ^
                      (uint32_t)z * 0xcb1ab31fu);
}

/* Dot product with one of Perlin's twelve edge directions. */
static float noise_slope(uint32_t hash, float x, float y, float z)
{
    hash &= 15u;
    float u = hash < 8u ? x : y;
    float v = hash < 4u ? y : (hash == 12u || hash == 14u) ? x : z;
    return ((hash & 1u) ? -u : u) + ((hash & 2u) ? -v : v);
}

static float noise_fade(float t)
{
    return t * t * t * (t * (t * 6.0f - 15.0f) + 10.0f);
}

static float noise_mix(float a, float b, float t)
{
    return a + (b - a) * t;
}

float noise_gradient(float x, float y, float z)
{
    float fx = floorf(x), fy = floorf(y), fz = floorf(z);
    int32_t ix = (int32_t)fx, iy = (int32_t)fy, iz = (int32_t)fz;
    x -= fx;
    y -= fy;
    z -= fz;
    float corner[8];
    for (int i = 0; i < 8; ++i) {
        int dx = i & 1, dy = (i >> 1) & 1, dz = i >> 2;
        corner[i] = noise_slope(noise_cell(ix + dx, iy + dy, iz + dz), x - (float)dx, y - (float)dy,
                                z - (float)dz);
    }
    float u = noise_fade(x), v = noise_fade(y), w = noise_fade(z);
    float low =
        noise_mix(noise_mix(corner[0], corner[1], u), noise_mix(corner[2], corner[3], u), v);
    float high =
        noise_mix(noise_mix(corner[4], corner[5], u), noise_mix(corner[6], corner[7], u), v);
    return noise_mix(low, high, w);
}

float noise_fractal(float x, float y, float z, int octaves)
{
    float sum = 0.0f, weight = 0.5f;
    for (int i = 0; i < octaves; ++i) {
        sum += weight * noise_gradient(x, y, z);
        weight *= 0.5f;
        x = x * 2.0f + 17.3f;
        y *= 2.0f;
        z = z * 2.0f + 31.7f;
    }
    return sum;
}

float noise_ridged(float x, float y, float z, int octaves)
{
    float sum = 0.0f, weight = 0.5f, carry = 1.0f;
    for (int i = 0; i < octaves; ++i) {
        float crest = 1.0f - fabsf(noise_gradient(x, y, z));
        crest *= crest * carry;
        sum += weight * crest;
        carry = crest > 1.0f ? 1.0f : crest; /* detail only where the coarser octave is high */
        weight *= 0.5f;
        x = x * 2.03f + 11.9f;
        y *= 2.0f;
        z = z * 2.03f + 5.1f;
    }
    return sum;
}

float noise_tiled(float x, float y, uint32_t period, int octaves, uint32_t seed)
{
    float sum = 0.0f, weight = 0.5f, total = 0.0f;
    for (int i = 0; i < octaves; ++i) {
        float fx = floorf(x), fy = floorf(y);
        uint32_t mask = period - 1u;
        uint32_t x0 = (uint32_t)(int32_t)fx & mask, y0 = (uint32_t)(int32_t)fy & mask;
        uint32_t x1 = (x0 + 1u) & mask, y1 = (y0 + 1u) & mask;
        float u = noise_fade(x - fx), v = noise_fade(y - fy);
        uint32_t row = seed + (uint32_t)i * 7919u;
        float top =
            noise_mix(noise_random(row, x0 + y0 * 65536u), noise_random(row, x1 + y0 * 65536u), u);
        float bottom =
            noise_mix(noise_random(row, x0 + y1 * 65536u), noise_random(row, x1 + y1 * 65536u), u);
        sum += weight * noise_mix(top, bottom, v);
        total += weight;
        weight *= 0.5f;
        x *= 2.0f;
        y *= 2.0f;
        period *= 2u;
    }
    return sum / total;
}
