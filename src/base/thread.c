#if !defined(_DEFAULT_SOURCE)
#define _DEFAULT_SOURCE 1 /* madvise() */
#endif
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "base/thread.h"

#include <time.h>

#define SECOND_NS UINT64_C(1000000000)

#if defined(__linux__)
#include <sys/mman.h>
#endif

/* Compilers recurse: what gpool__wgsl_problem() lets pass fits the main thread's 8 MiB. */
#define THREAD_STACK ((size_t)8 << 20)
#define LARGE_PAGE   ((size_t)2 << 20)

void gpool__advise_large(void *block, size_t size)
{
#if defined(__linux__) && defined(MADV_HUGEPAGE)
    if (size >= 2 * LARGE_PAGE) {
        uintptr_t from = ((uintptr_t)block + LARGE_PAGE - 1) / LARGE_PAGE * LARGE_PAGE;
        uintptr_t to = ((uintptr_t)block + size) / LARGE_PAGE * LARGE_PAGE;
        (void)madvise((void *)from, to - from, MADV_HUGEPAGE);
    }
#else
    (void)block;
    (void)size;
#endif
}

#if defined(_WIN32)

void gpool__mutex_init(gpool__mutex *mutex)
{
    InitializeSRWLock(mutex);
}

void gpool__mutex_fini(gpool__mutex *mutex)
{
    (void)mutex;
}

void gpool__mutex_lock(gpool__mutex *mutex)
{
    AcquireSRWLockExclusive(mutex);
}

void gpool__mutex_unlock(gpool__mutex *mutex)
{
    ReleaseSRWLockExclusive(mutex);
}

void gpool__condition_init(gpool__condition *condition)
{
    InitializeConditionVariable(condition);
}

void gpool__condition_fini(gpool__condition *condition)
{
    (void)condition;
}

void gpool__condition_wake(gpool__condition *condition)
{
    WakeAllConditionVariable(condition);
}

void gpool__condition_wait(gpool__condition *condition, gpool__mutex *mutex, uint64_t ns)
{
    uint64_t most = ns < SECOND_NS ? ns : SECOND_NS;
    DWORD limit = ns == UINT64_MAX ? INFINITE : (DWORD)(most / 1000000u + 1);
    (void)SleepConditionVariableSRW(condition, mutex, limit, 0);
}

static DWORD WINAPI thread_run(LPVOID thread)
{
    gpool__thread *self = thread;
    self->run(self->user);
    return 0;
}

bool gpool__thread_start(gpool__thread *thread, void (*run)(void *user), void *user)
{
    thread->run = run;
    thread->user = user;
    thread->handle = CreateThread(NULL, THREAD_STACK, thread_run, thread, 0, NULL);
    return thread->handle != NULL;
}

void gpool__thread_join(gpool__thread *thread)
{
    (void)WaitForSingleObject(thread->handle, INFINITE);
    (void)CloseHandle(thread->handle);
}

uint64_t gpool__thread_cpu_ns(void)
{
    FILETIME created, ended, kernel, user;
    if (!GetThreadTimes(GetCurrentThread(), &created, &ended, &kernel, &user)) {
        return 0;
    }
    uint64_t k = ((uint64_t)kernel.dwHighDateTime << 32) | kernel.dwLowDateTime;
    uint64_t u = ((uint64_t)user.dwHighDateTime << 32) | user.dwLowDateTime;
    return (k + u) * 100u;
}

uint64_t gpool__now_ns(void)
{
    LARGE_INTEGER count, rate;
    QueryPerformanceCounter(&count);
    QueryPerformanceFrequency(&rate);
    return (uint64_t)((double)count.QuadPart * 1e9 / (double)rate.QuadPart);
}

void gpool__sleep_ns(uint64_t ns)
{
    Sleep((DWORD)((ns + 999999u) / 1000000u));
}

#else

void gpool__mutex_init(gpool__mutex *mutex)
{
    (void)pthread_mutex_init(mutex, NULL);
}

void gpool__mutex_fini(gpool__mutex *mutex)
{
    (void)pthread_mutex_destroy(mutex);
}

void gpool__mutex_lock(gpool__mutex *mutex)
{
    (void)pthread_mutex_lock(mutex);
}

void gpool__mutex_unlock(gpool__mutex *mutex)
{
    (void)pthread_mutex_unlock(mutex);
}

void gpool__condition_init(gpool__condition *condition)
{
    (void)pthread_cond_init(condition, NULL);
}

void gpool__condition_fini(gpool__condition *condition)
{
    (void)pthread_cond_destroy(condition);
}

void gpool__condition_wake(gpool__condition *condition)
{
    (void)pthread_cond_broadcast(condition);
}

void gpool__condition_wait(gpool__condition *condition, gpool__mutex *mutex, uint64_t ns)
{
    if (ns == UINT64_MAX) {
        (void)pthread_cond_wait(condition, mutex);
        return;
    }
    /* By the clock on the wall, which every platform can: a jump of it costs one early or late look. */
    struct timespec until;
    (void)clock_gettime(CLOCK_REALTIME, &until);
    uint64_t most = (uint64_t)until.tv_nsec + (ns < SECOND_NS ? ns : SECOND_NS);
    until.tv_sec += (time_t)(most / SECOND_NS);
    until.tv_nsec = (long)(most % SECOND_NS);
    (void)pthread_cond_timedwait(condition, mutex, &until);
}

static void *thread_run(void *thread)
{
    gpool__thread *self = thread;
    self->run(self->user);
    return NULL;
}

bool gpool__thread_start(gpool__thread *thread, void (*run)(void *user), void *user)
{
    thread->run = run;
    thread->user = user;
    pthread_attr_t attributes;
    if (pthread_attr_init(&attributes) != 0) {
        return false;
    }
    (void)pthread_attr_setstacksize(&attributes, THREAD_STACK);
    bool started = pthread_create(&thread->handle, &attributes, thread_run, thread) == 0;
    (void)pthread_attr_destroy(&attributes);
    return started;
}

void gpool__thread_join(gpool__thread *thread)
{
    (void)pthread_join(thread->handle, NULL);
}

static uint64_t thread_clock(clockid_t clock)
{
    struct timespec time;
    if (clock_gettime(clock, &time) != 0) {
        return 0;
    }
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

uint64_t gpool__thread_cpu_ns(void)
{
    return thread_clock(CLOCK_THREAD_CPUTIME_ID);
}

uint64_t gpool__now_ns(void)
{
    return thread_clock(CLOCK_MONOTONIC);
}

void gpool__sleep_ns(uint64_t ns)
{
    struct timespec time = { (time_t)(ns / 1000000000u), (long)(ns % 1000000000u) };
    (void)nanosleep(&time, NULL);
}

#endif
