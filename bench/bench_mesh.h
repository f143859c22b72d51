/* What the rows of meshes share. */
#ifndef GPOOL_BENCH_MESH_H
#define GPOOL_BENCH_MESH_H

#include "bench_shader.h"

/** A size between two, log-uniform: each doubling is as likely as another. */
uint64_t bench_mesh_size(uint64_t *random, double least, double most);

#endif
