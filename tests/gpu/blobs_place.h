/*
 * What the tests of driver blobs stand on: a store in a folder of its own, devices that keep their blobs
 * there, and a program of compute pipelines and one that draws, whose results are compared byte by byte.
 */
#ifndef GPOOL_TESTS_GPU_BLOBS_PLACE_H
#define GPOOL_TESTS_GPU_BLOBS_PLACE_H

#include "gpu/fixture.h"

#define BLOBS_MOST 24u /* compute pipelines of a program */

/* A folder for a store, and what its log and the device's say. */
typedef struct place {
    char folder[128];
    gpool_store *store;
    fixture_log store_log;
    fixture_log device_log;
} blobs_place;

/* What one program run on one device came to. */
typedef struct outcome {
    uint32_t words[BLOBS_MOST]; /* written by compute pipelines */
    uint8_t picture[4 * 4 * 4];
    gpool_blob_stats blobs;
} blobs_outcome;

/** True on Dawn, the one build that keeps blobs. */
bool blobs_is_dawn(void);

/** Makes the folder and opens the store; ends both. */
void blobs_open_place(blobs_place *p);
void blobs_close_place(blobs_place *p);

/** The store alone. */
gpool_store_desc blobs_store_desc(blobs_place *p);
void blobs_open_store(blobs_place *p, gpool_store_mode mode);
void blobs_close_store(blobs_place *p);
gpool_store_stats blobs_store_stats(const blobs_place *p);

/** Opens a device that keeps its blobs there; checks that others say why they do not. */
gpool_device *blobs_open_device(blobs_place *p, const gpool_gpu *table);

/** Compiles so many compute pipelines and one for drawing on these workers, and runs them. */
blobs_outcome blobs_run_on(gpool_device *device, uint32_t count, uint32_t workers);

/** The same on a device of its own, whose blobs are kept in the store. */
blobs_outcome blobs_run_at(blobs_place *p, uint32_t count, uint32_t workers);

/** What comes out without a store. */
const blobs_outcome *blobs_plain(fixture *f, uint32_t count);

void blobs_assert_same_picture(const blobs_outcome *a, const blobs_outcome *b);

/** Every blob was asked for in vain, and one at least was saved for each pipeline. */
void blobs_assert_cold(const blobs_outcome *o, uint32_t pipelines);

/** Every blob was there. */
void blobs_assert_warm(const blobs_outcome *o, uint32_t pipelines);

#endif
