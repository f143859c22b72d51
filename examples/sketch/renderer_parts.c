#include "renderer_parts.h"

#include "particles.h"

#include <stdio.h>

static const gpool_vertex_layout vertex_layout = {
    .stride = sizeof(vertex),
    .attributes = { { WGPUVertexFormat_Float32x3, offsetof(vertex, position), 0 },
                    { WGPUVertexFormat_Float32x3, offsetof(vertex, normal), 1 },
                    { WGPUVertexFormat_Float32x2, offsetof(vertex, uv), 2 },
                    { WGPUVertexFormat_Unorm8x4, offsetof(vertex, color), 3 } }
};
static const gpool_vertex_layout instance_layout = {
    .stride = sizeof(instance),
    .step = WGPUVertexStepMode_Instance,
    .attributes = { { WGPUVertexFormat_Float32x4, offsetof(instance, position), 4 },
                    { WGPUVertexFormat_Float32x4, offsetof(instance, rotation), 5 },
                    { WGPUVertexFormat_Float32x4, offsetof(instance, tint), 6 },
                    { WGPUVertexFormat_Float32x4, offsetof(instance, gloss), 7 } }
};

static const gpool_vertex_layout particle_layout = {
    .stride = sizeof(particle),
    .attributes = { { WGPUVertexFormat_Float32x3, offsetof(particle, position), 0 },
                    { WGPUVertexFormat_Unorm8x4, offsetof(particle, color), 1 } }
};

static gpool_shader load_shader(gpool *pool, const char *folder, const char *name)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (length < 0 || (size_t)length >= sizeof path) {
        return (gpool_shader){ 0 };
    }
    return gpool_shader_from_file(pool, path);
}

static void make_layouts(renderer_parts *parts, gpool *pool)
{
    const gpool_layout_entry scene[] = {
        { .binding = 0, .type = GPOOL_BINDING_SAMPLER },
        { .binding = 1, .type = GPOOL_BINDING_SAMPLER },
        { .binding = 2,
          .type = GPOOL_BINDING_SAMPLER_COMPARISON,
          .stages = WGPUShaderStage_Fragment },
        { .binding = 3,
          .type = GPOOL_BINDING_TEXTURE,
          .stages = WGPUShaderStage_Fragment,
          .sample_type = WGPUTextureSampleType_Depth },
        { .binding = 4, .type = GPOOL_BINDING_TEXTURE }, /* fog is computed by vertex, too */
        { .binding = 5, .type = GPOOL_BINDING_TEXTURE },
        { .binding = 6, .type = GPOOL_BINDING_TEXTURE },
        { .binding = 7, .type = GPOOL_BINDING_TEXTURE, .stages = WGPUShaderStage_Fragment },
        { .binding = 8, .type = GPOOL_BINDING_TEXTURE, .stages = WGPUShaderStage_Fragment },
    };
    parts->scene_layout = gpool_layout_create(
        pool, &(gpool_layout_desc){ .entries = scene,
                                    .entry_count = sizeof scene / sizeof scene[0],
                                    .label = "scene" });
    const gpool_layout_entry material[] = {
        { .binding = 0, .type = GPOOL_BINDING_TEXTURE, .stages = WGPUShaderStage_Fragment },
        { .binding = 1, .type = GPOOL_BINDING_TEXTURE, .stages = WGPUShaderStage_Fragment },
    };
    parts->material_layout = gpool_layout_create(
        pool, &(gpool_layout_desc){ .entries = material, .entry_count = 2, .label = "material" });
}

static void make_samplers(renderer_parts *parts, gpool *pool)
{
    parts->repeating =
        gpool_sampler_create(pool, &(gpool_sampler_desc){ .address_u = WGPUAddressMode_Repeat,
                                                          .mag_filter = WGPUFilterMode_Linear,
                                                          .min_filter = WGPUFilterMode_Linear,
                                                          .label = "repeating" });
    parts->clamped =
        gpool_sampler_create(pool, &(gpool_sampler_desc){ .mag_filter = WGPUFilterMode_Linear,
                                                          .min_filter = WGPUFilterMode_Linear,
                                                          .label = "clamped" });
    parts->comparing =
        gpool_sampler_create(pool, &(gpool_sampler_desc){ .mag_filter = WGPUFilterMode_Linear,
                                                          .min_filter = WGPUFilterMode_Linear,
                                                          .compare = WGPUCompareFunction_LessEqual,
                                                          .label = "comparing" });
}

static gpool_texture make_texel(gpool *pool, const uint8_t color[4], const char *label)
{
    return gpool_texture_create(pool, &(gpool_texture_desc){ .width = 1,
                                                             .height = 1,
                                                             .format = WGPUTextureFormat_RGBA8Unorm,
                                                             .usage = GPOOL_TEXTURE_SAMPLED,
                                                             .data = color,
                                                             .data_size = 4,
                                                             .label = label });
}

static void make_textures(renderer_parts *parts, gpool *pool)
{
    parts->white = make_texel(pool, (const uint8_t[4]){ 255, 255, 255, 255 }, "white");
    parts->black = make_texel(pool, (const uint8_t[4]){ 0, 0, 0, 0 }, "black");
    parts->shadow_map = gpool_texture_create(
        pool, &(gpool_texture_desc){ .width = RENDERER_SHADOW_SIZE,
                                     .height = RENDERER_SHADOW_SIZE,
                                     .format = RENDERER_DEPTH_FORMAT,
                                     .usage = GPOOL_TEXTURE_TARGET | GPOOL_TEXTURE_SAMPLED,
                                     .label = "shadow map" });
}

/* The colour format is left open: each pipeline compiles for the target it meets. */
static void make_pipelines(renderer_parts *parts, gpool *pool)
{
    gpool_render_pipeline_desc desc = {
        .shader = parts->scene_shader,
        .vertex_entry = "vs_mesh",
        .fragment_entry = "fs_mesh",
        .layouts = { gpool_uniform_layout(pool), gpool_uniform_layout(pool), parts->scene_layout,
                     parts->material_layout },
        .vertex_buffers = { vertex_layout, instance_layout },
        .cull_mode = WGPUCullMode_Back,
        .depth = { .format = RENDERER_DEPTH_FORMAT,
                   .compare = WGPUCompareFunction_Less,
                   .write = true },
        .samples = RENDERER_SAMPLES,
        .label = "solid",
    };
    parts->meshes[DRAW_SOLID] = gpool_render_pipeline_create(pool, &desc);
    desc.fragment_entry = "fs_textured";
    desc.label = "textured";
    parts->meshes[DRAW_TEXTURED] = gpool_render_pipeline_create(pool, &desc);
    desc.cull_mode = WGPUCullMode_None;
    desc.fragment_entry = "fs_two_sided";
    desc.label = "two-sided";
    parts->meshes[DRAW_TWO_SIDED] = gpool_render_pipeline_create(pool, &desc);
    desc.cull_mode = WGPUCullMode_Back;
    desc.vertex_entry = "vs_rock";
    desc.fragment_entry = "fs_rock";
    desc.label = "rock";
    parts->meshes[DRAW_ROCK] = gpool_render_pipeline_create(pool, &desc);

    desc.vertex_buffers[1] = (gpool_vertex_layout){ 0 };
    desc.vertex_entry = "vs_ground";
    desc.fragment_entry = "fs_ground";
    desc.label = "ground";
    parts->ground = gpool_render_pipeline_create(pool, &desc);

    desc.vertex_buffers[0] = (gpool_vertex_layout){ 0 };
    desc.topology = WGPUPrimitiveTopology_TriangleStrip;
    desc.cull_mode = WGPUCullMode_None;
    desc.vertex_entry = "vs_water";
    desc.fragment_entry = "fs_water";
    desc.label = "water";
    parts->water = gpool_render_pipeline_create(pool, &desc);

    desc.vertex_entry = "vs_sky";
    desc.fragment_entry = "fs_sky";
    desc.depth.compare = WGPUCompareFunction_LessEqual;
    desc.depth.write = false;
    desc.label = "sky";
    parts->sky = gpool_render_pipeline_create(pool, &desc);

    desc.vertex_buffers[0] = particle_layout;
    desc.topology = WGPUPrimitiveTopology_PointList; /* the least work where a CPU plays the GPU */
    desc.vertex_entry = "vs_particle";
    desc.fragment_entry = "fs_particle";
    desc.colors[0].blend = GPOOL_BLEND_PREMULTIPLIED;
    desc.label = "particles";
    parts->particles = gpool_render_pipeline_create(pool, &desc);

    parts->shadow = gpool_render_pipeline_create(
        pool, &(gpool_render_pipeline_desc){
                  .shader = parts->shadow_shader,
                  .no_fragment = true,
                  .layouts = { gpool_uniform_layout(pool), gpool_uniform_layout(pool) },
                  .vertex_buffers = { vertex_layout, instance_layout },
                  .cull_mode = WGPUCullMode_Back,
                  .depth = { .format = RENDERER_DEPTH_FORMAT,
                             .compare = WGPUCompareFunction_Less,
                             .write = true,
                             .bias = 2,
                             .bias_slope_scale = 2.0f },
                  .samples = 1,
                  .label = "shadow" });
}

static gpool_result check_parts(const renderer_parts *parts, gpool *pool)
{
    for (int i = 0; i < DRAW_STYLE_COUNT; ++i) {
        gpool_result result = gpool_pipeline_wait(pool, parts->meshes[i], UINT64_MAX);
        if (result != GPOOL_OK) {
            return result;
        }
    }
    const gpool_pipeline pipelines[] = { parts->ground, parts->water, parts->sky, parts->particles,
                                         parts->shadow };
    for (size_t i = 0; i < sizeof pipelines / sizeof pipelines[0]; ++i) {
        gpool_result result = gpool_pipeline_wait(pool, pipelines[i], UINT64_MAX);
        if (result != GPOOL_OK) {
            return result;
        }
    }
    const uint64_t others[] = { parts->scene_layout.id, parts->material_layout.id,
                                parts->repeating.id,    parts->clamped.id,
                                parts->comparing.id,    parts->shadow_map.id,
                                parts->white.id,        parts->black.id };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; ++i) {
        if (others[i] == 0) {
            return gpool_last_error(pool)->code;
        }
    }
    return GPOOL_OK;
}

gpool_result renderer_parts_init(renderer_parts *parts, gpool *pool, const char *shaders)
{
    *parts = (renderer_parts){ 0 };
    parts->scene_shader = load_shader(pool, shaders, "scene.wgsl");
    parts->shadow_shader = load_shader(pool, shaders, "shadow.wgsl");
    gpool_result result = gpool_shader_wait(pool, parts->scene_shader, UINT64_MAX);
    if (result == GPOOL_OK) {
        result = gpool_shader_wait(pool, parts->shadow_shader, UINT64_MAX);
    }
    if (result != GPOOL_OK) {
        return result;
    }
    make_layouts(parts, pool);
    make_samplers(parts, pool);
    make_textures(parts, pool);
    make_pipelines(parts, pool);
    return check_parts(parts, pool);
}

void renderer_parts_fini(renderer_parts *parts, gpool *pool)
{
    for (int i = 0; i < DRAW_STYLE_COUNT; ++i) {
        gpool_pipeline_destroy(pool, parts->meshes[i]);
    }
    gpool_pipeline_destroy(pool, parts->ground);
    gpool_pipeline_destroy(pool, parts->water);
    gpool_pipeline_destroy(pool, parts->sky);
    gpool_pipeline_destroy(pool, parts->particles);
    gpool_pipeline_destroy(pool, parts->shadow);
    gpool_shader_destroy(pool, parts->scene_shader);
    gpool_shader_destroy(pool, parts->shadow_shader);
    gpool_layout_destroy(pool, parts->scene_layout);
    gpool_layout_destroy(pool, parts->material_layout);
    gpool_sampler_destroy(pool, parts->repeating);
    gpool_sampler_destroy(pool, parts->clamped);
    gpool_sampler_destroy(pool, parts->comparing);
    gpool_texture_destroy(pool, parts->shadow_map);
    gpool_texture_destroy(pool, parts->white);
    gpool_texture_destroy(pool, parts->black);
}
