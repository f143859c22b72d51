/*
 * Random calls over the whole public API: handles good, stale, foreign and forged, sizes from the
 * edges, enumerations out of range, any order. Nothing may end the process, and every few hundred
 * calls a good frame must draw the right pixel. GPOOL_TEST_SEED and GPOOL_TEST_STEPS choose the run.
 */
#include "gpu/fuzz_calls.h"
#include "pool/pool_state.h"

#include <stdlib.h>
#include <string.h>

int gpu_fuzz_calls_run(void);

#define SECONDS 170

static void create_plain(void)
{
    gpool_scope scope = fuzz_pick(3) == 0 ? SCOPE : (gpool_scope){ 0 };
    gpool_buffer_desc buffer = { .data = fuzz_pick(2) == 0 ? fuzz.bytes : NULL,
                                 .usage = fuzz_pick(8) == 0 ? (uint32_t)hostile_random64(&fuzz.seed)
                                                            : fuzz_pick(1024),
                                 .label = "fuzz",
                                 .scope = scope };
    buffer.size = buffer.data != NULL ? fuzz_real_size() : fuzz_size();
    if (buffer.size > 1 << 20 && buffer.size < UINT64_C(1) << 40) {
        buffer.size = 1 << 20; /* big ones that the device takes only cost time */
    }
    gpool_texture_desc texture = {
        .width = fuzz_pick(6) == 0 ? (uint32_t)fuzz_size() % 100000 : fuzz_pick(17),
        .height = fuzz_pick(17),
        .depth_or_layers = fuzz_pick(8),
        .dimension = fuzz_pick(3) == 0 ? (WGPUTextureDimension)fuzz_enum(3) : 0,
        .format = fuzz_format(),
        .mip_levels = fuzz_pick(4) == 0 ? fuzz_enum(3) : 0,
        .samples = fuzz_pick(5) == 0 ? 4 : fuzz_pick(2),
        .usage = fuzz_pick(8) == 0 ? fuzz_pick(200) : fuzz_pick(64),
        .data = fuzz_pick(3) == 0 ? fuzz.bytes : NULL,
        .data_size = (size_t)fuzz_real_size(),
        .bytes_per_row = fuzz_pick(3) == 0 ? (uint32_t)fuzz_size() : 0,
        .scope = scope,
    };
    gpool_sampler_desc sampler = { .address_u = (WGPUAddressMode)fuzz_enum(3),
                                   .mag_filter = (WGPUFilterMode)fuzz_enum(2),
                                   .compare = (WGPUCompareFunction)fuzz_enum(8),
                                   .max_anisotropy = (uint16_t)fuzz_pick(3),
                                   .lod_max = (float)fuzz_pick(5) - 1.0f,
                                   .scope = scope };
    gpool_scope_desc inner = { .parent = scope, .label = "fuzz" };
    switch (fuzz_pick(4)) {
    case 0:
        fuzz_keep(GPOOL_KIND_BUFFER, gpool_buffer_create(fuzz.pool, &buffer).id);
        break;
    case 1:
        fuzz_keep(GPOOL_KIND_TEXTURE, gpool_texture_create(fuzz.pool, &texture).id);
        break;
    case 2:
        fuzz_keep(GPOOL_KIND_SCOPE, gpool_scope_create(fuzz.pool, &inner).id);
        break;
    default:
        fuzz_keep(GPOOL_KIND_SAMPLER, gpool_sampler_create(fuzz.pool, &sampler).id);
        break;
    }
}

static const char *const sources[] = {
    fixture_fill_wgsl,
    "@group(0) @binding(0) var<storage, read_write> a: array<u32>;\n"
    "@compute @workgroup_size(1) fn main() { a[0] = 1u; }\n",
    "@vertex fn vs(@location(0) p: vec2f) -> @builtin(position) vec4f { return vec4f(p, 0, 1); "
    "}\n@fragment fn fs() -> @location(0) vec4f { return vec4f(1); }\n",
    "fn broken(",
};

static void create_program(void)
{
    gpool_layout_entry entries[4];
    memset(entries, 0, sizeof entries);
    for (int i = 0; i < 4; ++i) {
        entries[i] = (gpool_layout_entry){ .binding = fuzz_pick(4) == 0 ? (uint32_t)fuzz_size()
                                                                        : fuzz_pick(6),
                                           .type = (gpool_binding_type)fuzz_enum(6),
                                           .stages = fuzz_pick(9),
                                           .dynamic_offset = fuzz_pick(3) == 0,
                                           .min_size = fuzz_pick(3) == 0 ? fuzz_size() : 0,
                                           .sample_type = (WGPUTextureSampleType)fuzz_enum(6),
                                           .dimension = (WGPUTextureViewDimension)fuzz_enum(6),
                                           .multisampled = fuzz_pick(4) == 0,
                                           .format = fuzz_format(),
                                           .access = (WGPUStorageTextureAccess)fuzz_enum(4) };
    }
    gpool_scope scope = fuzz_pick(3) == 0 ? SCOPE : (gpool_scope){ 0 };
    gpool_layout_desc layout = {
        .entries = entries, .entry_count = fuzz_pick(5), .label = "fuzz", .scope = scope
    };
    gpool_shader_desc shader = { .wgsl = sources[fuzz_pick(4)], .label = "fuzz", .scope = scope };
    gpool_render_pipeline_desc render = { .shader = SHADER, .scope = scope };
    render.layouts[fuzz_pick(4)] = fuzz_pick(3) == 0 ? LAYOUT : (gpool_layout){ 0 };
    render.topology = (WGPUPrimitiveTopology)fuzz_enum(5);
    render.strip_index_format = fuzz_pick(3) == 0 ? (WGPUIndexFormat)fuzz_enum(2) : 0;
    render.samples = fuzz_pick(3) == 0 ? fuzz_enum(4) : fuzz_pick(2);
    render.colors[0].format = fuzz_pick(2) == 0 ? fuzz_format() : 0;
    render.colors[fuzz_pick(8)].blend = (gpool_blend)fuzz_enum(4);
    render.depth.format = fuzz_pick(4) == 0 ? fuzz_format() : 0;
    render.depth.compare = (WGPUCompareFunction)fuzz_enum(8);
    render.no_fragment = fuzz_pick(8) == 0;
    if (fuzz_pick(2) == 0) {
        render.vertex_buffers[fuzz_pick(8)].attributes[0] =
            (gpool_attribute){ (WGPUVertexFormat)fuzz_enum(39), (uint32_t)fuzz_size(),
                               fuzz_pick(3) };
        render.vertex_buffers[0].attributes[0].format = WGPUVertexFormat_Float32x2;
    }
    gpool_compute_pipeline_desc compute = { .shader = SHADER, .scope = scope };
    compute.layouts[0] = fuzz_pick(2) == 0 ? LAYOUT : (gpool_layout){ 0 };
    switch (fuzz_pick(4)) {
    case 0:
        fuzz_keep(GPOOL_KIND_LAYOUT, gpool_layout_create(fuzz.pool, &layout).id);
        break;
    case 1:
        fuzz_keep(GPOOL_KIND_SHADER, gpool_shader_create(fuzz.pool, &shader).id);
        break;
    case 2:
        fuzz_keep(GPOOL_KIND_PIPELINE, gpool_render_pipeline_create(fuzz.pool, &render).id);
        break;
    default:
        fuzz_keep(GPOOL_KIND_PIPELINE, gpool_compute_pipeline_create(fuzz.pool, &compute).id);
        break;
    }
}

/* Shares, moves and ends scopes. */
static void use_scope(void)
{
    gpool_kind kind = (gpool_kind)(1 + fuzz_pick(GPOOL_KIND_COUNT - 1));
    gpool_scope_info info;
    switch (fuzz_pick(6)) {
    case 0:
        (void)gpool_retain(fuzz.pool, fuzz_id(kind));
        break;
    case 1:
        (void)gpool_release(fuzz.pool, fuzz_id(kind));
        break;
    case 2:
        (void)gpool_scope_get_info(fuzz.pool, SCOPE, fuzz_pick(9) == 0 ? NULL : &info);
        break;
    case 3:
        (void)gpool_scope_end(fuzz.pool, SCOPE);
        break;
    default:
        (void)gpool_move(fuzz.pool, fuzz_id(kind), fuzz_pick(4) == 0 ? (gpool_scope){ 0 } : SCOPE);
        break;
    }
}

/* The world's own resources are not in the list, so destroying hits only what the fuzz made. */
void fuzz_destroy_some(void)
{
    switch (fuzz_pick(7)) {
    case 6:
        use_scope();
        break;
    case 0:
        (void)gpool_buffer_destroy(fuzz.pool, BUFFER);
        break;
    case 1:
        (void)gpool_texture_destroy(fuzz.pool, TEXTURE);
        break;
    case 2:
        (void)gpool_sampler_destroy(fuzz.pool, SAMPLER);
        break;
    case 3:
        (void)gpool_layout_destroy(fuzz.pool, LAYOUT);
        break;
    case 4:
        (void)gpool_shader_destroy(fuzz.pool, SHADER);
        break;
    default:
        (void)gpool_pipeline_destroy(fuzz.pool, PIPELINE);
        break;
    }
}

static void use_buffer(void)
{
    uint64_t size = fuzz_real_size();
    uint64_t offset = fuzz_size();
    gpool_buffer_info info;
    switch (fuzz_pick(6)) {
    case 0:
    case 1:
        (void)gpool_buffer_write(fuzz.pool, BUFFER, offset, fuzz_pick(20) == 0 ? NULL : fuzz.bytes,
                                 size);
        break;
    case 2:
        (void)gpool_buffer_read(fuzz.pool, BUFFER, offset, fuzz.bytes, size);
        break;
    case 3:
        (void)gpool_buffer_resize(fuzz.pool, BUFFER, fuzz_pick(9) == 0 ? 0 : size);
        break;
    case 4:
        (void)gpool_buffer_get_info(fuzz.pool, BUFFER, fuzz_pick(9) == 0 ? NULL : &info);
        break;
    default:
        (void)gpool_buffer_gpu(fuzz.pool, BUFFER, (gpool_access)fuzz_enum(1));
        break;
    }
}

static void use_texture(void)
{
    gpool_texture_region region = fuzz_region();
    gpool_texture_region *part = fuzz_pick(2) == 0 ? NULL : &region;
    gpool_view_desc view = fuzz_view();
    gpool_texture_info info;
    gpool_sampler_desc sampler;
    switch (fuzz_pick(7)) {
    case 0:
    case 1:
        (void)gpool_texture_write(fuzz.pool, TEXTURE, part, fuzz.bytes, (size_t)fuzz_real_size(),
                                  fuzz_pick(3) == 0 ? (uint32_t)fuzz_size() : 0);
        break;
    case 2:
        (void)gpool_texture_read(fuzz.pool, TEXTURE, part, fuzz.bytes, (size_t)fuzz_real_size());
        break;
    case 3:
        (void)gpool_texture_resize(fuzz.pool, TEXTURE, fuzz_pick(20), fuzz_pick(20), fuzz_pick(4));
        break;
    case 4:
        (void)gpool_texture_get_info(fuzz.pool, TEXTURE, &info);
        (void)gpool_sampler_get_desc(fuzz.pool, SAMPLER, &sampler);
        break;
    case 5:
        (void)gpool_texture_gpu(fuzz.pool, TEXTURE, (gpool_access)fuzz_enum(1));
        break;
    default:
        (void)gpool_texture_gpu_view(fuzz.pool, TEXTURE, &view, (gpool_access)fuzz_enum(1));
        break;
    }
}

static void use_ticket(void)
{
    gpool_ticket_info info;
    switch (fuzz_pick(6)) {
    case 0:
    case 1:
        (void)gpool_ticket_take(fuzz.pool, TICKET, fuzz_pick(20) == 0 ? NULL : fuzz.bytes,
                                (size_t)fuzz_real_size());
        break;
    case 2:
        (void)gpool_ticket_status(fuzz.pool, TICKET);
        break;
    case 3:
        (void)gpool_ticket_wait(fuzz.pool, TICKET, fuzz_size() % 1000000);
        break;
    case 4:
        (void)gpool_ticket_get_info(fuzz.pool, TICKET, fuzz_pick(9) == 0 ? NULL : &info);
        break;
    default:
        (void)gpool_ticket_destroy(fuzz.pool, TICKET);
        break;
    }
}

static void use_frame(void)
{
    switch (fuzz_pick(10)) {
    case 0:
    case 1:
        if (gpool_begin_frame(fuzz.pool) != GPOOL_OK && fuzz_pick(4) == 0) {
            break;
        }
        fuzz.rec = gpool_frame_recorder(fuzz.pool);
        break;
    case 2:
        (void)gpool_end_frame(fuzz.pool);
        if (fuzz_pick(3) != 0 && gpool_begin_frame(fuzz.pool) == GPOOL_OK) {
            fuzz.old = fuzz.rec;
            fuzz.rec = gpool_frame_recorder(fuzz.pool);
        }
        break;
    case 3:
        (void)gpool_submit(fuzz.pool);
        if (fuzz_pick(4) != 0) {
            fuzz.rec = gpool_frame_recorder(fuzz.pool);
        }
        break;
    case 4:
        (void)gpool_process_uploads(fuzz.pool);
        break;
    case 5:
        (void)gpool_tick(fuzz.pool);
        break;
    case 6:
        (void)gpool_process_deletions(fuzz.pool);
        break;
    case 7:
        (void)gpool_wait_idle(fuzz.pool);
        break;
    case 8:
        (void)gpool_note_external_submit(fuzz.pool);
        break;
    default:
        fuzz.old = fuzz.rec;
        fuzz.rec = gpool_frame_recorder(fuzz.pool);
        break;
    }
}

/* Replaces much of what is kept by good resources. */
static void fill_up(void)
{
    gpool *p = fuzz.pool;
    for (int i = 0; i < 8; ++i) {
        gpool_scope scope = gpool_scope_create(p, NULL);
        fuzz_keep(GPOOL_KIND_SCOPE, scope.id);
        gpool_buffer_desc buffer = { .size = 64 << (i % 4),
                                     .usage = i % 2 == 0 ? 0x3ff : 0x3ef,
                                     .label = "good",
                                     .scope = i % 3 == 0 ? scope : (gpool_scope){ 0 } };
        fuzz_keep(GPOOL_KIND_BUFFER, gpool_buffer_create(p, &buffer).id);
        gpool_texture_desc texture = { .width = 8,
                                       .height = 8,
                                       .usage = 0x3f,
                                       .label = "good",
                                       .format = WGPUTextureFormat_RGBA8Unorm };
        if (i % 4 == 3) {
            texture.format = WGPUTextureFormat_Depth32Float;
            texture.usage = 0x3f & ~GPOOL_TEXTURE_STORAGE;
        }
        fuzz_keep(GPOOL_KIND_TEXTURE, gpool_texture_create(p, &texture).id);
        gpool_layout_entry entry = { .type = (gpool_binding_type)(i % 6),
                                     .format = WGPUTextureFormat_RGBA8Unorm };
        gpool_layout layout = gpool_layout_create(
            p, &(gpool_layout_desc){ .entries = &entry, .entry_count = 1, .label = "good" });
        fuzz_keep(GPOOL_KIND_LAYOUT, layout.id);
        gpool_sampler_desc sampler = { .lod_max = (float)(i + 1) };
        fuzz_keep(GPOOL_KIND_SAMPLER, gpool_sampler_create(p, &sampler).id);
        gpool_shader shader =
            gpool_shader_create(p, &(gpool_shader_desc){ .wgsl = sources[i % 3] });
        fuzz_keep(GPOOL_KIND_SHADER, shader.id);
        gpool_render_pipeline_desc render = { .shader = shader };
        if (i % 3 == 2) {
            render.vertex_buffers[0].attributes[0].format = WGPUVertexFormat_Float32x2;
        }
        gpool_compute_pipeline_desc compute = { .shader = shader, .layouts[0] = layout };
        fuzz_keep(GPOOL_KIND_PIPELINE, i % 3 == 1 ? gpool_compute_pipeline_create(p, &compute).id
                                                  : gpool_render_pipeline_create(p, &render).id);
    }
}

static void one_step(void)
{
    static const gpool_recorder none = { 0 };
    gpool_recorder rec = fuzz_pick(40) == 0 ? fuzz.old : fuzz_pick(40) == 0 ? none : fuzz.rec;
    uint32_t n = fuzz_pick(100);
    if (n < 12) {
        create_plain();
    } else if (n < 17) {
        create_program();
    } else if (n < 22) {
        fuzz_destroy_some();
    } else if (n < 25) {
        use_ticket();
    } else if (n < 28) {
        fuzz_record_read(rec);
    } else if (n < 36) {
        use_buffer();
    } else if (n < 42) {
        use_texture();
    } else if (n < 52) {
        use_frame();
    } else if (n < 57) {
        fuzz_record_all(rec);
    } else if (n < 64) {
        fuzz_record_pass(rec);
    } else if (n < 80) {
        fuzz_record_bind(rec);
    } else if (n < 88) {
        fuzz_record_state(rec);
    } else if (n < 91) {
        fuzz_use_heap();
    } else if (n < 93) {
        fuzz_record_mesh(rec);
    } else {
        fuzz_record_copy(rec);
    }
}

static uint32_t fuzz_steps(void)
{
    const char *text = getenv("GPOOL_TEST_STEPS");
    return text != NULL && text[0] != '\0' ? (uint32_t)strtoul(text, NULL, 0) : 20000;
}

static void run_calls(hostile_world *w)
{
    uint64_t seed = fuzz.seed;
    uint32_t steps = fuzz_steps();
    memset(fuzz.bytes, 0, sizeof fuzz.bytes);
    fuzz.pool = w->pool;
    fuzz.target = w->target;
    fuzz.fill = w->fill;
    fuzz.rec = (gpool_recorder){ 0 };
    fuzz.old = fuzz.rec;
    gpool_desc desc = { .compile_workers = GPOOL_WORKERS_NONE,
                        .label = "other",
                        .log = fixture_on_log,
                        .log_user = &w->f->log,
                        .allocator = fixture_allocator() };
    assert_good(gpool_create(w->f->device, &desc, &fuzz.other));
    for (int i = 0; i < 4; ++i) { /* foreign handles among the kept ones */
        gpool_buffer_desc buffer = { .size = 64, .usage = 0x3ff };
        fuzz_keep(GPOOL_KIND_BUFFER, gpool_buffer_create(fuzz.other, &buffer).id);
    }
    for (uint32_t step = 0; step < steps; ++step) {
        if (step % 100 == 0) {
            fill_up();
        }
        one_step();
        if (step % 400 == 399) {
            hostile_recover(w);
            assert_true(gpool__pool_validate(w->pool));
        }
        if (step % 10000 == 9999) {
            gpool_stats stats = fixture_stats(w->f);
            print_message("seed %llu step %u: %llu created, %llu draws, %llu skipped, %llu "
                          "dropped\n",
                          (unsigned long long)seed, step + 1, (unsigned long long)stats.created,
                          (unsigned long long)stats.draws, (unsigned long long)stats.skipped,
                          (unsigned long long)stats.dropped_recorders);
        }
    }
    gpool_device_info info;
    assert_good(gpool_device_get_info(w->f->device, &info));
    assert_false(info.lost);
    gpool_destroy(fuzz.other);
}

static void random_calls_do_no_harm(void **state)
{
    (void)state;
    uint64_t first = fixture_seed(1);
    uint64_t runs = getenv("GPOOL_TEST_SEED") != NULL ? 1 : 3;
    for (uint64_t i = 0; i < runs; ++i) {
        fuzz.seed = first + i;
        hostile_run("random calls", run_calls, SECONDS);
    }
}

int gpu_fuzz_calls_run(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(random_calls_do_no_harm) };
    return cmocka_run_group_tests_name("fuzz_calls", tests, NULL, NULL);
}
