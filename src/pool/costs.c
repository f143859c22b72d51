/*
 * Built-in tables of what sending costs: medians of `gpool-bench --calibrate`, by implementation and
 * kind of adapter. docs/uploads.md tells on which machines.
 */
#include "pool/flush.h"

static const gpool_upload_costs costs_wgpu_gpu = {
    .write_call = 3900.0f,
    .write_byte = 0.31f,
    .stage_fixed = 30000.0f,
    .copy_call = 2400.0f,
    .copy_byte = 0.09f,
    .scatter_fixed = 30000.0f,
    .scatter_buffer = 3000.0f,
    .scatter_granule = 27.0f,
};

static const gpool_upload_costs costs_dawn_gpu = {
    .write_call = 3400.0f,
    .write_byte = 0.8f,
    .stage_fixed = 30000.0f,
    .copy_call = 2900.0f,
    .copy_byte = 0.17f,
    .scatter_fixed = 20000.0f,
    .scatter_buffer = 3000.0f,
    .scatter_granule = 33.0f,
};

static const gpool_upload_costs costs_wgpu_cpu = {
    .write_call = 1240.0f,
    .write_byte = 0.232f,
    .stage_fixed = 10800.0f,
    .copy_call = 916.0f,
    .copy_byte = 0.227f,
    .scatter_fixed = 32800.0f,
    .scatter_buffer = 16500.0f,
    .scatter_granule = 46.8f,
};

static const gpool_upload_costs costs_dawn_cpu = {
    .write_call = 512.0f,
    .write_byte = 1.05f,
    .stage_fixed = 1800.0f,
    .copy_call = 465.0f,
    .copy_byte = 0.185f,
    .scatter_fixed = 0.0f,
    .scatter_buffer = 17500.0f,
    .scatter_granule = 279.0f,
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
