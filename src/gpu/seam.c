#include "gpu/seam.h"

#include "base/log.h"
#include "base/thread.h"

static const gpool_gpu *seam_real(void)
{
    return gpool__current()->timed_table;
}

/* Adds a timed call. A clock read costs about as much as a small call, so it is taken off. */
static void seam_add(uint64_t begin)
{
    uint64_t taken = gpool__thread_cpu_ns() - begin;
    gpool__operation *now = gpool__current();
    now->gpu_ns += taken > now->clock_ns ? taken - now->clock_ns : 0;
    now->clock_reads += 2;
}

uint64_t gpool__clock_cost_ns(void)
{
    uint64_t least = UINT64_MAX;
    for (int round = 0; round < 16; ++round) {
        uint64_t begin = gpool__thread_cpu_ns();
        for (int i = 0; i < 7; ++i) {
            (void)gpool__thread_cpu_ns();
        }
        uint64_t each = (gpool__thread_cpu_ns() - begin) / 8;
        least = each < least ? each : least;
    }
    return least;
}

#define GPOOL_V(name, parameters, arguments)                                                       \
    static void seam_timed_##name parameters                                                       \
    {                                                                                              \
        uint64_t begin = gpool__thread_cpu_ns();                                                   \
        seam_real()->name arguments;                                                               \
        seam_add(begin);                                                                           \
    }
#define GPOOL_R(type, name, parameters, arguments)                                                 \
    static type seam_timed_##name parameters                                                       \
    {                                                                                              \
        uint64_t begin = gpool__thread_cpu_ns();                                                   \
        type result = seam_real()->name arguments;                                                 \
        seam_add(begin);                                                                           \
        return result;                                                                             \
    }
GPOOL_GPU_REQUIRED(GPOOL_V, GPOOL_R)
GPOOL_GPU_OPTIONAL(GPOOL_V, GPOOL_R)
#undef GPOOL_V
#undef GPOOL_R

const gpool_gpu *gpool__timing_table(void)
{
    static const gpool_gpu table = {
#define GPOOL_V(name, parameters, arguments)       .name = seam_timed_##name,
#define GPOOL_R(type, name, parameters, arguments) .name = seam_timed_##name,
        GPOOL_GPU_REQUIRED(GPOOL_V, GPOOL_R) GPOOL_GPU_OPTIONAL(GPOOL_V, GPOOL_R)
#undef GPOOL_V
#undef GPOOL_R
    };
    return &table;
}

uint64_t gpool__seam_total(const gpool__seam *seam)
{
    uint64_t total = 0;
    for (int i = 0; i < GPOOL_GPU_COUNT; ++i) {
        total += seam->calls[i];
    }
    return total;
}
