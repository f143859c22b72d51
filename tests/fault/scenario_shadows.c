/* Textures with a shadow: rectangles, edits, resizes, recovery. And mips, made of what was drawn. */
#include "fault.h"

#include <string.h>

enum {
    SIDE = 16,
    LAYERS = 3
};

/* What layer 0 to 2 of level 0 must have. */
typedef struct shadow_thing {
    gpool_texture handle;
    uint32_t width;
    uint8_t texels[LAYERS][SIDE * SIDE * 4];
} shadow_thing;

static void shadow_write(fault_world *w, shadow_thing *t, uint32_t x, uint32_t y, uint32_t z,
                         uint32_t number)
{
    uint8_t bytes[5 * 3 * 4];
    gpool_texture_region region = { .x = x, .y = y, .z = z, .width = 5, .height = 3 };
    fault_pattern(bytes, sizeof bytes, number);
    if (FAULT_DO(w, t->handle.id,
                 gpool_texture_write(w->pool, t->handle, &region, bytes, sizeof bytes, 0))) {
        for (uint32_t row = 0; row < 3; ++row) {
            memcpy(t->texels[z] + ((size_t)(y + row) * t->width + x) * 4, bytes + (size_t)row * 20,
                   20);
        }
    }
}

static void shadow_edit(fault_world *w, shadow_thing *t, uint32_t number)
{
    gpool_texture_region region = { .y = 2, .z = 1, .width = 4, .height = 1 };
    gpool_texture_rows rows;
    uint8_t bytes[16];
    fault_pattern(bytes, sizeof bytes, number);
    if (FAULT_DO(w, t->handle.id, gpool_texture_edit(w->pool, t->handle, &region, &rows))) {
        memcpy(rows.texels, bytes, sizeof bytes);
        memcpy(t->texels[1] + (size_t)2 * t->width * 4, bytes, sizeof bytes);
    }
}

static void shadow_resize(fault_world *w, shadow_thing *t, uint32_t width)
{
    if (!FAULT_DO(w, t->handle.id, gpool_texture_resize(w->pool, t->handle, width, SIDE, LAYERS))) {
        return;
    }
    for (uint32_t z = 0; z < LAYERS; ++z) {
        uint8_t fresh[sizeof t->texels[0]] = { 0 };
        size_t row = 4u * (width < t->width ? width : t->width);
        for (size_t y = 0; y < SIDE; ++y) {
            memcpy(fresh + y * width * 4, t->texels[z] + y * t->width * 4, row);
        }
        memcpy(t->texels[z], fresh, sizeof fresh);
    }
    t->width = width;
}

static void shadow_check(fault_world *w, shadow_thing *t)
{
    uint8_t got[LAYERS * SIDE * SIDE * 4];
    size_t layer = (size_t)t->width * SIDE * 4;
    if (FAULT_DO(w, t->handle.id,
                 gpool_texture_read(w->pool, t->handle, NULL, got, LAYERS * layer))) {
        for (uint32_t z = 0; z < LAYERS; ++z) {
            FAULT_EXPECT(w, memcmp(got + z * layer, t->texels[z], layer) == 0);
        }
    }
}

/* Whatever fails, the next flush that works brings all that was written. */
static gpool_result scenario_shadows(fault_world *w)
{
    static shadow_thing t;
    t = (shadow_thing){ .width = SIDE };
    fault_pattern(t.texels[0], sizeof t.texels[0], 1);
    fault_pattern(t.texels[1], sizeof t.texels[1], 2);
    fault_pattern(t.texels[2], sizeof t.texels[2], 3);
    gpool_texture_desc desc = { .width = SIDE,
                                .height = SIDE,
                                .depth_or_layers = LAYERS,
                                .mip_levels = 2,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .usage = GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_READ_BACK |
                                         GPOOL_TEXTURE_COPY_SOURCE,
                                .data = t.texels,
                                .data_size = sizeof t.texels,
                                .keep = GPOOL_KEEP_SHADOW,
                                .label = "shadowed" };
    t.handle = FAULT_MAKE(w, gpool_texture, gpool_texture_create(w->pool, &desc));
    (void)FAULT_DO(w, 0, gpool_begin_frame(w->pool));
    shadow_write(w, &t, 1, 2, 0, 10);
    shadow_write(w, &t, 10, 12, 2, 11);
    (void)FAULT_DO(w, 0, gpool_submit(w->pool));
    shadow_write(w, &t, 3, 3, 0, 12);
    shadow_edit(w, &t, 13);
    (void)FAULT_DO(w, 0, gpool_end_frame(w->pool));
    shadow_check(w, &t);
    shadow_write(w, &t, 0, 0, 1, 14);
    (void)FAULT_GET(w, t.handle.id, gpool_texture_gpu(w->pool, t.handle, GPOOL_ACCESS_READ));
    shadow_write(w, &t, 5, 0, 1, 15);
    (void)FAULT_GET(w, t.handle.id,
                    gpool_texture_gpu_view(w->pool, t.handle, NULL, GPOOL_ACCESS_READ));
    /* What was handed out is named until the next submit. */
    (void)FAULT_DO(w, 0, gpool_begin_frame(w->pool));
    (void)FAULT_DO(w, 0, gpool_end_frame(w->pool));
    shadow_write(w, &t, 2, 9, 2, 16);
    shadow_resize(w, &t, 12);
    shadow_write(w, &t, 2, 1, 0, 17);
    shadow_check(w, &t);
    shadow_resize(w, &t, SIDE);
    (void)FAULT_DO(w, 0, gpool_process_uploads(w->pool));
    shadow_write(w, &t, 4, 4, 1, 18);
    shadow_check(w, &t);
    shadow_write(w, &t, 4, 4, 2, 19); /* pending when it is destroyed */
    return fault_end(w);
}

/* Each made of the last: means of 2 x 2, on the host. */
static gpool_result scenario_mips(fault_world *w)
{
    uint8_t texels[2][8 * 8 * 4];
    fault_pattern(texels[0], sizeof texels[0], 4);
    fault_pattern(texels[1], sizeof texels[1], 5);
    gpool_texture_desc desc = { .width = 8,
                                .height = 8,
                                .depth_or_layers = 2,
                                .mip_levels = UINT32_MAX,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .usage = GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_READ_BACK |
                                         GPOOL_TEXTURE_TARGET,
                                .data = texels,
                                .data_size = sizeof texels,
                                .label = "mipped" };
    gpool_texture mipped = FAULT_MAKE(w, gpool_texture, gpool_texture_create(w->pool, &desc));
    gpool_mip_range some = { .base_level = 1, .level_count = 1, .base_layer = 1 };
    bool done = false;
    for (int round = 0; round < 2; ++round) {
        (void)FAULT_DO(w, 0, gpool_begin_frame(w->pool));
        gpool_recorder rec = gpool_frame_recorder(w->pool);
        gpool_texture_generate_mips(rec, mipped, NULL);
        gpool_texture_generate_mips(rec, mipped, &some);
        done = FAULT_DO(w, 0, gpool_end_frame(w->pool));
    }
    if (!done) {
        return fault_end(w);
    }
    uint32_t side = 8;
    for (uint32_t level = 1; level < 4; ++level) {
        side /= 2;
        for (uint32_t layer = 0; layer < 2; ++layer) {
            uint8_t got[4 * 4 * 4];
            size_t row = (size_t)side * 2 * 4;
            for (uint32_t i = 0; i < side * side * 4; ++i) {
                const uint8_t *first =
                    texels[layer] + i / 4 / side * 2 * row + i / 4 % side * 8 + i % 4;
                uint32_t sum = (uint32_t)first[0] + first[4] + first[row] + first[row + 4];
                texels[layer][i] = (uint8_t)((sum + 2) / 4); /* behind what is still to be read */
            }
            gpool_texture_region region = { .mip_level = level, .z = layer };
            if (FAULT_DO(w, mipped.id,
                         gpool_texture_read(w->pool, mipped, &region, got, sizeof got))) {
                FAULT_EXPECT(w, memcmp(got, texels[layer], (size_t)side * side * 4) == 0);
            }
        }
    }
    return fault_end(w);
}

FAULT_SWEEP(shadows, scenario_shadows)
FAULT_SWEEP(mips, scenario_mips)
