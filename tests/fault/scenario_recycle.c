/* Recycling: what comes from the store has no byte of before, whatever failed on the way. */
#include "fault.h"

#include <string.h>

#define RECYCLE_WRITTEN                                                                            \
    (GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_READ_BACK)
#define RECYCLE_SHADOWED (GPOOL_BUFFER_VERTEX | GPOOL_BUFFER_READ_BACK)
#define RECYCLE_TARGET   (GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK | GPOOL_TEXTURE_COPY_SOURCE)

static gpool_result scenario_recycle(fault_world *w)
{
    static fault_buffer written;
    static fault_buffer shadowed;
    static fault_buffer grown;
    static fault_texture texture;
    uint8_t bytes[1024];
    fault_pattern(bytes, sizeof bytes, 31);
    for (int round = 0; round < 3; ++round) {
        bool full = round == 0;
        fault_buffer_make(w, &written, RECYCLE_WRITTEN, 256, full ? bytes : NULL);
        fault_buffer_make(w, &shadowed, RECYCLE_SHADOWED, 510, full ? bytes : NULL);
        fault_buffer_make(w, &grown, RECYCLE_WRITTEN, 192, bytes);
        fault_texture_make(w, &texture, RECYCLE_TARGET, 8, 8, full ? bytes : NULL);
        (void)FAULT_DO(w, 0, gpool_begin_frame(w->pool));
        (void)fault_buffer_write(w, &written, 16, bytes + 5, 32);
        (void)fault_buffer_write(w, &shadowed, 7, bytes + 9, 31);
        gpool_render_desc pass = { .color[0] = { .texture = texture.handle,
                                                 .load = GPOOL_LOAD_KEEP } };
        gpool_begin_render(gpool_frame_recorder(w->pool), &pass);
        gpool_end_pass(gpool_frame_recorder(w->pool));
        (void)FAULT_DO(w, 0, gpool_end_frame(w->pool));
        (void)fault_buffer_resize(w, &grown, round == 1 ? 256 : 320);
        fault_texture_check(w, &texture);
        fault_buffer_check(w, &written);
        fault_buffer_check(w, &shadowed);
        fault_buffer_check(w, &grown);
        if (round == 2) {
            /* Handed out while the clear waits. */
            fault_texture_make(w, &texture, RECYCLE_TARGET, 8, 8, NULL);
            (void)FAULT_GET(w, texture.handle.id,
                            gpool_texture_gpu(w->pool, texture.handle, GPOOL_ACCESS_READ));
            fault_texture_check(w, &texture);
        }
        fault_destroy(w, written.handle.id);
        fault_destroy(w, shadowed.handle.id);
        fault_destroy(w, grown.handle.id);
        fault_destroy(w, texture.handle.id);
        (void)FAULT_DO(w, 0, gpool_tick(w->pool));
        (void)FAULT_DO(w, 0, gpool_tick(w->pool));
    }
    gpool_stats stats;
    FAULT_EXPECT(w, gpool_get_stats(w->pool, &stats) == GPOOL_OK &&
                        (!fault_is_whole(w) || fault_hits(w) > 0 || stats.recycle_hits >= 9));
    return fault_end(w);
}

FAULT_SWEEP(recycle, scenario_recycle)
