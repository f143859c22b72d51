/*
 * Log sink and last error of one owner (a pool, a device), and the thread's current operation.
 *
 * A record is a full sentence made at the call that failed; its id and result come from the
 * X-lists in gpool/base.h. An id that repeats is held back after 32 records but for every power of
 * two, so that a sketch that errs each frame for days does not fill a disk; the last error is
 * always kept.
 *
 * The user's callback runs with no lock held. A thread that holds one, or is inside a callback of the
 * implementation, says so with gpool__log_hold(): its records are then made, counted and kept, and told
 * in their order when it is done, at the latest by its next record or the end of its public call.
 */
#ifndef GPOOL_BASE_LOG_H
#define GPOOL_BASE_LOG_H

#include "base/text.h"
#include "base/thread.h"

#include <gpool/base.h>

#include <stdatomic.h>

#define GPOOL__MESSAGE_SIZE 1024

/*
 * What the calling thread is doing for gpool. The GPU layer's error callback finds here whether a
 * capture is open, so that an error reported inside a call names its culprit. The one thread-local
 * of the library.
 */
typedef struct gpool__operation {
    uint64_t thread;              /* number of the thread, 0 = none yet */
    const char *name;             /* public function, NULL outside */
    const void *capturing;        /* device whose errors are captured, NULL = none */
    int error_type;               /* type of the first captured error, 0 = none; see gpu/quirks.h */
    const void *timed_table;      /* real function table beneath the timing one */
    uint64_t gpu_ns;              /* thread CPU time in webgpu.h so far, while measured */
    uint64_t clock_ns;            /* cost of one clock read, while measured */
    uint64_t wait_ns;             /* thread CPU time in waits for the GPU, without webgpu.h */
    uint64_t clock_reads;         /* reads in timed calls so far, while measured */
    uint32_t polls;               /* polls for events under way: callbacks may run in them */
    uint32_t holds;               /* gpool__log_hold() without gpool__log_release() */
    struct gpool__log_kept *kept; /* records to be told, the oldest first */
    struct gpool__log_kept *kept_last;
    char error[GPOOL__MESSAGE_SIZE]; /* message of the first captured error */
} gpool__operation;

gpool__operation *gpool__current(void);

/**
 * True when a public call is under way on this thread, or a poll for events: who asks is a callback of
 * the program's that the implementation runs inside it, as wgpu-native does in a submit and Dawn when
 * the device is lost.
 */
static inline bool gpool__is_inside_of(const gpool__operation *now)
{
    return now->name != NULL || now->polls > 0;
}

static inline bool gpool__is_inside(void)
{
    return gpool__is_inside_of(gpool__current());
}

/**
 * Number of the calling thread, given at the first call and to no other thread of the process:
 * addresses of thread-local memory come again when a thread has ended. Never 0.
 */
uint64_t gpool__thread_number(void);

typedef struct gpool__log {
    gpool_log_fn fn;
    void *user;
    const char *owner;        /* label of pool or device */
    gpool__mutex *lock;       /* guards what follows; NULL = one thread at a time */
    _Atomic uint32_t *untold; /* counts records kept; NULL = nobody asks */
    gpool_error last;
    uint64_t errors;
    uint32_t counts[GPOOL_LOG_COUNT];
    char message[GPOOL__MESSAGE_SIZE];
} gpool__log;

void gpool__log_init(gpool__log *log, gpool_log_fn fn, void *user, const char *owner);

/** From here on records of this thread are kept. Nests. */
void gpool__log_hold(void);

/** Ends a hold; the last one tells what was kept, unless a public call is under way. */
void gpool__log_release(void);

/** Tells what this thread kept, unless it holds. Called at the end of public calls. */
void gpool__log_flush(void);

#if defined(__GNUC__)
#define GPOOL__PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define GPOOL__PRINTF(text, first)
#endif

/** Records an error as the last one, logs it, and returns `result`. */
gpool_result gpool__fail(gpool__log *log, gpool_log_id id, gpool_result result, const char *format,
                         ...) GPOOL__PRINTF(4, 5);

/** Logs a record that is no error. */
void gpool__note(gpool__log *log, gpool_log_id id, const char *format, ...) GPOOL__PRINTF(3, 4);

#endif
