#include "shader/store_entry.h"

#include "base/checked.h"
#include "base/hash.h"

#include <string.h>

/* The first 16 bytes of every entry that this machine reads. */
static void entry_salt(uint8_t salt[16])
{
    static const uint16_t order = 1;
    memcpy(salt, "gpstore\n", 8);
    const uint8_t rest[8] = { GPOOL__ENTRY_VERSION & 0xff,
                              GPOOL__ENTRY_VERSION >> 8 & 0xff,
                              GPOOL__ENTRY_VERSION >> 16 & 0xff,
                              GPOOL__ENTRY_VERSION >> 24,
                              sizeof(void *),
                              *(const uint8_t *)&order == 1 ? 1 : 2,
                              0,
                              0 };
    memcpy(salt + 8, rest, 8);
}

static void entry_put(uint8_t *to, uint64_t value)
{
    for (int i = 0; i < 8; ++i) {
        to[i] = (uint8_t)(value >> (8 * i));
    }
}

static uint64_t entry_get(const uint8_t *from)
{
    uint64_t value = 0;
    for (int i = 0; i < 8; ++i) {
        value |= (uint64_t)from[i] << (8 * i);
    }
    return value;
}

/* Where the payload begins; the key fits in memory, so the sum is small enough. */
static uint64_t entry_payload_offset(uint64_t key_size)
{
    return gpool__round_up(GPOOL__ENTRY_HEADER + key_size, GPOOL__ENTRY_ALIGN);
}

bool gpool__entry_size(size_t key_size, size_t payload_size, size_t *size)
{
    const size_t rest = GPOOL__ENTRY_HEADER + GPOOL__ENTRY_ALIGN + GPOOL__ENTRY_HASH;
    if (key_size == 0 || key_size > SIZE_MAX / 2 - rest || payload_size > SIZE_MAX / 2) {
        return false;
    }
    *size = (size_t)entry_payload_offset(key_size) + payload_size + GPOOL__ENTRY_HASH;
    return true;
}

void gpool__entry_build(uint8_t *image, const void *key, size_t key_size, const void *payload,
                        size_t payload_size)
{
    size_t offset = (size_t)entry_payload_offset(key_size);
    entry_salt(image);
    entry_put(image + 16, key_size);
    entry_put(image + 24, payload_size);
    memcpy(image + GPOOL__ENTRY_HEADER, key, key_size);
    memset(image + GPOOL__ENTRY_HEADER + key_size, 0, offset - GPOOL__ENTRY_HEADER - key_size);
    if (payload_size != 0) {
        memcpy(image + offset, payload, payload_size);
    }
    gpool__hash128(image, offset + payload_size, image + offset + payload_size);
}

bool gpool__entry_parse(const uint8_t *image, size_t size, gpool__entry *entry)
{
    if (size < GPOOL__ENTRY_LEAST) {
        return false;
    }
    const size_t content = size - GPOOL__ENTRY_HASH;
    uint8_t wanted[GPOOL__ENTRY_HASH];
    gpool__hash128(image, content, wanted);
    if (memcmp(image + content, wanted, sizeof wanted) != 0) {
        return false;
    }
    uint8_t salt[16];
    entry_salt(salt);
    uint64_t key_size = entry_get(image + 16);
    uint64_t payload_size = entry_get(image + 24);
    if (memcmp(image, salt, sizeof salt) != 0 || key_size == 0 ||
        !gpool__range_inside(GPOOL__ENTRY_HEADER, key_size, content)) {
        return false;
    }
    uint64_t offset = entry_payload_offset(key_size);
    if (offset > content || payload_size != content - offset) {
        return false;
    }
    for (uint64_t i = GPOOL__ENTRY_HEADER + key_size; i < offset; ++i) {
        if (image[i] != 0) {
            return false;
        }
    }
    *entry = (gpool__entry){ (size_t)key_size, (size_t)offset, (size_t)payload_size };
    return true;
}

bool gpool__entry_has_key(const uint8_t *image, const gpool__entry *entry, const void *key,
                          size_t key_size)
{
    return entry->key_size == key_size && memcmp(image + GPOOL__ENTRY_HEADER, key, key_size) == 0;
}

void gpool__entry_name(const void *key, size_t key_size, uint32_t hash_bytes,
                       char name[GPOOL__ENTRY_NAME_SIZE])
{
    static const char digits[] = "0123456789abcdef";
    uint8_t salted[32];
    uint8_t hash[16];
    entry_salt(salted);
    gpool__hash128(key, key_size, salted + 16);
    gpool__hash128(salted, sizeof salted, hash);
    for (uint32_t i = 0; i < sizeof hash; ++i) {
        uint8_t byte = i < hash_bytes ? hash[i] : 0;
        name[2 * i] = digits[byte >> 4];
        name[2 * i + 1] = digits[byte & 15];
    }
    name[GPOOL__ENTRY_NAME_SIZE - 1] = '\0';
}

bool gpool__entry_is_name(const char *name)
{
    return strlen(name) == GPOOL__ENTRY_NAME_SIZE - 1 &&
           strspn(name, "0123456789abcdef") == GPOOL__ENTRY_NAME_SIZE - 1;
}
