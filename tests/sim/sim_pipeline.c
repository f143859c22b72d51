/* Shader modules and pipelines. */
#include "sim_state.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

/* Blanks out comments, so that what follows sees code only. */
static void pipeline_strip(char *source)
{
    for (char *at = source; *at != '\0'; ++at) {
        if (at[0] == '/' && at[1] == '/') {
            while (*at != '\0' && *at != '\n') {
                *at++ = ' ';
            }
            if (*at == '\0') {
                return;
            }
        } else if (at[0] == '/' && at[1] == '*') {
            while (*at != '\0' && !(at[0] == '*' && at[1] == '/')) {
                *at = *at == '\n' ? '\n' : ' ';
                ++at;
            }
            if (*at == '\0') {
                return;
            }
            at[0] = ' ';
            at[1] = ' ';
        }
    }
}

/* No compiler: brackets must balance, and characters WGSL never has must be absent. */
static bool pipeline_check_source(const char *source, sim_text *why)
{
    char stack[256];
    size_t depth = 0;
    for (const char *at = source; *at != '\0'; ++at) {
        switch (*at) {
        case '{':
        case '(':
        case '[':
            if (depth == sizeof stack) {
                return sim_say(why, "brackets nest too deep");
            }
            stack[depth++] = *at == '{' ? '}' : *at == '(' ? ')' : ']';
            break;
        case '}':
        case ')':
        case ']':
            if (depth == 0 || stack[--depth] != *at) {
                return sim_say(why, "unexpected '%c'", *at);
            }
            break;
        case '#':
        case '$':
        case '`':
        case '\\':
        case '?':
            return sim_say(why, "invalid character '%c'", *at);
        default:
            break;
        }
    }
    return depth == 0 || sim_say(why, "'%c' is missing at the end", stack[depth - 1]);
}

static WGPUShaderModule pipeline_create_shader(WGPUDevice handle,
                                               WGPUShaderModuleDescriptor const *desc)
{
    sim_call call;
    sim_text why;
    WGPUShaderModule result = NULL;
    sim_device *device =
        sim_enter(&call, GPOOL_GPU_DeviceCreateShaderModule, handle, SIM_KIND_DEVICE);
    if (device == NULL || call.way == SIM_FAIL_NULL) {
        sim_leave(&call);
        return NULL;
    }
    const WGPUShaderSourceWGSL *wgsl = (const void *)desc->nextInChain;
    bool good = sim_create_good(&call, device);
    if (wgsl == NULL || wgsl->chain.sType != WGPUSType_ShaderSourceWGSL ||
        wgsl->code.data == NULL) {
        if (sim_is_dawn(call.sim)) {
            sim_error(device, WGPUErrorType_Validation, "ShaderModule: no WGSL source");
        } else {
            sim_fatal(call.sim, call.function, "no WGSL source");
        }
        good = false;
    }
    sim_shader *shader =
        sim_object_new(call.sim, SIM_KIND_SHADER_MODULE, sizeof *shader, device, desc->label);
    if (good) {
        size_t size = sim_length(wgsl->code);
        shader->hash = XXH3_64bits(wgsl->code.data, size);
        shader->source = sim_must(calloc(1, size + 1));
        memcpy(shader->source, wgsl->code.data, size);
        pipeline_strip(shader->source);
        if (!pipeline_check_source(shader->source, &why)) {
            sim_error(device, WGPUErrorType_Validation, "Shader \"%s\" parsing error: %s",
                      shader->base.label, why.text);
            good = false;
        }
    }
    shader->base.invalid = !good;
    result = SIM_HANDLE(WGPUShaderModule, shader);
    sim_leave(&call);
    return result;
}

/* True when the source has "fn name" (any function for an empty name). */
static bool pipeline_has_entry(const sim_shader *shader, WGPUStringView name)
{
    size_t length = sim_length(name);
    for (const char *at = shader->source; at != NULL && (at = strstr(at, "fn")) != NULL; at += 2) {
        const char *word = at + 2;
        if (!isspace((unsigned char)*word) ||
            (at > shader->source && (isalnum((unsigned char)at[-1]) || at[-1] == '_'))) {
            continue;
        }
        while (isspace((unsigned char)*word)) {
            word += 1;
        }
        if (length == 0 || (strncmp(word, name.data, length) == 0 &&
                            !isalnum((unsigned char)word[length]) && word[length] != '_')) {
            return true;
        }
    }
    return false;
}

/* Takes a module and checks its entry point; holds it. */
static bool pipeline_take_stage(const sim_call *call, WGPUShaderModule handle, WGPUStringView entry,
                                sim_shader **shader, sim_text *why)
{
    *shader = sim_get(call, handle, SIM_KIND_SHADER_MODULE);
    if (*shader == NULL) {
        return sim_say(why, "a module is missing");
    }
    sim_hold(&(*shader)->base);
    if ((*shader)->base.invalid) {
        return (*shader)->source == NULL && call->device->lost && sim_is_dawn(call->sim)
                   ? true
                   : sim_say(why, "the shader \"%s\" is invalid", (*shader)->base.label);
    }
    return pipeline_has_entry(*shader, entry) ||
           sim_say(why, "the shader \"%s\" has no entry point \"%.*s\"", (*shader)->base.label,
                   (int)sim_length(entry), entry.data != NULL ? entry.data : "");
}

static bool pipeline_take_layout(const sim_call *call, WGPUPipelineLayout handle,
                                 sim_pipeline *pipeline, sim_text *why)
{
    pipeline->layout = sim_get_optional(call, handle, SIM_KIND_PIPELINE_LAYOUT);
    if (pipeline->layout == NULL) {
        return true;
    }
    sim_hold(&pipeline->layout->base);
    return !pipeline->layout->base.invalid || sim_say(why, "the pipeline layout is invalid");
}

static WGPUComputePipeline pipeline_create_compute(WGPUDevice handle,
                                                   WGPUComputePipelineDescriptor const *desc)
{
    sim_call call;
    sim_text why;
    WGPUComputePipeline result = NULL;
    sim_device *device =
        sim_enter(&call, GPOOL_GPU_DeviceCreateComputePipeline, handle, SIM_KIND_DEVICE);
    if (device != NULL && call.way != SIM_FAIL_NULL) {
        bool good = sim_create_good(&call, device);
        sim_pipeline *pipeline = sim_object_new(call.sim, SIM_KIND_COMPUTE_PIPELINE,
                                                sizeof *pipeline, device, desc->label);
        if (good && (!pipeline_take_layout(&call, desc->layout, pipeline, &why) ||
                     !pipeline_take_stage(&call, desc->compute.module, desc->compute.entryPoint,
                                          &pipeline->vertex, &why))) {
            sim_error(device, WGPUErrorType_Validation, "ComputePipeline \"%s\": %s",
                      pipeline->base.label, why.text);
            good = false;
        }
        pipeline->base.invalid = !good;
        result = SIM_HANDLE(WGPUComputePipeline, pipeline);
    }
    sim_leave(&call);
    return result;
}

/* --- render pipelines --- */

static uint64_t pipeline_vertex_bytes(WGPUVertexFormat format)
{
    static const uint8_t bytes[] = { 0, 1, 2,  4,  1, 2, 4,  1,  2, 4, 1,  2,  4, 2,
                                     4, 8, 2,  4,  8, 2, 4,  8,  2, 4, 8,  2,  4, 8,
                                     4, 8, 12, 16, 4, 8, 12, 16, 4, 8, 12, 16, 4, 4 };
    return (size_t)format < sizeof bytes ? bytes[format] : 0;
}

static bool pipeline_check_attribute(const sim_device *device, const WGPUVertexBufferLayout *layout,
                                     const WGPUVertexAttribute *attribute, uint64_t *end,
                                     sim_text *why)
{
    uint64_t bytes = pipeline_vertex_bytes(attribute->format);
    uint64_t limit =
        layout->arrayStride != 0 ? layout->arrayStride : device->limits.maxVertexBufferArrayStride;
    if (bytes == 0 || attribute->offset % (bytes < 4 ? bytes : 4) != 0 ||
        attribute->offset > limit || bytes > limit - attribute->offset ||
        attribute->shaderLocation >= device->limits.maxVertexAttributes) {
        return sim_say(why, "attribute at location %u: format %u, offset %llu, stride %llu",
                       attribute->shaderLocation, (unsigned)attribute->format,
                       (unsigned long long)attribute->offset,
                       (unsigned long long)layout->arrayStride);
    }
    *end = *end > attribute->offset + bytes ? *end : attribute->offset + bytes;
    return true;
}

static bool pipeline_take_vertices(const sim_device *device, const WGPUVertexState *state,
                                   sim_pipeline *pipeline, sim_text *why)
{
    uint64_t locations = 0;
    if (state->bufferCount > device->limits.maxVertexBuffers || state->bufferCount > SIM_VERTICES) {
        return sim_say(why, "%zu vertex buffers are too many", state->bufferCount);
    }
    pipeline->slot_count = (uint32_t)state->bufferCount;
    for (size_t i = 0; i < state->bufferCount; ++i) {
        const WGPUVertexBufferLayout *layout = &state->buffers[i];
        if (layout->stepMode == 0 && layout->attributeCount == 0) {
            continue;
        }
        if (!sim_known((uint32_t)layout->stepMode, 2, true) || layout->arrayStride % 4 != 0 ||
            layout->arrayStride > device->limits.maxVertexBufferArrayStride) {
            return sim_say(why, "vertex buffer %zu: step %u or stride %llu", i,
                           (unsigned)layout->stepMode, (unsigned long long)layout->arrayStride);
        }
        pipeline->used[i] = true;
        pipeline->instanced[i] = layout->stepMode == WGPUVertexStepMode_Instance;
        pipeline->strides[i] = layout->arrayStride;
        for (size_t j = 0; j < layout->attributeCount; ++j) {
            const WGPUVertexAttribute *attribute = &layout->attributes[j];
            if (!pipeline_check_attribute(device, layout, attribute, &pipeline->last_strides[i],
                                          why)) {
                return false;
            }
            if ((locations >> attribute->shaderLocation & 1u) != 0) {
                return sim_say(why, "location %u is there twice", attribute->shaderLocation);
            }
            locations |= UINT64_C(1) << attribute->shaderLocation;
        }
    }
    return true;
}

static bool pipeline_take_colors(const sim_device *device, const WGPUFragmentState *fragment,
                                 sim_pipeline *pipeline, sim_text *why)
{
    if (fragment->targetCount > device->limits.maxColorAttachments ||
        fragment->targetCount > SIM_TARGETS) {
        return sim_say(why, "%zu targets are too many", fragment->targetCount);
    }
    pipeline->targets.color_count = (uint32_t)fragment->targetCount;
    for (size_t i = 0; i < fragment->targetCount; ++i) {
        const WGPUColorTargetState *target = &fragment->targets[i];
        pipeline->targets.colors[i] = target->format;
        if (target->format == 0) {
            continue;
        }
        sim_format facts = sim_format_facts(target->format);
        if (facts.block_width != 1 || facts.depth_bytes + facts.stencil_bytes > 0) {
            return sim_say(why, "target %zu: format 0x%x is no color", i, (unsigned)target->format);
        }
        if ((target->writeMask & ~(WGPUColorWriteMask)15) != 0 ||
            (target->blend != NULL && (facts.type == 'U' || facts.type == 'S'))) {
            return sim_say(why, "target %zu: write mask or blending", i);
        }
    }
    return true;
}

static bool pipeline_take_depth(const WGPUDepthStencilState *depth, sim_pipeline *pipeline,
                                sim_text *why)
{
    sim_format facts = sim_format_facts(depth->format);
    if (facts.depth_bytes + facts.stencil_bytes == 0) {
        return sim_say(why, "format 0x%x has no depth or stencil", (unsigned)depth->format);
    }
    bool writes = depth->depthWriteEnabled == WGPUOptionalBool_True;
    if (facts.depth_bytes == 0 && (writes || (depth->depthCompare != WGPUCompareFunction_Always &&
                                              depth->depthCompare != 0))) {
        return sim_say(why, "a format without depth is tested or written");
    }
    if (facts.depth_bytes > 0 && (depth->depthWriteEnabled == WGPUOptionalBool_Undefined ||
                                  !sim_known((uint32_t)depth->depthCompare, 8, false))) {
        return sim_say(why, "depth write or compare is not given");
    }
    pipeline->targets.depth = depth->format;
    pipeline->writes_depth = writes;
    const WGPUStencilFaceState *faces[] = { &depth->stencilFront, &depth->stencilBack };
    for (int i = 0; i < 2; ++i) {
        pipeline->writes_stencil =
            pipeline->writes_stencil ||
            (depth->stencilWriteMask != 0 && (faces[i]->failOp > WGPUStencilOperation_Keep ||
                                              faces[i]->depthFailOp > WGPUStencilOperation_Keep ||
                                              faces[i]->passOp > WGPUStencilOperation_Keep));
    }
    return !pipeline->writes_stencil || facts.stencil_bytes > 0 ||
           sim_say(why, "a format without stencil is written");
}

static bool pipeline_fill_render(const sim_call *call, const WGPURenderPipelineDescriptor *desc,
                                 sim_pipeline *pipeline, sim_text *why)
{
    const WGPUPrimitiveState *primitive = &desc->primitive;
    pipeline->targets.samples = desc->multisample.count;
    pipeline->strip = primitive->topology == WGPUPrimitiveTopology_LineStrip ||
                      primitive->topology == WGPUPrimitiveTopology_TriangleStrip;
    pipeline->strip_format = primitive->stripIndexFormat;
    if (!pipeline_take_layout(call, desc->layout, pipeline, why) ||
        !pipeline_take_stage(call, desc->vertex.module, desc->vertex.entryPoint, &pipeline->vertex,
                             why) ||
        !pipeline_take_vertices(call->device, &desc->vertex, pipeline, why)) {
        return false;
    }
    if (desc->fragment != NULL &&
        (!pipeline_take_stage(call, desc->fragment->module, desc->fragment->entryPoint,
                              &pipeline->fragment, why) ||
         !pipeline_take_colors(call->device, desc->fragment, pipeline, why))) {
        return false;
    }
    if (desc->depthStencil != NULL && !pipeline_take_depth(desc->depthStencil, pipeline, why)) {
        return false;
    }
    bool any = desc->depthStencil != NULL;
    for (uint32_t i = 0; i < pipeline->targets.color_count; ++i) {
        any = any || pipeline->targets.colors[i] != 0;
    }
    if (!any || (desc->multisample.count != 1 && desc->multisample.count != 4) ||
        (desc->multisample.alphaToCoverageEnabled && desc->multisample.count == 1)) {
        return sim_say(why, "no target, or %u samples", desc->multisample.count);
    }
    if (!sim_known((uint32_t)primitive->topology, 5, true) ||
        !sim_known((uint32_t)primitive->frontFace, 2, true) ||
        !sim_known((uint32_t)primitive->cullMode, 3, true) ||
        !sim_known((uint32_t)primitive->stripIndexFormat, 2, true) ||
        (primitive->stripIndexFormat != 0 && !pipeline->strip)) {
        return sim_say(why, "the primitive state is not possible");
    }
    return true;
}

static WGPURenderPipeline pipeline_create_render(WGPUDevice handle,
                                                 WGPURenderPipelineDescriptor const *desc)
{
    sim_call call;
    sim_text why;
    WGPURenderPipeline result = NULL;
    sim_device *device =
        sim_enter(&call, GPOOL_GPU_DeviceCreateRenderPipeline, handle, SIM_KIND_DEVICE);
    if (device != NULL && call.way != SIM_FAIL_NULL) {
        bool good = sim_create_good(&call, device);
        sim_pipeline *pipeline = sim_object_new(call.sim, SIM_KIND_RENDER_PIPELINE,
                                                sizeof *pipeline, device, desc->label);
        if (good && !pipeline_fill_render(&call, desc, pipeline, &why)) {
            sim_error(device, WGPUErrorType_Validation, "RenderPipeline \"%s\": %s",
                      pipeline->base.label, why.text);
            good = false;
        }
        pipeline->base.invalid = !good;
        result = SIM_HANDLE(WGPURenderPipeline, pipeline);
    }
    sim_leave(&call);
    return result;
}

void sim_register_shader(sim *s, const char *wgsl, sim_shader_fn fn, void *user)
{
    sim_host_shader *shader = sim_must(calloc(1, sizeof *shader));
    shader->hash = XXH3_64bits(wgsl, strlen(wgsl));
    shader->fn = fn;
    shader->user = user;
    sim_lock();
    shader->next = s->shaders;
    s->shaders = shader;
    sim_unlock();
}

void sim_table_pipeline(gpool_gpu *table)
{
    table->DeviceCreateShaderModule = pipeline_create_shader;
    table->DeviceCreateComputePipeline = pipeline_create_compute;
    table->DeviceCreateRenderPipeline = pipeline_create_render;
}
