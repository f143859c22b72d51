#include "gpu/fuzz_calls.h"

fuzz_state fuzz;

uint32_t fuzz_pick(uint32_t below)
{
    return fixture_random(&fuzz.seed, below);
}

uint64_t fuzz_size(void)
{
    switch (fuzz_pick(4)) {
    case 0:
        return hostile_edges[fuzz_pick(HOSTILE_EDGES)];
    case 1:
        return (uint64_t)fuzz_pick(64) * 4;
    case 2:
        return fuzz_pick(300);
    default:
        return (uint64_t)fuzz_pick(5) * 256;
    }
}

uint64_t fuzz_real_size(void)
{
    uint64_t size = fuzz_size();
    return size <= FUZZ_BYTES ? size : fuzz_pick(FUZZ_BYTES);
}

uint32_t fuzz_enum(uint32_t last)
{
    static const uint32_t bad[] = { 0x7fffffffu, UINT32_MAX, 0x80000000u, 64, 255 };
    return fuzz_pick(12) == 0 ? bad[fuzz_pick(5)] : fuzz_pick(last + 2);
}

uint64_t fuzz_id(gpool_kind kind)
{
    uint64_t id = fuzz.ids[kind][fuzz_pick(FUZZ_KEPT)];
    switch (fuzz_pick(80)) {
    case 0:
        return 0;
    case 1:
        return id ^ (UINT64_C(1) << fuzz_pick(64));
    case 2:
        return hostile_random64(&fuzz.seed);
    case 3:
        return fuzz.ids[fuzz_pick(GPOOL_KIND_COUNT - 1) + 1][fuzz_pick(FUZZ_KEPT)];
    case 4:
        return (id & UINT32_MAX) | (uint64_t)fuzz_pick(40) << 32;
    default:
        return id;
    }
}

void fuzz_keep(gpool_kind kind, uint64_t id)
{
    if (id != 0) {
        fuzz.ids[kind][fuzz_pick(FUZZ_KEPT)] = id;
    }
}

WGPUTextureFormat fuzz_format(void)
{
    static const WGPUTextureFormat common[] = {
        WGPUTextureFormat_RGBA8Unorm,   WGPUTextureFormat_RGBA8UnormSrgb,
        WGPUTextureFormat_R8Unorm,      WGPUTextureFormat_Depth24PlusStencil8,
        WGPUTextureFormat_Depth32Float, WGPUTextureFormat_R32Float,
        WGPUTextureFormat_RGBA16Float,  WGPUTextureFormat_RG8Uint
    };
    return fuzz_pick(3) == 0 ? (WGPUTextureFormat)fuzz_enum(WGPUTextureFormat_ASTC12x12UnormSrgb)
                             : common[fuzz_pick(8)];
}

gpool_texture_region fuzz_region(void)
{
    gpool_texture_region region = { 0 };
    if (fuzz_pick(3) == 0) {
        region = (gpool_texture_region){ fuzz_pick(3), (uint32_t)fuzz_size(),
                                         fuzz_pick(9), fuzz_pick(3),
                                         fuzz_pick(9), (uint32_t)fuzz_size(),
                                         fuzz_pick(3), (WGPUTextureAspect)fuzz_enum(3) };
    } else if (fuzz_pick(2) == 0) {
        region = (gpool_texture_region){ .mip_level = fuzz_pick(2),
                                         .x = fuzz_pick(4),
                                         .width = fuzz_pick(4),
                                         .height = fuzz_pick(4) };
    }
    return region;
}

gpool_view_desc fuzz_view(void)
{
    gpool_view_desc view = { 0 };
    if (fuzz_pick(2) == 0) {
        view = (gpool_view_desc){ .dimension = (WGPUTextureViewDimension)fuzz_enum(6),
                                  .format = fuzz_pick(3) == 0 ? fuzz_format() : 0,
                                  .base_mip_level = fuzz_pick(3),
                                  .mip_level_count = fuzz_pick(3),
                                  .base_layer = fuzz_pick(3),
                                  .layer_count = fuzz_pick(8),
                                  .aspect = (WGPUTextureAspect)fuzz_enum(3) };
    }
    return view;
}
