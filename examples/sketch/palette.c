#include "palette.h"

#include "vector.h"

#include <string.h>

#define PALETTE_WIDTH 64u
#define PALETTE_STOPS 5

/* One colour of the gradient: linear light, may be above 1 near the sun. */
typedef struct palette_stop {
    float at; /* 0 = horizon, 1 = zenith */
    vec3 color;
} palette_stop;

/* By [towards the sun][stop]. */
static const palette_stop palette_day[2][PALETTE_STOPS] = {
    { { 0.00f, { 0.62f, 0.62f, 0.74f } },
      { 0.18f, { 0.46f, 0.52f, 0.72f } },
      { 0.42f, { 0.24f, 0.34f, 0.60f } },
      { 0.70f, { 0.12f, 0.20f, 0.46f } },
      { 1.00f, { 0.07f, 0.12f, 0.34f } } },
    { { 0.00f, { 1.30f, 0.94f, 0.62f } },
      { 0.16f, { 1.02f, 0.80f, 0.62f } },
      { 0.40f, { 0.48f, 0.50f, 0.62f } },
      { 0.70f, { 0.18f, 0.26f, 0.50f } },
      { 1.00f, { 0.07f, 0.12f, 0.34f } } },
};
static const palette_stop palette_dusk[2][PALETTE_STOPS] = {
    { { 0.00f, { 0.52f, 0.40f, 0.50f } },
      { 0.18f, { 0.36f, 0.34f, 0.52f } },
      { 0.42f, { 0.17f, 0.22f, 0.44f } },
      { 0.70f, { 0.07f, 0.11f, 0.30f } },
      { 1.00f, { 0.03f, 0.05f, 0.18f } } },
    { { 0.00f, { 1.60f, 0.86f, 0.40f } },
      { 0.18f, { 1.10f, 0.62f, 0.40f } },
      { 0.42f, { 0.50f, 0.38f, 0.46f } },
      { 0.70f, { 0.13f, 0.17f, 0.38f } },
      { 1.00f, { 0.03f, 0.05f, 0.18f } } },
};

/* Rounds a finite number of ordinary size to half precision; too small becomes zero. */
static uint16_t half_of(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    uint32_t sign = bits >> 31;
    uint32_t exponent = bits >> 23 & 255u;
    if (exponent < 113u) {
        return (uint16_t)(sign << 15);
    }
    bits += 0x1000u; /* to nearest: half of the last kept bit */
    exponent = bits >> 23 & 255u;
    return (uint16_t)(sign << 15 | (exponent - 112u) << 10 | (bits >> 13 & 1023u));
}

static vec3 color_at(const palette_stop *stops, float at)
{
    int i = 1;
    while (i < PALETTE_STOPS - 1 && at > stops[i].at) {
        ++i;
    }
    float t = smoothf(stops[i - 1].at, stops[i].at, at);
    return vec3_add(vec3_scale(stops[i - 1].color, 1.0f - t), vec3_scale(stops[i].color, t));
}

vec3 palette_color(float dusk, float at, int towards)
{
    return vec3_add(vec3_scale(color_at(palette_day[towards], at), 1.0f - dusk),
                    vec3_scale(color_at(palette_dusk[towards], at), dusk));
}

gpool_texture palette_create(gpool *pool)
{
    return gpool_texture_create(pool,
                                &(gpool_texture_desc){ .width = PALETTE_WIDTH,
                                                       .height = 2,
                                                       .format = WGPUTextureFormat_RGBA16Float,
                                                       .usage = GPOOL_TEXTURE_SAMPLED,
                                                       .label = "palette" });
}

gpool_result palette_write(gpool *pool, gpool_texture texture, float dusk)
{
    uint16_t texels[2][PALETTE_WIDTH][4];
    for (int row = 0; row < 2; ++row) {
        for (uint32_t i = 0; i < PALETTE_WIDTH; ++i) {
            float at = (float)i / (float)(PALETTE_WIDTH - 1u);
            vec3 color = palette_color(dusk, at, row);
            texels[row][i][0] = half_of(color.x);
            texels[row][i][1] = half_of(color.y);
            texels[row][i][2] = half_of(color.z);
            texels[row][i][3] = half_of(1.0f);
        }
    }
    return gpool_texture_write(pool, texture, NULL, texels, sizeof texels, 0);
}
