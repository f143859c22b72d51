/*
 * What driver blobs save at the second start: this program runs itself, first with an empty store, then
 * with the same one again. Each child makes 64 compute pipelines that no process has ever made; the time
 * is from the first create to the last one ready. The driver's own disk cache is off in the children.
 */
#if !defined(_XOPEN_SOURCE)
#define _XOPEN_SOURCE 700 /* mkdtemp(), nftw(), setenv() */
#endif
#include "bench_blobs.h"

#include "bench_gpu.h"

#include <ftw.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BLOBS_PIPELINES 64u
#define BLOBS_PAIRS     5u
#define BLOBS_TIMEOUT   UINT64_C(120000000000)
#define BLOBS_SOURCE    16384u

/* What a child tells. */
typedef struct blobs_told {
    uint64_t ns;
    uint64_t hits;
    uint64_t misses;
    uint64_t saves;
    uint64_t bytes; /* of hits and saves */
} blobs_told;

/* --- the child --- */

static void blobs_on_log(void *user, const gpool_log_record *record)
{
    (void)user;
    if (record->level == GPOOL_LOG_LEVEL_ERROR) {
        fprintf(stderr, "gpool-bench: %s: %s\n", record->operation, record->message);
    }
}

/*
 * A kernel of few lines over which a driver thinks long: a loop of trigonometry, inlined three times. Its
 * numbers are its own in every pipeline, so that no cache knows it.
 */
static const char blobs_loops[] =
    "@group(0) @binding(0) var<storage, read_write> values: array<vec4f>;\n"
    "fn wave(start: vec4f, rate: f32) -> vec4f {\n"
    "    var a = start;\n"
    "    for (var i = 0; i < 16; i++) {\n"
    "        a = sin(a * rate) + cos(a.yzwx) * f32(i);\n"
    "        if (a.x > 3.0) {\n"
    "            a = normalize(a) * SEED0;\n"
    "        }\n"
    "    }\n"
    "    return a;\n"
    "}\n"
    "@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u,\n"
    "                                     @builtin(local_invocation_index) local: u32) {\n"
    "    var v = values[id.x];\n"
    "    v = wave(v, SEED1) + wave(v.wzyx, 2.0);\n"
    "    v = mix(v, wave(v, 3.5), vec4f(0.5));\n"
    "    values[id.x] = v + vec4f(f32(local));\n"
    "}\n";

/*
 * A shader of 100 lines as programs have them: noise, a distance field, a march through it with shadows.
 * Its numbers are its own in every pipeline, so that no cache knows it.
 */
static const char blobs_march[] =
    "struct Scene {\n"
    "    size: vec2u,\n"
    "    time: f32,\n"
    "    steps: u32,\n"
    "}\n"
    "@group(0) @binding(0) var<storage, read_write> pixels: array<u32>;\n"
    "@group(0) @binding(1) var<uniform> scene: Scene;\n"
    "\n"
    "fn hash(p: vec3f) -> f32 {\n"
    "    let q = fract(p * vec3f(SEED0, SEED1, SEED2));\n"
    "    return fract(dot(q, q.yzx + SEED3) * q.x);\n"
    "}\n"
    "\n"
    "fn noise(p: vec3f) -> f32 {\n"
    "    let i = floor(p);\n"
    "    let f = fract(p);\n"
    "    let u = f * f * (3.0 - 2.0 * f);\n"
    "    var sum = 0.0;\n"
    "    for (var c = 0u; c < 8u; c++) {\n"
    "        let o = vec3f(f32(c & 1u), f32((c >> 1u) & 1u), f32(c >> 2u));\n"
    "        let w = mix(1.0 - u, u, o);\n"
    "        sum += hash(i + o) * w.x * w.y * w.z;\n"
    "    }\n"
    "    return sum;\n"
    "}\n"
    "\n"
    "fn fbm(start: vec3f) -> f32 {\n"
    "    var p = start;\n"
    "    var sum = 0.0;\n"
    "    var weight = 0.5;\n"
    "    for (var octave = 0; octave < 5; octave++) {\n"
    "        sum += weight * noise(p);\n"
    "        p = p.yzx * SEED4 + vec3f(1.7, 9.2, 3.1);\n"
    "        weight *= 0.5;\n"
    "    }\n"
    "    return sum;\n"
    "}\n"
    "\n"
    "fn turn(p: vec2f, angle: f32) -> vec2f {\n"
    "    let s = sin(angle);\n"
    "    let c = cos(angle);\n"
    "    return vec2f(c * p.x - s * p.y, s * p.x + c * p.y);\n"
    "}\n"
    "\n"
    "fn distance_to(point: vec3f) -> f32 {\n"
    "    var p = point;\n"
    "    var best = p.y + 1.0 + 0.3 * fbm(p * 0.7);\n"
    "    for (var i = 0; i < 4; i++) {\n"
    "        let xz = turn(p.xz, SEED5 + scene.time);\n"
    "        p = vec3f(abs(xz.x) - 0.6, p.y - 0.2, xz.y);\n"
    "        let box = abs(p) - vec3f(0.3, SEED6, 0.3);\n"
    "        let outside = length(max(box, vec3f(0.0)));\n"
    "        best = min(best, outside + min(max(box.x, max(box.y, box.z)), 0.0));\n"
    "    }\n"
    "    return best;\n"
    "}\n"
    "\n"
    "fn normal_at(p: vec3f) -> vec3f {\n"
    "    let e = vec2f(0.001, 0.0);\n"
    "    let x = distance_to(p + e.xyy) - distance_to(p - e.xyy);\n"
    "    let y = distance_to(p + e.yxy) - distance_to(p - e.yxy);\n"
    "    let z = distance_to(p + e.yyx) - distance_to(p - e.yyx);\n"
    "    return normalize(vec3f(x, y, z));\n"
    "}\n"
    "\n"
    "fn shadow(origin: vec3f, to_light: vec3f) -> f32 {\n"
    "    var lit = 1.0;\n"
    "    var t = 0.02;\n"
    "    for (var i = 0; i < 24; i++) {\n"
    "        let d = distance_to(origin + to_light * t);\n"
    "        lit = min(lit, 8.0 * d / t);\n"
    "        t += clamp(d, 0.02, 0.3);\n"
    "    }\n"
    "    return clamp(lit, 0.0, 1.0);\n"
    "}\n"
    "\n"
    "@compute @workgroup_size(8, 8) fn main(@builtin(global_invocation_id) id: vec3u) {\n"
    "    if (any(id.xy >= scene.size)) {\n"
    "        return;\n"
    "    }\n"
    "    let uv = (vec2f(id.xy) * 2.0 - vec2f(scene.size)) / f32(scene.size.y);\n"
    "    let ray = normalize(vec3f(uv, SEED7));\n"
    "    var p = vec3f(0.0, 0.5, -4.0);\n"
    "    var travelled = 0.0;\n"
    "    for (var i = 0u; i < scene.steps; i++) {\n"
    "        let d = distance_to(p);\n"
    "        if (d < 0.001 || travelled > 40.0) {\n"
    "            break;\n"
    "        }\n"
    "        p += ray * d;\n"
    "        travelled += d;\n"
    "    }\n"
    "    let n = normal_at(p);\n"
    "    let to_light = normalize(vec3f(0.4, 0.8, -0.3));\n"
    "    let light = max(dot(n, to_light), 0.0) * shadow(p + n * 0.01, to_light);\n"
    "    let fog = exp(-0.08 * travelled);\n"
    "    let color = mix(vec3f(0.5, 0.6, 0.7), vec3f(light) + 0.1 * fbm(p * 3.0), fog);\n"
    "    pixels[id.y * scene.size.x + id.x] = pack4x8unorm(vec4f(color, 1.0));\n"
    "}\n";

/* Writes the shader with numbers in place of SEED0 to SEED7. */
static void blobs_write_source(char *source, bool march, uint64_t *random)
{
    size_t used = 0;
    const char *rest = march ? blobs_march : blobs_loops;
    for (const char *mark = strstr(rest, "SEED"); mark != NULL; mark = strstr(rest, "SEED")) {
        const unsigned number = (unsigned)(bench_random(random) % 10000000u);
        used += (size_t)snprintf(source + used, BLOBS_SOURCE - used, "%.*s1.%07u",
                                 (int)(mark - rest), rest, number);
        rest = mark + 5;
    }
    (void)snprintf(source + used, BLOBS_SOURCE - used, "%s", rest);
}

static void blobs_make_pipelines(gpool *pool, bool march, uint32_t count, uint64_t salt,
                                 blobs_told *told)
{
    static char sources[BLOBS_PIPELINES][BLOBS_SOURCE];
    gpool_pipeline pipelines[BLOBS_PIPELINES];
    for (uint32_t i = 0; i < count; ++i) {
        blobs_write_source(sources[i], march, &salt);
    }
    const uint64_t begin = bench_wall_ns();
    for (uint32_t i = 0; i < count; ++i) {
        gpool_shader shader = gpool_shader_create(pool, &(gpool_shader_desc){ .wgsl = sources[i] });
        pipelines[i] =
            gpool_compute_pipeline_create(pool, &(gpool_compute_pipeline_desc){ .shader = shader });
    }
    for (uint32_t i = 0; i < count; ++i) {
        bench_require(gpool_pipeline_wait(pool, pipelines[i], BLOBS_TIMEOUT) == GPOOL_OK,
                      "a pipeline failed");
    }
    told->ns = bench_wall_ns() - begin;
}

int bench_blobs_child(const char *folder, const char *salt, const char *what, const char *count)
{
    gpool_store *store = NULL;
    gpool_device *device = NULL;
    gpool *pool = NULL;
    blobs_told told = { 0 };
    gpool_blob_stats stats;
    const uint32_t pipelines = (uint32_t)strtoul(count, NULL, 10);
    bench_require(pipelines > 0 && pipelines <= BLOBS_PIPELINES, "a child of the bench is lost");
    bench_require(gpool_store_open(&(gpool_store_desc){ .directory = folder }, &store) == GPOOL_OK,
                  "no store");
    const gpool_device_desc desc = { .adapter = bench_gpu_adapter(),
                                     .blobs = store,
                                     .log = blobs_on_log };
    bench_require(gpool_device_open(&desc, &device) == GPOOL_OK, "no device");
    bench_require(gpool_create(device, &(gpool_desc){ .log = blobs_on_log }, &pool) == GPOOL_OK,
                  "no pool");
    blobs_make_pipelines(pool, strcmp(what, "march") == 0, pipelines, strtoull(salt, NULL, 10),
                         &told);
    bench_require(gpool_device_get_blob_stats(device, &stats) == GPOOL_OK, "no counters");
    printf("%" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", told.ns, stats.hits,
           stats.misses, stats.saves, stats.hit_bytes + stats.save_bytes);
    gpool_destroy(pool);
    gpool_device_release(device);
    gpool_store_close(store);
    return 0;
}

/* --- the parent --- */

static blobs_told blobs_run_child(const char *folder, uint64_t salt, bool march, uint32_t count)
{
    char salt_text[24];
    char count_text[12];
    (void)snprintf(salt_text, sizeof salt_text, "%" PRIu64, salt);
    (void)snprintf(count_text, sizeof count_text, "%u", (unsigned)count);
    int ends[2];
    bench_require(pipe(ends) == 0, "no pipe");
    (void)fflush(NULL);
    const pid_t child = fork();
    if (child == 0) {
        (void)dup2(ends[1], STDOUT_FILENO);
        (void)close(ends[0]);
        (void)close(ends[1]);
        (void)setenv("__GL_SHADER_DISK_CACHE", "0", 1);
        (void)setenv("MESA_SHADER_CACHE_DISABLE", "true", 1);
        (void)execl("/proc/self/exe", "gpool-bench", BENCH_BLOBS_CHILD, folder, salt_text,
                    march ? "march" : "loops", count_text, (char *)NULL);
        _exit(127);
    }
    (void)close(ends[1]);
    blobs_told told = { 0 };
    FILE *answer = child > 0 ? fdopen(ends[0], "r") : NULL;
    const bool read =
        answer != NULL && fscanf(answer, "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64,
                                 &told.ns, &told.hits, &told.misses, &told.saves, &told.bytes) == 5;
    int status = -1;
    bench_require(read && waitpid(child, &status, 0) == child && status == 0 && fclose(answer) == 0,
                  "a child of the bench failed");
    return told;
}

static int blobs_remove_one(const char *path, const struct stat *state, int type, struct FTW *place)
{
    (void)state;
    (void)type;
    (void)place;
    return remove(path);
}

/* An empty store, a first process and a second one. */
static void blobs_run_pair(uint64_t salt, bool march, uint32_t count, blobs_told *first,
                           blobs_told *second)
{
    const char *parent = getenv("TMPDIR");
    char folder[128];
    (void)snprintf(folder, sizeof folder, "%.90s/gpool-bench-XXXXXX",
                   parent != NULL ? parent : "/tmp");
    bench_require(mkdtemp(folder) != NULL, "no folder");
    *first = blobs_run_child(folder, salt, march, count);
    *second = blobs_run_child(folder, salt, march, count);
    (void)nftw(folder, blobs_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

void bench_blobs_second_process(bench_run *run, bench_row *row, uint64_t argument)
{
    const bench_gpu *gpu = bench_gpu_open(row);
    if (gpu == NULL) {
        return;
    }
    gpool_device_info info;
    bench_require(gpool_device_get_info(gpu->device, &info) == GPOOL_OK, "there is no device");
    const uint32_t count = run->quick ? 2 : BLOBS_PIPELINES;
    const bool march = argument != 0;
    double ours[BLOBS_PAIRS];
    double peer[BLOBS_PAIRS];
    double ratios[BLOBS_PAIRS];
    blobs_told first = { 0 };
    blobs_told second = { 0 };
    double misses = 0;
    double without = 0;
    row->pairs = run->quick || run->counted != NULL ? 1 : BLOBS_PAIRS;
    for (uint32_t i = 0; i < row->pairs; ++i) {
        /* No run before this one had the same shaders. */
        const uint64_t salt = (uint64_t)time(NULL) * 1000003u + bench_wall_ns() + i;
        blobs_run_pair(salt, march, count, &first, &second);
        ours[i] = (double)second.ns * 1e-6;
        peer[i] = (double)first.ns * 1e-6;
        ratios[i] = peer[i] / ours[i];
        misses += (double)second.misses;
        without += second.hits == 0;
    }
    row->ours = bench_spread_of(ours, row->pairs);
    row->peer = "first process";
    row->peer_spread = bench_spread_of(peer, row->pairs);
    row->ratio = row->peer_spread.median / row->ours.median;
    const bench_spread spread = bench_spread_of(ratios, row->pairs);
    row->ratio_p10 = spread.p10;
    row->ratio_p90 = spread.p90;
    if (!info.translated || gpu->place != BENCH_PLACE_HARDWARE) {
        row->bar.kind = BENCH_BAR_NONE; /* no blobs, or a driver that has little to save */
    }
    bench_add_counter(row, "pipelines", count);
    bench_add_counter(row, "blobs_of_the_first", (double)first.saves);
    bench_add_counter(row, "hits_of_the_second", (double)second.hits);
    bench_add_counter(row, "blob_bytes", (double)second.bytes);
    if (info.translated) {
        bench_add_limited(row, "misses_of_the_second", misses, 0);
        bench_add_limited(row, "pairs_without_a_hit", without, 0);
    }
}
