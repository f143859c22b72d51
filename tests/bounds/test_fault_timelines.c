/*
 * GPU objects are released after their last work, soon after it, whatever completes when; idle
 * programs do not grow.
 *
 * A timeline is the life of one GPU object: made, named by submits, given up by a destroy or a
 * resize, released. The simulator tells when the object is released, the test knows which submits
 * name it and which are complete.
 */
#include "bounds.h"

#include "pool/pool_state.h"

#include <inttypes.h>

#define LIVE  24u
#define GIVEN 512u
#define DELAY 2u
#define NEVER UINT64_MAX
#define SIZE  64u

typedef struct life {
    WGPUBuffer gpu;
    uint64_t named;    /* newest submit that names it; NEVER = the open recording does */
    uint64_t given_up; /* frame */
    uint64_t serial;   /* newest submit when it was given up and no recording was open */
    bool waits;        /* given up while a recording was open */
} life;

typedef struct timelines {
    bounds_world w;
    gpool_buffer buffers[LIVE];
    life live[LIVE];
    uint64_t live_count;
    life given[GIVEN];
    uint64_t given_count;
    uint64_t seed;
    uint64_t base;      /* serials of the device go on where those of one before it ended */
    uint64_t done;      /* what the GPU has done */
    uint64_t told;      /* what the device said so far */
    uint64_t frame_end; /* newest submit at the end of the frame before the newest */
    uint64_t frame_last;
    uint64_t lives; /* ended */
    bool in_frame;
    bool recording;
    bool shuffled; /* completions are told in any order */
} timelines;

static uint64_t pick(timelines *t, uint64_t limit)
{
    return unit_random_below(&t->seed, limit);
}

static uint64_t submitted(timelines *t)
{
    return sim_submitted(t->w.s);
}

static WGPUBuffer gpu_of(timelines *t, gpool_buffer buffer)
{
    const gpool__slot_head *head =
        gpool__table_get(&t->w.pool->tables[GPOOL_KIND_BUFFER], buffer.id);
    return ((const gpool__buffer *)(const void *)head)->gpu;
}

static bool is_held(timelines *t, const life *l)
{
    uint8_t byte;
    return sim_read_buffer(t->w.s, l->gpu, 0, &byte, 1);
}

/* A submit went out: what the recording names has its serial. */
static void note_submit(timelines *t)
{
    for (uint64_t i = 0; i < t->live_count; ++i) {
        t->live[i].named = t->live[i].named == NEVER ? submitted(t) : t->live[i].named;
    }
    for (uint64_t i = 0; i < t->given_count; ++i) {
        life *l = &t->given[i];
        l->named = l->named == NEVER ? submitted(t) : l->named;
        if (l->waits) {
            l->waits = false;
            l->serial = submitted(t);
        }
    }
    t->recording = false;
}

/* Released ones must have been free to go; held ones must not be late when `swept`. */
static void check(timelines *t, bool by_serial, bool swept)
{
    uint64_t told = gpool_device_done(t->w.device) - t->base;
    uint64_t frame = gpool_frame(t->w.pool);
    uint64_t kept = 0;
    bounds_must(&t->w, told >= t->told && told <= t->done, "serials only rise, up to what is done",
                told, t->told);
    t->told = told;
    for (uint64_t i = 0; i < t->given_count; ++i) {
        const life *l = &t->given[i];
        bool delayed = !by_serial && frame - l->given_up < DELAY;
        if (is_held(t, l)) {
            if (swept && !l->waits && l->serial <= told && !delayed) {
                fail_msg("kept: given up in frame %" PRIu64 " at submit %" PRIu64 ", now %" PRIu64
                         " with %" PRIu64 " done",
                         l->given_up, l->serial, frame, told);
            }
            t->given[kept++] = *l;
            continue;
        }
        t->lives += 1;
        if (l->named > t->done || l->waits || delayed) {
            fail_msg("released early: named by submit %" PRIu64 " of %" PRIu64
                     " done, given up in frame %" PRIu64 " of %" PRIu64,
                     l->named, t->done, l->given_up, frame);
        }
    }
    t->given_count = kept;
    for (uint64_t i = 0; i < t->live_count; ++i) {
        bounds_must(&t->w, is_held(t, &t->live[i]), "a live object is released", i, 0);
    }
}

static void give_up(timelines *t, life l)
{
    l.given_up = gpool_frame(t->w.pool);
    l.waits = t->recording;
    l.serial = submitted(t);
    assert_true(t->given_count < GIVEN);
    t->given[t->given_count++] = l;
}

static void create(timelines *t)
{
    if (t->live_count == LIVE || t->given_count + LIVE > GIVEN) {
        return;
    }
    static const gpool_buffer_usage usages[] = {
        GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_COPY_SOURCE,
        GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_STORAGE_WRITE,
    };
    gpool_buffer buffer = bounds_buffer(&t->w, NULL, SIZE, usages[pick(t, 2)]);
    t->buffers[t->live_count] = buffer;
    t->live[t->live_count++] = (life){ .gpu = gpu_of(t, buffer) };
}

static void destroy(timelines *t)
{
    if (t->live_count > 0) {
        uint64_t i = pick(t, t->live_count);
        bounds_good(&t->w, gpool_buffer_destroy(t->w.pool, t->buffers[i]));
        give_up(t, t->live[i]);
        t->live_count -= 1;
        t->buffers[i] = t->buffers[t->live_count];
        t->live[i] = t->live[t->live_count];
    }
}

static void resize(timelines *t)
{
    if (t->live_count == 0 || t->given_count + LIVE > GIVEN) {
        return;
    }
    uint64_t i = pick(t, t->live_count);
    life old = t->live[i];
    gpool_buffer_info info;
    bounds_good(&t->w, gpool_buffer_get_info(t->w.pool, t->buffers[i], &info));
    uint64_t size = SIZE + 4 * pick(t, 8);
    uint64_t before = submitted(t);
    gpool_result got = gpool_buffer_resize(t->w.pool, t->buffers[i], size);
    if (got == GPOOL_ERROR_RECORDED) {
        bounds_must(&t->w, old.named == NEVER, "a recording names it", i, 0);
        return;
    }
    bounds_good(&t->w, got);
    if (size != info.size) {
        t->live[i].gpu = gpu_of(t, t->buffers[i]);
        if (submitted(t) > before) { /* the copy names both */
            old.named = submitted(t);
            t->live[i].named = submitted(t);
        }
        give_up(t, old);
    }
}

static void record(timelines *t)
{
    if (t->in_frame && t->live_count >= 2) {
        uint64_t from = pick(t, t->live_count);
        uint64_t to = (from + 1 + pick(t, t->live_count - 1)) % t->live_count;
        gpool_recorder rec = gpool_frame_recorder(t->w.pool);
        gpool_copy_buffer(rec, t->buffers[from], 0, t->buffers[to], 0, 4 * pick(t, 16));
        t->live[from].named = NEVER;
        t->live[to].named = NEVER;
        t->recording = true;
    }
}

static void write(timelines *t)
{
    if (t->live_count > 0) {
        uint32_t word = (uint32_t)pick(t, 1000) + 1;
        gpool_buffer buffer = t->buffers[pick(t, t->live_count)];
        bounds_good(&t->w, gpool_buffer_write(t->w.pool, buffer, 4 * pick(t, 16), &word, 4));
    }
}

/* The GPU completes some submits, in order or told in any order: one done, all before it are. */
static void complete(timelines *t, uint64_t last)
{
    while (t->done < last) {
        uint64_t next = t->done + 1 + (t->shuffled ? pick(t, last - t->done) : 0);
        (void)sim_complete(t->w.s, next);
        t->done = next;
    }
    if (t->shuffled) { /* the late ones, told when the newest is told already */
        bounds_good(&t->w, gpool_device_poll(t->w.device));
        for (uint64_t serial = last > 8 ? last - 8 : 1; serial <= last; ++serial) {
            (void)sim_complete(t->w.s, serial);
        }
    }
}

static void step(timelines *t)
{
    gpool *pool = t->w.pool;
    switch (pick(t, 16)) {
    case 0:
    case 1:
    case 2:
        create(t);
        break;
    case 3:
    case 4:
        destroy(t);
        break;
    case 5:
        resize(t);
        break;
    case 6:
    case 7:
        record(t);
        break;
    case 8:
        write(t);
        break;
    case 9:
        complete(t, t->done + pick(t, submitted(t) - t->done + 1));
        check(t, false, false);
        break;
    case 10:
        bounds_good(&t->w, gpool_tick(pool));
        check(t, true, true);
        break;
    case 11:
        bounds_good(&t->w, gpool_process_uploads(pool));
        break;
    case 12:
        bounds_good(&t->w, gpool_process_deletions(pool));
        check(t, false, true);
        break;
    case 13:
        if (t->in_frame) {
            bounds_good(&t->w, gpool_submit(pool));
            note_submit(t);
        }
        break;
    default:
        if (t->in_frame) {
            bounds_good(&t->w, gpool_end_frame(pool));
            note_submit(t);
            t->in_frame = false;
            t->frame_end = t->frame_last;
            t->frame_last = submitted(t);
            check(t, false, true);
        } else {
            complete(t, t->frame_end); /* what begin_frame waits for */
            bounds_good(&t->w, gpool_begin_frame(pool));
            t->in_frame = true;
        }
        break;
    }
}

static void finish(timelines *t)
{
    if (t->in_frame) {
        bounds_good(&t->w, gpool_end_frame(t->w.pool));
        note_submit(t);
        t->in_frame = false;
    }
    while (t->live_count > 0) {
        destroy(t);
    }
    bounds_good(&t->w, gpool_process_uploads(t->w.pool));
    complete(t, submitted(t));
    bounds_good(&t->w, gpool_tick(t->w.pool));
    check(t, true, true);
    assert_same(t->given_count, 0);
    assert_same(bounds_stats(&t->w).retired_count, 0);
}

static void open_timelines(timelines *t, void **state, uint64_t seed)
{
    *t = (timelines){ .seed = seed };
    sim_desc manners = { .personality = bounds_personality(state), .memory = BOUNDS_MEMORY };
    bounds_open_desc(&t->w, &manners, NULL);
    sim_set_completion(t->w.s, SIM_COMPLETE_MANUALLY, 0);
    t->done = submitted(t);
    t->frame_end = t->done;
    t->frame_last = t->done;
    t->base = gpool_device_submitted(t->w.device) - t->done;
    assert_same(gpool_device_done(t->w.device), t->base + t->done);
}

static void close_timelines(timelines *t)
{
    finish(t);
    sim_set_completion(t->w.s, SIM_COMPLETE_AT_POLL, 0);
    bounds_close(&t->w);
}

/* GPOOL_BOUNDS_TIMELINES sets how many, 10^6 for a release; the seed is printed. */
static uint64_t wanted_timelines(void)
{
    const char *wanted = getenv("GPOOL_BOUNDS_TIMELINES");
    return wanted != NULL ? strtoull(wanted, NULL, 0) : 10000;
}

static void fault_row_20_objects_outlive_their_work_and_not_by_much(void **state)
{
    static timelines t;
    const char *seed = getenv("GPOOL_BOUNDS_SEED");
    uint64_t number = seed != NULL ? strtoull(seed, NULL, 0) : 20;
    print_message("seed %" PRIu64 "\n", number);
    open_timelines(&t, state, number);
    uint64_t wanted = wanted_timelines();
    while (t.lives < wanted) {
        step(&t);
    }
    close_timelines(&t);
    print_message("%" PRIu64 " timelines\n", t.lives);
}

static void fault_row_22_completions_are_told_in_any_order(void **state)
{
    static timelines t;
    open_timelines(&t, state, 22);
    t.shuffled = true;
    while (t.lives < wanted_timelines() / 10) {
        step(&t);
    }
    close_timelines(&t);
}

/* Frames near the last number, and over it: nothing goes early, and a tick frees the rest. */
static void fault_row_22_frame_numbers_end(void **state)
{
    static timelines t;
    for (uint64_t before = 0; before < 12; ++before) {
        open_timelines(&t, state, before);
        t.w.pool->frame = UINT64_MAX - before;
        for (int i = 0; i < 24; ++i) {
            create(&t);
            create(&t);
            complete(&t, t.frame_end);
            bounds_good(&t.w, gpool_begin_frame(t.w.pool));
            t.in_frame = true;
            record(&t);
            destroy(&t);
            bounds_good(&t.w, gpool_end_frame(t.w.pool));
            note_submit(&t);
            t.in_frame = false;
            t.frame_end = t.frame_last;
            t.frame_last = submitted(&t);
            check(&t, false, false);
        }
        close_timelines(&t);
    }
}

/* Serials that need more than 32 bits, as a 32-bit pointer would carry them. */
static void fault_row_22_serials_pass_32_bits(void **state)
{
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    gpool__events *events = w.device->events;
    const uint64_t start = (UINT64_C(1) << 32) - 4;
    bounds_settle(&w);
    atomic_store(&events->submitted, start);
    atomic_store(&events->done, start);
    for (uint32_t i = 0; i < 8; ++i) {
        gpool_buffer buffer = bounds_buffer(&w, &i, 4, GPOOL_BUFFER_READ_BACK);
        bounds_same(&w, buffer, (const uint8_t *)&i, 4);
        bounds_good(&w, gpool_buffer_destroy(w.pool, buffer));
        bounds_good(&w, gpool_tick(w.pool));
        assert_same(bounds_stats(&w).retired_count, 0);
        assert_same(gpool_device_done(w.device), gpool_device_submitted(w.device));
        assert_same(gpool__device_done(w.device), start + 1 + i);
    }
    bounds_close(&w);
}

/* --- idle programs --- */

typedef struct footprint {
    uint64_t cpu_bytes, internal_bytes, gpu_objects, kept, kept_bytes, allocations, bind_groups;
} footprint;

static footprint footprint_of(const bounds_world *w)
{
    gpool_stats stats = bounds_stats(w);
    return (footprint){ .cpu_bytes = stats.cpu_bytes,
                        .internal_bytes = stats.internal_bytes,
                        .gpu_objects = stats.gpu_objects,
                        .kept = sim_kept(w->s, SIM_KIND_NONE),
                        .kept_bytes = sim_kept_bytes(w->s),
                        .allocations = stats.allocations,
                        .bind_groups = stats.bind_groups };
}

static void same_footprint(const footprint *before, const footprint *now, bool strict)
{
    assert_same(now->cpu_bytes, before->cpu_bytes);
    assert_same(now->internal_bytes, before->internal_bytes);
    assert_same(now->kept, before->kept);
    assert_same(now->kept_bytes, before->kept_bytes);
    assert_same(now->bind_groups, before->bind_groups);
    if (strict) {
        assert_same(now->gpu_objects, before->gpu_objects);
        assert_same(now->allocations, before->allocations);
    }
}

/* A hidden window: frames begin and end, nothing is recorded. A frame costs one poll. */
static void fault_row_23_a_hundred_thousand_empty_frames(void **state)
{
    bounds_world w;
    bounds_open(&w, bounds_personality(state), NULL);
    (void)bounds_begin(&w);
    bounds_end(&w, false);
    footprint before = footprint_of(&w);
    uint64_t calls = bounds_stats(&w).gpu_calls;
    uint64_t submits = sim_submitted(w.s);
    for (int i = 0; i < 100000; ++i) {
        bounds_good(&w, gpool_begin_frame(w.pool));
        if (i % 2 != 0) {
            (void)gpool_frame_recorder(w.pool);
        }
        bounds_good(&w, gpool_end_frame(w.pool));
    }
    footprint now = footprint_of(&w);
    same_footprint(&before, &now, true);
    assert_same(bounds_stats(&w).gpu_calls - calls, 100000);
    assert_same(sim_submitted(w.s), submits);
    bounds_close(&w);
}

/* Work goes on in a hidden window: things are made, written, destroyed; nothing is recorded. */
static void idle_work(bounds_world *w, uint32_t i)
{
    uint32_t word = i;
    gpool_buffer_desc buffer_desc = { .size = 256,
                                      .usage = GPOOL_BUFFER_STORAGE_WRITE,
                                      .label = "hidden" };
    gpool_texture_desc texture_desc = { .width = 8,
                                        .height = 8,
                                        .format = WGPUTextureFormat_R8Unorm,
                                        .usage = GPOOL_TEXTURE_SAMPLED,
                                        .label = "hidden" };
    gpool_buffer buffer = gpool_buffer_create(w->pool, &buffer_desc);
    gpool_texture texture = gpool_texture_create(w->pool, &texture_desc);
    bounds_good(w, gpool_buffer_write(w->pool, buffer, 0, &word, 4));
    uint8_t texels[64] = { (uint8_t)i };
    bounds_good(w, gpool_texture_write(w->pool, texture, NULL, texels, sizeof texels, 0));
    bounds_good(w, gpool_buffer_destroy(w->pool, buffer));
    bounds_good(w, gpool_texture_destroy(w->pool, texture));
}

static void fault_row_23_hidden_work_does_not_grow(void **state)
{
    for (int with_frames = 0; with_frames < 2; ++with_frames) {
        bounds_world w;
        bounds_open(&w, bounds_personality(state), NULL);
        footprint before = { 0 };
        for (uint32_t i = 0; i < 4000; ++i) {
            if (with_frames != 0) {
                bounds_good(&w, gpool_begin_frame(w.pool));
            }
            idle_work(&w, i);
            bounds_good(&w, with_frames != 0 ? gpool_end_frame(w.pool) : gpool_tick(w.pool));
            if (i == 99) {
                before = footprint_of(&w);
            }
        }
        footprint now = footprint_of(&w);
        same_footprint(&before, &now, false);
        bounds_close(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        BOUNDS_TEST(fault_row_20_objects_outlive_their_work_and_not_by_much),
        BOUNDS_TEST(fault_row_22_completions_are_told_in_any_order),
        BOUNDS_TEST(fault_row_22_frame_numbers_end),
        BOUNDS_TEST(fault_row_22_serials_pass_32_bits),
        BOUNDS_TEST(fault_row_23_a_hundred_thousand_empty_frames),
        BOUNDS_TEST(fault_row_23_hidden_work_does_not_grow),
    };
    return cmocka_run_group_tests_name("fault timelines", tests, NULL, NULL);
}
