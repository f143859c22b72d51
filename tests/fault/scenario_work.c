/* Work on the GPU: pipelines and their variants, passes, bindings, uniforms, copies. */
#include "fault.h"

#include <string.h>

static const uint8_t green_texel[4] = { 0, 255, 0, 255 };
static const float green[4] = { 0.0f, 1.0f, 0.0f, 1.0f };

static gpool_shader make_shader(fault_world *w, const char *wgsl)
{
    gpool_shader_desc desc = { .wgsl = wgsl, .label = "shader" };
    return FAULT_MAKE(w, gpool_shader, gpool_shader_create(w->pool, &desc));
}

static gpool_texture make_target(fault_world *w, WGPUTextureFormat format, uint32_t samples)
{
    gpool_texture_desc desc = {
        .width = 4, .height = 4, .format = format, .samples = samples, .usage = GPOOL_TEXTURE_TARGET
    };
    return FAULT_MAKE(w, gpool_texture, gpool_texture_create(w->pool, &desc));
}

/* Modules from memory and from a file; broken ones; pipelines that outlive their parts. */
static gpool_result scenario_shaders(fault_world *w)
{
    gpool_shader fill = make_shader(w, fault_fill_wgsl);
    gpool_shader file =
        FAULT_MAKE(w, gpool_shader, gpool_shader_from_file(w->pool, w->shader_path));
    (void)FAULT_DO(w, fill.id, gpool_shader_status(w->pool, fill));
    gpool_layout_entry entry = { .type = GPOOL_BINDING_STORAGE_WRITE };
    gpool_layout_desc layout_desc = { .entries = &entry, .entry_count = 1 };
    gpool_layout layout = FAULT_MAKE(w, gpool_layout, gpool_layout_create(w->pool, &layout_desc));
    WGPUBlendState blend = {
        .color = { WGPUBlendOperation_Add, WGPUBlendFactor_One, WGPUBlendFactor_Zero },
        .alpha = { WGPUBlendOperation_Add, WGPUBlendFactor_One, WGPUBlendFactor_Zero }
    };
    gpool_render_pipeline_desc render = {
        .shader = fill,
        .vertex_entry = "vs",
        .fragment_entry = "fs",
        .layouts = { gpool_uniform_layout(w->pool), { 0 }, layout },
        .vertex_buffers[0] = { .attributes[0] = { .format = WGPUVertexFormat_Float32x2 } },
        .colors = { { .format = WGPUTextureFormat_RGBA8Unorm, .blend_state = &blend },
                    { .format = WGPUTextureFormat_RGBA8Unorm, .blend = GPOOL_BLEND_ALPHA } },
        .depth = { .format = WGPUTextureFormat_Depth32Float,
                   .compare = WGPUCompareFunction_Less,
                   .write = true },
        .samples = 1,
        .label = "whole",
    };
    gpool_pipeline whole =
        FAULT_MAKE(w, gpool_pipeline, gpool_render_pipeline_create(w->pool, &render));
    (void)FAULT_DO(w, whole.id, gpool_pipeline_status(w->pool, whole));
    gpool_compute_pipeline_desc compute = {
        .shader = file, .entry = "main", .layouts = { layout }, .label = "compute"
    };
    gpool_pipeline twice =
        FAULT_MAKE(w, gpool_pipeline, gpool_compute_pipeline_create(w->pool, &compute));
    (void)FAULT_DO(w, twice.id, gpool_pipeline_status(w->pool, twice));
    fault_destroy(w, fill.id);
    fault_destroy(w, file.id);
    fault_destroy(w, layout.id);
    static fault_buffer numbers;
    uint32_t values[4] = { 1, 2, 3, 4 };
    const uint32_t counts[3] = { 2, 1, 1 };
    gpool_buffer_desc counts_desc = { .data = counts,
                                      .size = sizeof counts,
                                      .usage = GPOOL_BUFFER_INDIRECT };
    gpool_buffer indirect = FAULT_MAKE(w, gpool_buffer, gpool_buffer_create(w->pool, &counts_desc));
    fault_buffer_make(w, &numbers, GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_READ_BACK,
                      sizeof values, values);
    layout = FAULT_MAKE(w, gpool_layout, gpool_layout_create(w->pool, &layout_desc));
    gpool_binding binding = { .buffer = numbers.handle };
    (void)FAULT_DO(w, 0, gpool_begin_frame(w->pool));
    gpool_recorder rec = gpool_frame_recorder(w->pool);
    gpool_begin_compute(rec, "twice");
    gpool_set_pipeline(rec, twice);
    gpool_set_bindings(rec, 0, layout, &binding, 1, NULL, 0);
    gpool_dispatch(rec, 3, 1, 1);
    gpool_dispatch_indirect(rec, indirect, 0);
    gpool_end_pass(rec);
    const uint32_t doubled[3] = { 4, 8, 6 };
    fault_buffer_changed(&numbers, FAULT_DO(w, 0, gpool_end_frame(w->pool)), 0, doubled,
                         sizeof doubled);
    fault_buffer_check(w, &numbers);
    return fault_end(w);
}

/* One pipeline in passes of many formats, depths and samples: a variant for each. */
static gpool_result scenario_render(fault_world *w)
{
    static fault_texture target;
    fault_texture_make(w, &target, GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK, 4, 4, NULL);
    gpool_texture half = make_target(w, WGPUTextureFormat_RGBA16Float, 1);
    gpool_texture depth = make_target(w, WGPUTextureFormat_Depth24PlusStencil8, 1);
    gpool_texture smooth = make_target(w, WGPUTextureFormat_RGBA8Unorm, 4);
    gpool_shader shader = make_shader(w, fault_fill_wgsl);
    gpool_render_pipeline_desc desc = { .shader = shader,
                                        .colors[0] = { .blend = GPOOL_BLEND_ADD },
                                        .label = "fill" };
    gpool_pipeline fill =
        FAULT_MAKE(w, gpool_pipeline, gpool_render_pipeline_create(w->pool, &desc));
    uint16_t indices[6] = { 0, 1, 2, 0, 1, 2 };
    uint32_t arguments[10] = { 3, 1, 0, 0, 0, 3, 1, 0, 0, 0 };
    gpool_buffer_desc index_desc = {
        .data = indices, .size = sizeof indices, .usage = GPOOL_BUFFER_INDEX, .label = "indices"
    };
    gpool_buffer_desc indirect_desc = { .data = arguments,
                                        .size = sizeof arguments,
                                        .usage = GPOOL_BUFFER_INDIRECT,
                                        .label = "arguments" };
    gpool_buffer index = FAULT_MAKE(w, gpool_buffer, gpool_buffer_create(w->pool, &index_desc));
    gpool_buffer indirect =
        FAULT_MAKE(w, gpool_buffer, gpool_buffer_create(w->pool, &indirect_desc));
    const gpool_render_desc passes[] = {
        { .color[0] = { .texture = half }, .label = "half" },
        { .color[0] = { .texture = half },
          .depth = { .texture = depth, .stencil_clear = 1 },
          .label = "depth" },
        { .color[0] = { .texture = smooth, .resolve = target.handle }, .label = "smooth" },
        { .color[0] = { .texture = target.handle }, .label = "target" },
    };
    gpool_draw_args plain = { .vertex_count = 3 };
    gpool_draw_args indexed = { .index_count = 6 };
    for (int frame = 0; frame < 2; ++frame) {
        (void)FAULT_DO(w, 0, gpool_begin_frame(w->pool));
        gpool_recorder rec = gpool_frame_recorder(w->pool);
        gpool_push_group(rec, "all");
        for (size_t i = 0; i < sizeof passes / sizeof *passes; ++i) {
            gpool_begin_render(rec, &passes[i]);
            gpool_push_group(rec, "pass");
            gpool_set_viewport(rec, 0, 0, 4, 4, 0, 1);
            gpool_set_scissor(rec, 0, 0, 4, 4);
            gpool_set_blend_constant(rec, (const double[4]){ 1, 1, 1, 1 });
            gpool_set_stencil_reference(rec, 1);
            gpool_set_pipeline(rec, fill);
            gpool_set_uniforms(rec, 0, green, sizeof green);
            gpool_draw(rec, &plain);
            gpool_set_index_buffer(rec, index, WGPUIndexFormat_Uint16, 0);
            gpool_draw(rec, &indexed);
            gpool_draw_indirect(rec, indirect, 0, false);
            gpool_draw_indirect(rec, indirect, 20, true);
            gpool_pop_group(rec);
            gpool_end_pass(rec);
        }
        gpool_pop_group(rec);
        fault_texture_filled(&target, FAULT_DO(w, 0, gpool_end_frame(w->pool)), green_texel);
    }
    fault_texture_check(w, &target);
    return fault_end(w);
}

/* One frame that gathers numbers from all kinds of bindings. */
static void gather(fault_world *w, gpool_pipeline pipeline, gpool_layout layout,
                   fault_buffer *numbers, gpool_buffer second, gpool_texture picture,
                   gpool_sampler sampler, uint32_t expected)
{
    const uint32_t first[4] = { 1000, 0, 0, 0 };
    gpool_binding bindings[] = {
        { .binding = 0, .buffer = numbers->handle },
        { .binding = 1, .buffer = second, .size = 16 },
        { .binding = 2, .texture = picture },
        { .binding = 3, .sampler = sampler },
    };
    const uint32_t offset = 256;
    (void)FAULT_DO(w, 0, gpool_begin_frame(w->pool));
    gpool_recorder rec = gpool_frame_recorder(w->pool);
    for (int pass = 0; pass < 2; ++pass) {
        gpool_begin_compute(rec, "gather");
        gpool_set_pipeline(rec, pipeline);
        gpool_set_uniforms(rec, 0, first, sizeof first);
        gpool_set_bindings(rec, 1, layout, bindings, 4, &offset, 1);
        gpool_dispatch(rec, 1, 1, 1);
        gpool_end_pass(rec);
    }
    fault_buffer_changed(numbers, FAULT_DO(w, 0, gpool_end_frame(w->pool)), 0, &expected,
                         sizeof expected);
    fault_buffer_check(w, numbers);
}

/* Bind groups: made, found again, and made anew when what they name is resized or destroyed. */
static gpool_result scenario_bindings(fault_world *w)
{
    static fault_buffer numbers;
    static fault_texture picture;
    uint8_t texels[64];
    uint32_t second[80] = { 0 };
    memset(texels, 7, sizeof texels);
    second[64] = 200; /* at the dynamic offset */
    gpool_layout_entry entries[] = {
        { .binding = 0, .type = GPOOL_BINDING_STORAGE_WRITE },
        { .binding = 1, .type = GPOOL_BINDING_UNIFORM, .dynamic_offset = true },
        { .binding = 2, .type = GPOOL_BINDING_TEXTURE },
        { .binding = 3, .type = GPOOL_BINDING_SAMPLER },
    };
    gpool_layout_desc layout_desc = { .entries = entries, .entry_count = 4, .label = "gather" };
    gpool_layout layout = FAULT_MAKE(w, gpool_layout, gpool_layout_create(w->pool, &layout_desc));
    gpool_compute_pipeline_desc desc = { .shader = make_shader(w, fault_gather_wgsl),
                                         .layouts = { gpool_uniform_layout(w->pool), layout },
                                         .label = "gather" };
    gpool_pipeline pipeline =
        FAULT_MAKE(w, gpool_pipeline, gpool_compute_pipeline_create(w->pool, &desc));
    gpool_sampler sampler = FAULT_MAKE(w, gpool_sampler, gpool_sampler_create(w->pool, NULL));
    fault_buffer_make(w, &numbers, GPOOL_BUFFER_STORAGE_WRITE | GPOOL_BUFFER_READ_BACK, 16, NULL);
    fault_texture_make(w, &picture, GPOOL_TEXTURE_SAMPLED, 4, 4, texels);
    gpool_buffer_desc second_desc = {
        .data = second, .size = sizeof second, .usage = GPOOL_BUFFER_UNIFORM, .label = "second"
    };
    gpool_buffer uniform = FAULT_MAKE(w, gpool_buffer, gpool_buffer_create(w->pool, &second_desc));
    gather(w, pipeline, layout, &numbers, uniform, picture.handle, sampler, 1207);
    /* Replaced behind the same handles: no stale bind group may be used. */
    (void)FAULT_DO(w, uniform.id, gpool_buffer_resize(w->pool, uniform, 600));
    (void)fault_texture_resize(w, &picture, 8, 8);
    second[64] = 300;
    (void)FAULT_DO(w, uniform.id, gpool_buffer_write(w->pool, uniform, 0, second, sizeof second));
    /* What the frame gives is known when all these succeeded. */
    numbers.known = numbers.known && fault_is_whole(w);
    gather(w, pipeline, layout, &numbers, uniform, picture.handle, sampler,
           fault_is_whole(w) ? 1307 : 0);
    return fault_end(w);
}

/* Uniforms of many sizes, and more of them than one block of stream memory holds. */
static gpool_result scenario_uniforms(fault_world *w)
{
    static fault_texture target;
    static uint8_t large[65536];
    fault_texture_make(w, &target, GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_READ_BACK, 2, 2, NULL);
    gpool_render_pipeline_desc desc = { .shader = make_shader(w, fault_fill_wgsl) };
    gpool_pipeline fill =
        FAULT_MAKE(w, gpool_pipeline, gpool_render_pipeline_create(w->pool, &desc));
    memcpy(large, green, sizeof green);
    gpool_render_desc pass = { .color[0] = { .texture = target.handle } };
    gpool_draw_args args = { .vertex_count = 3 };
    for (int frame = 0; frame < 2; ++frame) {
        (void)FAULT_DO(w, 0, gpool_begin_frame(w->pool));
        gpool_recorder rec = gpool_frame_recorder(w->pool);
        gpool_begin_render(rec, &pass);
        gpool_set_pipeline(rec, fill);
        for (uint32_t i = 0; i < 5; ++i) {
            gpool_set_uniforms(rec, 0, large, sizeof large - 16 * (i % 3));
            gpool_draw(rec, &args);
        }
        gpool_set_uniforms(rec, 0, green, sizeof green);
        gpool_draw(rec, &args);
        gpool_end_pass(rec);
        fault_texture_filled(&target, FAULT_DO(w, 0, gpool_end_frame(w->pool)), green_texel);
    }
    fault_texture_check(w, &target);
    return fault_end(w);
}

/* Copies and clears between everything. */
static gpool_result scenario_copies(fault_world *w)
{
    static fault_buffer from;
    static fault_buffer to;
    static fault_texture a;
    static fault_texture b;
    uint8_t bytes[1024];
    fault_pattern(bytes, sizeof bytes, 8);
    fault_buffer_make(w, &from, GPOOL_BUFFER_COPY_SOURCE, 1024, bytes);
    fault_buffer_make(w, &to,
                      GPOOL_BUFFER_COPY_TARGET | GPOOL_BUFFER_COPY_SOURCE | GPOOL_BUFFER_READ_BACK,
                      1024, bytes);
    const gpool_texture_usage both = GPOOL_TEXTURE_COPY_SOURCE | GPOOL_TEXTURE_COPY_TARGET |
                                     GPOOL_TEXTURE_READ_BACK | GPOOL_TEXTURE_SAMPLED;
    fault_texture_make(w, &a, both, 4, 2, NULL);
    fault_texture_make(w, &b, both, 4, 2, bytes + 99);
    (void)FAULT_DO(w, 0, gpool_begin_frame(w->pool));
    gpool_recorder rec = gpool_frame_recorder(w->pool);
    (void)fault_buffer_write(w, &to, 512, bytes, 64);
    gpool_copy_buffer(rec, from.handle, 256, to.handle, 4, 128);
    gpool_clear_buffer(rec, to.handle, 64, 16);
    gpool_copy_buffer_to_texture(rec, from.handle, 0, 256, a.handle, NULL);
    gpool_copy_texture(rec, a.handle, NULL, b.handle, NULL);
    gpool_copy_texture_to_buffer(rec, b.handle, NULL, to.handle, 256, 256);
    bool done = FAULT_DO(w, 0, gpool_end_frame(w->pool));
    fault_buffer_changed(&to, done, 4, bytes + 256, 128);
    fault_buffer_changed(&to, done, 64, NULL, 16);
    for (uint32_t y = 0; y < 2; ++y) {
        fault_buffer_changed(&to, done, 256 + (uint64_t)y * 256, bytes + (size_t)y * 256, 16);
        memcpy(a.texels + (size_t)y * 16, bytes + (size_t)y * 256, 16);
        memcpy(b.texels + (size_t)y * 16, bytes + (size_t)y * 256, 16);
    }
    a.known = done;
    b.known = done;
    fault_buffer_check(w, &to);
    fault_texture_check(w, &a);
    fault_texture_check(w, &b);
    return fault_end(w);
}

FAULT_SWEEP(bindings, scenario_bindings)
FAULT_SWEEP(copies, scenario_copies)
FAULT_SWEEP(render, scenario_render)
FAULT_SWEEP(shaders, scenario_shaders)
FAULT_SWEEP(uniforms, scenario_uniforms)
