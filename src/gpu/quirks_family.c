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

bool gpool__quirks_is_parallel(gpool_implementation implementation, bool scopes,
                               const WGPUFeatureName *features, size_t feature_count)
{
    bool guarded = implementation != GPOOL_IMPLEMENTATION_DAWN;
    for (size_t i = 0; i < feature_count; ++i) {
        guarded = guarded || features[i] == GPOOL__DAWN_IMPLICIT_DEVICE_SYNCHRONIZATION;
    }
    return guarded && !scopes;
}

static bool quirks_has(const char *message, size_t length, size_t at, const char *text)
{
    size_t size = strlen(text);
    return at <= length && size <= length - at && memcmp(message + at, text, size) == 0;
}

/*
 * wgpu-native writes a head, the function with the label, and then the causes, each on a line of its
 * own and further in. Labels and entry points are quoted in between, with whatever lines they hold, but
 * never at the end: a quote or words of the library's follow. A shader module's error quotes the source,
 * comments and all; none is ever taken for a lack of memory.
 */
WGPUErrorType gpool__quirks_error_type(WGPUErrorType type, const char *message, size_t length)
{
    static const char head[] = "Validation Error\n\nCaused by:\n  In wgpu";
    static const char last[] = "    Not enough memory left.\n";
    const size_t last_size = sizeof last - 1;
    if (type != WGPUErrorType_Validation || !quirks_has(message, length, 0, head) ||
        quirks_has(message, length, sizeof head - 1, "DeviceCreateShaderModule") ||
        length < last_size || !quirks_has(message, length, length - last_size, last)) {
        return type;
    }
    size_t at = length - last_size; /* a cause of a cause stands further in */
    while (message[at - 1] == ' ') {
        at -= 1;
    }
    return message[at - 1] == '\n' ? WGPUErrorType_OutOfMemory : type;
}
