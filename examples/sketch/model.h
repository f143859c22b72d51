/* model.h: reads a model file of any kind that assimp knows. */
#ifndef SKETCH_MODEL_H
#define SKETCH_MODEL_H

#include "geometry.h"

/*
 * Reads all meshes of a file as one, each at its place in the file's scene. Normals are made where
 * they are missing; vertex colours are those of the file times the material's base colour. Says
 * what is wrong on stderr and returns false when the file cannot be used; `shape` is empty then.
 */
bool model_read(geometry *shape, const char *path);

#endif
