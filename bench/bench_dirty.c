/* Change tracking. */
#include "bench.h"

#include <gpool/dirty.h>

#include <stdlib.h>

#define DIRTY_ITEMS (UINT64_C(1) << 20)

typedef struct dirty_flags {
    gpool_dirty_flag *flags;
    uint64_t count; /* a power of two */
    uint64_t frame;
} dirty_flags;

/* Keeps the compiler from joining the three steps, or those of several rounds. */
static inline void dirty_forget(gpool_dirty_flag *flag)
{
    __asm__ volatile("" : : "r"(flag) : "memory");
}

static void dirty_flag_work(void *state, uint64_t count)
{
    dirty_flags *all = state;
    for (uint64_t i = 0; i < count; ++i) {
        gpool_dirty_flag *flag = &all->flags[i & (all->count - 1)];
        all->frame += (i & (all->count - 1)) == 0;
        gpool_dirty_mark(flag, all->frame);
        dirty_forget(flag);
        const uint64_t target = gpool_dirty_begin(flag);
        dirty_forget(flag);
        gpool_dirty_clear(flag, target);
        dirty_forget(flag);
    }
}

void bench_dirty_flag(bench_run *run, bench_row *row, uint64_t argument)
{
    dirty_flags all = { .flags = bench_alloc(argument, sizeof *all.flags), .count = argument };
    bench_measure(run, row, (bench_side){ .work = dirty_flag_work, .state = &all }, NULL,
                  DIRTY_ITEMS);
    uint64_t dirty = 0;
    uint64_t marks = 0;
    for (uint64_t i = 0; i < argument; ++i) {
        dirty += gpool_dirty_is(&all.flags[i]);
        marks += all.flags[i].marks;
    }
    bench_require(dirty == 0 && marks > 0, "a flag is not clean in the end");
    bench_add_counter(row, "flags", (double)argument);
    bench_add_counter(row, "marks_counted_each", (double)marks / (double)argument);
    free(all.flags);
}
