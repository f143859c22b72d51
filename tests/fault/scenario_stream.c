/* Stream memory: slices beside uniforms, over a block, over many frames, on another device. */
#include "fault.h"

#include <string.h>

#define COPYING (GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_READ_BACK)

#define LARGE (((uint32_t)256 << 10) + 512)

static const float color[4] = { 0, 1, 0, 1 };

/* Takes a slice, fills it and copies its first bytes; false when one of the two was refused. */
static bool stream_copy(fault_world *w, gpool_recorder rec, fault_buffer *to, uint64_t at,
                        uint64_t size, uint8_t bytes[256])
{
    gpool_stream_slice slice;
    if (!FAULT_DO(w, 0, gpool_stream_alloc(w->pool, size, 0, &slice))) {
        FAULT_EXPECT(w, slice.epoch == 0 && slice.data == NULL);
        return false;
    }
    memcpy(slice.data, bytes, 256);
    gpool_buffer buffer = gpool_stream_buffer(w->pool, slice);
    FAULT_EXPECT(w, buffer.id != 0);
    gpool_copy_buffer(rec, buffer, slice.offset, to->handle, at, 256);
    return true;
}

static void stream_frame(fault_world *w, fault_buffer *to, gpool_texture target,
                         gpool_pipeline fill, uint32_t number)
{
    uint8_t bytes[2][256];
    fault_pattern(bytes[0], 256, number);
    fault_pattern(bytes[1], 256, number + 1);
    if (!FAULT_DO(w, 0, gpool_begin_frame(w->pool))) {
        to->known = false;
        return;
    }
    gpool_recorder rec = gpool_frame_recorder(w->pool);
    bool small = stream_copy(w, rec, to, 0, 256, bytes[0]);
    bool large = stream_copy(w, rec, to, 256, LARGE, bytes[1]);
    gpool_begin_render(rec, &(gpool_render_desc){ .color[0] = { .texture = target } });
    gpool_set_pipeline(rec, fill);
    gpool_set_uniforms(rec, 0, color, sizeof color);
    gpool_draw(rec, &(gpool_draw_args){ .vertex_count = 3 });
    gpool_end_pass(rec);
    bool done = FAULT_DO(w, 0, gpool_end_frame(w->pool));
    fault_buffer_changed(to, done && small, 0, bytes[0], 256);
    fault_buffer_changed(to, done && large, 256, bytes[1], 256);
}

static gpool_result scenario_stream(fault_world *w)
{
    static fault_buffer to;
    static fault_texture target;
    fault_buffer_make(w, &to, COPYING, 512, NULL);
    fault_texture_make(w, &target, GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK, 2, 2, NULL);
    gpool_shader shader =
        FAULT_MAKE(w, gpool_shader,
                   gpool_shader_create(w->pool, &(gpool_shader_desc){ .wgsl = fault_fill_wgsl }));
    gpool_render_pipeline_desc desc = { .shader = shader };
    gpool_pipeline fill =
        FAULT_MAKE(w, gpool_pipeline, gpool_render_pipeline_create(w->pool, &desc));
    for (uint32_t frame = 0; frame < 3; ++frame) {
        stream_frame(w, &to, target.handle, fill, 10 * frame);
    }
    fault_buffer_check(w, &to);
    return fault_end(w);
}

FAULT_SWEEP(stream, scenario_stream)
