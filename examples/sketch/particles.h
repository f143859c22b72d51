/*
 * particles.h: the dust of the rocks' belt, many points in one buffer. A share of them, anywhere in
 * it, is moved and written each frame: what a sketch does that has much and changes some of it.
 */
#ifndef SKETCH_PARTICLES_H
#define SKETCH_PARTICLES_H

#include <gpool/gpool.h>

#define PARTICLES_COUNT      100000u
#define PARTICLES_LEAST_MOVE 0.001 /* shares of them that may move in a frame */
#define PARTICLES_MOST_MOVE  1.0

/* A point as the shader reads it. */
typedef struct particle {
    float position[3]; /* in the belt's plane, which the renderer tilts and turns */
    uint8_t color[4];  /* a = how bright, 0 = out */
} particle;

typedef struct particles {
    gpool *pool;
    gpool_buffer buffer;    /* PARTICLES_COUNT of particle */
    uint32_t moved_each;    /* in a frame */
    uint64_t bytes_written; /* since the first frame */
} particles;

/* The buffer belongs to `scope`. */
gpool_result particles_init(particles *dust, gpool *pool, gpool_scope scope, double move);

/* Moves the share of frame `number`: the same number picks the same ones. */
gpool_result particles_update(particles *dust, uint64_t number, float seconds);

#endif
