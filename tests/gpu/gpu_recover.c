/*
 * Recovery on the real implementations: pixels and bytes before a loss are those after it, behind the
 * same handles. In child processes, as wgpu-native ends the process over many a use of a lost device.
 */
#define _POSIX_C_SOURCE 200809L

#include "gpu/hostile.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int gpu_recover_run(void);

#define SECONDS 60
#define SIDE    16u
#define TEXELS  (SIDE * SIDE)

/* How the device is lost. */
enum {
    LOSE_NOT, /* the pool moves from a good device */
    LOSE_DESTROY,
    LOSE_FORCE,
    LOSE_WAYS
};

typedef void (*recover_force_fn)(WGPUDevice, WGPUDeviceLostReason, WGPUStringView);

/* Dawn's own way; NULL elsewhere. */
static recover_force_fn recover_find_force(void)
{
    void *library = dlopen(getenv("GPOOL_WEBGPU"), RTLD_LAZY);
    void *symbol = library != NULL ? dlsym(library, "wgpuDeviceForceLoss") : NULL;
    recover_force_fn force = NULL;
    memcpy(&force, &symbol, sizeof force);
    return force;
}

static const char picture_wgsl[] =
    "struct Uniforms { add: vec4f }\n"
    "@group(0) @binding(0) var<uniform> uniforms: Uniforms;\n"
    "@group(1) @binding(0) var picture: texture_2d<f32>;\n"
    "@group(1) @binding(1) var nearest: sampler;\n"
    "@group(1) @binding(2) var<storage, read> words: array<u32>;\n"
    "struct Out { @builtin(position) place: vec4f, @location(0) at: vec2f }\n"
    "@vertex fn vs(@location(0) point: vec2f) -> Out {\n"
    "    return Out(vec4f(point, 0.0, 1.0), point * vec2f(0.5, -0.5) + 0.5);\n"
    "}\n"
    "@fragment fn fs(in: Out) -> @location(0) vec4f {\n"
    "    let word = f32(words[0] & 0xffu) / 255.0;\n"
    "    return vec4f(textureSample(picture, nearest, in.at).rg, word, 1.0) + uniforms.add;\n"
    "}\n";

static const char raise_wgsl[] =
    "@group(0) @binding(0) var<storage, read_write> words: array<u32>;\n"
    "@compute @workgroup_size(4) fn raise(@builtin(global_invocation_id) id: vec3u) {\n"
    "    words[id.x] = words[id.x] + 1u;\n"
    "}\n";

typedef struct recover_case {
    gpool_device *device;
    gpool *pool;
    fixture_log log;
    gpool_buffer points; /* drops its shadow, and has a refill */
    gpool_buffer words;  /* gpu-written */
    gpool_texture picture;
    gpool_texture target;
    gpool_texture float_target;
    gpool_sampler sampler;
    gpool_layout layout;
    gpool_layout raise_layout;
    gpool_pipeline draw;
    gpool_pipeline raise;
    uint32_t word; /* what `words` holds */
    uint8_t pixels[TEXELS * 4];
} recover_case;

static uint32_t picture_texel(uint32_t i)
{
    return 0xff000000u | (i * 37 % 256) << 8 | (i * 11 % 256);
}

static gpool_device *recover_open(recover_case *c, const char *library)
{
    gpool_device *device = NULL;
    gpool_device_desc desc = {
        .library = library, .adapter = fixture_adapter(), .log = fixture_on_log, .log_user = &c->log
    };
    assert_good(gpool_device_open(&desc, &device));
    return device;
}

static const float recover_points[8] = { -1, -1, 1, -1, -1, 1, 1, 1 };

static gpool_result refill_points(void *user, gpool *pool, gpool_buffer buffer,
                                  const gpool_buffer_info *info, void *bytes)
{
    const recover_case *c = user;
    assert_ptr_equal(pool, c->pool);
    assert_int_equal(buffer.id, c->points.id);
    assert_int_equal(info->size, sizeof recover_points);
    memcpy(bytes, recover_points, sizeof recover_points);
    return GPOOL_OK;
}

/* Makes everything; the shaders and one layout are let go. */
static void recover_begin(recover_case *c, const char *library)
{
    memset(c, 0, sizeof *c);
    c->device = recover_open(c, library);
    gpool_desc pool_desc = { .compile_workers = GPOOL_WORKERS_NONE,
                             .log = fixture_on_log,
                             .log_user = &c->log,
                             .wait_timeout_ms = 5000 };
    assert_good(gpool_create(c->device, &pool_desc, &c->pool));
    gpool *p = c->pool;
    gpool_buffer_desc buffer = { .data = recover_points,
                                 .size = sizeof recover_points,
                                 .usage = GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_READ_BACK,
                                 .keep = GPOOL_KEEP_DROP,
                                 .refill = refill_points,
                                 .refill_user = c };
    c->points = gpool_buffer_create(p, &buffer);
    buffer = (gpool_buffer_desc){ 0 };
    c->word = 100;
    const uint32_t words[4] = { c->word, c->word, c->word, c->word };
    buffer.data = words;
    buffer.size = sizeof words;
    buffer.usage = GPOOL_BUFFER_STORAGE | GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_READ_BACK;
    c->words = gpool_buffer_create(p, &buffer);
    uint32_t texels[TEXELS];
    for (uint32_t i = 0; i < TEXELS; ++i) {
        texels[i] = picture_texel(i);
    }
    gpool_texture_desc texture = { .width = SIDE,
                                   .height = SIDE,
                                   .format = WGPUTextureFormat_RGBA8Unorm,
                                   .usage = GPOOL_TEXTURE_SAMPLED,
                                   .data = texels,
                                   .data_size = sizeof texels,
                                   .label = "picture" };
    c->picture = gpool_texture_create(p, &texture);
    texture.usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK;
    texture.data = NULL;
    c->target = gpool_texture_create(p, &texture);
    texture.format = WGPUTextureFormat_RGBA16Float;
    c->float_target = gpool_texture_create(p, &texture);
    c->sampler = gpool_sampler_create(p, NULL);
    gpool_layout_entry entries[3] = { { .binding = 0, .type = GPOOL_BINDING_TEXTURE },
                                      { .binding = 1, .type = GPOOL_BINDING_SAMPLER },
                                      { .binding = 2, .type = GPOOL_BINDING_STORAGE } };
    c->layout = gpool_layout_create(
        p, &(gpool_layout_desc){ .entries = entries, .entry_count = 3, .label = "pictures" });
    gpool_layout_entry entry = { .type = GPOOL_BINDING_STORAGE_WRITE };
    c->raise_layout = gpool_layout_create(
        p, &(gpool_layout_desc){ .entries = &entry, .entry_count = 1, .label = "words" });
    gpool_shader_desc source = { .wgsl = picture_wgsl };
    gpool_shader shader = gpool_shader_create(p, &source);
    gpool_render_pipeline_desc draw = {
        .shader = shader,
        .layouts = { gpool_uniform_layout(p), c->layout },
        .vertex_buffers[0] = { .attributes[0] = { WGPUVertexFormat_Float32x2, 0, 0 } },
        .topology = WGPUPrimitiveTopology_TriangleStrip,
        .label = "draw",
    };
    c->draw = gpool_render_pipeline_create(p, &draw);
    assert_good(gpool_shader_destroy(p, shader));
    source.wgsl = raise_wgsl;
    shader = gpool_shader_create(p, &source);
    gpool_compute_pipeline_desc raise = {
        .shader = shader, .entry = "raise", .layouts = { c->raise_layout }, .label = "raise"
    };
    c->raise = gpool_compute_pipeline_create(p, &raise);
    assert_good(gpool_shader_destroy(p, shader));
    assert_good(gpool_layout_destroy(p, c->raise_layout));
    c->raise_layout = gpool_layout_create(
        p, &(gpool_layout_desc){ .entries = &entry, .entry_count = 1, .label = "words again" });
}

static void recover_pass(recover_case *c, gpool_recorder rec, gpool_texture to)
{
    const float add[4] = { 0.25f, 0.0f, 0.0f, 0.0f };
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = to } });
    gpool_set_pipeline(rec, c->draw);
    gpool_set_vertex_buffer(rec, 0, c->points, 0);
    gpool_set_uniforms(rec, 0, add, sizeof add);
    gpool_binding bindings[3] = { { .binding = 0, .texture = c->picture },
                                  { .binding = 1, .sampler = c->sampler },
                                  { .binding = 2, .buffer = c->words } };
    gpool_set_bindings(rec, 1, c->layout, bindings, 3, NULL, 0);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 4 });
    gpool_end_pass(rec);
}

/* Raises the words, draws with them to two formats. */
static gpool_result recover_frame(recover_case *c)
{
    gpool_result result = gpool_begin_frame(c->pool);
    if (result != GPOOL_OK) {
        return result;
    }
    gpool_recorder rec = gpool_frame_recorder(c->pool);
    gpool_begin_compute(rec, NULL);
    gpool_set_pipeline(rec, c->raise);
    gpool_binding words = { .buffer = c->words };
    gpool_set_bindings(rec, 0, c->raise_layout, &words, 1, NULL, 0);
    gpool_dispatch(rec, 1, 1, 1);
    gpool_end_pass(rec);
    recover_pass(c, rec, c->float_target);
    recover_pass(c, rec, c->target);
    return gpool_end_frame(c->pool);
}

/* The good frame: bytes and pixels are those that the words tell. */
static void recover_draw_and_check(recover_case *c)
{
    assert_good(recover_frame(c));
    c->word += 1;
    uint32_t words[4];
    assert_good(gpool_buffer_read(c->pool, c->words, 0, words, sizeof words));
    for (int i = 0; i < 4; ++i) {
        assert_int_equal(words[i], c->word);
    }
    assert_good(gpool_texture_read(c->pool, c->target, NULL, c->pixels, sizeof c->pixels));
    for (uint32_t i = 0; i < TEXELS; ++i) {
        uint32_t red = (picture_texel(i) & 255u) + 64;
        int wrong = abs((int)(red < 255 ? red : 255) - c->pixels[i * 4]) > 1;
        wrong += c->pixels[i * 4 + 1] != (uint8_t)(picture_texel(i) >> 8);
        wrong += c->pixels[i * 4 + 2] != (uint8_t)c->word;
        if (wrong != 0) {
            fail_msg("texel %u is %02x %02x %02x", i, c->pixels[i * 4], c->pixels[i * 4 + 1],
                     c->pixels[i * 4 + 2]);
        }
    }
}

static gpool_result refill_words(void *user, gpool *pool, gpool_buffer buffer,
                                 const gpool_buffer_info *info)
{
    const recover_case *c = user;
    const uint32_t words[4] = { c->word, c->word, c->word, c->word };
    assert_int_equal(buffer.id, c->words.id);
    assert_int_equal(info->size, sizeof words);
    return gpool_buffer_write(pool, buffer, 0, words, sizeof words);
}

static gpool_result refill_picture(void *user, gpool *pool, gpool_texture texture,
                                   const gpool_texture_info *info)
{
    const recover_case *c = user;
    if (texture.id != c->picture.id) {
        return GPOOL_OK; /* drawn anew each frame */
    }
    uint32_t texels[TEXELS];
    for (uint32_t i = 0; i < TEXELS; ++i) {
        texels[i] = picture_texel(i);
    }
    assert_int_equal(info->width, SIDE);
    return gpool_texture_write(pool, texture, NULL, texels, sizeof texels, 0);
}

/* Recovers to a device, whose reference is taken. */
static void recover_to(recover_case *c, gpool_device *device)
{
    gpool_recover_desc desc = { c, refill_words, refill_picture };
    gpool_recover_report report;
    assert_good(gpool_recover(c->pool, device, &desc, &report));
    gpool_device_release(c->device);
    c->device = device;
    assert_ptr_equal(gpool_pool_device(c->pool), device);
    assert_int_equal(report.rebuilt[GPOOL_KIND_BUFFER], 2);
    assert_int_equal(report.rebuilt[GPOOL_KIND_TEXTURE], 3);
    assert_int_equal(report.rebuilt[GPOOL_KIND_PIPELINE], 2);
    assert_int_equal(report.rebuilt[GPOOL_KIND_SAMPLER], 1);
    assert_int_equal(report.rebuilt[GPOOL_KIND_LAYOUT], 2);
    for (int kind = 0; kind < GPOOL_KIND_COUNT; ++kind) {
        assert_int_equal(report.failed[kind], 0);
    }
    assert_int_equal(report.refilled, 5);
    assert_int_equal(report.lost, 0);
}

static void recover_end(recover_case *c)
{
    gpool *p = c->pool;
    assert_good(gpool_buffer_destroy(p, c->points));
    assert_good(gpool_buffer_destroy(p, c->words));
    assert_good(gpool_texture_destroy(p, c->picture));
    assert_good(gpool_texture_destroy(p, c->target));
    assert_good(gpool_texture_destroy(p, c->float_target));
    assert_good(gpool_sampler_destroy(p, c->sampler));
    assert_good(gpool_layout_destroy(p, c->layout));
    assert_good(gpool_layout_destroy(p, c->raise_layout));
    assert_good(gpool_pipeline_destroy(p, c->draw));
    assert_good(gpool_pipeline_destroy(p, c->raise));
    gpool_stats stats;
    assert_good(gpool_get_stats(p, &stats));
    for (int kind = 1; kind < GPOOL_KIND_COUNT; ++kind) {
        assert_int_equal(stats.live_count[kind], 0);
        assert_int_equal(stats.live_bytes[kind], 0);
    }
    gpool_destroy(p);
    assert_int_equal(c->log.counts[GPOOL_LOG_LEAK], 0);
    gpool_device_release(c->device);
}

static void recover_lose(recover_case *c, int way)
{
    WGPUDevice raw = gpool_device_raw(c->device);
    if (way == LOSE_NOT) {
        return;
    }
    if (way == LOSE_DESTROY) {
        gpool_device_gpu(c->device)->DeviceDestroy(raw);
    } else {
        recover_find_force()(raw, WGPUDeviceLostReason_Unknown, (WGPUStringView){ "forced", 6 });
    }
    (void)recover_frame(c); /* its submit tells at the latest */
    assert_result(recover_frame(c), GPOOL_ERROR_DEVICE_LOST);
}

/* Loses again and again. */
static void lose_and_recover(void *user)
{
    static recover_case c;
    recover_begin(&c, NULL);
    for (int turn = 0; turn < 3; ++turn) {
        recover_draw_and_check(&c);
        static uint8_t before[sizeof c.pixels];
        memcpy(before, c.pixels, sizeof before);
        recover_lose(&c, *(const int *)user);
        c.word -= 1; /* so that the same picture is drawn again */
        gpool_stats stats;
        recover_to(&c, recover_open(&c, NULL));
        assert_good(gpool_get_stats(c.pool, &stats));
        uint64_t compiled = gpool_gpu_call_count(c.pool, GPOOL_GPU_DeviceCreateRenderPipeline);
        recover_draw_and_check(&c);
        assert_memory_equal(before, c.pixels, sizeof before);
        assert_int_equal(gpool_gpu_call_count(c.pool, GPOOL_GPU_DeviceCreateRenderPipeline),
                         compiled);
    }
    recover_end(&c);
}

static void a_destroyed_device_is_recovered_from(void **state)
{
    (void)state;
    int way = LOSE_DESTROY;
    hostile_fork("destroyed", lose_and_recover, &way, SECONDS);
}

static void a_device_lost_by_force_is_recovered_from(void **state)
{
    (void)state;
    if (recover_find_force() == NULL) {
        skip();
    }
    int way = LOSE_FORCE;
    hostile_fork("lost by force", lose_and_recover, &way, SECONDS);
}

static void a_pool_moves_from_a_good_device(void **state)
{
    (void)state;
    int way = LOSE_NOT;
    hostile_fork("moved", lose_and_recover, &way, SECONDS);
}

/* The device goes in the middle of a frame; the frame is ended, then recovered. */
static void lose_inside_a_frame(void *user)
{
    (void)user;
    static recover_case c;
    for (int step = 0; step < 5; ++step) {
        recover_begin(&c, NULL);
        recover_draw_and_check(&c);
        assert_good(gpool_begin_frame(c.pool));
        const gpool_gpu *gpu = gpool_device_gpu(c.device);
        WGPUDevice raw = gpool_device_raw(c.device);
        gpool_recorder rec = { 0 };
        for (int now = 0; now < 5; ++now) {
            if (now == step) {
                gpu->DeviceDestroy(raw);
            }
            if (now == 0) {
                rec = gpool_frame_recorder(c.pool);
            } else if (now == 1) {
                gpool_begin_compute(rec, NULL);
                gpool_set_pipeline(rec, c.raise);
            } else if (now == 2) {
                gpool_end_pass(rec);
            } else if (now == 3) {
                recover_pass(&c, rec, c.target);
            }
        }
        gpool_device *next = recover_open(&c, NULL);
        assert_result(gpool_recover(c.pool, next, NULL, NULL), GPOOL_ERROR_WRONG_PHASE);
        (void)gpool_end_frame(c.pool);
        recover_to(&c, next);
        recover_draw_and_check(&c);
        recover_end(&c);
    }
}

static void a_loss_inside_a_frame_is_recovered_from(void **state)
{
    (void)state;
    hostile_fork("inside a frame", lose_inside_a_frame, NULL, SECONDS);
}

/* The new device is lost, too: the pool stays, and goes on with a third one. */
static void lose_the_new_one(void *user)
{
    (void)user;
    static recover_case c;
    recover_begin(&c, NULL);
    recover_draw_and_check(&c);
    recover_lose(&c, LOSE_DESTROY);
    gpool_device *second = recover_open(&c, NULL);
    gpool_device_gpu(second)->DeviceDestroy(gpool_device_raw(second));
    gpool_recover_desc desc = { &c, refill_words, refill_picture };
    assert_result(gpool_recover(c.pool, second, &desc, NULL), GPOOL_ERROR_DEVICE_LOST);
    assert_ptr_equal(gpool_pool_device(c.pool), c.device);
    assert_result(gpool_begin_frame(c.pool), GPOOL_ERROR_DEVICE_LOST);
    gpool_device_release(second);
    recover_to(&c, recover_open(&c, NULL));
    recover_draw_and_check(&c);
    recover_end(&c);
}

static void a_new_device_that_is_lost_leaves_the_pool_where_it_was(void **state)
{
    (void)state;
    hostile_fork("new device lost", lose_the_new_one, NULL, SECONDS);
}

/* Path of wgpu-native next to Dawn; NULL when this is not Dawn. */
static const char *recover_other_library(void)
{
    static char path[4096];
    const char *own = getenv("GPOOL_WEBGPU");
    const char *tail = own != NULL ? strstr(own, "/dawn/lib/") : NULL;
    if (tail == NULL) {
        return NULL;
    }
    (void)snprintf(path, sizeof path, "%.*s/wgpu-native/lib/libwgpu_native.so", (int)(tail - own),
                   own);
    return path;
}

/* Dawn, wgpu-native and back, in one process and on one driver. */
static void change_implementation(void *user)
{
    static recover_case c;
    recover_begin(&c, NULL);
    recover_draw_and_check(&c);
    for (int turn = 0; turn < 4; ++turn) {
        static uint8_t before[sizeof c.pixels];
        memcpy(before, c.pixels, sizeof before);
        recover_lose(&c, turn == 1 ? LOSE_DESTROY : LOSE_NOT);
        c.word -= 1;
        recover_to(&c, recover_open(&c, turn % 2 == 0 ? (const char *)user : NULL));
        gpool_device_info info;
        assert_good(gpool_device_get_info(c.device, &info));
        assert_int_equal(info.implementation, turn % 2 == 0 ? GPOOL_IMPLEMENTATION_WGPU_NATIVE
                                                            : GPOOL_IMPLEMENTATION_DAWN);
        recover_draw_and_check(&c);
        assert_memory_equal(before, c.pixels, sizeof before);
    }
    recover_end(&c);
}

static void a_pool_moves_between_implementations(void **state)
{
    (void)state;
    const char *other = recover_other_library();
    if (other == NULL) {
        skip();
    }
    hostile_fork("change of implementation", change_implementation, (void *)(uintptr_t)other,
                 SECONDS);
}

int gpu_recover_run(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_destroyed_device_is_recovered_from),
        cmocka_unit_test(a_device_lost_by_force_is_recovered_from),
        cmocka_unit_test(a_pool_moves_from_a_good_device),
        cmocka_unit_test(a_loss_inside_a_frame_is_recovered_from),
        cmocka_unit_test(a_new_device_that_is_lost_leaves_the_pool_where_it_was),
        cmocka_unit_test(a_pool_moves_between_implementations),
    };
    return cmocka_run_group_tests_name("recover", tests, NULL, NULL);
}
