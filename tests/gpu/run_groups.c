/* Runs one group of GPU tests: gpool-gpu-tests <group>. The groups are the files gpu_<group>.c. */
#include "gpu_groups.h"

#include <stdio.h>
#include <string.h>

#define DECLARE(name) int gpu_##name##_run(void);
GPU_GROUPS(DECLARE)

struct group {
    const char *name;
    int (*run)(void);
};

#define ENTRY(name) { #name, gpu_##name##_run },
static const struct group groups[] = { GPU_GROUPS(ENTRY){ NULL, NULL } };

/* Of sanitized builds: drivers must see that memory ran out; for leaks see fixture.h. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1:detect_leaks=0";
}

int main(int argc, char **argv)
{
    for (int i = 0; argc == 2 && groups[i].name != NULL; ++i) {
        if (strcmp(groups[i].name, argv[1]) == 0) {
            return groups[i].run();
        }
    }
    fputs("usage: gpool-gpu-tests <group>; groups:", stderr);
    for (int i = 0; groups[i].name != NULL; ++i) {
        fprintf(stderr, " %s", groups[i].name);
    }
    fputs("\n", stderr);
    return 2;
}
