/* Fuzz target: bytes become costs and dirty buffers, whose plan is compared with a plain one. */
#include "unit/plan_model.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    plan_model_run(bytes, size);
    return 0;
}
