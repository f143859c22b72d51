/* Fuzz target: bytes are operations on a whole pool, compared with the plain model. */
#include "pool_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static pool_model_totals totals;
    pool_model_run(bytes, size, &totals);
    return 0;
}
