/*
 * swarm.h: shapes of many sizes that whirl up around the centre piece. Each lives for a second or so:
 * in every frame some are made and others destroyed, all in one heap. Which ones there are, and what
 * they look like, follows from the number of the frame alone.
 */
#ifndef SKETCH_SWARM_H
#define SKETCH_SWARM_H

#include "renderer.h"

/* Made in each frame, and the frames that none of them outlives. */
#define SWARM_EACH 2u
#define SWARM_AGES 96u
#define SWARM_MOST (SWARM_EACH * SWARM_AGES)

typedef struct swarm_member {
    uint32_t born; /* number of its frame of birth; 0 = nobody was here yet */
    uint32_t life; /* in frames */
    gpool_mesh mesh;
    uint32_t index_count;
} swarm_member;

typedef struct swarm {
    gpool *pool;
    gpool_scope scope; /* owner of all below */
    gpool_heap heap;
    gpool_buffer buffer;              /* of instance, as many as meshes */
    swarm_member members[SWARM_MOST]; /* by frame of birth */
    gpool_mesh meshes[SWARM_MOST];    /* those alive; mesh i is drawn as instance i */
    uint32_t count;
    uint32_t triangles;                 /* of those alive */
    uint64_t created, destroyed, bytes; /* meshes so far, and bytes of those created */
    uint64_t records_written;           /* bytes of instances */
} swarm;

gpool_result swarm_init(swarm *all, gpool *pool, gpool_scope scope, gpool_heap heap);

/* Brings the swarm to a frame, with its whirl around a point of the ground. */
gpool_result swarm_update(swarm *all, uint64_t frame, vec3 middle);

#endif
