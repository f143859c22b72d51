/*
 * What differs between implementations. Everything that must know a vendor is in quirks_*.c.
 */
#ifndef GPOOL_GPU_QUIRKS_H
#define GPOOL_GPU_QUIRKS_H

#include "base/memory.h"

#include <gpool/device.h>

/** Family and version of the implementation behind a table. */
gpool_implementation gpool__quirks_family(const gpool_gpu *table, uint32_t *version);

/**
 * When the table is of the one Dawn build whose enumerations differ and are known (told by the
 * hash of its file), replaces the entries that need it by translating ones and returns true.
 */
bool gpool__quirks_dawn_translate(gpool_gpu *table);

/** True when the table translates for that build. */
bool gpool__quirks_dawn_translated(const gpool_gpu *table);

/*
 * Driver blobs of that build between a device and a store. The implementation is given a number, no
 * address: a callback that comes when the device is closed, however late, finds nothing.
 */
typedef struct gpool__blobs gpool__blobs;

/** Makes a link of devices of this adapter to a store; NULL without memory. */
gpool__blobs *gpool__quirks_blobs_take(gpool__memory *memory, const gpool_gpu *table,
                                       WGPUAdapter adapter, gpool_store *store);

/** What goes into the chain of the device's descriptor; `blobs` keeps it. */
WGPUChainedStruct *gpool__quirks_blobs_chain(gpool__blobs *blobs);

/** Ends the link once the callbacks under way are done; NULL is silent. */
void gpool__quirks_blobs_give_back(gpool__memory *memory, gpool__blobs *blobs);

/** Copies the counters; all zero for NULL. */
void gpool__quirks_blobs_stats(const gpool__blobs *blobs, gpool_blob_stats *stats);

/** Dawn's feature that guards a device shared between threads; not in webgpu.h. */
#define GPOOL__DAWN_IMPLICIT_DEVICE_SYNCHRONIZATION ((WGPUFeatureName)0x50004)

/**
 * True when several threads may create on a device at once and each finds its own errors: not where
 * errors are taken by scopes, which wgpu-native has one stack of for all threads, and not on a Dawn
 * device without the feature that guards it.
 */
bool gpool__quirks_is_parallel(gpool_implementation implementation, bool scopes,
                               const WGPUFeatureName *features, size_t feature_count);

/**
 * The type an error should have been told with: wgpu-native reports that memory ran out as Validation.
 * Takes the whole message, as the implementation gave it: only its first and its last line are free of
 * the user's text.
 */
WGPUErrorType gpool__quirks_error_type(WGPUErrorType type, const char *message, size_t length);

#endif
