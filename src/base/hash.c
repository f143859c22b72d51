#include "base/hash.h"

#include <stdio.h>
#include <string.h>

#include <xxhash.h>

uint64_t gpool__hash(const void *data, size_t size)
{
    return XXH3_64bits(data, size);
}

void gpool__hash128(const void *data, size_t size, uint8_t hash[16])
{
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(data, size));
    memcpy(hash, canonical.digest, 16);
}

uint64_t gpool__hash_file(const char *path, long size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return 0;
    }
    if (fseek(file, 0, SEEK_END) != 0 || ftell(file) != size || fseek(file, 0, SEEK_SET) != 0) {
        fclose(file);
        return 0;
    }
    XXH3_state_t *state = XXH3_createState();
    uint64_t hash = 0;
    if (state != NULL && XXH3_64bits_reset(state) == XXH_OK) {
        static const size_t chunk = 1 << 14;
        char block[1 << 14];
        size_t got;
        while ((got = fread(block, 1, chunk, file)) > 0) {
            (void)XXH3_64bits_update(state, block, got);
        }
        hash = ferror(file) ? 0 : XXH3_64bits_digest(state);
    }
    XXH3_freeState(state);
    fclose(file);
    return hash;
}
