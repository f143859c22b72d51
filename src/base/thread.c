#if !defined(_DEFAULT_SOURCE)
#define _DEFAULT_SOURCE 1 /* madvise() */
#endif
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "base/thread.h"

#include <time.h>

#if defined(__linux__)
#include <sys/mman.h>
#endif

#define LARGE_PAGE ((size_t)2 << 20)

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
