/* gpool/device.h: the GPU device that pools share. */
#ifndef GPOOL_DEVICE_H
#define GPOOL_DEVICE_H

#include <gpool/gpu.h>
#include <gpool/store.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Instance, adapter, device and queue of a WebGPU implementation, with limits, quirks, serials and
 * error routing. Counted; shared by any number of pools. Every pool keeps a reference.
 */
typedef struct gpool_device gpool_device;

/** Which adapter to open. */
typedef enum gpool_adapter_choice {
    GPOOL_ADAPTER_ANY,      /**< a hardware adapter, else a software one; see gpool_device_info */
    GPOOL_ADAPTER_HARDWARE, /**< hardware only */
    GPOOL_ADAPTER_SOFTWARE  /**< a CPU adapter only, such as lavapipe or SwiftShader */
} gpool_adapter_choice;

/** Family of the implementation behind the table. */
typedef enum gpool_implementation {
    GPOOL_IMPLEMENTATION_OTHER,       /**< unknown; only webgpu.h's promises are used */
    GPOOL_IMPLEMENTATION_WGPU_NATIVE, /**< wgpu-native */
    GPOOL_IMPLEMENTATION_DAWN         /**< Dawn */
} gpool_implementation;

/** How gpool_device_open() makes a device. All zero is a good default. */
typedef struct gpool_device_desc {
    const char *library;   /**< passed to gpool_gpu_load() unless `gpu` is set; NULL = default */
    const gpool_gpu *gpu;  /**< table to use, copied; NULL = load `library` */
    WGPUInstance instance; /**< instance to use, retained; NULL = make one */
    WGPUSurface surface;   /**< surface the adapter must be able to draw to; NULL = none */
    gpool_adapter_choice adapter; /**< which adapter */
    const WGPULimits *limits;     /**< limits to ask for; NULL = all that the adapter has */
    const WGPUFeatureName *required_features; /**< opening fails without them */
    size_t required_feature_count;            /**< items in `required_features` */
    const WGPUFeatureName *optional_features; /**< asked for where the adapter has them */
    size_t optional_feature_count;            /**< items in `optional_features` */
    const char *label;                        /**< name in messages, copied; NULL = "device" */
    gpool_store *blobs; /**< where driver blobs are kept between runs; NULL = nowhere. The store
                             must stay open until the device is released. Blobs are the driver's own
                             machine code, which nobody checks: read SECURITY.md before you set this.
                             For the known Dawn build only (gpool_device_info.translated); otherwise
                             ignored, with a log record GPOOL_LOG_FALLBACK. See docs/shaders.md */
    gpool_log_fn log;   /**< receives records; NULL = stderr, without INFO */
    void *log_user;     /**< handed to `log` */
    gpool_allocator allocator; /**< all zero = malloc */
} gpool_device_desc;

/** Objects of a caller who opened the device itself. */
typedef struct gpool_device_adopt_desc {
    const char *library;       /**< see gpool_device_desc.library; must be the caller's own */
    const gpool_gpu *gpu;      /**< table to use, copied; NULL = load `library` */
    WGPUInstance instance;     /**< retained; its events are processed by gpool */
    WGPUAdapter adapter;       /**< retained */
    WGPUDevice device;         /**< retained */
    WGPUQueue queue;           /**< retained; NULL = the device's queue */
    const char *label;         /**< name in messages, copied; NULL = "device" */
    gpool_log_fn log;          /**< receives records; NULL = stderr, without INFO */
    void *log_user;            /**< handed to `log` */
    gpool_allocator allocator; /**< all zero = malloc */
} gpool_device_adopt_desc;

/** What a device is; strings live as long as the device. */
typedef struct gpool_device_info {
    gpool_implementation implementation; /**< family */
    uint32_t implementation_version;     /**< wgpu-native: 0xMMmmpprr; else 0 */
    bool translated;                     /**< the table translates for the known Dawn build */
    bool adopted;                        /**< made by gpool_device_adopt() */
    bool errors_inline;           /**< errors arrive inside the failing call (else error scopes) */
    bool lost;                    /**< the loss was told; wgpu-native does so at the next encoder */
    WGPUAdapterType adapter_type; /**< discrete, integrated, CPU or unknown */
    WGPUBackendType backend;      /**< Vulkan, Metal, ... */
    const char *adapter;          /**< adapter name, such as "llvmpipe (LLVM 15.0.6, 256 bits)" */
    const char *driver;           /**< driver description */
    const char *label;            /**< label given at open */
    WGPULimits limits;            /**< limits in force; nextInChain is NULL */
    const WGPUFeatureName *features; /**< features in force */
    size_t feature_count;            /**< items in `features` */
} gpool_device_info;

/** Driver blobs of a device since it was opened; of the store there is gpool_store_get_stats(). */
typedef struct gpool_blob_stats {
    bool active;      /**< blobs go to gpool_device_desc.blobs; false = that was NULL or ignored */
    uint64_t hits;    /**< blobs that the implementation asked for and got */
    uint64_t misses;  /**< blobs that it asked for and the store did not have */
    uint64_t saves;   /**< blobs handed to the store */
    uint64_t dropped; /**< blobs not handed to it: no memory, or the store was very slow */
    uint64_t hit_bytes;  /**< bytes of the hits */
    uint64_t save_bytes; /**< bytes of the saves */
} gpool_blob_stats;

/** Sizes and enumeration values of the webgpu.h a source file was compiled with. */
typedef struct gpool_header_fingerprint {
    uint32_t values[24]; /**< in the order of GPOOL_HEADER_FACTS */
} gpool_header_fingerprint;

/** What is compared between the caller's and the library's webgpu.h, as X(expression). */
#define GPOOL_HEADER_FACTS(X)                                                                      \
    X(sizeof(gpool_gpu))                                                                           \
    X(sizeof(WGPULimits))                                                                          \
    X(sizeof(WGPUDeviceDescriptor))                                                                \
    X(sizeof(WGPUBufferDescriptor))                                                                \
    X(sizeof(WGPUTextureDescriptor))                                                               \
    X(sizeof(WGPUTextureViewDescriptor))                                                           \
    X(sizeof(WGPUSamplerDescriptor))                                                               \
    X(sizeof(WGPURenderPipelineDescriptor))                                                        \
    X(sizeof(WGPUComputePipelineDescriptor))                                                       \
    X(sizeof(WGPURenderPassColorAttachment))                                                       \
    X(sizeof(WGPURenderPassDepthStencilAttachment))                                                \
    X(sizeof(WGPUBindGroupLayoutEntry))                                                            \
    X(sizeof(WGPUBindGroupEntry))                                                                  \
    X(WGPUTextureFormat_RGBA8Unorm)                                                                \
    X(WGPUTextureFormat_Depth32Float)                                                              \
    X(WGPUTextureFormat_ASTC12x12UnormSrgb)                                                        \
    X(WGPUFeatureName_TimestampQuery)                                                              \
    X(WGPUFeatureName_Subgroups)                                                                   \
    X(WGPUVertexFormat_Float32x4)                                                                  \
    X(WGPUBufferUsage_QueryResolve)                                                                \
    X(WGPUTextureUsage_RenderAttachment)                                                           \
    X(WGPUSType_ShaderSourceWGSL)                                                                  \
    X(WGPUBlendFactor_OneMinusSrcAlpha)                                                            \
    X(WGPUBufferBindingType_ReadOnlyStorage)

/** Returns the fingerprint of the webgpu.h this source file sees. Thread: any. */
static inline gpool_header_fingerprint gpool_header_fingerprint_here(void)
{
    gpool_header_fingerprint print = { {
/** One fact. */
#define GPOOL_X(fact) (uint32_t)(fact),
        GPOOL_HEADER_FACTS(GPOOL_X)
#undef GPOOL_X
    } };
    return print;
}

/** Says which webgpu.h the library was built with: its SHA-256 in hex. Never NULL. Thread: any. */
GPOOL_API const char *gpool_webgpu_header(void);

/**
 * gpool_device_open() with the caller's header fingerprint; call that instead.
 *
 * @return as gpool_device_open(), GPOOL_OK on success.
 * Thread: any.
 */
GPOOL_API gpool_result gpool_device_open_checked(const gpool_device_desc *desc,
                                                 const gpool_header_fingerprint *print,
                                                 gpool_device **device);

/**
 * gpool_device_adopt() with the caller's fingerprint; call that instead.
 *
 * @return as gpool_device_adopt(), GPOOL_OK on success.
 * Thread: any.
 */
GPOOL_API gpool_result gpool_device_adopt_checked(const gpool_device_adopt_desc *desc,
                                                  const gpool_header_fingerprint *print,
                                                  gpool_device **device);

/**
 * Opens a device: loads the library, picks an adapter, asks for limits and features, and probes
 * how the implementation reports errors.
 *
 * @param desc   NULL = all defaults; nothing in it is kept, but `blobs` is used until the release
 * @param device set to the device (one reference, for gpool_device_release()) or to NULL
 * @return GPOOL_OK; GPOOL_ERROR_INVALID_ARGUMENT; GPOOL_ERROR_LIBRARY; GPOOL_ERROR_HEADER (the
 *         caller or the implementation uses a webgpu.h that does not match); GPOOL_ERROR_NO_ADAPTER;
 *         GPOOL_ERROR_UNSUPPORTED (a required feature is missing); GPOOL_ERROR_LIMIT (over 63
 *         features that the adapter has are asked for); GPOOL_ERROR_GPU (no device);
 *         GPOOL_ERROR_OUT_OF_MEMORY; GPOOL_ERROR_OUT_OF_GPU_MEMORY; GPOOL_ERROR_DEVICE_LOST;
 *         GPOOL_ERROR_TIMEOUT (an answer did not come within 10 s); GPOOL_ERROR_WRONG_PHASE (a callback
 *         inside a call of gpool).
 * Thread: any. Allocates: yes. Cost: milliseconds to a second, mostly the driver's start.
 */
static inline gpool_result gpool_device_open(const gpool_device_desc *desc, gpool_device **device)
{
    gpool_header_fingerprint print = gpool_header_fingerprint_here();
    return gpool_device_open_checked(desc, &print, device);
}

/**
 * Wraps a device that the caller opened. Driver blobs (gpool_device_desc.blobs) are not for it: who opens
 * the device chains the implementation's cache callbacks. The caller's uncaptured-error callback must call
 * gpool_device_notify_error() and its lost callback gpool_device_notify_lost(); no error scope of
 * the caller's may be open on the device during calls of gpool.
 *
 * `*device` is set in the middle of the call, for callbacks that come on the calling thread. A callback
 * on another thread must not read it before the call has returned: what is told there until then, the
 * caller forwards after the call. Nor may the last reference be given up while it forwards.
 *
 * @param device set to the device (one reference, for gpool_device_release()) or to NULL
 * @return as gpool_device_open().
 * Thread: any. Allocates: yes.
 */
static inline gpool_result gpool_device_adopt(const gpool_device_adopt_desc *desc,
                                              gpool_device **device)
{
    gpool_header_fingerprint print = gpool_header_fingerprint_here();
    return gpool_device_adopt_checked(desc, &print, device);
}

/** Adds a reference and returns the device; NULL stays NULL. Thread: any. */
GPOOL_API gpool_device *gpool_device_retain(gpool_device *device);

/**
 * Gives up a reference; the last one waits for the GPU, for log callbacks under way on other threads,
 * and closes the device. NULL is silent.
 * Thread: any, but the last reference on the thread that owned the last pool. Cost: the last one
 * blocks until the GPU is idle, at most 10 s, until the callbacks are done, at most 10 s, and until the
 * store of gpool_device_desc.blobs is done with what it is at. That may be closed then.
 */
GPOOL_API void gpool_device_release(gpool_device *device);

/**
 * Forwards an uncaptured error of an adopted device; call it inside the WebGPU callback.
 * Thread: any, inside the callback; calls nothing back but the log.
 */
GPOOL_API void gpool_device_notify_error(gpool_device *device, WGPUErrorType type,
                                         WGPUStringView message);

/**
 * Forwards the loss of an adopted device; call it inside the WebGPU callback.
 * Thread: any, inside the callback.
 */
GPOOL_API void gpool_device_notify_lost(gpool_device *device, WGPUDeviceLostReason reason,
                                        WGPUStringView message);

/**
 * Tells what the device is.
 *
 * @return GPOOL_OK or GPOOL_ERROR_INVALID_ARGUMENT (null pointer).
 * Thread: any.
 */
GPOOL_API gpool_result gpool_device_get_info(const gpool_device *device, gpool_device_info *info);

/**
 * Copies the counters of driver blobs; all zero where none are kept (gpool_device_desc.blobs).
 *
 * @return GPOOL_OK or GPOOL_ERROR_INVALID_ARGUMENT (null pointer).
 * Thread: any.
 */
GPOOL_API gpool_result gpool_device_get_blob_stats(const gpool_device *device,
                                                   gpool_blob_stats *stats);

/** True when the feature is in force on this device. Thread: any. */
GPOOL_API bool gpool_device_has_feature(const gpool_device *device, WGPUFeatureName feature);

/** Returns the device's function table (translated where needed); NULL for NULL. Thread: any. */
GPOOL_API const gpool_gpu *gpool_device_gpu(const gpool_device *device);

/** Returns the raw instance, not retained; NULL for NULL. Thread: any. */
GPOOL_API WGPUInstance gpool_device_raw_instance(const gpool_device *device);

/** Returns the raw adapter, not retained; NULL for NULL. Thread: any. */
GPOOL_API WGPUAdapter gpool_device_raw_adapter(const gpool_device *device);

/** Returns the raw device, not retained; NULL for NULL. Thread: any. */
GPOOL_API WGPUDevice gpool_device_raw(const gpool_device *device);

/** Returns the raw queue, not retained; NULL for NULL. Thread: any. */
GPOOL_API WGPUQueue gpool_device_raw_queue(const gpool_device *device);

/** Serial of the newest submit of gpool on this device; 0 before the first. Thread: any. */
GPOOL_API uint64_t gpool_device_submitted(const gpool_device *device);

/** Serial up to which the GPU is done, as far as polled. Thread: any. */
GPOOL_API uint64_t gpool_device_done(const gpool_device *device);

/**
 * Lets the implementation deliver what the GPU finished; never blocks.
 *
 * The program's own WebGPU callbacks may run in it, as in any call of gpool's; see gpool_create() for
 * what they may do.
 *
 * @return GPOOL_OK, GPOOL_ERROR_INVALID_ARGUMENT (null), GPOOL_ERROR_WRONG_PHASE (such a callback calls)
 *         or GPOOL_ERROR_DEVICE_LOST.
 * Thread: any. Cost: one poll, about 4 microseconds.
 */
GPOOL_API gpool_result gpool_device_poll(gpool_device *device);

/**
 * Waits until the GPU has done a serial, by polling and short sleeps.
 *
 * @param serial     at most gpool_device_submitted(), else GPOOL_ERROR_INVALID_ARGUMENT
 * @param timeout_ms milliseconds to wait at most; 0 polls once
 * @return GPOOL_OK, GPOOL_ERROR_TIMEOUT, GPOOL_ERROR_DEVICE_LOST, GPOOL_ERROR_INVALID_ARGUMENT or
 *         GPOOL_ERROR_WRONG_PHASE (a callback inside a call of gpool).
 * Thread: any. Cost: blocks.
 */
GPOOL_API gpool_result gpool_device_wait(gpool_device *device, uint64_t serial,
                                         uint32_t timeout_ms);

#ifdef __cplusplus
}
#endif
#endif
