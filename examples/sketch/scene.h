/*
 * scene.h: the sketch itself, as a user would write it on top of graph, generator and renderer: an
 * island in a lake at dusk, a centre piece, a belt of rocks, a crowd. Frame n is the same picture
 * on every run, so that the headless program and the window can be compared.
 */
#ifndef SKETCH_SCENE_H
#define SKETCH_SCENE_H

#include "crowd.h"

typedef struct scene scene;

/* The particles, the swarm, and each kind of the crowd; meshes are in the heap. */
#define SCENE_BUFFERS (2u + CROWD_COUNT)

typedef struct scene_desc {
    const char *shaders; /* folder of the WGSL files */
    const char
        *models; /* folder of the models and textures; where files are missing, shapes are made */
    const char *model; /* file that takes the place of the centre piece; NULL = the bunny */
    double move;       /* share of the particles that moves each frame */
} scene_desc;

typedef struct scene_counts {
    uint32_t instances; /* in all groups */
    uint32_t triangles; /* of one picture, without the ground */
    uint64_t moved;     /* instance records written because they move */
    uint64_t replaced;  /* instance records written because the ground changed */
    uint32_t particles; /* all of them, and those that move in a frame */
    uint32_t particles_moved_each;
    uint64_t nodes_computed; /* of the graph */
    uint64_t nodes_rested;   /* of the graph */
    generator_counts generator;
    uint64_t meshes_created; /* of the swarm: in the frames so far */
    uint64_t meshes_destroyed;
    uint64_t mesh_bytes;   /* of those created */
    uint64_t meshes_moved; /* by compaction, and the frames in which it moved some */
    uint64_t frames_moved;
} scene_counts;

/* Returns NULL after saying why on stderr. The pool must outlive the scene. */
scene *scene_create(gpool *pool, const scene_desc *desc);
void scene_destroy(scene *all);

/* Makes the targets fit; see renderer_set_target(). */
gpool_result scene_set_target(scene *all, WGPUTextureFormat format, uint32_t width,
                              uint32_t height);

/* Moves everything to frame `number` (1 is the first), inside a frame, before recording. */
gpool_result scene_update(scene *all, uint64_t number);

/* Records the picture. */
void scene_draw(scene *all, gpool_texture target);

/* What all geometry lies in. */
gpool_heap scene_heap(const scene *all);

/* The shader that the demo breaks and mends. */
gpool_shader scene_shader(const scene *all);

scene_counts scene_get_counts(const scene *all);

/* A buffer that is written while the sketch runs, and how many bytes of it were so far. */
typedef struct scene_buffer {
    gpool_buffer buffer;
    uint64_t written;
} scene_buffer;

/* Gives such buffers, always in the same order, into room for SCENE_BUFFERS. */
void scene_get_buffers(const scene *all, scene_buffer *buffers);

#endif
