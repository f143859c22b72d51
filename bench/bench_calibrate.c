/*
 * Measures what sending costs on a device: a gpool_upload_costs table. Each figure is the difference of
 * two frames that differ in one thing, of which the least of many is taken. Many ranges are written by
 * gpool_buffer_write_scattered(), whose time is a part of theirs; one is marked without being written.
 */
#include "bench_calibrate.h"

#include "bench_gpu.h"

#include <stdlib.h>

#define CALIBRATE_SAMPLES 41u
#define CALIBRATE_FRAMES  4u
#define CALIBRATE_SIZE    ((uint64_t)64 << 20)
#define CALIBRATE_WHOLE   ((uint64_t)32 << 20)
#define CALIBRATE_MANY    1000u
#define CALIBRATE_MOST    10000u
#define CALIBRATE_STEP    26u /* elements between ranges: 10,000 in 16 MiB */
#define CALIBRATE_BUFFERS 16u

/* One frame: `ranges` of `bytes` each in each of `buffers`, evenly apart. */
typedef struct calibrate_frame {
    gpool_upload_way way;
    uint32_t buffers;
    uint32_t ranges;
    uint64_t bytes;
    uint64_t size; /* of a buffer; 0 = CALIBRATE_SIZE */
} calibrate_frame;

/* Ranges are never joined, and a way is as it was asked for. */
static const gpool_upload_costs calibrate_apart = {
    .write_byte = 1e9f, .copy_byte = 1e9f, .write_call = 1.0f, .copy_call = 1.0f
};

/* Writes elements of 64 bytes evenly apart, other ones each time. */
static bool calibrate_write(gpool *pool, gpool_buffer buffer, uint32_t ranges)
{
    static uint32_t indices[CALIBRATE_MOST];
    static uint8_t data[CALIBRATE_MOST * 64];
    static uint8_t times;
    bench_require(ranges <= CALIBRATE_MOST, "too many ranges");
    for (uint32_t i = 0; i < ranges; ++i) {
        indices[i] = i * CALIBRATE_STEP;
        data[i * 64] = times;
    }
    times += 1;
    return gpool_buffer_write_scattered(pool, buffer, indices, ranges, 64, data) == GPOOL_OK;
}

static void calibrate_run(bench_gpu *gpu, gpool *pool, const gpool_buffer *buffers,
                          const calibrate_frame *frame)
{
    bool good = gpool_begin_frame(pool) == GPOOL_OK;
    for (uint32_t b = 0; b < frame->buffers; ++b) {
        if (frame->ranges > 1) {
            good = calibrate_write(pool, buffers[b], frame->ranges) && good;
        } else {
            good = (gpool_buffer_edit(pool, buffers[b], 0, frame->bytes) != NULL) ==
                       (frame->ranges * frame->bytes > 0) &&
                   good;
        }
        gpool_copy_buffer(gpool_frame_recorder(pool), buffers[b], 0, buffers[CALIBRATE_BUFFERS], 0,
                          4);
    }
    good = gpool_end_frame(pool) == GPOOL_OK && good;
    bench_gpu_note_frame(gpu);
    bench_gpu_wait(gpu, 1);
    bench_require(good, "a frame of the calibration fails");
}

/* Nanoseconds of a frame until the GPU is done, one frame kept in flight: the least of some samples. */
static double calibrate_time(bench_gpu *gpu, const calibrate_frame *frame)
{
    gpool *pool = NULL;
    gpool_buffer buffers[CALIBRATE_BUFFERS + 1];
    const gpool_desc desc = { .label = "calibration",
                              .upload = { .force = frame->way, .costs = &calibrate_apart } };
    const gpool_buffer_desc big = { .size = frame->size != 0 ? frame->size : CALIBRATE_SIZE,
                                    .usage = GPOOL_BUFFER_STORAGE | GPOOL_BUFFER_COPY_SOURCE };
    const gpool_buffer_desc small = { .size = 4, .usage = GPOOL_BUFFER_COPY_TARGET };
    bench_require(gpool_create(gpu->device, &desc, &pool) == GPOOL_OK, "the pool is not made");
    for (uint32_t b = 0; b < frame->buffers; ++b) {
        buffers[b] = gpool_buffer_create(pool, &big);
    }
    buffers[CALIBRATE_BUFFERS] = gpool_buffer_create(pool, &small);
    double least = 1e30;
    for (uint32_t i = 0; i < CALIBRATE_SAMPLES + 4; ++i) {
        bench_gpu_wait(gpu, 0);
        const uint64_t begin = bench_wall_ns();
        for (uint32_t k = 0; k < CALIBRATE_FRAMES; ++k) {
            calibrate_run(gpu, pool, buffers, frame);
        }
        bench_gpu_wait(gpu, 0);
        const double taken = (double)(bench_wall_ns() - begin) / CALIBRATE_FRAMES;
        least = i >= 4 && taken < least ? taken : least; /* the first ones warm up */
    }
    for (uint32_t b = 0; b < frame->buffers; ++b) {
        (void)gpool_buffer_destroy(pool, buffers[b]);
    }
    (void)gpool_buffer_destroy(pool, buffers[CALIBRATE_BUFFERS]);
    gpool_destroy(pool);
    return least;
}

/* Never below nothing: what is too small to be seen costs nothing. */
static float calibrate_cost(double ns, double among)
{
    return ns > 0 ? (float)(ns / among) : 0.0f;
}

bool bench_calibrate(FILE *file)
{
    bench_row row = { 0 };
    bench_gpu *gpu = bench_gpu_open(&row);
    if (gpu == NULL) {
        fprintf(stderr, "gpool-bench: %s\n", row.absent);
        return false;
    }
    const calibrate_frame idle = { GPOOL_UPLOAD_DIRECT, 1, 0, 0, 0 };
    const calibrate_frame writes = { GPOOL_UPLOAD_DIRECT, 1, CALIBRATE_MANY, 64, 0 };
    const calibrate_frame write = { GPOOL_UPLOAD_DIRECT, 1, 1, CALIBRATE_WHOLE, 0 };
    const calibrate_frame copy = { GPOOL_UPLOAD_MERGED, 1, 1, 64, 0 };
    const calibrate_frame copies = { GPOOL_UPLOAD_MERGED, 1, CALIBRATE_MANY, 64, 0 };
    const calibrate_frame large = { GPOOL_UPLOAD_MERGED, 1, 1, CALIBRATE_WHOLE, 0 };
    const calibrate_frame few = { GPOOL_UPLOAD_SCATTER, 1, 16, 64, 0 };
    const calibrate_frame many = { GPOOL_UPLOAD_SCATTER, 1, CALIBRATE_MOST, 64, 0 };
    const double nothing = calibrate_time(gpu, &idle);
    gpool_upload_costs costs = { 0 };
    costs.write_call = calibrate_cost(calibrate_time(gpu, &writes) - nothing, CALIBRATE_MANY);
    costs.write_byte = calibrate_cost(
        calibrate_time(gpu, &write) - nothing - (double)costs.write_call, (double)CALIBRATE_WHOLE);
    const double one = calibrate_time(gpu, &copy);
    costs.copy_call =
        calibrate_cost(calibrate_time(gpu, &copies) - one, (double)(CALIBRATE_MANY - 1));
    costs.copy_byte = calibrate_cost(calibrate_time(gpu, &large) - one, (double)CALIBRATE_WHOLE);
    costs.stage_fixed = calibrate_cost(one - nothing - (double)costs.copy_call, 1);
    const double granules = calibrate_time(gpu, &few);
    costs.scatter_granule =
        calibrate_cost(calibrate_time(gpu, &many) - granules, CALIBRATE_MOST - 16);
    calibrate_frame spread = { GPOOL_UPLOAD_DIRECT, CALIBRATE_BUFFERS, 0, 0, 1 << 20 };
    const double apart = calibrate_time(gpu, &spread);
    spread = (calibrate_frame){ GPOOL_UPLOAD_SCATTER, CALIBRATE_BUFFERS, 1, 64, 1 << 20 };
    /* One buffer's pass is both parts; where many buffers disturb each other it is all by buffer. */
    const float alone = calibrate_cost(granules - nothing - (double)costs.stage_fixed, 1);
    const float each = calibrate_cost((calibrate_time(gpu, &spread) - apart) - (granules - nothing),
                                      CALIBRATE_BUFFERS - 1);
    costs.scatter_buffer = each < alone ? each : alone;
    costs.scatter_fixed = alone - costs.scatter_buffer;
    fprintf(file,
            "/* %s on %s */\n{\n    .write_call = %.0ff,\n    .write_byte = %.3ff,\n"
            "    .stage_fixed = %.0ff,\n    .copy_call = %.0ff,\n    .copy_byte = %.3ff,\n"
            "    .scatter_fixed = %.0ff,\n    .scatter_buffer = %.0ff,\n"
            "    .scatter_granule = %.1ff,\n}\n",
            gpu->implementation, gpu->adapter, (double)costs.write_call, (double)costs.write_byte,
            (double)costs.stage_fixed, (double)costs.copy_call, (double)costs.copy_byte,
            (double)costs.scatter_fixed, (double)costs.scatter_buffer,
            (double)costs.scatter_granule);
    return true;
}
