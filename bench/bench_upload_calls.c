/* How many calls and bytes uploads are, on the simulator; and what a uniform costs there. */
#include "bench_sim.h"

#include <stdlib.h>
#include <string.h>

#define CALLS_WRITE         64u
#define CALLS_UNIFORM       256u
#define CALLS_WARM_UP       4u
#define CALLS_SAMPLE_FRAMES 20u

typedef struct calls_pool {
    bench_sim on;
    gpool *pool;
    gpool_buffer buffer;
} calls_pool;

/* Calls that carry bytes to the GPU or put them in their places. */
static uint64_t calls_now(const gpool *pool)
{
    return gpool_gpu_call_count(pool, GPOOL_GPU_QueueWriteBuffer) +
           gpool_gpu_call_count(pool, GPOOL_GPU_CommandEncoderCopyBufferToBuffer) +
           gpool_gpu_call_count(pool, GPOOL_GPU_ComputePassEncoderDispatchWorkgroups);
}

static void calls_open(calls_pool *c, uint64_t size)
{
    const gpool_desc desc = { .label = "bench" };
    const gpool_buffer_desc buffer_desc = {
        .size = size,
        .usage = GPOOL_BUFFER_STORAGE,
        .label = "bench",
    };
    *c = (calls_pool){ 0 };
    bench_sim_open(&c->on);
    bench_require(gpool_create(c->on.device, &desc, &c->pool) == GPOOL_OK, "the pool is not made");
    c->buffer = gpool_buffer_create(c->pool, &buffer_desc);
    bench_require(c->buffer.id != 0, "a buffer is not made");
    for (uint32_t i = 0; i < CALLS_WARM_UP; ++i) {
        bench_require(gpool_begin_frame(c->pool) == GPOOL_OK &&
                          gpool_end_frame(c->pool) == GPOOL_OK,
                      "a frame fails");
    }
}

static void calls_close(calls_pool *c, bench_row *row)
{
    (void)gpool_buffer_destroy(c->pool, c->buffer);
    gpool_destroy(c->pool);
    bench_sim_close(&c->on, row);
}

/* Bytes of the simulated GPU must be those that were written. */
static void calls_verify(calls_pool *c, const uint8_t *wanted, uint64_t size)
{
    uint8_t *got = bench_alloc((size_t)size, 1);
    WGPUBuffer raw = gpool_buffer_gpu(c->pool, c->buffer, GPOOL_ACCESS_READ);
    bench_require(sim_read_buffer(c->on.sim, raw, 0, got, (size_t)size) &&
                      memcmp(got, wanted, (size_t)size) == 0,
                  "bytes on the GPU are wrong");
    free(got);
}

/* One frame of `count` writes of 64 bytes, `step` bytes apart; counts its calls and bytes. */
static void calls_run(bench_row *row, uint64_t size, uint64_t count, uint64_t step, bool bytes)
{
    calls_pool c;
    uint8_t *wanted = bench_alloc((size_t)size, 1);
    uint64_t random = size;
    calls_open(&c, size);
    const uint64_t calls = calls_now(c.pool);
    const gpool_stats before = bench_sim_stats(c.pool);
    bench_require(gpool_begin_frame(c.pool) == GPOOL_OK, "a frame fails");
    for (uint64_t i = 0; i < count; ++i) {
        uint8_t data[CALLS_WRITE];
        const uint64_t part = bytes ? 1 : CALLS_WRITE; /* the ends are single bytes */
        memset(data, (int)(bench_random(&random) % 255 + 1), sizeof data);
        memcpy(wanted + i * step, data, (size_t)part);
        bench_require(gpool_buffer_write(c.pool, c.buffer, i * step, data, part) == GPOOL_OK,
                      "a write is refused");
    }
    bench_require(gpool_end_frame(c.pool) == GPOOL_OK, "a frame fails");
    const uint64_t made = calls_now(c.pool) - calls;
    const gpool_stats after = bench_sim_stats(c.pool);
    const uint64_t sent = after.sent_bytes - before.sent_bytes;
    calls_verify(&c, wanted, size);
    calls_close(&c, row);
    free(wanted);
    bench_set_ours(row, bytes ? (double)sent : (double)made);
    bench_add_counter(row, "writes", (double)count);
    bench_add_counter(row, "upload_calls", (double)made);
    bench_add_counter(row, "bytes_sent", (double)sent);
    bench_add_counter(row, "gpu_calls", (double)(after.gpu_calls - before.gpu_calls));
}

void bench_upload_adjacent(bench_run *run, bench_row *row, uint64_t argument)
{
    (void)run;
    calls_run(row, argument * CALLS_WRITE, argument, CALLS_WRITE, false);
}

void bench_upload_repeat(bench_run *run, bench_row *row, uint64_t argument)
{
    (void)run;
    calls_run(row, (uint64_t)1 << 20, argument, 0, false);
}

void bench_upload_ends(bench_run *run, bench_row *row, uint64_t argument)
{
    (void)run;
    calls_run(row, argument, 2, argument - 1, true);
}

static const char calls_wgsl[] = "@group(0) @binding(0) var<uniform> u: array<vec4f, 16>;\n"
                                 "@compute @workgroup_size(1) fn main() { _ = u[0]; }\n";

/* Sees whether the last uniform arrived: the only one that a dispatch uses. */
static void calls_on_dispatch(const sim_work *work, void *user)
{
    uint64_t size = 0;
    const uint8_t *bytes = sim_work_buffer(work, 0, 0, &size);
    bench_require(bytes != NULL && size == CALLS_UNIFORM &&
                      memcmp(bytes, user, sizeof(uint64_t)) == 0,
                  "a uniform on the GPU is wrong");
}

/* One frame of `count` uniforms, the last with a dispatch; nanoseconds of the uniforms alone. */
static uint64_t calls_uniforms(calls_pool *c, gpool_pipeline pipeline, uint64_t count)
{
    static uint8_t data[CALLS_UNIFORM];
    uint64_t taken = 0;
    bench_require(gpool_begin_frame(c->pool) == GPOOL_OK, "a frame fails");
    gpool_recorder rec = gpool_frame_recorder(c->pool);
    gpool_begin_compute(rec, "uniforms");
    gpool_set_pipeline(rec, pipeline);
    const uint64_t begin = bench_cpu_ns();
    for (uint64_t i = 0; i < count; ++i) {
        memcpy(data, &i, sizeof i);
        gpool_set_uniforms(rec, 0, data, sizeof data);
    }
    taken = bench_cpu_ns() - begin;
    gpool_dispatch(rec, 1, 1, 1);
    gpool_end_pass(rec);
    bench_require(gpool_end_frame(c->pool) == GPOOL_OK, "a frame fails");
    return taken;
}

void bench_upload_uniforms(bench_run *run, bench_row *row, uint64_t argument)
{
    calls_pool c;
    uint64_t last = argument - 1;
    calls_open(&c, CALLS_WRITE);
    sim_register_shader(c.on.sim, calls_wgsl, calls_on_dispatch, &last);
    const gpool_shader_desc shader_desc = { .wgsl = calls_wgsl, .label = "uniforms" };
    const gpool_shader shader = gpool_shader_create(c.pool, &shader_desc);
    const gpool_compute_pipeline_desc pipeline_desc = { .shader = shader, .label = "uniforms" };
    const gpool_pipeline pipeline = gpool_compute_pipeline_create(c.pool, &pipeline_desc);
    bench_require(gpool_pipeline_wait(c.pool, pipeline, UINT64_MAX) == GPOOL_OK,
                  "the pipeline is not made");
    double *samples = bench_alloc(run->pairs, sizeof *samples);
    (void)calls_uniforms(&c, pipeline, argument); /* makes the stream memory */
    const uint64_t before = calls_now(c.pool);
    const gpool_stats stats = bench_sim_stats(c.pool);
    (void)calls_uniforms(&c, pipeline, argument);
    const double uploads = (double)(calls_now(c.pool) - before) - 1; /* the dispatch */
    const double sent = (double)(bench_sim_stats(c.pool).uniform_bytes - stats.uniform_bytes);
    for (unsigned i = 0; i < run->pairs; ++i) {
        uint64_t taken = 0;
        for (uint32_t frame = 0; frame < CALLS_SAMPLE_FRAMES; ++frame) {
            taken += calls_uniforms(&c, pipeline, argument);
        }
        samples[i] = (double)taken / (double)(argument * CALLS_SAMPLE_FRAMES);
    }
    row->pairs = run->pairs;
    row->ours = bench_spread_of(samples, run->pairs);
    bench_add_counter(row, "uniforms", (double)argument);
    bench_add_counter(row, "bytes_sent", sent);
    bench_add_limited(row, "uploads_of_a_frame", uploads, 1);
    free(samples);
    (void)gpool_pipeline_destroy(c.pool, pipeline);
    (void)gpool_shader_destroy(c.pool, shader);
    calls_close(&c, row);
}
