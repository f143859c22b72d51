/*
 * rehearsal.h: the scripted reload of the demo. The shaders are copied to a folder of their own, where
 * one of them is broken in the middle of the run and mended later, as somebody at work would do it.
 * The sketch goes on with the last good one, and nothing is missing on the screen.
 */
#ifndef SKETCH_REHEARSAL_H
#define SKETCH_REHEARSAL_H

#include <gpool/gpool.h>

typedef struct rehearsal rehearsal;

/*
 * Copies the shaders to `folder`, which is made. NULL after saying why on stderr. `frames` is how long
 * the run is.
 */
rehearsal *rehearsal_create(const char *shaders, const char *folder, uint32_t frames);
void rehearsal_destroy(rehearsal *all);

/* Before each frame: breaks and mends. False after saying why. */
bool rehearsal_step(rehearsal *all, uint32_t frame, gpool *pool);

/* After each frame: notes what became of it. `shader` is the one made of scene.wgsl. */
void rehearsal_look(rehearsal *all, uint32_t frame, gpool *pool, gpool_shader shader);

/* True when the mended shader is in use. */
bool rehearsal_is_over(const rehearsal *all);

/* The lines of the report; true when all went as it should. */
bool rehearsal_print(const rehearsal *all);

#endif
