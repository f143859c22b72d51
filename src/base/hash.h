/*
 * Hashing, by xxHash. A hash only finds the bucket: whoever uses one compares the full key. Two do not: the
 * watch of shader files, which does not keep contents, and the check of layouts at a draw, behind which
 * WebGPU's own check stands.
 */
#ifndef GPOOL_BASE_HASH_H
#define GPOOL_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

/** XXH3-64 of a block. */
uint64_t gpool__hash(const void *data, size_t size);

/** XXH3-128 of a block, as 16 bytes that are the same on every machine. */
void gpool__hash128(const void *data, size_t size, uint8_t hash[16]);

/** XXH3-64 of a whole file of `size` bytes; 0, unread, when it has another size or cannot be read. */
uint64_t gpool__hash_file(const char *path, long size);

#endif
