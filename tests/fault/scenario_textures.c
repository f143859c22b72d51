/* Textures of every kind, their views; samplers and layouts, which are shared. */
#include "fault.h"

#include <string.h>

#define ALL_USES                                                                                   \
    ((gpool_texture_usage)(GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_TARGET |                          \
                           GPOOL_TEXTURE_READ_BACK | GPOOL_TEXTURE_COPY_SOURCE |                   \
                           GPOOL_TEXTURE_COPY_TARGET))

static gpool_result scenario_textures(fault_world *w)
{
    static fault_texture a;
    uint8_t texels[16 * 16 * 4];
    uint8_t got[16 * 16 * 4];
    fault_pattern(texels, sizeof texels, 6);
    fault_texture_make(w, &a, ALL_USES, 6, 5, texels);
    fault_texture_check(w, &a);
    (void)fault_texture_write(w, &a, texels + 100);
    (void)fault_texture_resize(w, &a, 16, 3);
    fault_texture_check(w, &a);
    (void)fault_texture_resize(w, &a, 4, 9);
    (void)fault_texture_write(w, &a, texels + 7);
    fault_texture_check(w, &a);
    /* Levels and layers; a part of one of them. */
    gpool_texture_desc desc = { .width = 8,
                                .height = 8,
                                .depth_or_layers = 6,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .mip_levels = UINT32_MAX,
                                .usage = ALL_USES,
                                .label = "cube" };
    gpool_texture cube = FAULT_MAKE(w, gpool_texture, gpool_texture_create(w->pool, &desc));
    gpool_texture_region part = {
        .mip_level = 1, .x = 1, .y = 2, .z = 3, .width = 2, .height = 2, .depth = 2
    };
    bool written =
        FAULT_DO(w, cube.id, gpool_texture_write(w->pool, cube, &part, texels, sizeof texels, 16));
    bool read = FAULT_DO(w, cube.id, gpool_texture_read(w->pool, cube, &part, got, sizeof got));
    if (written && read) {
        FAULT_EXPECT(w, memcmp(got, texels, 8) == 0 && memcmp(got + 8, texels + 16, 8) == 0);
    }
    /* Slices of a 3D target are zeroed one by one. */
    desc = (gpool_texture_desc){ .width = 4,
                                 .height = 4,
                                 .depth_or_layers = 2,
                                 .dimension = WGPUTextureDimension_3D,
                                 .format = WGPUTextureFormat_RGBA8Unorm,
                                 .usage = ALL_USES,
                                 .label = "solid" };
    gpool_texture solid = FAULT_MAKE(w, gpool_texture, gpool_texture_create(w->pool, &desc));
    (void)FAULT_DO(w, solid.id, gpool_texture_resize(w->pool, solid, 4, 4, 3));
    desc = (gpool_texture_desc){ .width = 4,
                                 .format = WGPUTextureFormat_R8Unorm,
                                 .dimension = WGPUTextureDimension_1D,
                                 .usage = GPOOL_TEXTURE_SAMPLED | GPOOL_TEXTURE_READ_BACK,
                                 .data = texels,
                                 .data_size = 4 };
    gpool_texture line = FAULT_MAKE(w, gpool_texture, gpool_texture_create(w->pool, &desc));
    if (FAULT_DO(w, line.id, gpool_texture_read(w->pool, line, NULL, got, 4))) {
        FAULT_EXPECT(w, memcmp(got, texels, 4) == 0);
    }
    /* Cleared by a resize: depth, and many samples. */
    desc = (gpool_texture_desc){ .width = 4,
                                 .height = 4,
                                 .format = WGPUTextureFormat_Depth24PlusStencil8,
                                 .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_SAMPLED };
    gpool_texture depth = FAULT_MAKE(w, gpool_texture, gpool_texture_create(w->pool, &desc));
    (void)FAULT_DO(w, depth.id, gpool_texture_resize(w->pool, depth, 8, 8, 0));
    desc = (gpool_texture_desc){ .width = 4,
                                 .height = 4,
                                 .format = WGPUTextureFormat_RGBA8Unorm,
                                 .samples = 4,
                                 .usage = GPOOL_TEXTURE_TARGET };
    gpool_texture smooth = FAULT_MAKE(w, gpool_texture, gpool_texture_create(w->pool, &desc));
    (void)FAULT_DO(w, smooth.id, gpool_texture_resize(w->pool, smooth, 2, 2, 0));
    fault_texture_check(w, &a);
    return fault_end(w);
}

/* Views are made at first use, found again, and gone with a resize. */
static gpool_result scenario_views(fault_world *w)
{
    gpool_texture_desc desc = { .width = 8,
                                .height = 8,
                                .depth_or_layers = 12,
                                .format = WGPUTextureFormat_RGBA8Unorm,
                                .mip_levels = 4,
                                .usage = ALL_USES | GPOOL_TEXTURE_STORAGE,
                                .label = "viewed" };
    gpool_texture viewed = FAULT_MAKE(w, gpool_texture, gpool_texture_create(w->pool, &desc));
    const gpool_view_desc views[] = {
        { .dimension = 0 },
        { .dimension = WGPUTextureViewDimension_2D, .base_layer = 5 },
        { .dimension = WGPUTextureViewDimension_Cube, .base_layer = 6 },
        { .dimension = WGPUTextureViewDimension_CubeArray },
        { .base_mip_level = 2, .mip_level_count = 1 },
        { .format = WGPUTextureFormat_RGBA8UnormSrgb },
        { .base_mip_level = 1, .layer_count = 2 },
        { .base_mip_level = 3 },
        { .base_layer = 1, .layer_count = 1 },
        { .base_layer = 2, .layer_count = 1 },
    };
    for (int round = 0; round < 3; ++round) {
        for (size_t i = 0; i < sizeof views / sizeof *views; ++i) {
            const void *first =
                FAULT_GET(w, viewed.id,
                          gpool_texture_gpu_view(w->pool, viewed, &views[i], GPOOL_ACCESS_READ));
            const void *again =
                FAULT_GET(w, viewed.id,
                          gpool_texture_gpu_view(w->pool, viewed, &views[i], GPOOL_ACCESS_WRITE));
            FAULT_EXPECT(w, first == again || !fault_is_whole(w));
        }
        (void)FAULT_DO(w, 0, gpool_process_uploads(w->pool));
        if (round == 1) {
            (void)FAULT_DO(w, viewed.id, gpool_texture_resize(w->pool, viewed, 16, 16, 12));
        }
    }
    gpool_texture_info info = { 0 };
    if (fault_is_whole(w)) {
        FAULT_EXPECT(w, gpool_texture_get_info(w->pool, viewed, &info) == GPOOL_OK);
        FAULT_EXPECT(w, info.view_count == sizeof views / sizeof *views && info.version == 2);
    }
    return fault_end(w);
}

/* Equal samplers and layouts are one, and live as long as somebody has a share. */
static gpool_result scenario_shared(fault_world *w)
{
    gpool_sampler_desc linear = { .mag_filter = WGPUFilterMode_Linear,
                                  .min_filter = WGPUFilterMode_Linear,
                                  .mipmap_filter = WGPUMipmapFilterMode_Linear,
                                  .max_anisotropy = 4,
                                  .label = "linear" };
    gpool_sampler_desc shadow = { .compare = WGPUCompareFunction_Less, .label = "shadow" };
    gpool_sampler a = FAULT_MAKE(w, gpool_sampler, gpool_sampler_create(w->pool, &linear));
    gpool_sampler b = FAULT_MAKE(w, gpool_sampler, gpool_sampler_create(w->pool, &linear));
    gpool_sampler c = FAULT_MAKE(w, gpool_sampler, gpool_sampler_create(w->pool, &shadow));
    FAULT_EXPECT(w, !fault_is_whole(w) || (a.id == b.id && a.id != c.id));
    (void)FAULT_GET(w, a.id, gpool_sampler_gpu(w->pool, a));
    fault_destroy(w, a.id);
    gpool_sampler_desc got = { 0 };
    if (FAULT_DO(w, b.id, gpool_sampler_get_desc(w->pool, b, &got))) {
        FAULT_EXPECT(w, got.max_anisotropy == 4 && strcmp(got.label, "linear") == 0);
    }
    gpool_layout_entry entries[] = {
        { .binding = 0, .type = GPOOL_BINDING_UNIFORM, .dynamic_offset = true, .min_size = 16 },
        { .binding = 1, .type = GPOOL_BINDING_STORAGE },
        { .binding = 2, .type = GPOOL_BINDING_STORAGE_WRITE },
        { .binding = 3, .type = GPOOL_BINDING_TEXTURE },
        { .binding = 4,
          .type = GPOOL_BINDING_STORAGE_TEXTURE,
          .format = WGPUTextureFormat_RGBA8Unorm },
        { .binding = 5, .type = GPOOL_BINDING_SAMPLER },
        { .binding = 6, .type = GPOOL_BINDING_SAMPLER_COMPARISON },
    };
    gpool_layout_desc all = { .entries = entries, .entry_count = 7, .label = "all" };
    gpool_layout_desc none = { .label = "none" };
    gpool_layout x = FAULT_MAKE(w, gpool_layout, gpool_layout_create(w->pool, &all));
    gpool_layout y = FAULT_MAKE(w, gpool_layout, gpool_layout_create(w->pool, &all));
    gpool_layout z = FAULT_MAKE(w, gpool_layout, gpool_layout_create(w->pool, &none));
    FAULT_EXPECT(w, !fault_is_whole(w) || (x.id == y.id && x.id != z.id));
    fault_destroy(w, x.id);
    (void)FAULT_GET(w, y.id, gpool_layout_gpu(w->pool, y));
    (void)FAULT_GET(w, 0, gpool_layout_gpu(w->pool, gpool_uniform_layout(w->pool)));
    return fault_end(w);
}

FAULT_SWEEP(shared, scenario_shared)
FAULT_SWEEP(textures, scenario_textures)
FAULT_SWEEP(views, scenario_views)
