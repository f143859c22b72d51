/* gpool/shader.h: shader modules. */
#ifndef GPOOL_SHADER_H
#define GPOOL_SHADER_H

#include <gpool/bind.h>

#ifdef __cplusplus
extern "C" {
#endif

/** How gpool_shader_create() makes a shader module. */
typedef struct gpool_shader_desc {
    const char *wgsl;  /**< source, ends with a zero byte unless `size` is set; copied */
    size_t size;       /**< bytes of `wgsl`; 0 = up to the zero byte */
    const char *label; /**< name in messages, copied; NULL = "" */
    gpool_scope scope; /**< owner; null = the pool's root scope */
} gpool_shader_desc;

/**
 * Creates a shader module from WGSL.
 *
 * @return the handle; null for a caller's mistake (GPOOL_ERROR_INVALID_ARGUMENT: no source, a handle
 *         error of the scope, GPOOL_ERROR_OUT_OF_MEMORY); a failed shader when it did not compile
 *         (GPOOL_ERROR_GPU; the message is the compiler's), is no UTF-8 or nests deeper than compilers bear
 *         (GPOOL_ERROR_LIMIT: 256 brackets or template lists within each other, 1024 operators in a
 *         chain, 1024 `else` or 2048 operators in chains within each other), the GPU gave no memory
 *         (GPOOL_ERROR_OUT_OF_GPU_MEMORY; wgpu-native does not tell, it is GPOOL_ERROR_GPU there), or
 *         the device is lost (GPOOL_ERROR_DEVICE_LOST).
 * Thread: owner. Allocates: yes, a copy of the source, kept for gpool_recover() as long as the shader
 * and the pipelines made from it. Cost: compiles; about a millisecond.
 */
GPOOL_API gpool_shader gpool_shader_create(gpool *pool, const gpool_shader_desc *desc);

/**
 * Creates a shader module from a WGSL file of at most 16 MiB; the label is the path, the owner the
 * root scope (see gpool_move()).
 *
 * @return as gpool_shader_create(); a failed shader too when the file cannot be read
 *         (GPOOL_ERROR_FILE).
 * Thread: owner. Allocates: yes. Cost: reads and compiles.
 */
GPOOL_API gpool_shader gpool_shader_from_file(gpool *pool, const char *path);

/**
 * Tells whether a shader compiled.
 *
 * @return GPOOL_OK; a handle error; for a failed one GPOOL_ERROR_FILE, GPOOL_ERROR_LIMIT,
 *         GPOOL_ERROR_GPU, GPOOL_ERROR_OUT_OF_GPU_MEMORY or GPOOL_ERROR_DEVICE_LOST.
 * Thread: owner.
 */
GPOOL_API gpool_result gpool_shader_status(gpool *pool, gpool_shader shader);

/**
 * Destroys a shader module. Pipelines made from it go on; new variants of them compile too.
 *
 * @return GPOOL_OK, also for the null handle; another handle error.
 * Thread: any. Allocates: never.
 */
GPOOL_API gpool_result gpool_shader_destroy(gpool *pool, gpool_shader shader);

#ifdef __cplusplus
}
#endif
#endif
