#ifndef _XOPEN_SOURCE
#define _XOPEN_SOURCE 700 /* mkdtemp(), nftw() */
#endif
#include "gpu/blobs_place.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool blobs_is_dawn(void)
{
    return !fixture_is_wgpu();
}

gpool_store_desc blobs_store_desc(blobs_place *p)
{
    return (gpool_store_desc){ .directory = p->folder,
                               .log = fixture_on_log,
                               .log_user = &p->store_log,
                               .allocator = fixture_allocator() };
}

void blobs_open_store(blobs_place *p, gpool_store_mode mode)
{
    gpool_store_desc desc = blobs_store_desc(p);
    desc.mode = mode;
    assert_good(gpool_store_open(&desc, &p->store));
}

void blobs_close_store(blobs_place *p)
{
    gpool_store_close(p->store);
    p->store = NULL;
}

void blobs_open_place(blobs_place *p)
{
    memset(p, 0, sizeof *p);
    const char *parent = getenv("TMPDIR");
    (void)snprintf(p->folder, sizeof p->folder, "%.80s/gpool-blobs-XXXXXX",
                   parent != NULL ? parent : "/tmp");
    assert_non_null(mkdtemp(p->folder));
    blobs_open_store(p, GPOOL_STORE_MODE_READ_WRITE);
}

static int remove_one(const char *path, const struct stat *state, int type, struct FTW *at)
{
    (void)state;
    (void)type;
    (void)at;
    return remove(path);
}

void blobs_close_place(blobs_place *p)
{
    blobs_close_store(p);
    (void)nftw(p->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

gpool_store_stats blobs_store_stats(const blobs_place *p)
{
    gpool_store_stats stats;
    gpool_store_get_stats(p->store, &stats);
    return stats;
}

/* --- a device with blobs and a program on it --- */

gpool_device *blobs_open_device(blobs_place *p, const gpool_gpu *table)
{
    memset(&p->device_log, 0, sizeof p->device_log);
    const gpool_device_desc desc = { .gpu = table,
                                     .adapter = fixture_adapter(),
                                     .blobs = p->store,
                                     .label = "with blobs",
                                     .log = fixture_on_log,
                                     .log_user = &p->device_log,
                                     .allocator = fixture_allocator() };
    gpool_device *device = NULL;
    assert_good(gpool_device_open(&desc, &device));
    fixture_expect_at(&p->device_log, GPOOL_LOG_FALLBACK, blobs_is_dawn() ? 0 : 1, __FILE__,
                      __LINE__);
    return device;
}

static gpool_pipeline make_compute(gpool *pool, uint32_t number)
{
    char wgsl[512];
    (void)snprintf(wgsl, sizeof wgsl,
                   "@group(0) @binding(0) var<storage, read_write> out: array<u32>;\n"
                   "@compute @workgroup_size(1) fn main() {\n"
                   "    var x = %uu;\n"
                   "    for (var i = 0u; i < %uu; i++) { x = x * 1664525u + out[i]; }\n"
                   "    out[%u] = x;\n"
                   "}\n",
                   number + 7, number + 1, number);
    gpool_shader shader = gpool_shader_create(pool, &(gpool_shader_desc){ .wgsl = wgsl });
    gpool_pipeline pipeline =
        gpool_compute_pipeline_create(pool, &(gpool_compute_pipeline_desc){ .shader = shader });
    assert_good(gpool_shader_destroy(pool, shader));
    return pipeline;
}

static gpool_pipeline make_render(gpool *pool)
{
    static const char wgsl[] =
        "@vertex fn vs(@builtin(vertex_index) i: u32) -> @builtin(position) vec4f {\n"
        "    return vec4f(f32(i & 1u) * 4.0 - 1.0, f32(i >> 1u) * 4.0 - 1.0, 0.0, 1.0);\n"
        "}\n"
        "@fragment fn fs(@builtin(position) p: vec4f) -> @location(0) vec4f {\n"
        "    return vec4f(p.xy / 4.0, 0.25, 1.0);\n"
        "}\n";
    gpool_shader shader = gpool_shader_create(pool, &(gpool_shader_desc){ .wgsl = wgsl });
    const gpool_render_pipeline_desc desc = { .shader = shader,
                                              .samples = 1,
                                              .colors[0].format = WGPUTextureFormat_RGBA8Unorm };
    gpool_pipeline pipeline = gpool_render_pipeline_create(pool, &desc);
    assert_good(gpool_shader_destroy(pool, shader));
    return pipeline;
}

static void run_frame(gpool *pool, const gpool_pipeline *compute, uint32_t count,
                      gpool_pipeline render, blobs_outcome *o)
{
    gpool_buffer out = gpool_buffer_create(
        pool, &(gpool_buffer_desc){ .size = sizeof o->words,
                                    .usage = GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_READ_BACK });
    gpool_texture target = gpool_texture_create(
        pool, &(gpool_texture_desc){ .width = 4,
                                     .height = 4,
                                     .format = WGPUTextureFormat_RGBA8Unorm,
                                     .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK });
    assert_good(gpool_begin_frame(pool));
    gpool_recorder rec = gpool_frame_recorder(pool);
    gpool_begin_compute(rec, NULL);
    for (uint32_t i = 0; i < count; ++i) {
        const gpool_binding words = { .buffer = out };
        gpool_set_pipeline(rec, compute[i]);
        gpool_set_bindings(rec, 0, (gpool_layout){ 0 }, &words, 1, NULL, 0);
        gpool_dispatch(rec, 1, 1, 1);
    }
    gpool_end_pass(rec);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    gpool_set_pipeline(rec, render);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    assert_good(gpool_end_frame(pool));
    assert_good(gpool_buffer_read(pool, out, 0, o->words, sizeof o->words));
    assert_good(gpool_texture_read(pool, target, NULL, o->picture, sizeof o->picture));
}

blobs_outcome blobs_run_on(gpool_device *device, uint32_t count, uint32_t workers)
{
    blobs_outcome o = { 0 };
    fixture_log log = { 0 };
    gpool *pool = NULL;
    const gpool_desc desc = { .compile_workers = workers,
                              .log = fixture_on_log,
                              .log_user = &log,
                              .allocator = fixture_allocator() };
    assert_good(gpool_create(device, &desc, &pool));
    gpool_pipeline compute[BLOBS_MOST];
    for (uint32_t i = 0; i < count; ++i) {
        compute[i] = make_compute(pool, i);
    }
    gpool_pipeline render = make_render(pool);
    run_frame(pool, compute, count, render, &o);
    gpool_destroy(pool);
    assert_good(gpool_device_get_blob_stats(device, &o.blobs));
    return o;
}

blobs_outcome blobs_run_at(blobs_place *p, uint32_t count, uint32_t workers)
{
    gpool_device *device = blobs_open_device(p, NULL);
    blobs_outcome o = blobs_run_on(device, count, workers);
    gpool_device_release(device);
    assert_int_equal(o.blobs.active, blobs_is_dawn());
    return o;
}

const blobs_outcome *blobs_plain(fixture *f, uint32_t count)
{
    static blobs_outcome o;
    o = blobs_run_on(f->device, count, 1);
    assert_false(o.blobs.active);
    assert_int_not_equal(o.words[count - 1], 0);
    return &o;
}

void blobs_assert_same_picture(const blobs_outcome *a, const blobs_outcome *b)
{
    assert_bytes(a->words, b->words, sizeof a->words);
    assert_bytes(a->picture, b->picture, sizeof a->picture);
}

void blobs_assert_cold(const blobs_outcome *o, uint32_t pipelines)
{
    assert_int_equal(o->blobs.hits, 0);
    assert_int_equal(o->blobs.hit_bytes, 0);
    if (blobs_is_dawn()) {
        assert_true(o->blobs.misses >= pipelines);
        assert_true(o->blobs.saves >= pipelines);
        assert_true(o->blobs.save_bytes > o->blobs.saves);
        assert_int_equal(o->blobs.dropped, 0);
    } else {
        assert_int_equal(o->blobs.misses + o->blobs.saves + o->blobs.dropped, 0);
    }
}

void blobs_assert_warm(const blobs_outcome *o, uint32_t pipelines)
{
    assert_int_equal(o->blobs.misses, 0);
    if (blobs_is_dawn()) {
        assert_true(o->blobs.hits >= pipelines);
        assert_true(o->blobs.hit_bytes > o->blobs.hits);
    } else {
        assert_int_equal(o->blobs.hits, 0);
    }
}
