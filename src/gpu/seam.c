#include "gpu/seam.h"

#include "base/log.h"
#include "base/thread.h"

static const gpool_gpu *seam_real(void)
{
    return gpool__current()->timed_table;
}

#define GPOOL_V(name, parameters, arguments)                                                       \
    static void seam_timed_##name parameters                                                       \
    {                                                                                              \
        uint64_t begin = gpool__thread_cpu_ns();                                                   \
        seam_real()->name arguments;                                                               \
        gpool__current()->gpu_ns += gpool__thread_cpu_ns() - begin;                                \
    }
#define GPOOL_R(type, name, parameters, arguments)                                                 \
    static type seam_timed_##name parameters                                                       \
    {                                                                                              \
        uint64_t begin = gpool__thread_cpu_ns();                                                   \
        type result = seam_real()->name arguments;                                                 \
        gpool__current()->gpu_ns += gpool__thread_cpu_ns() - begin;                                \
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
