/*
 * Built-in tables of what sending costs: medians of `gpool-bench --calibrate`, by implementation and
 * kind of adapter. GPUs: an NVIDIA H100; software: lavapipe (Mesa 22.3.6) and SwiftShader on two cores.
 *
 * Dawn's queue writes cost less a byte below a MiB than the large one that is measured (H100: 0.15 and 0.6 ns):
 * its write_byte on GPUs is of those, and its stage_fixed on SwiftShader the highest of three. scatter_granule
 * on GPUs is read off upload.grid, by the way of whole buffers with the same writes.
 */
#include "pool/flush.h"

static const gpool_upload_costs costs_wgpu_gpu = {
    .write_call = 2680.0f,
    .write_byte = 0.077f,
    .stage_fixed = 10800.0f,
    .copy_call = 1670.0f,
    .copy_byte = 0.072f,
    .scatter_fixed = 11800.0f,
    .scatter_buffer = 532.0f,
    .scatter_granule = 25.0f,
};

static const gpool_upload_costs costs_dawn_gpu = {
    .write_call = 2460.0f,
    .write_byte = 0.2f,
    .stage_fixed = 42400.0f,
    .copy_call = 2410.0f,
    .copy_byte = 0.091f,
    .scatter_fixed = 0.0f,
    .scatter_buffer = 0.0f,
    .scatter_granule = 13.0f,
};

static const gpool_upload_costs costs_wgpu_cpu = {
    .write_call = 980.0f,
    .write_byte = 0.107f,
    .stage_fixed = 10700.0f,
    .copy_call = 610.0f,
    .copy_byte = 0.103f,
    .scatter_fixed = 27400.0f,
    .scatter_buffer = 36300.0f,
    .scatter_granule = 24.5f,
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
