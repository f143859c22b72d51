/* gpool/base.h: results, log records, allocator hooks. Needs no webgpu.h. */
#ifndef GPOOL_BASE_H
#define GPOOL_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Version of this header; the only place that states it. */
#define GPOOL_VERSION_MAJOR 0
/** See GPOOL_VERSION_MAJOR. */
#define GPOOL_VERSION_MINOR 1
/** See GPOOL_VERSION_MAJOR. */
#define GPOOL_VERSION_PATCH 0

/** Marks a public function; the library hides everything else. */
#ifndef GPOOL_API
#if defined(_WIN32) && defined(GPOOL_SHARED)
#ifdef GPOOL_BUILDING
#define GPOOL_API __declspec(dllexport)
#else
#define GPOOL_API __declspec(dllimport)
#endif
#elif defined(__GNUC__)
#define GPOOL_API __attribute__((visibility("default")))
#else
#define GPOOL_API
#endif
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** Every result code, as X(name, text): the one list behind the enum and gpool_result_text(). */
#define GPOOL_RESULTS(X)                                                                           \
    X(OK, "done")                                                                                  \
    X(ERROR_INVALID_ARGUMENT,                                                                      \
      "an argument is null, out of its enumeration or contradicts another")                        \
    X(ERROR_NULL_HANDLE, "the handle is null")                                                     \
    X(ERROR_INVALID_HANDLE, "the handle was never given out or is of another kind")                \
    X(ERROR_FOREIGN_HANDLE, "the handle belongs to another pool")                                  \
    X(ERROR_STALE_HANDLE, "the resource behind the handle was destroyed")                          \
    X(ERROR_FAILED_RESOURCE, "the resource failed to be made and does nothing")                    \
    X(ERROR_OUT_OF_RANGE, "offset, size or index lies outside the resource")                       \
    X(ERROR_MISALIGNED, "offset or size breaks an alignment rule")                                 \
    X(ERROR_MISSING_USAGE, "the resource was created without the usage this needs")                \
    X(ERROR_LIMIT, "a limit of the device or of gpool would be exceeded")                          \
    X(ERROR_UNSUPPORTED, "the device or the implementation cannot do this")                        \
    X(ERROR_WRONG_PHASE, "not allowed at this point of the frame or pass")                         \
    X(ERROR_WRONG_THREAD, "the calling thread does not own the pool")                              \
    X(ERROR_RECORDED, "the resource is named by a recorder that is not yet submitted")             \
    X(ERROR_OUT_OF_MEMORY, "the allocator gave no memory")                                         \
    X(ERROR_OUT_OF_GPU_MEMORY, "the GPU gave no memory")                                           \
    X(ERROR_GPU, "the WebGPU implementation reported an error")                                    \
    X(ERROR_DEVICE_LOST, "the GPU device is lost")                                                 \
    X(ERROR_TIMEOUT, "the GPU did not finish within the time limit")                               \
    X(ERROR_TOO_MANY_POOLS, "16 pools are alive in this process already")                          \
    X(ERROR_LIBRARY, "the WebGPU library cannot be loaded or lacks a function")                    \
    X(ERROR_HEADER, "webgpu.h of the caller, of gpool and of the implementation do not agree")     \
    X(ERROR_NO_ADAPTER, "no adapter of the asked kind")                                            \
    X(ERROR_FILE, "a file cannot be read")                                                         \
    X(ERROR_BUDGET, "a budget of memory given to the pool is used up")                             \
    X(ERROR_NO_SHADOW, "the CPU copy of the resource was dropped")                                 \
    X(ERROR_DROPPED, "the recorder that holds it was dropped and never submitted")                 \
    X(ERROR_STALE_STREAM, "the recording that the stream memory was taken for is over")            \
    X(ERROR_FULL, "no free range is large enough")                                                 \
    X(NOT_READY, "it is not there yet: ask again later")                                           \
    X(NOT_FOUND, "there is no such entry")

/**
 * Result of a call. Zero is success; anything else left the pool exactly as it was, unless the function
 * says otherwise.
 */
typedef enum gpool_result {
/** One enumerator of GPOOL_RESULTS. */
#define GPOOL_X(name, text) GPOOL_##name,
    GPOOL_RESULTS(GPOOL_X)
#undef GPOOL_X
    GPOOL_RESULT_COUNT /**< number of result codes */
} gpool_result;

/** How grave a log record is. */
typedef enum gpool_log_level {
    GPOOL_LOG_LEVEL_ERROR, /**< a call was refused or work was dropped */
    GPOOL_LOG_LEVEL_WARN,  /**< all is done, but the caller should know */
    GPOOL_LOG_LEVEL_INFO   /**< no trouble: a device is open, a pool recovered */
} gpool_log_level;

/**
 * Every log id, as X(name, level, text). Ids are stable by name; the text says what the id means,
 * the record's message adds labels and values.
 */
#define GPOOL_LOGS(X)                                                                              \
    X(NONE, INFO, "nothing")                                                                       \
    X(ARGUMENT_NULL, ERROR, "a required pointer is null")                                          \
    X(ARGUMENT_VALUE, ERROR, "a value is outside its enumeration or range")                        \
    X(HANDLE_NULL, ERROR, "a null handle where a resource is needed")                              \
    X(HANDLE_INVALID, ERROR, "a handle that was never given out or of another kind")               \
    X(HANDLE_FOREIGN, ERROR, "a handle of another pool")                                           \
    X(HANDLE_STALE, ERROR, "a handle whose resource was destroyed")                                \
    X(RESOURCE_FAILED, ERROR, "a failed resource was used")                                        \
    X(RANGE, ERROR, "offset, size or index outside the resource")                                  \
    X(ALIGNMENT, ERROR, "offset or size breaks an alignment rule")                                 \
    X(USAGE, ERROR, "the resource lacks the usage this needs")                                     \
    X(LIMIT, ERROR, "over a limit of the device or of gpool")                                      \
    X(UNSUPPORTED, ERROR, "the device or the implementation cannot do this")                       \
    X(PHASE, ERROR, "call at the wrong point of the frame or pass")                                \
    X(THREAD, ERROR, "call from a thread that does not own the pool")                              \
    X(RECORDED, ERROR, "resize of a resource that an open recorder names")                         \
    X(MEMORY, ERROR, "the allocator gave no memory")                                               \
    X(GPU_MEMORY, ERROR, "the GPU gave no memory")                                                 \
    X(GPU_ERROR, ERROR, "the implementation reported an error during a call")                      \
    X(GPU_ERROR_LATE, ERROR, "the implementation reported an error outside any call of gpool")     \
    X(RECORDER_DROPPED, ERROR, "a recorder with an error at Finish was not submitted")             \
    X(PASS_OPEN, ERROR, "a pass was still open at submit and was ended")                           \
    X(SHADER_COMPILE, ERROR, "a shader did not compile")                                           \
    X(PIPELINE_CREATE, ERROR, "a pipeline could not be made")                                      \
    X(FILE, ERROR, "a file cannot be read")                                                        \
    X(LIBRARY, ERROR, "the WebGPU library cannot be loaded or lacks a function")                   \
    X(HEADER, ERROR, "webgpu.h of caller, gpool and implementation do not agree")                  \
    X(ADAPTER, ERROR, "no adapter or no device of the asked kind")                                 \
    X(DEVICE_LOST, ERROR, "the device is lost")                                                    \
    X(TIMEOUT, ERROR, "the GPU did not finish within the time limit")                              \
    X(BUDGET, ERROR, "a budget of memory given to the pool is used up")                            \
    X(NO_SHADOW, ERROR, "the CPU copy of a resource was dropped")                                  \
    X(STREAM, ERROR, "stream memory of a recording that is over")                                  \
    X(POOLS, ERROR, "too many pools in this process")                                              \
    X(LEAK, WARN, "a resource was alive when its pool was destroyed")                              \
    X(FALLBACK, WARN, "something asked for is not there and the next best is used")                \
    X(MANIFEST, WARN, "a stored manifest is not what it should be and is ignored")                 \
    X(NOT_REBUILT, WARN, "a resource could not be made again on another device")                   \
    X(CONTENT_LOST, WARN, "the content of a resource is lost with its device")                     \
    X(STORE, WARN, "a disk store, or an entry of it, cannot be used")                              \
    X(RECOVERED, INFO, "a pool was moved to another device")                                       \
    X(DEVICE, INFO, "a device was opened or adopted")

/** Stable id of a log record. */
typedef enum gpool_log_id {
/** One enumerator of GPOOL_LOGS. */
#define GPOOL_X(name, level, text) GPOOL_LOG_##name,
    GPOOL_LOGS(GPOOL_X)
#undef GPOOL_X
    GPOOL_LOG_COUNT /**< number of log ids */
} gpool_log_id;

/** One line of the log; valid during the callback only. */
typedef struct gpool_log_record {
    gpool_log_level level; /**< how grave */
    gpool_log_id id;       /**< stable id */
    gpool_result result;   /**< what the call returns; GPOOL_OK for records that are no errors */
    const char *operation; /**< public function that was running, such as "gpool_buffer_write" */
    const char *message;   /**< one sentence: value in brackets, label in quotes */
} gpool_log_record;

/**
 * Receives log records. Called on the thread that caused the record, with no lock of gpool's held and
 * not inside a call of webgpu.h; except that what a webgpu.h call of your own or a thread of the
 * implementation reports is told inside their callback. May call gpool_*_name(), gpool_*_text() and the
 * functions of gpool/device.h that only read; nothing else of gpool. It may wait for a lock of yours that you hold during calls of gpool, but not
 * during the last gpool_device_release(): that one waits for it.
 */
typedef void (*gpool_log_fn)(void *user, const gpool_log_record *record);

/**
 * Allocator hooks; all zero means malloc, realloc and free. `resize(user, NULL, 0, n)` allocates,
 * `resize(user, p, n, 0)` frees and returns NULL; both sizes are in bytes. Returned memory is
 * aligned to 16 bytes. May fail by returning NULL; the old block then stays valid.
 */
typedef struct gpool_allocator {
    void *(*resize)(void *user, void *block, size_t old_size, size_t new_size); /**< the hook */
    void *user; /**< handed to the hook */
} gpool_allocator;

/**
 * The last error of a pool: of the newest failing call, or, after a submit that returned an error of
 * the recorder, that one. Fields stay valid until the next failing call on the pool.
 */
typedef struct gpool_error {
    gpool_result code;   /**< what the failing call returned */
    gpool_log_id id;     /**< log id of the record */
    const char *message; /**< the record's message; "" when nothing failed yet */
} gpool_error;

/** Returns the name of a code, such as "GPOOL_ERROR_LIMIT". Never NULL. Thread: any. */
GPOOL_API const char *gpool_result_name(gpool_result result);

/** Returns the meaning of a code as a phrase. Never NULL. Thread: any. */
GPOOL_API const char *gpool_result_text(gpool_result result);

/** Returns the name of a log id, such as "GPOOL_LOG_RANGE". Never NULL. Thread: any. */
GPOOL_API const char *gpool_log_name(gpool_log_id id);

/** Returns the meaning of a log id as a phrase. Never NULL. Thread: any. */
GPOOL_API const char *gpool_log_text(gpool_log_id id);

/** Returns the library's version as "major.minor.patch". Thread: any. */
GPOOL_API const char *gpool_version(void);

#ifdef __cplusplus
}
#endif
#endif
