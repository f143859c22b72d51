/* A table around another one: somebody may listen to every call before it is made. */
#include "fault.h"

#include <string.h>

static gpool_gpu spy_real;
static fault_spy_fn spy_fn;
static void *spy_user;
static uint64_t spy_talks;

static bool spy_is_talk(int function)
{
    static const char *const others[] = { "Get", "AddRef", "Release", "ProcessEvents" };
    const char *name = sim_function_name(function);
    for (size_t i = 0; i < sizeof others / sizeof *others; ++i) {
        if (strstr(name, others[i]) != NULL) {
            return false;
        }
    }
    return true;
}

/* What is allocated inside an implementation is not gpool's. */
static bool spy_enter(int function)
{
    bool inside = fault_memory_is_inside();
    fault_memory_inside(false);
    spy_talks += spy_is_talk(function);
    if (spy_fn != NULL) {
        spy_fn(spy_user, function);
    }
    return inside;
}

#define GPOOL_V(name, parameters, arguments)                                                       \
    static void spy_##name parameters                                                              \
    {                                                                                              \
        bool inside = spy_enter(GPOOL_GPU_##name);                                                 \
        spy_real.name arguments;                                                                   \
        fault_memory_inside(inside);                                                               \
    }
#define GPOOL_R(type, name, parameters, arguments)                                                 \
    static type spy_##name parameters                                                              \
    {                                                                                              \
        bool inside = spy_enter(GPOOL_GPU_##name);                                                 \
        type result = spy_real.name arguments;                                                     \
        fault_memory_inside(inside);                                                               \
        return result;                                                                             \
    }
GPOOL_GPU_REQUIRED(GPOOL_V, GPOOL_R)
#undef GPOOL_V
#undef GPOOL_R

void fault_spy_wrap(const gpool_gpu *real, gpool_gpu *spied)
{
    spy_real = *real;
    spy_fn = NULL;
    *spied = *real; /* what is optional stays as it is */
#define GPOOL_V(name, parameters, arguments)       spied->name = spy_##name;
#define GPOOL_R(type, name, parameters, arguments) spied->name = spy_##name;
    GPOOL_GPU_REQUIRED(GPOOL_V, GPOOL_R)
#undef GPOOL_V
#undef GPOOL_R
}

void fault_spy(fault_spy_fn fn, void *user)
{
    spy_fn = fn;
    spy_user = user;
}

uint64_t fault_spy_talks(void)
{
    return spy_talks;
}
