/* Fuzz target: bytes become calls of a range allocator, compared with a plain model. */
#include "unit/range_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    uint64_t moves = 0;
    (void)range_model_play(bytes, size, 1, &moves);
    return 0;
}
