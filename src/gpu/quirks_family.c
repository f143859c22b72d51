#include "gpu/quirks.h"

#include <string.h>

gpool_implementation gpool__quirks_family(const gpool_gpu *table, uint32_t *version)
{
    *version = 0;
    if (table->GetVersion != NULL) {
        *version = table->GetVersion();
        return GPOOL_IMPLEMENTATION_WGPU_NATIVE;
    }
    return table->DeviceTick != NULL ? GPOOL_IMPLEMENTATION_DAWN : GPOOL_IMPLEMENTATION_OTHER;
}

bool gpool__quirks_is_out_of_memory(WGPUErrorType type, const char *message)
{
    return type == WGPUErrorType_OutOfMemory || strstr(message, "Not enough memory left") != NULL;
}
