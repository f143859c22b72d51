/* The driver: runs a scenario at one point, or at all of them. */
#define _POSIX_C_SOURCE 200809L

#include "fault.h"

#include "pool/pool_state.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SWEEP_SECONDS 8u /* of one point, less than any wait of the library: longer is a hang */

static const char *const sweep_ways[SIM_WAY_COUNT] = { "null", "validation", "memory", "lost" };

static fault_entry *sweep_entries;

void fault_register(fault_entry *entry)
{
    fault_entry **place = &sweep_entries;
    while (*place != NULL && strcmp((*place)->name, entry->name) < 0) {
        place = &(*place)->next;
    }
    entry->next = *place;
    *place = entry;
}

fault_entry *fault_entries(void)
{
    return sweep_entries;
}

const fault_entry *fault_find(const char *name)
{
    const fault_entry *entry = sweep_entries;
    while (entry != NULL && strcmp(entry->name, name) != 0) {
        entry = entry->next;
    }
    return entry;
}

void fault_print_point(const char *scenario, const fault_point *point, char *text, size_t size)
{
    static const char *const deliveries[] = { "", " --delivery inline", " --delivery thread" };
    static const char *const errors[] = { "", " --errors late", " --errors swallowed" };
    char fault[64] = "";
    if (point->target == FAULT_ALLOCATION) {
        (void)snprintf(fault, sizeof fault, " --allocation %llu",
                       (unsigned long long)point->number);
    } else if (point->target == FAULT_CALL) {
        (void)snprintf(fault, sizeof fault, " --call %llu --way %s",
                       (unsigned long long)point->number, sweep_ways[point->way]);
    }
    (void)snprintf(text, size, "gpool-fault --scenario %s --personality %s%s%s%s%s", scenario,
                   point->personality == SIM_DAWN ? "dawn" : "wgpu", deliveries[point->delivery],
                   errors[point->errors], fault, point->for_ever ? " --forever" : "");
}

/* --- a hang ends the program, and says where --- */

static char sweep_now[256];

static void sweep_on_alarm(int number)
{
    static const char text[] = "hang in: ";
    (void)number;
    (void)!write(2, text, sizeof text - 1);
    (void)!write(2, sweep_now, strlen(sweep_now));
    (void)!write(2, "\n", 1);
    abort();
}

/* --- one point --- */

/* What the scenario leaves in the caches of its pool; of a run without a fault. */
static uint64_t sweep_live;
static uint64_t sweep_blocks;

static void sweep_check_pool(fault_world *w)
{
    gpool_stats stats;
    FAULT_EXPECT(w, gpool_get_stats(w->pool, &stats) == GPOOL_OK);
    if (stats.cpu_bytes != w->pool_memory.bytes) {
        fault_problem(w, "the pool counts %llu bytes, the hooks %llu",
                      (unsigned long long)stats.cpu_bytes,
                      (unsigned long long)w->pool_memory.bytes);
    }
    FAULT_EXPECT(w, gpool__pool_validate(w->pool));
    for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
        FAULT_EXPECT(w, stats.live_count[kind] == w->witness_before.stats.live_count[kind]);
        FAULT_EXPECT(w, stats.live_bytes[kind] == w->witness_before.stats.live_bytes[kind]);
    }
    FAULT_EXPECT(w, !w->pool->in_frame && !w->pool->recording);
}

/* The device is lost: the same scenario gives that one code, and nothing hangs. */
static void sweep_after_loss(const fault_entry *entry, fault_world *w)
{
    w->result = GPOOL_OK;
    gpool_result result = entry->run(w);
    if (result != GPOOL_ERROR_DEVICE_LOST) {
        fault_problem(w, "on a lost device the scenario gives %s", gpool_result_name(result));
    }
    FAULT_EXPECT(w, FAULT_DO(w, 0, gpool_begin_frame(w->pool)) == false);
    FAULT_EXPECT(w, gpool_last_error(w->pool)->code == GPOOL_ERROR_DEVICE_LOST);
}

/* The fault is over: all is as before, and the same scenario passes. */
static void sweep_after_fault(const fault_entry *entry, fault_world *w)
{
    w->hits = 0;
    w->result = GPOOL_OK;
    fault_check_witness(w);
    gpool_result result = entry->run(w);
    if (result != GPOOL_OK) {
        fault_problem(w, "after the fault the scenario gives %s: %s", gpool_result_name(result),
                      gpool_last_error(w->pool)->message);
    }
    fault_check_witness(w);
    FAULT_EXPECT(w, gpool_tick(w->pool) == GPOOL_OK);
    gpool_stats stats;
    FAULT_EXPECT(w, gpool_get_stats(w->pool, &stats) == GPOOL_OK && stats.retired_count == 0);
    /* What was freed depends on the fault, and which pipelines were tried. */
    gpool__recycle_fini(w->pool);
    w->pool->shaders_hooks->leave_device(w->pool);
    /* What is kept for later is what a world keeps that saw no fault. */
    uint64_t live = sim_live(w->s, SIM_KIND_NONE);
    if (w->point.target == FAULT_NOTHING) {
        sweep_live = live;
        sweep_blocks = w->pool_memory.blocks;
    } else if (live != sweep_live || w->pool_memory.blocks != sweep_blocks) {
        fault_problem(w, "%llu objects and %llu blocks are kept, without a fault %llu and %llu",
                      (unsigned long long)live, (unsigned long long)w->pool_memory.blocks,
                      (unsigned long long)sweep_live, (unsigned long long)sweep_blocks);
    }
}

static bool sweep_run_world(const fault_entry *entry, fault_world *w)
{
    if (!fault_open(w, &w->point)) {
        fault_problem(w, "the world cannot be opened");
        return false;
    }
    fault_arm(w);
    gpool_result result = entry->run(w);
    int failed = sim_fail_function(w->s);
    fault_disarm(w);
    uint64_t hits = fault_hits(w);
    if (hits == 0 && result != GPOOL_OK) {
        fault_problem(w, "without a fault the scenario gives %s", gpool_result_name(result));
    }
    sweep_check_pool(w);
    /* wgpu-native tells a loss only when it is asked for something. */
    uint8_t byte = 0;
    bool lost =
        w->point.target != FAULT_NOTHING && hits > 0 &&
        gpool_buffer_read(w->pool, w->witness_written, 0, &byte, 1) == GPOOL_ERROR_DEVICE_LOST;
    bool may_be_lost =
        w->point.target == FAULT_CALL &&
        (w->point.way == SIM_FAIL_LOST || w->point.for_ever ||
         (w->point.way == SIM_FAIL_OUT_OF_MEMORY &&
          (failed == GPOOL_GPU_QueueWriteBuffer || failed == GPOOL_GPU_QueueWriteTexture)));
    if (lost && !may_be_lost) {
        fault_problem(w, "the pool takes its device for lost");
    } else if (lost) {
        sweep_after_loss(entry, w);
    } else {
        sweep_after_fault(entry, w);
    }
    sweep_check_pool(w);
    return hits > 0;
}

static bool sweep_run(const fault_entry *entry, const fault_point *point, fault_totals *totals)
{
    static fault_world w;
    w = (fault_world){ .point = *point };
    fault_print_point(entry->name, point, sweep_now, sizeof sweep_now);
    (void)signal(SIGALRM, sweep_on_alarm);
    (void)alarm(SWEEP_SECONDS);
    bool hit = sweep_run_world(entry, &w);
    fault_close(&w);
    (void)alarm(0);
    if (w.problems > 0) {
        (void)printf("  %llu problems: %s\n", (unsigned long long)w.problems, sweep_now);
        (void)fflush(stdout);
    }
    totals->problems += w.problems > 0;
    totals->points += hit;
    totals->allocations += hit && point->target == FAULT_ALLOCATION;
    if (hit && point->target == FAULT_CALL) {
        totals->calls[point->way] += 1;
    }
    return hit;
}

bool fault_run(const fault_entry *entry, const fault_point *point, fault_totals *totals)
{
    static fault_point clean;
    static const fault_entry *clean_entry;
    if (entry != clean_entry || point->personality != clean.personality ||
        point->delivery != clean.delivery || point->errors != clean.errors) {
        clean_entry = entry;
        clean = (fault_point){ .personality = point->personality,
                               .delivery = point->delivery,
                               .errors = point->errors };
        (void)sweep_run(entry, &clean, totals);
    }
    return sweep_run(entry, point, totals);
}

/* --- all points --- */

/* One column of the sweep: k = 1, 2, ... until a run is clean. */
typedef struct sweep_plan {
    fault_point point;
    uint32_t personalities; /* 1 = wgpu-native alone, 2 = Dawn too */
} sweep_plan;

static const sweep_plan sweep_plans[] = {
    { { .target = FAULT_ALLOCATION }, 1 },
    { { .target = FAULT_ALLOCATION, .for_ever = true }, 1 },
    { { .target = FAULT_CALL, .way = SIM_FAIL_NULL }, 2 },
    { { .target = FAULT_CALL, .way = SIM_FAIL_NULL, .for_ever = true }, 2 },
    { { .target = FAULT_CALL, .way = SIM_FAIL_VALIDATION }, 2 },
    { { .target = FAULT_CALL, .way = SIM_FAIL_VALIDATION, .for_ever = true }, 2 },
    { { .target = FAULT_CALL, .way = SIM_FAIL_OUT_OF_MEMORY }, 2 },
    { { .target = FAULT_CALL, .way = SIM_FAIL_OUT_OF_MEMORY, .for_ever = true }, 2 },
    /* A loss is for ever anyway. */
    { { .target = FAULT_CALL, .way = SIM_FAIL_LOST }, 2 },
    /* Where errors do not come inside the call, error scopes take them. */
    { { .target = FAULT_CALL, .way = SIM_FAIL_VALIDATION, .errors = SIM_ERRORS_SWALLOWED }, 2 },
};

void fault_sweep(const fault_entry *entry, const fault_point *manner, fault_totals *totals)
{
    for (size_t i = 0; i < sizeof sweep_plans / sizeof *sweep_plans; ++i) {
        for (uint32_t personality = 0; personality < sweep_plans[i].personalities; ++personality) {
            fault_point point = sweep_plans[i].point;
            point.personality = (sim_personality)personality;
            point.delivery = manner->delivery != 0 ? manner->delivery : point.delivery;
            point.errors = manner->errors != 0 ? manner->errors : point.errors;
            do {
                point.number += 1;
            } while (fault_run(entry, &point, totals) && totals->problems < 40);
        }
    }
}
