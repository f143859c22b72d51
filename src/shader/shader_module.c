/*
 * Modules: the source of a shader and what the device made of it.
 */
#include "shader/shader_state.h"

#include <string.h>

static size_t module_block_size(const gpool__module *module)
{
    return sizeof *module + module->size + module->label_size;
}

static void module_drop(gpool__seam *seam, void *gpu)
{
    GPOOL__GPU(seam, ShaderModuleRelease)(gpu);
}

/* Compiles under capture; NULL with the error recorded. */
static WGPUShaderModule module_compile(gpool *pool, const gpool__module *module,
                                       gpool_result *status)
{
    const char *label = module->text + module->size;
    WGPUShaderSourceWGSL wgsl = {
        .chain = { .sType = WGPUSType_ShaderSourceWGSL },
        .code = { module->text, module->size },
    };
    WGPUShaderModuleDescriptor desc = {
        .nextInChain = &wgsl.chain,
        .label = gpool__view(label),
    };
    gpool__capture_begin(pool->device, &pool->seam);
    WGPUShaderModule gpu =
        GPOOL__GPU(&pool->seam, DeviceCreateShaderModule)(pool->device->device, &desc);
    *status = gpool__capture_end(pool->device, &pool->seam);
    if (*status == GPOOL_OK && gpool__device_is_lost(pool->device)) {
        *status = GPOOL_ERROR_DEVICE_LOST;
    }
    if (*status == GPOOL_OK && gpu == NULL) {
        *status = GPOOL_ERROR_GPU;
    }
    if (*status != GPOOL_OK) {
        const char *error = gpool__current()->error;
        (void)gpool__fail(&pool->log, gpool__capture_log_id(*status, GPOOL_LOG_SHADER_COMPILE),
                          *status, "The shader \"%s\" did not compile: %s", label,
                          error[0] != '\0' ? error : gpool_result_text(*status));
        if (gpu != NULL) {
            module_drop(&pool->seam, gpu);
        }
        return NULL;
    }
    return gpu;
}

gpool__module *gpool__module_create(gpool *pool, const char *label, const char *source, size_t size,
                                    gpool_result *status)
{
    size_t label_size = strlen(label) + 1;
    gpool__module *module = NULL;
    if (size <= SIZE_MAX - sizeof *module - label_size) {
        module = gpool__alloc(&pool->memory, sizeof *module + size + label_size);
    }
    if (module == NULL) {
        *status = GPOOL__FAIL(pool, MEMORY, OUT_OF_MEMORY,
                              "No memory for the source of shader \"%s\", [%llu] bytes", label,
                              (unsigned long long)size);
        return NULL;
    }
    module->references = 1;
    module->size = size;
    module->label_size = label_size;
    memcpy(module->text, source, size);
    memcpy(module->text + size, label, label_size);
    module->gpu = module_compile(pool, module, status);
    return module;
}

gpool__module *gpool__module_retain(gpool__module *module)
{
    if (module != NULL) {
        module->references += 1;
    }
    return module;
}

void gpool__module_release(gpool *pool, gpool__module *module)
{
    if (module == NULL || --module->references > 0) {
        return;
    }
    if (module->gpu != NULL) {
        module_drop(&pool->seam, module->gpu);
    }
    gpool__free(&pool->memory, module, module_block_size(module));
}

WGPUShaderModule gpool__module_rebuild(gpool *pool, gpool__rebuild *rebuild, gpool__module *module,
                                       gpool_result *result)
{
    *result = GPOOL_OK;
    if (module->pass != pool->rebuild_pass) {
        module->pass = pool->rebuild_pass;
        module->fresh = module_compile(pool, module, result);
        *result =
            gpool__rebuild_add(pool, rebuild, module_drop, &module->gpu, module->fresh, *result);
    } else if (module->fresh == NULL) {
        *result = GPOOL_ERROR_FAILED_RESOURCE;
    }
    return *result == GPOOL_OK ? module->fresh : NULL;
}
