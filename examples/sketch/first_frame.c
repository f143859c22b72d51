#define _POSIX_C_SOURCE 200809L
#include "first_frame.h"

#include <stdio.h>
#include <time.h>

double first_frame_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec * 1e3 + (double)time.tv_nsec * 1e-6;
}

static bool note(void *user, const gpool_warm_up_report *report)
{
    *(gpool_warm_up_report *)user = *report;
    return true;
}

bool first_frame_warm_up(first_frame *all, gpool *pool)
{
    double begin = first_frame_now();
    if (gpool_warm_up(pool, NULL, note, &all->report) != GPOOL_OK) {
        fprintf(stderr, "gpool-sketch: no warm-up: %s\n", gpool_last_error(pool)->message);
        return false;
    }
    all->warm = first_frame_now() - begin;
    return gpool_get_stats(pool, &all->after_warm_up) == GPOOL_OK;
}

void first_frame_done(first_frame *all, gpool *pool)
{
    (void)gpool_wait_idle(pool);
    all->frame = first_frame_now() - all->begin;
    (void)gpool_get_stats(pool, &all->after_frame);
}

void first_frame_print(const first_frame *all)
{
    const gpool_stats *warm = &all->after_warm_up;
    const gpool_stats *frame = &all->after_frame;
    printf("%-28s %10s\n", "start",
           all->report.pipelines > 0 ? "with what the last run noted"
                                     : "cold: no run has noted anything");
    printf("  %-26s %7.0f ms: device %.0f, warm-up %.0f, scene %.0f\n", "to the first frame",
           all->frame, all->device, all->warm, all->scene);
    printf("  %-26s %10u of %u modules and pipelines, %u used on the GPU, %u failed\n", "warmed up",
           all->report.done, all->report.modules + all->report.pipelines, all->report.used,
           all->report.failed);
    printf("  %-26s %10llu modules, %llu pipelines; found %llu and %llu\n", "compiled after that",
           (unsigned long long)(frame->shader_misses - warm->shader_misses),
           (unsigned long long)(frame->pipeline_misses - warm->pipeline_misses),
           (unsigned long long)(frame->shader_hits - warm->shader_hits),
           (unsigned long long)(frame->pipeline_hits - warm->pipeline_hits));
}
