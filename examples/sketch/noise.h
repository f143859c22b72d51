/* noise.h: repeatable randomness. Same arguments, same result, on every machine. */
#ifndef SKETCH_NOISE_H
#define SKETCH_NOISE_H

#include <stdint.h>

/* Mixes bits well enough for pictures. */
uint32_t noise_hash(uint32_t x);

/* Number in [0, 1) that belongs to `index` in the row `stream`. */
float noise_random(uint32_t stream, uint32_t index);

/* Gradient noise, about -1 to 1, smooth in all three directions. */
float noise_gradient(float x, float y, float z);

/* Sum of `octaves` of gradient noise, each twice as fine and half as strong; about -1 to 1. */
float noise_fractal(float x, float y, float z, int octaves);

/* Like noise_fractal() with sharp crests; 0 to about 1. */
float noise_ridged(float x, float y, float z, int octaves);

/* Fractal value noise that repeats every `period` cells (a power of two); 0 to 1. */
float noise_tiled(float x, float y, uint32_t period, int octaves, uint32_t seed);

#endif
