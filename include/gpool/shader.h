/* gpool/shader.h: shaders: WGSL with includes and switches, compiled by workers, reloaded. */
#ifndef GPOOL_SHADER_H
#define GPOOL_SHADER_H

#include <gpool/bind.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A switch given to a shader, as if its source began with `#define name value`. */
typedef struct gpool_define {
    const char *name;  /**< ASCII identifier */
    const char *value; /**< replaces the name in code; NULL = only for #ifdef */
} gpool_define;

/** How gpool_shader_create() makes a shader; `wgsl` or `path` is set. */
typedef struct gpool_shader_desc {
    const char *wgsl; /**< source, ends with a zero byte unless `size` is set; copied */
    size_t size;      /**< bytes of `wgsl`; 0 = up to the zero byte */
    const char
        *path; /**< file to read instead, of at most 16 MiB; its folder is a root for includes */
    const gpool_define *defines; /**< switches, copied; a name comes once */
    uint32_t define_count;       /**< items in `defines`, at most 1024 */
    const char *label;           /**< name in messages, copied; NULL = `path`, or "" */
    gpool_scope scope;           /**< owner; null = the pool's root scope */
} gpool_shader_desc;

/** What is known of a shader. */
typedef struct gpool_shader_info {
    gpool_result status;        /**< as gpool_shader_status() */
    uint32_t version;           /**< rises when a reload is swapped in; from 1 */
    gpool_result reload_status; /**< GPOOL_OK, or why the newest reload was not swapped in */
    const char
        *message;     /**< "file:line:column: what" of the newest failure, of the first compile or a
                              reload; "" when all is well. Valid until the next call on the pool */
    const char *file; /**< the file of it, "" when no place is known; valid as long */
    uint32_t line;    /**< in that file, from 1; 0 = not known */
    uint32_t column;  /**< code points from 1; 0 = not known */
} gpool_shader_info;

/** Where a variable is bound. */
typedef struct gpool_shader_slot {
    uint32_t group;          /**< @group(n) */
    uint32_t binding;        /**< @binding(n) */
    gpool_binding_type type; /**< what it holds */
} gpool_shader_slot;

/**
 * Creates a shader from WGSL with `#include "file"` and `#define`, `#ifdef` switches (docs/shaders.md).
 * It compiles on a worker, at once in a pool without workers. Equal sources are compiled once, also when
 * they were destroyed a while ago.
 *
 * @return the handle; null for a caller's mistake (GPOOL_ERROR_INVALID_ARGUMENT: neither source nor
 *         path, a handle error of the scope, GPOOL_ERROR_OUT_OF_MEMORY); a failed shader when a
 *         file cannot be read or may not (GPOOL_ERROR_FILE), a directive is wrong or the source no
 *         UTF-8 (GPOOL_ERROR_INVALID_ARGUMENT), it is larger or nests deeper than compilers bear
 *         (GPOOL_ERROR_LIMIT: 16 MiB expanded, 64 includes, 256 brackets or template lists within each
 *         other, 1024 operators in a chain, 1024 `else` or 2048 operators in chains within each other).
 *         Why it did not compile gpool_shader_status() tells; so does the log, at gpool_begin_frame() or
 *         the call that finds it out, this one in a pool without workers (GPOOL_ERROR_GPU,
 *         GPOOL_ERROR_OUT_OF_GPU_MEMORY, GPOOL_ERROR_DEVICE_LOST).
 * Thread: owner. Allocates: yes, a copy of the source. Cost: reads and expands; a hash and a comparison
 * when an equal one is there.
 */
GPOOL_API gpool_shader gpool_shader_create(gpool *pool, const gpool_shader_desc *desc);

/**
 * Creates a shader from a WGSL file; the label is the path, the owner the root scope (see
 * gpool_move()).
 *
 * @return as gpool_shader_create().
 * Thread: owner. Allocates: yes. Cost: reads and expands.
 */
GPOOL_API gpool_shader gpool_shader_from_file(gpool *pool, const char *path);

/**
 * Tells whether a shader compiled. After a reload that failed the shader is as good as before; see
 * gpool_shader_get_info().
 *
 * @return GPOOL_OK; GPOOL_NOT_READY (a worker has it); a handle error; for a failed one
 *         GPOOL_ERROR_FILE, GPOOL_ERROR_INVALID_ARGUMENT, GPOOL_ERROR_LIMIT, GPOOL_ERROR_GPU (it did
 *         not compile), GPOOL_ERROR_OUT_OF_GPU_MEMORY (wgpu-native does not tell, it is
 *         GPOOL_ERROR_GPU there) or GPOOL_ERROR_DEVICE_LOST.
 * Thread: owner.
 */
GPOOL_API gpool_result gpool_shader_status(gpool *pool, gpool_shader shader);

/**
 * Waits until a shader is compiled, or compiles it now when no worker has begun.
 *
 * @param timeout_ns ns to wait at most, from now
 * @return as gpool_shader_status(), with GPOOL_ERROR_TIMEOUT in place of GPOOL_NOT_READY.
 * Thread: owner. Cost: blocks.
 */
GPOOL_API gpool_result gpool_shader_wait(gpool *pool, gpool_shader shader, uint64_t timeout_ns);

/**
 * Copies what is known of a shader.
 *
 * @return GPOOL_OK, also for a failed shader; a handle error; GPOOL_ERROR_INVALID_ARGUMENT (null
 *         pointer). On an error `info` is zeroed, with "" for strings.
 * Thread: owner.
 */
GPOOL_API gpool_result gpool_shader_get_info(gpool *pool, gpool_shader shader,
                                             gpool_shader_info *info);

/**
 * Finds a variable with @group and @binding by its name.
 *
 * @return GPOOL_OK; GPOOL_ERROR_OUT_OF_RANGE (no such variable); GPOOL_ERROR_UNSUPPORTED (its group,
 *         binding or type cannot be told from the source); GPOOL_ERROR_FAILED_RESOURCE;
 *         GPOOL_ERROR_INVALID_ARGUMENT (null pointer); GPOOL_ERROR_OUT_OF_MEMORY; a handle error. On
 *         an error `slot` is zeroed.
 * Thread: owner. Allocates: at the first look into a source. Cost: linear in the variables.
 */
GPOOL_API gpool_result gpool_shader_binding(gpool *pool, gpool_shader shader, const char *name,
                                            gpool_shader_slot *slot);

/**
 * Returns one of the files that a shader comes from, its own and all included: the path from the root of
 * the file system, or the name of a virtual file. Valid until the next call on the pool.
 *
 * @param index from 0
 * @return NULL behind the last, for a source without files, and for a handle error, which is told.
 * Thread: owner. Cost: linear in the shaders.
 */
GPOOL_API const char *gpool_shader_file(gpool *pool, gpool_shader shader, uint32_t index);

/**
 * Makes a shader anew: its files are read again, and it is compiled also when they are as they were,
 * with the pipelines made from it. What it was goes on until all of that succeeded; see
 * gpool_shader_get_info().
 *
 * @return GPOOL_OK (it is under way); a handle error.
 * Thread: owner. Cost: little; gpool_begin_frame() does it.
 */
GPOOL_API gpool_result gpool_shader_dirty(gpool *pool, gpool_shader shader);

/**
 * Adds a folder to those that includes are searched in, in their order, behind the folder of the file
 * that includes. Shaders made before keep what they found.
 *
 * @return GPOOL_OK; GPOOL_ERROR_INVALID_ARGUMENT (null or "" or too long); GPOOL_ERROR_LIMIT (64
 *         folders); GPOOL_ERROR_OUT_OF_MEMORY.
 * Thread: owner. Allocates: yes.
 */
GPOOL_API gpool_result gpool_shader_add_root(gpool *pool, const char *folder);

/**
 * Gives a name a text, as a file that needs no disk: includes find it, before files of that name.
 * Shaders that include it are made anew at the next gpool_begin_frame().
 *
 * @param name relative, with '/', such as "lib/noise.wgsl"
 * @param text `size` bytes, copied; NULL takes the name away
 * @return GPOOL_OK; GPOOL_ERROR_INVALID_ARGUMENT (null or a name that no include can say);
 *         GPOOL_ERROR_LIMIT (over 16 MiB); GPOOL_ERROR_OUT_OF_MEMORY.
 * Thread: owner. Allocates: yes.
 */
GPOOL_API gpool_result gpool_shader_set_file(gpool *pool, const char *name, const char *text,
                                             size_t size);

/**
 * Tells what a file watcher of the caller's saw: the next gpool_begin_frame() reads the file, and makes
 * shaders anew if its content is another. Shaders that came to it by another path, over links, follow
 * within some frames, for which the files of all shaders are looked at once. Needs no
 * gpool_desc.shader_watch_ms.
 *
 * @return GPOOL_OK, also when no shader comes from that file; GPOOL_ERROR_INVALID_ARGUMENT (null).
 * Thread: owner. Cost: linear in the files of shaders at worst.
 */
GPOOL_API gpool_result gpool_shader_file_changed(gpool *pool, const char *path);

/**
 * Destroys a shader. Pipelines made from it go on; new variants of them compile too, and they follow
 * changes of the files.
 *
 * @return GPOOL_OK, also for the null handle; another handle error.
 * Thread: any. Allocates: never.
 */
GPOOL_API gpool_result gpool_shader_destroy(gpool *pool, gpool_shader shader);

#ifdef __cplusplus
}
#endif
#endif
