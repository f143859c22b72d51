/*
 * Shaders asked for in the middle of a show: what they cost the frames that ask for them and the frames
 * in which they arrive, and whether pictures are as the pass chose.
 *
 * A frame draws a grid, a cell with each pipeline asked for so far. Sources are new in every round. Frames
 * begin every 1/60 s, as compiling has so long a time between them. Looked at are the frames in which
 * something was asked for or arrived: the others would thin them out. Half of the rounds tell gpool's own
 * time, which is judged, from that in webgpu.h, which takes many reads of the clock; the other half have
 * none, and what they measure is both together. The last round compares pictures.
 *
 * Beside each such frame runs a loop that is always the same, a third of a millisecond of arithmetic. On a
 * machine whose thread clock counts what others take away from it, its 99th percentile is above the bar,
 * too: then the bar says nothing there, and the row says so.
 */
#include "bench_shader.h"

#include <stdlib.h>
#include <string.h>

#define HITCH_COLUMNS  11u
#define HITCH_ROWS     10u
#define HITCH_CELLS    (HITCH_COLUMNS * HITCH_ROWS)
#define HITCH_FIRST    10u /* there before */
#define HITCH_A_FRAME  4u
#define HITCH_SIDE     8u /* pixels of a cell */
#define HITCH_WIDTH    (HITCH_COLUMNS * HITCH_SIDE)
#define HITCH_HEIGHT   (HITCH_ROWS * HITCH_SIDE)
#define HITCH_PIXELS   (HITCH_WIDTH * HITCH_HEIGHT)
#define HITCH_WARM     30u /* frames */
#define HITCH_FRAME_NS 16666667u
#define HITCH_MOST     20000u /* frames until all are there */
#define HITCH_ROUNDS   6u
#define HITCH_WAIT_NS  60000000000u
#define HITCH_LOOP     170000u
#define HITCH_BAR_MS   1.0
/* Of a source for a software driver, which takes a tenth of a second for the first use of a long one. */
#define HITCH_SOFT_OCTAVES 1u

/* What a frame cost its thread, in milliseconds. */
typedef struct hitch_sample {
    double all;    /* around all calls */
    double wall;   /* the same by the wall clock */
    double loop;   /* of the loop beside it */
    double own;    /* gpool's; of a pool that measures */
    double webgpu; /* of gpool's calls into webgpu.h; the same */
} hitch_sample;

/* Samples by what is looked at. */
typedef struct hitch_samples {
    double *all;
    double *wall;
    double *loop;
    uint32_t count;
    double *every; /* `all` of every frame */
    uint32_t every_count;
    double *own; /* of the rounds that measure */
    double *webgpu;
    uint32_t measured_count;
    uint32_t capacity;
} hitch_samples;

typedef struct hitch_world {
    bench_gpu *gpu;
    char (*sources)[BENCH_WGSL_SIZE];
    uint32_t wanted; /* cells in the end */
} hitch_world;

typedef struct hitch_show {
    const hitch_world *world;
    gpool *pool;
    gpool_texture target;
    gpool_shader shaders[HITCH_CELLS];
    gpool_pipeline pipelines[HITCH_CELLS];
    uint32_t asked;
    bool skips;
    bool measures;
} hitch_show;

static void hitch_fill(hitch_world *world, uint32_t octaves)
{
    for (uint32_t i = 0; i < world->wanted; ++i) {
        const bench_cell cell = { i % HITCH_COLUMNS, i / HITCH_COLUMNS, HITCH_COLUMNS, HITCH_ROWS };
        (void)bench_wgsl_render(world->sources[i], bench_wgsl_salt(), octaves, cell);
    }
}

static void hitch_ask(hitch_show *show)
{
    const uint32_t i = show->asked++;
    const gpool_shader_desc shader = { .wgsl = show->world->sources[i], .label = "cell" };
    show->shaders[i] = gpool_shader_create(show->pool, &shader);
    const gpool_render_pipeline_desc desc = {
        .shader = show->shaders[i],
        .colors[0] = { .format = WGPUTextureFormat_RGBA8Unorm },
        .samples = 1,
        .label = "cell",
    };
    show->pipelines[i] = gpool_render_pipeline_create(show->pool, &desc);
}

static void hitch_open(hitch_show *show, const hitch_world *world, uint32_t workers, bool skips,
                       bool measures)
{
    *show = (hitch_show){ .world = world, .skips = skips, .measures = measures };
    const gpool_desc desc = { .compile_workers = workers, .measure = measures };
    bench_require(gpool_create(world->gpu->device, &desc, &show->pool) == GPOOL_OK,
                  "there is no pool");
    const gpool_texture_desc target = { .width = HITCH_WIDTH,
                                        .height = HITCH_HEIGHT,
                                        .format = WGPUTextureFormat_RGBA8Unorm,
                                        .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK };
    show->target = gpool_texture_create(show->pool, &target);
    while (show->asked < HITCH_FIRST) {
        hitch_ask(show);
    }
    for (uint32_t i = 0; i < show->asked; ++i) {
        bench_require(gpool_pipeline_wait(show->pool, show->pipelines[i], HITCH_WAIT_NS) ==
                          GPOOL_OK,
                      "a pipeline does not compile");
    }
}

static void hitch_close(hitch_show *show)
{
    for (uint32_t i = 0; i < show->asked; ++i) {
        (void)gpool_pipeline_destroy(show->pool, show->pipelines[i]);
        (void)gpool_shader_destroy(show->pool, show->shaders[i]);
    }
    (void)gpool_texture_destroy(show->pool, show->target);
    gpool_destroy(show->pool);
}

/* A frame that asks for so many more, and reads the picture unless `picture` is NULL. */
static void hitch_frame(hitch_show *show, uint32_t more, uint32_t *picture)
{
    gpool *pool = show->pool;
    gpool_ticket ticket = { 0 };
    bench_require(gpool_begin_frame(pool) == GPOOL_OK, "a frame fails");
    for (uint32_t i = 0; i < more; ++i) {
        hitch_ask(show);
    }
    gpool_recorder rec = gpool_frame_recorder(pool);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = show->target } });
    if (show->skips) {
        gpool_skip_not_ready(rec);
    }
    for (uint32_t i = 0; i < show->asked; ++i) {
        gpool_set_pipeline(rec, show->pipelines[i]);
        gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 6 });
    }
    gpool_end_pass(rec);
    if (picture != NULL) {
        ticket = gpool_read_texture(rec, show->target, NULL, NULL);
    }
    bench_require(gpool_end_frame(pool) == GPOOL_OK, "a frame fails");
    if (picture != NULL) {
        bench_require(gpool_ticket_wait(pool, ticket, HITCH_WAIT_NS) == GPOOL_OK &&
                          gpool_ticket_take(pool, ticket, picture,
                                            HITCH_PIXELS * sizeof *picture) == GPOOL_OK,
                      "a picture is not read");
    }
}

static void hitch_keep(hitch_samples *samples, const hitch_show *show, const hitch_sample *one,
                       bool busy)
{
    if (show->measures) {
        if (busy) {
            bench_require(samples->measured_count < samples->capacity, "there are too many frames");
            samples->own[samples->measured_count] = one->own;
            samples->webgpu[samples->measured_count++] = one->webgpu;
        }
        return;
    }
    bench_require(samples->every_count < samples->capacity, "there are too many frames");
    samples->every[samples->every_count++] = one->all;
    if (busy) {
        samples->all[samples->count] = one->all;
        samples->loop[samples->count] = one->loop;
        samples->wall[samples->count++] = one->wall;
    }
}

/* The CPU time of a loop that is always the same. */
static double hitch_loop(void)
{
    const uint64_t begin = bench_cpu_ns();
    uint64_t x = begin | 1;
    for (uint32_t i = 0; i < HITCH_LOOP; ++i) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
    }
    bench_sink = x;
    return (double)(bench_cpu_ns() - begin) / 1e6;
}

/* A frame with its cost. The GPU is idle before the next: waiting for it would count, too. */
static void hitch_frame_measured(hitch_show *show, uint32_t more, hitch_samples *samples)
{
    hitch_sample sample;
    const gpool_stats before = bench_sim_stats(show->pool);
    const uint64_t wall = bench_wall_ns();
    const uint64_t cpu = bench_cpu_ns();
    hitch_frame(show, more, NULL);
    const uint64_t cpu_end = bench_cpu_ns();
    const uint64_t wall_end = bench_wall_ns();
    const gpool_stats after = bench_sim_stats(show->pool);
    sample.all = (double)(cpu_end - cpu) / 1e6;
    sample.wall = (double)(wall_end - wall) / 1e6;
    sample.own = (double)(after.own_ns - before.own_ns) / 1e6;
    sample.webgpu = (double)(after.gpu_call_ns - before.gpu_call_ns) / 1e6;
    sample.loop = hitch_loop();
    hitch_keep(samples, show, &sample,
               more > 0 || after.compiles_pending != before.compiles_pending);
    bench_require(gpool_wait_idle(show->pool) == GPOOL_OK, "the GPU does not end");
    bench_sleep_until(wall + HITCH_FRAME_NS);
}

/* Cells of a picture that are neither as wanted nor, where `may_lack`, empty; `lacking` = empty ones. */
static uint32_t hitch_compare(const uint32_t *picture, const uint32_t *wanted, uint32_t cells,
                              bool may_lack, uint32_t *lacking)
{
    uint32_t wrong = 0;
    *lacking = 0;
    for (uint32_t i = 0; i < HITCH_CELLS; ++i) {
        uint32_t same = 0;
        uint32_t empty = 0;
        const uint32_t corner =
            i / HITCH_COLUMNS * HITCH_SIDE * HITCH_WIDTH + i % HITCH_COLUMNS * HITCH_SIDE;
        for (uint32_t p = 0; p < HITCH_SIDE * HITCH_SIDE; ++p) {
            const uint32_t at = corner + p / HITCH_SIDE * HITCH_WIDTH + p % HITCH_SIDE;
            same += picture[at] == wanted[at] && wanted[at] != 0;
            empty += picture[at] == 0;
        }
        const uint32_t all = HITCH_SIDE * HITCH_SIDE;
        *lacking += i < cells && empty == all;
        wrong += !(i < cells ? same == all || (may_lack && empty == all) : empty == all);
    }
    return wrong;
}

/* The picture of a pool that compiled everything before. */
static void hitch_wanted(const hitch_world *world, uint32_t *picture)
{
    hitch_show show;
    hitch_open(&show, world, GPOOL_WORKERS_NONE, false, false);
    while (show.asked < world->wanted) {
        hitch_ask(&show);
    }
    hitch_frame(&show, 0, picture);
    hitch_close(&show);
}

/* Passes that wait: the picture of each frame is whole. Returns cells that were not. */
static uint32_t hitch_waiting(const hitch_world *world, const uint32_t *wanted, uint64_t *waits)
{
    static uint32_t picture[HITCH_PIXELS];
    hitch_show show;
    uint32_t wrong = 0;
    uint32_t lacking = 0;
    hitch_open(&show, world, 1, false, false);
    while (show.asked < world->wanted) {
        hitch_frame(&show, HITCH_A_FRAME, picture);
        wrong += hitch_compare(picture, wanted, show.asked, false, &lacking);
    }
    *waits = bench_sim_stats(show.pool).compile_waits;
    hitch_close(&show);
    return wrong;
}

/* What rounds counted. */
typedef struct hitch_counts {
    uint64_t frames_until_ready; /* of the longest round */
    uint64_t waits;
    uint64_t unready;
    uint64_t lacking;         /* cells of last pictures */
    uint64_t wrong;           /* cells, where there is a wanted picture */
    uint64_t not_told;        /* empty cells that the counter of draws left out does not tell */
    uint64_t empty_half_way;  /* cells of the picture taken then */
    uint64_t pipeline_misses; /* one for each asked for */
} hitch_counts;

/* The picture half-way: cells are whole or empty, and empty ones are those left out. */
static void hitch_half_way(hitch_show *show, const uint32_t *wanted, hitch_counts *counts)
{
    static uint32_t picture[HITCH_PIXELS];
    uint32_t lacking = 0;
    const uint64_t before = bench_sim_stats(show->pool).unready_draws;
    hitch_frame(show, 0, picture);
    const uint64_t left_out = bench_sim_stats(show->pool).unready_draws - before;
    counts->wrong += hitch_compare(picture, wanted, show->asked, true, &lacking);
    counts->not_told += lacking > left_out ? lacking - left_out : left_out - lacking;
    counts->empty_half_way += lacking;
}

/* `wanted` = the last picture, of the round that compares; else NULL. */
static void hitch_round(const hitch_world *world, const uint32_t *wanted, bool measures,
                        hitch_samples *samples, hitch_counts *counts)
{
    static uint32_t picture[HITCH_PIXELS];
    hitch_show show;
    uint64_t frames = 0;
    hitch_open(&show, world, 1, true, measures);
    for (uint32_t i = 0; i < HITCH_WARM; ++i) {
        hitch_frame(&show, 0, NULL);
    }
    while (show.asked < world->wanted) {
        hitch_frame_measured(&show, HITCH_A_FRAME, samples);
        frames += 1;
    }
    if (wanted != NULL) {
        hitch_half_way(&show, wanted, counts);
    }
    while (bench_sim_stats(show.pool).compiles_pending > 0) {
        hitch_frame_measured(&show, 0, samples);
        bench_require(++frames < HITCH_MOST, "pipelines are never ready");
    }
    hitch_frame(&show, 0, picture);
    uint32_t lacking = 0;
    const uint32_t wrong =
        hitch_compare(picture, wanted != NULL ? wanted : picture, show.asked, false, &lacking);
    counts->wrong += wrong;
    counts->lacking += lacking;
    const gpool_stats stats = bench_sim_stats(show.pool);
    counts->waits += stats.compile_waits;
    counts->unready += stats.unready_draws;
    counts->pipeline_misses += stats.pipeline_misses;
    counts->frames_until_ready =
        frames > counts->frames_until_ready ? frames : counts->frames_until_ready;
    hitch_close(&show);
}

static void hitch_samples_init(hitch_samples *samples, uint32_t rounds)
{
    samples->capacity = rounds * HITCH_MOST;
    samples->all = bench_alloc(samples->capacity, sizeof(double));
    samples->wall = bench_alloc(samples->capacity, sizeof(double));
    samples->loop = bench_alloc(samples->capacity, sizeof(double));
    samples->every = bench_alloc(samples->capacity, sizeof(double));
    samples->own = bench_alloc(samples->capacity, sizeof(double));
    samples->webgpu = bench_alloc(samples->capacity, sizeof(double));
}

/* Sorts them: 99 of a hundred are not above. */
static double hitch_p99(double *samples, uint32_t count)
{
    (void)bench_spread_of(samples, count);
    const uint32_t below = (uint32_t)((double)count * 0.99);
    return samples[below < count ? below : count - 1];
}

static void hitch_report(bench_row *row, hitch_samples *samples)
{
    const uint32_t measured = samples->measured_count;
    const double own = hitch_p99(samples->own, measured);
    const bench_spread spread = bench_spread_of(samples->own, measured);
    row->ours = (bench_spread){ own, spread.p10, spread.p90 };
    row->pairs = measured;
    bench_add_counter(row, "frames_judged", measured);
    bench_add_counter(row, "ms_median", spread.median);
    bench_add_counter(row, "ms_most", samples->own[measured - 1]);
    bench_add_counter(row, "ms_in_webgpu", bench_spread_of(samples->webgpu, measured).median);
    bench_add_counter(row, "ms_p99_in_webgpu", hitch_p99(samples->webgpu, measured));
    bench_add_counter(row, "frames_without_a_clock", samples->count);
    bench_add_counter(row, "ms_with_webgpu", bench_spread_of(samples->all, samples->count).median);
    bench_add_counter(row, "ms_p99_with_webgpu", hitch_p99(samples->all, samples->count));
    bench_add_counter(row, "ms_most_with_webgpu", samples->all[samples->count - 1]);
    bench_add_counter(row, "ms_p99_of_all_frames", hitch_p99(samples->every, samples->every_count));
    bench_add_counter(row, "ms_p99_wall", hitch_p99(samples->wall, samples->count));
    const double loop = hitch_p99(samples->loop, samples->count);
    bench_add_counter(row, "ms_loop", bench_spread_of(samples->loop, samples->count).median);
    bench_add_counter(row, "ms_p99_loop", loop);
    if (loop >= HITCH_BAR_MS) {
        row->not_judged =
            "a loop that is always the same is over the bar, too: others take the CPU";
    }
}

static void hitch_samples_free(hitch_samples *samples)
{
    free(samples->all);
    free(samples->wall);
    free(samples->loop);
    free(samples->every);
    free(samples->own);
    free(samples->webgpu);
}

void bench_shader_hitch(bench_run *run, bench_row *row, uint64_t argument)
{
    static uint32_t wanted[HITCH_PIXELS];
    hitch_world world = { .gpu = bench_gpu_open(row) };
    if (world.gpu == NULL) {
        return;
    }
    const bool hardware = world.gpu->place == BENCH_PLACE_HARDWARE && !run->quick;
    const uint32_t rounds = hardware ? HITCH_ROUNDS : 2;
    const uint32_t octaves = hardware ? BENCH_WGSL_OCTAVES : HITCH_SOFT_OCTAVES;
    const uint32_t asked = run->quick ? 3 * HITCH_A_FRAME : (uint32_t)argument;
    world.wanted = HITCH_FIRST + asked;
    world.sources = bench_alloc(world.wanted, sizeof *world.sources);
    hitch_samples samples = { 0 };
    hitch_samples_init(&samples, rounds);
    hitch_counts counts = { 0 };
    for (uint32_t round = 1; round < rounds; ++round) {
        hitch_fill(&world, octaves);
        hitch_round(&world, NULL, round % 2 == 0, &samples, &counts);
    }
    hitch_fill(&world, octaves);
    hitch_wanted(&world, wanted);
    hitch_round(&world, wanted, true, &samples, &counts);
    uint64_t waits = 0;
    const uint32_t not_whole = hitch_waiting(&world, wanted, &waits);
    hitch_report(row, &samples);
    bench_add_counter(row, "asked_for", asked);
    bench_add_counter(row, "rounds", rounds);
    bench_add_counter(row, "frames_until_all_are_ready", (double)counts.frames_until_ready);
    bench_add_counter(row, "draws_left_out", (double)counts.unready);
    bench_add_counter(row, "empty_cells_half_way", (double)counts.empty_half_way);
    bench_add_limited(row, "empty_cells_not_told", (double)counts.not_told, 0);
    bench_add_limited(row, "wrong_cells", (double)counts.wrong, 0);
    bench_add_limited(row, "empty_cells_at_last", (double)counts.lacking, 0);
    bench_add_limited(row, "waits_of_passes_that_skip", (double)counts.waits, 0);
    bench_add_limited(row, "compiled_twice",
                      (double)counts.pipeline_misses - (double)rounds * world.wanted, 0);
    bench_add_counter(row, "waits_of_passes_that_wait", (double)waits);
    bench_add_limited(row, "wrong_cells_of_passes_that_wait", not_whole, 0);
    hitch_samples_free(&samples);
    free(world.sources);
}
