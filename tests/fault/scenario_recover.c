/* A pool that moves to another device, lost or not, with a resource of every kind. */
#include "fault.h"

#include <string.h>

typedef struct recover_things {
    fault_buffer plain;
    fault_buffer numbers; /* gpu-written */
    fault_buffer kept;    /* drops its shadow, and has a refill */
    fault_texture picture;
    gpool_sampler sampler;
    gpool_layout layout;
    gpool_shader shader;
    gpool_pipeline fill;
    gpool_pipeline twice;
} recover_things;

static gpool_result recover_fill(void *user, gpool *pool, gpool_buffer buffer,
                                 const gpool_buffer_info *info, void *bytes)
{
    const fault_buffer *kept = user;
    (void)pool;
    memcpy(bytes, kept->bytes, (size_t)info->size);
    return buffer.id == kept->handle.id ? GPOOL_OK : GPOOL_ERROR_FILE;
}

static void recover_make(fault_world *w, recover_things *t)
{
    uint8_t bytes[100];
    fault_pattern(bytes, sizeof bytes, 12);
    fault_buffer_make(w, &t->plain, GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_READ_BACK, 100, bytes);
    fault_buffer_make(w, &t->numbers, GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_READ_BACK, 64,
                      bytes);
    t->kept = (fault_buffer){ .size = sizeof bytes, .known = true };
    memcpy(t->kept.bytes, bytes, sizeof bytes);
    gpool_buffer_desc kept = { .data = bytes,
                               .size = sizeof bytes,
                               .usage = GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_READ_BACK,
                               .keep = GPOOL_KEEP_DROP,
                               .refill = recover_fill,
                               .refill_user = &t->kept };
    t->kept.handle = FAULT_MAKE(w, gpool_buffer, gpool_buffer_create(w->pool, &kept));
    fault_texture_make(w, &t->picture, GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK, 4, 4, bytes);
    t->sampler = FAULT_MAKE(w, gpool_sampler, gpool_sampler_create(w->pool, NULL));
    gpool_layout_entry entry = { .type = GPOOL_BINDING_STORAGE_WRITE };
    gpool_layout_desc layout = { .entries = &entry, .entry_count = 1, .label = "double" };
    t->layout = FAULT_MAKE(w, gpool_layout, gpool_layout_create(w->pool, &layout));
    gpool_shader_desc fill = { .wgsl = fault_fill_wgsl, .label = "fill" };
    gpool_shader_desc twice = { .wgsl = fault_double_wgsl, .label = "double" };
    gpool_shader source = FAULT_MAKE(w, gpool_shader, gpool_shader_create(w->pool, &fill));
    t->shader = FAULT_MAKE(w, gpool_shader, gpool_shader_create(w->pool, &twice));
    gpool_render_pipeline_desc render = { .shader = source,
                                          .colors[0].format = WGPUTextureFormat_RGBA8Unorm,
                                          .samples = 1,
                                          .label = "fill" };
    gpool_compute_pipeline_desc compute = { .shader = t->shader,
                                            .layouts = { t->layout },
                                            .label = "double" };
    t->fill = FAULT_MAKE(w, gpool_pipeline, gpool_render_pipeline_create(w->pool, &render));
    t->twice = FAULT_MAKE(w, gpool_pipeline, gpool_compute_pipeline_create(w->pool, &compute));
}

static void recover_frame(fault_world *w, recover_things *t)
{
    static const float red[4] = { 1, 0, 0, 1 };
    static const uint8_t texel[4] = { 255, 0, 0, 255 };
    (void)FAULT_DO(w, 0, gpool_begin_frame(w->pool));
    gpool_recorder rec = gpool_frame_recorder(w->pool);
    gpool_begin_compute(rec, NULL);
    gpool_set_pipeline(rec, t->twice);
    gpool_binding binding = { .buffer = t->numbers.handle };
    gpool_set_bindings(rec, 0, t->layout, &binding, 1, NULL, 0);
    gpool_dispatch(rec, 16, 1, 1);
    gpool_end_pass(rec);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = t->picture.handle } });
    gpool_set_pipeline(rec, t->fill);
    gpool_set_uniforms(rec, 0, red, sizeof red);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    bool done = FAULT_DO(w, 0, gpool_end_frame(w->pool));
    uint8_t doubled[64];
    for (uint32_t i = 0; i < 16; ++i) {
        uint32_t number;
        memcpy(&number, t->numbers.bytes + (size_t)i * 4, 4);
        number *= 2;
        memcpy(doubled + (size_t)i * 4, &number, 4);
    }
    fault_buffer_changed(&t->numbers, done, 0, doubled, 64);
    fault_texture_filled(&t->picture, done, texel);
}

static void recover_check(fault_world *w, recover_things *t)
{
    fault_buffer_check(w, &t->plain);
    fault_buffer_check(w, &t->numbers);
    fault_buffer_check(w, &t->kept);
    fault_texture_check(w, &t->picture);
}

/* Moves; what only the GPU had is zero then. */
static void recover_move(fault_world *w, recover_things *t, gpool_device *device)
{
    static const uint8_t zero[4];
    gpool_device *before = w->device;
    gpool_recover_report report;
    uint64_t hits = fault_hits(w);
    w->device = device; /* whose loss counts */
    bool moved = FAULT_DO(w, 0, gpool_recover(w->pool, device, NULL, &report));
    if (gpool_pool_device(w->pool) != device) {
        FAULT_EXPECT(w, !moved && report.rebuilt[GPOOL_KIND_BUFFER] == 0);
        w->device = before;
        return;
    }
    fault_buffer_changed(&t->numbers, moved, 0, NULL, 64);
    gpool_buffer_info info;
    t->kept.known = t->kept.known && moved;
    if (moved && gpool_buffer_get_info(w->pool, t->kept.handle, &info) == GPOOL_OK &&
        info.dropped) {
        FAULT_EXPECT(w, fault_hits(w) > hits); /* no memory for the refill */
        fault_buffer_changed(&t->kept, true, 0, NULL, t->kept.size);
    }
    fault_texture_filled(&t->picture, moved, zero);
    for (int kind = 1; kind < GPOOL_KIND_COUNT && moved && hits == 0 && fault_hits(w) == 0;
         ++kind) {
        FAULT_EXPECT(w, report.failed[kind] == 0);
    }
}

static gpool_result scenario_recover(fault_world *w)
{
    static recover_things t;
    gpool_device *first = w->device;
    gpool *pool = w->pool;
    gpool *second = NULL;
    uint64_t leaks = w->log_counts[GPOOL_LOG_LEAK];
    gpool_desc pool_desc = fault_pool_desc(w);
    if (!FAULT_DO(w, 0, gpool_create(first, &pool_desc, &second))) {
        return fault_end(w);
    }
    (void)fault_use(w, second);
    recover_make(w, &t);
    recover_frame(w, &t);
    recover_check(w, &t);
    gpool_device_desc desc = fault_device_desc(w);
    gpool_device *device = NULL;
    if (FAULT_DO(w, 0, gpool_device_open(&desc, &device))) {
        recover_move(w, &t, device);
        recover_frame(w, &t);
        recover_check(w, &t);
        recover_move(w, &t, first); /* and back */
        recover_frame(w, &t);
        recover_check(w, &t);
    }
    fault_destroy_pool(w, pool);
    gpool_device_release(device);
    w->device = first;
    w->log_counts[GPOOL_LOG_LEAK] = leaks;
    return fault_end(w);
}

FAULT_SWEEP(recover, scenario_recover)
