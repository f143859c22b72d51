/*
 * generator.h: makes what no artist made. A height field whose rows are written again when the
 * node graph says so, and only those that changed; the depth of its lake as a texture, of which the
 * rectangle that changed is written; cloud textures that are made, faded over and destroyed as time
 * goes by.
 */
#ifndef SKETCH_GENERATOR_H
#define SKETCH_GENERATOR_H

#include "geometry.h"
#include "node_graph.h"

typedef struct generator generator;

/* Height of the lake, and how far its depth map reaches from the middle, in metres. */
#define GENERATOR_WATER 0.0f
#define GENERATOR_REACH 40.0f

/* What drives the generator. */
typedef struct generator_desc {
    gpool_scope scope; /* what the generator makes belongs to a scope in this one */
    gpool_heap heap;   /* what the ground lies in */
    node_graph *graph;
    node_id phase;  /* moves the hills */
    node_id detail; /* cells along one side of the height field */
    node_id epoch;  /* whole number; a new one brings a new cloud texture */
} generator_desc;

/* What there is to draw; handles stay the same while their content changes. */
typedef struct generator_ground {
    gpool_mesh mesh;         /* of vertex of geometry.h; below GENERATOR_WATER is lake bed */
    gpool_texture depth_map; /* depth of the lake: 0 to 2 metres as 0 to 1 */
} generator_ground;

typedef struct generator_counts {
    uint64_t grounds;       /* times the height field was made anew */
    uint64_t rows_written;  /* rows of it that had changed */
    uint64_t rows_kept;     /* rows that had not */
    uint64_t row_bytes;     /* of those written */
    uint64_t resizes;       /* changes of its detail */
    uint64_t depth_texels;  /* texels of the depth map written, as rectangles */
    uint64_t textures_made; /* cloud textures */
} generator_counts;

/* Returns NULL without memory. Makes only its scope yet; the pool and the graph must outlive it. */
generator *generator_create(gpool *pool, const generator_desc *desc);
void generator_destroy(generator *gen);

/* Makes anew what the graph says is stale. Call before recording, for the ground may be resized. */
gpool_result generator_update(generator *gen, uint64_t frame);

generator_ground generator_get_ground(const generator *gen);

/* The older (0) and the newer (1) cloud texture. */
gpool_texture generator_cloud(const generator *gen, int age);

/* Raised whenever the ground changed; consumers hold views of it. */
gpool_dirty_flag *generator_ground_changed(generator *gen);

/* Height of the ground as it is now; usable before the first update, too. */
float generator_height(const generator *gen, float x, float z);

generator_counts generator_get_counts(const generator *gen);

#endif
