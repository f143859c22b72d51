#include "particles.h"

#include "noise.h"
#include "vector.h"

#include <stdlib.h>

/* The least power of two that is not below their count, less one. */
#define PARTICLES_MASK 0x1ffffu
_Static_assert(PARTICLES_COUNT - 1u <= PARTICLES_MASK, "every particle has its number");

/* Those below are out: the shader leaves them out, as they would cost as much as bright ones. */
#define PARTICLES_DARK 0.2f

/* As many that moved are written by one call. */
#define PARTICLES_LIST 512u

/* Rows of noise_random(); the crowd's are below. */
#define PARTICLES_ROW 1024u

static float random_between(uint32_t index, uint32_t row, float low, float high)
{
    return mixf(low, high, noise_random(PARTICLES_ROW + row, index));
}

static uint8_t to_byte(float value)
{
    return (uint8_t)(clampf(value, 0.0f, 1.0f) * 255.0f + 0.5f);
}

/* Rings with gaps around the middle one, thin as those of a planet. */
static float ring_radius(uint32_t index)
{
    static const float inner[4] = { 7.2f, 8.35f, 9.9f, 11.15f };
    static const float outer[4] = { 8.1f, 9.6f, 11.0f, 11.9f };
    float at = random_between(index, 1, 0.0f, 1.0f);
    int ring = at < 0.20f ? 0 : at < 0.65f ? 1 : at < 0.92f ? 2 : 3;
    return mixf(inner[ring], outer[ring], random_between(index, 2, 0.0f, 1.0f));
}

/* Each goes its own round a little faster than the belt, nearer ones more so, and twinkles. */
static particle particle_at(uint32_t index, float seconds)
{
    static const vec3 lights[4] = { { 1.0f, 0.95f, 0.84f },
                                    { 1.0f, 0.80f, 0.48f },
                                    { 1.0f, 0.62f, 0.36f },
                                    { 0.96f, 0.58f, 0.62f } };
    vec3 light = lights[noise_hash(index) % 4u];
    float radius = ring_radius(index), phase = random_between(index, 3, 0.0f, 2.0f * SKETCH_PI);
    float angle = random_between(index, 4, 0.0f, 2.0f * SKETCH_PI) + 0.4f * seconds / radius;
    float lift = random_between(index, 5, -1.0f, 1.0f);
    float shine = random_between(index, 6, 0.0f, 1.0f);
    float twinkle = 0.5f + 0.5f * sinf(phase + 2.1f * seconds);
    float bright = 0.15f + 0.85f * shine * shine * twinkle;
    return (particle){ .position = { radius * cosf(angle),
                                     0.16f * lift * lift * lift + 0.03f * sinf(phase + seconds),
                                     radius * sinf(angle) },
                       .color = { to_byte(light.x), to_byte(light.y), to_byte(light.z),
                                  bright > PARTICLES_DARK ? to_byte(bright) : 0 } };
}

/*
 * The one at place `at` in the order of frame `number`, another for each place: steps that can be
 * undone mix the numbers up to the mask among themselves; what is too great is mixed again.
 */
static uint32_t pick(uint32_t at, uint32_t number)
{
    uint32_t key = noise_hash(number);
    do {
        for (int i = 0; i < 3; ++i) {
            at = (at * 0x2c1b3c6du + key) & PARTICLES_MASK;
            at ^= at >> 9;
        }
    } while (at >= PARTICLES_COUNT);
    return at;
}

gpool_result particles_init(particles *dust, gpool *pool, gpool_scope scope, double move)
{
    *dust =
        (particles){ .pool = pool, .moved_each = (uint32_t)(move * (double)PARTICLES_COUNT + 0.5) };
    particle *all = calloc(PARTICLES_COUNT, sizeof *all);
    if (all == NULL) {
        return GPOOL_ERROR_OUT_OF_MEMORY;
    }
    for (uint32_t i = 0; i < PARTICLES_COUNT; ++i) {
        all[i] = particle_at(i, 0.0f);
    }
    dust->buffer =
        gpool_buffer_create(pool, &(gpool_buffer_desc){ .data = all,
                                                        .size = PARTICLES_COUNT * sizeof *all,
                                                        .usage = GPOOL_BUFFER_VERTEX,
                                                        .label = "particles",
                                                        .scope = scope });
    free(all);
    return dust->buffer.id != 0 ? GPOOL_OK : gpool_last_error(pool)->code;
}

gpool_result particles_update(particles *dust, uint64_t number, float seconds)
{
    uint32_t moved[PARTICLES_LIST];
    particle now[PARTICLES_LIST];
    gpool_result result = GPOOL_OK;
    for (uint32_t i = 0; i < dust->moved_each && result == GPOOL_OK;) {
        uint32_t count = 0;
        for (; count < PARTICLES_LIST && i < dust->moved_each; ++count, ++i) {
            moved[count] = pick(i, (uint32_t)number);
            now[count] = particle_at(moved[count], seconds);
        }
        result = gpool_buffer_write_scattered(dust->pool, dust->buffer, moved, count, sizeof now[0],
                                              now);
        dust->bytes_written += count * sizeof now[0];
    }
    return result;
}
