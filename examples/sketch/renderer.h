/*
 * renderer.h: draws meshes by instances, a ground with a lake and a sky into a target of any format
 * and size. Owns shaders, pipelines, layouts, samplers, the multisampled and depth targets and the
 * sun's shadow map; meshes, instances and textures belong to others and come as handles.
 */
#ifndef SKETCH_RENDERER_H
#define SKETCH_RENDERER_H

#include "geometry.h"
#include "picture.h"

#include <gpool/gpool.h>

typedef struct renderer renderer;

/* What one instance of a mesh looks like; the shaders read it as four attributes of 16 bytes. */
typedef struct instance {
    float position[3];
    float scale;
    float rotation[4]; /* quaternion */
    float tint[3];     /* times vertex colour and texture, linear */
    float metal;       /* 0 to 1 */
    float gloss;       /* 0 to 1 */
    float spin;        /* turns per second about its own y axis */
    float turn;        /* first angle of that, in half turns */
    float unused;
} instance;

typedef enum draw_style {
    DRAW_SOLID,     /* closed meshes: back faces are left out */
    DRAW_TWO_SIDED, /* meshes of unknown make */
    DRAW_TEXTURED,  /* solid, with a texture */
    DRAW_ROCK,      /* the same, and normals from a picture in the object's space */
    DRAW_STYLE_COUNT
} draw_style;

/* Instances of one mesh, or as many meshes, each of which is one instance. */
typedef struct draw_item {
    gpool_mesh mesh;
    const gpool_mesh *meshes; /* instance_count of them; NULL = all instances are of `mesh` */
    gpool_buffer instances;
    uint32_t instance_count;
    draw_style style;
    bool casts_shadow;
    mat4 place;             /* moves all instances together */
    gpool_texture surface;  /* colours; null = white */
    gpool_texture bumps;    /* normals of rocks; null = those of the vertices */
    float texture_scale;    /* times the mesh's texture coordinates */
    float texture_strength; /* 0 = white, 1 = the texture */
    float rim;              /* light along the outline */
} draw_item;

/* Everything that is not an item. */
typedef struct draw_frame {
    vec3 eye, target;
    float field_of_view; /* radians, of the height */
    vec3 sun;            /* unit vector towards the sun */
    vec3 sun_color, sky_light, ground_light;
    vec3 air[4];         /* fog: low and higher, away from the sun, then towards it */
    float exposure, fog; /* fog per metre */
    float seconds, cloud_fade, cloud_drift, nebula_strength;
    float water;         /* height of the lake */
    float depth_reach;   /* metres from the middle to the edge of the depth map */
    bool update_shadows; /* casters or the sun moved */
    gpool_texture palette, clouds[2], nebula, ground_surface, depth_map;
    gpool_mesh ground;
    gpool_buffer particles; /* of particle */
    uint32_t particle_count;
    mat4 particle_place; /* moves all of them together */
} draw_frame;

/* Returns NULL after saying why on stderr. `shaders` is the folder of the WGSL files. */
renderer *renderer_create(gpool *pool, const char *shaders);
void renderer_destroy(renderer *draw);

/* The shader of all pipelines but the shadow's. */
gpool_shader renderer_shader(const renderer *draw);

/* Makes the targets fit. Call outside recording; cheap when nothing changed. */
gpool_result renderer_set_target(renderer *draw, WGPUTextureFormat format, uint32_t width,
                                 uint32_t height);

/* Records a whole picture into `target`, which is as told by renderer_set_target(). */
void renderer_draw(renderer *draw, const draw_frame *frame, const draw_item *items,
                   uint32_t item_count, gpool_texture target);

/* Sends a mesh to a heap, for a scope to own; null when the pool refused. */
gpool_mesh renderer_make_mesh(gpool *pool, gpool_scope scope, gpool_heap heap,
                              const geometry *shape, const char *label);

/*
 * Sends a picture with all mip levels to the pool, for a scope to own; null when the pool refused.
 * Uses `image` up.
 */
gpool_texture renderer_make_texture(gpool *pool, gpool_scope scope, picture *image, bool colors,
                                    const char *label);

#endif
