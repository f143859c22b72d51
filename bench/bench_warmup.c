/*
 * Pipelines compiled ahead by 1 to 8 workers: the time from the first create until the last is ready, for
 * as many threads by what is gained of what they could gain at most, time(1) / (T time(T)). The peer is
 * as many raw threads that call the implementation.
 *
 * `/asleep` runs on the simulator, where a module takes 1 ms and a pipeline 16 ms of sleep: what gpool's
 * own queue leaves of the gain, on any machine.
 *
 * No two pipelines of the run, or of another run, are alike. The owner only asks how they are, so that it
 * compiles none itself. What a driver can gain depends on the cores: where a machine has fewer than two
 * for each worker, or compiles in software, the row is measured and not judged.
 */
#define _GNU_SOURCE /* sched_getaffinity() */

#include "bench_shader.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define WARMUP_QUICK    6u
#define WARMUP_STEPS    4u /* 1, 2, 4 and 8 workers */
#define WARMUP_THREADS  (1u << (WARMUP_STEPS - 1))
#define WARMUP_ROUNDS   5u
#define WARMUP_PAUSE_NS 20000

#define WARMUP_MODULE_NS   1000000
#define WARMUP_PIPELINE_NS 16000000

typedef struct warmup_state {
    bench_gpu *gpu; /* NULL = the simulator */
    gpool_device *device;
    uint32_t count; /* pipelines of a sample */
    char (*sources)[BENCH_WGSL_SIZE];
    size_t *lengths;
    uint32_t octaves;
    atomic_uint next; /* of the peer's threads */
    uint64_t not_made;
    double create_ms; /* of the newest sample: the owner's part */
} warmup_state;

static void warmup_fill(warmup_state *s)
{
    for (uint32_t i = 0; i < s->count; ++i) {
        s->lengths[i] = bench_wgsl_compute(s->sources[i], bench_wgsl_salt(), s->octaves);
    }
}

static double warmup_ms_since(uint64_t begin)
{
    return (double)(bench_wall_ns() - begin) / 1e6;
}

static void warmup_await(warmup_state *s, gpool *pool, gpool_pipeline pipeline)
{
    const struct timespec pause = { 0, WARMUP_PAUSE_NS };
    gpool_result status = gpool_pipeline_status(pool, pipeline);
    while (status == GPOOL_NOT_READY) {
        (void)nanosleep(&pause, NULL);
        status = gpool_pipeline_status(pool, pipeline);
    }
    s->not_made += status != GPOOL_OK;
}

static double warmup_ours(warmup_state *s, uint32_t threads)
{
    gpool *pool = NULL;
    gpool_pipeline *pipelines = bench_alloc(s->count, sizeof *pipelines);
    gpool_shader *shaders = bench_alloc(s->count, sizeof *shaders);
    const gpool_desc desc = { .compile_workers = threads };
    warmup_fill(s);
    bench_require(gpool_create(s->device, &desc, &pool) == GPOOL_OK, "there is no pool");
    const uint64_t begin = bench_wall_ns();
    for (uint32_t i = 0; i < s->count; ++i) {
        shaders[i] = gpool_shader_create(pool, &(gpool_shader_desc){ .wgsl = s->sources[i] });
        const gpool_compute_pipeline_desc each = { .shader = shaders[i] };
        pipelines[i] = gpool_compute_pipeline_create(pool, &each);
    }
    s->create_ms = warmup_ms_since(begin);
    for (uint32_t i = 0; i < s->count; ++i) {
        warmup_await(s, pool, pipelines[i]);
    }
    const double taken = warmup_ms_since(begin);
    s->not_made += s->count - bench_sim_stats(pool).pipeline_misses;
    for (uint32_t i = 0; i < s->count; ++i) {
        (void)gpool_pipeline_destroy(pool, pipelines[i]);
        (void)gpool_shader_destroy(pool, shaders[i]);
    }
    gpool_destroy(pool);
    free(pipelines);
    free(shaders);
    return taken;
}

static void warmup_raw(const warmup_state *s, uint32_t i)
{
    const gpool_gpu *table = s->gpu->table;
    WGPUShaderSourceWGSL wgsl = { .chain = { .sType = WGPUSType_ShaderSourceWGSL },
                                  .code = { s->sources[i], s->lengths[i] } };
    const WGPUShaderModuleDescriptor desc = { .nextInChain = &wgsl.chain };
    WGPUShaderModule module = table->DeviceCreateShaderModule(s->gpu->raw, &desc);
    const WGPUComputePipelineDescriptor each = {
        .compute = { .module = module, .entryPoint = { "main", WGPU_STRLEN } }
    };
    WGPUComputePipeline pipeline = table->DeviceCreateComputePipeline(s->gpu->raw, &each);
    bench_require(pipeline != NULL, "a pipeline is not made");
    table->ComputePipelineRelease(pipeline);
    table->ShaderModuleRelease(module);
}

static void *warmup_thread(void *state)
{
    warmup_state *s = state;
    uint32_t i = atomic_fetch_add(&s->next, 1);
    while (i < s->count) {
        warmup_raw(s, i);
        i = atomic_fetch_add(&s->next, 1);
    }
    return NULL;
}

static double warmup_peer(warmup_state *s, uint32_t threads)
{
    pthread_t started[WARMUP_THREADS];
    warmup_fill(s);
    atomic_store(&s->next, 0);
    const uint64_t begin = bench_wall_ns();
    for (uint32_t i = 0; i < threads; ++i) {
        bench_require(pthread_create(&started[i], NULL, warmup_thread, s) == 0, "no thread");
    }
    for (uint32_t i = 0; i < threads; ++i) {
        (void)pthread_join(started[i], NULL);
    }
    return warmup_ms_since(begin);
}

static uint32_t warmup_cores(void)
{
    cpu_set_t cores;
    return sched_getaffinity(0, sizeof cores, &cores) == 0 ? (uint32_t)CPU_COUNT(&cores) : 1;
}

/* Why the bar is not judged here, or NULL. */
static const char *warmup_excuse(const bench_gpu *gpu)
{
    static char text[64];
    const uint32_t cores = warmup_cores();
    if (gpu->place != BENCH_PLACE_HARDWARE) {
        (void)snprintf(text, sizeof text, "%u cores, a software adapter", cores);
        return text;
    }
    if (cores < 2 * WARMUP_THREADS) {
        (void)snprintf(text, sizeof text, "%u cores", cores);
        return text;
    }
    return NULL;
}

/* Times of a side, by step and round. */
typedef struct warmup_times {
    double *ms[WARMUP_STEPS];
    double *gain[WARMUP_STEPS]; /* time(1) / (T time(T)) of each round */
    bench_spread spread[WARMUP_STEPS];
    bench_spread part[WARMUP_STEPS];
} warmup_times;

static void warmup_times_init(warmup_times *times, uint32_t rounds)
{
    for (uint32_t i = 0; i < WARMUP_STEPS; ++i) {
        times->ms[i] = bench_alloc(rounds, sizeof(double));
        times->gain[i] = bench_alloc(rounds, sizeof(double));
    }
}

/* The step that gains least of what it could. */
static bench_spread warmup_times_end(warmup_times *times, uint32_t rounds)
{
    bench_spread least = { 0 };
    for (uint32_t i = 0; i < WARMUP_STEPS; ++i) {
        for (uint32_t k = 0; k < rounds; ++k) {
            times->gain[i][k] = times->ms[0][k] / ((double)(1u << i) * times->ms[i][k]);
        }
    }
    for (uint32_t i = 0; i < WARMUP_STEPS; ++i) {
        times->spread[i] = bench_spread_of(times->ms[i], rounds);
        times->part[i] = bench_spread_of(times->gain[i], rounds);
        if (i == 1 || (i > 1 && times->part[i].median < least.median)) {
            least = times->part[i];
        }
        free(times->ms[i]);
        free(times->gain[i]);
    }
    return least;
}

/* `side` 0 = ours, 1 = the peer's. */
static void warmup_report(bench_row *row, int side, const warmup_times *times)
{
    static const char *const ms[2][WARMUP_STEPS] = {
        { "ms_1_worker", "ms_2_workers", "ms_4_workers", "ms_8_workers" },
        { "ms_1_thread", "ms_2_threads", "ms_4_threads", "ms_8_threads" },
    };
    static const char *const part[2][WARMUP_STEPS] = {
        { NULL, "part_2_workers", "part_4_workers", "part_8_workers" },
        { NULL, "part_2_threads", "part_4_threads", "part_8_threads" },
    };
    for (uint32_t i = 0; i < WARMUP_STEPS; ++i) {
        bench_add_counter(row, ms[side][i], times->spread[i].median);
    }
    for (uint32_t i = 1; i < WARMUP_STEPS; ++i) {
        bench_add_counter(row, part[side][i], times->part[i].median);
    }
}

void bench_warmup_threads(bench_run *run, bench_row *row, uint64_t argument)
{
    warmup_state s = { .gpu = bench_gpu_open(row), .count = (uint32_t)argument };
    if (s.gpu == NULL) {
        return;
    }
    s.device = s.gpu->device;
    row->not_judged = warmup_excuse(s.gpu);
    const uint32_t rounds = run->quick || row->not_judged != NULL ? 1 : WARMUP_ROUNDS;
    s.count = run->quick ? WARMUP_QUICK : s.count;
    s.octaves = run->quick ? BENCH_WGSL_QUICK_OCTAVES : BENCH_WGSL_OCTAVES;
    s.sources = bench_alloc(s.count, sizeof *s.sources);
    s.lengths = bench_alloc(s.count, sizeof *s.lengths);
    warmup_times ours;
    warmup_times peer;
    warmup_times_init(&ours, rounds);
    warmup_times_init(&peer, rounds);
    (void)warmup_ours(&s, WARMUP_THREADS); /* threads, and what drivers make once */
    for (uint32_t round = 0; round < rounds; ++round) {
        for (uint32_t i = 0; i < WARMUP_STEPS; ++i) {
            ours.ms[i][round] = warmup_ours(&s, 1u << i);
            peer.ms[i][round] = warmup_peer(&s, 1u << i);
        }
    }
    row->pairs = rounds;
    row->ours = warmup_times_end(&ours, rounds);
    row->peer = "raw threads";
    row->peer_spread = warmup_times_end(&peer, rounds);
    row->ratio = row->peer_spread.median / row->ours.median;
    bench_add_counter(row, "pipelines", s.count);
    bench_add_counter(row, "cores", warmup_cores());
    bench_add_limited(row, "not_made", (double)s.not_made, 0);
    bench_add_counter(row, "ms_of_the_owners_creates", s.create_ms);
    warmup_report(row, 0, &ours);
    warmup_report(row, 1, &peer);
    free(s.sources);
    free(s.lengths);
}

/* --- asleep --- */

static gpool_gpu warmup_real; /* of the simulator */

static WGPUShaderModule warmup_slow_module(WGPUDevice device,
                                           const WGPUShaderModuleDescriptor *desc)
{
    (void)nanosleep(&(struct timespec){ 0, WARMUP_MODULE_NS }, NULL);
    return warmup_real.DeviceCreateShaderModule(device, desc);
}

static WGPUComputePipeline warmup_slow_pipeline(WGPUDevice device,
                                                const WGPUComputePipelineDescriptor *desc)
{
    (void)nanosleep(&(struct timespec){ 0, WARMUP_PIPELINE_NS }, NULL);
    return warmup_real.DeviceCreateComputePipeline(device, desc);
}

static void warmup_slow_down(gpool_gpu *table)
{
    warmup_real = *table;
    table->DeviceCreateShaderModule = warmup_slow_module;
    table->DeviceCreateComputePipeline = warmup_slow_pipeline;
}

void bench_warmup_asleep(bench_run *run, bench_row *row, uint64_t argument)
{
    bench_sim on;
    warmup_state s = { .count = run->quick ? WARMUP_QUICK : (uint32_t)argument };
    const uint32_t rounds = run->quick ? 1 : WARMUP_ROUNDS;
    bench_sim_open_with(&on, warmup_slow_down);
    s.device = on.device;
    s.octaves = BENCH_WGSL_QUICK_OCTAVES;
    s.sources = bench_alloc(s.count, sizeof *s.sources);
    s.lengths = bench_alloc(s.count, sizeof *s.lengths);
    warmup_times ours;
    warmup_times_init(&ours, rounds);
    for (uint32_t round = 0; round < rounds; ++round) {
        for (uint32_t i = 0; i < WARMUP_STEPS; ++i) {
            ours.ms[i][round] = warmup_ours(&s, 1u << i);
        }
    }
    row->pairs = rounds;
    row->ours = warmup_times_end(&ours, rounds);
    bench_add_counter(row, "pipelines", s.count);
    bench_add_limited(row, "not_made", (double)s.not_made, 0);
    warmup_report(row, 0, &ours);
    bench_sim_close(&on, row);
    free(s.sources);
    free(s.lengths);
}
