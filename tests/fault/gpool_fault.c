/*
 * gpool-fault: the fault sweep of one scenario or of all, or one point of it.
 *
 *   gpool-fault                     sweeps all scenarios
 *   gpool-fault --list              names them
 *   gpool-fault --scenario NAME     sweeps one
 *     --allocation K                ... or lets allocation K fail,
 *     --call K --way WAY            or call K into webgpu.h: null, validation, memory or lost
 *     --forever                     and all after it
 *     --personality wgpu|dawn  --delivery poll|inline|thread  --errors inline|late|swallowed
 *
 * With GPOOL_FAULT_TRACE set, log records are printed.
 */
#include "fault.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Place of a word in a list that ends with NULL; -1 when it is not there. */
static int fault_choice(const char *word, const char *const *words)
{
    for (int i = 0; words[i] != NULL; ++i) {
        if (strcmp(words[i], word) == 0) {
            return i;
        }
    }
    (void)fprintf(stderr, "\"%s\" is not one of the choices\n", word);
    return -1;
}

typedef struct fault_arguments {
    const char *scenario;
    bool list;
    fault_point point;
} fault_arguments;

static bool fault_parse_pair(fault_arguments *arguments, const char *name, const char *value)
{
    static const char *const ways[] = { "null", "validation", "memory", "lost", NULL };
    static const char *const personalities[] = { "wgpu", "dawn", NULL };
    static const char *const deliveries[] = { "poll", "inline", "thread", NULL };
    static const char *const errors[] = { "inline", "late", "swallowed", NULL };
    fault_point *point = &arguments->point;
    int choice = 0;
    if (strcmp(name, "--scenario") == 0) {
        arguments->scenario = value;
    } else if (strcmp(name, "--allocation") == 0 || strcmp(name, "--call") == 0) {
        point->target = name[2] == 'a' ? FAULT_ALLOCATION : FAULT_CALL;
        point->number = strtoull(value, NULL, 0);
    } else if (strcmp(name, "--way") == 0) {
        choice = fault_choice(value, ways);
        point->way = (sim_way)choice;
    } else if (strcmp(name, "--personality") == 0) {
        choice = fault_choice(value, personalities);
        point->personality = (sim_personality)choice;
    } else if (strcmp(name, "--delivery") == 0) {
        choice = fault_choice(value, deliveries);
        point->delivery = (sim_delivery)choice;
    } else if (strcmp(name, "--errors") == 0) {
        choice = fault_choice(value, errors);
        point->errors = (sim_errors)choice;
    } else {
        (void)fprintf(stderr, "unknown argument \"%s\"\n", name);
        choice = -1;
    }
    return choice >= 0;
}

static bool fault_parse(int argc, char **argv, fault_arguments *arguments)
{
    for (int i = 1; i < argc; ++i) {
        if (strcmp(argv[i], "--list") == 0) {
            arguments->list = true;
        } else if (strcmp(argv[i], "--forever") == 0) {
            arguments->point.for_ever = true;
        } else if (i + 1 == argc || !fault_parse_pair(arguments, argv[i], argv[i + 1])) {
            return false;
        } else {
            i += 1;
        }
    }
    return true;
}

static void fault_add(fault_totals *all, const fault_totals *one)
{
    all->allocations += one->allocations;
    for (int way = 0; way < SIM_WAY_COUNT; ++way) {
        all->calls[way] += one->calls[way];
    }
    all->points += one->points;
    all->problems += one->problems;
}

static void fault_print(const char *name, const fault_totals *totals)
{
    (void)printf("%-12s %6llu points: %llu allocations; calls: %llu null, %llu validation, %llu "
                 "memory, %llu lost\n",
                 name, (unsigned long long)totals->points, (unsigned long long)totals->allocations,
                 (unsigned long long)totals->calls[SIM_FAIL_NULL],
                 (unsigned long long)totals->calls[SIM_FAIL_VALIDATION],
                 (unsigned long long)totals->calls[SIM_FAIL_OUT_OF_MEMORY],
                 (unsigned long long)totals->calls[SIM_FAIL_LOST]);
    (void)fflush(stdout);
}

int main(int argc, char **argv)
{
    fault_arguments arguments = { 0 };
    if (!fault_parse(argc, argv, &arguments)) {
        return 2;
    }
    fault_totals all = { 0 };
    uint32_t count = 0;
    for (const fault_entry *entry = fault_entries(); entry != NULL; entry = entry->next) {
        if (arguments.scenario != NULL && strcmp(arguments.scenario, entry->name) != 0) {
            continue;
        }
        count += 1;
        fault_totals totals = { 0 };
        if (arguments.list) {
            (void)printf("%s\n", entry->name);
        } else if (arguments.point.target != FAULT_NOTHING) {
            (void)printf("%s\n", fault_run(entry, &arguments.point, &totals)
                                     ? "the fault happened"
                                     : "the fault did not happen");
        } else {
            fault_sweep(entry, &arguments.point, &totals);
            fault_print(entry->name, &totals);
        }
        fault_add(&all, &totals);
    }
    if (count == 0) {
        (void)fprintf(stderr, "no scenario \"%s\"; --list names them\n", arguments.scenario);
        return 2;
    }
    if (count > 1 && !arguments.list) {
        fault_print("all", &all);
    }
    return all.problems == 0 ? 0 : 1;
}
