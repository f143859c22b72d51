/* Fuzz target: bytes become marks, clears and scans of a dirty map, compared with a plain model. */
#include "unit/dirty_map_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    (void)dirty_model_run(bytes, size);
    return 0;
}
