#define _POSIX_C_SOURCE 200809L

#include "bench.h"
#include "bench_blobs.h"
#include "bench_calibrate.h"
#include "bench_gpu.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct bench_case {
    const char *name;
    const char *unit;
    bench_case_fn run;
    uint64_t argument;
    bench_bar bar;
} bench_case;

#define RATIO_LEAST(x)                                                                             \
    {                                                                                              \
        BENCH_BAR_RATIO_LEAST, x                                                                   \
    }
#define OURS_MOST(x)                                                                               \
    {                                                                                              \
        BENCH_BAR_OURS_MOST, x                                                                     \
    }
#define OURS_LEAST(x)                                                                              \
    {                                                                                              \
        BENCH_BAR_OURS_LEAST, x                                                                    \
    }
#define NO_BAR                                                                                     \
    {                                                                                              \
        BENCH_BAR_NONE, 0                                                                          \
    }

static const bench_case main_cases[] = {
#define BENCH_X(name, unit, function, argument, bar) { name, unit, function, argument, bar },
    BENCH_CASES(BENCH_X)
#undef BENCH_X
};

#define MAIN_CASE_COUNT (sizeof main_cases / sizeof main_cases[0])

typedef struct main_options {
    bench_run run;
    const char *wanted; /* NULL = all cases */
    const char *json;   /* NULL = none, "-" = stdout */
    const char *webgpu; /* NULL = as the environment says */
    const char *gpu_adapter;
    bool list;
    bool help;
    bool calibrate;
} main_options;

static void main_help(void)
{
    puts(
        "usage: gpool-bench [options]\n"
        "  --list          print the names of the cases\n"
        "  --case NAME     run the case NAME and all that begin with NAME/; 'NAME.' runs a family\n"
        "  --json FILE     write one object a row; - is stdout\n"
        "  --pairs N       alternating pairs of a timed case (31)\n"
        "  --instructions  count instructions too, with valgrind's callgrind\n"
        "  --webgpu NAME   run on wgpu or dawn, through scripts/run-gpu, as `make bench` does\n"
        "  --adapter NAME  with it: any (the default), software or hardware\n"
        "  --calibrate     print what sending costs on this device, as gpool_upload_costs in C\n"
        "  --quick         everything small, one pair; times are not judged\n"
        "  --help          print this\n"
        "Ends with 0 when every bar is met, with 1 when one is missed, with 2 when it cannot run.");
}

/* Parses the arguments; false with a message when they make no sense. */
static bool main_parse(int argc, char **argv, main_options *options)
{
    *options = (main_options){ .run = { .pairs = 31 } };
    for (int i = 1; i < argc; ++i) {
        const char *name = argv[i];
        if (strcmp(name, "--list") == 0) {
            options->list = true;
        } else if (strcmp(name, "--help") == 0) {
            options->help = true;
        } else if (strcmp(name, "--calibrate") == 0) {
            options->calibrate = true;
        } else if (strcmp(name, "--instructions") == 0) {
            options->run.instructions = true;
        } else if (strcmp(name, "--quick") == 0) {
            options->run.quick = true;
            options->run.pairs = 1;
        } else if (i + 1 < argc && strcmp(name, "--case") == 0) {
            options->wanted = argv[++i];
        } else if (i + 1 < argc && strcmp(name, "--json") == 0) {
            options->json = argv[++i];
        } else if (i + 1 < argc && strcmp(name, "--counted") == 0) {
            options->run.counted = argv[++i]; /* what --instructions runs under valgrind */
        } else if (i + 1 < argc && strcmp(name, "--webgpu") == 0) {
            options->webgpu = argv[++i];
        } else if (i + 1 < argc && strcmp(name, "--adapter") == 0) {
            options->gpu_adapter = argv[++i];
        } else if (i + 1 < argc && strcmp(name, "--pairs") == 0) {
            char *end = NULL;
            const unsigned long pairs = strtoul(argv[++i], &end, 10);
            if (*end != '\0' || pairs < 1 || pairs > 100000) {
                fprintf(stderr, "gpool-bench: --pairs [%s] is no number from 1 to 100000\n",
                        argv[i]);
                return false;
            }
            options->run.pairs = (unsigned)pairs;
        } else {
            fprintf(stderr, "gpool-bench: the option [%s] is unknown or lacks its value\n", name);
            return false;
        }
    }
    return true;
}

/* Runs this program again under scripts/run-gpu, which names library, adapter and drivers in the
 * environment; returns only when that fails. */
static void main_run_under(const main_options *options, int argc, char **argv)
{
    char **arguments = bench_alloc((size_t)argc + 6, sizeof *arguments);
    const char *const before[] = { GPOOL_BENCH_RUN_GPU, options->webgpu,
                                   options->gpu_adapter != NULL ? options->gpu_adapter : "any",
                                   "--" };
    size_t count = 0;
    for (; count < sizeof before / sizeof before[0]; ++count) {
        arguments[count] = (char *)before[count];
    }
    for (int i = 0; i < argc; ++i) {
        if (strcmp(argv[i], "--webgpu") == 0 || strcmp(argv[i], "--adapter") == 0) {
            i += 1;
        } else {
            arguments[count++] = argv[i];
        }
    }
    (void)execv(GPOOL_BENCH_RUN_GPU, arguments);
    fprintf(stderr, "gpool-bench: [%s] cannot be run\n", GPOOL_BENCH_RUN_GPU);
    free(arguments);
}

static bool main_is_wanted(const main_options *options, const char *name)
{
    if (options->wanted == NULL) {
        return true;
    }
    const size_t length = strlen(options->wanted);
    if (options->run.counted != NULL) {
        return strcmp(options->wanted, name) == 0;
    }
    return strncmp(options->wanted, name, length) == 0 &&
           (name[length] == '\0' || name[length] == '/' || (length > 0 && name[length - 1] == '.'));
}

static bool main_write_json(const char *path, const bench_row *rows, size_t count)
{
    if (strcmp(path, "-") == 0) {
        bench_print_json(stdout, rows, count);
        return true;
    }
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        fprintf(stderr, "gpool-bench: the file [%s] cannot be written\n", path);
        return false;
    }
    bench_print_json(file, rows, count);
    const bool good = ferror(file) == 0;
    return fclose(file) == 0 && good;
}

static void main_run(bench_run *run, const bench_case *each, bench_row *row)
{
    *row = (bench_row){
        .name = each->name,
        .unit = each->unit,
        .bar = each->bar,
        .ratio = NAN,
        .ratio_p10 = NAN,
        .ratio_p90 = NAN,
        .quick = run->quick,
        .adapter = "none",
        .implementation = "none",
        .our_instructions = NAN,
        .peer_instructions = NAN,
    };
    run->case_name = each->name;
    each->run(run, row, each->argument);
}

int main(int argc, char **argv)
{
    static bench_row rows[MAIN_CASE_COUNT];
    main_options options;
    if (argc == 6 && strcmp(argv[1], BENCH_BLOBS_CHILD) == 0) {
        return bench_blobs_child(argv[2], argv[3], argv[4], argv[5]);
    }
    if (!main_parse(argc, argv, &options)) {
        return 2;
    }
    if (options.help) {
        main_help();
        return 0;
    }
    if (options.webgpu != NULL) {
        main_run_under(&options, argc, argv);
        return 2;
    }
    if (options.calibrate) {
        const bool done = bench_calibrate(stdout);
        bench_gpu_close();
        return done ? 0 : 2;
    }
    const bool json_to_stdout = options.json != NULL && strcmp(options.json, "-") == 0;
    FILE *text = json_to_stdout ? stderr : stdout;
    size_t count = 0;
    bool missed = false;
    for (size_t i = 0; i < MAIN_CASE_COUNT; ++i) {
        const bench_case *each = &main_cases[i];
        if (!main_is_wanted(&options, each->name)) {
            continue;
        }
        bench_row *row = &rows[count++];
        if (options.list) {
            puts(each->name);
            continue;
        }
        main_run(&options.run, each, row);
        if (options.run.counted == NULL) {
            if (count == 1) {
                bench_print_heading(text);
            }
            bench_print_row(text, row);
            (void)fflush(text);
            missed = missed || bench_judge(row) == BENCH_MISSED;
        }
    }
    if (count == 0) {
        fprintf(stderr, "gpool-bench: no case is named [%s]; see --list\n", options.wanted);
        return 2;
    }
    /* Rows name the device that is closed then. */
    const bool written =
        options.json == NULL || options.list || main_write_json(options.json, rows, count);
    bench_gpu_close();
    if (!written) {
        return 2;
    }
    return missed ? 1 : 0;
}
