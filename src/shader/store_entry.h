/*
 * The bytes of one entry of a disk store. Numbers are little-endian.
 *
 *      0  8  "gpstore\n"
 *      8  4  version of the format
 *     12  1  bytes of a pointer
 *     13  1  byte order of the machine: 1 = little, 2 = big
 *     14  2  zero
 *     16  8  bytes of the key
 *     24  8  bytes of the payload
 *     32     key, then zeros up to a multiple of 16
 *            payload
 *        16  XXH3-128 of all before
 *
 * Nothing in a file is believed before its hash is right, and there is one form only: what passes is,
 * byte for byte, what gpool__entry_build() makes of that key and payload. The hash stops accidents; who
 * can write to the directory can also make a right one (SECURITY.md).
 */
#ifndef GPOOL_SHADER_STORE_ENTRY_H
#define GPOOL_SHADER_STORE_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GPOOL__ENTRY_VERSION   1u
#define GPOOL__ENTRY_HEADER    32u
#define GPOOL__ENTRY_HASH      16u
#define GPOOL__ENTRY_ALIGN     16u
#define GPOOL__ENTRY_NAME_SIZE 33u /* 32 hexadecimal digits and a zero byte */
/* The least there is: a key of one byte and no payload. */
#define GPOOL__ENTRY_LEAST (GPOOL__ENTRY_HEADER + GPOOL__ENTRY_ALIGN + GPOOL__ENTRY_HASH)

/* Where the parts of an entry are in its bytes. */
typedef struct gpool__entry {
    size_t key_size;
    size_t
        payload_offset; /* a multiple of 16, at least 48; the key begins at GPOOL__ENTRY_HEADER */
    size_t payload_size;
} gpool__entry;

/** Bytes of an entry; false when that is more than a size_t holds, or the key is empty. */
bool gpool__entry_size(size_t key_size, size_t payload_size, size_t *size);

/** Writes an entry of gpool__entry_size() bytes. */
void gpool__entry_build(uint8_t *image, const void *key, size_t key_size, const void *payload,
                        size_t payload_size);

/** Finds the parts of `size` bytes from anywhere; false when they are no entry. */
bool gpool__entry_parse(const uint8_t *image, size_t size, gpool__entry *entry);

/** True when the entry is that of a key. */
bool gpool__entry_has_key(const uint8_t *image, const gpool__entry *entry, const void *key,
                          size_t key_size);

/**
 * Name of the file of a key: the hash of the key, the format's version, the size of a pointer and the
 * byte order. `hash_bytes`, 16 but in tests, is how much of it is used, the rest is zero.
 */
void gpool__entry_name(const void *key, size_t key_size, uint32_t hash_bytes,
                       char name[GPOOL__ENTRY_NAME_SIZE]);

/** True for what gpool__entry_name() may give. */
bool gpool__entry_is_name(const char *name);

#endif
