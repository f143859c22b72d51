/* renderer_parts.h: what the renderer makes once: shaders, pipelines, layouts, samplers. */
#ifndef SKETCH_RENDERER_PARTS_H
#define SKETCH_RENDERER_PARTS_H

#include "renderer.h"

#define RENDERER_SAMPLES      4u
#define RENDERER_DEPTH_FORMAT WGPUTextureFormat_Depth32Float
#define RENDERER_SHADOW_SIZE  1024u
/* Half the width of what the shadow map covers, in metres. */
#define RENDERER_SHADOW_REACH 26.0f

typedef struct renderer_parts {
    gpool_shader scene_shader, shadow_shader;
    gpool_layout scene_layout, material_layout;
    gpool_sampler repeating, clamped, comparing;
    gpool_pipeline meshes[DRAW_STYLE_COUNT], ground, water, sky, particles, shadow;
    gpool_texture shadow_map, white, black;
} renderer_parts;

/* On an error the parts made so far stay, for renderer_parts_fini(). */
gpool_result renderer_parts_init(renderer_parts *parts, gpool *pool, const char *shaders);
void renderer_parts_fini(renderer_parts *parts, gpool *pool);

#endif
