/* A run: a simulator, a device and a pool are made, operations are read and done, all is ended. */
#include "model_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOST_STEPS 8u /* operations on a lost device */

_Static_assert(POOL_MODEL_WAYS == GPOOL_UPLOAD_COUNT + 2, "forced ones, and two that are mixed");

static void *memory_resize(void *user, void *block, size_t old_size, size_t new_size)
{
    model_memory *memory = user;
    size_t *start = block != NULL ? (size_t *)block - 2 : NULL;
    memory->wrong_sizes += (start != NULL ? *start : 0) != old_size;
    if (new_size == 0) {
        memory->blocks -= start != NULL;
        free(start);
        return NULL;
    }
    if (memory->fail_in > 0) {
        memory->fail_in -= memory->fail_in > 1 || !memory->fail_for_ever;
        if (memory->fail_in == 0 || (memory->fail_in == 1 && memory->fail_for_ever)) {
            memory->failed += 1;
            return NULL;
        }
    }
    size_t *fresh = model_must(malloc(2 * sizeof *fresh + new_size));
    memset(fresh + 2, 0xa5, new_size);
    *fresh = new_size;
    if (start != NULL) {
        memcpy(fresh + 2, block, old_size < new_size ? old_size : new_size);
        free(start);
    } else {
        memory->blocks += 1;
    }
    return fresh + 2;
}

static void quiet(void *user, const gpool_log_record *record)
{
    (void)user;
    (void)record;
}

static void fail_gpu(model *m)
{
    /* Any call, or one of those that matter most. */
    static const int functions[] = { GPOOL_GPU_QueueWriteBuffer,     GPOOL_GPU_QueueSubmit,
                                     GPOOL_GPU_DeviceCreateBuffer,   GPOOL_GPU_DeviceCreateTexture,
                                     GPOOL_GPU_CommandEncoderFinish, GPOOL_GPU_QueueWriteTexture };
    uint32_t choice = model_take8(m);
    uint32_t which = model_take8(m);
    uint32_t nth = 1 + which / 16 % 12;
    sim_way way = (sim_way)(choice % 3);
    if (choice >= 250) {
        way = SIM_FAIL_LOST;
    }
    if (m->sim_desc.errors != SIM_ERRORS_INLINE && way != SIM_FAIL_LOST && way != SIM_FAIL_NULL) {
        return; /* errors outside captures come at any time then */
    }
    m->hits_base += sim_fail_hits(m->s);
    int function = which % 16 < 6 ? functions[which % 16] : SIM_ANY_FUNCTION;
    sim_fail(m->s, function, function == SIM_ANY_FUNCTION ? nth : 1 + nth % 3, way,
             choice / 4 % 4 == 0);
    m->losing = way == SIM_FAIL_LOST;
    m->starving = way == SIM_FAIL_OUT_OF_MEMORY;
    m->totals->faults += 1;
    m->fault_span = 1 + choice / 16 % 4;
}

static void fail_memory(model *m)
{
    uint32_t choice = model_take8(m);
    m->memory.fail_in = 1 + choice % 5;
    m->memory.fail_for_ever = choice / 8 % 4 == 0;
    m->totals->faults += 1;
    m->fault_span = 1 + choice / 32 % 4;
}

typedef struct model_operation {
    const char *name;
    void (*run)(model *m);
    uint32_t weight;
} model_operation;

static const model_operation operations[] = {
    { "buffer create", model_buffer_create, 8 },
    { "buffer import", model_buffer_import, 2 },
    { "buffer write", model_buffer_write, 14 },
    { "buffer resize", model_buffer_resize, 5 },
    { "buffer destroy", model_buffer_destroy, 5 },
    { "buffer read", model_buffer_read, 5 },
    { "buffer peek", model_buffer_peek, 3 },
    { "buffer info", model_buffer_info, 2 },
    { "texture create", model_texture_create, 6 },
    { "texture import", model_texture_import, 1 },
    { "texture write", model_texture_write, 5 },
    { "texture resize", model_texture_resize, 3 },
    { "texture destroy", model_texture_destroy, 3 },
    { "texture read", model_texture_read, 4 },
    { "texture info", model_texture_info, 1 },
    { "texture edit", model_texture_edit, 3 },
    { "texture peek", model_texture_peek, 2 },
    { "sampler", model_sampler, 4 },
    { "layout", model_layout, 4 },
    { "scope create", model_scope_create, 4 },
    { "scope end", model_scope_end, 1 },
    { "scope info", model_scope_info, 3 },
    { "move", model_move, 4 },
    { "share", model_share, 3 },
    { "copy buffer", model_copy_buffer, 10 },
    { "clear buffer", model_clear_buffer, 5 },
    { "copy texture", model_copy_texture, 7 },
    { "texture to buffer", model_texture_to_buffer, 7 },
    { "buffer to texture", model_buffer_to_texture, 7 },
    { "draw", model_draw, 8 },
    { "dispatch", model_dispatch, 5 },
    { "ticket read", model_ticket_read, 6 },
    { "ticket poll", model_ticket_poll, 2 },
    { "ticket take", model_ticket_take, 5 },
    { "ticket destroy", model_ticket_destroy, 2 },
    { "begin frame", model_begin_frame, 10 },
    { "submit", model_submit, 3 },
    { "end frame", model_end_frame, 8 },
    { "uploads", model_uploads, 3 },
    { "tick", model_tick, 4 },
    { "external submit", model_external, 1 },
    { "complete", model_complete, 5 },
    { "recover", model_recover, 1 },
    { "fail a call", fail_gpu, 3 },
    { "fail an allocation", fail_memory, 2 },
    /* New ones last: those before keep their numbers, for the corpus. */
    { "record write", model_record_write, 8 },
    { "buffer edit", model_buffer_edit, 6 },
    { "buffer elements", model_buffer_elements, 5 },
    { "upload explain", model_buffer_explain, 2 },
    { "buffer scattered", model_buffer_scattered, 5 },
};

static const model_operation *choose(uint32_t choice)
{
    uint32_t total = 0;
    const size_t count = sizeof operations / sizeof *operations;
    for (size_t i = 0; i < count; ++i) {
        total += operations[i].weight;
    }
    choice %= total;
    size_t i = 0;
    while (choice >= operations[i].weight) {
        choice -= operations[i++].weight;
    }
    return &operations[i];
}

static void disarm(model *m)
{
    sim_fail_none(m->s);
    m->memory.fail_in = 0;
}

static void begin(model *m)
{
    static const sim_completion completions[] = { SIM_COMPLETE_AT_POLL, SIM_COMPLETE_MANUALLY,
                                                  SIM_COMPLETE_AFTER_POLLS,
                                                  SIM_COMPLETE_AT_SUBMIT };
    uint32_t choice = model_take8(m);
    m->operation = "begin";
    m->sim_desc = (sim_desc){
        .personality = (sim_personality)(choice % 2),
        .completion = completions[choice / 2 % 4],
        .polls = 3,
        .delivery = choice / 8 % 2 == 0 ? SIM_DELIVER_AT_POLL : SIM_DELIVER_INLINE,
        .errors = choice / 16 % 4 == 3 ? SIM_ERRORS_INLINE : (sim_errors)(choice / 16 % 4),
        .reuse_handles = choice / 64 % 2 != 0,
        .quiet = true,
    };
    m->s = model_must(sim_create(&m->sim_desc));
    sim_table(m->s, &m->table);
    gpool_device_desc device_desc = { .gpu = &m->table, .log = quiet };
    /* Without and with what staging costs once: then single ranges go by the queue. */
    static const gpool_upload_costs mixed[] = {
        { .write_call = 1000.0f,
          .write_byte = 1.0f,
          .copy_call = 500.0f,
          .copy_byte = 0.5f,
          .scatter_fixed = 300.0f,
          .scatter_buffer = 10.0f,
          .scatter_granule = 8.0f },
        { .write_call = 1000.0f,
          .write_byte = 1.0f,
          .stage_fixed = 900.0f,
          .copy_call = 500.0f,
          .copy_byte = 0.8f,
          .scatter_fixed = 300.0f,
          .scatter_buffer = 10.0f,
          .scatter_granule = 20.0f },
    };
    /* Each way in turn; by the size, so that lists of before mean what they meant. */
    uint32_t way = (uint32_t)(m->input_size % POOL_MODEL_WAYS);
    gpool_desc pool_desc = {
        .compile_workers = GPOOL_WORKERS_NONE,
        .log = quiet,
        .wait_timeout_ms = 1,
        .upload = { .force = way < GPOOL_UPLOAD_COUNT ? (gpool_upload_way)way : GPOOL_UPLOAD_AUTO,
                    .costs = way < GPOOL_UPLOAD_COUNT ? NULL : &mixed[way - GPOOL_UPLOAD_COUNT] },
        .recycle = { .budget = choice / 128 != 0 ? 16384 : 0, .max_age_frames = choice / 128 * 2u },
        .allocator = { .resize = memory_resize, .user = &m->memory }
    };
    if (gpool_device_open(&device_desc, &m->device) != GPOOL_OK ||
        gpool_create(m->device, &pool_desc, &m->pool) != GPOOL_OK) {
        model_fail(m, "no pool");
    }
    model_setup_pipelines(m);
    gpool_stats stats;
    (void)gpool_get_stats(m->pool, &stats);
    m->created = stats.created;
    m->base_layouts = sim_live(m->s, SIM_KIND_BIND_GROUP_LAYOUT);
}

static void one_step(model *m)
{
    const model_operation *operation = choose(model_take8(m));
    m->operation = operation->name;
    m->step += 1;
    m->totals->steps += 1;
    m->hits_before = m->hits_base + sim_fail_hits(m->s) + m->memory.failed;
    m->refused_before = model_refused(m);
    (void)gpool_get_stats(m->pool, &m->before);
    operation->run(m);
    if (m->trace) {
        (void)fprintf(stderr, "%llu %s: %s, hits %llu\n", (unsigned long long)m->step,
                      operation->name, gpool_last_error(m->pool)->message,
                      (unsigned long long)m->hits_base + sim_fail_hits(m->s) + m->memory.failed);
    }
    if (model_refused(m) > m->refused_before) {
        m->unsent = true;
        m->unsent_at = sim_submitted(m->s);
    }
    model_check(m);
    if (operation->run != fail_gpu && operation->run != fail_memory && m->fault_span > 0) {
        m->fault_span -= 1;
        if (m->fault_span == 0) {
            disarm(m);
        }
    }
}

/* Destroys everything and waits: then no object but the pool's own is there. */
static void destroy_all(model *m)
{
    m->operation = "destroy all";
    (void)gpool_process_deletions(m->pool);
    model_drain(m);
    model_free_retired(m, false);
    model_ref ref = { 0 };
    for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
        for (ref.place = 0; ref.place < MODEL_THINGS; ++ref.place) {
            ref.thing = m->things[kind][ref.place];
            for (uint32_t i = 0; ref.thing != NULL && i < ref.thing->references + 1; ++i) {
                gpool_result got = gpool_release(m->pool, ref.thing->id);
                if (got != (i < ref.thing->references ? GPOOL_OK : GPOOL_ERROR_STALE_HANDLE)) {
                    model_fail(m, "release gives %s", gpool_result_name(got));
                }
            }
            model_ended(m, &ref, false);
        }
    }
    model_complete_all(m);
    if (m->in_frame) {
        m->hits_before = 0; /* an old fault may spoil the recording still */
        model_end_frame(m);
        model_complete_all(m);
    }
    sim_set_completion(m->s, SIM_COMPLETE_AT_POLL, 0);
    do {
        m->hits_before = 0;
        (void)model_result(m, gpool_tick(m->pool), GPOOL_OK);
        if (m->lost) {
            return;
        }
        model_free_retired(m, true);
    } while (m->retired_count > m->retired_first);
    model_check(m);
    if (m->gpu_objects[GPOOL_KIND_BUFFER] + m->gpu_objects[GPOOL_KIND_TEXTURE] +
            m->gpu_objects[GPOOL_KIND_SAMPLER] + m->gpu_objects[GPOOL_KIND_LAYOUT] !=
        0) {
        model_fail(m, "retired objects are left when all is done");
    }
}

static void end(model *m, bool all)
{
    disarm(m);
    if (all && !model_is_lost(m)) {
        destroy_all(m);
    }
    m->operation = "end";
    gpool_stats stats;
    (void)gpool_get_stats(m->pool, &stats);
    for (int way = GPOOL_UPLOAD_DIRECT; way < GPOOL_UPLOAD_COUNT; ++way) {
        m->totals->uploads[m->input_size % POOL_MODEL_WAYS][way] += stats.upload_calls[way];
    }
    model_complete_all(m);
    sim_set_completion(m->s, SIM_COMPLETE_AT_POLL, 0);
    gpool_destroy(m->pool);
    gpool_device_release(m->device);
    sim_drain(m->s);
    if (sim_live(m->s, SIM_KIND_NONE) + sim_kept(m->s, SIM_KIND_NONE) + sim_kept_bytes(m->s) > 0) {
        model_fail(m, "%llu objects are left", (unsigned long long)sim_kept(m->s, SIM_KIND_NONE));
    }
    if (sim_fatal_count(m->s) > 0) {
        model_fail(m, "fatal: %s", sim_fatal_message(m->s, 0));
    }
    if (m->memory.blocks + m->memory.wrong_sizes > 0) {
        model_fail(m, "%llu blocks are left", (unsigned long long)m->memory.blocks);
    }
    sim_destroy(m->s);
    model_run_commands(m, false);
    for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
        for (uint32_t i = 0; i < MODEL_THINGS; ++i) {
            if (m->things[kind][i] != NULL) {
                model_thing_free(m->things[kind][i]);
            }
        }
    }
    for (size_t i = 0; i < m->killed_count; ++i) {
        model_thing_free(m->killed[i]);
    }
    free(m->killed);
    free(m->retired);
}

void pool_model_run(const uint8_t *bytes, size_t size, pool_model_totals *totals)
{
    model *m = model_must(calloc(1, sizeof *m));
    m->input = bytes;
    m->input_size = size;
    m->totals = totals;
    totals->runs += 1;
    m->trace = getenv("GPOOL_MODEL_TRACE") != NULL;
    begin(m);
    uint32_t lost_steps = 0;
    while (m->input_at < m->input_size && lost_steps < LOST_STEPS) {
        one_step(m);
        lost_steps += m->lost;
    }
    end(m, size % 2 == 0);
    free(m);
}
