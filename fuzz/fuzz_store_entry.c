/*
 * Fuzz target: bytes as the file of a store's entry, and the same with the right hash, so that what lies
 * behind it is reached. What is accepted must be what the writer makes of that key and payload; what is
 * refused must differ from that by a second reading of the format's table.
 */
#include "base/hash.h"
#include "shader/store_entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool good, const char *what)
{
    if (!good) {
        (void)fprintf(stderr, "store_entry: %s\n", what);
        abort();
    }
}

static uint64_t number_at(const uint8_t *image, size_t at)
{
    uint64_t value = 0;
    for (size_t i = 8; i-- > 0;) {
        value = value << 8 | image[at + i];
    }
    return value;
}

/* The table of src/shader/store_entry.h, read once more and without its arithmetic. */
static bool is_entry(const uint8_t *image, size_t size)
{
    static const uint16_t order = 1;
    if (size < 64 || memcmp(image, "gpstore\n\1\0\0\0", 12) != 0 || image[12] != sizeof(void *) ||
        image[13] != (*(const uint8_t *)&order == 1 ? 1 : 2) || image[14] != 0 || image[15] != 0) {
        return false;
    }
    uint8_t hash[16];
    gpool__hash128(image, size - 16, hash);
    if (memcmp(hash, image + size - 16, 16) != 0) {
        return false;
    }
    uint64_t key_size = number_at(image, 16);
    uint64_t payload_size = number_at(image, 24);
    if (key_size == 0 || key_size > size || payload_size > size) {
        return false;
    }
    size_t at = 32 + (size_t)key_size;
    while (at % 16 != 0) {
        if (at >= size || image[at++] != 0) {
            return false;
        }
    }
    return at + payload_size + 16 == size;
}

static void check(const uint8_t *image, size_t size)
{
    gpool__entry entry;
    bool accepted = gpool__entry_parse(image, size, &entry);
    require(accepted == is_entry(image, size), "parser and table do not agree");
    if (!accepted) {
        return;
    }
    size_t wanted = 0;
    require(gpool__entry_size(entry.key_size, entry.payload_size, &wanted) && wanted == size,
            "the sizes are not those of the entry");
    uint8_t *again = malloc(size);
    require(again != NULL, "no memory");
    gpool__entry_build(again, image + GPOOL__ENTRY_HEADER, entry.key_size,
                       image + entry.payload_offset, entry.payload_size);
    require(memcmp(again, image, size) == 0, "the same entry has two forms");
    require(gpool__entry_has_key(image, &entry, again + GPOOL__ENTRY_HEADER, entry.key_size),
            "it is not the entry of its key");
    /* One bit more or less, which the bytes themselves choose. */
    size_t bit = (size_t)(number_at(image, size - 8) % (8 * size));
    again[bit / 8] ^= (uint8_t)(1u << bit % 8);
    require(!gpool__entry_parse(again, size, &entry), "a flipped bit is accepted");
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    /* A block of that size only, so that a byte too many is seen. */
    uint8_t *image = calloc(1, size + (size == 0));
    require(image != NULL, "no memory");
    if (size != 0) {
        memcpy(image, bytes, size);
    }
    check(image, size);
    if (size >= 16) {
        gpool__hash128(image, size - 16, image + size - 16);
        check(image, size);
    }
    /* And as key and payload of an entry, cut where the first byte says. */
    size_t wanted = 0;
    size_t key_size = size == 0 ? 0 : bytes[0] % size + 1;
    if (gpool__entry_size(key_size, size - key_size, &wanted)) {
        uint8_t *made = malloc(wanted);
        require(made != NULL, "no memory");
        gpool__entry_build(made, bytes, key_size, bytes + key_size, size - key_size);
        require(is_entry(made, wanted), "what is built is no entry");
        check(made, wanted);
        free(made);
    }
    free(image);
    return 0;
}
