/*
 * A shader made again of a source that the pool knows, against a module made of the source by the
 * implementation; and what it costs to ask by handle.
 *
 * Handles are destroyed and freed by frames between the samples, as their slots would pile up. The peer's
 * source is another one of the same length: Dawn finds a module again that is alive anywhere on its
 * device, and the pool holds those of ours.
 */
#include "bench_shader.h"

#include <stdlib.h>
#include <string.h>

#define HIT_SOURCES 32u  /* in turn; the pool holds a shader of each */
#define HIT_CREATES 512u /* of a sample */
#define HIT_MODULES 8u   /* of a sample */
#define HIT_LOOKS   20000u
#define HIT_FRAMES  5u /* until what was destroyed is freed */
#define HIT_MOST_NS 1000.0
#define HIT_LOOK_NS 20.0

typedef struct hit_state {
    bench_on on;
    gpool *pool;
    char (*sources)[BENCH_WGSL_SIZE];
    size_t lengths[HIT_SOURCES];
    char peer_source[BENCH_WGSL_SIZE];
    size_t peer_length;
    gpool_shader kept[HIT_SOURCES];
    gpool_shader made[HIT_CREATES];
} hit_state;

/* What a pair gives, in nanoseconds an item. */
typedef struct hit_samples {
    double *create;
    double *both;  /* create and destroy */
    double *freed; /* and the frames that free it */
    double *look;
    double *peer;
    double *ratio;
} hit_samples;

static void hit_create(hit_state *s)
{
    for (uint32_t i = 0; i < HIT_CREATES; ++i) {
        const gpool_shader_desc desc = { .wgsl = s->sources[i % HIT_SOURCES] };
        s->made[i] = gpool_shader_create(s->pool, &desc);
    }
}

static void hit_destroy(hit_state *s)
{
    for (uint32_t i = 0; i < HIT_CREATES; ++i) {
        (void)gpool_shader_destroy(s->pool, s->made[i]);
    }
}

static void hit_free(hit_state *s)
{
    for (uint32_t i = 0; i < HIT_FRAMES; ++i) {
        bench_on_frame(s->pool);
    }
}

static void hit_look(hit_state *s)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < HIT_LOOKS; ++i) {
        sum += (uint64_t)gpool_shader_status(s->pool, s->kept[i % HIT_SOURCES]);
    }
    bench_sink += sum;
}

static void hit_raw(const hit_state *s, const char *source, size_t length)
{
    const gpool_gpu *table = s->on.gpu->table;
    WGPUShaderSourceWGSL wgsl = { .chain = { .sType = WGPUSType_ShaderSourceWGSL },
                                  .code = { source, length } };
    const WGPUShaderModuleDescriptor desc = { .nextInChain = &wgsl.chain };
    WGPUShaderModule module = table->DeviceCreateShaderModule(s->on.gpu->raw, &desc);
    bench_require(module != NULL, "a module is not made");
    table->ShaderModuleRelease(module);
}

/* The peer: modules made and released. */
static double hit_sample_peer(const hit_state *s, const char *source, size_t length)
{
    const uint64_t begin = bench_cpu_ns();
    for (uint32_t i = 0; i < HIT_MODULES; ++i) {
        hit_raw(s, source, length);
    }
    return (double)(bench_cpu_ns() - begin) / HIT_MODULES;
}

static void hit_sample(hit_state *s, const hit_samples *samples, unsigned i)
{
    const uint64_t begin = bench_cpu_ns();
    hit_create(s);
    const uint64_t created = bench_cpu_ns();
    hit_destroy(s);
    const uint64_t destroyed = bench_cpu_ns();
    hit_free(s);
    samples->freed[i] = (double)(bench_cpu_ns() - begin) / HIT_CREATES;
    samples->create[i] = (double)(created - begin) / HIT_CREATES;
    samples->both[i] = (double)(destroyed - begin) / HIT_CREATES;
    const uint64_t looks = bench_cpu_ns();
    hit_look(s);
    samples->look[i] = (double)(bench_cpu_ns() - looks) / HIT_LOOKS;
    if (s->on.gpu != NULL) {
        samples->peer[i] = hit_sample_peer(s, s->peer_source, s->peer_length);
        samples->ratio[i] = samples->peer[i] / samples->create[i];
    }
}

static void hit_open(hit_state *s, const bench_run *run, bench_row *row)
{
    bench_on_open(&s->on, row);
    bench_require(gpool_create(s->on.device, NULL, &s->pool) == GPOOL_OK, "there is no pool");
    s->sources = bench_alloc(HIT_SOURCES, sizeof *s->sources);
    const uint32_t octaves = run->quick ? BENCH_WGSL_QUICK_OCTAVES : BENCH_WGSL_OCTAVES;
    for (uint32_t i = 0; i < HIT_SOURCES; ++i) {
        s->lengths[i] = bench_wgsl_compute(s->sources[i], bench_wgsl_salt(), octaves);
        const gpool_shader_desc desc = { .wgsl = s->sources[i] };
        s->kept[i] = gpool_shader_create(s->pool, &desc);
    }
    for (uint32_t i = 0; i < HIT_SOURCES; ++i) {
        bench_require(gpool_shader_wait(s->pool, s->kept[i], 60000000000u) == GPOOL_OK,
                      "a shader does not compile");
    }
    s->peer_length = bench_wgsl_compute(s->peer_source, bench_wgsl_salt(), octaves);
}

static void hit_close(hit_state *s, bench_row *row)
{
    for (uint32_t i = 0; i < HIT_SOURCES; ++i) {
        (void)gpool_shader_destroy(s->pool, s->kept[i]);
    }
    gpool_destroy(s->pool);
    bench_on_close(&s->on, row);
    free(s->sources);
}

/* Times that are part of the bar, in runs whose times are judged. */
static void hit_add_time(const bench_run *run, bench_row *row, const char *name, double ns,
                         double most)
{
    if (run->quick) {
        bench_add_counter(row, name, ns);
    } else {
        bench_add_limited(row, name, ns, most);
    }
}

static void hit_report(const bench_run *run, bench_row *row, const hit_samples *samples,
                       const hit_state *s)
{
    const unsigned pairs = run->pairs;
    row->pairs = pairs;
    row->ours = bench_spread_of(samples->create, pairs);
    if (s->on.gpu != NULL) {
        row->peer = "wgpuDeviceCreateShaderModule";
        row->peer_spread = bench_spread_of(samples->peer, pairs);
        row->ratio = row->peer_spread.median / row->ours.median;
        const bench_spread ratio = bench_spread_of(samples->ratio, pairs);
        row->ratio_p10 = ratio.p10;
        row->ratio_p90 = ratio.p90;
    } else {
        row->bar.kind = BENCH_BAR_NONE; /* the simulator compiles nothing */
    }
    hit_add_time(run, row, "ns_of_a_find", row->ours.median, HIT_MOST_NS);
    hit_add_time(run, row, "ns_by_handle", bench_spread_of(samples->look, pairs).median,
                 HIT_LOOK_NS);
    bench_add_counter(row, "ns_of_create_and_destroy",
                      bench_spread_of(samples->both, pairs).median);
    bench_add_counter(row, "ns_until_freed", bench_spread_of(samples->freed, pairs).median);
    if (s->on.gpu != NULL) {
        bench_add_counter(row, "ns_of_the_peer_while_one_lives",
                          hit_sample_peer(s, s->sources[0], s->lengths[0]));
    }
    bench_add_counter(row, "source_bytes", (double)s->lengths[0]);
}

void bench_shader_hit(bench_run *run, bench_row *row, uint64_t argument)
{
    (void)argument;
    hit_state *s = bench_alloc(1, sizeof *s);
    hit_open(s, run, row);
    const unsigned pairs = run->pairs;
    double *block = bench_alloc((size_t)pairs * 6, sizeof *block);
    const hit_samples samples = { block,
                                  block + pairs,
                                  block + 2 * (size_t)pairs,
                                  block + 3 * (size_t)pairs,
                                  block + 4 * (size_t)pairs,
                                  block + 5 * (size_t)pairs };
    hit_sample(s, &samples, 0); /* warms caches and makes the slots */
    const gpool_stats before = bench_sim_stats(s->pool);
    for (unsigned i = 0; i < pairs; ++i) {
        hit_sample(s, &samples, i);
    }
    const gpool_stats after = bench_sim_stats(s->pool);
    hit_report(run, row, &samples, s);
    const double creates = (double)pairs * HIT_CREATES;
    bench_add_counter(row, "creates", creates);
    bench_add_limited(row, "not_found", creates - (double)(after.shader_hits - before.shader_hits),
                      0);
    bench_add_limited(row, "misses", (double)(after.shader_misses - before.shader_misses), 0);
    bench_add_counter(row, "allocations_each",
                      (double)(after.allocations - before.allocations) / creates);
    hit_close(s, row);
    free(block);
    free(s);
}
