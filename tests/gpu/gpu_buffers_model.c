/*
 * Buffers against plain byte arrays: random creates, imports, writes, edits, resizes, recorded writes,
 * copies, clears and dispatches, reads, destroys and frames, with uploads forced to each way in turn
 * and mixed. GPOOL_TEST_SEED gives another run, GPOOL_TEST_STEPS a longer one: steps for each pool.
 */
#include "gpu/fixture.h"

#include <stdlib.h>
#include <string.h>

int gpu_buffers_model_run(void);

#define STEPS   700u
#define LIVE    24u
#define LARGEST 20000u
#define COPIES  12u
#define POOLS   (GPOOL_UPLOAD_COUNT + 2) /* each way, and two that are mixed */

/* What a buffer must hold; lives until no recorded copy names it. */
typedef struct model {
    gpool_buffer handle;
    uint8_t bytes[LARGEST];
    uint64_t size;
    bool writable; /* commands may write it: whole words only */
    bool storage;  /* a shader may */
    bool imported;
    bool gpu_written;
    bool recorded;
    bool dead;
} model;

typedef enum model_command_kind {
    MODEL_COPY,
    MODEL_CLEAR,
    MODEL_WRITE,
    MODEL_WORK
} model_command_kind;

/* What is recorded. */
typedef struct model_copy {
    model_command_kind kind;
    model *from; /* of a copy */
    model *to;
    uint64_t from_offset, to_offset, size;
    uint8_t *data; /* of a write */
} model_copy;

typedef struct world {
    fixture *f;
    uint64_t seed;
    model *models[LIVE];
    model_copy copies[COPIES];
    uint32_t copy_count;
    gpool_upload_way way; /* AUTO: the pool chooses */
    gpool_layout layout;
    gpool_pipeline work;
    bool in_frame;
    uint32_t reads;
    uint32_t counts[4]; /* of commands that ran, by kind */
    uint32_t edits, explained;
} world;

/* What a dispatch does to every word. */
static const char work_wgsl[] =
    "@group(0) @binding(0) var<storage, read_write> words: array<u32>;\n"
    "@compute @workgroup_size(64) fn main(@builtin(global_invocation_id) id: vec3u) {\n"
    "    if (id.x < arrayLength(&words)) { words[id.x] = words[id.x] * 3u + id.x; }\n"
    "}\n";

static void work_on(uint8_t *bytes, uint64_t size)
{
    for (uint32_t i = 0; i < size / 4; ++i) {
        uint32_t word;
        memcpy(&word, bytes + (size_t)i * 4, 4);
        word = word * 3u + i;
        memcpy(bytes + (size_t)i * 4, &word, 4);
    }
}

static uint32_t pick(world *w, uint32_t below)
{
    return fixture_random(&w->seed, below);
}

/* Sizes around the borders that matter, and any other. */
static uint64_t pick_size(world *w)
{
    static const uint64_t borders[] = { 1, 4, 63, 64, 65, 252, 255, 256, 257, 4096, 4160 };
    const uint32_t count = sizeof borders / sizeof borders[0];
    if (pick(w, 4) == 0) {
        return 16384 + pick(w, LARGEST - 16384); /* may be scattered to */
    }
    return pick(w, 3) == 0 ? borders[pick(w, count)] : 1 + pick(w, 6000);
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
    m->gpu_written = m->storage = pick(w, 4) == 0;
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

static void step_import(world *w, uint32_t index)
{
    const gpool_gpu *table = gpool_device_gpu(w->f->device);
    model *m = calloc(1, sizeof *m);
    assert_non_null(m);
    m->size = 4 + pick(w, 600) * 4;
    m->imported = m->writable = m->gpu_written = true;
    WGPUBufferDescriptor desc = { .usage = WGPUBufferUsage_CopySrc | WGPUBufferUsage_CopyDst,
                                  .size = m->size };
    WGPUBuffer raw = table->DeviceCreateBuffer(gpool_device_raw(w->f->device), &desc);
    gpool_buffer_import_desc import = {
        .buffer = raw,
        .usage = GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_READ_BACK,
    };
    m->handle = gpool_buffer_import(w->f->pool, &import);
    table->BufferRelease(raw);
    assert_int_not_equal(m->handle.id, 0);
    w->models[index] = m;
}

/* By one of the three calls. */
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
    uint32_t call = pick(w, 3);
    if (call == 0 && !m->gpu_written && size > 0) {
        uint8_t *memory = gpool_buffer_edit(w->f->pool, m->handle, offset, size);
        assert_non_null(memory);
        assert_bytes(memory, m->bytes + offset, size);
        memcpy(memory, data, size);
        w->edits += 1;
    } else if (call == 1 && offset % 12 == 0 && size % 12 == 0) {
        assert_good(
            gpool_buffer_write_elements(w->f->pool, m->handle, offset / 12, size / 12, 12, data));
    } else {
        assert_good(gpool_buffer_write(w->f->pool, m->handle, offset, data, size));
    }
    memcpy(m->bytes + offset, data, size);
}

static void step_explain(world *w, model *m)
{
    gpool_upload_info info;
    assert_good(gpool_upload_explain(w->f->pool, m->handle, &info));
    assert_int_equal(info.next != GPOOL_UPLOAD_AUTO, info.dirty_bytes > 0);
    if (info.dirty_bytes > 0) {
        assert_true(info.ns[info.next] >= 0.0f);
        assert_true(info.why != GPOOL_UPLOAD_REASON_FORCED || info.next == w->way);
        w->explained += 1;
    }
}

static void step_resize(world *w, model *m)
{
    if (m->imported) {
        return;
    }
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

static void record(world *w, model_copy command)
{
    command.to->recorded = true;
    command.to->gpu_written = true;
    if (command.from != NULL) {
        command.from->recorded = true;
    }
    w->copies[w->copy_count++] = command;
}

/* Records a command that writes `to`, whole words. */
static void step_command(world *w, model *from, model *to)
{
    if (!w->in_frame || w->copy_count == COPIES || from == to || !to->writable) {
        return;
    }
    gpool_recorder rec = gpool_frame_recorder(w->f->pool);
    model_copy c = { .kind = (model_command_kind)pick(w, 4), .to = to };
    uint64_t least =
        c.kind == MODEL_COPY && from != NULL && from->size < to->size ? from->size : to->size;
    c.size = (1 + pick(w, (uint32_t)least)) / 4 * 4;
    if (c.size == 0) {
        return;
    }
    c.to_offset = pick(w, (uint32_t)(to->size - c.size) + 1) / 4 * 4;
    if (c.kind == MODEL_WORK && to->storage) {
        gpool_binding binding = { .buffer = to->handle };
        gpool_begin_compute(rec, "work");
        gpool_set_pipeline(rec, w->work);
        gpool_set_bindings(rec, 0, w->layout, &binding, 1, NULL, 0);
        gpool_dispatch(rec, (uint32_t)(to->size / 4 + 63) / 64, 1, 1);
        gpool_end_pass(rec);
    } else if (c.kind == MODEL_COPY && from != NULL) {
        c.from = from;
        c.from_offset = pick(w, (uint32_t)(from->size - c.size) + 1) / 4 * 4;
        gpool_copy_buffer(rec, from->handle, c.from_offset, to->handle, c.to_offset, c.size);
    } else if (c.kind == MODEL_CLEAR) {
        gpool_clear_buffer(rec, to->handle, c.to_offset, c.size);
    } else {
        c.kind = MODEL_WRITE;
        c.data = malloc(c.size);
        assert_non_null(c.data);
        pick_bytes(w, c.data, c.size);
        gpool_record_write(rec, to->handle, c.to_offset, c.data, c.size);
    }
    record(w, c);
}

static void run_copy(world *w, model_copy *c)
{
    uint8_t *target = c->to->bytes + c->to_offset;
    w->counts[c->kind] += 1;
    switch (c->kind) {
    case MODEL_COPY:
        memcpy(target, c->from->bytes + c->from_offset, c->size);
        break;
    case MODEL_CLEAR:
        memset(target, 0, c->size);
        break;
    case MODEL_WRITE:
        memcpy(target, c->data, c->size);
        free(c->data);
        break;
    case MODEL_WORK:
        work_on(c->to->bytes, c->to->size);
        break;
    }
}

/* Runs the recorded commands on the models, in order. */
static void run_copies(world *w)
{
    for (uint32_t i = 0; i < w->copy_count; ++i) {
        run_copy(w, &w->copies[i]);
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
        if (pick(w, 8) == 0) {
            step_import(w, index);
        } else {
            step_create(w, index);
        }
        return;
    }
    uint32_t choice = pick(w, 24);
    if (choice < 8) {
        step_write(w, m);
    } else if (choice < 10) {
        step_resize(w, m);
    } else if (choice < 13) {
        step_read(w, m);
    } else if (choice < 14) {
        step_destroy(w, index);
    } else if (choice < 19) {
        step_command(w, pick(w, 5) == 0 ? NULL : w->models[pick(w, LIVE)], m);
    } else if (choice < 20) {
        step_explain(w, m);
    } else {
        step_frame(w);
    }
}

/* All buffers hold what they must, and go; nothing is left. */
static void end_pool(world *w)
{
    if (w->in_frame) {
        assert_good(gpool_end_frame(w->f->pool));
        run_copies(w);
        w->in_frame = false;
    }
    for (uint32_t i = 0; i < LIVE; ++i) {
        if (w->models[i] != NULL) {
            assert_buffer(w->f, w->models[i]->handle, 0, w->models[i]->bytes, w->models[i]->size);
            assert_good(gpool_buffer_destroy(w->f->pool, w->models[i]->handle));
            free(w->models[i]);
            w->models[i] = NULL;
        }
    }
    assert_good(gpool_pipeline_destroy(w->f->pool, w->work));
    assert_good(gpool_layout_destroy(w->f->pool, w->layout));
    gpool_stats stats = fixture_stats(w->f);
    assert_int_equal(stats.live_count[GPOOL_KIND_BUFFER], 0);
    assert_int_equal(stats.live_bytes[GPOOL_KIND_BUFFER], 0);
    assert_int_equal(stats.skipped, 0);
    assert_good(gpool_wait_idle(w->f->pool));
    assert_good(gpool_tick(w->f->pool));
    stats = fixture_stats(w->f);
    assert_int_equal(stats.retired_count, 0);
    assert_int_equal(stats.freed, stats.created);
}

static void begin_pool(world *w, uint32_t number)
{
    /* Without and with what staging costs once: then single ranges go by the queue. */
    static const gpool_upload_costs mixed[2] = {
        { .write_call = 1000.0f,
          .write_byte = 1.0f,
          .copy_call = 500.0f,
          .copy_byte = 0.5f,
          .scatter_fixed = 300.0f,
          .scatter_granule = 8.0f },
        { .write_call = 1000.0f,
          .write_byte = 1.0f,
          .stage_fixed = 900.0f,
          .copy_call = 500.0f,
          .copy_byte = 0.8f,
          .scatter_fixed = 300.0f,
          .scatter_granule = 20.0f },
    };
    const bool is_mixed = number >= GPOOL_UPLOAD_COUNT;
    gpool_layout_entry entry = { .type = GPOOL_BINDING_STORAGE_WRITE };
    w->way = is_mixed ? GPOOL_UPLOAD_AUTO : (gpool_upload_way)number;
    fixture_use_pool(w->f,
                     (gpool_desc){ .compile_workers = GPOOL_WORKERS_NONE,
                                   .upload = { .force = w->way,
                                               .costs = is_mixed ? &mixed[number % 2] : NULL } });
    w->layout = gpool_layout_create(w->f->pool,
                                    &(gpool_layout_desc){ .entries = &entry, .entry_count = 1 });
    w->work =
        fixture_compute(w->f, work_wgsl, (gpool_compute_pipeline_desc){ .layouts = { w->layout } });
}

static uint32_t wanted_steps(void)
{
    const char *steps = getenv("GPOOL_TEST_STEPS");
    return steps != NULL ? (uint32_t)strtoul(steps, NULL, 0) : STEPS;
}

static void buffers_hold_what_plain_arrays_hold(void **state)
{
    world w = { .f = *state, .seed = fixture_seed(20260101) };
    uint64_t chosen[GPOOL_UPLOAD_COUNT] = { 0 };
    const uint32_t steps = wanted_steps();
    for (uint32_t number = 0; number < POOLS; ++number) {
        begin_pool(&w, number);
        for (uint32_t i = 0; i < steps; ++i) {
            step(&w);
        }
        const gpool_stats stats = fixture_stats(w.f);
        print_message("%s, %u: %llu direct, %llu merged, %llu scatter, %llu whole\n",
                      gpool_upload_way_name(w.way), number,
                      (unsigned long long)stats.upload_calls[GPOOL_UPLOAD_DIRECT],
                      (unsigned long long)stats.upload_calls[GPOOL_UPLOAD_MERGED],
                      (unsigned long long)stats.upload_calls[GPOOL_UPLOAD_SCATTER],
                      (unsigned long long)stats.upload_calls[GPOOL_UPLOAD_WHOLE]);
        assert_true(w.way == GPOOL_UPLOAD_AUTO || stats.upload_calls[w.way] > steps / 50);
        for (int way = GPOOL_UPLOAD_DIRECT; way < GPOOL_UPLOAD_COUNT; ++way) {
            chosen[way] += w.way == GPOOL_UPLOAD_AUTO ? stats.upload_calls[way] : 0;
        }
        end_pool(&w);
    }
    print_message("%u copies, %u clears, %u recorded writes, %u dispatches, %u edits, %u reads\n",
                  w.counts[MODEL_COPY], w.counts[MODEL_CLEAR], w.counts[MODEL_WRITE],
                  w.counts[MODEL_WORK], w.edits, w.reads);
    const uint32_t least = steps / 50;
    assert_true(w.reads > least && w.edits > least && w.explained > 0);
    for (int kind = 0; kind < 4; ++kind) {
        assert_true(w.counts[kind] > least);
    }
    for (int way = GPOOL_UPLOAD_DIRECT; way < GPOOL_UPLOAD_COUNT; ++way) {
        assert_true(chosen[way] > least);
    }
}

int gpu_buffers_model_run(void)
{
    static const struct CMUnitTest tests[] = { FIXTURE_TEST(buffers_hold_what_plain_arrays_hold) };
    return FIXTURE_RUN("buffers_model", tests);
}
