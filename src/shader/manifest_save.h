/*
 * What the warm-up and the saves share: key, rules and complaint of the manifest of a pool.
 */
#ifndef GPOOL_SHADER_MANIFEST_SAVE_H
#define GPOOL_SHADER_MANIFEST_SAVE_H

#include "shader/manifest.h"

/** Writes the key of the manifest of this program on this device; false without memory. */
bool gpool__manifest_key(gpool *pool, gpool__manifest_io *key);
void gpool__manifest_key_fini(gpool *pool, gpool__manifest_io *key);

/** What the pool's device allows. */
gpool__manifest_rules gpool__manifest_rules_of(const gpool *pool);

/** Counts and logs a manifest that is none. */
void gpool__manifest_tell_bad(gpool *pool);

#endif
