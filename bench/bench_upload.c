/*
 * Sparse, single and whole uploads against the peers. A sample is the wall time from the user's
 * first write to GPU idle over a few frames, with one frame kept in flight, divided by the frames;
 * CPU time is the thread's, without the waits between frames. The row's peer is the best one. A frame
 * that is not counted comes before: it pays for what the side before left to the allocator (100,000
 * freed blocks that glibc joins at the next large request take it 15 ms).
 */
#include "bench_upload.h"

#include <math.h>
#include <stdlib.h>

/* Ours, every peer in C, the belt, ours with single calls, and two that are idle. */
#define UPLOAD_MAX_SIDES (1 + UPLOAD_PEER_COUNT + 1 + 1 + 2)
#define UPLOAD_SPARSE    ((uint64_t)16 << 20)
#define UPLOAD_SIZE      64u
/* All samples of a row shall take about so long, within these numbers of frames. */
#define UPLOAD_ROW_NS       12e9
#define UPLOAD_LEAST_FRAMES 2u
#define UPLOAD_MOST_FRAMES  32u
/* A quick run is about whether it works. */
#define UPLOAD_QUICK_COUNT 1000u
#define UPLOAD_QUICK_BYTES ((uint64_t)1 << 20)

/* One row at work; side 0 is ours. */
typedef struct upload_race {
    upload_load load;
    upload_side sides[UPLOAD_MAX_SIDES];
    uint32_t count;
    uint32_t rivals;                 /* ours and the peers that it is compared with */
    uint32_t frames;                 /* of a sample */
    double *total[UPLOAD_MAX_SIDES]; /* ms a frame, a sample each */
    double *cpu[UPLOAD_MAX_SIDES];   /* the same */
    bench_spread spread[UPLOAD_MAX_SIDES];
    double cpu_median[UPLOAD_MAX_SIDES];
    double calls[UPLOAD_MAX_SIDES]; /* of a frame; NAN = not counted */
} upload_race;

static void race_sample(upload_race *race, uint32_t side, unsigned pair)
{
    upload_side *s = &race->sides[side];
    uint64_t cpu = 0;
    (void)upload_frame(s, &race->load);
    s->wait(s->state, 0);
    const uint64_t begin = bench_wall_ns();
    for (uint32_t i = 0; i < race->frames; ++i) {
        cpu += upload_frame(s, &race->load);
    }
    s->wait(s->state, 0);
    const uint64_t end = bench_wall_ns();
    race->total[side][pair] = (double)(end - begin) * 1e-6 / race->frames;
    race->cpu[side][pair] = (double)cpu * 1e-6 / race->frames;
}

/* Frames to warm up, of which every byte must arrive; nanoseconds that one frame of all takes. */
static double race_begin(upload_race *race)
{
    double all = 0;
    for (uint32_t i = 0; i < race->count; ++i) {
        upload_side *side = &race->sides[i];
        const uint64_t calls = side->calls != NULL ? side->calls(side->state) : 0;
        uint64_t begin = 0;
        for (uint32_t frame = 0; frame < UPLOAD_SETS; ++frame) {
            begin = frame == 1 ? bench_wall_ns() : begin; /* the first makes things */
            (void)upload_frame(side, &race->load);
        }
        side->wait(side->state, 0);
        all += (double)(bench_wall_ns() - begin) / (UPLOAD_SETS - 1);
        race->calls[i] =
            side->calls != NULL ? (double)(side->calls(side->state) - calls) / UPLOAD_SETS : NAN;
        upload_verify(side, &race->load);
    }
    return all;
}

static void race_run(upload_race *race, unsigned pairs)
{
    const double frames = UPLOAD_ROW_NS / (race_begin(race) * pairs);
    race->frames = frames < UPLOAD_LEAST_FRAMES  ? UPLOAD_LEAST_FRAMES
                   : frames > UPLOAD_MOST_FRAMES ? UPLOAD_MOST_FRAMES
                                                 : (uint32_t)frames;
    for (uint32_t i = 0; i < race->count; ++i) {
        race->total[i] = bench_alloc((size_t)pairs * 2, sizeof(double));
        race->cpu[i] = race->total[i] + pairs;
    }
    for (unsigned pair = 0; pair < pairs; ++pair) {
        for (uint32_t i = 0; i < race->count; ++i) {
            race_sample(race, i, pair);
        }
    }
    for (uint32_t i = 0; i < race->count; ++i) {
        upload_verify(&race->sides[i], &race->load);
    }
}

/* The row's numbers against this peer; samples are in the order of pairs still. */
static void race_compare(upload_race *race, bench_row *row, uint32_t peer, unsigned pairs)
{
    double *ratios = bench_alloc(pairs, sizeof *ratios);
    for (unsigned i = 0; i < pairs; ++i) {
        ratios[i] = race->total[peer][i] / race->total[0][i];
    }
    const bench_spread ratio = bench_spread_of(ratios, pairs);
    free(ratios);
    row->pairs = pairs;
    row->ours = race->spread[0];
    row->peer = race->sides[peer].name;
    row->peer_spread = race->spread[peer];
    row->ratio = row->peer_spread.median / row->ours.median;
    row->ratio_p10 = ratio.p10;
    row->ratio_p90 = ratio.p90;
}

/* Medians of all sides; the samples keep their order. */
static void race_sum_up(upload_race *race, unsigned pairs)
{
    double *sorted = bench_alloc(pairs, sizeof *sorted);
    for (uint32_t i = 0; i < race->count; ++i) {
        for (unsigned k = 0; k < pairs; ++k) {
            sorted[k] = race->total[i][k];
        }
        race->spread[i] = bench_spread_of(sorted, pairs);
        for (unsigned k = 0; k < pairs; ++k) {
            sorted[k] = race->cpu[i][k];
        }
        race->cpu_median[i] = bench_spread_of(sorted, pairs).median;
    }
    free(sorted);
}

static uint32_t race_best(const upload_race *race)
{
    uint32_t best = 1;
    for (uint32_t i = 2; i < race->rivals; ++i) {
        if (race->spread[i].median < race->spread[best].median) {
            best = i;
        }
    }
    return best;
}

static double race_least_cpu(const upload_race *race)
{
    double least = INFINITY;
    for (uint32_t i = 1; i < race->rivals; ++i) {
        least = fmin(least, race->cpu_median[i]);
    }
    return least;
}

static void race_add_counters(const upload_race *race, bench_row *row)
{
    bench_add_counter(row, "writes", race->load.count);
    bench_add_counter(row, "bytes_each", race->load.size);
    bench_add_counter(row, "buffer_bytes", (double)race->load.buffer_size);
    bench_add_counter(row, "frames_of_a_sample", race->frames);
    for (uint32_t i = 0; i < race->count; ++i) {
        const upload_side *side = &race->sides[i];
        bench_add_counter(row, side->total_name, race->spread[i].median);
        bench_add_counter(row, side->cpu_name, race->cpu_median[i]);
        if (side->calls_name != NULL) {
            bench_add_counter(row, side->calls_name, race->calls[i]);
        }
    }
}

/* Opens ours and, after it, these peers in C; the first is the one that single writes go by. */
static void race_open(upload_race *race, bench_gpu *gpu, const upload_peer_kind *kinds,
                      uint32_t count)
{
    const bool software = gpu->place != BENCH_PLACE_HARDWARE;
    race->load.pace = gpu->is_dawn && software ? UPLOAD_BUSY : UPLOAD_IN_FLIGHT;
    upload_open_ours(&race->sides[race->count++], gpu, &race->load, GPOOL_UPLOAD_AUTO);
    for (uint32_t i = 0; i < count; ++i) {
        upload_open_peer(&race->sides[race->count++], gpu, &race->load, kinds[i]);
    }
    if (upload_open_belt(&race->sides[race->count], gpu, &race->load)) {
        race->count += 1;
    }
    race->rivals = race->count;
}

/* Dawn: ours and queue writes once more, to a buffer that is idle. */
static void race_open_idle(upload_race *race, bench_gpu *gpu)
{
    upload_load idle = race->load;
    idle.pace = UPLOAD_IDLE;
    if (gpu->is_dawn) {
        upload_open_ours(&race->sides[race->count++], gpu, &idle, GPOOL_UPLOAD_AUTO);
        upload_open_peer(&race->sides[race->count++], gpu, &idle, UPLOAD_PEER_QUEUE);
    }
}

static void race_close(upload_race *race)
{
    for (uint32_t i = 0; i < race->count; ++i) {
        upload_close(&race->sides[i]);
        free(race->total[i]);
    }
    upload_load_fini(&race->load);
}

/* A bar on times; those of quick runs are not judged. */
static void race_limit(const bench_run *run, bench_row *row, const char *name, double value,
                       double most)
{
    bench_add_limited(row, name, value, run->quick ? INFINITY : most);
}

static const upload_peer_kind upload_all_peers[UPLOAD_PEER_COUNT] = {
    UPLOAD_PEER_QUEUE, UPLOAD_PEER_COPIES, UPLOAD_PEER_WHOLE, UPLOAD_PEER_SPAN
};

/* Bars of ten thousand writes; no frame of other counts may be slower than the best peer's. */
static void sparse_set_bars(const bench_run *run, bench_row *row, const upload_race *race,
                            bench_place place, uint64_t wanted)
{
    const double cpu = race->cpu_median[0] / race_least_cpu(race);
    const double queue = race->spread[0].median / race->spread[1].median;
    double most_cpu = INFINITY;
    double most_queue = INFINITY;
    row->bar = (bench_bar){ BENCH_BAR_RATIO_LEAST, 0.9 };
    if (wanted == 10000 && place == BENCH_PLACE_LAVAPIPE) {
        row->bar.value = 1.3;
        most_cpu = 1.0 / 2;
        most_queue = 1.0 / 15;
    } else if (wanted == 10000 && place == BENCH_PLACE_HARDWARE) {
        row->bar.value = 3;
        most_queue = 1.0 / 80;
    }
    race_limit(run, row, "cpu_by_least_of_peers", cpu, most_cpu);
    race_limit(run, row, "total_by_queue_writes", queue, most_queue);
}

void bench_upload_sparse(bench_run *run, bench_row *row, uint64_t argument)
{
    upload_race race = { 0 };
    bench_gpu *gpu = bench_gpu_open(row);
    if (gpu == NULL) {
        return;
    }
    const bool small = run->quick && argument > UPLOAD_QUICK_COUNT;
    upload_load_init(&race.load, run->quick ? UPLOAD_QUICK_BYTES : UPLOAD_SPARSE,
                     small ? UPLOAD_QUICK_COUNT : (uint32_t)argument, UPLOAD_SIZE,
                     UPLOAD_SCATTERED);
    race_open(&race, gpu, upload_all_peers, UPLOAD_PEER_COUNT);
    upload_open_ours_each(&race.sides[race.count++], gpu, &race.load);
    race_open_idle(&race, gpu);
    race_run(&race, run->pairs);
    race_sum_up(&race, run->pairs);
    race_compare(&race, row, race_best(&race), run->pairs);
    race_add_counters(&race, row);
    sparse_set_bars(run, row, &race, gpu->place, argument);
    race_close(&race);
}

void bench_upload_single(bench_run *run, bench_row *row, uint64_t argument)
{
    upload_race race = { 0 };
    bench_gpu *gpu = bench_gpu_open(row);
    if (gpu == NULL) {
        return;
    }
    upload_load_init(&race.load, run->quick ? UPLOAD_QUICK_BYTES : UPLOAD_SPARSE,
                     (uint32_t)argument, UPLOAD_SIZE, UPLOAD_SCATTERED);
    race_open(&race, gpu, upload_all_peers, 2);
    race_run(&race, run->pairs);
    race_sum_up(&race, run->pairs);
    race_compare(&race, row, 1, run->pairs);
    race_add_counters(&race, row);
    race_close(&race);
}

void bench_upload_whole(bench_run *run, bench_row *row, uint64_t argument)
{
    upload_race race = { 0 };
    bench_gpu *gpu = bench_gpu_open(row);
    if (gpu == NULL) {
        return;
    }
    const uint64_t bytes = run->quick ? UPLOAD_QUICK_BYTES : argument << 20;
    upload_load_init(&race.load, bytes, 1, (uint32_t)bytes, UPLOAD_SCATTERED);
    race.load.made = true;
    race_open(&race, gpu, upload_all_peers, 2);
    upload_open_ours_each(&race.sides[race.count++], gpu, &race.load);
    race_run(&race, run->pairs);
    race_sum_up(&race, run->pairs);
    race_compare(&race, row, 1, run->pairs);
    race_add_counters(&race, row);
    if (gpu->place == BENCH_PLACE_HARDWARE) {
        row->bar = (bench_bar){ BENCH_BAR_RATIO_LEAST, gpu->is_dawn ? 3 : 2 };
    }
    race_close(&race);
}
