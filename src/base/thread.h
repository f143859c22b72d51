/*
 * Threads, clocks, sleep and hints on memory behind one seam: the only place that knows the platform.
 */
#ifndef GPOOL_BASE_THREAD_H
#define GPOOL_BASE_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(_WIN32)
#include <windows.h>
typedef SRWLOCK gpool__mutex;
typedef CONDITION_VARIABLE gpool__condition;
typedef HANDLE gpool__thread_handle;
#define GPOOL__MUTEX_INIT SRWLOCK_INIT
#else
#include <pthread.h>
typedef pthread_mutex_t gpool__mutex;
typedef pthread_cond_t gpool__condition;
typedef pthread_t gpool__thread_handle;
#define GPOOL__MUTEX_INIT PTHREAD_MUTEX_INITIALIZER
#endif

#if defined(_MSC_VER)
#define GPOOL__THREAD_LOCAL __declspec(thread)
#else
#define GPOOL__THREAD_LOCAL _Thread_local
#endif

void gpool__mutex_init(gpool__mutex *mutex);
void gpool__mutex_fini(gpool__mutex *mutex);
void gpool__mutex_lock(gpool__mutex *mutex);
void gpool__mutex_unlock(gpool__mutex *mutex);

void gpool__condition_init(gpool__condition *condition);
void gpool__condition_fini(gpool__condition *condition);

/** Wakes every thread that waits. */
void gpool__condition_wake(gpool__condition *condition);

/**
 * Gives up the mutex, waits to be woken, at most about `ns` or a second (UINT64_MAX:
 * without limit), and takes the mutex again.
 */
void gpool__condition_wait(gpool__condition *condition, gpool__mutex *mutex, uint64_t ns);

/* A thread of gpool's own; stays where it is from start to join. */
typedef struct gpool__thread {
    gpool__thread_handle handle;
    void (*run)(void *user);
    void *user;
} gpool__thread;

/** Starts a thread; false where there are none, or no more. */
bool gpool__thread_start(gpool__thread *thread, void (*run)(void *user), void *user);

/** Waits for the end of a thread that was started. */
void gpool__thread_join(gpool__thread *thread);

/** CPU time of the calling thread, in nanoseconds. */
uint64_t gpool__thread_cpu_ns(void);

/** Monotonic time in nanoseconds. */
uint64_t gpool__now_ns(void);

/**
 * Tells the system that a block of this size is used at random: it may back it with large pages, which
 * saves a quarter of a scattered write's time. A hint; contents stay.
 */
void gpool__advise_large(void *block, size_t size);

/** Sleeps about that long. */
void gpool__sleep_ns(uint64_t ns);

#endif
