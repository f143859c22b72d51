/*
 * Buffers against plain byte arrays: 2000 random creates, writes, resizes, recorded copies and
 * clears, reads, destroys and frames. GPOOL_TEST_SEED gives another run.
 */
#include "gpu/fixture.h"

#include <stdlib.h>
#include <string.h>

int gpu_buffers_model_run(void);

#define STEPS   2000
#define LIVE    24u
#define LARGEST 6000u
#define COPIES  8u

/* What a buffer must hold; lives until no recorded copy names it. */
typedef struct model {
    gpool_buffer handle;
    uint8_t bytes[LARGEST];
    uint64_t size;
    bool writable; /* commands may write it: whole words only */
    bool gpu_written;
    bool recorded;
    bool dead;
} model;

/* A recorded copy, or a clear where `from` is NULL. */
typedef struct model_copy {
    model *from;
    model *to;
    uint64_t from_offset, to_offset, size;
} model_copy;

typedef struct world {
    fixture *f;
    uint64_t seed;
    model *models[LIVE];
    model_copy copies[COPIES];
    uint32_t copy_count;
    bool in_frame;
    uint32_t reads;
} world;

static uint32_t pick(world *w, uint32_t below)
{
    return fixture_random(&w->seed, below);
}

/* Sizes around the borders that matter, and any other. */
static uint64_t pick_size(world *w)
{
    static const uint64_t borders[] = { 1, 4, 63, 64, 65, 252, 255, 256, 257, 4096, 4160 };
    const uint32_t count = sizeof borders / sizeof borders[0];
    return pick(w, 3) == 0 ? borders[pick(w, count)] : 1 + pick(w, LARGEST);
}

static void pick_bytes(world *w, uint8_t *bytes, uint64_t size)
{
    for (uint64_t i = 0; i < size; ++i) {
        bytes[i] = (uint8_t)pick(w, 256);
    }
}

static void step_create(world *w, uint32_t index)
{
    model *m = calloc(1, sizeof *m);
    assert_non_null(m);
    m->size = pick_size(w);
    m->gpu_written = pick(w, 4) == 0;
    m->writable = m->gpu_written || pick(w, 2) == 0;
    if (m->writable) {
        m->size = (m->size + 3) / 4 * 4;
    }
    bool data = pick(w, 2) == 0;
    if (data) {
        pick_bytes(w, m->bytes, m->size);
    }
    gpool_buffer_usage usage = GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_READ_BACK;
    usage |= m->writable ? GPOOL_BUFFER_COPY_TARGET : 0;
    usage |= m->gpu_written ? GPOOL_BUFFER_STORAGE_WRITE : GPOOL_BUFFER_VERTEX;
    m->handle = fixture_buffer(w->f, data ? m->bytes : NULL, m->size, usage);
    w->models[index] = m;
}

static void step_write(world *w, model *m)
{
    uint8_t data[LARGEST];
    uint64_t offset = pick(w, (uint32_t)m->size);
    uint64_t size = 1 + pick(w, (uint32_t)(m->size - offset));
    if (pick(w, 2) == 0 && size > 40) {
        size = 1 + pick(w, 40);
    }
    if (m->gpu_written) {
        offset = offset / 4 * 4;
        size = size / 4 * 4;
    }
    pick_bytes(w, data, size);
    assert_good(gpool_buffer_write(w->f->pool, m->handle, offset, data, size));
    memcpy(m->bytes + offset, data, size);
}

static void step_resize(world *w, model *m)
{
    uint64_t size = pick_size(w);
    if (m->writable) {
        size = (size + 3) / 4 * 4;
    }
    gpool_result result = gpool_buffer_resize(w->f->pool, m->handle, size);
    if (m->recorded && size != m->size) {
        assert_result(result, GPOOL_ERROR_RECORDED);
        fixture_expect(w->f, GPOOL_LOG_RECORDED, 1);
        return;
    }
    assert_good(result);
    if (size < m->size) {
        memset(m->bytes + size, 0, m->size - size);
    }
    m->size = size;
}

static void step_read(world *w, model *m)
{
    uint64_t offset = pick(w, 3) == 0 ? pick(w, (uint32_t)m->size) : 0;
    uint64_t size = offset == 0 ? m->size : 1 + pick(w, (uint32_t)(m->size - offset));
    assert_buffer(w->f, m->handle, offset, m->bytes + offset, size);
    w->reads += 1;
}

static void step_destroy(world *w, uint32_t index)
{
    model *m = w->models[index];
    assert_good(gpool_buffer_destroy(w->f->pool, m->handle));
    w->models[index] = NULL;
    m->dead = true;
    if (!m->recorded) {
        free(m);
    }
}

static void step_copy(world *w, model *from, model *to)
{
    if (!w->in_frame || w->copy_count == COPIES || from == to || !to->writable) {
        return;
    }
    gpool_recorder rec = gpool_frame_recorder(w->f->pool);
    bool clear = from == NULL;
    uint64_t least = clear || to->size < from->size ? to->size : from->size;
    uint64_t size = (1 + pick(w, (uint32_t)least)) / 4 * 4;
    if (size == 0) {
        return;
    }
    uint64_t from_offset = clear ? 0 : pick(w, (uint32_t)(from->size - size) + 1) / 4 * 4;
    uint64_t to_offset = pick(w, (uint32_t)(to->size - size) + 1) / 4 * 4;
    if (clear) {
        gpool_clear_buffer(rec, to->handle, to_offset, size);
    } else {
        gpool_copy_buffer(rec, from->handle, from_offset, to->handle, to_offset, size);
        from->recorded = true;
    }
    to->recorded = true;
    to->gpu_written = true;
    w->copies[w->copy_count++] = (model_copy){ from, to, from_offset, to_offset, size };
}

/* Runs the recorded copies on the models, in order. */
static void run_copies(world *w)
{
    for (uint32_t i = 0; i < w->copy_count; ++i) {
        const model_copy *copy = &w->copies[i];
        if (copy->from != NULL) {
            memcpy(copy->to->bytes + copy->to_offset, copy->from->bytes + copy->from_offset,
                   copy->size);
        } else {
            memset(copy->to->bytes + copy->to_offset, 0, copy->size);
        }
    }
    model *dead[COPIES * 2];
    uint32_t dead_count = 0;
    for (uint32_t i = 0; i < w->copy_count; ++i) {
        model *named[] = { w->copies[i].from, w->copies[i].to };
        for (int j = 0; j < 2; ++j) {
            if (named[j] != NULL && named[j]->recorded) {
                named[j]->recorded = false;
                if (named[j]->dead) {
                    dead[dead_count++] = named[j];
                }
            }
        }
    }
    for (uint32_t i = 0; i < dead_count; ++i) {
        free(dead[i]);
    }
    w->copy_count = 0;
}

static void step_frame(world *w)
{
    if (!w->in_frame) {
        assert_good(gpool_begin_frame(w->f->pool));
        w->in_frame = true;
        return;
    }
    uint32_t choice = pick(w, 6);
    if (choice == 0) {
        assert_good(gpool_process_uploads(w->f->pool));
    } else if (choice == 1) {
        assert_good(gpool_submit(w->f->pool));
        run_copies(w);
    } else {
        assert_good(gpool_end_frame(w->f->pool));
        run_copies(w);
        w->in_frame = false;
    }
}

static void step(world *w)
{
    uint32_t index = pick(w, LIVE);
    model *m = w->models[index];
    if (m == NULL) {
        step_create(w, index);
        return;
    }
    uint32_t choice = pick(w, 20);
    if (choice < 7) {
        step_write(w, m);
    } else if (choice < 9) {
        step_resize(w, m);
    } else if (choice < 13) {
        step_read(w, m);
    } else if (choice < 14) {
        step_destroy(w, index);
    } else if (choice < 17) {
        step_copy(w, pick(w, 5) == 0 ? NULL : w->models[pick(w, LIVE)], m);
    } else {
        step_frame(w);
    }
}

static void buffers_hold_what_plain_arrays_hold(void **state)
{
    world w = { .f = *state, .seed = fixture_seed(20260101) };
    for (int i = 0; i < STEPS; ++i) {
        step(&w);
    }
    if (w.in_frame) {
        assert_good(gpool_end_frame(w.f->pool));
        run_copies(&w);
    }
    uint64_t live = 0;
    for (uint32_t i = 0; i < LIVE; ++i) {
        if (w.models[i] != NULL) {
            live += 1;
            assert_buffer(w.f, w.models[i]->handle, 0, w.models[i]->bytes, w.models[i]->size);
            assert_good(gpool_buffer_destroy(w.f->pool, w.models[i]->handle));
            free(w.models[i]);
        }
    }
    assert_true(w.reads > 100);
    assert_true(live > 0);
    gpool_stats stats = fixture_stats(w.f);
    assert_int_equal(stats.live_count[GPOOL_KIND_BUFFER], 0);
    assert_int_equal(stats.live_bytes[GPOOL_KIND_BUFFER], 0);
    assert_int_equal(stats.skipped, 0);
    assert_good(gpool_wait_idle(w.f->pool));
    assert_good(gpool_tick(w.f->pool));
    stats = fixture_stats(w.f);
    assert_int_equal(stats.retired_count, 0);
    assert_int_equal(stats.freed, stats.created);
}

int gpu_buffers_model_run(void)
{
    static const struct CMUnitTest tests[] = { FIXTURE_TEST(buffers_hold_what_plain_arrays_hold) };
    return FIXTURE_RUN("buffers_model", tests);
}
