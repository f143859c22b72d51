#define _POSIX_C_SOURCE 200809L

#include "gpu/hostile.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

const uint64_t hostile_edges[HOSTILE_EDGES] = {
    0,
    1,
    2,
    3,
    4,
    5,
    252,
    254,
    255,
    256,
    257,
    UINT64_C(0x7fffffff),
    UINT64_C(0x80000000),
    UINT64_C(0x80000001),
    UINT64_C(0xffffffff),
    UINT64_C(0x100000000),
    UINT64_C(0x100000001),
    (UINT64_C(1) << 53) - 1,
    UINT64_C(1) << 53,
    (UINT64_C(1) << 53) + 1,
    UINT64_MAX - 255,
    UINT64_MAX - 3,
    UINT64_MAX - 1,
    UINT64_MAX,
};

bool hostile_try(const char *name, void (*run)(void *user), void *user, unsigned seconds)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
        for (size_t i = 0; i < sizeof signals / sizeof *signals; ++i) {
            (void)signal(signals[i], SIG_DFL);
        }
        /* A failing assertion ends the child instead of going on with the parent's tests. */
        (void)setenv("CMOCKA_TEST_ABORT", "1", 1);
        (void)alarm(seconds);
        uint64_t bytes = fixture_bytes();
        run(user);
        exit(fixture_bytes_are(bytes, name) ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) {
        print_message("%s: ended by signal %d (%s)\n", name, WTERMSIG(status),
                      strsignal(WTERMSIG(status)));
    } else if (WEXITSTATUS(status) != 0) {
        print_message("%s: ended with status %d\n", name, WEXITSTATUS(status));
    }
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void hostile_fork(const char *name, void (*run)(void *user), void *user, unsigned seconds)
{
    if (!hostile_try(name, run, user, seconds)) {
        fail_msg("%s did not end well", name);
    }
}

static void run_block(void *user)
{
    hostile_block *block = user;
    void *state = NULL;
    (void)fixture_open(&state);
    (void)fixture_setup(&state);
    hostile_world w;
    hostile_open(&w, state);
    (*block)(&w);
    hostile_recover(&w);
    gpool_destroy(w.pool);
    free(w.f);
    (void)fixture_close(&state);
}

void hostile_run(const char *name, hostile_block block, unsigned seconds)
{
    hostile_fork(name, run_block, &block, seconds);
}

static void witness_bytes(uint8_t bytes[HOSTILE_WITNESS_BYTES])
{
    for (int i = 0; i < HOSTILE_WITNESS_BYTES; ++i) {
        bytes[i] = (uint8_t)(i * 3 + 7);
    }
}

void hostile_open(hostile_world *w, fixture *f)
{
    uint8_t bytes[HOSTILE_WITNESS_BYTES];
    witness_bytes(bytes);
    *w = (hostile_world){ .f = f, .pool = f->pool };
    w->witness = fixture_buffer(f, bytes, sizeof bytes, 0x3ff & ~GPOOL_BUFFER_STORAGE_WRITE);
    gpool_texture_desc desc = {
        .width = 4,
        .height = 4,
        .format = WGPUTextureFormat_RGBA8Unorm,
        .usage = 0x3f & ~GPOOL_TEXTURE_STORAGE,
        .data = bytes,
        .data_size = sizeof bytes,
        .label = "witness",
    };
    w->witness_texture = gpool_texture_create(f->pool, &desc);
    w->target = fixture_target(f, 8, 8);
    w->fill = fixture_render(f, fixture_fill_wgsl, (gpool_render_pipeline_desc){ 0 });
    hostile_good_frame(w);
    memset(&f->log, 0, sizeof f->log);
}

void hostile_begin(hostile_world *w)
{
    w->before = fixture_stats(w->f);
}

static bool same_resources(const gpool_stats *a, const gpool_stats *b)
{
    return memcmp(a->live_count, b->live_count, sizeof a->live_count) == 0 &&
           memcmp(a->live_bytes, b->live_bytes, sizeof a->live_bytes) == 0 &&
           a->created == b->created && a->freed == b->freed &&
           a->retired_count == b->retired_count && a->retired_bytes == b->retired_bytes &&
           a->submits == b->submits && a->written_bytes == b->written_bytes;
}

void hostile_unchanged_at(hostile_world *w, const char *file, int line)
{
    gpool_stats now = fixture_stats(w->f);
    if (!same_resources(&now, &w->before)) {
        print_error("a refused call changed the pool: created %llu -> %llu, freed %llu -> %llu, "
                    "retired %llu -> %llu, submits %llu -> %llu\n",
                    (unsigned long long)w->before.created, (unsigned long long)now.created,
                    (unsigned long long)w->before.freed, (unsigned long long)now.freed,
                    (unsigned long long)w->before.retired_count,
                    (unsigned long long)now.retired_count, (unsigned long long)w->before.submits,
                    (unsigned long long)now.submits);
        _fail(file, line);
    }
}

/* One error record, of this id and code. */
static void check_error(hostile_world *w, gpool_result code, gpool_log_id id, const char *file,
                        int line)
{
    const gpool_error *error = gpool_last_error(w->pool);
    uint64_t count = fixture_stats(w->f).errors - w->before.errors;
    if (count != 1 || error->id != id || error->code != code) {
        print_error("%llu errors, the last %s %s: %s; expected one %s %s\n",
                    (unsigned long long)count, gpool_result_name(error->code),
                    gpool_log_name(error->id), error->message, gpool_result_name(code),
                    gpool_log_name(id));
        _fail(file, line);
    }
}

void hostile_refused_at(hostile_world *w, gpool_result got, gpool_result wanted, gpool_log_id id,
                        const char *file, int line)
{
    fixture_assert_result(got, wanted, file, line);
    check_error(w, wanted, id, file, line);
    hostile_unchanged_at(w, file, line);
}

gpool_result hostile_null(hostile_world *w, uint64_t id)
{
    return id == 0 ? gpool_last_error(w->pool)->code : GPOOL_OK;
}

gpool_result hostile_none(hostile_world *w, const void *object)
{
    return object == NULL ? gpool_last_error(w->pool)->code : GPOOL_OK;
}

gpool_recorder hostile_frame(hostile_world *w, int pass)
{
    assert_good(gpool_begin_frame(w->pool));
    gpool_recorder rec = gpool_frame_recorder(w->pool);
    assert_non_null(rec.state);
    if (pass == 1) {
        gpool_render_desc desc = { .color[0] = { .texture = w->target }, .label = "hostile" };
        gpool_begin_render(rec, &desc);
    } else if (pass == 2) {
        gpool_begin_compute(rec, "hostile");
    }
    return rec;
}

gpool_result hostile_end(hostile_world *w, gpool_recorder rec, int pass)
{
    if (pass != 0) {
        gpool_end_pass(rec);
    }
    return gpool_end_frame(w->pool);
}

void hostile_skipped_at(hostile_world *w, gpool_recorder rec, int pass, gpool_result code,
                        gpool_log_id id, const char *file, int line)
{
    check_error(w, code, id, file, line);
    hostile_unchanged_at(w, file, line);
    if (fixture_stats(w->f).skipped != w->before.skipped + 1) {
        print_error("the command was not counted as skipped\n");
        _fail(file, line);
    }
    fixture_assert_result(hostile_end(w, rec, pass), code, file, line);
}

void hostile_good_frame_at(hostile_world *w, const char *file, int line)
{
    uint8_t bytes[HOSTILE_WITNESS_BYTES];
    uint8_t got[HOSTILE_WITNESS_BYTES] = { 0 };
    uint32_t number = ++w->frames;
    float color[4] = { (float)(number % 7) / 8.0f, (float)(number % 5) / 8.0f,
                       (float)(number % 3) / 4.0f, 1.0f };
    witness_bytes(bytes);
    fixture_assert_result(gpool_begin_frame(w->pool), GPOOL_OK, file, line);
    gpool_recorder rec = gpool_frame_recorder(w->pool);
    gpool_render_desc desc = { .color[0] = { .texture = w->target }, .label = "good" };
    gpool_begin_render(rec, &desc);
    gpool_set_pipeline(rec, w->fill);
    gpool_set_uniforms(rec, 0, color, sizeof color);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    fixture_assert_result(gpool_end_frame(w->pool), GPOOL_OK, file, line);
    uint32_t rgba = 0;
    for (int i = 0; i < 4; ++i) {
        rgba = rgba << 8 | (uint32_t)(color[i] * 255.0f + 0.5f);
    }
    fixture_assert_pixel(w->f, w->target, number % 8, number / 8 % 8, rgba, 1, file, line);
    fixture_assert_buffer(w->f, w->witness, 0, bytes, sizeof bytes, file, line);
    fixture_assert_result(gpool_texture_read(w->pool, w->witness_texture, NULL, got, sizeof got),
                          GPOOL_OK, file, line);
    fixture_assert_bytes(got, bytes, sizeof bytes, file, line);
}

void hostile_recover_at(hostile_world *w, const char *file, int line)
{
    (void)gpool_end_frame(w->pool);
    hostile_good_frame_at(w, file, line);
}

uint64_t hostile_random64(uint64_t *seed)
{
    uint64_t high = fixture_random(seed, UINT32_MAX);
    return high << 32 | fixture_random(seed, UINT32_MAX);
}
