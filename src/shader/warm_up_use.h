/*
 * The first use of a pipeline, on the GPU and with no work: a dispatch of no workgroups, or a draw
 * whose scissor is empty. What a pipeline needs bound are zeroed dummies made from its layouts.
 *
 * Measured on lavapipe (Mesa 22.3.6) by wgpu-native 29 and on SwiftShader by Dawn, a shader of some
 * work: a dispatch of no workgroups makes lavapipe compile (the real one after it takes 0.5 ms instead
 * of 720), SwiftShader compiles at creation. Draws of no vertices or instances, also indirect ones, do
 * nothing on both; draws of one or two vertices of a triangle nothing on SwiftShader; three vertices
 * with an empty scissor all (2 instead of 1,400 ms, and 3 instead of 35). So vertex shaders run on three
 * vertices. They cannot write, and they see zeros.
 */
#ifndef GPOOL_SHADER_WARM_UP_USE_H
#define GPOOL_SHADER_WARM_UP_USE_H

#include "shader/shader_state.h"

/* Buffers that shaders may write are each bound once. */
#define GPOOL__WARM_WRITTEN 16u

/* What is bound, made when first needed. */
typedef struct gpool__warm_use {
    gpool *pool;
    WGPUBuffer read;
    WGPUBuffer written[GPOOL__WARM_WRITTEN];
    WGPUSampler samplers[2]; /* the second compares */
} gpool__warm_use;

/**
 * Encodes the use of a compiled program into the pool's batch. `*used` is false for one that needs what
 * no dummy is, or whose commands are not valid: that is nobody's error. GPOOL_OK,
 * GPOOL_ERROR_OUT_OF_MEMORY or GPOOL_ERROR_DEVICE_LOST, recorded.
 */
gpool_result gpool__warm_use_encode(gpool__warm_use *use, const gpool__program *program,
                                    bool *used);

void gpool__warm_use_fini(gpool__warm_use *use);

#endif
