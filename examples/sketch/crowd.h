/* crowd.h: who stands where, and who moves how. Instance records only; no pool in here. */
#ifndef SKETCH_CROWD_H
#define SKETCH_CROWD_H

#include "generator.h"
#include "renderer.h"

typedef enum crowd_kind {
    CROWD_CENTER,
    CROWD_PEDESTAL,
    CROWD_ENGINE,
    CROWD_HORSES,
    CROWD_CATS,
    CROWD_TREES,
    CROWD_CRATES,
    CROWD_ROCKS,  /* the textured ones */
    CROWD_GRAVEL, /* the many small ones */
    CROWD_COUNT
} crowd_kind;

/* Every tenth of a kind that moves at all does so. */
#define CROWD_MOVES_EACH 10u

uint32_t crowd_size(crowd_kind kind);

/* What all members together are called. */
const char *crowd_label(crowd_kind kind);

/* True when the kind's members stand on the ground and must follow it. */
bool crowd_on_ground(crowd_kind kind);

/* True when member `index` moves by itself. */
bool crowd_moves(crowd_kind kind, uint32_t index);

/* Where and how member `index` is at a time; the same arguments give the same record. */
instance crowd_member(crowd_kind kind, uint32_t index, float seconds, const generator *ground);

#endif
