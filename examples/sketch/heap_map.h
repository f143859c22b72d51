/* heap_map.h: a picture of what lies where in a heap. */
#ifndef SKETCH_HEAP_MAP_H
#define SKETCH_HEAP_MAP_H

#include <gpool/gpool.h>

/*
 * Draws the slabs one below the other, each in lines from left to right like a page of text, at one scale
 * for all: vertices of a mesh in a colour of its own and its indices in a darker shade of it, what waits
 * for the GPU in gray, what is free nearly black. Writes it as a PNG file; false after saying why on
 * stderr.
 */
bool heap_map_write(gpool *pool, gpool_heap heap, const char *path);

#endif
