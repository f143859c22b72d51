/*
 * gpool-bench: a table of cases, each measured against a bar and, where there is one, a peer.
 *
 * Times are medians over alternating pairs (ours, peer, ours, peer, ...) on the thread's CPU clock, or
 * on the processor's counter where each call is timed by itself; both sides do the same work on the
 * same random sequence, each behind one call boundary. Values that are no times are counters and repeat
 * exactly. A row meets its bar when its value does and all its limited counters keep to their limits.
 */
#ifndef GPOOL_BENCH_H
#define GPOOL_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define BENCH_MAX_COUNTERS 80
#define BENCH_MAX_DETAILS  300
/* Work items of a run that counts instructions. */
#define BENCH_COUNTED_ITEMS 100000u
/* Such a run needs no more objects than this: the count does not depend on them, but takes long. */
#define BENCH_COUNTED_OBJECTS 10000u
/* A quick run has no more objects, and samples no longer than this. */
#define BENCH_QUICK_OBJECTS 10000u
#define BENCH_QUICK_ITEMS   20000u

/*
 * Every case, as X(name, unit, function, argument, bar), by file. A bar is RATIO_LEAST(x),
 * OURS_MOST(x), OURS_LEAST(x) or NO_BAR, where limited counters may still be one. Bars of uploads depend on the
 * adapter and are set by the case.
 */
#define BENCH_CASES(X)                                                                             \
    X("handle.get/1k", "ns", bench_handle_get, 1000, RATIO_LEAST(0.9))                             \
    X("handle.get/10k", "ns", bench_handle_get, 10000, RATIO_LEAST(0.9))                           \
    X("handle.get/1m", "ns", bench_handle_get, 1000000, RATIO_LEAST(0.9))                          \
    X("handle.churn", "ns", bench_handle_churn, 10000, RATIO_LEAST(1.0))                           \
    X("handle.churn/1k", "ns", bench_handle_churn, 1000, NO_BAR)                                   \
    X("handle.churn/1m", "ns", bench_handle_churn, 1000000, NO_BAR)                                \
    X("handle.stale", "accepted", bench_handle_stale, 1u << 20, OURS_MOST(0))                      \
    X("dirty.flag", "ns", bench_dirty_flag, 1024, OURS_MOST(3))                                    \
    X("dirty.lattice", "ns a node", bench_dirty_lattice, 100000, NO_BAR)                           \
    X("range.mark", "ns", bench_range_mark, 10000, OURS_MOST(10))                                  \
    X("range.mark/shared", "ns", bench_range_mark_shared, 10000, NO_BAR)                           \
    X("range.scan", "ns a range", bench_range_scan, 10000, NO_BAR)                                 \
    X("alloc.mixed/70", "ns", bench_alloc_mixed, 70, RATIO_LEAST(0.8))                             \
    X("alloc.narrow", "ns", bench_alloc_narrow, 160000, RATIO_LEAST(1.0))                          \
    X("alloc.refused/90", "%", bench_alloc_refused, 90, OURS_MOST(0.05))                           \
    X("alloc.refused/95", "%", bench_alloc_refused, 95, OURS_MOST(13))                             \
    X("alloc.steps", "steps", bench_alloc_steps, 1, OURS_MOST(18))                                 \
    X("store.hit", "ns", bench_store_hit, 8192, RATIO_LEAST(0.5))                                  \
    X("store.growth", "last by first", bench_store_growth, 50000, OURS_MOST(3))                    \
    X("shader.growth", "last by first", bench_shader_growth, 1000000, OURS_MOST(2))                \
    X("shader.hit", "ns", bench_shader_hit, 0, RATIO_LEAST(200))                                   \
    X("shader.hitch", "ms", bench_shader_hitch, 100, OURS_MOST(1))                                 \
    X("reload.one", "wrong", bench_reload_one, 0, OURS_MOST(0))                                    \
    X("warmup.threads", "of T", bench_warmup_threads, 64, OURS_LEAST(0.7))                         \
    X("warmup.threads/asleep", "of T", bench_warmup_asleep, 64, OURS_LEAST(0.7))                   \
    X("frame.idle/1k", "ns", bench_frame_idle, 1000, OURS_MOST(1000))                              \
    X("frame.idle/1m", "ns", bench_frame_idle, 1000000, OURS_MOST(1000))                           \
    X("destroy.burst", "of the budget", bench_destroy_burst, 100000, OURS_MOST(1))                 \
    X("memory.buffer", "bytes", bench_memory_buffer, 100000, OURS_MOST(160))                       \
    X("upload.single", "ms a frame", bench_upload_single, 1, RATIO_LEAST(0.87))                    \
    X("upload.sparse/100", "ms a frame", bench_upload_sparse, 100, RATIO_LEAST(0.9))               \
    X("upload.sparse/10k", "ms a frame", bench_upload_sparse, 10000, RATIO_LEAST(1.3))             \
    X("upload.sparse/100k", "ms a frame", bench_upload_sparse, 100000, RATIO_LEAST(0.9))           \
    X("upload.whole/64m", "ms a frame", bench_upload_whole, 64, NO_BAR)                            \
    X("upload.grid", "% of cells", bench_upload_grid, 0, NO_BAR)                                   \
    X("upload.adjacent", "calls", bench_upload_adjacent, 10000, OURS_MOST(1))                      \
    X("upload.repeat", "calls", bench_upload_repeat, 1000, OURS_MOST(1))                           \
    X("upload.ends", "bytes", bench_upload_ends, 4 << 20, OURS_MOST(512))                          \
    X("upload.uniforms", "ns", bench_upload_uniforms, 1000, OURS_MOST(60))                         \
    X("ring.spike", "of before", bench_ring_spike, 256, OURS_MOST(1.25))                           \
    X("ring.spike/staged", "of before", bench_ring_spike, 257, OURS_MOST(1.25))                    \
    X("recycle.holes", "ns", bench_recycle_holes, 20000, RATIO_LEAST(20))                          \
    X("recycle.texture", "ns", bench_recycle_texture, 0, RATIO_LEAST(100))                         \
    X("recycle.texture/used", "ns", bench_recycle_texture, 1, NO_BAR)                              \
    X("warmup.second_process", "ms", bench_blobs_second_process, 0, RATIO_LEAST(40))               \
    X("warmup.second_process/march", "ms", bench_blobs_second_process, 1, NO_BAR)                  \
    X("mesh.churn", "ms", bench_mesh_churn, 50000, OURS_MOST(50))                                  \
    X("mesh.draws", "us", bench_mesh_draws, 10000, RATIO_LEAST(3))                                 \
    X("mesh.dragon", "ms", bench_mesh_dragon, 0, NO_BAR)                                           \
    X("heap.compact", "frames", bench_heap_compact, 75, NO_BAR)                                    \
    X("heap.compact/packed", "frames", bench_heap_compact, 50, NO_BAR)                             \
    X("recover", "sums that differ", bench_recover, 1000, OURS_MOST(0))                            \
    X("soak", "sums that differ", bench_soak, 1000000, OURS_MOST(0))

/* Which value of a row a bar limits. */
typedef enum bench_bar_kind {
    BENCH_BAR_NONE,
    BENCH_BAR_RATIO_LEAST,
    BENCH_BAR_OURS_MOST,
    BENCH_BAR_OURS_LEAST
} bench_bar_kind;

typedef struct bench_bar {
    bench_bar_kind kind;
    double value;
} bench_bar;

/* Median and spread of one side's samples. */
typedef struct bench_spread {
    double median;
    double p10;
    double p90;
} bench_spread;

typedef struct bench_counter {
    const char *name;
    double value;
    double most; /* the row misses its bar above this; INFINITY = no limit */
} bench_counter;

/* How a row stands to its bar. */
typedef enum bench_verdict {
    BENCH_WITHOUT_BAR,
    BENCH_NOT_JUDGED, /* a time of a quick run, or a row that it could not measure */
    BENCH_MET,
    BENCH_MISSED
} bench_verdict;

/* What one case found. */
typedef struct bench_row {
    const char *name;
    const char *unit;
    bench_bar bar;
    bench_spread ours;
    const char *peer; /* NULL = none */
    bench_spread peer_spread;
    double ratio; /* peer / ours; NAN where there is none */
    double ratio_p10;
    double ratio_p90;
    unsigned pairs; /* 0 = a counter, measured once */
    bool quick;     /* times are too short to be judged */
    const char
        *absent;   /* why nothing was measured; NULL = it was. A full run misses its bar then */
    bool optional; /* needs what is not a part of gpool: absent, it misses nothing */
    const char *not_judged; /* why the bar says nothing here; NULL = it does. Limits hold */
    bench_counter counters[BENCH_MAX_COUNTERS];
    size_t counter_count;
    bench_counter details[BENCH_MAX_DETAILS]; /* of the JSON only */
    size_t detail_count;
    const char *adapter;
    const char *implementation;
    double our_instructions; /* of one work item, also where calls are timed; NAN = not counted */
    double peer_instructions;
} bench_row;

/* How this run measures. */
typedef struct bench_run {
    unsigned pairs;
    bool quick;            /* everything small: does it run, are the counters right? */
    bool instructions;     /* count instructions too, by running this program under valgrind */
    const char *counted;   /* in such a run: "ours" or "peer", else NULL */
    const char *case_name; /* of the case that runs */
} bench_run;

typedef void (*bench_case_fn)(bench_run *run, bench_row *row, uint64_t argument);

/** Does `count` items of work. */
typedef void (*bench_work_fn)(void *state, uint64_t count);

/* Time of the calls that a work is about, without what is around them. */
typedef struct bench_timer {
    uint64_t ticks;
    uint64_t calls;
} bench_timer;

/* One side of a comparison. */
typedef struct bench_side {
    const char *name; /* of the peer; unused for ours */
    bench_work_fn work;
    void *state;
    bench_timer *timer; /* the work's own, of the calls in it; NULL = the CPU time of all of it */
} bench_side;

#define BENCH_X(name, unit, function, argument, bar)                                               \
    void function(bench_run *run, bench_row *row, uint64_t argument_value);
BENCH_CASES(BENCH_X)
#undef BENCH_X

/** Nanoseconds an item of `count`, or a call in them where the side has a timer. */
double bench_sample(const bench_side *side, uint64_t count);

/**
 * Runs both sides in alternating pairs of `count` items and fills ours, peer, ratio and spread in
 * nanoseconds an item, or a call where they have timers. `peer` may be NULL. In a run that counts
 * instructions it runs the counted side once instead.
 */
void bench_measure(bench_run *run, bench_row *row, bench_side ours, const bench_side *peer,
                   uint64_t count);

/** Objects to work with: `wanted`, less where instructions are counted and in quick runs. */
uint64_t bench_objects(const bench_run *run, uint64_t wanted);

/** Repeats of something: `wanted`, a hundredth of it in quick runs. */
uint64_t bench_repeats(const bench_run *run, uint64_t wanted);

/** Sets a value that is no time: the same each time, without pairs. */
void bench_set_ours(bench_row *row, double value);

/** The same for the peer; the ratio is set unless ours is 0. */
void bench_set_peer(bench_row *row, const char *peer, double value);

void bench_add_counter(bench_row *row, const char *name, double value);

/** The same; the row misses its bar when the value is above `most`. */
void bench_add_limited(bench_row *row, const char *name, double value, double most);

/** Adds a value that is in the JSON and not printed: one of many. */
void bench_add_detail(bench_row *row, const char *name, double value);

/** Wall clock in nanoseconds. */
uint64_t bench_wall_ns(void);

/** Whether calls can be timed one by one: there is a counter of the processor, and an order to keep. */
#if defined(__x86_64__)
#define BENCH_HAS_TICKS true
#else
#define BENCH_HAS_TICKS false
#endif

/**
 * A moment on the processor's counter: what is before has been computed, and what is after begins then. Stores
 * may still be on their way to the cache; nothing waits for these.
 */
static inline uint64_t bench_tick(void)
{
#if defined(__x86_64__)
    __builtin_ia32_lfence();
    const uint64_t tick = __builtin_ia32_rdtsc();
    __builtin_ia32_lfence();
    return tick;
#else
    return 0;
#endif
}

/** Counts a call that began at a tick and is over now. */
static inline void bench_timer_add(bench_timer *timer, uint64_t begin)
{
    timer->ticks += bench_tick() - begin;
    timer->calls += 1;
}

/** Nanoseconds a call, without what the timing costs. */
double bench_timer_ns(const bench_timer *timer);

/** CPU time of this thread in nanoseconds. */
uint64_t bench_cpu_ns(void);

/** Resident memory of this process; 0 where the system does not tell. */
uint64_t bench_process_bytes(void);

/** Median and 10th and 90th percentile; sorts the samples. */
bench_spread bench_spread_of(double *samples, size_t count);

/** Next number of a splitmix64 sequence. */
uint64_t bench_random(uint64_t *state);

/** `count` zeroed items; ends the program when there is no memory. */
void *bench_alloc(size_t count, size_t size);

/** Ends the program with a message when something that must hold does not. */
void bench_require(bool good, const char *what);

/** Keeps alive what is computed: work is stored here. */
extern volatile uint64_t bench_sink;

/** How a row stands to its bar and to the limits of its counters. */
bench_verdict bench_judge(const bench_row *row);

void bench_print_heading(FILE *file);
void bench_print_row(FILE *file, const bench_row *row);
void bench_print_json(FILE *file, const bench_row *rows, size_t count);

#endif
