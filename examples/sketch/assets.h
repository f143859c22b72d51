/* assets.h: the sketch's meshes and textures, from files where there are any, else made. */
#ifndef SKETCH_ASSETS_H
#define SKETCH_ASSETS_H

#include "crowd.h"

typedef struct assets {
    gpool_scope scope; /* owns them all */
    gpool_heap heap;   /* what their meshes lie in */
    gpool_mesh meshes[CROWD_COUNT];
    uint32_t index_counts[CROWD_COUNT];
    bool from_file[CROWD_COUNT];
    gpool_texture wood, rock, rock_normals, nebula, ground;
} assets;

/*
 * Loads everything. A file missing in `folder` is replaced by a shape, which is said in one line on
 * stderr; a `model` that cannot be read is an error, as is a refusal of the pool: false after
 * saying why, with what was made so far left for assets_fini(). They belong to a scope in `scope`,
 * meshes lie in `heap`.
 */
bool assets_init(assets *all, gpool *pool, gpool_scope scope, gpool_heap heap, const char *folder,
                 const char *model);
void assets_fini(assets *all, gpool *pool);

#endif
