/*
 * Built-in tables of what sending costs: medians of `gpool-bench --calibrate`, by implementation and
 * kind of adapter. GPUs: an NVIDIA H100; software: lavapipe (Mesa 22.3.6) and SwiftShader on two cores.
 * Dawn's stage_fixed on SwiftShader is the highest of three, as its queue writes of few bytes cost less a
 * byte than the large one that is measured.
 */
#include "pool/flush.h"

static const gpool_upload_costs costs_wgpu_gpu = {
    .write_call = 2290.0f,
    .write_byte = 0.072f,
    .stage_fixed = 10400.0f,
    .copy_call = 1660.0f,
    .copy_byte = 0.07f,
    .scatter_fixed = 10400.0f,
    .scatter_buffer = 809.0f,
    .scatter_granule = 70.0f,
};

static const gpool_upload_costs costs_dawn_gpu = {
    .write_call = 2590.0f,
    .write_byte = 0.827f,
    .stage_fixed = 40500.0f,
    .copy_call = 2490.0f,
    .copy_byte = 0.121f,
    .scatter_fixed = 0.0f,
    .scatter_buffer = 0.0f,
    .scatter_granule = 69.5f,
};

static const gpool_upload_costs costs_wgpu_cpu = {
    .write_call = 925.0f,
    .write_byte = 0.095f,
    .stage_fixed = 8470.0f,
    .copy_call = 599.0f,
    .copy_byte = 0.094f,
    .scatter_fixed = 16200.0f,
    .scatter_buffer = 14900.0f,
    .scatter_granule = 26.0f,
};

static const gpool_upload_costs costs_dawn_cpu = {
    .write_call = 306.0f,
    .write_byte = 0.561f,
    .stage_fixed = 5210.0f,
    .copy_call = 338.0f,
    .copy_byte = 0.091f,
    .scatter_fixed = 0.0f,
    .scatter_buffer = 2470.0f,
    .scatter_granule = 52.1f,
};

const gpool_upload_costs *gpool__upload_costs_of(const gpool_device *device)
{
    bool dawn = device->info.implementation == GPOOL_IMPLEMENTATION_DAWN;
    if (device->info.adapter_type == WGPUAdapterType_CPU) {
        return dawn ? &costs_dawn_cpu : &costs_wgpu_cpu;
    }
    return dawn ? &costs_dawn_gpu : &costs_wgpu_gpu;
}

void gpool__upload_choose_costs(gpool *pool)
{
    if (!pool->own_costs) {
        pool->upload_costs = *gpool__upload_costs_of(pool->device);
    }
}
