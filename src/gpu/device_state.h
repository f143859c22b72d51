/*
 * The device shared by pools: raw objects, limits, serials, error routing.
 *
 * Callbacks of the implementation find a gpool__events block, not the device: blocks come from a
 * process-wide registry and are never freed, so a callback that arrives late, even after the
 * device is closed, touches valid memory; a generation tells it that it is late. Serials of a block
 * only rise, also across its devices, so a late "done" can do no harm; the public ones count from the
 * `base` of their device.
 *
 * Callbacks only store into the block or into the thread's current operation, and make a log
 * record; they never call the API. The record is told when no lock is held and the call into the
 * implementation is over, or, when that was the program's own call, before the callback returns.
 *
 * The queue lock is held during submits, and never while a callback may wait for us.
 */
#ifndef GPOOL_GPU_DEVICE_STATE_H
#define GPOOL_GPU_DEVICE_STATE_H

#include "base/log.h"
#include "base/memory.h"
#include "base/thread.h"
#include "gpu/seam.h"

#include <gpool/device.h>

#include <stdatomic.h>

#define GPOOL__OPEN_TIMEOUT_NS UINT64_C(10000000000)

#define GPOOL__POPS 8u

/*
 * What an error scope said. The answer may be delivered by another thread that polls the same
 * instance, also after the waiter gave up: whoever comes second frees the room.
 */
typedef struct gpool__popped {
    _Atomic int state; /* GPOOL__POP_* */
    WGPUErrorType type;
    char error[GPOOL__MESSAGE_SIZE];
} gpool__popped;

enum {
    GPOOL__POP_FREE,
    GPOOL__POP_WAITING,
    GPOOL__POP_ANSWERED,
    GPOOL__POP_ABANDONED
};

/* Where callbacks of one device arrive. */
typedef struct gpool__events {
    struct gpool__events *next; /* registry, never shortened */
    struct gpool__events *next_free;
    gpool__mutex lock;            /* guards `device` against a callback on another thread */
    gpool_device *device;         /* NULL once closed */
    _Atomic uintptr_t generation; /* of the device it serves now */
    _Atomic uint64_t done;        /* serial the GPU is done with */
    _Atomic uint64_t submitted;   /* serial of the newest submit */
    uint64_t base;                /* `submitted` when the device took the block */
    _Atomic bool lost;            /* device lost */
    _Atomic bool suspect;         /* an error was reported since the last canary */
    _Atomic bool mute;            /* an error scope was never answered */
    gpool__popped popped[GPOOL__POPS];
    _Atomic uint32_t untold; /* records of callbacks that the user's log has not seen yet */
} gpool__events;

struct gpool_device {
    _Atomic uint32_t references;
    gpool__events *events;
    gpool_gpu table;
    gpool__seam seam; /* calls of the device itself */
    WGPUInstance instance;
    WGPUAdapter adapter;
    WGPUDevice device;
    WGPUQueue queue;
    gpool_device_info info; /* strings and features in `memory` */
    gpool__memory memory;
    gpool__mutex queue_lock;
    gpool__mutex log_lock;
    gpool__log log;
    struct gpool__blobs *blobs; /* driver blobs; NULL = none are kept */
    bool scopes;                /* errors are taken by error scopes, as the inline probe failed */
};

/** gpool_gpu_load() with a log of its caller's. */
gpool_result gpool__gpu_load(gpool__log *log, const char *path, gpool_gpu *table);

/** Name of the first required function that a table lacks, or NULL. */
const char *gpool__gpu_missing(const gpool_gpu *table);

/** Takes a block of the registry for a device; NULL without memory. */
gpool__events *gpool__events_take(gpool_device *device);

/** Returns the block; callbacks that come later are ignored. */
void gpool__events_give_back(gpool__events *events);

/** Records that there is no memory for a device; GPOOL_ERROR_OUT_OF_MEMORY. */
gpool_result gpool__device_no_memory(gpool__log *log);

/** Fills `info` and finds out how errors arrive and whether the header is the implementation's. */
gpool_result gpool__device_probe(gpool_device *device);

/** The callbacks, to be installed with userdata1 = events, userdata2 = generation or serial. */
void gpool__events_on_error(WGPUDevice const *device, WGPUErrorType type, WGPUStringView message,
                            void *events, void *generation);
void gpool__events_on_lost(WGPUDevice const *device, WGPUDeviceLostReason reason,
                           WGPUStringView message, void *events, void *generation);
void gpool__events_on_done(WGPUQueueWorkDoneStatus status, WGPUStringView message, void *events,
                           void *serial);

/**
 * Starts to capture what the implementation reports on this thread during the calls that follow.
 * Captures do not nest.
 */
void gpool__capture_begin(gpool_device *device, gpool__seam *seam);

/**
 * Ends the capture. GPOOL_OK when nothing was reported, else GPOOL_ERROR_DEVICE_LOST,
 * GPOOL_ERROR_OUT_OF_GPU_MEMORY or GPOOL_ERROR_GPU with the message in gpool__current()->error.
 */
gpool_result gpool__capture_end(gpool_device *device, gpool__seam *seam);

/** Log id for what gpool__capture_end() returned; `other` is the one of GPOOL_ERROR_GPU. */
static inline gpool_log_id gpool__capture_log_id(gpool_result result, gpool_log_id other)
{
    return result == GPOOL_ERROR_DEVICE_LOST         ? GPOOL_LOG_DEVICE_LOST
           : result == GPOOL_ERROR_OUT_OF_GPU_MEMORY ? GPOOL_LOG_GPU_MEMORY
                                                     : other;
}

/** The same for the canary, which decides about a loss itself. */
gpool_result gpool__capture_end_plain(gpool_device *device, gpool__seam *seam);

/** One poll: callbacks that run in it, also foreign ones, find `polls` raised. */
void gpool__device_pump(gpool_device *device, gpool__seam *seam);

/** Delivers finished work; never blocks. */
void gpool__device_process(gpool_device *device, gpool__seam *seam);

/** Waits until `serial` is done. GPOOL_OK, GPOOL_ERROR_TIMEOUT or GPOOL_ERROR_DEVICE_LOST. */
gpool_result gpool__device_wait_serial(gpool_device *device, gpool__seam *seam, uint64_t serial,
                                       uint64_t timeout_ns);

/**
 * Submits finished command buffers (none = flush of queue writes) as a new serial. The caller
 * guarantees that they are valid: wgpu-native ends the process otherwise. After any reported error
 * a canary encoder is finished first, as submitting to a lost wgpu-native device is fatal.
 * GPOOL_OK, GPOOL_ERROR_DEVICE_LOST (nothing submitted) or GPOOL_ERROR_GPU (reported; submitted).
 */
gpool_result gpool__device_submit(gpool_device *device, gpool__seam *seam, size_t count,
                                  const WGPUCommandBuffer *buffers, uint64_t *serial);

/** Gives a serial to work that somebody else submitted just now. */
uint64_t gpool__device_note_submit(gpool_device *device, gpool__seam *seam);

/** GPOOL_OK, or GPOOL_ERROR_DEVICE_LOST; checks by canary when an error was reported. */
gpool_result gpool__device_check(gpool_device *device, gpool__seam *seam);

static inline uint64_t gpool__device_done(const gpool_device *device)
{
    return atomic_load_explicit(&device->events->done, memory_order_acquire);
}

static inline uint64_t gpool__device_submitted(const gpool_device *device)
{
    return atomic_load_explicit(&device->events->submitted, memory_order_relaxed);
}

static inline bool gpool__device_is_lost(const gpool_device *device)
{
    return atomic_load_explicit(&device->events->lost, memory_order_relaxed);
}

/**
 * How long to sleep between two polls after `waited` ns: an eighth of it, so that a wait lasts at
 * most so much longer than it must and costs few polls, between 20 us and 2 ms.
 */
static inline uint64_t gpool__nap_ns(uint64_t waited)
{
    uint64_t nap = waited / 8;
    return nap < 20000 ? 20000 : nap > 2000000 ? 2000000 : nap;
}

/** A view of a string that ends with a zero byte. */
static inline WGPUStringView gpool__view(const char *text)
{
    WGPUStringView view = { text, text != NULL ? WGPU_STRLEN : 0 };
    return view;
}

#endif
