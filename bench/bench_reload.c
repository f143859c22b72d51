/*
 * A file of 30 changed: what is compiled again is what includes it, and nothing else.
 *
 * 30 shaders with a compute pipeline each; shader i includes the files i, 7i + 3 and 11i + 5, modulo 30.
 * Each file is changed once, by the watcher of the pool that looks every millisecond, and once more by
 * gpool_shader_file_changed(), which waits for no file to settle. A file that is written anew with the
 * same bytes is nothing. Counters say what was compiled; versions of the pipelines, which.
 */
#define _XOPEN_SOURCE 700 /* mkdtemp() */

#include "bench_shader.h"

#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#define RELOAD_FILES    30u
#define RELOAD_INCLUDES 3u
#define RELOAD_PATH     256u
#define RELOAD_WATCH_MS 1u
#define RELOAD_IDLE     20000u /* frames */
#define RELOAD_SAME_MS  400u   /* longer than a file needs to settle */
#define RELOAD_PAUSE_NS 200000u
#define RELOAD_LIMIT_NS 60000000000u

typedef struct reload_state {
    bench_on on;
    gpool *pool;
    char folder[RELOAD_PATH / 2];
    gpool_shader shaders[RELOAD_FILES];
    gpool_pipeline pipelines[RELOAD_FILES];
    uint32_t versions[RELOAD_FILES];
    uint64_t edits;
} reload_state;

/* What changes of files did, in all. */
typedef struct reload_sums {
    uint64_t dependents;
    uint64_t wrong; /* shaders that should have been made again and were not, and the reverse */
    uint64_t shader_misses;
    uint64_t pipeline_misses;
    uint64_t reloads;
    uint64_t changes;
} reload_sums;

static uint32_t reload_include(uint32_t shader, uint32_t which)
{
    static const uint32_t factors[RELOAD_INCLUDES][2] = { { 1, 0 }, { 7, 3 }, { 11, 5 } };
    return (shader * factors[which][0] + factors[which][1]) % RELOAD_FILES;
}

static bool reload_depends(uint32_t shader, uint32_t file)
{
    for (uint32_t i = 0; i < RELOAD_INCLUDES; ++i) {
        if (reload_include(shader, i) == file) {
            return true;
        }
    }
    return false;
}

static void reload_write(const reload_state *s, const char *kind, uint32_t i, const char *text)
{
    char path[RELOAD_PATH];
    (void)snprintf(path, sizeof path, "%s/%s_%02u.wgsl", s->folder, kind, i);
    FILE *file = fopen(path, "w");
    bench_require(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0,
                  "a file cannot be written");
}

/* An included file: a function, with a number that makes it another. */
static void reload_write_file(const reload_state *s, uint32_t i, uint64_t edit)
{
    char text[256];
    (void)snprintf(text, sizeof text,
                   "// Part %u.\n"
                   "fn part_%u(x: f32) -> f32 {\n"
                   "    return sin(x * %u.5) + %llu.0;\n"
                   "}\n",
                   i, i, i, (unsigned long long)edit);
    reload_write(s, "part", i, text);
}

static void reload_write_shader(const reload_state *s, uint32_t i)
{
    char text[1024];
    int length = 0;
    for (uint32_t k = 0; k < RELOAD_INCLUDES; ++k) {
        length += snprintf(text + length, sizeof text - (size_t)length,
                           "#include \"part_%02u.wgsl\"\n", reload_include(i, k));
    }
    (void)snprintf(text + length, sizeof text - (size_t)length,
                   "@group(0) @binding(0) var<storage, read_write> values: array<f32>;\n"
                   "@compute @workgroup_size(64)\n"
                   "fn main(@builtin(global_invocation_id) id: vec3u) {\n"
                   "    let x = values[id.x] + %u.0;\n"
                   "    values[id.x] = part_%u(x) + part_%u(x) + part_%u(x);\n"
                   "}\n",
                   i, reload_include(i, 0), reload_include(i, 1), reload_include(i, 2));
    reload_write(s, "shader", i, text);
}

static void reload_open(reload_state *s, bench_row *row)
{
    const char *parent = getenv("TMPDIR");
    bench_on_open(&s->on, row);
    (void)snprintf(s->folder, sizeof s->folder, "%.60s/gpool-bench-XXXXXX",
                   parent != NULL ? parent : "/tmp");
    bench_require(mkdtemp(s->folder) != NULL, "no folder");
    s->edits = bench_wgsl_salt() % 1000000;
    for (uint32_t i = 0; i < RELOAD_FILES; ++i) {
        reload_write_file(s, i, ++s->edits);
        reload_write_shader(s, i);
    }
}

static void reload_close(reload_state *s, bench_row *row)
{
    for (uint32_t i = 0; i < RELOAD_FILES; ++i) {
        char path[RELOAD_PATH];
        (void)snprintf(path, sizeof path, "%s/part_%02u.wgsl", s->folder, i);
        (void)unlink(path);
        (void)snprintf(path, sizeof path, "%s/shader_%02u.wgsl", s->folder, i);
        (void)unlink(path);
    }
    (void)rmdir(s->folder);
    bench_on_close(&s->on, row);
}

static void reload_make_pool(reload_state *s, uint32_t watch_ms)
{
    const gpool_desc desc = { .shader_watch_ms = watch_ms };
    bench_require(gpool_create(s->on.device, &desc, &s->pool) == GPOOL_OK, "there is no pool");
    for (uint32_t i = 0; i < RELOAD_FILES; ++i) {
        char path[RELOAD_PATH];
        (void)snprintf(path, sizeof path, "%s/shader_%02u.wgsl", s->folder, i);
        s->shaders[i] = gpool_shader_from_file(s->pool, path);
        const gpool_compute_pipeline_desc each = { .shader = s->shaders[i], .label = path };
        s->pipelines[i] = gpool_compute_pipeline_create(s->pool, &each);
    }
    for (uint32_t i = 0; i < RELOAD_FILES; ++i) {
        bench_require(gpool_pipeline_wait(s->pool, s->pipelines[i], RELOAD_LIMIT_NS) == GPOOL_OK,
                      "a pipeline does not compile");
        s->versions[i] = gpool_pipeline_version(s->pool, s->pipelines[i]);
    }
}

static void reload_end_pool(reload_state *s)
{
    for (uint32_t i = 0; i < RELOAD_FILES; ++i) {
        (void)gpool_pipeline_destroy(s->pool, s->pipelines[i]);
        (void)gpool_shader_destroy(s->pool, s->shaders[i]);
    }
    gpool_destroy(s->pool);
}

/* Frames for so long; milliseconds until something is swapped in, 0 when `ns` end before. */
static double reload_frames(reload_state *s, uint64_t ns)
{
    const uint64_t begin = bench_wall_ns();
    const uint64_t reloads = bench_sim_stats(s->pool).reloads;
    uint64_t now = begin;
    while (now - begin < ns) {
        bench_on_frame(s->pool);
        now = bench_wall_ns();
        if (bench_sim_stats(s->pool).reloads != reloads) {
            return (double)(now - begin) / 1e6;
        }
        bench_sleep_until(now + RELOAD_PAUSE_NS);
    }
    return 0;
}

/* Changes a file, tells the pool of it or leaves it to the watcher; milliseconds until the swap. */
static double reload_change(reload_state *s, uint32_t file, bool tells, reload_sums *sums)
{
    const gpool_stats before = bench_sim_stats(s->pool);
    reload_write_file(s, file, ++s->edits);
    if (tells) {
        char path[RELOAD_PATH];
        (void)snprintf(path, sizeof path, "%s/part_%02u.wgsl", s->folder, file);
        bench_require(gpool_shader_file_changed(s->pool, path) == GPOOL_OK, "a file is not known");
    }
    const double ms = reload_frames(s, RELOAD_LIMIT_NS);
    bench_require(ms > 0, "nothing is swapped in");
    const gpool_stats after = bench_sim_stats(s->pool);
    for (uint32_t i = 0; i < RELOAD_FILES; ++i) {
        const uint32_t version = gpool_pipeline_version(s->pool, s->pipelines[i]);
        const bool is_new = version != s->versions[i];
        sums->dependents += reload_depends(i, file);
        sums->wrong += is_new != reload_depends(i, file);
        s->versions[i] = version;
    }
    sums->shader_misses += after.shader_misses - before.shader_misses;
    sums->pipeline_misses += after.pipeline_misses - before.pipeline_misses;
    sums->reloads += after.reloads - before.reloads;
    sums->changes += 1;
    return ms;
}

/* The same bytes written again: nothing is compiled. Returns what is. */
static uint64_t reload_same(reload_state *s)
{
    const gpool_stats before = bench_sim_stats(s->pool);
    reload_write_file(s, 0, ++s->edits);
    (void)reload_frames(s, RELOAD_LIMIT_NS);
    const uint64_t once = bench_sim_stats(s->pool).shader_misses;
    reload_write_file(s, 0, s->edits);
    (void)reload_frames(s, (uint64_t)RELOAD_SAME_MS * 1000000);
    const gpool_stats after = bench_sim_stats(s->pool);
    bench_require(once > before.shader_misses, "a change is not seen");
    return after.shader_misses - once + after.failed_reloads - before.failed_reloads;
}

/* Nanoseconds of an idle frame's begin in a pool of these shaders; `most` = of the longest. */
static double reload_idle(reload_state *s, const bench_run *run, uint32_t watch_ms, double *most)
{
    const uint64_t frames = bench_repeats(run, RELOAD_IDLE);
    uint64_t longest = 0;
    reload_make_pool(s, watch_ms);
    bench_on_frame(s->pool);
    const uint64_t begin = bench_cpu_ns();
    for (uint64_t i = 0; i < frames; ++i) {
        bench_on_frame(s->pool);
    }
    const double each = (double)(bench_cpu_ns() - begin) / (double)frames;
    for (uint64_t i = 0; i < frames; ++i) {
        const uint64_t one = bench_cpu_ns();
        bench_on_frame(s->pool);
        const uint64_t taken = bench_cpu_ns() - one;
        longest = taken > longest ? taken : longest;
    }
    reload_end_pool(s);
    *most = (double)longest;
    return each;
}

static void reload_report_idle(reload_state *s, const bench_run *run, bench_row *row)
{
    double most = 0;
    double none = 0;
    bench_add_counter(row, "ns_of_an_idle_frame", reload_idle(s, run, 0, &none));
    bench_add_counter(row, "ns_with_250_ms_watched", reload_idle(s, run, 250, &none));
    bench_add_counter(row, "ns_with_1_ms_watched", reload_idle(s, run, RELOAD_WATCH_MS, &most));
    bench_add_counter(row, "ns_of_the_longest_then", most);
}

void bench_reload_one(bench_run *run, bench_row *row, uint64_t argument)
{
    (void)argument;
    reload_state *s = bench_alloc(1, sizeof *s);
    reload_sums sums = { 0 };
    double watched[RELOAD_FILES];
    double told[RELOAD_FILES];
    const uint32_t files = run->quick ? 2 : RELOAD_FILES;
    reload_open(s, row);
    reload_make_pool(s, RELOAD_WATCH_MS);
    for (uint32_t i = 0; i < files; ++i) {
        watched[i] = reload_change(s, i, false, &sums);
    }
    const uint64_t of_the_same = reload_same(s);
    reload_end_pool(s);
    reload_make_pool(s, 0);
    for (uint32_t i = 0; i < files; ++i) {
        told[i] = reload_change(s, i, true, &sums);
    }
    reload_end_pool(s);
    bench_set_ours(row, (double)sums.wrong);
    bench_add_counter(row, "changes", (double)sums.changes);
    bench_add_counter(row, "dependents", (double)sums.dependents);
    bench_add_counter(row, "shaders_compiled", (double)sums.shader_misses);
    bench_add_counter(row, "pipelines_compiled", (double)sums.pipeline_misses);
    bench_add_limited(row, "shaders_too_many_or_few",
                      fabs((double)sums.shader_misses - (double)sums.dependents), 0);
    bench_add_limited(row, "pipelines_too_many_or_few",
                      fabs((double)sums.pipeline_misses - (double)sums.dependents), 0);
    bench_add_limited(row, "swaps_too_many_or_few",
                      fabs((double)sums.reloads - (double)sums.changes), 0);
    bench_add_limited(row, "compiled_for_the_same_bytes", (double)of_the_same, 0);
    bench_add_counter(row, "ms_until_swapped_watched", bench_spread_of(watched, files).median);
    bench_add_counter(row, "ms_until_swapped_told", bench_spread_of(told, files).median);
    reload_report_idle(s, run, row);
    reload_close(s, row);
    free(s);
}
