/* Compute passes. */
#include "sim_pass.h"

#define KIND SIM_KIND_COMPUTE_PASS

static WGPUComputePassEncoder compute_begin(WGPUCommandEncoder handle,
                                            WGPUComputePassDescriptor const *desc)
{
    sim_call call;
    WGPUComputePassEncoder result = NULL;
    sim_encoder *encoder = sim_enter(&call, GPOOL_GPU_CommandEncoderBeginComputePass, handle,
                                     SIM_KIND_COMMAND_ENCODER);
    if (encoder != NULL) {
        WGPUStringView none = { NULL, 0 };
        result = SIM_HANDLE(WGPUComputePassEncoder,
                            sim_pass_new(&call, encoder, KIND, desc != NULL ? desc->label : none));
    }
    sim_leave(&call);
    return result;
}

static void compute_set_pipeline(WGPUComputePassEncoder handle, WGPUComputePipeline pipeline_handle)
{
    sim_call call;
    sim_pass_encoder *pass =
        sim_pass_enter(&call, GPOOL_GPU_ComputePassEncoderSetPipeline, handle, KIND);
    sim_pipeline *pipeline =
        pass != NULL ? sim_get(&call, pipeline_handle, SIM_KIND_COMPUTE_PIPELINE) : NULL;
    if (pipeline != NULL && pipeline->base.invalid) {
        sim_encoder_error(pass->encoder, "SetPipeline: the pipeline \"%s\" is invalid",
                          pipeline->base.label);
    } else if (pipeline != NULL) {
        pass->state.pipeline = pipeline;
        sim_list_add(&pass->encoder->script.uses, &pipeline->base);
    }
    sim_leave(&call);
}

static void compute_set_group(WGPUComputePassEncoder handle, uint32_t index, WGPUBindGroup group,
                              size_t count, uint32_t const *offsets)
{
    sim_pass_set_group(GPOOL_GPU_ComputePassEncoderSetBindGroup, handle, KIND, index, group, count,
                       offsets);
}

static void compute_dispatch(WGPUComputePassEncoder handle, uint32_t x, uint32_t y, uint32_t z)
{
    sim_call call;
    sim_text why;
    sim_pass_encoder *pass =
        sim_pass_enter(&call, GPOOL_GPU_ComputePassEncoderDispatchWorkgroups, handle, KIND);
    if (pass != NULL) {
        uint32_t limit = call.device->limits.maxComputeWorkgroupsPerDimension;
        if (!sim_pass_check_groups(pass, &why)) {
            sim_encoder_error(pass->encoder, "Dispatch: %s", why.text);
        } else if (x > limit || y > limit || z > limit) {
            sim_encoder_error(pass->encoder, "Dispatch: %u x %u x %u workgroups are too many", x, y,
                              z);
        } else {
            sim_work *work = sim_pass_add_work(pass);
            work->counts[0] = x;
            work->counts[1] = y;
            work->counts[2] = z;
        }
    }
    sim_leave(&call);
}

static void compute_dispatch_indirect(WGPUComputePassEncoder handle, WGPUBuffer indirect,
                                      uint64_t offset)
{
    sim_call call;
    sim_text why;
    sim_pass_encoder *pass =
        sim_pass_enter(&call, GPOOL_GPU_ComputePassEncoderDispatchWorkgroupsIndirect, handle, KIND);
    sim_buffer *buffer = pass != NULL ? sim_get(&call, indirect, SIM_KIND_BUFFER) : NULL;
    if (buffer != NULL) {
        if (!sim_pass_check_groups(pass, &why) ||
            !sim_pass_check_indirect(buffer, offset, 12, &why)) {
            sim_encoder_error(pass->encoder, "DispatchIndirect: %s", why.text);
        } else {
            sim_work *work = sim_pass_add_work(pass);
            work->indirect = buffer;
            work->indirect_offset = offset;
            sim_list_add(&pass->encoder->script.uses, &buffer->base);
        }
    }
    sim_leave(&call);
}

static void compute_end(WGPUComputePassEncoder handle)
{
    sim_pass_end(GPOOL_GPU_ComputePassEncoderEnd, handle, KIND);
}

static void compute_push(WGPUComputePassEncoder handle, WGPUStringView label)
{
    (void)label;
    sim_pass_push(GPOOL_GPU_ComputePassEncoderPushDebugGroup, handle, KIND);
}

static void compute_pop(WGPUComputePassEncoder handle)
{
    sim_pass_pop(GPOOL_GPU_ComputePassEncoderPopDebugGroup, handle, KIND);
}

static void compute_marker(WGPUComputePassEncoder handle, WGPUStringView label)
{
    (void)label;
    sim_pass_marker(GPOOL_GPU_ComputePassEncoderInsertDebugMarker, handle, KIND);
}

void sim_table_compute(gpool_gpu *table)
{
    table->CommandEncoderBeginComputePass = compute_begin;
    table->ComputePassEncoderSetPipeline = compute_set_pipeline;
    table->ComputePassEncoderSetBindGroup = compute_set_group;
    table->ComputePassEncoderDispatchWorkgroups = compute_dispatch;
    table->ComputePassEncoderDispatchWorkgroupsIndirect = compute_dispatch_indirect;
    table->ComputePassEncoderEnd = compute_end;
    table->ComputePassEncoderPushDebugGroup = compute_push;
    table->ComputePassEncoderPopDebugGroup = compute_pop;
    table->ComputePassEncoderInsertDebugMarker = compute_marker;
}
